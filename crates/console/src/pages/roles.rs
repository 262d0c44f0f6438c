//! The review of access: every role that somebody has, when they were last there, when it was last decided
//! that they need it, by whom and why; and the decision (45 CFR 164.308(a)(3)(ii)(B), workforce clearance;
//! 164.308(a)(4)(ii)(C), review and modification). The evidence is a file for who audits the house.

use crate::answer::Answer;
use crate::days;
use crate::pages::keep::{Wrong, called, csv, kept, own_id, pick, source, told, when};
use crate::pages::missing;
use crate::pages::users::{is_stale, not_seen};
use crate::parts::{
    Column, Icon, Kind, Tab, Table, Tone, badge, button, empty, hidden, link_button, panel,
    role_name, shell, table, tabs, toast,
};
use crate::visit::Visit;
use crate::words::{self, Word};
use base::error::code;
use base::{Fault, Millis};
use identity::PrincipalId;
use maud::{Markup, html};
use record::{Certified, CertifyDone, Member, Members};

const DAY_MS: i64 = 86_400_000;
/// A decision is due anew after so many days: a year, as most houses review (45 CFR 164.308(a)(8)).
const DUE_DAYS: i64 = 365;
/// Rows of one page; who has more narrows it by a role.
const SHOWN_MAX: usize = 200;

/// One role of one person.
struct Held<'m> {
    member: &'m Member,
    role: &'m str,
    last: Option<&'m Certified>,
}

impl Held<'_> {
    fn is_due(&self, now: Millis) -> bool {
        let before = now.0.saturating_sub(DUE_DAYS * DAY_MS);
        self.last.is_none_or(|one| one.at.0 < before)
    }

    fn is_to_take(&self) -> bool {
        self.last.is_some_and(|one| one.done == CertifyDone::ToTake)
    }
}

/// What was decided, in words.
pub(crate) const fn done_word(done: CertifyDone) -> Word {
    match done {
        CertifyDone::Certified => words::ROLES_CERTIFIED,
        CertifyDone::ToTake => words::ROLES_TO_TAKE,
        CertifyDone::Given => words::ROLES_GIVEN,
        CertifyDone::Taken => words::ROLES_TAKEN,
    }
}

/// The pages about access, for who sees both.
pub(crate) fn head(visit: &Visit) -> Markup {
    let lang = visit.lang();
    if !visit.session.may_read_whole_log() {
        return html! {};
    }
    let tab = |word: Word, href: &str| Tab {
        label: word.of(lang),
        href: href.to_owned(),
        is_here: visit.path == href,
    };
    tabs(
        words::ROLES_PAGES.of(lang),
        &[tab(words::ROLES, "/admin/access/review"), tab(words::SEES, "/admin/access")],
    )
}

/// `/admin/access/review`
pub(crate) fn page(visit: &Visit) -> Result<Answer, Fault> {
    shown(visit, None)
}

fn shown(visit: &Visit, wrong: Option<&Wrong>) -> Result<Answer, Fault> {
    if !visit.session.may_see_people() {
        return Ok(missing::page(visit));
    }
    let lang = visit.lang();
    let now = visit.now();
    let members = visit.session.members()?.wait()?;
    let (role, state) = (asked(visit, "role"), asked(visit, "state"));
    let all = held(&members);
    let fits = |one: &&Held<'_>| {
        (role.is_empty() || one.role == role)
            && match state {
                "due" => one.is_due(now),
                "stale" => is_stale(one.member, now),
                "to-take" => one.is_to_take(),
                _ => true,
            }
    };
    let found: Vec<&Held<'_>> = all.iter().filter(fits).collect();
    let ids = found.iter().filter_map(|one| one.last).map(|one| one.by.clone());
    let names = visit.session.names_of(ids)?;
    let due = all.iter().filter(|one| one.is_due(now)).count();
    let count = words::counted(lang, words::ROLES_ONE, words::ROLES_MANY, found.len());
    let export = format!("/admin/access/export?role={role}&state={state}");
    let body = html! {
        div.head-row {
            h1 { (words::ROLES.of(lang)) }
            (link_button(Kind::Secondary, Some(Icon::Download), words::KEEP_CSV.of(lang), &export))
        }
        (head(visit))
        p.muted { (words::ROLES_WHY.of(lang)) }
        @if visit.parameter("did") == "1" { (toast(lang, words::ROLES_KEPT.of(lang), None)) }
        (told(visit, wrong, visit.session.may_certify()))
        (filters(visit, &all, role, state))
        (panel("held", &count, Some(&html! { span.muted { (words::ROLES_DUE_COUNT.with(lang, &due.to_string())) } }), &html! {
            @if found.is_empty() { (empty(Icon::Shield, words::ROLES_NONE.of(lang), words::ROLES_NONE_WHY.of(lang), None)) }
            @else { (list(visit, &found, &names, wrong, members.known_since.is_none())) }
            @if found.len() > SHOWN_MAX { p.foot.muted { (words::USERS_FIRST.with(lang, &SHOWN_MAX.to_string())) } }
            @if members.more { p.foot.muted { (words::USERS_PARTIAL.of(lang)) } }
            @if let Some(since) = members.known_since { p.foot.muted { (words::USERS_KNOWN_SINCE.with(lang, &days::moment(since, &visit.zone, lang))) } }
        }))
    };
    Ok(shell(visit, wrong.map_or(200, |wrong| wrong.status), words::ROLES.of(lang), &body))
}

fn asked<'v>(visit: &'v Visit, name: &str) -> &'v str {
    let sent = visit.field(match name {
        "role" => "of-role",
        _ => "of-state",
    });
    if sent.is_empty() { visit.parameter(name) } else { sent }
}

fn held(members: &Members) -> Vec<Held<'_>> {
    let mut all = Vec::new();
    for member in members.all.iter().filter(|member| member.principal.disabled.is_none()) {
        for role in &member.principal.profile.roles {
            let last = member.certified.iter().rev().find(|one| one.role == *role);
            all.push(Held { member, role, last });
        }
    }
    all
}

fn filters(visit: &Visit, all: &[Held<'_>], role: &str, state: &str) -> Markup {
    let lang = visit.lang();
    let mut roles: Vec<&str> = all.iter().map(|one| one.role).collect();
    roles.sort_unstable();
    roles.dedup();
    let any = |word: Word| (String::new(), word.of(lang).to_owned());
    let roles: Vec<_> = [any(words::USERS_ANY_ROLE)]
        .into_iter()
        .chain(roles.into_iter().map(|role| (role.to_owned(), role_name(role, lang).to_owned())))
        .collect();
    let said = |value: &str, word: Word| (value.to_owned(), word.of(lang).to_owned());
    let states = [
        any(words::ROLES_ALL),
        said("due", words::ROLES_DUE),
        said("stale", words::USERS_SEEN_LONG),
        said("to-take", words::ROLES_TO_TAKE),
    ];
    html! {
        form.filters.is-short method="get" action="/admin/access/review" {
            (pick("role", words::USERS_ROLE.of(lang), &roles, role, ""))
            (pick("state", words::STATE.of(lang), &states, state, ""))
            div.row { (button(Kind::Secondary, Some(Icon::Find), words::KEEP_NARROW.of(lang))) }
        }
    }
}

fn list(
    visit: &Visit,
    found: &[&Held<'_>],
    names: &std::collections::HashMap<String, (String, String)>,
    wrong: Option<&Wrong>,
    whole: bool,
) -> Markup {
    let lang = visit.lang();
    let now = visit.now();
    let decides = visit.session.may_certify();
    let own = own_id(visit);
    let rows: Vec<Vec<Markup>> = found
        .iter()
        .take(SHOWN_MAX)
        .map(|one| {
            let principal = &one.member.principal;
            let mut row = vec![
                html! { a href={ "/admin/users/" (principal.id) } { (principal.profile.display) } " " span.muted { (principal.profile.name) } },
                html! { (role_name(one.role, lang)) },
                html! { (when(visit, one.member.used, not_seen(whole))) @if is_stale(one.member, now) { " " (badge(Tone::Warning, Icon::Clock, words::USERS_STALE.of(lang))) } },
                last(visit, one, names),
            ];
            if decides {
                row.push(match own == Some(principal.id) {
                    true => html! { span.muted { (words::ROLES_OWN.of(lang)) } },
                    false => decision(visit, one, wrong),
                });
            }
            row
        })
        .collect();
    let column = |word: Word| Column { label: word.of(lang), is_figure: false };
    let mut columns = vec![
        column(words::NAME),
        column(words::USERS_ROLE),
        column(words::USERS_USED),
        column(words::USERS_REVIEWED),
    ];
    if decides {
        columns.push(column(words::ROLES_DECIDE));
    }
    table(&Table { caption: words::ROLES.of(lang), columns: &columns, rows: &rows })
}

fn last(
    visit: &Visit,
    one: &Held<'_>,
    names: &std::collections::HashMap<String, (String, String)>,
) -> Markup {
    let lang = visit.lang();
    html! {
        @match one.last {
            None => (badge(Tone::Warning, Icon::Clock, words::ROLES_NEVER.of(lang))),
            Some(last) => {
                @if one.is_to_take() { (badge(Tone::Critical, Icon::Warning, words::ROLES_TO_TAKE.of(lang))) }
                @else if one.is_due(visit.now()) { (badge(Tone::Warning, Icon::Clock, words::ROLES_DUE.of(lang))) }
                @else { (done_word(last.done).of(lang)) }
                " " span.muted { (days::moment(last.at, &visit.zone, lang)) " · " (called(visit, names, &last.by)) }
                div.muted { (last.reason) }
            }
        }
    }
}

fn decision(visit: &Visit, one: &Held<'_>, wrong: Option<&Wrong>) -> Markup {
    let lang = visit.lang();
    let who = one.member.principal.id.to_string();
    let id = format!("reason-{who}-{}", one.role);
    // What was typed for this row stays, when it was this one.
    let is_this = wrong.is_some() && visit.field("who") == who && visit.field("role") == one.role;
    let typed = if is_this { visit.field("reason") } else { "" };
    let takes =
        if visit.session.may_keep_people() { words::USERS_TAKE } else { words::ROLES_ASK_TAKE };
    html! {
        form.row method="post" action="/admin/access/review" {
            (hidden(visit)) (kept("who", &who)) (kept("role", one.role))
            (kept("known", &one.member.certified.len().to_string()))
            (kept("version", &one.member.principal.version.to_string()))
            (kept("of-role", asked(visit, "role"))) (kept("of-state", asked(visit, "state")))
            label.unseen for=(id) { (words::USERS_REASON.of(lang)) }
            input.reason type="text" id=(id) name="reason" value=(typed) maxlength="500" required autocomplete="off" placeholder=(words::USERS_REASON.of(lang)) aria-invalid=[is_this.then_some("true")];
            button.button.is-quiet type="submit" name="do" value="certify" { (words::ROLES_CERTIFY.of(lang)) }
            button.button.is-quiet type="submit" name="do" value="take" { (takes.of(lang)) }
        }
    }
}

/// Keeps a decision. An administrator who decides that a role goes takes it; another asks for it.
pub(crate) fn decide(visit: &Visit) -> Result<Answer, Fault> {
    if !visit.session.may_certify() {
        return Ok(missing::page(visit));
    }
    match decided(visit) {
        Ok(()) => {
            let (role, state) = (asked(visit, "role"), asked(visit, "state"));
            Ok(Answer::go(format!("/admin/access/review?did=1&role={role}&state={state}")))
        }
        Err(fault) => {
            // There is a field for each row; what is wrong is told at the head.
            let mut wrong = Wrong::of(visit, fault)?;
            wrong.field.clear();
            shown(visit, Some(&wrong))
        }
    }
}

fn decided(visit: &Visit) -> Result<(), Fault> {
    let odd =
        |at: &str| Fault::at(&code::PARAMETER_INVALID, "use a button of the page", at.to_owned());
    let who = PrincipalId::parse(visit.field("who")).ok_or_else(|| odd("who"))?;
    let known: usize = visit.field("known").parse().map_err(|_odd| odd("known"))?;
    let version: u64 = visit.field("version").parse().map_err(|_odd| odd("version"))?;
    let (role, reason) = (visit.field("role"), visit.field("reason"));
    match visit.field("do") {
        "certify" => visit.session.certify(who, known, role, CertifyDone::Certified, reason),
        "take" if visit.session.may_keep_people() => {
            visit.session.change_role((who, version), role, false, reason, source(visit)).map(drop)
        }
        "take" => visit.session.certify(who, known, role, CertifyDone::ToTake, reason),
        _ => Err(odd("do")),
    }
}

/// `/admin/access/export`: what the page shows, and every decision behind it.
pub(crate) fn export(visit: &Visit) -> Result<Answer, Fault> {
    if !visit.session.may_see_people() {
        return Ok(missing::page(visit));
    }
    let now = visit.now();
    let members = visit.session.members()?.wait()?;
    let (role, state) = (visit.parameter("role"), visit.parameter("state"));
    let ids = members.all.iter().flat_map(|one| &one.certified).map(|one| one.by.clone());
    let names = visit.session.names_of(ids)?;
    let head = [
        "sign_in_name",
        "display",
        "role",
        "last_used",
        "is_stale",
        "decided",
        "decision",
        "by",
        "reason",
    ];
    let mut rows: Vec<Vec<String>> = vec![head.map(str::to_owned).to_vec()];
    for one in held(&members) {
        let fits = (role.is_empty() || one.role == role)
            && match state {
                "due" => one.is_due(now),
                "stale" => is_stale(one.member, now),
                "to-take" => one.is_to_take(),
                _ => true,
            };
        if !fits {
            continue;
        }
        let profile = &one.member.principal.profile;
        let used = one.member.used.map(|at| at.to_instant()).unwrap_or_default();
        let stale = is_stale(one.member, now).to_string();
        let head = || {
            vec![
                profile.name.clone(),
                profile.display.clone(),
                one.role.to_owned(),
                used.clone(),
                stale.clone(),
            ]
        };
        let decisions: Vec<_> =
            one.member.certified.iter().filter(|c| c.role == one.role).collect();
        if decisions.is_empty() {
            rows.push(head().into_iter().chain((0..4).map(|_| String::new())).collect());
        }
        for decision in decisions {
            let by = names.get(&decision.by).map_or(&decision.by, |(_, name)| name).clone();
            let told = [
                decision.at.to_instant(),
                decision.done.name().to_owned(),
                by,
                decision.reason.clone(),
            ];
            rows.push(head().into_iter().chain(told).collect());
        }
    }
    Ok(csv("access-review.csv", &rows))
}
