//! The canonicaliser: what of an answer may differ between two worlds without telling anything of
//! them, and nothing else. Each rule stands in docs/internals/leak.md under its number.
//!
//! 1. Headers in [`IGNORED`] are left out.
//! 2. A searchset, history or answered bundle has its own `id`, `meta.lastUpdated` and `timestamp`
//!    replaced, an OperationOutcome its `id`.
//! 3. The request id of the answer is replaced wherever it is quoted.
//! 4. The values of sealed link parameters ([`SEALED`]) are replaced by their length.
//! 5. The base address is replaced, since two targets have two.
//! 6. An id the server gave for a new resource is replaced by its number in order.
//! 7. The letter of the round in names of what the persona itself writes is replaced.
//! 8. Where a probe writes, or the worlds are on two targets, instants of storage and versions that
//!    are UUIDs are replaced. On one target, reads keep them: what is visible was not touched.
//! 9. A header that tells the time of the answer itself (an instant next to `Date`) is replaced.
//! 10. In a page for people, the moment at which it was made, the sealed mark of what it has seen and the
//!     ids drawn for its forms are replaced by their length.
//!
//! Whitespace between the tokens of JSON is not compared by place, but in sum (`size`).

use crate::flat::flatten;
use crate::wire::Answer;
use sha2::{Digest, Sha256};
use std::collections::BTreeSet;
use std::io::Read;

/// Headers of transport and of the moment.
pub const IGNORED: [&str; 16] = [
    "date",
    "x-request-id",
    "x-correlation-id",
    "traceparent",
    "connection",
    "keep-alive",
    "content-length",
    "transfer-encoding",
    "server-timing",
    "ratelimit-limit",
    "ratelimit-remaining",
    "ratelimit-reset",
    "ratelimit",
    "x-ratelimit-limit",
    "x-ratelimit-remaining",
    "x-ratelimit-reset",
];
/// Parameters of page links that hold sealed or random text.
pub const SEALED: [&str; 8] =
    ["_cursor", "_getpages", "_page_token", "_pageToken", "ct", "cursor", "pageId", "_bundleid"];
/// What stands between these in a page tells of the moment at which it was made, or was drawn then.
pub const MOMENTS: &[(&str, &str)] = &[
    ("<p class=\"printed\">", "</p>"),
    ("<p class=\"muted as-of\">", "</p>"),
    ("data-now=\"", "\""),
    ("data-after=\"", "\""),
    ("/duplicates?from=", "\""),
    ("type=\"hidden\" name=\"once\" value=\"", "\""),
    ("type=\"hidden\" name=\"form_id\" value=\"", "\""),
    ("type=\"hidden\" name=\"entry\" value=\"", "\""),
];
/// No answer of the bench's own size is longer when it is unpacked.
const UNPACKED_MAX: u64 = 64 << 20;
/// Between a write's instant and the date of its answer, on a busy machine.
const NOW_SECONDS: i64 = 10;

/// Whether instants of storage are compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Instants {
    /// Compared.
    Kept,
    /// Replaced.
    Replaced,
}

/// What remains of an answer: paths and texts, in order.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Canonical {
    /// `status`, `header …`, `size`, then the leaves of the body.
    pub leaves: Vec<(String, String)>,
}

impl Canonical {
    /// The first twelve digits of a digest, by which two answers are told apart in a report.
    pub fn digest(&self) -> String {
        let mut hash = Sha256::new();
        for (path, text) in &self.leaves {
            hash.update(path);
            hash.update([0]);
            hash.update(text);
            hash.update([0]);
        }
        hash.finalize().iter().take(6).map(|byte| format!("{byte:02x}")).collect()
    }

    /// The status.
    pub fn status(&self) -> &str {
        self.leaves.first().map_or("", |(_, status)| status)
    }

    /// The same, with one text for another: for two requests that differ in an id.
    #[must_use]
    pub fn replaced(&self, from: &str, to: &str) -> Self {
        let leaves = self.leaves.iter().filter(|(path, _)| path != "size");
        Self { leaves: leaves.map(|(p, t)| (p.clone(), t.replace(from, to))).collect() }
    }
}

/// The canonicaliser of one persona's answers in one world.
#[derive(Debug, Clone)]
pub struct Canon {
    base: String,
    /// Prefix of all ids of this persona's world; ids that begin so are nobody's choice but ours.
    prefix: String,
    round: String,
    /// Whether instants of storage are compared.
    pub instants: Instants,
    given: Vec<String>,
}

impl Canon {
    /// For answers of the server at `base`, in a world whose ids begin with `prefix`, in the round of
    /// this letter.
    pub fn new(base: &str, prefix: &str, round: char, instants: Instants) -> Self {
        let round = format!("{prefix}-r{round}");
        Self {
            base: base.to_owned(),
            prefix: prefix.to_owned(),
            round,
            instants,
            given: Vec::new(),
        }
    }

    /// What remains of an answer.
    pub fn answer(&mut self, answer: &Answer) -> Canonical {
        let mut out = vec![("status".to_owned(), answer.status.to_string())];
        let body = unpacked(answer);
        let leaves = flatten(&body);
        self.learn(answer, leaves.as_deref().unwrap_or_default());
        let request_id = answer.header("x-request-id").unwrap_or("").to_owned();
        let mut headers: Vec<_> = answer.headers.iter().collect();
        headers.sort();
        for (name, value) in headers {
            if IGNORED.contains(&name.as_str()) {
                continue;
            }
            let text = match name.as_str() {
                "last-modified" if self.is_now(answer, value) => "‹now›".to_owned(),
                "last-modified" if self.instants == Instants::Replaced => "‹instant›".to_owned(),
                "etag" => self.version(value),
                _ => self.text(value, &request_id),
            };
            out.push((format!("header {name}"), text));
        }
        let Some(leaves) = leaves else {
            if !body.is_empty() {
                let text = String::from_utf8_lossy(&body);
                let mut text = self.text(&text, &request_id);
                if answer.header("content-type").is_some_and(|kind| kind.starts_with("text/html")) {
                    for (from, to) in MOMENTS {
                        text = without(&text, from, to);
                    }
                }
                out.push(("body".to_owned(), text));
            }
            return Canonical { leaves: out };
        };
        let own = envelopes(&leaves);
        let mut replaced = 0;
        let mut rest = Vec::with_capacity(leaves.len());
        for leaf in leaves {
            let text = match leaf.text() {
                Some(text) => self.leaf(&own, &leaf.path, &text, &request_id),
                None => leaf.raw.clone(),
            };
            let same = leaf.text().is_none_or(|before| before == text);
            if same {
                rest.push((leaf.path, leaf.raw));
            } else {
                replaced += leaf.raw.len();
                rest.push((leaf.path, text));
            }
        }
        // What is neither compared as a leaf nor replaced: blanks, and whatever pads an answer.
        out.push(("size".to_owned(), body.len().saturating_sub(replaced).to_string()));
        out.extend(rest);
        Canonical { leaves: out }
    }

    /// A request as both worlds would ask it.
    pub fn request(&self, shown: &str) -> String {
        self.text(shown, "")
    }

    /// Notes ids the server chose: those of `Location`s that no name of ours begins.
    fn learn(&mut self, answer: &Answer, leaves: &[crate::flat::Leaf]) {
        let header = answer.header("location").map(str::to_owned);
        let inner = leaves.iter().filter(|leaf| leaf.path.ends_with("response.location"));
        for location in header.into_iter().chain(inner.filter_map(crate::flat::Leaf::text)) {
            let path = location.split("/_history").next().unwrap_or("");
            let id = path.rsplit('/').next().unwrap_or("");
            let ours = id.starts_with(&self.prefix);
            if !id.is_empty() && !ours && !self.given.iter().any(|known| known == id) {
                self.given.push(id.to_owned());
            }
        }
    }

    fn leaf(&self, own: &BTreeSet<String>, path: &str, text: &str, request_id: &str) -> String {
        let last = path.rsplit('.').next().unwrap_or(path);
        if own.contains(path) {
            return "‹own›".to_owned();
        }
        if self.instants == Instants::Replaced {
            match last {
                "lastUpdated" | "lastModified" => return "‹instant›".to_owned(),
                "versionId" | "etag" => return self.version(text),
                _ => {}
            }
        }
        self.text(text, request_id)
    }

    fn version(&self, text: &str) -> String {
        let bare = text.trim_start_matches("W/").trim_matches('"');
        let uuid = bare.len() == 36 && bare.bytes().filter(|b| *b == b'-').count() == 4;
        if uuid && self.instants == Instants::Replaced {
            "‹version›".to_owned()
        } else {
            text.to_owned()
        }
    }

    fn text(&self, text: &str, request_id: &str) -> String {
        let mut out = text.to_owned();
        if request_id.len() >= 8 {
            out = out.replace(request_id, "‹request›");
        }
        if !self.base.is_empty() {
            out = out.replace(&self.base, "‹base›");
        }
        out = out.replace(&self.round, &format!("{}-r_", self.prefix));
        for (number, id) in (1..).zip(&self.given) {
            out = bounded(&out, id, &format!("‹new {number}›"));
        }
        sealed(&out)
    }

    /// Whether a date is that of the answer, or some seconds before it.
    fn is_now(&self, answer: &Answer, value: &str) -> bool {
        let of = answer.header("date").and_then(second).zip(second(value));
        of.is_some_and(|(date, value)| (0..=NOW_SECONDS).contains(&(date - value)))
            && self.instants == Instants::Replaced
    }
}

/// The second of a date of HTTP (RFC 9110 5.6.7, the preferred form), counted from any beginning.
fn second(date: &str) -> Option<i64> {
    const MONTHS: [&str; 12] =
        ["Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec", "Jan", "Feb"];
    let number = |at: std::ops::Range<usize>| date.get(at)?.parse::<u16>().ok().map(i64::from);
    // From March on, so that a leap day ends a year.
    let month = MONTHS.iter().position(|name| date.get(8..11) == Some(name))?;
    let year = number(12..16)? - i64::from(month > 9);
    let month = i64::try_from(month).ok()?;
    let days = 365 * year + year / 4 - year / 100 + year / 400 + (month * 306 + 5) / 10;
    let (hours, minutes) = (number(17..19)?, number(20..22)?);
    Some((((days + number(5..7)?) * 24 + hours) * 60 + minutes) * 60 + number(23..25)?)
}

/// The paths at which an answer, or one within it, tells of itself: rule 2.
fn envelopes(leaves: &[crate::flat::Leaf]) -> BTreeSet<String> {
    let says = |path: &str| leaves.iter().find(|leaf| leaf.path == path).and_then(|l| l.text());
    let mut out = BTreeSet::new();
    for leaf in leaves {
        let Some(at) = leaf.path.strip_suffix("resourceType") else { continue };
        let kind = leaf.text();
        match kind.as_deref() {
            Some("OperationOutcome") => {
                out.insert(format!("{at}id"));
            }
            Some("Bundle") => {
                let answers = ["searchset", "history", "batch-response", "transaction-response"];
                if says(&format!("{at}type")).is_some_and(|kind| answers.contains(&kind.as_str())) {
                    out.extend(["id", "meta.lastUpdated", "timestamp"].map(|m| format!("{at}{m}")));
                }
            }
            _ => {}
        }
    }
    out
}

/// The body, unpacked when the server packed it.
fn unpacked(answer: &Answer) -> Vec<u8> {
    if answer.header("content-encoding") != Some("gzip") {
        return answer.body.clone();
    }
    let mut out = Vec::new();
    let unpacked = flate2::read::GzDecoder::new(answer.body.as_slice())
        .take(UNPACKED_MAX)
        .read_to_end(&mut out);
    if unpacked.is_ok() { out } else { answer.body.clone() }
}

/// A text without what stands between two marks.
fn without(text: &str, from: &str, to: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once(from) {
        out.push_str(before);
        out.push_str(from);
        let Some((moment, after)) = after.split_once(to) else { return out + "‹›" };
        // How long it is might tell: that is compared.
        out.push_str(&format!("‹{}›", moment.len()));
        out.push_str(to);
        rest = after;
    }
    out + rest
}

/// Replaces an id where it stands by itself.
fn bounded(text: &str, id: &str, with: &str) -> String {
    let within = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '.';
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find(id) {
        let (before, found) = rest.split_at(at);
        let after = found.get(id.len()..).unwrap_or("");
        let alone = !before.chars().next_back().or(out.chars().next_back()).is_some_and(within)
            && !after.chars().next().is_some_and(within);
        out.push_str(before);
        out.push_str(if alone { with } else { id });
        rest = after;
    }
    out.push_str(rest);
    out
}

/// Replaces the values of sealed parameters by their length.
fn sealed(text: &str) -> String {
    if !text.contains('=') {
        return text.to_owned();
    }
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find(['?', '&']) {
        let (before, found) = rest.split_at(at);
        out.push_str(before);
        let mut chars = found.chars();
        out.extend(chars.next());
        rest = chars.as_str();
        let Some((name, value)) = rest.split_once('=') else { continue };
        if SEALED.contains(&name) {
            let ends = value.find(['&', '"', ' ']).unwrap_or(value.len());
            out.push_str(&format!("{name}=‹sealed {ends}›"));
            rest = value.get(ends..).unwrap_or("");
        }
    }
    out.push_str(rest);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn canon(round: char, instants: Instants) -> Canon {
        Canon::new("http://h/fhir", "lk1-02", round, instants)
    }

    fn answer(headers: &[(&str, &str)], body: &str) -> Answer {
        let headers = headers.iter().map(|(n, v)| ((*n).to_owned(), (*v).to_owned())).collect();
        Answer { status: 200, headers, body: body.as_bytes().to_vec() }
    }

    const PAGE: &str = r#"{"resourceType":"Bundle","id":"I","meta":{"lastUpdated":"T"},"type":"searchset","link":[{"relation":"next","url":"http://h/fhir?_cursor=CCCC&_count=2"}],"entry":[{"resource":{"meta":{"lastUpdated":"U"},"id":"V"}}]}"#;

    #[test]
    fn what_is_of_the_moment_is_replaced_and_nothing_else() {
        let mut c = canon('a', Instants::Kept);
        let one = c.answer(&answer(&[("date", "x"), ("x-request-id", "12345678")], PAGE));
        let again = PAGE.replace("\"I\"", "\"J\"").replace("\"T\"", "\"S\"");
        let again = again.replace("CCCC", "DDDD");
        assert_eq!(one, c.answer(&answer(&[("date", "y")], &again)));
        for (from, to) in
            [("\"U\"", "\"Z\""), ("\"V\"", "\"Z\""), ("CCCC", "CCCCC"), ("{\"res", "{ \"res")]
        {
            let other = c.answer(&answer(&[], &PAGE.replace(from, to)));
            assert_ne!(one, other, "{from}");
            assert_ne!(one.digest(), other.digest());
        }
        let written = canon('a', Instants::Replaced).answer(&answer(&[], PAGE));
        let later = PAGE.replace("\"U\"", "\"Z\"");
        assert_eq!(written, canon('b', Instants::Replaced).answer(&answer(&[], &later)));
    }

    #[test]
    fn the_moment_of_an_answer_is_told_across_a_minute_a_day_and_a_year() {
        let c = canon('a', Instants::Replaced);
        let is_now = |date: &str, value: &str| c.is_now(&answer(&[("date", date)], ""), value);
        for (date, value) in [
            ("Mon, 23 Nov 2026 03:19:00 GMT", "Mon, 23 Nov 2026 03:18:59 GMT"),
            ("Tue, 24 Nov 2026 00:00:01 GMT", "Mon, 23 Nov 2026 23:59:58 GMT"),
            ("Fri, 01 Jan 2027 00:00:00 GMT", "Thu, 31 Dec 2026 23:59:59 GMT"),
            ("Wed, 01 Mar 2028 00:00:00 GMT", "Tue, 29 Feb 2028 23:59:59 GMT"),
            ("Mon, 23 Nov 2026 03:19:00 GMT", "Mon, 23 Nov 2026 03:19:00 GMT"),
        ] {
            assert!(is_now(date, value), "{date}");
            assert!(date == value || !is_now(value, date), "nothing is of the time to come");
        }
        for value in ["Mon, 23 Nov 2026 03:18:40 GMT", "Sun, 22 Nov 2026 03:19:00 GMT", "", "‹now›"]
        {
            assert!(!is_now("Mon, 23 Nov 2026 03:19:00 GMT", value), "{value}");
        }
    }

    #[test]
    fn ids_the_server_gave_are_numbered_and_ours_are_not() {
        let made = |id: &str| {
            answer(
                &[("location", &format!("http://h/fhir/Observation/{id}/_history/1"))],
                &format!(r#"{{"id":"{id}","x":"Observation/{id}","y":"{id}7"}}"#),
            )
        };
        let one = canon('a', Instants::Replaced).answer(&made("17"));
        let two = canon('b', Instants::Replaced).answer(&made("23"));
        let differ: Vec<_> = one.leaves.iter().zip(&two.leaves).filter(|(a, b)| a != b).collect();
        assert_eq!(differ.len(), 1, "only the longer number: {differ:?}");
        let ours = canon('a', Instants::Replaced).answer(&made("lk1-02-far-new-observation"));
        assert!(ours.leaves.iter().any(|(_, text)| text.contains("far-new")), "{ours:?}");
    }

    #[test]
    fn names_of_the_two_rounds_are_one() {
        let (a, b) = (canon('a', Instants::Kept), canon('b', Instants::Kept));
        assert_eq!(a.request("PUT List/lk1-02-ra-7"), b.request("PUT List/lk1-02-rb-7"));
        assert_ne!(a.request("PUT List/lk1-02-ra-7"), b.request("PUT List/lk1-02-rb-8"));
    }

    #[test]
    fn a_packed_answer_is_compared_unpacked() {
        use std::io::Write;
        let mut packer = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        packer.write_all(PAGE.as_bytes()).expect("packed");
        let mut packed = answer(&[("content-encoding", "gzip")], "");
        packed.body = packer.finish().expect("packed");
        let found = canon('a', Instants::Kept).answer(&packed);
        assert!(found.leaves.iter().any(|(path, _)| path == "entry[0].resource.id"), "{found:?}");
    }
}
