//! What people are called: a table of our own of given names and their short and familiar forms,
//! English and Spanish, both ways. Bill finds William, William finds Bill, and Bill finds Billy.

use std::collections::{BTreeSet, HashMap};
use std::sync::LazyLock;

/// One given name a line, a colon, and what its bearers are called. Folded, small letters.
const TABLE: &str = include_str!("nicknames.txt");

static RELATED: LazyLock<HashMap<&'static str, Vec<&'static str>>> = LazyLock::new(build);

/// The names that somebody of this name may be recorded under, itself left out, in the order of the
/// alphabet. The name is given squeezed ([`super::squeeze`]).
pub fn related(name: &str) -> &'static [&'static str] {
    RELATED.get(name).map_or(&[], Vec::as_slice)
}

/// Whether two squeezed names are forms of one.
pub fn are_related(one: &str, other: &str) -> bool {
    related(one).contains(&other)
}

fn build() -> HashMap<&'static str, Vec<&'static str>> {
    let mut sets: HashMap<&'static str, BTreeSet<&'static str>> = HashMap::new();
    for line in lines() {
        for one in &line {
            let others = line.iter().filter(|other| *other != one);
            sets.entry(one).or_default().extend(others);
        }
    }
    sets.into_iter().map(|(name, set)| (name, set.into_iter().collect())).collect()
}

fn lines() -> impl Iterator<Item = Vec<&'static str>> {
    let lines = TABLE.lines().filter(|line| !line.starts_with('#') && !line.is_empty());
    lines.map(|line| line.split([':', ' ']).filter(|name| !name.is_empty()).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::people::squeeze;

    #[test]
    fn nicknames_work_both_ways() {
        for (one, other) in [
            ("bill", "william"),
            ("peggy", "margaret"),
            ("pepe", "jose"),
            ("paco", "francisco"),
            ("liz", "elizabeth"),
            ("chuy", "jesus"),
            ("jack", "john"),
            ("concha", "concepcion"),
            ("bill", "billy"),
        ] {
            assert!(are_related(one, other) && are_related(other, one), "{one} {other}");
        }
        assert!(!are_related("bill", "bill") && !are_related("bill", "robert"));
        assert!(related("nobodyiscalledso").is_empty());
    }

    #[test]
    fn the_table_is_folded_and_of_several_hundred_pairs() {
        let mut pairs = 0;
        for line in lines() {
            assert!(line.len() > 1, "{line:?}");
            pairs += line.len() - 1;
            for name in &line {
                assert_eq!(squeeze(name), *name);
            }
            let set: BTreeSet<_> = line.iter().collect();
            assert_eq!(set.len(), line.len(), "a name stands twice in {line:?}");
        }
        assert!(pairs > 500, "{pairs}");
    }

    #[test]
    fn no_name_has_so_many_forms_that_a_search_for_them_is_dear() {
        let most = RELATED.values().map(Vec::len).max().unwrap();
        assert!(most <= 48, "{most}");
    }
}
