//! The program: what each of its commands does.

use crate::cli::audit::AuditCommand;
use crate::cli::{Cli, Command, healthcheck, provision};
use crate::settings::{Options, Settings};
use crate::startup::commands;
use crate::{aws, http, logging, startup};
use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;

/// Runs the command until it ends. The error says, in words for the terminal, why it failed.
pub async fn run(cli: Cli) -> Result<(), String> {
    match cli.command {
        None => serve(cli.options).await,
        Some(Command::Serve(options)) => serve(*options).await,
        Some(Command::Healthcheck(arguments)) => healthcheck::run(&arguments).await,
        Some(Command::Provision(arguments)) => provision(*arguments).await,
        Some(Command::Rekey(arguments)) => commands::rekey(*arguments).await,
        Some(Command::OperatorToken(arguments)) => commands::operator_token(*arguments).await,
        Some(Command::Audit(arguments)) => match arguments.command {
            AuditCommand::Export(arguments) => commands::audit_export(*arguments).await,
        },
        Some(Command::Openapi) => http::openapi::document()
            .to_pretty_json()
            .map(|json| println!("{json}"))
            .map_err(|error| error.to_string()),
    }
}

async fn provision(arguments: provision::Args) -> Result<(), String> {
    let sdk = aws::client::clients::AwsClients::environment().await?;
    let apply = async |wanted| aws::provision::provision(&sdk, &wanted).await;
    provision::run(arguments, apply, &mut std::io::stdout().lock())
        .await
        .map_err(|error| error.to_string())
}

async fn serve(options: Options) -> Result<(), String> {
    let settings = Settings::parse(options).map_err(|error| error.to_string())?;
    let _written_at_the_end = logging::init(&settings.log)?;
    let application = startup::build(settings)
        .await
        .map_err(|error| error.to_string())?;
    stop_on_signal(application.shutdown(), application.without_drain())?;
    application.run().await.map_err(|error| error.to_string())
}

/// SIGTERM and SIGINT stop the service after what runs; a second one stops it at once. SIGINT comes from
/// a terminal, where no load balancer has to see the stop.
fn stop_on_signal(
    shutdown: CancellationToken,
    without_drain: CancellationToken,
) -> Result<(), String> {
    let listen = |kind| signal(kind).map_err(|error| format!("cannot wait for signals: {error}"));
    let mut terminate = listen(SignalKind::terminate())?;
    let mut interrupt = listen(SignalKind::interrupt())?;
    tokio::spawn(async move {
        for first in [true, false] {
            tokio::select! {
                _ = terminate.recv() => {}
                _ = interrupt.recv() => without_drain.cancel(),
            }
            if !first {
                std::process::exit(1);
            }
            tracing::info!("stopping, after what runs");
            shutdown.cancel();
        }
    });
    Ok(())
}
