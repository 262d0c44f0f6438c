//! Kiosks: devices in a waiting room at which patients say that they are there. Somebody of the staff makes a
//! device one; it then holds a token of its own and no sign-in, so nothing but the kiosk's pages is open to
//! whoever stands there. The token has 128 bits, only its hash is kept (SHA-256), and it ends by itself after a
//! day, when whoever began it is let in no more, or when somebody ends it. A kiosk's session sees people, visits
//! and places to find one visit by what somebody says of themselves, writes nothing, and stands in the log by a
//! part of the hash (45 CFR 164.310(b), 164.312(a)(1), (b)). Tries that found nobody are counted on the disk.
//!
//! A wall is such a device that shows the board of the day and takes nothing: the same, for a week, and its
//! session sees no record that is marked as more than normally confidential or sensitive. Neither sees what a
//! patient denied to whoever may stand there (`onlookers`).

use crate::actor::denied;
use crate::errand::hex;
use crate::gate::{Gate, Record};
use crate::link::{Linked, hashed};
use crate::pre_check_in::type_of;
use crate::session::{Audited, Session, Subject};
use crate::shelf::{closed_body, opened_body};
use access::{Action, CONFIDENTIALITY, Labels};
use audit::{Event, Kind, Source, Target};
use base::error::code;
use base::{Fault, Millis};
use fhir::reference::is_id;
use std::sync::Arc;
use store::{ItemAct, ItemChange, Scope, Unit};

const SHELF: &str = "kiosk";
/// The first byte of a body: the form of what follows.
const VERSION: u8 = 1;
/// That of a wall.
const WALL: u8 = 2;
/// Bytes of a hash that name a kiosk.
const NAMED: usize = 8;
/// How long a device is a kiosk: a day, so that somebody looks at it each morning.
const KIOSK_MS: i64 = 24 * 3_600_000;
/// How long a device is a wall: nobody stands before it, and what it shows is little.
const WALL_MS: i64 = 7 * KIOSK_MS;
/// Kiosks and walls of a house at once.
const KIOSKS_MAX: usize = 200;
/// Tries that find nobody, in [`TRIES_MS`], after which a kiosk asks nobody any more until that is over.
pub const KIOSK_TRIES_MAX: u8 = 8;
/// Over which time tries are counted.
const TRIES_MS: i64 = 10 * 60_000;
/// How long a visit that was found stays open at a kiosk.
const OPEN_MS: i64 = 15 * 60_000;

/// A device in a waiting room.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Kiosk {
    /// The name it has in the log and on pages.
    pub id: String,
    /// The principal who made it one.
    pub by: String,
    /// The Location where it stands, by logical id; empty for a house that has one.
    pub site: String,
    /// It shows the board and finds nobody.
    pub is_wall: bool,
    /// Since when.
    pub began: Millis,
    /// Tries that found nobody, of late.
    tries: u8,
    /// Since when these are counted.
    since: Millis,
}

impl Kiosk {
    /// The first instant at which it is none any more.
    pub const fn ends(&self) -> Millis {
        Millis(self.began.0.saturating_add(if self.is_wall { WALL_MS } else { KIOSK_MS }))
    }
}

impl Session {
    /// Whether the caller may make a device a kiosk: a person who checks patients in.
    pub fn may_begin_kiosk(&self) -> bool {
        let of = |name| type_of(name).ok();
        self.in_person().is_some_and(|(caller, _)| caller.principal.kind == identity::Kind::Person)
            && of("Appointment").is_some_and(|of| {
                let scope = self.scope_of(Action::Update, of);
                scope.is_ok_and(|scope| scope.of_types([of]).patients().is_none())
            })
            && of("Patient").is_some_and(|of| self.may(Action::Read, of))
    }

    /// Makes a device a kiosk, or a wall. The token is told once.
    ///
    /// # Errors
    /// `access.denied` for whoever checks nobody in; `record.read.not-found` for a place that they do not see;
    /// `record.draft.too-many` when the house has as many as it may.
    pub fn begin_kiosk(&self, site: &str, is_wall: bool) -> Result<String, Fault> {
        let event = self.event(Kind::TokenIssued);
        let begun = (|| {
            if !self.may_begin_kiosk() {
                return Err(denied());
            }
            if !site.is_empty() {
                self.look(type_of("Location")?, site, None)?;
            }
            if let Some(fault) = self.gate.log.failure() {
                return Err(fault);
            }
            let now = self.now();
            self.gate.forget_kiosks(now)?;
            if self.gate.store.item_scan(SHELF, b"", None, KIOSKS_MAX)?.len() >= KIOSKS_MAX {
                return Err(Fault::new(
                    &code::DRAFT_TOO_MANY,
                    "end a kiosk before you begin another",
                ));
            }
            let token = self.draw()?;
            let key = hashed(&token);
            let kiosk = Kiosk {
                id: named(&key),
                by: self.who().to_owned(),
                site: site.to_owned(),
                is_wall,
                began: now,
                tries: 0,
                since: now,
            };
            let mut told = event.clone();
            told.status = 201;
            told.targets.push(Target::resource("Session", kiosk.id.clone(), None));
            self.gate.keep_kiosk(&key, None, Some(&kiosk), Some(told))?;
            Ok(token)
        })();
        begun.map_err(|fault| self.refused(event, fault))
    }

    /// The kiosks that the caller may end: those that they began, and all for who keeps people.
    ///
    /// # Errors
    /// `access.denied` for anybody who did not sign in.
    pub fn kiosks(&self) -> Result<Audited<Vec<Kiosk>>, Fault> {
        let mut event = self.event(Kind::PeopleRead);
        let read = || -> Result<Vec<Kiosk>, Fault> {
            self.in_person().ok_or_else(denied)?;
            let all = self.may_see_people();
            let mut kiosks = Vec::new();
            for (key, item) in self.gate.store.item_scan(SHELF, b"", None, KIOSKS_MAX)? {
                let kiosk = self.gate.opened_kiosk(&key, &item)?;
                if (all || kiosk.by == self.who()) && self.now() < kiosk.ends() {
                    kiosks.push(kiosk);
                }
            }
            kiosks.sort_by_key(|kiosk| std::cmp::Reverse(kiosk.began));
            Ok(kiosks)
        };
        match read() {
            Ok(kiosks) => {
                event.results = kiosks.len() as u64;
                self.audited(&event, kiosks)
            }
            Err(fault) => Err(self.refused(event, fault)),
        }
    }

    /// Ends a kiosk. Answers whether there was one that the caller may end.
    ///
    /// # Errors
    /// `access.denied` for anybody who did not sign in.
    pub fn end_kiosk(&self, id: &str) -> Result<bool, Fault> {
        self.in_person().ok_or_else(denied)?;
        let all = self.may_keep_people();
        for (key, item) in self.gate.store.item_scan(SHELF, b"", None, KIOSKS_MAX)? {
            let kiosk = self.gate.opened_kiosk(&key, &item)?;
            if kiosk.id == id && (all || kiosk.by == self.who()) {
                let mut event = self.event(Kind::SessionRevoked);
                event.targets.push(Target::resource("Session", kiosk.id, None));
                self.gate.keep_kiosk(&key, Some(item.version), None, Some(event))?;
                return Ok(true);
            }
        }
        Ok(false)
    }
}

impl Record {
    /// A kiosk by its token: its session, and what it is.
    ///
    /// # Errors
    /// `record.link.over` for one that was ended, is over, or never was, and for a wall.
    pub fn kiosk(
        &self,
        token: &str,
        source: Source,
        request: [u8; 16],
    ) -> Result<(Session, Kiosk), Fault> {
        let kiosk = self.device(token, false)?;
        let rights = Arc::clone(&self.gate.screens()?.kiosk);
        let subject = Subject::of_link(format!("kiosk-{}", kiosk.id), rights).from(source);
        Ok((self.session(subject, request), kiosk))
    }

    /// A wall by its token: its session, and what it is.
    ///
    /// # Errors
    /// `record.link.over` for one that was ended, is over, or never was, and for a kiosk.
    pub fn wall(
        &self,
        token: &str,
        source: Source,
        request: [u8; 16],
    ) -> Result<(Session, Kiosk), Fault> {
        let wall = self.device(token, true)?;
        let rights = Arc::clone(&self.gate.screens()?.wall);
        let subject = Subject::of_link(format!("wall-{}", wall.id), rights).from(source);
        Ok((self.session(subject, request), wall))
    }

    fn device(&self, token: &str, is_wall: bool) -> Result<Kiosk, Fault> {
        let over = || Fault::new(&code::LINK_OVER, "this device is no kiosk; tell the desk");
        let key = hashed(token);
        let item = self.gate.store.item_get(SHELF, &key)?.ok_or_else(over)?;
        let kiosk = self.gate.opened_kiosk(&key, &item)?;
        // Whoever is let in no more leaves no device behind.
        let began_by = identity::PrincipalId::parse(&kiosk.by);
        let began_by = began_by.and_then(|id| self.identity().principal(id).ok());
        let is_let_in = began_by.is_some_and(|by| by.disabled.is_none());
        let is_over = self.gate.settings.clock.now() >= kiosk.ends();
        if is_over || !is_let_in || kiosk.is_wall != is_wall {
            return Err(over());
        }
        Ok(kiosk)
    }

    /// Counts a try at a kiosk before it is looked at. Not when there were too many of late.
    ///
    /// # Errors
    /// When the store fails; `record.link.over` when the kiosk was ended.
    pub fn count_kiosk_try(&self, token: &str) -> Result<bool, Fault> {
        let now = self.gate.settings.clock.now();
        self.change_tries(token, &|kiosk| {
            if now.0.saturating_sub(kiosk.since.0) >= TRIES_MS || now < kiosk.since {
                (kiosk.tries, kiosk.since) = (0, now);
            }
            let may = kiosk.tries < KIOSK_TRIES_MAX;
            kiosk.tries = kiosk.tries.saturating_add(u8::from(may));
            may
        })
    }

    /// Takes a try back that found somebody, and opens their visit there: the token of a link that ends soon.
    ///
    /// # Errors
    /// As [`Record::count_kiosk_try`].
    pub fn open_at_kiosk(
        &self,
        token: &str,
        session: &Session,
        about: &Linked,
    ) -> Result<String, Fault> {
        self.change_tries(token, &|kiosk| {
            kiosk.tries = kiosk.tries.saturating_sub(1);
            true
        })?;
        let ends = Millis(session.now().0.saturating_add(OPEN_MS));
        let about = Linked { ends, is_kiosk: true, ..about.clone() };
        let mut event = session.event(Kind::TokenIssued);
        let of = type_of("Appointment")?;
        event.targets.push(crate::trail::target(of, &about.appointment, None));
        event.patients.push(about.patient.clone());
        session.drawn_link(&about, Some(event))
    }

    fn change_tries(
        &self,
        token: &str,
        change: &dyn Fn(&mut Kiosk) -> bool,
    ) -> Result<bool, Fault> {
        let over = || Fault::new(&code::LINK_OVER, "this device is no kiosk; tell the desk");
        let key = hashed(token);
        loop {
            let item = self.gate.store.item_get(SHELF, &key)?.ok_or_else(over)?;
            let mut kiosk = self.gate.opened_kiosk(&key, &item)?;
            let before = kiosk.clone();
            let outcome = change(&mut kiosk);
            if kiosk == before {
                return Ok(outcome);
            }
            match self.gate.keep_kiosk(&key, Some(item.version), Some(&kiosk), None) {
                Ok(()) => return Ok(outcome),
                Err(fault) if fault.code() == &code::ITEM_CONFLICT => {}
                Err(fault) => return Err(fault),
            }
        }
    }
}

impl Gate {
    /// Forgets kiosks that are over. Answers how many.
    pub(crate) fn forget_kiosks(&self, now: Millis) -> Result<usize, Fault> {
        let ends = |key: &[u8], item: &store::Item| {
            self.opened_kiosk(key, item).ok().map(|kiosk| kiosk.ends())
        };
        self.forget_over(SHELF, now, &ends)
    }

    fn keep_kiosk(
        &self,
        key: &[u8],
        replaces: Option<u64>,
        kiosk: Option<&Kiosk>,
        event: Option<Event>,
    ) -> Result<(), Fault> {
        let version = replaces.unwrap_or(0).saturating_add(1);
        let act = match kiosk {
            None => ItemAct::Remove,
            Some(kiosk) => {
                let form = if kiosk.is_wall { WALL } else { VERSION };
                let mut plain = vec![form, kiosk.tries];
                plain.extend_from_slice(&kiosk.began.0.to_be_bytes());
                plain.extend_from_slice(&kiosk.since.0.to_be_bytes());
                plain.extend_from_slice(format!("{}/{}", kiosk.by, kiosk.site).as_bytes());
                let sealer = self.settings.sealer.as_deref();
                ItemAct::Put(closed_body(sealer, SHELF, key, version, plain)?)
            }
        };
        let item = ItemChange { shelf: SHELF, key: key.to_vec(), replaces, act };
        let mut unit = Unit { items: vec![item], ..Unit::default() };
        if let Some(event) = event {
            unit.events = Some(Box::new(move |receipt| {
                vec![Event { time: receipt.last_updated, ..event }.encode()]
            }));
        }
        self.store.commit(unit).map(drop)
    }

    fn opened_kiosk(&self, key: &[u8], item: &store::Item) -> Result<Kiosk, Fault> {
        let odd = || Fault::new(&code::STORE_CORRUPT, "a kiosk does not stand as it was kept");
        let sealer = self.settings.sealer.as_deref();
        let plain = opened_body(sealer, SHELF, key, item.version, &item.body)?;
        let (form, rest) = plain.split_first().ok_or_else(odd)?;
        if ![VERSION, WALL].contains(form) {
            return Err(odd());
        }
        let (tries, rest) = rest.split_first().ok_or_else(odd)?;
        let (began, rest) = rest.split_first_chunk::<8>().ok_or_else(odd)?;
        let (since, rest) = rest.split_first_chunk::<8>().ok_or_else(odd)?;
        let rest = std::str::from_utf8(rest).ok().ok_or_else(odd)?;
        let (by, site) = rest.split_once('/').ok_or_else(odd)?;
        if !site.is_empty() && !is_id(site) {
            return Err(odd());
        }
        Ok(Kiosk {
            id: named(key),
            by: by.to_owned(),
            site: site.to_owned(),
            is_wall: *form == WALL,
            began: Millis(i64::from_be_bytes(*began)),
            tries: *tries,
            since: Millis(i64::from_be_bytes(*since)),
        })
    }
}

/// What a kiosk and a wall see where no patient denied anything ([`Gate::screens`]).
pub(crate) fn plainly_seen() -> Result<[Scope; 2], Fault> {
    let of = |types: &[&str]| -> Result<Scope, Fault> {
        let types: Vec<_> = types.iter().copied().map(type_of).collect::<Result<_, Fault>>()?;
        Ok(Scope::everything().of_types(types))
    };
    let kiosk = of(&["Patient", "Appointment", "Location"])?;
    let wall = of(&["Patient", "Appointment", "Location", "Practitioner", "PractitionerRole"])?;
    // Whoever passes by reads it: what is marked in any way but as nothing out of the ordinary is not on it.
    let plain = ["U", "L", "M", "N"].map(|code| Labels::coded(CONFIDENTIALITY, code).bits());
    let marked = !plain.iter().fold(0, |all, label| all | label);
    Ok([kiosk, wall.without_labels(marked)])
}

fn named(key: &[u8]) -> String {
    hex(key.get(..NAMED).unwrap_or_default())
}
