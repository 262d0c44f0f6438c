//! The wording of the house's consent forms, for the privacy officer: which forms there are, whose words
//! each says, and the house's own in place of those that ship (45 CFR 164.520(b), 164.530(i)).

use super::consents::called;
use super::{done, place};
use crate::answer::{Answer, is_nothing};
use crate::booking::type_id;
use crate::done::finish;
use crate::pages::missing;
use crate::parts::{
    Column, Field, Icon, Kind as Button, Table, Tone, badge, button, error_summary, field, hidden,
    link_button, panel, shell_with, table,
};
use crate::route::part;
use crate::visit::Visit;
use crate::words::{self, Lang, Word};
use base::Fault;
use base::error::code;
use maud::{Markup, html};
use record::Action;
use registration::Seen;
use registration::consent::form::{self, Form};
use registration::consent::{Kind, text::Tongue};

/// `/admin/consents`
pub(crate) fn page(visit: &Visit) -> Result<Answer, Fault> {
    if !keeps(visit)? {
        return Ok(missing::page(visit));
    }
    let lang = visit.lang();
    let mut rows = Vec::new();
    for kind in Kind::ALL {
        for tongue in Tongue::ALL {
            let of = finish(form::of(&visit.session, kind, tongue))?;
            let to = format!("/admin/consents/{}/{}", kind.code(), tongue.tag());
            rows.push(vec![
                html! { a href=(to) aria-label={ (called(kind).of(lang)) ", " (own_name(tongue)) } { (called(kind).of(lang)) } },
                html! { (own_name(tongue)) },
                whose(&of, lang),
                html! { (of.edition) },
            ]);
        }
    }
    let column = |word: Word| Column { label: word.of(lang), is_figure: false };
    let columns = [
        column(words::WORDING_FORM),
        column(words::CONSENT_LANGUAGE),
        column(words::WORDING_WHOSE),
        column(words::CONSENT_EDITION),
    ];
    let caption = words::WORDING.of(lang);
    let body = html! {
        h1 { (words::WORDING.of(lang)) }
        p.muted { (words::WORDING_WHY.of(lang)) }
        (panel("forms", words::WORDING_FORMS.of(lang), None, &table(&Table { caption, columns: &columns, rows: &rows })))
        (done(visit, &[("kept", words::WORDING_KEPT), ("back", words::WORDING_BACK), ("stale", words::CONSENT_STALE)]))
    };
    Ok(shell_with(visit, 200, words::WORDING.of(lang), &[], &body))
}

/// `/admin/consents/{kind}/{language}`
pub(crate) fn one(visit: &Visit) -> Result<Answer, Fault> {
    let Some((kind, tongue)) = asked(visit)? else { return Ok(missing::page(visit)) };
    let of = finish(form::of(&visit.session, kind, tongue))?;
    show(visit, 200, &of, (&of.title, &of.plain()), None)
}

/// Keeps the house's own words, or goes back to those that ship.
pub(crate) fn keep(visit: &Visit) -> Result<Answer, Fault> {
    let Some((kind, tongue)) = asked(visit)? else { return Ok(missing::page(visit)) };
    let is_back = visit.field("do") == "back";
    let (title, text) = (visit.field("title"), visit.field("words"));
    let again = |at: &'static str| {
        let of = finish(form::of(&visit.session, kind, tongue))?;
        show(visit, 422, &of, (title, text), Some(at))
    };
    if !is_back && text.trim().is_empty() {
        return again("words");
    }
    let seen = visit
        .field("version")
        .parse()
        .ok()
        .map(|version| Seen { id: visit.field("which").to_owned(), version });
    let (title, text) = if is_back { (title, "") } else { (title, text) };
    match finish(form::keep(&visit.session, kind, tongue, seen.as_ref(), title, text)) {
        Ok(()) => {
            let what = if is_back { "back" } else { "kept" };
            Ok(Answer::go(format!("/admin/consents?done={what}")))
        }
        Err(fault) if fault.code() == &code::REGISTRATION_VALUE => {
            again(match place(&fault).as_str() {
                "title" => "title",
                "statutory" => "statutory",
                _ => "words",
            })
        }
        Err(fault) if fault.code() == &code::VERSION_CONFLICT => {
            Ok(Answer::go("/admin/consents?done=stale"))
        }
        Err(fault) if is_nothing(&fault) => Ok(missing::page(visit)),
        Err(fault) => Err(fault),
    }
}

/// Whether whoever asks keeps the wording: the gate holds it, this says who is shown the page.
pub(crate) fn keeps(visit: &Visit) -> Result<bool, Fault> {
    let of = type_id("Questionnaire")?;
    Ok(visit.session.may_read_whole_log() && visit.session.may(Action::Create, of))
}

fn asked(visit: &Visit) -> Result<Option<(Kind, Tongue)>, Fault> {
    let kind = Kind::from_code(part(visit, 2));
    let tongue = Tongue::ALL.into_iter().find(|one| one.tag() == part(visit, 3));
    Ok(kind.zip(tongue).filter(|_| keeps(visit).unwrap_or(false)))
}

fn own_name(tongue: Tongue) -> &'static str {
    Lang::from_tag(tongue.tag()).map(Lang::own_name).unwrap_or_default()
}

fn whose(of: &Form, lang: Lang) -> Markup {
    match of.is_own {
        true => badge(Tone::Accent, Icon::Pencil, words::WORDING_OWN.of(lang)),
        false => badge(Tone::Neutral, Icon::Info, words::WORDING_SHIPPED.of(lang)),
    }
}

fn show(
    visit: &Visit,
    status: u16,
    of: &Form,
    (title, text): (&str, &str),
    wrong: Option<&'static str>,
) -> Result<Answer, Fault> {
    let lang = visit.lang();
    let (at, say) = match wrong {
        Some("statutory") => ("words", words::WORDING_WRONG_STATUTORY.of(lang)),
        other => (other.unwrap_or_default(), words::WRONG_MISSING.of(lang)),
    };
    let statutory = form::statutory(of.kind, of.tongue);
    let error = |name: &str| if at == name { say } else { "" };
    let name = format!("{}, {}", called(of.kind).of(lang), own_name(of.tongue));
    let label = match at {
        "title" => words::WORDING_TITLE,
        _ => words::WORDING_TEXT,
    };
    let carried = html! {
        (hidden(visit))
        @if let Some(own) = &of.own {
            input type="hidden" name="which" value=(own.id);
            input type="hidden" name="version" value=(own.version);
        }
    };
    let is_wrong = at == "words";
    let body = html! {
        h1 { (name) }
        @if wrong.is_some() { (error_summary(lang, &[(at, &format!("{}: {say}", label.of(lang)))])) }
        (panel("wording", words::WORDING_FORM.of(lang), Some(&whose(of, lang)), &html! {
            form.stack method="post" action=(visit.path) {
                (carried)
                (field(&Field { id: "title", name: "title", label: words::WORDING_TITLE.of(lang), error: error("title"), value: title, ..Field::default() }))
                div.field.is-wrong[is_wrong] {
                    label for="words" { (words::WORDING_TEXT.of(lang)) }
                    p.hint id="words-hint" { (words::WORDING_TEXT_HINT.of(lang)) }
                    @if is_wrong { p.error id="words-error" { (say) } }
                    textarea #words.wording name="words" rows="18" lang=(of.tongue.tag())
                        aria-describedby={ "words-hint" @if is_wrong { " words-error" } } { (text) }
                }
                @if !statutory.is_empty() {
                    p.hint { (words::WORDING_STATUTORY.of(lang)) }
                    div.words lang=(of.tongue.tag()) { @for one in &statutory { p { (one) } } }
                }
                div.row {
                    (button(Button::Primary, Some(Icon::Ok), words::WORDING_KEEP.of(lang)))
                    (link_button(Button::Quiet, None, words::WORDING_FORMS.of(lang), "/admin/consents"))
                }
            }
            @if of.is_own { form.stack method="post" action=(visit.path) {
                (carried)
                input type="hidden" name="do" value="back";
                input type="hidden" name="title" value=(of.title);
                p.hint { (words::WORDING_BACK_WHY.of(lang)) }
                div.row { (button(Button::Secondary, None, words::WORDING_GO_BACK.of(lang))) }
            } }
        }))
    };
    Ok(shell_with(visit, status, &name, &[], &body))
}
