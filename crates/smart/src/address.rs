//! Addresses: where the endpoints are, what a redirect may be, and how parameters are put on one
//! (RFC 6749, 3.1.2; RFC 8252, 7; OAuth 2.0 Security Best Current Practice, 4.1: exact match).

use base::Fault;
use search::parse::decode_query;

use crate::refusal::{Refused, invalid_request};

/// Bytes of one address.
pub const ADDRESS_BYTES_MAX: usize = 2048;
/// Bytes of one form or query.
pub const FORM_BYTES_MAX: usize = 64 << 10;
/// Parameters of one form or query.
const PARAMETERS_MAX: usize = 512;

/// The addresses of this server, as whoever asks knows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// The FHIR API, without a slash at its end; also the issuer.
    pub base: String,
    /// Where the authorization server's own addresses begin.
    pub root: String,
}

impl Place {
    /// The place of a FHIR API at `base`, when that ends in `/fhir`.
    pub fn of(base: &str) -> Option<Self> {
        let base = base.strip_suffix('/').unwrap_or(base);
        let root = base.strip_suffix("/fhir")?;
        Some(Self { base: base.to_owned(), root: root.to_owned() })
    }

    /// An endpoint: `at("token")`.
    pub fn at(&self, name: &str) -> String {
        format!("{}/auth/{name}", self.root)
    }

    /// Whether an `aud` names this server.
    pub(crate) fn is_base(&self, text: &str) -> bool {
        text.strip_suffix('/').unwrap_or(text) == self.base
    }
}

/// Parameters of a request, each of which may stand once (RFC 6749, 3.1); one without a value is
/// treated as not there.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Params(Vec<(String, String)>);

/// They hold secrets and codes.
impl std::fmt::Debug for Params {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Params({})", self.0.len())
    }
}

impl Params {
    /// Reads a form or a query.
    pub fn parse(text: &str) -> Option<Self> {
        if text.len() > FORM_BYTES_MAX || text.matches('&').count() > PARAMETERS_MAX {
            return None;
        }
        let mut pairs: Vec<(String, String)> = decode_query(text).ok()?;
        pairs.retain(|(_, value)| !value.is_empty());
        Some(Self(pairs))
    }

    /// The value of a parameter.
    pub fn one(&self, name: &str) -> Result<Option<&str>, Refused> {
        let mut all = self.0.iter().filter(|(n, _)| n == name).map(|(_, value)| value.as_str());
        let first = all.next();
        match all.next() {
            None => Ok(first),
            Some(_) => Err(invalid_request("Each parameter may stand once.")),
        }
    }

    /// Every value of a parameter that may repeat, such as the boxes of a form.
    pub fn all<'p>(&'p self, name: &'p str) -> impl Iterator<Item = &'p str> {
        self.0.iter().filter(move |(n, _)| n == name).map(|(_, value)| value.as_str())
    }

    /// The value of a parameter that has to be there.
    pub(crate) fn need(&self, name: &str, say: &'static str) -> Result<&str, Refused> {
        self.one(name)?.ok_or_else(|| invalid_request(say))
    }
}

/// An address with parameters added to it.
pub fn with_query(address: &str, pairs: &[(&str, &str)]) -> String {
    let mut out = address.to_owned();
    let mut joint = if address.contains('?') { '&' } else { '?' };
    for (name, value) in pairs {
        out.push(joint);
        escape(name, &mut out);
        out.push('=');
        escape(value, &mut out);
        joint = '&';
    }
    out
}

/// Everything but the unreserved characters of RFC 3986 is escaped.
fn escape(text: &str, out: &mut String) {
    const HEX: &[u8; 16] = b"0123456789ABCDEF";
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~') {
            out.push(char::from(byte));
        } else {
            out.push('%');
            for half in [byte >> 4, byte & 15] {
                out.push(char::from(HEX.get(usize::from(half)).copied().unwrap_or(b'0')));
            }
        }
    }
}

/// Whether an address may be registered: `https`, or `http` to the user's own machine.
pub(crate) fn sound_web(address: &str) -> bool {
    if !printable(address) || address.contains('#') {
        return false;
    }
    let (plain, rest) = match (address.strip_prefix("https://"), address.strip_prefix("http://")) {
        (Some(rest), _) => (false, rest),
        (None, Some(rest)) => (true, rest),
        (None, None) => return false,
    };
    let authority = rest.split(['/', '?']).next().unwrap_or_default();
    let (host, port) = match authority.rsplit_once(':') {
        Some((host, port)) if !port.contains(']') => (host, Some(port)),
        _ => (authority, None),
    };
    let sound_port = port.is_none_or(|port| port.parse::<u16>().is_ok_and(|port| port != 0));
    let letters = |c: u8| c.is_ascii_alphanumeric() || matches!(c, b'-' | b'.');
    let name = !host.is_empty() && host.bytes().all(letters);
    let own = matches!(host, "localhost" | "127.0.0.1" | "[::1]");
    sound_port && (own || (name && !plain))
}

/// Whether an app may be sent back to this address: one of the web, or a scheme that a native app
/// owns, which has a dot in its name (RFC 8252, 7.1).
pub(crate) fn sound_redirect(address: &str) -> bool {
    if sound_web(address) {
        return true;
    }
    let Some((scheme, rest)) = address.split_once(':') else { return false };
    let letters = |c: u8| c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, b'.' | b'-');
    printable(address)
        && !address.contains('#')
        && scheme.contains('.')
        && scheme.starts_with(|c: char| c.is_ascii_lowercase())
        && scheme.bytes().all(letters)
        && rest.starts_with('/')
}

/// The origin of a page at this address.
pub fn origin_of(address: &str) -> Option<&str> {
    let after = address.find("://")? + 3;
    let rest = address.get(after..)?;
    let end = rest.find(['/', '?']).map_or(address.len(), |at| at + after);
    address.get(..end).filter(|_| address.starts_with("http"))
}

fn printable(address: &str) -> bool {
    let fits = |c: u8| c.is_ascii_graphic() && !matches!(c, b'"' | b'<' | b'>' | b'\\' | b'*');
    !address.is_empty()
        && address.len() <= ADDRESS_BYTES_MAX
        && address.bytes().all(fits)
        && !address.contains('@')
}

/// A fault of a registration, by the member that is wrong.
pub(crate) fn wrong(member: &str, say: &str) -> Fault {
    Fault::at(&base::error::code::PARAMETER_INVALID, say, member)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_whole_addresses_of_the_web_or_of_an_own_scheme_can_be_registered() {
        for good in [
            "https://app.example/callback",
            "https://app.example:8443/a?b=c",
            "http://localhost:3000/",
            "http://127.0.0.1:9000/cb",
            "http://[::1]:9000/cb",
            "com.example.app:/callback",
        ] {
            assert!(sound_redirect(good), "{good}");
        }
        for bad in [
            "",
            "http://app.example/cb",
            "https://app.example/cb#x",
            "https://*.example/cb",
            "https://user@app.example/",
            "https://app.example:0/",
            "https://app.example:x/",
            "https:///cb",
            "//app.example/cb",
            "javascript:alert(1)",
            "data:text/html,x",
            "file:///etc/passwd",
            "myapp:/cb",
            "com.example.app:cb",
            "https://app.example/\r\nSet-Cookie:x",
            "https://app.example/ü",
            "http://localhost.evil.example/",
            "http://127.0.0.1.evil.example/",
        ] {
            assert!(!sound_redirect(bad), "{bad}");
        }
    }

    #[test]
    fn an_origin_ends_where_the_path_begins() {
        assert_eq!(origin_of("https://a.example:1/b?c"), Some("https://a.example:1"));
        assert_eq!(origin_of("https://a.example?c"), Some("https://a.example"));
        assert_eq!(origin_of("http://localhost:3000"), Some("http://localhost:3000"));
        assert_eq!(origin_of("com.example.app:/cb"), None);
    }

    #[test]
    fn parameters_are_escaped_and_joined() {
        assert_eq!(
            with_query("https://a/b", &[("x", "1&y=2 ü")]),
            "https://a/b?x=1%26y%3D2%20%C3%BC"
        );
        assert_eq!(with_query("https://a/b?c=d", &[("x", "y")]), "https://a/b?c=d&x=y");
    }

    #[test]
    fn a_parameter_that_stands_twice_is_refused_and_an_empty_one_is_not_there() {
        let params = Params::parse("a=1&b=&c=2&c=3").expect("a form");
        assert_eq!(params.one("a").expect("one"), Some("1"));
        assert_eq!(params.one("b").expect("none"), None);
        assert!(params.one("c").is_err());
        assert!(Params::parse("a=%zz").is_none());
        assert!(Params::parse(&"a=1&".repeat(PARAMETERS_MAX + 1)).is_none());
        assert!(Params::parse(&"a".repeat(FORM_BYTES_MAX + 1)).is_none());
    }

    #[test]
    fn a_place_is_known_by_its_base() {
        let place = Place::of("https://ehr.example/clinic/fhir/").expect("a place");
        assert_eq!(place.at("token"), "https://ehr.example/clinic/auth/token");
        assert!(place.is_base("https://ehr.example/clinic/fhir"));
        assert!(place.is_base("https://ehr.example/clinic/fhir/"));
        assert!(!place.is_base("https://ehr.example/clinic/fhir//"));
        assert!(!place.is_base("https://evil.example/fhir"));
        assert_eq!(Place::of("https://ehr.example/r4"), None);
    }
}
