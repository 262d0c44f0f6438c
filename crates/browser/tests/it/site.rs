//! Pages for the checks: a server of a few texts, and a browser in front of it.

use browser::{Chromium, Page, find_or_skip};
use std::io::{BufRead, BufReader, Write};
use std::net::TcpListener;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::thread;

/// What is answered to each address: head lines and body, as `path`, `lines`, `text`.
pub(crate) type Texts = Vec<(&'static str, &'static str, String)>;

/// A page of the markup that stands between `<main>` and `</main>`.
pub(crate) fn markup(main: &str) -> String {
    format!(
        "<!doctype html><html lang=en><meta charset=utf-8>\
         <meta name=viewport content='width=device-width'><title>T</title>\
         <link rel=icon href='data:,'><main><h1>T</h1>{main}</main></html>"
    )
}

/// Serves until the test ends; its root.
pub(crate) fn serve(texts: Texts) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let root = format!("http://{}", listener.local_addr().expect("an address"));
    let texts = Arc::new(texts);
    thread::spawn(move || {
        for stream in listener.incoming() {
            let (Ok(mut stream), texts) = (stream, Arc::clone(&texts)) else { return };
            thread::spawn(move || {
                let mut lines = BufReader::new(stream.try_clone().expect("a socket")).lines();
                let Some(Ok(first)) = lines.next() else { return };
                let path = first.split(' ').nth(1).unwrap_or_default().to_owned();
                for line in lines.by_ref() {
                    if line.is_ok_and(|line| line.is_empty()) {
                        break;
                    }
                }
                let known = texts.iter().find(|(known, ..)| *known == path);
                let (status, head, body) = match known {
                    Some((_, head, body)) => ("200 OK", *head, body.as_str()),
                    None => ("404 Not Found", "", "none"),
                };
                let kind = if path.ends_with(".js") { "text/javascript" } else { "text/html" };
                let _ = write!(
                    stream,
                    "HTTP/1.1 {status}\r\nContent-Type: {kind}\r\nContent-Length: {}\r\nConnection: close\r\n{head}\r\n{body}",
                    body.len()
                );
            });
        }
    });
    root
}

/// A page in the one browser of these tests; none, loudly, where there is no browser.
pub(crate) fn page(texts: Texts) -> Option<Page> {
    // One for all: each test has a context of its own in it. It ends with the last pipe to it.
    static CHROMIUM: OnceLock<Option<Mutex<Chromium>>> = OnceLock::new();
    let chromium = CHROMIUM.get_or_init(|| {
        let program = find_or_skip().expect("a Chromium")?;
        let chromium = Chromium::launch(&program, &std::env::temp_dir().join("plummer-browser"));
        Some(Mutex::new(chromium.expect("a Chromium")))
    });
    let Some(chromium) = chromium else {
        #[expect(clippy::print_stderr, reason = "what is not tested is said loudly")]
        {
            eprintln!("NOT TESTED: there is no Chromium (PLUMMER_CHROMIUM names one)");
        }
        return None;
    };
    let chromium = chromium.lock().unwrap_or_else(PoisonError::into_inner);
    Some(chromium.page(&serve(texts)).expect("a page"))
}

/// A page at `/` with this markup.
pub(crate) fn at(main: &str) -> Option<Page> {
    let mut page = page(vec![("/", "", markup(main))])?;
    page.go("/").expect("loaded");
    Some(page)
}
