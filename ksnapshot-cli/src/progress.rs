//! Three faces of progress: bars on a terminal, a line every ten seconds otherwise, JSON for programs.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use ksnapshot_core::{Event, Observer, Problem};
use serde_json::json;

use crate::output::{bytes, count, to_stderr, to_stdout};

const EVERY: Duration = Duration::from_secs(10);

pub(crate) fn problem_text(problem: &Problem) -> String {
    match &problem.hint {
        Some(hint) => format!(
            "problem: {}: {}\n   hint: {hint}",
            problem.object, problem.message
        ),
        None => format!("problem: {}: {}", problem.object, problem.message),
    }
}

/// What has moved so far.
#[derive(Debug)]
struct Totals {
    planned: u64,
    moved: u64,
    rows: u64,
    stored: u64,
    started: Instant,
    told: Instant,
}

impl Default for Totals {
    fn default() -> Self {
        let now = Instant::now();
        Self {
            planned: 0,
            moved: 0,
            rows: 0,
            stored: 0,
            started: now,
            told: now,
        }
    }
}

impl Totals {
    fn take(&mut self, event: &Event<'_>) {
        match event {
            Event::Planned { bytes, .. } => {
                (self.planned, self.moved, self.rows) = (*bytes, 0, 0);
            }
            Event::Moved { bytes, rows } => {
                self.moved += bytes;
                self.rows += rows;
            }
            Event::Stored { bytes } => self.stored += bytes,
            _ => {}
        }
    }

    fn due(&mut self) -> bool {
        let due = self.told.elapsed() >= EVERY;
        if due {
            self.told = Instant::now();
        }
        due
    }
}

/// A bar on a terminal.
#[derive(Debug)]
pub(crate) struct Bars {
    bar: ProgressBar,
    totals: Mutex<Totals>,
}

impl Default for Bars {
    fn default() -> Self {
        let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr_with_hz(10));
        Self {
            bar,
            totals: Mutex::default(),
        }
    }
}

impl Observer for Bars {
    fn on(&self, event: &Event<'_>) {
        let mut totals = self.totals.lock().unwrap_or_else(PoisonError::into_inner);
        totals.take(event);
        match event {
            Event::Planned { bytes, .. } => {
                let style = ProgressStyle::with_template(
                    "{elapsed_precise} [{bar:30}] {bytes}/~{total_bytes} {binary_bytes_per_sec} {msg}",
                );
                if let Ok(style) = style {
                    self.bar.set_style(style.progress_chars("=> "));
                }
                self.bar.set_length(*bytes);
                self.bar.set_position(0);
                self.bar.enable_steady_tick(Duration::from_millis(250));
            }
            Event::Moved { .. } => {
                // The length is an estimate; a bar beyond its end would only confuse.
                self.bar.set_length(totals.planned.max(totals.moved));
                self.bar.set_position(totals.moved);
            }
            Event::PartStarted { name } => self.bar.set_message((*name).to_owned()),
            Event::Problem(problem) => self.bar.suspend(|| to_stderr(&problem_text(problem))),
            Event::Warning(text) => self.bar.suspend(|| to_stderr(&format!("warning: {text}"))),
            Event::Told(line) => self.bar.suspend(|| to_stderr(line)),
            _ => {}
        }
    }
}

impl Drop for Bars {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}

/// A line every ten seconds.
#[derive(Debug, Default)]
pub(crate) struct Lines {
    totals: Mutex<Totals>,
}

impl Observer for Lines {
    fn on(&self, event: &Event<'_>) {
        let mut totals = self.totals.lock().unwrap_or_else(PoisonError::into_inner);
        totals.take(event);
        match event {
            Event::Problem(problem) => to_stderr(&problem_text(problem)),
            Event::Warning(text) => to_stderr(&format!("warning: {text}")),
            Event::Told(line) => to_stderr(line),
            _ if totals.due() => to_stderr(&format!(
                "{} s: {} of about {}, {} rows",
                totals.started.elapsed().as_secs(),
                bytes(totals.moved),
                bytes(totals.planned.max(totals.moved)),
                count(totals.rows)
            )),
            _ => {}
        }
    }
}

/// The same as JSON on stdout.
#[derive(Debug, Default)]
pub(crate) struct JsonLines {
    totals: Mutex<Totals>,
}

impl Observer for JsonLines {
    fn on(&self, event: &Event<'_>) {
        let mut totals = self.totals.lock().unwrap_or_else(PoisonError::into_inner);
        totals.take(event);
        let line = match event {
            Event::Problem(problem) => json!({ "message_type": "problem", "problem": problem }),
            Event::Warning(text) => json!({ "message_type": "warning", "message": text }),
            Event::Told(line) => json!({ "message_type": "told", "line": line }),
            _ if totals.due() => json!({
                "message_type": "status",
                "seconds": totals.started.elapsed().as_secs(),
                "bytes": totals.moved,
                "estimated_bytes": totals.planned.max(totals.moved),
                "rows": totals.rows,
                "stored_bytes": totals.stored,
            }),
            _ => return,
        };
        let _ = to_stdout(format!("{line}\n").as_bytes());
    }
}
