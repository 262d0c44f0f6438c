//! What is pressed in the inbox: filing, answers, handing on, taking, giving back, closing, and the undo
//! of the last. Each is a form that is answered by the list again (POST, redirect, GET).

use super::{KINDS, is_shown, item, me};
use crate::answer::{Answer, is_nothing};
use crate::pages::missing;
use crate::parts::{Icon, Kind, Tone, button, hidden, notice, toast};
use crate::route::part;
use crate::visit::Visit;
use crate::wait::wait;
use crate::words::{self, Lang, Word};
use base::Fault;
use base::error::{Code, code};
use fhir::reference::is_id;
use inbox::act::{UNDO_MAX, act, file as filed, undo as undone};
use inbox::{Act, Done, Kind as What, Seen, Took};
use maud::{Markup, html};

/// `POST /inbox/file`: one or several results of one patient, from the list.
pub(crate) fn file(visit: &Visit) -> Result<Answer, Fault> {
    if !is_shown(visit) {
        return Ok(missing::page(visit));
    }
    let sent = visit.form.iter().filter(|(name, _)| name == "result");
    let all: Option<Vec<Seen>> = sent.map(|(_, value)| seen(What::Result, value)).collect();
    let Some(all) = all else { return Ok(missing::page(visit)) };
    let patient = visit.field("patient");
    answered(visit, "file", wait(filed(&visit.session, &me(visit), patient, (&all, false))))
}

/// `POST /inbox/{type}/{record}`: one item, from its own page.
pub(crate) fn one(visit: &Visit) -> Result<Answer, Fault> {
    let Some(kind) = What::of_type(part(visit, 1)).filter(|_| is_shown(visit)) else {
        return Ok(missing::page(visit));
    };
    let sent = format!("{}:{}", part(visit, 2), visit.field("version"));
    let Some(seen) = seen(kind, &sent) else { return Ok(missing::page(visit)) };
    let text = |name: &str| visit.field(name).to_owned();
    let what = match visit.field("act") {
        "file" => Act::File,
        "reply" => Act::Reply(text("text")),
        "forward" => Act::Forward { to: text("to"), note: text("note") },
        "take" => Act::Take,
        "back" => Act::GiveBack,
        "close" => Act::Close(text("note")),
        _ => return Ok(missing::page(visit)),
    };
    let done = wait(act(&visit.session, &me(visit), visit.field("patient"), (&seen, &what)));
    match done {
        Err(fault) if why(&fault, visit.lang()).is_some() => item::refused(visit, &fault),
        done => answered(visit, visit.field("act"), done),
    }
}

/// `POST /inbox/undo`
pub(crate) fn undo(visit: &Visit) -> Result<Answer, Fault> {
    if !is_shown(visit) {
        return Ok(missing::page(visit));
    }
    let all = undo_of(visit.field("undo"));
    match wait(undone(&visit.session, visit.field("patient"), &all)) {
        Ok(_) => Ok(Answer::go(list_path(visit, &[("did", "undo")], ""))),
        Err(fault) => answered(visit, "undo", Err(fault)),
    }
}

fn answered(visit: &Visit, did: &str, done: Result<Done, Fault>) -> Result<Answer, Fault> {
    match done {
        Ok(done) => {
            let undo: Vec<String> = done
                .undo
                .iter()
                .map(|one| format!("{}:{}:{}", one.kind, one.id, one.version))
                .collect();
            let (undo, patient) = (undo.join(","), visit.field("patient").to_owned());
            let more = [("did", did), ("patient", patient.as_str()), ("undo", undo.as_str())];
            Ok(Answer::go(list_path(visit, &more, visit.field("next"))))
        }
        Err(fault) if is_nothing(&fault) => Ok(missing::page(visit)),
        Err(fault) => match reason(&fault) {
            Some(name) => Ok(Answer::go(list_path(visit, &[("why", name)], ""))),
            None => Err(fault),
        },
    }
}

/// The list that somebody came from, with what is to be said there.
fn list_path(visit: &Visit, more: &[(&str, &str)], next: &str) -> String {
    let kind = KINDS.iter().find(|(name, ..)| *name == visit.field("kind")).map(|(name, ..)| *name);
    let pairs = kind.map(|kind| ("kind", kind)).into_iter().chain(more.iter().copied());
    let plain =
        |text: &str| text.bytes().all(|b| b.is_ascii_alphanumeric() || b"-.:,_".contains(&b));
    let pairs: Vec<String> = pairs
        .filter(|(_, value)| !value.is_empty() && plain(value))
        .map(|(name, value)| format!("{name}={value}"))
        .collect();
    let next = if is_id(next) { format!("#open-{next}") } else { String::new() };
    format!("/inbox?{}{next}", pairs.join("&"))
}

/// What was done just now and its undo, or why nothing was.
pub(super) fn told(visit: &Visit) -> Markup {
    let lang = visit.lang();
    let did = match visit.parameter("did") {
        "file" => words::INBOX_DID_FILE,
        "reply" => words::INBOX_DID_REPLY,
        "forward" => words::INBOX_DID_FORWARD,
        "take" => words::INBOX_DID_TAKE,
        "back" => words::INBOX_DID_BACK,
        "close" => words::INBOX_DID_CLOSE,
        "undo" => words::INBOX_DID_UNDO,
        _ => {
            let why = REASONS.iter().find(|(code, _)| code.name == visit.parameter("why"));
            return html! { @if let Some((_, word)) = why { (not_done(*word, lang)) } };
        }
    };
    let all = visit.parameter("undo");
    let undo = (!undo_of(all).is_empty()).then(|| {
        html! {
            form method="post" action="/inbox/undo" {
                (hidden(visit))
                input type="hidden" name="patient" value=(visit.parameter("patient"));
                input type="hidden" name="undo" value=(all);
                (button(Kind::Quiet, Some(Icon::Undo), words::UNDO.of(lang)))
            }
        }
    });
    toast(lang, did.of(lang), undo.as_ref())
}

/// Faults that somebody can do something about, and what is said of each.
const REASONS: [(&Code, Word); 7] = [
    (&code::INBOX_STATE, words::INBOX_WHY_STATE),
    (&code::INBOX_UNOPENED, words::INBOX_WHY_UNOPENED),
    (&code::INBOX_PERSON, words::INBOX_WHY_PERSON),
    (&code::INBOX_VALUE, words::INBOX_WHY_VALUE),
    (&code::CHART_OTHER_PATIENT, words::INBOX_WHY_OTHER),
    (&code::VERSION_CONFLICT, words::INBOX_WHY_CHANGED),
    (&code::ACCESS_DENIED, words::INBOX_WHY_DENIED),
];

fn reason(fault: &Fault) -> Option<&'static str> {
    let found = REASONS.iter().find(|(code, _)| code.name == fault.code().name);
    found.map(|(code, _)| code.name)
}

/// What a fault comes to, in words for whoever pressed.
pub(super) fn why(fault: &Fault, lang: Lang) -> Option<&'static str> {
    let found = REASONS.iter().find(|(code, _)| code.name == fault.code().name);
    found.map(|(_, word)| word.of(lang))
}

pub(super) fn not_done(word: Word, lang: Lang) -> Markup {
    notice(Tone::Critical, words::INBOX_NOT_DONE.of(lang), &html! { p { (word.of(lang)) } })
}

/// A record as a form names it: its id and the version that was shown.
fn seen(kind: What, text: &str) -> Option<Seen> {
    let (id, version) = text.split_once(':')?;
    let version = version.parse().ok()?;
    is_id(id).then(|| Seen { kind, id: id.to_owned(), version })
}

/// The records that an address or a form names for an undo.
fn undo_of(text: &str) -> Vec<Took> {
    let one = |part: &str| {
        let mut parts = part.split(':');
        let (kind, id, version) = (parts.next()?, parts.next()?, parts.next()?.parse().ok()?);
        let is_ours = ["Task", "Communication"].contains(&kind) && is_id(id);
        let took = Took { kind: kind.to_owned(), id: id.to_owned(), version };
        (is_ours && parts.next().is_none()).then_some(took)
    };
    text.split(',').filter_map(one).take(UNDO_MAX).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn what_an_undo_takes_back_is_named_by_type_id_and_version() {
        let read = undo_of("Task:a-1:2,Communication:b:1,Patient:c:1,Task:d,Task:e:x,Task:f:1:2");
        let ids: Vec<&str> = read.iter().map(|one| one.id.as_str()).collect();
        assert_eq!(ids, ["a-1", "b"]);
        assert_eq!(undo_of(&"Task:b:1,".repeat(99)).len(), UNDO_MAX);
    }

    proptest! {
        #[test]
        fn whatever_a_form_says_it_is_read_or_left(text in "\\PC{0,60}") {
            prop_assert!(undo_of(&text).iter().all(|one| is_id(&one.id)));
            prop_assert!(seen(What::Result, &text).is_none_or(|one| is_id(&one.id)));
        }
    }
}
