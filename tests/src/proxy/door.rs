//! Who comes in, and how all of them are shown out.

use std::io;
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use anyhow::{Context, Result};

/// A listener with a thread for each who comes in.
#[derive(Debug)]
pub(crate) struct Door {
    pub(crate) addr: SocketAddr,
    pub(crate) line: Arc<Line>,
    thread: Option<JoinHandle<()>>,
}

impl Door {
    pub(crate) fn open(serve: impl Fn(TcpStream, &Line) + Send + Sync + 'static) -> Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").context("proxy")?;
        let addr = listener.local_addr()?;
        let line = Arc::new(Line::default());
        let shared = Arc::clone(&line);
        let serve = Arc::new(serve);
        let thread = thread::spawn(move || {
            for client in listener.incoming() {
                if shared.ended.load(Ordering::SeqCst) {
                    return;
                }
                let Ok(client) = client.and_then(|client| shared.watch(client)) else {
                    continue;
                };
                let (line, serve) = (Arc::clone(&shared), Arc::clone(&serve));
                thread::spawn(move || {
                    let end = client.try_clone();
                    serve(client, &line);
                    // The line keeps another handle, so it must be said.
                    let _ = end.and_then(|client| client.shutdown(Shutdown::Both));
                });
            }
        });
        Ok(Self {
            addr,
            line,
            thread: Some(thread),
        })
    }
}

impl Drop for Door {
    fn drop(&mut self) {
        self.line.ended.store(true, Ordering::SeqCst);
        self.line.cut();
        // Wakes the listener, so that it sees the end.
        let _ = TcpStream::connect(self.addr);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

/// All that is connected.
#[derive(Debug, Default)]
pub(crate) struct Line {
    streams: Mutex<Vec<TcpStream>>,
    ended: AtomicBool,
}

impl Line {
    pub(crate) fn watch(&self, stream: TcpStream) -> io::Result<TcpStream> {
        stream.set_nodelay(true)?;
        lock(&self.streams).push(stream.try_clone()?);
        Ok(stream)
    }

    pub(crate) fn cut(&self) {
        for stream in lock(&self.streams).drain(..) {
            let _ = stream.shutdown(Shutdown::Both);
        }
    }

    pub(crate) fn wait_for_the_end(&self) -> io::Result<()> {
        while !self.ended.load(Ordering::SeqCst) {
            thread::sleep(Duration::from_millis(20));
        }
        Ok(())
    }
}

pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
