//! The waiting list as the settings have it: whether freed times are offered by themselves, in which waves, and the
//! thread that looks every few seconds at what was freed and what ran out (docs/operators/waitlist.md). The
//! scheduling department says what is offered to whom; letters go the way of reminders.

use crate::opening;
use crate::reminders::{self, Post};
use crate::settings::Settings;
use anyhow::bail;
use base::Fault;
use record::{Record, Stop, Worker};
use scheduling::book::House;
use scheduling::remind::{Carrier, Quiet};
use scheduling::time::{Zone, Zones};
use scheduling::waitlist::Waves;
use scheduling::waitlist::send::{Looked, Offering, pass};
use std::time::Duration;
use tracing::{error, info, warn};

/// How often it is looked what is to be done.
const EVERY: Duration = Duration::from_secs(5);

/// What the settings say.
#[derive(Debug)]
pub(crate) struct Waitlist {
    how: Offering,
    post: Option<Post>,
}

/// The settings as they are to be.
pub(crate) fn open(settings: &Settings) -> anyhow::Result<Waitlist> {
    let by_itself = settings.switch("waitlist_offers");
    let set = reminders::open(settings)?;
    if by_itself && set.is_none() {
        bail!("waitlist_offers: set reminders, so that somebody hands the offers on");
    }
    let (size, minutes) = waves(settings);
    let waves = Waves { size, minutes };
    let zones = Zones::bundled();
    let (clinic, origin, zone, post) = match set {
        Some(set) => (set.how.clinic, set.how.origin, set.how.zone, Some(set.post)),
        None => {
            let named = zones.find(&settings.text("reminders_zone"));
            let zone = named.unwrap_or_else(|_none| Zone::utc());
            (String::new(), String::new(), zone, None)
        }
    };
    let house = House { zones, zone, ..House::default() };
    let how = Offering { house, clinic, origin, quiet: Quiet::USUAL, waves, by_itself };
    Ok(Waitlist { how, post })
}

/// To how many at a time, and how many minutes each wave has to answer.
pub(crate) fn waves(settings: &Settings) -> (usize, u32) {
    let size = usize::try_from(settings.number("waitlist_wave")).unwrap_or(1);
    (size, u32::try_from(settings.number("waitlist_wave_minutes")).unwrap_or(1))
}

/// Looks from now on at what was freed, and at what ran out.
pub(crate) fn keep(record: Record, waitlist: Waitlist) -> Result<Worker, Fault> {
    Worker::start("waitlist", move |stop| run(&record, &waitlist, stop))
}

fn run(record: &Record, waitlist: &Waitlist, stop: &Stop) {
    let carrier = waitlist.post.as_ref().map(|post| -> &dyn Carrier { post });
    // Of an empty record there is nothing to look at.
    let mut quiet = Some((0, Looked::default()));
    loop {
        let session = opening::session(record);
        // No visit was written and nothing is due: a look would find what the last one found, and leave
        // its events in the log.
        let idle = quiet.is_some_and(|(since, looked)| {
            looked.next.is_none_or(|next| session.now() < next) && !visits_since(record, since)
        });
        if !idle {
            // What is written while it looks is looked at next.
            let since = record.health().last_commit;
            let looked = console::wait(pass(&session, &waitlist.how, carrier, &|| stop.is_asked()));
            quiet = told(looked).map(|looked| (since, looked));
        }
        drop(session);
        if stop.rest(EVERY) {
            return;
        }
    }
}

/// Whether a visit, an entry or a round was written after a commit; where that cannot be told, one was.
fn visits_since(record: &Record, commit: u64) -> bool {
    let of = fhir::definitions::r4().resource_type("Appointment");
    of.is_none_or(|of| record.is_written_since(of, commit).unwrap_or(true))
}

fn told(outcome: Result<Looked, Fault>) -> Option<Looked> {
    match outcome {
        Ok(looked) => {
            let Looked { begun, sent, failed, .. } = looked;
            if begun + sent > 0 {
                info!(begun, sent, "freed times were offered to those who wait");
            }
            if failed > 0 {
                warn!(failed, "offers of freed times could not be sent");
            }
            Some(looked)
        }
        Err(fault) => {
            error!(code = fault.code().name, "the waiting list could not be looked at");
            None
        }
    }
}
