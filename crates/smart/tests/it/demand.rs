//! What was given while an issuer had signed its user in: by how many factors it stands, and that it ends
//! with the issuer.

use base::Millis;
use identity::vouched::Vouched;
use identity::{Caller, IssuerName, Profile, Step, Welcome};

use crate::support::{Site, public, text};

const ALL: &str = "openid fhirUser launch/patient patient/*.rs offline_access";

fn issuer() -> IssuerName {
    IssuerName::parse("st-elsewhere").expect("a name")
}

fn vouched_in(site: &Site, name: &str, two: bool) -> Caller {
    let vouched = Vouched {
        issuer: issuer(),
        subject: [9; 32],
        name: Some(name.to_owned()),
        display: None,
        roles: vec!["nurse".to_owned()],
        sites: Vec::new(),
        governs_roles: vec!["nurse".to_owned()],
        governs_sites: Vec::new(),
        links: true,
        creates: false,
        second_factor: two,
        shown: Some(Millis(site.now_s() * 1000)),
    };
    let here = std::net::IpAddr::from([127, 0, 0, 1]);
    let welcome = site.smart.identity().vouch(&vouched, here).expect("asked");
    let Welcome::In(Step::Done(opened)) = welcome else { panic!("not signed in") };
    site.smart.identity().find(opened.token.text().expose(), None).expect("signed in")
}

#[test]
fn what_was_given_by_an_issuers_word_stands_by_the_factors_it_saw_and_ends_with_it() {
    let site = Site::new();
    let eve = site.person("eve", |_| {});
    let app = site.app(public("chart", ALL));
    let [one, two] = [false, true].map(|two| {
        let caller = vouched_in(&site, "eve", two);
        text(&site.dance(&app, &caller, ALL), "access_token")
    });
    let own = text(&site.dance(&app, &site.sign_in("eve"), ALL), "access_token");
    assert!([&one, &two, &own].iter().all(|token| site.is_good(token)), "nothing is demanded");
    let identity = site.smart.identity();
    let now = identity.principal(eve.id).expect("read");
    let roles = vec!["nurse".to_owned(), "watched".to_owned()];
    let profile = Profile { roles, ..now.profile.clone() };
    identity.change(eve.id, now.version, profile).expect("changed");
    site.clock.turn(1000);
    let good = |site: &Site| [&one, &two, &own].map(|token| site.is_good(token));
    assert_eq!(good(&site), [false, true, false], "two factors were seen once");
    let site = site.restarted();
    assert_eq!(good(&site), [false, true, false], "which is kept");
    assert_eq!(site.smart.revoke_issuers_but(&[issuer()]), Ok(0));
    assert_eq!(site.smart.revoke_issuers_but(&[]), Ok(2));
    assert_eq!(site.smart.given_by(eve.id).len(), 1, "what she gave here is left");
    assert_eq!(good(&site), [false, false, false]);
}
