//! A step of a case by somebody who has read it: taken only when nothing was done since, so that two who
//! work on one case at once are told (45 CFR 164.308(a)(1)(ii)(D)). Commands at the machine's own console
//! name no such reading; people at a screen always do.

use super::{Case, CaseId, CaseState, Done, Outcome, note, state};
use crate::session::Session;
use base::Fault;
use base::error::code;
use identity::PrincipalId;
use std::sync::Arc;

/// What is done to a case.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Turn {
    /// Somebody gets it.
    Assign {
        /// Who.
        owner: PrincipalId,
        /// Why; may be empty.
        note: String,
    },
    /// Something is noted.
    Note {
        /// The person it is about was asked to explain it.
        asks: bool,
        /// What.
        note: String,
    },
    /// It is decided.
    Close {
        /// How.
        outcome: Outcome,
        /// Why.
        note: String,
    },
    /// It is opened again.
    Reopen {
        /// Why.
        note: String,
    },
}

impl Session {
    /// Takes a step of a case that had `known` steps when it was read.
    ///
    /// # Errors
    /// `identity.item.conflict` when it has more by now; and as [`Session::assign_case`],
    /// [`Session::close_case`] and [`Session::reopen_case`].
    pub fn turn_case(&self, id: CaseId, known: usize, turn: &Turn) -> Result<Case, Fault> {
        self.take_step(id, None, &|session, case| {
            if case.steps.len() != known {
                let say = "somebody else took a step of this case since you read it; look at it before you go on";
                return Err(Fault::new(&code::ITEM_CONFLICT, say));
            }
            match turn {
                Turn::Assign { owner, note } => session.assigned(case, *owner, note),
                Turn::Note { asks, note: said } => {
                    let note = note(said)?;
                    if case.state == CaseState::Closed {
                        return Err(state("the case is closed; open it again first"));
                    }
                    Ok(Done::Noted { asks: *asks, note })
                }
                Turn::Close { outcome, note } => session.closed(case, *outcome, note),
                Turn::Reopen { note } => session.reopened(case, note),
            }
        })
    }

    pub(super) fn assigned(
        &self,
        case: &Case,
        owner: PrincipalId,
        said: &str,
    ) -> Result<Done, Fault> {
        let owner = Arc::new(self.gate.directory.identity.principal(owner)?);
        self.may_decide(&owner)?;
        self.not_own(case, &owner)?;
        if case.state == CaseState::Closed {
            return Err(state("the case is closed; open it again first"));
        }
        let note = match said.trim() {
            "" => String::new(),
            said => note(said)?,
        };
        Ok(Done::Assigned { owner: owner.id.to_string(), note })
    }

    pub(super) fn closed(&self, case: &Case, outcome: Outcome, said: &str) -> Result<Done, Fault> {
        let note = note(said)?;
        if case.state == CaseState::Closed {
            return Err(state("the case is closed already"));
        }
        Ok(Done::Closed { outcome, note, last_seq: self.gate.log.head().seq })
    }

    pub(super) fn reopened(&self, case: &Case, said: &str) -> Result<Done, Fault> {
        let note = note(said)?;
        if case.state != CaseState::Closed {
            return Err(state("the case is not closed"));
        }
        Ok(Done::Reopened { due: self.gate.due(case.kind, self.now()), note })
    }

    /// Whether whoever asks decides cases: for a screen that offers it.
    #[must_use]
    pub fn may_decide_cases(&self) -> bool {
        self.reviewer(None).is_ok()
    }

    /// Whether whoever asks may look at cases at all.
    #[must_use]
    pub fn may_see_cases(&self) -> bool {
        self.may_read_log(None).is_ok()
    }

    /// Who may be given a case: the people who decide cases, by id and the name that people read.
    ///
    /// # Errors
    /// `access.denied` for who may not read the whole log.
    pub fn case_owners(&self) -> Result<Vec<(PrincipalId, String)>, Fault> {
        self.may_read_log(None)?;
        let mut all = Vec::new();
        for principal in self.all_principals()?.0 {
            let principal = Arc::new(principal);
            if super::holds_role(&principal) && self.may_decide(&principal).is_ok() {
                all.push((principal.id, principal.profile.display.clone()));
            }
        }
        all.sort_by(|a, b| a.1.cmp(&b.1).then(a.0.cmp(&b.0)));
        Ok(all)
    }
}
