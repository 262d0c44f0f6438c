//! The one table of the console's addresses: method, form of the path, who may ask, and what answers.
//! The door asks it what to hand over, and the golden tables of the server's tests are made of it, so an
//! address that stands in none of them fails there.

use crate::answer::Answer;
use crate::pages::machine;
use crate::visit::Visit;
use crate::{assets, pages};
use base::Fault;
use http::Method;

/// Who may ask for a page. What it shows is the gate's business, whoever asks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Who {
    /// Whoever comes.
    Anybody,
    /// Who is signed in, with every factor that their role demands.
    SignedIn,
}

type Work = fn(&Visit) -> Result<Answer, Fault>;

/// One row.
#[derive(Debug, Clone, Copy)]
pub struct Route {
    /// `GET` or `POST`; what is read may be asked for by `HEAD` as well.
    pub method: &'static str,
    /// The path; a part in braces stands for any one.
    pub path: &'static str,
    /// Who may ask.
    pub who: Who,
    work: Work,
}

const fn row(method: &'static str, path: &'static str, who: Who, work: Work) -> Route {
    Route { method, path, who, work }
}

/// Every address of the console.
pub static ROUTES: &[Route] = &[
    row("GET", "/", Who::Anybody, pages::welcome::root),
    row("GET", "/welcome", Who::Anybody, pages::welcome::page),
    row("POST", "/welcome", Who::Anybody, pages::welcome::enter),
    row("GET", "/today", Who::SignedIn, pages::today::page),
    row("GET", "/find", Who::SignedIn, pages::find::page),
    row("POST", "/find", Who::SignedIn, pages::find::answer),
    row("GET", "/p/{id}", Who::SignedIn, pages::patient::summary),
    row("GET", "/p/{id}/accesses", Who::SignedIn, pages::accesses::page),
    row("GET", "/settings", Who::SignedIn, pages::settings::page),
    row("POST", "/settings", Who::SignedIn, pages::settings::change),
    row("GET", "/gallery", Who::SignedIn, pages::gallery::page),
    row("GET", "/admin/health", Who::SignedIn, machine::health::page),
    row("GET", "/admin/jobs", Who::SignedIn, machine::jobs::page),
    row("GET", "/admin/configuration", Who::SignedIn, machine::configuration::page),
    row("GET", "/admin/resources", Who::SignedIn, machine::resources::types),
    row("GET", "/admin/resources/{type}", Who::SignedIn, machine::resources::newest),
    row("POST", "/admin/resources/{type}", Who::SignedIn, machine::resources::search),
    row("GET", "/admin/resources/{type}/{id}", Who::SignedIn, machine::resource::page),
    row("GET", "/first", Who::Anybody, machine::begin::page),
    row("POST", "/first", Who::Anybody, machine::begin::claim),
    row("GET", "/first/checklist", Who::SignedIn, machine::checklist::page),
    row("POST", "/first/checklist", Who::SignedIn, machine::checklist::confirm),
    row("POST", "/first/demo", Who::SignedIn, machine::checklist::demo),
    row("GET", "/assets/{hash}/{name}", Who::Anybody, asset),
];

fn asset(visit: &Visit) -> Result<Answer, Fault> {
    Ok(assets::at(&visit.path).unwrap_or_else(|| pages::missing::page(visit)))
}

/// Whether a path is the console's.
pub fn serves(path: &str) -> bool {
    ROUTES.iter().any(|route| fits(route.path, path))
}

/// Whether a path is one of our pages that somebody may be sent to: never an address of another.
pub fn is_page(path: &str) -> bool {
    let is_page = |route: &&Route| route.method == "GET" && route.who == Who::SignedIn;
    ROUTES.iter().filter(is_page).any(|route| fits(route.path, path))
}

/// The methods of a path, for the `Allow` header.
pub fn allow(path: &str) -> Vec<&'static str> {
    let mut methods = Vec::new();
    for route in ROUTES.iter().filter(|route| fits(route.path, path)) {
        methods.push(route.method);
        if route.method == "GET" {
            methods.push("HEAD");
        }
    }
    methods
}

/// Answers a visit by its row.
pub(crate) fn answer(visit: &Visit) -> Result<Answer, Fault> {
    let method = if visit.method == Method::HEAD { "GET" } else { visit.method.as_str() };
    let found = ROUTES.iter().find(|row| row.method == method && fits(row.path, &visit.path));
    match found {
        None => Ok(pages::missing::page(visit)),
        Some(row) if row.who == Who::SignedIn && visit.caller.is_none() => {
            Ok(pages::welcome::ask(visit))
        }
        Some(row) => (row.work)(visit),
    }
}

/// The part of the path of a visit that stands at a place, counted from 0.
pub(crate) fn part(visit: &Visit, at: usize) -> &str {
    visit.path.split('/').nth(at + 1).unwrap_or_default()
}

fn fits(pattern: &str, path: &str) -> bool {
    let (mut pattern, mut path) = (pattern.split('/'), path.split('/'));
    loop {
        match (pattern.next(), path.next()) {
            (None, None) => return true,
            (Some(want), Some(part)) if want.starts_with('{') => {
                if part.is_empty() || !part.bytes().all(is_plain) {
                    return false;
                }
            }
            (Some(want), Some(part)) if want == part => {}
            _ => return false,
        }
    }
}

/// What a part of a path may hold: neither a slash in disguise nor a sign that an address gives a meaning.
const fn is_plain(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_')
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_path_is_ours_when_a_row_fits_it_whole() {
        for path in ["/", "/today", "/p/ada", "/p/ada/accesses", "/assets/0f/console.css"] {
            assert!(serves(path), "{path}");
        }
        for path in
            ["", "/today/", "/p/", "/p/a/b", "/p/a%2fb", "/fhir/Patient", "//today", "/TODAY"]
        {
            assert!(!serves(path), "{path}");
        }
    }

    #[test]
    fn nobody_is_sent_to_an_address_that_is_no_page_of_ours() {
        assert!(is_page("/p/ada") && is_page("/today"));
        for path in [
            "//evil.example",
            "https://evil.example/today",
            "/p/a?b",
            "/welcome",
            "/today#x",
            "\\today",
            "/assets/a/b",
        ] {
            assert!(!is_page(path), "{path}");
        }
    }

    #[test]
    fn the_methods_of_a_path_are_those_of_its_rows() {
        assert_eq!(allow("/find"), ["GET", "HEAD", "POST"]);
        assert_eq!(allow("/nowhere"), [""; 0]);
    }

    proptest! {
        #[test]
        fn any_path_is_ours_or_not(path in "\\PC{0,40}") {
            prop_assert!(!is_page(&path) || serves(&path));
        }
    }
}
