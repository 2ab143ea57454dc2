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
/// The smallest part that a page sends through the service.
const RELAYED_PART: u64 = 8 * MIB;
/// How many parts a page sends before they grow. Each has an entry in the audit log.
const RELAYED_PARTS: u64 = 256;

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

/// How a file of known length is cut.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PartPlan {
    /// Of the whole file, in bytes.
    pub length: u64,
    /// Of every part but the last, in bytes. At least 1.
    pub part: u64,
}

impl PartPlan {
    /// For a page, which sends the parts through the service. A part that breaks is sent again as a whole, so
    /// parts are small until there are many of them.
    pub fn relayed(length: u64) -> Self {
        let few = length.div_ceil(RELAYED_PARTS).next_multiple_of(MIB);
        let sizes = Sizes {
            part: few.clamp(RELAYED_PART, USUAL_PART),
            ..Sizes::default()
        };
        Self {
            length,
            part: sizes.part_of(length),
        }
    }

    /// How many parts there are. An empty file has one, which is empty.
    pub fn count(&self) -> u64 {
        self.length.div_ceil(self.part).max(1)
    }

    /// How long a part is, in bytes. `None`: there is no part with this number.
    pub fn length_of(&self, number: u64) -> Option<u64> {
        let before = number.checked_sub(1)?.checked_mul(self.part)?;
        (number <= self.count()).then(|| (self.length - before).min(self.part))
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
    fn a_page_s_parts_make_the_file() {
        for length in [
            0,
            1,
            8 * MIB,
            8 * MIB + 1,
            40 * MIB,
            3 << 30,
            1 << 40,
            LARGEST_OBJECT,
        ] {
            let plan = PartPlan::relayed(length);
            assert!(plan.count() <= MOST_PARTS, "{length}");
            assert!((8 * MIB..=LARGEST_CALL).contains(&plan.part), "{length}");
            let parts = (1..=plan.count()).map(|number| plan.length_of(number));
            assert_eq!(parts.sum::<Option<u64>>(), Some(length));
            assert_eq!(plan.length_of(0), None);
            assert_eq!(plan.length_of(plan.count() + 1), None);
            assert_eq!(plan.length_of(u64::MAX), None);
        }
        assert_eq!(PartPlan::relayed(40 * MIB).count(), 5);
        assert_eq!(PartPlan::relayed(3 << 30).part, 12 * MIB);
        assert_eq!(PartPlan::relayed(100 << 30).part, 64 * MIB);
    }

    #[test]
    fn held_parts_make_the_largest_object_of_unknown_length() {
        let sum: u64 = (1..=MOST_PARTS).map(held_part_size).sum();
        assert_eq!(sum, LARGEST_OF_UNKNOWN_LENGTH);
    }
}
