//! Sign-in links, sessions, and links for AWS administrators.

use crate::application::kept::store::{KeptAnswer, SecretHash, SignInStore, StoreResult, Window};
use crate::database::engine::values;
use crate::database::idempotency::keep;
use crate::database::record::Record;
use crate::database::{Database, after};
use crate::domain::ids::{InstructionLinkId, SessionId, SetupId, SignInLinkId, WorkspaceId};
use crate::domain::people::audit::Actor;
use crate::domain::people::sign_in::{InstructionLink, Purpose, ReturnUrl, Session, SignInLink};
use crate::domain::people::workspace::Role;
use async_trait::async_trait;
use time::OffsetDateTime;

#[async_trait]
impl SignInStore for Database {
    async fn create_sign_in_link(
        &self,
        link: &SignInLink,
        hash: &SecretHash,
        answer: Option<&KeptAnswer>,
    ) -> StoreResult<()> {
        let mut tx = self.begin().await?;
        tx.execute(
            "INSERT INTO sign_in_links
                 (id, workspace_id, hash, role, purpose, return_url, created_at, expires_at)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
            values![
                link.id.as_str(),
                link.workspace.as_str(),
                hash.as_slice(),
                link.role.as_str(),
                link.purpose.as_str(),
                link.return_url.as_ref().map(ReturnUrl::as_str),
                link.created_at,
                link.expires_at,
            ],
        )
        .await?;
        keep(&mut tx, answer).await?;
        tx.commit().await
    }

    async fn sign_in_link_by_hash(
        &self,
        hash: &SecretHash,
        now: OffsetDateTime,
    ) -> StoreResult<Option<SignInLink>> {
        self.fetch_record(
            "sign_in_links",
            "SELECT id, workspace_id, role, purpose, return_url, created_at, expires_at
             FROM sign_in_links WHERE hash = $1 AND expires_at > $2",
            values![hash.as_slice(), now],
            sign_in_link,
        )
        .await
    }

    async fn begin_session(
        &self,
        link: &SecretHash,
        session: &Session,
        hash: &SecretHash,
    ) -> StoreResult<bool> {
        let mut tx = self.begin().await?;
        // Who deletes it has it.
        let taken = tx
            .execute(
                "DELETE FROM sign_in_links WHERE hash = $1",
                values![link.as_slice()],
            )
            .await?;
        if taken != 1 {
            return Ok(false);
        }
        tx.execute(
            "INSERT INTO sessions
                 (id, workspace_id, hash, role, return_url, created_at, seen_at, expires_at)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
            values![
                session.id.as_str(),
                session.workspace.as_str(),
                hash.as_slice(),
                session.role.as_str(),
                session.return_url.as_ref().map(ReturnUrl::as_str),
                session.created_at,
                session.seen_at,
                session.expires_at,
            ],
        )
        .await?;
        tx.commit().await?;
        Ok(true)
    }

    async fn session_by_hash(&self, hash: &SecretHash) -> StoreResult<Option<Session>> {
        self.fetch_record(
            "sessions",
            "SELECT id, workspace_id, role, return_url, created_at, seen_at, expires_at
             FROM sessions WHERE hash = $1",
            values![hash.as_slice()],
            session,
        )
        .await
    }

    async fn touch_session(&self, id: &SessionId, seen_at: OffsetDateTime) -> StoreResult<()> {
        self.execute(
            "UPDATE sessions SET seen_at = $2 WHERE id = $1",
            values![id.as_str(), seen_at],
        )
        .await
        .map(drop)
    }

    async fn end_session(&self, workspace: &WorkspaceId, id: &SessionId) -> StoreResult<bool> {
        let ended = self
            .execute(
                "DELETE FROM sessions WHERE workspace_id = $1 AND id = $2",
                values![workspace.as_str(), id.as_str()],
            )
            .await?;
        Ok(ended == 1)
    }

    async fn list_sessions(
        &self,
        workspace: &WorkspaceId,
        window: &Window,
    ) -> StoreResult<Vec<Session>> {
        self.fetch_records(
            "sessions",
            "SELECT id, workspace_id, role, return_url, created_at, seen_at, expires_at
             FROM sessions WHERE workspace_id = $1 AND id > $2 ORDER BY id LIMIT $3",
            values![workspace.as_str(), after(window), window.limit],
            session,
        )
        .await
    }

    async fn prune_sign_ins(&self, before: OffsetDateTime) -> StoreResult<()> {
        self.execute(
            "DELETE FROM sign_in_links WHERE expires_at < $1",
            values![before],
        )
        .await?;
        self.execute(
            "DELETE FROM sessions WHERE expires_at < $1",
            values![before],
        )
        .await
        .map(drop)
    }

    async fn put_instruction_link(
        &self,
        link: &InstructionLink,
        hash: &SecretHash,
        answer: Option<&KeptAnswer>,
    ) -> StoreResult<()> {
        let mut tx = self.begin().await?;
        tx.execute(
            "INSERT INTO instruction_links
                 (setup_id, id, workspace_id, hash, created_at, expires_at, made_by, last_used_at)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
             ON CONFLICT (setup_id) DO UPDATE SET
                 id = excluded.id, hash = excluded.hash,
                 created_at = excluded.created_at, expires_at = excluded.expires_at,
                 made_by = excluded.made_by, last_used_at = excluded.last_used_at",
            values![
                link.setup.as_str(),
                link.id.as_str(),
                link.workspace.as_str(),
                hash.as_slice(),
                link.created_at,
                link.expires_at,
                link.made_by.as_ref().map(Actor::as_str),
                link.last_used_at,
            ],
        )
        .await?;
        keep(&mut tx, answer).await?;
        tx.commit().await
    }

    async fn touch_instruction_link(
        &self,
        id: &InstructionLinkId,
        at: OffsetDateTime,
    ) -> StoreResult<()> {
        self.execute(
            "UPDATE instruction_links SET last_used_at = $2 WHERE id = $1",
            values![id.as_str(), at],
        )
        .await
        .map(drop)
    }

    async fn instruction_link_by_hash(
        &self,
        hash: &SecretHash,
    ) -> StoreResult<Option<InstructionLink>> {
        self.fetch_record(
            "instruction_links",
            "SELECT id, workspace_id, setup_id, created_at, expires_at, made_by, last_used_at
             FROM instruction_links WHERE hash = $1",
            values![hash.as_slice()],
            instruction_link,
        )
        .await
    }

    async fn instruction_link_of(
        &self,
        workspace: &WorkspaceId,
        setup: &SetupId,
    ) -> StoreResult<Option<InstructionLink>> {
        self.fetch_record(
            "instruction_links",
            "SELECT id, workspace_id, setup_id, created_at, expires_at, made_by, last_used_at
             FROM instruction_links WHERE setup_id = $1 AND workspace_id = $2",
            values![setup.as_str(), workspace.as_str()],
            instruction_link,
        )
        .await
    }

    async fn revoke_instruction_link(
        &self,
        workspace: &WorkspaceId,
        setup: &SetupId,
        link: &InstructionLinkId,
    ) -> StoreResult<bool> {
        let revoked = self
            .execute(
                "DELETE FROM instruction_links
                 WHERE setup_id = $1 AND workspace_id = $2 AND id = $3",
                values![setup.as_str(), workspace.as_str(), link.as_str()],
            )
            .await?;
        Ok(revoked == 1)
    }
}

fn sign_in_link(record: &Record) -> StoreResult<SignInLink> {
    Ok(SignInLink {
        id: record.parse("id", SignInLinkId::parse)?,
        workspace: record.parse("workspace_id", WorkspaceId::parse)?,
        role: record.parse("role", Role::parse)?,
        purpose: record.parse("purpose", Purpose::parse)?,
        return_url: record.parse_opt("return_url", ReturnUrl::parse)?,
        created_at: record.time("created_at")?,
        expires_at: record.time("expires_at")?,
    })
}

fn session(record: &Record) -> StoreResult<Session> {
    Ok(Session {
        id: record.parse("id", SessionId::parse)?,
        workspace: record.parse("workspace_id", WorkspaceId::parse)?,
        role: record.parse("role", Role::parse)?,
        return_url: record.parse_opt("return_url", ReturnUrl::parse)?,
        created_at: record.time("created_at")?,
        seen_at: record.time("seen_at")?,
        expires_at: record.time("expires_at")?,
    })
}

fn instruction_link(record: &Record) -> StoreResult<InstructionLink> {
    Ok(InstructionLink {
        id: record.parse("id", InstructionLinkId::parse)?,
        workspace: record.parse("workspace_id", WorkspaceId::parse)?,
        setup: record.parse("setup_id", SetupId::parse)?,
        made_by: record.parse_opt("made_by", Actor::parse)?,
        last_used_at: record.time_opt("last_used_at")?,
        created_at: record.time("created_at")?,
        expires_at: record.time("expires_at")?,
    })
}
