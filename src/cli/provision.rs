//! `sallyport provision`: the customer's AWS administrator applies the rendered documents.

use crate::application::connections::provision::{
    BoundaryArn, GivenDocuments, GivenUser, IamName, IamPath, ProvisionError, Provisioned,
    Provisioning,
};
use crate::cli::connection::Output;
use crate::cli::ending::Failed;
use crate::cli::terminal;
use crate::cli::terminal::printable;
use crate::domain::Invalid;
use crate::domain::connection::account::AccountId;
use crate::domain::connection::bucket_name::BucketName;
use crate::domain::connection::role_arn::RoleArn;
use crate::domain::policy_document::POLICY_NAME;
use secrecy::ExposeSecret;
use std::io::{self, IsTerminal, Read, Write};
use std::path::PathBuf;

/// Makes the role in your own AWS account, or the user with its access key, and adds CORS and lifecycle rules to
/// your bucket, as the setup's documents say.
///
/// It shows what it would change, and asks. Without a terminal and without `--yes` it changes nothing.
///
/// It uses your own AWS credentials, Region and endpoints, by the AWS SDK's usual variables and files. It
/// looks at everything before it changes anything. The bucket's other rules stay. A role that does not ask
/// for this setup's external ID is left alone, and so is a user without this setup's tag. Running it again changes
/// nothing.
///
/// The secret of an access key is printed once, when the key is made, and is in no file. A user that has a key gets
/// no other: a second run prints the ID of the key that it has.
///
/// What AWS refuses for now, because something was just made or is being changed, is tried again for up to
/// two minutes. Where bucket and role are in different accounts, run it once with credentials of each: each
/// run does the part of its account and says what is left.
#[derive(Debug, Clone, clap::Args)]
#[command(after_help = "\
Examples:
  sallyport provision --setup-link https://sallyport.example.com/instructions/SECRET --dry-run
  sallyport provision --setup-link https://sallyport.example.com/instructions/SECRET
  sallyport provision documents.json --bucket acme-data --yes --output json
  sallyport provision documents.json --bucket acme-data --remove

Exit status: 0 done, or shown by --dry-run; 1 not done; 2 wrong usage, or nobody could be asked.")]
pub struct Args {
    /// The JSON of `GET /v1/storage-setups/ID/documents`; `-` reads it from standard input
    #[arg(value_name = "DOCUMENTS", default_value = "-")]
    documents: PathBuf,

    /// The link for the AWS administrator: the documents come from it, and the role's ARN goes back by it. It takes
    /// no secret
    #[arg(long, value_name = "URL", conflicts_with = "documents")]
    pub setup_link: Option<String>,

    /// Your bucket's name. Without it, as in the documents
    #[arg(long)]
    bucket: Option<String>,

    /// The name of the role or user to make, or to bring up to date. Without it, as in the documents
    #[arg(long, visible_alias = "user-name")]
    role_name: Option<String>,

    /// The path of the role or user. Without it, as in the setup's role ARN or in the documents, or else `/`
    #[arg(long, visible_alias = "user-path")]
    role_path: Option<String>,

    /// The ARN of the managed policy that bounds the role or user. Without it, as in the documents
    #[arg(long)]
    permissions_boundary: Option<String>,

    /// The account that the role is in. Without it, as in the setup's role ARN, or else the account of your
    /// credentials
    #[arg(long)]
    role_account: Option<String>,

    /// The account that owns the bucket, where that is not the role's. Without it, as in the documents. A user is
    /// made in this account
    #[arg(long)]
    bucket_account: Option<String>,

    /// The name of the inline policy. Without it, `sallyport` for a role, and for a user the name that the AWS CLI
    /// script among the documents gives it
    #[arg(long)]
    policy_name: Option<String>,

    /// Leave the bucket's CORS rules alone
    #[arg(long)]
    skip_cors: bool,

    /// Leave the bucket's lifecycle rules alone
    #[arg(long)]
    skip_lifecycle: bool,

    /// Show what would be changed, and change nothing
    #[arg(long)]
    dry_run: bool,

    /// Remove the role or user, its policy, the key that was made with it, and the rules again. Everything else in
    /// the bucket's rules stays
    #[arg(long)]
    remove: bool,

    /// Do it without asking
    #[arg(long, conflicts_with = "dry_run")]
    yes: bool,

    /// How to print what was done
    #[arg(long, value_enum, default_value_t = Output::Table)]
    output: Output,
}

/// Why the command ended without having done it. Each says it in words for the administrator.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("{name}: {cause}")]
    Argument { name: &'static str, cause: Invalid },
    #[error("The documents in `{path}` cannot be read: {cause}")]
    Unreadable { path: String, cause: io::Error },
    #[error(transparent)]
    Provision(#[from] ProvisionError),
    #[error("The result cannot be printed: {0}")]
    Output(#[from] io::Error),
    #[error(
        "Nothing was changed: there is no terminal to ask at. Look at what would be done, and run this again with --yes."
    )]
    NobodyToAsk,
    #[error("Nothing was changed.")]
    Declined,
}

impl From<Error> for Failed {
    fn from(error: Error) -> Self {
        match &error {
            Error::Argument { .. } | Error::Unreadable { .. } | Error::NobodyToAsk => {
                Self::usage(error.to_string())
            }
            Error::Provision(_) | Error::Output(_) | Error::Declined => {
                Self::from(error.to_string())
            }
        }
    }
}

/// What whoever runs the command says to what was shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Consent {
    Given,
    Refused,
    /// There is no terminal.
    NobodyToAsk,
}

/// Asks at the terminal.
pub fn ask() -> io::Result<Consent> {
    let input = io::stdin();
    if !input.is_terminal() {
        return Ok(Consent::NobodyToAsk);
    }
    eprint!("\nDo this now? [y/N] ");
    let mut answer = String::new();
    input.read_line(&mut answer)?;
    Ok(match answer.trim().to_lowercase().as_str() {
        "y" | "yes" => Consent::Given,
        _ => Consent::Refused,
    })
}

/// The documents of a setup have some ten kilobytes; more than this is another file.
const LARGEST_DOCUMENTS: u64 = 1024 * 1024;

/// Has the documents applied by `apply` (in production `aws::provision::provision`), after it was shown what that
/// does and `ask` has agreed, and prints what was done. `given`: documents that came another way than by file.
/// Gives the role's ARN where a role was made or brought up to date.
pub async fn run<F>(
    args: &Args,
    given: Option<Vec<u8>>,
    apply: F,
    ask: impl FnOnce() -> io::Result<Consent>,
    out: &mut impl Write,
) -> Result<Option<RoleArn>, Error>
where
    F: AsyncFn(Provisioning) -> Result<Provisioned, ProvisionError>,
{
    let text = match given {
        Some(text) => text,
        None => read(args)?,
    };
    let provisioning = provisioning(args, &text)?;
    if !args.dry_run && !args.yes {
        let mut look = provisioning.clone();
        look.dry_run = true;
        let plan = apply(look).await?;
        print(args, &provisioning, &plan, true, out)?;
        // A program reads the result as one document, and is not asked.
        let consent = match args.output {
            Output::Table => ask()?,
            Output::Json => Consent::NobodyToAsk,
        };
        match consent {
            Consent::Given => writeln!(out)?,
            Consent::Refused => return Err(Error::Declined),
            Consent::NobodyToAsk => return Err(Error::NobodyToAsk),
        }
    }
    let done = apply(provisioning.clone()).await?;
    print(args, &provisioning, &done, args.dry_run, out)?;
    let is_made = !args.dry_run && !args.remove;
    Ok(done.role_arn.filter(|_| is_made))
}

fn print(
    args: &Args,
    provisioning: &Provisioning,
    done: &Provisioned,
    is_dry: bool,
    out: &mut impl Write,
) -> io::Result<()> {
    match args.output {
        Output::Json => {
            let details: serde_json::Map<String, serde_json::Value> = done
                .parts()
                .into_iter()
                .map(|(name, part)| {
                    (
                        name.to_lowercase().replace(' ', "_"),
                        part.details.clone().into(),
                    )
                })
                .collect();
            let mut summary = serde_json::json!({
                "role_arn": done.role_arn.as_ref().map(RoleArn::as_str),
                "bucket": provisioning.bucket().as_str(),
                "dry_run": is_dry,
                "permission_policy": done.permission_policy.change,
                "cors": done.cors.change,
                "lifecycle": done.lifecycle.change,
                "bucket_policy": done.bucket_policy.as_ref().map(|part| part.change),
                "left": done.left,
                "details": details,
            });
            match &done.access_key {
                None => summary["role"] = serde_json::json!(done.identity.change),
                Some(key) => {
                    let made = done.made_key.as_ref();
                    summary["user"] = serde_json::json!(done.identity.change);
                    summary["user_name"] = provisioning.name().as_str().into();
                    summary["access_key"] = serde_json::json!(key.change);
                    summary["access_key_id"] = serde_json::json!(made.map(|made| &made.id));
                    summary["secret_access_key"] =
                        serde_json::json!(made.map(|made| made.secret.expose_secret()));
                }
            }
            writeln!(out, "{}", terminal::json(&summary))?;
        }
        Output::Table => {
            if is_dry {
                let first = match args.dry_run {
                    true => {
                        "This is a dry run: nothing was changed. A run without --dry-run does this:"
                    }
                    false => "Nothing has been changed yet. This would be done:",
                };
                writeln!(out, "{first}")?;
                writeln!(out)?;
            }
            for (name, part) in done.parts() {
                writeln!(out, "{name:<17}  {}", part.change.as_str())?;
                for line in &part.details {
                    writeln!(out, "    {}", printable(line))?;
                }
            }
            if !done.left.is_empty() {
                writeln!(out)?;
                writeln!(out, "Still to be done:")?;
                for line in &done.left {
                    writeln!(out, "- {}", printable(line))?;
                }
            }
            if let (false, false, Some(role_arn)) = (args.remove, is_dry, &done.role_arn) {
                writeln!(out)?;
                let is_handed_over = args.setup_link.is_some();
                let what = match is_handed_over {
                    true => "Role ARN:",
                    false => "Role ARN, to enter in the setup:",
                };
                writeln!(out, "{what}")?;
                writeln!(out, "{role_arn}")?;
            }
            if let Some(key) = &done.made_key {
                writeln!(out)?;
                writeln!(
                    out,
                    "The access key was made. Its secret is shown now and never again; it is in no file."
                )?;
                writeln!(out, "Access key ID: {}", key.id)?;
                writeln!(out, "Secret access key: {}", key.secret.expose_secret())?;
                let next = match args.setup_link.is_some() {
                    true => {
                        "The setup link takes no secret. Give both to the person who sent you the link, by a way that you trust with secrets. They enter them in the last step of the setup, Connect."
                    }
                    false => "Enter both in the last step of the setup, Connect.",
                };
                writeln!(out, "{next}")?;
            }
        }
    }
    out.flush()
}

/// An argument that cannot be used, by its name.
fn argument(name: &'static str) -> impl Fn(Invalid) -> Error {
    move |cause| Error::Argument { name, cause }
}

fn provisioning(args: &Args, documents: &[u8]) -> Result<Provisioning, Error> {
    let documents = GivenDocuments::parse(documents).map_err(argument("DOCUMENTS"))?;
    let account = |given: &Option<String>| given.as_deref().map(AccountId::parse).transpose();
    let role_account = account(&args.role_account).map_err(argument("--role-account"))?;
    let bucket_account = account(&args.bucket_account).map_err(argument("--bucket-account"))?;
    let boundary = args.permissions_boundary.as_deref();
    let boundary = boundary.map(BoundaryArn::parse).transpose();
    let boundary = boundary.map_err(argument("--permissions-boundary"))?;
    let boundary = match boundary {
        Some(boundary) => Some(boundary),
        None => documents
            .permissions_boundary()
            .map_err(argument("DOCUMENTS"))?,
    };
    let bucket = match &args.bucket {
        Some(name) => BucketName::parse(name),
        None => documents.bucket().ok_or_else(|| {
            Invalid::new(
                "bucket_missing",
                "The documents do not name one bucket. Name yours.",
            )
        }),
    }
    .map_err(argument("--bucket"))?;
    let Identity {
        name,
        path,
        role_arn,
        policy_name,
    } = match documents.user() {
        Some(user) => Identity::user(args, user)?,
        None => Identity::role(args, &documents)?,
    };
    let policy_name = args.policy_name.as_deref().unwrap_or(policy_name);
    let policy_name = IamName::policy(policy_name).map_err(argument("--policy-name"))?;
    let mut provisioning =
        Provisioning::new(documents, bucket, name, policy_name).map_err(argument("--bucket"))?;
    provisioning.path = path;
    provisioning.permissions_boundary = boundary;
    provisioning.role_account = role_account.or(role_arn.map(|arn| arn.account().clone()));
    provisioning.bucket_account =
        bucket_account.or_else(|| provisioning.documents().bucket_account_apart());
    provisioning.skip_cors = args.skip_cors;
    provisioning.skip_lifecycle = args.skip_lifecycle;
    provisioning.remove = args.remove;
    provisioning.dry_run = args.dry_run;
    Ok(provisioning)
}

/// The role or user that is made.
struct Identity {
    name: IamName,
    path: Option<IamPath>,
    /// The setup's role, where it is this one.
    role_arn: Option<RoleArn>,
    /// What its policy is called unless it is said otherwise.
    policy_name: &'static str,
}

impl Identity {
    fn user(args: &Args, user: &GivenUser) -> Result<Self, Error> {
        let name = args.role_name.as_deref().unwrap_or(&user.name);
        let path = args.role_path.as_deref().unwrap_or(&user.path);
        Ok(Self {
            name: IamName::user(name).map_err(argument("--user-name"))?,
            path: Some(IamPath::parse(path).map_err(argument("--user-path"))?),
            role_arn: None,
            policy_name: POLICY_NAME,
        })
    }

    fn role(args: &Args, documents: &GivenDocuments) -> Result<Self, Error> {
        let given_name = args.role_name.as_deref().map(IamName::role).transpose();
        let given_name = given_name.map_err(argument("--role-name"))?;
        let given_path = args.role_path.as_deref().map(IamPath::parse).transpose();
        let given_path = given_path.map_err(argument("--role-path"))?;
        // The setup's role, unless another one is named here.
        let role_arn = documents.role_arn().filter(|arn| {
            given_name
                .as_ref()
                .is_none_or(|name| name.as_str() == arn.name())
        });
        let name = match (given_name, &role_arn) {
            (Some(name), _) => name,
            (None, Some(arn)) => IamName::role(arn.name()).map_err(argument("--role-name"))?,
            (None, None) => {
                let name = documents.role_name().ok_or_else(|| {
                    argument("--role-name")(Invalid::new(
                        "role_name_missing",
                        "The setup has no role ARN yet. Choose a name for the role. Example: --role-name sallyport-acme-data",
                    ))
                })?;
                IamName::role(name).map_err(argument("--role-name"))?
            }
        };
        let path = match given_path.or(role_arn.as_ref().map(IamPath::of)) {
            Some(path) => Some(path),
            None => documents.role_path().map_err(argument("DOCUMENTS"))?,
        };
        Ok(Self {
            name,
            path,
            role_arn,
            policy_name: "sallyport",
        })
    }
}

fn read(args: &Args) -> Result<Vec<u8>, Error> {
    let unreadable = |cause| Error::Unreadable {
        path: args.documents.display().to_string(),
        cause,
    };
    let mut text = Vec::new();
    let read = if args.documents.as_os_str() == "-" {
        io::stdin().take(LARGEST_DOCUMENTS).read_to_end(&mut text)
    } else {
        std::fs::File::open(&args.documents)
            .and_then(|file| file.take(LARGEST_DOCUMENTS).read_to_end(&mut text))
    };
    read.map_err(unreadable)?;
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::application::connections::provision::{MadeKey, ProvisionChange, ProvisionedPart};
    use clap::Parser;
    use serde_json::{Value, json};

    #[derive(Parser)]
    struct Command {
        #[command(flatten)]
        args: Args,
    }

    fn documents_file() -> tempfile::NamedTempFile {
        let mut file = tempfile::NamedTempFile::new().unwrap();
        let documents = json!({
            "trust_policy": {},
            "permission_policy": {"Statement": {"Resource": "arn:aws:s3:::acme-data/*"}},
        });
        write!(file, "{documents}").unwrap();
        file
    }

    fn part(change: ProvisionChange) -> ProvisionedPart {
        ProvisionedPart::new(change, vec!["what changes".to_owned()])
    }

    async fn run_with(arguments: &[&str]) -> Result<String, Error> {
        let no_dry_run = !arguments.contains(&"--dry-run");
        let yes: &[&str] = if no_dry_run { &["--yes"] } else { &[] };
        let asked = || -> io::Result<Consent> { panic!("nobody is to be asked") };
        run_asking(&[arguments, yes].concat(), asked).await.1
    }

    /// What was printed last, and how it ended.
    async fn run_asking(
        arguments: &[&str],
        ask: impl FnOnce() -> io::Result<Consent>,
    ) -> (usize, Result<String, Error>) {
        let applied = std::sync::atomic::AtomicUsize::new(0);
        let command = Command::try_parse_from([&["provision"], arguments].concat()).unwrap();
        let mut out = Vec::new();
        let apply = async |provisioning: Provisioning| {
            let changes = usize::from(!provisioning.dry_run);
            applied.fetch_add(changes, std::sync::atomic::Ordering::SeqCst);
            Ok(Provisioned {
                role_arn: RoleArn::parse(&format!(
                    "arn:aws:iam::123456789012:role{}{}",
                    provisioning.path.as_ref().map_or("/", IamPath::as_str),
                    provisioning.name()
                ))
                .ok()
                .filter(|_| !provisioning.makes_user()),
                identity: part(ProvisionChange::Created),
                permission_policy: part(ProvisionChange::Updated),
                cors: part(if provisioning.skip_cors {
                    ProvisionChange::Skipped
                } else {
                    ProvisionChange::Created
                }),
                lifecycle: part(ProvisionChange::Unchanged),
                bucket_policy: None,
                access_key: provisioning
                    .makes_user()
                    .then(|| part(ProvisionChange::Created)),
                made_key: (provisioning.makes_user() && changes == 1).then(|| MadeKey {
                    id: "AKIAMADE".to_owned(),
                    secret: "the-secret".to_owned().into(),
                }),
                left: provisioning
                    .bucket_account
                    .iter()
                    .map(|account| format!("The bucket is in the account {account}."))
                    .collect(),
            })
        };
        let ended = run(&command.args, None, apply, ask, &mut out).await;
        let applied = applied.load(std::sync::atomic::Ordering::SeqCst);
        let said = ended.map(|_| String::from_utf8(out).unwrap());
        (applied, said)
    }

    #[tokio::test]
    async fn nothing_is_changed_before_somebody_agreed() {
        let file = documents_file();
        let path = file.path().to_str().unwrap();
        let line = [path, "--role-name", "sally"];
        let (applied, said) = run_asking(&line, || Ok(Consent::Given)).await;
        assert_eq!(applied, 1);
        let said = said.unwrap();
        assert!(said.starts_with("Nothing has been changed yet."), "{said}");
        for (consent, status) in [(Consent::Refused, 1), (Consent::NobodyToAsk, 2)] {
            let (applied, said) = run_asking(&line, || Ok(consent)).await;
            let failed = Failed::from(said.unwrap_err());
            assert_eq!((applied, failed.status), (0, status));
            assert!(failed.why.contains("Nothing was changed"), "{}", failed.why);
        }
        // A program is never asked.
        let json = [&line[..], &["--output", "json"]].concat();
        let (applied, said) = run_asking(&json, || Ok(Consent::Given)).await;
        assert_eq!((applied, Failed::from(said.unwrap_err()).status), (0, 2));
    }

    #[tokio::test]
    async fn a_secret_is_printed_once_and_only_when_its_key_was_made() {
        let mut file = tempfile::NamedTempFile::new().unwrap();
        let documents = json!({
            "trust_policy": null,
            "permission_policy": {"Statement": {"Resource": "arn:aws:s3:::acme-data/*"}},
            "user": {"name": "sally", "path": "/vendors/"},
            "setup_tag": "set_1",
        });
        write!(file, "{documents}").unwrap();
        let path = file.path().to_str().unwrap();
        let text = run_with(&[path]).await.unwrap();
        assert_eq!(text.matches("the-secret").count(), 1, "{text}");
        assert!(text.contains("Access key ID: AKIAMADE\n"), "{text}");
        assert!(text.contains("the last step of the setup") && !text.contains("Role"));
        let (_, asked) = run_asking(&[path], || Ok(Consent::Given)).await;
        assert_eq!(asked.unwrap().matches("the-secret").count(), 1);
        let dry = run_with(&[path, "--dry-run"]).await.unwrap();
        assert!(
            !dry.contains("the-secret") && dry.contains("Access key"),
            "{dry}"
        );
        let json = run_with(&[path, "--output", "json"]).await.unwrap();
        let summary: Value = serde_json::from_str(&json).unwrap();
        assert_eq!(summary["secret_access_key"], "the-secret");
        assert_eq!(summary["access_key_id"], "AKIAMADE");
        assert_eq!(
            (&summary["user"], &summary["role"]),
            (&json!("created"), &Value::Null)
        );
    }

    #[tokio::test]
    async fn what_was_done_is_printed_as_text_and_as_json() {
        let file = documents_file();
        let path = file.path().to_str().unwrap();
        let common = [path, "--bucket", "acme-data", "--role-name", "sally"];
        let text = run_with(&common).await.unwrap();
        assert!(
            text.ends_with("arn:aws:iam::123456789012:role/sally\n"),
            "{text}"
        );
        let json = run_with(&[&common[..], &["--output", "json", "--skip-cors"]].concat())
            .await
            .unwrap();
        let summary: Value = serde_json::from_str(&json).unwrap();
        assert_eq!(summary["role_arn"], "arn:aws:iam::123456789012:role/sally");
        assert_eq!(summary["permission_policy"], "updated");
        assert_eq!(summary["cors"], "skipped");
        assert_eq!(summary["details"]["permission_policy"][0], "what changes");
        let dry = run_with(&[&common[..], &["--dry-run"]].concat())
            .await
            .unwrap();
        assert!(
            dry.starts_with("This is a dry run: nothing was changed."),
            "{dry}"
        );
        assert!(dry.contains("    what changes\n"), "{dry}");
        let removed = run_with(&[&common[..], &["--remove"]].concat())
            .await
            .unwrap();
        assert!(!removed.contains("to enter in the setup"), "{removed}");
    }

    #[tokio::test]
    async fn name_and_path_come_from_the_setup_s_role_unless_given() {
        let mut file = tempfile::NamedTempFile::new().unwrap();
        let role = "arn:aws:iam::123456789012:role/vendors/x";
        let documents = json!({
            "trust_policy": {},
            "permission_policy": {"Statement": {"Resource": "arn:aws:s3:::acme-data/*"}},
            "bucket_policy": {"Statement": [{"Principal": {"AWS": role}}]},
        });
        write!(file, "{documents}").unwrap();
        let path = file.path().to_str().unwrap();
        for (more, arn) in [
            (&[][..], "role/vendors/x\n"),
            (&["--role-name", "x"], "role/vendors/x\n"),
            (&["--role-name", "y"], "role/y\n"),
            (&["--role-path", "/a/b/"], "role/a/b/x\n"),
        ] {
            let text = run_with(&[&[path, "--bucket", "acme-data"], more].concat())
                .await
                .unwrap();
            assert!(text.ends_with(arn), "{text}");
        }
        for (wrong, value) in [
            ("--role-path", "vendors"),
            ("--role-path", "/a//b/"),
            ("--permissions-boundary", "arn:aws:iam::123456789012:role/x"),
            ("--bucket-account", "12"),
            ("--role-account", "x"),
        ] {
            let error = run_with(&[path, "--bucket", "acme-data", wrong, value])
                .await
                .unwrap_err();
            assert!(error.to_string().contains(wrong), "{error}");
        }
        let nameless = documents_file();
        let error = run_with(&[nameless.path().to_str().unwrap(), "--bucket", "acme-data"])
            .await
            .unwrap_err();
        assert!(error.to_string().contains("--role-name"), "{error}");
    }

    #[tokio::test]
    async fn the_bucket_s_account_comes_from_the_documents_unless_given() {
        let mut file = tempfile::NamedTempFile::new().unwrap();
        let documents = json!({
            "trust_policy": {},
            "permission_policy": {"Statement": {"Resource": "arn:aws:s3:::acme-data/*"}},
            "role": {"arn": "arn:aws:iam::123456789012:role/x"},
            "accounts": {"bucket": {"id": "222222222222"}},
        });
        write!(file, "{documents}").unwrap();
        let path = file.path().to_str().unwrap();
        for (more, account) in [
            (&[][..], "222222222222"),
            (&["--bucket-account", "333333333333"], "333333333333"),
        ] {
            let text = run_with(&[&[path, "--bucket", "acme-data"], more].concat())
                .await
                .unwrap();
            assert!(
                text.contains(&format!("The bucket is in the account {account}.")),
                "{text}"
            );
        }
    }

    #[tokio::test]
    async fn a_wrong_argument_is_named() {
        let file = documents_file();
        let path = file.path().to_str().unwrap();
        for (bucket, role, path, named) in [
            ("acme-data-2", "sally", path, "--bucket"),
            ("Ac/me", "sally", path, "--bucket"),
            ("acme-data", "sal ly", path, "--role-name"),
            ("acme-data", "sally", "/nowhere/at/all", "/nowhere/at/all"),
        ] {
            let error = run_with(&[path, "--bucket", bucket, "--role-name", role])
                .await
                .unwrap_err();
            assert!(error.to_string().contains(named), "{error}");
        }
    }
}
