//! The requests of each bench, and what makes an answer right.

use super::load::Work;
use conformance::http::{FHIR_JSON, encode_query};
use conformance::random::Random;
use std::io::Write;

/// GETs of random paths; the body of each must have the size it had at first.
#[derive(Debug)]
pub(super) struct Gets {
    requests: Vec<Vec<u8>>,
    sizes: Vec<usize>,
    slack: usize,
    least: usize,
    asked: Vec<usize>,
    random: Random,
}

impl Gets {
    /// Bodies below `least` bytes are wrong, and those that change by more than `slack`.
    pub(super) fn new(
        paths: impl Iterator<Item = String>,
        (least, slack): (usize, usize),
        connections: usize,
        random: Random,
    ) -> Self {
        let request = |path: String| {
            format!("GET {path} HTTP/1.1\r\nhost: localhost\r\naccept: {FHIR_JSON}\r\n\r\n")
                .into_bytes()
        };
        let requests: Vec<_> = paths.map(request).collect();
        let sizes = vec![0; requests.len()];
        Self { requests, sizes, slack, least, asked: vec![0; connections], random }
    }
}

impl Work for Gets {
    fn request(&mut self, connection: usize, out: &mut Vec<u8>) -> bool {
        let i = self.random.index(self.requests.len());
        let (Some(request), Some(asked)) = (self.requests.get(i), self.asked.get_mut(connection))
        else {
            return false;
        };
        *asked = i;
        out.extend_from_slice(request);
        true
    }

    fn answer(&mut self, connection: usize, status: u16, body: &[u8]) -> Option<u64> {
        let size = self.sizes.get_mut(*self.asked.get(connection)?)?;
        if *size == 0 {
            *size = body.len();
        }
        (status == 200 && body.len() >= self.least && size.abs_diff(body.len()) <= self.slack)
            .then_some(1)
    }
}

/// POSTs of new observations about stored patients.
#[derive(Debug)]
pub(super) struct Creates<'s> {
    subjects: Vec<&'s str>,
    body: Vec<u8>,
    random: Random,
}

impl<'s> Creates<'s> {
    pub(super) fn new(subjects: Vec<&'s str>, random: Random) -> Self {
        Self { subjects, body: Vec::with_capacity(1024), random }
    }
}

impl Work for Creates<'_> {
    fn request(&mut self, _: usize, out: &mut Vec<u8>) -> bool {
        let Some(subject) = self.random.pick(&self.subjects) else { return false };
        let (day, second) = (1 + self.random.below(28), self.random.below(86_400));
        let (hour, minute, second) = (second / 3600, second / 60 % 60, second % 60);
        let value = 40 + self.random.below(120);
        self.body.clear();
        // Writing to memory does not fail.
        let _ = write!(
            self.body,
            r#"{{"resourceType":"Observation","status":"final","category":[{{"coding":[{{"system":"http://terminology.hl7.org/CodeSystem/observation-category","code":"vital-signs","display":"Vital Signs"}}]}}],"code":{{"coding":[{{"system":"http://loinc.org","code":"8867-4","display":"Heart rate"}}],"text":"Heart rate"}},"subject":{{"reference":"{subject}"}},"effectiveDateTime":"2026-0{}-{day:02}T{hour:02}:{minute:02}:{second:02}Z","valueQuantity":{{"value":{value}.{},"unit":"beats/minute","system":"http://unitsofmeasure.org","code":"/min"}}}}"#,
            1 + self.random.below(9),
            self.random.below(10),
        );
        let _ = write!(
            out,
            "POST /fhir/Observation HTTP/1.1\r\nhost: localhost\r\ncontent-type: {FHIR_JSON}\r\nprefer: return=minimal\r\ncontent-length: {}\r\n\r\n",
            self.body.len()
        );
        out.extend_from_slice(&self.body);
        true
    }

    fn answer(&mut self, _: usize, status: u16, _: &[u8]) -> Option<u64> {
        (status == 201).then_some(1)
    }
}

/// Bundles, each once; what they hold is counted.
#[derive(Debug)]
pub(super) struct Bundles<'b> {
    bundles: std::slice::Iter<'b, (Vec<u8>, u64)>,
    holds: Vec<u64>,
}

impl<'b> Bundles<'b> {
    pub(super) fn new(bundles: &'b [(Vec<u8>, u64)], connections: usize) -> Self {
        Self { bundles: bundles.iter(), holds: vec![0; connections] }
    }
}

impl Work for Bundles<'_> {
    fn request(&mut self, connection: usize, out: &mut Vec<u8>) -> bool {
        let (Some((bundle, entries)), Some(holds)) =
            (self.bundles.next(), self.holds.get_mut(connection))
        else {
            return false;
        };
        *holds = *entries;
        let _ = write!(
            out,
            "POST /fhir HTTP/1.1\r\nhost: localhost\r\ncontent-type: {FHIR_JSON}\r\nprefer: return=minimal\r\ncontent-length: {}\r\n\r\n",
            bundle.len()
        );
        out.extend_from_slice(bundle);
        true
    }

    fn answer(&mut self, connection: usize, status: u16, _: &[u8]) -> Option<u64> {
        self.holds.get(connection).copied().filter(|_| status == 200)
    }
}

/// The path of the search for one patient's latest values of one code.
pub(super) fn latest(subject: &str, code: &str) -> String {
    let query = encode_query(&format!("patient={subject}&code={code}&_sort=-date&_count=20"));
    format!("/fhir/Observation?{query}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_that_changes_its_size_is_an_error() {
        let paths = ["/fhir/Patient/1".to_owned()].into_iter();
        let mut gets = Gets::new(paths, (2, 1), 1, Random::new(1));
        let mut out = Vec::new();
        assert!(gets.request(0, &mut out) && out.ends_with(b"\r\n\r\n"));
        assert_eq!(gets.answer(0, 200, b"abcd"), Some(1));
        assert_eq!(gets.answer(0, 200, b"abcde"), Some(1));
        assert_eq!(gets.answer(0, 200, b"abcdefg"), None);
        assert_eq!(gets.answer(0, 404, b"abcd"), None);
        assert_eq!(gets.answer(0, 200, b""), None);
    }

    #[test]
    fn a_create_is_json_of_the_length_it_says() {
        let mut creates = Creates::new(vec!["Patient/1"], Random::new(1));
        for _ in 0..100 {
            let mut out = Vec::new();
            assert!(creates.request(0, &mut out));
            let text = String::from_utf8(out).expect("text");
            let (head, body) = text.split_once("\r\n\r\n").expect("a head");
            assert!(head.contains(&format!("content-length: {}", body.len())));
            assert!(serde_json::from_str::<serde_json::Value>(body).is_ok(), "{body}");
        }
    }
}
