//! What a patient has signed: the list, what everybody is asked for, one consent with its text and the
//! hand that signed it, and that it is taken back (45 CFR 164.508(b)(5), 42 CFR 2.31(a)(6)). Nothing is deleted.

use super::{done, head, theirs, typed};
use crate::answer::{Answer, is_nothing};
use crate::booking::type_id;
use crate::days;
use crate::done::finish;
use crate::pages::missing;
use crate::parts::{
    Field, Icon, Kind as Button, Tone, badge, button, empty, error_summary, facts, field, hidden,
    panel, shell_with,
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
use registration::consent::signature::{HEIGHT, Signature, WIDTH};
use registration::consent::{self, ENDED_LISTED, ENDED_LISTED_MAX, Hand, Held, Kind, Mark};

/// `/p/{id}/consents`
pub(crate) fn page(visit: &Visit) -> Result<Answer, Fault> {
    let Some(person) = theirs(visit, "Consent")? else { return Ok(missing::page(visit)) };
    let lang = visit.lang();
    let asked = visit.parameter("ended").parse().unwrap_or(ENDED_LISTED).min(ENDED_LISTED_MAX);
    let consent::Listed { held: all, more } =
        finish(consent::of(&visit.session, &person.id, asked))?;
    let kinds = may_sign(visit, &person.id)?;
    let due = finish(consent::due(&visit.session, &person.id, &all, !more))?;
    let body = html! {
        (head(visit, &person)?)
        div.columns {
            div { (panel("consents", words::CONSENTS.of(lang), None, &html! {
                @if all.is_empty() {
                    (empty(Icon::Shield, words::CONSENTS_NONE.of(lang), words::CONSENTS_NONE_WHY.of(lang), None))
                }
                ul.cards { @for one in &all { (card(&person, one, lang)) } }
                @if more && asked < ENDED_LISTED_MAX {
                    p.foot { a href={ (visit.path) "?ended=" (asked + ENDED_LISTED) } { (words::CONSENTS_MORE.of(lang)) } }
                } @else if more {
                    p.foot.muted { (words::CONSENTS_MOST.of(lang)) }
                }
            })) }
            @if !kinds.is_empty() { div {
                (panel("new", words::CONSENT_NEW.of(lang), None, &html! {
                    p.foot.muted { (words::CONSENT_NEW_WHY.of(lang)) @if !due.is_empty() { " " (words::CONSENTS_DUE_WHY.of(lang)) } }
                    ul.cards {
                        @for kind in &due { li.card { (missing_one(*kind, lang)) (to_sign(&person.id, *kind, Button::Primary, lang)) } }
                        @for kind in kinds.iter().filter(|kind| !due.contains(kind)) {
                            li.card { span { (called(*kind).of(lang)) } (to_sign(&person.id, *kind, Button::Quiet, lang)) }
                        }
                    }
                }))
            } }
        }
        (done(visit, &[("declined", words::CONSENT_DECLINED_DONE)]))
    };
    Ok(shell_with(visit, 200, words::CONSENTS.of(lang), &[], &body))
}

/// `/p/{id}/consents/{consent}`
pub(crate) fn one(visit: &Visit) -> Result<Answer, Fault> {
    show(visit, 200, "")
}

/// Takes it back.
pub(crate) fn revoke(visit: &Visit) -> Result<Answer, Fault> {
    let Some(person) = theirs(visit, "Consent")? else { return Ok(missing::page(visit)) };
    let id = part(visit, 3);
    if visit.field("about") != person.id || visit.field("which") != id || !may_revoke(visit, id)? {
        return Ok(missing::page(visit));
    }
    let version = visit.field("version").parse().unwrap_or(0);
    let seen = Seen { id: id.to_owned(), version };
    let reason = typed(visit, "reason");
    let is_mistake = visit.field("mistake") == "yes";
    match finish(consent::revoke(&visit.session, &person.id, &seen, &reason, is_mistake)) {
        Ok(_) => Ok(Answer::go(format!("{}?done=revoked", visit.path))),
        Err(fault) if fault.code() == &code::REGISTRATION_VALUE => show(visit, 422, &reason),
        Err(fault) if [&code::VERSION_CONFLICT, &code::CONSENT_STATE].contains(&fault.code()) => {
            Ok(Answer::go(format!("{}?done=stale", visit.path)))
        }
        Err(fault) if is_nothing(&fault) || fault.code() == &code::REGISTRATION_OTHER_PATIENT => {
            Ok(missing::page(visit))
        }
        Err(fault) => Err(fault),
    }
}

/// What a form of the house is called.
pub(crate) const fn called(kind: Kind) -> Word {
    match kind {
        Kind::PrivacyNotice => words::CONSENT_NOTICE,
        Kind::Treatment => words::CONSENT_TREATMENT,
        Kind::Telehealth => words::CONSENT_TELEHEALTH,
        Kind::Financial => words::CONSENT_FINANCIAL,
        Kind::Release => words::CONSENT_RELEASE,
        Kind::Part2 => words::CONSENT_PART2,
    }
}

/// That one which everybody signs is missing.
pub(crate) fn missing_one(kind: Kind, lang: Lang) -> Markup {
    let word = match kind {
        Kind::PrivacyNotice => words::CONSENT_DUE_NOTICE,
        _ => words::CONSENT_DUE_TREATMENT,
    };
    badge(Tone::Warning, Icon::Warning, word.of(lang))
}

/// The way to the form of a kind.
pub(crate) fn to_sign(patient: &str, kind: Kind, look: Button, lang: Lang) -> Markup {
    let to = format!("/p/{patient}/consents/new/{}", kind.code());
    let label = words::CONSENT_SIGN.of(lang);
    html! {
        a.button.is-primary[look == Button::Primary].is-quiet[look == Button::Quiet] href=(to)
            aria-label={ (label) ": " (called(kind).of(lang)) } { span { (label) } }
    }
}

/// The forms that whoever asks may have this patient sign. Those that tell of somebody's health are for who
/// may keep consents, and not only write them.
pub(crate) fn may_sign(visit: &Visit, patient: &str) -> Result<Vec<Kind>, Fault> {
    let (consent, person) = (type_id("Consent")?, type_id("Patient")?);
    // Who writes of certain patients alone may not of another: it is asked before somebody signs.
    if !visit.session.may(Action::Create, consent)
        || !visit.session.may_to(Action::Create, person, patient)?
    {
        return Ok(Vec::new());
    }
    let keeps = visit.session.may(Action::Update, consent);
    Ok(Kind::ALL.into_iter().filter(|kind| keeps || !kind.is_sensitive()).collect())
}

/// The lines of a hand.
pub(crate) fn hand(drawn: &Signature, lang: Lang) -> Markup {
    html! {
        svg.hand viewBox={ "0 0 " (WIDTH) " " (HEIGHT) } role="img" aria-label=(words::CONSENT_DRAWN_ALT.of(lang)) {
            @for path in drawn.paths() { path d=(path) {} }
        }
    }
}

fn may_revoke(visit: &Visit, id: &str) -> Result<bool, Fault> {
    visit.session.may_to(Action::Update, type_id("Consent")?, id)
}

fn card(person: &Person, one: &Held, lang: Lang) -> Markup {
    html! {
        li.card {
            div {
                p.alike-name { a href={ "/p/" (person.id) "/consents/" (one.id) } { (name(one, lang)) } " " (state(one, lang)) }
                p.muted {
                    @if !one.given.is_empty() { (days::shown(&one.given, lang)) }
                    @if !one.signer.is_empty() { " · " (words::CONSENT_BY.with(lang, &one.signer)) }
                    @if one.hands.first().is_some_and(|hand| hand.by_proxy) { " " (words::CONSENT_FOR_PATIENT.of(lang)) }
                    @if !one.until.is_empty() { " · " (words::PROXY_UNTIL_DAY.with(lang, &days::shown(&one.until, lang))) }
                }
            }
            @if one.denies { (badge(Tone::Sensitive, Icon::Shield, words::CONSENT_DENIES.of(lang))) }
        }
    }
}

fn name(one: &Held, lang: Lang) -> String {
    match one.kind {
        Some(kind) => called(kind).of(lang).to_owned(),
        None if one.title.is_empty() => words::NOT_KNOWN.of(lang).to_owned(),
        None => one.title.clone(),
    }
}

fn state(one: &Held, lang: Lang) -> Markup {
    let (tone, which, word) = match one.status.as_str() {
        "active" if one.is_in_force => (Tone::Ok, Icon::Ok, words::CONSENT_IN_FORCE),
        "active" => (Tone::Neutral, Icon::Clock, words::CONSENT_OVER),
        "inactive" => (Tone::Neutral, Icon::Close, words::CONSENT_REVOKED),
        "rejected" => (Tone::Warning, Icon::Close, words::CONSENT_REFUSED),
        "entered-in-error" => (Tone::Neutral, Icon::Close, words::CONSENT_MISTAKE),
        _ => (Tone::Neutral, Icon::Clock, words::CONSENT_PENDING),
    };
    badge(tone, which, word.of(lang))
}

fn show(visit: &Visit, status: u16, typed: &str) -> Result<Answer, Fault> {
    let Some(person) = theirs(visit, "Consent")? else { return Ok(missing::page(visit)) };
    let lang = visit.lang();
    let one = match finish(consent::one(&visit.session, &person.id, part(visit, 3))) {
        Ok(one) => one,
        Err(fault) if is_nothing(&fault) || fault.code() == &code::REGISTRATION_OTHER_PATIENT => {
            return Ok(missing::page(visit));
        }
        Err(fault) => return Err(fault),
    };
    let may = one.status == "active" && may_revoke(visit, &one.id)?;
    let wrong = words::WRONG_MISSING.of(lang);
    let body = html! {
        (head(visit, &person)?)
        @if status == 422 { (error_summary(lang, &[("reason", &format!("{}: {wrong}", words::CONSENT_REVOKE_REASON.of(lang)))])) }
        div.columns {
            div { (panel("words", &name(&one, lang), Some(&state(&one, lang)), &told(&one, lang))) }
            div {
                (panel("about", words::CONSENT_STATE.of(lang), None, &about(&one, lang)))
                (panel("effect", words::CONSENT_EFFECT.of(lang), None, &html! { p.foot { (effect(&one).of(lang)) } }))
                @if may { (panel("revoke", words::CONSENT_REVOKE.of(lang), None, &revoking(visit, &person, &one, typed, status == 422))) }
                @else if one.status == "active" { p.foot.muted { (words::CONSENT_REVOKE_WHO.of(lang)) } }
            }
        }
        (done(visit, &[
            ("signed", words::CONSENT_SIGNED_DONE), ("revoked", words::CONSENT_REVOKED_DONE),
            ("declined", words::CONSENT_DECLINED_DONE), ("stale", words::CONSENT_STALE),
        ]))
    };
    Ok(shell_with(visit, status, words::CONSENTS.of(lang), &[], &body))
}

/// What was signed, word for word, and the hand.
fn told(one: &Held, lang: Lang) -> Markup {
    let parts = one.words.split("\n\n").filter(|part| !part.trim().is_empty());
    html! {
        div.words {
            @if one.words.is_empty() {
                @if one.status != "rejected" { p.muted { (words::CONSENT_NO_WORDS.of(lang)) } }
            } @else {
                div.stack lang=[(!one.language.is_empty()).then_some(&one.language)] {
                    @for (at, text) in parts.enumerate() {
                        @if at == 0 { h3 { (text) } }
                        @else { p { @for (row, line) in text.lines().enumerate() { @if row > 0 { br; } (line) } } }
                    }
                }
            }
            @for of in &one.hands { (signed(of, &one.given, lang)) }
        }
    }
}

/// A hand, whose it is, and by what right where it is not the patient's.
fn signed(of: &Hand, given: &str, lang: Lang) -> Markup {
    html! {
        h3 { (words::CONSENT_HAND.of(lang)) }
        @match &of.mark {
            Mark::Drawn(drawn) => (hand(drawn, lang)),
            Mark::OnPaper => p { (words::CONSENT_ON_PAPER.of(lang)) },
            Mark::Elsewhere => p.muted { (words::CONSENT_ELSEWHERE.of(lang)) },
        }
        p {
            strong { (of.name) } @if of.by_proxy { " " (words::CONSENT_FOR_PATIENT.of(lang)) } " · " (days::shown(given, lang))
            @if !of.authority.is_empty() { br; (words::PROXY_AUTHORITY.of(lang)) ": " (of.authority) }
        }
    }
}

fn about(one: &Held, lang: Lang) -> Markup {
    let plain = |text: &str| html! { (text) };
    let given =
        if one.hands.is_empty() { words::CONSENT_ASKED_ON } else { words::CONSENT_SIGNED_ON };
    let ended = one.ended.as_ref();
    let rows = [
        (words::CONSENT_STATE, state(one, lang), true),
        (given, plain(&days::shown(&one.given, lang)), !one.given.is_empty()),
        (words::CONSENT_SIGNER, plain(&one.signer), !one.signer.is_empty()),
        (words::CONSENT_WITNESS, plain(&one.witness), !one.witness.is_empty()),
        (words::CONSENT_UNTIL, plain(&days::shown(&one.until, lang)), !one.until.is_empty()),
        (words::CONSENT_EDITION, plain(&one.edition), !one.edition.is_empty()),
        (
            words::CONSENT_ENDED_ON,
            plain(&ended.map(|of| days::shown(&of.when, lang)).unwrap_or_default()),
            ended.is_some() && one.status != "rejected",
        ),
        (
            words::CONSENT_REASON,
            plain(ended.map(|of| of.reason.as_str()).unwrap_or_default()),
            ended.is_some(),
        ),
    ];
    let rows = rows.into_iter().filter(|(_, _, is_there)| *is_there);
    facts(&rows.map(|(word, value, _)| (word.of(lang), value)).collect::<Vec<_>>())
}

/// What it changes while it counts.
const fn effect(one: &Held) -> Word {
    match one.kind {
        Some(Kind::PrivacyNotice) => words::CONSENT_EFFECT_NOTICE,
        Some(Kind::Treatment | Kind::Telehealth | Kind::Financial) => words::CONSENT_EFFECT_CARE,
        Some(Kind::Part2) if one.grants => words::CONSENT_EFFECT_GRANTS,
        Some(Kind::Part2 | Kind::Release) => words::CONSENT_EFFECT_BY_HAND,
        None => words::CONSENT_EFFECT_OTHER,
    }
}

/// What changes when it counts no longer.
const fn revoked(one: &Held) -> Word {
    match one.kind {
        Some(Kind::PrivacyNotice) => words::CONSENT_REVOKE_NOTICE,
        Some(Kind::Treatment | Kind::Telehealth | Kind::Financial) => words::CONSENT_REVOKE_CARE,
        Some(Kind::Part2) if one.grants => words::CONSENT_REVOKE_GRANTS,
        Some(Kind::Part2 | Kind::Release) => words::CONSENT_REVOKE_BY_HAND,
        None => words::CONSENT_REVOKE_OTHER,
    }
}

fn revoking(visit: &Visit, person: &Person, one: &Held, typed: &str, is_wrong: bool) -> Markup {
    let lang = visit.lang();
    html! {
        form.stack method="post" action={ "/p/" (person.id) "/consents/" (one.id) } {
            (hidden(visit))
            input type="hidden" name="about" value=(person.id);
            input type="hidden" name="which" value=(one.id);
            input type="hidden" name="version" value=(one.version);
            p { (revoked(one).of(lang)) }
            p.muted { (words::CONSENT_REVOKE_STAYS.of(lang)) }
            (field(&Field {
                id: "reason", name: "reason", label: words::CONSENT_REVOKE_REASON.of(lang), value: typed,
                error: if is_wrong { words::WRONG_MISSING.of(lang) } else { "" }, ..Field::default()
            }))
            div.field.is-tick { label.choice {
                input type="checkbox" name="mistake" value="yes";
                span { (words::CONSENT_REVOKE_MISTAKE.of(lang)) }
            } }
            div.row { (button(Button::Danger, None, words::CONSENT_REVOKE.of(lang))) }
        }
    }
}
