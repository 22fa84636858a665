//! The documents of the races: orders of a shop, the same in each run.

use std::fmt::Write as _;
use std::fs::{self, File};
use std::io::Write as _;
use std::path::Path;
use std::sync::LazyLock;
use std::thread;

use anyhow::{Result, anyhow};
use ksnapshot_tests::elastic::Elastic;

/// How an index of them is created. Nothing of it is left to the server to guess.
pub(super) const INDEX: &str = r#"{
    "settings": {"number_of_shards": 2, "number_of_replicas": 0},
    "mappings": {
        "dynamic": "strict",
        "properties": {
            "customer": {"type": "keyword"},
            "status": {"type": "keyword"},
            "tags": {"type": "keyword"},
            "note": {"type": "text"},
            "quantity": {"type": "long"},
            "total": {"type": "long"},
            "price": {"type": "double"},
            "weight": {"type": "double"},
            "placed": {"type": "date"},
            "shipped": {"type": "date"},
            "paid": {"type": "boolean"},
            "address": {
                "properties": {
                    "street": {"type": "text"},
                    "city": {"type": "keyword"},
                    "country": {"type": "keyword"},
                    "zip": {"type": "keyword"}
                }
            }
        }
    }
}"#;

/// Bytes of a prepared bulk request.
const BULK: usize = 8 << 20;

const STATUS: [&str; 5] = ["open", "packed", "shipped", "returned", "cancelled"];

const CITIES: [(&str, &str); 12] = [
    ("Lyon", "FR"),
    ("Berlin", "DE"),
    ("Porto", "PT"),
    ("Genève", "CH"),
    ("København", "DK"),
    ("Kraków", "PL"),
    ("Dublin", "IE"),
    ("Sevilla", "ES"),
    ("Malmö", "SE"),
    ("Gent", "BE"),
    ("Utrecht", "NL"),
    ("Oulu", "FI"),
];

/// A small vocabulary.
static WORDS: LazyLock<Vec<&str>> = LazyLock::new(|| {
    "after again amber anchor apple around arrow autumn basket before beside blanket blue bottle branch bright \
    broken butter button candle careful castle cedar chair cherry circle clear copper corner cotton curtain \
    damaged delivery distant door early engine evening fabric feather fragile garden gentle glass golden green \
    handle harbour heavy hollow island kettle ladder lantern leather letter linen little marble meadow mirror \
    morning narrow neighbour orange paper parcel pepper pillow please pocket quiet quick rather ribbon river rough \
    saddle shelf silver simple slowly spring stone summer table thread timber velvet village wagon walnut window \
    winter wooden yellow"
        .split(' ')
        .collect()
});

/// Chance of one document, the same whoever asks, and in whatever order.
struct Chance(u64);

impl Chance {
    /// Of SplitMix64, by Steele, Lea and Flood: as many different numbers as there are.
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let z = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// Below `end`.
    fn below(&mut self, end: u64) -> u64 {
        self.next() % end
    }

    fn one_of<T: Copy>(&mut self, choice: &[T]) -> T {
        choice[self.below(choice.len() as u64) as usize]
    }
}

/// An id, without an order that the server could make use of.
fn id(number: u64) -> String {
    format!("{:016x}", Chance(number).next())
}

/// A source of about 500 bytes.
fn source(number: u64) -> String {
    // Far from the chance of others' ids.
    let chance = &mut Chance(number << 32);
    let mut json = String::with_capacity(640);
    let (city, country) = chance.one_of(&CITIES);
    let (month, day) = (chance.below(12) + 1, chance.below(28) + 1);
    // Writing to a string doesn't fail.
    let _ = write!(
        json,
        r#"{{"customer":"C{:07}","status":"{}","tags":["{}","{}"],"note":""#,
        chance.below(100_000),
        chance.one_of(&STATUS),
        chance.one_of(&WORDS),
        chance.one_of(&WORDS),
    );
    for word in 0..20 + chance.below(16) {
        json.push_str(if word == 0 { "" } else { " " });
        json.push_str(chance.one_of(&WORDS));
    }
    let _ = write!(
        json,
        r#"","quantity":{},"total":{},"price":{}.{:02},"weight":{}.{},"#,
        1 + chance.below(20),
        chance.below(10_000_000),
        chance.below(2_000),
        chance.below(100),
        chance.below(50),
        chance.below(1_000),
    );
    let _ = write!(
        json,
        r#""placed":"2026-{month:02}-{day:02}T{:02}:{:02}:{:02}.{:03}Z","shipped":"2027-{month:02}-{day:02}","paid":{},"#,
        chance.below(24),
        chance.below(60),
        chance.below(60),
        chance.below(1_000),
        chance.below(4) > 0,
    );
    let _ = write!(
        json,
        r#""address":{{"street":"{} {} {}","city":"{city}","country":"{country}","zip":"{:05}"}}}}"#,
        chance.one_of(&WORDS),
        chance.one_of(&WORDS),
        1 + chance.below(300),
        chance.below(100_000),
    );
    json
}

/// Makes an index of so many documents, and leaves nothing for the server to do afterwards.
pub(super) fn load(server: &Elastic, index: &str, documents: u64) -> Result<()> {
    server.put(&format!("/{index}"), INDEX)?;
    let middle = documents / 2;
    let part = |from, to| server.bulk(index, (from..to).map(|n| (id(n), None, source(n))));
    thread::scope(|scope| {
        let half = scope.spawn(|| part(0, middle));
        part(middle, documents)?;
        half.join().map_err(|_| anyhow!("loading panicked"))?
    })?;
    server.post(&format!("/{index}/_forcemerge?max_num_segments=1"), "")?;
    server.post(&format!("/{index}/_flush"), "")?;
    Ok(())
}

/// Writes the same documents into files of a folder, each the body of a bulk request.
pub(super) fn bodies(folder: &Path, documents: u64) -> Result<()> {
    fs::create_dir(folder)?;
    let mut body = String::with_capacity(BULK + 1024);
    let mut files = 0;
    for number in 0..documents {
        let (id, source) = (id(number), source(number));
        let _ = writeln!(body, r#"{{"index":{{"_id":"{id}"}}}}"#);
        body.push_str(&source);
        body.push('\n');
        if body.len() >= BULK || number + 1 == documents {
            let mut file = File::create(folder.join(format!("{files:04}.ndjson")))?;
            file.write_all(body.as_bytes())?;
            body.clear();
            files += 1;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn documents_are_the_same_each_time_and_of_the_size_that_is_told() {
        assert_eq!(source(7), source(7));
        assert_ne!(source(7), source(8));
        assert_ne!(id(0), id(1));
        let bytes: usize = (0..1000).map(|number| source(number).len()).sum();
        assert!((480_000..520_000).contains(&bytes), "{bytes}");
    }
}
