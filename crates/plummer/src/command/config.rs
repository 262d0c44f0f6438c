//! `plummer config check` and `plummer config show`.

use crate::cli::Config;
use crate::federation;
use crate::settings::Settings;
use anyhow::bail;
use base::Clock;
use base::time::SystemClock;
use server::Standing;
use std::io::Write as _;
use std::process::ExitCode;
use std::sync::Arc;

/// Checks or shows the settings in force.
pub(crate) fn run(settings: &Settings, args: &Config) -> anyhow::Result<ExitCode> {
    let mut out = std::io::stdout().lock();
    match args {
        Config::Check => {
            let config = settings.server()?;
            if let Some(files) = &config.tls {
                let clock: Arc<dyn Clock> = Arc::new(SystemClock);
                let facts = server::inspect(files, config.own_host(), &clock)?;
                if facts.standing(clock.now()) == Standing::Invalid {
                    let until = facts.validity.until;
                    bail!("tls_certificate is over, or not valid yet; it ends {until}");
                }
                if facts.names_host == Some(false) {
                    bail!("tls_certificate is not for the host of base_url");
                }
            }
            federation::check(settings)?;
            writeln!(out, "the settings make sense")?;
        }
        Config::Show => {
            let width = settings.all().map(|(s, _, _)| s.name.len()).max().unwrap_or(0);
            for (setting, value, source) in settings.all() {
                writeln!(out, "{:width$} = {value}  ({source})", setting.name)?;
            }
            for issuer in settings.issuers() {
                writeln!(out, "oidc {}: {}", issuer.name, issuer.issuer)?;
            }
        }
    }
    Ok(ExitCode::SUCCESS)
}
