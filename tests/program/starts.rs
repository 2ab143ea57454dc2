//! How the program starts: settings that are none, its log, the schema, and probes.

use crate::{OPERATOR, Service, program, read_until, run, text};
use serde_json::Value;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

#[test]
fn a_variable_that_is_no_setting_stops_the_start_and_no_other_command() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().to_str().unwrap();
    let misspelt = |arguments: &[&str]| {
        program(arguments)
            .env("SALLYPORT_SESION_IDLE", "5m")
            .env("SALLYPORT_OPERATR_TOKEN", "hunter2")
            // Of another command, of the tests, of Kubernetes, and without a value.
            .env("SALLYPORT_SERVER", "https://localhost")
            .env("SALLYPORT_TEST_AWS_URL", "http://localhost")
            .env("SALLYPORT_PORT", "tcp://10.0.0.11:8080")
            .env("SALLYPORT_NOT_SET", "")
            .output()
            .unwrap()
    };
    for arguments in [
        &["--listen", "nowhere"][..],
        &["serve", "--listen", "nowhere"],
    ] {
        let output = misspelt(arguments);
        assert_eq!(output.status.code(), Some(1));
        let said = text(&output.stderr);
        for part in [
            "SALLYPORT_SESION_IDLE is not a setting. The nearest one is SALLYPORT_SESSION_IDLE",
            "SALLYPORT_OPERATR_TOKEN is not a setting. The nearest one is SALLYPORT_OPERATOR_TOKEN",
            // What else is wrong is said in the same breath.
            "SALLYPORT_LISTEN (--listen)",
        ] {
            assert!(said.contains(part), "{said}");
        }
        assert_eq!(said.matches("is not a setting").count(), 2, "{said}");
        assert!(!said.contains("hunter2"), "{said}");
    }
    assert!(misspelt(&["migrate", "--data-dir", data]).status.success());
    assert!(misspelt(&["render"]).status.success());
}

#[test]
fn a_log_filter_that_names_nothing_stops_the_start() {
    let output = program(&["serve"])
        .env("SALLYPORT_LOG", "inof")
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(1));
    let said = text(&output.stderr);
    for part in ["SALLYPORT_LOG (--log)", "`inof` is not a level", "info"] {
        assert!(said.contains(part), "{said}");
    }
    let output = program(&["serve"])
        .env("SALLYPORT_LOG", "info,salyport::http=debug")
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(1));
    let said = text(&output.stderr);
    for part in ["SALLYPORT_LOG (--log)", "`salyport::http`", "`sallyport`"] {
        assert!(said.contains(part), "{said}");
    }
}

/// The first line has the version and the settings in force; nothing that is written is no JSON, and no secret.
#[test]
fn every_line_of_a_json_log_is_json() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().to_str().unwrap();
    let key = "QUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUE=";
    let settings = [
        ("SALLYPORT_LOG_FORMAT", "json"),
        ("SALLYPORT_OPERATOR_TOKEN", OPERATOR),
        ("SALLYPORT_MASTER_KEY", key),
        ("SALLYPORT_SESSION_IDLE", "17m"),
    ];
    let service = Service::start_with(data, &settings);
    service.ask("GET", "/v1/workspaces", "");
    service.ask_as("spt_wrong", "GET", "/v1/workspaces", "");
    service.signal("-HUP");
    service.ask("GET", "/v1/nothing", "");
    let said = service.stop_and_tell();
    let lines: Vec<Value> = said
        .lines()
        .map(|line| serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}")))
        .collect();
    let first = &lines[0]["fields"];
    assert_eq!(first["version"], env!("CARGO_PKG_VERSION"));
    let settings = first["settings"].as_str().unwrap();
    for part in [
        "SALLYPORT_SESSION_IDLE=17m",
        "SALLYPORT_SESSION_MAX=12h",
        "SALLYPORT_OPERATOR_TOKEN=***",
        "SALLYPORT_MASTER_KEY=***",
        "SALLYPORT_LISTEN=127.0.0.1:0",
    ] {
        assert!(settings.contains(part), "{part}: {settings}");
    }
    for secret in [OPERATOR, key] {
        assert!(!said.contains(secret), "{said}");
    }

    // So is the reason why it does not start.
    for (name, value) in [
        ("SALLYPORT_LISTN", "x"),
        ("SALLYPORT_DATABASE_URL", "sqlite:///dev/null/x.db"),
    ] {
        let output = program(&["serve", "--listen", "127.0.0.1:0", "--data-dir", data])
            .env("SALLYPORT_LOG_FORMAT", "json")
            .env(name, value)
            .output()
            .unwrap();
        assert_eq!(output.status.code(), Some(1));
        let said = text(&output.stdout) + &text(&output.stderr);
        let last = said.lines().next_back().unwrap();
        for line in said.lines() {
            assert!(serde_json::from_str::<Value>(line).is_ok(), "{line}");
        }
        let last: Value = serde_json::from_str(last).unwrap();
        assert_eq!(last["level"], "ERROR", "{last}");
    }
}

#[test]
fn the_schema_is_brought_up_to_date_by_a_command_of_its_own() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().to_str().unwrap();
    let serve = ["serve", "--listen", "127.0.0.1:0", "--data-dir", data];
    let refused = program(&serve)
        .env("SALLYPORT_MIGRATE", "off")
        .output()
        .unwrap();
    assert_eq!(refused.status.code(), Some(1));
    let said = text(&refused.stderr);
    for part in ["does not exist", "`sallyport migrate`", "SALLYPORT_MIGRATE"] {
        assert!(said.contains(part), "{said}");
    }
    assert_eq!(std::fs::read_dir(data).unwrap().count(), 0, "{said}");
    // A database without a table is there, and is older. No key is made for it.
    let database = folder.path().join("sallyport.db");
    std::fs::write(&database, "").unwrap();
    let refused = program(&serve)
        .env("SALLYPORT_MIGRATE", "off")
        .output()
        .unwrap();
    let said = text(&refused.stderr);
    assert!(said.contains("older than this release"), "{said}");
    assert!(!folder.path().join("master.key").exists());
    for expected in ["migrations were applied", "Nothing was changed"] {
        let output = run(&["migrate", "--data-dir", data]);
        assert!(output.status.success(), "{}", text(&output.stderr));
        assert!(
            text(&output.stdout).contains(expected),
            "{}",
            text(&output.stdout)
        );
    }
    let settings = [
        ("SALLYPORT_MIGRATE", "off"),
        ("SALLYPORT_OPERATOR_TOKEN", OPERATOR),
    ];
    let service = Service::start_with(data, &settings);
    let made = service.ask("POST", "/v1/workspaces", r#"{"name": "Acme"}"#);
    assert!(made.starts_with("HTTP/1.1 201"), "{made}");
    service.stop();
    // The command does not wait for a server that is not there, and its error names the cause.
    let away = program(&["migrate"])
        .env("SALLYPORT_DATABASE_URL", "postgres://me@127.0.0.1:9/x")
        .output()
        .unwrap();
    assert_eq!(away.status.code(), Some(1));
    let said = text(&away.stderr);
    assert!(said.contains("refused") && !said.contains("pool"), "{said}");
}

#[test]
fn a_start_that_is_refused_leaves_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let data = data.to_str().unwrap();
    let other = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let taken = other.local_addr().unwrap().to_string();
    let none: &[(&str, &str)] = &[];
    let management = [("SALLYPORT_MANAGEMENT_LISTEN", taken.as_str())];
    let keys = [
        ("SALLYPORT_JWT_ISSUER", "https://app.example.com"),
        ("SALLYPORT_JWT_KEYS", "/nowhere/jwks.json"),
    ];
    for (listen, settings, why) in [
        (taken.as_str(), none, "cannot listen on"),
        ("127.0.0.1:0", &management[..], "cannot listen on"),
        ("127.0.0.1:0", &keys[..], "SALLYPORT_JWT_KEYS"),
    ] {
        let refused = program(&["serve", "--listen", listen, "--data-dir", data])
            .envs(settings.iter().copied())
            .output()
            .unwrap();
        let said = text(&refused.stderr);
        assert_eq!(refused.status.code(), Some(1), "{said}");
        assert!(said.contains(why), "{said}");
        let left = std::fs::read_dir(folder.path()).unwrap().count();
        assert_eq!(left, 0, "{why}");
    }
    // Where a service with the same database has the address, this is said.
    let service = Service::start(data);
    let serve = ["serve", "--listen", &service.address, "--data-dir", data];
    let said = text(&run(&serve).stderr);
    assert!(said.contains("is in use by the process"), "{said}");
    service.stop();
}

#[test]
fn a_probe_asks_whether_the_service_is_ready() {
    let folder = tempfile::tempdir().unwrap();
    let aws = std::env::var("SALLYPORT_TEST_AWS_URL").expect("run this by tools/with-services");
    let settings = [
        ("SALLYPORT_DRAIN", "5s"),
        ("AWS_ACCESS_KEY_ID", "111111111111"),
        ("AWS_SECRET_ACCESS_KEY", "test"),
        ("AWS_REGION", "us-east-1"),
        ("AWS_ENDPOINT_URL", aws.as_str()),
    ];
    let mut service = Service::start_with(folder.path().to_str().unwrap(), &settings);
    let check = |more: &[&str]| {
        let arguments = ["healthcheck", "--listen", service.address.as_str()];
        run(&[&arguments[..], more].concat())
    };
    let began = Instant::now();
    loop {
        let ready = check(&["--ready"]);
        if ready.status.success() {
            break;
        }
        let said = text(&ready.stderr);
        assert!(began.elapsed() < Duration::from_secs(20), "{said}");
        std::thread::sleep(Duration::from_millis(100));
    }
    service.signal("-TERM");
    std::thread::sleep(Duration::from_millis(500));
    let ready = check(&["--ready"]);
    assert_eq!(ready.status.code(), Some(1));
    let said = text(&ready.stderr);
    assert!(
        said.contains("503") && said.contains("being stopped"),
        "{said}"
    );
    assert!(check(&[]).status.success());
    assert!(service.child.wait().unwrap().success());
}

#[test]
fn the_soft_limit_of_descriptors_is_raised_to_the_hard_one() {
    let folder = tempfile::tempdir().unwrap();
    let mut child = Command::new("/bin/sh")
        .args([
            "-c",
            "ulimit -S -n 200 && exec \"$0\" serve --listen 127.0.0.1:0",
        ])
        .arg(env!("CARGO_BIN_EXE_sallyport"))
        .env_clear()
        .env("SALLYPORT_DATA_DIR", folder.path())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    read_until(child.stdout.as_mut().unwrap(), "listening");
    let limits = std::fs::read_to_string(format!("/proc/{}/limits", child.id())).unwrap();
    child.kill().unwrap();
    child.wait().unwrap();
    let limit = limits
        .lines()
        .find(|line| line.starts_with("Max open files"));
    let words: Vec<&str> = limit.unwrap().split_whitespace().collect();
    let (soft, hard) = (words[3], words[4]);
    assert_eq!(soft, hard, "{limits}");
    assert_ne!(hard, "200", "the hard limit is no higher here");
}
