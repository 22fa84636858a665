//! What a Job says when it fails, and that nobody outlives it.

use std::fs;
use std::thread;

use ksnapshot_tests::hold::{Doorbell, Holder};
use ksnapshot_tests::proxy::{Fault, Proxy, What};

use super::*;

/// A Job whose dump is held by the server in the middle of its rows, and the dump's process.
fn held() -> (Holder, Job, Running, u32) {
    held_with(|job| job)
}

fn held_with(change: impl FnOnce(Job) -> Job) -> (Holder, Job, Running, u32) {
    let count = Holder::before(server().port(), None).unwrap();
    Job::of_postgres(&shop(), count.port()).run(0);
    let holder = Holder::before(server().port(), Some(count.passed() / 2)).unwrap();
    let job = change(Job::of_postgres(&shop(), holder.port()));
    let running = job.spawn();
    holder.await_held().unwrap();
    let children = testbed::children(running.pid());
    assert_eq!(children.len(), 1, "{children:?}");
    (holder, job, running, children[0])
}

#[track_caller]
fn is_gone(pid: u32) {
    testbed::until(SOON, "its end", || Ok((!testbed::alive(pid)).then_some(()))).unwrap();
}

#[test]
fn what_is_wrong_with_the_environment_is_told_before_anything_is_done() {
    let bell = Doorbell::start().unwrap();
    let job = || {
        Job::of_postgres(&shop(), bell.port()).set(
            "BACKEND_S3_ENDPOINT",
            format!("http://127.0.0.1:{}", bell.port()),
        )
    };
    let cases: [(&'static str, &str, &str); 10] = [
        ("BACKEND_BUCKET", "", "not set"),
        ("BACKEND_TYPE", "gcs", "\"gcs\""),
        ("BACKEND_S3_ENDPOINT", "minio:9000", "https://"),
        ("BACKEND_S3_SECRET_KEY", "", "BACKEND_S3_ACCESS_KEY is"),
        ("POSTGRESQL_USERNAME", "", "not set"),
        ("POSTGRESQL_PORT", "tcp://10.0.0.1:5432", "port"),
        ("KSNAPSHOT_COMPRESSION", "gzip:12", "gzip:12"),
        ("KSNAPSHOT_VERIFY", "restore", "secret key"),
        ("PG_DUMP_OPTIONS", "--verbose --clean", "--clean"),
        ("KSNAPSHOT_TASK", "restore", "no task"),
    ];
    for (variable, value, what) in cases {
        let job = job().set(variable, value);
        let (run, report) = job.run(2);
        let message = report["message"].as_str().unwrap();
        assert!(
            message.starts_with(&format!("{variable}: ")) && message.contains(what),
            "{message}"
        );
        assert_eq!(
            (&report["outcome"], &report["code"]),
            (&"failed".into(), &2.into())
        );
        assert!(
            report["hint"]
                .as_str()
                .is_some_and(|hint| hint.ends_with('.')),
            "{report}"
        );
        let told = format!("error: {message}\nhint: ");
        assert!(run.stderr.starts_with(&told), "{run:?}");
    }
    assert_eq!(bell.rings(), 0);
}

/// Encrypted is what is said to be, or there is no dump at all.
#[test]
fn half_an_encryption_is_refused() {
    let key = Key::generate().unwrap();
    for (enabled, recipient, variable) in [
        ("true", "", "ENCRYPTION_RECIPIENT"),
        ("true", "age1nobody", "ENCRYPTION_RECIPIENT"),
        ("True", key.recipient(), "ENCRYPTION_ENABLED"),
        ("yes", key.recipient(), "ENCRYPTION_ENABLED"),
    ] {
        let job = Job::of_postgres(&shop(), server().port())
            .set("ENCRYPTION_ENABLED", enabled)
            .set("ENCRYPTION_RECIPIENT", recipient);
        let (_, report) = job.run(2);
        assert!(
            report["message"]
                .as_str()
                .unwrap()
                .starts_with(&format!("{variable}: ")),
            "{report}"
        );
        job.left_nothing();
    }
}

#[test]
fn an_endpoint_beats_a_region() {
    let elsewhere = Doorbell::start().unwrap();
    let elsewhere_url = format!("http://127.0.0.1:{}", elsewhere.port());
    let job = Job::of_postgres(&shop(), server().port())
        .set("BACKEND_S3_REGION", "eu-nowhere-9")
        .set("AWS_ENDPOINT_URL", &elsewhere_url)
        .set("AWS_ENDPOINT_URL_S3", elsewhere_url)
        .set("AWS_SESSION_TOKEN", "of another key");
    let (run, _) = job.run(0);
    assert_eq!(job.objects().len(), 3);
    assert!(!run.stderr.contains("eu-nowhere-9"), "{run:?}");
    assert_eq!(elsewhere.rings(), 0);
}

#[test]
fn a_login_that_is_refused_is_told() {
    let job = Job::of_postgres(&shop(), server().port()).set("POSTGRESQL_PASSWORD", "hunter2");
    let (run, report) = job.run(13);
    assert_eq!(
        (&report["outcome"], &report["code"]),
        (&"failed".into(), &13.into())
    );
    let message = report["message"].as_str().unwrap();
    assert!(message.contains("postgres"), "{message}");
    assert!(!format!("{run:?}").contains("hunter2"), "{run:?}");
    // The program has told it; the Job does not repeat it.
    assert_eq!(run.stderr.matches("error: ").count(), 1, "{run:?}");
    job.left_nothing();

    let job = Job::of_postgres(&shop(), server().port()).set("BACKEND_S3_SECRET_KEY", "hunter2");
    let (run, report) = job.run(14);
    assert_eq!(report["code"], 14);
    assert!(!format!("{run:?}").contains("hunter2"), "{run:?}");
}

#[test]
fn a_signal_goes_on_to_the_program_and_is_waited_for() {
    for interrupt in [true, false] {
        let (_holder, job, running, child) = held();
        match interrupt {
            true => running.interrupt().unwrap(),
            false => running.terminate().unwrap(),
        }
        let run = running.wait().unwrap().exits(130).unwrap();
        let report = job.report(&run);
        assert_eq!(
            (&report["outcome"], &report["code"]),
            (&"failed".into(), &130.into())
        );
        assert!(
            report["message"].as_str().unwrap().contains("cancelled"),
            "{report}"
        );
        assert!(!testbed::alive(child));
        assert!(run.stderr.contains("\ncancelling: "), "{run:?}");
        job.left_nothing();
    }
}

#[test]
fn a_signal_keeps_the_next_step_from_being_begun() {
    let several = |job: Job| job.set("KSNAPSHOT_DATABASES", format!("{},postgres", shop().name));
    let (_holder, job, running, _) = held_with(several);
    running.terminate().unwrap();
    let run = running.wait().unwrap().exits(130).unwrap();
    assert_eq!(run.stderr.matches("running: ").count(), 1, "{run:?}");
    job.left_nothing();
}

/// What the kernel does when memory runs out.
#[test]
fn a_program_that_is_killed_is_told() {
    let (_holder, job, running, child) = held();
    testbed::kill(child).unwrap();
    let run = running.wait().unwrap().exits(137).unwrap();
    let report = job.report(&run);
    assert_eq!(
        (&report["outcome"], &report["code"]),
        (&"failed".into(), &137.into())
    );
    assert!(
        report["message"]
            .as_str()
            .unwrap()
            .contains("dump: killed by signal 9"),
        "{report}"
    );
    assert!(
        report["hint"].as_str().unwrap().contains("memory limit"),
        "{report}"
    );
    assert!(
        run.stderr.contains("\nerror: dump: killed by signal 9"),
        "{run:?}"
    );
}

#[test]
fn no_program_outlives_its_job() {
    let (_holder, job, running, child) = held();
    running.kill().unwrap();
    running.wait().unwrap();
    is_gone(child);
    job.left_nothing();
    assert!(!job.message().exists(), "nobody was left to write it");
}

#[test]
fn a_wait_is_said_and_ends_with_a_signal() {
    let job = Job::of_postgres(&shop(), server().port())
        .set("KSNAPSHOT_NAME", "shop.deployment.db")
        .set("KSNAPSHOT_JITTER", "100h");
    let running = job.spawn();
    // Signals are heard from before the wait on; there is nothing else to see of it.
    let heard = || {
        let status = fs::read_to_string(format!("/proc/{}/status", running.pid()))?;
        let mask = status
            .lines()
            .find_map(|line| line.strip_prefix("SigCgt:\t"));
        let caught = u64::from_str_radix(mask.unwrap_or("0"), 16)? & (1 << 14) != 0;
        Ok(caught.then_some(()))
    };
    testbed::until(SOON, "who hears SIGTERM", heard).unwrap();
    thread::sleep(Duration::from_millis(200));
    assert!(testbed::children(running.pid()).is_empty());
    running.terminate().unwrap();
    let run = running.wait().unwrap().exits(130).unwrap();
    assert!(run.stderr.starts_with("waiting "), "{run:?}");
    assert!(!run.stderr.contains("running: "), "{run:?}");
    let report = job.report(&run);
    assert_eq!(report["code"], 130);
    job.left_nothing();
}

/// Without rights to read, what was stored stays, and the proof that was asked for is missed.
#[test]
fn a_snapshot_that_can_t_be_proved_is_a_failure_and_stays() {
    let refused =
        Fault::always(What::Refuse(403, "AccessDenied")).on(|request| request.method == "GET");
    let proxy = Proxy::start(Minio::shared().unwrap().addr(), refused).unwrap();
    let job = Job::of_postgres(&shop(), server().port())
        .set("BACKEND_S3_ENDPOINT", proxy.endpoint())
        .set("KSNAPSHOT_VERIFY", "checksum");
    let (_, report) = job.run(14);
    let id = report["snapshots"][0]["id"].as_str().unwrap();
    let message = report["message"].as_str().unwrap();
    assert!(
        message.starts_with(&format!("snapshot {id} is stored, but not verified: ")),
        "{message}"
    );
    assert_eq!(
        (&report["outcome"], report.get("verified")),
        (&"failed".into(), None)
    );
    assert_eq!(job.objects().len(), 3);
}

/// Outside of a pod there is no file for the message, and none is made.
#[test]
fn the_message_goes_where_it_is_asked_for() {
    let job = Job::of_postgres(&shop(), server().port());
    let default = Path::new("/dev/termination-log");
    let (there, was) = (default.exists(), fs::read(default).ok());
    let run = job
        .command(&[])
        .env("KSNAPSHOT_TERMINATION_LOG", "")
        .run()
        .unwrap()
        .success()
        .unwrap();
    assert_eq!(default.exists(), there);
    if !there {
        assert!(!run.stderr.contains("termination"), "{run:?}");
    }
    if let Some(was) = was {
        fs::write(default, was).unwrap();
    }
    let nowhere = job.folder.path().join("no/such/folder");
    let run = job
        .command(&[])
        .env("KSNAPSHOT_TERMINATION_LOG", &nowhere)
        .run()
        .unwrap();
    let run = run.success().unwrap();
    assert!(
        run.stderr
            .contains("warning: the termination message can't be written"),
        "{run:?}"
    );
    assert!(
        run.text().starts_with("{\"outcome\":\"complete\""),
        "{run:?}"
    );
}
