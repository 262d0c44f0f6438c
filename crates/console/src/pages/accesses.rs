//! Who saw this record: the accesses to one patient's data in plain words, for the patient and for who may
//! read the access log (45 CFR 164.528; 170.315(d)(3)). Looking leaves an event, too.

use crate::answer::{Answer, is_nothing};
use crate::days;
use crate::pages::{missing, patient};
use crate::parts::{Column, Icon, Table, Tone, badge, empty, panel, shell, table, unbroken};
use crate::visit::Visit;
use crate::words::{self, Lang, Word};
use base::{Fault, Millis};
use maud::{Markup, html};
use record::Access;

/// How far back it is told without being asked for more.
const DAYS_BACK: i64 = 90;
/// Rows of one page.
const ROWS_MAX: usize = 200;
const DAY_MS: i64 = 86_400_000;

/// `/p/{id}/accesses`
pub(crate) fn page(visit: &Visit) -> Result<Answer, Fault> {
    let Some(person) = patient::see(visit)? else { return Ok(missing::page(visit)) };
    let lang = visit.lang();
    let from = Millis(visit.now().0.saturating_sub(DAYS_BACK * DAY_MS));
    let told = match visit.session.who_saw(&person.id, Some(from), None) {
        Ok(told) => told.wait()?,
        // Who may see the patient and not the log is told so; the patient is no secret to them.
        Err(fault) if is_nothing(&fault) => return Ok(missing::page(visit)),
        Err(fault) => return Err(fault),
    };
    let chart = patient::chart(visit, &person.id)?;
    let shown = told.accesses.iter().take(ROWS_MAX);
    let rows: Vec<Vec<Markup>> = shown.map(|access| row(visit, access)).collect();
    let column = |word: Word| Column { label: word.of(lang), is_figure: false };
    let columns = [column(words::WHEN), column(words::WHO), column(words::DID), column(words::WHY)];
    let say = words::SAW_SINCE.with(lang, &DAYS_BACK.to_string());
    let body = html! {
        (patient::head(visit, &person, &chart))
        (panel("accesses", words::WHO_SAW.of(lang), None, &html! {
            p.foot.muted { (say) }
            @if rows.is_empty() {
                (empty(Icon::Eye, words::NOBODY_SAW.of(lang), words::NOBODY_SAW_WHY.of(lang), None))
            } @else {
                (table(&Table { caption: words::WHO_SAW.of(lang), columns: &columns, rows: &rows }))
            }
            @if told.accesses.len() > ROWS_MAX {
                p.foot.muted { (words::NEWEST_ONLY.with(lang, &ROWS_MAX.to_string())) }
            }
        }))
    };
    Ok(shell(visit, 200, words::WHO_SAW.of(lang), &body))
}

fn row(visit: &Visit, access: &Access) -> Vec<Markup> {
    let lang = visit.lang();
    vec![
        html! { (unbroken(&days::moment(access.last, &visit.zone, lang)))
        @if access.times > 1 { span.muted { " " (words::TIMES.with(lang, &access.times.to_string())) } } },
        html! { (said(&access.name, lang)) @if let Some(app) = &access.app { span.muted { " " (words::BY_APP.with(lang, app)) } } },
        html! { (said(access.did, lang))
        @if access.refused { " " (badge(Tone::Neutral, Icon::Close, words::REFUSED.of(lang))) } },
        html! { (said(&access.reason, lang))
        @if access.emergency { " " (badge(Tone::Critical, Icon::Critical, words::EMERGENCY.of(lang))) } },
    ]
}

/// The sentences by which the record tells of an access.
const SENTENCES: [Word; 38] = [
    words::SAW_REFUSED,
    words::SAW_FAILED,
    words::SAW_PART,
    words::SAW_SEARCHED,
    words::SAW_CHANGES,
    words::SAW_GLASS,
    words::SAW_WHOLE,
    words::SAW_CHART,
    words::SAW_DRAFT,
    words::SAW_DRAFT_READ,
    words::SAW_DRAFT_DROPPED,
    words::SAW_LINKED,
    words::SAW_TWIN,
    words::SAW_REMINDED,
    words::SAW_ADDED,
    words::SAW_CHANGED,
    words::SAW_DELETED,
    words::SAW_ADDED_OR_CHANGED,
    words::SAW_LOADED,
    words::SAW_COPIED,
    words::SAW_ASKED,
    words::SAW_NO_REASON,
    words::SAW_EMERGENCY,
    words::SAW_TREATMENT,
    words::SAW_URGENT,
    words::SAW_PAYMENT,
    words::SAW_OPERATIONS,
    words::SAW_WANTED,
    words::SAW_RESEARCH,
    words::SAW_PUBLIC,
    words::SAW_LEGAL,
    words::SAW_COMPLIANCE,
    words::SAW_MACHINE,
    words::SAW_UNREADABLE,
    words::SAW_PATIENT,
    words::SAW_SPEAKER,
    words::SAW_STAFF,
    words::SAW_PROGRAM,
];
/// Those with something in them that is said as it is: a name, or a code.
const OPEN: [Word; 6] = [
    words::SAW_EMERGENCY_WHY,
    words::SAW_PURPOSE,
    words::SAW_PERMITTED,
    words::SAW_STAFF_AS,
    words::SAW_APP,
    words::SAW_ASSISTANT,
];

/// What the record tells in English, in a language; a name stays as it is.
fn said(text: &str, lang: Lang) -> String {
    if let Some(word) = SENTENCES.iter().find(|word| word.of(Lang::En) == text) {
        return word.of(lang).to_owned();
    }
    let inner = |word: &Word| {
        let (before, after) = word.of(Lang::En).split_once("{}")?;
        let inner = text.strip_prefix(before)?.strip_suffix(after)?;
        Some(word.with(lang, inner))
    };
    OPEN.iter().find_map(inner).unwrap_or_else(|| text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use record::{Kind, act_in_words, purpose_in_words};

    #[test]
    fn every_act_and_purpose_is_told_in_every_language() {
        let codes = ["TREAT", "ETREAT", "HPAYMT", "HOPERAT", "PATRQT", "HCOMPL", "HSYSADMIN"];
        let more = ["HRESCH", "PUBHLTH", "HLEGAL"];
        let purposes = codes.iter().chain(&more).map(|code| purpose_in_words(code).expect(code));
        for text in Kind::ALL.iter().map(|kind| act_in_words(*kind)).chain(purposes) {
            assert_ne!(said(text, Lang::Es), text, "in Spanish");
            assert_eq!(said(text, Lang::En), text);
        }
    }

    #[test]
    fn what_stands_in_a_sentence_stays_as_it_is() {
        assert_eq!(said("the app Growth Chart", Lang::Es), "la aplicación Growth Chart");
        assert_eq!(
            said("in an emergency: found on the floor", Lang::Es),
            "en una emergencia: found on the floor"
        );
        assert_eq!(said("Dr. Per Hagen", Lang::Es), "Dr. Per Hagen");
    }
}
