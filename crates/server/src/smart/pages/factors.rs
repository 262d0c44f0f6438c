//! The pages of how somebody signs in: passkeys, the authenticator, recovery codes, and the page that
//! asks for a factor again before any of them is changed.

use super::html::Html;
use super::passkey::ask;
use super::sign_in::alert;
use super::{Scripted, page, scripted};
use crate::reply::Reply;
use base::Millis;
use console::{Lang, Word, day, sign_in_words as words};
use http::StatusCode;
use identity::{Enrolment, PasskeyAsked, PasskeyInfo, Secret};
use jiff::tz::TimeZone;

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
    pub(in crate::smart) lang: Lang,
}

/// The page.
pub(in crate::smart) fn factors(view: &Factors<'_>) -> Reply {
    let lang = view.lang;
    let mut body = alert(Html::new(lang), view.first);
    if view.confined {
        body = body
            .raw("<p class=\"step\" role=\"status\">")
            .bold(words::AUTH_ONE_LEFT.of(lang))
            .raw(" ")
            .say(words::AUTH_MISSING)
            .raw("</p>");
    }
    if let Some(from) = view.due {
        body = body
            .raw("<p class=\"step\" role=\"status\">")
            .text(&words::AUTH_DUE.with(lang, &day(from, view.zone, lang)))
            .raw("</p>");
    }
    body = body
        .raw("<p>")
        .fill(words::AUTH_AS, &[Html::new(lang).bold(view.user)])
        .raw("</p><h2>")
        .say(words::AUTH_PASSKEYS)
        .raw("</h2>");
    if view.passkeys.is_empty() {
        body = body.raw("<p role=\"status\">").say(words::AUTH_PASSKEYS_NONE).raw("</p>");
    }
    if !view.passkeys.is_empty() {
        body = body.raw("<ul class=\"plain\">");
        for one in view.passkeys {
            body = body.join(&passkey(view, one));
        }
        body = body.raw("</ul>");
    }
    body = match view.party {
        Some(_) => body.join(&act(view, "new", words::AUTH_PASSKEY_MAKE, true)),
        None => body.raw("<p class=\"hint\">").say(words::AUTH_PASSKEY_TLS).raw("</p>"),
    };
    let has = match view.authenticator {
        true => words::AUTH_APP_CODES_HAS,
        false => words::AUTH_APP_CODES_NONE,
    };
    let first = view.confined && view.party.is_none();
    body = body
        .raw("<h2>")
        .say(words::AUTH_APP_CODES)
        .raw("</h2><p>")
        .say(has)
        .raw("</p>")
        .join(&act(view, "authenticator", words::AUTH_APP_CODES_SET, first));
    if view.authenticator || !view.passkeys.is_empty() {
        body = body
            .raw("<h2>")
            .say(words::AUTH_RECOVERY)
            .raw("</h2><p>")
            .text(&words::AUTH_RECOVERY_LEFT.with(lang, &view.codes.to_string()))
            .raw("</p>")
            .join(&act(view, "codes", words::AUTH_RECOVERY_NEW, false));
    }
    let body = body
        .raw("<footer><form method=\"post\" action=\"sign-out\"><input type=\"hidden\" name=\"form\" value=\"")
        .text(view.form)
        .raw("\">");
    let body = match view.confined {
        true => body,
        false => body.raw("<p><a href=\"apps\">").say(words::AUTH_APPS).raw("</a></p>"),
    };
    let body =
        body.raw("<button class=\"other\">").say(words::AUTH_OUT).raw("</button></form></footer>");
    page(StatusCode::OK, words::AUTH_HOW, &body, "")
}

fn passkey(view: &Factors<'_>, one: &PasskeyInfo) -> Html {
    let (id, lang) = (one.id.to_string(), view.lang);
    let never = || words::AUTH_NEVER.of(lang).to_owned();
    let used = one.used.map_or_else(never, |at| day(at, view.zone, lang));
    let days = [day(one.since, view.zone, lang), used].map(|text| Html::new(lang).text(&text));
    let mut html = Html::new(lang)
        .raw("<li><h2>")
        .text(&one.name)
        .raw("</h2><p class=\"quiet\">")
        .fill(words::AUTH_SINCE_USED, &days);
    if view.party != Some(&one.party) {
        html = html.text(&words::AUTH_ELSEWHERE.with(lang, &one.party));
    }
    html.raw("</p><details><summary>")
        .say(words::AUTH_EDIT)
        .raw(" <span class=\"quiet\">")
        .text(&one.name)
        .raw("</span></summary><form method=\"post\" action=\"factors\">")
        .join(&fields(lang, view.form, &id))
        .raw("<label for=\"n")
        .text(&id)
        .raw("\">")
        .say(words::AUTH_LABEL)
        .raw("</label><input type=\"text\" name=\"name\" maxlength=\"64\" autocomplete=\"off\" required id=\"n")
        .text(&id)
        .raw("\" value=\"")
        .text(&one.name)
        .raw("\"><p class=\"beside\"><button name=\"do\" value=\"rename\" class=\"other\">")
        .say(words::AUTH_LABEL_SAVE)
        .raw("</button> <button name=\"do\" value=\"remove\" class=\"other\">")
        .say(words::AUTH_PASSKEY_REMOVE)
        .raw("</button></p><p class=\"hint\">")
        .say(words::AUTH_PASSKEY_REMOVE_HINT)
        .raw("</p></form></details></li>")
}

fn fields(lang: Lang, form: &str, passkey: &str) -> Html {
    Html::new(lang)
        .raw("<input type=\"hidden\" name=\"form\" value=\"")
        .text(form)
        .raw("\"><input type=\"hidden\" name=\"passkey\" value=\"")
        .text(passkey)
        .raw("\">")
}

fn act(view: &Factors<'_>, what: &'static str, word: Word, first: bool) -> Html {
    Html::new(view.lang)
        .raw("<form method=\"post\" action=\"factors\">")
        .join(&fields(view.lang, view.form, ""))
        .raw("<button name=\"do\" value=\"")
        .raw(what)
        .raw(if first { "\">" } else { "\" class=\"other\">" })
        .say(word)
        .raw("</button></form>")
}

/// The page that makes a passkey.
pub(in crate::smart) fn new_passkey(
    view: &Scripted<'_>,
    asked: &PasskeyAsked,
    wrong: Option<&str>,
) -> Reply {
    let name = Html::new(view.lang)
        .raw("<input type=\"hidden\" name=\"do\" value=\"add\"><p>")
        .say(words::AUTH_PASSKEY_WHY)
        .raw("</p><label for=\"name\">")
        .say(words::AUTH_PASSKEY_CALL)
        .raw("</label><input type=\"text\" id=\"name\" name=\"name\" maxlength=\"64\" value=\"")
        .say(words::AUTH_PASSKEY_MINE)
        .raw("\" autocomplete=\"off\" required>");
    let body = alert(Html::new(view.lang), wrong)
        .join(&ask("factors", view.form, asked, &name, words::AUTH_PASSKEY_MAKE_IT))
        .raw("<p class=\"or\"><a href=\"factors\">")
        .say(words::AUTH_BACK_WITHOUT)
        .raw("</a></p>");
    scripted(words::AUTH_PASSKEY_MAKE, &body, view.script)
}

/// The page that sets up an authenticator.
pub(in crate::smart) fn authenticator(
    form: &str,
    given: &Enrolment,
    wrong: Option<Word>,
    lang: Lang,
) -> Reply {
    let body = alert(Html::new(lang), wrong.map(|word| word.of(lang)))
        .raw("<p>")
        .say(words::AUTH_APP_CODES_HOW)
        .raw("</p><p class=\"key\">")
        .text(given.key.expose())
        .raw("</p><p><a href=\"")
        .text(given.address.expose())
        .raw("\">")
        .say(words::AUTH_APP_CODES_OPEN)
        .raw("</a></p><form method=\"post\" action=\"factors\">")
        .join(&fields(lang, form, ""))
        .raw("<label for=\"code\">")
        .say(words::AUTH_APP_CODES_CODE)
        .raw("</label><input type=\"text\" id=\"code\" name=\"code\" inputmode=\"numeric\" autocomplete=\"one-time-code\" required autofocus><button name=\"do\" value=\"code\">")
        .say(words::AUTH_APP_CODES_USE)
        .raw("</button></form><p class=\"or\"><a href=\"factors\">")
        .say(words::AUTH_BACK_WITHOUT)
        .raw("</a></p>");
    page(StatusCode::OK, words::AUTH_APP_CODES_TITLE, &body, "")
}

/// The page that shows recovery codes, once.
pub(in crate::smart) fn codes(codes: &[Secret], lang: Lang) -> Reply {
    let mut body =
        Html::new(lang).raw("<p>").say(words::AUTH_CODES_WHY).raw("</p><ul class=\"codes\">");
    for one in codes {
        body = body.raw("<li>").text(one.expose()).raw("</li>");
    }
    let body = body
        .raw("</ul><p><a class=\"button\" href=\"factors\">")
        .say(words::AUTH_CODES_HAVE)
        .raw("</a></p>");
    page(StatusCode::OK, words::AUTH_CODES, &body, "")
}

/// The page that asks for a factor again: a passkey where one is `asked` for; a code where `codes`;
/// else the password.
pub(in crate::smart) fn confirm(
    view: &Scripted<'_>,
    asked: Option<&PasskeyAsked>,
    codes: bool,
    why: Option<Word>,
    wrong: Option<&str>,
    next: &str,
) -> Reply {
    let lang = view.lang;
    let why = why.unwrap_or(words::AUTH_STILL_WHY);
    let mut body = alert(Html::new(lang), wrong).raw("<p>").say(why).raw("</p>");
    if let Some(asked) = asked {
        let more = Html::new(lang)
            .raw("<input type=\"hidden\" name=\"next\" value=\"")
            .text(next)
            .raw("\">");
        body = body.join(&ask("confirm", view.form, asked, &more, words::AUTH_USE_PASSKEY));
    }
    body = body
        .raw(if asked.is_some() { "<form class=\"or\"" } else { "<form" })
        .raw(" method=\"post\" action=\"confirm\"><input type=\"hidden\" name=\"form\" value=\"")
        .text(view.form)
        .raw("\"><input type=\"hidden\" name=\"next\" value=\"")
        .text(next)
        .raw("\">")
        .join(&match codes {
            true => Html::new(lang)
                .raw("<label for=\"code\">")
                .say(words::AUTH_CODE)
                .raw("</label><input type=\"text\" id=\"code\" name=\"code\" autocomplete=\"one-time-code\" aria-describedby=\"hint\" required><p id=\"hint\" class=\"hint\">")
                .say(words::AUTH_CODE_HINT)
                .raw("</p>"),
            false => Html::new(lang)
                .raw("<label for=\"password\">")
                .say(words::AUTH_PASSWORD)
                .raw("</label><input type=\"password\" id=\"password\" name=\"password\" autocomplete=\"current-password\" required>"),
        })
        .raw(if asked.is_some() { "<button class=\"other\">" } else { "<button>" })
        .say(words::AUTH_GO_ON)
        .raw("</button></form><p class=\"or\"><a href=\"")
        .text(if next.is_empty() { "factors" } else { next })
        .raw("\">")
        .say(words::AUTH_BACK)
        .raw("</a></p>");
    match asked {
        Some(_) => scripted(words::AUTH_STILL_YOU, &body, view.script),
        None => page(StatusCode::OK, words::AUTH_STILL_YOU, &body, ""),
    }
}
