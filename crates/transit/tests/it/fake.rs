//! A transit service made by hand, after the pages of Vault's and `OpenBao`'s API: keys with versions
//! that wrap under a context, tokens, a role, and every way of not answering that the tests ask for.
//! The tests of the program use this file too.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use keys::{Secret, named_key, unwrap_key, wrap_key};
use rustls::{ServerConfig, ServerConnection, StreamOwned};
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

/// What the service is like just now.
#[derive(Debug)]
pub(crate) struct World {
    pub(crate) sealed: bool,
    /// Tokens that are good.
    pub(crate) tokens: Vec<String>,
    /// The role's id, its secret, and how long what it is given is good.
    pub(crate) role: Option<(String, String, u32)>,
    /// The key's versions; none when there is no key.
    pub(crate) versions: Vec<u8>,
    pub(crate) least: u32,
    pub(crate) derived: bool,
    /// What is permitted beside reading: encrypting, decrypting.
    pub(crate) may: (bool, bool),
    /// How long each answer takes.
    pub(crate) slow: Duration,
    /// An answer in place of any other.
    pub(crate) instead: Option<Vec<u8>>,
    /// Method and path of each request, with what was shown and said.
    pub(crate) asked: Vec<String>,
    /// How many times the role signed in.
    pub(crate) signed_in: u32,
}

/// The service, until the test ends.
#[derive(Debug, Clone)]
pub(crate) struct Fake {
    pub(crate) address: SocketAddr,
    world: Arc<Mutex<World>>,
}

impl Fake {
    /// One that knows the token `good` and has a key of one version.
    pub(crate) fn start(tls: Option<Arc<ServerConfig>>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let world = Arc::new(Mutex::new(World {
            sealed: false,
            tokens: vec!["good".to_owned()],
            role: None,
            versions: vec![1],
            least: 1,
            derived: true,
            may: (true, true),
            slow: Duration::ZERO,
            instead: None,
            asked: Vec::new(),
            signed_in: 0,
        }));
        let shared = Arc::clone(&world);
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                match &tls {
                    None => serve(stream, &shared),
                    Some(config) => {
                        let connection = ServerConnection::new(Arc::clone(config)).unwrap();
                        let mut stream = StreamOwned::new(connection, stream);
                        serve(&mut stream, &shared);
                        stream.conn.send_close_notify();
                        let _ = stream.flush();
                    }
                }
            }
        });
        Self { address, world }
    }

    pub(crate) fn world(&self) -> MutexGuard<'_, World> {
        self.world.lock().unwrap()
    }
}

fn serve(mut stream: impl Read + Write, world: &Mutex<World>) {
    let Some(request) = read(&mut stream) else { return };
    let (slow, answer) = {
        let mut world = world.lock().unwrap();
        world.asked.push(request.clone());
        let answer = world.instead.clone().unwrap_or_else(|| {
            let (status, body) = world.answer(&request);
            format!("HTTP/1.1 {status} X\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}", body.len()).into_bytes()
        });
        (world.slow, answer)
    };
    std::thread::sleep(slow);
    let _ = stream.write_all(&answer);
    let _ = stream.flush();
}

/// A whole request as text.
fn read(stream: &mut impl Read) -> Option<String> {
    let mut all = Vec::new();
    let mut some = [0; 4096];
    loop {
        let text = String::from_utf8_lossy(&all);
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let length = head.lines().find_map(|line| {
                let (name, value) = line.split_once(':')?;
                name.eq_ignore_ascii_case("content-length").then(|| value.trim().parse().ok())?
            });
            if body.len() >= length.unwrap_or(0) {
                return Some(text.into_owned());
            }
        }
        match stream.read(&mut some) {
            Ok(0) | Err(_) => return None,
            Ok(count) => all.extend_from_slice(&some[..count]),
        }
    }
}

fn error(status: u16, text: &str) -> (u16, String) {
    (status, format!("{{\"errors\":[\"{text}\"]}}"))
}

/// A member of a flat object of texts.
fn member(body: &str, name: &str) -> String {
    let body: serde_json::Value = serde_json::from_str(body).unwrap();
    body[name].as_str().unwrap_or_default().to_owned()
}

impl World {
    fn answer(&mut self, request: &str) -> (u16, String) {
        if self.sealed {
            return error(503, "Vault is sealed");
        }
        let (head, body) = request.split_once("\r\n\r\n").unwrap();
        let mut words = head.split(' ');
        let (method, path) = (words.next().unwrap(), words.next().unwrap());
        if (method, path) == ("POST", "/v1/auth/approle/login") {
            return self.sign_in(body);
        }
        let shown = head.lines().find_map(|line| {
            let (name, value) = line.split_once(": ")?;
            let value = value.strip_prefix("Bearer ")?;
            name.eq_ignore_ascii_case("authorization").then(|| value.to_owned())
        });
        if !shown.is_some_and(|token| self.tokens.contains(&token)) {
            return error(403, "permission denied");
        }
        match (method, path) {
            ("GET", "/v1/transit/keys/plummer") if self.versions.is_empty() => {
                (404, "{\"errors\":[]}".to_owned())
            }
            ("GET", "/v1/transit/keys/plummer") => self.about(),
            ("POST", "/v1/transit/encrypt/plummer") if self.may.0 => self.encrypt(body),
            ("POST", "/v1/transit/decrypt/plummer") if self.may.1 => self.decrypt(body),
            ("POST", "/v1/transit/encrypt/plummer" | "/v1/transit/decrypt/plummer") => {
                error(403, "permission denied")
            }
            _ => error(404, "no handler for route"),
        }
    }

    fn sign_in(&mut self, body: &str) -> (u16, String) {
        let said = (member(body, "role_id"), member(body, "secret_id"));
        match &self.role {
            Some((id, secret, seconds)) if said == (id.clone(), secret.clone()) => {
                self.signed_in += 1;
                let token = format!("hvs.{}", self.signed_in);
                self.tokens.push(token.clone());
                (
                    200,
                    format!(
                        "{{\"request_id\":\"x\",\"data\":null,\"auth\":{{\"client_token\":\"{token}\",\"accessor\":\"a\",\"policies\":[\"plummer\"],\"lease_duration\":{seconds},\"renewable\":true}}}}"
                    ),
                )
            }
            _ => error(400, "invalid role or secret ID"),
        }
    }

    fn about(&self) -> (u16, String) {
        let keys: Vec<_> =
            (1..=self.versions.len()).map(|n| format!("\"{n}\":1795305600")).collect();
        (
            200,
            format!(
                "{{\"request_id\":\"x\",\"lease_id\":\"\",\"renewable\":false,\"data\":{{\"allow_plaintext_backup\":false,\"deletion_allowed\":false,\"derived\":{},\"exportable\":false,\"kdf\":\"hkdf_sha256\",\"keys\":{{{}}},\"latest_version\":{},\"min_decryption_version\":{},\"min_encryption_version\":0,\"name\":\"plummer\",\"supports_decryption\":true,\"type\":\"aes256-gcm96\"}},\"auth\":null}}",
                self.derived,
                keys.join(","),
                self.versions.len(),
                self.least
            ),
        )
    }

    /// The key that a version and a context derive.
    fn derive(&self, version: usize, context: &str) -> Option<Secret> {
        let seed = self.versions.get(version.checked_sub(1)?)?.to_string();
        let half = |side: &str| named_key(&[side, &seed, context]).0;
        let mut key = [0; 32];
        key[..16].copy_from_slice(&half("left"));
        key[16..].copy_from_slice(&half("right"));
        Some(Secret::take(&mut key))
    }

    fn encrypt(&self, body: &str) -> (u16, String) {
        let context = member(body, "context");
        if context.is_empty() {
            return error(400, "missing 'context' for key derivation");
        }
        let plain = STANDARD.decode(member(body, "plaintext")).unwrap();
        let key = Secret::take(&mut plain.try_into().unwrap());
        let version = self.versions.len();
        let Some(under) = self.derive(version, &context) else {
            return error(400, "encryption key not found");
        };
        let sealed = STANDARD.encode(wrap_key(&under, &key).unwrap());
        (
            200,
            format!(
                "{{\"data\":{{\"ciphertext\":\"vault:v{version}:{sealed}\",\"key_version\":{version}}}}}"
            ),
        )
    }

    fn decrypt(&self, body: &str) -> (u16, String) {
        let text = member(body, "ciphertext");
        let (version, sealed) = text.strip_prefix("vault:v").unwrap().split_once(':').unwrap();
        let version: usize = version.parse().unwrap();
        if version < self.least as usize {
            return error(400, "ciphertext or signature version is disallowed by policy (too old)");
        }
        let sealed = STANDARD.decode(sealed).ok().and_then(|b| b.try_into().ok());
        let opened = sealed.and_then(|sealed| {
            unwrap_key(&self.derive(version, &member(body, "context"))?, &sealed)
        });
        match opened {
            Some(key) => {
                let plain = STANDARD.encode(key.expose());
                (200, format!("{{\"data\":{{\"plaintext\":\"{plain}\"}}}}"))
            }
            None => error(400, "invalid ciphertext: unable to decrypt"),
        }
    }
}
