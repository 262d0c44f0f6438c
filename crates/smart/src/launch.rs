//! What the EHR showed when it started an app: an opaque `launch` that stands for a patient and an
//! encounter, for one app, made by one user, used once
//! (<https://hl7.org/fhir/smart-app-launch/STU2.2/app-launch.html#launch-app-ehr-launch>).

use std::sync::Arc;

use base::{Fault, Millis};
use fhir::reference::is_id;
use identity::{Caller, PrincipalId, Secret, SessionKind};

use crate::address::{Place, with_query, wrong};
use crate::app::App;
use crate::grant::Shown;
use crate::smart::Smart;
use crate::token::{self, Use};

/// Launches that wait for their app at once.
const LAUNCHES_MAX: usize = 10_000;
/// Bytes of an intent.
const INTENT_BYTES_MAX: usize = 200;

/// A launch that waits for its app.
#[derive(Debug, Clone)]
pub(crate) struct Launch {
    pub(crate) app: PrincipalId,
    pub(crate) user: PrincipalId,
    pub(crate) shown: Shown,
    pub(crate) until: Millis,
}

/// What a launch answers.
#[derive(Debug, Clone)]
pub struct Launched {
    /// The value of the parameter `launch`.
    pub launch: Secret,
    /// Where to send the browser.
    pub address: Secret,
    /// The app.
    pub app: Arc<App>,
}

impl Smart {
    /// Starts an app for a user who is signed in. That the user may see the patient and the encounter
    /// is for the caller to check.
    pub fn launch(
        &self,
        caller: &Caller,
        app: PrincipalId,
        shown: Shown,
        place: &Place,
    ) -> Result<Launched, Fault> {
        if caller.kind != SessionKind::SignIn {
            return Err(wrong("session", "Apps are started by people who are signed in."));
        }
        self.ground.identity.need_second_factor(caller)?;
        let app = self.app(app).ok_or_else(|| wrong("app", "No app has this client_id."))?;
        let start = app.registration.launch_url.clone();
        let start = start.ok_or_else(|| wrong("app", "The app has no launch address."))?;
        for (member, id) in [("patient", &shown.patient), ("encounter", &shown.encounter)] {
            if !id.iter().all(|id| is_id(id)) {
                return Err(wrong(member, "Give the logical id of a resource."));
            }
        }
        let sound =
            |text: &String| text.len() <= INTENT_BYTES_MAX && !text.chars().any(char::is_control);
        if !shown.intent.iter().all(sound) {
            return Err(wrong("intent", "Give a word of at most 200 bytes."));
        }
        let (now, (text, digest)) = (self.now(), token::draw(Use::Launch, self.random())?);
        let launch = Launch {
            app: app.id,
            user: caller.principal.id,
            shown,
            until: Millis(now.0.saturating_add(self.settings.launch_ms)),
        };
        let mut launches = self.launches.lock();
        launches.retain(|_, launch| now < launch.until);
        if launches.len() >= LAUNCHES_MAX {
            let say = "There are as many launches as the server keeps. Try again later.";
            return Err(Fault::new(&base::error::code::OVERLOADED, say));
        }
        launches.insert(digest, launch);
        let pairs = [("iss", place.base.as_str()), ("launch", text.expose())];
        let address = Secret::new(with_query(&start, &pairs));
        Ok(Launched { launch: text, address, app })
    }

    /// Takes a launch, if it is one of this app's. It can be taken once.
    pub(crate) fn take_launch(&self, text: &str, app: PrincipalId, now: Millis) -> Option<Launch> {
        let digest = token::digest(Use::Launch, text)?;
        let mut launches = self.launches.lock();
        let fits = launches.get(&digest).is_some_and(|l| l.app == app && now < l.until);
        if fits { launches.remove(&digest) } else { None }
    }
}
