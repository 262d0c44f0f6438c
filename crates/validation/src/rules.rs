//! Rules of single types: required bindings (<https://hl7.org/fhir/R4/terminologies.html>),
//! references (<https://hl7.org/fhir/R4/references.html>), extensions
//! (<https://hl7.org/fhir/R4/extensibility.html>), bundle entries
//! (<https://hl7.org/fhir/R4/bundle.html>).

use crate::names::Names;
use crate::report::quoted;
use crate::table::{Slot, Table};
use crate::walk::{Found, Walk};
use base::error::code;
use fhir::Value;
use fhir::definitions::{ElementType, ValueSet, r4};
use fhir::reference::{self, Reference};

impl<'a> Walk<'a, '_> {
    /// A `code` with a required binding.
    pub(crate) fn code(&mut self, value: Value<'a>, slot: &Slot, codes: &Names<()>) {
        let Some(text) = value.as_str() else { return };
        if codes.get(&text).is_some() {
            return;
        }
        let text = format!("{} is not in {}", quoted(&text), set_name(slot));
        self.error(&code::BINDING_REQUIRED, value, text);
    }

    /// A `Coding` or `CodeableConcept` with a required binding: one coding at least is of the set.
    pub(crate) fn coding(&mut self, value: Value<'a>, slot: &Slot, set: &ValueSet) {
        let within = |coding: Value<'_>| {
            let code = coding.get_str("code");
            let system = coding.get_str("system");
            code.is_some_and(|code| set.contains(system.as_deref().unwrap_or_default(), &code))
        };
        let codings = value.get("coding");
        if within(value) || codings.is_some_and(|codings| codings.items().any(within)) {
            return;
        }
        let text = if codings.is_some() {
            format!("no coding (system and code) is in {}", set_name(slot))
        } else {
            format!("a coding from {} is required; text alone does not do", set_name(slot))
        };
        self.error(&code::BINDING_REQUIRED, value, text);
    }

    /// ext-1: extensions inside, or a value.
    pub(crate) fn extension(&mut self, value: Value<'a>, table: &Table, found: Found) {
        let has = |bit: u128| found.elements & bit != 0;
        if has(table.extension) == has(table.value) {
            let text = "ext-1: an extension has either extensions or value[x]";
            self.error(&code::INVARIANT_FAILED, value, text);
        }
    }

    /// The URL of an extension that stands in no other extension is absolute, or names something of
    /// this resource; inside another it is a plain name.
    pub(crate) fn outer_extension(&mut self, value: Value<'a>) {
        let Some(at) = value.get("url") else { return };
        if at.as_str().is_some_and(|url| !url.contains(':') && !url.starts_with('#')) {
            let text = "the URL of an extension is absolute, unless it stands in another extension";
            self.error(&code::PRIMITIVE_FORMAT, at, text);
        }
    }

    /// bdl-8, and that a `fullUrl` is absolute.
    pub(crate) fn entry(&mut self, value: Value<'a>) {
        let Some(at) = value.get("fullUrl") else { return };
        let Some(url) = at.as_str() else { return };
        if !url.contains(':') {
            let text = "fullUrl is an absolute URL or urn:uuid:…";
            self.error(&code::REFERENCE_FORM, at, text);
        } else if url.contains("/_history/") {
            let text = "bdl-8: fullUrl does not name a version";
            self.error(&code::REFERENCE_FORM, at, text);
        }
    }

    /// The form and target of a reference.
    pub(crate) fn reference(&mut self, value: Value<'a>, of: &ElementType) {
        let stated = value.get("type");
        let at = value.get("reference");
        let mut target = None;
        if let Some(at) = at
            && let Some(text) = at.as_str().filter(|text| !text.is_empty())
        {
            match reference::parse(&text) {
                None => {
                    let text =
                        "a reference is Type/id, an absolute URL, urn:uuid:…, urn:oid:… or #id";
                    self.error(&code::REFERENCE_FORM, at, text);
                }
                Some(Reference::Relative(to) | Reference::Absolute { target: to, .. }) => {
                    target = Some(to.resource_type);
                }
                Some(Reference::Fragment(id)) => target = self.fragment(at, id),
                Some(Reference::Conditional { resource_type, .. }) => {
                    target = Some(resource_type);
                    if !self.in_transaction {
                        let text = "a conditional reference is allowed in a transaction only";
                        self.error(&code::REFERENCE_FORM, at, text);
                    }
                }
                // Entries of a bundle are often named urn:uuid:something that is no UUID.
                Some(Reference::Urn(_) | Reference::Other(_)) => {}
            }
        }
        if let Some(stated) = stated {
            target = self.stated_type(stated, target);
        }
        if let Some(name) = target
            && !of.targets.is_empty()
            && !of.targets.iter().any(|t| *t == name || *t == "Resource")
        {
            let text = format!("{name} is not allowed here; {} is", of.targets.join(", "));
            self.error(&code::REFERENCE_TARGET, at.unwrap_or(value), text);
        }
    }

    /// `Reference.type`: a resource type that agrees with the reference, or a logical model's URL.
    fn stated_type(
        &mut self,
        stated: Value<'a>,
        target: Option<&'static str>,
    ) -> Option<&'static str> {
        const BASE: &str = "http://hl7.org/fhir/StructureDefinition/";
        let text = stated.as_str()?;
        let name = r4().resource_name(text.strip_prefix(BASE).unwrap_or(&text));
        match (name, target) {
            (None, _) if !text.contains(':') => {
                let text = format!("{} is not a resource type of R4", quoted(&text));
                self.error(&code::REFERENCE_TARGET, stated, text);
            }
            (Some(name), Some(target)) if name != target => {
                let text = format!("type says {name}, the reference says {target}");
                self.error(&code::REFERENCE_TARGET, stated, text);
            }
            _ => {}
        }
        target.or(name)
    }
}

fn set_name(slot: &Slot) -> &'static str {
    slot.element.binding.map_or("its value set", |b| b.value_set)
}
