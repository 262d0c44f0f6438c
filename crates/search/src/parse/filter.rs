//! Names: plain parameters, chains, `_has`, and the parameters of all resources
//! (<https://hl7.org/fhir/R4/search.html#chaining>, <https://hl7.org/fhir/R4/search.html#has>).

use super::text::{split, unescape};
use super::value::{self, Resolved};
use super::{Context, Options, refuse};
use crate::query::{CompositeMatch, Filter};
use base::Fault;
use base::error::code;
use fhir::definitions::{SearchKind, TypeId, r4};

/// The types that `_type` names.
pub(super) fn types_named(text: &str, options: &Options) -> Result<Vec<TypeId>, Fault> {
    values("_type", text, options)?
        .into_iter()
        .map(|name| {
            r4().resource_type(name)
                .ok_or_else(|| refuse::value("_type", "names a type that FHIR R4 does not have"))
        })
        .collect()
}

impl Context<'_> {
    /// The filter of one parameter on records of `types` (any type when empty).
    pub(super) fn filter(
        &self,
        types: &[TypeId],
        name: &str,
        text: &str,
        hops: usize,
    ) -> Result<Filter, Fault> {
        if hops > self.options.limits.chain_hops {
            let most = self.options.limits.chain_hops;
            return Err(refuse::too_many(&format!("a chain of more than {most} hops")));
        }
        let left = self.budget.get().checked_sub(1);
        self.budget
            .set(left.ok_or_else(|| refuse::too_many("chains that fan out to too many types"))?);
        if let Some(rest) = name.strip_prefix("_has:") {
            return self.has(types, name, rest, text, hops);
        }
        if let Some((link, rest)) = name.split_once('.') {
            return self.chain(types, link, rest, text, hops);
        }
        let (code, modifier) = match name.split_once(':') {
            Some((code, modifier)) => (code, Some(modifier)),
            None => (name, None),
        };
        if let Some(filter) = self.common(types, code, modifier, text)? {
            return Ok(filter);
        }
        let parameter = resolve(types, code, self.options)?;
        self.plain(&parameter, name, modifier, text)
    }

    /// `subject:Patient.name`: what the reference leads to must match the rest.
    fn chain(
        &self,
        types: &[TypeId],
        link: &str,
        rest: &str,
        text: &str,
        hops: usize,
    ) -> Result<Filter, Fault> {
        let (code, only) = match link.split_once(':') {
            Some((code, only)) => (code, Some(only)),
            None => (link, None),
        };
        let parameter = resolve(types, code, self.options)?;
        if parameter.kind != SearchKind::Reference {
            return Err(refuse::chain(link, "is no reference, so nothing can follow it"));
        }
        let targets = match only {
            None => parameter.targets.clone(),
            Some(only) => {
                let target = r4()
                    .resource_type(only)
                    .filter(|t| parameter.targets.contains(t))
                    .ok_or_else(|| refuse::chain(link, "cannot point at the type named"))?;
                vec![target]
            }
        };
        let (mut found, mut refused) = (Vec::new(), None);
        for target in &targets {
            match self.filter(&[*target], rest, text, hops + 1) {
                Ok(filter) => found.push((*target, filter)),
                Err(fault) if fault.code().name == code::SEARCH_TOO_MANY.name => return Err(fault),
                // Of the many types a reference may point at, those without the parameter drop out.
                Err(fault) => refused = Some(worse(refused, fault)),
            }
        }
        if found.is_empty() {
            return Err(match refused {
                Some(fault) if targets.len() == 1 => fault,
                Some(fault) if fault.code().name != code::SEARCH_PARAMETER_UNKNOWN.name => fault,
                _ => refuse::chain(
                    &format!("{link}.{rest}"),
                    "leads to no type that has the parameter after the full stop",
                ),
            });
        }
        let (name, atoms) = (code.to_owned(), parameter.atoms);
        Ok(Filter::Chain { name, atoms, targets: found })
    }

    /// `_has:Observation:patient:code`: something that points here matches the rest.
    fn has(
        &self,
        types: &[TypeId],
        name: &str,
        rest: &str,
        text: &str,
        hops: usize,
    ) -> Result<Filter, Fault> {
        let mut parts = rest.splitn(3, ':');
        let (Some(source), Some(link), Some(rest)) = (parts.next(), parts.next(), parts.next())
        else {
            return Err(refuse::chain(
                name,
                "does not have the form _has:Type:reference:parameter",
            ));
        };
        let source = r4()
            .resource_type(source)
            .ok_or_else(|| refuse::chain(name, "names a type that FHIR R4 does not have"))?;
        let parameter = resolve(&[source], link, self.options)?;
        let points_here = types.is_empty() || types.iter().any(|t| parameter.targets.contains(t));
        if parameter.kind != SearchKind::Reference || !points_here {
            return Err(refuse::chain(name, "names no reference that points at the type searched"));
        }
        let filter = Box::new(self.filter(&[source], rest, text, hops + 1)?);
        Ok(Filter::Has { source, atoms: parameter.atoms, filter })
    }

    /// The parameters of all resources that are no paths; `None` for any other name.
    fn common(
        &self,
        types: &[TypeId],
        code: &str,
        modifier: Option<&str>,
        text: &str,
    ) -> Result<Option<Filter>, Fault> {
        let refuse_modifier = |supported: &[&str]| match modifier {
            Some(m) if !supported.contains(&m) => Err(refuse::modifier(code, m, supported)),
            _ => Ok(()),
        };
        Ok(Some(match code {
            "_id" => {
                refuse_modifier(&["not"])?;
                let any = values(code, text, self.options)?;
                let any = any.into_iter().map(unescape).collect();
                Filter::Id { any, negate: modifier.is_some() }
            }
            "_lastUpdated" => {
                refuse_modifier(&[])?;
                let any = values(code, text, self.options)?
                    .into_iter()
                    .map(|v| value::date(code, v, self.options.now))
                    .collect::<Result<_, _>>()?;
                Filter::LastUpdated { any }
            }
            "_type" => {
                refuse_modifier(&[])?;
                Filter::Type { any: types_named(text, self.options)? }
            }
            "_list" => {
                let list = r4().resource_type("List");
                if list.is_some_and(|list| self.options.parameter(list, "item").is_none()) {
                    return Err(refuse::unknown(one(types), code, self.options));
                }
                refuse_modifier(&[])?;
                let list = unescape(text);
                let list = list.strip_prefix("List/").unwrap_or(&list);
                if !fhir::reference::is_id(list) {
                    return Err(refuse::value(code, "takes the id of one List"));
                }
                Filter::InList { list: list.to_owned() }
            }
            "_text" | "_content" => {
                let all: Vec<TypeId>;
                let searched = if types.is_empty() {
                    all = r4().resource_types().map(|(of, _)| of).collect();
                    &all
                } else {
                    types
                };
                if self.options.wordless(searched).is_some() {
                    return Err(refuse::unknown(one(types), code, self.options));
                }
                refuse_modifier(&[])?;
                let mut any = Vec::new();
                for part in values(code, text, self.options)? {
                    let folded = crate::fold::fold(&unescape(part));
                    let words: Vec<_> = folded.split(' ').map(str::to_owned).collect();
                    if folded.is_empty() {
                        return Err(refuse::value(code, "has no word to look for"));
                    }
                    if words.len() > self.options.limits.search_values {
                        return Err(refuse::too_many("too many words"));
                    }
                    any.push(Filter::Words { narrative_only: code == "_text", words });
                }
                match any.pop() {
                    Some(only) if any.is_empty() => only,
                    last => Filter::Any(any.into_iter().chain(last).collect()),
                }
            }
            "_filter" | "_query" | "_contained" | "_containedType" | "_has" => {
                return Err(refuse::unsupported(code));
            }
            "near" if matches!(types, [of] if r4().name(*of) == "Location") => {
                return Err(refuse::unsupported(code));
            }
            _ => return Ok(None),
        }))
    }

    fn plain(
        &self,
        parameter: &Resolved,
        name: &str,
        modifier: Option<&str>,
        text: &str,
    ) -> Result<Filter, Fault> {
        let supported = value::modifiers(parameter);
        if let Some(modifier) = modifier
            && !(supported.contains(&modifier) || value::names_target(parameter, modifier))
        {
            return Err(refuse::modifier(&parameter.code, modifier, &supported));
        }
        let name = name.to_owned();
        if modifier == Some("missing") {
            let missing = match text {
                "true" => true,
                "false" => false,
                _ => return Err(refuse::value(&name, "takes true or false")),
            };
            let mut atoms = parameter.atoms.clone();
            atoms.extend(&parameter.identifier_atoms);
            return Ok(Filter::Missing { name, atoms, missing });
        }
        let parts = values(&name, text, self.options)?;
        if parameter.kind == SearchKind::Composite {
            let mut any = Vec::new();
            for part in parts {
                any.extend(self.composite(parameter, part)?);
            }
            return Ok(Filter::Composite { name, any });
        }
        let any = parts
            .into_iter()
            .map(|part| value::read(parameter, &name, modifier, part, self.options))
            .collect::<Result<Vec<_>, _>>()?;
        let atoms = if modifier == Some("identifier") {
            parameter.identifier_atoms.clone()
        } else {
            parameter.atoms.clone()
        };
        Ok(Filter::Match { name, atoms, any, negate: modifier == Some("not") })
    }

    fn composite(&self, parameter: &Resolved, text: &str) -> Result<Vec<CompositeMatch>, Fault> {
        let parts = split(text, '$');
        let mut any = Vec::new();
        for alternative in &parameter.composite {
            if alternative.components.len() != parts.len() {
                let wanted = alternative.components.len();
                let what = format!("takes {wanted} values joined by $");
                return Err(refuse::value(&parameter.code, &what));
            }
            let parts = alternative
                .components
                .iter()
                .zip(&parts)
                .map(|(component, part)| {
                    value::component(&parameter.code, component, part, self.options)
                })
                .collect::<Result<Vec<_>, _>>()?;
            any.push(CompositeMatch { parts });
        }
        Ok(any)
    }
}

fn one(types: &[TypeId]) -> Option<TypeId> {
    match types {
        [only] => Some(*only),
        _ => None,
    }
}

/// The comma-separated values of a parameter, escapes kept.
fn values<'t>(name: &str, text: &'t str, options: &Options) -> Result<Vec<&'t str>, Fault> {
    let parts = split(text, ',');
    if parts.len() > options.limits.search_values {
        let most = options.limits.search_values;
        return Err(refuse::too_many(&format!("more than {most} values for one parameter")));
    }
    if parts.iter().any(|p| p.is_empty()) {
        return Err(refuse::value(name, "has an empty value"));
    }
    Ok(parts)
}

/// A parameter as all of `types` have it.
pub(super) fn resolve(types: &[TypeId], code: &str, options: &Options) -> Result<Resolved, Fault> {
    let all: Vec<TypeId>;
    let types = if types.is_empty() {
        all = r4().resource_types().map(|(of, _)| of).collect();
        &all
    } else {
        types
    };
    let mut found: Option<Resolved> = None;
    for of in types {
        let unknown = || refuse::unknown((types.len() == 1).then_some(*of), code, options);
        let parameter = options.parameter(*of, code).ok_or_else(unknown)?;
        match &mut found {
            None => found = Some(Resolved::of(parameter)),
            Some(found) if found.kind == parameter.kind => found.join(parameter),
            Some(_) => return Err(unknown()),
        }
    }
    found.ok_or_else(|| refuse::unknown(None, code, options))
}

/// Of two faults the one that says more: an unknown parameter says least.
fn worse(old: Option<Fault>, new: Fault) -> Fault {
    match old {
        Some(old) if new.code().name == code::SEARCH_PARAMETER_UNKNOWN.name => old,
        _ => new,
    }
}
