//! The pages of how somebody signs in: passkeys, the authenticator, recovery codes, and the page that
//! asks for a factor again before any of them is changed.

use super::days::day;
use super::html::Html;
use super::passkey::ask;
use super::sign_in::alert;
use super::{Scripted, page, scripted};
use crate::reply::Reply;
use base::Millis;
use http::StatusCode;
use identity::{Enrolment, PasskeyAsked, PasskeyInfo, Secret};
use jiff::tz::TimeZone;

/// Why somebody with a second factor is asked for it, when they were not at the sign-in.
pub(in crate::smart) const DEMANDED: &str =
    "Your role asks for a second factor, and you have shown one only. Show the second.";
/// What somebody reads who has none.
const MISSING: &str = "Your role asks for a second factor, and you have none yet. Make one here; until then nothing else opens for you.";

/// What is shown.
#[derive(Debug)]
pub(in crate::smart) struct Factors<'a> {
    pub(in crate::smart) form: &'a str,
    pub(in crate::smart) user: &'a str,
    /// Said at the top: what has to be done before anything else.
    pub(in crate::smart) first: Option<&'a str>,
    /// The session opens nothing else before a second factor is there.
    pub(in crate::smart) confined: bool,
    /// From when on one is asked for.
    pub(in crate::smart) due: Option<Millis>,
    pub(in crate::smart) passkeys: &'a [PasskeyInfo],
    /// The host that new ones are for; none where browsers have no passkeys.
    pub(in crate::smart) party: Option<&'a str>,
    pub(in crate::smart) authenticator: bool,
    pub(in crate::smart) codes: usize,
    /// In which days begin here.
    pub(in crate::smart) zone: &'a TimeZone,
}

/// The page.
pub(in crate::smart) fn factors(view: &Factors<'_>) -> Reply {
    let mut body = alert(Html::new(), view.first);
    if view.confined {
        body = body
            .raw("<p class=\"step\" role=\"status\"><b>One step is left.</b> ")
            .raw(MISSING)
            .raw("</p>");
    }
    if let Some(from) = view.due {
        body = body
            .raw("<p class=\"step\" role=\"status\">From ")
            .text(&day(from, view.zone))
            .raw(" on your role asks for a second factor, and you have none yet. Make one before that day.</p>");
    }
    body =
        body.raw("<p>You are signed in as <b>").text(view.user).raw("</b>.</p><h2>Passkeys</h2>");
    if view.passkeys.is_empty() {
        body = body.raw("<p role=\"status\">You have no passkey.</p>");
    }
    if !view.passkeys.is_empty() {
        body = body.raw("<ul class=\"plain\">");
        for one in view.passkeys {
            body = body.join(&passkey(view, one));
        }
        body = body.raw("</ul>");
    }
    body = match view.party {
        Some(_) => body.join(&act(view.form, "new", "Make a passkey", true)),
        None => body.raw("<p class=\"hint\">Browsers make passkeys only for a server that is opened by its name and over TLS.</p>"),
    };
    body = body.raw("<h2>Authenticator app</h2><p>").raw(match view.authenticator {
        true => "You have one. Another one takes its place, and brings new recovery codes.",
        false => "You have none. It shows six digits that are asked for after your password.",
    });
    body = body.raw("</p>").join(&act(
        view.form,
        "authenticator",
        "Set one up",
        view.confined && view.party.is_none(),
    ));
    if view.authenticator || !view.passkeys.is_empty() {
        body = body
            .raw("<h2>Recovery codes</h2><p>You have ")
            .text(&view.codes.to_string())
            .raw(" left. Each stands in once for what you lost.</p>")
            .join(&act(view.form, "codes", "Draw new ones", false));
    }
    let body = body
        .raw("<footer><form method=\"post\" action=\"sign-out\"><input type=\"hidden\" name=\"form\" value=\"")
        .text(view.form)
        .raw(match view.confined {
            true => "\"><button",
            false => "\"><p><a href=\"apps\">Apps that can see my record</a></p><button",
        })
        .raw(" class=\"other\">Sign out</button></form></footer>");
    page(StatusCode::OK, "How I sign in", &body, "")
}

fn passkey(view: &Factors<'_>, one: &PasskeyInfo) -> Html {
    let id = one.id.to_string();
    let mut html = Html::new()
        .raw("<li><h2>")
        .text(&one.name)
        .raw("</h2><p class=\"quiet\">Since ")
        .text(&day(one.since, view.zone))
        .raw(", last used ")
        .text(&one.used.map_or_else(|| "never".to_owned(), |at| day(at, view.zone)));
    if view.party != Some(&one.party) {
        html = html.raw(", for ").text(&one.party).raw(" and of no use here");
    }
    html.raw("</p><details><summary>Change <span class=\"quiet\">")
        .text(&one.name)
        .raw("</span></summary><form method=\"post\" action=\"factors\">")
        .join(&fields(view.form, &id))
        .raw("<label for=\"n")
        .text(&id)
        .raw("\">Name</label><input type=\"text\" name=\"name\" maxlength=\"64\" autocomplete=\"off\" required id=\"n")
        .text(&id)
        .raw("\" value=\"")
        .text(&one.name)
        .raw("\"><p class=\"beside\"><button name=\"do\" value=\"rename\" class=\"other\">Save the name</button> <button name=\"do\" value=\"remove\" class=\"other\">Remove this passkey</button></p><p class=\"hint\">Removing it signs you out everywhere else.</p></form></details></li>")
}

fn fields(form: &str, passkey: &str) -> Html {
    Html::new()
        .raw("<input type=\"hidden\" name=\"form\" value=\"")
        .text(form)
        .raw("\"><input type=\"hidden\" name=\"passkey\" value=\"")
        .text(passkey)
        .raw("\">")
}

fn act(form: &str, what: &'static str, words: &'static str, first: bool) -> Html {
    Html::new()
        .raw("<form method=\"post\" action=\"factors\">")
        .join(&fields(form, ""))
        .raw("<button name=\"do\" value=\"")
        .raw(what)
        .raw(if first { "\">" } else { "\" class=\"other\">" })
        .raw(words)
        .raw("</button></form>")
}

/// The page that makes a passkey.
pub(in crate::smart) fn new_passkey(
    view: &Scripted<'_>,
    asked: &PasskeyAsked,
    wrong: Option<&str>,
) -> Reply {
    let name = Html::new().raw("<input type=\"hidden\" name=\"do\" value=\"add\"><p>A passkey stays on your device or in its keychain. It works on this server alone, so nobody can trick you out of it.</p><label for=\"name\">What to call it</label><input type=\"text\" id=\"name\" name=\"name\" maxlength=\"64\" value=\"My passkey\" autocomplete=\"off\" required>");
    let body = alert(Html::new(), wrong)
        .join(&ask("factors", view.form, asked, &name, "Make the passkey"))
        .raw("<p class=\"or\"><a href=\"factors\">Back without one</a></p>");
    scripted("Make a passkey", &body, view.script)
}

/// The page that sets up an authenticator.
pub(in crate::smart) fn authenticator(form: &str, given: &Enrolment, wrong: Option<&str>) -> Reply {
    let body = alert(Html::new(), wrong)
        .raw("<p>Type this key into your authenticator app, or open the link on the device that has it.</p><p class=\"key\">")
        .text(given.key.expose())
        .raw("</p><p><a href=\"")
        .text(given.address.expose())
        .raw("\">Open the authenticator app</a></p><form method=\"post\" action=\"factors\">")
        .join(&fields(form, ""))
        .raw("<label for=\"code\">The code it shows</label><input type=\"text\" id=\"code\" name=\"code\" inputmode=\"numeric\" autocomplete=\"one-time-code\" required autofocus><button name=\"do\" value=\"code\">Use it from now on</button></form><p class=\"or\"><a href=\"factors\">Back without one</a></p>");
    page(StatusCode::OK, "Set up an authenticator app", &body, "")
}

/// The page that shows recovery codes, once.
pub(in crate::smart) fn codes(codes: &[Secret]) -> Reply {
    let mut body = Html::new().raw("<p>Print these or write them down, and keep them apart from your device. Each stands in once for a passkey or an authenticator that you lost. They are not shown again.</p><ul class=\"codes\">");
    for one in codes {
        body = body.raw("<li>").text(one.expose()).raw("</li>");
    }
    let body = body.raw("</ul><p><a class=\"button\" href=\"factors\">I have them</a></p>");
    page(StatusCode::OK, "Your recovery codes", &body, "")
}

/// The page that asks for a factor again: a passkey where one is `asked` for; a code where `codes`;
/// else the password.
pub(in crate::smart) fn confirm(
    view: &Scripted<'_>,
    asked: Option<&PasskeyAsked>,
    codes: bool,
    why: Option<&'static str>,
    wrong: Option<&str>,
    next: &str,
) -> Reply {
    let why = why.unwrap_or("You showed it a while ago. Show once more that it is you.");
    let mut body = alert(Html::new(), wrong).raw("<p>").raw(why).raw("</p>");
    if let Some(asked) = asked {
        let more =
            Html::new().raw("<input type=\"hidden\" name=\"next\" value=\"").text(next).raw("\">");
        body = body.join(&ask("confirm", view.form, asked, &more, "Use your passkey"));
    }
    body = body
        .raw(if asked.is_some() { "<form class=\"or\"" } else { "<form" })
        .raw(" method=\"post\" action=\"confirm\"><input type=\"hidden\" name=\"form\" value=\"")
        .text(view.form)
        .raw("\"><input type=\"hidden\" name=\"next\" value=\"")
        .text(next)
        .raw(match codes {
            true => "\"><label for=\"code\">Code</label><input type=\"text\" id=\"code\" name=\"code\" autocomplete=\"one-time-code\" aria-describedby=\"hint\" required><p id=\"hint\" class=\"hint\">Six digits from your authenticator, or one of your recovery codes.</p>",
            false => "\"><label for=\"password\">Password</label><input type=\"password\" id=\"password\" name=\"password\" autocomplete=\"current-password\" required>",
        })
        .raw(if asked.is_some() { "<button class=\"other\">" } else { "<button>" })
        .raw("Go on</button></form><p class=\"or\"><a href=\"")
        .text(if next.is_empty() { "factors" } else { next })
        .raw("\">Back</a></p>");
    match asked {
        Some(_) => scripted("Is it still you?", &body, view.script),
        None => page(StatusCode::OK, "Is it still you?", &body, ""),
    }
}
