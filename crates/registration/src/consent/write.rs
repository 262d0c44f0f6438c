//! A consent as FHIR R4 has one, so that the guard and every other reader understands it. The scope of
//! agreements that are not about records is `treatment`, which permits and denies nothing of them.

use super::elements::{Elements, Ends, Extent, Source, To};
use super::form::Form;
use super::hands::Given;
use super::text::Text;
use super::{Kind, Signing};
use base::Millis;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use fhir::write::Writer;
use record::Session;
use record::proxy::AUTHORITY;

/// The tag by which a form that is sent twice is kept once.
pub(super) const ENTRY: &str = "urn:plummer:consent-entry";
/// The system of [`Kind::code`] in `Consent.category`; its version is that of the text.
pub(super) const FORMS: &str = "urn:plummer:consent-form";
/// `Consent.extension`, with `valueSignature`.
pub(super) const SIGNATURE: &str =
    "https://plummer.health/fhir/StructureDefinition/consent-signature";
/// `Consent.extension`: `when` and `reason` of its end.
pub(super) const ENDED: &str = "https://plummer.health/fhir/StructureDefinition/consent-ended";
/// <https://hl7.org/fhir/R4/valueset-signature-type.html>
const SIGNATURES: &str = "urn:iso-astm:E1762-95:2013";
/// The signer's.
pub(super) const SIGNER: &str = "1.2.840.10065.1.12.1.7";
/// That of whoever saw it signed.
pub(super) const WITNESS: &str = "1.2.840.10065.1.12.1.11";
/// `Signature.extension`, with `valueString`: by what right whoever signs acts for the patient, described
/// (45 CFR 164.508(c)(1)(vi)); beside it [`AUTHORITY`] has the code.
pub(super) const DESCRIBED: &str =
    "https://plummer.health/fhir/StructureDefinition/signer-authority";
/// How a picture of our own making is told from a name that was written down.
pub(super) const DRAWN: &str = "image/svg+xml";
const WRITTEN: &str = "text/plain";
const ACTS: &str = "http://terminology.hl7.org/CodeSystem/v3-ActCode";
const REASONS: &str = "http://terminology.hl7.org/CodeSystem/v3-ActReason";

/// A consent that was signed just now.
pub(super) fn signed(
    session: &Session,
    (about, entry): (&str, &str),
    form: &Form,
    signing: &Signing,
    hands: &[Given<'_>],
    text: &Text,
) -> Vec<u8> {
    let kind = form.kind;
    let now = session.now().to_instant();
    let own = format!("Patient/{about}");
    let mut out = Writer::new();
    head(&mut out, (kind, &form.edition), about, entry, "active");
    out.key("extension").array();
    for hand in hands {
        signer(&mut out, hand, &own, &now);
    }
    if signing.on_paper {
        let who = session.signer().map(|one| format!("Practitioner/{}", one.practitioner));
        let name = signing.witness.trim();
        out.object().member("url", SIGNATURE).key("valueSignature").object();
        kind_of(&mut out, WITNESS, "Consent Witness Signature", &now);
        by(&mut out, who.as_deref(), name);
        data(&mut out, WRITTEN, name);
        out.end_object().end_object();
    }
    out.end_array();
    out.member("dateTime", &now);
    out.key("performer").array();
    for hand in hands {
        out.object().member("reference", &reference(hand, &own));
        out.member("display", hand.name).end_object();
    }
    out.end_array();
    out.key("sourceAttachment").object().member("contentType", "text/plain;charset=utf-8");
    out.member("language", signing.tongue.tag()).member("data", &STANDARD.encode(text.plain()));
    out.member("title", &text.title).member("creation", &now).end_object();
    rule(&mut out, kind);
    if kind.has_elements() {
        provision(&mut out, kind, &signing.elements);
    }
    out.end_object();
    out.finish()
}

/// A consent that was asked for and not given.
pub(super) fn declined(
    session: &Session,
    about: &str,
    kind: Kind,
    reason: &str,
    entry: &str,
) -> Vec<u8> {
    let mut out = Writer::new();
    head(&mut out, (kind, ""), about, entry, "rejected");
    out.key("extension").array();
    ended(&mut out, session.now(), reason);
    out.end_array();
    out.member("dateTime", &session.now().to_instant());
    rule(&mut out, kind);
    out.end_object();
    out.finish()
}

/// That it ended, when and why.
pub(super) fn ended(out: &mut Writer, when: Millis, reason: &str) {
    out.object().key("extension").array();
    out.object().member("url", "when").member("valueDateTime", &when.to_instant()).end_object();
    out.object().member("url", "reason").member("valueString", reason.trim()).end_object();
    out.end_array().member("url", ENDED).end_object();
}

fn head(out: &mut Writer, (kind, edition): (Kind, &str), about: &str, entry: &str, status: &str) {
    out.object().member("resourceType", "Consent");
    out.key("meta").object().key("tag").array();
    out.object().member("system", ENTRY).member("code", entry).end_object().end_array();
    if kind.is_sensitive() {
        out.key("security").array().object();
        out.member("system", "http://terminology.hl7.org/CodeSystem/v3-Confidentiality");
        out.member("code", "R").end_object().end_array();
    }
    out.end_object();
    out.member("status", status);
    let scope = match kind {
        Kind::PrivacyNotice | Kind::Release | Kind::Part2 => "patient-privacy",
        Kind::Treatment | Kind::Telehealth | Kind::Financial => "treatment",
    };
    out.key("scope").object();
    codings(out, &[("http://terminology.hl7.org/CodeSystem/consentscope", scope)]);
    out.end_object();
    out.key("category").array().object().key("coding").array().object();
    out.member("system", FORMS);
    if !edition.is_empty() {
        out.member("version", edition);
    }
    out.member("code", kind.code());
    out.end_object().end_array().member("text", called(kind)).end_object();
    if kind == Kind::PrivacyNotice {
        out.object();
        codings(out, &[("http://terminology.hl7.org/CodeSystem/consentcategorycodes", "npp")]);
        out.end_object();
    }
    out.end_array();
    out.key("patient").object().member("reference", &format!("Patient/{about}")).end_object();
}

/// What it is called where only its name is shown.
const fn called(kind: Kind) -> &'static str {
    match kind {
        Kind::PrivacyNotice => "Privacy notice received",
        Kind::Treatment => "Treatment",
        Kind::Telehealth => "Visits by video",
        Kind::Financial => "Payment",
        Kind::Release => "Release of information",
        Kind::Part2 => "Part 2 disclosure",
    }
}

/// Under which rule it was given; R4 asks for one (invariant ppc-1).
fn rule(out: &mut Writer, kind: Kind) {
    const POLICIES: &str = "http://terminology.hl7.org/CodeSystem/consentpolicycodes";
    out.key("policyRule").object();
    match kind {
        Kind::PrivacyNotice => codings(out, &[(POLICIES, "hipaa-npp")]),
        Kind::Release => codings(out, &[(POLICIES, "hipaa-auth")]),
        Kind::Part2 => codings(out, &[(ACTS, "42CFRPart2")]),
        Kind::Treatment | Kind::Telehealth | Kind::Financial => {
            out.member("text", "The house's own form");
        }
    }
    out.end_object();
}

fn provision(out: &mut Writer, kind: Kind, of: &Elements) {
    out.key("provision").object().member("type", "permit");
    if of.ends == Ends::On {
        out.key("period").object().member("end", &of.last_day).end_object();
    }
    // Whom the guard cannot tell, and whose records it cannot tell from others', it grants nothing: that
    // release is made by hand. Out of the whole house needs nobody named: it is all that is kept here.
    let named = [
        (of.source == Source::Named, "CST", &of.discloser),
        (of.to == To::Named, "PRCP", &of.recipient),
    ];
    if named.iter().any(|(is_named, _, _)| *is_named) {
        out.key("actor").array();
        for (_, role, name) in named.iter().filter(|(is_named, _, _)| *is_named) {
            out.object().key("role").object();
            codings(out, &[("http://terminology.hl7.org/CodeSystem/v3-ParticipationType", *role)]);
            out.end_object().key("reference").object().member("display", name.trim());
            out.end_object().end_object();
        }
        out.end_array();
    }
    if kind == Kind::Part2 {
        out.key("securityLabel").array();
        out.object().member("system", ACTS).member("code", "42CFRPart2").end_object();
        out.end_array();
    }
    out.key("purpose").array();
    for purpose in &of.purposes {
        out.object().member("system", REASONS).member("code", purpose).end_object();
    }
    out.end_array();
    // Nor can it follow a description, or an event, record by record.
    let said =
        [(of.extent == Extent::Described, &of.information), (of.ends == Ends::When, &of.event)];
    if said.iter().any(|(is_said, _)| *is_said) {
        out.key("code").array();
        for (_, words) in said.iter().filter(|(is_said, _)| *is_said) {
            out.object().member("text", words.trim()).end_object();
        }
        out.end_array();
    }
    out.end_object();
}

/// The hand of somebody who signs, with the right by which they do it for the patient.
fn signer(out: &mut Writer, hand: &Given<'_>, own: &str, when: &str) {
    out.object().member("url", SIGNATURE).key("valueSignature").object();
    if let Some(acts) = &hand.acts {
        out.key("extension").array();
        out.object().member("url", AUTHORITY).member("valueCode", acts.right.code()).end_object();
        out.object().member("url", DESCRIBED).member("valueString", &acts.described).end_object();
        out.end_array();
    }
    kind_of(out, SIGNER, "Consent Signature", when);
    by(out, Some(&reference(hand, own)), hand.name);
    if hand.acts.is_some() {
        out.key("onBehalfOf").object().member("reference", own).end_object();
    }
    match hand.drawn {
        Some(drawn) => data(out, DRAWN, &drawn.svg()),
        None => data(out, WRITTEN, hand.name),
    }
    out.end_object().end_object();
}

fn reference(hand: &Given<'_>, own: &str) -> String {
    hand.acts.as_ref().map_or_else(|| own.to_owned(), |acts| format!("RelatedPerson/{}", acts.id))
}

/// What a signature is for, in which words, and when.
fn kind_of(out: &mut Writer, code: &str, display: &str, when: &str) {
    out.key("type").array().object().member("system", SIGNATURES).member("code", code);
    out.member("display", display).end_object().end_array().member("when", when);
}

/// Whose it is, by reference and by name.
fn by(out: &mut Writer, who: Option<&str>, name: &str) {
    out.key("who").object();
    if let Some(who) = who {
        out.member("reference", who);
    }
    out.member("display", name).end_object();
}

fn data(out: &mut Writer, format: &str, data: &str) {
    out.member("targetFormat", WRITTEN).member("sigFormat", format);
    out.member("data", &STANDARD.encode(data));
}

fn codings(out: &mut Writer, all: &[(&str, &str)]) {
    out.key("coding").array();
    for (system, code) in all {
        out.object().member("system", system).member("code", code).end_object();
    }
    out.end_array();
}
