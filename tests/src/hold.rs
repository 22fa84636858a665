//! What lets a test act at a known moment: a line that stops in mid-stream until it's released, and a door that only
//! counts who comes.

use std::io::{self, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

use anyhow::Result;

use crate::proxy::{Door, Line};
use crate::testbed;

/// A proxy for any protocol that stops handing on what the server sends, after so many bytes.
///
/// Who was connected by then waits, in whatever it does; who comes later is let through, so that whoever is in
/// trouble can tell the server so.
#[derive(Debug)]
pub struct Holder {
    // First, so that waiting threads are let go before the door waits for its own.
    state: Release,
    door: Door,
}

/// Lets everybody go when it's dropped.
#[derive(Debug)]
struct Release(Arc<State>);

impl Drop for Release {
    fn drop(&mut self) {
        self.0.release();
    }
}

#[derive(Debug)]
struct State {
    stream: Mutex<Stream>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct Stream {
    /// Bytes that may still pass; none when nothing is held.
    left: Option<u64>,
    /// Somebody waits.
    held: bool,
    passed: u64,
}

impl Holder {
    /// Listens on a port of its own, hands on to `upstream`, and stops after `bytes` from there, over all
    /// connections; with none it only counts.
    pub fn start(upstream: SocketAddr, bytes: Option<u64>) -> Result<Self> {
        let stream = Stream {
            left: bytes,
            ..Stream::default()
        };
        let state = Arc::new(State {
            stream: Mutex::new(stream),
            changed: Condvar::new(),
        });
        let shared = Arc::clone(&state);
        let door = Door::open(move |client, line| {
            let _ = shared.serve(client, upstream, line);
        })?;
        Ok(Self {
            state: Release(state),
            door,
        })
    }

    /// In front of a server of this machine.
    pub fn before(port: u16, bytes: Option<u64>) -> Result<Self> {
        Self::start(SocketAddr::from(([127, 0, 0, 1], port)), bytes)
    }

    /// Where it listens on 127.0.0.1.
    pub fn port(&self) -> u16 {
        self.door.addr.port()
    }

    /// Waits until somebody is held.
    pub fn await_held(&self) -> Result<()> {
        testbed::until(Duration::from_secs(60), "a held line", || {
            Ok(self.state.0.lock().held.then_some(()))
        })
    }

    /// Bytes of the server that have passed so far.
    pub fn passed(&self) -> u64 {
        self.state.0.lock().passed
    }

    /// Everything passes from now on.
    pub fn release(&self) {
        self.state.0.release();
    }

    /// Breaks all connections now. New ones are welcome.
    pub fn cut(&self) {
        self.door.line.cut();
        self.release();
    }
}

impl State {
    fn lock(&self) -> MutexGuard<'_, Stream> {
        self.stream.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn release(&self) {
        self.lock().left = None;
        self.changed.notify_all();
    }

    fn serve(&self, client: TcpStream, upstream: SocketAddr, line: &Line) -> io::Result<()> {
        let late = self.lock().held;
        let server = line.watch(TcpStream::connect(upstream)?)?;
        let (mut from_client, mut to_server) = (client.try_clone()?, server.try_clone()?);
        let upwards = thread::spawn(move || {
            let _ = io::copy(&mut from_client, &mut to_server);
            // A client that is gone is gone for the server, too, though its bytes may still be held here.
            let _ = to_server.shutdown(Shutdown::Both);
        });
        let outcome = self.downwards(&server, &client, late);
        let _ = client.shutdown(Shutdown::Both);
        let _ = server.shutdown(Shutdown::Both);
        let _ = upwards.join();
        outcome
    }

    fn downwards(
        &self,
        mut server: &TcpStream,
        mut client: &TcpStream,
        late: bool,
    ) -> io::Result<()> {
        let mut buffer = vec![0; 64 * 1024];
        loop {
            let size = server.read(&mut buffer)?;
            if size == 0 {
                return Ok(());
            }
            let pass = if late { size } else { self.admit(size) };
            client.write_all(&buffer[..pass])?;
            if pass < size {
                let mut stream = self.lock();
                stream.held = true;
                while stream.left.is_some() {
                    stream = self
                        .changed
                        .wait(stream)
                        .unwrap_or_else(PoisonError::into_inner);
                }
                drop(stream);
                client.write_all(&buffer[pass..size])?;
            }
        }
    }

    /// How many of `size` bytes may pass at once.
    fn admit(&self, size: usize) -> usize {
        let mut stream = self.lock();
        let pass = match &mut stream.left {
            Some(left) => {
                let pass = usize::try_from(*left).map_or(size, |left| left.min(size));
                *left -= pass as u64;
                pass
            }
            None => size,
        };
        stream.passed += pass as u64;
        pass
    }
}

/// A door behind which nobody is: it counts who comes, and either closes at once or keeps them waiting.
#[derive(Debug)]
pub struct Doorbell {
    door: Door,
    rings: Arc<AtomicUsize>,
}

impl Doorbell {
    /// Closes at once.
    pub fn start() -> Result<Self> {
        Self::open(false)
    }

    /// Keeps whoever comes waiting, without a word, until this value is dropped.
    pub fn silent() -> Result<Self> {
        Self::open(true)
    }

    fn open(silent: bool) -> Result<Self> {
        let rings = Arc::new(AtomicUsize::new(0));
        let count = Arc::clone(&rings);
        let door = Door::open(move |_client, line| {
            count.fetch_add(1, Ordering::SeqCst);
            if silent {
                let _ = line.wait_for_the_end();
            }
        })?;
        Ok(Self { door, rings })
    }

    /// Where it listens on 127.0.0.1.
    pub fn port(&self) -> u16 {
        self.door.addr.port()
    }

    /// How many came.
    pub fn rings(&self) -> usize {
        self.rings.load(Ordering::SeqCst)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use std::net::TcpListener;

    #[test]
    fn a_line_is_held_and_released_and_latecomers_pass() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let addr = listener.local_addr().unwrap();
        let server = thread::spawn(move || {
            for _ in 0..2 {
                let (mut stream, _) = listener.accept().unwrap();
                stream.write_all(b"0123456789").unwrap();
            }
        });
        let holder = Holder::start(addr, Some(4)).unwrap();
        let read = |stream: &mut TcpStream, size: usize| {
            let mut got = vec![0; size];
            stream.read_exact(&mut got).unwrap();
            String::from_utf8(got).unwrap()
        };
        let mut held = TcpStream::connect(("127.0.0.1", holder.port())).unwrap();
        assert_eq!(read(&mut held, 4), "0123");
        holder.await_held().unwrap();
        held.set_nonblocking(true).unwrap();
        assert!(held.read(&mut [0]).is_err(), "nothing more comes");
        held.set_nonblocking(false).unwrap();
        let mut late = TcpStream::connect(("127.0.0.1", holder.port())).unwrap();
        assert_eq!(read(&mut late, 10), "0123456789");
        holder.release();
        assert_eq!(read(&mut held, 6), "456789");
        assert_eq!(holder.passed(), 4);
        server.join().unwrap();
    }

    #[test]
    fn a_doorbell_counts() {
        let bell = Doorbell::start().unwrap();
        assert_eq!(bell.rings(), 0);
        let mut stream = TcpStream::connect(("127.0.0.1", bell.port())).unwrap();
        assert_eq!(stream.read(&mut [0]).unwrap_or(0), 0);
        assert_eq!(bell.rings(), 1);
    }
}
