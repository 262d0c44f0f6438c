//! Why a decision about one record is what it is: the policies that permit it, those that forbid it,
//! and what would have to be otherwise (45 CFR 164.308(a)(4)(ii)(B)). It is Cedar's full answer, asked
//! again with one or two things changed; nothing is guessed from the text of a policy.

use std::sync::Arc;

use cedar_policy::{Authorizer, Effect, PolicySet};

use crate::guard::Facts;
use crate::label::Labels;
use crate::policies::{Policies, Rule};
use crate::who::{Action, Context, Purpose, Who};

/// The most ways that are told of how it would be permitted.
const INSTEAD_MAX: usize = 12;

/// Why.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Explained {
    /// Whether it is permitted.
    pub permitted: bool,
    /// The permits that apply, whether or not something forbids it.
    pub permits: Vec<Arc<Rule>>,
    /// The forbids that apply.
    pub forbids: Vec<Arc<Rule>>,
}

/// A question, with which something can be changed.
#[derive(Clone)]
struct Question {
    who: Who,
    context: Context,
    patients: Vec<Arc<str>>,
}

/// One thing that could be otherwise.
struct Otherwise {
    words: String,
    /// Changes of the same sort exclude each other.
    sort: u8,
    change: Box<dyn Fn(&mut Question)>,
}

impl Policies {
    /// Why `who` may, or may not, do `action` to a record with these facts.
    pub fn explain(
        &self,
        who: &Who,
        action: Action,
        facts: &Facts<'_>,
        context: &Context,
    ) -> Explained {
        let permitted = self.judge(who, action, facts, context);
        let mut explained = Explained { permitted, ..Explained::default() };
        let mut acting = Some(who);
        while let Some(one) = acting {
            let (permits, forbids) = self.applying(one, action, facts, context);
            for rule in permits {
                if !explained.permits.contains(&rule) {
                    explained.permits.push(rule);
                }
            }
            for rule in forbids {
                if !explained.forbids.contains(&rule) {
                    explained.forbids.push(rule);
                }
            }
            acting = one.on_behalf_of.as_deref();
        }
        explained
    }

    /// The permits and the forbids that apply to one principal.
    fn applying(
        &self,
        who: &Who,
        action: Action,
        facts: &Facts<'_>,
        context: &Context,
    ) -> (Vec<Arc<Rule>>, Vec<Arc<Rule>>) {
        let of = |effect: Effect| {
            let mut set = PolicySet::new();
            for policy in self.set.policies().filter(|policy| policy.effect() == effect) {
                // They stood in one set, so their ids do not collide.
                let _never = set.add(policy.clone());
            }
            let Ok((request, entities)) = self.question(who, action, facts, context) else {
                return Vec::new();
            };
            let response = Authorizer::new().is_authorized(&request, &set, &entities);
            let ids = response.diagnostics().reason();
            let rules = ids.filter_map(|id| self.rules.get(AsRef::<str>::as_ref(id)).cloned());
            let mut rules: Vec<_> = rules.collect();
            rules.sort_unstable_by(|one, two| one.id.cmp(&two.id));
            rules
        };
        (of(Effect::Permit), of(Effect::Forbid))
    }

    /// What would make permitted what is not: each line by itself, one thing that would be otherwise,
    /// or two where no one thing suffices.
    pub fn instead(
        &self,
        who: &Who,
        action: Action,
        facts: &Facts<'_>,
        context: &Context,
    ) -> Vec<String> {
        let question = Question {
            who: who.clone(),
            context: context.clone(),
            patients: facts.patients.iter().map(|id| Arc::from(*id)).collect(),
        };
        let permits = |question: &Question| {
            let patients: Vec<&str> = question.patients.iter().map(|id| &**id).collect();
            let facts = Facts { patients: &patients, ..*facts };
            self.judge(&question.who, action, &facts, &question.context)
        };
        let changes = self.otherwise(who, facts, context);
        let with = |changes: &[&Otherwise]| {
            let mut asked = question.clone();
            changes.iter().for_each(|one| (one.change)(&mut asked));
            permits(&asked)
        };
        let alone = changes.iter().filter(|one| with(&[one])).map(|one| one.words.clone());
        let mut found: Vec<String> = alone.take(INSTEAD_MAX).collect();
        if !found.is_empty() {
            return found;
        }
        for (at, one) in changes.iter().enumerate() {
            for two in changes.iter().skip(at + 1).filter(|two| two.sort != one.sort) {
                if found.len() < INSTEAD_MAX && with(&[one, two]) {
                    found.push(format!("{}, and {}", one.words, two.words));
                }
            }
        }
        found
    }

    /// What could be otherwise, the least first.
    fn otherwise(&self, who: &Who, facts: &Facts<'_>, context: &Context) -> Vec<Otherwise> {
        let mut changes: Vec<Otherwise> = Vec::new();
        let mut could = |sort, words: String, change: Box<dyn Fn(&mut Question)>| {
            changes.push(Otherwise { words, sort, change });
        };
        if context.mfa_age_seconds > 0 {
            let words = "a factor shown just now".to_owned();
            could(0, words, Box::new(|asked| asked.context.mfa_age_seconds = 0));
        }
        for purpose in Purpose::ALL.into_iter().filter(|purpose| *purpose != context.purpose) {
            let words = format!("the purpose {}", purpose.as_str());
            could(1, words, Box::new(move |asked| asked.context.purpose = purpose));
        }
        if !context.break_glass {
            let change = |asked: &mut Question| {
                asked.context.break_glass = true;
                asked.context.purpose = Purpose::Emergency;
                asked.context.mfa_age_seconds = 0;
            };
            could(1, "the glass broken in an emergency".to_owned(), Box::new(change));
        }
        let strange = facts.patients.iter().any(|id| {
            let held = who.patients_in_care.iter();
            !held.chain(&who.own_record).any(|own| **own == **id)
        });
        if strange {
            let change = |asked: &mut Question| {
                let patients = asked.patients.clone();
                asked.who.patients_in_care.extend(patients);
            };
            could(2, "the patient being in their care".to_owned(), Box::new(change));
        }
        if let Some(site) = facts.site.filter(|site| !who.sites.iter().any(|own| **own == **site)) {
            let words = format!("working at the site {site}");
            let site: Arc<str> = site.into();
            could(2, words, Box::new(move |asked| asked.who.sites.push(Arc::clone(&site))));
        }
        let withheld = facts.labels & Labels::KNOWN;
        if !withheld.is_empty() && !context.consent.holds(withheld) {
            let words = format!("the patient's consent to share {withheld}");
            could(3, words, Box::new(move |asked| asked.context.consent = Labels::KNOWN));
        }
        for role in self.named.roles.iter().filter(|role| !who.roles.contains(role)) {
            let words = format!("the role {role}");
            let role = Arc::clone(role);
            could(4, words, Box::new(move |asked| asked.who.roles.push(Arc::clone(&role))));
        }
        changes
    }
}
