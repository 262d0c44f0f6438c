//! Screens of checking in without the desk: the kiosk, the code that the desk shows, and what it leads to on the
//! patient's own phone.

use super::screens::{Screen, there};
use super::site::Site;
use anyhow::Context as _;
use browser::Page;

/// A page for patients, with style and scripts.
const PAGE: u64 = 50_000;

pub(super) const ARRIVAL: &[Screen] = &[
    Screen {
        name: "kiosk-begin",
        who: Some("front-desk"),
        path: "/kiosk/begin",
        heading: "Make this device a kiosk",
        way: there,
        plain: true,
        bytes_max: PAGE,
    },
    Screen {
        name: "kiosk-sign",
        who: Some("front-desk"),
        path: "/kiosk/begin",
        heading: "A sign for the kiosk",
        way: |_, page| page.click("button", "Show the sign"),
        plain: true,
        bytes_max: PAGE,
    },
    Screen {
        name: "kiosk",
        who: Some("front-desk"),
        path: "/kiosk/begin",
        heading: "Check in here",
        way: begins,
        plain: true,
        bytes_max: PAGE,
    },
    Screen {
        name: "kiosk-not-found",
        who: Some("front-desk"),
        path: "/kiosk/begin",
        heading: "We did not find a visit for you here today",
        way: |site, page| {
            begins(site, page)?;
            page.tab_to("textbox", "First letter of your last name")?;
            page.types("Q")?;
            birth(page, ["1", "2", "1950"])?;
            page.tab_to("textbox", "Last four digits of your phone")?;
            page.types("0000")?;
            page.click("button", "Find my visit")
        },
        plain: true,
        bytes_max: PAGE,
    },
    Screen {
        name: "wall-device",
        who: Some("front-desk"),
        path: "/kiosk/begin",
        heading: "Flow board",
        way: |_, page| {
            page.js(r#"document.getElementById("wall-site").value = """#)?;
            page.click("button", "Make this device a wall")
        },
        plain: true,
        bytes_max: 2 * PAGE,
    },
    Screen {
        name: "no-wall",
        who: None,
        path: "/wall",
        heading: "This device shows no board",
        way: there,
        plain: true,
        bytes_max: PAGE,
    },
    Screen {
        name: "no-kiosk",
        who: None,
        path: "/kiosk",
        heading: "This device is no kiosk",
        way: there,
        plain: true,
        bytes_max: PAGE,
    },
    Screen {
        name: "check-in-code",
        who: Some("front-desk"),
        path: "/flow",
        heading: "Link for the patient's phone",
        way: |_, page| code(page).map(drop),
        plain: true,
        bytes_max: PAGE,
    },
    Screen {
        name: "check-in-birth",
        who: Some("front-desk"),
        path: "/flow",
        heading: "Check in",
        way: |_, page| {
            let (link, _) = code(page)?;
            page.go(&link)
        },
        plain: true,
        bytes_max: PAGE,
    },
    Screen {
        name: "check-in-birth-wrong",
        who: Some("front-desk"),
        path: "/flow",
        heading: "Check in",
        way: |_, page| {
            let (link, _) = code(page)?;
            page.go(&link)?;
            birth(page, ["1", "2", "1900"])?;
            page.click("button", "Continue")?;
            page.sees("alert", "")
        },
        plain: true,
        bytes_max: PAGE,
    },
    Screen {
        name: "check-in-contact",
        who: Some("front-desk"),
        path: "/flow",
        heading: "Is this still right?",
        way: |_, page| knows(page),
        plain: true,
        bytes_max: PAGE,
    },
    Screen {
        name: "check-in-insurance",
        who: Some("front-desk"),
        path: "/flow",
        heading: "Has your insurance changed?",
        way: |_, page| {
            knows(page)?;
            page.click("button", "Continue")
        },
        plain: true,
        bytes_max: PAGE,
    },
    Screen {
        name: "check-in-end",
        who: Some("front-desk"),
        path: "/flow",
        heading: "Thank you",
        way: |_, page| entered(page),
        plain: true,
        bytes_max: PAGE,
    },
    Screen {
        name: "check-in-entered",
        who: Some("front-desk"),
        path: "/flow",
        heading: "What the patient entered",
        way: |_, page| {
            entered(page)?;
            page.go("/flow")?;
            page.click_first("link", "Check in")
        },
        plain: true,
        bytes_max: PAGE,
    },
];

fn begins(_: &Site, page: &mut Page) -> anyhow::Result<()> {
    page.click("button", "Begin the kiosk")?;
    page.sees("heading", "Check in here")
}

fn birth(page: &mut Page, [month, day, year]: [&str; 3]) -> anyhow::Result<()> {
    for (name, what) in [("Month", month), ("Day", day), ("Year", year)] {
        page.tab_to("textbox", name)?;
        page.types(what)?;
    }
    Ok(())
}

/// Shows the code of the first visit that can be checked in; the path it leads to, and the patient's date of
/// birth as month, day and year.
fn code(page: &mut Page) -> anyhow::Result<(String, [String; 3])> {
    page.click_first("link", "Check in")?;
    page.sees("heading", "Check in")?;
    // As the page says it: 09-Mar-1980.
    let born = r#"(() => {
        const said = document.querySelector(".check-in-who .keep").textContent.split(" (")[0];
        const date = new Date(said);
        return [date.getMonth() + 1, date.getDate(), date.getFullYear()].join(" ");
    })()"#;
    let born = page.js(born)?.as_str().unwrap_or_default().to_owned();
    let mut parts = born.split(' ').map(str::to_owned);
    let mut next = || parts.next().context("a date of birth");
    let born = [next()?, next()?, next()?];
    page.click("button", "Show a code to scan")?;
    page.sees("heading", "Link for the patient's phone")?;
    let path = r#"new URL(document.querySelector("main p.mono").textContent).pathname"#;
    let path = page.js(path)?.as_str().unwrap_or_default().to_owned();
    Ok((path, born))
}

/// Says the right date of birth.
fn knows(page: &mut Page) -> anyhow::Result<()> {
    let (link, [month, day, year]) = code(page)?;
    page.go(&link)?;
    birth(page, [&month, &day, &year])?;
    page.click("button", "Continue")?;
    page.sees("heading", "Is this still right?")
}

/// Enters a phone and other insurance.
fn entered(page: &mut Page) -> anyhow::Result<()> {
    knows(page)?;
    page.js(r#"document.getElementById("mobile").value = """#)?;
    page.tab_to("textbox", "New mobile phone")?;
    page.types("312 555 0177")?;
    page.click("button", "Continue")?;
    page.sees("heading", "Has your insurance changed?")?;
    page.click("radio", "No, it is the same")?;
    page.click("button", "Continue")?;
    page.sees("heading", "What would you like to talk about?")?;
    page.click("button", "Continue")?;
    page.sees("heading", "Thank you")
}
