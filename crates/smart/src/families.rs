//! All grants there are, with their tokens: in memory, and complete, so a token that is not here is
//! not valid and revoking takes effect before it returns (RFC 6749, 10.3 and 10.4; RFC 7009). What
//! users gave survives a restart; what a service drew for itself does not need to.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::Arc;

use base::error::code;
use base::{Fault, Millis};
use identity::shelf::SCAN_MAX;
use identity::{
    Assurance, By, Caller, Change, Deed, DeedKind, Kind, Principal, PrincipalId, SessionId,
    SessionKind, ShelfName,
};
use parking_lot::RwLock;
use serde::{Deserialize, Serialize};

use crate::grant::{ByIssuer, Grant, GrantId, Shown};
use crate::item;
use crate::scope::Scopes;
use crate::smart::Smart;
use crate::token::{self, Digest, Use, is_access};

/// Access tokens of one grant that are good at once; the oldest leaves for one more.
const ACCESS_MAX: usize = 16;
/// Grants of one user to one app; the one unused for longest leaves for one more.
const GRANTS_EACH_MAX: usize = 32;
/// Access tokens of all services at once.
const SERVICE_MAX: usize = 20_000;
/// Refresh tokens taken off the shelf in one commit.
const CHUNK: usize = 1000;

/// An access token, as it is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Access {
    pub(crate) digest: Digest,
    pub(crate) ends: Millis,
    /// When fewer than the grant's were asked for.
    pub(crate) scopes: Option<Scopes>,
}

/// A grant with everything that came of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Family {
    pub(crate) grant: Arc<Grant>,
    /// The version of its item; none for a service's, which is in memory alone.
    pub(crate) version: Option<u64>,
    pub(crate) access: Vec<Access>,
    /// The one refresh token that is good.
    pub(crate) refresh: Option<Digest>,
    /// The code it was given for; shown again, it ends the family.
    pub(crate) code: Option<Digest>,
    /// Whether the app was told who the user is.
    pub(crate) told: bool,
    /// When a token was last given.
    pub(crate) used: Millis,
    pub(crate) ends: Millis,
}

/// How a grant stands on its shelf, under its id.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Stored {
    app: String,
    user: String,
    scopes: String,
    shown: Shown,
    fhir_user: Option<String>,
    session: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    issuer: Option<ByIssuer>,
    access: Vec<StoredAccess>,
    refresh: Option<String>,
    code: Option<String>,
    told: bool,
    created_ms: i64,
    used_ms: i64,
    ends_ms: i64,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct StoredAccess {
    digest: String,
    ends_ms: i64,
    scopes: Option<String>,
}

impl Family {
    fn encode(&self) -> Result<Vec<u8>, Fault> {
        let grant = &self.grant;
        let user = grant.user.ok_or_else(item::damaged)?;
        let access = self.access.iter().map(|access| StoredAccess {
            digest: item::text(&access.digest.0),
            ends_ms: access.ends.0,
            scopes: access.scopes.as_ref().map(ToString::to_string),
        });
        item::encode(&Stored {
            app: grant.app.to_string(),
            user: user.to_string(),
            scopes: grant.scopes.to_string(),
            shown: grant.shown.clone(),
            fhir_user: grant.fhir_user.clone(),
            session: grant.session.map(|session| session.to_string()),
            issuer: grant.issuer,
            access: access.collect(),
            refresh: self.refresh.map(|digest| item::text(&digest.0)),
            code: self.code.map(|digest| item::text(&digest.0)),
            told: self.told,
            created_ms: grant.created.0,
            used_ms: self.used.0,
            ends_ms: self.ends.0,
        })
    }

    fn decode(key: &[u8], version: u64, body: &[u8]) -> Result<Self, Fault> {
        let id = <[u8; 16]>::try_from(key).ok().ok_or_else(item::damaged)?;
        let stored: Stored = item::decode(body)?;
        let digest = |text: &str| item::bytes(text).map(Digest).ok_or_else(item::damaged);
        let scopes = |text: &str| Scopes::parse(text).ok_or_else(item::damaged);
        let principal = |text: &str| PrincipalId::parse(text).ok_or_else(item::damaged);
        let session =
            stored.session.as_deref().map(|text| SessionId::parse(text).ok_or_else(item::damaged));
        let access = stored.access.iter().map(|access| {
            Ok(Access {
                digest: digest(&access.digest)?,
                ends: Millis(access.ends_ms),
                scopes: access.scopes.as_deref().map(scopes).transpose()?,
            })
        });
        let grant = Grant {
            id: GrantId(id),
            app: principal(&stored.app)?,
            user: Some(principal(&stored.user)?),
            scopes: scopes(&stored.scopes)?,
            shown: stored.shown,
            fhir_user: stored.fhir_user,
            session: session.transpose()?,
            issuer: stored.issuer,
            created: Millis(stored.created_ms),
        };
        Ok(Self {
            grant: Arc::new(grant),
            version: Some(version),
            access: access.collect::<Result<_, Fault>>()?,
            refresh: stored.refresh.as_deref().map(digest).transpose()?,
            code: stored.code.as_deref().map(digest).transpose()?,
            told: stored.told,
            used: Millis(stored.used_ms),
            ends: Millis(stored.ends_ms),
        })
    }

    /// Adds an access token, dropping those that are over and the oldest of too many.
    pub(crate) fn add_access(&mut self, access: Access, now: Millis) {
        self.access.retain(|access| now < access.ends);
        while self.access.len() >= ACCESS_MAX {
            self.access.remove(0);
        }
        self.access.push(access);
    }

    /// What an access token of it carries.
    fn carried(&self, access: &Access) -> Arc<Grant> {
        match &access.scopes {
            None => Arc::clone(&self.grant),
            Some(scopes) => Arc::new(Grant { scopes: scopes.clone(), ..Grant::clone(&self.grant) }),
        }
    }
}

#[derive(Debug, Clone)]
struct Live {
    grant: Arc<Grant>,
    ends: Millis,
}

#[derive(Debug, Default)]
struct Tables {
    families: HashMap<GrantId, Family>,
    access: HashMap<Digest, Live>,
    codes: HashMap<Digest, GrantId>,
}

/// All families.
#[derive(Debug, Default)]
pub(crate) struct Families(RwLock<Tables>);

impl Families {
    pub(crate) fn get(&self, id: GrantId) -> Option<Family> {
        self.0.read().families.get(&id).cloned()
    }

    pub(crate) fn of_code(&self, code: Digest) -> Option<GrantId> {
        self.0.read().codes.get(&code).copied()
    }

    /// The family of an access token that is good, and what the token carries.
    pub(crate) fn of_access(
        &self,
        digest: Digest,
        now: Millis,
    ) -> Option<(Family, Arc<Grant>, Millis)> {
        let tables = self.0.read();
        let live = tables.access.get(&digest).filter(|live| now < live.ends)?;
        let family = tables.families.get(&live.grant.id)?;
        Some((family.clone(), Arc::clone(&live.grant), live.ends))
    }

    fn find(&self, digest: Digest) -> Option<Live> {
        self.0.read().access.get(&digest).cloned()
    }

    pub(crate) fn select(&self, wanted: impl Fn(&Family) -> bool) -> Vec<Family> {
        self.0.read().families.values().filter(|family| wanted(family)).cloned().collect()
    }

    fn put(&self, family: Family) {
        let mut tables = self.0.write();
        let id = family.grant.id;
        if let Some(before) = tables.families.remove(&id) {
            for access in before.access {
                tables.access.remove(&access.digest);
            }
        }
        for access in &family.access {
            let live = Live { grant: family.carried(access), ends: access.ends };
            tables.access.insert(access.digest, live);
        }
        if let Some(code) = family.code {
            tables.codes.insert(code, id);
        }
        tables.families.insert(id, family);
    }

    fn remove(&self, id: GrantId) -> Option<Family> {
        let mut tables = self.0.write();
        let family = tables.families.remove(&id)?;
        for access in &family.access {
            tables.access.remove(&access.digest);
        }
        if let Some(code) = family.code {
            tables.codes.remove(&code);
        }
        Some(family)
    }
}

/// Whoever sends a request, and, when an app does, by which grant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// On whose behalf: the user, or a service itself. Of an app's token the session is the grant.
    pub caller: Caller,
    /// What narrows it; none for a session or a script token of the principal's own.
    pub grant: Option<Arc<Grant>>,
    /// The agent that acts for the caller by this grant; none when no agent does.
    pub agent: Option<Arc<Principal>>,
}

/// A grant, as its user is shown it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Given {
    /// What was given.
    pub grant: Arc<Grant>,
    /// What the app is called.
    pub display: String,
    /// Whether it is an agent, which acts for the user.
    pub agent: bool,
    /// When the app last asked for a token.
    pub used: Millis,
    /// When it ends if it is not used.
    pub ends: Millis,
}

impl Smart {
    /// Who sends a request with this token: a session's, a script's, or an app's. An app's token is
    /// looked up in memory; that its app and its user may act is as of a second ago at most.
    pub fn find(&self, token: &str, source: Option<IpAddr>) -> Result<Found, Fault> {
        if !is_access(token) {
            let caller = self.ground.identity.find(token, source)?;
            return Ok(Found { caller, grant: None, agent: None });
        }
        self.find_app(token).map(|(found, _)| found)
    }

    /// Whose a subject token is, without a use of it, and when it ends, as far as that is not watched.
    pub(crate) fn find_subject(&self, token: &str) -> Result<(Found, Millis), Fault> {
        if is_access(token) {
            return self.find_app(token);
        }
        let caller = self.ground.identity.find_unused(token)?;
        Ok((Found { caller, grant: None, agent: None }, Millis(i64::MAX)))
    }

    fn find_app(&self, token: &str) -> Result<(Found, Millis), Fault> {
        let invalid = || {
            let say = "The token is not one that is valid here. Ask for a new one.";
            Fault::new(&code::TOKEN_INVALID, say)
        };
        let digest = token::digest(Use::Access, token).ok_or_else(invalid)?;
        let Live { grant, ends } = self.families.find(digest).ok_or_else(invalid)?;
        if self.now() >= ends {
            let say = "The access token has ended. Refresh it.";
            return Err(Fault::new(&code::SESSION_EXPIRED, say));
        }
        let app = self.able(grant.app)?.ok_or_else(invalid)?;
        // What an agent is, its principal says, so no grant of one is ever taken for an app's.
        let agent = match app.kind {
            Kind::Agent => Some(self.acting(&grant)?.ok_or_else(invalid)?),
            _ => None,
        };
        let (principal, agent) = match (agent, grant.user) {
            (Some((agent, user)), _) => (user, Some(agent)),
            (None, Some(user)) => (self.able(user)?.ok_or_else(invalid)?, None),
            (None, None) => (app, None),
        };
        if grant.user.is_some() && !self.has_factors(&principal, grant.issuer)? {
            return Err(identity::demand::missing());
        }
        let session = SessionId::parse(&grant.id.to_string()).ok_or_else(invalid)?;
        let caller = Caller {
            principal,
            session,
            kind: SessionKind::Script,
            assurance: Assurance::Aal1,
            stepped_up_at: None,
        };
        Ok((Found { caller, grant: Some(grant), agent }, ends))
    }

    /// What a user gave to apps, the last used first.
    pub fn given_by(&self, user: PrincipalId) -> Vec<Given> {
        let now = self.now();
        let own = self.families.select(|f| f.grant.user == Some(user) && now < f.ends);
        let mut list: Vec<_> = own.into_iter().map(|family| self.told(family)).collect();
        list.sort_by_key(|given| (std::cmp::Reverse(given.used), given.grant.id));
        list
    }

    /// A grant, as people are shown it.
    pub(crate) fn told(&self, family: Family) -> Given {
        let app = self.app(family.grant.app);
        let principal = || self.ground.identity.principal(family.grant.app).ok();
        // An agent may be a principal that no registration speaks of.
        let display = match &app {
            Some(app) => app.registration.display.clone(),
            None => principal().map(|one| one.profile.display).unwrap_or_default(),
        };
        let agent = match &app {
            Some(app) => app.registration.agent,
            None => self.is_agent(family.grant.app),
        };
        Given { display, agent, grant: family.grant, used: family.used, ends: family.ends }
    }

    /// Ends one grant of a user; whether there was one. Its tokens are worth nothing when this
    /// returns, even if the disk fails.
    pub fn revoke_given(&self, user: PrincipalId, id: GrantId) -> Result<bool, Fault> {
        let wanted = |grant: &Grant| grant.id == id && grant.user == Some(user);
        self.revoke_by(By::Principal(user), wanted).map(|count| count > 0)
    }

    /// Ends every grant that `wanted` chooses; how many.
    pub fn revoke_where(&self, wanted: impl Fn(&Grant) -> bool) -> Result<usize, Fault> {
        self.revoke_by(By::Nobody, wanted)
    }

    /// Ends everything that a principal gave, or was given as an app or agent, with the codes and
    /// launches that wait: for one that is shut out. How many grants there were.
    pub fn end_all_of(&self, one: PrincipalId, by: By) -> Result<usize, Fault> {
        self.codes.lock().retain(|_, coded| coded.user != one && coded.app != one);
        self.launches.lock().retain(|_, launch| launch.user != one && launch.app != one);
        self.revoke_by(by, |grant| grant.user == Some(one) || grant.app == one)
    }

    /// Ends everything that a person gave while an issuer vouched for them: for one whom issuers sign in
    /// no longer. How many grants there were.
    pub fn end_vouched_of(&self, one: PrincipalId, by: By) -> Result<usize, Fault> {
        self.codes.lock().retain(|_, coded| coded.user != one || coded.issuer.is_none());
        self.revoke_by(by, |grant| grant.user == Some(one) && grant.issuer.is_some())
    }

    /// As [`Smart::revoke_where`], told in the name of whoever asks.
    pub fn revoke_by(&self, by: By, wanted: impl Fn(&Grant) -> bool) -> Result<usize, Fault> {
        let _writing = self.write();
        let ids: Vec<_> = self
            .families
            .select(|family| wanted(&family.grant))
            .iter()
            .map(|family| family.grant.id)
            .collect();
        self.end_by(by, &ids)?;
        Ok(ids.len())
    }

    /// Ends families in nobody's name. Whoever calls it holds `write`.
    pub(crate) fn end(&self, ids: &[GrantId]) -> Result<(), Fault> {
        self.end_by(By::Nobody, ids)
    }

    /// Ends families: in memory first, then on the shelf, with those that the disk refused before. Whoever
    /// calls it holds `write`.
    fn end_by(&self, by: By, ids: &[GrantId]) -> Result<(), Fault> {
        let ended = ids.iter().filter_map(|id| self.families.remove(*id));
        let mut unended = self.unended.lock();
        unended.extend(ended.map(|family| (by, family)));
        while let Some((by, family)) = unended.last() {
            self.end_on_shelf(*by, family)?;
            unended.pop();
        }
        Ok(())
    }

    fn end_on_shelf(&self, by: By, family: &Family) -> Result<(), Fault> {
        let id = family.grant.id.0;
        let shelf = &self.ground.shelf;
        // It may be gone, and what belongs to it not.
        if let Some(item) = shelf.get(ShelfName::AppGrants, &id)? {
            let remove = Change::remove(ShelfName::AppGrants, &id, item.version);
            let deed = match self.is_agent(family.grant.app) {
                true => Self::delegation(DeedKind::DelegationEnded, by, &family.grant),
                false => Self::deed(DeedKind::Revoked, by, family.grant.user),
            };
            shelf.commit(vec![remove], deed)?;
        }
        self.forget_refreshes(&id)
    }

    fn forget_refreshes(&self, prefix: &[u8]) -> Result<(), Fault> {
        let shelf = &self.ground.shelf;
        loop {
            let page = shelf.scan(ShelfName::AppRefreshes, prefix, None, CHUNK)?;
            if page.is_empty() {
                return Ok(());
            }
            let remove = |(key, item): (Vec<u8>, identity::Item)| {
                Change::remove(ShelfName::AppRefreshes, &key, item.version)
            };
            shelf.commit(page.into_iter().map(remove).collect(), Deed::UPKEEP)?;
        }
    }

    /// Puts a family on the shelf and in memory, with a refresh token it has just got. Whoever calls it
    /// holds `write`.
    pub(crate) fn keep(&self, family: Family, fresh: Option<Digest>) -> Result<(), Fault> {
        let by = By::Principal(family.grant.app);
        let kind = if fresh.is_some() || family.version.is_none() {
            DeedKind::TokenIssued
        } else {
            DeedKind::Revoked
        };
        let deed = Self::deed(kind, by, family.grant.user);
        self.keep_as(family, fresh, deed)
    }

    /// As [`Smart::keep`], told as this deed.
    pub(crate) fn keep_as(
        &self,
        mut family: Family,
        fresh: Option<Digest>,
        deed: Deed,
    ) -> Result<(), Fault> {
        if family.grant.user.is_some() {
            let id = family.grant.id.0;
            let body = family.encode()?;
            let mut changes = vec![Change::put(ShelfName::AppGrants, &id, family.version, body)];
            if let Some(digest) = fresh {
                let key = refresh_key(family.grant.id, digest);
                let body = item::encode(&family.used.0)?;
                changes.push(Change::put(ShelfName::AppRefreshes, &key, None, body));
            }
            self.ground.shelf.commit(changes, deed)?;
            family.version = Some(family.version.unwrap_or(0).saturating_add(1));
        }
        self.families.put(family);
        Ok(())
    }

    /// Whether a refresh token was ever one of this grant's.
    pub(crate) fn was_refresh(&self, id: GrantId, digest: Digest) -> Result<bool, Fault> {
        let key = refresh_key(id, digest);
        self.ground.shelf.get(ShelfName::AppRefreshes, &key).map(|item| item.is_some())
    }

    /// Ends the delegations that were given through a grant. Whoever calls it holds `write`.
    pub(crate) fn end_through(&self, id: GrantId, by: By) -> Result<(), Fault> {
        let through = |family: &Family| {
            family.grant.session.is_some_and(|session| *session.as_bytes() == id.0)
        };
        let given = self.families.select(through);
        self.end_by(by, &given.iter().map(|family| family.grant.id).collect::<Vec<_>>())
    }

    /// Room for one more delegation. An exchange takes the place of exchanges alone: what an
    /// administrator gave for hours does not leave for what lasts minutes. Whoever calls it holds
    /// `write`.
    pub(crate) fn make_room_for(&self, grant: &Grant, by: By) -> Result<(), Fault> {
        let mut own =
            self.families.select(|f| f.grant.app == grant.app && f.grant.user == grant.user);
        let leaving = (own.len() + 1).saturating_sub(GRANTS_EACH_MAX);
        own.retain(|f| grant.session.is_none() || f.grant.session.is_some());
        own.sort_by_key(|family| (family.grant.session.is_none(), family.used));
        if own.len() < leaving {
            let say = "The agent acts for them as often as it may at once. Try again later.";
            return Err(Fault::new(&code::OVERLOADED, say));
        }
        let ids: Vec<_> = own.iter().take(leaving).map(|family| family.grant.id).collect();
        self.end_by(by, &ids)
    }

    /// Room for one more grant: the ones that have to leave for it. Whoever calls it holds `write`.
    pub(crate) fn make_room(
        &self,
        app: PrincipalId,
        user: Option<PrincipalId>,
    ) -> Result<(), Fault> {
        let now = self.now();
        let Some(user) = user else {
            let over = self.families.select(|f| f.grant.user.is_none() && now >= f.ends);
            self.end(&over.iter().map(|family| family.grant.id).collect::<Vec<_>>())?;
            if self.families.select(|f| f.grant.user.is_none()).len() >= SERVICE_MAX {
                let say = "There are as many tokens as the server keeps. Try again later.";
                return Err(Fault::new(&code::OVERLOADED, say));
            }
            return Ok(());
        };
        let mut own = self.families.select(|f| f.grant.app == app && f.grant.user == Some(user));
        own.sort_by_key(|family| family.used);
        let leaving = (own.len() + 1).saturating_sub(GRANTS_EACH_MAX);
        let ids: Vec<_> = own.iter().take(leaving).map(|family| family.grant.id).collect();
        self.end(&ids)
    }

    pub(crate) fn sweep_families(&self, now: Millis) -> Result<usize, Fault> {
        let _writing = self.write();
        let over = self.families.select(|family| now >= family.ends);
        let ids: Vec<_> = over.iter().map(|family| family.grant.id).collect();
        self.end(&ids)?;
        Ok(ids.len())
    }

    pub(crate) fn load_families(&self) -> Result<(), Fault> {
        let shelf = &self.ground.shelf;
        let mut after: Option<Vec<u8>> = None;
        loop {
            let page = shelf.scan(ShelfName::AppGrants, &[], after.as_deref(), SCAN_MAX)?;
            let Some((last, _)) = page.last() else { return Ok(()) };
            after = Some(last.clone());
            for (key, item) in page {
                self.families.put(Family::decode(&key, item.version, &item.body)?);
            }
        }
    }
}

fn refresh_key(id: GrantId, digest: Digest) -> Vec<u8> {
    id.0.iter().chain(&digest.0).copied().collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn family() -> Family {
        let grant = Grant {
            id: GrantId([0x11; 16]),
            app: PrincipalId::new([0x22; 16]),
            user: Some(PrincipalId::new([0x33; 16])),
            scopes: Scopes::parse("openid patient/*.rs").expect("scopes"),
            shown: Shown { patient: Some("ada".into()), ..Shown::default() },
            fhir_user: Some("Practitioner/1".into()),
            session: SessionId::parse("44444444-4444-4444-4444-444444444444"),
            issuer: None,
            created: Millis(1_795_340_467_000),
        };
        let access =
            Access { digest: Digest([0x55; 32]), ends: Millis(1_795_341_367_000), scopes: None };
        Family {
            grant: Arc::new(grant),
            version: Some(1),
            access: vec![access],
            refresh: Some(Digest([0x66; 32])),
            code: Some(Digest([0x77; 32])),
            told: true,
            used: Millis(1_795_340_467_000),
            ends: Millis(1_803_980_467_000),
        }
    }

    /// The worked example of `docs/internals/smart.md`.
    #[test]
    fn the_worked_example_holds() {
        let bytes = family().encode().expect("encoded");
        let json = r#"{"app":"22222222-2222-2222-2222-222222222222","user":"33333333-3333-3333-3333-333333333333","scopes":"openid patient/*.rs","shown":{"patient":"ada","encounter":null,"intent":null,"need_patient_banner":null},"fhir_user":"Practitioner/1","session":"44444444-4444-4444-4444-444444444444","access":[{"digest":"VVVVVVVVVVVVVVVVVVVVVVVVVVVVVVVVVVVVVVVVVVU","ends_ms":1795341367000,"scopes":null}],"refresh":"ZmZmZmZmZmZmZmZmZmZmZmZmZmZmZmZmZmZmZmZmZmY","code":"d3d3d3d3d3d3d3d3d3d3d3d3d3d3d3d3d3d3d3d3d3c","told":true,"created_ms":1795340467000,"used_ms":1795340467000,"ends_ms":1803980467000}"#;
        assert_eq!(String::from_utf8_lossy(&bytes), format!("\u{1}{json}"));
        assert_eq!(Family::decode(&[0x11; 16], 1, &bytes).expect("decoded"), family());
    }

    proptest! {
        #[test]
        fn any_bytes_are_a_grant_or_damage(
            bytes in proptest::collection::vec(any::<u8>(), 0..200),
            cut in 0usize..700,
            flip in 1usize..600,
        ) {
            let _ = Family::decode(&[1; 16], 1, &bytes);
            let mut whole = family().encode().expect("encoded");
            if let Some(byte) = whole.get_mut(flip) {
                *byte ^= 1;
            }
            whole.truncate(cut);
            let _ = Family::decode(&[1; 16], 1, &whole);
        }
    }
}
