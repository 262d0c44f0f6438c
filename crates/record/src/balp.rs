//! An event of the access log as a FHIR R4 `AuditEvent`, by the patterns of IHE Basic Audit
//! (<https://profiles.ihe.net/ITI/BALP/>): made when it is read, never stored. What the log does not
//! keep is said to be masked: the text of a query, the address a request came from.

use audit::{Decision, Entry, Event, Kind, Receipt, Source};
use base::id::uuid_text;
use fhir::write::Writer;

const TERMINOLOGY: &str = "http://terminology.hl7.org/CodeSystem/";
const DCM: &str = "http://dicom.nema.org/resources/ontology/DCM";
const REST: &str = "http://hl7.org/fhir/restful-interaction";
const PROFILES: &str = "https://profiles.ihe.net/ITI/BALP/StructureDefinition/IHE.BasicAudit.";
const TRANSACTION: &str = "https://profiles.ihe.net/ITI/BALP/CodeSystem/BasicAuditEntityType";
const ABSENT: &str = "http://hl7.org/fhir/StructureDefinition/data-absent-reason";
/// What the ids of the log's events begin with; no record that is stored gets such an id by the server.
pub(crate) const ID_PREFIX: &str = "log-";

/// What of an event is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shown<'a> {
    /// All of it.
    All,
    /// What concerns this patient; no other patient is named, nor any record that may be another's.
    Only(&'a str),
}

/// A kind as Basic Audit codes it: type, subtype and action.
pub(crate) struct Coded {
    pub(crate) system: String,
    pub(crate) code: &'static str,
    display: &'static str,
    pub(crate) subtype: (&'static str, &'static str),
    pub(crate) action: &'static str,
    /// The profile of a successful one, without and with a patient.
    profile: Option<&'static str>,
}

/// How an event is coded.
pub(crate) fn coded(event: &Event) -> Coded {
    let typed = !event.targets.is_empty();
    let instance = event.targets.first().is_some_and(|target| target.id.is_some());
    let rest = |subtype, action, profile| Coded {
        system: format!("{TERMINOLOGY}audit-event-type"),
        code: "rest",
        display: "RESTful Operation",
        subtype: (REST, subtype),
        action,
        profile,
    };
    let dicom = |code, display, subtype: &'static str, action| Coded {
        system: DCM.to_owned(),
        code,
        display,
        subtype: (DCM, subtype),
        action,
        profile: None,
    };
    match event.kind {
        Kind::Read => rest("read", "R", Some("Read")),
        Kind::Vread => rest("vread", "R", Some("Read")),
        Kind::Search if typed => rest("search-type", "E", Some("Query")),
        Kind::Search => rest("search-system", "E", Some("Query")),
        Kind::History if instance => rest("history-instance", "R", None),
        Kind::History if typed => rest("history-type", "R", None),
        Kind::History => rest("history-system", "R", None),
        Kind::Create => rest("create", "C", Some("Create")),
        Kind::Update => rest("update", "U", Some("Update")),
        Kind::Patch => rest("patch", "U", Some("Update")),
        Kind::Delete => rest("delete", "D", Some("Delete")),
        Kind::Transaction => rest("transaction", "E", None),
        Kind::Batch => rest("batch", "E", None),
        Kind::Operation | Kind::ChartOpened => rest("operation", "E", None),
        // Patient record, which a draft becomes a part of when it is signed.
        Kind::DraftKept => dicom("110110", "Patient Record", "110110", "U"),
        Kind::DraftRead => dicom("110110", "Patient Record", "110110", "R"),
        Kind::DraftDropped => dicom("110110", "Patient Record", "110110", "D"),
        Kind::Metadata => rest("capabilities", "R", None),
        Kind::Page => dicom("110100", "Application Activity", "110100", "R"),
        Kind::Import => dicom("110107", "Import", "110107", "C"),
        Kind::Restore => dicom("110107", "Import", "110107", "U"),
        Kind::Export => dicom("110106", "Export", "110106", "R"),
        Kind::Backup => dicom("110106", "Export", "110106", "R"),
        Kind::Start => dicom("110100", "Application Activity", "110120", "E"),
        Kind::Stop => dicom("110100", "Application Activity", "110121", "E"),
        Kind::Review => dicom("110101", "Audit Log Used", "110101", "R"),
        Kind::Refused => dicom("110113", "Security Alert", "110113", "E"),
        Kind::SignIn
        | Kind::SignInConfined
        | Kind::SignInFailed
        | Kind::PasswordBreached
        | Kind::StepUp
        | Kind::Claimed => dicom("110114", "User Authentication", "110122", "E"),
        Kind::SignOut | Kind::SessionRevoked => {
            dicom("110114", "User Authentication", "110123", "E")
        }
        // Emergency override started.
        Kind::BreakGlass => dicom("110113", "Security Alert", "110127", "E"),
        // User security attributes changed.
        Kind::UserCreate
        | Kind::TokenIssued
        | Kind::ClaimDrawn
        | Kind::FactorAdded
        | Kind::Delegated
        | Kind::Linked => dicom("110113", "Security Alert", "110137", "C"),
        // Security configuration.
        Kind::PolicyChange | Kind::HouseChecked | Kind::RootKeyMoved | Kind::RootKeyRewrapped => {
            dicom("110113", "Security Alert", "110131", "U")
        }
        Kind::PolicyAsked | Kind::CaseRead => dicom("110101", "Audit Log Used", "110101", "R"),
        Kind::CaseOpened => dicom("110113", "Security Alert", "110113", "C"),
        Kind::CaseChanged | Kind::Overbooked => dicom("110113", "Security Alert", "110113", "U"),
        Kind::UserChange
        | Kind::UserDisable
        | Kind::LabelRules
        | Kind::Relabelled
        | Kind::UserEnable
        | Kind::PasswordSet
        | Kind::RecoveryCodes
        | Kind::FactorRenamed
        | Kind::FactorRemoved
        | Kind::FactorsReset
        | Kind::Unlinked
        | Kind::DelegationEnded
        | Kind::RolesMapped => dicom("110113", "Security Alert", "110137", "U"),
    }
}

/// The outcome's code: 0 success, 4 the caller's failure, 8 the server's.
pub(crate) const fn outcome(event: &Event) -> &'static str {
    match (event.decision, event.status) {
        (Decision::Deny, _) | (_, 400..=499) => "4",
        (Decision::Permit, 0..=399) => "0",
        (Decision::Permit, _) => "8",
    }
}

/// The id of an event: `log-17`, or `log-17-3` for what concerns its third patient; `log-17-0` when the
/// patient is none of those shown.
#[must_use]
pub fn event_id(entry: &Entry, shown: Shown<'_>) -> String {
    match shown {
        Shown::All => format!("{ID_PREFIX}{}", entry.seq),
        Shown::Only(patient) => {
            let place = entry.event.patients.iter().position(|id| id == patient);
            format!("{ID_PREFIX}{}-{}", entry.seq, place.map_or(0, |place| place + 1))
        }
    }
}

/// How principals are told of.
#[derive(Clone, Copy)]
pub struct Teller<'a> {
    /// How this server names itself.
    server: &'a str,
    words: Option<&'a dyn Fn(&str) -> String>,
}

impl std::fmt::Debug for Teller<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Teller").field("server", &self.server).finish_non_exhaustive()
    }
}

impl<'a> Teller<'a> {
    /// Principals by their ids, and reasons as they were typed: for who may read the whole log.
    #[must_use]
    pub const fn ids(server: &'a str) -> Self {
        Self { server, words: None }
    }

    /// Principals in words that the site chose, and no reason that staff typed: for a patient.
    #[must_use]
    pub const fn words(server: &'a str, words: &'a dyn Fn(&str) -> String) -> Self {
        Self { server, words: Some(words) }
    }

    fn who(&self, w: &mut Writer, id: &str) {
        match self.words {
            None => named(w, id),
            Some(words) => {
                w.object().member("display", &words(id)).end_object();
            }
        }
    }
}

/// The event as JSON.
#[must_use]
pub fn audit_event(entry: &Entry, shown: Shown<'_>, teller: &Teller<'_>) -> Vec<u8> {
    let server = teller.server;
    let event = &entry.event;
    let coded = coded(event);
    let patients: Vec<&str> = match shown {
        Shown::All => event.patients.iter().map(String::as_str).collect(),
        Shown::Only(patient) => vec![patient],
    };
    let mut w = Writer::new();
    w.object().member("resourceType", "AuditEvent").member("id", &event_id(entry, shown));
    w.key("meta").object().member("versionId", "1");
    w.member("lastUpdated", &event.time.to_instant());
    // The profiles are of what succeeded, and know one patient or none.
    let told = coded.profile.filter(|_| outcome(event) == "0" && patients.len() < 2);
    if let Some(name) = told {
        let patient = if patients.is_empty() { "" } else { "Patient" };
        w.key("profile").array().string(&format!("{PROFILES}{patient}{name}")).end_array();
    }
    w.end_object();
    w.key("type");
    coding(&mut w, &coded.system, coded.code, Some(coded.display));
    w.key("subtype").array();
    coding(&mut w, coded.subtype.0, coded.subtype.1, None);
    w.end_array();
    w.member("action", coded.action).member("recorded", &event.time.to_instant());
    w.member("outcome", outcome(event));
    let decision = if event.decision == Decision::Deny { ", denied" } else { "" };
    w.member("outcomeDesc", &format!("status {}{decision}", event.status));
    let receipt = event.receipt.as_deref();
    purpose(&mut w, "purposeOfEvent", receipt, teller);
    w.key("agent").array();
    agents(&mut w, event, receipt, teller);
    w.end_array();
    w.key("source").object().key("observer");
    named(&mut w, server);
    w.key("type").array();
    coding(&mut w, &format!("{TERMINOLOGY}security-source-type"), "4", Some("Application Server"));
    w.end_array().end_object();
    w.key("entity").array();
    entities(&mut w, event, shown, &patients);
    w.end_array().end_object();
    w.finish()
}

fn coding(w: &mut Writer, system: &str, code: &str, display: Option<&str>) {
    w.object().member("system", system).member("code", code);
    if let Some(display) = display {
        w.member("display", display);
    }
    w.end_object();
}

fn concept(w: &mut Writer, system: &str, code: &str) {
    w.object().key("coding").array();
    coding(w, system, code, None);
    w.end_array().end_object();
}

/// A reference by an identifier alone: principals are not records of the store.
fn named(w: &mut Writer, id: &str) {
    w.object().key("identifier").object().member("value", id).end_object().end_object();
}

fn masked(w: &mut Writer, name: &str) {
    w.key(name).object().key("extension").array().object();
    w.member("url", ABSENT).member("valueCode", "masked");
    w.end_object().end_array().end_object();
}

fn purpose(w: &mut Writer, name: &str, receipt: Option<&Receipt>, teller: &Teller<'_>) {
    let Some(receipt) = receipt else { return };
    if receipt.purpose.is_none() && receipt.break_glass.is_none() {
        return;
    }
    let system = format!("{TERMINOLOGY}v3-ActReason");
    w.key(name).array();
    if let Some(purpose) = &receipt.purpose {
        concept(w, &system, purpose);
    }
    if let Some(reason) = &receipt.break_glass {
        w.object().key("coding").array();
        coding(w, &system, "BTG", Some("break the glass"));
        w.end_array();
        // What staff wrote in an emergency may be about whoever speaks for the patient.
        if !reason.is_empty() && teller.words.is_none() {
            w.member("text", reason);
        }
        w.end_object();
    }
    w.end_array();
}

fn agents(w: &mut Writer, event: &Event, receipt: Option<&Receipt>, teller: &Teller<'_>) {
    let server = teller.server;
    // In a query the parameters flow from the client, in all else the data flow to it.
    let (client, own) = match event.kind {
        Kind::Search | Kind::Create | Kind::Update | Kind::Patch => ("110153", "110152"),
        _ => ("110152", "110153"),
    };
    w.object().key("type");
    concept(w, DCM, client);
    w.key("who");
    match receipt.and_then(|receipt| receipt.client.as_deref()) {
        Some(id) => teller.who(w, id),
        None => {
            w.object().member("display", "not known").end_object();
        }
    }
    w.key("requestor").boolean(false);
    w.key("network").object();
    match event.source {
        Some(Source::Local | Source::Loopback) => {
            w.member("address", "127.0.0.1").member("type", "2");
        }
        _ => masked(w, "_address"),
    }
    w.end_object().end_object();
    w.object().key("type");
    concept(w, DCM, own);
    w.key("who");
    named(w, server);
    w.key("requestor").boolean(false);
    w.key("network").object().member("address", server).member("type", "1").end_object();
    w.end_object();
    w.object().key("type");
    concept(w, &format!("{TERMINOLOGY}v3-ParticipationType"), "IRCP");
    w.key("who");
    teller.who(w, &event.actor);
    w.key("requestor").boolean(true);
    if let Some(policies) = receipt.map(|receipt| &receipt.policies).filter(|all| !all.is_empty()) {
        w.key("policy").array();
        for policy in policies {
            w.string(&format!("urn:plummer:policy:{policy}"));
        }
        w.end_array();
    }
    purpose(w, "purposeOfUse", receipt, teller);
    w.end_object();
    if let Some(behalf) = receipt.and_then(|receipt| receipt.on_behalf_of.as_deref()) {
        w.object().key("type").object().key("coding").array();
        coding(w, &format!("{TERMINOLOGY}v3-RoleCode"), "DELEGATOR", None);
        w.end_array().member("text", "on behalf of").end_object().key("who");
        teller.who(w, behalf);
        w.key("requestor").boolean(false).end_object();
    }
}

fn entities(w: &mut Writer, event: &Event, shown: Shown<'_>, patients: &[&str]) {
    let role = format!("{TERMINOLOGY}object-role");
    let of = format!("{TERMINOLOGY}audit-entity-type");
    w.object().key("what");
    named(w, &uuid_text(&event.request));
    w.key("type");
    coding(w, TRANSACTION, "XrequestId", None);
    w.end_object();
    for patient in patients {
        w.object().key("what").object().member("reference", &format!("Patient/{patient}"));
        w.end_object().key("type");
        coding(w, &of, "1", Some("Person"));
        w.key("role");
        coding(w, &role, "1", Some("Patient"));
        w.end_object();
    }
    let query = matches!(event.kind, Kind::Search);
    if query || event.query.is_some() {
        w.object().key("type");
        coding(w, &of, "2", Some("System Object"));
        w.key("role");
        coding(w, &role, "24", Some("Query"));
        if let Some(digest) = event.query {
            let hex: String = digest.iter().map(|byte| format!("{byte:02x}")).collect();
            w.member("description", &format!("SHA-256 of the query begins {hex}"));
        }
        masked(w, "_query");
        w.end_object();
    }
    let alone = event.patients.len() < 2;
    for target in &event.targets {
        let own = |id: &str| target.resource_type == "Patient" && patients.contains(&id);
        let Some(id) = target.id.as_deref() else { continue };
        let told = match shown {
            Shown::All => true,
            Shown::Only(_) if target.resource_type == "Patient" => own(id),
            Shown::Only(_) => alone,
        };
        if !told {
            continue;
        }
        let version = target.version.map(|v| format!("/_history/{v}")).unwrap_or_default();
        let address = format!("{}/{id}{version}", target.resource_type);
        w.object().key("what").object().member("reference", &address).end_object().key("type");
        coding(w, &of, "2", Some("System Object"));
        w.key("role");
        coding(w, &role, "4", Some("Domain Resource"));
        w.end_object();
    }
}
