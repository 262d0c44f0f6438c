//! Who the patients are. Patients stand in blocks of twelve; a block is split into households by
//! its own draws, so a household is known from any of its members and never from how many patients
//! there are. Members point only to members before them: adding patients changes nobody.

use unicode_normalization::UnicodeNormalization;

use crate::Clinic;
use crate::calendar::{Day, age};
use crate::names::{self, Origin};
use crate::places::{self, Address, Site};
use crate::random::{BLOCK, Rng, ident};

/// Patients in a block.
pub(crate) const BLOCK_SIZE: u64 = 12;
/// Patients one pod of staff looks after.
pub(crate) const POD_SIZE: u64 = BLOCK_SIZE * 84;

/// What a person is in the household.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Role {
    Head,
    Partner,
    Child,
    Elder,
}

/// How a household pays.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Plan {
    /// Through the head's work; the number chooses the payer.
    Commercial(u64),
    Medicaid,
    SelfPay,
}

/// People at one address.
#[derive(Debug, Clone)]
pub(crate) struct Household {
    /// The patient number of its head.
    pub(crate) first: u64,
    pub(crate) origin: &'static Origin,
    pub(crate) surname: &'static str,
    pub(crate) address: Address,
    pub(crate) site: &'static Site,
    pub(crate) phone: String,
    pub(crate) plan: Plan,
    speaks_other: bool,
    has_partner: bool,
    has_elder: bool,
    size: u64,
    head_age_days: i64,
    partner_gap_days: i64,
    head_female: bool,
}

/// One patient, before any care.
#[derive(Debug, Clone)]
pub(crate) struct Person {
    pub(crate) i: u64,
    pub(crate) role: Role,
    pub(crate) female: bool,
    pub(crate) birth: Day,
    pub(crate) death: Option<Day>,
    pub(crate) given: &'static str,
    pub(crate) middle: &'static str,
    pub(crate) surname: &'static str,
    pub(crate) maiden: Option<&'static str>,
    pub(crate) mobile: String,
    /// Language tag and name.
    pub(crate) language: (&'static str, &'static str),
    pub(crate) home: Household,
}

impl Person {
    /// The given and family name as people say them.
    pub(crate) fn full_name(&self) -> String {
        format!("{} {}", self.given, self.surname)
    }

    /// The last day that can hold care: today, or the day of death.
    pub(crate) fn last_day(&self, today: Day) -> Day {
        self.death.unwrap_or(today)
    }

    /// Whole years of age on a day.
    pub(crate) fn age(&self, day: Day) -> i64 {
        age(self.birth, day)
    }

    /// An address for messages at a domain nobody owns (RFC 2606).
    pub(crate) fn email(&self) -> String {
        format!("{}.{}{}@example.org", plain(self.given), plain(self.surname), self.i)
    }

    /// The patient numbers of the parents this person lives with, if a child.
    pub(crate) fn parents(&self) -> impl Iterator<Item = u64> {
        let first = self.home.first;
        let count = match self.role {
            Role::Child => 1 + u64::from(self.home.has_partner),
            Role::Head | Role::Partner | Role::Elder => 0,
        };
        first..first + count
    }
}

impl Clinic {
    /// Patient number `i`.
    pub(crate) fn person(&self, i: u64) -> Person {
        let home = self.household(i);
        let at = i - home.first;
        let role = match at {
            0 => Role::Head,
            1 if home.has_partner => Role::Partner,
            n if home.has_elder && n + 1 == home.size => Role::Elder,
            _ => Role::Child,
        };
        let mut rng = Rng::of(self.options.seed, i, "person");
        let female = match role {
            Role::Head => home.head_female,
            Role::Partner => home.head_female == rng.chance(50),
            Role::Child => rng.chance(490),
            Role::Elder => rng.chance(650),
        };
        let age_days = match role {
            Role::Head => home.head_age_days,
            Role::Partner => home.head_age_days + home.partner_gap_days,
            Role::Elder => home.head_age_days + rng.range(20, 34) * 365,
            Role::Child => home.child_age_days(at, &mut rng),
        };
        // Nobody in the clinic is older than 103.
        let birth = self.today - age_days.clamp(3, 103 * 365);
        let surname = match role {
            Role::Partner if rng.chance(280) => *rng.pick(home.origin.surnames),
            Role::Elder if rng.chance(400) => *rng.pick(home.origin.surnames),
            _ => home.surname,
        };
        let maiden = (female && matches!(role, Role::Partner) && surname == home.surname)
            .then(|| *rng.pick(home.origin.surnames));
        let death = self.death(birth, &mut rng);
        let language = match home.origin.language {
            Some(other) if home.speaks_other => other,
            _ => ("en", "English"),
        };
        Person {
            i,
            role,
            female,
            birth,
            death,
            given: names::given(&mut rng, home.origin, female),
            middle: names::given(&mut rng, home.origin, female),
            surname,
            maiden,
            mobile: phone(&mut rng, home.site),
            language,
            home,
        }
    }

    /// The id of patient `i`.
    pub(crate) fn patient_id(&self, i: u64) -> String {
        ident(self.options.seed, i, "Patient", 0)
    }

    /// The household of patient `i`.
    fn household(&self, i: u64) -> Household {
        let seed = self.options.seed;
        let block = i / BLOCK_SIZE;
        let mut split = Rng::of(seed, BLOCK | block, "households");
        let mut first = block * BLOCK_SIZE;
        let end = first + BLOCK_SIZE;
        let size = loop {
            let drawn = split.weighted(&[380, 330, 130, 100, 45, 15]) + 1;
            let size = u64::try_from(drawn).unwrap_or(1).min(end - first);
            if i < first + size {
                break size;
            }
            first += size;
        };
        let site = places::site(block);
        let mut rng = Rng::of(seed, first, "household");
        let origin = names::origin(&mut rng);
        let has_partner = match size {
            1 => false,
            2 => rng.chance(640),
            _ => rng.chance(800),
        };
        let has_elder = match size {
            1 => false,
            2 => !has_partner && rng.chance(300),
            3 => !has_partner && rng.chance(200),
            _ => rng.chance(120),
        };
        let age = if size == 1 || (size == 2 && has_partner) {
            // Those before children, those after, and the very old.
            match rng.range(0, 99) {
                0..=29 => rng.range(20, 38),
                30..=84 => rng.range(42, 77),
                _ => rng.range(74, 95),
            }
        } else if has_elder {
            rng.range(36, 60)
        } else {
            rng.range(26, 57)
        };
        let plan = match rng.range(0, 999) {
            0..=639 => Plan::Commercial(rng.below(3)),
            640..=929 => Plan::Medicaid,
            _ => Plan::SelfPay,
        };
        Household {
            first,
            origin,
            surname: rng.pick::<&'static str>(origin.surnames),
            address: places::address(&mut rng, site),
            site,
            phone: phone(&mut rng, site),
            plan,
            speaks_other: rng.chance(400),
            has_partner,
            has_elder,
            size,
            head_age_days: age * 365 + rng.range(0, 364) + age / 4,
            partner_gap_days: rng.around(0, 900).max((20 - age) * 365),
            head_female: rng.chance(if has_partner { 400 } else { 580 }),
        }
    }

    fn death(&self, birth: Day, rng: &mut Rng) -> Option<Day> {
        let years = age(birth, self.today);
        let per_mille = match years {
            0..=4 => 0,
            5..=54 => 3,
            55..=64 => 22,
            65..=74 => 60,
            75..=84 => 150,
            _ => 300,
        };
        let back = rng.range(30, 365 * i64::from(self.options.years_of_history.max(1)));
        rng.chance(per_mille).then(|| self.today - back.min(4 * 365))
    }
}

impl Household {
    /// Whether the head lives with a partner.
    pub(crate) const fn has_partner(&self) -> bool {
        self.has_partner
    }

    fn child_age_days(&self, at: u64, rng: &mut Rng) -> i64 {
        let before = 1 + u64::from(self.has_partner);
        let children = self.size.saturating_sub(before + u64::from(self.has_elder)).max(1);
        let parents = self.head_age_days.min(if self.has_partner {
            self.head_age_days + self.partner_gap_days
        } else {
            i64::MAX
        });
        // Each child has a window of its own, so that brothers and sisters are a year apart.
        let span = (parents - 20 * 365).clamp(400, 21 * 365);
        let window = span / i64::try_from(children).unwrap_or(1);
        let nth = i64::try_from(at.saturating_sub(before)).unwrap_or(0);
        nth * window + rng.range(5, (window - 380).max(20))
    }
}

// The letters of a name that a mail address can hold.
fn plain(name: &str) -> String {
    let letters = name.nfd().map(|c| match c {
        'ø' | 'Ø' => 'o',
        'ł' | 'Ł' => 'l',
        'đ' | 'Đ' => 'd',
        'ß' => 's',
        c => c.to_ascii_lowercase(),
    });
    letters.filter(char::is_ascii_alphabetic).collect()
}

/// A telephone number of the fictional 555 exchange.
pub(crate) fn phone(rng: &mut Rng, site: &Site) -> String {
    format!("({}) 555-{:04}", site.area_code, rng.range(100, 9999))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Options;

    fn people() -> (Clinic, Vec<Person>) {
        let clinic = Clinic::new(Options::new(6000, 11, (2026, 11, 22)));
        let all = (0..6000).map(|i| clinic.person(i)).collect();
        (clinic, all)
    }

    #[test]
    fn the_age_pyramid_is_plausible() {
        let (clinic, all) = people();
        let share = |low, high| {
            all.iter().filter(|p| (low..=high).contains(&p.age(clinic.today))).count() * 100
                / all.len()
        };
        assert!((14..=30).contains(&share(0, 17)), "{}", share(0, 17));
        assert!((40..=66).contains(&share(18, 64)), "{}", share(18, 64));
        assert!((12..=28).contains(&share(65, 120)), "{}", share(65, 120));
        assert!(
            (1..=6).contains(&(all.iter().filter(|p| p.death.is_some()).count() * 100 / all.len()))
        );
    }

    #[test]
    fn mail_addresses_keep_the_letters_of_a_name() {
        assert_eq!(plain("Nguyễn"), "nguyen");
        assert_eq!(plain("O'Brien"), "obrien");
        assert_eq!(plain("Sørensen"), "sorensen");
    }

    #[test]
    fn children_are_younger_than_their_parents_and_share_the_address() {
        let (_, all) = people();
        let mut seen = 0;
        for child in all.iter().filter(|p| p.role == Role::Child) {
            for parent in child.parents() {
                let parent = &all[usize::try_from(parent).unwrap()];
                assert!(child.birth - parent.birth > 18 * 365, "{child:?}");
                assert_eq!(child.home.address, parent.home.address);
                seen += 1;
            }
        }
        assert!(seen > 1000);
    }
}
