//! Of whom a second factor is demanded, from the settings (45 CFR 164.312(d)): roles, or a word for those
//! that a site begins with, for all staff, or for nobody.

use super::Settings;
use crate::command::role;
use anyhow::{Context as _, anyhow, bail};
use base::Millis;
use identity::{Demand, Of};

/// The roles that can see most: administrators, whoever may break the glass, and whoever reads the whole
/// access log.
pub(crate) const STANDARD: [&str; 5] =
    ["auditor", "clinician", "it-administrator", "nurse", "privacy-officer"];
/// The roles of those who are not staff.
const NOT_STAFF: [&str; 2] = ["patient", "proxy"];

/// The demand of the settings.
pub(crate) fn of(settings: &Settings) -> anyhow::Result<Demand> {
    let roles = settings.list("second_factor_roles");
    let owned = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
    let words: Vec<&str> = roles.iter().map(String::as_str).collect();
    let (of, new_sites) = match words.as_slice() {
        [] | ["none"] => (Of::Nobody, false),
        ["standard"] => (Of::Roles(owned(&STANDARD)), true),
        ["all-staff"] => (Of::AllBut(owned(&NOT_STAFF)), false),
        names => {
            if let Some(word) = names.iter().find(|n| ["none", "standard", "all-staff"].contains(n))
            {
                bail!("second_factor_roles: {word} stands alone, or name roles");
            }
            role::check(settings, &roles).context("second_factor_roles")?;
            (Of::Roles(roles.clone()), false)
        }
    };
    Ok(Demand { of, from: from(&settings.text("second_factor_from"))?, new_sites })
}

/// The first moment of a day (UTC).
fn from(text: &str) -> anyhow::Result<Option<Millis>> {
    if text.is_empty() {
        return Ok(None);
    }
    let day = Some(text).filter(|text| text.len() == 10 && fhir::date::is_date(text));
    let range = day.and_then(fhir::date::parse);
    let bad = || anyhow!("second_factor_from is a day such as 2027-01-31");
    range.map(|range| Some(Millis(range.low))).ok_or_else(bad)
}

#[cfg(test)]
mod tests {
    use super::*;
    use access::policies::ROLES;

    fn demand(roles: &str, from: &str) -> anyhow::Result<Demand> {
        let data = ("data", "/nowhere".to_owned());
        let flags = [
            data,
            ("second_factor_roles", roles.to_owned()),
            ("second_factor_from", from.to_owned()),
        ];
        of(&Settings::read(&[], &[], &flags)?)
    }

    #[test]
    fn a_demand_is_roles_or_one_word_and_a_day() {
        assert_eq!(demand("none", "").unwrap(), Demand::default());
        let nurses = demand("nurse", "2027-01-31").unwrap();
        assert_eq!(nurses.of, Of::Roles(vec!["nurse".to_owned()]));
        assert_eq!(nurses.from, Some(Millis(1_801_353_600_000)));
        assert!(!nurses.new_sites);
        assert!(matches!(demand("all-staff", "").unwrap().of, Of::AllBut(_)));
        assert!(demand("standard", "").unwrap().new_sites);
        for (roles, from) in [
            ("nurse,none", ""),
            ("standard,nurse", ""),
            ("nurze", ""),
            ("nurse", "tomorrow"),
            ("nurse", "2027-02-30"),
            ("nurse", "2027-01"),
        ] {
            assert!(demand(roles, from).is_err(), "{roles} {from}");
        }
    }

    #[test]
    fn the_standard_holds_every_shipped_role_that_breaks_the_glass_and_the_readers_of_the_log() {
        let breaks = |text: &str| text.contains("when { context.breakGlass");
        let mut expected: Vec<&str> = ROLES
            .iter()
            .filter(|text| breaks(text.text))
            .filter_map(|text| text.name.strip_prefix("roles/")?.strip_suffix(".cedar"))
            .collect();
        expected.extend(["auditor", "it-administrator", "privacy-officer"]);
        expected.sort_unstable();
        assert_eq!(expected, STANDARD);
    }
}
