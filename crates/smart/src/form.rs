//! What keeps a foreign page from sending this server's forms: each holds a text that only a page of
//! this browser and this session was given (OWASP cross-site request forgery prevention, HMAC-based
//! tokens). The key lives as long as the process; a form from before a restart is asked for again.

use aws_lc_rs::hmac;
use base::Fault;
use identity::{CryptoRandom, Key};
use subtle::ConstantTimeEq as _;

use crate::item;
use crate::smart::Smart;

/// What forms are sealed with.
pub(crate) struct FormKey(hmac::Key);

impl std::fmt::Debug for FormKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("FormKey")
    }
}

impl FormKey {
    pub(crate) fn draw(random: &dyn CryptoRandom) -> Result<Self, Fault> {
        let key = Key::<32>::draw(random)?;
        Ok(Self(hmac::Key::new(hmac::HMAC_SHA256, key.expose())))
    }
}

impl Smart {
    /// The text for the forms of a browser and a session, which is empty before anybody signed in.
    pub fn form_text(&self, browser: &str, session: &str) -> String {
        let mut context = hmac::Context::with_key(&self.form_key.0);
        for part in [browser, session] {
            context.update(&u64::try_from(part.len()).unwrap_or(u64::MAX).to_be_bytes());
            context.update(part.as_bytes());
        }
        item::text(context.sign().as_ref())
    }

    /// Whether a form was one of ours, for this browser and this session.
    pub fn is_own_form(&self, browser: &str, session: &str, given: &str) -> bool {
        let own = self.form_text(browser, session);
        !browser.is_empty() && bool::from(own.as_bytes().ct_eq(given.as_bytes()))
    }
}
