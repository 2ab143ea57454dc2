//! The commands that work with AWS or a server: the real program, against the emulator and a real server.

use crate::{OPERATOR, Service, program, text};
use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_sdk_s3::config::{Credentials, SharedCredentialsProvider};
use serde_json::{Value, json};
use std::io::Write;
use std::process::{Output, Stdio};

/// A server with a built-in storage, a workspace, and a customer's account with a bucket.
struct Site {
    folder: tempfile::TempDir,
    service: Service,
    vendor: Vec<(&'static str, String)>,
    customer: Vec<(&'static str, String)>,
    bucket: String,
    admin: String,
}

fn random(kind: &str) -> String {
    format!("{kind}-{}", uuid::Uuid::new_v4().simple())
}

pub fn sdk(id: &str) -> SdkConfig {
    let keys = Credentials::new(id, "test", None, None, "test");
    SdkConfig::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new("us-east-1"))
        .endpoint_url(emulator())
        .credentials_provider(SharedCredentialsProvider::new(keys))
        .build()
}

pub fn emulator() -> String {
    std::env::var("SALLYPORT_TEST_AWS_URL").expect("run this by tools/with-services")
}

pub async fn create_bucket(sdk: &SdkConfig, kind: &str) -> String {
    let config = aws_sdk_s3::config::Builder::from(sdk).force_path_style(true);
    let name = random(kind);
    let s3 = aws_sdk_s3::Client::from_conf(config.build());
    s3.create_bucket().bucket(&name).send().await.unwrap();
    name
}

/// The service's user, bound by a policy as an account's root is not: its name, and an access key of it.
pub async fn vendor_user(root: &SdkConfig, bucket: &str) -> (String, (String, String)) {
    let iam = aws_sdk_iam::Client::new(root);
    let name = random("service");
    iam.create_user().user_name(&name).send().await.unwrap();
    let policy = json!({"Version": "2012-10-17", "Statement": [
        {"Effect": "Allow", "Action": "sts:AssumeRole", "Resource": "arn:aws:iam::*:role/*"},
        {"Effect": "Allow", "Action": "s3:*",
         "Resource": [format!("arn:aws:s3:::{bucket}"), format!("arn:aws:s3:::{bucket}/*")]}]});
    iam.put_user_policy()
        .user_name(&name)
        .policy_name("service")
        .policy_document(policy.to_string())
        .send()
        .await
        .unwrap();
    let key = vendor_key(root, &name).await;
    (name, key)
}

/// Another access key of a user.
pub async fn vendor_key(root: &SdkConfig, user: &str) -> (String, String) {
    let iam = aws_sdk_iam::Client::new(root);
    let made = iam.create_access_key().user_name(user).send().await;
    let key = made.unwrap().access_key.unwrap();
    (key.access_key_id, key.secret_access_key)
}

fn environment(id: &str, secret: &str) -> Vec<(&'static str, String)> {
    vec![
        ("AWS_ACCESS_KEY_ID", id.to_owned()),
        ("AWS_SECRET_ACCESS_KEY", secret.to_owned()),
        ("AWS_REGION", "us-east-1".to_owned()),
        ("AWS_ENDPOINT_URL", emulator()),
        ("AWS_EC2_METADATA_DISABLED", "true".to_owned()),
    ]
}

impl Site {
    fn new() -> Self {
        let account = format!("{:012}", uuid::Uuid::new_v4().as_u128() % 1_000_000_000_000);
        let runtime = tokio::runtime::Runtime::new().unwrap();
        let (bucket, built_in, user) = runtime.block_on(async {
            let root = sdk("111111111111");
            let built_in = create_bucket(&root, "built-in").await;
            let (_, user) = vendor_user(&root, &built_in).await;
            (
                create_bucket(&sdk(&account), "customer").await,
                built_in,
                user,
            )
        });
        let folder = tempfile::tempdir().unwrap();
        let vendor = environment(&user.0, &user.1);
        let mut settings: Vec<(&str, &str)> = vendor
            .iter()
            .map(|(name, value)| (*name, value.as_str()))
            .collect();
        settings.push(("SALLYPORT_OPERATOR_TOKEN", OPERATOR));
        settings.push(("SALLYPORT_BUILT_IN_BUCKET", &built_in));
        settings.push(("SALLYPORT_ALLOWED_ORIGINS", "https://app.example.com"));
        let service = Service::start_with(folder.path().to_str().unwrap(), &settings);
        let mut site = Self {
            customer: environment(&account, "test"),
            folder,
            service,
            vendor,
            bucket,
            admin: String::new(),
        };
        site.admin = site.workspace();
        site
    }

    /// A new workspace's admin's token.
    fn workspace(&self) -> String {
        let made = self.ask(OPERATOR, "POST", "/v1/workspaces", &json!({"name": "Acme"}));
        let path = format!("/v1/workspaces/{}/tokens", made["id"].as_str().unwrap());
        let token = json!({"name": "admin", "role": "admin"});
        let token = self.ask(OPERATOR, "POST", &path, &token);
        token["token"].as_str().unwrap().to_owned()
    }

    fn ask(&self, token: &str, method: &str, path: &str, body: &Value) -> Value {
        let body = match body {
            Value::Null => String::new(),
            body => body.to_string(),
        };
        let answer = self.service.ask_as(token, method, path, &body);
        serde_json::from_str(body_of(&answer)).unwrap_or_else(|_| panic!("{answer}"))
    }

    fn open_setup(&self, mut fields: Value) -> Value {
        fields["bucket"] = self.bucket.as_str().into();
        self.ask(&self.admin, "POST", "/v1/storage-setups", &fields)
    }

    fn run(&self, arguments: &[&str], as_whom: &[(&'static str, String)]) -> Output {
        let variables = as_whom.iter().map(|(name, value)| (*name, value));
        program(arguments).envs(variables).output().unwrap()
    }

    /// A command of the admin's, over the API.
    fn api(&self, arguments: &[&str], input: &[u8]) -> Output {
        self.api_as(&self.admin, arguments, input)
    }

    fn api_as(&self, token: &str, arguments: &[&str], input: &[u8]) -> Output {
        let mut child = program(arguments)
            .env(
                "SALLYPORT_SERVER",
                format!("http://{}", self.service.address),
            )
            .env("SALLYPORT_TOKEN", token)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut stdin = child.stdin.take().unwrap();
        let input = input.to_vec();
        // A command that does not read it may have ended.
        let writer = std::thread::spawn(move || stdin.write_all(&input).ok());
        let output = child.wait_with_output().unwrap();
        writer.join().unwrap();
        output
    }
}

fn body_of(answer: &str) -> &str {
    answer.split_once("\r\n\r\n").unwrap().1
}

/// How it ended, and all that it said.
fn ended(output: &Output) -> (i32, String) {
    let said = text(&output.stdout) + &text(&output.stderr);
    (output.status.code().unwrap(), said)
}

const DOCUMENTS: [&str; 12] = [
    "permission_policy",
    "trust_policy",
    "cors",
    "lifecycle",
    "bucket_policy",
    "cli",
    "cloudformation",
    "terraform",
    "key_policy",
    "cli_bucket",
    "cloudformation_bucket",
    "cli_key",
];

#[test]
fn render_prints_what_the_server_hands_out() {
    let site = Site::new();
    let role = "arn:aws:iam::444455556666:role/vendors/x";
    let key = "arn:aws:kms:eu-west-1:777788889999:key/1234abcd-12ab-34cd-56ef-1234567890ab";
    let combinations: [(Value, &[&str]); 5] = [
        (json!({}), &[]),
        (
            json!({"prefix": "a b/ü/", "access": "read"}),
            &["--prefix", "a b/ü/", "--access", "read"],
        ),
        (
            json!({"role_arn": role, "kms_key_arn": key, "region": "eu-west-1", "bucket_account_id": "222233334444"}),
            &[
                "--role-arn",
                role,
                "--kms-key-arn",
                key,
                "--region",
                "eu-west-1",
                "--bucket-account",
                "222233334444",
            ],
        ),
        (
            json!({"browser_access": false, "lifecycle": false, "prefix": "team/"}),
            &[
                "--browser-access",
                "false",
                "--lifecycle",
                "false",
                "--prefix",
                "team/",
            ],
        ),
        (
            json!({"object_acls": false, "object_versions": false, "role_arn": role}),
            &[
                "--object-acls",
                "false",
                "--object-versions",
                "false",
                "--role-arn",
                role,
            ],
        ),
    ];
    for (fields, options) in combinations {
        let setup = site.open_setup(fields.clone());
        let member = |name: &str| setup[name].as_str().unwrap().to_owned();
        let (id, external_id) = (member("id"), member("external_id"));
        let principal = member("service_principal");
        let mut applied = 0;
        for name in DOCUMENTS {
            let path = format!("/v1/storage-setups/{id}/documents/{name}");
            let answer = site.service.ask_as(&site.admin, "GET", &path, "");
            let common = [
                "render",
                name,
                "--bucket",
                &site.bucket,
                "--external-id",
                &external_id,
                "--service-principal",
                &principal,
                "--setup-id",
                &id,
                "--allowed-origins",
                "https://app.example.com",
            ];
            // Nothing is asked of AWS: there are no credentials here.
            let rendered = program(&[&common[..], options].concat()).output().unwrap();
            if answer.starts_with("HTTP/1.1 200") {
                assert_eq!(text(&rendered.stdout), body_of(&answer), "{fields} {name}");
                assert!(rendered.status.success());
                applied += 1;
            } else {
                let (status, said) = ended(&rendered);
                assert_eq!(status, 1, "{fields} {name}: {said}\n{answer}");
                assert!(said.contains("does not apply"), "{said}");
            }
        }
        assert!(applied >= 5, "{fields}: {applied}");
    }
    site.service.stop();
}

#[test]
fn render_without_a_document_lists_them_and_wrong_values_are_wrong_usage() {
    let (status, said) = ended(&program(&["render"]).output().unwrap());
    assert_eq!(status, 0, "{said}");
    for name in DOCUMENTS {
        assert!(said.contains(name), "{said}");
    }
    let output = program(&["render", "--output", "json"]).output().unwrap();
    let list: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(list["documents"].as_array().unwrap().len(), DOCUMENTS.len());
    let id = "0f8fad5b-d9cb-469f-a165-70867728950e";
    let principal = "arn:aws:iam::111122223333:root";
    let whole = [
        "--bucket",
        "acme-data",
        "--external-id",
        id,
        "--service-principal",
        principal,
    ];
    for (more, part) in [
        (&["render", "nonsense"][..], "nonsense"),
        (
            &["render", "cli", "--bucket", "acme-data"],
            "--service-principal",
        ),
        (&["render", "cli", "--bucket", "A/b"], "--bucket"),
        // Of another partition than the service's.
        (
            &[
                &[
                    "render",
                    "cli",
                    "--role-arn",
                    "arn:aws-cn:iam::444455556666:role/x",
                ],
                &whole[..],
            ]
            .concat(),
            "--role-arn",
        ),
        (&["check", "--bucket", "acme-data"], "--role-arn"),
        (
            &[
                "check",
                "--bucket",
                "acme-data",
                "--endpoint",
                "https://s3.example.com",
            ],
            "AWS_ACCESS_KEY_ID",
        ),
        (&["files", "ls"], "SALLYPORT_SERVER"),
        (
            &["files", "ls", "--server", "https://localhost"],
            "SALLYPORT_TOKEN",
        ),
        (&["projects", "create", "x"], "required"),
        (&["doctor", "/nowhere/at/all"], "cannot be read"),
    ] {
        let (status, said) = ended(&program(more).output().unwrap());
        assert_eq!(status, 2, "{more:?}: {said}");
        assert!(said.contains(part), "{more:?}: {said}");
    }
}

#[test]
fn a_role_is_made_checked_and_removed_by_commands_alone() {
    let site = Site::new();
    let setup = site.open_setup(json!({"prefix": "team/"}));
    let member = |name: &str| setup[name].as_str().unwrap().to_owned();
    let path = format!("/v1/storage-setups/{}/documents", member("id"));
    let documents = site.ask(&site.admin, "GET", &path, &Value::Null);
    let file = site.folder.path().join("documents.json");
    std::fs::write(&file, documents.to_string()).unwrap();
    let file = file.to_str().unwrap();

    // Nobody can be asked here.
    let (status, said) = ended(&site.run(&["provision", file], &site.customer));
    assert_eq!(status, 2, "{said}");
    for part in [
        "This would be done",
        "created",
        "Nothing was changed",
        "--yes",
    ] {
        assert!(said.contains(part), "{said}");
    }
    let made = site.run(
        &["provision", file, "--yes", "--output", "json"],
        &site.customer,
    );
    assert!(made.status.success(), "{}", ended(&made).1);
    let made: Value = serde_json::from_slice(&made.stdout).unwrap();
    // It was not there: the run before has only looked.
    assert_eq!(made["role"], "created", "{made}");
    let role = made["role_arn"].as_str().unwrap();

    let (bucket, external_id) = (site.bucket.as_str(), member("external_id"));
    let common = [
        "check",
        "--bucket",
        bucket,
        "--prefix",
        "team/",
        "--role-arn",
        role,
        "--external-id",
    ];
    let right = [&common[..], &[&external_id]].concat();
    let (status, said) = ended(&site.run(&right, &site.vendor));
    assert_eq!(status, 0, "{said}");
    assert!(
        said.contains("✓ passed") && said.contains("Passed"),
        "{said}"
    );
    let output = site.run(&[&right[..], &["--output", "json"]].concat(), &site.vendor);
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    let fields = json!({ "role_arn": role });
    let setup_path = format!("/v1/storage-setups/{}", member("id"));
    site.ask(&site.admin, "PATCH", &setup_path, &fields);
    let by_server = site.ask(
        &site.admin,
        "POST",
        &format!("{setup_path}/check"),
        &json!({}),
    );
    let names =
        |report: &Value| -> Vec<String> { report.as_object().unwrap().keys().cloned().collect() };
    assert_eq!(names(&report), names(&by_server));
    assert_eq!(
        report["steps"].as_array().unwrap().len(),
        by_server["steps"].as_array().unwrap().len()
    );

    let wrong = [&common[..], &["0f8fad5b-d9cb-469f-a165-70867728950e"]].concat();
    let (status, said) = ended(&site.run(&wrong, &site.vendor));
    assert_eq!(status, 1, "{said}");
    assert!(
        said.contains("✗ failed") && said.contains("What to change"),
        "{said}"
    );

    let (status, said) =
        ended(&site.run(&["provision", file, "--remove", "--yes"], &site.customer));
    assert_eq!(status, 0, "{said}");
    let (status, _) = ended(&site.run(&right, &site.vendor));
    assert_eq!(status, 1);
    site.service.stop();
}

#[test]
fn files_and_projects_are_used_over_the_api() {
    let site = Site::new();
    let built_in = ["--storage", "built-in"];
    let big: Vec<u8> = (0..9_000_000_u32).map(|n| (n % 251) as u8).collect();
    // No line break: the emulator's `*` in a policy does not match one, and AWS's does.
    let hostile = "/a b/é\u{1b}[31m\t?&#%+.txt";
    for (key, bytes) in [
        ("/big.bin", big.as_slice()),
        (hostile, b"hello"),
        ("plain.txt", b""),
    ] {
        let put = [&["files", "put", "-", key], &built_in[..]].concat();
        let (status, said) = ended(&site.api(&put, bytes));
        assert_eq!(status, 0, "{said}");
        assert!(!said.contains('\u{1b}'), "{said:?}");
        let cat = [&["files", "cat", key], &built_in[..]].concat();
        let output = site.api(&cat, b"");
        assert!(output.status.success(), "{}", text(&output.stderr));
        assert!(output.stdout == bytes, "{key}");
    }
    let file = site.folder.path().join("local.txt");
    std::fs::write(&file, "from a file").unwrap();
    // The default storage is the built-in one here.
    let put = ["files", "put", file.to_str().unwrap(), "/a b/"];
    assert_eq!(ended(&site.api(&put, b"")).0, 0);

    let ls = ["files", "ls", "--recursive"];
    let (status, said) = ended(&site.api(&ls, b""));
    assert_eq!(status, 0, "{said}");
    assert!(
        said.contains("/a b/local.txt") && said.contains("9000000"),
        "{said}"
    );
    assert!(
        said.contains("/a b/é\\u{1b}[31m\\t?&#%+.txt") && !said.contains('\u{1b}'),
        "{said:?}"
    );
    let output = site.api(&[&ls[..], &["--output", "json"]].concat(), b"");
    let list: Value = serde_json::from_slice(&output.stdout).unwrap();
    let keys: Vec<&str> = list["files"]
        .as_array()
        .unwrap()
        .iter()
        .map(|f| f["key"].as_str().unwrap())
        .collect();
    assert!(keys.contains(&hostile) && keys.len() == 4, "{keys:?}");
    assert!(!text(&output.stdout).contains('\u{1b}'));

    assert_eq!(
        ended(&site.api(&["files", "cp", hostile, "/copy.txt"], b"")).0,
        0
    );
    let (status, said) =
        ended(&site.api(&["files", "cp", hostile, "/copy.txt", "--if-absent"], b""));
    assert_eq!(status, 1, "{said}");
    let signed = site.api(&["files", "sign", hostile, "/copy.txt"], b"");
    let urls = text(&signed.stdout);
    assert_eq!(urls.lines().count(), 2, "{urls}");
    assert!(urls.lines().all(|url| url.starts_with("http")), "{urls}");

    let made = site.api(
        &[
            "projects",
            "create",
            "Cats",
            "/copy.txt",
            "--output",
            "json",
        ],
        b"",
    );
    let made: Value = serde_json::from_slice(&made.stdout).unwrap();
    assert_eq!(made["status"], "ready", "{made}");
    let keys = ["projects", "create", "Dogs", "--keys-from", "-"];
    let (status, said) = ended(&site.api(&keys, b"/copy.txt\n/big.bin\n"));
    assert_eq!(status, 0, "{said}");
    let (status, said) = ended(&site.api(&["projects", "create", "No", "/absent"], b""));
    assert_eq!(status, 1, "{said}");
    assert!(said.contains("missing_files"), "{said}");
    let (status, said) = ended(&site.api(&["projects", "ls"], b""));
    assert_eq!(status, 0);
    assert!(said.contains("Cats") && said.contains("Dogs"), "{said}");

    let (status, said) = ended(&site.api(&["files", "rm", hostile, "/copy.txt"], b""));
    assert_eq!(status, 0, "{said}");
    let (status, said) = ended(&site.api(&["files", "cat", hostile], b""));
    assert_eq!(status, 1);
    assert!(
        said.contains("file_not_found") && said.contains("HTTP 404"),
        "{said:?}"
    );
    site.service.stop();
}

#[test]
fn a_wrong_token_another_workspace_s_storage_and_a_dead_server_are_told_in_words() {
    let site = Site::new();
    let (status, said) = ended(&site.api_as("spt_wrong", &["files", "ls"], b""));
    assert_eq!(status, 1, "{said}");
    assert!(
        said.contains("HTTP 401") && !said.contains("spt_wrong"),
        "{said}"
    );
    let absent = "sto_019a1f0e7c1b7d439a520c8c2f6f6b1e";
    let (status, said) = ended(&site.api(&["files", "ls", "--storage", absent], b""));
    assert_eq!(status, 1, "{said}");
    assert!(said.contains("HTTP 404"), "{said}");
    // What one workspace has stored, another does not see in the built-in storage.
    let put = site.api(&["files", "put", "-", "/mine.txt"], b"mine");
    assert!(put.status.success(), "{}", ended(&put).1);
    let other = site.workspace();
    let (status, said) = ended(&site.api_as(&other, &["files", "cat", "/mine.txt"], b""));
    assert_eq!(status, 1, "{said}");
    let dead = ["files", "ls", "--server", "http://127.0.0.1:9"];
    let (status, said) = ended(&site.api(&dead, b""));
    assert_eq!(status, 1, "{said}");
    assert!(said.contains("no answer from http://127.0.0.1:9"), "{said}");
    site.service.stop();
}

#[test]
fn completions_and_the_manual_name_every_command() {
    for arguments in [
        &["completions", "bash"][..],
        &["completions", "zsh"],
        &["man"],
    ] {
        let (status, said) = ended(&program(arguments).output().unwrap());
        assert_eq!(status, 0, "{said}");
        for command in [
            "check",
            "render",
            "doctor",
            "provision",
            "files",
            "projects",
        ] {
            assert!(said.contains(command), "{arguments:?}: {command}");
        }
    }
}
