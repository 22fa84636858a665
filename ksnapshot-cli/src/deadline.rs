//! `--max-duration`.

use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use jiff::SignedDuration;
use ksnapshot_core::{Cx, Error, ErrorKind, Result};

/// Does `work`, and cancels it when it takes longer than `limit`: it ends as by Ctrl-C, and undoes what it has done.
pub(crate) async fn within<T>(
    limit: Option<Duration>,
    cx: &Cx,
    work: impl AsyncFnOnce(&Cx) -> Result<T>,
) -> Result<T> {
    let Some(limit) = limit else {
        return work(cx).await;
    };
    let limited = Cx {
        cancel: cx.cancel.child_token(),
        observer: Arc::clone(&cx.observer),
    };
    let mut work = pin!(work(&limited));
    tokio::select! {
        done = &mut work => return done,
        () = tokio::time::sleep(limit) => limited.cancel.cancel(),
    }
    match work.await {
        Err(error) if error.kind() == ErrorKind::Cancelled && !cx.cancel.is_cancelled() => {
            let limit = SignedDuration::try_from(limit).unwrap_or(SignedDuration::MAX);
            Err(Error::new(
                ErrorKind::Failed,
                format!("not done within {limit:#}, and cancelled"),
            )
            .hint(
                "Allow more by --max-duration, or look at what holds up the source or the storage.",
            ))
        }
        done => done,
    }
}
