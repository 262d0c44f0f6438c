//! Builds the registry: reads every search parameter of the definitions, resolves its paths on each
//! type it applies to, and gives equal paths one atom.

use super::dates::PRIMARY_DATES;
use super::path::{self, Step};
use super::read::{Read, Start, read};
use super::{
    Atom, AtomId, CompositeAlternative, CompositeComponent, Parameter, Registry, Shape, TypeEntry,
};
use crate::extract::convert::Convert;
use fhir::definitions::{SearchKind, SearchParameter, TypeId, r4};
use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::OnceLock;

/// More than an instant lasts, and more than a year does, in whichever zone it is meant.
const MINUTE_MS: i64 = 60_000;
const YEAR_MS: i64 = 368 * 86_400_000;

/// What extraction needs to know of an atom beside its public face.
#[derive(Debug, Clone)]
pub(crate) struct Plan {
    /// Its number.
    pub(crate) id: AtomId,
    /// The steps from the resource.
    pub(crate) steps: Vec<Step>,
    /// How its values are kept.
    pub(crate) shape: Shape,
    /// Its entries carry the repeat of the first step.
    pub(crate) grouped: bool,
}

struct Draft {
    resource_type: TypeId,
    steps: Vec<Step>,
    shape: Shape,
}

#[derive(Default)]
struct Builder {
    /// By key: ids are given in key order at the end.
    drafts: BTreeMap<String, Draft>,
    /// First steps under which some composite joins.
    grouped: HashSet<(TypeId, String)>,
    skipped: Vec<(&'static str, String)>,
}

/// A parameter whose atoms are still keys.
struct Pending {
    of: TypeId,
    definition: &'static SearchParameter,
    atoms: Vec<String>,
    identifier_atoms: Vec<String>,
    targets: Vec<TypeId>,
    composite: Vec<Vec<(SearchKind, Vec<String>, bool)>>,
}

/// Builds everything.
pub(super) fn build() -> Registry {
    let mut builder = Builder::default();
    let all = r4().search_parameters();
    let mut expressions: HashMap<&'static str, Vec<Read>> = HashMap::new();
    for definition in all {
        match expression(definition.expression) {
            Ok(paths) => {
                expressions.insert(definition.url, paths);
            }
            Err(why) => builder.skipped.push((definition.url, why)),
        }
    }
    let kinds: HashMap<&str, SearchKind> = all.iter().map(|p| (p.url, p.kind)).collect();
    let mut pending: Vec<Pending> = Vec::new();
    for definition in all {
        let Some(paths) = expressions.get(definition.url) else { continue };
        let mut any = false;
        for of in bases(definition) {
            let made = if definition.kind == SearchKind::Composite {
                builder.composite(definition, of, paths, &kinds)
            } else {
                builder.plain(definition, of, paths)
            };
            any |= made.is_some();
            pending.extend(made);
        }
        if !any {
            builder.skipped.push((definition.url, "no value of its path fits its kind".to_owned()));
        }
    }
    builder.finish(pending)
}

fn expression(text: &str) -> Result<Vec<Read>, String> {
    if text.is_empty() {
        return Err("it has no expression".to_owned());
    }
    let expr = fhirpath::parse(text).map_err(|fault| fault.to_string())?;
    read(&expr)
}

fn bases(definition: &SearchParameter) -> Vec<TypeId> {
    let mut types = Vec::new();
    for base in &definition.base {
        match (r4().resource_type(base), r4().type_id(base)) {
            (Some(of), _) => types.push(of),
            (None, Some(root)) => {
                types.extend(r4().resource_types().map(|(t, _)| t).filter(|t| r4().is_a(*t, root)));
            }
            (None, None) => {}
        }
    }
    types
}

impl Builder {
    fn plain(
        &mut self,
        definition: &'static SearchParameter,
        of: TypeId,
        paths: &[Read],
    ) -> Option<Pending> {
        let mine: Vec<&Read> = paths.iter().filter(|p| applies(p, of)).collect();
        // The store itself holds ids, times of change and the words of a text.
        let kept_by_store = matches!(definition.code, "_id" | "_lastUpdated");
        let atoms = if kept_by_store {
            Vec::new()
        } else {
            self.atoms(of, definition.kind, mine.iter().map(|p| p.steps.clone()).collect())
        };
        if atoms.is_empty() && !kept_by_store {
            return None;
        }
        let (mut targets, mut identifier_atoms) = (Vec::new(), Vec::new());
        if definition.kind == SearchKind::Reference {
            for path in &mine {
                targets.extend(targets_of(definition, of, path));
                identifier_atoms.extend(self.identifier_atom(of, &path.steps));
            }
            sort_dedup(&mut targets);
            sort_dedup(&mut identifier_atoms);
        }
        let composite = Vec::new();
        Some(Pending { of, definition, atoms, identifier_atoms, targets, composite })
    }

    fn composite(
        &mut self,
        definition: &'static SearchParameter,
        of: TypeId,
        bases: &[Read],
        kinds: &HashMap<&str, SearchKind>,
    ) -> Option<Pending> {
        let mut composite = Vec::new();
        for base in bases.iter().filter(|p| applies(p, of)) {
            let mut components = Vec::new();
            for (url, text) in &definition.components {
                let paths = expression(text).ok()?;
                let from_root = paths.iter().all(|p| p.start == Start::Resource);
                let steps: Vec<_> = paths
                    .into_iter()
                    .map(|path| match path.start {
                        Start::Resource => path.steps,
                        Start::Here | Start::Type(_) => [base.steps.clone(), path.steps].concat(),
                    })
                    .collect();
                // DocumentReference's relationship names its two parts the wrong way round: when the
                // part's own kind does not fit its path, the kind of another part is tried.
                let own = kinds.get(url).copied()?;
                let others =
                    definition.components.iter().filter_map(|(u, _)| kinds.get(u).copied());
                let (kind, atoms) = std::iter::once(own)
                    .chain(others)
                    .map(|kind| (kind, self.atoms(of, kind, steps.clone())))
                    .find(|(_, atoms)| !atoms.is_empty())
                    .unwrap_or((own, Vec::new()));
                components.push((kind, atoms, !base.steps.is_empty() && !from_root));
            }
            if components.iter().any(|(_, atoms, _)| atoms.is_empty()) {
                continue;
            }
            if let Some(Step::Member(first)) = base.steps.first() {
                self.grouped.insert((of, first.clone()));
            }
            composite.push(components);
        }
        (!composite.is_empty()).then(|| Pending {
            of,
            definition,
            atoms: Vec::new(),
            identifier_atoms: Vec::new(),
            targets: Vec::new(),
            composite,
        })
    }

    /// The atoms of a union of paths: paths that differ only in the type they end with become one,
    /// and a restriction to all the types that can be kept anyway is none.
    fn atoms(&mut self, of: TypeId, kind: SearchKind, paths: Vec<Vec<Step>>) -> Vec<String> {
        let mut prefixes: Vec<(Vec<Step>, Option<Vec<TypeId>>)> = Vec::new();
        for mut steps in paths {
            if let [.., Step::Member(name), Step::Equals { .. }] = steps.as_slice()
                && name == "extension"
            {
                steps.push(Step::Member("value".to_owned()));
            }
            let only = match steps.last() {
                Some(Step::As(types)) => {
                    let types = types.clone();
                    steps.pop();
                    Some(types)
                }
                _ => None,
            };
            match prefixes.iter_mut().find(|(prefix, _)| *prefix == steps) {
                Some((_, seen)) => match (seen.as_mut(), only) {
                    (Some(seen), Some(only)) => seen.extend(only),
                    _ => *seen = None,
                },
                None => prefixes.push((steps, only)),
            }
        }
        let mut keys = Vec::new();
        for (prefix, only) in prefixes {
            for shape in shapes(kind) {
                if let Some(steps) = typed(of, &prefix, only.as_deref(), *shape) {
                    let key = self.intern(of, steps, *shape);
                    if !keys.contains(&key) {
                        keys.push(key);
                    }
                }
            }
        }
        keys
    }

    /// `Reference.identifier` beside a path of references.
    fn identifier_atom(&mut self, of: TypeId, steps: &[Step]) -> Option<String> {
        let mut steps = steps.to_vec();
        if let [.., Step::Member(name), Step::Equals { .. }] = steps.as_slice()
            && name == "extension"
        {
            steps.push(Step::Member("value".to_owned()));
        }
        let end = path::end(of, &steps)?;
        let reference = r4().type_id("Reference")?;
        if !end.types.iter().any(|t| t.id == reference) {
            return None;
        }
        let narrowed = matches!(steps.last(), Some(Step::As(_)));
        if end.types.len() > 1 && !narrowed {
            steps.push(Step::As(vec![reference]));
        }
        steps.push(Step::Member("identifier".to_owned()));
        Some(self.intern(of, steps, Shape::Identifier))
    }

    fn intern(&mut self, of: TypeId, steps: Vec<Step>, shape: Shape) -> String {
        let key = format!("{}|{}|{}", r4().name(of), path::text(of, &steps), shape.as_str());
        self.drafts.entry(key.clone()).or_insert(Draft { resource_type: of, steps, shape });
        key
    }

    fn finish(self, pending: Vec<Pending>) -> Registry {
        let mut atoms = Vec::with_capacity(self.drafts.len());
        let mut ids: HashMap<String, AtomId> = HashMap::with_capacity(self.drafts.len());
        let mut types: Vec<TypeEntry> = Vec::new();
        for of in r4().types() {
            types.push(TypeEntry {
                of,
                parameters: Vec::new(),
                plans: Vec::new(),
                program: OnceLock::new(),
                primary_date: None,
                compartments: Vec::new(),
            });
        }
        for (number, (key, draft)) in self.drafts.into_iter().enumerate() {
            let Ok(number) = u16::try_from(number) else { break };
            let (id, of) = (AtomId(number), draft.resource_type);
            let grouped = matches!(draft.steps.first(), Some(Step::Member(first))
                if self.grouped.contains(&(of, first.clone())));
            let once_ms = (draft.shape == Shape::Date).then(|| once_ms(of, &draft.steps)).flatten();
            if let Some(entry) = types.get_mut(usize::from(of.0)) {
                entry.plans.push(Plan { id, steps: draft.steps, shape: draft.shape, grouped });
            }
            ids.insert(key.clone(), id);
            atoms.push(Atom { id, resource_type: of, key, shape: draft.shape, once_ms });
        }
        for parameter in pending {
            if let Some(entry) = types.get_mut(usize::from(parameter.of.0)) {
                add(&mut entry.parameters, finished(&parameter, &ids));
            }
        }
        for entry in &mut types {
            entry.parameters.sort_by_key(|p| p.code);
            entry.primary_date = primary_date(entry);
            entry.compartments = compartments(entry);
        }
        Registry { atoms, types, skipped: self.skipped }
    }
}

/// How long the one date at the end of a path can be; none where there may be several, or a period.
fn once_ms(of: TypeId, steps: &[Step]) -> Option<i64> {
    let [Step::Member(_)] = steps else { return None };
    let end = path::end(of, steps)?;
    let [one] = end.types.as_slice() else { return None };
    match r4().name(one.id) {
        _ if end.element.repeats() => None,
        // Written to the second at least.
        "instant" => Some(MINUTE_MS),
        "date" | "dateTime" => Some(YEAR_MS),
        _ => None,
    }
}

fn primary_date(entry: &TypeEntry) -> Option<AtomId> {
    let name = r4().name(entry.of);
    let (_, code) = PRIMARY_DATES.iter().find(|(of, _)| *of == name)?;
    entry.parameters.iter().find(|p| p.code == *code)?.atoms.first().copied()
}

/// A member that R4's patient compartment leaves out: a Task has no row there
/// (<https://hl7.org/fhir/R4/compartmentdefinition-patient.html>), although `Task.for` says whose benefit it
/// is for. Outside the compartment a Task about a patient would be nobody's record: reached by no policy
/// that speaks of patients, kept from nobody by their consent, and not sealed under their key.
const ALSO: (&str, &str, &str) = ("Patient", "Task", "patient");

fn compartments(entry: &TypeEntry) -> Vec<(&'static str, bool, Vec<AtomId>)> {
    let name = r4().name(entry.of);
    let mut found: Vec<(&'static str, bool, Vec<AtomId>)> = Vec::new();
    for member in r4().compartments().iter().filter(|m| m.resource == name) {
        let parameters = entry.parameters.iter().filter(|p| member.parameters.contains(&p.code));
        let mut atoms: Vec<AtomId> = parameters.flat_map(|p| p.atoms.iter().copied()).collect();
        sort_dedup(&mut atoms);
        let focus = member.compartment == name;
        match found.iter_mut().find(|(compartment, _, _)| *compartment == member.compartment) {
            Some((_, _, old)) => {
                old.extend(atoms);
                sort_dedup(old);
            }
            None if focus || !atoms.is_empty() => found.push((member.compartment, focus, atoms)),
            None => {}
        }
    }
    let (compartment, of, code) = ALSO;
    if of == name && !found.iter().any(|(one, _, _)| *one == compartment) {
        let parameter = entry.parameters.iter().find(|p| p.code == code);
        let atoms = parameter.map(|p| p.atoms.clone()).unwrap_or_default();
        found.push((compartment, false, atoms));
    }
    // Not every focus is listed as a member of its own compartment.
    let is_focus = r4().compartments().iter().any(|m| m.compartment == name);
    if is_focus && !found.iter().any(|(_, focus, _)| *focus) {
        let name = r4().resource_name(name).unwrap_or_default();
        found.push((name, true, Vec::new()));
    }
    found
}

fn finished(pending: &Pending, ids: &HashMap<String, AtomId>) -> Parameter {
    let resolve = |keys: &[String]| -> Vec<AtomId> {
        keys.iter().filter_map(|key| ids.get(key).copied()).collect()
    };
    let composite = pending.composite.iter().map(|components| CompositeAlternative {
        components: components
            .iter()
            .map(|(kind, keys, grouped)| CompositeComponent {
                kind: *kind,
                atoms: resolve(keys),
                grouped: *grouped,
            })
            .collect(),
    });
    Parameter {
        code: pending.definition.code,
        url: pending.definition.url,
        kind: pending.definition.kind,
        atoms: resolve(&pending.atoms),
        identifier_atoms: resolve(&pending.identifier_atoms),
        targets: pending.targets.clone(),
        composite: composite.collect(),
    }
}

/// Adds a parameter; the few that the specification defines twice are read as one.
fn add(parameters: &mut Vec<Parameter>, new: Parameter) {
    match parameters.iter_mut().find(|p| p.code == new.code) {
        Some(old) => {
            old.atoms.extend(new.atoms);
            sort_dedup(&mut old.atoms);
            old.identifier_atoms.extend(new.identifier_atoms);
            sort_dedup(&mut old.identifier_atoms);
            old.targets.extend(new.targets);
            sort_dedup(&mut old.targets);
        }
        None => parameters.push(new),
    }
}

fn sort_dedup<T: Ord>(list: &mut Vec<T>) {
    list.sort();
    list.dedup();
}

fn applies(path: &Read, of: TypeId) -> bool {
    match path.start {
        Start::Type(root) => r4().is_a(of, root),
        Start::Here | Start::Resource => true,
    }
}

const fn shapes(kind: SearchKind) -> &'static [Shape] {
    match kind {
        SearchKind::Number => &[Shape::Number],
        SearchKind::Date => &[Shape::Date],
        SearchKind::String => &[Shape::String],
        SearchKind::Token => &[Shape::Token, Shape::Identifier],
        SearchKind::Reference => &[Shape::Reference],
        SearchKind::Quantity => &[Shape::Quantity],
        SearchKind::Uri => &[Shape::Uri],
        SearchKind::Composite | SearchKind::Special => &[],
    }
}

/// The steps of an atom: the prefix, and a type restriction only when it leaves out something that
/// the shape could keep.
fn typed(of: TypeId, prefix: &[Step], only: Option<&[TypeId]>, shape: Shape) -> Option<Vec<Step>> {
    if matches!(prefix.last(), Some(Step::Holds)) {
        return (shape == Shape::Token).then(|| prefix.to_vec());
    }
    let end = path::end(of, prefix)?;
    let keepable: Vec<TypeId> = end
        .types
        .iter()
        .filter(|t| Convert::of(shape, t.id, Some(end.element)).is_some())
        .map(|t| t.id)
        .collect();
    let mut kept = keepable.clone();
    if let Some(only) = only {
        kept.retain(|t| only.iter().any(|o| r4().is_a(*t, *o)));
    }
    if kept.is_empty() {
        return None;
    }
    let mut steps = prefix.to_vec();
    if kept != keepable {
        steps.push(Step::As(kept));
    }
    Some(steps)
}

/// What a reference parameter may point at: what its expression restricts it to, else what both the
/// parameter and the element allow.
fn targets_of(definition: &SearchParameter, of: TypeId, path: &Read) -> Vec<TypeId> {
    if let Some(target) = path.target {
        return vec![target];
    }
    let all = || -> Vec<TypeId> { r4().resource_types().map(|(id, _)| id).collect() };
    let named = |names: &[&str]| -> Vec<TypeId> {
        names.iter().filter_map(|name| r4().resource_type(name)).collect()
    };
    let declared = named(&definition.targets);
    let declared = if declared.is_empty() { all() } else { declared };
    let element: Vec<TypeId> = path::end(of, &path.steps)
        .map(|end| {
            let unbounded =
                end.types.iter().any(|t| t.targets.is_empty() || t.targets == ["Resource"]);
            if unbounded {
                all()
            } else {
                end.types.iter().flat_map(|t| named(&t.targets)).collect()
            }
        })
        .unwrap_or_default();
    let both: Vec<TypeId> = declared.iter().copied().filter(|t| element.contains(t)).collect();
    if both.is_empty() { declared } else { both }
}
