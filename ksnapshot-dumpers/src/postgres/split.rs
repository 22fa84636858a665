//! Cuts large tables into ranges of pages. Pure.

/// Bytes of heap and TOAST that one reader copies at once: small enough that readers end together, large enough that
/// the start of a COPY does not count.
const CHUNK: u64 = 32 << 20;

/// Half-open ranges of heap pages that cover a table: they follow one another, the first begins at page 0 and the last
/// one has no end, because the table may have grown since its size was read.
pub(super) fn page_ranges(pages: u64, bytes: u64) -> Vec<(u64, Option<u64>)> {
    let chunks = bytes.div_ceil(CHUNK).clamp(1, pages.max(1));
    let per_chunk = pages.div_ceil(chunks).max(1);
    let starts: Vec<u64> = (0..chunks)
        .map(|i| i * per_chunk)
        .take_while(|&start| start == 0 || start < pages)
        .collect();
    starts
        .iter()
        .enumerate()
        .map(|(i, &start)| (start, starts.get(i + 1).copied()))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn ranges_cover_every_page_once(pages in 0u64..1 << 32, bytes in 0u64..1 << 42) {
            let ranges = page_ranges(pages, bytes);
            prop_assert_eq!(ranges[0].0, 0);
            prop_assert_eq!(ranges[ranges.len() - 1].1, None);
            for pair in ranges.windows(2) {
                prop_assert_eq!(pair[0].1, Some(pair[1].0));
                prop_assert!(pair[0].0 < pair[1].0);
            }
            // TOAST counts: few pages with much behind them are cut, too, down to one page.
            prop_assert!(ranges.len() as u64 <= bytes.div_ceil(CHUNK).max(1));
            prop_assert!(ranges.len() as u64 <= pages.max(1));
        }
    }

    #[test]
    fn small_tables_stay_whole() {
        assert_eq!(page_ranges(0, 0), [(0, None)]);
        assert_eq!(page_ranges(4096, 32 << 20), [(0, None)]);
        assert_eq!(page_ranges(8192, 64 << 20), [(0, Some(4096)), (4096, None)]);
        assert_eq!(page_ranges(1, 1 << 40), [(0, None)]);
    }
}
