//! Page links: they lead through everything once, tell nothing, and cannot be altered.

use crate::support::*;
use base::Fault;
use record::{Audited, Found, Level, SearchHow};
use std::collections::HashSet;

fn follow(room: &Room, cursor: &str) -> Result<Found, Fault> {
    let pairs = vec![("_cursor".to_owned(), cursor.to_owned())];
    let how = SearchHow::default();
    room.session().search(Level::Type(of("Patient")), pairs, &how).and_then(Audited::wait)
}

fn ids(found: &Found) -> Vec<String> {
    found.page.matches.iter().map(|hit| hit.id.clone()).collect()
}

#[test]
fn links_lead_through_all_and_back() {
    let room = Room::new();
    for n in 0..25 {
        let family = if n % 5 == 0 { "Zz" } else { "Secretname" };
        room.create(&patient(&format!(r#","name":[{{"family":"{family}"}}]"#)));
    }
    let mut pages = vec![room.search("Patient", "name=secretname&_count=6")];
    while let Some(next) = pages.last().unwrap().next.clone() {
        assert!(!next.to_lowercase().contains("secretname"));
        pages.push(follow(&room, &next).unwrap());
        // What comes in between does not move the pages.
        room.create(&patient(r#","name":[{"family":"Secretname"}]"#));
    }
    let all: Vec<_> = pages.iter().flat_map(ids).collect();
    assert_eq!(all.len(), 20);
    assert_eq!(all.iter().collect::<HashSet<_>>().len(), 20);
    assert!(pages[0].previous.is_none());
    let back = follow(&room, pages[2].previous.as_deref().unwrap()).unwrap();
    assert_eq!(ids(&back), ids(&pages[1]));
    let first = follow(&room, &pages[3].first).unwrap();
    assert_eq!(ids(&first), ids(&pages[0]));
}

#[test]
fn a_link_is_good_for_its_own_search_only() {
    let room = Room::new();
    (0..3).for_each(|_| drop(room.create(&patient(""))));
    let next = room.search("Patient", "_count=1").next.unwrap();
    let mut altered = next.clone().into_bytes();
    let middle = altered.len() / 2;
    altered[middle] = if altered[middle] == b'A' { b'B' } else { b'A' };
    let altered = String::from_utf8(altered).unwrap();
    for bad in ["", "x", &altered, &next[1..]] {
        assert_eq!(told(&follow(&room, bad).unwrap_err()).0, "search.page.cursor", "{bad}");
    }
    let pairs = vec![("_cursor".to_owned(), next)];
    let how = SearchHow::default();
    let other = room.session().search(Level::Type(of("Group")), pairs, &how).unwrap_err();
    assert_eq!(told(&other).0, "search.page.cursor");
}
