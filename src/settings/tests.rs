//! Which settings are accepted, and what is said of the others.

use super::*;
use secrecy::ExposeSecret;

fn refused(change: impl FnOnce(&mut Options)) -> Vec<BadSetting> {
    let mut options = Options::default();
    change(&mut options);
    Settings::parse(options).unwrap_err().0
}

#[test]
fn defaults() {
    let settings = Settings::parse(Options::default()).unwrap();
    assert_eq!(settings.listen.to_string(), "127.0.0.1:8080");
    assert_eq!(settings.database.to_string(), "sqlite://data/sallyport.db");
    assert_eq!(settings.setup_ttl, 7 * DAY);
    // Shorter than the 30 seconds after which Kubernetes kills.
    assert_eq!(settings.shutdown_grace, Duration::from_secs(25));
    assert_eq!(settings.drain, Duration::from_secs(5));
    assert_eq!(settings.checks_per_minute.get(), 60);
    assert_eq!(settings.browser_tokens_per_minute.get(), 600);
    assert_eq!(settings.requests_at_once.get(), 2_000);
    assert_eq!(settings.database_pooler, Pooler::None);
    assert_eq!(settings.sign_in_links_per_minute.get(), 60);
    assert_eq!(settings.webhooks_per_hour.get(), 10);
    assert!(matches!(
        settings.master_key,
        MasterKeySource::Made(path) if path == std::path::Path::new("data/master.key")
    ));
    // An empty value is none.
    let options = Options {
        listen: Some(String::new()),
        master_key: Some(" ".into()),
        ..Options::default()
    };
    assert!(Settings::parse(options).is_ok());
}

#[test]
fn a_wrong_value_is_told_with_its_name_and_an_example() {
    let set = |value: &str| Some(value.to_owned());
    let cases: Vec<(&str, Vec<BadSetting>)> = vec![
        ("SALLYPORT_LISTEN", refused(|o| o.listen = set("here"))),
        (
            "SALLYPORT_DATABASE_URL",
            refused(|o| o.database_url = set("mysql://x")),
        ),
        (
            "SALLYPORT_PUBLIC_URL",
            refused(|o| o.public_url = set("ftp://x")),
        ),
        (
            "SALLYPORT_PUBLIC_URL",
            refused(|o| o.public_url = set("https://x/a//b")),
        ),
        (
            "SALLYPORT_OPERATOR_TOKEN",
            refused(|o| o.operator_token = set("short")),
        ),
        (
            "SALLYPORT_ALLOWED_ORIGINS",
            refused(|o| o.allowed_origins = set("https://a,*")),
        ),
        (
            "SALLYPORT_LIFECYCLE_FOLDERS",
            refused(|o| o.lifecycle_folders = set("temp")),
        ),
        (
            "SALLYPORT_SERVICE_PRINCIPAL",
            refused(|o| o.service_principal = set("*")),
        ),
        (
            "SALLYPORT_BUILT_IN_BUCKET",
            refused(|o| o.built_in_bucket = set("A")),
        ),
        (
            "SALLYPORT_TEMPLATE_BUCKET",
            refused(|o| o.template_bucket = set("A")),
        ),
        (
            "SALLYPORT_BRAND_NAME",
            refused(|o| o.brand_name = set(&"x".repeat(41))),
        ),
        (
            "SALLYPORT_BRAND_COLOUR",
            refused(|o| o.brand_colour = set("blue")),
        ),
        (
            "SALLYPORT_BRAND_SUPPORT_URL",
            refused(|o| o.brand_support_url = set("javascript:alert(1)")),
        ),
        ("SALLYPORT_SETUP_TTL", refused(|o| o.setup_ttl = set("7"))),
        ("SALLYPORT_SETUP_TTL", refused(|o| o.setup_ttl = set("0s"))),
        (
            "SALLYPORT_MASTER_KEY",
            refused(|o| o.master_key = set("short")),
        ),
        (
            "SALLYPORT_MASTER_KEY_PREVIOUS",
            refused(|o| o.master_key_previous = set("AAAA,short")),
        ),
        (
            "SALLYPORT_TRANSFER_KEY",
            refused(|o| o.transfer_key = set("short")),
        ),
        (
            "SALLYPORT_DATABASE_TLS",
            refused(|o| o.database_tls = set("none")),
        ),
        (
            "SALLYPORT_DATABASE_POOLER",
            refused(|o| o.database_pooler = set("session")),
        ),
        (
            "SALLYPORT_REQUESTS_AT_ONCE",
            refused(|o| o.requests_at_once = set("0")),
        ),
        (
            "SALLYPORT_RETENTION_CHECKS",
            refused(|o| o.retention_checks = set("1s")),
        ),
        (
            "SALLYPORT_RETENTION_AUDIT",
            refused(|o| o.retention_audit = set("always")),
        ),
        (
            "SALLYPORT_RETENTION_SETUPS",
            refused(|o| o.retention_setups = set("99999d")),
        ),
        (
            "SALLYPORT_ENDPOINT_NETWORKS",
            refused(|o| o.endpoint_networks = set("10.0.0.0/99")),
        ),
        (
            "SALLYPORT_CHECKS_PER_MINUTE",
            refused(|o| o.checks_per_minute = set("0")),
        ),
        (
            "SALLYPORT_SIGN_IN_LINKS_PER_MINUTE",
            refused(|o| o.sign_in_links_per_minute = set("0")),
        ),
        (
            "SALLYPORT_BROWSER_TOKENS_PER_MINUTE",
            refused(|o| o.browser_tokens_per_minute = set("0")),
        ),
        (
            "SALLYPORT_WEBHOOKS_PER_HOUR",
            refused(|o| o.webhooks_per_hour = set("many")),
        ),
        (
            "SALLYPORT_RECHECK_INTERVAL",
            refused(|o| o.recheck_interval = set("often")),
        ),
        (
            "SALLYPORT_QUARANTINE",
            refused(|o| o.quarantine = set("off")),
        ),
        (
            "SALLYPORT_REQUEST_TIMEOUT",
            refused(|o| o.request_timeout = set("-1s")),
        ),
        (
            "SALLYPORT_MEMORY_BUDGET",
            refused(|o| o.memory_budget = set("15MiB")),
        ),
        (
            "SALLYPORT_MIN_TRANSFER_RATE",
            refused(|o| o.min_transfer_rate = set("2MiB")),
        ),
        (
            "SALLYPORT_SHUTDOWN_GRACE",
            refused(|o| o.shutdown_grace = set("99999999999999999999d")),
        ),
        (
            "SALLYPORT_SIGNED_URL_MAX",
            refused(|o| o.signed_url_max = set("8d")),
        ),
        (
            "SALLYPORT_MANAGEMENT_LISTEN",
            refused(|o| o.management_listen = set("here")),
        ),
        (
            "SALLYPORT_MANAGEMENT_LISTEN",
            refused(|o| o.management_listen = set("127.0.0.1:8080")),
        ),
        ("SALLYPORT_DOCS", refused(|o| o.docs = set("hidden"))),
        ("SALLYPORT_DOCS", refused(|o| o.docs = set("management"))),
        (
            "SALLYPORT_TRUSTED_PROXIES",
            refused(|o| o.trusted_proxies = set("10.0.0.0/8,proxy")),
        ),
        (
            "SALLYPORT_AUDIT_READS",
            refused(|o| o.audit_reads = set("yes")),
        ),
        (
            "SALLYPORT_ATTRIBUTION",
            refused(|o| o.attribution = set("yes")),
        ),
        (
            "SALLYPORT_REFUSE_OVERLAPPING_STORAGES",
            refused(|o| o.refuse_overlapping_storages = set("yes")),
        ),
        ("SALLYPORT_DRAIN", refused(|o| o.drain = set("25s"))),
        ("SALLYPORT_LOG", refused(|o| o.log = set("sallyport=loud"))),
        ("SALLYPORT_LOG", refused(|o| o.log = set("inof"))),
        ("SALLYPORT_LOG", refused(|o| o.log = set("salyport=debug"))),
        ("SALLYPORT_MIGRATE", refused(|o| o.migrate = set("later"))),
        (
            "SALLYPORT_FRAME_ANCESTORS",
            refused(|o| o.frame_ancestors = set("https://app.*.com")),
        ),
        (
            "SALLYPORT_OPERATOR_TOKEN_FILE",
            refused(|o| o.operator_token_file = set("/nowhere/token")),
        ),
        (
            "SALLYPORT_DATABASE_URL_FILE",
            refused(|o| o.database_url_file = set("/nowhere/url")),
        ),
        (
            "SALLYPORT_OPERATOR_TOKEN",
            refused(|o| {
                o.operator_token = set("0123456789abcdef0123456789abcdef");
                o.operator_token_file = set("/nowhere/token");
            }),
        ),
        (
            "SALLYPORT_OPERATOR_TOKEN_PREVIOUS",
            refused(|o| o.operator_token_previous = set("0123456789abcdef0123456789abcdef")),
        ),
        (
            "SALLYPORT_LOG_FORMAT",
            refused(|o| o.log_format = set("xml")),
        ),
    ];
    for (name, faults) in cases {
        assert_eq!(faults.len(), 1, "{name}");
        assert_eq!(faults[0].name, name);
        assert!(!faults[0].example.is_empty());
    }
    let both = refused(|o| {
        o.listen = set("x");
        o.log_format = set("y");
    });
    let text = BadSettings(both).to_string();
    assert!(text.contains("SALLYPORT_LISTEN (--listen): `x`"), "{text}");
    assert!(
        text.contains("SALLYPORT_LOG_FORMAT (--log-format): `y`"),
        "{text}"
    );
}

#[test]
fn secrets_are_not_shown() {
    let secret = "0123456789abcdef0123456789abcdef";
    let options = Options {
        operator_token: Some(secret.into()),
        database_url: Some("postgres://me:hunter2@localhost/x".into()),
        master_key: Some("AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=".into()),
        master_key_previous: Some("AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=".into()),
        transfer_key: Some("AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=".into()),
        ..Options::default()
    };
    let shown = format!("{:?}", Settings::parse(options).unwrap());
    for secret in [secret, "hunter2", "AAAA"] {
        assert!(!shown.contains(secret), "{shown}");
    }
    for fault in [
        refused(|o| o.operator_token = Some("hunter2".into())),
        refused(|o| o.master_key = Some("hunter2".into())),
        refused(|o| o.database_url = Some("postgres://me:hunter2@".into())),
    ] {
        assert!(!BadSettings(fault).to_string().contains("hunter2"));
    }
}

#[test]
fn a_database_elsewhere_without_proof_needs_a_setting_of_its_own() {
    let url = Some("postgres://me@db.example/x?sslmode=require".to_owned());
    let set = |o: &mut Options| {
        o.database_url = url.clone();
        o.master_key = Some("AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=".into());
    };
    let faults = refused(set);
    assert_eq!(faults[0].name, "SALLYPORT_DATABASE_URL");
    for part in ["sslmode=require", "sslrootcert", "SALLYPORT_DATABASE_TLS"] {
        assert!(faults[0].why.contains(part), "{}", faults[0].why);
    }
    let mut options = Options {
        database_tls: Some("unverified".into()),
        ..Options::default()
    };
    set(&mut options);
    assert!(Settings::parse(options).is_ok());
}

#[test]
fn how_long_things_are_kept() {
    let parse = |text: &str| {
        let options = Options {
            retention_checks: Some(text.into()),
            ..Options::default()
        };
        Settings::parse(options).unwrap().retention
    };
    assert_eq!(parse("").checks, Some(90 * DAY));
    assert_eq!((parse("").audit, parse("").setups), (None, Some(90 * DAY)));
    assert_eq!(parse("30d").checks, Some(30 * DAY));
    assert_eq!(parse("keep").checks, None);
}

#[test]
fn postgresql_needs_a_master_key() {
    let faults = refused(|o| o.database_url = Some("postgres://me@localhost/x".into()));
    assert_eq!(faults[0].name, "SALLYPORT_MASTER_KEY");
    assert!(faults[0].why.contains("PostgreSQL"));
}

#[test]
fn memory_budgets() {
    for (text, bytes) in [("16MiB", 16 << 20), ("2GiB", 2 << 30)] {
        assert_eq!(memory_budget(text), Ok(bytes));
    }
    let odd = [
        "",
        "16",
        "MiB",
        "15MiB",
        "16 MiB",
        "16MB",
        "-1GiB",
        "99999999999GiB",
        "é",
    ];
    for text in odd {
        assert!(memory_budget(text).is_err(), "{text:?}");
    }
}

#[test]
fn transfer_rates() {
    for (text, rate) in [("0", 0), ("1KiB", 1 << 10), ("1MiB", 1 << 20), ("0KiB", 0)] {
        assert_eq!(transfer_rate(text), Ok(rate));
    }
    for text in [
        "",
        "1",
        "KiB",
        "1025KiB",
        "1 KiB",
        "1kB",
        "-1KiB",
        "99999999999999MiB",
        "é",
    ] {
        assert!(transfer_rate(text).is_err(), "{text:?}");
    }
    let settings = Settings::parse(Options::default()).unwrap();
    assert_eq!(settings.least_transfer_rate, 1 << 10);
}

#[test]
fn durations() {
    for (text, seconds) in [
        ("45s", 45),
        ("30m", 1_800),
        ("12h", 43_200),
        ("1h30m", 5_400),
    ] {
        assert_eq!(parse_duration(text), Ok(Duration::from_secs(seconds)));
    }
    for text in ["", "5", "h", "1w", "1h ", "1.5h", "é"] {
        assert!(parse_duration(text).is_err(), "{text:?}");
    }
}

#[test]
fn secrets_come_from_files() {
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str, text: &str| {
        let path = folder.path().join(name);
        std::fs::write(&path, text).unwrap();
        path.to_str().map(str::to_owned)
    };
    let key = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=";
    let options = Options {
        operator_token_file: file("token", "0123456789abcdef0123456789abcdef\n"),
        operator_token_previous_file: file("previous", "fedcba9876543210fedcba9876543210\n"),
        database_url_file: file("url", "postgres://me:hunter2@localhost/x\n"),
        master_key: Some(key.into()),
        master_key_previous_file: file("keys", &format!("{key}\n{key}\n")),
        transfer_key_file: file("transfer", &format!("{key}\n")),
        ..Options::default()
    };
    let settings = Settings::parse(options.clone()).unwrap();
    let text = |secret: &Option<SecretString>| {
        let secret = secret.as_ref().unwrap();
        secret.expose_secret().to_owned()
    };
    assert_eq!(
        text(&settings.operator_token),
        "0123456789abcdef0123456789abcdef"
    );
    assert_eq!(
        text(&settings.operator_token_previous),
        "fedcba9876543210fedcba9876543210"
    );
    assert_eq!(settings.database.to_string(), "postgres://localhost:5432/x");
    assert_eq!(settings.master_key_previous.len(), 2);
    assert_eq!(text(&settings.transfer_key).trim(), key);
    let shown = settings.in_force(&options);
    for secret in ["hunter2", "0123456789", "fedcba", "AAAA"] {
        assert!(!shown.contains(secret), "{shown}");
    }

    // An empty file of something of before means that there is nothing of before any more.
    let options = Options {
        operator_token_previous_file: file("previous", "\n"),
        ..options
    };
    let settings = Settings::parse(options.clone()).unwrap();
    assert!(settings.operator_token_previous.is_none());
    let empty = Options {
        operator_token_file: file("token", " \n"),
        ..options
    };
    let faults = Settings::parse(empty).unwrap_err().0;
    assert_eq!(faults[0].name, "SALLYPORT_OPERATOR_TOKEN_FILE");
    assert!(faults[0].why.contains("is empty"), "{}", faults[0].why);
}

#[test]
fn a_file_that_cannot_be_a_secret_is_refused_without_repeating_it() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("token");
    for content in [
        vec![0xff, 0xfe],
        vec![b'x'; 64 * 1024 + 1],
        b"hunter2".to_vec(),
    ] {
        std::fs::write(&path, content).unwrap();
        let fault = refused(|o| o.operator_token_file = path.to_str().map(str::to_owned));
        assert_eq!(fault.len(), 1);
        let said = BadSettings(fault).to_string();
        assert!(said.contains("SALLYPORT_OPERATOR_TOKEN"), "{said}");
        assert!(!said.contains("hunter2") && !said.contains("xxx"), "{said}");
    }
}

#[test]
fn a_migration_needs_the_database_and_nothing_else() {
    let options = Options {
        database_url: Some("postgres://me@localhost/x".into()),
        session_idle: Some("wrong, and not read".into()),
        ..Options::default()
    };
    let settings = MigrationSettings::parse(options).unwrap();
    assert_eq!(settings.database.to_string(), "postgres://localhost:5432/x");
    let options = Options {
        database_url: Some("mysql://x".into()),
        ..Options::default()
    };
    let faults = MigrationSettings::parse(options).unwrap_err().0;
    assert_eq!(faults[0].name, "SALLYPORT_DATABASE_URL");
}

#[test]
fn an_openid_provider_is_named_as_a_whole() {
    let set = |value: &str| Some(value.to_owned());
    let issuer = |o: &mut Options| o.oidc_issuer = Some("https://id.example.com/a".to_owned());
    let cases = [
        (
            "SALLYPORT_OIDC_ISSUER",
            refused(|o| o.oidc_issuer = set("http://id.example.com")),
        ),
        (
            "SALLYPORT_OIDC_ISSUER",
            refused(|o| o.oidc_client_id = set("sallyport")),
        ),
        (
            "SALLYPORT_OIDC_ISSUER",
            refused(|o| o.oidc_operator_claim = set("staff")),
        ),
        ("SALLYPORT_OIDC_CLIENT_ID", refused(issuer)),
        (
            "SALLYPORT_OIDC_CLIENT_SECRET",
            refused(|o| {
                issuer(o);
                o.oidc_client_id = set("sallyport");
                o.oidc_client_secret = set("hunter2");
                o.oidc_client_secret_file = set("/run/secret");
            }),
        ),
        (
            "SALLYPORT_OIDC_OPERATOR_CLAIM",
            refused(|o| {
                issuer(o);
                o.oidc_client_id = set("sallyport");
                o.oidc_operator_claim = set("=staff");
            }),
        ),
        (
            "SALLYPORT_JWT_KEYS",
            refused(|o| o.jwt_issuer = set("https://app.example.com")),
        ),
        (
            "SALLYPORT_JWT_ISSUER",
            refused(|o| o.jwt_keys = set("/etc/keys.json")),
        ),
        (
            "SALLYPORT_JWT_KEYS",
            refused(|o| {
                o.jwt_issuer = set("https://app.example.com");
                o.jwt_keys = set("http://app.example.com/keys");
            }),
        ),
    ];
    for (name, faults) in cases {
        assert_eq!(faults.len(), 1, "{faults:?}");
        assert_eq!(faults[0].name, name, "{faults:?}");
        assert!(!faults[0].why.contains("hunter2"));
    }
    let mut options = Options {
        oidc_client_id: set("sallyport"),
        oidc_operator_claim: set("https://example.com/groups=staff"),
        ..Options::default()
    };
    issuer(&mut options);
    let oidc = Settings::parse(options).unwrap().oidc.unwrap();
    assert_eq!(oidc.issuer.as_str(), "https://id.example.com/a");
    assert_eq!(oidc.workspace_claim, "workspace");
    assert_eq!(oidc.role_claim, "role");
    let test = oidc.operator_claim.unwrap();
    assert_eq!(test.claim, "https://example.com/groups");
    assert_eq!(test.value.as_deref(), Some("staff"));
    assert!(matches!(oidc.client_secret, ClientSecret::None));
}

#[test]
fn a_public_url_may_have_a_path_that_needs_no_escape() {
    let parsed = |url: &str| {
        let options = Options {
            public_url: Some(url.into()),
            ..Options::default()
        };
        Settings::parse(options).map(|settings| settings.public_url.to_string())
    };
    for (url, kept) in [
        ("https://x.example.com", "https://x.example.com/"),
        ("https://x.example.com/", "https://x.example.com/"),
        (
            "https://x.example.com/sallyport",
            "https://x.example.com/sallyport",
        ),
        (
            "https://x.example.com/tools/sally-port/",
            "https://x.example.com/tools/sally-port",
        ),
    ] {
        assert_eq!(parsed(url).unwrap(), kept);
    }
    for url in [
        "https://x.example.com//",
        "https://x.example.com/a b",
        "https://x.example.com/a;b",
        "https://x.example.com/%41",
        "https://x.example.com/a?b",
        "https://x.example.com/a#b",
        "https://u:p@x.example.com/a",
    ] {
        assert!(parsed(url).is_err(), "{url}");
    }
}
