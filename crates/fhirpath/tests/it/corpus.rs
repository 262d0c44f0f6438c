//! Every expression of the R4 definitions parses and prints back; no text makes the parser panic.

use fhir::definitions::r4;
use fhirpath::parse;
use proptest::prelude::*;
use std::sync::LazyLock;

static EXPRESSIONS: LazyLock<Vec<&'static str>> = LazyLock::new(|| {
    let search = r4().search_parameters().iter().flat_map(|p| {
        std::iter::once(p.expression).chain(p.components.iter().map(|(_, expression)| *expression))
    });
    let invariants =
        r4().types().flat_map(|id| r4().get(id).invariants.iter().map(|i| i.expression));
    let mut all: Vec<_> = search.chain(invariants).filter(|e| !e.is_empty()).collect();
    all.sort_unstable();
    all.dedup();
    all
});

#[test]
fn all_expressions_of_r4_parse_and_print_back() {
    assert!(EXPRESSIONS.len() > 1500, "only {} expressions", EXPRESSIONS.len());
    for text in EXPRESSIONS.iter() {
        let expr = parse(text).unwrap_or_else(|fault| panic!("{text}: {fault}"));
        let printed = expr.to_string();
        assert_eq!(parse(&printed).as_ref(), Ok(&expr), "{text} was printed as {printed}");
    }
}

/// A real expression with a slice replaced by other text, some of it from the grammar.
pub(crate) fn mutated() -> impl Strategy<Value = String> {
    let insert = prop_oneof![
        Just(String::new()),
        "[-+*/&|.,()\\[\\]{}'`@%$<>=!~ 0-9a-zT:]{0,6}",
        prop::sample::select(vec![
            " is ", " as ", " div ", "$this", "{}", "@2015T", "1 'mg'", "\\u00e9"
        ])
        .prop_map(str::to_owned),
        any::<String>(),
    ];
    (0..EXPRESSIONS.len(), any::<prop::sample::Index>(), 0..8usize, insert).prop_map(
        |(which, at, length, insert)| {
            let chars: Vec<char> = EXPRESSIONS[which].chars().collect();
            let from = at.index(chars.len());
            let to = (from + length).min(chars.len());
            chars[..from]
                .iter()
                .copied()
                .chain(insert.chars())
                .chain(chars[to..].iter().copied())
                .collect()
        },
    )
}

proptest! {
    #[test]
    fn any_text_gives_a_tree_or_a_fault(text in any::<String>()) {
        if let Ok(expr) = parse(&text) {
            prop_assert_eq!(parse(&expr.to_string()), Ok(expr));
        }
    }

    #[test]
    fn a_damaged_expression_gives_a_tree_or_a_fault(text in mutated()) {
        if let Ok(expr) = parse(&text) {
            prop_assert_eq!(parse(&expr.to_string()), Ok(expr));
        }
    }
}
