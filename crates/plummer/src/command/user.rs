//! `plummer user`: the people who may sign in (45 CFR 164.308(a)(3)(ii), workforce clearance and
//! termination; 164.308(a)(5)(ii)(D), password management).

use crate::cli::people::{PasswordHow, User, UserAdd, UserCommand};
use crate::command::role;
use crate::people::{Say, tell};
use crate::prompt;
use crate::settings::Settings;
use crate::wish::{Ending, Given, Hidden, Sort, Wanted, Wish};
use std::process::ExitCode;

/// Does what is asked about people.
pub(crate) fn run(settings: &Settings, args: User) -> anyhow::Result<ExitCode> {
    let say = Say { json: args.json };
    let sort = Sort::Person;
    match args.command {
        UserCommand::Add(args) => {
            role::check(settings, &args.about.roles)?;
            let wish = add(args)?;
            say.made("added", tell(settings, wish)?)
        }
        UserCommand::List => say.all(tell(settings, Wish::List { sort })?),
        UserCommand::Show(args) => say.one(tell(settings, Wish::Show { sort, name: args.name })?),
        UserCommand::Grant(args) => {
            role::check(settings, &args.roles)?;
            let wish = Wish::Roles { name: args.name, grant: args.roles, revoke: Vec::new() };
            say.made("changed", tell(settings, wish)?)
        }
        UserCommand::RevokeRole(args) => {
            let wish = Wish::Roles { name: args.name, grant: Vec::new(), revoke: args.roles };
            say.made("changed", tell(settings, wish)?)
        }
        UserCommand::Disable(args) => {
            let wish = Wish::Disable { sort, name: args.name, reason: args.reason };
            say.made("disabled", tell(settings, wish)?)
        }
        UserCommand::Enable(args) => {
            say.made("enabled", tell(settings, Wish::Enable { sort, name: args.name })?)
        }
        UserCommand::Password(args) => {
            let password = given(&args.name, &args.how)?;
            let wish = Wish::Password { name: args.name, password };
            say.made("set the password of", tell(settings, wish)?)
        }
        UserCommand::ResetFactors(args) => {
            let told = tell(settings, Wish::ResetFactors { name: args.name })?;
            say.made("forgot the second factors of", told)
        }
        UserCommand::Unlink(args) => {
            let told = tell(settings, Wish::Unlink { name: args.name })?;
            say.made("forgot whom issuers mean by", told)
        }
        UserCommand::Passkeys(args) => {
            let wish = Wish::Passkeys { name: args.name, remove: args.remove };
            say.passkeys(tell(settings, wish)?)
        }
        UserCommand::Sessions(args) => {
            let end = match (args.end, args.end_all) {
                (Some(one), _) => Some(Ending::One(one)),
                (None, true) => Some(Ending::All),
                (None, false) => None,
            };
            say.sessions(tell(settings, Wish::Sessions { sort, name: args.name, end })?)
        }
    }
}

fn add(args: UserAdd) -> anyhow::Result<Wish> {
    let password = match args.no_password {
        true => None,
        false => Some(given(&args.name, &args.password)?),
    };
    let profile = Wanted {
        kind: "person".to_owned(),
        name: args.name,
        display: args.display,
        roles: args.about.roles,
        sites: args.about.sites,
        care_teams: args.about.care_teams,
        practitioner: args.practitioner,
        patient: args.patient,
        represents: args.represents,
    };
    Ok(Wish::Add { profile: Box::new(profile), password })
}

fn given(name: &str, how: &PasswordHow) -> anyhow::Result<Given> {
    let text = match how.draw {
        true => None,
        false => Some(Hidden(prompt::new_password(name)?)),
    };
    Ok(Given { text, permanent: how.permanent })
}
