//! Reads one Consent. Strictly for what permits, widely for what denies: see [`super`].

use super::parts::{Scope, actors, classes, has_rule, odd, purposes, records, scope, span, uses};
use super::{Provision, Warning};
use access::{ACT_CODE, Labels, Purpose};
use fhir::Value;
use fhir::definitions::TypeId;
use fhir::reference::{Reference, parse};
use std::collections::BTreeSet;

/// Provisions within provisions, at most.
const DEPTH_MAX: usize = 8;
/// Provisions of one Consent, at most.
const PROVISIONS_MAX: usize = 500;

/// One Consent, compiled.
#[derive(Debug, Clone, Default)]
pub(crate) struct Read {
    /// Nobody when it says nothing that counts.
    pub(crate) patient: Option<String>,
    pub(crate) provisions: Vec<Provision>,
    /// A restriction of what the patient paid for in full.
    pub(crate) self_pay: bool,
    pub(crate) warnings: Vec<Warning>,
}

pub(super) fn read(id: &str, consent: Value<'_>) -> Read {
    let mut reader = Reader { id, read: Read::default(), left: PROVISIONS_MAX, sure: true };
    reader.consent(consent);
    reader.read
}

struct Reader<'r> {
    id: &'r str,
    read: Read,
    left: usize,
    /// All that stands around the provisions was understood, so that permits may count.
    sure: bool,
}

/// What a provision takes over from the one around it.
#[derive(Clone)]
struct Around {
    low: i64,
    high: i64,
    actors: Vec<Vec<String>>,
    purposes: Option<Vec<Purpose>>,
    types: Option<BTreeSet<TypeId>>,
    part2: bool,
    /// A restriction of self-paid care: handed to no payer.
    self_pay: bool,
    /// Inside of an exception to a deny.
    exception: bool,
}

impl Reader<'_> {
    fn warn(&mut self, place: &str, what: &'static str) {
        let (consent, place) = (self.id.to_owned(), place.to_owned());
        self.read.warnings.push(Warning { consent, place, what });
    }

    /// As [`Reader::warn`], and no permit of this Consent counts.
    fn doubt(&mut self, place: &str, what: &'static str) {
        self.sure = false;
        self.warn(place, what);
    }

    fn consent(&mut self, consent: Value<'_>) {
        match consent.get_str("status").as_deref() {
            Some("active") => {}
            Some("draft" | "proposed" | "rejected" | "inactive" | "entered-in-error") => return,
            _ => self.doubt("Consent.status", "is no status of FHIR R4: no permit counts"),
        }
        let scope = scope(consent);
        if scope == Scope::Other {
            return;
        }
        if scope == Scope::Unknown {
            self.doubt("Consent.scope", "is not known: no permit counts");
        }
        self.patient(consent);
        if odd(consent) {
            self.doubt("Consent", "has a modifier that is not understood: no permit counts");
        }
        if consent.get("verification").is_some_and(|all| {
            all.each().any(|one| one.get("verified").and_then(Value::as_bool) != Some(true))
        }) {
            self.doubt("Consent.verification", "was not verified: no permit counts");
        }
        let around = Around {
            low: i64::MIN,
            high: i64::MAX,
            actors: Vec::new(),
            purposes: (scope == Scope::Research).then(|| vec![Purpose::Research]),
            types: None,
            part2: has_rule(consent, ACT_CODE, "42CFRPart2"),
            self_pay: has_rule(
                consent,
                "http://terminology.hl7.org/CodeSystem/consentpolicycodes",
                "hipaa-self-pay",
            ) || has_rule(consent, ACT_CODE, "HIPAASelfPay"),
            exception: false,
        };
        let signed =
            consent.get("dateTime").map(|v| v.as_str().and_then(|t| fhir::date::parse(&t)));
        let mut from = i64::MIN;
        match signed {
            None => {}
            Some(Some(signed)) => from = signed.low,
            Some(None) => self.doubt("Consent.dateTime", "is no date: no permit counts"),
        }
        self.read.self_pay = around.self_pay;
        let ruled = |codes: &[&str]| codes.iter().any(|code| has_rule(consent, ACT_CODE, code));
        let opted_out = ruled(&["OPTOUT", "OPTOUTE", "NOCONSENT"]);
        let opted_in = ruled(&["OPTIN", "OPTINR"]);
        let Some(root) = consent.get("provision") else {
            if opted_out {
                self.read.provisions.push(whole(&around, true));
            } else if !is_acknowledgement(consent) {
                self.warn("Consent.provision", "is missing: it permits and denies nothing");
            }
            return;
        };
        let place = "Consent.provision";
        let mut found = match root.get_str("type").as_deref() {
            Some("permit") => self.provision(root, false, place, &around, 0),
            Some("deny") => self.provision(root, true, place, &around, 0),
            _ if opted_out => self.provision(root, true, place, &around, 0),
            _ if opted_in => self.provision(root, false, place, &around, 0),
            // R4 has no type at the root: what is within counts, under the root's conditions.
            _ => {
                let found = self.provision(root, false, place, &around, 0);
                let within = |p: Provision| if p.deny { vec![p] } else { p.inner };
                found.into_iter().flat_map(within).collect()
            }
        };
        if !self.sure {
            found = found.into_iter().flat_map(denies_only).collect();
        }
        // A permit counts from when it was signed; a deny at once.
        found.iter_mut().for_each(|provision| begin(provision, from));
        self.read.provisions = found;
    }

    fn patient(&mut self, consent: Value<'_>) {
        let place = "Consent.patient";
        let reference = consent.get("patient").and_then(|p| p.get_str("reference"));
        match reference.as_deref().and_then(parse) {
            Some(Reference::Relative(target)) if target.resource_type == "Patient" => {
                self.read.patient = Some(target.id.to_owned());
            }
            Some(Reference::Absolute { target, .. }) if target.resource_type == "Patient" => {
                self.read.patient = Some(target.id.to_owned());
                let what =
                    "is an address: it may be this patient, so denials count, permits do not";
                self.doubt(place, what);
            }
            _ => self.doubt(place, "names no patient of this record: it cannot be followed at all"),
        }
    }

    /// A provision with what is in it; of a permit that is not understood, what it denies inside.
    fn provision(
        &mut self,
        value: Value<'_>,
        deny: bool,
        place: &str,
        around: &Around,
        depth: usize,
    ) -> Vec<Provision> {
        self.left = self.left.saturating_sub(1);
        if depth > DEPTH_MAX || self.left == 0 {
            self.doubt(
                place,
                "is nested too deep, or one of too many: if it denies, it denies all",
            );
            let denies = deny || value.get("provision").is_some();
            let around = Around { actors: Vec::new(), purposes: None, ..around.clone() };
            return denies.then(|| whole(&around, true)).into_iter().collect();
        }
        let mut own = whole(around, deny);
        let mut sure = true;
        let mut note = |reader: &mut Self, element: &str, what: &'static str| {
            reader.warn(&format!("{place}{element}"), what);
            sure = false;
        };
        if odd(value) {
            note(self, "", "has a modifier that is not understood");
        }
        if let Some(period) = value.get("period") {
            match span(period) {
                Some(span) if deny => (own.low, own.high) = span,
                Some((low, high)) => (own.low, own.high) = (own.low.max(low), own.high.min(high)),
                None => note(self, ".period", "is no period"),
            }
        }
        match actors(value) {
            Ok(None) => {}
            Ok(Some(actors)) if deny => own.actors = vec![actors],
            Ok(Some(actors)) => own.actors.push(actors),
            Err(what) => {
                own.actors = Vec::new();
                note(self, ".actor", what);
            }
        }
        match purposes(value) {
            Ok(None) => {}
            Ok(Some(purposes)) if deny => own.purposes = Some(purposes),
            Ok(Some(purposes)) => own.purposes = Some(narrowed(&own, purposes)),
            Err(_) if deny => {
                own.purposes = None;
                note(self, ".purpose", "has a code that is not known: it denies for any");
            }
            Err(some) => {
                own.purposes = Some(narrowed(&own, some));
                self.warn(&format!("{place}.purpose"), "has a code that is not known");
            }
        }
        match uses(value) {
            Ok(None) => {}
            Ok(Some((viewing, releasing))) => {
                // What denies handing out to a payer is no wider for naming it.
                (own.viewing, own.releasing) = (viewing && own.viewing, releasing);
            }
            Err(()) => note(self, ".action", "has a code that is not known"),
        }
        match classes(value) {
            Ok(types) => {
                own.types = match (types, &around.types) {
                    (Some(own), Some(around)) if !deny => {
                        Some(own.intersection(around).copied().collect())
                    }
                    (None, around) if !deny => around.clone(),
                    (own, _) => own,
                }
            }
            Err(()) => note(self, ".class", "names more than resource types"),
        }
        if value.get("code").is_some() {
            note(self, ".code", "cannot be followed record by record");
        }
        if value.get("dataPeriod").is_some() {
            note(self, ".dataPeriod", "cannot be followed record by record");
        }
        match records(value) {
            Ok(records) => {
                if !deny && !records.is_empty() {
                    note(self, ".data", "cannot be permitted record by record");
                }
                own.records = records;
            }
            Err(()) => note(self, ".data", "names more than single records"),
        }
        self.labels(value, place, around, &mut own);
        if around.self_pay && deny && own.purposes.is_none() {
            own.purposes = Some(vec![Purpose::Payment]);
        }
        let inside = Around {
            low: own.low,
            high: own.high,
            actors: own.actors.clone(),
            purposes: own.purposes.clone(),
            types: own.types.clone(),
            exception: around.exception || deny,
            ..*around
        };
        for inner in value.get("provision").into_iter().flat_map(Value::each) {
            let place = format!("{place}.provision");
            let denies = match inner.get_str("type").as_deref() {
                Some("permit") => false,
                Some("deny") => true,
                _ => {
                    self.warn(&place, "has no type: it is taken to deny");
                    true
                }
            };
            let found = self.provision(inner, denies, &place, &inside, depth + 1);
            own.inner.extend(found);
        }
        if sure || deny { vec![own] } else { denies_only(own) }
    }

    fn labels(&mut self, value: Value<'_>, place: &str, around: &Around, own: &mut Provision) {
        let mut labels = Labels::NONE;
        for coding in value.get("securityLabel").into_iter().flat_map(Value::each) {
            let system = coding.get_str("system").unwrap_or_default();
            let code = coding.get_str("code").unwrap_or_default();
            labels = labels | Labels::coded(&system, &code);
        }
        if own.deny {
            own.labels = wide(labels);
            return;
        }
        if labels.meets(Labels::OTHER) {
            self.warn(
                &format!("{place}.securityLabel"),
                "has a label that is not known: not granted",
            );
            labels = labels & !Labels::OTHER;
        }
        if labels.is_empty() && around.part2 {
            labels = Labels::PART2;
        }
        if around.exception || labels.is_empty() {
            if around.exception && !labels.is_empty() {
                let what = "cannot be excepted from a deny by label: the deny stands";
                self.warn(&format!("{place}.securityLabel"), what);
            }
            own.labels = labels;
            return;
        }
        let stated = Labels::known(["42CFRPart2", "SUD-NOTES", "PSYTHPN"]);
        match &own.purposes {
            None if labels.meets(stated) => {
                let what =
                    "is missing, and the law demands one (42 CFR 2.31(a), 45 CFR 164.508(c))";
                self.warn(&format!("{place}.purpose"), what);
                labels = labels & !stated;
            }
            Some(purposes)
                if purposes.iter().any(|p| *p != Purpose::Legal)
                    && purposes.contains(&Purpose::Legal) =>
            {
                let what = "joins legal proceedings with others (42 CFR 2.31(d)): not for those";
                self.warn(&format!("{place}.purpose"), what);
                own.purposes =
                    Some(purposes.iter().copied().filter(|p| *p != Purpose::Legal).collect());
            }
            None | Some(_) => {}
        }
        let notes = Labels::known(["SUD-NOTES"]);
        if labels.meets(notes) && labels != notes {
            let what = "joins counselling notes with others (42 CFR 2.31(b)): they are not granted";
            self.warn(&format!("{place}.securityLabel"), what);
            labels = labels & !notes;
        }
        if own.purposes.is_none() {
            let all =
                [Purpose::Treatment, Purpose::Emergency, Purpose::Payment, Purpose::Operations];
            own.purposes = Some(all.to_vec());
        }
        own.labels = labels;
    }
}

/// It says that the notice of privacy practices was received (45 CFR 164.520(c)(2)(ii)), which permits and
/// denies nothing, and is meant so.
fn is_acknowledgement(consent: Value<'_>) -> bool {
    has_rule(consent, "http://terminology.hl7.org/CodeSystem/consentcategorycodes", "npp")
}

/// What a deny of these labels may mean beside them.
fn wide(labels: Labels) -> Labels {
    const WITH: [(&str, &[&str]); 9] = [
        ("SPI", &["BH", "MH", "PSY", "SUD"]),
        ("BH", &["COGN", "DVD", "EMOTDIS", "MH", "PSY", "SUD"]),
        ("MH", &["PSY", "PSYTHPN"]),
        ("PSY", &["PSYTHPN"]),
        ("ETH", &["SUD"]),
        ("SUD", &["ETH", "ETHUD", "OPIOIDUD", "42CFRPart2", "SUD-NOTES"]),
        ("SEX", &["CA-AB352", "PREGNANT", "STD"]),
        ("VIO", &["SDV", "MST"]),
        ("R", &["V"]),
    ];
    let mut all = labels;
    loop {
        let before = all;
        for (name, with) in WITH {
            if Labels::named(name).is_some_and(|label| all.meets(label)) {
                all = all | Labels::known(with.iter().copied());
            }
        }
        if all == before {
            return all;
        }
    }
}

fn begin(provision: &mut Provision, from: i64) {
    if !provision.deny {
        provision.low = provision.low.max(from);
    }
    provision.inner.iter_mut().for_each(|inner| begin(inner, from));
}

/// What is left of a provision when no permit in it counts, and none lifts a deny.
fn denies_only(mut provision: Provision) -> Vec<Provision> {
    let inner = std::mem::take(&mut provision.inner).into_iter().flat_map(denies_only).collect();
    if !provision.deny {
        return inner;
    }
    provision.inner = inner;
    vec![provision]
}

/// Everything of the patient, under the conditions around.
fn whole(around: &Around, deny: bool) -> Provision {
    Provision {
        deny,
        low: around.low,
        high: around.high,
        actors: around.actors.clone(),
        purposes: around.purposes.clone(),
        viewing: !around.self_pay,
        releasing: true,
        labels: Labels::NONE,
        types: None,
        records: BTreeSet::new(),
        inner: Vec::new(),
    }
}

/// The purposes of a permit, of those around it. Treatment goes on in an emergency.
fn narrowed(own: &Provision, mut purposes: Vec<Purpose>) -> Vec<Purpose> {
    if purposes.contains(&Purpose::Treatment) {
        purposes.push(Purpose::Emergency);
    }
    purposes.retain(|p| own.purposes.as_ref().is_none_or(|around| around.contains(p)));
    purposes
}
