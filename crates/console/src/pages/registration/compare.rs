//! Two records side by side: what is the same and what differs, and the decision. They are linked as one
//! patient's, or kept apart with a reason; either is taken back here.

use super::fields::{label, said};
use super::{done, entry, grade, reasons};
use crate::answer::{Answer, is_nothing};
use crate::booking::type_id;
use crate::days;
use crate::done::finish;
use crate::pages::missing;
use crate::parts::{
    Choice, Column, Field, Icon, Kind, Table, Tone, badge, button, choices, field, hidden, notice,
    panel, shell, table,
};
use crate::person::Person;
use crate::route::part;
use crate::visit::Visit;
use crate::words::{self, Lang};
use base::error::code;
use base::{Fault, Limits};
use fhir::Document;
use fhir::reference::is_id;
use maud::{Markup, html};
use record::{Features, REASON_CHARS_MAX, compare};
use registration::Seen;
use registration::intake::Intake;
use registration::merge::{self, Link};

/// One of the two.
struct Side {
    person: Person,
    intake: Intake,
    features: Features,
}

impl Side {
    fn seen(&self) -> Seen {
        Seen { id: self.person.id.clone(), version: self.person.version }
    }

    fn link(&self, to: &Self) -> Option<Link> {
        let found = self.person.links.iter().find(|(_, id)| *id == to.person.id);
        found.map(|(kind, _)| *kind)
    }
}

/// `/p/{id}/compare/{name}`
pub(crate) fn page(visit: &Visit) -> Result<Answer, Fault> {
    show(visit, 200, "", "")
}

/// Merges them, parts them, or keeps that they are two.
pub(crate) fn decide(visit: &Visit) -> Result<Answer, Fault> {
    let Some((one, other)) = both(visit)? else { return Ok(missing::page(visit)) };
    let lang = visit.lang();
    let session = &visit.session;
    let here = format!("/p/{}/compare/{}", one.person.id, other.person.id);
    let version = |name: &str| visit.field(name).parse().unwrap_or(0);
    let one_seen = Seen { version: version("version"), ..one.seen() };
    let other_seen = Seen { version: version("other_version"), ..other.seen() };
    // Two windows with two pairs: the form says whose it is.
    if visit.field("about") != one.person.id || visit.field("other") != other.person.id {
        return Ok(missing::page(visit));
    }
    let (outcome, done) = match visit.field("do") {
        "merge" => {
            let keep = visit.field("keep");
            let (survivor, merged) = match keep {
                keep if keep == one.person.id => (one_seen, other_seen),
                keep if keep == other.person.id => (other_seen, one_seen),
                _ => return show(visit, 422, "keep", words::COMPARE_KEEP_MISSING.of(lang)),
            };
            (finish(merge::merge(session, &survivor, &merged)), "merged")
        }
        "part" => {
            let is_survivor = one.link(&other) == Some(Link::Replaces);
            let (survivor, merged) =
                if is_survivor { (one_seen, other_seen) } else { (other_seen, one_seen) };
            (finish(merge::part(session, &survivor, &merged)), "parted")
        }
        "apart" => {
            let reason = visit.field("reason").trim();
            if reason.is_empty() || reason.chars().count() > REASON_CHARS_MAX {
                return show(visit, 422, "reason", words::COMPARE_REASON_MISSING.of(lang));
            }
            let kept = finish(session.keep_apart(&one.person.id, &other.person.id, reason));
            (kept, "apart")
        }
        "together" => (finish(session.forget_apart(&one.person.id, &other.person.id)), "together"),
        _ => return Ok(missing::page(visit)),
    };
    match outcome {
        Ok(()) => Ok(Answer::go(format!("{here}?done={done}"))),
        Err(fault) if fault.code() == &code::REGISTRATION_MERGE => {
            show(visit, 409, "state", words::COMPARE_STALE.of(lang))
        }
        Err(fault) => Err(fault),
    }
}

fn show(visit: &Visit, status: u16, at: &str, error: &str) -> Result<Answer, Fault> {
    let Some((one, other)) = both(visit)? else { return Ok(missing::page(visit)) };
    let lang = visit.lang();
    let score = compare(&one.features, &other.features);
    let may = merge::may(&visit.session, &one.person.id, &other.person.id)?;
    let apart = visit.session.kept_apart(&one.person.id, &other.person.id)?;
    let linked = one.link(&other);
    let rest = html! {
        @if at == "state" { (notice(Tone::Critical, error, &html! {})) }
        @if let Some(kind) = linked {
            @let word = if kind == Link::Replaces { words::COMPARE_FIRST_GOES_ON } else { words::COMPARE_SECOND_GOES_ON };
            (notice(Tone::Accent, words::COMPARE_MERGED.of(lang), &html! { p { (word.of(lang)) } }))
        }
        @if let Some(apart) = &apart {
            (notice(Tone::Neutral, words::COMPARE_APART.of(lang), &html! {
                p { (apart.reason) }
                p.muted { (apart.by) " · " (days::moment(apart.at, &visit.zone, lang)) }
            }))
        }
        (panel("both", words::COMPARE_BOTH.of(lang), Some(&score.grade().map_or_else(|| html! { span.muted { (words::ALIKE_NOT.of(lang)) } }, |found| grade(found, lang))), &html! {
            (side_by_side(&one, &other, lang))
            div.foot { (reasons(&score.reasons, lang)) }
        }))
        @if may { (decisions(visit, (&one, &other), apart.is_some(), (at, error))) }
        (done(visit, &[
            ("merged", words::COMPARE_MERGE_DONE), ("parted", words::COMPARE_PART_DONE),
            ("apart", words::COMPARE_APART_DONE), ("together", words::COMPARE_TOGETHER_DONE),
        ]))
    };
    let body = html! { h1 { (words::COMPARE_TITLE.of(lang)) } (rest) };
    Ok(shell(visit, status, words::COMPARE_TITLE.of(lang), &body))
}

fn both(visit: &Visit) -> Result<Option<(Side, Side)>, Fault> {
    let ids = (part(visit, 1), part(visit, 3));
    if ids.0 == ids.1 {
        return Ok(None);
    }
    Ok(side(visit, ids.0)?.zip(side(visit, ids.1)?))
}

fn side(visit: &Visit, id: &str) -> Result<Option<Side>, Fault> {
    if !is_id(id) {
        return Ok(None);
    }
    let hit = match visit.session.read(type_id("Patient")?, id, None) {
        Ok(hit) => hit.wait()?,
        Err(fault) if is_nothing(&fault) => return Ok(None),
        Err(fault) => return Err(fault),
    };
    let document = Document::parse(hit.body.clone(), &Limits::default())?;
    Ok(Some(Side {
        person: Person::read(&hit)?,
        intake: Intake::of(document.root()),
        features: Features::of(document.root()),
    }))
}

fn name(side: &Side, lang: Lang) -> String {
    side.person.name().unwrap_or_else(|| words::NO_NAME.of(lang).to_owned())
}

fn side_by_side(one: &Side, other: &Side, lang: Lang) -> Markup {
    let number = |side: &Side| {
        side.person.record_number().map(|number| number.value.clone()).unwrap_or_default()
    };
    let mut rows = vec![row(words::RECORD_NUMBER.of(lang), &number(one), &number(other), lang)];
    for (field, _) in Intake::FIELDS {
        // Who may compare may not for that read what is confidential.
        let (a, b) = (one.intake.get(field), other.intake.get(field));
        if (a.is_empty() && b.is_empty()) || field.starts_with("private_") {
            continue;
        }
        let shown =
            |value: &str| if value.is_empty() { String::new() } else { said(field, value, lang) };
        rows.push(row(label(field).of(lang), &shown(a), &shown(b), lang));
    }
    let names = (name(one, lang), name(other, lang));
    let column = |label| Column { label, is_figure: false };
    let columns = [
        column(words::COMPARE_FIELD.of(lang)),
        column(names.0.as_str()),
        column(names.1.as_str()),
        column(words::COMPARE_SAME_OR_NOT.of(lang)),
    ];
    table(&Table { caption: words::COMPARE_BOTH.of(lang), columns: &columns, rows: &rows })
}

fn row(label: &str, one: &str, other: &str, lang: Lang) -> Vec<Markup> {
    let cell = |text: &str| match text {
        "" => html! { span.muted { (words::INTAKE_EMPTY.of(lang)) } },
        text => html! { (text) },
    };
    let mark = match (one, other) {
        (a, b) if a.to_lowercase() == b.to_lowercase() => {
            html! { span.muted { (words::COMPARE_SAME.of(lang)) } }
        }
        ("", _) | (_, "") => html! { span.muted { (words::COMPARE_ONE_ONLY.of(lang)) } },
        _ => badge(Tone::Warning, Icon::Warning, words::COMPARE_DIFFERS.of(lang)),
    };
    vec![html! { (label) }, cell(one), cell(other), mark]
}

fn decisions(
    visit: &Visit,
    (one, other): (&Side, &Side),
    is_apart: bool,
    (at, error): (&str, &str),
) -> Markup {
    let lang = visit.lang();
    let form = |what: &str, body: &Markup| {
        html! {
            form.stack method="post" action={ "/p/" (one.person.id) "/compare/" (other.person.id) } {
                (hidden(visit))
                input type="hidden" name="entry" value=(entry(visit));
                input type="hidden" name="about" value=(one.person.id);
                input type="hidden" name="other" value=(other.person.id);
                input type="hidden" name="version" value=(one.person.version);
                input type="hidden" name="other_version" value=(other.person.version);
                input type="hidden" name="do" value=(what);
                (body)
            }
        }
    };
    if one.link(other).is_some() {
        return panel(
            "part",
            words::COMPARE_PART.of(lang),
            None,
            &form(
                "part",
                &html! {
                    p { (words::COMPARE_PART_WHY.of(lang)) }
                    div.row { (button(Kind::Secondary, Some(Icon::Undo), words::COMPARE_PART.of(lang))) }
                },
            ),
        );
    }
    let number = |side: &Side| {
        let number = side.person.record_number().map(|number| number.value.clone());
        format!("{} · {}", name(side, lang), number.unwrap_or_default())
    };
    let labels = [number(one), number(other)];
    let keeps = [
        Choice { value: &one.person.id, label: &labels[0], is_chosen: false },
        Choice { value: &other.person.id, label: &labels[1], is_chosen: false },
    ];
    html! {
        div.columns.is-even {
            div { (panel("merge", words::COMPARE_MERGE.of(lang), None, &form("merge", &html! {
                p { (words::COMPARE_MERGE_WHY.of(lang)) }
                @if at == "keep" { p.error role="alert" { (error) } }
                (choices(words::COMPARE_KEEP.of(lang), "keep", &keeps))
                div.row { (button(Kind::Primary, Some(Icon::Twins), words::COMPARE_MERGE.of(lang))) }
            }))) }
            div { (panel("apart", words::COMPARE_KEEP_APART.of(lang), None, &if is_apart {
                form("together", &html! {
                    p { (words::COMPARE_TOGETHER_WHY.of(lang)) }
                    div.row { (button(Kind::Secondary, Some(Icon::Undo), words::COMPARE_TOGETHER.of(lang))) }
                })
            } else {
                form("apart", &html! {
                    p { (words::COMPARE_APART_WHY.of(lang)) }
                    (field(&Field {
                        id: "reason", name: "reason", label: words::COMPARE_REASON.of(lang),
                        error: if at == "reason" { error } else { "" }, value: visit.field("reason"), ..Field::default()
                    }))
                    div.row { (button(Kind::Secondary, None, words::COMPARE_KEEP_APART.of(lang))) }
                })
            })) }
        }
    }
}
