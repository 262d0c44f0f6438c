//! What a site may decide about signing in. The defaults are those of HIPAA's usual reading of
//! automatic log-off (45 CFR 164.312(a)(2)(iii)) and of NIST SP 800-63B 4.2.3 for AAL2.

use base::Fault;

use crate::demand::Demand;
use crate::kdf::Cost;
use crate::principal::{LABEL_BYTES_MAX, invalid, printable};

const MINUTE_MS: i64 = 60_000;
const HOUR_MS: i64 = 60 * MINUTE_MS;
const DAY_MS: i64 = 24 * HOUR_MS;

/// The settings of identity. Times are milliseconds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// After so long without a request a session ends. Longer is easier at the bedside, and leaves
    /// an abandoned screen open longer.
    pub idle_ms: i64,
    /// After so long a session ends whatever happens.
    pub absolute_ms: i64,
    /// For so long after a factor was shown, what needs step-up is permitted.
    pub step_up_ms: i64,
    /// The longest a script token may live.
    pub script_ttl_max_ms: i64,
    /// How often at most the last use of one session is written durably.
    pub touch_ms: i64,
    /// How long the second step of a sign-in, or of enrolling an authenticator, is waited for.
    pub second_step_ms: i64,
    /// How long a claim code is valid.
    pub claim_ms: i64,
    /// Sessions and script tokens in all; each takes about 600 bytes of memory.
    pub sessions_max: usize,
    /// Sessions of one principal, and script tokens of one principal. One more sign-in ends the
    /// session unused for longest; one more script token is refused.
    pub sessions_each_max: usize,
    /// What a password costs.
    pub cost: Cost,
    /// How many passwords are hashed at once; each takes [`Cost::memory_kib`].
    pub hashes_at_once: usize,
    /// What authenticators show beside the name.
    pub issuer: String,
    /// Names that no password may contain.
    pub site_names: Vec<String>,
    /// The role that makes an administrator.
    pub administrator_role: String,
    /// Whether everybody may sign in with what they have here; else administrators alone, and all
    /// others by an issuer.
    pub local: bool,
    /// Of whom a second factor is demanded.
    pub second_factor: Demand,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            idle_ms: 15 * MINUTE_MS,
            absolute_ms: 12 * HOUR_MS,
            step_up_ms: 5 * MINUTE_MS,
            script_ttl_max_ms: 90 * DAY_MS,
            touch_ms: MINUTE_MS,
            second_step_ms: 5 * MINUTE_MS,
            claim_ms: DAY_MS,
            sessions_max: 100_000,
            sessions_each_max: 32,
            cost: Cost::default(),
            hashes_at_once: 4,
            issuer: "Plummer".to_owned(),
            site_names: Vec::new(),
            administrator_role: "it-administrator".to_owned(),
            local: true,
            second_factor: Demand::default(),
        }
    }
}

impl Settings {
    /// Refuses what makes no sense, by the name of the setting.
    pub fn check(&self) -> Result<(), Fault> {
        let times = [
            ("idle_ms", self.idle_ms),
            ("absolute_ms", self.absolute_ms),
            ("step_up_ms", self.step_up_ms),
            ("script_ttl_max_ms", self.script_ttl_max_ms),
            ("touch_ms", self.touch_ms),
            ("second_step_ms", self.second_step_ms),
            ("claim_ms", self.claim_ms),
        ];
        for (name, value) in times {
            if !(1..=3660 * DAY_MS).contains(&value) {
                return Err(invalid(name, "Give a time above nothing and below ten years."));
            }
        }
        if self.idle_ms > self.absolute_ms {
            return Err(invalid("idle_ms", "It must not be longer than absolute_ms."));
        }
        if self.touch_ms > self.idle_ms {
            return Err(invalid("touch_ms", "It must not be longer than idle_ms."));
        }
        let counts = [
            ("sessions_max", self.sessions_max, 10_000_000),
            ("sessions_each_max", self.sessions_each_max, 1000),
            ("hashes_at_once", self.hashes_at_once, 1024),
        ];
        for (name, value, max) in counts {
            if !(1..=max).contains(&value) {
                return Err(invalid(name, "Give a number from one to what the page of it says."));
            }
        }
        self.second_factor.check()?;
        if self.cost.params().is_none() {
            return Err(invalid("cost", "The cost of a password is out of bounds."));
        }
        for (name, text) in
            [("issuer", &self.issuer), ("administrator_role", &self.administrator_role)]
        {
            if text.is_empty() || !printable(text, LABEL_BYTES_MAX) {
                return Err(invalid(name, "Give a name of at most 64 bytes."));
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_defaults_are_sound_and_as_promised() {
        let settings = Settings::default();
        settings.check().expect("sound");
        assert_eq!((settings.idle_ms, settings.absolute_ms), (900_000, 43_200_000));
        assert_eq!(settings.cost, Cost { memory_kib: 65_536, passes: 3, lanes: 1 });
    }

    #[test]
    fn what_makes_no_sense_is_refused_by_name() {
        let base = Settings::default;
        for (name, bad) in [
            ("idle_ms", Settings { idle_ms: 0, ..base() }),
            ("idle_ms", Settings { idle_ms: 13 * HOUR_MS, ..base() }),
            ("touch_ms", Settings { touch_ms: HOUR_MS, ..base() }),
            ("sessions_max", Settings { sessions_max: 0, ..base() }),
            ("hashes_at_once", Settings { hashes_at_once: 2000, ..base() }),
            ("cost", Settings { cost: Cost { memory_kib: 1, passes: 1, lanes: 1 }, ..base() }),
            ("administrator_role", Settings { administrator_role: String::new(), ..base() }),
        ] {
            let fault = bad.check().expect_err(name);
            assert_eq!(fault.issues[0].expression.as_deref(), Some(name));
        }
    }
}
