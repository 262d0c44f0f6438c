//! The page on which a patient is chosen.

use super::html::Html;
use super::{hidden, page};
use crate::reply::Reply;
use crate::smart::people::Person;
use http::StatusCode;

/// A field to search by, and what was found.
pub(in crate::smart) fn patient(
    form: &str,
    request: &str,
    app: &str,
    found: Option<(&str, &[Person])>,
) -> Reply {
    let typed = found.map(|(name, _)| name).unwrap_or_default();
    let mut body = Html::new()
        .raw("<p>The app <b>")
        .text(app)
        .raw("</b> works on one patient’s record. Choose whose.</p><form method=\"post\" action=\"patient\">")
        .join(&hidden(form, "request", request))
        .raw("<label for=\"name\">Name of the patient</label><input type=\"text\" id=\"name\" name=\"name\" autocomplete=\"off\" required autofocus value=\"")
        .text(typed)
        .raw("\"><button class=\"other\">Search</button></form>");
    if let Some((_, people)) = found {
        body = body.raw("<h2 id=\"found\">Matches</h2>");
        if people.is_empty() {
            body = body.raw("<p role=\"status\">No patient that you may see has this name.</p>");
        }
        body = body
            .raw("<form method=\"post\" action=\"patient\" aria-labelledby=\"found\">")
            .join(&hidden(form, "request", request));
        for person in people {
            body = body
                .raw("<button class=\"row\" name=\"patient\" value=\"")
                .text(&person.id)
                .raw("\"><b>")
                .text(&person.name)
                .raw("</b><span class=\"quiet\">")
                .text(&person.more)
                .raw("</span></button>");
        }
        body = body.raw("</form>");
    }
    page(StatusCode::OK, "Choose a patient", &body, "")
}
