//! Tokens that sign somebody in or out once.

use crate::application::kept::store::{SecretHash, SignInStore, UsedToken};
use crate::application::kept::vault::sha256;
use crate::database::Database;
use crate::domain::ids::{SessionId, WorkspaceId};
use crate::domain::people::sign_in::{
    EndedAtIssuer, IssuerLogout, IssuerSession, Session, WayBack,
};
use crate::domain::people::workspace::Role;
use crate::it::database::contract::samples::*;
use crate::it::support::database::{TestDb, on_both_engines};
use time::{Duration, OffsetDateTime};

on_both_engines!(
    a_token_begins_one_session_however_many_come_at_once,
    a_session_of_no_workspace_uses_nothing_up,
    an_issuer_ends_its_own_sessions_alone,
    used_tokens_are_remembered_until_they_are_pruned,
);

fn hash(text: &str) -> SecretHash {
    sha256(text.as_bytes())
}

fn token(id: &str) -> UsedToken {
    UsedToken {
        hash: hash(id),
        expires_at: now() + Duration::MINUTE,
    }
}

fn session(workspace: &WorkspaceId) -> Session {
    Session {
        id: SessionId::generate(),
        workspace: workspace.clone(),
        role: Role::Member,
        way_back: WayBack::default(),
        subject: None,
        link: None,
        made_by: None,
        created_at: now(),
        seen_at: now(),
        expires_at: now() + Duration::HOUR,
    }
}

fn issued(issuer: &str, subject: &str, session: Option<&str>) -> IssuerSession {
    IssuerSession {
        issuer: issuer.to_owned(),
        subject: subject.to_owned(),
        session: session.map(str::to_owned),
    }
}

async fn a_token_begins_one_session_however_many_come_at_once(db: TestDb) {
    let workspace = workspace(&db.database).await;
    // As another replica does.
    let other = Database::connect(&db.url).await.unwrap();
    for round in 0..5 {
        let token = token(&format!("token {round}"));
        let mut tries = Vec::new();
        for number in 0..8 {
            let database = if number % 2 == 0 {
                &db.database
            } else {
                &other
            };
            let (database, token) = (database.clone(), token.clone());
            let session = session(&workspace.id);
            tries.push(tokio::spawn(async move {
                let secret = hash(session.id.as_str());
                database
                    .begin_session_by_token(&token, &session, &secret, None)
                    .await
            }));
        }
        let mut begun = 0;
        for tried in tries {
            begun += usize::from(tried.await.unwrap().unwrap());
        }
        assert_eq!(begun, 1);
    }
    let listed = db.database.list_sessions(&workspace.id, &all()).await;
    assert_eq!(listed.unwrap().len(), 5);
    other.close().await;
}

async fn a_session_of_no_workspace_uses_nothing_up(db: TestDb) {
    let database = &db.database;
    let absent = session(&WorkspaceId::generate());
    let failed = database
        .begin_session_by_token(&token("a"), &absent, &hash("secret"), None)
        .await;
    assert!(failed.is_err());
    let workspace = workspace(database).await;
    let begun = database
        .begin_session_by_token(&token("a"), &session(&workspace.id), &hash("secret"), None)
        .await;
    assert_eq!(begun, Ok(true));
}

async fn an_issuer_ends_its_own_sessions_alone(db: TestDb) {
    let database = &db.database;
    let (one, two) = (workspace(database).await, workspace(database).await);
    let begin = async |name: &str, workspace: &WorkspaceId, issued: Option<&IssuerSession>| {
        let begun = database
            .begin_session_by_token(&token(name), &session(workspace), &hash(name), issued)
            .await;
        assert_eq!(begun, Ok(true));
    };
    begin("1", &one.id, Some(&issued("i", "ada", Some("s1")))).await;
    begin("2", &two.id, Some(&issued("i", "ada", Some("s1")))).await;
    begin("3", &one.id, Some(&issued("i", "ada", Some("s2")))).await;
    begin("4", &one.id, Some(&issued("i", "bob", None))).await;
    begin("5", &one.id, Some(&issued("j", "ada", Some("s1")))).await;
    begin("6", &one.id, None).await;
    let end = async |id: &str, of: EndedAtIssuer| {
        let logout = IssuerLogout {
            issuer: "i".to_owned(),
            of,
        };
        database.end_sessions_of_issuer(&token(id), &logout).await
    };
    let left = async || {
        let mut left = Vec::new();
        for name in ["1", "2", "3", "4", "5", "6"] {
            if database
                .session_by_hash(&hash(name))
                .await
                .unwrap()
                .is_some()
            {
                left.push(name);
            }
        }
        left
    };
    let of_session = || EndedAtIssuer::Session("s1".to_owned());
    assert_eq!(end("out 1", of_session()).await, Ok(Some(2)));
    assert_eq!(left().await, ["3", "4", "5", "6"]);
    // The same token again does nothing, whatever it says.
    let of_bob = || EndedAtIssuer::Subject("bob".to_owned());
    assert_eq!(end("out 1", of_bob()).await, Ok(None));
    assert_eq!(left().await, ["3", "4", "5", "6"]);
    assert_eq!(end("out 2", of_bob()).await, Ok(Some(1)));
    let of_ada = EndedAtIssuer::Subject("ada".to_owned());
    assert_eq!(end("out 3", of_ada).await, Ok(Some(1)));
    assert_eq!(left().await, ["5", "6"]);
}

async fn used_tokens_are_remembered_until_they_are_pruned(db: TestDb) {
    let database = &db.database;
    let workspace = workspace(database).await;
    let use_up = async |name: &str, expires_at: OffsetDateTime| {
        let token = UsedToken {
            hash: hash("the same"),
            expires_at,
        };
        database
            .begin_session_by_token(&token, &session(&workspace.id), &hash(name), None)
            .await
    };
    let end = now();
    assert_eq!(use_up("1", end).await, Ok(true));
    database.prune_sign_ins(end).await.unwrap();
    assert_eq!(use_up("2", end).await, Ok(false));
    database
        .prune_sign_ins(end + Duration::SECOND)
        .await
        .unwrap();
    assert_eq!(use_up("3", end).await, Ok(true));
}
