//! What things are called: annotations, labels, and the variables by which the operator tells a Job what to do.
//!
//! The names of the first ksnapshot are kept to the letter; whoever comes from there changes nothing.

/// Annotations of pods, all in [`ksnapshot_core::DOMAIN`].
pub mod annotation {
    /// `ksnapshot.clickandmortar.fr/` and the name.
    pub fn key(name: &str) -> String {
        format!("{}/{name}", ksnapshot_core::DOMAIN)
    }
}

/// Variables in the environment of a Job.
pub mod job {
    /// The kind of store: `s3`.
    pub const BACKEND_TYPE: &str = "BACKEND_TYPE";
    /// The folder in the bucket.
    pub const BACKEND_PATH: &str = "BACKEND_PATH";
    /// The region, unless there is an endpoint.
    pub const BACKEND_S3_REGION: &str = "BACKEND_S3_REGION";
    /// The address of a store that is not Amazon's. It beats the region.
    pub const BACKEND_S3_ENDPOINT: &str = "BACKEND_S3_ENDPOINT";
    /// The bucket.
    pub const BACKEND_BUCKET: &str = "BACKEND_BUCKET";
    /// The id of the key. Without it the pod's identity is used.
    pub const BACKEND_S3_ACCESS_KEY: &str = "BACKEND_S3_ACCESS_KEY";
    /// The key.
    pub const BACKEND_S3_SECRET_KEY: &str = "BACKEND_S3_SECRET_KEY";

    /// The server of MySQL or MariaDB.
    pub const MYSQL_HOST: &str = "MYSQL_HOST";
    /// Its port.
    pub const MYSQL_PORT: &str = "MYSQL_PORT";
    /// The user.
    pub const MYSQL_USERNAME: &str = "MYSQL_USERNAME";
    /// The user, by its other name.
    pub const MYSQL_USER: &str = "MYSQL_USER";
    /// The password.
    pub const MYSQL_PASSWORD: &str = "MYSQL_PASSWORD";
    /// The database.
    pub const MYSQL_DATABASE: &str = "MYSQL_DATABASE";
    /// Words of mysqldump.
    pub const MYSQLDUMP_OPTIONS: &str = "MYSQLDUMP_OPTIONS";
    /// Tables to leave out.
    pub const MYSQLDUMP_EXCLUDED_TABLES: &str = "MYSQLDUMP_EXCLUDED_TABLES";
    /// Tables to dump.
    pub const MYSQLDUMP_TABLES: &str = "MYSQLDUMP_TABLES";

    /// The server of PostgreSQL.
    pub const POSTGRESQL_HOST: &str = "POSTGRESQL_HOST";
    /// Its port.
    pub const POSTGRESQL_PORT: &str = "POSTGRESQL_PORT";
    /// The user.
    pub const POSTGRESQL_USERNAME: &str = "POSTGRESQL_USERNAME";
    /// The password.
    pub const POSTGRESQL_PASSWORD: &str = "POSTGRESQL_PASSWORD";
    /// The database.
    pub const POSTGRESQL_DATABASE: &str = "POSTGRESQL_DATABASE";
    /// Words of pg_dump.
    pub const PG_DUMP_OPTIONS: &str = "PG_DUMP_OPTIONS";

    /// The server of Elasticsearch or OpenSearch.
    pub const ELASTICSEARCH_HOST: &str = "ELASTICSEARCH_HOST";
    /// Its port.
    pub const ELASTICSEARCH_PORT: &str = "ELASTICSEARCH_PORT";
    /// `http` or `https`.
    pub const ELASTICSEARCH_SCHEME: &str = "ELASTICSEARCH_SCHEME";
    /// The user.
    pub const ELASTICSEARCH_USERNAME: &str = "ELASTICSEARCH_USERNAME";
    /// The password.
    pub const ELASTICSEARCH_PASSWORD: &str = "ELASTICSEARCH_PASSWORD";
    /// An API key, in place of user and password.
    pub const ELASTICSEARCH_API_KEY: &str = "ELASTICSEARCH_API_KEY";
    /// Documents in the first page.
    pub const ELASTICDUMP_LIMIT: &str = "ELASTICDUMP_LIMIT";

    /// Whether to encrypt: only `true` does.
    pub const ENCRYPTION_ENABLED: &str = "ENCRYPTION_ENABLED";
    /// For whom.
    pub const ENCRYPTION_RECIPIENT: &str = "ENCRYPTION_RECIPIENT";

    /// The type of the database; without it, the server that is named tells.
    pub const KSNAPSHOT_TYPE: &str = "KSNAPSHOT_TYPE";
    /// The name of the series.
    pub const KSNAPSHOT_NAME: &str = "KSNAPSHOT_NAME";
    /// `dump` or `prune`.
    pub const KSNAPSHOT_TASK: &str = "KSNAPSHOT_TASK";
    /// Codec and level.
    pub const KSNAPSHOT_COMPRESSION: &str = "KSNAPSHOT_COMPRESSION";
    /// Databases, with commas.
    pub const KSNAPSHOT_DATABASES: &str = "KSNAPSHOT_DATABASES";
    /// Patterns of tables, with commas.
    pub const KSNAPSHOT_TABLES: &str = "KSNAPSHOT_TABLES";
    /// Patterns of tables to leave out, with commas.
    pub const KSNAPSHOT_EXCLUDE_TABLES: &str = "KSNAPSHOT_EXCLUDE_TABLES";
    /// Words of mysqldump or pg_dump.
    pub const KSNAPSHOT_DUMP_OPTIONS: &str = "KSNAPSHOT_DUMP_OPTIONS";
    /// `none` or `checksum`.
    pub const KSNAPSHOT_VERIFY: &str = "KSNAPSHOT_VERIFY";
    /// Rules of retention: `last=3,daily=7`.
    pub const KSNAPSHOT_RETENTION: &str = "KSNAPSHOT_RETENTION";
    /// The wait before the run is below this.
    pub const KSNAPSHOT_JITTER: &str = "KSNAPSHOT_JITTER";
    /// Where the termination message goes.
    pub const KSNAPSHOT_TERMINATION_LOG: &str = "KSNAPSHOT_TERMINATION_LOG";
}
