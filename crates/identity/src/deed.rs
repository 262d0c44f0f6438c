//! What was done, for the access log (45 CFR 164.312(b), audit controls; 164.308(a)(5)(ii)(C),
//! log-in monitoring): every change carries its deed to the shelf, which keeps both or neither.
//! Identity knows the log no better than that.

use std::net::IpAddr;

use crate::identity::Identity;
use crate::issuer::IssuerName;
use crate::principal::PrincipalId;
use crate::session::{Caller, SessionId};

/// On whose behalf something is done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum By {
    /// Nobody who is known: somebody who signs in, or the program's own upkeep.
    #[default]
    Nobody,
    /// Whoever owns the data folder, at the machine's own console.
    Operator,
    /// A principal.
    Principal(PrincipalId),
}

/// Who asks, in which request and from where.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Asker {
    /// On whose behalf.
    pub by: By,
    /// Ties the deed to the request it was done in.
    pub request: [u8; 16],
    /// From where.
    pub source: Option<IpAddr>,
}

/// What kinds of deeds there are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum DeedKind {
    /// A principal was made.
    Created,
    /// A profile was replaced.
    Changed,
    /// A principal was disabled, and all it had open ended.
    Disabled,
    /// A principal was enabled again.
    Enabled,
    /// A password was set.
    PasswordSet,
    /// Somebody signed in.
    SignedIn,
    /// Somebody signed in with one factor where their role demands two, and may do nothing but register
    /// a second.
    SignedInConfined,
    /// A right password stands in the list of stolen ones, and has to be changed.
    PasswordBreached,
    /// A password, code or claim was wrong.
    SignInFailed,
    /// Somebody ended the session they were in.
    SignedOut,
    /// A factor was shown again.
    SteppedUp,
    /// An authenticator or a passkey was added.
    FactorAdded,
    /// A passkey got another name.
    FactorRenamed,
    /// A passkey was removed, and other sign-ins ended.
    FactorRemoved,
    /// Recovery codes were drawn anew.
    RecoveryDrawn,
    /// Second factors were forgotten.
    FactorsReset,
    /// A token was issued to a program.
    TokenIssued,
    /// A session or token was ended by somebody else than itself.
    Revoked,
    /// A claim code was drawn.
    ClaimDrawn,
    /// The first administrator was made with it.
    Claimed,
    /// A person is known by what an issuer says, from now on.
    Linked,
    /// Whom issuers mean by a person was forgotten.
    Unlinked,
    /// Roles or sites followed from what an issuer says.
    RolesMapped,
    /// An agent was let act for somebody.
    Delegated,
    /// An agent was let act for somebody, and is no longer.
    DelegationEnded,
    /// Nobody did anything: a last use was written down, what is over was swept away, a hash was made
    /// anew. The only kind that leaves no trace in the log.
    Upkeep,
}

/// One thing done, or tried.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Deed {
    /// What.
    pub kind: DeedKind,
    /// Who asked.
    pub asker: Asker,
    /// To whom, when that is known.
    pub upon: Option<PrincipalId>,
    /// To which session or token, when it was one.
    pub session: Option<SessionId>,
    /// By whose word, when it was an issuer's.
    pub issuer: Option<IssuerName>,
    /// For whom an agent may act, or no longer may.
    pub acts_for: Option<PrincipalId>,
    /// The session, or the grant of an app, that it was given in.
    pub through: Option<SessionId>,
}

impl Deed {
    /// Upkeep.
    pub const UPKEEP: Self = Self {
        kind: DeedKind::Upkeep,
        asker: Asker { by: By::Nobody, request: [0; 16], source: None },
        upon: None,
        session: None,
        issuer: None,
        acts_for: None,
        through: None,
    };

    /// Done in one session or to it.
    #[must_use]
    pub(crate) const fn in_session(self, session: SessionId) -> Self {
        Self { session: Some(session), ..self }
    }

    /// Done by its caller, in that session.
    #[must_use]
    pub(crate) fn by(mut self, caller: &Caller) -> Self {
        self.asker.by = By::Principal(caller.principal.id);
        self.in_session(caller.session)
    }

    /// Done from there.
    #[must_use]
    pub(crate) const fn from(mut self, source: IpAddr) -> Self {
        self.asker.source = Some(source);
        self
    }
}

impl Identity {
    /// The same identity, asked by somebody: what is done through it is told in their name.
    #[must_use]
    pub fn asked_by(&self, asker: Asker) -> Self {
        Self { core: self.core.clone(), asker }
    }

    /// A deed of whoever asks.
    pub(crate) const fn deed(&self, kind: DeedKind, upon: Option<PrincipalId>) -> Deed {
        Deed { kind, asker: self.asker, upon, ..Deed::UPKEEP }
    }
}
