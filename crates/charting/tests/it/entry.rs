//! The one-line entry of vital signs, as text in and values out.

use charting::entry::{LINE_BYTES_MAX, Wrong, read};
use charting::sign::Sign;
use proptest::prelude::*;

fn words(line: &str) -> Vec<String> {
    let read = read(line).unwrap_or_else(|troubles| panic!("{line}: {troubles:?}"));
    read.iter().map(charting::entry::Entered::words).collect()
}

fn wrong(line: &str) -> Vec<(&str, Wrong)> {
    let troubles = read(line).expect_err(line);
    troubles.into_iter().map(|one| (&line[one.at], one.what)).collect()
}

#[test]
fn a_line_is_read_as_it_was_meant_with_the_unit_it_was_typed_in() {
    let line = "bp 128/82 hr 71 t 98.4 wt 180lb rr 16 spo2 98 ht 5'10\" pain 3 glucose 96";
    assert_eq!(
        words(line),
        [
            "128/82 mmHg",
            "71/min",
            "98.4 °F (36.9 °C)",
            "180 lb (81.6 kg)",
            "16/min",
            "98%",
            "70 in (177.8 cm)",
            "3 of 10",
            "96 mg/dL",
        ]
    );
}

#[test]
fn the_same_is_understood_however_it_is_spaced_and_spelled() {
    let plain = words("bp 128/82 hr 71 t 36.6 c wt 81.6 kg ht 178 cm o2 98 glu 5.3 mmol/l");
    for line in [
        "BP:128/82 HR:71 T:36.6c WT:81.6kg HT:178cm O2:98% GLU:5.3mmol/L",
        "bp128/82 p71 temp36.6 wt81.6kg ht178cm spo298 bg5.3mmol",
        "bp 128 / 82, pulse 71; temp 36.6 °C, weight 81.6 kgs height 1.78 m sats 98 % bs 5.3 mmol/l",
    ] {
        assert_eq!(words(line), plain, "{line}");
    }
    for height in
        ["5'10\"", "5' 10\"", "5' 10", "5ft10in", "5 ft 10 in", "5’10”", "70in", "70 inches"]
    {
        assert_eq!(words(&format!("ht {height} hr 60"))[0], "70 in (177.8 cm)", "{height}");
    }
    assert_eq!(words("ht 6'"), ["72 in (182.9 cm)"]);
    assert_eq!(words("   "), Vec::<String>::new());
}

#[test]
fn a_value_that_can_be_of_one_sign_only_needs_no_name() {
    assert_eq!(
        words("120/80 72 36.8 98% 70kg"),
        ["120/80 mmHg", "72/min", "36.8 °C", "98%", "70 kg"]
    );
    assert_eq!(
        words("70 kg 5'10\" 3/10 rr 16"),
        ["70 kg", "70 in (177.8 cm)", "3 of 10", "16/min"]
    );
    assert_eq!(words("120/80 180 lb"), ["120/80 mmHg", "180 lb (81.6 kg)"], "a unit says which");
    for line in ["72", "98", "70", "12.5", "98.6", "120/80 72 16"] {
        assert!(wrong(line).iter().all(|(_, what)| *what == Wrong::Name), "{line}");
    }
    assert_eq!(wrong("120/80 110/70"), [("110/70", Wrong::Twice)]);
}

#[test]
fn what_could_mean_two_things_is_refused_at_its_place() {
    assert_eq!(wrong("hr 71 wt 180"), [("wt 180", Wrong::UnitMissing)]);
    assert_eq!(wrong("ht 70"), [("ht 70", Wrong::UnitMissing)]);
    assert_eq!(wrong("glucose 30"), [("glucose 30", Wrong::UnitMissing)]);
    assert_eq!(wrong("t 60"), [("t 60", Wrong::UnitMissing)]);
    assert_eq!(wrong("t 36,8"), [("t 36,8", Wrong::Comma)]);
}

#[test]
fn each_trouble_is_told_with_its_place_and_all_at_once() {
    let line = "bp 82/128 xx 5 hr 71 hr 72 rr wt 900kg spo2 98.5.1 pain 3.5 t 98 kg";
    assert_eq!(
        wrong(line),
        [
            ("bp 82/128", Wrong::Reversed),
            ("xx", Wrong::Name),
            ("hr 72", Wrong::Twice),
            ("rr", Wrong::NoValue),
            ("wt 900kg", Wrong::Impossible),
            ("spo2 98.5.1", Wrong::Value),
            ("pain 3.5", Wrong::Value),
            ("t 98 kg", Wrong::UnknownUnit),
        ]
    );
    assert_eq!(wrong("bp 128"), [("bp 128", Wrong::Value)]);
    assert_eq!(wrong("hr 71 bpm2"), [("bpm2", Wrong::Name)]);
    assert_eq!(wrong("wt 0kg"), [("wt 0kg", Wrong::Impossible)]);
    assert_eq!(wrong("ht 5'12\""), [("ht 5'12\"", Wrong::Value)]);
    let long = "hr 71 ".repeat(LINE_BYTES_MAX);
    assert_eq!(read(&long).unwrap_err()[0].what, Wrong::TooLong);
}

proptest! {
    #[test]
    fn no_line_makes_it_panic_and_every_place_is_within_the_line(line in "\\PC{0,80}") {
        let places: Vec<_> = match read(&line) {
            Ok(all) => all.into_iter().map(|one| one.at).collect(),
            Err(all) => all.into_iter().map(|one| one.at).collect(),
        };
        for at in places {
            prop_assert!(line.get(at).is_some());
        }
    }

    #[test]
    fn lines_of_known_words_never_panic_and_nothing_is_read_twice(
        parts in proptest::collection::vec(
            prop_oneof!["bp|hr|t|wt|ht|pain|glu|o2|spo2|rr", "[0-9]{1,4}(\\.[0-9])?", "kg|lb|cm|f|c|%|'|\"|/|,|mmol/l"],
            0..12,
        ),
        gap in prop_oneof![Just(""), Just(" "), Just("\u{2003}")],
    ) {
        let line = parts.join(gap);
        if let Ok(all) = read(&line) {
            let mut signs: Vec<Sign> = all.iter().map(|one| one.sign).collect();
            signs.sort();
            signs.dedup();
            prop_assert_eq!(signs.len(), all.len());
            prop_assert!(all.iter().all(|one| line.get(one.at.clone()).is_some()));
        }
    }

    #[test]
    fn what_is_possible_is_kept_digit_by_digit(
        systolic in 80_i64..200, diastolic in 20_i64..79, pulse in 10_i64..350, tenths in 350_i64..420,
    ) {
        let (whole, tenth) = (tenths / 10, tenths % 10);
        let line = format!("bp {systolic}/{diastolic} hr {pulse} t {whole}.{tenth}");
        let read = read(&line).unwrap();
        prop_assert_eq!(read[0].value.to_string(), systolic.to_string());
        prop_assert_eq!(read[0].second.unwrap().to_string(), diastolic.to_string());
        prop_assert_eq!(read[1].value.to_string(), pulse.to_string());
        prop_assert_eq!(read[2].value.to_string(), format!("{whole}.{tenth}"));
    }
}
