//! No secret of a Job is seen by anybody.

use std::fs;

use ksnapshot_tests::hold::Holder;

use super::*;

/// Bytes of a process that its neighbours may read.
fn words_of(pid: u32) -> String {
    let words = fs::read(format!("/proc/{pid}/cmdline")).unwrap();
    String::from_utf8_lossy(&words).replace('\0', " ")
}

#[track_caller]
fn has_none(secrets: &[&str], what: &str, text: &str) {
    for secret in secrets {
        assert!(!text.contains(secret), "{secret} in {what}: {text}");
    }
}

#[test]
fn secrets_are_in_no_word_log_message_or_object() {
    // A role whose password is nothing else.
    let canary = "c4n4ry 0f-a s3cr3t";
    let db = server().fresh_db("job_canary").unwrap();
    let sql = format!(
        "create role job_canary login superuser password '{canary}';
         create table t as select n, md5(n::text) || md5((-n)::text) as t from generate_series(1, 40000) n"
    );
    db.psql(&sql).unwrap();
    let [_, (_, s3_secret)] = Minio::shared().unwrap().credentials();
    let encoded = canary.replace(' ', "%20");
    let secrets = [canary, encoded.as_str(), s3_secret];
    let key = Key::generate().unwrap();
    let job = |port| {
        Job::of_postgres(&db, port)
            .set("POSTGRESQL_USERNAME", "job_canary")
            .set("POSTGRESQL_PASSWORD", canary)
            .set("KSNAPSHOT_VERIFY", "checksum")
            .set("KSNAPSHOT_LOG", "trace")
    };
    let count = Holder::before(server().port(), None).unwrap();
    job(count.port()).run(0);

    for (sealed, fails) in [(false, false), (true, false), (false, true)] {
        let holder = Holder::before(server().port(), Some(count.passed() / 2)).unwrap();
        let job = job(holder.port());
        let job = match sealed {
            true => job
                .set("ENCRYPTION_ENABLED", "true")
                .set("ENCRYPTION_RECIPIENT", key.recipient()),
            false => job,
        };
        let running = job.spawn();
        holder.await_held().unwrap();
        let parent = words_of(running.pid());
        let [child] = testbed::children(running.pid())[..] else {
            panic!("one child")
        };
        let words = words_of(child);
        assert!(
            words.contains(" --json dump postgresql://job_canary@127.0.0.1:"),
            "{words}"
        );
        has_none(&secrets, "words of the Job", &parent);
        has_none(&secrets, "words of the dump", &words);
        // The dump has what it needs and not what the Job was told.
        let environment = fs::read(format!("/proc/{child}/environ")).unwrap();
        let environment = String::from_utf8_lossy(&environment).into_owned();
        let names: Vec<&str> = environment
            .split('\0')
            .filter_map(|line| line.split('=').next())
            .collect();
        for name in [
            "KSNAPSHOT_SOURCE_PASSWORD",
            "AWS_SECRET_ACCESS_KEY",
            "PATH",
            "KSNAPSHOT_LOG",
        ] {
            assert!(names.contains(&name), "{name}: {names:?}");
        }
        assert!(
            !names
                .iter()
                .any(|name| name.starts_with("POSTGRESQL_") || name.starts_with("BACKEND_")),
            "{names:?}"
        );
        if fails {
            holder.cut();
        } else {
            holder.release();
        }
        let run = running
            .wait()
            .unwrap()
            .exits(if fails { 13 } else { 0 })
            .unwrap();
        has_none(&secrets, "stdout", &run.text());
        has_none(&secrets, "the log", &run.stderr);
        has_none(
            &secrets,
            "the message",
            &fs::read_to_string(job.message()).unwrap(),
        );
        for name in job.objects() {
            let file = job
                .minio
                .get(&job.bucket, &name, job.folder.path())
                .unwrap();
            has_none(&secrets, &name, &name);
            let plain = tools::open(&file, Some(&key)).unwrap();
            has_none(&secrets, &name, &String::from_utf8_lossy(&plain));
        }
    }
    db.drop().unwrap();
    server().psql("postgres", "drop role job_canary").unwrap();
}
