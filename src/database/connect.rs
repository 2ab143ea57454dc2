//! How the database is opened and closed, and what may change meanwhile.

use crate::application::kept::store::{StoreError, StoreResult};
use crate::database::changes::Looks;
use crate::database::engine::Pool;
use crate::database::memory::Memory;
use crate::database::memory::watch::Watch;
use crate::database::migrations::SchemaChanges;
use crate::database::pooler::Pooler;
use crate::database::reach::Reach;
use crate::database::together::Together;
use crate::database::url::DatabaseUrl;
use crate::database::{AnotherDatabase, Database, READY_LIMIT, errors, migrations, open};
use std::sync::Arc;

impl Database {
    /// Opens the database and brings its schema up to date, unless `changes` forbids it.
    ///
    /// A PostgreSQL server that cannot be reached is no error: the calls fail with
    /// [`StoreError::Unavailable`] until it can, and the first that reaches it brings the schema up to
    /// date. A SQLite file is made when it is absent, and its folder too.
    pub async fn connect_with(url: &DatabaseUrl, changes: SchemaChanges) -> StoreResult<Self> {
        Self::connect_through(url, Pooler::None, changes).await
    }

    /// The same, by way of a pooler. The schema cannot be changed through one that shares sessions.
    pub async fn connect_through(
        url: &DatabaseUrl,
        pooler: Pooler,
        changes: SchemaChanges,
    ) -> StoreResult<Self> {
        Self::refuse_absent(url, changes)?;
        Self::over(open::open(url, pooler).await?, url, changes).await
    }

    /// Fails where a SQLite file would have to be made and `changes` forbids it. Makes nothing itself.
    pub fn refuse_absent(url: &DatabaseUrl, changes: SchemaChanges) -> StoreResult<()> {
        match (url, changes) {
            (DatabaseUrl::Sqlite(path), SchemaChanges::Refused) if !path.exists() => {
                Err(StoreError::Failed(format!(
                    "the SQLite database `{}` does not exist, and SALLYPORT_MIGRATE is `off`. Look at SALLYPORT_DATA_DIR and SALLYPORT_DATABASE_URL. `sallyport migrate` makes a new one. Nothing was made",
                    path.display()
                )))
            }
            (DatabaseUrl::Sqlite(_) | DatabaseUrl::Postgres(_), _) => Ok(()),
        }
    }

    /// The same, and the schema may be changed.
    #[cfg(test)]
    pub async fn connect(url: &DatabaseUrl) -> StoreResult<Self> {
        Self::connect_with(url, SchemaChanges::Made).await
    }

    /// Brings the schema up to date, and gives the numbers of the migrations that were missing. A server that
    /// cannot be reached is an error here.
    pub async fn migrate(url: &DatabaseUrl) -> StoreResult<Vec<i64>> {
        let pool = open::open(url, Pooler::None).await?;
        let reach = Reach::of(&pool);
        let missing = reach.guard(migrations::missing(&pool)).await?;
        let done = migrations::run(&pool, SchemaChanges::Made).await;
        pool.close().await;
        done.map(|()| missing)
    }

    /// A SQLite database that is in no file and ends with this value.
    pub async fn in_memory() -> StoreResult<Self> {
        let pool = open::in_memory().await?;
        let url = DatabaseUrl::sqlite_file(std::path::Path::new(":memory:"));
        Self::over(pool, &url, SchemaChanges::Made).await
    }

    /// A SQLite file of so many pages at most, as on a disk that is full.
    #[cfg(test)]
    pub async fn connect_within(path: &std::path::Path, pages: u32) -> StoreResult<Self> {
        let pool = open::sqlite(path, Some(pages)).await?;
        let url = DatabaseUrl::sqlite_file(path);
        Self::over(pool, &url, SchemaChanges::Made).await
    }

    async fn over(pool: Pool, url: &DatabaseUrl, changes: SchemaChanges) -> StoreResult<Self> {
        let memory = Memory::default();
        let looks = open::apart(&pool);
        let database = Self {
            reach: Reach::of(&pool),
            watch: Watch::new(&memory, Arc::new(Looks::by(&looks, &memory))),
            together: Together::new(),
            looks,
            memory,
            pool,
            changes,
            schema: Arc::default(),
            is_ready: Arc::default(),
            swept_setups: Arc::default(),
        };
        // A file has nobody else to wait for: a start waits for as long as its schema takes.
        let limit = match url {
            DatabaseUrl::Sqlite(_) => migrations::LIMIT,
            DatabaseUrl::Postgres(_) => READY_LIMIT,
        };
        match (database.ready_within(limit).await, url) {
            // No wait helps: the settings, those of a pooler, or the server's certificate must change.
            (Err(StoreError::Unavailable(why)), _) if errors::is_lasting(&why) => {
                return Err(StoreError::Failed(why));
            }
            (Err(error @ StoreError::Unavailable(_)), DatabaseUrl::Postgres(_)) => {
                tracing::warn!(%error, database = %url, "starting without the database");
            }
            (result, _) => result?,
        }
        Ok(database)
    }

    /// Ends the connections after what runs on them.
    pub async fn close(&self) {
        self.looks.close().await;
        self.pool.close().await;
    }

    /// Has new connections made with what this URL says: another user or password, or another file with
    /// authorities. Connections that are open stay.
    pub fn sign_in_with(&self, url: &DatabaseUrl) -> Result<(), AnotherDatabase> {
        match (&self.pool, url) {
            // A file has nobody who signs in.
            (Pool::Sqlite { .. }, DatabaseUrl::Sqlite(_)) => Ok(()),
            (Pool::Postgres { lane, pooler }, DatabaseUrl::Postgres(options)) => {
                let present = lane.options();
                if present.get_host() != options.get_host()
                    || present.get_port() != options.get_port()
                    || present.get_socket() != options.get_socket()
                    || present.get_database() != options.get_database()
                {
                    return Err(AnotherDatabase);
                }
                lane.set_options(open::tuned(options, *pooler));
                if let Pool::Postgres { lane, .. } = &self.looks {
                    lane.set_options(open::tuned(options, *pooler));
                }
                Ok(())
            }
            (Pool::Sqlite { .. }, DatabaseUrl::Postgres(_))
            | (Pool::Postgres { .. }, DatabaseUrl::Sqlite(_)) => Err(AnotherDatabase),
        }
    }
}
