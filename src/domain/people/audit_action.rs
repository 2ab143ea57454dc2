//! What the audit log calls what is done where no operation's ID says it.

macro_rules! audit_actions {
    ($($(#[$doc:meta])* $variant:ident = $word:literal),+ $(,)?) => {
        /// An action that is more than its route says, or that the service does by itself. All others are called by their
        /// operation's ID in the OpenAPI document, or as their page's route is registered.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum AuditAction {
            $($(#[$doc])* $variant),+
        }

        impl AuditAction {
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];

            /// As stored and shown.
            pub fn as_str(self) -> &'static str {
                match self {
                    $(Self::$variant => $word),+
                }
            }
        }
    };
}

audit_actions! {
    SuspendWorkspace = "suspend_workspace",
    ActivateWorkspace = "activate_workspace",
    /// A file of a workspace was looked at as for an import, and nothing was stored.
    TryImport = "import_workspace_dry_run",
    /// A change of a storage was checked, and the storage goes on as it was.
    CheckPendingChange = "check_pending_change",
    /// The same, and the storage uses the change from then on.
    UsePendingChange = "use_pending_change",
    /// A check found the role open to others.
    QuarantineStorage = "quarantine_storage",
    EndStorageQuarantine = "end_storage_quarantine",
    /// A check found the storage otherwise than it was.
    StorageHealthChanged = "storage.health_changed",
    /// `sallyport keys replace --lost`
    ReplaceLostMasterKey = "replace_lost_master_key",
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn each_has_a_name_of_its_own() {
        let names = AuditAction::ALL.iter().map(|action| action.as_str());
        let names: BTreeSet<&str> = names.collect();
        assert_eq!(names.len(), AuditAction::ALL.len());
        assert!(names.contains("import_workspace_dry_run"));
    }
}
