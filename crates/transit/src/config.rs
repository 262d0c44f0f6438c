//! Where the service is, what the key is called there, and how we prove who we are. Refused before
//! anything is asked: plaintext beyond this machine, names that would end up as other paths, and a
//! service beyond this machine to which nothing is proven.

use std::net::IpAddr;

use base::Fault;
use base::error::code;
use egress::{Host, Origin, Target};
use keys::SecretFile;

/// Characters of a name.
const NAME_MAX: usize = 200;

/// By what the service knows us.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Proof {
    /// A token from a file, read anew for each exchange, so that an agent may replace it.
    Token(SecretFile),
    /// A role's id and a secret from a file, for which the service gives a token for a while.
    Role {
        /// Where the method is mounted.
        mount: String,
        /// The role's id.
        id: String,
        /// The secret.
        secret: SecretFile,
    },
    /// Nothing: an agent on this machine adds what it takes.
    Agent,
}

/// How a transit service is asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Config {
    /// Scheme, host and port.
    pub address: String,
    /// Where the engine is mounted.
    pub mount: String,
    /// The name of the key.
    pub key: String,
    /// The namespace, or nothing.
    pub namespace: String,
    /// By what it knows us.
    pub proof: Proof,
    /// Milliseconds that one exchange may take.
    pub timeout_ms: u64,
}

impl Config {
    /// The origin, if all of it makes sense.
    pub(crate) fn check(&self) -> Result<Origin, Fault> {
        let origin = Origin::parse(&self.address).map_err(|fault| {
            unfit(&format!("transit_address is no scheme, host and port: {fault}"))
        })?;
        let here = match &origin.host {
            Host::Address(IpAddr::V4(address)) => address.is_loopback(),
            Host::Address(IpAddr::V6(address)) => address.is_loopback(),
            Host::Name(_) => false,
        };
        if !origin.secure && !here {
            return Err(unfit("transit_address is asked by https, but for 127.0.0.1 and [::1]"));
        }
        path("transit_mount", &self.mount)?;
        name("transit_key", &self.key)?;
        if !self.namespace.is_empty() {
            path("transit_namespace", &self.namespace)?;
        }
        match &self.proof {
            Proof::Role { mount, id, .. } => {
                path("transit_role_mount", mount)?;
                if id.is_empty() || id.len() > NAME_MAX || id.chars().any(char::is_control) {
                    return Err(unfit("transit_role_id is no role's id"));
                }
            }
            Proof::Agent if origin.secure || !here => {
                let what = "a token or a role is needed: transit_token_file, or transit_role_id and transit_secret_id_file";
                return Err(unfit(what));
            }
            Proof::Token(_) | Proof::Agent => {}
        }
        Ok(origin)
    }

    /// An address of the service.
    pub(crate) fn target(&self, path: &str) -> Result<Target, Fault> {
        Target::parse(&format!("{}/v1/{path}", self.address))
    }
}

fn unfit(what: &str) -> Fault {
    Fault::new(&code::KEYS_KMS_UNFIT, what.to_owned())
}

/// A name that is itself in a path, and in a policy of the service.
fn name(setting: &str, text: &str) -> Result<(), Fault> {
    let plain = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.');
    let dots = text.bytes().all(|b| b == b'.');
    if !dots && text.len() <= NAME_MAX && text.bytes().all(plain) {
        return Ok(());
    }
    Err(unfit(&format!("{setting} is made of letters, digits, hyphens, dots and underscores")))
}

/// Names with slashes between them.
fn path(setting: &str, text: &str) -> Result<(), Fault> {
    text.split('/').try_for_each(|part| name(setting, part))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config() -> Config {
        Config {
            address: "https://bao.example:8200".to_owned(),
            mount: "transit".to_owned(),
            key: "plummer".to_owned(),
            namespace: String::new(),
            proof: Proof::Token(SecretFile::new("token".into())),
            timeout_ms: 5000,
        }
    }

    #[test]
    fn what_makes_no_sense_is_refused_before_anything_is_asked() {
        assert!(config().check().is_ok());
        let wrong: [fn(&mut Config); 12] = [
            |c| c.address = "http://bao.example:8200".to_owned(),
            |c| c.address = "http://10.0.0.7:8200".to_owned(),
            |c| c.address = "bao.example".to_owned(),
            |c| c.address = "https://bao.example/v1".to_owned(),
            |c| c.key = String::new(),
            |c| c.key = "..".to_owned(),
            |c| c.key = "a/b".to_owned(),
            |c| c.key = "a?b".to_owned(),
            |c| c.mount = "transit/../sys".to_owned(),
            |c| c.mount = "/transit".to_owned(),
            |c| c.namespace = "a b".to_owned(),
            |c| c.proof = Proof::Agent,
        ];
        for (at, change) in wrong.into_iter().enumerate() {
            let mut config = config();
            change(&mut config);
            let fault = config.check().unwrap_err();
            assert_eq!(fault.code(), &code::KEYS_KMS_UNFIT, "{at}: {fault}");
        }
    }

    #[test]
    fn an_agent_on_this_machine_is_asked_in_plain_and_needs_no_proof() {
        for address in ["http://127.0.0.1:8100", "http://[::1]:8100"] {
            let config = Config { address: address.to_owned(), proof: Proof::Agent, ..config() };
            assert!(config.check().is_ok(), "{address}");
        }
    }
}
