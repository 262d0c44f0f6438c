//! Every kind of condition, order and page, on a small clinic.

use crate::help::{Case, case};
use store::Scope;

pub(crate) fn clinic() -> Case {
    let c = case();
    for json in [
        r#"{"resourceType":"Organization","id":"org","name":"St. Mary's Hospital"}"#,
        r#"{"resourceType":"Practitioner","id":"doc","name":[{"family":"Who"}],"gender":"female"}"#,
        r#"{"resourceType":"Patient","id":"ann","identifier":[{"system":"urn:mrn","value":"1","type":{"coding":[{"system":"urn:t","code":"MR"}]}}],"name":[{"family":"Müller","given":["Ann","Zoe"]}],"gender":"female","birthDate":"1980-02-03","managingOrganization":{"reference":"Organization/org"},"generalPractitioner":[{"reference":"Practitioner/doc"}]}"#,
        r#"{"resourceType":"Patient","id":"bob","identifier":[{"system":"urn:mrn","value":"2"},{"value":"1"}],"name":[{"family":"Mullins","given":["Bob"]}],"gender":"male","birthDate":"1990-07"}"#,
        r#"{"resourceType":"Patient","id":"cy","name":[{"family":"O'Neil"}],"birthDate":"2001"}"#,
        &observation("o1", "ann", "2020-01-01T10:00:00Z", "8302-2", 170.0, "cm", ""),
        &observation("o2", "ann", "2021-01-01T10:00:00Z", "8302-2", 171.0, "cm", ""),
        &observation(
            "o3",
            "ann",
            "2022-01-01T10:00:00Z",
            "29463-7",
            70.0,
            "kg",
            r#","meta":{"security":[{"system":"http://terminology.hl7.org/CodeSystem/v3-Confidentiality","code":"R"}]}"#,
        ),
        &observation("o4", "bob", "2019-06-01", "29463-7", 90.5, "kg", ""),
        r#"{"resourceType":"Observation","id":"bp","status":"final","code":{"coding":[{"system":"http://loinc.org","code":"85354-9","display":"Blood pressure panel"}]},"subject":{"reference":"Patient/bob"},"effectivePeriod":{"start":"2020-03-01","end":"2020-03-05"},"component":[{"code":{"coding":[{"system":"http://loinc.org","code":"8480-6"}]},"valueQuantity":{"value":150,"unit":"mmHg"}},{"code":{"coding":[{"system":"http://loinc.org","code":"8462-4"}]},"valueQuantity":{"value":60,"unit":"mmHg"}}]}"#,
        r#"{"resourceType":"Condition","id":"c1","subject":{"reference":"Patient/ann"},"code":{"coding":[{"system":"urn:sct","code":"44054006"}],"text":"Type 2 diabetes"}}"#,
        r#"{"resourceType":"ValueSet","id":"vs","url":"http://x.org/a/b","status":"active","text":{"status":"generated","div":"<div xmlns=\"http://www.w3.org/1999/xhtml\">Rare <b>words</b> here</div>"}}"#,
        r#"{"resourceType":"List","id":"l1","status":"current","mode":"working","entry":[{"item":{"reference":"Patient/bob"}},{"item":{"reference":"Patient/cy"}}]}"#,
        r#"{"resourceType":"RiskAssessment","id":"r1","status":"final","subject":{"reference":"Patient/ann"},"prediction":[{"probabilityDecimal":0.20}]}"#,
    ] {
        c.put(json);
        c.clock.turn(1000);
    }
    c
}

#[expect(clippy::too_many_arguments, reason = "one for each column of the clinic's table")]
fn observation(
    id: &str,
    patient: &str,
    date: &str,
    code: &str,
    value: f64,
    unit: &str,
    more: &str,
) -> String {
    format!(
        r#"{{"resourceType":"Observation","id":"{id}"{more},"status":"final","code":{{"coding":[{{"system":"http://loinc.org","code":"{code}"}}]}},"subject":{{"reference":"Patient/{patient}"}},"effectiveDateTime":"{date}","valueQuantity":{{"value":{value},"unit":"{unit}","system":"http://unitsofmeasure.org","code":"{unit}"}}}}"#
    )
}

#[test]
fn conditions() {
    let c = clinic();
    let table: &[(&str, &str)] = &[
        ("Patient", "ann bob cy"),
        ("Patient?family=mull", "ann bob"),
        ("Patient?family=MÜLLER", "ann"),
        ("Patient?family:exact=Müller", "ann"),
        ("Patient?family:exact=Muller", ""),
        ("Patient?family:contains=LL", "ann bob"),
        ("Patient?name=zoe", "ann"),
        ("Patient?gender=male,female", "ann bob"),
        ("Patient?gender:not=male", "ann cy"),
        ("Patient?gender:missing=true", "cy"),
        ("Patient?gender:missing=false", "ann bob"),
        ("Patient?identifier=urn:mrn|1", "ann"),
        ("Patient?identifier=1", "ann bob"),
        ("Patient?identifier=|1", "bob"),
        ("Patient?identifier=urn:mrn|", "ann bob"),
        ("Patient?identifier=urn:other|1", ""),
        ("Patient?identifier:of-type=urn:t|MR|1", "ann"),
        ("Patient?birthdate=1990", "bob"),
        ("Patient?birthdate=lt1990", "ann"),
        ("Patient?birthdate=ge1990-07-15", "bob cy"),
        ("Patient?birthdate=sa1990", "cy"),
        ("Patient?birthdate=ne2001", "ann bob"),
        ("Patient?_id=ann,cy", "ann cy"),
        ("Patient?_lastUpdated=gt2023-11-14T22:13:22Z", "bob cy"),
        ("Patient?organization=Organization/org", "ann"),
        ("Patient?organization=org", "ann"),
        ("Patient?general-practitioner=Practitioner/doc", "ann"),
        ("Patient?general-practitioner:Practitioner=doc", "ann"),
        ("Patient?general-practitioner:Practitioner.name=who", "ann"),
        ("Patient?organization.name=st", "ann"),
        ("Patient?_has:Observation:patient:code=29463-7", "ann bob"),
        ("Patient?_has:Observation:patient:code=29463-7&gender=male", "bob"),
        ("Patient?_has:Observation:patient:code=zzz", ""),
        ("Patient?_list=l1", "bob cy"),
        ("Observation?code=8302-2", "o1 o2"),
        ("Observation?code=http://loinc.org|8302-2,29463-7&subject=Patient/ann", "o1 o2 o3"),
        ("Observation?patient=ann&code=8302-2", "o1 o2"),
        ("Observation?patient.gender=male", "o4 bp"),
        ("Observation?patient.organization.name=st", "o1 o2 o3"),
        ("Observation?subject:Patient.name=bob&code=85354-9", "bp"),
        ("Observation?patient._has:Condition:patient:code=44054006", "o1 o2 o3"),
        ("Observation?value-quantity=gt100", "o1 o2"),
        ("Observation?value-quantity=171||cm", "o2"),
        ("Observation?value-quantity=171|http://unitsofmeasure.org|kg", ""),
        ("Observation?value-quantity=1.71|http://unitsofmeasure.org|m", "o2"),
        ("Observation?value-quantity=gt80000||g", "o4"),
        ("Observation?code-value-quantity=8302-2$lt1.705||m", "o1"),
        ("Observation?value-quantity=170.2", ""),
        ("Observation?value-quantity=le90.5", "o3 o4"),
        ("Observation?code-value-quantity=8302-2$gt170", "o2"),
        ("Observation?component-code-value-quantity=8480-6$gt140", "bp"),
        ("Observation?component-code-value-quantity=8462-4$gt140", ""),
        ("Observation?combo-code-value-quantity=8480-6$150,29463-7$90.5", "o4 bp"),
        ("Observation?date=2020-03-03", ""),
        ("Observation?date=ap2020-03-03", "o1 bp"),
        ("Observation?date=ge2020&date=lt2021", "o1 bp"),
        ("Observation?code:text=pressure", "bp"),
        ("Condition?code:text=type 2", "c1"),
        ("ValueSet?url=http://x.org/a/b", "vs"),
        ("ValueSet?url:below=http://x.org/a", "vs"),
        ("ValueSet?url:below=http://x.org/a/bc", ""),
        ("ValueSet?url:above=http://x.org/a/b/c", "vs"),
        ("ValueSet?_text=words rare", "vs"),
        ("ValueSet?_content=missing", ""),
        ("RiskAssessment?probability=0.2", "r1"),
        ("RiskAssessment?probability=gt0.2", ""),
        ("?_type=Condition,List", "c1 l1"),
    ];
    let scope = Scope::everything();
    for (url, expected) in table {
        assert_eq!(c.ids(url), *expected, "{url}");
        let total = expected.split_whitespace().count() as u64;
        assert_eq!(c.total(&scope, url), total, "count of {url}");
    }
}

#[test]
fn orders() {
    let c = clinic();
    let table: &[(&str, &str)] = &[
        ("Patient?_sort=birthdate", "ann bob cy"),
        ("Patient?_sort=-birthdate", "cy bob ann"),
        ("Patient?_sort=gender", "ann bob cy"),
        ("Patient?_sort=-gender", "bob ann cy"),
        ("Patient?_sort=-_lastUpdated", "cy bob ann"),
        ("Patient?_sort=family", "ann bob cy"),
        ("Patient?_sort=-_id", "cy bob ann"),
        ("Observation?_sort=code,-date", "o3 o4 o2 o1 bp"),
        ("Observation?patient=ann&_sort=-date", "o3 o2 o1"),
        ("Observation?patient=ann&_sort=date", "o1 o2 o3"),
        ("Observation?patient=ann&code=8302-2&_sort=-date", "o2 o1"),
        ("Observation?_sort=value-quantity", "o3 o4 o1 o2 bp"),
    ];
    for (url, expected) in table {
        assert_eq!(c.ids(url), *expected, "{url}");
    }
}

#[test]
fn includes() {
    let c = clinic();
    let table: &[(&str, &str)] = &[
        ("Observation?_id=o1&_include=Observation:subject", "o1 + ann"),
        ("Observation?_id=o1&_include=Observation:subject:Group", "o1"),
        ("Observation?_id=o1&_include=*", "o1 + ann"),
        (
            "Observation?_id=o1&_include=Observation:patient&_include:iterate=Patient:general-practitioner",
            "o1 + ann doc",
        ),
        ("Patient?_id=ann&_revinclude=Condition:patient", "ann + c1"),
        ("Patient?_id=bob&_revinclude=Observation:subject", "bob + bp o4"),
    ];
    for (url, expected) in table {
        assert_eq!(c.ids(url), *expected, "{url}");
    }
}

#[test]
fn updates_and_deletions_move_the_index() {
    let c = clinic();
    c.put(
        r#"{"resourceType":"Patient","id":"bob","name":[{"family":"Newman"}],"gender":"female"}"#,
    );
    c.delete("Patient", "cy");
    assert_eq!(c.ids("Patient?family=mull"), "ann");
    assert_eq!(c.ids("Patient?family=newman&gender=female"), "bob");
    assert_eq!(c.ids("Patient?gender=male"), "");
    assert_eq!(c.ids("Patient"), "ann bob");
    assert_eq!(c.ids("Patient?identifier=urn:mrn|2"), "");
    assert_eq!(c.total(&Scope::everything(), "Patient"), 2);
    c.delete("Observation", "o2");
    assert_eq!(c.ids("Observation?patient=ann&code=8302-2&_sort=-date"), "o1");
}

#[test]
fn pages_belong_to_the_snapshot_of_the_first() {
    let c = case();
    let patient = |n: usize, family: &str| {
        format!(r#"{{"resourceType":"Patient","id":"p{n}","name":[{{"family":"{family}"}}]}}"#)
    };
    for n in 0..9 {
        c.put(&patient(n, &format!("f{n}")));
    }
    let scope = Scope::everything();
    for (sort, expected) in [
        ("", "p0 p1 p2 p3 p4 p6 p7 p8"),
        ("?_sort=family", "p0 p1 p2 p3 p4 p6 p7 p8"),
        ("?_sort=-family", "p8 p7 p6 p4 p3 p2 p1 p0"),
        ("?_sort=_lastUpdated", "p0 p1 p2 p3 p4 p6 p7 p8"),
    ] {
        let c = case();
        for n in 0..9 {
            c.put(&patient(n, &format!("f{n}")));
        }
        let url = format!("Patient{sort}");
        let mut seen = Vec::new();
        let mut position = None;
        let mut pages = Vec::new();
        loop {
            let page = c.page(&scope, &url, 3, position).unwrap();
            pages.push(page.previous);
            seen.extend(page.matches.iter().map(|h| h.id.clone()));
            position = page.next;
            if position.is_none() {
                break;
            }
            // Between pages: a newcomer, one moved to either end, one deleted.
            c.put(&patient(100 + seen.len(), "f0"));
            c.put(&patient(1, "f9"));
            c.put(&patient(7, "a"));
            c.delete("Patient", "p5");
        }
        // What was deleted before its page came is not shown again.
        let seen: Vec<_> = seen.into_iter().filter(|id| id != "p5").collect();
        assert_eq!(seen.join(" "), expected, "{sort}");
        assert!(pages[0].is_none() && pages[1].is_some());
        let back = c.page(&scope, &url, 3, pages[1]).unwrap();
        let ids: Vec<_> = back.matches.iter().map(|h| h.id.as_str()).collect();
        assert_eq!(ids, seen[..3].iter().map(String::as_str).collect::<Vec<_>>(), "back of {sort}");
    }
}

#[test]
fn a_runaway_is_refused() {
    let c = clinic();
    let level = search::parse::Level::Type(crate::help::kind("Observation"));
    let pairs = search::parse::decode_query("patient.gender=male").unwrap();
    let search = search::parse::parse(&level, &pairs, &crate::help::strict()).unwrap();
    let scope = Scope::everything();
    let request = store::PageRequest { count: 10, position: None, include_max: 10, steps_max: 3 };
    let refused = c.store.reader(&scope).unwrap().search(&search, &request).unwrap_err();
    assert_eq!(refused.code().name, "search.query.too-costly");
    let request = store::PageRequest { include_max: 1, steps_max: 1000, ..request };
    let pairs = search::parse::decode_query("_revinclude=Observation:subject").unwrap();
    let level = search::parse::Level::Type(crate::help::kind("Patient"));
    let search = search::parse::parse(&level, &pairs, &crate::help::strict()).unwrap();
    let refused = c.store.reader(&scope).unwrap().search(&search, &request).unwrap_err();
    assert_eq!(refused.code().name, "search.include.too-many");
}

#[test]
fn walked_orders_agree_with_sorted_ones() {
    let c = case();
    // More than a driver counts, so that the engine walks indexes; many records share an instant.
    let json = |n: usize, day: usize| {
        format!(
            r#"{{"resourceType":"Observation","id":"n{n:04}","status":"final","code":{{"text":"x"}},"effectiveDateTime":"2020-01-{:02}"}}"#,
            day % 27 + 1
        )
    };
    for from in (0..2400).step_by(400) {
        let texts: Vec<String> = (from..from + 400).map(|n| json(n, n * 7)).collect();
        c.try_put(&texts.iter().map(String::as_str).collect::<Vec<_>>()).unwrap();
    }
    // Some are changed later, and move in the order of changes and of dates.
    for n in [5, 700, 1900] {
        c.put(&json(n, n * 11 + 3));
    }
    let scope = Scope::everything();
    let walk = |sort: &str| {
        let url = format!("Observation?status=final&_sort={sort}");
        let (mut ids, mut backs, mut position) = (Vec::new(), Vec::new(), None);
        let mut plans = Vec::new();
        for _ in 0..4 {
            let page = c.page(&scope, &url, 90, position).unwrap();
            backs.push((page.previous, ids.len()));
            ids.extend(page.matches.into_iter().map(|h| h.id));
            plans = page.explain.plan;
            position = page.next;
        }
        let (back, at) = backs[3];
        let page = c.page(&scope, &url, 90, back).unwrap();
        let before: Vec<_> = page.matches.into_iter().map(|h| h.id).collect();
        assert_eq!(before, ids[at - 90..at], "back in {sort}");
        (ids, plans.join("; "))
    };
    let day = |n: usize| {
        let times = if [5, 700, 1900].contains(&n) { n * 11 + 3 } else { n * 7 };
        times % 27
    };
    let changed =
        |n: usize| [5, 700, 1900].iter().position(|m| *m == n).map_or(n, |at| 10_000 + at);
    for (sort, key) in [
        ("date", Box::new(|n: usize| (day(n), n)) as Box<dyn Fn(usize) -> (usize, usize)>),
        ("-date", Box::new(|n| (100 - day(n), n))),
        ("_lastUpdated", Box::new(|n| (changed(n), n))),
        ("-_lastUpdated", Box::new(|n| (100_000 - changed(n), n))),
    ] {
        let mut expected: Vec<usize> = (0..2400).collect();
        expected.sort_by_key(|n| key(*n));
        let expected: Vec<_> = expected.iter().take(360).map(|n| format!("n{n:04}")).collect();
        let (ids, plan) = walk(sort);
        assert!(plan.contains("walking"), "{sort}: {plan}");
        assert_eq!(ids, expected, "{sort}");
    }
}
