//! [`VisitType`]: what a visit needs, read from and written to an `ActivityDefinition` of kind
//! `Appointment` (<https://hl7.org/fhir/R4/activitydefinition.html>).
//!
//! Why that carrier: a visit type is the definition of an activity, with a duration and participants,
//! versioned and retired like other definitions, and R4 lets `kind` say that instances of it are
//! appointments. `HealthcareService` says what an organization offers at its places, and has neither.
//! What R4 has no element for stands in extensions of ours; what else the document holds is none of
//! this file's business and is kept by whoever writes it back ([`VisitType::write_onto`]).

use crate::actor::{Actor, Role};
use crate::read::{OURS, fault, number, of_type, ours, part, text};
use base::Fault;
use base::error::code::SCHEDULING_VISIT_TYPE as CODE;
use fhir::Value;
use fhir::write::Writer;

/// Minutes a visit can have: a whole day; longer ones are stays.
pub const DURATION_MAX: u32 = 24 * 60;
/// Minutes of a buffer: half a working day, such as for cleaning a theatre.
pub const BUFFER_MAX: u32 = 240;
/// Resources that one visit needs together.
pub const NEEDS_MAX: usize = 8;
/// Candidates for one of them: the staff of a large site.
pub const CANDIDATES_MAX: usize = 500;
/// Questions that a visit type has for who checks in, and letters of one: what fits on a screen of a phone.
pub const QUESTIONS_MAX: usize = 5;
/// See [`QUESTIONS_MAX`].
pub const QUESTION_CHARS_MAX: usize = 160;
/// Minutes of lead time: a year.
const LEAD_MAX: u32 = 366 * 24 * 60;
/// Visits of a type on a day, and years of age.
const CAP_MAX: u32 = 10_000;
const AGE_MAX: u32 = 150;

/// How a visit takes place.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Modality {
    /// At the site.
    InPerson,
    /// By video.
    Video,
    /// By telephone.
    Phone,
}

impl Modality {
    /// Every modality.
    pub const ALL: [Self; 3] = [Self::InPerson, Self::Video, Self::Phone];

    /// The stable code.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::InPerson => "in-person",
            Self::Video => "video",
            Self::Phone => "phone",
        }
    }

    /// Reads the stable code.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|m| m.as_str() == text)
    }
}

/// Sex as the record administers it, for visits that are for one only.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sex {
    /// `female`
    Female,
    /// `male`
    Male,
}

impl Sex {
    /// The FHIR code.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Female => "female",
            Self::Male => "male",
        }
    }

    /// Reads the FHIR code.
    pub fn parse(text: &str) -> Option<Self> {
        [Self::Female, Self::Male].into_iter().find(|s| s.as_str() == text)
    }
}

/// One resource that a visit needs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Need {
    /// As what.
    pub role: Role,
    /// Who or what can be it; nobody named means anybody of the role at the site.
    pub candidates: Vec<Actor>,
}

/// What a visit needs. The first need is the primary one: screens list a place under it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VisitType {
    /// The id of its `ActivityDefinition`; none before it is first written.
    pub id: Option<String>,
    /// What screens call it.
    pub title: String,
    /// May be booked now.
    pub active: bool,
    /// Minutes of the visit itself.
    pub duration_minutes: u32,
    /// Minutes its resources are kept before.
    pub before_minutes: u32,
    /// Minutes its resources are kept after.
    pub after_minutes: u32,
    /// What it needs together; at least one, each a different one.
    pub needs: Vec<Need>,
    /// How it can take place; at least one.
    pub modalities: Vec<Modality>,
    /// What the patient does before it; empty for nothing.
    pub preparation: String,
    /// What patients are asked when they check in without the desk, in the words of the house.
    pub questions: Vec<String>,
    /// Minutes that lie at least between booking and visit.
    pub lead_minutes: u32,
    /// Visits of this type that its primary resource has on a day, at most.
    pub daily_cap: Option<u32>,
    /// Whole years the patient has at least on the day.
    pub age_min: Option<u32>,
    /// Whole years the patient has at most on the day.
    pub age_max: Option<u32>,
    /// For whom it is, when for one sex only.
    pub sex: Option<Sex>,
    /// A referral has to be there.
    pub referral_required: bool,
}

impl VisitType {
    /// Milliseconds kept before, of the visit, and kept after.
    pub fn lengths_ms(&self) -> (i64, i64, i64) {
        let ms = |minutes: u32| i64::from(minutes) * crate::time::MINUTE_MS;
        (ms(self.before_minutes), ms(self.duration_minutes), ms(self.after_minutes))
    }

    /// Reads an `ActivityDefinition`; `SCHEDULING_VISIT_TYPE` names the place that is not understood.
    pub fn read(root: Value<'_>) -> Result<Self, Fault> {
        of_type(&CODE, root, "ActivityDefinition")?;
        let kind = text(&CODE, root, "kind")?;
        if kind.as_deref() != Some("Appointment") {
            return Err(fault(&CODE, root, "a visit type has the kind Appointment"));
        }
        let title = match text(&CODE, root, "title")? {
            Some(title) => title,
            None => text(&CODE, root, "name")?
                .ok_or_else(|| fault(&CODE, root, "give the visit type a title"))?,
        };
        let minutes = |name, most| match ours(root, name).next() {
            None => Ok(None),
            Some(extension) => {
                value(extension, "valueInteger").and_then(|v| number(&CODE, v, most)).map(Some)
            }
        };
        let mut modalities = Vec::new();
        for extension in ours(root, "modality") {
            let at = value(extension, "valueCode")?;
            let read = at.as_str().and_then(|code| Modality::parse(&code));
            modalities
                .push(read.ok_or_else(|| fault(&CODE, at, "write in-person, video or phone"))?);
        }
        if modalities.is_empty() {
            modalities.push(Modality::InPerson);
        }
        let sex = match ours(root, "patient-sex").next() {
            None => None,
            Some(extension) => {
                let at = value(extension, "valueCode")?;
                let read = at.as_str().and_then(|code| Sex::parse(&code));
                Some(read.ok_or_else(|| fault(&CODE, at, "write female or male"))?)
            }
        };
        let referral_required = match ours(root, "referral-required").next() {
            None => false,
            Some(extension) => {
                let at = value(extension, "valueBoolean")?;
                at.as_bool().ok_or_else(|| fault(&CODE, at, "write true or false"))?
            }
        };
        let preparation = match ours(root, "preparation").next() {
            None => String::new(),
            Some(extension) => {
                let at = value(extension, "valueMarkdown")?;
                at.as_str().ok_or_else(|| fault(&CODE, at, "write this as a string"))?.into_owned()
            }
        };
        let mut questions = Vec::new();
        for extension in ours(root, "arrival-question") {
            let at = value(extension, "valueString")?;
            let read = at.as_str().map(|question| question.into_owned());
            questions.push(read.ok_or_else(|| fault(&CODE, at, "write this as a string"))?);
        }
        let visit = Self {
            id: text(&CODE, root, "id")?.map(Into::into),
            title: title.into_owned(),
            active: text(&CODE, root, "status")?.as_deref() == Some("active"),
            duration_minutes: duration(root)?,
            before_minutes: minutes("buffer-before", BUFFER_MAX)?.unwrap_or(0),
            after_minutes: minutes("buffer-after", BUFFER_MAX)?.unwrap_or(0),
            needs: needs(root)?,
            modalities,
            preparation,
            questions,
            lead_minutes: minutes("lead-time", LEAD_MAX)?.unwrap_or(0),
            daily_cap: minutes("daily-cap", CAP_MAX)?,
            age_min: minutes("age-min", AGE_MAX)?,
            age_max: minutes("age-max", AGE_MAX)?,
            sex,
            referral_required,
        };
        visit.check().map_err(|says| fault(&CODE, root, says))?;
        Ok(visit)
    }

    /// The document of a new visit type.
    pub fn write(&self) -> Result<Vec<u8>, Fault> {
        self.write_onto(None)
    }

    /// The document with everything of `old` that this file does not speak of.
    pub fn write_onto(&self, old: Option<Value<'_>>) -> Result<Vec<u8>, Fault> {
        self.check().map_err(|says| Fault::new(&CODE, says))?;
        let mut w = Writer::new();
        w.object().member("resourceType", "ActivityDefinition");
        if let Some(id) = &self.id {
            w.member("id", id);
        }
        self.write_extensions(old, &mut w);
        w.member("title", &self.title);
        w.member("status", if self.active { "active" } else { "retired" });
        w.member("kind", "Appointment");
        w.key("timingDuration").object().key("value").integer(i64::from(self.duration_minutes));
        w.member("unit", "min").member("system", "http://unitsofmeasure.org").member("code", "min");
        w.end_object();
        let native: Vec<_> = self.needs.iter().filter_map(|need| native(need.role)).collect();
        if !native.is_empty() {
            // For systems that do not know the extension; the extension is what is read back.
            w.key("participant").array();
            for name in native {
                w.object().member("type", name).end_object();
            }
            w.end_array();
        }
        const WRITTEN: [&str; 8] = [
            "resourceType",
            "id",
            "extension",
            "title",
            "status",
            "kind",
            "timingDuration",
            "participant",
        ];
        for (key, member) in old.into_iter().flat_map(Value::members) {
            let timing = key.starts_with("timing") || key.starts_with("_timing");
            if !WRITTEN.contains(&key) && !timing {
                w.key(key).raw(member.raw().as_bytes());
            }
        }
        w.end_object();
        Ok(w.finish())
    }

    fn write_extensions(&self, old: Option<Value<'_>>, w: &mut Writer) {
        w.key("extension").array();
        for other in old.and_then(|o| o.get("extension")).into_iter().flat_map(Value::items) {
            let url = other.get_str("url");
            if !url
                .is_some_and(|url| url.strip_prefix(OURS).is_some_and(|n| EXTENSIONS.contains(&n)))
            {
                w.raw(other.raw().as_bytes());
            }
        }
        for need in &self.needs {
            w.object().key("extension").array();
            w.object().member("url", "role").member("valueCode", need.role.as_str()).end_object();
            for candidate in &need.candidates {
                w.object().member("url", "candidate").key("valueReference").object();
                w.member("reference", candidate.as_str()).end_object().end_object();
            }
            w.end_array().member("url", &format!("{OURS}needed-resource")).end_object();
        }
        for modality in &self.modalities {
            w.object().member("url", &format!("{OURS}modality"));
            w.member("valueCode", modality.as_str()).end_object();
        }
        let optional = |minutes: u32| (minutes > 0).then_some(minutes);
        for (name, value) in [
            ("buffer-before", optional(self.before_minutes)),
            ("buffer-after", optional(self.after_minutes)),
            ("lead-time", optional(self.lead_minutes)),
            ("daily-cap", self.daily_cap),
            ("age-min", self.age_min),
            ("age-max", self.age_max),
        ] {
            if let Some(value) = value {
                w.object().member("url", &format!("{OURS}{name}"));
                w.key("valueInteger").integer(i64::from(value)).end_object();
            }
        }
        if let Some(sex) = self.sex {
            w.object().member("url", &format!("{OURS}patient-sex"));
            w.member("valueCode", sex.as_str()).end_object();
        }
        if self.referral_required {
            w.object().member("url", &format!("{OURS}referral-required"));
            w.key("valueBoolean").boolean(true).end_object();
        }
        if !self.preparation.is_empty() {
            w.object().member("url", &format!("{OURS}preparation"));
            w.member("valueMarkdown", &self.preparation).end_object();
        }
        for question in &self.questions {
            w.object().member("url", &format!("{OURS}arrival-question"));
            w.member("valueString", question).end_object();
        }
        w.end_array();
    }

    /// What is wrong with it, in a sentence.
    fn check(&self) -> Result<(), &'static str> {
        let ages = self.age_min.zip(self.age_max);
        if !(1..=DURATION_MAX).contains(&self.duration_minutes) {
            Err("a visit lasts 1 to 1440 minutes")
        } else if self.before_minutes.max(self.after_minutes) > BUFFER_MAX {
            Err("a buffer has at most 240 minutes")
        } else if self.needs.is_empty() || self.needs.len() > NEEDS_MAX {
            Err("a visit needs 1 to 8 resources together")
        } else if self.needs.iter().any(|need| need.candidates.len() > CANDIDATES_MAX) {
            Err("a needed resource has at most 500 candidates")
        } else if self.modalities.is_empty() {
            Err("say how the visit can take place")
        } else if self.title.trim().is_empty() {
            Err("give the visit type a title")
        } else if ages.is_some_and(|(least, most)| least > most) {
            Err("the least age is above the greatest")
        } else if !asks_well(&self.questions) {
            Err("a visit type has at most 5 different questions, of 1 to 160 letters each")
        } else {
            Ok(())
        }
    }
}

/// Whether questions are few, short, and no two the same.
pub(crate) fn asks_well(questions: &[String]) -> bool {
    let is_well = |question: &String| {
        let letters = question.chars().count();
        (1..=QUESTION_CHARS_MAX).contains(&letters)
            && !question.trim().is_empty()
            && !question.contains(char::is_control)
    };
    let is_twice = |at: usize, one: &String| questions.iter().take(at).any(|other| other == one);
    questions.len() <= QUESTIONS_MAX
        && questions.iter().enumerate().all(|(at, one)| is_well(one) && !is_twice(at, one))
}

/// The extensions of ours that this file reads and writes.
const EXTENSIONS: [&str; 12] = [
    "needed-resource",
    "modality",
    "buffer-before",
    "buffer-after",
    "lead-time",
    "daily-cap",
    "age-min",
    "age-max",
    "patient-sex",
    "referral-required",
    "preparation",
    "arrival-question",
];

/// `ActivityDefinition.participant.type` for a role, where R4 has one.
const fn native(role: Role) -> Option<&'static str> {
    match role {
        Role::Clinician | Role::Assistant | Role::Interpreter => Some("practitioner"),
        Role::Device => Some("device"),
        Role::Room => None,
    }
}

fn value<'a>(extension: Value<'a>, name: &str) -> Result<Value<'a>, Fault> {
    extension.get(name).ok_or_else(|| fault(&CODE, extension, &format!("give it a {name}")))
}

/// Minutes of `timingDuration`, in minutes or hours.
fn duration(root: Value<'_>) -> Result<u32, Fault> {
    let at = root
        .get("timingDuration")
        .ok_or_else(|| fault(&CODE, root, "give the visit type a timingDuration"))?;
    let amount = at.get("value").ok_or_else(|| fault(&CODE, at, "give the duration a value"))?;
    let amount = number(&CODE, amount, DURATION_MAX)?;
    match at.get_str("code").or_else(|| at.get_str("unit")).as_deref() {
        Some("min") => Ok(amount),
        Some("h") => Ok(amount.saturating_mul(60)),
        _ => Err(fault(&CODE, at, "give the duration in min or h")),
    }
}

fn needs(root: Value<'_>) -> Result<Vec<Need>, Fault> {
    let mut needs = Vec::new();
    for extension in ours(root, "needed-resource") {
        let role = part(extension, "role").and_then(|p| p.get_str("valueCode"));
        let role = role.and_then(|code| Role::parse(&code)).ok_or_else(|| {
            fault(&CODE, extension, "the role is clinician, assistant, room, device or interpreter")
        })?;
        let mut candidates = Vec::new();
        for part in extension.get("extension").into_iter().flat_map(Value::items) {
            match part.get_str("url").as_deref() {
                Some("role") => {}
                Some("candidate") => {
                    let actor = part.get("valueReference").and_then(crate::read::actor);
                    let actor = actor.filter(|a| !a.is_patient());
                    candidates.push(actor.ok_or_else(|| {
                        fault(&CODE, part, "a candidate is a reference such as Practitioner/12")
                    })?);
                }
                _ => return Err(fault(&CODE, part, "this part of the need is not understood")),
            }
        }
        needs.push(Need { role, candidates });
    }
    if !needs.is_empty() {
        return Ok(needs);
    }
    for participant in root.get("participant").into_iter().flat_map(Value::items) {
        let role = match participant.get_str("type").as_deref() {
            Some("practitioner") => Role::Clinician,
            Some("device") => Role::Device,
            Some("patient" | "related-person") => continue,
            _ => {
                return Err(fault(
                    &CODE,
                    participant,
                    "this type of participant is not understood",
                ));
            }
        };
        needs.push(Need { role, candidates: Vec::new() });
    }
    Ok(needs)
}

#[cfg(test)]
mod tests {
    use super::*;
    use base::Limits;
    use fhir::Document;

    fn read(text: &str) -> Result<VisitType, Fault> {
        VisitType::read(Document::parse_text(text.to_owned(), &Limits::default())?.root())
    }

    #[test]
    fn a_plain_definition_of_somebody_elses_is_understood() {
        let visit = read(
            r#"{"resourceType":"ActivityDefinition","status":"active","name":"Checkup","kind":"Appointment",
            "timingDuration":{"value":1,"code":"h"},"participant":[{"type":"patient"},{"type":"practitioner"}]}"#,
        )
        .unwrap();
        assert_eq!((visit.duration_minutes, visit.needs.len()), (60, 1));
        assert_eq!(visit.needs[0].role, Role::Clinician);
    }

    #[test]
    fn what_is_not_understood_is_named() {
        for (bad, place) in [
            (r#""timingDuration":{"value":30,"code":"min"}"#, "ActivityDefinition"),
            (r#""kind":"Task""#, "ActivityDefinition"),
            (
                r#""kind":"Appointment","timingDuration":{"value":1.5,"code":"h"}"#,
                "ActivityDefinition.timingDuration.value",
            ),
            (
                r#""kind":"Appointment","timingDuration":{"value":1,"code":"wk"}"#,
                "ActivityDefinition.timingDuration",
            ),
            (
                r#""kind":"Appointment","timingDuration":{"value":5,"code":"min"}"#,
                "ActivityDefinition",
            ),
            (
                r#""kind":"Appointment","timingDuration":{"value":5,"code":"min"},"participant":[{"type":"group"}]"#,
                "ActivityDefinition.participant[0]",
            ),
        ] {
            let fault =
                read(&format!(r#"{{"resourceType":"ActivityDefinition","title":"x",{bad}}}"#))
                    .unwrap_err();
            assert_eq!(fault.code().name, "scheduling.visit-type.invalid", "{bad}");
            assert_eq!(fault.issues[0].expression.as_deref(), Some(place), "{bad}");
        }
    }
}
