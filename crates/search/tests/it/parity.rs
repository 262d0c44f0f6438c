//! Extraction against the FHIRPath evaluator: for every parameter of every type, the entries of its
//! atoms are the conversions of what its expression evaluates to, over HL7's examples and a sample
//! of Synthea's patients.

#![expect(clippy::print_stderr, reason = "the test says how much it compared")]

use crate::data;
use base::{Limits, Millis};
use fhir::definitions::{SearchKind, SearchParameter, TypeId, r4};
use fhir::json::{Document, Value};
use fhirpath::ast::{TypeForm, TypeOp};
use fhirpath::{Context, Expr, Item, Program};
use search::entry::EntryValue;
use search::extract::{convert, extract};
use search::registry::{Parameter, Shape, registry};
use std::collections::{BTreeMap, BTreeSet, HashMap};

/// Resources of the Synthea sample.
const SAMPLE: usize = 4000;

type Definitions = HashMap<TypeId, BTreeMap<&'static str, Vec<(&'static str, Program)>>>;

/// Every parameter's definitions with their compiled expressions, by type and name.
fn definitions() -> Definitions {
    let mut all = Definitions::new();
    for definition in r4().search_parameters() {
        if definition.expression.is_empty() || definition.kind == SearchKind::Composite {
            continue;
        }
        for of in bases(definition) {
            let expr = fhirpath::parse(definition.expression).expect("it parses");
            let by_code = all.entry(of).or_default().entry(definition.code).or_default();
            // Part by part: a union drops values that are equal as quantities (`60` and `>60`), which
            // the index keeps apart.
            for part in expr.union_parts() {
                let program = Program::of(&every_as(part.clone())).expect("it compiles");
                by_code.push((definition.url, program));
            }
        }
    }
    all
}

/// Reads `as` as `ofType`: FHIRPath's `as` refuses several items, and the specification's expressions
/// use it on them (`Observation.component.value as Quantity`).
fn every_as(expr: Expr) -> Expr {
    let inner = |of: Option<Box<Expr>>| of.map(|of| Box::new(every_as(*of)));
    match expr {
        Expr::Type { op: TypeOp::As, of, specifier, .. } => {
            Expr::Type { op: TypeOp::OfType, form: TypeForm::Function, of: inner(of), specifier }
        }
        Expr::Member { of, name } => Expr::Member { of: inner(of), name },
        Expr::Function { of, name, args } => Expr::Function { of: inner(of), name, args },
        Expr::Item { of, index } => Expr::Item { of: Box::new(every_as(*of)), index },
        Expr::Binary { op, left, right } => {
            let (left, right) = (Box::new(every_as(*left)), Box::new(every_as(*right)));
            Expr::Binary { op, left, right }
        }
        other => other,
    }
}

fn bases(definition: &SearchParameter) -> Vec<TypeId> {
    let applies = |of: TypeId| {
        definition.base.iter().any(|b| r4().type_id(b).is_some_and(|base| r4().is_a(of, base)))
    };
    r4().resource_types().map(|(of, _)| of).filter(|of| applies(*of)).collect()
}

/// What both sides are compared as. The system of a plain `code` is left out: it stands in the
/// definitions, not in the data.
fn key(value: &EntryValue<'_>, plain: bool) -> String {
    match value {
        EntryValue::Token { code, text: None, .. } if plain => format!("code {code}"),
        other => format!("{other:?}"),
    }
}

/// Whether a target is one the parameter may point at, as `where(resolve() is T)` says. Of other
/// addresses neither side can know.
fn kept(parameter: &Parameter, value: &EntryValue<'_>) -> bool {
    match value {
        EntryValue::Reference { resource_type, .. } => {
            parameter.targets.iter().any(|t| r4().name(*t) == *resource_type)
        }
        EntryValue::Address(_) => parameter.targets.len() != 1,
        _ => true,
    }
}

fn shapes(kind: SearchKind) -> &'static [Shape] {
    match kind {
        SearchKind::Token => &[Shape::Token, Shape::Identifier],
        SearchKind::String => &[Shape::String],
        SearchKind::Date => &[Shape::Date],
        SearchKind::Number => &[Shape::Number],
        SearchKind::Quantity => &[Shape::Quantity],
        SearchKind::Uri => &[Shape::Uri],
        SearchKind::Reference => &[Shape::Reference],
        SearchKind::Composite | SearchKind::Special => &[],
    }
}

/// What an evaluated item yields.
fn yields<'a>(item: &Item<'a>, parameter: &Parameter, mut push: impl FnMut(EntryValue<'a>)) {
    let node = match item {
        Item::Node(node) => node,
        Item::Boolean(truth) => {
            let code = if *truth { "true" } else { "false" }.into();
            return push(EntryValue::Token { system: "".into(), code, text: None });
        }
        other => panic!("{}: {other:?} is no place in a resource", parameter.code),
    };
    let Some(value) = node.value() else { return };
    let (mut value, mut of) = (value, node.type_id());
    if node.type_name() == "Extension" {
        let extension = r4().get(of);
        let found = value.members().find(|(name, _)| name.starts_with("value"));
        let Some((name, inner)) = found else { return };
        (value, of) = (inner, extension.member(name).expect("a choice of value[x]").of.id);
    }
    // The evaluator knows a resource in a bundle by its own type.
    let resource = r4().type_id("Resource").expect("Resource");
    if r4().is_a(of, resource) {
        of = resource;
    }
    for shape in shapes(parameter.kind) {
        convert(value, of, *shape, &mut push);
    }
}

#[derive(Default)]
struct Tally {
    resources: usize,
    values: usize,
    compared: BTreeSet<(&'static str, &'static str)>,
    differences: Vec<String>,
}

fn compare(root: Value<'_>, definitions: &Definitions, tally: &mut Tally, name: &str) {
    let Some(of) = root.get_str("resourceType").and_then(|t| r4().resource_type(&t)) else {
        return;
    };
    tally.resources += 1;
    let mut entries = Vec::new();
    extract(root, of, &mut entries);
    let context = Context::new(root, Millis(0));
    let input = [Item::Node(fhirpath::Node::resource(root).expect("a resource"))];
    for parameter in registry().parameters(of) {
        let Some(programs) = definitions.get(&of).and_then(|d| d.get(parameter.code)) else {
            continue;
        };
        if matches!(parameter.code, "_id" | "_lastUpdated") {
            continue;
        }
        let (mut expected, mut plain) = (Vec::new(), false);
        for (url, program) in programs {
            let items = program.evaluate(&context, &input).unwrap_or_else(|f| panic!("{url}: {f}"));
            for item in &items {
                plain |= matches!(item, Item::Node(node) if node.is_primitive());
                yields(item, parameter, |value| expected.push(value));
            }
        }
        let of_parameter = |value: &&EntryValue<'_>| kept(parameter, value);
        let expected: BTreeSet<String> =
            expected.iter().filter(of_parameter).map(|v| key(v, plain)).collect();
        let found: BTreeSet<String> = entries
            .iter()
            .filter(|e| parameter.atoms.contains(&e.atom))
            .map(|e| &e.value)
            .filter(of_parameter)
            .map(|v| key(v, plain))
            .collect();
        tally.values += expected.len();
        if !expected.is_empty() {
            tally.compared.insert((r4().name(of), parameter.code));
        }
        if expected != found && tally.differences.len() < 40 {
            let place = format!("{name} {}.{}", r4().name(of), parameter.code);
            tally.differences.push(format!("{place}: evaluated {expected:?}, extracted {found:?}"));
        }
    }
}

fn report(what: &str, tally: &Tally) {
    eprintln!(
        "{what}: {} resources, {} values of {} parameters compared",
        tally.resources,
        tally.values,
        tally.compared.len()
    );
    assert!(tally.differences.is_empty(), "{}", tally.differences.join("\n"));
}

#[test]
fn extraction_equals_evaluation_over_the_examples() {
    let (definitions, mut tally) = (definitions(), Tally::default());
    let found = data::archive("fhir/hl7-r4-examples.tar.gz", |name, text| {
        if let Ok(document) = Document::parse_text(text, &Limits::default()) {
            compare(document.root(), &definitions, &mut tally, name);
        }
        true
    });
    if found.is_some() {
        report("examples", &tally);
        assert_eq!(tally.resources, 721);
        assert!(tally.compared.len() > 900, "{}", tally.compared.len());
    }
}

#[test]
fn extraction_equals_evaluation_over_synthea() {
    let (definitions, mut tally) = (definitions(), Tally::default());
    let found = data::archive("synthea/synthea-r4-uscore-120p.tar.zst", |name, text| {
        let bundle = Document::parse_text(text, &Limits::default()).expect("a bundle");
        for entry in bundle.root().get("entry").expect("entries").items() {
            let text = entry.get("resource").expect("a resource").raw().to_owned();
            let resource = Document::parse_text(text, &Limits::default()).expect("a resource");
            compare(resource.root(), &definitions, &mut tally, name);
        }
        tally.resources < SAMPLE
    });
    if found.is_some() {
        report("synthea", &tally);
        assert!(tally.resources >= SAMPLE);
    }
}
