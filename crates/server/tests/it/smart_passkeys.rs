//! Passkeys in a browser: the pages that ask for them, what runs on those pages, and that everything
//! goes on without (W3C Web Authentication Level 3; 45 CFR 164.312(d)).

use crate::client::Answer;
use crate::smart_site::{Site, Visitor};
use testkit::authenticator::Authenticator;

pub(crate) const HERE: &str = "https://ehr.example";

/// What a page asks the browser for.
pub(crate) fn asked(page: &Answer) -> String {
    let text = page.text();
    let at = text.find("data-passkey=\"").expect("a page that asks for a passkey") + 14;
    let quoted = text[at..].split('"').next().expect("its end");
    quoted.replace("&quot;", "\"").replace("&amp;", "&")
}

/// Sends a form of ours.
pub(crate) fn send(visitor: &mut Visitor<'_>, path: &str, fields: &[(&str, &str)]) -> Answer {
    let form = visitor.form.clone();
    let mut all = vec![("form".to_owned(), form)];
    all.extend(fields.iter().map(|(n, v)| ((*n).to_owned(), (*v).to_owned())));
    let answer = visitor.post(path, &all, &[("Origin", HERE)]);
    visitor.follow(answer)
}

/// Signs in and makes a passkey; the page that follows.
fn make(visitor: &mut Visitor<'_>, device: &mut Authenticator) -> Answer {
    visitor.open("/auth/factors");
    let page = visitor.sign_in_for("eve", "factors");
    assert!(page.text().contains("You have no passkey."), "{}", page.text());
    let page = send(visitor, "/auth/factors", &[("do", "new")]);
    let answer = device.make(&asked(&page));
    let handle = page.field("asked").expect("a handle");
    let fields = [("do", "add"), ("asked", &*handle), ("answer", &*answer), ("name", "Key ring")];
    send(visitor, "/auth/factors", &fields)
}

/// Signs in with the password and whatever `show` says to the question of the second step.
fn second(visitor: &mut Visitor<'_>, show: impl FnOnce(&str) -> String) -> Answer {
    visitor.open("/auth/sign-in");
    let page = visitor.sign_in_for("eve", "");
    let answer = show(&asked(&page));
    let handle = page.field("handle").expect("a handle");
    let asked = page.field("asked").expect("a question");
    let fields =
        [("handle", &*handle), ("asked", &*asked), ("answer", &*answer), ("next", "factors")];
    send(visitor, "/auth/sign-in", &fields)
}

/// Signs in with a passkey alone.
fn alone(visitor: &mut Visitor<'_>, show: impl FnOnce(&str) -> String) -> Answer {
    visitor.open("/auth/sign-in");
    let page = send(visitor, "/auth/passkey", &[("next", "factors")]);
    let answer = show(&asked(&page));
    let handle = page.field("asked").expect("a question");
    send(
        visitor,
        "/auth/passkey",
        &[("asked", &*handle), ("answer", &*answer), ("next", "factors")],
    )
}

#[test]
fn a_passkey_is_made_on_the_page_then_asked_for_and_signs_in_alone() {
    let site = Site::named(HERE);
    let mut device = Authenticator::at(HERE);
    let page = make(&mut Visitor::new(&site), &mut device);
    assert!(page.text().contains("Your recovery codes"), "{}", page.text());
    let page = second(&mut Visitor::new(&site), |options| device.show(options));
    assert!(page.text().contains("Key ring"), "{}", page.text());
    let page = alone(&mut Visitor::new(&site), |options| device.show(options));
    assert!(page.text().contains("Key ring"), "{}", page.text());
}

#[test]
fn what_is_wrong_about_a_passkey_is_one_refusal_and_the_page_asks_anew() {
    let site = Site::named(HERE);
    let mut device = Authenticator::at(HERE);
    make(&mut Visitor::new(&site), &mut device);
    device.origin = "https://evil.example".to_owned();
    for page in [
        alone(&mut Visitor::new(&site), |options| device.show(options)),
        second(&mut Visitor::new(&site), |options| device.show(options)),
        alone(&mut Visitor::new(&site), |_| "{}".to_owned()),
        alone(&mut Visitor::new(&site), |_| String::new()),
    ] {
        assert_eq!(page.status, 401);
        assert!(page.text().contains("The sign-in did not succeed."), "{}", page.text());
        asked(&page);
    }
}

#[test]
fn a_passkey_is_renamed_and_removed_by_its_owner() {
    let site = Site::named(HERE);
    let mut device = Authenticator::at(HERE);
    let mut visitor = Visitor::new(&site);
    make(&mut visitor, &mut device);
    let page = visitor.open("/auth/factors");
    let text = page.text();
    let at = text.find("<li>").expect("a passkey");
    let id = text[at..].split("name=\"passkey\" value=\"").nth(1).expect("its id");
    let id = id.split('"').next().expect("its end").to_owned();
    let page =
        send(&mut visitor, "/auth/factors", &[("do", "rename"), ("passkey", &id), ("name", "<b>")]);
    assert!(page.text().contains("<h2>&lt;b&gt;</h2>"), "{}", page.text());
    let page =
        send(&mut visitor, "/auth/factors", &[("do", "rename"), ("passkey", &id), ("name", "")]);
    assert_eq!(page.status, 400);
    assert!(page.text().contains("Give the passkey a name"), "{}", page.text());
    let page = send(&mut visitor, "/auth/factors", &[("do", "remove"), ("passkey", &id)]);
    assert!(page.text().contains("You have no passkey."), "{}", page.text());
    let page = alone(&mut Visitor::new(&site), |options| device.show(options));
    assert_eq!(page.status, 401);
}

#[test]
fn a_factor_is_shown_again_by_passkey_and_the_page_leads_back() {
    let site = Site::named(HERE);
    let mut device = Authenticator::at(HERE);
    let mut visitor = Visitor::new(&site);
    make(&mut visitor, &mut device);
    let page = visitor.open("/auth/confirm");
    assert!(page.text().contains("Is it still you?") && !page.text().contains("Password"));
    let answer = device.show(&asked(&page));
    let handle = page.field("asked").expect("a question");
    let fields = [("asked", &*handle), ("answer", &*answer)];
    let page = send(&mut visitor, "/auth/confirm", &fields);
    assert!(page.text().contains("How I sign in"), "{}", page.text());
    let page = send(&mut visitor, "/auth/confirm", &fields);
    assert_eq!(page.status, 401, "an answer is taken once");
}

#[test]
fn pages_that_ask_for_a_passkey_run_one_script_and_no_other_page_runs_any() {
    let site = Site::named(HERE);
    let mut visitor = Visitor::new(&site);
    let page = visitor.open("/auth/sign-in");
    assert!(page.text().contains("Sign in with a passkey"));
    assert!(!page.text().contains("<script"), "{}", page.text());
    let policy = page.header("content-security-policy").expect("a policy");
    assert!(policy.contains("default-src 'none'") && !policy.contains("script-src"), "{policy}");
    assert!(
        page.header("permissions-policy").expect("one").contains("publickey-credentials-get=()")
    );
    let page = send(&mut visitor, "/auth/passkey", &[]);
    let policy = page.header("content-security-policy").expect("a policy");
    assert!(policy.contains("script-src https://ehr.example/auth/passkey.js;"), "{policy}");
    assert!(policy.contains("default-src 'none'") && !policy.contains("unsafe"), "{policy}");
    let permissions = page.header("permissions-policy").expect("one");
    assert!(permissions.contains("publickey-credentials-get=(self)"), "{permissions}");
    assert_eq!(page.text().matches("<script").count(), 1);
    assert!(page.text().contains("<noscript>"), "says what to do without a script");
    let script = site.send("GET", "/auth/passkey.js", &[], "");
    assert_eq!(script.header("content-type"), Some("text/javascript; charset=utf-8"));
    assert_eq!(script.header("x-content-type-options"), Some("nosniff"));
    assert!(!script.text().contains("eval") && !script.text().contains("innerHTML"));
}

#[test]
fn where_browsers_have_no_passkeys_the_pages_go_on_without() {
    let site = Site::guarded();
    let mut visitor = Visitor::new(&site);
    let page = visitor.open("/auth/sign-in");
    assert!(!page.text().contains("passkey"), "{}", page.text());
    let form = visitor.form.clone();
    let answer = visitor.post("/auth/passkey", &[("form".to_owned(), form)], &[]);
    assert_eq!(answer.status, 405);
    let code = site.enrol("eve");
    let page = visitor.sign_in("eve");
    assert!(page.text().contains("Six digits") && !page.text().contains("<script"));
    let handle = page.field("handle").expect("a handle");
    let page = visitor.send_form(&[("handle", &handle), ("code", &code)]);
    assert!(page.text().contains("How you sign in"), "the menu leads there");
    let page = visitor.open("/auth/factors");
    assert!(page.text().contains("over TLS"), "{}", page.text());
}

#[test]
fn a_foreign_page_cannot_ask_for_a_passkey_or_remove_one() {
    let site = Site::named(HERE);
    let mut visitor = Visitor::new(&site);
    make(&mut visitor, &mut Authenticator::at(HERE));
    for path in ["/auth/passkey", "/auth/factors", "/auth/confirm"] {
        let fields = [("form".to_owned(), "x".to_owned()), ("do".to_owned(), "remove".to_owned())];
        let answer = visitor.post(path, &fields, &[("Origin", HERE)]);
        assert_eq!(answer.status, 401, "{path}");
        let answer = visitor.post(path, &fields, &[("Origin", "https://evil.example")]);
        assert_eq!(answer.status, 400, "{path}");
    }
}
