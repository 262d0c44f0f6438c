//! The client in a real browser: what it finds, presses, clicks, counts and reports.

use crate::site::{at, markup, page};
use browser::{Budget, Chromium, Look, Picture, find_or_skip};
use std::time::Duration;

#[test]
fn a_browser_is_gone_with_all_its_processes_when_it_is_dropped() {
    let Some(program) = find_or_skip().expect("a Chromium") else { return };
    let chromium = Chromium::launch(&program, &std::env::temp_dir()).expect("a Chromium");
    assert!(chromium.version().expect("a version").contains('/'));
    let group = chromium.id().to_string();
    let members = || {
        let told = std::process::Command::new("ps").args(["-eo", "pgid="]).output().expect("ps");
        let told = String::from_utf8(told.stdout).expect("text");
        told.lines().filter(|line| line.trim() == group).count()
    };
    assert!(members() > 1, "a browser is several processes");
    drop(chromium);
    // Those that were killed are nobody's children until the system has taken them in.
    let began = std::time::Instant::now();
    while members() > 0 {
        assert!(began.elapsed() < Duration::from_secs(30), "{} are left", members());
        std::thread::yield_now();
    }
}

#[test]
fn a_field_is_found_by_its_label_and_takes_what_is_typed() {
    let main = "<label for=a>Family name</label><input id=a><button onclick=\"document.querySelector('p').textContent = a.value\">Show</button><p></p>";
    let Some(mut page) = at(main) else { return };
    page.tab_to("textbox", "Family name").expect("the field");
    page.types("Ünal 1+2 /k").expect("typed");
    page.tab_to("button", "Show").expect("the button");
    page.press("Enter").expect("pressed");
    page.reads("Ünal 1+2 /k").expect("shown");
    assert_eq!(page.spent(), Budget { clicks: 0, keys: 11 + 2 + 1 });
    page.click("textbox", "Family name").expect("clicked");
    page.press("Control+a").expect("pressed");
    page.pastes("Ada").expect("pasted");
    page.click("button", "Show").expect("clicked");
    page.wait("the new text", |p| Ok(p.text()?.ends_with("Ada"))).expect("shown");
    page.end(Budget { clicks: 2, keys: 16 }).expect("within its budget");
    let error = page.end(Budget { clicks: 2, keys: 15 }).expect_err("one too many").to_string();
    assert!(error.contains("keys: 16") && error.contains("clicks the button “Show”"), "{error}");
    assert!(!error.contains("types Ünal"), "what is typed is in no message");
}

#[test]
fn the_focus_that_a_page_asks_for_is_waited_for() {
    let Some(mut page) = at("<a href=x>Before</a><input aria-label=Here autofocus>") else {
        return;
    };
    assert_eq!(page.focus().expect("asked").expect("a focus").name, "Here");
    page.tab_to("textbox", "Here").expect("it has it");
    assert_eq!(page.spent().keys, 0);
}

#[test]
fn a_click_does_not_reach_through_what_lies_over_it() {
    let main = "<button>Save</button><div style='position:fixed;inset:0'>Please wait</div>";
    let Some(mut page) = at(main) else { return };
    let error = page.click("button", "Save").expect_err("covered").to_string();
    assert!(error.contains("over the button “Save” lies div “Please wait”"), "{error}");
    assert!(error.contains("picture: "), "{error}");
    let file = error.rsplit("picture: ").next().expect("a file");
    let picture = Picture::read(&std::fs::read(file).expect("there")).expect("a picture");
    assert_eq!(picture.width, 1024);
    std::fs::remove_file(file).expect("removed");
}

#[test]
fn two_of_one_name_are_refused() {
    let Some(mut page) = at("<button>Edit</button><button>Edit</button>") else { return };
    let error = page.click("button", "Edit").expect_err("which").to_string();
    assert!(error.contains("there are 2 of the button “Edit”"), "{error}");
}

#[test]
fn whatever_a_page_does_wrong_fails_its_journey() {
    let wrong = [
        ("throws", "<script>throw new Error('lost')</script>", "uncaught: Error: lost"),
        ("says", "<script>console.error('odd', 7)</script>", "console: odd 7"),
        ("lacks", "<img src=/none.png alt=''>", "404 for the Image"),
        ("leaves", "<img src=http://elsewhere.example/ alt=''>", "for the Image http://elsewhere"),
    ];
    for (name, main, told) in wrong {
        let Some(mut page) = at(main) else { return };
        page.wait("the fault", |page| {
            let faults = page.faults()?.join("; ");
            Ok(faults.contains(told))
        })
        .unwrap_or_else(|error| panic!("{name}: {error:#}"));
    }
}

#[test]
fn a_violation_of_the_policy_fails_the_journey() {
    let head = "Content-Security-Policy: default-src 'self'\r\n";
    let main = markup("<p style='color: red'>styled</p>");
    let Some(mut page) = page(vec![("/", head, main)]) else { return };
    page.go("/").expect("loaded");
    let mut told = Vec::new();
    page.wait("the violation", |page| {
        told.extend(page.faults()?);
        Ok(told.iter().any(|fault| fault.contains("ContentSecurityPolicyIssue")))
    })
    .expect("told");
}

#[test]
fn without_scripts_a_page_is_as_it_was_sent() {
    let main = markup("<p>sent</p><script src=/s.js></script>");
    let script = "document.querySelector('p').textContent = 'scripted'".to_owned();
    let Some(mut page) = page(vec![("/", "", main), ("/s.js", "", script)]) else { return };
    page.go("/").expect("loaded");
    page.reads("scripted").expect("it runs");
    page.scripts(false).expect("off");
    page.go("/").expect("loaded");
    page.reads("sent").expect("it does not");
    page.scripts(true).expect("on");
    page.offline(true).expect("off");
    assert!(page.go("/").is_err());
}

#[test]
fn a_look_changes_what_is_seen_and_a_picture_shows_it() {
    let main = "<style>@media (prefers-color-scheme: dark) { :root { background: #000 } } @media print { p { display: none } }</style><p>on screen</p>";
    let Some(page) = at(main) else { return };
    let shot = |look| {
        page.look(look).expect("a look");
        Picture::read(&page.png().expect("taken")).expect("a picture")
    };
    let (light, again, dark) = (shot(Look::Light), shot(Look::Light), shot(Look::Dark));
    assert_eq!(light.against(&again), None);
    assert!(light.against(&dark).expect("a difference").cells > light.width);
    page.look(Look::Paper).expect("a look");
    assert!(!page.text().expect("read").contains("on screen"));
    assert!(page.pdf().expect("printed").starts_with(b"%PDF-"));
}

#[test]
fn pages_share_nothing_and_tabs_share_all() {
    let Some(page) = at("<p>here</p>") else { return };
    page.js("document.cookie = 'a=1'").expect("set");
    let mut tab = page.tab().expect("a tab");
    tab.go("/").expect("loaded");
    assert_eq!(tab.js("document.cookie").expect("read"), "a=1");
    let Some(other) = at("<p>here</p>") else { return };
    assert_eq!(other.js("document.cookie").expect("read"), "");
}

#[test]
fn loads_and_keys_are_measured() {
    let main = "<p>first</p><input aria-label=Find autofocus oninput=\"setTimeout(() => document.querySelector('p').textContent = 'found', 40)\">";
    let Some(mut page) = page(vec![("/", "", markup(main))]) else { return };
    let paint = page.load("/").expect("loaded");
    assert_eq!(paint.requests, 1);
    assert!(paint.bytes > markup(main).len() as u64, "{paint:?}");
    assert!(paint.first > Duration::ZERO);
    let found = "document.querySelector('p').textContent === 'found'";
    let taken = page.key_to_paint("a", found).expect("painted");
    assert!(taken >= Duration::from_millis(40), "{taken:?}");
}
