//! How a command reaches the server that holds the data folder: a socket in that folder, which only
//! those can open who can read the records anyway. A command writes one request as a line of JSON and
//! reads lines until the last ([`crate::wish`]); what it asks is done by the server at once, so that
//! shutting somebody out needs no restart. On systems without such sockets the server has to be
//! stopped first.

use crate::apps;
use crate::command::backup;
use crate::labels;
use crate::opening;
use crate::policies::{self, Folder};
use crate::reminders;
use crate::reviews;
use crate::wish::{Line, Request, Told, VERSION, Wish};
use anyhow::{Context as _, anyhow, bail};
use record::{Record, Remembered};
use smart::Smart;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;
use tracing::{info, warn};
use zeroize::Zeroizing;

const SOCKET: &str = "control.sock";
/// Bytes of a request.
const REQUEST_BYTES_MAX: u64 = 128 << 10;
/// Requests worked on at once: a backup must not hold up a revocation.
const AT_ONCE_MAX: usize = 16;
/// How long a request may take to arrive.
const PATIENCE: Duration = Duration::from_secs(10);

/// Asks the server of the data folder, if there is one.
pub(crate) fn ask(
    data: &Path,
    wish: &Request,
    progress: &mut dyn FnMut(u64, u64),
) -> anyhow::Result<Option<Told>> {
    let Ok(mut stream) = UnixStream::connect(data.join(SOCKET)) else {
        return Ok(None);
    };
    let mut line = Zeroizing::new(serde_json::to_vec(wish)?);
    line.push(b'\n');
    stream.write_all(&line)?;
    for line in BufReader::new(stream).lines() {
        let line = Zeroizing::new(line?);
        match serde_json::from_str(&line)
            .context("the server says what this command cannot read")?
        {
            Line::Pages { done, all } => progress(done, all),
            Line::Told(told) => return Ok(Some(told)),
            Line::Failed(why) => return Err(anyhow!("{why}")),
        }
    }
    bail!("the server ended before it answered")
}

/// A wish in the version of this program.
pub(crate) const fn request(wish: Wish) -> Request {
    Request { version: VERSION, wish }
}

/// Answers wishes on threads of their own until the process ends. A socket that cannot be opened costs
/// commands while serving, nothing else.
pub(crate) fn answer(data: PathBuf, policies: Folder, record: Record, apps: Arc<Smart>) {
    let path = data.join(SOCKET);
    // The store's lock is ours, so whoever left a socket here is gone.
    let _ = std::fs::remove_file(&path);
    let listener = match UnixListener::bind(&path) {
        Ok(listener) => listener,
        Err(error) => {
            warn!(kind = %error.kind(), "no control socket: stop the server for other commands");
            return;
        }
    };
    let private = std::fs::Permissions::from_mode(0o600);
    if std::fs::set_permissions(&path, private).is_err() {
        warn!("the control socket cannot be made private: stop the server for other commands");
        let _ = std::fs::remove_file(&path);
        return;
    }
    let work = move || {
        let (held, busy) =
            (Arc::new(Held { data, policies, record, apps }), Arc::new(AtomicUsize::new(0)));
        for stream in listener.incoming().flatten() {
            serve(&held, &busy, stream);
        }
    };
    if std::thread::Builder::new().name("control".to_owned()).spawn(work).is_err() {
        warn!("no thread for the control socket: stop the server for other commands");
    }
}

/// What the server holds.
struct Held {
    data: PathBuf,
    policies: Folder,
    record: Record,
    apps: Arc<Smart>,
}

/// One of those worked on, until it is dropped.
struct Slot(Arc<AtomicUsize>);

impl Slot {
    fn take(busy: &Arc<AtomicUsize>) -> Option<Self> {
        let slot = Self(Arc::clone(busy));
        (busy.fetch_add(1, Ordering::AcqRel) < AT_ONCE_MAX).then_some(slot)
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::AcqRel);
    }
}

/// Carries out one request on a thread of its own.
fn serve(held: &Arc<Held>, busy: &Arc<AtomicUsize>, mut stream: UnixStream) {
    let Some(slot) = Slot::take(busy) else {
        let say = "the server is busy with as many commands as it takes; try again".to_owned();
        let _ = write_line(&mut stream, &Line::Failed(say));
        return;
    };
    let held = Arc::clone(held);
    let work = move || {
        let _slot = slot;
        if carry_out(&held, stream).is_err() {
            warn!("whoever asked for something has gone away");
        }
    };
    if std::thread::Builder::new().name("control-one".to_owned()).spawn(work).is_err() {
        warn!("no thread for a command");
    }
}

fn carry_out(held: &Held, stream: UnixStream) -> anyhow::Result<()> {
    let record = &held.record;
    stream.set_read_timeout(Some(PATIENCE))?;
    let mut out = stream.try_clone()?;
    let mut line = Zeroizing::new(Vec::new());
    BufReader::new(stream.take(REQUEST_BYTES_MAX)).read_until(b'\n', &mut line)?;
    let outcome = match read(&line) {
        Ok(Wish::Backup { to }) => copy(&held.data, record, &to, &mut out),
        Ok(Wish::Labels { ask }) => {
            let progress = &mut |done: u64, all: u64| {
                let _ = write_line(&mut out, &Line::Pages { done, all });
            };
            labels::carry_out(record, ask, progress).map_err(|fault| anyhow!("{fault}"))
        }
        Ok(Wish::Reminders) => reminders::carry_out(record).map_err(|fault| anyhow!("{fault}")),
        Ok(Wish::LogAnchor) => match record.remembered() {
            Ok(Remembered::Event(seq, hash)) => Ok(Told::Anchor(Some((seq, hash)))),
            Ok(_) => Ok(Told::Anchor(None)),
            Err(fault) => Err(anyhow!("{fault}")),
        },
        Ok(Wish::LogRead { patient }) => {
            let left = opening::session(record).log_was_read(patient.as_deref());
            left.map(|()| Told::Done).map_err(|fault| anyhow!("{fault}"))
        }
        Ok(wish) if apps::is_about_apps(&wish) => {
            apps::carry_out(record, &held.apps, wish).map_err(|fault| anyhow!("{fault}"))
        }
        Ok(wish) if policies::is_about_policies(&wish) => {
            policies::carry_out(record, &held.policies, wish).map_err(|fault| anyhow!("{fault}"))
        }
        Ok(wish @ Wish::Review { .. }) => {
            reviews::carry_out(record, wish).map_err(|fault| anyhow!("{fault}"))
        }
        Ok(wish) => apps::with_people(record, &held.apps, wish).map_err(|fault| anyhow!("{fault}")),
        Err(error) => Err(error),
    };
    let last = match outcome {
        Ok(told) => Line::Told(told),
        Err(error) => Line::Failed(format!("{error:#}")),
    };
    write_line(&mut out, &last)
}

/// The wish of a line. What it says wrong is not repeated: it may hold a password.
fn read(line: &[u8]) -> anyhow::Result<Wish> {
    let known: Result<Request, _> = serde_json::from_slice(line);
    match known {
        Ok(Request { version: VERSION, wish }) => Ok(wish),
        _ => bail!(
            "this server is of another version of the program, and does not know what was asked"
        ),
    }
}

fn write_line(out: &mut UnixStream, line: &Line) -> anyhow::Result<()> {
    let mut text = Zeroizing::new(serde_json::to_vec(line)?);
    text.push(b'\n');
    out.write_all(&text)?;
    Ok(())
}

fn copy(data: &Path, record: &Record, to: &Path, out: &mut UnixStream) -> anyhow::Result<Told> {
    if !to.is_absolute() {
        bail!("the folder must be named from the root");
    }
    info!("a backup begins");
    let told = &mut |done: u64, all: u64| {
        let _ = write_line(out, &Line::Pages { done, all });
    };
    let outcome = backup::copy(&opening::session(record), data, to, told);
    match &outcome {
        Ok(()) => info!("a backup is done"),
        Err(_) => warn!("a backup failed"),
    }
    outcome.map(|()| Told::Done)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_requests_of_this_version_are_read_and_nothing_of_others_is_repeated() {
        let line =
            |version: u32| format!(r#"{{"version":{version},"wish":{{"do":"draw-claim"}}}}"#);
        assert!(matches!(read(line(VERSION).as_bytes()), Ok(Wish::DrawClaim)));
        for bad in [line(VERSION + 1), "hunter2".to_owned(), String::new()] {
            let said = read(bad.as_bytes()).unwrap_err().to_string();
            assert!(said.contains("another version") && !said.contains("hunter2"));
        }
    }
}
