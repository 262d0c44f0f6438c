//! What is open: one's own sign-ins and what one gave to apps; and for an administrator, everybody's, each
//! with a button that ends it at once (45 CFR 164.312(a)(2)(iii), automatic log-off; 164.308(a)(3)(ii)(C),
//! termination).

use crate::answer::Answer;
use crate::days;
use crate::pages::keep::{Wrong, kept, own_id, source, told};
use crate::pages::missing;
use crate::parts::{
    Column, Icon, Kind, Table, Tone, badge, button, empty, hidden, link_button, panel, shell,
    table, toast, unbroken,
};
use crate::people::GivenApp;
use crate::visit::Visit;
use crate::words::{self, Word};
use base::Fault;
use base::error::code;
use identity::{Assurance, PrincipalId, Session, SessionId, SessionKind};
use maud::{Markup, html};

/// Sessions of everybody on one page; those used last.
const SHOWN_MAX: usize = 200;

/// `/admin/sessions`
pub(crate) fn page(visit: &Visit) -> Result<Answer, Fault> {
    shown(visit, None)
}

fn shown(visit: &Visit, wrong: Option<&Wrong>) -> Result<Answer, Fault> {
    let Some(own) = own_id(visit) else { return Ok(missing::page(visit)) };
    let lang = visit.lang();
    let mine = visit.session.own_sessions()?.wait()?;
    let given = visit.people.as_ref().map(|people| people.given(own)).unwrap_or_default();
    let here = visit.caller.as_ref().map(|caller| caller.session);
    let end = |session: &Session| {
        html! {
            @if Some(session.id) == here { (badge(Tone::Accent, Icon::Ok, words::OPENED_THIS.of(lang))) }
            @else { (ending(visit, &[("do", "own"), ("session", &session.id.to_string())])) }
        }
    };
    let keeps = visit.session.may_keep_people();
    let body = html! {
        h1 { (words::OPENED.of(lang)) }
        @if visit.parameter("did") == "1" { (toast(lang, words::OPENED_ENDED.of(lang), None)) }
        (told(visit, wrong, keeps))
        (panel("mine", words::OPENED_MINE.of(lang), None, &list(visit, &mine, &end, true)))
        (panel("apps", words::OPENED_MY_APPS.of(lang), None, &html! {
            @if given.is_empty() { (empty(Icon::Apps, words::OPENED_NO_APPS.of(lang), words::OPENED_NO_APPS_WHY.of(lang), None)) }
            @else { (apps(visit, &given, &|app| ending(visit, &[("do", "own-app"), ("app", &app.id)]), true)) }
        }))
        (kiosks(visit)?)
        @if visit.session.may_see_people() { (everybody(visit, own, keeps)?) }
    };
    Ok(shell(visit, wrong.map_or(200, |wrong| wrong.status), words::OPENED.of(lang), &body))
}

fn ending(visit: &Visit, fields: &[(&str, &str)]) -> Markup {
    html! {
        form method="post" action="/admin/sessions" {
            (hidden(visit))
            @for (name, value) in fields { (kept(name, value)) }
            (button(Kind::Quiet, Some(Icon::Close), words::OPENED_END.of(visit.lang())))
        }
    }
}

/// Devices that are kiosks, of those whom the caller may end.
fn kiosks(visit: &Visit) -> Result<Markup, Fault> {
    let lang = visit.lang();
    let begins = visit.session.may_begin_kiosk();
    if !begins && !visit.session.may_see_people() {
        return Ok(html! {});
    }
    let all = visit.session.kiosks()?.wait()?;
    let rows: Vec<Vec<Markup>> = all
        .iter()
        .map(|kiosk| {
            let moment = |at| unbroken(&days::moment(at, &visit.zone, lang));
            vec![
                html! { @if kiosk.is_wall { (words::WALL.of(lang)) } @else { (words::KIOSK_ONE.of(lang)) } " " span.mono { (kiosk.id) } },
                moment(kiosk.began),
                moment(kiosk.ends()),
                ending(visit, &[("do", "kiosk"), ("kiosk", &kiosk.id)]),
            ]
        })
        .collect();
    let column = |word: Word| Column { label: word.of(lang), is_figure: false };
    let columns = [words::NAME, words::OPENED_SINCE, words::OPENED_UNTIL, words::OPENED_END];
    let columns = columns.map(column);
    let begin = link_button(Kind::Secondary, None, words::KIOSK_BEGIN.of(lang), "/kiosk/begin");
    let begin = begins.then_some(begin);
    Ok(panel(
        "kiosks",
        words::KIOSKS.of(lang),
        begin.as_ref(),
        &html! {
            @if rows.is_empty() { (empty(Icon::Leave, words::KIOSKS_NONE.of(lang), words::KIOSKS_NONE_WHY.of(lang), None)) }
            @else { (table(&Table { caption: words::KIOSKS.of(lang), columns: &columns, rows: &rows })) }
        },
    ))
}

fn everybody(visit: &Visit, own: PrincipalId, keeps: bool) -> Result<Markup, Fault> {
    let lang = visit.lang();
    let members = visit.session.members()?.wait()?;
    let mut all: Vec<_> = members
        .all
        .iter()
        .filter(|member| member.principal.id != own)
        .flat_map(|member| member.sessions.iter().map(move |session| (member, session)))
        .collect();
    all.sort_by_key(|(_, session)| std::cmp::Reverse(session.used));
    let rows: Vec<Vec<Markup>> = all
        .iter()
        .take(SHOWN_MAX)
        .map(|(member, session)| {
            let principal = &member.principal;
            let (who, id) = (principal.id.to_string(), session.id.to_string());
            let mut row = vec![
                html! { a href={ "/admin/users/" (who) } { (principal.profile.display) } " " span.muted { (principal.profile.name) } },
            ];
            row.extend(cells(visit, session));
            if keeps {
                row.push(ending(visit, &[("do", "end"), ("who", &who), ("session", &id)]));
            }
            row
        })
        .collect();
    let mut given: Vec<(String, GivenApp)> = Vec::new();
    if let Some(people) = &visit.people {
        for member in members.all.iter().filter(|member| member.principal.id != own) {
            let id = member.principal.id;
            given.extend(people.given(id).into_iter().map(|app| (id.to_string(), app)));
        }
    }
    let column = |word: Word| Column { label: word.of(lang), is_figure: false };
    let mut columns = vec![column(words::NAME)];
    columns.extend(heads().map(column));
    if keeps {
        columns.push(column(words::OPENED_END));
    }
    let name = |id: &str| {
        let found = members.all.iter().find(|member| member.principal.id.to_string() == id);
        found.map(|member| member.principal.profile.display.clone()).unwrap_or_default()
    };
    let app_rows: Vec<Vec<Markup>> = given
        .iter()
        .take(SHOWN_MAX)
        .map(|(who, app)| {
            let mut row = vec![html! { a href={ "/admin/users/" (who) } { (name(who)) } }];
            row.extend(app_cells(visit, app));
            if keeps {
                row.push(ending(visit, &[("do", "end-app"), ("who", who), ("app", &app.id)]));
            }
            row
        })
        .collect();
    let mut app_columns = vec![column(words::NAME)];
    app_columns.extend(app_heads().map(column));
    if keeps {
        app_columns.push(column(words::OPENED_END));
    }
    Ok(html! {
        (panel("all", words::OPENED_ALL.of(lang), None, &html! {
            @if rows.is_empty() { (empty(Icon::Leave, words::OPENED_NOBODY.of(lang), words::OPENED_NOBODY_WHY.of(lang), None)) }
            @else { (table(&Table { caption: words::OPENED_ALL.of(lang), columns: &columns, rows: &rows })) }
            @if all.len() > SHOWN_MAX { p.foot.muted { (words::OPENED_FIRST.with(lang, &SHOWN_MAX.to_string())) } }
        }))
        (panel("all-apps", words::OPENED_ALL_APPS.of(lang), None, &html! {
            @if app_rows.is_empty() { p.foot.muted { (words::OPENED_NO_APPS.of(lang)) } }
            @else { (table(&Table { caption: words::OPENED_ALL_APPS.of(lang), columns: &app_columns, rows: &app_rows })) }
            @if given.len() > SHOWN_MAX { p.foot.muted { (words::OPENED_FIRST.with(lang, &SHOWN_MAX.to_string())) } }
        }))
    })
}

const fn heads() -> [Word; 4] {
    [words::OPENED_SINCE, words::USERS_USED, words::OPENED_FROM, words::OPENED_UNTIL]
}

fn cells(visit: &Visit, session: &Session) -> [Markup; 4] {
    let lang = visit.lang();
    let moment = |at| unbroken(&days::moment(at, &visit.zone, lang));
    let how = match (session.kind, session.assurance) {
        (SessionKind::Script, _) => words::OPENED_TOKEN,
        (_, Assurance::Aal2) => words::OPENED_TWO,
        _ => words::OPENED_ONE,
    };
    [
        html! { (moment(session.created)) " " span.muted { (how.of(lang)) } @if !session.note.is_empty() { " " span.muted { (session.note) } } },
        moment(session.used),
        html! { @match session.source { Some(source) => span.mono { (source) }, None => span.muted { (words::KEEP_NONE.of(lang)) } } },
        moment(session.ends),
    ]
}

/// Sessions of one person; the first cell of each row says since when.
pub(crate) fn list(
    visit: &Visit,
    all: &[Session],
    last: &dyn Fn(&Session) -> Markup,
    ends: bool,
) -> Markup {
    let lang = visit.lang();
    let rows: Vec<Vec<Markup>> = all
        .iter()
        .map(|session| {
            let mut row = cells(visit, session).to_vec();
            row.extend(ends.then(|| last(session)));
            row
        })
        .collect();
    let column = |word: Word| Column { label: word.of(lang), is_figure: false };
    let mut columns = heads().map(column).to_vec();
    columns.extend(ends.then(|| column(words::OPENED_END)));
    table(&Table { caption: words::OPENED.of(lang), columns: &columns, rows: &rows })
}

const fn app_heads() -> [Word; 4] {
    [words::OPENED_APP, words::OPENED_MAY, words::USERS_USED, words::OPENED_UNTIL]
}

fn app_cells(visit: &Visit, app: &GivenApp) -> [Markup; 4] {
    let lang = visit.lang();
    let moment = |at| unbroken(&days::moment(at, &visit.zone, lang));
    [
        html! { (app.app) @if app.is_agent { " " (badge(Tone::Sensitive, Icon::Person, words::OPENED_AGENT.of(lang))) } " " span.muted { (days::moment(app.since, &visit.zone, lang)) } },
        html! { details { summary { (words::OPENED_MAY_COUNT.with(lang, &app.may.len().to_string())) } ul.notes { @for one in &app.may { li { (one) } } } } },
        moment(app.used),
        moment(app.ends),
    ]
}

/// What somebody gave to apps.
pub(crate) fn apps(
    visit: &Visit,
    all: &[GivenApp],
    last: &dyn Fn(&GivenApp) -> Markup,
    ends: bool,
) -> Markup {
    let lang = visit.lang();
    let rows: Vec<Vec<Markup>> = all
        .iter()
        .map(|app| {
            let mut row = app_cells(visit, app).to_vec();
            row.extend(ends.then(|| last(app)));
            row
        })
        .collect();
    let column = |word: Word| Column { label: word.of(lang), is_figure: false };
    let mut columns = app_heads().map(column).to_vec();
    columns.extend(ends.then(|| column(words::OPENED_END)));
    table(&Table { caption: words::OPENED_APPS.of(lang), columns: &columns, rows: &rows })
}

/// Ends what a button of the page names.
pub(crate) fn end(visit: &Visit) -> Result<Answer, Fault> {
    let Some(own) = own_id(visit) else { return Ok(missing::page(visit)) };
    match ended(visit, own) {
        Ok(()) => Ok(Answer::go("/admin/sessions?did=1")),
        Err(fault) => shown(visit, Some(&Wrong::of(visit, fault)?)),
    }
}

fn ended(visit: &Visit, own: PrincipalId) -> Result<(), Fault> {
    let odd =
        |at: &str| Fault::at(&code::PARAMETER_INVALID, "use a button of the page", at.to_owned());
    let session = || SessionId::parse(visit.field("session")).ok_or_else(|| odd("session"));
    let who = || PrincipalId::parse(visit.field("who")).ok_or_else(|| odd("who"));
    let given = |of: PrincipalId| match &visit.people {
        Some(people) => people.end_given(own, of, visit.field("app")).map(drop),
        None => Ok(()),
    };
    match visit.field("do") {
        "own" => visit.session.end_own_session(session()?, source(visit)).map(drop),
        "own-app" => given(own),
        "kiosk" => visit.session.end_kiosk(visit.field("kiosk")).map(drop),
        "end" => {
            let (who, session) = (who()?, session()?);
            let identity = visit.session.keeper(Some(who), source(visit))?;
            if identity.sessions(who).iter().any(|one| one.id == session) {
                identity.revoke(session)?;
            }
            Ok(())
        }
        "end-app" => {
            let who = who()?;
            visit.session.keeper(Some(who), source(visit))?;
            given(who)
        }
        _ => Err(odd("do")),
    }
}
