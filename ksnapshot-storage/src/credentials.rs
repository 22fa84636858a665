//! Who we are to a bucket: found the way Amazon's own tools find it, and never in a URL.

use std::fmt::{self, Debug};
use std::path::{Path, PathBuf};

use ksnapshot_core::{Error, ErrorKind, Result};
use secrecy::SecretString;

use crate::Env;

/// Where the right to talk to a bucket comes from.
pub(crate) enum Credentials {
    /// A key and its secret, which may be valid for some hours only.
    Key {
        id: String,
        secret: SecretString,
        token: Option<SecretString>,
    },
    /// A token in a file, renewed by the cluster, that is exchanged for a key at the token service.
    WebIdentity {
        token_file: String,
        role: String,
        session: Option<String>,
        sts: Option<String>,
    },
    /// The agent that the cluster runs beside us. Fields: a relative address, a full one, its token file.
    Container {
        relative: Option<String>,
        full: Option<String>,
        token_file: Option<String>,
    },
    /// The machine's own role, asked from the address that every machine of Amazon has.
    Machine,
}

impl Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Key { .. } => "Key",
            Self::WebIdentity { .. } => "WebIdentity",
            Self::Container { .. } => "Container",
            Self::Machine => "Machine",
        })
    }
}

impl Credentials {
    /// The first of: the environment's key, a web identity, the profile of a credentials file, the container's agent;
    /// and for Amazon itself (`custom_endpoint` is false), the machine's role.
    pub(crate) fn find(env: Env<'_>, place: &str, custom_endpoint: bool) -> Result<Self> {
        // An empty variable is how many a script leaves one out.
        let get = |name: &str| env(name).filter(|value| !value.is_empty());
        match (get("AWS_ACCESS_KEY_ID"), get("AWS_SECRET_ACCESS_KEY")) {
            (Some(id), Some(secret)) => {
                let token = get("AWS_SESSION_TOKEN").map(SecretString::from);
                return Ok(Self::Key {
                    id,
                    secret: secret.into(),
                    token,
                });
            }
            (Some(_), None) => {
                return Err(half(place, "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"));
            }
            (None, Some(_)) => {
                return Err(half(place, "AWS_SECRET_ACCESS_KEY", "AWS_ACCESS_KEY_ID"));
            }
            (None, None) => {}
        }
        if let Some(token_file) = get("AWS_WEB_IDENTITY_TOKEN_FILE") {
            let Some(role) = get("AWS_ROLE_ARN") else {
                return Err(half(place, "AWS_WEB_IDENTITY_TOKEN_FILE", "AWS_ROLE_ARN"));
            };
            let session = get("AWS_ROLE_SESSION_NAME");
            let sts = get("AWS_ENDPOINT_URL_STS");
            return Ok(Self::WebIdentity {
                token_file,
                role,
                session,
                sts,
            });
        }
        if let Some(key) = from_file(&get, place)? {
            return Ok(key);
        }
        let relative = get("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI");
        let full = get("AWS_CONTAINER_CREDENTIALS_FULL_URI");
        if relative.is_some() || full.is_some() {
            let token_file = get("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE");
            return Ok(Self::Container {
                relative,
                full,
                token_file,
            });
        }
        let asked_not_to =
            get("AWS_EC2_METADATA_DISABLED").is_some_and(|text| text.eq_ignore_ascii_case("true"));
        if custom_endpoint || asked_not_to {
            return Err(storage(format!("{place}: no credentials found")).hint(
                "Set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, name a credentials file in \
                 AWS_SHARED_CREDENTIALS_FILE, or provide a web identity.",
            ));
        }
        Ok(Self::Machine)
    }
}

/// The profile of the shared credentials file. A file or profile that was asked for must be there.
fn from_file(get: &dyn Fn(&str) -> Option<String>, place: &str) -> Result<Option<Credentials>> {
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
    let name = profile.as_deref().unwrap_or("default");
    match read_profile(&text, name) {
        Some(Profile {
            id: Some(id),
            secret: Some(secret),
            token,
        }) => Ok(Some(Credentials::Key { id, secret, token })),
        Some(_) => Err(storage(format!(
            "{place}: credentials file {}: profile {name:?} is not whole",
            file.display()
        ))
        .hint("A profile needs aws_access_key_id and aws_secret_access_key.")),
        None if named.is_none() && profile.is_none() => Ok(None),
        None => Err(storage(format!(
            "{place}: credentials file {}: no profile {name:?}",
            file.display()
        ))
        .hint("Name one of the file's profiles in AWS_PROFILE, or add a [default] one.")),
    }
}

#[derive(Default)]
struct Profile {
    id: Option<String>,
    secret: Option<SecretString>,
    token: Option<SecretString>,
}

/// The format is the INI dialect of Amazon's tools: `[profile]`, `key = value`, comments on lines of their own.
fn read_profile(text: &str, name: &str) -> Option<Profile> {
    let mut found: Option<Profile> = None;
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
        } else if let (true, Some((key, value)), Some(profile)) =
            (inside, line.split_once('='), &mut found)
        {
            let value = value.trim();
            match key.trim() {
                "aws_access_key_id" => profile.id = Some(value.to_owned()),
                "aws_secret_access_key" => profile.secret = Some(value.into()),
                "aws_session_token" => profile.token = Some(value.into()),
                _ => {}
            }
        }
    }
    found
}

fn half(place: &str, set: &str, missing: &str) -> Error {
    storage(format!("{place}: {set} is set, {missing} is not"))
        .hint(format!("Set {missing} as well, or neither."))
}

fn storage(message: impl Into<String>) -> Error {
    Error::new(ErrorKind::Storage, message)
}

#[cfg(test)]
mod tests {
    use secrecy::ExposeSecret;

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

    fn find(vars: &[(&str, &str)]) -> Result<Credentials> {
        let env = |name: &str| {
            vars.iter()
                .find(|(key, _)| *key == name)
                .map(|(_, value)| (*value).to_owned())
        };
        Credentials::find(&env, "s3://b", true)
    }

    #[track_caller]
    fn key(found: Result<Credentials>) -> (String, String, Option<String>) {
        match found.unwrap() {
            Credentials::Key { id, secret, token } => {
                let token = token.map(|token| token.expose_secret().to_owned());
                (id, secret.expose_secret().to_owned(), token)
            }
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn the_environment_comes_first() {
        let vars = [
            ("AWS_ACCESS_KEY_ID", "id"),
            ("AWS_SECRET_ACCESS_KEY", "hunter2"),
            ("AWS_PROFILE", "other"),
        ];
        assert_eq!(key(find(&vars)), ("id".into(), "hunter2".into(), None));
        assert_eq!(
            format!("{:?}", find(&vars).unwrap()),
            "Key",
            "a secret can't be printed"
        );
        let error = find(&vars[..1]).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Storage);
        assert!(
            error.to_string().contains("AWS_SECRET_ACCESS_KEY is not"),
            "{error}"
        );
        assert!(
            find(&[])
                .unwrap_err()
                .advice()
                .unwrap()
                .contains("AWS_ACCESS_KEY_ID")
        );
    }

    #[test]
    fn then_a_profile_of_the_file() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("credentials");
        std::fs::write(&file, FILE).unwrap();
        let file = file.to_str().unwrap();
        let named = ("AWS_SHARED_CREDENTIALS_FILE", file);
        assert_eq!(
            key(find(&[named])),
            ("first".into(), "hunter1".into(), None)
        );
        assert_eq!(
            key(find(&[named, ("AWS_PROFILE", "other")])),
            (
                "second".into(),
                "with=equals/and+plus".into(),
                Some("for an hour".into())
            ),
        );
        for (profile, message) in [("half", "not whole"), ("none", "no profile")] {
            let error = find(&[named, ("AWS_PROFILE", profile)]).unwrap_err();
            assert!(error.to_string().contains(message), "{error}");
        }
        let error = find(&[("AWS_SHARED_CREDENTIALS_FILE", "/nowhere/at/all")]).unwrap_err();
        assert!(error.to_string().contains("/nowhere/at/all"), "{error}");

        std::fs::create_dir(folder.path().join(".aws")).unwrap();
        std::fs::write(folder.path().join(".aws/credentials"), FILE).unwrap();
        assert_eq!(
            key(find(&[("HOME", folder.path().to_str().unwrap())])).0,
            "first"
        );
    }

    #[test]
    fn a_web_identity_needs_a_role() {
        let token = ("AWS_WEB_IDENTITY_TOKEN_FILE", "/token");
        let found = find(&[
            token,
            ("AWS_ROLE_ARN", "arn"),
            ("AWS_ENDPOINT_URL_STS", "https://sts"),
        ])
        .unwrap();
        let Credentials::WebIdentity { role, sts, .. } = found else {
            panic!("{found:?}")
        };
        assert_eq!(
            (role.as_str(), sts.as_deref()),
            ("arn", Some("https://sts"))
        );
        assert!(
            find(&[token])
                .unwrap_err()
                .to_string()
                .contains("AWS_ROLE_ARN is not")
        );
    }

    #[test]
    fn the_machine_is_asked_only_at_amazon() {
        let nothing = |_: &str| None;
        assert!(matches!(
            Credentials::find(&nothing, "s3://b", false),
            Ok(Credentials::Machine)
        ));
        let disabled =
            |name: &str| (name == "AWS_EC2_METADATA_DISABLED").then(|| "true".to_owned());
        assert!(Credentials::find(&disabled, "s3://b", false).is_err());
        let agent = |name: &str| {
            (name == "AWS_CONTAINER_CREDENTIALS_FULL_URI").then(|| "http://agent".to_owned())
        };
        assert!(matches!(
            Credentials::find(&agent, "s3://b", true),
            Ok(Credentials::Container { .. })
        ));
    }
}
