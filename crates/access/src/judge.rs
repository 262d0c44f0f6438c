//! Cedar's full answer for many records at once: the oracle of the guard, asked often. The set, the
//! schema's types and the policies are the same as for one record ([`Policies::judge`]); what is saved
//! is making the same entities again for every question.

use base::Fault;
use cedar_policy::{Authorizer, Entities, Entity, EntityUid, Request};

use crate::decide::{asking, inside, principals, record_entity};
use crate::guard::Facts;
use crate::policies::{Policies, entity};
use crate::who::{Action, Context, PrincipalKind, Who};

/// Records as Cedar has them, made once for many questions.
pub struct Records {
    uids: Vec<EntityUid>,
    entities: Entities,
}

impl std::fmt::Debug for Records {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Records").field("records", &self.uids.len()).finish()
    }
}

impl Policies {
    /// Records with these facts, each checked against the schema.
    ///
    /// # Errors
    /// `server.internal` when facts do not fit the schema.
    pub fn records(&self, facts: &[Facts<'_>]) -> Result<Records, Fault> {
        let mut uids = Vec::with_capacity(facts.len());
        let mut made = Vec::with_capacity(facts.len());
        for (at, facts) in facts.iter().enumerate() {
            let uid = entity("Record", &at.to_string())?;
            made.push(record_entity(uid.clone(), facts)?);
            uids.push(uid);
        }
        let entities =
            Entities::from_entities(made, Some(&self.schema)).map_err(|error| inside(&error))?;
        Ok(Records { uids, entities })
    }

    /// As [`Policies::judge`], for each of the records in order.
    pub fn judge_each(
        &self,
        who: &Who,
        action: Action,
        records: &Records,
        context: &Context,
    ) -> Vec<bool> {
        let acts_for = matches!(who.kind, PrincipalKind::App | PrincipalKind::Agent);
        if acts_for && who.on_behalf_of.is_none() {
            return vec![false; records.uids.len()];
        }
        let own = self.judge_each_alone(who, action, records, context);
        let mut own = own.unwrap_or_else(|_fault| vec![false; records.uids.len()]);
        if let Some(user) = &who.on_behalf_of {
            let theirs = self.judge_each(user, action, records, context);
            own.iter_mut().zip(theirs).for_each(|(own, theirs)| *own &= theirs);
        }
        own
    }

    fn judge_each_alone(
        &self,
        who: &Who,
        action: Action,
        records: &Records,
        context: &Context,
    ) -> Result<Vec<bool>, Fault> {
        let people: Vec<Entity> = principals(who)?;
        // Checked once for each question; the records were when they were made.
        Entities::from_entities(people.clone(), Some(&self.schema))
            .map_err(|error| inside(&error))?;
        let entities = records.entities.clone().add_entities(people, None);
        let entities = entities.map_err(|error| inside(&error))?;
        let (principal, asked) =
            (entity(who.kind.as_str(), &who.id)?, entity("Action", action.as_str())?);
        let (context, judge) = (asking(context)?, Authorizer::new());
        let answers = records.uids.iter().enumerate().map(|(at, record)| {
            // The first is held to the schema; the others differ from it in the record alone.
            let schema = (at == 0).then_some(&self.schema);
            let (principal, asked) = (principal.clone(), asked.clone());
            let request = Request::new(principal, asked, record.clone(), context.clone(), schema)
                .map_err(|error| inside(&error))?;
            let response = judge.is_authorized(&request, &self.set, &entities);
            let erred = response.diagnostics().errors().next().is_some();
            Ok(!erred && response.decision() == cedar_policy::Decision::Allow)
        });
        answers.collect()
    }
}
