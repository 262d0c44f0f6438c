//! Trees made at random, deep and mostly well typed: they print, parse back equal, and give items or a
//! fault.

use crate::evaluate::{PATIENT, on};
use fhirpath::ast::{BinaryOp, Literal, TypeForm, TypeOp, TypeSpecifier, UnaryOp, Unit};
use fhirpath::{Expr, parse};
use proptest::prelude::*;
use proptest::sample::select;

const NAMES: [&str; 14] = [
    "Patient",
    "name",
    "given",
    "birthDate",
    "multipleBirth",
    "contained",
    "managingOrganization",
    "generalPractitioner",
    "reference",
    "extension",
    "value",
    "id",
    "div",
    "strange name",
];

const FUNCTIONS: [(&str, usize); 50] = [
    ("where", 1),
    ("select", 1),
    ("exists", 0),
    ("exists", 1),
    ("all", 1),
    ("empty", 0),
    ("count", 0),
    ("not", 0),
    ("first", 0),
    ("last", 0),
    ("tail", 0),
    ("skip", 1),
    ("take", 1),
    ("single", 0),
    ("distinct", 0),
    ("isDistinct", 0),
    ("union", 1),
    ("combine", 1),
    ("intersect", 1),
    ("exclude", 1),
    ("subsetOf", 1),
    ("repeat", 1),
    ("sort", 1),
    ("aggregate", 2),
    ("iif", 3),
    ("children", 0),
    ("descendants", 0),
    ("resolve", 0),
    ("hasValue", 0),
    ("getValue", 0),
    ("type", 0),
    ("toString", 0),
    ("toInteger", 0),
    ("toDecimal", 0),
    ("toQuantity", 0),
    ("toDateTime", 0),
    ("substring", 2),
    ("matches", 1),
    ("replace", 2),
    ("replaceMatches", 2),
    ("split", 1),
    ("join", 1),
    ("indexOf", 1),
    ("length", 0),
    ("round", 1),
    ("power", 1),
    ("abs", 0),
    ("lowBoundary", 0),
    ("highBoundary", 1),
    ("precision", 0),
];

fn literal() -> impl Strategy<Value = Literal> {
    let text = |options: &'static [&'static str]| select(options).prop_map(str::to_owned);
    let number =
        || text(&["0", "1.50", "0.1", "170141183460469231731687303715884", "9999999999.99"]);
    prop_oneof![
        any::<bool>().prop_map(Literal::Boolean),
        "[a-z'\\\\\n ]{0,4}".prop_map(Literal::String),
        select(&[0, 1, 2, 7, 2_147_483_647, i64::MAX][..]).prop_map(Literal::Integer),
        text(&["1.50", "0.1", "34028236692093846346337460743176.8"]).prop_map(Literal::Decimal),
        text(&["2015", "2015-02", "9999-12-31", "0001-01-01"]).prop_map(Literal::Date),
        text(&[
            "2015T",
            "2015-02-04T14",
            "0001-01-01T00:00:00+14:00",
            "9999-12-31T23:59:59.999-12:00"
        ])
        .prop_map(Literal::DateTime),
        text(&["14", "14:34", "23:59:59.999999999"]).prop_map(Literal::Time),
        (number(), text(&["mg", "kg/m2", "[in_i]", "10*3/uL", "mo", "nonsense"]))
            .prop_map(|(value, unit)| Literal::Quantity { value, unit: Unit::Ucum(unit) }),
        (number(), text(&["years", "month", "days", "hours", "milliseconds"]))
            .prop_map(|(value, unit)| Literal::Quantity { value, unit: Unit::Calendar(unit) }),
    ]
}

fn specifier() -> impl Strategy<Value = TypeSpecifier> {
    let namespace = select(vec![None, Some("FHIR"), Some("System")]);
    let name = select(vec!["Patient", "string", "String", "Quantity", "date", "Resource"]);
    (namespace, name).prop_map(|(namespace, name)| TypeSpecifier {
        namespace: namespace.map(str::to_owned),
        name: name.to_owned(),
    })
}

fn boxed(of: Expr) -> Box<Expr> {
    Box::new(of)
}

fn tree() -> impl Strategy<Value = Expr> {
    use BinaryOp::*;
    let operators = vec![
        Multiply,
        Divide,
        Div,
        Mod,
        Add,
        Subtract,
        Concatenate,
        Union,
        LessOrEqual,
        Less,
        Greater,
        GreaterOrEqual,
        Equal,
        Equivalent,
        NotEqual,
        NotEquivalent,
        In,
        Contains,
        And,
        Or,
        Xor,
        Implies,
    ];
    let member = |of: Option<Box<Expr>>, name: &str| Expr::Member { of, name: name.to_owned() };
    let leaf = prop_oneof![
        3 => literal().prop_map(Expr::Literal),
        4 => select(NAMES.to_vec()).prop_map(move |name| member(None, name)),
        2 => Just(Expr::This),
        1 => select(vec![Expr::Empty, Expr::Index, Expr::Total]),
        1 => select(vec!["resource", "context", "vs-x", "no such"]).prop_map(|n| Expr::External(n.into())),
    ];
    leaf.prop_recursive(8, 64, 4, move |inner| {
        let function = (
            prop::option::of(inner.clone().prop_map(boxed)),
            select(FUNCTIONS.to_vec()),
            prop::collection::vec(inner.clone(), 3),
        );
        prop_oneof![
            3 => (inner.clone(), select(NAMES.to_vec()))
                .prop_map(move |(of, name)| member(Some(boxed(of)), name)),
            5 => function.prop_map(|(of, (name, arguments), args)| Expr::Function {
                of,
                name: name.to_owned(),
                args: args.into_iter().take(arguments).collect(),
            }),
            4 => (select(operators.clone()), inner.clone(), inner.clone()).prop_map(
                |(op, left, right)| Expr::Binary { op, left: boxed(left), right: boxed(right) }
            ),
            1 => (inner.clone(), inner.clone())
                .prop_map(|(of, index)| Expr::Item { of: boxed(of), index: boxed(index) }),
            1 => (select(vec![UnaryOp::Plus, UnaryOp::Minus]), inner.clone())
                .prop_map(|(op, of)| Expr::Unary { op, of: boxed(of) }),
            2 => (select(vec![TypeOp::Is, TypeOp::As]), inner.clone(), specifier()).prop_map(
                |(op, of, specifier)| {
                    Expr::Type { op, form: TypeForm::Operator, of: Some(boxed(of)), specifier }
                }
            ),
            1 => (
                select(vec![TypeOp::Is, TypeOp::As, TypeOp::OfType]),
                prop::option::of(inner.prop_map(boxed)),
                specifier(),
            )
                .prop_map(|(op, of, specifier)| Expr::Type {
                    op,
                    form: TypeForm::Function,
                    of,
                    specifier
                }),
        ]
    })
}

proptest! {
    #[test]
    fn any_tree_prints_and_evaluates(expr in tree()) {
        let text = expr.to_string();
        match parse(&text) {
            Ok(again) => prop_assert_eq!(again, expr, "{}", text),
            Err(fault) => prop_assert!(fault.to_string().contains("too"), "{}: {}", text, fault),
        }
        let _ = on(PATIENT, &text);
    }
}
