//! The appointment book: schedules, slots, and who sits in which. A patient's seats follow from the
//! patient's place on the clinician's panel by a rule that never gives one slot to two, so nobody
//! needs a list of all bookings: <https://hl7.org/fhir/R4/slot.html>.

use std::collections::BTreeMap;

use crate::Clinic;
use crate::calendar::{At, Day, working_day};
use crate::code::{Code, hl7};
use crate::people::{BLOCK_SIZE, POD_SIZE, Person};
use crate::press::Press;
use crate::random::{POD, Rng, ident};
use crate::staff::{PRIMARY, SCHEDULED, pod_of};

/// Patients on the panel of one primary-care clinician.
const PANEL: u64 = POD_SIZE / PRIMARY;
/// Half-hour slots in a clinician's day; specialists have seven of an hour.
const PER_DAY: u64 = 14;
/// Working days the book looks back and ahead.
const BACK: i64 = 6;
const AHEAD: i64 = 12;

const ROUTINE: Code = hl7!("v2-0276", "ROUTINE", "Routine appointment - default if not valued");
const FOLLOW_UP: Code =
    hl7!("v2-0276", "FOLLOWUP", "A follow up visit from a previous appointment");
const CHECKUP: Code = hl7!("v2-0276", "CHECKUP", "A routine check-up, such as an annual physical");
const WALK_IN: Code = hl7!("v2-0276", "WALKIN", "A previously unscheduled walk-in visit");

/// What the visit is booked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Purpose {
    Routine,
    FollowUp,
    Checkup,
    WalkIn,
    Specialist,
}

impl Purpose {
    /// What the book says beside the name.
    pub(crate) const fn words(self) -> &'static str {
        match self {
            Self::Routine => "Office visit",
            Self::FollowUp => "Follow-up of long-term conditions",
            Self::Checkup => "Yearly checkup",
            Self::WalkIn => "Walk-in",
            Self::Specialist => "Specialist consultation",
        }
    }

    /// The type of appointment (HL7 table 0276).
    pub(crate) const fn code(self) -> &'static Code {
        match self {
            Self::Routine => &ROUTINE,
            Self::FollowUp | Self::Specialist => &FOLLOW_UP,
            Self::Checkup => &CHECKUP,
            Self::WalkIn => &WALK_IN,
        }
    }
}

/// A seat in the book taken by one patient.
#[derive(Debug, Clone)]
pub(crate) struct Booking {
    pub(crate) seat: u64,
    /// Which of the patient's bookings: part of the appointment's id.
    pub(crate) round: u64,
    pub(crate) start: At,
    pub(crate) minutes: i64,
    pub(crate) slot: String,
    pub(crate) status: &'static str,
    pub(crate) purpose: Purpose,
    key: (u64, i64, u64),
}

impl Booking {
    /// What the slot says, or `None` if the appointment let go of it.
    pub(crate) fn slot_status(&self) -> Option<&'static str> {
        match self.status {
            "cancelled" => None,
            "pending" => Some("busy-tentative"),
            _ => Some("busy"),
        }
    }

    /// Whether the patient came, so that there is an encounter.
    pub(crate) fn was_kept(&self) -> bool {
        matches!(self.status, "fulfilled" | "arrived")
    }
}

/// The seat of the primary-care clinician of a patient.
pub(crate) const fn panel_seat(patient: u64) -> u64 {
    (patient % POD_SIZE) / BLOCK_SIZE % PRIMARY
}

impl Clinic {
    /// The id of the schedule of a seat.
    pub(crate) fn schedule_id(&self, pod: u64, seat: u64) -> String {
        ident(self.options.seed, POD | pod, "Schedule", seat)
    }

    /// The bookings of a patient, earliest first.
    pub(crate) fn bookings(&self, person: &Person) -> Vec<Booking> {
        let mut all = Vec::new();
        if person.death.is_some() {
            return all;
        }
        let i = person.i;
        let (pod, seat) = (pod_of(i), panel_seat(i));
        let local = i % POD_SIZE;
        let place = local / BLOCK_SIZE / PRIMARY * BLOCK_SIZE + i % BLOCK_SIZE;
        let mut rng = Rng::of(self.options.seed, i, "book");
        let mut turn = Rng::of(self.options.seed, POD | pod, "book");
        let shift = turn.below(PANEL);
        // Each step shares no factor with the panel's size, so places map to slots one to one.
        for (round, step, first_day, take, days) in
            [(0, 25, -BACK, 780, 6), (1, 5, 0, 880, 1), (2, 11, 1, 800, 6), (3, 13, 7, 420, 6)]
        {
            let nth = (place * step + shift + seat * 7) % PANEL;
            let taken = rng.chance(take);
            let dice = rng.range(0, 999);
            let kind = rng.range(0, 99);
            let day = first_day + i64::try_from(nth / PER_DAY).unwrap_or(0);
            // Half of those who come today or came last week need no second visit next week.
            let again = round < 2 || all.is_empty() || dice % 2 == 0;
            if taken && again && nth < PER_DAY * days {
                all.push(self.booking(pod, round, (seat, day, nth % PER_DAY), dice, kind));
            }
        }
        let specialist = PRIMARY + local % 12;
        if specialist < SCHEDULED && person.age(self.today) >= 18 && rng.chance(550) {
            let nth = local / 12;
            let key = (specialist, 1 + i64::try_from(nth / 7).unwrap_or(0), nth % 7);
            let gyn = specialist == SCHEDULED - 1;
            if !gyn || person.female {
                let dice = rng.range(0, 999);
                all.push(self.booking(pod, 4, key, dice, 0));
            }
        }
        all.sort_by_key(|b| b.start);
        // Nobody is seen twice on one day.
        all.dedup_by_key(|b| b.start.day());
        all
    }

    /// Writes the schedules of a pod and their slots.
    pub(crate) fn write_book(&self, pod: u64, press: &mut Press<'_>) {
        let first = pod * POD_SIZE;
        let end = (first + POD_SIZE).min(self.options.patients);
        let mut taken = BTreeMap::new();
        for i in first..end {
            for booking in self.bookings(&self.person(i)) {
                if let Some(status) = booking.slot_status() {
                    taken.insert(booking.key, status);
                }
            }
        }
        for seat in 0..SCHEDULED {
            self.write_schedule(pod, seat, press);
            for day in -BACK..=AHEAD {
                for nth in 0..if seat < PRIMARY { PER_DAY } else { 7 } {
                    let status = taken.get(&(seat, day, nth)).copied();
                    // A past slot nobody used tells nobody anything.
                    if status.is_some() || day >= 0 {
                        self.write_slot(pod, (seat, day, nth), status.unwrap_or("free"), press);
                    }
                }
            }
        }
    }

    fn booking(&self, pod: u64, round: u64, key: (u64, i64, u64), dice: i64, kind: i64) -> Booking {
        let (start, minutes) = self.slot_time(key);
        let purpose = match kind {
            _ if round == 4 => Purpose::Specialist,
            0..=34 => Purpose::FollowUp,
            35..=64 => Purpose::Checkup,
            65..=74 if round == 1 => Purpose::WalkIn,
            _ => Purpose::Routine,
        };
        Booking {
            seat: key.0,
            round,
            start,
            minutes,
            slot: self.slot_id(pod, key),
            status: self.status(start, minutes, dice),
            purpose,
            key,
        }
    }

    // What the front desk's screen shows at a quarter past ten.
    fn status(&self, start: At, minutes: i64, dice: i64) -> &'static str {
        if start.plus(minutes + 15) <= self.now {
            match dice {
                0..=829 => "fulfilled",
                830..=909 => "noshow",
                _ => "cancelled",
            }
        } else if start <= self.now {
            if dice < 920 { "arrived" } else { "noshow" }
        } else if start.day() == self.today {
            match dice {
                0..=449 if start <= self.now.plus(30) => "checked-in",
                0..=939 => "booked",
                _ => "cancelled",
            }
        } else {
            match dice {
                0..=889 => "booked",
                890..=949 => "pending",
                _ => "cancelled",
            }
        }
    }

    fn slot_time(&self, (seat, day, nth): (u64, i64, u64)) -> (At, i64) {
        let day: Day = working_day(self.today, day);
        let nth = i64::try_from(nth).unwrap_or(0);
        if seat < PRIMARY {
            let minute = if nth < 7 { 510 + 30 * nth } else { 780 + 30 * (nth - 7) };
            (At::new(day, minute), 30)
        } else {
            let minute = if nth < 3 { 540 + 60 * nth } else { 780 + 60 * (nth - 3) };
            (At::new(day, minute), 60)
        }
    }

    fn slot_id(&self, pod: u64, (seat, day, nth): (u64, i64, u64)) -> String {
        let day = u64::try_from(day + BACK).unwrap_or(0);
        ident(self.options.seed, POD | pod, "Slot", (seat * 64 + day) * 64 + nth)
    }

    fn write_schedule(&self, pod: u64, seat: u64, press: &mut Press<'_>) {
        let staff = self.staff(pod, seat);
        let location = self.site_ids(crate::staff::site_of(seat)).location;
        press.emit("Schedule", &self.schedule_id(pod, seat), |w| {
            w.flag("active", true);
            w.concept_one("serviceCategory", &hl7!("service-category", "17", "General Practice"));
            w.concept_one("specialty", staff.specialty());
            w.arr("actor", |w| {
                w.refer_item("Practitioner", &staff.id);
                w.refer_item("PractitionerRole", &staff.role_id);
                w.refer_item("Location", &location);
            });
            let (from, until) = (working_day(self.today, -BACK), working_day(self.today, AHEAD));
            w.period("planningHorizon", At::new(from, 0), Some(At::new(until, 1439)));
        });
    }

    fn write_slot(&self, pod: u64, key: (u64, i64, u64), status: &str, press: &mut Press<'_>) {
        let (start, minutes) = self.slot_time(key);
        press.emit("Slot", &self.slot_id(pod, key), |w| {
            w.refer("schedule", "Schedule", &self.schedule_id(pod, key.0));
            w.text("status", status);
            w.at("start", start);
            w.at("end", start.plus(minutes));
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Options;
    use std::collections::BTreeSet;

    #[test]
    fn no_slot_is_given_twice() {
        let clinic = Clinic::new(Options::new(POD_SIZE, 5, (2026, 11, 23)));
        let mut seats = BTreeSet::new();
        let mut today = 0;
        for i in 0..POD_SIZE {
            for booking in clinic.bookings(&clinic.person(i)) {
                assert!(seats.insert(booking.key), "{booking:?}");
                today += usize::from(booking.start.day() == clinic.today);
            }
        }
        assert!(seats.len() > 1200, "{}", seats.len());
        assert!((110..=168).contains(&today), "{today}");
    }
}
