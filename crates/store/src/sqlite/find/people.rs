//! A front desk's question, carried out: short ranges of `find` in the order of their merit, each
//! candidate looked at through the caller's sight before anything is asked of it. What is hidden is
//! passed over, so it is in no answer, changes no order and raises no warning; it costs steps, as in
//! any search, and a search that costs too many is refused.

use super::super::people::{PeopleAtoms, day};
use super::super::read::Reader;
use super::super::unavailable;
use super::Finder;
use super::drive::GATHER;
use crate::pack::{self, View};
use crate::people::{People, PeopleAsk, Person};
use crate::scope::Scoped;
use base::Fault;
use rusqlite::{Connection, params};
use search::people::ask::{Question, Split};
use search::people::judge::{self, NameRank, Rank};
use search::people::key::{Facts, Kind, from_the_last, sounds};
use search::people::sound::sound;
use search::people::{Span, nickname};
use std::collections::{HashMap, HashSet};

/// Candidates of a date or number that are looked at one by one, rather than going by the name.
const FEW: u64 = 2000;
/// Candidates that are looked at one by one without a second thought.
const HANDFUL: u64 = 200;
/// Keys of a given name that are gone through to find who has several.
const IN_ALL: u64 = 2048;
/// Keys counted to tell which end of a name is the narrower.
const PROBE: u64 = 4096;
/// Index rows read for one step: they are much cheaper than a record looked at.
const ROWS_OF_STEP: u64 = 8;
/// Rows in turn without the second part of a key that are read before it is looked for further on, which
/// costs as much as a few rows.
const ROWS_OF_SEEK: usize = 6;
const DAY_MS: i64 = 86_400_000;
const LAST: char = '\u{10FFFF}';

/// Rows of `find` that begin with a text, or are it.
pub(super) struct Range {
    pub(super) kind: Kind,
    text: String,
    whole: bool,
    /// How the second part of the key begins.
    second: String,
}

impl Range {
    pub(super) const fn begins(kind: Kind, text: String) -> Self {
        Self { kind, text, whole: false, second: String::new() }
    }

    pub(super) const fn whole(kind: Kind, text: String) -> Self {
        Self { kind, text, whole: true, second: String::new() }
    }

    fn end(&self) -> String {
        // The sign that follows none: nothing but the text itself stands below it.
        format!("{}{}", self.text, if self.whole { '\u{1}' } else { LAST })
    }
}

/// A source of candidates for a date or a number.
pub(super) enum Source {
    Keys(Range),
    /// Identifiers that begin so, or are it.
    Identifier {
        text: String,
        whole: bool,
    },
    Born(Span),
    Records(Vec<i64>),
}

/// A candidate that fits.
struct Found {
    rid: i64,
    vid: u64,
    rank: Rank,
    facts: Facts,
}

/// What is being found.
struct Hunt<'a> {
    question: &'a Question,
    members: Vec<HashSet<i64>>,
    looked_at: HashSet<i64>,
    found: Vec<Found>,
}

impl Scoped<'_, Reader> {
    /// The patients a question finds, the best first.
    ///
    /// # Errors
    /// `search.query.too-costly`.
    pub fn people(&self, ask: &PeopleAsk<'_>) -> Result<People, Fault> {
        self.inner.has_all()?;
        let finder = Finder::of(&self.inner, ask.steps_max)?;
        finder.people(&self.inner, ask)
    }
}

impl Finder<'_> {
    fn people(&self, reader: &Reader, ask: &PeopleAsk<'_>) -> Result<People, Fault> {
        let mut out = People::default();
        if !self.sight.sees_type(self.shared.patient_type) {
            return Ok(out);
        }
        let most = ask.limit.saturating_add(1);
        let mut found = self.hunt(ask.question, most)?;
        if found.is_empty()
            && let Some(names) = ask.question.names_alone()
        {
            found = self.hunt(&names, most)?;
            out.by_name_alone = !found.is_empty();
        }
        // Of a name that is hidden the order says nothing.
        let name = |one: &Found| ask.seen.name.then(|| called(&one.facts));
        found.sort_by_cached_key(|one| (one.rank, name(one), one.rid));
        out.more = found.len() > ask.limit;
        for one in found.into_iter().take(ask.limit) {
            let Some(version) = reader.version(one.vid)? else { continue };
            let Some(hit) = version.hit_if_kept(&reader.shared)? else { continue };
            let same_name = ask.seen.name && self.is_another_called_so(&one)?;
            let sounds_alike =
                !same_name && ask.seen.name && ask.seen.born && self.does_another_sound_so(&one)?;
            out.found.push(Person { hit, rank: one.rank, same_name, sounds_alike });
        }
        out.steps = self.steps.get();
        Ok(out)
    }

    /// Everybody who fits, or enough of those who fit best.
    fn hunt(&self, question: &Question, most: usize) -> Result<Vec<Found>, Fault> {
        let members = question.numbers.iter().map(|number| match number.member {
            true => self.members(&number.spellings()),
            false => Ok(HashSet::new()),
        });
        let mut hunt = Hunt {
            question,
            members: members.collect::<Result<_, _>>()?,
            looked_at: HashSet::new(),
            found: Vec::new(),
        };
        if let Some(patients) =
            self.sight.patients(self.shared.patient_type).filter(|all| all.len() <= GATHER)
        {
            for rid in patients {
                self.consider(&mut hunt, rid)?;
            }
            return Ok(hunt.found);
        }
        let mut best: Option<(u64, Vec<Source>)> = None;
        for sources in self.parts(&hunt) {
            let mut count = 0;
            for source in &sources {
                count += self.count_of(source)?;
            }
            if best.as_ref().is_none_or(|(least, _)| count < *least) {
                best = Some((count, sources));
            }
        }
        match (best, &question.names) {
            (Some((count, sources)), names) if count <= FEW || names.is_none() => {
                let enough = if count <= FEW { usize::MAX } else { most };
                for source in &sources {
                    self.scan(&mut hunt, source, enough, None)?;
                }
            }
            (_, Some(names)) => self.by_name(&mut hunt, &names.splits(), most)?,
            (_, None) => {}
        }
        Ok(hunt.found)
    }

    /// What names the candidates of each date and number, the better readings first.
    fn parts(&self, hunt: &Hunt<'_>) -> Vec<Vec<Source>> {
        let question = hunt.question;
        let mut parts: Vec<Vec<Source>> = Vec::new();
        for readings in &question.born {
            parts.push(readings.iter().map(|span| Source::Born(*span)).collect());
        }
        for (number, members) in question.numbers.iter().zip(&hunt.members) {
            let mut sources = Vec::new();
            let spellings = number.spellings();
            let identifiers = |whole: bool| {
                let spellings = spellings.iter().filter(move |text| {
                    number.identifier && (whole || judge::begins_identifier(text))
                });
                spellings.map(move |text| Source::Identifier { text: text.clone(), whole })
            };
            sources.extend(identifiers(true));
            if !members.is_empty() {
                let mut rids: Vec<i64> = members.iter().copied().collect();
                rids.sort_unstable();
                sources.push(Source::Records(rids));
            }
            if number.phone {
                let end = from_the_last(&number.digits).into_owned();
                sources.push(Source::Keys(Range::begins(Kind::Phone, end)));
            }
            sources.extend(number.born.iter().map(|span| Source::Born(*span)));
            sources.extend(identifiers(false));
            parts.push(sources);
        }
        parts
    }

    /// Ranges of the name, those whose rows fit best first. When enough were found that fit as well as
    /// anybody in the next ranges could, these are not read.
    fn by_name(&self, hunt: &mut Hunt<'_>, splits: &[Split], most: usize) -> Result<(), Fault> {
        for rank in [
            NameRank::Exact,
            NameRank::ExactGiven,
            NameRank::Begins,
            NameRank::AllBegin,
            NameRank::Called,
            NameRank::Sounds,
        ] {
            for split in splits {
                let several = split.family.is_empty() && split.givens.len() > 1;
                if several && rank != NameRank::Called {
                    if let Some(source) = self.of_all_givens(&split.givens, rank)? {
                        self.scan(hunt, &source, most, Some(rank))?;
                    }
                    continue;
                }
                for range in self.ranges(split, rank)? {
                    // What somebody with several given names may be called is anybody's name.
                    if !several || self.count_keys(&range, FEW + 1)? <= FEW {
                        self.scan(hunt, &Source::Keys(range), most, Some(rank))?;
                    }
                }
            }
            if hunt.found.iter().filter(|one| one.rank.name <= rank).count() >= most {
                break;
            }
        }
        Ok(())
    }

    /// Who may have all of several given names: those in the shortest range of one of them, when that is
    /// short or nothing better is left to be looked at, or else those who are in the ranges of all.
    fn of_all_givens(&self, givens: &[String], rank: NameRank) -> Result<Option<Source>, Fault> {
        let end = match rank {
            NameRank::Exact => " ",
            NameRank::Begins | NameRank::Sounds => "",
            _ => return Ok(None),
        };
        let mut counted = Vec::with_capacity(givens.len());
        for given in givens {
            let range = Range::begins(Kind::Given, format!("{given}{end}"));
            counted.push((self.count_keys(&range, IN_ALL + 1)?, range));
        }
        counted.sort_by_key(|(count, _)| *count);
        let longest = counted.last().map_or(0, |(count, _)| *count);
        let mut ranges = counted.into_iter();
        let Some((shortest, range)) = ranges.next() else { return Ok(None) };
        // Names that are so common that this would take long are looked at last, when all else found few.
        if shortest <= HANDFUL || rank == NameRank::Sounds {
            return Ok(Some(Source::Keys(range)));
        }
        if longest > IN_ALL {
            return Ok(None);
        }
        let mut all = self.called_so(&range)?;
        for (_, range) in ranges {
            let here = self.called_so(&range)?;
            all.retain(|rid, one| {
                here.get(rid).is_some_and(|other| *one != *other || one.is_none())
            });
        }
        let mut all: Vec<i64> = all.into_keys().collect();
        all.sort_unstable();
        Ok(Some(Source::Records(all)))
    }

    /// Who stands in a range, each with the first name they stand there under; none for several. Who is
    /// there by one name alone does not have two that begin so: Gloria for `gl glo`.
    fn called_so(&self, range: &Range) -> Result<HashMap<i64, Option<String>>, Fault> {
        let sql = "SELECT rid, key FROM find WHERE kind = ? AND key >= ? AND key < ?";
        let mut all: HashMap<i64, Option<String>> = HashMap::new();
        self.walk(sql, params![range.kind.number(), range.text, range.end()], &mut |row| {
            let rid = row.get(0).map_err(unavailable)?;
            let key = row.get_ref(1).and_then(|key| Ok(key.as_str()?)).map_err(unavailable)?;
            let first = key.split_once(' ').map_or(key, |(first, _)| first);
            let before = all.entry(rid).or_insert_with(|| Some(first.to_owned()));
            if before.as_deref() != Some(first) {
                *before = None;
            }
            Ok(true)
        })?;
        Ok(all)
    }

    /// The ranges in which all that fit so stand, but for those in ranges of better ranks.
    fn ranges(&self, split: &Split, rank: NameRank) -> Result<Vec<Range>, Fault> {
        let family = split.family.as_str();
        let given = split.givens.first().map_or("", String::as_str);
        let (some_family, some_given) = (!family.is_empty(), !given.is_empty());
        let begins = |kind, text: String| vec![Range::begins(kind, text)];
        Ok(match rank {
            NameRank::Exact if some_family && some_given => {
                vec![Range::whole(Kind::Family, format!("{family} {given}"))]
            }
            NameRank::Exact if some_family => begins(Kind::Family, format!("{family} ")),
            NameRank::ExactGiven if !some_family => begins(Kind::Given, format!("{given} ")),
            NameRank::Begins if some_family && some_given => vec![
                Range::begins(Kind::Family, format!("{family} {given}")),
                Range::begins(Kind::Given, format!("{given} {family}")),
            ],
            NameRank::Begins if some_family => begins(Kind::Family, family.to_owned()),
            NameRank::AllBegin if some_family && some_given => {
                let by_family = Range {
                    second: given.to_owned(),
                    ..Range::begins(Kind::Family, family.to_owned())
                };
                let by_given = Range {
                    second: family.to_owned(),
                    ..Range::begins(Kind::Given, given.to_owned())
                };
                let one = self.count_keys(&by_family, PROBE)?;
                let other = self.count_keys(&by_given, PROBE)?;
                // There are fewer first names than family names.
                vec![if one < other { by_family } else { by_given }]
            }
            NameRank::AllBegin if !some_family => begins(Kind::Given, given.to_owned()),
            NameRank::Called if some_given => {
                let forms = nickname::related(given).iter();
                forms.map(|form| Range::begins(Kind::Given, format!("{form} {family}"))).collect()
            }
            NameRank::Sounds if some_family => {
                let Some(family) = sound(family) else { return Ok(Vec::new()) };
                if !some_given {
                    return Ok(begins(Kind::Sound, format!("{family} ")));
                }
                let mut ranges = Vec::new();
                if let Some(heard) = sound(given) {
                    ranges.push(Range::begins(Kind::Sound, format!("{family} {heard}")));
                    for form in nickname::related(given) {
                        let form = sound(form).unwrap_or_default();
                        ranges.push(Range::whole(Kind::Sound, format!("{family} {form}")));
                    }
                }
                ranges
            }
            _ => Vec::new(),
        })
    }

    /// Looks at the candidates of a source, until so many fit; of a name, so many that fit so well.
    fn scan(
        &self,
        hunt: &mut Hunt<'_>,
        source: &Source,
        most: usize,
        rank: Option<NameRank>,
    ) -> Result<(), Fault> {
        let mut fit = 0;
        let question = hunt.question;
        self.each_of(source, &mut |rid, born| {
            if !may_be_born(question, born) {
                return Ok(true);
            }
            let known = hunt.looked_at.contains(&rid);
            let found = match known {
                true => hunt.found.iter().find(|one| one.rid == rid).map(|one| one.rank),
                false => self.consider(hunt, rid)?,
            };
            if found.is_some_and(|found| rank.is_none_or(|rank| found.name <= rank)) {
                fit += 1;
            }
            Ok(fit < most)
        })
    }

    /// Looks at a record; how it fits, if it does.
    fn consider(&self, hunt: &mut Hunt<'_>, rid: i64) -> Result<Option<Rank>, Fault> {
        if !hunt.looked_at.insert(rid) {
            return Ok(None);
        }
        let found = self.record(rid, |record| {
            if record.kind != self.shared.patient_type {
                return Ok(None);
            }
            let facts = self.shared.people.facts(pack::rows(record.packed));
            let members: Vec<usize> = (0..)
                .zip(&hunt.members)
                .filter_map(|(at, all)| all.contains(&rid).then_some(at))
                .collect();
            let rank = judge::judge(hunt.question, &facts, &members);
            Ok(rank.map(|rank| Found { rid, vid: record.vid, rank, facts }))
        })?;
        let found = found.flatten();
        let rank = found.as_ref().map(|one| one.rank);
        hunt.found.extend(found);
        Ok(rank)
    }

    /// The patients whom payers call so: by the identifiers of coverages that can be seen.
    fn members(&self, spellings: &[String]) -> Result<HashSet<i64>, Fault> {
        let PeopleAtoms { member, beneficiary, .. } = self.shared.people;
        let mut out = HashSet::new();
        for spelling in spellings {
            let sql = "SELECT rid FROM ix_ident WHERE atom = ? AND value = ? LIMIT ?";
            for rid in self.rids(sql, params![member, spelling, GATHER])? {
                self.record(rid, |record| {
                    out.extend(pack::rows(record.packed).filter_map(|view| match view {
                        View::Int { atom, value, .. } if atom == beneficiary => Some(value),
                        _ => None,
                    }));
                    Ok(())
                })?;
            }
        }
        Ok(out)
    }

    /// Whether another patient that can be seen has the first names of this one.
    fn is_another_called_so(&self, one: &Found) -> Result<bool, Fault> {
        let (Some(family), Some(given)) = (one.facts.families.first(), one.facts.givens.first())
        else {
            return Ok(false);
        };
        let range = Range::whole(Kind::Family, format!("{family} {given}"));
        self.is_another(one.rid, range, None, |other| {
            other.families.contains(family) && other.givens.first() == Some(given)
        })
    }

    /// Whether another patient that can be seen was born on the same day and has names that sound so.
    fn does_another_sound_so(&self, one: &Found) -> Result<bool, Fault> {
        let (Some(family), Some(given)) = (one.facts.families.first(), one.facts.givens.first())
        else {
            return Ok(false);
        };
        let (Some(born), Some(key)) = (one.facts.born.and_then(day), sounds(family, given)) else {
            return Ok(false);
        };
        let range = Range::whole(Kind::Sound, key);
        self.is_another(one.rid, range, Some(born), |other| other.born == one.facts.born)
    }

    fn is_another(
        &self,
        than: i64,
        range: Range,
        born: Option<i64>,
        is_so: impl Fn(&Facts) -> bool,
    ) -> Result<bool, Fault> {
        let mut found = false;
        self.each_of(&Source::Keys(range), &mut |rid, day| {
            if rid != than && (born.is_none() || day == born) {
                let facts = |packed: &[u8]| self.shared.people.facts(pack::rows(packed));
                let is_one = self.record(rid, |other| Ok(is_so(&facts(other.packed))))?;
                found = is_one == Some(true);
            }
            Ok(!found)
        })?;
        Ok(found)
    }

    /// Hands over the records of a source in the order of its keys, with the day of birth where the
    /// index has it, until told to stop.
    pub(super) fn each_of(
        &self,
        source: &Source,
        take: &mut dyn FnMut(i64, Option<i64>) -> Result<bool, Fault>,
    ) -> Result<(), Fault> {
        match source {
            Source::Records(rids) => {
                for rid in rids {
                    if !take(*rid, None)? {
                        break;
                    }
                }
                Ok(())
            }
            Source::Keys(range) => {
                let mut from = Some(range.text.clone());
                while let Some(least) = from {
                    from = self.each_key(range, &least, take)?;
                }
                Ok(())
            }
            Source::Identifier { text, whole } => {
                let end = format!("{text}{}", if *whole { '\u{1}' } else { LAST });
                let sql = "SELECT rid FROM ix_ident WHERE atom = ? AND value >= ? AND value < ? \
                           ORDER BY value, system, rid";
                let atom = self.shared.people.identifier;
                self.walk(sql, params![atom, text, end], &mut |row| {
                    take(row.get(0).map_err(unavailable)?, None)
                })
            }
            Source::Born((low, high)) => {
                let sql = "SELECT rid, high FROM ix_date WHERE atom = ? AND low >= ? AND low <= ? \
                           ORDER BY low, high, rid";
                let atom = self.shared.people.born;
                self.walk(sql, params![atom, low, high], &mut |row| {
                    take(row.get(0).map_err(unavailable)?, None)
                })
            }
        }
    }

    /// Hands over the rows of a range from a key on. Where the second part of a key is asked for too and
    /// some rows in turn do not have it, it answers from which key on it may come again: a first name has
    /// thousands of rows, and there are few first names.
    fn each_key(
        &self,
        range: &Range,
        least: &str,
        take: &mut dyn FnMut(i64, Option<i64>) -> Result<bool, Fault>,
    ) -> Result<Option<String>, Fault> {
        let sql = "SELECT rid, born, key FROM find WHERE kind = ? AND key >= ? AND key < ? \
                   ORDER BY key, rid";
        let (mut passed, mut again) = (0, None);
        self.step(1)?;
        self.walk(sql, params![range.kind.number(), least, range.end()], &mut |row| {
            if !range.second.is_empty() {
                let key = row.get_ref(2).and_then(|key| Ok(key.as_str()?)).map_err(unavailable)?;
                let (first, second) = key.split_once(' ').unwrap_or((key, ""));
                if !second.starts_with(&range.second) {
                    passed += 1;
                    if passed >= ROWS_OF_SEEK {
                        again = Some(match second < range.second.as_str() {
                            true => format!("{first} {}", range.second),
                            // The sign behind the blank: all keys of the first name stand before it.
                            false => format!("{first}!"),
                        });
                    }
                    return Ok(again.is_none());
                }
                passed = 0;
            }
            let read = || Ok((row.get(0)?, row.get(1)?));
            let (rid, born) = read().map_err(unavailable)?;
            take(rid, born)
        })?;
        Ok(again)
    }

    /// Reads rows one by one, each an eighth of a step.
    fn walk(
        &self,
        sql: &str,
        params: impl rusqlite::Params,
        take: &mut dyn FnMut(&rusqlite::Row<'_>) -> Result<bool, Fault>,
    ) -> Result<(), Fault> {
        let mut statement = self.conn.prepare_cached(sql).map_err(unavailable)?;
        let mut rows = statement.query(params).map_err(unavailable)?;
        let mut read: u64 = 0;
        while let Some(row) = rows.next().map_err(unavailable)? {
            read += 1;
            if read.is_multiple_of(ROWS_OF_STEP) {
                self.step(1)?;
            }
            if !take(row)? {
                break;
            }
        }
        Ok(())
    }

    /// How many candidates a source has, counted a little beyond [`FEW`].
    fn count_of(&self, source: &Source) -> Result<u64, Fault> {
        let most = FEW + 1;
        let count = |sql: &str, params: &[&dyn rusqlite::ToSql]| {
            count(self.conn, sql, params).map_err(unavailable)
        };
        let people = &self.shared.people;
        let counted = match source {
            Source::Records(rids) => return Ok(rids.len() as u64),
            Source::Keys(range) => return self.count_keys(range, most),
            Source::Identifier { text, whole } => count(
                "SELECT count(*) FROM (SELECT 1 FROM ix_ident \
                 WHERE atom = ? AND value >= ? AND value < ? LIMIT ?)",
                params![
                    people.identifier,
                    text,
                    format!("{text}{}", if *whole { '\u{1}' } else { LAST }),
                    most
                ],
            )?,
            Source::Born((low, high)) => count(
                "SELECT count(*) FROM (SELECT 1 FROM ix_date \
                 WHERE atom = ? AND low >= ? AND low <= ? LIMIT ?)",
                params![people.born, low, high, most],
            )?,
        };
        self.step(counted / ROWS_OF_STEP)?;
        Ok(counted)
    }

    fn count_keys(&self, range: &Range, most: u64) -> Result<u64, Fault> {
        let sql = "SELECT count(*) FROM (SELECT 1 FROM find \
                   WHERE kind = ? AND key >= ? AND key < ? LIMIT ?)";
        let params = params![range.kind.number(), range.text, range.end(), most];
        let counted = count(self.conn, sql, params).map_err(unavailable)?;
        self.step(counted / ROWS_OF_STEP)?;
        Ok(counted)
    }
}

fn count(conn: &Connection, sql: &str, params: &[&dyn rusqlite::ToSql]) -> rusqlite::Result<u64> {
    conn.prepare_cached(sql)?.query_row(params, |row| row.get(0))
}

/// What the order of an answer takes a patient's name for.
fn called(facts: &Facts) -> String {
    let first = |names: &[String]| names.first().cloned().unwrap_or_default();
    format!("{} {}", first(&facts.families), first(&facts.givens))
}

/// Whether somebody may be one who was born as asked, as far as the key tells.
fn may_be_born(question: &Question, day: Option<i64>) -> bool {
    let Some(low) = day.map(|day| day.saturating_mul(DAY_MS)) else { return true };
    question.born.iter().all(|readings| {
        readings.iter().any(|span| span.0 <= low && low.saturating_add(DAY_MS - 1) <= span.1)
    })
}
