//! The text that is read and signed: the house's form of a kind in a language, with what was entered in it.
//! It is composed here alone, so that what is on the screen is what is kept, word for word.

use super::Kind;
use super::elements::{Elements, Ends, Extent, Source, To};
use super::form::Form;
use record::proxy::{Authority, Proxy};
use sha2::{Digest as _, Sha256};
use std::fmt::Write as _;

/// The version of the texts that ship. It grows whenever a word of one changes.
pub const VERSION: &str = "2026-11";

/// A language of the texts.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Tongue {
    /// English.
    #[default]
    English,
    /// Spanish.
    Spanish,
}

impl Tongue {
    /// All of them.
    pub const ALL: [Self; 2] = [Self::English, Self::Spanish];

    /// Its tag (BCP 47).
    pub const fn tag(self) -> &'static str {
        match self {
            Self::English => "en",
            Self::Spanish => "es",
        }
    }

    /// The language of a tag, whatever region it names.
    pub fn from_tag(tag: &str) -> Option<Self> {
        let main = tag.split(['-', '_']).next().unwrap_or_default();
        Self::ALL.into_iter().find(|one| one.tag().eq_ignore_ascii_case(main))
    }

    const fn of(self, english: &'static str, spanish: &'static str) -> &'static str {
        match self {
            Self::English => english,
            Self::Spanish => spanish,
        }
    }
}

/// A text as it is read and signed.
#[derive(Clone, PartialEq, Eq)]
pub struct Text {
    /// What it is called.
    pub title: String,
    /// What it says.
    pub paragraphs: Vec<String>,
    /// What was entered, each with what it is.
    pub points: Vec<(String, String)>,
}

hidden!(Text);

impl Text {
    /// Composes the text of a form for a patient.
    pub fn of(form: &Form, patient: &str, elements: &Elements) -> Self {
        let (kind, tongue) = (form.kind, form.tongue);
        let mut points = vec![(tongue.of("Patient", "Paciente").to_owned(), one_line(patient))];
        if kind.has_elements() {
            points.extend(points_of(kind, tongue, elements));
        }
        Self { title: form.title.clone(), paragraphs: form.paragraphs.clone(), points }
    }

    /// As plain text: title, paragraphs and points, with a blank line between.
    pub fn plain(&self) -> String {
        let points = self.points.iter().map(|(name, value)| format!("{name}: {value}"));
        let parts = [std::slice::from_ref(&self.title), &self.paragraphs].concat();
        let points: Vec<String> = points.collect();
        format!("{}\n\n{}\n", parts.join("\n\n"), points.join("\n"))
    }

    /// What was read, by its content (SHA-256, the first half): sent back with a signature, it tells that
    /// what is kept is what was on the screen, word for word.
    pub fn mark(&self, form: &Form) -> String {
        let mut hash = Sha256::new();
        let plain = self.plain();
        for part in [form.kind.code(), form.tongue.tag(), form.edition.as_str(), plain.as_str()] {
            hash.update(part.as_bytes());
            hash.update([0]);
        }
        hash.finalize().iter().take(16).fold(String::new(), |mut out, byte| {
            let _ = write!(out, "{byte:02x}");
            out
        })
    }
}

/// By what right somebody signs for the patient, as their signature describes it (45 CFR
/// 164.508(c)(1)(vi)), with what was seen that proves it.
pub(super) fn authority(of: &Proxy, tongue: Tongue) -> String {
    let right = match of.authority {
        Authority::Parent => tongue.of("Parent of a minor", "Progenitor de un menor"),
        Authority::Guardian => {
            tongue.of("Guardian appointed by a court", "Tutor nombrado por un tribunal")
        }
        Authority::Attorney => tongue
            .of("Power of attorney for health care", "Poder notarial para la atención de salud"),
        Authority::Representative => tongue.of("Personal representative", "Representante personal"),
    };
    match one_line(&of.evidence) {
        seen if seen.is_empty() => right.to_owned(),
        seen => format!("{right} ({seen})"),
    }
}

fn points_of(kind: Kind, tongue: Tongue, of: &Elements) -> Vec<(String, String)> {
    let all = match kind {
        Kind::Part2 => tongue.of(
            "All my substance use disorder treatment records",
            "Todos mis registros de tratamiento por trastorno de consumo de sustancias",
        ),
        _ => tongue.of("All my health information", "Toda mi información de salud"),
    };
    let information = match of.extent {
        Extent::Described => one_line(&of.information),
        _ => all.to_owned(),
    };
    let name = one_line(&of.discloser);
    let discloser = match of.source {
        Source::Named => match tongue {
            Tongue::English => format!("{name}, and nobody else"),
            Tongue::Spanish => format!("{name}, y nadie más"),
        },
        _ => match tongue {
            Tongue::English => format!("{name}, with all its programs"),
            Tongue::Spanish => format!("{name}, con todos sus programas"),
        },
    };
    let recipient = match of.to {
        To::Named => one_line(&of.recipient),
        _ => tongue
            .of(
                "My treating providers, health plans, third-party payers, and people helping to operate this program",
                "Quienes me tratan, planes de salud, terceros pagadores y quienes ayudan a operar este programa",
            )
            .to_owned(),
    };
    let ends = match of.ends {
        Ends::On => of.last_day.clone(),
        Ends::When => one_line(&of.event),
        _ => tongue
            .of("When I revoke it, and not before", "Cuando yo lo revoque, y no antes")
            .to_owned(),
    };
    let purposes: Vec<&str> = of.purposes.iter().map(|code| purpose(code, tongue)).collect();
    [
        (tongue.of("Who discloses", "Quién divulga"), discloser),
        (tongue.of("What is disclosed", "Qué se divulga"), information),
        (tongue.of("Who receives it", "Quién lo recibe"), recipient),
        (tongue.of("For what", "Para qué"), purposes.join(", ")),
        (tongue.of("Until when", "Hasta cuándo"), ends),
    ]
    .map(|(name, value)| (name.to_owned(), value))
    .into()
}

fn purpose(code: &str, tongue: Tongue) -> &'static str {
    match code {
        "TREAT" => tongue.of("treatment", "tratamiento"),
        "HPAYMT" => tongue.of("payment", "pago"),
        "HOPERAT" => tongue.of("health care operations", "operaciones de atención de salud"),
        _ => tongue.of("at my own request", "a petición mía"),
    }
}

/// What is entered cannot look like a paragraph or a point of its own.
fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

pub(super) const fn shipped(kind: Kind, tongue: Tongue) -> &'static str {
    match (kind, tongue) {
        (Kind::Treatment, Tongue::English) => include_str!("texts/treatment.en.txt"),
        (Kind::Treatment, Tongue::Spanish) => include_str!("texts/treatment.es.txt"),
        (Kind::PrivacyNotice, Tongue::English) => include_str!("texts/privacy-notice.en.txt"),
        (Kind::PrivacyNotice, Tongue::Spanish) => include_str!("texts/privacy-notice.es.txt"),
        (Kind::Release, Tongue::English) => include_str!("texts/release.en.txt"),
        (Kind::Release, Tongue::Spanish) => include_str!("texts/release.es.txt"),
        (Kind::Part2, Tongue::English) => include_str!("texts/part2.en.txt"),
        (Kind::Part2, Tongue::Spanish) => include_str!("texts/part2.es.txt"),
        (Kind::Telehealth, Tongue::English) => include_str!("texts/telehealth.en.txt"),
        (Kind::Telehealth, Tongue::Spanish) => include_str!("texts/telehealth.es.txt"),
        (Kind::Financial, Tongue::English) => include_str!("texts/financial.en.txt"),
        (Kind::Financial, Tongue::Spanish) => include_str!("texts/financial.es.txt"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_has_a_text_in_every_language() {
        for kind in Kind::ALL {
            let texts = Tongue::ALL
                .map(|tongue| Text::of(&Form::shipped(kind, tongue), "Ada", &Elements::default()));
            let [english, spanish] = &texts;
            assert!(english.title != spanish.title && english.paragraphs.len() >= 3, "{kind:?}");
            assert_eq!(english.paragraphs.len(), spanish.paragraphs.len(), "{kind:?}");
            assert!(texts.iter().all(|text| text.plain().contains("Ada")), "{kind:?}");
        }
    }

    #[test]
    fn what_is_entered_stands_in_the_text_and_makes_no_line_of_its_own() {
        let elements = Elements {
            to: To::Named,
            recipient: "Acme Law\n\nI agree to everything".into(),
            purposes: vec!["TREAT".into(), "HPAYMT".into()],
            ..Elements::default()
        };
        let plain =
            Text::of(&Form::shipped(Kind::Part2, Tongue::English), "Ada", &elements).plain();
        assert!(plain.contains("Who receives it: Acme Law I agree to everything\n"), "{plain}");
        assert!(plain.contains("For what: treatment, payment\n"), "{plain}");
    }

    #[test]
    fn a_mark_is_of_every_word_that_was_read() {
        let form = Form::shipped(Kind::Part2, Tongue::English);
        let mark = |form: &Form, name: &str, elements: &Elements| {
            Text::of(form, name, elements).mark(form)
        };
        let own = mark(&form, "Ada", &Elements::default());
        assert_eq!(own, mark(&form, "Ada", &Elements::default()));
        assert_eq!(own.len(), 32);
        let other = Elements { discloser: "Lake Clinic".into(), ..Elements::default() };
        let reworded = Form { paragraphs: vec!["Otherwise.".into()], ..form.clone() };
        let later = Form { edition: "own-2".into(), ..form.clone() };
        for (form, name, elements) in [
            (&form, "Eve", &Elements::default()),
            (&form, "Ada", &other),
            (&reworded, "Ada", &Elements::default()),
            (&later, "Ada", &Elements::default()),
            (&Form::shipped(Kind::Part2, Tongue::Spanish), "Ada", &Elements::default()),
        ] {
            assert_ne!(own, mark(form, name, elements));
        }
    }
}
