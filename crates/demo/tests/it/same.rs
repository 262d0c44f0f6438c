//! The same options give the same bytes, and more patients change nobody.

use std::collections::BTreeSet;

use demo::{Clinic, Options, Resource};

use crate::clinic::made;

#[test]
fn equal_options_give_equal_bytes() {
    let (a, b) = (made(), made());
    assert!(a.resources().take(20_000).eq(b.resources().take(20_000)));
    let other = Clinic::new(Options::new(30, 8, (2026, 11, 23)));
    assert_ne!(a.patient(3), other.patient(3), "another seed is another clinic");
}

#[test]
fn patients_do_not_depend_on_order_or_number() {
    let (few, many) = [25, 5000].map(|n| Clinic::new(Options::new(n, 3, (2026, 2, 28)))).into();
    for i in (0..25).rev() {
        let (a, b): (Vec<Resource>, Vec<Resource>) = (few.patient(i), many.patient(i));
        assert_eq!(a, b, "patient {i}");
    }
    // What is shared stays as well, but for the slots newcomers sit in and the staff they need.
    let fixed = |c: &Clinic| -> Vec<Resource> {
        c.shared().filter(|r| r.resource_type != "Slot").collect()
    };
    let (few, many) = (fixed(&few), fixed(&many));
    assert_eq!(few, many[..few.len()]);
}

#[test]
fn sinks_see_what_iterators_give() {
    let clinic = made();
    let mut seen = Vec::new();
    clinic.patient_into(11, &mut |resource_type, id, json| {
        seen.push(Resource { resource_type, id: id.to_owned(), json: json.to_owned() });
    });
    assert_eq!(seen, clinic.patient(11));
    let mut count = 0;
    clinic.shared_into(&mut |_, _, _| count += 1);
    assert_eq!(count, clinic.shared().count());
}

#[test]
fn ids_are_unique() {
    let mut ids = BTreeSet::new();
    for r in made().resources() {
        assert_eq!(r.id.len(), 36);
        assert!(ids.insert((r.resource_type, r.id.clone())), "{} {}", r.resource_type, r.id);
    }
}

#[test]
fn charts_are_as_thick_as_the_documentation_says() {
    let clinic = made();
    let count: usize = (0..400).map(|i| clinic.patient(i).len()).sum();
    assert!((80..=120).contains(&(count / 400)), "{}", count / 400);
}

#[test]
fn a_clinic_of_any_size_and_depth_is_made() {
    for (patients, years) in [(0, 8), (1, 1), (13, 40), (1009, 2)] {
        let options =
            Options { years_of_history: years, ..Options::new(patients, 1, (2024, 2, 29)) };
        let clinic = Clinic::new(options);
        assert_eq!(
            clinic.resources().filter(|r| r.resource_type == "Patient").count() as u64,
            patients
        );
    }
}

#[test]
fn cores_can_share_the_work() {
    let clinic = made();
    let whole: Vec<Resource> = (0..40).flat_map(|i| clinic.patient(i)).collect();
    let halves = std::thread::scope(|scope| {
        let work = |range: std::ops::Range<u64>| {
            let clinic = &clinic;
            scope.spawn(move || range.flat_map(|i| clinic.patient(i)).collect::<Vec<_>>())
        };
        let (a, b) = (work(0..20), work(20..40));
        [a.join().unwrap(), b.join().unwrap()].concat()
    });
    assert_eq!(whole, halves);
}
