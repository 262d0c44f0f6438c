//! The token endpoint: a code, a refresh token, or a service's own proof for an access token (RFC
//! 6749, 4.1.3, 4.4 and 6; RFC 7636, 4.6;
//! <https://hl7.org/fhir/smart-app-launch/STU2.2/app-launch.html#obtain-access-token>,
//! <https://hl7.org/fhir/smart-app-launch/STU2.2/backend-services.html>).
//!
//! A code is worth one try. A refresh token is worth one use, and the family ends with its second:
//! one of the two who have it is a thief.

use std::sync::Arc;

use base::{Fault, Millis};
use identity::{Asker, By, Kind, PrincipalId, Secret, SessionId};
use serde_json::{Map, Value, json};
use sha2::{Digest as _, Sha256};
use subtle::ConstantTimeEq as _;

use crate::address::{Params, Place};
use crate::app::Proves;
use crate::assertion::Proven;
use crate::authorize::Coded;
use crate::delegation::{ACCESS_TOKEN, EXCHANGE};
use crate::families::{Access, Family};
use crate::grant::{Grant, GrantId, Shown};
use crate::item;
use crate::reach::About;
use crate::refusal::{
    Refused, busy, invalid_app, invalid_grant, invalid_scope, unauthorized_app, unsupported_grant,
};
use crate::scope::{Scope, Scopes};
use crate::smart::Smart;
use crate::token::{self, Digest, Use};

/// Characters of a `code_verifier` (RFC 7636, 4.1).
const VERIFIER_CHARS: std::ops::RangeInclusive<usize> = 43..=128;

/// What an app gets.
#[derive(Debug)]
pub struct Issued {
    /// For which app, for the access log.
    pub app: PrincipalId,
    /// By which user.
    pub user: Option<PrincipalId>,
    access: Secret,
    expires_in_s: i64,
    scopes: Scopes,
    refresh: Option<Secret>,
    id_token: Option<Secret>,
    shown: Shown,
    /// Whether it came of a token exchange, whose answer says of what type the token is.
    exchanged: bool,
}

impl Issued {
    /// What an agent gets that acts for somebody.
    pub(crate) fn exchanged(access: Secret, expires_in_s: i64, grant: &Grant) -> Self {
        Self {
            app: grant.app,
            user: grant.user,
            access,
            expires_in_s,
            scopes: grant.scopes.clone(),
            refresh: None,
            id_token: None,
            shown: grant.shown.clone(),
            exchanged: true,
        }
    }

    /// The body of the answer.
    pub fn body(&self) -> Secret {
        let mut body = Map::new();
        let mut put = |name: &str, value: Value| {
            body.insert(name.to_owned(), value);
        };
        put("access_token", json!(self.access.expose()));
        put("token_type", json!("Bearer"));
        if self.exchanged {
            put("issued_token_type", json!(ACCESS_TOKEN));
        }
        put("expires_in", json!(self.expires_in_s));
        put("scope", json!(self.scopes.to_string()));
        if let Some(refresh) = &self.refresh {
            put("refresh_token", json!(refresh.expose()));
        }
        if let Some(id_token) = &self.id_token {
            put("id_token", json!(id_token.expose()));
        }
        show(&self.shown, &mut body);
        Secret::new(Value::Object(body).to_string())
    }
}

/// The context, as members of an answer.
pub(crate) fn show(shown: &Shown, body: &mut Map<String, Value>) {
    let texts =
        [("patient", &shown.patient), ("encounter", &shown.encounter), ("intent", &shown.intent)];
    for (name, text) in texts {
        if let Some(text) = text {
            body.insert(name.to_owned(), json!(text));
        }
    }
    if let Some(needed) = shown.need_patient_banner {
        body.insert("need_patient_banner".to_owned(), json!(needed));
    }
}

impl Smart {
    /// Answers a request for a token.
    pub fn token(
        &self,
        params: &Params,
        authorization: Option<&str>,
        place: &Place,
    ) -> Result<Issued, Refused> {
        self.token_asked(params, authorization, place, Asker::default())
    }

    /// As [`Smart::token`], with the request and the source that the access log is told of.
    pub fn token_asked(
        &self,
        params: &Params,
        authorization: Option<&str>,
        place: &Place,
        asker: Asker,
    ) -> Result<Issued, Refused> {
        let kind = params.need("grant_type", "Name a grant_type.")?;
        if !matches!(kind, "authorization_code" | "refresh_token" | "client_credentials" | EXCHANGE)
        {
            return Err(unsupported_grant());
        }
        let unnamed = authorization.is_none()
            && params.one("client_id")?.is_none()
            && params.one("client_assertion")?.is_none();
        let proven = if kind == "refresh_token" && unnamed {
            self.bearer_of_refresh(params)?
        } else {
            self.prove(params, authorization, place)?
        };
        match kind {
            "authorization_code" => self.by_code(params, &proven, place),
            "refresh_token" => self.by_refresh(params, &proven),
            EXCHANGE => self.by_exchange(params, &proven, place, asker),
            _ => self.by_itself(params, &proven),
        }
    }

    fn by_code(&self, params: &Params, proven: &Proven, place: &Place) -> Result<Issued, Refused> {
        let code = params.need("code", "Send the code.")?;
        let digest = token::digest(Use::Code, code).ok_or_else(invalid_grant)?;
        let _writing = self.write();
        // Whatever comes of it, the code is spent.
        let coded = self.codes.lock().remove(&digest);
        let Some(coded) = coded else {
            // Shown again: whoever has it now, what it gave is in doubt.
            if let Some(id) = self.families.of_code(digest) {
                self.end(&[id])?;
            }
            return Err(invalid_grant());
        };
        let now = self.now();
        let verifier = params.one("code_verifier")?.unwrap_or_default();
        let fits = coded.app == proven.app.id
            && now < coded.until
            && params.one("redirect_uri")? == Some(coded.redirect.as_str())
            && verifies(verifier, &coded.challenge);
        // As of now, not of a second ago: what is given here outlives the code by months.
        let able = self.able_now(coded.user)?.is_some();
        if !fits || !able || !self.may_give(coded.user, coded.issuer)? {
            return Err(invalid_grant());
        }
        self.make_room(coded.app, Some(coded.user))?;
        self.give(coded, digest, place, now)
    }

    /// Makes a family of what a user agreed to.
    fn give(
        &self,
        coded: Coded,
        code: Digest,
        place: &Place,
        now: Millis,
    ) -> Result<Issued, Refused> {
        let id = self.grant_id(now)?;
        let lasting = coded.scopes.has(&Scope::Offline) || coded.scopes.has(&Scope::Online);
        let grant = Grant {
            id,
            app: coded.app,
            user: Some(coded.user),
            scopes: coded.scopes,
            shown: coded.shown,
            fhir_user: coded.fhir_user,
            session: Some(coded.session),
            issuer: coded.issuer,
            created: now,
        };
        let ends = Millis(now.0.saturating_add(self.settings.access_ms));
        let (access, access_digest) = token::draw(Use::Access, self.random())?;
        let refresh = if lasting { Some(token::draw_refresh(id, self.random())?) } else { None };
        let (refresh, fresh) = refresh.unzip();
        let id_token = if grant.scopes.has(&Scope::OpenId) {
            self.id_token(&grant, coded.nonce.as_deref(), place, now, ends)?
        } else {
            None
        };
        let family = Family {
            version: None,
            access: vec![Access { digest: access_digest, ends, scopes: None }],
            refresh: fresh,
            code: Some(code),
            told: id_token.is_some(),
            used: now,
            ends: if lasting { self.refreshable(now) } else { ends },
            grant: Arc::new(grant),
        };
        let grant = Arc::clone(&family.grant);
        self.keep(family, fresh)?;
        Ok(Issued {
            app: grant.app,
            user: grant.user,
            access,
            expires_in_s: self.settings.access_ms / 1000,
            scopes: grant.scopes.clone(),
            refresh,
            id_token,
            shown: grant.shown.clone(),
            exchanged: false,
        })
    }

    /// The public app whose refresh token this is: SMART has it send nothing else.
    fn bearer_of_refresh(&self, params: &Params) -> Result<Proven, Refused> {
        let text = params.need("refresh_token", "Send the refresh token.")?;
        let (id, _) = token::refresh(text).ok_or_else(invalid_grant)?;
        let family = self.families.get(id).ok_or_else(invalid_grant)?;
        let able = self.able_app(&family.grant.app.to_string())?;
        let (app, principal) = able.ok_or_else(invalid_grant)?;
        if app.registration.proves != Proves::Not {
            return Err(invalid_app());
        }
        Ok(Proven { app, principal, signed: false })
    }

    fn by_refresh(&self, params: &Params, proven: &Proven) -> Result<Issued, Refused> {
        let text = params.need("refresh_token", "Send the refresh token.")?;
        let (id, digest) = token::refresh(text).ok_or_else(invalid_grant)?;
        let _writing = self.write();
        let family = self.families.get(id).ok_or_else(invalid_grant)?;
        if family.grant.app != proven.app.id {
            return Err(invalid_grant());
        }
        if family.refresh != Some(digest) {
            // Known, and used before: one of the two who have it is a thief.
            if self.was_refresh(id, digest)? {
                self.end(&[id])?;
            }
            return Err(invalid_grant());
        }
        let now = self.now();
        if now >= family.ends || !self.still_able(&family.grant)? {
            return Err(invalid_grant());
        }
        // What the app may be given may have become less since.
        let whole = family.grant.scopes.within(&proven.app.registration.scopes);
        let scopes = match params.one("scope")? {
            None => whole,
            Some(text) => {
                let asked = Scopes::parse(text).ok_or_else(invalid_scope)?;
                let understood = text.split(' ').filter(|word| !word.is_empty()).count();
                // What was not understood was never given.
                if understood != asked.iter().count() || !whole.covers(&asked) {
                    return Err(invalid_scope());
                }
                asked
            }
        };
        if scopes.is_empty() {
            return Err(invalid_scope());
        }
        let (access, access_digest) = token::draw(Use::Access, self.random())?;
        let (refresh, fresh) = token::draw_refresh(id, self.random())?;
        let ends = Millis(now.0.saturating_add(self.settings.access_ms));
        let narrowed = Some(scopes.clone()).filter(|scopes| *scopes != family.grant.scopes);
        let mut next =
            Family { refresh: Some(fresh), used: now, ends: self.refreshable(now), ..family };
        next.add_access(Access { digest: access_digest, ends, scopes: narrowed }, now);
        let grant = Arc::clone(&next.grant);
        self.keep(next, Some(fresh))?;
        Ok(Issued {
            app: grant.app,
            user: grant.user,
            access,
            expires_in_s: self.settings.access_ms / 1000,
            scopes,
            refresh: Some(refresh),
            id_token: None,
            shown: grant.shown.clone(),
            exchanged: false,
        })
    }

    /// Whether whoever gave it may still act, and, when it was given for as long as they are signed
    /// in, whether they are.
    fn still_able(&self, grant: &Grant) -> Result<bool, Fault> {
        let Some(user) = grant.user else { return Ok(false) };
        let online = !grant.scopes.has(&Scope::Offline);
        let here = |id: SessionId| self.ground.identity.sessions(user).iter().any(|s| s.id == id);
        let able = self.may_give(user, grant.issuer)?;
        Ok(able && (!online || grant.session.is_some_and(here)))
    }

    fn by_itself(&self, params: &Params, proven: &Proven) -> Result<Issued, Refused> {
        let registration = &proven.app.registration;
        if !proven.signed || !registration.is_service() {
            return Err(unauthorized_app());
        }
        let asked = params.need("scope", "Name the system scopes.")?;
        let asked = Scopes::parse(asked).ok_or_else(invalid_scope)?;
        let system =
            |scope: &Scope| matches!(scope, Scope::Reach(reach) if reach.about == About::System);
        let scopes = asked.filtered(system).within(&registration.scopes);
        if scopes.is_empty() {
            return Err(invalid_scope());
        }
        let now = self.now();
        let _writing = self.write();
        match self.make_room(proven.app.id, None) {
            Err(fault) if fault.code() == &base::error::code::OVERLOADED => return Err(busy()),
            other => other?,
        }
        let ends = Millis(now.0.saturating_add(self.settings.service_access_ms));
        let (access, digest) = token::draw(Use::Access, self.random())?;
        let grant = Grant {
            id: self.grant_id(now)?,
            app: proven.principal.id,
            user: None,
            scopes: scopes.clone(),
            shown: Shown::default(),
            fhir_user: None,
            session: None,
            issuer: None,
            created: now,
        };
        let family = Family {
            grant: Arc::new(grant),
            version: None,
            access: vec![Access { digest, ends, scopes: None }],
            refresh: None,
            code: None,
            told: false,
            used: now,
            ends,
        };
        self.keep(family, None)?;
        Ok(Issued {
            app: proven.app.id,
            user: None,
            access,
            expires_in_s: self.settings.service_access_ms / 1000,
            scopes,
            refresh: None,
            id_token: None,
            shown: Shown::default(),
            exchanged: false,
        })
    }

    /// Takes back a token (RFC 7009): an access token alone, or with a refresh token everything that
    /// came of the grant. What is not the app's own, or not known, is not told apart from what is.
    pub fn revoke_token(
        &self,
        params: &Params,
        authorization: Option<&str>,
        place: &Place,
    ) -> Result<(), Refused> {
        let proven = self.prove(params, authorization, place)?;
        let text = params.need("token", "Send the token.")?;
        let writing = self.write();
        if let Some((id, digest)) = token::refresh(text) {
            let family = self.families.get(id);
            let own = family.is_some_and(|family| family.grant.app == proven.app.id);
            if own && self.was_refresh(id, digest)? {
                self.end(&[id])?;
            }
            return Ok(());
        }
        let found = token::digest(Use::Access, text)
            .and_then(|digest| Some((digest, self.families.of_access(digest, self.now())?)));
        if let Some((digest, (mut family, _, _))) = found
            && family.grant.app == proven.app.id
        {
            // A delegation has the one token, and ends with it.
            if proven.principal.kind == Kind::Agent {
                let own = |grant: &Grant| grant.id == family.grant.id;
                drop(writing);
                self.revoke_by(By::Principal(proven.app.id), own)?;
                return Ok(());
            }
            family.access.retain(|access| access.digest != digest);
            let id = family.grant.id;
            self.keep(family, None)?;
            // What was given by it ends with it. By which of the app's tokens that was is not kept.
            self.end_through(id, By::Principal(proven.app.id))?;
        }
        Ok(())
    }

    fn refreshable(&self, now: Millis) -> Millis {
        Millis(now.0.saturating_add(self.settings.refresh_ms))
    }

    pub(crate) fn grant_id(&self, now: Millis) -> Result<GrantId, Fault> {
        let mut drawn = [0; 16];
        self.random().fill(&mut drawn)?;
        let mut words = Words(u128::from_le_bytes(drawn));
        Ok(GrantId(base::id::uuid_v7(now, &mut words)))
    }
}

/// Hands out bits that were drawn before, for an id asks for exactly two words.
#[derive(Debug)]
struct Words(u128);

impl base::id::Random for Words {
    fn next_u64(&mut self) -> u64 {
        let word = u64::try_from(self.0 & u128::from(u64::MAX)).unwrap_or_default();
        self.0 >>= 64;
        word
    }
}

/// Whether a verifier is what the challenge was made of.
fn verifies(verifier: &str, challenge: &str) -> bool {
    let fits = |c: u8| c.is_ascii_alphanumeric() || matches!(c, b'-' | b'.' | b'_' | b'~');
    if !VERIFIER_CHARS.contains(&verifier.len()) || !verifier.bytes().all(fits) {
        return false;
    }
    let made = item::text(&Sha256::digest(verifier));
    made.as_bytes().ct_eq(challenge.as_bytes()).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_challenge_is_that_of_the_rfc() {
        // RFC 7636, appendix B.
        let verifier = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
        let challenge = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";
        assert!(verifies(verifier, challenge));
        assert!(!verifies(challenge, challenge), "plain");
        assert!(!verifies("", challenge));
        assert!(!verifies(&verifier[..42], challenge));
    }

    #[test]
    fn an_answer_holds_what_the_specification_names() {
        let issued = Issued {
            app: PrincipalId::new([1; 16]),
            user: None,
            access: Secret::from("a"),
            expires_in_s: 900,
            scopes: Scopes::parse("openid patient/*.rs").expect("scopes"),
            refresh: Some(Secret::from("r")),
            id_token: None,
            shown: Shown {
                patient: Some("ada".into()),
                need_patient_banner: Some(false),
                ..Shown::default()
            },
            exchanged: false,
        };
        let body: Value = serde_json::from_str(issued.body().expose()).expect("JSON");
        let expected = json!({
            "access_token": "a", "token_type": "Bearer", "expires_in": 900,
            "scope": "openid patient/*.rs", "refresh_token": "r", "patient": "ada",
            "need_patient_banner": false,
        });
        assert_eq!(body, expected);
        assert!(!format!("{issued:?}").contains("ada"));
    }

    #[test]
    fn a_refusal_is_of_oauth() {
        let body: Value = serde_json::from_str(&crate::refusal::invalid_request("Mend it.").body())
            .expect("JSON");
        assert_eq!(body, json!({ "error": "invalid_request", "error_description": "Mend it." }));
    }
}
