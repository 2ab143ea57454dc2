//! Changing a storage safely: the connection that was proved stays in use until the new one is.

use crate::application::connections::errors::{changed_meanwhile, incomplete, no_pending_change};
use crate::application::connections::input::ConnectionInput;
use crate::application::error::{Error, FieldError, Result};
use crate::application::kept::store::{PendingCheck, PendingEdit, SeenStorage, StorageChange};
use crate::application::people::caller::Admin;
use crate::application::storages::{StorageView, Storages, in_use, not_built_in};
use crate::domain::Invalid;
use crate::domain::check::{CheckReport, Step};
use crate::domain::connection::external_id::ExternalId;
use crate::domain::connection::{Connection, Credentials};
use crate::domain::ids::{StorageId, StorageRef};
use crate::domain::setup::Draft;
use crate::domain::storage::{PendingConnection, Storage};
use std::time::Duration;
use tokio::sync::mpsc::UnboundedSender;

impl Storages {
    /// Changes the settings. A new name takes effect at once. Every other change is kept beside the
    /// connection in use, together with what was changed before and has not been checked. A change back
    /// to the connection in use removes it. Bucket and prefix stay while a project uses them.
    pub async fn change(
        &self,
        admin: &Admin,
        storage: &StorageRef,
        input: ConnectionInput,
    ) -> Result<StorageView> {
        let workspace = admin.workspace();
        let id = not_built_in(storage, "changed")?;
        refuse_of_setups(&input)?;
        let stored = self.load(workspace, id).await?;
        let pending = self.store.pending(workspace, id).await?;
        let base = match &pending {
            Some(pending) => &pending.connection,
            None => &stored.connection,
        };
        let before = Draft::of(&stored.display_name, base);
        let sealed_for = PendingConnection::sealed_for(id);
        let after = self.connections.apply(input, &before, &sealed_for).await?;
        if after.sign_in.by != before.sign_in.by {
            return Err(Error::field(
                "auth",
                Invalid::new(
                    "auth_is_fixed",
                    "How a storage signs in cannot be changed. Add another storage instead.",
                ),
            ));
        }
        let connection = self.connection_after(&stored, base, &after, &sealed_for)?;
        let is_as_pending = pending
            .as_ref()
            .is_some_and(|pending| self.connections.is_same(&connection, &pending.connection));
        let edit = if self.connections.is_same(&connection, &stored.connection) {
            match pending {
                Some(_) => PendingEdit::Remove,
                None => PendingEdit::Keep,
            }
        } else if is_as_pending {
            PendingEdit::Keep
        } else {
            refuse_moving(&stored, &connection)?;
            PendingEdit::Put(Box::new(connection))
        };
        let change = StorageChange {
            display_name: after
                .display_name
                .filter(|name| *name != stored.display_name),
            pending: edit,
            at: self.clock.now(),
            on_behalf_of: admin.member().on_behalf_of.clone(),
        };
        let seen = SeenStorage {
            revision: stored.revision,
            pending: pending.map(|pending| pending.revision),
        };
        let is_nothing = change.display_name.is_none() && change.pending == PendingEdit::Keep;
        if !is_nothing
            && !self
                .store
                .change_storage(workspace, id, seen, &change)
                .await?
        {
            return Err(changed_meanwhile());
        }
        self.get(admin.member(), storage).await
    }

    /// The connection that a changed draft makes, sealed for the pending change.
    fn connection_after(
        &self,
        stored: &Storage,
        base: &Connection,
        after: &Draft,
        sealed_for: &str,
    ) -> Result<Connection> {
        let external_id = match &stored.connection.credentials {
            Credentials::Role { external_id, .. } => external_id.clone(),
            // Not used by a connection that has an access key.
            Credentials::AccessKey { .. } | Credentials::Service => ExternalId::issue(),
        };
        // A secret that was not typed now is sealed for the record that it comes from.
        let secret_is_for = match &base.credentials {
            Credentials::AccessKey {
                secret,
                sealed_for: place,
                ..
            } if after.sign_in.access_key.secret.as_ref() == Some(secret) => place.as_str(),
            Credentials::AccessKey { .. } | Credentials::Role { .. } | Credentials::Service => {
                sealed_for
            }
        };
        let connection = after
            .connection(&external_id, secret_is_for)
            .map_err(incomplete)?;
        Ok(Connection {
            credentials: self
                .connections
                .reseal(connection.credentials, sealed_for)?,
            ..connection
        })
    }

    /// Checks the pending change. When the check passes, the storage has the new connection.
    pub async fn check_pending(
        &self,
        admin: &Admin,
        storage: &StorageRef,
        wait: Duration,
        listener: Option<UnboundedSender<Step>>,
    ) -> Result<CheckReport> {
        let id = storage.own().ok_or_else(no_pending_change)?;
        let stored = self.load(admin.workspace(), id).await?;
        let pending = self
            .store
            .pending(admin.workspace(), id)
            .await?
            .ok_or_else(no_pending_change)?;
        refuse_moving(&stored, &pending.connection)?;
        let connection = Connection {
            credentials: self
                .connections
                .reseal(pending.connection.credentials.clone(), id.as_str())?,
            ..pending.connection.clone()
        };
        let (report, came_of_it) = self
            .checks
            .run_pending(pending, connection, wait, listener)
            .await?;
        match came_of_it {
            PendingCheck::Failed => Ok(report),
            PendingCheck::InUse(_) => {
                // They are of the connection that was in use.
                self.forget(admin.workspace(), id).await;
                Ok(report)
            }
            PendingCheck::Outdated => Err(changed_meanwhile()),
            PendingCheck::FixedByProjects(projects) => Err(in_use(projects)),
        }
    }

    /// Takes the pending change back. That there is none is no error.
    pub async fn discard_pending(&self, admin: &Admin, storage: &StorageRef) -> Result<()> {
        let id: &StorageId = not_built_in(storage, "changed")?;
        self.load(admin.workspace(), id).await?;
        self.store.remove_pending(admin.workspace(), id).await?;
        Ok(())
    }
}

/// Refuses what only a setup has: a storage's role was found, and is changed by its ARN.
fn refuse_of_setups(input: &ConnectionInput) -> Result<()> {
    let fields: Vec<FieldError> = [
        ("customer_account_id", &input.customer_account_id),
        ("role_path", &input.role_path),
    ]
    .into_iter()
    .filter(|(_, change)| !change.is_keep())
    .map(|(field, _)| {
        let detail = "A storage has its role. To change it, send `role_arn`.";
        FieldError::new(field, Invalid::new("only_in_setup", detail))
    })
    .collect();
    match fields.is_empty() {
        true => Ok(()),
        false => Err(Error::invalid(fields)),
    }
}

fn refuse_moving(storage: &Storage, next: &Connection) -> Result<()> {
    let now = &storage.connection;
    let moved = [
        ("bucket", now.bucket != next.bucket),
        ("prefix", now.settings.prefix != next.settings.prefix),
    ];
    let fields: Vec<FieldError> = moved
        .into_iter()
        .filter(|(_, moved)| *moved && storage.project_count > 0)
        .map(|(field, _)| {
            FieldError::new(
                field,
                Invalid::new(
                    "fixed_by_projects",
                    "Projects use this storage; its bucket and prefix are where their files are.",
                ),
            )
        })
        .collect();
    if fields.is_empty() {
        return Ok(());
    }
    let mut error = in_use(storage.project_count);
    error.fields = fields;
    Err(error)
}
