//! The policies: what is shipped, what a site adds, and the gate through which all of them come.
//!
//! A policy is refused at load when it has no name, does not fit the schema, could err when it is
//! evaluated (Cedar skips a policy that errs, so a `forbid` that errs would let everything through),
//! or says of a record what no index can follow. So nothing of it is left to find at run time.
//!
//! Walls are always in the set. A `forbid` overrides every `permit`, so a site's policies can
//! narrow what a wall leaves, and never widen it. 45 CFR 164.308(a)(4), 164.312(a)(1).

use std::collections::{BTreeMap, BTreeSet};
use std::str::FromStr;
use std::sync::Arc;

use base::error::code;
use base::{Code, Fault};
use cedar_policy::pst::{Clause, Effect, Expr, Literal, ResourceConstraint};
use cedar_policy::{Policy, PolicyId, PolicySet, Schema, ValidationMode, Validator};

use crate::cache::Cache;
use crate::compile::{self, Beyond, Mode};
use crate::named::Named;
use crate::statements::{Statement, statements};

/// What policies may speak of.
pub const SCHEMA: &str = include_str!("schema.cedarschema");

/// A text of policies, and the name it is known by in a message: of its file, most often.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Text<'t> {
    /// Its name.
    pub name: &'t str,
    /// What it says, in Cedar.
    pub text: &'t str,
}

macro_rules! texts {
    ($($name:literal),* $(,)?) => {
        &[$(Text { name: $name, text: include_str!(concat!("../", $name)) }),*]
    };
}

/// The walls: they hold for everybody, and no site can take one down.
pub const WALLS: &[Text<'static>] = texts![
    "walls/tenant.cedar",
    "walls/part2.cedar",
    "walls/psychotherapy.cedar",
    "walls/ca-ab352.cedar",
    "walls/agent.cedar",
];

/// The roles that every site begins with.
pub const ROLES: &[Text<'static>] = texts![
    "roles/directory.cedar",
    "roles/clinician.cedar",
    "roles/nurse.cedar",
    "roles/front-desk.cedar",
    "roles/biller.cedar",
    "roles/him.cedar",
    "roles/privacy-officer.cedar",
    "roles/it-administrator.cedar",
    "roles/auditor.cedar",
    "roles/patient.cedar",
    "roles/proxy.cedar",
    "roles/app.cedar",
    "roles/agent.cedar",
    "roles/system.cedar",
];

/// The most policies of one set. Each is asked at every decision that is not remembered.
pub const POLICIES_MAX: usize = 512;
/// How deep the brackets and conditions of one policy may be nested: Cedar's parser takes some ten
/// kilobytes of the stack for each, and does not look where the stack ends.
pub const POLICY_DEPTH_MAX: usize = 16;
/// The most operators, brackets and attributes of one policy, counted together, so that chains of
/// them stay within a thread's stack too.
pub const POLICY_PARTS_MAX: usize = 300;
/// The most bytes of one policy.
pub const POLICY_BYTES_MAX: usize = 16 * 1024;
/// The most bytes of one text.
pub const TEXT_BYTES_MAX: usize = 256 * 1024;
/// The most faults of a set that are told; whoever mends those sees the others.
pub const FAULTS_MAX: usize = 100;

/// What is known of a policy beside what it says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rule {
    /// Its `@id`.
    pub id: Arc<str>,
    /// Whether it permits; otherwise it forbids.
    pub permits: bool,
    /// Its `@law`: what it rests on.
    pub law: Option<Arc<str>>,
    /// Its `@receipt`: the information-blocking exception a denial by it falls under (45 CFR 171).
    pub exception: Option<Arc<str>>,
    /// The name of its text.
    pub text: Arc<str>,
    /// The line it begins at, from 1.
    pub line: usize,
    /// Whether it is a wall.
    pub wall: bool,
    /// What it says, in Cedar, as it stands in its text.
    pub says: Arc<str>,
}

/// A set of policies that passed the gate, and the guards it gave lately.
pub struct Policies {
    pub(crate) epoch: u64,
    pub(crate) schema: Schema,
    pub(crate) set: PolicySet,
    pub(crate) rules: BTreeMap<Arc<str>, Arc<Rule>>,
    /// Every number that a policy names, so that ages between two of them are one age.
    pub(crate) numbers: BTreeSet<i64>,
    pub(crate) named: Named,
    pub(crate) cache: Cache,
}

impl std::fmt::Debug for Policies {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Policies")
            .field("epoch", &self.epoch)
            .field("rules", &self.rules.len())
            .finish_non_exhaustive()
    }
}

impl Policies {
    /// Walls, the shipped roles, and what a site adds. `epoch` counts the loads: a receipt names it.
    pub fn load(epoch: u64, site: &[Text<'_>]) -> Result<Self, Fault> {
        Self::load_with(epoch, ROLES, site)
    }

    /// As [`Policies::load`], with other roles than the shipped ones. The walls stay.
    ///
    /// # Errors
    /// All that is wrong with the texts, each with its file and line, in their order.
    pub fn load_with(epoch: u64, roles: &[Text<'_>], site: &[Text<'_>]) -> Result<Self, Fault> {
        let (schema, _warnings) = Schema::from_cedarschema_str(SCHEMA)
            .map_err(|error| Fault::new(&code::INTERNAL, format!("the schema: {error}")))?;
        let mut loaded = Self {
            epoch,
            schema: schema.clone(),
            set: PolicySet::new(),
            rules: BTreeMap::new(),
            numbers: BTreeSet::new(),
            named: Named::default(),
            cache: Cache::default(),
        };
        let mut faults = Vec::new();
        let texts = WALLS.iter().map(|text| (text, true));
        let texts = texts.chain(roles.iter().chain(site).map(|text| (text, false)));
        for (text, wall) in texts {
            loaded.add(text, wall, &mut faults);
        }
        loaded.validate(&Validator::new(schema), &mut faults);
        faults.truncate(FAULTS_MAX);
        let issues: Vec<_> = faults.into_iter().flat_map(|fault| fault.issues).collect();
        Fault::of(issues).map_or(Ok(loaded), Err)
    }

    /// What is known of each policy, by id.
    pub fn rules(&self) -> impl Iterator<Item = &Arc<Rule>> {
        self.rules.values()
    }

    /// Which load this is.
    pub const fn epoch(&self) -> u64 {
        self.epoch
    }

    /// The same policies as another load of them.
    #[must_use]
    pub fn of_epoch(self, epoch: u64) -> Self {
        // What was decided names the epoch it was decided in.
        Self { epoch, cache: Cache::default(), ..self }
    }

    /// The roles, sites and care teams that policies name.
    pub const fn named(&self) -> &Named {
        &self.named
    }

    /// Adds what a text says; a policy that is refused stays out, and the others are looked at.
    fn add(&mut self, text: &Text<'_>, wall: bool, faults: &mut Vec<Fault>) {
        let name = text.name;
        if text.text.len() > TEXT_BYTES_MAX {
            let why = format!("{name} is longer than {TEXT_BYTES_MAX} bytes; split it");
            return faults.push(Fault::at(&code::ACCESS_POLICY_INVALID, why, name));
        }
        for statement in statements(text.text) {
            if faults.len() >= FAULTS_MAX {
                return;
            }
            if let Err(fault) = self.add_one(name, &statement, wall) {
                faults.push(fault);
            }
        }
    }

    fn add_one(&mut self, name: &str, statement: &Statement<'_>, wall: bool) -> Result<(), Fault> {
        let place = |code: &'static Code, why: String| {
            Fault::at(code, why, format!("{name}:{}", statement.line))
        };
        if statement.text.len() > POLICY_BYTES_MAX {
            let why = format!("a policy is longer than {POLICY_BYTES_MAX} bytes; split it");
            return Err(place(&code::ACCESS_POLICY_INVALID, why));
        }
        if statement.depth > POLICY_DEPTH_MAX {
            let why = format!("it is nested deeper than {POLICY_DEPTH_MAX}; flatten it");
            return Err(place(&code::ACCESS_POLICY_INVALID, why));
        }
        if statement.weight > POLICY_PARTS_MAX {
            let why = format!("a policy has more than {POLICY_PARTS_MAX} parts; split it");
            return Err(place(&code::ACCESS_POLICY_INVALID, why));
        }
        if self.rules.len() >= POLICIES_MAX {
            let why = format!("there are more than {POLICIES_MAX} policies; join some");
            return Err(place(&code::ACCESS_POLICY_INVALID, why));
        }
        let policy = Policy::parse(None, statement.text).map_err(|error| {
            let why = format!("this is not a Cedar policy, mend it: {error}");
            place(&code::ACCESS_POLICY_INVALID, why)
        })?;
        let id = match policy.annotation("id") {
            Some(id) if !id.trim().is_empty() => Arc::<str>::from(id),
            _ => {
                let why = "give it a name that receipts can tell: @id(\"…\") before it";
                return Err(place(&code::ACCESS_POLICY_UNNAMED, why.to_owned()));
            }
        };
        if let Some(other) = self.rules.get(&id) {
            let why = format!(
                "the id {id} is that of the policy at {}:{}; choose another",
                other.text, other.line
            );
            return Err(place(&code::ACCESS_POLICY_INVALID, why));
        }
        let permits = self.examine(&policy).map_err(|beyond| match beyond {
            Beyond::Form(why) => place(
                &code::ACCESS_POLICY_BEYOND,
                format!("{id}: {why}; say it with the forms of docs/internals/access.md"),
            ),
            Beyond::MayFail(why) => place(
                &code::ACCESS_POLICY_MAY_FAIL,
                format!("{id}: {why}; a policy that errs is skipped, so say it without"),
            ),
            Beyond::TooMany => place(
                &code::ACCESS_POLICY_BEYOND,
                format!("{id}: it has too many alternatives; split it"),
            ),
        })?;
        let annotation = |key| policy.annotation(key).map(Arc::<str>::from);
        let rule = Rule {
            id: id.clone(),
            permits,
            law: annotation("law"),
            exception: annotation("receipt"),
            text: name.into(),
            line: statement.line,
            wall,
            says: statement.text.trim().into(),
        };
        self.set.add(policy.new_id(PolicyId::new(&id))).map_err(|error| {
            place(&code::ACCESS_POLICY_INVALID, format!("{id} cannot be added: {error}"))
        })?;
        self.rules.insert(id, Arc::new(rule));
        Ok(())
    }

    /// Whether a guard can say what it says, and whether it permits.
    fn examine(&mut self, policy: &Policy) -> Result<bool, Beyond> {
        let pst = policy.to_pst().map_err(|error| Beyond::Form(error.to_string()))?;
        let body = pst.body();
        match &body.resource {
            ResourceConstraint::Any => {}
            ResourceConstraint::Is(kind) if kind.to_string() == "Record" => {}
            _ => {
                let why = "the scope names one record; say `resource`, and its facts in `when`";
                return Err(Beyond::Form(why.to_owned()));
            }
        }
        let mut named = Named::default();
        named.of_principal(&body.principal);
        for clause in body.clauses() {
            let (Clause::When(expr) | Clause::Unless(expr)) = clause;
            compile::guard(expr, matches!(clause, Clause::When(_)), Mode::Load)?;
            note_numbers(expr, &mut self.numbers);
            named.of(expr);
        }
        self.named.add(named);
        Ok(body.effect == Effect::Permit)
    }

    fn validate(&self, validator: &Validator, faults: &mut Vec<Fault>) {
        let result = validator.validate(&self.set, ValidationMode::Strict);
        let errors = result.validation_errors().map(|e| (e.policy_id(), e.to_string()));
        // A warning is a policy that can never apply, or a text that is not what it looks like.
        let warnings = result.validation_warnings().map(|w| (w.policy_id(), w.to_string()));
        let mut found: Vec<_> = errors
            .chain(warnings)
            .map(|(id, why)| {
                let id: &str = id.as_ref();
                let rule = self.rules.get(id);
                let order = rule.map(|rule| (Arc::clone(&rule.text), rule.line));
                let place = rule.map_or_else(String::new, |r| format!("{}:{}", r.text, r.line));
                let why = format!("{id} does not fit the schema, mend it: {why}");
                (order, why.clone(), Fault::at(&code::ACCESS_POLICY_INVALID, why, place))
            })
            .collect();
        // One fault for each policy: the same is told for every type of principal.
        found.sort_by(|one, two| (&one.0, &one.1).cmp(&(&two.0, &two.1)));
        found.dedup_by(|one, two| one.0 == two.0);
        faults.extend(found.into_iter().map(|(_, _, fault)| fault));
    }
}

fn note_numbers(expr: &Expr, numbers: &mut BTreeSet<i64>) {
    if let Expr::Literal(Literal::Long(number)) = expr {
        numbers.insert(*number);
    }
    for part in compile::parts(expr).unwrap_or_default() {
        note_numbers(part, numbers);
    }
}

/// An entity's id, which may be any text.
pub(crate) fn entity(kind: &str, id: &str) -> Result<cedar_policy::EntityUid, Fault> {
    let kind = cedar_policy::EntityTypeName::from_str(kind)
        .map_err(|error| Fault::new(&code::INTERNAL, format!("an entity type: {error}")))?;
    Ok(cedar_policy::EntityUid::from_type_name_and_id(kind, cedar_policy::EntityId::new(id)))
}
