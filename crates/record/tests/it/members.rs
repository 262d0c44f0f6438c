//! Who keeps the people of a site: looking leaves an event, a change needs an administrator who showed a
//! factor lately, nobody changes or reviews their own access, and what was decided about a role is kept.

use crate::support::{Room, Turned, settings};
use audit::{Decision, Event, Kind};
use base::error::code;
use base::{Code, Fault};
use identity::{Cost, PrincipalId, Profile, Secret, Step};
use record::{
    Asked, CaseFilter, CertifyDone, Done, LogAsked, Outcome, Record, Session, Subject, Turn,
};
use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;
use tempfile::TempDir;

const PASSWORD: &str = "four unrelated words here";
const NOTE: &str = "spoke with the ward, the story holds";
const HERE: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);

struct House {
    record: Record,
    dir: TempDir,
    clock: Arc<Turned>,
}

impl House {
    fn new() -> Self {
        let clock = Turned::at(1_795_340_467_123);
        let mut own = settings();
        own.clock = Arc::clone(&clock) as Arc<dyn base::Clock>;
        own.identity.cost = Cost { memory_kib: 64, passes: 1, lanes: 1 };
        let Room { record, dir } = Room::with(|settings| *settings = own);
        Self { record, dir, clock }
    }

    fn person(&self, name: &str, roles: &[&str]) -> PrincipalId {
        let profile = Profile {
            name: name.to_owned(),
            display: format!("{name} Somebody"),
            roles: roles.iter().map(|role| (*role).to_owned()).collect(),
            ..Profile::default()
        };
        self.record.identity().create_person(profile, &Secret::from(PASSWORD), false).unwrap().id
    }

    /// A session of somebody who signs in now.
    fn of(&self, name: &str) -> Session {
        let opened =
            match self.record.identity().begin(name, &Secret::from(PASSWORD), HERE).unwrap() {
                Step::Done(opened) => opened,
                Step::SecondFactor(_) => panic!("there is no second factor"),
            };
        let caller = self.record.identity().find(opened.token.text().expose(), None).unwrap();
        let subject = self.record.subject(&caller, None, Asked::default()).unwrap();
        self.record.session(subject, [8; 16])
    }

    fn roles(&self, id: PrincipalId) -> Vec<String> {
        self.record.identity().principal(id).unwrap().profile.roles
    }

    fn version(&self, id: PrincipalId) -> u64 {
        self.record.identity().principal(id).unwrap().version
    }

    fn events(self, kind: Kind) -> Vec<Event> {
        let Self { record, dir, .. } = self;
        let events = Room { record, dir }.events().into_iter();
        events.filter(|event| event.kind == kind).collect()
    }
}

fn refused<T: std::fmt::Debug>(outcome: Result<T, Fault>) -> &'static Code {
    outcome.unwrap_err().code()
}

#[test]
fn who_neither_administers_nor_reads_the_log_is_shown_nobody_and_leaves_a_refusal() {
    let house = House::new();
    house.person("root", &["it-administrator"]);
    let nina = house.person("nina", &["nurse"]);
    house.person("ada", &["auditor"]);
    let nurse = house.of("nina");
    assert!(!nurse.may_see_people() && !nurse.may_keep_people() && !nurse.may_certify());
    assert_eq!(refused(nurse.members()), &code::ACCESS_DENIED);
    assert_eq!(refused(nurse.member(nina)), &code::ACCESS_DENIED);
    assert_eq!(refused(nurse.log_rows(&LogAsked::default())), &code::ACCESS_DENIED);
    assert_eq!(refused(nurse.keeper(None, HERE)), &code::ACCESS_DENIED);
    // An auditor looks, and changes nothing.
    let auditor = house.of("ada");
    assert_eq!(auditor.members().unwrap().wait().unwrap().all.len(), 3);
    assert_eq!(refused(auditor.keeper(Some(nina), HERE)), &code::ACCESS_DENIED);
    assert!(!auditor.may_certify());
    let looks = house.events(Kind::PeopleRead);
    let outcomes: Vec<_> = looks.iter().map(|event| event.decision).collect();
    assert_eq!(outcomes, [Decision::Deny, Decision::Deny, Decision::Permit]);
}

#[test]
fn a_role_is_given_and_taken_with_the_reason_and_of_the_version_that_was_read() {
    let house = House::new();
    house.person("root", &["it-administrator"]);
    let nina = house.person("nina", &["nurse"]);
    let root = house.of("root");
    let before = house.version(nina);
    root.change_role((nina, before), "him", true, "stands in for Otto", HERE).unwrap();
    assert_eq!(house.roles(nina), ["nurse", "him"]);
    let stale = root.change_role((nina, before), "him", false, "back on the ward", HERE);
    assert_eq!(refused(stale), &code::ITEM_CONFLICT);
    for (role, gives, reason) in [
        ("him", true, "once more"),
        ("biller", false, "not held"),
        ("nurze", true, "a slip"),
        ("system", true, "all of it"),
        ("biller", true, ""),
    ] {
        let odd = root.change_role((nina, house.version(nina)), role, gives, reason, HERE);
        assert_eq!(refused(odd), &code::PARAMETER_INVALID, "{role} {reason}");
    }
    root.change_role((nina, house.version(nina)), "him", false, "back on the ward", HERE).unwrap();
    assert_eq!(house.roles(nina), ["nurse"]);
    let (member, _) = root.member(nina).unwrap().wait().unwrap();
    let told: Vec<_> = member
        .certified
        .iter()
        .map(|one| (one.role.as_str(), one.done, one.reason.as_str()))
        .collect();
    assert_eq!(
        told,
        [
            ("him", CertifyDone::Given, "stands in for Otto"),
            ("him", CertifyDone::Taken, "back on the ward"),
        ]
    );
    assert_eq!(house.events(Kind::AccessReviewed).len(), 2);
}

#[test]
fn nothing_is_changed_without_a_factor_shown_lately_nor_about_oneself() {
    let house = House::new();
    let root = house.person("root", &["it-administrator"]);
    let nina = house.person("nina", &["nurse"]);
    let session = house.of("root");
    assert!(session.is_fresh());
    assert_eq!(refused(session.keeper(Some(root), HERE)), &code::ACCESS_DENIED);
    let own = session.certify(root, 0, "it-administrator", CertifyDone::Certified, "needed");
    assert_eq!(refused(own), &code::CASE_OWN);
    house.clock.turn(6 * 60_000);
    assert!(!session.is_fresh());
    assert_eq!(refused(session.keeper(Some(nina), HERE)), &code::STEP_UP_NEEDED);
    let version = house.version(nina);
    let given = session.change_role((nina, version), "him", true, "stands in", HERE);
    assert_eq!(refused(given), &code::STEP_UP_NEEDED);
    assert_eq!(house.roles(nina), ["nurse"]);
    // Ending what is one's own needs nothing shown.
    let other = house.of("root");
    let open = session.own_sessions().unwrap().wait().unwrap();
    assert_eq!(open.len(), 2);
    assert!(other.end_own_session(open[0].id, HERE).unwrap());
    assert!(!house.of("nina").end_own_session(open[1].id, HERE).unwrap(), "another's");
}

#[test]
fn the_last_administrator_is_not_locked_out() {
    let house = House::new();
    house.person("root", &["it-administrator"]);
    let gone = house.person("gone", &["it-administrator"]);
    let root = house.of("root");
    // The other one goes, and only one is left; that one can neither lock nor demote themselves.
    root.keeper(Some(gone), HERE).unwrap().disable(gone, house.version(gone), "left").unwrap();
    let second = house.person("second", &["it-administrator"]);
    let other = house.of("second");
    let first = root.members().unwrap().wait().unwrap();
    let own = first.all.iter().find(|one| one.principal.profile.name == "root").unwrap();
    let id = own.principal.id;
    other.keeper(Some(id), HERE).unwrap().disable(id, own.principal.version, "left too").unwrap();
    assert_eq!(refused(other.keeper(Some(second), HERE)), &code::ACCESS_DENIED);
    let last = house.record.identity().disable(second, house.version(second), "the last");
    assert_eq!(refused(last), &code::ADMINISTRATOR_LAST);
}

#[test]
fn a_decision_about_a_role_is_kept_once_however_many_decide_at_once() {
    let house = House::new();
    house.person("root", &["it-administrator"]);
    let paula = house.person("paula", &["privacy-officer"]);
    let nina = house.person("nina", &["nurse"]);
    let sessions: Vec<_> = (0..4).map(|_| house.of("paula")).collect();
    let outcomes: Vec<_> = std::thread::scope(|scope| {
        let one = |session: &'_ Session| {
            let session = session.clone();
            scope.spawn(move || {
                session.certify(nina, 0, "nurse", CertifyDone::ToTake, "left the ward")
            })
        };
        let threads: Vec<_> = sessions.iter().map(one).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    assert_eq!(outcomes.iter().filter(|outcome| outcome.is_ok()).count(), 1, "{outcomes:?}");
    for fault in outcomes.iter().filter_map(|outcome| outcome.as_ref().err()) {
        assert_eq!(fault.code(), &code::ITEM_CONFLICT);
    }
    assert_eq!(house.roles(nina), ["nurse"], "who asks for it takes nothing away");
    let strange = house.of("paula").certify(nina, 1, "him", CertifyDone::Certified, "not held");
    assert_eq!(refused(strange), &code::PARAMETER_INVALID);
    let all = house.of("root").certified().unwrap().wait().unwrap();
    let decided = &all[&nina.to_string()];
    assert_eq!((decided.len(), decided[0].by.clone()), (1, paula.to_string()));
}

#[test]
fn the_log_is_narrowed_by_who_what_and_request_and_says_who_they_are() {
    let house = House::new();
    house.person("ada", &["auditor"]);
    let nina = house.person("nina", &["nurse"]);
    let nurse = house.of("nina");
    assert!(nurse.members().is_err());
    let auditor = house.of("ada");
    let asked = LogAsked {
        who: Some(nina.to_string()),
        decision: Some(Decision::Deny),
        count: 10,
        ..LogAsked::default()
    };
    let found = auditor.log_rows(&asked).unwrap().wait().unwrap();
    assert_eq!(found.rows.len(), 1);
    let row = &found.rows[0];
    assert_eq!(
        (row.event.kind, row.request.as_str()),
        (Kind::PeopleRead, "08080808-0808-0808-0808-080808080808")
    );
    assert_eq!(found.names[&nina.to_string()].1, "nina");
    assert!(!found.is_partial && found.next.is_none() && found.standing.last >= row.seq);
    let one = LogAsked { seq: Some(row.seq), ..LogAsked::default() };
    let again = auditor.log_rows(&one).unwrap().wait().unwrap();
    assert_eq!((again.rows.len(), again.rows[0].hash.clone()), (1, row.hash.clone()));
    let none = LogAsked { request: Some([9; 16]), count: 10, ..LogAsked::default() };
    assert!(auditor.log_rows(&none).unwrap().wait().unwrap().rows.is_empty());
    // Page behind page, each event once.
    let (mut seen, mut before) = (Vec::new(), None);
    loop {
        let asked = LogAsked { before, count: 2, ..LogAsked::default() };
        let page = auditor.log_rows(&asked).unwrap().wait().unwrap();
        seen.extend(page.rows.iter().map(|row| row.seq));
        before = page.next;
        // Each look adds one at the other end.
        if before.is_none() {
            break;
        }
    }
    assert!(seen.windows(2).all(|pair| pair[0] > pair[1]) && seen.last() == Some(&1), "{seen:?}");
}

#[test]
fn a_step_of_a_case_that_somebody_else_took_a_step_of_is_refused() {
    let house = House::new();
    let er = house.person("er", &["clinician"]);
    let paula = house.person("paula", &["privacy-officer"]);
    let all = house.record.session(Subject::operator(), [7; 16]);
    let body = crate::support::doc(r#"{"resourceType":"Patient","id":"ann"}"#);
    crate::support::run(all.update(crate::support::of("Patient"), "ann", body, None, false))
        .unwrap();
    house.of("er").break_glass("ann", "unconscious in the emergency room").unwrap();
    let session = house.of("paula");
    let case = session.cases(&CaseFilter::default()).unwrap().wait().unwrap().remove(0);
    let known = case.steps.len();
    let ask = Turn::Note { asks: true, note: "asked by phone, due on Friday".to_owned() };
    let after = session.turn_case(case.id, known, &ask).unwrap();
    assert_eq!((after.state, after.asked().is_some()), (case.state, true));
    assert!(matches!(&after.steps[known].done, Done::Noted { asks: true, .. }));
    let close = Turn::Close { outcome: Outcome::Explained, note: NOTE.to_owned() };
    assert_eq!(refused(session.turn_case(case.id, known, &close)), &code::ITEM_CONFLICT);
    session.turn_case(case.id, known + 1, &close).unwrap();
    let late = Turn::Note { asks: false, note: NOTE.to_owned() };
    assert_eq!(refused(session.turn_case(case.id, known + 2, &late)), &code::CASE_STATE);
    let again = Turn::Reopen { note: NOTE.to_owned() };
    let open = session.turn_case(case.id, known + 2, &again).unwrap();
    assert!(open.asked().is_none(), "what was asked before it was opened again is answered");
    let owners = session.case_owners().unwrap();
    assert_eq!(owners, [(paula, "paula Somebody".to_owned())]);
    let to = Turn::Assign { owner: er, note: String::new() };
    assert_eq!(refused(session.turn_case(case.id, known + 3, &to)), &code::ACCESS_DENIED);
}
