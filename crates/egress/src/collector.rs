//! A stream to a collector that the operator named on the command line: a log server, most often in
//! the same building (RFC 5425, RFC 6587). It may be private; what is no single machine is refused,
//! and without TLS nothing leaves this one.

use crate::address::{Class, class};
use crate::policy::Purpose;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};
use std::io::{self, Write};
use std::net::{SocketAddr, TcpStream, ToSocketAddrs as _};
use std::sync::Arc;
use std::time::Duration;

/// Certificates of a file of authorities that are read.
const CERTIFICATES_MAX: usize = 1000;

/// Where a collector is, and how it is known.
#[derive(Debug)]
pub struct Collector {
    address: String,
    tls: Option<(Arc<ClientConfig>, ServerName<'static>)>,
}

impl Collector {
    /// A collector on this machine, `host:port`, in plain.
    ///
    /// # Errors
    /// When the address is not this machine's alone.
    pub fn plain(address: &str) -> io::Result<Self> {
        if !address.to_socket_addrs()?.all(|address| address.ip().is_loopback()) {
            return Err(io::Error::other("plain TCP shows what is sent to the network; use TLS"));
        }
        Ok(Self { address: address.to_owned(), tls: None })
    }

    /// A collector `host:port` whose certificate one of these authorities signed for that host.
    ///
    /// # Errors
    /// When the host is no name or address, or `authorities` is not PEM.
    pub fn tls(address: &str, authorities: &[u8]) -> io::Result<Self> {
        let host = address.rsplit_once(':').map_or(address, |(host, _)| host);
        let name = ServerName::try_from(host.to_owned()).map_err(io::Error::other)?;
        let mut roots = RootCertStore::empty();
        for certificate in CertificateDer::pem_slice_iter(authorities).take(CERTIFICATES_MAX) {
            roots.add(certificate.map_err(io::Error::other)?).map_err(io::Error::other)?;
        }
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let config = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(io::Error::other)?
            .with_root_certificates(roots)
            .with_no_client_auth();
        Ok(Self { address: address.to_owned(), tls: Some((Arc::new(config), name)) })
    }

    /// `host:port`
    pub fn address(&self) -> &str {
        &self.address
    }

    /// Connects. The name is resolved once, and the address that was judged is the one that is dialled;
    /// `patience` bounds the connection and each read and write.
    ///
    /// # Errors
    /// When the name has no address, the address is refused, nobody answers, or whoever answers is not
    /// trusted.
    pub fn connect(&self, _for: Purpose, patience: Duration) -> io::Result<Box<dyn Write>> {
        let stream = dial(&self.address, patience)?;
        let Some((config, name)) = &self.tls else { return Ok(Box::new(stream)) };
        let connection = ClientConnection::new(Arc::clone(config), name.clone());
        let mut stream = StreamOwned::new(connection.map_err(io::Error::other)?, stream);
        // Who the collector is, is settled before anything is sent.
        while stream.conn.is_handshaking() {
            stream.conn.complete_io(&mut stream.sock)?;
        }
        Ok(Box::new(stream))
    }
}

fn dial(address: &str, patience: Duration) -> io::Result<TcpStream> {
    let found: Option<SocketAddr> = address.to_socket_addrs()?.next();
    let found = found.ok_or_else(|| io::Error::other("the collector has no address"))?;
    if class(found.ip()) == Class::Never {
        return Err(io::Error::other("the collector's address is no machine's"));
    }
    let stream = TcpStream::connect_timeout(&found, patience)?;
    stream.set_read_timeout(Some(patience))?;
    stream.set_write_timeout(Some(patience))?;
    Ok(stream)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_machine_is_refused() {
        for address in ["224.0.0.1:514", "169.254.169.254:80", "0.0.0.0:1"] {
            let error = dial(address, Duration::from_millis(50)).unwrap_err();
            assert_eq!(error.to_string(), "the collector's address is no machine's", "{address}");
        }
    }

    #[test]
    fn in_plain_nothing_leaves_this_machine() {
        assert!(Collector::plain("127.0.0.1:514").is_ok());
        assert!(Collector::plain("192.0.2.1:514").is_err());
    }
}
