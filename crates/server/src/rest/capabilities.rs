//! `GET [base]/metadata` (<https://hl7.org/fhir/R4/http.html#capabilities>).

use crate::ask::Ask;
use crate::capability;
use crate::reply::Reply;
use crate::subset::Part;
use base::error::code;
use base::{Fault, Limits};
use http::StatusCode;

/// Answers what this server can do.
pub(crate) async fn answer(ask: &Ask) -> Result<Reply, Fault> {
    ask.only(&["_summary", "_elements", "mode"])?;
    if let Some(mode) = ask.one("mode")?
        && !matches!(mode, "full" | "normative")
    {
        let what = "the modes are full and normative";
        return Err(Fault::at(&code::PARAMETER_INVALID, what, "mode"));
    }
    let part = Part::read(ask.one("_summary")?, ask.one("_elements")?)?;
    let whole = capability::statement(&ask.state, &ask.base());
    let body = match part {
        Part::Whole => whole,
        part => {
            let mut out = Vec::with_capacity(whole.len());
            part.write(&whole, &Limits::default(), &mut out)?;
            out
        }
    };
    Ok(Reply::resource(StatusCode::OK, ask.form, body))
}
