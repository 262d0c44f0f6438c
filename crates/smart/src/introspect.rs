//! What a token is, told to whoever may ask (RFC 7662;
//! <https://hl7.org/fhir/smart-app-launch/STU2.2/token-introspection.html>): an app that is
//! registered for it may ask about every token, by its own proof or with a bearer token of its own;
//! any other app that proves itself may ask about its own tokens. Who is signed in is told by id.

use std::sync::Arc;

use base::Millis;
use serde_json::{Map, Value, json};

use crate::address::{Params, Place};
use crate::app::App;
use crate::assertion::scheme;
use crate::exchange::show;
use crate::families::Family;
use crate::grant::Grant;
use crate::refusal::{Refused, invalid_app};
use crate::smart::Smart;
use crate::token::{self, Use};

impl Smart {
    /// The body of the answer. A token that is over, unknown, or none of the asker's business is
    /// answered the same: it is not active.
    pub fn introspect(
        &self,
        params: &Params,
        authorization: Option<&str>,
        place: &Place,
    ) -> Result<String, Refused> {
        let asker = self.asker(params, authorization, place)?;
        let text = params.need("token", "Send the token.")?;
        let now = self.now();
        let seen = self.seen(text, now).filter(|(family, _, _)| {
            asker.registration.introspects || family.grant.app == asker.id
        });
        let seen = match seen {
            Some((family, grant, ends)) if self.both_able(&grant)? => Some((family, grant, ends)),
            _ => None,
        };
        let Some((family, grant, ends)) = seen else {
            return Ok(json!({ "active": false }).to_string());
        };
        let mut body = Map::new();
        let mut put = |name: &str, value: Value| {
            body.insert(name.to_owned(), value);
        };
        put("active", json!(true));
        put("token_type", json!("Bearer"));
        put("scope", json!(grant.scopes.to_string()));
        put("client_id", json!(grant.app.to_string()));
        put("aud", json!(place.base));
        put("exp", json!(ends.0.div_euclid(1000)));
        if family.told {
            put("iss", json!(place.base));
        }
        if let Some(user) = grant.user {
            put("sub", json!(user.to_string()));
        }
        if let Some(who) = &grant.fhir_user {
            put("fhirUser", json!(format!("{}/{who}", place.base)));
        }
        // Who acts for the subject (RFC 8693, 4.1).
        if self.is_agent(grant.app) {
            body.insert("act".to_owned(), json!({ "sub": grant.app.to_string() }));
        }
        show(&grant.shown, &mut body);
        Ok(Value::Object(body).to_string())
    }

    /// Which app asks.
    fn asker(
        &self,
        params: &Params,
        authorization: Option<&str>,
        place: &Place,
    ) -> Result<Arc<App>, Refused> {
        let bearer = authorization.and_then(|text| scheme(text, "Bearer"));
        let Some(bearer) = bearer else {
            let proven = self.prove(params, authorization, place)?;
            // Whoever cannot keep a secret is not told what a token it found is worth.
            let secret = proven.signed || proven.app.secret.is_some();
            return if secret { Ok(proven.app) } else { Err(invalid_app()) };
        };
        let found = self.find(bearer, None).ok().and_then(|found| found.grant);
        let app = found.and_then(|grant| self.app(grant.app));
        app.filter(|app| app.registration.introspects).ok_or_else(invalid_app)
    }

    fn seen(&self, text: &str, now: Millis) -> Option<(Family, Arc<Grant>, Millis)> {
        if let Some((id, digest)) = token::refresh(text) {
            let family = self.families.get(id)?;
            let good = family.refresh == Some(digest) && now < family.ends;
            let (grant, ends) = (Arc::clone(&family.grant), family.ends);
            return good.then_some((family, grant, ends));
        }
        self.families.of_access(token::digest(Use::Access, text)?, now)
    }

    fn both_able(&self, grant: &Grant) -> Result<bool, Refused> {
        if self.is_agent(grant.app) {
            // As at a request: what the door would refuse is not active.
            return match self.acting(grant)? {
                Some((_, user)) => Ok(self.has_factors(&user, grant.issuer)?),
                None => Ok(false),
            };
        }
        let user = match grant.user {
            Some(user) => self.may_give(user, grant.issuer)?,
            None => true,
        };
        Ok(user && self.able(grant.app)?.is_some())
    }
}
