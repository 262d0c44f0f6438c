//! A patient's insurance: the list, a new one with pictures of its card, and its end. A picture is shown
//! to whoever may see the insurance, is known by its content, and is kept by no browser.

use super::{done, entry, head, place, row_of, theirs, typed};
use crate::answer::{Answer, Body, is_nothing};
use crate::booking::type_id;
use crate::days;
use crate::done::finish;
use crate::pages::missing;
use crate::parts::{
    Field, Icon, Kind, Tone, badge, button, empty, error_summary, field, hidden, panel, shell_with,
};
use crate::person::Person;
use crate::route::part;
use crate::visit::Visit;
use crate::words::{self, Lang, Word};
use base::Fault;
use base::error::code;
use maud::{Markup, html};
use record::Action;
use registration::Seen;
use registration::coverage::{self, Entered, Held, RELATIONSHIPS, Side};

/// `/p/{id}/insurance`
pub(crate) fn page(visit: &Visit) -> Result<Answer, Fault> {
    let Some(person) = theirs(visit, "Coverage")? else { return Ok(missing::page(visit)) };
    show(visit, 200, &person, &Entered::default(), None)
}

/// Adds one.
pub(crate) fn add(visit: &Visit) -> Result<Answer, Fault> {
    let Some(person) = theirs(visit, "Coverage")? else { return Ok(missing::page(visit)) };
    if visit.field("about") != person.id || !may(visit, Action::Create)? {
        return Ok(missing::page(visit));
    }
    let typed = |name: &str| typed(visit, name);
    let picture = |side: Side| {
        let file = visit.files.iter().find(|(name, _)| name == side.name());
        file.map(|(_, bytes)| (side, bytes.clone()))
    };
    let entered = Entered {
        payer: typed("payer"),
        number: typed("number"),
        group: typed("group"),
        relationship: typed("relationship"),
        pictures: Side::ALL.into_iter().filter_map(picture).collect(),
    };
    match finish(coverage::add(&visit.session, &person.id, visit.field("entry"), &entered)) {
        Ok(_) => Ok(Answer::go(format!("/p/{}/insurance?done=added", person.id))),
        Err(fault) if fault.code() == &code::REGISTRATION_VALUE => {
            show(visit, 422, &person, &entered, Some(row_of(&FIELDS, &place(&fault))))
        }
        Err(fault) => Err(fault),
    }
}

/// Ends one, or takes that back.
pub(crate) fn end(visit: &Visit) -> Result<Answer, Fault> {
    let Some(person) = theirs(visit, "Coverage")? else { return Ok(missing::page(visit)) };
    if visit.field("about") != person.id || !may(visit, Action::Update)? {
        return Ok(missing::page(visit));
    }
    let version = visit.field("version").parse().unwrap_or(0);
    let seen = Seen { id: visit.field("which").to_owned(), version };
    let ended = visit.field("do") != "again";
    let here = format!("/p/{}/insurance", person.id);
    match finish(coverage::set_ended(&visit.session, &person.id, &seen, ended)) {
        Ok(_) => Ok(Answer::go(format!("{here}?done={}", if ended { "ended" } else { "again" }))),
        Err(fault) if fault.code() == &code::VERSION_CONFLICT => {
            Ok(Answer::go(format!("{here}?done=stale")))
        }
        Err(fault) if is_nothing(&fault) => Ok(missing::page(visit)),
        Err(fault) => Err(fault),
    }
}

/// `/p/{id}/insurance/{name}/front` and `back`
pub(crate) fn card(visit: &Visit) -> Result<Answer, Fault> {
    let side = Side::from_name(part(visit, 4)).unwrap_or(Side::Front);
    match finish(coverage::picture(&visit.session, part(visit, 1), part(visit, 3), side)) {
        Ok(Some((media_type, content))) => Ok(Answer {
            status: 200,
            body: Body::Picture { media_type, content },
            choices: Vec::new(),
        }),
        Ok(None) => Ok(missing::page(visit)),
        Err(fault) if is_nothing(&fault) || fault.code() == &code::REGISTRATION_OTHER_PATIENT => {
            Ok(missing::page(visit))
        }
        Err(fault) => Err(fault),
    }
}

/// The fields, their labels, and what is said when one is wrong.
const FIELDS: [(&str, Word, Word); 6] = [
    ("payer", words::INSURANCE_PAYER, words::WRONG_MISSING),
    ("number", words::INSURANCE_NUMBER, words::WRONG_MISSING),
    ("group", words::INSURANCE_GROUP, words::WRONG_LONG),
    ("relationship", words::INSURANCE_RELATIONSHIP, words::WRONG_CHOICE),
    ("front", words::INSURANCE_FRONT, words::WRONG_PICTURE),
    ("back", words::INSURANCE_BACK, words::WRONG_PICTURE),
];

fn may(visit: &Visit, action: Action) -> Result<bool, Fault> {
    Ok(visit.session.may(action, type_id("Coverage")?))
}

fn show(
    visit: &Visit,
    status: u16,
    person: &Person,
    entered: &Entered,
    wrong: Option<&'static str>,
) -> Result<Answer, Fault> {
    let lang = visit.lang();
    let all = finish(coverage::of(&visit.session, &person.id))?;
    let row = FIELDS.iter().find(|(name, _, _)| Some(*name) == wrong);
    let say = row.map(|(_, label, say)| format!("{}: {}", label.of(lang), say.of(lang)));
    let (may_add, may_end) = (may(visit, Action::Create)?, may(visit, Action::Update)?);
    let body = html! {
        (head(visit, person)?)
        @if let (Some((name, _, _)), Some(say)) = (row, &say) { (error_summary(lang, &[(name, say)])) }
        div.columns {
            div { (panel("insurance", words::INSURANCE.of(lang), None, &html! {
                @if all.is_empty() {
                    (empty(Icon::Card, words::INSURANCE_NONE.of(lang), words::INSURANCE_NONE_WHY.of(lang), None))
                }
                ul.cards { @for one in &all { (held(visit, person, one, may_end)) } }
            })) }
            @if may_add { div { (panel("add", words::INSURANCE_ADD.of(lang), None, &form(visit, person, entered, wrong))) } }
        }
        (done(visit, &[
            ("added", words::INSURANCE_ADDED), ("ended", words::INSURANCE_ENDED),
            ("again", words::INSURANCE_AGAIN), ("stale", words::INSURANCE_STALE),
        ]))
    };
    Ok(shell_with(visit, status, words::INSURANCE.of(lang), &["register.js"], &body))
}

fn held(visit: &Visit, person: &Person, one: &Held, may_end: bool) -> Markup {
    let lang = visit.lang();
    let is_active = one.status == "active";
    let label = if is_active { words::INSURANCE_END } else { words::INSURANCE_RESUME };
    html! {
        li.card {
            div {
                p.alike-name { (if one.payer.is_empty() { words::NOT_KNOWN.of(lang) } else { &one.payer }) " "
                    @if is_active { (badge(Tone::Ok, Icon::Ok, words::INSURANCE_ACTIVE.of(lang))) }
                    @else { (badge(Tone::Neutral, Icon::Close, words::INSURANCE_NOT_ACTIVE.of(lang))) }
                }
                p.muted {
                    @if !one.number.is_empty() { span.number { (one.number) } }
                    @if !one.group.is_empty() { " · " (words::INSURANCE_GROUP.of(lang)) " " span.number { (one.group) } }
                    @if !one.from.is_empty() { " · " (words::INSURANCE_FROM.with(lang, &days::shown(&one.from, lang))) }
                    @if !one.until.is_empty() { " · " (words::INSURANCE_UNTIL.with(lang, &days::shown(&one.until, lang))) }
                }
            }
            @if !one.sides.is_empty() {
                div.card-sides { @for side in &one.sides {
                    @let at = format!("/p/{}/insurance/{}/{}", person.id, one.id, side.name());
                    img src=(at) alt=(side_name(*side).of(lang)) loading="lazy";
                } }
            }
            @if may_end { form method="post" action={ "/p/" (person.id) "/insurance/end" } {
                (hidden(visit))
                input type="hidden" name="about" value=(person.id);
                input type="hidden" name="which" value=(one.id);
                input type="hidden" name="version" value=(one.version);
                @if !is_active { input type="hidden" name="do" value="again"; }
                (button(Kind::Quiet, None, label.of(lang)))
            } }
        }
    }
}

const fn side_name(side: Side) -> Word {
    match side {
        Side::Front => words::INSURANCE_FRONT,
        Side::Back => words::INSURANCE_BACK,
    }
}

fn form(visit: &Visit, person: &Person, entered: &Entered, wrong: Option<&str>) -> Markup {
    let lang = visit.lang();
    let text = |name: &'static str, label: Word, value: &str| {
        field(&Field {
            id: name,
            name,
            label: label.of(lang),
            error: error(name, wrong, lang),
            value,
            ..Field::default()
        })
    };
    html! {
        form.stack method="post" action={ "/p/" (person.id) "/insurance" } enctype="multipart/form-data" {
            (hidden(visit))
            input type="hidden" name="entry" value=(entry(visit));
            input type="hidden" name="about" value=(person.id);
            (text("payer", words::INSURANCE_PAYER, &entered.payer))
            (text("number", words::INSURANCE_NUMBER, &entered.number))
            (text("group", words::INSURANCE_GROUP, &entered.group))
            div.field {
                label for="relationship" { (words::INSURANCE_RELATIONSHIP.of(lang)) }
                select #relationship name="relationship" {
                    option value="" { (words::INTAKE_NOT_SAID.of(lang)) }
                    @for one in RELATIONSHIPS { option value=(one) selected[entered.relationship == one] { (relationship(one).of(lang)) } }
                }
            }
            @for side in Side::ALL {
                @let say = error(side.name(), wrong, lang);
                div.field.is-wrong[!say.is_empty()] {
                    label for=(side.name()) { (side_name(side).of(lang)) }
                    p.hint id={ (side.name()) "-hint" } { (words::INSURANCE_PICTURE_HINT.of(lang)) }
                    @if !say.is_empty() { p.error { (say) } }
                    input type="file" id=(side.name()) name=(side.name()) accept="image/jpeg,image/png,image/webp"
                        capture="environment" data-shrink="" aria-describedby={ (side.name()) "-hint" };
                }
            }
            div.row { (button(Kind::Primary, Some(Icon::Plus), words::INSURANCE_ADD.of(lang))) }
        }
    }
}

fn error(name: &str, wrong: Option<&str>, lang: Lang) -> &'static str {
    let row = FIELDS.iter().find(|(own, _, _)| *own == name && wrong == Some(name));
    row.map_or("", |(_, _, say)| say.of(lang))
}

fn relationship(code: &str) -> Word {
    match code {
        "self" => words::INSURANCE_SELF,
        "spouse" => words::INSURANCE_SPOUSE,
        "child" => words::INSURANCE_CHILD,
        _ => words::INSURANCE_SOMEBODY,
    }
}
