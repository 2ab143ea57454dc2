//! Backups, copies, locks and a lost master key, by the real program.

use crate::{OPERATOR, Service, program, read_until, run, text};
use std::fs;
use std::path::Path;
use std::process::{Output, Stdio};

fn operator() -> [(&'static str, &'static str); 1] {
    [("SALLYPORT_OPERATOR_TOKEN", OPERATOR)]
}

fn path_text(path: &Path) -> String {
    path.to_str().unwrap().to_owned()
}

/// What a command that must fail said.
#[track_caller]
fn refused(output: &Output) -> String {
    let said = text(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{said}");
    said
}

/// What a command that must pass said.
#[track_caller]
fn passed(output: &Output) -> String {
    assert!(output.status.success(), "{}", text(&output.stderr));
    text(&output.stdout)
}

#[test]
fn a_second_process_on_a_sqlite_file_is_refused_and_told_which_one_has_it() {
    let folder = tempfile::tempdir().unwrap();
    let data = path_text(folder.path());
    let service = Service::start_with(&data, &operator());
    let first = format!("the process {}, `sallyport serve`", service.child.id());
    let serve = ["serve", "--listen", "127.0.0.1:0", "--data-dir", &data];
    let said = refused(&run(&serve));
    assert!(
        said.contains(&first) && said.contains("PostgreSQL"),
        "{said}"
    );

    let from = format!("sqlite://{data}/sallyport.db");
    let to = format!("sqlite://{data}/other.db");
    let copy = ["copy-database", "--from", &from, "--to", &to];
    let said = refused(&run(&copy));
    assert!(said.contains(&first), "{said}");
    let replace = ["keys", "replace", "--lost", "--yes", "--data-dir", &data];
    let said = refused(&run(&replace));
    assert!(said.contains(&first), "{said}");

    // The first one goes on, and the file is free when it ends.
    let answer = service.ask("GET", "/v1/workspaces", "");
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    service.stop();
    let said = passed(&run(&copy));
    assert!(
        said.contains("copied, and counted in both databases"),
        "{said}"
    );
    assert!(Path::new(&format!("{data}/other.db")).exists());
}

#[test]
fn a_backup_of_a_running_service_is_looked_at_and_restored() {
    let folder = tempfile::tempdir().unwrap();
    let data = path_text(folder.path());
    let mut service = Service::start_with(&data, &operator());
    let made = service.ask("POST", "/v1/workspaces", r#"{"name": "Before"}"#);
    assert!(made.starts_with("HTTP/1.1 201"), "{made}");
    let copies = tempfile::tempdir().unwrap();
    let copy = path_text(&copies.path().join("copy.db"));
    let said = passed(&run(&["backup", &copy, "--data-dir", &data]));
    assert!(said.contains("The copy is whole"), "{said}");
    let again = refused(&run(&["backup", &copy, "--data-dir", &data]));
    assert!(again.contains("is there already"), "{again}");
    service.signal("-KILL");
    service.child.wait().unwrap();

    let check = ["restore", "--check", &copy, "--data-dir", &data];
    let said = passed(&run(&check));
    assert!(
        said.contains("The service can go on with this copy"),
        "{said}"
    );
    assert!(said.contains("1  workspaces"), "{said}");
    let other_key = program(&check)
        .env(
            "SALLYPORT_MASTER_KEY",
            "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=",
        )
        .output()
        .unwrap();
    assert_eq!(other_key.status.code(), Some(1));
    let said = text(&other_key.stdout);
    assert!(said.contains("does not open it"), "{said}");
    // A look makes no key.
    let elsewhere = tempfile::tempdir().unwrap();
    let there = path_text(elsewhere.path());
    let no_key = run(&["restore", "--check", &copy, "--data-dir", &there]);
    assert_eq!(no_key.status.code(), Some(1));
    assert_eq!(fs::read_dir(elsewhere.path()).unwrap().count(), 0);
    refused(&run(&[
        "restore",
        "--check",
        "/nowhere/copy.db",
        "--data-dir",
        &data,
    ]));

    fs::copy(&copy, elsewhere.path().join("sallyport.db")).unwrap();
    let key = folder.path().join("master.key");
    fs::copy(key, elsewhere.path().join("master.key")).unwrap();
    let restored = Service::start_with(&there, &operator());
    let answer = restored.ask("GET", "/v1/workspaces", "");
    assert!(answer.contains("\"Before\""), "{answer}");
    restored.stop();
}

#[test]
fn for_postgresql_the_command_says_what_to_run() {
    let url = "postgres://me:hush@db.example/sallyport";
    let output = run(&["backup", "today.dump", "--database-url", url]);
    refused(&output);
    let said = text(&output.stdout);
    for part in [
        "pg_dump --format=custom --no-owner --no-privileges --file='today.dump'",
        "host=db.example port=5432 user=me dbname=sallyport sslmode=verify-full",
        "pg_restore",
    ] {
        assert!(said.contains(part), "{said}");
    }
    assert!(!said.contains("hush"), "{said}");
}

#[test]
fn a_lost_master_key_is_replaced_and_the_refusal_names_how() {
    let folder = tempfile::tempdir().unwrap();
    let data = path_text(folder.path());
    Service::start_with(&data, &operator()).stop();
    let key = folder.path().join("master.key");
    fs::remove_file(&key).unwrap();
    let serve = ["serve", "--listen", "127.0.0.1:0", "--data-dir", &data];
    let said = refused(&run(&serve));
    assert!(said.contains("sallyport keys replace --lost"), "{said}");
    assert!(!key.exists(), "a refused start makes no key");
    let said = refused(&run(&["rekey", "--data-dir", &data]));
    assert!(said.contains("is not there"), "{said}");
    assert!(!key.exists());

    let replace = ["keys", "replace", "--lost", "--data-dir", &data];
    let asked = program(&replace).stdin(Stdio::null()).output().unwrap();
    let said = refused(&asked);
    assert!(said.contains("--yes"), "{said}");
    let told = text(&asked.stdout);
    for part in [
        "secrets of storages",
        "secrets of webhooks",
        "external IDs stay",
    ] {
        assert!(told.contains(part), "{told}");
    }
    passed(&run(&[
        "keys",
        "replace",
        "--lost",
        "--yes",
        "--data-dir",
        &data,
    ]));
    let again = refused(&run(&[
        "keys",
        "replace",
        "--lost",
        "--yes",
        "--data-dir",
        &data,
    ]));
    assert!(again.contains("is not lost"), "{again}");

    let service = Service::start_with(&data, &operator());
    let log = service.ask("GET", "/v1/audit-events", "");
    assert!(log.contains("replace_lost_master_key"), "{log}");
    service.stop();
}

#[test]
fn a_key_beside_the_database_and_an_unexpected_new_database_are_warned_of() {
    let folder = tempfile::tempdir().unwrap();
    let key = folder.path().join("elsewhere.key");
    fs::write(&key, "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=").unwrap();
    let start = |key: Option<&Path>| {
        let mut serve = program(&["serve", "--listen", "127.0.0.1:0"]);
        serve
            .env("SALLYPORT_DATA_DIR", folder.path().join("data"))
            .env("SALLYPORT_PUBLIC_URL", "https://sallyport.example.com")
            .stdout(Stdio::piped())
            .stderr(Stdio::null());
        if let Some(key) = key {
            serve.env("SALLYPORT_MASTER_KEY_FILE", key);
        }
        let mut child = serve.spawn().unwrap();
        let said = read_until(&mut child.stdout.take().unwrap(), "listening");
        child.kill().unwrap();
        child.wait().unwrap();
        said
    };
    let (beside, new) = ("are in one folder", "the database is new");
    let said = start(Some(&key));
    assert!(!said.contains(beside) && said.contains(new), "{said}");
    // The key of the first start opens it no more, so the database goes too.
    fs::remove_dir_all(folder.path().join("data")).unwrap();
    let said = start(None);
    assert!(said.contains(beside) && said.contains(new), "{said}");
    let said = start(None);
    assert!(said.contains(beside) && !said.contains(new), "{said}");
}
