//! Attack 41 of the guard's list: what makes a server ask where it must not.

use crate::place::{Fake, Other, PUBLIC, answer, ask, ask_with, listing, origin};
use egress::{Bounds, Credential, Policy, Request, Target, Trust};
use http::HeaderValue;
use std::sync::Arc;
use zeroize::Zeroizing;

fn refused(policy: &Policy, text: &str, answers: &[&[&str]]) -> String {
    let network = Fake::answering(answers);
    let code = ask(&network, policy, text).expect_err(text);
    assert!(network.dialled.lock().unwrap().is_empty(), "{text} was called");
    code
}

fn reaching(answers: &[&[&str]], said: Vec<Vec<u8>>) -> (Arc<Fake>, Other) {
    let (network, other) = (Fake::answering(answers), Other::plain(said));
    *network.system.lock().unwrap() = Some(other.address);
    (network, other)
}

#[test]
fn nothing_is_reached_that_no_policy_permits() {
    let text = "https://lab.example/";
    assert_eq!(refused(&Policy::default(), text, &[&[PUBLIC]]), "egress.target.denied");
    let listed = listing(&["https://lab.example"]);
    for other in [
        "http://lab.example/",
        "https://lab.example:8443/",
        "https://lab.example.evil.example/",
        "https://lab.example.co/",
        "https://evil-lab.example/",
        "https://www.lab.example/",
    ] {
        assert_eq!(refused(&listed, other, &[&[PUBLIC]]), "egress.target.denied", "{other}");
    }
    let any = Policy { any_public: true, ..Policy::default() };
    assert_eq!(refused(&any, "http://lab.example/", &[&[PUBLIC]]), "egress.target.denied");
}

#[test]
fn attack_41_a_public_name_with_a_private_address_is_refused() {
    let any = Policy { any_public: true, ..listing(&["https://lab.example"]) };
    for address in [
        "127.0.0.1",
        "10.0.0.5",
        "169.254.169.254",
        "::1",
        "::ffff:127.0.0.1",
        "64:ff9b::a9fe:a9fe",
        "2002:7f00:1::",
        "fd00:ec2::254",
        "fe80::1",
    ] {
        let code = refused(&any, "https://lab.example/", &[&[address]]);
        assert_eq!(code, "egress.target.denied", "{address}");
        let mixed = refused(&any, "https://lab.example/", &[&[PUBLIC, address]]);
        assert_eq!(mixed, "egress.target.denied", "one bad address spoils all: {address}");
    }
}

#[test]
fn attack_41_an_address_in_place_of_a_name_is_judged_alike() {
    let any = Policy { any_public: true, ..Policy::default() };
    for text in [
        "https://127.0.0.1/",
        "https://[::1]/",
        "https://[::ffff:127.0.0.1]/",
        "https://[::ffff:7f00:1]/",
        "https://169.254.169.254/latest/meta-data/",
        "https://[fd00:ec2::254]/",
        "https://0.0.0.0/",
        "https://[::]/",
    ] {
        assert_eq!(refused(&any, text, &[]), "egress.target.denied", "{text}");
    }
    for text in [
        "https://2130706433/",
        "https://0177.0.0.1/",
        "https://u@127.0.0.1/",
        "https://a.example./",
    ] {
        assert_eq!(refused(&any, text, &[&[PUBLIC]]), "egress.target.invalid", "{text}");
    }
}

#[test]
fn attack_41_a_name_is_resolved_once_and_the_address_judged_is_the_one_called() {
    // The second answer would be the rebinding.
    let (network, _other) =
        reaching(&[&[PUBLIC], &["127.0.0.1"]], vec![answer(200, "", b"results")]);
    let policy = listing(&["http://lab.example"]);
    assert_eq!(ask(&network, &policy, "http://lab.example/a").unwrap(), "results");
    assert_eq!(*network.resolved.lock().unwrap(), ["lab.example"]);
    assert_eq!(network.dialled(), [format!("{PUBLIC}:80")]);
}

#[test]
fn attack_41_a_redirect_is_judged_like_the_first_address() {
    let redirecting = |to: &str| {
        let moved = answer(302, &format!("Location: {to}\r\n"), b"");
        reaching(&[&[PUBLIC]], vec![moved, answer(200, "", b"reached")])
    };
    let bounds = Bounds { redirects: 3, ..Bounds::default() };
    let policy = Policy { bounds, ..listing(&["http://lab.example", "http://other.example"]) };
    for to in [
        "http://169.254.169.254/latest/meta-data/",
        "http://127.0.0.1/",
        "http://[::ffff:127.0.0.1]/",
        "http://lab.example:8080/",
        "https://lab.example/",
        "http://lab.example.evil.example/",
    ] {
        let (network, other) = redirecting(to);
        let code = ask(&network, &policy, "http://lab.example/").expect_err(to);
        assert_eq!(code, "egress.target.denied", "{to}");
        assert_eq!(network.dialled().len(), 1, "{to}");
        // Whoever was asked notes it in a thread of its own.
        let began = std::time::Instant::now();
        while other.asked().is_empty() && began.elapsed().as_secs() < 10 {
            std::thread::yield_now();
        }
        assert_eq!(other.asked().len(), 1);
    }
    for to in ["//127.0.0.1/", "http://2130706433/", "gopher://lab.example/", "", "a", "http:/a"] {
        let (network, _other) = redirecting(to);
        let code = ask(&network, &policy, "http://lab.example/").expect_err(to);
        assert_eq!(code, "egress.target.invalid", "{to}");
    }
    for to in ["http://other.example/b", "/b"] {
        let (network, other) = redirecting(to);
        assert_eq!(ask(&network, &policy, "http://lab.example/").unwrap(), "reached", "{to}");
        assert!(other.asked()[1].starts_with("get /b http/1.1"));
        let names = network.resolved.lock().unwrap().len();
        assert_eq!(names, 2, "a hop resolves anew, since it is judged anew");
    }
}

#[test]
fn attack_41_a_redirect_to_a_name_that_turned_private_is_refused() {
    let moved = answer(302, "Location: /again\r\n", b"");
    let (network, _other) =
        reaching(&[&[PUBLIC], &["127.0.0.1"]], vec![moved, answer(200, "", b"reached")]);
    let bounds = Bounds { redirects: 3, ..Bounds::default() };
    let policy = Policy { bounds, ..listing(&["http://lab.example"]) };
    let code = ask(&network, &policy, "http://lab.example/").unwrap_err();
    assert_eq!((code.as_str(), network.dialled().len()), ("egress.target.denied", 1));
}

#[test]
fn redirects_are_not_followed_unless_asked_for_and_never_for_ever() {
    let moved = || answer(302, "Location: /again\r\n", b"elsewhere");
    let (network, _other) = reaching(&[&[PUBLIC]], vec![moved()]);
    let policy = listing(&["http://lab.example"]);
    assert_eq!(ask(&network, &policy, "http://lab.example/").unwrap(), "elsewhere");
    let (network, other) = reaching(&[&[PUBLIC]], (0..9).map(|_| moved()).collect());
    let bounds = Bounds { redirects: 3, ..Bounds::default() };
    let policy = Policy { bounds, ..policy };
    let code = ask(&network, &policy, "http://lab.example/").unwrap_err();
    assert_eq!((code.as_str(), other.asked().len()), ("egress.target.denied", 4));
    // What is sent is sent once: only reading follows.
    let (network, other) = reaching(&[&[PUBLIC]], vec![moved()]);
    let target = Target::parse("http://lab.example/").unwrap();
    let mut post = Request::get(target);
    post.method = http::Method::POST;
    let reply = ask_with(&network, &Trust::default(), &policy, post).unwrap();
    assert_eq!((reply.status.as_u16(), other.asked().len()), (302, 1));
}

#[test]
fn attack_41_a_credential_goes_to_its_own_origin_and_nowhere_else() {
    let bounds = Bounds { redirects: 3, ..Bounds::default() };
    let secret = |to| Credential::new(origin(to), Zeroizing::new("Bearer tok123".to_owned()));
    let policy = Policy {
        bounds,
        credentials: vec![secret("http://lab.example")],
        ..listing(&["http://lab.example", "http://lab.example:81", "http://lab.example.org"])
    };
    assert!(!format!("{policy:?}").contains("tok123"));
    for (text, sent) in [
        ("http://lab.example/a", true),
        ("http://LAB.example:80/a", true),
        ("http://lab.example:81/", false),
        ("http://lab.example.org/", false),
    ] {
        let (network, other) = reaching(&[&[PUBLIC]], vec![answer(200, "", b"x")]);
        ask(&network, &policy, text).unwrap();
        assert_eq!(other.asked()[0].contains("authorization: bearer tok123"), sent, "{text}");
    }
    // A redirect takes neither the credential nor what else was said along.
    let moved = answer(302, "Location: http://lab.example.org/\r\n", b"");
    let (network, other) = reaching(&[&[PUBLIC]], vec![moved, answer(200, "", b"x")]);
    let mut request = Request::get(Target::parse("http://lab.example/").unwrap());
    request.headers.insert("x-api-key", HeaderValue::from_static("key456"));
    request.headers.insert("accept", HeaderValue::from_static("application/json"));
    ask_with(&network, &Trust::default(), &policy, request).unwrap();
    let asked = other.asked();
    assert!(asked[0].contains("tok123") && asked[0].contains("key456"));
    assert!(!asked[1].contains("tok123") && !asked[1].contains("key456"));
    assert!(asked[1].contains("accept: application/json"));
}

#[test]
fn who_we_are_is_not_for_callers_to_say() {
    let network = Fake::answering(&[&[PUBLIC]]);
    let policy = listing(&["http://lab.example"]);
    for name in ["authorization", "host", "cookie", "content-length", "transfer-encoding"] {
        let mut request = Request::get(Target::parse("http://lab.example/").unwrap());
        request.headers.insert(name, HeaderValue::from_static("x"));
        let code = ask_with(&network, &Trust::default(), &policy, request).unwrap_err();
        assert_eq!(code, "egress.target.invalid", "{name}");
    }
    assert!(network.dialled().is_empty());
}

#[test]
fn a_private_system_is_reached_only_by_the_origin_that_is_listed_so() {
    let policy =
        Policy { private_origins: vec![origin("http://pacs.example:8042")], ..Policy::default() };
    let said = || vec![answer(200, "", b"images")];
    for address in ["10.0.0.5", "127.0.0.1", "fd12::1", "100.64.0.9"] {
        let (network, _other) = reaching(&[&[address]], said());
        assert_eq!(ask(&network, &policy, "http://pacs.example:8042/").unwrap(), "images");
    }
    for address in ["169.254.169.254", "fd00:ec2::254", "0.0.0.0", "224.0.0.1"] {
        let code = refused(&policy, "http://pacs.example:8042/", &[&[address]]);
        assert_eq!(code, "egress.target.denied", "{address}: no list reaches this");
    }
    assert_eq!(refused(&policy, "http://pacs.example/", &[&["10.0.0.5"]]), "egress.target.denied");
}
