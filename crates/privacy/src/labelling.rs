//! The labelling: which sensitivity labels a document carries, by rule packs that are data
//! (`packs/*.txt`, [`pack`] tells their form; HL7 DS4P,
//! <https://hl7.org/fhir/uv/security-label-ds4p/>).
//!
//! A rule speaks of codes and of where a document comes from; it never reads prose, so a code that
//! is only words is not found. What is labelled too much, a person can tell; what is labelled too
//! little, nobody sees missing: the packs lean to the first.

mod epoch;
pub mod pack;
mod security;

pub use epoch::{Change, Epoch};
pub use pack::{Condition, Pack, Rule};
pub use security::{BASIS, RULES, Security};

use access::Labels;
use base::{Fault, Millis};
use fhir::Value;
use sha2::{Digest, Sha256};
use std::collections::HashMap;

/// The packs that are shipped.
pub const SHIPPED: [(&str, &str); 3] = [
    ("federal.txt", include_str!("../packs/federal.txt")),
    ("sensitive.txt", include_str!("../packs/sensitive.txt")),
    ("california.txt", include_str!("../packs/california.txt")),
];

/// What is known of a document beside what it says.
#[derive(Debug, Clone, Default)]
pub struct Source<'s> {
    /// Where it is made: the state, as `CA`.
    pub state: Option<&'s str>,
    /// How old the patient is, in whole years. Unknown is taken for any age.
    pub age_years: Option<u32>,
    /// Tags of the document itself: of the service that writes it, of its encounter.
    pub tags: &'s [&'s str],
}

/// Tags of records, by reference: a Part 2 programme's Organization, a VIP's Patient, an Encounter
/// that was paid by the patient. Whatever refers to the record shares the tag.
pub type Tagged = HashMap<String, Vec<String>>;

/// The labels of a document, and the rules they come from.
#[derive(Debug, Clone, Default)]
pub struct Labelled<'l> {
    /// All of them.
    pub labels: Labels,
    /// Each rule that applied, once.
    pub rules: Vec<&'l Rule>,
}

/// Rule packs, compiled.
#[derive(Debug)]
pub struct Labeller {
    rules: Vec<Rule>,
    /// By the address of a code system. They are so few that a look at each costs less than a hash.
    systems: Vec<(String, System)>,
    by_tag: HashMap<String, Vec<usize>>,
    digest: String,
}

#[derive(Debug, Default)]
struct System {
    codes: HashMap<String, Vec<usize>>,
    /// By the prefix; `lengths` says which lengths there are.
    prefixes: HashMap<String, Vec<usize>>,
    lengths: Vec<usize>,
}

impl Labeller {
    /// The shipped packs.
    ///
    /// # Errors
    /// `privacy.rules.invalid`.
    pub fn shipped() -> Result<Self, Fault> {
        Self::load(&SHIPPED)
    }

    /// Packs by name and text. Rules of all packs hold together; an id stands once.
    ///
    /// # Errors
    /// `privacy.rules.invalid` with the pack and the line.
    pub fn load(texts: &[(&str, &str)]) -> Result<Self, Fault> {
        let mut made = Self {
            rules: Vec::new(),
            systems: Vec::new(),
            by_tag: HashMap::new(),
            digest: String::new(),
        };
        let mut systems = HashMap::new();
        let mut hash = Sha256::new();
        for (name, text) in texts {
            hash.update((text.len() as u64).to_be_bytes());
            hash.update(text.as_bytes());
            let pack = Pack::parse(name, text)?;
            for rule in pack.rules {
                if made.rules.iter().any(|own| own.id == rule.id) {
                    return Err(pack::invalid(name, rule.line, "the id of a rule stands twice"));
                }
                made.add(rule, &mut systems);
            }
        }
        made.systems = systems.into_iter().collect();
        // What labels mean is part of what was done with them.
        for label in access::LABELS {
            hash.update(label.name.as_bytes());
            hash.update([0]);
        }
        made.digest = hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect();
        Ok(made)
    }

    fn add(&mut self, rule: Rule, systems: &mut HashMap<String, System>) {
        let number = self.rules.len();
        for condition in &rule.any {
            match condition {
                Condition::Code { system, codes } => {
                    for url in pack::addresses(system) {
                        let of = systems.entry((*url).to_owned()).or_default();
                        for code in codes {
                            of.codes.entry(code.clone()).or_default().push(number);
                        }
                    }
                }
                Condition::Prefix { system, prefixes } => {
                    for url in pack::addresses(system) {
                        let of = systems.entry((*url).to_owned()).or_default();
                        for prefix in prefixes {
                            of.prefixes.entry(prefix.clone()).or_default().push(number);
                            if !of.lengths.contains(&prefix.len()) {
                                of.lengths.push(prefix.len());
                            }
                        }
                    }
                }
                Condition::Source(tag) => {
                    self.by_tag.entry(tag.clone()).or_default().push(number);
                }
            }
        }
        self.rules.push(rule);
    }

    /// The rules, in the order of the packs.
    pub fn rules(&self) -> &[Rule] {
        &self.rules
    }

    /// What the packs are, to the letter.
    pub fn digest(&self) -> &str {
        &self.digest
    }

    /// The labels of a document as it would be stored now.
    pub fn label(
        &self,
        document: Value<'_>,
        now: Millis,
        source: &Source<'_>,
        tagged: &Tagged,
    ) -> Labelled<'_> {
        let mut hits: Vec<usize> = Vec::new();
        let mut tags = |names: &mut dyn Iterator<Item = &str>| {
            for name in names {
                hits.extend(self.by_tag.get(name).into_iter().flatten());
            }
        };
        tags(&mut source.tags.iter().copied());
        if !tagged.is_empty() {
            let own = document.get_str("resourceType").zip(document.get_str("id"));
            let own = own.and_then(|(of, id)| tagged.get(&format!("{of}/{id}")));
            tags(&mut own.into_iter().flatten().map(String::as_str));
        }
        for value in document.descendants().filter(|value| value.is_object()) {
            let (mut system, mut code) = (None, None);
            for (name, member) in value.members() {
                match name {
                    "system" => system = member.as_str(),
                    "code" => code = member.as_str(),
                    "reference" if !tagged.is_empty() => {
                        let reference = member.as_str().unwrap_or_default();
                        if let Some(names) = tagged.get(local(&reference)) {
                            for name in names {
                                hits.extend(self.by_tag.get(name).into_iter().flatten());
                            }
                        }
                    }
                    _ => {}
                }
            }
            let (Some(system), Some(code)) = (system, code) else { continue };
            if let Some((_, system)) = self.systems.iter().find(|(url, _)| *url == *system) {
                system.find(&code, &mut hits);
            }
        }
        if hits.is_empty() {
            return Labelled::default();
        }
        hits.sort_unstable();
        hits.dedup();
        let rules = hits.into_iter().filter_map(|number| self.rules.get(number));
        let rules: Vec<&Rule> = rules.filter(|rule| rule.applies(now, source)).collect();
        let labels = rules.iter().fold(Labels::NONE, |labels, rule| labels | rule.labels);
        Labelled { labels, rules }
    }
}

impl System {
    fn find(&self, code: &str, hits: &mut Vec<usize>) {
        hits.extend(self.codes.get(code).into_iter().flatten());
        for length in &self.lengths {
            if let Some(prefix) = code.get(..*length) {
                hits.extend(self.prefixes.get(prefix).into_iter().flatten());
            }
        }
    }
}

/// `Type/id` of a reference, of whatever server and version.
fn local(reference: &str) -> &str {
    match fhir::reference::parse(reference) {
        Some(
            fhir::reference::Reference::Relative(target)
            | fhir::reference::Reference::Absolute { target, .. },
        ) => {
            let length = target.resource_type.len() + 1 + target.id.len();
            let text = reference.split_once("/_history/").map_or(reference, |(text, _)| text);
            text.len().checked_sub(length).and_then(|from| text.get(from..)).unwrap_or(reference)
        }
        _ => reference,
    }
}
