//! What a site says of an issuer, as data: who it is, how it is asked, what its claims come to here,
//! and what it may do (45 CFR 164.308(a)(4), access authorization). What makes no sense is refused by
//! name before anything is asked. No secret stands in it, only the name of the file that holds one.

use base::Fault;
use base::error::code;
use egress::{Origin, Target};
use identity::IssuerName;
use serde::Deserialize;
use smart::Algorithm;
use std::path::PathBuf;

/// Issuers of one site.
const ISSUERS_MAX: usize = 16;
/// Rules, scopes or other entries of one list.
const LIST_MAX: usize = 256;
/// Characters of what stands on a button.
const LABEL_CHARS_MAX: usize = 64;
/// Bytes of any other text.
const TEXT_BYTES_MAX: usize = 512;

/// One issuer.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Issuer {
    /// What this site knows it by: in addresses, sessions and the access log.
    pub name: IssuerName,
    /// What people know it by: it stands on a button behind “Sign in with”.
    pub label: String,
    /// Its address, exactly as it says it in what it signs.
    pub issuer: String,
    /// Other origins at which its endpoints may be.
    #[serde(default)]
    pub origins: Vec<String>,
    /// Whether its origins may lie in a private network.
    #[serde(default)]
    pub private: bool,
    /// PEM file of authorities that its certificate is believed by, in place of the web's.
    #[serde(default)]
    pub authorities: Option<PathBuf>,
    /// What it knows this site by.
    pub client_id: String,
    /// The file, readable by the server alone, that holds the secret; none for a public client.
    #[serde(default)]
    pub client_secret_file: Option<PathBuf>,
    /// Scopes that are asked for, beside `openid`.
    #[serde(default)]
    pub scopes: Vec<String>,
    /// What may sign an identity token.
    #[serde(default = "rs256")]
    pub algorithms: Vec<String>,
    /// The claim that gives the sign-in name at the first sign-in.
    #[serde(default = "preferred_username")]
    pub name_claim: String,
    /// Whether somebody who is here under that name is known by the issuer from then on.
    #[serde(default)]
    pub link: bool,
    /// Whether somebody who is not here is made.
    #[serde(default)]
    pub create: bool,
    /// When not empty: a verified address of mail in one of these domains is asked for.
    #[serde(default)]
    pub email_domains: Vec<String>,
    /// Values of `acr` that count as two factors.
    #[serde(default)]
    pub second_factor_acr: Vec<String>,
    /// Values of `amr` of which one counts as two factors.
    #[serde(default)]
    pub second_factor_amr: Vec<String>,
    /// How long ago a factor may have been shown there, in seconds.
    #[serde(default)]
    pub max_age_s: Option<u32>,
    /// What its claims come to, as roles.
    #[serde(default)]
    pub roles: Vec<RoleRule>,
    /// What its claims come to, as sites.
    #[serde(default)]
    pub sites: Vec<SiteRule>,
}

/// Whoever has this value in this claim has this role. Values are compared exactly.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RoleRule {
    /// The claim: a member, or the path of one as a JSON pointer (`/realm_access/roles`).
    pub claim: String,
    /// Its value, or one of them.
    pub value: String,
    /// The role.
    pub role: String,
}

/// Whoever has this value in this claim works at this site.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SiteRule {
    /// The claim.
    pub claim: String,
    /// Its value, or one of them.
    pub value: String,
    /// The id of the Organization.
    pub site: String,
}

fn rs256() -> Vec<String> {
    vec!["RS256".to_owned()]
}

fn preferred_username() -> String {
    "preferred_username".to_owned()
}

impl Issuer {
    /// Where it says how it is asked.
    pub(crate) fn discovery(&self) -> String {
        let base = self.issuer.strip_suffix('/').unwrap_or(&self.issuer);
        format!("{base}/.well-known/openid-configuration")
    }

    /// Every origin that it may be asked at, its own first.
    ///
    /// # Errors
    /// When one of them is no origin.
    pub fn all_origins(&self) -> Result<Vec<Origin>, Fault> {
        let mut all = vec![Target::parse(&self.issuer)?.origin];
        for text in &self.origins {
            all.push(Origin::parse(text)?);
        }
        Ok(all)
    }

    /// Whether one of its endpoints may be there.
    pub(crate) fn may_be_at(&self, address: &str) -> bool {
        let origin = Target::parse(address).map(|target| target.origin).ok();
        let all = self.all_origins().unwrap_or_default();
        origin.is_some_and(|origin| origin.secure && all.contains(&origin))
    }

    /// The algorithms by their names.
    pub(crate) fn allowed(&self) -> Vec<Algorithm> {
        self.algorithms.iter().filter_map(|name| Algorithm::named(name)).collect()
    }

    /// Refuses what makes no sense, naming the entry.
    fn check(&self, administrator_role: &str) -> Result<(), Fault> {
        let wrong = |entry: &str, say: &str| Err(wrong(self.name, entry, say));
        let text = |text: &str| {
            (1..=TEXT_BYTES_MAX).contains(&text.len()) && !text.chars().any(char::is_control)
        };
        if !text(&self.label) || self.label.chars().count() > LABEL_CHARS_MAX {
            return wrong("label", "say in at most 64 characters what stands on the button");
        }
        let secure = |address: &str| address.starts_with("https://");
        let plain = secure(&self.issuer) && !self.issuer.contains(['?', '#']);
        if !plain || !text(&self.issuer) || Target::parse(&self.issuer).is_err() {
            return wrong("issuer", "give its address by https, without a query");
        }
        let origin = |text: &String| secure(text) && Origin::parse(text).is_ok();
        if self.origins.len() > LIST_MAX || !self.origins.iter().all(origin) {
            return wrong("origins", "an origin is https://, a host and perhaps a port");
        }
        if !text(&self.client_id) || !self.client_id.is_ascii() {
            return wrong("client_id", "give what the issuer knows this site by");
        }
        let scope = |text: &String| {
            (1..=TEXT_BYTES_MAX).contains(&text.len())
                && text.bytes().all(|b| b.is_ascii_graphic() && b != b'"' && b != b'\\')
        };
        if self.scopes.len() > LIST_MAX || !self.scopes.iter().all(scope) {
            return wrong("scopes", "list words, such as email and groups");
        }
        if self.algorithms.is_empty() || self.allowed().len() != self.algorithms.len() {
            return wrong("algorithms", "list some of RS256, RS384, RS512, PS256, ES256, ES384");
        }
        if !claim(&self.name_claim) {
            return wrong("name_claim", "name a claim");
        }
        if !self.link && !self.create {
            return wrong("link", "with neither link nor create nobody could ever sign in");
        }
        if self.create && self.roles.is_empty() {
            return wrong("create", "people who are made need roles; say which claims give one");
        }
        let domain = |text: &String| text.contains('.') && !text.contains('@') && lower(text);
        if self.email_domains.len() > LIST_MAX || !self.email_domains.iter().all(domain) {
            return wrong("email_domains", "list domains in lower case, such as hospital.example");
        }
        for (entry, list) in [
            ("second_factor_acr", &self.second_factor_acr),
            ("second_factor_amr", &self.second_factor_amr),
        ] {
            if list.len() > LIST_MAX || !list.iter().all(|value| text(value)) {
                return wrong(entry, "list the values that mean two factors");
            }
        }
        let label =
            |text: &str| !text.is_empty() && text.len() <= 64 && !text.contains(char::is_control);
        let role = |rule: &RoleRule| claim(&rule.claim) && text(&rule.value) && label(&rule.role);
        if self.roles.len() > LIST_MAX || !self.roles.iter().all(role) {
            return wrong("roles", "each names a claim, its value, and a role");
        }
        if self.roles.iter().any(|rule| rule.role == administrator_role) {
            return wrong("roles", "administrators sign in here; no issuer makes one");
        }
        // Of services: to a person it gives no record, and takes the limits away.
        if self.roles.iter().any(|rule| rule.role == "system") {
            return wrong("roles", "the role system is of services; no issuer gives it");
        }
        let site = |rule: &SiteRule| claim(&rule.claim) && text(&rule.value) && label(&rule.site);
        if self.sites.len() > LIST_MAX || !self.sites.iter().all(site) {
            return wrong("sites", "each names a claim, its value, and the id of an Organization");
        }
        Ok(())
    }
}

/// Refuses issuers that make no sense, each and together.
///
/// # Errors
/// `server.parameter.invalid`, naming the issuer and the entry.
pub fn check(issuers: &[Issuer], administrator_role: &str) -> Result<(), Fault> {
    if issuers.len() > ISSUERS_MAX {
        return Err(Fault::at(&code::PARAMETER_INVALID, "there are more than 16 issuers", "oidc"));
    }
    for (at, issuer) in issuers.iter().enumerate() {
        issuer.check(administrator_role)?;
        let before = issuers.get(..at).unwrap_or_default();
        if before.iter().any(|other| other.name == issuer.name) {
            return Err(wrong(issuer.name, "name", "another issuer has this name"));
        }
        // One answer would be believed for two: the older name is told apart by the address alone.
        if before.iter().any(|other| other.issuer == issuer.issuer) {
            return Err(wrong(issuer.name, "issuer", "another entry is about this issuer"));
        }
    }
    Ok(())
}

fn claim(text: &str) -> bool {
    (1..=TEXT_BYTES_MAX).contains(&text.len()) && !text.contains(char::is_control) && text != "/"
}

fn lower(text: &str) -> bool {
    text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || matches!(b, b'.' | b'-'))
}

fn wrong(issuer: IssuerName, entry: &str, say: &str) -> Fault {
    let what = format!("{entry} of the issuer {issuer}: {say}");
    Fault::at(&code::PARAMETER_INVALID, what, format!("oidc.{issuer}.{entry}"))
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// An issuer for tests.
    pub(crate) fn sound() -> Issuer {
        serde_json::from_str(
            r#"{"name":"st-elsewhere","label":"St. Elsewhere","issuer":"https://id.example/realm",
            "client_id":"plummer","link":true,
            "roles":[{"claim":"groups","value":"nurses","role":"nurse"}]}"#,
        )
        .expect("an issuer")
    }

    fn refused(change: impl FnOnce(&mut Issuer)) -> Option<String> {
        let mut issuer = sound();
        change(&mut issuer);
        let fault = check(&[issuer], "it-administrator").err()?;
        fault.issues.into_iter().next()?.expression
    }

    #[test]
    fn what_makes_no_sense_is_refused_by_its_name() {
        assert_eq!(refused(|_| {}), None);
        let entry = |name: &str| Some(format!("oidc.st-elsewhere.{name}"));
        assert_eq!(refused(|i| i.issuer = "http://id.example".into()), entry("issuer"));
        assert_eq!(refused(|i| i.issuer = "https://id.example/?a=b".into()), entry("issuer"));
        assert_eq!(refused(|i| i.issuer = "https://me@id.example".into()), entry("issuer"));
        assert_eq!(refused(|i| i.origins = vec!["https://a.example/x".into()]), entry("origins"));
        assert_eq!(refused(|i| i.origins = vec!["http://a.example".into()]), entry("origins"));
        assert_eq!(refused(|i| i.label = String::new()), entry("label"));
        assert_eq!(refused(|i| i.client_id = String::new()), entry("client_id"));
        assert_eq!(refused(|i| i.algorithms = vec!["HS256".into()]), entry("algorithms"));
        assert_eq!(refused(|i| i.algorithms = vec!["none".into()]), entry("algorithms"));
        assert_eq!(refused(|i| i.algorithms.clear()), entry("algorithms"));
        assert_eq!(refused(|i| i.link = false), entry("link"));
        assert_eq!(
            refused(|i| i.email_domains = vec!["@a.example".into()]),
            entry("email_domains")
        );
        assert_eq!(refused(|i| i.scopes = vec!["a b".into()]), entry("scopes"));
        let administrator = |i: &mut Issuer| i.roles[0].role = "it-administrator".into();
        assert_eq!(refused(administrator), entry("roles"));
        let made = |i: &mut Issuer| (i.create, i.roles) = (true, Vec::new());
        assert_eq!(refused(made), entry("create"));
    }

    #[test]
    fn two_entries_are_never_about_one_issuer() {
        let other = |change: fn(&mut Issuer)| {
            let mut other = sound();
            change(&mut other);
            check(&[sound(), other], "it-administrator").is_err()
        };
        assert!(other(|i| i.issuer = "https://other.example".into()), "the name");
        assert!(other(|i| i.name = IssuerName::parse("other").expect("a name")), "the issuer");
        assert!(!other(|i| {
            i.name = IssuerName::parse("other").expect("a name");
            i.issuer = "https://other.example".into();
        }));
    }

    #[test]
    fn an_endpoint_is_at_a_listed_origin_or_nowhere() {
        let issuer = Issuer { origins: vec!["https://keys.example".into()], ..sound() };
        assert!(issuer.may_be_at("https://id.example/token"));
        assert!(issuer.may_be_at("https://keys.example/jwks"));
        for bad in [
            "http://id.example/token",
            "https://id.example.evil.example/token",
            "https://id.example:8443/token",
            "https://id.example@evil.example/",
            "file:///etc/passwd",
            "",
        ] {
            assert!(!issuer.may_be_at(bad), "{bad}");
        }
    }
}
