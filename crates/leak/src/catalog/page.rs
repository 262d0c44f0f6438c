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
    "!/schedule/book?patient={id:Patient}",
    "!/flow",
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
    "/print",
    "/vitals",
    "/add/problem",
    "/write",
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
        let never = id.replacen("-r-", "-q-", 1);
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

/// What the desk does for a visit that somebody checks in for: a hidden one, or one of a hidden patient, is
/// answered as one that is nobody's. `/v/` and `/kiosk` without their secrets are alike for everybody.
pub(super) fn arrival(world: &World, asker: &mut Asker<'_>) -> anyhow::Result<()> {
    let own = expand("!/p/{own}", world, 1, "");
    let patients: Vec<String> = world.hidden("Patient").map(|item| item.id().to_owned()).collect();
    let visits: Vec<String> =
        world.hidden("Appointment").map(|item| item.id().to_owned()).collect();
    for act in ["link", "entered"] {
        for id in patients.iter().take(asker.effort.records) {
            let never = id.replacen("-r-", "-q-", 1);
            let of = |asker: &Asker<'_>, id: &str| {
                let path = format!("/p/{id}/check-in/{id}/{act}");
                asker.page(
                    &path,
                    Some(&[("about", id), ("entered", "1"), ("mobile", "yes")]),
                    false,
                )
            };
            if let (Some(one), Some(other)) = (of(asker, id), of(asker, &never)) {
                asker.twin_with(&one, &other, (id, &never))?;
            }
        }
        for (own, id) in own.iter().flat_map(|own| visits.iter().map(move |id| (own, id))) {
            let never = id.replacen("-r-", "-q-", 1);
            let about = own.rsplit('/').next().unwrap_or_default();
            let of = |asker: &Asker<'_>, id: &str| {
                let path = format!("{own}/check-in/{id}/{act}");
                let fields = [("about", about), ("entered", "1"), ("do", "refuse")];
                asker.page(&path, Some(&fields), false)
            };
            if let (Some(one), Some(other)) = (of(asker, id), of(asker, &never)) {
                asker.twin_with(&one, &other, (id, &never))?;
            }
        }
    }
    for path in ["/kiosk", "/v/0123456789abcdef0123456789abcdef/in/contact"] {
        if let Some(request) = asker.page(path, None, false) {
            asker.ask_with(&request)?;
        }
    }
    Ok(())
}
