//! From what an issuer says to what it comes to here: roles and sites by exact matches, the sign-in
//! name, and whether two factors were seen (45 CFR 164.308(a)(4), access authorization). It is data
//! of the settings and nothing else: no pattern, no expression, no order.

use base::Millis;
use identity::Vouched;
use serde_json::{Map, Value};
use sha2::{Digest as _, Sha256};

use crate::issuer::Issuer;
use crate::token::Claims;

/// Values of one claim that are looked at.
const VALUES_MAX: usize = 4096;

/// What the claims come to; none when the person is not one of those whom the site takes.
pub(crate) fn vouched(issuer: &Issuer, claims: &Claims, now: Millis) -> Option<Vouched> {
    let said = &claims.registered;
    let email = said.email.as_deref().filter(|_| said.email_verified == Some(true));
    if !issuer.email_domains.is_empty() {
        let domain = email?.rsplit_once('@')?.1.to_ascii_lowercase();
        if !issuer.email_domains.contains(&domain) {
            return None;
        }
    }
    // One that nobody verified is anybody's.
    let is_mail = |claim: &str| matches!(claim, "email" | "/email");
    let name = match issuer.name_claim.as_str() {
        claim if is_mail(claim) => email.map(str::to_owned),
        claim => texts(&claims.all, claim).next().map(str::to_owned),
    };
    let has = |claim: &str, value: &str| match is_mail(claim) {
        true => email == Some(value),
        false => texts(&claims.all, claim).any(|one| one == value),
    };
    let roles = issuer.roles.iter().filter(|rule| has(&rule.claim, &rule.value));
    let sites = issuer.sites.iter().filter(|rule| has(&rule.claim, &rule.value));
    let methods = || said.amr.iter().flat_map(|amr| amr.iter());
    let second_factor = said.acr.as_ref().is_some_and(|acr| issuer.second_factor_acr.contains(acr))
        || methods().any(|one| issuer.second_factor_amr.iter().any(|counts| counts == one));
    Some(Vouched {
        issuer: issuer.name,
        subject: subject(&issuer.issuer, &said.sub),
        name,
        display: said.name.clone(),
        roles: once(roles.map(|rule| &rule.role)),
        sites: once(sites.map(|rule| &rule.site)),
        governs_roles: once(issuer.roles.iter().map(|rule| &rule.role)),
        governs_sites: once(issuer.sites.iter().map(|rule| &rule.site)),
        links: issuer.link,
        creates: issuer.create,
        second_factor,
        // A clock that is a little ahead of ours is no reason to ask again.
        shown: said.auth_time.map(|at| Millis(at.saturating_mul(1000).min(now.0))),
    })
}

/// A digest of whom an issuer means.
fn subject(issuer: &str, sub: &str) -> [u8; 32] {
    let length = u64::try_from(issuer.len()).unwrap_or(u64::MAX);
    Sha256::new()
        .chain_update(length.to_be_bytes())
        .chain_update(issuer)
        .chain_update(sub)
        .finalize()
        .into()
}

/// The texts of a claim: itself, or those of its list.
fn texts<'c>(claims: &'c Map<String, Value>, claim: &str) -> impl Iterator<Item = &'c str> {
    let found = match claim.strip_prefix('/') {
        None => claims.get(claim),
        Some(path) => {
            let mut steps = path.split('/').map(|step| step.replace("~1", "/").replace("~0", "~"));
            let first = steps.next().and_then(|step| claims.get(&step));
            steps.fold(first, |at, step| at?.as_object()?.get(&step))
        }
    };
    let (one, many) = match found {
        Some(Value::String(text)) => (Some(text.as_str()), [].as_slice()),
        Some(Value::Array(list)) => (None, list.as_slice()),
        _ => (None, [].as_slice()),
    };
    one.into_iter().chain(many.iter().take(VALUES_MAX).filter_map(Value::as_str))
}

fn once<'a>(all: impl Iterator<Item = &'a String>) -> Vec<String> {
    let mut out: Vec<String> = Vec::new();
    for one in all {
        if !out.contains(one) {
            out.push(one.clone());
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::issuer::tests::sound;
    use crate::issuer::{RoleRule, SiteRule};
    use proptest::prelude::*;

    fn claims(more: &str) -> Claims {
        let json = format!(
            r#"{{"iss":"i","sub":"s","aud":"a","exp":1,"iat":1,"preferred_username":"ada"{more}}}"#
        );
        let registered = serde_json::from_str(&json).expect("claims");
        Claims { registered, all: serde_json::from_str(&json).expect("claims") }
    }

    fn of(issuer: &Issuer, more: &str) -> Option<Vouched> {
        vouched(issuer, &claims(more), Millis(5000))
    }

    fn roles(issuer: &Issuer, more: &str) -> Vec<String> {
        of(issuer, more).expect("taken").roles
    }

    #[test]
    fn values_are_compared_exactly_in_a_text_a_list_or_deeper() {
        let issuer = sound();
        assert_eq!(roles(&issuer, r#","groups":["x","nurses","nurses"]"#), ["nurse"]);
        assert_eq!(roles(&issuer, r#","groups":"nurses""#), ["nurse"]);
        for none in [
            "",
            r#","groups":["Nurses"]"#,
            r#","groups":["nurses "]"#,
            r#","groups":"nurses,clinicians""#,
            r#","groups":{"nurses":true}"#,
            r#","groups":[["nurses"]]"#,
            r#","group":["nurses"]"#,
        ] {
            assert!(roles(&issuer, none).is_empty(), "{none}");
        }
        let rule = |claim: &str| RoleRule {
            claim: claim.to_owned(),
            value: "nurses".to_owned(),
            role: "nurse".to_owned(),
        };
        let deep = Issuer { roles: vec![rule("/realm_access/roles")], ..sound() };
        assert_eq!(roles(&deep, r#","realm_access":{"roles":["nurses"]}"#), ["nurse"]);
        let address = Issuer { roles: vec![rule("https://a.example/roles")], ..sound() };
        assert_eq!(roles(&address, r#","https://a.example/roles":["nurses"]"#), ["nurse"]);
        let slash = Issuer { roles: vec![rule("/a~1b/c")], ..sound() };
        assert_eq!(roles(&slash, r#","a/b":{"c":"nurses"}"#), ["nurse"]);
    }

    #[test]
    fn sites_follow_like_roles_and_what_is_governed_is_told() {
        let rule = SiteRule { claim: "ward".into(), value: "north".into(), site: "org-n".into() };
        let issuer = Issuer { sites: vec![rule], ..sound() };
        let said = of(&issuer, r#","ward":"north""#).expect("taken");
        assert_eq!(said.sites, ["org-n"]);
        assert_eq!(
            (said.governs_roles, said.governs_sites),
            (vec!["nurse".into()], vec!["org-n".into()])
        );
    }

    #[test]
    fn an_address_of_mail_counts_only_when_it_was_verified() {
        let issuer = Issuer { email_domains: vec!["hospital.example".into()], ..sound() };
        assert!(of(&issuer, r#","email":"a@Hospital.example","email_verified":true"#).is_some());
        for bad in [
            "",
            r#","email":"a@hospital.example""#,
            r#","email":"a@hospital.example","email_verified":false"#,
            r#","email":"a@evil.example","email_verified":true"#,
            r#","email":"a@hospital.example.evil.example","email_verified":true"#,
            r#","email":"a@hospital.example@evil.example","email_verified":true"#,
            r#","email":"hospital.example","email_verified":true"#,
        ] {
            assert!(of(&issuer, bad).is_none(), "{bad}");
        }
        let by_mail = Issuer { name_claim: "email".into(), ..sound() };
        let name = |more: &str| of(&by_mail, more).expect("taken").name;
        assert_eq!(name(r#","email":"a@b.example""#), None);
        assert_eq!(
            name(r#","email":"a@b.example","email_verified":true"#).as_deref(),
            Some("a@b.example")
        );
    }

    #[test]
    fn two_factors_were_seen_only_when_a_listed_word_says_so() {
        let second = |issuer: &Issuer, more: &str| of(issuer, more).expect("taken").second_factor;
        assert!(!second(&sound(), r#","acr":"2","amr":["mfa"]"#), "nothing is listed");
        let issuer = Issuer {
            second_factor_acr: vec!["urn:two".into()],
            second_factor_amr: vec!["mfa".into()],
            ..sound()
        };
        assert!(second(&issuer, r#","acr":"urn:two""#));
        assert!(second(&issuer, r#","amr":["pwd","mfa"]"#));
        assert!(!second(&issuer, r#","acr":"urn:one","amr":["pwd"]"#));
        assert!(!second(&issuer, ""));
    }

    #[test]
    fn two_issuers_never_mean_the_same_person() {
        assert_ne!(subject("https://a", "b"), subject("https://ab", ""));
        assert_ne!(subject("https://a", "s"), subject("https://b", "s"));
        assert_eq!(subject("https://a", "s"), subject("https://a", "s"));
    }

    proptest! {
        #[test]
        fn any_claims_come_to_no_role_that_no_rule_names(
            groups in "(\\[(\"[a-z]{0,8}\",)*\"x\"\\]|\"[a-z]{0,8}\"|null|1|\\{\"a\":\\[\\]\\})",
            claim in "/?[a-z~/01]{0,12}",
        ) {
            let mut issuer = sound();
            issuer.roles.push(RoleRule { claim, value: "x".into(), role: "other".into() });
            let said = of(&issuer, &format!(",\"groups\":{groups}")).expect("taken");
            prop_assert!(said.roles.iter().all(|role| role == "nurse" || role == "other"));
            prop_assert_eq!(said.roles.contains(&"nurse".to_owned()), groups.contains("\"nurses\""));
        }
    }
}
