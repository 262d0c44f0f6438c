//! What speaks against a booking: each rule with a stable code, and whether it forbids, asks for a
//! reason, or only warns. The verdict is data: a screen shows it, a log keeps it, and a booking goes
//! through it whoever asks for it.
//!
//! What double-books a resource can be set aside by nobody: no policy lowers it, except that a site may
//! let a clinician be overbooked up to a number an hour, and then a reason is asked for.

use crate::actor::{Actor, Role};
use crate::calendar::{Block, Site};
use crate::free::SpanSet;
use crate::occupied::{Busy, By};
use crate::time::{Date, HOUR_MS, MINUTE_MS, Span};
use crate::visit_type::{Modality, Sex, VisitType};
use base::error::code::{SCHEDULING_BLOCKED, SCHEDULING_OVERRIDE};
use base::{Fault, Millis, Phi};
use fhir::write::Writer;
use std::collections::BTreeMap;

/// Characters of a reason: enough to mean something, short enough to be read in a list.
const REASON_CHARS: std::ops::RangeInclusive<usize> = 3..=500;

pub use crate::rule::{Policy, Rule, Weight};

/// What of the patient the rules ask for. It never prints.
#[derive(Debug, Clone)]
pub struct PatientFacts {
    /// Date of birth, where it is known.
    pub born: Option<Phi<Date>>,
    /// Administrative sex, where it is known.
    pub sex: Option<Phi<Sex>>,
    /// When the patient is elsewhere.
    pub busy: Vec<Busy>,
    /// A referral is there.
    pub has_referral: bool,
}

/// What of a resource the rules ask for.
#[derive(Debug, Clone)]
pub struct ResourceFacts {
    /// When it is there; blocks are not taken out.
    pub open: SpanSet,
    /// What it does not have.
    pub busy: Vec<Busy>,
}

/// What is to be booked.
#[derive(Debug, Clone)]
pub struct Proposal<'a> {
    /// Which visit.
    pub visit: &'a VisitType,
    /// At which site.
    pub site: &'a Site,
    /// When, without buffers.
    pub span: Span,
    /// How.
    pub modality: Modality,
    /// With whom and what.
    pub taken: Vec<(Role, Actor)>,
    /// What is left out of all lists of busy time: the appointment that is moved, with its slots, and
    /// the hold that is being used.
    pub instead_of: Vec<By>,
}

/// What is known when it is judged.
#[derive(Debug, Clone)]
pub struct Facts<'a> {
    /// The present.
    pub now: Millis,
    /// The patient; `None` for a block without one.
    pub patient: Option<&'a PatientFacts>,
    /// Each resource of the proposal; one that is missing here is treated as not there at all.
    pub resources: &'a BTreeMap<Actor, ResourceFacts>,
    /// Blocks of the days about it.
    pub blocks: &'a [Block],
    /// What the site says.
    pub policy: &'a Policy,
}

/// One rule that speaks.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Finding {
    /// What it does.
    pub weight: Weight,
    /// Which.
    pub rule: Rule,
    /// Of whom; none when it is of the booking as a whole, or of the patient.
    pub actor: Option<Actor>,
    /// When, for other time that is in the way.
    pub span: Option<Span>,
}

/// Everything that speaks against a booking, the gravest first.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Verdict {
    /// The rules that speak.
    pub findings: Vec<Finding>,
}

/// Why somebody books all the same. The reason may tell of the patient, so it never prints.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Override {
    /// Who.
    pub by: String,
    /// In which words.
    pub reason: Phi<String>,
}

/// Judges a booking.
pub fn check(proposal: &Proposal<'_>, facts: &Facts<'_>) -> Verdict {
    let mut judge = Judge { proposal, facts, findings: Vec::new() };
    judge.needs();
    judge.clock();
    judge.patient();
    for (_, actor) in &proposal.taken {
        judge.resource(actor);
    }
    judge.daily_cap();
    let mut findings = judge.findings;
    findings.sort_by(|a, b| b.weight.cmp(&a.weight).then_with(|| a.cmp(b)));
    findings.dedup();
    Verdict { findings }
}

struct Judge<'a> {
    proposal: &'a Proposal<'a>,
    facts: &'a Facts<'a>,
    findings: Vec<Finding>,
}

impl Judge<'_> {
    fn speak(&mut self, rule: Rule, actor: Option<&Actor>, span: Option<Span>) {
        let weight = self.facts.policy.weight(rule);
        self.findings.push(Finding { weight, rule, actor: actor.cloned(), span });
    }

    fn needs(&mut self) {
        let p = self.proposal;
        if !p.visit.active {
            self.speak(Rule::TypeRetired, None, None);
        }
        if !p.visit.modalities.contains(&p.modality) {
            self.speak(Rule::ModalityUnfit, None, None);
        }
        let mut left: Vec<_> = p.taken.iter().collect();
        for (nth, (_, actor)) in p.taken.iter().enumerate() {
            if p.taken.iter().take(nth).any(|(_, other)| other == actor) {
                self.speak(Rule::ResourceMissing, Some(actor), None);
            }
        }
        for need in &p.visit.needs {
            let fit = left.iter().position(|(role, actor)| {
                *role == need.role
                    && (need.candidates.is_empty() || need.candidates.contains(actor))
            });
            let of_role = || left.iter().position(|(role, _)| *role == need.role);
            match fit.or_else(of_role) {
                None => self.speak(Rule::ResourceMissing, None, None),
                Some(at) => {
                    let (_, actor) = left.remove(at);
                    if fit.is_none() {
                        self.speak(Rule::ResourceUnfit, Some(actor), None);
                    }
                }
            }
        }
    }

    fn clock(&mut self) {
        let start = self.proposal.span.start;
        let lead_ms = i64::from(self.proposal.visit.lead_minutes) * MINUTE_MS;
        if start < self.facts.now {
            self.speak(Rule::InPast, None, None);
        } else if start.0 < self.facts.now.0.saturating_add(lead_ms) {
            self.speak(Rule::LeadTime, None, None);
        }
    }

    fn patient(&mut self) {
        let p = self.proposal;
        let Some(patient) = self.facts.patient else { return };
        let in_way = |b: &&Busy| !p.instead_of.contains(&b.by) && b.span.overlaps(p.span);
        let times: Vec<_> = patient.busy.iter().filter(in_way).map(|b| b.span).collect();
        for span in times {
            self.speak(Rule::PatientDoubleBooked, None, Some(span));
        }
        if p.visit.referral_required && !patient.has_referral {
            self.speak(Rule::ReferralRequired, None, None);
        }
        let years = patient.born.as_ref().and_then(|born| {
            let on = p.site.zone.wall(p.span.start).date();
            years_between(*born.expose(), on)
        });
        let limited = p.visit.age_min.is_some() || p.visit.age_max.is_some();
        let young = |years: u32| p.visit.age_min.is_some_and(|least| years < least);
        let old = |years: u32| p.visit.age_max.is_some_and(|most| years > most);
        // An age that nobody knows is not within limits.
        if limited && years.is_none_or(|y| young(y) || old(y)) {
            self.speak(Rule::AgeLimit, None, None);
        }
        let sex = patient.sex.as_ref().map(|sex| *sex.expose());
        if p.visit.sex.is_some() && sex != p.visit.sex {
            self.speak(Rule::SexLimit, None, None);
        }
    }

    fn resource(&mut self, actor: &Actor) {
        let p = self.proposal;
        let (before_ms, _, after_ms) = p.visit.lengths_ms();
        let kept = p.span.padded(before_ms, after_ms);
        let blocks: Vec<_> = self.facts.blocks.iter().filter(|b| b.concerns(actor)).collect();
        for block in blocks.into_iter().filter(|b| b.span.overlaps(p.span)) {
            self.speak(Rule::Blocked, Some(actor), Some(block.span));
        }
        let date = p.site.zone.wall(p.span.start).date();
        if p.site.holiday(date).is_some() {
            self.speak(Rule::Blocked, None, None);
        }
        let Some(resource) = self.facts.resources.get(actor) else {
            self.speak(Rule::OutsideHours, Some(actor), None);
            return;
        };
        if !resource.open.covers(p.span) {
            self.speak(Rule::OutsideHours, Some(actor), None);
        }
        let others: Vec<_> =
            resource.busy.iter().filter(|b| !p.instead_of.contains(&b.by)).collect();
        for other in others.iter().filter(|b| b.padded().overlaps(kept)) {
            if !other.span.overlaps(p.span) {
                self.speak(Rule::Buffer, Some(actor), Some(other.span));
            } else if self.facts.policy.overbook_per_hour == 0 || !self.is_clinician(actor) {
                self.speak(Rule::ResourceOverlap, Some(actor), Some(other.span));
            } else if self.overbooked(&others) >= self.facts.policy.overbook_per_hour {
                self.speak(Rule::OverbookCap, Some(actor), Some(other.span));
            } else {
                self.findings.push(Finding {
                    weight: Weight::AsksReason,
                    rule: Rule::ResourceOverlap,
                    actor: Some(actor.clone()),
                    span: Some(other.span),
                });
            }
        }
    }

    fn is_clinician(&self, actor: &Actor) -> bool {
        self.proposal.taken.iter().any(|(role, who)| *role == Role::Clinician && who == actor)
    }

    /// How many bookings of the hour begin within another already.
    fn overbooked(&self, others: &[&Busy]) -> u32 {
        let zone = &self.proposal.site.zone;
        let offset_ms = i64::from(zone.offset_s(self.proposal.span.start)) * 1000;
        let hour = |at: Millis| at.0.saturating_add(offset_ms).div_euclid(HOUR_MS);
        let here = hour(self.proposal.span.start);
        let over = others.iter().enumerate().filter(|(at, busy)| {
            let earlier = others.iter().enumerate().any(|(i, other)| {
                other.span.overlaps(busy.span) && (other.span.start, i) < (busy.span.start, *at)
            });
            earlier && hour(busy.span.start) == here
        });
        u32::try_from(over.count()).unwrap_or(u32::MAX)
    }

    fn daily_cap(&mut self) {
        let p = self.proposal;
        let primary = p
            .visit
            .needs
            .first()
            .and_then(|need| p.taken.iter().find(|(role, _)| *role == need.role));
        let (Some(cap), Some(id), Some((_, actor))) =
            (p.visit.daily_cap, p.visit.id.as_ref(), primary)
        else {
            return;
        };
        let date = p.site.zone.wall(p.span.start).date();
        let of_day = |b: &&Busy| {
            b.visit_type.as_ref() == Some(id)
                && !p.instead_of.contains(&b.by)
                && p.site.zone.wall(b.span.start).date() == date
        };
        let had =
            self.facts.resources.get(actor).map_or(0, |r| r.busy.iter().filter(of_day).count());
        if had >= usize::try_from(cap).unwrap_or(usize::MAX) {
            self.speak(Rule::DailyCap, Some(actor), None);
        }
    }
}

/// Whole years; `None` before birth.
fn years_between(born: Date, on: Date) -> Option<u32> {
    let before = (on.month(), on.day()) < (born.month(), born.day());
    u32::try_from(i32::from(on.year()) - i32::from(born.year()) - i32::from(before)).ok()
}

impl Verdict {
    /// What the gravest rule does; `None` when none speaks.
    pub fn weight(&self) -> Option<Weight> {
        self.findings.iter().map(|f| f.weight).max()
    }

    /// Whether a rule speaks.
    pub fn says(&self, rule: Rule) -> bool {
        self.findings.iter().any(|f| f.rule == rule)
    }

    /// Lets the booking through, or says why not: `SCHEDULING_BLOCKED` for what nobody can set aside,
    /// `SCHEDULING_OVERRIDE` when a reason is asked for. Each fault names its rules by their codes.
    pub fn permit(&self, reason: Option<&Override>) -> Result<(), Fault> {
        let given = reason.is_some_and(|o| {
            REASON_CHARS.contains(&o.reason.expose().trim().chars().count()) && !o.by.is_empty()
        });
        let (code, refusing) = match self.weight() {
            Some(Weight::Forbids) => (&SCHEDULING_BLOCKED, Weight::Forbids),
            Some(Weight::AsksReason) if !given => (&SCHEDULING_OVERRIDE, Weight::AsksReason),
            _ => return Ok(()),
        };
        let said = self.findings.iter().filter(|f| f.weight == refusing);
        let issues = said.map(|f| {
            let words = format!("{} ({})", f.rule.words(), f.rule.code());
            let mut fault = match &f.actor {
                Some(actor) => Fault::at(code, words, actor.as_str()),
                None => Fault::new(code, words),
            };
            fault.issues.pop()
        });
        Err(Fault::of(issues.flatten().collect())
            .unwrap_or_else(|| Fault::new(code, "the booking is refused")))
    }

    /// For a log: `[{"rule":…,"weight":…,"actor":…,"start":…,"end":…}]`. It holds ids and times of
    /// other bookings and nothing else about anybody.
    pub fn to_json(&self) -> Vec<u8> {
        let mut w = Writer::new();
        w.array();
        for f in &self.findings {
            w.object().member("rule", f.rule.code()).member("weight", f.weight.as_str());
            if let Some(actor) = &f.actor {
                w.member("actor", actor.as_str());
            }
            if let Some(span) = f.span {
                w.member("start", &span.start.to_instant()).member("end", &span.end.to_instant());
            }
            w.end_object();
        }
        w.end_array();
        w.finish()
    }
}
