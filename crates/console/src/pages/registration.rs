//! Registration and identity: who a patient is, that each has one record, their insurance, what they signed
//! and who acts for them. What the pages
//! share stands here; each page is a file below.

pub(crate) mod compare;
pub(crate) mod consents;
pub(crate) mod details;
pub(crate) mod duplicates;
pub(crate) mod fields;
pub(crate) mod insurance;
pub(crate) mod proxies;
pub(crate) mod register;
pub(crate) mod sign;
pub(crate) mod wording;

use crate::booking::type_id;
use crate::pages::patient;
use crate::parts::{Tone, badge, toast};
use crate::person::Person;
use crate::visit::Visit;
use crate::words::{self, Lang, Word};
use base::Fault;
use maud::{Markup, html};
use record::{Action, Grade, Reason};
use std::fmt::Write as _;

/// Whether the caller keeps what is known of patients: such people read a confidential address, too.
pub(crate) fn may_change(visit: &Visit, id: &str) -> Result<bool, Fault> {
    visit.session.may_to(Action::Update, type_id("Patient")?, id)
}

/// The id of a form, drawn when it is shown: sent twice, it does its work once.
pub(crate) fn entry(visit: &Visit) -> String {
    visit.session.request().iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// The patient of the path, for whoever may see any records of a type at all.
fn theirs(visit: &Visit, kind: &str) -> Result<Option<Person>, Fault> {
    if !visit.session.may_search(type_id(kind)?) {
        return Ok(None);
    }
    patient::see(visit)
}

/// A field with the blanks of somebody in a hurry taken out.
fn typed(visit: &Visit, name: &str) -> String {
    visit.field(name).split_whitespace().collect::<Vec<_>>().join(" ")
}

/// The field that a fault is about, as the department names it.
fn place(fault: &Fault) -> String {
    fault.issues.first().and_then(|issue| issue.expression.clone()).unwrap_or_default()
}

/// The row of the field that a fault is about: its name, its label, and what is said of it. The first where
/// it is about none.
fn row_of(fields: &'static [(&'static str, Word, Word)], at: &str) -> &'static str {
    let row = fields.iter().find(|(name, _, _)| *name == at).or_else(|| fields.first());
    row.map_or("", |(name, _, _)| name)
}

/// The banner and the pages about a patient.
fn head(visit: &Visit, person: &Person) -> Result<Markup, Fault> {
    let chart = patient::chart(visit, &person.id)?;
    Ok(patient::head(visit, person, &chart))
}

/// What was done, after the way here from the form that did it.
fn done(visit: &Visit, all: &[(&str, Word)]) -> Markup {
    let what = visit.parameter("done");
    let word = all.iter().find(|(name, _)| *name == what).map(|(_, word)| *word);
    html! { @if let Some(word) = word { (toast(visit.lang(), word.of(visit.lang()), None)) } }
}

/// How likely two are one, in a word.
fn grade(grade: Grade, lang: Lang) -> Markup {
    let (tone, word) = match grade {
        Grade::High => (Tone::Critical, words::ALIKE_HIGH),
        Grade::Mid => (Tone::Warning, words::ALIKE_MID),
        Grade::Low => (Tone::Neutral, words::ALIKE_LOW),
    };
    badge(tone, tone.icon(), word.of(lang))
}

/// What a score is made of: what speaks for it first.
fn reasons(all: &[Reason], lang: Lang) -> Markup {
    let mut all: Vec<Reason> = all.to_vec();
    all.sort_by_key(|one| std::cmp::Reverse(one.weight()));
    html! {
        ul.reasons { @for one in &all {
            li.is-against[one.weight() < 0] { (reason(*one).of(lang)) }
        } }
    }
}

const fn reason(reason: Reason) -> Word {
    match reason {
        Reason::FamilySame => words::ALIKE_FAMILY,
        Reason::FamilySounds => words::ALIKE_FAMILY_SOUNDS,
        Reason::FamilyDiffers => words::ALIKE_FAMILY_DIFFERS,
        Reason::GivenSame => words::ALIKE_GIVEN,
        Reason::GivenNickname => words::ALIKE_GIVEN_NICKNAME,
        Reason::GivenSounds => words::ALIKE_GIVEN_SOUNDS,
        Reason::GivenInitial => words::ALIKE_GIVEN_INITIAL,
        Reason::GivenDiffers => words::ALIKE_GIVEN_DIFFERS,
        Reason::NamesSwapped => words::ALIKE_SWAPPED,
        Reason::BornSame => words::ALIKE_BORN,
        Reason::BornSwapped => words::ALIKE_BORN_SWAPPED,
        Reason::BornSlip => words::ALIKE_BORN_SLIP,
        Reason::BornAgrees => words::ALIKE_BORN_AGREES,
        Reason::BornDiffers => words::ALIKE_BORN_DIFFERS,
        Reason::SexSame => words::ALIKE_SEX,
        Reason::SexDiffers => words::ALIKE_SEX_DIFFERS,
        Reason::PhoneSame => words::ALIKE_PHONE,
        Reason::AddressSame => words::ALIKE_ADDRESS,
        Reason::HouseholdSame => words::ALIKE_HOUSEHOLD,
        Reason::PostcodeSame => words::ALIKE_POSTCODE,
        Reason::IdentifierSame => words::ALIKE_NUMBER,
        Reason::IdentifierShared => words::ALIKE_NUMBER_SHARED,
        Reason::IdentifierDiffers => words::ALIKE_NUMBER_DIFFERS,
    }
}
