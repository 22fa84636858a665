//! The objects that the operator makes: CronJobs, Jobs, and Secrets with what they need to log in.

use std::collections::BTreeMap;
use std::fmt;

use k8s_openapi::ByteString;
use ksnapshot_core::DOMAIN;
use secrecy::{ExposeSecret, SecretString};
use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};

use crate::annotations::{OWNER, Verify};
use crate::discover::Wanted;
use crate::names::job;
use crate::settings::{Resources, Settings};
use crate::{Kind, Workload};

/// Says whose fields are whose, to the API server.
pub const FIELD_MANAGER: &str = "ksnapshot";
/// The label of everything that is ours, and its value.
pub const MANAGED_BY: (&str, &str) = ("app.kubernetes.io/managed-by", "ksnapshot");
/// The label that tells backups from prunes.
pub const COMPONENT: &str = "app.kubernetes.io/component";
/// The folder in the bucket.
const BACKEND_PATH: &str = "ksnapshot";
/// The longest name of a CronJob that Kubernetes takes: its Jobs get eleven characters more.
const NAME_LIMIT: usize = 52;
/// How long a run may take.
const ACTIVE_DEADLINE: u64 = 4 * 3600;
/// How long a finished Job stays.
const TTL: u64 = 24 * 3600;

/// The label that leads from a Job or a pod to its CronJob.
pub fn cron_job_label() -> String {
    format!("{DOMAIN}/cronjob")
}

/// The annotation that says whose a CronJob or Secret is.
pub fn owner_annotation() -> String {
    format!("{DOMAIN}/{OWNER}")
}

/// The annotation with the sum of what was applied last: a field that is not asked for any more changes it.
pub fn applied_annotation() -> String {
    format!("{DOMAIN}/applied")
}

/// The annotation with the value of `trigger` that was last acted on.
pub fn triggered_annotation() -> String {
    format!("{DOMAIN}/triggered")
}

/// What a CronJob is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Component {
    /// Dumps.
    Backup,
    /// Removes what no rule names.
    Prune,
}

impl Component {
    /// The value of [`COMPONENT`].
    pub fn word(self) -> &'static str {
        match self {
            Self::Backup => "backup",
            Self::Prune => "prune",
        }
    }
}

/// The name of a workload's CronJob for backups: it tells kind and owner, and is never another owner's.
pub fn backup_name(kind: Kind, owner: &Workload) -> String {
    name(kind.as_str(), owner)
}

/// The name of its CronJob for retention.
pub fn prune_name(owner: &Workload) -> String {
    name("prune", owner)
}

/// The name of the Secret that a CronJob's Jobs log in with.
pub fn secret_name(cron_job: &str) -> String {
    format!("{cron_job}-credentials")
}

fn name(what: &str, owner: &Workload) -> String {
    let sum = hex(&Sha256::digest(owner.to_string()))[..8].to_owned();
    let head = format!("ksnapshot-{what}-");
    let room = NAME_LIMIT - head.len() - 1 - sum.len();
    let middle = format!("{}-{}", owner.namespace, owner.name).to_lowercase();
    // One DNS label, whatever stands in it.
    let plain = |c: char| if c.is_ascii_alphanumeric() { c } else { '-' };
    let middle: String = middle.chars().map(plain).take(room).collect();
    format!("{head}{}-{sum}", middle.trim_end_matches('-'))
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// An object as it shall be, for server-side apply. It holds no secret.
#[derive(Debug, Clone, PartialEq)]
pub struct Desired {
    /// Its name.
    pub name: String,
    /// All of it. As text: a first pass has thousands of them at once, and as a tree each takes ten times the room.
    json: Box<str>,
}

impl Desired {
    /// The object of this name.
    pub fn new(name: String, value: &Value) -> Self {
        Self {
            name,
            json: value.to_string().into(),
        }
    }

    /// All of it.
    pub fn value(&self) -> Value {
        serde_json::from_str(&self.json).expect("it was written by serde_json")
    }
}

/// The Secret that the Jobs of a workload log in with, as it shall be.
#[derive(Clone)]
pub struct Credentials {
    /// Its name.
    pub name: String,
    /// Whose it is.
    pub owner: Workload,
    /// Values by the variable of the Job.
    pub data: BTreeMap<&'static str, SecretString>,
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let keys: Vec<_> = self.data.keys().collect();
        write!(f, "Credentials({} for {}: {keys:?})", self.name, self.owner)
    }
}

impl Credentials {
    /// What is applied. It holds the secrets in the clear: never print it.
    pub fn to_value(&self) -> Value {
        // Not `stringData`: applied, it takes no key away that is not wanted any more.
        let bytes = |value: &SecretString| ByteString(value.expose_secret().as_bytes().to_vec());
        let data: BTreeMap<&str, ByteString> = self
            .data
            .iter()
            .map(|(key, value)| (*key, bytes(value)))
            .collect();
        json!({
            "apiVersion": "v1",
            "kind": "Secret",
            "metadata": {
                "name": self.name,
                "labels": {MANAGED_BY.0: MANAGED_BY.1},
                "annotations": {owner_annotation(): self.owner.to_string()},
            },
            "type": "Opaque",
            "data": data,
        })
    }
}

/// The Secret for a workload; none when nothing is needed to log in.
pub fn credentials(owner: &Workload, wanted: &Wanted) -> Option<Credentials> {
    (!wanted.credentials.is_empty()).then(|| Credentials {
        name: secret_name(&backup_name(wanted.request.kind, owner)),
        owner: owner.clone(),
        data: wanted.credentials.clone(),
    })
}

/// The CronJob that dumps a workload.
pub fn backup(owner: &Workload, wanted: &Wanted, settings: &Settings) -> Desired {
    let request = &wanted.request;
    let kind = request.kind;
    let name = backup_name(kind, owner);
    let mut env = Env::default();
    env.value(job::KSNAPSHOT_TYPE, kind.as_str());
    env.value(job::KSNAPSHOT_NAME, &owner.series_name());
    env.storage(settings, settings.backup_secret.as_deref());
    let [host, port] = match kind {
        Kind::MySql | Kind::MariaDb => [job::MYSQL_HOST, job::MYSQL_PORT],
        Kind::PostgreSql => [job::POSTGRESQL_HOST, job::POSTGRESQL_PORT],
        Kind::Elasticsearch | Kind::OpenSearch => {
            [job::ELASTICSEARCH_HOST, job::ELASTICSEARCH_PORT]
        }
    };
    env.value(host, &wanted.address.host);
    env.value(port, &wanted.address.port.to_string());
    if kind.is_search() {
        env.value(
            job::ELASTICSEARCH_SCHEME,
            if wanted.address.https {
                "https"
            } else {
                "http"
            },
        );
        let limit = request.page_size.map_or(1000, u32::from);
        env.value(job::ELASTICDUMP_LIMIT, &limit.to_string());
    }
    for key in wanted.credentials.keys() {
        env.of_secret(key, &secret_name(&name), key, false);
    }
    env.value(
        job::ENCRYPTION_ENABLED,
        if request.recipient.is_some() {
            "true"
        } else {
            "false"
        },
    );
    env.maybe(job::ENCRYPTION_RECIPIENT, request.recipient.as_deref());
    env.value(job::KSNAPSHOT_COMPRESSION, &request.compression);
    for (key, list) in [
        (job::KSNAPSHOT_DATABASES, &request.databases),
        (job::KSNAPSHOT_TABLES, &request.tables),
        (job::KSNAPSHOT_EXCLUDE_TABLES, &request.exclude_tables),
    ] {
        env.maybe(key, (!list.is_empty()).then(|| list.join(",")).as_deref());
    }
    env.maybe(job::KSNAPSHOT_DUMP_OPTIONS, request.dump_options.as_deref());
    let jitter = request.jitter.map(|jitter| jitter.as_secs());
    env.maybe(
        job::KSNAPSHOT_JITTER,
        jitter.map(|s| format!("{s}s")).as_deref(),
    );
    if request.verify != Verify::None {
        env.value(job::KSNAPSHOT_VERIFY, request.verify.word());
    }
    cron_job(CronJobOf {
        name,
        owner,
        component: Component::Backup,
        kind,
        image: settings
            .images
            .of(kind.as_str(), request.version.as_deref()),
        cron: &request.cron,
        zone: &request.zone,
        suspend: request.suspend,
        starting_deadline: request.starting_deadline.as_secs(),
        deadline: ACTIVE_DEADLINE + jitter.unwrap_or(0),
        resources: &request.resources,
        env,
        settings,
    })
}

/// The CronJob that removes what no rule names; none when nothing is to be removed.
pub fn prune(owner: &Workload, wanted: &Wanted, settings: &Settings) -> Option<Desired> {
    let request = &wanted.request;
    let rules = request.retention.as_deref()?;
    let name = prune_name(owner);
    // Once a day, spread over it, so that a store does not get all of them at once.
    let sum = Sha256::digest(owner.to_string());
    let cron = format!("{} {} * * *", sum[0] % 60, sum[1] % 24);
    let mut env = Env::default();
    env.value(job::KSNAPSHOT_TASK, "prune");
    env.value(job::KSNAPSHOT_TYPE, request.kind.as_str());
    env.value(job::KSNAPSHOT_NAME, &owner.series_name());
    env.storage(settings, Some(&settings.retention_secret));
    env.value(job::KSNAPSHOT_RETENTION, rules);
    Some(cron_job(CronJobOf {
        name,
        owner,
        component: Component::Prune,
        kind: request.kind,
        image: &settings.images.one,
        cron: &cron,
        zone: "Etc/UTC",
        suspend: request.suspend,
        starting_deadline: 3600,
        deadline: ACTIVE_DEADLINE,
        resources: &request.resources,
        env,
        settings,
    }))
}

struct CronJobOf<'a> {
    name: String,
    owner: &'a Workload,
    component: Component,
    kind: Kind,
    image: &'a str,
    cron: &'a str,
    zone: &'a str,
    suspend: bool,
    starting_deadline: u64,
    deadline: u64,
    resources: &'a Resources,
    env: Env,
    settings: &'a Settings,
}

fn cron_job(of: CronJobOf<'_>) -> Desired {
    let settings = of.settings;
    let labels = json!({
        MANAGED_BY.0: MANAGED_BY.1,
        COMPONENT: of.component.word(),
        cron_job_label(): of.name,
    });
    let pull_secrets: Vec<Value> = (settings.pull_secrets.iter())
        .map(|name| json!({"name": name}))
        .collect();
    let spec = json!({
        "schedule": of.cron,
        "timeZone": of.zone,
        "suspend": of.suspend,
        "concurrencyPolicy": "Forbid",
        "startingDeadlineSeconds": of.starting_deadline,
        "successfulJobsHistoryLimit": 1,
        "failedJobsHistoryLimit": 1,
        "jobTemplate": {
            "metadata": {"labels": labels},
            "spec": {
                "backoffLimit": 0,
                "activeDeadlineSeconds": of.deadline,
                "ttlSecondsAfterFinished": TTL,
                "template": {
                    "metadata": {"labels": labels},
                    "spec": {
                        "restartPolicy": "Never",
                        "serviceAccountName": settings.backup_service_account,
                        "automountServiceAccountToken": false,
                        "enableServiceLinks": false,
                        "imagePullSecrets": pull_secrets,
                        "securityContext": {
                            "runAsNonRoot": true,
                            "runAsUser": 65532,
                            "runAsGroup": 65532,
                            "fsGroup": 65532,
                            "seccompProfile": {"type": "RuntimeDefault"},
                        },
                        "containers": [{
                            "name": "job",
                            "image": of.image,
                            "imagePullPolicy": settings.pull_policy.as_str(),
                            "args": ["job"],
                            "env": of.env.0,
                            "resources": resources(of.resources),
                            "securityContext": {
                                "allowPrivilegeEscalation": false,
                                "readOnlyRootFilesystem": true,
                                "capabilities": {"drop": ["ALL"]},
                            },
                            "volumeMounts": [{"name": "tmp", "mountPath": "/tmp"}],
                        }],
                        // Nothing is staged: it is there because the root is read-only.
                        "volumes": [{"name": "tmp", "emptyDir": {"sizeLimit": "64Mi"}}],
                    },
                },
            },
        },
    });
    let sum = hex(&Sha256::digest(spec.to_string()))[..16].to_owned();
    let value = json!({
        "apiVersion": "batch/v1",
        "kind": "CronJob",
        "metadata": {
            "name": of.name,
            "labels": {
                MANAGED_BY.0: MANAGED_BY.1,
                COMPONENT: of.component.word(),
                cron_job_label(): of.name,
                format!("{DOMAIN}/type"): of.kind.as_str(),
            },
            "annotations": {
                owner_annotation(): of.owner.to_string(),
                applied_annotation(): sum,
            },
        },
        "spec": spec,
    });
    Desired::new(of.name, &value)
}

fn resources(wanted: &Resources) -> Value {
    let mut amounts = Map::new();
    for (key, amount) in [("cpu", &wanted.cpu), ("memory", &wanted.memory)] {
        if let Some(amount) = amount {
            amounts.insert(key.to_owned(), json!(amount));
        }
    }
    if amounts.is_empty() {
        return json!({});
    }
    // A dump that is short of time on a processor is slow; one that is out of memory is dead: both get what they ask for.
    json!({"requests": amounts, "limits": amounts})
}

/// The Job of one run out of turn, of a CronJob as it shall be, and as it is there by this uid. `before` is the value that was
/// acted on last: one value after another makes one Job, however often it is tried, and the first one again makes a new one.
pub fn job_of(cron_job: &Desired, uid: &str, before: Option<&str>, trigger: &str) -> Desired {
    let owner = &cron_job.name;
    let cron_job = cron_job.value();
    let template = &cron_job["spec"]["jobTemplate"];
    let sum = Sha256::new()
        .chain_update(before.unwrap_or_default())
        .chain_update([0])
        .chain_update(trigger);
    let name = format!("{owner}-t{}", &hex(&sum.finalize())[..8]);
    let value = json!({
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": {
            "name": name,
            "labels": template["metadata"]["labels"],
            "annotations": {"cronjob.kubernetes.io/instantiate": "manual", triggered_annotation(): trigger},
            "ownerReferences": [{
                "apiVersion": "batch/v1",
                "kind": "CronJob",
                "name": owner,
                "uid": uid,
                "controller": true,
            }],
        },
        "spec": template["spec"],
    });
    Desired::new(name, &value)
}

/// The variables of a container.
#[derive(Default)]
struct Env(Vec<Value>);

impl Env {
    fn value(&mut self, name: &str, value: &str) {
        // Kubernetes would look for other variables in it.
        let value = value.replace('$', "$$");
        self.0.push(json!({"name": name, "value": value}));
    }

    fn maybe(&mut self, name: &str, value: Option<&str>) {
        if let Some(value) = value {
            self.value(name, value);
        }
    }

    fn of_secret(&mut self, name: &str, secret: &str, key: &str, optional: bool) {
        let mut from = json!({"name": secret, "key": key});
        if optional {
            from["optional"] = json!(true);
        }
        self.0
            .push(json!({"name": name, "valueFrom": {"secretKeyRef": from}}));
    }

    fn of_config_map(&mut self, name: &str, map: &str, key: &str, optional: bool) {
        let mut from = json!({"name": map, "key": key});
        if optional {
            from["optional"] = json!(true);
        }
        self.0
            .push(json!({"name": name, "valueFrom": {"configMapKeyRef": from}}));
    }

    /// The bucket, and the key to it unless the pod has an identity of its own.
    fn storage(&mut self, settings: &Settings, secret: Option<&str>) {
        let map = &settings.backup_config_map;
        self.value(job::BACKEND_TYPE, "s3");
        self.value(job::BACKEND_PATH, BACKEND_PATH);
        self.of_config_map(job::BACKEND_BUCKET, map, "S3_BUCKET", false);
        self.of_config_map(job::BACKEND_S3_REGION, map, "S3_REGION", true);
        self.of_config_map(job::BACKEND_S3_ENDPOINT, map, "S3_ENDPOINT", true);
        if let Some(secret) = secret {
            self.of_secret(
                job::BACKEND_S3_ACCESS_KEY,
                secret,
                "AWS_ACCESS_KEY_ID",
                false,
            );
            self.of_secret(
                job::BACKEND_S3_SECRET_KEY,
                secret,
                "AWS_SECRET_ACCESS_KEY",
                false,
            );
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn workload(kind: &str, name: &str) -> Workload {
        Workload {
            namespace: "shop".into(),
            kind: kind.into(),
            name: name.into(),
        }
    }

    #[test]
    fn owners_of_different_kinds_do_not_collide() {
        let deployment = backup_name(Kind::PostgreSql, &workload("Deployment", "db"));
        let stateful_set = backup_name(Kind::PostgreSql, &workload("StatefulSet", "db"));
        assert_ne!(deployment, stateful_set);
        assert!(
            deployment.starts_with("ksnapshot-postgresql-shop-db-"),
            "{deployment}"
        );
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn names_are_what_kubernetes_takes(
            namespace in "[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?",
            name in "[a-z0-9]([-a-z0-9.]{0,100}[a-z0-9])?|\\PC{1,60}",
        ) {
            let owner = Workload { namespace, kind: "StatefulSet".into(), name };
            let kinds = Kind::ALL.iter().map(|kind| backup_name(*kind, &owner));
            for name in kinds.chain([prune_name(&owner)]) {
                prop_assert!(name.len() <= NAME_LIMIT, "{}", name);
                prop_assert!(name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-'), "{}", name);
                prop_assert!(name.starts_with("ksnapshot-") && !name.ends_with('-'), "{}", name);
            }
        }
    }
}
