//! For whom something waits: a person, the pools they belong to, and those for whom they cover. A pool is
//! a `CareTeam` about no patient (<https://hl7.org/fhir/R4/careteam.html>), since R4 lets one own a Task and
//! receive a Communication; so is a cover, whose participant has a period and so lapses by itself.
//!
//! None of it opens a record: what somebody may see follows from policies alone.

use crate::SYSTEM;
use crate::read::{Reads, each, has_code, instant, named, parsed, text};
use base::{Fault, Millis};
use fhir::Value;
use record::Profile;

/// Category of a pool of people who treat patients.
pub const POOL: &str = "pool";
/// Category of a pool of the front desk: what is handed to it is labelled so that the desk may see it.
pub const DESK: &str = "desk-pool";
/// Category of a cover.
pub const COVER: &str = "cover";
/// Role of who is covered for.
pub const COVERED: &str = "covered";
/// Role of who covers.
pub const COVERING: &str = "covering";
/// Teams that are looked at.
const TEAMS_MAX: usize = 100;

/// Who asks, as the door knows them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Me {
    /// The Practitioner they are, by id.
    pub practitioner: Option<String>,
    /// The sites they work at: Organizations, by id.
    pub sites: Vec<String>,
    /// Their roles.
    pub roles: Vec<String>,
    /// What people call them.
    pub display: String,
}

impl Me {
    /// As whom they send and own: the person, else the site they work at.
    pub fn reference(&self) -> Option<String> {
        let own = self.practitioner.as_ref().map(|id| format!("Practitioner/{id}"));
        own.or_else(|| self.sites.first().map(|id| format!("Organization/{id}")))
    }

    /// As what they are a member of pools: themselves, and the sites they work at.
    fn members(&self) -> Vec<String> {
        let own = self.practitioner.iter().map(|id| format!("Practitioner/{id}"));
        own.chain(self.sites.iter().map(|id| format!("Organization/{id}"))).collect()
    }
}

/// A pool.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pool {
    /// The `CareTeam`'s id.
    pub id: String,
    /// What it is called.
    pub name: String,
    /// It is the front desk's.
    pub is_desk: bool,
}

/// Somebody covers for somebody.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cover {
    /// The `CareTeam`'s id.
    pub id: String,
    /// Its version.
    pub version: u64,
    /// Who is covered for: reference and name.
    pub of: (String, String),
    /// Who covers: reference and name.
    pub by: (String, String),
    /// From.
    pub from: Millis,
    /// Until, and not with.
    pub until: Millis,
}

impl Cover {
    /// Whether it holds at an instant.
    pub fn holds(&self, at: Millis) -> bool {
        self.from <= at && at < self.until
    }
}

/// Where somebody's items come in.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Desks {
    /// Their own reference.
    pub own: Option<String>,
    /// Their pools.
    pub pools: Vec<Pool>,
    /// Covers that name them and are not over.
    pub covers: Vec<Cover>,
}

impl Desks {
    /// Those for whom they cover at an instant: reference and name.
    pub fn covered(&self, now: Millis) -> Vec<&(String, String)> {
        let is_by = |cover: &&Cover| Some(&cover.by.0) == self.own.as_ref() && cover.holds(now);
        self.covers.iter().filter(is_by).map(|cover| &cover.of).collect()
    }

    /// Every reference under which something waits for them.
    pub fn references(&self, now: Millis) -> Vec<String> {
        let pools = self.pools.iter().map(|pool| format!("CareTeam/{}", pool.id));
        let covered = self.covered(now).into_iter().map(|(reference, _)| reference.clone());
        self.own.iter().cloned().chain(pools).chain(covered).collect()
    }
}

/// Looks up whoever asks.
pub(crate) fn look(reads: &mut Reads<'_>, me: &Me) -> Result<Desks, Fault> {
    let now = reads.session.now();
    let own = me.practitioner.as_ref().map(|id| format!("Practitioner/{id}"));
    let members = me.members();
    let mut desks = Desks { own, ..Desks::default() };
    if members.is_empty() {
        return Ok(desks);
    }
    let teams = |codes: &[&str]| {
        let codes: Vec<String> = codes.iter().map(|code| format!("{SYSTEM}|{code}")).collect();
        vec![
            ("participant", members.join(",")),
            ("status", "active".to_owned()),
            ("category", codes.join(",")),
            ("_count", TEAMS_MAX.to_string()),
        ]
    };
    for hit in &reads.search("CareTeam", &teams(&[POOL, DESK]))?.0 {
        let document = parsed(hit)?;
        let root = document.root();
        let is_desk = each(root, "category").any(|one| has_code(one, DESK));
        if is_member(root, me, now) {
            desks.pools.push(Pool { id: hit.id.clone(), name: text(root, "name"), is_desk });
        }
    }
    // Those that lapsed are not asked for: after some years they would crowd out the others.
    let mut covers = teams(&[COVER]);
    covers.push(("date", format!("ge{}", now.to_instant())));
    for hit in &reads.search("CareTeam", &covers)?.0 {
        let cover = cover(hit.id.clone(), hit.version, parsed(hit)?.root());
        desks.covers.extend(cover.filter(|cover| now < cover.until));
    }
    desks.pools.sort_by(|one, two| (&one.name, &one.id).cmp(&(&two.name, &two.id)));
    desks.covers.sort_by_key(|cover| (cover.from, cover.id.clone()));
    Ok(desks)
}

/// Whether somebody who can sign in is a member of a pool now.
pub(crate) fn has_member(root: Value<'_>, profile: &Profile, now: Millis) -> bool {
    let me = Me {
        practitioner: profile.practitioner.clone(),
        sites: profile.sites.clone(),
        roles: profile.roles.clone(),
        display: String::new(),
    };
    is_member(root, &me, now)
}

/// Whether a pool has them as a member now: by name, or as those of a role at a site.
fn is_member(root: Value<'_>, me: &Me, now: Millis) -> bool {
    let members = me.members();
    each(root, "participant").any(|one| {
        let (who, _) = named(one.get("member"));
        let roles: Vec<String> = each(one, "role")
            .flat_map(|role| each(role, "coding"))
            .filter(|coding| text(*coding, "system") == SYSTEM)
            .map(|coding| text(coding, "code"))
            .collect();
        let is_role = roles.is_empty() || roles.iter().any(|role| me.roles.contains(role));
        let (from, until) = period(one);
        members.contains(&who) && is_role && from <= now && now < until
    })
}

fn cover(id: String, version: u64, root: Value<'_>) -> Option<Cover> {
    let of_role = |code: &str| {
        each(root, "participant").find(|one| each(*one, "role").any(|role| has_code(role, code)))
    };
    let (of, by) = (of_role(COVERED)?, of_role(COVERING)?);
    let (from, until) = ends(root);
    Some(Cover {
        id,
        version,
        of: named(of.get("member")),
        by: named(by.get("member")),
        from,
        until,
    })
}

/// From when until when a cover holds: in its own period and in that of both its people. One without a
/// period of its own is asked for by nobody (`look`), and the gate keeps none.
pub(crate) fn ends(team: Value<'_>) -> (Millis, Millis) {
    let (mut from, mut until) = period(team);
    for one in each(team, "participant").map(period) {
        (from, until) = (from.max(one.0), until.min(one.1));
    }
    (from, until)
}

/// The period of a team or a participant; open ends are far away.
fn period(value: Value<'_>) -> (Millis, Millis) {
    let Some(period) = value.get("period") else { return (Millis(i64::MIN), Millis(i64::MAX)) };
    let from = instant(period, &["start"]).unwrap_or(Millis(i64::MIN));
    (from, instant(period, &["end"]).unwrap_or(Millis(i64::MAX)))
}
