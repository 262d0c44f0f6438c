//! Copying a log for a backup (45 CFR 164.308(a)(7)(ii)(A)): frame by frame as it stands, sealed as it is,
//! each link held on the way, so that a damaged log is never copied as if it were sound and the copy has
//! the hashes that others keep.

use std::fs::{File, OpenOptions};
use std::io::{self, BufWriter, Write as _};
use std::path::Path;

use base::Fault;
use keys::LogKey;

use crate::chain::Head;
use crate::segment::{Step, Walk, file_name, is_begun_only, list, unavailable};
use crate::verify::{Damage, Wrong};

/// Copies the events of the log in `from`, up to the last that belongs to `commit`, an earlier one or
/// none, to the folder `to`, which holds no log. It may run beside the server. Answers the last event.
///
/// `written` is the last event that is known to be in the files: a log that ends before it is no log to
/// keep a copy of.
///
/// # Errors
/// `audit.corrupt` when the log is damaged or ends before `written`, `audit.key.missing` when it is sealed and `key` is not its
/// key, `audit.unavailable` when it cannot be read or the copy not be written.
pub fn copy(
    from: &Path,
    to: &Path,
    key: Option<&LogKey>,
    commit: u64,
    written: u64,
) -> Result<Head, Fault> {
    let failed = |e: io::Error| unavailable("the audit log cannot be copied", &e);
    std::fs::create_dir_all(to).map_err(failed)?;
    let segments = list(from).map_err(failed)?;
    let (mut head, mut beyond) = (Head::default(), false);
    for (at, (first, path)) in segments.iter().enumerate() {
        let last = at + 1 == segments.len();
        if last && is_begun_only(path).map_err(failed)? {
            break;
        }
        let walk = Walk::open(path, *first, key).map_err(failed)?;
        let mut walk = walk.map_err(|wrong| damage(*first, wrong))?;
        if *first != head.seq + 1 || walk.header.previous != head.hash {
            let wrong = Wrong::Header("does not follow from the one before");
            return Err(damage(head.seq + 1, wrong));
        }
        let header = walk.header.encode();
        let mut out: Option<BufWriter<File>> = None;
        let ended = loop {
            let seq = walk.head.seq + 1;
            match walk.step().map_err(failed)? {
                Step::Link(link) if link.outline.commit_seq > commit => {
                    beyond = true;
                    break true;
                }
                Step::Link(link) => {
                    let out = match &mut out {
                        Some(out) => out,
                        None => {
                            let new = to.join(file_name(*first));
                            let file = OpenOptions::new().write(true).create_new(true).open(new);
                            let mut file = BufWriter::new(file.map_err(failed)?);
                            file.write_all(&header).map_err(failed)?;
                            out.insert(file)
                        }
                    };
                    out.write_all(link.frame).map_err(failed)?;
                    head = link.head;
                }
                Step::End => break last,
                // A server is writing it; or it was cut, which shows below.
                Step::Flaw(Wrong::Torn) if last => break true,
                Step::Shut(_) => return Err(damage(seq, Wrong::Keyless)),
                Step::Flaw(wrong) => return Err(damage(seq, wrong)),
            }
        };
        if let Some(out) = out {
            let file = out.into_inner().map_err(|e| failed(e.into_error()))?;
            file.sync_all().map_err(failed)?;
        }
        if ended {
            break;
        }
    }
    if !beyond && head.seq < written {
        return Err(damage(head.seq + 1, Wrong::Truncated));
    }
    File::open(to).and_then(|dir| dir.sync_all()).map_err(failed)?;
    Ok(head)
}

fn damage(seq: u64, wrong: Wrong) -> Fault {
    Damage { seq, segment: None, offset: 0, wrong }.fault()
}
