//! The commands that work without a server: straight to AWS, or with nobody at all.

use crate::application::checks::Patience;
use crate::application::clock::{Clock, SystemClock};
use crate::application::connections::origins::BucketOrigins;
use crate::application::connections::principal::PrincipalSource;
use crate::application::connections::{Connections, DocumentSignIn, DocumentsOf};
use crate::application::error::Error;
use crate::application::kept::store::Store;
use crate::application::kept::vault::{MasterKey, Vault};
use crate::application::observe::Observer;
use crate::application::people::allowance::Allowances;
use crate::application::people::usage::UsageMeter;
use crate::aws::client::clients::AwsClients;
use crate::cli::check;
use crate::cli::connection::ConnectionOptions;
use crate::cli::ending::Failed;
use crate::cli::render;
use crate::database::Database;
use crate::domain::connection::access::Auth;
use crate::domain::connection::external_id::ExternalId;
use crate::domain::connection::{ConnectedBucket, Owner};
use crate::domain::ids::{SetupId, WorkspaceId};
use crate::domain::policy_document::PolicyTemplates;
use crate::domain::setup::Draft;
use crate::http::api::checks::CheckReportBody;
use crate::http::metrics::WorkMetrics;
use crate::settings::{Options, Settings};
use crate::startup::use_cases::UseCases;
use prometheus_client::registry::Registry;
use secrecy::SecretString;
use std::sync::Arc;
use std::time::Duration;

/// Runs the check of a setup that exists for this command alone.
pub(super) async fn check(arguments: &check::Arguments) -> Result<u8, Failed> {
    let options = &arguments.connection;
    ConnectionOptions::needed("bucket", &options.bucket)?;
    let (external_id, key) = match options.auth() {
        Auth::Role => {
            ConnectionOptions::needed("role-arn", &options.role_arn)?;
            let id = ConnectionOptions::needed("external-id", &options.external_id)?;
            (id.clone(), None)
        }
        Auth::AccessKey => (ExternalId::issue(), Some(own_key()?)),
    };
    let use_cases = use_cases(options).await?;
    let (workspace, setup) = (WorkspaceId::generate(), SetupId::generate());
    let connections = &use_cases.setups.connections;
    let draft = connections
        .apply(options.input(key), &Draft::default(), setup.as_str())
        .await
        .map_err(|error| failed(&error))?;
    let connection = draft
        .connection(&external_id, setup.as_str())
        .map_err(|missing| Failed::usage(format!("these are missing: {}", missing.join(", "))))?;
    let bucket = ConnectedBucket {
        owner: Owner::Setup(workspace, setup),
        revision: 1,
        connection,
        attributed: None,
    };
    let patience = Patience::Change(Duration::from_secs(arguments.wait));
    let checks = &use_cases.setups.checks;
    let report = checks.examine(&bucket, patience, None).await;
    let report = serde_json::to_value(CheckReportBody::from(report))
        .map_err(|error| Failed::from(error.to_string()))?;
    Ok(check::print(
        &report,
        arguments.output,
        &mut std::io::stdout().lock(),
    )?)
}

/// Prints a document, by the same use case that the server hands it out by.
pub(super) async fn render(arguments: &render::Arguments) -> Result<(), Failed> {
    let mut out = std::io::stdout().lock();
    let Some(name) = arguments.document else {
        return render::list(arguments.output, &mut out);
    };
    let options = &arguments.connection;
    ConnectionOptions::needed("bucket", &options.bucket)?;
    let principal = ConnectionOptions::needed("service-principal", &options.service_principal)?;
    let external_id = ConnectionOptions::needed("external-id", &options.external_id)?;
    let connections = Connections {
        vault: Arc::new(vault()?),
        policies: policies()?,
        principal: Arc::new(PrincipalSource::given(principal.clone())),
        origins: Arc::new(BucketOrigins::without_workspaces(&options.allowed_origins)),
        lifecycle_folders: arguments.lifecycle_folders.clone(),
        quick_create: None,
    };
    let setup = arguments.setup_id.clone().unwrap_or_else(SetupId::generate);
    let draft = connections
        .apply(options.input(None), &Draft::default(), setup.as_str())
        .await
        .map_err(|error| failed(&error))?;
    let bucket = ConnectionOptions::needed("bucket", &draft.bucket)?;
    let (documents, _) = connections
        .documents(DocumentsOf {
            workspace: None,
            setup: arguments.setup_id.as_ref(),
            external_id,
            bucket,
            settings: &draft.settings,
            sign_in: DocumentSignIn::of(&draft, external_id, true),
        })
        .await
        .map_err(|error| failed(&error))?;
    render::print(name, &documents, &mut out)
}

/// The use cases over a database that is nowhere but in memory.
async fn use_cases(options: &ConnectionOptions) -> Result<UseCases, Failed> {
    let mut settings =
        Settings::parse(Options::default()).map_err(|error| Failed::from(error.to_string()))?;
    settings.allowed_origins = options.allowed_origins.clone();
    settings.service_principal = options.service_principal.clone();
    // Whoever runs this command reaches what this machine reaches.
    settings.endpoint_networks = ["0.0.0.0/0", "::/0"]
        .iter()
        .filter_map(|network| network.parse().ok())
        .collect();
    let (aws, egress) = AwsClients::environment().await?;
    let database = Database::in_memory()
        .await
        .map_err(|error| Failed::from(error.to_string()))?;
    let store: Arc<dyn Store> = Arc::new(database);
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let observer: Arc<dyn Observer> = Arc::new(WorkMetrics::register(&mut Registry::default()));
    let usage = Arc::new(UsageMeter::new(store.clone(), clock.clone()));
    UseCases::assemble(
        &settings,
        (&aws, egress),
        &store,
        &Arc::new(vault()?),
        &clock,
        observer,
        (&usage, &Arc::new(Allowances::default())),
    )
    .map_err(|error| Failed::from(error.to_string()))
}

/// Seals nothing that outlives the command.
fn vault() -> Result<Vault, Failed> {
    let (key, _) = MasterKey::generate().map_err(|error| failed(&error))?;
    Vault::new(&key).map_err(|error| failed(&error))
}

fn policies() -> Result<Arc<PolicyTemplates>, Failed> {
    let policies = PolicyTemplates::load();
    policies
        .map(Arc::new)
        .map_err(|invalid| Failed::from(invalid.to_string()))
}

/// The connection's own key. In the environment, because other users of a machine can see options.
fn own_key() -> Result<(String, SecretString), Failed> {
    let variable = |name: &str| {
        std::env::var(name)
            .ok()
            .filter(|value| !value.is_empty())
            .ok_or_else(|| {
                Failed::usage(format!(
                    "{name} is not set. A connection by an access key is checked with the key in AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY."
                ))
            })
    };
    Ok((
        variable("AWS_ACCESS_KEY_ID")?,
        variable("AWS_SECRET_ACCESS_KEY")?.into(),
    ))
}

fn failed(error: &Error) -> Failed {
    match error.code {
        // In the words of the service, whose credentials these are not.
        "aws_identity_unknown" => Failed::from(format!(
            "AWS does not say whose credentials these are. Sign in with the AWS CLI, choose a profile with AWS_PROFILE, or name the principal with --service-principal. ({})",
            error.internal.as_deref().unwrap_or(error.code)
        )),
        _ => Failed::of(error),
    }
}
