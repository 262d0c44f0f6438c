//! A store in a temporary folder and short ways to write to it and ask it.

#![expect(clippy::unwrap_used, reason = "a test helper fails its test")]

use base::{Fault, Limits, Millis};
use fhir::Document;
use fhir::definitions::{TypeId, r4};
use search::parse::{Level, decode_query};
use std::sync::Arc;
use store::{Op, Options, Page, PageRequest, Position, Receipt, Scope, Store, Unit};
use testkit::clock::Turned;

/// A store, its folder and its clock.
pub(crate) struct Case {
    pub(crate) store: Store,
    pub(crate) clock: Arc<Turned>,
    pub(crate) dir: tempfile::TempDir,
}

pub(crate) fn case() -> Case {
    let dir = tempfile::tempdir().unwrap();
    let clock = Turned::at(1_700_000_000_000);
    let store = open(dir.path(), &clock).unwrap();
    Case { store, clock, dir }
}

pub(crate) fn open(dir: &std::path::Path, clock: &Arc<Turned>) -> Result<Store, Fault> {
    Store::open(dir, Options { clock: clock.clone(), seed: 7, ..Options::default() })
}

pub(crate) fn kind(name: &str) -> TypeId {
    r4().resource_type(name).unwrap()
}

impl Case {
    pub(crate) fn op(&self, json: &str) -> Op {
        let document = Document::parse_text(json.to_owned(), &Limits::default()).unwrap();
        let root = document.root();
        let resource_type = kind(&root.get_str("resourceType").unwrap());
        let id = root.get_str("id").unwrap().into_owned();
        let labels = u64::from(json.contains("\"R\""));
        let content = self.store.prepare(root, resource_type, id, labels).unwrap();
        Op::Update {
            content: Box::new(content),
            if_match: None,
            may_create: true,
            skip_same: false,
        }
    }

    pub(crate) fn put(&self, json: &str) -> Receipt {
        self.try_put(&[json]).unwrap()
    }

    pub(crate) fn try_put(&self, jsons: &[&str]) -> Result<Receipt, Fault> {
        let ops = jsons.iter().map(|j| self.op(j)).collect();
        self.store.commit(Unit { ops, ..Unit::default() })
    }

    pub(crate) fn delete(&self, name: &str, id: &str) -> Receipt {
        let op = Op::Delete { resource_type: kind(name), id: id.to_owned(), if_match: None };
        self.store.commit(Unit { ops: vec![op], ..Unit::default() }).unwrap()
    }

    pub(crate) fn body(&self, name: &str, id: &str) -> Option<String> {
        let scope = Scope::everything();
        let hit = self.store.reader(&scope).unwrap().read(kind(name), id).unwrap()?;
        Some(String::from_utf8(hit.body).unwrap())
    }

    /// A page of a search written as in a URL: `Patient?name=x`.
    pub(crate) fn page(
        &self,
        scope: &Scope,
        url: &str,
        count: usize,
        position: Option<Position>,
    ) -> Result<Page, Fault> {
        let (name, query) = url.split_once('?').unwrap_or((url, ""));
        let level = if name.is_empty() { Level::System } else { Level::Type(kind(name)) };
        let search = search::parse::parse(&level, &decode_query(query).unwrap(), &strict())?;
        let request = PageRequest { count, position, include_max: 1000, steps_max: 1_000_000 };
        self.store.reader(scope)?.search(&search, &request)
    }

    /// Ids of all matches in order, walked page by page, and the included ids after a `+`.
    pub(crate) fn ids_in(&self, scope: &Scope, url: &str) -> String {
        let mut out = Vec::new();
        let mut included = Vec::new();
        let mut position = None;
        loop {
            let page = self.page(scope, url, 2, position).unwrap();
            out.extend(page.matches.into_iter().map(|h| h.id));
            included.extend(page.included.into_iter().map(|h| h.id));
            position = page.next;
            if position.is_none() {
                break;
            }
        }
        if !included.is_empty() {
            included.sort();
            included.dedup();
            out.push(format!("+ {}", included.join(" ")));
        }
        out.join(" ")
    }

    pub(crate) fn ids(&self, url: &str) -> String {
        self.ids_in(&Scope::everything(), url)
    }

    pub(crate) fn total(&self, scope: &Scope, url: &str) -> u64 {
        self.page(scope, url, 0, None).unwrap().total.unwrap()
    }
}

/// Strict reading of queries.
pub(crate) fn strict() -> search::parse::Options {
    search::parse::Options {
        lenient: false,
        limits: Limits::default(),
        now: Millis(1_700_000_000_000),
        base_url: None,
        conditional: false,
        hidden: None,
    }
}
