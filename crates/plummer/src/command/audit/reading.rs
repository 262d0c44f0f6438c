//! Reading the log by a command leaves an event in it too (45 CFR 164.312(b)), before anything is shown.

use audit::{Event, Kind, Log, Options, Source};
use base::Clock as _;
use base::error::code;
use base::id::uuid_v7;
use base::time::SystemClock;
use keys::LogKey;
use std::io::Write as _;
use std::path::Path;
use std::sync::Arc;

/// Leaves the event, or says why it cannot: a server holds the log, or the log is damaged, or lies where
/// nothing can be written. Then the rights on the folder are all that guards it.
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
    if let Err(fault) = left {
        let why = match fault.code() == &code::AUDIT_LOCKED {
            true => "a server has the log open".to_owned(),
            false => fault.to_string(),
        };
        writeln!(std::io::stderr(), "plummer: this reading leaves no event: {why}")?;
    }
    Ok(())
}
