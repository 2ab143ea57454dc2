//! PostgreSQL by TLS: only a server that proves its name is used.

use crate::application::kept::store::{Store, StoreError};
use crate::database::{Database, DatabaseTls, DatabaseUrl};
use crate::it::support::server_url;
use sqlx::{AssertSqlSafe, ConnectOptions, Row};
use std::io::Write;

/// The tests' server, with these parameters.
fn server(parameters: &str) -> DatabaseUrl {
    let url = server_url("SALLYPORT_TEST_POSTGRES_URL");
    let (plain, _) = url.split_once('?').unwrap();
    DatabaseUrl::parse(&format!("{plain}?{parameters}"), DatabaseTls::Verified).unwrap()
}

fn authority() -> String {
    server_url("SALLYPORT_TEST_POSTGRES_AUTHORITY")
}

async fn refused(url: &DatabaseUrl) -> String {
    match Database::connect(url).await {
        Err(StoreError::Failed(why)) => why,
        Err(other) => panic!("{other}"),
        Ok(_) => panic!("connected"),
    }
}

#[tokio::test]
async fn a_server_that_proves_its_name_is_used() {
    let url = server(&format!("sslmode=verify-full&sslrootcert={}", authority()));
    let database = Database::connect(&url).await.unwrap();
    assert_eq!(database.ping().await, Ok(()));
    database.close().await;
    let DatabaseUrl::Postgres(options) = &url else {
        panic!("not PostgreSQL");
    };
    let mut raw = options.connect().await.unwrap();
    let sql = "SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()";
    let row = sqlx::raw_sql(AssertSqlSafe(sql)).fetch_one(&mut raw).await;
    assert!(row.unwrap().get::<bool, _>("ssl"));
}

#[tokio::test]
async fn a_server_of_another_authority_stops_the_start() {
    // Another authority: one that signed nothing of this server.
    let mut other = tempfile::NamedTempFile::new().unwrap();
    other.write_all(STRANGER.as_bytes()).unwrap();
    let stranger = format!("sslrootcert={}", other.path().display());
    for roots in ["", &stranger] {
        let url = server(&format!("sslmode=verify-full&{roots}"));
        let why = refused(&url).await;
        assert!(why.contains("is not trusted"), "{why}");
        assert!(why.contains("sslrootcert"), "{why}");
    }
}

#[tokio::test]
async fn a_certificate_for_another_name_stops_the_start() {
    // The certificate is for the address only.
    let url = server(&format!(
        "sslmode=verify-full&sslrootcert={}&host=localhost",
        authority()
    ));
    let why = refused(&url).await;
    assert!(why.contains("is not trusted"), "{why}");
}

/// The certificate of an authority whose key nobody has.
const STRANGER: &str = "\
-----BEGIN CERTIFICATE-----\n\
MIIBfTCCASOgAwIBAgIUTeACgQpro57zEMnRFOPVXCHL3E0wCgYIKoZIzj0EAwIw\n\
EzERMA8GA1UEAwwIc3RyYW5nZXIwIBcNMjYxMTI1MTgzMzE5WhgPMjEyNjExMDEx\n\
ODMzMTlaMBMxETAPBgNVBAMMCHN0cmFuZ2VyMFkwEwYHKoZIzj0CAQYIKoZIzj0D\n\
AQcDQgAEbFFZD7xRGm547HIam54nuczCgSlB81z/mfL7P/Jlh0S2bUrlXat6IXk8\n\
kph51qwLRoOGyTw7hyb4yk24xWuWPKNTMFEwHQYDVR0OBBYEFKlf/94JFmGDZZRD\n\
9V9k532zy/zWMB8GA1UdIwQYMBaAFKlf/94JFmGDZZRD9V9k532zy/zWMA8GA1Ud\n\
EwEB/wQFMAMBAf8wCgYIKoZIzj0EAwIDSAAwRQIhAO9RQFQ6HwTyO3NnKXLpxf1q\n\
Vmu8jxKxpHLeVyipPzVZAiAtNjK6EETp3mzLKZh/p6qPuiouAPERQiUEH8S76RbK\n\
Jg==\n\
-----END CERTIFICATE-----\n\n";
