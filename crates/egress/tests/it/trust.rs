//! Whom we believe, and that nothing is sent to anybody else.

use crate::place::{Authority, Fake, Other, PUBLIC, answer, ask_with, listing, origin};
use egress::{Credential, Policy, Request, Target, Trust};
use rustls::ServerConfig;
use std::sync::Arc;
use zeroize::Zeroizing;

const TEXT: &str = "https://lab.example/results";

fn asked(server: Arc<ServerConfig>, trust: &Trust) -> (Result<Vec<u8>, String>, Vec<String>) {
    let network = Fake::answering(&[&[PUBLIC]]);
    let other = Other::tls(vec![answer(200, "", b"results")], server);
    *network.system.lock().unwrap() = Some(other.address);
    let secret = Zeroizing::new("Bearer tok123".to_owned());
    let policy = Policy {
        credentials: vec![Credential::new(origin("https://lab.example"), secret)],
        ..listing(&["https://lab.example"])
    };
    let request = Request::get(Target::parse(TEXT).unwrap());
    let reply = ask_with(&network, trust, &policy, request).map(|reply| Vec::from(reply.body));
    (reply, other.asked())
}

#[test]
fn a_system_that_proves_its_name_is_asked() {
    let authority = Authority::new();
    let (reply, asked) = asked(authority.server("lab.example", 2020..2090), &authority.trust());
    assert_eq!(reply.unwrap(), b"results");
    assert!(asked[0].starts_with("get /results http/1.1"), "{asked:?}");
    assert!(asked[0].contains("host: lab.example\r\n") && asked[0].contains("tok123"));
}

#[test]
fn nothing_is_sent_to_a_system_that_does_not() {
    let authority = Authority::new();
    let untrusted = Err("egress.answer.untrusted".to_owned());
    for (server, trust) in [
        (authority.server("evil.example", 2020..2090), authority.trust()),
        (authority.server("lab.example", 2001..2002), authority.trust()),
        (authority.server("lab.example", 2080..2090), authority.trust()),
        (Authority::new().server("lab.example", 2020..2090), authority.trust()),
        (authority.server("lab.example", 2020..2090), Trust::default()),
    ] {
        let (reply, asked) = asked(server, &trust);
        assert_eq!(reply, untrusted);
        assert!(asked.iter().all(|said| !said.contains("tok123") && !said.contains("results")));
    }
}

#[test]
fn plaintext_is_no_answer_to_tls() {
    let network = Fake::answering(&[&[PUBLIC]]);
    let other = Other::plain(vec![answer(200, "", b"results")]);
    *network.system.lock().unwrap() = Some(other.address);
    let request = Request::get(Target::parse(TEXT).unwrap());
    let policy = listing(&["https://lab.example"]);
    // It waits for a head, which a handshake is not; the time ends it.
    let policy = Policy { bounds: egress::Bounds { total_ms: 300, ..policy.bounds }, ..policy };
    let code = ask_with(&network, &Trust::default(), &policy, request).unwrap_err();
    assert!(["egress.answer.untrusted", "egress.answer.timeout"].contains(&code.as_str()));
}

#[test]
fn authorities_that_cannot_be_read_are_refused() {
    let clock = || Arc::new(base::time::SystemClock);
    let network = || Arc::new(egress::System);
    for own in [b"nothing".to_vec(), Vec::new()] {
        let trust = Trust { web: true, own: Some(own) };
        assert!(egress::Egress::new(network(), &trust, clock()).is_err());
    }
    assert!(egress::Egress::new(network(), &Trust::default(), clock()).is_ok());
}
