//! Measures how long a sign-in by password takes at the default cost, one after another. Not part of any
//! test: `cargo xtask bench sign-in`, or `cargo run --release -p identity --example sign_in_p99`.
#![expect(clippy::print_stdout, reason = "a measurement prints its result")]

use std::error::Error;
use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;
use std::time::Instant;

use base::Fault;
use base::id::{Random as _, Seeded};
use base::time::SystemClock;
use identity::{CryptoRandom, Ground, Identity, Kind, Memory, Profile, Secret, Settings};
use parking_lot::Mutex;

/// How many.
const TIMES: usize = 200;

/// Repeatable bytes, for a measurement and nothing else.
#[derive(Debug)]
struct Repeatable(Mutex<Seeded>);

impl CryptoRandom for Repeatable {
    fn fill(&self, out: &mut [u8]) -> Result<(), Fault> {
        let mut bits = self.0.lock();
        for eight in out.chunks_mut(8) {
            let word = bits.next_u64().to_le_bytes();
            for (slot, byte) in eight.iter_mut().zip(word) {
                *slot = byte;
            }
        }
        Ok(())
    }
}

fn main() -> Result<(), Box<dyn Error>> {
    let ground = Ground {
        shelf: Arc::new(Memory::new()),
        clock: Arc::new(SystemClock),
        random: Arc::new(Repeatable(Mutex::new(Seeded::new(1)))),
        breached: None,
    };
    let settings = Settings { sessions_each_max: 1000, ..Settings::default() };
    let identity = Identity::open(ground, settings)?;
    let profile =
        Profile { name: "ada".to_owned(), display: "Ada".to_owned(), ..Profile::default() };
    let ada = identity.create(Kind::Person, profile)?;
    let password = Secret::from("tulpen in rotterdam");
    identity.set_password(ada.id, &password, None)?;
    let home = IpAddr::V4(Ipv4Addr::LOCALHOST);
    let mut times = Vec::with_capacity(TIMES);
    for _ in 0..TIMES {
        let start = Instant::now();
        identity.begin("ada", &password, home).map_err(|refusal| refusal.fault)?;
        times.push(start.elapsed().as_secs_f64() * 1e3);
    }
    times.sort_by(f64::total_cmp);
    let at = |part: usize| times.get(times.len() * part / 100).copied().unwrap_or_default();
    println!("sign-in p50 {:.1} ms p99 {:.1} ms", at(50), at(99));
    Ok(())
}
