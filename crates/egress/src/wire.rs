//! A connection that is spoken over line by line, to a mail server that the operator wrote down: in plain
//! until TLS is begun upon it (RFC 3207), or by TLS from the first byte (RFC 8314). It may lie in the house's
//! own network; what is no single machine is refused, and all of it has one deadline.

use crate::address::{Class, class};
use crate::policy::Purpose;
use crate::trust::Trust;
use base::error::code;
use base::{Clock, Fault};
use rustls::pki_types::ServerName;
use rustls::{ClientConfig, ClientConnection, StreamOwned};
use std::fmt;
use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpStream, ToSocketAddrs as _};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Addresses of one name that are called one after the other.
const CALLS_MAX: usize = 4;

/// Where a server is, and whom we believe.
#[derive(Debug, Clone)]
pub struct Wiring {
    host: String,
    port: u16,
    tls: Arc<ClientConfig>,
}

impl Wiring {
    /// A server at a host's name or address.
    ///
    /// # Errors
    /// `egress.target.invalid` for no host; `egress.answer.untrusted` for authorities of no use.
    pub fn new(host: &str, port: u16, trust: &Trust, clock: Arc<dyn Clock>) -> Result<Self, Fault> {
        let known = ServerName::try_from(host.to_owned());
        if known.is_err() || port == 0 {
            let say = "the server is a name or an address, and a port from 1 to 65535";
            return Err(Fault::new(&code::EGRESS_TARGET_INVALID, say));
        }
        let mut tls = trust.config(clock)?;
        // What is spoken here is no HTTP.
        tls.alpn_protocols = Vec::new();
        Ok(Self { host: host.to_owned(), port, tls: Arc::new(tls) })
    }

    /// Connects, in plain. Every address of the name is judged before one of them is called.
    ///
    /// # Errors
    /// `egress.target.denied`, `egress.target.unreachable`.
    pub fn open(&self, _for: Purpose, patience: Duration) -> Result<Wire, Fault> {
        let until = Instant::now() + patience;
        let found = (self.host.as_str(), self.port).to_socket_addrs();
        let found: Vec<SocketAddr> = found.map_err(|_quoting| unreachable())?.collect();
        if found.iter().any(|address| class(address.ip()) == Class::Never) {
            let say = "the server's address is no machine's";
            return Err(Fault::new(&code::EGRESS_TARGET_DENIED, say));
        }
        for address in found.into_iter().take(CALLS_MAX) {
            let left = left(until).map_err(|_late| unreachable())?;
            if let Ok(stream) = TcpStream::connect_timeout(&address, left) {
                let over = Over::Plain(stream);
                let is_local = address.ip().is_loopback();
                return Ok(Wire { wiring: self.clone(), over, until, is_local });
            }
        }
        Err(unreachable())
    }
}

enum Over {
    Plain(TcpStream),
    Tls(Box<StreamOwned<ClientConnection, TcpStream>>),
}

/// The connection. Each read and write fails once its time is over.
pub struct Wire {
    wiring: Wiring,
    over: Over,
    until: Instant,
    is_local: bool,
}

impl fmt::Debug for Wire {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Wire").field("is_secure", &self.is_secure()).finish_non_exhaustive()
    }
}

impl Wire {
    /// Begins TLS. Nothing that came before it is believed after it: whoever reads ahead throws that away.
    ///
    /// # Errors
    /// `egress.answer.untrusted`.
    pub fn secure(self) -> Result<Self, Fault> {
        let Over::Plain(mut stream) = self.over else { return Ok(self) };
        let untrusted =
            || Fault::new(&code::EGRESS_UNTRUSTED, "the server did not prove who it is");
        let name = ServerName::try_from(self.wiring.host.clone());
        let name = name.map_err(|_quoting| untrusted())?;
        let made = ClientConnection::new(Arc::clone(&self.wiring.tls), name);
        let mut connection = made.map_err(|_quoting| untrusted())?;
        while connection.is_handshaking() {
            in_time(&stream, self.until).map_err(|_late| untrusted())?;
            connection.complete_io(&mut stream).map_err(|_quoting| untrusted())?;
        }
        let over = Over::Tls(Box::new(StreamOwned::new(connection, stream)));
        Ok(Self { over, ..self })
    }

    /// Whether what is said now is said by TLS.
    pub const fn is_secure(&self) -> bool {
        matches!(self.over, Over::Tls(_))
    }

    /// Whether it never leaves this machine.
    pub const fn is_local(&self) -> bool {
        self.is_local
    }
}

impl Read for Wire {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        match &mut self.over {
            Over::Plain(stream) => {
                in_time(stream, self.until)?;
                stream.read(into)
            }
            Over::Tls(stream) => {
                in_time(&stream.sock, self.until)?;
                stream.read(into)
            }
        }
    }
}

impl Write for Wire {
    fn write(&mut self, from: &[u8]) -> io::Result<usize> {
        match &mut self.over {
            Over::Plain(stream) => {
                in_time(stream, self.until)?;
                stream.write(from)
            }
            Over::Tls(stream) => {
                in_time(&stream.sock, self.until)?;
                stream.write(from)
            }
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match &mut self.over {
            Over::Plain(stream) => stream.flush(),
            Over::Tls(stream) => stream.flush(),
        }
    }
}

fn left(until: Instant) -> io::Result<Duration> {
    let left = until.saturating_duration_since(Instant::now());
    if left.is_zero() { Err(io::ErrorKind::TimedOut.into()) } else { Ok(left) }
}

/// What is left of the time of all is the time of the next step.
fn in_time(stream: &TcpStream, until: Instant) -> io::Result<()> {
    let left = left(until)?;
    stream.set_read_timeout(Some(left))?;
    stream.set_write_timeout(Some(left))
}

fn unreachable() -> Fault {
    Fault::new(&code::EGRESS_UNREACHABLE, "the server cannot be reached")
}

#[cfg(test)]
mod tests {
    use super::*;
    use base::time::SystemClock;

    fn wiring(host: &str, port: u16) -> Result<Wiring, Fault> {
        Wiring::new(host, port, &Trust::default(), Arc::new(SystemClock))
    }

    #[test]
    fn what_is_no_machine_is_not_called() {
        for host in ["224.0.0.1", "169.254.169.254", "0.0.0.0"] {
            let wire = wiring(host, 25).unwrap();
            let fault = wire.open(Purpose("mail"), Duration::from_millis(50)).unwrap_err();
            assert_eq!(fault.code(), &code::EGRESS_TARGET_DENIED, "{host}");
        }
        assert!(wiring("a host", 25).is_err());
        assert!(wiring("mail.example", 0).is_err());
    }
}
