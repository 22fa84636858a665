//! A gate in front of a server, which knows how things go wrong, and what these servers don't have: TLS and logins.
//!
//! ```no_run
//! use ksnapshot_tests::elastic::{Elastic, Version, fault::{Gate, Rule}};
//!
//! # fn main() -> anyhow::Result<()> {
//! let server = Elastic::shared(Version::Es9)?;
//! let gate = Gate::open(server)?;
//! gate.add(Rule::on("POST", "/_bulk").nth(2).answer(429, "{}").header("Retry-After", "1"));
//! // … something is done through `gate.url()` …
//! assert_eq!(gate.requests().iter().filter(|seen| seen.status == Some(429)).count(), 1);
//! # Ok(())
//! # }
//! ```

mod items;
mod rule;
mod tls;

use std::io::{self, BufReader, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};

use super::Elastic;
use super::http::read_body;
use crate::proxy::{Door, Head, Line, Side, lock};

pub use items::Item;
pub use rule::Rule;
pub use tls::Login;

use items::Split;
use tls::{Certificate, Stream};

/// So much of a request's body is kept.
const KEPT: usize = 64 << 10;

/// The status of an answer that tells that a rule of a test doesn't work.
const BROKEN_RULE: u16 = 599;

/// A request that came by, and what was answered.
#[derive(Debug, Clone)]
pub struct Seen {
    /// `GET`, `POST`, …
    pub method: String,
    /// Path and query, as they were sent.
    pub target: String,
    /// The head as it was sent: the first line and all others.
    pub head: String,
    /// The beginning of the body, 64 KiB of it.
    pub body: String,
    /// How long the body was.
    pub length: usize,
    /// The status that the client was sent; none if it was not sent any.
    pub status: Option<u16>,
}

impl Seen {
    /// The value of a header, by its name in any case.
    pub fn header(&self, name: &str) -> Option<&str> {
        header(&self.head, name)
    }
}

/// How to open a gate.
#[derive(Debug)]
pub struct Options {
    upstream: SocketAddr,
    scheme: &'static str,
    login: Option<Login>,
    tls: bool,
}

impl Options {
    /// A gate in front of this server that lets everybody in, without TLS.
    pub fn new(server: &Elastic) -> Self {
        Self {
            upstream: server.addr(),
            scheme: server.version().scheme(),
            login: None,
            tls: false,
        }
    }

    /// Who doesn't log in so is refused with 401.
    #[must_use]
    pub fn login(mut self, login: Login) -> Self {
        self.login = Some(login);
        self
    }

    /// With TLS, for `localhost` and 127.0.0.1, by an authority of its own: [`Gate::ca`].
    #[must_use]
    pub fn tls(mut self) -> Self {
        self.tls = true;
        self
    }

    /// Opens it.
    pub fn open(self) -> Result<Gate> {
        let certificate = self.tls.then(Certificate::make).transpose()?;
        let config = certificate.as_ref().map(Certificate::config).transpose()?;
        let state = Arc::new(State {
            upstream: self.upstream,
            login: self.login,
            rules: Mutex::default(),
            seen: Mutex::default(),
            down: AtomicBool::new(false),
            ended: AtomicBool::new(false),
        });
        let shared = Arc::clone(&state);
        let door = Door::open(move |client, line| {
            // An end is the usual end of a connection here, broken or not.
            let _ = Stream::new(client, config.as_ref())
                .and_then(|client| shared.serve(BufReader::new(client), line));
        })?;
        Ok(Gate {
            scheme: self.scheme,
            door,
            state,
            certificate,
        })
    }
}

/// An open gate: hands requests on to its server, whole, and answers back, whole. Ends with its value.
///
/// Bodies pass unchanged, byte by byte, unless a rule says otherwise; what comes in chunks goes on with a length.
#[derive(Debug)]
pub struct Gate {
    scheme: &'static str,
    door: Door,
    state: Arc<State>,
    certificate: Option<Certificate>,
}

#[derive(Debug)]
struct State {
    upstream: SocketAddr,
    login: Option<Login>,
    rules: Mutex<Vec<Arc<Rule>>>,
    seen: Mutex<Vec<Seen>>,
    down: AtomicBool,
    ended: AtomicBool,
}

impl Gate {
    /// Opens a gate that lets everybody in, without TLS.
    pub fn open(server: &Elastic) -> Result<Self> {
        Options::new(server).open()
    }

    /// Where it listens.
    pub fn addr(&self) -> SocketAddr {
        self.door.addr
    }

    /// Its URL, as ksnapshot takes it; with TLS, it names [`Gate::ca`].
    pub fn url(&self) -> String {
        self.url_as("")
    }

    /// … for a user.
    pub fn url_as(&self, user: &str) -> String {
        let at = if user.is_empty() { "" } else { "@" };
        let (secure, ca) = match self.ca() {
            Some(ca) => ("+https", format!("?ca={}", ca.display())),
            None => ("", String::new()),
        };
        format!("{}{secure}://{user}{at}{}{ca}", self.scheme, self.addr())
    }

    /// Its URL, as others take it.
    pub fn http(&self) -> String {
        let secure = if self.certificate.is_some() { "s" } else { "" };
        format!("http{secure}://{}", self.addr())
    }

    /// The file with the certificate of the authority, in PEM; none without TLS.
    pub fn ca(&self) -> Option<&Path> {
        self.certificate.as_ref().map(Certificate::ca)
    }

    /// Another rule from now on. A request that several meet is met by all of them, in their order.
    pub fn add(&self, rule: Rule) {
        lock(&self.state.rules).push(Arc::new(rule));
    }

    /// No rules from now on.
    pub fn clear(&self) {
        lock(&self.state.rules).clear();
    }

    /// Breaks all connections now and refuses others, as a server does that is down.
    pub fn go_down(&self) {
        self.state.down.store(true, Ordering::SeqCst);
        self.door.line.cut();
    }

    /// Connections are welcome again.
    pub fn come_back(&self) {
        self.state.down.store(false, Ordering::SeqCst);
    }

    /// All requests so far, in the order of their arrival.
    pub fn requests(&self) -> Vec<Seen> {
        lock(&self.state.seen).clone()
    }
}

impl Drop for Gate {
    fn drop(&mut self) {
        self.state.ended.store(true, Ordering::SeqCst);
    }
}

/// What goes to the client.
struct Answer {
    status: u16,
    /// Lines of the head, without the first and without what tells the length.
    headers: String,
    body: Vec<u8>,
}

impl State {
    /// One connection of a client, with all the requests that it brings.
    fn serve(&self, mut client: BufReader<Stream>, line: &Line) -> io::Result<()> {
        if self.down.load(Ordering::SeqCst) {
            return Ok(());
        }
        let mut server = None;
        while let Some(head) = Head::read(&mut client, Side::Request)? {
            let text = String::from_utf8_lossy(&head.bytes).into_owned();
            if header(&text, "Expect").is_some() {
                client
                    .get_mut()
                    .write_all(b"HTTP/1.1 100 Continue\r\n\r\n")?;
            }
            let body = read_body(head.body, &mut client)?;
            let number = self.arrived(&head, &text, &body);
            let rules = self.met(number);
            let answer = if self.login.as_ref().is_some_and(|login| !login.is_in(&text)) {
                Some(tls::refusal())
            } else {
                self.pass(&rules, &head, &text, body, line, &mut server)?
            };
            let Some(answer) = answer else { return Ok(()) };
            self.wait(rules.iter().filter_map(|rule| rule.delay).sum());
            let cut = rules.iter().filter_map(|rule| rule.cut).min();
            if rules.iter().any(|rule| rule.lose) {
                return Ok(());
            }
            if let Some(seen) = lock(&self.seen).get_mut(number) {
                seen.status = Some(answer.status);
            }
            let bytes = answer.bytes(&head.method);
            let to = client.get_mut();
            if let Some(cut) = cut {
                let end = bytes.head + cut.min(answer.body.len());
                to.write_all(&bytes.all[..end.min(bytes.all.len())])?;
                return to.flush();
            }
            to.write_all(&bytes.all)?;
            to.flush()?;
        }
        Ok(())
    }

    /// What the server or the rules answer; none when there is no answer to be had.
    fn pass(
        &self,
        rules: &[Arc<Rule>],
        head: &Head,
        text: &str,
        body: Vec<u8>,
        line: &Line,
        server: &mut Option<BufReader<TcpStream>>,
    ) -> io::Result<Option<Answer>> {
        let turned = self.turn(rules, head, text, body);
        let (body, split) = match turned {
            Ok(Turned::Answer(answer)) => return Ok(Some(answer)),
            Ok(Turned::Request(body, split)) => (body, split),
            Err(e) => return Ok(Some(Answer::broken(&e))),
        };
        let answer = match &split {
            Some(split) if split.takes_all() => split.answer_alone(),
            _ => {
                let server = match server {
                    Some(server) => server,
                    None => server.insert(BufReader::new(
                        line.watch(TcpStream::connect(self.upstream)?)?,
                    )),
                };
                let method = &head.method;
                server.get_mut().write_all(&request(text, &body))?;
                let to_head = method == "HEAD";
                let Some(answer) = Head::read(server, Side::Answer { to_head })? else {
                    return Ok(None);
                };
                Answer {
                    status: answer.status,
                    headers: headers(&String::from_utf8_lossy(&answer.bytes)),
                    body: read_body(answer.body, server)?,
                }
            }
        };
        let answer = turn_answer(rules, split.as_ref(), answer);
        Ok(Some(answer.unwrap_or_else(|e| Answer::broken(&e))))
    }

    /// All that rules do before the server hears of a request.
    fn turn(&self, rules: &[Arc<Rule>], head: &Head, text: &str, body: Vec<u8>) -> Result<Turned> {
        for rule in rules {
            if let Some(run) = &rule.run {
                run().context("what was to be run")?;
            }
        }
        for rule in rules {
            if let Some((status, body)) = &rule.answer {
                return Ok(Turned::Answer(Answer::made_up(
                    *status,
                    &rule.headers,
                    body,
                )));
            }
        }
        if rules
            .iter()
            .all(|rule| rule.turn_request.is_none() && rule.refuse.is_none())
        {
            return Ok(Turned::Request(body, None));
        }
        ensure!(
            header(text, "Content-Encoding").is_none(),
            "a compressed body can't be turned"
        );
        let mut body = String::from_utf8(body)?;
        let mut split = None;
        for rule in rules {
            if let Some(turn) = &rule.turn_request {
                body = turn(body);
            }
            if let Some(refuse) = &rule.refuse {
                ensure!(split.is_none(), "one rule may refuse items, not several");
                let (rest, all) = Split::of(&body, &head.target, refuse)?;
                (body, split) = (rest, Some(all));
            }
        }
        Ok(Turned::Request(body.into_bytes(), split))
    }

    fn arrived(&self, head: &Head, text: &str, body: &[u8]) -> usize {
        let mut seen = lock(&self.seen);
        seen.push(Seen {
            method: head.method.clone(),
            target: head.target.clone(),
            head: text.to_owned(),
            body: String::from_utf8_lossy(&body[..body.len().min(KEPT)]).into_owned(),
            length: body.len(),
            status: None,
        });
        seen.len() - 1
    }

    fn met(&self, number: usize) -> Vec<Arc<Rule>> {
        let rules = lock(&self.rules).clone();
        let seen = lock(&self.seen)[number].clone();
        rules.into_iter().filter(|rule| rule.meets(&seen)).collect()
    }

    /// Ends before its time when the gate does.
    fn wait(&self, time: Duration) {
        let until = Instant::now() + time;
        while Instant::now() < until && !self.ended.load(Ordering::SeqCst) {
            thread::sleep(
                Duration::from_millis(10).min(until.saturating_duration_since(Instant::now())),
            );
        }
    }
}

enum Turned {
    /// What the server is sent, and what it isn't.
    Request(Vec<u8>, Option<Split>),
    Answer(Answer),
}

fn turn_answer(rules: &[Arc<Rule>], split: Option<&Split>, mut answer: Answer) -> Result<Answer> {
    if let Some(split) = split.filter(|split| !split.takes_all()) {
        answer.body = split.join(&answer.body)?;
    }
    for turn in rules.iter().filter_map(|rule| rule.turn_answer.as_ref()) {
        answer.body = turn(String::from_utf8(answer.body)?)?.into_bytes();
    }
    Ok(answer)
}

struct Bytes {
    all: Vec<u8>,
    /// How long the head is.
    head: usize,
}

impl Answer {
    fn made_up(status: u16, headers: &str, body: &str) -> Self {
        Self {
            status,
            headers: format!("Content-Type: application/json\r\n{headers}"),
            body: body.as_bytes().to_vec(),
        }
    }

    /// The test that made the rule has to see that it doesn't work.
    fn broken(error: &anyhow::Error) -> Self {
        Self::made_up(
            BROKEN_RULE,
            "",
            &format!("a rule of the gate failed: {error:#}"),
        )
    }

    fn bytes(&self, method: &str) -> Bytes {
        let Self {
            status,
            headers,
            body,
        } = self;
        // A status that tells that there is no body tells no length, either. What answers HEAD has told its own.
        let length = match (*status, method) {
            (204 | 304, _) | (_, "HEAD") => String::new(),
            _ => format!("Content-Length: {}\r\n", body.len()),
        };
        let mut all = format!("HTTP/1.1 {status} Status\r\n{headers}{length}\r\n").into_bytes();
        let head = all.len();
        all.extend_from_slice(body);
        Bytes { all, head }
    }
}

fn header<'a>(head: &'a str, name: &str) -> Option<&'a str> {
    let pairs = head.lines().skip(1).filter_map(|line| line.split_once(':'));
    let mut values = pairs.filter(|(found, _)| found.eq_ignore_ascii_case(name));
    values.next().map(|(_, value)| value.trim())
}

/// The lines of a head that don't concern how its body is sent.
fn headers(head: &str) -> String {
    const FRAMING: [&str; 5] = [
        "content-length",
        "transfer-encoding",
        "connection",
        "expect",
        "accept-encoding",
    ];
    let lines = head.lines().skip(1).filter(|line| !line.is_empty());
    let kept = lines.filter(|line| {
        let name = line
            .split(':')
            .next()
            .unwrap_or_default()
            .to_ascii_lowercase();
        !FRAMING.contains(&name.as_str())
    });
    kept.map(|line| format!("{line}\r\n")).collect()
}

/// A request as it goes on. Answers are asked for uncompressed, so that they can be turned.
fn request(head: &str, body: &[u8]) -> Vec<u8> {
    let first = head.lines().next().unwrap_or_default();
    let length = body.len();
    let head = format!(
        "{first}\r\n{}Content-Length: {length}\r\n\r\n",
        headers(head)
    );
    let mut bytes = head.into_bytes();
    bytes.extend_from_slice(body);
    bytes
}
