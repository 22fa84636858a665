//! What a person sees, word for word: `tests/transcripts`.

use ksnapshot_tests::binary;

#[test]
fn what_is_written_down_is_what_is_shown() {
    let cases = trycmd::TestCases::new();
    cases
        .register_bin("ksnapshot", &*binary().unwrap())
        .case("tests/transcripts/*.trycmd");
    cases.run();
}
