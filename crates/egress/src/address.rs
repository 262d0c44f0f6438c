//! What kind of place an address is (the IANA registries of special-purpose addresses, RFC 6890). An
//! address that holds another in disguise is judged as the other, or not at all.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// What kind of place an address is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Class {
    /// On the internet.
    Public,
    /// Of this machine, or of a network of ours or our provider's: reached only by an origin that is
    /// listed as private.
    Private,
    /// Nothing a record has business with, whatever a policy says: link-local, where clouds tell their
    /// machines' credentials; groups; what is reserved, for documents, or an obsolete tunnel.
    Never,
}

/// Addresses at which a cloud tells a machine its credentials, outside the link-local network.
const METADATA_V4: [Ipv4Addr; 3] = [
    Ipv4Addr::new(100, 100, 100, 200),
    Ipv4Addr::new(168, 63, 129, 16),
    Ipv4Addr::new(192, 0, 0, 192),
];
const METADATA_V6: [Ipv6Addr; 2] = [
    Ipv6Addr::new(0xFD00, 0xEC2, 0, 0, 0, 0, 0, 0x254),
    Ipv6Addr::new(0xFD20, 0xCE, 0, 0, 0, 0, 0, 0x254),
];

/// The class of an address.
pub fn class(address: IpAddr) -> Class {
    match address {
        IpAddr::V4(address) => class_v4(address),
        IpAddr::V6(address) => class_v6(address),
    }
}

fn class_v4(address: Ipv4Addr) -> Class {
    if METADATA_V4.contains(&address) {
        return Class::Never;
    }
    match address.octets() {
        [10 | 127, ..] | [192, 168, ..] => Class::Private,
        [172, second, ..] if second & 0xF0 == 16 => Class::Private,
        // Shared with a provider (RFC 6598).
        [100, second, ..] if second & 0xC0 == 64 => Class::Private,
        // This network, link-local, groups, reserved and broadcast.
        [0, ..] | [169, 254, ..] | [224..=255, ..] => Class::Never,
        // Protocol assignments, documents, the old relay of 6to4, measurements of devices.
        [192, 0, 0 | 2, _] | [192, 88, 99, _] | [198, 18 | 19, ..] => Class::Never,
        [198, 51, 100, _] | [203, 0, 113, _] => Class::Never,
        _ => Class::Public,
    }
}

fn class_v6(address: Ipv6Addr) -> Class {
    if METADATA_V6.contains(&address) {
        return Class::Never;
    }
    if address.is_loopback() {
        return Class::Private;
    }
    let inner = |high: u16, low: u16| {
        let ([a, b], [c, d]) = (high.to_be_bytes(), low.to_be_bytes());
        class_v4(Ipv4Addr::new(a, b, c, d))
    };
    match address.segments() {
        // The IPv4 address itself, as some sockets write it (RFC 4291 section 2.5.5.2).
        [0, 0, 0, 0, 0, 0xFFFF, high, low] => inner(high, low),
        // Behind a translator whose prefix everybody knows (RFC 6052).
        [0x64, 0xFF9B, 0, 0, 0, 0, high, low] => inner(high, low),
        // An address of a network of ours (RFC 4193).
        [0xFC00..=0xFDFF, ..] => Class::Private,
        // Teredo, ORCHID, benchmarks and other assignments of protocols.
        [0x2001, 0..=0x01FF, ..] => Class::Never,
        // Documents, twice; 6to4.
        [0x2001, 0xDB8, ..] | [0x3FFF, 0..=0x0FFF, ..] | [0x2002, ..] => Class::Never,
        // An IPv4 address at the end, of a tunnel within a site (RFC 5214).
        [_, _, _, _, 0 | 0x200, 0x5EFE, ..] => Class::Never,
        [0x2000..=0x3FFF, ..] => Class::Public,
        // Unspecified, the old mapped form, link-local, groups, and what nobody was given yet.
        _ => Class::Never,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn of(text: &str) -> Class {
        class(text.parse().unwrap_or_else(|_| panic!("{text}")))
    }

    #[test]
    fn public_addresses_are_public() {
        for text in [
            "93.184.215.14",
            "1.1.1.1",
            "9.255.255.255",
            "11.0.0.0",
            "100.63.255.255",
            "100.128.0.0",
            "172.15.0.1",
            "172.32.0.1",
            "192.167.0.1",
            "223.255.255.255",
            "::ffff:93.184.215.14",
            "64:ff9b::93.184.215.14",
            "2606:2800:21f:cb07:6820:80da:af6b:8b2c",
            "2a00:1450:4001:81b::200e",
        ] {
            assert_eq!(of(text), Class::Public, "{text}");
        }
    }

    #[test]
    fn attack_41_addresses_of_ours_are_private_in_every_form() {
        for text in [
            "127.0.0.1",
            "127.255.255.254",
            "10.1.2.3",
            "172.16.0.1",
            "172.31.255.255",
            "192.168.0.1",
            "100.64.0.1",
            "100.127.255.255",
            "::1",
            "::ffff:127.0.0.1",
            "::ffff:10.0.0.1",
            "64:ff9b::10.0.0.1",
            "64:ff9b::127.0.0.1",
            "fc00::1",
            "fd12:3456::1",
        ] {
            assert_eq!(of(text), Class::Private, "{text}");
        }
    }

    #[test]
    fn attack_41_some_places_are_never_reached() {
        for text in [
            "0.0.0.0",
            "0.1.2.3",
            "169.254.169.254",
            "169.254.0.1",
            "100.100.100.200",
            "168.63.129.16",
            "192.0.0.192",
            "192.0.2.1",
            "192.88.99.1",
            "198.18.0.1",
            "198.19.255.255",
            "198.51.100.1",
            "203.0.113.1",
            "224.0.0.1",
            "239.255.255.255",
            "240.0.0.1",
            "255.255.255.255",
            "::",
            "::ffff:169.254.169.254",
            "::ffff:0.0.0.0",
            "::127.0.0.1",
            "::ffff:0:127.0.0.1",
            "64:ff9b::169.254.169.254",
            "64:ff9b:1::a00:1",
            "100::1",
            "2001::1",
            "2001:0:4136:e378:8000:63bf:3fff:fdd2",
            "2001:db8::1",
            "3fff::1",
            "2002:7f00:1::",
            "2002:c0a8:1::1",
            "2002:5db8:d70e::1",
            "2a00:1::5efe:10.0.0.1",
            "2a00:1::200:5efe:10.0.0.1",
            "fe80::1",
            "febf::1",
            "fec0::1",
            "ff02::1",
            "fd00:ec2::254",
            "fd20:ce::254",
            "4000::1",
        ] {
            assert_eq!(of(text), Class::Never, "{text}");
        }
    }

    proptest! {
        // Whatever form an IPv4 address is given, it is judged no better than itself.
        #[test]
        fn no_form_of_an_address_is_better_than_the_address(bits in any::<u32>()) {
            let plain = Ipv4Addr::from_bits(bits);
            if class_v4(plain) == Class::Public {
                return Ok(());
            }
            let [a, b, c, d] = plain.octets();
            let (high, low) = (u16::from_be_bytes([a, b]), u16::from_be_bytes([c, d]));
            for form in [
                plain.to_ipv6_mapped(),
                plain.to_ipv6_compatible(),
                Ipv6Addr::new(0x64, 0xFF9B, 0, 0, 0, 0, high, low),
                Ipv6Addr::new(0x64, 0xFF9B, 1, 0, 0, 0, high, low),
                Ipv6Addr::new(0x2002, high, low, 0, 0, 0, 0, 1),
                Ipv6Addr::new(0x2001, 0, 1, 1, 0, 0, !high, !low),
                Ipv6Addr::new(0x2A00, 1, 0, 0, 0, 0x5EFE, high, low),
                Ipv6Addr::new(0, 0, 0, 0, 0xFFFF, 0, high, low),
            ] {
                prop_assert_ne!(class(form.into()), Class::Public, "{}", form);
            }
        }
    }
}
