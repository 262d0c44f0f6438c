//! What was measured: the latest of each vital sign with the values before it, and results by report,
//! flagged by what the laboratory said and, where it said nothing, by its reference range
//! (<https://hl7.org/fhir/R4/observation.html>, <https://hl7.org/fhir/R4/diagnosticreport.html>).

use crate::read::{Concept, Part, Quantity, concept, each, hidden, instant, parsed, text, when};
use crate::sign::{self, DIASTOLIC, SYSTOLIC, Sign};
use fhir::Value;
use fhir::definitions::r4;
use fhirpath::Decimal;
use record::{ChartPart, Hit};
use std::collections::{HashMap, HashSet};

/// Values of a sign that are shown, the latest included.
pub const POINTS_MAX: usize = 12;

/// One value of a sign.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct Point {
    /// The Observation's logical id.
    pub id: String,
    /// When it was measured.
    pub at: String,
    /// As it was recorded: of a pressure the systolic.
    pub value: Quantity,
    /// The diastolic pressure, as it was recorded.
    pub second: Option<Quantity>,
    /// In the sign's own unit, to compare and draw; `None` when it cannot be converted.
    pub number: Option<Decimal>,
    /// Likewise of the diastolic pressure.
    pub second_number: Option<Decimal>,
}

/// A sign with its latest values.
#[derive(Clone)]
pub struct Vital {
    /// Which.
    pub sign: Sign,
    /// Its values, newest first.
    pub points: Vec<Point>,
    /// There are older ones.
    pub more: bool,
}

/// How a result stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Flag {
    /// Critically low or high.
    Critical,
    /// Low.
    Low,
    /// High.
    High,
    /// Abnormal in another way.
    Abnormal,
    /// As it should be.
    Normal,
    /// Neither the laboratory nor a range says.
    Unknown,
}

impl Flag {
    /// Whether somebody has to look.
    pub const fn is_abnormal(self) -> bool {
        !matches!(self, Self::Normal | Self::Unknown)
    }
}

/// One result.
#[derive(Clone)]
pub struct Finding {
    /// The Observation's logical id.
    pub id: String,
    /// Its version.
    pub version: u64,
    /// What was looked for.
    pub what: Concept,
    /// What was found, with its unit, in words.
    pub value: String,
    /// Its number, when it is one.
    pub quantity: Option<Quantity>,
    /// The reference range, as it was given.
    pub range: String,
    /// Its ends, where they have the unit of the value.
    pub bounds: (Option<Decimal>, Option<Decimal>),
    /// How it stands.
    pub flag: Flag,
    /// `final`, `corrected`, `preliminary` …
    pub status: String,
    /// When it was taken.
    pub at: String,
}

/// A report with its results.
#[derive(Clone)]
pub struct Report {
    /// The `DiagnosticReport`'s logical id; empty for results that stand in none.
    pub id: String,
    /// Its version.
    pub version: u64,
    /// What was asked for.
    pub what: Concept,
    /// `final`, `preliminary`, `corrected` …
    pub status: String,
    /// When it is of.
    pub at: String,
    /// The conclusion, as written.
    pub conclusion: String,
    /// Its results, abnormal first.
    pub findings: Vec<Finding>,
    /// Results that the report names and that are not shown: withheld, deleted or never sent.
    pub not_shown: usize,
}

hidden!(Point, Vital, Finding, Report);

impl Report {
    /// How many results somebody has to look at.
    pub fn abnormal(&self) -> usize {
        self.findings.iter().filter(|one| one.flag.is_abnormal()).count()
    }
}

/// Reads the values of a sign from an Observation, if it is of one.
pub(crate) fn point(hit: &Hit, root: Value<'_>) -> Option<(Sign, Point)> {
    if matches!(text(root, "status").as_str(), "entered-in-error" | "cancelled") {
        return None;
    }
    let code = concept(root, "code");
    let sign = Sign::ALL
        .into_iter()
        .find(|sign| sign.codes().iter().any(|one| code.is(sign::LOINC, one)))?;
    let at = when(root, &["effectiveDateTime", "effectivePeriod", "effectiveInstant", "issued"]);
    let component = |wanted: &str| {
        each(root, "component")
            .find(|one| concept(*one, "code").is(sign::LOINC, wanted))
            .and_then(|one| Quantity::of(one.get("valueQuantity")?))
    };
    let (value, second) = match sign {
        Sign::Pressure => (component(SYSTOLIC)?, component(DIASTOLIC)),
        Sign::Pain => (quantity_or_integer(root)?, None),
        _ => (Quantity::of(root.get("valueQuantity")?)?, None),
    };
    let number = |value: &Quantity| {
        let own = sign.unit();
        match sign::unit_of(&value.code) {
            Some(unit) => sign::convert(value.number()?, unit, own),
            // A score is a number of no unit.
            None if sign == Sign::Pain => value.number(),
            None => None,
        }
    };
    let point = Point {
        id: hit.id.clone(),
        at,
        number: number(&value),
        second_number: second.as_ref().and_then(number),
        value,
        second,
    };
    Some((sign, point))
}

fn quantity_or_integer(root: Value<'_>) -> Option<Quantity> {
    if let Some(quantity) = root.get("valueQuantity").and_then(Quantity::of) {
        return Some(quantity);
    }
    let value = root.get("valueInteger")?.as_number()?.to_owned();
    Some(Quantity { value, ..Quantity::default() })
}

/// The results of reports, each report with its own; then those that stand in no report.
pub(crate) fn reports(part: &ChartPart, loose: &ChartPart) -> Part<Report> {
    let of = r4().resource_type("Observation");
    let all = part.page.included.iter().chain(&loose.page.matches);
    let mut known: HashMap<&str, Finding> = HashMap::new();
    for hit in all.filter(|hit| Some(hit.resource_type) == of) {
        if let Some(document) = parsed(hit) {
            known.insert(&hit.id, finding(hit, document.root()));
        }
    }
    let mut told: HashSet<String> = HashSet::new();
    let mut found = Part::of(part, |hit, root| {
        let named: Vec<String> = each(root, "result").map(|one| text(one, "reference")).collect();
        let ids = named.iter().filter_map(|one| one.strip_prefix("Observation/"));
        let mut findings: Vec<Finding> =
            ids.filter_map(|id| known.get(id.split('/').next()?)).cloned().collect();
        let not_shown = named.len() - findings.len();
        // The order of a panel is kept within what is alike.
        findings.sort_by_key(|one| !one.flag.is_abnormal());
        Report {
            id: hit.id.clone(),
            version: hit.version,
            what: concept(root, "code"),
            status: text(root, "status"),
            at: when(root, &["effectiveDateTime", "effectivePeriod", "issued"]),
            conclusion: text(root, "conclusion"),
            findings,
            not_shown,
        }
    });
    for report in &found.rows {
        told.extend(report.findings.iter().map(|one| one.id.clone()));
    }
    // A result of an older report is not loose: only those as new as the oldest report shown are known.
    let oldest = found.rows.iter().map(|one| instant(&one.at)).min().filter(|_| found.is_partial());
    let stray = |hit: &&Hit| !told.contains(&hit.id);
    let mut findings: Vec<Finding> = loose
        .page
        .matches
        .iter()
        .filter(stray)
        .filter_map(|hit| known.get(hit.id.as_str()).cloned())
        .filter(|one| oldest.is_none_or(|oldest| instant(&one.at) > oldest))
        .collect();
    findings.sort_by_key(|one| !one.flag.is_abnormal());
    if let Some(at) = findings.iter().map(|one| one.at.clone()).max_by_key(|at| instant(at)) {
        let what = Concept { text: "Results in no report".to_owned(), ..Concept::default() };
        found.total += 1;
        found.rows.push(Report {
            id: String::new(),
            version: 0,
            what,
            status: String::new(),
            at,
            conclusion: String::new(),
            findings,
            not_shown: 0,
        });
    }
    found
}

/// Reads an Observation as a result.
pub(crate) fn finding(hit: &Hit, root: Value<'_>) -> Finding {
    let quantity = root.get("valueQuantity").and_then(Quantity::of);
    let (range, low, high) = range(root);
    let bound = |one: &Option<Quantity>| {
        one.as_ref().filter(|one| quantity.as_ref().is_some_and(|q| q.code == one.code))?.number()
    };
    Finding {
        bounds: (bound(&low), bound(&high)),
        id: hit.id.clone(),
        version: hit.version,
        what: concept(root, "code"),
        value: value(root),
        flag: flag(root, quantity.as_ref(), low.as_ref(), high.as_ref()),
        quantity,
        range,
        status: text(root, "status"),
        at: when(root, &["effectiveDateTime", "effectivePeriod", "effectiveInstant", "issued"]),
    }
}

/// What was found, in words.
pub(crate) fn value(root: Value<'_>) -> String {
    let found = root.members().find(|(name, _)| name.starts_with("value"));
    match found {
        Some((_, value)) => crate::words::of(value),
        None => match concept(root, "dataAbsentReason").text {
            reason if reason.is_empty() => {
                let parts = each(root, "component");
                let parts =
                    parts.map(|one| format!("{} {}", concept(one, "code").text, value(one)));
                parts.collect::<Vec<_>>().join(", ")
            }
            reason => reason,
        },
    }
}

fn range(root: Value<'_>) -> (String, Option<Quantity>, Option<Quantity>) {
    let Some(first) = each(root, "referenceRange").next() else {
        return (String::new(), None, None);
    };
    let bound = |name: &str| first.get(name).and_then(Quantity::of);
    let (low, high) = (bound("low"), bound("high"));
    let words = match (&low, &high) {
        (Some(low), Some(high)) => format!("{} to {}", low.value, high.words()),
        (Some(low), None) => format!("from {}", low.words()),
        (None, Some(high)) => format!("up to {}", high.words()),
        (None, None) => text(first, "text"),
    };
    (words, low, high)
}

/// What the laboratory said; where it said nothing, whether the number lies in its range. A range of
/// another unit says nothing.
fn flag(
    root: Value<'_>,
    found: Option<&Quantity>,
    low: Option<&Quantity>,
    high: Option<&Quantity>,
) -> Flag {
    let said = each(root, "interpretation").map(Concept::of).find_map(|said| {
        said.codings.iter().find_map(|one| match one.code.as_str() {
            "LL" | "HH" | "AA" => Some(Flag::Critical),
            // Off the scale of what measures is low or high, and by how much is not known.
            "L" | "LU" | "<" => Some(Flag::Low),
            "H" | "HU" | ">" => Some(Flag::High),
            "A" | "POS" | "DET" | "R" | "NS" | "I" => Some(Flag::Abnormal),
            "N" | "NEG" | "ND" | "S" => Some(Flag::Normal),
            _ => None,
        })
    });
    if let Some(said) = said {
        return said;
    }
    let Some((found, number)) = found.and_then(|one| Some((one, one.number()?))) else {
        return Flag::Unknown;
    };
    let bound = |one: Option<&Quantity>| one.filter(|one| one.code == found.code)?.number();
    match (bound(low), bound(high)) {
        (Some(low), _) if number < low && !found.comparator.starts_with('>') => Flag::Low,
        (_, Some(high)) if number > high && !found.comparator.starts_with('<') => Flag::High,
        (None, None) => Flag::Unknown,
        _ if found.comparator.is_empty() => Flag::Normal,
        _ => Flag::Unknown,
    }
}
