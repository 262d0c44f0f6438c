//! Operations of departments (<https://hl7.org/fhir/R4/operations.html>): what is asked and answered is
//! declared once, as a value (`record::Operation`), and this door reads it from there.

use crate::ask::Ask;
use crate::reply::Reply;
use crate::route::Interaction;
use base::Fault;
use fhir::Document;
use fhir::definitions::r4;
use http::{Method, StatusCode};
use record::{Input, Operation};

/// Carries an operation out and answers what it answers.
pub(crate) async fn answer(mut ask: Ask) -> Result<Reply, Fault> {
    let operation = ask.place.operation(&ask.state.record.settings().departments)?;
    let id = Some(ask.place.id.clone()).filter(|id| !id.is_empty());
    let target = (ask.place.resource_type.map(|of| r4().name(of)), id);
    let input = match ask.method {
        Method::POST => {
            ask.only(&[])?;
            let body: Option<Document> = match ask.body.is_empty() {
                true => None,
                false => Some(ask.document()?),
            };
            Input::of_parameters(
                operation,
                target,
                body.as_ref().map(Document::root),
                ask.limits(),
            )?
        }
        _ => Input::of_query(operation, target, &ask.criteria())?,
    };
    let output = ask.session.call(operation, &input).await?;
    Ok(Reply::resource(StatusCode::OK, ask.form, output.body))
}

/// The `OperationDefinition` that is asked for, when it is of an operation of a department: it is made
/// from the declaration, and no record of that id stands before it.
pub(crate) fn definition(ask: &Ask) -> Option<Reply> {
    let of = ask.place.resource_type.filter(|_| ask.interaction == Interaction::Read)?;
    if r4().name(of) != "OperationDefinition" {
        return None;
    }
    let departments = &ask.state.record.settings().departments;
    let mut all = departments.iter().flat_map(|department| department.operations);
    let operation: &&'static Operation = all.find(|one| one.id() == ask.place.id)?;
    let body = operation.definition(&ask.base());
    Some(Reply::resource(StatusCode::OK, ask.form, body))
}
