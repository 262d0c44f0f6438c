//! What people do at the desk all day, from one press on the welcome page to the end of the work, in as
//! few clicks and keys as it may cost them.

use super::journeys::Journey;
use super::mishaps::CLINICIAN;
use anyhow::Context;
use browser::{Budget, Page};

/// Comes in as one of the people of the demo, by one click.
pub(super) fn comes_in(page: &mut Page, name: &str) -> anyhow::Result<()> {
    page.go("/welcome")?;
    page.click("button", &format!("Sign in as {name}"))?;
    page.sees("heading", "Today")
}

/// Finds a patient by keys alone, and opens the record.
pub(super) fn finds(page: &mut Page, typed: &str, heading: &str) -> anyhow::Result<()> {
    page.press("/")?;
    page.types(typed)?;
    page.sees_first("option", heading)?;
    // On a list of fewer letters Enter chooses nobody: it leads to the page of all who are found.
    let is_whole = r#"document.getElementById("found")?.getAttribute("aria-busy") === "false""#;
    page.wait("the list for all that was typed", |page| Ok(page.js(is_whole)? == true))?;
    page.press("Enter")?;
    page.sees("heading", heading)
}

/// Books the chart's patient at the first time there is, and opens the appointment.
fn books(page: &mut Page) -> anyhow::Result<()> {
    page.click("link", "Book a follow-up")?;
    page.sees("heading", "Book an appointment")?;
    page.click_first("button", "Hold this time")?;
    page.sees("heading", "Confirm the appointment")?;
    page.click("button", "Book it")?;
    page.reads("The appointment is booked.")?;
    page.click("link", "Open the appointment")
}

/// Calls off the appointment that is open, for the first reason there is.
fn cancels(page: &mut Page) -> anyhow::Result<()> {
    page.sees("heading", "Cancel it")?;
    page.tab_to("combobox", "Reason")?;
    page.press("ArrowDown")?;
    page.click("button", "Cancel this appointment")
}

const DESK: &str = "Robin Okafor";
const NURSE: &str = "Élodie Séguin, RN";
const PRIVACY: &str = "Priya Raman";
pub(super) const PATIENT: &str = "NYSTRÖM, Nils Arne";
const WAITS: &str = "SWENSON, Leif Ole";

pub(super) const WORK: &[Journey] = &[
    Journey {
        name: "one-press-into-the-demo",
        budget: Budget { clicks: 1, keys: 0 },
        walk: |_, page| comes_in(page, DESK),
    },
    Journey {
        // A slash, four letters, Enter.
        name: "find-and-open-a-patient",
        budget: Budget { clicks: 1, keys: 6 },
        walk: |_, page| {
            comes_in(page, DESK)?;
            finds(page, "nils", PATIENT)
        },
    },
    Journey {
        // One line of what was measured.
        name: "vital-signs-in-one-line",
        budget: Budget { clicks: 2, keys: 26 },
        walk: |_, page| {
            comes_in(page, NURSE)?;
            finds(page, "nils", PATIENT)?;
            page.click("link", "Enter vital signs")?;
            page.sees("heading", "Enter vital signs")?;
            page.focus_is("textbox", "What was measured")?;
            page.types("120/80 72 36.8 98%")?;
            page.press("Enter")?;
            page.reads("The vital signs were kept.")?;
            page.reads("120/80 mmHg")
        },
    },
    Journey {
        // Results alone, the first of them opened, filed by one key, and taken back.
        name: "file-a-result",
        budget: Budget { clicks: 3, keys: 5 },
        walk: |_, page| {
            comes_in(page, CLINICIAN)?;
            page.press("g")?;
            page.press("i")?;
            page.sees("heading", "Inbox")?;
            page.click_first("link", "Results")?;
            page.wait("results alone", |page| Ok(page.address()?.contains("kind=results")))?;
            page.press("j")?;
            page.press("Enter")?;
            page.sees("heading", "Result")?;
            page.press("e")?;
            page.reads("Filed.")?;
            page.click("button", "Undo")?;
            page.reads("Taken back.")
        },
    },
    Journey {
        // From the chart: follow-up, time, book; then another day, and called off.
        name: "book-move-and-cancel",
        budget: Budget { clicks: 7, keys: 62 },
        walk: |_, page| {
            comes_in(page, DESK)?;
            finds(page, "nils", PATIENT)?;
            books(page)?;
            page.sees("heading", "Move it")?;
            // The same weekday of the next week, when the same people are there, whenever this runs.
            let next =
                "(() => { const day = new Date(document.getElementById('date').value + 'T12:00Z');
                day.setUTCDate(day.getUTCDate() + 7);
                const [y, m, d] = day.toISOString().slice(0, 10).split('-');
                return m + d + y; })()";
            let next = page.js(next)?.as_str().context("a day")?.to_owned();
            page.tab_to("Date", "Date")?;
            page.types(&next)?;
            page.click("button", "Move the appointment")?;
            page.reads("The appointment was moved.")?;
            cancels(page)?;
            page.reads("The appointment was cancelled.")
        },
    },
    Journey {
        // Read on the screen, signed on the sheet: by keys alone, and without scripts.
        name: "consent-by-keyboard",
        budget: Budget { clicks: 1, keys: 90 },
        walk: |_, page| {
            comes_in(page, DESK)?;
            finds(page, "nils", PATIENT)?;
            page.tab_to("link", "Consents")?;
            page.press("Enter")?;
            page.sees("heading", "Have one signed")?;
            page.reads("Privacy notice not acknowledged")?;
            page.tab_to("link", "Sign: Visits by video")?;
            page.press("Enter")?;
            page.reads("Visits are not recorded.")?;
            page.tab_to("textbox", "Name of whoever signs")?;
            page.types("Nils")?;
            page.tab_to("checkbox", "They signed the printed sheet before me, and I keep it")?;
            page.press("Space")?;
            page.tab_to("button", "Sign")?;
            page.press("Enter")?;
            page.reads("Kept, with its text and signature.")?;
            page.reads("Signed on paper, before the witness.")
        },
    },
    Journey {
        name: "consent-by-hand",
        budget: Budget { clicks: 5, keys: 40 },
        walk: |_, page| {
            comes_in(page, DESK)?;
            finds(page, "nils", PATIENT)?;
            page.click("link", "Consents")?;
            page.click("link", "Sign: Payment")?;
            page.sees("heading", "What is signed")?;
            page.tab_to("textbox", "Name of whoever signs")?;
            page.types("Nils")?;
            page.draws(
                "image",
                "Sign here",
                &[(10.0, 30.0), (25.0, 80.0), (40.0, 20.0), (60.0, 70.0)],
            )?;
            page.click("button", "Sign")?;
            page.reads("Kept, with its text and signature.")?;
            page.sees("image", "Signature, drawn by hand")
        },
    },
    Journey {
        // One waits, another's visit is called off, its time is offered by telephone and taken.
        name: "freed-time-to-who-waits",
        budget: Budget { clicks: 10, keys: 37 },
        walk: |_, page| {
            comes_in(page, DESK)?;
            finds(page, "leif", WAITS)?;
            page.click("link", "Put on the waiting list")?;
            page.sees("heading", "Put on the waiting list")?;
            page.click("button", "Put on the waiting list")?;
            page.reads("They are on the waiting list.")?;
            finds(page, "nils", PATIENT)?;
            books(page)?;
            cancels(page)?;
            page.reads("1 person waits whom the freed time suits.")?;
            page.click("button", "Offer it to them")?;
            page.reads("Call now, hold until")?;
            page.click_first("button", "Said yes")?;
            page.reads("It is booked for them.")?;
            page.reads("Has it")
        },
    },
    Journey {
        name: "check-in-and-flow",
        budget: Budget { clicks: 5, keys: 0 },
        walk: |_, page| {
            comes_in(page, DESK)?;
            page.click("link", "Flow")?;
            page.sees("heading", "Flow board")?;
            page.click_first("link", "Check in")?;
            page.sees("heading", "Check in")?;
            page.click("checkbox", "The name and the date of birth they said are those above")?;
            page.click("button", "Arrived")?;
            page.sees("heading", "Flow board")
        },
    },
    Journey {
        name: "who-did-what",
        budget: Budget { clicks: 3, keys: 0 },
        walk: |_, page| {
            comes_in(page, PRIVACY)?;
            page.click("link", "Audit log")?;
            page.sees("heading", "Audit log")?;
            page.reads("Signed in")?;
            page.click("link", "Broken glass")
        },
    },
];
