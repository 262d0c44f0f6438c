//! A signed note with what was added to it: whether it is as it was signed, its addenda and further
//! signatures, and that it was entered in error. What was signed is never changed here.

use super::{
    Open, about, carried, entry_id, framed, may, mendable, moment_shown, open, refusal, seen, told,
};
use crate::answer::{Answer, is_nothing};
use crate::pages::missing;
use crate::parts::{Field, Icon, Kind, Tone, badge, button, field, link_button, notice, panel};
use crate::route::part;
use crate::visit::Visit;
use crate::wait::wait;
use crate::words::{self, Lang};
use base::Fault;
use base::error::code;
use charting::About;
use charting::notes::{self, Note, NoteForm, NoteKind, Seal, Thread, Tie};
use maud::{Markup, html};

/// The note that the path names, if it is one of this chart.
fn begun(visit: &Visit) -> Result<Option<(Open, Thread)>, Fault> {
    let Some(open) = open(visit)? else { return Ok(None) };
    let about = About::patient(open.person.id.clone());
    match wait(notes::read(&visit.session, &about, part(visit, 3))) {
        Ok(thread) => Ok(Some((open, thread))),
        Err(fault) if fault.code().name == code::CHART_OTHER_PATIENT.name || is_nothing(&fault) => {
            Ok(None)
        }
        Err(fault) => Err(fault),
    }
}

/// `/p/{id}/notes/{note}`
pub(crate) fn page(visit: &Visit) -> Result<Answer, Fault> {
    let Some((open, thread)) = begun(visit)? else { return Ok(missing::page(visit)) };
    Ok(shown(visit, &open, &thread, 200, None))
}

/// Adds to it, signs it too, or marks it as entered in error.
pub(crate) fn keep(visit: &Visit) -> Result<Answer, Fault> {
    let Some((open, thread)) = begun(visit)? else { return Ok(missing::page(visit)) };
    let (id, session) = (thread.note.id.as_str(), &visit.session);
    let outcome = about(visit).and_then(|about| {
        let entry = entry_id(visit);
        wait(async {
            match visit.field("do") {
                "sign" => notes::co_sign(session, &about, id, &entry).await,
                "error" => {
                    let seen = seen(visit, id);
                    notes::enter_in_error(session, &about, &seen, visit.field("reason")).await
                }
                _ => {
                    let form = NoteForm {
                        form: entry,
                        kind: NoteKind::Addendum,
                        title: NoteKind::Addendum.code().1.to_owned(),
                        text: visit.field("text").replace("\r\n", "\n"),
                    };
                    notes::addend(session, &about, id, &form).await
                }
            }
        })
    });
    match outcome {
        Ok(_) => {
            let did = match visit.field("do") {
                "error" => "error",
                _ => "signed",
            };
            Ok(Answer::go(open.path(&format!("/notes/{id}?did={did}"))))
        }
        Err(fault) => {
            let (status, fault) = (fault.status(), mendable(fault)?);
            Ok(shown(visit, &open, &thread, status, Some(&fault)))
        }
    }
}

fn shown(
    visit: &Visit,
    open: &Open,
    thread: &Thread,
    status: u16,
    fault: Option<&Fault>,
) -> Answer {
    let lang = visit.lang();
    let note = &thread.note;
    let title = match note.title.as_str() {
        "" => words::CHART_DOCUMENT.of(lang),
        title => title,
    };
    let may_sign = may(visit, "DocumentReference") && visit.session.signer().is_some();
    let is_own = visit
        .session
        .signer()
        .is_some_and(|one| note.author.reference == format!("Practitioner/{}", one.practitioner));
    let (is_intact, is_over) = (note.seal == Seal::Intact, note.in_error.is_some());
    let body = html! {
        (told(visit, open))
        @if let Some(fault) = fault { (refusal(visit, open, fault)) }
        @if let Some(why) = &note.in_error {
            (notice(Tone::Critical, words::CHART_IN_ERROR.of(lang), &html! { p { (why) } }))
        }
        @if note.seal == Seal::Altered {
            (notice(Tone::Critical, words::CHART_ALTERED.of(lang), &html! { p { (words::CHART_ALTERED_WHY.of(lang)) } }))
        }
        div.columns {
            div {
                (one(visit, note, title, lang))
                @for later in &thread.later {
                    (one(visit, later, if matches!(later.of, Some((Tie::Signs, _))) { words::CHART_CO_SIGNED.of(lang) } else { words::CHART_ADDENDUM.of(lang) }, lang))
                }
                @if thread.more { p.foot.muted { (words::CHART_MORE_ADDENDA.of(lang)) } }
            }
            div {
                @if may_sign && !is_over {
                    (panel("addendum", words::CHART_ADD_ADDENDUM.of(lang), None, &html! {
                        form.stack.chart-form method="post" action=(visit.path) {
                            (carried(visit, open, &entry_id(visit), ""))
                            div.field { label for="text" { (words::CHART_NOTE_TEXT.of(lang)) }
                                textarea id="text" name="text" rows="6" { "\n" (visit.field("text")) } }
                            div.row { button.button.is-primary type="submit" name="do" value="addend" { span { (words::CHART_SIGN_ADDENDUM.of(lang)) } } }
                        }
                    }))
                    @if is_intact && !is_own {
                        (panel("co-sign", words::CHART_CO_SIGN.of(lang), None, &html! {
                            form.stack method="post" action=(visit.path) {
                                (carried(visit, open, &format!("{}-sign", entry_id(visit).trim_end_matches("-sign")), ""))
                                input type="hidden" name="do" value="sign";
                                p { (words::CHART_CO_SIGN_WHY.of(lang)) }
                                div.row { (button(Kind::Secondary, Some(Icon::Pen), words::CHART_CO_SIGN.of(lang))) }
                            }
                        }))
                    }
                    (panel("error", words::CHART_MARK_ERROR.of(lang), None, &html! {
                        form.stack.chart-form method="post" action=(visit.path) {
                            (carried(visit, open, &entry_id(visit), ""))
                            input type="hidden" name="version" value=(note.version);
                            input type="hidden" name="do" value="error";
                            (field(&Field { id: "reason", name: "reason", label: words::CHART_REASON_WHY.of(lang), hint: words::CHART_MARK_ERROR_HINT.of(lang), value: visit.field("reason"), ..Field::default() }))
                            div.row { (button(Kind::Danger, None, words::CHART_MARK_ERROR.of(lang))) }
                        }
                    }))
                }
                div.row {
                    (link_button(Kind::Quiet, Some(Icon::Clock), words::CHART_HISTORY.of(lang), &open.path(&format!("/history/DocumentReference/{}", note.id))))
                    (link_button(Kind::Quiet, None, words::CHART_BACK.of(lang), &open.path("")))
                }
            }
        }
    };
    framed(visit, (status, title), open, &body)
}

fn one(visit: &Visit, note: &Note, title: &str, lang: Lang) -> Markup {
    let seal = match note.seal {
        Seal::Intact => Some(badge(Tone::Ok, Icon::Ok, words::CHART_AS_SIGNED.of(lang))),
        Seal::Altered => Some(badge(Tone::Critical, Icon::Critical, words::CHART_ALTERED.of(lang))),
        Seal::None => None,
    };
    let id = format!("note-{}", note.id);
    let author = match note.author.display.as_str() {
        "" => words::NOT_KNOWN.of(lang),
        display => display,
    };
    panel(
        &id,
        title,
        seal.as_ref(),
        &html! {
            p.foot.muted { (author) " · " (moment_shown(visit, &note.signed)) }
            @if !note.text.is_empty() { div.note-text { (note.text) } }
            @else if note.of.is_none() { p.foot.muted { (words::CHART_NO_TEXT.of(lang)) } }
        },
    )
}
