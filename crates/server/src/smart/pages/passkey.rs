//! What pages have that ask for a passkey: a form with what is asked in `data-passkey`, which the one
//! script reads, and words for a browser that has no passkeys or runs no script.

use super::html::Html;
use super::scripted;
use crate::reply::Reply;
use crate::smart::call::Call;
use base::Fault;
use http::StatusCode;
use identity::PasskeyAsked;

const SCRIPT: &str = include_str!("passkey.js");

/// A page that may run the script: its form's text, and where the script stands.
#[derive(Debug)]
pub(in crate::smart) struct Scripted<'a> {
    pub(in crate::smart) form: &'a str,
    pub(in crate::smart) script: &'a str,
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
    let more = Html::new()
        .raw("<input type=\"hidden\" name=\"next\" value=\"")
        .text(next)
        .raw("\"><p>Your device asks for your finger, your face or its PIN, and keeps them to itself.</p>");
    let body = super::sign_in::alert(Html::new(), wrong)
        .join(&ask("passkey", view.form, asked, &more, "Use your passkey"))
        .raw("<p class=\"or\"><a href=\"sign-in\">Sign in with a name and a password</a></p>");
    scripted("Sign in with a passkey", &body, view.script)
}

/// The form that asks.
pub(super) fn ask(
    action: &'static str,
    form: &str,
    asked: &PasskeyAsked,
    more: &Html,
    button: &'static str,
) -> Html {
    Html::new()
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
        .raw("<p role=\"alert\" data-told></p><noscript><p role=\"alert\">A passkey needs a browser that runs scripts. Use another way.</p></noscript><button>")
        .raw(button)
        .raw("</button></form>")
}
