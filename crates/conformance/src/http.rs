//! A plain HTTP/1.1 caller on one kept-alive connection (RFC 9112): enough to question a server, and
//! nothing it could share with the server it questions. It never repeats a request by itself: whether
//! a write that broke off was done is what some of its users want to know.

use anyhow::{Context, bail};
use serde_json::Value;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::time::Duration;

/// The media type of FHIR JSON.
pub const FHIR_JSON: &str = "application/fhir+json";
/// Longer than any answer should take; a test that waits forever tells nothing.
const PATIENCE: Duration = Duration::from_secs(120);
/// No answer of a right server is longer.
const BODY_MAX: usize = 1 << 30;

/// A server's address and one connection to it.
#[derive(Debug)]
pub struct Http {
    authority: String,
    base: String,
    token: Option<String>,
    stream: Option<BufReader<TcpStream>>,
}

/// What a server answered.
#[derive(Debug, Clone, Default)]
pub struct Answer {
    /// The status code.
    pub status: u16,
    /// Names in lower case, and values.
    pub headers: Vec<(String, String)>,
    /// The bytes of the body.
    pub body: Vec<u8>,
}

impl Answer {
    /// A header by its name in lower case.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(n, _)| n == name).map(|(_, value)| value.as_str())
    }

    /// The body as JSON.
    pub fn json(&self) -> anyhow::Result<Value> {
        serde_json::from_slice(&self.body).with_context(|| {
            let start = self.body.get(..200).unwrap_or(&self.body);
            format!("status {}, not JSON: {}", self.status, String::from_utf8_lossy(start))
        })
    }

    /// The answer, if its status is one of success.
    pub fn ok(self) -> anyhow::Result<Self> {
        if !(200..300).contains(&self.status) {
            let start = self.body.get(..600).unwrap_or(&self.body);
            bail!("status {}: {}", self.status, String::from_utf8_lossy(start));
        }
        Ok(self)
    }

    /// The version an `ETag` names (`W/"3"`), <https://hl7.org/fhir/R4/http.html#versioning>.
    pub fn version(&self) -> Option<u64> {
        self.header("etag")?.trim_start_matches("W/").trim_matches('"').parse().ok()
    }
}

impl Http {
    /// For a base address such as `http://127.0.0.1:8080/fhir`.
    pub fn new(url: &str) -> anyhow::Result<Self> {
        let rest = url.strip_prefix("http://").context("the address must begin with http://")?;
        let rest = rest.trim_end_matches('/');
        let (authority, base) = rest.find('/').map_or((rest, ""), |at| rest.split_at(at));
        Ok(Self {
            authority: authority.to_owned(),
            base: base.to_owned(),
            token: None,
            stream: None,
        })
    }

    /// Sends this token with every request (RFC 6750).
    #[must_use]
    pub fn with_token(mut self, token: Option<&str>) -> Self {
        self.token = token.map(str::to_owned);
        self
    }

    /// Another connection to the same server.
    pub fn another(&self) -> Self {
        Self {
            authority: self.authority.clone(),
            base: self.base.clone(),
            token: self.token.clone(),
            stream: None,
        }
    }

    /// Reads `path`, which is relative to the base or a whole address the server gave.
    pub fn get(&mut self, path: &str) -> anyhow::Result<Answer> {
        self.send("GET", path, &[("accept", FHIR_JSON)], b"")
    }

    /// Sends FHIR JSON.
    pub fn put(&mut self, method: &str, path: &str, body: &[u8]) -> anyhow::Result<Answer> {
        self.send(method, path, &[("content-type", FHIR_JSON), ("accept", FHIR_JSON)], body)
    }

    /// One request and its answer. After an error the connection is gone, and the next call opens
    /// another.
    pub fn send(
        &mut self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: &[u8],
    ) -> anyhow::Result<Answer> {
        let mut stream = match self.stream.take() {
            Some(stream) => stream,
            None => self.connect()?,
        };
        let request = self.request(method, path, headers, body);
        stream.get_mut().write_all(&request).context("the request was not taken")?;
        let (answer, keep) = receive(&mut stream, method == "HEAD")?;
        if keep {
            self.stream = Some(stream);
        }
        Ok(answer)
    }

    fn connect(&self) -> anyhow::Result<BufReader<TcpStream>> {
        let stream = TcpStream::connect(&self.authority)
            .with_context(|| format!("no connection to {}", self.authority))?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(PATIENCE))?;
        stream.set_write_timeout(Some(PATIENCE))?;
        Ok(BufReader::with_capacity(64 << 10, stream))
    }

    fn request(&self, method: &str, path: &str, headers: &[(&str, &str)], body: &[u8]) -> Vec<u8> {
        let own = format!("http://{}", self.authority);
        let target = match path.strip_prefix(&own) {
            Some(absolute) => absolute.to_owned(),
            None if path.is_empty() || path.starts_with('?') => format!("{}{path}", self.base),
            None => format!("{}/{}", self.base, path.trim_start_matches('/')),
        };
        let mut out = format!("{method} {target} HTTP/1.1\r\nhost: {}\r\n", self.authority);
        if let Some(token) = &self.token {
            out.push_str(&format!("authorization: Bearer {token}\r\n"));
        }
        for (name, value) in headers {
            out.push_str(&format!("{name}: {value}\r\n"));
        }
        if !body.is_empty() || matches!(method, "POST" | "PUT" | "PATCH") {
            out.push_str(&format!("content-length: {}\r\n", body.len()));
        }
        out.push_str("\r\n");
        let mut out = out.into_bytes();
        out.extend_from_slice(body);
        out
    }
}

/// Percent-encodes the words of a query written for people (`code=a|b&date=ge2019`).
pub fn encode_query(query: &str) -> String {
    let mut out = String::with_capacity(query.len() + 16);
    for byte in query.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' => out.push(char::from(byte)),
            b'-' | b'.' | b'_' | b'~' | b'&' | b'=' | b':' | b',' | b'/' => {
                out.push(char::from(byte));
            }
            _ => out.push_str(&format!("%{byte:02X}")),
        }
    }
    out
}

fn receive(stream: &mut BufReader<TcpStream>, no_body: bool) -> anyhow::Result<(Answer, bool)> {
    let first = line(stream)?;
    let status = first.split(' ').nth(1).and_then(|code| code.parse().ok());
    let status: u16 = status.with_context(|| format!("not an HTTP answer: {first:?}"))?;
    let mut answer = Answer { status, ..Answer::default() };
    loop {
        let line = line(stream)?;
        if line.is_empty() {
            break;
        }
        let (name, value) = line.split_once(':').context("a header without a colon")?;
        answer.headers.push((name.to_ascii_lowercase(), value.trim().to_owned()));
    }
    let keep = answer.header("connection").is_none_or(|v| !v.eq_ignore_ascii_case("close"));
    if no_body || matches!(status, 204 | 304 | 100..=199) {
        return Ok((answer, keep));
    }
    if answer.header("transfer-encoding").is_some_and(|v| v.eq_ignore_ascii_case("chunked")) {
        answer.body = chunks(stream)?;
    } else {
        let length = answer.header("content-length").context("an answer without its length")?;
        let length = length.parse()?;
        read_into(stream, &mut answer.body, length)?;
    }
    Ok((answer, keep))
}

fn chunks(stream: &mut BufReader<TcpStream>) -> anyhow::Result<Vec<u8>> {
    let mut body = Vec::new();
    loop {
        let line = line(stream)?;
        let size = line.split(';').next().unwrap_or("").trim();
        let size = usize::from_str_radix(size, 16).context("the size of a chunk")?;
        if size == 0 {
            while !self::line(stream)?.is_empty() {}
            return Ok(body);
        }
        read_into(stream, &mut body, size)?;
        self::line(stream)?;
    }
}

fn read_into(
    stream: &mut BufReader<TcpStream>,
    body: &mut Vec<u8>,
    length: usize,
) -> anyhow::Result<()> {
    if length.saturating_add(body.len()) > BODY_MAX {
        bail!("an answer of more than {BODY_MAX} bytes");
    }
    let taken = stream.take(u64::try_from(length)?).read_to_end(body)?;
    if taken != length {
        bail!("the answer broke off after {taken} of {length} bytes");
    }
    Ok(())
}

fn line(stream: &mut BufReader<TcpStream>) -> anyhow::Result<String> {
    let mut line = String::new();
    let taken = stream.take(64 << 10).read_line(&mut line).context("the answer did not come")?;
    if taken == 0 || !line.ends_with('\n') {
        bail!("the connection closed before the answer");
    }
    line.truncate(line.trim_end_matches(['\r', '\n']).len());
    Ok(line)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::TcpListener;
    use std::thread;

    fn answer_with(bytes: &'static [u8]) -> Http {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let url = format!("http://{}/fhir", listener.local_addr().expect("its address"));
        thread::spawn(move || {
            let (mut stream, _) = listener.accept().expect("a caller");
            let mut buffer = [0; 4096];
            let taken = stream.read(&mut buffer).expect("a request");
            assert!(taken > 0);
            stream.write_all(bytes).expect("an answer");
        });
        Http::new(&url).expect("an address")
    }

    #[test]
    fn reads_a_body_by_its_length_and_in_chunks() {
        let mut http =
            answer_with(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nETag: W/\"7\"\r\n\r\n{}");
        let answer = http.get("Patient/1").expect("an answer");
        assert_eq!((answer.status, answer.version()), (200, Some(7)));
        assert_eq!(answer.body, b"{}");
        let mut http = answer_with(
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2;x=y\r\nde\r\n0\r\n\r\n",
        );
        assert_eq!(http.get("metadata").expect("an answer").body, b"abcde");
    }

    #[test]
    fn an_answer_that_breaks_off_is_an_error() {
        let mut http = answer_with(b"HTTP/1.1 200 OK\r\nContent-Length: 20\r\n\r\n{}");
        assert!(http.get("Patient/1").is_err());
    }

    #[test]
    fn paths_are_put_below_the_base_and_whole_addresses_kept() {
        let http = Http::new("http://127.0.0.1:1/fhir/").expect("an address");
        let first = |path: &str| {
            let bytes = http.request("GET", path, &[], b"");
            String::from_utf8_lossy(&bytes).lines().next().unwrap_or("").to_owned()
        };
        assert_eq!(first("Patient/1"), "GET /fhir/Patient/1 HTTP/1.1");
        assert_eq!(first("?_page=x"), "GET /fhir?_page=x HTTP/1.1");
        assert_eq!(first("http://127.0.0.1:1/fhir/a?b"), "GET /fhir/a?b HTTP/1.1");
    }

    #[test]
    fn a_query_for_people_becomes_one_for_wires() {
        let encoded = encode_query("code=a|b$gt1|http://u|%&city=East Douglas");
        assert_eq!(encoded, "code=a%7Cb%24gt1%7Chttp://u%7C%25&city=East%20Douglas");
    }
}
