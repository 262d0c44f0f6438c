//! Having a consent signed: what it is about, the text put before the patient, and the signature, drawn on
//! the screen or on the printed sheet before a witness. What is kept is what was on the screen.

use super::consents::{called, may_sign, theirs};
use super::{entry, head};
use crate::answer::{Answer, is_nothing};
use crate::days;
use crate::done::finish;
use crate::pages::{missing, patient};
use crate::parts::{
    Choice, Field, Icon, Kind as Button, Tone, button, choices, error_summary, field, hidden,
    notice, panel, shell_with,
};
use crate::person::Person;
use crate::route::part;
use crate::visit::Visit;
use crate::words::{self, Lang, Word};
use base::Fault;
use base::error::code;
use maud::{Markup, html};
use record::Hit;
use record::proxy::{Power, majority_years};
use registration::consent::elements::{Elements, Ends, Extent, Lacks, PURPOSES, To};
use registration::consent::signature::{HEIGHT, Signature, WIDTH};
use registration::consent::text::{Text, Tongue};
use registration::consent::{self, Kind, Signing, form};
use registration::proxy::{self, Held as Proxy};

/// A form as it is shown.
struct Shown<'s> {
    kind: Kind,
    signing: &'s Signing,
    /// What is wrong, by field.
    wrong: &'s [(&'static str, Word)],
    /// The text is on the screen, to be signed.
    is_read: bool,
}

/// `/p/{id}/consents/new/{kind}`
pub(crate) fn page(visit: &Visit) -> Result<Answer, Fault> {
    let Some((kind, person, hit)) = asked(visit)? else { return Ok(missing::page(visit)) };
    let chosen = Tongue::from_tag(visit.parameter("text"));
    let spoken = person.languages.first().map(String::as_str).unwrap_or_default();
    let spoken = spoken.to_lowercase();
    let own = ["es", "spanish", "español"].iter().any(|name| spoken.starts_with(name));
    let tongue = chosen.unwrap_or(match own || visit.lang() == Lang::Es {
        true => Tongue::Spanish,
        false => Tongue::English,
    });
    let signing = Signing { tongue, ..Signing::default() };
    let shown = Shown { kind, signing: &signing, wrong: &[], is_read: !kind.has_elements() };
    show(visit, 200, &person, &hit, &shown)
}

/// Shows the text of what was entered, keeps it signed, or keeps that it was not.
pub(crate) fn answer(visit: &Visit) -> Result<Answer, Fault> {
    let Some((kind, person, hit)) = asked(visit)? else { return Ok(missing::page(visit)) };
    if visit.field("about") != person.id {
        return Ok(missing::page(visit));
    }
    let signing = entered(visit);
    let again = |status: u16, wrong: &[(&'static str, Word)], is_read: bool| {
        show(visit, status, &person, &hit, &Shown { kind, signing: &signing, wrong, is_read })
    };
    let lacks = signing.elements.lacks(kind, visit.now());
    let lacks: Vec<(&'static str, Word)> = lacks.into_iter().map(say_lack).collect();
    let work = match visit.field("do") {
        "decline" => {
            let reason = typed(visit, "reason");
            let (session, form) = (&visit.session, signing.form.as_str());
            finish(consent::decline(session, &person.id, kind, &reason, form))
        }
        _ if !lacks.is_empty() => return again(422, &lacks, false),
        "read" => return again(200, &[], true),
        "sign" => finish(consent::sign(&visit.session, &person.id, kind, &signing)),
        _ => return again(200, &[], false),
    };
    match work {
        Ok(id) => {
            let what = if visit.field("do") == "decline" { "declined" } else { "signed" };
            Ok(Answer::go(format!("/p/{}/consents/{id}?done={what}", person.id)))
        }
        Err(fault) if fault.code() == &code::REGISTRATION_VALUE => {
            let at = fault.issues.first().and_then(|issue| issue.expression.clone());
            again(422, &[say_field(&at.unwrap_or_default())], true)
        }
        Err(fault) if fault.code() == &code::VERSION_CONFLICT => {
            again(409, &[("words", words::CONSENT_READ_AGAIN)], true)
        }
        Err(fault) if is_nothing(&fault) || fault.code() == &code::REGISTRATION_OTHER_PATIENT => {
            Ok(missing::page(visit))
        }
        Err(fault) => Err(fault),
    }
}

/// The form and the patient of the path, for whoever may have it signed.
fn asked(visit: &Visit) -> Result<Option<(Kind, Person, Hit)>, Fault> {
    let Some(kind) = Kind::from_code(part(visit, 4)) else { return Ok(None) };
    if theirs(visit)?.is_none() {
        return Ok(None);
    }
    let Some((person, hit)) = patient::see_whole(visit)? else { return Ok(None) };
    Ok(may_sign(visit, &person.id)?.contains(&kind).then_some((kind, person, hit)))
}

fn typed(visit: &Visit, name: &str) -> String {
    visit.field(name).split_whitespace().collect::<Vec<_>>().join(" ")
}

fn entered(visit: &Visit) -> Signing {
    let purposes = visit.form.iter().filter(|(name, _)| name == "purpose");
    let elements = Elements {
        discloser: typed(visit, "discloser"),
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
    };
    let signer = visit.field("signer");
    let caller = visit.caller.as_ref();
    Signing {
        tongue: Tongue::from_tag(visit.field("text")).unwrap_or_default(),
        elements,
        proxy: if signer == "patient" { String::new() } else { signer.to_owned() },
        name: typed(visit, "name"),
        drawn: Signature::read(visit.field("strokes")),
        on_paper: visit.field("paper") == "yes",
        witness: caller.map(|one| one.principal.profile.display.clone()).unwrap_or_default(),
        read: visit.field("read").to_owned(),
        form: visit.field("entry").to_owned(),
    }
}

const fn say_lack(lack: Lacks) -> (&'static str, Word) {
    match lack {
        Lacks::Discloser => ("discloser", words::WRONG_MISSING),
        Lacks::Information => ("information", words::WRONG_MISSING),
        Lacks::Recipient => ("recipient", words::CONSENT_WRONG_RECIPIENT),
        Lacks::Purpose => ("purpose", words::WRONG_MISSING),
        Lacks::End => ("ends", words::CONSENT_WRONG_ENDS),
    }
}

fn say_field(at: &str) -> (&'static str, Word) {
    match at {
        "name" => ("name", words::WRONG_MISSING),
        "signer" => ("signer", words::CONSENT_WRONG_SIGNER),
        "reason" => ("reason", words::WRONG_MISSING),
        _ => ("paper", words::CONSENT_WRONG_HAND),
    }
}

const fn label(field: &str) -> Word {
    match field.as_bytes() {
        b"discloser" => words::CONSENT_DISCLOSER,
        b"information" => words::CONSENT_INFORMATION,
        b"recipient" => words::CONSENT_RECIPIENT,
        b"purpose" => words::CONSENT_PURPOSE,
        b"ends" => words::CONSENT_ENDS,
        b"name" => words::CONSENT_NAME,
        b"signer" => words::CONSENT_SIGNER,
        b"reason" => words::CONSENT_REASON,
        b"words" => words::CONSENT_TEXT,
        _ => words::CONSENT_HAND,
    }
}

fn show(
    visit: &Visit,
    status: u16,
    person: &Person,
    hit: &Hit,
    shown: &Shown<'_>,
) -> Result<Answer, Fault> {
    let lang = visit.lang();
    let says: Vec<(&str, String)> = shown
        .wrong
        .iter()
        .map(|(name, say)| (*name, format!("{}: {}", label(name).of(lang), say.of(lang))))
        .collect();
    let says: Vec<(&str, &str)> = says.iter().map(|(name, say)| (*name, say.as_str())).collect();
    let signing = shown.signing;
    let form = finish(form::of(&visit.session, shown.kind, signing.tongue))?;
    let text = consent::text_of(hit, &form, &signing.elements)?;
    let proxies = match shown.is_read && visit.session.may_search(related()?) {
        true => finish(proxy::of(&visit.session, &person.id))?,
        false => Vec::new(),
    };
    let title = called(shown.kind).of(lang);
    let body = html! {
        (head(visit, person)?)
        @if !says.is_empty() { (error_summary(lang, &says)) }
        @if shown.is_read {
            @if is_minor(visit, person) {
                (notice(Tone::Warning, words::CONSENT_MINOR.of(lang), &html! { p { (words::CONSENT_MINOR_WHY.of(lang)) } }))
            }
            div.columns.is-even {
                div { (panel("words", words::CONSENT_TEXT.of(lang), Some(&tongues(visit, shown)), &words_of(&text, signing.tongue))) }
                div {
                    (panel("sign", words::CONSENT_SIGN.of(lang), None, &signature(visit, person, &consent::read_mark(hit, &form), shown, &proxies)))
                    (panel("not", words::CONSENT_DECLINE.of(lang), None, &declining(visit, person, shown)))
                }
            }
        } @else {
            (panel("elements", words::CONSENT_ELEMENTS.of(lang), None, &elements(visit, person, shown)))
        }
    };
    Ok(shell_with(visit, status, title, &["sign.js"], &body))
}

fn related() -> Result<fhir::definitions::TypeId, Fault> {
    crate::booking::type_id("RelatedPerson")
}

/// Whether they are not of age yet, as far as that is known.
fn is_minor(visit: &Visit, person: &Person) -> bool {
    let today = days::day_at(visit.now(), &visit.zone);
    let years = majority_years(visit.session.home_state());
    let born = person.born.parse::<jiff::civil::Date>().ok();
    let of_age =
        born.and_then(|born| born.checked_add(jiff::Span::new().try_years(years).ok()?).ok());
    of_age.is_some_and(|day| today < day)
}

/// The same text in another language, while nothing was entered that would be lost.
fn tongues(visit: &Visit, shown: &Shown<'_>) -> Markup {
    let lang = visit.lang();
    html! {
        @if !shown.kind.has_elements() {
            nav.tongues aria-label=(words::CONSENT_LANGUAGE.of(lang)) {
                @for tongue in Tongue::ALL {
                    @let name = Lang::from_tag(tongue.tag()).map(Lang::own_name).unwrap_or_default();
                    a href={ (visit.path) "?text=" (tongue.tag()) } lang=(tongue.tag()) hreflang=(tongue.tag())
                        aria-current=[(tongue == shown.signing.tongue).then_some("true")] { (name) }
                }
            }
        }
    }
}

/// The text as it is signed.
fn words_of(text: &Text, tongue: Tongue) -> Markup {
    html! {
        div.words lang=(tongue.tag()) {
            h3 { (text.title) }
            @for part in &text.paragraphs { p { (part) } }
            dl.facts { @for (name, value) in &text.points { div { dt { (name) } dd { (value) } } } }
        }
    }
}

/// What every form about this consent brings back.
fn carried(visit: &Visit, person: &Person, shown: &Shown<'_>) -> Markup {
    let signing = shown.signing;
    let id = if signing.form.is_empty() { entry(visit) } else { signing.form.clone() };
    html! {
        (hidden(visit))
        input type="hidden" name="entry" value=(id);
        input type="hidden" name="about" value=(person.id);
        input type="hidden" name="text" value=(signing.tongue.tag());
    }
}

fn signature(
    visit: &Visit,
    person: &Person,
    read: &str,
    shown: &Shown<'_>,
    proxies: &[Proxy],
) -> Markup {
    let (lang, signing) = (visit.lang(), shown.signing);
    let deciding: Vec<(&str, String)> = proxies
        .iter()
        .filter(|one| one.proxy.may(Power::Decide))
        .map(|one| {
            let right = super::proxies::authority(one.proxy.authority).of(lang);
            (one.id.as_str(), format!("{} ({right})", one.proxy.name))
        })
        .collect();
    let mut signers = vec![Choice {
        value: "patient",
        label: words::CONSENT_PATIENT_SIGNS.of(lang),
        is_chosen: signing.proxy.is_empty(),
    }];
    signers.extend(deciding.iter().map(|(id, name)| Choice {
        value: id,
        label: name,
        is_chosen: signing.proxy == *id,
    }));
    let wrong = |name: &str| error(shown, name, lang);
    html! {
        form.stack method="post" action=(visit.path) {
            (carried(visit, person, shown))
            input type="hidden" name="do" value="sign";
            input type="hidden" name="read" value=(read);
            @if shown.kind.has_elements() { (kept(&signing.elements)) }
            div #signer { (choices(words::CONSENT_SIGNER.of(lang), "signer", &signers)) }
            (field(&Field {
                id: "name", name: "name", label: words::CONSENT_NAME.of(lang), value: &signing.name,
                error: wrong("name"), ..Field::default()
            }))
            div.field.is-wrong[!wrong("paper").is_empty()] data-pad="" hidden {
                p #pad-label { strong { (words::CONSENT_PAD.of(lang)) } }
                p.hint { (words::CONSENT_PAD_HINT.of(lang)) }
                svg.draws viewBox={ "0 0 " (WIDTH) " " (HEIGHT) } role="img" aria-labelledby="pad-label" {}
                input type="hidden" name="strokes" value="";
                div.row { button.button.is-quiet type="button" data-clear="" { span { (words::CONSENT_PAD_CLEAR.of(lang)) } } }
            }
            div.field.is-tick.is-wrong[!wrong("paper").is_empty()] {
                @if !wrong("paper").is_empty() { p.error id="paper-error" { (wrong("paper")) } }
                label.choice {
                    input #paper type="checkbox" name="paper" value="yes" checked[signing.on_paper]
                        aria-describedby=[(!wrong("paper").is_empty()).then_some("paper-error")];
                    span { (words::CONSENT_PAPER.of(lang)) }
                }
            }
            div.row { (button(Button::Primary, Some(Icon::Pencil), words::CONSENT_SIGN.of(lang))) }
        }
        @if shown.kind.has_elements() {
            form.stack method="post" action=(visit.path) {
                (carried(visit, person, shown))
                input type="hidden" name="do" value="change";
                (kept(&signing.elements))
                div.row { (button(Button::Quiet, Some(Icon::Back), words::CONSENT_CHANGE.of(lang))) }
            }
        }
    }
}

fn declining(visit: &Visit, person: &Person, shown: &Shown<'_>) -> Markup {
    let lang = visit.lang();
    html! {
        form.stack method="post" action=(visit.path) {
            (carried(visit, person, shown))
            input type="hidden" name="do" value="decline";
            p.hint { (words::CONSENT_DECLINE_WHY.of(lang)) }
            (field(&Field {
                id: "reason", name: "reason", label: words::CONSENT_REASON.of(lang), value: visit.field("reason"),
                error: error(shown, "reason", lang), ..Field::default()
            }))
            div.row { (button(Button::Secondary, None, words::CONSENT_DECLINE_KEEP.of(lang))) }
        }
    }
}

fn error(shown: &Shown<'_>, name: &str, lang: Lang) -> &'static str {
    let found = shown.wrong.iter().find(|(own, _)| *own == name);
    found.map_or("", |(_, say)| say.of(lang))
}

/// The elements, brought back with what is signed.
fn kept(of: &Elements) -> Markup {
    let plain = |name: &str, value: &str| html! { input type="hidden" name=(name) value=(value); };
    html! {
        (plain("discloser", &of.discloser)) (plain("extent", extent(of.extent)))
        (plain("information", &of.information)) (plain("to", to(of.to))) (plain("recipient", &of.recipient))
        @for purpose in &of.purposes { (plain("purpose", purpose)) }
        (plain("ends", ends(of.ends))) (plain("last_day", &of.last_day)) (plain("event", &of.event))
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

fn elements(visit: &Visit, person: &Person, shown: &Shown<'_>) -> Markup {
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
            (field(&Field {
                id: "discloser", name: "discloser", label: words::CONSENT_DISCLOSER.of(lang), value: &of.discloser,
                hint: words::CONSENT_DISCLOSER_HINT.of(lang), error: error(shown, "discloser", lang), ..Field::default()
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
