//! A fresh PostgreSQL database for each test.

use crate::it::support::server_url;
use sqlx::postgres::{PgConnectOptions, PgConnection};
use sqlx::{AssertSqlSafe, ConnectOptions, Executor};
use url::Url;
use uuid::Uuid;

/// Makes an empty database with a random name, and gives its address. It lives as long as the server,
/// which ends with the test run.
pub async fn fresh_database() -> String {
    let mut url = Url::parse(&server_url("SALLYPORT_TEST_POSTGRES_URL")).unwrap();
    let options = PgConnectOptions::from_url(&url).unwrap();
    let mut connection: PgConnection = options.connect().await.unwrap();
    let name = format!("test_{}", Uuid::new_v4().simple());
    let create = format!("CREATE DATABASE {name}");
    connection.execute(AssertSqlSafe(create)).await.unwrap();
    url.set_path(&name);
    url.into()
}

#[tokio::test]
async fn every_call_gives_another_empty_database() {
    let (first, second) = (fresh_database().await, fresh_database().await);
    assert_ne!(first, second);
    let connect = async |url: &str| {
        let options = PgConnectOptions::from_url(&Url::parse(url).unwrap()).unwrap();
        options.connect().await.unwrap()
    };
    connect(&first)
        .await
        .execute("CREATE TABLE only_here (id bigint)")
        .await
        .unwrap();
    let elsewhere = connect(&second)
        .await
        .execute("SELECT id FROM only_here")
        .await;
    assert!(elsewhere.is_err());
}
