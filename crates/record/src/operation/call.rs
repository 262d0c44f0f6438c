//! Calling an operation: whether it may be asked at all, and that it leaves its event.

use super::{Agents, Input, Operation, Output};
use crate::actor::denied;
use crate::session::Session;
use crate::trail;
use audit::Target;
use base::Fault;
use base::error::code;
use fhir::definitions::r4;

impl Session {
    /// Asks for an operation. What leaves no event of its own leaves one of the operation's kind.
    ///
    /// # Errors
    /// `access.denied` when the caller lacks what it needs, or asks for another purpose;
    /// `record.operation.agent` for an agent that may not ask; what the operation answers.
    pub async fn call(&self, operation: &Operation, input: &Input) -> Result<Output, Fault> {
        let outcome = match self.may_call(operation) {
            Ok(()) => (operation.run)(self, input).await,
            Err(fault) => Err(fault),
        };
        if self.noted() {
            return outcome;
        }
        let mut event = self.event(operation.kind);
        let of = input.resource_type.and_then(|name| r4().resource_type(name));
        match (of, &input.id) {
            (Some(of), Some(id)) => event.targets.push(trail::target(of, id, None)),
            (Some(of), None) => event.targets.push(Target::of_type(r4().name(of))),
            (None, _) => {}
        }
        match outcome {
            Ok(output) => {
                event.bytes = output.body.len() as u64;
                self.audited(&event, output)?.into_inner().await
            }
            Err(fault) => Err(self.refused(event, fault)),
        }
    }

    /// Whether the caller may ask for an operation at all.
    pub(crate) fn may_call(&self, operation: &Operation) -> Result<(), Fault> {
        for need in operation.needs {
            let of = r4().resource_type(need.resource_type).ok_or_else(denied)?;
            self.scope_of(need.action, of)?;
        }
        let purposes = operation.purposes;
        if !purposes.is_empty() && self.purpose().is_some_and(|own| !purposes.contains(&own)) {
            return Err(denied());
        }
        match (operation.agents, self.is_agent()) {
            (Agents::May, _) | (_, false) => Ok(()),
            (Agents::Never, true) => {
                let text = "an agent may not ask for this; whoever it acts for asks themselves";
                Err(Fault::new(&code::OPERATION_AGENT, text))
            }
            (Agents::Approved, true) => {
                let text =
                    "this needs the approval of whoever the agent acts for; they ask themselves";
                Err(Fault::new(&code::OPERATION_AGENT, text))
            }
        }
    }
}
