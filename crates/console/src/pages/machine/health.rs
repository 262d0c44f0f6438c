//! How the machine is: what to mend first, then figures, requests, slow searches, and every check with what
//! it found, in the words of `plummer doctor` and `/health/ready` (45 CFR 164.308(a)(8)). A script fetches
//! it anew now and then; without one the page is loaded again.

use super::figures::{bytes, full_in, grouped, span, took};
use super::{beside, grade, standing, watched};
use crate::answer::Answer;
use crate::days;
use crate::machine::{Figures, Finding, Grade, Rate};
use crate::pages::missing;
use crate::parts::{
    Column, Icon, Kind, Table, badge, empty, facts, link_button, panel, shell::shell_with, table,
    unbroken,
};
use crate::visit::Visit;
use crate::words::{self, Word};
use base::{Fault, Millis};
use fhir::definitions::r4;
use maud::{Markup, html};
use record::SlowSearch;

/// Kinds of requests that are shown beside all of them.
const RATES_MAX: usize = 8;
const DAY_MS: i64 = 86_400_000;

/// `/admin/health`
#[expect(clippy::unnecessary_wraps, reason = "it is a row of the table of routes")]
pub(crate) fn page(visit: &Visit) -> Result<Answer, Fault> {
    let Some(machine) = watched(visit) else { return Ok(missing::page(visit)) };
    let lang = visit.lang();
    let (mut findings, figures) = (machine.findings(), machine.figures());
    findings.sort_by_key(|finding| std::cmp::Reverse(finding.grade));
    let live = live(visit, &findings, &figures);
    if visit.is_fragment() {
        return Ok(Answer::html(200, live));
    }
    let body = html! {
        h1 { (words::IT_HEALTH.of(lang)) }
        (beside(visit))
        div.stack #live data-refresh="/admin/health" { (live) }
    };
    Ok(shell_with(visit, 200, words::IT_HEALTH.of(lang), &["machine.js"], &body))
}

fn live(visit: &Visit, findings: &[Finding], figures: &Figures) -> Markup {
    let lang = visit.lang();
    let worst = findings.first().map_or(Grade::Fine, |finding| finding.grade);
    let count = |of: Grade| findings.iter().filter(|finding| finding.grade == of).count();
    let bad: Vec<&Finding> = findings.iter().filter(|f| f.grade >= Grade::Warning).collect();
    let seen = words::IT_SEEN_AT.with(lang, &days::moment(visit.now(), &visit.zone, lang));
    html! {
        div.it-head {
            (grade(worst, lang))
            p { (words::IT_COUNT_CRITICAL.with(lang, &count(Grade::Critical).to_string())) " · "
                (words::IT_COUNT_WARNING.with(lang, &count(Grade::Warning).to_string())) " · "
                (words::IT_COUNT_FINE.with(lang, &count(Grade::Fine).to_string())) }
            p.muted { (seen) }
            (link_button(Kind::Quiet, None, words::IT_LOOK_AGAIN.of(lang), "/admin/health"))
        }
        @if !bad.is_empty() {
            (panel("mend", words::IT_MEND.of(lang), None, &html! {
                ul.it-list { @for finding in &bad { (to_mend(finding, lang)) } }
            }))
        }
        div.it-grid {
            (panel("disk", words::IT_STORE.of(lang), None, &store(findings, figures, lang)))
            (panel("safe", words::IT_PROTECTION.of(lang), None, &protection(visit, findings, figures)))
            (panel("work", words::IT_WORK.of(lang), None, &work(figures, lang)))
        }
        (panel("requests", words::IT_REQUESTS.of(lang), Some(&html! {
            span.muted { (words::IT_SINCE_START.with(lang, &span(figures.uptime_ms, lang))) }
        }), &requests(figures, lang)))
        (panel("slow", words::IT_SLOW.of(lang), None, &slow(visit, &figures.slow)))
        (panel("checks", words::IT_CHECKS.of(lang), None, &checks(findings, lang)))
    }
}

/// One finding with why it matters and what to do. The doctor speaks English.
pub(super) fn to_mend(finding: &Finding, lang: words::Lang) -> Markup {
    html! {
        li.it-finding {
            (grade(finding.grade, lang))
            div lang="en" {
                p.it-found { (finding.found) " " code.muted { (finding.code) } }
                @if !finding.why.is_empty() { p.muted { (finding.why) } }
                @if !finding.what_to_do.is_empty() { p { (icon_onward()) (finding.what_to_do) } }
            }
        }
    }
}

fn icon_onward() -> Markup {
    crate::parts::icon(Icon::Onward)
}

fn number(text: &str) -> Markup {
    html! { span.number { (text) } }
}

fn with(value: &Markup, stands: Option<Markup>) -> Markup {
    html! { div.it-value { (value) @if let Some(stands) = stands { (stands) } } }
}

fn store(findings: &[Finding], figures: &Figures, lang: words::Lang) -> Markup {
    let unknown = || html! { span.muted { (words::IT_UNKNOWN.of(lang)) } };
    let free = figures.disk.map_or_else(unknown, |(free, size)| {
        let share = words::IT_FREE_OF.with(lang, &bytes(size));
        html! { (number(&bytes(free))) " " span.muted { (share) }
            @let used = size.saturating_sub(free).saturating_mul(100) / size.max(1);
            meter.it-meter aria-label=(words::IT_DISK_USED.of(lang)) min="0" max="100" low="80" high="90" optimum="0" value=(used) { (used) " %" } }
    });
    let full = match (figures.grown, figures.disk) {
        (Some((grown, ms)), Some((free, _))) => match full_in(free, grown, ms) {
            Some(ms) => number(&words::IT_FULL_IN.with(lang, &span(ms, lang))),
            None => html! { (words::IT_NOT_FULL.of(lang)) },
        },
        _ => html! { span.muted { (words::IT_TOO_EARLY.of(lang)) } },
    };
    let growth = figures.grown.map_or_else(
        || html! { span.muted { (words::IT_TOO_EARLY.of(lang)) } },
        |(grown, ms)| number(&format!("{} / {}", bytes(grown), span(ms, lang))),
    );
    let patients = figures.live.iter().filter(|(of, _)| r4().name(*of) == "Patient");
    let records: u64 = figures.live.iter().map(|(_, count)| count).sum();
    facts(&[
        (words::IT_DISK_FREE.of(lang), with(&free, standing(findings, "disk.space", lang))),
        (words::IT_GROWTH.of(lang), growth),
        (words::IT_FULL.of(lang), full),
        (
            words::IT_DISK_RATE.of(lang),
            standing(findings, "disk.rate", lang).unwrap_or_else(unknown),
        ),
        (
            words::IT_STORE_SIZE.of(lang),
            with(&number(&bytes(figures.store_bytes)), standing(findings, "store.status", lang)),
        ),
        (words::IT_WAL.of(lang), number(&bytes(figures.wal_bytes))),
        (words::PATIENTS.of(lang), number(&grouped(patients.map(|(_, count)| count).sum()))),
        (words::IT_RECORDS.of(lang), number(&grouped(records))),
        (words::IT_VERSIONS.of(lang), number(&grouped(figures.versions))),
    ])
}

fn protection(visit: &Visit, findings: &[Finding], figures: &Figures) -> Markup {
    let lang = visit.lang();
    let when = |at: Option<Millis>, never: Word| match at {
        Some(at) => unbroken(&days::moment(at, &visit.zone, lang)),
        None => html! { span.muted { (never.of(lang)) } },
    };
    let certificate = match figures.certificate_until {
        Some(until) => {
            let left = until.0.saturating_sub(visit.now().0).max(0) / DAY_MS;
            number(&words::IT_DAYS_LEFT.with(lang, &left.to_string()))
        }
        None => html! { span.muted { (words::IT_NO_CERTIFICATE.of(lang)) } },
    };
    let stands = |code| standing(findings, code, lang);
    let unknown = || html! { span.muted { (words::IT_UNKNOWN.of(lang)) } };
    facts(&[
        (
            words::IT_BACKUP.of(lang),
            with(&when(figures.backup, words::IT_NEVER), stands("backup.age")),
        ),
        (
            words::IT_VERIFIED.of(lang),
            with(&when(figures.verified, words::IT_NEVER), stands("audit.verified")),
        ),
        (
            words::IT_LOG_BEHIND.of(lang),
            with(&number(&grouped(figures.log_behind)), stands("audit.status")),
        ),
        (
            words::IT_SIGNED.of(lang),
            with(&number(&grouped(figures.signed_event)), stands("audit.signed")),
        ),
        (words::IT_AT_REST.of(lang), stands("rest.encryption").unwrap_or_else(unknown)),
        (words::IT_ROOT_KEY.of(lang), stands("rest.key-place").unwrap_or_else(unknown)),
        (words::IT_CERTIFICATE.of(lang), with(&certificate, stands("tls.validity"))),
        (words::IT_CLOCK.of(lang), stands("clock.kept").unwrap_or_else(unknown)),
        (words::IT_SECOND.of(lang), stands("sign-in.second-factor").unwrap_or_else(unknown)),
    ])
}

fn work(figures: &Figures, lang: words::Lang) -> Markup {
    let (undecided, overdue) = figures.reviews;
    let busy = figures.writer_busy_permille;
    let late = (overdue > 0).then(|| {
        let say = words::IT_OVERDUE.with(lang, &grouped(overdue));
        badge(crate::parts::Tone::Warning, Icon::Clock, &say)
    });
    facts(&[
        (words::IT_UPTIME.of(lang), number(&span(figures.uptime_ms, lang))),
        (
            words::IT_MEMORY.of(lang),
            number(
                &figures.memory_bytes.map_or_else(|| words::IT_UNKNOWN.of(lang).to_owned(), bytes),
            ),
        ),
        (words::IT_IN_FLIGHT.of(lang), number(&grouped(figures.in_flight))),
        (words::IT_CONNECTIONS.of(lang), number(&grouped(figures.connections))),
        (words::IT_QUEUE.of(lang), number(&grouped(figures.queue_units))),
        (words::IT_WRITER.of(lang), number(&format!("{}.{} %", busy / 10, busy % 10))),
        (words::IT_REVIEWS.of(lang), with(&number(&grouped(undecided)), late)),
    ])
}

fn requests(figures: &Figures, lang: words::Lang) -> Markup {
    let column = |word: Word, is_figure| Column { label: word.of(lang), is_figure };
    let columns = [
        column(words::IT_REQUEST, false),
        column(words::IT_COUNT, true),
        column(words::IT_PER_SECOND, true),
        column(words::IT_HALF, true),
        column(words::IT_95, true),
        column(words::IT_99, true),
        column(words::IT_REFUSED, true),
        column(words::IT_FAILED, true),
    ];
    let row = |rate: &Rate| {
        let mut cells = vec![
            match rate.name {
                "" => html! { (words::IT_ALL_REQUESTS.of(lang)) },
                name => html! { code { (name) } },
            },
            number(&grouped(rate.count)),
            number(&per_second(rate.count, figures.uptime_ms)),
        ];
        cells.extend(rate.took_us.map(|us| match (us, rate.count) {
            (_, 0) => html! { "–" },
            (Some(us), _) => number(&format!("≤ {}", took(us))),
            (None, _) => number("> 30 s"),
        }));
        cells.extend([number(&grouped(rate.refused)), failed(rate.failed)]);
        cells
    };
    let rows: Vec<_> = figures.requests.iter().take(RATES_MAX + 1).map(row).collect();
    html! { (table(&Table { caption: words::IT_REQUESTS.of(lang), columns: &columns, rows: &rows })) }
}

fn failed(count: u64) -> Markup {
    html! { @if count > 0 { strong.it-bad.number { (grouped(count)) } } @else { (number("0")) } }
}

/// Hundredths of a request for each second.
fn per_second(count: u64, uptime_ms: u64) -> String {
    let hundredths = count.saturating_mul(100_000) / uptime_ms.max(1);
    format!("{}.{:02}", hundredths / 100, hundredths % 100)
}

fn slow(visit: &Visit, all: &[SlowSearch]) -> Markup {
    let lang = visit.lang();
    if all.is_empty() {
        let (title, say) = (words::IT_NO_SLOW.of(lang), words::IT_NO_SLOW_WHY.of(lang));
        return empty(Icon::Ok, title, say, None);
    }
    let column = |word: Word, is_figure| Column { label: word.of(lang), is_figure };
    let columns = [
        column(words::IT_SEARCH, false),
        column(words::IT_TOOK, true),
        column(words::IT_ROWS, true),
        column(words::IT_PLAN, false),
        column(words::WHEN, false),
    ];
    let row = |one: &SlowSearch| {
        let of = one.of.map_or(words::IT_EVERYTHING.of(lang), |of| r4().name(of));
        vec![
            // A line may end behind each of its parameters.
            html! { code {
                (of) @for (at, name) in one.parameters.iter().enumerate() { (if at == 0 { "?" } else { "&" }) wbr; (name) }
            }
            @if let Some(refused) = one.refused { " " code.it-bad { (refused) } } },
            number(&took(one.took_us)),
            number(&grouped(one.steps)),
            html! { span.it-plan lang="en" { @for line in &one.plan { span { (line) } } } },
            unbroken(&days::moment(one.at, &visit.zone, lang)),
        ]
    };
    let rows: Vec<_> = all.iter().map(row).collect();
    html! {
        (table(&Table { caption: words::IT_SLOW.of(lang), columns: &columns, rows: &rows }))
        p.foot.muted { (words::IT_SLOW_WHY.of(lang)) }
    }
}

fn checks(findings: &[Finding], lang: words::Lang) -> Markup {
    let column = |word: Word| Column { label: word.of(lang), is_figure: false };
    let columns = [column(words::IT_CHECK), column(words::STATE), column(words::IT_FOUND)];
    let row = |finding: &Finding| {
        vec![
            html! { code { (finding.code) } },
            grade(finding.grade, lang),
            html! { span lang="en" { (finding.found) } },
        ]
    };
    let rows: Vec<_> = findings.iter().map(row).collect();
    html! {
        (table(&Table { caption: words::IT_CHECKS.of(lang), columns: &columns, rows: &rows }))
        p.foot.muted { (words::IT_CHECKS_WHY.of(lang)) }
    }
}
