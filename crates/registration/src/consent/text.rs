//! The text that is read and signed: the house's form of a kind in a language, with what was entered in it.
//! It is composed here alone, so that what is on the screen is what is kept, word for word.

use super::Kind;
use super::elements::{Elements, Ends, Extent, To};
use super::form::Form;

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

/// It names a person.
impl std::fmt::Debug for Text {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Text(‹phi›)")
    }
}

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
        (tongue.of("Who discloses", "Quién divulga"), one_line(&of.discloser)),
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
}
