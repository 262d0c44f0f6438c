//! A record without what is hidden, written straight from the tape.

use super::mask::{ElementMask, Hidden};
use base::{Fault, Limits};
use fhir::definitions::{TypeDef, TypeId, r4};
use fhir::json::{self, Edit, Edits};
use fhir::{Document, Value};

const TAG: &str =
    r#"{"system":"http://terminology.hl7.org/CodeSystem/v3-ObservationValue","code":"SUBSETTED"}"#;
const TYPE: &[u8] = b"\"resourceType\"";

impl ElementMask {
    /// The record without what is hidden; `None` when nothing is, and the text may go out as it is.
    /// A type of which nothing is hidden is parsed only when another resource is within.
    ///
    /// # Errors
    /// Codes of `fhir.json.*`, when the text is no stored resource.
    pub fn prune(
        &self,
        of: TypeId,
        body: &[u8],
        limits: &Limits,
    ) -> Result<Option<Vec<u8>>, Fault> {
        if self.is_empty() {
            return Ok(None);
        }
        let nested = || memchr::memmem::find_iter(body, TYPE).nth(1).is_some();
        if !self.hides_some(of) && !nested() {
            return Ok(None);
        }
        let document = Document::parse(body.to_vec(), limits)?;
        let mut edits = Edits::new();
        self.resource(document.root(), &mut edits);
        if edits.is_empty() {
            return Ok(None);
        }
        Ok(Some(tagged(document.root(), edits)))
    }

    fn resource(&self, resource: Value<'_>, edits: &mut Edits) {
        let name = resource.get_str("resourceType").unwrap_or_default();
        let Some((of, def)) = r4().resource_type(&name).zip(r4().named(&name)) else { return };
        let all = self.of(of);
        let here: Vec<(&Hidden, usize)> = all.iter().map(|hidden| (hidden, 0)).collect();
        for (name, value) in resource.members() {
            // The narrative and what is contained may hold the same once more.
            if !all.is_empty() && matches!(name, "text" | "_text" | "contained") {
                edits.insert(value.index(), Edit::Remove);
                continue;
            }
            self.member(def, &here, name, value, edits);
        }
    }

    /// Whether nothing is left of the member.
    fn member(
        &self,
        def: &TypeDef,
        here: &[(&Hidden, usize)],
        name: &str,
        value: Value<'_>,
        edits: &mut Edits,
    ) -> bool {
        let plain = name.strip_prefix('_').unwrap_or(name);
        let Some(member) = def.member(plain) else { return false };
        let below: Vec<(&Hidden, usize)> = here
            .iter()
            .filter(|(hidden, depth)| hidden.path.get(*depth) == Some(&member.element.name))
            .map(|(hidden, depth)| (*hidden, depth + 1))
            .collect();
        let ends = |(hidden, depth): &&(&Hidden, usize)| hidden.path.len() == *depth;
        if below.iter().filter(ends).any(|(hidden, _)| hidden.system.is_none()) {
            edits.insert(value.index(), Edit::Remove);
            return true;
        }
        let systems: Vec<&str> =
            below.iter().filter(ends).filter_map(|(h, _)| h.system.as_deref()).collect();
        let inner = r4().get(member.of.id);
        let mut left = false;
        for item in value.each() {
            let hidden = !systems.is_empty()
                && item.get_str("system").is_some_and(|own| systems.contains(&&*own));
            if hidden || self.item(inner, &below, item, edits) {
                edits.insert(item.index(), Edit::Remove);
            } else {
                left = true;
            }
        }
        if !left {
            edits.insert(value.index(), Edit::Remove);
        }
        !left
    }

    /// Whether nothing is left of the item.
    fn item(
        &self,
        def: &TypeDef,
        below: &[(&Hidden, usize)],
        item: Value<'_>,
        edits: &mut Edits,
    ) -> bool {
        if !item.is_object() {
            return false;
        }
        if item.get("resourceType").is_some() {
            self.resource(item, edits);
            return false;
        }
        let mut left = false;
        for (name, value) in item.members() {
            left |= !self.member(def, below, name, value, edits);
        }
        !left
    }
}

/// The document with the edits and the tag.
fn tagged(root: Value<'_>, mut edits: Edits) -> Vec<u8> {
    let meta = root.get("meta").filter(|meta| meta.is_object());
    if let Some(meta) = meta {
        let mut text = Vec::new();
        match meta.get("tag").filter(|tag| tag.is_array()) {
            Some(tags) => {
                text.push(b'[');
                for item in tags.items() {
                    json::minify(item, &Edits::new(), &mut text);
                    text.push(b',');
                }
                text.extend_from_slice(TAG.as_bytes());
                text.push(b']');
                let text = String::from_utf8_lossy(&text).into_owned();
                edits.insert(tags.index(), Edit::Replace(text));
            }
            None => {
                json::minify(meta, &edits, &mut text);
                text.pop();
                if text.len() > 1 {
                    text.push(b',');
                }
                text.extend_from_slice(format!("\"tag\":[{TAG}]}}").as_bytes());
                let text = String::from_utf8_lossy(&text).into_owned();
                edits.insert(meta.index(), Edit::Replace(text));
            }
        }
    }
    let mut out = Vec::new();
    json::minify(root, &edits, &mut out);
    if meta.is_none() {
        out.pop();
        out.extend_from_slice(format!(",\"meta\":{{\"tag\":[{TAG}]}}}}").as_bytes());
    }
    out
}
