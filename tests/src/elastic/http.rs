//! HTTP as a test speaks it: blocking, whole bodies, connections kept.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::Mutex;
use std::time::Duration;

use anyhow::{Context, Result};

use crate::proxy::{Body, Head, Side, lock};

/// No single request of a test takes longer.
const LIMIT: Duration = Duration::from_secs(120);

/// A server, and the connections to it that nobody uses now.
#[derive(Debug)]
pub(super) struct Client {
    addr: SocketAddr,
    idle: Mutex<Vec<BufReader<TcpStream>>>,
}

impl Client {
    pub(super) fn new(addr: SocketAddr) -> Self {
        Self {
            addr,
            idle: Mutex::default(),
        }
    }

    /// Sends one request, once, and reads the whole answer, of whatever status.
    pub(super) fn request(&self, method: &str, path: &str, body: &[u8]) -> Result<(u16, Vec<u8>)> {
        let mut connection = self.connection().context("no connection to the server")?;
        let answer = exchange(&mut connection, method, path, body);
        let answer = answer.with_context(|| format!("{method} {path}: connection lost"))?;
        lock(&self.idle).push(connection);
        Ok(answer)
    }

    fn connection(&self) -> io::Result<BufReader<TcpStream>> {
        while let Some(connection) = lock(&self.idle).pop() {
            // One that the server has closed, or speaks on unasked, is of no use.
            let stream = connection.get_ref();
            stream.set_nonblocking(true)?;
            let silent = stream
                .peek(&mut [0])
                .is_err_and(|e| e.kind() == io::ErrorKind::WouldBlock);
            stream.set_nonblocking(false)?;
            if silent && connection.buffer().is_empty() {
                return Ok(connection);
            }
        }
        let stream = TcpStream::connect(self.addr)?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(LIMIT))?;
        Ok(BufReader::new(stream))
    }
}

fn exchange(
    connection: &mut BufReader<TcpStream>,
    method: &str,
    path: &str,
    body: &[u8],
) -> io::Result<(u16, Vec<u8>)> {
    // Elasticsearch is told of lines where it expects lines, and refuses a type without a body in some places.
    let kind = match path.split('?').next() {
        _ if body.is_empty() => String::new(),
        Some(path) if path.ends_with("/_bulk") || path.ends_with("/_msearch") => {
            "Content-Type: application/x-ndjson\r\n".to_owned()
        }
        _ => "Content-Type: application/json\r\n".to_owned(),
    };
    let length = body.len();
    let head = format!(
        "{method} {path} HTTP/1.1\r\nHost: localhost\r\n{kind}Content-Length: {length}\r\n\r\n"
    );
    let mut message = head.into_bytes();
    message.extend_from_slice(body);
    connection.get_mut().write_all(&message)?;
    let to_head = method == "HEAD";
    let answer =
        Head::read(connection, Side::Answer { to_head })?.ok_or(io::ErrorKind::UnexpectedEof)?;
    let body = read_body(answer.body, connection)?;
    Ok((answer.status, body))
}

/// The whole body, without the framing of chunks.
pub(super) fn read_body(body: Body, from: &mut impl BufRead) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    match body {
        Body::ToTheEnd => {
            from.read_to_end(&mut bytes)?;
        }
        Body::Length(length) => append(from, length, &mut bytes)?,
        Body::Chunked => {
            while let size @ 1.. = chunk_size(from)? {
                append(from, size, &mut bytes)?;
                line(from)?;
            }
            // Trailers, and the empty line.
            while !line(from)?.trim_ascii().is_empty() {}
        }
    }
    Ok(bytes)
}

fn append(from: &mut impl BufRead, length: u64, to: &mut Vec<u8>) -> io::Result<()> {
    let read = from.take(length).read_to_end(to)?;
    if (read as u64) < length {
        return Err(io::ErrorKind::UnexpectedEof.into());
    }
    Ok(())
}

fn chunk_size(from: &mut impl BufRead) -> io::Result<u64> {
    match httparse::parse_chunk_size(&line(from)?) {
        Ok(httparse::Status::Complete((_, size))) => Ok(size),
        _ => Err(io::Error::new(
            io::ErrorKind::InvalidData,
            "not the size of a chunk",
        )),
    }
}

fn line(from: &mut impl BufRead) -> io::Result<Vec<u8>> {
    let mut line = Vec::new();
    from.read_until(b'\n', &mut line)?;
    if line.is_empty() {
        return Err(io::ErrorKind::UnexpectedEof.into());
    }
    Ok(line)
}
