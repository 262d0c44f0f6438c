//! Rules for Rust files: each opens with its purpose, fits one sitting, leaves nothing half done,
//! keeps SQL in the record room, patients out of the logs, and the outside world out of the
//! languages (ARCHITECTURE.md, "what is absent").

use super::lexer::{Kind, Token, shipped, tokens};
use super::words::Refused;
use super::{File, Finding};

/// Lines a file may have at all, and lines past which it deserves a look.
const LINES_MAX: usize = 900;
const LINES_LONG: usize = 500;
/// The least an opening line can say.
const HEADER_MIN: usize = 16;
/// Macros that leave something half done.
const UNDONE: [&str; 3] = ["todo", "unimplemented", "dbg"];
/// Marks of the same in comments. Assembled, so that this file is tidy.
const MARKS: [&str; 3] = [concat!("TO", "DO"), concat!("FIX", "ME"), concat!("XX", "X")];
/// Crates that may speak SQL.
const SQL_CRATES: [&str; 3] = ["crates/store/", "crates/audit/", "crates/vfs/tests/"];
/// Crates without files, network, environment, clock or random numbers.
const PURE_CRATES: [&str; 6] = ["base", "fhir", "fhirpath", "validation", "search", "demo"];
/// What those crates may not name, as paths of two words.
const IMPURE: [(&str, &str); 10] = [
    ("std", "fs"),
    ("std", "net"),
    ("std", "env"),
    ("std", "process"),
    ("std", "thread"),
    ("SystemTime", "now"),
    ("Instant", "now"),
    ("Timestamp", "now"),
    ("Zoned", "now"),
    ("RandomState", "new"),
];
/// The one file of those crates that reads the machine's clock, for all others to be given it.
const CLOCK: &str = "crates/base/src/time.rs";
/// Crates whose code is not the product's, though it lies beside it.
const TOOLS: [&str; 2] = ["crates/testkit/", "crates/conformance/"];
/// The one crate that connects to other systems, so that each address is judged in one place.
const WAY_OUT: &str = "crates/egress/";
/// What connects or resolves, by itself and as a path of two words.
const CONNECTS: [&str; 7] = [
    "lookup_host",
    "ToSocketAddrs",
    "TcpSocket",
    "UdpSocket",
    "UnixDatagram",
    "TlsConnector",
    "ClientConnection",
];
const CONNECTS_BY: [(&str, &str); 4] = [
    ("TcpStream", "connect"),
    ("TcpStream", "connect_timeout"),
    ("hyper", "client"),
    ("hyper_util", "client"),
];
/// A socket in the data folder reaches no other machine; one file knows it.
const LOCAL: &str = "UnixStream";
const LOCAL_FILE: &str = "crates/plummer/src/control.rs";
/// Macros that write a log line.
const LOG: [&str; 12] = [
    "trace",
    "debug",
    "info",
    "warn",
    "error",
    "event",
    "span",
    "trace_span",
    "debug_span",
    "info_span",
    "warn_span",
    "error_span",
];
/// Names of values that hold patient data, or text that came with it (an address holds a search).
/// The record room's own faults tell of disks, not of patients: there `fault` may be logged.
const PERSONAL: [&str; 18] = [
    "resource",
    "body",
    "bundle",
    "entry",
    "patient",
    "document",
    "json",
    "payload",
    "narrative",
    "identifier",
    "birth_date",
    "phone",
    "diagnostics",
    "uri",
    "url",
    "query",
    "params",
    "headers",
];

/// Faults, whose diagnostics may quote what a caller sent.
const FAULTS: [&str; 2] = ["fault", "issue"];

/// Every rule for one Rust file.
pub(super) fn check(file: &File, refused: &Refused) -> Vec<Finding> {
    let all = tokens(&file.text);
    let path = file.path.as_str();
    let mut findings = Vec::new();
    findings.extend(header(path, &file.text));
    findings.extend(length(path, &file.text));
    findings.extend(undone(path, &all));
    findings.extend(refused_words(path, &all, refused));
    let product = path.starts_with("crates/") && !path.starts_with("crates/testkit/");
    let record_room = SQL_CRATES.iter().any(|home| path.starts_with(home));
    if product && !record_room {
        findings.extend(sql(path, &all));
    }
    if product && path.contains("/src/") {
        let more = if record_room { &[][..] } else { &FAULTS };
        let names: Vec<_> = PERSONAL.iter().chain(more).copied().collect();
        findings.extend(logs(path, shipped(&all), &names));
    }
    let tool = TOOLS.iter().any(|home| path.starts_with(home));
    if product && !tool && !path.starts_with(WAY_OUT) && path.contains("/src/") {
        findings.extend(connects(path, shipped(&all)));
    }
    let pure = PURE_CRATES.iter().any(|name| path.starts_with(&format!("crates/{name}/src/")));
    if pure && path != CLOCK {
        findings.extend(outside(path, shipped(&all)));
    }
    findings
}

fn header(path: &str, text: &str) -> Option<Finding> {
    let said = text.lines().next().and_then(|line| line.strip_prefix("//! ")).unwrap_or("");
    (said.len() < HEADER_MIN)
        .then(|| Finding::error(path, 1, "should open with `//!` and what it owns"))
}

fn length(path: &str, text: &str) -> Option<Finding> {
    let lines = text.lines().count();
    let said = format!("has {lines} lines");
    match lines {
        _ if lines > LINES_MAX => {
            Some(Finding::error(path, lines, format!("{said}; the most is {LINES_MAX}")))
        }
        _ if lines > LINES_LONG => Some(Finding::warning(path, lines, said)),
        _ => None,
    }
}

fn undone(path: &str, all: &[Token<'_>]) -> Vec<Finding> {
    let calls = all.windows(2).filter_map(|pair| match pair {
        [name, bang] if bang.is("!") && UNDONE.iter().any(|undone| name.is(undone)) => {
            Some(Finding::error(path, name.line, format!("`{}!` is left here", name.text)))
        }
        _ => None,
    });
    let comments = all.iter().filter(|t| t.kind == Kind::Comment).filter_map(|t| {
        let mut words = t.text.split(|c: char| !c.is_alphanumeric());
        let mark = words.find(|word| MARKS.contains(word))?;
        Some(Finding::error(path, t.line, format!("`{mark}` is left here; open an issue instead")))
    });
    calls.chain(comments).collect()
}

/// Words that a library's own functions have, and where they are called: PKCS #11 says `C_Login`.
const OF_OTHERS: [(&str, &str); 1] = [("crates/pkcs11/", "login")];

fn refused_words(path: &str, all: &[Token<'_>], refused: &Refused) -> Vec<Finding> {
    let idents = all.iter().filter(|t| t.kind == Kind::Ident);
    idents
        .filter_map(|t| {
            let (word, say) = refused.find(t.text)?;
            let theirs = |(of, said): &(&str, &str)| path.starts_with(of) && *said == word;
            if OF_OTHERS.iter().any(theirs) {
                return None;
            }
            let text = format!("`{}`: the house does not say `{word}`; say {say}", t.text);
            Some(Finding::error(path, t.line, text))
        })
        .collect()
}

fn sql(path: &str, all: &[Token<'_>]) -> Vec<Finding> {
    let texts = all.iter().filter(|t| t.kind == Kind::Str && is_sql(t.text));
    texts.map(|t| Finding::error(path, t.line, "SQL outside the store")).collect()
}

/// Whether a text reads as an SQL statement: in capitals anywhere, in lower case at its start.
fn is_sql(text: &str) -> bool {
    let statements = [
        ("SELECT ", " FROM "),
        ("INSERT INTO ", ""),
        ("INSERT OR ", ""),
        ("UPDATE ", " SET "),
        ("DELETE FROM ", ""),
        ("CREATE TABLE ", ""),
        ("CREATE INDEX ", ""),
        ("DROP TABLE ", ""),
        ("ALTER TABLE ", ""),
        ("PRAGMA ", ""),
    ];
    let start = text.trim_start();
    statements.iter().any(|(verb, then)| {
        let shouted = text.split_once(verb).is_some_and(|(_, rest)| rest.contains(then.trim()));
        let (verb, then) = (verb.to_lowercase(), then.to_lowercase());
        shouted || start.strip_prefix(&verb).is_some_and(|rest| rest.contains(&then))
    })
}

/// Patient data among the arguments of a logging macro: `?body`, `%body`, `body = …`, `{body}`.
fn logs(path: &str, product: &[Token<'_>], names: &[&str]) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (at, pair) in product.windows(3).enumerate() {
        let [name, bang, open] = pair else { continue };
        if !(bang.is("!") && open.is("(") && LOG.iter().any(|log| name.is(log))) {
            continue;
        }
        let arguments = arguments(product.get(at + 3..).unwrap_or_default());
        if let Some((line, value)) = personal(arguments, names) {
            let text =
                format!("`{value}` in a log line may hold patient data; log an id or a code");
            findings.push(Finding::error(path, line, text));
        }
    }
    findings
}

/// The tokens up to the bracket that closes the call.
fn arguments<'t, 'a>(rest: &'t [Token<'a>]) -> &'t [Token<'a>] {
    let mut depth = 1usize;
    let end = rest.iter().position(|token| {
        depth += usize::from(token.is("("));
        depth -= usize::from(token.is(")"));
        depth == 0
    });
    rest.get(..end.unwrap_or(rest.len())).unwrap_or(rest)
}

fn personal<'a>(arguments: &[Token<'a>], names: &[&str]) -> Option<(usize, &'a str)> {
    let known = |name: &str| names.contains(&name);
    for (at, token) in arguments.iter().enumerate() {
        let next = arguments.get(at + 1);
        if token.is("?") || token.is("%") {
            let last = last_of_path(arguments.get(at + 1..).unwrap_or_default());
            if let Some(value) = last.filter(|t| known(t.text)) {
                return Some((value.line, value.text));
            }
        }
        if token.kind == Kind::Ident && known(token.text) && next.is_some_and(|n| n.is("=")) {
            return Some((token.line, token.text));
        }
        if token.kind == Kind::Str {
            let mut holes = token.text.split('{').skip(1);
            let name = holes.find_map(|hole| {
                let name = hole.split(['}', ':']).next()?;
                known(name).then_some(name)
            });
            if let Some(name) = name {
                return Some((token.line, name));
            }
        }
    }
    None
}

/// The last name of `a.b.c` or `&a.b`: the value that would be printed. A call at the end of the
/// path makes another value of it, so it is not judged.
fn last_of_path<'t, 'a>(tokens: &'t [Token<'a>]) -> Option<&'t Token<'a>> {
    let path = tokens.iter().take_while(|t| t.kind == Kind::Ident || t.is(".") || t.is("&"));
    let length = path.clone().count();
    let called = tokens.get(length).is_some_and(|t| t.is("("));
    path.filter(|t| t.kind == Kind::Ident).last().filter(|_| !called)
}

fn outside(path: &str, product: &[Token<'_>]) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (at, window) in product.windows(4).enumerate() {
        let [first, colon, again, second] = window else { continue };
        if !(colon.is(":") && again.is(":")) {
            continue;
        }
        // `std::fs` names one thing, `std::{fs, io}` each thing between the braces.
        let group = product.get(at + 3..).unwrap_or_default();
        let names = if second.is("{") { group } else { group.get(..1).unwrap_or_default() };
        for name in names.iter().take_while(|t| !t.is("}")) {
            if IMPURE.iter().any(|(a, b)| first.is(a) && name.is(b)) {
                let text = format!("`{}::{}`: take it as a parameter", first.text, name.text);
                findings.push(Finding::error(path, name.line, text));
            }
        }
    }
    findings
}

/// What goes out without the way out.
fn connects(path: &str, product: &[Token<'_>]) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (at, token) in product.iter().enumerate().filter(|(_, t)| t.kind == Kind::Ident) {
        let local = token.is(LOCAL) && path != LOCAL_FILE;
        let alone = CONNECTS.iter().any(|name| token.is(name));
        let next = match product.get(at + 1..at + 4) {
            Some([a, b, next]) if a.is(":") && b.is(":") => Some(next),
            _ => None,
        };
        let by = next.filter(|next| {
            CONNECTS_BY.iter().any(|(first, second)| token.is(first) && next.is(second))
        });
        if local || alone || by.is_some() {
            let more = by.map_or_else(String::new, |next| format!("::{}", next.text));
            let text = format!("`{}{more}` goes out; ask the crate egress to", token.text);
            findings.push(Finding::error(path, token.line, text));
        }
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(path: &str, text: &str) -> Vec<String> {
        let text = format!("//! A file of the house, made up for a test.\n{text}");
        raw(path, &text)
    }

    fn raw(path: &str, text: &str) -> Vec<String> {
        let glossary =
            "## Refused as identifiers\n| `customer` | patient |\n| `login` | sign-in |\n";
        let refused = Refused::parse(glossary).expect("a table");
        let file = File { path: path.to_owned(), text: text.to_owned() };
        check(&file, &refused).into_iter().map(|f| f.text).collect()
    }

    #[test]
    fn a_word_of_a_library_stands_where_the_library_is_called_and_nowhere_else() {
        let called = "fn f(session: &S) { session.login() }\n";
        assert_eq!(at("crates/pkcs11/src/a.rs", called), Vec::<String>::new());
        assert_eq!(at("crates/fhir/src/a.rs", called).len(), 1);
        assert_eq!(at("crates/pkcs11/src/a.rs", "fn customer() {}\n").len(), 1);
    }

    #[test]
    fn a_file_opens_with_its_purpose() {
        assert_eq!(at("crates/fhir/src/a.rs", "fn a() {}\n"), Vec::<String>::new());
        for bad in [
            "",
            "fn a() {}\n",
            "// A file of the house, made up.\n",
            "//! stub\n",
            "\n//! A file of the house, made up.\n",
        ] {
            assert_eq!(raw("crates/fhir/src/a.rs", bad).len(), 1, "{bad:?}");
        }
    }

    #[test]
    fn a_file_fits_one_sitting() {
        assert_eq!(at("a.rs", &"\n".repeat(400)).len(), 0);
        assert_eq!(at("a.rs", &"\n".repeat(600)), ["has 601 lines"]);
        assert_eq!(at("a.rs", &"\n".repeat(900)), ["has 901 lines; the most is 900"]);
    }

    #[test]
    fn nothing_is_left_half_done() {
        for bad in ["fn a() { todo!() }", "fn a() { dbg!(1); }", &format!("// {}: b", MARKS[0])] {
            assert_eq!(at("a.rs", bad).len(), 1, "{bad}");
        }
        for good in ["fn todo() {}", "const A: &str = \"todo!()\";", "// say what todo means"] {
            assert_eq!(at("a.rs", good).len(), 0, "{good}");
        }
    }

    #[test]
    fn one_word_means_one_thing() {
        assert_eq!(at("a.rs", "struct CustomerId;").len(), 1);
        assert_eq!(at("a.rs", "/// Not a customer.\nconst A: &str = \"customer\";").len(), 0);
    }

    #[test]
    fn sql_stays_in_the_store() {
        let bad = [
            "SELECT a FROM b",
            "insert into b values (1)",
            "x; DELETE FROM b",
            "update b set c = 1",
            "pragma x",
        ];
        for text in bad {
            let line = format!("const A: &str = \"{text}\";");
            assert_eq!(at("crates/record/src/a.rs", &line).len(), 1, "{text}");
            assert_eq!(at("crates/record/tests/it/a.rs", &line).len(), 1, "{text}");
            assert_eq!(at("crates/store/src/sqlite/read.rs", &line).len(), 0, "{text}");
        }
        for text in
            ["select one of these", "update the record", "please SELECT", "an update to set c"]
        {
            let line = format!("// select a from b\nconst A: &str = \"{text}\";");
            assert_eq!(at("crates/record/src/a.rs", &line).len(), 0, "{text}");
        }
    }

    #[test]
    fn logs_hold_no_patient() {
        for bad in [
            "info!(?resource, \"read\")",
            "tracing::warn!(body = %b)",
            "debug!(\"got {body:?}\")",
            "error!(%request.uri, \"x\")",
            "info!(count = f(1), ?bundle)",
        ] {
            assert_eq!(
                at("crates/server/src/a.rs", &format!("fn a() {{ {bad}; }}")).len(),
                1,
                "{bad}"
            );
        }
        for good in [
            "info!(resource_type = %kind, \"read\")",
            "info!(code = fault.code().name)",
            "println!(\"{body}\")",
            "info!(size = %body.len(), \"the body came\")",
            "f(resource); info!(\"x\")",
        ] {
            assert_eq!(
                at("crates/server/src/a.rs", &format!("fn a() {{ {good}; }}")).len(),
                0,
                "{good}"
            );
        }
    }

    #[test]
    fn faults_are_logged_by_code_except_in_the_record_room() {
        let bad = "fn a() { warn!(%fault); }";
        assert_eq!(at("crates/server/src/a.rs", bad).len(), 1);
        assert_eq!(at("crates/audit/src/a.rs", bad).len(), 0);
    }

    #[test]
    fn only_the_way_out_goes_out() {
        for bad in [
            "let s = TcpStream::connect(a);",
            "let s = tokio::net::TcpStream::connect(a);",
            "let s = TcpStream::connect_timeout(&a, t);",
            "let s = UdpSocket::bind(a);",
            "use std::net::ToSocketAddrs;",
            "let a = tokio::net::lookup_host(n);",
            "use hyper::client::conn::http1;",
            "use hyper_util::client::legacy::Client;",
            "use tokio_rustls::TlsConnector;",
            "let s = UnixStream::connect(p);",
        ] {
            let text = format!("fn a() {{ {bad} }}");
            assert_eq!(at("crates/server/src/a.rs", &text).len(), 1, "{bad}");
            assert_eq!(at("crates/egress/src/a.rs", &text).len(), 0, "{bad}");
            assert_eq!(at("crates/conformance/src/a.rs", &text).len(), 0, "{bad}");
            assert_eq!(at("crates/server/tests/it/a.rs", &text).len(), 0, "{bad}");
        }
        let local = "fn a() { UnixStream::connect(p); }";
        assert_eq!(at("crates/plummer/src/control.rs", local).len(), 0);
        for good in ["let l = TcpListener::bind(a);", "fn b(s: TcpStream) {}", "c.connect(x);"] {
            assert_eq!(at("crates/server/src/a.rs", &format!("fn a() {{ {good} }}")).len(), 0);
        }
    }

    #[test]
    fn languages_are_pure() {
        for bad in
            ["use std::fs;", "use std::{fmt, fs};", "fn a() { let _ = std::time::Instant::now(); }"]
        {
            assert_eq!(at("crates/fhir/src/a.rs", bad).len(), 1, "{bad}");
            assert_eq!(at("crates/store/src/a.rs", bad).len(), 0, "{bad}");
            assert_eq!(at("crates/fhir/tests/it/a.rs", bad).len(), 0, "{bad}");
            let tests = format!("#[cfg(test)]\nmod tests {{ {bad} }}");
            assert_eq!(at("crates/fhir/src/a.rs", &tests).len(), 0, "{bad}");
        }
    }
}
