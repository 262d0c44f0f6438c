//! The report of 170.315(d)(3): events of a span, chosen by patient, actor, kind and outcome, sorted by
//! any field, as text for people, as CSV for spreadsheets and as lines of JSON for machines.

use std::cmp::Ordering;
use std::io::{self, Write};

use base::Fault;
use base::error::code;
use base::id::uuid_text;

use crate::event::{Decision, Event};
use crate::read::Entry;

/// A report sorts what it holds in memory; more events than this are asked for in parts.
pub const ROWS_MAX: usize = 1_000_000;

macro_rules! fields {
    ($($variant:ident = $name:literal;)*) => {
        /// A field of the report, by which it can be sorted.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub enum Field { $(#[doc = $name] $variant,)* }

        impl Field {
            /// All of them, in the order of the columns.
            pub const ALL: &[Self] = &[$(Self::$variant),*];

            /// The column's name.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self { $(Self::$variant => $name,)* }
            }

            /// The field of a name.
            #[must_use]
            pub fn from_name(name: &str) -> Option<Self> {
                match name { $($name => Some(Self::$variant),)* _ => None }
            }
        }
    };
}

fields! {
    Seq = "seq";
    Time = "time";
    Actor = "actor";
    Kind = "kind";
    Outcome = "outcome";
    Status = "status";
    Patients = "patients";
    Targets = "targets";
    Results = "results";
    Bytes = "bytes";
    Purpose = "purpose";
    Policies = "policies";
    OnBehalfOf = "on-behalf-of";
    Client = "client";
    Session = "session";
    BreakGlass = "break-glass";
    Source = "source";
    Request = "request";
}

/// How an access ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Outcome {
    /// It was answered.
    Ok,
    /// It failed.
    Failed,
    /// It was turned away.
    Denied,
}

impl Outcome {
    /// That of an event.
    #[must_use]
    pub const fn of(event: &Event) -> Self {
        match (event.decision, event.status) {
            (Decision::Deny, _) => Self::Denied,
            (Decision::Permit, 400..) => Self::Failed,
            (Decision::Permit, _) => Self::Ok,
        }
    }

    /// The word for it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Failed => "failed",
            Self::Denied => "denied",
        }
    }

    /// The outcome of a word.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        [Self::Ok, Self::Failed, Self::Denied].into_iter().find(|outcome| outcome.name() == name)
    }
}

/// The form of a report.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// Columns for people.
    Text,
    /// RFC 4180, for spreadsheets: nothing in it is taken for a formula.
    Csv,
    /// A line of JSON for each event.
    Ndjson,
}

/// The text of a field.
#[must_use]
pub fn text(entry: &Entry, field: Field) -> String {
    let event = &entry.event;
    let receipt = event.receipt.as_deref();
    let of = |value: Option<&String>| value.cloned().unwrap_or_default();
    match field {
        Field::Seq => entry.seq.to_string(),
        Field::Time => event.time.to_instant(),
        Field::Actor => event.actor.to_string(),
        Field::Kind => event.kind.name().to_owned(),
        Field::Outcome => Outcome::of(event).name().to_owned(),
        Field::Status => event.status.to_string(),
        Field::Patients => event.patients.join(" "),
        Field::Targets => {
            let target = event.targets.iter().map(|target| match &target.id {
                Some(id) => format!("{}/{id}", target.resource_type),
                None => target.resource_type.to_string(),
            });
            target.collect::<Vec<_>>().join(" ")
        }
        Field::Results => event.results.to_string(),
        Field::Bytes => event.bytes.to_string(),
        Field::Purpose => of(receipt.and_then(|r| r.purpose.as_ref())),
        Field::Policies => receipt.map(|r| r.policies.join(" ")).unwrap_or_default(),
        Field::OnBehalfOf => of(receipt.and_then(|r| r.on_behalf_of.as_ref())),
        Field::Client => of(receipt.and_then(|r| r.client.as_ref())),
        Field::Session => of(receipt.and_then(|r| r.session.as_ref())),
        Field::BreakGlass => of(receipt.and_then(|r| r.break_glass.as_ref())),
        Field::Source => event.source.map_or("", crate::event::Source::name).to_owned(),
        Field::Request => uuid_text(&event.request),
    }
}

fn compare(a: &Entry, b: &Entry, field: Field) -> Ordering {
    match field {
        Field::Seq => Ordering::Equal,
        Field::Time => a.event.time.cmp(&b.event.time),
        Field::Status => a.event.status.cmp(&b.event.status),
        Field::Results => a.event.results.cmp(&b.event.results),
        Field::Bytes => a.event.bytes.cmp(&b.event.bytes),
        Field::Outcome => Outcome::of(&a.event).cmp(&Outcome::of(&b.event)),
        _ => text(a, field).cmp(&text(b, field)),
    }
    // Equal ones stay in their order of the log, so that a report can be made again.
    .then(a.seq.cmp(&b.seq))
}

/// Gathers entries and sorts them.
///
/// # Errors
/// The first of the entries; `search.query.too-costly` for more than [`ROWS_MAX`].
pub fn sorted(
    entries: impl Iterator<Item = Result<Entry, Fault>>,
    field: Field,
    descending: bool,
) -> Result<Vec<Entry>, Fault> {
    let mut rows = Vec::new();
    for entry in entries {
        if rows.len() == ROWS_MAX {
            let what = "a report holds a million events; ask for a shorter time";
            return Err(Fault::new(&code::SEARCH_TOO_COSTLY, what));
        }
        rows.push(entry?);
    }
    rows.sort_by(|a, b| match descending {
        true => compare(b, a, field),
        false => compare(a, b, field),
    });
    Ok(rows)
}

/// Writes a report.
///
/// # Errors
/// When it cannot be written.
pub fn write(out: &mut impl Write, rows: &[Entry], form: Form) -> io::Result<()> {
    match form {
        Form::Ndjson => rows.iter().try_for_each(|row| writeln!(out, "{}", row.to_json())),
        Form::Csv => {
            let names: Vec<_> = Field::ALL.iter().map(|field| field.name()).collect();
            write!(out, "{}\r\n", names.join(","))?;
            for row in rows {
                let cells: Vec<_> =
                    Field::ALL.iter().map(|field| cell(&text(row, *field))).collect();
                write!(out, "{}\r\n", cells.join(","))?;
            }
            Ok(())
        }
        Form::Text => {
            for row in rows {
                let of = |field| text(row, field);
                write!(
                    out,
                    "{:>8} {} {:<24} {:<11} {:<6} {}",
                    of(Field::Seq),
                    of(Field::Time),
                    of(Field::Actor),
                    of(Field::Kind),
                    of(Field::Outcome),
                    of(Field::Targets),
                )?;
                for (name, field) in [
                    ("patients", Field::Patients),
                    ("purpose", Field::Purpose),
                    ("break-glass", Field::BreakGlass),
                ] {
                    let value = of(field);
                    if !value.is_empty() {
                        write!(out, " {name}={value}")?;
                    }
                }
                writeln!(out)?;
            }
            writeln!(out, "{} events", rows.len())
        }
    }
}

/// A cell of CSV. What a spreadsheet would take for a formula gets an apostrophe before it (OWASP, CSV
/// injection): names of actors and apps come from outside.
#[must_use]
pub fn cell(value: &str) -> String {
    let dangerous = value.starts_with(['=', '+', '-', '@', '\t', '\r', '\n', '\'']);
    let guard = if dangerous { "'" } else { "" };
    let odd = |c: char| matches!(c, '"' | ',' | '\r' | '\n' | ';');
    match dangerous || value.contains(odd) {
        true => format!("\"{guard}{}\"", value.replace('"', "\"\"")),
        false => value.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chain::Hash;
    use crate::event::Kind;
    use crate::receipt::Receipt;
    use base::Millis;

    fn rows() -> Vec<Entry> {
        let actors = ["bea", "=HYPERLINK(\"x\")", "ada", "carl, \"the\" clerk"];
        (1..)
            .zip(actors)
            .map(|(seq, actor)| {
                let mut event = Event::new(Millis(1_000 * (5 - seq)), [7; 16], Kind::Read);
                event.actor = actor.into();
                event.status = if seq == 3 { 404 } else { 200 };
                event.bytes = 10 * u64::try_from(seq % 3).unwrap();
                event.patients.push(format!("p-{seq}"));
                event.receipt = Some(Box::new(Receipt {
                    purpose: Some("TREAT".to_owned()),
                    ..Receipt::default()
                }));
                Entry { seq: u64::try_from(seq).unwrap(), hash: Hash::GENESIS, event }
            })
            .collect()
    }

    fn order(field: Field, descending: bool) -> Vec<u64> {
        let sorted = sorted(rows().into_iter().map(Ok), field, descending).unwrap();
        sorted.iter().map(|row| row.seq).collect()
    }

    #[test]
    fn a_report_is_sorted_by_any_field_up_and_down() {
        assert_eq!(order(Field::Time, false), [4, 3, 2, 1]);
        assert_eq!(order(Field::Actor, false), [2, 3, 1, 4]);
        assert_eq!(order(Field::Status, true), [3, 4, 2, 1]);
        assert_eq!(order(Field::Bytes, false), [3, 1, 4, 2]);
        for field in Field::ALL {
            let (up, mut down) = (order(*field, false), order(*field, true));
            down.reverse();
            assert_eq!(up, down, "{}", field.name());
            assert_eq!(Field::from_name(field.name()), Some(*field));
        }
    }

    #[test]
    fn csv_holds_no_formula_and_each_row_has_each_column() {
        let mut out = Vec::new();
        write(&mut out, &rows(), Form::Csv).unwrap();
        let text = String::from_utf8(out).unwrap();
        assert!(text.starts_with("seq,time,actor,kind,outcome,"));
        assert!(text.contains("\"'=HYPERLINK(\"\"x\"\")\""), "{text}");
        assert!(text.contains("\"carl, \"\"the\"\" clerk\""), "{text}");
        for dangerous in ["=1", "+1", "-1", "@x", "\tx", "\rx", "'x"] {
            assert!(cell(dangerous).starts_with("\"'"), "{dangerous:?}");
        }
        assert_eq!(cell("plain"), "plain");
    }

    #[test]
    fn text_and_lines_tell_the_same_events() {
        let (mut plain, mut lines) = (Vec::new(), Vec::new());
        write(&mut plain, &rows(), Form::Text).unwrap();
        write(&mut lines, &rows(), Form::Ndjson).unwrap();
        let plain = String::from_utf8(plain).unwrap();
        assert!(plain.ends_with("4 events\n") && plain.contains("purpose=TREAT"), "{plain}");
        assert_eq!(String::from_utf8(lines).unwrap().lines().count(), 4);
    }
}
