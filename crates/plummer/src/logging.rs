//! Log lines to standard error: a message and fields, as text or JSON, and never patient data
//! (45 CFR 164.502(b)). A panic's text may quote a value, so only its place is logged.

use crate::settings::Settings;
use anyhow::Context as _;
use std::io::{IsTerminal as _, stderr};
use tracing::error;
use tracing_subscriber::EnvFilter;

/// Begins to log as the settings say.
pub(crate) fn begin(settings: &Settings) -> anyhow::Result<()> {
    let filter = settings.text("log_filter");
    let filter = EnvFilter::builder()
        .parse(&filter)
        .with_context(|| format!("log_filter: {filter} is no filter"))?;
    let lines = tracing_subscriber::fmt().with_env_filter(filter).with_writer(stderr);
    let begun = if settings.text("log_format") == "json" {
        lines.json().flatten_event(true).try_init()
    } else {
        lines.with_ansi(stderr().is_terminal()).try_init()
    };
    begun.map_err(|error| anyhow::anyhow!("the log cannot be begun: {error}"))?;
    std::panic::set_hook(Box::new(|panic| {
        let place = panic.location().map(|l| format!("{}:{}", l.file(), l.line()));
        error!(place = place.unwrap_or_default(), "a thread panicked");
    }));
    Ok(())
}
