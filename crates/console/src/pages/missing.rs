//! There is nothing at this address, or nothing for whoever asks. The two are one page, to the byte: that a
//! record exists is itself about the patient (45 CFR 164.502(a)).

use crate::answer::Answer;
use crate::parts::{Icon, Kind, bare, empty, link_button, shell};
use crate::visit::Visit;
use crate::words;

/// The page.
pub(crate) fn page(visit: &Visit) -> Answer {
    let lang = visit.lang();
    let action =
        link_button(Kind::Secondary, Some(Icon::Today), words::GO_TODAY.of(lang), "/today");
    let (title, say) = (words::MISSING.of(lang), words::MISSING_WHY.of(lang));
    let body = maud::html! { h1.unseen { (title) } (empty(Icon::Find, title, say, Some(&action))) };
    match visit.caller {
        Some(_) => shell(visit, 404, title, &body),
        None => bare(visit, 404, title, &body),
    }
}
