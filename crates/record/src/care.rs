//! Whom somebody treats, and for whom somebody speaks, as the record itself tells: general
//! practitioners, care teams, visits and appointments; personal representatives (45 CFR 164.506(c)(2),
//! 164.502(g)). What a policy calls `patientsInCare` and `represents` is this and nothing else.

use crate::gate::Gate;
use crate::people::Patients;
use base::{Fault, Millis};
use fhir::definitions::r4;
use identity::Profile;
use search::parse::{Level, Options, parse};
use std::collections::BTreeSet;
use std::sync::Arc;
use store::{Hit, PageRequest, Scope};

/// How long before and after an appointment or visit somebody is in care.
const DAYS: i64 = 30;
const DAY_MS: i64 = 86_400_000;
/// The most patients one principal is said to treat; more are not in care.
const PATIENTS_MAX: usize = 20_000;

/// Relations of one principal to patients.
#[derive(Debug, Default)]
pub(crate) struct Relations {
    pub(crate) in_care: Vec<Arc<str>>,
    pub(crate) represents: Vec<Arc<str>>,
}

impl Gate {
    /// What the record tells of a principal's relations.
    pub(crate) fn relations(&self, profile: &Profile, now: Millis) -> Result<Relations, Fault> {
        let mut relations = Relations::default();
        let mut ids = BTreeSet::new();
        if let Some(id) = &profile.practitioner {
            let who = format!("Practitioner/{id}");
            let span = |from: i64, to: i64| {
                [from, to].map(|days| date(Millis(now.0.saturating_add(days * DAY_MS))))
            };
            let [from, to] = span(-DAYS, DAYS);
            let around =
                |name: &'static str| vec![(name, format!("ge{from}")), (name, format!("le{to}"))];
            self.gather("Patient", vec![("general-practitioner", who.clone())], &mut ids)?;
            self.gather("CareTeam", vec![("participant", who.clone())], &mut ids)?;
            let mut pairs = around("date");
            pairs.push(("participant", who.clone()));
            self.gather("Encounter", pairs, &mut ids)?;
            let mut pairs = around("date");
            pairs.push(("actor", who));
            self.gather("Appointment", pairs, &mut ids)?;
        }
        for team in &profile.care_teams {
            self.gather("CareTeam", vec![("_id", team.clone())], &mut ids)?;
        }
        relations.in_care = ids.iter().map(|id| id.as_str().into()).collect();
        relations.represents = profile.represents.iter().map(|id| id.as_str().into()).collect();
        Ok(relations)
    }

    /// Adds the patients of what a search finds. It is the guard's own question, whatever the caller
    /// may see; none of it is shown.
    fn gather(
        &self,
        of: &str,
        pairs: Vec<(&'static str, String)>,
        ids: &mut BTreeSet<String>,
    ) -> Result<(), Fault> {
        let Some(of) = r4().resource_type(of) else { return Ok(()) };
        let pairs: Vec<(String, String)> =
            pairs.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
        let limits = self.settings.limits;
        let options = Options {
            lenient: false,
            limits,
            now: self.settings.clock.now(),
            base_url: None,
            conditional: false,
            hidden: None,
        };
        let search = parse(&Level::Type(of), &pairs, &options)?;
        let everything = Scope::everything();
        let reader = self.store.reader(&everything)?;
        let mut request = PageRequest {
            count: limits.page_max,
            position: None,
            include_max: 0,
            steps_max: limits.search_steps,
        };
        loop {
            let page = reader.search(&search, &request)?;
            ids.extend(page.matches.iter().filter_map(whom));
            match page.next {
                Some(next) if ids.len() < PATIENTS_MAX => request.position = Some(next),
                _ => return Ok(()),
            }
        }
    }
}

/// Whom a hit puts into care: the patient it is, or the one patient it names. Of one that names several
/// nobody: whoever may write about the one could bring the other into care by it, and look.
fn whom(hit: &Hit) -> Option<String> {
    if r4().name(hit.resource_type) == "Patient" {
        return Some(hit.id.clone());
    }
    let mut patients = Patients::default();
    patients.of_hit(hit);
    let mut ids = patients.into_ids().into_iter();
    ids.next().filter(|_| ids.next().is_none())
}

/// `YYYY-MM-DD` of an instant.
fn date(at: Millis) -> String {
    let mut text = String::new();
    at.write_instant(&mut text);
    text.truncate(10);
    text
}
