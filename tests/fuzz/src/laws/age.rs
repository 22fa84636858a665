//! Sealed streams: what opens is what was sealed, whole, and a window opens nothing but its bytes.

use std::io::Read;
use std::sync::{Arc, OnceLock};

use ksnapshot_core::age::{AgeDecryptor, AgeEncryptor};
use ksnapshot_core::{Decryptor, Encryptor};

/// A key for nothing else: the corpus is sealed for it.
const SECRET: &str = "AGE-SECRET-KEY-1UVKS0EY78N5MS9WQCFCZ7D3P6AMXY0DLSL9LAHRT4Y9V3ZPQCHGSJL9YEZ";
const PUBLIC: &str = "age1s0zjplmq4h7pjwwvlrs99ypcznmqpxj82x4zy2vgzump4d7d05kq7nnjqg";

type Keys = (AgeEncryptor, Arc<dyn Decryptor>);

pub(super) fn keys() -> &'static Keys {
    static KEYS: OnceLock<Keys> = OnceLock::new();
    KEYS.get_or_init(|| {
        let open = AgeDecryptor::from_identity_file(&SECRET.to_owned().into());
        let open = Arc::new(open.expect("its secret"));
        (AgeEncryptor::new(&[PUBLIC]).expect("a key"), open)
    })
}

/// A byte says whether a sealed stream follows, or something to seal and to damage; two more say where.
pub(super) fn law(data: &[u8]) {
    let Some((&[mode, a, b], bytes)) = data.split_first_chunk::<3>() else {
        return;
    };
    if mode % 2 == 0 {
        foreign(bytes, u64::from(a) << 9, u64::from(b) << 9);
    } else {
        ours(bytes, a, b);
    }
}

/// Anybody's bytes.
fn foreign(sealed: &[u8], a: u64, b: u64) {
    let (_, decryptor) = keys();
    let whole = decryptor.open(Box::new(sealed)).ok().and_then(|mut r| {
        let mut plain = Vec::new();
        r.read_to_end(&mut plain).ok().map(|_| plain)
    });
    if let Some(plain) = &whole {
        assert!(plain.len() < sealed.len());
    }
    let range = a.min(b)..a.max(b) + 1;
    for header in [a, b, 200, 216].map(|at| at.min(sealed.len() as u64)) {
        let window = decryptor.window(header, range.clone());
        let cut = |at: u64| at.min(sealed.len() as u64) as usize;
        let window = &sealed[cut(window.start)..cut(window.end)];
        let header = &sealed[..header as usize];
        if let Ok(opened) = decryptor.open_window(header, window, range.clone()) {
            assert_eq!(opened.len() as u64, range.end - range.start);
            if let Some(whole) = &whole {
                assert!(whole[range.start as usize..range.end as usize] == opened);
            }
        }
    }
    // A range that the object can't have, as a lying index asks for it.
    for lie in [u64::MAX - 1..u64::MAX, 0..u64::MAX, 0..1 << 40] {
        assert!(decryptor.open_window(sealed, sealed, lie).is_err());
    }
}

fn ours(plain: &[u8], a: u8, b: u8) {
    let (encryptor, decryptor) = keys();
    let mut sealed = Vec::new();
    let mut seal = encryptor.seal(&mut sealed).expect("a stream");
    let header = sealed.len();
    for piece in plain.chunks(1 + usize::from(a)) {
        seal.update(piece, &mut sealed).expect("memory");
    }
    let length = seal.length(plain.len() as u64);
    seal.finish(&mut sealed).expect("memory");
    assert_eq!((sealed.len() - header) as u64, length, "as foretold");

    let open = |sealed: &[u8]| {
        let mut opened = Vec::new();
        let mut stream = decryptor.open(Box::new(sealed)).ok()?;
        stream.read_to_end(&mut opened).ok()?;
        Some(opened)
    };
    assert!(open(&sealed).expect("sealed for us") == plain);
    let at = usize::from(u16::from_le_bytes([a, b])) % sealed.len();
    assert!(open(&sealed[..at]).is_none(), "cut at {at}");
    sealed[at] ^= 1 << (b % 8);
    let changed = open(&sealed);
    assert!(
        changed.is_none_or(|opened| at < header && opened == plain),
        "changed at {at}"
    );
}
