//! Packets in a stream of bytes: three bytes of length, one that counts, the payload. One of 16 MiB less a byte is continued
//! by the next.

use std::io;

use tokio::io::{AsyncRead, AsyncReadExt};

/// The longest payload of one packet.
const MOST: usize = 0xff_ff_ff;

/// Length and count.
const HEAD: usize = 4;

/// What is read at once. Larger than what servers write at once, small enough to stay in a core's cache.
const BUFFER: usize = 128 << 10;

/// The longest payload over several packets: the largest row that servers know, and its fields' lengths.
const LONGEST: usize = (1 << 30) + MOST;

/// A long payload's room that is kept for the next.
const KEPT: usize = 4 << 20;

/// What came from the server and is not consumed yet.
pub(super) struct Input {
    buffer: Vec<u8>,
    start: usize,
    end: usize,
    /// A payload that does not fit.
    long: Vec<u8>,
    /// The count of the next packet, of either side.
    count: u8,
}

/// What the bytes at hand begin with.
#[derive(Debug, PartialEq)]
enum Found {
    /// A packet with so long a payload.
    Whole(usize),
    /// The beginning of one.
    Part,
    /// One that does not fit into the buffer, or is continued.
    Long,
}

/// Pure.
fn find(bytes: &[u8], room: usize) -> Found {
    let Some(length) = length(bytes) else {
        return Found::Part;
    };
    if length == MOST || HEAD + length > room {
        Found::Long
    } else if bytes.len() < HEAD + length {
        Found::Part
    } else {
        Found::Whole(length)
    }
}

fn length(bytes: &[u8]) -> Option<usize> {
    match bytes {
        [a, b, c, _, ..] => Some(usize::from(*a) | usize::from(*b) << 8 | usize::from(*c) << 16),
        _ => None,
    }
}

impl Input {
    pub(super) fn new() -> Self {
        Self::with_room(BUFFER)
    }

    fn with_room(room: usize) -> Self {
        Self {
            buffer: vec![0; room],
            start: 0,
            end: 0,
            long: Vec::new(),
            count: 0,
        }
    }

    /// The next payload, which lies where it arrived.
    ///
    /// Errors: of the stream, its end, a packet out of turn, or one longer than any server's.
    #[inline]
    pub(super) async fn packet(
        &mut self,
        from: &mut (impl AsyncRead + Unpin),
    ) -> io::Result<&[u8]> {
        loop {
            match find(&self.buffer[self.start..self.end], self.buffer.len()) {
                Found::Whole(length) => {
                    self.counted(self.buffer[self.start + 3])?;
                    let from = self.start + HEAD;
                    self.start = from + length;
                    return Ok(&self.buffer[from..self.start]);
                }
                Found::Part => {
                    if self.long.capacity() > KEPT {
                        self.long = Vec::new();
                    }
                    self.fill(from).await?;
                }
                Found::Long => return self.long(from).await,
            }
        }
    }

    /// Nothing has arrived that nobody has asked for.
    pub(super) fn is_empty(&self) -> bool {
        self.start == self.end
    }

    async fn fill(&mut self, from: &mut (impl AsyncRead + Unpin)) -> io::Result<()> {
        // What is left is less than a packet.
        self.buffer.copy_within(self.start..self.end, 0);
        self.end -= self.start;
        self.start = 0;
        match from.read(&mut self.buffer[self.end..]).await? {
            0 => Err(closed()),
            read => {
                self.end += read;
                Ok(())
            }
        }
    }

    async fn long(&mut self, from: &mut (impl AsyncRead + Unpin)) -> io::Result<&[u8]> {
        self.long.clear();
        loop {
            while self.end - self.start < HEAD {
                self.fill(from).await?;
            }
            let head = &self.buffer[self.start..self.end];
            let length = length(head).unwrap_or_default();
            self.counted(head[3])?;
            self.start += HEAD;
            if self.long.len() + length > LONGEST {
                return Err(invalid("a packet is longer than any row"));
            }
            let here = length.min(self.end - self.start);
            self.long.reserve_exact(length);
            self.long
                .extend_from_slice(&self.buffer[self.start..self.start + here]);
            self.start += here;
            let mut rest = from.take((length - here) as u64);
            while rest.limit() > 0 {
                if rest.read_buf(&mut self.long).await? == 0 {
                    return Err(closed());
                }
            }
            if length < MOST {
                return Ok(&self.long);
            }
        }
    }

    fn counted(&mut self, count: u8) -> io::Result<()> {
        if count != self.count {
            return Err(invalid("a packet came out of turn"));
        }
        self.count = count.wrapping_add(1);
        Ok(())
    }

    /// Puts a payload into packets; the answer to it goes on counting.
    pub(super) fn pack(&mut self, payload: &[u8], out: &mut Vec<u8>) {
        let mut rest = payload;
        loop {
            let (piece, after) = rest.split_at(rest.len().min(MOST));
            let [a, b, c, ..] = piece.len().to_le_bytes();
            out.extend_from_slice(&[a, b, c, self.count]);
            out.extend_from_slice(piece);
            self.count = self.count.wrapping_add(1);
            rest = after;
            if piece.len() < MOST {
                return;
            }
        }
    }

    /// A new command begins.
    pub(super) fn restart(&mut self) {
        self.count = 0;
    }
}

fn closed() -> io::Error {
    io::Error::new(io::ErrorKind::UnexpectedEof, "connection closed")
}

/// Not of the kind by which a faulty handshake of TLS is known.
fn invalid(what: &'static str) -> io::Error {
    io::Error::other(what)
}

#[cfg(test)]
mod tests {
    use std::pin::Pin;
    use std::task::{Context, Poll};

    use futures_util::FutureExt;
    use proptest::prelude::*;
    use tokio::io::ReadBuf;

    use super::*;

    /// Comes in pieces of these sizes, over and over.
    struct Pieces {
        bytes: Vec<u8>,
        at: usize,
        sizes: Vec<usize>,
    }

    impl AsyncRead for Pieces {
        fn poll_read(
            mut self: Pin<&mut Self>,
            _cx: &mut Context<'_>,
            buf: &mut ReadBuf<'_>,
        ) -> Poll<io::Result<()>> {
            self.sizes.rotate_left(1);
            let end = (self.at + self.sizes[0].min(buf.remaining())).min(self.bytes.len());
            buf.put_slice(&self.bytes[self.at..end]);
            self.at = end;
            Poll::Ready(Ok(()))
        }
    }

    /// All payloads up to the first error.
    fn read(bytes: Vec<u8>, sizes: &[usize], room: usize) -> (Vec<Vec<u8>>, io::Error, usize) {
        let mut from = Pieces {
            bytes,
            at: 0,
            sizes: sizes.to_vec(),
        };
        let mut input = Input::with_room(room);
        let mut found = Vec::new();
        let error = loop {
            let next = input.packet(&mut from).now_or_never();
            match next.expect("the bytes are there") {
                Ok(payload) => found.push(payload.to_vec()),
                Err(error) => break error,
            }
        };
        (found, error, input.long.capacity())
    }

    fn packed(payloads: &[Vec<u8>]) -> Vec<u8> {
        let (mut sender, mut bytes) = (Input::with_room(0), Vec::new());
        payloads
            .iter()
            .for_each(|payload| sender.pack(payload, &mut bytes));
        bytes
    }

    proptest! {
        #[test]
        fn payloads_come_back_however_they_are_cut(
            payloads in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..200), 0..300),
            sizes in prop::collection::vec(1usize..100, 1..10),
            room in 4usize..100,
        ) {
            let (found, end, _) = read(packed(&payloads), &sizes, room);
            prop_assert_eq!(found, payloads);
            prop_assert_eq!(end.kind(), io::ErrorKind::UnexpectedEof);
        }

        #[test]
        fn any_bytes_end_in_an_error_and_take_little_room(bytes: Vec<u8>, size in 1usize..100) {
            let length = bytes.len();
            let (_, _, room) = read(bytes, &[size], 64);
            prop_assert!(room <= length + MOST);
        }
    }

    #[test]
    fn long_payloads_are_put_together() {
        for length in [BUFFER - HEAD, BUFFER, MOST - 1, MOST, MOST + 1, 2 * MOST] {
            let payloads = [vec![1; length], vec![2; 3]];
            let (found, ..) = read(packed(&payloads), &[10_000, 1, 70_000], BUFFER);
            assert!(found == payloads, "{length}");
        }
    }

    #[test]
    fn packets_have_their_turn() {
        let mut bytes = packed(&[vec![1], vec![2]]);
        bytes[5 + 3] = 7;
        let (found, error, _) = read(bytes, &[100], 64);
        assert_eq!(found, [[1]]);
        assert_eq!(error.to_string(), "a packet came out of turn");
    }
}
