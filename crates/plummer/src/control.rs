//! How a command reaches the server that holds the data folder: a socket in that folder, which only
//! those can open who can read the records anyway. It knows one wish, a backup while serving. On
//! systems without such sockets the server has to be stopped for a backup.

use crate::command::backup;
use anyhow::{Context as _, anyhow, bail};
use record::Session;
use std::io::{BufRead as _, BufReader, Write as _};
use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use tracing::{info, warn};

const SOCKET: &str = "control.sock";
const WISH: &str = "backup ";

/// What became of a wish.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Asked {
    /// A server carried it out.
    Done,
    /// No server holds the data folder.
    NobodyThere,
}

/// Asks the server of the data folder for a backup, if there is one.
pub(crate) fn backup(
    data: &Path,
    to: &Path,
    progress: &mut dyn FnMut(u64, u64),
) -> anyhow::Result<Asked> {
    let Ok(mut stream) = UnixStream::connect(data.join(SOCKET)) else {
        return Ok(Asked::NobodyThere);
    };
    let path = to.to_str().context("the folder's name is not UTF-8")?;
    if path.contains('\n') {
        bail!("the folder's name holds a line break");
    }
    writeln!(stream, "{WISH}{path}")?;
    for line in BufReader::new(stream).lines() {
        let line = line?;
        let mut words = line.splitn(2, ' ');
        match (words.next(), words.next()) {
            (Some("done"), None) => return Ok(Asked::Done),
            (Some("failed"), Some(why)) => return Err(anyhow!("the server says: {why}")),
            (Some("pages"), Some(rest)) => {
                let mut numbers = rest.split(' ').filter_map(|n| n.parse().ok());
                if let (Some(done), Some(all)) = (numbers.next(), numbers.next()) {
                    progress(done, all);
                }
            }
            _ => {}
        }
    }
    bail!("the server ended before the backup did")
}

/// Answers wishes on a thread of its own until the process ends. A socket that cannot be opened costs
/// backups while serving, nothing else.
pub(crate) fn answer(data: PathBuf, session: impl Fn() -> Session + Send + 'static) {
    let path = data.join(SOCKET);
    // The store's lock is ours, so whoever left a socket here is gone.
    let _ = std::fs::remove_file(&path);
    let listener = match UnixListener::bind(&path) {
        Ok(listener) => listener,
        Err(error) => {
            warn!(kind = %error.kind(), "no control socket: stop the server for a backup");
            return;
        }
    };
    let private = std::fs::Permissions::from_mode(0o600);
    if std::fs::set_permissions(&path, private).is_err() {
        warn!("the control socket cannot be made private: stop the server for a backup");
        let _ = std::fs::remove_file(&path);
        return;
    }
    let work = move || {
        for stream in listener.incoming().flatten() {
            if carry_out(&data, &session(), stream).is_err() {
                warn!("whoever asked for a backup has gone away");
            }
        }
    };
    if std::thread::Builder::new().name("control".to_owned()).spawn(work).is_err() {
        warn!("no thread for the control socket: stop the server for a backup");
    }
}

fn carry_out(data: &Path, session: &Session, stream: UnixStream) -> anyhow::Result<()> {
    let mut out = stream.try_clone()?;
    let mut line = String::new();
    BufReader::new(stream).read_line(&mut line)?;
    let Some(to) = line.trim_end_matches('\n').strip_prefix(WISH).map(PathBuf::from) else {
        writeln!(out, "failed this server does not know what was asked")?;
        return Ok(());
    };
    if !to.is_absolute() {
        writeln!(out, "failed the folder must be named from the root")?;
        return Ok(());
    }
    info!("a backup begins");
    let told = &mut |done: u64, all: u64| {
        let _ = writeln!(out, "pages {done} {all}");
    };
    let outcome = backup::copy(session, data, &to, told);
    match outcome {
        Ok(()) => {
            info!("a backup is done");
            writeln!(out, "done")?;
        }
        Err(error) => {
            warn!("a backup failed");
            writeln!(out, "failed {error:#}")?;
        }
    }
    Ok(())
}
