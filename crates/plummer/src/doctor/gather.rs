//! Finds the facts of this machine out. Linux tells them in texts; elsewhere most of them are unknown,
//! and said to be so.

use super::facts::{
    AtRest, Choices, Clock, Disk, Fact, Facts, Held, Modes, Open, Port, Reviews, RootKey, Second,
    Server, Stolen, Swap, Transport,
};
use super::proc;
use super::stamp::Stamp;
use crate::control;
use crate::directory::MISSING;
use crate::password_list;
use crate::reviews::AboutReview;
use crate::settings::Settings;
use crate::wish::{Sort, Told, Wish};
use base::time::SystemClock;
use base::{Clock as _, Millis};
use std::collections::HashSet;
use std::fs;
use std::io::Write as _;
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Files below the data folder that are looked at.
const FILES_MAX: u64 = 100_000;
/// Writes by which the disk is measured.
const SYNCS: usize = 16;
/// How long another program may take to say what it knows.
const PATIENCE: Duration = Duration::from_secs(2);
const NO_SERVER: &str = "no server has the data folder open, or it belongs to another user";
const NO_DATA: &str = "there is no data folder yet";

/// The facts as they are now.
pub(crate) fn facts(settings: &Settings) -> Facts {
    let here = std::path::absolute(settings.data()).unwrap_or_else(|_| settings.data());
    let seen = || match (store::form(&here.join("store")), settings.encryption()) {
        (Err(_), _) => Fact::Unknown("the store's file cannot be read"),
        (Ok(store::Form::Absent), _) => Fact::Unknown("nothing is stored yet"),
        (Ok(store::Form::Plain), _) => Fact::Known(AtRest::Plain),
        (Ok(store::Form::Sealed), Ok(encryption)) => at_rest(&encryption, &here),
        (Ok(store::Form::Sealed), Err(_)) => {
            Fact::Unknown("the settings do not say who holds the root key")
        }
    };
    // A waiver that is over, a port beyond loopback without TLS: the server would not start.
    let transport = match settings.server() {
        Ok(config) => transport(&config),
        Err(error) => Fact::Known(Transport::Broken(format!("{error:#}"))),
    };
    gathered(settings, &here, transport, seen)
}

/// The facts as the server finds them out about itself. It opens no file of the store, and asks the root
/// key of whom it has it from already.
pub(crate) fn of_server(
    settings: &Settings,
    config: &server::Config,
    record: &record::Record,
) -> Facts {
    let here = std::path::absolute(settings.data()).unwrap_or_else(|_| settings.data());
    let seen = || match record.at_rest() {
        record::AtRest::Off | record::AtRest::NotYetSealed => Fact::Known(AtRest::Plain),
        record::AtRest::Sealed | record::AtRest::SealedBesideRootKey => {
            at_rest(&record.settings().encryption, &here)
        }
    };
    gathered(settings, &here, transport(config), seen)
}

/// The bytes that are free on the disk of the data folder, and those of it in all.
pub(crate) fn room(data: &Path) -> Option<(u64, u64)> {
    let place = data.ancestors().find(|above| above.exists())?;
    let of = rustix::fs::statvfs(place).ok()?;
    Some((of.f_bavail.saturating_mul(of.f_frsize), of.f_blocks.saturating_mul(of.f_frsize)))
}

fn gathered(
    settings: &Settings,
    here: &Path,
    transport: Fact<Transport>,
    seen: impl FnOnce() -> Fact<AtRest>,
) -> Facts {
    let there = here.is_dir();
    let process = there.then(|| serving(here)).flatten();
    let folder = |known| if there { known } else { NO_DATA };
    Facts {
        now: SystemClock.now(),
        version: env!("CARGO_PKG_VERSION"),
        data: modes(here).filter(|_| there),
        files: Fact::of(there.then(|| open_files(here)), NO_DATA),
        at_rest: if there { seen() } else { Fact::Unknown(NO_DATA) },
        transport,
        clock: clock(),
        newest: Fact::of(there.then(|| newest(here)).flatten(), folder("nothing is written yet")),
        disk: Fact::of(disk(here, there), "the system does not tell of the disk"),
        ports: Fact::of(ports(process.as_ref()), "the system does not tell which ports are open"),
        swaps: Fact::of(swaps(), "the system does not tell of swap"),
        core_pattern: Fact::of(
            fs::read_to_string("/proc/sys/kernel/core_pattern").ok().map(|t| t.trim().to_owned()),
            "the system does not tell of core dumps",
        ),
        server: Fact::of(process.map(|p| p.server), NO_SERVER),
        choices: choices(settings),
        sessions: Fact::Unknown("the settings do not say how long people stay signed in"),
        second: second(here),
        stolen: Fact::Known(stolen(settings)),
        backup: stamp(Stamp::Backup, here, there),
        verified: stamp(Stamp::Verified, here, there),
        reviews: reviews(here),
        schema: Fact::Unknown("the store's format is known to its server alone"),
    }
}

/// How the cases of review stand: the server of the folder is asked, for it alone has the store open.
fn reviews(data: &Path) -> Fact<Reviews> {
    let ask = Box::new(AboutReview::Counts);
    let request = control::request(Wish::Review { ask });
    match control::ask(data, &request, &mut |_, _| {}) {
        Ok(Some(Told::ReviewCounts(counts))) => Fact::Known(Reviews {
            undecided: counts.open.saturating_add(counts.assigned),
            overdue: counts.overdue,
            overdue_break_glass: counts.overdue_break_glass,
            overdue_by_ms: counts.overdue_by_ms,
            failing: counts.failing,
        }),
        Ok(None) => Fact::Unknown(NO_SERVER),
        _ => Fact::Unknown("the server does not tell of its cases of review"),
    }
}

/// What the server of the data folder says of its people; nobody else can without holding the folder.
fn second(data: &Path) -> Fact<Second> {
    let wish = control::request(Wish::List { sort: Sort::Person });
    let told = control::ask(data, &wish, &mut |_, _| {}).ok().flatten();
    let Some(Told::Many(all)) = told else { return Fact::Unknown(NO_SERVER) };
    let able = || all.iter().filter(|one| one.disabled.is_none());
    let demanded = able().filter(|one| !one.second_factor.is_empty()).count();
    let missing = able().filter(|one| one.second_factor.starts_with(MISSING)).count();
    Fact::Known(Second { demanded, missing })
}

fn stolen(settings: &Settings) -> Stolen {
    match password_list::open(settings) {
        Ok(None) => Stolen::None,
        Ok(Some(list)) => {
            let made = list.made();
            match list.sample() {
                Ok(()) => Stolen::Made(made),
                Err(fault) => Stolen::Damaged(fault.to_string()),
            }
        }
        Err(error) => Stolen::Damaged(format!("{error:#}")),
    }
}

fn stamp(which: Stamp, data: &Path, there: bool) -> Fact<Option<Millis>> {
    if there { Fact::Known(which.read(data)) } else { Fact::Unknown(NO_DATA) }
}

fn modes(path: &Path) -> Option<Modes> {
    let of = fs::metadata(path).ok()?;
    Some(Modes { path: path.to_owned(), mode: of.mode(), owner: of.uid() })
}

fn open_files(data: &Path) -> Open {
    let mut found = Open::default();
    let owner = fs::metadata(data).map_or(0, |of| of.uid());
    let mut folders = vec![data.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).into_iter().flatten().flatten() {
            // Of a link, the link: where it leads is another place.
            let Ok(of) = entry.metadata() else { continue };
            if of.is_symlink() {
                continue;
            }
            if of.is_dir() {
                folders.push(entry.path());
            }
            found.files += 1;
            found.strange += u64::from(of.uid() != owner);
            if of.mode() & 0o077 != 0 {
                found.open += 1;
                found.first.get_or_insert_with(|| relative(&entry.path(), data));
            }
            if found.files >= FILES_MAX {
                return found;
            }
        }
    }
    found
}

fn relative(path: &Path, to: &Path) -> PathBuf {
    path.strip_prefix(to).unwrap_or(path).to_owned()
}

/// Where the root key of an encrypted store is, and whether the next start could open it.
fn at_rest(encryption: &record::Encryption, data: &Path) -> Fact<AtRest> {
    if let Some(holder) = &encryption.holder {
        let asked = holder.ask().and_then(|()| encryption.glance(data).map(drop));
        let standing = holder.standing();
        let under = record::keys_under(data).ok().flatten();
        return Fact::Known(AtRest::Held(Held {
            holder: standing.holder,
            name: standing.name,
            newest: standing.version,
            under: under.and_then(|under| holder.version_of(&under.wrapped)),
            trouble: asked.err().map(|fault| fault.to_string()),
        }));
    }
    let path = encryption.root_path(data);
    let Some(file) = modes(&path) else { return Fact::Known(AtRest::KeyMissing) };
    let bytes = keys::Files::read(&keys::Disk, &path, keys::RootFile::BYTES_MAX);
    let sealed =
        bytes.ok().and_then(|bytes| Some(keys::RootFile::decode(&bytes).ok()?.is_sealed()));
    let Some(sealed) = sealed else {
        return Fact::Unknown("the root key's file cannot be read by this user, or is damaged");
    };
    let beside_data = encryption.is_beside(data);
    Fact::Known(AtRest::Encrypted(RootKey { file, beside_data, sealed }))
}

fn transport(config: &server::Config) -> Fact<Transport> {
    let Some(files) = &config.tls else {
        return Fact::Known(match &config.plaintext_waiver {
            Some(waiver) if !config.listen.ip().is_loopback() => {
                Transport::Waived { date: waiver.date.clone(), end: waiver.end }
            }
            _ => Transport::Loopback,
        });
    };
    let clock: Arc<dyn base::Clock> = Arc::new(SystemClock);
    Fact::Known(match server::inspect(files, config.own_host(), &clock) {
        Ok(facts) => Transport::Tls(facts),
        Err(fault) => Transport::Broken(fault.to_string()),
    })
}

fn choices(settings: &Settings) -> Choices {
    let origins = settings.list("cors_origins");
    let filter = settings.text("log_filter");
    Choices {
        relaxed: settings.text("sync") == "relaxed",
        delete_many: settings.text("delete_many") == "true",
        explain: settings.text("explain") == "true",
        plain_origins: origins.into_iter().filter(|o| is_plain_page(o)).collect(),
        exempt_roles: settings.list("rate_exempt_roles"),
        connections_max: settings.text("connections_max").parse().unwrap_or(0),
        log_debug: filter.contains("debug") || filter.contains("trace"),
    }
}

/// A page that comes in plaintext, and not from this machine.
fn is_plain_page(origin: &str) -> bool {
    let Some(rest) = origin.strip_prefix("http://") else { return false };
    let local = ["localhost", "127.0.0.1", "[::1]"];
    !local.iter().any(|host| rest == *host || rest.starts_with(&format!("{host}:")))
}

/// Whether somebody keeps the clock. systemd's own service leaves a file; of any other service the
/// kernel knows, and `timedatectl` reads it.
fn clock() -> Fact<Clock> {
    if Path::new("/run/systemd/timesync/synchronized").exists() {
        return Fact::Known(Clock::Kept);
    }
    let asked = ["/usr/bin/timedatectl", "/bin/timedatectl"].iter().find(|p| Path::new(p).exists());
    let said =
        asked.and_then(|path| said(path, &["show", "--property=NTPSynchronized", "--value"]));
    match said.as_deref().map(str::trim) {
        Some("yes") => Fact::Known(Clock::Kept),
        Some("no") => Fact::Known(Clock::Free),
        _ => Fact::Unknown("nobody on this machine tells whether the clock is kept"),
    }
}

/// What another program says, if it says so in time.
fn said(program: &str, args: &[&str]) -> Option<String> {
    let mut child = Command::new(program)
        .args(args)
        .env_clear()
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .ok()?;
    let began = Instant::now();
    while began.elapsed() < PATIENCE {
        if let Ok(Some(status)) = child.try_wait() {
            let output = child.wait_with_output().ok()?;
            return status.success().then(|| String::from_utf8_lossy(&output.stdout).into_owned());
        }
        std::thread::sleep(Duration::from_millis(10));
    }
    let _ = child.kill();
    let _ = child.wait();
    None
}

/// The newest change of a file of the store or the access log.
fn newest(data: &Path) -> Option<Millis> {
    let files = ["store", "audit"].iter().filter_map(|name| fs::read_dir(data.join(name)).ok());
    let times = files.flatten().flatten().filter_map(|entry| {
        let of = entry.metadata().ok()?;
        Some(Millis(of.mtime() * 1000 + of.mtime_nsec() / 1_000_000))
    });
    times.max()
}

fn disk(data: &Path, there: bool) -> Option<Disk> {
    // A folder that is to be made will lie where the first folder above it lies.
    let place = data.ancestors().find(|above| above.exists())?;
    let place = fs::canonicalize(place).ok()?;
    let of = rustix::fs::statvfs(&place).ok()?;
    let mounts = fs::read_to_string("/proc/self/mounts").unwrap_or_default();
    let kind = place.to_str().and_then(|path| proc::kind_of(&mounts, path));
    Some(Disk {
        kind: kind.unwrap_or_else(|| "a file system of unknown kind".to_owned()),
        free_bytes: of.f_bavail.saturating_mul(of.f_frsize),
        size_bytes: of.f_blocks.saturating_mul(of.f_frsize),
        sync_us: if there { measure(&place).ok() } else { None },
    })
}

/// Microseconds until a small write is on the disk: the middle of some, and the longest.
fn measure(folder: &Path) -> std::io::Result<(u64, u64)> {
    let path = folder.join(format!("doctor-{}.tmp", std::process::id()));
    let mut file = fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(&path)?;
    let mut measured = || {
        let mut times = Vec::with_capacity(SYNCS);
        for _ in 0..SYNCS {
            let began = Instant::now();
            file.write_all(&[0; 512])?;
            file.sync_data()?;
            times.push(u64::try_from(began.elapsed().as_micros()).unwrap_or(u64::MAX));
        }
        times.sort_unstable();
        let middle = times.get(SYNCS / 2).copied().unwrap_or(0);
        Ok((middle, times.last().copied().unwrap_or(0)))
    };
    let times = measured();
    fs::remove_file(&path)?;
    times
}

/// The process that has the store of the data folder open.
struct Serving {
    server: Server,
    sockets: HashSet<u64>,
}

fn serving(data: &Path) -> Option<Serving> {
    let store = fs::canonicalize(data.join("store")).ok()?;
    for process in fs::read_dir("/proc").ok()?.flatten() {
        let name = process.file_name();
        let is_process = |name: &str| name.bytes().all(|b| b.is_ascii_digit());
        if !name.to_str().is_some_and(is_process) {
            continue;
        }
        let files = fs::read_dir(process.path().join("fd")).into_iter().flatten().flatten();
        let open: Vec<_> = files.filter_map(|fd| fs::read_link(fd.path()).ok()).collect();
        if !open.iter().any(|path| path.starts_with(&store)) {
            continue;
        }
        let read = |file: &str| fs::read_to_string(process.path().join(file)).unwrap_or_default();
        let (limits, status) = (read("limits"), read("status"));
        let sockets = open.iter().filter_map(|path| {
            path.to_str()?.strip_prefix("socket:[")?.strip_suffix(']')?.parse().ok()
        });
        let server = Server {
            owner: proc::owner(&status)?,
            core_bytes: proc::limit(&limits, "Max core file size")?,
            files_max: proc::limit(&limits, "Max open files")?,
        };
        return Some(Serving { server, sockets: sockets.collect() });
    }
    None
}

fn ports(serving: Option<&Serving>) -> Option<Vec<Port>> {
    let four = fs::read_to_string("/proc/net/tcp").ok()?;
    let six = fs::read_to_string("/proc/net/tcp6").unwrap_or_default();
    let all = proc::listening(&four).into_iter().chain(proc::listening(&six));
    let ours = |inode| serving.is_some_and(|s| s.sockets.contains(&inode));
    Some(all.map(|(number, inode)| Port { number, ours: ours(inode) }).collect())
}

fn swaps() -> Option<Vec<Swap>> {
    let text = fs::read_to_string("/proc/swaps").ok()?;
    let swap = |(name, is_file): (String, bool)| {
        let safe = if is_file {
            Fact::Unknown("a file lies on a disk that may be encrypted")
        } else {
            Fact::Known(is_safe_device(&name))
        };
        Swap { name, safe }
    };
    Some(proc::swaps(&text).into_iter().map(swap).collect())
}

/// Memory itself (zram), or a device that the kernel encrypts (dm-crypt).
fn is_safe_device(name: &str) -> bool {
    let device = fs::canonicalize(name).unwrap_or_else(|_| PathBuf::from(name));
    let Some(device) = device.file_name().and_then(|n| n.to_str()) else { return false };
    let uuid = fs::read_to_string(format!("/sys/block/{device}/dm/uuid")).unwrap_or_default();
    device.starts_with("zram") || uuid.starts_with("CRYPT-")
}
