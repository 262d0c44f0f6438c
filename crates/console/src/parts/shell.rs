//! The frame of every page: the way past it, the places there are for whoever is signed in, the find
//! box, their menu, and in a demo that it is one. It is whole without a script.

use super::form::hidden;
use super::icon::{Icon, icon};
use crate::answer::Answer;
use crate::assets;
use crate::booking::type_id;
use crate::visit::Visit;
use crate::words::{self, Lang, Word};
use maud::{DOCTYPE, Markup, html};
use record::Action;

/// A place to go to.
#[derive(Debug, Clone)]
pub(crate) struct Screen {
    pub(crate) word: Word,
    pub(crate) icon: Icon,
    pub(crate) path: String,
    /// The letter that, after `g`, leads there.
    pub(crate) key: Option<char>,
    /// It stands in the margin of every page.
    pub(crate) is_main: bool,
}

/// The places there are for whoever is signed in: what their role may not see is none.
pub(crate) fn places(visit: &Visit) -> Vec<Screen> {
    let place = |word, icon, path: &str, key, is_main| Screen {
        word,
        icon,
        path: path.to_owned(),
        key,
        is_main,
    };
    let mut all = vec![place(words::TODAY, Icon::Today, "/today", Some('t'), true)];
    let Some(caller) = &visit.caller else { return Vec::new() };
    let profile = &caller.principal.profile;
    if let Some(own) = &profile.patient {
        all.push(place(words::MY_RECORD, Icon::Person, &format!("/p/{own}"), Some('r'), true));
    }
    for other in &profile.represents {
        all.push(place(words::THEIR_RECORD, Icon::Person, &format!("/p/{other}"), None, true));
    }
    if crate::pages::flow::board::is_shown(visit) {
        all.push(place(words::FLOW, Icon::Flow, "/flow", Some('l'), true));
    }
    if crate::pages::inbox::is_shown(visit) {
        all.push(place(words::INBOX, Icon::Inbox, "/inbox", Some('i'), true));
    }
    if finds_patients(visit) {
        all.push(place(words::PATIENTS, Icon::Find, "/find", Some('f'), true));
    }
    if crate::pages::schedule::desk::sees(visit) {
        all.push(place(words::CAL_SCHEDULE, Icon::Schedule, "/schedule", Some('d'), true));
    }
    if may_register(visit) {
        all.push(place(words::PLACE_REGISTER, Icon::Plus, "/register", Some('n'), true));
    }
    if may_review(visit) {
        all.push(place(words::PLACE_DUPLICATES, Icon::Twins, "/duplicates", Some('u'), true));
    }
    if visit.session.may_see_people() {
        all.push(place(words::USERS, Icon::People, "/admin/users", Some('p'), true));
        all.push(place(words::ROLES, Icon::Shield, "/admin/access/review", Some('e'), true));
    }
    if visit.session.may_read_whole_log() {
        all.push(place(words::LOGS, Icon::Eye, "/audit", Some('a'), true));
        all.push(place(words::TURNS, Icon::Alert, "/review", Some('v'), true));
        all.push(place(words::SEES, Icon::Info, "/admin/access", None, false));
    }
    if crate::pages::registration::wording::keeps(visit).unwrap_or(false) {
        all.push(place(words::WORDING, Icon::Pencil, "/admin/consents", None, false));
    }
    if visit.machine.is_some() {
        all.push(place(words::IT_SYSTEM, Icon::Health, "/admin/health", Some('h'), true));
    }
    all.extend([
        place(words::OPENED, Icon::Leave, "/admin/sessions", None, false),
        place(words::SETTINGS, Icon::Settings, "/settings", Some('s'), true),
        place(words::APPS, Icon::Apps, "/auth/apps", None, false),
        place(words::FACTORS, Icon::Key, "/auth/factors", None, false),
        place(words::GALLERY, Icon::Gallery, "/gallery", Some('c'), false),
    ]);
    all
}

/// Whether somebody looks for patients here: who is no patient, and may see some.
pub(crate) fn finds_patients(visit: &Visit) -> bool {
    let Some(caller) = &visit.caller else { return false };
    let profile = &caller.principal.profile;
    let for_others = profile.patient.is_none() && profile.represents.is_empty();
    for_others && type_id("Patient").is_ok_and(|patient| visit.session.may_search(patient))
}

/// Whether somebody registers patients here.
pub(crate) fn may_register(visit: &Visit) -> bool {
    finds_patients(visit) && visit.session.may_register()
}

/// Whether somebody decides here which records are of one patient.
pub(crate) fn may_review(visit: &Visit) -> bool {
    let may = |patient| visit.session.may(Action::Merge, patient);
    finds_patients(visit) && type_id("Patient").is_ok_and(may)
}

/// A page for somebody who is signed in.
pub(crate) fn shell(visit: &Visit, status: u16, title: &str, body: &Markup) -> Answer {
    shell_with(visit, status, title, &[], body)
}

/// A page for somebody who is signed in, with scripts of its own.
pub(crate) fn shell_with(
    visit: &Visit,
    status: u16,
    title: &str,
    scripts: &[&str],
    body: &Markup,
) -> Answer {
    let lang = visit.lang();
    let places = places(visit);
    let frame = html! {
        header.top {
            a.brand href="/today" { (mark()) span { "Plummer" } }
            (find_box(visit))
            (menu(visit, &places))
        }
        nav.side aria-label=(words::MAIN_PLACES.of(lang)) { ul {
            @for place in places.iter().filter(|place| place.is_main) {
                li { a href=(place.path) data-key=[place.key] aria-current=[is_here(visit, &place.path).then_some("page")] {
                    (icon(place.icon)) span { (place.word.of(lang)) }
                    @if let Some(key) = place.key { kbd.far aria-hidden="true" { "g " (key) } }
                } }
            }
        } }
        main #main tabindex="-1" { (body) }
        (keys_sheet(&places, lang))
    };
    Answer::html(status, document(visit, title, "app", scripts, &frame))
}

/// A page for whoever comes: no places, no find box.
pub(crate) fn bare(visit: &Visit, status: u16, title: &str, body: &Markup) -> Answer {
    let frame = html! {
        header.top.is-bare { span.brand { (mark()) span { "Plummer" } } }
        main #main tabindex="-1" { (body) }
    };
    Answer::html(status, document(visit, title, "bare", &[], &frame))
}

/// A page for patients who check in without the desk. At a kiosk it goes back to the first page when nobody
/// does anything for a minute (WCAG 2.2, 2.2.1: one is told, and may ask for more); without a script the
/// browser does that itself.
pub(crate) fn arriving(
    visit: &Visit,
    status: u16,
    title: &str,
    is_kiosk: bool,
    body: &Markup,
) -> Answer {
    let frame = html! {
        header.top.is-bare { span.brand { (mark()) span { "Plummer" } } }
        main #main tabindex="-1" data-idle=[is_kiosk.then_some("60")] { (body) }
    };
    let (kind, scripts): (_, &[&str]) = match is_kiosk {
        true => ("bare is-arriving is-kiosk", &["kiosk.js"]),
        false => ("bare is-arriving", &[]),
    };
    Answer::html(status, document(visit, title, kind, scripts, &frame))
}

/// A page on a wall, which nobody touches: it is fetched again by itself, whatever it shows.
pub(crate) fn walled(visit: &Visit, status: u16, title: &str, body: &Markup) -> Answer {
    let frame = html! { main #main tabindex="-1" { (body) } };
    Answer::html(status, document(visit, title, "bare is-wall", &["wall.js"], &frame))
}

fn document(visit: &Visit, title: &str, kind: &str, scripts: &[&str], frame: &Markup) -> Markup {
    let lang = visit.lang();
    html! {
        (DOCTYPE)
        html lang=(lang.tag()) dir="ltr" data-theme=(visit.theme().name()) data-keys=[(!visit.has_keys()).then_some("off")] {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                title { (words::TITLE.with(lang, title)) }
                link rel="icon" href="data:,";
                @if scripts.contains(&"wall.js") { noscript { meta http-equiv="refresh" content="60;url=/wall"; } }
                @if scripts.contains(&"kiosk.js") { noscript { meta http-equiv="refresh" content="60;url=/kiosk"; } }
                link rel="stylesheet" href=(assets::address("console.css"));
                @for name in ["page.js", "keys.js", "find.js"].iter().chain(scripts) {
                    script type="module" src=(assets::address(name)) {}
                }
            }
            body class=(kind) {
                a.skip href="#main" { (words::SKIP.of(lang)) }
                @if visit.demo.is_some() {
                    div.demo role="note" { (icon(Icon::Info)) p { strong { (words::DEMO.of(lang)) } " " (words::DEMO_INVENTED.of(lang)) } }
                }
                (frame)
                p.printed { (words::PRINTED.with(lang, &crate::days::moment(visit.now(), &visit.zone, lang))) }
            }
        }
    }
}

/// Our mark: a heart's beat on a card.
fn mark() -> Markup {
    html! {
        svg.mark viewBox="0 0 24 24" aria-hidden="true" focusable="false" {
            path d="M6 3.500h12a2.500 2.500 0 0 1 2.500 2.500v12a2.500 2.500 0 0 1-2.500 2.500H6a2.500 2.500 0 0 1-2.500-2.500V6A2.500 2.500 0 0 1 6 3.500z" {}
            path d="M6.500 12.500h2.500l1.800-4.500l3 8.500l1.700-4h2" {}
        }
    }
}

fn is_here(visit: &Visit, path: &str) -> bool {
    let rest = visit.path.strip_prefix(path);
    rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

fn find_box(visit: &Visit) -> Markup {
    let lang = visit.lang();
    let says = if finds_patients(visit) { words::FIND_BOX } else { words::FIND_BOX_PLACES };
    html! {
        form.find method="post" action="/find" role="search" data-find="" {
            (hidden(visit))
            (icon(Icon::Find))
            label.unseen for="find" { (says.of(lang)) }
            input #find type="search" name="q" placeholder=(says.of(lang)) autocomplete="off" spellcheck="false" maxlength="120"
                aria-keyshortcuts="/ Control+K";
            kbd.far aria-hidden="true" { "/" }
            div.found #found hidden data-waiting=(words::FINDING.of(lang)) data-broken=(words::FIND_BROKEN.of(lang)) {}
            p.unseen role="status" #found-status {}
        }
    }
}

fn menu(visit: &Visit, places: &[Screen]) -> Markup {
    let lang = visit.lang();
    let Some(caller) = &visit.caller else { return html! {} };
    let profile = &caller.principal.profile;
    html! {
        details.menu {
            summary {
                span.unseen { (words::YOUR_MENU.of(lang)) " " }
                span.menu-who { span.menu-name { (profile.display) } span.muted { (role_names(&profile.roles, lang)) } }
                (icon(Icon::Down))
            }
            div.menu-body {
                @for place in places.iter().filter(|place| !place.is_main) {
                    a href=(place.path) { (icon(place.icon)) span { (place.word.of(lang)) } }
                }
                form method="post" action="/auth/sign-out" {
                    (hidden(visit))
                    button type="submit" { (icon(Icon::Leave)) span { (words::SIGN_OUT.of(lang)) } }
                }
            }
        }
    }
}

/// Roles in words; one of the site's own is said as it is.
pub(crate) fn role_names(roles: &[String], lang: Lang) -> String {
    let names: Vec<&str> = roles.iter().map(|role| role_name(role, lang)).collect();
    names.join(", ")
}

/// A role in words.
pub(crate) fn role_name(role: &str, lang: Lang) -> &str {
    let word = match role {
        "clinician" => words::CLINICIAN,
        "nurse" => words::NURSE,
        "front-desk" => words::FRONT_DESK,
        "biller" => words::BILLER,
        "him" => words::HIM,
        "privacy-officer" => words::PRIVACY_OFFICER,
        "it-administrator" => words::IT_ADMINISTRATOR,
        "auditor" => words::AUDITOR,
        "patient" => words::PATIENT,
        "proxy" => words::PROXY,
        "system" => words::PROGRAM,
        _ => return role,
    };
    word.of(lang)
}

/// The keys there are; `?` opens it.
fn keys_sheet(places: &[Screen], lang: Lang) -> Markup {
    let rows = html! {
        dl.keys {
            div { dt { kbd { "/" } " " kbd { (words::CONTROL_K.of(lang)) } } dd { (words::KEY_FIND.of(lang)) } }
            div { dt { kbd { "↑" } " " kbd { "↓" } " " kbd { "Enter" } } dd { (words::KEY_CHOOSE.of(lang)) } }
            div { dt { kbd { "Esc" } } dd { (words::KEY_CLOSE.of(lang)) } }
            @for place in places {
                @if let Some(key) = place.key {
                    div { dt { kbd { "g" } " " kbd { (key) } } dd { (words::KEY_GO.with(lang, place.word.of(lang))) } }
                }
            }
            @if places.iter().any(|place| place.path == "/inbox") {
                div { dt { kbd { "j" } " " kbd { "k" } } dd { (words::KEY_ITEMS.of(lang)) } }
                div { dt { kbd { "e" } } dd { (words::KEY_FILE.of(lang)) } }
            }
            div { dt { kbd { "?" } } dd { (words::KEY_SHEET.of(lang)) } }
        }
        form.row method="dialog" {
            button.button.is-secondary autofocus { (words::CLOSE.of(lang)) }
            a.button.is-quiet href="/settings" { (words::KEYS_OFF.of(lang)) }
        }
    };
    super::dialog("keys", words::KEYS.of(lang), &rows, false)
}
