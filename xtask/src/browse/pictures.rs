//! `cargo xtask pictures`: each screen as a picture in docs/screens, light, dark and narrow, and whether the
//! screens still look so. Every screen is taken on a demo clinic of its own, fresh from the same folder, so
//! that neither its order nor what was done on others shows (docs/internals/browser.md).

use super::index;
use super::screens::Screen;
use super::site::Site;
use super::{EVIDENCE, screens, still};
use crate::{Command, root};
use anyhow::{Context, bail};
use browser::{Chromium, Look, Page, REQUIRED, find_or_skip};
use conformance::process::program;
use std::collections::VecDeque;
use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::time::Instant;

/// The row of this command in the table of commands.
pub(crate) const COMMAND: Command = Command {
    name: "pictures",
    usage: "[--only NAME] [--into FOLDER] [--compare]",
    about: "a picture of each screen in docs/screens, or whether they still look so (needs Chromium and faketime)",
    run,
};

/// Where the pictures are kept.
pub(crate) const FOLDER: &str = "docs/screens";
/// The three pictures of a screen, each of another width: word, look, width of the window.
pub(crate) const FACES: [(&str, Look, u32); 3] =
    [("light", Look::Light, 1440), ("dark", Look::Dark, 1024), ("narrow", Look::Light, 360)];
const HEIGHT: u32 = 900;
/// Of a picture: what is further down a long page is more of the same.
const HEIGHT_MAX: u32 = 2_400;
/// Cells that may differ (`browser::Difference`): about a letter.
const CELLS_MAX: usize = 8;
/// Servers and browsers at work at once, at most.
const WORKERS_MAX: usize = 4;

#[derive(Debug, Default)]
struct Words {
    only: Vec<String>,
    into: Option<PathBuf>,
    compare: bool,
}

impl Words {
    fn parse(words: &[String]) -> anyhow::Result<Self> {
        let mut out = Self::default();
        let mut words = words.iter();
        while let Some(word) = words.next() {
            let mut value = || words.next().with_context(|| format!("{word} needs a value"));
            match word.as_str() {
                "--only" => out.only.push(value()?.clone()),
                "--into" => out.into = Some(value()?.into()),
                "--compare" => out.compare = true,
                other => bail!("unknown word `{other}`: {}", COMMAND.usage),
            }
        }
        if let Some(name) = out.only.iter().find(|name| !screens().any(|one| one.name == **name)) {
            bail!("there is no screen `{name}`; `cargo xtask browse --list` tells what there is");
        }
        Ok(out)
    }

    fn wants(&self, name: &str) -> bool {
        self.only.is_empty() || self.only.iter().any(|only| only == name)
    }
}

fn run(words: &[String]) -> anyhow::Result<()> {
    let words = Words::parse(words)?;
    let Some(chromium) = find_or_skip()? else {
        println!("NOT TESTED: there is no Chromium (PLUMMER_CHROMIUM names one)");
        return Ok(());
    };
    let Some(library) = still::library() else {
        if std::env::var_os(REQUIRED).is_some_and(|value| value == "1") {
            bail!("{REQUIRED} is set, but there is no libfaketime: install the package `faketime`");
        }
        println!(
            "NOT TESTED: there is no libfaketime (package `faketime`), so no clock stands still"
        );
        return Ok(());
    };
    let folder = std::env::temp_dir().join(format!("plummer-pictures-{}", std::process::id()));
    let done = pictures(&words, &chromium, &library, &folder);
    // What is left behind is only in the way.
    let _ = fs::remove_dir_all(&folder);
    done
}

fn pictures(words: &Words, chromium: &Path, library: &Path, folder: &Path) -> anyhow::Result<()> {
    fs::create_dir_all(folder)?;
    let began = Instant::now();
    let environment = still::environment(library);
    let seed = folder.join("seed");
    Site::open_under(&seed, &environment)?.close()?;
    let studio = Studio {
        chromium,
        binary: &program(&root())?,
        letters: still::letters(folder)?,
        into: words.into.clone().unwrap_or_else(|| root().join(FOLDER)),
        compare: words.compare,
        folder,
        environment,
    };
    if studio.letters.is_none() {
        println!(
            "the letters are this machine's own: DejaVu (package `fonts-dejavu-core`) is not there"
        );
    }
    let here = Chromium::launch(chromium, &root().join(EVIDENCE))?.version()?;
    if words.compare {
        let then = fs::read_to_string(studio.into.join(index::TAKEN_WITH)).unwrap_or_default();
        if then.trim() != here {
            println!(
                "NOT COMPARED: the pictures were taken with `{}`, and this is `{here}`, which may draw letters otherwise; take them anew, look at them, and commit them",
                then.trim()
            );
            return Ok(());
        }
    } else {
        fs::create_dir_all(&studio.into)?;
    }
    let queue: VecDeque<_> = screens().filter(|one| words.wants(one.name)).collect();
    let count = queue.len();
    let mut failed = studio.work(queue)?;
    if words.only.is_empty() {
        failed.extend(studio.left_over()?);
        if !words.compare {
            fs::write(studio.into.join(index::FILE), index::text())?;
            fs::write(studio.into.join(index::TAKEN_WITH), format!("{here}\n"))?;
        }
    }
    println!("{count} screens in {:.0} s", began.elapsed().as_secs_f64());
    if !failed.is_empty() {
        failed.sort();
        bail!("{} failed: {}", failed.len(), failed.join(", "));
    }
    Ok(())
}

/// What every picture is taken with.
struct Studio<'s> {
    chromium: &'s Path,
    binary: &'s Path,
    letters: Option<PathBuf>,
    folder: &'s Path,
    environment: Vec<(&'static str, OsString)>,
    into: PathBuf,
    compare: bool,
}

impl Studio<'_> {
    /// All of them, several at once; the names of those that failed.
    fn work(&self, queue: VecDeque<&'static Screen>) -> anyhow::Result<Vec<String>> {
        let workers = std::thread::available_parallelism().map_or(2, usize::from).min(WORKERS_MAX);
        let (queue, failed) = (Mutex::new(queue), Mutex::new(Vec::new()));
        let next = || queue.lock().unwrap_or_else(PoisonError::into_inner).pop_front();
        let worker = || -> anyhow::Result<()> {
            let letters = self.letters.as_deref().map(|file| ("FONTCONFIG_FILE", file.as_os_str()));
            let evidence = root().join(EVIDENCE);
            let chromium = Chromium::launch_with(self.chromium, &evidence, letters.as_slice())?;
            while let Some(screen) = next() {
                let began = Instant::now();
                match self.screen(&chromium, screen) {
                    Ok(told) => println!(
                        "ok   {:<28} {:>5.1} s  {told}",
                        screen.name,
                        began.elapsed().as_secs_f64()
                    ),
                    Err(error) => {
                        println!("FAILED {}: {error:#}", screen.name);
                        let mut failed = failed.lock().unwrap_or_else(PoisonError::into_inner);
                        failed.push(screen.name.to_owned());
                    }
                }
            }
            Ok(())
        };
        std::thread::scope(|scope| {
            let all: Vec<_> = (0..workers).map(|_| scope.spawn(worker)).collect();
            for one in all {
                one.join().map_err(|_dead| anyhow::anyhow!("a worker broke off"))??;
            }
            anyhow::Ok(())
        })?;
        Ok(failed.into_inner().unwrap_or_else(PoisonError::into_inner))
    }

    fn screen(&self, chromium: &Chromium, screen: &Screen) -> anyhow::Result<String> {
        let data = self.folder.join(screen.name);
        copy(&self.folder.join("seed"), &data)?;
        let site = Site::start(self.binary.to_owned(), &data, &self.environment)?;
        let mut page = chromium.page(site.root())?;
        still::prepare(&page)?;
        let taken = self.taken(&site, &mut page, screen)?;
        let bytes: usize = taken.iter().map(|(_, webp)| webp.len()).sum();
        let mut faults = Vec::new();
        for (file, webp) in taken {
            if self.compare {
                faults.extend(self.compare(chromium, screen, &file, &webp)?);
            } else {
                fs::write(self.into.join(&file), webp)?;
            }
        }
        drop(page);
        site.close()?;
        let _ = fs::remove_dir_all(&data);
        if !faults.is_empty() {
            bail!("{}", faults.join("\n  "));
        }
        Ok(format!("{bytes} bytes"))
    }

    /// Its pictures, with the names of their files.
    fn taken(
        &self,
        site: &Site,
        page: &mut Page,
        screen: &Screen,
    ) -> anyhow::Result<Vec<(String, Vec<u8>)>> {
        screen.open(site, page)?;
        let mut all = Vec::new();
        for (word, look, width) in FACES {
            page.size(width, HEIGHT)?;
            page.look(look)?;
            still::hold(page)?;
            all.push((file(screen.name, word), page.webp(HEIGHT_MAX)?));
        }
        Ok(all)
    }

    /// What differs from the picture that is kept; all three pictures of it are left to be looked at.
    fn compare(
        &self,
        chromium: &Chromium,
        screen: &Screen,
        file: &str,
        new: &[u8],
    ) -> anyhow::Result<Option<String>> {
        let Ok(old) = fs::read(self.into.join(file)) else {
            return Ok(Some(format!("there is no {file}: {}", make(screen.name))));
        };
        if old == new {
            return Ok(None);
        }
        let reader = chromium.page("about:blank")?;
        let (before, now) =
            (reader.read_webp(&old).context(file.to_owned())?, reader.read_webp(new)?);
        let Some(found) = now.against(&before).filter(|found| found.cells > CELLS_MAX) else {
            return Ok(None);
        };
        let evidence = root().join(EVIDENCE);
        fs::create_dir_all(&evidence)?;
        let name = file.trim_end_matches(".webp");
        fs::write(evidence.join(format!("{name}-old.webp")), old)?;
        fs::write(evidence.join(format!("{name}-new.webp")), new)?;
        fs::write(evidence.join(format!("{name}-difference.png")), now.marked(&before)?)?;
        let [left, top, right, bottom] = found.around;
        Ok(Some(format!(
            "{file} looks otherwise within {left},{top} to {right},{bottom} ({} cells): see {name}-old, -new and -difference in {EVIDENCE}; if it is meant, {}",
            found.cells,
            make(screen.name)
        )))
    }

    /// Pictures of screens that are no more: taken away, or told.
    fn left_over(&self) -> anyhow::Result<Vec<String>> {
        let known: Vec<String> = files().collect();
        let mut told = Vec::new();
        for entry in fs::read_dir(&self.into)?.flatten() {
            let name = entry.file_name().to_string_lossy().into_owned();
            if !name.ends_with(".webp") || known.contains(&name) {
                continue;
            }
            if self.compare {
                println!("FAILED {name}: it is the picture of no screen; take it away");
                told.push(name);
            } else {
                fs::remove_file(entry.path())?;
            }
        }
        Ok(told)
    }
}

/// The file of a picture.
pub(crate) fn file(screen: &str, face: &str) -> String {
    format!("{screen}-{face}.webp")
}

/// Every picture there is to be.
pub(crate) fn files() -> impl Iterator<Item = String> {
    screens().flat_map(|screen| FACES.map(|(word, ..)| file(screen.name, word)))
}

fn make(name: &str) -> String {
    format!("`cargo xtask pictures --only {name}`")
}

/// Copies a folder; a socket in it is the other server's.
fn copy(from: &Path, to: &Path) -> anyhow::Result<()> {
    fs::create_dir_all(to)?;
    fs::set_permissions(to, fs::metadata(from)?.permissions())?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let (kind, target) = (entry.file_type()?, to.join(entry.file_name()));
        if kind.is_dir() {
            copy(&entry.path(), &target)?;
        } else if kind.is_file() {
            fs::copy(entry.path(), target)?;
        }
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
        let words = parse(&["--only", "sign-in", "--compare"]).expect("words");
        assert!(words.wants("sign-in") && !words.wants("apps") && words.compare);
        for wrong in [&["--only", "nowhere"][..], &["--into"], &["--screens", "f"]] {
            assert!(parse(wrong).is_err(), "{wrong:?}");
        }
    }

    #[test]
    fn each_picture_of_a_screen_is_of_another_width() {
        for (i, (_, _, width)) in FACES.iter().enumerate() {
            assert!(FACES.iter().skip(i + 1).all(|(_, _, other)| other != width), "{width}");
        }
    }
}
