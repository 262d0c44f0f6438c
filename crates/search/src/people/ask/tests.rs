//! Lines as people at a desk type them, and what each is read as.

use super::*;
use proptest::prelude::*;

fn read(line: &str) -> Question {
    Question::read(line, 2026).unwrap_or_else(|why| panic!("{line}: {why:?}"))
}

fn named(line: &str) -> (Vec<String>, Option<usize>) {
    let names = read(line).names.unwrap();
    (names.words, names.family)
}

fn day(text: &str) -> Span {
    let range = fhir::date::parse(text).unwrap();
    (range.low, range.high)
}

#[test]
fn names_are_parts_in_either_order_unless_a_comma_says_which() {
    assert_eq!(named("smi jo"), (vec!["smi".into(), "jo".into()], None));
    assert_eq!(named("SMITH, John"), (vec!["smith".into(), "john".into()], Some(1)));
    assert_eq!(
        named("van der Berg,J"),
        (["van", "der", "berg", "j"].map(str::to_owned).to_vec(), Some(3))
    );
    assert_eq!(named("smith,"), (vec!["smith".into()], Some(1)));
    let splits = read("smi jo").names.unwrap().splits();
    assert_eq!(splits.len(), 4);
    assert!(splits.contains(&Split { family: "jo".into(), givens: vec!["smi".into()] }));
    assert_eq!(read("smith, jo").names.unwrap().splits().len(), 1);
}

#[test]
fn dates_of_birth_are_found_among_other_words() {
    for line in
        ["smith 14-Mar-1961", "14 mar 1961 smith", "smith dob: 3/14/61", "smith, march 14, 1961"]
    {
        let question = read(line);
        assert_eq!(question.born, [vec![day("1961-03-14")]], "{line}");
        assert_eq!(question.names.unwrap().words, ["smith"], "{line}");
        assert!(question.numbers.is_empty(), "{line}");
    }
    assert_eq!(read("3/4/1961").born, [vec![day("1961-03-04"), day("1961-04-03")]]);
    assert_eq!(read("1961-03").born, [vec![day("1961-03")]]);
    assert_eq!(read("born 1961").born, [vec![day("1961")]]);
    let june = read("june 1961");
    assert!(june.born.is_empty() && june.names.unwrap().words == ["june"]);
    assert_eq!(june.numbers[0].born, [day("1961")]);
}

#[test]
fn numbers_are_whatever_they_may_be() {
    let number = |line: &str| read(line).numbers.remove(0);
    let plain = number("555-0142");
    assert!(plain.identifier && plain.phone && plain.digits == "5550142");
    let mrn = number("MRN 00123");
    assert!(mrn.identifier && !mrn.phone && !mrn.member && mrn.text == "00123");
    assert_eq!(number("mrn:00123"), mrn);
    assert_eq!(number("#00123"), mrn);
    assert_eq!(number("# 00123"), mrn);
    let last = number("0142 smith");
    assert!(last.identifier && last.phone && last.born.is_empty());
    assert_eq!(number("smith 1961").born, [day("1961")]);
    assert!(number("1961").born.is_empty(), "a year alone is everybody born in it");
    let eight = number("19610314");
    assert!(eight.identifier && eight.born == [day("1961-03-14")]);
    let member = number("member id W1234-5");
    assert!(member.member && !member.identifier && member.text == "W1234-5");
    for line in ["(555) 010-0142", "555 010 0142", "+1 555 010 0142", "tel 555.010.0142"] {
        let phone = number(line);
        assert!(phone.phone && phone.digits.ends_with("5550100142"), "{line}: {phone:?}");
        assert_eq!(read(line).numbers.len(), 1, "{line}");
    }
}

#[test]
fn identifiers_are_looked_for_as_they_are_spelled() {
    let of = |line: &str| read(line).numbers.remove(0).spellings();
    assert_eq!(of("123456789"), ["123-45-6789", "123456789"]);
    assert_eq!(of("ab-12"), ["AB-12", "ab-12"]);
}

#[test]
fn what_names_nobody_is_refused() {
    for line in ["", "   ", ",", "- - -", "()"] {
        assert_eq!(Question::read(line, 2026), Err(Misread::Empty), "{line:?}");
    }
    for line in ["a b c d e f g", "1 2 3 4 5", &"x".repeat(201)] {
        assert_eq!(Question::read(line, 2026), Err(Misread::TooLong), "{line:?}");
    }
}

#[test]
fn what_may_not_be_seen_is_not_looked_for_and_not_dropped_in_silence() {
    let all = Seen { name: true, born: true, phone: true, identifier: true, member: true };
    let no_phone = Seen { phone: false, ..all };
    let number = read("0142").within(&no_phone).unwrap().numbers.remove(0);
    assert!(number.identifier && !number.phone);
    assert_eq!(read("tel 0142").within(&no_phone), None);
    assert_eq!(read("smith").within(&Seen { name: false, ..all }), None);
    assert_eq!(read("smith 3/14/61").within(&Seen { born: false, ..all }), None);
    let year = read("smith 1961").within(&Seen { born: false, ..all }).unwrap();
    assert!(year.numbers[0].born.is_empty());
    assert_eq!(read("smith 0142").within(&all), Some(read("smith 0142")));
}

proptest! {
    #[test]
    fn any_line_is_read_or_refused(line in "\\PC{0,220}") {
        if let Ok(question) = Question::read(&line, 2026) {
            prop_assert!(question != Question::default());
            if let Some(names) = &question.names {
                prop_assert!(!names.words.is_empty() && names.words.len() <= WORDS_MAX);
                prop_assert!(names.words.iter().all(|word| !word.is_empty()));
                prop_assert!(names.splits().iter().all(|s| !s.family.is_empty() || !s.givens.is_empty()));
            }
        }
    }

    #[test]
    fn lines_like_those_at_a_desk_are_read_or_refused(
        line in "([A-Za-z,]{1,6}|[0-9/.-]{1,10}|mrn|dob|#|:|mar|tel|\\(|\\)| ){1,12}"
    ) {
        let _ = Question::read(&line, 2026).map(|q| (q.names_alone(), q.numbers.iter().map(Number::spellings).count()));
    }
}
