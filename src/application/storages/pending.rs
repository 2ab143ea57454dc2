//! A storage's pending change, as its admins see it.

use crate::application::connections::view::{ConnectionView, Difference};
use crate::application::error::Result;
use crate::domain::check::CheckReport;
use crate::domain::connection::Connection;
use crate::domain::storage::PendingConnection;
use time::OffsetDateTime;

#[derive(Debug, Clone)]
pub struct PendingView {
    /// The whole connection that the storage will have.
    pub connection: Connection,
    /// What differs from the connection in use. Never empty.
    pub differences: Vec<Difference>,
    pub revision: i64,
    pub changed_at: OffsetDateTime,
    /// The last check of exactly this change. It failed, or the change would be in use.
    pub last_check: Option<CheckReport>,
}

impl PendingView {
    pub fn of(
        in_use: &Connection,
        pending: PendingConnection,
        last_check: Option<CheckReport>,
        has_new_secret: bool,
    ) -> Result<Self> {
        let mut differences = Vec::new();
        if in_use.bucket != pending.connection.bucket {
            differences.push(Difference {
                field: "bucket".to_owned(),
                before: Some(in_use.bucket.to_string()),
                after: Some(pending.connection.bucket.to_string()),
            });
        }
        let (before, after) = (
            ConnectionView::from(in_use),
            ConnectionView::from(&pending.connection),
        );
        differences.extend(before.differences(&after)?);
        if has_new_secret {
            differences.push(Difference {
                field: "secret_access_key".to_owned(),
                before: None,
                after: None,
            });
        }
        Ok(Self {
            connection: pending.connection,
            differences,
            revision: pending.revision,
            changed_at: pending.changed_at,
            last_check,
        })
    }
}
