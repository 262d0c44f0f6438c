//! A consent to disclose substance use disorder records is signed by the patient (42 CFR 2.31(a)(8)), and a
//! minor's by the minor (2.14), or it is none: what permits by one that nobody signed would open records
//! that the law keeps shut. It is one of Part 2 however it says so: by its rule, its policy, its category or
//! a label in any of its provisions.

use super::super::read::signatures;
use super::super::write::SIGNER;
use crate::read::text;
use base::Fault;
use base::error::code;
use fhir::Value;
use record::proxy::{AUTHORITY, Authority};

/// Codes of the records that Part 2 protects, and of the notes it protects most (2.31(b)).
const CODES: [&str; 2] = ["42CFRPart2", "SUD-NOTES"];
/// Rules that permit without a provision that says so.
const OPT_IN: [&str; 2] = ["OPTIN", "OPTINR"];
/// Provisions within provisions that are looked at. What is deeper is taken to be of Part 2.
const DEPTH_MAX: usize = 16;

/// Refuses an active permit of Part 2 that nobody signed, or a parent alone.
pub(super) fn hold(consent: Value<'_>) -> Result<(), Fault> {
    if text(consent, "status") != "active" || !permits(consent) || !is_part2(consent) {
        return Ok(());
    }
    let hands: Vec<Value<'_>> = signatures(consent, SIGNER).filter(|one| is_hand(*one)).collect();
    let parents = |hand: &Value<'_>| {
        let right = each(*hand, "extension").find(|one| text(*one, "url") == AUTHORITY);
        right.is_some_and(|one| text(one, "valueCode") == Authority::Parent.code())
    };
    if hands.iter().any(parents) && !hands.iter().any(|hand| hand.get("onBehalfOf").is_none()) {
        let say = "a minor signs this consent themself; a parent signs beside them where the law asks for \
                   it, and not instead (42 CFR 2.14)";
        return Err(Fault::new(&code::CONSENT_UNSIGNED, say));
    }
    if hands.is_empty() && !is_on_paper(consent) {
        let say = "give the signature, or the signed paper as sourceAttachment or sourceReference: without \
                   one it is no consent to disclose Part 2 records (42 CFR 2.31(a)(8))";
        return Err(Fault::new(&code::CONSENT_UNSIGNED, say));
    }
    Ok(())
}

/// Somebody drew it, or wrote their name.
fn is_hand(signature: Value<'_>) -> bool {
    let who = signature.get("who");
    let named = who.is_some_and(|who| is_said(who, "reference") || is_said(who, "display"));
    named && is_said(signature, "data")
}

/// The paper that was signed stands in it, or it says where it is.
fn is_on_paper(consent: Value<'_>) -> bool {
    let attached = consent.get("sourceAttachment");
    let referred = consent.get("sourceReference");
    attached.is_some_and(|one| is_said(one, "data") || is_said(one, "url"))
        || referred.is_some_and(|one| is_said(one, "reference") || one.get("identifier").is_some())
}

fn is_said(of: Value<'_>, name: &str) -> bool {
    !text(of, name).trim().is_empty()
}

/// Whether anybody could see more by it: it permits outside of an exception to a denial.
fn permits(consent: Value<'_>) -> bool {
    let opted_in = || codings(consent, "policyRule").chain(codings(consent, "category"));
    match consent.get("provision") {
        None => false,
        Some(root) => match text(root, "type").as_str() {
            "deny" => false,
            "permit" => true,
            _ => {
                opted_in().any(|one| OPT_IN.contains(&text(one, "code").as_str()))
                    || each(root, "provision").any(|inner| text(inner, "type") != "deny")
            }
        },
    }
}

fn is_part2(consent: Value<'_>) -> bool {
    let named = |one: Value<'_>| CODES.contains(&text(one, "code").as_str());
    let said = |one: Value<'_>| names_part2(&text(one, "text"));
    let concepts = || each(consent, "policyRule").chain(each(consent, "category"));
    codings(consent, "policyRule").chain(codings(consent, "category")).any(named)
        || concepts().any(said)
        || each(consent, "policy").any(|one| names_part2(&text(one, "uri")))
        || consent.get("provision").is_some_and(|root| is_labelled(root, 0))
}

/// A label of Part 2 in a provision, or in one within it.
fn is_labelled(provision: Value<'_>, depth: usize) -> bool {
    let mut labels = each(provision, "securityLabel");
    depth > DEPTH_MAX
        || labels.any(|one| CODES.contains(&text(one, "code").as_str()))
        || each(provision, "provision").any(|inner| is_labelled(inner, depth + 1))
}

/// Whether an address, or words, name the law: `42 CFR Part 2`, `title-42/…/part-2`, `42CFRPart2`.
fn names_part2(text: &str) -> bool {
    let text = text.to_ascii_lowercase();
    let parts: Vec<&str> =
        text.split(|c: char| !c.is_ascii_alphanumeric()).filter(|part| !part.is_empty()).collect();
    let is_title = parts.iter().any(|part| *part == "42" || part.starts_with("42cfr"));
    let pair = |two: &[&str]| matches!(two, ["part" | "section", "2"]);
    let is_part = parts.iter().any(|part| part.ends_with("part2")) || parts.windows(2).any(pair);
    is_title && is_part
}

/// The items of a member, or the one that stands there without a list: read as widely as the guard reads.
fn each<'v>(of: Value<'v>, name: &str) -> impl Iterator<Item = Value<'v>> + use<'v> {
    of.get(name).into_iter().flat_map(Value::each)
}

fn codings<'v>(of: Value<'v>, name: &str) -> impl Iterator<Item = Value<'v>> + use<'v> {
    each(of, name).flat_map(|one| each(one, "coding"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use base::Limits;
    use fhir::Document;
    use proptest::prelude::*;

    fn judged(members: &str) -> Result<(), Fault> {
        let json = format!(r#"{{"resourceType":"Consent"{members}}}"#);
        hold(Document::parse_text(json, &Limits::default()).expect("JSON").root())
    }

    const PERMIT: &str = r#","status":"active","provision":{"type":"permit"}"#;

    #[test]
    fn it_is_of_part_2_however_it_says_so() {
        for says in [
            r#","policyRule":{"coding":[{"code":"42CFRPart2"}]}"#,
            r#","policyRule":{"text":"42 CFR Part 2"}"#,
            r#","policy":[{"uri":"urn:x"},{"uri":"https://www.ecfr.gov/current/title-42/chapter-I/subchapter-A/part-2"}]"#,
            r#","policy":[{"uri":"http://hl7.org/fhir/consentpolicy/42CFRPart2"}]"#,
            r#","category":[{"text":"x"},{"coding":[{"code":"x"},{"code":"42CFRPart2"}]}]"#,
        ] {
            assert!(judged(&format!("{PERMIT}{says}")).is_err(), "{says}");
            let paper = r#","sourceAttachment":{"contentType":"application/pdf","data":"eA=="}"#;
            assert!(judged(&format!("{PERMIT}{says}{paper}")).is_ok(), "{says}");
            let draft = PERMIT.replace("active", "draft");
            assert!(judged(&format!("{draft}{says}")).is_ok(), "{says}");
            let deny = PERMIT.replace("permit", "deny");
            assert!(judged(&format!("{deny}{says}")).is_ok(), "{says}");
        }
        let label = r#""securityLabel":[{"code":"42CFRPart2"}]"#;
        for provision in [
            format!(r#"{{"type":"permit",{label}}}"#),
            format!(r#"{{{label},"provision":[{{"type":"permit"}}]}}"#),
            format!(r#"{{"provision":[{{"type":"deny"}},{{"type":"permit",{label}}}]}}"#),
            format!(
                r#"{{"type":"permit","provision":[{{"type":"permit","provision":[{{"type":"permit",{label}}}]}}]}}"#
            ),
        ] {
            let members = format!(r#","status":"active","provision":{provision}"#);
            assert!(judged(&members).is_err(), "{provision}");
            let signed = r#","sourceReference":{"reference":"DocumentReference/scan"}"#;
            assert!(judged(&format!("{members}{signed}")).is_ok(), "{provision}");
        }
        let opted = r#","status":"active","category":[{"coding":[{"code":"OPTIN"}]}]"#;
        assert!(judged(&format!(r#"{opted},"provision":{{{label}}}"#)).is_err());
        // What permits nothing of Part 2 needs no hand of the patient here.
        assert!(judged(PERMIT).is_ok());
        assert!(judged(r#","status":"active","policy":[{"uri":"https://www.ecfr.gov/current/title-42/part-20"}],"provision":{"type":"permit"}"#).is_ok());
    }

    #[test]
    fn a_hand_is_somebodys_and_a_paper_is_there() {
        let members = format!(r#"{PERMIT},"policyRule":{{"coding":[{{"code":"42CFRPart2"}}]}}"#);
        let hand = |inner: &str| {
            let url = super::super::SIGNATURE;
            judged(&format!(
                r#"{members},"extension":[{{"url":"{url}","valueSignature":{{"type":[{{"code":"{SIGNER}"}}]{inner}}}}}]"#
            ))
        };
        assert!(hand(r#","who":{"display":"Ada"},"data":"eA==""#).is_ok());
        assert!(hand(r#","who":{"display":"Ada"}"#).is_err(), "nothing was signed");
        assert!(hand(r#","data":"eA==""#).is_err(), "nobody signed");
        for none in [
            r#","sourceAttachment":{"contentType":"application/pdf"}"#,
            r#","sourceAttachment":{"data":" "}"#,
            r#","sourceReference":{"display":"in the cellar"}"#,
        ] {
            assert!(judged(&format!("{members}{none}")).is_err(), "{none}");
        }
        let parent = format!(
            r#","extension":[{{"url":"{AUTHORITY}","valueCode":"parent-of-minor"}}],"onBehalfOf":{{"reference":"Patient/kim"}},"who":{{"display":"Ann"}},"data":"eA==""#
        );
        assert!(hand(&parent).is_err(), "the minor did not sign");
        let guardian = parent.replace("parent-of-minor", "guardian");
        assert!(hand(&guardian).is_ok(), "of an adult");
    }

    proptest! {
        #[test]
        fn any_address_names_the_law_or_not(text in "\\PC{0,60}", digits in "[0-9]{1,3}") {
            let _ = names_part2(&text);
            let uri = format!("https://law.example/title-42/part-{digits}");
            prop_assert_eq!(names_part2(&uri), digits == "2");
        }
    }
}
