//! Sign-in links, sessions, and links for AWS administrators.

use crate::application::kept::store::{
    KeptAnswer, SecretHash, SignInStore, StoreError, StoreResult, UsedToken, Window,
};
use crate::database::engine::{Tx, values};
use crate::database::idempotency::keep;
use crate::database::record::Record;
use crate::database::{Database, after};
use crate::domain::ids::{
    InstructionLinkId, KeyId, SessionId, SetupId, SignInLinkId, TokenId, WorkspaceId,
};
use crate::domain::names::Name;
use crate::domain::people::audit::Actor;
use crate::domain::people::sign_in::{
    Arrival, EndedAtIssuer, InstructionLink, IssuerLogout, IssuerSession, LinkMaker, Purpose,
    ReturnUrl, Session, SignInLink, UsedLink, WayBack,
};
use crate::domain::people::subject::{Subject, SubjectId};
use crate::domain::people::workspace::Role;
use async_trait::async_trait;
use time::OffsetDateTime;

pub(super) const SESSION_BY_HASH: &str =
    "SELECT id, workspace_id, role, return_url, refresh_url, embed, subject_id, subject_name,
         created_at, seen_at, expires_at, link_id, made_by_token, made_by_key
     FROM sessions WHERE hash = $1";

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
                 (id, workspace_id, hash, role, purpose, target, return_url, refresh_url, embed,
                  subject_id, subject_name, created_at, expires_at, made_by_token, made_by_key)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15)",
            values![
                link.id.as_str(),
                link.workspace.as_str(),
                hash.as_slice(),
                link.role.as_str(),
                link.arrival.purpose().as_str(),
                link.arrival.target(),
                link.way_back.return_url.as_ref().map(ReturnUrl::as_str),
                link.way_back.refresh_url.as_ref().map(ReturnUrl::as_str),
                i64::from(link.way_back.embed),
                subject_id(link.subject.as_ref()),
                subject_name(link.subject.as_ref()),
                link.created_at,
                link.expires_at,
                maker_token(link.made_by.as_ref()),
                maker_key(link.made_by.as_ref()),
            ],
        )
        .await?;
        keep(&mut tx, answer).await?;
        tx.commit().await
    }

    async fn sign_in_link_by_hash(&self, hash: &SecretHash) -> StoreResult<Option<SignInLink>> {
        self.fetch_record(
            "sign_in_links",
            "SELECT id, workspace_id, role, purpose, target, return_url, refresh_url, embed,
                    subject_id, subject_name, created_at, expires_at, made_by_token, made_by_key
             FROM sign_in_links WHERE hash = $1",
            values![hash.as_slice()],
            sign_in_link,
        )
        .await
    }

    async fn used_sign_in_link(&self, hash: &SecretHash) -> StoreResult<Option<UsedLink>> {
        self.fetch_record(
            "used_sign_in_links",
            "SELECT session_id AS id, purpose, target, return_url, refresh_url, embed
             FROM used_sign_in_links WHERE hash = $1",
            values![hash.as_slice()],
            used_link,
        )
        .await
    }

    async fn link_opened_setup(&self, hash: &SecretHash, setup: &SetupId) -> StoreResult<()> {
        self.execute(
            "UPDATE used_sign_in_links SET target = $2 WHERE hash = $1",
            values![hash.as_slice(), setup.as_str()],
        )
        .await
        .map(drop)
    }

    async fn begin_session(
        &self,
        link: &SecretHash,
        session: &Session,
        hash: &SecretHash,
    ) -> StoreResult<bool> {
        let mut tx = self.begin().await?;
        tx.execute(
            "INSERT INTO used_sign_in_links
                 (hash, workspace_id, session_id, purpose, target, return_url, refresh_url, embed,
                  expires_at)
             SELECT hash, workspace_id, $2, purpose, target, return_url, refresh_url, embed, expires_at
             FROM sign_in_links WHERE hash = $1
             ON CONFLICT (hash) DO NOTHING",
            values![link.as_slice(), session.id.as_str()],
        )
        .await?;
        // Before the link goes: this waits for whoever revokes its maker, who then takes the link with it. The other
        // way round each would wait for the other.
        let begun = insert_session(&mut tx, session, hash, None).await;
        match begun {
            Ok(()) => {}
            // The workspace, or the maker, is gone, and the link with it.
            Err(StoreError::Conflict(_)) => return Ok(false),
            Err(error) => return Err(error),
        }
        // Who deletes it has it. Otherwise nothing of this transaction stays.
        let taken = tx
            .execute(
                "DELETE FROM sign_in_links WHERE hash = $1",
                values![link.as_slice()],
            )
            .await?;
        if taken != 1 {
            return Ok(false);
        }
        tx.commit().await?;
        Ok(true)
    }

    async fn begin_session_by_token(
        &self,
        token: &UsedToken,
        session: &Session,
        hash: &SecretHash,
        issued: Option<&IssuerSession>,
    ) -> StoreResult<bool> {
        let mut tx = self.begin().await?;
        if !use_up(&mut tx, token).await? {
            return Ok(false);
        }
        insert_session(&mut tx, session, hash, issued).await?;
        tx.commit().await?;
        Ok(true)
    }

    async fn end_sessions_of_issuer(
        &self,
        token: &UsedToken,
        ended: &IssuerLogout,
    ) -> StoreResult<Option<u64>> {
        let mut tx = self.begin().await?;
        if !use_up(&mut tx, token).await? {
            return Ok(None);
        }
        let (sql, of) = match &ended.of {
            EndedAtIssuer::Session(id) => (
                "DELETE FROM sessions WHERE issuer = $1 AND issuer_session = $2",
                id,
            ),
            EndedAtIssuer::Subject(id) => (
                "DELETE FROM sessions WHERE issuer = $1 AND issuer_subject = $2",
                id,
            ),
        };
        let count = tx
            .execute(sql, values![ended.issuer.as_str(), of.as_str()])
            .await?;
        tx.commit().await?;
        Ok(Some(count))
    }

    async fn session_by_hash(&self, hash: &SecretHash) -> StoreResult<Option<Session>> {
        let read = || {
            let values = values![hash.as_slice()];
            self.fetch_record("sessions", SESSION_BY_HASH, values, session)
        };
        let room = &self.memory.rooms().sessions;
        self.memory.found(room, hash, read).await
    }

    async fn touch_session(&self, id: &SessionId, seen_at: OffsetDateTime) -> StoreResult<()> {
        self.execute(
            "UPDATE sessions SET seen_at = $2 WHERE id = $1",
            values![id.as_str(), seen_at],
        )
        .await
        .map(drop)
    }

    async fn expire_session(&self, id: &SessionId, at: OffsetDateTime) -> StoreResult<()> {
        self.execute(
            "UPDATE sessions SET expires_at = $2 WHERE id = $1 AND expires_at > $2",
            values![id.as_str(), at],
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

    async fn end_sessions(&self, workspace: &WorkspaceId) -> StoreResult<()> {
        let mut tx = self.begin().await?;
        // Links first: one that becomes a session meanwhile is among the sessions then.
        for sql in [
            "DELETE FROM sign_in_links WHERE workspace_id = $1",
            "DELETE FROM sessions WHERE workspace_id = $1",
        ] {
            tx.execute(sql, values![workspace.as_str()]).await?;
        }
        tx.commit().await
    }

    async fn list_sessions(
        &self,
        workspace: &WorkspaceId,
        window: &Window,
    ) -> StoreResult<Vec<Session>> {
        self.fetch_records(
            "sessions",
            "SELECT id, workspace_id, role, return_url, refresh_url, embed, subject_id, subject_name,
                    created_at, seen_at, expires_at, link_id, made_by_token, made_by_key
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
            "DELETE FROM used_sign_in_links WHERE expires_at < $1",
            values![before],
        )
        .await?;
        self.execute(
            "DELETE FROM used_tokens WHERE expires_at < $1",
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
        let maker = match &link.made_by {
            // What somebody makes who signed in by a link ends with whatever the link was made with.
            Some(Actor::Session(session)) => maker_of_session(&mut tx, session).await?,
            Some(actor) => LinkMaker::of(actor),
            None => None,
        };
        tx.execute(
            "INSERT INTO instruction_links
                 (setup_id, id, workspace_id, hash, created_at, expires_at, made_by, last_used_at,
                  made_by_token, made_by_key)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
             ON CONFLICT (setup_id) DO UPDATE SET
                 id = excluded.id, hash = excluded.hash,
                 created_at = excluded.created_at, expires_at = excluded.expires_at,
                 made_by = excluded.made_by, last_used_at = excluded.last_used_at,
                 made_by_token = excluded.made_by_token, made_by_key = excluded.made_by_key",
            values![
                link.setup.as_str(),
                link.id.as_str(),
                link.workspace.as_str(),
                hash.as_slice(),
                link.created_at,
                link.expires_at,
                link.made_by.as_ref().map(Actor::as_str),
                link.last_used_at,
                maker_token(maker.as_ref()),
                maker_key(maker.as_ref()),
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

/// Whether nobody has used the token before. Who comes at the same time waits here for the other's end.
async fn use_up(tx: &mut Tx, token: &UsedToken) -> StoreResult<bool> {
    let taken = tx
        .execute(
            "INSERT INTO used_tokens (hash, expires_at) VALUES ($1, $2) ON CONFLICT (hash) DO NOTHING",
            values![token.hash.as_slice(), token.expires_at],
        )
        .await?;
    Ok(taken == 1)
}

async fn insert_session(
    tx: &mut Tx,
    session: &Session,
    hash: &SecretHash,
    issued: Option<&IssuerSession>,
) -> StoreResult<()> {
    tx.execute(
        "INSERT INTO sessions
             (id, workspace_id, hash, role, return_url, refresh_url, embed, subject_id, subject_name,
              created_at, seen_at, expires_at, issuer, issuer_subject, issuer_session,
              made_by_token, made_by_key, link_id)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18)",
        values![
            session.id.as_str(),
            session.workspace.as_str(),
            hash.as_slice(),
            session.role.as_str(),
            session.way_back.return_url.as_ref().map(ReturnUrl::as_str),
            session.way_back.refresh_url.as_ref().map(ReturnUrl::as_str),
            i64::from(session.way_back.embed),
            subject_id(session.subject.as_ref()),
            subject_name(session.subject.as_ref()),
            session.created_at,
            session.seen_at,
            session.expires_at,
            issued.map(|issued| issued.issuer.as_str()),
            issued.map(|issued| issued.subject.as_str()),
            issued.and_then(|issued| issued.session.as_deref()),
            maker_token(session.made_by.as_ref()),
            maker_key(session.made_by.as_ref()),
            session.link.as_ref().map(SignInLinkId::as_str),
        ],
    )
    .await
    .map(drop)
}

fn maker_token(maker: Option<&LinkMaker>) -> Option<&str> {
    maker.and_then(LinkMaker::token).map(TokenId::as_str)
}

fn maker_key(maker: Option<&LinkMaker>) -> Option<&str> {
    maker.and_then(LinkMaker::key).map(KeyId::as_str)
}

/// Reads what [`maker_token`] and [`maker_key`] wrote.
fn maker(record: &Record) -> StoreResult<Option<LinkMaker>> {
    let token = record.parse_opt("made_by_token", TokenId::parse)?;
    let key = record.parse_opt("made_by_key", KeyId::parse)?;
    Ok(token.map(LinkMaker::Token).or(key.map(LinkMaker::Key)))
}

async fn maker_of_session(tx: &mut Tx, session: &SessionId) -> StoreResult<Option<LinkMaker>> {
    let row = tx
        .fetch_optional(
            "SELECT id, made_by_token, made_by_key FROM sessions WHERE id = $1",
            values![session.as_str()],
        )
        .await?;
    match row {
        Some(row) => maker(&Record::new("sessions", row)?),
        None => Err(StoreError::Conflict("the session has ended".to_owned())),
    }
}

fn sign_in_link(record: &Record) -> StoreResult<SignInLink> {
    Ok(SignInLink {
        id: record.parse("id", SignInLinkId::parse)?,
        workspace: record.parse("workspace_id", WorkspaceId::parse)?,
        role: record.parse("role", Role::parse)?,
        arrival: arrival(record)?,
        way_back: way_back(record)?,
        subject: subject(record)?,
        made_by: maker(record)?,
        created_at: record.time("created_at")?,
        expires_at: record.time("expires_at")?,
    })
}

fn used_link(record: &Record) -> StoreResult<UsedLink> {
    Ok(UsedLink {
        session: record.parse("id", SessionId::parse)?,
        arrival: arrival(record)?,
        way_back: way_back(record)?,
    })
}

fn arrival(record: &Record) -> StoreResult<Arrival> {
    let purpose = record.parse("purpose", Purpose::parse)?;
    let target = record.text_opt("target")?;
    Arrival::of(purpose, target.as_deref()).map_err(|invalid| record.damaged("target", invalid))
}

fn way_back(record: &Record) -> StoreResult<WayBack> {
    Ok(WayBack {
        return_url: record.parse_opt("return_url", ReturnUrl::parse)?,
        refresh_url: record.parse_opt("refresh_url", ReturnUrl::parse)?,
        embed: record.int("embed")? != 0,
    })
}

fn subject(record: &Record) -> StoreResult<Option<Subject>> {
    let Some(id) = record.parse_opt("subject_id", SubjectId::parse)? else {
        return Ok(None);
    };
    let name = record.parse_opt("subject_name", Name::parse)?;
    Ok(Some(Subject { id, name }))
}

fn subject_id(subject: Option<&Subject>) -> Option<&str> {
    subject.map(|subject| subject.id.as_str())
}

fn subject_name(subject: Option<&Subject>) -> Option<&str> {
    subject?.name.as_ref().map(Name::as_str)
}

fn session(record: &Record) -> StoreResult<Session> {
    Ok(Session {
        id: record.parse("id", SessionId::parse)?,
        workspace: record.parse("workspace_id", WorkspaceId::parse)?,
        role: record.parse("role", Role::parse)?,
        way_back: way_back(record)?,
        subject: subject(record)?,
        link: record.parse_opt("link_id", SignInLinkId::parse)?,
        made_by: maker(record)?,
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
