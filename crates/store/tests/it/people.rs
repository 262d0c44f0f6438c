//! Patients found by one line: what fits, in which order, under which scope; and the keys for it, which
//! follow the records through everything that is done to them.

#![expect(clippy::unwrap_used, reason = "a test helper fails its test")]

use crate::help::{Case, case, kind, open_as};
use rusqlite::Connection;
use search::people::ask::{Question, Seen};
use std::path::Path;
use std::sync::Arc;
use store::{Alike, Clause, Options, People, PeopleAsk, Scope, Store};
use testkit::clock::Turned;

const ALL: Seen = Seen { name: true, born: true, phone: true, identifier: true, member: true };

fn patient(id: &str, name: &str, born: &str, phone: &str) -> String {
    let (family, given) = name.split_once(", ").unwrap();
    format!(
        r#"{{"resourceType":"Patient","id":"{id}","name":[{{"family":"{family}","given":["{given}"]}}],
        "birthDate":"{born}","telecom":[{{"system":"phone","value":"{phone}"}}],
        "identifier":[{{"system":"urn:mrn","value":"M-{id}"}}]}}"#
    )
}

fn clinic() -> Case {
    let c = case();
    for (id, name, born, phone) in [
        ("p1", "Smith, John", "1961-03-14", "555-010-0142"),
        ("p2", "Smith, William", "1970-01-01", "555-010-0199"),
        ("p3", "Smyth, Jon", "1961-03-14", "555-010-0200"),
        ("p4", "Smithson, Joan", "1961-03", "555-010-1142"),
        ("p5", "Núñez, José", "1985-04-03", "555-010-0300"),
        ("p6", "van der Berg, Mary Ann", "1990-12-01", "555-010-0400"),
        ("p7", "John, Smith", "1950-05-05", "555-010-0500"),
        ("p8", "Smith, John", "1999-09-09", "555-010-0600"),
    ] {
        c.put(&patient(id, name, born, phone));
    }
    c.put(
        r#"{"resourceType":"Coverage","id":"c1","status":"active","identifier":[{"value":"W99881"}],
        "beneficiary":{"reference":"Patient/p5"},"payor":[{"reference":"Organization/x"}]}"#,
    );
    c
}

fn ask(store: &Store, scope: &Scope, line: &str, limit: usize) -> People {
    let question = Question::read(line, 2026).unwrap();
    let ask = PeopleAsk { question: &question, seen: ALL, limit, steps_max: 100_000 };
    store.reader(scope).unwrap().people(&ask).unwrap()
}

fn ids_in(c: &Case, scope: &Scope, line: &str) -> String {
    let found = ask(&c.store, scope, line, 20).found;
    found.iter().map(|p| p.hit.id.as_str()).collect::<Vec<_>>().join(" ")
}

fn ids(c: &Case, line: &str) -> String {
    ids_in(c, &Scope::everything(), line)
}

#[test]
fn a_line_finds_patients_the_best_fitting_first() {
    let c = clinic();
    for (line, expected) in [
        ("smith", "p1 p8 p2 p7 p4 p3"),
        ("smith john", "p7 p1 p8 p3"),
        ("SMITH, John", "p1 p8 p3"),
        ("smi jo", "p7 p1 p8 p4"),
        ("jo smi", "p7 p1 p8 p4"),
        ("smith bill", "p2"),
        ("smyth bill", "p2"),
        ("smyth jon", "p3 p7 p1 p8"),
        ("nunez pepe", "p5"),
        ("pepe", "p5"),
        ("NÚÑEZ", "p5"),
        ("berg", "p6"),
        ("van der berg ann", "p6"),
        ("s", "p1 p8 p2 p4 p3 p7"),
        ("xavier", ""),
        ("14-Mar-1961", "p1 p3"),
        ("1961-03", "p1 p4 p3"),
        ("smith 3/14/61", "p1 p3"),
        ("smith 1961", "p1 p4 p3"),
        ("4/3/85", "p5"),
        ("3/4/85", "p5"),
        ("0142", "p1"),
        ("142", ""),
        ("010-0142", "p1"),
        ("0142 smith", "p1"),
        ("M-p2", "p2"),
        ("mrn M-p3", "p3"),
        ("W99881", "p5"),
        ("member w99881", "p5"),
    ] {
        assert_eq!(ids(&c, line), expected, "{line}");
    }
}

#[test]
fn when_nobody_is_all_that_was_asked_for_the_name_alone_answers_and_says_so() {
    let c = clinic();
    let found = ask(&c.store, &Scope::everything(), "smith, john 1/1/1901", 20);
    assert!(found.by_name_alone && found.found.len() == 3);
    assert!(!ask(&c.store, &Scope::everything(), "smith, john 3/14/61", 20).by_name_alone);
    let nobody = ask(&c.store, &Scope::everything(), "xavier 1/1/1901", 20);
    assert!(!nobody.by_name_alone && nobody.found.is_empty());
}

#[test]
fn an_answer_is_the_best_of_many_and_says_that_there_are_more() {
    let c = case();
    for n in 0..60 {
        let name = if n == 59 { "Aab, Zoe" } else { "Aabel, Ann" };
        c.put(&patient(&format!("q{n:02}"), name, "1961-03-14", "555-010-0142"));
    }
    let found = ask(&c.store, &Scope::everything(), "aab", 5);
    let ids: Vec<&str> = found.found.iter().map(|p| p.hit.id.as_str()).collect();
    assert_eq!(ids, ["q59", "q00", "q01", "q02", "q03"]);
    assert!(found.more);
    assert!(found.steps < 60, "it stops when it has enough: {}", found.steps);
    assert!(!ask(&c.store, &Scope::everything(), "zoe", 5).more);
}

#[test]
fn both_names_by_their_beginnings_are_found_without_reading_everybody_called_so() {
    let c = case();
    let mut n = 0;
    let mut put = |family: &str, given: &str| {
        n += 1;
        c.put(&patient(&format!("r{n:03}"), &format!("{family}, {given}"), "1961-03-14", "555"));
    };
    for family in ["Ada", "Adam", "Adama", "Adams"] {
        for given in ["Ann", "Zed"] {
            (0..60).for_each(|_| put(family, given));
        }
        put(family, "Milo");
    }
    // As many are called so by the one name as by the other.
    (0..600).for_each(|_| put("Bell", "Mia"));
    for line in ["ada mi", "mi ada"] {
        let found = ask(&c.store, &Scope::everything(), line, 3);
        let all = found.found.iter().map(|p| String::from_utf8_lossy(&p.hit.body).into_owned());
        let all: Vec<String> = all.collect();
        assert!(all.iter().all(|one| one.contains(r#""given":["Milo"]"#)), "{line}");
        assert!(all.len() == 3 && found.more, "{line}");
        assert!(found.steps < 265, "{line}: {} steps", found.steps);
    }
}

#[test]
fn several_given_names_find_who_has_them_all_however_common_each_is() {
    let c = case();
    let put = |id: String, family: &str, given: &str| {
        c.put(&patient(&id, &format!("{family}, {given}"), "1961-03-14", "555"));
    };
    for n in 0..250 {
        put(format!("a{n}"), "Mary", "Ann");
        put(format!("m{n}"), "Lee", "Mary");
        put(format!("n{n}"), "Lee", "Ann");
        put(format!("w{n}"), "Lee", "William");
    }
    put("both".into(), "Lee", "Mary Ann");
    put("ray".into(), "Lee", "William Ray");
    for (line, first) in [("mary ann", "both"), ("mar an", "both"), ("an mar", "both")] {
        let found = ask(&c.store, &Scope::everything(), line, 20);
        let at = found.found.iter().position(|p| p.hit.id == first);
        assert!(at.is_some(), "{line}");
    }
    assert_eq!(ids(&c, "bill ray"), "ray");
}

#[test]
fn patients_who_are_easily_taken_for_another_are_marked() {
    let c = clinic();
    let marks = |scope: &Scope, line: &str| -> Vec<(String, bool, bool)> {
        let found = ask(&c.store, scope, line, 20).found;
        found.into_iter().map(|p| (p.hit.id, p.same_name, p.sounds_alike)).collect()
    };
    let all = Scope::everything();
    let mark = |id: &str, same, alike| (id.to_owned(), same, alike);
    assert_eq!(
        marks(&all, "smith, john"),
        [mark("p1", true, false), mark("p8", true, false), mark("p3", false, true)]
    );
    assert_eq!(marks(&all, "smith william"), [mark("p2", false, false)]);
    // Whoever cannot see the other is not told that there is one.
    let some = Scope::any_of(vec![Clause {
        about: vec![Arc::new(["p1", "p2"].map(Arc::from).into())],
        ..Clause::default()
    }]);
    assert_eq!(marks(&some, "smith, john"), [mark("p1", false, false)]);
}

/// Whatever is hidden changes nothing: the answer is the one of a store that does not have it.
#[test]
fn what_is_hidden_is_in_no_answer_order_count_or_warning() {
    let hidden = [
        ("h1", "Smith, John", "1961-03-14", "555-010-0142"),
        ("h2", "Smith, Bill", "1970-01-01", "555-010-0199"),
        ("h3", "Smythe, Jon", "1961-03-14", "555-010-0200"),
    ];
    let (without, with) = (clinic(), clinic());
    for (id, name, born, phone) in hidden {
        let label = r#""meta":{"security":[{"system":"http://terminology.hl7.org/CodeSystem/v3-Confidentiality","code":"R"}]},"#;
        let body = patient(id, name, born, phone).replacen('{', &format!("{{{label}"), 1);
        with.put(&body);
    }
    let scope = Scope::everything().without_labels(1);
    for line in [
        "smith",
        "smith john",
        "smi jo",
        "smith bill",
        "smyth jon",
        "s",
        "0142",
        "0199",
        "14-Mar-1961",
        "M-h1",
        "smith, john 3/14/61",
        "1961-03",
        "smythe",
    ] {
        for limit in [1, 2, 20] {
            let (one, other) =
                (ask(&without.store, &scope, line, limit), ask(&with.store, &scope, line, limit));
            let told = |people: &People| {
                let rows = people
                    .found
                    .iter()
                    .map(|p| (p.hit.id.clone(), p.rank, p.same_name, p.sounds_alike));
                (rows.collect::<Vec<_>>(), people.more, people.by_name_alone)
            };
            assert_eq!(told(&one), told(&other), "{line} {limit}");
        }
    }
    assert_eq!(ids(&with, "smith, bill"), "h2 p2", "and who may see it finds it");
}

#[test]
fn a_few_patients_scope_is_asked_of_them_alone() {
    let c = clinic();
    let scope = Scope::everything().of_patient("p1");
    assert_eq!(ids_in(&c, &scope, "smi"), "p1");
    assert_eq!(ids_in(&c, &scope, "smith bill"), "");
    assert_eq!(ids_in(&c, &scope, "0199"), "");
    assert!(ask(&c.store, &scope, "smith", 20).steps < 10);
    assert_eq!(ids_in(&c, &Scope::nothing(), "smith"), "");
    let no_patients = Scope::everything().of_types([kind("Observation")]);
    assert_eq!(ids_in(&c, &no_patients, "smith"), "");
    let no_coverage = Scope::everything().of_types([kind("Patient")]);
    assert_eq!(ids_in(&c, &no_coverage, "W99881"), "", "whose policy it is stands in a coverage");
}

#[test]
fn a_search_that_costs_too_much_is_refused() {
    let c = clinic();
    let question = Question::read("smith", 2026).unwrap();
    let ask = PeopleAsk { question: &question, seen: ALL, limit: 20, steps_max: 2 };
    let refused = c.store.reader(&Scope::everything()).unwrap().people(&ask).unwrap_err();
    assert_eq!(refused.code().name, "search.query.too-costly");
}

#[test]
fn who_shares_something_with_a_draft_is_a_candidate_for_it() {
    let c = clinic();
    let alike = |seen: Seen, scope: &Scope| -> Vec<String> {
        let mut facts = search::people::key::Facts::default();
        facts.family("Smith");
        facts.given("Jack");
        facts.phone("(555) 010-0300");
        facts.born = fhir::date::parse("1961-03-14").map(|r| (r.low, r.high));
        facts.identifiers.push("M-p6".to_owned());
        let ask = Alike { facts: &facts, seen, limit: 20, steps_max: 100_000 };
        let hits = c.store.reader(scope).unwrap().alike(&ask).unwrap();
        hits.into_iter().map(|hit| hit.id).collect()
    };
    let all = Scope::everything();
    assert_eq!(alike(ALL, &all), ["p1", "p3", "p6", "p5"]);
    let no_phone = Seen { phone: false, identifier: false, ..ALL };
    assert_eq!(alike(no_phone, &all), ["p1", "p3"], "what is hidden brings nobody");
    assert_eq!(alike(ALL, &Scope::everything().of_patient("p5")), ["p5"]);
}

/// Every row of `find` of a closed plain store.
fn keys(dir: &Path) -> Vec<String> {
    let conn = Connection::open(dir.join("records.sqlite")).unwrap();
    let mut s = conn.prepare("SELECT kind, key, rid, born FROM find").unwrap();
    let rows = s.query_map([], |row| {
        let (kind, key, rid): (i64, String, i64) = (row.get(0)?, row.get(1)?, row.get(2)?);
        Ok(format!("{kind} {key} {rid} {:?}", row.get::<_, Option<i64>>(3)?))
    });
    rows.unwrap().map(Result::unwrap).collect()
}

fn plain(dir: tempfile::TempDir) -> Case {
    let clock = Turned::at(1_700_000_000_000);
    let store = open_as(dir.path(), &clock, None).unwrap();
    Case { store, clock, dir }
}

fn close(c: Case) -> tempfile::TempDir {
    let Case { store, dir, .. } = c;
    drop(store);
    dir
}

fn change(dir: &Path, sql: &str) {
    Connection::open(dir.join("records.sqlite")).unwrap().execute_batch(sql).unwrap();
}

#[test]
fn keys_follow_a_patient_through_changes_deletion_and_return() {
    let c = plain(tempfile::tempdir().unwrap());
    c.put(&patient("a", "Smith, John", "1961-03-14", "555-010-0142"));
    assert_eq!(ids(&c, "smith 0142"), "a");
    c.put(&patient("a", "Jones, John", "1961-03-15", "555-010-0143"));
    assert_eq!(
        (ids(&c, "smith"), ids(&c, "0142"), ids(&c, "jones 3/15/61")),
        ("".into(), "".into(), "a".into())
    );
    c.delete("Patient", "a");
    assert_eq!(ids(&c, "jones"), "");
    c.put(&patient("a", "Smith, John", "1961-03-14", "555-010-0142"));
    c.put(&patient("b", "Smith-Jones, Ana María", "1961", "+1 555 010 0144"));
    assert_eq!(ids(&c, "smith"), "a b");
    let dir = close(c);
    let kept = keys(dir.path());
    // The same keys as a store has that makes all of them anew.
    change(
        dir.path(),
        "DELETE FROM meta WHERE key = 'find_rules'; INSERT INTO find VALUES (1, 'stale key', 1, 1)",
    );
    let dir = close(plain(dir));
    assert_eq!(keys(dir.path()), kept);
    assert!(kept.len() > 12, "{kept:?}");
}

#[test]
fn a_store_of_the_version_before_gets_its_keys_when_it_is_opened() {
    let c = plain(tempfile::tempdir().unwrap());
    for n in 0..30 {
        c.put(&patient(&format!("p{n}"), "Smith, John", "1961-03-14", "555-010-0142"));
    }
    let dir = close(c);
    let kept = keys(dir.path());
    change(
        dir.path(),
        "DROP TABLE find; DELETE FROM meta WHERE key = 'find_rules'; PRAGMA user_version = 3;",
    );
    let c = plain(dir);
    assert_eq!(ask(&c.store, &Scope::everything(), "smith", 20).found.len(), 20);
    assert_eq!(keys(close(c).path()), kept);
}

#[test]
fn a_start_that_is_killed_while_it_makes_keys_goes_on_where_it_was() {
    let c = plain(tempfile::tempdir().unwrap());
    for n in 0..30 {
        c.put(&patient(&format!("p{n}"), "Smith, John", "1961-03-14", "555-010-0142"));
    }
    let dir = close(c);
    let kept = keys(dir.path());
    // What a kill between two batches leaves: the first patients done, and how far that was.
    let left = "DELETE FROM find WHERE rid > 10; DELETE FROM meta WHERE key = 'find_rules'; \
                INSERT INTO meta VALUES ('find_making', 1), ('find_from', 10);";
    change(dir.path(), left);
    let dir = close(plain(dir));
    assert_eq!(keys(dir.path()), kept);
    // A row of a patient that was done is left alone: the work is not begun again.
    change(dir.path(), &format!("{left} DELETE FROM find WHERE rid = 1;"));
    let dir = close(plain(dir));
    assert_eq!(
        keys(dir.path()).len(),
        kept.len() - kept.iter().filter(|k| k.contains(" 1 Some")).count()
    );
}

#[test]
fn a_bulk_load_puts_its_keys_in_before_the_first_question() {
    let dir = tempfile::tempdir().unwrap();
    let clock = Turned::at(1_700_000_000_000);
    let options = Options { clock: clock.clone(), seed: 7, defer: true, ..Options::default() };
    let c = Case { store: Store::open(dir.path(), options).unwrap(), clock, dir };
    c.put(&patient("a", "Smith, John", "1961-03-14", "555-010-0142"));
    assert_eq!(ids(&c, "smith 0142"), "a");
}
