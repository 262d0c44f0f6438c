//! Identity's shelf on the store's one writer: items and the audit event of what was done to them in
//! one unit of work, so that neither exists without the other (45 CFR 164.312(b), (c)(1)).

use audit::{Decision, Event, Kind, Log, Source, Target};
use base::error::code;
use base::{Clock, Fault};
use identity::{Act, By, Change, Deed, DeedKind, Item, Shelf, ShelfName};
use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;
use store::{ItemAct, ItemChange, Store, Unit};

/// The actor of what the owner of the data folder does at the machine's own console.
const OPERATOR: &str = "operator";
/// The first byte of a body that stands as it was given.
const PLAIN: u8 = 0;
/// The first byte of a body that was sealed.
const SEALED: u8 = 1;

/// Seals the bodies of items, which may hold keys. Shelf, key and version are bound in, so that a body
/// cannot be put in the place of another or of its own past.
pub trait Sealer: Send + Sync + fmt::Debug {
    /// Seals a body; adds at most 1,000 bytes.
    fn seal(&self, shelf: &str, key: &[u8], version: u64, plain: &[u8]) -> Result<Vec<u8>, Fault>;

    /// Opens what [`Sealer::seal`] made for the same place, and refuses anything else.
    fn open(&self, shelf: &str, key: &[u8], version: u64, sealed: &[u8]) -> Result<Vec<u8>, Fault>;
}

/// The shelf of a record.
#[derive(Debug)]
pub(crate) struct Kept {
    pub(crate) store: Store,
    pub(crate) log: Arc<Log>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) sealer: Option<Arc<dyn Sealer>>,
}

impl Shelf for Kept {
    fn get(&self, shelf: ShelfName, key: &[u8]) -> Result<Option<Item>, Fault> {
        let found = self.store.item_get(shelf.as_str(), key)?;
        found.map(|item| self.opened(shelf, key, &item)).transpose()
    }

    fn scan(
        &self,
        shelf: ShelfName,
        prefix: &[u8],
        after: Option<&[u8]>,
        limit: usize,
    ) -> Result<Vec<(Vec<u8>, Item)>, Fault> {
        let found = self.store.item_scan(shelf.as_str(), prefix, after, limit)?;
        let open = |(key, item): (Vec<u8>, store::Item)| {
            let item = self.opened(shelf, &key, &item)?;
            Ok((key, item))
        };
        found.into_iter().map(open).collect()
    }

    fn commit(&self, changes: Vec<Change>, deed: Deed) -> Result<(), Fault> {
        identity::shelf::check(&changes)?;
        // No audit, no access. What only takes access away is done all the same: its event waits in
        // the outbox until the log is opened again.
        if let Some(fault) = self.log.failure().filter(|_| !takes_away(deed.kind)) {
            return Err(fault);
        }
        let items: Result<_, Fault> =
            changes.into_iter().map(|change| self.closed(change)).collect();
        let mut unit = Unit { items: items?, ..Unit::default() };
        if let Some(event) = self.event(deed) {
            unit.events = Some(Box::new(move |receipt| {
                vec![Event { time: receipt.last_updated, ..event }.encode()]
            }));
        }
        self.store.commit(unit).map(drop)
    }

    fn note(&self, deed: Deed) -> Result<(), Fault> {
        match self.event(deed) {
            Some(event) => self.log.append(&event).map(drop),
            None => Ok(()),
        }
    }
}

impl Kept {
    /// The change as the store keeps it.
    fn closed(&self, change: Change) -> Result<ItemChange, Fault> {
        let Change { shelf, key, replaces, act } = change;
        let act = match act {
            Act::Put(plain) => {
                let version = replaces.unwrap_or(0).saturating_add(1);
                let sealer = self.sealer.as_deref();
                let kept = closed_body(sealer, shelf.as_str(), &key, version, plain)?;
                ItemAct::Put(kept)
            }
            Act::Remove => ItemAct::Remove,
            Act::Keep => ItemAct::Keep,
        };
        Ok(ItemChange { shelf: shelf.as_str(), key, replaces, act })
    }

    /// The item as it was given.
    fn opened(&self, shelf: ShelfName, key: &[u8], item: &store::Item) -> Result<Item, Fault> {
        let version = item.version;
        let sealer = self.sealer.as_deref();
        let body = opened_body(sealer, shelf.as_str(), key, version, &item.body)?;
        Ok(Item { version, body })
    }

    /// The event of a deed; upkeep has none.
    fn event(&self, deed: Deed) -> Option<Event> {
        let mut event = Event::new(self.clock.now(), deed.asker.request, kind_of(deed.kind)?);
        event.status = match deed.kind {
            DeedKind::SignInFailed => 401,
            DeedKind::SignedInConfined | DeedKind::PasswordBreached => 403,
            DeedKind::Created | DeedKind::Claimed | DeedKind::TokenIssued | DeedKind::Delegated => {
                201
            }
            _ => 200,
        };
        if deed.kind == DeedKind::SignInFailed {
            event.decision = Decision::Deny;
        }
        event.source = deed.asker.source.map(Source::of);
        match deed.asker.by {
            By::Nobody => {}
            By::Operator => {
                event.actor = Cow::Borrowed(OPERATOR);
                event.source = event.source.or(Some(Source::Local));
            }
            By::Principal(id) => event.actor = Cow::Owned(id.to_string()),
        }
        let upon = deed.upon.map(|id| Target::resource("Principal", id.to_string(), None));
        let session = deed.session.map(|id| Target::resource("Session", id.to_string(), None));
        let issuer = deed.issuer.map(|name| Target::resource("Issuer", name.as_str(), None));
        let through = deed.through.map(|id| Target::resource("Session", id.to_string(), None));
        event.targets.extend(upon.into_iter().chain(session).chain(issuer).chain(through));
        if let Some(id) = deed.acts_for {
            let on_behalf_of = Some(id.to_string());
            event.receipt =
                Some(Box::new(audit::Receipt { on_behalf_of, ..audit::Receipt::default() }));
        }
        Some(event)
    }
}

/// A body as the store keeps it: sealed for its place where there is a sealer.
pub(crate) fn closed_body(
    sealer: Option<&dyn Sealer>,
    shelf: &str,
    key: &[u8],
    version: u64,
    plain: Vec<u8>,
) -> Result<Vec<u8>, Fault> {
    let (form, body) = match sealer {
        Some(sealer) => (SEALED, sealer.seal(shelf, key, version, &plain)?),
        None => (PLAIN, plain),
    };
    let mut kept = Vec::with_capacity(body.len() + 1);
    kept.push(form);
    kept.extend_from_slice(&body);
    Ok(kept)
}

/// The body that [`closed_body`] was given for this place. Where bodies are sealed, one that is not was
/// put there by somebody else.
pub(crate) fn opened_body(
    sealer: Option<&dyn Sealer>,
    shelf: &str,
    key: &[u8],
    version: u64,
    kept: &[u8],
) -> Result<Vec<u8>, Fault> {
    match (kept.split_first(), sealer) {
        (Some((&PLAIN, plain)), None) => Ok(plain.to_vec()),
        (Some((&SEALED, sealed)), Some(sealer)) => sealer.open(shelf, key, version, sealed),
        (Some((&SEALED, _)), None) => {
            let say = "Items beside the record are sealed, and the keys are not open.";
            Err(Fault::new(&code::KEYS_UNAVAILABLE, say))
        }
        _ => {
            let say = "An item beside the record does not stand as this program keeps it.";
            Err(Fault::new(&code::STORE_CORRUPT, say))
        }
    }
}

const fn takes_away(deed: DeedKind) -> bool {
    use DeedKind::{DelegationEnded, Disabled, Revoked, SignedOut, Unlinked, Upkeep};
    matches!(deed, DelegationEnded | Disabled | Revoked | SignedOut | Unlinked | Upkeep)
}

const fn kind_of(deed: DeedKind) -> Option<Kind> {
    Some(match deed {
        DeedKind::Created => Kind::UserCreate,
        DeedKind::Changed => Kind::UserChange,
        DeedKind::Disabled => Kind::UserDisable,
        DeedKind::Enabled => Kind::UserEnable,
        DeedKind::PasswordSet => Kind::PasswordSet,
        DeedKind::SignedIn => Kind::SignIn,
        DeedKind::SignedInConfined => Kind::SignInConfined,
        DeedKind::PasswordBreached => Kind::PasswordBreached,
        DeedKind::SignInFailed => Kind::SignInFailed,
        DeedKind::SignedOut => Kind::SignOut,
        DeedKind::SteppedUp => Kind::StepUp,
        DeedKind::FactorAdded => Kind::FactorAdded,
        DeedKind::FactorRenamed => Kind::FactorRenamed,
        DeedKind::FactorRemoved => Kind::FactorRemoved,
        DeedKind::RecoveryDrawn => Kind::RecoveryCodes,
        DeedKind::FactorsReset => Kind::FactorsReset,
        DeedKind::TokenIssued => Kind::TokenIssued,
        DeedKind::Revoked => Kind::SessionRevoked,
        DeedKind::ClaimDrawn => Kind::ClaimDrawn,
        DeedKind::Claimed => Kind::Claimed,
        DeedKind::Linked => Kind::Linked,
        DeedKind::Unlinked => Kind::Unlinked,
        DeedKind::RolesMapped => Kind::RolesMapped,
        DeedKind::Delegated => Kind::Delegated,
        DeedKind::DelegationEnded => Kind::DelegationEnded,
        DeedKind::Upkeep => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use base::Millis;
    use identity::contract;
    use std::path::Path;

    #[derive(Debug)]
    struct Noon;

    impl Clock for Noon {
        fn now(&self) -> Millis {
            Millis(1_800_000_000_000)
        }
    }

    /// Not a cipher: it shows that a body was sealed, and for which place.
    #[derive(Debug)]
    struct Marked;

    fn mark(shelf: &str, key: &[u8], version: u64) -> Vec<u8> {
        format!("{shelf}/{key:?}/{version}:").into_bytes()
    }

    impl Sealer for Marked {
        fn seal(
            &self,
            shelf: &str,
            key: &[u8],
            version: u64,
            plain: &[u8],
        ) -> Result<Vec<u8>, Fault> {
            // A long key would make a longer mark than a sealer may add.
            let key = &key[..key.len().min(32)];
            let body = plain.iter().map(|byte| byte ^ 0x55);
            Ok(mark(shelf, key, version).into_iter().chain(body).collect())
        }

        fn open(
            &self,
            shelf: &str,
            key: &[u8],
            version: u64,
            sealed: &[u8],
        ) -> Result<Vec<u8>, Fault> {
            let key = &key[..key.len().min(32)];
            let body = sealed.strip_prefix(mark(shelf, key, version).as_slice());
            let body = body.ok_or_else(|| Fault::new(&code::KEYS_BODY_ALTERED, "Elsewhere."))?;
            Ok(body.iter().map(|byte| byte ^ 0x55).collect())
        }
    }

    fn shelf(dir: &Path, sealer: Option<Arc<dyn Sealer>>) -> Kept {
        let clock: Arc<dyn Clock> = Arc::new(Noon);
        let options = store::Options {
            clock: Arc::clone(&clock),
            sync: store::Sync::Relaxed,
            ..store::Options::default()
        };
        let store = Store::open(&dir.join("store"), options).unwrap();
        let log = Log::open(&dir.join("audit"), audit::Options::new(Arc::clone(&clock))).unwrap();
        Kept { store, log: Arc::new(log), clock, sealer }
    }

    const SHELF: ShelfName = ShelfName::Factors;

    fn put(to: &Kept, key: &[u8], replaces: Option<u64>, body: &[u8]) -> Result<(), Fault> {
        to.commit(vec![Change::put(SHELF, key, replaces, body.to_vec())], Deed::UPKEEP)
    }

    #[test]
    fn the_shelf_on_the_store_keeps_its_promises() {
        let dir = tempfile::tempdir().unwrap();
        assert_eq!(contract::check(&shelf(dir.path(), None)), Ok(()));
    }

    #[test]
    fn a_sealed_shelf_keeps_its_promises() {
        let dir = tempfile::tempdir().unwrap();
        assert_eq!(contract::check(&shelf(dir.path(), Some(Arc::new(Marked)))), Ok(()));
    }

    #[test]
    fn a_sealed_body_shows_nothing_and_opens_in_its_own_place_alone() {
        let dir = tempfile::tempdir().unwrap();
        let kept = shelf(dir.path(), Some(Arc::new(Marked)));
        put(&kept, b"a", None, b"the key of a phone").unwrap();
        let raw = kept.store.item_get(SHELF.as_str(), b"a").unwrap().unwrap().body;
        assert!(!raw.windows(5).any(|part| part == b"phone"));
        let misplaced = ItemChange {
            shelf: SHELF.as_str(),
            key: b"b".to_vec(),
            replaces: None,
            act: ItemAct::Put(raw),
        };
        kept.store.commit(Unit { items: vec![misplaced], ..Unit::default() }).unwrap();
        assert_eq!(kept.get(SHELF, b"b").unwrap_err().code(), &code::KEYS_BODY_ALTERED);
        assert_eq!(kept.get(SHELF, b"a").unwrap().unwrap().body, b"the key of a phone");
    }

    #[test]
    fn plain_bodies_are_refused_where_bodies_are_sealed_and_sealed_ones_without_keys() {
        let dir = tempfile::tempdir().unwrap();
        let open = shelf(dir.path(), None);
        put(&open, b"plain", None, b"1").unwrap();
        drop(open);
        let sealed = shelf(dir.path(), Some(Arc::new(Marked)));
        assert_eq!(sealed.get(SHELF, b"plain").unwrap_err().code(), &code::STORE_CORRUPT);
        assert!(sealed.scan(SHELF, b"", None, 9).is_err());
        put(&sealed, b"sealed", None, b"1").unwrap();
        drop(sealed);
        let open = shelf(dir.path(), None);
        assert_eq!(open.get(SHELF, b"sealed").unwrap_err().code(), &code::KEYS_UNAVAILABLE);
        assert_eq!(open.get(SHELF, b"plain").unwrap().unwrap().body, b"1");
    }

    #[test]
    fn an_event_stands_with_its_change_and_not_with_one_that_is_refused() {
        let dir = tempfile::tempdir().unwrap();
        let kept = shelf(dir.path(), None);
        let deed = Deed { kind: DeedKind::FactorAdded, ..Deed::UPKEEP };
        let change = |replaces| vec![Change::put(SHELF, b"a", replaces, b"1".to_vec())];
        assert!(kept.commit(change(Some(4)), deed).is_err());
        assert!(kept.store.unaudited().unwrap().is_empty());
        kept.commit(change(None), deed).unwrap();
        put(&kept, b"a", Some(1), b"2").unwrap();
        let held = kept.store.unaudited().unwrap();
        assert_eq!(held.len(), 1, "upkeep has no event");
        let event = Event::decode(&held[0].1[0]).unwrap();
        assert_eq!(event.kind, Kind::FactorAdded);
    }

    #[test]
    fn a_failed_sign_in_is_a_denial_upon_whoever_it_was_tried_upon() {
        let dir = tempfile::tempdir().unwrap();
        let kept = shelf(dir.path(), None);
        let id = identity::PrincipalId::new([7; 16]);
        let mut deed = Deed { kind: DeedKind::SignInFailed, upon: Some(id), ..Deed::UPKEEP };
        deed.asker.source = Some([10, 0, 0, 7].into());
        let event = kept.event(deed).unwrap();
        assert_eq!((event.status, event.decision), (401, Decision::Deny));
        assert_eq!((&*event.actor, event.source), (audit::event::ANONYMOUS, Some(Source::Private)));
        assert_eq!(event.targets[0].id, Some(id.to_string()));
        deed.asker = identity::Asker { by: By::Operator, ..identity::Asker::default() };
        let event = kept.event(deed).unwrap();
        assert_eq!((&*event.actor, event.source), (OPERATOR, Some(Source::Local)));
    }
}
