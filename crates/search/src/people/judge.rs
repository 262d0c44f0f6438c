//! Whether what is known of a patient is what was asked for, and how well it fits. What an index
//! range brings is a candidate; this decides, and orders the answer.

use super::ask::{Names, Number, Question, Split};
use super::key::{Facts, from_the_last};
use super::nickname;
use super::sound::sound;

/// How well a patient fits a question; the better the lower.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Rank {
    /// By name.
    pub name: NameRank,
    /// By number, the worst of them.
    pub number: NumberRank,
}

/// How well a name fits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum NameRank {
    /// All of it, as it is written; or nothing was asked of it.
    Exact,
    /// One word was asked for, and it is a given name.
    ExactGiven,
    /// It begins so, and but for one word is written so.
    Begins,
    /// It begins so.
    AllBegin,
    /// Somebody of this given name is called so.
    Called,
    /// It sounds so.
    Sounds,
}

/// How well a number fits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum NumberRank {
    /// It is the identifier; or no number was asked for.
    Whole,
    /// It is the end of a phone's number, or the birth date.
    Part,
    /// An identifier begins so.
    Begins,
}

/// How one word fits one name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Likeness {
    Exact,
    Begins,
    Called,
}

/// How a patient fits; `None` when it is not one that was asked for. `members` are the numbers, by
/// their place in the question, that a payer calls the patient.
pub fn judge(question: &Question, facts: &Facts, members: &[usize]) -> Option<Rank> {
    let name = match &question.names {
        Some(names) => judge_name(names, facts)?,
        None => NameRank::Exact,
    };
    for readings in &question.born {
        if !readings.iter().any(|span| is_born(facts, *span)) {
            return None;
        }
    }
    let mut worst = NumberRank::Whole;
    for (at, number) in question.numbers.iter().enumerate() {
        let rank = match members.contains(&at) {
            true => NumberRank::Whole,
            false => judge_number(number, facts)?,
        };
        worst = worst.max(rank);
    }
    Some(Rank { name, number: worst })
}

/// How a name fits, taken in whichever way fits best.
pub fn judge_name(names: &Names, facts: &Facts) -> Option<NameRank> {
    names.splits().iter().filter_map(|split| judge_split(split, facts)).min()
}

/// Whether somebody was born within a span.
pub fn is_born(facts: &Facts, (low, high): (i64, i64)) -> bool {
    facts.born.is_some_and(|(l, h)| low <= l && h <= high)
}

fn judge_number(number: &Number, facts: &Facts) -> Option<NumberRank> {
    let mut best = None;
    let mut found = |rank: NumberRank| {
        best = Some(best.map_or(rank, |best: NumberRank| best.min(rank)));
    };
    if number.identifier {
        for spelling in number.spellings() {
            if facts.identifiers.contains(&spelling) {
                found(NumberRank::Whole);
            } else if begins_identifier(&spelling)
                && facts.identifiers.iter().any(|own| own.starts_with(&spelling))
            {
                found(NumberRank::Begins);
            }
        }
    }
    if number.phone && ends_phone(&number.digits, facts) {
        found(NumberRank::Part);
    }
    if number.born.iter().any(|span| is_born(facts, *span)) {
        found(NumberRank::Part);
    }
    best
}

/// Signs from which on the beginning of an identifier is looked for.
const IDENTIFIER_CHARS_MIN: usize = 3;

/// Whether a text is long enough to look for identifiers that begin so.
pub fn begins_identifier(text: &str) -> bool {
    text.chars().count() >= IDENTIFIER_CHARS_MIN
}

fn ends_phone(digits: &str, facts: &Facts) -> bool {
    let end = from_the_last(digits);
    facts.phones.iter().any(|phone| from_the_last(phone).starts_with(&*end))
}

fn judge_split(split: &Split, facts: &Facts) -> Option<NameRank> {
    let alone = split.family.is_empty() || split.givens.is_empty();
    match written(split, facts) {
        Some((Likeness::Exact, _)) if split.family.is_empty() && split.givens.len() == 1 => {
            Some(NameRank::ExactGiven)
        }
        Some((Likeness::Exact, _)) => Some(NameRank::Exact),
        Some((Likeness::Begins, 1)) if !(alone && split.family.is_empty()) => {
            Some(NameRank::Begins)
        }
        Some((Likeness::Begins, _)) => Some(NameRank::AllBegin),
        Some((Likeness::Called, _)) => Some(NameRank::Called),
        None => sounds(split, facts).then_some(NameRank::Sounds),
    }
}

/// How the words fit as they are written: the worst of them, and how many are not exact.
fn written(split: &Split, facts: &Facts) -> Option<(Likeness, usize)> {
    let mut worst = Likeness::Exact;
    let mut inexact = 0;
    let family = (!split.family.is_empty())
        .then(|| like(&split.family, &facts.families).filter(|like| *like != Likeness::Called));
    let givens = split.givens.iter().map(|given| like(given, &facts.givens));
    for likeness in family.into_iter().chain(givens) {
        let likeness = likeness?;
        worst = worst.max(likeness);
        inexact += usize::from(likeness != Likeness::Exact);
    }
    Some((worst, inexact))
}

fn like(word: &str, names: &[String]) -> Option<Likeness> {
    let of = |name: &String| {
        if name == word {
            Some(Likeness::Exact)
        } else if name.starts_with(word) {
            Some(Likeness::Begins)
        } else {
            nickname::are_related(word, name).then_some(Likeness::Called)
        }
    };
    names.iter().filter_map(of).min()
}

/// Whether the family name sounds as the word does, and each given name begins to, or is a form of one
/// that does.
fn sounds(split: &Split, facts: &Facts) -> bool {
    let Some(family) = sound(&split.family) else { return false };
    if !facts.families.iter().any(|name| sound(name).as_ref() == Some(&family)) {
        return false;
    }
    split.givens.iter().all(|word| {
        let Some(given) = sound(word) else { return false };
        let forms = nickname::related(word);
        facts.givens.iter().filter_map(|name| sound(name)).any(|own| {
            own.starts_with(&given) || forms.iter().any(|f| sound(f).as_ref() == Some(&own))
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn facts(family: &str, given: &str, born: &str, phone: &str, id: &str) -> Facts {
        let mut facts = Facts::default();
        facts.family(family);
        facts.given(given);
        facts.phone(phone);
        facts.born = fhir::date::parse(born).map(|r| (r.low, r.high));
        facts.identifiers.push(id.to_owned());
        facts
    }

    fn rank(line: &str, facts: &Facts) -> Option<NameRank> {
        judge(&Question::read(line, 2026).unwrap(), facts, &[]).map(|rank| rank.name)
    }

    #[test]
    fn names_fit_by_how_they_are_written_then_called_then_heard() {
        let john = facts("Smith", "John", "1961-03-14", "555-010-0142", "MRN123");
        let bill = facts("Smith", "William", "1961-03-14", "", "");
        for (line, facts, expected) in [
            ("smith john", &john, Some(NameRank::Exact)),
            ("john smith", &john, Some(NameRank::Exact)),
            ("smith", &john, Some(NameRank::Exact)),
            ("john", &john, Some(NameRank::ExactGiven)),
            ("smith jo", &john, Some(NameRank::Begins)),
            ("smi", &john, Some(NameRank::Begins)),
            ("joh", &john, Some(NameRank::AllBegin)),
            ("smi jo", &john, Some(NameRank::AllBegin)),
            ("jo smi", &john, Some(NameRank::AllBegin)),
            ("smith, jack", &john, Some(NameRank::Called)),
            ("smith bill", &bill, Some(NameRank::Called)),
            ("smyth jon", &john, Some(NameRank::Sounds)),
            ("smyth bill", &bill, Some(NameRank::Sounds)),
            ("smyth", &john, Some(NameRank::Sounds)),
            ("john, smith", &john, None),
            ("smith mary", &john, None),
            ("jones", &john, None),
        ] {
            assert_eq!(rank(line, facts), expected, "{line}");
        }
    }

    #[test]
    fn names_of_several_words_fit_by_any_of_them() {
        let mary = facts("van der Berg", "Mary Ann", "1990-01-01", "", "");
        for line in [
            "berg",
            "vanderberg mary",
            "van der berg ann",
            "mary ann van der berg",
            "maryann berg",
            "berg, mary ann",
            "van der berg, mary",
        ] {
            assert_eq!(rank(line, &mary), Some(NameRank::Exact), "{line}");
        }
    }

    #[test]
    fn everything_that_is_asked_must_hold() {
        let john = facts("Smith", "John", "1961-03-14", "(555) 010-0142", "MRN123");
        for line in [
            "smith 3/14/61",
            "smith 1961",
            "smith 0142",
            "mrn MRN123",
            "0142 1961",
            "010-0142",
            "mrn12",
            "14 mar 1961",
        ] {
            assert!(rank(line, &john).is_some(), "{line}");
        }
        for line in
            ["smith 3/14/62", "smith 1962", "smith 0143", "mrn 123", "jones 0142", "tel 142 555"]
        {
            assert_eq!(rank(line, &john), None, "{line}");
        }
        let number =
            |line: &str| judge(&Question::read(line, 2026).unwrap(), &john, &[]).unwrap().number;
        assert!(number("mrn123") < number("0142") && number("0142") < number("mrn12"));
    }

    #[test]
    fn a_member_number_counts_for_whom_the_payer_calls_so() {
        let john = facts("Smith", "John", "1961-03-14", "", "");
        let question = Question::read("member W99881", 2026).unwrap();
        assert_eq!(judge(&question, &john, &[]), None);
        assert!(judge(&question, &john, &[0]).is_some());
    }

    proptest! {
        /// What a patient is called in the record finds the patient, whatever the order.
        #[test]
        fn a_patient_is_found_by_its_own_name(family in "[A-Za-zñé]{1,12}", given in "[A-Za-zñé]{1,12}", cut in 1usize..12) {
            let known = facts(&family, &given, "1961-03-14", "", "");
            prop_assert_eq!(rank(&format!("{family}, {given}"), &known), Some(NameRank::Exact));
            prop_assert_eq!(rank(&format!("{given} {family}"), &known), Some(NameRank::Exact));
            let begin: String = family.chars().take(cut).collect();
            prop_assert!(rank(&begin, &known).is_some());
        }

        #[test]
        fn any_question_is_judged(line in "\\PC{0,60}", family in "\\PC{0,20}", given in "\\PC{0,20}") {
            if let Ok(question) = Question::read(&line, 2026) {
                let _ = judge(&question, &facts(&family, &given, "1961", "5550142", "1"), &[]);
            }
        }
    }
}
