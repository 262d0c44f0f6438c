//! Each rule speaks when it should and is silent when not, weighs what the site says, and lets nobody
//! double-book a resource.

use crate::common::{anybody, doctor, room, site, span, visit};
use base::{Millis, Phi};
use scheduling::actor::{Actor, Role};
use scheduling::calendar::{Block, Site, Why};
use scheduling::free::SpanSet;
use scheduling::occupied::{Busy, By};
use scheduling::rules::{
    Facts, Override, PatientFacts, Policy, Proposal, ResourceFacts, Rule, Verdict, Weight, check,
};
use scheduling::time::{DAY_MS, Date, HOUR_MS, MINUTE_MS, Span};
use scheduling::visit_type::{Modality, Sex, VisitType};
use std::collections::BTreeMap;

/// Monday 2 March 2026, nine o'clock in New York.
const NINE: i64 = 1_772_460_000_000;

/// A change that one rule is against.
type Spoil = fn(&mut Desk);

/// A booking against which nothing speaks, to be spoiled.
struct Desk {
    visit: VisitType,
    site: Site,
    span: Span,
    taken: Vec<(Role, Actor)>,
    instead_of: Vec<By>,
    now: Millis,
    patient: PatientFacts,
    resources: BTreeMap<Actor, ResourceFacts>,
    blocks: Vec<Block>,
    policy: Policy,
    modality: Modality,
}

impl Desk {
    fn new() -> Self {
        let open = || SpanSet::from_spans([span(NINE - HOUR_MS, 8 * HOUR_MS)]);
        let free = || ResourceFacts { open: open(), busy: Vec::new() };
        Self {
            visit: visit(vec![anybody(Role::Clinician), anybody(Role::Room)]),
            site: site(0, "America/New_York"),
            span: span(NINE, 30 * MINUTE_MS),
            taken: vec![(Role::Clinician, doctor(1)), (Role::Room, room(1))],
            instead_of: Vec::new(),
            now: Millis(NINE - DAY_MS),
            patient: PatientFacts {
                born: Some(Phi::new(Date::constant(1980, 3, 3))),
                sex: Some(Phi::new(Sex::Female)),
                busy: Vec::new(),
                has_referral: false,
            },
            resources: BTreeMap::from([(doctor(1), free()), (room(1), free())]),
            blocks: Vec::new(),
            policy: Policy::default(),
            modality: Modality::InPerson,
        }
    }

    fn judge(&self) -> Verdict {
        let proposal = Proposal {
            visit: &self.visit,
            site: &self.site,
            span: self.span,
            modality: self.modality,
            taken: self.taken.clone(),
            instead_of: self.instead_of.clone(),
        };
        let facts = Facts {
            now: self.now,
            patient: Some(&self.patient),
            resources: &self.resources,
            blocks: &self.blocks,
            policy: &self.policy,
        };
        check(&proposal, &facts)
    }

    fn busy(&mut self, who: &Actor, at_minutes: i64, minutes: i64) {
        let n = self.resources[who].busy.len();
        let busy = busy(at_minutes, minutes, &format!("b{n}"));
        self.resources.get_mut(who).unwrap().busy.push(busy);
    }
}

fn busy(at_minutes: i64, minutes: i64, id: &str) -> Busy {
    Busy {
        span: span(NINE + at_minutes * MINUTE_MS, minutes * MINUTE_MS),
        before_ms: 0,
        after_ms: 0,
        by: By::Appointment(id.to_owned()),
        visit_type: Some("v".to_owned()),
    }
}

fn reason(text: &str) -> Override {
    Override { by: "anna".to_owned(), reason: Phi::new(text.to_owned()) }
}

#[test]
fn each_rule_speaks_for_its_own_reason_and_for_no_other() {
    assert_eq!(Desk::new().judge(), Verdict::default());
    let spoil: [(Rule, Spoil); 17] = [
        (Rule::ResourceMissing, |d| drop(d.taken.pop())),
        (Rule::ResourceUnfit, |d| d.visit.needs[1].candidates = vec![room(2)]),
        (Rule::ResourceOverlap, |d| d.busy(&room(1), 15, 30)),
        (Rule::Buffer, |d| {
            d.visit.after_minutes = 10;
            d.busy(&doctor(1), 35, 30);
        }),
        (Rule::PatientDoubleBooked, |d| d.patient.busy.push(busy(-10, 20, "x"))),
        (Rule::InPast, |d| d.now = Millis(NINE + 1)),
        (Rule::LeadTime, |d| d.visit.lead_minutes = 24 * 60 + 1),
        (Rule::DailyCap, |d| {
            d.visit.daily_cap = Some(1);
            d.busy(&doctor(1), 120, 30);
        }),
        (Rule::AgeLimit, |d| d.visit.age_max = Some(44)),
        (Rule::AgeLimit, |d| d.visit.age_min = Some(46)),
        (Rule::SexLimit, |d| d.visit.sex = Some(Sex::Male)),
        (Rule::ReferralRequired, |d| d.visit.referral_required = true),
        (Rule::OutsideHours, |d| d.span = span(NINE + 7 * HOUR_MS - 1, 30 * MINUTE_MS)),
        (Rule::Blocked, |d| {
            let away = Block { actor: Some(doctor(1)), span: d.span, why: Why::Sick };
            d.blocks.push(away);
        }),
        (Rule::TypeRetired, |d| d.visit.active = false),
        (Rule::ModalityUnfit, |d| d.modality = Modality::Video),
        (Rule::OverbookCap, |d| {
            d.policy.overbook_per_hour = 1;
            d.busy(&doctor(1), 0, 60);
            d.busy(&doctor(1), 5, 30);
        }),
    ];
    let mut spoken: Vec<_> = Vec::new();
    for (rule, change) in spoil {
        let mut desk = Desk::new();
        change(&mut desk);
        let verdict = desk.judge();
        assert!(verdict.says(rule), "{rule:?} is silent: {verdict:?}");
        assert!(verdict.findings.iter().all(|f| f.rule == rule), "{rule:?}: {verdict:?}");
        assert_eq!(verdict.weight(), Some(rule.default_weight()), "{rule:?}");
        spoken.push(rule);
    }
    for rule in Rule::ALL {
        assert!(spoken.contains(&rule), "{rule:?} was never tried");
    }
}

#[test]
fn neighbours_that_only_touch_and_what_is_moved_are_not_in_the_way() {
    let mut desk = Desk::new();
    desk.busy(&doctor(1), -30, 30);
    desk.busy(&doctor(1), 30, 30);
    assert_eq!(desk.judge(), Verdict::default());
    desk.busy(&doctor(1), 10, 30);
    assert_eq!(desk.judge().weight(), Some(Weight::Forbids));
    desk.instead_of = vec![By::Appointment("b2".to_owned())];
    assert_eq!(desk.judge(), Verdict::default(), "an appointment is not in its own way");
}

#[test]
fn the_day_before_the_birthday_is_a_year_younger() {
    let mut desk = Desk::new();
    desk.visit.age_min = Some(46);
    assert!(desk.judge().says(Rule::AgeLimit), "45 on the second of March");
    desk.span = span(NINE + DAY_MS, 30 * MINUTE_MS);
    for facts in desk.resources.values_mut() {
        facts.open = SpanSet::from_spans([desk.span]);
    }
    assert_eq!(desk.judge(), Verdict::default());
    desk.patient.born = None;
    assert!(desk.judge().says(Rule::AgeLimit), "an age that nobody knows is not within limits");
}

#[test]
fn a_reason_is_asked_for_and_must_be_one() {
    let mut desk = Desk::new();
    desk.visit.referral_required = true;
    let verdict = desk.judge();
    let code = |given: Option<&Override>| verdict.permit(given).map_err(|f| f.code().name);
    assert_eq!(code(None), Err("scheduling.booking.override-needed"));
    assert_eq!(code(Some(&reason("  x "))), Err("scheduling.booking.override-needed"));
    assert_eq!(code(Some(&reason(&"x".repeat(501)))), Err("scheduling.booking.override-needed"));
    assert_eq!(code(Some(&reason("referral is on its way"))), Ok(()));
    let shown = format!("{:?}", reason("of somebody"));
    assert!(!shown.contains("somebody"), "{shown}");
}

#[test]
fn no_policy_and_no_reason_lets_a_resource_be_taken_twice() {
    let mut desk = Desk::new();
    desk.busy(&room(1), 0, 30);
    for rule in [Rule::ResourceOverlap, Rule::OverbookCap, Rule::ResourceMissing] {
        assert!(!desk.policy.set(rule, Weight::Warns));
    }
    desk.policy.overbook_per_hour = 9;
    let fault = desk.judge().permit(Some(&reason("urgent"))).unwrap_err();
    assert_eq!(fault.code().name, "scheduling.booking.blocked", "a room is never overbooked");
    assert_eq!(fault.issues[0].expression.as_deref(), Some("Location/r01"));
}

#[test]
fn a_clinician_is_overbooked_with_a_reason_and_up_to_the_cap_of_the_hour() {
    let mut desk = Desk::new();
    desk.busy(&doctor(1), 0, 30);
    assert!(desk.judge().permit(Some(&reason("urgent"))).is_err(), "not unless the site says so");
    desk.policy.overbook_per_hour = 1;
    assert!(desk.judge().permit(None).is_err());
    assert_eq!(desk.judge().permit(Some(&reason("urgent"))), Ok(()));
    desk.busy(&doctor(1), 10, 30);
    assert!(desk.judge().permit(Some(&reason("urgent"))).is_err(), "the hour is full");
}

#[test]
fn a_site_weighs_its_rules_and_the_log_tells_what_spoke() {
    let mut desk = Desk::new();
    desk.patient.busy.push(busy(0, 30, "x"));
    assert!(desk.policy.set(Rule::PatientDoubleBooked, Weight::Warns));
    assert_eq!(desk.judge().permit(None), Ok(()));
    let log = String::from_utf8(desk.judge().to_json()).unwrap();
    assert_eq!(
        log,
        r#"[{"rule":"patient-double-booked","weight":"warns","start":"2026-03-02T14:00:00.000Z","end":"2026-03-02T14:30:00.000Z"}]"#
    );
    desk.policy.set(Rule::PatientDoubleBooked, Weight::Forbids);
    assert!(desk.judge().permit(Some(&reason("urgent"))).is_err());
    let holiday =
        Desk { span: span(NINE - 14 * DAY_MS, 30 * MINUTE_MS), now: Millis(0), ..Desk::new() };
    assert!(holiday.judge().says(Rule::Blocked), "Washington's birthday");
}
