//! A profile of Amazon's shared credentials file, read again for each request: whoever renews the file renews a
//! running dump's key.

use std::fmt::{self, Debug};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use ksnapshot_core::{Error, ErrorKind, Result, async_trait};
use object_store::CredentialProvider;
use object_store::aws::AwsCredential;
use secrecy::{ExposeSecret, SecretString};

/// A profile that was whole when it was first read.
pub(crate) struct Profile {
    file: PathBuf,
    name: String,
    /// What the file said when it was last whole: it may be read while it is being written.
    last: Mutex<Arc<AwsCredential>>,
}

impl Debug for Profile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Profile")
            .field("name", &self.name)
            .finish_non_exhaustive()
    }
}

impl Profile {
    /// The profile that the environment names, or the default one; none when nothing is named and nothing is there. A
    /// file or profile that was asked for must be there.
    pub(crate) fn find(get: &dyn Fn(&str) -> Option<String>, place: &str) -> Result<Option<Self>> {
        let named = get("AWS_SHARED_CREDENTIALS_FILE").map(PathBuf::from);
        let default = || get("HOME").map(|home| Path::new(&home).join(".aws").join("credentials"));
        let Some(file) = named.clone().or_else(default) else {
            return Ok(None);
        };
        let profile = get("AWS_PROFILE");
        let text = match std::fs::read_to_string(&file) {
            Ok(text) => text,
            Err(error)
                if error.kind() == std::io::ErrorKind::NotFound
                    && named.is_none()
                    && profile.is_none() =>
            {
                return Ok(None);
            }
            Err(error) => {
                return Err(storage(format!(
                    "{place}: credentials file {}: {error}",
                    file.display()
                ))
                .hint(
                    "Check AWS_SHARED_CREDENTIALS_FILE and AWS_PROFILE, and who may read the file.",
                ));
            }
        };
        let name = profile.clone().unwrap_or_else(|| "default".to_owned());
        match Entry::read(&text, &name) {
            Some(entry) => match entry.whole() {
                Some(key) => Ok(Some(Self {
                    file,
                    name,
                    last: Mutex::new(Arc::new(key)),
                })),
                None => Err(storage(format!(
                    "{place}: credentials file {}: profile {name:?} is not whole",
                    file.display()
                ))
                .hint("A profile needs aws_access_key_id and aws_secret_access_key.")),
            },
            None if named.is_none() && profile.is_none() => Ok(None),
            None => Err(storage(format!(
                "{place}: credentials file {}: no profile {name:?}",
                file.display()
            ))
            .hint("Name one of the file's profiles in AWS_PROFILE, or add a [default] one.")),
        }
    }

    /// The key of this moment.
    fn key(&self) -> Arc<AwsCredential> {
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        let now = std::fs::read_to_string(&self.file)
            .ok()
            .and_then(|text| Entry::read(&text, &self.name)?.whole());
        if let Some(now) = now.filter(|now| *now != **last) {
            *last = Arc::new(now);
        }
        Arc::clone(&last)
    }
}

#[async_trait]
impl CredentialProvider for Profile {
    type Credential = AwsCredential;

    /// A small file, read once for megabytes that are sent.
    async fn get_credential(&self) -> object_store::Result<Arc<AwsCredential>> {
        Ok(self.key())
    }
}

/// What a file says of a profile.
#[derive(Default)]
struct Entry {
    id: Option<String>,
    secret: Option<SecretString>,
    token: Option<SecretString>,
}

impl Entry {
    /// The format is the INI dialect of Amazon's tools: `[profile]`, `key = value`, comments on lines of their own.
    fn read(text: &str, name: &str) -> Option<Self> {
        let mut found: Option<Self> = None;
        let mut inside = false;
        for line in text.lines().map(str::trim) {
            if let Some(header) = line
                .strip_prefix('[')
                .and_then(|line| line.strip_suffix(']'))
            {
                inside = header.trim() == name;
                if inside {
                    found.get_or_insert_default();
                }
            } else if let (true, Some((key, value)), Some(entry)) =
                (inside, line.split_once('='), &mut found)
            {
                let value = value.trim();
                match key.trim() {
                    "aws_access_key_id" => entry.id = Some(value.to_owned()),
                    "aws_secret_access_key" => entry.secret = Some(value.into()),
                    "aws_session_token" => entry.token = Some(value.into()),
                    _ => {}
                }
            }
        }
        found
    }

    fn whole(self) -> Option<AwsCredential> {
        let (Some(key_id), Some(secret)) = (self.id, self.secret) else {
            return None;
        };
        Some(AwsCredential {
            key_id,
            secret_key: secret.expose_secret().to_owned(),
            token: self.token.map(|token| token.expose_secret().to_owned()),
        })
    }
}

fn storage(message: impl Into<String>) -> Error {
    Error::new(ErrorKind::Storage, message)
}

#[cfg(test)]
mod tests {
    use super::*;

    const FILE: &str = "\
# made by hand
[default]
aws_access_key_id = first
aws_secret_access_key=hunter1
region = nowhere

[ other ]
aws_access_key_id=second
aws_secret_access_key = with=equals/and+plus
aws_session_token = for an hour
[half]
aws_access_key_id = third
";

    fn find(vars: &[(&str, &str)]) -> Result<Option<Profile>> {
        let get = |name: &str| {
            let found = vars.iter().find(|(key, _)| *key == name)?;
            Some(found.1.to_owned())
        };
        Profile::find(&get, "s3://b")
    }

    #[track_caller]
    fn check(found: Result<Option<Profile>>, id: &str, secret: &str, token: Option<&str>) {
        let key = found.unwrap().expect("there is one").key();
        assert_eq!((key.key_id.as_str(), key.secret_key.as_str()), (id, secret));
        assert_eq!(key.token.as_deref(), token);
    }

    #[test]
    fn a_profile_is_named_or_the_default_one() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("credentials");
        std::fs::write(&file, FILE).unwrap();
        let file = file.to_str().unwrap();
        let named = ("AWS_SHARED_CREDENTIALS_FILE", file);
        check(find(&[named]), "first", "hunter1", None);
        let other = find(&[named, ("AWS_PROFILE", "other")]);
        assert!(
            !format!("{other:?}").contains("equals"),
            "a secret can't be printed"
        );
        check(other, "second", "with=equals/and+plus", Some("for an hour"));
        for (profile, message) in [("half", "not whole"), ("none", "no profile")] {
            let error = find(&[named, ("AWS_PROFILE", profile)]).unwrap_err();
            assert!(error.to_string().contains(message), "{error}");
        }
        let error = find(&[("AWS_SHARED_CREDENTIALS_FILE", "/nowhere/at/all")]).unwrap_err();
        assert!(error.to_string().contains("/nowhere/at/all"), "{error}");
        assert!(find(&[("HOME", "/nowhere")]).unwrap().is_none());

        std::fs::create_dir(folder.path().join(".aws")).unwrap();
        std::fs::write(folder.path().join(".aws/credentials"), FILE).unwrap();
        check(
            find(&[("HOME", folder.path().to_str().unwrap())]),
            "first",
            "hunter1",
            None,
        );
    }

    #[test]
    fn a_renewed_file_is_the_key_of_the_next_request() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let path = file.path().to_str().unwrap();
        std::fs::write(path, FILE).unwrap();
        let profile = find(&[("AWS_SHARED_CREDENTIALS_FILE", path)])
            .unwrap()
            .unwrap();
        std::fs::write(path, FILE.replace("first", "next")).unwrap();
        assert_eq!(profile.key().key_id, "next");
        for half in ["", "[default]\naws_access_key_id = half", "[other]"] {
            std::fs::write(path, half).unwrap();
            assert_eq!(profile.key().key_id, "next", "what was whole stays good");
        }
        std::fs::remove_file(path).unwrap();
        assert_eq!(profile.key().key_id, "next");
    }
}
