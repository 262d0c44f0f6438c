//! What the process gives up before it holds anything secret: core dumps, which are its whole memory
//! in a file, and files that others may read (45 CFR 164.312(a)(1), (a)(2)(iv)).

use rustix::fs::Mode;
use rustix::process::{Resource, Rlimit, setrlimit, umask};

/// Makes every file its owner's alone from now on: records, log, backups, exports.
pub(crate) fn keep_files_private() {
    umask(Mode::RWXG | Mode::RWXO);
}

/// Leaves no core dump from now on; nobody can raise the limit again but root.
pub(crate) fn leave_no_core() {
    // A system that has no such limit leaves no dump by it either; `plummer doctor` looks.
    let _ = setrlimit(Resource::Core, Rlimit { current: Some(0), maximum: Some(0) });
}
