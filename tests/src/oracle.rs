//! The oracle: what a restore of ours leaves equals what `pg_dump | psql` leaves, whatever SQL made the source.
//!
//! A case is a script, `tests/postgres/GROUP/CASE.sql`; the cases of a group share a database, and so a dump. It begins
//! with lines of which all but the last may be missing:
//!
//! - `-- since: 18`: it needs that version;
//! - `-- database: ENCODING 'LATIN1'`: it has a database of its own, made with that;
//! - `-- provider: ksnapshot_label`: it needs these providers of security labels, which few versions have;
//! - `-- problem: TEXT`: a dump must list a problem of which that is a part;
//! - `-- covers: B.4 Enum; B.6 15`: rows and groups of `tests/postgres/rows.txt` that it stands for.

mod folded;
mod random;

use std::collections::BTreeMap;
use std::fs;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};

use anyhow::{Context, Result, bail, ensure};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};

use crate::{Db, Ksnapshot, Postgres, Version, compare, testbed, tools};

/// The library with providers of security labels, `tests/postgres/label`.
const LABELS: &str = "ksnapshot_label";

/// The versions that it is compiled for: those with headers in a suite of Debian.
const LABELLED: [u32; 4] = [13, 15, 17, 18];

/// One script.
#[derive(Debug)]
pub struct Case {
    /// `GROUP/CASE`.
    pub name: String,
    /// Rows and groups of the list that it stands for.
    pub covers: Vec<String>,
    file: PathBuf,
    since: u32,
    database: Option<String>,
    provider: bool,
    problem: Option<String>,
}

/// All cases, by group.
pub fn cases() -> Result<BTreeMap<String, Vec<Case>>> {
    let mut groups = BTreeMap::new();
    for folder in listed(&testbed::sql("../postgres"))? {
        let group = file_name(&folder);
        if !group.starts_with(|first: char| first.is_ascii_digit()) {
            continue;
        }
        let cases = listed(&folder)?
            .into_iter()
            .map(|file| Case::read(&group, file));
        groups.insert(group.clone(), cases.collect::<Result<Vec<_>>>()?);
    }
    Ok(groups)
}

impl Case {
    fn read(group: &str, file: PathBuf) -> Result<Self> {
        let mut case = Self {
            name: format!("{group}/{}", file_name(&file).trim_end_matches(".sql")),
            covers: Vec::new(),
            since: 0,
            database: None,
            provider: false,
            problem: None,
            file,
        };
        let text = fs::read_to_string(&case.file)?;
        for line in text.lines() {
            let (key, value) = line
                .strip_prefix("-- ")
                .and_then(|line| line.split_once(": "))
                .with_context(|| format!("{}: no line says what it covers", case.name))?;
            match key {
                "since" => case.since = value.parse()?,
                "database" => case.database = Some(value.to_owned()),
                "provider" => case.provider = value == LABELS,
                "problem" => case.problem = Some(value.to_owned()),
                "covers" => {
                    case.covers = value.split("; ").map(str::to_owned).collect();
                    break;
                }
                _ => bail!("{}: nobody reads '{key}'", case.name),
            }
        }
        Ok(case)
    }
}

/// Holds the cases of a group against `pg_dump | psql` on one server.
pub fn check(server: &Postgres, group: &str) -> Result<()> {
    let major = server.version().major();
    for file in listed(&testbed::sql("../postgres/extension"))? {
        server.add_extension(&file)?;
    }
    let mut cases = cases()?.remove(group).context("no such group")?;
    let labelled = LABELLED.contains(&major);
    cases.retain(|case| case.since <= major && (labelled || !case.provider));
    if cases.iter().any(|case| case.provider) {
        server.preload(LABELS)?;
    }
    let (own, shared): (Vec<_>, Vec<_>) =
        cases.into_iter().partition(|case| case.database.is_some());
    let mut broken = Vec::new();
    for cases in std::iter::once(shared).chain(own.into_iter().map(|case| vec![case])) {
        if let Err(error) = one_database(server, group, &cases) {
            broken.push(format!("{error:?}"));
        }
    }
    ensure!(
        broken.is_empty(),
        "{group} on {major}: {}",
        broken.join("\n")
    );
    Ok(())
}

/// The same for random schemas, one for each seed, all in one database.
pub fn check_random(server: &Postgres, seeds: Range<u64>) -> Result<()> {
    let Err(error) = random_schemas(server, seeds.clone(), Judge::Strict) else {
        return Ok(());
    };
    // One of them, or where pg_dump breaks its loops: tests/postgres/known.txt.
    for seed in seeds.clone() {
        random_schemas(server, seed..seed + 1, Judge::Folded)
            .with_context(|| format!("seed {seed}"))?;
    }
    ensure!(
        format!("{error:#}").contains("differ"),
        "seeds {seeds:?}, but none of them alone: {error:?}"
    );
    Ok(())
}

fn random_schemas(server: &Postgres, seeds: Range<u64>, judge: Judge) -> Result<()> {
    let source = create(server, "", "")?;
    let file = tempfile::NamedTempFile::new()?;
    for seed in seeds {
        fs::write(file.path(), random::schema(seed, server.version()))?;
        source.psql_file(file.path())?;
    }
    round_trip(&source, "random", "", "", &[], judge)
}

/// How pg_dump's words on definitions are compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Judge {
    /// Byte for byte.
    Strict,
    /// … but for how and where it broke loops.
    Folded,
}

fn one_database(server: &Postgres, group: &str, cases: &[Case]) -> Result<()> {
    let options = cases.iter().find_map(|case| case.database.as_deref());
    let options = options.unwrap_or_default();
    // psql can't connect to such a name in another encoding than that of the server's other databases.
    let stem = if group == "10-database" && options.is_empty() {
        "it's = \"a\" $HOME \\ é "
    } else {
        ""
    };
    let source = create(server, stem, options)?;
    for case in cases {
        source
            .psql_file(&case.file)
            .with_context(|| case.name.clone())?;
    }
    round_trip(&source, group, stem, options, cases, Judge::Strict)
}

/// Restores `source` in three ways and compares.
fn round_trip(
    source: &Db<'_>,
    group: &str,
    stem: &str,
    options: &str,
    cases: &[Case],
    judge: Judge,
) -> Result<()> {
    let twin = twin_of(source, stem)?;
    let expected = Picture::of(&twin)?;

    let folder = tempfile::tempdir()?;
    dump(source, folder.path(), cases)?;
    let data = tools::files(folder.path())?
        .into_iter()
        .find(|file| file_name(file).ends_with(".sql.zst"))
        .context("no data object")?;

    let by_hand = create(source.server, stem, options)?;
    tools::restore_by_hand(&data, None, &by_hand).context("the text by psql")?;
    expected.same("psql of the text", &Picture::of(&by_hand)?, judge)?;

    let native = Db {
        server: source.server,
        name: name(stem),
    };
    restore(folder.path(), &native, &["--create"])?;
    expected.same("ksnapshot restore", &Picture::of(&native)?, judge)?;
    if group == "24-clean" {
        restore(folder.path(), &native, &["--clean"])?;
        expected.same("--clean", &Picture::of(&native)?, judge)?;
    }

    // Subscriptions and the like may keep one from going: the server goes anyway.
    for db in [twin, by_hand, native] {
        let _ = db.drop();
    }
    Ok(())
}

fn dump(source: &Db<'_>, to: &Path, cases: &[Case]) -> Result<()> {
    let run = Ksnapshot::new(["dump", &url(source), "--to"])
        .arg(to)
        .password()
        .run()?;
    let told = run.stderr.clone();
    let problems: Vec<&str> = cases
        .iter()
        .filter_map(|case| case.problem.as_deref())
        .collect();
    if problems.is_empty() {
        run.success().context("dump")?;
    } else {
        run.exits(3).context("dump")?;
    }
    for problem in problems {
        ensure!(
            told.contains(problem),
            "the dump doesn't say '{problem}':\n{told}"
        );
    }
    Ok(())
}

fn restore(from: &Path, into: &Db<'_>, args: &[&str]) -> Result<()> {
    Ksnapshot::new(["restore"])
        .arg(from)
        .args(["--into", &url(into)])
        .args(args)
        .password()
        .run()?
        .success()
        .context("ksnapshot restore")?;
    Ok(())
}

/// Copies by `pg_dump --create | psql`, the name of the one in the place of the other's.
fn twin_of<'a>(source: &Db<'a>, stem: &str) -> Result<Db<'a>> {
    let twin = source.server.db(&name(stem));
    let dump = source.shell("pg_dump --create", &[])?.success()?;
    let (from, to) = (mark(source).as_bytes(), mark(&twin).as_bytes());
    let mut script = dump.stdout;
    let starts: Vec<usize> = script
        .windows(from.len())
        .enumerate()
        .filter(|(_, window)| *window == from)
        .map(|(start, _)| start)
        .collect();
    for start in starts {
        script[start..start + to.len()].copy_from_slice(to);
    }
    let file = tempfile::NamedTempFile::new()?;
    fs::write(file.path(), known(&script, source.server.version()))?;
    source
        .server
        .psql_file("postgres", file.path())
        .context("pg_dump | psql")?;
    Ok(twin)
}

/// A newer client than the server's own writes of things that are not known there.
fn known(script: &[u8], version: Version) -> Vec<u8> {
    let mut known = Vec::with_capacity(script.len());
    for line in script.split_inclusive(|&byte| byte == b'\n') {
        match std::str::from_utf8(line) {
            Ok("SET transaction_timeout = 0;\n") if version.major() < 17 => {}
            Ok(text) if text.starts_with("CREATE DATABASE ") && version.major() < 15 => {
                let text = text.replace(" LOCALE_PROVIDER = libc", "");
                let (before, after) = text.split_once(" LOCALE = ").unwrap_or((&text, ""));
                let text = match version.major() < 13 && !after.is_empty() {
                    true => {
                        let locale = after.trim_end().trim_end_matches(';');
                        format!("{before} LC_COLLATE = {locale} LC_CTYPE = {locale};\n")
                    }
                    false => text,
                };
                known.extend(text.bytes());
            }
            _ => known.extend(line),
        }
    }
    known
}

/// Everything of a database that stock tools see.
struct Picture {
    schema: String,
    rest: String,
}

impl Picture {
    fn of(db: &Db<'_>) -> Result<Self> {
        let rest = [
            compare::row_hashes(db)?,
            compare::sequence_values(db)?,
            compare::large_object_hashes(db)?,
        ];
        Ok(Self {
            schema: tools::pg_dump_database(db)?.replace(mark(db), "oracle0000"),
            rest: rest.join("\n"),
        })
    }

    fn same(&self, what: &str, found: &Self, judge: Judge) -> Result<()> {
        let look = |schema: &str| match judge {
            Judge::Strict => schema.to_owned(),
            Judge::Folded => folded::folded(schema),
        };
        let (expected, found_schema) = (look(&self.schema), look(&found.schema));
        compare::texts(&format!("{what}: definitions"), &expected, &found_schema)?;
        compare::texts(&format!("{what}: rows"), &self.rest, &found.rest)
    }
}

/// A name of a database that no other has. All marks are of one length: one can stand for another in a text.
fn name(stem: &str) -> String {
    static COUNT: AtomicU32 = AtomicU32::new(1);
    format!("{stem}oracle{:04}", COUNT.fetch_add(1, Ordering::Relaxed))
}

/// The end of such a name, which looks the same wherever names are quoted.
fn mark<'d>(db: &'d Db<'_>) -> &'d str {
    &db.name[db.name.len() - "oracle0000".len()..]
}

fn create<'a>(server: &'a Postgres, stem: &str, options: &str) -> Result<Db<'a>> {
    let name = name(stem);
    let quoted = name.replace('"', "\"\"");
    server.psql(
        "postgres",
        &format!("create database \"{quoted}\" {options} template template0"),
    )?;
    Ok(server.db(&name))
}

fn url(db: &Db<'_>) -> String {
    let name = utf8_percent_encode(&db.name, NON_ALPHANUMERIC);
    db.server.url(&name.to_string())
}

fn listed(folder: &Path) -> Result<Vec<PathBuf>> {
    let entries = fs::read_dir(folder)?.map(|entry| Ok(entry?.path()));
    let mut paths: Vec<PathBuf> = entries.collect::<Result<_>>()?;
    paths.sort();
    Ok(paths)
}

fn file_name(path: &Path) -> String {
    path.file_name()
        .unwrap_or_default()
        .to_string_lossy()
        .into_owned()
}
