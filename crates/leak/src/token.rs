//! Tokens from an authorization server by SMART Backend Services
//! (<https://hl7.org/fhir/smart-app-launch/backend-services.html>): a client assertion signed by
//! RS384 or ES384 (RFC 7523), exchanged for a token that lives minutes.

use anyhow::{Context, bail};
use aws_lc_rs::rand::{SecureRandom, SystemRandom};
use aws_lc_rs::signature::{
    ECDSA_P384_SHA384_FIXED_SIGNING, EcdsaKeyPair, KeyPair, RSA_PKCS1_SHA384, RsaKeyPair,
};
use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use conformance::http::{Http, encode_query};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::path::Path;

/// How long an assertion is good for; the specification's most.
const ASSERTION_S: u64 = 300;

/// One registered client.
#[derive(Clone)]
pub struct Client {
    endpoint: String,
    client_id: String,
    key_id: String,
    scope: String,
    rsa: bool,
    key: Vec<u8>,
}

impl std::fmt::Debug for Client {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Client").field("client_id", &self.client_id).finish_non_exhaustive()
    }
}

/// Reads the clients of a run, by persona, and `admin` for who sets the worlds up:
/// `{"clinician": {"token_endpoint", "client_id", "kid", "alg", "scope", "key_file"}}`, where the key
/// is PKCS#8 in PEM, its path relative to the file.
pub fn clients(path: &Path) -> anyhow::Result<BTreeMap<String, Client>> {
    let text = std::fs::read_to_string(path).with_context(|| path.display().to_string())?;
    let all: BTreeMap<String, Value> = serde_json::from_str(&text)?;
    let folder = path.parent().unwrap_or(Path::new("."));
    let mut out = BTreeMap::new();
    for (persona, of) in all {
        let word = |name: &str| -> anyhow::Result<String> {
            let word = of.get(name).and_then(Value::as_str);
            Ok(word.with_context(|| format!("{persona} has no `{name}`"))?.to_owned())
        };
        let alg = word("alg")?;
        if alg != "RS384" && alg != "ES384" {
            bail!("{persona}: the specification knows RS384 and ES384, not {alg}");
        }
        let file = folder.join(word("key_file")?);
        let pem = std::fs::read_to_string(&file).with_context(|| file.display().to_string())?;
        let client = Client {
            endpoint: word("token_endpoint")?,
            client_id: word("client_id")?,
            key_id: word("kid")?,
            scope: word("scope")?,
            rsa: alg == "RS384",
            key: from_pem(&pem)?,
        };
        out.insert(persona, client);
    }
    Ok(out)
}

/// A key made for a run, for a server on which the bench registers a client itself.
pub struct Key {
    pkcs8: Vec<u8>,
    /// The public half, as a JWK Set.
    pub jwks: String,
}

impl std::fmt::Debug for Key {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Key").finish_non_exhaustive()
    }
}

/// The name of a key made for a run.
const KEY_ID: &str = "leak";

impl Key {
    /// A new one.
    pub fn new() -> anyhow::Result<Self> {
        let random = SystemRandom::new();
        let made = EcdsaKeyPair::generate_pkcs8(&ECDSA_P384_SHA384_FIXED_SIGNING, &random);
        let pkcs8 = made.ok().context("no key was made")?.as_ref().to_vec();
        let pair = EcdsaKeyPair::from_pkcs8(&ECDSA_P384_SHA384_FIXED_SIGNING, &pkcs8);
        let pair = pair.ok().context("not a P-384 key")?;
        // An uncompressed point: 4, then both coordinates.
        let point = pair.public_key().as_ref().get(1..).context("not a point")?;
        let (x, y) = point.split_at_checked(48).context("not a point of P-384")?;
        let coded = |half: &[u8]| URL_SAFE_NO_PAD.encode(half);
        let key = json!({ "kty": "EC", "crv": "P-384", "alg": "ES384", "kid": KEY_ID,
            "x": coded(x), "y": coded(y) });
        Ok(Self { pkcs8, jwks: json!({ "keys": [key] }).to_string() })
    }

    /// The client that was registered with it.
    pub fn client(&self, endpoint: &str, client_id: &str, scope: &str) -> Client {
        Client {
            endpoint: endpoint.to_owned(),
            client_id: client_id.to_owned(),
            key_id: KEY_ID.to_owned(),
            scope: scope.to_owned(),
            rsa: false,
            key: self.pkcs8.clone(),
        }
    }
}

impl Client {
    /// A token, at this second of the clock.
    pub fn token(&self, now_s: u64) -> anyhow::Result<String> {
        let form = encode_query(&format!("grant_type=client_credentials&scope={}", self.scope));
        let form = format!(
            "{form}&client_assertion_type={}&client_assertion={}",
            "urn%3Aietf%3Aparams%3Aoauth%3Aclient-assertion-type%3Ajwt-bearer",
            self.assertion(now_s)?
        );
        let headers =
            [("content-type", "application/x-www-form-urlencoded"), ("accept", "application/json")];
        let answer =
            Http::new(&self.endpoint)?.send("POST", &self.endpoint, &headers, form.as_bytes())?;
        let answer = answer.ok().context("the token endpoint")?.json()?;
        let token = answer.get("access_token").and_then(Value::as_str);
        Ok(token.context("the answer has no access_token")?.to_owned())
    }

    /// The signed assertion.
    fn assertion(&self, now_s: u64) -> anyhow::Result<String> {
        let random = SystemRandom::new();
        let mut nonce = [0; 16];
        random.fill(&mut nonce).ok().context("no randomness")?;
        let head = json!({ "alg": if self.rsa { "RS384" } else { "ES384" },
            "typ": "JWT", "kid": self.key_id });
        let claims = json!({ "iss": self.client_id, "sub": self.client_id, "aud": self.endpoint,
            "exp": now_s + ASSERTION_S - 10, "iat": now_s,
            "jti": URL_SAFE_NO_PAD.encode(nonce) });
        let coded = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
        let signed = format!("{}.{}", coded(&head), coded(&claims));
        let signature = if self.rsa {
            let key = RsaKeyPair::from_pkcs8(&self.key).ok().context("not an RSA key")?;
            let mut out = vec![0; key.public_modulus_len()];
            key.sign(&RSA_PKCS1_SHA384, &random, signed.as_bytes(), &mut out)
                .ok()
                .context("not signed")?;
            out
        } else {
            let key = EcdsaKeyPair::from_pkcs8(&ECDSA_P384_SHA384_FIXED_SIGNING, &self.key);
            let key = key.ok().context("not a P-384 key")?;
            let made = key.sign(&random, signed.as_bytes()).ok().context("not signed")?;
            made.as_ref().to_vec()
        };
        Ok(format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature)))
    }
}

fn from_pem(text: &str) -> anyhow::Result<Vec<u8>> {
    let lines = text.lines().skip_while(|line| *line != "-----BEGIN PRIVATE KEY-----").skip(1);
    let body: String = lines.take_while(|line| !line.starts_with("-----")).collect();
    if body.is_empty() {
        bail!("a key is PKCS#8 in PEM: -----BEGIN PRIVATE KEY-----");
    }
    Ok(STANDARD.decode(body.trim())?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use aws_lc_rs::signature::{ECDSA_P384_SHA384_FIXED, UnparsedPublicKey};
    use std::io::{Read, Write};
    use std::net::TcpListener;
    use std::thread;

    fn client(endpoint: &str) -> (Client, Vec<u8>) {
        let random = SystemRandom::new();
        let key =
            EcdsaKeyPair::generate_pkcs8(&ECDSA_P384_SHA384_FIXED_SIGNING, &random).expect("a key");
        let pair = EcdsaKeyPair::from_pkcs8(&ECDSA_P384_SHA384_FIXED_SIGNING, key.as_ref());
        let public = pair.expect("a pair").public_key().as_ref().to_vec();
        let lines = format!(
            "-----BEGIN PRIVATE KEY-----\n{}\n-----END PRIVATE KEY-----\n",
            STANDARD.encode(key.as_ref())
        );
        let client = Client {
            endpoint: endpoint.to_owned(),
            client_id: "bench".to_owned(),
            key_id: "k1".to_owned(),
            scope: "system/*.rs".to_owned(),
            rsa: false,
            key: from_pem(&lines).expect("PEM"),
        };
        (client, public)
    }

    #[test]
    fn a_key_made_for_a_run_signs_what_its_public_half_verifies() {
        let key = Key::new().expect("a key");
        let client = key.client("http://127.0.0.1:1/token", "c", "system/*.rs");
        let assertion = client.assertion(1_000).expect("an assertion");
        let (signed, signature) = assertion.rsplit_once('.').expect("three parts");
        let set: Value = serde_json::from_str(&key.jwks).expect("JSON");
        let mut point = vec![4];
        for half in ["/keys/0/x", "/keys/0/y"] {
            let half = set.pointer(half).and_then(Value::as_str).expect("a coordinate");
            point.extend(URL_SAFE_NO_PAD.decode(half).expect("base64"));
        }
        let signature = URL_SAFE_NO_PAD.decode(signature).expect("base64");
        let public = UnparsedPublicKey::new(&ECDSA_P384_SHA384_FIXED, point);
        public.verify(signed.as_bytes(), &signature).expect("it holds");
        assert!(!key.jwks.contains("\"d\""), "the private half stays here");
    }

    #[test]
    fn an_assertion_is_signed_and_names_its_audience_and_its_end() {
        let (client, public) = client("http://127.0.0.1:1/token");
        let assertion = client.assertion(1_000).expect("an assertion");
        let (signed, signature) = assertion.rsplit_once('.').expect("three parts");
        let signature = URL_SAFE_NO_PAD.decode(signature).expect("base64");
        UnparsedPublicKey::new(&ECDSA_P384_SHA384_FIXED, public)
            .verify(signed.as_bytes(), &signature)
            .expect("it holds");
        let claims = signed.split('.').nth(1).expect("claims");
        let claims = URL_SAFE_NO_PAD.decode(claims).expect("base64");
        let claims: Value = serde_json::from_slice(&claims).expect("JSON");
        assert_eq!(claims.get("exp"), Some(&json!(1_290)));
        assert_eq!(claims.get("aud"), Some(&json!("http://127.0.0.1:1/token")));
    }

    #[test]
    fn a_token_is_asked_for_by_a_form_and_read_from_the_answer() {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let url = format!("http://{}/token", listener.local_addr().expect("its address"));
        let heard = thread::spawn(move || {
            let (mut stream, _) = listener.accept().expect("a caller");
            let mut buffer = vec![0; 8192];
            let taken = stream.read(&mut buffer).expect("a request");
            let body = r#"{"access_token":"abc","token_type":"bearer"}"#;
            let head = format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n", body.len());
            stream.write_all(format!("{head}{body}").as_bytes()).expect("an answer");
            String::from_utf8_lossy(&buffer[..taken]).into_owned()
        });
        let (client, _) = client(&url);
        assert_eq!(client.token(1_000).expect("a token"), "abc");
        let heard = heard.join().expect("the request");
        assert!(heard.starts_with("POST /token HTTP/1.1"), "{heard}");
        assert!(heard.contains("grant_type=client_credentials&scope=system/%2A.rs"), "{heard}");
    }
}
