//! The page behind a reminder's link. Whoever has the link sees it, without signing in: it tells the clinic, the
//! day and the hour, and nothing of the patient or the visit (45 CFR 164.502(b)). To look changes nothing, since
//! phones and mail servers open links by themselves: each answer is a button that posts.

use crate::answer::Answer;
use crate::parts::shell::bare;
use crate::visit::Visit;
use crate::words::{self, Lang, Word};
use maud::{Markup, html};
use scheduling::book::waitlist::{self, Hinder};
use scheduling::remind::{Language, Shown};
use scheduling::waitlist::Offer;

/// What the page shows.
#[derive(Debug, Clone, Copy)]
pub enum LinkPage<'a> {
    /// A visit.
    Visit {
        /// What patients call the clinic.
        clinic: &'a str,
        /// When it is, and how it stands.
        shown: &'a Shown,
        /// It can still be changed.
        is_open: bool,
    },
    /// A freed time that is offered to somebody who waits.
    Offer {
        /// What patients call the clinic.
        clinic: &'a str,
        /// When it is, and what became of the offer.
        shown: &'a waitlist::Shown,
    },
    /// The link is over, or was never one.
    Over,
    /// Something went wrong, and nothing was changed.
    Failed(u16),
}

/// The page.
pub(crate) fn page(visit: &Visit, shows: &LinkPage<'_>) -> Answer {
    let lang = visit.lang();
    let (status, title, body) = match shows {
        LinkPage::Visit { clinic, shown, is_open } => {
            (200, words::LINK_TITLE, asked(visit, lang, clinic, shown, *is_open))
        }
        LinkPage::Offer { clinic, shown } => {
            (200, words::LINK_OFFER, offered(visit, lang, clinic, shown))
        }
        LinkPage::Over => (404, words::LINK_OVER, said(words::LINK_OVER_SAY.of(lang))),
        LinkPage::Failed(status) => {
            (*status, words::LINK_FAILED, said(words::LINK_FAILED_SAY.of(lang)))
        }
    };
    let title = title.of(lang);
    bare(visit, status, title, &html! { h1 { (title) } (body) })
}

fn said(say: &str) -> Markup {
    html! { p { (say) } }
}

fn asked(visit: &Visit, lang: Lang, clinic: &str, shown: &Shown, is_open: bool) -> Markup {
    let language = Language::of_tag(lang.tag());
    let may = is_open && shown.is_booked;
    html! {
        @if !clinic.is_empty() { p { strong { (clinic) } } }
        p { (language.date(shown.wall.date())) br; (language.time(shown.wall.time())) }
        @if shown.is_cancelled {
            p role="status" { (words::LINK_CANCELLED.of(lang)) }
        } @else if !may {
            p role="status" { (words::LINK_CLOSED.of(lang)) }
        } @else {
            @if shown.is_confirmed {
                p role="status" { (words::LINK_CONFIRMED.of(lang)) }
            } @else {
                p { (words::LINK_ASK.of(lang)) }
                (button(visit, "confirm", words::LINK_CONFIRM.of(lang), true))
            }
            p { a href={ (visit.path) "/in" } { (words::ARRIVAL_BEFORE.of(lang)) } }
            p.muted { (words::ARRIVAL_BEFORE_SAY.of(lang)) }
            details {
                summary { (words::LINK_CANNOT.of(lang)) }
                p { (words::LINK_CANCEL_SAY.of(lang)) }
                (button(visit, "cancel", words::LINK_CANCEL.of(lang), false))
            }
        }
        @if shown.is_left_alone {
            p { (words::LINK_STOPPED.of(lang)) }
        } @else {
            details {
                summary { (words::LINK_STOP_ASK.of(lang)) }
                (button(visit, "stop", words::LINK_STOP.of(lang), false))
            }
        }
    }
}

fn offered(visit: &Visit, lang: Lang, clinic: &str, shown: &waitlist::Shown) -> Markup {
    let language = Language::of_tag(lang.tag());
    html! {
        p { strong { (clinic) } }
        p { (language.date(shown.wall.date())) br; (language.time(shown.wall.time())) }
        @match shown.offer {
            Offer::Open { .. } => {
                @if let Some(hinder) = shown.hinder {
                    p role="status" { (hindered(hinder).of(lang)) }
                } @else {
                    p { (words::LINK_OFFER_ASK.of(lang)) }
                }
                @if let Some(until) = shown.until {
                    p { (words::LINK_OFFER_UNTIL.with(lang, &format!("{}, {}", language.date(until.date()), language.time(until.time())))) }
                }
                @if shown.is_instead { p { (words::LINK_OFFER_INSTEAD.of(lang)) } }
                @if shown.hinder.is_none() {
                    (button(visit, "yes", words::LINK_OFFER_YES.of(lang), true))
                }
                (button(visit, "no", words::LINK_OFFER_NO.of(lang), false))
            },
            Offer::Accepted => p role="status" { (words::LINK_OFFER_YOURS.of(lang)) },
            Offer::Declined => p role="status" { (words::LINK_OFFER_DECLINED.of(lang)) },
            Offer::Expired | Offer::Closed => p role="status" { (words::LINK_OFFER_GONE.of(lang)) },
        }
    }
}

/// Why they cannot have it, and what they can do.
const fn hindered(hinder: Hinder) -> Word {
    match hinder {
        Hinder::NotEarlier => words::LINK_OFFER_LATER,
        Hinder::OtherVisit => words::LINK_OFFER_OTHER,
    }
}

/// The link is the secret of the form, as it is of the page.
fn button(visit: &Visit, act: &str, word: &str, is_main: bool) -> Markup {
    html! {
        form method="post" action=(visit.path) {
            button.button.is-primary[is_main] type="submit" name="do" value=(act) { (word) }
        }
    }
}
