//! `/health/live`, `/health/ready` and `/metrics`: for whoever runs the server. They tell figures and
//! states, nothing about a patient.

use crate::metrics::Gauge;
use crate::reply::Reply;
use crate::state::State;
use crate::tls::Standing;
use base::Fault;
use base::error::code;
use console::machine::{Finding, Grade};
use fhir::definitions::r4;
use fhir::write::Writer;
use http::{Method, StatusCode};
use scheduling::waitlist::send;

const JSON: &str = "application/json";
/// What is answered beside the FHIR API and the authorization server.
pub const HEALTH: [&str; 3] = ["/health/live", "/health/ready", "/metrics"];
/// The version of the text format.
const PROMETHEUS: &str = "text/plain; version=0.0.4; charset=utf-8";

/// Answers an address outside the FHIR API. Who does not watch over the server is told whether it is
/// ready, and no figure: how much is written is nobody's business on the network.
pub(crate) fn answer(
    state: &State,
    method: &Method,
    path: &str,
    watches: bool,
) -> Result<Reply, Fault> {
    let known = HEALTH.contains(&path);
    if known && !matches!(*method, Method::GET | Method::HEAD) {
        return Err(Fault::new(&code::NOT_SUPPORTED, "this address can only be read"));
    }
    match path {
        "/health/live" => Ok(Reply::text(StatusCode::OK, JSON, r#"{"status":"live"}"#.to_owned())),
        "/health/ready" => Ok(ready(state, watches)),
        "/metrics" if !watches => {
            let what = "figures are told on the server's own machine, or to a token of the role it-administrator or system";
            Err(Fault::new(&code::SIGN_IN_NEEDED, what))
        }
        "/metrics" => Ok(Reply::text(StatusCode::OK, PROMETHEUS, metrics(state))),
        _ => {
            let what = "there is nothing here; the FHIR API begins at /fhir";
            Err(Fault::new(&code::UNKNOWN_ROUTE, what))
        }
    }
}

/// Whether requests can be answered: the store and the access log are both needed for any.
fn ready(state: &State, watches: bool) -> Reply {
    let health = state.record.health();
    let stats = state.record.store_stats();
    let failed = health.audit.is_some() || health.store.is_some();
    let (status, word) = match (failed, state.is_draining()) {
        (true, _) => (StatusCode::SERVICE_UNAVAILABLE, "failing"),
        (false, true) => (StatusCode::SERVICE_UNAVAILABLE, "stopping"),
        (false, false) => (StatusCode::OK, "ready"),
    };
    let integer = |value: u64| i64::try_from(value).unwrap_or(i64::MAX);
    if !watches {
        return Reply::text(status, JSON, format!(r#"{{"status":"{word}"}}"#));
    }
    let mut w = Writer::new();
    w.object().member("status", word);
    w.key("store").object();
    w.member("status", health.store.as_ref().map_or("writing", |fault| fault.code().name));
    w.member("sync", if stats.durable { "full" } else { "relaxed" });
    w.key("durable").boolean(stats.durable);
    w.key("last_commit").integer(integer(health.last_commit));
    w.member("at_rest", health.at_rest.word());
    w.key("waiting").integer(integer(stats.queue_units)).end_object();
    root_key(state, &mut w);
    w.key("audit").object();
    w.member("status", health.audit.as_ref().map_or("writing", |fault| fault.code().name));
    w.key("last_commit").integer(integer(health.audited_commit)).end_object();
    let labels = state.record.labels();
    w.key("labels").object();
    w.member("status", word_of(&labels));
    w.key("epoch").integer(integer(labels.epoch));
    w.key("done").integer(integer(labels.done));
    w.key("waiting").integer(integer(labels.waiting)).end_object();
    let reviews = state.record.review_counts();
    w.key("reviews").object();
    w.member("status", if reviews.is_failing { "failing" } else { "swept" });
    w.key("open").integer(integer(reviews.open));
    w.key("assigned").integer(integer(reviews.assigned));
    w.key("overdue").integer(integer(reviews.overdue)).end_object();
    if let Some(failing) = state.record.reminders_failing() {
        w.key("reminders").object();
        w.member("status", if failing { "failing" } else { "sending" }).end_object();
    }
    if let Some(standing) = &state.waitlist {
        w.key("waitlist").object();
        w.member("status", standing_word(standing).1);
        w.key("faulty").integer(integer(standing.faulty())).end_object();
    }
    transport(state, &mut w);
    w.end_object();
    let text = String::from_utf8(w.finish()).unwrap_or_default();
    Reply::text(status, JSON, text)
}

/// How the parts of the server stand, in the words of [`ready`]: for whoever reads them on a page.
pub(crate) fn findings(state: &State) -> Vec<Finding> {
    let health = state.record.health();
    let labels = state.record.labels();
    let reviews = state.record.review_counts();
    let writing = |fault: Option<&Fault>| fault.map_or("writing", |fault| fault.code().name);
    let critical = |is_failing| if is_failing { Grade::Critical } else { Grade::Fine };
    let sweep = if reviews.is_failing { "failing" } else { "swept" };
    let (store, audit) = (health.store.as_ref(), health.audit.as_ref());
    let stop = "see the page of this error; nothing is read or changed before it is mended";
    let mut all = vec![
        ("store.status", critical(store.is_some()), writing(store), stop),
        ("audit.status", critical(audit.is_some()), writing(audit), stop),
        (
            "audit.signed",
            critical(health.notary.is_some()),
            health.notary.as_ref().map_or("signing", |fault| fault.code().name),
            "see the page of this error; what is not signed proves nothing",
        ),
        (
            "labels.status",
            critical(labels.failure.is_some()),
            word_of(&labels),
            "see the log of the server; what waits stays withheld",
        ),
        (
            "reviews.status",
            critical(reviews.is_failing),
            sweep,
            "see the log of the server; what stands out has no case yet",
        ),
    ];
    if let Some(fault) = state.record.root_key().and_then(|root| root.failure) {
        let mend = "see the page of this error, and do not stop the server before it is mended";
        all.push(("root_key.status", Grade::Critical, fault.code().name, mend));
    }
    if let Some(standing) = &state.waitlist {
        let (grade, word) = standing_word(standing);
        let mend = "see the log of the server; what it passes over is offered to nobody";
        all.push(("waitlist.status", grade, word, mend));
    }
    let finding = |(code, grade, word, mend): (&'static str, Grade, &'static str, &str)| Finding {
        code,
        grade,
        found: word.to_owned(),
        why: String::new(),
        what_to_do: if grade == Grade::Fine { String::new() } else { mend.to_owned() },
    };
    all.into_iter().map(finding).collect()
}

/// How the labels stand. Records that wait are withheld from whom it may matter to, so waiting is no
/// reason to be out of service.
const fn word_of(labels: &record::LabelStanding) -> &'static str {
    match (labels.is_on, labels.waiting, &labels.failure) {
        (false, ..) => "off",
        (_, _, Some(_)) => "failing",
        (_, 0, None) => "current",
        _ => "relabelling",
    }
}

/// How the looks at the waiting list go.
fn standing_word(standing: &send::Standing) -> (Grade, &'static str) {
    match (standing.is_failing(), standing.faulty()) {
        (true, _) => (Grade::Critical, "failing"),
        (false, 0) => (Grade::Fine, "looking"),
        (false, _) => (Grade::Warning, "passing-over"),
    }
}

/// Who holds the root key, when no file does. One who has gone away is no reason to be out of service:
/// it is needed for the next start, and not before.
fn root_key(state: &State, w: &mut Writer) {
    let Some(root) = state.record.root_key() else { return };
    w.key("root_key").object();
    w.member("holder", root.holder);
    w.member("status", root.failure.as_ref().map_or("answering", |fault| fault.code().name));
    if let Some(version) = root.version {
        w.key("version").integer(version.into());
    }
    if let Some(answered) = root.answered {
        w.member("answered", &answered.to_instant());
    }
    w.end_object();
}

/// How the port is guarded: by TLS, by being on this machine only, or by a waiver.
fn transport(state: &State, w: &mut Writer) {
    w.key("transport").object();
    match (&state.tls, &state.config.plaintext_waiver) {
        (Some(tls), _) => {
            let facts = tls.facts();
            w.member(
                "status",
                match tls.standing() {
                    Standing::Valid => "tls",
                    Standing::Expiring => "tls-expiring",
                    Standing::Invalid => "tls-expired",
                },
            );
            w.member("certificate_until", &facts.validity.until.to_instant());
            if let Some(names_host) = facts.names_host {
                w.key("certificate_names_host").boolean(names_host);
            }
            w.key("callers_show_certificates").boolean(tls.asks_callers());
        }
        (None, Some(waiver)) => {
            let past = waiver.is_past(state.clock.now());
            w.member("status", if past { "plaintext-waiver-over" } else { "plaintext-waived" });
            w.member("waived_until", &waiver.date);
        }
        (None, None) => {
            w.member("status", "loopback");
        }
    }
    w.end_object();
}

fn metrics(state: &State) -> String {
    let stats = state.record.store_stats();
    let health = state.record.health();
    let gauge = |name, help, value| Gauge { name, kind: "gauge", help, label: None, value };
    let counter = |name, help, value| Gauge { name, kind: "counter", help, label: None, value };
    let mut gauges = vec![
        gauge("plummer_store_file_bytes", "Bytes of the store's main file.", stats.file_bytes),
        gauge("plummer_store_wal_bytes", "Bytes of the write-ahead log.", stats.wal_bytes),
        gauge("plummer_store_queue_units", "Units waiting for the writer.", stats.queue_units),
        counter("plummer_store_commits_total", "Engine transactions.", stats.commits),
        counter("plummer_store_units_total", "Units of work committed.", stats.units),
        counter("plummer_store_versions_total", "Versions written.", stats.versions),
        counter(
            "plummer_store_writer_busy_microseconds_total",
            "Time the writer was busy.",
            stats.writer_busy_micros,
        ),
        gauge(
            "plummer_store_durable",
            "1 when writes are acknowledged after the disk has them.",
            u64::from(stats.durable),
        ),
        gauge(
            "plummer_store_sealed",
            "1 when the data folder is encrypted.",
            u64::from(!matches!(
                health.at_rest,
                record::AtRest::Off | record::AtRest::NotYetSealed
            )),
        ),
        gauge("plummer_store_last_commit", "Number of the last version.", stats.last_commit),
        gauge(
            "plummer_audit_last_commit",
            "Highest commit the access log holds.",
            health.audited_commit,
        ),
        gauge(
            "plummer_audit_failed",
            "1 when the access log cannot be written: nothing is answered then.",
            u64::from(health.audit.is_some()),
        ),
    ];
    let labels = state.record.labels();
    gauges.extend([
        gauge("plummer_labels_epoch", "How many times the rules of labels changed.", labels.epoch),
        gauge(
            "plummer_labels_waiting_versions",
            "Versions to be gone over under the rules of labels in force.",
            labels.waiting,
        ),
        gauge(
            "plummer_labels_failed",
            "1 when records cannot be labelled anew; those that wait stay withheld.",
            u64::from(labels.failure.is_some()),
        ),
    ]);
    let reviews = state.record.review_counts();
    for (word, value) in
        [("open", reviews.open), ("assigned", reviews.assigned), ("closed", reviews.closed)]
    {
        gauges.push(Gauge {
            name: "plummer_review_cases",
            kind: "gauge",
            help: "Cases of review, by state.",
            label: Some(("state", word)),
            value,
        });
    }
    gauges.extend([
        gauge(
            "plummer_review_cases_overdue",
            "Cases of review that should have been decided.",
            reviews.overdue,
        ),
        gauge(
            "plummer_review_cases_overdue_break_glass",
            "Of the overdue cases, those of broken glasses.",
            reviews.overdue_break_glass,
        ),
        gauge(
            "plummer_review_sweep_failed",
            "1 when the last sweep of the access log failed: what stands out has no case yet.",
            u64::from(reviews.is_failing),
        ),
        gauge(
            "plummer_review_days_unweighed",
            "Days since the start that had more accesses than a sweep can weigh, and no cases but of glasses.",
            reviews.days_unweighed,
        ),
    ]);
    if let Some(root) = state.record.root_key() {
        gauges.push(gauge(
            "plummer_root_key_answering",
            "1 when whoever holds the root key did what it was last asked; the next start needs it.",
            u64::from(root.failure.is_none()),
        ));
    }
    if let Some(tls) = &state.tls {
        let until = tls.facts().validity.until.0 / 1000;
        let (taken, failed) = tls.counts();
        gauges.push(gauge(
            "plummer_tls_certificate_until_seconds",
            "When the certificate in force ends, in seconds since 1970.",
            u64::try_from(until).unwrap_or(0),
        ));
        gauges.push(counter(
            "plummer_tls_reloads_total",
            "Changed TLS files that were taken.",
            taken,
        ));
        gauges.push(counter(
            "plummer_tls_reloads_failed_total",
            "Changed TLS files that could not be used; the old ones stayed in force.",
            failed,
        ));
    }
    if let Some(waiver) = &state.config.plaintext_waiver {
        gauges.push(gauge(
            "plummer_plaintext_waiver_until_seconds",
            "When the waiver of TLS ends, in seconds since 1970.",
            u64::try_from(waiver.end.0 / 1000).unwrap_or(0),
        ));
    }
    for (of, count) in &stats.live {
        gauges.push(Gauge {
            name: "plummer_resources",
            kind: "gauge",
            help: "Resources stored, by type.",
            label: Some(("type", r4().name(*of))),
            value: *count,
        });
    }
    state.metrics.text(&gauges)
}
