//! A question of access: who asks, to do what, with what in hand. What a policy may read of it is
//! declared in `schema.cedarschema`; this file is its Rust side.

use std::sync::Arc;

use crate::label::Labels;

/// What kind of principal asks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum PrincipalKind {
    /// A person's sign-in.
    User,
    /// An OAuth client.
    App,
    /// An AI agent.
    Agent,
    /// A part of the system, or another system.
    Service,
    /// A machine at the bedside or in the laboratory.
    Device,
}

impl PrincipalKind {
    /// Every kind.
    pub const ALL: [Self; 5] = [Self::User, Self::App, Self::Agent, Self::Service, Self::Device];

    /// The name of its entity type in policies.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::User => "User",
            Self::App => "App",
            Self::Agent => "Agent",
            Self::Service => "Service",
            Self::Device => "Device",
        }
    }
}

/// Who asks, and what is known of them. Lists need no order; what they hold is what is so now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Who {
    /// A person, app, agent, service or device.
    pub kind: PrincipalKind,
    /// Its id; as an author, the same id.
    pub id: Arc<str>,
    /// The one tenant it belongs to.
    pub tenant: Arc<str>,
    /// Its roles there.
    pub roles: Vec<Arc<str>>,
    /// The sites it works at.
    pub sites: Vec<Arc<str>>,
    /// The care teams it belongs to.
    pub care_teams: Vec<Arc<str>>,
    /// Whose record is its own: of a patient who signs in, that patient.
    pub own_record: Vec<Arc<str>>,
    /// The patients it acts for as a personal representative.
    pub represents: Vec<Arc<str>>,
    /// The patients it treats, by assignment or care team.
    pub patients_in_care: Vec<Arc<str>>,
    /// For whom it acts. An app or agent reaches no further than that principal.
    pub on_behalf_of: Option<Arc<Self>>,
}

impl Who {
    /// A principal with no role, no site and no patient.
    pub fn new(kind: PrincipalKind, id: impl Into<Arc<str>>, tenant: impl Into<Arc<str>>) -> Self {
        Self {
            kind,
            id: id.into(),
            tenant: tenant.into(),
            roles: Vec::new(),
            sites: Vec::new(),
            care_teams: Vec::new(),
            own_record: Vec::new(),
            represents: Vec::new(),
            patients_in_care: Vec::new(),
            on_behalf_of: None,
        }
    }
}

/// What is asked to be done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Action {
    /// Read one version.
    Read,
    /// Search.
    Search,
    /// Read the history.
    History,
    /// Create.
    Create,
    /// Update or patch.
    Update,
    /// Delete.
    Delete,
    /// Bulk export.
    Export,
    /// Print or download.
    Print,
    /// Ask for, or carry out, an amendment.
    Amend,
    /// Configure the system by a record.
    Configure,
    /// Say that two records are of one person, or take that back.
    Merge,
}

impl Action {
    /// Every action.
    pub const ALL: [Self; 11] = [
        Self::Read,
        Self::Search,
        Self::History,
        Self::Create,
        Self::Update,
        Self::Delete,
        Self::Export,
        Self::Print,
        Self::Amend,
        Self::Configure,
        Self::Merge,
    ];

    /// Its name in policies.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Search => "search",
            Self::History => "history",
            Self::Create => "create",
            Self::Update => "update",
            Self::Delete => "delete",
            Self::Export => "export",
            Self::Print => "print",
            Self::Amend => "amend",
            Self::Configure => "configure",
            Self::Merge => "merge",
        }
    }
}

/// Why it is asked: codes of HL7 v3-PurposeOfUse
/// (<https://terminology.hl7.org/ValueSet-v3-PurposeOfUse.html>).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Purpose {
    /// Treatment.
    Treatment,
    /// Emergency treatment.
    Emergency,
    /// Payment.
    Payment,
    /// Operations.
    Operations,
    /// The patient's request.
    PatientRequest,
    /// Compliance.
    Compliance,
    /// Administration of the system.
    System,
    /// Research.
    Research,
    /// Public health.
    PublicHealth,
    /// Legal.
    Legal,
}

impl Purpose {
    /// Every purpose.
    pub const ALL: [Self; 10] = [
        Self::Treatment,
        Self::Emergency,
        Self::Payment,
        Self::Operations,
        Self::PatientRequest,
        Self::Compliance,
        Self::System,
        Self::Research,
        Self::PublicHealth,
        Self::Legal,
    ];

    /// The purpose of a code.
    pub fn of_code(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|purpose| purpose.as_str() == code)
    }

    /// Its code.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Treatment => "TREAT",
            Self::Emergency => "ETREAT",
            Self::Payment => "HPAYMT",
            Self::Operations => "HOPERAT",
            Self::PatientRequest => "PATRQT",
            Self::Compliance => "HCOMPL",
            Self::System => "HSYSADMIN",
            Self::Research => "HRESCH",
            Self::PublicHealth => "PUBHLTH",
            Self::Legal => "HLEGAL",
        }
    }
}

/// With what in hand: the rest of what a decision may depend on.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Context {
    /// Why.
    pub purpose: Purpose,
    /// Whether the glass was broken.
    pub break_glass: bool,
    /// Seconds since the last strong sign-in.
    pub mfa_age_seconds: i64,
    /// The labels that **every** patient in question has consented to share for this purpose with
    /// this recipient. When several patients are in question and they differ, what all share.
    pub consent: Labels,
    /// The state of the USA the answer goes to; empty when it is not known.
    pub recipient_state: Arc<str>,
}

impl Context {
    /// An ordinary request for a purpose: no glass broken, a sign-in long ago, no consent, and a
    /// recipient who could be anywhere.
    pub fn of(purpose: Purpose) -> Self {
        Self {
            purpose,
            break_glass: false,
            mfa_age_seconds: i64::MAX,
            consent: Labels::NONE,
            recipient_state: "".into(),
        }
    }
}
