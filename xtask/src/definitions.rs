//! `cargo xtask definitions <package>`: compiles the facts of an HL7 FHIR core package (a `.tgz` of
//! JSON resources) into the one text `crates/fhir/definitions/r4.txt`: names, types, numbers, codes
//! and expressions, no prose. `--check` compares instead of writing.

use anyhow::{Context, Result, bail};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::io::Read;

const TARGET: &str = "crates/fhir/definitions/r4.txt";

/// `cargo xtask definitions`
pub(crate) const COMMAND: crate::Command = crate::Command {
    name: "definitions",
    usage: "[--check] <package.tgz>",
    about: "compile the facts of the R4 core package into crates/fhir/definitions/r4.txt",
    run,
};

fn run(args: &[String]) -> Result<()> {
    let check = args.iter().any(|a| a == "--check");
    let Some(package) = args.iter().find(|a| !a.starts_with("--")) else {
        bail!("usage: cargo xtask definitions [--check] <hl7.fhir.r4.core package .tgz>");
    };
    let text = compile(&Package::open(package)?)?;
    if check {
        let present = std::fs::read_to_string(TARGET).unwrap_or_default();
        if present != text {
            bail!("{TARGET} is not what the package compiles to; run `cargo xtask definitions`");
        }
    } else {
        std::fs::create_dir_all("crates/fhir/definitions")?;
        std::fs::write(TARGET, &text).with_context(|| format!("writing {TARGET}"))?;
    }
    Ok(())
}

struct Package {
    by_type: BTreeMap<String, Vec<Value>>,
    value_sets: BTreeMap<String, Value>,
    code_systems: BTreeMap<String, Value>,
}

impl Package {
    fn open(path: &str) -> Result<Self> {
        let file = std::fs::File::open(path).with_context(|| format!("opening {path}"))?;
        let mut archive = tar::Archive::new(flate2::read::GzDecoder::new(file));
        let mut package = Self {
            by_type: BTreeMap::new(),
            value_sets: BTreeMap::new(),
            code_systems: BTreeMap::new(),
        };
        for entry in archive.entries()? {
            let mut entry = entry?;
            let name = entry.path()?.to_string_lossy().into_owned();
            let Some(file) = name.strip_prefix("package/") else { continue };
            let wanted = [
                "StructureDefinition-",
                "SearchParameter-",
                "ValueSet-",
                "CodeSystem-",
                "CompartmentDefinition-",
                "OperationDefinition-",
            ];
            if !file.ends_with(".json") || !wanted.iter().any(|w| file.starts_with(w)) {
                continue;
            }
            let mut text = String::new();
            entry.read_to_string(&mut text)?;
            let value: Value = serde_json::from_str(&text).with_context(|| name.clone())?;
            let kind = text_of(&value, "resourceType").to_owned();
            let url = text_of(&value, "url").to_owned();
            match kind.as_str() {
                "ValueSet" => drop(package.value_sets.insert(url, value)),
                "CodeSystem" => drop(package.code_systems.insert(url, value)),
                _ => package.by_type.entry(kind).or_default().push(value),
            }
        }
        for list in package.by_type.values_mut() {
            list.sort_by(|a, b| text_of(a, "url").cmp(text_of(b, "url")));
        }
        Ok(package)
    }

    fn all(&self, kind: &str) -> &[Value] {
        self.by_type.get(kind).map_or(&[], Vec::as_slice)
    }
}

fn text_of<'v>(value: &'v Value, name: &str) -> &'v str {
    value.get(name).and_then(Value::as_str).unwrap_or_default()
}

fn array<'v>(value: &'v Value, name: &str) -> &'v [Value] {
    value.get(name).and_then(Value::as_array).map_or(&[], Vec::as_slice)
}

fn flag(value: &Value, name: &str) -> bool {
    value.get(name).and_then(Value::as_bool).unwrap_or(false)
}

fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn strings(values: &[Value]) -> String {
    values.iter().filter_map(Value::as_str).collect::<Vec<_>>().join(",")
}

fn compile(package: &Package) -> Result<String> {
    let mut out =
        String::from("# FHIR R4 (4.0.1), compiled by `cargo xtask definitions`. Do not edit.\n");
    let mut bindings = BTreeSet::new();
    let mut definitions: Vec<&Value> = package
        .all("StructureDefinition")
        .iter()
        .filter(|d| text_of(d, "derivation") != "constraint" && text_of(d, "kind") != "logical")
        .collect();
    definitions.sort_by(|a, b| text_of(a, "name").cmp(text_of(b, "name")));
    for definition in definitions {
        structure(definition, &mut out, &mut bindings)?;
    }
    for url in &bindings {
        value_set(package, url, &mut out)?;
    }
    for p in package.all("SearchParameter") {
        search_parameter(p, &mut out)?;
    }
    for c in package.all("CompartmentDefinition") {
        if text_of(c, "url").ends_with("example") {
            continue;
        }
        for member in array(c, "resource") {
            let parameters = strings(array(member, "param"));
            if !parameters.is_empty() {
                writeln!(
                    out,
                    "C\t{}\t{}\t{parameters}",
                    text_of(c, "code"),
                    text_of(member, "code")
                )?;
            }
        }
    }
    for o in package.all("OperationDefinition") {
        operation(o, &mut out)?;
    }
    Ok(out)
}

fn structure(definition: &Value, out: &mut String, bindings: &mut BTreeSet<String>) -> Result<()> {
    let name = text_of(definition, "type");
    let kind = match text_of(definition, "kind") {
        "primitive-type" => "primitive",
        "complex-type" => "complex",
        "resource" => "resource",
        other => bail!("{name}: unknown kind {other}"),
    };
    let suffix = if flag(definition, "abstract") { "-abstract" } else { "" };
    let base = text_of(definition, "baseDefinition").rsplit('/').next().unwrap_or_default();
    let elements = definition.get("snapshot").map_or(&[][..], |s| array(s, "element"));
    // Types in the order of their first element: the type itself, then its backbones.
    let mut blocks: Vec<(String, String)> =
        vec![(name.to_owned(), format!("T\t{name}\t{kind}{suffix}\t{base}\n"))];
    for element in elements {
        let path = text_of(element, "path");
        for constraint in array(element, "constraint") {
            let key = text_of(constraint, "key");
            let expression = one_line(text_of(constraint, "expression"));
            let own = !matches!(key, "ele-1" | "ext-1") || path == "Element" || path == "Extension";
            let inherited = key.starts_with("dom-") && name != "DomainResource";
            if own && !inherited && !expression.is_empty() {
                let relative = path.strip_prefix(name).unwrap_or(path).trim_start_matches('.');
                let severity = if text_of(constraint, "severity") == "error" { "e" } else { "w" };
                if let Some((_, block)) = blocks.first_mut() {
                    writeln!(block, "I\t{relative}\t{key}\t{severity}\t{expression}")?;
                }
            }
        }
        let Some((parent, last)) = path.rsplit_once('.') else { continue };
        if text_of(element, "max") == "0" {
            continue;
        }
        let types = element_types(element, path, kind == "resource");
        let has_children = elements.iter().any(|e| {
            text_of(e, "path").strip_prefix(path).is_some_and(|rest| rest.starts_with('.'))
        });
        let (types, backbone) = match (has_children, types.as_str()) {
            (true, t @ ("BackboneElement" | "Element")) => (path.to_owned(), Some(t.to_owned())),
            _ => (types, None),
        };
        if types.is_empty() {
            bail!("{path} has no type");
        }
        let choice = last.ends_with("[x]");
        let mut flags = String::new();
        for (on, letter) in
            [(choice, 'c'), (flag(element, "isSummary"), 's'), (flag(element, "isModifier"), 'm')]
        {
            if on {
                flags.push(letter);
            }
        }
        let binding = element.get("binding").map_or_else(String::new, |b| {
            let url = text_of(b, "valueSet").split('|').next().unwrap_or_default();
            let strength = match text_of(b, "strength") {
                "required" => {
                    bindings.insert(url.to_owned());
                    "r"
                }
                "extensible" => "e",
                "preferred" => "p",
                _ => "x",
            };
            if url.is_empty() { String::new() } else { format!("\t{strength}:{url}") }
        });
        let line = format!(
            "E\t{}\t{}\t{}\t{flags}\t{types}{binding}\n",
            last.trim_end_matches("[x]"),
            element.get("min").and_then(Value::as_u64).unwrap_or(0),
            text_of(element, "max"),
        );
        let Some((_, block)) = blocks.iter_mut().find(|(p, _)| p == parent) else {
            bail!("{path}: its parent has no block");
        };
        block.push_str(&line);
        if let Some(base) = backbone {
            blocks.push((path.to_owned(), format!("T\t{path}\tbackbone\t{base}\n")));
        }
    }
    for (_, block) in blocks {
        out.push_str(&block);
    }
    Ok(())
}

fn element_types(element: &Value, path: &str, is_resource: bool) -> String {
    if let Some(reference) = element.get("contentReference").and_then(Value::as_str) {
        return reference.rsplit('#').next().unwrap_or_default().to_owned();
    }
    let mut types: Vec<String> = Vec::new();
    for t in array(element, "type") {
        let code = text_of(t, "code");
        // FHIRPath system types stand where a primitive's own value is defined.
        let code = match code.strip_prefix("http://hl7.org/fhirpath/System.") {
            // A resource's own `id` is an `id`; an element's is a string.
            Some(_) if is_resource && path.matches('.').count() == 1 => "id".to_owned(),
            Some(_) => "string".to_owned(),
            None => code.to_owned(),
        };
        let targets: Vec<&str> = array(t, "targetProfile")
            .iter()
            .filter_map(Value::as_str)
            .map(|u| u.rsplit('/').next().unwrap_or_default())
            .filter(|n| *n != "Resource")
            .collect();
        types.push(if targets.is_empty() { code } else { format!("{code}>{}", targets.join(",")) });
    }
    types.join("|")
}

/// Codes by system, or `None` where they cannot be listed.
type Codes = Option<BTreeMap<String, BTreeSet<String>>>;

fn value_set(package: &Package, url: &str, out: &mut String) -> Result<()> {
    let codes = expand(package, url, 0);
    match codes {
        Some(systems) if systems.values().any(|c| !c.is_empty()) => {
            write!(out, "V\t{url}\tclosed")?;
            for (system, codes) in systems {
                if codes.iter().any(|c| c.contains([' ', '\t'])) {
                    bail!("{url}: a code holds white space");
                }
                let codes: Vec<_> = codes.into_iter().collect();
                write!(out, "\t{system} {}", codes.join(" "))?;
            }
            out.push('\n');
        }
        _ => writeln!(out, "V\t{url}\topen")?,
    }
    Ok(())
}

fn expand(package: &Package, url: &str, depth: usize) -> Codes {
    let url = url.split('|').next().unwrap_or_default();
    let compose = package.value_sets.get(url)?.get("compose")?;
    if depth > 8 {
        return None;
    }
    let mut all: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for include in array(compose, "include") {
        for (system, codes) in component(package, include, depth)? {
            all.entry(system).or_default().extend(codes);
        }
    }
    for exclude in array(compose, "exclude") {
        for (system, codes) in component(package, exclude, depth)? {
            if let Some(present) = all.get_mut(&system) {
                present.retain(|c| !codes.contains(c));
            }
        }
    }
    Some(all)
}

fn component(package: &Package, include: &Value, depth: usize) -> Codes {
    let mut all: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for set in array(include, "valueSet").iter().filter_map(Value::as_str) {
        for (system, codes) in expand(package, set, depth + 1)? {
            all.entry(system).or_default().extend(codes);
        }
    }
    let system = text_of(include, "system");
    if system.is_empty() {
        return Some(all);
    }
    let listed = array(include, "concept");
    let mut codes = BTreeSet::new();
    if listed.is_empty() {
        let definition = package.code_systems.get(system)?;
        if text_of(definition, "content") != "complete" {
            return None;
        }
        let mut parents: BTreeMap<String, Vec<String>> = BTreeMap::new();
        concepts(array(definition, "concept"), &[], &mut parents);
        for filter in array(include, "filter") {
            let value = text_of(filter, "value");
            match (text_of(filter, "property"), text_of(filter, "op")) {
                ("concept", "is-a") => {
                    parents.retain(|code, up| code == value || up.iter().any(|p| p == value));
                }
                ("concept", "is-not-a") => {
                    parents.retain(|code, up| code != value && !up.iter().any(|p| p == value));
                }
                _ => return None,
            }
        }
        codes.extend(parents.into_keys());
    } else {
        codes.extend(listed.iter().map(|c| text_of(c, "code").to_owned()));
    }
    all.entry(system.to_owned()).or_default().extend(codes);
    Some(all)
}

/// Collects codes with all their ancestors, by nesting and by `subsumedBy`.
fn concepts(list: &[Value], up: &[String], out: &mut BTreeMap<String, Vec<String>>) {
    for concept in list {
        let code = text_of(concept, "code").to_owned();
        let mut ancestors = up.to_vec();
        for property in array(concept, "property") {
            if matches!(text_of(property, "code"), "subsumedBy" | "parent") {
                let parent = text_of(property, "valueCode").to_owned();
                ancestors.extend(out.get(&parent).cloned().unwrap_or_default());
                ancestors.push(parent);
            }
        }
        let mut below = ancestors.clone();
        below.push(code.clone());
        out.insert(code, ancestors);
        concepts(array(concept, "concept"), &below, out);
    }
}

fn search_parameter(p: &Value, out: &mut String) -> Result<()> {
    write!(
        out,
        "S\t{}\t{}\t{}\t{}\t{}\t{}",
        text_of(p, "code"),
        text_of(p, "type"),
        strings(array(p, "base")),
        strings(array(p, "target")),
        text_of(p, "url"),
        one_line(text_of(p, "expression")),
    )?;
    for part in array(p, "component") {
        write!(out, "\t{}={}", text_of(part, "definition"), one_line(text_of(part, "expression")))?;
    }
    out.push('\n');
    Ok(())
}

fn operation(o: &Value, out: &mut String) -> Result<()> {
    let mut flags = String::new();
    for (name, letter) in [("affectsState", 'w'), ("system", 's'), ("type", 't'), ("instance", 'i')]
    {
        if flag(o, name) {
            flags.push(letter);
        }
    }
    let parameters: Vec<String> = array(o, "parameter")
        .iter()
        .map(|p| {
            format!(
                "{}:{}:{}:{}:{}",
                text_of(p, "name"),
                text_of(p, "use"),
                p.get("min").and_then(Value::as_u64).unwrap_or(0),
                text_of(p, "max"),
                text_of(p, "type"),
            )
        })
        .collect();
    writeln!(
        out,
        "O\t{}\t{}\t{flags}\t{}\t{}",
        text_of(o, "code"),
        text_of(o, "url"),
        strings(array(o, "resource")),
        parameters.join(","),
    )?;
    Ok(())
}
