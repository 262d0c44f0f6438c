//! A note is written: from a template or from nothing, kept as a draft as it grows (by a script each few
//! seconds, by a button without one) so that neither a crash nor an ended session loses it, and signed.
//! A draft is its author's alone, and no record until it is signed (45 CFR 164.501).

use super::{
    Open, about, at, carried, encounter, entry_id, feet, framed, may, mendable, open, refusal,
};
use crate::answer::Answer;
use crate::days;
use crate::pages::missing;
use crate::parts::{Field, field, panel};
use crate::visit::Visit;
use crate::wait::wait;
use crate::words::{self, Lang, Word};
use base::Fault;
use base::error::code;
use charting::notes::{self, NoteForm, NoteKind};
use charting::{About, Summary};
use maud::{Markup, html};
use record::Draft;

/// The kinds that are written here; an addendum is written under its note.
pub(super) const KINDS: [NoteKind; 5] = [
    NoteKind::Progress,
    NoteKind::Consultation,
    NoteKind::History,
    NoteKind::Telephone,
    NoteKind::Nursing,
];

/// What the name of a kind is.
pub(super) const fn word(kind: NoteKind) -> Word {
    match kind {
        NoteKind::Progress => words::CHART_PROGRESS,
        NoteKind::Consultation => words::CHART_CONSULTATION,
        NoteKind::History => words::CHART_HISTORY_PHYSICAL,
        NoteKind::Telephone => words::CHART_TELEPHONE,
        NoteKind::Nursing => words::CHART_NURSING,
        NoteKind::Addendum => words::CHART_ADDENDUM,
    }
}

/// What a template of a kind says; charting fills in the words with a slash.
fn template(kind: NoteKind, lang: Lang) -> &'static str {
    let word = match kind {
        NoteKind::Progress | NoteKind::Addendum => words::CHART_TEMPLATE_PROGRESS,
        NoteKind::Consultation => words::CHART_TEMPLATE_CONSULTATION,
        NoteKind::History => words::CHART_TEMPLATE_HISTORY,
        NoteKind::Telephone => words::CHART_TEMPLATE_TELEPHONE,
        NoteKind::Nursing => words::CHART_TEMPLATE_NURSING,
    };
    word.of(lang)
}

/// A note as it is written: what a draft holds beside its text stands in its first three lines.
#[derive(Clone, Default)]
struct Sheet {
    kind: NoteKind,
    title: String,
    encounter: String,
    text: String,
    /// The draft's version; 0 when none was kept.
    version: u64,
}

impl Sheet {
    fn sent(visit: &Visit) -> Self {
        Self {
            kind: kind_of(visit.field("kind")),
            title: visit.field("title").replace(['\n', '\r'], " "),
            encounter: visit.field("encounter").to_owned(),
            text: visit.field("text").replace("\r\n", "\n"),
            version: visit.field("version").parse().unwrap_or(0),
        }
    }

    fn of(draft: &Draft) -> Self {
        let mut lines = draft.text.splitn(4, '\n');
        let mut next = || lines.next().unwrap_or_default().to_owned();
        Self {
            kind: kind_of(&next()),
            title: next(),
            encounter: next(),
            text: next(),
            version: draft.version,
        }
    }

    fn kept(&self) -> String {
        format!("{}\n{}\n{}\n{}", self.kind.code().0, self.title, self.encounter, self.text)
    }

    /// Nothing was written yet.
    fn is_empty(&self) -> bool {
        self.title.trim().is_empty() && self.text.trim().is_empty()
    }
}

fn kind_of(code: &str) -> NoteKind {
    KINDS.into_iter().find(|kind| kind.code().0 == code).unwrap_or_default()
}

fn begun(visit: &Visit) -> Result<Option<Open>, Fault> {
    if !may(visit, "DocumentReference") || visit.session.signer().is_none() {
        return Ok(None);
    }
    open(visit)
}

/// `/p/{id}/write`
pub(crate) fn page(visit: &Visit) -> Result<Answer, Fault> {
    let Some(open) = begun(visit)? else { return Ok(missing::page(visit)) };
    let (session, patient) = (&visit.session, open.person.id.as_str());
    let name = visit.parameter("draft");
    if !name.is_empty() && fhir::reference::is_id(name) {
        let Some(draft) = session.draft(patient, name)?.wait()? else {
            return Ok(missing::page(visit));
        };
        return Ok(form(visit, &open, (200, name), &Sheet::of(&draft), None));
    }
    let mut sheet = Sheet { encounter: encounter(visit).to_owned(), ..Sheet::default() };
    if let Some(kind) = KINDS.into_iter().find(|kind| kind.code().0 == visit.parameter("kind")) {
        let summary = Summary::of(session, patient)?.wait()?;
        sheet.kind = kind;
        let (lang, now) = (visit.lang(), days::moment(summary.as_of, &visit.zone, visit.lang()));
        sheet.text = notes::expand(template(kind, lang), &summary, &now, |date| at(date, lang));
    }
    let entry = entry_id(visit);
    Ok(form(visit, &open, (200, &entry), &sheet, None))
}

/// Keeps the draft, throws it away, or signs the note.
pub(crate) fn keep(visit: &Visit) -> Result<Answer, Fault> {
    let (entry, mut sheet) = (entry_id(visit), Sheet::sent(visit));
    if visit.is_fragment() {
        return grown(visit, &entry, &sheet);
    }
    let Some(open) = begun(visit)? else { return Ok(missing::page(visit)) };
    let outcome = about(visit).and_then(|about| match visit.field("do") {
        "sign" => sign(visit, &open, &about, &entry, &sheet),
        "drop" => drop_draft(visit, &open, &entry, &sheet),
        _ => keep_draft(visit, &open, &entry, &sheet),
    });
    match outcome {
        Ok(answer) => Ok(answer),
        Err(fault) => {
            let (status, fault) = (fault.status(), mendable(fault)?);
            if visit.is_fragment() {
                return Ok(Answer::html(
                    status,
                    draft_said(super::say(&fault, visit.lang()), None),
                ));
            }
            // What another window kept stays; what was typed here goes on as a draft of its own.
            let is_elsewhere = fault.code().name == code::DRAFT_CHANGED.name;
            let fresh = base::id::uuid_text(&visit.session.request());
            let entry = if is_elsewhere { fresh } else { entry };
            if is_elsewhere {
                sheet.version = 0;
            }
            Ok(form(visit, &open, (status, &entry), &sheet, Some(&fault)))
        }
    }
}

/// A script keeps the draft as it grows. The chart is open in the page it stands in, and is not opened
/// again for it.
fn grown(visit: &Visit, entry: &str, sheet: &Sheet) -> Result<Answer, Fault> {
    let lang = visit.lang();
    match about(visit).and_then(|about| put_draft(visit, &about.patient, entry, sheet)) {
        Ok(None) => Ok(Answer::html(200, draft_said("", None))),
        Ok(Some(version)) => {
            let now = days::moment(visit.now(), &visit.zone, lang);
            let time = now.rsplit(' ').next().unwrap_or_default();
            let said = words::CHART_DRAFT_KEPT.with(lang, time);
            Ok(Answer::html(200, draft_said(&said, Some(version))))
        }
        Err(fault) => {
            let (status, fault) = (fault.status(), mendable(fault)?);
            Ok(Answer::html(status, draft_said(super::say(&fault, lang), None)))
        }
    }
}

/// Keeps the draft; nothing when nothing was written yet. Answers its version.
fn put_draft(
    visit: &Visit,
    patient: &str,
    entry: &str,
    sheet: &Sheet,
) -> Result<Option<u64>, Fault> {
    let replaces = (sheet.version > 0).then_some(sheet.version);
    if replaces.is_none() && sheet.is_empty() {
        return Ok(None);
    }
    wait(visit.session.keep_draft(patient, entry, replaces, &sheet.kept())).map(Some)
}

fn keep_draft(visit: &Visit, open: &Open, entry: &str, sheet: &Sheet) -> Result<Answer, Fault> {
    Ok(match put_draft(visit, &open.person.id, entry, sheet)? {
        None => form(visit, open, (200, entry), sheet, None),
        Some(_) => Answer::go(open.path(&format!("/write?draft={entry}&did=draft"))),
    })
}

fn drop_draft(visit: &Visit, open: &Open, entry: &str, sheet: &Sheet) -> Result<Answer, Fault> {
    if sheet.version > 0 {
        wait(visit.session.drop_draft(&open.person.id, entry, sheet.version))?;
    }
    Ok(Answer::go(open.path("?did=dropped-draft")))
}

fn sign(
    visit: &Visit,
    open: &Open,
    about: &About,
    entry: &str,
    sheet: &Sheet,
) -> Result<Answer, Fault> {
    let title = match sheet.title.trim() {
        "" => sheet.kind.code().1.to_owned(),
        title => title.to_owned(),
    };
    let form =
        NoteForm { form: entry.to_owned(), kind: sheet.kind, title, text: sheet.text.clone() };
    let signed = wait(notes::sign(&visit.session, about, &form))?;
    if sheet.version > 0 {
        // The note stands. A draft that another window kept since holds more than was signed, and stays.
        match wait(visit.session.drop_draft(&open.person.id, entry, sheet.version)) {
            Ok(()) => {}
            Err(fault) if fault.code().name == code::DRAFT_CHANGED.name => {}
            Err(fault) => return Err(fault),
        }
    }
    Ok(Answer::go(open.path(&format!("/notes/{}?did=signed", signed.place.id))))
}

/// What a script shows under the text, with the version that the next keeping replaces.
fn draft_said(say: &str, version: Option<u64>) -> Markup {
    html! { span data-version=[version] { (say) } }
}

fn form(
    visit: &Visit,
    open: &Open,
    (status, entry): (u16, &str),
    sheet: &Sheet,
    fault: Option<&Fault>,
) -> Answer {
    let lang = visit.lang();
    let is_first = sheet.version == 0 && sheet.is_empty() && fault.is_none();
    let own = if is_first { drafts(visit, open) } else { Ok(html! {}) };
    let own = own.unwrap_or_else(|_| html! {});
    let is_empty = fault.is_some_and(|fault| {
        fault.issues.iter().any(|one| one.expression.as_deref() == Some("text"))
    });
    let body = html! {
        (super::told(visit, open))
        @if let Some(fault) = fault { (refusal(visit, open, fault)) }
        div.columns {
            div { (panel("note", words::CHART_WRITE_NOTE.of(lang), None, &html! {
                form.stack.chart-form method="post" action=(open.path("/write")) data-draft="draft-said" data-broken=(words::CHART_DRAFT_BROKEN.of(lang)) {
                    (carried(visit, open, entry, &sheet.encounter))
                    input type="hidden" name="version" value=(sheet.version);
                    div.row.tops {
                        div.field { label for="kind" { (words::CHART_NOTE_KIND.of(lang)) }
                            select id="kind" name="kind" { @for kind in KINDS {
                                option value=(kind.code().0) selected[kind == sheet.kind] { (word(kind).of(lang)) }
                            } } }
                        (field(&Field { id: "title", name: "title", label: words::CHART_NOTE_TITLE.of(lang), value: &sheet.title, ..Field::default() }))
                    }
                    div.field.is-wrong[is_empty] {
                        label for="text" { (words::CHART_NOTE_TEXT.of(lang)) }
                        @if is_empty { p.error { (words::CHART_NOTE_EMPTY.of(lang)) } }
                        textarea id="text" name="text" rows="20" { "\n" (sheet.text) }
                    }
                    p.hint #draft-said role="status" {}
                    (feet(visit, open, &html! {
                        button.button.is-primary type="submit" name="do" value="sign" { span { (words::CHART_SIGN_NOTE.of(lang)) } }
                        button.button.is-secondary type="submit" name="do" value="draft" { span { (words::CHART_KEEP_DRAFT.of(lang)) } }
                        @if sheet.version > 0 {
                            button.button.is-danger type="submit" name="do" value="drop" { span { (words::CHART_DROP_DRAFT.of(lang)) } }
                        }
                    }))
                }
            })) }
            div {
                (own)
                @if is_first { (templates(visit, open, lang)) }
                p.foot.muted { (words::CHART_SIGNED_STAYS.of(lang)) }
            }
        }
    };
    framed(visit, (status, words::CHART_WRITE_NOTE.of(lang)), open, &body)
}

fn templates(visit: &Visit, open: &Open, lang: Lang) -> Markup {
    let of = encounter(visit);
    let visit = match fhir::reference::is_id(of) {
        true => format!("&encounter={of}"),
        false => String::new(),
    };
    panel(
        "templates",
        words::CHART_TEMPLATES.of(lang),
        None,
        &html! {
            ul.lines { @for kind in KINDS { li {
                span.line-what { a href=(open.path(&format!("/write?kind={}{visit}", kind.code().0))) { (word(kind).of(lang)) } }
            } } }
            p.foot.muted { (words::CHART_TEMPLATES_WHY.of(lang)) }
        },
    )
}

/// The caller's own drafts about this patient.
fn drafts(visit: &Visit, open: &Open) -> Result<Markup, Fault> {
    let lang = visit.lang();
    let mut all = visit.session.drafts()?.wait()?;
    all.retain(|draft| draft.patient == open.person.id);
    if all.is_empty() {
        return Ok(html! {});
    }
    let called = |sheet: &Sheet| match sheet.title.trim() {
        "" => word(sheet.kind).of(lang).to_owned(),
        title => title.to_owned(),
    };
    Ok(panel(
        "drafts",
        words::CHART_DRAFTS.of(lang),
        None,
        &html! { ul.lines { @for draft in &all {
            @let sheet = Sheet::of(draft);
            li { span.line-what { a href=(open.path(&format!("/write?draft={}", draft.name))) { (called(&sheet)) } }
                span.line-when { (days::moment(draft.changed, &visit.zone, lang)) } }
        } } },
    ))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn a_draft_is_read_as_it_was_kept(title in "[^\\n\\r]{0,20}", text in "\\PC{0,40}(\\n\\PC{0,10}){0,3}") {
            let sheet = Sheet {
                kind: NoteKind::Nursing,
                title,
                encounter: "v1".to_owned(),
                text,
                version: 0,
            };
            let draft = Draft {
                patient: "ada".to_owned(),
                name: "d1".to_owned(),
                version: 3,
                changed: base::Millis(0),
                text: sheet.kept(),
            };
            let read = Sheet::of(&draft);
            prop_assert_eq!((&read.title, &read.text), (&sheet.title, &sheet.text));
            prop_assert_eq!((read.version, read.encounter.as_str()), (3, "v1"));
            prop_assert!(read.kind == NoteKind::Nursing);
        }
    }
}
