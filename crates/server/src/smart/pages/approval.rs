//! The page on which a user decides what an app gets.

use super::html::Html;
use super::{hidden, page};
use crate::reply::Reply;
use crate::smart::people::Person;
use http::StatusCode;
use smart::words::{part_words, parts, sentence};
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
}

/// The page.
pub(in crate::smart) fn approval(view: &Approval<'_>) -> Reply {
    let app = &view.ask.app.registration.display;
    let mut body = Html::new()
        .raw("<p>You are signed in as <b>")
        .text(view.user)
        .raw("</b>. The app <b>")
        .text(app)
        .raw("</b> at <b>")
        .text(view.target)
        .raw("</b> asks for this.</p>");
    if let Some(person) = view.patient {
        body = body
            .raw("<p class=\"who\"><span class=\"quiet\">Whose record: </span><b>")
            .text(&person.name)
            .raw("</b> <span class=\"quiet\">")
            .text(&person.more)
            .raw("</span></p>");
    }
    body = body
        .raw("<form method=\"post\" action=\"approval\">")
        .join(&hidden(view.form, "request", view.request))
        .raw("<fieldset><legend>The app may</legend>");
    for (at, scope) in view.ask.scopes.iter().enumerate() {
        body = body.join(&choice(scope, at, view.own));
    }
    let body = body
        .raw("</fieldset><p class=\"hint\">Take away what you do not want to give. You can end all of it at any time under “Apps that can see my record”.</p>")
        .raw("<div class=\"answers\"><button name=\"answer\" value=\"deny\" class=\"other\">Deny</button><button name=\"answer\" value=\"approve\" class=\"other\">Allow</button></div></form>");
    page(StatusCode::OK, "Decide what the app may do", &body, view.target)
}

fn choice(scope: &Scope, at: usize, own: bool) -> Html {
    // Where it was started from is no permission: it tells nothing that the launch did not.
    if matches!(scope, Scope::Launch | Scope::LaunchPatient | Scope::LaunchEncounter) {
        return Html::new()
            .raw("<input type=\"hidden\" name=\"scope\" value=\"")
            .text(&scope.to_string())
            .raw("\">");
    }
    let number = at.to_string();
    let mut html = Html::new()
        .raw("<label class=\"box\" for=\"s")
        .text(&number)
        .raw("\"><input type=\"checkbox\" id=\"s")
        .text(&number)
        .raw("\" name=\"scope\" checked value=\"")
        .text(&scope.to_string())
        .raw("\"><span>")
        .text(&sentence(scope, own))
        .raw("</span></label>");
    let parts = match scope {
        Scope::Reach(reach) => parts(reach),
        _ => Vec::new(),
    };
    if !parts.is_empty() {
        html = html.raw("<details><summary>Or only some kinds of records</summary><p class=\"hint\">Take away the box above, and choose here.</p>");
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
                .text(&part_words(part))
                .raw("</span></label>");
        }
        html = html.raw("</details>");
    }
    html
}
