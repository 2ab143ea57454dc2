//! What is answered from memory is what the database has: at once in the process that made a change, and within a
//! second in others.

use crate::application::kept::store::{
    CheckStore, CheckTarget, HeldToken, OriginStore, PendingCheck, PendingStore, ProductKeyStore,
    SecretHash, SignInStore, StorageDeletion, StorageStore, Store, StoreError, UsedToken,
    WorkspaceStore,
};
use crate::database::{Database, DatabaseUrl};
use crate::domain::cause::entry::Bearing;
use crate::domain::check::{StepName, StepStatus};
use crate::domain::connection::bucket_prefix::BucketPrefix;
use crate::domain::ids::{KeyId, SessionId, StorageRef, TokenId, WorkspaceId};
use crate::domain::origin::OriginPattern;
use crate::domain::people::product_key::ProductKey;
use crate::domain::people::reach::Bounds;
use crate::domain::people::scope::{Scope, Scopes};
use crate::domain::people::sign_in::{Session, WayBack};
use crate::domain::people::standing::{NewState, StandingChange, Suspension};
use crate::domain::people::workspace::{ApiToken, Role, Workspace, WorkspaceExternalId};
use crate::domain::storage::Storage;
use crate::it::database::contract::samples::*;
use crate::it::support::aws::wire::eventually;
use crate::it::support::database::{TestDb, drop_postgres, on_both_engines};
use crate::it::support::database_line::{Line, Proxy};
use sqlx::postgres::{PgListener, PgPoolOptions};
use sqlx::{AssertSqlSafe, ConnectOptions};
use std::time::{Duration, Instant};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

on_both_engines!(
    what_is_known_is_not_asked_again,
    what_this_process_changes_is_known_at_once,
    what_another_process_changes_is_known_within_a_second,
    without_the_feed_every_call_asks,
    a_storage_is_known_to_its_workspace_alone,
    notes_of_changes_are_removed_after_their_time,
);

const TOKEN: SecretHash = [1; 32];
const KEY: SecretHash = [2; 32];
const SESSION: SecretHash = [3; 32];
const OPERATOR: &str = "operator_token_hash";

/// Longer than what another process has changed may be unknown.
const A_SECOND: Duration = Duration::from_millis(1_100);

/// A process that reads the changes.
struct Process {
    database: Database,
    stop: CancellationToken,
    feed: Option<JoinHandle<()>>,
}

impl Process {
    async fn on(url: &DatabaseUrl) -> Self {
        let database = Database::connect(url).await.unwrap();
        let stop = CancellationToken::new();
        let feed = tokio::spawn(database.clone().follow_changes(stop.clone()));
        Self {
            database,
            stop,
            feed: Some(feed),
        }
    }

    fn taken(&self) -> u64 {
        self.database.memory_counts().taken
    }

    /// Until nothing that is known of the subject is asked for.
    async fn warm(&self, of: &Subject) {
        let start = Instant::now();
        loop {
            known(&self.database, of).await;
            let before = self.taken();
            known(&self.database, of).await;
            if self.taken() == before {
                return;
            }
            assert!(
                start.elapsed() < Duration::from_secs(20),
                "it goes on asking"
            );
            tokio::time::sleep(Duration::from_millis(30)).await;
        }
    }

    async fn stop_feed(&mut self) {
        self.stop.cancel();
        if let Some(feed) = self.feed.take() {
            feed.await.unwrap();
        }
    }

    async fn end(mut self) {
        self.stop_feed().await;
        self.database.close().await;
    }
}

struct Subject {
    workspace: Workspace,
    external_id: WorkspaceExternalId,
    token: ApiToken,
    key: ProductKey,
    session: Session,
    storage: Storage,
}

fn origins(text: &str) -> Vec<OriginPattern> {
    vec![OriginPattern::parse(text).unwrap()]
}

/// A workspace with one of each.
async fn subject(db: &Database) -> Subject {
    let external_id = WorkspaceExternalId::parse("customer-1").unwrap();
    let workspace = Workspace {
        external_id: Some(external_id.clone()),
        ..new_workspace()
    };
    db.create_workspace(&workspace, None).await.unwrap();
    let token = ApiToken {
        id: TokenId::generate(),
        workspace: workspace.id.clone(),
        name: name("ci"),
        role: Role::Admin,
        bounds: Bounds::default(),
        created_at: now(),
        expires_at: None,
        last_used_at: None,
    };
    db.create_token(&token, &TOKEN, None).await.unwrap();
    let key = ProductKey {
        id: KeyId::generate(),
        name: name("web tier"),
        scopes: Scopes::new([Scope::LinksCreate]).unwrap(),
        created_at: now(),
        expires_at: None,
        last_used_at: None,
    };
    db.create_product_key(&key, &KEY, None).await.unwrap();
    let session = Session {
        id: SessionId::generate(),
        workspace: workspace.id.clone(),
        role: Role::Member,
        way_back: WayBack::default(),
        subject: None,
        link: None,
        made_by: None,
        created_at: now(),
        seen_at: now(),
        expires_at: now() + time::Duration::HOUR,
    };
    let used = UsedToken {
        hash: [4; 32],
        expires_at: now() + time::Duration::HOUR,
    };
    let begun = db.begin_session_by_token(&used, &session, &SESSION, None);
    assert_eq!(begun.await, Ok(true));
    let storage = storage(db, &workspace.id).await;
    let own = StorageRef::Own(storage.id.clone());
    let set = db.set_default_storage(&workspace.id, &own).await;
    assert_eq!(set, Ok(true));
    let allowed = origins("https://a.example.com");
    let set = db.set_workspace_origins(&workspace.id, &allowed).await;
    assert_eq!(set, Ok(true));
    db.replace_remembered(OPERATOR, &[5; 32]).await.unwrap();
    Subject {
        workspace,
        external_id,
        token,
        key,
        session,
        storage,
    }
}

/// All that may be answered from memory.
#[derive(Debug, PartialEq)]
struct Known {
    token: Option<HeldToken>,
    key: Option<ProductKey>,
    session: Option<Session>,
    workspace: Option<Workspace>,
    by_external_id: Option<Workspace>,
    storage: Option<Storage>,
    origins: Vec<OriginPattern>,
    operator: Vec<(String, Vec<u8>)>,
}

async fn known(db: &Database, of: &Subject) -> Known {
    let id = &of.workspace.id;
    let by_external_id = db.known_workspace_by_external_id(&of.external_id);
    Known {
        token: db.token_by_hash(&TOKEN).await.unwrap(),
        key: db.product_key_by_hash(&KEY).await.unwrap(),
        session: db.session_by_hash(&SESSION).await.unwrap(),
        workspace: db.known_workspace(id).await.unwrap(),
        by_external_id: by_external_id.await.unwrap(),
        storage: db.known_storage(id, &of.storage.id).await.unwrap(),
        origins: db.known_origins(id).await.unwrap(),
        operator: db.known_remembered(OPERATOR).await.unwrap(),
    }
}

#[derive(Debug, Clone, Copy)]
enum Change {
    Names,
    Suspension,
    Limits,
    Origins,
    Default,
    Use,
    Connection,
    Quarantine,
    Operator,
    EndSession,
    RevokeToken,
    DeleteKey,
    DeleteStorage,
    Erase,
}

/// Those after which everything is still there.
const CHANGES: [Change; 9] = [
    Change::Names,
    Change::Suspension,
    Change::Limits,
    Change::Origins,
    Change::Default,
    Change::Use,
    Change::Connection,
    Change::Quarantine,
    Change::Operator,
];

const ENDS: [Change; 4] = [
    Change::EndSession,
    Change::RevokeToken,
    Change::DeleteKey,
    Change::DeleteStorage,
];

async fn change_standing(db: &Database, of: &Subject, standing: StandingChange) {
    let changed = db.change_workspace(&of.workspace, &standing).await;
    assert_eq!(changed, Ok(true));
}

async fn make(change: Change, db: &Database, of: &Subject) {
    let (id, storage) = (&of.workspace.id, &of.storage.id);
    match change {
        Change::Names => {
            let changed = Workspace {
                name: name("Renamed"),
                external_id: Some(WorkspaceExternalId::parse("customer-2").unwrap()),
                ..of.workspace.clone()
            };
            let standing = StandingChange::default();
            let changed = db.change_workspace(&changed, &standing).await;
            assert_eq!(changed, Ok(true));
        }
        Change::Suspension => {
            let suspension = Suspension {
                since: now(),
                reason: None,
            };
            let standing = StandingChange {
                state: Some(NewState::Suspend(suspension)),
                ..StandingChange::default()
            };
            change_standing(db, of, standing).await;
        }
        Change::Limits => {
            let standing = StandingChange {
                requests_per_minute: Some(Some(7)),
                ..StandingChange::default()
            };
            change_standing(db, of, standing).await;
        }
        Change::Origins => {
            let set = db.set_workspace_origins(id, &[]).await;
            assert_eq!(set, Ok(true));
        }
        Change::Default => {
            let set = db.set_default_storage(id, &StorageRef::BuiltIn).await;
            assert_eq!(set, Ok(true));
        }
        Change::Use => {
            let seen = now() + time::Duration::MINUTE;
            db.touch_session(&of.session.id, seen).await.unwrap();
        }
        Change::Connection => {
            let mut changed = of.storage.connection.clone();
            changed.settings.prefix = BucketPrefix::parse("elsewhere").unwrap();
            let put = put(&changed);
            let done = db.change_storage(id, storage, seen(1, None), &put).await;
            assert_eq!(done, Ok(true));
            let report = report(storage.as_str(), 2, StepStatus::Passed);
            let checked = db
                .record_pending_check(id, storage, &report, &changed)
                .await;
            assert!(matches!(checked, Ok(PendingCheck::InUse(_))), "{checked:?}");
        }
        Change::Quarantine => {
            let before = reload(db, &of.storage).await;
            let mut report = failed_report(
                storage.as_str(),
                before.revision,
                StepName::RefusesMissingExternalId,
                "open",
                Bearing::OpenToOthers,
            );
            report.started_at = now() + time::Duration::MINUTE;
            let target = CheckTarget::Storage(storage.clone());
            db.record_check(id, &target, &report).await.unwrap();
            assert!(reload(db, &of.storage).await.quarantine.is_some());
        }
        Change::Operator => db.replace_remembered(OPERATOR, &[6; 32]).await.unwrap(),
        Change::EndSession => {
            let ended = db.end_session(id, &of.session.id).await;
            assert_eq!(ended, Ok(true));
        }
        Change::RevokeToken => {
            assert_eq!(db.revoke_token(id, &of.token.id).await, Ok(true));
        }
        Change::DeleteKey => {
            assert_eq!(db.delete_product_key(&of.key.id).await, Ok(true));
        }
        Change::DeleteStorage => {
            let deleted = db.delete_storage(id, storage, None, None).await;
            assert_eq!(deleted, Ok(StorageDeletion::Deleted));
        }
        Change::Erase => {
            assert!(db.erase_workspace(id, now()).await.unwrap().is_some());
        }
    }
}

async fn what_is_known_is_not_asked_again(db: TestDb) {
    let process = Process::on(&db.url).await;
    let of = subject(&process.database).await;
    process.warm(&of).await;
    let found = process.database.memory_counts().found;
    assert!(found >= 8, "{found}");
    let all = [TOKEN, [9; 32]];
    let together = process.database.tokens_by_hashes(&all).await.unwrap();
    assert_eq!(together.len(), 1);
    assert_eq!(together[&TOKEN].token, of.token);
    // Without a feed every call asks.
    let before = db.database.memory_counts().taken;
    known(&db.database, &of).await;
    known(&db.database, &of).await;
    assert_eq!(db.database.memory_counts().taken, before + 16);
    process.end().await;
}

async fn what_this_process_changes_is_known_at_once(db: TestDb) {
    let process = Process::on(&db.url).await;
    let of = subject(&process.database).await;
    process.warm(&of).await;
    let all = CHANGES.iter().chain(&ENDS).chain([&Change::Erase]);
    for change in all {
        let before = known(&process.database, &of).await;
        make(*change, &process.database, &of).await;
        let after = known(&process.database, &of).await;
        assert_ne!(after, before, "{change:?}");
        assert_eq!(after, known(&db.database, &of).await, "{change:?}");
    }
    process.end().await;
}

async fn what_another_process_changes_is_known_within_a_second(db: TestDb) {
    let process = Process::on(&db.url).await;
    let of = subject(&db.database).await;
    process.warm(&of).await;
    for changes in [&CHANGES[..], &ENDS, &[Change::Erase]] {
        let before = known(&process.database, &of).await;
        for change in changes {
            make(*change, &db.database, &of).await;
        }
        tokio::time::sleep(A_SECOND).await;
        let after = known(&process.database, &of).await;
        assert_ne!(after, before, "{changes:?}");
        assert_eq!(after, known(&db.database, &of).await, "{changes:?}");
    }
    process.end().await;
}

async fn without_the_feed_every_call_asks(db: TestDb) {
    let mut process = Process::on(&db.url).await;
    let of = subject(&db.database).await;
    process.warm(&of).await;
    process.stop_feed().await;
    tokio::time::sleep(A_SECOND).await;
    make(Change::RevokeToken, &db.database, &of).await;
    let found = process.database.token_by_hash(&TOKEN).await;
    assert_eq!(found, Ok(None));
    process.end().await;
}

async fn a_storage_is_known_to_its_workspace_alone(db: TestDb) {
    let process = Process::on(&db.url).await;
    let of = subject(&process.database).await;
    process.warm(&of).await;
    for other in [workspace(&db.database).await.id, WorkspaceId::generate()] {
        let found = process.database.known_storage(&other, &of.storage.id).await;
        assert_eq!(found, Ok(None));
    }
    process.end().await;
}

async fn notes_of_changes_are_removed_after_their_time(db: TestDb) {
    use crate::application::kept::store::{Expired, RetentionStore};
    workspace(&db.database).await;
    let count = async || {
        let rows = "SELECT CAST(COUNT(*) AS TEXT) AS number FROM changes";
        db.texts(rows, "number").await.remove(0)
    };
    let database = &db.database;
    let early = now() - time::Duration::HOUR;
    let removed = database.remove_expired(Expired::Changes, early, 10).await;
    assert_eq!((removed, count().await.as_str()), (Ok(0), "1"));
    let late = now() + time::Duration::MINUTE;
    let removed = database.remove_expired(Expired::Changes, late, 10).await;
    assert_eq!((removed, count().await.as_str()), (Ok(1), "0"));
}

/// Has PostgreSQL announce nothing, as by way of a pooler that shares connections.
async fn announce_nothing(db: &TestDb) {
    db.tamper(
        "CREATE OR REPLACE FUNCTION note_scope(changed TEXT) RETURNS void LANGUAGE plpgsql AS $$
         BEGIN
             INSERT INTO changes (scope, changed_at, xid)
             VALUES (changed, 1, CAST(CAST(pg_current_xact_id() AS TEXT) AS BIGINT));
         END;
         $$",
    )
    .await
    .unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_depends_on_announcements() {
    let db = TestDb::postgres().await;
    db.run(|db| async move {
        announce_nothing(&db).await;
        what_another_process_changes_is_known_within_a_second(db).await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn changes_are_announced_when_they_are_committed() {
    let db = TestDb::postgres().await;
    db.run(|db| async move {
        let DatabaseUrl::Postgres(options) = &db.url else {
            panic!("it is PostgreSQL");
        };
        let pool = PgPoolOptions::new()
            .max_connections(1)
            .connect_lazy_with(options.as_ref().clone());
        let mut listener = PgListener::connect_with(&pool).await.unwrap();
        listener.listen("sallyport_changes").await.unwrap();
        let made = workspace(&db.database).await;
        let heard = tokio::time::timeout(Duration::from_secs(10), listener.recv());
        let heard = heard.await.unwrap().unwrap();
        assert_eq!(heard.payload(), made.id.as_str());
    })
    .await;
}

/// The transaction began first and has the smaller numbers.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_change_that_is_committed_late_is_not_missed() {
    let db = TestDb::postgres().await;
    db.run(|db| async move {
        announce_nothing(&db).await;
        let process = Process::on(&db.url).await;
        let of = subject(&db.database).await;
        process.warm(&of).await;
        let DatabaseUrl::Postgres(options) = &db.url else {
            panic!("it is PostgreSQL");
        };
        let mut early = options.connect().await.unwrap();
        let mut run = async |sql: String| {
            let sql = sqlx::raw_sql(AssertSqlSafe(sql));
            sql.execute(&mut early).await.unwrap();
        };
        run("BEGIN".to_owned()).await;
        let id = &of.workspace.id;
        run(format!(
            "UPDATE workspaces SET name = 'Late' WHERE id = '{id}'"
        ))
        .await;
        // Another one is committed meanwhile, and its change is read.
        for _ in 0..3 {
            workspace(&db.database).await;
        }
        tokio::time::sleep(A_SECOND).await;
        process.warm(&of).await;
        run("COMMIT".to_owned()).await;
        tokio::time::sleep(A_SECOND).await;
        let found = process.database.known_workspace(id).await.unwrap();
        assert_eq!(found.unwrap().name.as_str(), "Late");
        process.end().await;
    })
    .await;
}

/// It may be of another program, in another database of the server.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_transaction_that_runs_long_has_nothing_read_again() {
    let db = TestDb::postgres().await;
    db.run(|db| async move {
        let process = Process::on(&db.url).await;
        let of = subject(&db.database).await;
        let DatabaseUrl::Postgres(options) = &db.url else {
            panic!("it is PostgreSQL");
        };
        let mut long = options.connect().await.unwrap();
        sqlx::raw_sql("BEGIN; SELECT pg_current_xact_id()")
            .execute(&mut long)
            .await
            .unwrap();
        // More changes than one reading takes come after it.
        db.tamper(
            "INSERT INTO changes (scope, changed_at, xid)
             SELECT 'wrk_' || n, 1, CAST(CAST(pg_current_xact_id() AS TEXT) AS BIGINT)
             FROM generate_series(1, 6000) n",
        )
        .await
        .unwrap();
        tokio::time::sleep(A_SECOND).await;
        let mut is_quiet = false;
        // A machine that stands still for a moment lets the lease end.
        for _ in 0..5 {
            process.warm(&of).await;
            let before = process.taken();
            tokio::time::sleep(A_SECOND).await;
            known(&process.database, &of).await;
            is_quiet = is_quiet || process.taken() == before;
        }
        assert!(is_quiet, "everything is read again at each reading");
        sqlx::raw_sql("ROLLBACK").execute(&mut long).await.unwrap();
        process.end().await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_process_that_is_cut_off_uses_nothing_from_memory_after_a_second() {
    for away in [Line::Cut, Line::Silent] {
        let proxy = Proxy::start(Line::Up).await;
        let other = Database::connect(&proxy.direct).await.unwrap();
        let of = subject(&other).await;
        let process = Process::on(&proxy.url).await;
        process.warm(&of).await;
        proxy.set(away);
        make(Change::RevokeToken, &other, &of).await;
        tokio::time::sleep(A_SECOND).await;
        let found = process.database.token_by_hash(&TOKEN).await;
        assert!(
            matches!(found, Err(StoreError::Unavailable(_))),
            "{found:?}"
        );
        proxy.set(Line::Up);
        eventually("it is back", async || {
            process.database.token_by_hash(&TOKEN).await == Ok(None)
        })
        .await;
        process.end().await;
        other.close().await;
        drop_postgres(&proxy.direct).await;
    }
}
