//! A fresh database for each test, on either engine.

use crate::database::{Database, DatabaseUrl};
use sqlx::postgres::PgConnectOptions;
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{AssertSqlSafe, ConnectOptions, Connection, PgConnection, Row};
use std::future::Future;
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::str::FromStr;
use std::sync::Arc;
use tempfile::TempDir;
use tokio::sync::OnceCell;

/// A connected database, and a way around it.
#[derive(Clone)]
pub struct TestDb {
    pub database: Database,
    pub url: DatabaseUrl,
    /// Holds the SQLite file.
    _folder: Option<Arc<TempDir>>,
}

impl TestDb {
    pub async fn sqlite() -> Self {
        let folder = TempDir::new().unwrap();
        let path = folder.path().join("new folder/test.db");
        ready_sqlite(&path).await;
        let url = DatabaseUrl::sqlite_file(&path);
        Self {
            database: Database::connect(&url).await.unwrap(),
            url,
            _folder: Some(Arc::new(folder)),
        }
    }

    pub async fn postgres() -> Self {
        let url = ready_postgres().await;
        Self {
            database: Database::connect(&url).await.unwrap(),
            url,
            _folder: None,
        }
    }

    /// Runs a test on the database, which is removed afterwards, also when the test fails.
    pub async fn run<F>(self, test: impl FnOnce(TestDb) -> F)
    where
        F: Future<Output = ()> + Send + 'static,
    {
        let result = tokio::spawn(test(self.clone())).await;
        self.database.close().await;
        if let DatabaseUrl::Postgres(_) = &self.url {
            drop_postgres(&self.url).await;
        }
        if let Err(failure) = result {
            std::panic::resume_unwind(failure.into_panic());
        }
    }

    pub fn is_postgres(&self) -> bool {
        matches!(self.url, DatabaseUrl::Postgres(_))
    }

    /// Runs SQL behind the back of the service, without foreign keys, as a damaged disk or a careless
    /// operator would.
    pub async fn tamper(&self, sql: &str) -> Result<(), sqlx::Error> {
        match &self.url {
            DatabaseUrl::Sqlite(path) => {
                let mut raw = SqliteConnectOptions::new()
                    .filename(path)
                    .foreign_keys(false)
                    .connect()
                    .await?;
                sqlx::raw_sql(AssertSqlSafe(sql)).execute(&mut raw).await?;
            }
            DatabaseUrl::Postgres(options) => {
                let mut raw = options.connect().await?;
                sqlx::raw_sql("SET session_replication_role = replica")
                    .execute(&mut raw)
                    .await?;
                sqlx::raw_sql(AssertSqlSafe(sql)).execute(&mut raw).await?;
            }
        }
        Ok(())
    }

    /// A text column of the last of several statements, on PostgreSQL.
    pub async fn raw_texts(&self, sql: &str, column: &str) -> Vec<String> {
        let DatabaseUrl::Postgres(options) = &self.url else {
            panic!("only on PostgreSQL");
        };
        let mut raw = options.connect().await.unwrap();
        let rows = sqlx::raw_sql(AssertSqlSafe(sql))
            .fetch_all(&mut raw)
            .await
            .unwrap();
        rows.iter().map(|row| row.get(column)).collect()
    }

    /// A text column of a query's rows.
    pub async fn texts(&self, sql: &str, column: &str) -> Vec<String> {
        let sql = AssertSqlSafe(sql);
        match &self.url {
            DatabaseUrl::Sqlite(path) => {
                let options = SqliteConnectOptions::new().filename(path);
                let mut raw = options.connect().await.unwrap();
                let rows = sqlx::query(sql).fetch_all(&mut raw).await.unwrap();
                rows.iter().map(|row| row.get(column)).collect()
            }
            DatabaseUrl::Postgres(options) => {
                let mut raw = options.connect().await.unwrap();
                let rows = sqlx::query(sql).fetch_all(&mut raw).await.unwrap();
                rows.iter().map(|row| row.get(column)).collect()
            }
        }
    }
}

/// The server that the tests use: a superuser's URL.
fn server() -> PgConnectOptions {
    let url = std::env::var("SALLYPORT_TEST_POSTGRES_URL").expect(
        "SALLYPORT_TEST_POSTGRES_URL is not set: `make test` starts a PostgreSQL server and sets it",
    );
    PgConnectOptions::from_str(&url).unwrap()
}

async fn maintenance() -> PgConnection {
    PgConnection::connect_with(&server()).await.unwrap()
}

/// A new database without tables.
pub async fn empty_postgres() -> DatabaseUrl {
    new_postgres("").await
}

/// A new database with the schema of today. To copy one takes a part of the time that all migrations take; those have
/// tests of their own.
pub async fn ready_postgres() -> DatabaseUrl {
    static TEMPLATE: OnceCell<String> = OnceCell::const_new();
    let template = TEMPLATE
        .get_or_init(async || {
            let url = empty_postgres().await;
            Database::migrate(&url).await.unwrap();
            match &url {
                DatabaseUrl::Postgres(options) => options.get_database().unwrap().to_owned(),
                DatabaseUrl::Sqlite(_) => unreachable!("it is PostgreSQL's"),
            }
        })
        .await;
    new_postgres(&format!("TEMPLATE {template}")).await
}

async fn new_postgres(options: &str) -> DatabaseUrl {
    let name = format!("test_{}", uuid::Uuid::new_v4().simple());
    let create = format!("CREATE DATABASE {name} {options}");
    sqlx::query(AssertSqlSafe(create))
        .execute(&mut maintenance().await)
        .await
        .unwrap();
    DatabaseUrl::Postgres(Box::new(server().database(&name)))
}

/// The same in a SQLite file, as the service itself would have made it.
pub async fn ready_sqlite(path: &Path) {
    static TEMPLATE: OnceCell<Vec<u8>> = OnceCell::const_new();
    let template = TEMPLATE
        .get_or_init(async || {
            let folder = TempDir::new().unwrap();
            let path = folder.path().join("template.db");
            let url = DatabaseUrl::sqlite_file(&path);
            Database::migrate(&url).await.unwrap();
            std::fs::read(&path).unwrap()
        })
        .await;
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    let mut file = std::fs::OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(path)
        .unwrap();
    file.write_all(template).unwrap();
}

pub async fn drop_postgres(url: &DatabaseUrl) {
    if let DatabaseUrl::Postgres(options) = url {
        let name = options.get_database().unwrap();
        sqlx::query(AssertSqlSafe(format!("DROP DATABASE {name} WITH (FORCE)")))
            .execute(&mut maintenance().await)
            .await
            .unwrap();
    }
}

/// Makes two tests of each function: on SQLite and on PostgreSQL.
macro_rules! on_both_engines {
    ($($name:ident),* $(,)?) => {
        mod sqlite {
            $(
                #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
                async fn $name() {
                    let db = $crate::it::support::database::TestDb::sqlite().await;
                    db.run(super::$name).await;
                }
            )*
        }
        mod postgres {
            $(
                #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
                async fn $name() {
                    let db = $crate::it::support::database::TestDb::postgres().await;
                    db.run(super::$name).await;
                }
            )*
        }
    };
}
pub(crate) use on_both_engines;
