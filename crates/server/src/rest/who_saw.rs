//! `GET [base]/Patient/[id]/$who-saw?start=…&end=…`: who saw a patient's record, in plain words, for the
//! patient, for who speaks for one, and for who may read the access log (45 CFR 164.528; 164.524).

use crate::ask::Ask;
use crate::reply::Reply;
use base::error::code;
use base::{Fault, Millis};
use fhir::write::Writer;
use http::StatusCode;
use record::{Access, Accounting};
use std::sync::Arc;

/// Answers `Parameters` with one parameter for each access.
pub(crate) async fn answer(ask: Ask) -> Result<Reply, Fault> {
    ask.only(&["start", "end"])?;
    let range = |name: &str| -> Result<Option<fhir::date::DateRange>, Fault> {
        let Some(text) = ask.one(name)? else { return Ok(None) };
        let odd = || Fault::at(&code::SEARCH_VALUE, "the value is not a date", name.to_owned());
        fhir::date::parse(text).map(Some).ok_or_else(odd)
    };
    let from = range("start")?.map(|range| Millis(range.low));
    // The end is the last instant that the value means.
    let until = range("end")?.map(|range| Millis(range.high.saturating_add(1)));
    let state = Arc::clone(&ask.state);
    let form = ask.form;
    let audited = state.on_pool(move || ask.session.who_saw(&ask.place.id, from, until)).await?;
    let body = told(&audited.into_inner().await?);
    Ok(Reply::resource(StatusCode::OK, form, body))
}

fn told(accounting: &Accounting) -> Vec<u8> {
    let mut w = Writer::new();
    w.object().member("resourceType", "Parameters");
    if !accounting.accesses.is_empty() {
        w.key("parameter").array();
        for access in &accounting.accesses {
            w.object().member("name", "access");
            w.key("part").array();
            parts(&mut w, access);
            w.end_array().end_object();
        }
        w.end_array();
    }
    w.end_object();
    w.finish()
}

fn parts(w: &mut Writer, access: &Access) {
    let text = |w: &mut Writer, name: &str, value: &str| {
        w.object().member("name", name).member("valueString", value).end_object();
    };
    text(w, "who", &access.name);
    if let Some(id) = &access.who {
        text(w, "id", id);
    }
    if let Some(other) = &access.on_behalf_of {
        text(w, "onBehalfOf", other);
    }
    if let Some(app) = &access.app {
        text(w, "app", app);
    }
    text(w, "did", access.did);
    text(w, "why", &access.reason);
    for (name, value) in [("emergency", access.emergency), ("refused", access.refused)] {
        w.object().member("name", name).key("valueBoolean").boolean(value).end_object();
    }
    let times = i64::from(i32::try_from(access.times).unwrap_or(i32::MAX));
    w.object().member("name", "times").key("valueInteger").integer(times).end_object();
    for (name, at) in [("first", access.first), ("last", access.last)] {
        let at = at.to_instant();
        w.object().member("name", name).member("valueInstant", &at).end_object();
    }
}
