//! Contained resources (<https://hl7.org/fhir/R4/references.html#contained>): what a resource
//! contains, who refers to it, and the rules dom-2 to dom-5 and ref-1. Nothing is gathered until the
//! first contained resource or `#id` is met.

use crate::walk::Walk;
use base::error::code;
use fhir::Value;
use fhir::definitions::r4;
use std::borrow::Cow;

/// A resource of its own, and what it contains.
#[derive(Default)]
pub(crate) struct Container<'a> {
    resource: Option<Value<'a>>,
    gathered: Option<Gathered<'a>>,
    /// The contained resource that is walked now.
    inside: Option<usize>,
}

#[derive(Default)]
struct Gathered<'a> {
    inner: Vec<Inner<'a>>,
    /// Positions of those with an id, in the order of their ids.
    by_id: Vec<usize>,
}

struct Inner<'a> {
    value: Value<'a>,
    id: Cow<'a, str>,
    resource_type: Option<&'static str>,
    used: bool,
}

impl<'a> Container<'a> {
    pub(crate) fn of(resource: Value<'a>) -> Self {
        Self { resource: Some(resource), gathered: None, inside: None }
    }

    fn gathered(&mut self) -> &mut Gathered<'a> {
        let resource = self.resource;
        self.gathered.get_or_insert_with(|| {
            let contained = resource.and_then(|r| r.get("contained"));
            let inner: Vec<_> =
                contained.map(|c| c.items().map(inner).collect()).unwrap_or_default();
            let id =
                |i: &usize| inner.get(*i).map(|c: &Inner<'_>| c.id.as_ref()).unwrap_or_default();
            let mut by_id: Vec<usize> = (0..inner.len()).filter(|i| !id(i).is_empty()).collect();
            by_id.sort_by(|a, b| id(a).cmp(id(b)));
            Gathered { inner, by_id }
        })
    }

    /// Notes that something refers to `#id`; the contained resource's type if it is there.
    fn refer(&mut self, id: &str) -> Option<Option<&'static str>> {
        let Gathered { inner, by_id } = self.gathered();
        let key = |i: &usize| inner.get(*i).map(|c| c.id.as_ref()).unwrap_or_default();
        let position = by_id.binary_search_by(|i| key(i).cmp(id)).ok()?;
        let found = inner.get_mut(*by_id.get(position)?)?;
        found.used = true;
        Some(found.resource_type)
    }
}

fn inner(value: Value<'_>) -> Inner<'_> {
    let name = value.get_str("resourceType");
    let resource_type = name.and_then(|name| r4().resource_name(&name));
    Inner { value, id: value.get_str("id").unwrap_or_default(), resource_type, used: false }
}

impl<'a> Walk<'a, '_> {
    /// One contained resource.
    pub(crate) fn contained(&mut self, value: Value<'a>, index: usize) {
        if self.container.inside.is_some() {
            let text = "dom-2: a contained resource contains no other";
            return self.error(&code::CONTAINED_INVALID, value, text);
        }
        let Some(table) = self.resource_table(value) else { return };
        let gathered = self.container.gathered();
        let id = value.get_str("id").unwrap_or_default();
        let same = |i: &&usize| gathered.inner.get(**i).is_some_and(|c| c.id == id);
        let at =
            gathered.by_id.partition_point(|i| gathered.inner.get(*i).is_some_and(|c| c.id < id));
        let twice = gathered.by_id.iter().skip(at).take(2).filter(same).count() > 1;
        if id.is_empty() {
            let text = "a contained resource has an id, for it is found by nothing else";
            self.error(&code::CONTAINED_INVALID, value, text);
        } else if twice {
            let text = "two contained resources have the same id";
            self.error(&code::CONTAINED_INVALID, value, text);
        }
        let meta = value.get("meta");
        for (name, rule) in
            [("versionId", "dom-4"), ("lastUpdated", "dom-4"), ("security", "dom-5")]
        {
            if let Some(at) = meta.and_then(|meta| meta.get(name)) {
                let text = format!("{rule}: a contained resource has no meta.{name}");
                self.error(&code::CONTAINED_INVALID, at, text);
            }
        }
        self.container.inside = Some(index);
        self.object(value, table);
        self.container.inside = None;
    }

    /// A URI or canonical of the form `#id`.
    pub(crate) fn note_fragment(&mut self, value: Value<'a>) {
        if value.raw().starts_with("\"#")
            && let Some(text) = value.as_str()
        {
            self.refer_to(text.get(1..).unwrap_or_default());
        }
    }

    /// ref-1: `#id` names a contained resource, `#` the one that contains. Answers its type.
    pub(crate) fn fragment(&mut self, at: Value<'a>, id: &str) -> Option<&'static str> {
        if let Some(resource_type) = self.refer_to(id) {
            return resource_type;
        }
        let text = "ref-1: no contained resource has this id";
        self.error(&code::INVARIANT_FAILED, at, text);
        None
    }

    fn refer_to(&mut self, id: &str) -> Option<Option<&'static str>> {
        if !id.is_empty() {
            return self.container.refer(id);
        }
        // A contained resource that refers to its container is referred to itself, so to speak.
        let inside = self.container.inside?;
        let resource = self.container.resource?;
        if let Some(inner) = self.container.gathered().inner.get_mut(inside) {
            inner.used = true;
        }
        let name = resource.get_str("resourceType")?;
        Some(r4().resource_name(&name))
    }

    /// dom-3: what is contained is referred to, or refers to its container.
    pub(crate) fn unused_contained(&mut self) {
        let Some(gathered) = self.container.gathered.take() else { return };
        for inner in gathered.inner.iter().filter(|inner| !inner.used && !inner.id.is_empty()) {
            let text = "dom-3: nothing refers to this contained resource";
            if self.options.strict {
                self.error(&code::CONTAINED_INVALID, inner.value, text);
            } else {
                self.warning(&code::CONTAINED_INVALID, inner.value, text);
            }
            if self.is_full() {
                break;
            }
        }
    }
}
