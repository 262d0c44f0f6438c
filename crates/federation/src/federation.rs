//! Sending a browser to an issuer and taking it back: the code flow with a challenge, a nonce and a
//! state (`OpenID` Connect Core 1.0, 3.1; RFC 7636; RFC 9207), and the trail of what is not believed
//! (45 CFR 164.308(a)(5)(ii)(C), log-in monitoring).

use base::error::code;
use base::{Clock, Fault};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use identity::vouched::not_taken;
use identity::{CryptoRandom, Identity, IssuerName, Secret, Step, Welcome};
use search::parse::encode_query;
use serde::Deserialize;
use sha2::{Digest as _, Sha256};
use smart::Params;
use smart::address::with_query;
use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use tracing::{info, warn};
use zeroize::Zeroize as _;

use crate::ask::Ask;
use crate::claims::vouched;
use crate::doubt::{Doubt, Trouble, unavailable, unbelieved};
use crate::issuer::{Issuer, check};
use crate::known::{Document, Known};
use crate::token::{Expected, Token};
use crate::waiting::{Drawn, NEXT_BYTES_MAX, Table, Waiting};

/// Asked at once of one issuer: each keeps a thread of the server waiting, and one issuer that does not
/// answer must not keep the users of another from signing in.
const ASKING_EACH_MAX: usize = 4;
/// Bytes of a code.
const CODE_BYTES_MAX: usize = 4096;

/// An issuer, what proves this site to it, and how it is asked.
#[derive(Debug)]
pub struct Party {
    /// What the site says of it.
    pub issuer: Issuer,
    /// The secret of this site there; none for a public client.
    pub secret: Option<Secret>,
    /// How it is asked.
    pub ask: Arc<dyn Ask>,
}

/// What federation stands on.
#[derive(Debug)]
pub struct Ground {
    /// What tells it the time.
    pub clock: Arc<dyn Clock>,
    /// Where states and nonces come from.
    pub random: Arc<dyn CryptoRandom>,
    /// The role that no issuer gives.
    pub administrator_role: String,
}

/// A sign-in that begins.
#[derive(Debug)]
pub struct Begun {
    /// Where the browser goes.
    pub address: Secret,
    /// What it is known again by, for ten minutes.
    pub browser: Secret,
}

/// A sign-in that came back and was believed.
#[derive(Debug)]
pub struct Arrived {
    /// What the door gave when it began.
    pub next: String,
    /// Where it stands: a session, or the second factor that somebody has here.
    pub step: Step,
}

/// All issuers of a site.
#[derive(Debug)]
pub struct Federation {
    ground: Ground,
    parties: Vec<Counted>,
    waiting: Table,
}

/// An issuer with what is known of it, and how many ask it at this moment.
#[derive(Debug)]
struct Counted {
    party: Party,
    known: Known,
    asking: AtomicUsize,
}

#[derive(Deserialize)]
struct Issued {
    id_token: String,
    access_token: String,
    token_type: String,
}

impl Drop for Issued {
    fn drop(&mut self) {
        self.id_token.zeroize();
        self.access_token.zeroize();
    }
}

impl Federation {
    /// The issuers of a site, if what is said of them makes sense. None is asked anything yet.
    ///
    /// # Errors
    /// `server.parameter.invalid`, naming the issuer and the entry.
    pub fn new(ground: Ground, parties: Vec<Party>) -> Result<Self, Fault> {
        let issuers: Vec<_> = parties.iter().map(|party| party.issuer.clone()).collect();
        check(&issuers, &ground.administrator_role)?;
        let counted =
            |party| Counted { party, known: Known::default(), asking: AtomicUsize::new(0) };
        let parties = parties.into_iter().map(counted).collect();
        Ok(Self { ground, parties, waiting: Table::default() })
    }

    /// The issuers there are, in the order of the settings.
    pub fn issuers(&self) -> impl Iterator<Item = &Issuer> {
        self.parties.iter().map(|one| &one.party.issuer)
    }

    /// Begins a sign-in that comes back to `redirect`, and is then told `next` again.
    ///
    /// # Errors
    /// `server.route.unknown` when there is no such issuer; `identity.federated.unavailable`.
    pub fn begin(&self, name: &str, redirect: &str, next: &str) -> Result<Begun, Fault> {
        let none = || Fault::new(&code::UNKNOWN_ROUTE, "there is nothing here");
        let at = self.find(name).ok_or_else(none)?;
        let one = self.parties.get(at).ok_or_else(none)?;
        let (issuer, now) = (&one.party.issuer, self.ground.clock.now());
        let document = one.asked(|| one.known.document(issuer, &*one.party.ask, now))?;
        let drawn = Drawn::draw(self.ground.random.as_ref())?;
        let next = if next.len() <= NEXT_BYTES_MAX { next } else { "" };
        self.waiting.keep(&drawn, at, redirect, next, now);
        Ok(Begun { address: request(issuer, &document, redirect, &drawn), browser: drawn.browser })
    }

    /// Takes back a browser that an issuer sent to the address of `name`, and signs its user in.
    ///
    /// # Errors
    /// `identity.federated.invalid` for whatever is not believed, `identity.federated.refused` for
    /// whom this site does not take, `identity.federated.unavailable` when the issuer does not answer.
    pub fn finish(
        &self,
        identity: &Identity,
        name: &str,
        params: &Params,
        browser: &str,
        source: IpAddr,
    ) -> Result<Arrived, Fault> {
        let none = || Fault::new(&code::UNKNOWN_ROUTE, "there is nothing here");
        let at = self.find(name).ok_or_else(none)?;
        let one = self.parties.get(at).ok_or_else(none)?;
        let issuer = one.party.issuer.name;
        match self.believed(one, at, params, browser) {
            Ok((_, None)) => {
                identity.note_unbelieved(issuer, source)?;
                warn!(%issuer, why = "email-domain", "a sign-in by an issuer was refused");
                Err(not_taken())
            }
            Ok((next, Some(vouched))) => match identity.vouch(&vouched, source)? {
                Welcome::In(step) => {
                    info!(%issuer, "somebody signed in by an issuer");
                    Ok(Arrived { next, step })
                }
                Welcome::Not(why) => {
                    warn!(%issuer, why = why.word(), "a sign-in by an issuer was refused");
                    Err(not_taken())
                }
            },
            Err(Trouble::Doubt(doubt)) => {
                identity.note_unbelieved(issuer, source)?;
                warn!(%issuer, why = doubt.word(), "what came from an issuer was not believed");
                Err(unbelieved())
            }
            Err(Trouble::Failed(fault)) => Err(fault),
        }
    }

    fn find(&self, name: &str) -> Option<usize> {
        let name = IssuerName::parse(name)?;
        self.parties.iter().position(|one| one.party.issuer.name == name)
    }

    fn believed(
        &self,
        counted: &Counted,
        at: usize,
        params: &Params,
        browser: &str,
    ) -> Result<(String, Option<identity::Vouched>), Trouble> {
        let Counted { party, known, .. } = counted;
        let (issuer, now) = (&party.issuer, self.ground.clock.now());
        let one = |name: &str| params.one(name).map_err(|_twice| Doubt::State);
        let state = one("state")?.ok_or(Doubt::State)?;
        let waiting = self.waiting.take(state, browser, now)?;
        // Each issuer has an address of its own, so that an answer of one is never taken to another.
        if waiting.issuer != at {
            return Err(Doubt::Issuer.into());
        }
        let document = counted.asked(|| known.document(issuer, &*party.ask, now))?;
        match one("iss")? {
            Some(named) if named != issuer.issuer => return Err(Doubt::Issuer.into()),
            None if document.names_itself => return Err(Doubt::Issuer.into()),
            _ => {}
        }
        if one("error")?.is_some() {
            return Err(Doubt::Declined.into());
        }
        let code = one("code")?.filter(|code| code.len() <= CODE_BYTES_MAX).ok_or(Doubt::Code)?;
        let issued = counted.trade(&document, code, &waiting)?;
        let token = Token::parse(&issued.id_token, &issuer.allowed())?;
        let keys = counted.asked(|| known.keys(issuer, &document, &*party.ask, &token.kid, now))?;
        let expected = Expected {
            issuer: &issuer.issuer,
            client: &issuer.client_id,
            nonce: waiting.nonce.expose(),
            access_token: &issued.access_token,
            max_age_s: issuer.max_age_s,
            now,
        };
        let claims = token.believe(&keys, &expected)?;
        Ok((waiting.next, vouched(issuer, &claims, now)))
    }
}

impl Counted {
    /// Trades a code for tokens.
    fn trade(&self, document: &Document, code: &str, waiting: &Waiting) -> Result<Issued, Trouble> {
        let party = &self.party;
        let id = party.issuer.client_id.as_str();
        let mut pairs = vec![
            ("grant_type", "authorization_code"),
            ("code", code),
            ("redirect_uri", &waiting.redirect),
            ("code_verifier", waiting.verifier.expose()),
        ];
        let mut basic = None;
        match &party.secret {
            None => pairs.push(("client_id", id)),
            Some(secret) if document.secret_in_form => {
                pairs.extend([("client_id", id), ("client_secret", secret.expose())]);
            }
            Some(secret) => {
                let joined = format!("{}:{}", encoded(id), encoded(secret.expose()));
                basic = Some(Secret::new(joined));
            }
        }
        let form = encode(&pairs);
        let answer = self.asked(|| party.ask.post(&document.token, &form, basic.as_ref()))?;
        if answer.status >= 500 {
            return Err(unavailable().into());
        }
        let issued: Option<Issued> = serde_json::from_slice(&answer.body).ok();
        let issued = issued.filter(|issued| {
            answer.status == 200 && issued.token_type.eq_ignore_ascii_case("bearer")
        });
        Ok(issued.ok_or(Doubt::Answer)?)
    }

    /// Asks the issuer, as long as few do. What goes wrong is told in one sentence; the
    /// way out has logged what it was.
    fn asked<T>(&self, work: impl FnOnce() -> Result<T, Fault>) -> Result<T, Fault> {
        let _slot = Slot::take(&self.asking)?;
        let issuer = self.party.issuer.name;
        work().map_err(|fault| {
            warn!(%issuer, code = fault.code().name, "an issuer could not be asked");
            unavailable()
        })
    }
}

/// A place among those who ask one issuer.
struct Slot<'a>(&'a AtomicUsize);

impl<'a> Slot<'a> {
    fn take(asking: &'a AtomicUsize) -> Result<Self, Fault> {
        if asking.fetch_add(1, Ordering::AcqRel) >= ASKING_EACH_MAX {
            asking.fetch_sub(1, Ordering::AcqRel);
            let say = "Many people sign in at this moment. Try again in a few seconds.";
            return Err(Fault::new(&code::OVERLOADED, say));
        }
        Ok(Self(asking))
    }
}

impl Drop for Slot<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::AcqRel);
    }
}

/// Where the browser goes.
fn request(issuer: &Issuer, document: &Document, redirect: &str, drawn: &Drawn) -> Secret {
    let mut scope = "openid".to_owned();
    for word in issuer.scopes.iter().filter(|word| *word != "openid") {
        scope.push(' ');
        scope.push_str(word);
    }
    let challenge = URL_SAFE_NO_PAD.encode(Sha256::digest(drawn.verifier.expose()));
    let acr = issuer.second_factor_acr.join(" ");
    let age = issuer.max_age_s.map(|seconds| seconds.to_string());
    let mut pairs = vec![
        ("response_type", "code"),
        ("client_id", &issuer.client_id),
        ("redirect_uri", redirect),
        ("scope", &scope),
        ("state", drawn.state.expose()),
        ("nonce", drawn.nonce.expose()),
        ("code_challenge", &challenge),
        ("code_challenge_method", "S256"),
    ];
    if !acr.is_empty() {
        pairs.push(("acr_values", &acr));
    }
    if let Some(age) = &age {
        pairs.push(("max_age", age));
    }
    Secret::new(with_query(&document.authorization, &pairs))
}

fn encode(pairs: &[(&str, &str)]) -> Secret {
    let owned: Vec<_> = pairs.iter().map(|(n, v)| ((*n).to_owned(), (*v).to_owned())).collect();
    let text = encode_query(&owned);
    for (_, mut value) in owned {
        value.zeroize();
    }
    Secret::new(text)
}

/// One half of what proves a client, encoded before the halves are joined (RFC 6749, 2.3.1).
fn encoded(text: &str) -> String {
    let pair = encode_query(&[("x".to_owned(), text.to_owned())]);
    pair.strip_prefix("x=").map(str::to_owned).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ask::Answer;
    use crate::issuer::tests::sound;
    use base::Millis;
    use parking_lot::{Condvar, Mutex};
    use std::time::Duration;
    use zeroize::Zeroizing;

    #[derive(Debug)]
    struct Noon;

    impl Clock for Noon {
        fn now(&self) -> Millis {
            Millis(1_800_000_000_000)
        }
    }

    #[derive(Debug)]
    struct Sevens;

    impl CryptoRandom for Sevens {
        fn fill(&self, out: &mut [u8]) -> Result<(), Fault> {
            out.fill(7);
            Ok(())
        }
    }

    /// Answers with what it is told, or not before the gate opens.
    #[derive(Debug, Default)]
    struct Gate {
        open: Mutex<bool>,
        changed: Condvar,
    }

    impl Ask for Gate {
        fn get(&self, address: &str) -> Result<Answer, Fault> {
            let mut open = self.open.lock();
            while !*open {
                self.changed.wait(&mut open);
            }
            let root = address.split("/.well-known").next().unwrap_or_default();
            let body = format!(
                r#"{{"issuer":"{root}","authorization_endpoint":"{root}/a","token_endpoint":"{root}/t","jwks_uri":"{root}/k"}}"#
            );
            let body = Zeroizing::new(body.into_bytes());
            Ok(Answer { status: 200, body, max_age_s: Some(60) })
        }

        fn post(&self, _: &str, _: &Secret, _: Option<&Secret>) -> Result<Answer, Fault> {
            Err(unavailable())
        }
    }

    #[test]
    fn an_issuer_that_does_not_answer_keeps_nobody_from_another() {
        let (silent, quick) = (Arc::new(Gate::default()), Arc::new(Gate::default()));
        *quick.open.lock() = true;
        let party = |name: &str, ask: &Arc<Gate>| {
            let issuer = format!("https://{name}.example/realm");
            let name = IssuerName::parse(name).expect("a name");
            let issuer = Issuer { name, issuer, ..sound() };
            Party { issuer, secret: None, ask: Arc::<Gate>::clone(ask) }
        };
        let ground = Ground {
            clock: Arc::new(Noon),
            random: Arc::new(Sevens),
            administrator_role: "it-administrator".to_owned(),
        };
        let parties = vec![party("silent", &silent), party("quick", &quick)];
        let all = Federation::new(ground, parties).expect("sound");
        let begin = |name: &str| all.begin(name, "https://ehr.example/auth/oidc-x", "");
        std::thread::scope(|scope| {
            let held: Vec<_> =
                (0..ASKING_EACH_MAX).map(|_| scope.spawn(|| begin("silent").is_ok())).collect();
            let asking = || all.parties.first().map_or(0, |one| one.asking.load(Ordering::SeqCst));
            for _ in 0..5000 {
                if asking() == ASKING_EACH_MAX {
                    break;
                }
                std::thread::sleep(Duration::from_millis(1));
            }
            // One more is told at once, and waits for nothing.
            assert_eq!(begin("silent").expect_err("full").code().name, "server.busy");
            begin("quick").expect("another issuer is asked as ever");
            *silent.open.lock() = true;
            silent.changed.notify_all();
            assert!(held.into_iter().all(|one| one.join().expect("joined")));
        });
        begin("silent").expect("it answers again");
    }
}
