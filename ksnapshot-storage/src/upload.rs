//! A large object on its way into a store, part by part.

use std::time::Duration;

use bytes::Bytes;
use ksnapshot_core::{Error, ErrorKind, Key, ObjectInfo, ObjectWriter, Result, async_trait};
use object_store::client::HttpErrorKind;
use object_store::retry::{RetryContext, RetryFailure, RetryPolicy};
use object_store::{Error as StoreError, MultipartUpload, PutPayloadMut};
use tokio::task::JoinSet;

use crate::failure::{Deed, explain, within};

const MIB: u64 = 1024 * 1024;

/// What S3 takes, and most others.
pub(crate) const MOST_PARTS: usize = 10_000;

/// The parts of one object, unless a store takes less: well below what S3 takes.
pub(crate) const DEFAULT_PARTS: usize = 9_500;

/// So many parts are on their way besides the one that is being filled: two keep a connection busy while one waits
/// for its answer. Large parts keep it busy alone, and two of them would cost the memory that is promised.
fn in_flight(part_size: u64) -> usize {
    if part_size <= 16 * MIB { 2 } else { 1 }
}

/// Smaller blocks are copied together, so that a crumb can't hold the large buffer that it was cut from.
const CRUMB: usize = 16 * 1024;

/// A server may take minutes to join ten thousand parts.
const JOINING: Duration = Duration::from_secs(600);

/// An abort is a courtesy; nobody waits long for it.
const ABORTING: Duration = Duration::from_secs(30);

/// … nor for the parts that are on their way.
const LANDING: Duration = Duration::from_secs(1);

/// The size of the parts of an upload of about `expected` bytes: enough for twice of it to fit, from 8 to 32 MiB.
///
/// All parts of one object are equal, except the last: some stores insist.
pub(crate) fn part_size(expected: Option<u64>) -> u64 {
    let fitting = expected
        .unwrap_or(0)
        .div_ceil(MOST_PARTS as u64 / 2)
        .div_ceil(MIB)
        * MIB;
    fitting.clamp(8 * MIB, 32 * MIB)
}

/// Holds one part that is being filled and [`in_flight`] ones, 64 MiB at most; nothing else.
pub(crate) struct Upload {
    upload: Box<dyn MultipartUpload>,
    key: Key,
    place: String,
    part_size: usize,
    max_parts: usize,
    part: PutPayloadMut,
    parts: usize,
    size: u64,
    /// Parts are sent by tasks, though tasks are the pipeline's business elsewhere: a request that is polled only
    /// when the next block arrives would run into its own deadlines while the database thinks. They end with the set.
    in_flight: JoinSet<Result<(), StoreError>>,
}

impl Upload {
    pub(crate) fn new(
        upload: Box<dyn MultipartUpload>,
        key: Key,
        place: String,
        part_size: u64,
        max_parts: usize,
    ) -> Self {
        Self {
            upload,
            key,
            place,
            part_size: usize::try_from(part_size).unwrap_or(usize::MAX),
            max_parts,
            part: new_part(),
            parts: 0,
            size: 0,
            in_flight: JoinSet::new(),
        }
    }

    async fn send(&mut self) -> Result<()> {
        if self.parts == self.max_parts {
            return Err(Error::new(
                ErrorKind::Failed,
                format!(
                    "{}: larger than {} parts of {} MiB",
                    self.place,
                    self.max_parts,
                    self.part_size as u64 / MIB
                ),
            )
            .hint(
                "State the expected size, so that larger parts are chosen, or allow more parts.",
            ));
        }
        while self.in_flight.len() >= in_flight(self.part_size as u64) {
            self.landed().await?;
        }
        self.parts += 1;
        let part = std::mem::replace(&mut self.part, new_part());
        self.in_flight.spawn(self.upload.put_part(part.freeze()));
        Ok(())
    }

    /// Waits until a part has landed.
    async fn landed(&mut self) -> Result<()> {
        match self.in_flight.join_next().await {
            None | Some(Ok(Ok(()))) => Ok(()),
            Some(Ok(Err(error))) => Err(explain(&error, Deed::Write, &self.place)),
            Some(Err(error)) => Err(Error::new(
                ErrorKind::Failed,
                format!("{}: sending a part failed", self.place),
            )
            .source(error)),
        }
    }

    async fn complete(&mut self) -> Result<()> {
        if !self.part.is_empty() {
            self.send().await?;
        }
        while !self.in_flight.is_empty() {
            self.landed().await?;
        }
        let completed = within(JOINING, &self.place, self.upload.complete()).await?;
        completed
            .map(drop)
            .map_err(|error| explain(&error, Deed::Write, &self.place))
    }

    async fn give_up(&mut self) -> Result<()> {
        // Parts that are still under way would otherwise land after the abort and stay, also when their connections are cut:
        // most of them need just a moment.
        let landing = async { while self.in_flight.join_next().await.is_some() {} };
        let _ = tokio::time::timeout(LANDING, landing).await;
        self.in_flight.shutdown().await;
        match within(ABORTING, &self.place, self.upload.abort()).await? {
            // Not there any more is what was wanted.
            Ok(()) | Err(StoreError::NotFound { .. }) => Ok(()),
            Err(error) => Err(explain(&error, Deed::Write, &self.place)
                .context("abort of the upload")
                .hint("Give the bucket a rule that removes incomplete uploads after some days.")),
        }
    }
}

#[async_trait]
impl ObjectWriter for Upload {
    fn limit(&self) -> Option<u64> {
        Some(self.part_size as u64 * self.max_parts as u64)
    }

    async fn write(&mut self, mut block: Bytes) -> Result<()> {
        self.size += block.len() as u64;
        while !block.is_empty() {
            let room = self.part_size - self.part.content_length();
            let piece = block.split_to(room.min(block.len()));
            if piece.len() < CRUMB {
                self.part.extend_from_slice(&piece);
            } else {
                self.part.push(piece);
            }
            if self.part.content_length() == self.part_size {
                self.send().await?;
            }
        }
        Ok(())
    }

    async fn finish(mut self: Box<Self>) -> Result<ObjectInfo> {
        if let Err(error) = self.complete().await {
            return Err(match self.give_up().await {
                Ok(()) => error,
                Err(left) => {
                    error.further_hint(format!("An unfinished upload stays behind ({left:#})."))
                }
            });
        }
        Ok(ObjectInfo {
            key: self.key,
            size: self.size,
            modified: None,
        })
    }

    async fn abort(mut self: Box<Self>) -> Result<()> {
        self.give_up().await
    }
}

fn new_part() -> PutPayloadMut {
    PutPayloadMut::new().with_block_size(4 * CRUMB)
}

/// Sends a part once more, with a fresh signature, after the library gave up on it: the library counts its minute
/// from the start of the request, and on a slow link that is over before the first failure.
#[derive(Debug)]
pub(crate) struct PartRetry;

/// Whoever renews a token may be a moment late: the pause before a part is sent by the new one.
const RENEWAL: Duration = Duration::from_secs(2);

#[async_trait]
impl RetryPolicy for PartRetry {
    async fn retry(&self, context: RetryContext) -> bool {
        if context.attempt > 1 {
            return false;
        }
        match context.failure {
            // An expired token is a bad request to S3, and a missing login to the others.
            RetryFailure::Status(status) if matches!(status.as_u16(), 400 | 401) => {
                tokio::time::sleep(RENEWAL).await;
                true
            }
            RetryFailure::Status(status) => status.is_server_error() || status.as_u16() == 429,
            RetryFailure::Transport(kind) => kind != HttpErrorKind::Decode,
            _ => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_grow_with_the_object_within_bounds() {
        let check = |expected, mib| assert_eq!(part_size(expected), mib * MIB, "{expected:?}");
        check(None, 8);
        check(Some(0), 8);
        check(Some(40_000 * MIB), 8);
        check(Some(40_000 * MIB + 1), 9);
        check(Some(100_000 * MIB), 20);
        check(Some(u64::MAX), 32);
        for mib in 8..=32 {
            let held = mib * (1 + in_flight(mib * MIB) as u64);
            assert!(held <= 64, "{mib} MiB parts hold {held} MiB");
        }
    }
}
