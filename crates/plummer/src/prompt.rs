//! Secrets from whoever runs a command: typed at the terminal without an echo, or read from standard
//! input a line at a time; never from an argument (NIST SP 800-63B 5.1.1).

use anyhow::{Context as _, bail};
use identity::Secret;
use rustix::termios::{LocalModes, OptionalActions, Termios, tcgetattr, tcsetattr};
use std::io::{BufRead as _, IsTerminal as _, Stdin, Write as _};
use zeroize::Zeroize as _;

/// Bytes of one secret that are read.
const BYTES_MAX: u64 = 4096;

/// Asks for a password that is being set: twice at a terminal, for nobody sees what was typed.
pub(crate) fn new_password(name: &str) -> anyhow::Result<Secret> {
    let first = secret(&format!("Password for {name}: "))?;
    if std::io::stdin().is_terminal() {
        let again = secret("The same again: ")?;
        if first.expose() != again.expose() {
            bail!("the two passwords differ; nothing was changed");
        }
    }
    Ok(first)
}

/// Asks for a secret.
pub(crate) fn secret(question: &str) -> anyhow::Result<Secret> {
    let input = std::io::stdin();
    let quiet = if input.is_terminal() {
        let mut err = std::io::stderr();
        write!(err, "{question}")?;
        err.flush()?;
        Some(Quiet::begin(&input)?)
    } else {
        None
    };
    let mut line = String::new();
    let read = std::io::Read::take(input.lock(), BYTES_MAX).read_line(&mut line);
    if quiet.is_some() {
        drop(quiet);
        writeln!(std::io::stderr())?;
    }
    let empty = read.context("cannot read standard input")? == 0;
    let secret = Secret::new(line.trim_end_matches(['\n', '\r']).to_owned());
    line.zeroize();
    if empty || secret.expose().is_empty() {
        bail!("nothing was given; type it at the terminal, or hand it over on standard input");
    }
    Ok(secret)
}

/// The terminal without echo, until this is dropped.
struct Quiet<'i> {
    input: &'i Stdin,
    before: Termios,
}

impl<'i> Quiet<'i> {
    fn begin(input: &'i Stdin) -> anyhow::Result<Self> {
        let before = tcgetattr(input).context("the terminal does not answer")?;
        let mut quiet = before.clone();
        quiet.local_modes.remove(LocalModes::ECHO);
        // What was typed ahead, and shown, is thrown away.
        tcsetattr(input, OptionalActions::Flush, &quiet).context("the terminal keeps its echo")?;
        Ok(Self { input, before })
    }
}

impl Drop for Quiet<'_> {
    fn drop(&mut self) {
        // There is nobody to tell, and nothing else to do.
        let _ = tcsetattr(self.input, OptionalActions::Now, &self.before);
    }
}
