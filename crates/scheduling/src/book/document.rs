//! What an Appointment of ours says beside what [`Appointment`] reads: the form it was booked by, a hold,
//! the steps of its day, and why a rule was set aside (extensions under [`OURS`];
//! <https://hl7.org/fhir/R4/appointment.html>).

use super::{FORM, HeldBy, Visit, Whom};
use crate::appointment::{Answer, Appointment};
use crate::flow::{State, Step};
use crate::hold::Hold;
use crate::occupied::Status;
use crate::read::{OURS, ours, part};
use crate::rule::Rule;
use crate::time::{MINUTE_MS, Zone};
use crate::visit_type::Modality;
use base::{Fault, Limits, Millis, Phi};
use fhir::write::Writer;
use fhir::{Document, Value};
use record::Hit;

/// The extension by which a booking stands although a rule asked for a reason.
const OVERRIDE: &str = "override";
/// The extension of a hold.
const HOLD: &str = "hold";
/// The extension of one step of the day.
const STEP: &str = "flow-step";
/// How the visit takes place.
const MODALITY: &str = "modality";
/// The extension of a round of offers, which is the hold of a freed time.
pub(super) const WAITLIST_ROUND: &str = "waitlist-round";
/// Those that this file writes.
const OWN: [&str; 4] = [OVERRIDE, HOLD, STEP, MODALITY];

/// A hold, as its appointment tells.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Kept {
    pub until: Millis,
    pub holder: String,
}

/// What an appointment says beside.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Extra {
    pub hold: Option<Kept>,
    /// Where it stood before the first step, and the steps.
    pub first: Option<State>,
    pub steps: Vec<Step>,
    pub modality: Option<Modality>,
    /// Why, and the codes of the rules it set aside.
    pub reason: Option<(Phi<String>, Vec<Rule>)>,
    /// It takes time of others, which the rule of the gate asks to be said in its own extension.
    pub over: bool,
    /// Set when they are given; what is there stays otherwise.
    pub form: Option<String>,
    pub title: Option<String>,
    pub comment: Option<Phi<String>>,
    pub referral: Option<String>,
    pub created: Option<Millis>,
}

impl Extra {
    /// Reads what is there. What cannot be understood is as if it were not there: it decides nothing but
    /// what screens show, except for a hold, which then lasts like any pending appointment.
    pub(super) fn read(root: Value<'_>) -> Self {
        let code = |e: Value<'_>, name: &str| {
            part(e, name).and_then(|p| p.get_str("valueCode")).and_then(|code| State::parse(&code))
        };
        let instant = |e: Value<'_>, name: &str| {
            let text = part(e, name)?.get_str("valueInstant")?;
            fhir::date::parse(&text).map(|range| Millis(range.low))
        };
        let mut extra = Self { hold: kept(root), ..Self::default() };
        for one in ours(root, STEP) {
            let by = part(one, "by").and_then(|p| p.get_str("valueString")).unwrap_or_default();
            if let (Some(to), Some(at)) = (code(one, "to"), instant(one, "at")) {
                extra.first = extra.first.or_else(|| code(one, "from"));
                extra.steps.push(Step { to, at, by: by.into_owned() });
            }
        }
        extra.modality =
            ours(root, MODALITY).find_map(|e| Modality::parse(&e.get_str("valueCode")?));
        extra.reason = ours(root, OVERRIDE).next().map(|e| {
            let text = part(e, "reason").and_then(|p| p.get_str("valueString")).unwrap_or_default();
            let parts = e.get("extension").into_iter().flat_map(Value::items);
            let rules = parts.filter_map(|p| {
                let code = p.get_str("valueCode")?;
                Rule::ALL.into_iter().find(|rule| rule.code() == code)
            });
            (Phi::new(text.into_owned()), rules.collect())
        });
        extra.over = is_over(root);
        extra
    }

    /// A document that holds all of `old` and this, for [`Appointment::write_onto`] to write upon.
    pub(super) fn onto(&self, old: Option<Value<'_>>) -> Result<Document, Fault> {
        let mut w = Writer::new();
        w.object().member("resourceType", "Appointment");
        let comment = self.comment.as_ref().map(|comment| comment.expose().as_str());
        for (key, member) in old.into_iter().flat_map(Value::members) {
            let replaced = (key == "comment" && comment.is_some())
                || (key == "serviceType" && self.title.is_some());
            let anew = matches!(key, "resourceType" | "extension" | "meta")
                || (key == "identifier" && self.form.is_some())
                || (key == "basedOn" && self.referral.is_some())
                || (key == "created" && self.created.is_some());
            if !replaced && !anew {
                w.key(key).raw(member.raw().as_bytes());
            }
        }
        // Not `description`: that tells why somebody comes, and is not shown to everybody who books.
        if let Some(title) = &self.title {
            w.key("serviceType").array().object().member("text", title).end_object().end_array();
        }
        if let Some(comment) = comment {
            w.member("comment", comment);
        }
        if let Some(created) = self.created {
            w.member("created", &created.to_instant());
        }
        if let Some(id) = &self.referral {
            w.key("basedOn").array().object();
            w.member("reference", &format!("ServiceRequest/{id}")).end_object().end_array();
        }
        if let Some(form) = &self.form {
            w.key("identifier").array();
            let others = old.and_then(|o| o.get("identifier")).into_iter().flat_map(Value::items);
            for other in others.filter(|i| i.get_str("system").as_deref() != Some(FORM)) {
                w.raw(other.raw().as_bytes());
            }
            w.object().member("system", FORM).member("value", form).end_object().end_array();
        }
        self.extensions(old, &mut w);
        w.end_object();
        Document::parse(w.finish(), &Limits::default())
    }

    fn extensions(&self, old: Option<Value<'_>>, w: &mut Writer) {
        w.key("extension").array();
        for other in old.and_then(|o| o.get("extension")).into_iter().flat_map(Value::items) {
            let url = other.get_str("url").unwrap_or_default();
            let own = url.strip_prefix(OURS).is_some_and(|name| OWN.contains(&name));
            if !own && url != crate::occupancy::OVERBOOKING {
                w.raw(other.raw().as_bytes());
            }
        }
        if let Some(kept) = &self.hold {
            w.object().key("extension").array();
            w.object().member("url", "until");
            w.member("valueInstant", &kept.until.to_instant()).end_object();
            w.object().member("url", "holder").member("valueString", &kept.holder).end_object();
            w.end_array().member("url", &format!("{OURS}{HOLD}")).end_object();
        }
        let mut from = self.first;
        for step in &self.steps {
            w.object().key("extension").array();
            if let Some(from) = from {
                w.object().member("url", "from").member("valueCode", from.as_str()).end_object();
            }
            w.object().member("url", "to").member("valueCode", step.to.as_str()).end_object();
            w.object().member("url", "at").member("valueInstant", &step.at.to_instant());
            w.end_object();
            if !step.by.is_empty() {
                w.object().member("url", "by").member("valueString", &step.by).end_object();
            }
            w.end_array().member("url", &format!("{OURS}{STEP}")).end_object();
            from = Some(step.to);
        }
        if let Some(modality) = self.modality {
            w.object().member("url", &format!("{OURS}{MODALITY}"));
            w.member("valueCode", modality.as_str()).end_object();
        }
        if let Some((reason, rules)) = &self.reason {
            w.object().key("extension").array();
            w.object().member("url", "reason").member("valueString", reason.expose().trim());
            w.end_object();
            for rule in rules {
                w.object().member("url", "rule").member("valueCode", rule.code()).end_object();
            }
            w.end_array().member("url", &format!("{OURS}{OVERRIDE}")).end_object();
            if self.over {
                w.object().member("url", crate::occupancy::OVERBOOKING);
                w.member("valueString", reason.expose().trim()).end_object();
            }
        }
        w.end_array();
    }
}

/// The document of an appointment with what it says beside. An empty list of extensions is left out, as
/// FHIR has none.
pub(super) fn write(
    appointment: &Appointment,
    extra: &Extra,
    old: Option<Value<'_>>,
    zone: Option<&Zone>,
) -> Result<Vec<u8>, Fault> {
    let onto = extra.onto(old)?;
    appointment.write_onto(Some(onto.root()), zone)
}

/// The hold that an appointment is, or was: one that is not booked yet and says until when it is kept.
pub(crate) fn kept(root: Value<'_>) -> Option<Kept> {
    let status = root.get_str("status")?;
    if !matches!(&*status, "proposed" | "pending") {
        return None;
    }
    let extension = ours(root, HOLD).next()?;
    let until = part(extension, "until")?.get_str("valueInstant")?;
    let until = Millis(fhir::date::parse(&until)?.low);
    let holder = part(extension, "holder").and_then(|p| p.get_str("valueString"));
    Some(Kept { until, holder: holder.unwrap_or_default().into_owned() })
}

/// Whether an appointment was held and never booked: booking leaves nothing of the hold behind.
pub(super) fn was_held(root: Value<'_>) -> bool {
    ours(root, HOLD).next().is_some()
}

/// Whether a stored appointment is a hold whose time has passed: nothing any more.
pub fn is_lapsed(body: &[u8], now: Millis) -> bool {
    let document = Document::parse(body.to_vec(), &Limits::default());
    document.is_ok_and(|document| kept(document.root()).is_some_and(|kept| kept.until <= now))
}

/// The hold in the engine's form.
pub(super) fn hold_of(id: &str, appointment: &Appointment, kept: &Kept) -> Option<Hold> {
    let ms = |minutes: u32| i64::from(minutes) * MINUTE_MS;
    let actors = appointment.participants.iter().filter_map(|p| p.actor.clone());
    Some(Hold {
        id: id.to_owned(),
        holder: kept.holder.clone(),
        span: appointment.span?,
        buffers_ms: (ms(appointment.before_minutes), ms(appointment.after_minutes)),
        actors: actors.collect(),
        visit_type: appointment.visit_type.clone(),
        until: kept.until,
        renewals: 0,
    })
}

fn is_over(root: Value<'_>) -> bool {
    let mut all = root.get("extension").into_iter().flat_map(Value::items);
    all.any(|e| e.get_str("url").as_deref() == Some(crate::occupancy::OVERBOOKING))
}

/// Where an appointment stands on its day.
pub(super) fn state_of(appointment: &Appointment, extra: &Extra) -> Option<State> {
    let patient = appointment
        .participants
        .iter()
        .find(|p| p.actor.as_ref().is_some_and(crate::actor::Actor::is_patient));
    let told = State::from_fhir(appointment.status, patient.map(|p| p.answer), None);
    // Steps tell more than the status can, unless somebody changed the status without one.
    let last = extra.steps.last().map(|step| step.to);
    last.filter(|state| state.to_fhir().appointment == appointment.status).or(told)
}

impl Visit {
    /// Reads an appointment. `patients` are Patients that came along with it.
    pub(super) fn of(
        hit: &Hit,
        root: Value<'_>,
        patients: &[(String, Phi<String>)],
        (now, who): (Millis, &str),
    ) -> Result<Self, Fault> {
        let read = Appointment::read(root)?;
        let extra = Extra::read(root);
        let state = state_of(&read, &extra);
        let there = |p: &&crate::appointment::Participant| p.answer != Answer::Declined;
        let actors = read.participants.iter().filter(there).filter_map(|p| p.actor.as_ref());
        let (who_for, with): (Vec<_>, Vec<_>) = actors.partition(|actor| actor.is_patient());
        // Who declined is told of too: a visit that was called off had a patient.
        let declined = read.participants.iter().filter_map(|p| p.actor.as_ref());
        let patient =
            who_for.first().copied().or_else(|| declined.into_iter().find(|a| a.is_patient()));
        let patient = patient.map(|actor| Whom {
            id: actor.id().to_owned(),
            name: patients.iter().find(|(id, _)| id == actor.id()).map(|(_, name)| name.clone()),
        });
        let live = extra.hold.as_ref().filter(|kept| now < kept.until);
        Ok(Self {
            id: hit.id.clone(),
            version: hit.version,
            status: read.status,
            state: if extra.hold.is_some() { None } else { state },
            span: read.span,
            zone: read.zone,
            buffers: (read.before_minutes, read.after_minutes),
            patient,
            with: with.into_iter().cloned().collect(),
            visit_type: read.visit_type,
            title: Phi::new(title(root)),
            overridden: extra.reason.is_some() || extra.over,
            series: read.series.map(|link| link.series),
            steps: extra.steps,
            held: live.map(|kept| HeldBy { until: kept.until, own: kept.holder == who }),
            is_offered: ours(root, WAITLIST_ROUND).next().is_some(),
            cancel_reason: read.cancel_reason,
        })
    }
}

/// What it is, in words: the kind of visit, else its description.
pub(super) fn title(root: Value<'_>) -> String {
    let kinds = root.get("serviceType").into_iter().flat_map(Value::items);
    let mut texts = kinds.filter_map(|kind| {
        let coded = || kind.get("coding")?.items().find_map(|coding| coding.get_str("display"));
        kind.get_str("text").or_else(coded)
    });
    let text = texts.next().or_else(|| root.get_str("description"));
    text.unwrap_or_default().into_owned()
}

/// `FAMILY, Given` of a Patient.
pub(super) fn patient_name(root: Value<'_>) -> Option<Phi<String>> {
    let names: Vec<Value<'_>> = root.get("name").into_iter().flat_map(Value::items).collect();
    let of = |wanted: &str| {
        names.iter().find(|name| name.get_str("use").as_deref() == Some(wanted)).copied()
    };
    let name = of("official").or_else(|| of("usual")).or_else(|| names.first().copied())?;
    let family = name.get_str("family").unwrap_or_default().to_uppercase();
    let given = name.get("given").into_iter().flat_map(Value::items).next();
    let given = given.and_then(Value::as_str).unwrap_or_default().into_owned();
    let both = match (family.is_empty(), given.is_empty()) {
        (false, false) => format!("{family}, {given}"),
        (false, true) => family,
        (true, false) => given,
        (true, true) => name.get_str("text")?.into_owned(),
    };
    Some(Phi::new(both))
}

/// The status in which a visit has not begun: it can be moved and called off.
pub(super) const fn is_ahead(status: Status) -> bool {
    matches!(status, Status::Proposed | Status::Pending | Status::Booked)
}
