//! Why somebody may, or may not, do something: the decision for a real principal, asked of the policies
//! in force and of the store that enforces them, with the policies that permit and forbid it and what
//! would have to be otherwise (45 CFR 164.308(a)(4)(ii)(B); 164.308(a)(8)). Whoever asks leaves an
//! event in the access log.

use crate::actor::{Acting, Actor, Asked};
use crate::gate::Gate;
use crate::in_force::Standing;
use crate::reach::TENANT;
use crate::session::{Audited, Session};
use crate::trail;
use access::{Action, Context, Explained, Facts, Labels, Purpose};
use audit::{Event, Kind, Target, Wanted};
use base::error::code;
use base::{Fault, Millis};
use fhir::definitions::{TypeId, r4};
use identity::{Principal, PrincipalId, SessionId};
use std::sync::Arc;
use store::{KnownFacts, Scope};

/// The session of whoever has none.
const NO_SESSION: &str = "00000000-0000-0000-0000-000000000000";

/// Who is asked about, and what they would do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WhyAsked {
    /// Who.
    pub who: PrincipalId,
    /// What they would do.
    pub action: Action,
    /// To a record of this type.
    pub kind: TypeId,
    /// This record; one that is imagined when not given.
    pub id: Option<String>,
    /// The patient that the imagined record is about.
    pub patient: Option<String>,
    /// For this purpose; for those of their roles when not given.
    pub purpose: Option<Purpose>,
    /// A factor was shown just now.
    pub fresh: bool,
    /// With the patients they treated at this instant; now when not given.
    pub at: Option<Millis>,
}

/// The decision for one purpose.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WhyPurpose {
    /// The purpose.
    pub purpose: Purpose,
    /// What the policies say of the record.
    pub says: Explained,
    /// What would make it permitted: each line by itself.
    pub instead: Vec<String>,
}

/// Why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Why {
    /// The policies that were asked.
    pub standing: Standing,
    /// Whether it would be done: by the policies, by what patients said, and by the standing of whoever
    /// asks.
    pub permitted: bool,
    /// Purpose by purpose.
    pub purposes: Vec<WhyPurpose>,
    /// What ties them to the record.
    pub ties: Vec<&'static str>,
    /// All that they reach of the type with the action, in words.
    pub reaches: String,
    /// What was decided beside the policies, and what was not asked.
    pub notes: Vec<String>,
}

impl Gate {
    /// A principal at work, without a session.
    pub(crate) fn actor_of(
        &self,
        policies: Arc<access::Policies>,
        principal: Principal,
        now: Millis,
    ) -> Result<Actor, Fault> {
        let session = SessionId::parse(NO_SESSION)
            .ok_or_else(|| Fault::new(&code::INTERNAL, "the session of nobody has no id"))?;
        Actor::new(self, policies, Arc::new(principal), session, Acting::default(), now)
    }
}

/// The facts of a record as policies take them.
pub(crate) fn with_facts<T>(
    kind: TypeId,
    known: &KnownFacts,
    then: impl FnOnce(&Facts<'_>) -> T,
) -> T {
    let patients: Vec<&str> = known.patients.iter().map(String::as_str).collect();
    let labels = Labels::from_bits(known.labels);
    let vip = Labels::named("VIP").is_some_and(|vip| labels.meets(vip));
    then(&Facts {
        tenant: TENANT,
        kind,
        patients: &patients,
        site: known.site.as_deref(),
        labels,
        author: known.author.as_deref(),
        vip,
    })
}

impl Session {
    /// Why somebody may, or may not, do something to a record.
    ///
    /// # Errors
    /// `access.denied` for who may not read the access log, `identity.principal.not-found`,
    /// `record.read.not-found`.
    pub fn why(&self, asked: &WhyAsked) -> Result<Audited<Why>, Fault> {
        let mut event = self.event(Kind::PolicyAsked);
        event.targets.push(Target::resource("Principal", asked.who.to_string(), None));
        match &asked.id {
            Some(id) => event.targets.push(trail::target(asked.kind, id, None)),
            None => event.targets.push(Target::of_type(r4().name(asked.kind))),
        }
        event.patients.extend(asked.patient.clone());
        match self.decided_why(asked, &mut event) {
            Ok(why) => self.audited(&event, why),
            Err(fault) => Err(self.refused(event, fault)),
        }
    }

    fn decided_why(&self, asked: &WhyAsked, event: &mut Event) -> Result<Why, Fault> {
        self.may_read_log(None)?;
        let gate = &self.gate;
        let principal = gate.directory.identity.principal(asked.who)?;
        let disabled = principal.disabled.is_some();
        let now = asked.at.unwrap_or_else(|| self.now());
        let (policies, standing) = (gate.policies(), gate.in_force.standing());
        let actor = gate.actor_of(policies, principal, now)?;
        let everything = Scope::everything();
        let (known, real) = match &asked.id {
            Some(id) => {
                let known = gate.store.reader(&everything)?.facts(asked.kind, id)?;
                let say = "no record of this type has this id";
                (known.ok_or_else(|| Fault::new(&code::NOT_FOUND, say))?, true)
            }
            None => (imagined(asked, gate.settings.site.as_deref()), false),
        };
        for patient in &known.patients {
            if !event.patients.contains(patient) {
                event.patients.push(patient.clone());
            }
        }
        let age = if asked.fresh { 0 } else { i64::MAX };
        let said = Asked { purpose: asked.purpose };
        let purposes: Vec<WhyPurpose> = actor
            .purposes(&said)
            .into_iter()
            .map(|purpose| {
                let context = Context { mfa_age_seconds: age, ..Context::of(purpose) };
                let policies = actor.policies();
                let (says, instead) = with_facts(asked.kind, &known, |facts| {
                    let says = policies.explain(&actor.who, asked.action, facts, &context);
                    let instead = match says.permitted {
                        true => Vec::new(),
                        false => policies.instead(&actor.who, asked.action, facts, &context),
                    };
                    (says, instead)
                });
                WhyPurpose { purpose, says, instead }
            })
            .collect();
        let permit = purposes.iter().any(|one| one.says.permitted);
        let scope = actor.scope(gate, asked.action, &said, None, age)?;
        let mut notes = Vec::new();
        let permitted = match (&asked.id, &scope) {
            (Some(id), Some(scope)) => {
                let seen = gate.store.reader(scope)?.facts(asked.kind, id)?.is_some();
                match (permit, seen) {
                    (true, false) => {
                        notes.push("what the patient said keeps it from them".to_owned())
                    }
                    (false, true) => {
                        notes.push("what the patient said releases it to them".to_owned())
                    }
                    _ => {}
                }
                seen
            }
            (Some(_), None) => false,
            (None, _) => permit,
        };
        if !real {
            notes.push(
                "the record is imagined: without labels, at the site of the house, by nobody; what patients said is not weighed"
                    .to_owned(),
            );
        }
        if disabled {
            notes.push("they are shut out, whatever the policies say".to_owned());
        }
        if let Some(at) = asked.at {
            self.was_then(at, &mut notes)?;
        }
        notes.push(
            "not asked: a glass that they may have broken, and what an app of theirs was given"
                .to_owned(),
        );
        Ok(Why {
            standing,
            permitted: permitted && !disabled,
            purposes,
            ties: ties(&actor, &known),
            reaches: reaches(&actor, asked, &said, age),
            notes,
        })
    }

    /// Says what of an instant in the past could not be brought back.
    fn was_then(&self, at: Millis, notes: &mut Vec<String>) -> Result<(), Fault> {
        let wanted = Wanted {
            patient: None,
            from: Some(at),
            until: None,
            before: u64::MAX,
            count: 1,
            looks_max: u64::MAX,
            fits: &|event| event.kind == Kind::PolicyChange,
        };
        self.gate.log.catch_up()?;
        let page = self.gate.finder_beside()?.newest(&wanted)?;
        if !page.entries.is_empty() {
            let say = "partial: other policies were in force then; these are those of now";
            notes.push(say.to_owned());
        }
        notes.push(
            "partial: appointments and visits are taken as of then, and all else (roles, teams, labels, the record) as it is now"
                .to_owned(),
        );
        Ok(())
    }
}

fn imagined(asked: &WhyAsked, site: Option<&str>) -> KnownFacts {
    KnownFacts {
        patients: asked.patient.iter().cloned().collect(),
        site: site.map(str::to_owned),
        ..KnownFacts::default()
    }
}

/// What ties somebody to a record.
fn ties(actor: &Actor, known: &KnownFacts) -> Vec<&'static str> {
    let who = &actor.who;
    let any = |held: &[Arc<str>]| {
        known.patients.iter().any(|patient| held.iter().any(|own| **own == **patient))
    };
    let mut ties = Vec::new();
    for (there, tie) in [
        (any(&who.patients_in_care), "treats the patient"),
        (any(&who.own_record), "is the patient"),
        (any(&who.represents), "speaks for the patient"),
        (known.author.as_deref() == Some(&*who.id), "wrote the record"),
        (
            known.site.as_ref().is_some_and(|site| who.sites.iter().any(|own| **own == **site)),
            "works at the record's site",
        ),
    ] {
        if there {
            ties.push(tie);
        }
    }
    ties
}

/// All that somebody reaches of a type. Lists of patients are cut to a few, as everywhere.
fn reaches(actor: &Actor, asked: &WhyAsked, said: &Asked, age: i64) -> String {
    let mut all = Vec::new();
    for purpose in actor.purposes(said) {
        let context = Context { mfa_age_seconds: age, ..Context::of(purpose) };
        let decided = actor.policies().guard(&actor.who, asked.action, Some(asked.kind), &context);
        all.push(format!("{}: {}", purpose.as_str(), decided.guard()));
    }
    all.join("\n")
}
