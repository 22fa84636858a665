//! Ctrl-C and SIGTERM: the first one cancels, the second one ends at once.

use ksnapshot_core::{CancellationToken, ErrorKind};
use tokio::signal::unix::{SignalKind, signal};

use crate::output::to_stderr;

pub(crate) fn listen(cancel: CancellationToken, exit: impl Fn(i32) + Send + Sync + 'static) {
    let (Ok(mut interrupt), Ok(mut terminate)) = (
        signal(SignalKind::interrupt()),
        signal(SignalKind::terminate()),
    ) else {
        return;
    };
    tokio::spawn(async move {
        loop {
            tokio::select! {
                _ = interrupt.recv() => {}
                _ = terminate.recv() => {}
            }
            if cancel.is_cancelled() {
                exit(i32::from(ErrorKind::Cancelled.exit_code()));
            }
            cancel.cancel();
            to_stderr("cancelling: what can be undone is undone; a second signal ends it at once");
        }
    });
}
