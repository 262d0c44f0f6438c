//! The page of what a user gave to apps.

use super::html::Html;
use super::{hidden, page};
use crate::reply::Reply;
use crate::smart::scopes::sentence;
use console::{Lang, day, sign_in_words as words};
use http::StatusCode;
use identity::Principal;
use jiff::tz::TimeZone;
use smart::{Given, Scope, own_patient};

/// The page.
pub(in crate::smart) fn applications(
    form: &str,
    user: &Principal,
    given: &[Given],
    zone: &TimeZone,
    lang: Lang,
) -> Reply {
    let name = Html::new(lang).bold(&user.profile.display);
    let mut body = Html::new(lang).raw("<p>").fill(words::AUTH_AS, &[name]).raw("</p>");
    if given.is_empty() {
        body = body.raw("<p role=\"status\">").say(words::AUTH_APPS_NONE).raw("</p>");
    }
    body = body.raw("<ul class=\"plain\">");
    for one in given {
        let patient = one.grant.shown.patient.as_deref();
        let own = patient.is_some() && patient == own_patient(user);
        body = body.raw("<li><div class=\"app\"><div><h2>").text(&one.display).raw("</h2>");
        if one.agent {
            body = body.raw("<p>").say(words::AUTH_AGENT).raw("</p>");
        }
        let days =
            [one.grant.created, one.used].map(|at| Html::new(lang).text(&day(at, zone, lang)));
        body = body
            .raw("<p class=\"quiet\">")
            .fill(words::AUTH_SINCE_USED, &days)
            .raw("</p></div><form method=\"post\" action=\"apps\">")
            .join(&hidden(lang, form, "grant", &one.grant.id.to_string()))
            .raw("<button class=\"other\" aria-label=\"")
            .text(&words::AUTH_APP_END_OF.with(lang, &one.display))
            .raw("\">")
            .say(words::AUTH_APP_END)
            .raw("</button></form></div><details><summary>")
            .say(words::AUTH_APP_MAY)
            .raw("</summary><ul>");
        for scope in one.grant.scopes.iter() {
            if !matches!(scope, Scope::Launch | Scope::LaunchPatient | Scope::LaunchEncounter) {
                body = body.raw("<li>").text(&sentence(scope, own, lang)).raw("</li>");
            }
        }
        body = body.raw("</ul></details></li>");
    }
    let body = body
        .raw("</ul><footer><p><a href=\"factors\">")
        .say(words::AUTH_HOW)
        .raw("</a></p><form method=\"post\" action=\"sign-out\">")
        .join(&hidden(lang, form, "next", ""))
        .raw("<button class=\"other\">")
        .say(words::AUTH_OUT)
        .raw("</button></form></footer>");
    page(StatusCode::OK, words::AUTH_APPS, &body, "")
}
