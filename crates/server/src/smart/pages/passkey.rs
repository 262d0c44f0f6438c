//! What pages have that ask for a passkey: a form with what is asked in `data-passkey`, which the one
//! script reads, and words for a browser that has no passkeys or runs no script.

use super::html::Html;
use super::scripted;
use crate::reply::Reply;
use crate::smart::call::Call;
use base::Fault;
use console::{Lang, Word, sign_in_words as words};
use http::StatusCode;
use identity::PasskeyAsked;

const SCRIPT: &str = include_str!("passkey.js");

/// A page that may run the script: its form's text, and where the script stands.
#[derive(Debug)]
pub(in crate::smart) struct Scripted<'a> {
    pub(in crate::smart) form: &'a str,
    pub(in crate::smart) script: &'a str,
    pub(in crate::smart) lang: Lang,
}

/// The script.
#[expect(clippy::unnecessary_wraps, reason = "it is a row of the table of routes")]
pub(in crate::smart) fn script(_call: &Call) -> Result<Reply, Fault> {
    Ok(Reply::text(StatusCode::OK, "text/javascript; charset=utf-8", SCRIPT.to_owned()))
}

/// The page that asks for any passkey, to sign in by.
pub(in crate::smart) fn passkey(
    view: &Scripted<'_>,
    next: &str,
    asked: &PasskeyAsked,
    wrong: Option<&str>,
) -> Reply {
    let more = Html::new(view.lang)
        .raw("<input type=\"hidden\" name=\"next\" value=\"")
        .text(next)
        .raw("\"><p>")
        .say(words::AUTH_DEVICE)
        .raw("</p>");
    let body = super::sign_in::alert(Html::new(view.lang), wrong)
        .join(&ask("passkey", view.form, asked, &more, words::AUTH_USE_PASSKEY))
        .raw("<p class=\"or\"><a href=\"sign-in\">")
        .say(words::AUTH_BY_PASSWORD)
        .raw("</a></p>");
    scripted(words::AUTH_BY_PASSKEY, &body, view.script)
}

/// The form that asks.
pub(super) fn ask(
    action: &'static str,
    form: &str,
    asked: &PasskeyAsked,
    more: &Html,
    button: Word,
) -> Html {
    let mut html = Html::new(more.lang())
        .raw("<form method=\"post\" action=\"")
        .raw(action)
        .raw("\" data-passkey=\"")
        .text(&asked.options)
        .raw("\"><input type=\"hidden\" name=\"form\" value=\"")
        .text(form)
        .raw("\"><input type=\"hidden\" name=\"asked\" value=\"")
        .text(asked.handle.expose())
        .raw("\"><input type=\"hidden\" name=\"answer\" value=\"\">")
        .join(more)
        .raw("<p role=\"alert\"");
    // What the script may have to say.
    for (name, word) in [
        (" data-cancelled=\"", words::AUTH_CANCELLED),
        (" data-known=\"", words::AUTH_HAS_ONE),
        (" data-address=\"", words::AUTH_ADDRESS),
        (" data-none=\"", words::AUTH_NO_PASSKEYS),
        (" data-told=\"", words::AUTH_NO_ANSWER),
    ] {
        html = html.raw(name).say(word).raw("\"");
    }
    html.raw("></p><noscript><p role=\"alert\">")
        .say(words::AUTH_SCRIPT)
        .raw("</p></noscript><button>")
        .say(button)
        .raw("</button></form>")
}
