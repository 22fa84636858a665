//! What is dumped.

use super::*;

#[test]
fn the_type_is_that_of_the_server_that_is_named() {
    for (kind, scheme) in [
        (Kind::MySql, "mysql:"),
        (Kind::PostgreSql, "postgresql:"),
        (Kind::Elasticsearch, "elasticsearch+http:"),
    ] {
        let mut env = least(kind);
        env.remove("KSNAPSHOT_TYPE");
        let plan = JobPlan::from_env(&env).expect("a plan");
        assert!(commands(&plan)[0].starts_with(&format!("dump {scheme}")));
    }
    refused(
        Kind::MySql,
        &[("KSNAPSHOT_TYPE", ""), ("MYSQL_HOST", "")],
        "KSNAPSHOT_TYPE",
        "nor is any server",
    );
    let two = [("KSNAPSHOT_TYPE", ""), ("POSTGRESQL_HOST", "pg")];
    refused(
        Kind::MySql,
        &two,
        "KSNAPSHOT_TYPE",
        "MYSQL_HOST, POSTGRESQL_HOST",
    );
    runs(
        Kind::MySql,
        &two[1..],
        &["dump mysql://u@db:3306/shop --to=s3://b/ksnapshot --compression=gzip:6"],
    );
    refused(
        Kind::MySql,
        &[("KSNAPSHOT_TYPE", "mongodb")],
        "KSNAPSHOT_TYPE",
        "mongodb",
    );
}

#[test]
fn odd_names_are_written_as_urls_want_them() {
    let plain = "--to=s3://b/ksnapshot --compression=gzip:6";
    let mysql = [
        ("MYSQL_HOST", "fd00::7"),
        ("MYSQL_USERNAME", "a@b:c/d"),
        ("MYSQL_DATABASE", "sh/op ü?"),
    ];
    runs(
        Kind::MySql,
        &mysql,
        &[&format!(
            "dump 'mysql://a%40b%3Ac%2Fd@[fd00::7]:3306/sh%2Fop%20%C3%BC%3F' {plain}"
        )],
    );
    for (variable, bad) in [
        ("MYSQL_HOST", "mysql://u:hunter2@db"),
        ("MYSQL_HOST", "db:3306"),
        ("MYSQL_PORT", "0"),
        ("MYSQL_PORT", "65536"),
        ("MYSQL_PORT", "hunter2"),
        ("MYSQL_PORT", "tcp://10.0.0.1:3306"),
        ("MYSQL_DATABASE", ".."),
        ("MYSQL_DATABASE", ""),
        ("MYSQL_HOST", ""),
        ("MYSQL_USERNAME", ""),
    ] {
        let error = refused(Kind::MySql, &[(variable, bad)], variable, "");
        assert!(!format!("{error:?}").contains("hunter2"));
        if bad.starts_with("tcp:") {
            assert!(
                error
                    .advice()
                    .is_some_and(|hint| hint.contains("enableServiceLinks"))
            );
        }
    }
    for variable in [
        "POSTGRESQL_HOST",
        "POSTGRESQL_USERNAME",
        "POSTGRESQL_DATABASE",
    ] {
        refused(Kind::PostgreSql, &[(variable, "")], variable, "not set");
    }
}

#[test]
fn databases_are_named() {
    let rest = "--to=s3://b/ksnapshot --compression=gzip:6";
    let several = ("KSNAPSHOT_DATABASES", "a, b,,a");
    runs(
        Kind::MariaDb,
        &[several],
        &[&format!(
            "dump mariadb://u@db:3306 {rest} --database=a --database=b"
        )],
    );
    runs(
        Kind::MariaDb,
        &[("KSNAPSHOT_DATABASES", "a")],
        &[&format!("dump mariadb://u@db:3306/a {rest}")],
    );
    runs(
        Kind::MariaDb,
        &[("KSNAPSHOT_DATABASES", "*")],
        &[&format!("dump mariadb://u@db:3306 {rest}")],
    );
    let all = with(Kind::MySql, &[("KSNAPSHOT_DATABASES", "*")]).expect("a plan");
    assert!(matches!(&all.steps[..], [Step::Dump(dump)] if dump.database == "all"));
    // mysqldump, too, dumps the one database and those of the option.
    runs(
        Kind::MySql,
        &[("MYSQLDUMP_OPTIONS", "--databases x")],
        &[&format!("dump mysql://u@db:3306/shop {rest} --database=x")],
    );
    let both = [
        ("KSNAPSHOT_DATABASES", "*"),
        ("MYSQLDUMP_OPTIONS", "--databases x"),
    ];
    refused(Kind::MySql, &both, "KSNAPSHOT_DATABASES", "means all");
    runs(
        Kind::PostgreSql,
        &[several],
        &[
            &format!("dump postgresql://u@db:5432/a {rest}"),
            &format!("dump postgresql://u@db:5432/b {rest}"),
        ],
    );
    refused(
        Kind::PostgreSql,
        &[("KSNAPSHOT_DATABASES", "*")],
        "KSNAPSHOT_DATABASES",
        "names none",
    );
    refused(
        Kind::PostgreSql,
        &[("KSNAPSHOT_DATABASES", "a,b*")],
        "KSNAPSHOT_DATABASES",
        "pattern",
    );
    refused(
        Kind::OpenSearch,
        &[several],
        "KSNAPSHOT_DATABASES",
        "no databases",
    );
}

#[test]
fn tables_are_chosen() {
    let rest = "--to=s3://b/ksnapshot --compression=gzip:6";
    let tables = [
        ("KSNAPSHOT_TABLES", "orders, shop.log_*,\"a,b\""),
        ("KSNAPSHOT_EXCLUDE_TABLES", "tmp_?"),
    ];
    runs(
        Kind::MySql,
        &tables,
        &[&format!(
            "dump mysql://u@db:3306/shop {rest} --table=orders '--table=shop.log_*' '--table=\"a,b\"' '--exclude-table=tmp_?'"
        )],
    );
    runs(
        Kind::OpenSearch,
        &tables,
        &[&format!(
            "dump opensearch+http://es:9200 {rest} --index=orders '--index=shop.log_*' '--index=\"a,b\"' '--index=-tmp_?'"
        )],
    );
    runs(
        Kind::PostgreSql,
        &tables,
        &[&format!(
            "dump postgresql://u@db:5432/shop {rest} --table=orders '--table=shop.log_*' '--table=\"a,b\"' '--exclude-table=tmp_?'"
        )],
    );
    refused(
        Kind::PostgreSql,
        &[("PG_DUMP_OPTIONS", "--exclude-schema=a.b.c")],
        "PG_DUMP_OPTIONS",
        "",
    );
    for bad in ["\"a", "a.", "a.b.c"] {
        refused(
            Kind::MySql,
            &[("KSNAPSHOT_TABLES", bad)],
            "KSNAPSHOT_TABLES",
            "",
        );
    }
    // Names, not patterns.
    let names = [
        ("MYSQLDUMP_TABLES", "a*"),
        ("MYSQLDUMP_EXCLUDED_TABLES", "b?"),
    ];
    runs(
        Kind::MySql,
        &names,
        &[&format!(
            "dump mysql://u@db:3306/shop {rest} '--table=\"a*\"' '--exclude-table=\"b?\"'"
        )],
    );
}

#[test]
fn words_of_stock_programs_are_mapped_or_refused() {
    let rest = "--to=s3://b/ksnapshot --compression=gzip:6";
    let both = [
        ("MYSQLDUMP_OPTIONS", "--where=a=1 --no-data"),
        ("KSNAPSHOT_DUMP_OPTIONS", "--where=b=2"),
    ];
    runs(
        Kind::MySql,
        &both,
        &[&format!(
            "dump mysql://u@db:3306/shop {rest} --no-data --where=b=2"
        )],
    );
    for variable in ["MYSQLDUMP_OPTIONS", "KSNAPSHOT_DUMP_OPTIONS"] {
        refused(
            Kind::MySql,
            &[(variable, "--no-create-info")],
            variable,
            "--no-create-info",
        );
        refused(
            Kind::MySql,
            &[(variable, "--where='a")],
            variable,
            "not closed",
        );
        refused(
            Kind::MySql,
            &[(variable, "--ignore-table=")],
            variable,
            "empty",
        );
    }
    for variable in ["PG_DUMP_OPTIONS", "KSNAPSHOT_DUMP_OPTIONS"] {
        refused(
            Kind::PostgreSql,
            &[(variable, "--clean")],
            variable,
            "--clean",
        );
        runs(
            Kind::PostgreSql,
            &[(variable, "-Fp -j3")],
            &[&format!("dump postgresql://u@db:5432/shop {rest} --jobs=3")],
        );
    }
    refused(
        Kind::OpenSearch,
        &[("KSNAPSHOT_DUMP_OPTIONS", "--quiet")],
        "KSNAPSHOT_DUMP_OPTIONS",
        "none for OpenSearch",
    );
    // Those of another program are nobody's business.
    runs(
        Kind::PostgreSql,
        &[("MYSQLDUMP_OPTIONS", "--no-create-info")],
        &[&format!("dump postgresql://u@db:5432/shop {rest}")],
    );
}

#[test]
fn search_engines_have_logins_of_their_own() {
    let rest = "--to=s3://b/ksnapshot --compression=gzip:6";
    let password = ("ELASTICSEARCH_PASSWORD", "hunter2");
    let user = ("ELASTICSEARCH_USERNAME", "me@x");
    let url = |kind, variables: &[(&str, &str)], url: &str| {
        runs(kind, variables, &[&format!("dump {url} {rest}")])
    };
    url(
        Kind::Elasticsearch,
        &[user, password, ("ELASTICSEARCH_SCHEME", "https")],
        "elasticsearch+https://me%40x@es:9200",
    );
    url(
        Kind::Elasticsearch,
        &[password],
        "elasticsearch+http://elastic@es:9200",
    );
    url(
        Kind::OpenSearch,
        &[password],
        "opensearch+http://admin@es:9200",
    );
    let key = ("ELASTICSEARCH_API_KEY", "hunter3");
    url(
        Kind::Elasticsearch,
        &[user, password, key],
        "elasticsearch+http://es:9200",
    );
    let plan = with(Kind::Elasticsearch, &[user, password, key]).expect("a plan");
    assert!(
        matches!(&plan.variables[..], [("KSNAPSHOT_SOURCE_API_KEY", key)] if key.expose_secret() == "hunter3")
    );
    refused(
        Kind::Elasticsearch,
        &[user],
        "ELASTICSEARCH_PASSWORD",
        "ELASTICSEARCH_USERNAME is",
    );
    refused(
        Kind::Elasticsearch,
        &[("ELASTICSEARCH_SCHEME", "ftp")],
        "ELASTICSEARCH_SCHEME",
        "ftp",
    );
    let limit = ("ELASTICDUMP_LIMIT", "500");
    runs(
        Kind::Elasticsearch,
        &[limit],
        &[&format!(
            "dump elasticsearch+http://es:9200 {rest} --page-size=500"
        )],
    );
    for bad in ["0", "-1", "many"] {
        refused(
            Kind::Elasticsearch,
            &[("ELASTICDUMP_LIMIT", bad)],
            "ELASTICDUMP_LIMIT",
            bad,
        );
    }
}
