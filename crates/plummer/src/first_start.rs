//! Who may sign in when a server starts: on a new folder whoever reads the claim code on the console,
//! in the demo a cast with passwords drawn at each start. Nothing is built in, so nothing has to be
//! changed before it is safe (45 CFR 164.312(a)(2)(i), (d)).

use crate::columns::aligned;
use crate::command::role::SYSTEM;
use crate::directory;
use ::demo::{Clinic, Part};
use anyhow::anyhow;
use base::Fault;
use base::error::code;
use identity::{Identity, Kind, Profile, Secret};
use record::Record;
use std::io::Write;

/// The service whose token sees the whole demo.
const SCRIPT: &str = "demo-script";
/// How long its token is valid.
const DAY_MS: i64 = 86_400_000;
/// Passwords are hashed so many at once.
const AT_ONCE: usize = 4;

/// What is told at the start, once.
pub(crate) enum Welcome {
    /// Somebody administers the site, or has.
    Known,
    /// Nobody does yet.
    Claim(Secret),
    /// The demo: its people with their passwords, and the token of its script.
    Demo(Vec<(Part, Secret)>, Secret),
}

/// Makes ready who may sign in.
pub(crate) fn begin(record: &Record, cast: Option<&Clinic>) -> anyhow::Result<Welcome> {
    let identity = directory::operator(record);
    let welcome = match cast {
        Some(clinic) => people(&identity, &clinic.cast()),
        None => identity.make_claim().map(|code| code.map_or(Welcome::Known, Welcome::Claim)),
    };
    welcome.map_err(|fault| anyhow!("{fault}"))
}

fn people(identity: &Identity, cast: &[Part]) -> Result<Welcome, Fault> {
    let mut known = Vec::with_capacity(cast.len());
    for chunk in cast.chunks(AT_ONCE) {
        let made: Result<Vec<_>, Fault> = std::thread::scope(|scope| {
            let started: Vec<_> =
                chunk.iter().map(|part| scope.spawn(|| person(identity, part))).collect();
            let ended = started.into_iter().map(|thread| {
                thread.join().unwrap_or_else(|_| Err(Fault::new(&code::INTERNAL, "it panicked")))
            });
            ended.collect()
        });
        let both = chunk.iter().cloned().zip(made?);
        known.extend(both.filter_map(|(part, password)| Some((part, password?))));
    }
    let script = match identity.find_by_name(SCRIPT)? {
        Some(script) => script,
        None => identity.create(
            Kind::Service,
            Profile {
                name: SCRIPT.to_owned(),
                display: "Scripts of the demo".to_owned(),
                roles: vec![SYSTEM.to_owned()],
                ..Profile::default()
            },
        )?,
    };
    // Those of earlier starts open nothing any more, as the passwords do not.
    identity.revoke_all(script.id)?;
    let ttl_ms = DAY_MS.min(identity.settings().script_ttl_max_ms);
    let token = identity.issue(script.id, ttl_ms, "printed when the demo started")?;
    Ok(Welcome::Demo(known, token.token.text()))
}

/// One of the cast, with a fresh password; none for somebody whom the operator shut out.
fn person(identity: &Identity, part: &Part) -> Result<Option<Secret>, Fault> {
    let profile = Profile {
        name: part.role.to_owned(),
        display: part.display.clone(),
        roles: vec![part.role.to_owned()],
        sites: part.site.iter().cloned().collect(),
        practitioner: part.practitioner.clone(),
        patient: part.patient.clone(),
        represents: part.represents.clone(),
        ..Profile::default()
    };
    let one = match identity.find_by_name(part.role)? {
        Some(one) => one,
        None => identity.create(Kind::Person, profile)?,
    };
    if one.disabled.is_some() {
        return Ok(None);
    }
    loop {
        let password = identity.draw_password()?;
        match identity.set_password(one.id, &password, None) {
            Ok(()) => return Ok(Some(password)),
            // One in many millions looks like a pattern; another is drawn.
            Err(fault) if fault.code() == &code::PASSWORD_WEAK => {}
            Err(fault) => return Err(fault),
        }
    }
}

impl Welcome {
    /// The people of the demo with their passwords, for the console's sign-in by one click: they stay in
    /// the memory of this process. None but in a demo.
    pub(crate) fn demo(&self) -> Option<console::Demo> {
        let Self::Demo(people, _) = self else { return None };
        let person = |(part, password): &(Part, Secret)| console::DemoPerson {
            name: part.role.to_owned(),
            role: part.role.to_owned(),
            display: part.display.clone(),
            password: password.clone(),
        };
        Some(console::Demo { people: people.iter().map(person).collect() })
    }

    /// Says it to whoever reads the console.
    pub(crate) fn say(&self, out: &mut dyn Write, base: &str, data: &str) -> std::io::Result<()> {
        match self {
            Self::Known => Ok(()),
            Self::Claim(code) => {
                writeln!(
                    out,
                    "Nobody administers this site yet. This code makes the first administrator, once, within a day:"
                )?;
                writeln!(out, "  {}", code.expose())?;
                let root = base.strip_suffix("/fhir").unwrap_or(base);
                writeln!(out, "Open {root}/first in a browser and type it there.")?;
                writeln!(out, "Or use it on this machine:")?;
                writeln!(out, "  plummer claim NAME --display 'FULL NAME' --data '{data}'")?;
                writeln!(out, "Another one: plummer claim --new --data '{data}'")
            }
            Self::Demo(people, token) => {
                let root = base.strip_suffix("/fhir").unwrap_or(base);
                writeln!(out, "Open {root}/ in a browser and choose who to be.")?;
                writeln!(out, "Or sign in as (passwords are drawn anew at each start):")?;
                let head = ["NAME", "PASSWORD", "WHO"].map(str::to_owned).to_vec();
                let rows = people.iter().map(|(part, password)| {
                    vec![part.role.to_owned(), password.expose().to_owned(), part.display.clone()]
                });
                let rows: Vec<_> = std::iter::once(head).chain(rows).collect();
                for line in aligned(&rows).lines() {
                    writeln!(out, "  {line}")?;
                }
                writeln!(out, "Try, with a token of a service, good for a day:")?;
                for example in EXAMPLES {
                    let bearer = format!("Authorization: Bearer {}", token.expose());
                    writeln!(out, "  curl -H '{bearer}' '{base}{example}'")?;
                }
                writeln!(out, "All people in it are invented. Stop it with Ctrl-C.")
            }
        }
    }
}

const EXAMPLES: [&str; 5] = [
    "/metadata",
    "/Patient?_count=5&_pretty=true",
    "/Patient?name=ann&_summary=true",
    "/Observation?combo-code=http://loinc.org|8480-6&_sort=-date&_include=Observation:patient",
    "/Appointment?date=gt2020&_sort=date&_count=10",
];
