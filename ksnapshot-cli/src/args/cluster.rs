//! The arguments of what has to do with a Kubernetes cluster.

use clap::Args;

use super::EXIT_CODES;

/// Tell whether workloads of a Kubernetes cluster are backed up, why not, and what to do about it
#[derive(Debug, Args)]
#[command(after_long_help = format!("\
Examples:
  ksnapshot explain -A
  ksnapshot explain statefulset/pg -n shop
  ksnapshot explain -A --fail-on-gap --json

The verdicts are the operator's own, by the same rules, as this kubeconfig's user can see the cluster. Workloads that look like
databases and carry no annotation are told, too. Reading their credentials takes the right to get Secrets; without it that is
what is said.

{EXIT_CODES}"))]
pub(crate) struct ExplainArgs {
    /// Only this workload: statefulset/pg, deploy/shop
    #[arg(value_name = "KIND/NAME")]
    pub(crate) workload: Option<String>,
    /// In this namespace [default: that of the kubeconfig's context]
    #[arg(long, short)]
    pub(crate) namespace: Option<String>,
    /// In all namespaces
    #[arg(long, short = 'A', conflicts_with = "namespace")]
    pub(crate) all_namespaces: bool,
    /// Where the operator runs
    #[arg(
        long,
        env = "CONTROL_NAMESPACE",
        default_value = "ksnapshot",
        value_name = "NAMESPACE"
    )]
    pub(crate) control_namespace: String,
    /// End with exit code 1 when any of them is not protected
    #[arg(long)]
    pub(crate) fail_on_gap: bool,
}

/// Watch a Kubernetes cluster and write the CronJobs that back up its annotated workloads
#[derive(Debug, Args)]
#[command(after_long_help = format!("\
Settings come from the environment, as the chart sets them; those of the first ksnapshot keep their names:
  MODE                               cluster: by the pod's ServiceAccount; local: by the kubeconfig
  WATCH_NAMESPACES                   where workloads are looked for, with commas
  CONTROL_NAMESPACE                  where everything is written [default: ksnapshot]
  KSNAPSHOT_IMAGE                    what Jobs run
  BACKUP_CONFIGMAP_NAME, BACKUP_SECRET_NAME, RETENTION_SECRET_NAME
  BACKUP_JOB_SERVICE_ACCOUNT_NAME, BACKUP_IMAGE_PULL_POLICY, BACKUP_IMAGE_PULL_SECRETS
  DEFAULT_ENCRYPTION_ENABLED, DEFAULT_ENCRYPTION_RECIPIENT, DEFAULT_COMPRESSION, DEFAULT_RESOURCES
  LEADER_ELECTION, LEASE_NAME, LISTEN_ADDRESS, RESYNC_SECONDS, LOG_LEVEL, LOG_FORMAT

Examples:
  MODE=local WATCH_NAMESPACES=shop KSNAPSHOT_IMAGE=registry.example.org/ksnapshot:0.1.0 ksnapshot operator

docs/operator.md says what each of them means, and which annotations there are.

{EXIT_CODES}"))]
pub(crate) struct OperatorArgs {}

/// Do what a Job of the operator does: dump or prune, as variables of the environment say
#[derive(Debug, Args)]
#[command(after_long_help = format!("\
Examples:
  MYSQL_HOST=db MYSQL_USER=app MYSQL_PASSWORD=... MYSQL_DATABASE=shop BACKEND_BUCKET=backups ksnapshot job
  KSNAPSHOT_TASK=prune KSNAPSHOT_NAME=shop.deployment.db KSNAPSHOT_RETENTION=daily=7 \\
    BACKEND_BUCKET=backups BACKEND_S3_REGION=eu-west-3 ksnapshot job

Runs `ksnapshot dump`, `verify` or `prune` as programs of its own, and says first by which words. How it ended, and what is
stored, is the result and the termination message of the pod: one line of JSON. Secrets are no words of the programs, and
in no message. An empty variable is an absent one. What is left out is in brackets.

What to do:
  KSNAPSHOT_TASK             dump or prune [dump]
  KSNAPSHOT_TYPE             mysql, mariadb, postgresql, elasticsearch, opensearch [by the host]
  KSNAPSHOT_NAME             name of the series [the host]; needed to prune
  KSNAPSHOT_COMPRESSION      codec and level [gzip:6]
  KSNAPSHOT_VERIFY           none, or checksum: read back what was stored [none]
  KSNAPSHOT_RETENTION        what stays: last=3,hourly=24,daily=7,weekly=4,monthly=12,within=90d
  KSNAPSHOT_JITTER           wait first, less than this, always as long for the same name [0s]
  KSNAPSHOT_TERMINATION_LOG  where the message goes [/dev/termination-log, if it is there]
  ENCRYPTION_ENABLED         true or false [false]
  ENCRYPTION_RECIPIENT       age1..., or several with commas

What to dump:
  MYSQL_HOST, MYSQL_PORT [3306], MYSQL_USERNAME or MYSQL_USER, MYSQL_PASSWORD, MYSQL_DATABASE
  POSTGRESQL_HOST, POSTGRESQL_PORT [5432], POSTGRESQL_USERNAME, POSTGRESQL_PASSWORD,
  POSTGRESQL_DATABASE
  ELASTICSEARCH_HOST, ELASTICSEARCH_PORT [9200], ELASTICSEARCH_SCHEME [http],
  ELASTICSEARCH_USERNAME and ELASTICSEARCH_PASSWORD, or ELASTICSEARCH_API_KEY
  KSNAPSHOT_DATABASES        several databases, with commas; of MySQL and MariaDB * for all
  KSNAPSHOT_TABLES           only these tables, or indices: patterns, with commas
  KSNAPSHOT_EXCLUDE_TABLES   not these
  KSNAPSHOT_DUMP_OPTIONS     words of mysqldump or pg_dump: what would change the result and
                             is no option of `dump` is refused
  MYSQLDUMP_OPTIONS          the same, as is PG_DUMP_OPTIONS
  MYSQLDUMP_TABLES           names, with commas or spaces
  MYSQLDUMP_EXCLUDED_TABLES  not these
  ELASTICDUMP_LIMIT          documents in the first page [1000]

Where to:
  BACKEND_TYPE               s3 [s3]
  BACKEND_BUCKET             the bucket
  BACKEND_PATH               the folder in it [ksnapshot]
  BACKEND_S3_ENDPOINT        address of a store that is not Amazon's; the region is not used then
  BACKEND_S3_REGION          the region
  BACKEND_S3_ACCESS_KEY and BACKEND_S3_SECRET_KEY [the pod's own identity]

It ends by 0 for complete and for complete with problems, which are listed; by 137 when a program was killed, as the kernel
does when memory runs out; else by the code of the program that failed.

{EXIT_CODES}"))]
pub(crate) struct JobArgs {}
