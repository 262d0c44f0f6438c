//! What a run found: a table of families by personas, and each leak by its question, its digests and
//! the paths that differ. Values stand in no report unless the run was asked to show them.

use crate::catalog::{FAMILIES, Family};
use crate::persona::Persona;
use crate::timing::EVIDENCE;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::fmt::Write;

/// One difference.
#[derive(Debug, Clone)]
pub struct Leak {
    /// The family's number.
    pub family: u16,
    /// Its name.
    pub key: &'static str,
    /// Who asked.
    pub persona: &'static str,
    /// What was asked.
    pub request: String,
    /// The statuses of the two answers.
    pub statuses: (String, String),
    /// Their digests.
    pub digests: (String, String),
    /// Where they differ.
    pub paths: Vec<String>,
    /// The bodies, when the run keeps them.
    pub answers: Option<(String, String)>,
}

impl Leak {
    pub(crate) fn new(family: &Family, persona: &'static Persona, request: &str) -> Self {
        Self {
            family: family.number,
            key: family.key,
            persona: persona.key,
            request: request.to_owned(),
            statuses: (String::new(), String::new()),
            digests: (String::new(), String::new()),
            paths: Vec::new(),
            answers: None,
        }
    }
}

/// One family's count for one persona.
#[derive(Debug, Clone, Copy, Default)]
pub struct Cell {
    /// Questions, of one world.
    pub asked: usize,
    /// Differences.
    pub leaks: usize,
}

/// One persona's turn.
#[derive(Debug, Clone)]
pub struct PersonaReport {
    /// Its name.
    pub key: &'static str,
    /// Counts by family number.
    pub cells: BTreeMap<u16, Cell>,
    /// Questions in all.
    pub asked: usize,
    /// Answers that showed a record: none would make the turn worth nothing.
    pub seen: usize,
    /// Changes of hidden records that were refused to the administrator.
    pub unchanged: usize,
    /// Welch's t of reading hidden against absent.
    pub timing: Option<f64>,
}

impl PersonaReport {
    pub(crate) fn new(key: &'static str) -> Self {
        Self { key, cells: BTreeMap::new(), asked: 0, seen: 0, unchanged: 0, timing: None }
    }
}

/// A run.
#[derive(Debug, Clone, Default)]
pub struct Report {
    /// Its seed.
    pub seed: u64,
    /// Turns.
    pub personas: Vec<PersonaReport>,
    /// Differences.
    pub leaks: Vec<Leak>,
    /// How long it took.
    pub elapsed_s: f64,
}

impl Report {
    /// Questions in all.
    pub fn asked(&self) -> usize {
        self.personas.iter().map(|persona| persona.asked).sum()
    }

    /// Families that were asked and found nothing.
    pub fn silent(&self) -> Vec<&'static Family> {
        let found = |number: u16, of: fn(&Cell) -> usize| -> usize {
            self.personas.iter().filter_map(|p| p.cells.get(&number)).map(of).sum()
        };
        let asked = FAMILIES.iter().filter(|f| found(f.number, |cell| cell.asked) > 0);
        asked.filter(|f| found(f.number, |cell| cell.leaks) == 0).collect()
    }

    /// Personas that saw nothing at all, of whom the run proves nothing.
    pub fn blind(&self) -> Vec<&'static str> {
        self.personas.iter().filter(|p| p.asked > 0 && p.seen == 0).map(|p| p.key).collect()
    }

    /// Personas whose times are evidence.
    pub fn slow(&self) -> Vec<&'static str> {
        let past = |t: f64| t.abs() > EVIDENCE;
        self.personas.iter().filter(|p| p.timing.is_some_and(past)).map(|p| p.key).collect()
    }

    /// The table, families down and personas across: leaks found, `.` where nothing was asked.
    pub fn table(&self) -> String {
        let mut out = format!("{:<27}", "family");
        for persona in &self.personas {
            let short: String = persona.key.chars().take(7).collect();
            let _ = write!(out, "{short:>8}");
        }
        out.push_str("   asked\n");
        let harm = [&crate::run::HARM];
        for family in harm.into_iter().chain(FAMILIES) {
            let cells: Vec<Option<&Cell>> =
                self.personas.iter().map(|p| p.cells.get(&family.number)).collect();
            if cells.iter().all(Option::is_none) {
                continue;
            }
            let _ = write!(out, "{:>3} {:<23}", family.number, family.key);
            for cell in &cells {
                let text = cell.map_or_else(|| ".".to_owned(), |cell| cell.leaks.to_string());
                let _ = write!(out, "{text:>8}");
            }
            let asked: usize = cells.iter().flatten().map(|cell| cell.asked).sum();
            let _ = writeln!(out, "{asked:>8}");
        }
        let times = self.personas.iter().map(|p| p.timing.map(|t| format!("{t:.1}")));
        let _ = write!(out, "{:<27}", "|t| hidden, absent");
        for time in times {
            let _ = write!(out, "{:>8}", time.unwrap_or_else(|| ".".to_owned()));
        }
        out.push('\n');
        out
    }

    /// Leaks, one paragraph each, at most so many of one family and persona.
    pub fn lines(&self, each: usize) -> String {
        let mut out = String::new();
        let mut shown: BTreeMap<(u16, &str), usize> = BTreeMap::new();
        for leak in &self.leaks {
            let count = shown.entry((leak.family, leak.persona)).or_default();
            *count += 1;
            if *count > each {
                continue;
            }
            let request: String = leak.request.chars().take(300).collect();
            let _ = writeln!(
                out,
                "{} {} as {}: {request}\n    status {} / {}, digest {} / {}\n    {}",
                leak.family,
                leak.key,
                leak.persona,
                leak.statuses.0,
                leak.statuses.1,
                leak.digests.0,
                leak.digests.1,
                leak.paths.join("; "),
            );
        }
        for ((family, persona), count) in shown.iter().filter(|(_, count)| **count > each) {
            let _ = writeln!(out, "… {} more of family {family} as {persona}", count - each);
        }
        out
    }

    /// The whole as JSON.
    pub fn json(&self) -> Value {
        let personas: Vec<Value> = self
            .personas
            .iter()
            .map(|p| {
                let cells = p.cells.iter().map(|(number, cell)| {
                    json!({ "family": number, "asked": cell.asked, "leaks": cell.leaks })
                });
                json!({ "persona": p.key, "asked": p.asked, "seen": p.seen, "unchanged": p.unchanged, "t": p.timing,
                    "families": cells.collect::<Vec<_>>() })
            })
            .collect();
        let leaks: Vec<Value> = self
            .leaks
            .iter()
            .map(|l| {
                let answers = l.answers.as_ref().map(|(a, b)| json!([a, b]));
                json!({ "family": l.family, "key": l.key, "persona": l.persona,
                    "request": l.request, "statuses": [l.statuses.0, l.statuses.1],
                    "digests": [l.digests.0, l.digests.1], "paths": l.paths,
                    "answers": answers })
            })
            .collect();
        json!({ "seed": self.seed, "elapsed_s": self.elapsed_s, "asked": self.asked(),
            "personas": personas, "leaks": leaks })
    }
}
