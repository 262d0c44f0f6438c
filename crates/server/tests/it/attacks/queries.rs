//! Attacks 2 to 6, 16: what a search could tell of a hidden record. Each is asked before and after what is
//! hidden changes, and must answer the same.

use crate::attacks::world::{World, ids};
use crate::client::person;
use identity::{Kind, Profile};

#[test]
fn attack_02_a_hidden_value_is_not_halved_by_has() {
    let world = World::new();
    let halves: Vec<String> = [5, 15, 60, 75, 85, 95]
        .iter()
        .map(|n| format!("/Patient?_has:Observation:patient:value-quantity=gt{n}&_total=accurate"))
        .collect();
    let mut queries: Vec<&str> = halves.iter().map(String::as_str).collect();
    queries.extend([
        "/Patient?_has:Observation:patient:date=gt2021-03",
        "/Patient?_has:Observation:patient:_has:DiagnosticReport:result:status=final",
        "/Practitioner?_has:Patient:general-practitioner:family=Bob",
        "/Observation?_has:Condition:evidence-detail:subject=bob",
    ]);
    // Ann's is 70, what Part 2 keeps of hers is 90, and Bob's is 80.
    assert_eq!(ids(&world.get(&halves[2])), ["ann"]);
    assert_eq!(ids(&world.get(&halves[3])), Vec::<String>::new());
    world.tell_nothing(&queries);
}

#[test]
fn attack_03_a_chain_does_not_lead_through_what_is_hidden() {
    let world = World::new();
    let found = |path: &str| ids(&world.get(path));
    assert_eq!(found("/DiagnosticReport?result.value-quantity=70"), ["of-ann"]);
    for path in [
        "/DiagnosticReport?result.value-quantity=gt75",
        "/DiagnosticReport?result.subject:Patient.family=Bob",
        "/Condition?evidence-detail:Observation.value-quantity=80",
        "/Patient?link:Patient.family=Bob",
        "/Patient?link.birthdate=1980-01-01",
    ] {
        assert_eq!(found(path), Vec::<String>::new(), "{path}");
    }
    world.tell_nothing(&[
        "/DiagnosticReport?result.value-quantity=gt75",
        "/DiagnosticReport?result.value-quantity=lt20",
        "/DiagnosticReport?result.subject:Patient.family=Zimmerly",
        "/Condition?evidence-detail:Observation.date=2024-04-04",
        "/Patient?link:Patient.family:missing=true",
        "/Patient?link.birthdate=1995-05-05",
    ]);
}

#[test]
fn attack_04_no_include_reaches_out_of_what_may_be_seen() {
    let world = World::new();
    for path in [
        "/DiagnosticReport?_include=DiagnosticReport:result",
        "/DiagnosticReport?_include=DiagnosticReport:result&_include:iterate=Observation:subject",
        "/DiagnosticReport?_include=*",
        "/Patient?_include=Patient:link",
        "/Patient?_include=Patient:link&_revinclude:iterate=Observation:subject",
        "/Patient?_revinclude=*",
        "/Observation?_revinclude=Condition:evidence-detail",
        "/Observation?_revinclude=List:item",
        "/Condition?_include=Condition:evidence-detail",
    ] {
        let answer = world.get(path);
        if answer.status == 200 {
            for id in ids(&answer) {
                assert!(!["bob", "of-bob", "part2"].contains(&&*id), "{path}: {id}");
            }
        }
        world.tell_nothing(&[path]);
        // The change is made anew each time: put the deleted one back.
        world.put("/Condition/of-bob", &super::world::condition("of-bob", "bob", ""));
    }
}

#[test]
fn attack_05_no_count_counts_what_is_hidden() {
    let world = World::new();
    assert_eq!(world.get("/Observation?_summary=count").at("total"), "2");
    assert_eq!(world.get("/Observation?_count=1&_total=accurate").at("total"), "2");
    world.tell_nothing(&[
        "/Observation?_summary=count",
        "/Observation?_count=0",
        "/Observation?_count=1&_total=accurate",
        "/Observation?_count=1&_total=estimate",
        "/Observation?_count=2",
        "/Observation?_count=100000",
        "/Observation/_history?_count=1",
        "/_history?_count=1",
        "/?_type=Observation,Condition,Patient&_total=accurate",
        "/Patient/ann/Observation?_summary=count",
        "/Patient/bob/Observation?_summary=count",
    ]);
    // Nor do the pages themselves, followed to their end.
    let pages = |first: &str| {
        let (mut page, mut count) = (world.get(first), 1);
        while let Some(next) = page.link("next") {
            page = world.get(&next);
            count += 1;
        }
        count
    };
    assert_eq!(pages("/Observation?_count=1"), 2);
}

#[test]
fn attack_06_no_order_follows_a_hidden_key() {
    let world = World::new();
    world.tell_nothing(&[
        "/Observation?_sort=value-quantity",
        "/Observation?_sort=-date",
        "/Observation?_sort=-_lastUpdated",
        "/Patient?_sort=birthdate,-family",
        "/DiagnosticReport?_sort=result.value-quantity",
        "/DiagnosticReport?_sort=result",
        "/?_type=Patient,Observation&_sort=-_lastUpdated",
    ]);
}

#[test]
fn attack_16_no_modifier_asks_after_what_is_hidden() {
    let world = World::new();
    world.tell_nothing(&[
        "/Observation?value-quantity:missing=false",
        "/Observation?code:not=http://loinc.org|1-1",
        "/Observation?code:text=weight",
        "/Observation?code-value-quantity=http://loinc.org|29463-7$gt75",
        "/Observation?identifier:of-type=urn:a|b|of-bob",
        "/Observation?subject:identifier=urn:mrn|b-1",
        "/Observation?_security=42CFRPart2",
        "/Observation?_security:not=42CFRPart2",
        "/Observation?_text=kg",
        "/Observation?_content=kg",
        "/Observation?_filter=value-quantity%20gt%2075",
        "/Observation?_query=current",
        "/Observation?_list=of-bob",
        "/Patient?name:contains=ob",
        "/Patient?family:exact=Bob",
        "/Patient?_elements=birthDate&family=Bob",
    ]);
}

#[test]
fn attack_16_a_masked_element_is_no_parameter_at_all() {
    let world = World::new();
    let reason =
        r#""reasonCode":[{"coding":[{"system":"http://snomed.info/sct","code":"86406008"}]}],"#;
    let body = format!(
        r#"{{"resourceType":"Appointment","id":"a","status":"booked",{reason}"participant":[{{"actor":{{"reference":"Patient/ann"}},"status":"accepted"}}]}}"#
    );
    world.put("/Appointment/a", &body);
    let desk = Profile { sites: vec!["north".into()], ..person("desk", &["front-desk"]) };
    let desk = world.server.token(Kind::Person, desk);
    let ask = |query: &str| world.server.get_as(&desk, &format!("/Appointment?{query}"));
    assert_eq!(ids(&ask("status=booked")), ["a"]);
    for query in [
        "reason-code=86406008",
        "reason-code=http://snomed.info/sct|1",
        "reason-code:missing=true",
        "reason-code:not=86406008",
        "reason-code:text=hiv",
        "status=booked&reason-code:missing=false",
        "_sort=reason-code",
    ] {
        let (masked, unknown) = (ask(query), ask(&query.replace("reason-code", "no-such-word")));
        assert_eq!((masked.status, masked.code()), (unknown.status, unknown.code()), "{query}");
        assert_eq!(masked.status, 400, "{query}");
    }
    for path in [
        "/Patient?_has:Appointment:actor:reason-code=86406008",
        "/AppointmentResponse?appointment.reason-code=86406008",
        "/AppointmentResponse?appointment.reason-code:missing=true",
    ] {
        assert_eq!(world.server.get_as(&desk, path).status, 400, "{path}");
    }
}
