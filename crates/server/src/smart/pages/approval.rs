//! The page on which a user decides what an app gets.

use super::html::Html;
use super::{hidden, page};
use crate::reply::Reply;
use crate::smart::people::Person;
use crate::smart::scopes::{part_words, sentence};
use console::{Lang, sign_in_words as words};
use http::StatusCode;
use smart::parts::parts;
use smart::{Ask, Scope};

/// What is shown.
#[derive(Debug)]
pub(in crate::smart) struct Approval<'a> {
    /// The text of the form.
    pub(in crate::smart) form: &'a str,
    /// The request it answers.
    pub(in crate::smart) request: &'a str,
    /// What is asked.
    pub(in crate::smart) ask: &'a Ask,
    /// Who is asked.
    pub(in crate::smart) user: &'a str,
    /// About whom.
    pub(in crate::smart) patient: Option<&'a Person>,
    /// Whether that is the user.
    pub(in crate::smart) own: bool,
    /// Where the answer leads.
    pub(in crate::smart) target: &'a str,
    /// In which it is asked.
    pub(in crate::smart) lang: Lang,
}

/// The page.
pub(in crate::smart) fn approval(view: &Approval<'_>) -> Reply {
    let lang = view.lang;
    let app = &view.ask.app.registration.display;
    let bold = |text: &str| Html::new(lang).bold(text);
    let mut body = Html::new(lang)
        .raw("<p>")
        .fill(words::AUTH_AS, &[bold(view.user)])
        .raw(" ")
        .fill(words::AUTH_ASKS, &[bold(app), bold(view.target)])
        .raw("</p>");
    if let Some(person) = view.patient {
        body = body
            .raw("<p class=\"who\"><span class=\"quiet\">")
            .say(words::AUTH_WHOSE)
            .raw("</span>")
            .bold(&person.name)
            .raw(" <span class=\"quiet\">")
            .text(&person.more)
            .raw("</span></p>");
    }
    body = body
        .raw("<form method=\"post\" action=\"approval\">")
        .join(&hidden(lang, view.form, "request", view.request))
        .raw("<fieldset><legend>")
        .say(words::AUTH_THE_APP_MAY)
        .raw("</legend>");
    for (at, scope) in view.ask.scopes.iter().enumerate() {
        body = body.join(&choice(scope, at, view.own, lang));
    }
    let body = body
        .raw("</fieldset><p class=\"hint\">")
        .say(words::AUTH_TAKE_AWAY)
        .raw("</p><div class=\"answers\"><button name=\"answer\" value=\"deny\" class=\"other\">")
        .say(words::AUTH_DENY)
        .raw("</button><button name=\"answer\" value=\"approve\" class=\"other\">")
        .say(words::AUTH_ALLOW)
        .raw("</button></div></form>");
    page(StatusCode::OK, words::AUTH_DECIDE, &body, view.target)
}

fn choice(scope: &Scope, at: usize, own: bool, lang: Lang) -> Html {
    // Where it was started from is no permission: it tells nothing that the launch did not.
    if matches!(scope, Scope::Launch | Scope::LaunchPatient | Scope::LaunchEncounter) {
        return Html::new(lang)
            .raw("<input type=\"hidden\" name=\"scope\" value=\"")
            .text(&scope.to_string())
            .raw("\">");
    }
    let number = at.to_string();
    let mut html = Html::new(lang)
        .raw("<label class=\"box\" for=\"s")
        .text(&number)
        .raw("\"><input type=\"checkbox\" id=\"s")
        .text(&number)
        .raw("\" name=\"scope\" checked value=\"")
        .text(&scope.to_string())
        .raw("\"><span>")
        .text(&sentence(scope, own, lang))
        .raw("</span></label>");
    let parts = match scope {
        Scope::Reach(reach) => parts(reach),
        _ => Vec::new(),
    };
    if !parts.is_empty() {
        html = html
            .raw("<details><summary>")
            .say(words::AUTH_ONLY_SOME)
            .raw("</summary><p class=\"hint\">")
            .say(words::AUTH_ONLY_HOW)
            .raw("</p>");
        for (n, part) in parts.iter().enumerate() {
            let id = format!("s{number}-{n}");
            html = html
                .raw("<label class=\"box\" for=\"")
                .text(&id)
                .raw("\"><input type=\"checkbox\" name=\"scope\" id=\"")
                .text(&id)
                .raw("\" value=\"")
                .text(&part.to_string())
                .raw("\"><span>")
                .text(&part_words(part, lang))
                .raw("</span></label>");
        }
        html = html.raw("</details>");
    }
    html
}
