//! What a release has to say before anybody can sign it: the elements of an authorization (45 CFR
//! 164.508(c)(1)) and of a consent to disclose substance use disorder records (42 CFR 2.31(a)). One that
//! lacks an element is no consent, and what was released on it was released without one.

use super::Kind;
use base::Millis;

/// Letters of a field.
const LETTERS_MAX: usize = 300;

/// For what records may be used, by HL7's codes
/// (<https://terminology.hl7.org/CodeSystem-v3-ActReason.html>).
pub const PURPOSES: [&str; 4] = ["TREAT", "HPAYMT", "HOPERAT", "PATRQT"];

/// What of the record it is about.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Extent {
    /// It was not said.
    #[default]
    Unsaid,
    /// All of the kind of records that the form is about.
    All,
    /// What is described.
    Described,
}

/// Whom it may be handed to.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum To {
    /// It was not said.
    #[default]
    Unsaid,
    /// Those who treat, pay and help to run this place (42 CFR 2.31(a)(4)(ii)).
    Here,
    /// Whoever is named.
    Named,
}

/// Out of whose records it is handed out.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Source {
    /// It was not said.
    #[default]
    Unsaid,
    /// Out of all that this house keeps, whichever programme of it made the record.
    House,
    /// Out of the records of whom the form names alone: one programme, one person, another place.
    Named,
}

/// When it ends.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Ends {
    /// It was not said.
    #[default]
    Unsaid,
    /// On a day.
    On,
    /// When something happens.
    When,
    /// When it is revoked, and not before: for treatment, payment and operations (42 CFR 2.31(a)(7)(ii)).
    Revoked,
}

/// The elements of a release as they were entered.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Elements {
    /// Who hands it out: a name, or what they are.
    pub discloser: String,
    /// Whether that is the whole house.
    pub source: Source,
    /// How much of the record.
    pub extent: Extent,
    /// What of it, in words.
    pub information: String,
    /// To whom.
    pub to: To,
    /// Their name.
    pub recipient: String,
    /// For what: of [`PURPOSES`].
    pub purposes: Vec<String>,
    /// When it ends.
    pub ends: Ends,
    /// The last day, as FHIR writes it.
    pub last_day: String,
    /// What ends it.
    pub event: String,
}

hidden!(Elements);

/// An element that is missing or cannot stand, by the field that it is entered in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lacks {
    /// Who discloses (164.508(c)(1)(ii), 2.31(a)(2)).
    Discloser,
    /// How much and what kind (164.508(c)(1)(i), 2.31(a)(3)).
    Information,
    /// Who receives (164.508(c)(1)(iii), 2.31(a)(4)).
    Recipient,
    /// For what (164.508(c)(1)(iv), 2.31(a)(5)).
    Purpose,
    /// Until when (164.508(c)(1)(v), 2.31(a)(7)).
    End,
}

impl Lacks {
    /// The field that it is entered in.
    pub const fn field(self) -> &'static str {
        match self {
            Self::Discloser => "discloser",
            Self::Information => "information",
            Self::Recipient => "recipient",
            Self::Purpose => "purpose",
            Self::End => "ends",
        }
    }
}

impl Elements {
    /// What it lacks for its kind, in the order of the form; nothing for one that can be signed.
    pub fn lacks(&self, kind: Kind, now: Millis) -> Vec<Lacks> {
        if !kind.has_elements() {
            return Vec::new();
        }
        let said = |text: &str| {
            !text.trim().is_empty()
                && text.chars().count() <= LETTERS_MAX
                && !text.contains(char::is_control)
        };
        let operates = |code: &String| ["TREAT", "HPAYMT", "HOPERAT"].contains(&code.as_str());
        let known = |code: &String| PURPOSES.contains(&code.as_str());
        let routine = !self.purposes.is_empty() && self.purposes.iter().all(operates);
        let has_end = match self.ends {
            Ends::Unsaid => false,
            // A day that is over ends it before it begins.
            Ends::On => {
                self.last_day.len() == 10
                    && fhir::date::parse(&self.last_day).is_some_and(|day| day.high >= now.0)
            }
            Ends::When => said(&self.event),
            Ends::Revoked => kind == Kind::Part2 && routine,
        };
        let has_recipient = match self.to {
            To::Unsaid => false,
            // The one consent for all that a place does is for just that.
            To::Here => kind == Kind::Part2 && routine,
            To::Named => said(&self.recipient),
        };
        let has_information = match self.extent {
            Extent::Unsaid => false,
            Extent::All => true,
            Extent::Described => said(&self.information),
        };
        [
            (said(&self.discloser) && self.source != Source::Unsaid, Lacks::Discloser),
            (has_information, Lacks::Information),
            (has_recipient, Lacks::Recipient),
            (!self.purposes.is_empty() && self.purposes.iter().all(known), Lacks::Purpose),
            (has_end, Lacks::End),
        ]
        .into_iter()
        .filter_map(|(is_there, lack)| (!is_there).then_some(lack))
        .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const NOW: Millis = Millis(1_795_428_900_000);

    fn whole() -> Elements {
        Elements {
            discloser: "Lake Clinic".into(),
            source: Source::House,
            extent: Extent::All,
            to: To::Here,
            purposes: vec!["TREAT".into(), "HPAYMT".into(), "HOPERAT".into()],
            ends: Ends::Revoked,
            ..Elements::default()
        }
    }

    #[test]
    fn a_part_2_consent_lacks_nothing_or_is_none() {
        assert_eq!(whole().lacks(Kind::Part2, NOW), []);
        for (one, lack) in [
            (Elements { discloser: " ".into(), ..whole() }, vec![Lacks::Discloser]),
            (Elements { source: Source::Unsaid, ..whole() }, vec![Lacks::Discloser]),
            (Elements { extent: Extent::Unsaid, ..whole() }, vec![Lacks::Information]),
            (Elements { extent: Extent::Described, ..whole() }, vec![Lacks::Information]),
            (Elements { to: To::Named, ..whole() }, vec![Lacks::Recipient]),
            (Elements { ends: Ends::Unsaid, ..whole() }, vec![Lacks::End]),
            (
                Elements { ends: Ends::On, last_day: "2026-01-01".into(), ..whole() },
                vec![Lacks::End],
            ),
            // Without a purpose nothing else can be for it.
            (
                Elements { purposes: vec![], ..whole() },
                vec![Lacks::Recipient, Lacks::Purpose, Lacks::End],
            ),
            (
                Elements { purposes: vec!["HLEGAL".into()], ..whole() },
                vec![Lacks::Recipient, Lacks::Purpose, Lacks::End],
            ),
            (
                Elements { purposes: vec!["PATRQT".into()], ..whole() },
                vec![Lacks::Recipient, Lacks::End],
            ),
        ] {
            assert_eq!(one.lacks(Kind::Part2, NOW), lack, "{lack:?}");
        }
    }

    #[test]
    fn an_authorization_names_somebody_and_an_end() {
        let named = Elements {
            to: To::Named,
            recipient: "Acme Law".into(),
            ends: Ends::On,
            last_day: "2027-01-31".into(),
            purposes: vec!["PATRQT".into()],
            ..whole()
        };
        assert_eq!(named.lacks(Kind::Release, NOW), []);
        assert_eq!(whole().lacks(Kind::Release, NOW), [Lacks::Recipient, Lacks::End]);
        assert_eq!(Elements::default().lacks(Kind::Treatment, NOW), []);
    }

    proptest! {
        #[test]
        fn a_text_is_said_when_somebody_can_read_it(text in "\\PC{0,310}|[ \u{9}]{0,4}|[a-z \u{0}-\u{1f}]{0,12}", at in 0..4_usize) {
            let mut one = Elements {
                information: "x".into(), extent: Extent::Described, recipient: "y".into(), to: To::Named,
                event: "z".into(), ends: Ends::When, ..whole()
            };
            prop_assert_eq!(one.lacks(Kind::Part2, NOW), []);
            let (field, lack) = match at {
                0 => (&mut one.discloser, Lacks::Discloser),
                1 => (&mut one.information, Lacks::Information),
                2 => (&mut one.recipient, Lacks::Recipient),
                _ => (&mut one.event, Lacks::End),
            };
            field.clone_from(&text);
            let is_read = text.chars().any(|c| !c.is_whitespace())
                && text.chars().all(|c| !c.is_control())
                && text.chars().count() <= 300;
            prop_assert_eq!(one.lacks(Kind::Part2, NOW), if is_read { vec![] } else { vec![lack] });
        }

        #[test]
        fn a_last_day_is_a_whole_day_that_is_not_over(day in "20[0-9]{2}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9])|\\PC{0,12}") {
            let one = Elements { ends: Ends::On, last_day: day.clone(), ..whole() };
            // A day as FHIR writes it sorts as text; that of NOW is 2026-11-23.
            let stands = day.len() == 10
                && day.is_ascii()
                && fhir::date::parse(&day).is_some()
                && day.as_str() >= "2026-11-23";
            prop_assert_eq!(one.lacks(Kind::Part2, NOW).is_empty(), stands, "{}", day);
        }

        #[test]
        fn a_purpose_is_one_that_is_offered(code in "TREAT|HPAYMT|HOPERAT|PATRQT|[A-Z]{0,8}") {
            let named = Elements {
                to: To::Named, recipient: "y".into(), ends: Ends::When, event: "z".into(),
                purposes: vec![code.clone()], ..whole()
            };
            let lacks = if PURPOSES.contains(&code.as_str()) { vec![] } else { vec![Lacks::Purpose] };
            prop_assert_eq!(named.lacks(Kind::Release, NOW), lacks);
        }
    }
}
