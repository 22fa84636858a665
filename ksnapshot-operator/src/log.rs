//! The log: on stderr, as text or as JSON.

use std::io;

use ksnapshot_core::{Error, ErrorKind, Result};
use tracing::{Metadata, Subscriber};
use tracing_subscriber::filter::{EnvFilter, FilterExt, filter_fn};
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::layer::{Layer, SubscriberExt};
use tracing_subscriber::util::SubscriberInitExt;

use crate::settings::{LogFormat, LogLevel};

/// The variable whose filter is used in place of the level's: `ksnapshot=trace,kube=info`.
pub const VARIABLE: &str = "KSNAPSHOT_LOG";

/// Logs from now on, what `level` says or, where there is one, the text of [`VARIABLE`]. Whatever it says, answers of
/// the cluster are not logged: there are secrets among them.
///
/// Errors: [`ErrorKind::Usage`] for a filter that is none, [`ErrorKind::Failed`] when there is a log already.
pub fn init(level: LogLevel, format: LogFormat, filter: Option<&str>) -> Result<()> {
    let error = |error| Error::new(ErrorKind::Failed, "the log can't be set up").source(error);
    match format {
        LogFormat::Text => text(level, filter, io::stderr)?.try_init().map_err(error),
        LogFormat::Json => json(level, filter, io::stderr)?.try_init().map_err(error),
    }
}

fn text<W>(level: LogLevel, filter: Option<&str>, to: W) -> Result<impl Subscriber + Send + Sync>
where
    W: for<'w> MakeWriter<'w> + Send + Sync + 'static,
{
    let lines = tracing_subscriber::fmt::layer()
        .with_ansi(false)
        .with_writer(to);
    let filter = directives(level, filter)?.and(filter_fn(is_ours_to_tell));
    Ok(tracing_subscriber::registry().with(lines.with_filter(filter)))
}

fn json<W>(level: LogLevel, filter: Option<&str>, to: W) -> Result<impl Subscriber + Send + Sync>
where
    W: for<'w> MakeWriter<'w> + Send + Sync + 'static,
{
    let lines = tracing_subscriber::fmt::layer()
        .json()
        .flatten_event(true)
        .with_span_list(false)
        .with_writer(to);
    let filter = directives(level, filter)?.and(filter_fn(is_ours_to_tell));
    Ok(tracing_subscriber::registry().with(lines.with_filter(filter)))
}

/// Ours by the level. Of others, what is wrong; at debug also the requests to the cluster, but not how their bytes go.
fn directives(level: LogLevel, filter: Option<&str>) -> Result<EnvFilter> {
    if let Some(filter) = filter.map(str::trim).filter(|filter| !filter.is_empty()) {
        return EnvFilter::try_new(filter).map_err(|error| {
            Error::new(
                ErrorKind::Usage,
                format!("{VARIABLE}: {filter:?} is no filter"),
            )
            .hint("Write it as ksnapshot=debug,kube=info.")
            .source(error)
        });
    }
    let filter = match level {
        LogLevel::Error => "error",
        LogLevel::Warn => "warn",
        LogLevel::Info => "warn,ksnapshot=info",
        LogLevel::Debug => "warn,ksnapshot=debug,kube=debug",
        LogLevel::Trace => "info,ksnapshot=trace,kube=trace",
    };
    Ok(EnvFilter::new(filter))
}

/// This module of kube logs the whole text of an answer that it can't read. The ones below it log no text.
fn is_ours_to_tell(metadata: &Metadata<'_>) -> bool {
    metadata.target() != "kube_client::client"
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::{Arc, Mutex};

    use serde_json::Value;
    use tracing::subscriber::with_default;
    use tracing::{debug, info, info_span, trace, warn};

    #[derive(Clone, Default)]
    struct Lines(Arc<Mutex<Vec<u8>>>);

    impl io::Write for Lines {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().expect("whole").extend(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    impl Lines {
        fn read(&self) -> String {
            String::from_utf8(self.0.lock().expect("whole").clone()).expect("text")
        }
    }

    fn logged(level: LogLevel, filter: Option<&str>) -> String {
        let lines = Lines::default();
        let writer = lines.clone();
        let subscriber = text(level, filter, move || writer.clone()).expect("a filter");
        with_default(subscriber, || {
            warn!(target: "ksnapshot_operator::x", "ours-warn");
            info!(target: "ksnapshot_operator::x", "ours-info");
            debug!(target: "ksnapshot_operator::x", "ours-debug");
            trace!(target: "ksnapshot_operator::x", "ours-trace");
            debug!(target: "kube_client::client::builder", "kube-request");
            warn!(target: "kube_client::client", "the-secret");
            warn!(target: "hyper::proto", "hyper-warn");
            debug!(target: "hyper::proto", "hyper-debug");
        });
        let read = lines.read();
        let words = [
            "ours-warn",
            "ours-info",
            "ours-debug",
            "ours-trace",
            "kube-request",
            "the-secret",
            "hyper-warn",
            "hyper-debug",
        ];
        let told = words.into_iter().filter(|word| read.contains(word));
        told.collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn each_level_tells_its_own() {
        for (level, filter, told) in [
            (LogLevel::Error, None, ""),
            (LogLevel::Warn, None, "ours-warn hyper-warn"),
            (LogLevel::Info, None, "ours-warn ours-info hyper-warn"),
            (LogLevel::Info, Some(" "), "ours-warn ours-info hyper-warn"),
            (
                LogLevel::Debug,
                None,
                "ours-warn ours-info ours-debug kube-request hyper-warn",
            ),
            (
                LogLevel::Trace,
                None,
                "ours-warn ours-info ours-debug ours-trace kube-request hyper-warn",
            ),
            (
                LogLevel::Info,
                Some("off,hyper=debug"),
                "hyper-warn hyper-debug",
            ),
            (
                LogLevel::Info,
                Some("trace"),
                "ours-warn ours-info ours-debug ours-trace kube-request hyper-warn hyper-debug",
            ),
        ] {
            assert_eq!(logged(level, filter), told, "{level:?} {filter:?}");
        }
    }

    #[test]
    fn json_is_an_object_a_line() {
        let lines = Lines::default();
        let writer = lines.clone();
        let subscriber = json(LogLevel::Info, None, move || writer.clone()).expect("a filter");
        with_default(subscriber, || {
            let _span = info_span!(target: "ksnapshot_operator::x", "pass", plan = "db").entered();
            info!(target: "ksnapshot_operator::x", rows = 3, "done\nwell");
            warn!(target: "ksnapshot_operator::x", "next");
        });
        let read = lines.read();
        let read: Vec<Value> = (read.lines())
            .map(|line| serde_json::from_str(line).expect("an object"))
            .collect();
        assert_eq!(read.len(), 2);
        assert_eq!(read[0]["level"], "INFO");
        assert_eq!(read[0]["message"], "done\nwell");
        assert_eq!(read[0]["rows"], 3);
        assert_eq!(read[0]["span"]["plan"], "db");
        let time = read[0]["timestamp"].as_str().expect("a time");
        time.parse::<jiff::Timestamp>().expect("RFC 3339");
    }

    #[test]
    fn what_is_no_filter_is_refused() {
        let error = init(LogLevel::Info, LogFormat::Text, Some("ksnapshot=loud"));
        let error = error.expect_err("no such level");
        assert_eq!(error.kind(), ErrorKind::Usage);
        assert_eq!(
            error.to_string(),
            r#"KSNAPSHOT_LOG: "ksnapshot=loud" is no filter"#
        );
    }
}
