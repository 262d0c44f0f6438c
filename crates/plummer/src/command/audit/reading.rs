//! Reading the log by a command leaves an event in it too (45 CFR 164.312(b)), before anything is shown.

use crate::control;
use crate::wish::Wish;
use anyhow::bail;
use audit::{Event, Kind, Log, Options, Source};
use base::Clock as _;
use base::error::code;
use base::id::uuid_v7;
use base::time::SystemClock;
use keys::LogKey;
use std::io::Write as _;
use std::path::Path;
use std::sync::Arc;

/// Leaves the event: in the log itself, or by the server that has it open. Nothing is shown of a log that
/// another process has open and cannot be told of the reading.
///
/// Of a log that is damaged, or lies where nothing can be written, it says so: that is evidence, or a
/// copy, and the rights on the folder are all that guards it.
pub(crate) fn leave(dir: &Path, key: Option<LogKey>, patient: Option<&str>) -> anyhow::Result<()> {
    let now = SystemClock.now();
    let mut event = Event::new(now, uuid_v7(now, &mut crate::opening::random()), Kind::Review);
    event.source = Some(Source::Local);
    event.patients.extend(patient.map(str::to_owned));
    let options = Options { key, ..Options::new(Arc::new(SystemClock)) };
    let left = Log::open(dir, options).and_then(|log| {
        log.append(&event)?.synced().wait()?;
        log.close()
    });
    match left {
        Ok(_head) => Ok(()),
        Err(fault) if fault.code() == &code::AUDIT_LOCKED => by_the_server(dir, patient),
        Err(fault) => {
            writeln!(std::io::stderr(), "plummer: this reading leaves no event: {fault}")?;
            Ok(())
        }
    }
}

fn by_the_server(dir: &Path, patient: Option<&str>) -> anyhow::Result<()> {
    let data = dir.parent().unwrap_or(dir);
    let wish = Wish::LogRead { patient: patient.map(str::to_owned) };
    match control::ask(data, &control::request(wish), &mut |_, _| {})? {
        Some(_) => Ok(()),
        None => bail!(
            "audit.locked: another process has the log open and cannot be told of this reading; try again when it has ended"
        ),
    }
}
