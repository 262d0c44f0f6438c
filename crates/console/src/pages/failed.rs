//! Something went wrong: what happened, what was kept, and what to do. It quotes nothing of a record; the
//! code is what whoever runs the server looks up.

use crate::answer::Answer;
use crate::parts::{Tone, bare, notice, shell};
use crate::visit::Visit;
use crate::words;
use base::Fault;
use base::error::code;
use maud::html;

/// The page.
pub(crate) fn page(visit: &Visit, fault: &Fault) -> Answer {
    let lang = visit.lang();
    let name = fault.code().name;
    let say = match name {
        _ if name == code::SEARCH_TOO_COSTLY.name => words::FAILED_COSTLY,
        _ if name == code::SESSION_EXPIRED.name => words::FAILED_FORM,
        _ if name == code::RATE_EXCEEDED.name || name == code::COST_EXCEEDED.name => {
            words::FAILED_RATE
        }
        _ if name == code::ACCESS_DENIED.name => words::FAILED_DENIED,
        _ => words::FAILED_WHY,
    };
    let about = html! {
        p { (say.of(lang)) }
        p.muted { (words::FAILED_CODE.of(lang)) " " code { (name) } }
    };
    let title = words::FAILED.of(lang);
    let body = html! { h1.unseen { (title) } (notice(Tone::Critical, title, &about)) };
    match visit.caller {
        Some(_) => shell(visit, fault.status(), title, &body),
        None => bare(visit, fault.status(), title, &body),
    }
}
