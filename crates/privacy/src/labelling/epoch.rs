//! Under which packs the records were labelled, and how far a change of packs has come.
//!
//! A store keeps one short text. When the packs differ from those it names, every record that was
//! there then counts as [`Labels::UNLABELLED`] until the job has gone over it: policies that know
//! the label withhold it. Records are gone over in the order of the store's own numbers, so a
//! record's number alone tells whether it was done, and no row must be touched to begin.

use access::Labels;

const LONGEST: usize = 200;

/// The state of the labels of a store.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Epoch {
    /// The packs under which records are labelled now ([`super::Labeller::digest`]).
    digest: String,
    /// Records up to this number are done.
    done: u64,
    /// Records above this number were written under these packs.
    last: u64,
}

impl Epoch {
    /// The state of a store that opens with these packs: `stored` is what it kept, `last` the
    /// number of its last record. Another epoch than the one kept begins the work anew; what cannot
    /// be read counts as another.
    pub fn open(stored: Option<&str>, digest: &str, last: u64) -> Self {
        match stored.and_then(Self::parse) {
            Some(epoch) if epoch.digest == digest && epoch.last <= last => epoch,
            _ => Self { digest: digest.to_owned(), done: 0, last },
        }
    }

    /// The text to keep.
    pub fn text(&self) -> String {
        format!("1 {} {} {}", self.digest, self.done, self.last)
    }

    fn parse(text: &str) -> Option<Self> {
        if text.len() > LONGEST {
            return None;
        }
        let mut words = text.split(' ');
        let (version, digest) = (words.next()?, words.next()?);
        let (done, last) = (words.next()?.parse().ok()?, words.next()?.parse().ok()?);
        let fits = version == "1" && !digest.is_empty() && done <= last && words.next().is_none();
        fits.then(|| Self { digest: digest.to_owned(), done, last })
    }

    /// Every record is labelled under these packs.
    pub const fn is_done(&self) -> bool {
        self.done >= self.last
    }

    /// The numbers of the records to go over next, at most `most`: the first, and the last.
    pub fn batch(&self, most: u64) -> Option<(u64, u64)> {
        let left = self.last.checked_sub(self.done).filter(|left| *left > 0)?;
        Some((self.done + 1, self.done + left.min(most.max(1))))
    }

    /// The state when a batch is done. To be kept in the transaction that wrote its labels: a job
    /// that is killed goes on after the last batch that was.
    #[must_use]
    pub fn after(&self, batch: (u64, u64)) -> Self {
        let next = batch.0 == self.done + 1 && batch.1 <= self.last;
        Self { done: if next { batch.1.max(self.done) } else { self.done }, ..self.clone() }
    }

    /// The labels of a record as they count now.
    pub fn labels(&self, number: u64, stored: u64) -> u64 {
        let waits = number > self.done && number <= self.last;
        if waits { stored | Labels::UNLABELLED.bits() } else { stored }
    }
}
