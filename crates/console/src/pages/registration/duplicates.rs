//! Records that are likely of one patient, to be looked at by whoever decides it: those changed last
//! first, the likeliest of them on top. What was decided is not asked again.

use super::{done, grade, reasons};
use crate::answer::Answer;
use crate::days;
use crate::pages::missing;
use crate::parts::{Icon, Kind, born, empty, link_button, may_review, pages, panel, shell};
use crate::person::Person;
use crate::visit::Visit;
use crate::words::{self, Lang};
use base::Fault;
use jiff::civil::Date;
use maud::{Markup, html};
use record::Pair;

/// `/duplicates`
pub(crate) fn page(visit: &Visit) -> Result<Answer, Fault> {
    if !may_review(visit) {
        return Ok(missing::page(visit));
    }
    let lang = visit.lang();
    let today = days::day_at(visit.now(), &visit.zone);
    let from = Some(visit.parameter("from")).filter(|from| !from.is_empty());
    let found = visit.session.duplicate_pairs(from)?.wait()?;
    let next = found.next.as_ref().map(|next| format!("/duplicates?from={next}"));
    let looked = words::DUPLICATES_LOOKED.with(lang, &found.looked_at.to_string());
    let body = html! {
        h1 { (words::DUPLICATES.of(lang)) }
        (panel("pairs", words::DUPLICATES_PAIRS.of(lang), None, &html! {
            @if found.pairs.is_empty() {
                (empty(Icon::Twins, words::DUPLICATES_NONE.of(lang), &looked, None))
            } @else {
                ul.pairs { @for pair in &found.pairs { (row(pair, today, lang)) } }
                p.foot.muted { (looked) }
            }
        }))
        @if next.is_some() || from.is_some() {
            (pages(lang, from.map(|_| "/duplicates"), next.as_deref()))
        }
        (done(visit, &[("apart", words::COMPARE_APART_DONE)]))
    };
    Ok(shell(visit, 200, words::DUPLICATES.of(lang), &body))
}

fn row(pair: &Pair, today: Date, lang: Lang) -> Markup {
    let both = [Person::of_row(&pair.row), Person::of_row(&pair.other.row)];
    let [one, other] = &both;
    html! {
        li.pair {
            @for person in &both {
                div {
                    p.alike-name { a.row-action href={ "/p/" (person.id) } { (person.name().unwrap_or_else(|| words::NO_NAME.of(lang).to_owned())) } }
                    p.muted { (born(person, today, lang))
                        @if let Some(number) = person.record_number() { " · " span.number { (number.value) } } }
                }
            }
            div { (grade(pair.other.grade, lang)) (reasons(&pair.other.reasons, lang)) }
            (link_button(Kind::Secondary, Some(Icon::Twins), words::COMPARE.of(lang), &format!("/p/{}/compare/{}", one.id, other.id)))
        }
    }
}
