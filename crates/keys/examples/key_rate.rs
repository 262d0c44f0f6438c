//! What keys cost: opening a keystore of a million patients, finding a key, sealing and opening a body.
//! `cargo run --release -p keys --example key_rate -- [patients]`

#![expect(clippy::print_stdout, reason = "it reports")]

use std::hint::black_box;
use std::path::Path;
use std::time::Instant;

use base::{Clock as _, Fault, Millis};
use keys::{
    DataKey, Disk, Keyring, Options, Place, Protection, RECORDS_PER_CALL_MAX, RootKey, Secret,
    SystemRandom,
};

fn main() -> Result<(), Fault> {
    let count = std::env::args().nth(1).and_then(|n| n.parse().ok()).unwrap_or(1_000_000u64);
    let dir = std::env::temp_dir().join(format!("key_rate.{}", std::process::id()));
    let made = std::fs::create_dir(&dir);
    println!("in {}: {made:?}", dir.display());
    let done = bodies().and_then(|()| patients(&dir, count));
    let _removed = std::fs::remove_dir_all(&dir);
    done
}

/// Nanoseconds of one of so many calls: on the processor, where the system tells, else by the clock.
fn time(calls: u32, mut call: impl FnMut(u32) -> Result<(), Fault>) -> Result<u128, Fault> {
    let (start, busy) = (Instant::now(), busy_ns());
    for n in 0..calls {
        call(n)?;
    }
    let spent = busy_ns().zip(busy).map(|(after, before)| after - before);
    Ok(spent.unwrap_or_else(|| start.elapsed().as_nanos()) / u128::from(calls))
}

/// What this process has had of a processor.
fn busy_ns() -> Option<u128> {
    let text = std::fs::read_to_string("/proc/self/schedstat").ok()?;
    text.split(' ').next()?.parse().ok()
}

fn bodies() -> Result<(), Fault> {
    let secret = Secret::random(&SystemRandom)?;
    let (key, place) = (DataKey::new(&secret)?, Place { record: 7, version: 1 });
    let ready =
        time(100_000, |_| DataKey::new(black_box(&secret)).map(|key| drop(black_box(key))))?;
    println!("a data key made ready: {ready} ns");
    for size in [256, 1024, 4096, 16_384] {
        let plain = vec![b'x'; size];
        let sealed = key.seal(place, &plain, &SystemRandom)?;
        let mut room = Vec::new();
        let seal =
            time(200_000, |_| key.seal(place, &plain, &SystemRandom).map(|s| drop(black_box(s))))?;
        let open = time(200_000, |_| key.open_into(place, black_box(&sealed), &mut room))?;
        println!("a body of {size} bytes: seal {seal} ns, open {open} ns");
    }
    Ok(())
}

fn patients(dir: &Path, count: u64) -> Result<(), Fault> {
    let now = base::time::SystemClock.now();
    let path = dir.join("root.key");
    let root = RootKey::create(&Disk, &path, Protection::Plain, &SystemRandom, now)?;
    let ring = Keyring::create(dir, &root, [1; 16], Options::default())?;
    let all: Vec<u64> = (0..count).map(|n| n * 53).collect();
    let start = Instant::now();
    for batch in all.chunks(RECORDS_PER_CALL_MAX) {
        ring.patients().ensure(batch)?;
    }
    println!("{count} keys made in {} ms", start.elapsed().as_millis());
    drop(ring);
    let before = resident_kib();
    let start = Instant::now();
    let ring = Keyring::open(dir, &root, Options::default())?;
    let (opened_ms, after) = (start.elapsed().as_millis(), resident_kib());
    let index_kib = ring.patients().index_bytes() / 1024;
    println!("opened in {opened_ms} ms; index {index_kib} KiB; resident {before} -> {after} KiB");
    let pick = |n: u32| u64::from(n).wrapping_mul(0x9E37_79B9_7F4A_7C15) % count * 53;
    let cold = time(300_000, |n| ring.patients().key(pick(n)).map(|key| drop(black_box(key))))?;
    let warm = time(1_000_000, |n| ring.patients().key(pick(n % 512)).map(|k| drop(black_box(k))))?;
    println!("a key found: {cold} ns among all, {warm} ns used lately");
    let start = Instant::now();
    for n in 0..200 {
        ring.patients().ensure(&[u64::MAX - n])?;
    }
    let one_us = start.elapsed().as_micros() / 200;
    let start = Instant::now();
    for n in 0..200 {
        ring.patients().shred(pick(n), [0; 16], Millis(0))?;
    }
    let gone_us = start.elapsed().as_micros() / 200;
    println!("one key made durable: {one_us} us; one shredded: {gone_us} us");
    let start = Instant::now();
    ring.rotate(&root)?;
    println!("rotated in {} ms", start.elapsed().as_millis());
    Ok(())
}

/// Memory of this process that is in use, where the system tells.
fn resident_kib() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    line.and_then(|l| l.trim().trim_end_matches(" kB").parse().ok()).unwrap_or(0)
}
