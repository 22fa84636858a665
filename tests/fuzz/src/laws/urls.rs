//! URLs of storages and databases: understood or refused, without a look at the network, and without repeating a secret.

use ksnapshot_core::registry::{Access, Options};
use ksnapshot_core::{Error, ErrorKind, Registry, Target};

const SECRET: &str = "hunter2hunter2";

/// A file of the machine has no part in it; some of them never end.
fn names_a_device(text: &str) -> bool {
    ["dev", "proc", "%64", "%44", "%70", "%50"]
        .iter()
        .any(|word| text.contains(word))
}

/// Scheme and rest of what is a URL, and no path of a strange name.
fn url(text: &str) -> Option<(&str, &str)> {
    let (scheme, rest) = text.split_once("://")?;
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '+' | '-' | '.');
    let named = scheme.starts_with(|c: char| c.is_ascii_alphabetic()) && scheme.chars().all(plain);
    named.then_some((scheme, rest))
}

/// Whether the secret is in a URL as it is read: without line ends and tabs, and with what `%` stands for.
fn holds_it(text: &str) -> bool {
    let read = text.replace(['\t', '\n', '\r'], "");
    let mut plain = Vec::new();
    let mut rest = read.as_bytes();
    while let Some((&first, after)) = rest.split_first() {
        let code = after
            .get(..2)
            .and_then(|code| std::str::from_utf8(code).ok());
        let coded = code
            .filter(|_| first == b'%')
            .and_then(|code| u8::from_str_radix(code, 16).ok());
        plain.push(coded.unwrap_or(first));
        rest = if coded.is_some() { &after[2..] } else { after };
    }
    let holds = |bytes: &[u8]| {
        bytes
            .windows(SECRET.len())
            .any(|part| part == SECRET.as_bytes())
    };
    holds(&plain) || holds(read.as_bytes())
}

pub(super) fn storages(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else {
        return;
    };
    if names_a_device(text) {
        return;
    }
    let env = |name: &str| {
        let value = match name {
            "AWS_ACCESS_KEY_ID" => "id",
            "AWS_SECRET_ACCESS_KEY" => SECRET,
            // Without TLS nobody reads the system's certificates, which takes longer than all the rest.
            "AWS_ENDPOINT_URL" => "http://127.0.0.1:9",
            _ => return None,
        };
        Some(value.to_owned())
    };
    match ksnapshot_storage::open_with(text, &env) {
        Ok(storage) => {
            let name = storage.to_string();
            assert!(holds_it(text) || !format!("{name} {storage:?}").contains(SECRET));
            let again = ksnapshot_storage::open_with(&name, &env).expect("its own name");
            assert_eq!(again.to_string(), name);
        }
        Err(error) => explained(&error),
    }
    let Some((scheme, rest)) = url(text) else {
        return;
    };
    // A path is a path, and no place for a secret.
    if scheme != "file" && !text.contains(SECRET) {
        let with = format!("{scheme}://id:{SECRET}@{rest}");
        let told = match ksnapshot_storage::open_with(&with, &env) {
            Ok(storage) => format!("{storage} {storage:?}"),
            Err(error) => told(&error),
        };
        assert!(!told.contains(SECRET), "{told}");
    }
}

/// The text with and without a password in it.
pub(super) fn databases(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else {
        return;
    };
    if names_a_device(text) {
        return;
    }
    for told in open(text) {
        let _ = told.map_err(|error| explained(&error));
    }
    let Some((scheme, rest)) = url(text) else {
        return;
    };
    let with = format!("{scheme}://user:{SECRET}@{rest}");
    if !text.contains(SECRET) {
        for opened in open(&with) {
            let told = opened.unwrap_or_else(|error| told(&error));
            assert!(!told.contains(SECRET), "{told}");
        }
    }
    let _ = ksnapshot_dumpers::carries_password(&with);
}

/// What the source and the target behind a URL tell of themselves.
fn open(url: &str) -> [Result<String, Error>; 2] {
    let mut registry = Registry::default();
    ksnapshot_dumpers::register(&mut registry);
    let access = Access::default();
    let source = registry.source(url, &access, Options::default());
    let target = registry.target(url, &access, Options::default());
    let name = |target: &Target| match target {
        Target::Database(target) => target.target(),
        Target::Stream(target) => target.target(),
    };
    [
        source.map(|source| format!("{} {} {source:?}", source.host(), source.database())),
        target.map(|target| format!("{} {target:?}", name(&target))),
    ]
}

fn explained(error: &Error) {
    assert!(
        matches!(
            error.kind(),
            ErrorKind::Usage | ErrorKind::Storage | ErrorKind::Server
        ),
        "{error:?}"
    );
    assert!(error.advice().is_some(), "no hint: {error:?}");
}

fn told(error: &Error) -> String {
    format!("{error} {error:#} {error:?} {:?}", error.advice())
}
