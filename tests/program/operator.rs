//! The operator's AWS environment: variables and real profile files, against a server of a private authority.

use crate::tls::Authority;
use crate::wire::{Reply, Request, Wire};
use crate::{Service, program, text};
use futures_util::FutureExt;
use std::io::Write as _;
use std::process::Output;
use std::time::{Duration, Instant};

/// STS, S3 and IAM with nothing in them.
fn answer(request: &Request) -> Reply {
    let error = |code: &str| {
        format!(
            "<ErrorResponse><Error><Type>Sender</Type><Code>{code}</Code><Message>m</Message></Error></ErrorResponse>"
        )
    };
    match request.operation().as_str() {
        "GetCallerIdentity" => Reply::answer(
            200,
            "<GetCallerIdentityResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\"><GetCallerIdentityResult>\
             <Arn>arn:aws:iam::111111111111:user/a</Arn><UserId>A</UserId><Account>111111111111</Account>\
             </GetCallerIdentityResult></GetCallerIdentityResponse>",
        ),
        "HeadBucket" => Reply::answer(200, "").with("x-amz-bucket-region", "eu-west-1"),
        "GetRole" => Reply::answer(404, error("NoSuchEntity")),
        _ => Reply::answer(400, error("Unexpected")),
    }
}

/// The server, and the files of an operator.
struct Site {
    /// The server's.
    _runtime: tokio::runtime::Runtime,
    authority: Authority,
    wire: Wire,
    folder: tempfile::TempDir,
}

impl Site {
    fn new() -> Self {
        let runtime = tokio::runtime::Runtime::new().unwrap();
        let authority = Authority::make();
        let serving = authority.serve(|request| async move { answer(&request) }.boxed());
        let wire = runtime.block_on(serving);
        let folder = tempfile::tempdir().unwrap();
        let site = Self {
            _runtime: runtime,
            authority,
            wire,
            folder,
        };
        site.file(
            "documents.json",
            r#"{"trust_policy": {}, "permission_policy": {"Statement": {"Resource": "arn:aws:s3:::acme-data/*"}}}"#,
        );
        site
    }

    fn file(&self, name: &str, text: &str) -> String {
        let path = self.folder.path().join(name);
        let mut file = std::fs::File::create(&path).unwrap();
        file.write_all(text.as_bytes()).unwrap();
        path.to_str().unwrap().to_owned()
    }

    /// By name: at an address the SDK would put no bucket into the host's name anyhow.
    fn url(&self) -> String {
        self.wire.url.replace("127.0.0.1", "localhost")
    }

    fn bundle(&self) -> String {
        self.authority.bundle().to_str().unwrap().to_owned()
    }

    /// Looks at an empty account with these variables.
    fn provision(&self, variables: &[(&str, &str)]) -> Output {
        self.wire.clear();
        let documents = self.folder.path().join("documents.json");
        let arguments = ["provision", documents.to_str().unwrap()];
        let more = ["--bucket", "acme-data", "--role-name", "r", "--dry-run"];
        program(&[&arguments[..], &more].concat())
            .env("AWS_ACCESS_KEY_ID", "AKIAIOSFODNN7EXAMPLE")
            .env("AWS_SECRET_ACCESS_KEY", "secret")
            .env("AWS_EC2_METADATA_DISABLED", "true")
            .env("AWS_REGION", "eu-west-1")
            .envs(variables.iter().copied())
            .output()
            .unwrap()
    }
}

#[test]
fn authorities_and_endpoints_count_wherever_they_are_set() {
    let site = Site::new();
    let (url, bundle) = (site.url(), site.bundle());
    let services = ["s3", "sts", "iam"].map(|name| format!("{name} =\n  endpoint_url = {url}\n"));
    let config = site.file(
        "config",
        &format!(
            "[profile p]\nservices = local\nca_bundle = {bundle}\n[services local]\n{}\
             [profile q]\nendpoint_url = {url}\nca_bundle = /nowhere/ca.pem\n\
             [profile s]\nservices = s3-only\nendpoint_url = https://localhost:9\n[services s3-only]\n{}",
            services.concat(),
            services.concat(),
        ),
    );
    let profile =
        |name: &'static str| [("AWS_CONFIG_FILE", config.as_str()), ("AWS_PROFILE", name)];
    let cases: [&[(&str, &str)]; 6] = [
        &profile("p"),
        &[&profile("q")[..], &[("AWS_CA_BUNDLE", bundle.as_str())]].concat(),
        &[&profile("s")[..], &[("AWS_CA_BUNDLE", bundle.as_str())]].concat(),
        &[
            ("AWS_ENDPOINT_URL", url.as_str()),
            ("AWS_CA_BUNDLE", bundle.as_str()),
        ],
        &[
            ("AWS_ENDPOINT_URL_S3", url.as_str()),
            ("AWS_ENDPOINT_URL_STS", url.as_str()),
            ("AWS_ENDPOINT_URL_IAM", url.as_str()),
            ("AWS_CA_BUNDLE", bundle.as_str()),
        ],
        &[
            ("AWS_ENDPOINT_URL", url.as_str()),
            ("SSL_CERT_FILE", bundle.as_str()),
        ],
    ];
    for variables in cases {
        let output = site.provision(variables);
        let said = text(&output.stdout) + &text(&output.stderr);
        assert!(output.status.success(), "{variables:?}: {said}");
        for operation in ["GetCallerIdentity", "HeadBucket", "GetRole"] {
            assert!(site.wire.count(operation) > 0, "{variables:?}: {operation}");
        }
        let head = site.wire.of("HeadBucket").remove(0).request;
        assert_eq!(head.bucket_and_key().0, "acme-data", "{variables:?}");
        let host = head.header("host").unwrap();
        assert!(host.starts_with("localhost:"), "{variables:?}: {host}");
    }
}

#[test]
fn a_server_of_another_authority_is_not_trusted_and_ignored_endpoints_are_not_called() {
    let site = Site::new();
    let (url, other) = (site.url(), Authority::make());
    let other = other.bundle().to_str().unwrap().to_owned();
    let bundle = site.bundle();
    for variables in [
        vec![("AWS_ENDPOINT_URL", url.as_str())],
        vec![
            ("AWS_ENDPOINT_URL", url.as_str()),
            ("AWS_CA_BUNDLE", other.as_str()),
        ],
        // It replaces the other list.
        vec![
            ("AWS_ENDPOINT_URL", url.as_str()),
            ("AWS_CA_BUNDLE", other.as_str()),
            ("SSL_CERT_FILE", bundle.as_str()),
        ],
        vec![
            ("AWS_ENDPOINT_URL", url.as_str()),
            ("AWS_ENDPOINT_URL_STS", url.as_str()),
            ("AWS_CA_BUNDLE", bundle.as_str()),
            ("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS", "true"),
            // Nothing listens there: AWS itself is not called either.
            ("HTTPS_PROXY", "http://127.0.0.1:9"),
        ],
    ] {
        let output = site.provision(&variables);
        assert!(!output.status.success(), "{variables:?}");
        assert!(site.wire.log().is_empty(), "{variables:?}");
    }
}

#[test]
fn what_cannot_be_used_stops_the_start_with_its_name_and_an_example() {
    let site = Site::new();
    let text_file = site.file("not-pem", "hello");
    let config = site.file("config", "[profile p]\nca_bundle = /nowhere/ca.pem\n");
    let bad_config = site.file("bad-config", "[profile p\n");
    for (variables, parts) in [
        (
            vec![("AWS_CA_BUNDLE", "/nowhere/ca.pem")],
            [
                "AWS_CA_BUNDLE: ",
                "/nowhere/ca.pem",
                "Example: AWS_CA_BUNDLE=",
            ],
        ),
        (
            vec![("AWS_CA_BUNDLE", text_file.as_str())],
            [
                "AWS_CA_BUNDLE: ",
                "has no certificate",
                "Example: AWS_CA_BUNDLE=",
            ],
        ),
        (
            vec![("AWS_CONFIG_FILE", config.as_str()), ("AWS_PROFILE", "p")],
            [
                "ca_bundle of the AWS profile `p`",
                "/nowhere/ca.pem",
                "Example: ",
            ],
        ),
        (
            vec![("AWS_CONFIG_FILE", bad_config.as_str())],
            ["AWS_CONFIG_FILE", "cannot be read", "bad-config"],
        ),
        (
            vec![("AWS_ENDPOINT_URL_S3", "localhost:9000")],
            [
                "AWS_ENDPOINT_URL_S3",
                "not an http or https URL",
                "Example: ",
            ],
        ),
    ] {
        let data = site.folder.path().join("data");
        let arguments = ["serve", "--listen", "127.0.0.1:0", "--data-dir"];
        let output = program(&[&arguments[..], &[data.to_str().unwrap()]].concat())
            .envs(variables.iter().copied())
            .output()
            .unwrap();
        let said = text(&output.stderr);
        assert!(!output.status.success(), "{variables:?}");
        for part in parts {
            assert!(said.contains(part), "{variables:?}: {said}");
        }
    }
}

/// IAM Identity Center: without a cached token it is that which is missing, and not a part of the program.
#[test]
fn profiles_with_single_sign_on_are_understood() {
    let site = Site::new();
    let config = site.file(
        "sso-config",
        "[profile p]\nsso_session = s\nsso_account_id = 111111111111\nsso_role_name = r\n\
         [sso-session s]\nsso_region = eu-west-1\nsso_start_url = https://example.awsapps.com/start\n",
    );
    let output = site.provision(&[
        ("AWS_ACCESS_KEY_ID", ""),
        ("AWS_SECRET_ACCESS_KEY", ""),
        ("AWS_CONFIG_FILE", &config),
        ("AWS_PROFILE", "p"),
        ("HOME", site.folder.path().to_str().unwrap()),
    ]);
    assert!(!output.status.success());
    let said = text(&output.stderr) + &text(&output.stdout);
    assert!(!said.contains("cargo feature"), "{said}");
}

#[test]
fn the_service_asks_who_it_is_by_the_operator_s_authorities() {
    let site = Site::new();
    let data = tempfile::tempdir().unwrap();
    let service = Service::start_with(
        data.path().to_str().unwrap(),
        &[
            ("AWS_ACCESS_KEY_ID", "AKIAIOSFODNN7EXAMPLE"),
            ("AWS_SECRET_ACCESS_KEY", "secret"),
            ("AWS_REGION", "eu-west-1"),
            ("AWS_ENDPOINT_URL", &site.url()),
            ("AWS_CA_BUNDLE", &site.bundle()),
        ],
    );
    let start = Instant::now();
    while !service
        .ask("GET", "/readyz", "")
        .starts_with("HTTP/1.1 200")
    {
        assert!(start.elapsed() < Duration::from_secs(20));
        std::thread::sleep(Duration::from_millis(100));
    }
    assert!(site.wire.count("GetCallerIdentity") > 0);
    service.stop();
}
