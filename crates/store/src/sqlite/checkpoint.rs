//! Moving the write-ahead log into the main file beside the writer, in passive steps, so that a
//! commit never waits for it; and putting the log back to its start when it has grown.

use super::Shared;
use rusqlite::Connection;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

/// Versions written between two passes of the helper.
const PASS_VERSIONS: u64 = 2000;
/// Frames (pages of 4 KiB) in the log at which the writer itself waits for a whole checkpoint, so that
/// the disk does not fill: half a gigabyte. The file keeps its size and is written over: growing it
/// anew would cost more.
const RESTART_FRAMES: u64 = 131_072;
/// How long a whole checkpoint, which holds writers back, waits for readers of old snapshots.
const READER_PATIENCE: Duration = Duration::from_millis(50);

/// Runs beside the writer until the store closes.
pub(super) fn run(conn: &Connection, shared: &Arc<Shared>) {
    let mut commits_before = 0;
    if conn.busy_timeout(READER_PATIENCE).is_err() {
        tracing::warn!("checkpoints may hold writers back");
    }
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
        let commits = shared.counters.commits.load(Ordering::Relaxed);
        let idle = commits == commits_before;
        commits_before = commits;
        if shared.wal_bytes() == 0 {
            continue;
        }
        // While nobody writes, the log is moved whole and its room given back to the disk.
        let sql =
            if idle { "PRAGMA wal_checkpoint(TRUNCATE)" } else { "PRAGMA wal_checkpoint(PASSIVE)" };
        match conn.query_row(sql, [], |r| r.get::<_, i64>(1)) {
            Ok(frames) => {
                shared.wal_frames.store(u64::try_from(frames).unwrap_or(0), Ordering::Release);
            }
            Err(error) => tracing::warn!(%error, "a checkpoint did not finish"),
        }
    }
}

/// Called by the writer between commits.
pub(super) fn after_commit(conn: &Connection, shared: &Arc<Shared>) {
    if shared.wal_frames.load(Ordering::Acquire) > RESTART_FRAMES {
        // The helper has moved nearly everything by now, so this waits for little; and for a reader
        // with an old snapshot it must not wait long: the next commits will try again.
        let result = conn
            .busy_timeout(READER_PATIENCE)
            .and_then(|()| conn.query_row("PRAGMA wal_checkpoint(RESTART)", [], |_| Ok(())))
            .and_then(|()| conn.busy_timeout(super::BUSY_TIMEOUT));
        shared.wal_frames.store(0, Ordering::Release);
        if let Err(error) = result {
            tracing::warn!(%error, "the write-ahead log could not be put back to its start");
        }
    }
    let versions = shared.counters.versions.load(Ordering::Relaxed);
    if versions - shared.passed_at.load(Ordering::Relaxed) >= PASS_VERSIONS {
        shared.passed_at.store(versions, Ordering::Relaxed);
        *shared.checkpoint.lock() = true;
        shared.checkpoint_due.notify_one();
    }
}
