//! `plummer labels`: which rules label records, what waits to be gone over, and the records that the
//! site has tagged (42 CFR 2.11). Done by the server that holds the data folder, or here when none does.

use crate::cli::labels::{Labels, LabelsCommand};
use crate::columns::aligned;
use crate::control;
use crate::labels;
use crate::opening;
use crate::people::Say;
use crate::progress::{Progress, Step, grouped};
use crate::settings::Settings;
use crate::wish::{AboutLabels, ShownLabels, Told, Wish};
use anyhow::{anyhow, bail};
use std::io::Write as _;
use std::process::ExitCode;

/// Does what is asked about labels.
pub(crate) fn run(settings: &Settings, args: Labels) -> anyhow::Result<ExitCode> {
    let say = Say { json: args.json };
    let tag = |tag: crate::cli::labels::Tagging, on| AboutLabels::Tag {
        tag: tag.tag,
        record: tag.record,
        on,
    };
    let ask = match args.command {
        LabelsCommand::Status => AboutLabels::Status,
        LabelsCommand::Relabel(args) => AboutLabels::Relabel { all: args.all },
        LabelsCommand::Tag(args) => tag(args, true),
        LabelsCommand::Untag(args) => tag(args, false),
        LabelsCommand::Tags => AboutLabels::Tags,
    };
    let told = tell(settings, ask)?;
    if say.json {
        return say.json(&told);
    }
    let mut out = std::io::stdout().lock();
    match told {
        Told::Labels(labels) => write!(out, "{}", aligned(&rows(&labels)))?,
        Told::Tags(tags) => {
            let head = ["TAG", "RECORD", "SINCE"].map(str::to_owned).to_vec();
            let row = |tag: crate::wish::ShownTag| vec![tag.tag, tag.record, tag.since];
            let rows: Vec<_> = std::iter::once(head).chain(tags.into_iter().map(row)).collect();
            write!(out, "{}", aligned(&rows))?;
        }
        Told::Tagged { changed: true } => {
            writeln!(
                out,
                "done; records are gone over now, and `plummer labels status` says how far"
            )?;
        }
        Told::Tagged { changed: false } => writeln!(out, "it was so already")?,
        _ => bail!("the server told something else"),
    }
    Ok(ExitCode::SUCCESS)
}

fn tell(settings: &Settings, ask: AboutLabels) -> anyhow::Result<Told> {
    let mut progress = Progress::begin("labelling", "versions");
    let mut told = |done, all| progress.step(Step { count: done, done, all });
    let request = control::request(Wish::Labels { ask });
    let answer = match control::ask(&settings.data(), &request, &mut told)? {
        Some(answer) => answer,
        None => {
            if !settings.data().join("store").exists() {
                bail!(
                    "{} holds no record; name another folder by --data",
                    settings.data().display()
                );
            }
            let record = opening::record(settings)?;
            let Wish::Labels { ask } = request.wish else { bail!("another wish") };
            labels::carry_out(&record, ask, &mut told).map_err(|fault| anyhow!("{fault}"))?
        }
    };
    progress.end();
    Ok(answer)
}

fn rows(labels: &ShownLabels) -> Vec<Vec<String>> {
    let mut rows = vec![
        ("labelling", labels.labelling.clone()),
        ("rules", format!("{}, epoch {}", labels.rules, labels.epoch)),
        ("waiting", format!("{} versions", grouped(labels.waiting))),
        ("changed", format!("{} versions", grouped(labels.changed))),
    ];
    if !labels.in_doubt.is_empty() {
        rows.push(("withheld meanwhile as", labels.in_doubt.clone()));
    }
    if !labels.in_doubt_of_patients.is_empty() {
        rows.push(("and of some patients as", labels.in_doubt_of_patients.clone()));
    }
    if let Some(failure) = &labels.failure {
        rows.push(("failed", failure.clone()));
    }
    rows.into_iter().map(|(name, value)| vec![name.to_owned(), value]).collect()
}
