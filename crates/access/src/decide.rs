//! The decision: which records a principal may reach with an action in a context, as a guard.
//!
//! Cedar evaluates the policies in part (feature `tpe`), with the principal, the action and the
//! context known and the record not. What is left of a `permit` lets records in, what is left of a
//! `forbid` keeps records out, and the two make the [`Guard`]. A policy that errs is skipped by
//! Cedar; here any error is a denial with an alarm, since the policy skipped may be the wall.

use std::sync::Arc;

use base::Fault;
use base::error::code;
use cedar_policy::pst::{Clause, Effect};
use cedar_policy::{
    Authorizer, Entities, Entity, EntityTypeName, EntityUid, PartialEntities, PartialEntityUid,
    PartialRequest, Request, RestrictedExpression,
};
use fhir::definitions::{TypeId, r4};

use crate::cache::Key;
use crate::compile::{self, Beyond, Mode};
use crate::guard::{Facts, Guard};
use crate::policies::{Policies, Rule, entity};
use crate::who::{Action, Context, PrincipalKind, Who};

/// Why a decision is what it is: kept with the audit event.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Receipt {
    /// Which load of the policies decided.
    pub epoch: u64,
    /// The policies that had a part in it: the permits that apply, or may; the forbids that keep
    /// something out.
    pub rules: Vec<Arc<Rule>>,
    /// Set when something is wrong with the policies themselves: somebody must look.
    pub alarm: Option<String>,
}

impl Receipt {
    /// The laws that its forbids rest on, for the denial's explanation.
    pub fn laws(&self) -> impl Iterator<Item = &str> {
        self.rules.iter().filter(|rule| !rule.permits).filter_map(|rule| rule.law.as_deref())
    }

    /// The information-blocking exceptions (45 CFR 171) that its forbids name.
    pub fn exceptions(&self) -> impl Iterator<Item = &str> {
        self.rules.iter().filter(|rule| !rule.permits).filter_map(|rule| rule.exception.as_deref())
    }
}

/// What a principal may reach.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Decision {
    /// No record.
    Denied(Receipt),
    /// The records that the guard lets through.
    Allowed {
        /// Which records.
        guard: Guard,
        /// Why: the principal's own, and that of whom it acts for.
        receipts: Vec<Receipt>,
    },
}

impl Decision {
    /// The guard: of a denial, nothing.
    pub fn guard(&self) -> Guard {
        match self {
            Self::Denied(_) => Guard::nothing(),
            Self::Allowed { guard, .. } => guard.clone(),
        }
    }

    /// The fault that a door answers a denial with. It says nothing of any record.
    pub fn fault(&self) -> Option<Fault> {
        match self {
            Self::Denied(_) => Some(Fault::new(
                &code::ACCESS_DENIED,
                "no policy permits this; ask whoever manages access, with the id of the request",
            )),
            Self::Allowed { .. } => None,
        }
    }
}

impl Policies {
    /// Which records `who` may reach with `action`, in records of `kind` or of all types. Decisions
    /// made lately are remembered.
    pub fn guard(
        &self,
        who: &Arc<Who>,
        action: Action,
        kind: Option<TypeId>,
        context: &Context,
    ) -> Arc<Decision> {
        let context = self.settled(context);
        let key = Key { who: Arc::clone(who), action, kind, context };
        if let Some(found) = self.cache.get(&key) {
            return found;
        }
        let decision = Arc::new(self.decide(who, action, kind, &key.context));
        self.cache.put(key, Arc::clone(&decision));
        decision
    }

    /// As [`Policies::guard`], asking the policies themselves.
    pub fn decide(
        &self,
        who: &Who,
        action: Action,
        kind: Option<TypeId>,
        context: &Context,
    ) -> Decision {
        // An app or agent acts for somebody, or it does not act.
        let acts_for = matches!(who.kind, PrincipalKind::App | PrincipalKind::Agent);
        if acts_for && who.on_behalf_of.is_none() {
            return Decision::Denied(Receipt { epoch: self.epoch, ..Receipt::default() });
        }
        let mut own = self.decide_alone(who, action, kind, context);
        let mut acted_for = who.on_behalf_of.as_deref();
        while let (Some(user), Decision::Allowed { guard, receipts }) = (acted_for, &own) {
            own = match self.decide_alone(user, action, kind, context) {
                Decision::Denied(receipt) => Decision::Denied(receipt),
                Decision::Allowed { guard: theirs, receipts: why } => {
                    let receipts = receipts.iter().cloned().chain(why).collect();
                    self.allowed(guard.and(&theirs).map_err(|_too_many| Beyond::TooMany), receipts)
                }
            };
            acted_for = user.on_behalf_of.as_deref();
        }
        own
    }

    /// What Cedar itself says of one record, asked in full: the oracle of the guard, and what a
    /// server may ask now and then to compare. An error is a denial.
    pub fn judge(&self, who: &Who, action: Action, facts: &Facts<'_>, context: &Context) -> bool {
        let acts_for = matches!(who.kind, PrincipalKind::App | PrincipalKind::Agent);
        if acts_for && who.on_behalf_of.is_none() {
            return false;
        }
        let own = self.judge_alone(who, action, facts, context).unwrap_or(false);
        own && who.on_behalf_of.as_ref().is_none_or(|user| self.judge(user, action, facts, context))
    }

    /// How many decisions are remembered.
    pub fn remembered(&self) -> usize {
        self.cache.len()
    }

    fn decide_alone(
        &self,
        who: &Who,
        action: Action,
        kind: Option<TypeId>,
        context: &Context,
    ) -> Decision {
        match self.residual(who, action, context) {
            Ok((guard, rules)) => {
                let guard = guard.map(|guard| match kind {
                    Some(kind) => guard.for_kind(kind),
                    None => guard,
                });
                let receipt = Receipt { epoch: self.epoch, rules, alarm: None };
                self.allowed(guard, vec![receipt])
            }
            Err(fault) => self.alarm(fault.to_string()),
        }
    }

    /// The decision for a guard; a denial when it lets nothing through.
    fn allowed(&self, guard: Result<Guard, Beyond>, receipts: Vec<Receipt>) -> Decision {
        match guard {
            Ok(guard) if guard.is_nothing() => {
                let rules = receipts.into_iter().flat_map(|receipt| receipt.rules).collect();
                Decision::Denied(Receipt { epoch: self.epoch, rules, alarm: None })
            }
            Ok(guard) => Decision::Allowed { guard, receipts },
            Err(beyond) => self.alarm(format!("the policies have no guard: {beyond:?}")),
        }
    }

    fn alarm(&self, why: String) -> Decision {
        let alarm = Some(why);
        Decision::Denied(Receipt { epoch: self.epoch, rules: Vec::new(), alarm })
    }

    /// What is left of the policies when all but the record is known.
    #[expect(
        clippy::type_complexity,
        reason = "a guard or none, and who made it; named nowhere else"
    )]
    fn residual(
        &self,
        who: &Who,
        action: Action,
        context: &Context,
    ) -> Result<(Result<Guard, Beyond>, Vec<Arc<Rule>>), Fault> {
        let (request, entities) = self.partial(who, action, Some(context))?;
        let response =
            self.set.tpe(&request, &entities, &self.schema).map_err(|error| inside(&error))?;
        if let Some(id) = response.error_permits().chain(response.error_forbids()).next() {
            let id: &str = id.as_ref();
            return Err(Fault::new(&code::ACCESS_POLICY_MAY_FAIL, format!("{id} erred")));
        }
        let mut rules: Vec<Arc<Rule>> = response
            .true_permits()
            .chain(response.residual_permits())
            .chain(response.true_forbids())
            .chain(response.residual_forbids())
            .filter_map(|id| self.rules.get(AsRef::<str>::as_ref(id)).cloned())
            .collect();
        rules.sort_unstable_by(|one, two| (!one.permits, &one.id).cmp(&(!two.permits, &two.id)));
        if response.true_forbids().next().is_some() {
            rules.retain(|rule| !rule.permits);
            return Ok((Ok(Guard::nothing()), rules));
        }
        let mut permits = if response.true_permits().next().is_some() {
            Ok(Guard::everything())
        } else {
            Ok(Guard::nothing())
        };
        let mut forbids = Ok(Guard::everything());
        for policy in response.residual_policies() {
            let pst = policy.to_pst().map_err(|error| inside(&error))?;
            let permit = pst.body().effect == Effect::Permit;
            // For a forbid, the records it does not apply to.
            let mut applies = Ok(if permit { Guard::everything() } else { Guard::nothing() });
            for clause in pst.body().clauses() {
                let (Clause::When(expr) | Clause::Unless(expr)) = clause;
                let when = matches!(clause, Clause::When(_));
                applies =
                    joined(applies, compile::guard(expr, when == permit, Mode::Residual), permit);
            }
            if permit {
                permits = joined(permits, applies, false);
            } else {
                forbids = joined(forbids, applies, true);
            }
        }
        if matches!(&permits, Ok(guard) if guard.is_nothing()) {
            rules.retain(|rule| !rule.permits);
        }
        Ok((joined(permits, forbids, true), rules))
    }

    fn judge_alone(
        &self,
        who: &Who,
        action: Action,
        facts: &Facts<'_>,
        context: &Context,
    ) -> Result<bool, Fault> {
        let (request, entities) = self.question(who, action, facts, context)?;
        let response = Authorizer::new().is_authorized(&request, &self.set, &entities);
        let erred = response.diagnostics().errors().next().is_some();
        Ok(!erred && response.decision() == cedar_policy::Decision::Allow)
    }

    /// A question about one record, as Cedar takes it.
    pub(crate) fn question(
        &self,
        who: &Who,
        action: Action,
        facts: &Facts<'_>,
        context: &Context,
    ) -> Result<(Request, Entities), Fault> {
        let record = entity("Record", "it")?;
        let mut entities = principals(who)?;
        entities.push(record_entity(record.clone(), facts)?);
        let entities = Entities::from_entities(entities, Some(&self.schema))
            .map_err(|error| inside(&error))?;
        let request = Request::new(
            entity(who.kind.as_str(), &who.id)?,
            entity("Action", action.as_str())?,
            record,
            asking(context)?,
            Some(&self.schema),
        )
        .map_err(|error| inside(&error))?;
        Ok((request, entities))
    }

    /// Whether any policy is left that could permit or forbid something, whatever the context and the
    /// record.
    pub(crate) fn has_part(&self, who: &Who, action: Action) -> bool {
        let left = || {
            let (request, entities) = self.partial(who, action, None)?;
            let response =
                self.set.tpe(&request, &entities, &self.schema).map_err(|error| inside(&error))?;
            let mut permits = response.true_permits().chain(response.residual_permits());
            let mut forbids = response.true_forbids().chain(response.residual_forbids());
            let mut errors = response.error_permits().chain(response.error_forbids());
            let any = permits.next().is_some() || forbids.next().is_some();
            Ok::<_, Fault>(any || errors.next().is_some())
        };
        left().unwrap_or(true)
    }

    /// A question in part: without a record, and without a context when none is given.
    fn partial(
        &self,
        who: &Who,
        action: Action,
        context: Option<&Context>,
    ) -> Result<(PartialRequest, PartialEntities), Fault> {
        let principal = entity(who.kind.as_str(), &who.id)?;
        let entities = Entities::from_entities(principals(who)?, Some(&self.schema))
            .map_err(|error| inside(&error))?;
        let entities = PartialEntities::from_concrete(entities, &self.schema)
            .map_err(|error| inside(&error))?;
        let record: EntityTypeName = "Record".parse().map_err(|error| inside(&error))?;
        let request = PartialRequest::new(
            PartialEntityUid::from_concrete(principal),
            entity("Action", action.as_str())?,
            PartialEntityUid::new(record, None),
            context.map(asking).transpose()?,
            &self.schema,
        )
        .map_err(|error| inside(&error))?;
        Ok((request, entities))
    }

    /// The context with its age brought to one of few: policies compare ages with the numbers they
    /// name and cannot tell two ages between the same two numbers apart.
    pub fn settled(&self, context: &Context) -> Context {
        let age = context.mfa_age_seconds;
        let mfa_age_seconds = match self.numbers.range(..=age).next_back() {
            Some(number) if *number == age => age,
            Some(number) => number.saturating_add(1),
            None => i64::MIN,
        };
        Context { mfa_age_seconds, ..context.clone() }
    }
}

fn joined(
    one: Result<Guard, Beyond>,
    two: Result<Guard, Beyond>,
    both: bool,
) -> Result<Guard, Beyond> {
    let (one, two) = (one?, two?);
    let joined = if both { one.and(&two) } else { one.or(&two) };
    joined.map_err(|_too_many| Beyond::TooMany)
}

/// The principal and everything it is in.
pub(crate) fn principals(who: &Who) -> Result<Vec<Entity>, Fault> {
    let groups = who
        .roles
        .iter()
        .map(|role| entity("Role", role))
        .chain(who.sites.iter().map(|site| entity("Site", site)))
        .chain(who.care_teams.iter().map(|team| entity("CareTeam", team)))
        .collect::<Result<std::collections::HashSet<EntityUid>, Fault>>()?;
    let mut entities: Vec<Entity> =
        groups.iter().map(|group| Entity::new_no_attrs(group.clone(), [].into())).collect();
    let attributes = [
        ("tenant".to_owned(), RestrictedExpression::new_entity_uid(entity("Tenant", &who.tenant)?)),
        ("sites".to_owned(), set("Site", &who.sites)?),
        ("ownRecord".to_owned(), set("Patient", &who.own_record)?),
        ("represents".to_owned(), set("Patient", &who.represents)?),
        ("patientsInCare".to_owned(), set("Patient", &who.patients_in_care)?),
    ];
    let uid = entity(who.kind.as_str(), &who.id)?;
    entities.push(Entity::new(uid, attributes.into(), groups).map_err(|error| inside(&error))?);
    Ok(entities)
}

pub(crate) fn record_entity(uid: EntityUid, facts: &Facts<'_>) -> Result<Entity, Fault> {
    let text = |text: &str| RestrictedExpression::new_string(text.to_owned());
    let mut attributes = std::collections::HashMap::from([
        (
            "tenant".to_owned(),
            RestrictedExpression::new_entity_uid(entity("Tenant", facts.tenant)?),
        ),
        ("kind".to_owned(), text(r4().name(facts.kind))),
        ("patients".to_owned(), set("Patient", facts.patients)?),
        ("labels".to_owned(), RestrictedExpression::new_set(facts.labels.names().map(text))),
        ("vip".to_owned(), RestrictedExpression::new_bool(facts.vip)),
    ]);
    if let Some(site) = facts.site {
        let site = RestrictedExpression::new_entity_uid(entity("Site", site)?);
        attributes.insert("site".to_owned(), site);
    }
    if let Some(author) = facts.author {
        let author = RestrictedExpression::new_entity_uid(entity("User", author)?);
        attributes.insert("author".to_owned(), author);
    }
    Entity::new(uid, attributes, [].into()).map_err(|error| inside(&error))
}

pub(crate) fn asking(context: &Context) -> Result<cedar_policy::Context, Fault> {
    let text = |text: &str| RestrictedExpression::new_string(text.to_owned());
    cedar_policy::Context::from_pairs([
        ("purpose".to_owned(), text(context.purpose.as_str())),
        ("breakGlass".to_owned(), RestrictedExpression::new_bool(context.break_glass)),
        ("mfaAgeSeconds".to_owned(), RestrictedExpression::new_long(context.mfa_age_seconds)),
        (
            "consentLabels".to_owned(),
            RestrictedExpression::new_set(context.consent.names().map(text)),
        ),
        ("recipientState".to_owned(), text(&context.recipient_state)),
    ])
    .map_err(|error| inside(&error))
}

fn set(kind: &str, ids: &[impl AsRef<str>]) -> Result<RestrictedExpression, Fault> {
    let ids = ids.iter().map(|id| entity(kind, id.as_ref()));
    let ids = ids.collect::<Result<Vec<EntityUid>, Fault>>()?;
    Ok(RestrictedExpression::new_set(ids.into_iter().map(RestrictedExpression::new_entity_uid)))
}

pub(crate) fn inside(error: &dyn std::fmt::Display) -> Fault {
    Fault::new(&code::INTERNAL, format!("the policies could not be asked: {error}"))
}
