//! Links in narratives: the `href` of `a` and the `src` of `img`
//! (<https://hl7.org/fhir/R4/narrative.html>). The text is XHTML that validation has accepted, so an
//! attribute is found by its name and quotes; nothing else of it is touched.

/// The XHTML with links replaced as `replace` says; `None` when none was.
pub(crate) fn rewrite(xhtml: &str, replace: impl Fn(&str) -> Option<String>) -> Option<String> {
    let mut out = String::new();
    let mut copied = 0;
    let mut at = 0;
    while let Some(value) = next_link(xhtml, at) {
        at = value.end;
        let Some(link) = xhtml.get(value.clone()) else { break };
        if let Some(new) = replace(link) {
            out.push_str(xhtml.get(copied..value.start).unwrap_or_default());
            out.push_str(&new);
            copied = value.end;
        }
    }
    if copied == 0 {
        return None;
    }
    out.push_str(xhtml.get(copied..).unwrap_or_default());
    Some(out)
}

/// Where the value of the next `href` or `src` attribute stands.
fn next_link(xhtml: &str, from: usize) -> Option<std::ops::Range<usize>> {
    let bytes = xhtml.as_bytes();
    let mut at = from;
    loop {
        at += memchr::memchr(b'=', bytes.get(at..)?)?;
        let before = xhtml.get(..at)?.trim_end();
        let name = before.rsplit(|c: char| c.is_ascii_whitespace()).next()?;
        at += 1;
        let rest = xhtml.get(at..)?;
        let start = at + (rest.len() - rest.trim_start().len());
        let quote = *bytes.get(start)?;
        if !matches!(quote, b'"' | b'\'') {
            continue;
        }
        let length = memchr::memchr(quote, bytes.get(start + 1..)?)?;
        if matches!(name, "href" | "src") {
            return Some(start + 1..start + 1 + length);
        }
        // Text may hold an equals sign before a quotation mark; only a tag's quotes are skipped.
        let in_tag = before.rfind('<') > before.rfind('>');
        if in_tag {
            at = start + 1 + length;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn known(link: &str) -> Option<String> {
        (link == "urn:uuid:1").then(|| "Patient/9".to_owned())
    }

    #[test]
    fn links_are_replaced_and_nothing_else() {
        for (from, to) in [
            (r#"<a href="urn:uuid:1">x</a>"#, Some(r#"<a href="Patient/9">x</a>"#)),
            (
                r#"<a class="c" href = 'urn:uuid:1'>x</a>"#,
                Some(r#"<a class="c" href = 'Patient/9'>x</a>"#),
            ),
            (
                r#"<img alt="=" src="urn:uuid:1"/> <a href="urn:uuid:1"/>"#,
                Some(r#"<img alt="=" src="Patient/9"/> <a href="Patient/9"/>"#),
            ),
            (
                r#"<p>1 = "2 <a href="urn:uuid:1"/></p>"#,
                Some(r#"<p>1 = "2 <a href="Patient/9"/></p>"#),
            ),
            (r#"<p title="urn:uuid:1">urn:uuid:1</p>"#, None),
            (r#"<a href="urn:uuid:2"/>"#, None),
            (r#"<a href="urn:uuid:1"#, None),
        ] {
            assert_eq!(rewrite(from, known).as_deref(), to, "{from}");
        }
    }

    proptest! {
        #[test]
        fn any_text_is_taken_without_a_panic(text in "[<>a-c=\"' é]*(href=\"urn:uuid:1\")?.*") {
            if let Some(out) = rewrite(&text, known) {
                prop_assert!(out.contains("Patient/9"));
            }
        }
    }
}
