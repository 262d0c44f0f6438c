//! The page on which an app is started for a patient.

use super::html::Html;
use super::{hidden, page};
use crate::reply::Reply;
use console::{Lang, sign_in_words as words};
use http::StatusCode;
use smart::App;
use std::sync::Arc;

/// The page.
pub(in crate::smart) fn launch(form: &str, apps: &[&Arc<App>], target: &str, lang: Lang) -> Reply {
    if apps.is_empty() {
        let body =
            Html::new(lang).raw("<p role=\"status\">").say(words::AUTH_START_NONE).raw("</p>");
        return page(StatusCode::OK, words::AUTH_START, &body, "");
    }
    let mut body = Html::new(lang)
        .raw("<form method=\"post\" action=\"launch\">")
        .join(&hidden(lang, form, "intent", ""))
        .raw("<label for=\"patient\">")
        .say(words::AUTH_START_PATIENT)
        .raw("</label><input type=\"text\" id=\"patient\" name=\"patient\" autocomplete=\"off\" required>")
        .raw("<label for=\"encounter\">")
        .say(words::AUTH_START_VISIT)
        .raw("</label><input type=\"text\" id=\"encounter\" name=\"encounter\" autocomplete=\"off\">")
        .raw("<h2>")
        .say(words::AUTH_START_APPS)
        .raw("</h2>");
    for app in apps {
        body = body
            .raw("<button class=\"row\" name=\"app\" value=\"")
            .text(&app.id.to_string())
            .raw("\"><b>")
            .text(&app.registration.display)
            .raw("</b></button>");
    }
    page(StatusCode::OK, words::AUTH_START, &body.raw("</form>"), target)
}
