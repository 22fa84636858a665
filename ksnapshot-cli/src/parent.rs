//! A program that a Job runs ends with it, however the Job ends.

use ksnapshot_core::{Error, ErrorKind, Result};

/// The variable that holds the process id of the Job.
pub(crate) const PARENT: &str = "KSNAPSHOT_PARENT";

/// Asks the kernel for a SIGTERM when the Job that runs this program is gone; does nothing without one.
///
/// Errors: [`ErrorKind::Cancelled`] when it is gone already.
pub(crate) fn follow() -> Result<()> {
    let Some(parent) = std::env::var(PARENT)
        .ok()
        .and_then(|text| text.parse().ok())
    else {
        return Ok(());
    };
    let parent: i32 = parent;
    #[cfg(target_os = "linux")]
    rustix::process::set_parent_process_death_signal(Some(rustix::process::Signal::TERM)).map_err(
        |cause| {
            Error::new(ErrorKind::Failed, "can't be bound to the Job that runs it").source(cause)
        },
    )?;
    let still = rustix::process::getppid().is_some_and(|pid| pid.as_raw_nonzero().get() == parent);
    if still {
        Ok(())
    } else {
        Err(
            Error::new(ErrorKind::Cancelled, "the Job that ran this is gone")
                .hint(format!("Run it again when it suits, without {PARENT}.")),
        )
    }
}
