//! One person who may sign in: roles, sites, factors, what is open, what apps were given, when it was last
//! used, and what an administrator does about it. Each change names the version it was made of, has a
//! reason where the house wants one, and is asked of somebody who showed a factor lately.

use super::{factor_badge, first_password, is_stale, not_seen, state_badge};
use crate::answer::{Answer, is_nothing};
use crate::days;
use crate::pages::keep::{
    Wrong, called, kept, own_id, pick, site_list, sites_of, source, told, when,
};
use crate::pages::{missing, sessions};
use crate::parts::{
    Column, Field, Icon, Kind, Table, Tone, badge, button, empty, facts, field, hidden, panel,
    role_name, shell, table, toast, unbroken,
};
use crate::route::part;
use crate::visit::Visit;
use crate::words::{self, Word};
use base::error::code;
use base::{Fault, Millis};
use identity::{FactorKind, PrincipalId, Secret, SessionId};
use maud::{Markup, html};
use record::{CertifyDone, Member};
use std::collections::HashMap;

/// `/admin/users/{id}`
pub(crate) fn one(visit: &Visit) -> Result<Answer, Fault> {
    shown(visit, None, None)
}

fn shown(visit: &Visit, wrong: Option<&Wrong>, drawn: Option<&Secret>) -> Result<Answer, Fault> {
    let id = PrincipalId::parse(part(visit, 2)).filter(|_| visit.session.may_see_people());
    let Some(id) = id else { return Ok(missing::page(visit)) };
    let (member, since) = match visit.session.member(id) {
        Ok(found) => found.wait()?,
        Err(fault) if is_nothing(&fault) || fault.code() == &code::PRINCIPAL_NOT_FOUND => {
            return Ok(missing::page(visit));
        }
        Err(fault) => return Err(fault),
    };
    let lang = visit.lang();
    let profile = &member.principal.profile;
    let is_own = own_id(visit) == Some(id);
    let keeps = visit.session.may_keep_people() && !is_own;
    let sites = sites_of(visit, &profile.sites)?;
    let names = visit.session.names_of(member.certified.iter().map(|one| one.by.clone()))?;
    let body = html! {
        div.head-row {
            div.page-head {
                h1 { (profile.display) }
                p.row { span.muted { (profile.name) } (state_badge(&member, lang)) (factor_badge(&member, lang))
                    @if member.is_administrator { (badge(Tone::Sensitive, Icon::Shield, words::USERS_ADMINISTERS.of(lang))) } }
            }
            a.button.is-quiet href="/admin/users" { (words::USERS_BACK.of(lang)) }
        }
        (done(visit, &member))
        (told(visit, wrong, keeps))
        @if let Some(drawn) = drawn { div.narrow { (first_password(visit, &profile.name, drawn.expose())) } }
        @if let Some(disabled) = &member.principal.disabled {
            p.foot { (words::USERS_LOCKED_SINCE.with(lang, &days::moment(Millis(disabled.at_ms), &visit.zone, lang))) " " (disabled.reason) }
        }
        div.columns {
            div {
                (panel("roles", words::USERS_ROLES.of(lang), None, &roles(visit, &member, keeps, wrong)))
                (panel("open", words::USERS_OPEN.of(lang), None, &open(visit, &member, keeps)))
                (panel("apps", words::OPENED_APPS.of(lang), None, &apps(visit, id, keeps)))
                (panel("decided", words::USERS_DECIDED.of(lang), None, &decided(visit, &member, &names)))
            }
            div {
                (panel("about", words::USERS_ABOUT.of(lang), None, &about(visit, &member, since, &sites)))
                @if keeps { (panel("keep", words::USERS_KEEP.of(lang), None, &keep(visit, &member, wrong))) }
                @else if is_own { (panel("keep", words::USERS_KEEP.of(lang), None, &html! { p.foot.muted { (words::USERS_OWN.of(lang)) " " a href="/auth/factors" { (words::FACTORS.of(lang)) } } })) }
            }
        }
    };
    let status = wrong.map_or(200, |wrong| wrong.status);
    Ok(shell(visit, status, &profile.display, &body))
}

/// What was just done, and the way back where there is one.
fn done(visit: &Visit, member: &Member) -> Markup {
    let lang = visit.lang();
    let role = visit.parameter("role");
    let name = role_name(role, lang);
    let (say, undo) = match visit.parameter("did") {
        "grant" => (words::USERS_DID_GRANT.with(lang, name), Some("take")),
        "take" => (words::USERS_DID_TAKE.with(lang, name), Some("grant")),
        "lock" => (words::USERS_DID_LOCK.of(lang).to_owned(), Some("unlock")),
        "unlock" => (words::USERS_DID_UNLOCK.of(lang).to_owned(), None),
        "reset" => (words::USERS_DID_RESET.of(lang).to_owned(), None),
        "end" => (words::USERS_DID_END.of(lang).to_owned(), None),
        _ => return html! {},
    };
    let back = undo.map(|does| {
        html! {
            (action(visit, member, does, &html! {
                (kept("role", role)) (kept("reason", words::USERS_UNDONE.of(lang)))
                (button(Kind::Quiet, Some(Icon::Undo), words::UNDO.of(lang)))
            }))
        }
    });
    toast(lang, &say, back.as_ref())
}

/// A form that does one thing to this person, as they were when the page was shown.
fn action(visit: &Visit, member: &Member, does: &str, inner: &Markup) -> Markup {
    html! {
        form.row method="post" action={ "/admin/users/" (member.principal.id) } {
            (hidden(visit)) (kept("do", does)) (kept("version", &member.principal.version.to_string()))
            (inner)
        }
    }
}

fn roles(visit: &Visit, member: &Member, keeps: bool, wrong: Option<&Wrong>) -> Markup {
    let lang = visit.lang();
    let held = &member.principal.profile.roles;
    let rows: Vec<Vec<Markup>> = held
        .iter()
        .map(|role| {
            let last = member.certified.iter().rev().find(|one| one.role == *role);
            let mut row = vec![
                html! { (role_name(role, lang)) @if last.is_some_and(|one| one.done == CertifyDone::ToTake) { " " (badge(Tone::Warning, Icon::Warning, words::ROLES_TO_TAKE.of(lang))) } },
                html! { @match last { Some(one) => { (crate::pages::roles::done_word(one.done).of(lang)) " " span.muted { (days::moment(one.at, &visit.zone, lang)) } }, None => span.muted { (words::ROLES_NEVER.of(lang)) } } },
            ];
            if keeps {
                let id = format!("take-{role}");
                let is_this = visit.field("do") == "take" && visit.field("role") == role && wrong.is_some();
                let typed = if is_this { visit.field("reason") } else { "" };
                row.push(action(visit, member, "take", &html! {
                    (kept("role", role))
                    label.unseen for=(id) { (words::USERS_WHY_TAKE.with(lang, role_name(role, lang))) }
                    input.reason type="text" id=(id) name="reason" value=(typed) aria-invalid=[is_this.then_some("true")] maxlength="500" required autocomplete="off" placeholder=(words::USERS_REASON.of(lang));
                    (button(Kind::Quiet, Some(Icon::Close), words::USERS_TAKE.of(lang)))
                }));
            }
            row
        })
        .collect();
    let column = |word: Word| Column { label: word.of(lang), is_figure: false };
    let mut columns = vec![column(words::USERS_ROLE), column(words::USERS_REVIEWED)];
    if keeps {
        columns.push(column(words::USERS_TAKE));
    }
    let free: Vec<(String, String)> = visit
        .session
        .roles()
        .into_iter()
        .filter(|role| !held.contains(role))
        .map(|role| (role.clone(), role_name(&role, lang).to_owned()))
        .collect();
    let error = Wrong::on(wrong, "reason");
    let is_grant = visit.field("do") == "grant";
    html! {
        @if rows.is_empty() { p.foot.muted { (words::USERS_NO_ROLE.of(lang)) } }
        @else { (table(&Table { caption: words::USERS_ROLES.of(lang), columns: &columns, rows: &rows })) }
        @if keeps && !free.is_empty() {
            form.filters.pad method="post" action={ "/admin/users/" (member.principal.id) } {
                (hidden(visit)) (kept("do", "grant")) (kept("version", &member.principal.version.to_string()))
                (pick("role", words::USERS_GRANT.of(lang), &free, if is_grant { visit.field("role") } else { "" }, &Wrong::on(wrong, "role")))
                (field(&Field { id: "reason", name: "reason", label: words::USERS_REASON.of(lang), error: &error, value: if is_grant { visit.field("reason") } else { "" }, ..Field::default() }))
                (button(Kind::Secondary, Some(Icon::Plus), words::USERS_GIVE.of(lang)))
            }
        }
    }
}

fn open(visit: &Visit, member: &Member, keeps: bool) -> Markup {
    let lang = visit.lang();
    if member.sessions.is_empty() {
        return html! { p.foot.muted { (words::OPENED_NONE.of(lang)) } };
    }
    html! {
        (sessions::list(visit, &member.sessions, &|session| {
            if keeps { action(visit, member, "end", &html! { (kept("session", &session.id.to_string())) (button(Kind::Quiet, Some(Icon::Close), words::OPENED_END.of(lang))) }) } else { html! {} }
        }, keeps))
        @if keeps { div.foot { (action(visit, member, "end-all", &html! { (button(Kind::Danger, Some(Icon::Leave), words::OPENED_END_ALL.of(lang))) })) } }
    }
}

fn apps(visit: &Visit, id: PrincipalId, keeps: bool) -> Markup {
    let lang = visit.lang();
    let given = visit.people.as_ref().map(|people| people.given(id)).unwrap_or_default();
    if given.is_empty() {
        return html! { p.foot.muted { (words::OPENED_NO_APPS.of(lang)) } };
    }
    sessions::apps(
        visit,
        &given,
        &|app| {
            html! { @if keeps {
                form method="post" action={ "/admin/users/" (id) } { (hidden(visit)) (kept("do", "end-app")) (kept("app", &app.id)) (button(Kind::Quiet, Some(Icon::Close), words::OPENED_END.of(lang))) }
            } }
        },
        keeps,
    )
}

fn decided(visit: &Visit, member: &Member, names: &HashMap<String, (String, String)>) -> Markup {
    let lang = visit.lang();
    if member.certified.is_empty() {
        return empty(
            Icon::Shield,
            words::USERS_NOT_DECIDED.of(lang),
            words::USERS_NOT_DECIDED_WHY.of(lang),
            None,
        );
    }
    let rows: Vec<Vec<Markup>> = member
        .certified
        .iter()
        .rev()
        .take(50)
        .map(|one| {
            vec![
                unbroken(&days::moment(one.at, &visit.zone, lang)),
                html! { (role_name(&one.role, lang)) ": " (crate::pages::roles::done_word(one.done).of(lang)) },
                called(visit, names, &one.by),
                html! { (one.reason) },
            ]
        })
        .collect();
    let column = |word: Word| Column { label: word.of(lang), is_figure: false };
    let columns = [words::WHEN, words::DID, words::WHO, words::WHY].map(column);
    table(&Table { caption: words::USERS_DECIDED.of(lang), columns: &columns, rows: &rows })
}

fn about(
    visit: &Visit,
    member: &Member,
    since: Option<Millis>,
    sites: &HashMap<String, String>,
) -> Markup {
    let lang = visit.lang();
    let profile = &member.principal.profile;
    let none = || html! { span.muted { (words::KEEP_NONE.of(lang)) } };
    let list = |all: &[String]| {
        if all.is_empty() {
            none()
        } else {
            html! { (all.join(", ")) }
        }
    };
    let factors: Vec<String> = member
        .factors
        .iter()
        .map(|factor| match factor {
            FactorKind::Totp => words::USERS_TOTP.of(lang).to_owned(),
            FactorKind::Passkey => words::USERS_PASSKEY.of(lang).to_owned(),
            FactorKind::Recovery(left) => words::USERS_RECOVERY.with(lang, &left.to_string()),
            _ => words::USERS_OTHER_FACTOR.of(lang).to_owned(),
        })
        .collect();
    let password = match &member.password {
        None => none(),
        Some(state) => html! {
            (days::moment(state.set, &visit.zone, lang))
            @if state.must_change { " " span.muted { (words::USERS_MUST_CHANGE.of(lang)) } }
        },
    };
    let text =
        |text: &Option<String>| text.as_ref().map_or_else(none, |id| html! { span.mono { (id) } });
    html! {
        (facts(&[
            (words::USERS_SIGNED_IN.of(lang), when(visit, member.signed_in, not_seen(since.is_none()))),
            (words::USERS_USED.of(lang), html! { (when(visit, member.used, not_seen(since.is_none()))) @if is_stale(member, visit.now()) { " " (badge(Tone::Warning, Icon::Clock, words::USERS_STALE.of(lang))) } }),
            (words::USERS_SITE.of(lang), match profile.sites.is_empty() { true => none(), false => html! { (site_list(sites, &profile.sites)) } }),
            (words::USERS_CARE_TEAMS.of(lang), list(&profile.care_teams)),
            (words::USERS_FACTOR.of(lang), list(&factors)),
            (words::USERS_PASSWORD_SET.of(lang), password),
            (words::USERS_ISSUERS.of(lang), list(&member.issuers)),
            (words::USERS_PRACTITIONER.of(lang), text(&profile.practitioner)),
            (words::USERS_IS_PATIENT.of(lang), text(&profile.patient)),
            (words::USERS_MADE_AT.of(lang), when(visit, Some(member.principal.created), words::KEEP_NONE)),
        ]))
        @if let Some(since) = since { p.foot.muted { (words::USERS_KNOWN_SINCE.with(lang, &days::moment(since, &visit.zone, lang))) } }
        @if visit.session.may_read_whole_log() {
            p.foot { a href={ "/audit?who=" (member.principal.id) } { (words::USERS_LOG.of(lang)) } }
            p.foot { a href={ "/admin/access?of=" (member.principal.id) } { (words::SEES.of(lang)) } }
        }
    }
}

fn keep(visit: &Visit, member: &Member, wrong: Option<&Wrong>) -> Markup {
    let lang = visit.lang();
    let locks = visit.field("do") == "lock";
    let error = if locks { Wrong::on(wrong, "lock-reason") } else { String::new() };
    html! {
        div.stack.pad {
            @if member.principal.disabled.is_some() {
                (action(visit, member, "unlock", &html! { (button(Kind::Secondary, Some(Icon::Ok), words::USERS_UNLOCK.of(lang))) }))
            } @else {
                form.stack method="post" action={ "/admin/users/" (member.principal.id) } {
                    (hidden(visit)) (kept("do", "lock")) (kept("version", &member.principal.version.to_string()))
                    (field(&Field { id: "lock-reason", name: "reason", label: words::USERS_LOCK_WHY.of(lang), hint: words::USERS_LOCK_HINT.of(lang), error: &error, value: if locks { visit.field("reason") } else { "" }, is_disabled: false }))
                    div.row { (button(Kind::Danger, Some(Icon::Close), words::USERS_LOCK.of(lang))) }
                }
                @if member.principal.kind == identity::Kind::Person {
                    (action(visit, member, "password", &html! { (button(Kind::Secondary, Some(Icon::Key), words::USERS_NEW_FIRST.of(lang))) }))
                    p.muted { (words::USERS_NEW_FIRST_WHY.of(lang)) }
                }
                @if !member.factors.is_empty() {
                    (action(visit, member, "reset", &html! { (button(Kind::Danger, Some(Icon::Undo), words::USERS_RESET.of(lang))) }))
                    p.muted { (words::USERS_RESET_WHY.of(lang)) }
                }
            }
        }
    }
}

/// Does what a form of the page asks for.
pub(crate) fn change(visit: &Visit) -> Result<Answer, Fault> {
    let id = PrincipalId::parse(part(visit, 2)).filter(|_| visit.session.may_keep_people());
    let Some(id) = id else { return Ok(missing::page(visit)) };
    match act(visit, id) {
        Ok(Did::Go(answer)) => Ok(answer),
        Ok(Did::Drawn(secret)) => shown(visit, None, Some(&secret)),
        Err(fault) if fault.code() == &code::PRINCIPAL_NOT_FOUND => Ok(missing::page(visit)),
        Err(fault) => {
            let mut wrong = Wrong::of(visit, fault)?;
            // Each form has a field for its reason.
            match (visit.field("do"), wrong.field.as_str()) {
                ("lock", "reason") => "lock-reason".clone_into(&mut wrong.field),
                ("take", "reason") => wrong.field = format!("take-{}", visit.field("role")),
                ("grant", _) => {}
                _ => wrong.field.clear(),
            }
            shown(visit, Some(&wrong), None)
        }
    }
}

enum Did {
    Go(Answer),
    Drawn(Secret),
}

fn act(visit: &Visit, id: PrincipalId) -> Result<Did, Fault> {
    let here = |did: &str| Ok(Did::Go(Answer::go(format!("/admin/users/{id}?did={did}"))));
    let odd =
        |at: &str| Fault::at(&code::PARAMETER_INVALID, "use a button of the page", at.to_owned());
    let version = || visit.field("version").parse::<u64>().map_err(|_odd| odd("version"));
    let (role, reason, from) = (visit.field("role"), visit.field("reason"), source(visit));
    let keeper = || visit.session.keeper(Some(id), from);
    match visit.field("do") {
        does @ ("grant" | "take") => {
            visit.session.change_role((id, version()?), role, does == "grant", reason, from)?;
            here(&format!("{does}&role={role}"))
        }
        "lock" => {
            keeper()?.disable(id, version()?, reason)?;
            here("lock")
        }
        "unlock" => {
            keeper()?.enable(id, version()?)?;
            here("unlock")
        }
        "reset" => {
            need_version(visit, id, version()?)?;
            keeper()?.reset_factors(id)?;
            here("reset")
        }
        "password" => {
            need_version(visit, id, version()?)?;
            let identity = keeper()?;
            let drawn = identity.draw_password()?;
            identity.reset_password(id, &drawn)?;
            Ok(Did::Drawn(drawn))
        }
        "end" => {
            let session = SessionId::parse(visit.field("session")).ok_or_else(|| odd("session"))?;
            let identity = keeper()?;
            // A session of somebody else is not ended by a form about this one.
            if identity.sessions(id).iter().any(|one| one.id == session) {
                identity.revoke(session)?;
            }
            here("end")
        }
        "end-all" => {
            keeper()?.revoke_all(id)?;
            here("end")
        }
        "end-app" => {
            keeper()?;
            if let (Some(people), Some(by)) = (&visit.people, own_id(visit)) {
                people.end_given(by, id, visit.field("app"))?;
            }
            here("end")
        }
        _ => Err(odd("do")),
    }
}

/// Refuses a form of a page that shows somebody as they are no more.
fn need_version(visit: &Visit, id: PrincipalId, version: u64) -> Result<(), Fault> {
    let now = visit.session.keeper(Some(id), source(visit))?.principal(id)?.version;
    let say = "somebody else changed them since you read it";
    if now == version { Ok(()) } else { Err(Fault::new(&code::ITEM_CONFLICT, say)) }
}
