//! What a Job would make of its variables, tried before there is one. What it would refuse is refused at once, where the person
//! looks, and not by a run in the night.

use std::collections::BTreeMap;

use ksnapshot_core::Error;
use secrecy::ExposeSecret;
use serde_json::Value;

use super::Wanted;
use crate::Workload;
use crate::job::JobPlan;
use crate::objects;
use crate::settings::Settings;
use crate::verdict::{Reason, Refusal};

/// Reads the variables of the CronJob as its Job will. What the storage's own objects hold is not known here, and not tried.
pub(super) fn rehearse(
    owner: &Workload,
    wanted: &Wanted,
    settings: &Settings,
) -> Result<(), Refusal> {
    let cron_job = objects::backup(owner, wanted, settings).value();
    let container = cron_job.pointer("/spec/jobTemplate/spec/template/spec/containers/0");
    let variables = container
        .and_then(|container| container["env"].as_array())
        .into_iter()
        .flatten();
    let mut env: BTreeMap<String, String> = variables
        .filter_map(|var| Some((var["name"].as_str()?.to_owned(), value(var, wanted)?)))
        .collect();
    env.insert(
        crate::names::job::BACKEND_BUCKET.to_owned(),
        "bucket".to_owned(),
    );
    JobPlan::from_env(&env)
        .map(drop)
        .map_err(|error| refusal(&error))
}

fn value(var: &Value, wanted: &Wanted) -> Option<String> {
    if let Some(text) = var["value"].as_str() {
        return Some(text.replace("$$", "$"));
    }
    let secret = wanted.credentials.get(var["name"].as_str()?)?;
    Some(secret.expose_secret().to_owned())
}

/// Each annotation has a variable that is named after it.
fn refusal(error: &Error) -> Refusal {
    let text = format!("{error:#}");
    let advice = error.advice().unwrap_or("Correct the annotations.");
    let of_annotation = text
        .strip_prefix("KSNAPSHOT_")
        .and_then(|rest| rest.split_once(": "));
    match of_annotation {
        Some((variable, what)) => {
            let key = variable.to_lowercase().replace('_', "-");
            Refusal::new(
                Reason::AnnotationInvalid,
                format!("annotation {key}: {what}"),
                advice,
            )
        }
        None => Refusal::new(
            Reason::CredentialUnresolved,
            format!("a run would be refused: {text}"),
            advice,
        ),
    }
}
