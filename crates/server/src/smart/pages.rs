//! The pages for people: HTML that needs no script, under a policy that permits none; but on those that
//! ask for a passkey, which only a script can, that one file. What is not written in this program is
//! escaped by the one type that pages are made of.

mod applications;
mod approval;
mod factors;
mod federated;
mod html;
mod launch;
mod passkey;
mod patient;
mod sign_in;

pub(super) use applications::applications;
pub(super) use approval::{Approval, approval};
pub(super) use factors::{Factors, authenticator, codes, confirm, factors, new_passkey};
pub(super) use federated::{Offered, not_signed_in};
pub(super) use launch::launch;
pub(super) use passkey::{Scripted, passkey, script};
pub(super) use patient::patient;
use sign_in::alert;
pub(super) use sign_in::{Tried, choose_password, second_factor, sign_in};

use super::REFERRER;
use super::call::Call;
use super::told::told;
use crate::reply::Reply;
use base::Fault;
use base::error::code;
use console::{Lang, Word, sign_in_words as words};
use html::Html;
use http::header::{CONTENT_SECURITY_POLICY, HeaderName, X_FRAME_OPTIONS};
use http::{HeaderValue, StatusCode};

const STYLE: &str = include_str!("pages/style.css");
/// What a page that asks for a passkey may ask the browser for.
const PASSKEYS: &str = "accelerometer=(), camera=(), display-capture=(), geolocation=(), microphone=(), payment=(), publickey-credentials-create=(self), publickey-credentials-get=(self), usb=()";
static PERMISSIONS: HeaderName = HeaderName::from_static("permissions-policy");
const HTML: &str = "text/html; charset=utf-8";

/// The one style sheet.
#[expect(clippy::unnecessary_wraps, reason = "it is a row of the table of routes")]
pub(super) fn style(_call: &Call) -> Result<Reply, Fault> {
    Ok(Reply::text(StatusCode::OK, "text/css; charset=utf-8", STYLE.to_owned()))
}

/// A page with nothing but a message.
pub(super) fn notice(title: Word, say: &str, lang: Lang) -> Reply {
    let body = Html::new(lang).raw("<p role=\"alert\">").text(say).raw("</p>");
    page(StatusCode::BAD_REQUEST, title, &body, "")
}

/// What went wrong, to people, and the way on where there is one: a page that was open for too long,
/// or signed out in another tab, is opened anew from its beginning.
pub(super) fn failed(fault: &Fault, lang: Lang) -> Reply {
    let status = StatusCode::from_u16(fault.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let mut body = alert(Html::new(lang), Some(&told(fault, lang)));
    if fault.code() == &code::SESSION_EXPIRED {
        body = body.raw("<p><a href=\"sign-in\">").say(words::AUTH_GO_ON_THERE).raw("</a></p>");
    }
    let body = body.raw("<p class=\"quiet\">").text(fault.code().name).raw("</p>");
    page(status, words::AUTH_FAILED, &body, "")
}

/// A whole page. Its forms may lead to this server and, by a redirect, to `target`.
fn page(status: StatusCode, title: Word, body: &Html, target: &str) -> Reply {
    built(status, title, body, target, "", "")
}

/// A page that asks for a passkey: the one script at `script` may run on it, and no other, not even
/// one of this origin.
fn scripted(title: Word, body: &Html, script: &str) -> Reply {
    let tag = "<script src=\"passkey.js\" defer></script>\n";
    let mut reply = built(StatusCode::OK, title, body, "", tag, &format!("script-src {script}; "));
    reply.headers.insert(PERMISSIONS.clone(), HeaderValue::from_static(PASSKEYS));
    reply
}

fn built(
    status: StatusCode,
    title: Word,
    body: &Html,
    target: &str,
    tag: &'static str,
    scripts: &str,
) -> Reply {
    let title = title.of(body.lang());
    let whole = Html::new(body.lang())
        .raw("<!doctype html>\n<html lang=\"")
        .text(body.lang().tag())
        .raw("\">\n<head>\n<meta charset=\"utf-8\">\n<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n<meta name=\"color-scheme\" content=\"light dark\">\n<title>")
        .text(&words::AUTH_TITLE.with(body.lang(), title))
        .raw("</title>\n<link rel=\"stylesheet\" href=\"style.css\">\n")
        .raw(tag)
        .raw("</head>\n<body>\n<header><svg viewBox=\"0 0 24 24\" aria-hidden=\"true\" focusable=\"false\"><path d=\"M6 3.5h12a2.5 2.5 0 0 1 2.5 2.5v12a2.5 2.5 0 0 1-2.5 2.5H6a2.5 2.5 0 0 1-2.5-2.5V6A2.5 2.5 0 0 1 6 3.5z\"/><path d=\"M6.5 12.5h2.5l1.800-4.5l3 8.5l1.7-4h2\"/></svg>Plummer</header>\n<main>\n<h1>")
        .text(title)
        .raw("</h1>\n")
        .join(body)
        .raw("\n</main>\n</body>\n</html>\n");
    let mut reply = Reply::text(status, HTML, whole.done());
    let policy = format!(
        "default-src 'none'; {scripts}style-src 'self'; form-action 'self' {target}; base-uri 'none'; frame-ancestors 'none'"
    );
    reply.put(CONTENT_SECURITY_POLICY, &policy);
    reply.headers.insert(X_FRAME_OPTIONS, HeaderValue::from_static("DENY"));
    // Not none: a form's origin would then be told as null, and could not be checked.
    reply.headers.insert(REFERRER.clone(), HeaderValue::from_static("same-origin"));
    reply
}

/// The fields every form has.
fn hidden(lang: Lang, form: &str, name: &'static str, value: &str) -> Html {
    Html::new(lang)
        .raw("<input type=\"hidden\" name=\"form\" value=\"")
        .text(form)
        .raw("\"><input type=\"hidden\" name=\"")
        .raw(name)
        .raw("\" value=\"")
        .text(value)
        .raw("\">")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_for_passkeys_permits_its_own_script_alone() {
        let body = Html::new(Lang::En);
        let reply = scripted(words::AUTH_STEP, &body, "https://ehr.example/auth/passkey.js");
        let policy = reply.headers.get(CONTENT_SECURITY_POLICY).expect("a policy");
        let policy = policy.to_str().expect("text");
        assert!(policy.contains("; script-src https://ehr.example/auth/passkey.js; "), "{policy}");
        assert!(!policy.contains("unsafe") && !policy.contains("script-src 'self'"));
        let body = String::from_utf8(reply.body.to_vec()).expect("text");
        assert_eq!(body.matches("<script").count(), 1);
        assert!(!body.contains(" on"), "no handler in the page: {body}");
    }

    /// The literals of pieces of HTML in a file.
    fn pieces(source: &str) -> Vec<String> {
        let literal = |rest: &str| {
            let mut text = String::new();
            let mut letters = rest.chars();
            while let Some(c) = letters.next().filter(|c| *c != '"') {
                text.push(if c == '\\' { letters.next().unwrap_or('"') } else { c });
            }
            text
        };
        source.split(".raw(\"").skip(1).map(literal).collect()
    }

    #[test]
    fn no_page_says_a_word_that_is_not_in_the_catalogue() {
        let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("src/smart/pages");
        let mut seen = 0;
        for file in std::fs::read_dir(folder).expect("the pages") {
            let path = file.expect("a file").path();
            if path.extension().is_none_or(|ext| ext != "rs") {
                continue;
            }
            let source = std::fs::read_to_string(&path).expect("text");
            for piece in pieces(&source) {
                seen += 1;
                let said = piece.split('>').skip(1).filter_map(|rest| rest.split('<').next());
                let bare = (!piece.contains(['<', '>', '"', '='])).then_some(piece.as_str());
                for said in said.chain(piece.split("aria-label=\"").skip(1)).chain(bare) {
                    let is_word = said.chars().any(char::is_alphabetic);
                    assert!(!is_word, "{}: {said}", path.display());
                }
            }
        }
        assert!(seen > 100, "{seen}");
    }

    #[test]
    fn a_page_permits_no_script_and_no_frame() {
        let said = "<script>alert(1)</script>\"'&";
        let reply = notice(words::AUTH_FAILED, said, Lang::En);
        let body = String::from_utf8(reply.body.to_vec()).expect("text");
        assert!(body.contains("&lt;script&gt;alert(1)&lt;/script&gt;&quot;&#39;&amp;"));
        assert!(!body.contains("<script"));
        let policy = reply.headers.get(CONTENT_SECURITY_POLICY).expect("a policy");
        let policy = policy.to_str().expect("text");
        for part in [
            "default-src 'none'",
            "frame-ancestors 'none'",
            "form-action 'self' ;",
            "base-uri 'none'",
        ] {
            assert!(policy.contains(part), "{part}");
        }
        assert!(!policy.contains("unsafe") && !policy.contains("script-src"));
        assert_eq!(reply.headers.get(X_FRAME_OPTIONS).expect("one"), "DENY");
    }
}
