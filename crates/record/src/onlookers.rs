//! Onlookers: what patients said, for a screen in a waiting room that nobody is signed in on. Who stands before it
//! is not known, so it is denied what a patient denied to everybody, to the house, or to any person, team or place
//! at all, for treatment or for operations; what was denied to some other organization is none of its business.
//! It is heard by the same judgement as what is said to whoever signs in (45 CFR 164.510(a)(2), 164.522(a)(1)).

use crate::consents::{Heard, Hearing};
use crate::gate::Gate;
use crate::kiosk::plainly_seen;
use crate::reach::TENANT;
use access::{PrincipalKind, Purpose, Who};
use base::Fault;
use parking_lot::Mutex;
use std::sync::Arc;
use store::{Rights, Scope, Wishes};

/// For what a board and a front desk are kept.
const PURPOSES: &[Purpose] = &[Purpose::Treatment, Purpose::Operations];

/// What was heard last, and what the devices see by it: kept so that it is made once.
#[derive(Debug, Default)]
pub(crate) struct Onlookers(Mutex<Option<(Heard, Arc<Screens>)>>);

/// What screens that nobody is signed in on see.
#[derive(Debug)]
pub(crate) struct Screens {
    /// What patients denied to whoever stands before one.
    denied: Arc<Wishes>,
    pub(crate) kiosk: Arc<Rights>,
    pub(crate) wall: Arc<Rights>,
}

impl Screens {
    fn new(heard: &Heard) -> Result<Self, Fault> {
        // What patients permitted opens nothing there.
        let denied = heard.wishes.denied.clone();
        let denied = Arc::new(Wishes { denied, ..Wishes::default() });
        let [kiosk, wall] = plainly_seen()?.map(|plain| seeing(plain.heeding(Arc::clone(&denied))));
        Ok(Self { denied, kiosk, wall })
    }

    /// What of a scope is left for whoever stands there, when its one patient denied them anything.
    pub(crate) fn left_of(&self, see: &Scope, patient: &str) -> Option<Scope> {
        let denials = self.denied.denied.get(patient)?;
        let denied = [(patient.to_owned(), denials.clone())].into();
        Some(see.clone().heeding(Arc::new(Wishes { denied, ..Wishes::default() })))
    }
}

impl Gate {
    /// What screens see now: a Consent holds for whatever is asked after it was answered.
    ///
    /// # Errors
    /// When a Consent cannot be read: nothing is shown then.
    pub(crate) fn screens(&self) -> Result<Arc<Screens>, Fault> {
        // The screen is the house's, and acts for whoever reads it: what is denied to either is denied, and what is
        // permitted to the house is not permitted to whoever passes by.
        let mut screen = Who::new(PrincipalKind::Device, "screen", TENANT);
        screen.sites = self.settings.site.iter().map(Arc::clone).collect();
        screen.on_behalf_of = Some(Arc::new(Who::new(PrincipalKind::User, "onlooker", "")));
        let hearing = Hearing {
            who: &screen,
            practitioner: None,
            anybody: true,
            purposes: PURPOSES,
            release: false,
            make: false,
            now: self.settings.clock.now(),
        };
        let before = self.onlookers.0.lock().clone();
        let heard =
            self.consents.hear(&self.store, &hearing, before.as_ref().map(|(heard, _)| heard))?;
        let screens = match before {
            Some((before, screens)) if Arc::ptr_eq(&before.wishes, &heard.wishes) => screens,
            _ => Arc::new(Screens::new(&heard)?),
        };
        *self.onlookers.0.lock() = Some((heard, Arc::clone(&screens)));
        Ok(screens)
    }
}

/// Who sees this and writes nothing.
fn seeing(see: Scope) -> Arc<Rights> {
    let [create, update, delete] = std::array::from_fn(|_| Scope::nothing());
    Arc::new(Rights { see, create, update, delete, names_ids: false })
}
