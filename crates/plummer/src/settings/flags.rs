//! The table of settings as flags of the command line, for every command alike.

use super::Settings;
use super::table::{Kind, TABLE};
use clap::parser::ValueSource;
use clap::{Arg, ArgAction, ArgMatches, Command};
use std::path::PathBuf;

const CONFIG: &str = "config";

/// The flags that were given.
#[derive(Debug, Clone, Default)]
pub(crate) struct Flags {
    files: Vec<PathBuf>,
    values: Vec<(&'static str, String)>,
}

impl Flags {
    /// The settings in force, the environment included. This is the one place that reads it.
    pub(crate) fn settings(&self) -> anyhow::Result<Settings> {
        let text = |os: std::ffi::OsString| os.to_string_lossy().into_owned();
        let environment: Vec<(String, String)> =
            std::env::vars_os().map(|(name, value)| (text(name), text(value))).collect();
        let mut files = self.files.clone();
        if files.is_empty() {
            let named = environment.iter().find(|(name, _)| name == "PLUMMER_CONFIG");
            files.extend(named.map(|(_, path)| PathBuf::from(path)));
        }
        Settings::read(&files, &environment, &self.values)
    }
}

impl clap::FromArgMatches for Flags {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, clap::Error> {
        let mut flags = Self::default();
        flags.update_from_arg_matches(matches)?;
        Ok(flags)
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), clap::Error> {
        self.files = matches.get_many(CONFIG).into_iter().flatten().cloned().collect();
        self.values.clear();
        for setting in TABLE {
            if matches.value_source(setting.name) == Some(ValueSource::CommandLine)
                && let Some(text) = matches.get_one::<String>(setting.name)
            {
                self.values.push((setting.name, text.clone()));
            }
        }
        Ok(())
    }
}

impl clap::Args for Flags {
    fn augment_args(mut command: Command) -> Command {
        command = command.arg(
            Arg::new(CONFIG)
                .long(CONFIG)
                .value_name("FILE")
                .value_parser(clap::value_parser!(PathBuf))
                .action(ArgAction::Append)
                .global(true)
                .help_heading("Settings")
                .help("Read settings from this TOML file; later files override earlier ones"),
        );
        for setting in TABLE {
            let value = match setting.kind {
                Kind::Text => "TEXT",
                Kind::Path => "PATH",
                Kind::Address => "ADDRESS:PORT",
                Kind::Choice(_) => "WORD",
                Kind::Switch => "true|false",
                Kind::Number(..) => "NUMBER",
                Kind::List => "A,B",
            };
            let default = match setting.default {
                "" => String::new(),
                text => format!(" [default: {text}]"),
            };
            command = command.arg(
                Arg::new(setting.name)
                    // Flags live as long as the process; there is one small text for each setting.
                    .long(&*setting.flag().leak())
                    .value_name(value)
                    .global(true)
                    .hide_short_help(!setting.common)
                    .help_heading("Settings")
                    .help(format!("{}{default}", capitalised(setting.doc))),
            );
        }
        command
    }

    fn augment_args_for_update(command: Command) -> Command {
        Self::augment_args(command)
    }
}

fn capitalised(text: &str) -> String {
    let mut chars = text.chars();
    chars
        .next()
        .map_or_else(String::new, |first| first.to_uppercase().collect::<String>() + chars.as_str())
}
