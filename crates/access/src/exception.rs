//! Why a refusal is no information blocking: each code by which somebody may be kept from health
//! information, and the exception of 45 CFR part 171 under which it stands, if one is needed. A lawyer
//! reviews the table before a site relies on it.

/// An exception of 45 CFR part 171, subparts B and C.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exception {
    /// A law or the patient has it so: 171.202.
    Privacy,
    /// It keeps the information safe: 171.203.
    Security,
    /// The system must stay up for others: 171.205.
    Performance,
    /// It can be had, in another manner: 171.301.
    Manner,
    /// None: there is nothing to be had, or the request is not one.
    None,
}

impl Exception {
    /// The paragraph.
    pub const fn paragraph(self) -> &'static str {
        match self {
            Self::Privacy => "45 CFR 171.202",
            Self::Security => "45 CFR 171.203",
            Self::Performance => "45 CFR 171.205",
            Self::Manner => "45 CFR 171.301",
            Self::None => "none",
        }
    }
}

/// Every code that keeps somebody from a record. What is hidden answers with the code of what is not
/// there, so that code stands under the exception of the stricter of the two.
const TABLE: &[(&str, Exception)] = &[
    ("access.denied", Exception::Privacy),
    ("privacy.elements.hidden", Exception::Privacy),
    ("record.read.not-found", Exception::Privacy),
    ("record.read.version-not-found", Exception::Privacy),
    ("access.break-glass.too-often", Exception::Security),
    ("egress.target.denied", Exception::Security),
    ("identity.claim.invalid", Exception::Security),
    ("identity.federated.invalid", Exception::Security),
    ("identity.federated.refused", Exception::Security),
    ("identity.password.must-change", Exception::Security),
    ("identity.principal.disabled", Exception::Security),
    ("identity.session.expired", Exception::Security),
    ("identity.sign-in.back-off", Exception::Security),
    ("identity.sign-in.needed", Exception::Security),
    ("identity.sign-in.refused", Exception::Security),
    ("access.case.own", Exception::Security),
    ("charting.note.signer", Exception::Security),
    ("record.operation.agent", Exception::Security),
    ("scheduling.appointment.overbooking-denied", Exception::Security),
    ("identity.factor.missing", Exception::Security),
    ("identity.step-up.needed", Exception::Security),
    ("identity.token.invalid", Exception::Security),
    ("audit.unavailable", Exception::Performance),
    ("courier.service.unavailable", Exception::Performance),
    ("identity.federated.unavailable", Exception::Performance),
    ("keys.kms.sealed", Exception::Performance),
    ("keys.kms.unreachable", Exception::Performance),
    ("keys.unavailable", Exception::Performance),
    ("search.query.too-costly", Exception::Performance),
    ("server.busy", Exception::Performance),
    ("server.cost.exceeded", Exception::Performance),
    ("server.rate.exceeded", Exception::Performance),
    ("server.shutting-down", Exception::Performance),
    ("server.streams.too-many", Exception::Performance),
    ("server.timeout", Exception::Performance),
    ("store.unavailable", Exception::Performance),
    ("record.write.create-by-update-off", Exception::Manner),
    ("server.content.not-acceptable", Exception::Manner),
    ("server.interaction.not-supported", Exception::Manner),
    ("fhir.resource.unknown-type", Exception::None),
    ("access.case.not-found", Exception::None),
    ("identity.principal.not-found", Exception::None),
    ("keys.patient.shredded", Exception::None),
    ("record.link.over", Exception::None),
    ("record.read.gone", Exception::None),
    ("server.route.unknown", Exception::None),
];

/// The exception under which a code stands; `None` for one that refuses a request for what is wrong
/// with the request itself, or for a fault of the server's own.
pub fn exception(code: &str) -> Option<Exception> {
    TABLE.iter().find(|(name, _)| *name == code).map(|(_, exception)| *exception)
}

#[cfg(test)]
mod tests {
    use super::*;
    use base::error::CODES;

    /// The statuses by which somebody is kept from what is there, or told that nothing is.
    const KEPT_FROM: [u16; 8] = [401, 403, 404, 405, 406, 410, 429, 503];

    #[test]
    fn every_refusal_has_its_exception_and_every_row_a_code() {
        for code in CODES.iter().filter(|code| KEPT_FROM.contains(&code.status)) {
            assert!(exception(code.name).is_some(), "{} has no row", code.name);
        }
        for (at, (name, exception)) in TABLE.iter().enumerate() {
            assert!(CODES.iter().any(|code| code.name == *name), "{name} is no code");
            assert!(TABLE.iter().skip(at + 1).all(|(other, _)| other != name), "{name} twice");
            assert!(!exception.paragraph().is_empty());
        }
    }
}
