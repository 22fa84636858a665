//! The network that a cluster has to itself.

use std::fs::File;
use std::io;
use std::net::{SocketAddr, TcpStream};
use std::os::fd::AsFd;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread;

use anyhow::{Context, Result};
use rustix::thread::{LinkNameSpaceType, move_into_link_name_space};

/// A network namespace.
#[derive(Debug, Clone)]
pub struct Network {
    path: PathBuf,
    /// Held, so that it can't become another one.
    space: Arc<File>,
}

impl Network {
    /// The one that a process is in.
    pub(crate) fn of(pid: u32) -> Result<Self> {
        let path = PathBuf::from(format!("/proc/{pid}/ns/net"));
        let space = File::open(&path).with_context(|| path.display().to_string())?;
        Ok(Self {
            path,
            space: Arc::new(space),
        })
    }

    /// Where it's found.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Connects from inside; the connection may be used from anywhere.
    pub(crate) fn connect(&self, to: SocketAddr) -> io::Result<TcpStream> {
        let space = Arc::clone(&self.space);
        // A thread is moved and not moved back: it ends.
        let dialled = thread::spawn(move || {
            move_into_link_name_space(space.as_fd(), Some(LinkNameSpaceType::Network))?;
            TcpStream::connect(to)
        });
        dialled
            .join()
            .unwrap_or_else(|_| Err(io::Error::other("connecting panicked")))
    }
}
