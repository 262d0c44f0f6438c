//! Signing in by the word of an issuer (45 CFR 164.312(d), person or entity authentication; NIST SP
//! 800-63C): whom a site knows by it, linking, making a person where the site permits that, and the
//! roles that the issuer has a say in, anew at each sign-in.
//!
//! What an issuer says was believed before it comes here. Three things no issuer can do: sign in an
//! administrator, give that role, or be known as somebody who has a second factor here before that
//! factor was shown. Later an issuer that says it saw two factors is believed, for what needs no
//! fresh one.

use std::net::IpAddr;
use std::sync::Arc;

use base::error::code;
use base::{Fault, Millis};
use serde::{Deserialize, Serialize};

use crate::body::{self, Body};
use crate::deed::{Deed, DeedKind};
use crate::identity::Identity;
use crate::issuer::IssuerName;
use crate::principal::{
    DISPLAY_BYTES_MAX, Kind, Principal, PrincipalId, Profile, SignInName, printable,
};
use crate::session::Assurance;
use crate::sessions::Order;
use crate::shelf::{Change, SCAN_MAX, ShelfName};
use crate::sign_in::{Halfway, Showed, Step};

/// What an issuer said of somebody, in this site's words.
#[derive(Debug, Clone)]
pub struct Vouched {
    /// Who said it.
    pub issuer: IssuerName,
    /// Whom it means: a digest of the issuer's address and its own name for the person.
    pub subject: [u8; 32],
    /// The sign-in name that a claim gives, for a first sign-in.
    pub name: Option<String>,
    /// The name that people read, for somebody who is made.
    pub display: Option<String>,
    /// The roles that its claims come to.
    pub roles: Vec<String>,
    /// The sites that its claims come to.
    pub sites: Vec<String>,
    /// The roles it has a say in: those of them that its claims do not come to are taken away.
    pub governs_roles: Vec<String>,
    /// The sites it has a say in.
    pub governs_sites: Vec<String>,
    /// Whether somebody who is here already is known by the name, at the first sign-in.
    pub links: bool,
    /// Whether somebody who is not here is made.
    pub creates: bool,
    /// Whether it saw two factors.
    pub second_factor: bool,
    /// When it saw a factor, if it said so.
    pub shown: Option<Millis>,
}

/// What comes of it.
#[derive(Debug, Clone)]
pub enum Welcome {
    /// Signed in, or asked for the second factor that the person has here.
    In(Step),
    /// Not signed in. Why is for the operator's log; the person is told one sentence for all.
    Not(Why),
}

/// Why somebody whom an issuer vouches for is not signed in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Why {
    /// Nobody here is known by it, and nobody is made.
    Unknown,
    /// The claim gives no name that can be a sign-in name.
    Nameless,
    /// The name is somebody's here, and people are not linked by name.
    NameTaken,
    /// The name only folds to somebody's: letter by letter it is another.
    NameUnlike,
    /// Whoever has the name is linked to another person of the issuer.
    LinkedElsewhere,
    /// Disabled, or no person.
    Disabled,
    /// Administrators sign in here.
    Administrator,
    /// There is no role left.
    NoRole,
}

impl Why {
    /// The word for the operator's log.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Unknown => "unknown",
            Self::Nameless => "nameless",
            Self::NameTaken => "name-taken",
            Self::NameUnlike => "name-unlike",
            Self::LinkedElsewhere => "linked-elsewhere",
            Self::Disabled => "disabled",
            Self::Administrator => "administrator",
            Self::NoRole => "no-role",
        }
    }
}

/// Why not, and upon whom.
pub(crate) type NotTaken = (Why, Option<PrincipalId>);

/// Who it is, and the link that is still to be made.
type Found = (Principal, Option<Vec<Change>>);

/// Whom an issuer's person is, under `s` and the subject; and under `p`, the principal's id and the
/// issuer's name, whose person that is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Link {
    #[serde(with = "body::bytes")]
    principal: [u8; 16],
    #[serde(with = "body::bytes")]
    subject: [u8; 32],
    issuer: IssuerName,
    since_ms: i64,
}

impl Body for Link {
    fn sound(&self) -> bool {
        true
    }
}

impl Link {
    fn subject_key(subject: &[u8; 32]) -> Vec<u8> {
        [b"s".as_slice(), subject].concat()
    }

    fn person_key(id: PrincipalId, issuer: IssuerName) -> Vec<u8> {
        [b"p".as_slice(), id.as_bytes(), issuer.as_str().as_bytes()].concat()
    }

    /// What puts it on the shelf, where no other may be.
    fn puts(&self) -> Result<Vec<Change>, Fault> {
        let body = body::encode(self)?;
        let id = PrincipalId::new(self.principal);
        let keys = [Self::subject_key(&self.subject), Self::person_key(id, self.issuer)];
        Ok(keys.iter().map(|k| Change::put(ShelfName::Links, k, None, body.clone())).collect())
    }
}

impl Identity {
    /// Signs in whoever an issuer vouches for, with the roles that follow from what it says.
    pub fn vouch(&self, vouched: &Vouched, source: IpAddr) -> Result<Welcome, Fault> {
        let now = self.now();
        let _writing = self.write();
        let (principal, link) = match self.vouched_for(vouched, source, now)? {
            Ok(found) => found,
            Err((why, upon)) => return self.turned(why, upon, vouched, source),
        };
        let (version, factors) = self.load_factors(principal.id)?;
        // At a first sign-in it is a name alone that leads to somebody here, so whoever has a second
        // factor here shows it, whatever the issuer saw; before that nothing of them is changed.
        let by_name = link.is_some() && factors.required();
        let known = match by_name {
            true if self.followed(&principal, vouched).0.is_empty() => {
                Err((Why::NoRole, Some(principal.id)))
            }
            true => Ok(principal),
            false => self.known_by(vouched, source, now)?,
        };
        let principal = match known {
            Ok(principal) => principal,
            Err((why, upon)) => return self.turned(why, upon, vouched, source),
        };
        if by_name || factors.required() && !vouched.second_factor {
            let showed = Showed::vouched(principal.id, vouched.issuer);
            let name = self.name_key(&principal.profile.name);
            let said = Some(Arc::new(vouched.clone()));
            return self.await_second(showed, said, name, &factors, now).map(Welcome::In);
        }
        let key = principal.id.as_bytes();
        let guards = vec![
            Change::keep(ShelfName::Factors, key, version),
            Change::keep(ShelfName::Principals, key, Some(principal.version)),
        ];
        let assurance = if vouched.second_factor { Assurance::Aal2 } else { Assurance::Aal1 };
        // A factor that nobody says was shown is not fresh; one shown in the future is no answer.
        // Where somebody has a factor here, what asks for a fresh one asks for that.
        let shown = vouched.shown.filter(|at| *at <= now && !factors.required());
        let order = Order::sign_in(principal, assurance, source, shown).by(Some(vouched.issuer));
        let opened = self.open_sign_in(order, now, guards)?;
        Ok(Welcome::In(Step::Done(opened)))
    }

    /// The issuers that vouch for a principal.
    pub fn links(&self, id: PrincipalId) -> Result<Vec<IssuerName>, Fault> {
        Ok(self.links_of(id)?.into_iter().map(|(link, _)| link.issuer).collect())
    }

    /// Forgets whom issuers mean by a principal, and ends the sessions that came by them. The next
    /// sign-in by an issuer is a first one again. How many links there were.
    pub fn unlink(&self, id: PrincipalId) -> Result<usize, Fault> {
        let _writing = self.write();
        let waits = |halfway: &Halfway| halfway.principal == id && halfway.issuer.is_some();
        self.core.halfway.lock().retain(|_, halfway| !waits(halfway));
        let links = self.links_of(id)?;
        let ending =
            self.end(|state| state.session.principal == id && state.session.issuer.is_some());
        let mut changes = ending.changes();
        for (link, version) in &links {
            let subject = Link::subject_key(&link.subject);
            if let Some(item) = self.core.ground.shelf.get(ShelfName::Links, &subject)? {
                changes.push(Change::remove(ShelfName::Links, &subject, item.version));
            }
            let person = Link::person_key(id, link.issuer);
            changes.push(Change::remove(ShelfName::Links, &person, *version));
        }
        if !changes.is_empty() {
            let deed = self.deed(DeedKind::Unlinked, Some(id));
            self.core.ground.shelf.commit(changes, deed)?;
            self.core.table.remove(&ending.digests());
        }
        Ok(links.len())
    }

    fn links_of(&self, id: PrincipalId) -> Result<Vec<(Link, u64)>, Fault> {
        let prefix = [b"p".as_slice(), id.as_bytes()].concat();
        let items = self.core.ground.shelf.scan(ShelfName::Links, &prefix, None, SCAN_MAX)?;
        items.into_iter().map(|(_, item)| Ok((body::decode(&item.body)?, item.version))).collect()
    }

    /// Whoever it is, linked and with the roles that follow. Whoever calls it holds `write`.
    pub(crate) fn known_by(
        &self,
        vouched: &Vouched,
        source: IpAddr,
        now: Millis,
    ) -> Result<Result<Principal, NotTaken>, Fault> {
        let (principal, link) = match self.vouched_for(vouched, source, now)? {
            Ok(found) => found,
            Err(refused) => return Ok(Err(refused)),
        };
        let upon = Some(principal.id);
        if let Some(changes) = link {
            if self.followed(&principal, vouched).0.is_empty() {
                return Ok(Err((Why::NoRole, upon)));
            }
            let deed = self.vouched_deed(DeedKind::Linked, upon, vouched, source);
            self.core.ground.shelf.commit(changes, deed)?;
        }
        // Whom no role is left to loses them all the same.
        let principal = self.mapped(principal, vouched, source)?;
        Ok(match principal.profile.roles.is_empty() {
            true => Err((Why::NoRole, upon)),
            false => Ok(principal),
        })
    }

    /// Who it is: known by a link, made now, or found by name, with the link that is to be made.
    /// Whoever calls it holds `write`.
    fn vouched_for(
        &self,
        vouched: &Vouched,
        source: IpAddr,
        now: Millis,
    ) -> Result<Result<Found, NotTaken>, Fault> {
        let key = Link::subject_key(&vouched.subject);
        if let Some(item) = self.core.ground.shelf.get(ShelfName::Links, &key)? {
            let link: Link = body::decode(&item.body)?;
            let id = PrincipalId::new(link.principal);
            let principal = self.load_principal(id)?.ok_or_else(body::damaged)?;
            return Ok(self.acceptable(principal).map(|principal| (principal, None)));
        }
        if !vouched.links && !vouched.creates {
            return Ok(Err((Why::Unknown, None)));
        }
        let Some(name) = vouched.name.as_deref().and_then(SignInName::fold) else {
            return Ok(Err((Why::Nameless, None)));
        };
        let link = |id: PrincipalId| Link {
            principal: *id.as_bytes(),
            subject: vouched.subject,
            issuer: vouched.issuer,
            since_ms: now.0,
        };
        match self.holder(&name)? {
            Some(id) if vouched.links => {
                let principal = self.load_principal(id)?.ok_or_else(body::damaged)?;
                let principal = match self.acceptable(principal) {
                    Ok(principal) => principal,
                    Err(refused) => return Ok(Err(refused)),
                };
                // An issuer may tell apart what is one name here (a ligature, ß and ss), so a name that
                // merely folds to somebody's may be another person's.
                if !same_name(&principal.profile.name, vouched.name.as_deref().unwrap_or_default())
                {
                    return Ok(Err((Why::NameUnlike, Some(id))));
                }
                let person = Link::person_key(id, vouched.issuer);
                if self.core.ground.shelf.get(ShelfName::Links, &person)?.is_some() {
                    return Ok(Err((Why::LinkedElsewhere, Some(id))));
                }
                let mut changes = link(id).puts()?;
                let version = Some(principal.version);
                changes.push(Change::keep(ShelfName::Principals, id.as_bytes(), version));
                Ok(Ok((principal, Some(changes))))
            }
            Some(id) => Ok(Err((Why::NameTaken, Some(id)))),
            None if !vouched.creates => Ok(Err((Why::Unknown, None))),
            None if vouched.roles.is_empty() => Ok(Err((Why::NoRole, None))),
            None => {
                let profile = self.drafted(name.as_str(), vouched);
                if profile.roles.contains(&self.core.settings.administrator_role) {
                    return Ok(Err((Why::Administrator, None)));
                }
                let (principal, mut changes) = self.prepare(Kind::Person, profile)?;
                changes.extend(link(principal.id).puts()?);
                let upon = Some(principal.id);
                let deed = self.vouched_deed(DeedKind::Created, upon, vouched, source);
                self.core.ground.shelf.commit(changes, deed)?;
                Ok(Ok((principal, None)))
            }
        }
    }

    /// The profile of somebody who is made.
    fn drafted(&self, name: &str, vouched: &Vouched) -> Profile {
        let display = vouched.display.as_deref().map(str::trim).unwrap_or_default();
        let shown = !display.is_empty() && printable(display, DISPLAY_BYTES_MAX);
        Profile {
            name: name.to_owned(),
            display: if shown { display } else { name }.to_owned(),
            roles: vouched.roles.clone(),
            sites: vouched.sites.clone(),
            ..Profile::default()
        }
    }

    /// Whether an issuer may sign in a principal at all.
    fn acceptable(&self, one: Principal) -> Result<Principal, NotTaken> {
        if one.kind != Kind::Person || one.disabled.is_some() {
            return Err((Why::Disabled, Some(one.id)));
        }
        if self.is_administrator(&one) {
            return Err((Why::Administrator, Some(one.id)));
        }
        Ok(one)
    }

    /// The principal with the roles and sites that follow from what the issuer says. What it has no
    /// say in stays as it is. Open sessions see it at once. Whoever calls it holds `write`.
    fn mapped(
        &self,
        mut principal: Principal,
        vouched: &Vouched,
        source: IpAddr,
    ) -> Result<Principal, Fault> {
        let (roles, sites) = self.followed(&principal, vouched);
        if roles == principal.profile.roles && sites == principal.profile.sites {
            return Ok(principal);
        }
        (principal.profile.roles, principal.profile.sites) = (roles, sites);
        principal.profile.check()?;
        let deed = self.vouched_deed(DeedKind::RolesMapped, Some(principal.id), vouched, source);
        self.put_with(&mut principal, Vec::new(), deed)?;
        Ok(principal)
    }

    /// The roles and sites that follow.
    fn followed(&self, principal: &Principal, vouched: &Vouched) -> (Vec<String>, Vec<String>) {
        let administrator = &self.core.settings.administrator_role;
        let given: Vec<_> = vouched.roles.iter().filter(|role| *role != administrator).collect();
        let roles = settled(&principal.profile.roles, &vouched.governs_roles, &given);
        let sites: Vec<_> = vouched.sites.iter().collect();
        (roles, settled(&principal.profile.sites, &vouched.governs_sites, &sites))
    }

    fn turned(
        &self,
        why: Why,
        upon: Option<PrincipalId>,
        vouched: &Vouched,
        source: IpAddr,
    ) -> Result<Welcome, Fault> {
        let deed = self.vouched_deed(DeedKind::SignInFailed, upon, vouched, source);
        self.core.ground.shelf.note(deed)?;
        Ok(Welcome::Not(why))
    }

    /// Notes that what came in the name of an issuer was not believed.
    pub fn note_unbelieved(&self, issuer: IssuerName, source: IpAddr) -> Result<(), Fault> {
        let mut deed = self.deed(DeedKind::SignInFailed, None).from(source);
        deed.issuer = Some(issuer);
        self.core.ground.shelf.note(deed)
    }

    fn vouched_deed(
        &self,
        kind: DeedKind,
        upon: Option<PrincipalId>,
        vouched: &Vouched,
        source: IpAddr,
    ) -> Deed {
        Deed { issuer: Some(vouched.issuer), ..self.deed(kind, upon).from(source) }
    }
}

/// Whether two names are one to the letter, but for the case of ASCII letters: what issuers do not tell
/// apart either.
fn same_name(here: &str, there: &str) -> bool {
    here.trim().eq_ignore_ascii_case(there.trim())
}

/// What is not governed stays, in its order; what is given comes behind it.
fn settled(before: &[String], governed: &[String], given: &[&String]) -> Vec<String> {
    let stays = |one: &&String| !governed.contains(*one) || given.contains(one);
    let mut after: Vec<String> = before.iter().filter(stays).cloned().collect();
    for one in given {
        if !after.contains(*one) {
            after.push((*one).clone());
        }
    }
    after
}

/// The one fault of everybody whom an issuer vouches for and this site does not take.
pub fn not_taken() -> Fault {
    let say = "You proved who you are, but you cannot sign in here this way. Ask whoever administers this site.";
    Fault::new(&code::FEDERATED_REFUSED, say)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_an_issuer_has_no_say_in_stays_and_the_rest_follows_it() {
        let list = |names: &[&str]| names.iter().map(|n| (*n).to_owned()).collect::<Vec<_>>();
        let governed = list(&["nurse", "clinician"]);
        let settle = |before: &[&str], given: &[&str]| {
            let given = list(given);
            settled(&list(before), &governed, &given.iter().collect::<Vec<_>>())
        };
        assert_eq!(settle(&["biller", "nurse"], &["clinician"]), list(&["biller", "clinician"]));
        assert_eq!(settle(&["nurse"], &["nurse"]), list(&["nurse"]));
        assert_eq!(settle(&["nurse", "clinician"], &[]), list(&[]));
    }

    /// The worked example of `docs/internals/identity.md`.
    #[test]
    fn the_worked_example_holds() {
        let link = Link {
            principal: [0x11; 16],
            subject: [0x33; 32],
            issuer: IssuerName::parse("st-elsewhere").expect("a name"),
            since_ms: 1_795_340_467_000,
        };
        let bytes = body::encode(&link).expect("encoded");
        let json = r#"{"principal":"EREREREREREREREREREREQ","subject":"MzMzMzMzMzMzMzMzMzMzMzMzMzMzMzMzMzMzMzMzMzM","issuer":"st-elsewhere","since_ms":1795340467000}"#;
        assert_eq!(String::from_utf8_lossy(&bytes), format!("\u{1}{json}"));
        assert_eq!(body::decode::<Link>(&bytes).expect("decoded"), link);
    }
}
