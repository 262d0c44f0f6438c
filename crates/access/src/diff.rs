//! What a change of the policies changes: who gains what, and who loses what, in words, so that it can
//! be read before it is in force (45 CFR 164.308(a)(4)(ii)(C), access modification).
//!
//! Both sets are asked for every stand-in that either tells apart, every action and every purpose, in
//! the circumstances that could matter; where the guards differ, the difference is a guard again, and
//! it is told. Only where no policy that changed could apply is nothing asked. A difference that
//! cannot be said in as many clauses as a guard may have counts as a gain: it fails closed.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::Arc;

use cedar_policy::PolicySet;

use crate::cache::Cache;
use crate::choice::Name;
use crate::guard::{Guard, TooManyClauses};
use crate::label::Labels;
use crate::matrix::{Persona, reason, reasons};
use crate::policies::Policies;
use crate::who::{Action, Context, Purpose};

/// One change.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Change {
    /// Who: a role, most often.
    pub who: String,
    /// Gains it, otherwise loses it.
    pub gains: bool,
    /// To do what.
    pub actions: Vec<&'static str>,
    /// For which purposes.
    pub purposes: Vec<String>,
    /// In which circumstances; none when in all that were asked about.
    pub when: Vec<String>,
    /// To which records, in words.
    pub records: String,
}

/// All that changes.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Diff {
    /// The ids of policies that are new.
    pub added: Vec<Name>,
    /// The ids of policies that are gone.
    pub removed: Vec<Name>,
    /// The ids of policies that say something else.
    pub altered: Vec<Name>,
    /// What follows of it.
    pub changes: Vec<Change>,
}

impl Diff {
    /// Whether anybody gains anything.
    pub fn widens(&self) -> bool {
        self.changes.iter().any(|change| change.gains)
    }
}

/// What a question may depend on beside who, action and purpose.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Circumstance {
    age: i64,
    consent: Labels,
    state: Name,
}

impl Circumstance {
    fn context(&self, purpose: Purpose, break_glass: bool) -> Context {
        Context {
            purpose,
            break_glass,
            mfa_age_seconds: self.age,
            consent: self.consent,
            recipient_state: Arc::clone(&self.state),
        }
    }
}

/// Some of the circumstances in words: each line by itself, the ages of a factor put together. What is
/// alike in all that were asked about is not said.
fn words(all: &[Circumstance], told: &BTreeSet<usize>) -> Vec<String> {
    if told.len() == all.len() {
        return Vec::new();
    }
    let mut groups: BTreeMap<(Labels, Name), (Vec<i64>, Vec<i64>)> = BTreeMap::new();
    for (at, one) in all.iter().enumerate() {
        let group = groups.entry((one.consent, Arc::clone(&one.state))).or_default();
        group.0.push(one.age);
        if told.contains(&at) {
            group.1.push(one.age);
        }
    }
    let mut lines = Vec::new();
    for ((consent, state), (mut asked, mut ages)) in groups {
        asked.sort_unstable();
        ages.sort_unstable();
        let Some(last) = ages.last().copied() else { continue };
        let mut parts = Vec::new();
        if ages.len() < asked.len() {
            parts.push(match asked.strip_suffix(ages.as_slice()) {
                Some([.., before]) => format!("no factor shown in the last {before} s"),
                _ if asked.starts_with(&ages) => format!("a factor shown at most {last} s ago"),
                _ => {
                    let ages: Vec<_> = ages.iter().map(ToString::to_string).collect();
                    format!("a factor shown {} s ago", ages.join(" or "))
                }
            });
        }
        let consents = if consent.is_empty() { "no consent" } else { "consent to every label" };
        parts.push(consents.to_owned());
        if !state.is_empty() {
            parts.push(format!("the answer going to {state}"));
        }
        lines.push(parts.join(", "));
    }
    lines
}

impl Policies {
    /// What changes when `new` takes the place of this set.
    pub fn diff(&self, new: &Self, tenant: &str) -> Diff {
        let mut diff = Diff::default();
        for (id, rule) in &self.rules {
            match new.rules.get(id) {
                None => diff.removed.push(Arc::clone(id)),
                Some(other) if other.says != rule.says => diff.altered.push(Arc::clone(id)),
                Some(_) => {}
            }
        }
        diff.added.extend(new.rules.keys().filter(|id| !self.rules.contains_key(*id)).cloned());
        let changed: BTreeSet<&Name> =
            diff.added.iter().chain(&diff.removed).chain(&diff.altered).collect();
        if changed.is_empty() {
            return diff;
        }
        let (before, after) = (self.only(&changed), new.only(&changed));
        let named = self.named().and(new.named());
        let circumstances = circumstances(self, new, &before, &after);
        let mut found: Found = BTreeMap::new();
        let personas = Persona::all(tenant, &named);
        for persona in &personas {
            for action in Action::ALL {
                if !before.could_apply(persona, action) && !after.could_apply(persona, action) {
                    continue;
                }
                for (purpose, glass) in reasons() {
                    for (at, circumstance) in circumstances.iter().enumerate() {
                        let context = circumstance.context(purpose, glass);
                        let one = self.decide(&persona.who, action, None, &context).guard();
                        let two = new.decide(&persona.who, action, None, &context).guard();
                        if one == two {
                            continue;
                        }
                        for (gains, difference) in
                            [(true, two.minus(&one)), (false, one.minus(&two))]
                        {
                            let Some(records) = told(gains, difference) else { continue };
                            let key = (persona.name.clone(), gains, records);
                            let slot = found.entry(key).or_default();
                            let slot = slot.entry((action, reason(purpose, glass))).or_default();
                            slot.insert(at);
                        }
                    }
                }
            }
        }
        diff.changes = gathered(found, &circumstances);
        // Who is told apart by name is told only where it makes a difference.
        let same = |one: &Change, like: &str| {
            let same = |other: &Change| *other == Change { who: like.to_owned(), ..one.clone() };
            diff.changes.iter().any(same)
        };
        let told = |one: &&Change| {
            let persona = personas.iter().find(|persona| persona.name == one.who);
            persona.and_then(|p| p.like.as_deref()).is_none_or(|like| !same(one, like))
        };
        diff.changes = diff.changes.iter().filter(told).cloned().collect();
        diff
    }

    /// These policies alone.
    fn only(&self, ids: &BTreeSet<&Name>) -> Self {
        let mut set = PolicySet::new();
        for policy in self.set.policies() {
            if ids.contains(&Name::from(AsRef::<str>::as_ref(policy.id()))) {
                // They stood in one set, so their ids do not collide.
                let _never = set.add(policy.clone());
            }
        }
        Self {
            epoch: self.epoch,
            schema: self.schema.clone(),
            set,
            rules: self.rules.clone(),
            numbers: self.numbers.clone(),
            named: self.named.clone(),
            cache: Cache::default(),
        }
    }

    /// Whether any policy could have a part in what somebody may do, whatever the context.
    fn could_apply(&self, persona: &Persona, action: Action) -> bool {
        let own = self.has_part(&persona.who, action);
        own || persona.who.on_behalf_of.as_ref().is_some_and(|user| self.has_part(user, action))
    }

    /// Whether it asks for a consent, or where the answer goes, or for the age of a factor.
    fn asks(&self, what: &str) -> bool {
        self.set.policies().any(|policy| policy.to_string().contains(what))
    }
}

/// By who, which way and which records: what is asked, and in which circumstances.
type Found = BTreeMap<(String, bool, String), BTreeMap<(Action, String), BTreeSet<usize>>>;

fn told(gains: bool, difference: Result<Guard, TooManyClauses>) -> Option<String> {
    match difference {
        Ok(guard) if guard.is_nothing() => None,
        Ok(guard) => Some(guard.to_string()),
        Err(TooManyClauses) if gains => {
            Some("records that cannot be told in few words: read both sets".to_owned())
        }
        Err(TooManyClauses) => None,
    }
}

/// The strictest and the most generous, and every mixture of what the changed policies ask for.
fn circumstances(
    old: &Policies,
    new: &Policies,
    before: &Policies,
    after: &Policies,
) -> Vec<Circumstance> {
    let asks = |what: &str| before.asks(what) || after.asks(what);
    let mut ages = vec![0, i64::MAX];
    for number in old.numbers.iter().chain(&new.numbers) {
        if asks("mfaAgeSeconds") && *number > 0 {
            ages.extend([*number, number.saturating_add(1)]);
        }
    }
    ages.sort_unstable();
    ages.dedup();
    let mut states: Vec<Name> = vec!["".into()];
    states.extend(old.named().and(new.named()).states);
    let strict = Circumstance { age: i64::MAX, consent: Labels::NONE, state: "".into() };
    let mut all = vec![strict.clone()];
    for state in &states {
        all.push(Circumstance { age: 0, consent: Labels::KNOWN, state: Arc::clone(state) });
    }
    for age in ages.iter().filter(|_| asks("mfaAgeSeconds")).chain([&strict.age]) {
        for state in states.iter().filter(|_| asks("recipientState")).chain([&strict.state]) {
            for consent in [Labels::NONE, Labels::KNOWN] {
                if consent.is_empty() || asks("consentLabels") {
                    all.push(Circumstance { age: *age, consent, state: Arc::clone(state) });
                }
            }
        }
    }
    let mut each: Vec<Circumstance> = Vec::new();
    for one in all {
        if !each.contains(&one) {
            each.push(one);
        }
    }
    each
}

fn gathered(found: Found, circumstances: &[Circumstance]) -> Vec<Change> {
    let mut changes = Vec::new();
    for ((who, gains, records), asked) in found {
        // Actions with the same purposes in the same circumstances share a line.
        let mut by_action: BTreeMap<Action, BTreeMap<BTreeSet<usize>, Vec<String>>> =
            BTreeMap::new();
        for ((action, why), when) in asked {
            by_action.entry(action).or_default().entry(when).or_default().push(why);
        }
        let mut lines: BTreeMap<(BTreeSet<usize>, Vec<String>), Vec<&'static str>> =
            BTreeMap::new();
        for (action, by_when) in by_action {
            for (when, purposes) in by_when {
                lines.entry((when, purposes)).or_default().push(action.as_str());
            }
        }
        for ((when, purposes), actions) in lines {
            let when = words(circumstances, &when);
            let purposes =
                if purposes.len() == reasons().count() { vec!["any".to_owned()] } else { purposes };
            let (who, records) = (who.clone(), records.clone());
            changes.push(Change { who, gains, actions, purposes, when, records });
        }
    }
    changes.sort_by(|one, two| (&one.who, !one.gains, one).cmp(&(&two.who, !two.gains, two)));
    changes
}

impl fmt::Display for Diff {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (what, ids) in
            [("new", &self.added), ("gone", &self.removed), ("says something else", &self.altered)]
        {
            for id in ids {
                writeln!(f, "policy {id}: {what}")?;
            }
        }
        for change in &self.changes {
            let does = if change.gains { "gains" } else { "loses" };
            let why = match change.purposes.as_slice() {
                [any] if any == "any" => "any purpose".to_owned(),
                why => why.join(", "),
            };
            writeln!(f, "\n{} {does}: {} for {why}", change.who, change.actions.join(", "))?;
            writeln!(f, "  {}", change.records.replace('\n', "\n  "))?;
            if !change.when.is_empty() {
                writeln!(f, "  with {}", change.when.join("\n  or with "))?;
            }
        }
        if self.changes.is_empty() {
            writeln!(f, "nobody gains or loses anything")?;
        }
        Ok(())
    }
}
