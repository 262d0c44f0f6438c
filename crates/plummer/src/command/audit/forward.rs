//! `plummer audit send`: the log to a syslog collector, by TLS (RFC 5425) or, on this machine alone, by
//! plain TCP.

use super::{Place, report};
use crate::cli::AuditSend;
use anyhow::{Context as _, anyhow, bail};
use audit::forward::{Forwarder, Position};
use egress::{Collector, Purpose};
use std::io::Write as _;
use std::process::ExitCode;
use std::time::Duration;

/// How often it looks for new events.
const LOOK: Duration = Duration::from_millis(500);
/// How long a collector may take to answer, or to take what is sent.
const PATIENCE: Duration = Duration::from_secs(10);
/// The longest wait before it tries again.
const BACK_OFF_MAX: Duration = Duration::from_secs(60);

/// Sends what is not sent yet; with `--follow`, whatever comes.
pub(super) fn run(place: &Place, args: &AuditSend) -> anyhow::Result<ExitCode> {
    let collector = collector(args)?;
    let position = Position::open(&place.dir, collector.address())?;
    place.leave(None)?;
    let forwarder = Forwarder::new(&place.dir, position, report::host());
    let mut forwarder = forwarder.under(place.key.clone());
    let mut sink = connect(&collector)?;
    let mut wait = LOOK;
    loop {
        match forwarder.forward(&mut sink) {
            Ok(_) if !args.follow => break,
            Ok(_) => wait = LOOK,
            Err(fault) if !args.follow => return Err(fault.into()),
            Err(fault) => {
                writeln!(std::io::stderr(), "plummer: {fault}; trying again")?;
                wait = (wait * 2).min(BACK_OFF_MAX);
                if let Ok(connected) = connect(&collector) {
                    sink = connected;
                }
            }
        }
        std::thread::sleep(wait);
    }
    writeln!(std::io::stdout(), "sent up to event {}", forwarder.sent().seq)?;
    Ok(ExitCode::SUCCESS)
}

fn collector(args: &AuditSend) -> anyhow::Result<Collector> {
    if let Some(address) = args.to.strip_prefix("tcp://") {
        return Collector::plain(address).with_context(|| args.to.clone());
    }
    let Some(address) = args.to.strip_prefix("tls://") else {
        bail!("{} is neither tls://host:port nor tcp://127.0.0.1:port", args.to);
    };
    let path = args.ca.as_ref().ok_or_else(|| {
        anyhow!("--ca names the certificates that the collector's must be signed by")
    })?;
    let authorities =
        std::fs::read(path).with_context(|| format!("cannot read {}", path.display()))?;
    Collector::tls(address, &authorities).with_context(|| args.to.clone())
}

fn connect(collector: &Collector) -> anyhow::Result<Box<dyn std::io::Write>> {
    let connected = collector.connect(Purpose("the access log"), PATIENCE);
    connected.with_context(|| format!("{} does not answer, or is not trusted", collector.address()))
}
