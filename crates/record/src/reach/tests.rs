//! The store's filter says of every row what the guard says of the record: a million judgements of
//! rows that lie in a store, by its change feed, and by its searches, reads and counts for some, beside
//! the native test of the same guards on the facts that the records were made of. With what patients
//! released and denied in play. `PLUMMER_SIGHT_ROWS` asks for more, `PLUMMER_SIGHT_SEED` for others.

use super::*;
use access::{Action, Context, Facts, Policies, PrincipalKind, Purpose, Who};
use base::Limits;
use fhir::Document;
use search::parse::{Level, Options, parse};
use std::collections::{BTreeMap, HashSet};
use store::{Denial, Op, PageRequest, Store, Unit, Wishes};

const RECORDS: usize = 1000;
const PATIENTS: [&str; 5] = ["ada", "bob", "cyd", "own", "child"];
const SITES: [&str; 3] = ["north", "south", "west"];
const AUTHORS: [&str; 3] = ["grace", "henry", "iris"];
const ROLES: [&str; 11] = [
    "clinician",
    "nurse",
    "front-desk",
    "biller",
    "him",
    "privacy-officer",
    "it-administrator",
    "auditor",
    "patient",
    "proxy",
    "system",
];
const LABELS: [&str; 10] =
    ["42CFRPart2", "PSYTHPN", "CA-AB352", "HIV", "STD", "ADOL", "SELFPAY", "R", "V", "VIP"];

/// Dice that fall the same way for the same seed (splitmix64).
struct Dice(u64);

impl Dice {
    fn below(&mut self, sides: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        usize::try_from((z ^ (z >> 31)) % sides as u64).unwrap()
    }

    fn one_in(&mut self, sides: usize) -> bool {
        self.below(sides) == 0
    }

    fn of<T: Copy>(&mut self, values: &[T]) -> T {
        values[self.below(values.len())]
    }

    fn some(&mut self, values: &[&'static str], sides: usize) -> Vec<&'static str> {
        values.iter().filter(|_| self.one_in(sides)).copied().collect()
    }
}

/// A record, as it was made.
struct Made {
    kind: TypeId,
    id: String,
    patients: Vec<&'static str>,
    site: Option<&'static str>,
    author: Option<&'static str>,
    labels: Labels,
}

impl Made {
    fn throw(dice: &mut Dice, at: usize) -> (Self, String) {
        let one = |dice: &mut Dice| vec![dice.of(&PATIENTS)];
        let reference = |of: &[&str]| format!(r#"{{"reference":"Patient/{}"}}"#, of[0]);
        // The first records are the patients themselves.
        let (name, patients, body) = match (at, dice.below(8)) {
            (at, _) if at < PATIENTS.len() => ("Patient", vec![PATIENTS[at]], String::new()),
            (_, 0 | 1) => {
                let who = one(dice);
                let body = format!(r#","subject":{}"#, reference(&who));
                ("Observation", who, body)
            }
            (_, 2) => {
                let (who, other) = (one(dice), one(dice));
                let body = format!(
                    r#","subject":{},"performer":[{}]"#,
                    reference(&who),
                    reference(&other)
                );
                ("Observation", [who, other].concat(), body)
            }
            (_, 3) => {
                let who = one(dice);
                ("Claim", who.clone(), format!(r#","patient":{}"#, reference(&who)))
            }
            (_, 4) => {
                let who = one(dice);
                ("Consent", who.clone(), format!(r#","patient":{}"#, reference(&who)))
            }
            (_, 5) => ("Location", vec![], String::new()),
            (_, 6) => ("ValueSet", vec![], String::new()),
            // Of somebody, or of nobody.
            (_, _) => {
                let who = if dice.one_in(2) { one(dice) } else { vec![] };
                let subject = who.first().map(|_| format!(r#","subject":{}"#, reference(&who)));
                ("DocumentReference", who, subject.unwrap_or_default())
            }
        };
        let id = match at < PATIENTS.len() {
            true => PATIENTS[at].to_owned(),
            false => format!("r{at}"),
        };
        let made = Self {
            kind: r4().resource_type(name).unwrap(),
            patients,
            site: (!dice.one_in(3)).then(|| dice.of(&SITES)),
            author: (!dice.one_in(2)).then(|| dice.of(&AUTHORS)),
            labels: Labels::known(dice.some(&LABELS, 14)),
            id,
        };
        let text = format!(r#"{{"resourceType":"{name}","id":"{}"{body}}}"#, made.id);
        (made, text)
    }

    fn facts(&self) -> Facts<'_> {
        let vip = self.labels.meets(Labels::VIP);
        Facts {
            tenant: TENANT,
            kind: self.kind,
            patients: &self.patients,
            site: self.site,
            labels: self.labels,
            author: self.author,
            vip,
        }
    }
}

fn who(dice: &mut Dice) -> Arc<Who> {
    let names = |names: Vec<&str>| names.into_iter().map(Arc::from).collect();
    let role = dice.of(&ROLES);
    let kind = if role == "system" { PrincipalKind::Service } else { PrincipalKind::User };
    let tenant = if dice.one_in(20) { "elsewhere" } else { TENANT };
    let mut who = Who::new(kind, dice.of(&AUTHORS), tenant);
    who.roles = vec![role.into()];
    who.roles.extend(dice.some(&ROLES, 8).into_iter().map(Arc::from));
    who.sites = names(dice.some(&SITES, 2));
    who.own_record = names(dice.some(&PATIENTS, 4));
    who.represents = names(dice.some(&PATIENTS, 4));
    // Somebody who is treated, and of whom the store has never heard, is no reason to show more.
    who.patients_in_care = names(dice.some(&PATIENTS, 2));
    if dice.one_in(4) {
        who.patients_in_care.push("never-seen".into());
    }
    Arc::new(who)
}

/// Most often one for which the first role works: with another, most get nothing.
fn purpose(dice: &mut Dice, who: &Who) -> Purpose {
    let fitting = match who.roles.first().map_or("", |role| &**role) {
        "front-desk" | "him" | "system" => Purpose::Operations,
        "biller" => Purpose::Payment,
        "patient" | "proxy" => Purpose::PatientRequest,
        "privacy-officer" | "auditor" => Purpose::Compliance,
        "it-administrator" => Purpose::System,
        _ => Purpose::Treatment,
    };
    if dice.one_in(4) { dice.of(&Purpose::ALL) } else { fitting }
}

fn wishes(dice: &mut Dice) -> Wishes {
    let mut wishes = Wishes::default();
    for patient in PATIENTS {
        if dice.one_in(3) {
            continue;
        }
        let mut released = Labels::known(dice.some(&LABELS, 2));
        if dice.one_in(2) {
            released = released | Labels::PART2;
        }
        wishes.granted.insert(patient.to_owned(), released.bits());
    }
    for patient in dice.some(&PATIENTS, 6) {
        let denial = Denial {
            types: dice.one_in(2).then(|| [r4().resource_type("Observation").unwrap()].into()),
            labels: if dice.one_in(2) { Labels::known(dice.some(&LABELS, 2)).bits() } else { 0 },
            ..Denial::default()
        };
        wishes.denied.insert(patient.to_owned(), vec![denial]);
    }
    wishes
}

/// What is to be seen, in plain words: what no patient denied, and the guard lets through; or lets
/// through with consent, when all its patients released all of its labels that can be released.
fn to_be_seen(made: &Made, [without, with]: [&Guard; 2], releasable: u64, wishes: &Wishes) -> bool {
    let (facts, labels) = (made.facts(), made.labels.bits());
    let denies = |denial: &Denial| {
        denial.types.as_ref().is_none_or(|types| types.contains(&made.kind))
            && (denial.labels == 0 || denial.labels & labels != 0)
    };
    let denied = |patient: &&str| wishes.denied.get(*patient).is_some_and(|d| d.iter().any(denies));
    if made.patients.iter().any(denied) {
        return false;
    }
    let carried = labels & releasable;
    let released =
        |patient: &&str| wishes.granted.get(*patient).is_some_and(|all| carried & !all == 0);
    without.allows(&facts)
        || (carried != 0
            && !made.patients.is_empty()
            && made.patients.iter().all(released)
            && with.allows(&facts))
}

fn number(variable: &str, default: u64) -> u64 {
    let Some(text) = std::env::var_os(variable) else { return default };
    text.to_str().and_then(|text| text.parse().ok()).expect(variable)
}

#[test]
fn the_store_shows_of_every_record_what_the_guard_says() {
    let (rows, seed) = (number("PLUMMER_SIGHT_ROWS", 1_000_000), number("PLUMMER_SIGHT_SEED", 1));
    let mut dice = Dice(seed);
    let dir = tempfile::tempdir().unwrap();
    let options = store::Options { sync: store::Sync::Relaxed, ..store::Options::default() };
    let store = Store::open(&dir.path().join("store"), options).unwrap();
    let mut all = Vec::new();
    let mut ops = Vec::new();
    for at in 0..RECORDS {
        let (made, text) = Made::throw(&mut dice, at);
        let document = Document::parse_text(text, &Limits::default()).unwrap();
        let mut content =
            store.prepare(document.root(), made.kind, made.id.clone(), made.labels.bits()).unwrap();
        content.site = made.site.map(Arc::from);
        content.author = made.author.map(Arc::from);
        ops.push(Op::Create(Box::new(content)));
        all.push(made);
    }
    store.commit(Unit { ops, ..Unit::default() }).unwrap();
    let policies = Policies::load(1, &[]).unwrap();
    let (mut judged, mut seen_all, mut by_consent, mut principals) = (0_u64, 0_u64, 0_u64, 0_u64);
    while judged < rows {
        let who = who(&mut dice);
        let action = match dice.one_in(2) {
            true => dice.of(&Action::ALL),
            false => dice.of(&[Action::Read, Action::Search, Action::Export]),
        };
        let purposes: Vec<Purpose> =
            (0..1 + dice.below(2)).map(|_| purpose(&mut dice, &who)).collect();
        let (age, glass) = (dice.of(&[0, 300, 86_400]), dice.one_in(8));
        let decisions: Vec<_> = purposes
            .iter()
            .map(|purpose| {
                let without =
                    Context { mfa_age_seconds: age, break_glass: glass, ..Context::of(*purpose) };
                let with = Context { consent: Labels::from_bits(u64::MAX), ..without.clone() };
                [without, with].map(|context| policies.decide(&who, action, None, &context))
            })
            .collect();
        let any = |at: usize| {
            decisions.iter().fold(Guard::nothing(), |any, pair| any.or(&pair[at].guard()).unwrap())
        };
        let (without, with) = (any(0), any(1));
        let wishes = if dice.one_in(2) { Wishes::default() } else { wishes(&mut dice) };
        let scope = scope(decisions.iter().map(|pair| (&pair[0], &pair[1])));
        let releasable = scope.as_ref().and_then(Scope::releasable).unwrap_or(0);
        let scope = scope.unwrap_or_else(Scope::nothing).heeding(Arc::new(wishes.clone()));
        let reader = store.reader(&scope).unwrap();
        let shown: HashSet<(TypeId, String)> = reader
            .changes(0, RECORDS + 1)
            .unwrap()
            .into_iter()
            .map(|change| (change.resource_type, change.id))
            .collect();
        let said = || {
            format!("seed {seed}: {who:?}\n{action:?} {purposes:?} {wishes:?}\n{without}\n{with}")
        };
        let mut counts: BTreeMap<TypeId, u64> = BTreeMap::new();
        for made in &all {
            let says = to_be_seen(made, [&without, &with], releasable, &wishes);
            let shows = shown.contains(&(made.kind, made.id.clone()));
            assert_eq!(
                shows,
                says,
                "{} {}: {:?}\n{}",
                made.id,
                r4().name(made.kind),
                made.facts(),
                said()
            );
            judged += 1;
            seen_all += u64::from(says);
            by_consent += u64::from(says && !without.allows(&made.facts()));
            *counts.entry(made.kind).or_default() += u64::from(says);
        }
        // The other ways to a row, for some: they go through the same sight by other code.
        if principals % 4 == 0 {
            let counted: BTreeMap<_, _> = reader.type_counts().unwrap().into_iter().collect();
            counts.retain(|_, count| *count > 0);
            assert_eq!(counted, counts, "{}", said());
            for _ in 0..4 {
                let made = &all[dice.below(all.len())];
                let says = shown.contains(&(made.kind, made.id.clone()));
                let read = reader.read(made.kind, &made.id).unwrap();
                assert_eq!(read.is_some(), says, "read {}: {}", made.id, said());
                let facts = reader.facts(made.kind, &made.id).unwrap();
                assert_eq!(facts.is_some(), says);
            }
            let kind = all[dice.below(all.len())].kind;
            let found = searched(&store, &scope, kind);
            let expected: HashSet<String> =
                shown.iter().filter(|(of, _)| *of == kind).map(|(_, id)| id.clone()).collect();
            assert_eq!(found, expected, "search {}: {}", r4().name(kind), said());
        }
        principals += 1;
    }
    #[expect(clippy::print_stdout, reason = "how strong the test was")]
    {
        println!(
            "{judged} rows for {principals} principals, {seen_all} seen, {by_consent} by consent"
        );
    }
    assert!(seen_all * 20 > judged, "only {seen_all} of {judged} are seen: a weak test");
    assert!(by_consent * 1000 > judged, "only {by_consent} by consent: a weak test");
}

/// The ids that a search of a type answers.
fn searched(store: &Store, scope: &Scope, kind: TypeId) -> HashSet<String> {
    let options = Options {
        lenient: false,
        limits: Limits::default(),
        now: base::Millis(0),
        base_url: None,
        conditional: false,
        hidden: None,
    };
    let search = parse(&Level::Type(kind), &[], &options).unwrap();
    let request =
        PageRequest { count: RECORDS, position: None, include_max: 0, steps_max: 1_000_000 };
    let page = store.reader(scope).unwrap().search(&search, &request).unwrap();
    assert_eq!(page.next, None);
    page.matches.into_iter().map(|hit| hit.id).collect()
}

#[test]
fn the_facts_of_a_record_are_those_it_was_made_of() {
    let dir = tempfile::tempdir().unwrap();
    let options = store::Options { sync: store::Sync::Relaxed, ..store::Options::default() };
    let store = Store::open(&dir.path().join("store"), options).unwrap();
    let (mut dice, everything) = (Dice(2), Scope::everything());
    for at in 0..60 {
        let (made, text) = Made::throw(&mut dice, at);
        let document = Document::parse_text(text, &Limits::default()).unwrap();
        let mut content =
            store.prepare(document.root(), made.kind, made.id.clone(), made.labels.bits()).unwrap();
        content.site = made.site.map(Arc::from);
        content.author = made.author.map(Arc::from);
        store.commit(Unit { ops: vec![Op::Create(Box::new(content))], ..Unit::default() }).unwrap();
        let known = store.reader(&everything).unwrap().facts(made.kind, &made.id).unwrap().unwrap();
        let mut patients: Vec<&str> = made.patients.clone();
        patients.sort_unstable();
        patients.dedup();
        let mut found: Vec<&str> = known.patients.iter().map(String::as_str).collect();
        found.sort_unstable();
        assert_eq!(found, patients, "{}", made.id);
        assert_eq!((known.site.as_deref(), known.author.as_deref()), (made.site, made.author));
        assert_eq!(known.labels, made.labels.bits());
    }
    let nobody = Scope::everything().of_patient("nobody");
    let kind = r4().resource_type("Patient").unwrap();
    assert_eq!(store.reader(&nobody).unwrap().facts(kind, "ada").unwrap(), None);
}
