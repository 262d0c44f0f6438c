//! `plummer claim`: the first administrator, by the code that the first start printed; no default
//! password ever exists (45 CFR 164.312(a)(2)(i)).

use crate::cli::people::Claim;
use crate::people::{Say, tell};
use crate::prompt;
use crate::settings::Settings;
use crate::wish::{Hidden, Told, Wish};
use anyhow::{Context as _, bail};
use std::io::Write as _;
use std::process::ExitCode;

/// Makes the first administrator, or draws another code.
pub(crate) fn run(settings: &Settings, args: Claim) -> anyhow::Result<ExitCode> {
    let say = Say { json: args.json };
    if args.new {
        return drawn(&say, tell(settings, Wish::DrawClaim)?);
    }
    let name = args.name.context("a sign-in name is needed")?;
    let display = args.display.context("a name to show is needed: --display")?;
    let code = Hidden(prompt::secret("Claim code: ")?);
    let password = Hidden(prompt::new_password(&name)?);
    let told = tell(settings, Wish::Claim { code, name, display, password })?;
    say.made("made the first administrator,", told)
}

fn drawn(say: &Say, told: Told) -> anyhow::Result<ExitCode> {
    if say.json {
        return say.json(&told);
    }
    match told {
        Told::Code(Some(code)) => writeln!(std::io::stdout(), "{}", code.0.expose())?,
        Told::Code(None) => {
            bail!("there has been an administrator; `plummer user list` shows who there is")
        }
        _ => bail!("the server told something else"),
    }
    Ok(ExitCode::SUCCESS)
}
