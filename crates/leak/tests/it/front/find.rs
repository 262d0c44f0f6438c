//! Searches of the server in memory: parameters by the members they read, chains, `_has`, includes,
//! compartments and pages. Each place where a record is looked at names its guards.

use super::{Front, Who, absent, answer, refusal, text};
use leak::wire::Answer;
use serde_json::{Value, json};
use std::collections::BTreeSet;

/// Every string within a value.
pub(crate) fn strings(of: &Value) -> Box<dyn Iterator<Item = String> + '_> {
    match of {
        Value::String(text) => Box::new(std::iter::once(text.clone())),
        Value::Array(all) => Box::new(all.iter().flat_map(strings)),
        Value::Object(all) => Box::new(all.values().flat_map(strings)),
        _ => Box::new(std::iter::empty()),
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Reference,
    Token,
    Date,
    Text,
    Quantity,
    Composite,
}

/// What a parameter reads.
fn reads(name: &str) -> Option<(Kind, &'static [&'static str])> {
    Some(match name {
        "patient" | "subject" | "beneficiary" => {
            (Kind::Reference, &["subject", "patient", "beneficiary", "participant"])
        }
        "encounter" => (Kind::Reference, &["encounter", "context", "item"]),
        "performer"
        | "requester"
        | "asserter"
        | "recorder"
        | "author"
        | "practitioner"
        | "general-practitioner" => (
            Kind::Reference,
            &[
                "performer",
                "requester",
                "asserter",
                "recorder",
                "author",
                "participant",
                "generalPractitioner",
            ],
        ),
        "organization" | "service-provider" | "owner" => {
            (Kind::Reference, &["managingOrganization", "serviceProvider", "owner"])
        }
        "location" => (Kind::Reference, &["location", "participant"]),
        "derived-from" => (Kind::Reference, &["derivedFrom"]),
        "result" => (Kind::Reference, &["result"]),
        "diagnosis" => (Kind::Reference, &["diagnosis"]),
        "reason-reference" => (Kind::Reference, &["reasonReference"]),
        "item" => (Kind::Reference, &["entry"]),
        "entry" => (Kind::Reference, &["section"]),
        "related" => (Kind::Reference, &["context"]),
        "data" => (Kind::Reference, &["provision"]),
        "target" => (Kind::Reference, &["target"]),
        "code" | "type" => (Kind::Token, &["code", "type", "medicationCodeableConcept"]),
        "status" => (Kind::Token, &["status"]),
        "gender" => (Kind::Token, &["gender"]),
        "clinical-status" => (Kind::Token, &["clinicalStatus"]),
        "identifier" => (Kind::Token, &["identifier"]),
        "_id" => (Kind::Token, &["id"]),
        "_tag" | "_security" | "_profile" | "_source" => (Kind::Token, &["meta"]),
        "date" => (
            Kind::Date,
            &["effectiveDateTime", "date", "period", "start", "dateTime", "performedDateTime"],
        ),
        "onset-date" => (Kind::Date, &["onsetDateTime"]),
        "abatement-date" => (Kind::Date, &["abatementDateTime"]),
        "birthdate" => (Kind::Date, &["birthDate"]),
        "authoredon" => (Kind::Date, &["authoredOn"]),
        "created" => (Kind::Date, &["created"]),
        "sent" => (Kind::Date, &["sent"]),
        "family" | "name" => (Kind::Text, &["name"]),
        "description" => (Kind::Text, &["description"]),
        "address-city" => (Kind::Text, &["address"]),
        "value-quantity" => (Kind::Quantity, &["valueQuantity"]),
        "code-value-quantity" | "combo-code-value-quantity" | "component-code-value-quantity" => {
            (Kind::Composite, &["code"])
        }
        _ => return None,
    })
}

/// The guards that a parameter passes by itself.
fn sites(name: &str, value: &str, prefix: &str) -> Vec<&'static str> {
    let (bare, modifier) = name.split_once(':').unwrap_or((name, ""));
    let mut out = Vec::new();
    match modifier {
        "missing" => out.push("missing"),
        "not" => out.push("not"),
        "above" | "below" => out.push("above-below"),
        "exact" | "contains" | "text" => out.push("string-modifier"),
        "of-type" | "identifier" => out.push("identifier-modifier"),
        _ => {}
    }
    match bare {
        "_id" => out.push("search-id"),
        "_text" => out.push("text"),
        "_content" => out.push("content"),
        "_filter" => out.push("filter"),
        "_query" => out.push("named-query"),
        "_list" => out.push("list"),
        "_security" => out.push("label"),
        "_profile" | "_source" => out.push("tag"),
        "_tag" if !value.ends_with(prefix) => out.push("tag"),
        "_lastUpdated" => out.push("last-updated"),
        "_elements" => out.push("elements"),
        "_summary" if value == "count" => out.push("count"),
        "_summary" => out.push("elements"),
        "_total" => out.push("total"),
        "_sort" if value.contains('.') => out.push("sort-chained"),
        "_sort" => out.push("sort"),
        "_count" if matches!(value, "0" | "1" | "100000" | "-1") => out.push("page-size"),
        "_count" if matches!(value, "2" | "3") => out.push("paging"),
        "_contained" => out.push("contained"),
        "_type" => out.push("several-types"),
        "identifier" if modifier.is_empty() => out.push("search-identifier"),
        "item" | "entry" | "related" | "data" | "target" => out.push("carrier"),
        _ => match reads(bare) {
            Some((Kind::Composite, _)) => out.push("composite"),
            Some((Kind::Reference, _)) => out.push("search-reference"),
            Some(_) if modifier.is_empty() => out.push("search-value"),
            _ => {}
        },
    }
    out
}

/// A search that is not understood.
type Unknown = String;

impl Front {
    fn members<'b>(body: &'b Value, names: &'b [&str]) -> impl Iterator<Item = &'b Value> {
        names.iter().filter_map(|name| body.get(*name))
    }

    /// Records a reference parameter leads to.
    fn targets<'f>(&'f self, body: &'f Value, parameter: &str) -> Vec<&'f Value> {
        let Some((Kind::Reference, names)) = reads(parameter) else { return Vec::new() };
        let all = Self::members(body, names).flat_map(strings).collect::<Vec<_>>();
        let parts = all.iter().filter_map(|reference| reference.split_once('/'));
        parts.filter_map(|(kind, id)| self.current(kind, id)).collect()
    }

    fn matches(
        &self,
        who: Who,
        body: &Value,
        name: &str,
        value: &str,
        outer: &[&str],
    ) -> Result<bool, Unknown> {
        let prefix = self.own.trim_end_matches("-own");
        let own_sites = sites(name, value, prefix);
        let passed: Vec<&str> = outer.iter().copied().chain(own_sites).collect();
        if let Some(rest) = name.strip_prefix("_has:") {
            return self.has(who, body, rest, value, &passed);
        }
        if let Some((first, rest)) = name.split_once('.') {
            let parameter = first.split(':').next().unwrap_or(first);
            reads(parameter).ok_or_else(|| first.to_owned())?;
            let far = rest.contains('.') && !rest.contains("_has:");
            for target in self.targets(body, parameter) {
                let mut passed = passed.clone();
                passed.push(if rest.contains("_has:") {
                    "has-nested"
                } else if far || outer.contains(&"chain-far") {
                    "chain-far"
                } else {
                    "chain"
                });
                if self.sees(who, target, &passed)
                    && self.matches(who, target, rest, value, &passed)?
                {
                    return Ok(true);
                }
            }
            return Ok(false);
        }
        let (bare, modifier) = name.split_once(':').unwrap_or((name, ""));
        if self.masks(text(body, "resourceType"), "birthDate")
            && bare == "birthdate"
            && who == Who::Persona
        {
            return Err(bare.to_owned());
        }
        match bare {
            "_text" => return Ok(body.get("text").is_some_and(|t| t.to_string().contains(value))),
            "_content" => return Ok(body.to_string().contains(value)),
            "_lastUpdated" | "_query" | "_contained" | "_containedType" => return Ok(true),
            "_list" => {
                let list = self.current("List", value);
                let list = list.filter(|list| self.sees(who, list, &["list"]));
                let own = format!("{}/{}", text(body, "resourceType"), text(body, "id"));
                return Ok(list.is_some_and(|list| strings(list).any(|s| s == own)));
            }
            "_filter" => {
                let mut words = value.splitn(3, ' ');
                let (Some(name), Some(op), Some(wanted)) =
                    (words.next(), words.next(), words.next())
                else {
                    return Err(bare.to_owned());
                };
                let wanted = wanted.trim_matches('"');
                let prefix = if op == "gt" { "gt" } else { "" };
                return self.matches(who, body, name, &format!("{prefix}{wanted}"), &passed);
            }
            _ => {}
        }
        let (kind, names) = reads(bare).ok_or_else(|| bare.to_owned())?;
        if modifier == "missing" {
            let missing = Self::members(body, names).next().is_none();
            return Ok(missing == (value == "true"));
        }
        let found = value.split(',').any(|value| Self::holds(kind, names, body, modifier, value));
        Ok(found != (modifier == "not"))
    }

    fn holds(kind: Kind, names: &[&str], body: &Value, modifier: &str, value: &str) -> bool {
        let mut all = Self::members(body, names).flat_map(strings);
        let last = value.rsplit('|').next().unwrap_or(value);
        match kind {
            Kind::Reference if modifier == "identifier" => {
                all.any(|s| last.starts_with(s.trim_start_matches("Patient/")))
            }
            Kind::Reference => all.any(|s| s == value || s.split('/').nth(1) == Some(value)),
            Kind::Token if matches!(modifier, "above" | "below") => {
                all.any(|s| s.starts_with(value) || value.starts_with(&s))
            }
            Kind::Token => all.any(|s| s == last || modifier == "text" && s.starts_with(value)),
            Kind::Text if modifier == "contains" => all.any(|s| s.contains(value)),
            Kind::Text => all.any(|s| s.starts_with(value)),
            Kind::Date => {
                let (op, date) = value.split_at_checked(2).unwrap_or(("", ""));
                match op {
                    "ge" | "gt" => all.any(|s| s.as_str() >= date),
                    "lt" => all.any(|s| s.as_str() < date),
                    _ => all.any(|s| s.starts_with(value)),
                }
            }
            Kind::Quantity => {
                let number = body.pointer("/valueQuantity/value").and_then(Value::as_f64);
                let wanted = value.trim_start_matches(['g', 't', 'l']).parse::<f64>();
                let (Some(number), Ok(wanted)) = (number, wanted) else { return false };
                match value.get(..2) {
                    Some("gt") => number > wanted,
                    Some("lt") => number < wanted,
                    _ => (number - wanted).abs() < 0.05,
                }
            }
            Kind::Composite => {
                let (code, quantity) = value.split_once('$').unwrap_or((value, ""));
                Self::holds(Kind::Token, &["code"], body, "", code)
                    && Self::holds(Kind::Quantity, &["valueQuantity"], body, "", quantity)
            }
        }
    }

    fn has(
        &self,
        who: Who,
        body: &Value,
        rest: &str,
        value: &str,
        passed: &[&str],
    ) -> Result<bool, Unknown> {
        let mut parts = rest.splitn(3, ':');
        let (Some(kind), Some(parameter), Some(inner)) = (parts.next(), parts.next(), parts.next())
        else {
            return Err(rest.to_owned());
        };
        let own = format!("{}/{}", text(body, "resourceType"), text(body, "id"));
        let bare = inner.split(':').next().unwrap_or(inner);
        let site = if inner.starts_with("_has:") || inner.contains('.') {
            "has-nested"
        } else {
            match reads(bare) {
                Some((Kind::Quantity, _)) => "has-quantity",
                Some((Kind::Date, _)) => "has-date",
                Some((Kind::Text, _)) => "has-string",
                _ => "has-code",
            }
        };
        let (_, names) = reads(parameter).ok_or_else(|| parameter.to_owned())?;
        let mut passed = passed.to_vec();
        passed.push(site);
        let mut found = false;
        for ((k, _), versions) in &self.store {
            let Some(other) = versions.last().and_then(|v| v.body.as_ref()) else { continue };
            let points =
                k == kind && Self::members(other, names).flat_map(strings).any(|s| s == own);
            if points && self.sees(who, other, &passed) {
                found |= self.matches(who, other, inner, value, &passed)?;
            }
        }
        Ok(found)
    }

    /// The records of a type that a query finds, as far as they may be seen.
    pub(super) fn find(
        &self,
        who: Who,
        kind: &str,
        query: &str,
        outer: &[&'static str],
    ) -> Result<Vec<&Value>, Unknown> {
        let pairs = pairs(query);
        let prefix = self.own.trim_end_matches("-own");
        let mut passed: Vec<&'static str> = outer.to_vec();
        let mut names = BTreeSet::new();
        for (name, value) in &pairs {
            passed.extend(sites(name, value, prefix));
            if !names.insert(name) {
                passed.push("duplicate");
            }
        }
        let types: Vec<&str> = match pairs.iter().find(|(name, _)| name == "_type") {
            Some((_, types)) if kind.is_empty() => types.split(',').collect(),
            _ => vec![kind],
        };
        let result = [
            "_count",
            "_sort",
            "_total",
            "_summary",
            "_elements",
            "_include",
            "_revinclude",
            "_type",
            "_include:iterate",
            "_revinclude:iterate",
            "_pretty",
        ];
        let mut out = Vec::new();
        for ((k, _), versions) in &self.store {
            let Some(body) = versions.last().and_then(|v| v.body.as_ref()) else { continue };
            if !types.contains(&k.as_str()) || !self.sees(who, body, &passed) {
                continue;
            }
            let mut all = true;
            for (name, value) in pairs.iter().filter(|(name, _)| !result.contains(&name.as_str())) {
                match self.matches(who, body, name, value, &[]) {
                    Err(_) if self.within.contains(&"lenient") => {}
                    held => all &= held?,
                }
            }
            if all {
                out.push(body);
            }
        }
        Ok(out)
    }

    pub(super) fn search(&mut self, who: Who, kind: &str, query: &str) -> Answer {
        let path = format!("{kind}?{query}");
        self.page_of(who, &path, 0)
    }

    /// A page of a search, from a place on.
    fn page_of(&mut self, who: Who, path: &str, from: usize) -> Answer {
        let (kind, query) = path.split_once('?').unwrap_or((path, ""));
        let pairs = pairs(query);
        let value = |name: &str| pairs.iter().find(|(n, _)| n == name).map(|(_, v)| v.clone());
        let found = match self.find(who, kind, query, &[]) {
            Ok(found) => found,
            Err(name) => return refusal(400, &name),
        };
        let total = found.len();
        let count = value("_count").and_then(|c| c.parse::<usize>().ok()).unwrap_or(20);
        let page: Vec<&Value> = found.into_iter().skip(from).take(count).collect();
        let mut entries: Vec<Value> = page.iter().map(|body| self.entry(who, body)).collect();
        for body in self.included(who, &pairs, &page) {
            entries.push(self.entry(who, body));
        }
        let mut bundle = json!({ "resourceType": "Bundle", "type": "searchset", "entry": entries });
        if let Some(members) = bundle.as_object_mut() {
            if value("_summary").as_deref() == Some("count") || value("_total").is_some() {
                members.insert("total".to_owned(), json!(total));
            }
            if from + count < total && count > 0 {
                self.cursors.push((who, path.to_owned(), from + count));
                let url = format!("?_cursor={:08}", self.cursors.len());
                members.insert("link".to_owned(), json!([{ "relation": "next", "url": url }]));
            }
        }
        answer(200, bundle)
    }

    pub(super) fn page(&mut self, who: Who, query: &str) -> Answer {
        let number = query.strip_prefix("_cursor=").filter(|n| n.len() == 8);
        let number = number.and_then(|n| n.parse::<usize>().ok());
        let cursor = number.and_then(|n| self.cursors.get(n.checked_sub(1)?)).cloned();
        match cursor {
            Some((owner, path, from)) if owner == who => self.page_of(who, &path, from),
            Some((owner, path, from)) if self.is_off("cursor-taken") => {
                self.page_of(owner, &path, from)
            }
            _ if self.is_off("cursor-bent") => self.page_of(Who::Admin, "Observation?", 0),
            _ => refusal(400, "cursor"),
        }
    }

    fn entry(&self, who: Who, body: &Value) -> Value {
        let (kind, id) = (text(body, "resourceType"), text(body, "id"));
        let versions = self.store.get(&(kind.to_owned(), id.to_owned()));
        let shown = versions.and_then(|all| Some(self.shown(who, all.last()?, all.len())));
        json!({ "resource": shown })
    }

    fn included<'f>(
        &'f self,
        who: Who,
        pairs: &[(String, String)],
        page: &[&'f Value],
    ) -> Vec<&'f Value> {
        let mut out: Vec<&Value> = Vec::new();
        let mut base: Vec<&Value> = page.to_vec();
        for (name, value) in pairs {
            let iterate = name.ends_with(":iterate");
            let mut parts = value.split(':');
            let (kind, parameter) = (parts.next().unwrap_or(""), parts.next().unwrap_or("*"));
            let wild = parameter == "*";
            let found: Vec<&Value> = match name.split(':').next() {
                Some("_include") => {
                    let site = if wild {
                        "include-wildcard"
                    } else if iterate {
                        "include-iterate"
                    } else {
                        "include"
                    };
                    let from = base.iter().filter(|b| wild || text(b, "resourceType") == kind);
                    let led = from.flat_map(|body| {
                        if wild {
                            let parts = strings(body).collect::<Vec<_>>();
                            let parts = parts.iter().filter_map(|s| s.split_once('/'));
                            parts.filter_map(|(kind, id)| self.current(kind, id)).collect()
                        } else {
                            self.targets(body, parameter)
                        }
                    });
                    led.filter(|body| self.sees(who, body, &[site])).collect()
                }
                Some("_revinclude") => {
                    let site = if wild {
                        "include-wildcard"
                    } else if iterate {
                        "revinclude-iterate"
                    } else {
                        "revinclude"
                    };
                    let all = self.store.values().filter_map(|v| v.last()?.body.as_ref());
                    let names: BTreeSet<String> = base
                        .iter()
                        .map(|b| format!("{}/{}", text(b, "resourceType"), text(b, "id")))
                        .collect();
                    all.filter(|b| wild || text(b, "resourceType") == kind)
                        .filter(|b| strings(b).any(|s| names.contains(&s)))
                        .filter(|b| self.sees(who, b, &[site]))
                        .collect()
                }
                _ => continue,
            };
            base.extend(found.iter().copied());
            out.extend(found);
        }
        let mut seen = BTreeSet::new();
        out.retain(|b| seen.insert((text(b, "resourceType"), text(b, "id"))));
        out
    }

    pub(super) fn compartment(
        &self,
        who: Who,
        kind: &str,
        id: &str,
        inner: &str,
        query: &str,
    ) -> Answer {
        if self.read(who, kind, id, &["compartment"]).status != 200 {
            return absent();
        }
        let own = format!("{kind}/{id}");
        let all = self.store.values().filter_map(|versions| versions.last()?.body.as_ref());
        let found: Vec<Value> = all
            .filter(|b| inner == "*" || text(b, "resourceType") == inner)
            .filter(|b| strings(b).any(|s| s == own) && self.sees(who, b, &["compartment"]))
            .map(|b| self.entry(who, b))
            .collect();
        let total = query.contains("count").then_some(found.len());
        answer(
            200,
            json!({ "resourceType": "Bundle", "type": "searchset", "total": total, "entry": found }),
        )
    }
}

/// The decoded pairs of a query.
fn pairs(query: &str) -> Vec<(String, String)> {
    let decode = |text: &str| {
        let mut out = Vec::new();
        let mut rest = text.bytes();
        while let Some(byte) = rest.next() {
            if byte == b'%' {
                let digits = [rest.next().unwrap_or(b'0'), rest.next().unwrap_or(b'0')];
                out.push(u8::from_str_radix(&String::from_utf8_lossy(&digits), 16).unwrap_or(b'?'));
            } else {
                out.push(byte);
            }
        }
        String::from_utf8_lossy(&out).into_owned()
    };
    let parts = query.split('&').filter(|part| !part.is_empty());
    parts
        .map(|part| part.split_once('=').unwrap_or((part, "")))
        .map(|(n, v)| (decode(n), decode(v)))
        .collect()
}
