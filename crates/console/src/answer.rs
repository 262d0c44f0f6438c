//! What the console answers: a page, a piece of one, an asset, a way on, or the wish to be signed in.
//! The policy of content stands here (<https://www.w3.org/TR/CSP3/>, <https://www.w3.org/TR/trusted-types/>):
//! nothing runs or loads that this server does not serve, and no text becomes markup by accident.

use crate::live::Live;
use base::Fault;
use base::error::code;
use identity::Secret;
use maud::{Markup, PreEscaped};

/// The content policy of every page. Inline style and script are not in it, so none runs.
pub const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types fragment 'allow-duplicates'";

/// An answer.
#[derive(Debug)]
pub struct Answer {
    /// The HTTP status.
    pub status: u16,
    /// What it holds.
    pub body: Body,
    /// Choices that the browser keeps: names and values of cookies, which are no secrets.
    pub choices: Vec<(&'static str, &'static str)>,
}

/// What an answer holds.
pub enum Body {
    /// HTML: a whole page, or a piece that a script puts into one.
    Html(String),
    /// An asset whose address changes with its content, so a browser may keep it for good.
    Asset {
        /// Its media type.
        media_type: &'static str,
        /// Its content.
        content: &'static [u8],
        /// What names this content.
        etag: &'static str,
    },
    /// A picture out of a record, for whoever was just found to be allowed to see it: kept by no browser.
    Picture {
        /// Its media type: one of pictures that hold no script.
        media_type: &'static str,
        /// Its content.
        content: Vec<u8>,
    },
    /// A file to keep: what a page shows, for another program.
    File {
        /// Its media type.
        media_type: &'static str,
        /// What it is called.
        name: String,
        /// Its content.
        content: Vec<u8>,
    },
    /// Another page of ours, by its path.
    Go(String),
    /// Whoever asks wants to be signed in with this, and then to see that path. The door does it, as it
    /// would for a form of the sign-in page.
    Enter {
        /// The sign-in name.
        name: String,
        /// The password.
        password: Secret,
        /// Where to then; empty for the first page.
        next: String,
    },
    /// The device becomes a kiosk with this token, and whoever asks is signed out there. The door does it.
    Kiosk(String),
    /// The same for a wall, which shows the board.
    Wall(String),
    /// A stream of what changes; the door holds it.
    Live(Live),
}

/// A page may be about a person.
impl std::fmt::Debug for Body {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Html(_) => "Html",
            Self::Asset { .. } => "Asset",
            Self::Picture { .. } => "Picture",
            Self::File { .. } => "File",
            Self::Go(_) => "Go",
            Self::Enter { .. } => "Enter",
            Self::Kiosk(_) => "Kiosk",
            Self::Wall(_) => "Wall",
            Self::Live(_) => "Live",
        })
    }
}

impl Answer {
    /// A page or a piece of one.
    pub(crate) fn html(status: u16, markup: Markup) -> Self {
        let PreEscaped(html) = markup;
        Self { status, body: Body::Html(html), choices: Vec::new() }
    }

    /// A file to keep.
    pub(crate) fn file(media_type: &'static str, name: String, content: Vec<u8>) -> Self {
        Self { status: 200, body: Body::File { media_type, name, content }, choices: Vec::new() }
    }

    /// Another page; what was sent is not sent again (POST, redirect, GET).
    pub(crate) fn go(path: impl Into<String>) -> Self {
        Self { status: 303, body: Body::Go(path.into()), choices: Vec::new() }
    }
}

/// Whether a fault says no more than that there is nothing for this caller: a record that may not be seen
/// is answered exactly as one that is not there.
pub(crate) fn is_nothing(fault: &Fault) -> bool {
    [&code::NOT_FOUND, &code::GONE, &code::ACCESS_DENIED, &code::RESOURCE_ID_INVALID]
        .iter()
        .any(|nothing| nothing.name == fault.code().name)
}
