//! A run: for each persona the first world is made, every question asked, what is hidden changed, and
//! every question asked again. With two targets the change is made on the second alone. Reads come
//! before writes, and each half has hidden records of its own (`crate::world`), so that no question
//! sees what another one did.

use crate::asker::{Asker, Effort, Exchange, Tokens};
use crate::canon::{Canon, Canonical, Instants};
use crate::catalog::Family;
use crate::diff;
use crate::mask::Mask;
use crate::persona::Persona;
use crate::report::{Leak, PersonaReport, Report};
use crate::timing;
use crate::wire::{Answer, Request, Wire};
use crate::world::{Item, Phase, Side, World};
use anyhow::{Context, bail};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::thread;
use std::time::{Duration, Instant};

/// Dates of HTTP count seconds: past one, a later second is later than all that was set up.
const SECOND: Duration = Duration::from_millis(1_100);

/// Who asks on a target, once the persona's patient is there.
pub trait People {
    /// The tokens of a persona. `second` is whether it is for the second target.
    fn tokens(&mut self, world: &World, second: bool) -> anyhow::Result<Tokens>;
}

/// Where to ask.
pub struct Targets<'t> {
    /// The server, or the one with the first world.
    pub a: &'t mut dyn Wire,
    /// The one with the second world.
    pub b: Option<&'t mut dyn Wire>,
}

impl std::fmt::Debug for Targets<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Targets").field("two", &self.b.is_some()).finish_non_exhaustive()
    }
}

/// What to run.
#[derive(Debug, Clone)]
pub struct Options {
    /// Names of the worlds' records, and which of them are asked about.
    pub seed: u64,
    /// How far.
    pub effort: Effort,
    /// Which families.
    pub families: Vec<&'static Family>,
    /// Which personas.
    pub personas: Vec<&'static Persona>,
    /// Elements that are hidden.
    pub masks: Vec<Mask>,
    /// Patients the server has already, for personas whose tokens are bound to one.
    pub own: BTreeMap<String, String>,
    /// Whether leaks keep both answers.
    pub show: bool,
    /// Asks as the administrator, who sees both worlds: then each family must find a difference, or
    /// the server does not understand what it asks.
    pub calibrate: bool,
    /// Changes nothing between the worlds: what differs then is the server's mood or the bench's
    /// mistake.
    pub still: bool,
    /// Takes everything away again at the end.
    pub tidy: bool,
    /// Pairs of reads that are timed; 0 for none.
    pub timed: usize,
}

/// Runs the bench. `tell` is told of progress.
pub fn run(
    targets: &mut Targets<'_>,
    people: &mut dyn People,
    options: &Options,
    tell: &mut dyn FnMut(&str),
) -> anyhow::Result<Report> {
    let began = Instant::now();
    let mut report = Report { seed: options.seed, ..Report::default() };
    for persona in &options.personas {
        let own = options.own.get(persona.key).map(String::as_str);
        let world = World::new(persona, options.seed, own);
        let mut turn = Turn {
            world,
            options,
            leaks: Vec::new(),
            report: PersonaReport::new(persona.key),
            out_of_reach: BTreeSet::new(),
        };
        turn.run(targets, people).with_context(|| format!("as {}", persona.key))?;
        let found = turn.leaks.len();
        tell(&format!(
            "{:<17} {:>6} questions, {:>5} answered with something, {found} leaks{}",
            persona.key,
            turn.report.asked,
            turn.report.seen,
            match turn.report.unchanged {
                0 => String::new(),
                n => format!(" ({n} changes were refused to the administrator)"),
            }
        ));
        report.leaks.append(&mut turn.leaks);
        report.personas.push(turn.report);
    }
    report.elapsed_s = began.elapsed().as_secs_f64();
    Ok(report)
}

/// One persona's turn.
struct Turn<'o> {
    world: World,
    options: &'o Options,
    leaks: Vec<Leak>,
    report: PersonaReport,
    out_of_reach: BTreeSet<String>,
}

/// Exchanges of one family, and pairs in one world that should have been alike.
type Heard = (Vec<Exchange>, Vec<(String, Canonical, Canonical)>);

impl Turn<'_> {
    fn run(&mut self, targets: &mut Targets<'_>, people: &mut dyn People) -> anyhow::Result<()> {
        let first = self.tokens(people, false)?;
        make(targets.a, &first, &self.world.set_up())?;
        if let Some(b) = targets.b.as_deref_mut() {
            let second = self.tokens(people, true)?;
            make(b, &second, &self.world.set_up())?;
        }
        let two = targets.b.is_some();
        let since_a = later_than_all(targets.a, &first)?;
        let since_b = match targets.b.as_deref_mut() {
            Some(b) => later_than_all(b, &first)?,
            None => since_a.clone(),
        };
        for phase in [Phase::Reads, Phase::Writes] {
            self.world.phase = phase;
            let families = self.families(phase);
            if families.is_empty() {
                continue;
            }
            let instants =
                if two || phase == Phase::Writes { Instants::Replaced } else { Instants::Kept };
            let tokens = self.tokens(people, false)?;
            self.world.round = 'a';
            self.look_over(targets.a, &tokens)?;
            let before = self.ask(targets.a, &tokens, &families, (&since_a, instants))?;
            self.harm(targets.a, &tokens, Side::A)?;
            // Tokens of minutes are fetched anew for each half.
            let tokens = self.tokens(people, two)?;
            self.world.round = 'b';
            let b: &mut dyn Wire = match targets.b.as_deref_mut() {
                Some(b) => b,
                None => targets.a,
            };
            if !self.options.still {
                self.report.unchanged += alter(b, &tokens, &self.world.change(phase))?;
            }
            self.look_over(b, &tokens)?;
            let after = self.ask(b, &tokens, &families, (&since_b, instants))?;
            self.harm(b, &tokens, if self.options.still { Side::A } else { Side::B })?;
            if phase == Phase::Reads && self.options.timed > 0 {
                self.report.timing = self.time(b, &tokens)?;
            }
            for ((family, before), after) in families.iter().zip(before).zip(after) {
                self.compare(family, &before, &after);
            }
        }
        if self.options.tidy {
            let tokens = self.tokens(people, false)?;
            self.sweep(targets.a, &tokens)?;
            if let Some(b) = targets.b.as_deref_mut() {
                let tokens = self.tokens(people, true)?;
                self.sweep(b, &tokens)?;
            }
        }
        Ok(())
    }

    fn tokens(&self, people: &mut dyn People, second: bool) -> anyhow::Result<Tokens> {
        let mut tokens = people.tokens(&self.world, second)?;
        if self.options.calibrate {
            tokens.persona.clone_from(&tokens.admin);
        }
        Ok(tokens)
    }

    fn families(&self, phase: Phase) -> Vec<&'static Family> {
        let quiet = |family: &&&'static Family| !(family.trail && self.world.persona.trail);
        // An administrator's writes would go through, and change what is to be compared.
        let asked = !(self.options.calibrate && phase == Phase::Writes);
        let all = self.options.families.iter();
        all.filter(|f| f.phase == phase && asked).filter(quiet).copied().collect()
    }

    fn ask(
        &mut self,
        wire: &mut dyn Wire,
        tokens: &Tokens,
        families: &[&'static Family],
        (since, instants): (&str, Instants),
    ) -> anyhow::Result<Vec<Heard>> {
        let canon = Canon::new(wire.base(), &self.world.prefix, self.world.round, instants);
        let mut out = Vec::with_capacity(families.len());
        for family in families {
            // Each family begins with no ids given: what one creates is no matter of another.
            let mut asker =
                Asker::new(&mut *wire, tokens.clone(), canon.clone(), self.options.effort);
            since.clone_into(&mut asker.since);
            asker.second = self.world.round == 'b' && !self.options.still;
            asker.masks.clone_from(&self.options.masks);
            asker.keep_answers(self.options.show);
            family
                .run(&self.world, &mut asker)
                .with_context(|| format!("family {}, {}", family.number, family.key))?;
            let heard = asker.take();
            asker.clean_up()?;
            self.report.asked += heard.0.len();
            self.report.seen += heard.0.iter().filter(|e| shows(&e.canonical)).count();
            out.push(heard);
        }
        Ok(out)
    }

    fn compare(&mut self, family: &'static Family, before: &Heard, after: &Heard) {
        let cell = self.report.cells.entry(family.number).or_default();
        cell.asked += before.0.len();
        let mut found = Vec::new();
        for (a, b) in before.0.iter().zip(&after.0) {
            if a.request != b.request {
                // What is asked next depends on what was answered: links differ.
                found.push(leak(
                    family,
                    self.world.persona,
                    a,
                    b,
                    vec!["what could be asked next".to_owned()],
                ));
                break;
            }
            let paths = diff::paths(&a.canonical, &b.canonical);
            if !paths.is_empty() {
                found.push(leak(family, self.world.persona, a, b, paths));
            }
        }
        if let (true, Some(last)) = (
            found.is_empty() && before.0.len() != after.0.len(),
            before.0.last().or(after.0.last()),
        ) {
            let paths = vec!["how many pages follow".to_owned()];
            found.push(leak(family, self.world.persona, last, last, paths));
        }
        for (world, heard) in [("first", before), ("second", after)] {
            for (request, hidden, never) in &heard.1 {
                let mut leak = Leak::new(family, self.world.persona, request);
                leak.statuses = (hidden.status().to_owned(), never.status().to_owned());
                leak.digests = (hidden.digest(), never.digest());
                leak.paths = diff::paths(hidden, never);
                leak.paths.insert(0, format!("in the {world} world: not as for an id nobody had"));
                found.push(leak);
            }
        }
        cell.leaks += found.len();
        self.leaks.append(&mut found);
    }

    /// Notes which hidden records the administrator cannot see either: of those no harm can be told.
    fn look_over(&mut self, wire: &mut dyn Wire, tokens: &Tokens) -> anyhow::Result<()> {
        self.out_of_reach.clear();
        if self.world.phase == Phase::Reads {
            return Ok(());
        }
        for item in self.world.hidden("*") {
            let mut request = Request::get(item.address());
            request.token.clone_from(&tokens.admin);
            if wire.ask(&request)?.status != 200 {
                self.out_of_reach.insert(item.address());
            }
        }
        Ok(())
    }

    /// Whether hidden records are still what they were: a write must not reach them.
    fn harm(&mut self, wire: &mut dyn Wire, tokens: &Tokens, side: Side) -> anyhow::Result<()> {
        if self.world.phase == Phase::Reads {
            return Ok(());
        }
        let mut harmed = Vec::new();
        for item in self.world.hidden("*") {
            if self.out_of_reach.contains(&item.address()) {
                continue;
            }
            let mut request = Request::get(item.address());
            request.token.clone_from(&tokens.admin);
            if let Some(how) = damage(item, side, &wire.ask(&request)?) {
                harmed.push((item.address(), how));
            }
        }
        for (address, how) in harmed {
            let mut leak = Leak::new(&HARM, self.world.persona, &address);
            leak.paths = vec![how.to_owned()];
            self.report.cells.entry(HARM.number).or_default().leaks += 1;
            self.leaks.push(leak);
        }
        Ok(())
    }

    /// Takes the worlds away. What cannot be taken away stays: that is no leak.
    fn sweep(&self, wire: &mut dyn Wire, tokens: &Tokens) -> anyhow::Result<()> {
        for address in self.world.addresses() {
            let mut request = Request::new("DELETE", address);
            request.token.clone_from(&tokens.admin);
            wire.ask(&request)?;
        }
        Ok(())
    }

    /// Times reads of a hidden record that is there against those of an id nobody had.
    fn time(&self, wire: &mut dyn Wire, tokens: &Tokens) -> anyhow::Result<Option<f64>> {
        let Some(item) = self.world.hidden("Observation").find(|item| item.body(Side::B).is_some())
        else {
            return Ok(None);
        };
        let never = item.address().replacen("-r-", "-q-", 1);
        let (mut hidden, mut absent) = (Vec::new(), Vec::new());
        for n in 0..self.options.timed * 2 {
            let (path, times) = if n % 2 == 0 {
                (item.address(), &mut hidden)
            } else {
                (never.clone(), &mut absent)
            };
            let mut request = Request::get(path);
            request.token.clone_from(&tokens.persona);
            let began = Instant::now();
            wire.ask(&request)?;
            times.push(u64::try_from(began.elapsed().as_micros()).unwrap_or(u64::MAX));
        }
        Ok(timing::welch(&hidden, &absent))
    }
}

/// What stands for any of the families that write, where a hidden record was changed.
pub(crate) const HARM: Family = Family {
    number: 0,
    key: "harm",
    attack: "1, 12, 23",
    about: "a write reached a hidden record",
    phase: Phase::Writes,
    trail: false,
    ask: crate::catalog::Ask::Queries(&[]),
};

fn leak(
    family: &'static Family,
    persona: &'static Persona,
    a: &Exchange,
    b: &Exchange,
    paths: Vec<String>,
) -> Leak {
    let mut leak = Leak::new(family, persona, &a.request);
    leak.statuses = (a.canonical.status().to_owned(), b.canonical.status().to_owned());
    leak.digests = (a.canonical.digest(), b.canonical.digest());
    leak.paths = paths;
    let text =
        |of: &Exchange| of.raw.as_ref().map(|raw| String::from_utf8_lossy(&raw.body).into_owned());
    leak.answers = text(a).zip(text(b));
    leak
}

/// Whether an answer shows anything.
fn shows(answer: &Canonical) -> bool {
    answer.status().starts_with('2')
        && answer.leaves.iter().any(|(path, text)| {
            let is_page = || path == "body" && text.contains("<main");
            path.starts_with("entry[") || path == "id" || is_page()
        })
}

fn make(wire: &mut dyn Wire, tokens: &Tokens, bundles: &[Value]) -> anyhow::Result<()> {
    for bundle in bundles {
        if bundle.get("entry").and_then(Value::as_array).is_none_or(Vec::is_empty) {
            continue;
        }
        let mut request = Request::new("POST", "").json(bundle);
        request.token.clone_from(&tokens.admin);
        wire.ask(&request)?.ok().context("the administrator cannot set the world up")?;
    }
    Ok(())
}

/// Makes the second world. What the administrator may not touch either (a wall may stand before it
/// too) stays as it was, and is counted: of such records only new ones tell the worlds apart.
fn alter(wire: &mut dyn Wire, tokens: &Tokens, bundles: &[Value]) -> anyhow::Result<usize> {
    let mut refused = 0;
    for bundle in bundles {
        let entries = bundle.get("entry").and_then(Value::as_array).cloned().unwrap_or_default();
        if entries.is_empty() || make(wire, tokens, std::slice::from_ref(bundle)).is_ok() {
            continue;
        }
        for entry in entries {
            let word = |name: &str| entry.pointer(name).and_then(Value::as_str).unwrap_or("");
            let method = if word("/request/method") == "DELETE" { "DELETE" } else { "PUT" };
            let mut request = Request::new(method, word("/request/url"));
            if let Some(resource) = entry.get("resource") {
                request = request.json(resource);
            }
            request.token.clone_from(&tokens.admin);
            let status = wire.ask(&request)?.status;
            refused += usize::from(!(200..300).contains(&status));
        }
    }
    Ok(refused)
}

/// An instant later than all that was set up and earlier than all that changes, if the server tells
/// the time.
fn later_than_all(wire: &mut dyn Wire, tokens: &Tokens) -> anyhow::Result<String> {
    let mut request = Request::get("metadata");
    request.token.clone_from(&tokens.admin);
    if wire.ask(&request)?.header("date").is_none() {
        return Ok("2000-01-01T00:00:00Z".to_owned());
    }
    thread::sleep(SECOND);
    let answer = wire.ask(&request)?;
    let date = answer.header("date").unwrap_or("");
    match instant(date) {
        Some(instant) => Ok(instant),
        None => bail!("the server's Date is not a date of HTTP"),
    }
}

/// `Sun, 22 Nov 2026 16:00:10 GMT` as FHIR writes it (RFC 9110 section 5.6.7).
fn instant(date: &str) -> Option<String> {
    const MONTHS: [&str; 12] =
        ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
    let mut words = date.split(' ').skip(1);
    let (day, month, year, time) = (words.next()?, words.next()?, words.next()?, words.next()?);
    let month = MONTHS.iter().position(|name| *name == month)? + 1;
    Some(format!("{year}-{month:02}-{day}T{time}Z"))
}

/// How a hidden record is not what the administrator left it.
fn damage(item: &Item, side: Side, answer: &Answer) -> Option<&'static str> {
    let Some(left) = item.body(side) else {
        return (answer.status == 200).then_some("there, and should not be");
    };
    if answer.status != 200 {
        return Some("gone");
    }
    let Ok(found) = answer.json() else { return Some("no longer JSON") };
    if found.get("identifier") != left.get("identifier") {
        return Some("overwritten");
    }
    let codes = |of: &Value| -> Vec<String> {
        let labels = of.pointer("/meta/security").and_then(Value::as_array).cloned();
        let code = |label: &Value| label.get("code").and_then(Value::as_str).map(str::to_owned);
        labels.unwrap_or_default().iter().filter_map(code).collect()
    };
    let kept = codes(&found);
    codes(&left).iter().any(|code| !kept.contains(code)).then_some("stripped of a label")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_date_of_http_becomes_one_of_fhir() {
        let found = instant("Sun, 22 Nov 2026 16:00:10 GMT");
        assert_eq!(found.as_deref(), Some("2026-11-22T16:00:10Z"));
        assert_eq!(instant("yesterday"), None);
    }
}
