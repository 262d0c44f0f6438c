//! `plummer role`: the roles a site begins with, and what each permits, from the policies' own text.

use crate::cli::people::{Role, RoleCommand};
use crate::columns::aligned;
use crate::command::policy;
use crate::settings::Settings;
use access::Policies;
use access::policies::{ROLES, Text};
use anyhow::{anyhow, bail};
use std::io::Write as _;
use std::process::ExitCode;

/// The role of programs that do everything for the site, whatever its policy says.
pub(crate) const SYSTEM: &str = "system";

/// Lists roles, or shows one.
pub(crate) fn run(_settings: &Settings, args: Role) -> anyhow::Result<ExitCode> {
    let mut out = std::io::stdout().lock();
    match args.command {
        RoleCommand::List if args.json => {
            let all: Vec<_> = roles()
                .map(|(role, text)| serde_json::json!({"role": role, "about": about(text.text)}))
                .collect();
            writeln!(out, "{}", serde_json::to_string(&all)?)?;
        }
        RoleCommand::List => {
            let head = [["ROLE", "WHAT FOR"].map(str::to_owned).to_vec()];
            let rows = roles().map(|(role, text)| vec![role.to_owned(), about(text.text)]);
            write!(out, "{}", aligned(&head.into_iter().chain(rows).collect::<Vec<_>>()))?;
        }
        RoleCommand::Show(named) => {
            known(&named.role)?;
            let found = roles().find(|(role, _)| *role == named.role);
            let (role, text) = found.ok_or_else(|| anyhow!("the role has no text here"))?;
            show(&mut out, role, text, args.json)?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// Refuses a name that is no role, shipped or of the site: a slip of the hand would give nothing,
/// silently.
pub(crate) fn check(settings: &Settings, names: &[String]) -> anyhow::Result<()> {
    let mut strange = names.iter().filter(|name| known(name).is_err()).peekable();
    if strange.peek().is_none() {
        return Ok(());
    }
    let site = policy::loaded(&settings.policies())?;
    match strange.find(|name| !site.named().roles.contains(name.as_str())) {
        Some(name) => bail!("{name} is no role; `plummer role list` shows them"),
        None => Ok(()),
    }
}

/// Refuses a name that is no shipped role.
fn known(name: &str) -> anyhow::Result<()> {
    match name == SYSTEM || roles().any(|(role, _)| role == name) {
        true => Ok(()),
        false => bail!("{name} is no role that is shipped; `plummer policy show` shows all"),
    }
}

/// The shipped roles: those texts that give rights to a role of their own name.
fn roles() -> impl Iterator<Item = (&'static str, &'static Text<'static>)> {
    ROLES.iter().filter_map(|text| {
        let name = text.name.strip_prefix("roles/")?.strip_suffix(".cedar")?;
        text.text.contains(&format!("Role::\"{name}\"")).then_some((name, text))
    })
}

/// The comment a text begins with, in one line.
fn about(text: &str) -> String {
    let lines = text.lines().map_while(|line| line.strip_prefix("//"));
    lines.map(str::trim).collect::<Vec<_>>().join(" ")
}

fn show(
    out: &mut impl std::io::Write,
    role: &str,
    text: &Text<'_>,
    json: bool,
) -> anyhow::Result<()> {
    let policies = Policies::load(1, &[]).map_err(|fault| anyhow!("{fault}"))?;
    let mut rules: Vec<_> = policies.rules().filter(|rule| *rule.text == *text.name).collect();
    rules.sort_by_key(|rule| rule.line);
    if json {
        let rules: Vec<_> = rules
            .iter()
            .map(|rule| serde_json::json!({"id": &*rule.id, "permits": rule.permits, "law": rule.law.as_deref()}))
            .collect();
        let all = serde_json::json!({"role": role, "about": about(text.text), "rules": rules, "text": text.text});
        writeln!(out, "{all}")?;
        return Ok(());
    }
    writeln!(out, "{role}: {}\n", about(text.text))?;
    let head = [["RULE", "DOES", "RESTS ON"].map(str::to_owned).to_vec()];
    let rows = rules.iter().map(|rule| {
        let does = if rule.permits { "permits" } else { "forbids" };
        let law = rule.law.as_deref().unwrap_or_default();
        vec![rule.id.to_string(), does.to_owned(), law.to_owned()]
    });
    write!(out, "{}", aligned(&head.into_iter().chain(rows).collect::<Vec<_>>()))?;
    writeln!(out, "\n{}", text.text.trim_end())?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_shipped_role_is_listed_with_what_it_is_for() {
        let names: Vec<_> = roles().map(|(role, _)| role).collect();
        for role in ["clinician", "it-administrator", "patient", "proxy"] {
            assert!(names.contains(&role), "{role}");
        }
        assert!(!names.contains(&"directory"), "a text that is no role");
        assert!(roles().all(|(_, text)| about(text.text).len() > 20));
    }

    #[test]
    fn a_name_that_is_no_role_is_refused() {
        let dir = tempfile::tempdir().unwrap();
        let data = [("data", dir.path().display().to_string())];
        let settings = Settings::read(&[], &[], &data).unwrap();
        let check = |name: &str| check(&settings, &[name.to_owned()]);
        assert!(check("nurse").is_ok() && check(SYSTEM).is_ok());
        assert!(check("nurze").is_err() && check("directory").is_err());
        assert!(check("doula").is_err());
        let text = "@id(\"doula\") permit (principal in Role::\"doula\", action, resource);";
        std::fs::create_dir(dir.path().join("policies")).unwrap();
        std::fs::write(dir.path().join("policies/doula.cedar"), text).unwrap();
        assert!(check("doula").is_ok() && check("nurze").is_err());
    }
}
