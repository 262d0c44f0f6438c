//! What one caller may take: requests, sign-ins and work, each a bucket that drains at a steady rate
//! (attack 42 of the guard's list; OWASP API4). A caller is a principal or, before anybody has signed
//! in, an address. The clock is a parameter, and the memory is bounded: callers that no longer owe
//! anything are forgotten, and when a set of places is full, newcomers share one place, so that no
//! caller ever gets more than its burst and its rate, whoever else calls.

use base::Fault;
use base::error::{Code, code};
use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash, Hasher as _};
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};

/// Parts of one unit: a rate in units per minute is a rate in parts per millisecond.
const PARTS: u64 = 60_000;
/// The most that any rate or burst may be.
pub const RATE_MAX: u64 = 1_000_000_000_000;
/// Places of one set.
const WAYS: usize = 8;
/// What a millisecond of work counts in steps, and how many bytes of an answer count as one.
const STEPS_OF_MS: u64 = 1000;
const BYTES_OF_STEP: u64 = 64;
/// What any request costs.
const STEPS_OF_REQUEST: u64 = 100;
/// One refusal of a caller in this time goes into the access log; the others are counted only, since
/// a flood of them would fill the disk.
const TOLD_EVERY_MS: u64 = 60_000;
/// Where people sign in: this address is limited more tightly than all others. Not so the others of the
/// authorization server: what apps show there is too long to guess, and a clinic behind one address
/// has many of them.
const SIGN_IN_PATHS: [&str; 5] =
    ["/auth/sign-in", "/auth/passkey", "/auth/confirm", "/welcome", "/first"];
/// What the addresses of signing in by an issuer begin with.
pub(crate) const ISSUER_PATHS: &str = "/auth/oidc";

/// How much one caller may take.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rates {
    /// Requests per second, and how many at once after a pause.
    pub requests_per_s: u64,
    /// See [`Rates::requests_per_s`].
    pub requests_burst: u64,
    /// Work per second, in steps, and how much at once after a pause.
    pub cost_per_s: u64,
    /// See [`Rates::cost_per_s`].
    pub cost_burst: u64,
    /// Requests of sign-in per minute, and how many at once after a pause.
    pub sign_in_per_minute: u64,
    /// See [`Rates::sign_in_per_minute`].
    pub sign_in_burst: u64,
    /// Requests in flight.
    pub at_once: u32,
    /// Callers remembered, about; more share places.
    pub callers_max: usize,
    /// Roles whose holders are not limited.
    pub exempt_roles: Vec<String>,
}

impl Default for Rates {
    fn default() -> Self {
        Self {
            requests_per_s: 200,
            requests_burst: 2000,
            cost_per_s: 1_000_000,
            cost_burst: 100_000_000,
            sign_in_per_minute: 30,
            sign_in_burst: 30,
            at_once: 256,
            callers_max: 65_536,
            exempt_roles: vec!["system".to_owned()],
        }
    }
}

impl Rates {
    /// Refuses rates by which nobody could ever ask for anything.
    pub(crate) fn check(&self) -> Result<(), Fault> {
        for (setting, value) in [
            ("rate_requests_per_s", self.requests_per_s),
            ("rate_requests_burst", self.requests_burst),
            ("rate_cost_per_s", self.cost_per_s),
            ("rate_cost_burst", self.cost_burst),
            ("rate_sign_in_per_minute", self.sign_in_per_minute),
            ("rate_sign_in_burst", self.sign_in_burst),
            ("rate_at_once_max", u64::from(self.at_once)),
            ("rate_callers_max", self.callers_max as u64),
        ] {
            // The top leaves room for the parts in which rates are reckoned.
            if !(1..=RATE_MAX).contains(&value) {
                let what = format!("the value must be from 1 to {RATE_MAX}");
                return Err(Fault::at(&code::PARAMETER_INVALID, what, setting));
            }
        }
        Ok(())
    }
}

/// Who calls, as far as limits go.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Who {
    /// Somebody who has signed in, by id.
    Principal(String),
    /// Somebody who has not: an IPv4 address, or the first half of an IPv6 address, since whoever has
    /// one IPv6 address has all with that half.
    Address(IpAddr),
}

/// A caller and its roles.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Caller {
    /// Who it is.
    pub who: Who,
    /// The roles it acts in.
    pub roles: Vec<String>,
}

impl Caller {
    /// A caller known by its address alone. Without the guard, whoever is on this machine runs it: the
    /// role `system`, which the settings exempt from limits or do not.
    pub fn of_address(address: IpAddr) -> Self {
        let who = network(address);
        let roles = if who.is_loopback() { vec!["system".to_owned()] } else { Vec::new() };
        Self { who: Who::Address(who), roles }
    }
}

/// What kind of request it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Any.
    Request,
    /// One by which somebody proves who they are: nobody is exempt.
    SignIn,
}

impl Kind {
    /// The kind of a request to this path.
    pub fn of_path(path: &str) -> Self {
        let signs_in = SIGN_IN_PATHS.contains(&path) || path.starts_with(ISSUER_PATHS);
        if signs_in { Self::SignIn } else { Self::Request }
    }
}

/// What a request took.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Cost {
    /// Steps of the store, where they are counted.
    pub steps: u64,
    /// Bytes of the answer.
    pub bytes: u64,
    /// Milliseconds of work on the pool of searches, histories and bundles.
    pub ms: u64,
}

impl Cost {
    /// As one number, in steps.
    pub const fn in_steps(self) -> u64 {
        let time = self.ms.saturating_mul(STEPS_OF_MS);
        self.steps.saturating_add(time).saturating_add(self.bytes / BYTES_OF_STEP)
    }
}

/// Which bound was met.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum Bound {
    /// Requests in time.
    Requests,
    /// Work in time.
    Cost,
    /// Sign-ins in time.
    SignIns,
    /// Requests in flight.
    AtOnce,
}

impl Bound {
    /// All of them, in the order of their numbers.
    pub const ALL: [Self; 4] = [Self::Requests, Self::Cost, Self::SignIns, Self::AtOnce];

    /// Its name in the metrics.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Requests => "requests",
            Self::Cost => "cost",
            Self::SignIns => "sign-ins",
            Self::AtOnce => "at-once",
        }
    }

    fn code(self) -> &'static Code {
        match self {
            Self::Cost => &code::COST_EXCEEDED,
            Self::Requests | Self::SignIns | Self::AtOnce => &code::RATE_EXCEEDED,
        }
    }
}

/// A request refused for what its caller has taken already.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// What was met.
    pub bound: Bound,
    /// Seconds after which it may be sent again.
    pub retry_after_s: u64,
    /// The access log has been told of this caller within the last minute.
    pub told: bool,
}

impl Refusal {
    /// As a fault.
    pub fn fault(&self) -> Fault {
        let seconds = self.retry_after_s;
        let what = match self.bound {
            Bound::Requests => "too many requests",
            Bound::Cost => "what was asked for lately cost too much",
            Bound::SignIns => "too many attempts to sign in",
            Bound::AtOnce => "too many requests at once",
        };
        Fault::new(self.bound.code(), format!("{what}; try again in {seconds} s"))
    }
}

/// What one caller owes, in parts of units.
#[derive(Debug, Clone, Copy, Default)]
struct Place {
    caller: u64,
    drained_ms: u64,
    requests: u64,
    cost: u64,
    sign_ins: u64,
    in_flight: u32,
    told_ms: Option<u64>,
}

impl Place {
    /// Lets time take its share. A clock that goes back takes nothing.
    fn drain(&mut self, rates: &Rates, now_ms: u64) {
        let elapsed = now_ms.saturating_sub(self.drained_ms);
        let share = |per_minute: u64| elapsed.saturating_mul(per_minute);
        self.requests = self.requests.saturating_sub(share(rates.requests_per_s * 60));
        self.cost = self.cost.saturating_sub(share(rates.cost_per_s * 60));
        self.sign_ins = self.sign_ins.saturating_sub(share(rates.sign_in_per_minute));
        self.drained_ms = self.drained_ms.max(now_ms);
    }

    /// Owes nothing: forgetting it changes nothing.
    const fn is_idle(&self) -> bool {
        self.requests == 0 && self.cost == 0 && self.sign_ins == 0 && self.in_flight == 0
    }

    fn admit(&mut self, rates: &Rates, kind: Kind, now_ms: u64) -> Result<(), Refusal> {
        let wait_for = |owed: u64, most: u64, per_minute: u64| {
            owed.checked_sub(most).filter(|over| *over > 0).map(|over| over.div_ceil(per_minute))
        };
        let requests = self.requests + PARTS;
        let sign_ins = self.sign_ins + PARTS;
        let refused = if self.in_flight >= rates.at_once {
            Some((Bound::AtOnce, 1))
        } else if let Some(ms) =
            wait_for(requests, rates.requests_burst * PARTS, rates.requests_per_s * 60)
        {
            Some((Bound::Requests, ms))
        } else if let Some(ms) =
            wait_for(self.cost, rates.cost_burst * PARTS, rates.cost_per_s * 60)
        {
            Some((Bound::Cost, ms))
        } else if kind == Kind::SignIn {
            wait_for(sign_ins, rates.sign_in_burst * PARTS, rates.sign_in_per_minute)
                .map(|ms| (Bound::SignIns, ms))
        } else {
            None
        };
        if let Some((bound, wait_ms)) = refused {
            let told = self.told_ms.is_some_and(|at| now_ms.saturating_sub(at) < TOLD_EVERY_MS);
            if !told {
                self.told_ms = Some(now_ms);
            }
            return Err(Refusal { bound, retry_after_s: wait_ms.div_ceil(1000).max(1), told });
        }
        self.requests = requests;
        self.cost += STEPS_OF_REQUEST * PARTS;
        if kind == Kind::SignIn {
            self.sign_ins = sign_ins;
        }
        self.in_flight += 1;
        Ok(())
    }
}

/// Places that share a lock, and the one for callers that found none of their own.
#[derive(Debug, Default)]
struct Set {
    own: [Place; WAYS],
    shared: Place,
}

/// Which place of a set.
#[derive(Debug, Clone, Copy)]
enum Spot {
    Own(usize),
    Shared,
}

impl Set {
    /// The place of a caller, drained: its own, or one that is free, or the shared one.
    fn find(&mut self, rates: &Rates, caller: u64, now_ms: u64) -> Spot {
        if let Some(at) = self.own.iter().position(|place| place.caller == caller)
            && let Some(place) = self.own.get_mut(at)
        {
            place.drain(rates, now_ms);
            if !place.is_idle() {
                return Spot::Own(at);
            }
        }
        self.shared.drain(rates, now_ms);
        for place in &mut self.own {
            place.drain(rates, now_ms);
        }
        // A place that was idle may still remember when the log was told.
        let own = self.own.iter().position(|p| p.caller == caller && p.told_ms.is_some());
        let Some(at) = own.or_else(|| self.own.iter().position(Place::is_idle)) else {
            return Spot::Shared;
        };
        if let Some(place) = self.own.get_mut(at) {
            let told_ms = place.told_ms.filter(|_| place.caller == caller);
            // What it took at the shared place is not forgotten with the move.
            *place = Place { caller, in_flight: 0, told_ms, ..self.shared };
        }
        Spot::Own(at)
    }

    fn at(&mut self, spot: Spot) -> &mut Place {
        match spot {
            Spot::Own(at) => self.own.get_mut(at).unwrap_or(&mut self.shared),
            Spot::Shared => &mut self.shared,
        }
    }
}

/// What all callers owe.
#[derive(Debug)]
pub struct Meter {
    rates: Rates,
    /// Keeps strangers from choosing whom they share a set with.
    seed: u64,
    sets: Box<[Mutex<Set>]>,
}

/// A request under way. Dropping it gives back its place among those in flight.
#[derive(Debug)]
#[must_use = "a permit that is dropped at once counts a request as done"]
pub struct Permit(Option<Held>);

#[derive(Debug)]
struct Held {
    meter: Arc<Meter>,
    set: usize,
    spot: Spot,
}

impl Meter {
    /// A meter of these rates; `seed` is random.
    pub fn new(rates: Rates, seed: u64) -> Self {
        let sets = (rates.callers_max / WAYS).max(1);
        Self { rates, seed, sets: (0..sets).map(|_| Mutex::default()).collect() }
    }

    /// Admits a request of this caller, or says when to come again. `now_ms` counts from any instant
    /// and does not go back.
    ///
    /// # Errors
    /// A [`Refusal`] that names the bound.
    pub fn admit(
        self: &Arc<Self>,
        caller: &Caller,
        kind: Kind,
        now_ms: u64,
    ) -> Result<Permit, Refusal> {
        let exempt = caller.roles.iter().any(|role| self.rates.exempt_roles.contains(role));
        if exempt && kind == Kind::Request {
            return Ok(Permit(None));
        }
        let mut hasher = DefaultHasher::new();
        (self.seed, &caller.who).hash(&mut hasher);
        let name = hasher.finish();
        let sets = self.sets.len() as u64;
        let set = usize::try_from((name >> 32) % sets).unwrap_or(0);
        let mut places = self.lock(set);
        let spot = places.find(&self.rates, name, now_ms);
        places.at(spot).admit(&self.rates, kind, now_ms)?;
        drop(places);
        Ok(Permit(Some(Held { meter: Arc::clone(self), set, spot })))
    }

    fn lock(&self, set: usize) -> std::sync::MutexGuard<'_, Set> {
        #[expect(clippy::indexing_slicing, reason = "every number of a set is taken modulo theirs")]
        self.sets[set].lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// How many connections each address has.
#[derive(Debug, Default)]
pub(crate) struct Connections(Mutex<HashMap<IpAddr, u32>>);

/// One of them, until it is dropped.
#[derive(Debug)]
pub(crate) struct Connected<'c>(&'c Connections, IpAddr);

impl Connections {
    /// Counts a connection; `None` when its address has as many as it may.
    pub(crate) fn enter(&self, address: IpAddr, most: u32) -> Option<Connected<'_>> {
        let address = network(address);
        let mut counts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let count = counts.entry(address).or_insert(0);
        if *count >= most {
            return None;
        }
        *count += 1;
        Some(Connected(self, address))
    }
}

impl Drop for Connected<'_> {
    fn drop(&mut self) {
        let mut counts = self.0.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = counts.get_mut(&self.1) {
            *count = count.saturating_sub(1);
            if *count == 0 {
                counts.remove(&self.1);
            }
        }
    }
}

/// An IPv4 address, or the first half of an IPv6 address.
fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(whole) if !whole.is_loopback() => {
            IpAddr::V6((whole.to_bits() & !u128::from(u64::MAX)).into())
        }
        whole => whole,
    }
}

impl Permit {
    /// For what is never limited.
    pub const fn free() -> Self {
        Self(None)
    }

    /// Writes down what the request took.
    pub fn charge(&self, cost: Cost, now_ms: u64) {
        let Some(held) = &self.0 else { return };
        let mut places = held.meter.lock(held.set);
        let place = places.at(held.spot);
        place.drain(&held.meter.rates, now_ms);
        place.cost = place.cost.saturating_add(cost.in_steps().saturating_mul(PARTS));
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        let Some(held) = &self.0 else { return };
        let mut places = held.meter.lock(held.set);
        let place = places.at(held.spot);
        place.in_flight = place.in_flight.saturating_sub(1);
    }
}

#[cfg(test)]
mod tests;
