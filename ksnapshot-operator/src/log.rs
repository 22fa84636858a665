//! The operator's log: one line, or one JSON object, for what a person would want to know.

use tracing_subscriber::EnvFilter;

use crate::settings::{LogFormat, LogLevel};

/// Begins to log to stderr. `KSNAPSHOT_LOG` beats the level. At `debug` every request to the API server is told, too, without
/// its body. A second call changes nothing.
pub(crate) fn begin(level: LogLevel, format: LogFormat) {
    let directives = match level {
        LogLevel::Error | LogLevel::Warn | LogLevel::Info => {
            format!("{},kube_runtime=error,kube_client=error", level.as_str())
        }
        LogLevel::Debug => "debug,hyper_util=info,tower=info,rustls=info".to_owned(),
        // What the API server answers is not told at any level: it may be a Secret.
        LogLevel::Trace => "trace,kube_client=debug,hyper=info,h2=info,rustls=info".to_owned(),
    };
    let filter =
        EnvFilter::try_from_env("KSNAPSHOT_LOG").unwrap_or_else(|_| EnvFilter::new(directives));
    let log = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr);
    // Begun already: by whoever embeds the operator.
    let _ = match format {
        LogFormat::Text => log.with_ansi(false).try_init(),
        LogFormat::Json => log.json().flatten_event(true).try_init(),
    };
}
