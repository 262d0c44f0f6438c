//! Every word that a page says, in each language, in one catalogue of several parts. A page says nothing that
//! is not in it; a word that no page says, or that is missing in a language, fails a test. So it is for the pages
//! of signing in as well, which the server draws: the parts that they say are open to it.

/// A part of the catalogue: its words, and all of them by name. It is the console's own, or open to the server.
macro_rules! words {
    ($($name:ident: $en:literal, $es:literal;)*) => {
        words! { [pub(crate)] $($name: $en, $es;)* }
    };
    ([$seen:vis] $($name:ident: $en:literal, $es:literal;)*) => {
        $($seen const $name: super::Word = super::Word { en: $en, es: $es };)*

        /// All of them, by name.
        #[cfg(test)]
        pub(super) const ALL: &[(&str, super::Word)] = &[$((stringify!($name), $name)),*];
    };
}

mod arrival;
mod calendar;
mod chart;
mod consent;
mod flow;
mod frame;
mod inbox;
mod link;
mod machine;
mod people;
mod places;
mod registration;
mod saw;
pub mod scopes;
pub mod sign_in;
mod table;
mod waitlist;

pub(crate) use arrival::*;
pub(crate) use calendar::*;
pub(crate) use chart::*;
pub(crate) use consent::*;
pub(crate) use flow::*;
pub(crate) use frame::*;
pub(crate) use inbox::*;
pub(crate) use link::*;
pub(crate) use machine::*;
pub(crate) use people::*;
pub(crate) use places::*;
pub(crate) use registration::*;
pub(crate) use saw::*;
pub(crate) use table::*;
pub(crate) use waitlist::*;

/// The parts of the catalogue.
#[cfg(test)]
#[rustfmt::skip]
#[expect(unused_qualifications, reason = "each part has its own, and one name alone would be any of them")]
const PARTS: &[&[(&str, Word)]] = &[
    flow::ALL,
    arrival::ALL,
    chart::ALL,
    consent::ALL,
    frame::ALL,
    registration::ALL,
    saw::ALL,
    scopes::ALL,
    sign_in::ALL,
    people::ALL,
    places::ALL,
    machine::ALL,
    link::ALL,
    waitlist::ALL,
    table::ALL,
    calendar::ALL,
    inbox::ALL,
];

/// A language of the pages.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lang {
    /// English.
    En,
    /// Spanish.
    Es,
}

impl Lang {
    pub(crate) const ALL: [Self; 2] = [Self::En, Self::Es];

    /// Its tag (BCP 47).
    pub const fn tag(self) -> &'static str {
        match self {
            Self::En => "en",
            Self::Es => "es",
        }
    }

    /// Its own name for itself.
    pub(crate) const fn own_name(self) -> &'static str {
        match self {
            Self::En => "English",
            Self::Es => "Español",
        }
    }

    /// The language of a tag, whatever region it names.
    pub(crate) fn from_tag(tag: &str) -> Option<Self> {
        let main = tag.split(['-', '_']).next().unwrap_or_default();
        Self::ALL.into_iter().find(|lang| lang.tag().eq_ignore_ascii_case(main))
    }
}

/// A word or sentence in every language.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Word {
    en: &'static str,
    es: &'static str,
}

impl Word {
    /// In a language.
    pub const fn of(self, lang: Lang) -> &'static str {
        match lang {
            Lang::En => self.en,
            Lang::Es => self.es,
        }
    }

    /// In a language, with the first `{}` replaced by what belongs there.
    pub fn with(self, lang: Lang, text: &str) -> String {
        self.of(lang).replacen("{}", text, 1)
    }
}

/// The word for a number of things: one, or more.
pub(crate) fn counted(lang: Lang, one: Word, many: Word, count: usize) -> String {
    if count == 1 { one.of(lang).to_owned() } else { many.with(lang, &count.to_string()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Words that are the same in both languages.
    #[rustfmt::skip]
    const SAME: &[&str] = &[
        "Ctrl K",
        "{} · Plummer",
        "{} s",
        "{} min",
        "{} h",
        "{} d",
        "p50",
        "p95",
        "p99",
        "JSON",
        "Normal",
    ];

    #[test]
    fn every_word_is_said_in_every_language() {
        for (name, word) in PARTS.concat() {
            assert!(!word.en.is_empty() && !word.es.is_empty(), "{name}");
            let same = word.en == word.es;
            assert!(!same || SAME.contains(&word.en), "{name} has no Spanish: {}", word.en);
            assert_eq!(word.en.matches("{}").count(), word.es.matches("{}").count(), "{name}");
        }
    }

    #[test]
    fn every_word_is_said_by_some_page() {
        let mut said = std::collections::HashSet::new();
        let own = std::path::Path::new(env!("CARGO_MANIFEST_DIR"));
        let mut folders = vec![own.join("src"), own.join("../server/src/smart")];
        while let Some(folder) = folders.pop() {
            for file in std::fs::read_dir(folder).expect("a folder") {
                let path = file.expect("a file").path();
                if path.is_dir() && !path.ends_with("words") {
                    folders.push(path);
                } else if path.extension().is_some_and(|ext| ext == "rs") {
                    let text = std::fs::read_to_string(path).expect("text");
                    let words = text.split(|c: char| !c.is_ascii_alphanumeric() && c != '_');
                    said.extend(words.map(str::to_owned));
                }
            }
        }
        for (name, _) in PARTS.concat() {
            assert!(said.contains(name), "no page says {name}");
        }
    }

    #[test]
    fn a_language_is_known_by_its_tag_whatever_the_region() {
        assert_eq!(Lang::from_tag("es-MX"), Some(Lang::Es));
        assert_eq!(Lang::from_tag("EN"), Some(Lang::En));
        assert_eq!(Lang::from_tag("fr"), None);
    }
}
