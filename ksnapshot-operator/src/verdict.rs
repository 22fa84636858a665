//! What is said of a workload: whether it is backed up, why not, and what to do about it.

use std::fmt;

use crate::{Kind, Workload};

/// Whether a workload is backed up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum State {
    /// Nothing backs it up.
    NotProtected,
    /// Backups were set up once, but something is wrong with them now.
    AtRisk,
    /// Backups run as they should.
    Protected,
}

impl State {
    /// As a person reads it.
    pub fn word(self) -> &'static str {
        match self {
            Self::NotProtected => "not protected",
            Self::AtRisk => "at risk",
            Self::Protected => "protected",
        }
    }
}

/// Why a workload is not, or not safely, backed up: a closed list. It is the reason of events and a label of metrics.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Reason {
    /// It looks like a database, and carries no annotation.
    NotAnnotated,
    /// `enabled` is something else than exactly `true`.
    EnabledNotTrue,
    /// An annotation of our domain that means nothing.
    AnnotationUnknown,
    /// An annotation whose value makes no sense.
    AnnotationInvalid,
    /// `type` is missing or none that we know.
    TypeUnknown,
    /// The schedule is missing, or none that Kubernetes takes.
    ScheduleInvalid,
    /// The time zone is unknown.
    TimeZoneInvalid,
    /// Encryption is on and nobody can be encrypted for.
    RecipientMissing,
    /// The recipient is no public key of age.
    RecipientInvalid,
    /// `dump-options` has a word that can't be honoured.
    OptionRefused,
    /// A pod that nothing would make anew.
    Standalone,
    /// Pods of one owner say different things.
    OwnerConflict,
    /// No pod of it runs.
    NotRunning,
    /// No Service leads to its pods.
    NoService,
    /// Several Services lead to its pods.
    AmbiguousService,
    /// The Service has no port of the database.
    PortUnknown,
    /// The container that is named is not there.
    ContainerMissing,
    /// A variable that names user, password or database is missing, or can't be followed.
    CredentialUnresolved,
    /// Something that has to be read may not be: a Secret, a ConfigMap, a ReplicaSet.
    CredentialForbidden,
    /// Something that has to be read could not be, this time.
    LookupFailed,
    /// The namespace is not among those that are watched.
    NamespaceNotWatched,
    /// The ConfigMap or Secret of the storage is missing.
    StorageMissing,
    /// Retention is asked for, and its Secret is missing.
    RetentionSecretMissing,
    /// The schedule is suspended.
    PlanSuspended,
    /// Its CronJob is not there, though it should have been made by now.
    CronJobMissing,
    /// It was set up, and no run has begun in time.
    NeverRan,
    /// A run can't begin: its image or its settings are missing.
    RunStuck,
    /// The last run failed.
    LastRunFailed,
    /// The last success is too long ago.
    Overdue,
}

impl Reason {
    /// Its name, as events and metrics have it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::NotAnnotated => "NotAnnotated",
            Self::EnabledNotTrue => "EnabledNotTrue",
            Self::AnnotationUnknown => "AnnotationUnknown",
            Self::AnnotationInvalid => "AnnotationInvalid",
            Self::TypeUnknown => "TypeUnknown",
            Self::ScheduleInvalid => "ScheduleInvalid",
            Self::TimeZoneInvalid => "TimeZoneInvalid",
            Self::RecipientMissing => "RecipientMissing",
            Self::RecipientInvalid => "RecipientInvalid",
            Self::OptionRefused => "OptionRefused",
            Self::Standalone => "Standalone",
            Self::OwnerConflict => "OwnerConflict",
            Self::NotRunning => "NotRunning",
            Self::NoService => "NoService",
            Self::AmbiguousService => "AmbiguousService",
            Self::PortUnknown => "PortUnknown",
            Self::ContainerMissing => "ContainerMissing",
            Self::CredentialUnresolved => "CredentialUnresolved",
            Self::CredentialForbidden => "CredentialForbidden",
            Self::LookupFailed => "LookupFailed",
            Self::NamespaceNotWatched => "NamespaceNotWatched",
            Self::StorageMissing => "StorageMissing",
            Self::RetentionSecretMissing => "RetentionSecretMissing",
            Self::PlanSuspended => "PlanSuspended",
            Self::CronJobMissing => "CronJobMissing",
            Self::NeverRan => "NeverRan",
            Self::RunStuck => "RunStuck",
            Self::LastRunFailed => "LastRunFailed",
            Self::Overdue => "Overdue",
        }
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// One thing that was looked at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    /// How it was found.
    pub mark: Mark,
    /// What was found, in words.
    pub text: String,
}

/// How a thing was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mark {
    /// As it should be.
    Good,
    /// Worth a look, but nothing is lost.
    Note,
    /// What makes the verdict.
    Bad,
}

/// What is said of a workload.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verdict {
    /// Of which; a pod without an owner stands for itself.
    pub workload: Workload,
    /// The kind of database, as far as it is known, by annotation or by guess.
    pub kind: Option<Kind>,
    /// In one word.
    pub state: State,
    /// Why it isn't protected.
    pub reason: Option<Reason>,
    /// What was looked at, in order.
    pub steps: Vec<Step>,
    /// What to do about it, as a full sentence.
    pub fix: Option<String>,
}

impl Verdict {
    /// The last thing that was found wrong, in words.
    pub fn why(&self) -> Option<&str> {
        let bad = self.steps.iter().rev().find(|step| step.mark == Mark::Bad);
        bad.map(|step| step.text.as_str())
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.workload, self.state.word())?;
        if let Some(reason) = self.reason {
            write!(f, ", {reason}")?;
        }
        for step in &self.steps {
            let mark = match step.mark {
                Mark::Good => "ok",
                Mark::Note => "--",
                Mark::Bad => "!!",
            };
            write!(f, "\n  {mark} {}", step.text)?;
        }
        if let Some(fix) = &self.fix {
            write!(f, "\n  fix: {fix}")?;
        }
        Ok(())
    }
}

/// Why something can't be done, in the middle of looking: becomes the last step of a verdict.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Refusal {
    /// The reason.
    pub reason: Reason,
    /// What was found, in words; names the object.
    pub text: String,
    /// What to do about it, as a full sentence.
    pub fix: String,
}

impl Refusal {
    /// A refusal.
    pub fn new(reason: Reason, text: impl Into<String>, fix: impl Into<String>) -> Self {
        Self {
            reason,
            text: text.into(),
            fix: fix.into(),
        }
    }
}
