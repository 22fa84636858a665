//! What every long call receives.

use std::fmt;
use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use tokio_util::sync::CancellationToken;

use crate::{Error, Event, Observer, Result, Silent};

/// How long [`Cx::patiently`] waits.
const PATIENCE: Duration = Duration::from_secs(5);

/// Cancellation and the observer of progress, handed down explicitly. Cheap to clone.
#[derive(Clone)]
pub struct Cx {
    /// Cancelled by the caller; every wait of the pipeline ends with [`crate::ErrorKind::Cancelled`].
    pub cancel: CancellationToken,
    /// Receives every [`Event`].
    pub observer: Arc<dyn Observer>,
}

impl Cx {
    /// A context that reports to `observer`.
    pub fn new(observer: Arc<dyn Observer>) -> Self {
        Self {
            cancel: CancellationToken::new(),
            observer,
        }
    }

    /// Reports `event`.
    pub fn emit(&self, event: &Event<'_>) {
        self.observer.on(event);
    }

    /// Waits for `work` or for cancellation, whichever comes first; cancelled work is dropped.
    pub async fn guard<T>(&self, work: impl Future<Output = Result<T>>) -> Result<T> {
        tokio::select! {
            biased;
            () = self.cancel.cancelled() => Err(Error::cancelled()),
            result = work => result,
        }
    }

    /// As [`Cx::guard`], for work that leaves something behind when it is dropped in the middle, such as an upload that
    /// nobody knows of: cancelled, it has some seconds to come to its end, after which it can be undone.
    pub async fn patiently<T>(&self, work: impl Future<Output = Result<T>>) -> Result<T> {
        let mut work = pin!(work);
        tokio::select! {
            biased;
            result = &mut work => return result,
            () = self.cancel.cancelled() => {}
        }
        tokio::time::timeout(PATIENCE, work)
            .await
            .unwrap_or_else(|_| {
                Err(Error::cancelled().further_hint(
                    "The storage did not answer any more: an unfinished upload may be left there.",
                ))
            })
    }
}

impl Default for Cx {
    /// Nobody listens, nobody cancels.
    fn default() -> Self {
        Self::new(Arc::new(Silent))
    }
}

impl fmt::Debug for Cx {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Cx")
            .field("cancelled", &self.cancel.is_cancelled())
            .finish_non_exhaustive()
    }
}
