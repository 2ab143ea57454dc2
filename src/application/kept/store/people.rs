//! Workspaces, their tokens, and how people come to the pages.

use crate::application::kept::store::error::StoreResult;
use crate::application::kept::store::idempotency::KeptAnswer;
use crate::application::kept::store::values::{SecretHash, Window};
use crate::domain::ids::{InstructionLinkId, SessionId, SetupId, StorageRef, TokenId, WorkspaceId};
use crate::domain::people::sign_in::{
    InstructionLink, IssuerLogout, IssuerSession, Session, SignInLink, UsedLink,
};
use crate::domain::people::standing::{Standing, StandingChange};
use crate::domain::people::workspace::{ApiToken, Workspace, WorkspaceExternalId};
use async_trait::async_trait;
use std::collections::HashMap;
use time::OffsetDateTime;

/// How much a workspace had when it was deleted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct WorkspaceContents {
    pub tokens: u64,
    pub sessions: u64,
    pub storage_setups: u64,
    pub storages: u64,
    pub projects: u64,
    /// The files that the projects name. They stay in their buckets.
    pub project_files: u64,
    /// Sign-in links that were not used, and links for AWS administrators.
    pub links: u64,
    pub webhooks: u64,
    pub events: u64,
    /// Answers that were kept for `Idempotency-Key`.
    pub kept_answers: u64,
    /// Days of which it was counted what was used.
    pub usage_days: u64,
}

/// What came of erasing a workspace.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ErasedWorkspace {
    /// What was deleted. All zero where the workspace had been deleted before.
    pub contents: WorkspaceContents,
    /// Entries of the audit log that lost what named a person.
    pub audit_entries: u64,
    /// Names of files that entries of the audit log lost.
    pub audit_files: u64,
}

/// A token, and how its workspace stands at the moment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HeldToken {
    pub token: ApiToken,
    pub standing: Standing,
}

#[async_trait]
pub trait WorkspaceStore: Send + Sync {
    /// `Conflict` when another workspace has the external ID.
    async fn create_workspace(
        &self,
        workspace: &Workspace,
        answer: Option<&KeptAnswer>,
    ) -> StoreResult<()>;
    async fn workspace(&self, id: &WorkspaceId) -> StoreResult<Option<Workspace>>;
    async fn workspace_by_external_id(
        &self,
        id: &WorkspaceExternalId,
    ) -> StoreResult<Option<Workspace>>;
    /// The same as this process knows it, from memory where it can be: what another process has changed within the last
    /// second may be missing. For what decides whether and where somebody may do something now, and never for what is
    /// shown, or changed after it was read.
    async fn known_workspace(&self, id: &WorkspaceId) -> StoreResult<Option<Workspace>>;
    /// The same by the external ID.
    async fn known_workspace_by_external_id(
        &self,
        id: &WorkspaceExternalId,
    ) -> StoreResult<Option<Workspace>>;
    /// Replaces the name, the external ID and the metadata, and of its standing what the change names. False when
    /// there is none; `Conflict` when another workspace has the external ID.
    async fn change_workspace(
        &self,
        workspace: &Workspace,
        standing: &StandingChange,
    ) -> StoreResult<bool>;
    async fn list_workspaces(&self, window: &Window) -> StoreResult<Vec<Workspace>>;
    /// Deletes the workspace and all that belongs to it, except its audit log and the record of the
    /// external IDs it used. False when there is none.
    async fn delete_workspace(&self, id: &WorkspaceId) -> StoreResult<bool>;
    /// The same with kept answers, and takes from the audit log what names a person: addresses, names, people of the
    /// product and files. Also for a workspace that was deleted before. One that breaks off is gone on with when it
    /// is called again. `None`: there is no such workspace, or it was erased.
    async fn erase_workspace(
        &self,
        id: &WorkspaceId,
        now: OffsetDateTime,
    ) -> StoreResult<Option<ErasedWorkspace>>;
    /// False when the workspace, or the storage within it, does not exist.
    async fn set_default_storage(
        &self,
        workspace: &WorkspaceId,
        storage: &StorageRef,
    ) -> StoreResult<bool>;

    /// `Conflict` when the workspace is gone.
    async fn create_token(
        &self,
        token: &ApiToken,
        hash: &SecretHash,
        answer: Option<&KeptAnswer>,
    ) -> StoreResult<()>;
    async fn list_tokens(
        &self,
        workspace: &WorkspaceId,
        window: &Window,
    ) -> StoreResult<Vec<ApiToken>>;
    /// The token with this hash, expired or not, as this process knows it: one that another process has revoked within
    /// the last second may still be found, with its workspace as it was then. `last_used_at` may be some minutes old.
    async fn token_by_hash(&self, hash: &SecretHash) -> StoreResult<Option<HeldToken>>;
    /// The same for several, in one statement; those that are there.
    async fn tokens_by_hashes(
        &self,
        hashes: &[SecretHash],
    ) -> StoreResult<HashMap<SecretHash, HeldToken>>;
    /// Removes it, with the links that were made with it and the sessions that came of them: from now on none of
    /// these opens anything. False when there is none.
    async fn revoke_token(&self, workspace: &WorkspaceId, id: &TokenId) -> StoreResult<bool>;
}

/// A signed token that signs somebody in, or out, once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UsedToken {
    /// Of what tells it from every other token: its issuer and its ID.
    pub hash: SecretHash,
    /// When it is not good any more. It is remembered at least until then.
    pub expires_at: OffsetDateTime,
}

/// How people come to the pages. A secret is known by its hash only.
#[async_trait]
pub trait SignInStore: Send + Sync {
    /// `Conflict` when the workspace is gone, or the token or key that it is made with.
    async fn create_sign_in_link(
        &self,
        link: &SignInLink,
        hash: &SecretHash,
        answer: Option<&KeptAnswer>,
    ) -> StoreResult<()>;
    /// The link with this hash, expired or not, if it was not used.
    async fn sign_in_link_by_hash(&self, hash: &SecretHash) -> StoreResult<Option<SignInLink>>;
    /// The link with this hash, if it was used.
    async fn used_sign_in_link(&self, hash: &SecretHash) -> StoreResult<Option<UsedLink>>;
    /// Writes down the setup that a used link has opened.
    async fn link_opened_setup(&self, hash: &SecretHash, setup: &SetupId) -> StoreResult<()>;
    /// In one transaction: uses the link up and begins the session, made by whatever made the link. False, and
    /// nothing is done, when the link is gone: nobody uses it twice.
    async fn begin_session(
        &self,
        link: &SecretHash,
        session: &Session,
        hash: &SecretHash,
    ) -> StoreResult<bool>;
    /// In one transaction: uses the token up and begins the session, which `issued` says who stands for. False, and
    /// nothing is done, when the token was used before, also on another replica. `Conflict` when the workspace is
    /// gone.
    async fn begin_session_by_token(
        &self,
        token: &UsedToken,
        session: &Session,
        hash: &SecretHash,
        issued: Option<&IssuerSession>,
    ) -> StoreResult<bool>;
    /// In one transaction: uses the token up and deletes the sessions that the issuer ends, in every workspace; how
    /// many there were. `None`, and nothing is done, when the token was used before.
    async fn end_sessions_of_issuer(
        &self,
        token: &UsedToken,
        ended: &IssuerLogout,
    ) -> StoreResult<Option<u64>>;
    /// The session with this hash, expired or not, as this process knows it: one that another process has ended within
    /// the last second may still be found.
    async fn session_by_hash(&self, hash: &SecretHash) -> StoreResult<Option<Session>>;
    async fn touch_session(&self, id: &SessionId, seen_at: OffsetDateTime) -> StoreResult<()>;
    /// Ends it at this time, where it would end later. It stays until it is forgotten, so that its
    /// pages can say where to sign in again.
    async fn expire_session(&self, id: &SessionId, at: OffsetDateTime) -> StoreResult<()>;
    /// Deletes it. False when there is none in the workspace.
    async fn end_session(&self, workspace: &WorkspaceId, id: &SessionId) -> StoreResult<bool>;
    /// Deletes all of the workspace's, and its sign-in links that were not used.
    async fn end_sessions(&self, workspace: &WorkspaceId) -> StoreResult<()>;
    async fn list_sessions(
        &self,
        workspace: &WorkspaceId,
        window: &Window,
    ) -> StoreResult<Vec<Session>>;
    /// Forgets what ended before `before`: used or expired links, used tokens, and expired sessions.
    async fn prune_sign_ins(&self, before: OffsetDateTime) -> StoreResult<()>;

    /// Replaces the setup's link, if there was one. `Conflict` when the setup is gone, or the token or key that it is
    /// made with, by itself or by way of a session.
    async fn put_instruction_link(
        &self,
        link: &InstructionLink,
        hash: &SecretHash,
        answer: Option<&KeptAnswer>,
    ) -> StoreResult<()>;
    /// Writes down that the link was opened.
    async fn touch_instruction_link(
        &self,
        id: &InstructionLinkId,
        at: OffsetDateTime,
    ) -> StoreResult<()>;
    async fn instruction_link_by_hash(
        &self,
        hash: &SecretHash,
    ) -> StoreResult<Option<InstructionLink>>;
    async fn instruction_link_of(
        &self,
        workspace: &WorkspaceId,
        setup: &SetupId,
    ) -> StoreResult<Option<InstructionLink>>;
    /// Revokes this link of the setup. False when the setup does not have it, or not any more.
    async fn revoke_instruction_link(
        &self,
        workspace: &WorkspaceId,
        setup: &SetupId,
        link: &InstructionLinkId,
    ) -> StoreResult<bool>;
}
