//! The bodies of the bench's records: small, valid R4 (<https://hl7.org/fhir/R4/resourcelist.html>),
//! with a value of every kind a search can ask for. Nobody in them ever lived.

use serde_json::{Value, json};

/// The bench's own system of identifiers, tags and profiles.
pub const SYSTEM: &str = "urn:leak:bench";

/// The values of one state of a record.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Look {
    /// The last letter of its identifier.
    pub letter: char,
    /// A LOINC code, used wherever a code is wanted.
    pub code: &'static str,
    /// A word, in texts, names, tags and profiles.
    pub word: &'static str,
    /// A measured value.
    pub number: f64,
    /// When it was.
    pub date: &'static str,
    /// A family name.
    pub family: &'static str,
    /// A birth date.
    pub birth: &'static str,
    /// A gender.
    pub gender: &'static str,
    /// A place.
    pub city: &'static str,
    /// Whether what may be missing is there.
    pub full: bool,
}

/// What hidden records say in the first world.
pub const BEFORE: Look = Look {
    letter: 'x',
    code: "4548-4",
    word: "amaranth",
    number: 4.1,
    date: "2020-03-01",
    family: "Amberley",
    birth: "1950-02-03",
    gender: "female",
    city: "Ashford",
    full: false,
};

/// What they say in the second.
pub const AFTER: Look = Look {
    letter: 'y',
    code: "2345-7",
    word: "zinnia",
    number: 9.7,
    date: "2023-08-15",
    family: "Zimmerly",
    birth: "1991-11-30",
    gender: "male",
    city: "Zellwood",
    full: true,
};

/// What visible records say, always.
pub const STILL: Look = Look {
    letter: 's',
    code: "718-7",
    word: "marigold",
    number: 6.5,
    date: "2022-01-01",
    family: "Marlowe",
    birth: "1970-06-07",
    gender: "female",
    city: "Melton",
    full: true,
};

/// Where a record stands: whose it is and what it points at.
#[derive(Debug, Clone)]
pub struct Place {
    /// The run's prefix, which is also its tag.
    pub prefix: String,
    /// The id.
    pub id: String,
    /// The patient's id.
    pub patient: String,
    /// `""` for the persona's own site, `2` for another.
    pub site: &'static str,
    /// An Observation it may point at.
    pub observation: String,
    /// A Condition it may point at.
    pub condition: String,
    /// An Encounter it belongs to, where its type has one.
    pub encounter: String,
    /// A Binary it may point at.
    pub binary: String,
    /// Sensitivity labels.
    pub labels: Vec<&'static str>,
}

/// The system of a label.
fn label_system(label: &str) -> &'static str {
    match label {
        "R" | "V" | "N" => "http://terminology.hl7.org/CodeSystem/v3-Confidentiality",
        _ => "http://terminology.hl7.org/CodeSystem/v3-ActCode",
    }
}

/// A reference.
pub fn to(kind: &str, id: &str) -> Value {
    json!({ "reference": format!("{kind}/{id}") })
}

fn concept(system: &str, code: &str, text: &str) -> Value {
    json!({ "coding": [{ "system": system, "code": code, "display": text }], "text": text })
}

/// One of the directory: a practitioner, an organization or a location.
pub fn directory(kind: &str, prefix: &str, id: &str) -> Value {
    let mut body = json!({
        "resourceType": kind,
        "id": id,
        "meta": { "tag": [{ "system": SYSTEM, "code": prefix }] },
        "identifier": [{ "system": SYSTEM, "value": id }],
    });
    let name = match kind {
        "Practitioner" => json!([{ "family": "Thistlewood", "given": ["Ines"] }]),
        _ => json!("Thistledown"),
    };
    set(&mut body, "name", name);
    body
}

/// A record of a type, at a place, in a state.
pub fn body(kind: &str, place: &Place, look: &Look) -> Value {
    let security: Vec<Value> = place
        .labels
        .iter()
        .map(|label| json!({ "system": label_system(label), "code": label }))
        .collect();
    let mut meta = json!({
        "tag": [
            { "system": SYSTEM, "code": place.prefix },
            { "system": SYSTEM, "code": look.word },
        ],
        "profile": [format!("http://leak.example/{}", look.word)],
        "source": format!("{SYSTEM}:{}", look.word),
    });
    if !security.is_empty() {
        set(&mut meta, "security", Value::Array(security));
    }
    let mut body = json!({ "resourceType": kind, "id": place.id, "meta": meta });
    if kind != "Binary" {
        let div = format!("<div xmlns=\"http://www.w3.org/1999/xhtml\">a {} note</div>", look.word);
        set(&mut body, "text", json!({ "status": "generated", "div": div }));
        let identifier = json!({
            "type": { "coding": [{
                "system": "http://terminology.hl7.org/CodeSystem/v2-0203", "code": "MR",
            }]},
            "system": SYSTEM,
            "value": format!("{}-{}", place.id, look.letter),
        });
        let single = matches!(kind, "Composition" | "Bundle");
        if kind != "Provenance" {
            let value = if single { identifier } else { json!([identifier]) };
            set(&mut body, "identifier", value);
        }
    }
    if let Some(members) = members(kind, place, look).as_object() {
        for (name, value) in members {
            set(&mut body, name, value.clone());
        }
    }
    body
}

/// The members of a type beyond those all have.
fn members(kind: &str, place: &Place, look: &Look) -> Value {
    let patient = to("Patient", &place.patient);
    let encounter = to("Encounter", &place.encounter);
    let dr = to("Practitioner", &format!("{}-dr", place.prefix));
    let org = to("Organization", &format!("{}-org{}", place.prefix, place.site));
    let location = to("Location", &format!("{}-loc{}", place.prefix, place.site));
    let observation = to("Observation", &place.observation);
    let condition = to("Condition", &place.condition);
    let code = concept("http://loinc.org", look.code, look.word);
    let at = format!("{}T10:00:00Z", look.date);
    let mut out = match kind {
        "Patient" => json!({
            "name": [{ "family": look.family, "given": [look.word] }],
            "birthDate": look.birth, "gender": look.gender, "active": true,
            "address": [{ "city": look.city, "state": "CA" }],
            "telecom": [{ "system": "phone", "value": format!("555-{}", look.number) }],
            "managingOrganization": org, "generalPractitioner": [dr],
        }),
        "Encounter" => json!({
            "status": if look.full { "finished" } else { "planned" },
            "class": { "system": "http://terminology.hl7.org/CodeSystem/v3-ActCode", "code": "AMB" },
            "type": [code], "subject": patient, "participant": [{ "individual": dr }],
            "period": { "start": at, "end": at }, "reasonReference": [condition],
            "diagnosis": [{ "condition": condition }], "location": [{ "location": location }],
            "serviceProvider": org,
        }),
        "Condition" => json!({
            "clinicalStatus": concept(
                "http://terminology.hl7.org/CodeSystem/condition-clinical",
                if look.full { "resolved" } else { "active" }, look.word),
            "code": code, "subject": patient, "encounter": encounter,
            "onsetDateTime": look.date, "recordedDate": look.date, "asserter": dr,
        }),
        "Observation" => json!({
            "status": "final", "code": code, "subject": patient, "encounter": encounter,
            "effectiveDateTime": at, "performer": [dr],
            "category": [concept(
                "http://terminology.hl7.org/CodeSystem/observation-category", "laboratory", "lab")],
            "valueQuantity": { "value": look.number, "unit": "mmol/L",
                "system": "http://unitsofmeasure.org", "code": "mmol/L" },
            "note": [{ "text": look.word }],
            "component": [{ "code": code, "valueQuantity": { "value": look.number,
                "unit": "mmol/L", "system": "http://unitsofmeasure.org", "code": "mmol/L" } }],
        }),
        "DiagnosticReport" => json!({
            "status": "final", "code": code, "subject": patient, "encounter": encounter,
            "effectiveDateTime": at, "issued": at, "performer": [dr], "result": [observation],
            "conclusion": look.word,
        }),
        "MedicationRequest" => json!({
            "status": if look.full { "completed" } else { "active" }, "intent": "order",
            "medicationCodeableConcept": code, "subject": patient, "encounter": encounter,
            "authoredOn": look.date, "requester": dr,
        }),
        "AllergyIntolerance" => json!({
            "clinicalStatus": concept(
                "http://terminology.hl7.org/CodeSystem/allergyintolerance-clinical",
                if look.full { "inactive" } else { "active" }, look.word),
            "code": code, "patient": patient, "recordedDate": look.date, "recorder": dr,
        }),
        "Procedure" => json!({
            "status": "completed", "code": code, "subject": patient, "encounter": encounter,
            "performedDateTime": look.date, "performer": [{ "actor": dr }],
        }),
        "DocumentReference" => json!({
            "status": "current", "type": code, "subject": patient, "date": at, "author": [dr],
            "description": look.word,
            "content": [{ "attachment": {
                "contentType": "text/plain", "url": format!("Binary/{}", place.binary) } }],
            "context": { "encounter": [encounter], "related": [observation] },
        }),
        "Binary" => json!({
            "contentType": "text/plain",
            "securityContext": patient,
            "data": if look.full { "emlubmlhIG5vdGU=" } else { "YW1hcmFudGggbm90ZQ==" },
        }),
        "Coverage" => json!({
            "status": "active", "beneficiary": patient, "payor": [org],
            "subscriberId": look.word, "period": { "start": look.date },
        }),
        "Appointment" => json!({
            "status": if look.full { "fulfilled" } else { "booked" },
            "start": at, "end": format!("{}T10:30:00Z", look.date), "description": look.word,
            "reasonReference": [condition],
            // All records of a look are of one time, and a server may keep people from being booked
            // twice: who declined is not.
            "participant": [
                { "actor": patient, "status": "declined" },
                { "actor": dr, "status": "declined" },
                { "actor": location, "status": "accepted" },
            ],
        }),
        "List" => json!({
            "status": "current", "mode": "working", "title": look.word, "subject": patient,
            "code": code, "date": at, "entry": [{ "item": observation }, { "item": condition }],
        }),
        "Composition" => json!({
            "status": "final", "type": code, "subject": patient, "date": at, "author": [dr],
            "title": look.word, "section": [{ "title": look.word, "entry": [observation] }],
        }),
        "Consent" => json!({
            "status": "active", "patient": patient, "dateTime": look.date,
            "scope": concept(
                "http://terminology.hl7.org/CodeSystem/consentscope", "research", look.word),
            "category": [concept("http://loinc.org", "59284-0", "consent")],
            "policy": [{ "uri": "http://leak.example/policy" }],
            "provision": { "data": [{ "meaning": "related", "reference": observation }] },
        }),
        "Communication" => json!({
            "status": "completed", "subject": patient, "encounter": encounter, "sent": at,
            "sender": dr, "payload": [{ "contentString": look.word }],
        }),
        "RelatedPerson" => json!({
            "patient": patient, "active": true, "gender": look.gender, "birthDate": look.birth,
            "name": [{ "family": look.family, "given": [look.word] }],
        }),
        "Account" => json!({
            "status": "active", "name": look.word, "subject": [patient], "owner": org,
            "servicePeriod": { "start": look.date },
        }),
        "Claim" => json!({
            "status": "active", "use": "claim", "patient": patient, "created": look.date,
            "type": concept("http://terminology.hl7.org/CodeSystem/claim-type", "professional", look.word),
            "provider": dr, "priority": { "coding": [{ "code": "normal" }] },
            "insurance": [{ "sequence": 1, "focal": true,
                "coverage": { "display": look.word } }],
            "item": [{ "sequence": 1, "encounter": [encounter], "productOrService": code }],
        }),
        "Provenance" => json!({
            "recorded": at, "target": [observation], "agent": [{ "who": dr }],
        }),
        _ => json!({}),
    };
    if look.full && kind == "Condition" {
        set(&mut out, "abatementDateTime", json!("2024-01-01"));
    }
    out
}

/// Sets a member of an object.
pub fn set(of: &mut Value, name: &str, value: Value) {
    if let Some(members) = of.as_object_mut() {
        members.insert(name.to_owned(), value);
    }
}
