//! Whoever acts for somebody reaches what both reach: the guard of the two is the two guards' *and*,
//! for 200,000 triples of principals, context and record in an ordinary run (`PLUMMER_AGENT_TRIPLES`,
//! `PLUMMER_AGENT_SEED`). That each guard says what Cedar says is the oracle's to hold.

use std::sync::{Arc, OnceLock};

use access::{Action, Context, Labels, Policies, PrincipalKind, Purpose, Text, Who};

use crate::support::{
    Dice, PATIENTS, ROLES, SITES, TENANTS, USERS, all_labels, facts, kind, names, throw, treating,
};

/// The shipped policies, and somebody who may do whatever the walls leave: what acts for them is
/// narrowed by nothing but itself. And an agent that a site permits everything.
fn policies() -> &'static Policies {
    static SET: OnceLock<Policies> = OnceLock::new();
    SET.get_or_init(|| {
        let text = r#"
            @id("almighty") permit (principal in Role::"almighty", action, resource);
            @id("bold-agent") permit (principal is Agent in Role::"bold", action, resource);
        "#;
        Policies::load(1, &[Text { name: "site.cedar", text }]).unwrap()
    })
}

fn number(variable: &str, default: u64) -> u64 {
    let Some(text) = std::env::var_os(variable) else { return default };
    text.to_str().and_then(|text| text.parse().ok()).expect(variable)
}

fn person(dice: &mut Dice) -> Who {
    let kind = if dice.one_in(6) { PrincipalKind::Service } else { PrincipalKind::User };
    let mut who = Who::new(kind, dice.of(&USERS), TENANTS[usize::from(dice.one_in(20))]);
    who.roles = names(&[dice.of(&ROLES)]);
    who.roles.extend(names(&dice.some(&ROLES, 8)));
    who.sites = names(&dice.some(&SITES, 2));
    who.own_record = names(&dice.some(&PATIENTS, 4));
    who.represents = names(&dice.some(&PATIENTS, 4));
    who.patients_in_care = names(&dice.some(&PATIENTS, 2));
    who
}

/// An agent that acts for nobody yet, with a role of its own, most often that of agents.
fn agent(dice: &mut Dice) -> Who {
    let mut who = person(dice);
    (who.kind, who.id) = (PrincipalKind::Agent, "helper".into());
    who.tenant = TENANTS[0].into();
    match dice.below(4) {
        0 => who.roles = names(&["bold"]),
        1 => who.roles.push("agent".into()),
        _ => who.roles = names(&["agent"]),
    }
    who
}

fn acting(agent: &Who, user: Who) -> Arc<Who> {
    Arc::new(Who { on_behalf_of: Some(Arc::new(user)), ..agent.clone() })
}

fn almighty(tenant: &str) -> Who {
    let mut who = Who::new(PrincipalKind::User, "almighty", tenant);
    who.roles = names(&["almighty"]);
    who
}

#[test]
fn an_agent_for_a_user_reaches_what_both_reach_and_nothing_else() {
    let triples = number("PLUMMER_AGENT_TRIPLES", 200_000);
    let seed = number("PLUMMER_AGENT_SEED", 1);
    let mut dice = Dice(seed);
    let (mut asked, mut through, mut by_one) = (0_u64, 0_u64, 0_u64);
    while asked < triples {
        let (agent, user) = (agent(&mut dice), person(&mut dice));
        let context = Context {
            purpose: match dice.below(3) {
                0 => dice.of(&Purpose::ALL),
                _ => Purpose::Treatment,
            },
            break_glass: dice.one_in(10),
            mfa_age_seconds: dice.of(&[0, 301]),
            consent: Labels::known(dice.some(&all_labels(), 4)),
            recipient_state: dice.of(&["CA", "TX", ""]).into(),
        };
        let action = dice.of(&Action::ALL);
        let of = |who: &Arc<Who>| policies().guard(who, action, None, &context).guard();
        let own = of(&acting(&agent, almighty(TENANTS[0])));
        let theirs = of(&Arc::new(user.clone()));
        let both = of(&acting(&agent, user.clone()));
        for _ in 0..100 {
            let facts = throw(&mut dice).facts;
            let (one, two) = (own.allows(&facts), theirs.allows(&facts));
            let says = both.allows(&facts);
            let told = || {
                format!("seed {seed}: {agent:?} for {user:?}\n{action:?} {context:?}\n{facts:?}")
            };
            assert_eq!(says, one && two, "{}", told());
            (asked, through) = (asked + 1, through + u64::from(says));
            by_one += u64::from(one != two);
        }
    }
    #[expect(clippy::print_stdout, reason = "how strong the test was")]
    {
        println!("{asked} triples, {through} let through, {by_one} by one of the two alone");
    }
    assert!(through * 100 > asked && by_one * 10 > asked, "a weak test: {through}, {by_one}");
}

#[test]
fn what_a_person_answers_for_no_agent_does_whatever_a_site_permits_it() {
    let mut bold = Who::new(PrincipalKind::Agent, "helper", "clinic");
    bold.roles = names(&["bold"]);
    let guard = |action, context: &Context| {
        policies().guard(&acting(&bold, almighty("clinic")), action, None, context).guard()
    };
    let glass = Context { break_glass: true, ..treating() };
    for action in [
        Action::Export,
        Action::Print,
        Action::Amend,
        Action::Delete,
        Action::Configure,
        Action::Merge,
    ] {
        assert!(guard(action, &treating()).is_nothing(), "{action:?}");
    }
    for action in Action::ALL {
        assert!(guard(action, &glass).is_nothing(), "{action:?} through the glass");
        for name in ["AuditEvent", "Provenance"] {
            let trail = access::Facts { kind: kind(name), ..facts() };
            assert!(!guard(action, &treating()).allows(&trail), "{action:?} {name}");
        }
    }
    let consent = access::Facts { kind: kind("Consent"), ..facts() };
    assert!(guard(Action::Read, &treating()).allows(&consent));
    assert!(!guard(Action::Create, &treating()).allows(&consent), "a consent is a person's");
    assert!(!guard(Action::Update, &treating()).allows(&consent));
    // The test can fail: what is not walled off, the site's rule does permit.
    assert!(guard(Action::Update, &treating()).allows(&facts()));
}
