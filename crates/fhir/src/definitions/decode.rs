//! Decoding of the definitions' lines. The text is ours and checked in: a line that does not fit is
//! skipped, and the tests count that none is.

use super::{
    Binding, CompartmentMember, Definitions, Element, ElementType, Head, Invariant, Operation,
    SearchKind, SearchParameter, Strength, TypeDef, TypeId, TypeKind, ValueSet,
};
use std::collections::HashMap;
use std::sync::{Arc, OnceLock};

impl Definitions {
    /// Finds where everything begins.
    pub(super) fn index(text: &'static str) -> Self {
        let mut heads: Vec<Head> = Vec::with_capacity(1000);
        let mut value_set_lines = HashMap::new();
        let mut search_from = None;
        let mut tail_from = None;
        let mut open: Option<(usize, &'static str)> = None;
        let mut at = 0;
        while at < text.len() {
            let rest = text.get(at..).unwrap_or_default();
            let end = rest.find('\n').map_or(text.len(), |n| at + n + 1);
            let line = text.get(at..end).unwrap_or_default().trim_end_matches('\n');
            let letter = line.as_bytes().first().copied().unwrap_or(b' ');
            if !matches!(letter, b'E' | b'I') {
                if let Some((from, head)) = open.take() {
                    heads.extend(read_head(head, text.get(from..at).unwrap_or_default()));
                }
                match letter {
                    b'T' => open = Some((end, line)),
                    b'V' => {
                        if let Some(url) = line.split('\t').nth(1) {
                            value_set_lines.insert(url, line);
                        }
                    }
                    b'S' => {
                        search_from.get_or_insert(at);
                    }
                    b'C' | b'O' => {
                        tail_from.get_or_insert(at);
                    }
                    _ => {}
                }
            }
            at = end;
        }
        let by_name = heads
            .iter()
            .enumerate()
            .filter_map(|(i, h)| Some((h.name, TypeId(u16::try_from(i).ok()?))))
            .collect();
        let tail_from = tail_from.unwrap_or(text.len());
        let search_from = search_from.unwrap_or(tail_from);
        Self {
            heads,
            by_name,
            value_set_lines,
            value_sets: std::sync::RwLock::default(),
            search_text: text.get(search_from..tail_from).unwrap_or_default(),
            search: OnceLock::new(),
            compartments: OnceLock::new(),
            operations: OnceLock::new(),
            tail: text.get(tail_from..).unwrap_or_default(),
        }
    }
}

fn read_head(line: &'static str, body: &'static str) -> Option<Head> {
    let mut fields = line.split('\t').skip(1);
    let name = fields.next()?;
    let (kind, is_abstract) = match fields.next()? {
        "primitive" => (TypeKind::Primitive, false),
        "complex" => (TypeKind::Complex, false),
        "complex-abstract" => (TypeKind::Complex, true),
        "resource" => (TypeKind::Resource, false),
        "resource-abstract" => (TypeKind::Resource, true),
        "backbone" => (TypeKind::Backbone, false),
        _ => return None,
    };
    let base = fields.next()?;
    Some(Head { name, kind, is_abstract, base, body, decoded: OnceLock::new() })
}

/// A type by id; an id that no type has answers with the first type.
pub(super) fn type_def(definitions: &Definitions, id: TypeId) -> &TypeDef {
    static NONE: OnceLock<TypeDef> = OnceLock::new();
    let Some(head) = definitions.heads.get(usize::from(id.0)) else {
        return NONE.get_or_init(|| TypeDef {
            id,
            name: "",
            kind: TypeKind::Complex,
            is_abstract: true,
            base: None,
            elements: Vec::new(),
            invariants: Vec::new(),
            members: Vec::new(),
        });
    };
    head.decoded.get_or_init(|| decode(definitions, id, head))
}

fn decode(definitions: &Definitions, id: TypeId, head: &Head) -> TypeDef {
    let mut elements = Vec::new();
    let mut invariants = Vec::new();
    for line in head.body.lines() {
        let mut fields = line.split('\t');
        match fields.next() {
            Some("E") => elements.extend(read_element(definitions, &mut fields)),
            Some("I") => invariants.extend(read_invariant(&mut fields)),
            _ => {}
        }
    }
    let mut members = Vec::new();
    for (index, element) in elements.iter().enumerate() {
        let Ok(index) = u16::try_from(index) else { continue };
        for (of, element_type) in element.types.iter().enumerate() {
            let Ok(of) = u16::try_from(of) else { continue };
            if element.choice {
                let mut json = String::from(element.name);
                let type_name = definitions.name(element_type.id);
                let mut chars = type_name.chars();
                json.extend(chars.next().map(|c| c.to_ascii_uppercase()));
                json.push_str(chars.as_str());
                members.push((json.into_boxed_str(), index, of));
            } else if of == 0 {
                members.push((element.name.into(), index, of));
            }
        }
    }
    members.sort();
    TypeDef {
        id,
        name: head.name,
        kind: head.kind,
        is_abstract: head.is_abstract,
        base: definitions.type_id(head.base),
        elements,
        invariants,
        members,
    }
}

/// `name min max flags types binding`
fn read_element(
    definitions: &Definitions,
    fields: &mut std::str::Split<'static, char>,
) -> Option<Element> {
    let name = fields.next()?;
    let min = fields.next()?.parse().ok()?;
    let max = match fields.next()? {
        "*" => u32::MAX,
        n => n.parse().ok()?,
    };
    let flags = fields.next()?;
    let types = fields
        .next()?
        .split('|')
        .filter_map(|t| {
            let (code, targets) = t.split_once('>').unwrap_or((t, ""));
            let targets = targets.split(',').filter(|x| !x.is_empty()).collect();
            Some(ElementType { id: definitions.type_id(code)?, targets })
        })
        .collect();
    let binding = fields.next().and_then(|text| {
        let (strength, value_set) = text.split_once(':')?;
        let strength = match strength {
            "r" => Strength::Required,
            "e" => Strength::Extensible,
            "p" => Strength::Preferred,
            _ => Strength::Example,
        };
        Some(Binding { strength, value_set })
    });
    Some(Element {
        name,
        min,
        max,
        choice: flags.contains('c'),
        summary: flags.contains('s'),
        modifier: flags.contains('m'),
        types,
        binding,
    })
}

/// `path key severity expression`
fn read_invariant(fields: &mut std::str::Split<'static, char>) -> Option<Invariant> {
    let path = fields.next()?;
    let key = fields.next()?;
    let is_error = fields.next()? == "e";
    Some(Invariant { path, key, is_error, expression: fields.next()? })
}

/// `url flag system code code … (system code …)*`, systems separated by a tab, codes by a space.
pub(super) fn value_set(definitions: &Definitions, url: &str) -> Option<Arc<ValueSet>> {
    if let Ok(known) = definitions.value_sets.read()
        && let Some(set) = known.get(url)
    {
        return Some(Arc::clone(set));
    }
    let line = definitions.value_set_lines.get(url)?;
    let mut fields = line.split('\t').skip(1);
    let url = fields.next()?;
    let open = fields.next()? == "open";
    let systems = fields
        .filter_map(|group| {
            let mut words = group.split(' ');
            let system = words.next()?;
            let mut codes: Vec<_> = words.collect();
            codes.sort_unstable();
            Some((system, codes))
        })
        .collect();
    let set = Arc::new(ValueSet { url, open, systems });
    if let Ok(mut known) = definitions.value_sets.write() {
        known.insert(url, Arc::clone(&set));
    }
    Some(set)
}

fn list(field: &'static str) -> Vec<&'static str> {
    field.split(',').filter(|x| !x.is_empty()).collect()
}

/// `code kind base targets url expression component=expression…`
pub(super) fn search_parameters(text: &'static str) -> Vec<SearchParameter> {
    text.lines().filter_map(search_parameter).collect()
}

fn search_parameter(line: &'static str) -> Option<SearchParameter> {
    let mut fields = line.split('\t').skip(1);
    let code = fields.next()?;
    let kind = match fields.next()? {
        "number" => SearchKind::Number,
        "date" => SearchKind::Date,
        "string" => SearchKind::String,
        "token" => SearchKind::Token,
        "reference" => SearchKind::Reference,
        "composite" => SearchKind::Composite,
        "quantity" => SearchKind::Quantity,
        "uri" => SearchKind::Uri,
        "special" => SearchKind::Special,
        _ => return None,
    };
    let base = list(fields.next()?);
    let targets = list(fields.next()?);
    let url = fields.next()?;
    let expression = fields.next()?;
    let components = fields.filter_map(|f| f.split_once('=')).collect();
    Some(SearchParameter { url, code, kind, base, targets, expression, components })
}

/// `compartment resource parameters`
pub(super) fn compartments(text: &'static str) -> Vec<CompartmentMember> {
    text.lines()
        .filter_map(|line| {
            let mut fields = line.strip_prefix("C\t")?.split('\t');
            Some(CompartmentMember {
                compartment: fields.next()?,
                resource: fields.next()?,
                parameters: list(fields.next()?),
            })
        })
        .collect()
}

/// `code url flags resources parameters`
pub(super) fn operations(text: &'static str) -> Vec<Operation> {
    text.lines()
        .filter_map(|line| {
            let mut fields = line.strip_prefix("O\t")?.split('\t');
            let code = fields.next()?;
            let url = fields.next()?;
            let flags = fields.next()?;
            Some(Operation {
                code,
                url,
                affects_state: flags.contains('w'),
                system: flags.contains('s'),
                on_type: flags.contains('t'),
                on_instance: flags.contains('i'),
                resources: list(fields.next()?),
                parameters: list(fields.next()?),
            })
        })
        .collect()
}
