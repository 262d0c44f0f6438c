//! The style sheet and the scripts, under addresses that change with their content: a browser may keep
//! each for good and asks again only when it is another (RFC 8246, immutable responses).

use crate::answer::{Answer, Body};
use sha2::{Digest as _, Sha256};
use std::fmt::Write as _;
use std::sync::LazyLock;

/// An asset.
#[derive(Debug)]
pub(crate) struct Asset {
    name: &'static str,
    media_type: &'static str,
    content: &'static str,
}

const CSS: &str = "text/css; charset=utf-8";
const JS: &str = "text/javascript; charset=utf-8";

/// The one style sheet, in the order in which its parts build on each other.
const STYLE: &str = concat!(
    include_str!("style/tokens.css"),
    include_str!("style/base.css"),
    include_str!("style/shell.css"),
    include_str!("style/parts.css"),
    include_str!("style/patient.css"),
    include_str!("style/calendar.css"),
    include_str!("style/flow.css"),
    include_str!("style/arrival.css"),
    include_str!("style/chart.css"),
    include_str!("style/inbox.css"),
    include_str!("style/registration.css"),
    include_str!("style/consent.css"),
    include_str!("style/people.css"),
    include_str!("style/machine.css"),
    include_str!("style/print.css"),
);

const fn asset(name: &'static str, media_type: &'static str, content: &'static str) -> Asset {
    Asset { name, media_type, content }
}

/// All of them.
pub(crate) static ASSETS: &[Asset] = &[
    asset("console.css", CSS, STYLE),
    asset("calendar.js", JS, include_str!("script/calendar.js")),
    asset("chart.js", JS, include_str!("script/chart.js")),
    asset("find.js", JS, include_str!("script/find.js")),
    asset("inbox.js", JS, include_str!("script/inbox.js")),
    asset("keys.js", JS, include_str!("script/keys.js")),
    asset("kiosk.js", JS, include_str!("script/kiosk.js")),
    asset("live.js", JS, include_str!("script/live.js")),
    asset("register.js", JS, include_str!("script/register.js")),
    asset("machine.js", JS, include_str!("script/machine.js")),
    asset("sign.js", JS, include_str!("script/sign.js")),
    asset("wall.js", JS, include_str!("script/wall.js")),
    asset("page.js", JS, include_str!("script/page.js")),
];

/// Their addresses and names of content, in the order of [`ASSETS`].
static NAMED: LazyLock<Vec<(String, String)>> = LazyLock::new(|| {
    let named = |asset: &Asset| {
        let digest = Sha256::digest(asset.content.as_bytes());
        let mut hash = String::with_capacity(16);
        for byte in digest.iter().take(8) {
            let _ = write!(hash, "{byte:02x}");
        }
        (format!("/assets/{hash}/{}", asset.name), format!("\"{hash}\""))
    };
    ASSETS.iter().map(named).collect()
});

/// The address of an asset, by its name; empty for one that is not there.
pub(crate) fn address(name: &str) -> &'static str {
    let found = ASSETS.iter().zip(NAMED.iter()).find(|(asset, _)| asset.name == name);
    found.map_or("", |(_, (address, _))| address.as_str())
}

/// The asset at an address; none for another version of it, which would be kept for good.
pub(crate) fn at(path: &str) -> Option<Answer> {
    let found = ASSETS.iter().zip(NAMED.iter()).find(|(_, (address, _))| address == path);
    found.map(|(asset, (_, etag))| Answer {
        status: 200,
        body: Body::Asset {
            media_type: asset.media_type,
            content: asset.content.as_bytes(),
            etag: etag.as_str(),
        },
        choices: Vec::new(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Bytes of all scripts together, unpacked.
    const SCRIPTS_MAX: usize = 60_000;

    #[test]
    fn every_asset_has_an_address_of_its_content() {
        for asset in ASSETS {
            let address = address(asset.name);
            assert!(address.starts_with("/assets/") && address.ends_with(asset.name), "{address}");
            assert!(at(address).is_some());
        }
        assert!(at("/assets/0000000000000000/console.css").is_none(), "another version");
    }

    #[test]
    fn all_scripts_together_stay_within_their_budget() {
        let scripts = ASSETS.iter().filter(|asset| asset.media_type == JS);
        let bytes: usize = scripts.map(|asset| asset.content.len()).sum();
        assert!(bytes <= SCRIPTS_MAX, "{bytes}");
    }

    #[test]
    fn scripts_are_checked_modules_that_load_nothing_else() {
        for asset in ASSETS.iter().filter(|asset| asset.media_type == JS) {
            assert!(asset.content.starts_with("// @ts-check"), "{}", asset.name);
            for word in ["import ", "eval(", "localStorage", "sessionStorage", "://", ".style"] {
                assert!(!asset.content.contains(word), "{} has {word}", asset.name);
            }
        }
    }
}
