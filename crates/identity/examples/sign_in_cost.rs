//! Measures what identity costs: finding the caller of a token among 100,000, hashing a password at
//! the default cost, and a whole sign-in. Not part of any test:
//! `cargo run --release -p identity --example sign_in_cost`.
#![expect(clippy::print_stdout, reason = "a measurement prints its result")]

use std::error::Error;
use std::hint::black_box;
use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;
use std::time::Instant;

use base::id::{Random as _, Seeded};
use base::{Fault, time::SystemClock};
use identity::{
    Change, CryptoRandom, Deed, Ground, Identity, Kind, Memory, Profile, Secret, Settings,
    Shelf as _, ShelfName,
};
use parking_lot::Mutex;

const SITES: u64 = 50;
const EACH: usize = 2000;
const FINDS: usize = 5_000_000;
const HOME: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);

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

fn open(shelf: Arc<Memory>, seed: u64) -> Result<Identity, Fault> {
    let random = Repeatable(Mutex::new(Seeded::new(seed << 32)));
    let ground =
        Ground { shelf, clock: Arc::new(SystemClock), random: Arc::new(random), breached: None };
    let settings = Settings { sessions_each_max: 1000, ..Settings::default() };
    Identity::open(ground, settings)
}

fn profile(name: &str) -> Profile {
    Profile { name: name.to_owned(), display: name.to_owned(), ..Profile::default() }
}

fn main() -> Result<(), Box<dyn Error>> {
    // Many small sites are filled and their shelves put together: each issue looks at all sessions.
    let whole = Arc::new(Memory::new());
    let mut tokens: Vec<Secret> = Vec::new();
    for site in 1..=SITES {
        let shelf = Arc::new(Memory::new());
        let identity = open(Arc::clone(&shelf), site)?;
        for half in 0..2 {
            let made = identity.create(Kind::Service, profile(&format!("s{site}-{half}")))?;
            for _ in 0..EACH / 2 {
                tokens.push(identity.issue(made.id, 86_400_000, "measure")?.token.text());
            }
        }
        for name in ShelfName::ALL {
            let mut after: Option<Vec<u8>> = None;
            loop {
                let page = shelf.scan(name, &[], after.as_deref(), 1000)?;
                let Some((last, _)) = page.last() else { break };
                after = Some(last.clone());
                let put = |(key, item): (Vec<u8>, identity::Item)| {
                    Change::put(name, &key, None, item.body)
                };
                whole.commit(page.into_iter().map(put).collect(), Deed::UPKEEP)?;
            }
        }
    }

    let start = Instant::now();
    let identity = open(Arc::clone(&whole), 1000)?;
    println!("open with {} sessions: {:.0} ms", tokens.len(), start.elapsed().as_secs_f64() * 1e3);

    for (what, among) in [("all", tokens.len()), ("2,000 in use", 2000)] {
        let mut order = Seeded::new(5);
        let among = u64::try_from(among)?;
        let asked: Vec<&Secret> = (0..1 << 16)
            .filter_map(|_| tokens.get(usize::try_from(order.next_u64() % among).unwrap_or(0)))
            .collect();
        let start = Instant::now();
        for token in asked.iter().cycle().take(FINDS) {
            black_box(identity.find(token.expose(), Some(HOME))?);
        }
        let elapsed = start.elapsed();
        println!(
            "find, at random among {what}: {:.0} ns",
            elapsed.as_secs_f64() * 1e9 / FINDS as f64
        );
    }
    let one = tokens.first().ok_or("no token")?;
    let start = Instant::now();
    for _ in 0..FINDS {
        black_box(identity.find(one.expose(), Some(HOME))?);
    }
    let elapsed = start.elapsed();
    println!("find, one again and again: {:.0} ns", elapsed.as_secs_f64() * 1e9 / FINDS as f64);

    let ada = identity.create(Kind::Person, profile("ada"))?;
    let password = Secret::from("tulpen in rotterdam");
    identity.set_password(ada.id, &password, None)?;
    for (what, name, word) in [
        ("sign-in", "ada", "tulpen in rotterdam"),
        ("refusal of a wrong password", "ada", "wir essen um halb acht"),
        ("refusal of a name that is nobody's", "nobody", "wir essen um halb acht"),
    ] {
        let word = Secret::from(word);
        let mut times: Vec<f64> = Vec::new();
        for n in 0..15u8 {
            let source = IpAddr::V4(Ipv4Addr::new(10, 0, 0, n));
            let start = Instant::now();
            let answered = black_box(identity.begin(name, &word, source));
            let judged = answered.is_ok();
            if n < 5 || judged {
                times.push(start.elapsed().as_secs_f64() * 1e3);
            }
        }
        times.sort_by(f64::total_cmp);
        let median = times.get(times.len() / 2).copied().unwrap_or_default();
        println!("{what}: {median:.0} ms in the middle of {}", times.len());
    }
    Ok(())
}
