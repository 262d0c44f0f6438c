//! The checks of a screen, on pages that are made to break each of them, and on their mended twins.

use crate::site::at;
use browser::{Fault, Look, Walk};

fn walked(main: &str) -> Option<Walk> {
    Some(at(main)?.walk().expect("walked"))
}

/// What the layout of this page is told to be wrong with, at the width.
fn layout(main: &str, width: u32) -> Option<Vec<String>> {
    let page = at(main)?;
    page.size(width, 640).expect("a size");
    Some(page.layout().expect("measured"))
}

#[test]
fn a_sound_page_is_walked_from_end_to_end() {
    let main = "<a href=a>One</a> <label>Two <input></label> <input type=radio name=r aria-label=R1><input type=radio name=r aria-label=R2> <details><summary>Three</summary><a href=b>inside</a></details> <button disabled>no</button> <button tabindex=-1 hidden>no</button>";
    let Some(walk) = walked(main) else { return };
    assert_eq!(walk.faults, []);
    let names: Vec<_> = walk.stops.iter().map(|stop| stop.node.name.as_str()).collect();
    assert_eq!(names, ["One", "Two", "R1", "Three"]);
}

#[test]
fn a_focus_that_nothing_shows_is_found() {
    let Some(walk) = walked("<style>:focus { outline: none }</style><button>A</button>") else {
        return;
    };
    let [Fault::Shown(told)] = walk.faults.as_slice() else { panic!("{walk:?}") };
    assert!(told.contains("button “A”: nothing shows"), "{told}");
    let faint = "<style>:focus { outline: 2px solid #eee }</style><button>A</button>";
    let walk = walked(faint).expect("a browser");
    let [Fault::Shown(told)] = walk.faults.as_slice() else { panic!("{walk:?}") };
    assert!(told.contains("contrast of 1."), "{told}");
    let other =
        "<style>:focus { outline: none; box-shadow: 0 0 0 3px blue }</style><button>A</button>";
    assert_eq!(walked(other).expect("a browser").faults, []);
}

#[test]
fn a_focus_behind_a_bar_that_stays_is_found() {
    let bar = "<div style='position:fixed;inset:0 0 auto;height:300px;background:#fff'>bar</div>";
    let Some(walk) = walked(&format!("{bar}<button>A</button>")) else { return };
    let [Fault::Shown(told)] = walk.faults.as_slice() else { panic!("{walk:?}") };
    assert!(told.contains("hidden behind"), "{told}");
}

#[test]
fn a_trap_is_found_and_what_lies_behind_it() {
    let main = "<input aria-label=A onkeydown=\"if (event.key === 'Tab') event.preventDefault()\"><button>B</button>";
    let Some(walk) = walked(main) else { return };
    let traps = walk.faults.iter().filter(|f| matches!(f, Fault::Trapped(_))).count();
    let lost = walk.faults.contains(&Fault::Unreached("button “B”".to_owned()));
    assert!(traps == 1 && lost, "{walk:?}");
    let round = "<button>A</button><button onblur=\"setTimeout(() => this.previousSibling.focus())\">B</button><button>C</button>";
    let walk =
        walked(&round.replace("setTimeout(() => ", "queueMicrotask(() => ")).expect("walked");
    assert!(walk.faults.iter().any(|f| !matches!(f, Fault::Shown(_))), "{walk:?}");
}

#[test]
fn what_the_mouse_alone_reaches_is_found() {
    let Some(walk) = walked("<button tabindex=-1>A</button><button>B</button>") else { return };
    assert_eq!(walk.faults, [Fault::Unreached("button “A”".to_owned())]);
    let group =
        "<div role=toolbar aria-label=T><button>A</button><button tabindex=-1>B</button></div>";
    assert_eq!(walked(group).expect("a browser").faults, [], "arrows lead on in a toolbar");
}

#[test]
fn escape_closes_a_layer_and_gives_the_focus_back() {
    let main = "<button onclick=\"d.showModal()\">Open</button><dialog id=d aria-label=Layer><button>In</button></dialog>";
    let Some(mut page) = at(main) else { return };
    page.tab_to("button", "Open").expect("there");
    page.opens_and_closes("Enter", "dialog", "Layer").expect("closed");
    page.focus_is("button", "Open").expect("back");
}

#[test]
fn a_page_that_scrolls_sideways_is_found() {
    let main = "<p style='width: 400px'>wide</p>";
    let Some(told) = layout(main, 360) else { return };
    assert!(told.iter().any(|one| one.contains("scrolls sideways by")), "{told:?}");
    assert_eq!(layout(main, 1024).expect("a browser"), Vec::<String>::new());
}

#[test]
fn a_text_that_is_cut_is_found() {
    let cut = "<div style='width: 80px; overflow: hidden; white-space: nowrap'>a text that is longer</div>";
    let Some(told) = layout(cut, 1024) else { return };
    assert!(told.iter().any(|one| one.contains("is cut: div “a text")), "{told:?}");
    let said = "<div title='a text that is longer' style='width: 80px; overflow: hidden; white-space: nowrap; text-overflow: ellipsis'>a text that is longer</div>";
    assert_eq!(layout(said, 1024).expect("a browser"), Vec::<String>::new());
}

#[test]
fn a_text_that_wider_spacing_cuts_is_found() {
    // Thirteen letters and a half, whatever letters the machine has.
    let tight = "<div style='font: 16px monospace; height: 20px; line-height: 20px; width: 13.5ch; overflow: hidden'>just one line</div>";
    let Some(page) = at(tight) else { return };
    assert_eq!(page.layout().expect("measured"), Vec::<String>::new());
    let told = page.layout_spaced().expect("measured");
    assert!(told.iter().any(|one| one.contains("is cut")), "{told:?}");
    assert_eq!(page.layout().expect("measured"), Vec::<String>::new(), "it is as it was");
}

#[test]
fn controls_over_each_other_and_too_small_ones_are_found() {
    let over = "<button style='height: 40px'>A</button><button style='height: 40px; margin-left: -20px'>B</button>";
    let Some(told) = layout(over, 1024) else { return };
    assert!(told.iter().any(|one| one.contains("button “A” lies over button “B”")), "{told:?}");
    let small = "<button style='width: 16px; height: 16px; padding: 0'>x</button>";
    let told = layout(small, 1024).expect("a browser");
    assert!(told.iter().any(|one| one.contains("is 16 by 16 px")), "{told:?}");
    let labelled = "<label style='display: block; padding: 8px'><input type=checkbox> Yes</label>";
    assert_eq!(layout(labelled, 1024).expect("a browser"), Vec::<String>::new());
}

#[test]
fn what_moves_for_somebody_who_asked_that_nothing_does_is_found() {
    let main = "<style>button { transition: opacity 1s } @media (prefers-reduced-motion: reduce) { .kind { transition: none } }</style><button>A</button><button class=kind>B</button>";
    let Some(page) = at(main) else { return };
    page.look(Look::Still).expect("a look");
    let told = page.moving().expect("measured");
    assert_eq!(told, ["button “A” moves although less motion is asked for"]);
}
