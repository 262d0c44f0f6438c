//! Whose hands a consent needs: the patient's, or that of whoever may decide for them, with a description of
//! their authority (45 CFR 164.508(c)(1)(vi)). A consent to disclose a minor's Part 2 records is the minor's
//! own: alone where the law of the state lets them seek the treatment alone, else beside whoever has to
//! consent to it as well, and never a parent's without them (42 CFR 2.14).

use super::signature::Signature;
use super::text::{Tongue, authority};
use super::{Kind, Signing, incomplete, is_said, odd};
use crate::proxy;
use base::Fault;
use record::proxy::{Authority, Power};
use record::{Hit, Session};

/// Who signs beside a minor who gives a Part 2 consent.
#[derive(Clone, Default, PartialEq, Eq)]
pub enum Beside {
    /// It was not said.
    #[default]
    Unsaid,
    /// Nobody: the law of the state lets the minor seek the treatment alone (42 CFR 2.14(a)).
    Nobody,
    /// Whoever has to consent to the treatment as well (42 CFR 2.14(b)).
    Signs(Second),
}

/// Somebody who signs beside another.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Second {
    /// The `RelatedPerson`.
    pub proxy: String,
    /// Their name as they gave it.
    pub name: String,
    /// What they drew.
    pub drawn: Option<Signature>,
}

hidden!(Beside, Second);

/// A hand as it is kept.
pub(super) struct Given<'g> {
    pub(super) name: &'g str,
    pub(super) drawn: Option<&'g Signature>,
    /// For the patient.
    pub(super) acts: Option<Acts>,
}

/// By what right somebody signs for the patient.
pub(super) struct Acts {
    /// The `RelatedPerson`.
    pub(super) id: String,
    pub(super) right: Authority,
    /// In the words of the text.
    pub(super) described: String,
}

/// The hands under a consent, the patient's or that for the patient first.
///
/// # Errors
/// `registration.consent.incomplete` without the hand of a minor, or without saying who else signs;
/// `registration.value.invalid` for somebody who may not decide, has no name, or did not sign.
pub(super) async fn of<'s>(
    session: &Session,
    about: &str,
    patient: &Hit,
    kind: Kind,
    signing: &'s Signing,
) -> Result<Vec<Given<'s>>, Fault> {
    let is_minors = kind == Kind::Part2 && proxy::is_minor(session, patient)?;
    if is_minors && !signing.proxy.is_empty() {
        let say = "the patient is a minor and signs this consent themself; a parent or guardian signs \
                   beside them where the law asks for it, and not instead (42 CFR 2.14)";
        return Err(incomplete(say, "signer"));
    }
    let (drawn, paper) = (signing.drawn.as_ref(), signing.on_paper);
    let own = given(&signing.name, drawn, paper, ["name", "strokes"])?;
    if paper && !is_said(&signing.witness) {
        return Err(odd("a paper needs a witness with a name", "paper"));
    }
    let acts = acts(session, about, &signing.proxy, signing.tongue, "signer").await?;
    let mut all = vec![Given { acts, ..own }];
    match (&signing.beside, is_minors) {
        (Beside::Unsaid, true) => {
            let say = "say who signs beside the minor: whoever has to consent to the treatment as well, \
                       or nobody where the law lets the minor seek it alone (42 CFR 2.14)";
            return Err(incomplete(say, "beside"));
        }
        (Beside::Signs(_), false) => {
            return Err(odd("somebody signs beside a minor alone", "beside"));
        }
        (Beside::Signs(second), true) => {
            let at = ["beside_name", "beside_strokes"];
            let own = given(&second.name, second.drawn.as_ref(), paper, at)?;
            let right = self::acts(session, about, &second.proxy, signing.tongue, "beside").await?;
            if right.is_none() {
                return Err(odd("say who signs beside the minor", "beside"));
            }
            all.push(Given { acts: right, ..own });
        }
        (Beside::Unsaid | Beside::Nobody, _) => {}
    }
    Ok(all)
}

fn given<'g>(
    name: &'g str,
    drawn: Option<&'g Signature>,
    on_paper: bool,
    [at_name, at_hand]: [&str; 2],
) -> Result<Given<'g>, Fault> {
    if !is_said(name) {
        return Err(odd("say who signs, in 300 letters at most", at_name));
    }
    if drawn.is_none() && !on_paper {
        return Err(odd("sign on the screen, or on paper before a witness", at_hand));
    }
    Ok(Given { name: name.trim(), drawn, acts: None })
}

async fn acts(
    session: &Session,
    about: &str,
    id: &str,
    tongue: Tongue,
    at: &str,
) -> Result<Option<Acts>, Fault> {
    if id.is_empty() {
        return Ok(None);
    }
    let held = proxy::one(session, about, id).await?;
    if !held.proxy.may(Power::Decide) {
        return Err(odd("whoever signs for the patient has the authority to decide", at));
    }
    let described = authority(&held.proxy, tongue);
    Ok(Some(Acts { id: held.id, right: held.proxy.authority, described }))
}
