//! Two roles of PostgreSQL, as `docs/operations.md` makes them: one owns the tables, and the service has the other.

use crate::application::kept::store::StoreError;
use crate::database::{Database, DatabaseUrl, SchemaChanges};
use crate::it::support::app::{OPERATOR, TestApp};
use crate::it::support::database::{drop_postgres, empty_postgres};
use crate::it::support::server_url;
use serde_json::json;
use sqlx::postgres::PgConnectOptions;
use sqlx::{AssertSqlSafe, ConnectOptions};
use url::Url;

const DOCUMENT: &str = include_str!("../../../docs/operations.md");

/// A database with the document's roles under names of their own, because roles belong to the whole server.
struct Place {
    superuser: PgConnectOptions,
    mark: String,
}

impl Place {
    async fn new() -> Self {
        let DatabaseUrl::Postgres(superuser) = empty_postgres().await else {
            panic!("not PostgreSQL");
        };
        Self {
            superuser: *superuser,
            mark: uuid::Uuid::new_v4().simple().to_string(),
        }
    }

    fn role(&self, name: &str) -> String {
        format!("{name}_{}", self.mark)
    }

    /// A block of SQL of the document, by its number.
    fn block(&self, number: usize) -> String {
        let block = DOCUMENT.split("```sql\n").nth(number).unwrap();
        let (sql, _) = block.split_once("```").unwrap();
        sql.replace("sallyport_owner", &self.role("owner"))
            .replace("sallyport_service", &self.role("service"))
            .replace(
                "OWNED BY sallyport ",
                &format!("OWNED BY {} ", self.role("before")),
            )
    }

    async fn run(&self, sql: &str) {
        run(&self.superuser, sql).await.unwrap();
    }

    /// How this role signs in.
    fn of(&self, role: &str, password: &str) -> PgConnectOptions {
        let options = self.superuser.clone();
        options.username(&self.role(role)).password(password)
    }

    /// The service's URL, as its settings have it.
    fn url_of_the_service(&self) -> String {
        let mut url = Url::parse(&server_url("SALLYPORT_TEST_POSTGRES_URL")).unwrap();
        url.set_username(&self.role("service")).unwrap();
        url.set_password(Some("SERVICE-PASSWORD")).unwrap();
        url.set_path(self.superuser.get_database().unwrap());
        url.into()
    }

    async fn migrate_as(&self, role: &str, password: &str) -> Result<Vec<i64>, StoreError> {
        let options = Box::new(self.of(role, password));
        Database::migrate(&DatabaseUrl::Postgres(options)).await
    }

    async fn serve(&self) -> TestApp {
        let url = self.url_of_the_service();
        TestApp::spawn_with(|options| {
            options.database_url = Some(url);
            options.migrate = Some("off".into());
            // No AWS is asked.
            options.service_principal = Some("arn:aws:iam::111111111111:root".into());
            options.master_key = Some("AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=".into());
        })
        .await
    }

    async fn end(self, roles: &[&str]) {
        let elsewhere = self.superuser.clone().database("postgres");
        drop_postgres(&DatabaseUrl::Postgres(Box::new(self.superuser.clone()))).await;
        for role in roles {
            let drop = format!("DROP ROLE {}", self.role(role));
            run(&elsewhere, &drop).await.unwrap();
        }
    }
}

async fn run(options: &PgConnectOptions, sql: &str) -> Result<(), sqlx::Error> {
    let mut raw = options.connect().await?;
    let done = sqlx::raw_sql(AssertSqlSafe(sql)).execute(&mut raw).await;
    done.map(drop)
}

/// The service does its work as this role, and cannot do away with what protects the audit log.
async fn serves_and_owns_nothing(place: &Place) {
    let app = place.serve().await;
    let workspace = app.workspace().await;
    let setup = app
        .post(
            "/v1/storage-setups",
            &workspace.admin,
            &json!({"bucket": "acme-data"}),
        )
        .await;
    setup.expect(201);
    let log = app.get("/v1/audit-events", OPERATOR).await.expect(200);
    assert!(log["audit_events"].as_array().unwrap().len() >= 3, "{log}");
    let events = app.get("/v1/events", &workspace.admin).await;
    assert_eq!(events.status, 200, "{events:?}");
    let service = place.of("service", "SERVICE-PASSWORD");
    for (sql, refusal) in [
        (
            "DROP TRIGGER audit_log_no_delete ON audit_log",
            "must be owner",
        ),
        ("ALTER TABLE audit_log DISABLE TRIGGER ALL", "must be owner"),
        ("DROP TABLE audit_log", "must be owner"),
        ("TRUNCATE audit_log", "permission denied"),
        ("CREATE TABLE more (id BIGINT)", "permission denied"),
        (
            "SET session_replication_role = replica",
            "permission denied",
        ),
        // The triggers themselves hold.
        ("UPDATE audit_log SET action = 'nothing'", "can only grow"),
    ] {
        let refused = run(&service, sql).await.unwrap_err().to_string();
        assert!(refused.contains(refusal), "{sql}: {refused}");
    }
    app.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_service_serves_with_a_role_that_owns_nothing() {
    let place = Place::new().await;
    place.run(&place.block(1)).await;
    // It does not start on a database without tables, whether it may make them or not.
    let service = DatabaseUrl::Postgres(Box::new(place.of("service", "SERVICE-PASSWORD")));
    for changes in [SchemaChanges::Refused, SchemaChanges::Made] {
        let Err(StoreError::Failed(why)) = Database::connect_with(&service, changes).await else {
            panic!("{changes:?}");
        };
        assert!(why.contains("older than this release"), "{why}");
        assert!(why.contains("sallyport migrate"), "{why}");
    }
    let applied = place.migrate_as("owner", "OWNER-PASSWORD").await.unwrap();
    assert_eq!(applied.first(), Some(&1));
    let again = place.migrate_as("owner", "OWNER-PASSWORD").await;
    assert_eq!(again, Ok(Vec::new()));
    serves_and_owns_nothing(&place).await;
    place.end(&["service", "owner"]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_one_role_owned_is_handed_over() {
    let place = Place::new().await;
    let before = place.role("before");
    place
        .run(&format!(
            "CREATE ROLE {before} LOGIN PASSWORD 'BEFORE-PASSWORD';
             GRANT USAGE, CREATE ON SCHEMA public TO {before}"
        ))
        .await;
    place.migrate_as("before", "BEFORE-PASSWORD").await.unwrap();
    place.run(&place.block(1)).await;
    place.run(&place.block(2)).await;
    let nothing = place.migrate_as("owner", "OWNER-PASSWORD").await;
    assert_eq!(nothing, Ok(Vec::new()));
    serves_and_owns_nothing(&place).await;
    place.end(&["service", "owner", "before"]).await;
}
