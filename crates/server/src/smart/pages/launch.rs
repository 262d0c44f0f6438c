//! The page on which an app is started for a patient.

use super::html::Html;
use super::{hidden, page};
use crate::reply::Reply;
use http::StatusCode;
use smart::App;
use std::sync::Arc;

/// The page.
pub(in crate::smart) fn launch(form: &str, apps: &[&Arc<App>], target: &str) -> Reply {
    if apps.is_empty() {
        let body =
            Html::new().raw("<p role=\"status\">No app that can be started is registered.</p>");
        return page(StatusCode::OK, "Start an app", &body, "");
    }
    let mut body = Html::new()
        .raw("<form method=\"post\" action=\"launch\">")
        .join(&hidden(form, "intent", ""))
        .raw("<label for=\"patient\">Id of the patient</label><input type=\"text\" id=\"patient\" name=\"patient\" autocomplete=\"off\" required>")
        .raw("<label for=\"encounter\">Id of the encounter, if there is one</label><input type=\"text\" id=\"encounter\" name=\"encounter\" autocomplete=\"off\">")
        .raw("<h2>Apps</h2>");
    for app in apps {
        body = body
            .raw("<button class=\"row\" name=\"app\" value=\"")
            .text(&app.id.to_string())
            .raw("\"><b>")
            .text(&app.registration.display)
            .raw("</b></button>");
    }
    page(StatusCode::OK, "Start an app", &body.raw("</form>"), target)
}
