//! What holds of every `RelatedPerson` that says somebody acts for a patient, through whichever door it comes
//! (45 CFR 164.502(g), 164.514(h)(1)): it is written by who keeps what is known of patients, says by what
//! right and what was seen that proves it, and ends where the law ends it. Who is only related is nobody's
//! business here.

use crate::read::{each, text};
use base::Fault;
use base::error::code;
use fhir::Value;
use fhir::reference::{Reference, parse};
use record::proxy::{AUTHORITY, Authority, EVIDENCE, POWER, Power, Whose, lacks_end};
use record::{Action, Asking, Rule, Ruling};

/// The rule.
pub const RULE: Rule = Rule {
    name: "registration.proxy",
    about: "An authority over a patient is written by who keeps patients, with what proves it, and ends with what it rests on.",
    types: &["RelatedPerson"],
    ask,
    claims: None,
};

fn ask(asking: &Asking<'_>) -> Result<Ruling, Fault> {
    let mut ruling = Ruling::default();
    let Some(after) = asking.after else { return Ok(ruling) };
    let before = asking.before.map(said).unwrap_or_default();
    let said = said(after);
    let nothing = Said::default();
    // Who is related may move, and be called otherwise, by whoever writes of them.
    let same = said == before
        && asking.before.map(is_active) == Some(is_active(after))
        && is_no_longer(asking);
    if same || (said == nothing && before == nothing) {
        return Ok(ruling);
    }
    if !asking.may(Action::Update, "Patient") {
        let say = "who acts for a patient is put down by those who keep what is known of patients";
        return Err(Fault::new(&code::ACCESS_DENIED, say));
    }
    // To end an authority, or to take it away, nothing has to be shown.
    if said == nothing || !is_active(after) {
        return Ok(ruling);
    }
    let right = hold(&said)?;
    let patient = after.get("patient").map(|one| text(one, "reference")).unwrap_or_default();
    if let Some(Reference::Relative(target)) = parse(&patient)
        && target.resource_type == "Patient"
        && !asking.is_written("Patient", target.id)
        && let Some(document) = asking.seen("Patient", target.id)?
    {
        let whose = Whose::of(document.root(), None);
        let until = after.get("period").map(|one| text(one, "end")).unwrap_or_default();
        if right == Authority::Guardian && lacks_end(&whose.born, &until) {
            let say = "give the last day: the patient's date of birth is not known";
            return Err(odd(say, "RelatedPerson.period.end"));
        }
        if whose.died.is_some() && right != Authority::Representative {
            return Err(odd("after a death only who represents the estate acts", PLACE));
        }
        ruling.unchanged.push(("Patient", target.id.to_owned()));
    }
    Ok(ruling)
}

const PLACE: &str = "RelatedPerson.extension";

/// What it says of an authority.
#[derive(Debug, Default, PartialEq, Eq)]
struct Said {
    rights: Vec<String>,
    powers: Vec<String>,
    evidence: Vec<String>,
    patient: String,
}

fn said(related: Value<'_>) -> Said {
    let all = |url: &str, name: &str| -> Vec<String> {
        let own = each(related, "extension").filter(|one| text(*one, "url") == url);
        own.map(|one| text(one, name)).collect()
    };
    let said = Said {
        rights: all(AUTHORITY, "valueCode"),
        powers: all(POWER, "valueCode"),
        evidence: all(EVIDENCE, "valueString"),
        patient: String::new(),
    };
    if said == Said::default() {
        return said;
    }
    // An authority that is carried to another patient is another.
    let patient = related.get("patient").map(|one| text(one, "reference")).unwrap_or_default();
    Said { patient, ..said }
}

fn is_active(related: Value<'_>) -> bool {
    related.get("active").and_then(Value::as_bool) != Some(false)
}

/// It lasts no longer than it did.
fn is_no_longer(asking: &Asking<'_>) -> bool {
    let period = |of: Option<Value<'_>>, name: &str| {
        of.and_then(|one| one.get("period")).map(|one| text(one, name)).unwrap_or_default()
    };
    let (before, after) = (period(asking.before, "end"), period(asking.after, "end"));
    let is_shorter =
        before == after || (!after.is_empty() && (before.is_empty() || after < before));
    is_shorter && period(asking.before, "start") == period(asking.after, "start")
}

/// The right, when there is one that can stand.
fn hold(said: &Said) -> Result<Authority, Fault> {
    let right = match said.rights.as_slice() {
        [one] => Authority::from_code(one),
        _ => None,
    };
    let Some(right) = right else {
        let say = "say by what right, once: parent-of-minor, guardian, power-of-attorney or personal-representative";
        return Err(odd(say, PLACE));
    };
    if said.powers.is_empty() || said.powers.iter().any(|one| Power::from_code(one).is_none()) {
        return Err(odd("say what they may do: decide, record or visits", PLACE));
    }
    if !matches!(said.evidence.as_slice(), [seen] if !seen.trim().is_empty()) {
        return Err(odd("say what was seen that proves the authority", PLACE));
    }
    Ok(right)
}

fn odd(say: &str, at: &str) -> Fault {
    Fault::at(&code::REGISTRATION_VALUE, say.to_owned(), at.to_owned())
}
