//! One visit to a page: who asks, through which session, for what, and how they like to see it. It is
//! made by the door, which has checked the origin and the form before anything here is asked.

use crate::machine::{Machine, Unclaimed};
use crate::people::People;
use crate::words::Lang;
use base::Millis;
use http::{HeaderMap, Method};
use identity::{Caller, Secret};
use jiff::tz::TimeZone;
use record::{Health, Session};
use std::sync::Arc;

/// The cookie in which a browser keeps how pages look.
pub(crate) const THEME: &str = "__Host-plummer-theme";
/// The cookie in which a browser keeps the language of pages.
pub const LANGUAGE: &str = "__Host-plummer-language";
/// The cookie in which a browser keeps whether single keys do something (WCAG 2.2, 2.1.4).
pub(crate) const KEYS: &str = "__Host-plummer-keys";

/// The header by which a script says that it asks by itself, without anybody having pressed anything.
pub const LIVE: &str = "x-live";

/// A visit.
#[derive(Clone)]
pub struct Visit {
    /// The gate, opened for whoever asks.
    pub session: Session,
    /// Who is signed in.
    pub caller: Option<Caller>,
    /// The method.
    pub method: Method,
    /// The path, as it came.
    pub path: String,
    /// The parameters of the address.
    pub query: Vec<(String, String)>,
    /// The fields of the form; the door has held it to be one of ours.
    pub form: Vec<(String, String)>,
    /// The files of the form, by field; an empty one is left out.
    pub files: Vec<(String, Vec<u8>)>,
    /// The headers.
    pub headers: HeaderMap,
    /// What a form of ours has to bring back.
    pub form_text: String,
    /// Where browsers find this server: scheme and host, without a path.
    pub origin: String,
    /// In which time zone days begin here.
    pub zone: TimeZone,
    /// The people of a demo, when this is one.
    pub demo: Option<Arc<Demo>>,
    /// How the server is, for who watches over it.
    pub health: Option<Health>,
    /// What is asked about people beside the record; none for who is not signed in.
    pub people: Option<Arc<dyn People>>,
    /// The machine, for who watches over it.
    pub machine: Option<Arc<dyn Machine>>,
    /// The house, while nobody administers it.
    pub unclaimed: Option<Arc<dyn Unclaimed>>,
    /// To how many on the waiting list a freed time is offered at once, and the minutes each wave has.
    pub waves: (usize, u32),
    /// Offers go out as messages; else the desk is told whom to call.
    pub offers_by_message: bool,
    /// Freed times are offered by themselves.
    pub offers_by_itself: bool,
}

/// It is about a person.
impl std::fmt::Debug for Visit {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Visit").field("method", &self.method).finish_non_exhaustive()
    }
}

/// A demo: everybody in it is invented, and anybody may be any of them.
#[derive(Debug, Clone, Default)]
pub struct Demo {
    /// Its people.
    pub people: Vec<DemoPerson>,
}

/// Somebody of a demo.
#[derive(Debug, Clone)]
pub struct DemoPerson {
    /// The sign-in name.
    pub name: String,
    /// The role.
    pub role: String,
    /// What people call them.
    pub display: String,
    /// The password that was drawn when the demo started.
    pub password: Secret,
}

/// How pages look.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Theme {
    /// As the system is set.
    System,
    Light,
    Dark,
}

impl Theme {
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::System => "system",
            Self::Light => "light",
            Self::Dark => "dark",
        }
    }

    pub(crate) const ALL: [Self; 3] = [Self::System, Self::Light, Self::Dark];

    pub(crate) fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|theme| theme.name() == name)
    }
}

impl Visit {
    /// Now, by the clock of the record.
    pub(crate) fn now(&self) -> Millis {
        self.session.now()
    }

    /// The language of the page.
    pub fn lang(&self) -> Lang {
        language(&self.headers)
    }

    /// How the page looks.
    pub(crate) fn theme(&self) -> Theme {
        self.cookie(THEME).and_then(Theme::from_name).unwrap_or(Theme::System)
    }

    /// Whether single keys do something.
    pub(crate) fn has_keys(&self) -> bool {
        self.cookie(KEYS) != Some("off")
    }

    /// Whether a piece of a page is asked for, not a whole one.
    pub(crate) fn is_fragment(&self) -> bool {
        self.headers.get("x-fragment").is_some_and(|value| value == "1")
    }

    /// Whether a script asks by itself for what somebody has in front of them: nobody pressed anything, so
    /// it is no use of the sign-in.
    pub(crate) fn is_live(&self) -> bool {
        self.headers.contains_key(LIVE)
    }

    /// The first value of a field of the form.
    pub(crate) fn field(&self, name: &str) -> &str {
        first(&self.form, name)
    }

    /// The first value of a parameter of the address.
    pub(crate) fn parameter(&self, name: &str) -> &str {
        first(&self.query, name)
    }

    /// The roles of whoever is signed in.
    pub(crate) fn roles(&self) -> &[String] {
        self.caller.as_ref().map_or(&[], |caller| caller.principal.profile.roles.as_slice())
    }

    fn cookie(&self, name: &str) -> Option<&str> {
        cookie(&self.headers, name)
    }
}

/// The language of every page that answers a request with these headers: what was chosen in this browser, else
/// what it asks for.
pub fn language(headers: &HeaderMap) -> Lang {
    let chosen = cookie(headers, LANGUAGE).and_then(Lang::from_tag);
    let asked = || {
        let header = headers.get(http::header::ACCEPT_LANGUAGE)?.to_str().ok()?;
        header.split(',').find_map(|part| Lang::from_tag(part.split(';').next()?.trim()))
    };
    chosen.or_else(asked).unwrap_or(Lang::En)
}

fn cookie<'h>(headers: &'h HeaderMap, name: &str) -> Option<&'h str> {
    let texts =
        headers.get_all(http::header::COOKIE).iter().filter_map(|value| value.to_str().ok());
    let mut pairs = texts.flat_map(|text| text.split(';')).filter_map(|p| p.split_once('='));
    pairs.find(|(key, _)| key.trim() == name).map(|(_, value)| value.trim())
}

fn first<'p>(pairs: &'p [(String, String)], name: &str) -> &'p str {
    pairs.iter().find(|(key, _)| key == name).map_or("", |(_, value)| value.as_str())
}
