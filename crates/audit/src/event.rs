//! The event: one access, as 45 CFR 164.312(b) and ASTM E2147 want it told. Ids, counts and a digest
//! of the query; never a value of a record and never the text of a search.

use std::borrow::Cow;
use std::fmt;
use std::net::IpAddr;

use base::Millis;
use sha2::{Digest, Sha256};

use crate::receipt::Receipt;

/// The actor of every event until identity exists.
pub const ANONYMOUS: &str = "anonymous";

/// One access to the record, or one act upon it.
#[derive(Clone, PartialEq, Eq)]
pub struct Event {
    /// When, by the clock of the server.
    pub time: Millis,
    /// Who: a user's or app's id, [`ANONYMOUS`] while there is none.
    pub actor: Cow<'static, str>,
    /// Ties the event to the request, its response header and its log lines.
    pub request: [u8; 16],
    /// What was done.
    pub kind: Kind,
    /// What it was done to: none for a system search, many for a transaction.
    pub targets: Vec<Target>,
    /// The logical ids of the patients whose data were shown or changed, in the order shown.
    pub patients: Vec<String>,
    /// The HTTP status answered; commands of the program use its nearest equivalent.
    pub status: u16,
    /// Whether access was permitted.
    pub decision: Decision,
    /// How many resources the answer held.
    pub results: u64,
    /// How many bytes the answer held.
    pub bytes: u64,
    /// [`query_digest`] of the query's text.
    pub query: Option<[u8; 8]>,
    /// From how far away the request came.
    pub source: Option<Source>,
    /// The grounds of the decision, where there were any; never an empty one.
    pub receipt: Option<Box<Receipt>>,
    /// The store's commit that this event is part of; 0 for reads.
    pub commit_seq: u64,
}

impl Event {
    /// A permitted, anonymous event with status 200 and nothing else filled in.
    pub const fn new(time: Millis, request: [u8; 16], kind: Kind) -> Self {
        Self {
            time,
            actor: Cow::Borrowed(ANONYMOUS),
            request,
            kind,
            targets: Vec::new(),
            patients: Vec::new(),
            status: 200,
            decision: Decision::Permit,
            results: 0,
            bytes: 0,
            query: None,
            source: None,
            receipt: None,
            commit_seq: 0,
        }
    }

    /// Whether the patient was shown, changed or named by this event.
    pub fn concerns(&self, patient: &str) -> bool {
        self.patients.iter().any(|id| id == patient)
            || self
                .targets
                .iter()
                .any(|t| t.resource_type == "Patient" && t.id.as_deref() == Some(patient))
    }
}

/// Ids of patients stay out of debug output, for it ends in logs.
impl fmt::Debug for Event {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Event")
            .field("time", &self.time)
            .field("kind", &self.kind)
            .field("status", &self.status)
            .field("decision", &self.decision)
            .field("targets", &self.targets.len())
            .field("patients", &self.patients.len())
            .field("results", &self.results)
            .field("bytes", &self.bytes)
            .field("commit_seq", &self.commit_seq)
            .finish_non_exhaustive()
    }
}

/// A resource that was touched, or a type that was asked for.
#[derive(Clone, PartialEq, Eq)]
pub struct Target {
    /// `Patient`, `Observation`, ...
    pub resource_type: Cow<'static, str>,
    /// Its logical id; none when the act was upon the type.
    pub id: Option<String>,
    /// Its version, where the act had one.
    pub version: Option<u32>,
}

impl Target {
    /// A type as a whole.
    pub fn of_type(resource_type: impl Into<Cow<'static, str>>) -> Self {
        Self { resource_type: resource_type.into(), id: None, version: None }
    }

    /// One version of one resource.
    pub fn resource(
        resource_type: impl Into<Cow<'static, str>>,
        id: impl Into<String>,
        version: Option<u32>,
    ) -> Self {
        Self { resource_type: resource_type.into(), id: Some(id.into()), version }
    }
}

impl fmt::Debug for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/‹phi›", self.resource_type)
    }
}

macro_rules! named {
    ($(#[$about:meta])* $type:ident { $($variant:ident = $code:literal, $name:literal, $doc:literal;)* }) => {
        $(#[$about])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum $type { $(#[doc = $doc] $variant,)* }

        impl $type {
            /// Every value, in the order of its codes.
            pub const ALL: &[Self] = &[$(Self::$variant),*];

            /// The word used in JSON and on the command line.
            pub const fn name(self) -> &'static str {
                match self { $(Self::$variant => $name,)* }
            }

            /// The byte used in the log. A code is never reused.
            pub const fn code(self) -> u8 {
                match self { $(Self::$variant => $code,)* }
            }

            /// The value of a byte of the log.
            pub const fn from_code(code: u8) -> Option<Self> {
                match code { $($code => Some(Self::$variant),)* _ => None }
            }

            /// The value of a word.
            pub fn from_name(name: &str) -> Option<Self> {
                match name { $($name => Some(Self::$variant),)* _ => None }
            }
        }
    };
}

named! {
    /// What was done: the FHIR interactions (<https://hl7.org/fhir/R4/valueset-restful-interaction.html>)
    /// and the acts of the program itself.
    Kind {
        Read = 1, "read", "The current version of one resource.";
        Vread = 2, "vread", "One version of one resource.";
        Search = 3, "search", "A search, with the patients it showed.";
        History = 4, "history", "The history of a resource, a type or everything.";
        Create = 5, "create", "A new resource.";
        Update = 6, "update", "A new version.";
        Patch = 7, "patch", "A new version by difference.";
        Delete = 8, "delete", "A deletion.";
        Transaction = 9, "transaction", "A bundle, all or nothing.";
        Batch = 10, "batch", "A bundle, each entry by itself.";
        Operation = 11, "operation", "A named operation.";
        Metadata = 12, "metadata", "The capability statement.";
        Import = 13, "import", "A bulk load.";
        Export = 14, "export", "A bulk hand-over.";
        Backup = 15, "backup", "A copy of the store.";
        Restore = 16, "restore", "A return to a copy of the store.";
        Start = 17, "start", "The log was opened for writing.";
        Stop = 18, "stop", "The log was closed.";
        Review = 19, "review", "The access log itself was read or exported.";
        Refused = 20, "refused", "A request that named no interaction of ours.";
        UserCreate = 41, "user-create", "A principal was made: a person, service, device, agent or app.";
        UserChange = 42, "user-change", "What is said of a principal was replaced: its name, roles or sites.";
        UserDisable = 43, "user-disable", "A principal was disabled, and all it had open ended.";
        UserEnable = 44, "user-enable", "A principal was enabled again.";
        PasswordSet = 45, "password-set", "A password was set, and other sign-ins ended.";
        SignIn = 46, "sign-in", "Somebody signed in.";
        SignOut = 47, "sign-out", "Somebody ended the session they were in.";
        SignInFailed = 48, "sign-in-failed", "A password, code or claim was wrong.";
        StepUp = 49, "step-up", "A factor was shown again in a session.";
        FactorAdded = 50, "factor-added", "An authenticator or a passkey was added.";
        RecoveryCodes = 51, "recovery-codes", "Recovery codes were drawn anew.";
        FactorsReset = 52, "factors-reset", "All second factors of a principal were forgotten.";
        TokenIssued = 53, "token-issued", "A token was issued to a program.";
        SessionRevoked = 54, "session-revoked", "A session or token was ended by somebody.";
        ClaimDrawn = 55, "claim-drawn", "The claim code of the first start was drawn.";
        SignInConfined = 61, "sign-in-confined", "Somebody signed in with one factor where their role demands two: they may register a second and do nothing else.";
        PasswordBreached = 62, "password-breached", "A right password stands in the list of stolen ones, and has to be changed.";
        BreakGlass = 57, "break-glass", "The glass was broken before a patient's record, in an emergency.";
        PolicyChange = 70, "policy-change", "Other policies came into force, by a start or a reload.";
        PolicyAsked = 71, "policy-asked", "It was asked why somebody may do something, or what other policies would change.";
        FactorRenamed = 58, "factor-renamed", "A passkey got another name.";
        FactorRemoved = 59, "factor-removed", "A passkey was removed, and other sign-ins ended.";
        LabelRules = 75, "label-rules", "Other rules of labels came into force, or a record was tagged for one.";
        Relabelled = 76, "relabelled", "Every record has the labels of the rules in force; how many were changed.";
        CaseOpened = 77, "case-opened", "A case of review was opened: by a broken glass, or by a sweep of the log.";
        CaseChanged = 78, "case-changed", "A case of review was assigned, closed or opened again.";
        CaseRead = 79, "case-read", "Cases of review were listed, or one was looked at.";
        Page = 80, "page", "A page or a file of the console that holds nothing of a record was handed out, or a choice of a browser was kept.";
        ChartOpened = 90, "chart-opened", "A patient's chart was opened: everything shown of it at once.";
        DraftKept = 91, "draft-kept", "The draft of a note was kept for its author, or what a patient entered before a visit for the desk.";
        DraftRead = 92, "draft-read", "Drafts of notes were listed, or one was read, by their author; or what a patient entered before a visit was read.";
        DraftDropped = 93, "draft-dropped", "The draft of a note was thrown away by its author, or what a patient entered was taken up or refused.";
        PatientsMerged = 99, "patients-merged", "Two records of one patient were linked as one, or parted again.";
        DuplicateDecided = 100, "duplicate-decided", "It was kept that two records are not of one patient, or that was taken back.";
        Reminder = 105, "reminder", "A patient was reminded of a visit, or could not be; the address is not kept.";
        Reminders = 106, "reminders", "The reminders of visits were listed.";
        Delegated = 63, "delegated", "An agent was let act for somebody, by them or by an administrator.";
        DelegationEnded = 64, "delegation-ended", "An agent no longer acts for somebody: it was ended, or its time was over.";
        Claimed = 56, "claimed", "The first administrator was made with the claim code.";
        Linked = 72, "linked", "A person is known by what an issuer says, from now on.";
        Unlinked = 73, "unlinked", "Whom issuers mean by a person was forgotten.";
        RootKeyMoved = 65, "root-key-moved", "The tenant's key was put under a root key that another holds.";
        RootKeyRewrapped = 66, "root-key-rewrapped", "The tenant's key was wrapped anew under the newest version of its root key.";
        RolesMapped = 74, "roles-mapped", "Roles or sites of a person followed from what an issuer says.";
        Followed = 97, "followed", "A browser began to be told which records change: their ids and versions, and nothing of what is in them.";
        PeopleRead = 101, "people-read", "It was looked at who may sign in, with which roles, and what they have open.";
        AccessReviewed = 102, "access-reviewed", "A role of somebody was certified, given, taken away, or asked to be taken away, with the reason.";
        HouseChecked = 103, "house-checked", "Somebody said that a thing of the checklist of a new house is done, or took it back, or chose what the house begins with.";
        Overbooked = 84, "overbooked", "Somebody was booked although they were taken at that time, with a reason.";
    }
}

named! {
    /// Whether access was permitted. A request that failed for another reason was permitted.
    Decision {
        Permit = 0, "permit", "The request was let through to the record.";
        Deny = 1, "deny", "The request was turned away.";
    }
}

named! {
    /// From how far away a request came. The address itself is not kept.
    Source {
        Local = 1, "local", "A command on the machine itself, no network.";
        Loopback = 2, "loopback", "The machine itself, by network.";
        Private = 3, "private", "An address of a private network (RFC 1918, RFC 4193, link-local).";
        Public = 4, "public", "Any other address.";
    }
}

impl Source {
    /// The class of an address. An IPv4 address inside an IPv6 one is judged as the IPv4 one.
    pub fn of(address: IpAddr) -> Self {
        match address.to_canonical() {
            a if a.is_loopback() => Self::Loopback,
            IpAddr::V4(a) if a.is_private() || a.is_link_local() => Self::Private,
            IpAddr::V6(a) if a.is_unique_local() || a.is_unicast_link_local() => Self::Private,
            _ => Self::Public,
        }
    }
}

/// The first 8 bytes of SHA-256 over a query's text: equal queries can be recognised, and a query
/// known from elsewhere can be recognised; the text is not in the log. It is not keyed, so a guess
/// can be tested: whoever may read the log must be trusted that far.
pub fn query_digest(query: &str) -> [u8; 8] {
    let mut out = [0; 8];
    for (slot, byte) in out.iter_mut().zip(Sha256::digest(query.as_bytes())) {
        *slot = byte;
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_and_names_stand_once_and_lead_back() {
        for kind in Kind::ALL {
            assert_eq!(Kind::from_code(kind.code()), Some(*kind));
            assert_eq!(Kind::from_name(kind.name()), Some(*kind));
        }
        assert_eq!(Kind::from_code(0), None);
        assert_eq!(Source::from_code(5), None);
        assert_eq!(Decision::from_name("allow"), None);
    }

    #[test]
    fn addresses_are_told_by_distance() {
        let of = |text: &str| Source::of(text.parse().unwrap());
        assert_eq!(of("127.0.0.1"), Source::Loopback);
        assert_eq!(of("::ffff:127.0.0.1"), Source::Loopback);
        assert_eq!(of("192.168.1.9"), Source::Private);
        assert_eq!(of("fd00::1"), Source::Private);
        assert_eq!(of("2001:db8::1"), Source::Public);
    }

    #[test]
    fn debug_output_names_no_patient() {
        let mut event = Event::new(Millis(0), [0; 16], Kind::Read);
        event.patients.push("pat-77".into());
        event.targets.push(Target::resource("Patient", "pat-77", None));
        assert!(!format!("{event:?} {:?}", event.targets).contains("pat-77"));
        assert!(event.concerns("pat-77") && !event.concerns("pat-7"));
    }
}
