//! Cuts a table into chunks by ranges of a key. Pure.
//!
//! All ranges come from one list of bounds in the key's order, half-open, the first without a beginning and the last without
//! an end: that together they are the table follows from their form, wherever the bounds lie. Only the server compares.

use std::fmt::Write;

use super::quote;

/// No table is cut into more.
const MOST: usize = 10_000;

/// Where a range begins: literals for the first columns of the key, at least one.
pub(super) type Bound = Vec<String>;

/// What one reader reads of a table at once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Chunk {
    /// All of it.
    Whole,
    /// A partition or subpartition.
    Partition(String),
    /// Rows whose key is not below `from` and below `to`.
    Range {
        key: Key,
        from: Option<Bound>,
        to: Option<Bound>,
    },
    /// Rows whose key holds a NULL: they have no place in the key's order.
    Null(Key),
}

/// A key, all names unquoted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Key {
    /// The index that keeps it.
    pub(super) index: String,
    pub(super) columns: Vec<String>,
    pub(super) nullable: bool,
}

impl Chunk {
    /// What stands between the name of the table and WHERE.
    pub(super) fn partition(&self) -> Option<String> {
        match self {
            Self::Partition(name) => Some(format!("PARTITION ({})", quote::name(name))),
            _ => None,
        }
    }

    /// What stands behind the table: else every chunk of a table without a primary key might be looked for in all of it.
    pub(super) fn hint(&self) -> Option<String> {
        match self {
            Self::Range { key, .. } => Some(format!("FORCE INDEX ({})", quote::name(&key.index))),
            _ => None,
        }
    }

    /// Its condition.
    pub(super) fn condition(&self) -> Option<String> {
        match self.test() {
            Test::All(none) if none.is_empty() => None,
            test => Some(test.sql()),
        }
    }

    fn test(&self) -> Test {
        match self {
            Self::Whole | Self::Partition(_) => Test::All(Vec::new()),
            Self::Null(key) => Test::Any(key.columns.iter().cloned().map(Test::Null).collect()),
            Self::Range { key, from, to } => {
                let mut all = Vec::new();
                if let Some(from) = from {
                    all.push(not_below(&key.columns, from));
                }
                if let Some(to) = to {
                    all.push(below(&key.columns, to));
                }
                if key.nullable {
                    all.extend(key.columns.iter().cloned().map(Test::NotNull));
                }
                Test::All(all)
            }
        }
    }
}

/// A condition on a row.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Test {
    Compare(String, Comparison, String),
    Null(String),
    NotNull(String),
    All(Vec<Self>),
    Any(Vec<Self>),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Comparison {
    Less,
    AtMost,
    Equal,
    AtLeast,
    Greater,
}

/// `(a, b) >= (1, 2)`, as the optimizer can use it: `a >= 1 AND (a > 1 OR a = 1 AND b >= 2)`.
fn not_below(columns: &[String], bound: &[String]) -> Test {
    nested(
        columns,
        bound,
        Comparison::Greater,
        Comparison::AtLeast,
        Comparison::AtLeast,
    )
}

/// `(a, b) < (1, 2)`, likewise.
fn below(columns: &[String], bound: &[String]) -> Test {
    nested(
        columns,
        bound,
        Comparison::Less,
        Comparison::AtMost,
        Comparison::Less,
    )
}

fn nested(
    columns: &[String],
    bound: &[String],
    beyond: Comparison,
    within: Comparison,
    last: Comparison,
) -> Test {
    let [column, columns @ ..] = columns else {
        return Test::All(Vec::new());
    };
    let compare = |how, value: &String| Test::Compare(column.clone(), how, value.clone());
    match bound {
        [] => Test::All(Vec::new()),
        [value] => compare(last, value),
        [value, rest @ ..] => Test::All(vec![
            compare(within, value),
            Test::Any(vec![
                compare(beyond, value),
                Test::All(vec![
                    compare(Comparison::Equal, value),
                    nested(columns, rest, beyond, within, last),
                ]),
            ]),
        ]),
    }
}

impl Test {
    fn sql(&self) -> String {
        let joined = |tests: &[Self], word: &str| {
            let mut text = String::from("(");
            for (i, test) in tests.iter().enumerate() {
                let _ = write!(text, "{}{}", if i > 0 { word } else { "" }, test.sql());
            }
            text + ")"
        };
        match self {
            Self::Compare(column, how, value) => {
                let how = match how {
                    Comparison::Less => "<",
                    Comparison::AtMost => "<=",
                    Comparison::Equal => "=",
                    Comparison::AtLeast => ">=",
                    Comparison::Greater => ">",
                };
                format!("{} {how} {value}", quote::name(column))
            }
            // IS NULL would also find zero dates, of which there may be some where there are no NULLs.
            Self::Null(column) => format!("{} <=> NULL", quote::name(column)),
            Self::NotNull(column) => format!("NOT ({} <=> NULL)", quote::name(column)),
            Self::All(tests) => joined(tests, " AND "),
            Self::Any(tests) => joined(tests, " OR "),
        }
    }
}

/// A piece of a key's order, as found on the server: its beginning (of the first one: none) and about how many rows it has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Piece {
    pub(super) from: Option<Bound>,
    pub(super) rows: u64,
}

/// Joins pieces that are small or empty until a chunk has about `target` rows, and makes ranges of them, each with its
/// rows. The pieces come in the key's order, the first without a beginning.
pub(super) fn ranges(key: &Key, pieces: &[Piece], target: u64) -> Vec<(Chunk, u64)> {
    let all: u64 = pieces.iter().map(|p| p.rows).sum();
    let target = target.max(all.div_ceil(MOST as u64)).max(1);
    let mut joined: Vec<Piece> = Vec::new();
    for piece in pieces {
        let enough = joined.len() >= MOST;
        match joined.last_mut() {
            Some(last)
                if enough
                    || last.rows + piece.rows <= target
                    || last.rows == 0
                    || piece.rows == 0 =>
            {
                last.rows += piece.rows;
            }
            _ => joined.push(piece.clone()),
        }
    }
    let mut chunks: Vec<(Chunk, u64)> = (joined.iter().enumerate())
        .map(|(i, piece)| {
            let range = Chunk::Range {
                key: key.clone(),
                from: piece.from.clone(),
                to: joined.get(i + 1).and_then(|next| next.from.clone()),
            };
            (range, piece.rows)
        })
        .collect();
    match chunks.len() {
        0 | 1 => vec![(Chunk::Whole, all)],
        _ => {
            if key.nullable {
                chunks.push((Chunk::Null(key.clone()), 0));
            }
            chunks
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    type Row = Vec<Option<i32>>;

    /// As SQL decides: None is unknown, and an unknown row is not in the result.
    fn holds(test: &Test, row: &Row) -> Option<bool> {
        let value = |column: &str| row[column[1..].parse::<usize>().expect("a number")];
        match test {
            Test::Compare(column, how, literal) => {
                let literal: i32 = literal.parse().expect("a number");
                value(column).map(|v| match how {
                    Comparison::Less => v < literal,
                    Comparison::AtMost => v <= literal,
                    Comparison::Equal => v == literal,
                    Comparison::AtLeast => v >= literal,
                    Comparison::Greater => v > literal,
                })
            }
            Test::Null(column) => Some(value(column).is_none()),
            Test::NotNull(column) => Some(value(column).is_some()),
            Test::All(tests) => all(tests.iter().map(|t| holds(t, row)), true),
            Test::Any(tests) => all(tests.iter().map(|t| holds(t, row)), false),
        }
    }

    /// AND of the logic of three values; with `false` OR, its mirror image.
    fn all(mut found: impl Iterator<Item = Option<bool>> + Clone, neutral: bool) -> Option<bool> {
        if found.clone().any(|one| one == Some(!neutral)) {
            return Some(!neutral);
        }
        found.all(|one| one == Some(neutral)).then_some(neutral)
    }

    fn key(columns: usize, nullable: bool) -> Key {
        Key {
            index: "PRIMARY".into(),
            columns: (0..columns).map(|i| format!("c{i}")).collect(),
            nullable,
        }
    }

    /// Bounds of any length up to the key's, in its order: a shorter one lies before all that begin with it.
    fn bounds(columns: usize) -> impl Strategy<Value = Vec<Vec<i32>>> {
        proptest::collection::btree_set(proptest::collection::vec(-3i32..4, 1..=columns), 0..9)
            .prop_map(|set| set.into_iter().collect())
    }

    fn cases() -> impl Strategy<Value = (usize, bool, Vec<Vec<i32>>, Vec<u64>, u64)> {
        (1usize..4).prop_flat_map(|columns| {
            (
                Just(columns),
                any::<bool>(),
                bounds(columns),
                proptest::collection::vec(0u64..9, 10),
                0u64..20,
            )
        })
    }

    proptest! {
        #[test]
        fn every_row_is_in_one_chunk((columns, nullable, bounds, rows, target) in cases()) {
            let mut pieces = vec![Piece { from: None, rows: rows[0] }];
            pieces.extend(bounds.iter().zip(&rows[1..]).map(|(bound, &rows)| Piece {
                from: Some(bound.iter().map(ToString::to_string).collect()),
                rows,
            }));
            let chunks = ranges(&key(columns, nullable), &pieces, target);
            prop_assert_eq!(chunks.iter().map(|c| c.1).sum::<u64>(), pieces.iter().map(|p| p.rows).sum::<u64>());
            let values: Vec<Option<i32>> = (-4..5).map(Some).chain(nullable.then_some(None)).collect();
            let mut all: Vec<Row> = vec![Vec::new()];
            for _ in 0..columns {
                all = all.iter()
                    .flat_map(|row| values.iter().map(|v| [row.clone(), vec![*v]].concat()))
                    .collect();
            }
            for row in &all {
                let found = chunks.iter().filter(|(chunk, _)| holds(&chunk.test(), row) == Some(true)).count();
                prop_assert_eq!(found, 1, "{:?} in {:?}", row, chunks);
            }
        }

        #[test]
        fn chunks_are_neither_many_nor_empty(rows in proptest::collection::vec(0u64..1000, 1..300), target in 0u64..500) {
            let pieces: Vec<Piece> = rows.iter().enumerate()
                .map(|(i, &rows)| Piece { from: (i > 0).then(|| vec![i.to_string()]), rows })
                .collect();
            let chunks = ranges(&key(1, false), &pieces, target);
            let all: u64 = rows.iter().sum();
            prop_assert!(chunks.len() as u64 <= 1 + 2 * all / target.max(1));
            prop_assert!(chunks.len() == 1 || chunks.iter().all(|c| c.1 > 0));
        }
    }

    #[test]
    fn sparse_keys_make_no_million_chunks() {
        let pieces: Vec<Piece> = (0..3_000_000u64)
            .map(|i| Piece {
                from: (i > 0).then(|| vec![i.to_string()]),
                rows: 1,
            })
            .collect();
        assert!(ranges(&key(1, false), &pieces, 1).len() <= MOST);
    }

    #[test]
    fn composite_keys_are_expanded() {
        let chunk = Chunk::Range {
            key: Key {
                index: "i".into(),
                columns: vec!["a".into(), "b`".into()],
                nullable: true,
            },
            from: Some(vec!["1".into(), "'x'".into()]),
            to: Some(vec!["2".into()]),
        };
        assert_eq!(
            chunk.condition().as_deref(),
            Some(
                "((`a` >= 1 AND (`a` > 1 OR (`a` = 1 AND `b``` >= 'x'))) AND `a` < 2 AND NOT (`a` <=> NULL) AND NOT \
                 (`b``` <=> NULL))"
            )
        );
        assert_eq!(Chunk::Whole.condition(), None);
        assert_eq!(
            Chunk::Partition("p`".into()).partition().as_deref(),
            Some("PARTITION (`p```)")
        );
    }
}
