//! Who may be the one that is described: patients with whom something is shared that few share. What
//! is made of it is the gate's; here candidates are found, looked at through the caller's sight, and the
//! ones who share most are handed over.

use super::super::people::day;
use super::super::read::Reader;
use super::Finder;
use super::drive::GATHER;
use super::people::{Range, Source};
use crate::pack;
use crate::page::Hit;
use crate::people::Alike;
use crate::scope::Scoped;
use base::Fault;
use search::people::ask::Seen;
use search::people::key::{Facts, Kind, from_the_last, sounds};
use search::people::{nickname, same_place_in_a_year, transposed};
use std::collections::HashSet;

/// Digits of a phone that are compared, from the last: what stands before them is a country's.
const PHONE_DIGITS: usize = 10;

impl Scoped<'_, Reader> {
    /// The patients who agree in most with what is known of one, as far as they sound alike, were born
    /// on the same day, or share a phone or an identifier. They come in no order that means anything.
    ///
    /// # Errors
    /// `search.query.too-costly`.
    pub fn alike(&self, ask: &Alike<'_>) -> Result<Vec<Hit>, Fault> {
        self.inner.has_all()?;
        let finder = Finder::of(&self.inner, ask.steps_max)?;
        finder.alike(&self.inner, ask)
    }
}

impl Finder<'_> {
    fn alike(&self, reader: &Reader, ask: &Alike<'_>) -> Result<Vec<Hit>, Fault> {
        let patient = self.shared.patient_type;
        if !self.sight.sees_type(patient) {
            return Ok(Vec::new());
        }
        let mut rids: HashSet<i64> = HashSet::new();
        match self.sight.patients(patient).filter(|all| all.len() <= GATHER) {
            Some(patients) => rids.extend(patients),
            None => {
                for source in blocks(ask.facts, ask.seen) {
                    let near = matches!(&source, Source::Keys(range) if range.kind != Kind::Phone);
                    self.each_of(&source, &mut |rid, born| {
                        if !near || is_near(ask, born) {
                            rids.insert(rid);
                        }
                        Ok(true)
                    })?;
                }
            }
        }
        let mut best: Vec<(u32, i64, u64)> = Vec::new();
        let mut rids: Vec<i64> = rids.into_iter().collect();
        rids.sort_unstable();
        for rid in rids {
            let found = self.record(rid, |record| {
                let facts = self.shared.people.facts(pack::rows(record.packed));
                let points = agreement(ask, &facts);
                Ok((record.kind == patient && points > 0).then_some((points, rid, record.vid)))
            })?;
            best.extend(found.flatten());
        }
        best.sort_by_key(|(points, rid, _)| (std::cmp::Reverse(*points), *rid));
        let mut hits = Vec::new();
        for (_, _, vid) in best.into_iter().take(ask.limit) {
            if let Some(version) = reader.version(vid)? {
                hits.extend(version.hit_if_kept(&reader.shared)?);
            }
        }
        Ok(hits)
    }
}

/// Where patients stand who share something with one.
fn blocks(facts: &Facts, seen: Seen) -> Vec<Source> {
    let mut out = Vec::new();
    for family in facts.families.iter().filter(|_| seen.name) {
        for given in &facts.givens {
            out.push(Source::Keys(Range::whole(Kind::Family, format!("{family} {given}"))));
            // People are known to swap the two.
            out.push(Source::Keys(Range::whole(Kind::Family, format!("{given} {family}"))));
            let forms = nickname::related(given).iter().copied();
            for form in std::iter::once(given.as_str()).chain(forms) {
                out.extend(
                    sounds(family, form).map(|k| Source::Keys(Range::whole(Kind::Sound, k))),
                );
            }
        }
        if facts.givens.is_empty() {
            out.push(Source::Keys(Range::begins(Kind::Family, format!("{family} "))));
        }
    }
    if let Some(born) = facts.born.filter(|born| seen.born && day(*born).is_some()) {
        out.push(Source::Born(born));
        out.extend(transposed(born).map(Source::Born));
    }
    for phone in facts.phones.iter().filter(|_| seen.phone) {
        out.push(Source::Keys(Range::begins(Kind::Phone, end_of(phone))));
    }
    for text in facts.identifiers.iter().filter(|_| seen.identifier) {
        out.push(Source::Identifier { text: text.clone(), whole: true });
    }
    out
}

/// The last digits of a phone, the last first.
fn end_of(phone: &str) -> String {
    from_the_last(phone).chars().take(PHONE_DIGITS).collect()
}

/// Whether somebody of a like name may be the one: born near, or nobody knows when. Of a common name
/// there are hundreds, and all but these were born on some other day.
fn is_near(ask: &Alike<'_>, born: Option<i64>) -> bool {
    let (Some(one), Some(other)) = (ask.facts.born.filter(|_| ask.seen.born), born) else {
        return true;
    };
    let Some(day_of) = day(one) else { return true };
    let swapped = transposed(one).and_then(day);
    day_of == other || swapped == Some(other) || same_place_in_a_year(day_of, other)
}

/// In how much two agree: to tell who is worth a closer look, and no more.
fn agreement(ask: &Alike<'_>, other: &Facts) -> u32 {
    let (one, seen) = (ask.facts, ask.seen);
    let mut points = 0;
    if seen.name {
        let shares = |a: &[String], b: &[String]| a.iter().any(|name| b.contains(name));
        let sound = |name: &String| search::people::sound::sound(name);
        let heard = |a: &[String], b: &[String]| {
            a.iter().filter_map(sound).any(|key| b.iter().filter_map(sound).any(|k| k == key))
        };
        let called = one
            .givens
            .iter()
            .any(|given| other.givens.iter().any(|other| nickname::are_related(given, other)));
        points +=
            match (shares(&one.families, &other.families), heard(&one.families, &other.families)) {
                (true, _) => 4,
                (_, true) => 3,
                _ => 0,
            };
        points +=
            match (shares(&one.givens, &other.givens), called || heard(&one.givens, &other.givens))
            {
                (true, _) => 3,
                (_, true) => 2,
                _ => 0,
            };
        if shares(&one.families, &other.givens) && shares(&one.givens, &other.families) {
            points += 4;
        }
    }
    if let (true, Some(born), Some(other)) = (seen.born, one.born, other.born) {
        points += match () {
            () if born == other => 6,
            () if transposed(born) == Some(other) => 4,
            () => 0,
        };
    }
    let shares = |a: &[String], b: &[String]| a.iter().any(|one| b.contains(one));
    let ends = |phones: &[String]| phones.iter().map(|p| end_of(p)).collect::<Vec<_>>();
    if seen.phone && shares(&ends(&one.phones), &ends(&other.phones)) {
        points += 5;
    }
    if seen.identifier && shares(&one.identifiers, &other.identifiers) {
        points += 8;
    }
    points
}
