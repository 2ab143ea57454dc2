//! The program: what each of its commands does.

use crate::cli::audit::AuditCommand;
use crate::cli::ending::{Failed, PASSED};
use crate::cli::keys::KeysCommand;
use crate::cli::server::setup_link::SetupLink;
use crate::cli::server::{files, projects};
use crate::cli::{Cli, Command, dev, doctor, healthcheck, provision, shell};
use crate::settings::{Options, Settings};
use crate::startup::{commands, straight, upkeep};
use crate::{aws, http, logging, startup};
use clap::CommandFactory;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio_util::sync::CancellationToken;

/// Runs the command until it ends, and gives its exit status.
pub async fn run(cli: Cli) -> Result<u8, Failed> {
    match cli.command {
        None => serve(cli.options).await?,
        Some(Command::Serve(options)) => serve(*options).await?,
        Some(Command::Dev(arguments)) => return Err(dev::run(*arguments).await),
        Some(Command::DevService(arguments)) => serve_for_dev(*arguments).await?,
        Some(Command::Check(arguments)) => return straight::check(&arguments).await,
        Some(Command::Render(arguments)) => straight::render(&arguments).await?,
        Some(Command::Doctor(arguments)) => return examine(*arguments).await,
        Some(Command::Provision(arguments)) => provision(&arguments).await?,
        Some(Command::Files(arguments)) => {
            return files::run(&arguments, &mut std::io::stdout().lock()).await;
        }
        Some(Command::Projects(arguments)) => {
            return projects::run(&arguments, &mut std::io::stdout().lock()).await;
        }
        Some(Command::Backup(arguments)) => return upkeep::back_up(*arguments).await,
        Some(Command::Restore(arguments)) => return upkeep::check_copy(*arguments).await,
        Some(Command::CopyDatabase(arguments)) => upkeep::copy_database(&arguments).await?,
        Some(Command::Keys(arguments)) => match arguments.command {
            KeysCommand::Replace(arguments) => upkeep::replace_key(*arguments).await?,
        },
        Some(Command::Rekey(arguments)) => commands::rekey(*arguments).await?,
        Some(Command::OperatorToken(arguments)) => commands::operator_token(*arguments).await?,
        Some(Command::Audit(arguments)) => match arguments.command {
            AuditCommand::Export(arguments) => commands::audit_export(*arguments).await?,
        },
        Some(Command::Healthcheck(arguments)) => healthcheck::run(&arguments).await?,
        Some(Command::Completions(arguments)) => {
            shell::completions(&arguments, Cli::command(), &mut std::io::stdout().lock())?;
        }
        Some(Command::Man) => shell::man(Cli::command(), &mut std::io::stdout().lock())?,
        Some(Command::Openapi) => http::openapi::document()
            .to_pretty_json()
            .map(|json| println!("{json}"))
            .map_err(|error| error.to_string())?,
    }
    Ok(PASSED)
}

async fn provision(arguments: &provision::Args) -> Result<(), Failed> {
    let csrf = |secret: &str| http::pages::shell::csrf::Csrf::of_secret(secret).masked();
    let link = arguments.setup_link.as_deref().map(SetupLink::parse);
    let link = link.transpose()?;
    let given = match &link {
        Some(link) => Some(link.documents().await?),
        None => None,
    };
    let (sdk, _egress) = aws::client::clients::AwsClients::environment().await?;
    let apply = async |wanted| aws::provision::provision(&sdk, &wanted).await;
    let mut out = std::io::stdout().lock();
    let made = provision::run(arguments, given, apply, provision::ask, &mut out).await?;
    if let (Some(link), Some(role_arn)) = (link, made) {
        link.hand_over(&role_arn, csrf).await?;
        eprintln!("The setup has the role's ARN now.");
    }
    Ok(())
}

async fn examine(arguments: doctor::Arguments) -> Result<u8, Failed> {
    let read = async |bucket: String, role: String| {
        let (sdk, _egress) = aws::client::clients::AwsClients::environment().await?;
        aws::doctor::read(&sdk, &bucket, &role).await
    };
    doctor::run(&arguments, read, &mut std::io::stdout().lock()).await
}

async fn serve(options: Options) -> Result<(), String> {
    let settings = Settings::parse(options).map_err(|error| error.to_string())?;
    serve_by(settings).await
}

/// The service with the routes that act for the emulated customer.
async fn serve_for_dev(arguments: dev::ServiceArguments) -> Result<(), String> {
    let settings = Settings::parse(arguments.options).map_err(|error| error.to_string())?;
    if !settings.listen.ip().is_loopback() {
        return Err(format!(
            "SALLYPORT_LISTEN is {}: `sallyport dev` listens to this machine only, because it acts for the customer without a token. Example: 127.0.0.1:8080",
            settings.listen
        ));
    }
    let dev_helper = Some(arguments.helper);
    serve_by(Settings {
        dev_helper,
        ..settings
    })
    .await
}

async fn serve_by(settings: Settings) -> Result<(), String> {
    let _written_at_the_end = logging::init(&settings.log)?;
    // Before the service says that it listens: whoever stops it then finds it ready to be stopped.
    let mut signals = Signals::listen()?;
    let application = tokio::select! {
        biased;
        built = startup::build(settings) => built.map_err(|error| error.to_string())?,
        _ = signals.next() => return Ok(()),
    };
    signals.stop(application.shutdown(), application.without_drain());
    application.run().await.map_err(|error| error.to_string())
}

/// SIGTERM and SIGINT stop the service after what runs; a second one stops it at once. SIGINT comes from
/// a terminal, where no load balancer has to see the stop.
struct Signals {
    terminate: Signal,
    interrupt: Signal,
}

impl Signals {
    fn listen() -> Result<Self, String> {
        let listen =
            |kind| signal(kind).map_err(|error| format!("cannot wait for signals: {error}"));
        Ok(Self {
            terminate: listen(SignalKind::terminate())?,
            interrupt: listen(SignalKind::interrupt())?,
        })
    }

    /// Waits for the next one. True when it comes from a terminal.
    async fn next(&mut self) -> bool {
        tokio::select! {
            _ = self.terminate.recv() => false,
            _ = self.interrupt.recv() => true,
        }
    }

    fn stop(mut self, shutdown: CancellationToken, without_drain: CancellationToken) {
        tokio::spawn(async move {
            for first in [true, false] {
                if self.next().await {
                    without_drain.cancel();
                }
                if !first {
                    std::process::exit(1);
                }
                tracing::info!("stopping, after what runs");
                shutdown.cancel();
            }
        });
    }
}
