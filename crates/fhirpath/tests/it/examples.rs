//! All search parameters and invariants of R4 over HL7's R4 examples.

use crate::data;
use base::{Limits, Millis};
use fhir::Document;
use fhir::definitions::{TypeId, r4};
use fhirpath::{Context, Item, Program};
use std::collections::{BTreeMap, BTreeSet, HashMap};

const NOW: Millis = Millis(1_795_341_600_000);

fn examples() -> Option<Vec<Document>> {
    let path = data::find("fhir/hl7-r4-examples.tar.gz")?;
    let files = data::unpack(&path);
    let limits = Limits::default();
    let documents = files
        .into_iter()
        .filter(|(name, _)| name.ends_with(".json"))
        .filter_map(|(_, bytes)| Document::parse(bytes, &limits).ok())
        .filter(|document| Item::resource(document.root()).is_some())
        .collect::<Vec<_>>();
    assert!(documents.len() > 600, "only {} examples", documents.len());
    Some(documents)
}

#[test]
fn all_search_expressions_evaluate_on_all_examples() {
    let Some(documents) = examples() else { return };
    let expressions: BTreeSet<&str> = r4()
        .search_parameters()
        .iter()
        .map(|p| p.expression)
        .filter(|expression| !expression.is_empty())
        .collect();
    let programs: Vec<(&str, Program)> =
        expressions.iter().map(|text| (*text, Program::compile(text).unwrap())).collect();
    let mut used = BTreeSet::new();
    for document in &documents {
        let resource = document.root();
        let context = Context::new(resource, NOW);
        let input = [Item::resource(resource).unwrap()];
        for (text, program) in &programs {
            match program.evaluate(&context, &input) {
                Ok(items) if items.is_empty() => {}
                Ok(_) => drop(used.insert(*text)),
                Err(fault) => panic!("{text} on {}: {fault}", input[0].type_name().name),
            }
        }
    }
    assert!(used.len() > 1000, "only {} search expressions find anything", used.len());
}

/// Every place of a resource with the invariants of its type and those stated on it by its parent.
fn check<'a>(
    context: &Context<'a>,
    item: &Item<'a>,
    programs: &'a HashMap<&'static str, Program>,
    broken: &mut BTreeMap<&'static str, usize>,
) -> usize {
    let node = item.node().unwrap();
    let mut checked = 0;
    let mut here: Vec<TypeId> = Vec::new();
    let mut at = Some(node.type_id());
    while let Some(id) = at {
        here.push(id);
        at = r4().get(id).base;
    }
    for id in here {
        for invariant in r4().get(id).invariants.iter().filter(|i| i.is_error) {
            let places = match invariant.path {
                "" => std::iter::once(item.clone()).collect(),
                path => programs[path].evaluate(context, std::slice::from_ref(item)).unwrap(),
            };
            for place in &places {
                checked += 1;
                let input = std::slice::from_ref(place);
                match programs[invariant.expression].holds(context, input) {
                    Ok(true) => {}
                    Ok(false) => *broken.entry(invariant.key).or_default() += 1,
                    Err(fault) => panic!("{}: {fault} at {}", invariant.key, node.path()),
                }
            }
        }
    }
    let children = programs["children()"].evaluate(context, std::slice::from_ref(item)).unwrap();
    for child in &children {
        let is_resource = r4().resource_type(child.type_name().name).is_some();
        let resource = child.node().and_then(fhirpath::Node::value).filter(|_| is_resource);
        let mut inner = Context { resource: resource.or(context.resource), ..*context };
        // A resource in a bundle is its own root; a contained one has that of its container.
        if resource.is_some_and(|r| !r.path().ends_with(']') || !r.path().contains("contained[")) {
            inner.root = resource;
        }
        checked += check(&inner, child, programs, broken);
    }
    checked
}

#[test]
fn invariants_hold_on_all_examples() {
    let Some(documents) = examples() else { return };
    let invariants = || r4().types().flat_map(|id| &r4().get(id).invariants);
    // `div` is an operator unless it stands in backticks.
    let paths = invariants()
        .map(|i| (i.path, format!("`{}`", i.path.replace("[x]", "").replace('.', "`.`"))));
    let expressions = invariants().map(|i| (i.expression, i.expression.to_owned()));
    let children = [("children()", "children()".to_owned())];
    let programs: HashMap<&'static str, Program> = paths
        .filter(|(path, _)| !path.is_empty())
        .chain(expressions)
        .chain(children)
        .map(|(key, text)| {
            (key, Program::compile(&text).unwrap_or_else(|fault| panic!("{text}: {fault}")))
        })
        .collect();
    let mut broken = BTreeMap::new();
    let mut checked = 0;
    for document in &documents {
        let context = Context::new(document.root(), NOW);
        let item = Item::resource(document.root()).unwrap();
        checked += check(&context, &item, &programs, &mut broken);
    }
    assert!(checked > 200_000, "only {checked} invariants were checked");
    // Four of the examples have a narrative of white space only.
    assert_eq!(broken, BTreeMap::from([("txt-1", 4), ("txt-2", 4)]));
}
