//! Witnesses: others who keep checkpoints of this log and say so by signing them too
//! (<https://c2sp.org/tlog-cosignature>). Who holds the log's key and the whole machine can write a new
//! log; he cannot write one that agrees with a checkpoint that a witness has.

use std::fs::OpenOptions;
use std::io::{self, Read as _, Write as _};
use std::path::Path;

use base::Fault;

use crate::checkpoint::{self, Checkpoint};
use crate::note::{NOTE_BYTES_MAX, Note, NoteKey, invalid};
use crate::segment::unavailable;

/// The name of the file in the log's directory.
pub const FILE: &str = "cosigned";
/// The file is never read further than this.
const FILE_BYTES_MAX: u64 = 64 << 20;

/// Takes a cosigned checkpoint in: durable when this returns.
///
/// # Errors
/// `audit.proof.invalid` when it is not the log's, or not cosigned by `witness`.
pub fn import(
    dir: &Path,
    note: &str,
    key: &NoteKey,
    witness: &NoteKey,
) -> Result<Checkpoint, Fault> {
    let failed = |e| unavailable("the cosigned checkpoint cannot be kept", &e);
    let checkpoint = checkpoint::open(note, key)?;
    if !witness.is_witness() || !Note::parse(note)?.is_signed_by(witness) {
        return Err(invalid("the checkpoint is not cosigned by this witness"));
    }
    let mut file =
        OpenOptions::new().create(true).append(true).open(dir.join(FILE)).map_err(failed)?;
    file.write_all(format!("{note}\n").as_bytes()).map_err(failed)?;
    file.sync_all().map_err(failed)?;
    Ok(checkpoint)
}

/// The checkpoints of the log in `dir` that one of `witnesses` cosigned.
///
/// # Errors
/// `audit.unavailable` when the file cannot be read.
pub fn cosigned(
    dir: &Path,
    key: &NoteKey,
    witnesses: &[NoteKey],
) -> Result<Vec<Checkpoint>, Fault> {
    let failed = |e| unavailable("the cosigned checkpoints cannot be read", &e);
    let mut text = String::new();
    match std::fs::File::open(dir.join(FILE)) {
        Ok(file) => file.take(FILE_BYTES_MAX).read_to_string(&mut text).map_err(failed)?,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(failed(error)),
    };
    let mut found = Vec::new();
    let mut note = String::new();
    for line in text.split_inclusive('\n') {
        let ends =
            line == "\n" && note.lines().last().is_some_and(|last| last.starts_with('\u{2014}'));
        if !ends {
            note.push_str(line);
            if note.len() > NOTE_BYTES_MAX {
                note.clear();
            }
            continue;
        }
        // What no witness of ours signed says nothing, whoever put it there.
        if let Ok(parsed) = Note::parse(&note)
            && witnesses.iter().any(|witness| parsed.is_signed_by(witness))
            && let Ok(checkpoint) = checkpoint::open(&note, key)
        {
            found.push(checkpoint);
        }
        note.clear();
    }
    Ok(found)
}
