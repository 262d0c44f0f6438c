//! `plummer policy`: the policies of a site before they are in force, while they are, and what they
//! decide (45 CFR 164.308(a)(4)(ii)(B) and (C), access authorization and modification; 164.308(a)(8),
//! evaluation).

use crate::cli::policy::{
    Policy, PolicyCheck, PolicyCommand, PolicyDiff, PolicyShow, PolicySimulate, PolicyWhy,
};
use crate::columns::aligned;
use crate::command::audit::instant;
use crate::people::tell;
use crate::policies::{
    self, Folder, ShownPurpose, ShownRule, ShownSimulated, ShownStanding, ShownTally, ShownWhy,
    WantedWhy,
};
use crate::settings::Settings;
use crate::wish::{Told, Wish};
use access::matrix::LEGEND;
use access::{Matrix, Persona, Policies};
use anyhow::{anyhow, bail};
use base::Fault;
use fhir::definitions::{TypeId, r4};
use record::TENANT;
use serde_json::{Value, json};
use std::io::Write as _;
use std::path::Path;
use std::process::ExitCode;

/// Does what is asked about policies.
pub(crate) fn run(settings: &Settings, args: Policy) -> anyhow::Result<ExitCode> {
    let json = args.json;
    match args.command {
        PolicyCommand::Check(args) => check(settings, &args, json),
        PolicyCommand::Show(args) => show(settings, &args, json),
        PolicyCommand::Diff(args) => diff(&args, json),
        PolicyCommand::Why(args) => why(settings, args, json),
        PolicyCommand::Simulate(args) => simulate(settings, &args, json),
        PolicyCommand::Reload => match tell(settings, Wish::PolicyReload)? {
            Told::Standing(standing) if json => told(&serde_json::to_value(standing)?),
            Told::Standing(standing) => {
                let did = match standing.changed {
                    true => "other policies are in force",
                    false => "these policies were in force already",
                };
                say(&format!("{did}\n{}", words(&standing)))
            }
            _ => bail!("the server told something else"),
        },
        PolicyCommand::Standing => match tell(settings, Wish::PolicyStanding)? {
            Told::Standing(standing) if json => told(&serde_json::to_value(standing)?),
            Told::Standing(standing) => say(&words(&standing)),
            _ => bail!("the server told something else"),
        },
    }
}

fn say(text: &str) -> anyhow::Result<ExitCode> {
    write!(std::io::stdout(), "{text}")?;
    Ok(ExitCode::SUCCESS)
}

fn told(value: &Value) -> anyhow::Result<ExitCode> {
    writeln!(std::io::stdout(), "{value}")?;
    Ok(ExitCode::SUCCESS)
}

/// The policies of a folder, or all that is wrong with them.
fn load(folder: &Folder) -> Result<(Policies, Vec<String>), Fault> {
    let texts = policies::read(&folder.path, folder.must)?;
    let policies = record::load_policies(1, &texts)?;
    Ok((policies, texts.into_iter().map(|(name, _)| name).collect()))
}

fn folder(settings: &Settings, named: Option<&Path>) -> Folder {
    match named {
        Some(path) => Folder { path: path.to_owned(), must: true },
        None => settings.policies(),
    }
}

/// As [`load`], of a folder that has to be right for what is asked.
pub(crate) fn loaded(folder: &Folder) -> anyhow::Result<Policies> {
    load(folder).map(|(policies, _)| policies).map_err(|fault| faults(&fault, &folder.path))
}

/// A set's faults, one a line.
pub(crate) fn faults(fault: &Fault, dir: &Path) -> anyhow::Error {
    let mut all = format!("the policies in {} are refused:", dir.display());
    for issue in &fault.issues {
        all.push_str("\n  ");
        if let Some(place) = &issue.expression {
            all.push_str(&format!("{place}: "));
        }
        all.push_str(&format!("{}: {}", issue.code.name, issue.diagnostics));
    }
    anyhow!(all)
}

fn check(settings: &Settings, args: &PolicyCheck, json: bool) -> anyhow::Result<ExitCode> {
    let folder = folder(settings, args.dir.as_deref());
    let mut out = std::io::stdout().lock();
    let (policies, files) = match load(&folder) {
        Ok(loaded) => loaded,
        Err(fault) => {
            for issue in &fault.issues {
                let place = issue.expression.as_deref().unwrap_or_default();
                let (code, say) = (issue.code.name, &issue.diagnostics);
                match json {
                    true => writeln!(out, "{}", json!({"at": place, "code": code, "say": say}))?,
                    false => writeln!(out, "{place}: {code}: {say}")?,
                }
            }
            return Ok(ExitCode::FAILURE);
        }
    };
    let own = || policies.rules().filter(|rule| files.iter().any(|file| **file == *rule.text));
    let (permits, forbids) =
        (own().filter(|rule| rule.permits).count(), own().filter(|rule| !rule.permits).count());
    if json {
        return told(&json!({"files": files, "permits": permits, "forbids": forbids}));
    }
    writeln!(
        out,
        "{} files, {permits} policies that permit, {forbids} that forbid, beside the walls and roles that are shipped",
        files.len()
    )?;
    Ok(ExitCode::SUCCESS)
}

fn show(settings: &Settings, args: &PolicyShow, json: bool) -> anyhow::Result<ExitCode> {
    let policies = loaded(&folder(settings, args.dir.as_deref()))?;
    let types: Vec<TypeId> = match args.types.is_empty() {
        true => r4().resource_types().map(|(id, _)| id).collect(),
        false => args
            .types
            .iter()
            .map(|name| {
                r4().resource_type(name).ok_or_else(|| anyhow!("{name} is no resource type of R4"))
            })
            .collect::<Result<_, _>>()?,
    };
    let all = Persona::all(TENANT, policies.named());
    if let Some(role) = args.roles.iter().find(|role| !all.iter().any(|one| one.name == **role)) {
        bail!("{role} is no role that a policy names");
    }
    let asked = |one: &Persona| {
        args.roles.is_empty()
            || args.roles.iter().any(|role| {
                one.name.strip_prefix(role.as_str()).is_some_and(|rest| {
                    rest.is_empty() || rest.starts_with(" ") || rest.starts_with(",")
                })
            })
    };
    let personas: Vec<Persona> = all.into_iter().filter(asked).collect();
    let matrix = policies.matrix(&personas, &types);
    match json {
        true => told(&matrix_json(&matrix)),
        false => say(&format!("{LEGEND}\n{matrix}")),
    }
}

fn matrix_json(matrix: &Matrix) -> Value {
    let personas = matrix.personas.iter().map(|(name, rows)| {
        let rows = rows.iter().map(|row| {
            let types: Vec<_> = row.types.iter().map(|id| r4().name(*id)).collect();
            json!({"actions": row.actions, "purposes": row.purposes, "records": row.records, "types": types})
        });
        json!({"who": name, "may": rows.collect::<Vec<_>>()})
    });
    Value::Array(personas.collect())
}

fn diff(args: &PolicyDiff, json: bool) -> anyhow::Result<ExitCode> {
    let of = |path: &Path| loaded(&Folder { path: path.to_owned(), must: true });
    let (old, new) = (of(&args.old)?, of(&args.new)?);
    let diff = old.diff(&new, TENANT);
    if json {
        let changes = diff.changes.iter().map(|change| {
            json!({
                "who": change.who,
                "does": if change.gains { "gains" } else { "loses" },
                "actions": change.actions,
                "purposes": change.purposes,
                "when": change.when,
                "records": change.records,
            })
        });
        let names = |ids: &[access::Name]| ids.iter().map(ToString::to_string).collect::<Vec<_>>();
        told(&json!({
            "added": names(&diff.added),
            "removed": names(&diff.removed),
            "altered": names(&diff.altered),
            "changes": changes.collect::<Vec<_>>(),
        }))?;
    } else {
        say(&format!("{LEGEND}\n{diff}"))?;
    }
    Ok(if diff.widens() { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

fn why(settings: &Settings, args: PolicyWhy, json: bool) -> anyhow::Result<ExitCode> {
    let at_ms = instant(&args.at)?.map(|at| at.0);
    // A patient without a type is that patient's own record; with one, whom it is about.
    let (kind, id, patient) = match (args.kind, args.id, args.patient) {
        (None, _, patient) => ("Patient".to_owned(), patient, None),
        (Some(kind), id, patient) => (kind, id, patient),
    };
    let asked = WantedWhy {
        user: args.user,
        action: args.action,
        kind,
        id,
        patient,
        purpose: args.purpose,
        fresh: args.fresh_factor,
        at_ms,
    };
    let Told::Why(why) = tell(settings, Wish::PolicyWhy { asked: Box::new(asked) })? else {
        bail!("the server told something else");
    };
    match json {
        true => told(&serde_json::to_value(why)?),
        false => say(&why_words(&why)),
    }
}

fn why_words(why: &ShownWhy) -> String {
    let mut text = String::from(if why.permitted { "permitted\n" } else { "refused\n" });
    let mut line = |say: String| {
        text.push_str(&say);
        text.push('\n');
    };
    let ties = if why.ties.is_empty() { "nothing".to_owned() } else { why.ties.join(", ") };
    line(format!("ties to the record: {ties}"));
    for ShownPurpose { purpose, permitted, permits, forbids, instead } in &why.purposes {
        let says = if *permitted { "the policies permit it" } else { "the policies refuse it" };
        line(format!("for {purpose}: {says}"));
        for (what, rules) in [("permits", permits), ("forbids", forbids)] {
            for ShownRule { id, place, law, wall } in rules {
                let law = law.as_deref().map(|law| format!("; rests on {law}")).unwrap_or_default();
                let wall = if *wall { "; a wall" } else { "" };
                line(format!("  {id} {what} it ({place}{wall}{law})"));
            }
        }
        if permits.is_empty() {
            line("  no policy permits it".to_owned());
        }
        for one in instead {
            line(format!("  it would be permitted with {one}"));
        }
        if !*permitted && instead.is_empty() {
            line("  no one or two things would make it permitted".to_owned());
        }
    }
    line(format!("all they reach of the type:\n  {}", why.reaches.replace('\n', "\n  ")));
    for note in &why.notes {
        line(format!("note: {note}"));
    }
    line(format!("policies of epoch {}, digest {}", why.epoch, why.digest));
    text
}

fn simulate(settings: &Settings, args: &PolicySimulate, json: bool) -> anyhow::Result<ExitCode> {
    // The server may stand in another folder.
    let dir = std::path::absolute(&args.policies)?;
    let ms = |text: &Option<String>| Ok::<_, anyhow::Error>(instant(text)?.map(|at| at.0));
    let wish = Wish::PolicySimulate { dir, from_ms: ms(&args.from)?, until_ms: ms(&args.until)? };
    let Told::Simulated(found) = tell(settings, wish)? else {
        bail!("the server told something else");
    };
    match json {
        true => told(&serde_json::to_value(found)?),
        false => say(&simulated_words(&found)),
    }
}

fn simulated_words(found: &ShownSimulated) -> String {
    let mut text = format!(
        "{} accesses, {} asked again, {} answered alike\n",
        found.events, found.replayed, found.alike
    );
    let lists = [
        ("would be refused", &found.refused),
        ("would show less", &found.narrowed),
        ("would be permitted, and are not now", &found.permitted),
    ];
    for (what, tallies) in lists {
        if tallies.is_empty() {
            continue;
        }
        text.push_str(&format!("\n{what}:\n"));
        let head = ["TIMES", "PEOPLE", "ROLES", "WHAT", "BY", "FIRST EVENT"].map(str::to_owned);
        let row = |one: &ShownTally| {
            let what = format!("{} {}", one.action, one.kind);
            let (times, people) = (one.times.to_string(), one.people.to_string());
            let first = one.first_event.to_string();
            vec![times, people, one.roles.clone(), what, one.rule.clone(), first]
        };
        let rows: Vec<_> = [head.to_vec()].into_iter().chain(tallies.iter().map(row)).collect();
        text.push_str(&aligned(&rows));
    }
    if !found.not_asked.is_empty() {
        text.push_str("\nnot asked again:\n");
        for (why, times) in &found.not_asked {
            text.push_str(&format!("  {times} {why}\n"));
        }
    }
    text.push_str("\nthis is a part of the answer:\n");
    for one in &found.partial {
        text.push_str(&format!("  {one}\n"));
    }
    text
}

fn words(standing: &ShownStanding) -> String {
    let files = match standing.files.is_empty() {
        true => "none beside what is shipped".to_owned(),
        false => standing.files.join(", "),
    };
    format!("epoch: {}\ndigest: {}\nfiles: {files}\n", standing.epoch, standing.digest)
}
