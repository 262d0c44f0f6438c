//! Work that takes longer than a request: how far it is, how fast it goes, when it will be done, and what
//! went wrong (45 CFR 164.308(a)(1)(ii)(D)).

use super::figures::{grouped, span};
use super::{beside, watched};
use crate::answer::Answer;
use crate::days;
use crate::machine::{Job, JobKind, JobState};
use crate::pages::missing;
use crate::parts::{Icon, Tone, badge, panel, shell::shell_with};
use crate::visit::Visit;
use crate::words::{self, Word};
use base::Fault;
use maud::{Markup, html};

/// `/admin/jobs`
#[expect(clippy::unnecessary_wraps, reason = "it is a row of the table of routes")]
pub(crate) fn page(visit: &Visit) -> Result<Answer, Fault> {
    let Some(machine) = watched(visit) else { return Ok(missing::page(visit)) };
    let lang = visit.lang();
    let live = list(visit, &machine.jobs());
    if visit.is_fragment() {
        return Ok(Answer::html(200, live));
    }
    let body = html! {
        h1 { (words::IT_JOBS.of(lang)) }
        (beside(visit))
        div.stack #live data-refresh="/admin/jobs" { (live) }
        (panel("commands", words::IT_AT_MACHINE.of(lang), None, &html! {
            div.pad.stack {
                p { (words::IT_AT_MACHINE_WHY.of(lang)) }
                ul.it-commands {
                    li { code { "plummer import PATH --data FOLDER" } " " span.muted { (words::IT_DO_IMPORT.of(lang)) } }
                    li { code { "plummer export FOLDER" } " " span.muted { (words::IT_DO_EXPORT.of(lang)) } }
                    li { code { "plummer backup FOLDER" } " " span.muted { (words::IT_DO_BACKUP.of(lang)) } }
                    li { code { "plummer audit verify" } " " span.muted { (words::IT_DO_VERIFY.of(lang)) } }
                }
            }
        }))
    };
    Ok(shell_with(visit, 200, words::IT_JOBS.of(lang), &["machine.js"], &body))
}

/// All of them.
pub(super) fn list(visit: &Visit, jobs: &[Job]) -> Markup {
    html! { ul.it-jobs { @for job in jobs { li.panel { (one(visit, job)) } } } }
}

fn one(visit: &Visit, job: &Job) -> Markup {
    let lang = visit.lang();
    let (title, about) = says(job.kind);
    let now = visit.now();
    let ran_ms = job.began.map(|began| {
        let until = job.ended.unwrap_or(now);
        u64::try_from(until.0.saturating_sub(began.0)).unwrap_or(0)
    });
    let is_running = job.state == JobState::Running;
    html! {
        div.panel-head { h2 { (title.of(lang)) } (state(job.state, lang)) }
        div.pad.stack {
            p.muted { (about.of(lang)) }
            @if let (true, Some(all)) = (is_running, job.all) {
                @let percent = job.done.saturating_mul(100) / all.max(1);
                div.it-progress {
                    progress max=(all) value=(job.done) aria-label=(title.of(lang)) { (percent) " %" }
                    span.number { (percent) " %" }
                }
            }
            p {
                @if is_running || job.done > 0 {
                    span.number { (grouped(job.done)) }
                    @if let Some(all) = job.all { " / " span.number { (grouped(all)) } }
                    " " (unit(job.kind).of(lang))
                }
                @if let (Some(ms), true) = (ran_ms, is_running) {
                    " · " (words::IT_RUNS_FOR.with(lang, &span(ms, lang)))
                    @if let Some(rate) = job.done.saturating_mul(1000).checked_div(ms).filter(|rate| *rate > 0) {
                        " · " (words::IT_RATE.with(lang, &grouped(rate)))
                    }
                    @if let Some(left) = left_ms(job, ms) { " · " (words::IT_LEFT.with(lang, &span(left, lang))) }
                }
                @if let Some(at) = job.ended { @if job.done > 0 { " · " } (words::IT_ENDED.with(lang, &days::moment(at, &visit.zone, lang))) }
            }
            @if let Some(code) = job.code {
                p.it-bad { (words::FAILED_CODE.of(lang)) " " code { (code) } }
            }
            @if job.kind == JobKind::Import { p { code { "plummer import" } } }
        }
    }
}

/// Milliseconds that are left at the rate so far.
fn left_ms(job: &Job, ran_ms: u64) -> Option<u64> {
    let left = job.all?.saturating_sub(job.done);
    let ms = (u128::from(left) * u128::from(ran_ms)).checked_div(u128::from(job.done))?;
    u64::try_from(ms).ok()
}

const fn says(kind: JobKind) -> (Word, Word) {
    match kind {
        JobKind::Relabel => (words::IT_RELABEL, words::IT_RELABEL_WHY),
        JobKind::Sweep => (words::IT_SWEEP, words::IT_SWEEP_WHY),
        JobKind::Demo => (words::IT_LOAD_DEMO, words::IT_LOAD_DEMO_WHY),
        JobKind::Import => (words::IT_IMPORT, words::IT_IMPORT_WHY),
    }
}

const fn unit(kind: JobKind) -> Word {
    match kind {
        JobKind::Relabel | JobKind::Import => words::IT_UNIT_VERSIONS,
        JobKind::Sweep => words::IT_UNIT_CASES,
        JobKind::Demo => words::IT_UNIT_PATIENTS,
    }
}

fn state(state: JobState, lang: words::Lang) -> Markup {
    let (tone, which, word) = match state {
        JobState::Idle => (Tone::Neutral, Icon::Ok, words::IT_IDLE),
        JobState::Running => (Tone::Accent, Icon::Clock, words::IT_RUNNING),
        JobState::Done => (Tone::Ok, Icon::Ok, words::IT_DONE),
        JobState::Failed => (Tone::Critical, Icon::Critical, words::IT_JOB_FAILED),
        JobState::Paused => (Tone::Warning, Icon::Warning, words::IT_PAUSED),
    };
    badge(tone, which, word.of(lang))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_time_left_follows_from_the_rate_so_far() {
        let job = |done, all| Job {
            kind: JobKind::Demo,
            state: JobState::Running,
            done,
            all,
            began: None,
            ended: None,
            code: None,
        };
        assert_eq!(left_ms(&job(50, Some(200)), 1000), Some(3000));
        assert_eq!(left_ms(&job(0, Some(200)), 1000), None, "nothing is known of the rate yet");
        assert_eq!(left_ms(&job(5, None), 1000), None);
    }
}
