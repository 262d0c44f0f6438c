//! `cargo xtask leak`: the leak bench against a server that runs already, or against our own on a
//! folder that is thrown away, with the demo clinic or the public patients in it and one user made
//! for each persona. docs/internals/leak.md tells what it asks and how to point it at a peer.

mod launch;
mod people;

use crate::{Command, root};
use anyhow::{Context, bail};
use conformance::process::{Server, Start, build, log_of, program};
use conformance::{PATIENTS, TEST_DATA, data};
use leak::mask::Mask;
use leak::wire::Remote;
use leak::{Effort, FAMILIES, Family, Options, PERSONAS, People, Persona, Report, Targets};
use people::{Given, OwnPeople};
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::UNIX_EPOCH;

/// The row of this command in the table of commands.
pub(crate) const COMMAND: Command = Command {
    name: "leak",
    usage: "[--target URL | --target-a URL --target-b URL] [--quick] [--persona P] [--family F] …",
    about: "ask in two worlds what may not be seen: every answer must be the same",
    run,
};

/// The words that take a value, with what the value is; docs/internals/leak.md explains each.
const USAGE: &str = "
  --target URL             a server that runs already, changed in place
  --target-a, --target-b   two servers, of which the second is changed
  --token persona=TOKEN    whom to ask as; `admin` sets the worlds up
  --clients FILE           SMART backend-services clients, by persona
  --own persona=ID         the patient a persona's token is bound to
  --mask persona=T.e       an element a role may not see
  --data demo|synthea|none what our own server holds besides (default demo)
  --persona P, --family F  only these; may be given more than once
  --seed N, --quick, --timed N, --judge-timing, --release, --binary FILE
  --json FILE, --show      the report; with --show, both answers of each leak
  --calibrate              ask as the administrator: which families can find anything here
  --still                  change nothing: whatever differs is no leak but a mistake
  --keep                   leave the worlds on a server that ran already
  --list                   the families and personas";
/// Patients of the demo clinic, and pairs of reads that are timed.
const DEMO_PATIENTS: &str = "40";
const TIMED: usize = 300;
/// Elements that roles of our own do not see (`crates/privacy`), of those the bench can vary.
const OWN_MASKS: [&str; 9] = [
    "front-desk=Appointment.description",
    "front-desk=Appointment.comment",
    "front-desk=Appointment.reasonCode",
    "agent-front-desk=Appointment.description",
    "agent-front-desk=Appointment.comment",
    "agent-front-desk=Appointment.reasonCode",
    "biller=Account.description",
    "biller=Patient.contact",
    "biller=Patient.communication",
];
/// Leaks of one family and persona that are printed.
const PRINTED: usize = 3;

#[derive(Debug, Default)]
struct Words {
    target: Option<String>,
    target_b: Option<String>,
    tokens: BTreeMap<String, String>,
    clients: Option<PathBuf>,
    own: BTreeMap<String, String>,
    masks: Vec<Mask>,
    data: Option<String>,
    personas: Vec<&'static Persona>,
    families: Vec<&'static Family>,
    seed: Option<u64>,
    quick: bool,
    timed: Option<usize>,
    judge_timing: bool,
    release: bool,
    binary: Option<PathBuf>,
    json: Option<PathBuf>,
    show: bool,
    calibrate: bool,
    still: bool,
    keep: bool,
    list: bool,
}

impl Words {
    fn parse(words: &[String]) -> anyhow::Result<Self> {
        let mut out = Self::default();
        let mut words = words.iter();
        while let Some(word) = words.next() {
            let mut value = || words.next().with_context(|| format!("{word} needs a value"));
            match word.as_str() {
                "--target" | "--target-a" => out.target = Some(value()?.clone()),
                "--target-b" => out.target_b = Some(value()?.clone()),
                "--token" => {
                    let (name, token) = pair(value()?)?;
                    out.tokens.insert(name, token);
                }
                "--clients" => out.clients = Some(value()?.into()),
                "--own" => {
                    let (name, id) = pair(value()?)?;
                    out.own.insert(name, id);
                }
                "--mask" => out.masks.push(Mask::parse(value()?)?),
                "--data" => out.data = Some(value()?.clone()),
                "--persona" => {
                    let key = value()?;
                    let known = Persona::named(key);
                    out.personas.push(known.with_context(|| format!("no persona `{key}`"))?);
                }
                "--family" => {
                    let key = value()?;
                    let known = Family::named(key);
                    out.families.push(known.with_context(|| format!("no family `{key}`"))?);
                }
                "--seed" => out.seed = Some(value()?.parse()?),
                "--timed" => out.timed = Some(value()?.parse()?),
                "--json" => out.json = Some(value()?.into()),
                "--quick" => out.quick = true,
                "--judge-timing" => out.judge_timing = true,
                "--binary" => out.binary = Some(value()?.into()),
                "--release" => out.release = true,
                "--show" => out.show = true,
                "--calibrate" => out.calibrate = true,
                "--still" => out.still = true,
                "--keep" => out.keep = true,
                "--list" => out.list = true,
                other => bail!("unknown word `{other}`\n{USAGE}"),
            }
        }
        if out.target_b.is_some() && out.target.is_none() {
            bail!("--target-b needs --target-a");
        }
        Ok(out)
    }

    fn options(&self) -> anyhow::Result<Options> {
        // Two runs on one server must not meet each other's names.
        let seed = match self.seed {
            Some(seed) => seed,
            None => UNIX_EPOCH.elapsed()?.as_secs(),
        };
        let all = |chosen: &[&'static Family]| -> Vec<&'static Family> {
            if chosen.is_empty() { FAMILIES.iter().collect() } else { chosen.to_vec() }
        };
        let personas: Vec<&'static Persona> = if self.personas.is_empty() {
            PERSONAS.iter().collect()
        } else {
            self.personas.clone()
        };
        Ok(Options {
            seed,
            effort: if self.quick { Effort::QUICK } else { Effort::WHOLE },
            families: all(&self.families),
            personas,
            masks: self.masks.clone(),
            own: self.own.clone(),
            show: self.show,
            calibrate: self.calibrate,
            still: self.still,
            tidy: self.target.is_some() && !self.keep,
            timed: self.timed.unwrap_or(if self.quick { 0 } else { TIMED }),
        })
    }
}

fn pair(text: &str) -> anyhow::Result<(String, String)> {
    let (name, value) = text.split_once('=').context("expected persona=value")?;
    if name != "admin" && Persona::named(name).is_none() {
        bail!("no persona `{name}`");
    }
    Ok((name.to_owned(), value.to_owned()))
}

fn run(words: &[String]) -> anyhow::Result<()> {
    let words = Words::parse(words)?;
    if words.list {
        list();
        return Ok(());
    }
    let options = words.options()?;
    println!(
        "seed {}: {} families, {} personas",
        options.seed,
        options.families.len(),
        options.personas.len()
    );
    let report = match &words.target {
        Some(target) => foreign(&words, &options, target)?,
        None => own(&words, &options)?,
    };
    judge(&words, &options, &report)
}

fn list() {
    for family in FAMILIES {
        println!("{:>3} {:<22} {:<8} {}", family.number, family.key, family.attack, family.about);
    }
    for persona in &PERSONAS {
        println!("    {:<22} {:?}, labels {}", persona.key, persona.link, persona.labels.join(" "));
    }
}

fn foreign(words: &Words, options: &Options, target: &str) -> anyhow::Result<Report> {
    let clients = match &words.clients {
        Some(file) => leak::token::clients(file)?,
        None => BTreeMap::new(),
    };
    let mut people = Given { tokens: words.tokens.clone(), clients };
    ask(&mut Remote::new(target)?, words.target_b.as_deref(), &mut people, options)
}

fn ask(
    a: &mut Remote,
    b: Option<&str>,
    people: &mut dyn People,
    options: &Options,
) -> anyhow::Result<Report> {
    let mut second = b.map(Remote::new).transpose()?;
    let b = second.as_mut().map(|remote| remote as &mut dyn leak::wire::Wire);
    leak::run(&mut Targets { a, b }, people, options, &mut |line| println!("{line}"))
}

/// Our own server, on a folder that is thrown away.
fn own(words: &Words, options: &Options) -> anyhow::Result<Report> {
    let binary = match &words.binary {
        Some(binary) => binary.canonicalize()?,
        None if words.release => build(&root(), "plummer", &["--release"])?,
        None => program(&root())?,
    };
    let folder = std::env::temp_dir().join(format!("plummer-leak-{}", std::process::id()));
    fs::create_dir_all(&folder)?;
    let done = own_in(words, options, &binary, &folder.join("data"));
    if done.is_err() {
        println!("{}", fs::read_to_string(log_of(&folder.join("data"))).unwrap_or_default());
    }
    // What is left behind is only in the way.
    let _ = fs::remove_dir_all(&folder);
    done
}

fn own_in(words: &Words, options: &Options, binary: &Path, data: &Path) -> anyhow::Result<Report> {
    let demo = ["--demo", "--demo-patients", DEMO_PATIENTS];
    let flags: &[&str] = match words.data.as_deref().unwrap_or("demo") {
        "demo" => &demo,
        "synthea" => {
            import(binary, data)?;
            &[]
        }
        "none" => &[],
        other => bail!("--data is demo, synthea or none, not {other}"),
    };
    let mut options = options.clone();
    for mask in OWN_MASKS {
        options.masks.push(Mask::parse(mask)?);
    }
    // Its people are made up, and sign in by a password alone.
    let environment = [("PLUMMER_SECOND_FACTOR_ROLES", "none".into())];
    let start = Start { binary, data, words: flags, environment: &environment };
    let server = Server::start(&start)?;
    let mut people = OwnPeople::new(binary, data, server.url());
    let report = ask(&mut Remote::new(server.url())?, None, &mut people, &options)?;
    server.stop()?;
    Ok(report)
}

fn import(binary: &Path, folder: &Path) -> anyhow::Result<()> {
    let patients =
        data(PATIENTS).with_context(|| format!("{TEST_DATA} does not lead to {PATIENTS}"))?;
    let done = std::process::Command::new(binary)
        .arg("import")
        .arg(patients)
        .arg("--data")
        .arg(folder)
        .stdout(std::process::Stdio::null())
        .status()
        .context("the import did not start")?;
    if !done.success() {
        bail!("the import ended with {done}");
    }
    Ok(())
}

fn judge(words: &Words, options: &Options, report: &Report) -> anyhow::Result<()> {
    println!("\n{}", report.table());
    if let Some(file) = &words.json {
        fs::write(file, format!("{:#}\n", report.json()))?;
    }
    if options.calibrate && !options.still {
        let silent: Vec<String> =
            report.silent().iter().map(|f| format!("{} {}", f.number, f.key)).collect();
        println!("families that find nothing here even when all is seen: {}", silent.join(", "));
        return Ok(());
    }
    print!("{}", report.lines(PRINTED));
    println!(
        "{} leaks in {} questions, {:.0} s (seed {})",
        report.leaks.len(),
        report.asked(),
        report.elapsed_s,
        report.seed
    );
    for persona in report.slow() {
        println!("the time of an answer tells hidden from absent, as {persona}");
    }
    if !report.blind().is_empty() {
        bail!("saw nothing at all as {}: that proves nothing", report.blind().join(", "));
    }
    if words.judge_timing && !report.slow().is_empty() {
        bail!("times tell");
    }
    if !report.leaks.is_empty() {
        bail!("{} leaks", report.leaks.len());
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(words: &[&str]) -> anyhow::Result<Words> {
        Words::parse(&words.iter().map(|word| (*word).to_owned()).collect::<Vec<_>>())
    }

    #[test]
    fn words_are_read_and_those_it_does_not_know_refused() {
        let words = parse(&["--persona", "nurse", "--family", "21", "--token", "admin=x=y"]);
        let words = words.expect("words");
        assert_eq!(words.personas.len() + words.families.len(), 2);
        assert_eq!(words.tokens.get("admin").map(String::as_str), Some("x=y"));
        for wrong in [
            &["--persona", "janitor"][..],
            &["--family", "999"],
            &["--token", "janitor=x"],
            &["--target-b", "http://h"],
            &["--leak"],
        ] {
            assert!(parse(wrong).is_err(), "{wrong:?}");
        }
    }
}
