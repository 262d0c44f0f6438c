//! `plummer app`: the apps that users of this site may give something to, and the services that act as
//! themselves. There is no registration by strangers.

use crate::cli::apps::{App, AppAdd, AppCommand};
use crate::columns::aligned;
use crate::command::role;
use crate::people::{Say, tell};
use crate::settings::Settings;
use crate::wish::{Proof, ShownApp, Told, WantedApp, Wish};
use anyhow::{Context as _, bail};
use smart::keys::SET_BYTES_MAX;
use std::fs::File;
use std::io::{Read as _, Write as _};
use std::path::Path;
use std::process::ExitCode;

/// Does what is asked about apps.
pub(crate) fn run(settings: &Settings, args: App) -> anyhow::Result<ExitCode> {
    let say = Say { json: args.json };
    let (did, wish) = match args.command {
        AppCommand::Add(args) => {
            role::check(settings, &args.roles)?;
            ("registered", add(*args)?)
        }
        AppCommand::List => return list(say, tell(settings, Wish::Apps)?),
        AppCommand::Show(args) => {
            return one(say, tell(settings, Wish::ShowApp { name: args.name })?);
        }
        AppCommand::RenewSecret(args) => ("renewed", Wish::RenewApp { name: args.name }),
        AppCommand::Disable(args) => {
            ("disabled", Wish::DisableApp { name: args.name, reason: args.reason })
        }
        AppCommand::Enable(args) => ("enabled", Wish::EnableApp { name: args.name }),
    };
    done(say, did, tell(settings, wish)?)
}

fn add(args: AppAdd) -> anyhow::Result<Wish> {
    let proves = match (args.jwks, args.jwks_url) {
        (Some(file), _) => Proof::Jwks(key_set(&file)?),
        (None, Some(url)) => Proof::JwksUrl(url),
        (None, None) if args.secret => Proof::Secret,
        (None, None) => Proof::Public,
    };
    let app = WantedApp {
        name: args.name,
        display: args.display,
        redirects: args.redirects,
        launch: args.launch,
        proves,
        scopes: args.scopes.join(" "),
        roles: args.roles,
        introspects: args.introspects,
        agent: args.agent,
    };
    Ok(Wish::AddApp { app: Box::new(app) })
}

fn key_set(path: &Path) -> anyhow::Result<String> {
    let mut text = String::new();
    let most = u64::try_from(SET_BYTES_MAX)?.saturating_add(1);
    let file = File::open(path).with_context(|| format!("cannot open {}", path.display()))?;
    file.take(most)
        .read_to_string(&mut text)
        .with_context(|| format!("cannot read {}", path.display()))?;
    if text.len() > SET_BYTES_MAX {
        bail!("{} is longer than the {SET_BYTES_MAX} bytes of a key set", path.display());
    }
    Ok(text)
}

/// That an app was made or changed.
fn done(say: Say, did: &str, told: Told) -> anyhow::Result<ExitCode> {
    if say.json {
        return say.json(&told);
    }
    let Told::App(app) = told else { bail!("the server told something else") };
    let mut out = std::io::stdout().lock();
    writeln!(out, "{did} {} ({})", app.name, app.display)?;
    writeln!(out, "client id: {}", app.id)?;
    if let Some(secret) = &app.secret {
        writeln!(out, "secret: {}", secret.0.expose())?;
        writeln!(std::io::stderr(), "Hand it to the app's operator; it is not shown again.")?;
    }
    Ok(ExitCode::SUCCESS)
}

fn list(say: Say, told: Told) -> anyhow::Result<ExitCode> {
    if say.json {
        return say.json(&told);
    }
    let Told::Apps(all) = told else { bail!("the server told something else") };
    let head = ["NAME", "DISPLAY", "CLIENT ID", "PROVES", "STATE"].map(str::to_owned).to_vec();
    let row = |app: &ShownApp| {
        let state = if app.disabled.is_some() { "disabled" } else { "enabled" };
        let (name, display) = (app.name.clone(), app.display.clone());
        vec![name, display, app.id.clone(), app.proves.clone(), state.to_owned()]
    };
    let rows: Vec<_> = std::iter::once(head).chain(all.iter().map(row)).collect();
    write!(std::io::stdout(), "{}", aligned(&rows))?;
    Ok(ExitCode::SUCCESS)
}

fn one(say: Say, told: Told) -> anyhow::Result<ExitCode> {
    if say.json {
        return say.json(&told);
    }
    let Told::App(app) = told else { bail!("the server told something else") };
    let state = match app.disabled {
        Some((at, reason)) => format!("disabled since {at}: {reason}"),
        None => "enabled".to_owned(),
    };
    let introspects = if app.introspects { "every token" } else { "its own tokens" };
    let rows: Vec<Vec<String>> = [
        ("name", app.name),
        ("display", app.display),
        ("client id", app.id),
        ("agent", if app.agent { "yes: it acts for users" } else { "no" }.to_owned()),
        ("state", state),
        ("proves itself by", app.proves),
        ("redirects", app.redirects.join(", ")),
        ("launch", app.launch.unwrap_or_default()),
        ("scopes", app.scopes),
        ("roles", app.roles.join(", ")),
        ("may ask about", introspects.to_owned()),
        ("since", app.created),
    ]
    .into_iter()
    .map(|(name, value)| vec![name.to_owned(), value])
    .collect();
    write!(std::io::stdout(), "{}", aligned(&rows))?;
    Ok(ExitCode::SUCCESS)
}
