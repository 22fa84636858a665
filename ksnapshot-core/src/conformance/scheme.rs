//! What every [`Scheme`] promises.

use std::io::{Cursor, Read};

use secrecy::{ExposeSecret, SecretString};

use super::{ensure, pattern};
use crate::{Decryptor, Encryptor, ErrorKind, Result, Scheme};

/// What a scheme is tried with.
#[derive(Debug)]
pub struct Keys {
    /// For whom it is sealed.
    pub recipients: Vec<String>,
    /// The text of the identity file of one of them.
    pub identity: SecretString,
    /// That of somebody else.
    pub stranger: SecretString,
}

/// Runs the suite.
///
/// Errors name the first promise that was broken, or are what the scheme itself answered.
pub fn scheme(scheme: &dyn Scheme, keys: &Keys) -> Result<()> {
    let encryptor = scheme.encryptor(&keys.recipients)?;
    let decryptor = scheme.decryptor(&keys.identity)?;
    let stranger = scheme.decryptor(&keys.stranger)?;
    names(scheme, encryptor.as_ref(), decryptor.as_ref(), keys)?;
    secrets(scheme, decryptor.as_ref(), keys)?;
    for size in [0, 1, 65_535, 65_536, 65_537, 300_000] {
        let plain = pattern(size);
        let (header, sealed) = seal(encryptor.as_ref(), &plain)?;
        ensure(
            open(decryptor.as_ref(), &sealed)? == plain,
            "what is sealed opens to the same",
        )?;
        ensure(
            open(stranger.as_ref(), &sealed).is_err_and(|e| e.kind() == ErrorKind::Identity),
            "what was not sealed for an identity is refused as such",
        )?;
        cut_streams(decryptor.as_ref(), &sealed)?;
        changed_streams(decryptor.as_ref(), &sealed, &plain)?;
        windows(decryptor.as_ref(), header, &sealed, &plain)?;
    }
    unfinished(encryptor.as_ref(), decryptor.as_ref())
}

fn names(
    scheme: &dyn Scheme,
    encryptor: &dyn Encryptor,
    decryptor: &dyn Decryptor,
    keys: &Keys,
) -> Result<()> {
    ensure(
        [encryptor.name(), decryptor.name()] == [scheme.name(); 2],
        "both sides have the name of their scheme",
    )?;
    ensure(
        scheme.extension() == encryptor.extension() && scheme.extension().starts_with('.'),
        "a sealed object has the suffix of the scheme, with its dot",
    )?;
    ensure(
        keys.recipients.iter().all(|r| scheme.takes_recipient(r))
            && scheme.takes_identity(&keys.identity),
        "a scheme knows its own recipients and identities",
    )?;
    ensure(
        encryptor.recipients() == keys.recipients,
        "the manifest tells for whom it is sealed",
    )
}

fn secrets(scheme: &dyn Scheme, decryptor: &dyn Decryptor, keys: &Keys) -> Result<()> {
    let shown = format!("{scheme:?} {decryptor:?}");
    let secret = |line: &str| !line.trim().is_empty() && !line.starts_with('#');
    let mut lines = keys.identity.expose_secret().lines();
    ensure(
        !lines.any(|line| secret(line) && shown.contains(line.trim())),
        "no secret is printed",
    )?;
    let nonsense = SecretString::from("hunter2 is no identity");
    let refused = scheme.decryptor(&nonsense).err();
    ensure(
        refused.is_some_and(|e| {
            e.kind() == ErrorKind::Identity && !format!("{e:#}").contains("hunter2")
        }),
        "what is no identity is refused and not repeated",
    )
}

/// The length of the header, and everything.
fn seal(encryptor: &dyn Encryptor, plain: &[u8]) -> Result<(usize, Vec<u8>)> {
    let mut sealed = Vec::new();
    let mut seal = encryptor.seal(&mut sealed)?;
    let header = sealed.len();
    for piece in plain.chunks(10_007) {
        seal.update(piece, &mut sealed)?;
    }
    seal.finish(&mut sealed)?;
    Ok((header, sealed))
}

fn open(decryptor: &dyn Decryptor, sealed: &[u8]) -> Result<Vec<u8>> {
    let mut plain = Vec::new();
    let mut opened = decryptor.open(Box::new(Cursor::new(sealed)))?;
    opened
        .read_to_end(&mut plain)
        .map_err(crate::pipeline::read_error)?;
    Ok(plain)
}

fn cut_streams(decryptor: &dyn Decryptor, sealed: &[u8]) -> Result<()> {
    for end in [sealed.len() / 2, sealed.len() - 1] {
        ensure(
            open(decryptor, &sealed[..end]).is_err(),
            "a stream without its end is refused",
        )?;
    }
    Ok(())
}

fn changed_streams(decryptor: &dyn Decryptor, sealed: &[u8], plain: &[u8]) -> Result<()> {
    for at in [0, sealed.len() / 3, sealed.len() / 2, sealed.len() - 1] {
        let mut changed = sealed.to_vec();
        changed[at] ^= 1;
        ensure(
            open(decryptor, &changed).map_or(true, |opened| opened == plain),
            "a changed stream never opens to something else",
        )?;
        ensure(
            at + 1 < sealed.len() || open(decryptor, &changed).is_err(),
            "a changed end is refused",
        )?;
    }
    Ok(())
}

fn windows(decryptor: &dyn Decryptor, header: usize, sealed: &[u8], plain: &[u8]) -> Result<()> {
    let size = plain.len() as u64;
    let ranges = [
        0..size,
        0..size.min(1),
        size / 2..size,
        size / 3..size / 3 + (size - size / 3).min(70_000),
        size.saturating_sub(1)..size,
    ];
    for range in ranges.into_iter().filter(|range| !range.is_empty()) {
        let window = decryptor.window(header as u64, range.clone());
        let from = window.start.min(sealed.len() as u64) as usize;
        let to = window.end.min(sealed.len() as u64) as usize;
        let expected = &plain[range.start as usize..range.end as usize];
        let opened = decryptor.open_window(&sealed[..header], &sealed[from..to], range.clone())?;
        ensure(opened == expected, "any range opens from its window alone")?;
        let mut changed = sealed[from..to].to_vec();
        if let Some(byte) = changed.first_mut() {
            *byte ^= 1;
        }
        let opened = decryptor.open_window(&sealed[..header], &changed, range);
        ensure(
            opened.map_or(true, |opened| opened == expected),
            "a changed window never opens to something else",
        )?;
    }
    Ok(())
}

fn unfinished(encryptor: &dyn Encryptor, decryptor: &dyn Decryptor) -> Result<()> {
    let mut sealed = Vec::new();
    let mut seal = encryptor.seal(&mut sealed)?;
    seal.update(&pattern(200_000), &mut sealed)?;
    drop(seal);
    ensure(
        open(decryptor, &sealed).is_err(),
        "a stream that was never finished is refused",
    )
}
