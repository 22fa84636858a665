//! What the stock dump program sees in our copy is what it sees in the source, and in a copy that it made itself, but for
//! what it loses.

use std::collections::{BTreeMap, BTreeSet};

use ksnapshot_tests::mysql::{Flavour, Version, compare, copies};
use ksnapshot_tests::testbed;

use super::kinds::{ALL, INVALID, KINDS, dumped, kinds_into};
use super::values;

/// Who loses something.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Loser {
    /// The server, which doesn't tell it or doesn't take it again: no copy is like the source.
    Server,
    /// The stock programs: our copy is like the source, and theirs is not.
    Stock,
}

/// What may differ.
struct Difference {
    why: &'static str,
    loser: Loser,
    on: fn(Version) -> bool,
    /// Of the stock program's dump.
    parts: &'static [&'static str],
}

/// All that may differ, ten at most. What is not seen where it should be is as wrong as what is seen beside it.
const DIFFERENCES: [Difference; 8] = [
    Difference {
        why: "the server tells a label of ENUM with characters of four bytes as question marks, by SHOW CREATE as by \
              information_schema; the stock programs lose the values, too",
        loser: Loser::Server,
        on: |_| true,
        parts: &["`values`: Dumping data for table `labels`"],
    },
    Difference {
        why: "before MariaDB 10.11 the server takes no history, and not since when a row is as it is",
        loser: Loser::Server,
        on: |version| version == Version::MariaDb105,
        parts: &["`kinds_a`: Dumping data for table `versioned_columns`"],
    },
    Difference {
        why: "a negative zero is written as -0, an integer, which has no sign; MariaDB 10.11 and 11.8.9 don't even show it",
        loser: Loser::Stock,
        on: |version| ![Version::MariaDb1011, Version::MariaDb118].contains(&version),
        parts: &["`values`: Dumping data for table `floats`"],
    },
    Difference {
        why: "dates that no calendar has are loaded without ALLOW_INVALID_DATES",
        loser: Loser::Stock,
        on: |_| true,
        parts: &["`values`: Dumping data for table `times`"],
    },
    Difference {
        why: "a view with a check option is made while the view below it is a placeholder, which can't be updated",
        loser: Loser::Stock,
        on: |_| true,
        parts: &[
            "`kinds_a`: Final view structure for view `v_cascaded`",
            "`kinds_a`: Temporary table structure for view `v_cascaded`",
        ],
    },
    Difference {
        why: "rows are loaded under LOCK TABLES of their table, not of the sequence that its default takes numbers from",
        loser: Loser::Stock,
        on: |version| version.flavour() == Flavour::MariaDb,
        parts: &["`kinds_a`: Dumping data for table `numbered`"],
    },
    Difference {
        why: "the default of a column of bytes, which MariaDB 10.5 shows as they are, is converted as if it were text",
        loser: Loser::Stock,
        on: |version| version == Version::MariaDb105,
        parts: &["`kinds_a`: Table structure for table `columns_all`"],
    },
    Difference {
        why: "MariaDB's program doesn't know the generated columns of MySQL 5.7, which then refuses the rows",
        loser: Loser::Stock,
        on: |version| version == Version::MySql57,
        parts: &[
            "`kinds_a`: Dumping data for table `columns_all`",
            "`values`: Dumping data for table `columns_of_kinds`",
            "`values`: Dumping data for table `generated_with_warnings`",
            "`values`: Dumping data for table `only_generated`",
        ],
    },
];

/// Of this version, with all kinds and all values.
pub(crate) fn same_copies(version: Version) {
    let [source, ours, theirs] = [(); 3].map(|()| values::server(version));
    kinds_into(&source);
    for view in INVALID {
        source.run(&format!("drop view kinds_a.{view}")).unwrap();
    }
    let values = source.create_db("values").unwrap();
    values.load(&testbed::sql("mysql/values.sql")).unwrap();
    let args = [&ALL[..], &["--database", "values"]].concat();
    dumped(&source, &args)
        .restore(&ours.url(""), &[])
        .exits(0)
        .unwrap();
    // The stock program copies no users, and a view whose definer isn't there is shown otherwise.
    for user in ["kinds_owner", "kinds_reader"] {
        theirs.create_user(user, &["all on *.*"]).unwrap();
    }
    let dbs = [&KINDS[..], &["values"]].concat();
    // What it complains of shows in its copy.
    copies::twin_into(&source, &theirs, &dbs).unwrap();

    let [source, ours, theirs] =
        [&source, &ours, &theirs].map(|server| parts(&compare::stock_dump(server, &dbs).unwrap()));
    assert!(source.len() > 200, "{:?}", source.keys());
    let expected = |who: &[Loser]| -> BTreeSet<&str> {
        (DIFFERENCES.iter())
            .filter(|known| (known.on)(version) && who.contains(&known.loser))
            .flat_map(|known| known.parts)
            .copied()
            .collect()
    };
    let lost = differing(&source, &ours);
    assert_eq!(
        names(&lost),
        expected(&[Loser::Server]),
        "{version:?}, between source and our copy: {lost:#?}"
    );
    let lost = differing(&ours, &theirs);
    let all = expected(&[Loser::Server, Loser::Stock]);
    assert_eq!(
        names(&lost),
        all,
        "{version:?}, between our copy and theirs: {lost:#?}"
    );
    let reasons: Vec<_> = DIFFERENCES.iter().map(|known| known.why).collect();
    assert!(reasons.len() <= 10, "{reasons:#?}");
}

type Parts = BTreeMap<String, String>;

/// The parts that are not the same, with a line that one has and the other has not.
fn differing<'p>(a: &'p Parts, b: &'p Parts) -> BTreeMap<&'p str, [String; 2]> {
    let lines = |parts: &Parts, part: &str| -> BTreeSet<String> {
        let text = parts.get(part).map_or("", String::as_str);
        text.lines().map(str::to_owned).collect()
    };
    let first = |these: &BTreeSet<String>, others: &BTreeSet<String>| {
        let line = these.difference(others).next().cloned();
        line.unwrap_or_default().chars().take(300).collect()
    };
    (a.keys().chain(b.keys()))
        .filter(|part| a.get(*part) != b.get(*part))
        .map(|part| {
            let (a, b) = (lines(a, part), lines(b, part));
            (part.as_str(), [first(&a, &b), first(&b, &a)])
        })
        .collect()
}

fn names<'p>(differing: &BTreeMap<&'p str, [String; 2]>) -> BTreeSet<&'p str> {
    differing.keys().copied().collect()
}

/// A dump, by the objects that its comments tell of.
fn parts(dump: &str) -> Parts {
    let mut found = Parts::new();
    let (mut db, mut part) = (String::new(), String::new());
    for line in compare::told_once(dump).lines() {
        if let Some(title) = line.strip_prefix("-- ").filter(|t| t.contains(['`', '\''])) {
            if let Some(name) = title.strip_prefix("Current Database: ") {
                db = name.to_owned();
            }
            // As the two families call one thing.
            let title = title.replace("Temporary view", "Temporary table");
            part = format!("{db}: {title}");
        }
        let text = found.entry(part.clone()).or_default();
        text.push_str(line);
        text.push('\n');
    }
    found
}
