//! A session: one subject, one request. What the subject may reach is asked of the policies for each
//! action, and every way to a record takes it.

use crate::actor::{Actor, Asked, denied};
use crate::gate::{Gate, Record};
use access::{Action, Purpose};
use audit::{Source, Ticket};
use base::{Fault, Limits, Millis};
use fhir::definitions::TypeId;
use identity::{Caller, Principal};
use privacy::elements::ElementMask;
use sha2::{Digest as _, Sha256};
use smart::Grant;
use std::borrow::Cow;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use store::{Rights, Scope};

/// On whose behalf something is done, and what they may reach.
#[derive(Debug, Clone)]
pub struct Subject {
    pub(crate) actor: Cow<'static, str>,
    pub(crate) source: Option<Source>,
    reach: Reach,
}

#[derive(Debug, Clone)]
enum Reach {
    /// These rights, whoever it is.
    Given(Arc<Rights>),
    /// What the policies say.
    Principal {
        actor: Arc<Actor>,
        asked: Asked,
        caller: Caller,
        /// What an app was given, when one asks.
        grant: Option<Arc<Grant>>,
        /// When a factor was last shown.
        factor: Option<Millis>,
    },
}

impl Subject {
    /// Whoever runs a command on the machine itself, with the data folder in hand: nothing that the
    /// guard could say would keep them from it. The server makes nobody this subject unless its guard
    /// is off.
    pub fn operator() -> Self {
        let rights = Arc::new(Rights::everything());
        Self {
            actor: Cow::Borrowed(audit::event::ANONYMOUS),
            source: None,
            reach: Reach::Given(rights),
        }
    }

    /// Nobody: a request that was turned away before anybody was known.
    pub fn nobody() -> Self {
        Self::operator().confined(Scope::nothing())
    }

    /// From how far away the request came.
    #[must_use]
    pub const fn from(mut self, source: Source) -> Self {
        self.source = Some(source);
        self
    }

    /// Under a name of its own, with these rights.
    pub(crate) fn named(mut self, name: String, rights: Arc<Rights>) -> Self {
        self.actor = Cow::Owned(name);
        self.reach = Reach::Given(rights);
        self
    }

    /// Confines what is seen. A confined subject may read only.
    #[must_use]
    pub fn confined(mut self, scope: Scope) -> Self {
        let rights = match scope.is_everything() {
            true => Rights::everything(),
            false => Rights {
                see: scope,
                create: Scope::nothing(),
                update: Scope::nothing(),
                delete: Scope::nothing(),
                names_ids: false,
            },
        };
        self.reach = Reach::Given(Arc::new(rights));
        self
    }
}

impl Record {
    /// The subject of whoever sends a request.
    ///
    /// # Errors
    /// When its relations to patients cannot be read.
    pub fn subject(
        &self,
        caller: &Caller,
        grant: Option<Arc<Grant>>,
        asked: Asked,
    ) -> Result<Subject, Fault> {
        self.known(caller, grant, None, asked)
    }

    /// The subject of an agent that acts for the caller by a grant: it reaches what both reach.
    ///
    /// # Errors
    /// Without a grant; and when the relations of either to patients cannot be read.
    pub fn subject_of_agent(
        &self,
        agent: &Arc<Principal>,
        caller: &Caller,
        grant: Option<Arc<Grant>>,
        asked: Asked,
    ) -> Result<Subject, Fault> {
        let grant = grant.ok_or_else(denied)?;
        self.known(caller, Some(grant), Some(agent), asked)
    }

    fn known(
        &self,
        caller: &Caller,
        grant: Option<Arc<Grant>>,
        agent: Option<&Arc<Principal>>,
        asked: Asked,
    ) -> Result<Subject, Fault> {
        let actor = self.gate.actors.of(&self.gate, caller, grant.as_deref(), agent)?;
        Ok(Subject {
            actor: Cow::Owned(actor.id.clone()),
            source: None,
            reach: Reach::Principal {
                actor,
                asked,
                grant,
                factor: caller.stepped_up_at,
                caller: caller.clone(),
            },
        })
    }
}

/// Who would sign what is written in a session: a person who acts by themselves.
#[derive(Clone, PartialEq, Eq)]
pub struct Signer {
    /// The logical id of the Practitioner this person is.
    pub practitioner: String,
    /// What people read.
    pub display: String,
}

impl std::fmt::Debug for Signer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Signer(‹phi›)")
    }
}

/// The gate, opened for one request. Cheap to copy.
#[derive(Debug, Clone)]
pub struct Session {
    pub(crate) gate: Arc<Gate>,
    pub(crate) subject: Arc<Subject>,
    pub(crate) request: [u8; 16],
    /// Some event of this request is made; shared by all copies.
    pub(crate) noted: Arc<AtomicBool>,
}

impl Session {
    /// The bounds it works within.
    pub fn limits(&self) -> &Limits {
        &self.gate.settings.limits
    }

    /// The present instant, by the record's clock.
    pub fn now(&self) -> Millis {
        self.gate.settings.clock.now()
    }

    /// The state that the house is in, as two letters, where it is said: rules of states ask.
    pub fn home_state(&self) -> Option<&str> {
        self.gate.settings.home_state.as_deref()
    }

    /// Whether this request has left an audit event, or is about to: a door notes those that have not.
    pub fn noted(&self) -> bool {
        self.noted.load(Ordering::Acquire)
    }

    /// Who acts, by the id that the access log keeps: a department may keep it with what they did.
    pub fn who(&self) -> &str {
        &self.subject.actor
    }

    /// The request's id, which every audit event carries.
    pub const fn request(&self) -> [u8; 16] {
        self.request
    }

    /// What the subject may reach with an action.
    ///
    /// # Errors
    /// `access.denied` when no policy permits it at all.
    pub(crate) fn scope(&self, action: Action) -> Result<Scope, Fault> {
        // A rule of today holds from the first request of the day.
        self.gate.labelling.in_force(&self.gate)?;
        match &self.subject.reach {
            Reach::Given(rights) => Ok(match action {
                Action::Create => rights.create.clone(),
                Action::Update | Action::Amend | Action::Configure | Action::Merge => {
                    rights.update.clone()
                }
                Action::Delete => rights.delete.clone(),
                _ => rights.see.clone(),
            }),
            Reach::Principal { actor, asked, grant, factor, .. } => {
                let age = self.age(*factor);
                let scope = actor.scope(&self.gate, action, asked, grant.as_deref(), age)?;
                let (who, session) = (&actor.who, actor.session);
                self.gate.through_glass(scope, who, action, session).ok_or_else(denied)
            }
        }
    }

    /// Whether the subject may do something to any record of a type. A door asks it before it offers
    /// what could only be refused; it tells nothing of what is there, and leaves no event.
    #[must_use]
    pub fn may(&self, action: Action, of: TypeId) -> bool {
        self.scope_of(action, of).is_ok()
    }

    /// Whether the subject may bring patients into being: who may write of certain patients alone may
    /// not, since somebody new is none of them.
    #[must_use]
    pub fn may_register(&self) -> bool {
        let of = crate::patients::patient_type();
        let of_some = |scope: Scope| scope.of_types([of]).patients().is_some();
        self.scope_of(Action::Create, of).is_ok_and(|scope| !of_some(scope))
    }

    /// As [`Session::scope`], for one type: refused when no record of it could be reached.
    pub(crate) fn scope_of(&self, action: Action, of: TypeId) -> Result<Scope, Fault> {
        let scope = self.scope(action)?;
        if scope.sees_type(of) { Ok(scope) } else { Err(denied()) }
    }

    /// What the subject may do to records; `None` for everything.
    pub(crate) fn rights(&self) -> Option<Arc<Rights>> {
        let rights = match &self.subject.reach {
            Reach::Given(rights) => Arc::clone(rights),
            Reach::Principal { actor, asked, grant, factor, .. } => {
                actor.rights(&self.gate, asked, grant.as_deref(), self.age(*factor))
            }
        };
        (*rights != Rights::everything()).then_some(rights)
    }

    /// What of a record the subject does not need to see, if anything.
    pub(crate) fn mask(&self) -> Option<&Arc<ElementMask>> {
        match &self.subject.reach {
            Reach::Given(_) => None,
            Reach::Principal { actor, .. } => actor.mask(),
        }
    }

    /// Whether the subject may take off a label that a person set: somebody who keeps the record, or
    /// whoever is on the machine itself. Any other leaves labels where they are by leaving them out.
    pub(crate) fn takes_labels_off(&self) -> bool {
        match &self.subject.reach {
            Reach::Given(rights) => **rights == Rights::everything(),
            Reach::Principal { actor, .. } => actor.takes_labels_off(),
        }
    }

    /// Whether the subject may name the id of what it creates.
    pub(crate) fn names_ids(&self) -> bool {
        match &self.subject.reach {
            Reach::Given(rights) => rights.names_ids,
            Reach::Principal { actor, grant, .. } => actor.names_ids() && grant.is_none(),
        }
    }

    /// The principal that acts, and the site what it writes belongs to.
    pub(crate) fn writer(&self) -> (Option<Arc<str>>, Option<Arc<str>>) {
        match &self.subject.reach {
            Reach::Given(_) => (None, None),
            Reach::Principal { actor, .. } => (Some(actor.id.as_str().into()), actor.site()),
        }
    }

    /// The principal whose rights the subject has: of an agent whom it acts for. None for whoever is on
    /// the machine itself.
    pub(crate) fn whose_rights(&self) -> Option<String> {
        match &self.subject.reach {
            Reach::Given(_) => None,
            Reach::Principal { actor, .. } => {
                Some(actor.acts_for().unwrap_or_else(|| actor.id.clone()))
            }
        }
    }

    /// For what purpose the subject asks; none for whoever is on the machine itself.
    pub(crate) fn purpose(&self) -> Option<Purpose> {
        match &self.subject.reach {
            Reach::Given(_) => None,
            Reach::Principal { actor, asked, .. } => actor.purpose(asked),
        }
    }

    /// Whether the subject is an agent that acts for somebody.
    pub(crate) fn is_agent(&self) -> bool {
        match &self.subject.reach {
            Reach::Given(_) => false,
            Reach::Principal { actor, .. } => actor.acts_for().is_some(),
        }
    }

    /// Whether a patient's record is the subject's own, or that of somebody it speaks for.
    pub(crate) fn is_own_record(&self, patient: &str) -> bool {
        match &self.subject.reach {
            Reach::Given(rights) => rights
                .see
                .patients()
                .is_some_and(|patients| patients.iter().all(|id| &**id == patient)),
            // The log of a record is not what apps are given.
            Reach::Principal { actor, grant, .. } => {
                grant.is_none() && actor.is_own_record(patient)
            }
        }
    }

    /// A link that this subject alone can follow: where a page begins may be the place of a record
    /// that is hidden from another.
    pub(crate) fn seal_link(&self, plain: &[u8]) -> String {
        self.gate.store.seal(&[self.mark().as_slice(), plain].concat())
    }

    /// Opens what [`Session::seal_link`] made for the same subject.
    pub(crate) fn open_link(&self, text: &str) -> Option<Vec<u8>> {
        let whole = self.gate.store.unseal(text)?;
        whole.strip_prefix(self.mark().as_slice()).map(<[u8]>::to_vec)
    }

    /// Who asks by themselves: no app between.
    pub(crate) fn in_person(&self) -> Option<(&Caller, &Arc<Actor>)> {
        match &self.subject.reach {
            Reach::Principal { caller, actor, grant: None, .. } => Some((caller, actor)),
            _ => None,
        }
    }

    /// Who signs here: the person who asks, when they are a practitioner of this house and neither an
    /// app nor an agent asks for them.
    pub fn signer(&self) -> Option<Signer> {
        let (caller, actor) = self.in_person()?;
        if caller.principal.kind != identity::Kind::Person || actor.acts_for().is_some() {
            return None;
        }
        let profile = &caller.principal.profile;
        let practitioner = profile.practitioner.clone()?;
        Some(Signer { practitioner, display: profile.display.clone() })
    }

    /// Who may follow a link: the principal, and through which grant.
    fn mark(&self) -> [u8; 16] {
        let mut digest = Sha256::new_with_prefix(self.subject.actor.as_bytes());
        if let Reach::Principal { grant: Some(grant), .. } = &self.subject.reach {
            digest.update(grant.id.to_string());
        }
        digest.finalize().first_chunk().copied().unwrap_or_default()
    }

    /// On what grounds the subject acts, for the access log.
    pub(crate) fn receipt(&self) -> Option<Box<audit::Receipt>> {
        let Reach::Principal { actor, asked, grant, .. } = &self.subject.reach else { return None };
        let receipt = audit::Receipt {
            epoch: actor.policies().epoch(),
            purpose: actor.purpose(asked).map(|purpose| purpose.as_str().to_owned()),
            break_glass: self.gate.glasses.of(actor.session, self.now()).map(|_| String::new()),
            session: Some(actor.session.to_string()),
            on_behalf_of: actor.acts_for(),
            client: grant.as_ref().map(|grant| grant.app.to_string()),
            ..audit::Receipt::default()
        };
        Some(Box::new(receipt))
    }

    /// Seconds since the last factor was shown.
    fn age(&self, factor: Option<Millis>) -> i64 {
        match factor {
            // A factor shown in the future, before the clock was turned back, has no known age.
            Some(at) if at <= self.now() => (self.now().0 - at.0) / 1000,
            _ => i64::MAX,
        }
    }
}

/// An answer that may leave only after its audit event is in the log.
#[derive(Debug)]
#[must_use = "an answer may leave only after its audit event is written"]
pub struct Audited<T> {
    /// The answer.
    pub value: T,
    /// The event's receipt.
    pub ticket: Ticket,
}

impl<T> Audited<T> {
    /// Waits for the event to be written, then hands over the answer.
    ///
    /// # Errors
    /// `audit.unavailable` when the log failed: then nothing may leave.
    pub async fn into_inner(self) -> Result<T, Fault> {
        self.ticket.written().await?;
        Ok(self.value)
    }

    /// As [`Audited::into_inner`], blocking the thread: for commands.
    ///
    /// # Errors
    /// `audit.unavailable` when the log failed: then nothing may leave.
    pub fn wait(self) -> Result<T, Fault> {
        self.ticket.written().wait()?;
        Ok(self.value)
    }
}
