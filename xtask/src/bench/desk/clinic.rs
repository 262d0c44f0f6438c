//! The clinic that the desk is measured on: the demo clinic, whose people sign in, and beside it as many
//! patients as are asked for, one of them with a thousand encounters, and two sites with fifty people and
//! rooms that are booked for sixty days. Everything follows from a number, so that a store which is kept
//! between calls can be asked for what is in it.

use super::super::{Bench, data, machine};
use super::calendar::{date, instant, working_day};
use anyhow::Context;
use conformance::random::Random;
use serde_json::{Value, json};
use std::fs::{self, File};
use std::io::{BufRead, BufReader, BufWriter, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// Generated patients whose names the others have, as often as they occur there.
const NAMED: &str = "1000";
/// Who works at the one site and at the other, and the rooms there: fifty in all.
pub(super) const PROVIDERS: (u64, u64) = (20, 10);
const ROOMS: (u64, u64) = (12, 8);
/// Days for which the sites are booked.
pub(super) const DAYS: i64 = 60;
/// The first days of the second site, on which nothing is free.
const FULL_DAYS: i64 = 58;
pub(super) const SITES: [&str; 2] = ["desk-a", "desk-b"];
/// A visit of half an hour with a clinician and a room, and a call of ten minutes.
pub(super) const VISIT: &str = "desk-visit";
const CALL: &str = "desk-call";
const CALL_MINUTES: u64 = 10;
/// From eight to five.
const OPENS: u64 = 8 * 60;
const CALLS_A_DAY: u64 = 9 * 60 / CALL_MINUTES;
/// The patient with the long chart.
pub(super) const LONG: &str = "desk-long";
const ENCOUNTERS: u64 = 1000;
const OURS: &str = "https://plummer.health/fhir/StructureDefinition";

/// The clinic.
#[derive(Debug)]
pub(super) struct Clinic {
    pub(super) data: PathBuf,
    pub(super) patients: u64,
    /// The day it was made on, in days since 1970.
    pub(super) day: i64,
    mark: PathBuf,
    /// Times of the open end of the calendar that were given away.
    booked: u64,
    names: Vec<(String, String)>,
}

/// One of the patients.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Person {
    pub(super) family: String,
    pub(super) given: String,
    /// Year, month, day.
    pub(super) born: (u64, u64, u64),
    pub(super) phone: u64,
}

/// A time of one provider, beyond the days that are booked.
#[derive(Debug, Clone)]
pub(super) struct Place {
    pub(super) number: u64,
    day: i64,
    patients: u64,
}

/// Of the demo clinic: who is signed in as the clinician, and where they work.
struct House {
    clinic: Value,
    organization: Value,
    clinician: Value,
}

impl Clinic {
    /// The clinic of so many patients, made if it is not there.
    pub(super) fn made(bench: &Bench) -> anyhow::Result<Self> {
        let patients = bench.patients;
        let folder = generated(bench)?;
        let names = names(&folder)?;
        let mark = bench.work.join(format!("desk-{patients}.json"));
        let data = bench.work.join(format!("desk-{patients}"));
        if let Ok(text) = fs::read_to_string(&mark) {
            let told: Value = serde_json::from_str(&text).context("the mark of the store")?;
            let day = told.get("day").and_then(Value::as_i64).context("the store has no day")?;
            let booked = told.get("booked").and_then(Value::as_u64).unwrap_or(0);
            return Ok(Self { data, patients, day, mark, booked, names });
        }
        if data.is_dir() {
            fs::remove_dir_all(&data)?;
        }
        let day = machine::day()?;
        let clinic = Self { data, patients, day, mark, booked: 0, names };
        super::serve(bench, &clinic.data)?.stop()?;
        let source = bench.work.join(format!("desk-{patients}.ndjson"));
        let mut out = BufWriter::with_capacity(1 << 20, File::create(&source)?);
        clinic.write(&house(&folder)?, &mut out)?;
        out.flush()?;
        drop(out);
        let count = data::lines(&source)?;
        let took = data::import(&bench.binary, &source, &clinic.data, &[])?;
        println!("stored {count} resources in {:.0} s", took.as_secs_f64());
        fs::remove_file(source)?;
        clinic.keep()?;
        Ok(clinic)
    }

    /// Remembers what was booked, for the next call.
    pub(super) fn keep(&self) -> anyhow::Result<()> {
        let told = json!({ "day": self.day, "booked": self.booked });
        Ok(fs::write(&self.mark, told.to_string())?)
    }

    /// A time that nobody has been given yet.
    pub(super) fn next_place(&mut self) -> Place {
        self.booked += 1;
        Place::new(self.booked - 1, self.day, self.patients)
    }

    /// Who has this number.
    pub(super) fn person(&self, number: u64) -> Person {
        let mut random = Random::new(number.wrapping_mul(0x9e37_79b9).wrapping_add(1));
        let mut name = || random.pick(&self.names).cloned().unwrap_or_default();
        let (family, given) = (name().0, name().1);
        let born = (1930 + random.below(95), 1 + random.below(12), 1 + random.below(28));
        Person { family, given, born, phone: random.below(10_000_000_000) }
    }

    /// Somebody of them.
    pub(super) fn anybody(&self, random: &mut Random) -> Person {
        self.person(random.below(self.patients))
    }

    /// A day of the booked ones, as text.
    pub(super) fn date(&self, nth: i64) -> String {
        date(self.day + nth)
    }

    fn write(&self, house: &House, out: &mut impl Write) -> anyhow::Result<()> {
        let mut put = |resource: Value| writeln!(out, "{resource}");
        for (site, name) in SITES.iter().zip(0_u64..) {
            put(place(site, &format!("Desk {}", name + 1), house, None))?;
            let rooms = if name == 0 { ROOMS.0 } else { ROOMS.1 };
            for room in 0..rooms {
                let id = format!("{site}-room{room}");
                put(place(&id, &format!("Room {}", room + 1), house, Some(site)))?;
            }
        }
        put(visit_type(VISIT, "Desk visit", 30, &["clinician", "room"]))?;
        put(visit_type(CALL, "Desk call", CALL_MINUTES, &["clinician"]))?;
        for provider in 0..PROVIDERS.0 + PROVIDERS.1 {
            for resource in works(provider, &self.person(self.patients + provider), house) {
                put(resource)?;
            }
        }
        for number in 0..self.patients {
            put(self.patient(number, house))?;
        }
        let long = self.patient(0, house);
        put(lived_long(long, house))?;
        for encounter in 0..ENCOUNTERS {
            for resource in visit(encounter, house) {
                put(resource)?;
            }
        }
        for provider in 0..PROVIDERS.0 + PROVIDERS.1 {
            for nth in 0..DAYS {
                for slot in 0..18 {
                    if is_taken(provider, nth, slot) {
                        put(self.appointment(provider, nth, slot))?;
                    }
                }
            }
        }
        Ok(())
    }

    fn patient(&self, number: u64, house: &House) -> Value {
        let Person { family, given, born: (year, month, day), phone } = self.person(number);
        json!({
            "resourceType": "Patient",
            "id": patient_id(number),
            "identifier": [{
                "use": "usual",
                "type": { "coding": [{ "system": "http://terminology.hl7.org/CodeSystem/v2-0203", "code": "MR" }] },
                "system": "https://plummer.example/id/mrn",
                "value": format!("D{number:08}"),
            }],
            "active": true,
            "name": [{ "use": "official", "family": family, "given": [given] }],
            "telecom": [{ "system": "phone", "value": phone_text(phone), "use": "mobile" }],
            "gender": if number.is_multiple_of(2) { "female" } else { "male" },
            "birthDate": format!("{year}-{month:02}-{day:02}"),
            "address": [{ "use": "home", "city": "Alder Ridge", "state": "MN", "postalCode": "55941", "country": "US" }],
            "communication": [{ "language": { "coding": [{ "system": "urn:ietf:bcp:47", "code": "en" }] }, "preferred": true }],
            "managingOrganization": house.clinic,
        })
    }

    fn appointment(&self, provider: u64, nth: i64, slot: u64) -> Value {
        let random = Random::new(provider * 7919 + slot).below(u64::MAX) ^ nth.unsigned_abs();
        let number = Random::new(random).below(self.patients);
        let minute = OPENS + slot * 30;
        json!({
            "resourceType": "Appointment",
            "id": format!("desk-{provider}-{nth}-{slot}"),
            "extension": [{ "url": format!("{OURS}/visit-type"), "valueReference": { "reference": format!("ActivityDefinition/{VISIT}") } }],
            "status": "booked",
            "description": "Desk visit",
            "start": instant(self.day + nth, minute),
            "end": instant(self.day + nth, minute + 30),
            "participant": [
                { "actor": { "reference": format!("Patient/{}", patient_id(number)) }, "required": "required", "status": "accepted" },
                { "actor": { "reference": practitioner(provider) }, "required": "required", "status": "accepted" },
                { "actor": { "reference": format!("Location/{}", site_of(provider)) }, "required": "information-only", "status": "accepted" },
            ],
        })
    }
}

impl Place {
    pub(super) fn new(number: u64, day: i64, patients: u64) -> Self {
        Self { number, day, patients }
    }

    /// One of the patients, by any number.
    pub(super) fn patient(&self, number: u64) -> String {
        format!("Patient/{}", patient_id(number % self.patients.max(1)))
    }

    /// Who else wants it: far from those who are booked into the places near it, for nobody can be in two.
    pub(super) fn rival(&self, nth: u64) -> u64 {
        self.number + self.patients / 2 + nth
    }

    /// The place as `$find` answers one.
    pub(super) fn proposed(&self) -> Value {
        let provider = self.number % PROVIDERS.0;
        let nth = self.number / PROVIDERS.0;
        let minute = OPENS + nth % CALLS_A_DAY * CALL_MINUTES;
        let day = working_day(self.day + DAYS + 1, nth / CALLS_A_DAY);
        json!({
            "resourceType": "Appointment",
            "extension": [{ "url": format!("{OURS}/visit-type"), "valueReference": { "reference": format!("ActivityDefinition/{CALL}") } }],
            "status": "proposed",
            "start": instant(day, minute),
            "end": instant(day, minute + CALL_MINUTES),
            "participant": [
                {
                    "type": [{ "coding": [{ "system": "https://plummer.health/fhir/CodeSystem/booking-role", "code": "clinician" }] }],
                    "actor": { "reference": practitioner(provider) },
                    "required": "required",
                    "status": "needs-action",
                },
                { "actor": { "reference": format!("Location/{}", SITES[0]) }, "required": "information-only", "status": "accepted" },
            ],
        })
    }
}

/// What `plummer generate` makes of the same seed as the demo clinic: its names, and who works in it.
fn generated(bench: &Bench) -> anyhow::Result<PathBuf> {
    let folder = bench.work.join("desk-names");
    if !folder.is_dir() {
        let part = folder.with_extension("part");
        let done = Command::new(&bench.binary)
            .args(["generate", "--patients", NAMED, "--seed", "1", "--out"])
            .arg(&part)
            .stderr(Stdio::null())
            .status()
            .context("generate did not start")?;
        anyhow::ensure!(done.success(), "generate ended with {done}");
        fs::rename(part, &folder)?;
    }
    Ok(folder)
}

fn names(folder: &Path) -> anyhow::Result<Vec<(String, String)>> {
    let mut all = Vec::new();
    for line in BufReader::new(File::open(folder.join("Patient.ndjson"))?).lines() {
        let patient: Value = serde_json::from_str(&line?)?;
        let text = |path: &str| patient.pointer(path).and_then(Value::as_str).map(str::to_owned);
        all.extend(text("/name/0/family").zip(text("/name/0/given/0")));
    }
    anyhow::ensure!(!all.is_empty(), "generate made nobody");
    Ok(all)
}

fn house(folder: &Path) -> anyhow::Result<House> {
    let first = |name: &str| -> anyhow::Result<Value> {
        let file = BufReader::new(File::open(folder.join(name))?);
        let line = file.lines().next().with_context(|| format!("{name} is empty"))?;
        Ok(serde_json::from_str(&line?)?)
    };
    let (patient, role) = (first("Patient.ndjson")?, first("PractitionerRole.ndjson")?);
    let part = |of: &Value, path: &str| {
        let reference = of.pointer(path).and_then(|part| part.get("reference"));
        reference.map(|text| json!({ "reference": text })).context("a reference of the clinic")
    };
    Ok(House {
        clinic: part(&patient, "/managingOrganization")?,
        organization: part(&role, "/organization")?,
        clinician: part(&role, "/practitioner")?,
    })
}

fn patient_id(number: u64) -> String {
    format!("desk-p{number}")
}

fn practitioner(provider: u64) -> String {
    format!("Practitioner/desk-d{provider}")
}

const fn site_of(provider: u64) -> &'static str {
    if provider < PROVIDERS.0 { SITES[0] } else { SITES[1] }
}

/// Of the first site one half hour in nine is free; of the second nothing is, until the last days.
fn is_taken(provider: u64, nth: i64, slot: u64) -> bool {
    match provider < PROVIDERS.0 {
        true => !(slot * 7 + provider + nth.unsigned_abs()).is_multiple_of(9),
        false => nth < FULL_DAYS,
    }
}

const WEEK: [&str; 7] = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];

fn place(id: &str, name: &str, house: &House, of: Option<&str>) -> Value {
    let kind = if of.is_some() { "ro" } else { "bu" };
    let mut all = json!({
        "resourceType": "Location",
        "id": id,
        "extension": [{ "url": format!("{OURS}/time-zone"), "valueCode": "Etc/UTC" }],
        "status": "active",
        "name": name,
        "mode": "instance",
        "physicalType": { "coding": [{ "system": "http://terminology.hl7.org/CodeSystem/location-physical-type", "code": kind }] },
        "managingOrganization": house.organization,
        "hoursOfOperation": [{ "daysOfWeek": WEEK, "openingTime": "08:00:00", "closingTime": "17:00:00" }],
    });
    if let (Some(of), Some(all)) = (of, all.as_object_mut()) {
        all.insert("partOf".to_owned(), json!({ "reference": format!("Location/{of}") }));
    }
    all
}

fn visit_type(id: &str, title: &str, minutes: u64, needs: &[&str]) -> Value {
    let need = |role: &&str| json!({ "url": format!("{OURS}/needed-resource"), "extension": [{ "url": "role", "valueCode": role }] });
    json!({
        "resourceType": "ActivityDefinition",
        "id": id,
        "extension": needs.iter().map(need).collect::<Vec<_>>(),
        "title": title,
        "status": "active",
        "kind": "Appointment",
        "timingDuration": { "value": minutes, "unit": "min", "system": "http://unitsofmeasure.org", "code": "min" },
    })
}

/// Somebody who works at a site: a person, a role with hours, and a schedule.
fn works(provider: u64, person: &Person, house: &House) -> [Value; 3] {
    let name = format!("Dr. {} {}", person.given, person.family);
    let (actor, site) = (json!({ "reference": practitioner(provider) }), site_of(provider));
    let code = |system: &str, code: &str, display: &str| json!([{ "coding": [{ "system": system, "code": code, "display": display }] }]);
    let role = json!({
        "resourceType": "PractitionerRole",
        "id": format!("desk-r{provider}"),
        "active": true,
        "practitioner": { "reference": practitioner(provider), "display": name },
        "organization": house.organization,
        "code": code("http://terminology.hl7.org/CodeSystem/practitioner-role", "doctor", "Doctor"),
        "specialty": code("http://snomed.info/sct", "419772000", "Family practice"),
        "location": [{ "reference": format!("Location/{site}") }],
        "availableTime": [{ "daysOfWeek": WEEK, "availableStartTime": "08:00:00", "availableEndTime": "17:00:00" }],
    });
    let person = json!({
        "resourceType": "Practitioner",
        "id": format!("desk-d{provider}"),
        "active": true,
        "name": [{ "family": person.family, "given": [person.given], "prefix": ["Dr."] }],
    });
    let schedule = json!({
        "resourceType": "Schedule",
        "id": format!("desk-s{provider}"),
        "active": true,
        "actor": [actor],
    });
    [person, role, schedule]
}

/// Somebody old enough for the long chart, on the panel of whoever opens it.
fn lived_long(mut patient: Value, house: &House) -> Value {
    if let Some(all) = patient.as_object_mut() {
        all.insert("id".to_owned(), LONG.into());
        all.insert("birthDate".to_owned(), "1950-02-03".into());
        all.insert("generalPractitioner".to_owned(), json!([house.clinician]));
        all.remove("identifier");
    }
    patient
}

/// One encounter of the long chart, with nine records of it.
fn visit(n: u64, house: &House) -> Vec<Value> {
    let (year, month, day) = (2010 + n / 336 % 16, n / 28 % 12 + 1, n % 28 + 1);
    let at = format!("{year}-{month:02}-{day:02}T15:00:00Z");
    let (subject, encounter) = (format!("Patient/{LONG}"), format!("desk-e{n}"));
    let of = |kind: &str, nth: u64, rest: Value| {
        let mut all = json!({
            "resourceType": kind,
            "id": if kind == "Encounter" { encounter.clone() } else { format!("desk-e{n}-{nth}") },
            if kind == "Immunization" { "patient" } else { "subject" }: { "reference": subject },
        });
        if let (Some(all), Value::Object(rest)) = (all.as_object_mut(), rest) {
            all.extend(rest);
        }
        all
    };
    let loinc = |code: &str| json!({ "coding": [{ "system": "http://loinc.org", "code": code }] });
    let measured = |nth: u64, group: &str, code: &str, value: u64, unit: &str| {
        of(
            "Observation",
            nth,
            json!({
                "status": "final",
                "category": [{ "coding": [{ "system": "http://terminology.hl7.org/CodeSystem/observation-category", "code": group }] }],
                "code": loinc(code),
                "encounter": { "reference": format!("Encounter/{encounter}") },
                "effectiveDateTime": at,
                "valueQuantity": { "value": value, "unit": unit, "system": "http://unitsofmeasure.org", "code": unit },
            }),
        )
    };
    let current = n.is_multiple_of(100);
    let clinical = if current { "active" } else { "resolved" };
    vec![
        of(
            "Encounter",
            0,
            json!({
                "status": "finished",
                "class": { "system": "http://terminology.hl7.org/CodeSystem/v3-ActCode", "code": "AMB" },
                "participant": [{ "individual": house.clinician }],
                "period": { "start": at, "end": at },
                "serviceProvider": house.organization,
            }),
        ),
        measured(1, "vital-signs", "8867-4", 60 + n % 30, "/min"),
        measured(2, "vital-signs", "8310-5", 37, "Cel"),
        measured(3, "vital-signs", "29463-7", 60 + n % 40, "kg"),
        measured(4, "laboratory", "2823-3", 4, "mmol/L"),
        measured(5, "laboratory", "2951-2", 135 + n % 10, "mmol/L"),
        of(
            "DiagnosticReport",
            6,
            json!({
                "status": "final",
                "code": loinc("24326-1"),
                "effectiveDateTime": at,
                "result": [{ "reference": format!("Observation/desk-e{n}-4") }, { "reference": format!("Observation/desk-e{n}-5") }],
            }),
        ),
        of(
            "Condition",
            7,
            json!({
                "clinicalStatus": { "coding": [{ "system": "http://terminology.hl7.org/CodeSystem/condition-clinical", "code": clinical }] },
                "code": { "text": format!("Complaint {n}") },
                "onsetDateTime": at,
            }),
        ),
        of(
            "MedicationRequest",
            8,
            json!({
                "status": if current { "active" } else { "completed" },
                "intent": "order",
                "medicationCodeableConcept": { "text": format!("Drug {n}") },
                "authoredOn": at,
            }),
        ),
        of(
            "DocumentReference",
            9,
            json!({
                "status": "current",
                "date": at,
                "content": [{ "attachment": { "contentType": "text/plain", "title": format!("Note {n}") } }],
            }),
        ),
    ]
}

/// `(507) 555-0142`
pub(super) fn phone_text(phone: u64) -> String {
    format!("({:03}) {:03}-{:04}", phone / 10_000_000, phone / 10_000 % 1000, phone % 10_000)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_booked_on_a_holiday_and_no_time_is_given_twice() {
        let all: Vec<String> = (0..400).map(|nth| date(working_day(20_780, nth))).collect();
        for holiday in ["2026-11-26", "2026-12-25", "2027-07-04", "2027-01-18"] {
            assert!(!all.iter().any(|day| day == holiday), "{holiday}");
        }
        assert!(all.windows(2).all(|two| two[0] < two[1]));
        let said = |n: u64| Place::new(n, 20_780, 100).proposed().to_string();
        let mut places: Vec<String> = (0..3000).map(said).collect();
        places.sort();
        places.dedup();
        assert_eq!(places.len(), 3000);
    }

    #[test]
    fn somebody_is_the_same_whenever_they_are_asked_for() {
        let names = vec![("Lee".to_owned(), "Ann".to_owned()), ("Ode".to_owned(), "Bo".to_owned())];
        let (data, mark) = (PathBuf::new(), PathBuf::new());
        let clinic = Clinic { data, patients: 9, day: 0, mark, booked: 0, names };
        assert!((0..9).all(|n| clinic.person(n) == clinic.person(n)));
        assert_ne!(clinic.person(1), clinic.person(2));
        assert_eq!(phone_text(5_075_550_142), "(507) 555-0142");
    }
}
