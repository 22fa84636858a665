//! Elasticsearch and OpenSearch: what comes back, what outsiders make of it, and who gets in.

#[path = "elastic/options.rs"]
mod options;
#[path = "elastic/outsiders.rs"]
mod outsiders;
#[path = "elastic/policies.rs"]
mod policies;
#[path = "../promises/elastic.rs"]
mod promises;

use ksnapshot_tests::elastic::Version;
pub(crate) use promises::{Dumped, dump, restore};

#[test]
fn every_kind_comes_back_by_us() {
    Version::NEWEST.into_iter().for_each(promises::kinds::by_us);
}

#[test]
fn every_kind_comes_back_in_a_drill() {
    Version::NEWEST
        .into_iter()
        .for_each(promises::kinds::by_a_drill);
}

#[test]
fn a_dump_under_writers_is_what_its_view_held() {
    for version in Version::NEWEST {
        promises::moment::counts_agree(version, 3);
    }
}
