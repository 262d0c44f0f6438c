//! What a department may ask about other people of the house: who of them can sign in, and whether one
//! would be shown a record. Asked before something is handed to somebody, so that nothing comes to wait
//! where nobody sees it (45 CFR 164.308(a)(4)). And what one subject alone can open again.

use crate::actor::Asked;
use crate::session::Session;
use crate::why::with_facts;
use access::{Action, Context, Labels};
use base::Fault;
use fhir::definitions::TypeId;
use identity::{Kind, Principal, Profile};
use std::collections::HashSet;
use std::sync::Arc;
use store::Scope;

/// Principals that are looked at in one go.
const LIST: usize = 1000;

impl Session {
    /// The Practitioners, by id, as whom somebody can sign in here. It tells of no patient and leaves no
    /// event.
    ///
    /// # Errors
    /// When the directory cannot be read.
    pub fn practitioners(&self) -> Result<HashSet<String>, Fault> {
        let mut found = HashSet::new();
        self.any_person(|person| {
            found.extend(person.profile.practitioner);
            Ok(false)
        })?;
        Ok(found)
    }

    /// Whether any of the people that `is` picks would be shown a record that the caller sees; with
    /// `label`, once it has that label too. What patients said is weighed but for a record that is yet to
    /// be labelled; a glass that somebody may break is not.
    ///
    /// # Errors
    /// When the directory or the store cannot be read.
    pub fn is_shown_to(
        &self,
        is: impl Fn(&Profile) -> bool,
        (of, id): (TypeId, &str),
        label: Option<&str>,
    ) -> Result<bool, Fault> {
        let gate = &self.gate;
        let own = self.scope_of(Action::Read, of)?;
        if gate.store.reader(&own)?.facts(of, id)?.is_none() {
            return Ok(false);
        }
        let everything = Scope::everything();
        let known = gate.store.reader(&everything)?.facts(of, id)?;
        let Some(mut known) = known else { return Ok(false) };
        if let Some(label) = label.and_then(Labels::named) {
            known.labels |= label.bits();
        }
        let (policies, now) = (gate.policies(), self.now());
        self.any_person(|person| {
            if !is(&person.profile) {
                return Ok(false);
            }
            let actor = gate.actor_of(Arc::clone(&policies), person, now)?;
            let asked = Asked::default();
            if label.is_none() {
                let Some(scope) = actor.scope(gate, Action::Read, &asked, None, i64::MAX)? else {
                    return Ok(false);
                };
                return Ok(gate.store.reader(&scope)?.facts(of, id)?.is_some());
            }
            Ok(actor.purposes(&asked).into_iter().any(|purpose| {
                let context = Context { mfa_age_seconds: i64::MAX, ..Context::of(purpose) };
                let says = |facts: &access::Facts<'_>| {
                    policies.explain(&actor.who, Action::Read, facts, &context).permitted
                };
                with_facts(of, &known, says)
            }))
        })
    }

    /// Whether something holds of any person who can sign in.
    fn any_person(
        &self,
        mut holds: impl FnMut(Principal) -> Result<bool, Fault>,
    ) -> Result<bool, Fault> {
        let mut after = None;
        loop {
            let page = self.gate.directory.identity.list(after, LIST)?;
            let is_last = page.len() < LIST;
            after = page.last().map(|person| person.id);
            for person in page {
                let is_there = person.kind == Kind::Person && person.disabled.is_none();
                if is_there && holds(person)? {
                    return Ok(true);
                }
            }
            if is_last {
                return Ok(false);
            }
        }
    }

    /// Seals what this subject alone can open again, for one use: what a form carries along that nobody
    /// else may send, and that its sender cannot make up.
    pub fn seal_own(&self, using: &str, plain: &str) -> String {
        self.seal_link(&[using.as_bytes(), &[0], plain.as_bytes()].concat())
    }

    /// Opens what [`Session::seal_own`] sealed for the same subject and use.
    pub fn open_own(&self, using: &str, sealed: &str) -> Option<String> {
        let whole = self.open_link(sealed)?;
        let plain = whole.strip_prefix(using.as_bytes())?.strip_prefix(&[0])?;
        String::from_utf8(plain.to_vec()).ok()
    }
}
