//! Attacks 13, 14, 15, 20 and their like: doors that other servers have and leak by, and this one does not.
//! Whoever opens one of them meets its test first, and the row of docs/compliance/attacks.md.

use crate::attacks::world::World;

#[test]
fn attack_13_nothing_is_exported_in_bulk() {
    let world = World::new();
    for path in ["/$export", "/Patient/$export", "/Group/g/$export", "/Patient/ann/$export"] {
        for method in ["GET", "POST"] {
            let answer = world.server.send(method, path, &[("Prefer", "respond-async")], b"");
            assert!(matches!(answer.status, 400 | 404 | 405), "{method} {path}: {}", answer.status);
        }
    }
}

#[test]
fn attack_14_there_is_no_graphql() {
    let world = World::new();
    for path in ["/$graphql?query={Patient{id}}", "/Patient/ann/$graphql?query={id}"] {
        for token in [world.server.bearer().replace("Bearer ", ""), world.who.clone()] {
            let status = world.server.get_as(&token, path).status;
            assert!(matches!(status, 400 | 404 | 405), "{path}: {status}");
        }
    }
}

#[test]
fn attack_15_a_subscription_is_a_record_like_any_and_nothing_is_delivered() {
    let world = World::new();
    let body = r#"{"resourceType":"Subscription","id":"s","status":"requested","reason":"x","criteria":"Observation?code=x","channel":{"type":"rest-hook","endpoint":"http://127.0.0.1:9/x"}}"#;
    // Of the clinic's people nobody may make one who sees records.
    assert!(world.send(&world.who, "PUT", "/Subscription/s", body).status >= 400);
    assert!(world.send(&world.ann, "PUT", "/Subscription/s", body).status >= 400);
    world.put("/Subscription/s", body);
    world.put(
        "/Observation/of-ann",
        &super::world::observation("of-ann", "ann", 1, "2021-01-01", ""),
    );
    let kept = world.server.get("/Subscription/s");
    assert_eq!(kept.at("status"), "requested", "nobody here turns it on");
    assert_eq!(world.server.get("/Subscription/s/$status").status, 405);
    assert_eq!(world.server.get("/Subscription/s/$events").status, 405);
}

#[test]
fn attack_20_no_operation_looks_across_records() {
    let world = World::new();
    for path in [
        "/Observation/$lastn?patient=ann",
        "/Observation/$stats?patient=ann",
        "/Patient/$match",
        "/Patient/$everything",
        "/ValueSet/$expand?url=x",
        "/ValueSet/v/$expand",
        "/CodeSystem/$lookup?code=x",
        "/Composition/c/$document",
        "/List/$find?name=current-problems",
        "/$reindex",
        "/$meta",
        "/Patient/ann/$meta",
        "/$convert",
    ] {
        for method in ["GET", "POST"] {
            let answer = world.server.send(method, path, &[], b"");
            assert!(matches!(answer.status, 400 | 404 | 405), "{method} {path}: {}", answer.status);
        }
    }
}
