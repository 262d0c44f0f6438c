//! Having a consent signed: what it is about, the text put before the patient, and the signature, drawn on
//! the screen or on the printed sheet before a witness. What is kept is what was on the screen.

mod elements;

use super::consents::{called, may_sign};
use super::{entry, head, place, theirs, typed};
use crate::answer::{Answer, is_nothing};
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
use elements::kept;
use maud::{Markup, html};
use record::Hit;
use record::proxy::Power;
use registration::consent::elements::Lacks;
use registration::consent::signature::{HEIGHT, Signature, WIDTH};
use registration::consent::text::{Text, Tongue};
use registration::consent::{self, Beside, Kind, Second, Signing, form};
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
            finish(consent::decline(&visit.session, &person.id, kind, &signing, &reason))
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
        Err(fault) if fault.code() == &code::CONSENT_INCOMPLETE && place(&fault) == "signer" => {
            again(422, &[("signer", words::CONSENT_WRONG_MINOR)], true)
        }
        Err(fault)
            if [&code::REGISTRATION_VALUE, &code::CONSENT_INCOMPLETE].contains(&fault.code()) =>
        {
            again(422, &[say_field(&place(&fault))], true)
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
    if theirs(visit, "Consent")?.is_none() {
        return Ok(None);
    }
    let Some((person, hit)) = patient::see_whole(visit)? else { return Ok(None) };
    Ok(may_sign(visit, &person.id)?.contains(&kind).then_some((kind, person, hit)))
}

fn entered(visit: &Visit) -> Signing {
    let signer = visit.field("signer");
    let caller = visit.caller.as_ref();
    Signing {
        tongue: Tongue::from_tag(visit.field("text")).unwrap_or_default(),
        elements: elements::entered(visit),
        proxy: if signer == "patient" { String::new() } else { signer.to_owned() },
        name: typed(visit, "name"),
        drawn: Signature::read(visit.field("strokes")),
        beside: match visit.field("beside") {
            "" => Beside::Unsaid,
            "nobody" => Beside::Nobody,
            proxy => Beside::Signs(Second {
                proxy: proxy.to_owned(),
                name: typed(visit, "beside_name"),
                drawn: Signature::read(visit.field("beside_strokes")),
            }),
        },
        on_paper: visit.field("paper") == "yes",
        witness: caller.map(|one| one.principal.profile.display.clone()).unwrap_or_default(),
        read: visit.field("read").to_owned(),
        form: visit.field("entry").to_owned(),
    }
}

const fn say_lack(lack: Lacks) -> (&'static str, Word) {
    match lack {
        Lacks::Discloser => ("discloser", words::CONSENT_WRONG_DISCLOSER),
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
        "beside" => ("beside", words::CONSENT_WRONG_BESIDE),
        "beside_name" => ("beside_name", words::WRONG_MISSING),
        "beside_strokes" => ("paper", words::CONSENT_WRONG_HANDS),
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
        b"beside" => words::CONSENT_BESIDE,
        b"beside_name" => words::CONSENT_BESIDE_NAME,
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
    let is_minor = proxy::is_minor(&visit.session, hit)?;
    let signs = Signs {
        read: &text.mark(&form),
        proxies: &proxies,
        is_minors: is_minor && shown.kind == Kind::Part2,
    };
    let why = if signs.is_minors { words::CONSENT_MINOR_PART2 } else { words::CONSENT_MINOR_WHY };
    let title = called(shown.kind).of(lang);
    let body = html! {
        (head(visit, person)?)
        @if !says.is_empty() { (error_summary(lang, &says)) }
        @if shown.is_read {
            @if is_minor {
                (notice(Tone::Warning, words::CONSENT_MINOR.of(lang), &html! { p { (why.of(lang)) } }))
            }
            div.columns.is-even {
                div { (panel("words", words::CONSENT_TEXT.of(lang), Some(&tongues(visit, shown)), &words_of(&text, signing.tongue))) }
                div {
                    (panel("sign", words::CONSENT_SIGN.of(lang), None, &signature(visit, person, shown, &signs)))
                    (panel("not", words::CONSENT_DECLINE.of(lang), None, &declining(visit, person, shown)))
                }
            }
        } @else {
            (panel("elements", words::CONSENT_ELEMENTS.of(lang), None, &elements::form(visit, person, shown)))
        }
    };
    Ok(shell_with(visit, status, title, &["sign.js"], &body))
}

fn related() -> Result<fhir::definitions::TypeId, Fault> {
    crate::booking::type_id("RelatedPerson")
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

/// Who signs what is on the screen.
struct Signs<'s> {
    /// What is on the screen.
    read: &'s str,
    proxies: &'s [Proxy],
    /// It is a minor's to sign (42 CFR 2.14).
    is_minors: bool,
}

fn signature(visit: &Visit, person: &Person, shown: &Shown<'_>, signs: &Signs<'_>) -> Markup {
    let (lang, signing) = (visit.lang(), shown.signing);
    let deciding: Vec<(&str, String)> = signs
        .proxies
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
        is_chosen: signing.proxy.is_empty() || signs.is_minors,
    }];
    signers.extend(deciding.iter().filter(|_| !signs.is_minors).map(|(id, name)| Choice {
        value: id,
        label: name,
        is_chosen: signing.proxy == *id,
    }));
    let wrong = |name: &str| error(shown, name, lang);
    html! {
        form.stack method="post" action=(visit.path) {
            (carried(visit, person, shown))
            input type="hidden" name="do" value="sign";
            input type="hidden" name="read" value=(signs.read);
            @if shown.kind.has_elements() { (kept(&signing.elements)) }
            div.field.is-wrong[!wrong("signer").is_empty()] #signer {
                @if !wrong("signer").is_empty() { p.error { (wrong("signer")) } }
                (choices(words::CONSENT_SIGNER.of(lang), "signer", &signers))
            }
            (field(&Field {
                id: "name", name: "name", label: words::CONSENT_NAME.of(lang), value: &signing.name,
                error: wrong("name"), ..Field::default()
            }))
            (pad("strokes", words::CONSENT_PAD, shown, lang))
            @if signs.is_minors { (beside(shown, &deciding, lang)) }
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

/// Where somebody draws their name, in the field `name`.
fn pad(name: &str, label: Word, shown: &Shown<'_>, lang: Lang) -> Markup {
    let id = format!("{name}-label");
    html! {
        div.field.is-wrong[!error(shown, "paper", lang).is_empty()] data-pad="" hidden {
            p id=(id) { strong { (label.of(lang)) } }
            p.hint { (words::CONSENT_PAD_HINT.of(lang)) }
            svg.draws viewBox={ "0 0 " (WIDTH) " " (HEIGHT) } role="img" aria-labelledby=(id) {}
            input type="hidden" name=(name) value="";
            div.row { button.button.is-quiet type="button" data-clear="" { span { (words::CONSENT_PAD_CLEAR.of(lang)) } } }
        }
    }
}

/// Who signs beside a minor, if anybody has to.
fn beside(shown: &Shown<'_>, deciding: &[(&str, String)], lang: Lang) -> Markup {
    let of = &shown.signing.beside;
    let (own, name) = match of {
        Beside::Signs(second) => (second.proxy.as_str(), second.name.as_str()),
        Beside::Unsaid | Beside::Nobody => ("", ""),
    };
    let mut all = vec![Choice {
        value: "nobody",
        label: words::CONSENT_BESIDE_NOBODY.of(lang),
        is_chosen: *of == Beside::Nobody,
    }];
    all.extend(deciding.iter().map(|(id, name)| Choice {
        value: id,
        label: name,
        is_chosen: own == *id,
    }));
    let say = error(shown, "beside", lang);
    html! {
        div.field.is-wrong[!say.is_empty()] #beside {
            @if !say.is_empty() { p.error { (say) } }
            (choices(words::CONSENT_BESIDE.of(lang), "beside", &all))
        }
        (field(&Field {
            id: "beside_name", name: "beside_name", label: words::CONSENT_BESIDE_NAME.of(lang), value: name,
            error: error(shown, "beside_name", lang), ..Field::default()
        }))
        (pad("beside_strokes", words::CONSENT_BESIDE_PAD, shown, lang))
    }
}

fn declining(visit: &Visit, person: &Person, shown: &Shown<'_>) -> Markup {
    let lang = visit.lang();
    html! {
        form.stack method="post" action=(visit.path) {
            (carried(visit, person, shown))
            input type="hidden" name="do" value="decline";
            @if shown.kind.has_elements() { (kept(&shown.signing.elements)) }
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
