//! Moving the write-ahead log into the main file beside the writer, in passive steps, so that a
//! commit never waits for it; and putting the log back to its start when it has grown.

use super::Shared;
use rusqlite::Connection;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

/// Log size from which the helper begins to move pages.
const MOVE_BYTES: u64 = 8 << 20;
/// Log size at which the writer itself waits for a whole checkpoint: the disk must not fill.
const RESTART_BYTES: u64 = 512 << 20;

/// Runs beside the writer until the store closes.
pub(super) fn run(conn: &Connection, shared: &Arc<Shared>) {
    loop {
        {
            let mut signal = shared.checkpoint.lock();
            if !*signal {
                shared.checkpoint_due.wait_for(&mut signal, Duration::from_secs(2));
            }
            *signal = false;
        }
        if shared.closing.load(Ordering::Acquire) {
            return;
        }
        if shared.wal_bytes() > MOVE_BYTES
            && let Err(error) = conn.query_row("PRAGMA wal_checkpoint(PASSIVE)", [], |_| Ok(()))
        {
            tracing::warn!(%error, "a checkpoint did not finish");
        }
    }
}

/// Called by the writer between commits.
pub(super) fn after_commit(conn: &Connection, shared: &Arc<Shared>) {
    let commits = shared.counters.commits.load(Ordering::Relaxed);
    if !commits.is_multiple_of(16) {
        return;
    }
    let size = shared.wal_bytes();
    if size > RESTART_BYTES {
        // The helper has moved nearly everything by now, so this waits for little.
        if let Err(error) = conn.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(())) {
            tracing::warn!(%error, "the write-ahead log could not be put back to its start");
        }
    } else if size > MOVE_BYTES {
        *shared.checkpoint.lock() = true;
        shared.checkpoint_due.notify_one();
    }
}
