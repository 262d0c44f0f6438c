//! A line that says how far a long command is: a bar that rewrites itself on a terminal, a plain line
//! now and then everywhere else. Written to standard error, so output can be piped.

use std::io::{IsTerminal as _, Write as _, stderr};
use std::time::{Duration, Instant};

const TERMINAL_PAUSE: Duration = Duration::from_millis(100);
const PLAIN_PAUSE: Duration = Duration::from_secs(10);
const BAR_CELLS: u64 = 24;

/// How far something is.
#[derive(Debug)]
pub(crate) struct Progress {
    verb: &'static str,
    noun: &'static str,
    started: Instant,
    shown: Option<Instant>,
    terminal: bool,
}

/// What is done of what there is.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Step {
    /// Things done.
    pub(crate) count: u64,
    /// Work done, in any unit.
    pub(crate) done: u64,
    /// Work there is, in the same unit; 0 when nobody knows.
    pub(crate) all: u64,
}

impl Progress {
    /// Begins: `verb` says what is done, `noun` names what is counted.
    pub(crate) fn begin(verb: &'static str, noun: &'static str) -> Self {
        let terminal = stderr().is_terminal();
        Self { verb, noun, started: Instant::now(), shown: None, terminal }
    }

    /// Seconds since it began.
    pub(crate) fn elapsed(&self) -> Duration {
        self.started.elapsed()
    }

    /// Shows a step, if it is time to.
    pub(crate) fn step(&mut self, step: Step) {
        let pause = if self.terminal { TERMINAL_PAUSE } else { PLAIN_PAUSE };
        let since = self.shown.map_or_else(|| self.started.elapsed(), |at| at.elapsed());
        // The first plain line waits its turn as well: short work needs none.
        if since < pause && (self.shown.is_some() || !self.terminal) {
            return;
        }
        self.shown = Some(Instant::now());
        let line = line(self.verb, self.noun, step, self.started.elapsed(), self.terminal);
        let _ = if self.terminal {
            write!(stderr(), "\r\x1b[2K{line}")
        } else {
            writeln!(stderr(), "{line}")
        };
        let _ = stderr().flush();
    }

    /// Takes the bar away.
    pub(crate) fn end(&mut self) {
        if self.terminal && self.shown.is_some() {
            let _ = write!(stderr(), "\r\x1b[2K");
            let _ = stderr().flush();
        }
    }
}

fn line(verb: &str, noun: &str, step: Step, took: Duration, bar: bool) -> String {
    let ms = u64::try_from(took.as_millis()).unwrap_or(u64::MAX).max(1);
    let rate = step.count.saturating_mul(1000) / ms;
    let mut out = format!("{verb} ");
    if let Some(part) = step.done.min(step.all).saturating_mul(1000).checked_div(step.all) {
        if bar {
            let full = usize::try_from(part * BAR_CELLS / 1000).unwrap_or(0);
            let empty = usize::try_from(BAR_CELLS).unwrap_or(0).saturating_sub(full);
            out.push_str(&format!("[{}{}] ", "#".repeat(full), "-".repeat(empty)));
        }
        out.push_str(&format!("{}.{} %, ", part / 10, part % 10));
    }
    out.push_str(&format!("{} {noun}, {} /s", grouped(step.count), grouped(rate)));
    if step.all > step.done && step.done > 0 {
        let left = u128::from(ms) * u128::from(step.all - step.done) / u128::from(step.done);
        let seconds = u64::try_from(left / 1000).unwrap_or(u64::MAX);
        out.push_str(&format!(", {} left", duration(seconds)));
    }
    out
}

/// `1h 02m`, `3m 07s`, `12s`
pub(crate) fn duration(seconds: u64) -> String {
    match (seconds / 3600, seconds / 60 % 60, seconds % 60) {
        (0, 0, s) => format!("{s}s"),
        (0, m, s) => format!("{m}m {s:02}s"),
        (h, m, _) => format!("{h}h {m:02}m"),
    }
}

/// `92,114`
pub(crate) fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut out = String::with_capacity(digits.len() + digits.len() / 3);
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_tells_part_rate_and_time_left() {
        let step = Step { count: 1500, done: 25, all: 100 };
        let took = Duration::from_secs(3);
        assert_eq!(
            line("importing", "resources", step, took, true),
            "importing [######------------------] 25.0 %, 1,500 resources, 500 /s, 9s left"
        );
        let unknown = Step { count: 10, done: 0, all: 0 };
        assert_eq!(
            line("importing", "resources", unknown, took, true),
            "importing 10 resources, 3 /s"
        );
    }

    #[test]
    fn numbers_and_times_read_well() {
        assert_eq!(grouped(0), "0");
        assert_eq!(grouped(999), "999");
        assert_eq!(grouped(1_092_114), "1,092,114");
        assert_eq!(duration(59), "59s");
        assert_eq!(duration(187), "3m 07s");
        assert_eq!(duration(3720), "1h 02m");
    }
}
