//! The settings as they are written: flags, variables, and their help.

/// The settings as written. Each is also an environment variable, named in `--help`.
#[derive(Debug, Clone, Default, clap::Args, serde::Serialize)]
pub struct Options {
    /// Address and port to listen on; port 0 takes a free one.
    /// Default: 127.0.0.1:8080. Example: 0.0.0.0:8080
    #[arg(long, env = "SALLYPORT_LISTEN", value_name = "ADDRESS")]
    pub listen: Option<String>,

    /// Address and port for readiness and metrics, which are then nowhere else.
    /// Default: none, and they are with everything else. Example: 127.0.0.1:9090
    #[arg(long, env = "SALLYPORT_MANAGEMENT_LISTEN", value_name = "ADDRESS")]
    pub management_listen: Option<String>,

    /// Where the API's description (/docs and /openapi.json) is: public, management (with readiness and
    /// metrics) or off.
    /// Default: public. Example: management
    #[arg(long, env = "SALLYPORT_DOCS", value_name = "PLACE")]
    pub docs: Option<String>,

    /// Networks of the proxies in front of the service, as CIDRs separated by commas. The client's
    /// address is taken from X-Forwarded-For, or else from Forwarded, only when one of them sends it.
    /// Default: none. Example: 10.0.0.0/8,fd00::/8
    #[arg(long, env = "SALLYPORT_TRUSTED_PROXIES", value_name = "NETWORKS")]
    pub trusted_proxies: Option<String>,

    /// Whether reads of files, signed URLs that read them, and every call of a product key or the operator in a workspace
    /// are written to the audit log: on or off. Off: one such call of each kind in ten minutes, if it changes nothing.
    /// Default: off. Example: on
    #[arg(long, env = "SALLYPORT_AUDIT_READS", value_name = "ON_OR_OFF")]
    pub audit_reads: Option<String>,

    /// Whether the names of role sessions, which customers see in CloudTrail, contain the ID of the product's person for
    /// whom a call is made: on or off. On: one session an hour for each of up to 100 people of a storage.
    /// Default: off. Example: on
    #[arg(long, env = "SALLYPORT_ATTRIBUTION", value_name = "ON_OR_OFF")]
    pub attribution: Option<String>,

    /// Whether a storage is refused whose bucket and prefix another storage of the workspace has, is within, or is
    /// around: on or off. Off: the answer warns.
    /// Default: off. Example: on
    #[arg(
        long,
        env = "SALLYPORT_REFUSE_OVERLAPPING_STORAGES",
        value_name = "ON_OR_OFF"
    )]
    pub refuse_overlapping_storages: Option<String>,

    /// The database. SQLite serves one process, PostgreSQL any number.
    /// Default: the file sallyport.db in the data folder.
    /// Example: postgres://sallyport:PASSWORD@db.example.com:5432/sallyport
    #[arg(
        long,
        env = "SALLYPORT_DATABASE_URL",
        value_name = "URL",
        hide_env_values = true
    )]
    pub database_url: Option<String>,

    /// A file with the database's URL, instead of the URL itself. SIGHUP has it read again.
    /// Default: none. Example: /run/secrets/sallyport-database-url
    #[arg(long, env = "SALLYPORT_DATABASE_URL_FILE", value_name = "FILE")]
    pub database_url_file: Option<String>,

    /// Whether the service brings the schema up to date itself, at start: on or off. Off: it does not start while
    /// the schema is older than this release, and `sallyport migrate` brings it up to date.
    /// Default: on. Example: off
    #[arg(long, env = "SALLYPORT_MIGRATE", value_name = "ON_OR_OFF")]
    pub migrate: Option<String>,

    /// Whether a PostgreSQL server on another host must prove its name by a certificate: verified, or
    /// unverified, and then the URL's sslmode decides.
    /// Default: verified. Example: unverified
    #[arg(long, env = "SALLYPORT_DATABASE_TLS", value_name = "RULE")]
    pub database_tls: Option<String>,

    /// What is between the service and PostgreSQL: none, or a pooler that gives a session to each connection;
    /// transaction, a pooler that gives one to each transaction and knows prepared statements (PgBouncer since 1.21);
    /// or unprepared, one that knows none.
    /// Default: none. Example: transaction
    #[arg(long, env = "SALLYPORT_DATABASE_POOLER", value_name = "POOLER")]
    pub database_pooler: Option<String>,

    /// The folder for what the service keeps itself: the SQLite database, the master key's file, and up to
    /// 2 GiB of uploads under way.
    /// Default: data. Example: /var/lib/sallyport
    #[arg(long, env = "SALLYPORT_DATA_DIR", value_name = "FOLDER")]
    pub data_dir: Option<String>,

    /// The address that browsers and customers reach the service at. With a path, a proxy strips it: the service
    /// itself answers at the root.
    /// Default: http:// and the address it listens on. Example: https://sallyport.example.com
    #[arg(long, env = "SALLYPORT_PUBLIC_URL", value_name = "URL")]
    pub public_url: Option<String>,

    /// The operator's token, of at least 32 characters. Prefer the variable: other users of a machine
    /// can see flags.
    /// Default: made on the first start; shown once on the terminal, or else put into the file operator.token
    /// in the data folder. Example: the output of `openssl rand -hex 32`
    #[arg(
        long,
        env = "SALLYPORT_OPERATOR_TOKEN",
        value_name = "TOKEN",
        hide_env_values = true
    )]
    pub operator_token: Option<String>,

    /// A file with the operator's token, instead of the token itself. SIGHUP has it read again.
    /// Default: none. Example: /run/secrets/sallyport-operator-token
    #[arg(long, env = "SALLYPORT_OPERATOR_TOKEN_FILE", value_name = "FILE")]
    pub operator_token_file: Option<String>,

    /// The operator's token of before, which is taken too until it is removed here.
    /// Default: none. Example: the token that SALLYPORT_OPERATOR_TOKEN had
    #[arg(
        long,
        env = "SALLYPORT_OPERATOR_TOKEN_PREVIOUS",
        value_name = "TOKEN",
        hide_env_values = true
    )]
    pub operator_token_previous: Option<String>,

    /// A file with the operator's token of before, instead of the token itself. An empty file is none. SIGHUP
    /// has it read again.
    /// Default: none. Example: /run/secrets/sallyport-operator-token-previous
    #[arg(
        long,
        env = "SALLYPORT_OPERATOR_TOKEN_PREVIOUS_FILE",
        value_name = "FILE"
    )]
    pub operator_token_previous_file: Option<String>,

    /// The web origins that customers' buckets must let in by CORS, and whose pages may call the API, separated by
    /// commas.
    /// Default: the public URL's origin. Example: https://app.example.com,https://eu.example.com
    #[arg(long, env = "SALLYPORT_ALLOWED_ORIGINS", value_name = "ORIGINS")]
    pub allowed_origins: Option<String>,

    /// The two folders below a bucket prefix whose files the lifecycle rules of the documents let S3 delete after 7
    /// days, where a setup has these rules. Not the name of a folder that customers use themselves.
    /// Default: temp,export. Example: .sallyport/temp,.sallyport/export
    #[arg(long, env = "SALLYPORT_LIFECYCLE_FOLDERS", value_name = "TEMP,EXPORT")]
    pub lifecycle_folders: Option<String>,

    /// The ARN that customers' trust policies name.
    /// Default: the root of the account that the service's AWS credentials belong to.
    /// Example: arn:aws:iam::123456789012:role/sallyport
    #[arg(long, env = "SALLYPORT_SERVICE_PRINCIPAL", value_name = "ARN")]
    pub service_principal: Option<String>,

    /// The bucket of the built-in storage, used with the service's own AWS credentials.
    /// Default: none, and there is no built-in storage. Example: acme-product-files
    #[arg(long, env = "SALLYPORT_BUILT_IN_BUCKET", value_name = "BUCKET")]
    pub built_in_bucket: Option<String>,

    /// The bucket that the CloudFormation template of quick-create links is put into, with the service's own AWS
    /// credentials. The AWS consoles of customers must be able to read it.
    /// Default: none, and the documents have no such link. Example: acme-cloudformation-templates
    #[arg(long, env = "SALLYPORT_TEMPLATE_BUCKET", value_name = "BUCKET")]
    pub template_bucket: Option<String>,

    /// How long a setup stays open.
    /// Default: 7d. Example: 12h
    #[arg(long, env = "SALLYPORT_SETUP_TTL", value_name = "DURATION")]
    pub setup_ttl: Option<String>,

    /// The key that secrets in the database are encrypted with: 32 bytes in base64. Losing it loses
    /// them. Required with PostgreSQL, by this setting or the next.
    /// Default with SQLite: made on the first start, in the file master.key in the data folder.
    /// Example: the output of `openssl rand -base64 32`
    #[arg(
        long,
        env = "SALLYPORT_MASTER_KEY",
        value_name = "KEY",
        hide_env_values = true
    )]
    pub master_key: Option<String>,

    /// A file with the master key, instead of the key itself. SIGHUP has it read again.
    /// Default: none. Example: /run/secrets/sallyport-master-key
    #[arg(long, env = "SALLYPORT_MASTER_KEY_FILE", value_name = "FILE")]
    pub master_key_file: Option<String>,

    /// Further master keys that open what is stored, separated by commas: those of before, while
    /// `sallyport rekey` has not sealed everything with the new one.
    /// Default: none. Example: the output of `openssl rand -base64 32`
    #[arg(
        long,
        env = "SALLYPORT_MASTER_KEY_PREVIOUS",
        value_name = "KEYS",
        hide_env_values = true
    )]
    pub master_key_previous: Option<String>,

    /// A file with further master keys, instead of the keys themselves. An empty file is none. SIGHUP has it
    /// read again.
    /// Default: none. Example: /run/secrets/sallyport-master-key-previous
    #[arg(long, env = "SALLYPORT_MASTER_KEY_PREVIOUS_FILE", value_name = "FILE")]
    pub master_key_previous_file: Option<String>,

    /// A key that this service shares with another one, so that workspaces can move between the two: 32 bytes in
    /// base64. Whoever has it reads the files of such exports.
    /// Default: none. Example: the output of `openssl rand -base64 32`
    #[arg(
        long,
        env = "SALLYPORT_TRANSFER_KEY",
        value_name = "KEY",
        hide_env_values = true
    )]
    pub transfer_key: Option<String>,

    /// A file with the transfer key, instead of the key itself. An empty file is none. SIGHUP has it read again.
    /// Default: none. Example: /run/secrets/sallyport-transfer-key
    #[arg(long, env = "SALLYPORT_TRANSFER_KEY_FILE", value_name = "FILE")]
    pub transfer_key_file: Option<String>,

    /// Networks that are not public and that custom S3 endpoints and webhooks may be in, as CIDRs separated by
    /// commas.
    /// Default: none. Example: 10.20.0.0/16,fd00:20::/32
    #[arg(long, env = "SALLYPORT_ENDPOINT_NETWORKS", value_name = "NETWORKS")]
    pub endpoint_networks: Option<String>,

    /// How long a sign-in link to the pages works, unless it is used before.
    /// Default: 10m. Example: 5m
    #[arg(long, env = "SALLYPORT_SIGN_IN_LINK_TTL", value_name = "DURATION")]
    pub sign_in_link_ttl: Option<String>,

    /// After how long without use a session on the pages ends.
    /// Default: 2h. Example: 30m
    #[arg(long, env = "SALLYPORT_SESSION_IDLE", value_name = "DURATION")]
    pub session_idle: Option<String>,

    /// After how long a session on the pages ends whatever happens.
    /// Default: 12h. Example: 8h
    #[arg(long, env = "SALLYPORT_SESSION_MAX", value_name = "DURATION")]
    pub session_max: Option<String>,

    /// How long the link works that shows a customer's AWS administrator what to apply.
    /// Default: 7d. Example: 3d
    #[arg(long, env = "SALLYPORT_INSTRUCTION_LINK_TTL", value_name = "DURATION")]
    pub instruction_link_ttl: Option<String>,

    /// The OpenID provider that people may sign in at, letter for letter as its tokens name it.
    /// Default: none. Example: https://login.example.com/realms/acme
    #[arg(long, env = "SALLYPORT_OIDC_ISSUER", value_name = "URL")]
    pub oidc_issuer: Option<String>,

    /// The ID of this service's client at the provider.
    /// Default: none. Example: sallyport
    #[arg(long, env = "SALLYPORT_OIDC_CLIENT_ID", value_name = "ID")]
    pub oidc_client_id: Option<String>,

    /// The secret of that client. Prefer the variable: other users of a machine can see flags.
    /// Default: none, for a public client. Example: the secret that the provider shows for the client
    #[arg(
        long,
        env = "SALLYPORT_OIDC_CLIENT_SECRET",
        value_name = "SECRET",
        hide_env_values = true
    )]
    pub oidc_client_secret: Option<String>,

    /// A file with that secret. SIGHUP has it read again.
    /// Default: none. Example: /run/secrets/sallyport-oidc
    #[arg(long, env = "SALLYPORT_OIDC_CLIENT_SECRET_FILE", value_name = "FILE")]
    pub oidc_client_secret_file: Option<String>,

    /// The claim of an ID token that names a person's workspaces: a text or a list, each the ID of a workspace or
    /// its external ID.
    /// Default: workspace. Example: tenant
    #[arg(long, env = "SALLYPORT_OIDC_WORKSPACE_CLAIM", value_name = "CLAIM")]
    pub oidc_workspace_claim: Option<String>,

    /// The claim of an ID token that makes a person an admin: it is `admin`, or a list that has it.
    /// Default: role. Example: roles
    #[arg(long, env = "SALLYPORT_OIDC_ROLE_CLAIM", value_name = "CLAIM")]
    pub oidc_role_claim: Option<String>,

    /// The claim of an ID token by which a person may enter every workspace as an admin: a name, which must be true,
    /// or a name, = and a value.
    /// Default: none. Example: groups=sallyport-operators
    #[arg(long, env = "SALLYPORT_OIDC_OPERATOR_CLAIM", value_name = "CLAIM")]
    pub oidc_operator_claim: Option<String>,

    /// The issuer of tokens that sign people in in place of a link, as the tokens name it.
    /// Default: none. Example: https://app.example.com
    #[arg(long, env = "SALLYPORT_JWT_ISSUER", value_name = "ISSUER")]
    pub jwt_issuer: Option<String>,

    /// The public keys of that issuer: a file, or an https address, of a JSON Web Key Set.
    /// Default: none. Example: https://app.example.com/.well-known/jwks.json
    #[arg(long, env = "SALLYPORT_JWT_KEYS", value_name = "PLACE")]
    pub jwt_keys: Option<String>,

    /// The web origins whose pages may embed these pages, separated by commas. The first label of a host may be
    /// `*`.
    /// Default: none. Example: https://app.example.com,https://*.acme.example
    #[arg(long, env = "SALLYPORT_FRAME_ANCESTORS", value_name = "ORIGINS")]
    pub frame_ancestors: Option<String>,

    /// The product's name on the pages, of at most 40 characters.
    /// Default: Sallyport. Example: Annotate
    #[arg(long, env = "SALLYPORT_BRAND_NAME", value_name = "NAME")]
    pub brand_name: Option<String>,

    /// A file with the product's logo, an SVG or PNG picture of at most 64 KiB.
    /// Default: none. Example: /etc/sallyport/logo.svg
    #[arg(long, env = "SALLYPORT_BRAND_LOGO", value_name = "FILE")]
    pub brand_logo: Option<String>,

    /// The accent colour of the pages. It is darkened in light mode, and lightened in dark mode, as far as
    /// text in it needs to be readable.
    /// Default: #1f5fd6. Example: #5b2da8
    #[arg(long, env = "SALLYPORT_BRAND_COLOUR", value_name = "COLOUR")]
    pub brand_colour: Option<String>,

    /// Where people get help: a web address, or mailto: with an address.
    /// Default: none. Example: https://annotate.example.com/support
    #[arg(long, env = "SALLYPORT_BRAND_SUPPORT_URL", value_name = "URL")]
    pub brand_support_url: Option<String>,

    /// How many connection checks a workspace may start in a minute.
    /// Default: 60. Example: 10
    #[arg(long, env = "SALLYPORT_CHECKS_PER_MINUTE", value_name = "NUMBER")]
    pub checks_per_minute: Option<String>,

    /// How many sign-in links a workspace may make in a minute.
    /// Default: 60. Example: 10
    #[arg(
        long,
        env = "SALLYPORT_SIGN_IN_LINKS_PER_MINUTE",
        value_name = "NUMBER"
    )]
    pub sign_in_links_per_minute: Option<String>,

    /// How many tokens for browsers a workspace may make in a minute.
    /// Default: 600. Example: 60
    #[arg(
        long,
        env = "SALLYPORT_BROWSER_TOKENS_PER_MINUTE",
        value_name = "NUMBER"
    )]
    pub browser_tokens_per_minute: Option<String>,

    /// How many requests of a workspace may be in progress at the same time, in each replica.
    /// Default: 2000. Example: 200
    #[arg(long, env = "SALLYPORT_REQUESTS_AT_ONCE", value_name = "NUMBER")]
    pub requests_at_once: Option<String>,

    /// How many webhooks a workspace may make in an hour, and the operator for all workspaces.
    /// Default: 10. Example: 5
    #[arg(long, env = "SALLYPORT_WEBHOOKS_PER_HOUR", value_name = "NUMBER")]
    pub webhooks_per_hour: Option<String>,

    /// How often each stored connection is checked again.
    /// Default: 1h. Example: 15m
    #[arg(long, env = "SALLYPORT_RECHECK_INTERVAL", value_name = "DURATION")]
    pub recheck_interval: Option<String>,

    /// How long the reports of connection checks are kept, or `keep`. The newest of each storage, and
    /// those whose outcome differs from the one before, are always kept.
    /// Default: 90d. Example: 365d
    #[arg(long, env = "SALLYPORT_RETENTION_CHECKS", value_name = "DURATION")]
    pub retention_checks: Option<String>,

    /// After how long entries of the audit log that `sallyport audit export` has exported are removed.
    /// Others are never removed.
    /// Default: keep. Example: 730d
    #[arg(long, env = "SALLYPORT_RETENTION_AUDIT", value_name = "DURATION")]
    pub retention_audit: Option<String>,

    /// How long a setup is kept after its end when no storage came from it, or `keep`.
    /// Default: 90d. Example: 30d
    #[arg(long, env = "SALLYPORT_RETENTION_SETUPS", value_name = "DURATION")]
    pub retention_setups: Option<String>,

    /// What becomes of a storage whose role is found to let others in: `on`, it is not used until a check
    /// passes; `warn`, only its health says so.
    /// Default: on. Example: warn
    #[arg(long, env = "SALLYPORT_QUARANTINE", value_name = "MODE")]
    pub quarantine: Option<String>,

    /// How long a client may take to send a request's headers, and its body of JSON or its form. A GET or HEAD
    /// that is not answered after twice this time is given up.
    /// Default: 30s. Example: 10s
    #[arg(long, env = "SALLYPORT_REQUEST_TIMEOUT", value_name = "DURATION")]
    pub request_timeout: Option<String>,

    /// How much memory the bodies of requests and of files under way may take together; a workspace may
    /// have a quarter of it. At least 16MiB. Default: 256MiB. Example: 1GiB
    #[arg(long, env = "SALLYPORT_MEMORY_BUDGET", value_name = "BYTES")]
    pub memory_budget: Option<String>,

    /// How fast a client must send or take a file, in bytes a second; 0: at any rate. Averaged over the time for which
    /// the client may send or take nothing.
    /// Default: 1KiB. Example: 16KiB
    #[arg(long, env = "SALLYPORT_MIN_TRANSFER_RATE", value_name = "BYTES")]
    pub min_transfer_rate: Option<String>,

    /// How long a stop takes at most, from the signal to the end.
    /// Default: 25s. Example: 2m
    #[arg(long, env = "SALLYPORT_SHUTDOWN_GRACE", value_name = "DURATION")]
    pub shutdown_grace: Option<String>,

    /// How much of a stop the service goes on for, not ready, so that load balancers see it.
    /// Default: 5s. Example: 10s
    #[arg(long, env = "SALLYPORT_DRAIN", value_name = "DURATION")]
    pub drain: Option<String>,

    /// The longest life of a signed URL; at most 7d, which is S3's own limit.
    /// Default: 12h. Example: 1h
    #[arg(long, env = "SALLYPORT_SIGNED_URL_MAX", value_name = "DURATION")]
    pub signed_url_max: Option<String>,

    /// What is logged: a level, or levels for parts that exist. Logs of the AWS SDK below `warn` can hold secrets
    /// and are left out unless they are named.
    /// Default: info. Example: info,sallyport=debug
    #[arg(long, env = "SALLYPORT_LOG", value_name = "FILTER")]
    pub log: Option<String>,

    /// The log's form: text or json.
    /// Default: text. Example: json
    #[arg(long, env = "SALLYPORT_LOG_FORMAT", value_name = "FORMAT")]
    pub log_format: Option<String>,
}
