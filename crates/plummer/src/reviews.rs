//! What commands about cases of review do, upon the one record: in the server that holds the data
//! folder, or in the command itself when none does (45 CFR 164.308(a)(1)(ii)(D)). Who takes a step is
//! named by the command; that it was done at the console is kept with it.

use crate::directory;
use crate::opening;
use crate::wish::{Sort, Told, Wish};
use base::error::code;
use base::{Fault, Millis};
use identity::{Identity, PrincipalId};
use record::{
    Case, CaseFile, CaseFilter, CaseId, CaseState, Done, Outcome, Record, ReviewCounts, Session,
    Step, Ties,
};
use serde::{Deserialize, Serialize};
use std::collections::HashMap;

/// What is wished about cases.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(crate) enum AboutReview {
    /// Some of them; of `state` `undecided`, `all`, or a state.
    List { state: String, overdue: bool, owner: Option<String> },
    /// One of them, with what is held of it.
    Show { case: String },
    /// One given to somebody.
    Assign { case: String, by: String, to: String, note: String },
    /// One decided.
    Close { case: String, by: String, outcome: String, note: String },
    /// One opened again.
    Reopen { case: String, by: String, note: String },
    /// The log swept now.
    Sweep,
    /// How many there are.
    Counts,
}

/// A case, as commands show it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct ShownCase {
    pub(crate) id: String,
    /// `break-glass` or `signal`.
    pub(crate) kind: String,
    /// `open`, `assigned` or `closed`.
    pub(crate) state: String,
    pub(crate) overdue: bool,
    pub(crate) due: String,
    pub(crate) opened: String,
    /// The sign-in name of whom it is about, where there is one.
    pub(crate) about: String,
    /// The id of the principal.
    pub(crate) about_id: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) patient: Option<String>,
    pub(crate) from: String,
    pub(crate) until: String,
    pub(crate) signals: Vec<String>,
    pub(crate) score: u32,
    /// The reasons that are held, as they were typed or found.
    pub(crate) reasons: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) owner: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) outcome: Option<String>,
    /// What a look at this one case adds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) held: Option<Held>,
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub(crate) history: Vec<ShownStep>,
}

/// What log and record hold of a case.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Held {
    /// Numbers of events.
    pub(crate) events: Vec<u64>,
    /// There are more, later ones.
    pub(crate) more_events: bool,
    /// What ties both, in words; nothing where there is no patient.
    pub(crate) ties: Vec<String>,
}

/// A step of a case.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct ShownStep {
    pub(crate) at: String,
    /// A sign-in name, or `the server`.
    pub(crate) by: String,
    pub(crate) at_console: bool,
    pub(crate) did: String,
    #[serde(skip_serializing_if = "String::is_empty", default)]
    pub(crate) note: String,
}

/// What a sweep did.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct ShownSwept {
    pub(crate) opened: u64,
}

/// How many cases there are: counts only.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct ShownCounts {
    pub(crate) open: u64,
    pub(crate) assigned: u64,
    pub(crate) closed: u64,
    pub(crate) overdue: u64,
    pub(crate) overdue_break_glass: u64,
    pub(crate) overdue_by_ms: i64,
    pub(crate) swept_ms: Option<i64>,
    pub(crate) failing: bool,
}

/// Does what is wished, in the name of whoever is said to do it.
pub(crate) fn carry_out(record: &Record, wish: Wish) -> Result<Told, Fault> {
    let Wish::Review { ask } = wish else {
        return Err(Fault::new(&code::INTERNAL, "this wish is not about cases of review"));
    };
    let session = opening::session(record);
    let names = &Names::of(record);
    let stepped = |case: Result<Case, Fault>| {
        let case = case?;
        Ok(Told::Case(Box::new(shown(&case, None, names, session.now()))))
    };
    match *ask {
        AboutReview::List { state, overdue, owner } => {
            list(&session, names, &state, overdue, owner)
        }
        AboutReview::Show { case } => {
            let file = session.case(id(&case)?)?.wait()?;
            let shown = shown(&file.case, Some(&file), names, session.now());
            Ok(Told::Case(Box::new(shown)))
        }
        AboutReview::Assign { case, by, to, note } => {
            let (by, to) = (names.person(&by)?, names.person(&to)?);
            stepped(session.assign_case(id(&case)?, Some(by), to, &note))
        }
        AboutReview::Close { case, by, outcome, note } => {
            let by = names.person(&by)?;
            let outcome = Outcome::from_name(&outcome).ok_or_else(|| {
                let all = Outcome::ALL.map(Outcome::name).join(", ");
                Fault::at(&code::PARAMETER_INVALID, format!("the outcomes are {all}"), "outcome")
            })?;
            stepped(session.close_case(id(&case)?, Some(by), outcome, &note))
        }
        AboutReview::Reopen { case, by, note } => {
            let by = names.person(&by)?;
            stepped(session.reopen_case(id(&case)?, Some(by), &note))
        }
        AboutReview::Sweep => {
            let swept = session.sweep_cases()?;
            Ok(Told::Swept(ShownSwept { opened: swept.opened }))
        }
        AboutReview::Counts => Ok(Told::ReviewCounts(counts(&record.review_counts()))),
    }
}

fn list(
    session: &Session,
    names: &Names,
    state: &str,
    overdue: bool,
    owner: Option<String>,
) -> Result<Told, Fault> {
    let states = match state {
        "all" => Vec::new(),
        "undecided" => vec![CaseState::Open, CaseState::Assigned],
        state => vec![CaseState::from_name(state).ok_or_else(|| {
            let say = "the states are open, assigned, closed, undecided and all";
            Fault::at(&code::PARAMETER_INVALID, say, "state")
        })?],
    };
    let owner = owner.map(|name| names.person(&name)).transpose()?;
    let cases = session.cases(&CaseFilter { states, overdue, owner })?.wait()?;
    let now = session.now();
    let shown =
        cases.iter().map(|case| ShownCase { history: Vec::new(), ..shown(case, None, names, now) });
    Ok(Told::Cases(shown.collect()))
}

fn id(text: &str) -> Result<CaseId, Fault> {
    CaseId::parse(text).ok_or_else(|| {
        let say =
            "a case is named by 16 digits and letters; `plummer audit review list` tells them";
        Fault::new(&code::CASE_NOT_FOUND, say)
    })
}

/// Sign-in names of principals, asked once each.
struct Names {
    identity: Identity,
    known: std::cell::RefCell<HashMap<String, String>>,
}

impl Names {
    fn of(record: &Record) -> Self {
        Self { identity: directory::operator(record), known: std::cell::RefCell::default() }
    }

    fn person(&self, name: &str) -> Result<PrincipalId, Fault> {
        directory::find(&self.identity, Sort::Person, name).map(|one| one.id)
    }

    /// The name of an id; the id, where nobody has it.
    fn name(&self, id: &str) -> String {
        if let Some(name) = self.known.borrow().get(id) {
            return name.clone();
        }
        let found = PrincipalId::parse(id).and_then(|id| self.identity.principal(id).ok());
        let name = found.map_or_else(|| id.to_owned(), |one| one.profile.name);
        self.known.borrow_mut().insert(id.to_owned(), name.clone());
        name
    }
}

fn shown(case: &Case, file: Option<&CaseFile>, names: &Names, now: Millis) -> ShownCase {
    let mut reasons: Vec<String> = Vec::new();
    for seen in case.seen() {
        let care = match seen.in_care {
            Some(true) => "; the patient was in this person's care",
            Some(false) => "; the patient was not in this person's care",
            None => "",
        };
        let reason = format!("{}{care}", seen.reason);
        if !reasons.contains(&reason) {
            reasons.push(reason);
        }
    }
    ShownCase {
        id: case.id.to_string(),
        kind: case.kind.name().to_owned(),
        state: case.state.name().to_owned(),
        overdue: case.is_overdue(now),
        due: case.due.to_instant(),
        opened: case.opened.to_instant(),
        about: names.name(&case.actor),
        about_id: case.actor.clone(),
        patient: case.patient.clone(),
        from: case.from.to_instant(),
        until: case.until.to_instant(),
        signals: case.signals.iter().map(|signal| signal.name().to_owned()).collect(),
        score: case.score,
        reasons,
        owner: case.owner.as_deref().map(|owner| names.name(owner)),
        outcome: case.outcome.map(|outcome| outcome.name().to_owned()),
        held: file.map(|file| Held {
            events: file.events.clone(),
            more_events: file.more,
            ties: file.ties.map(ties).unwrap_or_default(),
        }),
        history: case.steps.iter().map(|one| step(one, names)).collect(),
    }
}

/// What ties both, as the record has it now.
fn ties(ties: Ties) -> Vec<String> {
    let all = [
        (ties.treats, "an encounter or appointment with each other"),
        (!ties.treats, "no encounter or appointment with each other"),
        (ties.same_person, "the same person"),
        (ties.same_surname && !ties.same_person, "the same surname"),
        (ties.same_address && !ties.same_person, "the same address"),
        (ties.co_worker && !ties.same_person, "the patient works here"),
        (ties.vip, "a very important person"),
    ];
    all.into_iter().filter(|(there, _)| *there).map(|(_, words)| words.to_owned()).collect()
}

fn step(step: &Step, names: &Names) -> ShownStep {
    let (did, note) = match &step.done {
        Done::Seen(seen) => {
            let signals: Vec<_> = seen.signals.iter().map(|signal| signal.name()).collect();
            (format!("seen: {}", signals.join(", ")), String::new())
        }
        Done::Assigned { owner, note } => {
            (format!("assigned to {}", names.name(owner)), note.clone())
        }
        Done::Closed { outcome, note, .. } => {
            (format!("closed as {}", outcome.name()), note.clone())
        }
        Done::Noted { asks: true, note } => ("asked for an explanation".to_owned(), note.clone()),
        Done::Noted { asks: false, note } => ("noted".to_owned(), note.clone()),
        Done::Reopened { due, note } => {
            (format!("opened again, due {}", due.to_instant()), note.clone())
        }
    };
    let by = step.by.as_deref().map_or_else(|| "the server".to_owned(), |by| names.name(by));
    ShownStep { at: step.at.to_instant(), by, at_console: step.at_console, did, note }
}

fn counts(of: &ReviewCounts) -> ShownCounts {
    ShownCounts {
        open: of.open,
        assigned: of.assigned,
        closed: of.closed,
        overdue: of.overdue,
        overdue_break_glass: of.overdue_break_glass,
        overdue_by_ms: of.overdue_by_ms,
        swept_ms: of.swept.map(|at| at.0),
        failing: of.is_failing,
    }
}
