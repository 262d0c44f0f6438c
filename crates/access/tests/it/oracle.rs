//! The oracle: a guard says of every record what Cedar says when it is asked in full.
//!
//! 1,000,000 triples of principal, context and record in an ordinary run; `PLUMMER_ORACLE_TRIPLES`
//! asks for more, `PLUMMER_ORACLE_SEED` for others. Cedar's authorizer judges each of them, with every
//! policy that is shipped: the records of a round are made once and asked about by many
//! ([`access::Policies::judge_each`]). One in a thousand is judged a second time by itself
//! ([`access::Policies::judge`]), so that nothing that is shared can hide a difference.

use std::sync::Arc;

use access::{Action, Context, Labels, PrincipalKind, Purpose, Who};

use crate::support::{
    Dice, PATIENTS, ROLES, SITES, TENANTS, USERS, all_labels, names, shipped, throw,
};

/// Records of one round.
const RECORDS: usize = 1000;
/// Principals that are asked about the records of one round.
const PRINCIPALS: usize = 25;
/// One in so many triples is judged by itself too.
const ALONE: usize = 1000;

fn number(variable: &str, default: u64) -> u64 {
    let Some(text) = std::env::var_os(variable) else { return default };
    text.to_str().and_then(|text| text.parse().ok()).expect(variable)
}

fn who(dice: &mut Dice) -> Who {
    let kind = match dice.below(8) {
        0 => PrincipalKind::App,
        1 => PrincipalKind::Agent,
        2 => dice.of(&[PrincipalKind::Service, PrincipalKind::Device]),
        _ => PrincipalKind::User,
    };
    let mut who = Who::new(kind, dice.of(&USERS), TENANTS[usize::from(dice.one_in(10))]);
    who.roles = names(&[dice.of(&ROLES)]);
    if dice.one_in(3) {
        who.roles.extend(names(&dice.some(&ROLES, 6)));
    }
    who.sites = names(&dice.some(&SITES, 2));
    who.own_record = names(&dice.some(&PATIENTS, 4));
    who.represents = names(&dice.some(&PATIENTS, 4));
    who.patients_in_care = names(&dice.some(&PATIENTS, 2));
    if matches!(kind, PrincipalKind::App | PrincipalKind::Agent) {
        who.roles.push(if kind == PrincipalKind::App { "app".into() } else { "agent".into() });
        who.on_behalf_of = Some(Arc::new(self::who(dice)));
    }
    who
}

fn context(dice: &mut Dice, who: &Who) -> Context {
    // Of all purposes one in two would be in vain for most roles.
    let fitting = match who.roles.first().map_or("", |role| &**role) {
        "front-desk" => Purpose::Operations,
        "biller" => Purpose::Payment,
        "him" | "patient" | "proxy" => Purpose::PatientRequest,
        "privacy-officer" | "auditor" => Purpose::Compliance,
        "it-administrator" => Purpose::System,
        _ => Purpose::Treatment,
    };
    Context {
        purpose: if dice.one_in(2) { fitting } else { dice.of(&Purpose::ALL) },
        break_glass: dice.one_in(3),
        mfa_age_seconds: dice.of(&[0, 299, 300, 301, 86_400]),
        consent: Labels::known(dice.some(&all_labels(), 4)),
        recipient_state: dice.of(&["CA", "TX", ""]).into(),
    }
}

#[test]
fn a_guard_says_of_every_record_what_the_policies_say() {
    let triples = number("PLUMMER_ORACLE_TRIPLES", 1_000_000);
    let seed = number("PLUMMER_ORACLE_SEED", 1);
    let mut dice = Dice(seed);
    let (mut through, mut asked, mut denied, mut alone) = (0_u64, 0_u64, 0_u64, 0_u64);
    while asked < triples {
        let facts: Vec<_> = (0..RECORDS).map(|_| throw(&mut dice).facts).collect();
        let all = shipped().records(&facts).unwrap();
        let few = shipped().records(&facts[..RECORDS / 10]).unwrap();
        for _ in 0..PRINCIPALS {
            let who = Arc::new(who(&mut dice));
            let context = context(&mut dice, &who);
            let action = dice.of(&Action::ALL);
            let decision = shipped().guard(&who, action, None, &context);
            if let access::Decision::Denied(receipt) = &*decision {
                assert_eq!(receipt.alarm, None, "seed {seed}: {who:?} {action:?} {context:?}");
                denied += 1;
            }
            let guard = decision.guard();
            // A denial is asked less often: the time is spent where guards say something.
            let records = if guard.is_nothing() { &few } else { &all };
            let says = shipped().judge_each(&who, action, records, &context);
            assert!(says.len() >= RECORDS / 10);
            for (facts, says) in facts.iter().zip(says) {
                let said =
                    || format!("seed {seed}: {who:?}\n{action:?} {context:?}\n{facts:?}\n{guard}");
                assert_eq!(guard.allows(facts), says, "{}", said());
                if dice.one_in(ALONE) {
                    assert_eq!(shipped().judge(&who, action, facts, &context), says, "{}", said());
                    alone += 1;
                }
                through += u64::from(says);
                asked += 1;
            }
            let facts = dice.of(&facts);
            let of_kind = shipped().guard(&who, action, Some(facts.kind), &context);
            assert_eq!(of_kind.guard().allows(&facts), guard.allows(&facts), "of one type");
        }
    }
    #[expect(clippy::print_stdout, reason = "how strong the test was")]
    {
        println!(
            "{asked} triples, {alone} of them judged twice, {through} let through, {denied} principals denied outright"
        );
    }
    assert!(through * 20 > asked, "only {through} of {asked} were let through: a weak test");
    assert!(alone * 2 * ALONE as u64 > asked, "only {alone} were judged by themselves");
}
