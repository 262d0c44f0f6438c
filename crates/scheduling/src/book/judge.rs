//! The rules put to a place: what is known of it is read, and [`rules::check`] judges. The same for a
//! hold, a booking and a move, through whichever door.

use super::day::instead_of;
use super::document::patient_name;
use super::here::{read_visit_type, role_of};
use super::load::{Cast, Loaded, behind_ms, booked};
use super::reads::{Reads, parsed};
use super::{House, Move, Place};
use crate::actor::{Actor, Role};
use crate::appointment::{Answer, Presence};
use crate::calendar::{Site, Why};
use crate::occupied::of_appointment;
use crate::rules::{self, Facts, PatientFacts, Proposal, ResourceFacts, Verdict, Weight};
use crate::time::{DAY_MS, Date, Span};
use crate::visit_type::{Modality, Need, Sex, VisitType};
use base::error::code::{SCHEDULING_CALENDAR, SCHEDULING_FIND};
use base::{Fault, Phi};
use fhir::reference::is_id;
use std::collections::BTreeMap;

/// A place that was judged.
pub(super) struct Judged {
    pub visit: VisitType,
    pub site: Site,
    pub span: Span,
    pub with: Vec<(Role, Actor)>,
    pub verdict: Verdict,
    /// Who it is for, by name, where that was read.
    pub patient_name: Option<Phi<String>>,
    slots: Vec<String>,
}

impl Judged {
    /// The free Slots that it fills.
    pub(super) fn slots(&self) -> Vec<String> {
        self.slots.clone()
    }

    /// What nobody can set aside, as a fault; for what comes before a reason can be asked for.
    pub(super) fn verdict_without_reasons(&self) -> Result<(), Fault> {
        let forbids = |finding: &&rules::Finding| finding.weight == Weight::Forbids;
        let findings = self.verdict.findings.iter().filter(forbids).cloned().collect();
        Verdict { findings }.permit(None)
    }
}

/// Who it is for, and what is left out of what is taken.
struct About<'a> {
    patient: Option<&'a str>,
    instead_of: Option<&'a str>,
    has_referral: bool,
    modality: Option<Modality>,
}

/// Judges a place. `instead_of` is an appointment that goes, or a hold that is used up.
pub(super) fn judge(
    reads: &mut Reads<'_>,
    house: &House,
    place: &Place,
    patient: Option<&str>,
    instead_of: Option<&str>,
    has_referral: bool,
) -> Result<Judged, Fault> {
    reads.at_once(|reads| {
        let visit = read_visit_type(reads, &place.visit_type)?;
        judge_visit(reads, house, (place, visit), patient, instead_of, has_referral)
    })
}

/// As [`judge`], of a visit type that was read already.
pub(super) fn judge_visit(
    reads: &mut Reads<'_>,
    house: &House,
    (place, visit): (&Place, VisitType),
    patient: Option<&str>,
    instead_of: Option<&str>,
    has_referral: bool,
) -> Result<Judged, Fault> {
    let span = Span::of_minutes(place.start, visit.duration_minutes);
    let span = span.ok_or_else(|| Fault::new(&SCHEDULING_FIND, "the visit has no length"))?;
    let actors: Vec<Actor> = place.with.iter().map(|(_, actor)| actor.clone()).collect();
    reads.at_once(|reads| {
        let cast = Cast::of(reads, house, &actors, Some(&place.site))?;
        let site = cast.site(&place.site).and_then(|at| cast.sites.get(at)).cloned();
        let unknown = || Fault::at(&SCHEDULING_FIND, "there is no such site", "site");
        let site = site.ok_or_else(unknown)?;
        let about = About { patient, instead_of, has_referral, modality: place.modality };
        weigh(reads, house, &cast, (visit, site, span, place.with.clone()), &about)
    })
}

/// Judges where an appointment is to go. One without a visit type keeps its length and asks for
/// nobody but those it names.
pub(super) fn judge_move(
    reads: &mut Reads<'_>,
    house: &House,
    loaded: &Loaded,
    to: &Move,
) -> Result<Judged, Fault> {
    let was = loaded.read.span;
    let was =
        was.ok_or_else(|| Fault::new(&SCHEDULING_CALENDAR, "it has no time to be moved from"))?;
    let there = |p: &&crate::appointment::Participant| p.answer != Answer::Declined;
    let actors: Vec<Actor> = loaded
        .read
        .participants
        .iter()
        .filter(there)
        .filter(|p| p.required != Some(Presence::InformationOnly))
        .filter_map(|p| p.actor.clone())
        .filter(|actor| !actor.is_patient() && is_bookable(actor))
        .map(|actor| {
            let new = to.instead.iter().find(|(old, _)| *old == actor);
            new.map_or(actor, |(_, new)| new.clone())
        })
        .collect();
    if let Some((old, _)) = to.instead.iter().find(|(_, new)| !actors.contains(new)) {
        let says = "the appointment does not have whom another is to stand in for";
        return Err(Fault::at(&SCHEDULING_FIND, says, old.as_str()));
    }
    let told = loaded.read.participants.iter().find(|p| {
        p.required == Some(Presence::InformationOnly)
            && p.actor.as_ref().is_some_and(|actor| actor.resource_type() == "Location")
    });
    let told = told.and_then(|p| p.actor.clone());
    let cast = Cast::of(reads, house, &actors, told.as_ref())?;
    let visit = match &loaded.read.visit_type {
        Some(id) => VisitType {
            // What was agreed stays agreed, whatever became of the type.
            duration_minutes: u32::try_from(was.minutes()).unwrap_or(1).max(1),
            before_minutes: loaded.read.before_minutes,
            after_minutes: loaded.read.after_minutes,
            ..read_visit_type(reads, id)?
        },
        None => plain(&cast, &actors, was),
    };
    let with = roles_for(&cast, &visit, &actors);
    // Where whoever comes first is: with another clinician a visit may go to another site.
    let home = cast.resources.iter().flat_map(|resource| &resource.sites);
    let home = home.filter(|_| !to.instead.is_empty() || told.is_none());
    let site = home.chain(&told).find_map(|location| cast.site(location));
    let site = site.and_then(|at| cast.sites.get(at)).or_else(|| cast.sites.first()).cloned();
    let site = site.ok_or_else(|| Fault::new(&SCHEDULING_FIND, "nobody of it is at a site"))?;
    let patients = loaded.read.participants.iter().filter_map(|p| p.actor.as_ref());
    let patient = patients.into_iter().find(|actor| actor.is_patient());
    let has_referral = loaded.document.root().get("basedOn").is_some();
    let about = About {
        patient: patient.map(Actor::id),
        instead_of: Some(&loaded.hit.id),
        has_referral,
        modality: super::load::extra(loaded).modality,
    };
    let span = was.moved_to(to.start);
    weigh(reads, house, &cast, (visit, site, span, with), &about)
}

fn weigh(
    reads: &mut Reads<'_>,
    house: &House,
    cast: &Cast,
    (visit, site, span, with): (VisitType, Site, Span, Vec<(Role, Actor)>),
    about: &About<'_>,
) -> Result<Judged, Fault> {
    let now = reads.session.now();
    let (before_ms, _, after_ms) = visit.lengths_ms();
    let days = cast.time(reads, (span.padded(before_ms, after_ms), behind_ms(&visit)), now)?;
    let instead_of = instead_of(&days, about.instead_of);
    let (patient, patient_name) = match about.patient {
        Some(id) => {
            let (facts, name) = patient_facts(reads, id, span, about.has_referral)?;
            (Some(facts), name)
        }
        None => (None, None),
    };
    let mut resources: BTreeMap<Actor, ResourceFacts> = BTreeMap::new();
    let mut blocks = days.roster.blocks().to_vec();
    for (_, actor) in &with {
        // What is blocked by a slot is a block, which a reason sets aside, and no other visit.
        blocks.extend(days.slot_blocks(cast, actor).map(|(_, block)| block));
        let mut facts = days.roster.facts(actor);
        facts.busy.retain(|busy| {
            !blocks.iter().any(|block| {
                block.why == Why::Other && block.concerns(actor) && block.span == busy.span
            })
        });
        resources.insert(actor.clone(), facts);
    }
    let proposal = Proposal {
        visit: &visit,
        site: &site,
        span,
        modality: about
            .modality
            .or_else(|| visit.modalities.first().copied())
            .unwrap_or(Modality::InPerson),
        taken: with.clone(),
        instead_of: instead_of.clone(),
    };
    let facts = Facts {
        now,
        patient: patient.as_ref(),
        resources: &resources,
        blocks: &blocks,
        policy: &house.policy,
    };
    let verdict = rules::check(&proposal, &facts);
    let actors: Vec<Actor> = with.iter().map(|(_, actor)| actor.clone()).collect();
    let mut slots = days.slots_for(cast, &actors, span);
    // Its own slots go along when it stays within them.
    for slot in &days.slots {
        let own = instead_of.contains(&crate::occupied::By::Slot(slot.id.clone()));
        if own && slot.span.overlaps(span) && days.is_of(cast, slot, &actors) {
            slots.push(slot.id.clone());
        }
    }
    slots.sort();
    slots.dedup();
    Ok(Judged { visit, site, span, with, verdict, patient_name, slots })
}

fn patient_facts(
    reads: &mut Reads<'_>,
    id: &str,
    span: Span,
    has_referral: bool,
) -> Result<(PatientFacts, Option<Phi<String>>), Fault> {
    if !is_id(id) {
        return Err(Fault::at(
            &SCHEDULING_FIND,
            "name the patient by the id of the record",
            "patient",
        ));
    }
    let hit = reads.read("Patient", id)?;
    let document = parsed(&hit)?;
    let root = document.root();
    let born = root.get_str("birthDate").and_then(|text| text.parse::<Date>().ok());
    let sex = root.get_str("gender").and_then(|code| Sex::parse(&code));
    let patient = Actor::parse(&format!("Patient/{id}"));
    let patients = Vec::from_iter(patient);
    let (all, _) = booked(reads, &patients, span.padded(DAY_MS, 0), false)?;
    // A hold keeps a place, and nobody from being anywhere else.
    let real = all.iter().filter(|one| super::document::kept(one.document.root()).is_none());
    let busy = real.flat_map(|one| of_appointment(&one.hit.id, &one.read));
    let busy = busy.filter(|(actor, _)| patients.contains(actor)).map(|(_, busy)| busy).collect();
    let facts =
        PatientFacts { born: born.map(Phi::new), sex: sex.map(Phi::new), busy, has_referral };
    Ok((facts, patient_name(root)))
}

/// A visit of no type: as long as it was, with those it names.
fn plain(cast: &Cast, actors: &[Actor], was: Span) -> VisitType {
    let needs = actors.iter().map(|actor| {
        let resource = cast.resources.iter().find(|resource| resource.actor == *actor);
        let role = resource.and_then(|r| r.roles.first().copied());
        Need { role: role.unwrap_or_else(|| role_of(actor)), candidates: Vec::new() }
    });
    VisitType {
        id: None,
        title: String::new(),
        active: true,
        duration_minutes: u32::try_from(was.minutes()).unwrap_or(1).max(1),
        before_minutes: 0,
        after_minutes: 0,
        needs: needs.collect(),
        modalities: Modality::ALL.to_vec(),
        preparation: String::new(),
        questions: Vec::new(),
        lead_minutes: 0,
        daily_cap: None,
        age_min: None,
        age_max: None,
        sex: None,
        referral_required: false,
    }
}

/// As what each of an appointment is there: the need it fills, or what it is.
fn roles_for(cast: &Cast, visit: &VisitType, actors: &[Actor]) -> Vec<(Role, Actor)> {
    let mut left: Vec<&Need> = visit.needs.iter().collect();
    let role = |actor: &Actor, left: &mut Vec<&Need>| {
        let own = cast.resources.iter().find(|resource| resource.actor == *actor);
        let own = own.map(|resource| resource.roles.clone()).unwrap_or_default();
        let fits = |need: &&Need| match need.candidates.as_slice() {
            [] => own.contains(&need.role) || (own.is_empty() && role_of(actor) == need.role),
            candidates => candidates.contains(actor),
        };
        let of_kind = |need: &&Need| role_of(actor) == need.role;
        match left.iter().position(fits).or_else(|| left.iter().position(of_kind)) {
            Some(at) => left.remove(at).role,
            None => own.first().copied().unwrap_or_else(|| role_of(actor)),
        }
    };
    actors.iter().map(|actor| (role(actor, &mut left), actor.clone())).collect()
}

/// Whether a participant takes part with its time: services and relatives do not.
fn is_bookable(actor: &Actor) -> bool {
    matches!(actor.resource_type(), "Practitioner" | "PractitionerRole" | "Location" | "Device")
}
