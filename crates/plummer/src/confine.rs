//! What the process gives up before it holds anything secret: core dumps, which are its whole memory
//! in a file (45 CFR 164.312(a)(2)(iv)).

use rustix::process::{Resource, Rlimit, setrlimit};

/// Leaves no core dump from now on; nobody can raise the limit again but root.
pub(crate) fn leave_no_core() {
    // A system that has no such limit leaves no dump by it either; `plummer doctor` looks.
    let _ = setrlimit(Resource::Core, Rlimit { current: Some(0), maximum: Some(0) });
}
