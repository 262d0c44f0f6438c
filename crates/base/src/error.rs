//! The one table of error codes, and the faults that carry them.
//!
//! A code is stable: the same text is the `coding.code` of the `OperationOutcome`, the log field and
//! the name of its page under `docs/errors/`. `cargo xtask tidy` fails on a code without a page.

use std::fmt;

/// One row of the table: a stable name, the FHIR issue type
/// (<https://hl7.org/fhir/R4/valueset-issue-type.html>), the HTTP status, and a sentence.
#[derive(Debug, PartialEq, Eq)]
pub struct Code {
    /// `room.thing.condition`, lower case.
    pub name: &'static str,
    /// The FHIR `IssueType` code.
    pub issue: &'static str,
    /// The HTTP status a door answers with.
    pub status: u16,
    /// What happened, in a sentence without a full stop.
    pub title: &'static str,
}

macro_rules! codes {
    ($($ident:ident = $name:literal, $status:literal, $issue:literal, $title:literal;)*) => {
        /// The codes by name, for the places that raise them.
        pub mod code {
            use super::Code;
            $(#[doc = $title]
            pub static $ident: Code =
                Code { name: $name, issue: $issue, status: $status, title: $title };)*
        }
        /// Every code, in the order of the table.
        pub static CODES: &[&Code] = &[$(&code::$ident),*];
    };
}

codes! {
    JSON_SYNTAX = "fhir.json.syntax", 400, "structure", "the body is not well-formed JSON";
    JSON_UTF8 = "fhir.json.utf8", 400, "structure", "the body is not UTF-8";
    JSON_DUPLICATE = "fhir.json.duplicate-property", 400, "structure", "a property stands twice in one object";
    JSON_DEPTH = "fhir.json.too-deep", 400, "too-costly", "the document is nested deeper than the limit";
    JSON_SIZE = "fhir.json.too-large", 413, "too-long", "the document is larger than the limit";
    JSON_ELEMENTS = "fhir.json.too-many-elements", 413, "too-costly", "the document has more elements than the limit";
    RESOURCE_NOT_OBJECT = "fhir.resource.not-object", 400, "structure", "the body is not a JSON object with a resourceType";
    RESOURCE_TYPE_UNKNOWN = "fhir.resource.unknown-type", 404, "not-supported", "the resource type is not one of FHIR R4";
    RESOURCE_TYPE_MISMATCH = "fhir.resource.type-mismatch", 400, "invalid", "the body's resourceType differs from the one asked for";
    RESOURCE_ID_MISMATCH = "fhir.resource.id-mismatch", 400, "invalid", "the body's id differs from the one in the address";
    RESOURCE_ID_INVALID = "fhir.resource.id-invalid", 400, "value", "the id is not 1 to 64 letters, digits, hyphens or full stops";
    RESOURCE_ID_MISSING = "fhir.resource.id-missing", 400, "required", "the body of an update has no id";
    ELEMENT_UNKNOWN = "validation.element.unknown", 422, "structure", "the element is not defined for its type";
    ELEMENT_TYPE = "validation.element.type", 422, "structure", "the JSON shape does not fit the element's type";
    ELEMENT_REQUIRED = "validation.element.required", 422, "required", "a required element is missing";
    ELEMENT_REPEATS = "validation.element.repeats", 422, "structure", "the element repeats more often than its cardinality allows";
    ELEMENT_EMPTY = "validation.element.empty", 422, "structure", "an object, array or string is empty";
    ELEMENT_CHOICE = "validation.element.choice", 422, "structure", "a choice element has more than one type";
    ELEMENT_NULL = "validation.element.null", 422, "structure", "null stands where FHIR JSON does not allow it";
    PRIMITIVE_FORMAT = "validation.primitive.format", 422, "value", "the value does not have the format of its primitive type";
    BINDING_REQUIRED = "validation.binding.required", 422, "code-invalid", "the code is not in the required value set";
    REFERENCE_FORM = "validation.reference.form", 422, "value", "the reference does not have an allowed form";
    REFERENCE_TARGET = "validation.reference.target", 422, "value", "the reference points at a type that is not allowed there";
    CONTAINED_INVALID = "validation.contained.invalid", 422, "structure", "a contained resource breaks the rules of containment";
    INVARIANT_FAILED = "validation.invariant.failed", 422, "invariant", "an invariant of the specification does not hold";
    FHIRPATH_SYNTAX = "fhirpath.parse.syntax", 400, "invalid", "the text is not a FHIRPath expression";
    FHIRPATH_TYPE = "fhirpath.evaluate.type", 422, "processing", "the expression cannot be evaluated on this input";
    FHIRPATH_COST = "fhirpath.evaluate.too-costly", 422, "too-costly", "the evaluation would take more steps than the limit";
    NOT_FOUND = "record.read.not-found", 404, "not-found", "no such resource";
    GONE = "record.read.gone", 410, "deleted", "the resource was deleted";
    VERSION_NOT_FOUND = "record.read.version-not-found", 404, "not-found", "no such version";
    VERSION_CONFLICT = "record.write.version-conflict", 412, "conflict", "the resource was changed since the version you named";
    PRECONDITION_FAILED = "record.write.precondition-failed", 412, "conflict", "the precondition does not hold";
    CREATE_BY_UPDATE_OFF = "record.write.create-by-update-off", 405, "not-supported", "this server does not create a resource under an id of your choice";
    MULTIPLE_MATCHES = "record.write.multiple-matches", 412, "multiple-matches", "the condition matches more than one resource";
    CONDITION_MISSING = "record.write.condition-missing", 400, "required", "a conditional interaction needs at least one search parameter";
    RESOURCE_TOO_LARGE = "record.write.too-large", 413, "too-long", "the resource is larger than the limit";
    BUNDLE_TYPE = "record.bundle.type", 400, "invalid", "the bundle is neither a batch nor a transaction";
    BUNDLE_ENTRY = "record.bundle.entry", 400, "invalid", "an entry of the bundle is malformed";
    BUNDLE_TOO_MANY = "record.bundle.too-many-entries", 413, "too-costly", "the bundle has more entries than the limit";
    BUNDLE_DUPLICATE = "record.bundle.duplicate", 400, "duplicate", "two entries of a transaction name the same resource";
    BUNDLE_REFERENCE = "record.bundle.reference", 400, "not-found", "a conditional reference does not match exactly one resource";
    OPERATION_PARAMETER = "record.operation.parameter", 400, "invalid", "a parameter of the operation is not as it is declared";
    OPERATION_AGENT = "record.operation.agent", 403, "forbidden", "an agent may not ask for this operation by itself";
    DOUBLE_BOOKED = "scheduling.appointment.double-booked", 409, "conflict", "somebody or something the appointment needs is taken at that time";
    APPOINTMENT_TIMES = "scheduling.appointment.times", 422, "invariant", "the appointment takes time and does not say which";
    OVERBOOKING_DENIED = "scheduling.appointment.overbooking-denied", 403, "forbidden", "the override is not given, or may not be given by this caller";
    SLOT_TAKEN = "scheduling.slot.taken", 409, "conflict", "the slot is not free";
    SEARCH_PARAMETER_UNKNOWN = "search.parameter.unknown", 400, "not-supported", "the search parameter is not defined for this type";
    SEARCH_MODIFIER = "search.parameter.modifier", 400, "not-supported", "the modifier is not supported for this search parameter";
    SEARCH_VALUE = "search.parameter.value", 400, "value", "the value of the search parameter cannot be understood";
    SEARCH_PREFIX = "search.parameter.prefix", 400, "value", "the prefix does not apply to this search parameter";
    SEARCH_CHAIN = "search.parameter.chain", 400, "invalid", "the chain does not lead anywhere";
    SEARCH_RESULT_PARAMETER = "search.result.parameter", 400, "value", "the value of a result parameter cannot be understood";
    SEARCH_TOO_MANY = "search.query.too-many", 400, "too-costly", "the search has more parts than the limit";
    SEARCH_TOO_COSTLY = "search.query.too-costly", 503, "too-costly", "the search would cost more than the limit";
    FIND_UNREADABLE = "search.find.unreadable", 400, "value", "nothing in the line finds a patient";
    SEARCH_CURSOR = "search.page.cursor", 400, "value", "the page link is not one this server gave, or has expired";
    INCLUDE_TOO_MANY = "search.include.too-many", 400, "too-costly", "the search includes more resources than the limit";
    NOT_SUPPORTED = "server.interaction.not-supported", 405, "not-supported", "the interaction is not supported";
    NOT_ACCEPTABLE = "server.content.not-acceptable", 406, "not-supported", "the server cannot answer in the format asked for";
    UNSUPPORTED_MEDIA = "server.content.unsupported-media", 415, "not-supported", "the server cannot read the format of the body";
    BODY_TOO_LARGE = "server.body.too-large", 413, "too-long", "the request's body is larger than the limit";
    BODY_ENCODING = "server.body.encoding", 400, "structure", "the request's body does not decode as its Content-Encoding says";
    HEADER_INVALID = "server.header.invalid", 400, "value", "a request header cannot be understood";
    PARAMETER_INVALID = "server.parameter.invalid", 400, "value", "a request parameter cannot be understood";
    UNKNOWN_ROUTE = "server.route.unknown", 404, "not-found", "there is nothing at this address";
    OVERLOADED = "server.busy", 503, "throttled", "the server is at its limit of concurrent requests";
    RATE_EXCEEDED = "server.rate.exceeded", 429, "throttled", "the caller has sent more requests than it may";
    STREAMS_TOO_MANY = "server.streams.too-many", 429, "throttled", "the caller has as many open streams as it may";
    COST_EXCEEDED = "server.cost.exceeded", 429, "throttled", "the caller has asked for more work than it may";
    TLS_UNUSABLE = "server.tls.unusable", 500, "exception", "the TLS certificate or key cannot be used";
    TIMEOUT = "server.timeout", 503, "timeout", "the request took longer than the limit";
    SHUTTING_DOWN = "server.shutting-down", 503, "transient", "the server is shutting down";
    AUDIT_UNAVAILABLE = "audit.unavailable", 503, "exception", "the audit log cannot be written, so nothing may be read or changed";
    AUDIT_LOCKED = "audit.locked", 500, "exception", "another process has the audit log open";
    AUDIT_CORRUPT = "audit.corrupt", 500, "exception", "the audit log was altered or is damaged";
    AUDIT_KEY = "audit.key.missing", 500, "exception", "the audit log is sealed, and its key is not here";
    AUDIT_PROOF = "audit.proof.invalid", 422, "invalid", "the proof, checkpoint or key is not valid";
    SIGN_IN_REFUSED = "identity.sign-in.refused", 401, "login", "the sign-in did not succeed";
    SIGN_IN_NEEDED = "identity.sign-in.needed", 401, "login", "the request names no caller";
    SIGN_IN_BACK_OFF = "identity.sign-in.back-off", 429, "throttled", "there were too many attempts to sign in";
    FEDERATED_REFUSED = "identity.federated.refused", 403, "login", "this site does not take the sign-in from elsewhere";
    FEDERATED_INVALID = "identity.federated.invalid", 401, "login", "what came from elsewhere was not believed";
    FEDERATED_UNAVAILABLE = "identity.federated.unavailable", 503, "transient", "the sign-in elsewhere cannot be reached";
    SESSION_EXPIRED = "identity.session.expired", 401, "expired", "the session has ended";
    TOKEN_INVALID = "identity.token.invalid", 401, "login", "the token is not valid";
    NAME_TAKEN = "identity.login.taken", 409, "duplicate", "the sign-in name is taken";
    PASSWORD_WEAK = "identity.password.weak", 422, "value", "the password is too easily guessed";
    PASSWORD_MUST_CHANGE = "identity.password.must-change", 403, "expired", "the password has to be changed first";
    FACTOR_MISSING = "identity.factor.missing", 403, "login", "the role demands a second factor";
    PASSWORD_LIST_DAMAGED = "identity.password-list.damaged", 500, "exception", "the list of stolen passwords is damaged or is none";
    ADMINISTRATOR_LAST = "identity.administrator.last", 409, "business-rule", "it would leave nobody who administers the site";
    PRINCIPAL_DISABLED = "identity.principal.disabled", 403, "forbidden", "the principal is disabled";
    PRINCIPAL_NOT_FOUND = "identity.principal.not-found", 404, "not-found", "no such principal";
    STEP_UP_NEEDED = "identity.step-up.needed", 403, "login", "a factor must be shown again";
    CLAIM_INVALID = "identity.claim.invalid", 401, "login", "the claim code is not valid";
    ITEM_CONFLICT = "identity.item.conflict", 409, "conflict", "somebody else changed it in the meantime";
    ACCESS_DENIED = "access.denied", 403, "forbidden", "no policy permits what was asked";
    BREAK_GLASS_TOO_OFTEN = "access.break-glass.too-often", 429, "throttled", "the glass was broken too often within a day";
    CASE_NOT_FOUND = "access.case.not-found", 404, "not-found", "there is no such case of review";
    CASE_OWN = "access.case.own", 403, "forbidden", "nobody decides about a case that is about themselves";
    CASE_STATE = "access.case.state", 409, "business-rule", "the case is not in a state for this step";
    ACCESS_POLICY_INVALID = "access.policy.invalid", 422, "invalid", "a policy is not well-formed or does not fit the schema";
    ACCESS_POLICY_UNNAMED = "access.policy.unnamed", 422, "required", "a policy has no id";
    ACCESS_POLICY_MAY_FAIL = "access.policy.may-fail", 422, "invalid", "a policy could err when it is evaluated";
    ACCESS_POLICY_BEYOND = "access.policy.beyond-index", 422, "not-supported", "a policy says of a record what no index can follow";
    PRIVACY_HIDDEN_KEPT = "privacy.elements.hidden", 403, "forbidden", "an update would delete what its writer is not shown";
    PRIVACY_RULES_INVALID = "privacy.rules.invalid", 422, "invalid", "a rule pack or an element mask is not well-formed";
    DRAFT_CHANGED = "record.draft.changed", 409, "conflict", "the draft was kept or signed elsewhere in the meantime";
    DRAFT_TOO_LARGE = "record.draft.too-large", 413, "too-long", "the draft is longer than the limit";
    DRAFT_TOO_MANY = "record.draft.too-many", 409, "too-costly", "its author has as many drafts as the limit";
    CHART_OTHER_PATIENT = "charting.patient.other", 409, "conflict", "the record is about another patient than the one stated";
    CHART_ENTRY = "charting.entry.not-understood", 422, "value", "the line of vital signs is not understood";
    CHART_VALUE = "charting.value.invalid", 422, "value", "what was entered cannot be charted";
    CHART_DUPLICATE = "charting.record.duplicate", 409, "duplicate", "the chart has an active one of these";
    CHART_STATE = "charting.record.state", 409, "business-rule", "the record is not in a state for this step";
    CHART_SIGNER = "charting.note.signer", 403, "forbidden", "whoever asks is nobody who can sign a note";
    CHART_ALTERED = "charting.note.altered", 409, "conflict", "the note is not as it was signed";
    INBOX_STATE = "inbox.item.state", 409, "business-rule", "the item is not in a state for this step";
    INBOX_UNOPENED = "inbox.result.unopened", 409, "business-rule", "a result that is not plainly normal is filed from its own page";
    INBOX_CHANGED = "inbox.result.changed", 409, "conflict", "a result is not as it was when it was read";
    INBOX_REVIEW = "inbox.review.invalid", 422, "business-rule", "a task does not review the result that it names";
    INBOX_UNSEEN = "inbox.target.unseen", 409, "business-rule", "whom it is handed to is not shown it";
    INBOX_PERSON = "inbox.person.missing", 409, "business-rule", "whoever asks is no practitioner who can own an item";
    INBOX_VALUE = "inbox.value.invalid", 422, "value", "what was entered cannot be kept";
    EGRESS_TARGET_INVALID = "egress.target.invalid", 400, "value", "the address of another system cannot be understood in one way only";
    EGRESS_TARGET_DENIED = "egress.target.denied", 403, "forbidden", "the address of another system may not be reached";
    EGRESS_UNREACHABLE = "egress.target.unreachable", 502, "transient", "another system cannot be reached";
    EGRESS_TIMEOUT = "egress.answer.timeout", 504, "timeout", "another system took longer than the limit";
    EGRESS_UNTRUSTED = "egress.answer.untrusted", 502, "security", "another system did not prove who it is";
    EGRESS_ANSWER_TOO_LARGE = "egress.answer.too-large", 502, "too-long", "the answer of another system is larger than the limit";
    EGRESS_ANSWER_INVALID = "egress.answer.invalid", 502, "structure", "the answer of another system cannot be understood";
    STORE_UNAVAILABLE = "store.unavailable", 503, "exception", "the store cannot be read or written";
    STORE_TOO_NEW = "store.schema.too-new", 500, "exception", "the store was written by a newer version of this program";
    STORE_LOCKED = "store.locked", 500, "exception", "another process has the store open";
    STORE_CORRUPT = "store.corrupt", 500, "exception", "the store holds something that this program did not write";
    STORE_KEY_OTHER = "store.key.other", 500, "exception", "the store is not sealed under these keys";
    STORE_KEY_MISSING = "store.key.missing", 500, "exception", "the store is sealed, and its keys are not there";
    KEYS_ROOT_UNREADABLE = "keys.root.unreadable", 500, "exception", "the root key is missing, or cannot be read, or is damaged";
    KEYS_ROOT_PERMISSIONS = "keys.root.permissions", 500, "exception", "others than its owner may read the root key's file";
    KEYS_ROOT_EXISTS = "keys.root.exists", 500, "exception", "there is a root key already, and it is never replaced";
    KEYS_ROOT_OTHER = "keys.root.other", 500, "exception", "the keys stand under another root key";
    KEYS_KMS_UNREACHABLE = "keys.kms.unreachable", 503, "transient", "whoever holds the root key does not answer";
    KEYS_KMS_SEALED = "keys.kms.sealed", 503, "transient", "the service that holds the root key is sealed";
    KEYS_KMS_DENIED = "keys.kms.denied", 500, "security", "whoever holds the root key will not let this server use it";
    KEYS_KMS_MISSING = "keys.kms.missing", 500, "exception", "whoever should hold the root key has no key of this name";
    KEYS_KMS_UNFIT = "keys.kms.unfit", 500, "exception", "what should hold the root key is not fit to, or is not set up";
    KEYS_KMS_REFUSED = "keys.kms.refused", 500, "exception", "whoever holds the root key could not unwrap the tenant's key";
    KEYS_KMS_ANSWER = "keys.kms.answer", 502, "exception", "whoever holds the root key answered what cannot be used";
    KEYS_KMS_SECRET = "keys.kms.secret", 500, "exception", "the secret by which the root key is used cannot be read";
    KEYS_PASSPHRASE_MISSING = "keys.passphrase.missing", 500, "exception", "the root key is sealed by a passphrase, and none was given";
    KEYS_PASSPHRASE_WRONG = "keys.passphrase.wrong", 500, "exception", "the passphrase does not open the root key";
    KEYS_PATIENT_SHREDDED = "keys.patient.shredded", 410, "deleted", "the patient's key was destroyed, and with it what was sealed under it";
    KEYS_PATIENT_MISSING = "keys.patient.missing", 500, "exception", "there is no key for the patient's record";
    KEYS_BODY_ALTERED = "keys.body.altered", 500, "exception", "a sealed body was altered, or is not sealed under this key";
    KEYS_STORE_EXISTS = "keys.store.exists", 500, "exception", "there are keys of a tenant already, and they are never replaced";
    KEYS_STORE_LOCKED = "keys.store.locked", 500, "exception", "another process has the keys open";
    KEYS_STORE_CORRUPT = "keys.store.corrupt", 500, "exception", "a file of keys was altered or is damaged";
    KEYS_UNAVAILABLE = "keys.unavailable", 503, "exception", "the keys cannot be read or written";
    REGISTRATION_VALUE = "registration.value.invalid", 422, "value", "what was entered cannot be registered";
    REGISTRATION_MERGE = "registration.merge.state", 409, "business-rule", "the records are not in a state to be merged or parted";
    CONSENT_INCOMPLETE = "registration.consent.incomplete", 422, "business-rule", "the consent lacks an element that the law asks for";
    CONSENT_STATE = "registration.consent.state", 409, "business-rule", "the consent does not count any more";
    CONSENT_SIGNED = "registration.consent.signed", 409, "business-rule", "what somebody signed is not rewritten";
    CONSENT_UNSIGNED = "registration.consent.unsigned", 422, "business-rule", "a consent to disclose Part 2 records is signed";
    REGISTRATION_OTHER_PATIENT = "registration.patient.other", 409, "conflict", "the record is about another patient than the one the form was opened for";
    SCHEDULING_ZONE = "scheduling.zone.unknown", 422, "value", "the time zone is not one of the IANA database";
    SCHEDULING_TIME = "scheduling.time.invalid", 422, "value", "the time cannot be placed in the calendar";
    SCHEDULING_VISIT_TYPE = "scheduling.visit-type.invalid", 422, "invalid", "the visit type cannot be understood";
    SCHEDULING_CALENDAR = "scheduling.calendar.invalid", 422, "invalid", "a schedule, slot, appointment or its hours cannot be understood";
    SCHEDULING_FIND = "scheduling.find.invalid", 400, "value", "what was asked of the calendar cannot be searched for";
    SCHEDULING_BLOCKED = "scheduling.booking.blocked", 409, "business-rule", "a rule forbids the booking";
    SCHEDULING_OVERRIDE = "scheduling.booking.override-needed", 409, "business-rule", "a rule forbids the booking without a reason";
    SCHEDULING_SERIES = "scheduling.series.invalid", 422, "value", "the series cannot be laid out";
    SCHEDULING_HOLD = "scheduling.hold.lost", 409, "conflict", "the hold has ended or is somebody else's";
    SCHEDULING_OFFER = "scheduling.offer.closed", 409, "conflict", "the offer is no longer open";
    SCHEDULING_STEP = "scheduling.flow.step", 409, "business-rule", "the visit is not in a state for this step";
    SCHEDULING_REMINDER = "scheduling.reminder.invalid", 422, "value", "the reminder's text or link is not allowed";
    COURIER_INVALID = "courier.message.invalid", 422, "value", "a message, or the address it goes to, cannot be sent as it is";
    COURIER_REFUSED = "courier.message.refused", 502, "processing", "who hands messages on refused this one for good";
    COURIER_UNAVAILABLE = "courier.service.unavailable", 503, "transient", "who hands messages on cannot take one now";
    LINK_OVER = "record.link.over", 404, "not-found", "the link is over, or was never one";
    INTERNAL = "server.internal", 500, "exception", "something failed inside the server";
}

/// How grave an issue is (<https://hl7.org/fhir/R4/valueset-issue-severity.html>).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// Worth knowing.
    Information,
    /// Done, but look.
    Warning,
    /// Refused.
    Error,
    /// Failed.
    Fatal,
}

impl Severity {
    /// The FHIR code.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Information => "information",
            Self::Warning => "warning",
            Self::Error => "error",
            Self::Fatal => "fatal",
        }
    }
}

/// One thing that is wrong, as an `OperationOutcome.issue` tells it.
///
/// `diagnostics` is for the caller who sent the data and must hold no stored patient data.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Issue {
    /// Its row in the table.
    pub code: &'static Code,
    /// How grave.
    pub severity: Severity,
    /// What to do about it, in a sentence.
    pub diagnostics: String,
    /// Where, as a `FHIRPath` expression (`Patient.name[0].given[1]`) or a parameter's name.
    pub expression: Option<String>,
}

/// A refusal or failure: one issue or more, the first deciding the status.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// At least one.
    pub issues: Vec<Issue>,
}

impl Fault {
    /// A fault of one issue of severity error.
    pub fn new(code: &'static Code, diagnostics: impl Into<String>) -> Self {
        let diagnostics = diagnostics.into();
        Self {
            issues: vec![Issue { code, severity: Severity::Error, diagnostics, expression: None }],
        }
    }

    /// A fault of one issue at a place.
    pub fn at(
        code: &'static Code,
        diagnostics: impl Into<String>,
        expression: impl Into<String>,
    ) -> Self {
        let mut fault = Self::new(code, diagnostics);
        if let Some(issue) = fault.issues.first_mut() {
            issue.expression = Some(expression.into());
        }
        fault
    }

    /// Gathers issues into a fault; `None` when none of them is an error.
    pub fn of(issues: Vec<Issue>) -> Option<Self> {
        issues.iter().any(|i| i.severity >= Severity::Error).then_some(Self { issues })
    }

    /// The code of the first error, which decides status and log line.
    pub fn code(&self) -> &'static Code {
        self.issues
            .iter()
            .find(|i| i.severity >= Severity::Error)
            .or_else(|| self.issues.first())
            .map_or(&code::INTERNAL, |i| i.code)
    }

    /// The HTTP status to answer with.
    pub fn status(&self) -> u16 {
        self.code().status
    }

    /// Prefixes every issue's place, for a fault found inside a bundle entry.
    #[must_use]
    pub fn within(mut self, prefix: &str) -> Self {
        for issue in &mut self.issues {
            issue.expression = Some(match issue.expression.take() {
                Some(inner) => format!("{prefix}.{inner}"),
                None => prefix.to_owned(),
            });
        }
        self
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, issue) in self.issues.iter().enumerate() {
            if i > 0 {
                f.write_str("; ")?;
            }
            write!(f, "{}: {}", issue.code.name, issue.diagnostics)?;
            if let Some(place) = &issue.expression {
                write!(f, " (at {place})")?;
            }
        }
        Ok(())
    }
}

impl std::error::Error for Fault {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_holds_each_name_once_and_only_real_statuses() {
        let mut names: Vec<_> = CODES.iter().map(|c| c.name).collect();
        names.sort_unstable();
        let all = names.len();
        names.dedup();
        assert_eq!(names.len(), all);
        assert!(CODES.iter().all(|c| (400..600).contains(&c.status)));
    }

    #[test]
    fn a_fault_answers_with_its_first_error() {
        let fault =
            Fault::at(&code::GONE, "deleted", "Patient.id").within("Bundle.entry[3].resource");
        assert_eq!(fault.status(), 410);
        assert_eq!(
            fault.to_string(),
            "record.read.gone: deleted (at Bundle.entry[3].resource.Patient.id)"
        );
    }
}
