//! The commands about who may sign in, as far as they are alike: a wish carried out wherever the data
//! folder is held, and what was told as rows for people or as JSON for programs.

use crate::apps;
use crate::columns::aligned;
use crate::control;
use crate::directory::MISSING;
use crate::opening;
use crate::policies;
use crate::reviews;
use crate::settings::Settings;
use crate::wish::{Open, Shown, ShownPasskey, Told, Wish};
use anyhow::{anyhow, bail};
use smart::NoFetch;
use std::io::Write as _;
use std::process::ExitCode;
use std::sync::Arc;

/// Has a wish carried out: by the server that holds the data folder, or here when none does.
pub(crate) fn tell(settings: &Settings, wish: Wish) -> anyhow::Result<Told> {
    let data = settings.data();
    let request = control::request(wish);
    if let Some(told) = control::ask(&data, &request, &mut |_, _| {})? {
        return Ok(told);
    }
    // A mistyped folder is not made: but for what a new one may begin with, there is nothing in it.
    let begins = matches!(request.wish, Wish::Add { .. } | Wish::AddApp { .. });
    if !begins && !data.join("store").exists() {
        bail!("{} holds no record; name another folder by --data", data.display());
    }
    let record = opening::record(settings)?;
    let done = match &request.wish {
        wish if apps::is_about_apps(wish) => apps::open(&record, Arc::new(NoFetch))
            .and_then(|apps| apps::carry_out(&record, &apps, request.wish)),
        wish if policies::is_about_policies(wish) => {
            policies::carry_out(&record, &settings.policies(), request.wish)
        }
        Wish::Review { .. } => reviews::carry_out(&record, request.wish),
        _ => apps::open(&record, Arc::new(NoFetch))
            .and_then(|apps| apps::with_people(&record, &apps, request.wish)),
    };
    done.map_err(|fault| anyhow!("{fault}"))
}

/// How a command says what was done.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Say {
    pub(crate) json: bool,
}

impl Say {
    /// As JSON: what stands in the answer, without the name of its form.
    pub(crate) fn json(self, told: &Told) -> anyhow::Result<ExitCode> {
        let text = match told {
            Told::Done => serde_json::json!({}).to_string(),
            Told::One(one) => serde_json::to_string(one)?,
            Told::Many(all) => serde_json::to_string(all)?,
            Told::Sessions(all) => serde_json::to_string(all)?,
            Told::Passkeys(all) => serde_json::to_string(all)?,
            Told::Ended(count) => serde_json::json!({ "ended": count }).to_string(),
            Told::Issued { token, open } => {
                serde_json::json!({ "token": token, "session": open }).to_string()
            }
            Told::Code(code) => serde_json::json!({ "code": code }).to_string(),
            Told::App(one) => serde_json::to_string(one)?,
            Told::Apps(all) => serde_json::to_string(all)?,
            Told::Standing(one) => serde_json::to_string(one)?,
            Told::Why(one) => serde_json::to_string(one)?,
            Told::Simulated(one) => serde_json::to_string(one)?,
            Told::Labels(labels) => serde_json::to_string(labels)?,
            Told::Tags(tags) => serde_json::to_string(tags)?,
            Told::Reminders(all) => serde_json::to_string(all)?,
            Told::ReminderCounts(counts) => serde_json::to_string(counts)?,
            Told::Tagged { changed } => serde_json::json!({ "changed": changed }).to_string(),
            Told::Cases(all) => serde_json::to_string(all)?,
            Told::Case(one) => serde_json::to_string(one)?,
            Told::Swept(swept) => serde_json::to_string(swept)?,
            Told::ReviewCounts(counts) => serde_json::to_string(counts)?,
            Told::Anchor(anchor) => serde_json::to_string(anchor)?,
        };
        writeln!(std::io::stdout(), "{text}")?;
        Ok(ExitCode::SUCCESS)
    }

    /// That a principal was made or changed.
    pub(crate) fn made(self, did: &str, told: Told) -> anyhow::Result<ExitCode> {
        if self.json {
            return self.json(&told);
        }
        let Told::One(one) = told else { bail!("the server told something else") };
        let mut out = std::io::stdout().lock();
        let roles = if one.roles.is_empty() { "none".to_owned() } else { one.roles.join(", ") };
        writeln!(out, "{did} {} ({}); roles: {roles}", one.name, one.display)?;
        if let Some(drawn) = &one.drawn {
            writeln!(out, "password: {}", drawn.0.expose())?;
            writeln!(std::io::stderr(), "Hand it over in person; it is not shown again.")?;
        }
        Ok(ExitCode::SUCCESS)
    }

    /// All of a sort.
    pub(crate) fn all(self, told: Told) -> anyhow::Result<ExitCode> {
        if self.json {
            return self.json(&told);
        }
        let Told::Many(all) = told else { bail!("the server told something else") };
        let head = ["NAME", "DISPLAY", "KIND", "ROLES", "STATE"].map(str::to_owned).to_vec();
        let row = |one: &Shown| {
            let state = match &one.disabled {
                Some(_) => "disabled".to_owned(),
                None if one.second_factor.starts_with(MISSING) => {
                    format!("enabled; second factor {}", one.second_factor)
                }
                None => "enabled".to_owned(),
            };
            let (name, display) = (one.name.clone(), one.display.clone());
            vec![name, display, one.kind.clone(), one.roles.join(","), state]
        };
        let rows: Vec<_> = std::iter::once(head).chain(all.iter().map(row)).collect();
        write!(std::io::stdout(), "{}", aligned(&rows))?;
        Ok(ExitCode::SUCCESS)
    }

    /// One principal, whole.
    pub(crate) fn one(self, told: Told) -> anyhow::Result<ExitCode> {
        if self.json {
            return self.json(&told);
        }
        let Told::One(one) = told else { bail!("the server told something else") };
        let state = match one.disabled {
            Some((at, reason)) => format!("disabled since {at}: {reason}"),
            None => "enabled".to_owned(),
        };
        let rows: Vec<Vec<String>> = [
            ("name", one.name),
            ("display", one.display),
            ("id", one.id),
            ("kind", one.kind),
            ("state", state),
            ("roles", one.roles.join(", ")),
            ("sites", one.sites.join(", ")),
            ("care teams", one.care_teams.join(", ")),
            ("practitioner", one.practitioner.unwrap_or_default()),
            ("patient", one.patient.unwrap_or_default()),
            ("represents", one.represents.join(", ")),
            ("password", one.password),
            ("second factors", one.factors.join(", ")),
            ("demanded", one.second_factor),
            ("known by", one.issuers.join(", ")),
            ("sessions", one.sessions.to_string()),
            ("tokens", one.tokens.to_string()),
            ("since", one.created),
        ]
        .into_iter()
        .map(|(name, value)| vec![name.to_owned(), value])
        .collect();
        write!(std::io::stdout(), "{}", aligned(&rows))?;
        Ok(ExitCode::SUCCESS)
    }

    /// What is open, or how much of it was ended.
    pub(crate) fn sessions(self, told: Told) -> anyhow::Result<ExitCode> {
        if self.json {
            return self.json(&told);
        }
        let mut out = std::io::stdout().lock();
        match told {
            Told::Ended(count) => writeln!(out, "ended {count}")?,
            Told::Sessions(all) => {
                let head = ["ID", "NAME", "KIND", "SINCE", "LAST USED", "ENDS", "FROM", "NOTE"];
                let row = |one: &Open| {
                    let from = one.from.clone().unwrap_or_default();
                    let times = [one.since.clone(), one.used.clone(), one.ends.clone()];
                    let names = [one.id.clone(), one.name.clone(), one.kind.clone()];
                    names.into_iter().chain(times).chain([from, one.note.clone()]).collect()
                };
                let head = head.map(str::to_owned).to_vec();
                let rows: Vec<_> = std::iter::once(head).chain(all.iter().map(row)).collect();
                write!(out, "{}", aligned(&rows))?;
            }
            _ => bail!("the server told something else"),
        }
        Ok(ExitCode::SUCCESS)
    }

    /// The passkeys that are left.
    pub(crate) fn passkeys(self, told: Told) -> anyhow::Result<ExitCode> {
        if self.json {
            return self.json(&told);
        }
        let Told::Passkeys(all) = told else { bail!("the server told something else") };
        let head = ["ID", "NAME", "HOST", "SINCE", "LAST USED"].map(str::to_owned).to_vec();
        let row = |one: &ShownPasskey| {
            let one = [&one.id, &one.name, &one.host, &one.since, &one.used];
            one.map(Clone::clone).to_vec()
        };
        let rows: Vec<_> = std::iter::once(head).chain(all.iter().map(row)).collect();
        write!(std::io::stdout(), "{}", aligned(&rows))?;
        Ok(ExitCode::SUCCESS)
    }
}
