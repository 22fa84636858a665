//! What the arguments mean: storages, ids, identities, passwords.

use std::path::Path;
use std::sync::Arc;

use ksnapshot_core::pipeline::{SingleObject, Snapshot};
use ksnapshot_core::registry::Access;
use ksnapshot_core::{
    Choice, Cx, Decryptor, Error, ErrorKind, Event, Formats, Key, Registry, Result, Storage,
};
use secrecy::SecretString;

use crate::args::Which;

/// Divides `STORAGE#ID`. Only eight characters of `a-z0-9` are an id: a folder may have a `#` in its name.
pub(crate) fn split_id(text: &str) -> (&str, Option<&str>) {
    match text.rsplit_once('#') {
        Some((storage, id))
            if id.len() == 8
                && id
                    .bytes()
                    .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit()) =>
        {
            (storage, Some(id))
        }
        _ => (text, None),
    }
}

/// The storage of a command that is of no use with a `#ID`, because of `why`.
pub(crate) fn whole<'a>(text: &'a str, command: &str, why: &str) -> Result<&'a str> {
    match split_id(text) {
        (storage, None) => Ok(storage),
        (_, Some(_)) => Err(Error::new(
            ErrorKind::Usage,
            format!("{command} takes a storage, not one snapshot of it"),
        )
        .hint(format!("Leave #ID away; {why}."))),
    }
}

/// Names the storage before an error that doesn't begin with it.
pub(crate) fn of_storage(error: Error, storage: &dyn Storage) -> Error {
    let name = storage.to_string();
    if error.to_string().starts_with(&name) {
        error
    } else {
        error.context(name)
    }
}

impl Which {
    /// The snapshot that is meant.
    pub(crate) async fn find(&self, registry: &Registry, cx: &Cx) -> Result<Snapshot> {
        let (storage, id) = split_id(&self.storage);
        let storage = registry.storage(storage)?;
        let choice = Choice {
            id: id.map(ToOwned::to_owned),
            name: self.name.clone(),
            database: self.database.clone(),
            at: self.at,
        };
        cx.guard(Snapshot::find(&storage, &registry.formats, &choice))
            .await
            .map_err(|e| of_storage(e, storage.as_ref()))
    }

    /// The identity, if one was given.
    pub(crate) fn decryptor(&self, registry: &Registry) -> Result<Option<Arc<dyn Decryptor>>> {
        let read = |path| read_identity(path, &registry.formats);
        self.identity.as_deref().map(read).transpose()
    }

    /// The single object that is meant, when it is one and not a storage of snapshots.
    pub(crate) fn object(&self, registry: &Registry) -> Result<Option<SingleObject>> {
        let text = self.storage.as_str();
        let is_object = if text.contains("://") && !text.starts_with("file://") {
            let path = text.split(['?', '#']).next().unwrap_or(text);
            let plain = [".sql", ".json", ".jsonl", ".out"].into_iter();
            plain
                .chain(registry.formats.extensions())
                .any(|suffix| path.ends_with(suffix))
        } else {
            Path::new(text.strip_prefix("file://").unwrap_or(text)).is_file()
        };
        if !is_object {
            return Ok(None);
        }
        let (path, query) = text
            .split_once('?')
            .filter(|_| text.contains("://"))
            .unwrap_or((text, ""));
        let (folder, name) = path.rsplit_once('/').unwrap_or((".", path));
        let folder = if folder.is_empty() { "/" } else { folder };
        let folder = if query.is_empty() {
            folder.to_owned()
        } else {
            format!("{folder}?{query}")
        };
        Ok(Some(SingleObject {
            storage: registry.storage(&folder)?,
            key: Key::parse(name)?,
            formats: registry.formats.clone(),
        }))
    }
}

fn read_identity(path: &Path, formats: &Formats) -> Result<Arc<dyn Decryptor>> {
    let name = || format!("identity file {}", path.display());
    let text = std::fs::read_to_string(path).map_err(|cause| {
        Error::new(ErrorKind::Identity, format!("{}: can't be read", name()))
            .hint(
                "Pass the file with the secret key that `ksnapshot keygen` or `age-keygen` wrote.",
            )
            .source(cause)
    })?;
    (formats.decryptor(&SecretString::from(text))).map_err(|e| e.context(name()))
}

/// What the environment knows of a server, a `SOURCE` or a `TARGET`. Warns of a password in the URL.
pub(crate) fn access(url: &str, role: &str, cx: &Cx) -> Access {
    if ksnapshot_dumpers::carries_password(url) {
        cx.emit(&Event::Warning(
            "the URL carries a password, which everybody on this machine can read in the list of processes; \
             use KSNAPSHOT_SOURCE_PASSWORD, PGPASSWORD or .pgpass, MYSQL_PWD or .my.cnf, ELASTIC_PASSWORD",
        ));
    }
    let variable = |what: &str| {
        let name = format!("KSNAPSHOT_{role}_{what}");
        std::env::var(name).ok().map(SecretString::from)
    };
    Access {
        password: variable("PASSWORD"),
        api_key: variable("API_KEY"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_an_id_is_cut_off() {
        assert_eq!(split_id("./b#ab12cd34"), ("./b", Some("ab12cd34")));
        assert_eq!(
            split_id("s3://b/p?region=x#ab12cd34"),
            ("s3://b/p?region=x", Some("ab12cd34"))
        );
        for whole in ["./b", "./b#", "./b#AB12CD34", "./b#ab12cd3", "./c#sharp/x"] {
            assert_eq!(split_id(whole), (whole, None));
        }
    }
}
