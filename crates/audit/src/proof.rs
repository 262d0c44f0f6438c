//! Proofs for people who do not have the log: that an event is in it, in the format of
//! <https://c2sp.org/tlog-proof>, which other verifiers of logs check too; and that a later checkpoint
//! continues an earlier one. Checking needs the log's key and nothing else.

use std::path::Path;

use base::Fault;
use base::error::code;
use keys::LogKey;

use crate::chain::Hash;
use crate::checkpoint::{self, Checkpoint, Next, Notes};
use crate::codec::EVENT_BYTES_MAX;
use crate::event::Event;
use crate::note::{NoteKey, from_base64, invalid, to_base64};
use crate::read::read;
use crate::segment::unavailable;
use crate::tiles::Kept;
use crate::tree::{
    PATH_MAX, SALT_BYTES, Salts, consistency, consistent, includes, inclusion, leaf,
};

const FIRST_LINE: &str = "c2sp.org/tlog-proof@v1";
/// A proof is never longer: an event of 4 MiB in base64, its path and a checkpoint.
pub const PROOF_BYTES_MAX: usize = EVENT_BYTES_MAX / 3 * 4 + (64 << 10);

/// What a checked proof shows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Proven {
    /// The event's number.
    pub seq: u64,
    /// The event, as it was when the checkpoint was signed.
    pub event: Event,
    /// The checkpoint it is under.
    pub checkpoint: Checkpoint,
    /// The names of the witnesses, of those asked about, that cosigned the checkpoint.
    pub witnesses: Vec<String>,
}

/// Proves that event `seq` is in the log in `dir`, under the first checkpoint that covers it.
/// What is proven is the event itself, also of a sealed log: whoever checks needs no key of it.
///
/// # Errors
/// `audit.proof.invalid` when there is no such event or no checkpoint covers it yet;
/// `audit.corrupt` when the event is not sound, or the tree does not lead to the checkpoint.
pub fn prove(
    dir: &Path,
    log: Option<&LogKey>,
    salts: &Salts,
    key: &NoteKey,
    seq: u64,
) -> Result<String, Fault> {
    let failed = |e| unavailable("the audit log's tree cannot be read", &e);
    let entry =
        read(dir, seq)?.under(log.cloned()).next().transpose()?.filter(|entry| entry.seq == seq);
    let entry = entry.ok_or_else(|| invalid("the log has no such event"))?;
    let (note, covering) = covering(dir, key, seq)?;
    let kept = Kept::open(dir).map_err(failed)?;
    let path = inclusion(&kept, seq - 1, covering.size).map_err(failed)?;
    let (salt, event) = (salts.of(seq), entry.event.encode());
    if !includes(leaf(&salt, seq, &event), seq - 1, covering.size, &path, &covering.root) {
        let what = "the event does not lead to the checkpoint; run `plummer audit verify`";
        return Err(Fault::new(&code::AUDIT_CORRUPT, what));
    }
    let mut out = format!("{FIRST_LINE}\nextra ");
    out.push_str(&to_base64(&[salt.as_slice(), &event].concat()));
    out.push_str(&format!("\nindex {}\n", seq - 1));
    for hash in path {
        out.push_str(&to_base64(&hash.0));
        out.push('\n');
    }
    out.push('\n');
    out.push_str(&note);
    Ok(out)
}

/// Checks a proof by the log's key, without the log.
///
/// # Errors
/// `audit.proof.invalid` when it proves nothing.
pub fn check_proof(proof: &str, key: &NoteKey, witnesses: &[NoteKey]) -> Result<Proven, Fault> {
    if proof.len() > PROOF_BYTES_MAX {
        return Err(invalid("the proof is too long"));
    }
    let (head, note) =
        proof.split_once("\n\n").ok_or_else(|| invalid("the proof has no checkpoint"))?;
    let checkpoint = checkpoint::open(note, key)?;
    let mut lines = head.lines();
    if lines.next() != Some(FIRST_LINE) {
        return Err(invalid("the file is no proof of a transparency log"));
    }
    let extra = lines.next().and_then(|line| from_base64(line.strip_prefix("extra ")?));
    let extra = extra.ok_or_else(|| invalid("the proof does not hold the event"))?;
    let (salt, event) = extra
        .split_first_chunk::<SALT_BYTES>()
        .ok_or_else(|| invalid("the proof does not hold the event"))?;
    let index = lines.next().and_then(|line| {
        let digits = line.strip_prefix("index ")?;
        digits.parse::<u64>().ok().filter(|index| index.to_string() == digits)
    });
    let index = index.ok_or_else(|| invalid("the proof does not say where the event stands"))?;
    let mut path = Vec::new();
    for line in lines {
        let hash = from_base64(line).and_then(|bytes| bytes.try_into().ok()).map(Hash);
        path.push(hash.ok_or_else(|| invalid("a hash of the proof is malformed"))?);
        if path.len() > PATH_MAX {
            return Err(invalid("the proof is too long"));
        }
    }
    let seq = index.checked_add(1).ok_or_else(|| invalid("no log has so many events"))?;
    if !includes(leaf(salt, seq, event), index, checkpoint.size, &path, &checkpoint.root) {
        return Err(invalid(
            "the event does not lead to the signed checkpoint: one of them was altered",
        ));
    }
    let event = Event::decode(event).map_err(|_odd| invalid("the proof does not hold an event"))?;
    let parsed = crate::note::Note::parse(note)?;
    let seen = witnesses.iter().filter(|witness| parsed.is_signed_by(witness));
    let witnesses = seen.map(|witness| witness.name().to_owned()).collect();
    Ok(Proven { seq, event, checkpoint, witnesses })
}

/// The hashes that show the log of `old` to be the beginning of that of `new`, from the tree in `dir`.
///
/// # Errors
/// `audit.unavailable` when the tree cannot be read or has fewer leaves.
pub fn prove_continued(dir: &Path, old: &Checkpoint, new: &Checkpoint) -> Result<Vec<Hash>, Fault> {
    let failed = |e| unavailable("the audit log's tree cannot be read", &e);
    consistency(&Kept::open(dir).map_err(failed)?, old.size, new.size).map_err(failed)
}

/// Whether `proof` shows that nothing `old` covers was altered until `new`.
#[must_use]
pub fn check_continued(old: &Checkpoint, new: &Checkpoint, proof: &[Hash]) -> bool {
    old.origin == new.origin && consistent((old.size, &old.root), (new.size, &new.root), proof)
}

/// The first checkpoint of the log that covers event `seq`.
fn covering(dir: &Path, key: &NoteKey, seq: u64) -> Result<(String, Checkpoint), Fault> {
    let failed = |e| unavailable("the audit log's checkpoints cannot be read", &e);
    let none = || invalid("no checkpoint covers the event yet: ask again in a minute");
    let mut notes = Notes::open(dir).map_err(failed)?.ok_or_else(none)?;
    while let Next::Note(note) = notes.next().map_err(failed)? {
        let parsed = crate::note::Note::parse(&note)?;
        if Checkpoint::parse(parsed.text)?.size >= seq && seq > 0 {
            let opened = checkpoint::open(&note, key)?;
            return Ok((note, opened));
        }
    }
    Err(none())
}
