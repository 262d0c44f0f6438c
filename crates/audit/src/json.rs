//! An entry as one line of JSON, for `plummer audit show` and NDJSON export
//! (<https://github.com/ndjson/ndjson-spec>). Absent fields are left out.

use std::fmt::Write as _;

use base::id::uuid_text;

use crate::read::Entry;

impl Entry {
    /// The entry as JSON without a line break.
    pub fn to_json(&self) -> String {
        let mut out = String::with_capacity(320);
        self.write_json(&mut out);
        out
    }

    /// As [`Entry::to_json`], of an event whose place in the chain is not known: one from a proof.
    pub fn to_json_without_hash(&self) -> String {
        let mut out = String::with_capacity(320);
        self.write_members(&mut out);
        out.push('}');
        out
    }

    /// Appends the entry as JSON to `out`.
    pub fn write_json(&self, out: &mut String) {
        self.write_members(out);
        out.push_str(",\"hash\":\"");
        hex(out, &self.hash.0);
        out.push_str("\"}");
    }

    fn write_members(&self, out: &mut String) {
        let event = &self.event;
        number(out, "{\"seq\":", self.seq);
        out.push_str(",\"time\":\"");
        event.time.write_instant(out);
        out.push_str("\",\"actor\":");
        text(out, &event.actor);
        out.push_str(",\"request\":");
        text(out, &uuid_text(&event.request));
        out.push_str(",\"kind\":");
        text(out, event.kind.name());
        number(out, ",\"status\":", u64::from(event.status));
        out.push_str(",\"decision\":");
        text(out, event.decision.name());
        number(out, ",\"results\":", event.results);
        number(out, ",\"bytes\":", event.bytes);
        if let Some(source) = event.source {
            out.push_str(",\"source\":");
            text(out, source.name());
        }
        if let Some(query) = event.query {
            out.push_str(",\"query\":\"");
            hex(out, &query);
            out.push('"');
        }
        list(out, "targets", &event.targets, |out, target| {
            out.push_str("{\"type\":");
            text(out, &target.resource_type);
            if let Some(id) = &target.id {
                out.push_str(",\"id\":");
                text(out, id);
            }
            if let Some(version) = target.version {
                number(out, ",\"version\":", u64::from(version));
            }
            out.push('}');
        });
        list(out, "patients", &event.patients, |out, id| text(out, id));
        if let Some(receipt) = &event.receipt {
            list(out, "policies", &receipt.policies, |out, id| text(out, id));
            if receipt.epoch != 0 {
                number(out, ",\"epoch\":", receipt.epoch);
            }
            for (name, value) in [
                ("purpose", &receipt.purpose),
                ("onBehalfOf", &receipt.on_behalf_of),
                ("session", &receipt.session),
                ("client", &receipt.client),
                ("breakGlass", &receipt.break_glass),
            ] {
                if let Some(value) = value {
                    out.push_str(",\"");
                    out.push_str(name);
                    out.push_str("\":");
                    text(out, value);
                }
            }
        }
        if event.commit_seq != 0 {
            number(out, ",\"commit\":", event.commit_seq);
        }
    }
}

fn list<T>(out: &mut String, name: &str, items: &[T], write: impl Fn(&mut String, &T)) {
    for (i, item) in items.iter().enumerate() {
        if i == 0 {
            out.push_str(",\"");
            out.push_str(name);
            out.push_str("\":[");
        } else {
            out.push(',');
        }
        write(out, item);
    }
    if !items.is_empty() {
        out.push(']');
    }
}

fn number(out: &mut String, before: &str, value: u64) {
    out.push_str(before);
    // Writing to a string does not fail.
    let _ = write!(out, "{value}");
}

fn hex(out: &mut String, bytes: &[u8]) {
    for byte in bytes {
        // Writing to a string does not fail.
        let _ = write!(out, "{byte:02x}");
    }
}

fn text(out: &mut String, value: &str) {
    out.push('"');
    for c in value.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            c if c < ' ' => {
                // Writing to a string does not fail.
                let _ = write!(out, "\\u{:04x}", u32::from(c));
            }
            c => out.push(c),
        }
    }
    out.push('"');
}
