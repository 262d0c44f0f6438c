//! What is asked without a sign-in, by a link or at a kiosk, holds up nobody: while all of it waits, the server
//! answers others.

use crate::arrival::{BORN, LOU, desk, kiosk, link, made};
use crate::smart_site::{Making, Site};
use base::time::SystemClock;
use base::{Clock, Millis};
use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::sync::{Arc, Condvar, Mutex};
use std::time::{Duration, Instant};

const FORM: (&str, &str) = ("Content-Type", "application/x-www-form-urlencoded");
/// More than the server of a test has threads for connections.
const AT_ONCE: usize = 6;

/// A clock that keeps whoever asks it waiting for as long as it is held: a slow disk, to whoever reads it.
#[derive(Debug, Default)]
struct Held {
    /// Whether it is held, and how many wait.
    state: Mutex<(bool, usize)>,
    changed: Condvar,
}

impl Clock for Held {
    fn now(&self) -> Millis {
        let mut state = self.state.lock().unwrap();
        state.1 += 1;
        let mut state = self.changed.wait_while(state, |state| state.0).unwrap();
        state.1 -= 1;
        SystemClock.now()
    }
}

impl Held {
    fn hold(&self, held: bool) {
        self.state.lock().unwrap().0 = held;
        self.changed.notify_all();
    }

    fn waiting(&self) -> usize {
        self.state.lock().unwrap().1
    }
}

/// Whether the server answers somebody else within seconds.
fn answers(site: &Site) -> bool {
    let host = site.own.split_once("://").unwrap().1;
    let mut stream = TcpStream::connect(site.address).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(5))).unwrap();
    let ask = format!("GET /health/live HTTP/1.1\r\nConnection: close\r\nHost: {host}\r\n\r\n");
    stream.write_all(ask.as_bytes()).unwrap();
    let mut head = [0; 12];
    stream.read_exact(&mut head).is_ok() && &head == b"HTTP/1.1 200"
}

#[test]
fn what_strangers_ask_keeps_nobody_else_waiting() {
    let clock = Arc::new(Held::default());
    let tune: fn(&mut server::Config) = |config| config.self_arrival = true;
    let record_clock = Arc::clone(&clock) as Arc<dyn Clock>;
    let site = made(Making { tune, record_clock, ..Making::default() });
    let link = link(&site, "lou");
    let kiosk = kiosk(&site, &mut desk(&site, "robin"), "");
    let cookie = format!("{}={}", kiosk.cookies[0].0, kiosk.cookies[0].1);
    for (path, body, cookie) in [
        (link.clone(), "do=confirm", ""),
        (format!("{link}/in"), BORN, ""),
        ("/kiosk".to_owned(), LOU, cookie.as_str()),
    ] {
        let before = clock.waiting();
        clock.hold(true);
        let answers = std::thread::scope(|scope| {
            for _ in 0..AT_ONCE {
                scope.spawn(|| site.send("POST", &path, &[FORM, ("Cookie", cookie)], body));
            }
            let began = Instant::now();
            while clock.waiting() < before + AT_ONCE && began.elapsed() < Duration::from_secs(3) {
                std::thread::sleep(Duration::from_millis(5));
            }
            let answers = answers(&site);
            clock.hold(false);
            answers
        });
        assert!(answers, "{path}");
    }
}
