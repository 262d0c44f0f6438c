//! What is known of a patient beside their health: seen, changed as it was last read, and how it changed
//! over time. Whoever changes what somebody else has changed meanwhile is shown both, and loses nothing.

use super::fields::{self, Shown, label, said};
use super::{done, head, may_change};
use crate::answer::Answer;
use crate::booking::type_id;
use crate::days;
use crate::done::finish;
use crate::pages::{missing, patient};
use crate::parts::{
    Column, Icon, Kind, Table, Tone, button, facts, hidden, link_button, notice, panel, shell,
    shell_with, table, unbroken,
};
use crate::person::Person;
use crate::visit::Visit;
use crate::words::{self, Lang};
use base::error::code;
use base::{Fault, Limits};
use fhir::Document;
use maud::{Markup, html};
use record::{HistoryQuery, Hit};
use registration::Seen;
use registration::intake::{Intake, Wrong};
use registration::merge::Link;
use registration::register::change as change_details;

/// Versions of a record that are told.
const VERSIONS_MAX: usize = 20;

/// `/p/{id}/details`
pub(crate) fn page(visit: &Visit) -> Result<Answer, Fault> {
    let Some((person, hit)) = seen(visit)? else { return Ok(missing::page(visit)) };
    let lang = visit.lang();
    let may = may_change(visit, &person.id)?;
    let own = visit.caller.as_ref().and_then(|caller| caller.principal.profile.patient.as_ref());
    let is_own = own.is_some_and(|own| *own == person.id);
    let intake = read(&hit)?;
    let edit = may.then(|| {
        let to = format!("/p/{}/details/edit", person.id);
        link_button(Kind::Secondary, Some(Icon::Pencil), words::DETAILS_CHANGE.of(lang), &to)
    });
    let body = html! {
        (head(visit, &person)?)
        (links(&person, lang))
        (panel("details", words::DETAILS.of(lang), edit.as_ref(), &table_of(&intake, may, lang)))
        @if !person.confidential.is_empty() {
            (notice(Tone::Sensitive, words::DETAILS_PRIVATE.of(lang), &html! {
                @if may || is_own { ul { @for one in &person.confidential { li { (one) } } } }
                @else { p { (words::DETAILS_PRIVATE_WITHHELD.of(lang)) } }
            }))
        }
        @if may { (panel("history", words::DETAILS_HISTORY.of(lang), None, &history(visit, &person.id)?)) }
        (done(visit, &[
            ("registered", words::REGISTER_DONE), ("again", words::REGISTER_AGAIN),
            ("changed", words::DETAILS_CHANGED), ("same", words::DETAILS_SAME),
        ]))
    };
    let title = words::DETAILS.of(lang);
    Ok(shell(visit, 200, title, &body))
}

/// `/p/{id}/details/edit`
pub(crate) fn form(visit: &Visit) -> Result<Answer, Fault> {
    let Some((person, hit)) = seen(visit)? else { return Ok(missing::page(visit)) };
    if !may_change(visit, &person.id)? {
        return Ok(missing::page(visit));
    }
    let intake = read(&hit)?;
    let born = intake.birth_date.clone();
    show(
        visit,
        &person,
        &Edit { intake: &intake, born: &born, version: hit.version, wrong: &[], now: None },
    )
}

/// Changes it, as it was shown.
pub(crate) fn change(visit: &Visit) -> Result<Answer, Fault> {
    let Some((person, hit)) = seen(visit)? else { return Ok(missing::page(visit)) };
    // Two windows with two patients: the form says whose it is.
    if !may_change(visit, &person.id)? || visit.field("about") != person.id {
        return Ok(missing::page(visit));
    }
    let (mut intake, born) = fields::read(visit);
    let before = read(&hit)?;
    // Nobody is asked again whether the date of birth is unknown.
    if intake.birth_date.is_empty() && before.birth_date.is_empty() {
        registration::intake::YES.clone_into(&mut intake.birth_unknown);
    }
    let version = visit.field("version").parse().unwrap_or(0);
    let wrong = intake.wrong(visit.now());
    let again = Edit { intake: &intake, born: &born, version, wrong: &wrong, now: None };
    if !wrong.is_empty() {
        return Ok(Answer { status: 422, ..show(visit, &person, &again)? });
    }
    let told = Intake { birth_unknown: String::new(), ..intake.clone() };
    let seen = Seen { id: person.id.clone(), version };
    match finish(change_details(&visit.session, &seen, &told)) {
        Ok(now) => {
            let done = if now == version { "same" } else { "changed" };
            Ok(Answer::go(format!("/p/{}/details?done={done}", person.id)))
        }
        Err(fault) if fault.code() == &code::VERSION_CONFLICT => {
            let edit = Edit { version: hit.version, now: Some(&before), ..again };
            Ok(Answer { status: 409, ..show(visit, &person, &edit)? })
        }
        Err(fault) => Err(fault),
    }
}

#[derive(Clone, Copy)]
struct Edit<'e> {
    intake: &'e Intake,
    born: &'e str,
    version: u64,
    wrong: &'e [(&'static str, Wrong)],
    now: Option<&'e Intake>,
}

fn show(visit: &Visit, person: &Person, edit: &Edit<'_>) -> Result<Answer, Fault> {
    let lang = visit.lang();
    let to = format!("/p/{}/details", person.id);
    let shown = Shown {
        intake: edit.intake,
        born: edit.born,
        wrong: edit.wrong,
        now: edit.now,
        is_new: false,
    };
    let body = html! {
        (head(visit, person)?)
        @if edit.now.is_some() {
            (notice(Tone::Critical, words::DETAILS_STALE.of(lang), &html! { p { (words::DETAILS_STALE_WHY.of(lang)) } }))
        }
        (fields::summary(&shown, lang))
        form.intakes method="post" action={ (to) "/edit" } {
            (hidden(visit))
            input type="hidden" name="about" value=(person.id);
            input type="hidden" name="version" value=(edit.version);
            (fields::all(&shown, lang))
            div.row {
                (button(Kind::Primary, None, words::DETAILS_SAVE.of(lang)))
                (link_button(Kind::Quiet, None, words::DETAILS_BACK.of(lang), &to))
            }
        }
    };
    Ok(shell_with(visit, 200, words::DETAILS_CHANGE.of(lang), &["register.js"], &body))
}

/// The patient of the path, and the record they were read from.
fn seen(visit: &Visit) -> Result<Option<(Person, Hit)>, Fault> {
    patient::see_whole(visit)
}

fn read(hit: &Hit) -> Result<Intake, Fault> {
    let document = Document::parse(hit.body.clone(), &Limits::default())?;
    Ok(Intake::of(document.root()))
}

/// What was said, field by field; what is confidential has a place of its own.
fn table_of(intake: &Intake, may: bool, lang: Lang) -> Markup {
    let told: Vec<(&str, Markup)> = Intake::FIELDS
        .iter()
        .filter(|(name, _)| !name.starts_with("private_") && !intake.get(name).is_empty())
        .map(|(name, _)| {
            let said = said(name, intake.get(name), lang);
            (label(name).of(lang), html! { (said) })
        })
        .collect();
    html! {
        (facts(&told))
        @if may && told.len() < 5 { p.foot.muted { (words::DETAILS_FEW.of(lang)) } }
    }
}

/// The records this one is merged with; also shown at the head of the chart.
pub(crate) fn links(person: &Person, lang: Lang) -> Markup {
    html! {
        @for (kind, other) in &person.links {
            @let (tone, word) = match kind {
                Link::ReplacedBy => (Tone::Warning, words::MERGED_INTO),
                Link::Replaces => (Tone::Accent, words::MERGED_WITH),
            };
            (notice(tone, word.of(lang), &html! { p {
                a href={ "/p/" (other) } { (words::MERGED_OPEN.of(lang)) }
                " · "
                a href={ "/p/" (person.id) "/compare/" (other) } { (words::COMPARE.of(lang)) }
            } }))
        }
    }
}

/// What changed, version by version, newest first.
fn history(visit: &Visit, id: &str) -> Result<Markup, Fault> {
    let lang = visit.lang();
    let query = HistoryQuery {
        resource_type: Some(type_id("Patient")?),
        id: Some(id.to_owned()),
        count: VERSIONS_MAX,
        ..HistoryQuery::default()
    };
    let page = match visit.session.history(query) {
        Ok(page) => page.wait()?,
        Err(fault) if crate::answer::is_nothing(&fault) => {
            return Ok(html! { p.foot.muted { (words::WITHHELD_WHY.of(lang)) } });
        }
        Err(fault) => return Err(fault),
    };
    let mut rows = Vec::new();
    let mut versions = page.versions.iter().filter(|hit| !hit.deleted).peekable();
    while let Some(hit) = versions.next() {
        let after = read(hit)?;
        let changes = match versions.peek() {
            Some(before) => differences(&read(before)?, &after, lang),
            None if hit.version == 1 => vec![html! { (words::DETAILS_FIRST.of(lang)) }],
            None => vec![html! { span.muted { (words::DETAILS_EARLIER.of(lang)) } }],
        };
        rows.push(vec![
            unbroken(&days::moment(hit.last_updated, &visit.zone, lang)),
            html! { @for one in &changes { div { (one) } } @if changes.is_empty() { span.muted { (words::DETAILS_OTHER.of(lang)) } } },
        ]);
    }
    let column = |label| Column { label, is_figure: false };
    let columns = [column(words::WHEN.of(lang)), column(words::DETAILS_WHAT.of(lang))];
    Ok(table(&Table { caption: words::DETAILS_HISTORY.of(lang), columns: &columns, rows: &rows }))
}

fn differences(before: &Intake, after: &Intake, lang: Lang) -> Vec<Markup> {
    let names = Intake::FIELDS.iter().map(|(name, _)| *name);
    names
        .filter(|name| before.get(name) != after.get(name))
        .map(|name| {
            let shown = |value: &str| match value {
                "" => words::INTAKE_EMPTY.of(lang).to_owned(),
                value => said(name, value, lang),
            };
            html! {
                span.muted { (fields::whole_label(name, lang)) " " } del { (shown(before.get(name))) }
                span aria-hidden="true" { " → " } ins { (shown(after.get(name))) }
            }
        })
        .collect()
}
