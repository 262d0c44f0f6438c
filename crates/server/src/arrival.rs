//! `/v/[token]/in`: checking in without the desk, for whoever has the link and says the patient's date of birth.
//! That is proven by a cookie that is sealed for this link alone and is over after a while; with it the session
//! sees how the patient is reached, and what it keeps changes no record (`record::PreCheckIn`). A GET shows, a
//! POST does (RFC 9110 section 9.2.1). At a kiosk the link ends with the last page.

use crate::desk;
use crate::reply::Reply;
use crate::state::State;
use crate::stranger::form;
use base::error::code;
use base::{Fault, Millis};
use bytes::Bytes;
use console::{ArrivalPage, LANGUAGE, Step, Visit};
use http::header::{COOKIE, HeaderMap, LOCATION, SET_COOKIE};
use http::{HeaderValue, Method, StatusCode, request};
use record::{Linked, Said, Session};
use registration::pre_check_in::{Entered, Stands, stands};
use scheduling::arrive::{Here, Question, arrive, birth_of, here, questions};
use scheduling::remind::{self, Shown};
use scheduling::time::{Zone, Zones};

/// What the browser keeps once the date of birth was right.
const PROOF: &str = "__Host-plummer-arrival";
/// How long the proof holds since it was last used: on one's own phone, and at a kiosk, which goes back to its
/// first page after a minute.
const PROOF_MS: i64 = 15 * 60_000;
const KIOSK_PROOF_MS: i64 = 150_000;
/// Bytes of a form: a few fields, each letter of them perhaps written as twelve signs.
pub(crate) const FORM_MAX: usize = 32 << 10;

/// What is asked of one link.
pub(crate) struct Asked<'a> {
    pub(crate) visit: &'a Visit,
    pub(crate) token: &'a str,
    /// The path behind `/in`.
    pub(crate) step: &'a str,
    pub(crate) linked: &'a Linked,
}

type Fields = Vec<(String, String)>;

fn field<'f>(form: &'f Fields, name: &str) -> &'f str {
    form.iter().find(|(own, _)| own == name).map_or("", |(_, value)| value.as_str())
}

/// One cookie of a request.
pub(crate) fn cookie<'h>(headers: &'h HeaderMap, name: &str) -> Option<&'h str> {
    let texts = headers.get_all(COOKIE).iter().filter_map(|v| v.to_str().ok());
    let mut pairs = texts.flat_map(|text| text.split(';')).filter_map(|p| p.split_once('='));
    pairs.find(|(own, _)| own.trim() == name).map(|(_, value)| value.trim())
}

/// Gives the browser a cookie that no other site can send along.
pub(crate) fn set_cookie(reply: &mut Reply, name: &str, value: &str, seconds: i64) {
    let text =
        format!("{name}={value}; Path=/; Secure; HttpOnly; SameSite=Strict; Max-Age={seconds}");
    if let Ok(mut value) = HeaderValue::from_str(&text) {
        value.set_sensitive(true);
        reply.headers.append(SET_COOKIE, value);
    }
}

/// What somebody at a kiosk leaves behind in its browser.
pub(crate) fn forget(reply: &mut Reply) {
    set_cookie(reply, PROOF, "", 0);
    set_cookie(reply, LANGUAGE, "", 0);
}

/// Proves a date of birth to the browser: now, or again.
pub(crate) fn prove(reply: &mut Reply, session: &Session, is_kiosk: bool) {
    let ms = if is_kiosk { KIOSK_PROOF_MS } else { PROOF_MS };
    let until = Millis(session.now().0.saturating_add(ms));
    set_cookie(reply, PROOF, &session.birth_proof(until), ms / 1000);
}

pub(crate) fn go(path: &str) -> Reply {
    let mut reply = Reply::empty(StatusCode::SEE_OTHER);
    reply.put(LOCATION, path);
    reply
}

/// Answers it.
pub(crate) async fn answer(
    state: &State,
    asked: &Asked<'_>,
    session: &Session,
    parts: &request::Parts,
    body: &Bytes,
) -> Result<Reply, Fault> {
    let zones = Zones::bundled();
    let home = zones.find(&state.config.clinic_zone).unwrap_or_else(|_none| Zone::utc());
    let shown = remind::show(session, &zones, &home, asked.linked).await?;
    let entry = format!("/v/{}", asked.token);
    // What was called off, or is over, has a page that says so.
    if here(&shown, session.now()) == Here::Over {
        return Ok(go(&entry));
    }
    let is_read = matches!(parts.method, Method::GET | Method::HEAD);
    if !is_read && parts.method != Method::POST {
        return Err(Fault::new(&code::NOT_SUPPORTED, "use another method here"));
    }
    let proof = cookie(&parts.headers, PROOF).unwrap_or_default();
    let proven = state.record.follow_proven(session, asked.linked, proof)?;
    let step = Step::parse(asked.step.trim_start_matches('/'));
    let (step, proven) = match (asked.step, step, proven) {
        ("", _, Some(_)) if is_read => return Ok(go(&format!("{entry}/in/contact"))),
        ("", _, _) => return birth(state, asked, session, parts, body).await,
        (_, Some(step), Some(proven)) => (step, proven),
        (_, Some(_), None) => {
            return Ok(go(&if asked.linked.is_kiosk {
                "/kiosk".to_owned()
            } else {
                format!("{entry}/in")
            }));
        }
        (_, None, _) => {
            return Err(Fault::new(&code::LINK_OVER, "this link is over; call the clinic"));
        }
    };
    let mut reply = match is_read {
        true => show(state, asked, &proven, &shown, step).await?,
        false => {
            let form = form(body)?;
            done(state, asked, &proven, &shown, (step, &form)).await?
        }
    };
    if !reply.headers.contains_key(SET_COOKIE) {
        prove(&mut reply, session, asked.linked.is_kiosk);
    }
    Ok(reply)
}

/// The date of birth, asked and said.
async fn birth(
    state: &State,
    asked: &Asked<'_>,
    session: &Session,
    parts: &request::Parts,
    body: &Bytes,
) -> Result<Reply, Fault> {
    let page = |shows: &ArrivalPage<'_>| desk::page(&console::arrival(asked.visit, shows));
    let ask = |is_wrong, is_unread| page(&ArrivalPage::Birth { is_wrong, is_unread });
    // At a kiosk it was said before the link was drawn.
    if asked.linked.is_kiosk {
        return Ok(go("/kiosk"));
    }
    if parts.method != Method::POST {
        return Ok(match state.record.is_birth_locked(asked.token, asked.linked)? {
            true => page(&ArrivalPage::Locked),
            false => ask(false, false),
        });
    }
    let form = form(body)?;
    let said = birth_of(field(&form, "year"), field(&form, "month"), field(&form, "day"));
    let Some(said) = said else { return Ok(ask(false, true)) };
    let said = state.record.say_birth(session, asked.token, asked.linked, &said)?;
    Ok(match said.into_inner().await? {
        Said::Right => {
            let mut reply = go(&format!("/v/{}/in/contact", asked.token));
            prove(&mut reply, session, false);
            reply
        }
        Said::Wrong if state.record.is_birth_locked(asked.token, asked.linked)? => {
            page(&ArrivalPage::Locked)
        }
        Said::Wrong => ask(true, false),
        Said::Locked => page(&ArrivalPage::Locked),
    })
}

/// What was entered so far, and the version of it; 0 when nothing was.
async fn entered(session: &Session, linked: &Linked) -> Result<(Entered, u64), Fault> {
    let kept = session.pre_check_in(&linked.appointment, &linked.patient)?.into_inner().await?;
    match kept {
        Some(kept) => Ok((Entered::of_text(&kept.text)?, kept.version)),
        None => Ok((Entered::default(), 0)),
    }
}

async fn show(
    state: &State,
    asked: &Asked<'_>,
    session: &Session,
    shown: &Shown,
    step: Step,
) -> Result<Reply, Fault> {
    let is_kiosk = asked.linked.is_kiosk;
    if step == Step::End {
        let (here, may) = (here(shown, session.now()), state.config.self_arrival);
        let page = ArrivalPage::End { here, may, is_kiosk };
        return Ok(desk::page(&console::arrival(asked.visit, &page)));
    }
    let (entered, version) = entered(session, asked.linked).await?;
    // A kiosk shows nothing that was entered elsewhere: who knows enough to open a visit there is not
    // always its patient.
    let entered = if is_kiosk { Entered::default() } else { entered };
    let stands = stands_for(session, asked.linked, step).await?;
    let questions = questions_for(session, asked.linked, step).await?;
    let (wrong, is_stale) = (&[], false);
    Ok(ask(asked, &Ask { step, stands, entered, version, questions: &questions, wrong, is_stale }))
}

/// What stands is read where it is shown.
async fn stands_for(session: &Session, linked: &Linked, step: Step) -> Result<Stands, Fault> {
    match step {
        Step::Contact => stands(session, &linked.patient).await,
        Step::Insurance | Step::Reason | Step::End => Ok(Stands::default()),
    }
}

/// What the house asks beside stands on the page of the last question.
async fn questions_for(
    session: &Session,
    linked: &Linked,
    step: Step,
) -> Result<Vec<Question>, Fault> {
    match step {
        Step::Reason => questions(session, linked).await,
        Step::Contact | Step::Insurance | Step::End => Ok(Vec::new()),
    }
}

struct Ask<'a> {
    step: Step,
    stands: Stands,
    entered: Entered,
    version: u64,
    questions: &'a [Question],
    wrong: &'a [(&'static str, registration::intake::Wrong)],
    is_stale: bool,
}

fn ask(asked: &Asked<'_>, ask: &Ask<'_>) -> Reply {
    let Ask { step, stands, entered, version, questions, wrong, is_stale } = ask;
    let (step, version, is_stale) = (*step, *version, *is_stale);
    let is_kiosk = asked.linked.is_kiosk;
    let shows =
        ArrivalPage::Ask { step, stands, entered, version, questions, wrong, is_stale, is_kiosk };
    desk::page(&console::arrival(asked.visit, &shows))
}

async fn done(
    state: &State,
    asked: &Asked<'_>,
    session: &Session,
    shown: &Shown,
    (step, form): (Step, &Fields),
) -> Result<Reply, Fault> {
    let linked = asked.linked;
    let at = |step: Step| format!("/v/{}/in/{}", asked.token, step.as_str());
    let act = field(form, "do");
    if linked.is_kiosk && act == "stop" {
        return leave(state, asked, "/kiosk");
    }
    if step == Step::End {
        return match act {
            "here" if state.config.self_arrival => {
                arrive(session, linked, shown).await?;
                match linked.is_kiosk {
                    true => leave(state, asked, "/kiosk?done=here"),
                    false => Ok(go(&at(Step::End))),
                }
            }
            "leave" if linked.is_kiosk => {
                let is_said = here(shown, session.now()) == Here::Said;
                leave(state, asked, if is_said { "/kiosk?done=here" } else { "/kiosk?done=desk" })
            }
            _ => Err(Fault::new(&code::PARAMETER_INVALID, "the form says nothing known")),
        };
    }
    let (mut now, version) = entered(session, linked).await?;
    // At a kiosk what was entered elsewhere is not shown, so what is left empty leaves it as it is.
    let questions = questions_for(session, linked, step).await?;
    let is_blank = step.fields().iter().all(|name| field(form, name).is_empty())
        && questions.iter().all(|question| field(form, &question.name).is_empty());
    if linked.is_kiosk && act != "more" && is_blank {
        return Ok(go(&at(step.next())));
    }
    now.take(step.fields(), |name| field(form, name));
    for question in &questions {
        let said = field(form, &question.name);
        // At a kiosk an answer that was given elsewhere is not shown, and stays.
        if !linked.is_kiosk || !said.is_empty() {
            now.say(&question.text, said);
        }
    }
    let questions = questions.as_slice();
    let seen: u64 = field(form, "version").parse().unwrap_or(0);
    let is_stale = seen != version;
    let wrong = now.wrong(session.now());
    let wrong: Vec<_> =
        wrong.into_iter().filter(|(name, _)| step.fields().contains(name)).collect();
    // More time is asked for: what was typed stays, and is not judged.
    let is_more = act == "more";
    if is_more || is_stale || !wrong.is_empty() {
        let stands = stands_for(session, linked, step).await?;
        let wrong: &[_] = if is_more || is_stale { &[] } else { &wrong };
        let is_stale = is_stale && !is_more;
        // Once told that it was changed, who sends it again means it.
        let version = if is_more { seen } else { version };
        let entered = now;
        let ask_again = Ask { step, stands, entered, version, questions, wrong, is_stale };
        return Ok(ask(asked, &ask_again));
    }
    let replaces = (version > 0).then_some(version);
    let kept = match (now.is_empty(), replaces) {
        (true, None) => Ok(0),
        _ => session.keep_pre_check_in(linked, replaces, Some(&now.text())).await,
    };
    match kept {
        Ok(_) => Ok(go(&at(step.next()))),
        Err(fault) if fault.code() == &code::DRAFT_CHANGED => {
            // What was typed stays; what somebody else entered meanwhile is not shown for it.
            let (_, version) = entered(session, linked).await?;
            let stands = stands_for(session, linked, step).await?;
            let (entered, wrong, is_stale) = (now, &[], true);
            let ask_again = Ask { step, stands, entered, version, questions, wrong, is_stale };
            Ok(ask(asked, &ask_again))
        }
        Err(fault) => Err(fault),
    }
}

/// Away from a kiosk: the link is over, and the browser forgets it.
fn leave(state: &State, asked: &Asked<'_>, to: &str) -> Result<Reply, Fault> {
    state.record.end_link(asked.token)?;
    let mut reply = go(to);
    forget(&mut reply);
    Ok(reply)
}
