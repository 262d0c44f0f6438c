//! One request and its answer over one connection to one pinned address (RFC 9112). Nothing is kept
//! open: a connection that is used twice would be judged once.

use crate::policy::Bounds;
use crate::target::{Host, Origin};
use base::Fault;
use base::error::code;
use bytes::Bytes;
use http::header::{CONTENT_ENCODING, CONTENT_LENGTH};
use http::{HeaderMap, Request, StatusCode};
use http_body_util::{BodyExt as _, Full, LengthLimitError, Limited};
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use rustls::ClientConfig;
use rustls::pki_types::ServerName;
use std::io::Read as _;
use std::sync::Arc;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::task::JoinSet;
use tokio_rustls::TlsConnector;

/// What came back over one connection.
#[derive(Debug)]
pub(crate) struct Answered {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

/// Sends a request over a connection, by TLS when the origin says so.
pub(crate) async fn exchange(
    stream: TcpStream,
    origin: &Origin,
    tls: &Arc<ClientConfig>,
    request: Request<Full<Bytes>>,
    bounds: &Bounds,
) -> Result<Answered, Fault> {
    if !origin.secure {
        return speak(stream, request, bounds).await;
    }
    let name = match &origin.host {
        Host::Name(name) => ServerName::try_from(name.clone()).map_err(|_quoting| untrusted())?,
        Host::Address(address) => ServerName::from(*address),
    };
    let connector = TlsConnector::from(Arc::clone(tls));
    let stream = connector.connect(name, stream).await.map_err(|_quoting| untrusted())?;
    speak(stream, request, bounds).await
}

async fn speak<S: AsyncRead + AsyncWrite + Unpin + Send + 'static>(
    stream: S,
    request: Request<Full<Bytes>>,
    bounds: &Bounds,
) -> Result<Answered, Fault> {
    let (mut sender, connection) = http1::Builder::new()
        .max_headers(bounds.headers)
        // The library takes no less than 8 KiB for its buffer.
        .max_buf_size(bounds.head_bytes.max(8 << 10))
        .handshake(TokioIo::new(stream))
        .await
        .map_err(|_quoting| unreadable("the connection broke off"))?;
    // Ends with this function, however it ends.
    let mut driver = JoinSet::new();
    driver.spawn(connection);
    let answer = sender
        .send_request(request)
        .await
        .map_err(|_quoting| unreadable("the answer is no HTTP, or its head is too large"))?;
    let (parts, body) = answer.into_parts();
    let most = bounds.body_bytes;
    let announced = parts.headers.get(CONTENT_LENGTH).and_then(|v| v.to_str().ok()?.parse().ok());
    if announced.is_some_and(|length: u64| length > most as u64) {
        return Err(too_large(most));
    }
    let bytes = match Limited::new(body, most).collect().await {
        Ok(collected) => collected.to_bytes(),
        Err(error) if error.is::<LengthLimitError>() => return Err(too_large(most)),
        Err(_) => return Err(unreadable("the body ended before all of it had come")),
    };
    let body = unpack(&parts.headers, bytes, most)?;
    Ok(Answered { status: parts.status, headers: parts.headers, body })
}

/// Undoes the one encoding we say we take.
fn unpack(headers: &HeaderMap, packed: Bytes, most: usize) -> Result<Bytes, Fault> {
    let mut encodings = headers.get_all(CONTENT_ENCODING).iter();
    let encoding = encodings.next().map(|value| value.to_str().unwrap_or("?").trim());
    if encodings.next().is_some() {
        return Err(unreadable("the body is encoded twice"));
    }
    match encoding {
        None | Some("identity" | "") => Ok(packed),
        Some("gzip" | "x-gzip") if packed.is_empty() => Ok(packed),
        Some("gzip" | "x-gzip") => {
            let limit = u64::try_from(most).unwrap_or(u64::MAX).saturating_add(1);
            let mut out = Vec::with_capacity(packed.len().saturating_mul(2).min(most));
            flate2::read::MultiGzDecoder::new(&*packed)
                .take(limit)
                .read_to_end(&mut out)
                .map_err(|_quoting| unreadable("the body does not decode as gzip"))?;
            if out.len() > most { Err(too_large(most)) } else { Ok(Bytes::from(out)) }
        }
        Some(_) => Err(unreadable("the body has an encoding that was not asked for")),
    }
}

fn too_large(most: usize) -> Fault {
    let what = format!("the answer is larger than the {most} bytes it may have");
    Fault::new(&code::EGRESS_ANSWER_TOO_LARGE, what)
}

fn unreadable(what: &str) -> Fault {
    Fault::new(&code::EGRESS_ANSWER_INVALID, what)
}

fn untrusted() -> Fault {
    let what = "the other system did not prove who it is, or speaks no TLS of our time";
    Fault::new(&code::EGRESS_UNTRUSTED, what)
}
