//! What the specification says of a few well-known types, and the shape of the whole.

use super::*;

#[test]
fn knows_patient() {
    let patient = r4().named("Patient").unwrap();
    assert_eq!(patient.kind, TypeKind::Resource);
    let name = patient.member("name").unwrap();
    assert_eq!(r4().name(name.of.id), "HumanName");
    assert!(name.element.repeats());
    let deceased = patient.member("deceasedBoolean").unwrap();
    assert!(deceased.element.choice);
    assert_eq!(deceased.element.name, "deceased");
    assert!(patient.member("deceased").is_none(), "a choice has no bare name");
    let contact = patient.member("contact").unwrap();
    assert_eq!(r4().name(contact.of.id), "Patient.contact");
    let gender = patient.element("gender").unwrap().binding.unwrap();
    assert_eq!(gender.strength, Strength::Required);
    let codes = r4().value_set(gender.value_set).unwrap();
    assert!(codes.contains_code("female") && !codes.contains_code("F"));
}

#[test]
fn knows_recursive_content() {
    let item = r4().named("Questionnaire.item").unwrap();
    assert_eq!(item.member("item").unwrap().of.id, item.id);
}

#[test]
fn knows_inheritance() {
    let d = r4();
    let id = |n| d.type_id(n).unwrap();
    assert!(d.is_a(id("Patient"), id("DomainResource")));
    assert!(d.is_a(id("Age"), id("Quantity")));
    assert!(!d.is_a(id("Bundle"), id("DomainResource")));
    assert!(d.resource_type("DomainResource").is_none(), "abstract");
}

#[test]
fn holds_the_whole_of_r4() {
    let d = r4();
    assert_eq!(d.resource_types().count(), 146);
    assert_eq!(d.search_parameters().len(), 1400);
    assert_eq!(d.compartments().iter().filter(|c| c.compartment == "Patient").count(), 66);
    assert!(d.operations().iter().any(|o| o.code == "everything" && o.on_instance));
    let mut elements = 0;
    for id in d.types() {
        let t = d.get(id);
        elements += t.elements.len();
        for e in &t.elements {
            assert!(!e.types.is_empty(), "{}.{} has no type", t.name, e.name);
            if let Some(b) = e.binding.filter(|b| b.strength == Strength::Required) {
                let set = d.value_set(b.value_set);
                assert!(set.is_some_and(|s| s.open || !s.systems().is_empty()), "{}", b.value_set);
            }
        }
    }
    assert!(elements > 6000, "{elements}");
}
