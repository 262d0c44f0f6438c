//! Counters and histograms in the text format of Prometheus
//! (<https://prometheus.io/docs/instrumenting/exposition_formats/>). Labels are names of interactions
//! and classes of status: nothing about a patient, and a bounded number of rows.

use crate::limit::Bound;
use crate::route::Interaction;
use console::machine::Rate;
use std::fmt::Write as _;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering::Relaxed};
use std::time::Duration;

/// Upper bounds of the latency buckets, in microseconds.
const BUCKETS_US: [u64; 14] = [
    100, 250, 500, 1_000, 2_500, 5_000, 10_000, 25_000, 50_000, 100_000, 250_000, 1_000_000,
    5_000_000, 30_000_000,
];
const CLASSES: [&str; 4] = ["2xx", "3xx", "4xx", "5xx"];
const INTERACTIONS: usize = Interaction::ALL.len();
/// Requests that are no FHIR interaction: health, metrics, unknown addresses.
const OTHER: usize = INTERACTIONS;

#[derive(Debug, Default)]
struct Series {
    classes: [AtomicU64; 4],
    buckets: [AtomicU64; 14],
    count: AtomicU64,
    sum_us: AtomicU64,
}

/// All figures of the server itself.
#[derive(Debug, Default)]
pub(crate) struct Metrics {
    series: [Series; INTERACTIONS + 1],
    in_flight: AtomicI64,
    connections: AtomicI64,
    overloaded: AtomicU64,
    limited: [AtomicU64; Bound::ALL.len()],
    handshakes_failed: AtomicU64,
    crowded: AtomicU64,
    panics: AtomicU64,
    bytes_out: AtomicU64,
    bytes_in: AtomicU64,
}

/// Counts something while it lives.
#[derive(Debug)]
pub(crate) struct Held<'m>(&'m AtomicI64);

impl Drop for Held<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Relaxed);
    }
}

impl Metrics {
    /// A request begins; the answer is how many are in flight with it.
    pub(crate) fn begin(&self) -> (Held<'_>, i64) {
        let now = self.in_flight.fetch_add(1, Relaxed) + 1;
        (Held(&self.in_flight), now)
    }

    /// A connection opens.
    pub(crate) fn connect(&self) -> Held<'_> {
        self.connections.fetch_add(1, Relaxed);
        Held(&self.connections)
    }

    /// A request was answered.
    pub(crate) fn finish(
        &self,
        what: Option<Interaction>,
        status: u16,
        took: Duration,
        bytes: usize,
    ) {
        let Some(series) = self.series.get(what.map_or(OTHER, |i| i as usize)) else { return };
        let class = usize::from((status / 100).clamp(2, 5) - 2);
        if let Some(counter) = series.classes.get(class) {
            counter.fetch_add(1, Relaxed);
        }
        let us = u64::try_from(took.as_micros()).unwrap_or(u64::MAX);
        let bucket = BUCKETS_US.partition_point(|bound| *bound < us);
        if let Some(counter) = series.buckets.get(bucket) {
            counter.fetch_add(1, Relaxed);
        }
        series.count.fetch_add(1, Relaxed);
        series.sum_us.fetch_add(us, Relaxed);
        self.bytes_out.fetch_add(bytes as u64, Relaxed);
    }

    /// A body was read.
    pub(crate) fn read(&self, bytes: usize) {
        self.bytes_in.fetch_add(bytes as u64, Relaxed);
    }

    /// A request was turned away.
    pub(crate) fn turn_away(&self) {
        self.overloaded.fetch_add(1, Relaxed);
    }

    /// A request was refused for what its caller has taken.
    pub(crate) fn limit(&self, bound: Bound) {
        if let Some(counter) = self.limited.get(bound as usize) {
            counter.fetch_add(1, Relaxed);
        }
    }

    /// A TLS handshake came to nothing.
    pub(crate) fn handshake_failed(&self) {
        self.handshakes_failed.fetch_add(1, Relaxed);
    }

    /// A connection was closed because its address has too many.
    pub(crate) fn crowd(&self) {
        self.crowded.fetch_add(1, Relaxed);
    }

    /// A request's code panicked.
    pub(crate) fn panicked(&self) {
        self.panics.fetch_add(1, Relaxed);
    }

    /// Requests in flight.
    pub(crate) fn in_flight(&self) -> i64 {
        self.in_flight.load(Relaxed)
    }

    /// Open connections.
    pub(crate) fn connections(&self) -> i64 {
        self.connections.load(Relaxed)
    }

    /// How requests fared since the start: all of them, then by what they asked for, the most frequent
    /// first.
    pub(crate) fn rates(&self) -> Vec<Rate> {
        let all = rate("", &self.series.iter().collect::<Vec<_>>());
        let mut each: Vec<Rate> =
            self.named().map(|(name, series)| rate(name, &[series])).collect();
        each.sort_by_key(|rate| std::cmp::Reverse(rate.count));
        std::iter::once(all).chain(each).collect()
    }

    /// The text for a scraper, followed by what the record room tells of itself.
    pub(crate) fn text(&self, gauges: &[Gauge]) -> String {
        let mut out = String::with_capacity(16 << 10);
        self.requests(&mut out);
        let seconds = "How long requests took, in seconds.";
        head(&mut out, "plummer_request_seconds", "histogram", seconds);
        for (name, series) in self.named() {
            histogram(&mut out, name, series);
        }
        for (name, kind, help, value) in [
            ("plummer_requests_in_flight", "gauge", "Requests being worked on.", self.in_flight()),
            ("plummer_connections", "gauge", "Open connections.", self.connections.load(Relaxed)),
            (
                "plummer_requests_turned_away_total",
                "counter",
                "Requests refused because the server was at its limit.",
                signed(&self.overloaded),
            ),
            (
                "plummer_connections_refused_total",
                "counter",
                "Connections closed because their address had too many.",
                signed(&self.crowded),
            ),
            (
                "plummer_tls_handshakes_failed_total",
                "counter",
                "TLS handshakes that came to nothing.",
                signed(&self.handshakes_failed),
            ),
            (
                "plummer_panics_total",
                "counter",
                "Requests whose code failed in an unforeseen way.",
                signed(&self.panics),
            ),
            (
                "plummer_request_bytes_total",
                "counter",
                "Bytes of request bodies.",
                signed(&self.bytes_in),
            ),
            (
                "plummer_response_bytes_total",
                "counter",
                "Bytes of response bodies.",
                signed(&self.bytes_out),
            ),
        ] {
            head(&mut out, name, kind, help);
            let _ = writeln!(out, "{name} {value}");
        }
        let help = "Requests refused for what their caller had taken, by the bound they met.";
        head(&mut out, "plummer_requests_limited_total", "counter", help);
        for (bound, counter) in Bound::ALL.iter().zip(&self.limited) {
            let (bound, count) = (bound.name(), counter.load(Relaxed));
            let _ = writeln!(out, "plummer_requests_limited_total{{bound=\"{bound}\"}} {count}");
        }
        let mut last = "";
        for gauge in gauges {
            if gauge.name != last {
                head(&mut out, gauge.name, gauge.kind, gauge.help);
                last = gauge.name;
            }
            let _ = match gauge.label {
                Some((key, value)) => {
                    writeln!(out, "{}{{{key}=\"{value}\"}} {}", gauge.name, gauge.value)
                }
                None => writeln!(out, "{} {}", gauge.name, gauge.value),
            };
        }
        out
    }

    fn requests(&self, out: &mut String) {
        let help = "Requests answered, by interaction and class of status.";
        head(out, "plummer_requests_total", "counter", help);
        for (name, series) in self.named() {
            for (class, counter) in CLASSES.iter().zip(&series.classes) {
                let count = counter.load(Relaxed);
                if count > 0 {
                    let _ = writeln!(
                        out,
                        "plummer_requests_total{{interaction=\"{name}\",status=\"{class}\"}} {count}"
                    );
                }
            }
        }
    }

    /// The series that have counted something.
    fn named(&self) -> impl Iterator<Item = (&'static str, &Series)> {
        let names = Interaction::ALL.iter().map(|i| i.name()).chain(std::iter::once("other"));
        names.zip(&self.series).filter(|(_, series)| series.count.load(Relaxed) > 0)
    }
}

/// A figure of the record room.
#[derive(Debug)]
pub(crate) struct Gauge {
    /// Its name.
    pub(crate) name: &'static str,
    /// `gauge` or `counter`.
    pub(crate) kind: &'static str,
    /// What it means.
    pub(crate) help: &'static str,
    /// Its label.
    pub(crate) label: Option<(&'static str, &'static str)>,
    /// Its value.
    pub(crate) value: u64,
}

/// The figures of some series together.
fn rate(name: &'static str, all: &[&Series]) -> Rate {
    let sum = |of: &dyn Fn(&Series) -> u64| all.iter().map(|one| of(one)).sum::<u64>();
    let class = |at: usize| sum(&|one| one.classes.get(at).map_or(0, |c| c.load(Relaxed)));
    let buckets: [u64; BUCKETS_US.len()] =
        std::array::from_fn(|at| sum(&|one| one.buckets.get(at).map_or(0, |c| c.load(Relaxed))));
    let count = sum(&|one| one.count.load(Relaxed));
    let took_us = [50, 95, 99].map(|percent| quantile(&buckets, count, percent));
    Rate { name, count, refused: class(2), failed: class(3), took_us }
}

/// The bound of the bucket that so many of a hundred requests are below; none when it is the last.
fn quantile(buckets: &[u64], count: u64, percent: u64) -> Option<u64> {
    let wanted = count.saturating_mul(percent).div_ceil(100).max(1);
    let mut below = 0_u64;
    for (bound, held) in BUCKETS_US.iter().zip(buckets) {
        below = below.saturating_add(*held);
        if below >= wanted {
            return Some(*bound);
        }
    }
    None
}

fn signed(counter: &AtomicU64) -> i64 {
    i64::try_from(counter.load(Relaxed)).unwrap_or(i64::MAX)
}

fn head(out: &mut String, name: &str, kind: &str, help: &str) {
    let _ = writeln!(out, "# HELP {name} {help}\n# TYPE {name} {kind}");
}

fn histogram(out: &mut String, name: &str, series: &Series) {
    let mut below = 0;
    for (bound, counter) in BUCKETS_US.iter().zip(&series.buckets) {
        below += counter.load(Relaxed);
        let _ = writeln!(
            out,
            "plummer_request_seconds_bucket{{interaction=\"{name}\",le=\"{}\"}} {below}",
            seconds(*bound)
        );
    }
    let count = series.count.load(Relaxed).max(below);
    let _ = writeln!(
        out,
        "plummer_request_seconds_bucket{{interaction=\"{name}\",le=\"+Inf\"}} {count}"
    );
    let sum = seconds(series.sum_us.load(Relaxed));
    let _ = writeln!(out, "plummer_request_seconds_sum{{interaction=\"{name}\"}} {sum}");
    let _ = writeln!(out, "plummer_request_seconds_count{{interaction=\"{name}\"}} {count}");
}

/// Microseconds as a decimal number of seconds, without a float.
fn seconds(us: u64) -> String {
    let text = format!("{}.{:06}", us / 1_000_000, us % 1_000_000);
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn half_of_the_requests_took_no_longer_than_is_told() {
        let metrics = Metrics::default();
        for took in [90, 300, 300, 900] {
            metrics.finish(Some(Interaction::Read), 200, Duration::from_micros(took), 0);
        }
        metrics.finish(Some(Interaction::SearchType), 503, Duration::from_secs(60), 0);
        let rates = metrics.rates();
        let [all, read, search] = rates.as_slice() else { panic!("{rates:?}") };
        assert_eq!((all.name, all.count, all.failed), ("", 5, 1));
        assert_eq!(read.took_us, [Some(500), Some(1_000), Some(1_000)]);
        assert_eq!((search.name, search.took_us), ("search-type", [None, None, None]));
        assert_eq!(Metrics::default().rates().first().map(|rate| rate.count), Some(0));
    }

    #[test]
    fn a_request_is_counted_once_and_in_its_bucket() {
        let metrics = Metrics::default();
        let (held, now) = metrics.begin();
        assert_eq!(now, 1);
        metrics.finish(Some(Interaction::Read), 200, Duration::from_micros(300), 10);
        metrics.finish(Some(Interaction::Read), 404, Duration::from_secs(60), 5);
        drop(held);
        let text = metrics.text(&[Gauge {
            name: "plummer_store_bytes",
            kind: "gauge",
            help: "Bytes.",
            label: None,
            value: 7,
        }]);
        for line in [
            "plummer_requests_total{interaction=\"read\",status=\"2xx\"} 1",
            "plummer_requests_total{interaction=\"read\",status=\"4xx\"} 1",
            "plummer_request_seconds_bucket{interaction=\"read\",le=\"0.00025\"} 0",
            "plummer_request_seconds_bucket{interaction=\"read\",le=\"0.0005\"} 1",
            "plummer_request_seconds_bucket{interaction=\"read\",le=\"30\"} 1",
            "plummer_request_seconds_bucket{interaction=\"read\",le=\"+Inf\"} 2",
            "plummer_request_seconds_sum{interaction=\"read\"} 60.0003",
            "plummer_requests_in_flight 0",
            "plummer_response_bytes_total 15",
            "plummer_store_bytes 7",
        ] {
            assert!(text.lines().any(|l| l == line), "{line} not in\n{text}");
        }
    }
}
