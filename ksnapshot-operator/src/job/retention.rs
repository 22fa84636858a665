//! What stays: `KSNAPSHOT_RETENTION`.

use ksnapshot_core::Result;

use super::environment::{Environment, duration, wrong};
use crate::names::job::KSNAPSHOT_RETENTION;

const RULES: [&str; 6] = ["last", "hourly", "daily", "weekly", "monthly", "yearly"];

/// Words of `ksnapshot prune` that say so.
pub(super) fn read(env: &Environment<'_>) -> Result<Vec<String>> {
    let text = env.required(
        KSNAPSHOT_RETENTION,
        "Set it to what stays, such as last=3,daily=7,weekly=4,monthly=12.",
    )?;
    words(text).map_err(|(what, hint)| wrong(KSNAPSHOT_RETENTION, what, hint))
}

/// Words of `ksnapshot prune` for rules that are written as `last=3,daily=7,within=90d`, or what is wrong and what to do.
pub(crate) fn words(text: &str) -> Result<Vec<String>, (String, String)> {
    let rules = format!("Rules are {} and within.", RULES.join(", "));
    let mut words: Vec<String> = Vec::new();
    let mut keeps = false;
    for rule in text
        .split(',')
        .map(str::trim)
        .filter(|rule| !rule.is_empty())
    {
        let bad = |what: &str, hint: &str| Err((format!("{rule:?} {what}"), hint.to_owned()));
        let Some((name, value)) = rule.split_once('=') else {
            return bad(
                "is no rule",
                "Write rules as daily=7, with commas between them.",
            );
        };
        let (name, value) = (name.trim(), value.trim());
        let begin = format!("--keep-{name}=");
        if words.iter().any(|word| word.starts_with(&begin)) {
            return bad("is there twice", "Write each rule once.");
        }
        if name == "within" {
            match duration(value) {
                Some(within) => keeps |= !within.is_zero(),
                None => {
                    return bad(
                        "is no duration",
                        "Write it in weeks, days or hours, such as within=90d.",
                    );
                }
            }
        } else if RULES.contains(&name) {
            match value.parse::<u32>() {
                Ok(count) => keeps |= count > 0,
                Err(_) => return bad("has no number", "Write it as daily=7."),
            }
        } else {
            return bad("is no rule", &rules);
        }
        words.push(format!("{begin}{value}"));
    }
    if !keeps {
        return Err((
            "nothing would stay by these rules".to_owned(),
            format!("Set one of them to more than 0. {rules}"),
        ));
    }
    Ok(words)
}
