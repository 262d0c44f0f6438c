//! `plummer operation`: what may be asked of the departments, and asking it on this machine. What there is
//! follows from their declarations, as the addresses of the server do.

use crate::cli::operation::{Call, Operation, OperationCommand};
use crate::columns::aligned;
use crate::departments::DEPARTMENTS;
use crate::opening;
use crate::settings::Settings;
use anyhow::{Context as _, anyhow, bail};
use base::Limits;
use fhir::Document;
use fhir::definitions::r4;
use record::{At, Input};
use std::io::Write as _;
use std::process::ExitCode;

/// Says what there is, or carries one out.
pub(crate) fn run(settings: &Settings, args: Operation) -> anyhow::Result<ExitCode> {
    let mut out = std::io::stdout().lock();
    match args.command {
        OperationCommand::List => {
            let head = ["OPERATION", "ADDRESS", "CHANGES", "TAKES"].map(str::to_owned).to_vec();
            let rows = all().map(|one| {
                let takes: Vec<&str> = one.input.iter().map(|parameter| parameter.name).collect();
                let changes = if one.only_reads() { "nothing" } else { "records" };
                vec![one.id(), one.addresses().join(" "), changes.to_owned(), takes.join(" ")]
            });
            write!(out, "{}", aligned(&std::iter::once(head).chain(rows).collect::<Vec<_>>()))?;
        }
        OperationCommand::Show(show) => {
            out.write_all(&find(&show.id)?.definition("/fhir"))?;
            writeln!(out)?;
        }
        OperationCommand::Call(call) => {
            out.write_all(&carry_out(settings, &call)?)?;
            writeln!(out)?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn all() -> impl Iterator<Item = &'static record::Operation> {
    DEPARTMENTS.iter().flat_map(|department| department.operations).copied()
}

fn find(id: &str) -> anyhow::Result<&'static record::Operation> {
    let known = || all().map(record::Operation::id).collect::<Vec<_>>().join(", ");
    all()
        .find(|one| one.id() == id)
        .with_context(|| format!("there is no such operation; there are {}", known()))
}

fn carry_out(settings: &Settings, call: &Call) -> anyhow::Result<Vec<u8>> {
    let operation = find(&call.id)?;
    let target = match (operation.at, call.of.as_deref()) {
        (At::System, None) => (None, None),
        (At::Type(of), None) => (Some(of), None),
        (At::Instance(_), Some(record)) => {
            let (kind, id) = record.split_once('/').context("name the record as Type/ID")?;
            let kind = r4().resource_name(kind).context("R4 has no such type")?;
            if !operation.is_at(Some(kind), true) {
                bail!("the operation is not asked of records of this type");
            }
            (Some(kind), Some(id.to_owned()))
        }
        (At::Instance(_), None) => bail!("say of which record, by --of Type/ID"),
        (At::System | At::Type(_), Some(_)) => bail!("the operation is asked of no one record"),
    };
    let fault = |fault: base::Fault| anyhow!("{fault}");
    let input = match &call.body {
        Some(file) => {
            let body = std::fs::read(file).with_context(|| file.display().to_string())?;
            let document = Document::parse(body, &Limits::default()).map_err(fault)?;
            Input::of_parameters(operation, target, Some(document.root()), &Limits::default())
        }
        None => {
            let pair = |text: &String| {
                let (name, value) = text.split_once('=')?;
                Some((name.to_owned(), value.to_owned()))
            };
            let pairs: Option<Vec<_>> = call.parameters.iter().map(pair).collect();
            let pairs = pairs.context("write each parameter as NAME=VALUE")?;
            Input::of_query(operation, target, &pairs)
        }
    };
    let input = input.map_err(fault)?;
    if !settings.data().join("store").exists() {
        bail!("{} holds no record; name another folder by --data", settings.data().display());
    }
    let record = opening::record(settings)?;
    let session = opening::session(&record);
    let runtime = tokio::runtime::Builder::new_current_thread().build()?;
    let output = runtime.block_on(session.call(operation, &input)).map_err(fault)?;
    Ok(output.body)
}
