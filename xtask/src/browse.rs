//! `cargo xtask browse`: every screen and journey in a real browser, against our own server with the demo
//! clinic on a folder that is thrown away. docs/internals/browser.md tells what a screen is held to and
//! how to add one.

mod arrival;
mod checks;
mod console;
pub(crate) mod index;
mod journeys;
mod mishaps;
pub(crate) mod pictures;
mod screens;
mod site;
mod still;
mod work;

use crate::{Command, root};
use anyhow::{Context, bail};
use arrival::ARRIVAL;
use browser::{Axe, Chromium, Page, Paint, REQUIRED, find_or_skip};
use console::CONSOLE;
use journeys::{JOURNEYS, Journey};
use mishaps::MISHAPS;
use screens::{SCREENS, Screen};
use site::Site;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Instant;
use work::WORK;

/// The row of this command in the table of commands.
pub(crate) const COMMAND: Command = Command {
    name: "browse",
    usage: "[--only NAME] [--screens FOLDER] [--timed] [--list]",
    about: "every screen and journey in a headless Chromium (needs Chromium, Node and npm)",
    run,
};

/// What is fetched for a run, and the file of it that is used.
const PACKAGE: &str = "tests/browser";
const PACKAGE_FILES: [&str; 2] = ["package.json", ".npmrc"];
const AXE: &str = "node_modules/axe-core/axe.min.js";
/// Pictures of what went wrong, below the workspace.
const EVIDENCE: &str = "target/browse";
/// With `--timed`, how much slower the machine is made: about what a phone is.
const SLOWER: u32 = 4;
/// A page that breaks three rules: a judge who finds nothing here finds nothing anywhere.
const UNSOUND: &str = "data:text/html,<html><title>T</title><input><p style='color:%23ccc;background:%23fff'>faint</p>";
const BROKEN: [&str; 3] = ["html-has-lang", "label", "color-contrast"];

#[derive(Debug, Default)]
struct Words {
    only: Vec<String>,
    screens: Option<PathBuf>,
    axe: Option<PathBuf>,
    timed: bool,
    list: bool,
}

impl Words {
    fn parse(words: &[String]) -> anyhow::Result<Self> {
        let mut out = Self::default();
        let mut words = words.iter();
        while let Some(word) = words.next() {
            let mut value = || words.next().with_context(|| format!("{word} needs a value"));
            match word.as_str() {
                "--only" => out.only.push(value()?.clone()),
                "--screens" => out.screens = Some(value()?.into()),
                "--axe" => out.axe = Some(value()?.into()),
                "--timed" => out.timed = true,
                "--list" => out.list = true,
                other => bail!("unknown word `{other}`: {}", COMMAND.usage),
            }
        }
        let known = |name: &String| {
            let journey = journeys().any(|one| one.name == name);
            journey || screens().any(|one| one.name == name)
        };
        if let Some(name) = out.only.iter().find(|name| !known(name)) {
            bail!("there is no screen or journey `{name}`; --list tells what there is");
        }
        Ok(out)
    }

    fn wants(&self, name: &str) -> bool {
        self.only.is_empty() || self.only.iter().any(|only| only == name)
    }
}

/// Every journey there is.
fn journeys() -> impl Iterator<Item = &'static Journey> {
    JOURNEYS.iter().chain(WORK).chain(MISHAPS)
}

/// Every screen there is.
fn screens() -> impl Iterator<Item = &'static Screen> {
    SCREENS.iter().chain(CONSOLE).chain(ARRIVAL)
}

fn run(words: &[String]) -> anyhow::Result<()> {
    let words = Words::parse(words)?;
    if words.list {
        for one in journeys() {
            println!("journey {:<28} {:?}", one.name, one.budget);
        }
        for one in screens() {
            println!("screen  {:<28} {}", one.name, one.path);
        }
        return Ok(());
    }
    let Some(program) = find_or_skip()? else {
        println!("NOT TESTED: there is no Chromium (PLUMMER_CHROMIUM names one)");
        return Ok(());
    };
    let folder = std::env::temp_dir().join(format!("plummer-browse-{}", std::process::id()));
    let done = browse(&words, &program, &folder);
    // What is left behind is only in the way.
    let _ = fs::remove_dir_all(&folder);
    done
}

fn browse(words: &Words, program: &Path, folder: &Path) -> anyhow::Result<()> {
    fs::create_dir_all(folder)?;
    let evidence = root().join(EVIDENCE);
    // Pictures of the run before would be taken for those of this one.
    let _ = fs::remove_dir_all(&evidence);
    let chromium = Chromium::launch(program, &evidence)?;
    let axe = axe(words, folder)?;
    let mut failed = Vec::new();
    // Each has a clinic of its own: who signs in with what is changed by some, and of the few visits of a
    // day the journeys of the desk use up those that screens show.
    let is_sign_in = |screen: &Screen| screen.path.starts_with("/auth/");
    for data in ["sign-in", "desk", "screens"] {
        let journeys: &[&'static [Journey]] = match data {
            "sign-in" => &[JOURNEYS],
            "desk" => &[WORK, MISHAPS],
            _ => &[],
        };
        let journeys = journeys.iter().copied().flatten();
        let shown = |one: &&Screen| data == if is_sign_in(one) { "sign-in" } else { "screens" };
        let screens = screens().filter(shown);
        let journeys: Vec<_> = journeys.filter(|one| words.wants(one.name)).collect();
        let screens: Vec<_> = screens.filter(|one| words.wants(one.name)).collect();
        if journeys.is_empty() && screens.is_empty() {
            continue;
        }
        let site = Site::open(&folder.join(data))?;
        println!("{}, a demo clinic at {}", chromium.version()?, site.root());
        if let Some(axe) = &axe {
            try_axe(&chromium.page(site.root())?, axe)?;
        }
        let run = Run { words, site: &site, chromium: &chromium, axe: axe.as_ref() };
        for journey in journeys {
            run.tell(journey.name, &mut failed, || run.journey(journey));
        }
        for screen in screens {
            run.tell(screen.name, &mut failed, || run.screen(screen));
        }
        site.close()?;
    }
    drop(chromium);
    if !failed.is_empty() {
        bail!("{} failed: {}", failed.len(), failed.join(", "));
    }
    Ok(())
}

/// What a run has.
struct Run<'r> {
    words: &'r Words,
    site: &'r Site,
    chromium: &'r Chromium,
    axe: Option<&'r Axe>,
}

impl Run<'_> {
    /// Does one and tells how it went; all are done, whatever became of those before.
    fn tell<'n>(
        &self,
        name: &'n str,
        failed: &mut Vec<&'n str>,
        work: impl FnOnce() -> anyhow::Result<String>,
    ) {
        let began = Instant::now();
        match work() {
            Ok(told) => {
                println!("ok   {name:<28} {:>5.1} s  {told}", began.elapsed().as_secs_f64());
            }
            Err(error) => {
                println!("FAILED {name}: {error:#}");
                failed.push(name);
            }
        }
    }

    fn journey(&self, journey: &Journey) -> anyhow::Result<String> {
        let mut page = self.chromium.page(self.site.root())?;
        (journey.walk)(self.site, &mut page)?;
        page.end(journey.budget)?;
        let (spent, most) = (page.spent(), journey.budget);
        Ok(format!("clicks {}/{}, keys {}/{}", spent.clicks, most.clicks, spent.keys, most.keys))
    }

    fn screen(&self, screen: &Screen) -> anyhow::Result<String> {
        let mut page = self.chromium.page(self.site.root())?;
        page.slower(if self.words.timed { SLOWER } else { 1 })?;
        let paint = screen.open(self.site, &mut page)?;
        page.slower(1)?;
        let mut faults = checks::all(&mut page, screen, self.axe)?;
        faults.extend(checks::cost(screen, paint, self.words.timed));
        if let Some(folder) = &self.words.screens {
            checks::keep(&page, screen, folder)?;
        }
        faults.extend(page.faults()?);
        if screen.plain {
            let mut plain = self.chromium.page(self.site.root())?;
            plain.scripts(false)?;
            screen.open(self.site, &mut plain).context("without scripts")?;
            let told = plain.faults()?.into_iter();
            faults.extend(told.map(|fault| format!("without scripts: {fault}")));
        }
        if !faults.is_empty() {
            return Err(page.fault(&format!(
                "{} faults:\n  {}",
                faults.len(),
                faults.join("\n  ")
            )));
        }
        let Paint { bytes, requests, first, .. } = paint;
        Ok(format!("{bytes} bytes in {requests} requests, first paint {} ms", first.as_millis()))
    }
}

/// The rules, fetched by npm at an exact version into the folder of this run; none where npm is not and
/// nobody demands them.
fn axe(words: &Words, folder: &Path) -> anyhow::Result<Option<Axe>> {
    if let Some(file) = &words.axe {
        return Ok(Some(Axe::read(file)?));
    }
    let own = folder.join("axe");
    fs::create_dir_all(&own)?;
    for file in PACKAGE_FILES {
        fs::copy(root().join(PACKAGE).join(file), own.join(file)).context(file)?;
    }
    let install = ["install", "--no-package-lock", "--ignore-scripts", "--silent"];
    let done = std::process::Command::new("npm").args(install).current_dir(&own).status();
    if done.as_ref().is_ok_and(std::process::ExitStatus::success) {
        return Ok(Some(Axe::read(&own.join(AXE))?));
    }
    let why = done.map_or_else(|_| "npm is not installed".to_owned(), |s| format!("npm: {s}"));
    if std::env::var_os(REQUIRED).is_some_and(|value| value == "1") {
        bail!("{REQUIRED} is set, but axe-core cannot be fetched: {why}");
    }
    println!("NOT TESTED: the rules of accessibility, since axe-core cannot be fetched: {why}");
    Ok(None)
}

/// The judge is judged first.
fn try_axe(page: &Page, axe: &Axe) -> anyhow::Result<()> {
    page.call("Page.navigate", serde_json::json!({ "url": UNSOUND }))?;
    let found = axe.judge(page)?;
    match BROKEN.iter().find(|rule| found.iter().all(|one| one.rule != **rule)) {
        Some(rule) => bail!("axe did not find that {rule} is broken, but: {found:?}"),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(words: &[&str]) -> anyhow::Result<Words> {
        Words::parse(&words.iter().map(|word| (*word).to_owned()).collect::<Vec<_>>())
    }

    #[test]
    fn words_are_read_and_those_it_does_not_know_refused() {
        let words = parse(&["--only", "sign-in", "--screens", "f"]).expect("words");
        assert!(words.wants("sign-in") && !words.wants("apps"));
        for wrong in [&["--only", "nowhere"][..], &["--only"], &["--browse"]] {
            assert!(parse(wrong).is_err(), "{wrong:?}");
        }
    }

    #[test]
    fn every_screen_and_journey_has_a_name_of_its_own() {
        let all = journeys().map(|one| one.name).chain(screens().map(|one| one.name));
        let all: Vec<_> = all.collect();
        for (i, name) in all.iter().enumerate() {
            assert!(all.iter().skip(i + 1).all(|other| other != name), "{name}");
            assert!(name.chars().all(|c| c.is_ascii_lowercase() || c == '-'), "{name}");
        }
    }

    #[test]
    fn what_is_fetched_has_an_exact_version() {
        for file in PACKAGE_FILES {
            assert!(root().join(PACKAGE).join(file).is_file(), "{file}");
        }
        let text = fs::read_to_string(root().join(PACKAGE).join("package.json")).expect("one");
        let manifest: serde_json::Value = serde_json::from_str(&text).expect("JSON");
        let version = manifest.pointer("/dependencies/axe-core").and_then(|v| v.as_str());
        let version = version.expect("a version");
        assert!(version.chars().all(|c| c.is_ascii_digit() || c == '.'), "{version}");
    }
}
