//! Appointments: the patient's side of the book (<https://hl7.org/fhir/R4/appointment.html>,
//! invariants app-1 to app-4).

use crate::book::Booking;
use crate::calendar::{At, working_day};
use crate::chart::Chart;
use crate::code::{Code, hl7};
use crate::staff::{SCHEDULED, pod_of, site_of};

const PRIMARY_PERFORMER: Code = hl7!("v3-ParticipationType", "PPRF", "primary performer");
const BY_PATIENT: Code = hl7!("appointment-cancellation-reason", "pat", "Patient");
const BY_CLINIC: Code = hl7!("appointment-cancellation-reason", "prov", "Provider");

impl Chart<'_, '_, '_> {
    /// Writes the appointments of the weeks around today.
    pub(crate) fn write_appointments(&mut self) {
        let bookings = std::mem::take(&mut self.bookings);
        for booking in &bookings {
            self.write_appointment(booking);
        }
        self.bookings = bookings;
    }

    fn write_appointment(&mut self, booking: &Booking) {
        let id = self.appointment_id(booking.round);
        let staff = self.clinic.staff(pod_of(self.person.i), booking.seat.min(SCHEDULED - 1));
        let location = self.clinic.site_ids(site_of(booking.seat)).location;
        let made = self.booked_on(booking);
        let by_patient = self.rng.chance(800);
        let reason = self.history.problems.first().map(|p| p.id.clone());
        let patient = &self.id;
        let who = self.person.full_name();
        let cancelled = booking.status == "cancelled";
        let (they, we) = match booking.status {
            "cancelled" => ("declined", "accepted"),
            "pending" => ("accepted", "needs-action"),
            _ => ("accepted", "accepted"),
        };
        self.press.emit("Appointment", &id, |w| {
            w.text("status", booking.status);
            if cancelled {
                w.concept("cancelationReason", if by_patient { &BY_PATIENT } else { &BY_CLINIC });
            }
            w.concept_one("serviceCategory", &hl7!("service-category", "17", "General Practice"));
            w.concept_one("specialty", staff.specialty());
            w.concept("appointmentType", booking.purpose.code());
            if let Some(id) = &reason {
                w.refer_one("reasonReference", "Condition", id);
            }
            w.text("description", booking.purpose.words());
            w.at("start", booking.start);
            w.at("end", booking.start.plus(booking.minutes));
            w.int("minutesDuration", booking.minutes);
            if !cancelled {
                w.refer_one("slot", "Slot", &booking.slot);
            }
            w.at("created", made);
            w.arr("participant", |w| {
                w.item(|w| {
                    w.refer_shown("actor", "Patient", patient, &who);
                    w.text("required", "required");
                    w.text("status", they);
                });
                w.item(|w| {
                    w.category("type", &PRIMARY_PERFORMER);
                    w.refer_shown("actor", "Practitioner", &staff.id, &staff.name);
                    w.text("required", "required");
                    w.text("status", we);
                });
                w.item(|w| {
                    w.refer("actor", "Location", &location);
                    w.text("required", "information-only");
                    w.text("status", "accepted");
                });
            });
        });
    }

    // Days to weeks ahead, but never later than yesterday.
    fn booked_on(&mut self, booking: &Booking) -> At {
        let ahead = self.rng.range(2, 40);
        let minute = self.rng.range(480, 1020);
        let latest = working_day(self.clinic.today, -1);
        let day = (booking.start.day() - ahead).min(latest).max(self.person.birth);
        At::new(day, minute)
    }
}
