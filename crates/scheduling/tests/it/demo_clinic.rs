//! The demo clinic keeps the rules that it is shown with.

use base::Limits;
use demo::{Clinic, Options};
use fhir::Document;
use scheduling::occupancy::OCCUPYING;
use std::collections::BTreeMap;

/// The appointments of a clinic by actor: when they begin and end, and which they are.
type Book = BTreeMap<String, Vec<(String, String, String)>>;

#[test]
fn the_book_of_the_demo_clinic_is_not_double_booked() {
    for seed in [5] {
        let clinic = Clinic::new(Options::new(1_000, seed, (2026, 11, 23)));
        let mut book = Book::new();
        let mut seen = 0;
        for resource in
            clinic.resources().filter(|resource| resource.resource_type == "Appointment")
        {
            let document = Document::parse_text(resource.json.clone(), &Limits::default()).unwrap();
            let root = document.root();
            let text = |name: &str| root.get_str(name).unwrap_or_default().into_owned();
            if !OCCUPYING.contains(&text("status").as_str()) {
                continue;
            }
            seen += 1;
            let instant = |name: &str| {
                let range = fhir::date::parse(&text(name)).unwrap();
                base::Millis(range.low).to_instant()
            };
            for participant in root.get("participant").unwrap().items() {
                let actor = participant.get("actor").unwrap().get_str("reference").unwrap();
                // A site has room for many.
                if !actor.starts_with("Location/") {
                    let times = (instant("start"), instant("end"), text("id"));
                    book.entry(actor.into_owned()).or_default().push(times);
                }
            }
        }
        assert!(seen > 400, "{seen}");
        for (actor, mut times) in book {
            times.sort();
            for pair in times.windows(2) {
                assert!(pair[0].1 <= pair[1].0, "{actor} is double booked, seed {seed}: {pair:?}");
            }
        }
    }
}
