//! The console's own screens: the frame that all others stand in, finding, and a patient.

use super::screens::{Screen, there};
use super::site::Site;
use browser::Page;

/// The first page of the console, with style, scripts and heads: what a slow line carries in a moment.
const FIRST: u64 = 50_000;

pub(super) const CONSOLE: &[Screen] = &[
    Screen {
        name: "welcome",
        who: None,
        path: "/welcome",
        heading: "Who do you want to be?",
        way: there,
        plain: true,
        bytes_max: FIRST,
    },
    Screen {
        name: "today-nurse",
        who: Some("nurse"),
        path: "/today",
        heading: "Today",
        way: there,
        plain: true,
        bytes_max: FIRST,
    },
    Screen {
        name: "today-it-administrator",
        who: Some("it-administrator"),
        path: "/today",
        heading: "Today",
        way: there,
        plain: true,
        bytes_max: FIRST,
    },
    Screen {
        name: "find",
        who: Some("front-desk"),
        path: "/find",
        heading: "Patients",
        way: there,
        plain: true,
        bytes_max: FIRST,
    },
    Screen {
        name: "find-many",
        who: Some("front-desk"),
        path: "/find",
        heading: "Patients",
        way: |_, page| finds(page, "zi"),
        plain: true,
        bytes_max: FIRST,
    },
    Screen {
        name: "find-nobody",
        who: Some("front-desk"),
        path: "/find",
        heading: "Patients",
        way: |_, page| finds(page, "qqqqqq"),
        plain: true,
        bytes_max: FIRST,
    },
    Screen {
        name: "patient",
        who: Some("front-desk"),
        path: "/find",
        heading: "NYSTRÖM, Nils Arne",
        way: opens,
        plain: true,
        bytes_max: FIRST,
    },
    Screen {
        name: "who-saw",
        who: Some("privacy-officer"),
        path: "/find",
        heading: "NYSTRÖM, Nils Arne",
        way: |site, page| {
            opens(site, page)?;
            page.click("link", "Who saw this record")
        },
        plain: true,
        bytes_max: FIRST,
    },
    Screen {
        name: "consents",
        who: Some("front-desk"),
        path: "/find",
        heading: "Consents",
        way: |site, page| {
            opens(site, page)?;
            page.click("link", "Consents")
        },
        plain: true,
        bytes_max: FIRST,
    },
    Screen {
        name: "consent-sign",
        who: Some("front-desk"),
        path: "/find",
        heading: "What is signed",
        way: |site, page| {
            opens(site, page)?;
            page.click("link", "Consents")?;
            page.click_first("link", "Sign: Treatment")
        },
        plain: true,
        bytes_max: FIRST,
    },
    Screen {
        name: "consent-elements",
        who: Some("him"),
        path: "/find",
        heading: "What it is about",
        way: |site, page| {
            opens(site, page)?;
            page.click("link", "Consents")?;
            page.click("link", "Sign: Part 2 disclosure")
        },
        plain: true,
        bytes_max: FIRST,
    },
    Screen {
        name: "consent-minor",
        who: Some("him"),
        path: "/find",
        heading: "What is signed",
        way: |_, page| {
            finds(page, "lancaster aaron")?;
            page.click("link", "LANCASTER, Aaron Caleb")?;
            page.click("link", "Consents")?;
            page.click("link", "Sign: Part 2 disclosure")?;
            page.tab_to("textbox", "Who discloses")?;
            page.types("Lakeside Family Health")?;
            page.click("radio", "All that is kept here, whoever made it")?;
            page.click("radio", "All records of substance use disorder treatment")?;
            page.click("radio", "Those who treat the patient, pay, or help to run this place")?;
            page.click("checkbox", "Treatment")?;
            page.click("radio", "Until it is revoked")?;
            page.click("button", "Show the text")
        },
        plain: true,
        bytes_max: FIRST,
    },
    Screen {
        name: "people",
        who: Some("front-desk"),
        path: "/find",
        heading: "Who acts for the patient",
        way: |site, page| {
            opens(site, page)?;
            page.click("link", "People")
        },
        plain: true,
        bytes_max: FIRST,
    },
    Screen {
        name: "settings",
        who: Some("nurse"),
        path: "/settings",
        heading: "Settings",
        way: there,
        plain: true,
        bytes_max: FIRST,
    },
    Screen {
        name: "gallery",
        who: Some("nurse"),
        path: "/gallery",
        heading: "Component gallery",
        way: there,
        plain: true,
        bytes_max: FIRST,
    },
];

/// Types into the field of the page of finding, and asks.
pub(super) fn finds(page: &mut Page, text: &str) -> anyhow::Result<()> {
    page.tab_to("textbox", "Name, date of birth, record number or phone number")?;
    page.types(text)?;
    page.press("Enter")
}

/// Opens the one patient of the demo who fits.
fn opens(_: &Site, page: &mut Page) -> anyhow::Result<()> {
    finds(page, "nystrom nils")?;
    page.click("link", "NYSTRÖM, Nils Arne")
}
