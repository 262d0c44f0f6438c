//! What a patient entered before a visit, beside what stands: the desk asks, ticks what is right, and takes it
//! up under its own name and of the version that it saw; or refuses it. Until then the record is as it was.

use super::check_in::appointment;
use crate::answer::{Answer, is_nothing};
use crate::booking::type_id;
use crate::days;
use crate::done::finish;
use crate::pages::{missing, patient};
use crate::parts::{
    Icon, Kind, button, facts, hidden, link_button, panel, qr, shell::shell, toast,
};
use crate::person::Person;
use crate::route::part;
use crate::visit::Visit;
use crate::words::{self, Lang, Word};
use base::error::code;
use base::{Fault, Limits};
use fhir::Document;
use maud::{Markup, html};
use record::{Action, Linked};
use registration::Seen;
use registration::intake::Intake;
use registration::pre_check_in::{Entered, Part, take_up};
use scheduling::book::Visit as Booked;

/// The panel, when something was entered and the caller may see how the patient is reached.
pub(super) fn shown(
    visit: &Visit,
    person: &Person,
    of: &Booked,
    may: bool,
) -> Result<Markup, Fault> {
    let lang = visit.lang();
    let done = match visit.parameter("entered") {
        "taken" => Some(words::ENTERED_TAKEN),
        "refused" => Some(words::ENTERED_REFUSED),
        "stale" => Some(words::ENTERED_STALE),
        "nothing" => Some(words::ENTERED_NOTHING),
        "wrong" => Some(words::ENTERED_WRONG),
        _ => None,
    };
    let told = html! { @if let Some(word) = done { (toast(lang, word.of(lang), None)) } };
    let kept = visit.session.pre_check_in(&of.id, &person.id)?.wait()?;
    let Some(kept) = kept else { return Ok(told) };
    let entered = Entered::of_text(&kept.text)?;
    let Some((_, hit)) = patient::see_whole(visit)? else { return Ok(told) };
    let document = Document::parse(hit.body, &Limits::default())?;
    let stands = Intake::of(document.root());
    // Why somebody comes, and what they answered, is for those who may see what ails people.
    let sees_why = visit.session.may_search(type_id("Condition")?);
    let parts: Vec<Part> = Part::ALL
        .into_iter()
        .filter(|part| entered.has(*part) && may_take(visit, *part).unwrap_or(false))
        .collect();
    let mut said: Vec<(&str, Markup)> = Vec::new();
    match entered.insurance.as_str() {
        "same" => {
            said.push((words::CHECK_IN_COVERAGE.of(lang), html! { (words::ENTERED_SAME.of(lang)) }))
        }
        "none" => said.push((
            words::CHECK_IN_COVERAGE.of(lang),
            html! { (words::ENTERED_NO_INSURANCE.of(lang)) },
        )),
        _ => {}
    }
    if sees_why && !entered.reason.is_empty() {
        said.push((words::ENTERED_REASON.of(lang), html! { (entered.reason) }));
    }
    for (question, answer) in entered.answers.iter().filter(|_| sees_why) {
        said.push((question.as_str(), html! { (answer) }));
    }
    let at = format!("/p/{}/check-in/{}/entered", person.id, of.id);
    let form = html! {
        p.muted { (words::ENTERED_WHEN.with(lang, &days::moment(kept.changed, &visit.zone, lang))) }
        @if !said.is_empty() { (facts(&said)) }
        @if may {
            p.hint { (words::ENTERED_SAY.of(lang)) }
            form.stack method="post" action=(at) {
                (hidden(visit))
                input type="hidden" name="about" value=(person.id);
                input type="hidden" name="version" value=(hit.version);
                input type="hidden" name="entered" value=(kept.version);
                @if !parts.is_empty() { ul.entered { @for part in &parts { li {
                    label.choice {
                        input type="checkbox" name=(part.as_str()) value="yes";
                        span { (label(*part).of(lang)) ": " strong { (new(&entered, *part)) } }
                    }
                    p.muted { (words::ENTERED_STANDS.with(lang, &old(&stands, *part, lang))) }
                } } } }
                div.row {
                    @if !parts.is_empty() { (button(Kind::Secondary, Some(Icon::Ok), words::ENTERED_TAKE.of(lang))) }
                    button.button.is-quiet type="submit" name="do" value="refuse" { (words::ENTERED_REFUSE.of(lang)) }
                }
            }
        }
    };
    let form = html! { div.stack { (form) } };
    Ok(html! { (told) (panel("entered", words::ENTERED.of(lang), None, &form)) })
}

/// `POST /p/{id}/check-in/{appointment}/entered`
pub(crate) fn decide(visit: &Visit) -> Result<Answer, Fault> {
    let Some(person) = patient::see(visit)? else { return Ok(missing::page(visit)) };
    let Some(of) = appointment(visit, &person.id)? else { return Ok(missing::page(visit)) };
    if visit.field("about") != person.id {
        return Ok(missing::page(visit));
    }
    // Decided before anything is written: who may not change the visit takes nothing up for it.
    let ids = [of.id.clone()];
    if !visit.session.changeable(type_id("Appointment")?, &ids)?.contains(&of.id) {
        return Ok(missing::page(visit));
    }
    let back = |done: &str| {
        Answer::go(format!("/p/{}/check-in/{}?entered={done}", person.id, part(visit, 3)))
    };
    let kept = visit.session.pre_check_in(&of.id, &person.id)?.wait()?;
    let Some(kept) = kept.filter(|kept| kept.version.to_string() == visit.field("entered")) else {
        return Ok(back("stale"));
    };
    let about = Linked {
        appointment: of.id.clone(),
        patient: person.id.clone(),
        ends: of.span.map_or(visit.now(), |span| span.end),
        round: None,
        is_kiosk: false,
        is_handed: false,
    };
    let mut entered = Entered::of_text(&kept.text)?;
    let is_refused = visit.field("do") == "refuse";
    let mut taken = Vec::new();
    if !is_refused {
        for part in Part::ALL {
            if visit.field(part.as_str()) == "yes" && entered.has(part) {
                if !may_take(visit, part)? {
                    return Ok(missing::page(visit));
                }
                taken.push(part);
            }
        }
        if taken.is_empty() {
            return Ok(back("nothing"));
        }
        let seen =
            Seen { id: person.id.clone(), version: visit.field("version").parse().unwrap_or(0) };
        let form = form_of(&of.id, kept.version);
        match finish(take_up(&visit.session, &seen, &form, &entered, &taken)) {
            Ok(()) => {}
            Err(fault) if fault.code() == &code::VERSION_CONFLICT => return Ok(back("stale")),
            Err(fault) if fault.code() == &code::REGISTRATION_VALUE => return Ok(back("wrong")),
            Err(fault) => return Err(fault),
        }
    }
    for part in &taken {
        entered.clear(*part);
    }
    let text = (!is_refused && !entered.is_empty()).then(|| entered.text());
    let version = Some(kept.version);
    match finish(visit.session.keep_pre_check_in(&about, version, text.as_deref())) {
        Ok(_) if is_refused => Ok(back("refused")),
        Ok(_) => Ok(back("taken")),
        Err(fault) if fault.code() == &code::DRAFT_CHANGED => {
            Ok(back(if is_refused { "stale" } else { "taken" }))
        }
        Err(fault) => Err(fault),
    }
}

/// `POST /p/{id}/check-in/{appointment}/link`: a link of this visit, for the patient's own phone.
pub(crate) fn link(visit: &Visit) -> Result<Answer, Fault> {
    let Some(person) = patient::see(visit)? else { return Ok(missing::page(visit)) };
    let Some(of) = appointment(visit, &person.id)? else { return Ok(missing::page(visit)) };
    if visit.field("about") != person.id {
        return Ok(missing::page(visit));
    }
    let token = match visit.session.hand_link(&of.id, &person.id) {
        Ok(token) => token,
        Err(fault) if is_nothing(&fault) => return Ok(missing::page(visit)),
        Err(fault) => return Err(fault),
    };
    let lang = visit.lang();
    let address = format!("{}/v/{token}/in", visit.origin);
    let chart = patient::chart(visit, &person.id)?;
    let body = html! {
        (patient::head(visit, &person, &chart))
        (panel("link", words::ENTERED_QR.of(lang), None, &html! { div.stack {
            p { (words::ENTERED_QR_SAY.of(lang)) }
            (qr(&address, words::ENTERED_QR.of(lang))?)
            p.mono { (address) }
            div.row { (link_button(Kind::Secondary, Some(Icon::Back), words::CHECK_IN.of(lang), &format!("/p/{}/check-in/{}", person.id, of.id))) }
        } }))
    };
    Ok(shell(visit, 200, words::ENTERED_QR.of(lang), &body))
}

/// The button that draws one.
pub(super) fn ask_link(visit: &Visit, person: &Person, of: &Booked) -> Markup {
    html! {
        form method="post" action={ "/p/" (person.id) "/check-in/" (of.id) "/link" } {
            (hidden(visit))
            input type="hidden" name="about" value=(person.id);
            (button(Kind::Quiet, None, words::ENTERED_QR_SHOW.of(visit.lang())))
        }
    }
}

/// By which the same form, sent twice, adds one insurance.
fn form_of(appointment: &str, version: u64) -> String {
    let id: String = appointment.chars().take(40).collect();
    format!("{id}.{version}")
}

fn may_take(visit: &Visit, part: Part) -> Result<bool, Fault> {
    Ok(match part {
        Part::Insurance => visit.session.may(Action::Create, type_id("Coverage")?),
        Part::Mobile | Part::Email | Part::Address => {
            visit.session.may(Action::Update, type_id("Patient")?)
        }
    })
}

const fn label(part: Part) -> Word {
    match part {
        Part::Mobile => words::ENTERED_MOBILE,
        Part::Email => words::ENTERED_EMAIL,
        Part::Address => words::CHECK_IN_ADDRESS,
        Part::Insurance => words::CHECK_IN_COVERAGE,
    }
}

fn new(entered: &Entered, part: Part) -> String {
    let names: &[&str] = match part {
        Part::Insurance => &["payer", "number"],
        part => part.fields(),
    };
    joined(names.iter().map(|name| entered.get(name)))
}

fn old(stands: &Intake, part: Part, lang: Lang) -> String {
    let text = match part {
        Part::Address => joined(
            ["line", "line_more", "city", "state", "postal_code"]
                .map(|name| stands.get(name))
                .into_iter(),
        ),
        Part::Mobile | Part::Email => stands.get(part.as_str()).to_owned(),
        // What pays stands beside, with what has ended.
        Part::Insurance => return words::CHECK_IN_STILL.of(lang).to_owned(),
    };
    if text.is_empty() { words::NOT_KNOWN.of(lang).to_owned() } else { text }
}

fn joined<'t>(parts: impl Iterator<Item = &'t str>) -> String {
    parts.filter(|part| !part.is_empty()).collect::<Vec<_>>().join(", ")
}
