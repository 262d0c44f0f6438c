//! The shelf in memory keeps what every shelf promises.

use identity::{Memory, Shelf, ShelfName, contract};
use proptest::prelude::*;

use crate::support::Site;

#[test]
fn the_shelf_in_memory_keeps_its_promises() {
    assert_eq!(contract::check(&Memory::new()), Ok(()));
}

#[test]
fn shelves_have_names_of_their_own() {
    let mut names: Vec<_> = ShelfName::ALL.iter().map(|shelf| shelf.as_str()).collect();
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), ShelfName::ALL.len());
}

#[test]
fn nothing_on_the_shelves_gives_a_password_or_a_token_away() {
    let site = Site::new();
    site.person("ada");
    let opened = site.sign_in("ada");
    let token = opened.token.text();
    let token = token.expose().strip_prefix("plm_").expect("a prefix");
    let mut items = 0;
    for shelf in ShelfName::ALL {
        for (_, item) in site.shelf.scan(shelf, &[], None, 100).expect("a scan") {
            let body = String::from_utf8_lossy(&item.body).into_owned();
            assert!(!body.contains("tulpen") && !body.contains(token), "{shelf:?}");
            items += 1;
        }
    }
    assert_eq!(items, 4, "principal, name, password, session");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Whatever stands on a shelf: an answer or a fault, never a panic, and never a sign-in.
    #[test]
    fn damaged_items_let_nobody_in(
        shelf in proptest::sample::select(&ShelfName::ALL[..4]),
        edits in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..4),
        whole in proptest::option::of(proptest::collection::vec(any::<u8>(), 0..80)),
    ) {
        let site = Site::new();
        let ada = site.person("ada");
        let opened = site.sign_in("ada");
        for (key, item) in site.shelf.scan(shelf, &[], None, 10).expect("a scan") {
            let mut body = item.body.clone();
            for (at, byte) in &edits {
                let at = at.index(body.len());
                body[at] = *byte;
            }
            let body = whole.clone().unwrap_or(body);
            let change = identity::Change::put(shelf, &key, Some(item.version), body);
            site.shelf.commit(vec![change], identity::Deed::UPKEEP).expect("put");
        }
        let _ = site.identity.principal(ada.id);
        let _ = site.identity.list(None, 10);
        let _ = site.identity.factors(ada.id);
        let _ = site.identity.find_by_name("ada");
        let _ = site.identity.disable(ada.id, 1, "damage");
        prop_assert!(site.identity.begin("ada", &"another password".into(), crate::support::HOME).is_err());
        let _ = site.identity.find(opened.token.text().expose(), None);
    }
}
