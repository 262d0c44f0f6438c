//! What holds of every Consent, through whichever door it comes: who may only have everybody's forms signed
//! writes none that permits or denies anything (45 CFR 164.502(b)); one that permits to disclose Part 2
//! records has a signature, and a minor's not a parent's alone (42 CFR 2.31(a)(8), 2.14); and what somebody
//! signed is not rewritten, stripped of its labels or deleted (45 CFR 164.508(b)(6)).

mod part2;

use super::Kind;
use super::write::{FORMS, SIGNATURE};
use crate::read::{each, text};
use base::Fault;
use base::error::code;
use fhir::Value;
use record::{Action, Asking, LABEL_BASIS, Rule, Ruling};

/// The rule.
pub const RULE: Rule = Rule {
    name: "registration.consent",
    about: "What somebody signed is not rewritten, a consent to disclose Part 2 records is signed, and one that permits or denies is written by who keeps consents.",
    types: &["Consent"],
    ask,
    claims: None,
};

/// What a signed consent may have other than when it was signed: that it ended. Of `meta`, its labels stay.
const CHANGES: [&str; 5] = ["id", "status", "extension", "meta", "text"];

fn ask(asking: &Asking<'_>) -> Result<Ruling, Fault> {
    if let Some(before) = asking.before
        && is_signed(before)
        && !asking.after.is_some_and(|after| is_kept(before, after))
    {
        let say = "what somebody signed stays as it is; take it back, and have another one signed";
        return Err(Fault::new(&code::CONSENT_SIGNED, say));
    }
    let is_new = asking.before.is_none();
    if let Some(after) = asking.after
        && is_new
        && !asking.may(Action::Update, "Consent")
        && !is_plain(after)
    {
        let say =
            "a consent that permits or denies something is written by those who keep consents";
        return Err(Fault::new(&code::ACCESS_DENIED, say));
    }
    if let Some(after) = asking.after {
        part2::hold(after)?;
    }
    Ok(Ruling::default())
}

/// Somebody's hand stands in it.
fn is_signed(consent: Value<'_>) -> bool {
    each(consent, "extension").any(|one| text(one, "url") == SIGNATURE)
}

/// The next version says what was signed, and has every hand. A consent that ended does not begin again.
fn is_kept(before: Value<'_>, after: Value<'_>) -> bool {
    let same = |name: &str| match (before.get(name), after.get(name)) {
        (None, None) => true,
        (Some(before), Some(after)) => alike(before, after),
        _ => false,
    };
    let names = before.members().chain(after.members()).map(|(name, _)| name);
    let says = names.into_iter().all(|name| CHANGES.contains(&name) || same(name));
    let hands = |of| each(of, "extension").filter(|one| text(*one, "url") == SIGNATURE);
    let has_all = hands(before).count() == hands(after).count()
        && hands(before).zip(hands(after)).all(|(before, after)| alike(before, after));
    let ended = text(before, "status") != "active" && text(after, "status") == "active";
    let labels = labels(after);
    let is_labelled = labels_by_people(before).all(|label| labels.contains(&label));
    says && has_all && is_labelled && !ended
}

/// Its labels, as system and code.
fn labels(of: Value<'_>) -> Vec<(String, String)> {
    securities(of).map(label).collect()
}

/// Those that no rule of ours gave: what a rule gave goes when the rule applies no longer.
fn labels_by_people<'v>(of: Value<'v>) -> impl Iterator<Item = (String, String)> + use<'v> {
    let by_rule = |one: &Value<'v>| {
        each(*one, "extension").any(|extension| text(extension, "url") == LABEL_BASIS)
    };
    securities(of).filter(move |one| !by_rule(one)).map(label)
}

fn securities<'v>(of: Value<'v>) -> impl Iterator<Item = Value<'v>> + use<'v> {
    of.get("meta").into_iter().flat_map(|meta| each(meta, "security"))
}

fn label(coding: Value<'_>) -> (String, String) {
    (text(coding, "system"), text(coding, "code"))
}

/// Whether two values say the same, however they are laid out.
fn alike(one: Value<'_>, other: Value<'_>) -> bool {
    squeezed(one.raw()) == squeezed(other.raw())
}

/// JSON without the blanks between its signs.
fn squeezed(json: &str) -> String {
    let (mut is_text, mut is_escaped) = (false, false);
    json.chars()
        .filter(|c| {
            match c {
                '"' if !is_escaped => is_text = !is_text,
                _ => {}
            }
            is_escaped = is_text && *c == '\\' && !is_escaped;
            is_text || !c.is_ascii_whitespace()
        })
        .collect()
}

/// One of the forms that everybody signs, which says nothing of records.
fn is_plain(consent: Value<'_>) -> bool {
    let mut kinds = each(consent, "category")
        .flat_map(|one| each(one, "coding"))
        .filter(|coding| text(*coding, "system") == FORMS)
        .filter_map(|coding| Kind::from_code(&text(coding, "code")));
    let is_form = kinds.next().is_some_and(|kind| !kind.is_sensitive()) && kinds.next().is_none();
    // Without a provision it denies or permits by its rule alone; the house's forms name none that does.
    let rule = consent.get("policyRule").into_iter().flat_map(|rule| each(rule, "coding"));
    let rules = rule.chain(each(consent, "category").flat_map(|one| each(one, "coding")));
    let acts = rules
        .into_iter()
        .any(|coding| text(coding, "system") == "http://terminology.hl7.org/CodeSystem/v3-ActCode");
    is_form && !acts && consent.get("provision").is_none()
}

#[cfg(test)]
mod tests {
    use super::*;
    use base::Limits;
    use fhir::Document;

    #[test]
    fn blanks_between_signs_say_nothing_and_those_in_a_text_do() {
        assert_eq!(squeezed("{ \"a\" : [1,\n2 ] }"), "{\"a\":[1,2]}");
        assert_eq!(squeezed(r#"{"a": "b \" c" }"#), r#"{"a":"b \" c"}"#);
        assert_eq!(squeezed(r#"{"a": "b\\" , "c": 1}"#), r#"{"a":"b\\","c":1}"#);
    }

    #[test]
    fn what_was_signed_may_end_and_nothing_else() {
        let signed = |status: &str, words: &str, more: &str| {
            let json = format!(
                r#"{{"status":"{status}","sourceAttachment":{{"data":"{words}"}},"extension":[{{"url":"{SIGNATURE}","valueSignature":{{"data":"eA=="}}}}{more}]}}"#
            );
            Document::parse_text(json, &Limits::default()).expect("JSON")
        };
        let before = signed("active", "YQ==", "");
        let ended = signed("inactive", "YQ==", r#",{"url":"urn:ended"}"#);
        assert!(is_kept(before.root(), ended.root()));
        assert!(!is_kept(ended.root(), before.root()), "it does not begin again");
        assert!(!is_kept(before.root(), signed("active", "Yg==", "").root()));
        let bare = Document::parse_text(
            r#"{"status":"active","sourceAttachment":{"data":"YQ=="}}"#.to_owned(),
            &Limits::default(),
        );
        assert!(!is_kept(before.root(), bare.expect("JSON").root()), "the hand is gone");
    }

    #[test]
    fn a_label_that_somebody_gave_what_was_signed_stays() {
        let labelled = |labels: &str| {
            let json = format!(
                r#"{{"status":"active","meta":{{"security":[{labels}]}},"extension":[{{"url":"{SIGNATURE}","valueSignature":{{"data":"eA=="}}}}]}}"#
            );
            Document::parse_text(json, &Limits::default()).expect("JSON")
        };
        let own = r#"{"system":"urn:c","code":"R"}"#;
        let ruled =
            format!(r#"{{"extension":[{{"url":"{LABEL_BASIS}"}}],"system":"urn:c","code":"V"}}"#);
        let before = labelled(&format!("{own},{ruled}"));
        assert!(is_kept(before.root(), labelled(own).root()), "a rule's goes with the rule");
        assert!(is_kept(before.root(), labelled(&format!(r#"{own},{{"code":"x"}}"#)).root()));
        for stripped in ["", &ruled, r#"{"system":"urn:other","code":"R"}"#] {
            assert!(!is_kept(before.root(), labelled(stripped).root()), "{stripped}");
        }
    }
}
