//! What is tried upon a sign-in by an issuer. The numbers are those of the guard's list.

use crate::oidc_issuer::{Fake, Key, federate, part, site};
use crate::smart_site::{Site, Visitor, value};
use aws_lc_rs::hmac;
use base::Clock as _;
use base::time::SystemClock;

const CREATE: &str = r#","create":true"#;

/// Nobody is signed in, and the page says no more than that.
fn opens_nothing(site: &Site, fake: &Fake, what: &str) {
    let mut visitor = Visitor::new(site);
    let page = visitor.by(fake);
    assert_eq!(page.status, 401, "{what}: {}", page.text());
    assert!(page.text().contains("identity.federated.invalid"), "{what}");
    assert!(visitor.cookie("__Host-plummer-session").is_none(), "{what}");
    assert!(site.smart.identity().find_by_name("grace").unwrap().is_none(), "{what}");
}

fn opens(site: &Site, fake: &Fake) {
    let page = Visitor::new(site).by(fake);
    assert!(page.text().contains("Grace Hopper"), "{}", page.text());
}

/// The first two parts with another third.
fn unsigned(token: &str) -> &str {
    token.rsplit_once('.').unwrap().0
}

#[test]
fn attack_26_a_token_without_a_signature_or_with_a_public_key_as_its_secret_opens_nothing() {
    let fake = Fake::start("id.example");
    let site = site(&fake, CREATE);
    for alg in ["none", "None", "NONE", ""] {
        let alg = format!("\"{alg}\"");
        fake.script(|script| {
            script.header = vec![("alg", Some(alg.clone()))];
            script.twist = |token, _| format!("{}.", unsigned(&token));
        });
        opens_nothing(&site, &fake, &alg);
    }
    fake.script(|script| {
        script.header = vec![("alg", Some("\"HS256\"".to_owned()))];
        script.twist = |token, key| {
            let secret = hmac::Key::new(hmac::HMAC_SHA256, key.public());
            let sum = hmac::sign(&secret, unsigned(&token).as_bytes());
            format!("{}.{}", unsigned(&token), part(sum.as_ref()))
        };
    });
    opens_nothing(&site, &fake, "HS256");
    fake.script(|script| {
        script.header.clear();
        script.twist = |token, _| format!("{}.", unsigned(&token));
    });
    opens_nothing(&site, &fake, "no signature");
    fake.script(|script| {
        script.twist = |token, _| format!("{}.{}", unsigned(&token), part([0; 64]));
    });
    opens_nothing(&site, &fake, "zeros");
    // Of the right kind, by a key that only has the right name.
    fake.script(|script| {
        script.twist = |token, key| {
            format!("{}.{}", unsigned(&token), Key::new(&key.kid).sign(unsigned(&token)))
        };
    });
    opens_nothing(&site, &fake, "another key");
    fake.script(|script| {
        script.twist = |token, key| {
            let mut parts = token.split('.');
            let header = parts.next().unwrap();
            let text = format!("{header}.{}", part(r#"{"sub":"root"}"#));
            format!("{text}.{}", key.sign(unsigned(&token)))
        };
    });
    opens_nothing(&site, &fake, "another body");
    fake.script(|script| script.twist = |token, _| token);
    opens(&site, &fake);
}

#[test]
fn attack_26_a_token_brings_no_key_of_its_own_and_a_kid_is_only_compared() {
    let fake = Fake::start("id.example");
    let site = site(&fake, CREATE);
    for (name, value) in [
        ("jwk", r#"{"kty":"EC","crv":"P-256","x":"","y":""}"#),
        ("jku", "\"https://other.example/keys\""),
        ("x5u", "\"https://other.example/keys\""),
        ("x5c", "[\"AA\"]"),
        ("crit", "[\"exp\"]"),
        ("kid", "\"../../../../dev/null\""),
        ("kid", "\"first' OR '1'='1\""),
        ("kid", "\"\""),
    ] {
        fake.script(|script| script.header = vec![(name, Some(value.to_owned()))]);
        opens_nothing(&site, &fake, name);
    }
    fake.script(|script| script.header = vec![("kid", None)]);
    opens_nothing(&site, &fake, "no kid");
}

#[test]
fn attack_27_a_rotated_key_is_taken_an_unknown_one_is_not_and_nobody_is_flooded() {
    let fake = Fake::start("id.example");
    let site = site(&fake, CREATE);
    opens(&site, &fake);
    let asked = || fake.asked("/realm/keys").len();
    assert_eq!(asked(), 1);
    opens(&site, &fake);
    assert_eq!(asked(), 1, "kept");
    fake.script(|script| {
        script.key = Key::new("second");
        script.told = Some("second".to_owned());
    });
    opens(&site, &fake);
    assert_eq!(asked(), 2, "asked for when it is needed");
    // What signs now is in no set.
    fake.script(|script| {
        script.key = Key::new("third");
        script.told = None;
    });
    let mut refused = 0;
    for _ in 0..12 {
        let page = Visitor::new(&site).by(&fake);
        refused += usize::from(page.status != 200);
    }
    assert_eq!(refused, 12);
    assert!(asked() <= 10, "{}", asked());
}

#[test]
fn attack_28_a_state_is_answered_once_in_the_browser_that_it_began_in() {
    let fake = Fake::start("id.example");
    let site = site(&fake, CREATE);
    let begin = |visitor: &mut Visitor<'_>| {
        let sent = visitor.choose("st", "");
        fake.agree(sent.header("location").expect("an address"))
    };
    let refused = |visitor: &mut Visitor<'_>, query: &str, what: &str| {
        let page = visitor.come_back("st", query);
        assert_eq!(page.status, 401, "{what}: {}", page.text());
        assert!(visitor.cookie("__Host-plummer-session").is_none(), "{what}");
    };
    let mut visitor = Visitor::new(&site);
    let back = begin(&mut visitor);
    let code = value(&format!("?{back}"), "code").unwrap();
    refused(&mut visitor, &format!("code={code}"), "no state");
    refused(&mut visitor, &format!("code={code}&state=guessed"), "a guessed state");
    let mut visitor = Visitor::new(&site);
    let back = begin(&mut visitor);
    let state = value(&format!("?{back}"), "state").unwrap();
    refused(&mut visitor, &format!("{back}&state={state}"), "two states");
    // A victim is made to come back with what an attacker began (sign-in CSRF).
    let mut attacker = Visitor::new(&site);
    let back = begin(&mut attacker);
    let mut victim = Visitor::new(&site);
    victim.open("/auth/sign-in");
    refused(&mut victim, &back, "another browser");
    refused(&mut attacker, &back, "it is over for everybody");
    let mut victim = Visitor::new(&site);
    begin(&mut victim);
    let mut attacker = Visitor::new(&site);
    let back = begin(&mut attacker);
    refused(&mut victim, &back, "a browser that began another");
    // Shown again, by whoever reads it in a history.
    let mut visitor = Visitor::new(&site);
    let back = begin(&mut visitor);
    let cookie = visitor.cookie("__Host-plummer-oidc").expect("a cookie");
    assert!(visitor.come_back("st", &back).text().contains("Grace Hopper"));
    let mut thief = Visitor::new(&site);
    thief.plant("__Host-plummer-oidc", &cookie);
    refused(&mut thief, &back, "a second time");
}

#[test]
fn attack_28_a_code_of_another_sign_in_opens_nothing_whether_or_not_the_issuer_looks() {
    let fake = Fake::start("id.example");
    let site = site(&fake, CREATE);
    for careless in [false, true] {
        fake.script(|script| script.careless = careless);
        let (mut victim, mut attacker) = (Visitor::new(&site), Visitor::new(&site));
        let stolen = victim.choose("st", "");
        let stolen = fake.agree(stolen.header("location").expect("an address"));
        let own = attacker.choose("st", "");
        let own = fake.agree(own.header("location").expect("an address"));
        let code = |query: &str| value(&format!("?{query}"), "code").unwrap();
        // The challenge holds it where the issuer looks, the nonce where it does not.
        let page = attacker.come_back("st", &own.replace(&code(&own), &code(&stolen)));
        assert_eq!(page.status, 401, "{}", page.text());
        assert!(attacker.cookie("__Host-plummer-session").is_none());
    }
    let asked = fake.asked("/realm/token").concat();
    assert!(asked.contains("code_verifier=") && !asked.contains("code_challenge"));
}

#[test]
fn attack_28_an_answer_of_another_issuer_is_not_taken() {
    let (honest, evil) = (Fake::start("id.example"), Fake::start("other.example"));
    let parties = vec![
        (&honest, honest.settings("st", CREATE), honest.trust()),
        (&evil, evil.settings("evil", CREATE), evil.trust()),
    ];
    let site = Site::federated(true, federate(parties));
    let begin = || {
        let mut visitor = Visitor::new(&site);
        let sent = visitor.choose("st", "");
        let back = honest.agree(sent.header("location").expect("an address"));
        (visitor, back)
    };
    let iss = |query: &str| value(&format!("?{query}"), "iss").unwrap();
    // The browser was sent to one, and comes back in the name of the other.
    let (mut visitor, back) = begin();
    assert_eq!(visitor.come_back("evil", &back).status, 401, "at the other's address");
    let (mut visitor, back) = begin();
    let named = back.replace(&iss(&back), &evil.issuer);
    assert_ne!(named, back);
    assert_eq!(visitor.come_back("st", &named).status, 401, "by the other's name");
    let (mut visitor, back) = begin();
    let nameless = back.split("&iss=").next().unwrap().to_owned();
    assert_eq!(visitor.come_back("st", &nameless).status, 401, "by no name, where it has one");
    assert!(evil.asked("/realm/token").is_empty(), "no code was given to the other");
    assert!(honest.asked("/realm/token").is_empty());
    // One that never names itself is held to its own address.
    evil.script(|script| script.names_itself = false);
    let mut visitor = Visitor::new(&site);
    let sent = visitor.choose("evil", "");
    let back = evil.agree(sent.header("location").expect("an address"));
    assert!(!back.contains("iss="));
    assert_eq!(visitor.come_back("evil", &back).status, 200);
}

#[test]
fn attack_28_nobody_begins_for_another_and_nobody_is_sent_to_an_address_that_was_sent_along() {
    let fake = Fake::start("id.example");
    let site = site(&fake, CREATE);
    for next in ["https://evil.example", "//evil.example", "/\\evil.example", "launch\r\nX: y"] {
        let mut visitor = Visitor::new(&site);
        let sent = visitor.choose("st", next);
        let back = fake.agree(sent.header("location").expect("an address"));
        let answer = visitor.send("GET", &format!("/auth/oidc-st?{back}"), &[], "");
        let own = format!("http://{}/today", site.address);
        assert_eq!(answer.header("location"), Some(own.as_str()), "{next}");
    }
    let mut visitor = Visitor::new(&site);
    visitor.open("/auth/sign-in");
    for unknown in ["nobody", "", "../token", "st/../../x", "ST"] {
        let answer = visitor.choose(unknown, "");
        assert_eq!((answer.status, answer.header("location")), (404, None), "{unknown}");
    }
    assert_eq!(visitor.open("/auth/oidc-nobody?state=a&code=b").status, 404);
    assert_eq!(visitor.open("/auth/oidc?issuer=st").status, 405, "a link begins nothing");
    visitor.form = "another".to_owned();
    assert_eq!(visitor.choose("st", "").status, 401, "nor does a form of another page");
    // What the issuer says went wrong is shown to nobody.
    let mut visitor = Visitor::new(&site);
    let sent = visitor.choose("st", "");
    let address = sent.header("location").expect("an address");
    let query = format!(
        "error=access_denied&error_description=%3Cscript%3E&state={}&iss={}",
        value(address, "state").unwrap(),
        fake.issuer
    );
    let page = visitor.come_back("st", &query);
    assert_eq!(page.status, 401);
    assert!(!page.text().contains("script") && !page.text().contains("access_denied"));
}

#[test]
fn attack_29_a_token_for_another_place_time_or_request_opens_nothing() {
    let fake = Fake::start("id.example");
    let site = site(&fake, r#","create":true,"max_age_s":600"#);
    let now = SystemClock.now().0 / 1000;
    let at = |seconds: i64| (now + seconds).to_string();
    for (name, value) in [
        ("iss", "\"https://other.example/realm\"".to_owned()),
        ("iss", "\"https://id.example/realm/\"".to_owned()),
        ("iss", String::new()),
        ("aud", "\"another\"".to_owned()),
        ("aud", "[]".to_owned()),
        ("aud", "[\"plummer\",\"another\"]".to_owned()),
        ("aud", String::new()),
        ("azp", "\"another\"".to_owned()),
        ("exp", at(-120)),
        ("exp", String::new()),
        ("exp", "\"never\"".to_owned()),
        ("iat", at(-3600)),
        ("iat", at(3600)),
        ("iat", String::new()),
        ("nbf", at(3600)),
        ("nonce", "\"another\"".to_owned()),
        ("nonce", String::new()),
        ("at_hash", "\"AAAAAAAAAAAAAAAAAAAAAA\"".to_owned()),
        ("sub", "\"\"".to_owned()),
        ("sub", String::new()),
        ("auth_time", at(-3600)),
        ("auth_time", at(3600)),
        ("auth_time", String::new()),
    ] {
        fake.says(&[(name, &value)]);
        opens_nothing(&site, &fake, &format!("{name} {value}"));
    }
    fake.says(&[("aud", "[\"plummer\"]"), ("azp", "\"plummer\""), ("at_hash", "")]);
    opens(&site, &fake);
}
