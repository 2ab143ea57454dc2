//! S3's storage classes, as far as they decide whether an object can be read at once.

/// Whether objects of this class must be restored before they can be read. Glacier Instant Retrieval
/// (`GLACIER_IR`) is read at once. Intelligent-Tiering keeps its class in its archive tiers, so it is not
/// known from the class alone (S3 user guide, "Understanding and managing Amazon S3 storage classes").
pub fn is_archived(class: Option<&str>) -> bool {
    matches!(class, Some("GLACIER" | "DEEP_ARCHIVE"))
}

/// The class where it is not S3 Standard. A listing names that one, and HeadObject does not.
pub fn other_than_standard(class: Option<String>) -> Option<String> {
    class.filter(|class| class != "STANDARD")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_classes_are_archived() {
        for class in ["GLACIER", "DEEP_ARCHIVE"] {
            assert!(is_archived(Some(class)), "{class}");
        }
        for class in ["STANDARD", "GLACIER_IR", "INTELLIGENT_TIERING", "COLD", ""] {
            assert!(!is_archived(Some(class)), "{class}");
        }
        assert!(!is_archived(None));
    }
}
