//! Which tables move with a workspace, and how their rows are found. Every table of the schema is here.

use crate::application::kept::store::{StoreError, StoreResult};
use crate::database::tables::{Column, Table};

/// What becomes of a table's rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Plan {
    Of(Of),
    Below(Below),
    /// They stay. `counted`: it is said how many, by the column `workspace_id`.
    Stays {
        counted: bool,
    },
}

/// Rows with the workspace's ID in a column.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Of {
    pub column: &'static str,
    /// A further condition: a constant of ours, from ` AND` on.
    pub only: &'static str,
    /// What tells the workspace's rows apart. They are read in the order of it.
    pub key: &'static str,
    /// How many are read together.
    pub at_once: u32,
}

/// Rows with the ID of something else of the workspace, which is read before them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Below {
    /// The column, and the table of what it names.
    pub owners: &'static [(&'static str, &'static str)],
    /// What tells the rows of one owner apart.
    pub key: &'static str,
    pub at_once: u32,
}

/// How many rows are read together where nothing else is said.
const AT_ONCE: u32 = 200;

const fn of(column: &'static str, key: &'static str) -> Plan {
    Plan::Of(Of {
        column,
        only: "",
        key,
        at_once: AT_ONCE,
    })
}

pub(super) fn plan(table: &str) -> StoreResult<Plan> {
    known(table).ok_or_else(|| {
        StoreError::Failed(format!(
            "nothing says whether the table {table} moves with a workspace"
        ))
    })
}

fn known(table: &str) -> Option<Plan> {
    Some(match table {
        "workspaces" => of("id", "id"),
        "api_tokens" | "setups" | "storages" | "projects" | "webhooks" => of("workspace_id", "id"),
        "default_storages" => of("workspace_id", "workspace_id"),
        "pending_connections" => of("workspace_id", "storage_id"),
        "role_waits" => of("workspace_id", "setup_id"),
        "workspace_origins" => of("workspace_id", "position"),
        "usage_days" => of("workspace_id", "day"),
        // Imports that are under way, each with where it goes on. The checks of storages are made by a trigger.
        "jobs" => Plan::Of(Of {
            column: "workspace_id",
            only: " AND kind = 'import'",
            key: "subject_id",
            at_once: 1,
        }),
        "checks" => Plan::Below(Below {
            owners: &[("setup_id", "setups"), ("storage_id", "storages")],
            key: "id",
            at_once: 50,
        }),
        "project_files" => Plan::Below(Below {
            owners: &[("project_id", "projects")],
            key: "position",
            at_once: 250,
        }),
        // They end soon, and belong to this service's address; the log and the feed are of this service.
        "sessions" | "sign_in_links" | "instruction_links" | "events" | "audit_log" => {
            Plan::Stays { counted: true }
        }
        // What the service has for itself, or together with what stays. External IDs are written with their setups.
        "external_ids" | "used_sign_in_links" | "used_tokens" | "webhook_deliveries"
        | "audit_files" | "audit_intents" | "audit_exports" | "idempotency_keys" | "remembered"
        | "imports" | "job_turns" | "job_lines" | "leases" | "product_keys" | "erasures"
        | "moved_parts" => Plan::Stays { counted: false },
        _ => return None,
    })
}

/// The tables whose rows have rows below them.
pub(super) fn owner(table: &str) -> Option<&'static str> {
    ["setups", "storages", "projects"]
        .into_iter()
        .find(|owner| *owner == table)
}

/// Columns that name a row of another table, which must be the workspace's own as well, with that table. Where the
/// database's own references hold for any workspace, or there is none, nothing else sees to it.
pub(super) fn named(table: &str) -> &'static [(&'static str, &'static str)] {
    match table {
        "storages" | "role_waits" => &[("setup_id", "setups")],
        // The worker of an import adds files to the project that its job names.
        "jobs" => &[("subject_id", "projects")],
        _ => &[],
    }
}

/// A column of a table, and its place among the others.
pub(super) fn column<'a>(table: &'a Table, name: &str) -> StoreResult<(usize, &'a Column)> {
    let mut columns = table.columns.iter().enumerate();
    columns
        .find(|(_, column)| column.name == name)
        .ok_or_else(|| StoreError::Failed(format!("{} has no column {name}", table.name)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::application::kept::store::{SealedColumn, sealed_place};
    use crate::database::tables::of_this_release;

    /// A table of a new migration has to be named above.
    #[tokio::test]
    async fn every_table_moves_or_stays() {
        let tables = of_this_release().await.unwrap();
        let mut before = Vec::new();
        for table in &tables {
            match plan(&table.name).unwrap() {
                Plan::Of(of) => {
                    column(table, of.column).unwrap();
                    column(table, of.key).unwrap();
                    for (name, other) in named(&table.name) {
                        column(table, name).unwrap();
                        assert_eq!(owner(other), Some(*other), "{}", table.name);
                    }
                }
                Plan::Below(below) => {
                    column(table, below.key).unwrap();
                    for (own, of) in below.owners {
                        column(table, own).unwrap();
                        assert_eq!(owner(of), Some(*of), "{}", table.name);
                        assert!(before.contains(of), "{} before {of}", table.name);
                    }
                }
                Plan::Stays { counted: true } => {
                    column(table, "workspace_id").unwrap();
                }
                Plan::Stays { counted: false } => {}
            }
            before.push(table.name.as_str());
        }
        assert!(plan("new_table").is_err());
    }

    #[tokio::test]
    async fn what_is_sealed_is_known() {
        let tables = of_this_release().await.unwrap();
        let mut found = 0;
        for place in SealedColumn::ALL.into_iter().filter_map(sealed_place) {
            let table = tables.iter().find(|table| table.name == place.table);
            let table = table.unwrap();
            column(table, place.column).unwrap();
            column(table, place.bound_to).unwrap();
            assert!(matches!(plan(place.table), Ok(Plan::Of(_))));
            found += 1;
        }
        assert_eq!(found, 5);
        // Nothing else that moves is called a secret.
        for table in &tables {
            if matches!(plan(&table.name).unwrap(), Plan::Stays { .. }) {
                continue;
            }
            let named = table.columns.iter().filter(|c| c.name.contains("secret"));
            for column in named {
                let mut places = SealedColumn::ALL.into_iter().filter_map(sealed_place);
                let is_known = places.any(|p| p.table == table.name && p.column == column.name);
                assert!(is_known, "{}.{}", table.name, column.name);
            }
        }
    }
}
