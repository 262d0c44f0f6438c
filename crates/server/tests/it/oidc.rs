//! Signing in by an issuer, as people do it: who is let in, as whom, with which roles, and what is
//! told to whom it does not let in.

use crate::oidc_issuer::{Fake, SECRET, federate, site};
use crate::smart_site::{Site, Visitor};
use audit::event::Kind;
use identity::Assurance;

const LINK: &str = r#","link":true"#;
const CREATE: &str = r#","create":true"#;

#[test]
fn the_sign_in_page_offers_every_issuer_and_its_forms_lead_there() {
    let (one, two) = (Fake::start("id.example"), Fake::start("other.example"));
    let parties = vec![
        (&one, one.settings("st", LINK), one.trust()),
        (&two, two.settings("two", LINK), two.trust()),
    ];
    let site = Site::federated(true, federate(parties));
    let page = Visitor::new(&site).open("/auth/sign-in");
    let text = page.text();
    assert!(text.contains("value=\"st\">Sign in with House st<"), "{text}");
    assert!(text.contains("value=\"two\">Sign in with House two<"));
    assert!(text.contains("name=\"password\"") && !text.contains("<details"));
    let policy = page.header("content-security-policy").expect("a policy");
    assert!(policy.contains("form-action 'self' https://id.example https://other.example;"));
    assert!(one.asked("/realm/.well-known/openid-configuration").is_empty(), "nobody is asked yet");
}

#[test]
fn somebody_new_is_made_with_the_roles_that_follow_and_nothing_else() {
    let fake = Fake::start("id.example");
    let site = site(&fake, CREATE);
    let mut visitor = Visitor::new(&site);
    let sent = visitor.choose("st", "");
    assert_eq!(sent.status, 303, "{}", sent.text());
    let flags = visitor.set_cookies.iter().find(|c| c.starts_with("__Host-plummer-oidc="));
    let flags = flags.expect("a cookie");
    for flag in ["; Path=/", "; Secure", "; HttpOnly", "; SameSite=Lax", "; Max-Age=600"] {
        assert!(flags.contains(flag), "{flags}");
    }
    let back = fake.agree(sent.header("location").expect("an address"));
    let page = visitor.come_back("st", &back);
    assert!(page.text().contains("Grace Hopper"), "{}", page.text());
    assert!(visitor.cookie("__Host-plummer-oidc").is_none(), "it is over");
    assert_eq!(site.roles("grace"), ["nurse"]);
    let sessions = site.smart.identity().sessions(site.id("grace"));
    let [session] = sessions.as_slice() else { panic!("one session") };
    assert_eq!(session.issuer.map(|name| name.to_string()).as_deref(), Some("st"));
    assert_eq!(session.assurance, Assurance::Aal1);
    assert_eq!(site.logged(Kind::UserCreate).last().expect("an event"), "201 Principal,Issuer/st");
    assert_eq!(site.logged(Kind::SignIn), ["200 Principal,Session,Issuer/st"]);
    // The secret went to the token endpoint, in no address and no form.
    let asked = fake.asked("/realm/token").concat();
    assert!(
        !asked.contains("geheim") && !asked.contains(SECRET) && asked.contains("code_verifier=")
    );
    assert!(!sent.header("location").expect("one").contains("geheim"));
}

#[test]
fn a_person_who_is_here_is_linked_once_and_known_from_then_on_by_the_issuers_own_name() {
    let fake = Fake::start("id.example");
    let site = site(&fake, LINK);
    fake.says(&[("preferred_username", "\"EVE\"")]);
    let page = Visitor::new(&site).by(&fake);
    assert!(page.text().contains("eve Someone"), "{}", page.text());
    assert_eq!(site.logged(Kind::Linked), ["200 Principal,Issuer/st"]);
    // She is known by her subject: another name changes nothing, and leads to nobody else.
    fake.says(&[("preferred_username", "\"mallory\"")]);
    let page = Visitor::new(&site).by(&fake);
    assert!(page.text().contains("eve Someone"), "{}", page.text());
    assert_eq!(site.logged(Kind::Linked).len(), 1);
    // And her name, given to another person there, is not hers here.
    fake.says(&[("preferred_username", "\"eve\""), ("sub", "\"subject-2\"")]);
    let page = Visitor::new(&site).by(&fake);
    assert_eq!(page.status, 403, "{}", page.text());
    // Until an operator forgets the link, which ends what came by it.
    let (identity, eve) = (site.smart.identity(), site.id("eve"));
    assert_eq!(identity.unlink(eve).expect("forgotten"), 1);
    assert!(identity.sessions(eve).is_empty());
    let page = Visitor::new(&site).by(&fake);
    assert!(page.text().contains("eve Someone"), "{}", page.text());
}

#[test]
fn a_role_that_is_taken_away_there_is_gone_at_the_next_sign_in_and_in_what_is_open() {
    let fake = Fake::start("id.example");
    let site = site(&fake, LINK);
    site.give("eve", &["biller", "clinician"]);
    fake.says(&[("preferred_username", "\"eve\""), ("groups", "[\"nurses\",\"doctors\"]")]);
    let mut visitor = Visitor::new(&site);
    visitor.by(&fake);
    assert_eq!(site.roles("eve"), ["biller", "clinician", "nurse"], "what was given here stays");
    let token = visitor.cookie("__Host-plummer-session").expect("a session");
    fake.says(&[("groups", "[\"nurses\"]")]);
    Visitor::new(&site).by(&fake);
    assert_eq!(site.roles("eve"), ["biller", "nurse"]);
    let open = site.smart.identity().find(&token, None).expect("still open");
    assert_eq!(open.principal.profile.roles, ["biller", "nurse"]);
    assert_eq!(site.logged(Kind::RolesMapped), ["200 Principal,Issuer/st"; 2]);
    // Whom no role is left to is not let in, and has lost them.
    site.give("eve", &["nurse"]);
    fake.says(&[("groups", "[]")]);
    assert_eq!(Visitor::new(&site).by(&fake).status, 403);
    assert!(site.roles("eve").is_empty());
}

#[test]
fn whom_the_site_does_not_take_reads_one_page_whatever_the_reason() {
    let fake = Fake::start("id.example");
    let linking = site(&fake, LINK);
    let creating = site(&fake, CREATE);
    let mut pages = Vec::new();
    let mut refused = |site: &Site, claims: &[(&'static str, &str)]| {
        fake.says(claims);
        let mut visitor = Visitor::new(site);
        let page = visitor.by(&fake);
        assert_eq!(page.status, 403, "{claims:?}: {}", page.text());
        assert!(visitor.cookie("__Host-plummer-session").is_none());
        assert!(page.text().contains("identity.federated.refused"));
        pages.push(page.text());
    };
    refused(&linking, &[("preferred_username", "\"nobody\"")]);
    refused(&linking, &[("preferred_username", "")]);
    refused(&linking, &[("preferred_username", "\"two words\"")]);
    refused(&linking, &[("preferred_username", "\"tests\"")]);
    refused(&creating, &[("preferred_username", "\"eve\"")]);
    refused(&creating, &[("groups", "[\"strangers\"]")]);
    linking.give("eve", &["it-administrator"]);
    refused(&linking, &[("preferred_username", "\"eve\"")]);
    let mallory = linking.smart.identity().find_by_name("mallory").unwrap().unwrap();
    linking.smart.identity().disable(mallory.id, mallory.version, "left").unwrap();
    refused(&linking, &[("preferred_username", "\"mallory\"")]);
    assert!(pages.windows(2).all(|two| two[0] == two[1]), "one page");
    let logged = linking.logged(Kind::SignInFailed);
    assert_eq!(logged.len(), 6);
    assert!(logged.iter().all(|line| line.starts_with("401 ") && line.ends_with("Issuer/st")));
    assert!(linking.logged(Kind::Linked).is_empty());
}

#[test]
fn who_is_disabled_is_out_at_once_and_the_issuer_cannot_bring_them_back() {
    let fake = Fake::start("id.example");
    let site = site(&fake, CREATE);
    let mut visitor = Visitor::new(&site);
    visitor.by(&fake);
    let token = visitor.cookie("__Host-plummer-session").expect("a session");
    let grace = site.smart.identity().find_by_name("grace").unwrap().unwrap();
    site.smart.identity().disable(grace.id, grace.version, "left").unwrap();
    assert!(site.smart.identity().find(&token, None).is_err());
    assert_eq!(Visitor::new(&site).by(&fake).status, 403);
}

#[test]
fn who_becomes_an_administrator_loses_what_an_issuer_opened() {
    let fake = Fake::start("id.example");
    let site = site(&fake, LINK);
    let recovery = site.enrol("eve");
    fake.says(&[("preferred_username", "\"mallory\"")]);
    let mut open = Visitor::new(&site);
    open.by(&fake);
    let token = open.cookie("__Host-plummer-session").expect("a session");
    let mut own = Visitor::new(&site);
    own.open("/auth/sign-in");
    own.sign_in_for("mallory", "");
    let kept = own.cookie("__Host-plummer-session").expect("a session");
    site.give("mallory", &["it-administrator"]);
    assert!(site.smart.identity().find(&token, None).is_err());
    assert!(site.smart.identity().find(&kept, None).is_ok(), "what was opened here stays");
    // Nor does it help to be halfway when the role is given.
    fake.says(&[("preferred_username", "\"eve\""), ("sub", "\"subject-2\"")]);
    let mut halfway = Visitor::new(&site);
    let page = halfway.by(&fake);
    let handle = page.field("handle").expect("a handle");
    site.give("eve", &["it-administrator"]);
    let page = halfway.send_form(&[("next", ""), ("handle", &handle), ("code", &recovery)]);
    assert_eq!(page.status, 401);
}

#[test]
fn only_verified_addresses_of_the_listed_domains_are_taken() {
    let fake = Fake::start("id.example");
    let site = site(&fake, r#","create":true,"email_domains":["hospital.example"]"#);
    let good = ("email", "\"grace@hospital.example\"");
    for bad in [
        vec![],
        vec![good],
        vec![good, ("email_verified", "false")],
        vec![("email", "\"grace@evil.example\""), ("email_verified", "true")],
    ] {
        fake.says(&bad);
        assert_eq!(Visitor::new(&site).by(&fake).status, 403, "{bad:?}");
    }
    fake.says(&[good, ("email_verified", "true")]);
    assert!(Visitor::new(&site).by(&fake).text().contains("Grace Hopper"));
}

#[test]
fn the_second_factor_of_somebody_here_is_asked_for_unless_the_issuer_saw_two() {
    let fake = Fake::start("id.example");
    let site =
        site(&fake, r#","link":true,"second_factor_amr":["mfa"],"second_factor_acr":["urn:two"]"#);
    let recovery = site.enrol("eve");
    fake.says(&[("preferred_username", "\"eve\""), ("amr", "[\"pwd\"]")]);
    let mut visitor = Visitor::new(&site);
    let page = visitor.by(&fake);
    assert!(page.text().contains("One more step"), "{}", page.text());
    assert!(visitor.cookie("__Host-plummer-session").is_none(), "nothing is open yet");
    let handle = page.field("handle").expect("a handle");
    let page = visitor.send_form(&[("next", ""), ("handle", &handle), ("code", &recovery)]);
    assert!(page.text().contains("eve Someone"), "{}", page.text());
    let session = &site.smart.identity().sessions(site.id("eve"))[0];
    assert_eq!(session.assurance, Assurance::Aal2);
    assert_eq!(session.issuer.map(|name| name.to_string()).as_deref(), Some("st"));
    for claims in [("amr", "[\"pwd\",\"mfa\"]"), ("acr", "\"urn:two\"")] {
        fake.says(&[claims]);
        let page = Visitor::new(&site).by(&fake);
        assert!(page.text().contains("eve Someone"), "{}", page.text());
        assert_eq!(site.smart.identity().sessions(site.id("eve"))[0].assurance, Assurance::Aal2);
    }
}

#[test]
fn nobody_is_linked_by_a_name_before_the_second_factor_of_here_was_shown() {
    let fake = Fake::start("id.example");
    let site = site(&fake, r#","link":true,"second_factor_amr":["mfa"]"#);
    let recovery = site.enrol("eve");
    let (identity, eve) = (site.smart.identity(), site.id("eve"));
    let before = identity.principal(eve).unwrap();
    // Somebody who could call themself so elsewhere, with two factors there.
    fake.says(&[("preferred_username", "\"eve\""), ("amr", "[\"pwd\",\"mfa\"]")]);
    let mut visitor = Visitor::new(&site);
    let page = visitor.by(&fake);
    assert!(page.text().contains("One more step"), "{}", page.text());
    assert_eq!(identity.links(eve).unwrap(), []);
    assert_eq!(identity.principal(eve).unwrap(), before, "roles are as they were");
    // What waits is void once the operator said whom the issuer does not mean.
    let handle = page.field("handle").expect("a handle");
    identity.unlink(eve).unwrap();
    let page = visitor.send_form(&[("next", ""), ("handle", &handle), ("code", &recovery)]);
    assert!(!page.text().contains("eve Someone"), "{}", page.text());
    // Eve herself.
    let mut visitor = Visitor::new(&site);
    let page = visitor.by(&fake);
    let handle = page.field("handle").expect("a handle");
    let page = visitor.send_form(&[("next", ""), ("handle", &handle), ("code", &recovery)]);
    assert!(page.text().contains("eve Someone"), "{}", page.text());
    assert_eq!(identity.links(eve).unwrap().len(), 1);
}

#[test]
fn a_factor_that_nobody_saw_today_is_not_fresh() {
    let fake = Fake::start("id.example");
    let site = site(&fake, CREATE);
    for (claim, fresh) in [("1000", false), ("", false), ("99999999999", true)] {
        fake.says(&[("auth_time", claim)]);
        let mut visitor = Visitor::new(&site);
        visitor.by(&fake);
        let token = visitor.cookie("__Host-plummer-session").expect("a session");
        let caller = site.smart.identity().find(&token, None).expect("open");
        assert_eq!(site.smart.identity().need_step_up(&caller).is_ok(), fresh, "{claim}");
    }
}

#[test]
fn without_local_sign_in_administrators_alone_enter_by_password() {
    let fake = Fake::start("id.example");
    let settings = fake.settings("st", LINK);
    let site = Site::federated(false, federate(vec![(&fake, settings, fake.trust())]));
    let mut visitor = Visitor::new(&site);
    let page = visitor.open("/auth/sign-in");
    assert!(page.text().contains("Administrators sign in here"), "{}", page.text());
    let right = visitor.sign_in_for("eve", "");
    let mut other = Visitor::new(&site);
    other.open("/auth/sign-in");
    let form = other.form.clone();
    let wrong = other.post_sign_in("eve", "a wrong password", "");
    assert_eq!((right.status, wrong.status), (401, 401));
    let plain = |text: String, form: &str| text.replace(form, "");
    assert_eq!(plain(right.text(), &visitor.form), plain(wrong.text(), &form), "one answer");
    site.give("mallory", &["it-administrator"]);
    assert!(visitor.sign_in_for("mallory", "").text().contains("mallory Someone"));
}

#[test]
fn an_app_that_waits_is_answered_after_a_sign_in_by_an_issuer() {
    let fake = Fake::start("id.example");
    let site = site(&fake, LINK);
    fake.says(&[("preferred_username", "\"eve\""), ("groups", "[\"doctors\"]")]);
    let mut visitor = Visitor::new(&site);
    visitor.open(&site.authorize("launch/patient patient/*.rs"));
    let request = visitor.request.clone();
    let sent = visitor.choose("st", &request);
    let back = fake.agree(sent.header("location").expect("an address"));
    let page = visitor.come_back("st", &back);
    assert!(page.text().contains("Choose a patient"), "{}", page.text());
}

#[test]
fn an_issuer_that_cannot_be_reached_or_proven_is_told_so_and_others_are_not_kept_waiting() {
    let (fake, other) = (Fake::start("id.example"), Fake::start("other.example"));
    // Believed by another authority than its own: somebody stands in between.
    let parties = vec![
        (&fake, fake.settings("st", LINK), other.trust()),
        (&other, other.settings("two", CREATE), other.trust()),
    ];
    let site = Site::federated(true, federate(parties));
    let mut visitor = Visitor::new(&site);
    let page = visitor.choose("st", "");
    assert_eq!(page.status, 503, "{}", page.text());
    assert!(page.text().contains("identity.federated.unavailable"));
    assert!(page.text().contains("Back to the sign-in page"));
    let sent = visitor.choose("two", "");
    let back = other.agree(sent.header("location").expect("an address"));
    assert!(visitor.come_back("two", &back).text().contains("Grace Hopper"));
}
