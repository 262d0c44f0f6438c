//! An event as a message of syslog (RFC 5424), and the frames that carry it (RFC 6587, octet counting;
//! RFC 5425 over TLS). What follows the structured data is the event as JSON, the same as in an export.

use std::fmt::Write as _;

use crate::event::{Decision, Kind};
use crate::read::Entry;

/// Facility 13, log audit (RFC 5424, 6.2.1).
const FACILITY: u8 = 13;
/// The number IANA keeps for examples (RFC 5612); the element's name says whose it is.
const ELEMENT: &str = "plummer@32473";

/// The message, without a frame. `host` names this machine.
#[must_use]
pub fn message(entry: &Entry, host: &str) -> String {
    let event = &entry.event;
    let severity = match (event.decision, event.kind, event.status) {
        (Decision::Deny, _, _) => 4,
        (Decision::Permit, _, 500..) => 3,
        (Decision::Permit, Kind::Export | Kind::Backup | Kind::Restore | Kind::Review, _) => 5,
        _ if event.receipt.as_deref().is_some_and(|r| r.break_glass.is_some()) => 4,
        _ => 6,
    };
    let mut out = format!("<{}>1 ", FACILITY * 8 + severity);
    event.time.write_instant(&mut out);
    // Writing to a string does not fail.
    let _ = write!(
        out,
        " {} plummer - {} [{ELEMENT} seq=\"{}\"",
        name(host, 255),
        event.kind.name(),
        entry.seq
    );
    parameter(&mut out, "actor", &event.actor);
    parameter(&mut out, "hash", &entry.hash.to_string());
    // What follows is UTF-8 (RFC 5424, 6.4).
    out.push_str("] \u{feff}");
    entry.write_json(&mut out);
    out
}

/// The message in its frame: its length in octets, a space, itself.
#[must_use]
pub fn frame(entry: &Entry, host: &str) -> Vec<u8> {
    let message = message(entry, host);
    format!("{} {message}", message.len()).into_bytes()
}

fn parameter(out: &mut String, key: &str, value: &str) {
    let _ = write!(out, " {key}=\"");
    for c in value.chars() {
        if matches!(c, '"' | '\\' | ']') {
            out.push('\\');
        }
        // A line break in a name must not look like another message.
        out.push(if c.is_control() { ' ' } else { c });
    }
    out.push('"');
}

/// A name of printable ASCII, at most `longest`; `-` when nothing is left.
fn name(text: &str, longest: usize) -> String {
    let kept: String = text.chars().filter(char::is_ascii_graphic).take(longest).collect();
    if kept.is_empty() { "-".to_owned() } else { kept }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chain::Hash;
    use crate::event::Event;
    use base::Millis;

    #[test]
    fn a_message_is_as_the_standard_says_and_nobody_can_forge_another() {
        let mut event = Event::new(Millis(1_795_340_467_123), [0x11; 16], Kind::Read);
        event.actor = "eve\"] x\n<1>1 forged".into();
        let entry = Entry { seq: 7, hash: Hash::GENESIS, event };
        let said = message(&entry, "clinic host");
        let zeros = "0".repeat(64);
        let head = format!(
            "<110>1 2026-11-22T09:41:07.123Z clinichost plummer - read [plummer@32473 seq=\"7\" actor=\"eve\\\"\\] x <1>1 forged\" hash=\"{zeros}\"] \u{feff}{{\"seq\":7,"
        );
        assert!(said.starts_with(&head), "{said}");
        assert!(!said.contains('\n'));
        let framed = String::from_utf8(frame(&entry, "h")).unwrap();
        let (length, rest) = framed.split_once(' ').unwrap();
        assert_eq!(length.parse::<usize>().unwrap(), rest.len());
    }
}
