//! The program: what each of its commands does.

use crate::cli::audit::AuditCommand;
use crate::cli::ending::{Failed, PASSED};
use crate::cli::keys::KeysCommand;
use crate::cli::server::setup_link::SetupLink;
use crate::cli::server::{files, moving, projects};
use crate::cli::{Cli, Command, dev, doctor, healthcheck, provision, shell};
use crate::settings::{BadSettings, Options, Settings, refuse_unknown};
use crate::startup::reload::Reload;
use crate::startup::{commands, descriptors, straight, upkeep};
use crate::{aws, http, logging, settings, startup};
use clap::CommandFactory;
use std::sync::Arc;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio_util::sync::CancellationToken;

/// Runs the command until it ends, and gives its exit status.
pub async fn run(cli: Cli) -> Result<u8, Failed> {
    match cli.command {
        None => serve(cli.options).await?,
        Some(Command::Serve(options)) => serve(*options).await?,
        Some(Command::Migrate(arguments)) => commands::migrate(*arguments).await?,
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
        Some(Command::Export(arguments)) => {
            return moving::export(&arguments, &mut std::io::stdout().lock()).await;
        }
        Some(Command::Import(arguments)) => {
            return moving::import(&arguments, &mut std::io::stdout().lock()).await;
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

/// Serves until it is stopped. In a log of JSON the reason for an end is a line of JSON too.
async fn serve(options: Options) -> Result<(), Failed> {
    let is_json = options
        .log_format
        .as_deref()
        .is_some_and(|format| format.trim() == "json");
    let served = serve_as_written(options).await;
    served.map_err(|why| match is_json {
        true => {
            eprintln!("{}", logging::json_line(&format!("sallyport: {why}")));
            Failed::from(String::new())
        }
        false => Failed::from(why),
    })
}

async fn serve_as_written(options: Options) -> Result<(), String> {
    let unknown = refuse_unknown(variables(), &settings::names(), &names_of_commands());
    let parsed = in_thread(options.clone()).await?;
    match (unknown, parsed) {
        (Ok(()), Ok(settings)) => serve_by(settings, options).await,
        (Ok(()), Err(bad)) => Err(bad.to_string()),
        (Err(unknown), Ok(_)) => Err(unknown.to_string()),
        (Err(unknown), Err(bad)) => Err(format!("{unknown}\n{bad}")),
    }
}

/// Parses the settings. The files of secrets may be on a disk that is slow.
async fn in_thread(options: Options) -> Result<Result<Settings, BadSettings>, String> {
    tokio::task::spawn_blocking(move || Settings::parse(options))
        .await
        .map_err(|error| error.to_string())
}

/// The environment, as far as it is text. What is not is no setting.
fn variables() -> impl Iterator<Item = (String, String)> {
    std::env::vars_os()
        .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
}

/// The variables that any command reads.
fn names_of_commands() -> Vec<String> {
    fn gather(command: &clap::Command, names: &mut Vec<String>) {
        for argument in command.get_arguments() {
            let name = argument.get_env().and_then(|name| name.to_str());
            names.extend(name.map(str::to_owned));
        }
        for below in command.get_subcommands() {
            gather(below, names);
        }
    }
    let mut names = Vec::new();
    gather(&Cli::command(), &mut names);
    names
}

/// The service with the routes that act for the emulated customer.
async fn serve_for_dev(arguments: dev::ServiceArguments) -> Result<(), String> {
    let options = arguments.options.clone();
    let settings = in_thread(arguments.options)
        .await?
        .map_err(|error| error.to_string())?;
    if !settings.listen.ip().is_loopback() {
        return Err(format!(
            "SALLYPORT_LISTEN is {}: `sallyport dev` listens to this machine only, because it acts for the customer without a token. Example: 127.0.0.1:8080",
            settings.listen
        ));
    }
    let dev_helper = Some(arguments.helper);
    let settings = Settings {
        dev_helper,
        ..settings
    };
    serve_by(settings, options).await
}

async fn serve_by(settings: Settings, options: Options) -> Result<(), String> {
    let _written_at_the_end = logging::init(&settings.log)?;
    let descriptors = descriptors::raise();
    // The first line. It has no secret.
    tracing::info!(
        version = env!("CARGO_PKG_VERSION"),
        settings = settings.in_force(&options),
        descriptors,
        "starting"
    );
    // Before the service says that it listens: whoever stops it then finds it ready to be stopped.
    let mut signals = Signals::listen()?;
    let application = tokio::select! {
        biased;
        built = startup::build(settings) => built.map_err(|error| error.to_string())?,
        _ = signals.next() => return Ok(()),
    };
    signals.reload(application.reload(), options);
    signals.stop(application.shutdown(), application.without_drain());
    application.run().await.map_err(|error| error.to_string())
}

/// SIGTERM and SIGINT stop the service after what runs; a second one stops it at once. SIGINT comes from
/// a terminal, where no load balancer has to see the stop. SIGHUP ends nothing: the files of secrets are read again.
struct Signals {
    terminate: Signal,
    interrupt: Signal,
    /// Until the service is built; what came before is answered then.
    hang_up: Option<Signal>,
}

impl Signals {
    fn listen() -> Result<Self, String> {
        let listen =
            |kind| signal(kind).map_err(|error| format!("cannot wait for signals: {error}"));
        Ok(Self {
            terminate: listen(SignalKind::terminate())?,
            interrupt: listen(SignalKind::interrupt())?,
            hang_up: Some(listen(SignalKind::hangup())?),
        })
    }

    /// Waits for the next one that stops. True when it comes from a terminal.
    async fn next(&mut self) -> bool {
        tokio::select! {
            _ = self.terminate.recv() => false,
            _ = self.interrupt.recv() => true,
        }
    }

    /// Reads the secrets again at each SIGHUP, one after the other.
    fn reload(&mut self, reload: Arc<Reload>, options: Options) {
        if let Some(mut hang_up) = self.hang_up.take() {
            tokio::spawn(async move {
                while hang_up.recv().await.is_some() {
                    reload.run(options.clone()).await;
                }
            });
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
