//! What the sign-in page shows of issuers, and the page for whom it did not work.

use super::html::Html;
use super::sign_in::alert;
use super::{hidden, page};
use crate::reply::Reply;
use crate::smart::told::told;
use base::Fault;
use console::{Lang, sign_in_words as words};
use federation::Issuer;
use http::StatusCode;

/// What the sign-in page offers.
#[derive(Debug)]
pub(in crate::smart) struct Offered<'a> {
    /// The issuers there are.
    pub(in crate::smart) issuers: Vec<&'a Issuer>,
    /// Whether everybody may sign in by name and password.
    pub(in crate::smart) own: bool,
    /// Whether browsers can have passkeys here.
    pub(in crate::smart) passkeys: bool,
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
        let lang = body.lang();
        if self.own {
            return body
                .join(own)
                .raw("<p class=\"either\">")
                .say(words::AUTH_EITHER)
                .raw("</p>")
                .join(&self.buttons(form, next, lang));
        }
        let details =
            if tried { "<details class=\"own\" open>" } else { "<details class=\"own\">" };
        body.join(&self.buttons(form, next, lang))
            .raw(details)
            .raw("<summary>")
            .say(words::AUTH_ADMINISTRATORS)
            .raw("</summary>")
            .join(own)
            .raw("</details>")
    }

    fn buttons(&self, form: &str, next: &str, lang: Lang) -> Html {
        let mut html = Html::new(lang)
            .raw("<form method=\"post\" action=\"oidc\">")
            .join(&hidden(lang, form, "next", next));
        for issuer in &self.issuers {
            html = html
                .raw("<button class=\"other wide\" name=\"issuer\" value=\"")
                .text(issuer.name.as_str())
                .raw("\">")
                .text(&words::AUTH_BY_ISSUER.with(lang, &issuer.label))
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
pub(in crate::smart) fn not_signed_in(fault: &Fault, lang: Lang) -> Reply {
    let status = StatusCode::from_u16(fault.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let body = alert(Html::new(lang), Some(&told(fault, lang)))
        .raw("<p><a href=\"sign-in\">")
        .say(words::AUTH_TO_SIGN_IN)
        .raw("</a></p><p class=\"quiet\">")
        .text(fault.code().name)
        .raw("</p>");
    page(status, words::AUTH_NOT_IN, &body, "")
}
