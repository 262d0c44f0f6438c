//! `POST [base]/Patient/[id]/$break-glass`: an emergency, with a reason, by somebody who has just shown a
//! factor (45 CFR 164.312(a)(2)(ii)).

use crate::ask::Ask;
use crate::reply::Reply;
use base::Fault;
use fhir::write::Writer;
use http::StatusCode;
use std::borrow::Cow;
use std::sync::Arc;

/// Answers until when the glass is broken.
pub(crate) async fn answer(mut ask: Ask) -> Result<Reply, Fault> {
    let document = ask.document()?;
    let parameters = document.root().get("parameter");
    let reason = parameters
        .into_iter()
        .flat_map(|list| list.items())
        .find(|one| one.get_str("name").as_deref() == Some("reason"))
        .and_then(|one| one.get_str("valueString").map(Cow::into_owned));
    let state = Arc::clone(&ask.state);
    let (session, id, form) = (ask.session.clone(), ask.place.id.clone(), ask.form);
    let broken =
        state.on_pool(move || session.break_glass(&id, &reason.unwrap_or_default())).await?;
    let mut w = Writer::new();
    w.object().member("resourceType", "Parameters");
    w.key("parameter").array();
    w.object().member("name", "until").member("valueInstant", &broken.until.to_instant());
    w.end_object().end_array().end_object();
    Ok(Reply::resource(StatusCode::OK, form, w.finish()))
}
