//! What stands between us and a server when things go wrong.
//!
//! [`Proxy`] understands HTTP just enough to break a chosen request in a chosen way, and tells which requests came
//! by. [`TcpProxy`] understands nothing and cuts anything. Both hand bytes on unchanged, the `Host` that a client
//! signed for included, listen on loopback, and end with their value.

mod door;
mod tcp;

use std::fmt;
use std::io::{self, BufRead, BufReader, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::Result;

pub(crate) use door::{Door, Line, lock};
pub use tcp::TcpProxy;

/// A request that came by, and what came back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    /// `GET`, `PUT`, …
    pub method: String,
    /// As it was sent, percent signs included, without the query.
    pub path: String,
    /// As it was sent, without the question mark; empty if there is none.
    pub query: String,
    /// The length of the body, where the head tells.
    pub length: u64,
    /// Whose key signed it, as S3 has it; empty without a signature.
    pub signer: String,
    /// Whether it must not replace an object.
    pub conditional: bool,
    /// The status that the client was sent; none if it was not sent any.
    pub status: Option<u16>,
}

impl Request {
    /// Whether the query has this key: `uploads`, `uploadId`, `list-type`, `delete`.
    pub fn has(&self, key: &str) -> bool {
        let mut keys = self
            .query
            .split('&')
            .filter_map(|pair| pair.split('=').next());
        keys.any(|found| found == key)
    }

    /// Whether it sends a part of an upload.
    pub fn is_part(&self) -> bool {
        self.method == "PUT" && self.has("uploadId")
    }

    /// Whether it asks to join the parts of an upload.
    pub fn is_completion(&self) -> bool {
        self.method == "POST" && self.has("uploadId")
    }

    /// Whether it takes an upload back.
    pub fn is_abort(&self) -> bool {
        self.method == "DELETE" && self.has("uploadId")
    }

    /// Whether it needs no more than the right to put objects and to abort uploads of one's own.
    pub fn is_write_only(&self) -> bool {
        match self.method.as_str() {
            "PUT" => true,
            "POST" => self.has("uploads") || self.has("uploadId"),
            "DELETE" => self.has("uploadId"),
            _ => false,
        }
    }
}

/// What happens to a request that a [`Fault`] meets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum What {
    /// The connection breaks before the server hears of it.
    Reset,
    /// The connection breaks after so many bytes of the request's body.
    CutRequest(u64),
    /// The connection breaks after so many bytes of the answer's body.
    CutResponse(u64),
    /// The server does what it is asked, and its answer is lost.
    LoseAnswer,
    /// The client gets this status with an error of S3, and the server hears nothing.
    Answer(u16),
    /// The same, with this word of S3 for it.
    Refuse(u16, &'static str),
    /// Both bodies pass at so many bytes a second.
    Slow(u64),
    /// Nobody answers, until the proxy ends.
    Silence,
}

/// Which requests are met, and how.
pub struct Fault {
    what: Option<What>,
    meets: Box<dyn Fn(&Request) -> bool + Send + Sync>,
    first: u64,
    last: u64,
    seen: AtomicU64,
}

impl Fault {
    /// Everything passes.
    pub fn none() -> Self {
        Self {
            what: None,
            ..Self::always(What::Reset)
        }
    }

    /// Every request is met.
    pub fn always(what: What) -> Self {
        Self {
            what: Some(what),
            meets: Box::new(|_| true),
            first: 1,
            last: u64::MAX,
            seen: AtomicU64::new(0),
        }
    }

    /// Only those of which `meets` says so are met, and counted.
    #[must_use]
    pub fn on(mut self, meets: impl Fn(&Request) -> bool + Send + Sync + 'static) -> Self {
        self.meets = Box::new(meets);
        self
    }

    /// Only the `n`-th of them, from 1; a repetition is another one.
    #[must_use]
    pub fn nth(self, n: u64) -> Self {
        Self {
            first: n,
            last: n,
            ..self
        }
    }

    /// The `n`-th of them, from 1, and all that follow.
    #[must_use]
    pub fn from(self, n: u64) -> Self {
        Self {
            first: n,
            last: u64::MAX,
            ..self
        }
    }

    /// So many of them, from the `n`-th on.
    #[must_use]
    pub fn burst(self, n: u64, times: u64) -> Self {
        Self {
            first: n,
            last: n + times - 1,
            ..self
        }
    }

    fn meet(&self, request: &Request) -> Option<What> {
        let what = self.what.filter(|_| (self.meets)(request))?;
        let nth = self.seen.fetch_add(1, Ordering::SeqCst) + 1;
        (self.first..=self.last).contains(&nth).then_some(what)
    }
}

impl fmt::Debug for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Fault")
            .field("what", &self.what)
            .field("first", &self.first)
            .finish_non_exhaustive()
    }
}

/// An HTTP proxy with a fault, in front of one server.
#[derive(Debug)]
pub struct Proxy {
    door: Door,
    state: Arc<HttpState>,
}

/// What is done to the head of a request before the server gets it.
type Translation = fn(&mut Vec<u8>);

#[derive(Debug)]
struct HttpState {
    translation: Translation,
    fault: Mutex<Arc<Fault>>,
    requests: Mutex<Vec<Request>>,
}

impl Proxy {
    /// Listens on a port of its own and hands on to `upstream`.
    pub fn start(upstream: SocketAddr, fault: Fault) -> Result<Self> {
        Self::translating(upstream, fault, |_| ())
    }

    /// … and speaks to it in another way than it is spoken to.
    pub(crate) fn translating(
        upstream: SocketAddr,
        fault: Fault,
        translation: Translation,
    ) -> Result<Self> {
        let state = Arc::new(HttpState {
            translation,
            fault: Mutex::new(Arc::new(fault)),
            requests: Mutex::default(),
        });
        let shared = Arc::clone(&state);
        let door = Door::open(move |client, line| {
            // An end is the usual end of a connection here, broken or not.
            let _ = shared.serve(client, upstream, line);
        })?;
        Ok(Self { door, state })
    }

    /// Where it listens.
    pub fn addr(&self) -> SocketAddr {
        self.door.addr
    }

    /// Its address, as an S3 client wants it.
    pub fn endpoint(&self) -> String {
        format!("http://{}", self.addr())
    }

    /// Another fault from now on, counted from its beginning.
    pub fn set(&self, fault: Fault) {
        *lock(&self.state.fault) = Arc::new(fault);
    }

    /// All requests so far, in the order of their arrival.
    pub fn requests(&self) -> Vec<Request> {
        lock(&self.state.requests).clone()
    }
}

impl HttpState {
    /// One connection of a client, with all the requests that it brings.
    fn serve(&self, client: TcpStream, upstream: SocketAddr, line: &Line) -> io::Result<()> {
        let server = line.watch(TcpStream::connect(upstream)?)?;
        let (mut to_client, mut to_server) = (client.try_clone()?, server.try_clone()?);
        let (mut from_client, mut from_server) = (BufReader::new(client), BufReader::new(server));
        while let Some(mut head) = Head::read(&mut from_client, Side::Request)? {
            let (number, what) = self.arrived(&head);
            let answered = |status| {
                if let Some(request) = lock(&self.requests).get_mut(number) {
                    request.status = Some(status);
                }
            };
            let (mut up, mut down, mut pace) = (u64::MAX, u64::MAX, None);
            match what {
                Some(What::Reset) => return Ok(()),
                Some(What::Silence) => return line.wait_for_the_end(),
                Some(What::Answer(status)) => {
                    head.body
                        .pass(&mut from_client, &mut io::sink(), u64::MAX, None)?;
                    answered(status);
                    to_client.write_all(error(status, word(status)).as_bytes())?;
                    continue;
                }
                Some(What::Refuse(status, word)) => {
                    head.body
                        .pass(&mut from_client, &mut io::sink(), u64::MAX, None)?;
                    answered(status);
                    to_client.write_all(error(status, word).as_bytes())?;
                    continue;
                }
                Some(What::CutRequest(bytes)) => up = bytes,
                Some(What::CutResponse(bytes)) => down = bytes,
                Some(What::Slow(bytes)) => pace = Some(bytes),
                Some(What::LoseAnswer) | None => {}
            }
            (self.translation)(&mut head.bytes);
            to_server.write_all(&head.bytes)?;
            // A server may refuse by its answer before it has read all; then the answer is what counts.
            let sent = head.body.pass(&mut from_client, &mut to_server, up, pace);
            if up != u64::MAX {
                return sent;
            }
            let answer = loop {
                let answer = Head::read(
                    &mut from_server,
                    Side::Answer {
                        to_head: head.method == "HEAD",
                    },
                )?;
                match answer {
                    None => return Ok(()),
                    Some(answer) if answer.status / 100 == 1 => {
                        to_client.write_all(&answer.bytes)?
                    }
                    Some(answer) => break answer,
                }
            };
            if what == Some(What::LoseAnswer) {
                return Ok(());
            }
            answered(answer.status);
            to_client.write_all(&answer.bytes)?;
            answer
                .body
                .pass(&mut from_server, &mut to_client, down, pace)?;
            if sent.is_err() || down != u64::MAX || answer.body == Body::ToTheEnd {
                return Ok(());
            }
        }
        Ok(())
    }

    fn arrived(&self, head: &Head) -> (usize, Option<What>) {
        let (path, query) = head.target.split_once('?').unwrap_or((&head.target, ""));
        let request = Request {
            method: head.method.clone(),
            path: path.to_owned(),
            query: query.to_owned(),
            length: if let Body::Length(length) = head.body {
                length
            } else {
                0
            },
            signer: head.signer(),
            conditional: head.says("if-none-match: *")
                || head.says("x-goog-if-generation-match: 0"),
            status: None,
        };
        let fault = Arc::clone(&lock(&self.fault));
        let mut requests = lock(&self.requests);
        let what = fault.meet(&request);
        requests.push(request);
        (requests.len() - 1, what)
    }
}

/// S3's usual word for a status.
fn word(status: u16) -> &'static str {
    match status {
        403 => "AccessDenied",
        404 => "NoSuchKey",
        429 | 503 => "SlowDown",
        501 => "NotImplemented",
        _ => "InternalError",
    }
}

/// An answer as S3 gives it.
fn error(status: u16, code: &str) -> String {
    let patience = if matches!(status, 429 | 503) {
        "Retry-After: 1\r\n"
    } else {
        ""
    };
    let body = format!(
        "<?xml version=\"1.0\"?><Error><Code>{code}</Code><Message>Made up by the proxy.</Message></Error>"
    );
    let length = body.len();
    format!(
        "HTTP/1.1 {status} Fault\r\n{patience}Content-Type: application/xml\r\nContent-Length: {length}\r\n\r\n{body}"
    )
}

#[derive(Clone, Copy)]
pub(crate) enum Side {
    Request,
    /// An answer to `HEAD` tells a length and has no body.
    Answer {
        to_head: bool,
    },
}

/// A parsed head, with the bytes that it was.
pub(crate) struct Head {
    pub(crate) bytes: Vec<u8>,
    pub(crate) method: String,
    pub(crate) target: String,
    pub(crate) status: u16,
    pub(crate) body: Body,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Body {
    Length(u64),
    Chunked,
    ToTheEnd,
}

impl Head {
    /// Whether it has this header, in small letters.
    fn says(&self, header: &str) -> bool {
        let text = String::from_utf8_lossy(&self.bytes).to_ascii_lowercase();
        text.lines().any(|line| line == header)
    }

    fn signer(&self) -> String {
        let text = String::from_utf8_lossy(&self.bytes);
        let key = text.split("Credential=").nth(1);
        let key = key.and_then(|rest| rest.split('/').next());
        key.unwrap_or_default().to_owned()
    }

    /// None at the end of the connection.
    pub(crate) fn read(from: &mut impl BufRead, side: Side) -> io::Result<Option<Self>> {
        let mut bytes = Vec::new();
        while !bytes.ends_with(b"\r\n\r\n") {
            if from.read_until(b'\n', &mut bytes)? == 0 {
                return Ok(None);
            }
        }
        let mut headers = [httparse::EMPTY_HEADER; 128];
        let bad = |error: httparse::Error| io::Error::new(io::ErrorKind::InvalidData, error);
        let (method, target, status) = match side {
            Side::Request => {
                let mut request = httparse::Request::new(&mut headers);
                request.parse(&bytes).map_err(bad)?;
                (
                    request.method.unwrap_or_default().to_owned(),
                    request.path.unwrap_or_default().to_owned(),
                    0,
                )
            }
            Side::Answer { .. } => {
                let mut answer = httparse::Response::new(&mut headers);
                answer.parse(&bytes).map_err(bad)?;
                (
                    String::new(),
                    String::new(),
                    answer.code.unwrap_or_default(),
                )
            }
        };
        let value = |name: &str| {
            let found = headers
                .iter()
                .find(|header| header.name.eq_ignore_ascii_case(name))?;
            std::str::from_utf8(found.value).ok().map(str::trim)
        };
        let chunked =
            value("transfer-encoding").is_some_and(|text| text.eq_ignore_ascii_case("chunked"));
        let length = value("content-length").and_then(|text| text.parse().ok());
        let bodiless = matches!(side, Side::Answer { to_head: true })
            || status / 100 == 1
            || matches!(status, 204 | 304);
        let body = match (bodiless, chunked, length, side) {
            (true, ..) => Body::Length(0),
            (_, true, ..) => Body::Chunked,
            (_, _, Some(length), _) => Body::Length(length),
            (_, _, None, Side::Request) => Body::Length(0),
            (_, _, None, Side::Answer { .. }) => Body::ToTheEnd,
        };
        Ok(Some(Self {
            bytes,
            method,
            target,
            status,
            body,
        }))
    }
}

impl Body {
    /// Passes the body on, but not more than `limit` of its bytes, and not faster than `pace` a second.
    fn pass(
        self,
        from: &mut impl BufRead,
        to: &mut impl Write,
        limit: u64,
        pace: Option<u64>,
    ) -> io::Result<()> {
        match self {
            Self::Length(length) => copy(from, to, length.min(limit), pace).map(drop),
            Self::ToTheEnd => copy(from, to, limit, pace).map(drop),
            Self::Chunked => {
                let mut left = limit;
                loop {
                    let mut line = Vec::new();
                    from.read_until(b'\n', &mut line)?;
                    to.write_all(&line)?;
                    let bad =
                        || io::Error::new(io::ErrorKind::InvalidData, "not the size of a chunk");
                    let size = match httparse::parse_chunk_size(&line) {
                        Ok(httparse::Status::Complete((_, size))) => size,
                        _ => return Err(bad()),
                    };
                    if size == 0 {
                        // Trailers, and the empty line.
                        while line != b"\r\n" && !line.is_empty() {
                            line.clear();
                            from.read_until(b'\n', &mut line)?;
                            to.write_all(&line)?;
                        }
                        return Ok(());
                    }
                    left -= copy(from, to, (size + 2).min(left), pace)?;
                    if left == 0 {
                        return Ok(());
                    }
                }
            }
        }
    }
}

fn copy(
    from: &mut impl BufRead,
    to: &mut impl Write,
    length: u64,
    pace: Option<u64>,
) -> io::Result<u64> {
    let begun = Instant::now();
    let mut passed = 0;
    while passed < length {
        let ready = from.fill_buf()?;
        if ready.is_empty() {
            break;
        }
        let size =
            usize::try_from(length - passed).map_or(ready.len(), |left| left.min(ready.len()));
        to.write_all(&ready[..size])?;
        from.consume(size);
        passed += size as u64;
        if let Some(pace) = pace {
            let due = Duration::from_secs_f64(passed as f64 / pace as f64);
            thread::sleep(due.saturating_sub(begun.elapsed()));
        }
    }
    to.flush()?;
    Ok(passed)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::io::Read;
    use std::net::{Shutdown, TcpListener};
    use std::thread::JoinHandle;

    use super::*;

    /// Answers every connection's first request with `answer`, and tells what it was sent.
    fn server(answer: &'static str) -> (SocketAddr, JoinHandle<Vec<u8>>, TcpListener) {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let addr = listener.local_addr().unwrap();
        // Further connections find it listening still.
        let open = listener.try_clone().unwrap();
        let thread = thread::spawn(move || {
            let (mut stream, _) = listener.accept().unwrap();
            stream
                .set_read_timeout(Some(Duration::from_millis(300)))
                .unwrap();
            let mut sent = Vec::new();
            let _ = stream.read_to_end(&mut sent);
            let _ = stream.write_all(answer.as_bytes());
            sent
        });
        (addr, thread, open)
    }

    fn ask(proxy: &Proxy, request: &str) -> String {
        let mut stream = TcpStream::connect(proxy.addr()).unwrap();
        stream
            .set_read_timeout(Some(Duration::from_secs(5)))
            .unwrap();
        stream.write_all(request.as_bytes()).unwrap();
        stream.shutdown(Shutdown::Write).unwrap();
        let mut answer = Vec::new();
        let _ = stream.read_to_end(&mut answer);
        String::from_utf8(answer).unwrap()
    }

    const PUT: &str = "PUT /b/a%2Fb?partNumber=1&uploadId=x HTTP/1.1\r\nHost: signed\r\nContent-Length: 10\r\n\r\n0123456789";
    const CHUNKS: &str =
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n";

    #[test]
    fn bytes_pass_unchanged_and_are_told() {
        let (addr, thread, _open) = server(CHUNKS);
        let proxy = Proxy::start(addr, Fault::none()).unwrap();
        let answer = {
            let mut stream = TcpStream::connect(proxy.addr()).unwrap();
            stream.write_all(PUT.as_bytes()).unwrap();
            let mut answer = vec![0; CHUNKS.len()];
            stream.read_exact(&mut answer).unwrap();
            answer
        };
        assert_eq!(String::from_utf8(answer).unwrap(), CHUNKS);
        assert_eq!(String::from_utf8(thread.join().unwrap()).unwrap(), PUT);
        let request = proxy.requests().remove(0);
        assert_eq!(
            (request.method.as_str(), request.path.as_str()),
            ("PUT", "/b/a%2Fb")
        );
        assert_eq!((request.length, request.status), (10, Some(200)));
        assert!(request.is_part() && request.is_write_only() && !request.has("upload"));
    }

    #[test]
    fn faults_meet_what_they_are_told_to() {
        let (addr, thread, _open) = server("");
        let proxy = Proxy::start(addr, Fault::always(What::CutRequest(4))).unwrap();
        assert_eq!(ask(&proxy, PUT), "");
        assert!(thread.join().unwrap().ends_with(b"\r\n\r\n0123"));

        let (addr, _, _open) = server(CHUNKS);
        let proxy = Proxy::start(addr, Fault::always(What::CutResponse(2))).unwrap();
        assert!(ask(&proxy, PUT).ends_with("3\r\nab"));

        let (addr, _, _open) = server(CHUNKS);
        let proxy = Proxy::start(addr, Fault::always(What::LoseAnswer)).unwrap();
        assert_eq!(ask(&proxy, PUT), "");

        let fault = Fault::always(What::Answer(403)).on(Request::is_part).nth(2);
        let (addr, _, _open) = server(CHUNKS);
        let proxy = Proxy::start(addr, fault).unwrap();
        assert_eq!(ask(&proxy, PUT), CHUNKS);
        assert!(ask(&proxy, PUT).starts_with("HTTP/1.1 403 "));
        assert_eq!(proxy.requests().len(), 2);
    }

    #[test]
    fn a_line_is_cut_by_bytes_and_on_demand() {
        let (addr, _, _open) = server("0123456789");
        let proxy = TcpProxy::start(addr).unwrap();
        proxy.cut_after(4);
        let mut stream = TcpStream::connect(proxy.addr()).unwrap();
        let mut got = Vec::new();
        let _ = stream.read_to_end(&mut got);
        assert_eq!(got, b"0123");
        let mut refused = TcpStream::connect(proxy.addr()).unwrap();
        assert_eq!(refused.read(&mut [0]).unwrap_or(0), 0);
    }
}
