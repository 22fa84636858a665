//! Counts what a client reads.

use std::fmt;
use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;

use anyhow::Result;

/// Stands before a server, hands on everything and counts the bytes that the server sends, heads of answers and
/// listings included.
pub(crate) struct Meter {
    addr: SocketAddr,
    count: Arc<AtomicU64>,
    ended: Arc<AtomicBool>,
}

impl fmt::Debug for Meter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Meter").field("addr", &self.addr).finish()
    }
}

impl Meter {
    /// Listens on a port of its own.
    pub(crate) fn start(upstream: SocketAddr) -> Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0")?;
        let meter = Self {
            addr: listener.local_addr()?,
            count: Arc::default(),
            ended: Arc::default(),
        };
        let (count, ended) = (Arc::clone(&meter.count), Arc::clone(&meter.ended));
        thread::spawn(move || {
            for client in listener.incoming().flatten() {
                if ended.load(Ordering::SeqCst) {
                    return;
                }
                let count = Arc::clone(&count);
                // A connection that fails ends; its client tells.
                thread::spawn(move || serve(&client, upstream, &count));
            }
        });
        Ok(meter)
    }

    /// Its address, as an S3 client wants it.
    pub(crate) fn endpoint(&self) -> String {
        format!("http://{}", self.addr)
    }

    /// Bytes so far.
    pub(crate) fn count(&self) -> u64 {
        self.count.load(Ordering::SeqCst)
    }
}

impl Drop for Meter {
    fn drop(&mut self) {
        self.ended.store(true, Ordering::SeqCst);
        // Wakes the listener, so that it sees the end.
        let _ = TcpStream::connect(self.addr);
    }
}

fn serve(client: &TcpStream, upstream: SocketAddr, count: &AtomicU64) -> Result<()> {
    let server = TcpStream::connect(upstream)?;
    client.set_nodelay(true)?;
    server.set_nodelay(true)?;
    let (from_client, to_server) = (client.try_clone()?, server.try_clone()?);
    thread::spawn(move || pass(&from_client, &to_server, &AtomicU64::default()));
    pass(&server, client, count)
}

fn pass(mut from: &TcpStream, mut to: &TcpStream, count: &AtomicU64) -> Result<()> {
    let mut buffer = vec![0; 64 * 1024];
    loop {
        let size = from.read(&mut buffer)?;
        if size == 0 {
            to.shutdown(Shutdown::Write)?;
            return Ok(());
        }
        count.fetch_add(size as u64, Ordering::SeqCst);
        to.write_all(&buffer[..size])?;
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn only_what_the_server_sends_counts() {
        let server = TcpListener::bind("127.0.0.1:0").unwrap();
        let meter = Meter::start(server.local_addr().unwrap()).unwrap();
        let mut client = TcpStream::connect(meter.addr).unwrap();
        client.write_all(b"question").unwrap();
        client.shutdown(Shutdown::Write).unwrap();
        let (mut side, _) = server.accept().unwrap();
        let mut asked = String::new();
        side.read_to_string(&mut asked).unwrap();
        side.write_all(b"yes").unwrap();
        drop(side);
        let mut answer = String::new();
        client.read_to_string(&mut answer).unwrap();
        assert_eq!((asked.as_str(), answer.as_str()), ("question", "yes"));
        assert_eq!(meter.count(), 3);
    }
}
