//! How long somebody who keeps failing has to wait: exponentially longer, for each sign-in name and
//! for each address, whether or not the name is anybody's (NIST SP 800-63B 5.2.2; 45 CFR
//! 164.308(a)(5)(ii)(C)). Kept in memory, in a table that cannot grow.

use std::collections::HashMap;
use std::hash::Hash;
use std::net::IpAddr;

use base::Millis;
use parking_lot::Mutex;

const SECOND_MS: i64 = 1000;
/// The longest anybody waits.
const WAIT_MAX_MS: i64 = 15 * 60 * SECOND_MS;
/// After so long without a failure, failures are forgotten.
const FORGET_MS: i64 = 24 * 3600 * SECOND_MS;
/// Names or addresses that are remembered.
const ENTRIES_MAX: usize = 1 << 16;
/// How many are dropped at once when the table is full, so that the search for them is rare.
const DROPPED: usize = ENTRIES_MAX / 16;
/// Failures of one name before it has to wait.
const FREE_NAME: u32 = 5;
/// Failures from one address before it has to wait. A clinic may sit behind one address.
const FREE_SOURCE: u32 = 20;

/// Who is to wait: the digest of a folded name, which need not be anybody's.
pub(crate) type NameKey = [u8; 16];

#[derive(Debug, Clone, Copy)]
struct Failures {
    count: u32,
    /// When the last attempt was made.
    at: Millis,
    /// Until when no other is let through.
    until: Millis,
}

/// The two tables.
#[derive(Debug, Default)]
pub(crate) struct BackOff(Mutex<(HashMap<NameKey, Failures>, HashMap<IpAddr, Failures>)>);

/// An attempt that was let through and is counted as failed until it is told otherwise.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Attempt {
    name: NameKey,
    source: IpAddr,
    /// What stood there before, of the name and of the address.
    before: (Failures, Failures),
}

impl BackOff {
    /// Lets an attempt through and counts it as a failure beforehand, so that a thousand at once
    /// count a thousand; or says how many milliseconds to wait.
    pub(crate) fn admit(&self, name: NameKey, source: IpAddr, now: Millis) -> Result<Attempt, i64> {
        let source = network(source);
        let (names, sources) = &mut *self.0.lock();
        let wait = waits(names.get(&name), now).max(waits(sources.get(&source), now));
        if wait > 0 {
            return Err(wait);
        }
        let before =
            (charge(names, name, FREE_NAME, now), charge(sources, source, FREE_SOURCE, now));
        Ok(Attempt { name, source, before })
    }

    /// The attempt came to nothing through no fault of the caller's.
    pub(crate) fn undo(&self, attempt: Attempt) {
        let (names, sources) = &mut *self.0.lock();
        refund(names, &attempt.name, attempt.before.0, FREE_NAME);
        refund(sources, &attempt.source, attempt.before.1, FREE_SOURCE);
    }

    /// The attempt was right: the name begins anew. The address is given back what this name cost
    /// it, for one known name must not pay for guesses at others.
    pub(crate) fn succeeded(&self, attempt: Attempt) {
        let (names, sources) = &mut *self.0.lock();
        names.remove(&attempt.name);
        refund(sources, &attempt.source, attempt.before.1, FREE_SOURCE);
    }
}

/// The address that is counted: all of an IPv4 one; the network of an IPv6 one, for its holder has
/// 2⁶⁴ to choose from.
fn network(source: IpAddr) -> IpAddr {
    match source.to_canonical() {
        IpAddr::V4(four) => IpAddr::V4(four),
        IpAddr::V6(six) => IpAddr::V6((six.to_bits() & !u128::from(u64::MAX)).into()),
    }
}

fn waits(failures: Option<&Failures>, now: Millis) -> i64 {
    // A clock that was turned back must not make anybody wait longer than the most there is.
    failures.map_or(0, |f| f.until.0.saturating_sub(now.0).min(WAIT_MAX_MS))
}

fn wait_after(count: u32, free: u32) -> i64 {
    match count.checked_sub(free) {
        None | Some(0) => 0,
        Some(over) => (SECOND_MS << (over - 1).min(20)).min(WAIT_MAX_MS),
    }
}

/// Counts one more, and tells what stood there before.
fn charge<K: Eq + Hash + Copy>(
    table: &mut HashMap<K, Failures>,
    key: K,
    free: u32,
    now: Millis,
) -> Failures {
    if table.len() >= ENTRIES_MAX && !table.contains_key(&key) {
        drop_some(table, now);
    }
    let failures = table.entry(key).or_insert(Failures { count: 0, at: now, until: now });
    if now.0.saturating_sub(failures.at.0) > FORGET_MS {
        failures.count = 0;
    }
    let before = *failures;
    failures.count = failures.count.saturating_add(1);
    failures.at = now;
    failures.until = Millis(now.0.saturating_add(wait_after(failures.count, free)));
    before
}

/// Takes one back. When others were counted since, theirs stay, with their wait.
fn refund<K: Eq + Hash>(table: &mut HashMap<K, Failures>, key: &K, before: Failures, free: u32) {
    let Some(failures) = table.get_mut(key) else { return };
    failures.count = failures.count.saturating_sub(1);
    if failures.count == before.count {
        *failures = before;
    } else {
        failures.until = Millis(failures.at.0.saturating_add(wait_after(failures.count, free)));
    }
    if failures.count == 0 {
        table.remove(key);
    }
}

/// Makes room: the forgotten first, then those with the fewest failures, so that a flood of new
/// names does not free the one under attack.
fn drop_some<K: Eq + Hash + Copy>(table: &mut HashMap<K, Failures>, now: Millis) {
    table.retain(|_, f| now.0.saturating_sub(f.at.0) <= FORGET_MS);
    if table.len() + DROPPED <= ENTRIES_MAX {
        return;
    }
    let mut all: Vec<_> = table.iter().map(|(key, f)| (f.count, f.at, *key)).collect();
    let last = DROPPED.min(all.len().saturating_sub(1));
    all.select_nth_unstable_by_key(last, |(count, at, _)| (*count, *at));
    for (_, _, key) in all.iter().take(DROPPED) {
        table.remove(key);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOME: IpAddr = IpAddr::V4(std::net::Ipv4Addr::LOCALHOST);

    fn address(n: u32) -> IpAddr {
        IpAddr::V4(n.into())
    }

    fn wait(table: &BackOff, name: u8, source: IpAddr, now: i64) -> i64 {
        table.admit([name; 16], source, Millis(now)).err().unwrap_or(0)
    }

    #[test]
    fn a_name_waits_twice_as_long_each_time() {
        let table = BackOff::default();
        for n in 0..6 {
            assert_eq!(wait(&table, 1, address(n), 0), 0, "attempt {n}");
        }
        let mut now = 0;
        for expected in [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 900, 900] {
            assert_eq!(wait(&table, 1, address(99), now), expected * 1000);
            assert_eq!(wait(&table, 1, address(99), now + expected * 1000 - 1), 1);
            now += expected * 1000;
            let source = address(u32::try_from(now).expect("small"));
            assert_eq!(wait(&table, 1, source, now), 0);
        }
    }

    #[test]
    fn an_address_waits_whatever_names_it_tries() {
        let table = BackOff::default();
        for n in 0..21 {
            assert_eq!(wait(&table, n, HOME, 0), 0, "attempt {n}");
        }
        assert_eq!(wait(&table, 200, HOME, 0), 1000);
        assert_eq!(wait(&table, 200, address(7), 0), 0, "another address does not");
    }

    #[test]
    fn an_address_of_ipv6_is_its_network() {
        let table = BackOff::default();
        for n in 0..21u8 {
            let source = IpAddr::V6((0x2001_0db8_u128 << 96 | u128::from(n)).into());
            assert_eq!(wait(&table, n, source, 0), 0);
        }
        let other = IpAddr::V6((0x2001_0db8_u128 << 96 | 77).into());
        assert!(wait(&table, 200, other, 0) > 0);
    }

    #[test]
    fn success_clears_the_name_and_refunds_the_address_once() {
        let table = BackOff::default();
        for _ in 0..4 {
            table.admit([1; 16], HOME, Millis(0)).expect("let through");
        }
        let last = table.admit([1; 16], HOME, Millis(0)).expect("let through");
        table.succeeded(last);
        let guard = table.0.lock();
        assert_eq!((guard.0.len(), guard.1[&HOME].count), (0, 4));
    }

    #[test]
    fn an_undone_attempt_leaves_no_trace() {
        let table = BackOff::default();
        let attempt = table.admit([1; 16], HOME, Millis(0)).expect("let through");
        table.undo(attempt);
        let guard = table.0.lock();
        assert!(guard.0.is_empty() && guard.1.is_empty());
    }

    #[test]
    fn an_undone_attempt_leaves_the_wait_of_those_before_it() {
        let table = BackOff::default();
        for n in 0..6 {
            assert_eq!(wait(&table, 1, address(n), 0), 0);
        }
        let attempt = table.admit([1; 16], HOME, Millis(1000)).expect("let through");
        table.undo(attempt);
        assert_eq!(wait(&table, 1, HOME, 1000), 0, "the wait was over");
        let (a, b) = (address(70), address(71));
        let first = table.admit([2; 16], a, Millis(0)).expect("let through");
        for n in 10..15 {
            table.admit([2; 16], address(n), Millis(0)).expect("let through");
        }
        table.undo(first);
        assert_eq!(wait(&table, 2, b, 0), 0, "five are free");
        assert_eq!(wait(&table, 2, a, 0), 1000, "and the five of the others stay");
    }

    #[test]
    fn failures_are_forgotten_after_a_day() {
        let table = BackOff::default();
        for n in 0..6 {
            wait(&table, 1, address(n), 0);
        }
        assert_eq!(wait(&table, 1, address(50), FORGET_MS + 1001), 0);
        assert_eq!(table.0.lock().0[&[1; 16]].count, 1);
    }

    #[test]
    fn the_table_is_bounded_and_keeps_the_one_under_attack() {
        let table = BackOff::default();
        for n in 0..6 {
            wait(&table, 1, address(n), 0);
        }
        for n in 0..u32::try_from(ENTRIES_MAX * 2).expect("small") {
            let mut name = [9; 16];
            name[..4].copy_from_slice(&n.to_be_bytes());
            table.admit(name, address(n), Millis(1)).expect("let through");
        }
        assert!(table.0.lock().0.len() <= ENTRIES_MAX);
        assert_eq!(wait(&table, 1, address(99), 1), 999, "it still waits");
    }

    #[test]
    fn a_clock_turned_back_does_not_lock_anybody_out() {
        let table = BackOff::default();
        for n in 0..6 {
            wait(&table, 1, address(n), 1_000_000_000_000);
        }
        assert!(wait(&table, 1, address(50), 0) <= WAIT_MAX_MS);
    }
}
