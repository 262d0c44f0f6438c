//! The pages of a chart: what they have in common. Each begins with the banner, each form carries the
//! patient it was opened for, and one that was sent to another patient's page is refused by name: two
//! windows with two charts are how a finding ends in the wrong one (desk of every hospital; charting's
//! `guard`). What was typed is kept whatever was wrong with it.

pub(crate) mod add;
pub(crate) mod change;
pub(crate) mod note;
pub(crate) mod past;
pub(crate) mod summary;
pub(crate) mod timeline;
pub(crate) mod vitals;
pub(crate) mod write;

use crate::answer::Answer;
use crate::booking::type_id;
use crate::days;
use crate::pages::patient;
use crate::parts::shell::shell_with;
use crate::parts::{Chart, Tone, hidden, link_button, notice, toast};
use crate::parts::{Icon, Kind, button};
use crate::person::Person;
use crate::route::part;
use crate::visit::Visit;
use crate::words::{self, Lang, Word};
use base::error::{Code, code};
use base::{Fault, id};
use charting::{About, Done, Seen};
use maud::{Markup, html};

/// Records that one undo takes back: a line of vital signs has ten.
const UNDO_MAX: usize = 12;

/// A chart that a page is about.
pub(crate) struct Open {
    pub(crate) person: Person,
    pub(crate) chart: Chart,
}

/// Opens the chart that the path names, if there is one for whoever asks.
pub(crate) fn open(visit: &Visit) -> Result<Option<Open>, Fault> {
    let Some(person) = patient::see(visit)? else { return Ok(None) };
    let chart = patient::chart(visit, &person.id)?;
    Ok(Some(Open { person, chart }))
}

impl Open {
    /// A path below this patient.
    pub(crate) fn path(&self, rest: &str) -> String {
        format!("/p/{}{rest}", self.person.id)
    }
}

/// A page of a chart under its banner.
pub(crate) fn framed(
    visit: &Visit,
    (status, title): (u16, &str),
    open: &Open,
    body: &Markup,
) -> Answer {
    let body = html! { (patient::head(visit, &open.person, &open.chart)) (body) };
    shell_with(visit, status, title, &["chart.js"], &body)
}

/// What every form of a chart brings back: that it is ours, whose chart it was opened in, which visit it
/// belongs to, and its own id, drawn when it was shown.
pub(crate) fn carried(visit: &Visit, open: &Open, entry: &str, encounter: &str) -> Markup {
    html! {
        (hidden(visit))
        input type="hidden" name="patient" value=(open.person.id);
        input type="hidden" name="entry" value=(entry);
        @if !encounter.is_empty() { input type="hidden" name="encounter" value=(encounter); }
    }
}

/// The id of a form: what it was sent with, else a new one. The request's id is drawn at random, and no
/// other request has it.
pub(crate) fn entry_id(visit: &Visit) -> String {
    match visit.field("entry") {
        "" => id::uuid_text(&visit.session.request()),
        sent => sent.to_owned(),
    }
}

/// Whose chart the form was opened in.
///
/// # Errors
/// `charting.patient.other` when it was sent to another patient's page.
pub(crate) fn about(visit: &Visit) -> Result<About, Fault> {
    let (stated, encounter) = (visit.field("patient"), visit.field("encounter"));
    if stated != part(visit, 1) {
        let text = "the form was opened in another patient's chart; nothing was kept";
        return Err(Fault::new(&code::CHART_OTHER_PATIENT, text));
    }
    let encounter = (!encounter.is_empty()).then(|| encounter.to_owned());
    Ok(About { patient: stated.to_owned(), encounter })
}

/// The visit a page is about, by its address or the form sent.
pub(crate) fn encounter(visit: &Visit) -> &str {
    match visit.field("encounter") {
        "" => visit.parameter("encounter"),
        sent => sent,
    }
}

/// The record that a form is to change, as it was shown.
pub(crate) fn seen(visit: &Visit, id: &str) -> Seen {
    Seen { id: id.to_owned(), version: visit.field("version").parse().unwrap_or(0) }
}

/// A field that may be left empty.
pub(crate) fn filled(visit: &Visit, name: &str) -> Option<String> {
    Some(visit.field(name).trim().to_owned()).filter(|text| !text.is_empty())
}

/// Whether whoever asks may make records of a type.
pub(crate) fn may(visit: &Visit, kind: &str) -> bool {
    type_id(kind).is_ok_and(|of| visit.session.may_create(of))
}

/// What went wrong with a form, in words for whoever sent it.
pub(crate) fn say(fault: &Fault, lang: Lang) -> &'static str {
    let told: [(&Code, Word); 12] = [
        (&code::CHART_OTHER_PATIENT, words::CHART_WRONG_PATIENT_WHY),
        (&code::CHART_DUPLICATE, words::CHART_DUPLICATE),
        (&code::VERSION_CONFLICT, words::CHART_CHANGED_SINCE),
        (&code::CHART_STATE, words::CHART_ENDED_ALREADY),
        (&code::CHART_VALUE, words::CHART_VALUE_WRONG),
        (&code::CHART_ENTRY, words::CHART_LINE_WRONG),
        (&code::CHART_SIGNER, words::CHART_NO_SIGNER),
        (&code::CHART_ALTERED, words::CHART_ALTERED_WHY),
        (&code::ACCESS_DENIED, words::FAILED_DENIED),
        (&code::DRAFT_CHANGED, words::CHART_DRAFT_CHANGED),
        (&code::DRAFT_TOO_LARGE, words::CHART_DRAFT_LARGE),
        (&code::DRAFT_TOO_MANY, words::CHART_DRAFT_MANY),
    ];
    let name = fault.code().name;
    let found = told.iter().find(|(code, _)| code.name == name);
    found.map_or(words::CHART_NOT_KEPT_WHY, |(_, word)| *word).of(lang)
}

/// Hands on what no form can do something about: without an access log nothing may be shown.
///
/// # Errors
/// The fault itself, when it is one of those.
pub(crate) fn mendable(fault: Fault) -> Result<Fault, Fault> {
    let grave = [&code::AUDIT_UNAVAILABLE, &code::INTERNAL, &code::STORE_CORRUPT];
    match grave.iter().any(|one| one.name == fault.code().name) {
        true => Err(fault),
        false => Ok(fault),
    }
}

/// That a form was not kept, and why. One that was opened in another chart says whose.
pub(crate) fn refusal(visit: &Visit, open: &Open, fault: &Fault) -> Markup {
    let lang = visit.lang();
    let is_other = fault.code().name == code::CHART_OTHER_PATIENT.name;
    let title = if is_other { words::CHART_WRONG_PATIENT } else { words::CHART_NOT_KEPT };
    let stated = visit.field("patient");
    let stated = (is_other && stated != open.person.id && fhir::reference::is_id(stated))
        .then(|| other_name(visit, stated))
        .flatten();
    notice(
        Tone::Critical,
        title.of(lang),
        &html! {
            p { (say(fault, lang)) }
            @if let Some((name, id)) = stated {
                p { (words::CHART_OPENED_FOR.of(lang)) " " strong { (name) } " · "
                    a href=(format!("/p/{id}")) { (words::CHART_GO_THERE.of(lang)) } }
            }
            @if is_other {
                p { (words::CHART_THIS_IS.of(lang)) " " strong { (open.person.name().unwrap_or_default()) } }
            }
            p.muted { (words::FAILED_CODE.of(lang)) " " code { (fault.code().name) } }
        },
    )
}

/// The name of the patient that a form was opened for, if the caller may see them.
fn other_name(visit: &Visit, id: &str) -> Option<(String, String)> {
    let hit = visit.session.read(type_id("Patient").ok()?, id, None).ok()?.wait().ok()?;
    let person = Person::read(&hit).ok()?;
    Some((person.name()?, person.id))
}

/// After a change: the summary, with what was done and, where it can be taken back, what to take back.
pub(crate) fn done(open: &Open, did: &str, all: &[(&str, &Done)]) -> Answer {
    let dropped = all.iter().any(|(_, one)| one.differs);
    let fresh = all.iter().filter(|(_, one)| one.new);
    let undo: Vec<String> = fresh
        .take(UNDO_MAX)
        .map(|(kind, one)| format!("{kind}:{}:{}", one.place.id, one.place.version))
        .collect();
    let did = if dropped { "dropped" } else { did };
    let undo = if undo.is_empty() { String::new() } else { format!("&undo={}", undo.join(",")) };
    Answer::go(open.path(&format!("?did={did}{undo}")))
}

/// What was done, as the address says it after a change.
pub(crate) fn told(visit: &Visit, open: &Open) -> Markup {
    let lang = visit.lang();
    let word = match visit.parameter("did") {
        "dropped" => {
            return notice(
                Tone::Warning,
                words::CHART_DROPPED.of(lang),
                &html! { p { (words::CHART_DROPPED_WHY.of(lang)) } },
            );
        }
        "vitals" => words::CHART_DID_VITALS,
        "added" => words::CHART_DID_ADD,
        "changed" => words::CHART_DID_CHANGE,
        "ended" => words::CHART_DID_END,
        "error" => words::CHART_DID_ERROR,
        "undone" => words::CHART_DID_UNDO,
        "signed" => words::CHART_DID_SIGN,
        "draft" => words::CHART_DID_DRAFT,
        "dropped-draft" => words::CHART_DID_DROP,
        _ => return html! {},
    };
    let records = undo_of(visit.parameter("undo"));
    let undo = (!records.is_empty()).then(|| {
        html! {
            form method="post" action=(open.path("/undo")) {
                (carried(visit, open, &entry_id(visit), ""))
                @for (kind, id, version) in &records {
                    input type="hidden" name="record" value=(format!("{kind}:{id}:{version}"));
                }
                (button(Kind::Quiet, Some(Icon::Undo), words::UNDO.of(lang)))
            }
        }
    });
    toast(lang, word.of(lang), undo.as_ref())
}

/// The records that an address or a form names for an undo.
pub(crate) fn undo_of(text: &str) -> Vec<(String, String, u64)> {
    let one = |part: &str| {
        let mut parts = part.split(':');
        let (kind, id, version) = (parts.next()?, parts.next()?, parts.next()?.parse().ok()?);
        let is_plain = kind.bytes().all(|b| b.is_ascii_alphabetic()) && fhir::reference::is_id(id);
        (is_plain && parts.next().is_none()).then(|| (kind.to_owned(), id.to_owned(), version))
    };
    text.split(',').filter_map(one).take(UNDO_MAX).collect()
}

/// A moment as a form gives it, by the clock of the clinic, as FHIR writes it; what is no such moment
/// stays as it is, and is refused by whoever keeps it.
pub(crate) fn moment_of(visit: &Visit, text: &str) -> String {
    let civil = text.parse::<jiff::civil::DateTime>();
    let zoned =
        civil.ok().filter(|_| text.len() >= 16).and_then(|at| at.to_zoned(visit.zone.clone()).ok());
    zoned.map_or_else(|| text.to_owned(), |at| at.strftime("%Y-%m-%dT%H:%M:%S%:z").to_string())
}

/// A date as a form gives it: as FHIR writes dates, or in any form that reads as one day. A text that can
/// be two days, or none, stays as it is, and is refused by whoever keeps it.
pub(crate) fn date_of(visit: &Visit, text: &str) -> String {
    let today = days::day_at(visit.now(), &visit.zone);
    match days::typed(text, today).as_slice() {
        [day] => day.to_string(),
        _ => text.trim().to_owned(),
    }
}

/// Buttons at the foot of a form: what it is for, and the way back.
pub(crate) fn feet(visit: &Visit, open: &Open, what: &Markup) -> Markup {
    html! {
        div.row {
            (what)
            (link_button(Kind::Quiet, None, words::CHART_BACK.of(visit.lang()), &open.path("")))
        }
    }
}

/// An instant in a record as people read it: the day, and the time where there is one.
pub(crate) fn at(text: &str, lang: Lang) -> String {
    match (text, days::wall_time(text)) {
        ("", _) => String::new(),
        (text, "") => days::shown(text, lang),
        (text, time) => format!("{} {time}", days::shown(text, lang)),
    }
}

/// An instant with a zone by the clinic's own clock; a date alone as it is.
pub(crate) fn moment_shown(visit: &Visit, text: &str) -> String {
    match text.parse::<jiff::Timestamp>() {
        Ok(at) => days::moment(base::Millis(at.as_millisecond()), &visit.zone, visit.lang()),
        Err(_) => at(text, visit.lang()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_an_undo_takes_back_is_named_by_type_id_and_version_and_by_nothing_else() {
        let read = undo_of("Observation:a-1:2,Condition:b:1");
        assert_eq!(
            read,
            [
                ("Observation".to_owned(), "a-1".to_owned(), 2),
                ("Condition".to_owned(), "b".to_owned(), 1)
            ]
        );
        for odd in ["", "Observation", "Observation:a", "Observation:a:x", "a/b:c:1", "A:b:1:2"] {
            assert!(undo_of(odd).is_empty(), "{odd}");
        }
        assert_eq!(undo_of(&"A:b:1,".repeat(50)).len(), UNDO_MAX);
    }
}
