//! Where two answers differ: paths, never values, so that a report of leaks does not leak itself.

use crate::canon::Canonical;
use std::collections::BTreeMap;

/// Paths shown of one difference.
const PATHS_MAX: usize = 6;

/// The first paths at which two answers differ; empty when they are the same.
pub fn paths(a: &Canonical, b: &Canonical) -> Vec<String> {
    if a == b {
        return Vec::new();
    }
    let index =
        |of: &Canonical| -> BTreeMap<String, String> { of.leaves.iter().cloned().collect() };
    let (left, right) = (index(a), index(b));
    let mut out = Vec::new();
    let both = a.leaves.iter().chain(&b.leaves).map(|(path, _)| path);
    for path in both {
        let says = match (left.get(path), right.get(path)) {
            (Some(l), Some(r)) if l == r => continue,
            (Some(_), Some(_)) => path.clone(),
            (Some(_), None) => format!("{path} (only before)"),
            (None, _) => format!("{path} (only after)"),
        };
        if !out.contains(&says) {
            out.push(says);
        }
        if out.len() == PATHS_MAX {
            break;
        }
    }
    if out.is_empty() {
        out.push("the order of members".to_owned());
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(leaves: &[(&str, &str)]) -> Canonical {
        Canonical {
            leaves: leaves.iter().map(|(p, t)| ((*p).to_owned(), (*t).to_owned())).collect(),
        }
    }

    #[test]
    fn shows_paths_and_no_values() {
        let a = of(&[("status", "200"), ("total", "1"), ("entry[0].id", "secret")]);
        let b = of(&[("status", "200"), ("total", "0")]);
        assert_eq!(paths(&a, &b), ["total", "entry[0].id (only before)"]);
        assert_eq!(paths(&b, &a), ["total", "entry[0].id (only after)"]);
        assert_eq!(paths(&a, &a), Vec::<String>::new());
        let turned = of(&[("total", "1"), ("status", "200"), ("entry[0].id", "secret")]);
        assert_eq!(paths(&a, &turned), ["the order of members"]);
    }
}
