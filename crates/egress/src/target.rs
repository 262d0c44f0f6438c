//! Addresses of other systems, read strictly (RFC 3986): what two readers could understand
//! differently is refused. No user in front of the host, no number that is an address in disguise, no
//! name with a dot at its end, no letters beyond ASCII, no fragment.

use base::Fault;
use base::error::code;
use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Bytes of an address.
const BYTES_MAX: usize = 8192;
/// Bytes of a name and of one of its labels (RFC 1035 section 2.3.4).
const NAME_BYTES_MAX: usize = 253;
const LABEL_BYTES_MAX: usize = 63;

/// Who is asked.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Host {
    /// A name, in lower case.
    Name(String),
    /// An address.
    Address(IpAddr),
}

/// Scheme, host and port: what a credential is bound to.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Origin {
    /// `https`, or `http`.
    pub secure: bool,
    /// Who is asked.
    pub host: Host,
    /// At which port; the scheme's own when the address names none.
    pub port: u16,
}

/// An origin, and what is asked of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target {
    /// Who is asked.
    pub origin: Origin,
    /// Path and query, as they are sent.
    pub path: String,
}

impl Origin {
    /// Reads an origin: scheme, host and perhaps a port, nothing more.
    ///
    /// # Errors
    /// `egress.target.invalid`.
    pub fn parse(text: &str) -> Result<Self, Fault> {
        let (origin, rest) = origin(text)?;
        if rest.is_empty() { Ok(origin) } else { Err(invalid("an origin has no path")) }
    }

    /// What follows `Host:`.
    pub(crate) fn authority(&self) -> String {
        let usual = if self.secure { 443 } else { 80 };
        if self.port == usual {
            self.host.to_string()
        } else {
            format!("{}:{}", self.host, self.port)
        }
    }
}

impl Target {
    /// Reads an address.
    ///
    /// # Errors
    /// `egress.target.invalid`.
    pub fn parse(text: &str) -> Result<Self, Fault> {
        let (origin, rest) = origin(text)?;
        Self::of(origin, rest)
    }

    /// The address that a redirect from here names: a whole one, or a path of the same origin.
    ///
    /// # Errors
    /// `egress.target.invalid`.
    pub fn redirect(&self, to: &str) -> Result<Self, Fault> {
        if to.starts_with('/') && !to.starts_with("//") {
            return Self::of(self.origin.clone(), to);
        }
        Self::parse(to)
    }

    fn of(origin: Origin, path: &str) -> Result<Self, Fault> {
        if path.len() > BYTES_MAX {
            return Err(invalid("the address is too long"));
        }
        check_path(path)?;
        let path = match path.as_bytes().first() {
            None => "/".to_owned(),
            Some(b'?') => format!("/{path}"),
            Some(_) => path.to_owned(),
        };
        Ok(Self { origin, path })
    }
}

impl fmt::Display for Host {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Name(name) => f.write_str(name),
            Self::Address(IpAddr::V4(address)) => write!(f, "{address}"),
            Self::Address(IpAddr::V6(address)) => write!(f, "[{address}]"),
        }
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scheme = if self.secure { "https" } else { "http" };
        write!(f, "{scheme}://{}", self.authority())
    }
}

fn origin(text: &str) -> Result<(Origin, &str), Fault> {
    if text.len() > BYTES_MAX {
        return Err(invalid("the address is too long"));
    }
    let (secure, rest) = if let Some(rest) = text.strip_prefix("https://") {
        (true, rest)
    } else if let Some(rest) = text.strip_prefix("http://") {
        (false, rest)
    } else {
        return Err(invalid("the address begins with https:// in lower case"));
    };
    let end = rest.find(['/', '?']).unwrap_or(rest.len());
    let (authority, rest) = rest.split_at(end);
    let (host, port) = authority_parts(authority)?;
    let usual = if secure { 443 } else { 80 };
    Ok((Origin { secure, host, port: port.unwrap_or(usual) }, rest))
}

fn authority_parts(authority: &str) -> Result<(Host, Option<u16>), Fault> {
    if let Some(rest) = authority.strip_prefix('[') {
        let (inner, after) =
            rest.split_once(']').ok_or_else(|| invalid("a bracket is not closed"))?;
        let address: Ipv6Addr =
            inner.parse().map_err(|_quoting| invalid("what stands in brackets is no address"))?;
        let port = match after.strip_prefix(':') {
            Some(port) => Some(port_of(port)?),
            None if after.is_empty() => None,
            None => return Err(invalid("something stands behind the bracket")),
        };
        return Ok((Host::Address(IpAddr::V6(address)), port));
    }
    let (host, port) = match authority.split_once(':') {
        Some((host, port)) => (host, Some(port_of(port)?)),
        None => (authority, None),
    };
    Ok((host_of(host)?, port))
}

fn port_of(text: &str) -> Result<u16, Fault> {
    let digits = !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    let port = if digits && !text.starts_with('0') { text.parse().ok() } else { None };
    port.ok_or_else(|| invalid("the port is no number from 1 to 65535"))
}

fn host_of(text: &str) -> Result<Host, Fault> {
    // The form without leading zeros, or nothing: 0177.0.0.1 is read in two ways.
    if let Ok(address) = text.parse::<Ipv4Addr>() {
        return Ok(Host::Address(IpAddr::V4(address)));
    }
    if text.is_empty() || text.len() > NAME_BYTES_MAX {
        return Err(invalid("the host's name is empty or too long"));
    }
    let name = text.to_ascii_lowercase();
    let labelled = name.split('.').all(|label| {
        (1..=LABEL_BYTES_MAX).contains(&label.len())
            && label.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
            && !label.starts_with('-')
            && !label.ends_with('-')
    });
    if !labelled {
        return Err(invalid(
            "a host's name has letters of ASCII, digits and hyphens, with single dots between its parts",
        ));
    }
    // 2130706433, 0x7f000001 and 127.1 are names to some and addresses to others.
    let last = name.rsplit('.').next().unwrap_or_default();
    if !last.starts_with(|c: char| c.is_ascii_lowercase()) {
        return Err(invalid("the host is a number that is no address in its usual form"));
    }
    Ok(Host::Name(name))
}

fn check_path(path: &str) -> Result<(), Fault> {
    let mut bytes = path.bytes();
    while let Some(byte) = bytes.next() {
        let fine = match byte {
            b'%' => {
                let two = (bytes.next(), bytes.next());
                matches!(two, (Some(a), Some(b)) if a.is_ascii_hexdigit() && b.is_ascii_hexdigit())
            }
            b'-' | b'.' | b'_' | b'~' | b'!' | b'$' | b'&' | b'\'' | b'(' | b')' | b'*' | b'+'
            | b',' | b';' | b'=' | b':' | b'@' | b'/' | b'?' => true,
            _ => byte.is_ascii_alphanumeric(),
        };
        if !fine {
            return Err(invalid("the path holds a character that must be percent-encoded"));
        }
    }
    Ok(())
}

/// What is wrong, and not with which text: an address may hold what is nobody else's business.
fn invalid(what: &str) -> Fault {
    Fault::new(&code::EGRESS_TARGET_INVALID, what)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn told(text: &str) -> Option<String> {
        Target::parse(text).ok().map(|t| format!("{} {}", t.origin, t.path))
    }

    #[test]
    fn addresses_are_read_to_origin_and_path() {
        for (text, expected) in [
            ("https://Lab.Example", "https://lab.example /"),
            ("https://lab.example:443/a", "https://lab.example /a"),
            ("https://lab.example:8443?x=1", "https://lab.example:8443 /?x=1"),
            ("http://10.0.0.1:80/", "http://10.0.0.1 /"),
            ("https://[2A00::1]:444/a%7Cb", "https://[2a00::1]:444 /a%7Cb"),
            ("https://xn--bcher-kva.example/", "https://xn--bcher-kva.example /"),
        ] {
            assert_eq!(told(text).as_deref(), Some(expected), "{text}");
        }
    }

    #[test]
    fn attack_41_addresses_in_disguise_are_refused() {
        for text in [
            "",
            "lab.example",
            "//lab.example/",
            "HTTPS://lab.example/",
            "ftp://lab.example/",
            "file:///etc/passwd",
            "https://",
            "https:///path",
            // A user in front of the host.
            "https://lab.example@10.0.0.1/",
            "https://user:password@lab.example/",
            "https://lab.example:443@evil.example/",
            // Numbers that are addresses to some.
            "https://2130706433/",
            "https://0x7f000001/",
            "https://0x7f.0.0.1/",
            "https://0177.0.0.1/",
            "https://127.1/",
            "https://127.0.0.1.5/",
            "https://127.0.0.0x1/",
            "https://1.2.3.4.example.0/",
            // Dots at the end, doubled, of other alphabets.
            "https://lab.example./",
            "https://127.0.0.1./",
            "https://lab..example/",
            "https://.example/",
            "https://127\u{3002}0\u{3002}0\u{3002}1/",
            "https://\u{2460}27.0.0.1/",
            "https://b\u{fc}cher.example/",
            "https://lab.exampl\u{435}/",
            // Brackets and ports.
            "https://[::1/",
            "https://[::1]x/",
            "https://[fe80::1%25eth0]/",
            "https://[::ffff:0x7f.1]/",
            "https://::1/",
            "https://lab.example:/",
            "https://lab.example:0/",
            "https://lab.example:070/",
            "https://lab.example:65536/",
            "https://lab.example:+443/",
            // Slashes, spaces, ends of lines, fragments.
            "https:\\\\lab.example\\",
            "https://lab.example\\@evil.example/",
            "https://lab.example /",
            " https://lab.example/",
            "https://lab.example/a b",
            "https://lab.example/a\r\nHost: evil.example",
            "https://lab.example/a\u{0}",
            "https://lab.example/%0",
            "https://lab.example/%zz",
            "https://lab.example/#a",
            "https://lab.example/a|b",
            "https://lab%2eexample/",
            "https://a_b.example/",
            "https://-a.example/",
        ] {
            assert_eq!(told(text), None, "{text:?}");
        }
        assert!(Target::parse(&format!("https://lab.example/{}", "a".repeat(9000))).is_err());
        assert!(Target::parse(&format!("https://{}.example/", "a".repeat(64))).is_err());
    }

    #[test]
    fn a_redirect_names_a_whole_address_or_a_path() {
        let from = Target::parse("https://lab.example/a").unwrap();
        let to = |text| from.redirect(text).ok().map(|t| format!("{} {}", t.origin, t.path));
        assert_eq!(to("/b?c").as_deref(), Some("https://lab.example /b?c"));
        assert_eq!(to("https://other.example/").as_deref(), Some("https://other.example /"));
        for text in ["//evil.example/", "b", "../b", "?b", "", "/\\evil.example", "javascript:1"] {
            assert_eq!(to(text), None, "{text:?}");
        }
    }

    #[test]
    fn an_origin_is_no_more_than_that() {
        assert!(Origin::parse("https://lab.example").is_ok());
        assert!(Origin::parse("https://lab.example/").is_err());
        let parse = |text| Origin::parse(text).unwrap();
        assert_eq!(parse("https://LAB.example:443"), parse("https://lab.example"));
        assert_ne!(parse("http://lab.example:443"), parse("https://lab.example"));
    }

    proptest! {
        #[test]
        fn no_text_makes_it_fall(text in "\\PC{0,60}") {
            let _ = Target::parse(&text);
            let _ = Target::parse(&format!("https://{text}"));
            let _ = Target::parse(&format!("https://lab.example/{text}"));
        }

        // What is read and written again is read as the same: nothing is understood twice.
        #[test]
        fn what_is_read_reads_the_same_again(
            text in "https?://[a-z0-9.\\-\\[\\]:@%]{1,30}(/[a-z%0-9?=&]{0,10})?",
        ) {
            if let Ok(target) = Target::parse(&text) {
                let again = Target::parse(&format!("{}{}", target.origin, target.path)).unwrap();
                prop_assert_eq!(target, again);
            }
        }
    }
}
