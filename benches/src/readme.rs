//! The kept tables: each race has a place of its own in `benches/README.md`, between two markers.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result};

/// Replaces the section of a race, or adds it at the end.
pub(crate) fn save(name: &str, section: &str) -> Result<()> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("README.md");
    let text = fs::read_to_string(&path).with_context(|| path.display().to_string())?;
    fs::write(&path, replaced(&text, name, section)?)?;
    Ok(())
}

fn replaced(text: &str, name: &str, section: &str) -> Result<String> {
    let (begin, end) = (format!("<!-- {name} -->\n"), format!("<!-- /{name} -->\n"));
    let section = section.trim_end();
    let Some((before, rest)) = text.split_once(&begin) else {
        return Ok(format!("{}\n\n{begin}{section}\n{end}", text.trim_end()));
    };
    let (_, after) = rest
        .split_once(&end)
        .with_context(|| format!("{name} begins and doesn't end"))?;
    Ok(format!("{before}{begin}{section}\n{end}{after}"))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn a_section_replaces_only_itself() {
        let one = replaced("# Races\n", "a", "first\n").unwrap();
        assert_eq!(one, "# Races\n\n<!-- a -->\nfirst\n<!-- /a -->\n");
        let two = replaced(&one, "b", "other").unwrap();
        let three = replaced(&two, "a", "second").unwrap();
        assert_eq!(three, two.replace("first", "second"));
        assert!(replaced("<!-- a -->\n", "a", "x").is_err());
    }
}
