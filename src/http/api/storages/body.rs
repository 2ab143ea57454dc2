//! A storage, as the API shows it.

use crate::application::closed_sets;
use crate::application::connections::view::ConnectionView;
use crate::application::kept::store::ProjectsOfStorage;
use crate::application::storages::health::WhatChanged;
use crate::application::storages::{StorageOfAny, StorageSource, StorageView};
use crate::domain::overlap::Overlap;
use crate::http::api::checks::CheckReportBody;
use serde::Serialize;
use time::OffsetDateTime;
use utoipa::ToSchema;

/// A storage: a bucket that the workspace may use.
#[derive(Serialize, ToSchema)]
#[schema(as = Storage)]
pub(in crate::http::api) struct StorageBody {
    /// `built-in` for the product's own.
    #[schema(example = "sto_019a1f0e7c1b7d439a520c8c2f6f6b1e")]
    id: String,
    /// Only in lists over all workspaces: the workspace that the storage is of.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "wrk_019a1f0e7c1b7d439a520c8c2f6f6b1e")]
    workspace_id: Option<String>,
    /// With `workspace_id`: the product's own ID of the workspace, where it has one.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "tenant-4711")]
    workspace_external_id: Option<String>,
    display_name: String,
    bucket: String,
    /// `null` for the built-in storage.
    #[schema(value_type = Option<closed_sets::Auth>)]
    auth: Option<&'static str>,
    external_id: Option<String>,
    #[serde(flatten)]
    connection: ConnectionView,
    is_default: bool,
    /// Whether the present settings have passed a check. Until then the storage's files cannot be used.
    verified: bool,
    /// Quarantined: a check found that the role lets others in, and the storage is not used until one
    /// passes.
    #[schema(value_type = StorageState)]
    state: &'static str,
    /// `null` while the storage is active.
    quarantine: Option<QuarantineBody>,
    health: HealthBody,
    /// Since when the storage has the access key that it uses. `null` without one, and where an earlier release did
    /// not write it down.
    #[serde(with = "crate::domain::rfc3339::option")]
    access_key_set_at: Option<OffsetDateTime>,
    /// Only where the access key should be replaced.
    access_key_warning: Option<AccessKeyWarningBody>,
    project_count: i64,
    /// What is odd about the storage, though it works. Absent where nothing is, and in lists.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schema(required = false)]
    warnings: Vec<PlaceWarningBody>,
    /// A change that has not passed a check: the storage goes on with the settings above until it has.
    /// `null` for members.
    pending: Option<PendingBody>,
    #[serde(with = "crate::domain::rfc3339::option")]
    created_at: Option<OffsetDateTime>,
}

/// Whether a storage is used.
#[derive(ToSchema)]
#[schema(rename_all = "snake_case")]
#[expect(dead_code, reason = "only for the OpenAPI document")]
enum StorageState {
    Active,
    Quarantined,
}

/// That another storage of the workspace has the same files, or some of them.
#[derive(Serialize, ToSchema)]
#[schema(as = PlaceWarning)]
pub(in crate::http::api) struct PlaceWarningBody {
    #[schema(value_type = closed_sets::AnyPlaceWarningCode)]
    code: &'static str,
    detail: String,
    /// The other storage.
    #[schema(example = "sto_019a1f0e7c1b7d439a520c8c2f6f6b1e")]
    storage_id: String,
}

impl From<Overlap> for PlaceWarningBody {
    fn from(overlap: Overlap) -> Self {
        Self {
            code: overlap.kind.code(),
            detail: overlap.words(),
            storage_id: overlap.storage.to_string(),
        }
    }
}

/// That an access key has been used for more than 90 days.
#[derive(Serialize, ToSchema)]
#[schema(as = AccessKeyWarning)]
struct AccessKeyWarningBody {
    /// For how many days the storage has had it. The key may be older: AWS tells that to its owner alone.
    #[schema(example = 120)]
    days: i64,
    detail: String,
    remedy: &'static str,
}

impl AccessKeyWarningBody {
    fn of(days: i64) -> Self {
        Self {
            days,
            detail: format!("This access key was given to us {days} days ago."),
            remedy: "Make a new key for the same user, change the storage to it, check the change, and then delete the old key in IAM. Until the check has passed the storage goes on with the old one.",
        }
    }
}

/// Why a storage is not used.
#[derive(Serialize, ToSchema)]
#[schema(as = Quarantine)]
struct QuarantineBody {
    #[serde(with = "crate::domain::rfc3339")]
    since: OffsetDateTime,
    /// The check that found it.
    #[schema(example = "chk_019a1f0e7c1b7d439a520c8c2f6f6b1e")]
    check_id: String,
    /// The code of the problem in that check's report.
    #[schema(value_type = closed_sets::AnyCauseCode)]
    code: String,
}

/// A change of a storage that waits for its check: the settings as they will be.
#[derive(Serialize, ToSchema)]
#[schema(as = PendingChange)]
struct PendingBody {
    bucket: String,
    #[serde(flatten)]
    connection: ConnectionView,
    /// The names of the settings that differ from those in use.
    #[schema(example = json!(["role_arn"]))]
    changes: Vec<String>,
    #[serde(with = "crate::domain::rfc3339")]
    changed_at: OffsetDateTime,
    /// The last check of exactly this change.
    last_check: Option<CheckReportBody>,
}

/// What the latest check that could tell said.
#[derive(Serialize, ToSchema)]
#[schema(as = Health)]
struct HealthBody {
    #[schema(value_type = closed_sets::HealthState)]
    state: &'static str,
    /// When the check began that first found this state with this code.
    #[serde(with = "crate::domain::rfc3339::option")]
    since: Option<OffsetDateTime>,
    /// The code of the problem that decided the state. Absent where there is none.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<closed_sets::AnyCauseCode>)]
    code: Option<String>,
    /// The latest check, also one that could not tell.
    last_check_id: Option<String>,
    /// The projects that use the storage, while it is degraded, broken or in quarantine. Not in lists.
    #[serde(skip_serializing_if = "Option::is_none")]
    affected_projects: Option<AffectedProjectsBody>,
    /// What changed since the last good check, while the storage is not healthy. For admins, and not in lists.
    #[serde(skip_serializing_if = "Option::is_none")]
    change: Option<HealthChangeBody>,
}

/// The projects that use a storage.
#[derive(Serialize, ToSchema)]
#[schema(as = AffectedProjects)]
struct AffectedProjectsBody {
    count: u64,
    /// How many of them are importing files from the storage now.
    importing: u64,
    /// The newest ten of them.
    projects: Vec<AffectedProjectBody>,
}

#[derive(Serialize, ToSchema)]
#[schema(as = AffectedProject)]
struct AffectedProjectBody {
    #[schema(example = "prj_019a1f0e7c1b7d439a520c8c2f6f6b1e")]
    id: String,
    name: String,
}

/// What checks found otherwise than before.
#[derive(Serialize, ToSchema)]
#[schema(as = HealthChange)]
struct HealthChangeBody {
    /// The last check that found the storage healthy, or the one that it was added with. `null` where an
    /// earlier release did not keep it.
    last_good_check_id: Option<String>,
    /// The first since then that did not. `null` as above.
    first_bad_check_id: Option<String>,
    /// In sentences, the earliest first. They say what each check found, and nothing of the time between.
    #[schema(example = json!(["On 24 Nov 2026, 14:02 UTC, reading a file was allowed. On 24 Nov 2026, 15:01 UTC, AWS refused `s3:GetObject`: a statement in a bucket policy denies it."]))]
    text: Vec<String>,
}

impl From<StorageView> for StorageBody {
    fn from(view: StorageView) -> Self {
        let display_name = view.display_name().to_owned();
        let id = view.reference().to_string();
        let own = match view.source {
            StorageSource::BuiltIn => None,
            StorageSource::Own(storage) => Some(storage),
        };
        let connection = view.connection;
        let pending = view.pending.map(|pending| PendingBody {
            bucket: pending.connection.bucket.to_string(),
            connection: (&pending.connection).into(),
            changes: pending
                .differences
                .into_iter()
                .map(|difference| difference.field)
                .collect(),
            changed_at: pending.changed_at,
            last_check: pending.last_check.map(Into::into),
        });
        Self {
            warnings: view.overlaps.into_iter().map(Into::into).collect(),
            pending,
            id,
            workspace_id: None,
            workspace_external_id: None,
            display_name,
            bucket: connection.bucket.to_string(),
            auth: connection.credentials.auth().map(|auth| auth.as_str()),
            external_id: connection
                .credentials
                .external_id()
                .map(ToString::to_string),
            connection: (&connection).into(),
            is_default: view.is_default,
            verified: own.as_ref().is_none_or(|s| s.is_verified()),
            state: match own.as_ref().map(|s| &s.quarantine) {
                Some(Some(_)) => "quarantined",
                Some(None) | None => "active",
            },
            quarantine: own
                .as_ref()
                .and_then(|s| s.quarantine.as_ref())
                .map(|quarantine| QuarantineBody {
                    since: quarantine.since,
                    check_id: quarantine.check.to_string(),
                    code: quarantine.code.clone(),
                }),
            health: HealthBody {
                state: own.as_ref().map_or("unknown", |s| s.health.state.as_str()),
                since: own.as_ref().map(|s| s.health.since),
                code: own.as_ref().and_then(|s| s.health.condition().code),
                last_check_id: own
                    .as_ref()
                    .and_then(|s| s.health.last_check.as_ref())
                    .map(ToString::to_string),
                affected_projects: view.detail.affected.map(Into::into),
                change: view.detail.change.map(Into::into),
            },
            access_key_set_at: own.as_ref().and_then(|s| s.access_key_set_at),
            access_key_warning: view.old_key_days.map(AccessKeyWarningBody::of),
            project_count: own.as_ref().map_or(0, |s| s.project_count),
            created_at: own.map(|s| s.created_at),
        }
    }
}

impl From<StorageOfAny> for StorageBody {
    fn from(found: StorageOfAny) -> Self {
        let external_id = found.workspace_external_id;
        Self {
            workspace_id: Some(found.workspace.to_string()),
            workspace_external_id: external_id.map(|id| id.as_str().to_owned()),
            ..Self::from(found.view)
        }
    }
}

impl From<ProjectsOfStorage> for AffectedProjectsBody {
    fn from(projects: ProjectsOfStorage) -> Self {
        Self {
            count: projects.count,
            importing: projects.importing,
            projects: projects
                .newest
                .into_iter()
                .map(|(id, name)| AffectedProjectBody {
                    id: id.to_string(),
                    name: name.to_string(),
                })
                .collect(),
        }
    }
}

impl From<WhatChanged> for HealthChangeBody {
    fn from(change: WhatChanged) -> Self {
        Self {
            last_good_check_id: change.last_good.map(|id| id.to_string()),
            first_bad_check_id: change.first_bad.map(|id| id.to_string()),
            text: change.text,
        }
    }
}
