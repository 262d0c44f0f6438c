//! Signing in by another organisation's server, over `OpenID` Connect
//! (<https://openid.net/specs/openid-connect-core-1_0.html>, 3.1, the code flow; RFC 7636; RFC 9207;
//! RFC 9700; 45 CFR 164.312(d)).
//!
//! It sends a browser to an issuer, takes it back, and believes or does not believe what the issuer
//! says. What follows from it, who somebody is here and with which roles, is `identity`'s to carry
//! out and this site's settings to say. It knows neither HTML nor SQL, and reaches out through
//! `egress` alone.

mod ask;
mod claims;
mod doubt;
mod federation;
pub mod issuer;
mod known;
mod token;
mod waiting;

pub use ask::{Answer, Ask, Way};
pub use federation::{Arrived, Begun, Federation, Ground, Party};
pub use issuer::{Issuer, RoleRule, SiteRule, check};
