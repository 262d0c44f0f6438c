//! Who may sign in: everybody in a list that is narrowed by what is known of them, and the making of a new
//! person (45 CFR 164.308(a)(3)(ii), authorization, clearance and termination of the workforce). A name
//! that was typed goes in the body of a POST, so none stands in an address.

mod one;

pub(crate) use one::{change, one};

use crate::answer::Answer;
use crate::days;
use crate::pages::keep::{
    Wrong, kept, organizations, pick, practitioners, site_list, sites_of, source, told, when,
};
use crate::pages::missing;
use crate::parts::{
    Column, Field, Icon, Kind, Table, Tone, badge, button, copyable, empty, error_summary, field,
    hidden, icon, link_button, notice, panel, role_name, shell, table,
};
use crate::visit::Visit;
use crate::words::{self, Lang, Word};
use base::{Fault, Millis};
use identity::{FactorKind, Kind as Of, Profile, Standing};
use maud::{Markup, html};
use record::Member;
use std::collections::HashMap;

/// People of one page; who looks for one of thousands types a part of the name.
const SHOWN_MAX: usize = 100;
const DAY_MS: i64 = 86_400_000;
/// After so many days without a use somebody is said to be unused.
pub(crate) const STALE_DAYS: i64 = 90;

/// What the list is narrowed by, as the form or the address names it.
#[derive(Debug, Default)]
struct Asked {
    typed: String,
    role: String,
    site: String,
    state: String,
    factor: String,
    seen: String,
    /// The page of the list, from 0.
    page: usize,
}

impl Asked {
    fn of(visit: &Visit) -> Self {
        let one = |name: &str| {
            let typed = visit.field(name);
            if typed.is_empty() { visit.parameter(name) } else { typed }.trim().to_owned()
        };
        Self {
            // What was typed is taken from a form alone.
            typed: visit.field("q").trim().to_owned(),
            role: one("role"),
            site: one("site"),
            state: one("state"),
            factor: one("factor"),
            seen: one("seen"),
            page: one("page").parse().unwrap_or(0),
        }
    }

    fn fits(&self, one: &Member, now: Millis) -> bool {
        let profile = &one.principal.profile;
        let typed = search::fold::fold(&self.typed);
        let named = || {
            let words = format!("{} {}", profile.display, profile.name);
            let words = search::fold::fold(&words);
            typed.split(' ').all(|part| words.contains(part))
        };
        let has = |list: &[String], wanted: &str| list.iter().any(|own| own == wanted);
        (typed.is_empty() || named())
            && (self.role.is_empty() || has(&profile.roles, &self.role))
            && (self.site.is_empty() || has(&profile.sites, &self.site))
            && (self.state.is_empty() || state_of(one) == self.state)
            && match self.factor.as_str() {
                "held" => has_factor(one),
                "none" => !has_factor(one) && one.principal.kind == Of::Person,
                "missing" => matches!(one.standing, Standing::Missing | Standing::MissingFrom(_)),
                _ => true,
            }
            && match self.seen.as_str() {
                "unused" => is_stale(one, now),
                "week" => one.used.is_some_and(|at| at.0 >= now.0.saturating_sub(7 * DAY_MS)),
                _ => true,
            }
    }
}

/// Whether somebody has a second factor.
pub(crate) fn has_factor(one: &Member) -> bool {
    one.factors.iter().any(|factor| !matches!(factor, FactorKind::Recovery(_)))
}

/// Whether somebody was not there for long, and could have been.
pub(crate) fn is_stale(one: &Member, now: Millis) -> bool {
    let before = now.0.saturating_sub(STALE_DAYS * DAY_MS);
    one.principal.created.0 < before && one.used.is_none_or(|at| at.0 < before)
}

/// How somebody stands: a word of the form.
pub(crate) fn state_of(one: &Member) -> &'static str {
    match (&one.principal.disabled, one.principal.kind, &one.password) {
        (Some(_), ..) => "locked",
        (None, Of::Person, Some(state)) if state.must_change => "invited",
        (None, Of::Person, None) if one.issuers.is_empty() => "no-password",
        (None, Of::Person, _) => "active",
        _ => "program",
    }
}

fn state_word(state: &str) -> Word {
    match state {
        "locked" => words::USERS_LOCKED,
        "invited" => words::USERS_INVITED,
        "no-password" => words::USERS_NO_PASSWORD,
        "program" => words::USERS_PROGRAM,
        _ => words::USERS_ACTIVE,
    }
}

/// How somebody stands, as a badge.
pub(crate) fn state_badge(one: &Member, lang: Lang) -> Markup {
    let state = state_of(one);
    let (tone, which) = match state {
        "locked" => (Tone::Critical, Icon::Close),
        "invited" => (Tone::Accent, Icon::Mail),
        "no-password" => (Tone::Warning, Icon::Warning),
        "program" => (Tone::Neutral, Icon::Apps),
        _ => (Tone::Ok, Icon::Ok),
    };
    badge(tone, which, state_word(state).of(lang))
}

/// How somebody proves who they are, as a badge.
pub(crate) fn factor_badge(one: &Member, lang: Lang) -> Markup {
    match one.standing {
        Standing::Missing | Standing::MissingFrom(_) => {
            badge(Tone::Warning, Icon::Warning, words::USERS_FACTOR_MISSING.of(lang))
        }
        _ if has_factor(one) => badge(Tone::Ok, Icon::Key, words::USERS_FACTOR_HELD.of(lang)),
        Standing::ByIssuer => badge(Tone::Ok, Icon::Key, words::USERS_FACTOR_ISSUER.of(lang)),
        _ if one.principal.kind != Of::Person => html! {},
        _ => html! { span.muted { (words::USERS_FACTOR_NONE.of(lang)) } },
    }
}

/// `/admin/users`
pub(crate) fn page(visit: &Visit) -> Result<Answer, Fault> {
    if !visit.session.may_see_people() {
        return Ok(missing::page(visit));
    }
    let lang = visit.lang();
    let now = visit.now();
    let asked = Asked::of(visit);
    let members = visit.session.members()?.wait()?;
    let found: Vec<&Member> = members.all.iter().filter(|one| asked.fits(one, now)).collect();
    let mut sites: Vec<&String> =
        members.all.iter().flat_map(|one| &one.principal.profile.sites).collect();
    sites.sort();
    sites.dedup();
    let names = sites_of(visit, sites.iter().copied())?;
    let whole = members.known_since.is_none();
    // A page behind the last, of a list that has become shorter, is the last.
    let at = asked.page.min(found.len().saturating_sub(1) / SHOWN_MAX);
    let shown = found.iter().skip(at * SHOWN_MAX).take(SHOWN_MAX);
    let count = words::counted(lang, words::USERS_ONE, words::USERS_MANY, found.len());
    let keeps = visit.session.may_keep_people();
    let body = html! {
        div.head-row {
            h1 { (words::USERS.of(lang)) }
            @if keeps { (link_button(Kind::Primary, Some(Icon::Plus), words::USERS_NEW.of(lang), "/admin/users/new")) }
        }
        (filters(visit, &asked, &sites, &names))
        (panel("people", &count, None, &html! {
            @if found.is_empty() {
                (empty(Icon::People, words::USERS_NONE.of(lang), words::USERS_NONE_WHY.of(lang), None))
            } @else {
                (list(visit, shown, &names, whole))
            }
            @if found.len() > SHOWN_MAX { (leaves(visit, &asked, at, found.len())) }
            @if members.more { p.foot.muted { (words::USERS_PARTIAL.of(lang)) } }
            @if let Some(since) = members.known_since {
                p.foot.muted { (words::USERS_KNOWN_SINCE.with(lang, &days::moment(since, &visit.zone, lang))) }
            }
        }))
    };
    Ok(shell(visit, 200, words::USERS.of(lang), &body))
}

/// The way through the pages of a long list. By forms, since what was typed stands in no address.
fn leaves(visit: &Visit, asked: &Asked, at: usize, count: usize) -> Markup {
    let lang = visit.lang();
    let (first, last) = (at * SHOWN_MAX + 1, count.min((at + 1) * SHOWN_MAX));
    let said = words::USERS_SHOWN.with(lang, &first.to_string());
    let said = said.replacen("{}", &last.to_string(), 1).replacen("{}", &count.to_string(), 1);
    let step = |page: Option<usize>, which: Icon, word: Word| {
        html! {
            @if let Some(page) = page {
                form method="post" action="/admin/users" {
                    (hidden(visit))
                    (kept("q", &asked.typed)) (kept("role", &asked.role)) (kept("site", &asked.site))
                    (kept("state", &asked.state)) (kept("factor", &asked.factor)) (kept("seen", &asked.seen))
                    (kept("page", &page.to_string()))
                    (button(Kind::Secondary, Some(which), word.of(lang)))
                }
            }
        }
    };
    html! {
        nav.pages.foot aria-label=(words::PAGES.of(lang)) {
            (step(at.checked_sub(1), Icon::Back, words::PAGE_BEFORE))
            span.muted { (said) }
            (step((last < count).then_some(at + 1), Icon::Onward, words::PAGE_AFTER))
        }
    }
}

fn filters(
    visit: &Visit,
    asked: &Asked,
    sites: &[&String],
    names: &HashMap<String, String>,
) -> Markup {
    let lang = visit.lang();
    let any = |word: Word| (String::new(), word.of(lang).to_owned());
    let said = |all: &[(&str, Word)], first: Word| -> Vec<(String, String)> {
        let rest = all.iter().map(|(value, word)| ((*value).to_owned(), word.of(lang).to_owned()));
        [any(first)].into_iter().chain(rest).collect()
    };
    let role = |role: String| (role.clone(), role_name(&role, lang).to_owned());
    let roles: Vec<_> = [any(words::USERS_ANY_ROLE)]
        .into_iter()
        .chain(visit.session.roles().into_iter().map(role))
        .collect();
    let site = |site: &&String| ((*site).clone(), names.get(*site).unwrap_or(site).clone());
    let sites: Vec<_> =
        [any(words::USERS_ANY_SITE)].into_iter().chain(sites.iter().map(site)).collect();
    let states = ["active", "invited", "no-password", "locked", "program"];
    let states = said(&states.map(|state| (state, state_word(state))), words::USERS_ANY_STATE);
    let factors = [
        ("held", words::USERS_FACTOR_HELD),
        ("none", words::USERS_FACTOR_NONE),
        ("missing", words::USERS_FACTOR_MISSING),
    ];
    let seen = [("week", words::USERS_SEEN_WEEK), ("unused", words::USERS_SEEN_LONG)];
    html! {
        form.filters method="post" action="/admin/users" {
            (hidden(visit))
            (field(&Field { id: "q", name: "q", label: words::USERS_NAME.of(lang), value: &asked.typed, ..Field::default() }))
            (pick("role", words::USERS_ROLE.of(lang), &roles, &asked.role, ""))
            @if sites.len() > 2 { (pick("site", words::USERS_SITE.of(lang), &sites, &asked.site, "")) }
            (pick("state", words::STATE.of(lang), &states, &asked.state, ""))
            (pick("factor", words::USERS_FACTOR.of(lang), &said(&factors, words::USERS_ANY_FACTOR), &asked.factor, ""))
            (pick("seen", words::USERS_USED.of(lang), &said(&seen, words::USERS_ANY_USE), &asked.seen, ""))
            div.row {
                (button(Kind::Secondary, Some(Icon::Find), words::KEEP_NARROW.of(lang)))
                a.button.is-quiet href="/admin/users" { (words::KEEP_ALL.of(lang)) }
            }
        }
    }
}

/// The word for what has no last use: never, where the whole log was looked through.
pub(crate) const fn not_seen(whole: bool) -> Word {
    if whole { words::USERS_NEVER } else { words::USERS_NOT_SEEN }
}

fn list<'m>(
    visit: &Visit,
    found: impl Iterator<Item = &'m &'m Member>,
    names: &HashMap<String, String>,
    whole: bool,
) -> Markup {
    let lang = visit.lang();
    let now = visit.now();
    let rows: Vec<Vec<Markup>> = found
        .map(|one| {
            let profile = &one.principal.profile;
            let roles: Vec<&str> =
                profile.roles.iter().map(|role| role_name(role, lang)).collect();
            vec![
                html! { a href={ "/admin/users/" (one.principal.id) } { (profile.display) } " " span.muted { (profile.name) } },
                html! { @if roles.is_empty() { span.muted { (words::USERS_NO_ROLE.of(lang)) } } @else { (roles.join(", ")) } },
                html! { (site_list(names, &profile.sites)) },
                state_badge(one, lang),
                factor_badge(one, lang),
                html! { (when(visit, one.signed_in, not_seen(whole))) },
                html! { (when(visit, one.used, not_seen(whole))) @if is_stale(one, now) { " " (badge(Tone::Warning, Icon::Clock, words::USERS_STALE.of(lang))) } },
            ]
        })
        .collect();
    let column = |word: Word| Column { label: word.of(lang), is_figure: false };
    let columns = [
        column(words::NAME),
        column(words::USERS_ROLES),
        column(words::USERS_SITE),
        column(words::STATE),
        column(words::USERS_FACTOR),
        column(words::USERS_SIGNED_IN),
        column(words::USERS_USED),
    ];
    table(&Table { caption: words::USERS.of(lang), columns: &columns, rows: &rows })
}

/// `/admin/users/new`
pub(crate) fn new(visit: &Visit) -> Result<Answer, Fault> {
    if !visit.session.may_keep_people() {
        return Ok(missing::page(visit));
    }
    form(visit, None)
}

fn form(visit: &Visit, wrong: Option<&Wrong>) -> Result<Answer, Fault> {
    let lang = visit.lang();
    let errors = |field: &str| Wrong::on(wrong, field);
    let (name, display, role) = (errors("name"), errors("display"), errors("role"));
    let role_of = |role: String| (role.clone(), role_name(&role, lang).to_owned());
    let none = (String::new(), words::USERS_NO_ROLE.of(lang).to_owned());
    let roles: Vec<_> =
        [none].into_iter().chain(visit.session.roles().into_iter().map(role_of)).collect();
    let (in_form, elsewhere) = match wrong {
        Some(wrong) if !wrong.field.is_empty() => (Some(wrong), None),
        other => (None, other),
    };
    let body = html! {
        h1 { (words::USERS_NEW.of(lang)) }
        @if let Some(wrong) = in_form { (error_summary(lang, &[(wrong.field.as_str(), wrong.say.as_str())])) }
        (told(visit, elsewhere, true))
        div.narrow { (panel("new", words::USERS_NEW_WHO.of(lang), None, &html! {
            form.stack method="post" action="/admin/users/new" {
                (hidden(visit))
                (field(&Field { id: "display", name: "display", label: words::USERS_DISPLAY.of(lang), hint: words::USERS_DISPLAY_HINT.of(lang), error: &display, value: visit.field("display"), is_disabled: false }))
                (field(&Field { id: "name", name: "name", label: words::USERS_SIGN_IN_NAME.of(lang), hint: words::USERS_SIGN_IN_HINT.of(lang), error: &name, value: visit.field("name"), is_disabled: false }))
                (pick("role", words::USERS_ROLE.of(lang), &roles, visit.field("role"), &role))
                (listed(visit, "site", (words::USERS_SITE, words::USERS_SITE_HINT), &errors("site"), &organizations(visit)?))
                (listed(visit, "practitioner", (words::USERS_PRACTITIONER, words::USERS_PRACTITIONER_HINT), &errors("practitioner"), &practitioners(visit)?))
                p.muted { (words::USERS_NEW_PASSWORD.of(lang)) }
                div.row {
                    (button(Kind::Primary, Some(Icon::Plus), words::USERS_MAKE.of(lang)))
                    a.button.is-quiet href="/admin/users" { (words::KEEP_BACK.of(lang)) }
                }
            }
        })) }
    };
    let status = wrong.map_or(200, |wrong| wrong.status);
    Ok(shell(visit, status, words::USERS_NEW.of(lang), &body))
}

/// A record that somebody is tied to: those there are are offered by name, and any id may be typed.
fn listed(
    visit: &Visit,
    name: &str,
    (label, hint): (Word, Word),
    error: &str,
    all: &[(String, String)],
) -> Markup {
    let lang = visit.lang();
    let (hint_id, error_id, list) =
        (format!("{name}-hint"), format!("{name}-error"), format!("{name}-list"));
    let is_wrong = !error.is_empty();
    let described = if is_wrong { format!("{hint_id} {error_id}") } else { hint_id.clone() };
    html! {
        div.field.is-wrong[is_wrong] {
            label for=(name) { (label.of(lang)) }
            p.hint id=(hint_id) { (hint.of(lang)) }
            @if is_wrong { p.error id=(error_id) { (icon(Icon::Critical)) span { (error) } } }
            input type="text" id=(name) name=(name) value=(visit.field(name)) list=(list)
                autocomplete="off" spellcheck="false" aria-describedby=(described)
                aria-invalid=[is_wrong.then_some("true")];
            datalist id=(list) { @for (id, name) in all { option value=(id) label=(name) { (name) } } }
        }
    }
}

/// Makes a person with a first password, which is shown this once. Sent twice, the name is taken.
pub(crate) fn create(visit: &Visit) -> Result<Answer, Fault> {
    if !visit.session.may_keep_people() {
        return Ok(missing::page(visit));
    }
    let role = visit.field("role");
    let some = |text: &str| Some(text.trim().to_owned()).filter(|text| !text.is_empty());
    let made = || {
        if !role.is_empty() && !visit.session.roles().iter().any(|one| one == role) {
            let say = "there is no such role";
            return Err(Fault::at(&base::error::code::PARAMETER_INVALID, say, "role"));
        }
        let identity = visit.session.keeper(None, source(visit))?;
        let profile = Profile {
            name: visit.field("name").trim().to_owned(),
            display: visit.field("display").trim().to_owned(),
            roles: some(role).into_iter().collect(),
            sites: some(visit.field("site")).into_iter().collect(),
            practitioner: some(visit.field("practitioner")),
            ..Profile::default()
        };
        let drawn = identity.draw_password()?;
        identity.create_person(profile, &drawn, true).map(|one| (one, drawn))
    };
    match made() {
        Ok((one, drawn)) => {
            let lang = visit.lang();
            let body = html! {
                h1 { (words::USERS_MADE.of(lang)) }
                div.narrow { (first_password(visit, &one.profile.name, drawn.expose())) }
                div.row { (link_button(Kind::Primary, Some(Icon::Onward), words::USERS_GO_ONE.of(lang), &format!("/admin/users/{}", one.id))) }
            };
            Ok(shell(visit, 200, words::USERS_MADE.of(lang), &body))
        }
        Err(fault) => form(visit, Some(&Wrong::of(visit, fault)?)),
    }
}

/// A password that was drawn, shown this once.
fn first_password(visit: &Visit, name: &str, drawn: &str) -> Markup {
    let lang = visit.lang();
    notice(
        Tone::Ok,
        words::USERS_FIRST_PASSWORD.of(lang),
        &html! {
            dl.facts {
                div { dt { (words::USERS_SIGN_IN_NAME.of(lang)) } dd { (copyable(lang, name)) } }
                div { dt { (words::USERS_PASSWORD.of(lang)) } dd.mono { (copyable(lang, drawn)) } }
            }
            p { (words::USERS_FIRST_PASSWORD_WHY.of(lang)) }
        },
    )
}
