//! What holds of every Task that reviews a result, and of every cover and pool, through whichever door it
//! comes. A review makes a result wait no more, so it is written by who read that result and by nobody
//! else (42 CFR 493.1291(g), 45 CFR 164.312(c)(1)); an agent's Task is a draft, which counts for nothing
//! until a person takes it up. A cover is between two people, and either ends it.

use crate::read::{each, has_code, id_in, named, patient, text};
use crate::reviews::{Review, named_values};
use crate::whom::{COVER, DESK, POOL, ends, has_member};
use crate::{REVIEW, gather::OPEN};
use base::Fault;
use base::error::code;
use fhir::Value;
use record::{Action, Asking, Profile, Rule, Ruling};

/// Of Tasks.
pub(crate) const REVIEWS: Rule = Rule {
    name: "inbox.review",
    about: "A result is filed by a practitioner who read it as it is, and an agent's task is a draft.",
    types: &["Task"],
    ask: review,
    claims: None,
};

/// Of `CareTeams` about no patient.
pub(crate) const TEAMS: Rule = Rule {
    name: "inbox.team",
    about: "A cover is begun and ended by one of the two, and a pool is changed by its members.",
    types: &["CareTeam"],
    ask: team,
    claims: None,
};

fn review(asking: &Asking<'_>) -> Result<Ruling, Fault> {
    if asking.is_agent() {
        let is_draft = |task: Value<'_>| text(task, "status") == "draft";
        if asking.before.is_none_or(is_draft) && asking.after.is_some_and(is_draft) {
            return Ok(Ruling::default());
        }
        let say =
            "an agent writes tasks as drafts, which count for nothing until a person takes them up";
        return Err(Fault::new(&code::ACCESS_DENIED, say));
    }
    let is_review = |task: &Value<'_>| task.get("code").is_some_and(|of| has_code(of, REVIEW));
    let (was, is) = (asking.before.filter(is_review), asking.after.filter(is_review));
    if asking.is_house() || (was.is_none() && is.is_none()) {
        return Ok(Ruling::default());
    }
    let signer = asking.signer().ok_or_else(not_theirs)?;
    let own = format!("Practitioner/{}", signer.practitioner);
    let Some(after) = is else {
        return Err(odd("a review stays one; mark it as entered in error instead", "code"));
    };
    let of = |task| crate::reviews::reviewed(task);
    let Some(report) = of(after).filter(|id| was.is_none_or(|was| of(was).as_ref() == Some(id)))
    else {
        return Err(odd("a review is of one report, and stays of it", "focus"));
    };
    // Of a report that they may not see nothing is told, and nothing is filed.
    let document = asking.seen("DiagnosticReport", &report)?.ok_or_else(not_theirs)?;
    let root = document.root();
    if patient(after) != patient(root) {
        return Err(odd("a review is for the patient whom the report is about", "for"));
    }
    if text(after, "intent") != "order" {
        return Err(odd("a review is no plan and no proposal", "intent"));
    }
    let status = text(after, "status");
    let owner = named(after.get("owner")).0;
    if OPEN.split(',').any(|open| open == status) {
        let had = was.map(|was| named(was.get("owner")).0);
        return match owner == own || had.as_ref() == Some(&owner) {
            true => Ok(Ruling::default()),
            false => handed(asking, &report, &owner),
        };
    }
    if status != "completed" {
        return Ok(Ruling::default());
    }
    if owner != own {
        return Err(odd("whoever files a result owns its review", "owner"));
    }
    filed_as_it_is(asking, (&report, root), after)
}

/// Holds what is handed on to somebody who is shown it: else it would wait for nobody.
fn handed(asking: &Asking<'_>, report: &str, owner: &str) -> Result<Ruling, Fault> {
    let shown = |is: &dyn Fn(&Profile) -> bool| asking.is_shown_to(is, "DiagnosticReport", report);
    let nobody = || odd("a review that is open is a practitioner's or a pool's", "owner");
    let is_shown = if let Some(id) = id_in(owner, "Practitioner") {
        shown(&|profile| profile.practitioner.as_ref() == Some(&id))?
    } else {
        let team = id_in(owner, "CareTeam").ok_or_else(nobody)?;
        let team = asking.read("CareTeam", &team)?.ok_or_else(nobody)?;
        shown(&|profile| has_member(team.root(), profile, asking.now()))?
    };
    if is_shown {
        return Ok(Ruling::default());
    }
    let say = "whom the review is handed to would not be shown the report";
    Err(Fault::at(&code::INBOX_UNSEEN, say, "owner"))
}

/// Holds a filing to the versions that there are, now and until it is committed.
fn filed_as_it_is(
    asking: &Asking<'_>,
    (id, report): (&str, Value<'_>),
    task: Value<'_>,
) -> Result<Ruling, Fault> {
    let filed = Review::filed_by(task);
    let filed = filed.ok_or_else(|| odd("say which versions were read", "input"))?;
    let mut unchanged = vec![("DiagnosticReport", id.to_owned())];
    let mut values = Vec::new();
    for value in named_values(report) {
        let seen = asking.seen("Observation", &value)?.ok_or_else(not_theirs)?;
        values.push(version(seen.root()));
        unchanged.push(("Observation", value));
    }
    if filed.version != version(report) || filed.values.as_ref() != Some(&values) {
        let say = "the report or a value of it changed since it was read; read it again";
        return Err(Fault::new(&code::INBOX_CHANGED, say));
    }
    Ok(Ruling { unchanged, ..Ruling::default() })
}

/// The version of a stored document.
fn version(root: Value<'_>) -> u64 {
    let of = root.get("meta").map(|meta| text(meta, "versionId"));
    of.and_then(|text| text.parse().ok()).unwrap_or(0)
}

fn team(asking: &Asking<'_>) -> Result<Ruling, Fault> {
    let is = |team: Option<Value<'_>>, codes: &[&str]| {
        let has = |of: Value<'_>| codes.iter().any(|code| has_code(of, code));
        team.is_some_and(|team| each(team, "category").any(has))
    };
    let (before, after) = (asking.before, asking.after);
    let ours = [COVER, POOL, DESK];
    if asking.is_house() || !(is(before, &ours) || is(after, &ours)) {
        return Ok(Ruling::default());
    }
    // Who configures the house keeps its teams too.
    if !asking.is_agent() && asking.may(Action::Configure, "CareTeam") {
        return Ok(Ruling::default());
    }
    let Some(signer) = asking.signer() else {
        return Err(denied("a pool and a cover are written by a person who works here"));
    };
    let own = format!("Practitioner/{}", signer.practitioner);
    let names_them = |team: Value<'_>| members(team).any(|member| member == own);
    if before.is_some_and(|before| is(Some(before), &ours) && !names_them(before)) {
        return Err(denied("a pool or a cover of others is changed by who configures the house"));
    }
    match (is(before, &[COVER]), is(after, &[COVER])) {
        (false, false) => Ok(Ruling::default()),
        (false, true) if before.is_none() && after.is_some_and(is_cover) => {
            match after.is_some_and(names_them) {
                true => Ok(Ruling::default()),
                false => Err(denied("a cover is begun by one of the two")),
            }
        }
        (true, true) if before.zip(after).is_some_and(|(one, other)| is_shorter(one, other)) => {
            Ok(Ruling::default())
        }
        _ => Err(denied("a cover has two people and an end, and is only ended or shortened")),
    }
}

fn members(team: Value<'_>) -> impl Iterator<Item = String> {
    each(team, "participant").map(|one| named(one.get("member")).0)
}

/// Somebody, somebody else, and an end.
fn is_cover(team: Value<'_>) -> bool {
    let all: Vec<String> = members(team).collect();
    let is_person = |member: &String| id_in(member, "Practitioner").is_some();
    let has_end = ends(team).1.0 < i64::MAX;
    all.len() == 2 && all.iter().all(is_person) && all.first() != all.last() && has_end
}

/// The next version of a cover is between the same two, begins no earlier, ends no later, and is not
/// begun again.
fn is_shorter(before: Value<'_>, after: Value<'_>) -> bool {
    let roles = |team| -> Vec<(String, String)> {
        let role = |one| {
            let codings = each(one, "role").flat_map(|role| each(role, "coding"));
            codings.map(|coding| text(coding, "code")).collect::<Vec<_>>().join(",")
        };
        each(team, "participant").map(|one| (named(one.get("member")).0, role(one))).collect()
    };
    let (was, is) = (ends(before), ends(after));
    let is_active = |team| text(team, "status") == "active";
    let begins_again = !is_active(before) && is_active(after);
    roles(before) == roles(after) && was.0 <= is.0 && is.1 <= was.1 && !begins_again
}

fn not_theirs() -> Fault {
    denied("a result is reviewed by a practitioner who reads it, under their own name")
}

fn denied(say: &str) -> Fault {
    Fault::new(&code::ACCESS_DENIED, say)
}

fn odd(say: &str, member: &str) -> Fault {
    Fault::at(&code::INBOX_REVIEW, say, member)
}
