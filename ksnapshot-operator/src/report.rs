//! What a Job says of its run, as the termination message of its container.
//!
//! The Job writes it, the operator reads it. It is JSON on one line, of at most [`LIMIT`] bytes, and holds no secret: it stands
//! in the status of a pod, which more people may read than credentials.

use serde::{Deserialize, Serialize};

/// What Kubernetes keeps of a termination message, in bytes.
pub const LIMIT: usize = 4096;

/// How a run ended, what it stored, and what went wrong.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RunReport {
    /// How it ended.
    pub outcome: RunOutcome,
    /// What it was to do.
    pub task: Task,
    /// The snapshots that stand, one a database where each is dumped alone.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub snapshots: Vec<Stored>,
    /// How long it took.
    pub seconds: f64,
    /// How far it was verified: `checksum`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub verified: Option<String>,
    /// How many snapshots `prune` removed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deleted: Option<u64>,
    /// The exit code of what failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<u8>,
    /// Why it failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
    /// What to do about it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hint: Option<String>,
}

/// How a run ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum RunOutcome {
    /// Everything is stored.
    #[serde(rename = "complete")]
    Complete,
    /// What could be read is stored; the snapshot lists what could not.
    #[serde(rename = "complete with problems")]
    WithProblems,
    /// Something that was asked for is not there.
    #[serde(rename = "failed")]
    Failed,
}

/// What a Job is to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Task {
    /// Dump, and verify if asked for.
    Dump,
    /// Remove what no rule of retention names.
    Prune,
}

/// A snapshot that a run has stored.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Stored {
    /// Its id.
    pub id: String,
    /// The database; empty where there is none.
    pub database: String,
    /// Rows, or documents.
    pub rows: u64,
    /// Bytes of text, in the clear.
    pub bytes: u64,
    /// Bytes in the bucket.
    pub stored_bytes: u64,
    /// How many problems the snapshot lists.
    pub problems: u64,
}

impl RunReport {
    /// The report as a termination message. Words are cut first, then snapshots, until it fits.
    pub fn to_message(&self) -> String {
        let mut report = self.clone();
        loop {
            let text = serde_json::to_string(&report).expect("it has only text keys");
            let over = text.len().saturating_sub(LIMIT);
            if over == 0 {
                return text;
            }
            if let Some(long) = [&mut report.message, &mut report.hint]
                .into_iter()
                .flatten()
                .filter(|words| words.len() > 256)
                .max_by_key(|words| words.len())
            {
                // A character may take six bytes as JSON, but not fewer than one.
                let mut keep = long.len().saturating_sub(over + '…'.len_utf8()).max(200);
                while !long.is_char_boundary(keep) {
                    keep -= 1;
                }
                long.truncate(keep);
                long.push('…');
            } else if report.snapshots.pop().is_none() {
                report.message = None;
                report.hint = None;
            }
        }
    }

    /// Reads a termination message. None: it is somebody else's, or there is none.
    pub fn from_message(text: &str) -> Option<Self> {
        serde_json::from_str(text).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn report(message: &str, snapshots: usize) -> RunReport {
        RunReport {
            outcome: RunOutcome::Failed,
            task: Task::Dump,
            snapshots: vec![
                Stored {
                    id: "ab12cd34".into(),
                    database: "shop".into(),
                    rows: 3,
                    bytes: 300,
                    stored_bytes: 120,
                    problems: 0,
                };
                snapshots
            ],
            seconds: 1.5,
            verified: None,
            deleted: None,
            code: Some(13),
            message: Some(message.into()),
            hint: Some(message.into()),
        }
    }

    #[test]
    fn a_report_reads_back() {
        let whole = report("host db: can't be reached", 2);
        assert_eq!(RunReport::from_message(&whole.to_message()), Some(whole));
        assert_eq!(RunReport::from_message("no JSON"), None);
    }

    proptest! {
        #[test]
        fn a_report_fits_whatever_it_says(message in ".{0,6000}", snapshots in 0_usize..200) {
            let text = report(&message, snapshots).to_message();
            prop_assert!(text.len() <= LIMIT);
            let read = RunReport::from_message(&text).expect("it reads back");
            prop_assert_eq!(read.outcome, RunOutcome::Failed);
        }
    }
}
