//! Latencies as counts in buckets that grow with the value, so that a quantile is within 1.6 % and a
//! record costs an addition.

use std::time::Duration;

/// Buckets within one power of two.
const STEPS: u64 = 64;
const STEPS_BITS: u32 = 6;

/// A histogram of durations in nanoseconds.
#[derive(Debug, Clone)]
pub(super) struct Histogram {
    counts: Vec<u64>,
    total: u64,
}

impl Histogram {
    pub(super) fn new() -> Self {
        let buckets = usize::try_from(STEPS * u64::from(65 - STEPS_BITS)).unwrap_or(0);
        Self { counts: vec![0; buckets], total: 0 }
    }

    pub(super) fn record(&mut self, duration: Duration) {
        let ns = u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX);
        if let Some(count) = self.counts.get_mut(bucket(ns)) {
            *count += 1;
            self.total += 1;
        }
    }

    /// The value below which this share (in thousandths) of the durations are.
    pub(super) fn quantile(&self, thousandths: u64) -> Duration {
        let wanted = (self.total * thousandths).div_ceil(1000);
        let mut seen = 0;
        for (i, count) in self.counts.iter().enumerate() {
            seen += count;
            if seen >= wanted && *count > 0 {
                return Duration::from_nanos(top(i));
            }
        }
        Duration::ZERO
    }
}

fn bucket(ns: u64) -> usize {
    let place = if ns < STEPS {
        ns
    } else {
        let power = ns.ilog2() - STEPS_BITS;
        u64::from(power) * STEPS + (ns >> power)
    };
    usize::try_from(place).unwrap_or(usize::MAX)
}

/// The highest value of a bucket.
fn top(bucket: usize) -> u64 {
    let bucket = u64::try_from(bucket).unwrap_or(0);
    if bucket < 2 * STEPS {
        return bucket;
    }
    let power = bucket / STEPS - 1;
    let step = bucket - power * STEPS;
    (step << power) | ((1 << power) - 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_are_within_a_bucket() {
        let mut histogram = Histogram::new();
        (1..=1000).for_each(|us| histogram.record(Duration::from_micros(us)));
        for (thousandths, us) in [(500, 500.0), (990, 990.0), (999, 999.0), (1000, 1000.0)] {
            let found = histogram.quantile(thousandths).as_secs_f64() * 1e6;
            assert!((found / us - 1.0).abs() < 0.016, "{thousandths}: {found} for {us}");
        }
        assert_eq!(Histogram::new().quantile(990), Duration::ZERO);
    }

    #[test]
    fn a_value_lies_in_its_bucket() {
        for ns in [0, 1, 63, 64, 127, 128, 129, 1000, 123_456_789, u64::MAX] {
            let place = bucket(ns);
            assert!(top(place) >= ns, "{ns}");
            assert!(place == 0 || top(place - 1) < ns, "{ns}");
        }
    }
}
