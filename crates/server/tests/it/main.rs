//! The contract of the FHIR REST door, asked over HTTP as any client would.

#[cfg(test)]
mod access_log;
#[cfg(test)]
mod agents;
#[cfg(test)]
mod arrival;
#[cfg(test)]
mod arrival_questions;
#[cfg(test)]
mod attacks;
#[cfg(test)]
mod audit_catalogue;
#[cfg(test)]
mod binary;
#[cfg(test)]
mod bundle;
#[cfg(test)]
mod callers;
#[cfg(test)]
mod capability;
#[cfg(test)]
mod client;
#[cfg(test)]
mod consents;
#[cfg(test)]
mod console;
#[cfg(test)]
mod console_chart;
#[cfg(test)]
mod console_people;
#[cfg(test)]
mod demand;
#[cfg(test)]
mod denials;
#[cfg(test)]
mod department;
#[cfg(test)]
mod flow;
#[cfg(test)]
mod guard;
#[cfg(test)]
mod headers;
#[cfg(test)]
mod history;
#[cfg(test)]
mod inbox;
#[cfg(test)]
mod key_sets;
#[cfg(test)]
mod limits;
#[cfg(test)]
mod live;
#[cfg(test)]
mod machine;
#[cfg(test)]
mod oidc;
#[cfg(test)]
mod oidc_attacks;
#[cfg(test)]
mod oidc_issuer;
#[cfg(test)]
mod onlookers;
#[cfg(test)]
mod operations;
#[cfg(test)]
mod places;
#[cfg(test)]
mod privacy;
mod protect;
#[cfg(test)]
mod rates;
#[cfg(test)]
mod read;
#[cfg(test)]
mod registration;
#[cfg(test)]
mod relabel;
#[cfg(test)]
mod route_auth;
#[cfg(test)]
mod schedule;
#[cfg(test)]
mod search;
#[cfg(test)]
mod smart;
#[cfg(test)]
mod smart_granular;
#[cfg(test)]
mod smart_passkeys;
#[cfg(test)]
mod smart_scopes;
#[cfg(test)]
mod smart_site;
#[cfg(test)]
mod smart_spanish;
#[cfg(test)]
mod smart_totp;
#[cfg(test)]
mod stranger;
#[cfg(test)]
mod tls;
#[cfg(test)]
mod visit_link;
#[cfg(test)]
mod waitlist;
#[cfg(test)]
mod wall;
#[cfg(test)]
mod write;
