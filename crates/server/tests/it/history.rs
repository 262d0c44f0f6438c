//! Histories of a resource, a type and the system.

use crate::client::{Running, patient};

fn lived() -> Running {
    let server = Running::start();
    server.put("/Patient/a", &patient("a", "One"));
    server.put("/Patient/a", &patient("a", "Two"));
    server.put("/Patient/b", &patient("b", "Other"));
    server.delete("/Patient/a");
    server
}

#[test]
fn the_newest_version_comes_first() {
    let server = lived();
    let page = server.get("/Patient/a/_history");
    assert_eq!((page.status, page.at("type")), (200, "history".to_owned()));
    assert_eq!(page.entries(), 3);
    for (at, method, status) in
        [(0, "DELETE", "204 No Content"), (1, "PUT", "200 OK"), (2, "PUT", "201 Created")]
    {
        assert_eq!(page.at(&format!("entry.{at}.request.method")), method);
        assert_eq!(page.at(&format!("entry.{at}.response.status")), status);
        assert_eq!(page.at(&format!("entry.{at}.response.etag")), format!("W/\"{}\"", 3 - at));
    }
    assert_eq!(page.at("entry.0.resource"), "");
    assert_eq!(page.at("entry.1.resource.name.0.family"), "Two");
    assert_eq!(server.get("/Patient/none/_history").status, 404);
}

#[test]
fn types_and_the_system_are_walked_page_by_page() {
    let server = lived();
    for path in ["/Patient/_history?_count=3", "/_history?_count=3"] {
        let first = server.get(path);
        assert_eq!(first.entries(), 3, "{path}");
        let second = server.get(&first.link("next").unwrap());
        assert_eq!(second.entries(), 1);
        assert_eq!(second.link("next"), None);
        assert_eq!(second.at("entry.0.resource.name.0.family"), "One");
    }
}

#[test]
fn spans_of_time_narrow_it() {
    let server = lived();
    assert_eq!(server.get("/_history?_since=2999-01-01").entries(), 0);
    assert_eq!(server.get("/_history?_since=2000-01-01T00:00:00Z").entries(), 4);
    assert_eq!(server.get("/Patient/a/_history?_at=1999").entries(), 0);
    for bad in ["_since=soon", "_count=0", "_count=x", "_at=never", "name=x"] {
        let answer = server.get(&format!("/_history?{bad}"));
        assert_eq!(
            (answer.status, answer.code().as_str()),
            (400, "server.parameter.invalid"),
            "{bad}"
        );
    }
    // A number would tell how much is written, so it is no place to begin behind.
    for bad in ["_cursor=x", "_cursor=3"] {
        let answer = server.get(&format!("/_history?{bad}"));
        assert_eq!((answer.status, answer.code().as_str()), (400, "search.page.cursor"), "{bad}");
    }
}
