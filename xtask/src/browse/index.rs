//! The page that lists the pictures: each screen with a sentence and its three pictures. It is written by
//! `cargo xtask pictures`, and `cargo xtask tidy` holds it to what there is.

use super::pictures::{FACES, FOLDER, file, files};
use super::screens;
use super::screens::Screen;
use std::collections::BTreeSet;
use std::fmt::Write as _;

/// Its name, in the folder of the pictures.
pub(crate) const FILE: &str = "README.md";
/// Beside it: the browser that all of them were taken with. Pictures of another one are not compared.
pub(crate) const TAKEN_WITH: &str = "taken-with.txt";
const HEAD: &str = "# Screens

What each screen looks like: in a wide window, in a dark one of 1024 pixels, and on a phone.
The clinic and all people in it are invented, and it is ten past ten on a Wednesday.
`cargo xtask pictures` takes the pictures and writes this page; `cargo xtask pictures --compare` tells whether the screens still look so ([how](../internals/browser.md#pictures)).

";
/// What a screen shows that its heading does not say.
const SHOWS: &[(&str, &str)] = &[
    ("sign-in-refused", "A name and a password that do not fit"),
    ("apps-given", "An app that was allowed, with what it may do"),
    ("approval", "An app asks a patient, who allows only some kinds of records"),
    ("factors-one", "One passkey is there, and can be changed"),
    ("today-visits", "Who waits now, for whoever takes them in"),
    ("today-own", "The day of somebody who sees patients"),
    ("flow-wall", "The flow board on a screen at the wall, without names"),
    ("chart", "The summary of a chart"),
    ("chart-own", "A patient's own record"),
    ("chart-front-desk", "What the front desk sees of a chart"),
    ("chart-timeline-nothing", "A time in which nothing was charted"),
    ("chart-vitals", "A line of vital signs, and what it is understood as"),
    ("chart-vitals-twice", "A value that is looked at twice before it is kept"),
    ("chart-vitals-wrong", "A line that cannot be right, and why"),
    ("chart-print", "A chart as it goes on paper"),
    ("find-many", "More patients fit than are shown"),
    ("find-nobody", "Nobody fits"),
    ("consent-minor", "A minor's Part 2 consent, which the minor signs, and a parent beside them"),
    ("who-saw", "Who opened a patient's record"),
    ("access-review-officer", "The access review, for the privacy officer"),
    ("sessions-all", "All sessions, for whoever runs the server"),
    ("gallery", "Every part that pages are made of, in every state"),
];

/// The page.
pub(crate) fn text() -> String {
    let mut out = HEAD.to_owned();
    for screen in screens() {
        let links = FACES.map(|(word, ..)| format!("[{word}]({})", file(screen.name, word)));
        // Writing to a text does not fail.
        let _ = writeln!(out, "- **{}**: {}: {}", screen.name, sentence(screen), links.join(", "));
    }
    out
}

/// What is wrong with the page and the pictures, given every path of the workspace.
pub(crate) fn faults(paths: &BTreeSet<String>, page: Option<&str>) -> Vec<String> {
    let folder = format!("{FOLDER}/");
    let known: BTreeSet<String> = files().collect();
    let there = || paths.iter().filter_map(|path| path.strip_prefix(&folder));
    let kept: BTreeSet<&str> = there().filter(|name| name.ends_with(".webp")).collect();
    let mut told: Vec<String> = known
        .iter()
        .filter(|name| !kept.contains(name.as_str()))
        .map(|name| format!("{name} is not there; `cargo xtask pictures` takes it"))
        .collect();
    if !there().any(|name| name == TAKEN_WITH) {
        told.push(format!("{TAKEN_WITH} is not there; `cargo xtask pictures` writes it"));
    }
    let own = |name: &str| name == FILE || name == TAKEN_WITH || known.contains(name);
    let strange = there().filter(|name| !own(name));
    told.extend(strange.map(|name| format!("{name} is the picture of no screen")));
    if page != Some(&text()) {
        told.push(format!("{FILE} is not what `cargo xtask pictures` writes"));
    }
    told
}

fn sentence(screen: &Screen) -> String {
    let shows = SHOWS.iter().find(|(name, _)| *name == screen.name);
    let shows =
        shows.map_or_else(|| format!("“{}”", screen.heading), |(_, shows)| (*shows).to_owned());
    let path = screen.path.split('?').next().unwrap_or_default();
    match screen.who {
        Some(who) => format!("{shows}, as the {} finds it from `{path}`", who.replace('-', " ")),
        None => format!("{shows}, at `{path}`, before anybody signed in"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_told_of_a_screen_is_told_of_one_that_is_there() {
        for (name, _) in SHOWS {
            assert!(screens().any(|screen| screen.name == *name), "{name}");
        }
    }

    #[test]
    fn a_missing_picture_a_strange_one_and_an_old_page_are_told() {
        let all = files().chain([TAKEN_WITH.to_owned()]);
        let mut paths: BTreeSet<String> = all.map(|name| format!("{FOLDER}/{name}")).collect();
        assert!(faults(&paths, Some(&text())).is_empty());
        paths.remove("docs/screens/sign-in-dark.webp");
        paths.remove("docs/screens/taken-with.txt");
        paths.insert("docs/screens/gone-dark.webp".to_owned());
        let told = faults(&paths, Some("# Screens\n")).join("\n");
        let wanted = [
            "sign-in-dark.webp is not there",
            "taken-with.txt is not there",
            "gone-dark.webp is the picture",
            "README.md",
        ];
        for name in wanted {
            assert!(told.contains(name), "{told}");
        }
    }
}
