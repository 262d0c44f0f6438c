//! The binary: arguments, settings, log, and the command that was asked for. Start-up is this page.

mod apps;
mod cli;
mod columns;
mod command;
mod confine;
mod control;
mod departments;
mod directory;
mod doctor;
mod federation;
mod first_start;
mod holder;
mod house;
mod import;
mod labels;
mod logging;
mod memory;
mod opening;
mod password_list;
mod people;
mod policies;
mod progress;
mod prompt;
mod reminders;
mod reviews;
mod settings;
mod signing;
mod waitlist;
mod wish;

use clap::Parser;
use cli::{Cli, Command};
use std::io::Write as _;
use std::process::ExitCode;

fn main() -> ExitCode {
    confine::leave_no_core();
    confine::keep_files_private();
    match run(Cli::parse()) {
        Ok(code) => code,
        // Whoever read the output has seen enough of it: `plummer audit show | head`.
        Err(error) if is_broken_pipe(&error) => ExitCode::SUCCESS,
        Err(error) => {
            let _ = writeln!(std::io::stderr(), "plummer: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(cli: Cli) -> anyhow::Result<ExitCode> {
    if matches!(cli.command, Command::Version) {
        writeln!(std::io::stdout(), "plummer {}", env!("CARGO_PKG_VERSION"))?;
        return Ok(ExitCode::SUCCESS);
    }
    let mut settings = cli.flags.settings()?;
    if matches!(&cli.command, Command::Serve(serve) if serve.demo) {
        settings.default_to("data", "plummer-data/demo")?;
        // Where its sites are.
        settings.default_to("time_zone", "America/Chicago")?;
        // Its people are invented, and so are their passwords at each start.
        settings.default_to("second_factor_roles", "none")?;
    }
    logging::begin(&settings)?;
    match cli.command {
        Command::Serve(args) => command::serve::run(&settings, &args),
        Command::Import(args) => command::import::run(&settings, &args),
        Command::Export(args) => command::export::run(&settings, &args),
        Command::Generate(args) => command::generate::run(&args),
        Command::Backup(args) => command::backup::run(&settings, &args),
        Command::Restore(args) => command::restore::run(&settings, &args),
        Command::User(args) => command::user::run(&settings, args),
        Command::Role(args) => command::role::run(&settings, args),
        Command::Policy(args) => command::policy::run(&settings, args),
        Command::Client(args) => command::client::run(&settings, args),
        Command::App(args) => command::app::run(&settings, args),
        Command::Token(args) => command::token::run(&settings, args),
        Command::PasswordList(args) => command::password_list::run(&settings, &args),
        Command::Claim(args) => command::claim::run(&settings, args),
        Command::Operation(args) => command::operation::run(&settings, args),
        Command::Reminders(args) => command::reminders::run(&settings, &args),
        Command::Labels(args) => command::labels::run(&settings, args),
        Command::Keys(args) => command::keys::run(&settings, &args),
        Command::Audit(args) => command::audit::run(&settings, args),
        Command::Doctor(args) => command::doctor::run(&settings, &args),
        Command::Tls(args) => command::tls::run(args),
        Command::Config(args) => command::config::run(&settings, &args),
        Command::Version => Ok(ExitCode::SUCCESS),
    }
}

fn is_broken_pipe(error: &anyhow::Error) -> bool {
    error
        .chain()
        .filter_map(|cause| cause.downcast_ref::<std::io::Error>())
        .any(|cause| cause.kind() == std::io::ErrorKind::BrokenPipe)
}
