//! Webhooks, read from their rows and from rows that are joined with others.

use crate::application::kept::store::StoreResult;
use crate::database::record::{Record, stored_name};
use crate::domain::event::EventType;
use crate::domain::ids::{WebhookId, WorkspaceId};
use crate::domain::webhook::{PreviousSecret, Webhook, WebhookUrl};

fn stored_types(text: &str) -> Result<Vec<EventType>, String> {
    text.split(',')
        .filter(|word| !word.is_empty())
        .map(|word| EventType::parse(word).map_err(|invalid| invalid.detail))
        .collect()
}

/// Reads a webhook from its own row.
pub(super) fn webhook(record: &Record) -> StoreResult<Webhook> {
    webhook_in(record, &WebhookColumns::default())
}

/// The names of those columns that a joined row may have under another name.
pub(super) struct WebhookColumns {
    pub id: &'static str,
    pub workspace: &'static str,
    pub created_at: &'static str,
}

impl Default for WebhookColumns {
    fn default() -> Self {
        Self {
            id: "id",
            workspace: "workspace_id",
            created_at: "created_at",
        }
    }
}

pub(super) fn webhook_in(record: &Record, columns: &WebhookColumns) -> StoreResult<Webhook> {
    let previous = record.bytes_opt("previous_secret")?;
    let until = record.time_opt("previous_until")?;
    Ok(Webhook {
        id: record.parse(columns.id, WebhookId::parse)?,
        workspace: record.parse_opt(columns.workspace, WorkspaceId::parse)?,
        url: record.parse("url", WebhookUrl::parse)?,
        types: record.parse("types", stored_types)?,
        description: record.parse_opt("description", stored_name)?,
        is_enabled: record.int("is_enabled")? == 1,
        is_gone: record.int("is_gone")? == 1,
        failing_since: record.time_opt("failing_since")?,
        secret: record.bytes("secret")?,
        previous: match (previous, until) {
            (Some(sealed), Some(until)) => Some(PreviousSecret { sealed, until }),
            (None, None) => None,
            (Some(_), None) | (None, Some(_)) => {
                return Err(record.damaged("previous_until", "one of two columns is absent"));
            }
        },
        created_at: record.time(columns.created_at)?,
    })
}
