//! The cases that are asked of a real Chromium: from a key to what it finds, a long chart until it is
//! there, and what the first page brings with it.

use super::{Desk, quantile};
use crate::bench::cases::middle_of;
use crate::bench::desk::clinic::LONG;
use crate::bench::report::{Row, number};
use anyhow::{Context, ensure};
use browser::{Chromium, Page, find_or_skip};
use std::time::Duration;

/// Times that each is looked at, in a run.
const LOOKS: usize = 20;
/// Another list stands below the find box than before.
const ANOTHER: &str = "(() => { const list = document.querySelector('#found [data-said]'); return list && list !== globalThis.__before && list.querySelector('[role=option]'); })()";
const BEFORE: &str =
    "globalThis.__before = document.querySelector('#found [data-said]'); undefined";
/// A page of next to nothing, for what a load itself takes here.
const LITTLE: &str = "/health/live";

const DESK: &str = "Sign in as Robin Okafor";

impl Desk<'_> {
    fn chromium(&self) -> anyhow::Result<Chromium> {
        let program = find_or_skip()?.context("there is no Chromium")?;
        Chromium::launch(&program, &self.bench.work.join("desk-evidence"))
    }

    /// A browser of somebody who has come in by one press on their button.
    fn browser(&self, chromium: &Chromium, button: &str) -> anyhow::Result<Page> {
        // Chromium takes the cookies of secure pages from this name alone.
        let mut page = chromium.page(&self.root.replace("127.0.0.1", "localhost"))?;
        page.go("/welcome")?;
        page.click_first("button", button)?;
        page.sees("heading", "Today")?;
        Ok(page)
    }
}

/// From the last key of a line to the list of whom it finds, painted.
pub(super) fn find_key(desk: &mut Desk<'_>) -> anyhow::Result<Row> {
    let chromium = desk.chromium()?;
    let mut page = desk.browser(&chromium, DESK)?;
    let (mut figures, mut all) = (Vec::new(), Vec::new());
    let mut random = desk.bench.random.fork();
    for _ in 0..desk.bench.runs {
        let mut taken = Vec::new();
        while taken.len() < LOOKS {
            let person = desk.clinic.anybody(&mut random);
            let typed: Vec<char> = person.family.chars().take(4).collect();
            // A key of a keyboard without accents, and a list that changes with it.
            let Some((last, before)) = typed.split_last().filter(|_| typed.len() == 4) else {
                continue;
            };
            if !typed.iter().all(char::is_ascii_alphabetic) {
                continue;
            }
            page.go("/today")?;
            page.press("/")?;
            page.types(&before.iter().collect::<String>().to_lowercase())?;
            page.wait("whom the first letters find", |page| {
                let found = "document.querySelectorAll('#found a[href^=\"/p/\"]').length > 0";
                Ok(page.js(found)?.as_bool() == Some(true))
            })?;
            // A person looks at the list before going on.
            std::thread::sleep(Duration::from_millis(150));
            page.js(BEFORE)?;
            taken.push(page.key_to_paint(&last.to_lowercase().to_string(), ANOTHER)?);
        }
        figures.push(quantile(&taken, 750));
        all.extend(taken);
    }
    Ok(Row {
        name: "desk-find-key",
        what: "from a key in the find box to whom it finds, painted by Chromium; p75",
        goal: "50 ms",
        figures,
        unit: " ms",
        also: format!(
            "p50 {} p95 {} ms of {}; a frame is 16.7 ms; {}; {} patients",
            number(quantile(&all, 500), ""),
            number(quantile(&all, 950), ""),
            all.len(),
            chromium.version()?,
            desk.clinic.patients
        ),
    })
}

/// The long chart, until all of it is loaded and painted.
pub(super) fn chart_ready(desk: &mut Desk<'_>) -> anyhow::Result<Row> {
    let chromium = desk.chromium()?;
    let mut page = desk.browser(&chromium, "Sign in as Dr.")?;
    let chart = format!("/p/{LONG}");
    page.load(&chart)?;
    is_chart(&page)?;
    let (mut figures, mut first, mut little, mut bytes) = (Vec::new(), Vec::new(), Vec::new(), 0);
    for _ in 0..desk.bench.runs {
        let mut ready = Vec::new();
        for _ in 0..LOOKS {
            let paint = page.load(&chart)?;
            is_chart(&page)?;
            ready.push(paint.loaded.max(paint.first));
            first.push(paint.first);
            bytes = paint.bytes;
            let paint = page.load(LITTLE)?;
            little.push(paint.loaded.max(paint.first));
        }
        figures.push(quantile(&ready, 750));
    }
    let least = quantile(&little, 750);
    Ok(Row {
        name: "desk-chart-ready",
        what: "that chart until Chromium has loaded and painted it; p75",
        goal: "250 ms",
        also: format!(
            "first paint p75 {} ms; {:.1} kB; {} times a page of one word (p75 {} ms); {}; {} patients",
            number(quantile(&first, 750), ""),
            crate::bench::load::as_f64(bytes) / 1e3,
            number(middle_of(&figures) / least, ""),
            number(least, ""),
            chromium.version()?,
            desk.clinic.patients
        ),
        figures,
        unit: " ms",
    })
}

/// A page that says there is nothing here is quick, and no chart.
fn is_chart(page: &Page) -> anyhow::Result<()> {
    let shown = page.js("document.querySelectorAll('.patient').length === 1")?;
    ensure!(shown == true, "the chart was not shown: {}", page.address()?);
    Ok(())
}

/// What the first page brings with it, styles and scripts and heads, when nothing of it is known.
pub(super) fn first_page(desk: &mut Desk<'_>) -> anyhow::Result<Row> {
    let chromium = desk.chromium()?;
    let mut page = desk.browser(&chromium, DESK)?;
    let (mut figures, mut also) = (Vec::new(), String::new());
    for _ in 0..desk.bench.runs {
        page.call("Network.clearBrowserCache", serde_json::json!({}))?;
        let paint = page.load("/today")?;
        figures.push(crate::bench::load::as_f64(paint.bytes) / 1e3);
        also = format!(
            "{} requests, first paint {} ms; {}",
            paint.requests,
            paint.first.as_millis(),
            chromium.version()?
        );
    }
    Ok(Row {
        name: "desk-first-page",
        what: "all that Today transfers to a browser that knows nothing of it, heads included",
        goal: "50 kB",
        figures,
        unit: " kB",
        also,
    })
}
