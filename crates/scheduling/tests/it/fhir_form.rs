//! What is written is valid R4, and reads back as it was.

use crate::common::{actor, span, zone};
use base::Limits;
use fhir::Document;
use proptest::prelude::*;
use scheduling::actor::Role;
use scheduling::appointment::{Answer, Appointment, Participant, Presence, SeriesLink};
use scheduling::occupied::{By, Status, of_appointment};
use scheduling::time::{MINUTE_MS, Span};
use scheduling::visit_type::{Modality, Need, Sex, VisitType};

fn parse(bytes: Vec<u8>) -> Document {
    Document::parse(bytes, &Limits::default()).unwrap()
}

fn assert_valid(doc: &Document) -> Result<(), TestCaseError> {
    let issues = validation::validate(doc.root(), &validation::Options::default());
    let errors: Vec<_> = issues.iter().filter(|i| i.severity >= base::Severity::Error).collect();
    prop_assert!(errors.is_empty(), "{errors:?} in {}", doc.text());
    Ok(())
}

fn of<T: Clone + std::fmt::Debug + 'static>(all: &[T]) -> impl Strategy<Value = T> + use<T> {
    proptest::sample::select(all.to_vec())
}

fn opt<S: Strategy>(s: S) -> impl Strategy<Value = Option<S::Value>> {
    proptest::option::of(s)
}

prop_compose! {
    fn visit_type()(
        id in opt("[a-z0-9]{1,8}"), title in "[A-Za-z\"\\\\é]{1,12}", active in any::<bool>(),
        (duration, before, after, lead) in (1_u32..1441, 0_u32..241, 0_u32..241, 0_u32..10_000),
        needs in proptest::collection::vec((of(&Role::ALL), proptest::collection::vec(0_u32..99, 0..4)), 1..6),
        modalities in proptest::sample::subsequence(Modality::ALL.to_vec(), 1..4),
        (preparation, asks) in (opt("[ -~]{1,40}"), proptest::collection::btree_set("[a-zé\"?]{1,20}", 0..5)),
        (daily_cap, age) in (opt(0_u32..100), opt((0_u32..60, 0_u32..60))),
        (sex, referral_required) in (opt(of(&[Sex::Female, Sex::Male])), any::<bool>()),
    ) -> VisitType {
        let need = |(role, ids): (Role, Vec<u32>)| Need {
            role,
            candidates: ids.into_iter().map(|n| actor(&format!("Practitioner/{n}"))).collect(),
        };
        VisitType {
            id, title, active, duration_minutes: duration, before_minutes: before, after_minutes: after,
            needs: needs.into_iter().map(need).collect(), modalities,
            preparation: preparation.map(|p| p.trim().to_owned()).unwrap_or_default(),
            questions: asks.into_iter().collect(),
            lead_minutes: lead, daily_cap,
            age_min: age.map(|(least, _)| least), age_max: age.map(|(least, more)| least + more),
            sex, referral_required,
        }
    }
}

fn whole_span() -> impl Strategy<Value = Span> {
    (0_i64..900_000, 1_i64..1_000)
        .prop_map(|(at, len)| span(1_700_000_000_000 + at * MINUTE_MS, len * MINUTE_MS))
}

prop_compose! {
    fn participant()(
        who in opt((of(&["Patient", "Practitioner", "Location", "Device", "PractitionerRole"]), 0_u32..50)),
        answer in of(&Answer::ALL), required in opt(of(&Presence::ALL)), period in opt(whole_span()),
    ) -> Participant {
        let actor = who.map(|(kind, n)| actor(&format!("{kind}/{n}")));
        Participant { actor, answer, required, period }
    }
}

prop_compose! {
    fn appointment()(
        id in opt("[a-z0-9]{1,8}"), status in of(&Status::ALL), visit_type in opt("[a-z0-9]{1,8}"),
        span in whole_span(), lacks in any::<bool>(),
        zone in opt(of(&["America/New_York", "Asia/Kolkata", "America/St_Johns", "UTC"])),
        (before_minutes, after_minutes) in (0_u32..241, 0_u32..241),
        participants in proptest::collection::vec(participant(), 1..5),
        slots in proptest::collection::vec("[a-z0-9]{1,8}", 0..3),
        reason in opt(of(&["pat", "prov", "other"])),
        series in opt(("[a-z0-9]{1,8}", 1_u32..367)),
    ) -> Appointment {
        let lacks = lacks && status.may_lack_time();
        let ended = matches!(status, Status::Cancelled | Status::NoShow);
        Appointment {
            id, status, visit_type, span: (!lacks).then_some(span),
            zone: zone.filter(|_| !lacks).map(str::to_owned), before_minutes, after_minutes, participants, slots,
            cancel_reason: reason.filter(|_| ended).map(str::to_owned),
            series: series.map(|(series, number)| SeriesLink { series, number }),
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]
    #[test]
    fn a_visit_type_is_valid_r4_and_reads_back_as_it_was(visit in visit_type(), other in visit_type()) {
        let doc = parse(visit.write().unwrap());
        assert_valid(&doc)?;
        prop_assert_eq!(VisitType::read(doc.root()), Ok(visit));
        let over = parse(other.write_onto(Some(doc.root())).unwrap());
        prop_assert_eq!(VisitType::read(over.root()), Ok(other), "nothing of the old is left");
    }

    #[test]
    fn an_appointment_is_valid_r4_and_reads_back_as_it_was(one in appointment(), other in appointment()) {
        let zone_of = |a: &Appointment| a.zone.as_deref().map(zone);
        let doc = parse(one.write(zone_of(&one).as_ref()).unwrap());
        assert_valid(&doc)?;
        prop_assert_eq!(Appointment::read(doc.root()), Ok(one));
        let over = parse(other.write_onto(Some(doc.root()), zone_of(&other).as_ref()).unwrap());
        assert_valid(&over)?;
        prop_assert_eq!(Appointment::read(over.root()), Ok(other), "nothing of the old is left");
    }

    #[test]
    fn nobody_is_kept_who_declined_or_is_only_told(one in appointment()) {
        let busy = of_appointment("x", &one);
        for participant in &one.participants {
            let Some(actor) = &participant.actor else { continue };
            let kept = one.status.occupies() && participant.answer != Answer::Declined
                && participant.required != Some(Presence::InformationOnly);
            let span = participant.period.or(one.span);
            let found = busy.iter().any(|(a, b)| {
                a == actor && Some(b.span) == span && b.by == By::Appointment("x".to_owned())
            });
            let twin = one.participants.iter().filter(|p| p.actor == participant.actor).count() > 1;
            prop_assert!(found == (kept && span.is_some()) || twin);
        }
        prop_assert!(one.status.occupies() || busy.is_empty());
    }

    #[test]
    fn whatever_is_sent_is_read_or_refused_and_never_panics(
        members in proptest::collection::vec((of(&["status", "start", "end", "participant", "extension", "slot", "_start", "kind", "timingDuration", "title", "actor", "schedule", "planningHorizon", "notAvailable", "hoursOfOperation"]),
            of(&["1", "\"booked\"", "\"2026-11-23T09:00:00Z\"", "[]", "[{}]", "{}", "null", "[null]", "[{\"status\":\"accepted\"}]", "{\"value\":1e400,\"code\":\"h\"}", "[{\"url\":1,\"extension\":[{}]}]", "[{\"during\":{\"start\":\"9\"}}]", "true"])), 0..6),
        kind in of(&["Appointment", "Slot", "Schedule", "ActivityDefinition", "Location"]),
    ) {
        let mut text = format!("{{\"resourceType\":\"{kind}\",\"id\":\"x\"");
        let mut seen = std::collections::BTreeSet::new();
        for (name, value) in members {
            if seen.insert(name) {
                text.push_str(&format!(",\"{name}\":{value}"));
            }
        }
        text.push('}');
        let doc = parse(text.into_bytes());
        let window = span(0, MINUTE_MS);
        let codes = [
            Appointment::read(doc.root()).err(),
            VisitType::read(doc.root()).err(),
            scheduling::occupied::Slot::read(doc.root()).err(),
            scheduling::occupied::Schedule::read(doc.root()).err(),
            scheduling::calendar::read_hours(doc.root()).err(),
            scheduling::calendar::read_blocks(doc.root(), &actor("Device/1"), &zone("UTC"), window).err(),
        ];
        for fault in codes.into_iter().flatten() {
            prop_assert!(fault.code().name.starts_with("scheduling."));
        }
    }
}
