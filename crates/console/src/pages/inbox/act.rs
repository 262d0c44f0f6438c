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
use inbox::act::{act, file as filed, undo as undone};
use inbox::{Act, Done, Kind as What, Seen};
use maud::{Markup, html};

/// `POST /inbox/file`: one or several results of one patient, from the list.
pub(crate) fn file(visit: &Visit) -> Result<Answer, Fault> {
    if !is_shown(visit) {
        return Ok(missing::page(visit));
    }
    let sent = visit.form.iter().filter(|(name, _)| name == "result");
    let all: Option<Vec<Seen>> = sent.map(|(_, value)| Seen::parse(What::Result, value)).collect();
    let Some(all) = all else { return Ok(missing::page(visit)) };
    let patient = visit.field("patient");
    answered(visit, "file", wait(filed(&visit.session, &me(visit), patient, (&all, false))))
}

/// `POST /inbox/{type}/{record}`: one item, from its own page.
pub(crate) fn one(visit: &Visit) -> Result<Answer, Fault> {
    let Some(kind) = What::of_type(part(visit, 1)).filter(|_| is_shown(visit)) else {
        return Ok(missing::page(visit));
    };
    let values = Some(visit.field("values")).filter(|values| !values.is_empty());
    let values = values.map(|values| format!(":{values}")).unwrap_or_default();
    let sent = format!("{}:{}{values}", part(visit, 2), visit.field("version"));
    let Some(seen) = Seen::parse(kind, &sent) else { return Ok(missing::page(visit)) };
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
    match wait(undone(&visit.session, visit.field("patient"), visit.field("undo"))) {
        Ok(_) => Ok(Answer::go(list_path(visit, &[("did", "undo")], ""))),
        Err(fault) => answered(visit, "undo", Err(fault)),
    }
}

fn answered(visit: &Visit, did: &str, done: Result<Done, Fault>) -> Result<Answer, Fault> {
    match done {
        Ok(done) => {
            let patient = visit.field("patient").to_owned();
            // How many, of several that were filed at once.
            let count = match done.took.len() {
                count if did == "file" && count > 1 => count.to_string(),
                _ => String::new(),
            };
            let more = [("did", did), ("n", &count), ("patient", &patient), ("undo", &done.undo)];
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
    let count: usize = visit.parameter("n").parse().unwrap_or(0);
    let did = match visit.parameter("did") {
        "file" if count > 1 => words::INBOX_DID_FILE_MANY,
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
    let undo = (!all.is_empty()).then(|| {
        html! {
            form method="post" action="/inbox/undo" {
                (hidden(visit))
                input type="hidden" name="patient" value=(visit.parameter("patient"));
                input type="hidden" name="undo" value=(all);
                (button(Kind::Quiet, Some(Icon::Undo), words::UNDO.of(lang)))
            }
        }
    });
    toast(lang, &did.with(lang, &count.to_string()), undo.as_ref())
}

/// Faults that somebody can do something about, and what is said of each.
const REASONS: [(&Code, Word); 9] = [
    (&code::INBOX_STATE, words::INBOX_WHY_STATE),
    (&code::INBOX_UNOPENED, words::INBOX_WHY_UNOPENED),
    (&code::INBOX_CHANGED, words::INBOX_WHY_VALUES),
    (&code::INBOX_UNSEEN, words::INBOX_WHY_UNSEEN),
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
