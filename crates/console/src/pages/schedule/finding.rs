//! What speaks against a booking, in the words of the page: which rule, of whom, and what can be done. The
//! department names its rules by codes (`scheduling::rule`), and the pages say each in every language.

use super::desk::{self, Here};
use crate::parts::{Icon, icon};
use crate::words::{self, Lang, Word};
use base::Fault;
use base::error::code;
use maud::{Markup, html};
use scheduling::actor::Actor;
use scheduling::book::waitlist::NOT_EARLIER;
use scheduling::rule::Rule;

/// Whether it is something that the person at the desk can do something about: then the form comes back.
pub(crate) fn is_theirs(fault: &Fault) -> bool {
    let name = fault.code().name;
    let others = [&code::VERSION_CONFLICT, &code::ACCESS_DENIED, &code::PRIVACY_HIDDEN_KEPT];
    name.starts_with("scheduling.") || desk::is(fault, &others)
}

/// Whether a reason sets it aside.
pub(crate) fn asks_reason(fault: &Fault) -> bool {
    desk::is(fault, &[&code::SCHEDULING_OVERRIDE])
}

/// What happened, in one sentence, and what to do.
pub(crate) fn says(fault: &Fault, lang: Lang) -> &'static str {
    let name = fault.code().name;
    let told = [
        (&code::SCHEDULING_OVERRIDE, words::CAL_SAYS_OVERRIDE),
        (&code::SCHEDULING_BLOCKED, words::CAL_SAYS_BLOCKED),
        (&code::DOUBLE_BOOKED, words::CAL_SAYS_TAKEN),
        (&code::SLOT_TAKEN, words::CAL_SAYS_TAKEN),
        (&code::SCHEDULING_HOLD, words::CAL_SAYS_HOLD),
        (&code::SCHEDULING_OFFER, words::WAIT_SAYS_GONE),
        (&code::SCHEDULING_STEP, words::CAL_SAYS_STEP),
        (&code::VERSION_CONFLICT, words::CAL_SAYS_CHANGED),
        (&code::SCHEDULING_TIME, words::CAL_SAYS_TIME),
        (&code::SCHEDULING_SERIES, words::CAL_SAYS_SERIES),
        (&code::ACCESS_DENIED, words::CAL_SAYS_DENIED),
        (&code::PRIVACY_HIDDEN_KEPT, words::CAL_SAYS_HIDDEN),
    ];
    let word = told.iter().find(|(code, _)| code.name == name);
    word.map_or(words::CAL_SAYS_OTHER, |(_, word)| *word).of(lang)
}

/// The rules that a fault names, each with whom it is of.
pub(crate) fn rules(fault: &Fault, here: &Here, lang: Lang) -> Vec<String> {
    let of = |issue: &base::error::Issue| {
        let code = issue.diagnostics.rsplit_once('(')?.1.trim_end_matches(')');
        if code == NOT_EARLIER {
            return Some(words::WAIT_SAYS_LATER.of(lang).to_owned());
        }
        let rule = Rule::ALL.into_iter().find(|rule| rule.code() == code)?;
        let actor = issue.expression.as_deref().and_then(Actor::parse);
        let who = actor.filter(|actor| !actor.is_patient());
        Some(match who {
            Some(who) => format!("{}: {}", here.name(&who), word(rule).of(lang)),
            None => word(rule).of(lang).to_owned(),
        })
    };
    let mut all: Vec<String> = fault.issues.iter().filter_map(of).collect();
    all.dedup();
    all
}

/// The summary at the head of a form that came back.
pub(crate) fn summary(fault: &Fault, here: &Here, lang: Lang) -> Markup {
    let rules = rules(fault, here, lang);
    html! {
        div.notice.is-critical role="alert" tabindex="-1" {
            (icon(Icon::Critical))
            div {
                p.notice-title { (says(fault, lang)) }
                @if !rules.is_empty() { ul { @for rule in &rules { li { (rule) } } } }
                @if asks_reason(fault) { p { a href="#reason" { (words::CAL_GIVE_REASON.of(lang)) } } }
            }
        }
    }
}

/// A rule in words.
pub(crate) const fn word(rule: Rule) -> Word {
    match rule {
        Rule::ResourceMissing => words::CAL_RULE_MISSING,
        Rule::ResourceUnfit => words::CAL_RULE_UNFIT,
        Rule::ResourceOverlap => words::CAL_RULE_OVERLAP,
        Rule::OverbookCap => words::CAL_RULE_CAP,
        Rule::Buffer => words::CAL_RULE_BUFFER,
        Rule::PatientDoubleBooked => words::CAL_RULE_PATIENT,
        Rule::InPast => words::CAL_RULE_PAST,
        Rule::LeadTime => words::CAL_RULE_LEAD,
        Rule::DailyCap => words::CAL_RULE_DAILY,
        Rule::AgeLimit => words::CAL_RULE_AGE,
        Rule::SexLimit => words::CAL_RULE_SEX,
        Rule::ReferralRequired => words::CAL_RULE_REFERRAL,
        Rule::OutsideHours => words::CAL_RULE_HOURS,
        Rule::Blocked => words::CAL_RULE_BLOCKED,
        Rule::TypeRetired => words::CAL_RULE_RETIRED,
        Rule::ModalityUnfit => words::CAL_RULE_MODALITY,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use scheduling::book::House;

    #[test]
    fn each_rule_that_speaks_is_told_with_whom_it_is_of() {
        let here =
            Here { house: House::default(), sites: Vec::new(), resources: Vec::new(), more: false };
        let fault = Fault::at(
            &code::SCHEDULING_OVERRIDE,
            "It is outside hours (outside-hours)",
            "Practitioner/7",
        );
        assert!(is_theirs(&fault) && asks_reason(&fault));
        let told = rules(&fault, &here, Lang::En);
        assert_eq!(told.len(), 1);
        assert!(told[0].starts_with("Practitioner/7: "), "{told:?}");
        assert_eq!(rules(&fault, &here, Lang::Es).len(), 1);
        let odd = Fault::new(&code::DOUBLE_BOOKED, "taken (or so)");
        assert!(rules(&odd, &here, Lang::En).is_empty() && !asks_reason(&odd));
        assert!(!is_theirs(&Fault::new(&code::INTERNAL, "no")));
    }
}
