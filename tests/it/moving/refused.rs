//! What is not the file as it was written is refused, and nothing of it is stored. Files are stored one after the other.

use crate::database::DatabaseUrl;
use crate::it::keys::{key, secret, with};
use crate::it::moving::kit::{delete, exported, has_parts, import, is_there};
use crate::it::support::app::{OPERATOR, TestApp};
use crate::it::support::database::{TestDb, on_both_engines};
use crate::it::support::raw;
use sqlx::{ConnectOptions, Connection};
use std::time::Duration;
use tokio::net::TcpStream;

on_both_engines!(a_file_that_is_not_whole_or_not_as_it_was_stores_nothing);

fn text(lines: &[&str]) -> String {
    lines.iter().map(|line| format!("{line}\n")).collect()
}

/// The line with another letter in its middle.
fn changed(line: &str) -> String {
    let at = line.len() / 2;
    let other = match &line[at..=at] {
        "A" => "B",
        _ => "A",
    };
    format!("{}{other}{}", &line[..at], &line[at + 1..])
}

async fn a_file_that_is_not_whole_or_not_as_it_was_stores_nothing(db: TestDb) {
    let key = key();
    let app = TestApp::spawn_with(with(&db, &key, "")).await;
    let workspace = app.workspace().await;
    let dialog = secret();
    let setup = app.post("/v1/storage-setups", &workspace.admin, &dialog);
    setup.await.expect(201);
    let file = exported(&app, &workspace.id, "").await;
    delete(&app, &workspace.id).await;
    let lines: Vec<&str> = file.lines().collect();
    let last = lines.len() - 1;
    assert!(last >= 4, "{file}");

    let mut cases: Vec<(String, &str)> = vec![
        (String::new(), "export_malformed"),
        ("\n\n".to_owned(), "export_malformed"),
        ("hello\n".to_owned(), "export_malformed"),
        ("{}\n".to_owned(), "export_malformed"),
        ("[[[[\n".to_owned(), "export_malformed"),
        ("\u{0}PK\u{3}\u{4}".to_owned(), "export_malformed"),
        ("x".repeat(100 << 10), "export_malformed"),
        (text(&lines[1..]), "export_malformed"),
    ];
    // Cut off after each line, and within the last one.
    for end in 1..=last {
        cases.push((text(&lines[..end]), "export_incomplete"));
    }
    let cut = &file[..file.len() - 10];
    cases.push((cut.to_owned(), "export_incomplete"));
    // Left out, twice, and in another order.
    for at in 1..last {
        let mut some = lines.clone();
        some.remove(at);
        cases.push((text(&some), "export_altered"));
        let mut some = lines.clone();
        some.insert(at, lines[at]);
        cases.push((text(&some), "export_altered"));
    }
    let mut some = lines.clone();
    some.swap(1, 2);
    cases.push((text(&some), "export_altered"));
    cases.push((format!("{file}{}\n", lines[1]), "export_altered"));
    cases.push((format!("{file}more"), "export_altered"));
    // One letter.
    for at in 1..=last {
        let other = changed(lines[at]);
        let mut some = lines.clone();
        some[at] = &other;
        cases.push((text(&some), "export_altered"));
    }
    // Another first line.
    let headers = [
        (
            "\"sallyport-workspace/1\"",
            "\"sallyport-workspace/9\"",
            "export_other_version",
        ),
        (
            "\"migrations\":[1,",
            "\"migrations\":[",
            "export_other_version",
        ),
        ("\"key\":\"", "\"key\":\"0", "export_key_needed"),
        ("\"master_key\"", "\"transfer_key\"", "export_key_needed"),
        ("\"master_key\"", "\"nothing\"", "export_malformed"),
        (
            "\"workspace_id\":\"wrk_",
            "\"workspace_id\":\"",
            "export_malformed",
        ),
        (
            "\"exported_at\":\"2",
            "\"exported_at\":\"3",
            "export_altered",
        ),
        ("{\"format\"", "{ \"format\"", "export_altered"),
    ];
    for (from, to, code) in headers {
        let header = lines[0].replacen(from, to, 1);
        assert_ne!(header, lines[0], "{from}");
        let mut some = lines.clone();
        some[0] = &header;
        cases.push((text(&some), code));
    }
    for (case, code) in cases {
        let shown: String = case.chars().take(200).collect();
        let answer = import(&app, case, "").await;
        assert_eq!(answer.status, 422, "{shown}: {answer:?}");
        assert_eq!(answer.problem(422, code)["code"], code, "{shown}");
    }

    // Larger than any file is, as its head says.
    let mut stream = TcpStream::connect(app.address).await.unwrap();
    let head = format!(
        "POST /v1/import HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {OPERATOR}\r\ncontent-length: 99999999999999\r\nconnection: close\r\n\r\n"
    );
    let answer = raw::exchange(&mut stream, head.as_bytes(), Duration::from_secs(20)).await;
    let answer = answer.unwrap();
    assert_eq!(answer.status, 413, "{answer:?}");

    assert!(!is_there(&app, &workspace.id).await);
    assert!(!has_parts(&db).await);
    let names = "SELECT id FROM setups";
    assert!(db.texts(names, "id").await.is_empty());

    // Two at once: one of them stores it.
    let (one, other) = tokio::join!(
        import(&app, file.clone(), ""),
        import(&app, file.clone(), "")
    );
    let mut statuses = [one.status.as_u16(), other.status.as_u16()];
    statuses.sort_unstable();
    assert_eq!(statuses[0], 201, "{one:?} {other:?}");
    assert!(matches!(statuses[1], 409 | 429), "{one:?} {other:?}");
    assert!(is_there(&app, &workspace.id).await);
    assert!(!has_parts(&db).await);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_file_is_taken_when_the_one_before_is_stored() {
    let db = TestDb::postgres().await;
    db.run(|db| async move {
        let app = TestApp::spawn_with(with(&db, &key(), "")).await;
        let workspace = app.workspace().await;
        let file = exported(&app, &workspace.id, "").await;
        delete(&app, &workspace.id).await;
        let DatabaseUrl::Postgres(options) = &db.url else {
            panic!("not PostgreSQL");
        };
        let mut other = options.connect().await.unwrap();
        let mut locked = other.begin().await.unwrap();
        sqlx::query("LOCK TABLE workspaces IN SHARE ROW EXCLUSIVE MODE")
            .execute(&mut *locked)
            .await
            .unwrap();
        let storing = {
            let app = &app;
            let file = file.clone();
            async move { import(app, file, "").await }
        };
        let second = async {
            // The first has come as a whole, and waits to be written.
            let waiting = "SELECT CAST(COUNT(*) AS TEXT) AS number FROM pg_stat_activity
                           WHERE datname = current_database() AND wait_event_type = 'Lock'";
            for _ in 0..100 {
                if db.texts(waiting, "number").await != ["0"] {
                    break;
                }
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
            let refused = import(&app, file.clone(), "").await;
            locked.rollback().await.unwrap();
            refused
        };
        let (stored, refused) = tokio::join!(storing, second);
        refused.problem(429, "too_many_moves");
        stored.expect(201);
        assert!(is_there(&app, &workspace.id).await);
    })
    .await;
}
