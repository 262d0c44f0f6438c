//! TLS of the door (45 CFR 164.312(e); TLS 1.2, RFC 5246, and 1.3, RFC 8446): the certificate and key
//! in force, read from files, checked before they are used, and read anew when the files change. Files
//! that cannot be used never replace what is in force.

use crate::certificate::Validity;
use base::error::code;
use base::{Clock, Fault, Millis};
use rustls::client::verify_server_name;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime};
use rustls::server::{ParsedCertificate, WebPkiClientVerifier};
use rustls::time_provider::TimeProvider;
use rustls::version::{TLS12, TLS13};
use rustls::{RootCertStore, ServerConfig};
use std::fs::Metadata;
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::Duration;
use tracing::{info, warn};
use zeroize::Zeroizing;

/// Bytes of one file of certificates or of the key.
const FILE_BYTES_MAX: u64 = 1 << 20;
/// Certificates of one file: a chain has three or four, a hospital's list of authorities some dozens.
const CERTIFICATES_MAX: usize = 256;
/// A certificate that ends within this time is told of as expiring.
const EXPIRING_MS: i64 = 21 * 86_400_000;

/// Where the certificate and its key stand.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TlsFiles {
    /// PEM: the server's certificate, then those between it and the root.
    pub certificate: PathBuf,
    /// PEM: the key of the first certificate.
    pub key: PathBuf,
    /// PEM: the authorities of callers' certificates. With it, a caller without one is not served.
    pub client_ca: Option<PathBuf>,
}

/// What is known of the certificate in force.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Facts {
    /// From when until when the first certificate is valid.
    pub validity: Validity,
    /// Whether it is for the host that callers know the server by; `None` when no host is set.
    pub names_host: Option<bool>,
}

/// How the certificate stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// It is valid.
    Valid,
    /// It ends within three weeks.
    Expiring,
    /// It is over, or not valid yet.
    Invalid,
}

impl Facts {
    /// How it stands now.
    pub const fn standing(&self, now: Millis) -> Standing {
        let Validity { from, until } = self.validity;
        if now.0 < from.0 || now.0 > until.0 {
            Standing::Invalid
        } else if until.0 - now.0 < EXPIRING_MS {
            Standing::Expiring
        } else {
            Standing::Valid
        }
    }
}

/// What is in force, whole: a connection begins with one of these and ends with it.
#[derive(Debug, Clone)]
struct InForce {
    config: Arc<ServerConfig>,
    facts: Facts,
}

/// TLS of a server.
#[derive(Debug)]
pub(crate) struct Tls {
    files: TlsFiles,
    host: Option<String>,
    clock: Arc<dyn Clock>,
    in_force: RwLock<InForce>,
    /// How the files looked when they were last read, fit for use or not.
    read: Mutex<Vec<Stamp>>,
    failures: AtomicU64,
    reloads: AtomicU64,
}

impl Tls {
    /// Reads the files. A certificate whose time is over is served all the same, with a warning: the
    /// door must open after a restart at night, and callers judge it for themselves.
    pub(crate) fn open(
        files: TlsFiles,
        host: Option<&str>,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, Fault> {
        let stamps = stamps(&files);
        let in_force = build(&files, host, &clock)?;
        complain(&in_force.facts, clock.now());
        Ok(Self {
            files,
            host: host.map(str::to_owned),
            clock,
            in_force: RwLock::new(in_force),
            read: Mutex::new(stamps),
            failures: AtomicU64::new(0),
            reloads: AtomicU64::new(0),
        })
    }

    /// What a new connection speaks by.
    pub(crate) fn config(&self) -> Arc<ServerConfig> {
        Arc::clone(&self.now_in_force().config)
    }

    /// What is known of the certificate in force.
    pub(crate) fn facts(&self) -> Facts {
        self.now_in_force().facts
    }

    /// How it stands now.
    pub(crate) fn standing(&self) -> Standing {
        self.facts().standing(self.clock.now())
    }

    /// Whether callers must show a certificate.
    pub(crate) const fn asks_callers(&self) -> bool {
        self.files.client_ca.is_some()
    }

    /// How often changed files were taken, and how often they could not be used.
    pub(crate) fn counts(&self) -> (u64, u64) {
        (self.reloads.load(Relaxed), self.failures.load(Relaxed))
    }

    /// Reads the files if they have changed since they were last read. New files are taken whole and
    /// only when they can be used; otherwise what is in force stays, with a warning.
    pub(crate) fn look(&self) {
        // Before the files are read: a change in between is seen the next time.
        let stamps = stamps(&self.files);
        {
            let mut read = self.read.lock().unwrap_or_else(PoisonError::into_inner);
            if *read == stamps {
                return;
            }
            *read = stamps;
        }
        let now = self.clock.now();
        let fit = build(&self.files, self.host.as_deref(), &self.clock).and_then(|new| {
            let over = new.facts.standing(now) == Standing::Invalid;
            if over && self.standing() != Standing::Invalid {
                return Err(unusable("the new certificate is over, or not valid yet"));
            }
            Ok(new)
        });
        match fit {
            Ok(new) => {
                complain(&new.facts, now);
                let until = new.facts.validity.until;
                *self.in_force.write().unwrap_or_else(PoisonError::into_inner) = new;
                self.reloads.fetch_add(1, Relaxed);
                info!(%until, "the TLS files changed, and are in force");
            }
            Err(fault) => {
                self.failures.fetch_add(1, Relaxed);
                let why = fault.issues.first().map_or("", |issue| issue.diagnostics.as_str());
                warn!(why, "the TLS files changed and cannot be used; the old ones stay in force");
            }
        }
    }

    fn now_in_force(&self) -> std::sync::RwLockReadGuard<'_, InForce> {
        self.in_force.read().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Reads the files as a server would, and tells of the certificate: for checks before a start.
///
/// # Errors
/// `server.tls.unusable`, with the file and what is wrong with it.
pub fn inspect(
    files: &TlsFiles,
    host: Option<&str>,
    clock: &Arc<dyn Clock>,
) -> Result<Facts, Fault> {
    build(files, host, clock).map(|made| made.facts)
}

fn build(files: &TlsFiles, host: Option<&str>, clock: &Arc<dyn Clock>) -> Result<InForce, Fault> {
    let chain = certificates(&files.certificate)?;
    let facts = chain.first().and_then(|first| facts(first, host)).ok_or_else(|| {
        unusable(&format!("{} holds no readable certificate", files.certificate.display()))
    })?;
    let key = private_key(&files.key)?;
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let time = Arc::new(TimeOf(Arc::clone(clock)));
    let builder = ServerConfig::builder_with_details(Arc::clone(&provider), time)
        .with_protocol_versions(&[&TLS13, &TLS12])
        .map_err(|error| unusable(&format!("TLS cannot be set up: {error}")))?;
    let builder = match &files.client_ca {
        None => builder.with_no_client_auth(),
        Some(path) => {
            let mut roots = RootCertStore::empty();
            for authority in certificates(path)? {
                let bad = |error| unusable(&format!("{}: {error}", path.display()));
                roots.add(authority).map_err(bad)?;
            }
            let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider)
                .build()
                .map_err(|error| unusable(&format!("{}: {error}", path.display())))?;
            builder.with_client_cert_verifier(verifier)
        }
    };
    let mut config = builder.with_single_cert(chain, key).map_err(|error| {
        let (certificate, key) = (files.certificate.display(), files.key.display());
        unusable(&format!("{certificate} and {key} do not go together: {error}"))
    })?;
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(InForce { config: Arc::new(config), facts })
}

fn facts(certificate: &CertificateDer<'_>, host: Option<&str>) -> Option<Facts> {
    let validity = Validity::of(certificate)?;
    let parsed = ParsedCertificate::try_from(certificate).ok()?;
    let names_host = host.map(|host| {
        let bare = host.trim_start_matches('[').trim_end_matches(']');
        ServerName::try_from(bare).is_ok_and(|name| verify_server_name(&parsed, &name).is_ok())
    });
    Some(Facts { validity, names_host })
}

fn certificates(path: &Path) -> Result<Vec<CertificateDer<'static>>, Fault> {
    let bytes = read(path)?;
    let all: Result<Vec<_>, _> =
        CertificateDer::pem_slice_iter(&bytes).take(CERTIFICATES_MAX + 1).collect();
    match all {
        Ok(all) if all.is_empty() => {
            Err(unusable(&format!("{} holds no certificate in PEM", path.display())))
        }
        Ok(all) if all.len() > CERTIFICATES_MAX => {
            let what =
                format!("{} holds more than {CERTIFICATES_MAX} certificates", path.display());
            Err(unusable(&what))
        }
        Ok(all) => Ok(all),
        Err(_) => Err(unusable(&format!("{} is no PEM", path.display()))),
    }
}

fn private_key(path: &Path) -> Result<PrivateKeyDer<'static>, Fault> {
    let bytes = read(path)?;
    if open_to_all(&std::fs::metadata(path).map_err(|error| unreadable(path, &error))?) {
        let what = format!("everybody on this machine may read {}; chmod 600 it", path.display());
        return Err(unusable(&what));
    }
    // The library's words for what is wrong are left out: they might quote the file.
    PrivateKeyDer::from_pem_slice(&bytes)
        .map_err(|_quoting| unusable(&format!("{} holds no key in PEM", path.display())))
}

fn read(path: &Path) -> Result<Zeroizing<Vec<u8>>, Fault> {
    let file = std::fs::File::open(path).map_err(|error| unreadable(path, &error))?;
    let mut bytes = Zeroizing::new(Vec::with_capacity(16 << 10));
    file.take(FILE_BYTES_MAX + 1)
        .read_to_end(&mut bytes)
        .map_err(|error| unreadable(path, &error))?;
    if bytes.len() as u64 > FILE_BYTES_MAX {
        return Err(unusable(&format!("{} is larger than a file of keys can be", path.display())));
    }
    Ok(bytes)
}

fn unreadable(path: &Path, error: &std::io::Error) -> Fault {
    unusable(&format!("{} cannot be read: {error}", path.display()))
}

fn unusable(what: &str) -> Fault {
    Fault::at(&code::TLS_UNUSABLE, what, "tls_certificate")
}

fn complain(facts: &Facts, now: Millis) {
    let until = facts.validity.until;
    match facts.standing(now) {
        Standing::Valid => {}
        Standing::Expiring => warn!(%until, "the TLS certificate ends soon"),
        Standing::Invalid => warn!(%until, "the TLS certificate is over, or not valid yet"),
    }
    if facts.names_host == Some(false) {
        warn!("the TLS certificate is not for the host of base_url");
    }
}

/// How a file looks without reading it; nothing when it is not there.
type Stamp = Option<(u64, u64, i64, i64, i64, i64)>;

fn stamps(files: &TlsFiles) -> Vec<Stamp> {
    let paths = [Some(&files.certificate), Some(&files.key), files.client_ca.as_ref()];
    paths
        .into_iter()
        .flatten()
        .map(|path| std::fs::metadata(path).ok().as_ref().map(stamp))
        .collect()
}

#[cfg(unix)]
fn stamp(of: &Metadata) -> (u64, u64, i64, i64, i64, i64) {
    use std::os::unix::fs::MetadataExt as _;
    // The time of the inode's change is what no copying tool sets back.
    (of.ino(), of.len(), of.mtime(), of.mtime_nsec(), of.ctime(), of.ctime_nsec())
}

#[cfg(not(unix))]
fn stamp(of: &Metadata) -> (u64, u64, i64, i64, i64, i64) {
    let since = of.modified().ok().and_then(|t| t.duration_since(std::time::UNIX_EPOCH).ok());
    let since = since.unwrap_or_default();
    (0, of.len(), i64::try_from(since.as_secs()).unwrap_or(0), since.subsec_nanos().into(), 0, 0)
}

#[cfg(unix)]
fn open_to_all(of: &Metadata) -> bool {
    use std::os::unix::fs::PermissionsExt as _;
    of.permissions().mode() & 0o007 != 0
}

#[cfg(not(unix))]
fn open_to_all(_: &Metadata) -> bool {
    false
}

/// The house's clock as the library asks it.
#[derive(Debug)]
struct TimeOf(Arc<dyn Clock>);

impl TimeProvider for TimeOf {
    fn current_time(&self) -> Option<UnixTime> {
        let seconds = u64::try_from(self.0.now().0 / 1000).ok()?;
        Some(UnixTime::since_unix_epoch(Duration::from_secs(seconds)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn three_weeks_before_its_end_a_certificate_is_expiring() {
        const DAY: i64 = 86_400_000;
        let validity = Validity { from: Millis(10 * DAY), until: Millis(100 * DAY) };
        let facts = Facts { validity, names_host: None };
        for (day, standing) in [
            (9, Standing::Invalid),
            (10, Standing::Valid),
            (79, Standing::Valid),
            (80, Standing::Expiring),
            (100, Standing::Expiring),
            (101, Standing::Invalid),
        ] {
            assert_eq!(facts.standing(Millis(day * DAY)), standing, "{day}");
        }
    }
}
