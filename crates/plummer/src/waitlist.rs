//! The waiting list as the settings have it: whether freed times are offered by themselves, in which waves, and the
//! thread that looks every few seconds at what was freed and what ran out (docs/operators/waitlist.md). The
//! scheduling department says what is offered to whom; letters go the way of reminders.

use crate::opening;
use crate::reminders::{self, Post};
use crate::settings::Settings;
use anyhow::bail;
use base::{Fault, Millis};
use record::{Record, Stop, Worker};
use scheduling::book::House;
use scheduling::remind::{Carrier, Quiet};
use scheduling::time::{Zone, Zones};
use scheduling::waitlist::Waves;
use scheduling::waitlist::send::{Looked, Offering, Standing, pass};
use std::sync::Arc;
use std::time::Duration;
use tracing::{error, info, warn};

/// How often it is looked what is to be done.
const EVERY: Duration = Duration::from_secs(5);
/// For how long after a look what is written is gathered: each look leaves its events in the log, and a desk writes
/// a visit every few seconds.
const GATHER_MS: i64 = 30_000;

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
pub(crate) fn keep(
    record: Record,
    waitlist: Waitlist,
    standing: Arc<Standing>,
) -> Result<Worker, Fault> {
    Worker::start("waitlist", move |stop| run(&record, &waitlist, &standing, stop))
}

/// What is known since the last look.
#[derive(Debug, Clone, Copy)]
struct Since {
    /// The last commit before it.
    commit: u64,
    /// When it was.
    at: Millis,
    /// When something is due.
    next: Option<Millis>,
}

impl Since {
    /// Whether it is looked again: something is due, or visits were written, which are gathered for a while.
    /// Otherwise a look would find what the last one found, and leave its events in the log.
    fn is_over(self, now: Millis, is_written: impl FnOnce() -> bool) -> bool {
        let gathers = (0..GATHER_MS).contains(&now.0.saturating_sub(self.at.0));
        self.next.is_some_and(|next| next <= now) || (!gathers && is_written())
    }
}

fn run(record: &Record, waitlist: &Waitlist, standing: &Standing, stop: &Stop) {
    let carrier = waitlist.post.as_ref().map(|post| -> &dyn Carrier { post });
    // Of an empty record there is nothing to look at.
    let mut since = Some(Since { commit: 0, at: Millis(i64::MIN), next: None });
    loop {
        let session = opening::session(record);
        let now = session.now();
        if since.is_none_or(|since| since.is_over(now, || visits_since(record, since.commit))) {
            // What is written while it looks is looked at next.
            let commit = record.health().last_commit;
            let looked = console::wait(pass(&session, &waitlist.how, carrier, &|| stop.is_asked()));
            standing.tell(looked.as_ref().ok());
            since = told(looked).map(|looked| Since { commit, at: now, next: looked.next });
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
            let Looked { begun, sent, failed, faulty, .. } = looked;
            if begun + sent > 0 {
                info!(begun, sent, "freed times were offered to those who wait");
            }
            if failed > 0 {
                warn!(failed, "offers of freed times could not be sent");
            }
            if faulty > 0 {
                warn!(faulty, "visits or offers could not be understood, and were passed over");
            }
            Some(looked)
        }
        Err(fault) => {
            error!(code = fault.code().name, "the waiting list could not be looked at");
            None
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_due_is_looked_at_at_once_and_what_is_written_is_gathered() {
        let since = Since { commit: 1, at: Millis(1_000_000), next: None };
        let after = |ms: i64| Millis(since.at.0 + ms);
        for (ms, is_written, is_over) in [
            (5_000, true, false),
            (GATHER_MS - 1, true, false),
            (GATHER_MS, true, true),
            (GATHER_MS, false, false),
            // The clock was set back.
            (-5_000, true, true),
        ] {
            assert_eq!(since.is_over(after(ms), || is_written), is_over, "{ms} {is_written}");
        }
        let due = Since { next: Some(after(5_000)), ..since };
        assert!(due.is_over(after(5_000), || false) && !due.is_over(after(4_999), || false));
        let never = Since { commit: 0, at: Millis(i64::MIN), next: None };
        assert!(never.is_over(Millis(0), || true) && !never.is_over(Millis(0), || false));
    }
}
