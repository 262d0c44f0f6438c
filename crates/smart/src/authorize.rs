//! The authorization request: checked before anybody is asked, kept while its user signs in, chooses
//! a patient and decides, and answered with a code or a refusal (RFC 6749, 4.1; RFC 7636; RFC 9207;
//! <https://hl7.org/fhir/smart-app-launch/STU2.2/app-launch.html#obtain-authorization-code>).
//!
//! Nothing is sent to an address before app and address are known to belong together.

use std::sync::Arc;

use base::error::code;
use base::{Fault, Millis};
use fhir::reference::is_id;
use identity::{Assurance, Caller, Principal, PrincipalId, Secret, SessionId, SessionKind};

use crate::address::{Params, Place, with_query, wrong};
use crate::app::App;
use crate::grant::{ByIssuer, Shown};
use crate::launch::Launch;
use crate::reach::About;
use crate::refusal::{Turned, back};
use crate::scope::{Scope, Scopes};
use crate::smart::Smart;
use crate::token::{self, Digest, Use};

/// Characters of `state`: fewer could be guessed.
const STATE_CHARS: std::ops::RangeInclusive<usize> = 16..=1024;
/// Bytes of a `nonce`.
const NONCE_BYTES_MAX: usize = 256;
/// Characters of a SHA-256 in base64url.
const CHALLENGE_CHARS: usize = 43;
/// Requests that wait for their users at once.
const PENDING_MAX: usize = 10_000;
/// Codes that wait for their apps at once.
const CODES_MAX: usize = 10_000;

/// A request that waits for its user.
#[derive(Debug, Clone)]
pub(crate) struct Pending {
    app: Arc<App>,
    redirect: String,
    state: String,
    challenge: String,
    nonce: Option<String>,
    scopes: Scopes,
    launch: Option<Launch>,
    /// Whom the user chose, and which user.
    chosen: Option<(PrincipalId, String)>,
    issuer: String,
    /// The browser it began in.
    browser: Digest,
    pub(crate) until: Millis,
}

/// A code that waits for its app.
#[derive(Debug, Clone)]
pub(crate) struct Coded {
    pub(crate) app: PrincipalId,
    pub(crate) redirect: String,
    pub(crate) challenge: String,
    pub(crate) nonce: Option<String>,
    pub(crate) user: PrincipalId,
    pub(crate) session: SessionId,
    pub(crate) issuer: Option<ByIssuer>,
    pub(crate) scopes: Scopes,
    pub(crate) shown: Shown,
    pub(crate) fhir_user: Option<String>,
    pub(crate) until: Millis,
}

/// What a user is asked.
#[derive(Debug, Clone)]
pub struct Ask {
    /// By which app.
    pub app: Arc<App>,
    /// For what, as far as the app may ever be given it.
    pub scopes: Scopes,
    /// In which context, as far as it is known.
    pub shown: Shown,
    /// Where the answer goes.
    pub redirect: String,
    /// Who started the app from the EHR; only they can answer.
    pub launched_by: Option<PrincipalId>,
}

impl Ask {
    /// Whether a patient has to be chosen before the user can be asked.
    pub fn needs_patient(&self) -> bool {
        let wanted = self.scopes.about_patient() || self.scopes.has(&Scope::LaunchPatient);
        wanted && self.shown.patient.is_none()
    }
}

/// The one patient a user may choose: their own record, when that is all they are here for.
pub fn own_patient(user: &Principal) -> Option<&str> {
    match (&user.profile.patient, &user.profile.practitioner) {
        (Some(patient), None) => Some(patient),
        _ => None,
    }
}

/// The record a user is.
fn fhir_user(user: &Principal) -> Option<String> {
    match (&user.profile.practitioner, &user.profile.patient) {
        (Some(id), _) => Some(format!("Practitioner/{id}")),
        (None, Some(id)) => Some(format!("Patient/{id}")),
        (None, None) => None,
    }
}

impl Smart {
    /// Draws what a browser is known again by.
    pub fn draw_browser(&self) -> Result<Secret, Fault> {
        token::draw(Use::Browser, self.random()).map(|(text, _)| text)
    }

    /// Checks a request for authorization and keeps it; the text names it.
    pub fn begin(&self, params: &Params, browser: &str, place: &Place) -> Result<Secret, Turned> {
        const UNKNOWN: &str = "The app that sent you here is not known, or it asked to be answered at an address that is not registered for it. Tell whoever runs the app.";
        let unknown = |_| Turned::Page(UNKNOWN);
        let id = params.one("client_id").map_err(unknown)?.unwrap_or_default();
        let redirect = params.one("redirect_uri").map_err(unknown)?.unwrap_or_default();
        let browser = token::digest(Use::Browser, browser).ok_or(Turned::Page(UNKNOWN))?;
        let app = self.able_app(id)?.map(|(app, _)| app);
        let app = app
            .filter(|app| app.registration.redirects.iter().any(|known| known == redirect))
            .ok_or(Turned::Page(UNKNOWN))?;
        // From here on the app is told.
        let state = params.one("state").ok().flatten();
        let turn = |error: &str, say: &str| back(redirect, error, say, state, &place.base);
        let one = |name: &str| {
            let twice = |_| turn("invalid_request", "Each parameter may stand once.");
            params.one(name).map_err(twice)
        };
        one("state")?;
        let Some(state) = state.filter(|state| STATE_CHARS.contains(&state.len())) else {
            return Err(turn("invalid_request", "Send a state of 16 to 1024 characters."));
        };
        match one("response_type")? {
            Some("code") => {}
            Some(_) => return Err(turn("unsupported_response_type", "Ask for a code.")),
            None => return Err(turn("invalid_request", "Say response_type=code.")),
        }
        if one("response_mode")?.is_some_and(|mode| mode != "query") {
            return Err(turn("invalid_request", "Answers are sent in the query only."));
        }
        if one("request")?.is_some() || one("request_uri")?.is_some() {
            return Err(turn("request_not_supported", "Send the parameters themselves."));
        }
        let challenge = one("code_challenge")?.unwrap_or_default();
        let fits = |c: u8| c.is_ascii_alphanumeric() || matches!(c, b'-' | b'_');
        if one("code_challenge_method")? != Some("S256")
            || challenge.len() != CHALLENGE_CHARS
            || !challenge.bytes().all(fits)
        {
            return Err(turn("invalid_request", "Send a code_challenge of the method S256."));
        }
        if !one("aud")?.is_some_and(|aud| place.is_base(aud)) {
            return Err(turn("invalid_request", "Name this server's FHIR address as aud."));
        }
        if one("prompt")? == Some("none") {
            return Err(turn("interaction_required", "Users are always asked here."));
        }
        let nonce = one("nonce")?.map(str::to_owned);
        if nonce.as_ref().is_some_and(|nonce| nonce.len() > NONCE_BYTES_MAX) {
            return Err(turn("invalid_request", "Send a shorter nonce."));
        }
        let asked = Scopes::parse(one("scope")?.unwrap_or_default());
        let asked = asked.ok_or_else(|| turn("invalid_scope", "The scopes cannot be read."))?;
        let no_system =
            |scope: &Scope| !matches!(scope, Scope::Reach(reach) if reach.about == About::System);
        let scopes = asked.within(&app.registration.scopes).filtered(no_system);
        if scopes.is_empty() {
            let say = "Ask for scopes that the app is registered for. A scope's search may name token, reference and uri parameters of its type.";
            return Err(turn("invalid_scope", say));
        }
        let now = self.now();
        let launch = match one("launch")? {
            None => None,
            Some(text) => {
                let taken = self.take_launch(text, app.id, now);
                Some(taken.ok_or_else(|| turn("invalid_request", "The launch is not valid."))?)
            }
        };
        let (text, digest) = token::draw(Use::Request, self.random())?;
        let pending = Pending {
            redirect: redirect.to_owned(),
            state: state.to_owned(),
            challenge: challenge.to_owned(),
            nonce,
            scopes,
            launch,
            chosen: None,
            issuer: place.base.clone(),
            browser,
            until: Millis(now.0.saturating_add(self.settings.request_ms)),
            app,
        };
        let mut waiting = self.pending.lock();
        waiting.retain(|_, pending| now < pending.until);
        if waiting.len() >= PENDING_MAX {
            return Err(turn("temporarily_unavailable", "Try again in a few minutes."));
        }
        waiting.insert(digest, pending);
        Ok(text)
    }

    /// What a request asks, if it is still waiting and began in this browser.
    pub fn waiting(&self, request: &str, browser: &str) -> Option<Ask> {
        self.look(request, browser).map(|(_, pending)| pending.ask())
    }

    fn look(&self, request: &str, browser: &str) -> Option<(Digest, Pending)> {
        let (digest, browser) =
            (token::digest(Use::Request, request)?, token::digest(Use::Browser, browser)?);
        let now = self.now();
        let waiting = self.pending.lock();
        let pending = waiting.get(&digest).filter(|p| p.browser == browser && now < p.until)?;
        Some((digest, pending.clone()))
    }

    /// Notes which patient a user chose. That the user may see that patient is for the caller to
    /// check.
    pub fn choose_patient(
        &self,
        request: &str,
        browser: &str,
        caller: &Caller,
        patient: &str,
    ) -> Result<(), Fault> {
        let (digest, pending) = self.look(request, browser).ok_or_else(over)?;
        let own = own_patient(&caller.principal);
        let given = pending.launch.as_ref().is_some_and(|l| l.shown.patient.is_some());
        if given || !is_id(patient) || own.is_some_and(|own| own != patient) {
            return Err(wrong("patient", "Choose one of the patients that are shown."));
        }
        let mut waiting = self.pending.lock();
        let kept = waiting.get_mut(&digest).ok_or_else(over)?;
        kept.chosen = Some((caller.principal.id, patient.to_owned()));
        Ok(())
    }

    /// Gives an app what its user agreed to, which is at most what it asked for; the address to send
    /// the browser to.
    pub fn approve(
        &self,
        request: &str,
        browser: &str,
        caller: &Caller,
        agreed: &Scopes,
    ) -> Result<Secret, Fault> {
        let (digest, pending) = self.look(request, browser).ok_or_else(over)?;
        let user = &caller.principal;
        if caller.kind != SessionKind::SignIn {
            return Err(wrong("session", "Approving is for people who are signed in."));
        }
        self.ground.identity.need_second_factor(caller)?;
        let ask = pending.ask();
        let strange = ask.launched_by.is_some_and(|by| by != user.id)
            || pending.chosen.as_ref().is_some_and(|(by, _)| *by != user.id)
            || own_patient(user).is_some_and(|own| {
                ask.shown.patient.as_deref().is_some_and(|patient| patient != own)
            });
        if strange {
            return Err(wrong("request", "Somebody else began this. Start the app again."));
        }
        if ask.needs_patient() {
            return Err(wrong("patient", "Choose a patient first."));
        }
        let who = fhir_user(user);
        let possible = |scope: &Scope| match scope {
            Scope::FhirUser | Scope::Profile => who.is_some(),
            Scope::LaunchEncounter => ask.shown.encounter.is_some(),
            Scope::Launch => ask.launched_by.is_some(),
            _ => true,
        };
        let scopes = ask.scopes.within(agreed).filtered(possible);
        if scopes.is_empty() {
            return Err(wrong("scope", "Leave at least one permission, or deny the request."));
        }
        let told = scopes.has(&Scope::OpenId)
            && (scopes.has(&Scope::FhirUser) || scopes.has(&Scope::Profile));
        let now = self.now();
        let (code, kept) = token::draw(Use::Code, self.random())?;
        let coded = Coded {
            app: pending.app.id,
            redirect: pending.redirect.clone(),
            challenge: pending.challenge.clone(),
            nonce: pending.nonce.clone(),
            user: user.id,
            session: caller.session,
            issuer: self.issuer_of(caller)?,
            scopes,
            shown: ask.shown,
            fhir_user: who.filter(|_| told),
            until: Millis(now.0.saturating_add(self.settings.code_ms)),
        };
        {
            let mut codes = self.codes.lock();
            codes.retain(|_, coded| now < coded.until);
            if codes.len() >= CODES_MAX {
                let say = "There are as many requests as the server keeps. Try again later.";
                return Err(Fault::new(&code::OVERLOADED, say));
            }
            // One answer for one request, whoever asks twice at once.
            self.pending.lock().remove(&digest).ok_or_else(over)?;
            codes.insert(kept, coded);
        }
        let pairs = [
            ("code", code.expose()),
            ("state", pending.state.as_str()),
            ("iss", pending.issuer.as_str()),
        ];
        Ok(Secret::new(with_query(&pending.redirect, &pairs)))
    }

    /// Who vouched for a caller, where it was an issuer.
    pub(crate) fn issuer_of(&self, caller: &Caller) -> Result<Option<ByIssuer>, Fault> {
        let (identity, id) = (&self.ground.identity, caller.principal.id);
        let open = identity.sessions(id);
        let Some(name) = open.iter().find(|one| one.id == caller.session).and_then(|s| s.issuer)
        else {
            return Ok(None);
        };
        // Where there is a factor here, that may be what was shown: it is asked for again at each use
        // of what is given, and what is given ends with it.
        let theirs = caller.assurance >= Assurance::Aal2 && !identity.holds_factor(id)?;
        Ok(Some(ByIssuer { name, two_factors: theirs }))
    }

    /// Denies a request; the address to send the browser to.
    pub fn deny(&self, request: &str, browser: &str) -> Result<Secret, Fault> {
        let (digest, pending) = self.look(request, browser).ok_or_else(over)?;
        self.pending.lock().remove(&digest).ok_or_else(over)?;
        let pairs = [
            ("error", "access_denied"),
            ("error_description", "The user denied the request."),
            ("state", pending.state.as_str()),
            ("iss", pending.issuer.as_str()),
        ];
        Ok(Secret::new(with_query(&pending.redirect, &pairs)))
    }
}

impl Pending {
    fn ask(&self) -> Ask {
        let mut shown = self.launch.as_ref().map(|l| l.shown.clone()).unwrap_or_default();
        if let Some((_, patient)) = &self.chosen {
            shown.patient = Some(patient.clone());
        }
        Ask {
            app: Arc::clone(&self.app),
            scopes: self.scopes.clone(),
            shown,
            redirect: self.redirect.clone(),
            launched_by: self.launch.as_ref().map(|launch| launch.user),
        }
    }
}

/// The request was answered, took too long, or never was.
fn over() -> Fault {
    Fault::new(&code::SESSION_EXPIRED, "The request is over. Start the app again.")
}
