//! What the sign-in page shows of issuers, and the page for whom it did not work.

use super::html::Html;
use super::{hidden, page};
use crate::reply::Reply;
use base::Fault;
use federation::Issuer;
use http::StatusCode;

/// What the sign-in page offers.
#[derive(Debug)]
pub(in crate::smart) struct Offered<'a> {
    /// The issuers there are.
    pub(in crate::smart) issuers: Vec<&'a Issuer>,
    /// Whether everybody may sign in by name and password.
    pub(in crate::smart) own: bool,
}

impl Offered<'_> {
    /// The form of our own among the buttons of the others; behind them when it is for
    /// administrators alone.
    pub(super) fn around(
        &self,
        body: Html,
        form: &str,
        next: &str,
        own: &Html,
        tried: bool,
    ) -> Html {
        if self.issuers.is_empty() {
            return body.join(own);
        }
        if self.own {
            return body
                .join(own)
                .raw("<p class=\"either\">or</p>")
                .join(&self.buttons(form, next));
        }
        let details =
            if tried { "<details class=\"own\" open>" } else { "<details class=\"own\">" };
        body.join(&self.buttons(form, next))
            .raw(details)
            .raw("<summary>Administrators sign in here</summary>")
            .join(own)
            .raw("</details>")
    }

    fn buttons(&self, form: &str, next: &str) -> Html {
        let mut html = Html::new()
            .raw("<form method=\"post\" action=\"oidc\">")
            .join(&hidden(form, "next", next));
        for issuer in &self.issuers {
            html = html
                .raw("<button class=\"other wide\" name=\"issuer\" value=\"")
                .text(issuer.name.as_str())
                .raw("\">Sign in with ")
                .text(&issuer.label)
                .raw("</button>");
        }
        html.raw("</form>")
    }

    /// Where the forms of the page may lead, beside here: browsers hold redirects to it as well.
    pub(super) fn targets(&self) -> String {
        let mut all: Vec<String> = Vec::new();
        for origin in
            self.issuers.iter().flat_map(|issuer| issuer.all_origins().unwrap_or_default())
        {
            let text = origin.to_string();
            if !all.contains(&text) {
                all.push(text);
            }
        }
        all.join(" ")
    }
}

/// It did not work. The page tells the one sentence of its code, and leads back.
pub(in crate::smart) fn not_signed_in(fault: &Fault) -> Reply {
    let status = StatusCode::from_u16(fault.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let say = fault.issues.first().map(|issue| issue.diagnostics.as_str()).unwrap_or_default();
    let body = Html::new()
        .raw("<p role=\"alert\">")
        .text(say)
        .raw("</p><p><a href=\"sign-in\">Back to the sign-in page</a></p><p class=\"quiet\">")
        .text(fault.code().name)
        .raw("</p>");
    page(status, "You are not signed in", &body, "")
}
