//! The web console: the pages people use all day. Words, HTML, style, icons and the few scripts that
//! stand here and nowhere else (WCAG 2.2 AA; NHS Common User Interface, patient banner).
//!
//! It knows neither sockets nor cookies of sign-in: a door hands it a [`Visit`], who asks and through
//! which [`record::Session`], and gets an [`Answer`] back. Whatever a page shows it has read through that
//! session, under the caller's own scope, and each reading has left its event. Every page works without
//! a script; scripts make it faster, and may load nothing but what this crate holds.

mod answer;
mod assets;
mod booking;
mod days;
mod done;
mod live;
mod lookup;
pub mod machine;
mod pages;
mod parts;
mod people;
mod person;
mod route;
mod visit;
mod wait;
mod words;

pub use answer::{Answer, Body, POLICY};
pub use days::{day, shown};
pub use live::Live;
pub use pages::arrival::{ArrivalPage, Step};
pub use pages::kiosk::KioskPage;
pub use pages::link::LinkPage;
pub use people::{GivenApp, People};
pub use person::gender;
pub use route::{EVENTS, ROUTES, Route, Who, allow, is_page, serves};
pub use visit::{Demo, DemoPerson, LANGUAGE, LIVE, Visit, language};
pub use wait::wait;
pub use words::{Lang, Word, scopes as scope_words, sign_in as sign_in_words};

/// Answers a visit.
///
/// # Errors
/// Never for what a person can do something about: that is a page. What is left is a fault of this
/// server, such as an access log that cannot be written.
pub fn answer(visit: &Visit) -> Result<Answer, base::Fault> {
    route::answer(visit)
}

/// The page behind a reminder's link, for whoever has it.
pub fn link(visit: &Visit, shows: &LinkPage<'_>) -> Answer {
    pages::link::page(visit, shows)
}

/// A page of checking in without the desk.
pub fn arrival(visit: &Visit, shows: &ArrivalPage<'_>) -> Answer {
    pages::arrival::page(visit, shows)
}

/// The board on a wall that nobody is signed in on, of the site with this id or of all.
///
/// # Errors
/// As of any search.
pub fn wall(visit: &Visit, site: &str) -> Result<Answer, base::Fault> {
    pages::flow::board::device(visit, site)
}

/// The page of a wall that shows no board: since it is none, or since something failed with this status.
pub fn no_wall(visit: &Visit, failed: Option<u16>) -> Answer {
    pages::flow::board::no_device(visit, failed)
}

/// The page of a kiosk, between two people.
pub fn kiosk(visit: &Visit, shows: &KioskPage) -> Answer {
    pages::kiosk::page(visit, shows)
}

/// What is said of a fault where its own words are not for whoever reads it: that it failed, and what to do.
pub fn why(fault: &base::Fault) -> Word {
    pages::failed::why(fault)
}

/// The page that says what went wrong, to whoever asked.
pub fn failed(visit: &Visit, fault: &base::Fault) -> Answer {
    pages::failed::page(visit, fault)
}
