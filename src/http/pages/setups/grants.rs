//! What the documents grant, in words: each part, each action, why, and which feature needs it.

use crate::domain::connection::access::Auth;
use crate::domain::connection::grants::Feature;
use crate::domain::files::file_operation::PERMISSIONS;
use crate::domain::policy_document::LifecycleFolders;
use crate::domain::setup::Draft;

/// What a customer grants, as the pages say it.
pub struct GrantsView {
    pub bucket: Option<String>,
    pub prefix: String,
    pub writes: bool,
    pub versions: bool,
    pub acls: bool,
    pub lifecycle: bool,
    pub folders: LifecycleFolders,
    pub browsers: bool,
    pub encrypted: bool,
    pub by_key: bool,
    pub actions: Vec<ActionRow>,
    /// How the choices are changed. `None`: whoever sees this may not.
    pub change: Option<ChangeGrants>,
}

/// Where a choice is sent to.
pub struct ChangeGrants {
    pub action: String,
    pub csrf: String,
    pub step: &'static str,
    pub way: Option<&'static str>,
}

/// An action of the permission policy.
pub struct ActionRow {
    pub action: &'static str,
    /// Why the product needs it.
    pub why: &'static str,
    /// Which choice it belongs to. Empty: it comes with the access.
    pub feature: &'static str,
}

impl GrantsView {
    pub fn of(draft: &Draft, change: Option<ChangeGrants>) -> Self {
        let settings = &draft.settings;
        let grants = settings.grants();
        let encrypted = settings.kms_key.is_some();
        let actions = PERMISSIONS
            .iter()
            .filter(|row| row.in_documents(grants))
            .filter(|row| encrypted || !row.permission.action.starts_with("kms:"))
            .map(|row| ActionRow {
                action: row.permission.action,
                why: why(row.permission.action),
                feature: match row.feature {
                    None => "",
                    Some(Feature::Acls) => "Access lists",
                    Some(Feature::Versions) => "Versions",
                },
            })
            .collect();
        Self {
            bucket: draft.bucket.as_ref().map(ToString::to_string),
            prefix: settings.prefix.to_string(),
            writes: grants.writes(),
            versions: grants.versions,
            acls: grants.acls,
            lifecycle: settings.has_lifecycle(),
            folders: LifecycleFolders::default(),
            browsers: settings.browser_access,
            encrypted,
            by_key: draft.sign_in.by == Auth::AccessKey,
            actions,
            change,
        }
    }

    /// Where the lifecycle rules empty these folders.
    pub fn with_lifecycle_folders(self, folders: &LifecycleFolders) -> Self {
        Self {
            folders: folders.clone(),
            ..self
        }
    }

    /// The folders whose files S3 deletes, whole.
    pub fn expiring(&self) -> [String; 2] {
        self.folders
            .both()
            .map(|folder| format!("{}{folder}", self.prefix))
    }
}

/// Why the documents grant an action. A test asks for each of them.
fn why(action: &str) -> &'static str {
    match action {
        "s3:GetBucketLocation" => "To find the bucket’s Region.",
        "s3:ListBucket" => {
            "To browse folders and create projects. Without it, a file that is missing looks like one that is forbidden."
        }
        "s3:ListBucketVersions" => "To list the versions of a file.",
        "s3:GetObject" => "To open, preview and download files.",
        "s3:GetObjectAcl" => "To show who may access a file.",
        "s3:GetObjectVersion" => "To open an earlier version of a file.",
        "s3:PutObject" => "To upload and replace files.",
        "s3:PutObjectAcl" => "To change who may access a file.",
        "s3:AbortMultipartUpload" => {
            "To give up a large upload without leaving parts that are billed."
        }
        "s3:DeleteObject" => "To delete files.",
        "s3:DeleteObjectVersion" => "To delete a version of a file for good.",
        "kms:Decrypt" => "To read files that are encrypted with your key.",
        "kms:GenerateDataKey" => "To write files that are encrypted with your key.",
        _ => "",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::connection::access::Access;
    use crate::domain::connection::kms_key_arn::KmsKeyArn;

    #[test]
    fn every_action_has_its_reason_and_goes_with_its_choice() {
        let mut draft = Draft::default();
        draft.settings.kms_key = KmsKeyArn::parse(
            "arn:aws:kms:us-east-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab",
        )
        .ok();
        for access in [Access::Read, Access::ReadWrite] {
            for feature in [Some(true), Some(false)] {
                draft.settings.access = access;
                draft.settings.object_acls = feature;
                draft.settings.object_versions = feature;
                let view = GrantsView::of(&draft, None);
                assert!(view.actions.len() >= 4);
                for row in &view.actions {
                    assert!(!row.why.is_empty(), "{}", row.action);
                    assert!(
                        feature == Some(true) || row.feature.is_empty(),
                        "{}",
                        row.action
                    );
                }
            }
        }
        draft.settings.kms_key = None;
        let view = GrantsView::of(&draft, None);
        assert!(
            !view
                .actions
                .iter()
                .any(|row| row.action.starts_with("kms:"))
        );
    }
}
