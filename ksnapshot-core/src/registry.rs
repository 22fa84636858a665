//! What the words of a person mean: URLs of databases, places of storages, codecs, recipients. Ours and third parties' stand
//! side by side: whatever is registered can be dumped, restored, stored into and read.

mod options;

use std::fmt::Debug;
use std::sync::Arc;

use secrecy::SecretString;

pub use options::Options;

use crate::{Dumper, Error, ErrorKind, Formats, Result, Storage, Target, near};

/// What a URL does not say.
#[derive(Debug, Clone, Default)]
pub struct Access {
    /// The password, when the environment gave one for this very server.
    pub password: Option<SecretString>,
    /// The API key, likewise.
    pub api_key: Option<SecretString>,
}

/// A kind of database: makes dumpers and restorers of its URLs. Nothing is connected to.
pub trait Engine: Send + Sync + Debug {
    /// The schemes of its URLs, without `://`. A text without a scheme is an engine's when it is one of these.
    fn schemes(&self) -> &'static [&'static str];

    /// How a person writes such a URL.
    fn form(&self) -> &'static str;

    /// What this URL names, to be dumped. Takes of `options` what it knows.
    ///
    /// Errors: [`ErrorKind::Usage`] for a URL that makes no sense. No error repeats the URL: it may hold a password.
    fn source(&self, url: &str, access: &Access, options: &mut Options) -> Result<Arc<dyn Dumper>>;

    /// What this URL names, to be restored into.
    ///
    /// Errors: as [`Engine::source`].
    fn target(&self, url: &str, access: &Access, options: &mut Options) -> Result<Target>;
}

/// A kind of storage: opens its places. Neither makes anything nor talks to a server.
pub trait Store: Send + Sync + Debug {
    /// The schemes of its URLs, without `://`; the empty one for what has none.
    fn schemes(&self) -> &'static [&'static str];

    /// How a person writes such a place.
    fn form(&self) -> &'static str;

    /// The storage at this place, with the credentials of the process's environment.
    fn open(&self, place: &str) -> Result<Arc<dyn Storage>>;
}

/// Everything that is known. Starts with the formats of this crate, and no engine and no store.
#[derive(Debug, Clone, Default)]
pub struct Registry {
    engines: Vec<Arc<dyn Engine>>,
    stores: Vec<Arc<dyn Store>>,
    /// Codecs and schemes of encryption.
    pub formats: Formats,
}

impl Registry {
    /// Knows one more kind of database. It comes before those that share a scheme with it.
    pub fn add_engine(&mut self, engine: Arc<dyn Engine>) {
        self.engines.insert(0, engine);
    }

    /// Knows one more kind of storage, likewise.
    pub fn add_store(&mut self, store: Arc<dyn Store>) {
        self.stores.insert(0, store);
    }

    /// The dumper behind a URL.
    ///
    /// Errors: [`ErrorKind::Usage`] for a scheme that nobody knows, a URL that makes no sense, and options that mean nothing
    /// there.
    pub fn source(
        &self,
        url: &str,
        access: &Access,
        mut options: Options,
    ) -> Result<Arc<dyn Dumper>> {
        let (scheme, engine) = self.engine(url)?;
        let dumper = engine.source(url, access, &mut options)?;
        options.all_taken(scheme)?;
        Ok(dumper)
    }

    /// What is behind a URL, to be restored into.
    ///
    /// Errors: as [`Registry::source`].
    pub fn target(&self, url: &str, access: &Access, mut options: Options) -> Result<Target> {
        let (scheme, engine) = self.engine(url)?;
        let target = engine.target(url, access, &mut options)?;
        options.all_taken(scheme)?;
        Ok(target)
    }

    /// The storage at a place.
    ///
    /// Errors: [`ErrorKind::Usage`] for a place that makes no sense, [`ErrorKind::Storage`] for missing credentials.
    pub fn storage(&self, place: &str) -> Result<Arc<dyn Storage>> {
        let scheme = scheme(place).unwrap_or_default();
        let store = (self.stores.iter()).find(|store| store.schemes().contains(&scheme));
        match store {
            Some(store) => store.open(place),
            None => {
                let forms = self.stores.iter().rev().map(|store| store.form());
                let known = self.stores.iter().flat_map(|store| store.schemes());
                Err(Error::new(
                    ErrorKind::Usage,
                    format!("storage {scheme}://: unknown scheme"),
                )
                .hint(format!(
                    "{}A storage is {}.",
                    meant(scheme, known),
                    or(forms)
                )))
            }
        }
    }

    fn engine<'a>(&self, url: &'a str) -> Result<(&'a str, &dyn Engine)> {
        let given = scheme(url);
        let wanted = given.unwrap_or(url);
        let engine = (self.engines.iter()).find(|engine| engine.schemes().contains(&wanted));
        if let Some(engine) = engine {
            return Ok((wanted, engine.as_ref()));
        }
        let what = match given {
            Some(scheme) => format!("{scheme}://: not a database that this build knows"),
            // The text itself may hold a password.
            None => "not a database URL: it has no scheme".to_owned(),
        };
        let forms = self.engines.iter().rev().map(|engine| engine.form());
        let known = self.engines.iter().flat_map(|engine| engine.schemes());
        let meant = given.map_or_else(String::new, |scheme| meant(scheme, known));
        Err(Error::new(ErrorKind::Usage, what).hint(format!("{meant}Use {}.", or(forms))))
    }
}

/// What stands before `://`.
fn scheme(text: &str) -> Option<&str> {
    let (scheme, _) = text.split_once("://")?;
    let plain = |c: char| c.is_ascii_alphanumeric() || "+-.".contains(c);
    (!scheme.is_empty() && scheme.chars().all(plain)).then_some(scheme)
}

fn meant<'a>(scheme: &str, known: impl Iterator<Item = &'a &'static str>) -> String {
    match near(scheme, known.copied().filter(|known| !known.is_empty())) {
        Some(meant) => format!("Did you mean {meant}://? "),
        None => String::new(),
    }
}

/// `a, b or c`.
fn or<'a>(forms: impl Iterator<Item = &'a str>) -> String {
    let forms: Vec<&str> = forms.collect();
    match forms.split_last() {
        Some((last, [])) => (*last).to_owned(),
        Some((last, others)) => format!("{} or {last}", others.join(", ")),
        None => "a program that knows one".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn schemes_are_what_stands_before_the_slashes() {
        assert_eq!(scheme("postgres://a@b/c"), Some("postgres"));
        assert_eq!(
            scheme("elasticsearch+https://b"),
            Some("elasticsearch+https")
        );
        for text in ["./a", "/a/b", "c:/a", "://x", "a b://c", "./x://y"] {
            assert_eq!(scheme(text), None, "{text}");
        }
    }

    #[test]
    fn what_nobody_knows_is_told_with_what_is_known() {
        let registry = Registry::default();
        let error = registry
            .source("db2://host", &Access::default(), Options::default())
            .expect_err("unknown");
        assert_eq!(error.kind(), ErrorKind::Usage);
        assert!(error.to_string().starts_with("db2://"), "{error}");
        let error = registry.storage("ftp://host").expect_err("unknown");
        assert_eq!(error.kind(), ErrorKind::Usage);
        assert!(or(["a", "b", "c"].into_iter()) == "a, b or c");
    }
}
