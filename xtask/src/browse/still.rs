//! What makes two pictures of one screen the same picture: one moment for server and page, letters from
//! one family, nothing that moves or blinks, and one text in the place of what is drawn anew at each start.
//!
//! The server runs under a clock that stands still ([libfaketime](https://github.com/wolfcw/libfaketime),
//! the Debian package `faketime`), with time that runs for whatever is waited for. The browser has its own
//! clock for itself; scripts of a page are told the same moment.

use browser::Page;
use serde_json::json;
use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};

/// Where distributions keep libraries; each has a folder for its kind of machine.
const LIBRARIES: [&str; 3] = ["/usr/lib", "/usr/lib64", "/usr/local/lib"];
const LIBRARY: &str = "faketime/libfaketimeMT.so.1";
/// A Wednesday at ten past ten in Chicago, where the demo clinic is: the day is under way.
const MOMENT: &str = "2030-11-20 16:10:00";
const MOMENT_MS: u64 = 1_921_421_400_000;
const ZONE: &str = "America/Chicago";
/// Where Debian keeps the letters, of the package `fonts-dejavu-core`.
const LETTERS: &str = "/usr/share/fonts/truetype/dejavu";

/// The library that turns the clock, where there is one.
pub(super) fn library() -> Option<PathBuf> {
    let folders = LIBRARIES.iter().flat_map(|folder| {
        let inner = fs::read_dir(folder).into_iter().flatten().flatten().map(|one| one.path());
        inner.chain([PathBuf::from(folder)])
    });
    folders.map(|folder| folder.join(LIBRARY)).find(|file| file.is_file())
}

/// The environment of a server for which it is always that moment.
pub(super) fn environment(library: &Path) -> Vec<(&'static str, OsString)> {
    vec![
        ("LD_PRELOAD", library.into()),
        ("FAKETIME", MOMENT.into()),
        // What waits for a time to pass, waits.
        ("FAKETIME_DONT_FAKE_MONOTONIC", "1".into()),
        ("TZ", "UTC".into()),
    ]
}

/// Settings of fontconfig with one family of letters; none where the machine has not that family.
pub(super) fn letters(folder: &Path) -> anyhow::Result<Option<PathBuf>> {
    if !Path::new(LETTERS).is_dir() {
        return Ok(None);
    }
    let file = folder.join("fonts.conf");
    let cache = folder.join("fonts");
    let text = LETTERS_CONF.replace("CACHE", &cache.display().to_string());
    fs::write(&file, text)?;
    Ok(Some(file))
}

/// Before a page is sent anywhere: its scripts are told the moment, and where it is.
pub(super) fn prepare(page: &Page) -> anyhow::Result<()> {
    page.call("Emulation.setTimezoneOverride", json!({ "timezoneId": ZONE }))?;
    page.first(&CLOCK.replace("MOMENT", &MOMENT_MS.to_string()))
}

/// Before a picture: nothing moves, no cursor blinks, the page is at its top, and what differs from start
/// to start (ids, the port, sums, codes, the folder) has one text.
pub(super) fn hold(page: &Page) -> anyhow::Result<()> {
    page.js(HOLD)?;
    Ok(())
}

/// One family, whatever a page asks for; where it asks for letters of one width, that of one width.
const LETTERS_CONF: &str = "<?xml version=\"1.0\"?><!DOCTYPE fontconfig SYSTEM \"fonts.dtd\"><fontconfig>
<dir>/usr/share/fonts/truetype/dejavu</dir><cachedir>CACHE</cachedir>
<alias binding=\"strong\"><family>monospace</family><prefer><family>DejaVu Sans Mono</family></prefer></alias>
<match target=\"pattern\"><edit name=\"family\" mode=\"append_last\" binding=\"strong\"><string>DejaVu Sans</string></edit></match>
</fontconfig>
";

const CLOCK: &str = "(() => {
  const Real = Date;
  globalThis.Date = class extends Real {
    constructor(...words) { if (words.length) super(...words); else super(MOMENT); }
    static now() { return MOMENT; }
  };
})()";

const HOLD: &str = r"(async () => {
  if (!globalThis.__held) {
    globalThis.__held = true;
    const style = new CSSStyleSheet();
    style.replaceSync('*, *::before, *::after { animation: none !important; transition: none !important; caret-color: transparent !important; }');
    document.adoptedStyleSheets = [...document.adoptedStyleSheets, style];
  }
  const masks = [
    [/(localhost|127\.0\.0\.1):\d+/g, '$1:8080'],
    [/[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}/g, '00000000-0000-7000-8000-000000000000'],
    [/[0-9a-f]{32,}/g, (found) => '0'.repeat(found.length)],
    [/\/[^\s]*plummer-pictures-[^\s\/]*\/[^\s\/]*/g, '/var/lib/plummer'],
  ];
  // What a machine measures of itself, it measures anew.
  if (location.pathname === '/admin/health') {
    masks.push([/\d[\d.,]*(?=\s?([kMG]B|ms|s|%)(\W|$))/g, '0'], [/\d+\.\d+/g, '0.0']);
    for (const meter of document.querySelectorAll('meter')) meter.value = meter.min;
    // Which searches were the slowest is of the moment.
    const slow = [...document.querySelectorAll('[aria-labelledby=slow] tbody tr')];
    slow.slice(1).forEach((row) => row.remove());
    slow[0]?.querySelectorAll('td, th').forEach((cell) => { cell.textContent = '0'; });
  }
  // Whether a page was followed yet, and a case there to be looked at, is told by how fast the machine is;
  // and how many events came before, by what the server did by itself meanwhile.
  if (location.pathname === '/audit') {
    for (const row of document.querySelectorAll('main tbody tr')) {
      if (/followed|case-read/.test(row.textContent)) row.remove();
    }
    masks.push([/#\d+/g, '#1'], [/(event|up to) \d+/g, '$1 1']);
  }
  for (const [secret, text] of [['.key', 'AAAA BBBB CCCC DDDD EEEE FFFF GGGG HHHH'], ['.codes li', 'AAAA-BBBB-CCCC']]) {
    for (const one of document.querySelectorAll(secret)) one.textContent = text;
  }
  // A code to scan is a picture of a secret.
  for (const path of document.querySelectorAll('svg.qr path')) path.setAttribute('d', 'M4 4h10v10h-10z');
  const masked = (text) => masks.reduce((text, [what, by]) => text.replace(what, by), text);
  const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (texts.nextNode()) {
    const text = masked(texts.currentNode.data);
    if (text !== texts.currentNode.data) texts.currentNode.data = text;
  }
  for (const field of document.querySelectorAll('input:not([type=hidden]), textarea')) {
    const text = masked(field.value);
    if (text !== field.value) field.value = text;
  }
  document.scrollingElement.scrollTo(0, 0);
  await document.fonts.ready;
  await new Promise((next) => requestAnimationFrame(() => requestAnimationFrame(next)));
})()";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_moment_is_said_alike_to_server_and_page() {
        let (day, time) = MOMENT.split_once(' ').expect("a day and a time");
        assert_eq!((day, time), ("2030-11-20", "16:10:00"));
        let days = base_days(2030, 11, 20);
        assert_eq!(MOMENT_MS, (days * 86_400 + 16 * 3_600 + 10 * 60) * 1_000);
    }

    /// Days from 1970-01-01, counted one year and one month after the other.
    fn base_days(year: u64, month: u64, day: u64) -> u64 {
        let leap = |year: u64| {
            year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400))
        };
        let years: u64 = (1970..year).map(|year| if leap(year) { 366 } else { 365 }).sum();
        let february = if leap(year) { 29 } else { 28 };
        let months = [31, february, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
        let before: u64 = months.iter().zip(1..month).map(|(days, _)| days).sum();
        years + before + day - 1
    }
}
