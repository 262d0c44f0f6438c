//! A mask: what is hidden, type by type, and which search parameters read it.

use fhir::definitions::{Element, TypeId, r4};
use search::parse::Hides;
use search::registry::{AtomId, Parameter, registry};
use std::collections::BTreeMap;

/// A hidden element: the names on the way to it, and the system of the repeats that are hidden.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Hidden {
    pub(super) path: Vec<&'static str>,
    pub(super) system: Option<String>,
}

impl Hidden {
    /// Reads `name`, `name.name` or `name[system]`.
    pub(super) fn read(of: TypeId, text: &str) -> Result<Self, &'static str> {
        let (path, system) = match text.split_once('[') {
            Some((path, rest)) => {
                let system = rest.strip_suffix(']').filter(|s| !s.is_empty());
                (path, Some(system.ok_or("a system stands in brackets")?.to_owned()))
            }
            None => (text, None),
        };
        let mut names = Vec::new();
        let mut here = of;
        let mut last: Option<&'static Element> = None;
        for name in path.split('.') {
            let found = r4().get(here).element(name).ok_or("names an element that there is not")?;
            if names.is_empty() && matches!(name, "id" | "meta" | "text" | "contained") {
                return Err("names an element that every answer needs, or that hides with others");
            }
            names.push(found.name);
            // Below a choice, and below a reference to any type, nothing is named.
            here = match found.types.as_slice() {
                [one] => one.id,
                _ => TypeId(u16::MAX),
            };
            last = Some(found);
        }
        let element = last.ok_or("names no element")?;
        if element.modifier || element.min > 0 {
            return Err("names a modifier, or an element that must be there: it cannot be hidden");
        }
        if let Some(first) = names.first() {
            let leads = registry().patient_compartment(of).iter().any(|atom| {
                path_of(*atom).is_some_and(|path| path.first().is_some_and(|one| one == first))
            });
            if leads {
                return Err("names an element that tells whose record it is: it cannot be hidden");
            }
        }
        if system.is_some() && r4().get(here).element("system").is_none() {
            return Err("names an element without a system");
        }
        Ok(Self { path: names, system })
    }

    /// Everything that `other` hides, this hides too.
    pub(super) fn covers(&self, other: &Self) -> bool {
        match &self.system {
            None => other.path.starts_with(&self.path),
            Some(_) => self == other,
        }
    }

    /// Whether a path reads it, something in it, or something it is in.
    fn read_by(&self, path: &[&str]) -> bool {
        path.iter().zip(&self.path).all(|(one, two)| one == two)
    }
}

/// What is hidden from somebody.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ElementMask {
    types: BTreeMap<TypeId, Vec<Hidden>>,
}

impl ElementMask {
    pub(super) fn hide(&mut self, of: TypeId, hidden: Hidden) {
        let list = self.types.entry(of).or_default();
        if !list.contains(&hidden) {
            list.push(hidden);
        }
    }

    /// Nothing is hidden.
    pub fn is_empty(&self) -> bool {
        self.types.is_empty()
    }

    /// Whether something of a type is hidden.
    pub fn hides_some(&self, of: TypeId) -> bool {
        self.types.contains_key(&of)
    }

    pub(super) fn of(&self, of: TypeId) -> &[Hidden] {
        self.types.get(&of).map_or(&[], Vec::as_slice)
    }

    /// Whether a path of element names reads something hidden. The narrative is hidden with
    /// anything.
    pub fn hides_path(&self, of: TypeId, path: &[&str]) -> bool {
        let hidden = self.of(of);
        hidden.iter().any(|hidden| hidden.read_by(path))
            || (!hidden.is_empty() && matches!(path.first(), Some(&"text" | &"contained")))
    }
}

impl Hides for ElementMask {
    fn hides(&self, of: TypeId, parameter: &Parameter) -> bool {
        if !self.hides_some(of) {
            return false;
        }
        let parts = parameter.composite.iter().flat_map(|way| &way.components);
        let mut atoms = parameter
            .atoms
            .iter()
            .chain(&parameter.identifier_atoms)
            .chain(parts.flat_map(|part| &part.atoms));
        // An atom whose path cannot be told reads anything.
        atoms.any(|atom| path_of(*atom).is_none_or(|path| self.hides_path(of, &path)))
    }

    fn hides_words(&self, of: TypeId) -> bool {
        self.hides_some(of)
    }
}

/// The element names on the path of an atom, conditions and types left out.
pub(super) fn path_of(atom: AtomId) -> Option<Vec<&'static str>> {
    let text = registry().atom(atom).key.split('|').nth(1)?;
    let mut names = Vec::new();
    let (mut depth, mut from) = (0_usize, 0_usize);
    let mut take = |name: &'static str| {
        let plain = name.split('[').next().unwrap_or_default();
        if !plain.is_empty() && !plain.contains(['(', ' ']) {
            names.push(plain);
        }
    };
    for (at, c) in text.char_indices() {
        match c {
            '(' => depth += 1,
            ')' => depth = depth.checked_sub(1)?,
            '.' if depth == 0 => {
                take(text.get(from..at)?);
                from = at + 1;
            }
            _ => {}
        }
    }
    take(text.get(from..)?);
    // The first name is the type's.
    if names.len() < 2 {
        return None;
    }
    names.remove(0);
    Some(names)
}
