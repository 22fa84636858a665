//! Every value comes back as it was, as the binary protocol sends it on both sides.

use ksnapshot_tests::mysql::{Db, MySql, Options, Version, broken, compare, copies};
use ksnapshot_tests::testbed;

use super::Dumped;

/// … when the stock client loads the text.
pub(crate) fn by_the_stock_client(version: Version) {
    come_back(version, |dumped, copy| {
        dumped.load(copy.server, &copy.name);
    });
}

/// … when we restore it, without a problem.
pub(crate) fn by_us(version: Version) {
    come_back(version, |dumped, copy| {
        dumped
            .restore(&copy.url(), &["--jobs", "3"])
            .exits(0)
            .unwrap();
    });
}

fn come_back(version: Version, restore: impl Fn(&Dumped, &Db<'_>)) {
    let server = server(version);
    let source = server.create_db("source").unwrap();
    source.load(&testbed::sql("mysql/values.sql")).unwrap();
    // What SHOW CREATE can't say: it knows no such character, and the label is lost, whatever its number.
    source
        .run("update labels set e_utf16 = 1, e_utf8 = 1")
        .unwrap();
    let copy = server.create_db("copy").unwrap();
    restore(&Dumped::of(&source.url(), &["--jobs", "3"]), &copy);
    if let Err(error) = compare::same_rows(&source, &copy) {
        panic!("{version:?}: {error:#}");
    }
}

/// One with room for the largest value: that of MySQL 5.7 takes 4 MiB unless told otherwise.
pub(crate) fn server(version: Version) -> MySql {
    Options::new(version)
        .set("max-allowed-packet", "64M")
        .start()
        .unwrap()
}

/// Text that its character set doesn't know is read as it is. No server takes it again: the stock programs lose it without
/// a word, and our restore says where it is, behind however many warnings that mean nothing.
pub(crate) fn broken_text_is_told(version: Version) {
    let [server, other] = [(); 2].map(|()| MySql::start(version).unwrap());
    let source = server.create_db("source").unwrap();
    broken::make(&source).unwrap();
    let dumped = Dumped::of(&source.url(), &[]);
    let copy = server.create_db("copy").unwrap();
    let run = dumped.restore(&copy.url(), &[]).exits(1).unwrap();
    let told = format!(
        "table source.{}: the target would change a value: Incorrect string value: '\\xFFb'",
        broken::TABLE
    );
    assert!(run.stderr.contains(&told), "{version:?}: {run:?}");
    let text = dumped.over("cat", &[]).exits(0).unwrap().text();
    for bytes in broken::BYTES {
        assert!(text.contains(&format!("0x{bytes}")), "{version:?}: {bytes}");
    }
    let complaints = copies::twin_into(&server, &other, &["source"]).unwrap();
    assert_eq!(complaints, [""; 0], "{version:?}");
    compare::same_rows(&source, &other.db("source")).unwrap_err();
}
