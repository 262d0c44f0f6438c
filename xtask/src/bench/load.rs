//! The load: a fixed number of kept-alive connections, each with one request at a time (RFC 9112),
//! driven by one thread that waits on all of them. Requests are bytes made beforehand or by a closure,
//! answers are read no further than their length demands, so that the driver leaves the machine to
//! the server it measures. Every answer's status is checked, and its body by the caller.

use super::histogram::Histogram;
use anyhow::{Context, bail};
use mio::net::TcpStream;
use mio::{Events, Interest, Poll, Token};
use std::io::{ErrorKind, Read, Write};
use std::net::ToSocketAddrs;
use std::time::{Duration, Instant};

/// No answer for this long ends the run.
const SILENCE: Duration = Duration::from_secs(30);
/// Longer heads are not ours.
const HEAD_MAX: usize = 64 << 10;
/// Room for an answer at first.
const ROOM: usize = 64 << 10;

/// What to send, and what to make of the answers.
pub(super) trait Work {
    /// Puts the next request's bytes into `out`, which is empty; false when there is no more.
    fn request(&mut self, connection: usize, out: &mut Vec<u8>) -> bool;
    /// How much a right answer counts for; nothing if it is wrong. Called when the whole body is there.
    fn answer(&mut self, connection: usize, status: u16, body: &[u8]) -> Option<u64>;
}

/// What a run measured.
#[derive(Debug, Clone)]
pub(super) struct Outcome {
    pub(super) requests: u64,
    pub(super) units: u64,
    pub(super) errors: u64,
    pub(super) took: Duration,
    pub(super) latencies: Histogram,
    /// Processor time of the driver, a request.
    pub(super) driver_cpu: Duration,
}

impl Outcome {
    /// Units a second.
    pub(super) fn rate(&self) -> f64 {
        as_f64(self.units) / self.took.as_secs_f64()
    }

    /// A quantile in milliseconds.
    pub(super) fn ms(&self, thousandths: u64) -> f64 {
        self.latencies.quantile(thousandths).as_secs_f64() * 1e3
    }
}

/// A count as a number to divide; counts here stay far below 2^53.
#[expect(clippy::cast_precision_loss, reason = "counts of requests stay far below 2^53")]
pub(super) fn as_f64(count: u64) -> f64 {
    count as f64
}

/// Where requests go.
#[derive(Debug)]
pub(super) struct Target {
    /// Host and port.
    pub(super) authority: String,
    /// A header, with its line end, that each request gets.
    pub(super) header: String,
}

/// Runs `work` for `length`, or until it has no more.
pub(super) fn run(
    target: &Target,
    connections: usize,
    length: Duration,
    work: &mut dyn Work,
) -> anyhow::Result<Outcome> {
    let address = target.authority.to_socket_addrs()?.next().context("no address")?;
    let mut poll = Poll::new()?;
    let mut events = Events::with_capacity(connections.max(16));
    let mut lanes = Vec::with_capacity(connections);
    for i in 0..connections {
        let stream = std::net::TcpStream::connect(address)?;
        stream.set_nodelay(true)?;
        stream.set_nonblocking(true)?;
        let mut stream = TcpStream::from_std(stream);
        let interest = Interest::READABLE | Interest::WRITABLE;
        poll.registry().register(&mut stream, Token(i), interest)?;
        lanes.push(Lane::new(stream, &target.header));
    }
    let cpu = cpu_time()?;
    let began = Instant::now();
    let deadline = began + length;
    let mut outcome = Outcome {
        requests: 0,
        units: 0,
        errors: 0,
        took: Duration::ZERO,
        latencies: Histogram::new(),
        driver_cpu: Duration::ZERO,
    };
    let mut busy = 0;
    for (i, lane) in lanes.iter_mut().enumerate() {
        busy += usize::from(lane.begin(i, work)?);
    }
    while busy > 0 {
        poll.poll(&mut events, Some(SILENCE))?;
        if events.is_empty() {
            bail!("no answer for {SILENCE:?}; {busy} requests wait");
        }
        for event in &events {
            let Token(i) = event.token();
            let Some(lane) = lanes.get_mut(i).filter(|lane| lane.sent.is_some()) else { continue };
            if event.is_writable() {
                lane.write()?;
            }
            if !event.is_readable() {
                continue;
            }
            while let Some((status, from, to, sent)) = lane.read()? {
                outcome.latencies.record(sent.elapsed());
                outcome.requests += 1;
                match work.answer(i, status, lane.input.get(from..to).unwrap_or(&[])) {
                    Some(units) => outcome.units += units,
                    None => outcome.errors += 1,
                }
                lane.filled = 0;
                if Instant::now() >= deadline || !lane.begin(i, work)? {
                    busy -= 1;
                    break;
                }
            }
        }
    }
    outcome.took = began.elapsed();
    let cpu = cpu_time()?.saturating_sub(cpu);
    outcome.driver_cpu = cpu / u32::try_from(outcome.requests.max(1)).unwrap_or(u32::MAX);
    Ok(outcome)
}

/// One connection.
struct Lane<'t> {
    stream: TcpStream,
    /// What each request gets after its first line.
    header: &'t str,
    output: Vec<u8>,
    written: usize,
    /// Room for an answer, of which the first `filled` bytes are there. It only grows: clearing it
    /// for each read would cost more than the read.
    input: Vec<u8>,
    filled: usize,
    sent: Option<Instant>,
}

impl<'t> Lane<'t> {
    fn new(stream: TcpStream, header: &'t str) -> Self {
        let (input, output) = (vec![0; ROOM], Vec::with_capacity(4 << 10));
        Self { stream, header, output, written: 0, input, filled: 0, sent: None }
    }

    /// Sends the next request, if there is one.
    fn begin(&mut self, i: usize, work: &mut dyn Work) -> anyhow::Result<bool> {
        self.output.clear();
        self.written = 0;
        if !work.request(i, &mut self.output) {
            self.sent = None;
            return Ok(false);
        }
        if let Some(end) = self.output.windows(2).position(|two| two == b"\r\n") {
            let at = end + 2;
            self.output.splice(at..at, self.header.bytes());
        }
        self.sent = Some(Instant::now());
        self.write()?;
        Ok(true)
    }

    fn write(&mut self) -> anyhow::Result<()> {
        while let Some(rest) = self.output.get(self.written..).filter(|rest| !rest.is_empty()) {
            match self.stream.write(rest) {
                Ok(taken) => self.written += taken,
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(()),
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(error).context("a request was not taken"),
            }
        }
        Ok(())
    }

    /// Reads what is there; the status and where the body is, once the answer is whole.
    fn read(&mut self) -> anyhow::Result<Option<(u16, usize, usize, Instant)>> {
        let Some(sent) = self.sent else { return Ok(None) };
        loop {
            if self.filled == self.input.len() {
                self.input.resize(2 * self.filled, 0);
            }
            let space = self.input.get_mut(self.filled..).unwrap_or(&mut []);
            let room = space.len();
            let taken = self.stream.read(space);
            self.filled += taken.as_ref().copied().unwrap_or(0);
            match taken {
                Ok(0) => bail!("the server closed a connection"),
                Ok(taken) => {
                    let there = self.input.get_mut(..self.filled).unwrap_or(&mut []);
                    if let Some(whole) = whole(there)? {
                        return Ok(Some((whole.0, whole.1, whole.2, sent)));
                    }
                    // A short read has emptied the socket.
                    if taken < room {
                        return Ok(None);
                    }
                }
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(None),
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(error).context("an answer broke off"),
            }
        }
    }
}

/// The status and the place of the body, if the answer is whole. Chunks are put together in place.
fn whole(input: &mut [u8]) -> anyhow::Result<Option<(u16, usize, usize)>> {
    let Some(head) = find(input, b"\r\n\r\n").map(|at| at + 4) else {
        if input.len() > HEAD_MAX {
            bail!("a head of more than {HEAD_MAX} bytes");
        }
        return Ok(None);
    };
    let status = input.get(9..12).and_then(|s| std::str::from_utf8(s).ok()?.parse().ok());
    let status: u16 = status.context("not an HTTP answer")?;
    let mut length = None;
    let mut chunked = false;
    for line in input.get(..head).unwrap_or(&[]).split(|b| *b == b'\n') {
        if let Some(value) = value_of(line, b"content-length") {
            length = std::str::from_utf8(value).ok().and_then(|v| v.trim().parse::<usize>().ok());
        } else if value_of(line, b"transfer-encoding").is_some() {
            chunked = true;
        }
    }
    if chunked {
        return Ok(chunks(input, head).map(|end| (status, head, end)));
    }
    let end = head + length.unwrap_or(0);
    Ok((input.len() >= end).then_some((status, head, end)))
}

fn value_of<'l>(line: &'l [u8], name: &[u8]) -> Option<&'l [u8]> {
    let (start, rest) = line.split_at_checked(name.len())?;
    start.eq_ignore_ascii_case(name).then(|| rest.strip_prefix(b":")).flatten()
}

/// Moves the chunks from `at` together once the last is there; the end of the body.
fn chunks(input: &mut [u8], at: usize) -> Option<usize> {
    let mut parts = Vec::new();
    let mut from = at;
    loop {
        let line = from + find(input.get(from..)?, b"\r\n")?;
        let size = std::str::from_utf8(input.get(from..line)?).ok()?;
        let size = usize::from_str_radix(size.split(';').next()?.trim(), 16).ok()?;
        let start = line + 2;
        input.get(start..start + size + 2)?;
        if size == 0 {
            break;
        }
        parts.push(start..start + size);
        from = start + size + 2;
    }
    let mut end = at;
    for part in parts {
        let length = part.len();
        input.copy_within(part, end);
        end += length;
    }
    Some(end)
}

fn find(text: &[u8], what: &[u8]) -> Option<usize> {
    text.windows(what.len()).position(|window| window == what)
}

/// Processor time of this thread so far, by the scheduler's own count.
fn cpu_time() -> anyhow::Result<Duration> {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat")?;
    let ns = text.split(' ').next().and_then(|ns| ns.parse().ok()).context("schedstat")?;
    Ok(Duration::from_nanos(ns))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::{BufRead, BufReader};
    use std::net::TcpListener;
    use std::thread;

    #[test]
    fn an_answer_is_whole_by_its_length_or_its_last_chunk() {
        let mut text = b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabc".to_vec();
        let (_, from, to) = whole(&mut text).expect("an answer").expect("a whole one");
        assert_eq!(&text[from..to], b"abc");
        text.pop();
        assert_eq!(whole(&mut text).expect("a part"), None);
        let head = "HTTP/1.1 201 C\r\ntransfer-encoding: chunked\r\n\r\n";
        let mut text = format!("{head}2\r\nab\r\n3\r\ncde\r\n0\r\n\r\n").into_bytes();
        let (status, from, to) = whole(&mut text).expect("an answer").expect("a whole one");
        assert_eq!((status, &text[from..to]), (201, &b"abcde"[..]));
        let mut text = format!("{head}2\r\nab\r\n3\r\ncde\r\n0\r\n").into_bytes();
        assert_eq!(whole(&mut text).expect("a part"), None);
        assert!(whole(&mut b"hello\r\n\r\n".to_vec()).is_err());
    }

    struct Ten(u64);
    impl Work for Ten {
        fn request(&mut self, _: usize, out: &mut Vec<u8>) -> bool {
            if self.0 == 0 {
                return false;
            }
            self.0 -= 1;
            out.extend_from_slice(b"GET / HTTP/1.1\r\nhost: a\r\n\r\n");
            true
        }

        fn answer(&mut self, _: usize, status: u16, body: &[u8]) -> Option<u64> {
            (status == 200 && body.len() == 200_000).then_some(2)
        }
    }

    #[test]
    fn every_answer_is_counted_once() {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let authority = listener.local_addr().expect("its address").to_string();
        for _ in 0..3 {
            let listener = listener.try_clone().expect("a listener");
            thread::spawn(move || {
                let (stream, _) = listener.accept().expect("a caller");
                let mut lines = BufReader::new(stream.try_clone().expect("a stream")).lines();
                let mut stream = stream;
                while let Some(Ok(line)) = lines.next() {
                    if line.is_empty() {
                        stream
                            .write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 200000\r\n\r\n")
                            .expect("sent");
                        stream.write_all(&[b'x'; 200_000]).expect("sent");
                    }
                }
            });
        }
        let target = Target { authority, header: "x: y\r\n".to_owned() };
        let outcome = run(&target, 3, Duration::from_secs(20), &mut Ten(10)).expect("a run");
        assert_eq!((outcome.requests, outcome.units, outcome.errors), (10, 20, 0));
    }
}
