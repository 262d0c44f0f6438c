//! The faults of a query. They name parameters, never values; a name that is no name is not
//! repeated either.

use super::Options;
use base::Fault;
use base::error::code;
use fhir::definitions::{TypeId, r4};

pub(super) fn value(name: &str, what: &str) -> Fault {
    Fault::new(&code::SEARCH_VALUE, format!("the search parameter {} {what}", shown(name)))
}

pub(super) fn result(name: &str, what: &str) -> Fault {
    Fault::new(&code::SEARCH_RESULT_PARAMETER, format!("the parameter {} {what}", shown(name)))
}

pub(super) fn chain(name: &str, what: &str) -> Fault {
    Fault::new(&code::SEARCH_CHAIN, format!("the search parameter {} {what}", shown(name)))
}

pub(super) fn prefix(name: &str) -> Fault {
    let what = "begins with a prefix that is not one of eq, ne, gt, lt, ge, le, sa, eb, ap";
    Fault::new(&code::SEARCH_PREFIX, format!("the value of {} {what}", shown(name)))
}

pub(super) fn too_many(what: &str) -> Fault {
    Fault::new(&code::SEARCH_TOO_MANY, format!("the search has {what}"))
}

pub(super) fn unsupported(name: &str) -> Fault {
    let text = format!("this server does not support the search parameter {}", shown(name));
    Fault::new(&code::SEARCH_PARAMETER_UNKNOWN, text)
}

pub(super) fn modifier(name: &str, modifier: &str, supported: &[&str]) -> Fault {
    let supported = match supported {
        [] => "it takes none".to_owned(),
        some => format!("it takes :{}", some.join(", :")),
    };
    let text = format!(
        "{} cannot be used with the modifier :{}; {supported}",
        shown(name),
        shown(modifier)
    );
    Fault::new(&code::SEARCH_MODIFIER, text)
}

/// An unknown parameter, with the names that look like it.
pub(super) fn unknown(of: Option<TypeId>, name: &str, options: &Options) -> Fault {
    let Some(of) = of else {
        let what =
            "is not defined for all types; a search of several types takes parameters they share";
        let text = format!("the search parameter {} {what} (name them with _type)", shown(name));
        return Fault::new(&code::SEARCH_PARAMETER_UNKNOWN, text);
    };
    let mut near: Vec<(usize, &str)> = options
        .parameters(of)
        .map(|p| (distance(name, p.code), p.code))
        .filter(|(d, code)| *d <= 1 + code.len() / 4)
        .collect();
    near.sort_unstable();
    let near: Vec<&str> = near.into_iter().take(3).map(|(_, code)| code).collect();
    let hint = match near.as_slice() {
        [] => String::new(),
        some => format!(" Did you mean {}?", some.join(" or ")),
    };
    Fault::new(
        &code::SEARCH_PARAMETER_UNKNOWN,
        format!(
            "{} has no search parameter {}.{hint} The CapabilityStatement (/metadata) lists them all",
            r4().name(of),
            shown(name)
        ),
    )
}

/// A name as far as it is one.
fn shown(name: &str) -> &str {
    let plain = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-' | b':' | b'.' | b'*');
    if (1..=200).contains(&name.len()) && name.bytes().all(plain) { name } else { "(no name)" }
}

/// Edits between two names without regard to case; names too long to be meant are far from all.
fn distance(a: &str, b: &str) -> usize {
    if a.len() > 64 {
        return usize::MAX;
    }
    let b: Vec<char> = b.to_lowercase().chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, c) in a.to_lowercase().chars().enumerate() {
        let mut next = vec![i + 1];
        for ((j, d), pair) in b.iter().enumerate().zip(row.windows(2)) {
            let [diagonal, above] = pair else { continue };
            let left = next.get(j).copied().unwrap_or(usize::MAX - 1);
            next.push((diagonal + usize::from(c != *d)).min(above + 1).min(left + 1));
        }
        row = next;
    }
    row.last().copied().unwrap_or(usize::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn suggests_what_was_meant_and_repeats_no_nonsense() {
        let of = r4().resource_type("Patient").unwrap();
        let options = Options {
            lenient: false,
            limits: base::Limits::default(),
            now: base::Millis(0),
            base_url: None,
            conditional: false,
            hidden: None,
        };
        let unknown = |name| unknown(Some(of), name, &options);
        assert!(unknown("brithdate").to_string().contains("Did you mean birthdate?"));
        assert!(unknown("qqqqqq").to_string().contains("qqqqqq. The"));
        assert!(!unknown("Ada Lovelace").to_string().contains("Ada"));
        assert_eq!((distance("abc", "abc"), distance("abc", "acb"), distance("", "ab")), (0, 2, 2));
    }
}
