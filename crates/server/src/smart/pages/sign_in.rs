//! The pages of signing in.

use super::federated::Offered;
use super::html::Html;
use super::{hidden, page};
use crate::reply::Reply;
use http::StatusCode;

/// Name and password.
pub(in crate::smart) fn sign_in(
    form: &str,
    next: &str,
    app: Option<&str>,
    wrong: Option<&str>,
    offered: &Offered<'_>,
) -> Reply {
    let mut body = Html::new();
    if let Some(app) = app {
        body = body
            .raw("<p>The app <b>")
            .text(app)
            .raw("</b> asks to see health records. Sign in to decide about it.</p>");
    }
    let own = Html::new()
        .raw("<form method=\"post\" action=\"sign-in\">")
        .join(&hidden(form, "next", next))
        .raw("<label for=\"name\">Sign-in name</label><input type=\"text\" id=\"name\" name=\"name\" autocomplete=\"username\" autocapitalize=\"none\" spellcheck=\"false\" required autofocus>")
        .raw("<label for=\"password\">Password</label><input type=\"password\" id=\"password\" name=\"password\" autocomplete=\"current-password\" required>")
        .raw("<button>Sign in</button></form>");
    let body = offered.around(alert(body, wrong), form, next, &own, wrong.is_some());
    page(StatusCode::OK, "Sign in", &body, &offered.targets())
}

/// The second factor.
pub(in crate::smart) fn second_factor(
    form: &str,
    next: &str,
    handle: &str,
    wrong: Option<&str>,
) -> Reply {
    let body = alert(Html::new(), wrong)
        .raw("<form method=\"post\" action=\"sign-in\">")
        .join(&hidden(form, "next", next))
        .raw("<input type=\"hidden\" name=\"handle\" value=\"")
        .text(handle)
        .raw("\"><label for=\"code\">Code</label><input type=\"text\" id=\"code\" name=\"code\" autocomplete=\"one-time-code\" aria-describedby=\"hint\" required autofocus>")
        .raw("<p id=\"hint\" class=\"hint\">Six digits from your authenticator, or one of your recovery codes.</p>")
        .raw("<button>Go on</button></form>");
    page(StatusCode::OK, "One more step", &body, "")
}

fn alert(body: Html, wrong: Option<&str>) -> Html {
    match wrong {
        Some(wrong) => body.raw("<p role=\"alert\">").text(wrong).raw("</p>"),
        None => body,
    }
}
