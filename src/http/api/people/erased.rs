//! What the erasure of a workspace answers.

use crate::application::kept::store::ErasedWorkspace;
use crate::domain::ids::WorkspaceId;
use serde::Serialize;
use utoipa::ToSchema;

/// What was erased of a workspace, and what stays.
#[derive(Serialize, ToSchema)]
#[schema(as = ErasedWorkspace)]
pub(super) struct ErasedBody {
    #[schema(example = "wrk_019a1f0e7c1b7d439a520c8c2f6f6b1e")]
    id: String,
    deleted: ErasedContents,
    pseudonymised: Pseudonymised,
    /// What stays: the audit log until it is as old as the operator keeps it, without what names a person; and the
    /// external IDs, so that none is ever used again.
    #[schema(example = json!(["audit_events", "external_ids"]))]
    kept: Vec<&'static str>,
    /// What this service does not reach: somebody has to see to it elsewhere. docs/data.md says more.
    #[schema(example = json!(["customer_buckets", "backups", "logs", "exported_audit_events", "delivered_events"]))]
    elsewhere: Vec<&'static str>,
}

/// How many of each.
#[derive(Serialize, ToSchema)]
struct ErasedContents {
    tokens: u64,
    sessions: u64,
    /// Sign-in links that were not used, and links for AWS administrators.
    links: u64,
    storage_setups: u64,
    storages: u64,
    projects: u64,
    /// Files that the projects named. They are still in their buckets.
    project_files: u64,
    webhooks: u64,
    events: u64,
    /// Answers that were kept for `Idempotency-Key`.
    kept_answers: u64,
    usage_days: u64,
}

/// What the audit log lost.
#[derive(Serialize, ToSchema)]
struct Pseudonymised {
    /// Entries that lost an address or a name, or whose person of the product got a pseudonym.
    audit_events: u64,
    /// Files that lost their names.
    audit_event_files: u64,
}

impl ErasedBody {
    pub(super) fn of(id: &WorkspaceId, erased: &ErasedWorkspace) -> Self {
        let contents = &erased.contents;
        Self {
            id: id.to_string(),
            deleted: ErasedContents {
                tokens: contents.tokens,
                sessions: contents.sessions,
                links: contents.links,
                storage_setups: contents.storage_setups,
                storages: contents.storages,
                projects: contents.projects,
                project_files: contents.project_files,
                webhooks: contents.webhooks,
                events: contents.events,
                kept_answers: contents.kept_answers,
                usage_days: contents.usage_days,
            },
            pseudonymised: Pseudonymised {
                audit_events: erased.audit_entries,
                audit_event_files: erased.audit_files,
            },
            kept: vec!["audit_events", "external_ids"],
            elsewhere: vec![
                "customer_buckets",
                "backups",
                "logs",
                "exported_audit_events",
                "delivered_events",
            ],
        }
    }
}
