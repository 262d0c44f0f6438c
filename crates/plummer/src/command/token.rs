//! `plummer token`: tokens for scripts, shown once and kept as a hash; revoking one takes effect
//! before the command ends, in the running server too (45 CFR 164.308(a)(3)(ii)(C)).

use crate::cli::people::{Token, TokenCommand, TokenIssue};
use crate::people::{Say, tell};
use crate::settings::Settings;
use crate::wish::{Told, Wish};
use anyhow::{Context as _, bail};
use std::io::Write as _;
use std::process::ExitCode;

/// Does what is asked about tokens.
pub(crate) fn run(settings: &Settings, args: Token) -> anyhow::Result<ExitCode> {
    let say = Say { json: args.json };
    match args.command {
        TokenCommand::Issue(args) => issued(&say, tell(settings, wanted(args)?)?),
        TokenCommand::List(args) => {
            let tokens = tell(settings, Wish::Tokens { name: args.user.clone() })?;
            let delegations = tell(settings, Wish::Delegations { name: args.user })?;
            let (Told::Sessions(mut all), Told::Sessions(more)) = (tokens, delegations) else {
                bail!("the server told something else")
            };
            all.extend(more);
            say.sessions(Told::Sessions(all))
        }
        TokenCommand::Revoke(args) => {
            match tell(settings, Wish::EndDelegation { id: args.token.clone() })? {
                Told::Ended(0) => say.sessions(tell(settings, Wish::Revoke { token: args.token })?),
                told => say.sessions(told),
            }
        }
    }
}

fn wanted(args: TokenIssue) -> anyhow::Result<Wish> {
    let ttl_ms = span(&args.ttl)?;
    match (args.agent, args.acts_for, args.user) {
        (Some(agent), Some(acts_for), None) => {
            let (scopes, patient) = (args.scopes.join(" "), args.patient);
            Ok(Wish::Delegate { agent, acts_for, scopes, patient, ttl_ms })
        }
        (None, None, Some(name)) => Ok(Wish::Issue { name, ttl_ms, note: args.note }),
        _ => bail!("name a user, or an agent and for whom it acts"),
    }
}

/// The token alone on standard output, so that a script can take it; the rest where people look.
fn issued(say: &Say, told: Told) -> anyhow::Result<ExitCode> {
    if say.json {
        return say.json(&told);
    }
    let Told::Issued { token, open } = told else { bail!("the server told something else") };
    writeln!(std::io::stdout(), "{}", token.0.expose())?;
    writeln!(
        std::io::stderr(),
        "It acts as {}{} until {}, and is not shown again. End it: plummer token revoke {}",
        open.name,
        if open.kind == "delegation" { format!(" ({})", open.note) } else { String::new() },
        open.ends,
        open.id
    )?;
    Ok(ExitCode::SUCCESS)
}

/// `90s`, `15m`, `1h` or `7d` in milliseconds.
fn span(text: &str) -> anyhow::Result<i64> {
    let say = || format!("{text} is no time; write a number and s, m, h or d, such as 1h");
    let unit_ms: i64 = match text.chars().last() {
        Some('s') => 1000,
        Some('m') => 60_000,
        Some('h') => 3_600_000,
        Some('d') => 86_400_000,
        _ => bail!(say()),
    };
    let number = text.get(..text.len().saturating_sub(1)).unwrap_or_default();
    let number: u32 = number.parse().ok().with_context(say)?;
    i64::from(number).checked_mul(unit_ms).with_context(say)
}

#[cfg(test)]
mod tests {
    use super::span;

    #[test]
    fn times_are_a_number_and_a_unit() {
        let of = |text: &str| span(text).ok();
        assert_eq!((of("90s"), of("15m")), (Some(90_000), Some(900_000)));
        assert_eq!((of("1h"), of("7d")), (Some(3_600_000), Some(604_800_000)));
        for bad in ["", "h", "1", "-1h", "1.5h", "1 h", "1w", "1ä", "99999999999d"] {
            assert_eq!(of(bad), None, "{bad}");
        }
    }
}
