//! The requests of the desk, and what makes an answer right: pages that hold what was asked for, bookings
//! into different times, and many hands after one time. The host comes with the header of whoever asks: a
//! server holds the origin of a page to it.

use super::clinic::{Clinic, Place};
use crate::bench::load::{Work, as_f64};
use conformance::http::FHIR_JSON;
use conformance::random::Random;
use std::io::Write;

/// Pages, or other answers, drawn at random; each has to hold a text.
#[derive(Debug)]
pub(super) struct Pages {
    requests: Vec<Vec<u8>>,
    holds: &'static [u8],
    random: Random,
    answers: u64,
    bytes: u64,
}

impl Pages {
    /// GETs of these paths.
    pub(super) fn get(
        paths: impl IntoIterator<Item = String>,
        holds: &'static str,
        random: Random,
    ) -> Self {
        let request = |path: String| format!("GET {path} HTTP/1.1\r\naccept: */*\r\n\r\n");
        Self::of(paths.into_iter().map(request), holds, random)
    }

    /// POSTs of these bodies to one path, for a piece of a page.
    pub(super) fn post(
        path: &str,
        bodies: impl IntoIterator<Item = String>,
        holds: &'static str,
        random: Random,
    ) -> Self {
        let request = |body: String| {
            format!(
                "POST {path} HTTP/1.1\r\nx-fragment: 1\r\ncontent-type: application/x-www-form-urlencoded\r\ncontent-length: {}\r\n\r\n{body}",
                body.len()
            )
        };
        Self::of(bodies.into_iter().map(request), holds, random)
    }

    fn of(requests: impl Iterator<Item = String>, holds: &'static str, random: Random) -> Self {
        let requests = requests.map(String::into_bytes).collect();
        Self { requests, holds: holds.as_bytes(), random, answers: 0, bytes: 0 }
    }

    /// Bytes of a body, on average.
    pub(super) fn mean_bytes(&self) -> f64 {
        as_f64(self.bytes) / as_f64(self.answers.max(1))
    }
}

impl Work for Pages {
    fn request(&mut self, _: usize, out: &mut Vec<u8>) -> bool {
        let Some(request) = self.random.pick(&self.requests) else { return false };
        out.extend_from_slice(request);
        true
    }

    fn answer(&mut self, _: usize, status: u16, body: &[u8]) -> Option<u64> {
        self.answers += 1;
        self.bytes += u64::try_from(body.len()).unwrap_or(0);
        let there = self.holds.is_empty()
            || body.windows(self.holds.len()).any(|window| window == self.holds);
        (status == 200 && there).then_some(1)
    }
}

/// Bookings, each into a time of its own, for somebody else each time.
#[derive(Debug)]
pub(super) struct Bookings<'c> {
    clinic: &'c mut Clinic,
    /// Tells the forms of this run from those of any other.
    run: u64,
    /// The statuses of what was refused.
    pub(super) refused: Vec<u16>,
}

impl<'c> Bookings<'c> {
    pub(super) fn new(clinic: &'c mut Clinic, random: &mut Random) -> Self {
        Self { clinic, run: random.next(), refused: Vec::new() }
    }
}

impl Work for Bookings<'_> {
    fn request(&mut self, _: usize, out: &mut Vec<u8>) -> bool {
        let place = self.clinic.next_place();
        booking(out, &place, place.number, &format!("b-{:x}-{}", self.run, place.number));
        true
    }

    fn answer(&mut self, _: usize, status: u16, _: &[u8]) -> Option<u64> {
        if status != 200 {
            self.refused.push(status);
        }
        (status == 200).then_some(1)
    }
}

/// One time that everybody wants at once, each for a patient of their own: one gets it, and the others
/// are told that it is taken.
#[derive(Debug)]
pub(super) struct Race {
    place: Place,
    run: u64,
    asked: Vec<bool>,
    pub(super) won: u64,
    pub(super) lost: u64,
}

impl Race {
    pub(super) fn new(place: Place, connections: usize, random: &mut Random) -> Self {
        Self { place, run: random.next(), asked: vec![false; connections], won: 0, lost: 0 }
    }
}

impl Work for Race {
    fn request(&mut self, connection: usize, out: &mut Vec<u8>) -> bool {
        match self.asked.get_mut(connection) {
            Some(asked) if !*asked => *asked = true,
            _ => return false,
        }
        let nth = u64::try_from(connection).unwrap_or(0);
        let form = format!("r-{:x}-{}-{nth}", self.run, self.place.number);
        booking(out, &self.place, self.place.rival(nth), &form);
        true
    }

    fn answer(&mut self, _: usize, status: u16, _: &[u8]) -> Option<u64> {
        match status {
            200 => self.won += 1,
            409 | 422 => self.lost += 1,
            _ => return None,
        }
        Some(1)
    }
}

/// `Appointment/$book` of a place, for one of the patients.
fn booking(out: &mut Vec<u8>, place: &Place, patient: u64, form: &str) {
    let patient = place.patient(patient);
    let body = format!(
        r#"{{"resourceType":"Parameters","parameter":[{{"name":"appt-resource","resource":{}}},{{"name":"patient","valueReference":{{"reference":"{patient}"}}}},{{"name":"form","valueString":"{form}"}}]}}"#,
        place.proposed()
    );
    // Writing to memory does not fail.
    let _ = write!(
        out,
        "POST /fhir/Appointment/$book HTTP/1.1\r\ncontent-type: {FHIR_JSON}\r\naccept: {FHIR_JSON}\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    );
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_without_what_was_asked_for_is_wrong() {
        let mut pages = Pages::get(["/find".to_owned()], "found-p0", Random::new(1));
        let mut out = Vec::new();
        assert!(pages.request(0, &mut out) && out.starts_with(b"GET /find "));
        assert_eq!(pages.answer(0, 200, b"<a id=\"found-p0\">"), Some(1));
        assert_eq!(pages.answer(0, 200, b"nobody"), None);
        assert_eq!(pages.answer(0, 303, b"<a id=\"found-p0\">"), None);
        assert!(pages.mean_bytes() > 6.0);
    }

    #[test]
    fn in_a_race_each_asks_once_and_each_answer_is_a_win_or_a_loss() {
        let mut race = Race::new(Place::new(3, 100, 20_000), 2, &mut Random::new(1));
        let mut out = Vec::new();
        assert!(race.request(0, &mut out) && race.request(1, &mut out));
        assert!(!race.request(0, &mut out) && !race.request(7, &mut out));
        let text = String::from_utf8(out).expect("text");
        let body = text.rsplit("\r\n\r\n").next().expect("a body");
        assert!(serde_json::from_str::<serde_json::Value>(body).is_ok(), "{body}");
        assert_eq!((race.answer(0, 200, b""), race.answer(1, 409, b"")), (Some(1), Some(1)));
        assert_eq!(race.answer(1, 500, b""), None);
        assert_eq!((race.won, race.lost), (1, 1));
    }
}
