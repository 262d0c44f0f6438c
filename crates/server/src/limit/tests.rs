//! The bounds of callers, whatever order they come in: never more than burst and rate times time.

use super::*;
use proptest::prelude::*;

fn rates() -> Rates {
    Rates {
        requests_per_s: 10,
        requests_burst: 20,
        cost_per_s: 1000,
        cost_burst: 5000,
        sign_in_per_minute: 6,
        sign_in_burst: 3,
        at_once: 1000,
        callers_max: 16,
        exempt_roles: vec!["system".to_owned()],
    }
}

fn somebody(number: u32) -> Caller {
    Caller { who: Who::Principal(number.to_string()), roles: Vec::new() }
}

fn meter(rates: Rates) -> Arc<Meter> {
    Arc::new(Meter::new(rates, 7))
}

fn refused(admitted: Result<Permit, Refusal>) -> (Bound, u64) {
    let refusal = admitted.expect_err("a refusal");
    (refusal.bound, refusal.retry_after_s)
}

#[test]
fn a_burst_is_admitted_and_then_the_rate() {
    let meter = meter(rates());
    let admit = |now_ms| meter.admit(&somebody(1), Kind::Request, now_ms);
    for _ in 0..20 {
        assert!(admit(1000).is_ok());
    }
    assert_eq!(refused(admit(1000)), (Bound::Requests, 1));
    assert!(admit(1099).is_err());
    assert!(admit(1100).is_ok());
    assert!(admit(1100).is_err());
    // After a long rest the burst is whole again, and no larger.
    let later = (0..30).filter(|_| admit(900_000).is_ok()).count();
    assert_eq!(later, 20);
}

#[test]
fn retry_after_is_when_the_next_is_admitted() {
    let rates = Rates { requests_per_s: 1, requests_burst: 1, cost_burst: 100, ..rates() };
    let meter = meter(rates);
    let permit = meter.admit(&somebody(1), Kind::Request, 0).unwrap();
    permit.charge(Cost { steps: 7000, ..Cost::default() }, 0);
    drop(permit);
    assert_eq!(refused(meter.admit(&somebody(1), Kind::Request, 0)), (Bound::Requests, 1));
    // 7,000 steps above the burst drain in 7 s.
    assert_eq!(refused(meter.admit(&somebody(1), Kind::Request, 1000)), (Bound::Cost, 6));
    assert!(meter.admit(&somebody(1), Kind::Request, 6999).is_err());
    assert!(meter.admit(&somebody(1), Kind::Request, 7000).is_ok());
}

#[test]
fn sign_ins_are_bounded_more_tightly_and_for_everybody() {
    let meter = meter(rates());
    let system = Caller::of_address("127.0.0.1".parse().unwrap());
    for _ in 0..3 {
        assert!(meter.admit(&system, Kind::SignIn, 0).is_ok());
    }
    assert_eq!(refused(meter.admit(&system, Kind::SignIn, 0)), (Bound::SignIns, 10));
    for _ in 0..100 {
        assert!(meter.admit(&system, Kind::Request, 0).is_ok(), "the role is exempt otherwise");
    }
    assert_eq!(Kind::of_path("/auth/sign-in"), Kind::SignIn);
    for path in ["/auth/oidc", "/auth/oidc-st-elsewhere"] {
        assert_eq!(Kind::of_path(path), Kind::SignIn);
    }
    assert_eq!(Kind::of_path("/auth/token"), Kind::Request);
    assert_eq!(Kind::of_path("/fhir/Patient"), Kind::Request);
}

#[test]
fn requests_in_flight_are_bounded_and_given_back() {
    let meter = meter(Rates { at_once: 2, ..rates() });
    let admit = || meter.admit(&somebody(1), Kind::Request, 0);
    let (one, _two) = (admit().unwrap(), admit().unwrap());
    assert_eq!(refused(admit()), (Bound::AtOnce, 1));
    drop(one);
    assert!(admit().is_ok());
}

#[test]
fn a_caller_with_requests_in_flight_keeps_its_place() {
    let meter = meter(Rates { at_once: 2, callers_max: 8, ..rates() });
    let admit = |number, now_ms| meter.admit(&somebody(number), Kind::Request, now_ms);
    let held = [admit(0, 0).unwrap(), admit(0, 0).unwrap()];
    // It owes nothing any more, and others take every place there is.
    let _others: Vec<_> = (1..30).map(|number| admit(number, 60_000)).collect();
    assert_eq!(refused(admit(0, 60_000)), (Bound::AtOnce, 1));
    drop(held);
    assert!(admit(0, 60_000).is_ok());
}

#[test]
fn what_was_asked_costs_steps_bytes_and_time() {
    let cost = Cost { steps: 5, bytes: 640, ms: 2 };
    assert_eq!(cost.in_steps(), 5 + 10 + 2000);
    assert_eq!(Cost { ms: u64::MAX, ..cost }.in_steps(), u64::MAX);
}

#[test]
fn the_log_is_told_of_a_caller_once_a_minute() {
    let meter = meter(Rates { requests_burst: 1, ..rates() });
    let admit = |now_ms| meter.admit(&somebody(1), Kind::Request, now_ms);
    assert!(admit(0).is_ok());
    assert!(!admit(0).unwrap_err().told);
    assert!(admit(1).unwrap_err().told);
    assert!(admit(200).is_ok());
    assert!(admit(201).unwrap_err().told, "being admitted in between changes nothing");
    assert!(admit(59_900).is_ok());
    assert!(admit(59_901).unwrap_err().told);
    assert!(admit(60_500).is_ok());
    assert!(!admit(60_501).unwrap_err().told);
}

#[test]
fn an_ipv6_caller_is_its_network() {
    let of = |text: &str| Caller::of_address(text.parse().unwrap()).who;
    assert_eq!(of("2a00:1:2:3::1"), of("2a00:1:2:3:ffff::9"));
    assert_ne!(of("2a00:1:2:3::1"), of("2a00:1:2:4::1"));
    assert_eq!(of("::ffff:192.0.2.1"), of("192.0.2.1"));
    assert_ne!(of("192.0.2.2"), of("192.0.2.1"));
}

proptest! {
    // 40 callers on 16 places: places are shared, left and taken all the time.
    #[test]
    fn nobody_gets_more_than_burst_and_rate_times_time(
        asks in proptest::collection::vec((0u32..40, 0u64..400, any::<bool>(), 0u64..300), 1..600),
    ) {
        let rates = rates();
        let meter = meter(rates.clone());
        let mut now_ms = 0;
        // Of each caller: when requests and sign-ins were admitted.
        let mut requests = vec![Vec::new(); 40];
        let mut sign_ins = vec![Vec::new(); 40];
        for (number, pause_ms, signs_in, steps) in asks {
            // Crowds come at the same moment, and now and then there is quiet.
            now_ms += if pause_ms > 300 { pause_ms } else { 0 };
            let kind = if signs_in { Kind::SignIn } else { Kind::Request };
            let Ok(permit) = meter.admit(&somebody(number), kind, now_ms) else { continue };
            permit.charge(Cost { steps, ..Cost::default() }, now_ms);
            requests[number as usize].push(now_ms);
            if signs_in {
                sign_ins[number as usize].push(now_ms);
            }
        }
        for times in &requests {
            within(times, rates.requests_burst * 60, rates.requests_per_s * 60)?;
        }
        for times in &sign_ins {
            within(times, rates.sign_in_burst * 60, rates.sign_in_per_minute)?;
        }
    }

    #[test]
    fn work_stays_within_burst_rate_and_one_request(
        asks in proptest::collection::vec((0u64..2000, 0u64..9000), 1..200),
    ) {
        let rates = Rates { requests_burst: 1_000_000, ..rates() };
        let meter = meter(rates.clone());
        let (mut now_ms, mut taken, mut most) = (0, 0, 0);
        for (pause_ms, steps) in asks {
            now_ms += pause_ms;
            let Ok(permit) = meter.admit(&somebody(1), Kind::Request, now_ms) else { continue };
            let before = taken;
            permit.charge(Cost { steps, ..Cost::default() }, now_ms);
            taken += steps + STEPS_OF_REQUEST;
            most = most.max(steps + STEPS_OF_REQUEST);
            // Before each admitted request what was taken is within the bound; what that request
            // itself takes is known only after it.
            prop_assert!(before <= rates.cost_burst + rates.cost_per_s * now_ms / 1000 + most);
        }
        prop_assert!(taken <= rates.cost_burst + rates.cost_per_s * now_ms / 1000 + most);
    }

    #[test]
    fn a_clock_that_stands_or_goes_back_gives_nothing_away(
        times in proptest::collection::vec(0u64..1000, 1..200),
    ) {
        let meter = meter(rates());
        let admitted =
            times.iter().filter(|now| meter.admit(&somebody(1), Kind::Request, **now).is_ok());
        // A second at the most has passed, whatever the clock said.
        prop_assert!(admitted.count() <= 20 + 10);
    }
}

/// In every span, at most the burst and what the rate gives; both in sixtieths.
fn within(times: &[u64], burst: u64, per_minute: u64) -> Result<(), TestCaseError> {
    for (from, first) in times.iter().enumerate() {
        for (to, last) in times.iter().enumerate().skip(from) {
            let count = (to - from + 1) as u64;
            prop_assert!(count * 60_000 <= burst * 1000 + per_minute * (last - first));
        }
    }
    Ok(())
}
