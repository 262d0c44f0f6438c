//! `plummer reminders`: which reminders of visits were sent, failed or were not sent, and why
//! (docs/operators/reminders.md). Told by the server that holds the data folder, or here when none does. No
//! address and no name is in it.

use crate::cli::reminders::{Reminders, RemindersCommand};
use crate::columns::aligned;
use crate::control;
use crate::opening;
use crate::people::Say;
use crate::reminders;
use crate::settings::Settings;
use crate::wish::{ShownReminder, Told, Wish};
use anyhow::{anyhow, bail};
use scheduling::remind::Outcome;
use std::collections::BTreeMap;
use std::io::Write as _;
use std::process::ExitCode;

/// Tells how reminders stand.
pub(crate) fn run(settings: &Settings, args: &Reminders) -> anyhow::Result<ExitCode> {
    let say = Say { json: args.json };
    // Every state there is, as the ledger has it.
    let states = Outcome::ALL.map(Outcome::as_str);
    if let RemindersCommand::List(list) = &args.command
        && let Some(odd) = list.state.iter().find(|state| !states.contains(&state.as_str()))
    {
        bail!("--state {odd}: use one of {}", states.join(", "));
    }
    let all = tell(settings)?;
    let mut out = std::io::stdout().lock();
    match &args.command {
        RemindersCommand::Status => {
            let count = |state: &str| all.iter().filter(|one| one.state == state).count();
            let counts: BTreeMap<String, usize> =
                states.into_iter().map(|state| (state.to_owned(), count(state))).collect();
            if say.json {
                return say.json(&Told::ReminderCounts(counts));
            }
            let rows: Vec<Vec<String>> = states
                .iter()
                .map(|state| vec![(*state).to_owned(), count(state).to_string()])
                .collect();
            write!(out, "{}", aligned(&rows))?;
        }
        RemindersCommand::List(list) => {
            let wanted =
                |one: &ShownReminder| list.state.is_empty() || list.state.contains(&one.state);
            let all: Vec<ShownReminder> = all.into_iter().filter(wanted).collect();
            if say.json {
                return say.json(&Told::Reminders(all));
            }
            let head = ["START", "APPOINTMENT", "LEAD", "STATE", "TRIED", "WAY", "NEXT", "WHY"];
            let none = || "-".to_owned();
            let row = |one: ShownReminder| {
                vec![
                    one.start,
                    one.appointment,
                    one.lead,
                    one.state,
                    one.attempts.to_string(),
                    one.way.unwrap_or_else(none),
                    one.next.unwrap_or_else(none),
                    one.why.unwrap_or_else(none),
                ]
            };
            let head = head.map(str::to_owned).to_vec();
            let rows: Vec<_> = std::iter::once(head).chain(all.into_iter().map(row)).collect();
            write!(out, "{}", aligned(&rows))?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn tell(settings: &Settings) -> anyhow::Result<Vec<ShownReminder>> {
    let request = control::request(Wish::Reminders);
    let told = match control::ask(&settings.data(), &request, &mut |_, _| {})? {
        Some(told) => told,
        None => {
            if !settings.data().join("store").exists() {
                let data = settings.data();
                bail!("{} holds no record; name another folder by --data", data.display());
            }
            let record = opening::record(settings)?;
            reminders::carry_out(&record).map_err(|fault| anyhow!("{fault}"))?
        }
    };
    match told {
        Told::Reminders(all) => Ok(all),
        _ => bail!("the server told something else"),
    }
}
