//! The pages of signing in.

use super::federated::Offered;
use super::html::Html;
use super::passkey::ask;
use super::{Scripted, hidden, page, scripted};
use crate::reply::Reply;
use crate::smart::sign_in::Upon;
use console::{Lang, sign_in_words as words};
use http::StatusCode;
use identity::PasskeyAsked;

/// A sign-in that was refused: the name stays, so that it is not typed again (WCAG 3.3.7).
#[derive(Debug, Clone, Copy)]
pub(in crate::smart) struct Tried<'a> {
    /// What was typed as the name.
    pub(in crate::smart) name: &'a str,
    /// What is said about it.
    pub(in crate::smart) wrong: &'a str,
}

/// Name and password, and what else is offered.
pub(in crate::smart) fn sign_in(
    form: &str,
    next: &str,
    app: Option<&str>,
    tried: Option<Tried<'_>>,
    offered: &Offered<'_>,
    lang: Lang,
) -> Reply {
    let mut body = Html::new(lang);
    if let Some(app) = app {
        let app = Html::new(lang).bold(app);
        body = body.raw("<p>").fill(words::AUTH_APP_WAITS, &[app]).raw("</p>");
    }
    let name = tried.map(|tried| tried.name).unwrap_or_default();
    // The focus is where there is something to do: at the password when the name is there.
    let (at_name, at_password) =
        if name.is_empty() { (" autofocus>", ">") } else { (">", " autofocus>") };
    let mut own = Html::new(lang)
        .raw("<form method=\"post\" action=\"sign-in\">")
        .join(&hidden(lang, form, "next", next))
        .raw("<label for=\"name\">")
        .say(words::AUTH_NAME)
        .raw("</label><input type=\"text\" id=\"name\" name=\"name\" autocomplete=\"username\" autocapitalize=\"none\" spellcheck=\"false\" required value=\"")
        .text(name)
        .raw("\"")
        .raw(at_name)
        .raw("<label for=\"password\">")
        .say(words::AUTH_PASSWORD)
        .raw("</label><input type=\"password\" id=\"password\" name=\"password\" autocomplete=\"current-password\" required")
        .raw(at_password)
        .raw("<button>")
        .say(words::AUTH_SIGN_IN)
        .raw("</button></form>");
    if offered.passkeys {
        own = own
            .raw("<form class=\"or\" method=\"post\" action=\"passkey\">")
            .join(&hidden(lang, form, "next", next))
            .raw("<button class=\"other\">")
            .say(words::AUTH_BY_PASSKEY)
            .raw("</button></form>");
    }
    let said = alert(body, tried.map(|tried| tried.wrong));
    let body = offered.around(said, form, next, &own, tried.is_some());
    page(StatusCode::OK, words::AUTH_SIGN_IN, &body, &offered.targets())
}

/// A password of one's own, in the place of one that has to be changed; `name` is empty where it has to
/// be typed again, and what is said is `wrong` after the first time.
pub(in crate::smart) fn choose_password(
    form: &str,
    next: &str,
    upon: Upon<'_>,
    (say, wrong): (&str, bool),
    lang: Lang,
) -> Reply {
    let mut body = Html::new(lang)
        .raw(if wrong { "<p role=\"alert\">" } else { "<p class=\"step\" role=\"status\">" })
        .text(say)
        .raw("</p><form method=\"post\" action=\"sign-in\">")
        .join(&hidden(lang, form, "next", next));
    body = match upon {
        Upon::Name(name) => body.raw("<label for=\"name\">").say(words::AUTH_NAME).raw("</label><input type=\"text\" id=\"name\" name=\"name\" autocomplete=\"username\" autocapitalize=\"none\" spellcheck=\"false\" required value=\"").text(name),
        Upon::Handle(handle) => {
            body.raw("<input type=\"hidden\" name=\"handle\" value=\"").text(handle)
        }
    };
    let fields = [
        ("password", words::AUTH_OLD, "current-password"),
        ("new", words::AUTH_NEW, "new-password"),
        ("again", words::AUTH_AGAIN, "new-password"),
    ];
    // With a handle the password was shown before the second factor.
    let known = usize::from(matches!(upon, Upon::Handle(_)));
    let first = match upon {
        Upon::Name("") => "",
        Upon::Name(_) => "password",
        Upon::Handle(_) => "new",
    };
    for (id, label, complete) in fields.into_iter().skip(known) {
        body = body
            .raw("\"><label for=\"")
            .raw(id)
            .raw("\">")
            .say(label)
            .raw("</label><input type=\"password\" id=\"")
            .raw(id)
            .raw("\" name=\"")
            .raw(id)
            .raw(if id == first { "\" autofocus" } else { "\"" })
            .raw(" required autocomplete=\"")
            .raw(complete);
    }
    let body = body
        .raw("\"><p class=\"hint\">")
        .say(words::AUTH_CHOOSE_HINT)
        .raw("</p><button>")
        .say(words::AUTH_CHANGE)
        .raw("</button></form><p class=\"or\"><a href=\"sign-in\">")
        .say(words::AUTH_BACK_IN)
        .raw("</a></p>");
    page(StatusCode::OK, words::AUTH_CHOOSE, &body, "")
}

/// The second factor: a passkey where one is `asked` for, a code where there are any.
pub(in crate::smart) fn second_factor(
    view: &Scripted<'_>,
    next: &str,
    handle: &str,
    asked: Option<&PasskeyAsked>,
    wrong: Option<&str>,
) -> Reply {
    let mut body = alert(Html::new(view.lang), wrong);
    let step = Html::new(view.lang)
        .raw("<input type=\"hidden\" name=\"next\" value=\"")
        .text(next)
        .raw("\"><input type=\"hidden\" name=\"handle\" value=\"")
        .text(handle)
        .raw("\">");
    if let Some(asked) = asked {
        body = body.join(&ask("sign-in", view.form, asked, &step, words::AUTH_USE_PASSKEY));
    }
    body = body
        .raw(if asked.is_some() { "<form class=\"or\"" } else { "<form" })
        .raw(" method=\"post\" action=\"sign-in\"><input type=\"hidden\" name=\"form\" value=\"")
        .text(view.form)
        .raw("\">")
        .join(&step)
        .raw("<label for=\"code\">")
        .say(words::AUTH_CODE)
        .raw("</label><input type=\"text\" id=\"code\" name=\"code\" autocomplete=\"one-time-code\" aria-describedby=\"hint\" required")
        .raw(if asked.is_some() { ">" } else { " autofocus>" })
        .raw("<p id=\"hint\" class=\"hint\">")
        .say(words::AUTH_CODE_HINT)
        .raw("</p>")
        .raw(if asked.is_some() { "<button class=\"other\">" } else { "<button>" })
        .say(words::AUTH_GO_ON)
        .raw("</button></form>");
    match asked {
        Some(_) => scripted(words::AUTH_STEP, &body, view.script),
        None => page(StatusCode::OK, words::AUTH_STEP, &body, ""),
    }
}

pub(super) fn alert(body: Html, wrong: Option<&str>) -> Html {
    match wrong {
        Some(wrong) => body.raw("<p role=\"alert\">").text(wrong).raw("</p>"),
        None => body,
    }
}
