//! What goes wrong on ordinary days: the server dies amid a note, two charts are open at once, and what
//! was printed lies about. Nobody's words are lost, and nothing comes into another patient's chart.

use super::journeys::Journey;
use super::work::{PATIENT, comes_in, finds};
use anyhow::{Context, bail, ensure};
use browser::{Budget, Look, Page};

pub(super) const CLINICIAN: &str = "Dr. Per Hagen";
const OTHER: &str = "BERMÚDEZ, Víctor";
/// What is written in a note.
const WORDS: &str = "Walks without a stick since Monday.";
const MORE: &str = " Sleeps well.";
const TITLE: &str = "After the hip";
const TEXT: &str = "document.getElementById('text').value";

pub(super) const MISHAPS: &[Journey] = &[
    Journey {
        name: "killed",
        budget: Budget { clicks: 4, keys: 10 },
        walk: |site, page| {
            comes_in(page, CLINICIAN)?;
            finds(page, "nils", PATIENT)?;
            let chart = chart(page)?;
            page.click("link", "Write a note")?;
            page.click("textbox", "Title")?;
            page.pastes(TITLE)?;
            page.click("textbox", "Text")?;
            page.pastes(WORDS)?;
            page.reads("Draft kept at")?;
            site.dies()?;
            page.pastes(MORE)?;
            page.reads("The draft is not kept; it is tried again.")?;
            site.comes_back()?;
            // That nothing answered for a while, the browser said itself.
            page.faults()?;
            // A demo draws new passwords at its start, which ends every session: one signs in again.
            let mut tab = page.tab()?;
            comes_in(&mut tab, CLINICIAN)?;
            tab.go(&format!("{chart}/write"))?;
            tab.click("link", TITLE)?;
            tab.sees("textbox", "Text")?;
            let kept = tab.js(TEXT)?;
            ensure!(kept == WORDS, "the draft is another: {kept}");
            // What was typed since is still before whoever typed it.
            let typed = page.js(TEXT)?;
            ensure!(typed == format!("{WORDS}{MORE}"), "the page holds another text: {typed}");
            tab.end(Budget { clicks: 2, keys: 0 })?;
            page.faults()?;
            Ok(())
        },
    },
    Journey {
        name: "two-tabs",
        budget: Budget { clicks: 3, keys: 8 },
        walk: |_, page| {
            comes_in(page, CLINICIAN)?;
            let mut tab = page.tab()?;
            finds(page, "nils", PATIENT)?;
            tab.go("/find")?;
            finds(&mut tab, "bermudez", OTHER)?;
            let (own, other) = (chart(page)?, chart(&tab)?);
            ensure!(own != other, "both tabs are {own}");
            for (page, chart, name) in [(&mut *page, &own, PATIENT), (&mut tab, &other, OTHER)] {
                page.go(&format!("{chart}/write"))?;
                page.sees("heading", name)?;
            }
            let title = tab.js("document.title")?;
            page.click("textbox", "Text")?;
            page.pastes(WORDS)?;
            // As a form that was mixed up: made in one chart, and sent to the other.
            page.js(&format!("document.querySelector('.chart-form').action = '{other}/write'"))?;
            page.click("button", "Sign")?;
            page.reads("This form belongs to another patient's chart")?;
            // A refusal is told by its status, which the browser remarks upon.
            page.faults()?;
            for (chart, name) in [(&own, PATIENT), (&other, OTHER)] {
                page.go(&format!("{chart}/timeline"))?;
                page.sees("heading", name)?;
                ensure!(!page.text()?.contains(WORDS), "it was kept in the chart of {name}");
                page.go(&format!("{chart}/write"))?;
                ensure!(
                    !page.text()?.contains("Your drafts") || *chart == own,
                    "a draft of {name}"
                );
            }
            tab.sees("heading", OTHER)?;
            ensure!(tab.js("document.title")? == title, "the other tab has another title");
            tab.end(Budget { clicks: 0, keys: 10 })
        },
    },
    Journey {
        name: "paper",
        budget: Budget { clicks: 1, keys: 6 },
        walk: |_, page| {
            comes_in(page, CLINICIAN)?;
            finds(page, "nils", PATIENT)?;
            let chart = chart(page)?;
            for rest in ["/print", "", "/timeline"] {
                page.go(&format!("{chart}{rest}"))?;
                page.look(Look::Paper)?;
                let banner = page.js(ON_PAPER)?;
                let banner = banner.as_str().context("no banner on paper")?.to_owned();
                for part in [PATIENT, "Born", "L10000001"] {
                    ensure!(banner.contains(part), "{rest}: the banner on paper lacks {part}");
                }
                page.look(Look::Light)?;
                let sheets = sheets(&page.pdf()?);
                if sheets < 2 && rest == "/print" {
                    bail!("a chart of {sheets} sheets shows nothing of the second one's head");
                }
            }
            Ok(())
        },
    },
];

/// The banner's text, where print repeats it on each sheet: the head of a table that spans them, or what is
/// fixed in its place (CSS 2.2, 9.3.1 and 17.2).
const ON_PAPER: &str = "(() => {
  const banner = [...document.querySelectorAll('main .patient')].find((one) => one.checkVisibility());
  if (!banner) return null;
  const head = banner.closest('thead');
  const repeats = head ? getComputedStyle(head).display === 'table-header-group' : getComputedStyle(banner).position === 'fixed';
  return repeats ? banner.innerText : null;
})()";

/// The address of the chart that is open.
fn chart(page: &Page) -> anyhow::Result<String> {
    let path = page.js("location.pathname")?;
    let path = path.as_str().unwrap_or_default().to_owned();
    ensure!(path.starts_with("/p/") && path.matches('/').count() == 2, "{path} is no chart");
    Ok(path)
}

/// The sheets of a PDF.
fn sheets(pdf: &[u8]) -> usize {
    let text = String::from_utf8_lossy(pdf);
    text.split("/Type /Page").skip(1).filter(|rest| !rest.starts_with('s')).count()
}
