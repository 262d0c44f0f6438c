//! A mail server of the test's own, which speaks the few verbs, and what is told it.

use base::Millis;
use base::time::SystemClock;
use courier::{
    Credentials, Email, Message, Phone, Security, Sender, Smtp, SmtpSettings, To, Unsent,
};
use egress::Trust;
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ServerConfig, ServerConnection, StreamOwned};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use zeroize::Zeroizing;

/// How the server is just now: what it says to a verb in place of its usual answer.
#[derive(Debug, Clone, Default)]
struct World {
    instead: Vec<(&'static str, &'static str)>,
    no_tls: bool,
    /// Sent right behind the answer to STARTTLS, before TLS.
    injected: &'static str,
    silent: bool,
}

#[derive(Debug)]
struct Place {
    port: u16,
    heard: Arc<Mutex<Vec<String>>>,
    authority: Vec<u8>,
}

/// An authority of the test's own and a server whom it vouches for.
fn certificates() -> (Arc<ServerConfig>, Vec<u8>) {
    let mut params = CertificateParams::default();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let authority = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();
    let key = KeyPair::generate().unwrap();
    let params = CertificateParams::new(vec!["127.0.0.1".to_owned()]).unwrap();
    let own = params.signed_by(&key, &authority).unwrap();
    let chain = vec![CertificateDer::from(own.der().to_vec())];
    let key = PrivateKeyDer::from_pem_slice(key.serialize_pem().as_bytes()).unwrap();
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(chain, key)
        .unwrap();
    (Arc::new(config), authority.pem().into_bytes())
}

impl Place {
    fn start(world: World, implicit: bool) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let heard = Arc::new(Mutex::new(Vec::new()));
        let (tls, authority) = certificates();
        let kept = Arc::clone(&heard);
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let (world, kept, tls) = (world.clone(), Arc::clone(&kept), Arc::clone(&tls));
                std::thread::spawn(move || serve(stream, &world, &kept, &tls, implicit));
            }
        });
        Self { port, heard, authority }
    }

    fn smtp(&self, security: Security, credentials: bool, trusted: bool) -> Smtp {
        let credentials = credentials.then(|| Credentials {
            user: "desk".to_owned(),
            password: Zeroizing::new("secret".to_owned()),
        });
        let settings = SmtpSettings {
            host: "127.0.0.1".to_owned(),
            port: self.port,
            security,
            credentials,
            from: Email::parse("desk@clinic.example").unwrap(),
            from_name: "Lake Clinic".to_owned(),
            patience: Duration::from_millis(3_000),
        };
        let own = trusted.then(|| self.authority.clone());
        let trust = Trust { web: !trusted, own };
        Smtp::new(settings, &trust, Arc::new(SystemClock)).unwrap()
    }

    /// The same, when the last of it has come: a client does not wait for the answer to its farewell.
    fn heard_to_the_end(&self) -> Vec<String> {
        for _ in 0..1000 {
            if self.heard().iter().any(|line| line == "QUIT") {
                break;
            }
            std::thread::sleep(Duration::from_millis(5));
        }
        self.heard()
    }

    fn heard(&self) -> Vec<String> {
        self.heard.lock().unwrap().clone()
    }
}

fn serve(
    mut stream: TcpStream,
    world: &World,
    kept: &Mutex<Vec<String>>,
    tls: &Arc<ServerConfig>,
    implicit: bool,
) {
    if implicit {
        let connection = ServerConnection::new(Arc::clone(tls)).unwrap();
        let mut stream = StreamOwned::new(connection, stream);
        let _ = talk(&mut stream, world, kept, true, true);
    } else if talk(&mut stream, world, kept, true, false) {
        let connection = ServerConnection::new(Arc::clone(tls)).unwrap();
        let mut stream = StreamOwned::new(connection, stream);
        let _ = talk(&mut stream, world, kept, false, true);
    }
}

/// Answers whether TLS is to begin.
fn talk<S: Read + Write>(
    stream: &mut S,
    world: &World,
    kept: &Mutex<Vec<String>>,
    greets: bool,
    secure: bool,
) -> bool {
    if greets && stream.write_all(b"220 mail.example ESMTP\r\n").is_err() {
        return false;
    }
    let mut in_data = false;
    let mut line = Vec::new();
    loop {
        line.clear();
        let mut reader = BufReader::with_capacity(1, &mut *stream);
        if !matches!(reader.read_until(b'\n', &mut line), Ok(n) if n > 0) {
            return false;
        }
        let text = String::from_utf8_lossy(&line).trim_end().to_owned();
        kept.lock().unwrap().push(text.clone());
        if in_data && text != "." {
            continue;
        }
        let verb = if in_data { "." } else { text.split([' ', ':']).next().unwrap_or_default() };
        let told = world.instead.iter().find(|(of, _)| *of == verb).map(|(_, says)| *says);
        let usual = match verb {
            "EHLO" if secure || world.no_tls => {
                "250-mail.example\r\n250-8BITMIME\r\n250 AUTH PLAIN LOGIN"
            }
            "EHLO" => "250-mail.example\r\n250 STARTTLS",
            "STARTTLS" => "220 go on",
            "AUTH" => "235 welcome",
            "DATA" => "354 go on",
            "QUIT" => "221 bye",
            _ => "250 fine",
        };
        if world.silent && verb == "RCPT" {
            return false;
        }
        in_data = verb == "DATA" && told.is_none();
        let mut answer = format!("{}\r\n", told.unwrap_or(usual));
        if verb == "STARTTLS" {
            answer.push_str(world.injected);
        }
        if stream.write_all(answer.as_bytes()).and_then(|()| stream.flush()).is_err() {
            return false;
        }
        if verb == "STARTTLS" && told.is_none() {
            return true;
        }
        if verb == "QUIT" {
            return false;
        }
    }
}

fn message() -> Message {
    Message {
        id: "m-1".to_owned(),
        to: To::Email(Email::parse("jane@mail.example").unwrap()),
        subject: "Your appointment".to_owned(),
        text: ".a line that begins with a full stop".to_owned(),
        language: "en".to_owned(),
        at: Millis(1_796_133_600_000),
    }
}

fn later(outcome: Result<(), Unsent>) -> String {
    match outcome.unwrap_err() {
        Unsent::Later { fault, .. } => fault.to_string(),
        Unsent::Refused(fault) => panic!("refused: {fault}"),
    }
}

#[test]
fn mail_is_handed_on_by_tls_and_the_password_is_said_by_tls_alone() {
    for (security, implicit) in [(Security::StartTls, false), (Security::Implicit, true)] {
        let place = Place::start(World::default(), implicit);
        place.smtp(security, true, true).send(&message()).unwrap();
        let heard = place.heard_to_the_end();
        let auth = heard.iter().position(|line| line == "AUTH PLAIN AGRlc2sAc2VjcmV0").unwrap();
        let begun = heard.iter().position(|line| line == "STARTTLS");
        assert!(implicit || begun.unwrap() < auth, "{heard:?}");
        for line in [
            "MAIL FROM:<desk@clinic.example>",
            "RCPT TO:<jane@mail.example>",
            "Message-ID: <m-1@clinic.example>",
            ".",
        ] {
            assert!(heard.iter().any(|heard| heard == line), "{line} in {heard:?}");
        }
    }
}

#[test]
fn without_tls_nothing_is_said_of_anybody() {
    let place = Place::start(World { no_tls: true, ..World::default() }, false);
    later(place.smtp(Security::StartTls, true, true).send(&message()));
    assert!(place.heard().iter().all(|line| line.starts_with("EHLO")), "{:?}", place.heard());
    // Whoever is not vouched for is told nothing either.
    let place = Place::start(World::default(), false);
    later(place.smtp(Security::StartTls, true, false).send(&message()));
    assert!(!place.heard().iter().any(|line| line.starts_with("AUTH")));
}

#[test]
fn what_came_before_tls_is_not_believed_after_it() {
    let world = World { injected: "250 fine\r\n", ..World::default() };
    let place = Place::start(world, false);
    let say = later(place.smtp(Security::StartTls, true, true).send(&message()));
    assert!(say.contains("before TLS"), "{say}");
}

#[test]
fn an_address_that_is_refused_is_told_from_a_server_that_is_busy_or_does_not_know_us() {
    let outcome = |verb, says| {
        let place = Place::start(World { instead: vec![(verb, says)], ..World::default() }, false);
        place.smtp(Security::StartTls, true, true).send(&message())
    };
    for (verb, says) in [("RCPT", "550 no such user"), (".", "554 refused")] {
        let refused = outcome(verb, says).unwrap_err();
        assert!(matches!(&refused, Unsent::Refused(_)), "{verb}: {refused:?}");
        assert!(!refused.fault().to_string().contains("user"), "it quotes nothing");
    }
    for (verb, says) in [
        ("RCPT", "450 busy"),
        (".", "451 later"),
        ("MAIL", "550 who are you"),
        ("AUTH", "535 wrong"),
        ("AUTH", "334 "),
        ("EHLO", "554 no"),
        ("DATA", "xyz"),
        ("RCPT", "250-a\r\n550 b"),
    ] {
        later(outcome(verb, says));
    }
}

#[test]
fn a_talk_that_breaks_off_is_tried_later_and_a_check_sends_nothing() {
    let place = Place::start(World { silent: true, ..World::default() }, false);
    let smtp = place.smtp(Security::StartTls, true, true);
    assert_eq!(smtp.check(), Ok(()));
    assert!(!place.heard().iter().any(|line| line.starts_with("MAIL")));
    later(smtp.send(&message()));
    let gone = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    later(Place { port: gone, ..place }.smtp(Security::StartTls, false, true).send(&message()));
}

#[test]
fn a_server_on_this_machine_may_be_without_tls_and_a_phone_is_no_mail() {
    let place = Place::start(World { no_tls: true, ..World::default() }, false);
    let smtp = place.smtp(Security::None, false, true);
    smtp.send(&message()).unwrap();
    let to = To::Phone(Phone::parse("+13125550142", "1").unwrap());
    assert!(!smtp.carries(&to));
    assert!(matches!(smtp.send(&Message { to, ..message() }), Err(Unsent::Refused(_))));
}
