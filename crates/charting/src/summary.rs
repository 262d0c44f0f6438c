//! The first screen of a chart, read in one go: on one snapshot, under the caller's scope, with one audit
//! event (`Session::chart`). Each part says how many it shows of how many there are, and whether such
//! records may be withheld from the caller; what is left out is said, never just absent.

mod banner;
mod care;
mod results;
mod visits;

pub use banner::{Address, Age, Banner, Born, Deceased, Identifier, Name, Photo, age};
pub use care::{Allergy, AllergyState, Immunisation, Medication, Problem};
pub use results::{Finding, Flag, POINTS_MAX, Point, Report, Vital};
pub use visits::{Agreement, Alert, Booking, Carer, Cover, Paper, Visit};

pub(crate) use care::status;
pub(crate) use results::{point, value as finding_value};
pub(crate) use visits::visit as visit_of;

use crate::read::{Part, hidden, parsed};
use crate::sign::{LOINC, Sign};
use base::error::code;
use base::{Fault, Millis};
use fhir::definitions::{TypeId, r4};
use record::proxy::{Proxy, Whose};
use record::{Audited, ChartPart, Hit, OpenChart, Reach, Session};

/// Rows of a part, as text for `_count`: what fits a screen without scrolling twice, and all of what a
/// clinician must not miss (allergies, problems, medications).
const ALL: &str = "100";
const RECENT: &str = "10";
const NEXT: &str = "5";
/// Observations that the latest vital signs are looked for in; a visit leaves about ten.
const SIGNS: &str = "150";
/// Results that are looked through for those that stand in no report.
const LOOSE: &str = "60";

/// What the first screen of a chart shows.
#[derive(Clone)]
pub struct Summary {
    /// Who it is.
    pub banner: Banner,
    /// As of when.
    pub as_of: Millis,
    /// What to be alert to.
    pub alerts: Part<Alert>,
    /// Allergies, active first.
    pub allergies: Part<Allergy>,
    /// What the chart says of allergies as a whole.
    pub allergy_state: AllergyState,
    /// Active problems, those of the problem list first, newest first.
    pub problems: Part<Problem>,
    /// Active medications as ordered.
    pub orders: Part<Medication>,
    /// Active medications as the patient tells.
    pub statements: Part<Medication>,
    /// Immunisations, newest first.
    pub immunisations: Part<Immunisation>,
    /// Vital signs; `total` counts the Observations they are of.
    pub vitals: Part<Vital>,
    /// Results by report, newest first.
    pub results: Part<Report>,
    /// Visits, newest first.
    pub visits: Part<Visit>,
    /// Documents, newest first.
    pub documents: Part<Paper>,
    /// What is booked, soonest first.
    pub next: Part<Booking>,
    /// What was booked, latest first.
    pub past: Part<Booking>,
    /// Who cares for the patient; `total` counts the teams.
    pub team: Part<Carer>,
    /// Coverage in force.
    pub coverage: Part<Cover>,
    /// Consents in force.
    pub consents: Part<Agreement>,
    /// Who may act for the patient now.
    pub proxies: Vec<Proxy>,
}

hidden!(Summary);

impl Summary {
    /// Reads the summary of a patient's chart.
    ///
    /// # Errors
    /// `record.read.not-found` or `record.read.gone`, also when the patient is not the caller's to see;
    /// `audit.unavailable`.
    pub fn of(session: &Session, patient: &str) -> Result<Audited<Self>, Fault> {
        let now = session.now();
        session.chart(patient, |chart| Self::gather(chart, now, &mut |_| {}))
    }

    /// As [`Summary::of`] of a chart that is open already; `done` is told each part when it is read.
    ///
    /// # Errors
    /// As [`Summary::of`].
    pub fn gather(
        chart: &mut OpenChart<'_>,
        now: Millis,
        done: &mut dyn FnMut(&'static str),
    ) -> Result<Self, Fault> {
        let person = chart.person()?;
        let mut banner = parsed(&person)
            .map(|document| Banner::of(&person, document.root(), now))
            .unwrap_or_default();
        let id = chart.patient().to_owned();
        let general =
            ask(chart, "Patient", &[("_id", &id), ("_include", "Patient:general-practitioner")])?;
        let names = visits::names(&general.page.included);
        banner.general_practitioners.iter_mut().for_each(|one| visits::called(one, &names));
        done("banner");
        let alerts = alerts(chart)?;
        done("alerts");
        let found = ask(chart, "AllergyIntolerance", &counted(ALL, &[("_sort", "-date")]))?;
        let (allergies, allergy_state) = care::allergies(&found);
        done("allergies");
        let problems = problems(chart)?;
        done("problems");
        let (orders, statements) = medications(chart)?;
        done("medications");
        let given = ask(chart, "Immunization", &counted(RECENT, &[("_sort", "-date")]))?;
        let immunisations = Part::of(&given, care::immunisation);
        done("immunisations");
        let vitals = vitals(chart)?;
        done("vitals");
        let results = results_of(chart)?;
        done("results");
        let visits = ask(chart, "Encounter", &counted(RECENT, &[("_sort", "-date")]))?;
        let visits = Part::of(&visits, visits::visit);
        done("visits");
        let documents = documents(chart)?;
        done("documents");
        let (next, past) = bookings(chart, now)?;
        done("appointments");
        let active = [("status", "active")];
        let found = ask(
            chart,
            "CareTeam",
            &counted(RECENT, &[("status", "active"), ("_include", "CareTeam:participant")]),
        )?;
        let team = Part {
            rows: visits::carers(&found),
            total: found.page.total.unwrap_or(0),
            reach: found.reach,
            masked: found.masked,
        };
        done("team");
        let coverage = Part::of(&ask(chart, "Coverage", &counted(RECENT, &active))?, visits::cover);
        done("coverage");
        let consents = consents(chart)?;
        done("consents");
        let proxies = proxies(chart, &person, now)?;
        done("people");
        Ok(Self {
            banner,
            as_of: now,
            alerts,
            allergies,
            allergy_state,
            problems,
            orders,
            statements,
            immunisations,
            vitals,
            results,
            visits,
            documents,
            next,
            past,
            team,
            coverage,
            consents,
            proxies,
        })
    }

    /// Which parts the caller may not be shown whole, by name, whatever this patient's chart holds: what
    /// the screen says in place of what it leaves out.
    pub fn may_be_withheld(&self) -> Vec<(&'static str, Reach)> {
        let parts = [
            ("alerts", &self.alerts.reach),
            ("allergies", &self.allergies.reach),
            ("problems", &self.problems.reach),
            ("medications", &self.orders.reach),
            ("reported medications", &self.statements.reach),
            ("immunisations", &self.immunisations.reach),
            ("vital signs", &self.vitals.reach),
            ("results", &self.results.reach),
            ("visits", &self.visits.reach),
            ("documents", &self.documents.reach),
            ("appointments", &self.next.reach),
            ("care team", &self.team.reach),
            ("coverage", &self.coverage.reach),
            ("consents", &self.consents.reach),
        ];
        let parts = parts.into_iter().filter(|(_, reach)| **reach != Reach::Whole);
        parts.map(|(name, reach)| (name, reach.clone())).collect()
    }
}

/// What stands above every page of a chart: who it is, and what to be alert to.
#[derive(Clone)]
pub struct Head {
    /// Who it is.
    pub banner: Banner,
    /// Allergies, active first.
    pub allergies: Part<Allergy>,
    /// What the chart says of allergies as a whole.
    pub allergy_state: AllergyState,
    /// What to be alert to.
    pub alerts: Part<Alert>,
    /// Consents in force.
    pub consents: Part<Agreement>,
    /// Who may act for the patient now.
    pub proxies: Vec<Proxy>,
}

hidden!(Head);

impl Head {
    /// Reads it, on one snapshot, with one event.
    ///
    /// # Errors
    /// As [`Summary::of`].
    pub fn of(session: &Session, patient: &str) -> Result<Audited<Self>, Fault> {
        let now = session.now();
        session.chart(patient, |chart| {
            let person = chart.person()?;
            let banner = parsed(&person)
                .map(|document| Banner::of(&person, document.root(), now))
                .unwrap_or_default();
            let found = ask(chart, "AllergyIntolerance", &counted(ALL, &[("_sort", "-date")]))?;
            let (allergies, allergy_state) = care::allergies(&found);
            let alerts = alerts(chart)?;
            let consents = consents(chart)?;
            let proxies = proxies(chart, &person, now)?;
            Ok(Self { banner, allergies, allergy_state, alerts, consents, proxies })
        })
    }
}

impl From<&Summary> for Head {
    fn from(summary: &Summary) -> Self {
        Self {
            banner: summary.banner.clone(),
            allergies: summary.allergies.clone(),
            allergy_state: summary.allergy_state,
            alerts: summary.alerts.clone(),
            consents: summary.consents.clone(),
            proxies: summary.proxies.clone(),
        }
    }
}

fn consents(chart: &mut OpenChart<'_>) -> Result<Part<Agreement>, Fault> {
    let query = [("status", "active"), ("_sort", "-date")];
    // An old one may be the one that denies.
    Ok(Part::of(&ask(chart, "Consent", &counted(ALL, &query))?, visits::agreement))
}

/// Who may act for the patient now (45 CFR 164.502(g)).
fn proxies(chart: &mut OpenChart<'_>, person: &Hit, now: Millis) -> Result<Vec<Proxy>, Fault> {
    let found = ask(chart, "RelatedPerson", &[("_count", ALL), ("active:not", "false")])?;
    let Some(person) = parsed(person) else { return Ok(Vec::new()) };
    let whose = Whose::of(person.root(), chart.home_state());
    let all = found.page.matches.iter().filter_map(|hit| {
        let document = parsed(hit)?;
        Proxy::read(document.root(), &whose, now)
    });
    Ok(all.filter(|one| one.stands).collect())
}

/// A search of the chart, by the type's name.
pub(crate) fn ask(
    chart: &mut OpenChart<'_>,
    kind: &str,
    query: &[(&str, &str)],
) -> Result<ChartPart, Fault> {
    chart.search(type_named(kind)?, query)
}

pub(crate) fn type_named(kind: &str) -> Result<TypeId, Fault> {
    r4().resource_type(kind)
        .ok_or_else(|| Fault::new(&code::INTERNAL, "the definitions lack a type of R4"))
}

/// A query of so many rows that counts all there are.
fn counted<'q>(count: &'q str, query: &[(&'q str, &'q str)]) -> Vec<(&'q str, &'q str)> {
    let mut all = vec![("_count", count), ("_total", "accurate")];
    all.extend_from_slice(query);
    all
}

/// Flags that are active. R4 has no parameter for their status, so it is read here.
fn alerts(chart: &mut OpenChart<'_>) -> Result<Part<Alert>, Fault> {
    let found = ask(chart, "Flag", &counted(ALL, &[("_sort", "-date")]))?;
    let mut flags = Part::of(&found, |hit, root| {
        (root.get_str("status").as_deref() == Some("active")).then(|| visits::alert(hit, root))
    });
    let over = flags.rows.iter().filter(|one| one.is_none()).count();
    flags.total -= u64::try_from(over).unwrap_or(0);
    let Part { rows, total, reach, masked } = flags;
    Ok(Part { rows: rows.into_iter().flatten().collect(), total, reach, masked })
}

fn problems(chart: &mut OpenChart<'_>) -> Result<Part<Problem>, Fault> {
    let found = ask(
        chart,
        "Condition",
        &counted(
            ALL,
            &[
                ("clinical-status", "active,recurrence,relapse"),
                ("verification-status:not", "entered-in-error"),
                ("verification-status:not", "refuted"),
                ("_sort", "-onset-date"),
            ],
        ),
    )?;
    let mut problems = Part::of(&found, care::problem);
    problems.rows.sort_by_key(|one| !one.on_list);
    Ok(problems)
}

fn medications(chart: &mut OpenChart<'_>) -> Result<(Part<Medication>, Part<Medication>), Fault> {
    let query = [
        ("status", "active,on-hold"),
        ("_sort", "-authoredon"),
        ("_include", "MedicationRequest:medication"),
    ];
    let orders = ask(chart, "MedicationRequest", &counted(ALL, &query))?;
    let query = [
        ("status", "active,intended,on-hold"),
        ("_sort", "-effective"),
        ("_include", "MedicationStatement:medication"),
    ];
    let told = ask(chart, "MedicationStatement", &counted(ALL, &query))?;
    Ok((
        care::medications(&orders, "MedicationRequest"),
        care::medications(&told, "MedicationStatement"),
    ))
}

/// The latest values of each sign. Nearly always they are among the newest Observations; for a sign that
/// is not, the chart is asked again by its code.
pub(crate) fn vitals(chart: &mut OpenChart<'_>) -> Result<Part<Vital>, Fault> {
    let query = [("category", "vital-signs"), ("_sort", "-date")];
    let found = ask(chart, "Observation", &counted(SIGNS, &query))?;
    let whole = u64::try_from(found.page.matches.len()).ok() >= found.page.total;
    let mut by_sign: Vec<(Sign, Vec<Point>)> = Sign::ALL.map(|sign| (sign, Vec::new())).into();
    take(&found, &mut by_sign);
    let mut vitals = Vec::new();
    for (sign, mut points) in by_sign {
        let mut more = !whole;
        if points.is_empty() && !whole {
            let coded: Vec<String> =
                sign.codes().iter().map(|one| format!("{LOINC}|{one}")).collect();
            let any = coded.join(",");
            let query = [("code", any.as_str()), ("_sort", "-date"), ("_count", "12")];
            let again = ask(chart, "Observation", &query)?;
            more = again.page.next.is_some();
            let mut one = vec![(sign, Vec::new())];
            take(&again, &mut one);
            points = one.into_iter().flat_map(|(_, points)| points).collect();
        }
        more |= points.len() > POINTS_MAX;
        points.truncate(POINTS_MAX);
        if !points.is_empty() {
            vitals.push(Vital { sign, points, more });
        }
    }
    let total = found.page.total.unwrap_or(0);
    Ok(Part { rows: vitals, total, reach: found.reach, masked: found.masked })
}

fn take(part: &ChartPart, into: &mut [(Sign, Vec<Point>)]) {
    for hit in &part.page.matches {
        let Some(document) = parsed(hit) else { continue };
        if let Some((sign, point)) = point(hit, document.root())
            && let Some((_, points)) = into.iter_mut().find(|(of, _)| *of == sign)
        {
            points.push(point);
        }
    }
}

fn results_of(chart: &mut OpenChart<'_>) -> Result<Part<Report>, Fault> {
    let query = [("_sort", "-date"), ("_include", "DiagnosticReport:result")];
    let reports = ask(chart, "DiagnosticReport", &counted(RECENT, &query))?;
    let query = [("category", "laboratory"), ("_sort", "-date"), ("_count", LOOSE)];
    let loose = ask(chart, "Observation", &query)?;
    let mut found = results::reports(&reports, &loose);
    // A report whose results are withheld is no whole report.
    if found.reach == Reach::Whole {
        found.reach = loose.reach;
    }
    found.masked |= loose.masked;
    Ok(found)
}

fn documents(chart: &mut OpenChart<'_>) -> Result<Part<Paper>, Fault> {
    let sorted = counted(RECENT, &[("_sort", "-date")]);
    let found = ask(chart, "DocumentReference", &sorted)?;
    let mut all = Part::of(&found, |hit, root| visits::paper("DocumentReference", hit, root));
    let found = ask(chart, "Composition", &sorted)?;
    let more = Part::of(&found, |hit, root| visits::paper("Composition", hit, root));
    all.total += more.total;
    all.rows.extend(more.rows);
    all.masked |= more.masked;
    if all.reach == Reach::Whole {
        all.reach = more.reach;
    }
    all.rows.sort_by_key(|one| std::cmp::Reverse(crate::read::instant(&one.at)));
    all.rows.truncate(10);
    Ok(all)
}

fn bookings(
    chart: &mut OpenChart<'_>,
    now: Millis,
) -> Result<(Part<Booking>, Part<Booking>), Fault> {
    let (from, until) = (format!("ge{}", now.to_instant()), format!("lt{}", now.to_instant()));
    let query = [("date", from.as_str()), ("status:not", "cancelled"), ("_sort", "date")];
    let next = ask(chart, "Appointment", &counted(NEXT, &query))?;
    let query = [("date", until.as_str()), ("_sort", "-date")];
    let past = ask(chart, "Appointment", &counted(NEXT, &query))?;
    Ok((Part::of(&next, visits::booking), Part::of(&past, visits::booking)))
}
