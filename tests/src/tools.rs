//! What others wrote, as judges: `age`, `zstd`, `gunzip`, `psql`, `pg_dump`.

use std::ffi::OsStr;
use std::fmt;
use std::fs;
use std::io::{ErrorKind, Read};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::thread;
use std::time::Duration;

use anyhow::{Context, Result, bail};

use crate::testbed;
use crate::{Db, Version};

/// No single program of a test runs longer.
const LIMIT: Duration = Duration::from_secs(600);

/// A finished program.
#[derive(Clone)]
pub struct Run {
    /// What was run.
    pub command: String,
    /// How it ended.
    pub status: ExitStatus,
    /// What it wrote as its result.
    pub stdout: Vec<u8>,
    /// What it said.
    pub stderr: String,
}

impl Run {
    /// The exit code; `None` if a signal ended it.
    pub fn code(&self) -> Option<i32> {
        self.status.code()
    }

    /// The result as text.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.stdout).into_owned()
    }

    /// The problems that it told of, each with its object and what is wrong.
    pub fn problems(&self) -> Vec<(&str, &str)> {
        (self.stderr.lines())
            .filter_map(|line| line.strip_prefix("problem: "))
            .map(|problem| problem.split_once(": ").unwrap_or((problem, "")))
            .collect()
    }

    /// Fails, showing everything, unless the exit code is 0.
    pub fn success(self) -> Result<Self> {
        self.exits(0)
    }

    /// Fails, showing everything, unless the exit code is `code`.
    pub fn exits(self, code: i32) -> Result<Self> {
        if self.code() != Some(code) {
            bail!("expected exit code {code}:\n{self:?}");
        }
        Ok(self)
    }
}

impl fmt::Debug for Run {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = self.text();
        let shown: String = text.chars().take(4000).collect();
        writeln!(
            f,
            "{}\n{}\nstdout ({} bytes):\n{shown}",
            self.command,
            self.status,
            self.stdout.len()
        )?;
        write!(f, "stderr:\n{}", self.stderr)
    }
}

/// Runs a program to its end, which has to come within ten minutes.
pub fn run(command: &mut Command) -> Result<Run> {
    let shown = shown(command);
    finish(start(command)?, shown, LIMIT)
}

/// A command without its environment, which would bury it.
pub(crate) fn shown(command: &Command) -> String {
    let words = std::iter::once(command.get_program()).chain(command.get_args());
    let quoted = words.map(|word| match word.to_string_lossy() {
        plain if plain.contains([' ', '"', '$', '\n']) => format!("'{plain}'"),
        plain => plain.into_owned(),
    });
    quoted.collect::<Vec<_>>().join(" ")
}

/// Starts a program without input and with both outputs caught.
pub(crate) fn start(command: &mut Command) -> Result<Child> {
    command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    command
        .spawn()
        .with_context(|| format!("{:?}", command.get_program()))
}

/// Waits for a program; after `limit` it's killed, which is a failure.
pub(crate) fn finish(mut child: Child, command: String, limit: Duration) -> Result<Run> {
    fn reader(
        source: Option<impl Read + Send + 'static>,
    ) -> thread::JoinHandle<std::io::Result<Vec<u8>>> {
        thread::spawn(move || {
            let mut bytes = Vec::new();
            if let Some(mut source) = source {
                source.read_to_end(&mut bytes)?;
            }
            Ok(bytes)
        })
    }
    let (stdout, stderr) = (reader(child.stdout.take()), reader(child.stderr.take()));
    let waited = testbed::until(limit, &command, || Ok(child.try_wait()?));
    if waited.is_err() {
        let _ = child.kill();
        let _ = child.wait();
    }
    let read = |thread: thread::JoinHandle<std::io::Result<Vec<u8>>>| match thread.join() {
        Ok(bytes) => Ok(bytes?),
        Err(_) => bail!("{command}: reading its output panicked"),
    };
    let status = waited?;
    let (stdout, stderr) = (read(stdout)?, read(stderr)?);
    Ok(Run {
        command,
        status,
        stdout,
        stderr: String::from_utf8_lossy(&stderr).into_owned(),
    })
}

/// A bash script in which any failing part of a pipeline fails the whole; `args` are `$1` and on.
pub fn bash(script: &str, args: &[&OsStr]) -> Command {
    let mut bash = Command::new("bash");
    clean(&mut bash);
    bash.args(["-euo", "pipefail", "-c", script, "bash"])
        .args(args);
    bash
}

/// Removes what would change a program's connections behind a test's back.
pub fn clean(command: &mut Command) {
    for (key, _) in std::env::vars_os() {
        let name = key.to_string_lossy();
        if [
            "PG",
            "AWS_",
            "AZURE_",
            "GOOGLE_",
            "GCE_",
            "KSNAPSHOT_",
            "MINIO_",
            "MYSQL_",
            "MARIADB_",
        ]
        .iter()
        .any(|prefix| name.starts_with(prefix))
        {
            command.env_remove(&key);
        }
    }
    // Neither passwords nor services of the machine's user; messages in one language.
    command
        .env("PGPASSFILE", "/nonexistent")
        .env("PGSYSCONFDIR", "/nonexistent");
    command.env("LC_ALL", "C.UTF-8").env("TZ", "UTC");
}

/// Where the library of time is that gives a program another clock; for `LD_PRELOAD`.
pub fn faketime() -> Result<String> {
    let library = testbed::home()?.join("lib/libfaketime.so.1");
    testbed::require(&library)?;
    Ok(library.display().to_string())
}

/// A key pair, made by `age-keygen`.
#[derive(Debug)]
pub struct Key {
    folder: tempfile::TempDir,
    recipient: String,
}

impl Key {
    /// A new one.
    pub fn generate() -> Result<Self> {
        let folder = tempfile::tempdir()?;
        run(Command::new("age-keygen")
            .arg("-o")
            .arg(folder.path().join("key")))?
        .success()?;
        let recipient = run(Command::new("age-keygen")
            .arg("-y")
            .arg(folder.path().join("key")))?
        .success()?;
        Ok(Self {
            folder,
            recipient: recipient.text().trim_end().to_owned(),
        })
    }

    /// The public half: `age1…`.
    pub fn recipient(&self) -> &str {
        &self.recipient
    }

    /// The file with the secret half.
    pub fn identity(&self) -> PathBuf {
        self.folder.path().join("key")
    }
}

/// Opens an object with stock tools alone, by its suffixes (`.age`, `.zst`, `.gz`), and gives its plain bytes.
pub fn open(object: &Path, key: Option<&Key>) -> Result<Vec<u8>> {
    let script = format!("< \"$1\" {}", opener(object, key)?);
    Ok(run(&mut bash(&script, &[object.as_os_str()]))?
        .success()?
        .stdout)
}

/// Restores a data object as a person without ksnapshot would: `age -d -i KEY FILE | zstd -d | psql`.
pub fn restore_by_hand(object: &Path, key: Option<&Key>, into: &Db<'_>) -> Result<()> {
    let script = format!(
        "< \"$1\" {} | psql -Xq -v ON_ERROR_STOP=1",
        opener(object, key)?
    );
    into.shell(&script, &[object.as_os_str()])?.success()?;
    Ok(())
}

/// The pipeline that turns an object on its standard input into plain text.
fn opener(object: &Path, key: Option<&Key>) -> Result<String> {
    let mut name = object.to_string_lossy().into_owned();
    let mut steps = Vec::new();
    if let Some(stem) = name.strip_suffix(".age") {
        let key = key.context("an encrypted object needs a key")?;
        steps.push(format!("age -d -i '{}'", key.identity().display()));
        name = stem.to_owned();
    }
    if name.ends_with(".zst") {
        steps.push("zstd -dcq".to_owned());
    } else if name.ends_with(".gz") {
        steps.push("gunzip -c".to_owned());
    }
    if steps.is_empty() {
        steps.push("cat".to_owned());
    }
    Ok(steps.join(" | "))
}

/// The dump of a schema by the one pinned judge, `pg_dump` 18, without what differs from run to run.
pub fn pg_dump_schema(db: &Db<'_>) -> Result<String> {
    judged(db, &["--schema-only"])
}

/// … and of what the database itself is made with, and is set to.
pub fn pg_dump_database(db: &Db<'_>) -> Result<String> {
    judged(db, &["--schema-only", "--create"])
}

/// What the planner knows, in the words of the same judge.
pub fn pg_dump_statistics(db: &Db<'_>) -> Result<String> {
    judged(db, &["--statistics-only"])
}

/// … and all else.
pub fn pg_dump_with_statistics(db: &Db<'_>) -> Result<String> {
    judged(db, &["--statistics"])
}

fn judged(db: &Db<'_>, what: &[&str]) -> Result<String> {
    let mut dump = Command::new(Version::V18.client("pg_dump")?);
    clean(&mut dump);
    // By environment: as an argument, a name with `=` in it is a connection string.
    dump.envs(db.server.env())
        .env("PGDATABASE", &db.name)
        .arg("--restrict-key=ksnapshot")
        .args(what);
    let text = run(&mut dump)?.success()?.text();
    Ok(with_labels_in_order(&without_column_versions(&text)))
}

/// Sorts neighbouring security labels: `pg_dump` does not ask for an order of those of one object.
fn with_labels_in_order(dump: &str) -> String {
    let is_label = |line: &str| line.starts_with("SECURITY LABEL FOR ") && line.ends_with(";\n");
    let lines: Vec<&str> = dump.split_inclusive('\n').collect();
    let mut sorted = String::with_capacity(dump.len());
    for run in lines.chunk_by(|a, b| is_label(a) && is_label(b)) {
        let mut run = run.to_vec();
        run.sort_unstable();
        sorted.extend(run);
    }
    sorted
}

/// Removes the option `pg_attver` of columns: PostgreSQL keeps a random number there since the minor releases of
/// November 2026 (15.20), and a `pg_dump` from before them shows it as if a user had set it.
fn without_column_versions(dump: &str) -> String {
    const OPTION: &str = "pg_attver=";
    let mut pieces = dump.split(OPTION);
    let mut kept = pieces.next().unwrap_or_default().to_owned();
    for piece in pieces {
        let rest = piece.trim_start_matches(|c: char| c.is_ascii_digit());
        if let Some(before) = kept.strip_suffix(", ") {
            kept.truncate(before.len());
        } else if let Some(others) = rest.strip_prefix(", ") {
            kept.push_str(others);
            continue;
        } else if let Some(after) = rest.strip_prefix(");\n") {
            // It was the only option: the statement goes. Names in it may hold anything, line feeds too.
            let starts = ["\nALTER TABLE ONLY ", "\nALTER FOREIGN TABLE ONLY "];
            let start = starts.iter().filter_map(|start| kept.rfind(start)).max();
            kept.truncate(start.map_or(0, |start| start + 1));
            kept.push_str(after);
            continue;
        }
        kept.push_str(rest);
    }
    kept
}

/// Every file of a folder and of all below it; none if there's no such folder.
pub fn files(folder: &Path) -> Result<Vec<PathBuf>> {
    let entries = match fs::read_dir(folder) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
        entries => entries?,
    };
    let mut found = Vec::new();
    for entry in entries {
        let path = entry?.path();
        match path.is_dir() {
            true => found.extend(files(&path)?),
            false => found.push(path),
        }
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    #[test]
    fn versions_of_columns_go_and_options_of_users_stay() {
        let dump = "--\n\
                    ALTER TABLE ONLY public.t ALTER COLUMN n SET (pg_attver=26491304);\n\
                    ALTER FOREIGN TABLE ONLY public.f ALTER COLUMN n SET (pg_attver=26491304);\n\
                    ALTER TABLE ONLY \"a\nb\" ALTER COLUMN n SET (pg_attver=3);\n\
                    ALTER TABLE ONLY public.t ALTER COLUMN m SET (n_distinct=5, pg_attver=1);\n\
                    ALTER TABLE ONLY public.t ALTER COLUMN p SET (pg_attver=2, n_distinct=7);\n\
                    ALTER TABLE ONLY public.t ALTER COLUMN o SET (n_distinct=6);\n";
        let kept = "--\n\
                    ALTER TABLE ONLY public.t ALTER COLUMN m SET (n_distinct=5);\n\
                    ALTER TABLE ONLY public.t ALTER COLUMN p SET (n_distinct=7);\n\
                    ALTER TABLE ONLY public.t ALTER COLUMN o SET (n_distinct=6);\n";
        assert_eq!(super::without_column_versions(dump), kept);
    }
}
