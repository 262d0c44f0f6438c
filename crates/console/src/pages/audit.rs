//! The access log, to look into: narrowed by person, patient, kind, time, decision or request, newest
//! first, page behind page by the number of an event; what is shown as a file; and how the log itself
//! stands (45 CFR 164.312(b), audit controls; 164.308(a)(1)(ii)(D), information system activity review).
//! A page that stopped before it was full says so. Looking leaves an event in the same log.

mod event;
mod kinds;

pub(crate) use event::event;

use crate::answer::Answer;
use crate::days;
use crate::pages::keep::{Wrong, called, csv, pick, told};
use crate::pages::missing;
use crate::parts::{
    Column, Field, Icon, Kind as Button, Tab, Table, Tone, badge, button, empty, field, hidden,
    link_button, notice, pages, panel, shell, table, tabs, unbroken,
};
use crate::visit::Visit;
use crate::words::{self, Lang, Word};
use base::id::uuid_bytes;
use base::{Fault, Millis};
use fhir::reference::is_id;
use identity::PrincipalId;
use jiff::civil::Date;
use kinds::kind_word;
use maud::{Markup, html};
use record::{Decision, Kind, LogAsked, LogRow, LogRows, LogStanding};
use search::parse::encode_query;

/// Rows of one page.
const ROWS: usize = 50;
/// Rows of one file; who needs more asks for the next part of it.
const FILE_ROWS: usize = 1_000;
/// What a filter is called in an address.
const NAMES: [&str; 7] = ["who", "patient", "kind", "decision", "request", "from", "until"];

/// What the address asks for, as it stands in it; whoever is called by their sign-in name, by their id.
fn pairs(visit: &Visit) -> Result<Vec<(String, String)>, Fault> {
    let mut pairs = Vec::new();
    for name in NAMES {
        let value = visit.parameter(name);
        if value.is_empty() {
            continue;
        }
        let called = if name == "who" { id_of(visit, value)? } else { None };
        pairs.push((name.to_owned(), called.unwrap_or_else(|| value.to_owned())));
    }
    Ok(pairs)
}

/// The id in the log of whoever is called so; none where nobody is.
fn id_of(visit: &Visit, typed: &str) -> Result<Option<String>, Fault> {
    if typed == "operator" || PrincipalId::parse(typed).is_some() {
        return Ok(Some(typed.to_owned()));
    }
    Ok(visit.session.member_named(typed)?.map(|id| id.to_string()))
}

fn day_start(text: &str, visit: &Visit, after: bool) -> Option<Millis> {
    let day: Date = text.parse().ok()?;
    let day = if after { day.tomorrow().ok()? } else { day };
    let at = day.to_zoned(visit.zone.clone()).ok()?.timestamp().as_millisecond();
    Some(Millis(at))
}

/// What is asked of the log; what is not understood is told at its field.
fn asked(visit: &Visit, pairs: &[(String, String)]) -> Result<LogAsked, Wrong> {
    let lang = visit.lang();
    let mut asked = LogAsked { count: ROWS, ..LogAsked::default() };
    for (name, value) in pairs {
        let odd = |word: Word| Wrong::at(lang, name, word);
        match name.as_str() {
            "who" if PrincipalId::parse(value).is_none() && !is_id(value) => {
                return Err(odd(words::SEES_NOBODY));
            }
            "who" => asked.who = Some(value.clone()),
            "patient" if !is_id(value) => return Err(odd(words::SEES_ID_ODD)),
            "patient" => asked.patient = Some(value.clone()),
            "kind" => {
                let kind = Kind::from_name(value).ok_or_else(|| odd(words::LOGS_KIND_ODD))?;
                asked.kind = Some(kind);
            }
            "decision" => {
                let known = Decision::from_name(value).ok_or_else(|| odd(words::LOGS_KIND_ODD))?;
                asked.decision = Some(known);
            }
            "request" => {
                let id = uuid_bytes(value).ok_or_else(|| odd(words::LOGS_REQUEST_ODD))?;
                asked.request = Some(id);
            }
            "from" | "until" => {
                let at = day_start(value, visit, name == "until");
                let at = at.ok_or_else(|| odd(words::LOGS_DAY_ODD))?;
                if name == "from" { asked.from = Some(at) } else { asked.until = Some(at) }
            }
            _ => {}
        }
    }
    asked.before = visit.parameter("before").parse().ok();
    Ok(asked)
}

fn address(path: &str, pairs: &[(String, String)], more: &[(&str, String)]) -> String {
    let more = more.iter().map(|(name, value)| ((*name).to_owned(), value.clone()));
    let all: Vec<_> = pairs.iter().cloned().chain(more).collect();
    if all.is_empty() { path.to_owned() } else { format!("{path}?{}", encode_query(&all)) }
}

/// `/audit`
pub(crate) fn page(visit: &Visit) -> Result<Answer, Fault> {
    if !visit.session.may_read_whole_log() {
        return Ok(missing::page(visit));
    }
    let pairs = pairs(visit)?;
    match asked(visit, &pairs) {
        Ok(asked) => {
            let found = visit.session.log_rows(&asked)?.wait()?;
            shown(visit, &pairs, Some(&found), None)
        }
        Err(wrong) => shown(visit, &pairs, None, Some(&wrong)),
    }
}

fn shown(
    visit: &Visit,
    pairs: &[(String, String)],
    found: Option<&LogRows>,
    wrong: Option<&Wrong>,
) -> Result<Answer, Fault> {
    let lang = visit.lang();
    let value = |name: &str| {
        let typed = visit.field(name);
        if typed.is_empty() { visit.parameter(name) } else { typed }.to_owned()
    };
    // The form shows a person by the name they sign in with, as it was typed.
    let mut who = value("who");
    if visit.field("who").is_empty() && PrincipalId::parse(&who).is_some() {
        let names = visit.session.names_of([who.clone()])?;
        who = names.get(&who).map_or(who, |(_, name)| name.clone());
    }
    let glass = visit.parameter("kind") == Kind::BreakGlass.name();
    let tab = |word: Word, href: &str, is_here| Tab {
        label: word.of(lang),
        href: href.to_owned(),
        is_here,
    };
    let body = html! {
        div.head-row {
            h1 { (words::LOGS.of(lang)) }
            @if found.is_some() { div.row {
                (link_button(Button::Secondary, Some(Icon::Download), words::KEEP_CSV.of(lang), &export_at(visit, pairs, "csv")))
                (link_button(Button::Secondary, Some(Icon::Download), words::LOGS_NDJSON.of(lang), &export_at(visit, pairs, "ndjson")))
            } }
        }
        (tabs(words::LOGS_PAGES.of(lang), &[
            tab(words::LOGS_ALL, "/audit", !glass),
            tab(words::LOGS_GLASSES, "/audit?kind=break-glass", glass),
        ]))
        @if let Some(found) = found { (standing(&found.standing, lang)) }
        (told(visit, wrong, false))
        (filters(visit, &value, &who, wrong))
        @if let Some(found) = found { (panel("events", words::LOGS_EVENTS.of(lang), None, &rows(visit, pairs, found))) }
    };
    Ok(shell(visit, wrong.map_or(200, |wrong| wrong.status), words::LOGS.of(lang), &body))
}

fn export_at(visit: &Visit, pairs: &[(String, String)], format: &str) -> String {
    let mut more = vec![("format", format.to_owned())];
    let before = visit.parameter("before");
    if !before.is_empty() {
        more.push(("before", before.to_owned()));
    }
    address("/audit/export", pairs, &more)
}

/// How the log stands: a chain in which each event carries the hash of the one before it.
fn standing(log: &LogStanding, lang: Lang) -> Markup {
    if log.failure.is_some() {
        return notice(
            Tone::Critical,
            words::LOGS_FAILED.of(lang),
            &html! { p { (words::LOGS_FAILED_WHY.of(lang)) } },
        );
    }
    let (tone, which, word) = match (log.signed, &log.unsigned) {
        (_, Some(_)) => (Tone::Critical, Icon::Critical, words::LOGS_UNSIGNED_FAILED),
        (None, None) => (Tone::Warning, Icon::Warning, words::LOGS_UNSIGNED),
        (Some(0), None) => (Tone::Accent, Icon::Clock, words::LOGS_SIGNED_SOON),
        (Some(_), None) => (Tone::Ok, Icon::Ok, words::LOGS_SIGNED),
    };
    html! {
        div.standing {
            (badge(tone, which, &word.with(lang, &log.signed.unwrap_or(0).to_string())))
            span { (words::LOGS_LAST.with(lang, &log.last.to_string())) }
            span { (words::LOGS_SYNCED.with(lang, &log.synced.to_string())) }
            span.muted { (words::LOGS_VERIFY.of(lang)) " " code { "plummer audit verify" } }
        }
    }
}

fn filters(
    visit: &Visit,
    value: &dyn Fn(&str) -> String,
    who: &str,
    wrong: Option<&Wrong>,
) -> Markup {
    let lang = visit.lang();
    let errors = |name: &str| Wrong::on(wrong, name);
    let any = |word: Word| (String::new(), word.of(lang).to_owned());
    let mut kinds: Vec<(String, String)> = Kind::ALL
        .iter()
        .map(|kind| {
            (kind.name().to_owned(), format!("{} ({})", kind_word(*kind).of(lang), kind.name()))
        })
        .collect();
    kinds.sort_by(|a, b| a.1.cmp(&b.1));
    let kinds: Vec<_> = [any(words::LOGS_ANY_KIND)].into_iter().chain(kinds).collect();
    let decisions = [
        any(words::LOGS_ANY_DECISION),
        ("permit".to_owned(), words::LOGS_PERMITTED.of(lang).to_owned()),
        ("deny".to_owned(), words::REFUSED.of(lang).to_owned()),
    ];
    let text = |name: &str, label: Word, value: &str| {
        let error = errors(name);
        field(&Field {
            id: name,
            name,
            label: label.of(lang),
            error: &error,
            value,
            ..Field::default()
        })
    };
    let day = |name: &str, label: Word| {
        let error = errors(name);
        html! {
            div.field.is-wrong[!error.is_empty()] {
                label for=(name) { (label.of(lang)) }
                @if !error.is_empty() { p.error id={ (name) "-error" } { (error) } }
                input type="date" id=(name) name=(name) value=(value(name)) aria-invalid=[(!error.is_empty()).then_some("true")];
            }
        }
    };
    html! {
        form.filters method="post" action="/audit" {
            (hidden(visit))
            (text("who", words::LOGS_WHO, who))
            (text("patient", words::LOGS_PATIENT, &value("patient")))
            (pick("kind", words::DID.of(lang), &kinds, &value("kind"), &errors("kind")))
            (pick("decision", words::LOGS_DECISION.of(lang), &decisions, &value("decision"), &errors("decision")))
            (day("from", words::LOGS_FROM))
            (day("until", words::LOGS_UNTIL))
            (text("request", words::LOGS_REQUEST, &value("request")))
            div.row {
                (button(Button::Secondary, Some(Icon::Find), words::KEEP_NARROW.of(lang)))
                a.button.is-quiet href="/audit" { (words::KEEP_ALL.of(lang)) }
            }
        }
    }
}

fn rows(visit: &Visit, pairs: &[(String, String)], found: &LogRows) -> Markup {
    let lang = visit.lang();
    let all: Vec<Vec<Markup>> = found.rows.iter().map(|row| line(visit, row, found)).collect();
    let column = |word: Word| Column { label: word.of(lang), is_figure: false };
    let columns = [
        column(words::WHEN),
        column(words::WHO),
        column(words::DID),
        column(words::LOGS_TO),
        column(words::LOGS_PATIENTS),
        column(words::LOGS_DECISION),
    ];
    let after =
        found.next.map(|before| address("/audit", pairs, &[("before", before.to_string())]));
    let first = (!visit.parameter("before").is_empty()).then(|| address("/audit", pairs, &[]));
    html! {
        @if all.is_empty() { (empty(Icon::Eye, words::LOGS_NONE.of(lang), words::LOGS_NONE_WHY.of(lang), None)) }
        @else { (table(&Table { caption: words::LOGS_EVENTS.of(lang), columns: &columns, rows: &all })) }
        @if found.is_partial { div.foot { (notice(Tone::Warning, words::LOGS_PARTIAL.of(lang), &html! { p { (words::LOGS_PARTIAL_WHY.of(lang)) } })) } }
        @if first.is_some() || after.is_some() { div.foot { (pages(lang, first.as_deref(), after.as_deref())) } }
    }
}

fn line(visit: &Visit, row: &LogRow, found: &LogRows) -> Vec<Markup> {
    let lang = visit.lang();
    let event = &row.event;
    let behalf = event.receipt.as_deref().and_then(|receipt| receipt.on_behalf_of.as_deref());
    let glass = event.receipt.as_deref().is_some_and(|receipt| receipt.break_glass.is_some());
    let more = event.targets.len().saturating_sub(2);
    vec![
        html! { a href={ "/audit/events/" (row.seq) } { (unbroken(&days::moment(event.time, &visit.zone, lang))) } " " span.muted.number { "#" (row.seq) } },
        html! { (called(visit, &found.names, &event.actor)) @if let Some(id) = behalf { " " span.muted { (words::LOGS_FOR.of(lang)) } " " (called(visit, &found.names, id)) } },
        html! { (kind_word(event.kind).of(lang)) " " span.mono.muted { (event.kind.name()) } },
        html! { @for one in event.targets.iter().take(2) { div { (event::target(visit, one, found)) } } @if more > 0 { span.muted { " " (words::LOGS_MORE.with(lang, &more.to_string())) } } },
        html! { @for id in event.patients.iter().take(2) { a.mono.row-action href={ "/audit?patient=" (id) } { (id) } " " }
        @if event.patients.len() > 2 { span.muted { (words::LOGS_MORE.with(lang, &(event.patients.len() - 2).to_string())) } } },
        html! { (decision(event.decision, event.status, lang))
        @if glass { " " (badge(Tone::Critical, Icon::Critical, words::EMERGENCY.of(lang))) } },
    ]
}

/// Whether it was permitted, and how it ended when it did not end well.
fn decision(decision: Decision, status: u16, lang: Lang) -> Markup {
    match (decision, status) {
        (Decision::Deny, _) => badge(Tone::Critical, Icon::Close, words::REFUSED.of(lang)),
        (Decision::Permit, 400..) => badge(
            Tone::Neutral,
            Icon::Info,
            &words::LOGS_FAILED_WITH.with(lang, &status.to_string()),
        ),
        (Decision::Permit, _) => badge(Tone::Ok, Icon::Ok, words::LOGS_PERMITTED.of(lang)),
    }
}

/// Takes the filters from the form, and leads to their address: a name that was typed becomes an id.
pub(crate) fn narrow(visit: &Visit) -> Result<Answer, Fault> {
    if !visit.session.may_read_whole_log() {
        return Ok(missing::page(visit));
    }
    let mut pairs = Vec::new();
    for name in NAMES {
        let typed = visit.field(name).trim();
        if typed.is_empty() {
            continue;
        }
        let value = match name {
            "who" => match id_of(visit, typed)? {
                Some(id) => id,
                None => {
                    let wrong = Wrong::at(visit.lang(), "who", words::SEES_NOBODY);
                    return shown(visit, &[], None, Some(&wrong));
                }
            },
            "patient" => typed.strip_prefix("Patient/").unwrap_or(typed).to_owned(),
            "request" => typed.to_ascii_lowercase(),
            _ => typed.to_owned(),
        };
        pairs.push((name.to_owned(), value));
    }
    // What is odd never comes into an address: a name could stand in the field of an id.
    match asked(visit, &pairs) {
        Ok(_) => Ok(Answer::go(address("/audit", &pairs, &[]))),
        Err(wrong) => shown(visit, &[], None, Some(&wrong)),
    }
}

/// `/audit/export`: what the page shows and what is behind it, up to the bound of one file.
pub(crate) fn export(visit: &Visit) -> Result<Answer, Fault> {
    if !visit.session.may_read_whole_log() {
        return Ok(missing::page(visit));
    }
    let pairs = pairs(visit)?;
    let mut asked = match asked(visit, &pairs) {
        Ok(asked) => asked,
        Err(wrong) => return shown(visit, &pairs, None, Some(&wrong)),
    };
    asked.count = FILE_ROWS;
    let found = visit.session.log_rows(&asked)?.wait()?;
    // A file that is a part says so by its name, and by where the next part begins.
    let part = found.next.map(|next| format!("-before-{next}-follows")).unwrap_or_default();
    if visit.parameter("format") == "ndjson" {
        let mut out = Vec::new();
        for row in &found.rows {
            out.extend_from_slice(&row.json);
            out.push(b'\n');
        }
        let name = format!("access-log{part}.ndjson");
        return Ok(Answer::file("application/fhir+ndjson", name, out));
    }
    let head = [
        "number",
        "time",
        "who",
        "sign_in_name",
        "for",
        "kind",
        "targets",
        "patients",
        "decision",
        "status",
        "purpose",
        "policies",
        "break_glass",
        "from",
        "request",
        "results",
        "bytes",
        "hash",
    ];
    let mut rows = vec![head.map(str::to_owned).to_vec()];
    rows.extend(found.rows.iter().map(|row| cells(row, &found)));
    Ok(csv(&format!("access-log{part}.csv"), &rows))
}

fn cells(row: &LogRow, found: &LogRows) -> Vec<String> {
    let event = &row.event;
    let receipt = event.receipt.as_deref();
    let name = found.names.get(&*event.actor).map(|(_, name)| name.clone());
    let targets: Vec<String> = event
        .targets
        .iter()
        .map(|target| match &target.id {
            Some(id) => format!("{}/{id}", target.resource_type),
            None => target.resource_type.to_string(),
        })
        .collect();
    vec![
        row.seq.to_string(),
        event.time.to_instant(),
        event.actor.to_string(),
        name.unwrap_or_default(),
        receipt.and_then(|one| one.on_behalf_of.clone()).unwrap_or_default(),
        event.kind.name().to_owned(),
        targets.join(" "),
        event.patients.join(" "),
        event.decision.name().to_owned(),
        event.status.to_string(),
        receipt.and_then(|one| one.purpose.clone()).unwrap_or_default(),
        receipt.map(|one| one.policies.join(" ")).unwrap_or_default(),
        receipt.is_some_and(|one| one.break_glass.is_some()).to_string(),
        event.source.map(|source| source.name().to_owned()).unwrap_or_default(),
        row.request.clone(),
        event.results.to_string(),
        event.bytes.to_string(),
        row.hash.clone(),
    ]
}
