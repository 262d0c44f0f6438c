//! `plummer audit review`: the queue of cases, for the privacy officer who decides them
//! (45 CFR 164.308(a)(1)(ii)(D)). Done by the server that holds the data folder, or here when none does.

use crate::cli::review::{ReviewCommand, ReviewList, ReviewShow};
use crate::columns::aligned;
use crate::people::tell;
use crate::reviews::{AboutReview, ShownCase};
use crate::settings::Settings;
use crate::wish::{Told, Wish};
use anyhow::bail;
use audit::report::cell;
use std::fmt::Write as _;
use std::io::Write as _;
use std::process::ExitCode;

/// The columns of a list, for people and for a spreadsheet.
const COLUMNS: [&str; 9] =
    ["case", "kind", "state", "due", "about", "patient", "signals", "score", "owner"];

/// Does what is asked about cases.
pub(super) fn run(settings: &Settings, command: ReviewCommand) -> anyhow::Result<ExitCode> {
    let ask = |ask| tell(settings, Wish::Review { ask: Box::new(ask) });
    let text = match command {
        ReviewCommand::List(args) => return list(settings, args),
        ReviewCommand::Show(args) => return show(settings, args),
        ReviewCommand::Assign(args) => {
            let (case, by, to, note) = (args.case, args.by, args.to, args.note);
            stepped(ask(AboutReview::Assign { case, by, to, note })?)?
        }
        ReviewCommand::Close(args) => {
            let (case, by, outcome, note) = (args.case, args.by, args.outcome, args.note);
            stepped(ask(AboutReview::Close { case, by, outcome, note })?)?
        }
        ReviewCommand::Reopen(args) => {
            let (case, by, note) = (args.case, args.by, args.note);
            stepped(ask(AboutReview::Reopen { case, by, note })?)?
        }
        ReviewCommand::Sweep => match ask(AboutReview::Sweep)? {
            Told::Swept(swept) => format!("{} cases were opened or added to\n", swept.opened),
            _ => bail!("the server told something else"),
        },
    };
    say(&text)
}

fn say(text: &str) -> anyhow::Result<ExitCode> {
    let mut out = std::io::stdout().lock();
    out.write_all(text.as_bytes())?;
    out.flush()?;
    Ok(ExitCode::SUCCESS)
}

fn stepped(told: Told) -> anyhow::Result<String> {
    let Told::Case(case) = told else { bail!("the server told something else") };
    let how = match (&case.outcome, &case.owner) {
        (Some(outcome), _) => format!("{} as {outcome}", case.state),
        (None, Some(owner)) => format!("{} to {owner}, due {}", case.state, case.due),
        (None, None) => format!("{}, due {}", case.state, case.due),
    };
    Ok(format!("case {} is {how}\n", case.id))
}

fn list(settings: &Settings, args: ReviewList) -> anyhow::Result<ExitCode> {
    if !["text", "csv", "ndjson"].contains(&args.format.as_str()) {
        bail!("{} is no form of a list; there are text, csv and ndjson", args.format);
    }
    let ask = AboutReview::List { state: args.state, overdue: args.overdue, owner: args.mine };
    let Told::Cases(cases) = tell(settings, Wish::Review { ask: Box::new(ask) })? else {
        bail!("the server told something else");
    };
    let text = match args.format.as_str() {
        "csv" => csv(&cases),
        "ndjson" => {
            let lines: Result<Vec<_>, _> = cases.iter().map(serde_json::to_string).collect();
            lines?.iter().fold(String::new(), |all, line| all + line + "\n")
        }
        _ => table(&cases),
    };
    say(&text)
}

fn row(case: &ShownCase) -> [String; 9] {
    [
        case.id.clone(),
        case.kind.clone(),
        if case.overdue { format!("{}, overdue", case.state) } else { case.state.clone() },
        case.due.clone(),
        case.about.clone(),
        case.patient.clone().unwrap_or_default(),
        case.signals.join(", "),
        score(case),
        case.owner.clone().unwrap_or_default(),
    ]
}

/// The score; nothing of a glass that no sweep has weighed.
fn score(case: &ShownCase) -> String {
    if case.score == 0 { String::new() } else { case.score.to_string() }
}

fn table(cases: &[ShownCase]) -> String {
    let head = COLUMNS.map(str::to_uppercase).to_vec();
    let rows: Vec<_> =
        std::iter::once(head).chain(cases.iter().map(|case| row(case).to_vec())).collect();
    format!("{}{} cases\n", aligned(&rows), cases.len())
}

fn csv(cases: &[ShownCase]) -> String {
    let mut out = COLUMNS.join(",") + "\n";
    for case in cases {
        out.push_str(&row(case).map(|value| cell(&value)).join(","));
        out.push('\n');
    }
    out
}

fn show(settings: &Settings, args: ReviewShow) -> anyhow::Result<ExitCode> {
    if !["text", "ndjson"].contains(&args.format.as_str()) {
        bail!("{} is no form of a case; there are text and ndjson", args.format);
    }
    let ask = AboutReview::Show { case: args.case };
    let Told::Case(case) = tell(settings, Wish::Review { ask: Box::new(ask) })? else {
        bail!("the server told something else");
    };
    match args.format.as_str() {
        "ndjson" => say(&(serde_json::to_string(&case)? + "\n")),
        _ => say(&words(&case)),
    }
}

/// A case for a person to decide: what it is about, what is held, what was done.
fn words(case: &ShownCase) -> String {
    let about = match case.about == case.about_id {
        true => case.about.clone(),
        false => format!("{} ({})", case.about, case.about_id),
    };
    let due = if case.overdue { format!("{}, overdue", case.due) } else { case.due.clone() };
    let mut rows = vec![
        ("case", case.id.clone()),
        ("kind", case.kind.clone()),
        ("state", case.state.clone()),
        ("due", due),
        ("about", about),
        ("patient", case.patient.clone().unwrap_or_default()),
        ("from", case.from.clone()),
        ("until", case.until.clone()),
        ("signals", case.signals.join(", ")),
        ("score", score(case)),
    ];
    rows.extend(case.reasons.iter().map(|reason| ("reason held", reason.clone())));
    if let Some(held) = &case.held {
        rows.extend(held.ties.iter().map(|tie| ("held now", tie.clone())));
        let numbers: Vec<_> = held.events.iter().map(u64::to_string).collect();
        let more = if held.more_events { " and more" } else { "" };
        rows.push(("events", format!("{}{more}", numbers.join(", "))));
    }
    rows.push(("owner", case.owner.clone().unwrap_or_default()));
    rows.push(("outcome", case.outcome.clone().unwrap_or_default()));
    let rows: Vec<_> = rows.into_iter().map(|(name, value)| vec![name.to_owned(), value]).collect();
    let mut out = aligned(&rows);
    out.push_str("history\n");
    for step in &case.history {
        // Nobody showed there that they are this person.
        let place = if step.at_console { "at the machine's console, naming " } else { "" };
        let _ = writeln!(out, "  {}  {place}{}: {}", step.at, step.by, step.did);
        if !step.note.is_empty() {
            let _ = writeln!(out, "    {}", step.note);
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::reviews::{Held, ShownStep};

    const GOLDEN: &str = include_str!("../../../tests/golden/review-show.txt");

    pub(super) fn sample() -> ShownCase {
        let step = |at: &str, by: &str, at_console, did: &str, note: &str| ShownStep {
            at: at.to_owned(),
            by: by.to_owned(),
            at_console,
            did: did.to_owned(),
            note: note.to_owned(),
        };
        ShownCase {
            id: "3f9a0c2d11e85b77".to_owned(),
            kind: "break-glass".to_owned(),
            state: "closed".to_owned(),
            overdue: false,
            due: "2026-11-29T11:10:32.950Z".to_owned(),
            opened: "2026-11-22T11:10:32.950Z".to_owned(),
            about: "erin".to_owned(),
            about_id: "01979f3e-0000-7000-8000-000000000001".to_owned(),
            patient: Some("ada".to_owned()),
            from: "2026-11-22T11:10:32.950Z".to_owned(),
            until: "2026-11-22T12:10:32.951Z".to_owned(),
            signals: vec!["broken glass".to_owned(), "same surname".to_owned()],
            score: 320,
            reasons: vec![
                "unconscious in the emergency room; the patient was not in this person's care"
                    .to_owned(),
                "an emergency was stated".to_owned(),
            ],
            owner: Some("petra".to_owned()),
            outcome: Some("explained".to_owned()),
            held: Some(Held {
                events: vec![41, 43, 44],
                more_events: false,
                ties: vec!["no encounter or appointment with each other".to_owned()],
            }),
            history: vec![
                step("2026-11-22T11:10:32.950Z", "the server", false, "seen: broken glass", ""),
                step("2026-11-23T08:00:00.000Z", "paula", true, "assigned to petra", ""),
                step(
                    "2026-11-24T09:30:00.000Z",
                    "petra",
                    true,
                    "closed as explained",
                    "the ward's paper shows the transfer",
                ),
            ],
        }
    }

    #[test]
    fn a_case_reads_as_it_was_reviewed() {
        assert_eq!(words(&sample()), GOLDEN);
    }

    #[test]
    fn a_list_says_what_is_overdue_and_its_csv_holds_no_formula() {
        let mut case = sample();
        (case.state, case.overdue, case.outcome) = ("open".to_owned(), true, None);
        case.about = "=HYPERLINK(1)".to_owned();
        let text = table(&[case.clone()]);
        assert!(text.starts_with("CASE") && text.contains("open, overdue"), "{text}");
        assert!(text.ends_with("1 cases\n"), "{text}");
        let text = csv(&[case]);
        assert!(
            text.contains("\"'=HYPERLINK(1)\"") && text.contains("\"open, overdue\""),
            "{text}"
        );
        assert_eq!(text.lines().count(), 2);
    }
}
