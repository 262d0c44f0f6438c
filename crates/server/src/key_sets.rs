//! How apps' registered addresses are asked for their key sets: through the one way out, at exactly the
//! registered origin, by `https`, without a redirect, within small bounds (RFC 7517;
//! <https://hl7.org/fhir/smart-app-launch/STU2.2/client-confidential-asymmetric.html>; attack 41 of the
//! guard's list). How often, and how long a set is kept, `smart` decides.

use base::Fault;
use base::error::code;
use egress::{Bounds, Egress, Origin, Policy, Purpose, Request, Target};
use http::header::{ACCEPT, CACHE_CONTROL};
use http::{HeaderMap, HeaderValue, StatusCode};
use smart::{Fetch, Fetched};
use tokio::runtime::Handle;

/// The bounds of one fetch: somebody waits for a token meanwhile.
const BOUNDS: Bounds = Bounds {
    total_ms: 5000,
    connect_ms: 2000,
    headers: 64,
    head_bytes: 16 << 10,
    body_bytes: 32 << 10,
    sent_bytes: 4 << 10,
    redirects: 0,
};

/// Asks for key sets.
#[derive(Debug)]
pub struct KeySets {
    egress: Egress,
    private: Vec<Origin>,
    runtime: Handle,
}

impl KeySets {
    /// Asks through this way out, on this runtime. Origins of `private` may lie in a private network or
    /// on this machine, and be asked without TLS where they are written so.
    pub const fn new(egress: Egress, private: Vec<Origin>, runtime: Handle) -> Self {
        Self { egress, private, runtime }
    }

    /// What may be reached for one registered address: its own origin and no other.
    fn policy(&self, origin: &Origin, bytes_max: usize) -> Result<Policy, Fault> {
        let private = self.private.contains(origin);
        if !origin.secure && !private {
            let what = "a key set is fetched by https alone";
            return Err(Fault::new(&code::EGRESS_TARGET_DENIED, what));
        }
        let body_bytes = BOUNDS.body_bytes.min(bytes_max);
        Ok(Policy {
            origins: vec![origin.clone()],
            private_origins: if private { vec![origin.clone()] } else { Vec::new() },
            bounds: Bounds { body_bytes, ..BOUNDS },
            ..Policy::default()
        })
    }
}

/// It waits for the answer, so it is called where waiting holds up nobody: never on a thread of the
/// runtime.
impl Fetch for KeySets {
    fn get(&self, url: &str, bytes_max: usize) -> Result<Fetched, Fault> {
        let target = Target::parse(url)?;
        let policy = self.policy(&target.origin, bytes_max)?;
        let mut request = Request::get(target);
        request.headers.insert(ACCEPT, HeaderValue::from_static("application/json"));
        let asked = self.egress.ask(Purpose("key-set"), &policy, request);
        let reply = self.runtime.block_on(asked)?;
        if reply.status != StatusCode::OK {
            let what = "the address of a key set answered with another status than 200";
            return Err(Fault::new(&code::EGRESS_ANSWER_INVALID, what));
        }
        Ok(Fetched { body: reply.body.to_vec(), max_age_s: max_age_s(&reply.headers) })
    }
}

/// For how long an answer may be kept (RFC 9111, 5.2.2). What is not understood of it is as if it
/// forbade to keep it.
fn max_age_s(headers: &HeaderMap) -> Option<u32> {
    let mut said = None;
    for value in headers.get_all(CACHE_CONTROL) {
        let Ok(text) = value.to_str() else { return Some(0) };
        for part in text.split(',') {
            let (name, value) = part.split_once('=').unwrap_or((part, ""));
            let seconds = match name.trim().to_ascii_lowercase().as_str() {
                "no-store" | "no-cache" => 0,
                // Digits beyond what fits mean very long; anything else is nonsense.
                "max-age" => match value.trim().trim_matches('"') {
                    "" => 0,
                    digits if digits.bytes().all(|c| c.is_ascii_digit()) => {
                        digits.parse().unwrap_or(u32::MAX)
                    }
                    _ => 0,
                },
                _ => continue,
            };
            said = Some(said.map_or(seconds, |before: u32| before.min(seconds)));
        }
    }
    said
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_said_of_keeping_is_read_strictly() {
        for (texts, expected) in [
            (&[][..], None),
            (&["public"], None),
            (&["max-age=60"], Some(60)),
            (&["Public, Max-Age=60"], Some(60)),
            (&["max-age=\"60\""], Some(60)),
            (&["max-age=60, no-store"], Some(0)),
            (&["max-age=60", "max-age=5"], Some(5)),
            (&["no-cache=\"Set-Cookie\""], Some(0)),
            (&["max-age=99999999999"], Some(u32::MAX)),
            (&["max-age"], Some(0)),
            (&["max-age=-1"], Some(0)),
            (&["max-age=soon"], Some(0)),
            (&["s-maxage=60"], None),
        ] {
            let mut headers = HeaderMap::new();
            for text in texts {
                headers.append(CACHE_CONTROL, HeaderValue::from_static(text));
            }
            assert_eq!(max_age_s(&headers), expected, "{texts:?}");
        }
    }
}
