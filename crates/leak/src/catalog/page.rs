//! Families that ask for the pages that a server has for people, as their browsers do: addresses that
//! name hidden records, and the finding of people by what hidden records say. A server without pages, or
//! somebody without a browser, is asked nothing here.

use crate::asker::Asker;
use crate::body::{AFTER, BEFORE, Look, STILL};
use crate::template::expand;
use crate::world::World;

/// Pages, by the patterns of `template.rs`.
const PAGES: &[&str] = &[
    "!/today",
    "!/find",
    "!/settings",
    "!/p/{own}",
    "!/p/{own}/timeline",
    "!/p/{own}/details",
    "!/p/{own}/insurance",
    "!/p/{own}/consents",
    "!/p/{own}/consents/{id:Consent}",
    "!/p/{own}/people",
    "!/p/{own}/print",
    "!/p/{own}/vitals",
    "!/p/{own}/write",
    "!/p/{own}/encounters/{enc}",
    "!/p/{own}/encounters/{id:Encounter}",
    "!/p/{own}/notes/{id:DocumentReference}",
    "!/p/{own}/history/{any.kind}/{any.id}",
    "!/p/{own}/change/{any.kind}/{any.id}",
    "!/p/{own}/compare/{id:Patient}",
    "!/p/{own}/check-in/{id:Appointment}",
    "!/p/{id:Patient}",
    "!/p/{id:Patient}/accesses",
    "!/p/{id:Patient}/timeline",
    "!/p/{id:Patient}/details",
    "!/p/{any.id}",
    "!/appointments/{id:Appointment}",
    "!/appointments/{pre}-own-appointment",
    "!/schedule?date=2020-03-01",
    "!/schedule?date=2023-08-15",
    "!/schedule?date=2020-03-01&view=week",
    "!/schedule/book?patient={id:Patient}",
    "!/schedule/series",
    "!/schedule/absence",
    "!/p/{own}/add/problem",
    "!/p/{own}/add/allergy",
    "!/p/{own}/add/medication",
    "!/p/{own}/check-in/{pre}-own-appointment",
    "!/schedule?done=cancelled&of={id:Appointment}&v=2",
    "!/waitlist",
    "!/waitlist/add?patient={id:Patient}",
    "!/waitlist/{id:Appointment}",
    "!/waitlist/{pre}-own-appointment",
    "!/flow",
    "!/flow/wall",
    "!/inbox",
    "!/inbox?kind=results",
    "!/inbox/cover",
    "!/inbox/Task/{id:Task}",
    "!/inbox/Communication/{id:Communication}",
    "!/inbox/DiagnosticReport/{id:DiagnosticReport}",
    "!/inbox/{any.kind}/{any.id}",
    "!/register",
    "!/duplicates",
    "!/admin/resources",
    "!/admin/resources/{type}",
    "!/admin/resources/{any.kind}/{any.id}",
];
/// Pages of a patient, behind its id.
const OF_PATIENT: &[&str] = &[
    "",
    "/accesses",
    "/timeline",
    "/details",
    "/details/edit",
    "/insurance",
    "/consents",
    "/people",
    "/print",
    "/vitals",
    "/add/problem",
    "/write",
];

/// Forms about a patient, behind its id: every field that is asked for is there, so that nothing but the
/// patient is left to refuse.
const FORMS_OF_PATIENT: &[(&str, &[(&str, &str)])] = &[
    ("/vitals", &[("do", "keep"), ("line", "120/80 p72"), ("asked", "1")]),
    ("/add/problem", &[("do", "keep"), ("what", "asthma")]),
    ("/suggest/problem", &[("what", "asth")]),
    ("/write", &[("do", "draft"), ("kind", "progress"), ("title", "t"), ("text", "t")]),
    ("/undo", &[]),
    ("/details/edit", &[("version", "1"), ("family", "Marlowe"), ("given", "May")]),
    ("/insurance", &[("do", "add"), ("entry", "1")]),
    ("/compare/{own}", &[("do", "merge"), ("about", "{id}"), ("other", "{own}"), ("reason", "r")]),
];
/// Forms about a visit, behind its id.
const FORMS_OF_VISIT: &[(&str, &[(&str, &str)])] = &[
    ("/cancel", &[("patient", "{own}"), ("version", "1"), ("reason", "pat")]),
    ("/no-show", &[("patient", "{own}"), ("version", "1")]),
    ("/move", &[("patient", "{own}"), ("version", "1"), ("date", "2030-01-02"), ("time", "10:00")]),
    ("/undo", &[("patient", "{own}"), ("version", "1")]),
];

pub(super) fn read(world: &World, asker: &mut Asker<'_>) -> anyhow::Result<()> {
    for pattern in PAGES {
        // Who watches over the machine is told by right how much it holds in all.
        let is_of_machine = ["!/today", "!/admin/resources"].contains(pattern);
        if is_of_machine && world.persona.key == "it-administrator" {
            continue;
        }
        for path in expand(pattern, world, asker.effort.queries, "") {
            for piece in [false, true] {
                if let Some(request) = asker.page(&path, None, piece) {
                    asker.ask_with(&request)?;
                }
            }
        }
    }
    Ok(())
}

pub(super) fn find(world: &World, asker: &mut Asker<'_>) -> anyhow::Result<()> {
    let mut lines: Vec<String> = Vec::new();
    for look in [BEFORE, AFTER, STILL] {
        lines.extend(spoken(&look));
    }
    for item in world.hidden("Patient").take(asker.effort.records) {
        lines.push(item.id().to_owned());
        lines.push(format!("#{}", item.identifier(crate::world::Side::B)));
    }
    for line in &lines {
        for piece in [false, true] {
            if let Some(request) = asker.page("/find", Some(&[("q", line.as_str())]), piece) {
                asker.ask_with(&request)?;
            }
        }
    }
    Ok(())
}

/// Forms that name a hidden record are answered as if they named nobody's.
pub(super) fn form(world: &World, asker: &mut Asker<'_>) -> anyhow::Result<()> {
    for (kind, base, forms) in
        [("Patient", "/p/", FORMS_OF_PATIENT), ("Appointment", "/appointments/", FORMS_OF_VISIT)]
    {
        let hidden: Vec<String> = world.hidden(kind).map(|item| item.id().to_owned()).collect();
        for id in hidden.iter().take(asker.effort.records) {
            for (end, fields) in forms {
                twin_form(world, asker, id, |id| format!("{base}{id}{end}"), fields)?;
            }
            if kind == "Appointment" {
                for (path, name) in [("/flow/step", "to"), ("/flow/undo", "from")] {
                    let fields = [("id", "{id}"), ("patient", "{own}"), (name, "arrived")];
                    twin_form(world, asker, id, |_| path.to_owned(), &fields)?;
                }
                let fields = [("version", "1"), ("confirmed", "born"), ("confirmed", "name")];
                twin_form(world, asker, id, |id| format!("/p/{{own}}/check-in/{id}"), &fields)?;
            }
        }
    }
    Ok(())
}

/// Sends one form twice: about a hidden record, and about one that nobody had, as long as it.
fn twin_form(
    world: &World,
    asker: &mut Asker<'_>,
    id: &str,
    path: impl Fn(&str) -> String,
    fields: &[(&str, &str)],
) -> anyhow::Result<()> {
    let never = World::nobodys(id);
    for piece in [false, true] {
        let of = |asker: &Asker<'_>, id: &str| {
            let filled = |text: &str| text.replace("{id}", id).replace("{own}", &world.own);
            let all: Vec<_> = fields.iter().map(|(name, value)| (*name, filled(value))).collect();
            let all: Vec<_> = all.iter().map(|(name, value)| (*name, value.as_str())).collect();
            asker.page(&filled(&path(id)), Some(&all), piece)
        };
        if let (Some(one), Some(other)) = (of(asker, id), of(asker, &never)) {
            asker.twin_with(&one, &other, (id, &never))?;
        }
    }
    Ok(())
}

/// Somebody new is looked for before they are registered: who is hidden is not told of.
pub(super) fn register(world: &World, asker: &mut Asker<'_>) -> anyhow::Result<()> {
    for look in [BEFORE, AFTER, STILL] {
        for line in spoken(&look) {
            for piece in [false, true] {
                let fields = [("step", "look"), ("q", line.as_str())];
                if let Some(request) = asker.page("/register", Some(&fields), piece) {
                    asker.ask_with(&request)?;
                }
            }
        }
        let fields = [
            ("step", "typed"),
            ("family", look.family),
            ("given", "May"),
            ("birth_date", look.birth),
            ("gender", look.gender),
            ("city", look.city),
        ];
        // While it is typed, and as a form without a script; neither registers anybody.
        for piece in [false, true] {
            if let Some(request) = asker.page("/register", Some(&fields), piece) {
                asker.ask_with(&request)?;
            }
        }
    }
    for item in world.hidden("Patient").take(asker.effort.records) {
        let line = format!("#{}", item.identifier(crate::world::Side::B));
        let fields = [("step", "look"), ("q", line.as_str())];
        if let Some(request) = asker.page("/register", Some(&fields), false) {
            asker.ask_with(&request)?;
        }
    }
    Ok(())
}

/// How somebody would ask for a person of this look: beginnings, the whole, sound, and date of birth in
/// several forms.
fn spoken(look: &Look) -> Vec<String> {
    let part = |most: usize| look.family.chars().take(most).collect::<String>();
    let mut out = vec![part(2), part(4), look.family.to_owned(), look.family.to_uppercase()];
    // As it sounds to somebody who writes it down.
    out.push(look.family.replace("ly", "ley").replace('Z', "S"));
    out.push(look.birth.to_owned());
    let mut parts = look.birth.split('-');
    if let (Some(year), Some(month), Some(day)) = (parts.next(), parts.next(), parts.next()) {
        out.push(format!("{month}/{day}/{year}"));
        out.push(format!("{} {year}", part(3)));
    }
    out
}

pub(super) fn absent(world: &World, asker: &mut Asker<'_>) -> anyhow::Result<()> {
    let hidden: Vec<String> = world.hidden("Patient").map(|item| item.id().to_owned()).collect();
    for id in hidden.iter().take(asker.effort.records) {
        // As long as the hidden one, and nobody's.
        let never = World::nobodys(id);
        for end in OF_PATIENT {
            for piece in [false, true] {
                let of =
                    |asker: &Asker<'_>, id: &str| asker.page(&format!("/p/{id}{end}"), None, piece);
                if let (Some(one), Some(other)) = (of(asker, id), of(asker, &never)) {
                    asker.twin_with(&one, &other, (id, &never))?;
                }
            }
        }
    }
    Ok(())
}

/// What the desk does for a visit that somebody checks in for: of a patient and a visit that do not belong
/// together, whichever of them is hidden, each is answered as one that is nobody's. `/v/`, `/kiosk` and `/wall`
/// without their secrets are alike for everybody.
pub(super) fn arrival(world: &World, asker: &mut Asker<'_>) -> anyhow::Result<()> {
    let most = asker.effort.records;
    let ids = |kind| -> Vec<String> {
        world.hidden(kind).take(most).map(|item| item.id().to_owned()).collect()
    };
    let (patients, visits) = (ids("Patient"), ids("Appointment"));
    let own_visit = format!("{}-own-appointment", world.prefix);
    for act in ["link", "entered"] {
        let of = |asker: &Asker<'_>, patient: &str, visit: &str| {
            let path = format!("/p/{patient}/check-in/{visit}/{act}");
            let fields = [("about", patient), ("entered", "1"), ("mobile", "yes")];
            asker.page(&path, Some(&fields), false)
        };
        for visit in std::iter::once(&own_visit).chain(&visits) {
            for patient in &patients {
                let never = World::nobodys(patient);
                if let (Some(one), Some(other)) =
                    (of(asker, patient, visit), of(asker, &never, visit))
                {
                    asker.twin_with(&one, &other, (patient, &never))?;
                }
            }
        }
        for patient in std::iter::once(&world.own).chain(&patients) {
            for visit in &visits {
                let never = World::nobodys(visit);
                if let (Some(one), Some(other)) =
                    (of(asker, patient, visit), of(asker, patient, &never))
                {
                    asker.twin_with(&one, &other, (visit, &never))?;
                }
            }
        }
    }
    for path in ["/kiosk", "/wall", "/v/0123456789abcdef0123456789abcdef/in/contact"] {
        if let Some(request) = asker.page(path, None, false) {
            asker.ask_with(&request)?;
        }
    }
    Ok(())
}
