//! A proxy that understands nothing and cuts anything.

use std::io::{self, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;

use anyhow::Result;

use super::door::{Door, Line, lock};

/// A proxy for any protocol: PostgreSQL's, MySQL's.
#[derive(Debug)]
pub struct TcpProxy {
    door: Door,
    state: Arc<TcpState>,
}

#[derive(Debug)]
struct TcpState {
    /// Bytes that the server may still send, over all connections.
    left: Mutex<Option<u64>>,
    refuses: AtomicBool,
    /// What the server says, and what it is made to say in place of it.
    disguise: Mutex<Option<(String, String)>>,
}

impl TcpProxy {
    /// Listens on a port of its own and hands on to `upstream`.
    pub fn start(upstream: SocketAddr) -> Result<Self> {
        Self::by(move || TcpStream::connect(upstream))
    }

    /// Listens on a port of its own and hands on to whatever `connect` gives.
    pub(crate) fn by(
        connect: impl Fn() -> io::Result<TcpStream> + Send + Sync + 'static,
    ) -> Result<Self> {
        let state = Arc::new(TcpState {
            left: Mutex::default(),
            refuses: AtomicBool::new(false),
            disguise: Mutex::default(),
        });
        let shared = Arc::clone(&state);
        let door = Door::open(move |client, line| {
            let _ = shared.serve(client, &connect, line);
        })?;
        Ok(Self { door, state })
    }

    /// Where it listens.
    pub fn addr(&self) -> SocketAddr {
        self.door.addr
    }

    /// Breaks all connections, and refuses others, once the server has sent so many more bytes over all of them.
    pub fn cut_after(&self, bytes: u64) {
        *lock(&self.state.left) = Some(bytes);
    }

    /// Makes the server say `other` where it says `word`, which is as long, in answers that come in one piece.
    pub fn disguise(&self, word: &str, other: &str) {
        assert_eq!(word.len(), other.len(), "lengths stand before texts");
        *lock(&self.state.disguise) = Some((word.to_owned(), other.to_owned()));
    }

    /// Breaks all connections now. New ones are welcome.
    pub fn cut(&self) {
        self.door.line.cut();
    }

    /// Breaks all connections now and refuses others, as a server does that is down.
    pub fn go_down(&self) {
        self.state.refuses.store(true, Ordering::SeqCst);
        self.cut();
    }

    /// Connections are welcome again, and nothing is cut.
    pub fn come_back(&self) {
        *lock(&self.state.left) = None;
        self.state.refuses.store(false, Ordering::SeqCst);
    }
}

impl TcpState {
    fn serve(
        &self,
        client: TcpStream,
        connect: impl Fn() -> io::Result<TcpStream>,
        line: &Line,
    ) -> io::Result<()> {
        if self.refuses.load(Ordering::SeqCst) {
            return Ok(());
        }
        let server = line.watch(connect()?)?;
        let (mut from_client, mut to_server) = (client.try_clone()?, server.try_clone()?);
        let upwards = thread::spawn(move || {
            let _ = io::copy(&mut from_client, &mut to_server);
            let _ = to_server.shutdown(Shutdown::Write);
        });
        let outcome = self.downwards(&server, &client, line);
        let _ = client.shutdown(Shutdown::Both);
        let _ = server.shutdown(Shutdown::Both);
        let _ = upwards.join();
        outcome
    }

    fn downwards(
        &self,
        mut server: &TcpStream,
        mut client: &TcpStream,
        line: &Line,
    ) -> io::Result<()> {
        let mut buffer = vec![0; 64 * 1024];
        loop {
            let size = server.read(&mut buffer)?;
            if size == 0 {
                return Ok(());
            }
            let (pass, over) = match &mut *lock(&self.left) {
                Some(left) => {
                    let pass = usize::try_from(*left).map_or(size, |left| left.min(size));
                    *left -= pass as u64;
                    (pass, *left == 0)
                }
                None => (size, false),
            };
            self.put_on(&mut buffer[..pass]);
            client.write_all(&buffer[..pass])?;
            if over {
                self.refuses.store(true, Ordering::SeqCst);
                line.cut();
                return Ok(());
            }
        }
    }

    fn put_on(&self, bytes: &mut [u8]) {
        if let Some((word, other)) = &*lock(&self.disguise) {
            let finds = |window: &[u8]| window == word.as_bytes();
            while let Some(at) = bytes.windows(word.len()).position(finds) {
                bytes[at..at + other.len()].copy_from_slice(other.as_bytes());
            }
        }
    }
}
