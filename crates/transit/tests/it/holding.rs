//! What a service holds for us: wrapping bound to a tenant, versions, tokens and a role, and being
//! there later than we are.

use crate::place::{Place, TENANT};
use base::error::code;
use keys::{Kms as _, Secret, SecretFile};
use transit::{Proof, version};

fn key() -> Secret {
    Secret::take(&mut [5; 32])
}

#[test]
fn a_key_is_wrapped_over_tls_and_unwrapped_again_for_its_tenant_alone() {
    let place = Place::new();
    let transit = place.transit();
    let wrapped = transit.wrap(&key(), &TENANT).unwrap();
    assert_eq!(version(&wrapped), Some(1));
    assert_eq!(transit.unwrap(&wrapped, &TENANT).unwrap().expose(), key().expose());
    let other = transit.unwrap(&wrapped, &[1; 16]).unwrap_err();
    assert_eq!(other.code(), &code::KEYS_KMS_REFUSED, "{other}");
    let asked = place.fake.world().asked.join("\n");
    assert!(asked.contains("x-vault-request: true"), "{asked}");
    assert!(!asked.contains("x-vault-namespace"), "{asked}");
    assert_eq!(place.waits(), 0);
}

#[test]
fn what_an_older_version_wrapped_unwraps_until_the_service_forbids_it() {
    let place = Place::new();
    let transit = place.transit();
    let old = transit.wrap(&key(), &TENANT).unwrap();
    place.fake.world().versions.push(2);
    let new = transit.wrap(&key(), &TENANT).unwrap();
    assert_eq!((version(&old), version(&new)), (Some(1), Some(2)));
    assert_eq!(transit.standing().version, Some(2));
    for wrapped in [&old, &new] {
        assert_eq!(transit.unwrap(wrapped, &TENANT).unwrap().expose(), key().expose());
    }
    place.fake.world().least = 2;
    let fault = transit.unwrap(&old, &TENANT).unwrap_err();
    assert_eq!(fault.code(), &code::KEYS_KMS_REFUSED);
    assert!(fault.to_string().contains("min_decryption_version is 2"), "{fault}");
    transit.unwrap(&new, &TENANT).unwrap();
    place.fake.world().versions.pop();
    let fault = transit.unwrap(&new, &TENANT).unwrap_err();
    assert!(fault.to_string().contains("older copy of itself"), "{fault}");
}

#[test]
fn a_service_that_is_sealed_at_start_is_waited_for() {
    let place = Place::new();
    let transit = place.transit();
    let wrapped = transit.wrap(&key(), &TENANT).unwrap();
    place.fake.world().sealed = true;
    let fake = place.fake.clone();
    let unseal = Box::new(move || fake.world().sealed = false);
    *place.pauses.then.lock().unwrap() = Some((3, unseal));
    assert_eq!(transit.unwrap(&wrapped, &TENANT).unwrap().expose(), key().expose());
    assert_eq!(place.waits(), 3);
    let waited = place.pauses.waited.lock().unwrap().clone();
    assert!(waited.windows(2).all(|w| w[1] == w[0] * 2), "{waited:?}");
}

#[test]
fn a_service_that_stays_sealed_is_named_and_not_waited_for_forever() {
    let place = Place::new();
    let transit = place.transit();
    let wrapped = transit.wrap(&key(), &TENANT).unwrap();
    place.fake.world().sealed = true;
    let fault = transit.unwrap(&wrapped, &TENANT).unwrap_err();
    assert_eq!((fault.code(), place.waits()), (&code::KEYS_KMS_SEALED, 6));
}

#[test]
fn how_a_service_stands_is_told_without_asking_it_again() {
    let place = Place::new();
    let transit = place.transit();
    assert!(transit.standing().answered.is_none());
    transit.ask().unwrap();
    let standing = transit.standing();
    assert_eq!((standing.holder, standing.version), ("transit", Some(1)));
    assert_eq!(standing.name, "transit/keys/plummer at https://bao.hospital.example:8200");
    assert_eq!(standing.answered.unwrap().0, 1_795_305_600_000);
    place.turn(60_000);
    place.fake.world().sealed = true;
    assert_eq!(transit.ask().unwrap_err().code(), &code::KEYS_KMS_SEALED);
    assert_eq!(place.waits(), 0, "only a start waits");
    let standing = transit.standing();
    assert_eq!(standing.answered.unwrap().0, 1_795_305_600_000);
    assert_eq!(standing.failure.unwrap().code(), &code::KEYS_KMS_SEALED);
    place.fake.world().sealed = false;
    transit.ask().unwrap();
    assert!(transit.standing().failure.is_none());
}

#[test]
fn a_token_is_read_anew_each_time_so_that_an_agent_may_replace_it() {
    let place = Place::new();
    let transit = place.transit();
    transit.ask().unwrap();
    place.fake.world().tokens = vec!["better".to_owned()];
    assert_eq!(transit.ask().unwrap_err().code(), &code::KEYS_KMS_DENIED);
    place.secret("token", "better");
    transit.ask().unwrap();
}

fn as_role(place: &Place, secret: &str) -> transit::Config {
    let secret = SecretFile::new(place.secret("secret", secret));
    let proof = Proof::Role { mount: "approle".to_owned(), id: "r-1".to_owned(), secret };
    transit::Config { proof, namespace: "clinic/north".to_owned(), ..place.config() }
}

#[test]
fn a_role_signs_in_once_and_again_when_its_token_is_over_or_was_ended() {
    let place = Place::new();
    place.fake.world().role = Some(("r-1".to_owned(), "s-1".to_owned(), 3600));
    let transit = place.with(as_role(&place, "s-1"), &place.trust());
    let wrapped = transit.wrap(&key(), &TENANT).unwrap();
    transit.unwrap(&wrapped, &TENANT).unwrap();
    assert_eq!(place.fake.world().signed_in, 1);
    place.turn(3600 * 1000 - 29_000);
    transit.ask().unwrap();
    assert_eq!(place.fake.world().signed_in, 2, "before it is over");
    place.fake.world().tokens.clear();
    transit.ask().unwrap();
    assert_eq!(place.fake.world().signed_in, 3, "after it was ended");
    assert!(place.fake.world().asked.iter().all(|a| a.contains("x-vault-namespace: clinic/north")));
}

#[test]
fn a_role_that_is_not_known_is_denied_and_asked_for_once() {
    let place = Place::new();
    place.fake.world().role = Some(("r-1".to_owned(), "s-1".to_owned(), 3600));
    let transit = place.with(as_role(&place, "wrong"), &place.trust());
    let fault = transit.wrap(&key(), &TENANT).unwrap_err();
    assert_eq!(fault.code(), &code::KEYS_KMS_DENIED, "{fault}");
    assert_eq!((place.count("login"), place.waits()), (1, 0));
}

#[test]
fn a_key_is_known_by_its_names_and_not_by_where_the_service_is() {
    let place = Place::new();
    let of = |change: fn(&mut transit::Config)| {
        let mut config = place.config();
        change(&mut config);
        place.with(config, &place.trust()).key_id()
    };
    let usual = of(|_| {});
    assert_eq!(of(|c| c.address = "https://other.example".to_owned()), usual);
    assert_ne!(of(|c| c.key = "other".to_owned()), usual);
    assert_ne!(of(|c| c.mount = "other".to_owned()), usual);
    assert_ne!(of(|c| c.namespace = "other".to_owned()), usual);
}
