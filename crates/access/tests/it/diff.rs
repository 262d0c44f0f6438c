//! What a change of the policies changes, in words.

use access::policies::Text;
use access::{Action, Context, Diff, Guard, Policies, Purpose};

use crate::matrix::golden;
use crate::support::{Dice, shipped, throw, user};

fn with(text: &str) -> Policies {
    let site = [Text { name: "site.cedar", text }];
    Policies::load(2, &site).unwrap_or_else(|fault| panic!("{fault}"))
}

fn diff(text: &str) -> Diff {
    shipped().diff(&with(text), "clinic")
}

/// What a site that has a night shift and students could say.
const EXAMPLE: &str = r#"
// Nobody but those who treat them looks at records that are watched more closely.
@id("site-vip")
forbid (principal in Role::"him", action in Action::"view", resource)
when { resource.vip };

// Students look on, for the patients they are assigned to.
@id("site-student-view")
permit (principal in Role::"student", action in [Action::"read", Action::"search"], resource)
when { context.purpose == "TREAT" && resource.patients.containsAny(principal.patientsInCare) }
when { ["Patient", "Observation", "Condition"].contains(resource.kind) };

// The desk of the site north sees who has a task.
@id("site-north-desk")
permit (principal in Role::"front-desk", action == Action::"read", resource)
when { principal in Site::"north" && context.purpose == "HOPERAT" && resource.kind == "Task" };

// A purge needs a factor of the last minute.
@id("site-purge")
forbid (principal in Role::"system", action == Action::"delete", resource)
unless { context.mfaAgeSeconds <= 60 };
"#;

#[test]
fn the_difference_that_an_example_of_a_site_makes_is_the_one_that_was_reviewed() {
    let diff = diff(EXAMPLE);
    assert!(diff.widens());
    golden("diff.txt", &diff.to_string());
}

#[test]
fn the_same_policies_make_no_difference_and_neither_does_one_that_changes_nothing() {
    let same = shipped().diff(&Policies::load(2, &[]).unwrap(), "clinic");
    assert_eq!(same, Diff::default());
    assert_eq!(same.to_string(), "nobody gains or loses anything\n");
    // What the role has already.
    let again = "@id(\"again\") permit (principal in Role::\"auditor\", action == Action::\"read\", resource) when { context.purpose == \"HCOMPL\" && resource.kind == \"Consent\" };";
    let diff = diff(again);
    assert_eq!((diff.added.len(), diff.changes.len()), (1, 0), "{diff}");
}

#[test]
fn a_forbid_only_takes_away_and_a_permit_cannot_open_a_wall() {
    let narrows = diff("@id(\"a\") forbid (principal in Role::\"nurse\", action, resource);");
    assert!(!narrows.widens(), "{narrows}");
    assert!(narrows.changes.iter().all(|change| change.who.starts_with("nurse")), "{narrows}");
    let wide = diff("@id(\"a\") permit (principal, action, resource);");
    assert!(wide.widens());
    for change in wide.changes.iter().filter(|change| change.gains) {
        assert!(change.records.contains("tenant clinic"), "{change:?}");
        let released = change.when.iter().any(|when| when.contains("consent to every label"));
        let looks = change.actions.iter().any(|action| ["read", "export"].contains(action));
        let glass = change.purposes.iter().any(|why| why.contains("break-glass"));
        if looks && !released && !glass {
            assert!(change.records.contains("42CFRPart2"), "{change:?}");
        }
    }
}

#[test]
fn what_a_difference_says_is_what_the_guards_say() {
    let new = with(EXAMPLE);
    let mut dice = Dice(5);
    let mut differ = 0;
    for role in ["him", "student", "front-desk"] {
        for purpose in [Purpose::Treatment, Purpose::Operations, Purpose::PatientRequest] {
            let context = Context::of(purpose);
            let guard =
                |of: &Policies| of.decide(&user(role), Action::Read, None, &context).guard();
            let (one, two): (Guard, Guard) = (guard(shipped()), guard(&new));
            let (gains, loses) = (two.minus(&one).unwrap(), one.minus(&two).unwrap());
            for _ in 0..500 {
                let facts = throw(&mut dice).facts;
                let (before, after) = (one.allows(&facts), two.allows(&facts));
                assert_eq!(gains.allows(&facts), after && !before);
                assert_eq!(loses.allows(&facts), before && !after);
                differ += usize::from(before != after);
            }
        }
    }
    assert!(differ > 50, "{differ}: a weak test");
}
