//! Registering somebody new: looked for first, compared while it is typed, and registered once. What was
//! typed to find them is carried over in the body of a form; none of it stands in an address.

use super::fields::{self, Shown};
use super::{entry, grade, reasons};
use crate::answer::Answer;
use crate::days;
use crate::done::finish;
use crate::lookup::Asked;
use crate::pages::missing;
use crate::parts::{
    Field, Icon, Kind, Tone, badge, born, button, empty, field, gender, hidden, may_register,
    notice, shell_with,
};
use crate::person::Person;
use crate::visit::Visit;
use crate::words;
use base::Fault;
use maud::{Markup, html};
use record::Duplicate;
use registration::intake::{Intake, Wrong};
use registration::register::{Registered, is_taken_for, possible, register};

/// Those who may be the same that are shown beside a form.
const SHOWN_MAX: usize = 5;

/// `/register`
pub(crate) fn page(visit: &Visit) -> Result<Answer, Fault> {
    if !may_register(visit) {
        return Ok(missing::page(visit));
    }
    let form = Form { intake: Intake::default(), entry: entry(visit), ..Form::default() };
    show(visit, 200, &form)
}

/// What was sent: a line to look for, the fields while they are typed, or the whole to register.
pub(crate) fn answer(visit: &Visit) -> Result<Answer, Fault> {
    if !may_register(visit) {
        return Ok(missing::page(visit));
    }
    let (intake, born) = fields::read(visit);
    let lang = visit.lang();
    let kept = visit.field("entry");
    let mut form = Form {
        entry: if kept.is_empty() { entry(visit) } else { kept.to_owned() },
        reason: visit.field("reason").trim().to_owned(),
        intake,
        born,
        ..Form::default()
    };
    if visit.is_fragment() {
        form.alike = alike(visit, &form.intake)?;
        return Ok(Answer::html(200, beside(visit, &form)));
    }
    if visit.field("step") != "save" {
        form.line = visit.field("q").trim().to_owned();
        carry(visit, &mut form);
        form.alike = alike(visit, &form.intake)?;
        return show(visit, 200, &form);
    }
    form.wrong = form.intake.wrong(visit.now());
    if !form.wrong.is_empty() {
        form.alike = alike(visit, &form.intake)?;
        return show(visit, 422, &form);
    }
    match finish(register(&visit.session, &form.intake, &form.entry, &form.reason))? {
        Registered::Done { id, is_new } => {
            let done = if is_new { "registered" } else { "again" };
            Ok(Answer::go(format!("/p/{id}/details?done={done}")))
        }
        Registered::Alike(found) => {
            form.alike = found;
            form.asks_reason = true;
            form.reason_error = words::REGISTER_REASON_MISSING.of(lang);
            show(visit, 409, &form)
        }
    }
}

#[derive(Default)]
struct Form {
    intake: Intake,
    born: String,
    /// The line that they were looked for by.
    line: String,
    entry: String,
    reason: String,
    reason_error: &'static str,
    wrong: Vec<(&'static str, Wrong)>,
    alike: Vec<Duplicate>,
    asks_reason: bool,
}

/// What a line to find somebody by says of them.
fn carry(visit: &Visit, form: &mut Form) {
    if form.line.is_empty() || form.intake != Intake::default() {
        return;
    }
    let today = days::day_at(visit.now(), &visit.zone);
    let asked = Asked::of(&form.line, today);
    let capital = |name: &String| {
        let mut letters = name.chars();
        let first = letters.next().into_iter().flat_map(char::to_uppercase);
        first.chain(letters).collect::<String>()
    };
    let mut names: Vec<String> = asked.names.iter().map(capital).collect();
    if !names.is_empty() {
        let at = if asked.is_family_first { 0 } else { names.len() - 1 };
        form.intake.family = names.remove(at);
        form.intake.given = names.join(" ");
    }
    if let [day] = asked.born.as_slice() {
        form.intake.birth_date = day.to_string();
        form.born = days::shown(&form.intake.birth_date, visit.lang());
    }
    form.intake.mobile = asked.phone.unwrap_or_default();
}

fn alike(visit: &Visit, intake: &Intake) -> Result<Vec<Duplicate>, Fault> {
    finish(possible(&visit.session, intake, ""))
}

fn show(visit: &Visit, status: u16, form: &Form) -> Result<Answer, Fault> {
    let lang = visit.lang();
    let shown = Shown {
        intake: &form.intake,
        born: &form.born,
        wrong: &form.wrong,
        now: None,
        is_new: true,
    };
    let body = html! {
        h1 { (words::REGISTER.of(lang)) }
        form.finder method="post" action="/register" {
            (hidden(visit))
            (field(&Field {
                id: "q", name: "q", label: words::REGISTER_FIND.of(lang), hint: words::REGISTER_FIND_HINT.of(lang),
                value: &form.line, ..Field::default()
            }))
            (button(Kind::Secondary, Some(Icon::Find), words::REGISTER_LOOK.of(lang)))
        }
        (fields::summary(&shown, lang))
        div.columns.is-registering {
            form.intakes method="post" action="/register" data-intake="" {
                (hidden(visit))
                input type="hidden" name="entry" value=(form.entry);
                input type="hidden" name="step" value="save";
                (fields::all(&shown, lang))
                @if form.asks_reason {
                    section.panel aria-labelledby="of-reason" {
                        div.panel-head { h2 #of-reason { (words::REGISTER_REASON.of(lang)) } }
                        div.intake.is-one {
                            (field(&Field {
                                id: "reason", name: "reason", label: words::REGISTER_REASON_LABEL.of(lang),
                                hint: words::REGISTER_REASON_HINT.of(lang), error: form.reason_error,
                                value: &form.reason, is_disabled: false,
                            }))
                        }
                    }
                }
                div.row { (button(Kind::Primary, Some(Icon::Plus), words::REGISTER_NOW.of(lang))) }
            }
            div.possible #possible aria-live="polite" { (beside(visit, form)) }
        }
    };
    let body = html! {
        @if form.asks_reason { (notice(Tone::Critical, words::REGISTER_ALIKE.of(lang), &html! { p { (words::REGISTER_ALIKE_WHY.of(lang)) " " a href="#reason" { (words::REGISTER_REASON.of(lang)) } } })) }
        (body)
    };
    Ok(shell_with(visit, status, words::REGISTER.of(lang), &["register.js"], &body))
}

/// Those who may be here already.
fn beside(visit: &Visit, form: &Form) -> Markup {
    let (lang, found) = (visit.lang(), &form.alike);
    // Before anything is said of somebody, nobody was looked for.
    let is_asked = form.intake != Intake::default();
    let today = days::day_at(visit.now(), &visit.zone);
    html! {
        section.panel #possible-list aria-labelledby="possible-title" {
            div.panel-head { h2 #possible-title { (words::POSSIBLE.of(lang)) } }
            @if !is_asked {
                p.foot.muted { (words::POSSIBLE_NONE_WHY.of(lang)) }
            } @else if found.is_empty() {
                (empty(Icon::Twins, words::POSSIBLE_NONE.of(lang), words::POSSIBLE_NONE_WHY.of(lang), None))
            }
            ul.alike { @for one in found.iter().take(SHOWN_MAX) {
                @let person = Person::of_row(&one.row);
                li.is-high[is_taken_for(one)] {
                    p.alike-name {
                        a href={ "/p/" (person.id) } { (person.name().unwrap_or_else(|| words::NO_NAME.of(lang).to_owned())) }
                        " " (grade(one.grade, lang))
                        @if one.row.replaced_by.is_some() { " " (badge(Tone::Warning, Icon::Warning, words::FIND_MERGED.of(lang))) }
                    }
                    p.muted {
                        (born(&person, today, lang)) " · " (gender(&person, lang))
                        @if let Some(number) = person.record_number() { " · " span.number { (number.value) } }
                    }
                    (reasons(&one.reasons, lang))
                }
            } }
        }
    }
}
