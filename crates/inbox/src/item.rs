//! One thing that waits for somebody: a result, a message or a task, as a screen shows it.

use crate::clock::{self, Age, Due};
use base::Millis;
use fhir::reference::is_id;
use std::fmt;

/// What it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// A `DiagnosticReport` (<https://hl7.org/fhir/R4/diagnosticreport.html>).
    Result,
    /// A Communication (<https://hl7.org/fhir/R4/communication.html>).
    Message,
    /// A Task (<https://hl7.org/fhir/R4/task.html>).
    Task,
}

impl Kind {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Result, Self::Message, Self::Task];

    /// The type of its record.
    pub const fn resource_type(self) -> &'static str {
        match self {
            Self::Result => "DiagnosticReport",
            Self::Message => "Communication",
            Self::Task => "Task",
        }
    }

    /// The kind of a type of record.
    pub fn of_type(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.resource_type() == name)
    }
}

/// How grave it is; what is graver comes first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Weight {
    /// A critical value (`HH`, `LL`, `AA`), or a task that is to be done at once.
    Critical,
    /// Outside its range, or urgent.
    Abnormal,
    /// Nobody has said whether it is normal: a report in words, a value without a range.
    Unjudged,
    /// Within its range, or not urgent.
    Normal,
}

/// Why it waits for whoever asks.
#[derive(Clone, PartialEq, Eq)]
pub enum Whose {
    /// It is theirs.
    Own,
    /// It is a pool's that they belong to: its name.
    Pool(String),
    /// It is somebody's for whom they cover: that one's name.
    Covering(String),
    /// Nobody of the house is named: it waits for every clinician of the site.
    Site,
    /// It is somebody else's, and was opened from the patient's chart: what they are called.
    Other(String),
    /// It is nobody's of this house, and was opened from the patient's chart.
    Nobody,
}

impl Whose {
    /// How near it is to whoever asks; what is nearer comes first.
    pub(crate) const fn rank(&self) -> u8 {
        match self {
            Self::Own => 0,
            Self::Covering(_) => 1,
            Self::Pool(_) => 2,
            Self::Site => 3,
            Self::Other(_) => 4,
            Self::Nobody => 5,
        }
    }

    /// Whether it waits for whoever asks.
    pub(crate) const fn is_theirs(&self) -> bool {
        self.rank() < 4
    }
}

/// How far a result has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub enum Stage {
    /// It is whole.
    #[default]
    Final,
    /// There is more to come: `partial`, `preliminary`, or of unknown standing.
    Preliminary,
    /// It will not come.
    Cancelled,
    /// It was entered in error.
    Withdrawn,
}

/// One value of a result.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct Line {
    /// The Observation's id.
    pub id: String,
    /// What was measured.
    pub what: String,
    /// The code it was measured under, to find those before: `system|code`.
    pub code: String,
    /// With its unit.
    pub value: String,
    /// The range or what else the laboratory said of it.
    pub range: String,
    /// The laboratory's flag, such as `H`; empty when there is none.
    pub flag: String,
    /// How grave.
    pub weight: Option<Weight>,
    /// It was corrected, amended or withdrawn.
    pub corrected: bool,
    /// Nothing speaks against its being normal: the laboratory says so, of all of it, and no more.
    pub plain: bool,
    /// The version of the Observation; 0 of one that stands in the report itself.
    pub version: u64,
    /// Which of the versions in [`Seen::values`] is its own.
    pub at: Option<usize>,
}

/// A record that is to be acted on, as whoever acts saw it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Seen {
    /// What it is.
    pub kind: Kind,
    /// Its logical id.
    pub id: String,
    /// The version that was on the screen.
    pub version: u64,
    /// Of a result the versions of its values, in the order of the report; 0 of one that is not shown.
    pub values: Vec<u64>,
}

impl Seen {
    /// What a form carries: `id:version`, and of a result the versions of its values, `id:version:1-1-2`.
    pub fn text(&self) -> String {
        let text = format!("{}:{}", self.id, self.version);
        if self.values.is_empty() { text } else { format!("{text}:{}", said(&self.values)) }
    }

    /// The versions of its values as text: `1-1-2`.
    pub fn values_text(&self) -> String {
        said(&self.values)
    }

    /// What [`Seen::text`] wrote; none for anything else.
    pub fn parse(kind: Kind, text: &str) -> Option<Self> {
        let mut parts = text.splitn(3, ':');
        let (id, version) = (parts.next()?, parts.next()?.parse().ok()?);
        let values = parts.next().map_or(Some(Vec::new()), versions)?;
        is_id(id).then(|| Self { kind, id: id.to_owned(), version, values })
    }
}

/// Values of one report whose versions are read back: far beyond any panel.
const VALUES_MAX: usize = 2_000;

/// Versions as text: `1-1-2`.
pub(crate) fn said(versions: &[u64]) -> String {
    versions.iter().map(u64::to_string).collect::<Vec<_>>().join("-")
}

/// Versions from text; none for anything else.
pub(crate) fn versions(text: &str) -> Option<Vec<u64>> {
    if text.is_empty() {
        return Some(Vec::new());
    }
    let all: Option<Vec<u64>> =
        text.split('-').take(VALUES_MAX + 1).map(|one| one.parse().ok()).collect();
    all.filter(|all| all.len() <= VALUES_MAX)
}

/// One thing that waits.
#[derive(Clone, PartialEq, Eq)]
pub struct Item {
    /// Its record, as it is.
    pub seen: Seen,
    /// The patient it is about.
    pub patient: Option<String>,
    /// What it is called.
    pub title: String,
    /// What it says, in words.
    pub text: String,
    /// Who sent or ordered it, as the record calls them.
    pub from: String,
    /// How grave.
    pub weight: Weight,
    /// Since when it waits.
    pub since: Millis,
    /// By when it is due.
    pub due: Due,
    /// Why it waits for whoever asks.
    pub whose: Whose,
    /// Who of a pool has taken it, by reference and name; none when it is free.
    pub taken: Option<(String, String)>,
    /// It can be given back to where it was taken from.
    pub returns: bool,
    /// The values of a result.
    pub lines: Vec<Line>,
    /// Values that the report names and the caller is not shown.
    pub hidden: usize,
    /// Values that stand in another system, and are not shown here.
    pub elsewhere: usize,
    /// How far a result has come.
    pub stage: Stage,
    /// Of a result: it is final, each of its values is plainly normal, and it says nothing beside.
    pub plain: bool,
    /// It was corrected or amended.
    pub corrected: bool,
    /// It was filed before, and changed since.
    pub again: bool,
    /// A note that was sent along when it was handed on.
    pub note: String,
}

impl Item {
    /// How it stands to its clock.
    pub fn age(&self, now: Millis) -> Age {
        clock::age(self.since, self.due, now)
    }

    /// Whether it may be filed among others without being opened: a result that is plainly normal, whole,
    /// and not a corrected one.
    pub const fn is_plain(&self) -> bool {
        self.plain
            && matches!(self.weight, Weight::Normal)
            && matches!(self.seen.kind, Kind::Result)
            && matches!(self.stage, Stage::Final)
            && self.hidden == 0
            && self.elsewhere == 0
            && !self.corrected
            && !self.again
    }

    /// Whether it waits for whoever asks: as theirs, a pool's, the site's, or of whom they cover for.
    pub const fn is_theirs(&self) -> bool {
        self.whose.is_theirs()
    }
}

/// An item is about a person.
impl fmt::Debug for Item {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Item({:?} {:?} ‹phi›)", self.seen.kind, self.weight)
    }
}

impl fmt::Debug for Line {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Line(‹phi›)")
    }
}

impl fmt::Debug for Whose {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Own => "Own",
            Self::Pool(_) => "Pool",
            Self::Covering(_) => "Covering",
            Self::Site => "Site",
            Self::Other(_) => "Other",
            Self::Nobody => "Nobody",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn what_a_form_carries_comes_back(version in any::<u64>(), values in proptest::collection::vec(any::<u64>(), 0..9)) {
            let seen = Seen { kind: Kind::Result, id: "a-1".to_owned(), version, values };
            prop_assert_eq!(Seen::parse(Kind::Result, &seen.text()), Some(seen));
        }

        #[test]
        fn whatever_a_form_says_it_is_read_or_left(text in "\\PC{0,60}|[a-z0-9:-]{0,60}") {
            if let Some(seen) = Seen::parse(Kind::Result, &text) {
                prop_assert!(is_id(&seen.id) && seen.values.len() <= VALUES_MAX);
            }
        }
    }

    #[test]
    fn more_values_than_a_report_has_are_none() {
        let long = vec!["1"; VALUES_MAX + 1].join("-");
        assert_eq!(versions(&long), None);
        assert_eq!(versions(&long[2..]).map(|all| all.len()), Some(VALUES_MAX));
    }
}
