//! The service's own credentials in a file: one that appears, one that is wrong, and one that is rotated, while the real
//! program runs on the emulator, which checks signatures.

use crate::command_line::{create_bucket, emulator, sdk, vendor_key, vendor_user};
use crate::{OPERATOR, Service, read_until};
use serde_json::Value;
use std::path::Path;
use std::time::{Duration, Instant};

/// By when a service without credentials, or with refused ones, uses those that its file has now.
const SOON: Duration = Duration::from_secs(10);

/// Replaces the file as a tool that rotates keys does.
fn write(file: &Path, id: &str, secret: &str) {
    let text = format!("[default]\naws_access_key_id = {id}\naws_secret_access_key = {secret}\n");
    let new = file.with_extension("new");
    std::fs::write(&new, text).unwrap();
    std::fs::rename(&new, file).unwrap();
}

/// Waits until the service is ready, or is not because of this code.
fn until(service: &Service, code: Option<&str>) {
    let begun = Instant::now();
    loop {
        let answer = service.ask("GET", "/readyz", "");
        let is_so = match code {
            None => answer.starts_with("HTTP/1.1 200"),
            Some(code) => {
                answer.starts_with("HTTP/1.1 503") && answer.contains(&format!("\"{code}\""))
            }
        };
        if is_so {
            return;
        }
        assert!(begun.elapsed() < SOON, "{code:?}: {answer}");
        std::thread::sleep(Duration::from_millis(100));
    }
}

fn has_line(service: &Service, line: &str) -> bool {
    let metrics = service.ask("GET", "/metrics", "");
    metrics.lines().any(|found| found == line)
}

fn json_of(answer: &str) -> Value {
    let (_, body) = answer.split_once("\r\n\r\n").unwrap();
    serde_json::from_str(body).unwrap_or_else(|_| panic!("{answer}"))
}

#[test]
fn credentials_in_a_file_that_appears_and_is_rotated_work_without_a_restart() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let root = sdk("111111111111");
    let (bucket, user, first) = runtime.block_on(async {
        let bucket = create_bucket(&root, "built-in").await;
        let (user, first) = vendor_user(&root, &bucket).await;
        (bucket, user, first)
    });
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    let file = path("credentials");
    let (credentials, config) = (file.to_str().unwrap(), path("config"));
    let emulator = emulator();
    let mut service = Service::start_with(
        folder.path().to_str().unwrap(),
        &[
            ("AWS_SHARED_CREDENTIALS_FILE", credentials),
            ("AWS_CONFIG_FILE", config.to_str().unwrap()),
            ("AWS_REGION", "us-east-1"),
            ("AWS_ENDPOINT_URL", &emulator),
            ("AWS_EC2_METADATA_DISABLED", "true"),
            ("SALLYPORT_OPERATOR_TOKEN", OPERATOR),
            ("SALLYPORT_BUILT_IN_BUCKET", &bucket),
        ],
    );

    let said = read_until(&mut service.log, "no_credentials");
    assert!(said.contains("WARN"), "{said}");
    until(&service, Some("no_credentials"));
    assert!(has_line(&service, "sallyport_service_identity_up 0"));

    write(&file, &first.0, "not-the-secret-of-this-key");
    until(&service, Some("credentials_rejected"));
    assert!(has_line(&service, "sallyport_service_identity_up 0"));

    write(&file, &first.0, &first.1);
    until(&service, None);
    assert!(has_line(&service, "sallyport_service_identity_up 1"));
    read_until(&mut service.log, "can use its own AWS identity again");

    // A member reads the built-in bucket, which is reached with these credentials.
    let workspace = json_of(&service.ask("POST", "/v1/workspaces", r#"{"name": "Acme"}"#));
    let tokens = format!(
        "/v1/workspaces/{}/tokens",
        workspace["id"].as_str().unwrap()
    );
    let token = service.ask("POST", &tokens, r#"{"name": "m", "role": "member"}"#);
    let token = json_of(&token)["token"].as_str().unwrap().to_owned();
    let read = || service.ask_as(&token, "GET", "/v1/storages/built-in/files", "");
    let answer = read();
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");

    // Rotated: the second key is in the file, and the first one is no more.
    runtime.block_on(async {
        let second = vendor_key(&root, &user).await;
        write(&file, &second.0, &second.1);
        let iam = aws_sdk_iam::Client::new(&root);
        let gone = iam.delete_access_key().user_name(&user);
        gone.access_key_id(&first.0).send().await.unwrap();
    });
    let begun = Instant::now();
    loop {
        let answer = read();
        if answer.starts_with("HTTP/1.1 200") {
            break;
        }
        assert!(begun.elapsed() < SOON, "{answer}");
        std::thread::sleep(Duration::from_millis(100));
    }
    until(&service, None);
    drop(runtime);
    service.stop();
}
