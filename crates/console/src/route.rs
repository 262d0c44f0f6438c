//! The one table of the console's addresses: method, form of the path, who may ask, and what answers.
//! The door asks it what to hand over, and the golden tables of the server's tests are made of it, so an
//! address that stands in none of them fails there.

use crate::answer::Answer;
use crate::pages::{machine, registration};
use crate::visit::Visit;
use crate::{assets, live, pages, parts};
use base::Fault;
use base::error::code;
use http::Method;
use std::collections::HashMap;
use std::sync::LazyLock;

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

/// Where the stream of changes is: no page, and asked for by scripts alone.
pub const EVENTS: &str = "/events";

/// Every address of the console.
pub static ROUTES: &[Route] = &[
    row("GET", "/", Who::Anybody, pages::welcome::root),
    row("GET", "/welcome", Who::Anybody, pages::welcome::page),
    row("POST", "/welcome", Who::Anybody, pages::welcome::enter),
    row("GET", "/today", Who::SignedIn, pages::today::page),
    row("GET", "/find", Who::SignedIn, pages::find::page),
    row("POST", "/find", Who::SignedIn, pages::find::answer),
    row("GET", "/p/{id}", Who::SignedIn, pages::chart::summary::page),
    row("GET", "/p/{id}/accesses", Who::SignedIn, pages::accesses::page),
    row("GET", "/settings", Who::SignedIn, pages::settings::page),
    row("POST", "/settings", Who::SignedIn, pages::settings::change),
    row("GET", "/gallery", Who::SignedIn, pages::gallery::page),
    row("GET", "/schedule", Who::SignedIn, pages::schedule::page),
    row("GET", "/schedule/book", Who::SignedIn, pages::schedule::place::page),
    row("POST", "/schedule/book", Who::SignedIn, pages::schedule::place::answer),
    row("POST", "/schedule/book/hold", Who::SignedIn, pages::schedule::confirm::hold),
    row("POST", "/schedule/book/release", Who::SignedIn, pages::schedule::confirm::release),
    row("GET", "/schedule/book/confirm", Who::SignedIn, pages::schedule::confirm::page),
    row("POST", "/schedule/book/confirm", Who::SignedIn, pages::schedule::confirm::book),
    row("GET", "/schedule/series", Who::SignedIn, pages::schedule::series::page),
    row("POST", "/schedule/series", Who::SignedIn, pages::schedule::series::book),
    row("GET", "/schedule/absence", Who::SignedIn, pages::schedule::absence::page),
    row("POST", "/schedule/absence", Who::SignedIn, pages::schedule::absence::carry_out),
    row("POST", "/schedule/absence/undo", Who::SignedIn, pages::schedule::absence::undo),
    row("GET", "/waitlist", Who::SignedIn, pages::schedule::waitlist::page),
    row("GET", "/waitlist/add", Who::SignedIn, pages::schedule::waiting::add),
    row("POST", "/waitlist/add", Who::SignedIn, pages::schedule::waiting::put),
    row("POST", "/waitlist/offer", Who::SignedIn, pages::schedule::waitlist::offer),
    row("POST", "/waitlist/answer", Who::SignedIn, pages::schedule::waitlist::answer),
    row("POST", "/waitlist/withdraw", Who::SignedIn, pages::schedule::waitlist::withdraw),
    row("GET", "/waitlist/{id}", Who::SignedIn, pages::schedule::waiting::page),
    row("POST", "/waitlist/{id}", Who::SignedIn, pages::schedule::waiting::change),
    row("POST", "/waitlist/{id}/remove", Who::SignedIn, pages::schedule::waiting::remove),
    row("GET", "/appointments/{id}", Who::SignedIn, pages::schedule::appointment::page),
    row("POST", "/appointments/{id}/move", Who::SignedIn, pages::schedule::act::move_to),
    row("POST", "/appointments/{id}/cancel", Who::SignedIn, pages::schedule::act::cancel),
    row("POST", "/appointments/{id}/no-show", Who::SignedIn, pages::schedule::act::no_show),
    row("POST", "/appointments/{id}/undo", Who::SignedIn, pages::schedule::act::undo),
    row("GET", "/admin/health", Who::SignedIn, machine::health::page),
    row("GET", "/admin/jobs", Who::SignedIn, machine::jobs::page),
    row("GET", "/admin/configuration", Who::SignedIn, machine::configuration::page),
    row("GET", "/admin/resources", Who::SignedIn, machine::resources::types),
    row("GET", "/admin/resources/{type}", Who::SignedIn, machine::resources::newest),
    row("POST", "/admin/resources/{type}", Who::SignedIn, machine::resources::search),
    row("GET", "/admin/resources/{type}/{id}", Who::SignedIn, machine::resource::page),
    row("GET", "/admin/places", Who::SignedIn, machine::places::page),
    row("GET", "/admin/places/{kind}/{id}", Who::SignedIn, machine::places::one),
    row("POST", "/admin/places/{kind}/{id}", Who::SignedIn, machine::places::keep),
    row("GET", "/first", Who::Anybody, machine::begin::page),
    row("POST", "/first", Who::Anybody, machine::begin::claim),
    row("GET", "/first/checklist", Who::SignedIn, machine::checklist::page),
    row("POST", "/first/checklist", Who::SignedIn, machine::checklist::confirm),
    row("POST", "/first/demo", Who::SignedIn, machine::checklist::demo),
    row("GET", "/assets/{hash}/{name}", Who::Anybody, asset),
    row("GET", EVENTS, Who::SignedIn, live::page),
    row("GET", "/flow", Who::SignedIn, pages::flow::board::page),
    row("GET", "/flow/wall", Who::SignedIn, pages::flow::board::wall),
    row("POST", "/flow/step", Who::SignedIn, pages::flow::act::step),
    row("POST", "/flow/undo", Who::SignedIn, pages::flow::act::undo),
    row("GET", "/p/{id}/check-in/{appointment}", Who::SignedIn, pages::flow::check_in::page),
    row("POST", "/p/{id}/check-in/{appointment}", Who::SignedIn, pages::flow::check_in::arrive),
    row("GET", "/inbox", Who::SignedIn, pages::inbox::page),
    row("POST", "/inbox/file", Who::SignedIn, pages::inbox::act::file),
    row("POST", "/inbox/undo", Who::SignedIn, pages::inbox::act::undo),
    row("GET", "/inbox/cover", Who::SignedIn, pages::inbox::cover::page),
    row("POST", "/inbox/cover", Who::SignedIn, pages::inbox::cover::begin),
    row("POST", "/inbox/cover/end", Who::SignedIn, pages::inbox::cover::end),
    row("GET", "/inbox/{type}/{record}", Who::SignedIn, pages::inbox::item::page),
    row("POST", "/inbox/{type}/{record}", Who::SignedIn, pages::inbox::act::one),
    row("GET", "/kiosk/begin", Who::SignedIn, pages::kiosk::begin),
    row("POST", "/kiosk/begin", Who::SignedIn, pages::kiosk::began),
    row("GET", "/kiosk/sign", Who::SignedIn, pages::kiosk::sign),
    row(
        "POST",
        "/p/{id}/check-in/{appointment}/entered",
        Who::SignedIn,
        pages::flow::entered::decide,
    ),
    row("POST", "/p/{id}/check-in/{appointment}/link", Who::SignedIn, pages::flow::entered::link),
    row("GET", "/p/{id}/print", Who::SignedIn, pages::chart::summary::print),
    row("GET", "/p/{id}/timeline", Who::SignedIn, pages::chart::timeline::page),
    row("GET", "/p/{id}/encounters/{encounter}", Who::SignedIn, pages::chart::timeline::encounter),
    row("GET", "/p/{id}/vitals", Who::SignedIn, pages::chart::vitals::page),
    row("POST", "/p/{id}/vitals", Who::SignedIn, pages::chart::vitals::keep),
    row("GET", "/p/{id}/add/{what}", Who::SignedIn, pages::chart::add::page),
    row("POST", "/p/{id}/add/{what}", Who::SignedIn, pages::chart::add::keep),
    row("POST", "/p/{id}/suggest/{what}", Who::SignedIn, pages::chart::add::suggest),
    row("GET", "/p/{id}/change/{type}/{record}", Who::SignedIn, pages::chart::change::page),
    row("POST", "/p/{id}/change/{type}/{record}", Who::SignedIn, pages::chart::change::keep),
    row("POST", "/p/{id}/undo", Who::SignedIn, pages::chart::change::undo),
    row("GET", "/p/{id}/write", Who::SignedIn, pages::chart::write::page),
    row("POST", "/p/{id}/write", Who::SignedIn, pages::chart::write::keep),
    row("GET", "/p/{id}/notes/{note}", Who::SignedIn, pages::chart::note::page),
    row("POST", "/p/{id}/notes/{note}", Who::SignedIn, pages::chart::note::keep),
    row("GET", "/p/{id}/history/{type}/{record}", Who::SignedIn, pages::chart::past::page),
    row("GET", "/register", Who::SignedIn, registration::register::page),
    row("POST", "/register", Who::SignedIn, registration::register::answer),
    row("GET", "/p/{id}/details", Who::SignedIn, registration::details::page),
    row("GET", "/p/{id}/details/edit", Who::SignedIn, registration::details::form),
    row("POST", "/p/{id}/details/edit", Who::SignedIn, registration::details::change),
    row("GET", "/p/{id}/insurance", Who::SignedIn, registration::insurance::page),
    row("POST", "/p/{id}/insurance", Who::SignedIn, registration::insurance::add),
    row("POST", "/p/{id}/insurance/end", Who::SignedIn, registration::insurance::end),
    row("GET", "/p/{id}/insurance/{name}/front", Who::SignedIn, registration::insurance::card),
    row("GET", "/p/{id}/insurance/{name}/back", Who::SignedIn, registration::insurance::card),
    row("GET", "/p/{id}/consents", Who::SignedIn, registration::consents::page),
    row("GET", "/p/{id}/consents/new/{kind}", Who::SignedIn, registration::sign::page),
    row("POST", "/p/{id}/consents/new/{kind}", Who::SignedIn, registration::sign::answer),
    row("GET", "/p/{id}/consents/{consent}", Who::SignedIn, registration::consents::one),
    row("POST", "/p/{id}/consents/{consent}", Who::SignedIn, registration::consents::revoke),
    row("GET", "/admin/consents", Who::SignedIn, registration::wording::page),
    row("GET", "/admin/consents/{kind}/{language}", Who::SignedIn, registration::wording::one),
    row("POST", "/admin/consents/{kind}/{language}", Who::SignedIn, registration::wording::keep),
    row("GET", "/p/{id}/people", Who::SignedIn, registration::proxies::page),
    row("POST", "/p/{id}/people", Who::SignedIn, registration::proxies::add),
    row("POST", "/p/{id}/people/end", Who::SignedIn, registration::proxies::end),
    row("GET", "/duplicates", Who::SignedIn, registration::duplicates::page),
    row("GET", "/p/{id}/compare/{name}", Who::SignedIn, registration::compare::page),
    row("POST", "/p/{id}/compare/{name}", Who::SignedIn, registration::compare::decide),
    row("GET", "/admin/users", Who::SignedIn, pages::users::page),
    row("POST", "/admin/users", Who::SignedIn, pages::users::page),
    row("GET", "/admin/users/new", Who::SignedIn, pages::users::new),
    row("POST", "/admin/users/new", Who::SignedIn, pages::users::create),
    row("GET", "/admin/users/{id}", Who::SignedIn, pages::users::one),
    row("POST", "/admin/users/{id}", Who::SignedIn, pages::users::change),
    row("GET", "/admin/access", Who::SignedIn, pages::sees::page),
    row("POST", "/admin/access", Who::SignedIn, pages::sees::answer),
    row("GET", "/admin/access/review", Who::SignedIn, pages::roles::page),
    row("POST", "/admin/access/review", Who::SignedIn, pages::roles::decide),
    row("GET", "/admin/access/export", Who::SignedIn, pages::roles::export),
    row("GET", "/admin/sessions", Who::SignedIn, pages::sessions::page),
    row("POST", "/admin/sessions", Who::SignedIn, pages::sessions::end),
    row("GET", "/audit", Who::SignedIn, pages::audit::page),
    row("POST", "/audit", Who::SignedIn, pages::audit::narrow),
    row("GET", "/audit/export", Who::SignedIn, pages::audit::export),
    row("GET", "/audit/events/{id}", Who::SignedIn, pages::audit::event),
    row("GET", "/review", Who::SignedIn, pages::review::page),
    row("GET", "/review/{id}", Who::SignedIn, pages::review::case),
    row("POST", "/review/{id}", Who::SignedIn, pages::review::turn),
];

fn asset(visit: &Visit) -> Result<Answer, Fault> {
    Ok(assets::at(&visit.path).unwrap_or_else(|| pages::missing::page(visit)))
}

/// The rows by the first part of their path. Every request of the server is asked about, and nearly all of
/// them are for a record: those cost one look.
static BY_FIRST: LazyLock<HashMap<&str, Vec<&Route>>> = LazyLock::new(|| {
    let mut rows: HashMap<&str, Vec<&Route>> = HashMap::new();
    for row in ROUTES {
        rows.entry(first(row.path)).or_default().push(row);
    }
    rows
});

/// The rows whose path fits.
fn rows(path: &str) -> impl Iterator<Item = &'static Route> {
    let near = BY_FIRST.get(first(path)).map(Vec::as_slice).unwrap_or_default();
    near.iter().copied().filter(move |row| fits(row.path, path))
}

/// The first part of a path: of rows it is never one in braces.
fn first(path: &str) -> &str {
    path.get(1..).and_then(|rest| rest.split('/').next()).unwrap_or_default()
}

/// Whether a path is the console's.
pub fn serves(path: &str) -> bool {
    rows(path).next().is_some()
}

/// Whether a path is one of our pages that somebody may be sent to: never an address of another.
pub fn is_page(path: &str) -> bool {
    let is_page =
        |route: &Route| route.method == "GET" && route.who == Who::SignedIn && route.path != EVENTS;
    rows(path).any(is_page)
}

/// The methods of a path, for the `Allow` header.
pub fn allow(path: &str) -> Vec<&'static str> {
    let mut methods = Vec::new();
    for route in rows(path) {
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
    match rows(&visit.path).find(|row| row.method == method) {
        None => Ok(pages::missing::page(visit)),
        Some(row) if row.who == Who::SignedIn && visit.caller.is_none() => {
            // A script is not led to a page where a person would sign in.
            match row.path == EVENTS || visit.is_live() {
                true => Err(Fault::new(&code::SIGN_IN_NEEDED, "the sign-in has ended")),
                false => Ok(pages::welcome::ask(visit)),
            }
        }
        Some(row) => {
            let answer = (row.work)(visit)?;
            // Whom staff open, they find again; the list is theirs and stands on the server.
            if row.path == "/p/{id}" && answer.status == 200 && parts::finds_patients(visit) {
                visit.session.remember_patient(part(visit, 1));
            }
            Ok(answer)
        }
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

    #[test]
    fn no_row_begins_with_any_part() {
        for row in ROUTES {
            assert!(row.path.starts_with('/') && !first(row.path).starts_with('{'), "{}", row.path);
        }
    }

    proptest! {
        #[test]
        fn the_rows_of_a_path_are_those_that_fit_it(
            path in prop_oneof![
                "\\PC{0,40}",
                (0..ROUTES.len()).prop_map(|at| ROUTES[at].path.replace("{id}", "a-1")),
                (0..ROUTES.len(), "[a-z/{}]{0,4}").prop_map(|(at, more)| format!("{}{more}", ROUTES[at].path)),
            ],
        ) {
            let found: Vec<_> = rows(&path).map(|row| (row.method, row.path)).collect();
            let all = ROUTES.iter().filter(|row| fits(row.path, &path));
            prop_assert_eq!(found, all.map(|row| (row.method, row.path)).collect::<Vec<_>>());
        }

        #[test]
        fn any_path_is_ours_or_not(path in "\\PC{0,40}") {
            prop_assert!(!is_page(&path) || serves(&path));
        }
    }
}
