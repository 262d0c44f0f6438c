//! Values by kind of parameter (<https://hl7.org/fhir/R4/search.html#ptypes>): prefixes, tokens,
//! references, dates with precision, quantities with units.

use super::text::{split, unescape};
use super::{Options, refuse};
use crate::fold::fold;
use crate::query::{CompositePart, Match, Prefix, SystemMatch, UnitMatch};
use crate::registry::{
    AtomId, CompositeAlternative, CompositeComponent, Parameter, Shape, registry,
};
use base::{Fault, Millis};
use fhir::date::{DateRange, OPEN_HIGH, OPEN_LOW};
use fhir::decimal::Decimal;
use fhir::definitions::{SearchKind, TypeId, r4};
use fhir::reference::Reference;

/// A parameter, joined over the types searched.
#[derive(Debug, Clone)]
pub(super) struct Resolved {
    pub(super) code: String,
    pub(super) kind: SearchKind,
    pub(super) atoms: Vec<AtomId>,
    pub(super) identifier_atoms: Vec<AtomId>,
    pub(super) targets: Vec<TypeId>,
    pub(super) composite: Vec<CompositeAlternative>,
}

impl Resolved {
    pub(super) fn of(parameter: &Parameter) -> Self {
        Self {
            code: parameter.code.to_owned(),
            kind: parameter.kind,
            atoms: parameter.atoms.clone(),
            identifier_atoms: parameter.identifier_atoms.clone(),
            targets: parameter.targets.clone(),
            composite: parameter.composite.clone(),
        }
    }

    pub(super) fn join(&mut self, other: &Parameter) {
        self.atoms.extend(&other.atoms);
        self.identifier_atoms.extend(&other.identifier_atoms);
        self.targets.extend(&other.targets);
        self.targets.sort();
        self.targets.dedup();
        self.composite.extend(other.composite.iter().cloned());
    }

    fn has_shape(&self, shape: Shape) -> bool {
        self.atoms.iter().any(|a| registry().atom(*a).shape == shape)
    }
}

/// The modifiers a parameter takes, `:[Type]` aside.
pub(super) fn modifiers(parameter: &Resolved) -> Vec<&'static str> {
    match parameter.kind {
        SearchKind::String => vec!["exact", "contains", "missing"],
        SearchKind::Token => {
            let mut all = vec!["not", "missing"];
            if parameter.has_shape(Shape::Token) {
                all.push("text");
            }
            if parameter.has_shape(Shape::Identifier) {
                all.push("of-type");
            }
            all
        }
        SearchKind::Reference if parameter.identifier_atoms.is_empty() => vec!["missing"],
        SearchKind::Reference => vec!["missing", "identifier"],
        SearchKind::Uri => vec!["above", "below", "missing"],
        SearchKind::Number | SearchKind::Date | SearchKind::Quantity => vec!["missing"],
        SearchKind::Composite | SearchKind::Special => Vec::new(),
    }
}

/// Whether a modifier is a type the reference may point at.
pub(super) fn names_target(parameter: &Resolved, modifier: &str) -> bool {
    parameter.kind == SearchKind::Reference
        && r4().resource_type(modifier).is_some_and(|t| parameter.targets.contains(&t))
}

/// One value of a parameter, escapes still in it.
pub(super) fn read(
    parameter: &Resolved,
    name: &str,
    modifier: Option<&str>,
    text: &str,
    options: &Options,
) -> Result<Match, Fault> {
    match (parameter.kind, modifier) {
        (SearchKind::Token, Some("text")) => folded(name, text).map(Match::TokenText),
        (SearchKind::Token, Some("of-type")) => of_type(name, text),
        (SearchKind::Reference, Some("identifier")) => token(name, text),
        (SearchKind::String, Some("exact")) => Ok(Match::Exact(unescape(text))),
        (SearchKind::String, Some("contains")) => folded(name, text).map(Match::Contains),
        (SearchKind::Uri, Some("below")) => Ok(Match::UriBelow(unescape(text))),
        (SearchKind::Uri, Some("above")) => Ok(Match::UriAbove(unescape(text))),
        (SearchKind::Reference, Some(only)) => {
            let only = r4().resource_type(only).filter(|_| only != "missing");
            reference(name, text, &parameter.targets, only, options)
        }
        (kind, _) => of_kind(kind, name, text, &parameter.targets, options),
    }
}

/// One part of a composite value.
pub(super) fn component(
    name: &str,
    component: &CompositeComponent,
    text: &str,
    options: &Options,
) -> Result<CompositePart, Fault> {
    if text.is_empty() {
        return Err(refuse::value(name, "has an empty part"));
    }
    let value = of_kind(component.kind, name, text, &[], options)?;
    Ok(CompositePart { atoms: component.atoms.clone(), grouped: component.grouped, value })
}

/// A date with its prefix; `ap` widens it by a tenth of its distance from now, at least by itself.
pub(super) fn date(name: &str, text: &str, now: Millis) -> Result<(Prefix, DateRange), Fault> {
    let (prefix, rest) = prefixed(name, text)?;
    let refused = || refuse::value(name, "is not a date of the form yyyy-mm-ddThh:mm:ss±hh:mm");
    let mut range = fhir::date::parse(&unescape(rest)).ok_or_else(refused)?;
    if prefix == Prefix::Ap {
        let gap = (range.low - now.0).max(now.0 - range.high).max(0);
        let by = (gap / 10).max(range.high - range.low + 1);
        range.low = (range.low - by).max(OPEN_LOW);
        range.high = (range.high + by).min(OPEN_HIGH);
    }
    Ok((prefix, range))
}

fn of_kind(
    kind: SearchKind,
    name: &str,
    text: &str,
    targets: &[TypeId],
    options: &Options,
) -> Result<Match, Fault> {
    match kind {
        SearchKind::Token => token(name, text),
        SearchKind::String => folded(name, text).map(Match::StartsWith),
        SearchKind::Reference => reference(name, text, targets, None, options),
        SearchKind::Uri => Ok(Match::Uri(unescape(text))),
        SearchKind::Date => {
            date(name, text, options.now).map(|(prefix, range)| Match::Date { prefix, range })
        }
        SearchKind::Number => {
            let (prefix, rest) = prefixed(name, text)?;
            let value = Decimal::parse(rest).ok_or_else(|| refuse::value(name, "is no number"))?;
            Ok(Match::Number { prefix, value })
        }
        SearchKind::Quantity => quantity(name, text),
        SearchKind::Composite | SearchKind::Special => Err(refuse::unsupported(name)),
    }
}

fn prefixed<'t>(name: &str, text: &'t str) -> Result<(Prefix, &'t str), Fault> {
    if !text.starts_with(|c: char| c.is_ascii_alphabetic()) {
        return Ok((Prefix::Eq, text));
    }
    let (prefix, rest) = text.split_at_checked(2).ok_or_else(|| refuse::prefix(name))?;
    let prefix = match prefix {
        "eq" => Prefix::Eq,
        "ne" => Prefix::Ne,
        "gt" => Prefix::Gt,
        "lt" => Prefix::Lt,
        "ge" => Prefix::Ge,
        "le" => Prefix::Le,
        "sa" => Prefix::Sa,
        "eb" => Prefix::Eb,
        "ap" => Prefix::Ap,
        _ => return Err(refuse::prefix(name)),
    };
    Ok((prefix, rest))
}

fn folded(name: &str, text: &str) -> Result<String, Fault> {
    let folded = fold(&unescape(text));
    if folded.is_empty() {
        return Err(refuse::value(name, "has nothing to look for"));
    }
    Ok(folded)
}

fn token(name: &str, text: &str) -> Result<Match, Fault> {
    let (system, code) = match split(text, '|').as_slice() {
        [code] => (SystemMatch::Any, unescape(code)),
        ["", code] => (SystemMatch::Absent, unescape(code)),
        [system, code] => (SystemMatch::Is(unescape(system)), unescape(code)),
        _ => return Err(refuse::value(name, "takes code, |code, system| or system|code")),
    };
    if code.is_empty() && !matches!(system, SystemMatch::Is(_)) {
        return Err(refuse::value(name, "takes code, |code, system| or system|code"));
    }
    Ok(Match::Token { system, code: (!code.is_empty()).then_some(code) })
}

fn of_type(name: &str, text: &str) -> Result<Match, Fault> {
    match split(text, '|').as_slice() {
        [system, code, value] if !code.is_empty() && !value.is_empty() => Ok(Match::OfType {
            system: unescape(system),
            code: unescape(code),
            value: unescape(value),
        }),
        _ => Err(refuse::value(name, "takes system|code|value")),
    }
}

/// A value of this server (`Patient/1`, `1`, its own absolute address) or any other address.
fn reference(
    name: &str,
    text: &str,
    targets: &[TypeId],
    only: Option<TypeId>,
    options: &Options,
) -> Result<Match, Fault> {
    let text = unescape(text);
    let here = |target: fhir::reference::Target<'_>| {
        if target.version.is_some() {
            return Err(refuse::value(name, "names a version; references are searched without"));
        }
        let of = r4().resource_type(target.resource_type);
        let allowed = of.filter(|of| {
            only.is_none_or(|only| only == *of) && (targets.is_empty() || targets.contains(of))
        });
        match allowed {
            Some(of) => Ok(Match::Reference { types: vec![of], id: target.id.to_owned() }),
            None => Err(refuse::value(name, "points at a type that it cannot point at")),
        }
    };
    if fhir::reference::is_id(&text) {
        // Where nearly every type is allowed, naming them would only make the engine's work longer:
        // the few that are missing are never pointed at.
        let every = targets.len() * 10 >= r4().resource_types().count() * 9;
        let types = match only {
            Some(only) => vec![only],
            None if every => Vec::new(),
            None => targets.to_vec(),
        };
        return Ok(Match::Reference { types, id: text });
    }
    match fhir::reference::parse(&text) {
        Some(Reference::Relative(target)) => here(target),
        Some(Reference::Absolute { base, target }) if is_own(base, options) => here(target),
        Some(Reference::Absolute { .. } | Reference::Urn(_) | Reference::Other(_)) => {
            Ok(Match::Address(text))
        }
        Some(Reference::Fragment(_) | Reference::Conditional { .. }) | None => {
            Err(refuse::value(name, "takes Type/id, an id or an absolute address"))
        }
    }
}

fn is_own(base: &str, options: &Options) -> bool {
    options.base_url.as_deref().is_some_and(|own| own.trim_end_matches('/') == base)
}

fn quantity(name: &str, text: &str) -> Result<Match, Fault> {
    let parts = split(text, '|');
    let (number, unit) = match parts.as_slice() {
        [number] => (number, None),
        [number, system, code] if !code.is_empty() => {
            let system = match *system {
                "" => SystemMatch::Any,
                system => SystemMatch::Is(unescape(system)),
            };
            (number, Some(UnitMatch { system, code: unescape(code) }))
        }
        _ => return Err(refuse::value(name, "takes number, number||unit or number|system|unit")),
    };
    let (prefix, rest) = prefixed(name, number)?;
    let value = Decimal::parse(rest)
        .ok_or_else(|| refuse::value(name, "takes number, number||unit or number|system|unit"))?;
    Ok(Match::Quantity { prefix, value, unit })
}
