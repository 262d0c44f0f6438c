//! The first page of a chart (desk: one page that answers who, what is wrong, what is done about it, what
//! was measured, and what comes next), and the same on paper. Read in one go: one snapshot, one event.
//! What is left out for the caller's role is said at its place.

mod lines;
mod measured;

pub(super) use measured::{name as sign_name, value as sign_value};

use super::{Open, framed, may, told};
use crate::answer::{Answer, is_nothing};
use crate::days;
use crate::pages::{inbox, missing, patient, schedule};
use crate::parts::shell::shell_with;
use crate::parts::{Banner, Icon, Kind, Tone, banner, icon, link_button, notice, panel};
use crate::visit::Visit;
use crate::words::{self, Word};
use base::Fault;
use charting::Summary;
use charting::summary::Head;
use lines::{Held, list};
use maud::{Markup, html};
use record::Reach;

/// `/p/{id}`
pub(crate) fn page(visit: &Visit) -> Result<Answer, Fault> {
    let Some((open, summary)) = read(visit)? else { return Ok(missing::page(visit)) };
    let lang = visit.lang();
    let waits = inbox::today::about(visit, &open.person.id)?;
    let body = html! {
        (told(visit, &open))
        (actions(visit, &open))
        @if let Some(waits) = &waits { (waits) }
        div.columns.chart { (columns(visit, &open, &summary)) }
        (left_out(visit, &summary))
    };
    let title = open.person.name().unwrap_or_else(|| words::NO_NAME.of(lang).to_owned());
    Ok(framed(visit, (200, &title), &open, &body))
}

/// `/p/{id}/print`: the same in one column; the banner is the head of a table, which browsers repeat on
/// every sheet.
pub(crate) fn print(visit: &Visit) -> Result<Answer, Fault> {
    let Some((open, summary)) = read(visit)? else { return Ok(missing::page(visit)) };
    let lang = visit.lang();
    let today = days::day_at(visit.now(), &visit.zone);
    let head = Banner { person: &open.person, chart: &open.chart, today, lang };
    let body = html! {
        div.row.paper { p { (words::CHART_PRINT_HOW.of(lang)) }
            (link_button(Kind::Quiet, Some(Icon::Back), words::CHART_BACK.of(lang), &open.path(""))) }
        table.sheet role="presentation" {
            thead role="presentation" { tr role="presentation" { td role="presentation" { (banner(&head)) } } }
            tbody role="presentation" { tr role="presentation" { td role="presentation" {
                div.stack.chart {
                    p.muted.as-of { (words::CHART_AS_OF.with(lang, &days::moment(summary.as_of, &visit.zone, lang))) }
                    (columns(visit, &open, &summary)) (left_out(visit, &summary))
                }
            } } }
        }
    };
    Ok(shell_with(visit, 200, words::CHART_PRINT.of(lang), &[], &body))
}

fn read(visit: &Visit) -> Result<Option<(Open, Summary)>, Fault> {
    let Some(person) = patient::see(visit)? else { return Ok(None) };
    let summary = match Summary::of(&visit.session, &person.id) {
        Ok(summary) => summary.wait()?,
        Err(fault) if is_nothing(&fault) => return Ok(None),
        Err(fault) => return Err(fault),
    };
    let chart = patient::risks(&Head::from(&summary), visit.lang());
    Ok(Some((Open { person, chart }, summary)))
}

/// What can be done in this chart, by whoever looks at it.
fn actions(visit: &Visit, open: &Open) -> Markup {
    let lang = visit.lang();
    let all: [(&str, Icon, Word, &str); 4] = [
        ("Observation", Icon::Health, words::CHART_ENTER_VITALS, "/vitals"),
        ("Condition", Icon::Plus, words::CHART_ADD_PROBLEM, "/add/problem"),
        ("AllergyIntolerance", Icon::Plus, words::CHART_ADD_ALLERGY, "/add/allergy"),
        ("MedicationStatement", Icon::Plus, words::CHART_ADD_MEDICATION, "/add/medication"),
    ];
    let writes = may(visit, "DocumentReference") && visit.session.signer().is_some();
    html! {
        div.row.chart-actions {
            @for (kind, which, word, rest) in all {
                @if may(visit, kind) {
                    (link_button(Kind::Secondary, Some(which), word.of(lang), &open.path(rest)))
                }
            }
            @if writes {
                (link_button(Kind::Secondary, Some(Icon::Pen), words::CHART_WRITE_NOTE.of(lang), &open.path("/write")))
            }
            @if let Some(follow_up) = schedule::follow_up(visit, &open.person.id) { (follow_up) }
            @if let Some(put_on) = schedule::waitlist::put_on(visit, &open.person.id) { (put_on) }
            (link_button(Kind::Quiet, Some(Icon::Print), words::CHART_PRINT.of(lang), &open.path("/print")))
        }
    }
}

/// Both columns. Who is shown nothing that is clinical has what is around it in the first.
fn columns(visit: &Visit, open: &Open, summary: &Summary) -> Markup {
    let lang = visit.lang();
    let held = Held { visit, open };
    let clinical = [
        &summary.problems.reach,
        &summary.orders.reach,
        &summary.vitals.reach,
        &summary.results.reach,
        &summary.visits.reach,
        &summary.documents.reach,
    ];
    let around = html! {
        (list("ahead", words::APPOINTMENTS_AHEAD, words::NONE_AHEAD, &summary.next, lang, |one| held.booking(one)))
        (list("past", words::APPOINTMENTS_PAST, words::NONE_PAST, &summary.past, lang, |one| held.booking(one)))
        (list("immunisations", words::CHART_IMMUNISATIONS, words::CHART_NO_IMMUNISATIONS, &summary.immunisations, lang, |one| held.immunisation(one)))
        (list("team", words::CHART_TEAM, words::CHART_NO_TEAM, &summary.team, lang, |one| held.carer(one)))
        (list("coverage", words::CHART_COVERAGE, words::CHART_NO_COVERAGE, &summary.coverage, lang, |one| held.cover(one)))
        (list("consents", words::CHART_CONSENTS, words::CHART_NO_CONSENTS, &summary.consents, lang, |one| held.agreement(one)))
    };
    let person = html! {
        (panel("about", words::ABOUT_THEM.of(lang), None, &patient::about(&open.person, lang)))
        (panel("reach", words::REACH.of(lang), None, &patient::reach(&open.person, lang)))
        @if !open.person.confidential.is_empty() {
            (notice(Tone::Sensitive, words::DETAILS_PRIVATE.of(lang), &html! {
                p { a href={ "/p/" (open.person.id) "/details" } { (words::DETAILS.of(lang)) } }
            }))
        }
        @if !open.person.relatives.is_empty() {
            (panel("relatives", words::RELATIVES.of(lang), None, &patient::relatives(&open.person, lang)))
        }
    };
    if clinical.iter().all(|reach| **reach == Reach::Nothing) {
        return html! { div { (held.allergies(summary)) (around) } div { (person) } };
    }
    html! {
        div {
            (list("problems", words::CHART_PROBLEMS, words::CHART_NO_PROBLEMS, &summary.problems, lang, |one| held.problem(one)))
            (held.medications(summary))
            (measured::vitals(&held, &summary.vitals))
            (measured::results(&held, &summary.results))
            (list("visits", words::CHART_VISITS, words::CHART_NO_VISITS, &summary.visits, lang, |one| held.encounter(one)))
            (list("documents", words::CHART_DOCUMENTS, words::CHART_NO_DOCUMENTS, &summary.documents, lang, |one| held.paper(one)))
        }
        div { (held.allergies(summary)) (around) (person) }
    }
}

/// The parts of which the caller is shown nothing, could be shown less than all, or is shown with
/// elements left out: said once, of all of them, whatever this chart holds.
fn left_out(visit: &Visit, summary: &Summary) -> Markup {
    let lang = visit.lang();
    let parts = [
        (&summary.problems.reach, summary.problems.masked, words::CHART_PROBLEMS),
        (&summary.orders.reach, summary.orders.masked, words::CHART_MEDICATIONS),
        (&summary.vitals.reach, summary.vitals.masked, words::CHART_VITALS),
        (&summary.results.reach, summary.results.masked, words::CHART_RESULTS),
        (&summary.visits.reach, summary.visits.masked, words::CHART_VISITS),
        (&summary.documents.reach, summary.documents.masked, words::CHART_DOCUMENTS),
        (&summary.allergies.reach, summary.allergies.masked, words::ALLERGIES),
        (&summary.next.reach, summary.next.masked, words::CHART_APPOINTMENTS),
        (&summary.immunisations.reach, summary.immunisations.masked, words::CHART_IMMUNISATIONS),
        (&summary.team.reach, summary.team.masked, words::CHART_TEAM),
        (&summary.coverage.reach, summary.coverage.masked, words::CHART_COVERAGE),
        (&summary.consents.reach, summary.consents.masked, words::CHART_CONSENTS),
    ];
    let names = |is: &dyn Fn(&Reach, bool) -> bool| -> Vec<&str> {
        let found = parts.iter().filter(|(reach, masked, _)| is(reach, *masked));
        found.map(|(_, _, word)| word.of(lang)).collect()
    };
    let none = names(&|reach, _| *reach == Reach::Nothing);
    let some = names(&|reach, _| matches!(reach, Reach::Part(_)));
    let pruned = names(&|reach, masked| masked && *reach != Reach::Nothing);
    let all =
        [(none, words::WITHHELD), (some, words::CHART_MAY_WITHHOLD), (pruned, words::CHART_MASKED)];
    html! {
        @for (names, say) in &all {
            @if !names.is_empty() {
                p.withheld { (icon(Icon::Withheld)) span { strong { (say.of(lang)) } " " (names.join(" · ")) } }
            }
        }
    }
}
