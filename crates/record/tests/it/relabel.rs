//! Rules of labels that change: what waits is withheld from whom it may matter to, work that is killed
//! goes on, a rule holds from its day, and a site says what is a programme and who is a VIP.

use crate::support::{doc, of, run, settings};
use access::Labels;
use audit::Kind;
use base::error::code;
use base::{Clock, Millis};
use record::{Audited, Level, Record, Scope, SearchHow, Session, Settings, Subject};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

/// A clock that stands still until it is set.
#[derive(Debug)]
struct Set(AtomicI64);

impl Set {
    fn to(&self, day: &str) {
        self.0.store(fhir::date::parse(day).unwrap().low, Ordering::Relaxed);
    }
}

impl Clock for Set {
    fn now(&self) -> Millis {
        Millis(self.0.load(Ordering::Relaxed))
    }
}

fn pack(label: &str, prefix: &str, more: &str) -> (String, String) {
    let text = format!(
        "pack site\nrule site-{label}\nlabel {label}\nbasis a law\nwhy a reason\nfrom 2020-01-01\nchecked 2026-01-01\n{more}prefix icd10cm {prefix}\n"
    );
    ("site.txt".to_owned(), text)
}

fn open(dir: &Path, packs: Vec<(String, String)>) -> Record {
    Record::open(dir, Settings { packs, ..settings() }).unwrap()
}

fn operator(record: &Record) -> Session {
    record.session(Subject::operator(), [7; 16])
}

/// Somebody from whom a label is withheld.
fn bound(record: &Record, label: &str) -> Session {
    let label = Labels::named(label).unwrap();
    let scope = Scope::everything().without_labels(label.bits());
    record.session(Subject::operator().confined(scope), [8; 16])
}

fn put(record: &Record, body: &str) {
    let body = doc(body);
    let kind = of(&body.root().get_str("resourceType").unwrap());
    let id = body.root().get_str("id").unwrap().into_owned();
    run(operator(record).update(kind, &id, body, None, false)).unwrap();
}

fn condition(id: &str, code: &str, more: &str) -> String {
    format!(
        r#"{{"resourceType":"Condition","id":"{id}",{more}"subject":{{"reference":"Patient/ann"}},"code":{{"coding":[{{"system":"http://hl7.org/fhir/sid/icd-10-cm","code":"{code}"}}]}}}}"#
    )
}

fn ids(session: &Session, kind: &str, query: &str) -> Vec<String> {
    let pairs = search::parse::decode_query(query).unwrap();
    let how = SearchHow::default();
    let found = session.search(Level::Type(of(kind)), pairs, &how).and_then(Audited::wait).unwrap();
    let mut ids: Vec<_> = found.page.matches.into_iter().map(|hit| hit.id).collect();
    ids.sort();
    ids
}

fn text(record: &Record, kind: &str, id: &str) -> String {
    let hit = operator(record).read(of(kind), id, None).and_then(Audited::wait).unwrap();
    String::from_utf8(hit.body).unwrap()
}

fn finish(record: &Record) {
    while operator(record).relabel().unwrap().waiting > 0 {}
}

fn events(dir: &Path) -> Vec<audit::Event> {
    let log = audit::read(&dir.join("audit"), 1).unwrap().under(crate::support::log_key(dir));
    log.map(|entry| entry.unwrap().event).collect()
}

#[test]
fn a_rule_that_is_new_withholds_what_it_may_hide_until_that_is_gone_over() {
    let dir = tempfile::tempdir().unwrap();
    let record = open(dir.path(), Vec::new());
    put(&record, r#"{"resourceType":"Patient","id":"ann"}"#);
    put(&record, &condition("diabetes", "E11.9", ""));
    put(&record, &condition("asthma", "J45", ""));
    put(
        &record,
        &condition(
            "own",
            "J45",
            r#""meta":{"security":[{"system":"http://terminology.hl7.org/CodeSystem/v3-ActCode","code":"MH"}]},"#,
        ),
    );
    let before = text(&record, "Condition", "asthma");
    assert_eq!(record.labels().waiting, 0);
    drop(record);
    let record = open(dir.path(), vec![pack("HIV", "E11", "")]);
    let standing = record.labels();
    assert!(standing.waiting > 0);
    assert_eq!(standing.in_doubt, "HIV, UNLABELLED");
    assert!(ids(&bound(&record, "HIV"), "Condition", "").is_empty());
    assert!(bound(&record, "HIV").read(of("Condition"), "asthma", None).is_err());
    let all = ["asthma", "diabetes", "own"];
    assert_eq!(ids(&bound(&record, "SEX"), "Condition", ""), all, "nobody else sees less");
    assert_eq!(ids(&bound(&record, "MH"), "Condition", ""), ["asthma", "diabetes"]);
    put(&record, &condition("new", "J45", ""));
    assert_eq!(
        ids(&bound(&record, "HIV"), "Condition", ""),
        ["new"],
        "what is written now is known"
    );
    finish(&record);
    assert_eq!(ids(&bound(&record, "HIV"), "Condition", ""), ["asthma", "new", "own"]);
    assert_eq!(ids(&bound(&record, "MH"), "Condition", ""), ["asthma", "diabetes", "new"]);
    let after = text(&record, "Condition", "diabetes");
    assert!(after.contains("site-HIV") && after.contains("\"versionId\":\"1\""), "{after}");
    assert_eq!(text(&record, "Condition", "asthma"), before);
    let act = "http://terminology.hl7.org/CodeSystem/v3-ActCode";
    assert_eq!(ids(&operator(&record), "Condition", &format!("_security={act}|HIV")), ["diabetes"]);
    // What was read and is sent back is stored as it is shown.
    put(&record, &after);
    assert_eq!(ids(&bound(&record, "HIV"), "Condition", ""), ["asthma", "new", "own"]);
    record.settle();
    drop(record);
    // And the other way round: a rule that is gone takes its label along.
    let record = open(dir.path(), Vec::new());
    assert_eq!(ids(&bound(&record, "HIV"), "Condition", ""), ["asthma", "new", "own"]);
    finish(&record);
    assert_eq!(ids(&bound(&record, "HIV"), "Condition", "").len(), 4);
    assert!(!text(&record, "Condition", "diabetes").contains("site-HIV"));
    assert!(text(&record, "Condition", "own").contains("\"MH\""), "a person's label stays");
    record.settle();
    drop(record);
    let all = events(dir.path());
    let of_kind = |kind: Kind| all.iter().filter(|e| e.kind == kind).collect::<Vec<_>>();
    assert_eq!(of_kind(Kind::LabelRules).len(), 2, "a new store's first rules are nobody's news");
    let ends: Vec<_> = of_kind(Kind::Relabelled).iter().map(|e| e.results).collect();
    assert_eq!(ends, [1, 2], "one version, and then two of the same record");
}

#[test]
fn work_killed_in_the_middle_goes_on_and_at_no_step_shows_what_will_be_hidden() {
    let dir = tempfile::tempdir().unwrap();
    let record = open(dir.path(), Vec::new());
    put(&record, r#"{"resourceType":"Patient","id":"ann"}"#);
    for n in 0..450 {
        let code = if n % 3 == 0 { "E11" } else { "J45" };
        put(&record, &condition(&format!("c{n}"), code, ""));
    }
    drop(record);
    let mut waiting = u64::MAX;
    let mut steps = 0;
    loop {
        // Opened anew for every batch, as after a kill.
        let record = open(dir.path(), vec![pack("HIV", "E11", "")]);
        let session = bound(&record, "HIV");
        assert!(ids(&session, "Condition", "code=E11").is_empty(), "after {steps} batches");
        assert!(ids(&session, "Patient", "_has:Condition:patient:code=E11").is_empty());
        assert!(session.read(of("Condition"), "c0", None).is_err());
        assert!(session.read(of("Condition"), "c447", None).is_err());
        let standing = record.labels();
        assert!(standing.waiting < waiting, "it goes on where it was");
        waiting = standing.waiting;
        if waiting == 0 {
            assert_eq!(standing.changed, 150);
            break;
        }
        operator(&record).relabel().unwrap();
        steps += 1;
    }
    assert_eq!(steps, 5, "a hundred versions at a time");
    let record = open(dir.path(), vec![pack("HIV", "E11", "")]);
    let query = "code=J45&_summary=count";
    let pairs = search::parse::decode_query(query).unwrap();
    let how = SearchHow::default();
    let found = bound(&record, "HIV").search(Level::Type(of("Condition")), pairs, &how);
    assert_eq!(found.and_then(Audited::wait).unwrap().page.total, Some(300));
    record.settle();
    drop(record);
    let ends = events(dir.path()).into_iter().filter(|e| e.kind == Kind::Relabelled);
    assert_eq!(ends.map(|e| e.results).collect::<Vec<_>>(), [150]);
}

#[test]
fn a_rule_holds_from_its_day_without_a_restart_and_until_its_last() {
    let dir = tempfile::tempdir().unwrap();
    let clock = Arc::new(Set(AtomicI64::new(0)));
    clock.to("2026-06-30");
    let (name, text) = pack("HIV", "E11", "to 2026-08-01\n");
    let packs = vec![(name, text.replace("from 2020-01-01", "from 2026-07-01"))];
    let record =
        Record::open(dir.path(), Settings { packs, clock: clock.clone(), ..settings() }).unwrap();
    put(&record, r#"{"resourceType":"Patient","id":"ann"}"#);
    put(&record, &condition("diabetes", "E11", ""));
    put(&record, &condition("asthma", "J45", ""));
    let seen = || ids(&bound(&record, "HIV"), "Condition", "");
    assert_eq!(seen(), ["asthma", "diabetes"]);
    clock.to("2026-07-01");
    assert!(seen().is_empty(), "from the first request of the day");
    finish(&record);
    assert_eq!(seen(), ["asthma"]);
    clock.to("2026-08-01");
    finish(&record);
    assert_eq!(seen(), ["asthma"], "nobody has asked yet on that day");
    finish(&record);
    assert_eq!(seen(), ["asthma", "diabetes"]);
}

#[test]
fn what_a_programme_made_is_its_record_and_the_programme_can_still_be_found() {
    let dir = tempfile::tempdir().unwrap();
    let record = open(dir.path(), Vec::new());
    for body in [
        r#"{"resourceType":"Organization","id":"sud","name":"Clinic"}"#,
        r#"{"resourceType":"Patient","id":"ann"}"#,
        r#"{"resourceType":"PractitionerRole","id":"role","organization":{"reference":"Organization/sud"}}"#,
        r#"{"resourceType":"Encounter","id":"visit","status":"finished","class":{"code":"AMB"},"subject":{"reference":"Patient/ann"},"serviceProvider":{"reference":"Organization/sud"}}"#,
        r#"{"resourceType":"Encounter","id":"other","status":"finished","class":{"code":"AMB"},"subject":{"reference":"Patient/ann"}}"#,
    ] {
        put(&record, body);
    }
    let of_visit = |visit: &str| format!(r#""encounter":{{"reference":"Encounter/{visit}"}},"#);
    put(&record, &condition("there", "J45", &of_visit("visit")));
    put(&record, &condition("elsewhere", "J45", &of_visit("other")));
    let part2 = || bound(&record, "42CFRPart2");
    assert_eq!(ids(&part2(), "Condition", "").len(), 2);
    assert!(operator(&record).tag("part2-programme", "Organization/sud", true).unwrap());
    assert!(ids(&part2(), "Condition", "").is_empty(), "at once");
    finish(&record);
    assert_eq!(ids(&part2(), "Condition", ""), ["elsewhere"]);
    assert_eq!(ids(&part2(), "Encounter", ""), ["other"]);
    assert_eq!(ids(&part2(), "Organization", ""), ["sud"]);
    assert_eq!(ids(&part2(), "PractitionerRole", ""), ["role"]);
    put(&record, &condition("later", "J45", &of_visit("visit")));
    assert_eq!(ids(&part2(), "Condition", ""), ["elsewhere"], "and what is written from now on");
    assert!(!operator(&record).tag("part2-programme", "Organization/sud", true).unwrap());
    let tags = operator(&record).tags().unwrap().wait().unwrap();
    assert_eq!(
        (tags[0].tag.as_str(), tags[0].record.as_str()),
        ("part2-programme", "Organization/sud")
    );
    drop(record);
    let record = open(dir.path(), Vec::new());
    assert_eq!(record.labels().waiting, 0, "tags outlive the process, and are no news then");
    assert!(operator(&record).tag("part2-programme", "Organization/sud", false).unwrap());
    let part2 = bound(&record, "42CFRPart2");
    assert_eq!(ids(&part2, "Condition", ""), ["elsewhere"]);
    finish(&record);
    assert_eq!(ids(&part2, "Condition", ""), ["elsewhere", "later", "there"]);
}

#[test]
fn the_bytes_of_a_document_follow_it_and_keep_what_they_had_when_it_is_gone() {
    let dir = tempfile::tempdir().unwrap();
    let record = open(dir.path(), Vec::new());
    let binary = |id: &str| {
        format!(
            r#"{{"resourceType":"Binary","id":"{id}","contentType":"text/plain","securityContext":{{"reference":"DocumentReference/{id}"}},"data":"Qm9i"}}"#
        )
    };
    let document = |id: &str| {
        format!(
            r#"{{"resourceType":"DocumentReference","id":"{id}","status":"current","subject":{{"reference":"Patient/ann"}},"custodian":{{"reference":"Organization/sud"}},"content":[{{"attachment":{{"url":"Binary/{id}"}}}}]}}"#
        )
    };
    put(&record, r#"{"resourceType":"Organization","id":"sud","name":"Clinic"}"#);
    put(&record, r#"{"resourceType":"Patient","id":"ann"}"#);
    // The one document is written before its bytes, the other is changed after them.
    for body in [document("a"), binary("a"), document("b"), binary("b"), document("b")] {
        put(&record, &body);
    }
    let shown = || {
        let part2 = bound(&record, "42CFRPart2");
        let binary = of("Binary");
        ["a", "b"].map(|id| part2.read(binary, id, None).and_then(Audited::wait).is_ok())
    };
    assert_eq!(shown(), [true, true]);
    assert!(operator(&record).tag("part2-programme", "Organization/sud", true).unwrap());
    assert_eq!(shown(), [false, false], "at once");
    finish(&record);
    assert_eq!(shown(), [false, false], "and when all is gone over, whichever came first");
    run(operator(&record).delete(of("DocumentReference"), "a", None)).unwrap();
    operator(&record).relabel_all().unwrap();
    finish(&record);
    assert_eq!(shown(), [false, false], "the bytes keep what their document was");
    assert!(operator(&record).tag("part2-programme", "Organization/sud", false).unwrap());
    finish(&record);
    assert_eq!(shown(), [true, true]);
}

#[test]
fn a_vip_is_watched_at_once_and_nobody_else_is_withheld() {
    let dir = tempfile::tempdir().unwrap();
    let record = open(dir.path(), Vec::new());
    for id in ["ann", "bob"] {
        put(&record, &format!(r#"{{"resourceType":"Patient","id":"{id}"}}"#));
        let of_patient = condition(&format!("of-{id}"), "J45", "");
        put(&record, &of_patient.replace("Patient/ann", &format!("Patient/{id}")));
    }
    assert!(operator(&record).tag("vip", "Patient/ann", true).unwrap());
    let seen = || {
        let session = bound(&record, "VIP");
        [ids(&session, "Patient", ""), ids(&session, "Condition", "")].concat()
    };
    assert!(record.labels().waiting > 0);
    assert_eq!(record.labels().in_doubt_of_patients, "UNLABELLED, VIP");
    assert_eq!(seen(), ["bob", "of-bob"]);
    finish(&record);
    assert_eq!(seen(), ["bob", "of-bob"]);
    let own = Scope::any_of(vec![store::Clause {
        carried: Labels::VIP.bits(),
        ..store::Clause::default()
    }]);
    let watched = record.session(Subject::operator().confined(own), [9; 16]);
    assert_eq!(ids(&watched, "Condition", ""), ["of-ann"]);
    record.settle();
    drop(record);
    let all = events(dir.path());
    let told = all.iter().find(|e| e.kind == Kind::LabelRules).unwrap();
    assert_eq!((told.patients.as_slice(), told.status), (&["ann".to_owned()][..], 201));
}

#[test]
fn only_who_is_on_the_machine_tags_and_only_what_can_be_tagged() {
    let dir = tempfile::tempdir().unwrap();
    let record = open(dir.path(), Vec::new());
    let told = |session: &Session, tag: &str, of: &str| {
        session.tag(tag, of, true).unwrap_err().code().name
    };
    let other = bound(&record, "VIP");
    assert_eq!(told(&other, "vip", "Patient/ann"), code::ACCESS_DENIED.name);
    assert!(other.tags().is_err() && other.relabel().is_err() && other.relabel_all().is_err());
    let session = operator(&record);
    for (tag, of) in [
        ("self-paid", "Encounter/a"),
        ("vip", "Organization/a"),
        ("part2-programme", "Patient/a"),
        ("vip", "Patient/"),
        ("vip", "Patient/a b"),
        ("vip", "ann"),
    ] {
        assert_eq!(told(&session, tag, of), code::PARAMETER_INVALID.name, "{tag} {of}");
    }
}

#[test]
fn a_store_from_before_is_gone_over_and_one_without_labelling_once_it_has_one() {
    let dir = tempfile::tempdir().unwrap();
    let off = || Settings { labelling: false, ..settings() };
    let record = Record::open(dir.path(), off()).unwrap();
    put(&record, r#"{"resourceType":"Patient","id":"ann"}"#);
    put(&record, &condition("hiv", "B20", ""));
    put(&record, &condition("asthma", "J45", ""));
    assert!(!record.labels().is_on);
    assert_eq!(ids(&bound(&record, "HIV"), "Condition", ""), ["asthma", "hiv"]);
    drop(record);
    let record = open(dir.path(), Vec::new());
    assert!(ids(&bound(&record, "HIV"), "Condition", "").is_empty());
    assert_eq!(ids(&bound(&record, "42CFRPart2"), "Condition", ""), ["asthma", "hiv"]);
    let keeper = record.keep_labels().unwrap();
    for _ in 0..2000 {
        if record.labels().waiting == 0 {
            break;
        }
        std::thread::sleep(std::time::Duration::from_millis(5));
    }
    drop(keeper);
    assert_eq!(ids(&bound(&record, "HIV"), "Condition", ""), ["asthma"]);
    drop(record);
    // Switched off again, what is labelled stays so.
    let record = Record::open(dir.path(), off()).unwrap();
    assert_eq!(record.labels().waiting, 0);
    assert_eq!(ids(&bound(&record, "HIV"), "Condition", ""), ["asthma"]);
}

#[test]
fn all_records_can_be_gone_over_again_and_nothing_is_withheld_meanwhile() {
    let dir = tempfile::tempdir().unwrap();
    let record = open(dir.path(), Vec::new());
    put(&record, r#"{"resourceType":"Patient","id":"ann"}"#);
    put(&record, &condition("hiv", "B20", ""));
    put(&record, &condition("asthma", "J45", ""));
    operator(&record).relabel_all().unwrap();
    assert!(record.labels().waiting > 0);
    assert_eq!(ids(&bound(&record, "HIV"), "Condition", ""), ["asthma"]);
    finish(&record);
    assert_eq!(record.labels().changed, 0);
    put(&record, &condition("again", "B20", ""));
    assert_eq!(record.labels().waiting, 0, "what is written after is of the epoch");
}
