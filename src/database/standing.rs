//! How a workspace stands, as its row has it.

use crate::application::kept::store::StoreResult;
use crate::database::engine::{Sql, Tx, values};
use crate::database::record::Record;
use crate::domain::ids::WorkspaceId;
use crate::domain::people::standing::{Standing, Suspension, SuspensionReason, WorkspaceLimits};

/// Reads it from the row's columns, which no other table of the statement may have.
pub(super) fn standing(record: &Record) -> StoreResult<Standing> {
    let suspension = match record.time_opt("suspended_at")? {
        None => None,
        Some(since) => Some(Suspension {
            since,
            reason: record.parse_opt("suspended_reason", SuspensionReason::parse)?,
        }),
    };
    Ok(Standing {
        suspension,
        limits: WorkspaceLimits {
            storages: limit(record, "limit_storages")?,
            requests_per_minute: limit(record, "limit_requests_per_minute")?,
            transfers: limit(record, "limit_transfers")?,
        },
    })
}

/// How many storages the workspace may have. Holds its row until the transaction ends: of two that count its storages,
/// the second sees what the first has added.
pub(super) async fn most_storages(
    tx: &mut Tx,
    workspace: &WorkspaceId,
) -> StoreResult<Option<u32>> {
    let row = tx
        .fetch_optional(
            Sql::Each {
                sqlite: "SELECT id, limit_storages FROM workspaces WHERE id = $1",
                postgres: "SELECT id, limit_storages FROM workspaces WHERE id = $1
                           FOR NO KEY UPDATE",
            },
            values![workspace.as_str()],
        )
        .await?;
    match row {
        Some(row) => limit(&Record::new("workspaces", row)?, "limit_storages"),
        // It is being deleted: what follows finds nothing.
        None => Ok(None),
    }
}

/// How many storages the workspace has.
pub(super) async fn number_of_storages(tx: &mut Tx, workspace: &WorkspaceId) -> StoreResult<u64> {
    let row = tx
        .fetch_optional(
            "SELECT 'all' AS id, COUNT(*) AS number FROM storages WHERE workspace_id = $1",
            values![workspace.as_str()],
        )
        .await?;
    match row {
        Some(row) => Record::new("storages", row)?.number("number"),
        None => Ok(0),
    }
}

fn limit(record: &Record, column: &str) -> StoreResult<Option<u32>> {
    let stored = record.int_opt(column)?;
    let limit = stored.map(u32::try_from).transpose();
    limit.map_err(|error| record.damaged(column, error))
}
