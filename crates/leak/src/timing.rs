//! Whether the time of an answer tells a hidden record from an id nobody had: Welch's t over two sets
//! of times, as in the usual test for side channels (|t| above 4.5 is evidence). It is reported; it
//! is not judged unless asked for.

/// Past this, two sets of times are taken to differ.
pub const EVIDENCE: f64 = 4.5;

/// Welch's t of two samples in microseconds, after the slowest tenth of each is left out, which the
/// machine and not the server makes. `None` when there are too few.
pub fn welch(left: &[u64], right: &[u64]) -> Option<f64> {
    let (n, mean, variance) = moments(left)?;
    let (m, other, spread) = moments(right)?;
    let error = (variance / n + spread / m).sqrt();
    if error == 0.0 {
        return Some(0.0);
    }
    Some((mean - other) / error)
}

fn moments(of: &[u64]) -> Option<(f64, f64, f64)> {
    let mut sorted = of.to_vec();
    sorted.sort_unstable();
    sorted.truncate(of.len() - of.len() / 10);
    if sorted.len() < 10 {
        return None;
    }
    // Microseconds of one answer fit a u32; what does not is an hour and no measurement.
    let values: Vec<f64> =
        sorted.iter().map(|us| f64::from(u32::try_from(*us).unwrap_or(u32::MAX))).collect();
    let n = f64::from(u32::try_from(values.len()).ok()?);
    let mean = values.iter().sum::<f64>() / n;
    let variance = values.iter().map(|v| (v - mean).powi(2)).sum::<f64>() / (n - 1.0);
    Some((n, mean, variance))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tells_a_shift_from_none() {
        let times = |base: u64| -> Vec<u64> { (0..400).map(|n| base + (n * 7919) % 50).collect() };
        let same = welch(&times(200), &times(200)).expect("a figure");
        assert!(same.abs() < EVIDENCE, "{same}");
        let shifted = welch(&times(230), &times(200)).expect("a figure");
        assert!(shifted > EVIDENCE, "{shifted}");
        assert_eq!(welch(&[1, 2], &[1, 2]), None);
    }
}
