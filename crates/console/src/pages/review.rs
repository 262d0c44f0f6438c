//! The cases of review: every broken glass and every access that stood out, by the day each is due; one
//! case with its evidence and its history; and the steps a privacy officer takes (45 CFR
//! 164.308(a)(1)(ii)(D), information system activity review). A step names how many there were when the case
//! was read, so that two who decide at once are told; nobody is shown a case about themselves.

use crate::answer::{Answer, is_nothing};
use crate::days;
use crate::pages::keep::{Wrong, called, kept, pick, told};
use crate::pages::missing;
use crate::parts::{
    Choice, Column, Field, Icon, Kind, Tab, Table, Tone, badge, button, choices, empty, facts,
    field, hidden, panel, shell, table, tabs, toast, unbroken,
};
use crate::route::part;
use crate::visit::Visit;
use crate::words::{self, Lang, Word};
use base::Fault;
use base::error::code;
use identity::PrincipalId;
use maud::{Markup, html};
use record::{
    Case, CaseFile, CaseFilter, CaseId, CaseKind, CaseState, Done, Outcome, Signal, Step, Ties,
    Turn,
};
use std::collections::HashMap;

/// Cases of one page.
const SHOWN_MAX: usize = 200;

type Names = HashMap<String, (String, String)>;

/// `/review`
pub(crate) fn page(visit: &Visit) -> Result<Answer, Fault> {
    if !visit.session.may_see_cases() {
        return Ok(missing::page(visit));
    }
    let lang = visit.lang();
    let state = visit.parameter("state");
    let states = match state {
        "closed" => vec![CaseState::Closed],
        _ => vec![CaseState::Open, CaseState::Assigned],
    };
    let own = visit.caller.as_ref().map(|caller| caller.principal.id);
    let filter =
        CaseFilter { states, overdue: state == "overdue", owner: own.filter(|_| state == "mine") };
    let cases = visit.session.cases(&filter)?.wait()?;
    let ids = cases.iter().flat_map(|case| [Some(case.actor.clone()), case.owner.clone()]);
    let names = visit.session.names_of(ids.flatten())?;
    let tab = |word: Word, value: &str| Tab {
        label: word.of(lang),
        href: if value.is_empty() {
            "/review".to_owned()
        } else {
            format!("/review?state={value}")
        },
        is_here: state == value,
    };
    let count = words::counted(lang, words::TURNS_ONE, words::TURNS_MANY, cases.len());
    let body = html! {
        h1 { (words::TURNS.of(lang)) }
        (tabs(words::TURNS_PAGES.of(lang), &[
            tab(words::TURNS_OPEN, ""),
            tab(words::TURNS_MINE, "mine"),
            tab(words::OVERDUE, "overdue"),
            tab(words::TURNS_CLOSED, "closed"),
        ]))
        (panel("cases", &count, None, &html! {
            @if cases.is_empty() { (empty(Icon::Ok, words::NO_CASES.of(lang), words::NO_CASES_WHY.of(lang), None)) }
            @else { (list(visit, &cases, &names)) }
            @if cases.len() > SHOWN_MAX { p.foot.muted { (words::TURNS_FIRST.with(lang, &SHOWN_MAX.to_string())) } }
        }))
    };
    Ok(shell(visit, 200, words::TURNS.of(lang), &body))
}

fn list(visit: &Visit, cases: &[Case], names: &Names) -> Markup {
    let lang = visit.lang();
    let now = visit.now();
    let rows: Vec<Vec<Markup>> = cases
        .iter()
        .take(SHOWN_MAX)
        .map(|case| {
            vec![
                html! { a href={ "/review/" (case.id) } { (unbroken(&days::moment(case.due, &visit.zone, lang))) }
                @if case.is_overdue(now) { " " (badge(Tone::Critical, Icon::Clock, words::OVERDUE.of(lang))) } },
                html! { (kind(case, lang)) },
                called(visit, names, &case.actor),
                html! { @match &case.patient { Some(id) => span.mono { (id) }, None => span.muted { (words::NO_ONE_PATIENT.of(lang)) } } },
                html! { (signals(&case.signals, lang)) },
                html! { (state_badge(case, lang)) @if let Some(owner) = &case.owner { " " (called(visit, names, owner)) } },
            ]
        })
        .collect();
    let column = |word: Word| Column { label: word.of(lang), is_figure: false };
    let columns = [
        words::DUE,
        words::TURNS_KIND,
        words::CASE_ABOUT,
        words::LOGS_PATIENT_OF,
        words::TURNS_SIGNALS,
        words::STATE,
    ];
    table(&Table { caption: words::TURNS.of(lang), columns: &columns.map(column), rows: &rows })
}

fn kind(case: &Case, lang: Lang) -> Markup {
    match case.kind {
        CaseKind::BreakGlass => badge(Tone::Critical, Icon::Critical, words::CASE_GLASS.of(lang)),
        CaseKind::Signal => badge(Tone::Warning, Icon::Eye, words::CASE_SIGNAL.of(lang)),
    }
}

fn state_badge(case: &Case, lang: Lang) -> Markup {
    match (case.state, case.asked()) {
        (CaseState::Closed, _) => {
            let word = case.outcome.map_or(words::TURNS_CLOSED, outcome_word);
            badge(Tone::Ok, Icon::Ok, word.of(lang))
        }
        (_, Some(_)) => badge(Tone::Accent, Icon::Mail, words::TURNS_ASKED.of(lang)),
        (CaseState::Open, None) => badge(Tone::Warning, Icon::Warning, words::CASE_OPEN.of(lang)),
        (CaseState::Assigned, None) => {
            badge(Tone::Accent, Icon::Person, words::CASE_ASSIGNED.of(lang))
        }
    }
}

const fn outcome_word(outcome: Outcome) -> Word {
    match outcome {
        Outcome::Appropriate => words::TURNS_APPROPRIATE,
        Outcome::Explained => words::TURNS_EXPLAINED,
        Outcome::Inappropriate => words::TURNS_INAPPROPRIATE,
        Outcome::Inconclusive => words::TURNS_INCONCLUSIVE,
    }
}

fn signals(all: &[Signal], lang: Lang) -> String {
    let words: Vec<&str> = all.iter().map(|signal| signal_word(*signal).of(lang)).collect();
    words.join(", ")
}

const fn signal_word(signal: Signal) -> Word {
    match signal {
        Signal::OwnRecord => words::TURNS_S_OWN,
        Signal::SameSurname => words::TURNS_S_SURNAME,
        Signal::SameAddress => words::TURNS_S_ADDRESS,
        Signal::CoWorker => words::TURNS_S_CO_WORKER,
        Signal::Vip => words::TURNS_S_VIP,
        Signal::BrokenGlass => words::TURNS_S_GLASS,
        Signal::ManyBrokenGlasses => words::TURNS_S_GLASSES,
        Signal::Fishing => words::TURNS_S_FISHING,
        Signal::Volume => words::TURNS_S_MANY,
        Signal::OffShift => words::TURNS_S_HOURS,
    }
}

/// `/review/{id}`
pub(crate) fn case(visit: &Visit) -> Result<Answer, Fault> {
    shown(visit, None)
}

fn shown(visit: &Visit, wrong: Option<&Wrong>) -> Result<Answer, Fault> {
    let id = CaseId::parse(part(visit, 1)).filter(|_| visit.session.may_see_cases());
    let Some(id) = id else { return Ok(missing::page(visit)) };
    let file = match visit.session.case(id) {
        Ok(file) => file.wait()?,
        // One's own case is answered as one that is not there.
        Err(fault)
            if is_nothing(&fault)
                || [&code::CASE_OWN, &code::CASE_NOT_FOUND].contains(&fault.code()) =>
        {
            return Ok(missing::page(visit));
        }
        Err(fault) => return Err(fault),
    };
    let lang = visit.lang();
    let case = &file.case;
    let by = case.steps.iter().flat_map(|step| {
        let owner = match &step.done {
            Done::Assigned { owner, .. } => Some(owner.clone()),
            _ => None,
        };
        [step.by.clone(), owner]
    });
    let names = visit.session.names_of(by.chain([Some(case.actor.clone())]).flatten())?;
    let title = words::TURNS_CASE.with(lang, &case.id.to_string());
    let decides = visit.session.may_decide_cases();
    let body = html! {
        div.head-row {
            div.page-head {
                h1 { (title) }
                p.row { (kind(case, lang)) (state_badge(case, lang))
                    @if case.is_overdue(visit.now()) { (badge(Tone::Critical, Icon::Clock, words::OVERDUE.of(lang))) } }
            }
            a.button.is-quiet href="/review" { (words::TURNS_BACK.of(lang)) }
        }
        @if visit.parameter("did") == "1" { (toast(lang, words::TURNS_DID.of(lang), None)) }
        (told(visit, wrong, false))
        div.columns {
            div {
                (panel("about", words::TURNS_ABOUT.of(lang), None, &about(visit, &file, &names)))
                (panel("evidence", words::TURNS_EVIDENCE.of(lang), None, &evidence(visit, &file)))
                (panel("history", words::TURNS_HISTORY.of(lang), None, &history(visit, case, &names)))
            }
            div {
                @if decides { (steps(visit, case, wrong)?) }
                @else { (panel("steps", words::TURNS_STEPS.of(lang), None, &html! { p.foot.muted { (words::TURNS_READ_ONLY.of(lang)) } })) }
            }
        }
    };
    Ok(shell(visit, wrong.map_or(200, |wrong| wrong.status), &title, &body))
}

fn about(visit: &Visit, file: &CaseFile, names: &Names) -> Markup {
    let lang = visit.lang();
    let case = &file.case;
    let moment = |at| unbroken(&days::moment(at, &visit.zone, lang));
    facts(&[
        (
            words::CASE_ABOUT.of(lang),
            html! { @match PrincipalId::parse(&case.actor) { Some(id) => a href={ "/admin/users/" (id) } { (called(visit, names, &case.actor)) }, None => (called(visit, names, &case.actor)) } },
        ),
        (
            words::LOGS_PATIENT_OF.of(lang),
            html! { @match &case.patient { Some(id) => span.mono { (id) }, None => span.muted { (words::NO_ONE_PATIENT.of(lang)) } } },
        ),
        (words::DUE.of(lang), moment(case.due)),
        (words::TURNS_OPENED.of(lang), moment(case.opened)),
        (words::TURNS_SPAN.of(lang), html! { (moment(case.from)) " – " (moment(case.until)) }),
        (words::TURNS_SIGNALS.of(lang), html! { (signals(&case.signals, lang)) }),
        (words::TURNS_SCORE.of(lang), html! { span.number { (case.score) } }),
        (
            words::TURNS_OWNER.of(lang),
            html! { @match &case.owner { Some(owner) => (called(visit, names, owner)), None => span.muted { (words::CASE_OPEN.of(lang)) } } },
        ),
    ])
}

fn evidence(visit: &Visit, file: &CaseFile) -> Markup {
    let lang = visit.lang();
    let case = &file.case;
    html! {
        ul.rules {
            @for seen in case.seen() {
                li {
                    p { strong { (days::moment(seen.from, &visit.zone, lang)) } " " (signals(&seen.signals, lang)) }
                    @if !seen.reason.is_empty() { p { (words::TURNS_REASON.of(lang)) " " q { (seen.reason) } } }
                    @match seen.in_care {
                        Some(true) => p.muted { (words::TURNS_IN_CARE.of(lang)) },
                        Some(false) => p.muted { (words::TURNS_NOT_IN_CARE.of(lang)) },
                        None => {},
                    }
                }
            }
        }
        @if let Some(ties) = &file.ties { p.foot { strong { (words::TURNS_TIES.of(lang)) } " " (ties_words(*ties, lang)) } }
        div.foot {
            p { strong { (words::TURNS_EVENTS.of(lang)) } }
            @if file.events.is_empty() { p.muted { (words::KEEP_NONE.of(lang)) } }
            p { @for seq in &file.events { a.number href={ "/audit/events/" (seq) } { "#" (seq) } " " } }
            @if file.more { p.muted { (words::TURNS_MORE_EVENTS.of(lang)) } }
            p { a href=(format!("/audit?who={}{}", case.actor, case.patient.as_ref().map(|id| format!("&patient={id}")).unwrap_or_default())) { (words::TURNS_IN_LOG.of(lang)) } }
        }
    }
}

fn ties_words(ties: Ties, lang: Lang) -> String {
    let all = [
        (ties.treats, words::TURNS_T_TREATS),
        (!ties.treats, words::TURNS_T_NOT),
        (ties.same_person, words::TURNS_T_SAME),
        (ties.same_surname && !ties.same_person, words::TURNS_S_SURNAME),
        (ties.same_address && !ties.same_person, words::TURNS_S_ADDRESS),
        (ties.co_worker && !ties.same_person, words::TURNS_S_CO_WORKER),
        (ties.vip, words::TURNS_S_VIP),
    ];
    let there: Vec<&str> =
        all.iter().filter(|(there, _)| *there).map(|(_, word)| word.of(lang)).collect();
    there.join(", ")
}

fn history(visit: &Visit, case: &Case, names: &Names) -> Markup {
    let lang = visit.lang();
    let told = |step: &Step| match &step.done {
        Done::Seen(seen) => {
            (words::TURNS_H_SEEN.with(lang, &signals(&seen.signals, lang)), String::new())
        }
        Done::Assigned { owner, note } => {
            let name = names.get(owner).map_or(owner.as_str(), |(display, _)| display.as_str());
            (words::TURNS_H_ASSIGNED.with(lang, name), note.clone())
        }
        Done::Closed { outcome, note, .. } => {
            (words::TURNS_H_CLOSED.with(lang, outcome_word(*outcome).of(lang)), note.clone())
        }
        Done::Noted { asks: true, note } => (words::TURNS_ASKED.of(lang).to_owned(), note.clone()),
        Done::Noted { asks: false, note } => {
            (words::TURNS_H_NOTED.of(lang).to_owned(), note.clone())
        }
        Done::Reopened { note, .. } => (words::TURNS_H_REOPENED.of(lang).to_owned(), note.clone()),
    };
    let rows: Vec<Vec<Markup>> = case
        .steps
        .iter()
        .map(|step| {
            let (did, note) = told(step);
            vec![
                unbroken(&days::moment(step.at, &visit.zone, lang)),
                html! { @match &step.by { Some(by) => (called(visit, names, by)), None => span.muted { (words::TURNS_SERVER.of(lang)) } }
                @if step.at_console { " " span.muted { (words::TURNS_CONSOLE.of(lang)) } } },
                html! { (did) },
                html! { (note) },
            ]
        })
        .collect();
    let column = |word: Word| Column { label: word.of(lang), is_figure: false };
    let columns = [words::WHEN, words::WHO, words::DID, words::TURNS_NOTE].map(column);
    table(&Table { caption: words::TURNS_HISTORY.of(lang), columns: &columns, rows: &rows })
}

/// The forms of the steps that follow from the state.
fn steps(visit: &Visit, case: &Case, wrong: Option<&Wrong>) -> Result<Markup, Fault> {
    let lang = visit.lang();
    let form = |does: &str, inner: &Markup, which: Kind, icon: Icon, label: Word| {
        // What was typed stays with the form it was typed in, and the error stands there.
        let is_this = visit.field("do") == does;
        let error = if is_this { Wrong::on(wrong, "note") } else { String::new() };
        // The summary of what is wrong leads to this field.
        let id = if error.is_empty() { format!("note-{does}") } else { "note".to_owned() };
        let hint = if does == "assign" { words::TURNS_NOTE_MAY } else { words::TURNS_NOTE_HINT };
        html! {
            form.stack method="post" action={ "/review/" (case.id) } {
                (hidden(visit)) (kept("do", does)) (kept("known", &case.steps.len().to_string()))
                (inner)
                (field(&Field { id: &id, name: "note", label: words::TURNS_NOTE.of(lang), hint: hint.of(lang), error: &error, value: if is_this { visit.field("note") } else { "" }, is_disabled: false }))
                div.row { (button(which, Some(icon), label.of(lang))) }
            }
        }
    };
    if case.state == CaseState::Closed {
        let inner = form("reopen", &html! {}, Kind::Secondary, Icon::Undo, words::TURNS_REOPEN);
        return Ok(panel("steps", words::TURNS_REOPEN.of(lang), None, &inner));
    }
    let owners: Vec<(String, String)> = visit
        .session
        .case_owners()?
        .into_iter()
        .map(|(id, name)| (id.to_string(), name))
        .filter(|(id, _)| *id != case.actor)
        .collect();
    let own = visit.caller.as_ref().map(|caller| caller.principal.id.to_string());
    let chosen = case.owner.clone().or(own).unwrap_or_default();
    let outcomes = Outcome::ALL.map(|outcome| Choice {
        value: outcome.name(),
        label: outcome_word(outcome).of(lang),
        is_chosen: visit.field("outcome") == outcome.name(),
    });
    Ok(html! {
        (panel("assign", words::TURNS_ASSIGN.of(lang), None, &form("assign", &pick("owner", words::TURNS_OWNER.of(lang), &owners, &chosen, ""), Kind::Secondary, Icon::Person, words::TURNS_ASSIGN)))
        (panel("ask", words::TURNS_ASK.of(lang), None, &form("ask", &html! { p.muted { (words::TURNS_ASK_WHY.of(lang)) } }, Kind::Secondary, Icon::Mail, words::TURNS_ASK_DID)))
        (panel("jot", words::TURNS_JOT.of(lang), None, &form("note", &html! {}, Kind::Secondary, Icon::Plus, words::TURNS_JOT)))
        (panel("decide", words::TURNS_DECIDE.of(lang), None, &form("close", &html! {
            (choices(words::TURNS_OUTCOME.of(lang), "outcome", &outcomes))
            @if visit.field("do") == "close" { @let say = Wrong::on(wrong, "outcome"); @if !say.is_empty() { p.error #outcome { (say) } } }
        }, Kind::Primary, Icon::Ok, words::TURNS_CLOSE)))
    })
}

/// Takes the step that a form asks for.
pub(crate) fn turn(visit: &Visit) -> Result<Answer, Fault> {
    let id = CaseId::parse(part(visit, 1)).filter(|_| visit.session.may_see_cases());
    let Some(id) = id else { return Ok(missing::page(visit)) };
    let lang = visit.lang();
    let note = visit.field("note").to_owned();
    let odd = |at: &str, word: Word| shown(visit, Some(&Wrong::at(lang, at, word)));
    let turn = match visit.field("do") {
        "assign" => match PrincipalId::parse(visit.field("owner")) {
            Some(owner) => Turn::Assign { owner, note },
            None => return odd("owner", words::SEES_NOBODY),
        },
        "ask" => Turn::Note { asks: true, note },
        "note" => Turn::Note { asks: false, note },
        "close" => match Outcome::from_name(visit.field("outcome")) {
            Some(outcome) => Turn::Close { outcome, note },
            None => return odd("outcome", words::TURNS_OUTCOME_NONE),
        },
        "reopen" => Turn::Reopen { note },
        _ => return odd("", words::KEEP_FIELD),
    };
    let Ok(known) = visit.field("known").parse::<usize>() else {
        return odd("", words::KEEP_FIELD);
    };
    match visit.session.turn_case(id, known, &turn) {
        Ok(_) => Ok(Answer::go(format!("/review/{id}?did=1"))),
        Err(fault) => shown(visit, Some(&Wrong::of(visit, fault)?)),
    }
}
