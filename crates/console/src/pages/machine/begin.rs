//! The first page of a house that nobody administers yet: the claim code that the server printed makes the
//! first administrator, once (45 CFR 164.312(a)(2)(i), (d)). In any other house it is not there, to the
//! byte. The code and the passwords are never shown again.

use crate::answer::{Answer, Body};
use crate::pages::missing;
use crate::parts::{Field, Icon, Kind, bare, button, error_summary, field, hidden, icon};
use crate::visit::Visit;
use crate::words::{self, Word};
use base::Fault;
use base::error::{Code, code};
use identity::Secret;
use maud::{Markup, html};

/// Where a new administrator goes on.
const NEXT: &str = "/first/checklist";
/// A field of the form, with what is wrong with it.
type Wrong = (&'static str, Word);

/// `/first`
#[expect(clippy::unnecessary_wraps, reason = "it is a row of the table of routes")]
pub(crate) fn page(visit: &Visit) -> Result<Answer, Fault> {
    if visit.unclaimed.is_none() {
        return Ok(missing::page(visit));
    }
    Ok(shown(visit, 200, &[]))
}

/// Takes the claim.
pub(crate) fn claim(visit: &Visit) -> Result<Answer, Fault> {
    let Some(house) = &visit.unclaimed else { return Ok(missing::page(visit)) };
    let [typed, name, display] = ["code", "name", "display"].map(|field| visit.field(field).trim());
    let (password, again) = (visit.field("password"), visit.field("again"));
    let mut wrong: Vec<Wrong> = Vec::new();
    for (field, text) in
        [("code", typed), ("name", name), ("display", display), ("password", password)]
    {
        if text.is_empty() {
            wrong.push((field, words::BEGIN_MISSING));
        }
    }
    if password != again {
        wrong.push(("again", words::BEGIN_NOT_SAME));
    }
    if !wrong.is_empty() {
        return Ok(shown(visit, 422, &wrong));
    }
    let secret = |text: &str| Secret::new(text.to_owned());
    match house.claim(&secret(typed), name, display, &secret(password)) {
        Ok(()) => {
            let (name, password) = (name.to_owned(), secret(password));
            let body = Body::Enter { name, password, next: NEXT.to_owned() };
            Ok(Answer { status: 303, body, choices: Vec::new() })
        }
        Err(fault) => match said(&fault) {
            Some(wrong) => Ok(shown(visit, fault.status(), &[wrong])),
            None => Err(fault),
        },
    }
}

/// Which field a refusal is about.
fn said(fault: &Fault) -> Option<Wrong> {
    let is = |code: &Code| fault.code().name == code.name;
    if is(&code::CLAIM_INVALID) {
        return Some(("code", words::BEGIN_CODE_REFUSED));
    }
    if is(&code::PASSWORD_WEAK) {
        return Some(("password", words::BEGIN_WEAK));
    }
    let place = fault.issues.first()?.expression.as_deref()?;
    match place {
        "name" => Some(("name", words::BEGIN_NAME_REFUSED)),
        "display" => Some(("display", words::BEGIN_DISPLAY_REFUSED)),
        "password" => Some(("password", words::BEGIN_WEAK)),
        _ => None,
    }
}

fn shown(visit: &Visit, status: u16, wrong: &[Wrong]) -> Answer {
    let lang = visit.lang();
    let error = |name: &str| {
        let found = wrong.iter().find(|(field, _)| *field == name);
        found.map_or("", |(_, word)| word.of(lang))
    };
    let summary: Vec<_> = wrong.iter().map(|(field, word)| (*field, word.of(lang))).collect();
    let text = |id: &'static str, label: Word, hint: Word| {
        field(&Field {
            id,
            name: id,
            label: label.of(lang),
            hint: hint.of(lang),
            error: error(id),
            value: if id == "code" { "" } else { visit.field(id) },
            is_disabled: false,
        })
    };
    let body = html! {
        div.welcome.narrow {
            h1 { (words::BEGIN.of(lang)) }
            p.lead { (words::BEGIN_WHY.of(lang)) }
            @if !wrong.is_empty() { (error_summary(lang, &summary)) }
            form.stack method="post" action="/first" {
                (hidden(visit))
                (text("code", words::BEGIN_CODE, words::BEGIN_CODE_HINT))
                (text("name", words::BEGIN_NAME, words::BEGIN_NAME_HINT))
                (text("display", words::BEGIN_DISPLAY, words::BEGIN_DISPLAY_HINT))
                (password("password", words::BEGIN_PASSWORD, words::BEGIN_PASSWORD_HINT, error("password"), lang))
                (password("again", words::BEGIN_AGAIN, words::BEGIN_AGAIN_HINT, error("again"), lang))
                div.row { (button(Kind::Primary, Some(Icon::Onward), words::BEGIN_MAKE.of(lang))) }
            }
            p.muted { (words::BEGIN_NEXT.of(lang)) }
        }
    };
    bare(visit, status, words::BEGIN.of(lang), &body)
}

/// A field that shows nothing of what is typed, and keeps none of it.
fn password(id: &str, label: Word, hint: Word, error: &str, lang: words::Lang) -> Markup {
    let is_wrong = !error.is_empty();
    html! {
        div.field.is-wrong[is_wrong] {
            label for=(id) { (label.of(lang)) }
            p.hint id={ (id) "-hint" } { (hint.of(lang)) }
            @if is_wrong { p.error id={ (id) "-error" } { (icon(Icon::Critical)) span { (error) } } }
            input type="password" id=(id) name=(id) autocomplete="new-password" required
                aria-describedby={ (id) "-hint " (id) "-error" } aria-invalid=[is_wrong.then_some("true")];
        }
    }
}
