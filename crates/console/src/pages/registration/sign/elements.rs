//! What a release says of whom, what, to whom, for what and until when (45 CFR 164.508(c)(1), 42 CFR
//! 2.31(a)): the form, what was entered in it, and the same brought along with what is signed.

use super::{Shown, carried, error};
use crate::pages::registration::typed;
use crate::parts::{Choice, Field, Kind as Button, button, choices, field};
use crate::person::Person;
use crate::visit::Visit;
use crate::words::{self, Lang, Word};
use maud::{Markup, html};
use registration::consent::Kind;
use registration::consent::elements::{Elements, Ends, Extent, PURPOSES, Source, To};
use registration::consent::text::Tongue;

/// What was entered.
pub(super) fn entered(visit: &Visit) -> Elements {
    let purposes = visit.form.iter().filter(|(name, _)| name == "purpose");
    Elements {
        discloser: typed(visit, "discloser"),
        source: match visit.field("source") {
            "house" => Source::House,
            "named" => Source::Named,
            _ => Source::Unsaid,
        },
        extent: match visit.field("extent") {
            "all" => Extent::All,
            "described" => Extent::Described,
            _ => Extent::Unsaid,
        },
        information: typed(visit, "information"),
        to: match visit.field("to") {
            "here" => To::Here,
            "named" => To::Named,
            _ => To::Unsaid,
        },
        recipient: typed(visit, "recipient"),
        purposes: purposes.map(|(_, code)| code.clone()).take(PURPOSES.len()).collect(),
        ends: match visit.field("ends") {
            "on" => Ends::On,
            "when" => Ends::When,
            "revoked" => Ends::Revoked,
            _ => Ends::Unsaid,
        },
        last_day: typed(visit, "last_day"),
        event: typed(visit, "event"),
    }
}

/// The elements, brought back with what is signed.
pub(super) fn kept(of: &Elements) -> Markup {
    let plain = |name: &str, value: &str| html! { input type="hidden" name=(name) value=(value); };
    html! {
        (plain("discloser", &of.discloser)) (plain("source", source(of.source))) (plain("extent", extent(of.extent)))
        (plain("information", &of.information)) (plain("to", to(of.to))) (plain("recipient", &of.recipient))
        @for purpose in &of.purposes { (plain("purpose", purpose)) }
        (plain("ends", ends(of.ends))) (plain("last_day", &of.last_day)) (plain("event", &of.event))
    }
}

const fn source(of: Source) -> &'static str {
    match of {
        Source::Unsaid => "",
        Source::House => "house",
        Source::Named => "named",
    }
}

const fn extent(of: Extent) -> &'static str {
    match of {
        Extent::Unsaid => "",
        Extent::All => "all",
        Extent::Described => "described",
    }
}

const fn to(of: To) -> &'static str {
    match of {
        To::Unsaid => "",
        To::Here => "here",
        To::Named => "named",
    }
}

const fn ends(of: Ends) -> &'static str {
    match of {
        Ends::Unsaid => "",
        Ends::On => "on",
        Ends::When => "when",
        Ends::Revoked => "revoked",
    }
}

/// The form of what it is about.
pub(super) fn form(visit: &Visit, person: &Person, shown: &Shown<'_>) -> Markup {
    let (lang, of, kind) = (visit.lang(), &shown.signing.elements, shown.kind);
    let is_part2 = kind == Kind::Part2;
    let all = if is_part2 { words::CONSENT_ALL_PART2 } else { words::CONSENT_ALL_RECORD };
    let one = |value: &'static str, word: Word, is_chosen: bool| Choice {
        value,
        label: word.of(lang),
        is_chosen,
    };
    let words_for = |name: &'static str, word: Word, value: &str| {
        field(&Field { id: name, name, label: word.of(lang), value, ..Field::default() })
    };
    let group = |id: &str, body: &Markup| {
        let say = error(shown, id, lang);
        html! { div.field.with-other.is-wrong[!say.is_empty()] id={ (id) @if id != "ends" && id != "purpose" { "-group" } } {
            @if !say.is_empty() { p.error { (say) } }
            (body)
        } }
    };
    let sources = [
        one("house", words::CONSENT_SOURCE_HOUSE, of.source == Source::House),
        one("named", words::CONSENT_SOURCE_NAMED, of.source == Source::Named),
    ];
    let mut extents = vec![one("all", all, of.extent == Extent::All)];
    extents.push(one("described", words::CONSENT_DESCRIBED, of.extent == Extent::Described));
    let mut tos = vec![one("named", words::CONSENT_NAMED, of.to == To::Named)];
    let mut ending = vec![
        one("on", words::CONSENT_ENDS_ON, of.ends == Ends::On),
        one("when", words::CONSENT_ENDS_WHEN, of.ends == Ends::When),
    ];
    if is_part2 {
        tos.insert(0, one("here", words::CONSENT_HERE, of.to == To::Here));
        ending.insert(0, one("revoked", words::CONSENT_ENDS_REVOKED, of.ends == Ends::Revoked));
    }
    html! {
        form.stack method="post" action=(visit.path) {
            (carried(visit, person, shown))
            input type="hidden" name="do" value="read";
            p.hint { (words::CONSENT_ELEMENTS_WHY.of(lang)) }
            div.field {
                label for="text" { (words::CONSENT_LANGUAGE.of(lang)) }
                select #text name="text" { @for tongue in Tongue::ALL {
                    option value=(tongue.tag()) selected[tongue == shown.signing.tongue] { (Lang::from_tag(tongue.tag()).map(Lang::own_name).unwrap_or_default()) }
                } }
            }
            (group("discloser", &html! {
                (field(&Field {
                    id: "discloser", name: "discloser", label: words::CONSENT_DISCLOSER.of(lang), value: &of.discloser,
                    hint: words::CONSENT_DISCLOSER_HINT.of(lang), ..Field::default()
                }))
                (choices(words::CONSENT_SOURCE.of(lang), "source", &sources))
            }))
            (group("information", &html! {
                (choices(words::CONSENT_INFORMATION.of(lang), "extent", &extents))
                (words_for("information", words::CONSENT_DESCRIPTION, &of.information))
            }))
            (group("recipient", &html! {
                (choices(words::CONSENT_RECIPIENT.of(lang), "to", &tos))
                (words_for("recipient", words::CONSENT_RECIPIENT_NAME, &of.recipient))
            }))
            (group("purpose", &html! {
                fieldset.choices {
                    legend { (words::CONSENT_PURPOSE.of(lang)) }
                    @for code in PURPOSES { label.choice {
                        input type="checkbox" name="purpose" value=(code) checked[of.purposes.iter().any(|one| one == code)];
                        span { (purpose(code).of(lang)) }
                    } }
                }
            }))
            (group("ends", &html! {
                (choices(words::CONSENT_ENDS.of(lang), "ends", &ending))
                div.field {
                    label for="last_day" { (words::CONSENT_UNTIL.of(lang)) }
                    input #last_day type="date" name="last_day" value=(of.last_day);
                }
                (words_for("event", words::CONSENT_EVENT, &of.event))
            }))
            div.row { (button(Button::Primary, None, words::CONSENT_READ.of(lang))) }
        }
    }
}

const fn purpose(code: &str) -> Word {
    match code.as_bytes() {
        b"TREAT" => words::CONSENT_TREAT,
        b"HPAYMT" => words::CONSENT_HPAYMT,
        b"HOPERAT" => words::CONSENT_HOPERAT,
        _ => words::CONSENT_PATRQT,
    }
}
