//! Lines of `--json` as lines of a log, for people.

use std::time::{Duration, Instant};

use serde_json::Value;

use crate::output::{bytes, count, plural};

/// Between two lines of progress.
const EVERY: Duration = Duration::from_secs(30);

/// Says what a program says, and its progress now and then.
#[derive(Debug)]
pub(super) struct Teller {
    told: Instant,
}

impl Default for Teller {
    fn default() -> Self {
        Self {
            told: Instant::now(),
        }
    }
}

impl Teller {
    /// What a line means to a person; none for its end, which is told by itself, and for progress that was just told.
    pub(super) fn line(&mut self, line: &Value) -> Option<String> {
        if line["message_type"] == "status" {
            if self.told.elapsed() < EVERY {
                return None;
            }
            self.told = Instant::now();
        }
        text(line)
    }
}

fn text(line: &Value) -> Option<String> {
    let number = |field: &str| line[field].as_u64().unwrap_or_default();
    let word = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    Some(match line["message_type"].as_str()? {
        "status" => format!(
            "{} s: {} of about {}, {}, {} stored",
            number("seconds"),
            bytes(number("bytes")),
            bytes(number("estimated_bytes")),
            plural(number("rows"), "row"),
            bytes(number("stored_bytes")),
        ),
        "warning" => format!("warning: {}", word(&line["message"])),
        "problem" => {
            let problem = &line["problem"];
            let hint = match problem["hint"].as_str() {
                Some(hint) => format!(" ({hint})"),
                None => String::new(),
            };
            format!(
                "problem: {}: {}{hint}",
                word(&problem["object"]),
                word(&problem["message"])
            )
        }
        "told" => word(&line["line"]),
        "snapshot" => {
            let rules: Vec<String> = (line["rules"].as_array().into_iter().flatten())
                .map(word)
                .collect();
            let (series, why) = (&line["series"], rules.join(", "));
            format!(
                "{} {}: {} {}/{} of {}, {}{}",
                word(&line["decision"]),
                word(&line["id"]),
                word(&series["type"]),
                word(&series["name"]),
                word(&series["database"]),
                word(&line["started"]),
                bytes(number("stored_bytes")),
                if why.is_empty() {
                    why
                } else {
                    format!(": {why}")
                },
            )
        }
        "orphan" | "unfinished" => format!("remove {}: no snapshot's", word(&line["object"])),
        _ => return None,
    })
}

/// How a program has got through.
pub(super) fn end(verb: &str, summary: &Value) -> Option<String> {
    let number = |field: &str| summary[field].as_u64().unwrap_or_default();
    let id = summary["id"].as_str().unwrap_or_default();
    let seconds = summary["seconds"].as_f64().unwrap_or_default();
    Some(match verb {
        "dump" => {
            let problems = summary["problems"].as_array().map_or(0, Vec::len) as u64;
            let with = match problems {
                0 => String::new(),
                problems => format!(", with {}", plural(problems, "problem")),
            };
            format!(
                "stored: snapshot {id}, {}, {} as {} in {seconds:.1} s{with}",
                plural(number("rows"), "row"),
                bytes(number("bytes")),
                bytes(number("stored_bytes")),
            )
        }
        "verify" => format!(
            "verified: snapshot {id}, every object is as it was written ({}, {seconds:.1} s)",
            bytes(number("stored_bytes")),
        ),
        "prune" => format!(
            "pruned: {} removed, {} kept, {} freed",
            count(number("removed")),
            count(number("kept")),
            bytes(number("bytes")),
        ),
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn lines_are_told_in_words() {
        let check =
            |line: Value, expected: &str| assert_eq!(text(&line).as_deref(), Some(expected));
        check(
            json!({"message_type": "status", "seconds": 40, "bytes": 2048, "estimated_bytes": 4096, "rows": 1, "stored_bytes": 10}),
            "40 s: 2.00 KiB of about 4.00 KiB, 1 row, 10 B stored",
        );
        check(
            json!({"message_type": "warning", "message": "careful"}),
            "warning: careful",
        );
        check(
            json!({"message_type": "problem", "problem": {"object": "table a.b", "message": "no right", "hint": "Grant it."}}),
            "problem: table a.b: no right (Grant it.)",
        );
        check(
            json!({"message_type": "snapshot", "decision": "keep", "id": "ab12cd34", "started": "2026-11-21T03:00:00Z",
                "series": {"type": "mysql", "name": "n", "database": "d"}, "stored_bytes": 5, "rules": ["last", "daily 2026-11-21"]}),
            "keep ab12cd34: mysql n/d of 2026-11-21T03:00:00Z, 5 B: last, daily 2026-11-21",
        );
        assert_eq!(text(&json!({"message_type": "summary"})), None);
        assert_eq!(text(&Value::Null), None);
    }

    #[test]
    fn progress_is_told_now_and_then() {
        let mut teller = Teller::default();
        let status = json!({"message_type": "status", "seconds": 10});
        assert_eq!(teller.line(&status), None);
        teller.told = Instant::now()
            .checked_sub(EVERY)
            .expect("a machine that is up for so long");
        assert!(teller.line(&status).is_some());
        assert_eq!(teller.line(&status), None);
    }

    #[test]
    fn ends_are_told() {
        let dump = json!({"id": "ab12cd34", "rows": 1234, "bytes": 1024, "stored_bytes": 10, "seconds": 1.26, "problems": [{}]});
        assert_eq!(
            end("dump", &dump).as_deref(),
            Some(
                "stored: snapshot ab12cd34, 1,234 rows, 1.00 KiB as 10 B in 1.3 s, with 1 problem"
            )
        );
        let prune = json!({"removed": 2, "kept": 7, "bytes": 10});
        assert_eq!(
            end("prune", &prune).as_deref(),
            Some("pruned: 2 removed, 7 kept, 10 B freed")
        );
    }
}
