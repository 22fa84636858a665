//! The way to a server.

use std::io;
use std::time::Duration;

use socket2::{SockRef, TcpKeepalive};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpStream, UnixStream};

/// A line that has been silent for that long is asked whether it is still there.
const KEEPALIVE: Duration = Duration::from_secs(30);

/// What bytes come by, secured or not.
pub(super) trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}

impl<S: AsyncRead + AsyncWrite + Send + Unpin> Stream for S {}

pub(super) async fn tcp(host: &str, port: u16) -> io::Result<TcpStream> {
    let stream = TcpStream::connect((host, port)).await?;
    SockRef::from(&stream).set_tcp_keepalive(&TcpKeepalive::new().with_time(KEEPALIVE))?;
    stream.set_nodelay(true)?;
    Ok(stream)
}

pub(super) async fn unix(socket: &str) -> io::Result<UnixStream> {
    UnixStream::connect(socket).await
}
