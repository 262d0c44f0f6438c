//! The documents of what is set up: what a form says, onto what stands in the record. Members that a form
//! does not speak of stay as they are.

use super::draft::{DAYS, Draft, Works, each, is_phone};
use super::{FORM_TAG, What};
use crate::actor::Role;
use crate::calendar::Hours;
use crate::read::OURS;
use crate::visit_type::{Modality, Need, VisitType};
use base::Fault;
use base::error::code::SCHEDULING_CALENDAR;
use fhir::Value;
use fhir::write::Writer;

const PHYSICAL_TYPE: &str = "http://terminology.hl7.org/CodeSystem/location-physical-type";
const ROLE: &str = "http://terminology.hl7.org/CodeSystem/practitioner-role";

/// The document of a thing: of an id, or of a form that makes it. `named` is what the person of a draft is
/// called.
pub(super) fn document(
    what: What,
    draft: &Draft,
    old: Option<Value<'_>>,
    (id, entry): (Option<&str>, Option<&str>),
    named: &str,
) -> Result<Vec<u8>, Fault> {
    if what == What::Visit {
        return visit(draft, old, entry);
    }
    let mut w = Writer::new();
    w.object().member("resourceType", what.resource_type());
    if let Some(id) = id {
        w.member("id", id);
    }
    if let Some(entry) = entry {
        tag(&mut w, entry);
    }
    match what {
        What::House => house(&mut w, draft, old),
        What::Site | What::Room => location(&mut w, what, draft, old)?,
        What::Person => person(&mut w, draft, old),
        What::Work | What::Visit => work(&mut w, draft, old, named)?,
    }
    w.end_object();
    Ok(w.finish())
}

/// A `PractitionerRole` whose person has another name now.
pub(super) fn called(root: Value<'_>, name: &str) -> Result<Vec<u8>, Fault> {
    let odd = || Fault::new(&SCHEDULING_CALENDAR, "a role names nobody");
    let person = root.get("practitioner").ok_or_else(odd)?;
    let mut w = Writer::new();
    w.object();
    keep(&mut w, Some(root), &["practitioner"]);
    w.key("practitioner").object();
    keep(&mut w, Some(person), &["display"]);
    put(&mut w, "display", name);
    w.end_object().end_object();
    Ok(w.finish())
}

/// The schedule of somebody whose time is that of their hours: no slots are published ahead.
pub(super) fn schedule(person: &str) -> Vec<u8> {
    let mut w = Writer::new();
    w.object().member("resourceType", "Schedule").key("active").boolean(true);
    w.key("actor").array();
    reference(&mut w, "Practitioner", person, "");
    w.end_array().end_object();
    w.finish()
}

fn house(w: &mut Writer, draft: &Draft, old: Option<Value<'_>>) {
    keep(w, old, &["resourceType", "id", "active", "name", "telecom", "address"]);
    w.key("active").boolean(draft.is_active);
    put(w, "name", &draft.name);
    telecom(w, draft, old);
    let rest = old.into_iter().flat_map(|old| each(old, "address").skip(1));
    let rest: Vec<Value<'_>> = rest.collect();
    let first = old.and_then(|old| each(old, "address").next());
    let has_address = has_address(draft);
    if has_address || !rest.is_empty() {
        w.key("address").array();
        if has_address {
            address(w, draft, first);
        }
        for one in rest {
            w.raw(one.raw().as_bytes());
        }
        w.end_array();
    }
}

fn location(
    w: &mut Writer,
    what: What,
    draft: &Draft,
    old: Option<Value<'_>>,
) -> Result<(), Fault> {
    let mut but = vec!["resourceType", "id", "status", "name"];
    match what {
        What::Room => but.push("partOf"),
        _ => but.extend([
            "extension",
            "telecom",
            "address",
            "managingOrganization",
            "hoursOfOperation",
        ]),
    }
    let has_type = old.is_some_and(|old| old.get("physicalType").is_some());
    keep(w, old, &but);
    w.member("status", if draft.is_active { "active" } else { "inactive" });
    put(w, "name", &draft.name);
    if !has_type {
        let (code, display) = if what == What::Room { ("ro", "Room") } else { ("bu", "Building") };
        w.key("physicalType").object().key("coding").array().object();
        w.member("system", PHYSICAL_TYPE).member("code", code).member("display", display);
        w.end_object().end_array().end_object();
    }
    if what == What::Room {
        w.key("partOf");
        reference(w, "Location", &draft.site, "");
        return Ok(());
    }
    w.key("extension").array();
    for one in old.into_iter().flat_map(|old| each(old, "extension")) {
        let url = one.get_str("url").unwrap_or_default();
        if url.strip_prefix(OURS) != Some("time-zone") {
            w.raw(one.raw().as_bytes());
        }
    }
    w.object().member("url", &format!("{OURS}time-zone")).member("valueCode", &draft.zone);
    w.end_object().end_array();
    telecom(w, draft, old);
    if has_address(draft) {
        w.key("address");
        address(w, draft, old.and_then(|old| old.get("address")));
    }
    if !draft.house.is_empty() {
        w.key("managingOrganization");
        reference(w, "Organization", &draft.house, "");
    }
    hours(w, "hoursOfOperation", ["openingTime", "closingTime"], &week(draft)?);
    Ok(())
}

fn person(w: &mut Writer, draft: &Draft, old: Option<Value<'_>>) {
    keep(w, old, &["resourceType", "id", "active", "name"]);
    w.key("active").boolean(draft.is_active);
    w.key("name").array().object();
    let first = old.and_then(|old| each(old, "name").next());
    keep(w, first, &["family", "given", "text"]);
    put(w, "family", &draft.family);
    if !draft.given.is_empty() {
        w.key("given").array();
        for given in draft.given.split_whitespace() {
            w.string(given);
        }
        w.end_array();
    }
    w.end_object();
    for other in old.into_iter().flat_map(|old| each(old, "name").skip(1)) {
        w.raw(other.raw().as_bytes());
    }
    w.end_array();
}

fn work(w: &mut Writer, draft: &Draft, old: Option<Value<'_>>, named: &str) -> Result<(), Fault> {
    let before = old.map(|old| Draft::of(What::Work, old));
    // A profession that a form has no word for stays while it comes to the same.
    let keeps_code = before.as_ref().is_some_and(|before| before.works == draft.works);
    let mut but = vec![
        "resourceType",
        "id",
        "active",
        "practitioner",
        "organization",
        "location",
        "availableTime",
    ];
    if !keeps_code {
        but.push("code");
    }
    keep(w, old, &but);
    w.key("active").boolean(draft.is_active).key("practitioner");
    reference(w, "Practitioner", &draft.person, named);
    if !draft.house.is_empty() {
        w.key("organization");
        reference(w, "Organization", &draft.house, "");
    }
    w.key("location").array();
    reference(w, "Location", &draft.site, "");
    for other in old.into_iter().flat_map(|old| each(old, "location").skip(1)) {
        w.raw(other.raw().as_bytes());
    }
    w.end_array();
    if !keeps_code {
        w.key("code").array().object().key("coding").array().object();
        w.member("system", ROLE).member("code", draft.works.code());
        w.end_object().end_array().end_object().end_array();
    }
    hours(w, "availableTime", ["availableStartTime", "availableEndTime"], &week(draft)?);
    Ok(())
}

fn visit(draft: &Draft, old: Option<Value<'_>>, entry: Option<&str>) -> Result<Vec<u8>, Fault> {
    let need = |role| Need { role, candidates: Vec::new() };
    let mut visit = match old {
        Some(old) => VisitType::read(old)?,
        None => VisitType {
            id: None,
            title: String::new(),
            active: true,
            duration_minutes: 0,
            before_minutes: 0,
            after_minutes: 0,
            needs: Vec::new(),
            modalities: vec![Modality::InPerson],
            preparation: String::new(),
            questions: Vec::new(),
            lead_minutes: 0,
            daily_cap: None,
            age_min: None,
            age_max: None,
            sex: None,
            referral_required: false,
        },
    };
    let (with, other) = match draft.with {
        Works::Assistant => (Role::Assistant, Role::Clinician),
        _ => (Role::Clinician, Role::Assistant),
    };
    let has = |needs: &[Need], role| needs.iter().any(|need| need.role == role);
    if !has(&visit.needs, with) {
        visit.needs.retain(|need| need.role != other);
        visit.needs.insert(0, need(with));
    }
    match (has(&visit.needs, Role::Room), draft.needs_room) {
        (false, true) => visit.needs.push(need(Role::Room)),
        (true, false) => visit.needs.retain(|need| need.role != Role::Room),
        _ => {}
    }
    visit.title.clone_from(&draft.name);
    visit.active = draft.is_active;
    visit.questions = draft.asks();
    let odd = || Fault::at(&SCHEDULING_CALENDAR, "a visit lasts 1 to 1440 minutes", "minutes");
    visit.duration_minutes = draft.length().ok_or_else(odd)?;
    let body = visit.write_onto(old)?;
    match entry {
        None => Ok(body),
        Some(entry) => {
            // Right after the brace: the members of a new document stand as the visit type writes them.
            let mut w = Writer::new();
            w.object();
            tag(&mut w, entry);
            let head = w.finish();
            let rest = body.strip_prefix(b"{").unwrap_or_default();
            Ok([head.as_slice(), b",", rest].concat())
        }
    }
}

fn week(draft: &Draft) -> Result<Vec<Hours>, Fault> {
    let odd = || Fault::new(&SCHEDULING_CALENDAR, "write hours such as 08:00-12:00, 13:00-17:00");
    draft.week().ok_or_else(odd)
}

fn hours(w: &mut Writer, list: &str, [from, until]: [&str; 2], week: &[Hours]) {
    if week.is_empty() {
        return;
    }
    w.key(list).array();
    for one in week {
        let at = usize::try_from(one.weekday.to_monday_zero_offset()).unwrap_or_default();
        let day = DAYS.get(at).copied().unwrap_or_default();
        w.object().key("daysOfWeek").array().string(day).end_array();
        let clock = |time: crate::time::Time| time.strftime("%H:%M:%S").to_string();
        if one.from == one.until {
            w.key("allDay").boolean(true);
        } else {
            w.member(from, &clock(one.from)).member(until, &clock(one.until));
        }
        w.end_object();
    }
    w.end_array();
}

fn telecom(w: &mut Writer, draft: &Draft, old: Option<Value<'_>>) {
    let all: Vec<_> = old.into_iter().flat_map(|old| each(old, "telecom")).collect();
    let first = all.iter().position(|one| is_phone(*one));
    let rest: Vec<_> =
        all.iter().enumerate().filter(|(at, _)| Some(*at) != first).map(|(_, one)| *one).collect();
    if draft.phone.is_empty() && rest.is_empty() {
        return;
    }
    w.key("telecom").array();
    if !draft.phone.is_empty() {
        w.object();
        let old = first.and_then(|at| all.get(at)).copied();
        keep(w, old, &["system", "value"]);
        w.member("system", "phone").member("value", &draft.phone).end_object();
    }
    for one in rest {
        w.raw(one.raw().as_bytes());
    }
    w.end_array();
}

fn has_address(draft: &Draft) -> bool {
    [&draft.line, &draft.city, &draft.state, &draft.postal_code].iter().any(|text| !text.is_empty())
}

fn address(w: &mut Writer, draft: &Draft, old: Option<Value<'_>>) {
    w.object();
    keep(w, old, &["line", "city", "state", "postalCode", "text"]);
    if !draft.line.is_empty() {
        w.key("line").array().string(&draft.line).end_array();
    }
    put(w, "city", &draft.city);
    put(w, "state", &draft.state);
    put(w, "postalCode", &draft.postal_code);
    w.end_object();
}

fn reference(w: &mut Writer, of: &str, id: &str, display: &str) {
    w.object().member("reference", &format!("{of}/{id}"));
    put(w, "display", display);
    w.end_object();
}

fn tag(w: &mut Writer, entry: &str) {
    w.key("meta").object().key("tag").array().object();
    w.member("system", FORM_TAG).member("code", entry);
    w.end_object().end_array().end_object();
}

/// The members of a document but for those named, each with its extensions.
fn keep(w: &mut Writer, old: Option<Value<'_>>, but: &[&str]) {
    for (name, value) in old.into_iter().flat_map(Value::members) {
        if !but.contains(&name) && !but.contains(&name.trim_start_matches('_')) {
            w.key(name).raw(value.raw().as_bytes());
        }
    }
}

fn put(w: &mut Writer, name: &str, text: &str) {
    if !text.is_empty() {
        w.member(name, text);
    }
}
