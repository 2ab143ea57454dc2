//! Into which parts uploads and copies are cut. Limits by the S3 user guide, "Amazon S3 multipart upload
//! limits": 10,000 parts of 5 MiB to 5 GiB, and 5 TiB in all.

pub const MIB: u64 = 1 << 20;
/// The largest object.
pub const LARGEST_OBJECT: u64 = 5 << 40;
/// The largest object that one call stores or copies.
pub const LARGEST_CALL: u64 = 5 << 30;
pub const MOST_PARTS: u64 = 10_000;
/// A part's size unless the object needs larger ones.
const USUAL_PART: u64 = 64 * MIB;

/// From which sizes on objects are cut, in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sizes {
    /// The largest body of known length that one call stores. What is larger goes in parts, so a break
    /// costs one part and not everything.
    pub single: u64,
    /// The largest object that one call copies.
    pub copy: u64,
    /// The size of a part, at least.
    pub part: u64,
}

impl Default for Sizes {
    fn default() -> Self {
        Self {
            single: USUAL_PART,
            copy: LARGEST_CALL,
            part: USUAL_PART,
        }
    }
}

impl Sizes {
    /// The size of every part but the last, for an object whose size is known. Up to
    /// [`LARGEST_OBJECT`], there are never more than [`MOST_PARTS`].
    pub fn part_of(&self, length: u64) -> u64 {
        let least = length.div_ceil(MOST_PARTS);
        least.next_multiple_of(MIB).max(self.part)
    }
}

/// The size of a part that must be held back until it is complete, because nobody knows how many follow. It grows, so
/// that small uploads need little and large ones fit: see [`LARGEST_OF_UNKNOWN_LENGTH`].
pub fn held_part_size(number: u64) -> u64 {
    match number {
        0..=1_000 => 8 * MIB,
        1_001..=3_000 => 16 * MIB,
        _ => 32 * MIB,
    }
}

/// The largest object whose size is not known beforehand: about 257 GiB.
pub const LARGEST_OF_UNKNOWN_LENGTH: u64 = (1_000 * 8 + 2_000 * 16 + 7_000 * 32) * MIB;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_size_fits() {
        for length in [
            0,
            1,
            MIB,
            LARGEST_CALL + 1,
            1 << 40,
            LARGEST_OBJECT - 1,
            LARGEST_OBJECT,
        ] {
            let size = Sizes::default().part_of(length);
            assert!(length.div_ceil(size) <= MOST_PARTS, "{length}");
            assert!((5 * MIB..=LARGEST_CALL).contains(&size));
        }
    }

    #[test]
    fn held_parts_make_the_largest_object_of_unknown_length() {
        let sum: u64 = (1..=MOST_PARTS).map(held_part_size).sum();
        assert_eq!(sum, LARGEST_OF_UNKNOWN_LENGTH);
    }
}
