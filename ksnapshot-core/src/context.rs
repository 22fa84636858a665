//! What every long call receives.

use std::fmt;
use std::future::Future;
use std::sync::Arc;

use tokio_util::sync::CancellationToken;

use crate::{Error, Event, Observer, Result, Silent};

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
