//! Which indices and data streams a dump means. Pure.

use std::collections::BTreeSet;

use ksnapshot_core::pattern::{Letters, Pattern};

/// An index, or a data stream, that the cluster has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Found {
    pub(super) name: String,
    pub(super) kind: Kind,
    pub(super) hidden: bool,
    /// A closed index has no documents that could be read.
    pub(super) closed: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Kind {
    Index,
    Stream,
}

/// Those of `found` that `patterns` mean, in their order. A pattern with a minus sign before it takes away what those before it
/// brought. What is hidden is only meant by its name, by a pattern that begins with a dot as it does, or with `hidden`.
pub(super) fn choose<'a>(found: &'a [Found], patterns: &[String], hidden: bool) -> Vec<&'a Found> {
    let mut chosen: BTreeSet<usize> = BTreeSet::new();
    for text in patterns {
        let (takes_away, text) = match text.strip_prefix('-') {
            Some(rest) => (true, rest),
            None => (false, text.as_str()),
        };
        let pattern = Pattern::whole(text);
        for (number, one) in found.iter().enumerate() {
            if !pattern.matches(Letters::Whole, None, &one.name) {
                continue;
            }
            if takes_away {
                chosen.remove(&number);
            } else if hidden
                || text == one.name
                || !one.hidden
                || (text.starts_with('.') && one.name.starts_with('.'))
            {
                chosen.insert(number);
            }
        }
    }
    chosen.into_iter().map(|n| &found[n]).collect()
}

/// Patterns that can only be a name, and are none of `found`.
pub(super) fn unknown<'a>(found: &[Found], patterns: &'a [String]) -> Vec<&'a String> {
    (patterns.iter())
        .filter(|p| !p.starts_with('-') && !p.contains(['*', '?']))
        .filter(|p| !found.iter().any(|one| one.name == **p))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found() -> Vec<Found> {
        ["logs-1", "logs-2", "shop", ".secret", "quiet"]
            .map(|name| Found {
                name: name.into(),
                kind: Kind::Index,
                hidden: name == ".secret" || name == "quiet",
                closed: false,
            })
            .into()
    }

    #[track_caller]
    fn check(patterns: &[&str], hidden: bool, expected: &[&str]) {
        let patterns: Vec<String> = patterns.iter().map(|&p| p.into()).collect();
        let all = found();
        let names: Vec<&str> = (choose(&all, &patterns, hidden).iter())
            .map(|f| f.name.as_str())
            .collect();
        assert_eq!(names, expected, "{patterns:?}");
    }

    #[test]
    fn as_the_server_reads_names() {
        check(&["*"], false, &["logs-1", "logs-2", "shop"]);
        check(
            &["*"],
            true,
            &["logs-1", "logs-2", "shop", ".secret", "quiet"],
        );
        check(&["*", "-logs-*"], false, &["shop"]);
        check(&["-logs-*", "logs-2"], false, &["logs-2"]);
        check(&["quiet", ".s*"], false, &[".secret", "quiet"]);
        check(&["q*"], false, &[]);
        check(&["logs-?"], false, &["logs-1", "logs-2"]);
    }

    #[test]
    fn only_names_can_be_unknown() {
        let patterns = ["nobody", "no*", "-nobody", "shop"].map(String::from);
        assert_eq!(unknown(&found(), &patterns), ["nobody"]);
    }
}
