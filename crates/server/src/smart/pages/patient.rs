//! The page on which a patient is chosen.

use super::html::Html;
use super::{hidden, page};
use crate::reply::Reply;
use crate::smart::people::Person;
use console::{Lang, sign_in_words as words};
use http::StatusCode;

/// A field to search by, and what was found.
pub(in crate::smart) fn patient(
    form: &str,
    request: &str,
    app: &str,
    found: Option<(&str, &[Person])>,
    lang: Lang,
) -> Reply {
    let typed = found.map(|(name, _)| name).unwrap_or_default();
    let mut body = Html::new(lang)
        .raw("<p>")
        .fill(words::AUTH_PICK_WHY, &[Html::new(lang).bold(app)])
        .raw("</p><form method=\"post\" action=\"patient\">")
        .join(&hidden(lang, form, "request", request))
        .raw("<label for=\"name\">")
        .say(words::AUTH_PICK_NAME)
        .raw("</label><input type=\"text\" id=\"name\" name=\"name\" autocomplete=\"off\" required autofocus value=\"")
        .text(typed)
        .raw("\"><button class=\"other\">")
        .say(words::AUTH_PICK_SEARCH)
        .raw("</button></form>");
    if let Some((_, people)) = found {
        body = body.raw("<h2 id=\"found\">").say(words::AUTH_PICK_FOUND).raw("</h2>");
        if people.is_empty() {
            body = body.raw("<p role=\"status\">").say(words::AUTH_PICK_NONE).raw("</p>");
        }
        body = body
            .raw("<form method=\"post\" action=\"patient\" aria-labelledby=\"found\">")
            .join(&hidden(lang, form, "request", request));
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
    page(StatusCode::OK, words::AUTH_PICK, &body, "")
}
