//! The page of what a user gave to apps.

use super::days::day;
use super::html::Html;
use super::{hidden, page};
use crate::reply::Reply;
use http::StatusCode;
use identity::Principal;
use jiff::tz::TimeZone;
use smart::words::sentence;
use smart::{Given, Scope, own_patient};

/// The page.
pub(in crate::smart) fn applications(
    form: &str,
    user: &Principal,
    given: &[Given],
    zone: &TimeZone,
) -> Reply {
    let name = &user.profile.display;
    let mut body = Html::new().raw("<p>You are signed in as <b>").text(name).raw("</b>.</p>");
    if given.is_empty() {
        body = body.raw("<p role=\"status\">No app can see anything on your behalf.</p>");
    }
    body = body.raw("<ul class=\"plain\">");
    for one in given {
        let patient = one.grant.shown.patient.as_deref();
        let own = patient.is_some() && patient == own_patient(user);
        body = body
            .raw("<li><div class=\"app\"><div><h2>")
            .text(&one.display)
            .raw("</h2>")
            .raw(if one.agent { "<p>An assistant that acts for you.</p>" } else { "" })
            .raw("<p class=\"quiet\">Since ")
            .text(&day(one.grant.created, zone))
            .raw(", last used ")
            .text(&day(one.used, zone))
            .raw("</p></div><form method=\"post\" action=\"apps\">")
            .join(&hidden(form, "grant", &one.grant.id.to_string()))
            .raw("<button class=\"other\" aria-label=\"End access of ")
            .text(&one.display)
            .raw(
                "\">End access</button></form></div><details><summary>What it may do</summary><ul>",
            );
        for scope in one.grant.scopes.iter() {
            if !matches!(scope, Scope::Launch | Scope::LaunchPatient | Scope::LaunchEncounter) {
                body = body.raw("<li>").text(&sentence(scope, own)).raw("</li>");
            }
        }
        body = body.raw("</ul></details></li>");
    }
    let body = body
        .raw("</ul><footer><p><a href=\"factors\">How I sign in</a></p><form method=\"post\" action=\"sign-out\">")
        .join(&hidden(form, "next", ""))
        .raw("<button class=\"other\">Sign out</button></form></footer>");
    page(StatusCode::OK, "Apps that can see my record", &body, "")
}
