//! Texts as integers: types, atoms, uris, tokens and logical ids. The writer interns; readers look up.

use super::defer::{Deferral, Named, insert_names};
use base::Fault;
use base::id::{uuid_bytes, uuid_text};
use fhir::definitions::{TypeId, r4};
use hashbrown::{Equivalent, HashMap};
use rusqlite::types::{ToSqlOutput, ValueRef};
use rusqlite::{Connection, OptionalExtension, ToSql, params};
use search::registry::{AtomId, registry};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// The pseudo-type of addresses that are no resource of this server.
pub(super) const ADDRESS: u16 = 0;
/// Atom of the rows that list all live records of a type (`value` is the type).
pub(super) const ATOM_TYPE: u32 = 1;
/// Registry atoms are numbered from here on.
const ATOM_FIRST: u32 = 16;

/// The store's numbers of types and atoms, fixed while it is open.
#[derive(Debug, Default)]
pub(super) struct Numbers {
    type_of: Vec<u16>,
    type_id: Vec<Option<TypeId>>,
    atoms: Vec<u32>,
}

impl Numbers {
    /// Reads the numbers, giving new ones to types and atoms the file does not know.
    pub(super) fn load(conn: &mut Connection) -> rusqlite::Result<Self> {
        let tx = conn.transaction()?;
        let mut numbers = Self::default();
        {
            let mut known: HashMap<String, u16> = HashMap::new();
            let mut statement = tx.prepare("SELECT name, id FROM type")?;
            for row in statement.query_map([], |r| Ok((r.get(0)?, r.get(1)?)))? {
                let (name, id) = row?;
                known.insert(name, id);
            }
            let mut next = known.values().copied().max().unwrap_or(0) + 1;
            for id in r4().types() {
                let name = r4().name(id);
                let mut number = 0;
                if r4().resource_type(name).is_some() {
                    number = match known.get(name) {
                        Some(n) => *n,
                        None => {
                            tx.execute(
                                "INSERT INTO type (id, name) VALUES (?, ?)",
                                params![next, name],
                            )?;
                            next += 1;
                            next - 1
                        }
                    };
                    let at = usize::from(number);
                    if numbers.type_id.len() <= at {
                        numbers.type_id.resize(at + 1, None);
                    }
                    if let Some(slot) = numbers.type_id.get_mut(at) {
                        *slot = Some(id);
                    }
                }
                numbers.type_of.push(number);
            }
            let mut known: HashMap<String, u32> = HashMap::new();
            let mut statement = tx.prepare("SELECT key, id FROM atom")?;
            for row in statement.query_map([], |r| Ok((r.get(0)?, r.get(1)?)))? {
                let (key, id) = row?;
                known.insert(key, id);
            }
            let mut next = known.values().copied().max().unwrap_or(ATOM_FIRST - 1) + 1;
            for atom in registry().atoms() {
                let number = match known.get(&atom.key) {
                    Some(n) => *n,
                    None => {
                        tx.execute(
                            "INSERT INTO atom (id, key) VALUES (?, ?)",
                            params![next, atom.key],
                        )?;
                        next += 1;
                        next - 1
                    }
                };
                numbers.atoms.push(number);
            }
        }
        tx.commit()?;
        Ok(numbers)
    }

    /// The store's number of a resource type.
    pub(super) fn of_type(&self, id: TypeId) -> u16 {
        self.type_of.get(usize::from(id.0)).copied().unwrap_or(u16::MAX)
    }

    /// The type of a store's number.
    pub(super) fn type_id(&self, number: u16) -> Option<TypeId> {
        self.type_id.get(usize::from(number)).copied().flatten()
    }

    /// All numbers of resource types.
    pub(super) fn types(&self) -> impl Iterator<Item = u16> {
        (0u16..).zip(&self.type_id).filter(|(_, id)| id.is_some()).map(|(n, _)| n)
    }

    /// The store's number of an atom.
    pub(super) fn atom(&self, id: AtomId) -> u32 {
        self.atoms.get(usize::from(id.0)).copied().unwrap_or(0)
    }

    /// The store's numbers of atoms.
    pub(super) fn atoms(&self, ids: &[AtomId]) -> Vec<u32> {
        ids.iter().map(|id| self.atom(*id)).collect()
    }
}

/// A logical id as it is stored: a canonical UUID takes its sixteen bytes, anything else is text.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) enum Id {
    Uuid([u8; 16]),
    Text(Box<str>),
}

impl Id {
    pub(super) fn new(text: &str) -> Self {
        uuid_bytes(text).map_or_else(|| Self::Text(text.into()), Self::Uuid)
    }

    pub(super) fn from_sql(value: ValueRef<'_>) -> Option<Self> {
        match value {
            ValueRef::Blob(bytes) => bytes.try_into().ok().map(Self::Uuid),
            ValueRef::Text(text) => std::str::from_utf8(text).ok().map(|t| Self::Text(t.into())),
            ValueRef::Null | ValueRef::Integer(_) | ValueRef::Real(_) => None,
        }
    }

    pub(super) fn text(&self) -> String {
        match self {
            Self::Uuid(bytes) => uuid_text(bytes),
            Self::Text(text) => text.to_string(),
        }
    }
}

impl ToSql for Id {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(match self {
            Self::Uuid(bytes) => ToSqlOutput::Borrowed(ValueRef::Blob(bytes)),
            Self::Text(text) => ToSqlOutput::Borrowed(ValueRef::Text(text.as_bytes())),
        })
    }
}

/// Record number of a logical id, if it is in its table.
fn find_name(conn: &Connection, kind: u16, id: &Id) -> rusqlite::Result<Option<i64>> {
    conn.prepare_cached("SELECT rid FROM name WHERE type = ? AND id = ?")?
        .query_row(params![kind, id], |r| r.get(0))
        .optional()
}

impl super::Shared {
    /// Record number of a logical id, even when a bulk load holds its name back.
    pub(super) fn find_name(
        &self,
        conn: &Connection,
        kind: u16,
        id: &Id,
    ) -> rusqlite::Result<Option<i64>> {
        let found = find_name(conn, kind, id)?;
        Ok(found.or_else(|| self.deferral.name(kind, id)))
    }
}

/// Number of a uri.
pub(super) fn find_uri(conn: &Connection, text: &str) -> rusqlite::Result<Option<i64>> {
    conn.prepare_cached("SELECT id FROM uri WHERE text = ?")?
        .query_row([text], |r| r.get(0))
        .optional()
}

/// Collects the numbers a query answers.
pub(super) fn numbers(
    conn: &Connection,
    sql: &str,
    params: impl rusqlite::Params,
) -> rusqlite::Result<Vec<i64>> {
    conn.prepare_cached(sql)?.query_map(params, |r| r.get(0))?.collect()
}

#[derive(Debug, PartialEq, Eq, Hash)]
struct TokenKey {
    code: Box<str>,
    system: i64,
    text: Box<str>,
}

#[derive(Hash)]
struct TokenRef<'t> {
    code: &'t str,
    system: i64,
    text: &'t str,
}

impl Equivalent<TokenKey> for TokenRef<'_> {
    fn equivalent(&self, key: &TokenKey) -> bool {
        self.system == key.system && *self.code == *key.code && *self.text == *key.text
    }
}

/// A map that forgets the older half of what it knows when it is full.
#[derive(Debug)]
struct Cache<K> {
    young: HashMap<K, i64>,
    old: HashMap<K, i64>,
    half: usize,
}

impl<K: Eq + std::hash::Hash> Cache<K> {
    fn new(half: usize) -> Self {
        Self { young: HashMap::new(), old: HashMap::new(), half }
    }

    fn get<Q: std::hash::Hash + Equivalent<K> + ?Sized>(&mut self, key: &Q) -> Option<i64> {
        if let Some(found) = self.young.get(key) {
            return Some(*found);
        }
        let (key, value) = self.old.remove_entry(key)?;
        self.put(key, value);
        Some(value)
    }

    fn put(&mut self, key: K, value: i64) {
        if self.young.len() >= self.half {
            self.old = std::mem::take(&mut self.young);
        }
        self.young.insert(key, value);
    }

    fn clear(&mut self) {
        self.young.clear();
        self.old.clear();
    }
}

/// The writer's side: numbers for texts, made when new. Nothing of it survives a rolled back
/// transaction: [`Interner::forget`] empties the caches.
#[derive(Debug)]
pub(super) struct Interner {
    uris: Cache<Box<str>>,
    tokens: Cache<TokenKey>,
    names: Cache<(u16, Id)>,
    next_rid: i64,
    /// How many uris and ids got a number, for who keeps what it looked up within a unit.
    pub(super) named: Arc<AtomicU64>,
    deferral: Arc<Deferral>,
    /// Names held back for records that are not stored yet.
    unsure: Vec<Named>,
}

/// What a logical id stands for where it is met.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Naming {
    /// The record that is about to be stored: it keeps its name itself.
    Record,
    /// Some other record, which may never be stored.
    Reference,
}

impl Interner {
    pub(super) fn new(conn: &Connection, deferral: Arc<Deferral>) -> rusqlite::Result<Self> {
        let mut interner = Self {
            uris: Cache::new(20_000),
            tokens: Cache::new(50_000),
            names: Cache::new(100_000),
            next_rid: 0,
            named: Arc::default(),
            deferral,
            unsure: Vec::new(),
        };
        interner.forget(conn)?;
        Ok(interner)
    }

    /// Empties the caches and reads the next record number again.
    pub(super) fn forget(&mut self, conn: &Connection) -> rusqlite::Result<()> {
        self.uris.clear();
        self.tokens.clear();
        self.names.clear();
        self.unsure.clear();
        // Names without a record hold numbers above the last record's, so the mark is kept apart.
        let marked: Option<i64> = conn
            .query_row("SELECT value FROM meta WHERE key = 'next_rid'", [], |r| r.get(0))
            .optional()?;
        self.next_rid = marked.unwrap_or(1);
        Ok(())
    }

    /// Remembers the next record and version numbers with the transaction.
    pub(super) fn save(&self, conn: &Connection, next_vid: u64) -> rusqlite::Result<()> {
        let mut set =
            conn.prepare_cached("INSERT OR REPLACE INTO meta (key, value) VALUES (?, ?)")?;
        set.execute(params!["next_rid", self.next_rid])?;
        set.execute(params!["next_vid", next_vid])?;
        Ok(())
    }

    pub(super) fn uri(&mut self, conn: &Connection, text: &str) -> rusqlite::Result<i64> {
        if text.is_empty() {
            return Ok(0);
        }
        if let Some(id) = self.uris.get(text) {
            return Ok(id);
        }
        let id = match find_uri(conn, text)? {
            Some(id) => id,
            None => {
                conn.prepare_cached("INSERT INTO uri (text) VALUES (?)")?.execute([text])?;
                self.named.fetch_add(1, Ordering::Relaxed);
                conn.last_insert_rowid()
            }
        };
        self.uris.put(text.into(), id);
        Ok(id)
    }

    pub(super) fn token(
        &mut self,
        conn: &Connection,
        system: &str,
        code: &str,
        text: &str,
    ) -> rusqlite::Result<i64> {
        let system = self.uri(conn, system)?;
        if let Some(id) = self.tokens.get(&TokenRef { code, system, text }) {
            return Ok(id);
        }
        let found = conn
            .prepare_cached("SELECT id FROM token WHERE code = ? AND system = ? AND text = ?")?
            .query_row(params![code, system, text], |r| r.get(0))
            .optional()?;
        let id = match found {
            Some(id) => id,
            None => {
                conn.prepare_cached("INSERT INTO token (code, system, text) VALUES (?, ?, ?)")?
                    .execute(params![code, system, text])?;
                conn.last_insert_rowid()
            }
        };
        self.tokens.put(TokenKey { code: code.into(), system, text: text.into() }, id);
        Ok(id)
    }

    /// The record number of a logical id, whether or not the record exists yet. The flag says that
    /// the number is new.
    pub(super) fn name(
        &mut self,
        conn: &Connection,
        kind: u16,
        id: &Id,
        naming: Naming,
    ) -> rusqlite::Result<(i64, bool)> {
        let key = (kind, id.clone());
        if let Some(rid) = self.names.get(&key) {
            return Ok((rid, false));
        }
        let found = match self.deferral.name(kind, id) {
            Some(rid) => Some(rid),
            None => find_name(conn, kind, id)?,
        };
        if let Some(rid) = found {
            self.names.put(key, rid);
            return Ok((rid, false));
        }
        let rid = self.next_rid;
        self.next_rid += 1;
        self.named.fetch_add(1, Ordering::Relaxed);
        if naming == Naming::Record && self.deferral.is_on() {
            self.deferral.hold_name((kind, id.clone(), rid));
            self.unsure.push((kind, id.clone(), rid));
        } else {
            conn.prepare_cached("INSERT INTO name (type, id, rid) VALUES (?, ?, ?)")?
                .execute(params![kind, id, rid])?;
        }
        self.names.put(key, rid);
        Ok((rid, true))
    }

    /// The records that were named are stored, so their names can be found again.
    pub(super) fn stored(&mut self) {
        self.unsure.clear();
    }

    /// The records that were named are not stored after all: their names go into the table, because
    /// other records may be given these numbers as references.
    pub(super) fn not_stored(&mut self, conn: &Connection) -> rusqlite::Result<()> {
        let names = std::mem::take(&mut self.unsure);
        insert_names(conn, &names)?;
        self.deferral.let_go(&names);
        Ok(())
    }
}

/// The fault of a foreign id in a row.
pub(super) fn bad_row() -> Fault {
    Fault::new(&base::error::code::STORE_CORRUPT, "a stored row names a type or id that is unknown")
}
