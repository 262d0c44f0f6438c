//! An operation as FHIR describes it (<https://hl7.org/fhir/R4/operationdefinition.html>), made from its
//! declaration, so that what a client reads is what the server does.

use super::{Again, At, Effect, Holds, Operation, Parameter};
use fhir::write::Writer;

impl Operation {
    /// Its `OperationDefinition`, for a server whose API begins at `base`.
    pub fn definition(&self, base: &str) -> Vec<u8> {
        let id = self.id();
        let mut w = Writer::new();
        w.object().member("resourceType", "OperationDefinition").member("id", &id);
        w.member("url", &format!("{base}/OperationDefinition/{id}"));
        w.member("name", &computable(self.title)).member("title", self.title);
        w.member("status", "active").member("kind", "operation");
        w.member("description", &self.description());
        w.key("affectsState").boolean(!self.only_reads());
        w.member("code", self.name);
        let types = self.types();
        if !types.is_empty() {
            w.key("resource").array();
            for of in types {
                w.string(of);
            }
            w.end_array();
        }
        w.key("system").boolean(self.at == At::System);
        w.key("type").boolean(matches!(self.at, At::Type(_)));
        w.key("instance").boolean(matches!(self.at, At::Instance(_)));
        if !self.input.is_empty() || !self.output.is_empty() {
            w.key("parameter").array();
            for (parameters, direction) in [(self.input, "in"), (self.output, "out")] {
                for one in parameters {
                    parameter(&mut w, one, direction);
                }
            }
            w.end_array();
        }
        w.end_object();
        w.finish()
    }

    /// What it does, and what a caller should know before asking.
    fn description(&self) -> String {
        let mut text = self.about.to_owned();
        if let Effect::Writes { again, undo, .. } = self.effect {
            match again {
                Again::Same => text.push_str(" Asked twice, it is done once."),
                Again::Keyed(key) => {
                    text.push_str(" Asked twice with the same ");
                    text.push_str(key);
                    text.push_str(", it is done once.");
                }
                Again::Twice => text.push_str(" Asked twice, it is done twice."),
            }
            if let Some(undo) = undo {
                text.push(' ');
                text.push_str(undo);
            }
        }
        text
    }
}

fn parameter(w: &mut Writer, one: &Parameter, direction: &str) {
    w.object().member("name", one.name).member("use", direction);
    w.key("min").integer(i64::from(one.min)).member("max", &one.max.to_string());
    w.member("documentation", one.about);
    if let Some(of) = one.holds.fhir_type() {
        w.member("type", of);
    }
    if one.holds == Holds::Parts {
        w.key("part").array();
        for part in one.parts {
            parameter(w, part, direction);
        }
        w.end_array();
    }
    w.end_object();
}

/// A name a program may use: `Who saw a record` as `WhoSawARecord`.
fn computable(title: &str) -> String {
    let words = title.split(|c: char| !c.is_ascii_alphanumeric()).filter(|word| !word.is_empty());
    let mut name = String::new();
    for word in words {
        let (first, rest) = word.split_at(1);
        name.push_str(&first.to_ascii_uppercase());
        name.push_str(rest);
    }
    name
}
