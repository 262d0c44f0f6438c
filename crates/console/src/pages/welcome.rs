//! Where somebody comes in: the first page for who is signed in, the page to sign in for who is not, and
//! in a demo the choice of who to be. The choice exists in a demo alone; it signs in by the password that
//! was drawn when the demo started, through identity like any other.

use crate::answer::{Answer, Body};
use crate::pages::missing;
use crate::parts::{Icon, Kind, Tone, bare, button, hidden, notice, role_name};
use crate::route::is_page;
use crate::visit::{DemoPerson, Visit};
use crate::words::{self, Lang, Word};
use base::Fault;
use maud::html;

/// `/`
#[expect(clippy::unnecessary_wraps, reason = "it is a row of the table of routes")]
pub(crate) fn root(visit: &Visit) -> Result<Answer, Fault> {
    if visit.caller.is_some() {
        return Ok(Answer::go("/today"));
    }
    Ok(Answer::go(if visit.demo.is_some() { "/welcome" } else { "/auth/sign-in" }))
}

/// Asks who is not signed in to do so, and remembers where they wanted to go.
pub(crate) fn ask(visit: &Visit) -> Answer {
    let door = if visit.demo.is_some() { "/welcome" } else { "/auth/sign-in" };
    match is_page(&visit.path) && visit.path != "/today" {
        true => Answer::go(format!("{door}?next={}", visit.path)),
        false => Answer::go(door),
    }
}

/// Who one can be in this demo.
#[expect(clippy::unnecessary_wraps, reason = "it is a row of the table of routes")]
pub(crate) fn page(visit: &Visit) -> Result<Answer, Fault> {
    Ok(shown(visit, visit.parameter("next"), 200, visit.parameter("changed") == "1"))
}

/// Signs in as one of them.
#[expect(clippy::unnecessary_wraps, reason = "it is a row of the table of routes")]
pub(crate) fn enter(visit: &Visit) -> Result<Answer, Fault> {
    let Some(demo) = &visit.demo else { return Ok(missing::page(visit)) };
    let wanted = visit.field("who");
    let Some(person) = demo.people.iter().find(|person| person.name == wanted) else {
        return Ok(shown(visit, visit.field("next"), 400, false));
    };
    let next = Some(visit.field("next")).filter(|next| is_page(next)).unwrap_or_default();
    let (name, password) = (person.name.clone(), person.password.clone());
    let body = Body::Enter { name, password, next: next.to_owned() };
    Ok(Answer { status: 303, body, choices: Vec::new() })
}

fn shown(visit: &Visit, next: &str, status: u16, is_changed: bool) -> Answer {
    let Some(demo) = &visit.demo else { return missing::page(visit) };
    let lang = visit.lang();
    let next = Some(next).filter(|next| is_page(next)).unwrap_or_default();
    let body = html! {
        div.welcome {
            h1 { (words::WELCOME.of(lang)) }
            p.lead { (words::WELCOME_WHY.of(lang)) }
            @if is_changed { (notice(Tone::Warning, words::DEMO_CHANGED.of(lang), &html! {
                p { a href="/auth/sign-in" { (words::SIGN_IN_BY_NAME.of(lang)) } }
            })) }
            ul.cast { @for person in &demo.people { li.part {
                form method="post" action="/welcome" {
                    (hidden(visit))
                    input type="hidden" name="next" value=(next);
                    input type="hidden" name="who" value=(person.name);
                    h2 { (role_name(&person.role, lang)) }
                    p.part-name { (person.display) }
                    p.muted { (about(person, lang)) }
                    (button(Kind::Secondary, Some(Icon::Onward), &words::SIGN_IN_AS.with(lang, &person.display)))
                }
            } } }
            p.muted { a href="/auth/sign-in" { (words::SIGN_IN_BY_NAME.of(lang)) } }
        }
    };
    bare(visit, status, words::WELCOME.of(lang), &body)
}

fn about(person: &DemoPerson, lang: Lang) -> &'static str {
    let word: Word = match person.role.as_str() {
        "clinician" => words::ABOUT_CLINICIAN,
        "nurse" => words::ABOUT_NURSE,
        "front-desk" => words::ABOUT_FRONT_DESK,
        "biller" => words::ABOUT_BILLER,
        "him" => words::ABOUT_HIM,
        "privacy-officer" => words::ABOUT_PRIVACY_OFFICER,
        "it-administrator" => words::ABOUT_IT_ADMINISTRATOR,
        "auditor" => words::ABOUT_AUDITOR,
        "patient" => words::ABOUT_PATIENT,
        _ => words::ABOUT_PROXY,
    };
    word.of(lang)
}
