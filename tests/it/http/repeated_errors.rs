//! A failure that comes again and again does not fill the log.

use crate::database::DatabaseUrl;
use crate::it::support::app::{OPERATOR, TestApp, logs_of};
use crate::it::support::database::drop_postgres;
use crate::it::support::database_line::{Line, Proxy};
use crate::it::support::server_url;
use url::Url;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_same_cause_is_written_once_in_a_while_and_each_request_has_its_line() {
    let proxy = Proxy::start(Line::Up).await;
    let DatabaseUrl::Postgres(options) = &proxy.url else {
        panic!("not PostgreSQL");
    };
    let mut url = Url::parse(&server_url("SALLYPORT_TEST_POSTGRES_URL")).unwrap();
    url.set_host(Some("127.0.0.1")).unwrap();
    url.set_port(Some(options.get_port())).unwrap();
    url.set_path(options.get_database().unwrap());
    let app = TestApp::spawn_with(|options| {
        options.database_url = Some(url.into());
        options.master_key = Some("AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=".into());
    })
    .await;
    app.get("/v1/workspaces", OPERATOR).await.expect(200);
    proxy.set(Line::Cut);
    let (mut errors, mut answered) = (0, 0);
    for _ in 0..40 {
        let answer = app.get("/v1/workspaces", OPERATOR).await;
        assert_eq!(answer.status, 503, "{answer:?}");
        for line in logs_of(answer.header("x-request-id").unwrap()) {
            errors += usize::from(line["level"] == "ERROR");
            answered += usize::from(line["fields"]["message"] == "answered");
        }
    }
    assert_eq!(answered, 40);
    // One for each way in which a line that was cut shows itself.
    assert!((1..10).contains(&errors), "{errors}");
    proxy.set(Line::Up);
    app.stop().await.unwrap();
    drop_postgres(&proxy.direct).await;
}
