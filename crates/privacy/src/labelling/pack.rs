//! Rule packs: a text of facts that a privacy officer can read and a lawyer can review.
//!
//! A line is a word and what follows it; `#` begins a comment. `pack` names the pack; `rule` begins
//! a rule, whose lines follow. `label`, `basis`, `why`, `from` and `checked` are needed, and one of
//! `code`, `prefix` and `source`, of which any suffices; `to` (the first day on which it no longer
//! holds), `state` and `age` narrow. What is not understood refuses the pack.

use super::Source;
use access::Labels;
use base::error::code;
use base::{Fault, Millis};

/// The longest text of a pack.
const TEXT_MAX: usize = 256 * 1024;
/// The most rules of a pack.
const RULES_MAX: usize = 500;

/// Names for code systems, and the addresses they go by.
const SYSTEMS: [(&str, &[&str]); 5] = [
    ("icd10cm", &["http://hl7.org/fhir/sid/icd-10-cm", "urn:oid:2.16.840.1.113883.6.90"]),
    ("snomed", &["http://snomed.info/sct", "urn:oid:2.16.840.1.113883.6.96"]),
    ("loinc", &["http://loinc.org", "urn:oid:2.16.840.1.113883.6.1"]),
    ("rxnorm", &["http://www.nlm.nih.gov/research/umls/rxnorm", "urn:oid:2.16.840.1.113883.6.88"]),
    ("cvx", &["http://hl7.org/fhir/sid/cvx", "urn:oid:2.16.840.1.113883.12.292"]),
];

/// The addresses of a system's name.
pub(super) fn addresses(name: &str) -> &'static [&'static str] {
    SYSTEMS.iter().find(|(own, _)| *own == name).map_or(&[], |(_, addresses)| addresses)
}

/// A pack.
#[derive(Debug, Clone)]
pub struct Pack {
    /// Its name.
    pub name: String,
    /// Its rules.
    pub rules: Vec<Rule>,
}

/// A rule: documents of this kind carry these labels.
#[derive(Debug, Clone)]
pub struct Rule {
    /// Its name, which a label tells as its basis.
    pub id: String,
    /// The labels.
    pub labels: Labels,
    /// The law, or whatever else it stands on.
    pub basis: String,
    /// What it is for.
    pub why: String,
    /// The first instant at which it holds.
    pub from: Millis,
    /// The first instant at which it no longer does.
    pub to: Option<Millis>,
    /// When a person last compared it with its basis.
    pub checked: Millis,
    /// Only in this state.
    pub state: Option<String>,
    /// Only of patients of this age, in whole years.
    pub age: Option<(u32, u32)>,
    /// Any of these.
    pub any: Vec<Condition>,
    pub(super) line: usize,
}

/// What a rule looks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Condition {
    /// One of these codes.
    Code {
        /// The system's name in packs.
        system: String,
        /// The codes.
        codes: Vec<String>,
    },
    /// A code that begins with one of these.
    Prefix {
        /// The system's name in packs.
        system: String,
        /// The beginnings.
        prefixes: Vec<String>,
    },
    /// A tag of the source.
    Source(String),
}

impl Rule {
    /// Whether it holds at an instant, in a state.
    pub(super) fn is_in_force(&self, now: Millis, state: &str) -> bool {
        let source = Source { state: Some(state), ..Source::default() };
        self.applies(now, &source)
    }

    /// Whether it holds now, for such a source. What is not known of a source never frees it.
    pub(super) fn applies(&self, now: Millis, source: &Source<'_>) -> bool {
        let state = |own: &String| source.state.is_none_or(|state| state == own);
        let age = |(low, high)| source.age_years.is_none_or(|age| (low..=high).contains(&age));
        self.from <= now
            && self.to.is_none_or(|to| now < to)
            && self.state.as_ref().is_none_or(state)
            && self.age.is_none_or(age)
    }
}

pub(super) fn invalid(name: &str, line: usize, what: &str) -> Fault {
    Fault::new(&code::PRIVACY_RULES_INVALID, format!("{name}:{line}: {what}"))
}

impl Pack {
    /// Reads a pack.
    ///
    /// # Errors
    /// `privacy.rules.invalid` with the line.
    pub fn parse(file: &str, text: &str) -> Result<Self, Fault> {
        let bad = |line: usize, what: &str| Err(invalid(file, line, what));
        if text.len() > TEXT_MAX {
            return bad(1, "the text is longer than a pack may be");
        }
        let mut pack = Self { name: String::new(), rules: Vec::new() };
        let mut open: Option<Draft> = None;
        for (number, line) in (1..).zip(text.lines()) {
            let line = line.trim();
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            let (word, rest) = line.split_once(char::is_whitespace).unwrap_or((line, ""));
            let rest = rest.trim();
            if rest.is_empty() {
                return bad(number, "nothing follows the word");
            }
            match (word, &mut open) {
                ("pack", None) if pack.name.is_empty() => pack.name = rest.to_owned(),
                ("rule", _) if !pack.name.is_empty() => {
                    if let Some(draft) = open.take() {
                        pack.rules.push(draft.finish(file)?);
                    }
                    let named = rest.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-');
                    if !named || rest.len() > 64 || pack.rules.len() >= RULES_MAX {
                        return bad(number, "an id is letters, digits and hyphens; rules are few");
                    }
                    open = Some(Draft::new(rest, number));
                }
                (word, Some(draft)) => {
                    draft.line(word, rest).map_err(|what| invalid(file, number, what))?;
                }
                _ => return bad(number, "a pack begins with its name, and then rules follow"),
            }
        }
        if let Some(draft) = open {
            pack.rules.push(draft.finish(file)?);
        }
        if pack.rules.is_empty() {
            return bad(1, "the pack has no rule");
        }
        Ok(pack)
    }
}

struct Draft {
    rule: Rule,
    seen: Vec<String>,
}

impl Draft {
    fn new(id: &str, line: usize) -> Self {
        let rule = Rule {
            id: id.to_owned(),
            labels: Labels::NONE,
            basis: String::new(),
            why: String::new(),
            from: Millis(0),
            to: None,
            checked: Millis(0),
            state: None,
            age: None,
            any: Vec::new(),
            line,
        };
        Self { rule, seen: Vec::new() }
    }

    fn line(&mut self, word: &str, rest: &str) -> Result<(), &'static str> {
        let many = matches!(word, "code" | "prefix" | "source");
        if !many && self.seen.iter().any(|seen| seen == word) {
            return Err("the word stands twice in one rule");
        }
        self.seen.push(word.to_owned());
        let rule = &mut self.rule;
        match word {
            "label" => {
                for name in rest.split_whitespace() {
                    let label = Labels::named(name).ok_or("names a label that there is not")?;
                    if label.meets(Labels::UNLABELLED | Labels::OTHER) {
                        return Err("no rule gives this label");
                    }
                    rule.labels = rule.labels | label;
                }
            }
            "basis" => rule.basis = rest.to_owned(),
            "why" => rule.why = rest.to_owned(),
            "from" => rule.from = day(rest)?,
            "to" => rule.to = Some(day(rest)?),
            "checked" => rule.checked = day(rest)?,
            "state" => {
                if rest.len() != 2 || !rest.bytes().all(|b| b.is_ascii_uppercase()) {
                    return Err("a state is two capital letters");
                }
                rule.state = Some(rest.to_owned());
            }
            "age" => {
                let numbers: Vec<u32> =
                    rest.split_whitespace().filter_map(|n| n.parse().ok()).collect();
                match numbers.as_slice() {
                    [low, high] if low <= high && rest.split_whitespace().count() == 2 => {
                        rule.age = Some((*low, *high));
                    }
                    _ => return Err("an age is two numbers of years, the lower first"),
                }
            }
            "source" => rule.any.push(Condition::Source(rest.to_owned())),
            "code" | "prefix" => {
                let mut words = rest.split_whitespace().map(str::to_owned);
                let system = words.next().unwrap_or_default();
                if addresses(&system).is_empty() {
                    return Err("names a code system that packs do not know");
                }
                let codes: Vec<String> = words.collect();
                if codes.is_empty() {
                    return Err("no code follows the code system");
                }
                rule.any.push(match word {
                    "code" => Condition::Code { system, codes },
                    _ => Condition::Prefix { system, prefixes: codes },
                });
            }
            _ => return Err("begins with a word that packs do not know"),
        }
        Ok(())
    }

    fn finish(self, file: &str) -> Result<Rule, Fault> {
        let Self { rule, seen } = self;
        let has = |word: &str| seen.iter().any(|seen| seen == word);
        for word in ["label", "basis", "why", "from", "checked"] {
            if !has(word) {
                return Err(invalid(file, rule.line, &format!("the rule has no line {word}")));
            }
        }
        if rule.any.is_empty() {
            return Err(invalid(file, rule.line, "the rule has none of code, prefix and source"));
        }
        if rule.to.is_some_and(|to| to <= rule.from) {
            return Err(invalid(file, rule.line, "the rule ends before it begins"));
        }
        Ok(rule)
    }
}

/// A day, from its first instant.
fn day(text: &str) -> Result<Millis, &'static str> {
    let date = fhir::date::parse(text).filter(|d| d.precision == fhir::date::Precision::Day);
    date.map(|date| Millis(date.low)).ok_or("a date is written YYYY-MM-DD")
}
