//! The chart in the order of time: what happened to a patient, newest first, by kind, by date, by who
//! wrote it and by visit, in pages of bounded length. A page is read on one snapshot with one event
//! (`Session::chart`), and goes on behind the last row that was shown (keyset), so that a chart of thirty
//! years costs no more at its end than at its beginning.
//!
//! Rows of one type at one instant are told apart by how many of them were shown: their order is the
//! store's and does not change.

mod row;

pub use row::{Item, Row};

use crate::read::parsed;
use crate::summary::{Visit, ask};
use base::error::code;
use base::{Fault, Millis};
use fhir::reference::is_id;
use record::{Audited, OpenChart, Reach, Session};

/// Rows of a page at most.
pub const ROWS_MAX: usize = 100;
/// Records without a date that are shown behind the last that has one, of each type.
const UNDATED: &str = "20";
/// Rows at one instant that a place can stand behind; more are an import that gave everything one date.
const SHOWN_MAX: usize = 800;

/// What kind of thing happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Happened {
    /// A visit.
    Visit,
    /// A note or another document.
    Document,
    /// A report of results.
    Result,
    /// Something was measured or observed.
    Measured,
    /// A problem was recorded.
    Problem,
    /// An allergy was recorded.
    Allergy,
    /// A medication was ordered, or told of.
    Medication,
    /// A vaccine was given.
    Immunisation,
    /// A procedure was done.
    Procedure,
    /// An appointment.
    Appointment,
}

impl Happened {
    /// All of them, as filters are offered.
    pub const ALL: [Self; 10] = [
        Self::Visit,
        Self::Document,
        Self::Result,
        Self::Measured,
        Self::Problem,
        Self::Allergy,
        Self::Medication,
        Self::Immunisation,
        Self::Procedure,
        Self::Appointment,
    ];

    /// Its name in an address.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Visit => "visits",
            Self::Document => "documents",
            Self::Result => "results",
            Self::Measured => "measured",
            Self::Problem => "problems",
            Self::Allergy => "allergies",
            Self::Medication => "medications",
            Self::Immunisation => "immunisations",
            Self::Procedure => "procedures",
            Self::Appointment => "appointments",
        }
    }
}

/// A type of record, and by which of its parameters (<https://hl7.org/fhir/R4/searchparameter-registry.html>)
/// it is dated, written by somebody, and of a visit; empty where R4 has none.
pub(crate) struct Source {
    pub(crate) kind: &'static str,
    pub(crate) happened: Happened,
    date: &'static str,
    author: &'static str,
    visit: &'static str,
}

const fn source(
    kind: &'static str,
    happened: Happened,
    date: &'static str,
    (author, visit): (&'static str, &'static str),
) -> Source {
    Source { kind, happened, date, author, visit }
}

const SOURCES: [Source; 13] = [
    source("Encounter", Happened::Visit, "date", ("participant", "_id")),
    source("DocumentReference", Happened::Document, "date", ("author", "encounter")),
    source("Composition", Happened::Document, "date", ("author", "encounter")),
    source("DiagnosticReport", Happened::Result, "date", ("performer", "encounter")),
    source("Observation", Happened::Measured, "date", ("performer", "encounter")),
    source("Condition", Happened::Problem, "recorded-date", ("asserter", "encounter")),
    source("AllergyIntolerance", Happened::Allergy, "date", ("recorder", "")),
    source("MedicationRequest", Happened::Medication, "authoredon", ("requester", "encounter")),
    source("MedicationStatement", Happened::Medication, "effective", ("source", "context")),
    source("Immunization", Happened::Immunisation, "date", ("performer", "")),
    source("Procedure", Happened::Procedure, "date", ("performer", "encounter")),
    source("Appointment", Happened::Appointment, "date", ("practitioner", "")),
    source(
        "MedicationAdministration",
        Happened::Medication,
        "effective-time",
        ("performer", "context"),
    ),
];

/// What is asked of the timeline.
#[derive(Clone, Default)]
pub struct Filter {
    /// Only these kinds; all of them when there is none.
    pub kinds: Vec<Happened>,
    /// From this day or instant on.
    pub from: Option<String>,
    /// Before this day or instant.
    pub before: Option<String>,
    /// By this practitioner: `Practitioner/1`. Kinds that name nobody fall out.
    pub author: Option<String>,
    /// Of this visit, by the Encounter's id. Kinds that belong to none fall out.
    pub visit: Option<String>,
}

/// A page of the timeline.
#[derive(Clone)]
pub struct Timeline {
    /// Rows, newest first; those without a date last.
    pub rows: Vec<Row>,
    /// How many records the filter has in all, told on the first page.
    pub total: Option<u64>,
    /// Where the next page begins.
    pub next: Option<Place>,
    /// Kinds of which the caller may not be shown all.
    pub withheld: Vec<(Happened, Reach)>,
}

crate::read::hidden!(Filter, Timeline);

/// A place between two rows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// The instant of the last row shown.
    at: i64,
    /// How many rows of each type were shown of that instant.
    shown: Vec<usize>,
}

impl Place {
    /// As text for an address. It tells when something happened, and of whom the address tells anyway.
    pub fn text(&self) -> String {
        let shown: Vec<String> = self.shown.iter().map(ToString::to_string).collect();
        format!("{}.{}", self.at, shown.join("-"))
    }

    /// Reads what [`Place::text`] wrote.
    ///
    /// # Errors
    /// `search.page.cursor` for any other text.
    pub fn of(text: &str) -> Result<Self, Fault> {
        let read = || {
            let (at, shown) = text.split_once('.')?;
            let shown: Vec<usize> =
                shown.split('-').map(|one| one.parse().ok()).collect::<Option<_>>()?;
            let fits = shown.len() == SOURCES.len() && shown.iter().all(|one| *one <= SHOWN_MAX);
            Some(Self { at: at.parse().ok()?, shown }).filter(|_| fits)
        };
        read().ok_or_else(|| Fault::new(&code::SEARCH_CURSOR, "begin again from the first page"))
    }
}

/// Reads a page.
///
/// # Errors
/// As `Session::chart`; `search.page.cursor`; codes of `search.*` for a date that is none.
pub fn page(
    session: &Session,
    patient: &str,
    filter: &Filter,
    after: Option<&Place>,
) -> Result<Audited<Timeline>, Fault> {
    session.chart(patient, |chart| gather(chart, filter, after))
}

/// One record of a chart as a row; none when it is not there, not the caller's to see, or another
/// patient's.
///
/// # Errors
/// As `Session::chart`.
pub fn one(
    session: &Session,
    patient: &str,
    (kind, id): (&str, &str),
) -> Result<Audited<Option<Row>>, Fault> {
    session.chart(patient, |chart| {
        let Some(source) = SOURCES.iter().find(|one| one.kind == kind).filter(|_| is_id(id)) else {
            return Ok(None);
        };
        let found = ask(chart, source.kind, &[("_id", id)])?;
        let hit = found.page.matches.first();
        Ok(hit.and_then(|hit| Some(Row::of(source, hit, parsed(hit)?.root()))))
    })
}

/// A visit of a patient; none as [`one`].
///
/// # Errors
/// As `Session::chart`.
pub fn visit(session: &Session, patient: &str, id: &str) -> Result<Audited<Option<Visit>>, Fault> {
    session.chart(patient, |chart| {
        if !is_id(id) {
            return Ok(None);
        }
        let found = ask(chart, "Encounter", &[("_id", id)])?;
        let hit = found.page.matches.first();
        Ok(hit.and_then(|hit| Some(crate::summary::visit_of(hit, parsed(hit)?.root()))))
    })
}

fn gather(
    chart: &mut OpenChart<'_>,
    filter: &Filter,
    after: Option<&Place>,
) -> Result<Timeline, Fault> {
    let (mut all, mut total, mut withheld, mut more) = (Vec::new(), 0, Vec::new(), false);
    for (at, source) in SOURCES.iter().enumerate() {
        let Some(mut query) = source.query(filter) else { continue };
        let shown = after.and_then(|place| place.shown.get(at)).copied().unwrap_or(0);
        query.push(("_sort".to_owned(), format!("-{}", source.date)));
        query.push(("_count".to_owned(), (ROWS_MAX + 1 + shown).to_string()));
        match after {
            Some(place) => query.push((
                source.date.to_owned(),
                format!("lt{}", Millis(place.at.saturating_add(1)).to_instant()),
            )),
            None => query.push(("_total".to_owned(), "accurate".to_owned())),
        }
        let found = asked(chart, source.kind, &query)?;
        if found.reach != Reach::Whole
            && !withheld.iter().any(|(happened, _)| *happened == source.happened)
        {
            withheld.push((source.happened, found.reach.clone()));
        }
        total += found.page.total.unwrap_or(0);
        more |= found.page.next.is_some();
        let rows = found.page.matches.iter().filter_map(|hit| {
            let row = Row::of(source, hit, parsed(hit)?.root());
            (row.instant > i64::MIN).then_some((at, row))
        });
        // The first of that instant were shown.
        let mut skip = shown;
        all.extend(rows.filter(|(_, row)| {
            let was_shown = skip > 0 && after.is_some_and(|place| place.at == row.instant);
            skip -= usize::from(was_shown);
            !was_shown
        }));
    }
    // It keeps the order within a type.
    all.sort_by_key(|(_, row)| std::cmp::Reverse(row.instant));
    more |= all.len() > ROWS_MAX;
    all.truncate(ROWS_MAX);
    let next = more.then(|| next(&all, after)).flatten();
    let mut rows: Vec<Row> = all.into_iter().map(|(_, row)| row).collect();
    if next.is_none() && filter.from.is_none() && filter.before.is_none() {
        rows.extend(undated(chart, filter)?);
    }
    Ok(Timeline { rows: joined(rows), total: after.is_none().then_some(total), next, withheld })
}

/// Behind the last of these rows.
fn next(rows: &[(usize, Row)], after: Option<&Place>) -> Option<Place> {
    let (_, last) = rows.last()?;
    let mut shown = match after.filter(|place| place.at == last.instant) {
        Some(place) => place.shown.clone(),
        None => vec![0; SOURCES.len()],
    };
    for (at, _) in rows.iter().filter(|(_, row)| row.instant == last.instant) {
        if let Some(count) = shown.get_mut(*at) {
            *count += 1;
        }
    }
    Some(Place { at: last.instant, shown })
}

/// What has no date, and so would be on no page.
fn undated(chart: &mut OpenChart<'_>, filter: &Filter) -> Result<Vec<Row>, Fault> {
    let mut rows = Vec::new();
    for source in &SOURCES {
        let Some(mut query) = source.query(filter) else { continue };
        query.push((format!("{}:missing", source.date), "true".to_owned()));
        query.push(("_count".to_owned(), UNDATED.to_owned()));
        let found = asked(chart, source.kind, &query)?;
        rows.extend(
            found
                .page
                .matches
                .iter()
                .filter_map(|hit| Some(Row::of(source, hit, parsed(hit)?.root()))),
        );
    }
    Ok(rows)
}

/// What was measured at one moment by one person is one row.
fn joined(rows: Vec<Row>) -> Vec<Row> {
    let mut out: Vec<Row> = Vec::new();
    for row in rows {
        match out.last_mut() {
            Some(last)
                if row.happened == Happened::Measured
                    && last.happened == Happened::Measured
                    && last.at == row.at
                    && last.who == row.who
                    && last.visit == row.visit =>
            {
                last.items.extend(row.items);
            }
            _ => out.push(row),
        }
    }
    out
}

impl Source {
    /// The filter as a query of this type; `None` when nothing of it can pass.
    fn query(&self, filter: &Filter) -> Option<Vec<(String, String)>> {
        if !filter.kinds.is_empty() && !filter.kinds.contains(&self.happened) {
            return None;
        }
        let mut query = Vec::new();
        // By when it began: a visit that goes on would be "on or after" any day.
        let bound = |date: &str, prefix: &str, less: i64| match fhir::date::parse(date) {
            Some(range) => {
                format!("{prefix}{}", Millis(range.low.saturating_sub(less)).to_instant())
            }
            None => date.to_owned(),
        };
        let dates = [
            filter.from.as_ref().map(|from| bound(from, "sa", 1)),
            filter.before.as_ref().map(|before| bound(before, "lt", 0)),
        ];
        query.extend(dates.into_iter().flatten().map(|date| (self.date.to_owned(), date)));
        if let Some(author) = &filter.author {
            let id = author.strip_prefix("Practitioner/").filter(|id| is_id(id))?;
            query.push((self.author.to_owned(), format!("Practitioner/{id}")));
        }
        if let Some(visit) = filter.visit.as_ref() {
            if self.visit.is_empty() || !is_id(visit) {
                return None;
            }
            query.push((self.visit.to_owned(), visit.clone()));
        }
        Some(query)
    }
}

fn asked(
    chart: &mut OpenChart<'_>,
    kind: &str,
    query: &[(String, String)],
) -> Result<record::ChartPart, Fault> {
    let pairs: Vec<(&str, &str)> =
        query.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    ask(chart, kind, &pairs)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_read_as_it_was_written_and_nothing_else_is_one() {
        let place = Place { at: -62_000, shown: (0..SOURCES.len()).collect() };
        assert_eq!(Place::of(&place.text()).unwrap(), place);
        for odd in ["", "1", "1.", "1.2-3", "x.0-0", "1.0-0-0-0-0-0-0-0-0-0-0-0-99999999"] {
            assert!(Place::of(odd).is_err(), "{odd}");
        }
    }
}
