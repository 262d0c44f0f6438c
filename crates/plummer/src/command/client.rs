//! `plummer client`: programs and machines that act as themselves, with tokens for keys (45 CFR
//! 164.312(a)(2)(i); none is a person, and none shares a person's name).

use crate::cli::people::{Client, ClientAdd, ClientCommand, ClientKind};
use crate::command::role;
use crate::people::{Say, tell};
use crate::settings::Settings;
use crate::wish::{Sort, Wanted, Wish};
use std::process::ExitCode;

/// Does what is asked about programs and machines.
pub(crate) fn run(settings: &Settings, args: Client) -> anyhow::Result<ExitCode> {
    let say = Say { json: args.json };
    let sort = Sort::Program;
    match args.command {
        ClientCommand::Add(args) => {
            role::check(settings, &args.about.roles)?;
            say.made("added", tell(settings, add(args))?)
        }
        ClientCommand::List => say.all(tell(settings, Wish::List { sort })?),
        ClientCommand::Disable(args) => {
            let wish = Wish::Disable { sort, name: args.name, reason: args.reason };
            say.made("disabled", tell(settings, wish)?)
        }
        ClientCommand::Enable(args) => {
            say.made("enabled", tell(settings, Wish::Enable { sort, name: args.name })?)
        }
        ClientCommand::Keys(args) => {
            say.sessions(tell(settings, Wish::Sessions { sort, name: args.name, end: None })?)
        }
    }
}

fn add(args: ClientAdd) -> Wish {
    let kind = match args.kind {
        ClientKind::Service => "service",
        ClientKind::Device => "device",
        ClientKind::Agent => "agent",
    };
    let profile = Wanted {
        kind: kind.to_owned(),
        name: args.name,
        display: args.display,
        roles: args.about.roles,
        sites: args.about.sites,
        care_teams: args.about.care_teams,
        ..Wanted::default()
    };
    Wish::Add { profile: Box::new(profile), password: None }
}
