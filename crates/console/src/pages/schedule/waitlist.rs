//! The waiting list: who waits for what, since when and how soon, and the freed times that are offered to them
//! now. Where the house sends no messages the desk is shown whom to call next, and writes the answer down.
//! The first yes is the gate's to decide (`scheduling::book::waitlist`); a page only says who won.

use super::desk::{self, Here};
use super::{appointment, finding};
use crate::answer::Answer;
use crate::days;
use crate::pages::missing;
use crate::parts::shell::shell_with;
use crate::parts::{
    Column, Icon, Kind, Table, Tone, badge, button, empty, hidden, link_button, notice, panel,
    table, toast, unbroken,
};
use crate::visit::Visit;
use crate::wait::wait;
use crate::words::{self, Word};
use base::Fault;
use base::error::code;
use fhir::reference::is_id;
use maud::{Markup, html};
use scheduling::book::waitlist::{self, Means, Offers, Waiting};
use scheduling::time::Zone;
use scheduling::waitlist::{Offer, State, Urgency, Waves};

/// Minutes for which a time is held while the desk calls one person.
const CALL_MINUTES: u32 = 60;
/// Entries that one page shows.
const SHOWN_MAX: usize = 200;

/// The page.
pub(crate) fn page(visit: &Visit) -> Result<Answer, Fault> {
    if !desk::sees(visit) {
        return Ok(missing::page(visit));
    }
    shown(visit, None)
}

fn shown(visit: &Visit, tried: Option<&Fault>) -> Result<Answer, Fault> {
    let lang = visit.lang();
    let here = Here::read(visit)?;
    let listed = wait(waitlist::listed(&visit.session))?;
    let rounds = wait(waitlist::rounds(&visit.session))?;
    let page = Page { visit, here: &here, waiting: &listed.rows };
    let title = words::WAIT_LIST.of(lang);
    let count = listed.rows.len();
    let body = html! {
        @if let Some(fault) = tried { (finding::summary(fault, &here, lang)) } @else { (told(visit)) }
        div.page-head { h1 { (title) } p.muted { (words::WAIT_WHY.of(lang)) } }
        (panel("offers", words::WAIT_OFFERS.of(lang), None, &page.rounds(&rounds.rows)?))
        (panel("waiting", words::WAIT_WHO_WAITS.of(lang), Some(&html! { span.muted.number { (count) } }), &page.list()))
        @if listed.more || rounds.more || count > SHOWN_MAX { p.muted { (words::CAL_PARTIAL_WHY.of(lang)) } }
    };
    let status = tried.map_or(200, Fault::status);
    Ok(shell_with(visit, status, title, &[], &body))
}

fn told(visit: &Visit) -> Markup {
    let lang = visit.lang();
    let word = match visit.parameter("done") {
        "put" => words::WAIT_DONE_PUT,
        "changed" => words::WAIT_DONE_CHANGED,
        "removed" => words::WAIT_DONE_REMOVED,
        "offered" => words::WAIT_DONE_OFFERED,
        "rests" => words::WAIT_DONE_RESTS,
        "nobody" => words::WAIT_DONE_NOBODY,
        "taken" => words::WAIT_DONE_TAKEN,
        "declined" => words::WAIT_DONE_DECLINED,
        "withdrawn" => words::WAIT_DONE_WITHDRAWN,
        _ => return html! {},
    };
    toast(lang, word.of(lang), None)
}

/// Begins to offer a time that an appointment freed.
pub(crate) fn offer(visit: &Visit) -> Result<Answer, Fault> {
    if !keeps(visit) {
        return Ok(missing::page(visit));
    }
    let (id, version) = (visit.field("of"), visit.field("v").parse().unwrap_or(0));
    if !is_id(id) {
        return Ok(missing::page(visit));
    }
    let work = || {
        let Some(freed) = wait(waitlist::freed(&visit.session, id, version))? else {
            return Ok("nobody");
        };
        let (means, waves) = how(visit);
        let house = desk::house(visit);
        let begun = wait(waitlist::begin(&visit.session, &house, &freed, waves, means))?;
        Ok(match begun {
            Some(round) if round.rests => "rests",
            Some(_) => "offered",
            None => "nobody",
        })
    };
    landed(visit, work())
}

/// Writes an answer down that somebody gave to the desk.
pub(crate) fn answer(visit: &Visit) -> Result<Answer, Fault> {
    if !desk::changes(visit) {
        return Ok(missing::page(visit));
    }
    let (key, entry) = (visit.field("key"), visit.field("entry"));
    let is_yes = match visit.field("do") {
        "yes" => true,
        "no" => false,
        _ => return Ok(missing::page(visit)),
    };
    if !is_id(entry) {
        return Ok(missing::page(visit));
    }
    let work = || {
        // Two windows with two patients: the form says whom it was made for.
        let one = wait(waitlist::waiting(&visit.session, entry))?;
        if one.whom.id != visit.field("patient") {
            return Err(Fault::new(&code::VERSION_CONFLICT, "it is another patient's"));
        }
        wait(waitlist::answer(&visit.session, key, entry, is_yes))?;
        Ok(if is_yes { "taken" } else { "declined" })
    };
    landed(visit, work())
}

/// Offers a time no more.
pub(crate) fn withdraw(visit: &Visit) -> Result<Answer, Fault> {
    if !desk::changes(visit) {
        return Ok(missing::page(visit));
    }
    let ended = wait(waitlist::withdraw(&visit.session, visit.field("key")));
    landed(visit, ended.map(|_| "withdrawn"))
}

pub(super) fn landed(visit: &Visit, done: Result<&'static str, Fault>) -> Result<Answer, Fault> {
    match done {
        Ok(word) => Ok(Answer::go(format!("/waitlist?done={word}"))),
        Err(fault) if finding::is_theirs(&fault) => shown(visit, Some(&fault)),
        Err(fault) => Err(fault),
    }
}

/// Whether somebody may hold a time for others at all; of which patients is the gate's to say.
fn keeps(visit: &Visit) -> bool {
    desk::books(visit) && desk::changes(visit)
}

/// By which means, and in which waves.
const fn how(visit: &Visit) -> (Means, Waves) {
    let (size, minutes) = visit.waves;
    match visit.offers_by_message {
        true => (Means::Messages, Waves { size, minutes }),
        // One at a time: nobody can be called at once.
        false => (Means::Desk, Waves { size: 1, minutes: CALL_MINUTES }),
    }
}

/// That a time was freed which suits somebody who waits, for the page that says so; nothing otherwise.
pub(crate) fn freed(visit: &Visit) -> Result<Option<Markup>, Fault> {
    let done = matches!(visit.parameter("done"), "cancelled" | "moved" | "noshow");
    let (id, version) = (visit.parameter("of"), visit.parameter("v").parse().unwrap_or(0));
    if !done || !is_id(id) || !keeps(visit) {
        return Ok(None);
    }
    let found = match wait(waitlist::freed(&visit.session, id, version)) {
        Ok(found) => found,
        Err(fault) if crate::answer::is_nothing(&fault) => None,
        Err(fault) => return Err(fault),
    };
    let Some(found) = found else { return Ok(None) };
    let lang = visit.lang();
    if wait(waitlist::offers(&visit.session, &found.key)).is_ok_and(|round| round.is_open()) {
        let see = link_button(Kind::Secondary, None, words::WAIT_SEE.of(lang), "/waitlist");
        return Ok(Some(notice(Tone::Neutral, words::WAIT_IS_OFFERED.of(lang), &see)));
    }
    let fitting = match wait(waitlist::fitting(&visit.session, &desk::house(visit), &found)) {
        Ok(fitting) => fitting.len(),
        // The time is not one that is booked any more.
        Err(fault) if finding::is_theirs(&fault) => 0,
        Err(fault) => return Err(fault),
    };
    if fitting == 0 {
        return Ok(None);
    }
    if visit.offers_by_itself && !found.may_be_away {
        let (one, many) = (words::WAIT_BY_ITSELF_ONE, words::WAIT_BY_ITSELF_MANY);
        let see = link_button(Kind::Secondary, None, words::WAIT_SEE.of(lang), "/waitlist");
        let title = words::counted(lang, one, many, fitting);
        return Ok(Some(notice(Tone::Neutral, &title, &see)));
    }
    let title = words::counted(lang, words::WAIT_FREED_ONE, words::WAIT_FREED_MANY, fitting);
    Ok(Some(notice(
        Tone::Neutral,
        &title,
        &html! {
            form method="post" action="/waitlist/offer" {
                (hidden(visit))
                input type="hidden" name="of" value=(id);
                input type="hidden" name="v" value=(version);
                (button(Kind::Secondary, Some(Icon::Onward), words::WAIT_OFFER.of(lang)))
            }
        },
    )))
}

/// That the times of who is away are offered to nobody by themselves, for the page that moved their visits; nothing
/// where no time is.
pub(super) fn away(visit: &Visit) -> Option<Markup> {
    let lang = visit.lang();
    (visit.offers_by_itself && keeps(visit)).then(|| {
        let see = link_button(Kind::Secondary, None, words::WAIT_LIST.of(lang), "/waitlist");
        let body = html! { p { (words::WAIT_AWAY_WHY.of(lang)) } (see) };
        notice(Tone::Neutral, words::WAIT_AWAY.of(lang), &body)
    })
}

/// The way from a patient's page to the list, for who may put them on it.
pub(crate) fn put_on(visit: &Visit, id: &str) -> Option<Markup> {
    let word = words::WAIT_PUT.of(visit.lang());
    let href = format!("/waitlist/add?patient={id}");
    desk::books(visit).then(|| link_button(Kind::Secondary, Some(Icon::Clock), word, &href))
}

/// The word of how soon somebody has to be seen.
pub(super) const fn urgency_word(urgency: Urgency) -> Word {
    match urgency {
        Urgency::Routine => words::WAIT_ROUTINE,
        Urgency::Soon => words::WAIT_SOON,
        Urgency::Urgent => words::WAIT_URGENT,
    }
}

struct Page<'p> {
    visit: &'p Visit,
    here: &'p Here,
    waiting: &'p [Waiting],
}

impl Page<'_> {
    fn list(&self) -> Markup {
        let lang = self.visit.lang();
        if self.waiting.is_empty() {
            let say = (words::WAIT_NOBODY.of(lang), words::WAIT_NOBODY_WHY.of(lang));
            return empty(Icon::Clock, say.0, say.1, None);
        }
        let rows: Vec<Vec<Markup>> =
            self.waiting.iter().take(SHOWN_MAX).map(|one| self.row(one)).collect();
        let column = |word: Word| Column { label: word.of(lang), is_figure: false };
        let columns = [
            words::PATIENT,
            words::FOR,
            words::WAIT_URGENCY,
            words::WAIT_SINCE,
            words::WAIT_SUITS,
            words::WAIT_EDIT,
        ]
        .map(column);
        let caption = words::WAIT_WHO_WAITS.of(lang);
        table(&Table { caption, columns: &columns, rows: &rows })
    }

    fn row(&self, one: &Waiting) -> Vec<Markup> {
        let (visit, lang) = (self.visit, self.visit.lang());
        let now = visit.now();
        let day = |at| days::shown(&days::day_at(at, &visit.zone).to_string(), lang);
        let (tone, which) = match one.wish.urgency {
            Urgency::Routine => (Tone::Neutral, Icon::Clock),
            Urgency::Soon => (Tone::Warning, Icon::Clock),
            Urgency::Urgent => (Tone::Critical, Icon::Warning),
        };
        vec![
            html! { @match &one.whom.name {
                Some(name) => a.row-action href={ "/p/" (one.whom.id) } { (name.expose()) },
                None => (badge(Tone::Sensitive, Icon::Withheld, words::WITHHELD.of(lang))),
            } },
            html! { (one.title.expose()) @if one.wish.instead_of.is_some() { div.muted { (words::WAIT_EARLIER.of(lang)) } } },
            html! {
                (badge(tone, which, urgency_word(one.wish.urgency).of(lang)))
                @if let Some(by) = one.wish.seen_by {
                    div.muted { (words::WAIT_SEE_BY.of(lang)) " " (day(by)) }
                    @if by < now { (badge(Tone::Critical, Icon::Warning, words::WAIT_SEE_BY_PAST.of(lang))) }
                }
            },
            unbroken(&day(one.since)),
            self.suits(one),
            html! { @if desk::changes(visit) && one.whom.name.is_some() {
                a.row-action href={ "/waitlist/" (one.id) } { (words::WAIT_EDIT.of(lang)) span.unseen { " " (self.name(&one.id)) } }
            } },
        ]
    }

    /// What suits somebody, in words.
    fn suits(&self, one: &Waiting) -> Markup {
        let (visit, lang, wish) = (self.visit, self.visit.lang(), &one.wish);
        let mut lines: Vec<String> = Vec::new();
        let days = words::WEEKDAYS.of(lang).split(' ').collect::<Vec<_>>();
        let called = |day: &scheduling::time::Weekday| {
            let at = usize::try_from(day.to_monday_zero_offset()).ok()?;
            days.get(at).copied()
        };
        let on: Vec<&str> = wish.weekdays.iter().filter_map(called).collect();
        lines.extend((!on.is_empty()).then(|| on.join(", ")));
        lines.extend(wish.times.map(|(from, until)| {
            format!("{}–{}", from.strftime("%H:%M"), until.strftime("%H:%M"))
        }));
        let day = |at| days::shown(&days::day_at(at, &visit.zone).to_string(), lang);
        let bounds = [(words::WAIT_FROM_DAY, wish.earliest), (words::WAIT_UNTIL_DAY, wish.latest)];
        for (word, at) in bounds {
            lines.extend(at.map(|at| format!("{} {}", word.of(lang), day(at))));
        }
        let who = wish.with.iter().chain(&wish.sites).map(|actor| self.here.name(actor).to_owned());
        lines.extend(who);
        if wish.notice_minutes > 0 {
            let hours = wish.notice_minutes.div_ceil(60).to_string();
            lines.push(words::WAIT_NOTICE_OF.with(lang, &hours));
        }
        html! {
            @if lines.is_empty() { span.muted { (words::WAIT_ANY.of(lang)) } }
            @for line in &lines { div { (line) } }
        }
    }

    fn rounds(&self, rounds: &[Offers]) -> Result<Markup, Fault> {
        let lang = self.visit.lang();
        if rounds.is_empty() {
            return Ok(html! { p.pad.muted { (words::WAIT_NO_OFFERS.of(lang)) } });
        }
        let mut lines = Vec::with_capacity(rounds.len());
        for round in rounds {
            lines.push(self.round(round)?);
        }
        Ok(html! { ul.cal-places { @for line in &lines { li { (line) } } } })
    }

    fn round(&self, round: &Offers) -> Result<Markup, Fault> {
        let (visit, lang) = (self.visit, self.visit.lang());
        let zone = self.zone(round);
        let (tone, which, word) = match &round.state {
            State::Open if round.means == Means::Messages => {
                (Tone::Warning, Icon::Mail, words::WAIT_BY_MESSAGE)
            }
            State::Open => (Tone::Warning, Icon::Phone, words::WAIT_BY_DESK),
            State::Taken { .. } => (Tone::Ok, Icon::Ok, words::WAIT_TAKEN),
            State::Exhausted => (Tone::Neutral, Icon::Close, words::WAIT_ENDED),
            State::Withdrawn => (Tone::Neutral, Icon::Close, words::WAIT_WITHDRAWN),
        };
        let with: Vec<&str> = round.with.iter().map(|actor| self.here.name(actor)).collect();
        let left = usize::try_from(round.left).unwrap_or(usize::MAX);
        let mut asked = Vec::with_capacity(round.asked.len());
        for (entry, offer) in &round.asked {
            asked.push(self.asked(round, entry, *offer, &zone)?);
        }
        Ok(html! {
            div.stack {
                div { strong.number { (appointment::span_words(round.span, &zone, lang)) } " " (badge(tone, which, word.of(lang))) }
                div.muted { (round.title.expose()) " · " (with.join(", ")) }
                ul.reach { @for one in &asked { li { div.row { (one) } } } }
                @if round.rests { div.muted { (words::WAIT_RESTS.of(lang)) } }
                @if round.left > 0 { div.muted { (words::counted(lang, words::WAIT_LEFT_ONE, words::WAIT_LEFT_MANY, left)) } }
                @if round.is_open() && desk::changes(visit) {
                    form method="post" action="/waitlist/withdraw" {
                        (hidden(visit))
                        input type="hidden" name="key" value=(round.key);
                        (button(Kind::Quiet, Some(Icon::Close), words::WAIT_WITHDRAW.of(lang)))
                    }
                }
            }
        })
    }

    /// Somebody who was asked: who, what became of it, and what the desk can write down.
    fn asked(
        &self,
        round: &Offers,
        entry: &str,
        offer: Offer,
        zone: &Zone,
    ) -> Result<Markup, Fault> {
        let (visit, lang) = (self.visit, self.visit.lang());
        let one = self.waiting.iter().find(|one| one.id == entry);
        let is_open = matches!(offer, Offer::Open { .. }) && round.is_open();
        let says = match offer {
            Offer::Open { until } => {
                let until = zone.wall(until).strftime("%H:%M").to_string();
                let word = match round.means {
                    Means::Messages => words::WAIT_ASKED,
                    Means::Desk => words::WAIT_CALL,
                };
                word.with(lang, &until)
            }
            Offer::Declined => words::WAIT_SAID_NO.of(lang).to_owned(),
            Offer::Expired => words::WAIT_NO_ANSWER.of(lang).to_owned(),
            Offer::Accepted => words::WAIT_SAID_YES.of(lang).to_owned(),
            Offer::Closed => words::WAIT_TOO_LATE.of(lang).to_owned(),
        };
        let who = match one {
            Some(one) => {
                self.linked(&one.whom.id, one.whom.name.as_ref().map(|n| n.expose().as_str()))
            }
            // Who has it is on the list no more.
            None => match crate::booking::booked(visit, entry)?.and_then(|booked| booked.patient) {
                Some(whom) => {
                    self.linked(&whom.id, whom.name.as_ref().map(|n| n.expose().as_str()))
                }
                None => html! { (words::WAIT_SOMEBODY.of(lang)) },
            },
        };
        let may = is_open && desk::changes(visit);
        Ok(html! {
            (who) " " span.muted { (says) }
            @if let Some(one) = one.filter(|one| may && one.whom.name.is_some()) {
                form.row method="post" action="/waitlist/answer" {
                    (hidden(visit))
                    input type="hidden" name="key" value=(round.key);
                    input type="hidden" name="entry" value=(entry);
                    input type="hidden" name="patient" value=(one.whom.id);
                    button.button.is-secondary type="submit" name="do" value="yes" aria-label=(format!("{} · {}", words::WAIT_YES.of(lang), self.name(entry))) { (words::WAIT_YES.of(lang)) }
                    button.button.is-quiet type="submit" name="do" value="no" aria-label=(format!("{} · {}", words::WAIT_NO.of(lang), self.name(entry))) { (words::WAIT_NO.of(lang)) }
                }
            }
        })
    }

    fn linked(&self, id: &str, name: Option<&str>) -> Markup {
        let lang = self.visit.lang();
        html! { @match name {
            Some(name) => a.row-action href={ "/p/" (id) "/details" } { (name) },
            None => (badge(Tone::Sensitive, Icon::Withheld, words::WITHHELD.of(lang))),
        } }
    }

    fn name(&self, entry: &str) -> String {
        let one = self.waiting.iter().find(|one| one.id == entry);
        let name = one.and_then(|one| one.whom.name.as_ref());
        let withheld = || words::WITHHELD.of(self.visit.lang()).to_owned();
        name.map_or_else(withheld, |name| name.expose().clone())
    }

    fn zone(&self, round: &Offers) -> Zone {
        let own = round.zone.as_ref().and_then(|name| self.here.house.zones.find(name).ok());
        own.unwrap_or_else(|| self.here.house.zone.clone())
    }
}
