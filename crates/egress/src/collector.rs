//! A stream to a collector that the operator named on the command line: a log server, most often in
//! the same building (RFC 5425, RFC 6587). It may be private; what is no single machine is refused.

use crate::address::{Class, class};
use crate::policy::Purpose;
use std::io;
use std::net::{TcpStream, ToSocketAddrs as _};
use std::time::Duration;

/// Connects to `host:port`. The name is resolved once, and the address that was judged is the one that
/// is dialled; `patience` bounds the connection and each read and write.
///
/// # Errors
/// When the name has no address, the address is refused, or nobody answers.
pub fn dial(_for: Purpose, address: &str, patience: Duration) -> io::Result<TcpStream> {
    let found = address.to_socket_addrs()?.next();
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
            let error = dial(Purpose("a test"), address, Duration::from_millis(50)).unwrap_err();
            assert_eq!(error.to_string(), "the collector's address is no machine's", "{address}");
        }
    }
}
