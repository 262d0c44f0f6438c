//! The rows of a summary's parts: what it is, a word or two about it, and when, each leading to where it
//! is changed or to what became of it.

use super::super::{Open, at, may};
use crate::booking;
use crate::days;
use crate::pages::patient;
use crate::parts::{Icon, Tone, badge, panel};
use crate::visit::Visit;
use crate::words::{self, Lang, Word};
use charting::summary::{
    Agreement, Allergy, AllergyState, Booking, Carer, Cover, Immunisation, Medication, Paper,
    Problem, Summary, Visit as Encounter,
};
use charting::{Coding, Concept, Part};
use maud::{Markup, html};
use record::Reach;

/// What rows are made with.
#[derive(Clone, Copy)]
pub(super) struct Held<'h> {
    pub(super) visit: &'h Visit,
    pub(super) open: &'h Open,
}

/// One row.
#[derive(Default)]
pub(super) struct Line {
    pub(super) href: Option<String>,
    pub(super) what: String,
    pub(super) detail: String,
    pub(super) when: String,
    pub(super) marks: Vec<Markup>,
}

/// A part of the summary under its heading: nothing at all where the caller's role is shown nothing, as
/// the end of the page says.
pub(super) fn list<T>(
    id: &str,
    title: Word,
    none: Word,
    part: &Part<T>,
    lang: Lang,
    line: impl Fn(&T) -> Line,
) -> Markup {
    if part.reach == Reach::Nothing {
        return html! {};
    }
    let rows: Vec<Line> = part.rows.iter().map(line).collect();
    let body = html! {
        (rows_of(&rows, lang))
        @if rows.is_empty() && part.reach == Reach::Whole { p.foot.muted { (none.of(lang)) } }
        (rest(part, lang))
    };
    panel(id, title.of(lang), None, &body)
}

/// Rows under each other.
pub(super) fn rows_of(rows: &[Line], lang: Lang) -> Markup {
    html! {
        @if !rows.is_empty() {
            ul.lines { @for row in rows { li {
                span.line-what {
                    @match (&row.href, row.what.is_empty()) {
                        (Some(href), false) => a href=(href) { (row.what) },
                        (Some(href), true) => a href=(href) { (words::NOT_KNOWN.of(lang)) },
                        (None, true) => span.muted { (words::NOT_KNOWN.of(lang)) },
                        (None, false) => span { (row.what) },
                    }
                    @for mark in &row.marks { " " (mark) }
                }
                @if !row.when.is_empty() { span.line-when { (row.when) } }
                @if !row.detail.is_empty() { span.line-more { (row.detail) } }
            } } }
        }
    }
}

/// How far a part is the whole.
pub(super) fn rest<T>(part: &Part<T>, lang: Lang) -> Markup {
    html! {
        @if part.is_partial() {
            p.foot.muted { (words::CHART_SHOWN.with(lang, &part.rows.len().to_string()).replacen("{}", &part.total.to_string(), 1)) }
        }
        @if part.rows.is_empty() && matches!(part.reach, Reach::Part(_)) {
            p.foot.muted { (words::CHART_UNTOLD.of(lang)) }
        }
    }
}

fn free(what: &Concept, lang: Lang) -> Option<Markup> {
    let is_free = what.codings.is_empty() && !what.text.is_empty();
    is_free.then(|| html! { span.free { (words::CHART_FREE_TEXT.of(lang)) } })
}

impl Held<'_> {
    fn lang(&self) -> Lang {
        self.visit.lang()
    }

    /// Where a record is changed by who may, else what became of it.
    fn way(&self, kind: &str, id: &str) -> Option<String> {
        let way = if may(self.visit, kind) { "change" } else { "history" };
        Some(self.open.path(&format!("/{way}/{kind}/{id}")))
    }

    pub(super) fn history(&self, kind: &str, id: &str) -> String {
        self.open.path(&format!("/history/{kind}/{id}"))
    }

    pub(super) fn problem(&self, one: &Problem) -> Line {
        let lang = self.lang();
        let mut marks: Vec<Markup> = free(&one.what, lang).into_iter().collect();
        if matches!(one.verification.as_str(), "provisional" | "differential" | "unconfirmed") {
            marks.push(badge(Tone::Warning, Icon::Info, words::CHART_UNCONFIRMED.of(lang)));
        }
        if !one.on_list {
            marks.push(html! { span.free { (words::CHART_OF_VISIT.of(lang)) } });
        }
        let since = |date: &str| words::CHART_SINCE.with(lang, &days::shown(date, lang));
        Line {
            href: self.way("Condition", &one.id),
            what: one.what.text.clone(),
            detail: one.severity.text.clone(),
            when: if one.onset.is_empty() { String::new() } else { since(&one.onset) },
            marks,
        }
    }

    fn medication(&self, one: &Medication) -> Line {
        let lang = self.lang();
        let mut marks: Vec<Markup> = free(&one.what, lang).into_iter().collect();
        if one.status == "on-hold" {
            marks.push(badge(Tone::Warning, Icon::Clock, words::CHART_ON_HOLD.of(lang)));
        }
        if one.source == "MedicationStatement" {
            marks.push(html! { span.free { (words::CHART_AS_TOLD.of(lang)) } });
        }
        Line {
            href: self.way(one.source, &one.id),
            what: one.what.text.clone(),
            detail: one.dosage.join("; "),
            when: days::shown(&one.since, lang),
            marks,
        }
    }

    pub(super) fn medications(&self, summary: &Summary) -> Markup {
        let lang = self.lang();
        let (orders, told) = (&summary.orders, &summary.statements);
        if orders.reach == Reach::Nothing && told.reach == Reach::Nothing {
            return html! {};
        }
        let all = orders.rows.iter().chain(&told.rows);
        let rows: Vec<Line> = all.map(|one| self.medication(one)).collect();
        let whole = orders.reach == Reach::Whole && told.reach == Reach::Whole;
        let body = html! {
            (rows_of(&rows, lang))
            @if rows.is_empty() && whole { p.foot.muted { (words::CHART_NO_MEDICATIONS.of(lang)) } }
            @if orders.is_partial() || rows.is_empty() { (rest(orders, lang)) }
            @if told.is_partial() { (rest(told, lang)) }
        };
        panel("medications", words::CHART_MEDICATIONS.of(lang), None, &body)
    }

    fn allergy(&self, one: &Allergy) -> Line {
        let lang = self.lang();
        let mut marks: Vec<Markup> = free(&one.to, lang).into_iter().collect();
        if one.criticality == "high" || one.severity == "severe" {
            marks.push(badge(Tone::Critical, Icon::Critical, words::CHART_HIGH_RISK.of(lang)));
        }
        if !one.active {
            marks.push(badge(Tone::Neutral, Icon::Close, words::CHART_NOT_ACTIVE.of(lang)));
        }
        let shown: Vec<&str> = one.manifestations.iter().map(|one| one.text.as_str()).collect();
        Line {
            href: self.way("AllergyIntolerance", &one.id),
            what: one.to.text.clone(),
            detail: shown.join(", "),
            when: days::shown(&one.recorded, lang),
            marks,
        }
    }

    pub(super) fn allergies(&self, summary: &Summary) -> Markup {
        let lang = self.lang();
        let part = &summary.allergies;
        if part.reach == Reach::Nothing {
            return html! {};
        }
        let rows: Vec<Line> = part.rows.iter().map(|one| self.allergy(one)).collect();
        let say = match summary.allergy_state {
            AllergyState::NotRecorded => Some(words::CHART_ALLERGIES_UNRECORDED),
            AllergyState::NoneKnownOfAKind => Some(words::CHART_OTHERS_UNRECORDED),
            AllergyState::Some | AllergyState::NoneKnown | AllergyState::NotTold => None,
        };
        let body = html! {
            (rows_of(&rows, lang))
            @if let Some(say) = say { p.foot.muted { (say.of(lang)) } }
            (rest(part, lang))
        };
        panel("allergies", words::ALLERGIES.of(lang), None, &body)
    }

    pub(super) fn immunisation(&self, one: &Immunisation) -> Line {
        let lang = self.lang();
        let mut marks = Vec::new();
        if one.status == "not-done" {
            marks.push(badge(Tone::Warning, Icon::Close, words::CHART_NOT_GIVEN.of(lang)));
        }
        Line {
            href: Some(self.history("Immunization", &one.id)),
            what: one.vaccine.text.clone(),
            detail: one.not_done_reason.text.clone(),
            when: days::shown(&one.given, lang),
            marks,
        }
    }

    pub(super) fn encounter(&self, one: &Encounter) -> Line {
        let lang = self.lang();
        let reasons: Vec<&str> = one.reasons.iter().map(|one| one.text.as_str()).collect();
        let (kind, why) = (one.kind.text.clone(), reasons.join(", "));
        let who = one.who.iter().map(|one| one.display.as_str()).filter(|name| !name.is_empty());
        let who = who.collect::<Vec<_>>().join(", ");
        let (what, more) = match (kind.is_empty(), why.is_empty()) {
            (false, false) => (kind, why),
            (false, true) => (kind, String::new()),
            (true, false) => (why, String::new()),
            (true, true) => (one.class.clone(), String::new()),
        };
        let detail: Vec<String> = [more, who].into_iter().filter(|part| !part.is_empty()).collect();
        let mut marks = Vec::new();
        if one.status == "in-progress" || one.status == "arrived" || one.status == "triaged" {
            marks.push(badge(Tone::Ok, Icon::Clock, words::CHART_GOES_ON.of(lang)));
        }
        Line {
            href: Some(self.open.path(&format!("/encounters/{}", one.id))),
            what,
            detail: detail.join(" · "),
            when: at(&one.began, lang),
            marks,
        }
    }

    pub(super) fn paper(&self, one: &Paper) -> Line {
        let lang = self.lang();
        let title = if one.title.is_empty() { &one.kind.text } else { &one.title };
        let who =
            one.authors.iter().map(|one| one.display.as_str()).filter(|name| !name.is_empty());
        let detail: Vec<&str> = [one.kind.text.as_str()]
            .into_iter()
            .filter(|kind| *kind != title && !kind.is_empty())
            .chain(who)
            .collect();
        let mut marks = Vec::new();
        if one.status == "entered-in-error" {
            marks.push(badge(Tone::Critical, Icon::Close, words::CHART_IN_ERROR.of(lang)));
        } else if one.stage == "preliminary" {
            marks.push(badge(Tone::Warning, Icon::Info, words::CHART_PRELIMINARY.of(lang)));
        }
        let href = match one.source {
            "DocumentReference" => self.open.path(&format!("/notes/{}", one.id)),
            _ => self.history(one.source, &one.id),
        };
        Line {
            href: Some(href),
            what: title.clone(),
            detail: detail.join(" · "),
            when: days::shown(&one.at, lang),
            marks,
        }
    }

    pub(super) fn booking(&self, one: &Booking) -> Line {
        let lang = self.lang();
        let names = one.with.iter().map(|one| one.display.as_str());
        let with: Vec<&str> = names.filter(|name| !name.is_empty()).collect();
        let text = one.what.text.as_str();
        // Of an appointment of which only the kind is said, the kind in our words.
        let is_said = |kind: &&Coding| kind.system == booking::KINDS && kind.display == text;
        let kind = one.what.codings.iter().find(is_said);
        let what = match (kind.and_then(|kind| booking::kind_word(&kind.code)), text) {
            (Some(word), _) => word.of(lang),
            (None, "") => words::CHART_APPOINTMENT.of(lang),
            (None, text) => text,
        };
        Line {
            href: None,
            what: what.to_owned(),
            detail: with.join(", "),
            when: at(&one.start, lang),
            marks: vec![patient::state(&one.status, one.is_confirmed, lang)],
        }
    }

    pub(super) fn carer(&self, one: &Carer) -> Line {
        Line {
            what: one.who.display.clone(),
            detail: [one.role.text.as_str(), one.team.as_str()]
                .into_iter()
                .filter(|part| !part.is_empty())
                .collect::<Vec<_>>()
                .join(" · "),
            ..Line::default()
        }
    }

    pub(super) fn cover(&self, one: &Cover) -> Line {
        let lang = self.lang();
        let payers: Vec<&str> = one.payers.iter().map(|one| one.display.as_str()).collect();
        let payers = payers.join(", ");
        let what = if payers.is_empty() { one.kind.text.clone() } else { payers };
        let until = (!one.period.1.is_empty())
            .then(|| words::CHART_UNTIL.with(lang, &days::shown(&one.period.1, lang)));
        Line {
            what,
            detail: one.subscriber.clone(),
            when: until.unwrap_or_default(),
            ..Line::default()
        }
    }

    pub(super) fn agreement(&self, one: &Agreement) -> Line {
        let lang = self.lang();
        let what = one.categories.iter().find(|one| !one.text.is_empty()).unwrap_or(&one.scope);
        let mark = match one.denies {
            Some(true) => Some(badge(Tone::Sensitive, Icon::Shield, words::CHART_DENIES.of(lang))),
            Some(false) => Some(badge(Tone::Neutral, Icon::Ok, words::CHART_PERMITS.of(lang))),
            None => None,
        };
        Line {
            href: Some(self.history("Consent", &one.id)),
            what: what.text.clone(),
            detail: if one.scope.text == what.text {
                String::new()
            } else {
                one.scope.text.clone()
            },
            when: days::shown(&one.given, lang),
            marks: mark.into_iter().collect(),
        }
    }
}
