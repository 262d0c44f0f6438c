//! What a house sets up before anybody is booked, for who watches over the machine: organizations, sites
//! with their hours, rooms, people, who works where and when, and kinds of visit (`scheduling::place`).
//! Plain forms; each names the version it was made of, and the version before can be put back.

use super::{beside, watched};
use crate::answer::{Answer, is_nothing};
use crate::days;
use crate::pages::keep::{Wrong as Form, kept, pick, told};
use crate::pages::{missing, registration};
use crate::parts::{
    Column, Field, Icon, Kind, Table, Tone, badge, button, copyable, empty, error_summary, field,
    hidden, link_button, notice, panel, shell, table, toast,
};
use crate::route::part;
use crate::visit::Visit;
use crate::wait::wait;
use crate::words::{self, Lang, Word};
use base::Fault;
use base::error::code;
use maud::{Markup, html};
use scheduling::place::{self, DAYS, Draft, Placed, Places, What, Works, Wrong};
use scheduling::time::Zones;

const HERE: &str = "/admin/places";
/// The id that stands for something new.
const NEW: &str = "new";
/// Zones that are offered while one types; any other may be typed.
const ZONES: [&str; 9] = [
    "America/New_York",
    "America/Detroit",
    "America/Chicago",
    "America/Denver",
    "America/Phoenix",
    "America/Los_Angeles",
    "America/Anchorage",
    "Pacific/Honolulu",
    "America/Puerto_Rico",
];

/// `/admin/places`
pub(crate) fn page(visit: &Visit) -> Result<Answer, Fault> {
    if watched(visit).is_none() {
        return Ok(missing::page(visit));
    }
    let lang = visit.lang();
    let places = place::listed(&visit.session)?;
    let body = html! {
        h1 { (words::PLACES_SET_UP.of(lang)) }
        (beside(visit))
        p.muted { (words::PLACES_WHY.of(lang)) }
        (ready(&places, lang))
        @for what in What::ALL { (list(&places, what, lang)) }
        @if places.partial { p.muted { (words::PLACES_PARTIAL.of(lang)) } }
    };
    Ok(shell(visit, 200, words::PLACES_SET_UP.of(lang), &body))
}

/// What is missing before a visit can be booked.
fn ready(places: &Places, lang: Lang) -> Markup {
    let missing = places.missing();
    if missing.is_empty() {
        return notice(Tone::Ok, words::PLACES_READY.of(lang), &html! {});
    }
    let says = |what: &What| match what {
        What::Site => words::PLACES_NO_SITE,
        What::Visit => words::PLACES_NO_VISIT,
        _ => words::PLACES_NO_WORK,
    };
    notice(
        Tone::Warning,
        words::PLACES_NOT_READY.of(lang),
        &html! { ul { @for what in &missing { li { a href={ "#" (what.name()) } { (says(what).of(lang)) } } } } },
    )
}

const fn heading(what: What) -> (Word, Word) {
    match what {
        What::House => (words::PLACES_HOUSE, words::PLACES_ADD_HOUSE),
        What::Site => (words::PLACES_SITE, words::PLACES_ADD_SITE),
        What::Room => (words::PLACES_ROOM, words::PLACES_ADD_ROOM),
        What::Person => (words::PLACES_PERSON, words::PLACES_ADD_PERSON),
        What::Work => (words::PLACES_WORK, words::PLACES_ADD_WORK),
        What::Visit => (words::PLACES_VISIT, words::PLACES_ADD_VISIT),
    }
}

fn list(places: &Places, what: What, lang: Lang) -> Markup {
    let (title, add) = heading(what);
    let more = link_button(
        Kind::Secondary,
        Some(Icon::Plus),
        add.of(lang),
        &format!("{HERE}/{}/{NEW}", what.name()),
    );
    let rows: Vec<Vec<Markup>> = places
        .of(what)
        .map(|one| {
            let title = one.draft.title();
            let title = if title.is_empty() { one.id.clone() } else { title };
            vec![
                html! { a href={ (HERE) "/" (what.name()) "/" (one.id) } { (title) }
                    @if !one.draft.is_active { " " (badge(Tone::Neutral, Icon::Info, words::PLACES_UNUSED.of(lang))) } },
                html! { (about(places, what, one, lang)) },
            ]
        })
        .collect();
    let body = match rows.is_empty() {
        true => empty(Icon::Info, words::PLACES_NONE.of(lang), "", None),
        false => {
            let column = |word: Word| Column { label: word.of(lang), is_figure: false };
            let columns = [column(words::PLACES_NAME), column(detail(what))];
            table(&Table { caption: title.of(lang), columns: &columns, rows: &rows })
        }
    };
    panel(what.name(), title.of(lang), Some(&more), &body)
}

const fn detail(what: What) -> Word {
    match what {
        What::House => words::PLACES_PHONE,
        What::Site => words::PLACES_ZONE,
        What::Room => words::PLACES_OF_SITE,
        What::Person | What::Work => words::PLACES_WORKS,
        What::Visit => words::PLACES_MINUTES,
    }
}

fn about(places: &Places, what: What, one: &Placed, lang: Lang) -> String {
    let draft = &one.draft;
    let site = |draft: &Draft| {
        let site = places.one(What::Site, &draft.site);
        site.map(|site| site.draft.title()).unwrap_or_default()
    };
    let work = |draft: &Draft| format!("{} · {}", works(draft.works).of(lang), site(draft));
    match what {
        What::House => draft.phone.clone(),
        What::Site => draft.zone.clone(),
        What::Room => site(draft),
        What::Person => {
            let own = |work: &&Placed| work.draft.is_active && work.draft.person == one.id;
            let all: Vec<_> =
                places.of(What::Work).filter(own).map(|one| work(&one.draft)).collect();
            all.join(", ")
        }
        What::Work => work(draft),
        What::Visit => draft.minutes.clone(),
    }
}

const fn works(of: Works) -> Word {
    match of {
        Works::Clinician => words::PLACES_CLINICIAN,
        Works::Assistant => words::PLACES_ASSISTANT,
        Works::Interpreter => words::PLACES_INTERPRETER,
        Works::Office => words::PLACES_OFFICE,
    }
}

/// What an address names: the kind, and the thing unless it is new.
struct Named<'v> {
    what: What,
    id: Option<&'v str>,
}

fn named(visit: &Visit) -> Option<Named<'_>> {
    watched(visit)?;
    let what = What::parse(part(visit, 2))?;
    let id = Some(part(visit, 3)).filter(|id| *id != NEW);
    Some(Named { what, id })
}

/// `/admin/places/{kind}/{id}`
pub(crate) fn one(visit: &Visit) -> Result<Answer, Fault> {
    let Some(Named { what, id }) = named(visit) else { return Ok(missing::page(visit)) };
    let places = place::listed(&visit.session)?;
    let draft = match id {
        None => begun(visit, &places, what),
        Some(id) => match places.one(what, id) {
            None => return Ok(missing::page(visit)),
            Some(placed) => placed.draft.clone(),
        },
    };
    Ok(form(visit, &places, &Shown { what, id, draft: &draft, wrong: &[], failed: None }))
}

/// Something new, with what is most likely filled in.
fn begun(visit: &Visit, places: &Places, what: What) -> Draft {
    let only = |what: What| {
        let mut all = places.of(what).filter(|one| one.draft.is_active);
        let first = all.next().map(|one| one.id.clone());
        first.filter(|_| all.next().is_none()).unwrap_or_default()
    };
    let zone = visit.zone.iana_name().filter(|name| name.contains('/'));
    Draft {
        is_active: true,
        zone: zone.filter(|_| what == What::Site).unwrap_or_default().to_owned(),
        house: only(What::House),
        site: only(What::Site),
        ..Draft::default()
    }
}

/// Keeps what a form says, or puts the version before back.
pub(crate) fn keep(visit: &Visit) -> Result<Answer, Fault> {
    let Some(Named { what, id }) = named(visit) else { return Ok(missing::page(visit)) };
    // The form is of this thing and no other.
    if visit.field("about") != id.unwrap_or_default() {
        return Ok(missing::page(visit));
    }
    let zones = Zones::bundled();
    let draft = Draft::read(|name| visit.field(name));
    let is_back = visit.field("do") == "back";
    let wrong = if is_back { Vec::new() } else { draft.check(what, &zones) };
    let version = visit.field("version").parse().unwrap_or(0);
    let outcome = if !wrong.is_empty() {
        Ok(None)
    } else if !visit.session.is_fresh() {
        Err(Fault::new(&code::STEP_UP_NEEDED, "show a factor again"))
    } else {
        match id {
            Some(id) if is_back => {
                wait(place::put_back(&visit.session, what, id, version)).map(|()| id.to_owned())
            }
            Some(id) => {
                let seen = (id, version);
                wait(place::change(&visit.session, &zones, what, seen, &draft))
                    .map(|()| id.to_owned())
            }
            None => {
                let entry = visit.field("entry");
                wait(place::make(&visit.session, &zones, what, &draft, entry))
            }
        }
        .map(Some)
    };
    let failed = match outcome {
        Ok(Some(kept)) => {
            let done = if is_back { "back" } else { id.map_or("made", |_| "saved") };
            return Ok(Answer::go(format!("{HERE}/{}/{kept}?done={done}", what.name())));
        }
        Ok(None) => None,
        Err(fault) if is_nothing(&fault) && fault.code() != &code::ACCESS_DENIED => {
            return Ok(missing::page(visit));
        }
        Err(fault) => Some(Form::of(visit, fault)?),
    };
    let places = place::listed(&visit.session)?;
    let shown = Shown { what, id, draft: &draft, wrong: &wrong, failed: failed.as_ref() };
    Ok(form(visit, &places, &shown))
}

/// A form as it is shown.
struct Shown<'f> {
    what: What,
    id: Option<&'f str>,
    draft: &'f Draft,
    wrong: &'f [(&'static str, Wrong)],
    failed: Option<&'f Form>,
}

impl Shown<'_> {
    fn error(&self, name: &str, lang: Lang) -> &'static str {
        let found = self.wrong.iter().find(|(field, _)| *field == name);
        found.map_or("", |(_, what)| say(*what).of(lang))
    }
}

const fn say(wrong: Wrong) -> Word {
    match wrong {
        Wrong::Missing => words::PLACES_MISSING,
        Wrong::Odd => words::PLACES_ODD,
        Wrong::Zone => words::PLACES_ZONE_ODD,
        Wrong::Hours => words::PLACES_HOURS_ODD,
        Wrong::Minutes => words::PLACES_MINUTES_ODD,
        Wrong::Questions => words::PLACES_QUESTIONS_ODD,
    }
}

fn form(visit: &Visit, places: &Places, shown: &Shown<'_>) -> Answer {
    let lang = visit.lang();
    let (what, draft) = (shown.what, shown.draft);
    let placed = shown.id.and_then(|id| places.one(what, id));
    let own = placed.map(|placed| placed.draft.title()).unwrap_or_default();
    let title = if own.is_empty() { heading(what).1.of(lang) } else { own.as_str() };
    let says: Vec<(&str, &str)> =
        shown.wrong.iter().map(|(name, what)| (*name, say(*what).of(lang))).collect();
    let entry = match visit.field("entry") {
        "" => registration::entry(visit),
        entry => entry.to_owned(),
    };
    let href = format!("{HERE}/{}/{}", what.name(), shown.id.unwrap_or(NEW));
    let body = html! {
        (done(visit))
        div.head-row {
            h1 { (title) }
            a.button.is-quiet href=(HERE) { (words::KEEP_BACK.of(lang)) }
        }
        @if !says.is_empty() { (error_summary(lang, &says)) }
        (told(visit, shown.failed, true))
        div.narrow.stack {
            (panel("form", heading(what).0.of(lang), None, &html! {
                form.stack method="post" action=(href) {
                    (hidden(visit)) (kept("entry", &entry)) (kept("about", shown.id.unwrap_or_default()))
                    @if let Some(placed) = placed { (kept("version", &version(visit, placed))) }
                    (fields(places, shown, lang))
                    (tick("is_active", words::PLACES_IN_USE.of(lang), draft.is_active))
                    div.row { (button(Kind::Primary, Some(Icon::Ok), words::PLACES_SAVE.of(lang))) }
                }
            }))
            @if let Some(placed) = placed { (past(visit, what, placed, &href)) }
            @if what == What::House && let Some(placed) = placed {
                (panel("sign-in", words::PLACES_SITE_ID.of(lang), None, &html! {
                    div.pad.stack { p { (words::PLACES_SITE_ID_WHY.of(lang)) } p.mono { (copyable(lang, &placed.id)) } }
                }))
            }
        }
    };
    let status = match shown.failed {
        Some(failed) => failed.status,
        None if shown.wrong.is_empty() => 200,
        None => 422,
    };
    shell(visit, status, title, &body)
}

/// The version a form was made of: what was typed stays one of the version it was typed over.
fn version(visit: &Visit, placed: &Placed) -> String {
    match visit.field("version") {
        "" => placed.version.to_string(),
        typed => typed.to_owned(),
    }
}

fn done(visit: &Visit) -> Markup {
    let lang = visit.lang();
    let say = match visit.parameter("done") {
        "made" => words::PLACES_MADE,
        "saved" => words::PLACES_SAVED,
        "back" => words::PLACES_TAKEN_BACK,
        _ => return html! {},
    };
    toast(lang, say.of(lang), None)
}

/// The version that stands, and the way back.
fn past(visit: &Visit, what: What, placed: &Placed, href: &str) -> Markup {
    let lang = visit.lang();
    let number = placed.version.to_string();
    let history = format!("/admin/resources/{}/{}?view=history", what.resource_type(), placed.id);
    panel(
        "past",
        &words::PLACES_VERSION.with(lang, &number),
        None,
        &html! {
            div.pad.row {
                span.muted { (days::moment(placed.changed, &visit.zone, lang)) }
                a href=(history) { (words::PLACES_HISTORY.of(lang)) }
                @if placed.version > 1 {
                    form method="post" action=(href) {
                        (hidden(visit)) (kept("about", &placed.id)) (kept("version", &number)) (kept("do", "back"))
                        (button(Kind::Quiet, Some(Icon::Undo), words::PLACES_PUT_BACK.of(lang)))
                    }
                }
            }
        },
    )
}

fn fields(places: &Places, shown: &Shown<'_>, lang: Lang) -> Markup {
    let draft = shown.draft;
    let text = |name: &str, label: Word, hint: Option<Word>, value: &str| {
        field(&Field {
            id: name,
            name,
            label: label.of(lang),
            hint: hint.map_or("", |hint| hint.of(lang)),
            error: shown.error(name, lang),
            value,
            is_disabled: false,
        })
    };
    let choice = |name: &str, label: Word, what: What, chosen: &str| {
        let in_use = |one: &&Placed| one.draft.is_active || one.id == chosen;
        let named = |one: &Placed| (one.id.clone(), one.draft.title());
        let none = (String::new(), words::PLACES_CHOOSE.of(lang).to_owned());
        let all: Vec<_> =
            [none].into_iter().chain(places.of(what).filter(in_use).map(named)).collect();
        pick(name, label.of(lang), &all, chosen, shown.error(name, lang))
    };
    let name = || text("name", words::PLACES_NAME, Some(words::PLACES_NAME_HINT), &draft.name);
    let reached = || {
        html! {
            (text("phone", words::PLACES_PHONE, None, &draft.phone))
            (text("line", words::PLACES_LINE, None, &draft.line))
            (text("city", words::PLACES_CITY, None, &draft.city))
            (text("state", words::PLACES_STATE, None, &draft.state))
            (text("postal_code", words::PLACES_POSTAL_CODE, None, &draft.postal_code))
        }
    };
    html! { @match shown.what {
        What::House => { (name()) (reached()) },
        What::Site => {
            (name())
            (choice("house", words::PLACES_OF_HOUSE, What::House, &draft.house))
            (zone(shown, lang)) (reached()) (hours(shown, words::PLACES_HOURS_HINT, lang))
        },
        What::Room => { (name()) (choice("site", words::PLACES_OF_SITE, What::Site, &draft.site)) },
        What::Person => {
            (text("given", words::PLACES_GIVEN, None, &draft.given))
            (text("family", words::PLACES_FAMILY, None, &draft.family))
        },
        What::Work => {
            (choice("person", words::PLACES_OF_PERSON, What::Person, &draft.person))
            (choice("site", words::PLACES_OF_SITE, What::Site, &draft.site))
            (choice("house", words::PLACES_OF_HOUSE, What::House, &draft.house))
            (pick("works", words::PLACES_WORKS.of(lang), &Works::ALL.map(|one| (one.name().to_owned(), works(one).of(lang).to_owned())), draft.works.name(), ""))
            (hours(shown, words::PLACES_HOURS_OWN, lang))
        },
        What::Visit => {
            (name())
            (text("minutes", words::PLACES_MINUTES, None, &draft.minutes))
            (pick("with", words::PLACES_WITH.of(lang), &[
                (Works::Clinician.name().to_owned(), words::PLACES_WITH_CLINICIAN.of(lang).to_owned()),
                (Works::Assistant.name().to_owned(), words::PLACES_WITH_ASSISTANT.of(lang).to_owned()),
            ], draft.with.name(), ""))
            (tick("needs_room", words::PLACES_NEEDS_ROOM.of(lang), draft.needs_room))
            (questions(shown, lang))
        },
    } }
}

fn questions(shown: &Shown<'_>, lang: Lang) -> Markup {
    let error = shown.error("questions", lang);
    let is_wrong = !error.is_empty();
    let described = if is_wrong { "questions-hint questions-error" } else { "questions-hint" };
    html! {
        div.field.is-wrong[is_wrong] {
            label for="questions" { (words::PLACES_QUESTIONS.of(lang)) }
            p.hint #questions-hint { (words::PLACES_QUESTIONS_HINT.of(lang)) }
            @if is_wrong { p.error #questions-error { (crate::parts::icon(Icon::Critical)) span { (error) } } }
            textarea #questions name="questions" rows="5" aria-describedby=(described)
                aria-invalid=[is_wrong.then_some("true")] { (shown.draft.questions) }
        }
    }
}

fn zone(shown: &Shown<'_>, lang: Lang) -> Markup {
    let error = shown.error("zone", lang);
    let is_wrong = !error.is_empty();
    let described = if is_wrong { "zone-hint zone-error" } else { "zone-hint" };
    html! {
        div.field.is-wrong[is_wrong] {
            label for="zone" { (words::PLACES_ZONE.of(lang)) }
            p.hint #zone-hint { (words::PLACES_ZONE_HINT.of(lang)) }
            @if is_wrong { p.error #zone-error { (crate::parts::icon(Icon::Critical)) span { (error) } } }
            input type="text" id="zone" name="zone" value=(shown.draft.zone) list="zones" autocomplete="off"
                spellcheck="false" aria-describedby=(described) aria-invalid=[is_wrong.then_some("true")];
            datalist #zones { @for zone in ZONES { option value=(zone) {} } }
        }
    }
}

fn hours(shown: &Shown<'_>, hint: Word, lang: Lang) -> Markup {
    let day = |name: &str| match name {
        "mon" => words::PLACES_MON,
        "tue" => words::PLACES_TUE,
        "wed" => words::PLACES_WED,
        "thu" => words::PLACES_THU,
        "fri" => words::PLACES_FRI,
        "sat" => words::PLACES_SAT,
        _ => words::PLACES_SUN,
    };
    html! {
        fieldset.stack {
            legend { (words::PLACES_HOURS.of(lang)) }
            p.hint { (hint.of(lang)) }
            div.days {
                @for (name, value) in DAYS.iter().zip(&shown.draft.hours) {
                    (field(&Field { id: name, name, label: day(name).of(lang), error: shown.error(name, lang), value, ..Field::default() }))
                }
            }
        }
    }
}

fn tick(name: &str, label: &str, is_on: bool) -> Markup {
    html! {
        label.choice { input type="checkbox" id=(name) name=(name) value="yes" checked[is_on]; span { (label) } }
    }
}
