//! `plummer config check` and `plummer config show`.

use crate::cli::Config;
use crate::settings::Settings;
use std::io::Write as _;
use std::process::ExitCode;

/// Checks or shows the settings in force.
pub(crate) fn run(settings: &Settings, args: &Config) -> anyhow::Result<ExitCode> {
    let mut out = std::io::stdout().lock();
    match args {
        Config::Check => {
            settings.server()?;
            writeln!(out, "the settings make sense")?;
        }
        Config::Show => {
            let width = settings.all().map(|(s, _, _)| s.name.len()).max().unwrap_or(0);
            for (setting, value, source) in settings.all() {
                writeln!(out, "{:width$} = {value}  ({source})", setting.name)?;
            }
        }
    }
    Ok(ExitCode::SUCCESS)
}
