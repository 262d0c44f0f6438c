//! How fast programs evaluate: `cargo run --release -p fhirpath --example fhirpath_rate -- RESOURCE.json EXPRESSION…`
//! prints nanoseconds per evaluation of each expression, or of every search expression and invariant
//! of the resource's type when none is given.

use base::{Limits, Millis};
use fhir::definitions::r4;
use fhir::{Document, Value};
use fhirpath::{Context, Item, Program};
use std::time::Instant;

const ROUNDS: u32 = 2_000;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1);
    let path = arguments.next().ok_or("a file with a resource is needed")?;
    let document = Document::parse(std::fs::read(path)?, &Limits::default())?;
    let mut expressions: Vec<String> = arguments.collect();
    if expressions.is_empty() {
        expressions = of_type(document.root());
    }
    let item = Item::resource(document.root()).ok_or("the file holds no resource")?;
    let mut all = 0;
    for expression in &expressions {
        let program = Program::compile(expression)?;
        let context = Context::new(document.root(), Millis(0));
        let begin = Instant::now();
        let mut found = 0;
        for _ in 0..ROUNDS {
            found += program.evaluate(&context, std::slice::from_ref(&item))?.len();
        }
        let each = begin.elapsed().as_nanos() / u128::from(ROUNDS);
        all += each;
        print(&format!("{each:8} ns  {:3} items  {expression}", found / 2_000));
    }
    print(&format!("{all:8} ns for all {}", expressions.len()));
    Ok(())
}

fn of_type(resource: Value<'_>) -> Vec<String> {
    let name = resource.get_str("resourceType").unwrap_or_default();
    let search = r4().search_parameters().iter().filter(|p| p.base.iter().any(|b| *b == name));
    let search = search.map(|p| p.expression).filter(|e| !e.is_empty());
    let invariants = r4().named(&name).into_iter().flat_map(|def| &def.invariants);
    let invariants = invariants.filter(|i| i.path.is_empty()).map(|i| i.expression);
    search.chain(invariants).map(str::to_owned).collect()
}

#[expect(clippy::print_stdout, reason = "a tool that prints its result")]
fn print(line: &str) {
    println!("{line}");
}
