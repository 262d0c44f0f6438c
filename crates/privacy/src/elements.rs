//! Minimum necessary within a record (45 CFR 164.502(b), 164.514(d)(2)): the elements a role does
//! not need to see are left out of what it is shown, and it cannot search by them.
//!
//! The file says role by role what is hidden ([`SHIPPED`] tells its form). Where something of a type
//! is hidden, its narrative and what it contains are too, since they may say the same once more; and
//! what is left carries the tag `SUBSETTED`, so that nobody takes it for the whole and sends it back.

mod mask;
mod prune;

pub use mask::ElementMask;

use crate::elements::mask::Hidden;
use access::Who;
use base::Fault;
use base::error::code;
use fhir::definitions::{TypeId, r4};
use std::collections::{BTreeMap, BTreeSet, HashMap};

/// The file that is shipped.
pub const SHIPPED: (&str, &str) = ("elements.txt", include_str!("../elements.txt"));

const TEXT_MAX: usize = 256 * 1024;
const LINES_MAX: usize = 5_000;

/// What each role does not need to see.
#[derive(Debug, Default)]
pub struct Elements {
    roles: HashMap<String, Role>,
}

#[derive(Debug, Default)]
struct Role {
    shows_all: bool,
    shows: BTreeSet<TypeId>,
    hides: BTreeMap<TypeId, Vec<Hidden>>,
}

fn invalid(file: &str, line: usize, what: &str) -> Fault {
    Fault::new(&code::PRIVACY_RULES_INVALID, format!("{file}:{line}: {what}"))
}

impl Elements {
    /// The shipped file.
    ///
    /// # Errors
    /// `privacy.rules.invalid`.
    pub fn shipped() -> Result<Self, Fault> {
        Self::load(SHIPPED.0, SHIPPED.1)
    }

    /// Reads such a file.
    ///
    /// # Errors
    /// `privacy.rules.invalid` with the line.
    pub fn load(file: &str, text: &str) -> Result<Self, Fault> {
        if text.len() > TEXT_MAX || text.lines().count() > LINES_MAX {
            return Err(invalid(file, 1, "the text is longer than such a file may be"));
        }
        let mut made = Self::default();
        let mut open: Option<String> = None;
        for (number, line) in (1..).zip(text.lines()) {
            let bad = |what: &str| invalid(file, number, what);
            let line = line.trim();
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            let mut words = line.split_whitespace();
            let first = words.next().unwrap_or_default();
            let rest: Vec<&str> = words.collect();
            if first == "role" {
                let [name] = rest.as_slice() else { return Err(bad("one role's name follows")) };
                if made.roles.insert((*name).to_owned(), Role::default()).is_some() {
                    return Err(bad("the role stands twice"));
                }
                open = Some((*name).to_owned());
                continue;
            }
            let role = open.as_ref().and_then(|name| made.roles.get_mut(name));
            let role = role.ok_or_else(|| bad("stands before any role"))?;
            if rest.is_empty() {
                return Err(bad("nothing follows the first word"));
            }
            let named = |name: &str| r4().resource_type(name).ok_or_else(|| bad("names no type"));
            if first == "shows" {
                for name in rest {
                    match name {
                        "*" => role.shows_all = true,
                        name => _ = role.shows.insert(named(name)?),
                    }
                }
                continue;
            }
            let of = named(first)?;
            for path in rest {
                let hidden = Hidden::read(of, path).map_err(bad)?;
                role.hides.entry(of).or_default().push(hidden);
            }
        }
        Ok(made)
    }

    /// What is hidden from somebody: for each type what all roles hide that speak of it, and what is
    /// hidden from whoever they act for.
    pub fn mask(&self, who: &Who) -> ElementMask {
        let mut mask = ElementMask::default();
        let mut here = Some(who);
        while let Some(one) = here {
            self.add(one, &mut mask);
            here = one.on_behalf_of.as_deref();
        }
        mask
    }

    fn add(&self, who: &Who, mask: &mut ElementMask) {
        let roles: Vec<&Role> = who.roles.iter().filter_map(|r| self.roles.get(&**r)).collect();
        let types: BTreeSet<TypeId> = roles.iter().flat_map(|r| r.hides.keys().copied()).collect();
        for of in types {
            let speaks = |role: &&&Role| {
                role.shows_all || role.shows.contains(&of) || role.hides.contains_key(&of)
            };
            let mut speaking = roles.iter().filter(speaks);
            let list = |role: &Role| role.hides.get(&of).cloned().unwrap_or_default();
            let Some(first) = speaking.next() else { continue };
            let mut hidden = list(first);
            for role in speaking {
                let other = list(role);
                // What both hide; where one hides a part of what the other hides, that part.
                let both = |h: &Hidden| {
                    if other.iter().any(|o| o.covers(h)) {
                        vec![h.clone()]
                    } else {
                        other.iter().filter(|o| h.covers(o)).cloned().collect()
                    }
                };
                hidden = hidden.iter().flat_map(both).collect();
            }
            for hidden in hidden {
                mask.hide(of, hidden);
            }
        }
    }
}
