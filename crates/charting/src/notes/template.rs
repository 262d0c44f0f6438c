//! Templates of notes: plain text in which a word that begins with a slash, alone on its line, stands for
//! a part of the chart (`/vitals`, `/meds`, `/allergies`, `/problems`). What is put there is marked as
//! copied, with the moment it was copied at, so that nobody takes it for what the author saw or said.

use crate::entry::Entered;
use crate::read::Part;
use crate::summary::{AllergyState, Medication, Summary};
use record::Reach;

/// The mark before what was copied.
pub const COPIED: &str = "[copied from";
/// The mark behind it.
pub const END: &str = "[end of copy]";

/// Expands the placeholders of a template from a summary. A word that is none of them stays as it is.
/// `now` is the moment of the summary as the reader's clock has it, and `date` says a FHIR date or dateTime
/// in words: what is signed is read by people, on paper too.
pub fn expand(
    template: &str,
    summary: &Summary,
    now: &str,
    date: impl Fn(&str) -> String,
) -> String {
    let mut out = String::with_capacity(template.len());
    for line in template.lines() {
        let lines = match line.trim() {
            "/vitals" => vitals(summary, &date),
            "/meds" => medications(summary),
            "/allergies" => allergies(summary),
            "/problems" => problems(summary, &date),
            _ => {
                out.push_str(line);
                out.push('\n');
                continue;
            }
        };
        copied(&mut out, &format!("the chart at {now}"), &lines);
    }
    out
}

/// A note of before as the beginning of a new one, marked as copied from it; `written` in words.
pub fn copy_forward(text: &str, written: &str) -> String {
    let mut out = String::with_capacity(text.len() + 80);
    let lines: Vec<String> = text.lines().map(str::to_owned).collect();
    copied(&mut out, &format!("the note of {written}"), &lines);
    out
}

fn copied(out: &mut String, source: &str, lines: &[String]) {
    out.push_str(&format!("{COPIED} {source}]\n"));
    for line in lines {
        out.push_str(line);
        out.push('\n');
    }
    out.push_str(END);
    out.push('\n');
}

/// What a part leaves unsaid, said.
fn rest<T>(part: &Part<T>, lines: &mut Vec<String>) {
    if part.is_partial() {
        lines.push(format!("({} of {} shown)", part.rows.len(), part.total));
    }
    match part.reach {
        Reach::Whole => {}
        Reach::Part(_) => lines.push("(some may be withheld from the author)".to_owned()),
        Reach::Nothing => lines.push("(withheld from the author)".to_owned()),
    }
}

fn vitals(summary: &Summary, date: impl Fn(&str) -> String) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for vital in &summary.vitals.rows {
        let Some(latest) = vital.points.first() else { continue };
        let unit = crate::sign::unit_of(&latest.value.code);
        let second = latest.second.as_ref().and_then(crate::read::Quantity::number);
        let words = match (latest.value.number(), unit) {
            (Some(value), Some(unit)) => {
                Entered { sign: vital.sign, value, second, unit, at: 0..0 }.words()
            }
            _ => latest.value.words(),
        };
        lines.push(format!("{}: {words} ({})", vital.sign.name(), date(&latest.at)));
    }
    match summary.vitals.reach {
        Reach::Whole if lines.is_empty() => lines.push("No vital signs recorded".to_owned()),
        Reach::Whole => {}
        _ => lines.push("(some may be withheld from the author)".to_owned()),
    }
    lines
}

fn medications(summary: &Summary) -> Vec<String> {
    let line = |one: &Medication| match one.dosage.first() {
        Some(dosage) => format!("{}: {dosage}", one.what.text),
        None => one.what.text.clone(),
    };
    let all = summary.orders.rows.iter().chain(&summary.statements.rows);
    let mut lines: Vec<String> = all.map(line).collect();
    if lines.is_empty() && summary.orders.reach == Reach::Whole {
        lines.push("No active medications recorded".to_owned());
    }
    rest(&summary.orders, &mut lines);
    lines
}

fn allergies(summary: &Summary) -> Vec<String> {
    let active = summary.allergies.rows.iter().filter(|one| one.active);
    let mut lines: Vec<String> = active
        .map(|one| match one.criticality.as_str() {
            "high" => format!("{} (high risk)", one.to.text),
            _ => one.to.text.clone(),
        })
        .collect();
    if summary.allergy_state == AllergyState::NotRecorded {
        lines.push("Allergies not recorded".to_owned());
    }
    rest(&summary.allergies, &mut lines);
    lines
}

fn problems(summary: &Summary, date: impl Fn(&str) -> String) -> Vec<String> {
    let line = |one: &crate::summary::Problem| match one.onset.is_empty() {
        true => one.what.text.clone(),
        false => format!("{} (since {})", one.what.text, date(&one.onset)),
    };
    let mut lines: Vec<String> = summary.problems.rows.iter().map(line).collect();
    if lines.is_empty() && summary.problems.reach == Reach::Whole {
        lines.push("No active problems recorded".to_owned());
    }
    rest(&summary.problems, &mut lines);
    lines
}
