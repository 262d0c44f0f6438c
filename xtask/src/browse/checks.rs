//! What every screen is held to, whoever made it: accessibility by rules and by keyboard, layout at every
//! width, paper, motion, and what it costs to load (docs/internals/browser.md).

use super::screens::Screen;
use browser::{Axe, Look, Page, Paint};
use std::fs;
use std::path::Path;
use std::time::Duration;

/// A phone, a small window, a large one: what is looked at.
const WIDTHS: [u32; 3] = [360, 1024, 1440];
const HEIGHT: u32 = 900;
/// What 1280 by 1024 is at 400 % (WCAG 1.4.10).
const ZOOMED: (u32, u32) = (320, 256);
/// Where nothing is measured but what is read.
const USUAL: u32 = 1024;
/// Until something is seen on a machine that is four times slower; held with `--timed` alone, since a
/// shared machine is slow in ways of its own.
const FIRST_PAINT_MAX: Duration = Duration::from_millis(1000);

/// Everything that is wrong with the screen that is open.
pub(super) fn all(
    page: &mut Page,
    screen: &Screen,
    axe: Option<&Axe>,
) -> anyhow::Result<Vec<String>> {
    let mut faults = Vec::new();
    for (width, height) in WIDTHS.map(|width| (width, HEIGHT)).into_iter().chain([ZOOMED]) {
        page.size(width, height)?;
        faults.extend(page.layout()?.into_iter().map(|fault| format!("at {width} px: {fault}")));
    }
    let spaced = page.layout_spaced()?;
    faults.extend(spaced.into_iter().map(|fault| format!("with wide spacing: {fault}")));
    faults.extend(walk(page, "at 400 %")?);
    page.size(USUAL, HEIGHT)?;
    for look in [Look::Light, Look::Dark, Look::Forced] {
        page.look(look)?;
        if let Some(axe) = axe {
            // Where the walk left it, a frame that stays may lie over what it stays over.
            page.js("document.scrollingElement.scrollTo(0, 0)")?;
            let found = axe.judge(page)?;
            faults.extend(found.iter().map(|one| format!("{}: {one}", look.word())));
        }
        faults.extend(walk(page, look.word())?);
    }
    page.look(Look::Still)?;
    faults.extend(page.moving()?);
    page.look(Look::Paper)?;
    let pressed = page.names("button")?;
    if !pressed.is_empty() {
        faults.push(format!("on paper: {}, which nobody can press there", pressed.join(", ")));
    }
    page.look(Look::Light)?;
    if !page.pdf()?.starts_with(b"%PDF-") {
        faults.push(format!("{} does not print", screen.name));
    }
    Ok(faults)
}

fn walk(page: &mut Page, how: &str) -> anyhow::Result<Vec<String>> {
    let walk = page.walk()?;
    Ok(walk.faults.iter().map(|fault| format!("{how}: {fault}")).collect())
}

/// What its load cost too much.
pub(super) fn cost(screen: &Screen, paint: Paint, timed: bool) -> Vec<String> {
    let mut faults = Vec::new();
    if paint.bytes > screen.bytes_max {
        let (bytes, most) = (paint.bytes, screen.bytes_max);
        faults.push(format!("{bytes} bytes were transferred, of {most}"));
    }
    if timed && paint.first > FIRST_PAINT_MAX {
        faults.push(format!("the first paint took {:?}, of {FIRST_PAINT_MAX:?}", paint.first));
    }
    faults
}

/// Writes its pictures: light, dark, and narrow.
pub(super) fn keep(page: &Page, screen: &Screen, folder: &Path) -> anyhow::Result<()> {
    fs::create_dir_all(folder)?;
    for (word, look, width) in [
        ("light", Look::Light, USUAL),
        ("dark", Look::Dark, USUAL),
        ("narrow", Look::Light, WIDTHS[0]),
    ] {
        page.size(width, HEIGHT)?;
        page.look(look)?;
        fs::write(folder.join(format!("{}-{word}.png", screen.name)), page.png()?)?;
    }
    page.look(Look::Light)
}
