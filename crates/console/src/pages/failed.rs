//! Something went wrong: what happened, what was kept, and what to do. It quotes nothing of a record; the
//! code is what whoever runs the server looks up.

use crate::answer::Answer;
use crate::parts::{Tone, bare, notice, shell};
use crate::visit::Visit;
use crate::words::{self, Word};
use base::Fault;
use base::error::code;
use maud::{Markup, html};

/// The page.
pub(crate) fn page(visit: &Visit, fault: &Fault) -> Answer {
    let lang = visit.lang();
    let title = words::FAILED.of(lang);
    let body =
        html! { h1.unseen { (title) } (notice(Tone::Critical, title, &about(visit, fault))) };
    match visit.caller {
        Some(_) => shell(visit, fault.status(), title, &body),
        None => bare(visit, fault.status(), title, &body),
    }
}

/// One part of a page that cannot be shown, where the rest can. Without an access log nothing may be
/// shown at all, and then it is the page that failed.
///
/// # Errors
/// The fault itself, when the access log cannot be written.
pub(crate) fn part(visit: &Visit, fault: Fault) -> Result<Markup, Fault> {
    if fault.code().name == code::AUDIT_UNAVAILABLE.name {
        return Err(fault);
    }
    let title = words::FAILED_PART.of(visit.lang());
    Ok(notice(Tone::Critical, title, &about(visit, &fault)))
}

/// What people are told of a fault.
pub(crate) fn why(fault: &Fault) -> Word {
    let name = fault.code().name;
    let told = [
        (&code::SEARCH_TOO_COSTLY, words::FAILED_COSTLY),
        (&code::SESSION_EXPIRED, words::FAILED_FORM),
        (&code::RATE_EXCEEDED, words::FAILED_RATE),
        (&code::COST_EXCEEDED, words::FAILED_RATE),
        (&code::TIMEOUT, words::FAILED_TIME),
        (&code::ACCESS_DENIED, words::FAILED_DENIED),
    ];
    told.iter().find(|(code, _)| code.name == name).map_or(words::FAILED_WHY, |(_, word)| *word)
}

fn about(visit: &Visit, fault: &Fault) -> Markup {
    let lang = visit.lang();
    html! {
        p { (why(fault).of(lang)) }
        p.muted { (words::FAILED_CODE.of(lang)) " " code { (fault.code().name) } }
    }
}
