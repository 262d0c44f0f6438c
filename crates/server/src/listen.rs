//! The port: accepting connections, speaking HTTP/1.1 on each, and stopping without breaking off an
//! answer (RFC 9112), by TLS when there is a certificate. Every connection has a bound on how long it
//! may stay silent, and every address on how many it may hold.

use crate::config::Config;
use crate::desk::House;
use crate::pace::Paced;
use crate::service;
use crate::state::State;
use crate::tls::Tls;
use base::error::code;
use base::id::Random;
use base::{Clock, Fault};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use record::Record;
use scheduling::waitlist::send::Standing;
use std::future::Future;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, watch};
use tokio::task::JoinSet;
use tokio_rustls::TlsAcceptor;
use tracing::{debug, info, warn};

/// Bytes of a request's head, its address included.
const HEAD_BYTES_MAX: usize = 64 << 10;
/// Headers of a request: real ones have a dozen.
const HEADERS_MAX: usize = 100;
/// How long to wait when the system has no descriptor left for a connection.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// A server, made and not yet serving.
#[derive(Debug)]
pub struct Server {
    state: Arc<State>,
    listener: TcpListener,
}

impl Server {
    /// Checks the settings and opens the port.
    ///
    /// # Errors
    /// `server.parameter.invalid` for settings that make no sense; `server.internal` when the port
    /// cannot be opened.
    pub async fn bind(
        record: Record,
        config: Config,
        clock: Arc<dyn Clock>,
        random: Box<dyn Random>,
    ) -> Result<Self, Fault> {
        config.check(clock.now())?;
        let listener = TcpListener::bind(config.listen).await.map_err(|error| {
            let what = format!("cannot listen on {}: {error}", config.listen);
            Fault::at(&code::INTERNAL, what, "listen")
        })?;
        let state = Arc::new(State::new(record, config, clock, random)?);
        if let Some(waiver) = &state.config.plaintext_waiver {
            let (until, reason) = (&waiver.date, &waiver.reason);
            warn!(%until, %reason, "TLS is waived: what callers ask and read can be read on the way");
        }
        Ok(Self { state, listener })
    }

    /// Lets apps be signed in as well: the endpoints below `/auth` are answered by this.
    ///
    /// # Errors
    /// `server.parameter.invalid` when the base address does not end in `/fhir`: the addresses of the
    /// endpoints follow from it.
    pub fn with_smart(mut self, smart: Arc<smart::Smart>) -> Result<Self, Fault> {
        let base = self.state.config.base_url.as_deref();
        if base.is_some_and(|base| smart::Place::of(base).is_none()) {
            let what = "apps can be signed in only when the base address ends in /fhir";
            return Err(Fault::at(&code::PARAMETER_INVALID, what, "base_url"));
        }
        let Some(state) = Arc::get_mut(&mut self.state) else {
            return Err(Fault::new(&code::INTERNAL, "the server serves already"));
        };
        state.smart = Some(smart);
        Ok(self)
    }

    /// Lets people sign in by the issuers of this, too.
    ///
    /// # Errors
    /// `server.internal` when the server serves already.
    pub fn with_federation(
        mut self,
        federation: Arc<federation::Federation>,
    ) -> Result<Self, Fault> {
        let Some(state) = Arc::get_mut(&mut self.state) else {
            return Err(Fault::new(&code::INTERNAL, "the server serves already"));
        };
        state.federation = Some(federation);
        Ok(self)
    }

    /// Lets whoever comes be any of the people of a demo, by one click in the console.
    ///
    /// # Errors
    /// `server.internal` when the server serves already.
    pub fn with_demo(mut self, demo: console::Demo) -> Result<Self, Fault> {
        let Some(state) = Arc::get_mut(&mut self.state) else {
            return Err(Fault::new(&code::INTERNAL, "the server serves already"));
        };
        state.demo = Some(Arc::new(demo));
        Ok(self)
    }

    /// Tells who watches over the server how the looks at the waiting list go.
    ///
    /// # Errors
    /// `server.internal` when the server serves already.
    pub fn with_waitlist(mut self, standing: Arc<Standing>) -> Result<Self, Fault> {
        let Some(state) = Arc::get_mut(&mut self.state) else {
            return Err(Fault::new(&code::INTERNAL, "the server serves already"));
        };
        state.waitlist = Some(standing);
        Ok(self)
    }

    /// Tells the console of what is around the server, and lets the first administrator be made in it.
    ///
    /// # Errors
    /// `server.internal` when the server serves already.
    pub fn with_house(mut self, house: Arc<dyn House>) -> Result<Self, Fault> {
        let Some(state) = Arc::get_mut(&mut self.state) else {
            return Err(Fault::new(&code::INTERNAL, "the server serves already"));
        };
        state.house = Some(house);
        Ok(self)
    }

    /// Where it listens; the port is the one the system chose when 0 was asked for.
    pub fn address(&self) -> SocketAddr {
        self.listener.local_addr().unwrap_or(self.state.config.listen)
    }

    /// What its addresses begin with: `https`, or `http` without TLS.
    pub fn scheme(&self) -> &'static str {
        self.state.scheme()
    }

    /// Serves until `stop` is done; then lets what is in flight finish, as long as the settings say.
    pub async fn run(self, stop: impl Future<Output = ()>) {
        let (closing, closed) = watch::channel(false);
        let mut connections = JoinSet::new();
        let slots = Arc::new(Semaphore::new(self.state.config.connections_max));
        tokio::pin!(stop);
        let watching = watch_files(&self.state);
        loop {
            let slot = tokio::select! {
                () = &mut stop => break,
                slot = Arc::clone(&slots).acquire_owned() => slot,
            };
            let (stream, peer) = tokio::select! {
                () = &mut stop => break,
                accepted = self.listener.accept() => match accepted {
                    Ok((stream, peer)) => (stream, peer.ip()),
                    Err(error) => {
                        warn!(kind = %error.kind(), "a connection was not accepted");
                        tokio::time::sleep(ACCEPT_PAUSE).await;
                        continue;
                    }
                },
            };
            let (state, closed) = (Arc::clone(&self.state), closed.clone());
            connections.spawn(async move {
                connection(state, stream, peer, closed).await;
                drop(slot);
            });
            while connections.try_join_next().is_some() {}
        }
        drop(self.listener);
        drop(watching);
        self.state.drain();
        let in_flight = self.state.metrics.in_flight();
        info!(in_flight, "stopping: requests in flight may finish");
        let _ = closing.send(true);
        let patience = Duration::from_millis(self.state.config.drain_ms);
        let all_done = async { while connections.join_next().await.is_some() {} };
        if tokio::time::timeout(patience, all_done).await.is_err() {
            let in_flight = self.state.metrics.in_flight();
            warn!(in_flight, "stopped before all requests were answered");
            connections.shutdown().await;
        }
    }
}

/// Looks at the TLS files now and then, until what it answers is dropped.
fn watch_files(state: &Arc<State>) -> Option<JoinSet<()>> {
    state.tls.as_ref()?;
    let state = Arc::clone(state);
    let mut watching = JoinSet::new();
    watching.spawn(async move {
        loop {
            tokio::time::sleep(Duration::from_millis(state.config.tls_look_ms.max(10))).await;
            let state = Arc::clone(&state);
            // Reading files may wait for a disk.
            let looked = tokio::task::spawn_blocking(move || state.tls.as_ref().map(Tls::look));
            if looked.await.is_err() {
                warn!("looking at the TLS files failed in an unforeseen way");
            }
        }
    });
    Some(watching)
}

async fn connection(
    state: Arc<State>,
    stream: TcpStream,
    peer: IpAddr,
    mut closed: watch::Receiver<bool>,
) {
    let _counted = state.metrics.connect();
    let most = state.config.connections_per_address_max;
    let Some(_place) = state.connections.enter(peer, most) else {
        state.metrics.crowd();
        debug!("a connection was closed: its address has too many");
        return;
    };
    // Answers are written whole; waiting to fill a packet only delays them.
    if stream.set_nodelay(true).is_err() {
        return;
    }
    let idle = Duration::from_millis(state.config.idle_ms);
    let stream = Paced::new(stream, idle);
    let Some(tls) = &state.tls else {
        return speak(&state, stream, peer, closed).await;
    };
    let patience = Duration::from_millis(state.config.tls_handshake_ms);
    let acceptor = TlsAcceptor::from(tls.config());
    let shaken = tokio::select! {
        shaken = tokio::time::timeout(patience, acceptor.accept(stream)) => shaken,
        _ = closed.changed() => return,
    };
    match shaken {
        Ok(Ok(stream)) => speak(&state, stream, peer, closed).await,
        Ok(Err(_)) | Err(_) => {
            state.metrics.handshake_failed();
            debug!("a TLS handshake came to nothing");
        }
    }
}

/// Speaks HTTP/1.1 on a connection until either side is done with it.
async fn speak<S: AsyncRead + AsyncWrite + Unpin>(
    state: &Arc<State>,
    stream: S,
    peer: IpAddr,
    mut closed: watch::Receiver<bool>,
) {
    let idle = Duration::from_millis(state.config.idle_ms);
    let service = service_fn(move |request| service::handle(Arc::clone(state), peer, request));
    let serving = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(idle)
        .max_buf_size(HEAD_BYTES_MAX)
        .max_headers(HEADERS_MAX)
        .pipeline_flush(true)
        .serve_connection(TokioIo::new(stream), service);
    tokio::pin!(serving);
    let mut told = false;
    loop {
        tokio::select! {
            done = serving.as_mut() => {
                if done.is_err() {
                    debug!("a connection was broken off");
                }
                return;
            }
            _ = closed.changed(), if !told => {
                told = true;
                serving.as_mut().graceful_shutdown();
            }
        }
    }
}
