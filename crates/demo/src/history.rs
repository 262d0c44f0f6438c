//! The life course: which conditions a person gets and when, and every visit from the first in the
//! chart to this morning's. Decided before anything is written, so that all parts agree.

use crate::Clinic;
use crate::book::{Booking, Purpose, panel_seat};
use crate::calendar::{At, Day, add_months, weekday};
use crate::catalog::{ACUTE, Acute, CHRONIC, Chronic, Key};
use crate::drugs::Drug;
use crate::people::Person;
use crate::random::{Rng, ident};
use crate::staff::PRIMARY;

/// Why somebody comes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    WellChild,
    Checkup,
    FollowUp,
    Specialist,
    Virtual,
    Acute,
    Emergency,
    Inpatient,
}

/// A chronic condition of one person.
#[derive(Debug, Clone)]
pub(crate) struct Problem {
    pub(crate) what: &'static Chronic,
    pub(crate) onset: Day,
    /// The number of the visit that recorded it.
    pub(crate) recorded: usize,
    pub(crate) id: String,
    pub(crate) drugs: [Option<&'static Drug>; 2],
}

/// One visit.
#[derive(Debug, Clone)]
pub(crate) struct Visit {
    pub(crate) id: String,
    pub(crate) kind: Kind,
    pub(crate) start: At,
    pub(crate) minutes: i64,
    pub(crate) seat: u64,
    /// The complaint, at acute visits.
    pub(crate) acute: Option<&'static Acute>,
    /// The number of the problem it is about, at follow-ups.
    pub(crate) problem: Option<usize>,
    /// The round of the booking it was booked by.
    pub(crate) booking: Option<u64>,
    /// The patient is in the room now.
    pub(crate) open: bool,
}

impl Visit {
    /// When it ends.
    pub(crate) const fn end(&self) -> At {
        self.start.plus(self.minutes)
    }
}

/// A person's history with the clinic.
#[derive(Debug, Clone)]
pub(crate) struct History {
    pub(crate) problems: Vec<Problem>,
    pub(crate) visits: Vec<Visit>,
}

impl History {
    /// The problem of a kind known on a day.
    pub(crate) fn problem(&self, key: Key, day: Day) -> Option<&Problem> {
        self.problems.iter().find(|p| p.what.key == key && p.onset <= day)
    }
}

/// Months of age at which children are seen when well; yearly from three on.
const WELL_CHILD: [i64; 27] = [
    0, 1, 2, 4, 6, 9, 12, 15, 18, 24, 30, 36, 48, 60, 72, 84, 96, 108, 120, 132, 144, 156, 168,
    180, 192, 204, 216,
];

impl Clinic {
    /// The history of a person, given the person's bookings.
    pub(crate) fn history(&self, person: &Person, bookings: &[Booking]) -> History {
        let mut rng = Rng::of(self.options.seed, person.i, "history");
        // Bookings tell of the last two weeks; before them chance does.
        let cutoff = person.death.map_or(self.today - 14, |d| d - 3);
        let reach = i64::from(self.options.years_of_history) * 365;
        // Many charts are of people who came in recent years.
        let depth = rng.range(200, reach.max(201));
        let depth = if rng.chance(850) { depth.min(rng.range(200, reach.max(201))) } else { depth };
        let since = (cutoff - depth).max(person.birth + 3);
        let mut plan = Plan { rng, person, since, cutoff, visits: Vec::new() };
        let found = plan.conditions();
        plan.well_visits();
        plan.follow_ups(&found);
        plan.complaints();
        plan.settle();
        plan.kept(bookings, &found);
        let mut visits = plan.visits;
        for (n, visit) in (0..).zip(&mut visits) {
            visit.id = ident(self.options.seed, person.i, "Encounter", n);
        }
        let problems = self.record(person, &found, &mut visits);
        History { problems, visits }
    }

    // A condition enters the chart at the first visit after it began; one that no visit saw does not.
    fn record(&self, person: &Person, found: &[Found], visits: &mut [Visit]) -> Vec<Problem> {
        let mut problems = Vec::new();
        let mut numbers = Vec::new();
        for (n, found) in (0..).zip(found) {
            let recorded = visits.iter().position(|v| v.start.day() > found.onset);
            numbers.push(recorded.map(|recorded| {
                problems.push(Problem {
                    what: found.what,
                    onset: found.onset,
                    recorded,
                    id: ident(self.options.seed, person.i, "Problem", n),
                    drugs: found.drugs,
                });
                problems.len() - 1
            }));
        }
        for visit in visits {
            visit.problem = visit.problem.and_then(|n| numbers.get(n).copied().flatten());
        }
        problems
    }
}

#[derive(Debug)]
struct Found {
    what: &'static Chronic,
    onset: Day,
    drugs: [Option<&'static Drug>; 2],
}

struct Plan<'p> {
    rng: Rng,
    person: &'p Person,
    since: Day,
    cutoff: Day,
    visits: Vec<Visit>,
}

impl Plan<'_> {
    fn conditions(&mut self) -> Vec<Found> {
        let mut all: Vec<Found> = Vec::new();
        let end = self.cutoff.max(self.person.birth + 3);
        let years = self.person.age(end);
        for what in &CHRONIC {
            let band = match years {
                ..18 => 0,
                18..40 => 1,
                40..65 => 2,
                _ => 3,
            };
            let mut chance = what.per_mille.get(band).copied().unwrap_or(0);
            if let Some((key, percent)) = what.with
                && all.iter().any(|f| f.what.key == key)
            {
                chance = chance * percent / 100;
            }
            // Diabetes is what prediabetes was.
            let beyond =
                what.key == Key::Prediabetes && all.iter().any(|f| f.what.key == Key::Diabetes);
            let fits = years >= what.from_age
                && what.female.is_none_or(|female| female == self.person.female)
                && !beyond;
            if !self.rng.chance(chance) || !fits {
                continue;
            }
            let from = add_months(self.person.birth, what.from_age * 12).max(end - 15 * 365);
            let first = self.choose(what.first_drug);
            let second = self.choose(what.second_drug).filter(|_| self.rng.chance(500));
            let onset = self.rng.range(from.min(end), end);
            all.push(Found { what, onset, drugs: [first, second] });
        }
        all
    }

    fn choose(&mut self, drugs: &'static [&'static Drug]) -> Option<&'static Drug> {
        if drugs.is_empty() { None } else { Some(*self.rng.pick(drugs)) }
    }

    fn well_visits(&mut self) {
        let birth = self.person.birth;
        let mut due = Vec::new();
        for months in WELL_CHILD {
            let day = add_months(birth, months) + self.rng.range(0, 12) + 3;
            if self.rng.chance(if months <= 24 { 920 } else { 700 }) {
                due.push(day);
            }
        }
        for day in due {
            if (self.since..=self.cutoff).contains(&day) {
                self.visit(day, Kind::WellChild);
            }
        }
        // Adults first come for a new-patient checkup, then about once a year.
        let adult_from = add_months(birth, 19 * 12);
        let mut day = self.since.max(adult_from);
        while day <= self.cutoff {
            let chance = match self.person.age(day) {
                ..40 => 420,
                40..65 => 560,
                _ => 740,
            };
            let first = self.visits.is_empty();
            if first || self.rng.chance(chance) {
                self.visit(day, Kind::Checkup);
            }
            day += self.rng.range(340, 420);
        }
    }

    fn follow_ups(&mut self, found: &[Found]) {
        // Problems share visits: the second and third add less than the first.
        let mut turn = 0;
        let mut day = self.since + self.rng.range(20, 120);
        while day <= self.cutoff {
            let here: Vec<usize> =
                found.iter().enumerate().filter(|(_, f)| f.onset < day).map(|(n, _)| n).collect();
            let Some(&about) = here.get(turn % here.len().max(1)) else {
                day += 60;
                continue;
            };
            let rates = || here.iter().filter_map(|n| found.get(*n)).map(|f| f.what.visits);
            let rate = rates().max().unwrap_or(0) + rates().sum::<i64>() / 6;
            let what = found.get(about).map(|f| f.what);
            let key = what.map_or(Key::Other, |w| w.key);
            let kind = match key {
                Key::Failure | Key::Lung if self.rng.chance(30) => Kind::Inpatient,
                Key::Mood if self.rng.chance(380) => Kind::Virtual,
                Key::Heart | Key::Failure | Key::Diabetes | Key::Thyroid | Key::Mood
                    if self.rng.chance(170) =>
                {
                    Kind::Specialist
                }
                _ if self.rng.chance(90) => Kind::Virtual,
                _ => Kind::FollowUp,
            };
            self.visit(day, kind);
            if let Some(visit) = self.visits.last_mut() {
                visit.problem = Some(about);
                if kind == Kind::Specialist {
                    visit.seat = specialist(key);
                }
            }
            turn += 1;
            day += self.rng.range(85, 115) * 3650 / (rate.max(2) * 80);
        }
    }

    fn complaints(&mut self) {
        let mut day = self.since;
        loop {
            let years = self.person.age(day);
            let mean = if years < 6 { 330 } else { 600 };
            day += self.rng.range(mean / 6, mean * 2 - mean / 6);
            if day > self.cutoff {
                return;
            }
            if let Some(acute) = self.acute(day) {
                let emergency = self.rng.chance(acute.emergency);
                self.visit(day, if emergency { Kind::Emergency } else { Kind::Acute });
                if let Some(visit) = self.visits.last_mut() {
                    visit.acute = Some(acute);
                }
            }
        }
    }

    fn acute(&mut self, day: Day) -> Option<&'static Acute> {
        let (years, female) = (self.person.age(day), self.person.female);
        let fits = |a: &Acute| {
            (a.ages.0..=a.ages.1).contains(&years) && a.female.is_none_or(|f| f == female)
        };
        let weights: Vec<i64> = ACUTE.iter().map(|a| if fits(a) { a.weight } else { 0 }).collect();
        ACUTE.get(self.rng.weighted(&weights))
    }

    fn visit(&mut self, day: Day, kind: Kind) {
        let open_all_hours = matches!(kind, Kind::Emergency | Kind::Inpatient);
        let day = match weekday(day) {
            6 if !open_all_hours => day - 1,
            0 if !open_all_hours => day + 1,
            _ => day,
        };
        let (minute, minutes) = match kind {
            Kind::Emergency => {
                (self.rng.range(0, 23) * 60 + self.rng.range(0, 59), self.rng.range(60, 320))
            }
            Kind::Inpatient => (self.rng.range(480, 1200), self.rng.range(2, 5) * 1440),
            _ => (510 + 15 * self.rng.range(0, 31), *self.rng.pick(&[15, 20, 20, 30])),
        };
        self.visits.push(Visit {
            id: String::new(),
            kind,
            start: At::new(day, minute),
            minutes,
            seat: panel_seat(self.person.i),
            acute: None,
            problem: None,
            booking: None,
            open: false,
        });
    }

    // In order of time, at most one a day, none during a stay, none before birth.
    fn settle(&mut self) {
        let (birth, cutoff) = (self.person.birth, self.cutoff);
        self.visits.sort_by_key(|v| v.start);
        let mut free = birth + 1;
        self.visits.retain(|v| {
            let keep = v.start.day() >= free && v.end().day() <= cutoff + 2;
            if keep {
                free = v.end().day() + 1;
            }
            keep
        });
    }

    fn kept(&mut self, bookings: &[Booking], found: &[Found]) {
        for booking in bookings.iter().filter(|b| b.was_kept()) {
            let day = booking.start.day();
            if day <= self.person.birth {
                continue;
            }
            let about = found.iter().position(|f| f.onset < day);
            let child = self.person.age(day) < 19;
            let kind = match (booking.purpose, about) {
                (Purpose::Checkup, _) | (Purpose::FollowUp | Purpose::Specialist, None) => {
                    if child { Kind::WellChild } else { Kind::Checkup }
                }
                (Purpose::FollowUp | Purpose::Specialist, Some(_)) => Kind::FollowUp,
                (Purpose::Routine | Purpose::WalkIn, _) => Kind::Acute,
            };
            let acute = if kind == Kind::Acute { self.acute(day) } else { None };
            self.visits.push(Visit {
                id: String::new(),
                kind,
                start: booking.start,
                minutes: booking.minutes,
                seat: booking.seat,
                acute,
                problem: about.filter(|_| kind == Kind::FollowUp),
                booking: Some(booking.round),
                open: booking.status == "arrived",
            });
        }
    }
}

const fn specialist(key: Key) -> u64 {
    match key {
        Key::Diabetes | Key::Thyroid => PRIMARY + 1,
        Key::Mood => PRIMARY + 2,
        _ => PRIMARY,
    }
}
