//! Words that somebody may have meant.

/// The word of `known` that is nearly `word`; none when nothing is near enough to be meant.
pub fn near<'a>(word: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let allowed = (word.chars().count() / 3).max(1);
    (known.into_iter())
        .map(|candidate| (strsim::damerau_levenshtein(word, candidate), candidate))
        .filter(|(distance, _)| *distance <= allowed)
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slips_are_near_and_other_words_are_not() {
        let known = ["postgres", "mysql", "mariadb", "s3"];
        for (word, meant) in [
            ("postgers", Some("postgres")),
            ("psotgres", Some("postgres")),
            ("mysq", Some("mysql")),
            ("s4", Some("s3")),
            ("oracle", None),
            ("", None),
        ] {
            assert_eq!(near(word, known), meant, "{word}");
        }
    }
}
