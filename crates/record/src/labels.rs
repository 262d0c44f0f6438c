//! Security labels as bits of a record, so that a scope can withhold by them in one comparison
//! (<https://hl7.org/fhir/R4/security-labels.html>; 42 CFR Part 2, HL7 DS4P). Which bit is which
//! label, `access::LABELS` tells.

use access::Labels;
use fhir::Value;

/// The label bits of a resource, from `meta.security`.
pub fn labels_of(resource: Value<'_>) -> u64 {
    let Some(security) = resource.get("meta").and_then(|meta| meta.get("security")) else {
        return 0;
    };
    let labels = security.items().fold(Labels::NONE, |labels, coding| {
        let system = coding.get_str("system").unwrap_or_default();
        let code = coding.get_str("code").unwrap_or_default();
        labels | Labels::coded(&system, &code)
    });
    labels.bits()
}

/// The label bits of the resources within a resource: contained, in the entries of a bundle, in
/// parameters. What holds a copy is kept as what it is a copy of.
pub(crate) fn labels_within(resource: Value<'_>) -> u64 {
    let all = |name: &str| resource.get(name).into_iter().flat_map(Value::items);
    let wrapped = all("entry").chain(all("parameter")).chain(all("part"));
    let inner = all("contained").chain(wrapped.clone().filter_map(|one| one.get("resource")));
    let labels = inner.fold(0, |labels, one| labels | labels_of(one) | labels_within(one));
    // Parts of a parameter; how deep a document may be is bounded.
    wrapped.fold(labels, |labels, one| labels | labels_within(one))
}

#[cfg(test)]
mod tests {
    use super::*;
    use base::Limits;
    use fhir::Document;

    #[test]
    fn labels_are_read_from_meta() {
        let text = format!(
            r#"{{"resourceType":"Basic","meta":{{"security":[{{"system":"{}","code":"V"}},{{"system":"{}","code":"HIV"}},{{"code":"x"}}]}}}}"#,
            access::CONFIDENTIALITY,
            access::ACT_CODE,
        );
        let document = Document::parse_text(text, &Limits::default()).unwrap();
        assert_eq!(labels_of(document.root()), 1 << 5 | 1 << 8 | 1 << 63);
    }

    #[test]
    fn labels_of_copies_are_read_wherever_they_stand() {
        let copy = format!(
            r#"{{"resourceType":"Basic","meta":{{"security":[{{"system":"{}","code":"V"}}]}}}}"#,
            access::CONFIDENTIALITY,
        );
        for around in [
            r#"{"contained":[{}]}"#,
            r#"{"entry":[{"resource":{}}]}"#,
            r#"{"entry":[{"resource":{"contained":[{}]}}]}"#,
            r#"{"parameter":[{"part":[{"resource":{}}]}]}"#,
        ] {
            let text = around.replace("{}", &copy);
            let document = Document::parse_text(text, &Limits::default()).unwrap();
            assert_eq!(labels_within(document.root()), 1 << 5, "{around}");
            assert_eq!(labels_of(document.root()), 0, "{around}");
        }
    }
}
