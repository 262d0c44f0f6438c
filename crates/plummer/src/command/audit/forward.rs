//! `plummer audit send`: the log to a syslog collector, by TLS (RFC 5425) or, on this machine alone, by
//! plain TCP.

use super::{report, review};
use crate::cli::AuditSend;
use anyhow::{Context as _, anyhow, bail};
use audit::forward::{Forwarder, Position, Sink};
use egress::Purpose;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};
use std::io::Write as _;
use std::net::ToSocketAddrs as _;
use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

/// How often it looks for new events.
const LOOK: Duration = Duration::from_millis(500);
/// How long a collector may take to answer, or to take what is sent.
const PATIENCE: Duration = Duration::from_secs(10);
/// The longest wait before it tries again.
const BACK_OFF_MAX: Duration = Duration::from_secs(60);

/// Sends what is not sent yet; with `--follow`, whatever comes.
pub(super) fn run(dir: &Path, args: &AuditSend) -> anyhow::Result<ExitCode> {
    let target = Target::parse(args)?;
    let position = Position::open(dir, &target.address)?;
    review::leave(dir, None)?;
    let mut forwarder = Forwarder::new(dir, position, report::host());
    let mut sink = target.connect()?;
    let mut wait = LOOK;
    loop {
        match forwarder.forward(&mut *sink) {
            Ok(_) if !args.follow => break,
            Ok(_) => wait = LOOK,
            Err(fault) if !args.follow => return Err(fault.into()),
            Err(fault) => {
                writeln!(std::io::stderr(), "plummer: {fault}; trying again")?;
                wait = (wait * 2).min(BACK_OFF_MAX);
                if let Ok(connected) = target.connect() {
                    sink = connected;
                }
            }
        }
        std::thread::sleep(wait);
    }
    writeln!(std::io::stdout(), "sent up to event {}", forwarder.sent().seq)?;
    Ok(ExitCode::SUCCESS)
}

struct Target {
    address: String,
    tls: Option<(Arc<ClientConfig>, ServerName<'static>)>,
}

impl Target {
    fn parse(args: &AuditSend) -> anyhow::Result<Self> {
        if let Some(address) = args.to.strip_prefix("tcp://") {
            let all = address.to_socket_addrs().with_context(|| args.to.clone())?;
            if !all.into_iter().all(|address| address.ip().is_loopback()) {
                bail!("{}: plain TCP shows the log to the network; use tls://", args.to);
            }
            return Ok(Self { address: address.to_owned(), tls: None });
        }
        let Some(address) = args.to.strip_prefix("tls://") else {
            bail!("{} is neither tls://host:port nor tcp://127.0.0.1:port", args.to);
        };
        let host = address.rsplit_once(':').map_or(address, |(host, _)| host);
        let name = ServerName::try_from(host.to_owned()).with_context(|| args.to.clone())?;
        let path = args.ca.as_ref().ok_or_else(|| {
            anyhow!("--ca names the certificates that the collector's must be signed by")
        })?;
        let mut roots = RootCertStore::empty();
        for certificate in CertificateDer::pem_file_iter(path)? {
            roots.add(certificate?)?;
        }
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let config = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()?
            .with_root_certificates(roots)
            .with_no_client_auth();
        Ok(Self { address: address.to_owned(), tls: Some((Arc::new(config), name)) })
    }

    fn connect(&self) -> anyhow::Result<Box<dyn Sink>> {
        let stream = egress::dial(Purpose("the access log"), &self.address, PATIENCE)
            .with_context(|| format!("{} does not answer", self.address))?;
        Ok(match &self.tls {
            None => Box::new(stream),
            Some((config, name)) => {
                let connection = ClientConnection::new(Arc::clone(config), name.clone())?;
                let mut stream = StreamOwned::new(connection, stream);
                // Who the collector is, is settled before anything is sent.
                while stream.conn.is_handshaking() {
                    stream
                        .conn
                        .complete_io(&mut stream.sock)
                        .context("the collector is not trusted")?;
                }
                Box::new(stream)
            }
        })
    }
}
