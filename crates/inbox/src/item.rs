//! One thing that waits for somebody: a result, a message or a task, as a screen shows it.

use crate::clock::{self, Age, Due};
use base::Millis;
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
    /// It is somebody else's, and was opened from the patient's chart: who has it, as far as is known.
    Other(String),
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
        matches!(self.weight, Weight::Normal)
            && matches!(self.seen.kind, Kind::Result)
            && self.hidden == 0
            && !self.corrected
            && !self.again
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
            Self::Other(_) => "Other",
        })
    }
}
