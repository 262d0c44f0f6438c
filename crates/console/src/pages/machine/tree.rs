//! A resource as a form and as JSON: the form by the definitions of its type (<https://hl7.org/fhir/R4/>),
//! the JSON with its parts told apart. References lead to what they name. Deep and wide ones are cut, and
//! say so.

use crate::words::{self, Lang};
use fhir::definitions::{Element, TypeDef, TypeKind, r4};
use fhir::{Kind, Value};
use maud::{Markup, html};

/// Values that one page shows. Real records have hundreds.
const VALUES_MAX: usize = 5000;
/// How deep it goes.
const DEPTH_MAX: usize = 24;

/// Counts what is shown.
struct Left(usize);

impl Left {
    fn take(&mut self, depth: usize) -> bool {
        self.0 = self.0.saturating_sub(1);
        self.0 > 0 && depth < DEPTH_MAX
    }
}

/// The resource as a form: each element with its type, how often it may stand, and its value.
pub(super) fn form(root: Value<'_>, type_name: &str, lang: Lang) -> Markup {
    let mut left = Left(VALUES_MAX);
    let body = fields(root, r4().named(type_name), lang, &mut left, 0);
    html! { div.it-form { (body) @if left.0 == 0 { p.muted { (words::IT_CUT.of(lang)) } } } }
}

fn fields(
    of: Value<'_>,
    by: Option<&TypeDef>,
    lang: Lang,
    left: &mut Left,
    depth: usize,
) -> Markup {
    let mut rows = Vec::new();
    for (name, value) in of.members() {
        if name == "resourceType" {
            continue;
        }
        if !left.take(depth) {
            break;
        }
        let member = by.and_then(|by| by.member(name.trim_start_matches('_')));
        let inner = member.map(|member| r4().get(member.of.id));
        let is_many = value.is_array();
        let items: Vec<Markup> =
            value.each().map(|item| shown(item, name, inner, lang, left, depth + 1)).collect();
        let hint = member.map(|member| about(member.element, inner));
        rows.push(html! {
            div.it-field {
                dt { span { (name) } @if let Some(hint) = hint { span.it-kind { (hint) } } }
                dd { @if is_many && items.len() > 1 { ol.it-items { @for item in &items { li { (item) } } } }
                    @else { @for item in &items { (item) } } }
            }
        });
    }
    html! { dl.it-fields { @for row in &rows { (row) } } }
}

fn shown(
    item: Value<'_>,
    name: &str,
    by: Option<&TypeDef>,
    lang: Lang,
    left: &mut Left,
    depth: usize,
) -> Markup {
    if !left.take(depth) {
        return html! { "…" };
    }
    if item.is_object() {
        // What is contained tells its own type.
        let own = item.get_str("resourceType").and_then(|own| r4().named(&own));
        return fields(item, own.or(by), lang, left, depth);
    }
    let text = item.as_text().unwrap_or_default();
    // Narrative is text to read here, not markup.
    match reference(name, &text) {
        Some(href) => html! { a href=(href) { (text) } },
        None => html! { span.it-text { (text) } },
    }
}

/// The type of an element, and how often it may stand.
fn about(element: &Element, by: Option<&TypeDef>) -> String {
    let most = if element.max == u32::MAX { "*".to_owned() } else { element.max.to_string() };
    let kind = by.filter(|by| by.kind != TypeKind::Backbone).map_or("", |by| by.name);
    format!("{kind} {}..{most}", element.min).trim().to_owned()
}

/// Where a reference leads within the browser of resources; none for what is elsewhere.
pub(super) fn reference(name: &str, text: &str) -> Option<String> {
    if name != "reference" {
        return None;
    }
    let (of, id) = text.split_once('/')?;
    let id = id.split('/').next()?;
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '.');
    let is_id = !id.is_empty() && id.len() <= 64 && id.chars().all(plain);
    (is_id && r4().resource_type(of).is_some()).then(|| format!("/admin/resources/{of}/{id}"))
}

/// The resource as JSON, with its parts told apart by classes.
pub(super) fn json(root: Value<'_>, lang: Lang) -> Markup {
    let mut left = Left(VALUES_MAX);
    let body = written(root, "", &mut left, 0);
    html! {
        pre.it-json { code { (body) } }
        @if left.0 == 0 { p.muted { (words::IT_CUT.of(lang)) } }
    }
}

fn written(value: Value<'_>, name: &str, left: &mut Left, depth: usize) -> Markup {
    if !left.take(depth) {
        return html! { "…" };
    }
    let (inner, outer) = ("  ".repeat(depth + 1), "  ".repeat(depth));
    if value.is_object() {
        let all: Vec<_> = value.members().collect();
        let last = all.len().saturating_sub(1);
        return html! {
            "{" @for (at, (name, one)) in all.iter().enumerate() {
                "\n" (inner) span.it-key { "\"" (name) "\"" } ": " (written(*one, name, left, depth + 1))
                @if at < last { "," }
            }
            @if !all.is_empty() { "\n" (outer) } "}"
        };
    }
    if value.is_array() {
        let all: Vec<_> = value.items().collect();
        let last = all.len().saturating_sub(1);
        return html! {
            "[" @for (at, one) in all.iter().enumerate() {
                "\n" (inner) (written(*one, name, left, depth + 1)) @if at < last { "," }
            }
            @if !all.is_empty() { "\n" (outer) } "]"
        };
    }
    match value.kind() {
        Kind::String => {
            let href = value.as_str().and_then(|text| reference(name, &text));
            html! { @match href {
                Some(href) => a href=(href) { (value.raw()) },
                None => span.it-string { (value.raw()) },
            } }
        }
        _ => html! { span.it-literal { (value.raw()) } },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use base::Limits;
    use fhir::Document;
    use proptest::prelude::*;

    fn parsed(text: &str) -> Document {
        Document::parse_text(text.to_owned(), &Limits::default()).expect("JSON")
    }

    #[test]
    fn a_reference_leads_to_what_it_names_and_nowhere_else() {
        let to = |text: &str| reference("reference", text);
        assert_eq!(to("Organization/a.b").as_deref(), Some("/admin/resources/Organization/a.b"));
        assert_eq!(
            to("Organization/a/_history/2").as_deref(),
            Some("/admin/resources/Organization/a")
        );
        for elsewhere in [
            "https://evil.example/Organization/a",
            "#own",
            "Nothing/a",
            "Organization/a?b",
            "Organization/",
        ] {
            assert_eq!(to(elsewhere), None, "{elsewhere}");
        }
        assert_eq!(reference("display", "Organization/a"), None);
    }

    #[test]
    fn a_form_has_each_element_with_its_type_and_a_decimal_as_it_was_written() {
        let text = r#"{"resourceType":"Location","name":"<b>Ward</b>","position":{"longitude":1.0,"latitude":2.50},"managingOrganization":{"reference":"Organization/o1"}}"#;
        let document = parsed(text);
        let html = form(document.root(), "Location", Lang::En).into_string();
        for part in [
            "string 0..1",
            "decimal 1..1",
            "2.50",
            "&lt;b&gt;Ward",
            "/admin/resources/Organization/o1",
        ] {
            assert!(html.contains(part), "{part}: {html}");
        }
        let html = json(document.root(), Lang::En).into_string();
        assert!(
            html.contains("2.50") && html.contains("it-key") && !html.contains("<b>"),
            "{html}"
        );
    }

    #[test]
    fn what_is_too_much_for_a_page_is_cut_and_says_so() {
        let many = vec!["1"; VALUES_MAX + 10].join(",");
        let document = parsed(&format!("{{\"resourceType\":\"Basic\",\"x\":[{many}]}}"));
        let said = words::IT_CUT.of(Lang::En);
        assert!(form(document.root(), "Basic", Lang::En).into_string().contains(said));
        assert!(json(document.root(), Lang::En).into_string().contains(said));
    }

    proptest! {
        #[test]
        fn any_text_stays_text(text in "\\PC{0,40}") {
            let mut quoted = String::new();
            for c in text.chars() {
                match c { '"' => quoted.push_str("\\\""), '\\' => quoted.push_str("\\\\"), c => quoted.push(c) }
            }
            let document = parsed(&format!("{{\"resourceType\":\"Basic\",\"id\":\"{quoted}\"}}"));
            let html = form(document.root(), "Basic", Lang::En).into_string();
            prop_assert!(!html.contains("<script"));
        }
    }
}
