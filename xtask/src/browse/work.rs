//! What people do at the desk all day, from one press on the welcome page to the end of the work, in as
//! few clicks and keys as it may cost them.

use super::journeys::Journey;
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
    page.press("Enter")?;
    page.sees("heading", heading)
}

const DESK: &str = "Robin Okafor";
const NURSE: &str = "Élodie Séguin, RN";
const PRIVACY: &str = "Priya Raman";
pub(super) const PATIENT: &str = "NYSTRÖM, Nils Arne";

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
        // From the chart: follow-up, time, book; then another day, and called off.
        name: "book-move-and-cancel",
        budget: Budget { clicks: 7, keys: 53 },
        walk: |_, page| {
            comes_in(page, DESK)?;
            finds(page, "nils", PATIENT)?;
            page.click("link", "Book a follow-up")?;
            page.sees("heading", "Book an appointment")?;
            page.click_first("button", "Hold this time")?;
            page.sees("heading", "Confirm the appointment")?;
            page.click("button", "Book it")?;
            page.reads("The appointment is booked.")?;
            page.click_first("link", "NYSTRÖM, Nils 08:30")?;
            page.sees("heading", "Move it")?;
            page.tab_to("InputTime", "Time")?;
            page.types("1000AM")?;
            page.click("button", "Move the appointment")?;
            page.reads("The appointment was moved.")?;
            page.sees("heading", "Cancel it")?;
            page.tab_to("combobox", "Reason")?;
            page.press("ArrowDown")?;
            page.click("button", "Cancel this appointment")?;
            page.reads("The appointment was cancelled.")
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
