//! `dump command` and `--into command`: any program's output as a snapshot, and a snapshot as any program's input.

use std::ffi::OsStr;
use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use ksnapshot_tests::tools::{self, Key, Run};
use ksnapshot_tests::{Ksnapshot, Postgres, Version, compare, testbed};
use serde_json::Value;

/// A dump of what `program` writes into `store`.
fn dump(store: &Path, key: &Key, program: &[&str]) -> Ksnapshot {
    Ksnapshot::new(["dump", "command", "--recipient", key.recipient(), "--to"])
        .arg(store)
        .arg("--")
        .args(program)
}

/// A restore of the newest snapshot of `store` into `program`.
fn restore(store: &Path, key: &Key, program: &[&str]) -> Ksnapshot {
    Ksnapshot::new(["restore", "--into", "command", "--identity"])
        .arg(key.identity())
        .arg(store)
        .arg("--")
        .args(program)
}

fn bash(script: &str, args: &[&Path]) -> Run {
    let args: Vec<&OsStr> = args.iter().map(|path| path.as_os_str()).collect();
    tools::run(&mut tools::bash(script, &args)).unwrap()
}

#[test]
fn a_tree_goes_through_tar_and_back() {
    let folder = tempfile::tempdir().unwrap();
    let (store, key) = (folder.path().join("store"), Key::generate().unwrap());
    let tree = folder.path().join("tree");
    fs::create_dir(&tree).unwrap();
    bash(
        "cd \"$1\"; mkdir a; seq 1 300000 >a/numbers; head -c 3000000 /dev/urandom >noise; ln -s a link; : >empty",
        &[&tree],
    )
    .success()
    .unwrap();
    let from = tree.to_str().unwrap();
    let run = dump(&store, &key, &["tar", "-C", from, "-c", "."]);
    let id = run.run().unwrap().success().unwrap().text();

    // By the stock tools, by the restore, and as text.
    let script =
        "age -d -i \"$1\" \"$2\"/*/*/*/command/dump-tar-*.out.zst.age | zstd -d | tar -x -C \"$3\"";
    for (how, copy) in [("by hand", "one"), ("restore", "two"), ("cat", "three")] {
        let copy = folder.path().join(copy);
        fs::create_dir(&copy).unwrap();
        let into = copy.to_str().unwrap();
        match how {
            "by hand" => bash(script, &[&key.identity(), &store, &copy]),
            "restore" => restore(&store, &key, &["tar", "-x", "-C", into])
                .run()
                .unwrap(),
            _ => {
                let run = Ksnapshot::new(["cat", "--identity"]).arg(key.identity());
                let text = run.arg(&store).run().unwrap().success().unwrap().stdout;
                let tar = folder.path().join("tar");
                fs::write(&tar, text).unwrap();
                bash("tar -x -f \"$1\" -C \"$2\"", &[&tar, &copy])
            }
        }
        .success()
        .unwrap();
        bash("diff -r --no-dereference \"$1\" \"$2\"", &[&tree, &copy])
            .success()
            .unwrap();
    }
    let list = Ksnapshot::new(["--json", "list"])
        .arg(&store)
        .run()
        .unwrap();
    let first: Value = serde_json::from_str(list.text().lines().next().unwrap()).unwrap();
    assert_eq!(first["id"], id.trim());
    assert_eq!(first["series"]["type"], "command");
    assert_eq!(first["series"]["name"], "tar");
    let verify = Ksnapshot::new(["verify", "--level", "decode", "--identity"]);
    let verify = verify.arg(key.identity()).arg(&store).run().unwrap();
    verify.success().unwrap();
}

#[test]
fn a_program_that_fails_makes_no_snapshot() {
    let folder = tempfile::tempdir().unwrap();
    let (store, key) = (folder.path().join("store"), Key::generate().unwrap());
    let cases: [(&[&str], &str); 5] = [
        (
            &["bash", "-c", "seq 1 500000; echo wrong here >&2; exit 3"],
            "command bash: ended with exit code 3: wrong here",
        ),
        (
            &["bash", "-c", "seq 1 10; kill -9 $$"],
            "command bash: was ended by signal 9",
        ),
        (
            &["bash", "-o", "pipefail", "-c", "false | cat"],
            "command bash: ended with exit code 1",
        ),
        // Its output ends long before it does.
        (
            &["bash", "-c", "echo all; exec >&-; sleep 1; exit 4"],
            "command bash: ended with exit code 4",
        ),
        (
            &["no-such-program", "secret-argument"],
            "command no-such-program: can't be started",
        ),
    ];
    for (program, error) in cases {
        let run = dump(&store, &key, program).run().unwrap().exits(1).unwrap();
        assert!(run.stderr.contains(&format!("error: {error}")), "{run:?}");
        assert!(
            run.stderr.contains("\nhint: ") && run.stdout.is_empty(),
            "{run:?}"
        );
        assert!(!run.stderr.contains("secret-argument"), "{run:?}");
        let left = tools::files(&store).unwrap();
        assert!(left.is_empty(), "{program:?} left {left:?}");
    }
}

#[test]
fn what_a_program_says_is_handed_on() {
    let folder = tempfile::tempdir().unwrap();
    let key = Key::generate().unwrap();
    let script = "echo first >&2; echo data; for i in $(seq 1 30000); do echo \"line $i\"; done >&2; printf last >&2";
    let run = dump(folder.path(), &key, &["bash", "-c", script]);
    let run = run.run().unwrap().success().unwrap();
    for line in ["first\n", "line 30000\n", "last\n"] {
        assert!(run.stderr.contains(line), "{line}");
    }
    // Something that the program started holds its stderr; the dump does not wait for it.
    let began = Instant::now();
    let script = "echo data; sleep 100 >/dev/null & disown";
    dump(folder.path(), &key, &["bash", "-c", script])
        .run()
        .unwrap()
        .success()
        .unwrap();
    assert!(began.elapsed() < Duration::from_secs(60));
}

#[test]
fn a_program_that_writes_nothing_is_a_problem() {
    let folder = tempfile::tempdir().unwrap();
    let key = Key::generate().unwrap();
    let run = dump(folder.path(), &key, &["true"]).run().unwrap();
    let run = run.exits(3).unwrap();
    assert!(
        run.stderr
            .contains("problem: command true: it ended well and wrote nothing"),
        "{run:?}"
    );
}

#[test]
fn a_cancelled_dump_ends_the_program_and_all_that_it_started() {
    let folder = tempfile::tempdir().unwrap();
    let (store, key) = (folder.path().join("store"), Key::generate().unwrap());
    let pids = folder.path().join("pids");
    let script = "trap '' TERM; sleep 1000 & echo $$ $! >\"$0.new\"; mv \"$0.new\" \"$0\"; yes";
    let running = dump(
        &store,
        &key,
        &["bash", "-c", script, pids.to_str().unwrap()],
    );
    let running = running.spawn().unwrap();
    let limit = Duration::from_secs(30);
    testbed::until(limit, "the program", || Ok(pids.exists().then_some(()))).unwrap();
    running.interrupt().unwrap();
    running.wait().unwrap().exits(130).unwrap();
    for pid in fs::read_to_string(&pids).unwrap().split_whitespace() {
        let pid = pid.parse().unwrap();
        testbed::until(
            limit,
            "its end",
            || Ok((!testbed::alive(pid)).then_some(())),
        )
        .unwrap();
    }
    assert!(tools::files(&store).unwrap().is_empty());
}

#[test]
fn a_program_must_take_everything() {
    let folder = tempfile::tempdir().unwrap();
    let key = Key::generate().unwrap();
    let store = folder.path();
    dump(store, &key, &["seq", "1", "500000"])
        .run()
        .unwrap()
        .success()
        .unwrap();
    let cases: [(&[&str], &str); 4] = [
        (
            &["head", "-n", "1"],
            "command head: did not read its input to the end",
        ),
        (
            &["bash", "-c", "cat >/dev/null; exit 7"],
            "command bash: ended with exit code 7",
        ),
        (
            &["bash", "-c", "exit 8"],
            "command bash: ended with exit code 8",
        ),
        (
            &["no-such-program"],
            "command no-such-program: can't be started",
        ),
    ];
    for (program, error) in cases {
        let run = restore(store, &key, program)
            .run()
            .unwrap()
            .exits(1)
            .unwrap();
        assert!(run.stderr.contains(&format!("error: {error}")), "{run:?}");
        assert!(
            run.stdout.is_empty(),
            "our stdout is not the program's: {run:?}"
        );
    }
}

#[test]
fn a_program_never_sees_the_end_of_a_broken_snapshot() {
    let folder = tempfile::tempdir().unwrap();
    let (store, key) = (folder.path().join("store"), Key::generate().unwrap());
    let taken = folder.path().join("taken");
    Ksnapshot::new(["dump", "command", "--compression", "none", "--to"])
        .arg(&store)
        .args(["--", "seq", "1", "2000000"])
        .run()
        .unwrap()
        .success()
        .unwrap();
    let object = tools::files(&store).unwrap();
    let object = object
        .iter()
        .find(|f| f.to_str().unwrap().ends_with(".out"))
        .unwrap();
    let mut bytes = fs::read(object).unwrap();
    let at = bytes.len() - 1000;
    bytes[at] ^= 1;
    fs::write(object, &bytes).unwrap();
    let script = "cat >\"$0.part\"; mv \"$0.part\" \"$0\"";
    let program = ["bash", "-c", script, taken.to_str().unwrap()];
    let run = restore(&store, &key, &program).run().unwrap();
    let run = run.exits(15).unwrap();
    assert!(!taken.exists(), "it took a part for the whole: {run:?}");
    bytes[at] ^= 1;
    fs::write(object, &bytes).unwrap();
    restore(&store, &key, &program)
        .run()
        .unwrap()
        .success()
        .unwrap();
    assert_eq!(fs::read(&taken).unwrap(), bytes);
}

#[test]
fn any_snapshot_goes_into_any_program() {
    let server = Postgres::shared(Version::V15).unwrap();
    let shop = server.fresh_db("poured").unwrap();
    shop.psql_file(&testbed::sql("shop.sql")).unwrap();
    let copy = server.fresh_db("poured_copy").unwrap();
    let (folder, key) = (tempfile::tempdir().unwrap(), Key::generate().unwrap());
    let run = Ksnapshot::new(["dump", &shop.url(), "--recipient", key.recipient(), "--to"]);
    run.arg(folder.path())
        .password()
        .run()
        .unwrap()
        .success()
        .unwrap();
    let psql = Version::V15.client("psql").unwrap();
    let psql = [
        psql.to_str().unwrap(),
        "-X",
        "-q",
        "-v",
        "ON_ERROR_STOP=1",
        &copy.name,
    ];
    let run = restore(folder.path(), &key, &psql);
    let run = (server.env().into_iter()).fold(run, |run, (name, value)| run.env(name, value));
    run.run().unwrap().success().unwrap();
    compare::same(&shop, &copy).unwrap();

    // A single object, likewise.
    let object = tools::files(folder.path()).unwrap();
    let object = object
        .iter()
        .find(|f| f.to_str().unwrap().ends_with(".sql.zst.age"))
        .unwrap();
    let text = folder.path().join("text");
    let copy_to = ["bash", "-c", "cat >\"$0\"", text.to_str().unwrap()];
    restore(object, &key, &copy_to)
        .run()
        .unwrap()
        .success()
        .unwrap();
    assert!(fs::read_to_string(&text).unwrap().contains("CREATE TABLE"));
    for db in [shop, copy] {
        db.drop().unwrap();
    }
}

#[test]
fn words_that_make_no_sense_are_refused_before_anything_runs() {
    let folder = tempfile::tempdir().unwrap();
    let store = folder.path().join("store");
    let to = store.to_str().unwrap();
    let cases: [(&[&str], &str); 6] = [
        (
            &["dump", "command", "--to", to],
            "command: no program is given",
        ),
        (
            &["dump", "command://ls", "--to", to],
            "takes its program after two dashes",
        ),
        (
            &["dump", "postgres://h/d", "--to", to, "--", "ls"],
            "-- PROGRAM",
        ),
        (
            &["dump", "command", "--to", to, "--table", "t", "--", "ls"],
            "--table",
        ),
        (
            &["dump", "command", "--preflight", "--", "ls"],
            "is not known before it is run",
        ),
        (
            &["restore", to, "--into", "command", "--clean", "--", "ls"],
            "--clean means nothing to a command",
        ),
    ];
    for (args, error) in cases {
        let run = Ksnapshot::new(args).run().unwrap().exits(2).unwrap();
        assert!(run.stderr.contains(error), "{run:?}");
    }
    let server = ["verify", to, "--level", "restore", "--scratch", "command"];
    let run = Ksnapshot::new(server).run().unwrap().exits(2).unwrap();
    assert!(run.stderr.contains("command"), "{run:?}");
    assert!(!store.exists());
}

#[test]
fn a_dump_that_takes_too_long_is_cancelled() {
    let folder = tempfile::tempdir().unwrap();
    let (store, key) = (folder.path().join("store"), Key::generate().unwrap());
    let began = Instant::now();
    let run = Ksnapshot::new(["dump", "command", "--max-duration", "2s", "--recipient"]);
    let run = run.args([key.recipient(), "--to"]).arg(&store);
    let run = run
        .args(["--", "bash", "-c", "yes; sleep 1000"])
        .run()
        .unwrap();
    let run = run.exits(1).unwrap();
    assert!(
        run.stderr
            .contains("error: not done within 2s, and cancelled"),
        "{run:?}"
    );
    assert!(
        run.stderr.contains("hint: Allow more by --max-duration"),
        "{run:?}"
    );
    assert!(began.elapsed() < Duration::from_secs(100));
    assert!(tools::files(&store).unwrap().is_empty());
    let run = dump(&store, &key, &["true"]).run().unwrap();
    run.exits(3).unwrap();
    for bad in ["soon", "-1h", "5"] {
        let arg = format!("--max-duration={bad}");
        let run = Ksnapshot::new(["dump", "command", "--to", "x", &arg, "--", "true"]);
        let run = run.run().unwrap().exits(2).unwrap();
        assert!(run.stderr.contains("is no duration"), "{run:?}");
    }
}
