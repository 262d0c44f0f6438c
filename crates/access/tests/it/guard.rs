//! The guard as an algebra of records: what it lets through, and how it tells it.

use access::{Choice, Facts, Guard, Labels, Name, Set};

use crate::support::{Dice, facts, kind, label, throw};

fn one_of(names: &[&str]) -> Choice<Name> {
    Choice::one_of(Set::of(names.iter().map(|name| Name::from(*name))))
}

fn set(names: &[&str]) -> Set<Name> {
    Set::of(names.iter().map(|name| Name::from(*name)))
}

/// A demand on one fact.
fn atom(dice: &mut Dice) -> Guard {
    let names = |dice: &mut Dice, of: &[&str]| {
        let some = dice.some(of, 2);
        let choice = one_of(&some);
        if dice.one_in(2) { choice.not() } else { choice }
    };
    match dice.below(10) {
        0 => Guard::tenants(names(dice, &crate::support::TENANTS)),
        1 => {
            let kinds = Choice::one_of(Set::of([kind("Observation"), kind("Claim")]));
            Guard::kinds(if dice.one_in(2) { kinds.not() } else { kinds })
        }
        2 => Guard::sites(names(dice, &crate::support::SITES).and(&Choice::present())),
        3 => Guard::sites(names(dice, &crate::support::SITES)),
        4 => Guard::authors(names(dice, &crate::support::USERS)),
        5 => Guard::vip(dice.one_in(2)),
        6 => Guard::touching(set(&dice.some(&crate::support::PATIENTS, 2))),
        7 => Guard::avoiding(set(&dice.some(&crate::support::PATIENTS, 2))),
        8 => Guard::with_patients(dice.one_in(2)),
        _ => {
            let labels = Labels::known(dice.some(&crate::support::POLICY_LABELS, 6));
            if dice.one_in(2) { Guard::carrying(labels) } else { Guard::withholding(labels) }
        }
    }
}

type Says = Box<dyn Fn(&Facts<'_>) -> bool>;

/// A guard, and the same said in plain logic.
fn grown(dice: &mut Dice, depth: usize) -> (Guard, Says) {
    if depth == 0 || dice.one_in(4) {
        let guard = atom(dice);
        let same = guard.clone();
        return (guard, Box::new(move |facts| same.allows(facts)));
    }
    let ((one, one_says), (two, two_says)) = (grown(dice, depth - 1), grown(dice, depth - 1));
    if dice.one_in(2) {
        (one.and(&two).unwrap(), Box::new(move |facts| one_says(facts) && two_says(facts)))
    } else {
        (one.or(&two).unwrap(), Box::new(move |facts| one_says(facts) || two_says(facts)))
    }
}

#[test]
fn and_and_or_of_guards_are_and_and_or_of_what_they_let_through() {
    let mut dice = Dice(7);
    let mut through = 0;
    for round in 0..3_000 {
        let (guard, says) = grown(&mut dice, 4);
        for _ in 0..20 {
            let facts = throw(&mut dice).facts;
            assert_eq!(guard.allows(&facts), says(&facts), "round {round}: {guard}\n{facts:?}");
            assert_eq!(guard.for_kind(facts.kind).allows(&facts), says(&facts), "{guard}");
            through += usize::from(says(&facts));
            if guard.is_everything() {
                assert!(says(&facts));
            }
            if guard.is_nothing() {
                assert!(!says(&facts));
            }
        }
    }
    assert!((15_000..45_000).contains(&through), "{through} of 60000: the dice are loaded");
}

#[test]
fn contradictions_are_nothing_and_alternatives_that_cover_all_are_everything() {
    let north = Guard::sites(one_of(&["north"]));
    let south = Guard::sites(one_of(&["south"]));
    assert!(north.and(&south).unwrap().is_nothing());
    assert!(Guard::vip(true).or(&Guard::vip(false)).unwrap().is_everything());
    let hiv = label("HIV");
    assert!(Guard::carrying(hiv).and(&Guard::withholding(hiv)).unwrap().is_nothing());
    assert!(Guard::touching(set(&[])).is_nothing());
    let ada = Guard::touching(set(&["ada"]));
    assert!(ada.and(&Guard::with_patients(false)).unwrap().is_nothing());
    assert!(ada.and(&Guard::avoiding(set(&["ada", "bob"]))).unwrap().is_nothing());
    assert_eq!(Guard::everything().and(&ada).unwrap(), ada);
}

#[test]
fn a_guard_that_would_grow_beyond_the_limit_is_refused() {
    let mut guard = Guard::nothing();
    for number in 0..=access::CLAUSES_MAX {
        let site = Guard::sites(one_of(&[&number.to_string()]));
        let both = site.and(&Guard::authors(one_of(&[&number.to_string()]))).unwrap();
        match guard.or(&both) {
            Ok(grown) => guard = grown,
            Err(access::TooManyClauses) => {
                assert_eq!(number, access::CLAUSES_MAX);
                return;
            }
        }
    }
    panic!("it grew beyond the limit");
}

#[test]
fn a_record_without_patients_is_reached_by_no_list_of_patients() {
    let ada = Guard::touching(set(&["ada"]));
    assert!(ada.allows(&facts()));
    assert!(!ada.allows(&Facts { patients: &[], ..facts() }));
    assert!(ada.allows(&Facts { patients: &["cyd", "ada"], ..facts() }));
}

#[test]
fn a_compliance_officer_can_read_a_guard() {
    let tenant = Guard::tenants(one_of(&["clinic"]));
    let many: Vec<String> = (1..=40).map(|number| format!("p{number:02}")).collect();
    let many: Vec<&str> = many.iter().map(String::as_str).collect();
    let care = Guard::touching(set(&many));
    let site = Guard::sites(one_of(&["north", "south"])).and(&Guard::vip(false)).unwrap();
    let walls = Guard::withholding(label("42CFRPart2") | label("PSYTHPN"));
    let clinician = tenant.and(&walls).unwrap().and(&care.or(&site).unwrap()).unwrap();
    let kinds = Guard::kinds(Choice::one_of(Set::of([kind("Claim"), kind("Coverage")])).not());
    let lines = [
        Guard::everything().to_string(),
        Guard::nothing().to_string(),
        tenant.to_string(),
        clinician.to_string(),
        kinds.to_string(),
        Guard::withholding(!Labels::NONE).to_string(),
        Guard::withholding(!label("HIV")).to_string(),
        Guard::carrying(label("R")).to_string(),
        Guard::sites(one_of(&["north"]).not()).to_string(),
        Guard::authors(Choice::present()).to_string(),
        Guard::with_patients(false).to_string(),
    ];
    let text = lines.join("\n") + "\n";
    crate::matrix::golden("guards.txt", &text);
}

#[test]
#[ignore = "a measurement: run it in release"]
#[expect(clippy::print_stdout, reason = "a measurement is for whoever runs it")]
fn how_long_a_test_of_a_record_takes() {
    let patients: Vec<String> = (0..500).map(|number| format!("patient-{number}")).collect();
    let patients: Vec<&str> = patients.iter().map(String::as_str).collect();
    let mut guard = Guard::nothing();
    for number in 0..12 {
        let site = Guard::sites(one_of(&[&format!("site-{number}"), "hub"]));
        let care = Guard::touching(set(&patients[number * 40..]));
        let author = Guard::authors(one_of(&[&format!("user-{number}")]));
        let clause = site.and(&care).unwrap().and(&author).unwrap();
        let clause = clause.and(&Guard::tenants(one_of(&["clinic"]))).unwrap();
        guard = guard.or(&clause).unwrap();
    }
    assert_eq!(guard.clauses().len(), 12);
    // Let through by the last clause alone, and by none.
    let last = guard.clauses().len();
    for (name, site, author) in [("hit", "hub", "user-11"), ("miss", "hub", "nobody")] {
        let facts =
            Facts { patients: &["patient-499"], site: Some(site), author: Some(author), ..facts() };
        assert_eq!(guard.allows(&facts), name == "hit");
        let rounds = 2_000_000_u32;
        let began = std::time::Instant::now();
        let mut count = 0_u32;
        for _ in 0..rounds {
            count += u32::from(std::hint::black_box(&guard).allows(std::hint::black_box(&facts)));
        }
        let each = began.elapsed().as_nanos() / u128::from(rounds);
        println!("{last} clauses, {name}: {each} ns ({count})");
    }
}

#[test]
fn what_one_guard_lets_through_beyond_another_is_a_guard() {
    let mut dice = Dice(11);
    let (mut differ, mut empty) = (0, 0);
    for round in 0..3_000 {
        let (one, one_says) = grown(&mut dice, 3);
        // Often one that is close, as a change of a policy makes it.
        let (two, two_says) = match dice.below(3) {
            0 => {
                let (more, says) = grown(&mut dice, 1);
                let both = one.and(&more).unwrap();
                let same = one.clone();
                (both, Box::new(move |facts: &Facts<'_>| same.allows(facts) && says(facts)) as Says)
            }
            _ => grown(&mut dice, 3),
        };
        let left = one.minus(&two).unwrap();
        empty += usize::from(left.is_nothing());
        for _ in 0..20 {
            let facts = throw(&mut dice).facts;
            let says = one_says(&facts) && !two_says(&facts);
            assert_eq!(left.allows(&facts), says, "round {round}:\n{one}\nwithout\n{two}\n{left}");
            differ += usize::from(says);
        }
        assert!(one.minus(&one).unwrap().is_nothing(), "{one}");
    }
    assert!(differ > 5_000, "{differ}: a weak test");
    assert!(empty > 100, "{empty}: a weak test");
}
