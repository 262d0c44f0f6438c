//! One record of a chart is changed, ended, or marked as entered in error, as it was shown: what somebody
//! else changed in between is told, with what changed, and nothing is lost of either. And what was just
//! entered is taken back, which marks it, and deletes nothing.

use super::add::criticality;
use super::{
    Open, about, carried, date_of, done, entry_id, filled, framed, may, mendable, open, refusal,
    seen, told, undo_of,
};
use crate::answer::Answer;
use crate::days;
use crate::pages::missing;
use crate::parts::{Field, Icon, Kind, button, field, link_button, panel};
use crate::route::part;
use crate::visit::Visit;
use crate::wait::wait;
use crate::words::{self, Word};
use base::Fault;
use base::error::code;
use charting::allergies::{self, Criticality};
use charting::medications::{self, Source};
use charting::problems::{self, ProblemEdit};
use charting::timeline::{self, Item};
use charting::{About, Done, Seen, vitals};
use maud::{Markup, html};

/// What a medication order or statement is, to charting.
fn source(kind: &str) -> Source {
    if kind == "MedicationRequest" { Source::Order } else { Source::Statement }
}

const KINDS: [&str; 5] =
    ["Condition", "AllergyIntolerance", "MedicationStatement", "MedicationRequest", "Observation"];

/// The record that the path names, if it is one of this chart that whoever asks may change.
fn begun(visit: &Visit) -> Result<Option<(Open, Item)>, Fault> {
    let (kind, id) = (part(visit, 3), part(visit, 4));
    if !KINDS.contains(&kind) || !may(visit, kind) {
        return Ok(None);
    }
    let Some(open) = open(visit)? else { return Ok(None) };
    let row = timeline::one(&visit.session, &open.person.id, (kind, id))?.wait()?;
    Ok(row.and_then(|row| row.items.into_iter().next()).map(|item| (open, item)))
}

/// `/p/{id}/change/{type}/{record}`
pub(crate) fn page(visit: &Visit) -> Result<Answer, Fault> {
    let Some((open, item)) = begun(visit)? else { return Ok(missing::page(visit)) };
    Ok(form(visit, &open, &item, 200, None))
}

/// Changes it.
pub(crate) fn keep(visit: &Visit) -> Result<Answer, Fault> {
    let Some((open, item)) = begun(visit)? else {
        return elsewhere(visit);
    };
    let changed = about(visit).and_then(|about| put(visit, &about, &item));
    match changed {
        Ok(one) => {
            let did = match visit.field("do") {
                "edit" => "changed",
                "error" => "error",
                _ => "ended",
            };
            // It is no new record: nothing is taken back by marking it.
            Ok(done(&open, did, &[(item.kind, &Done { new: false, ..one })]))
        }
        Err(fault) => {
            let status = fault.status();
            Ok(form(visit, &open, &item, status, Some(&mendable(fault)?)))
        }
    }
}

/// A form that came to a chart which has no such record: it was opened in another one, or there is none.
fn elsewhere(visit: &Visit) -> Result<Answer, Fault> {
    let Some(open) = open(visit)? else { return Ok(missing::page(visit)) };
    match about(visit) {
        Ok(_) => Ok(missing::page(visit)),
        Err(fault) => {
            let title = words::CHART_WRONG_PATIENT.of(visit.lang());
            Ok(framed(visit, (409, title), &open, &refusal(visit, &open, &fault)))
        }
    }
}

fn put(visit: &Visit, about: &About, item: &Item) -> Result<Done, Fault> {
    let session = &visit.session;
    let seen = &seen(visit, &item.id);
    let reason = visit.field("reason");
    let what = visit.field("do");
    wait(async {
        match (item.kind, what) {
            ("Condition", "edit") => {
                let onset = filled(visit, "since").map(|text| date_of(visit, &text));
                let onset = onset.filter(|text| *text != item.detail);
                let edit = ProblemEdit { what: None, onset, note: filled(visit, "note") };
                if edit.onset.is_none() && edit.note.is_none() {
                    let text = "neither the date nor a remark is given";
                    return Err(Fault::at(&code::CHART_VALUE, text, "note"));
                }
                problems::edit(session, about, seen, &edit).await
            }
            ("Condition", "end") => {
                let today = days::day_at(visit.now(), &visit.zone).to_string();
                let ended = filled(visit, "ended").map_or(today, |text| date_of(visit, &text));
                problems::resolve(session, about, seen, (&ended, reason)).await
            }
            ("Condition", "error") => problems::enter_in_error(session, about, seen, reason).await,
            ("AllergyIntolerance", "edit") => {
                let grade = match visit.field("criticality") {
                    "high" => Criticality::High,
                    "low" => Criticality::Low,
                    _ => Criticality::Unknown,
                };
                allergies::edit(session, about, seen, (grade, visit.field("note"))).await
            }
            ("AllergyIntolerance", "end") => allergies::resolve(session, about, seen, reason).await,
            ("AllergyIntolerance", "error") => {
                allergies::enter_in_error(session, about, seen, reason).await
            }
            ("MedicationStatement", "edit") => {
                medications::edit(session, about, seen, visit.field("dosage")).await
            }
            ("MedicationStatement" | "MedicationRequest", "end") => {
                medications::stop(session, about, (source(item.kind), seen), reason).await
            }
            ("MedicationStatement" | "MedicationRequest", "error") => {
                medications::enter_in_error(session, about, (source(item.kind), seen), reason).await
            }
            ("Observation", "error") => vitals::enter_in_error(session, about, seen, reason).await,
            _ => Err(Fault::new(&code::PARAMETER_INVALID, "this is not done to such a record")),
        }
    })
}

/// `/p/{id}/undo`: takes back what was just entered.
pub(crate) fn undo(visit: &Visit) -> Result<Answer, Fault> {
    let Some(open) = open(visit)? else { return Ok(missing::page(visit)) };
    let named = visit.form.iter().filter(|(name, _)| name == "record");
    let records: Vec<_> = named.flat_map(|(_, value)| undo_of(value)).collect();
    let reason = words::CHART_UNDO_REASON.of(visit.lang());
    let outcome = about(visit).and_then(|about| {
        wait(async {
            for (kind, id, version) in &records {
                let seen = &Seen { id: id.clone(), version: *version };
                let session = &visit.session;
                match kind.as_str() {
                    "Condition" => problems::enter_in_error(session, &about, seen, reason).await?,
                    "AllergyIntolerance" => {
                        allergies::enter_in_error(session, &about, seen, reason).await?
                    }
                    "MedicationStatement" => {
                        let of = (Source::Statement, seen);
                        medications::enter_in_error(session, &about, of, reason).await?
                    }
                    "Observation" => vitals::enter_in_error(session, &about, seen, reason).await?,
                    _ => {
                        let text = "such a record is not taken back";
                        return Err(Fault::new(&code::PARAMETER_INVALID, text));
                    }
                };
            }
            Ok(())
        })
    });
    match outcome {
        Ok(()) => Ok(Answer::go(open.path("?did=undone"))),
        Err(fault) => {
            let (status, fault) = (fault.status(), mendable(fault)?);
            let title = words::CHART_NOT_KEPT.of(visit.lang());
            Ok(framed(visit, (status, title), &open, &refusal(visit, &open, &fault)))
        }
    }
}

fn form(visit: &Visit, open: &Open, item: &Item, status: u16, fault: Option<&Fault>) -> Answer {
    let lang = visit.lang();
    let sent = visit.field("do");
    let is_stale = fault.is_some_and(|fault| fault.code().name == code::VERSION_CONFLICT.name);
    let before: u64 = visit.field("version").parse().unwrap_or(item.version);
    let value = |of: &str, name: &str, else_: &str| match sent == of {
        true => visit.field(name).to_owned(),
        false => else_.to_owned(),
    };
    let text = |id: &str, name: &str, label: Word, hint: Word, value: &str, error: &str| {
        field(&Field {
            id,
            name,
            label: label.of(lang),
            hint: hint.of(lang),
            error,
            value,
            is_disabled: false,
        })
    };
    let missed = |of: &str, name: &str, say: Word| {
        let at = |one: &base::Issue| one.expression.as_deref() == Some(name);
        let is_there = sent == of && fault.is_some_and(|fault| fault.issues.iter().any(at));
        if is_there { say.of(lang) } else { "" }
    };
    let act = |what: &'static str, kind: Kind, label: Word, fields: &Markup| {
        html! {
            form.stack.chart-form method="post" action=(open.path(&format!("/change/{}/{}", item.kind, item.id))) {
                (carried(visit, open, &entry_id(visit), ""))
                // What was just told of is what the next press is made of.
                input type="hidden" name="version" value=(item.version);
                input type="hidden" name="do" value=(what);
                (fields)
                div.row { (button(kind, None, label.of(lang))) }
            }
        }
    };
    let reason = |of: &'static str, hint: Word| {
        let error = missed(of, "reason", words::CHART_SAY_WHY);
        text(
            &format!("reason-{of}"),
            "reason",
            words::CHART_REASON_WHY,
            hint,
            &value(of, "reason", ""),
            error,
        )
    };
    let is_over = matches!(
        item.status.as_str(),
        "entered-in-error"
            | "resolved"
            | "inactive"
            | "remission"
            | "stopped"
            | "completed"
            | "cancelled"
    );
    let is_error = item.status == "entered-in-error";
    let edit = match item.kind {
        _ if is_error || (is_over && item.kind != "Condition") => None,
        "Condition" => Some(html! {
            (text("since", "since", words::CHART_SINCE_WHEN, words::CHART_DATE_HINT, &value("edit", "since", &item.detail), missed("edit", "onset", words::CHART_DATE_WRONG)))
            (text("note", "note", words::CHART_NOTE, words::CHART_NOTE_ADDED, &value("edit", "note", ""), missed("edit", "note", if visit.field("note").trim().is_empty() { words::CHART_NOTHING_CHANGED } else { words::CHART_TOO_LONG })))
        }),
        "AllergyIntolerance" => Some(html! {
            (criticality(&value("edit", "criticality", &item.grade), lang))
            (text("note", "note", words::CHART_NOTE, words::CHART_NOTE_WHY, &value("edit", "note", ""), missed("edit", "note", words::CHART_SAY_WHY)))
        }),
        "MedicationStatement" => Some(html! {
            (text("dosage", "dosage", words::CHART_DOSAGE, words::CHART_DOSAGE_HINT, &value("edit", "dosage", &item.detail), missed("edit", "dosage", words::CHART_SAY_WHAT)))
        }),
        _ => None,
    };
    let (end, over) = match item.kind {
        "Condition" => (words::CHART_RESOLVE, words::CHART_RESOLVE_HINT),
        "AllergyIntolerance" => (words::CHART_RESOLVE_ALLERGY, words::CHART_RESOLVE_ALLERGY_HINT),
        _ => (words::CHART_STOP, words::CHART_STOP_HINT),
    };
    let ends = !is_over && item.kind != "Observation";
    let history = format!("/history/{}/{}", item.kind, item.id);
    let what = if item.what.is_empty() { words::NOT_KNOWN.of(lang) } else { &item.what };
    let body = html! {
        (told(visit, open))
        @if let Some(fault) = fault { (refusal(visit, open, fault)) }
        @if is_stale && before < item.version {
            p { a href=(open.path(&format!("{history}?old={before}&new={}", item.version))) { (words::CHART_SEE_CHANGES.of(lang)) } }
        }
        div.page-head {
            h2.large { (what) @if item.free_text { " " span.free { (words::CHART_FREE_TEXT.of(lang)) } } }
            @if !item.detail.is_empty() { p.muted { (if item.kind == "Condition" { words::CHART_SINCE.with(lang, &days::shown(&item.detail, lang)) } else { item.detail.clone() }) } }
            div.row { (link_button(Kind::Quiet, Some(Icon::Clock), words::CHART_HISTORY.of(lang), &open.path(&history))) (link_button(Kind::Quiet, None, words::CHART_BACK.of(lang), &open.path(""))) }
        }
        div.narrow.stack {
            @if let Some(edit) = &edit { (panel("edit", words::CHART_EDIT.of(lang), None, &act("edit", Kind::Primary, words::CHART_KEEP_CHANGE, edit))) }
            @if ends {
                (panel("end", end.of(lang), None, &act("end", Kind::Secondary, end, &html! {
                    @if item.kind == "Condition" {
                        (text("ended", "ended", words::CHART_ENDED_WHEN, words::CHART_DATE_HINT, &value("end", "ended", ""), missed("end", "ended", words::CHART_DATE_WRONG)))
                    }
                    (reason("end", over))
                })))
            }
            @if !is_error {
                (panel("error", words::CHART_MARK_ERROR.of(lang), None, &act("error", Kind::Danger, words::CHART_MARK_ERROR, &reason("error", words::CHART_MARK_ERROR_HINT))))
            } @else { p.muted { (words::CHART_IN_ERROR_WHY.of(lang)) } }
        }
    };
    framed(visit, (status, what), open, &body)
}
