//! What the evaluator promises beyond HL7's suite: types of choices, siblings of primitives, references
//! with and without a resolver, bounds, and that no expression makes it panic.

use crate::corpus::mutated;
use base::error::code;
use base::{Fault, Limits, Millis};
use fhir::{Document, Value};
use fhirpath::{Collection, Context, EvaluateLimits, Item, Program, Resolver, Terminology};
use proptest::prelude::*;

const NOW: Millis = Millis(1_795_341_600_000);

pub(crate) const PATIENT: &str = r##"{"resourceType":"Patient","id":"p",
  "contained":[{"resourceType":"Organization","id":"o","name":"Clinic"}],
  "name":[{"given":["Ada",null],"_given":[null,{"extension":[{"url":"urn:x","valueCode":"masked"}]}]}],
  "birthDate":"1815-12-10","_birthDate":{"extension":[{"url":"urn:t","valueDateTime":"1815-12-10T10:00:00Z"}]},
  "multipleBirthInteger":2,
  "managingOrganization":{"reference":"#o"},
  "generalPractitioner":[{"reference":"Practitioner/1"},{"reference":"https://x.example/fhir/Organization/2"},
    {"type":"PractitionerRole","identifier":{"value":"7"}},{"reference":"urn:uuid:1"}]}"##;

fn document(text: &str) -> Document {
    Document::parse_text(text.to_owned(), &Limits::default()).unwrap()
}

fn texts(items: &Collection<'_>) -> Vec<String> {
    items.iter().map(|i| i.to_text().map_or("?".to_owned(), |t| t.into_owned())).collect()
}

pub(crate) fn on(json: &str, expression: &str) -> Result<Vec<String>, Fault> {
    let document = document(json);
    let program = Program::compile(expression)?;
    let input = [Item::resource(document.root()).unwrap()];
    program.evaluate(&Context::new(document.root(), NOW), &input).map(|items| texts(&items))
}

fn patient(expression: &str) -> Vec<String> {
    on(PATIENT, expression).unwrap_or_else(|fault| panic!("{expression}: {fault}"))
}

#[test]
fn choices_and_siblings_have_their_types() {
    assert_eq!(patient("multipleBirth"), ["2"]);
    assert_eq!(patient("multipleBirth.type().name"), ["integer"]);
    assert_eq!(patient("multipleBirth.ofType(boolean)"), [""; 0]);
    assert_eq!(patient("name.given.count()"), ["2"]);
    assert_eq!(patient("name.given.where(hasValue())"), ["Ada"]);
    assert_eq!(patient("name.given[1].extension('urn:x').value"), ["masked"]);
    assert_eq!(patient("birthDate.extension.value.type().name"), ["dateTime"]);
    assert_eq!(patient("birthDate.hasExtension('urn:t')"), ["true"]);
    assert_eq!(patient("birthDate.getValue() is Date"), ["true"]);
    assert_eq!(patient("contained.name"), ["Clinic"]);
    assert_eq!(patient("Observation.value | Patient.birthDate"), ["1815-12-10"]);
    assert_eq!(patient("descendants().ofType(code)"), ["masked"]);
    assert_eq!(patient("name.given.extension.value.select(code)"), [""; 0]);
    assert_eq!(patient("name.select(HumanName.given).where(hasValue())"), ["Ada"]);
}

#[test]
fn references_are_decided_without_a_resolver_where_their_text_allows() {
    let is = |type_name: &str| {
        patient(&format!("generalPractitioner.where(resolve() is {type_name}).count()"))
    };
    assert_eq!(is("Practitioner"), ["1"]);
    assert_eq!(is("Organization"), ["1"]);
    assert_eq!(is("PractitionerRole"), ["1"]);
    assert_eq!(is("Resource"), ["3"]);
    assert_eq!(patient("managingOrganization.resolve().name"), ["Clinic"]);
    assert_eq!(patient("managingOrganization.resolve() is Organization"), ["true"]);
    assert_eq!(patient("generalPractitioner.resolve().count()"), ["0"]);
}

#[test]
fn a_primitive_without_a_value_is_no_operand() {
    for expression in [
        "name.given[1].startsWith('A')",
        "name.given[1] + 'x'",
        "name.given[1] > 'x'",
        "name.given[1].toInteger()",
        "name.given[1].convertsToString()",
        "name.given[1] in ('x' | 'y')",
        "name.given[1] and true",
    ] {
        assert_eq!(patient(expression), [""; 0], "{expression}");
    }
    assert_eq!(patient("name.given[1].exists()"), ["true"]);
    assert_eq!(patient("name.given[1] & 'x'"), ["x"]);
    assert_eq!(patient("name.given.join('-')"), ["Ada"]);
}

#[derive(Debug)]
struct OnePractitioner(Document);

impl Resolver for OnePractitioner {
    fn resolve(&self, reference: &str) -> Option<Value<'_>> {
        (reference == "Practitioner/1").then(|| self.0.root())
    }
}

#[derive(Debug)]
struct OneCode;

impl Terminology for OneCode {
    fn member_of(&self, item: &Item<'_>, value_set: &str) -> Result<Option<bool>, Fault> {
        Ok(item.as_text().map(|code| value_set == "urn:vs" && code == "masked"))
    }
}

#[test]
fn the_context_answers_what_lies_outside() {
    let resolver = OnePractitioner(document(r#"{"resourceType":"Practitioner","active":true}"#));
    let document = document(PATIENT);
    let three = [Item::Integer(3)];
    let variables = [("three", three.as_slice())];
    let context = Context {
        resolver: Some(&resolver),
        terminology: Some(&OneCode),
        variables: &variables,
        ..Context::new(document.root(), NOW)
    };
    let input = [Item::resource(document.root()).unwrap()];
    for (expression, expected) in [
        ("generalPractitioner.resolve().active", "true"),
        ("%three + 1", "4"),
        ("now()", "2026-11-22T10:00:00.000Z"),
        ("today()", "2026-11-22"),
        ("timeOfDay()", "10:00:00.000"),
        ("name.given.extension.value.memberOf('urn:vs')", "true"),
        ("%resource.id & %rootResource.id & %context.id", "ppp"),
    ] {
        let program = Program::compile(expression).unwrap();
        assert_eq!(texts(&program.evaluate(&context, &input).unwrap()), [expected], "{expression}");
    }
    for bad in ["name.given.first().memberOf('urn:vs')", "%nothing"] {
        let fault = on(PATIENT, bad).unwrap_err();
        assert_eq!(fault.code().name, code::FHIRPATH_TYPE.name, "{bad}");
    }
}

#[test]
fn programs_are_shared_between_threads() {
    fn shared<T: Send + Sync>(_: &T) {}
    shared(&Program::compile("name.given.matches('a')").unwrap());
}

#[test]
fn arithmetic_overflows_to_nothing() {
    assert_eq!(patient("2147483647 + 1"), [""; 0]);
    assert_eq!(patient("1 / 0"), [""; 0]);
    assert_eq!(patient("0.1 + 0.2"), ["0.3"]);
    assert_eq!(patient("@9999-12-31 + 1 day"), [""; 0]);
}

#[test]
fn a_broken_invariant_is_seen() {
    let obs = |json: &str| {
        let document = document(json);
        let program = Program::compile("dataAbsentReason.empty() or value.empty()").unwrap();
        let input = [Item::resource(document.root()).unwrap()];
        program.holds(&Context::new(document.root(), NOW), &input).unwrap()
    };
    assert!(obs(r#"{"resourceType":"Observation","valueInteger":1}"#));
    assert!(!obs(r#"{"resourceType":"Observation","valueInteger":1,"dataAbsentReason":{}}"#));
}

#[test]
fn no_expression_runs_away() {
    let document = document(PATIENT);
    let input = [Item::resource(document.root()).unwrap()];
    let limits = EvaluateLimits { steps: 100_000 };
    let context = Context { limits, ..Context::new(document.root(), NOW) };
    let doubling = ["$total & $total", "$total.combine($total)", "$total + $total"];
    let chars = "'0123456789012345678901234567890123456789'.toChars()";
    for double in doubling {
        let expression = format!("{chars}.aggregate({double}, '0123456789abcdef')");
        let program = Program::compile(&expression).unwrap();
        let fault = program.evaluate(&context, &input).unwrap_err();
        assert_eq!(fault.code().name, code::FHIRPATH_COST.name, "{expression}");
    }
    let all = "%resource.descendants()";
    let nested = (0..4).fold(all.to_owned(), |inner, _| format!("{all}.select({inner})"));
    let nested = Program::compile(&nested).unwrap();
    assert!(nested.evaluate(&context, &input).is_err());
    let repeat = Program::compile("1.repeat($this + 1)").unwrap();
    assert!(repeat.evaluate(&context, &input).is_err());
}

#[test]
fn the_highest_tree_fits_the_stack() {
    // 200 levels of the kind that takes the most stack, within the 2 MiB of a thread.
    let depth = 60;
    let nested = format!("{}true{}", "where(exists(".repeat(depth / 2), "))".repeat(depth / 2));
    let chain = format!("id{}", ".select($this)".repeat(190));
    let unions = format!("id{}", " | id".repeat(190));
    for expression in [nested, chain, unions] {
        let answer = std::thread::Builder::new()
            .stack_size(2 << 20)
            .spawn(move || patient(&expression).len())
            .unwrap()
            .join();
        assert_eq!(answer.unwrap(), 1);
    }
}

const PIECES: [&str; 52] = [
    "name",
    ".given",
    ".first()",
    " = ",
    "'Ada'",
    " and ",
    "birthDate",
    " + 1 day",
    "(",
    ")",
    ".where(",
    "$this",
    " | ",
    "1",
    ".5",
    " / ",
    "0",
    " 'mg'",
    ".resolve()",
    " is Patient",
    " as string",
    "children()",
    ".descendants()",
    ".count()",
    " > ",
    ".toString()",
    ".matches('a+')",
    "[0]",
    "iif(",
    ", ",
    "@2015-02",
    ".substring(1)",
    " div ",
    "-",
    ".repeat(children())",
    "{}",
    " in ",
    ".type()",
    ".highBoundary()",
    ".toQuantity()",
    "9223372036854775807",
    "2147483648",
    "1701411834604692317316873037158841.",
    "@T23:59:59.999",
    "@9999-12-31T23:59:59.999-12:00",
    ".aggregate($total * $total, 0.1)",
    ".aggregate($total * 9, 1.5 'mg/dL')",
    ".lowBoundary(9223372036854775807)",
    ".power(",
    " mod ",
    " * ",
    ".sort(-$this)",
];

proptest! {
    #[test]
    fn any_expression_gives_items_or_a_fault(
        pieces in prop::collection::vec(prop::sample::select(PIECES.to_vec()), 1..12),
    ) {
        let _ = on(PATIENT, &pieces.concat());
    }

    #[test]
    fn a_damaged_expression_gives_items_or_a_fault(text in mutated()) {
        let _ = on(PATIENT, &text);
    }
}
