//! Who we are to a bucket: found the way Amazon's own tools find it, and never in a URL.

use std::fmt::{self, Debug};

use ksnapshot_core::{Error, ErrorKind, Result};
use secrecy::SecretString;

use crate::Env;
use crate::profile::Profile;

/// Where the right to talk to a bucket comes from.
pub(crate) enum Credentials {
    /// A key and its secret, which may be valid for some hours only.
    Key {
        id: String,
        secret: SecretString,
        token: Option<SecretString>,
    },
    /// A key of the shared credentials file, which may be renewed there at any time.
    Profile(Profile),
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
            Self::Profile(_) => "Profile",
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
        if let Some(profile) = Profile::find(&get, place)? {
            return Ok(Self::Profile(profile));
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
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(
            file.path(),
            "[default]\naws_access_key_id=a\naws_secret_access_key=b\n",
        )
        .unwrap();
        let named = ("AWS_SHARED_CREDENTIALS_FILE", file.path().to_str().unwrap());
        assert!(matches!(find(&[named]), Ok(Credentials::Profile(_))));
        let identity = ("AWS_WEB_IDENTITY_TOKEN_FILE", "/token");
        let found = find(&[named, identity, ("AWS_ROLE_ARN", "arn")]);
        assert!(matches!(found, Ok(Credentials::WebIdentity { .. })));
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
