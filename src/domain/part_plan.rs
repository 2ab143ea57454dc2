//! Into which parts an upload is cut. Limits by the S3 user guide, "Amazon S3 multipart upload limits":
//! 10,000 parts of 5 MiB to 5 GiB, and 5 TiB in all.

pub const MIB: u64 = 1 << 20;
/// The largest object.
pub const LARGEST_OBJECT: u64 = 5 << 40;
/// The largest object that one copy call makes.
pub const LARGEST_COPY: u64 = 5 << 30;
pub const MOST_PARTS: u64 = 10_000;
/// An object up to this size is stored by one call.
pub const LARGEST_SINGLE: u64 = 64 * MIB;

/// The size of every part but the last, for an object whose size is known. `None` for one that is too
/// large for S3.
pub fn part_size(length: u64) -> Option<u64> {
    if length > LARGEST_OBJECT {
        return None;
    }
    let least = length.div_ceil(MOST_PARTS);
    Some(least.next_multiple_of(MIB).max(LARGEST_SINGLE))
}

/// The size of a part that must be held in memory, because nobody knows how many follow. It grows, so
/// that small uploads need little and large ones fit: see [`LARGEST_UNTOLD`].
pub fn held_part_size(number: u64) -> u64 {
    match number {
        0..=1_000 => 8 * MIB,
        1_001..=3_000 => 16 * MIB,
        _ => 32 * MIB,
    }
}

/// The largest object whose size is not known beforehand: about 257 GiB.
pub const LARGEST_UNTOLD: u64 = (1_000 * 8 + 2_000 * 16 + 7_000 * 32) * MIB;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_size_fits() {
        for length in [
            0,
            1,
            MIB,
            LARGEST_SINGLE + 1,
            1 << 40,
            LARGEST_OBJECT - 1,
            LARGEST_OBJECT,
        ] {
            let size = part_size(length).unwrap();
            assert!(length.div_ceil(size) <= MOST_PARTS, "{length}");
            assert!((5 * MIB..=LARGEST_COPY).contains(&size));
        }
        assert_eq!(part_size(LARGEST_OBJECT + 1), None);
    }

    #[test]
    fn held_parts_make_the_largest_untold_object() {
        let sum: u64 = (1..=MOST_PARTS).map(held_part_size).sum();
        assert_eq!(sum, LARGEST_UNTOLD);
    }
}
