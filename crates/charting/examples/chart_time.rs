//! How long a chart takes to open: `cargo run --release -p charting --example chart_time -- 1000`. Makes
//! a record with one patient of so many encounters, ten records each, beside others, and prints the time
//! of each part of the summary, the best and the worst of twenty openings, in microseconds.

use base::{Fault, Limits};
use charting::Summary;
use fhir::Document;
use fhir::definitions::r4;
use record::{Record, Session, Settings, Subject};
use std::fmt::Write as _;
use std::time::Instant;

const OPENINGS: usize = 20;
/// Other patients, each with a visit: what an index would find beside the one.
const OTHERS: usize = 200;

#[expect(clippy::print_stdout, reason = "printing is what the example is for")]
fn main() -> Result<(), Fault> {
    let visits = std::env::args().nth(1).and_then(|n| n.parse().ok()).unwrap_or(1_000);
    let folder = std::env::temp_dir().join(format!("plummer-chart-time-{}", std::process::id()));
    let settings = Settings { sync: record::Sync::Relaxed, bulk: true, ..Settings::default() };
    let record = Record::open(&folder, settings)?;
    let session = record.session(Subject::operator(), [0; 16]);
    let mut stored = 0;
    for other in 0..OTHERS {
        stored += load(&session, &format!("other{other}"), 0..1)?;
    }
    for from in (0..visits).step_by(50) {
        stored += load(&session, "one", from..(from + 50).min(visits))?;
    }
    println!("{stored} records, {visits} encounters of one patient");
    let mut times: Vec<(u128, Vec<(&str, u128)>)> = Vec::new();
    for _ in 0..OPENINGS {
        let (began, mut last, mut parts) = (Instant::now(), Instant::now(), Vec::new());
        let now = session.now();
        let opened = session.chart("one", |chart| {
            Summary::gather(chart, now, &mut |part| {
                parts.push((part, last.elapsed().as_micros()));
                last = Instant::now();
            })
        });
        let summary = opened?.wait()?;
        times.push((began.elapsed().as_micros(), parts));
        assert_eq!(summary.visits.total, visits as u64, "the chart is whole");
    }
    times.sort();
    if let (Some(best), Some(worst)) = (times.first(), times.last()) {
        for (part, elapsed_us) in &best.1 {
            println!("{part:16} {elapsed_us:>8} us");
        }
        println!("{:16} {:>8} us, worst {} us", "all", best.0, worst.0);
    }
    drop((session, record));
    std::fs::remove_dir_all(&folder).map_err(|e| {
        Fault::new(&base::error::code::INTERNAL, format!("the folder stays behind: {e}"))
    })
}

/// Stores a patient and some visits of theirs, in one transaction.
fn load(session: &Session, patient: &str, visits: std::ops::Range<usize>) -> Result<usize, Fault> {
    let mut entries = vec![(
        format!("Patient/{patient}"),
        format!(
            r#"{{"resourceType":"Patient","id":"{patient}","name":[{{"family":"Long","given":["Ann"]}}],"birthDate":"1950-02-03"}}"#
        ),
    )];
    for visit in visits {
        entries.extend(of_visit(patient, visit));
    }
    let mut text = r#"{"resourceType":"Bundle","type":"transaction","entry":["#.to_owned();
    for (n, (url, body)) in entries.iter().enumerate() {
        let comma = if n == 0 { "" } else { "," };
        let _ = write!(
            text,
            r#"{comma}{{"resource":{body},"request":{{"method":"PUT","url":"{url}"}}}}"#
        );
    }
    text.push_str("]}");
    let document = Document::parse_text(text, &Limits::default())?;
    let mut done = std::pin::pin!(session.bundle(document, record::BundleOptions::default()));
    let mut context = std::task::Context::from_waker(std::task::Waker::noop());
    loop {
        if let std::task::Poll::Ready(answer) = done.as_mut().poll(&mut context) {
            return answer.map(|answer| answer.entries.len());
        }
        std::thread::yield_now();
    }
}

fn of_visit(patient: &str, n: usize) -> Vec<(String, String)> {
    debug_assert!(r4().resource_type("Encounter").is_some());
    let (year, month, day) = (2010 + n / 336 % 16, n / 28 % 12 + 1, n % 28 + 1);
    let at = format!("{year}-{month:02}-{day:02}T09:00:00Z");
    let subject = format!(r#""subject":{{"reference":"Patient/{patient}"}}"#);
    let mut all = vec![(
        "Encounter",
        format!(
            r#""status":"finished","class":{{"code":"AMB"}},{subject},"period":{{"start":"{at}","end":"{at}"}}"#
        ),
    )];
    let category = |code: &str| format!(r#""category":[{{"coding":[{{"code":"{code}"}}]}}]"#);
    let code = |loinc: &str| {
        format!(r#""code":{{"coding":[{{"system":"http://loinc.org","code":"{loinc}"}}]}}"#)
    };
    for (loinc, value) in [("8867-4", 70), ("8310-5", 37), ("29463-7", 80)] {
        all.push((
            "Observation",
            format!(
                r#""status":"final",{},{},{subject},"effectiveDateTime":"{at}","valueQuantity":{{"value":{value},"code":"1","system":"http://unitsofmeasure.org"}}"#,
                category("vital-signs"),
                code(loinc)
            ),
        ));
    }
    for loinc in ["2823-3", "2951-2"] {
        all.push((
            "Observation",
            format!(
                r#""status":"final",{},{},{subject},"effectiveDateTime":"{at}","valueQuantity":{{"value":4,"code":"mmol/L","system":"http://unitsofmeasure.org"}}"#,
                category("laboratory"),
                code(loinc)
            ),
        ));
    }
    all.push((
        "DiagnosticReport",
        format!(
            r#""status":"final",{},{subject},"effectiveDateTime":"{at}","result":[{{"reference":"Observation/{patient}-{n}-4"}},{{"reference":"Observation/{patient}-{n}-5"}}]"#,
            code("24326-1")
        ),
    ));
    let active = n.is_multiple_of(100);
    let clinical = if active { "active" } else { "resolved" };
    all.push((
        "Condition",
        format!(
            r#""clinicalStatus":{{"coding":[{{"system":"http://terminology.hl7.org/CodeSystem/condition-clinical","code":"{clinical}"}}]}},"code":{{"text":"c{n}"}},{subject},"onsetDateTime":"{at}""#
        ),
    ));
    let status = if active { "active" } else { "completed" };
    all.push((
        "MedicationRequest",
        format!(
            r#""status":"{status}","intent":"order","medicationCodeableConcept":{{"text":"m{n}"}},{subject},"authoredOn":"{at}""#
        ),
    ));
    all.push((
        "DocumentReference",
        format!(
            r#""status":"current","date":"{at}",{subject},"content":[{{"attachment":{{"contentType":"text/plain","title":"Note {n}"}}}}]"#
        ),
    ));
    let whole = all.into_iter().enumerate().map(|(i, (kind, rest))| {
        let id = format!("{patient}-{n}-{i}");
        (format!("{kind}/{id}"), format!(r#"{{"resourceType":"{kind}","id":"{id}",{rest}}}"#))
    });
    whole.collect()
}
