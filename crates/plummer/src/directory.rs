//! What the commands about who may sign in do, upon the one `Identity`: in the server that holds the
//! data folder, or in the command itself when none does. Whoever owns the folder may do all of it
//! (45 CFR 164.308(a)(3), workforce security), and the access log names them the operator.

use crate::opening;
use crate::wish::{Ending, Given, Hidden, Open, Shown, ShownPasskey, Sort, Told, Wanted, Wish};
use base::error::code;
use base::id::uuid_v7;
use base::time::SystemClock;
use base::{Clock as _, Fault, Millis};
use identity::{
    Asker, By, FactorKind, Identity, Kind, PasskeyId, Principal, PrincipalId, Profile, Session,
    SessionId, SessionKind, Standing,
};
use record::Record;
use std::net::{IpAddr, Ipv4Addr};

/// The console of the machine.
const HERE: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);
/// Said of a person whose role demands a second factor that they do not have.
pub(crate) const MISSING: &str = "missing";
/// Principals read at once.
const PAGE: usize = 1000;

/// The kinds of principals, as commands name them.
const KINDS: [(&str, Kind); 5] = [
    ("person", Kind::Person),
    ("service", Kind::Service),
    ("device", Kind::Device),
    ("agent", Kind::Agent),
    ("app", Kind::App),
];

/// Identity, asked by whoever owns the data folder.
pub(crate) fn operator(record: &Record) -> Identity {
    let request = uuid_v7(SystemClock.now(), &mut opening::random());
    record.identity().asked_by(Asker { by: By::Operator, request, source: None })
}

/// Does what is wished, in the name of whoever owns the data folder.
pub(crate) fn carry_out(record: &Record, wish: Wish) -> Result<Told, Fault> {
    let identity = &operator(record);
    match wish {
        Wish::Backup { .. }
        | Wish::LogRead { .. }
        | Wish::LogAnchor
        | Wish::Labels { .. }
        | Wish::Reminders
        | Wish::Review { .. }
        | Wish::Apps
        | Wish::ShowApp { .. }
        | Wish::AddApp { .. }
        | Wish::RenewApp { .. }
        | Wish::DisableApp { .. }
        | Wish::EnableApp { .. }
        | Wish::Delegate { .. }
        | Wish::Delegations { .. }
        | Wish::EndDelegation { .. }
        | Wish::PolicyStanding
        | Wish::PolicyReload
        | Wish::PolicyWhy { .. }
        | Wish::PolicySimulate { .. } => {
            Err(Fault::new(&code::INTERNAL, "this wish is not about who may sign in"))
        }
        Wish::List { sort } => {
            let all = each(identity, |one| sort.holds(one))?;
            let shown: Result<_, Fault> = all.iter().map(|one| show(identity, one)).collect();
            Ok(Told::Many(shown?))
        }
        Wish::Show { sort, name } => told(identity, &find(identity, sort, &name)?),
        Wish::Add { profile, password } => add(identity, *profile, password),
        Wish::Roles { name, grant, revoke } => roles(identity, &name, grant, &revoke),
        Wish::Disable { sort, name, reason } => {
            let one = find(identity, sort, &name)?;
            told(identity, &identity.disable(one.id, one.version, &reason)?)
        }
        Wish::Enable { sort, name } => {
            let one = find(identity, sort, &name)?;
            told(identity, &identity.enable(one.id, one.version)?)
        }
        Wish::Password { name, password } => {
            let one = find(identity, Sort::Person, &name)?;
            let drawn = set_password(identity, one.id, password)?;
            Ok(Told::One(Box::new(Shown { drawn, ..show(identity, &one)? })))
        }
        Wish::ResetFactors { name } => {
            let one = find(identity, Sort::Person, &name)?;
            identity.reset_factors(one.id)?;
            told(identity, &one)
        }
        Wish::Unlink { name } => {
            let one = find(identity, Sort::Person, &name)?;
            identity.unlink(one.id)?;
            told(identity, &one)
        }
        Wish::Passkeys { name, remove } => passkeys(identity, &name, remove.as_deref()),
        Wish::Sessions { sort, name, end } => sessions(identity, sort, &name, end),
        Wish::Issue { name, ttl_ms, note } => {
            let one = find(identity, Sort::Any, &name)?;
            let opened = identity.issue(one.id, ttl_ms, &note)?;
            let open = open(&one, &opened.session);
            Ok(Told::Issued { token: Hidden(opened.token.text()), open })
        }
        Wish::Tokens { name } => {
            let whose = match name {
                Some(name) => vec![find(identity, Sort::Any, &name)?],
                None => each(identity, |_| true)?,
            };
            let tokens = whose.iter().flat_map(|one| {
                let open_ones = identity.sessions(one.id).into_iter();
                open_ones.filter(|s| s.kind == SessionKind::Script).map(|s| open(one, &s))
            });
            Ok(Told::Sessions(tokens.collect()))
        }
        Wish::Revoke { token } => match identity.revoke(session_id(&token)?)? {
            true => Ok(Told::Ended(1)),
            false => Err(no_such_session()),
        },
        Wish::DrawClaim => Ok(Told::Code(identity.make_claim()?.map(Hidden))),
        Wish::Claim { code, name, display, password } => {
            let profile = Profile { name, display, ..Profile::default() };
            let made = identity.claim(&code.0, profile, &password.0, HERE)?;
            told(identity, &made)
        }
    }
}

impl Sort {
    fn holds(self, one: &Principal) -> bool {
        match self {
            Self::Person => one.kind == Kind::Person,
            Self::Program => one.kind != Kind::Person,
            Self::Any => true,
        }
    }
}

/// All principals of a kind, the one made first first.
fn each(identity: &Identity, wanted: impl Fn(&Principal) -> bool) -> Result<Vec<Principal>, Fault> {
    let mut all = Vec::new();
    let mut after = None;
    loop {
        let page = identity.list(after, PAGE)?;
        let Some(last) = page.last() else { return Ok(all) };
        after = Some(last.id);
        all.extend(page.into_iter().filter(|one| wanted(one)));
    }
}

pub(crate) fn find(identity: &Identity, sort: Sort, name: &str) -> Result<Principal, Fault> {
    let say = match identity.find_by_name(name)? {
        Some(one) if sort.holds(&one) => return Ok(one),
        Some(_) if sort == Sort::Person => "This is no person; `plummer client list` shows it.",
        Some(_) => "This is a person; `plummer user list` shows them.",
        None => {
            "Nobody has this name; `plummer user list` and `plummer client list` show who there is."
        }
    };
    Err(Fault::new(&code::PRINCIPAL_NOT_FOUND, say))
}

fn add(identity: &Identity, wanted: Wanted, password: Option<Given>) -> Result<Told, Fault> {
    let Some((_, kind)) = KINDS.iter().find(|(name, _)| *name == wanted.kind) else {
        return Err(Fault::at(&code::PARAMETER_INVALID, "There is no such kind.", "kind"));
    };
    let profile = Profile {
        name: wanted.name,
        display: wanted.display,
        roles: wanted.roles,
        sites: wanted.sites,
        care_teams: wanted.care_teams,
        practitioner: wanted.practitioner,
        patient: wanted.patient,
        represents: wanted.represents,
    };
    let (one, drawn) = match password {
        Some(Given { text: Some(text), permanent }) if *kind == Kind::Person => {
            (identity.create_person(profile, &text.0, !permanent)?, None)
        }
        Some(Given { text: None, permanent }) if *kind == Kind::Person => {
            let drawn = identity.draw_password()?;
            (identity.create_person(profile, &drawn, !permanent)?, Some(Hidden(drawn)))
        }
        _ => (identity.create(*kind, profile)?, None),
    };
    Ok(Told::One(Box::new(Shown { drawn, ..show(identity, &one)? })))
}

/// Sets a password; the one that was drawn, if none was given.
fn set_password(
    identity: &Identity,
    id: PrincipalId,
    given: Given,
) -> Result<Option<Hidden>, Fault> {
    let set = |password: &identity::Secret| match given.permanent {
        true => identity.set_password(id, password, None),
        false => identity.reset_password(id, password),
    };
    match given.text {
        Some(text) => set(&text.0).map(|()| None),
        None => {
            let drawn = identity.draw_password()?;
            set(&drawn).map(|()| Some(Hidden(drawn)))
        }
    }
}

fn roles(
    identity: &Identity,
    name: &str,
    grant: Vec<String>,
    revoke: &[String],
) -> Result<Told, Fault> {
    let one = find(identity, Sort::Any, name)?;
    let mut profile = one.profile.clone();
    if let Some(missing) = revoke.iter().find(|role| !profile.roles.contains(role)) {
        let say = format!("They do not have the role {missing}, so nothing was changed.");
        return Err(Fault::at(&code::PARAMETER_INVALID, say, "role"));
    }
    profile.roles.retain(|role| !revoke.contains(role));
    for role in grant {
        if !profile.roles.contains(&role) {
            profile.roles.push(role);
        }
    }
    told(identity, &identity.change(one.id, one.version, profile)?)
}

fn sessions(
    identity: &Identity,
    sort: Sort,
    name: &str,
    end: Option<Ending>,
) -> Result<Told, Fault> {
    let one = find(identity, sort, name)?;
    match end {
        None => {
            let open_ones = identity.sessions(one.id);
            Ok(Told::Sessions(open_ones.iter().map(|session| open(&one, session)).collect()))
        }
        Some(Ending::All) => identity.revoke_all(one.id).map(Told::Ended),
        Some(Ending::One(text)) => {
            let id = session_id(&text)?;
            // A session of somebody else is not ended by a slip of the hand.
            if !identity.sessions(one.id).iter().any(|session| session.id == id) {
                return Err(no_such_session());
            }
            identity.revoke(id).map(|_| Told::Ended(1))
        }
    }
}

fn passkeys(identity: &Identity, name: &str, remove: Option<&str>) -> Result<Told, Fault> {
    let one = find(identity, Sort::Person, name)?;
    if let Some(text) = remove {
        let which = PasskeyId::parse(text).ok_or_else(|| {
            let say = "There is no such passkey; `plummer user passkeys` names them.";
            Fault::at(&code::PARAMETER_INVALID, say, "passkey")
        })?;
        identity.remove_passkey_of(one.id, which)?;
    }
    let shown = identity.passkeys(one.id)?.into_iter().map(|passkey| ShownPasskey {
        id: passkey.id.to_string(),
        name: passkey.name,
        host: passkey.party,
        since: passkey.since.to_instant(),
        used: passkey.used.map_or_else(|| "never".to_owned(), |at| at.to_instant()),
    });
    Ok(Told::Passkeys(shown.collect()))
}

fn session_id(text: &str) -> Result<SessionId, Fault> {
    SessionId::parse(text).ok_or_else(no_such_session)
}

fn no_such_session() -> Fault {
    let say = "There is no such session or token; `plummer token list` and `plummer user sessions` name them.";
    Fault::at(&code::PARAMETER_INVALID, say, "session")
}

fn told(identity: &Identity, one: &Principal) -> Result<Told, Fault> {
    Ok(Told::One(Box::new(show(identity, one)?)))
}

fn show(identity: &Identity, one: &Principal) -> Result<Shown, Fault> {
    let (sessions, tokens): (Vec<Session>, Vec<Session>) =
        identity.sessions(one.id).into_iter().partition(|s| s.kind == SessionKind::SignIn);
    let password = match identity.password_state(one.id)? {
        None => "none",
        Some(state) if state.must_change => "to be changed",
        Some(_) => "set",
    };
    let factors = identity.factors(one.id)?.into_iter().map(|factor| match factor {
        FactorKind::Totp => "authenticator".to_owned(),
        FactorKind::Passkey => "passkey".to_owned(),
        FactorKind::Recovery(left) => format!("{left} recovery codes"),
        _ => "another".to_owned(),
    });
    let second_factor = match identity.standing(one)? {
        Standing::Free => String::new(),
        Standing::Held => "held".to_owned(),
        Standing::ByIssuer => "by issuer".to_owned(),
        Standing::Missing => MISSING.to_owned(),
        Standing::MissingFrom(day) => {
            format!("{MISSING} from {}", day.to_instant().get(..10).unwrap_or_default())
        }
    };
    let profile = one.profile.clone();
    let kind = KINDS.iter().find(|(_, kind)| *kind == one.kind).map_or("", |(name, _)| name);
    Ok(Shown {
        id: one.id.to_string(),
        name: profile.name,
        display: profile.display,
        kind: kind.to_owned(),
        roles: profile.roles,
        sites: profile.sites,
        care_teams: profile.care_teams,
        practitioner: profile.practitioner,
        patient: profile.patient,
        represents: profile.represents,
        disabled: one.disabled.as_ref().map(|d| (Millis(d.at_ms).to_instant(), d.reason.clone())),
        created: one.created.to_instant(),
        password: password.to_owned(),
        factors: factors.collect(),
        second_factor,
        issuers: identity.links(one.id)?.iter().map(ToString::to_string).collect(),
        sessions: sessions.len(),
        tokens: tokens.len(),
        drawn: None,
    })
}

fn open(one: &Principal, session: &Session) -> Open {
    let kind = match session.kind {
        SessionKind::SignIn => "sign-in",
        SessionKind::Script => "token",
    };
    Open {
        id: session.id.to_string(),
        name: one.profile.name.clone(),
        kind: kind.to_owned(),
        since: session.created.to_instant(),
        used: match session.source {
            // A token that was only issued.
            None if session.used == session.created => "never".to_owned(),
            _ => session.used.to_instant(),
        },
        ends: session.ends.to_instant(),
        from: session.source.map(|source| source.to_string()),
        note: match session.issuer {
            Some(issuer) => format!("by {issuer}"),
            None => session.note.clone(),
        },
    }
}
