//! The kiosk: a device in the waiting room. It asks who somebody is by three things that they say of themselves,
//! shows no name and no list, and answers alike for everybody whom it does not find. Staff make a device one,
//! and end it on the page of sessions.

use super::arrival::birth_fields;
use crate::answer::{Answer, Body};
use crate::done::finish;
use crate::pages::missing;
use crate::pages::schedule::desk::house;
use crate::parts::{
    Icon, Kind, button, error_summary, hidden, icon, link_button, panel, qr, shell::arriving,
    shell::shell,
};
use crate::visit::Visit;
use crate::words::{self, Lang};
use base::Fault;
use base::error::code;
use maud::{Markup, html};
use scheduling::book::sites;

/// What the page shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KioskPage {
    /// Who somebody is is asked.
    Ask,
    /// What they said is not whole.
    Unread,
    /// Nobody was found, whyever.
    NotFound,
    /// There were too many tries.
    Locked,
    /// They are there, and the house knows it.
    Here,
    /// They are sent to the desk.
    Desk,
    /// The visit that they had open there is not any more.
    Over,
    /// The device is no kiosk.
    No,
    /// Something went wrong, and nothing was changed.
    Failed(u16),
}

/// The page.
pub(crate) fn page(visit: &Visit, shows: &KioskPage) -> Answer {
    let lang = visit.lang();
    let (status, title, body) = match shows {
        KioskPage::Ask => (200, words::KIOSK, form(visit, false)),
        KioskPage::Unread => (422, words::KIOSK, form(visit, true)),
        KioskPage::NotFound => {
            let body = html! {
                p role="status" { (words::KIOSK_NONE_SAY.of(lang)) }
                (form(visit, false))
            };
            (404, words::KIOSK_NONE, body)
        }
        KioskPage::Locked => (429, words::KIOSK_LOCKED, said(words::KIOSK_LOCKED_SAY.of(lang))),
        KioskPage::Here => (200, words::KIOSK_HERE, next(visit, words::KIOSK_HERE_SAY.of(lang))),
        KioskPage::Desk => (200, words::KIOSK_DESK, next(visit, words::KIOSK_DESK_SAY.of(lang))),
        KioskPage::Over => (200, words::KIOSK_OVER, next(visit, words::KIOSK_OVER_SAY.of(lang))),
        KioskPage::No => {
            let to = "/kiosk/begin";
            let body = html! {
                (said(words::KIOSK_NO_SAY.of(lang)))
                (link_button(Kind::Quiet, None, words::KIOSK_STAFF.of(lang), to))
            };
            (403, words::KIOSK_NO, body)
        }
        KioskPage::Failed(status) => {
            (*status, words::LINK_FAILED, next(visit, words::KIOSK_NONE_SAY.of(lang)))
        }
    };
    let title = title.of(lang);
    // The first page may stand for hours: it closes to itself.
    let is_kiosk = *shows != KioskPage::No;
    arriving(visit, status, title, is_kiosk, &html! { h1 { (title) } (body) })
}

fn said(say: &str) -> Markup {
    html! { p role="status" { (say) } }
}

fn next(visit: &Visit, say: &str) -> Markup {
    html! {
        (said(say))
        (link_button(Kind::Primary, None, words::KIOSK_NEXT.of(visit.lang()), "/kiosk"))
    }
}

fn form(visit: &Visit, is_wrong: bool) -> Markup {
    let lang = visit.lang();
    let invalid = is_wrong.then_some("true");
    html! {
        @if is_wrong { (error_summary(lang, &[("initial", words::KIOSK_UNREAD.of(lang))])) }
        form.languages method="post" action="/kiosk" {
            @for of in Lang::ALL {
                @let is_own = of == lang;
                button.button.is-secondary type="submit" name="lang" value=(of.tag()) lang=(of.tag()) aria-current=[is_own.then_some("true")] {
                    @if is_own { (icon(Icon::Ok)) }
                    span { (of.own_name()) }
                }
            }
        }
        p { (words::KIOSK_ASK.of(lang)) }
        form method="post" action="/kiosk" autocomplete="off" {
            div.field.is-wrong[is_wrong] {
                label for="initial" { (words::KIOSK_INITIAL.of(lang)) }
                input #initial type="text" name="initial" maxlength="1" autocomplete="off" autocapitalize="characters"
                    spellcheck="false" required aria-invalid=[invalid];
            }
            fieldset {
                legend { (words::KIOSK_BIRTH.of(lang)) }
                (birth_fields(lang, is_wrong))
            }
            div.field.is-wrong[is_wrong] {
                label for="phone" { (words::KIOSK_PHONE.of(lang)) }
                input #phone type="text" name="phone" inputmode="numeric" maxlength="4" autocomplete="off" required
                    aria-invalid=[invalid];
            }
            (button(Kind::Primary, None, words::KIOSK_FIND.of(lang)))
        }
    }
}

/// `/kiosk/begin`
pub(crate) fn begin(visit: &Visit) -> Result<Answer, Fault> {
    if !visit.session.may_begin_kiosk() {
        return Ok(missing::page(visit));
    }
    let lang = visit.lang();
    let sites = finish(sites(&visit.session, &house(visit)))?;
    let chosen = visit.parameter("site");
    let choice = |id: &str| {
        html! {
            div.field {
                label for=(id) { (words::KIOSK_SITE.of(lang)) }
                select id=(id) name="site" {
                    @for site in &sites.rows {
                        @let own = site.location.id();
                        option value=(own) selected[own == chosen] { (site.name) }
                    }
                    option value="" { (words::KIOSK_ANY_SITE.of(lang)) }
                }
            }
        }
    };
    let body = html! {
        h1 { (words::KIOSK_BEGIN.of(lang)) }
        (panel("kiosk", words::KIOSK_ONE.of(lang), None, &html! {
            form.stack method="post" action="/kiosk/begin" {
                (hidden(visit))
                p { (words::KIOSK_BEGIN_SAY.of(lang)) }
                (choice("site"))
                div.row { (button(Kind::Primary, Some(Icon::Ok), words::KIOSK_BEGIN_DO.of(lang))) }
            }
        }))
        (panel("wall", words::WALL.of(lang), None, &html! {
            form.stack method="post" action="/kiosk/begin" {
                (hidden(visit))
                input type="hidden" name="what" value="wall";
                p { (words::WALL_BEGIN_SAY.of(lang)) }
                (choice("wall-site"))
                div.row { (button(Kind::Secondary, Some(Icon::Gallery), words::WALL_BEGIN.of(lang))) }
            }
        }))
        (panel("sign", words::KIOSK_SIGN.of(lang), None, &html! {
            form.stack method="get" action="/kiosk/sign" {
                p { (words::KIOSK_SIGN_SAY.of(lang)) }
                (choice("sign-site"))
                div.row { (button(Kind::Secondary, Some(Icon::Print), words::KIOSK_SIGN_SHOW.of(lang))) }
            }
        }))
    };
    Ok(shell(visit, 200, words::KIOSK_BEGIN.of(lang), &body))
}

/// `/kiosk/sign`: what hangs beside a kiosk, to be printed. It is read by patients of both languages, whoever
/// prints it; the code on it saves staff the address when they make the device a kiosk in the morning.
pub(crate) fn sign(visit: &Visit) -> Result<Answer, Fault> {
    if !visit.session.may_begin_kiosk() {
        return Ok(missing::page(visit));
    }
    let lang = visit.lang();
    let asked = visit.parameter("site");
    let all = finish(sites(&visit.session, &house(visit)))?;
    let site = all.rows.iter().find(|site| site.location.id() == asked);
    if site.is_none() && !asked.is_empty() {
        return Ok(missing::page(visit));
    }
    let begin = match site {
        Some(site) => format!("{}/kiosk/begin?site={}", visit.origin, site.location.id()),
        None => format!("{}/kiosk/begin", visit.origin),
    };
    let both = match lang {
        Lang::En => Lang::ALL,
        Lang::Es => [Lang::Es, Lang::En],
    };
    let needs = [words::KIOSK_INITIAL, words::KIOSK_BIRTH, words::KIOSK_PHONE];
    let body = html! {
        div.no-paper.stack {
            h1 { (words::KIOSK_SIGN.of(lang)) }
            p.muted { (words::KIOSK_SIGN_HOW.of(lang)) }
            div.row { (link_button(Kind::Secondary, Some(Icon::Back), words::KIOSK_BEGIN.of(lang), "/kiosk/begin")) }
        }
        section.sign aria-label=(words::KIOSK_SIGN.of(lang)) {
            @if let Some(site) = site { p.sign-site { (site.name) } }
            @for of in both {
                div.sign-words lang=(of.tag()) {
                    p.sign-title { (words::KIOSK.of(of)) }
                    p { (words::KIOSK_ASK.of(of)) }
                    ul { @for need in needs { li { (need.of(of)) } } }
                    p { (words::KIOSK_SIGN_ELSE.of(of)) }
                }
            }
            div.sign-staff {
                (qr(&begin, words::KIOSK_STAFF.of(lang))?)
                p { @for of in both { span lang=(of.tag()) { (words::KIOSK_STAFF.of(of)) } br; } }
            }
        }
    };
    Ok(shell(visit, 200, words::KIOSK_SIGN.of(lang), &body))
}

/// `POST /kiosk/begin`
pub(crate) fn began(visit: &Visit) -> Result<Answer, Fault> {
    let is_wall = match visit.field("what") {
        "" => false,
        "wall" => true,
        _ => return Err(Fault::at(&code::PARAMETER_INVALID, "use a button of the page", "what")),
    };
    match visit.session.begin_kiosk(visit.field("site"), is_wall) {
        Ok(token) => {
            let body = if is_wall { Body::Wall(token) } else { Body::Kiosk(token) };
            Ok(Answer { status: 303, body, choices: Vec::new() })
        }
        Err(fault) if crate::answer::is_nothing(&fault) => Ok(missing::page(visit)),
        Err(fault) if fault.code() == &code::DRAFT_TOO_MANY => Ok(Answer::go("/admin/sessions")),
        Err(fault) => Err(fault),
    }
}
