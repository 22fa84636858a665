use super::*;
use ksnapshot_core::{Error, ErrorKind};
use proptest::prelude::*;
use secrecy::ExposeSecret;

mod source;

type Env = BTreeMap<String, String>;

const RECIPIENT: &str = "age1ql3z7hjy54pw3hyww5ayyfg7zqgvc7w3j2elw8zmrj2kg5sfn9aqmcac8p";

fn env(variables: &[(&str, &str)]) -> Env {
    let owned = |&(name, value): &(&str, &str)| (name.to_owned(), value.to_owned());
    variables.iter().map(owned).collect()
}

/// What each type needs at least.
fn least(kind: Kind) -> Env {
    let mut env = env(&[("BACKEND_BUCKET", "b"), ("KSNAPSHOT_TYPE", kind.as_str())]);
    let own: &[(&str, &str)] = match kind {
        Kind::MySql | Kind::MariaDb => &[
            ("MYSQL_HOST", "db"),
            ("MYSQL_USERNAME", "u"),
            ("MYSQL_DATABASE", "shop"),
        ],
        Kind::PostgreSql => &[
            ("POSTGRESQL_HOST", "db"),
            ("POSTGRESQL_USERNAME", "u"),
            ("POSTGRESQL_DATABASE", "shop"),
        ],
        Kind::Elasticsearch | Kind::OpenSearch => &[("ELASTICSEARCH_HOST", "es")],
    };
    env.extend(self::env(own));
    env
}

fn with(kind: Kind, variables: &[(&str, &str)]) -> Result<JobPlan> {
    let mut all = least(kind);
    all.extend(env(variables));
    JobPlan::from_env(&all)
}

/// The commands of a plan, as a person would type them.
fn commands(plan: &JobPlan) -> Vec<String> {
    let words = plan.steps.iter().map(|step| match step {
        Step::Dump(dump) => &dump.words,
        Step::Prune(words) => words,
    });
    words
        .map(|words| crate::options::words::join(words))
        .collect()
}

#[track_caller]
fn runs(kind: Kind, variables: &[(&str, &str)], expected: &[&str]) {
    let plan = with(kind, variables).expect("a plan");
    assert_eq!(commands(&plan), expected, "{kind}: {variables:?}");
}

#[track_caller]
fn refused(kind: Kind, variables: &[(&str, &str)], variable: &str, what: &str) -> Error {
    let error = with(kind, variables).expect_err(variable);
    assert_eq!(error.kind(), ErrorKind::Usage);
    let text = error.to_string();
    assert!(text.starts_with(&format!("{variable}: ")), "{text}");
    assert!(text.contains(what), "{what}: {text}");
    let hint = error.advice().expect("a hint");
    assert!(hint.ends_with('.'), "{hint}");
    error
}

#[test]
fn each_type_is_dumped_as_the_first_ksnapshot_was_told() {
    let rest = "--to=s3://b/ksnapshot --compression=gzip:6";
    for kind in [Kind::MySql, Kind::MariaDb] {
        runs(
            kind,
            &[],
            &[&format!("dump {kind}://u@db:3306/shop {rest}")],
        );
    }
    runs(
        Kind::PostgreSql,
        &[],
        &[&format!("dump postgresql://u@db:5432/shop {rest}")],
    );
    for kind in [Kind::Elasticsearch, Kind::OpenSearch] {
        runs(kind, &[], &[&format!("dump {kind}+http://es:9200 {rest}")]);
    }
    // Everything at once, by the names that were there before.
    let seed = env(&[
        ("BACKEND_TYPE", "s3"),
        ("BACKEND_PATH", "/clusters/one/"),
        ("BACKEND_BUCKET", "backups"),
        ("BACKEND_S3_REGION", "eu-west-3"),
        ("BACKEND_S3_ENDPOINT", ""),
        ("BACKEND_S3_ACCESS_KEY", "id"),
        ("BACKEND_S3_SECRET_KEY", "hunter2"),
        ("MYSQL_HOST", "db.shop.svc.cluster.local"),
        ("MYSQL_PORT", "3307"),
        ("MYSQL_USER", "app"),
        ("MYSQL_PASSWORD", "hunter3"),
        ("MYSQL_DATABASE", "shop"),
        (
            "MYSQLDUMP_OPTIONS",
            "--no-tablespaces --single-transaction --where='a = 1'",
        ),
        ("MYSQLDUMP_TABLES", "orders people"),
        ("MYSQLDUMP_EXCLUDED_TABLES", "logs,shop.tmp"),
        ("ENCRYPTION_ENABLED", "true"),
        ("ENCRYPTION_RECIPIENT", RECIPIENT),
    ]);
    let plan = JobPlan::from_env(&seed).expect("a plan");
    assert_eq!(
        commands(&plan),
        [format!(
            "dump mysql://app@db.shop.svc.cluster.local:3307/shop '--to=s3://backups/clusters/one?region=eu-west-3' \
         --compression=gzip:6 --recipient={RECIPIENT} '--where=a = 1' --table=orders --table=people \
         --exclude-table=logs --exclude-table=shop.tmp"
        )]
    );
    let variables: Vec<_> = (plan.variables.iter())
        .map(|(name, value)| (*name, value.expose_secret()))
        .collect();
    assert_eq!(
        variables,
        [
            ("AWS_ACCESS_KEY_ID", "id"),
            ("AWS_SECRET_ACCESS_KEY", "hunter2"),
            ("KSNAPSHOT_SOURCE_PASSWORD", "hunter3"),
        ]
    );
    assert_eq!((plan.task, plan.wait), (Task::Dump, Duration::ZERO));
}

#[test]
fn the_store_is_where_the_variables_say() {
    let to = |variables: &[(&str, &str)], place: &str| {
        let plan = with(Kind::OpenSearch, variables).expect("a plan");
        assert_eq!(
            commands(&plan)[0].split_whitespace().nth(2),
            Some(place),
            "{variables:?}"
        );
    };
    to(&[("BACKEND_PATH", "")], "--to=s3://b/ksnapshot");
    to(&[("BACKEND_PATH", "/")], "--to=s3://b");
    to(&[("BACKEND_PATH", "a/b%2F")], "--to=s3://b/a/b%2F");
    to(
        &[("BACKEND_S3_REGION", "eu-west-3")],
        "'--to=s3://b/ksnapshot?region=eu-west-3'",
    );
    let endpoint = ("BACKEND_S3_ENDPOINT", "http://minio.minio.svc:9000");
    let both = [endpoint, ("BACKEND_S3_REGION", "eu-west-3")];
    to(
        &both,
        "'--to=s3://b/ksnapshot?endpoint=http://minio.minio.svc:9000'",
    );
    to(
        &[("BACKEND_S3_ENDPOINT", "https://[fd00::7]:9000/s3/")],
        "'--to=s3://b/ksnapshot?endpoint=https://[fd00::7]:9000/s3/'",
    );
    let no = |variables: &[(&str, &str)], variable: &str, what: &str| {
        let error = refused(Kind::OpenSearch, variables, variable, what);
        let told = format!("{error:?} {:?}", error.advice());
        assert!(!told.contains("hunter2"), "{told}");
    };
    no(&[("BACKEND_TYPE", "gcs")], "BACKEND_TYPE", "gcs");
    no(&[("BACKEND_BUCKET", "")], "BACKEND_BUCKET", "not set");
    no(
        &[("BACKEND_BUCKET", "s3://b/hunter2")],
        "BACKEND_BUCKET",
        "not the name",
    );
    for path in ["a//b", "../x", "a/./b", "a?b", "a#b", "a\nb"] {
        no(
            &[("BACKEND_PATH", path)],
            "BACKEND_PATH",
            "no path of folders",
        );
    }
    for endpoint in [
        "minio:9000",
        "ftp://h",
        "http://",
        "https://h:x",
        "https://h:0",
        "https://fd00::7",
        "https://h?x",
        "https://h/#x",
        "https://h h",
        "hunter2",
    ] {
        no(
            &[("BACKEND_S3_ENDPOINT", endpoint)],
            "BACKEND_S3_ENDPOINT",
            "not ",
        );
    }
    no(
        &[("BACKEND_S3_ENDPOINT", "https://id:hunter2@h")],
        "BACKEND_S3_ENDPOINT",
        "credentials",
    );
    no(
        &[("BACKEND_S3_ACCESS_KEY", "id")],
        "BACKEND_S3_SECRET_KEY",
        "BACKEND_S3_ACCESS_KEY is",
    );
    no(
        &[("BACKEND_S3_SECRET_KEY", "hunter2")],
        "BACKEND_S3_ACCESS_KEY",
        "BACKEND_S3_SECRET_KEY is",
    );
}

#[test]
fn compression_encryption_and_proof() {
    let dump = |variables: &[(&str, &str)]| {
        commands(&with(Kind::MySql, variables).expect("a plan")).remove(0)
    };
    let recipient = ("ENCRYPTION_RECIPIENT", RECIPIENT);
    for (off, sealed) in [("", false), ("false", false), ("true", true)] {
        let words = dump(&[("ENCRYPTION_ENABLED", off), recipient]);
        assert_eq!(words.contains("--recipient=age1"), sealed, "{off}: {words}");
    }
    for odd in ["True", "TRUE", "1", "yes", " true"] {
        refused(
            Kind::MySql,
            &[("ENCRYPTION_ENABLED", odd), recipient],
            "ENCRYPTION_ENABLED",
            odd,
        );
    }
    let on = ("ENCRYPTION_ENABLED", "true");
    refused(Kind::MySql, &[on], "ENCRYPTION_RECIPIENT", "not set");
    refused(
        Kind::MySql,
        &[on, ("ENCRYPTION_RECIPIENT", "age1x")],
        "ENCRYPTION_RECIPIENT",
        "not an age public key",
    );
    let secret = ("ENCRYPTION_RECIPIENT", "AGE-SECRET-KEY-1HUNTER2");
    let error = refused(
        Kind::MySql,
        &[on, secret],
        "ENCRYPTION_RECIPIENT",
        "secret key",
    );
    assert!(!format!("{error:?} {:?}", error.advice()).contains("HUNTER2"));
    let two = format!("{RECIPIENT},{RECIPIENT}");
    assert_eq!(
        dump(&[on, ("ENCRYPTION_RECIPIENT", &two)])
            .matches("--recipient=")
            .count(),
        2
    );

    assert!(dump(&[("KSNAPSHOT_COMPRESSION", "zstd:3")]).contains("--compression=zstd:3"));
    refused(
        Kind::MySql,
        &[("KSNAPSHOT_COMPRESSION", "gzip:11")],
        "KSNAPSHOT_COMPRESSION",
        "gzip:11",
    );

    let proof = |verify: &str| {
        let place = ("BACKEND_S3_REGION", "x");
        let plan = with(Kind::MySql, &[("KSNAPSHOT_VERIFY", verify), place]).expect("a plan");
        let [Step::Dump(dump)] = &plan.steps[..] else {
            panic!("one dump");
        };
        dump.verify("ab12cd34")
    };
    assert_eq!((proof(""), proof("none")), (None, None));
    let words = [
        "verify",
        "s3://b/ksnapshot?region=x#ab12cd34",
        "--level=checksum",
    ]
    .map(str::to_owned);
    assert_eq!(proof("checksum"), Some(words.to_vec()));
    for (level, what) in [
        ("decode", "secret key"),
        ("restore", "secret key"),
        ("yes", "no level"),
    ] {
        refused(
            Kind::MySql,
            &[("KSNAPSHOT_VERIFY", level)],
            "KSNAPSHOT_VERIFY",
            what,
        );
    }
}

#[test]
fn a_prune_names_its_series_and_its_rules() {
    let prune = |rules: &str| {
        let env = env(&[
            ("BACKEND_BUCKET", "b"),
            ("KSNAPSHOT_TASK", "prune"),
            ("KSNAPSHOT_NAME", "shop.statefulset.db"),
            ("KSNAPSHOT_RETENTION", rules),
        ]);
        JobPlan::from_env(&env)
    };
    let plan =
        prune("last=3, daily=7,weekly=4,monthly=12,yearly=1,hourly=24,within=90d").expect("a plan");
    assert_eq!(plan.task, Task::Prune);
    assert_eq!(
        commands(&plan),
        [
            "prune s3://b/ksnapshot --name=shop.statefulset.db --keep-last=3 --keep-daily=7 --keep-weekly=4 --keep-monthly=12 \
         --keep-yearly=1 --keep-hourly=24 --keep-within=90d"
        ]
    );
    for (rules, what) in [
        ("", "not set"),
        (",", "nothing would stay"),
        ("last=0,within=0d", "nothing would stay"),
        ("last", "is no rule"),
        ("newest=3", "is no rule"),
        ("daily=-1", "has no number"),
        ("daily=7,daily=8", "twice"),
        ("within=1y", "is no duration"),
        ("within=90", "is no duration"),
    ] {
        let error = prune(rules).expect_err(rules);
        assert!(
            error.to_string().starts_with("KSNAPSHOT_RETENTION: "),
            "{error}"
        );
        assert!(error.to_string().contains(what), "{rules}: {error}");
        assert!(error.advice().is_some_and(|hint| hint.ends_with('.')));
    }
    // It would be all series of the bucket.
    let nameless = env(&[
        ("BACKEND_BUCKET", "b"),
        ("KSNAPSHOT_TASK", "prune"),
        ("KSNAPSHOT_RETENTION", "last=3"),
    ]);
    let error = JobPlan::from_env(&nameless).expect_err("no name");
    assert!(error.to_string().starts_with("KSNAPSHOT_NAME: "), "{error}");
    refused(
        Kind::MySql,
        &[("KSNAPSHOT_TASK", "restore")],
        "KSNAPSHOT_TASK",
        "no task",
    );
}

#[test]
fn a_wait_is_the_same_each_time_and_below_the_jitter() {
    let wait = |name: &str, jitter: &str| {
        with(
            Kind::MySql,
            &[("KSNAPSHOT_NAME", name), ("KSNAPSHOT_JITTER", jitter)],
        )
        .expect("a plan")
        .wait
    };
    assert_eq!(wait("a", "10m"), wait("a", "10m"));
    assert_ne!(wait("a", "10m"), wait("b", "10m"));
    assert_eq!(wait("a", "0s"), Duration::ZERO);
    for bad in ["10", "soon", "-1m", "1mo"] {
        refused(
            Kind::MySql,
            &[("KSNAPSHOT_JITTER", bad)],
            "KSNAPSHOT_JITTER",
            bad,
        );
    }
    // A hundred series don't begin at once.
    let halves =
        (0..100).filter(|n| share(Duration::from_secs(600), &n.to_string()).as_secs() < 300);
    assert!((30..70).contains(&halves.count()));
}

#[test]
fn programs_keep_what_they_need_and_nothing_else() {
    let keys = [
        ("BACKEND_S3_ACCESS_KEY", "id"),
        ("BACKEND_S3_SECRET_KEY", "secret"),
    ];
    let (identity, key) = (with(Kind::MySql, &[]), with(Kind::MySql, &keys));
    let (identity, key) = (identity.expect("a plan"), key.expect("a plan"));
    for name in [
        "PATH",
        "HOME",
        "TZ",
        "SSL_CERT_FILE",
        "KSNAPSHOT_LOG",
        "HTTPS_PROXY",
        "AWS_ROLE_ARN",
        "AWS_REGION",
    ] {
        assert!(identity.keeps(name) && key.keeps(name), "{name}");
    }
    for name in ["AWS_ACCESS_KEY_ID", "AWS_SESSION_TOKEN"] {
        assert!(identity.keeps(name) && !key.keeps(name), "{name}");
    }
    for name in [
        "MYSQL_PASSWORD",
        "MYSQL_PWD",
        "PGPASSWORD",
        "PGOPTIONS",
        "BACKEND_S3_SECRET_KEY",
        "AWS_ENDPOINT_URL",
        "LD_PRELOAD",
        "KSNAPSHOT_SOURCE_PASSWORD",
        "KSNAPSHOT_IDENTITY",
    ] {
        assert!(!identity.keeps(name) && !key.keeps(name), "{name}");
    }
}

#[test]
fn the_termination_message_goes_where_kubernetes_looks() {
    assert_eq!(
        termination_log(&Env::new()),
        (TERMINATION_LOG.into(), false)
    );
    assert_eq!(
        termination_log(&env(&[("KSNAPSHOT_TERMINATION_LOG", "/x")])),
        ("/x".into(), true)
    );
}

/// Values as people get them wrong.
fn value() -> impl Strategy<Value = String> {
    prop_oneof![
        ".{0,12}",
        "[a-z0-9.:/@*,= -]{0,16}",
        Just("true".to_owned()),
        Just("*".to_owned()),
        Just("fd00::7".to_owned()),
        Just("--databases a b --quick".to_owned()),
    ]
}

const VARIABLES: [&str; 24] = [
    name::BACKEND_PATH,
    name::BACKEND_S3_REGION,
    name::BACKEND_S3_ENDPOINT,
    name::MYSQL_HOST,
    name::MYSQL_PORT,
    name::MYSQL_USERNAME,
    name::MYSQL_DATABASE,
    name::MYSQLDUMP_OPTIONS,
    name::MYSQLDUMP_TABLES,
    name::POSTGRESQL_HOST,
    name::POSTGRESQL_USERNAME,
    name::POSTGRESQL_DATABASE,
    name::PG_DUMP_OPTIONS,
    name::ELASTICSEARCH_HOST,
    name::ELASTICSEARCH_USERNAME,
    name::ELASTICDUMP_LIMIT,
    name::ENCRYPTION_ENABLED,
    name::KSNAPSHOT_NAME,
    name::KSNAPSHOT_COMPRESSION,
    name::KSNAPSHOT_DATABASES,
    name::KSNAPSHOT_TABLES,
    name::KSNAPSHOT_DUMP_OPTIONS,
    name::KSNAPSHOT_VERIFY,
    name::KSNAPSHOT_JITTER,
];

proptest! {
    #[test]
    fn secrets_are_never_words_nor_told(
        kind in proptest::sample::select(&Kind::ALL[..]),
        changed in proptest::collection::btree_map(proptest::sample::select(&VARIABLES[..]), value(), 0..6),
    ) {
        let mut all = least(kind);
        all.extend(changed.into_iter().map(|(name, value)| (name.to_owned(), value)));
        let canary = "c4n4ry-0f-a-s3cr3t";
        for secret in [
            name::MYSQL_PASSWORD, name::POSTGRESQL_PASSWORD, name::ELASTICSEARCH_PASSWORD, name::ELASTICSEARCH_API_KEY,
            name::BACKEND_S3_ACCESS_KEY, name::BACKEND_S3_SECRET_KEY,
        ] {
            all.insert(secret.to_owned(), canary.to_owned());
        }
        match JobPlan::from_env(&all) {
            Ok(plan) => {
                let shown = format!("{plan:?}");
                prop_assert!(!shown.contains(canary));
                prop_assert!(plan.variables.iter().all(|(_, value)| value.expose_secret() == canary));
                prop_assert!(!plan.steps.is_empty());
                // Every option has its value in the same word, so that no value is taken for an option.
                for step in &plan.steps {
                    let Step::Dump(dump) = step else { unreachable!("the task is to dump") };
                    prop_assert!(dump.words[1].contains("://"));
                    prop_assert!(dump.words[2..].iter().all(|word| word.starts_with("--")));
                }
            }
            Err(error) => {
                let told = format!("{error:?} {:?}", error.advice());
                prop_assert!(!told.contains(canary), "{}", told);
                prop_assert_eq!(error.kind(), ErrorKind::Usage);
                let text = error.to_string();
                let variable = text.split(": ").next().unwrap_or_default();
                prop_assert!(variable.chars().all(|c| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_'), "{}", text);
                prop_assert!(error.advice().is_some());
            }
        }
    }

    #[test]
    fn a_wait_is_always_below(seconds in 0_u64..1_000_000, series: String) {
        let whole = Duration::from_secs(seconds);
        let wait = share(whole, &series);
        prop_assert!(wait < whole || whole.is_zero() && wait.is_zero());
    }

    #[test]
    fn rules_read_or_are_refused(text in "((last|daily|within|x)=?[0-9d-]{0,3},?){0,4}") {
        if let Ok(words) = retention::words(&text) {
            prop_assert!(!words.is_empty() && words.iter().all(|word| word.starts_with("--keep-")));
        }
    }
}
