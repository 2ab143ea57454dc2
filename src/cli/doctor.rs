//! `sallyport doctor`

use crate::application::doctor::read::ReadDocuments;
use crate::cli::connection::{ConnectionOptions, Output};
use crate::cli::ending::{FAILED, Failed, PASSED};
use crate::cli::terminal;
use crate::cli::terminal::printable;
use crate::domain::connection::access::Auth;
use crate::domain::connection::account::Partition;
use crate::domain::connection::role_arn::RoleArn;
use crate::domain::connection::role_path::RolePath;
use crate::domain::connection::service_identity::ServicePrincipal;
use crate::domain::doctor::expected::{Expected, RightDocuments};
use crate::domain::doctor::finding::{DocumentKind, Finding, Severity};
use crate::domain::doctor::{LARGEST, Pasted, examine, recognise, worst};
use crate::domain::origin::OriginPattern;
use crate::domain::policy_document::{DocumentParameters, LifecycleFolders, PolicyTemplates};
use serde_json::json;
use std::io::{Read, Write};

/// Examine policies and CORS rules: what is missing, what denies, what is open, and where.
///
/// Each FILE is one document; `-` is standard input. What it is follows from its content, or is said before it, like
/// `key_policy=policy.json`. Name the connection's values to have the documents compared with what it needs. With
/// `--role-name` the documents of a role and of the bucket are read from AWS, with your own credentials; nothing is
/// changed.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  sallyport doctor policy.json trust.json --bucket acme-data --external-id 0b0b5d4c-6c5f-4f0e-9d1c-0d9f6d0c9a53 \\
      --service-principal arn:aws:iam::111122223333:root
  aws s3api get-bucket-cors --bucket acme-data | sallyport doctor - --allowed-origins https://app.example.com
  sallyport doctor key_policy=key.json --kms-key-arn arn:aws:kms:eu-west-1:444455556666:key/1234abcd-12ab-34cd-56ef-1234567890ab
  sallyport doctor --bucket acme-data --role-name acme-sallyport --access read --output json

Exit status: 0 nothing but warnings and notes; 1 errors or a lack of security, or not examined; 2 wrong usage.")]
pub struct Arguments {
    /// The documents: FILE, `-`, or KIND=FILE with permission_policy, trust_policy, bucket_policy, cors or key_policy
    #[arg(value_name = "FILE", required_unless_present = "role_name")]
    files: Vec<String>,

    /// Read the documents of this role and of the bucket from AWS
    #[arg(long, requires = "bucket", value_name = "NAME")]
    role_name: Option<String>,

    #[command(flatten)]
    connection: ConnectionOptions,

    /// How to print what was found
    #[arg(long, alias = "format", value_enum, default_value_t = Output::Table)]
    output: Output,
}

/// Examines, and prints what was found. Gives the exit status.
pub async fn run<F>(arguments: &Arguments, read: F, out: &mut impl Write) -> Result<u8, Failed>
where
    F: AsyncFnOnce(String, String) -> Result<ReadDocuments, String>,
{
    let mut given = files(&arguments.files)?;
    if let (Some(role), Some(bucket)) = (&arguments.role_name, &arguments.connection.bucket) {
        let found = read(bucket.to_string(), role.clone()).await?;
        given.documents.extend(found.documents);
        given.names.extend(found.names);
        given.unread = found.unread;
        given.role_arn = found.role_arn;
    }
    let role = match &arguments.connection.role_arn {
        Some(role) => Some(role.clone()),
        None => given
            .role_arn
            .as_deref()
            .and_then(|arn| RoleArn::parse(arn).ok()),
    };
    let expected = expected(arguments, role)?;
    let findings = examine(&given.documents, &expected);
    let name = |finding: &Finding| {
        let of_kind = given
            .documents
            .iter()
            .zip(&given.names)
            .filter(|(document, _)| document.kind == finding.document);
        of_kind
            .map(|(_, name)| name.as_str())
            .nth(finding.number)
            .unwrap_or_default()
            .to_owned()
    };
    match arguments.output {
        Output::Json => print_json(&findings, &given.unread, name, out),
        Output::Table => print_text(&findings, &given.unread, name, out),
    }?;
    Ok(match worst(&findings) {
        None | Some(Severity::Note | Severity::Warning) => PASSED,
        Some(Severity::Security | Severity::Error) => FAILED,
    })
}

fn files(files: &[String]) -> Result<ReadDocuments, Failed> {
    let mut given = ReadDocuments::default();
    for argument in files {
        let named = argument
            .split_once('=')
            .and_then(|(kind, path)| Some((DocumentKind::parse(kind)?, path)));
        let path = named.map_or(argument.as_str(), |(_, path)| path);
        let shown = printable(path);
        let bytes = bytes_of(path)
            .map_err(|error| Failed::usage(format!("`{shown}` cannot be read: {error}")))?;
        if bytes.len() > LARGEST {
            return Err(Failed::usage(format!(
                "`{shown}` has more than {LARGEST} bytes, which is more than AWS takes"
            )));
        }
        let text = String::from_utf8(bytes)
            .map_err(|_| Failed::usage(format!("`{shown}` is not a text in UTF-8")))?;
        let kind = match named {
            Some((kind, _)) => kind,
            // What cannot be recognised is mostly a policy that is broken; the most usual one is taken.
            None => recognise::kind_of_text(&text).unwrap_or(DocumentKind::PermissionPolicy),
        };
        given.documents.push(Pasted { kind, text });
        given.names.push(path.to_owned());
    }
    Ok(given)
}

/// At most one byte more than is looked at.
fn bytes_of(path: &str) -> std::io::Result<Vec<u8>> {
    let most = LARGEST as u64 + 1;
    let mut bytes = Vec::new();
    if path == "-" {
        std::io::stdin().take(most).read_to_end(&mut bytes)?;
    } else {
        std::fs::File::open(path)?
            .take(most)
            .read_to_end(&mut bytes)?;
    }
    Ok(bytes)
}

fn expected(arguments: &Arguments, role: Option<RoleArn>) -> Result<Expected, String> {
    let connection = &arguments.connection;
    let principal = connection.service_principal.clone();
    let partition = role
        .as_ref()
        .map(RoleArn::partition)
        .or(principal.as_ref().map(ServicePrincipal::partition))
        .unwrap_or(Partition::Aws);
    let id = connection.external_id.clone();
    let settings = connection.settings();
    let grants = settings.grants();
    let origins: Vec<OriginPattern> = connection
        .allowed_origins
        .iter()
        .map(OriginPattern::from)
        .collect();
    let origins = settings.allowed_origins(&origins).to_vec();
    let right = match (&principal, &id, &connection.bucket) {
        (Some(principal), Some(id), Some(bucket)) => {
            let parameters = DocumentParameters {
                setup_id: None,
                auth: Auth::Role,
                at_store: false,
                lifecycle_folders: LifecycleFolders::default(),
                partition,
                service_principal: principal.clone(),
                external_id: id.clone(),
                bucket: bucket.clone(),
                prefix: connection.prefix.clone(),
                grants,
                lifecycle: settings.has_lifecycle(),
                kms_key: connection.kms_key_arn.clone(),
                allowed_origins: origins.clone(),
                region: connection.region,
                role_arn: role.clone(),
                role_exists: true,
                role_path: RolePath::default(),
                permissions_boundary: None,
                bucket_account: connection.bucket_account.clone(),
            };
            let templates = PolicyTemplates::load().map_err(|invalid| invalid.to_string())?;
            let rendered = templates
                .documents(&parameters)
                .map_err(|invalid| invalid.to_string())?;
            RightDocuments {
                trust_policy: rendered.trust_policy,
                bucket_policy: rendered.bucket_policy,
                cors: rendered.cors,
            }
        }
        _ => RightDocuments::default(),
    };
    Ok(Expected {
        partition,
        bucket: connection.bucket.clone(),
        prefix: connection.prefix.clone(),
        lifecycle_folders: LifecycleFolders::default(),
        grants,
        auth: match connection.auth {
            Some(auth) => auth,
            None => Auth::Role,
        },
        role,
        kms_key: connection.kms_key_arn.clone(),
        region: connection.region,
        bucket_account: connection.bucket_account.clone(),
        principal,
        external_id: id.map(|id| id.to_string()),
        other_external_ids: Vec::new(),
        origins,
        right,
    })
}

fn print_json(
    findings: &[Finding],
    unread: &[String],
    name: impl Fn(&Finding) -> String,
    out: &mut impl Write,
) -> std::io::Result<()> {
    let findings: Vec<_> = findings
        .iter()
        .map(|finding| {
            let mut one = json!({
                "severity": finding.severity.as_str(),
                "code": finding.code.as_str(),
                "document": finding.document.as_str(),
                "file": name(finding),
                "path": finding.place.path,
                "line": finding.place.at.line,
                "column": finding.place.at.column,
                "title": finding.title,
                "explanation": finding.explanation,
                "remedy": finding.remedy,
            });
            if let Some(patch) = &finding.patch {
                one["patch"] = json!(patch);
            }
            one
        })
        .collect();
    let found = json!({"findings": findings, "unread": unread});
    writeln!(out, "{}", terminal::json(&found))
}

fn print_text(
    findings: &[Finding],
    unread: &[String],
    name: impl Fn(&Finding) -> String,
    out: &mut impl Write,
) -> std::io::Result<()> {
    for finding in findings {
        let at = finding.place.at;
        writeln!(
            out,
            "{}:{}:{}: {}: {} [{}]",
            printable(&name(finding)),
            at.line,
            at.column,
            finding.severity.as_str(),
            printable(&finding.title),
            finding.code.as_str()
        )?;
        writeln!(out, "    {}", printable(&finding.explanation))?;
        writeln!(out, "    What to change: {}", printable(&finding.remedy))?;
    }
    for what in unread {
        writeln!(out, "not read: {}", printable(what))?;
    }
    let count = |severity| findings.iter().filter(|f| f.severity == severity).count();
    let counts: Vec<String> = Severity::ALL
        .into_iter()
        .map(|severity| format!("{} {}", count(severity), severity.as_str()))
        .collect();
    writeln!(out, "Found: {}.", counts.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::Parser;

    #[derive(Parser)]
    struct Line {
        #[command(flatten)]
        arguments: Arguments,
    }

    async fn run_with(arguments: &[&str], read: ReadDocuments) -> Result<(u8, String), Failed> {
        let line = Line::try_parse_from([&["doctor"], arguments].concat())
            .map_err(|error| Failed::usage(error.to_string()))?;
        let mut out = Vec::new();
        let status = run(&line.arguments, async |_, _| Ok(read), &mut out).await?;
        Ok((status, String::from_utf8(out).unwrap()))
    }

    #[tokio::test]
    async fn files_are_recognised_and_the_worst_finding_is_the_status() {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str, text: &str| {
            let path = folder.path().join(name);
            std::fs::write(&path, text).unwrap();
            path.to_str().unwrap().to_owned()
        };
        let policy = path(
            "p.json",
            r#"{"Version": "2024-10-24", "Statement": [{"Effect": "Allow", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::acme-data/*"}]}"#,
        );
        let (status, text) = run_with(
            &[&policy, "--bucket", "acme-data"],
            ReadDocuments::default(),
        )
        .await
        .unwrap();
        assert_eq!(status, FAILED, "{text}");
        assert!(
            text.contains("p.json:1:13: error: ") && text.contains("[version_unknown]"),
            "{text}"
        );
        assert!(text.contains("action_not_granted"), "{text}");
        let json = run_with(&[&policy, "--output", "json"], ReadDocuments::default())
            .await
            .unwrap()
            .1;
        let json: serde_json::Value = serde_json::from_str(&json).unwrap();
        assert_eq!(json["findings"][0]["document"], "permission_policy");
        let cors = path(
            "c.json",
            r#"[{"AllowedMethods": ["GET"], "AllowedOrigins": ["https://a.example"]}]"#,
        );
        let (status, text) = run_with(&[&cors], ReadDocuments::default()).await.unwrap();
        assert_eq!(status, 0, "{text}");
        assert!(
            run_with(&["/nowhere/at/all"], ReadDocuments::default())
                .await
                .is_err()
        );
        assert!(run_with(&[], ReadDocuments::default()).await.is_err());
        assert!(
            run_with(&[&policy, "--external-id", "x"], ReadDocuments::default())
                .await
                .is_err()
        );
    }

    #[tokio::test]
    async fn policies_of_a_role_are_looked_at_together() {
        let pasted = |actions: &str, resource: &str| Pasted {
            kind: DocumentKind::PermissionPolicy,
            text: format!(
                r#"{{"Version": "2012-10-17", "Statement": [{{"Effect": "Allow", "Action": [{actions}], "Resource": "arn:aws:s3:::acme-data{resource}"}}]}}"#
            ),
        };
        let read = || ReadDocuments {
            documents: vec![
                pasted(r#""s3:ListBucket", "s3:GetBucketLocation""#, ""),
                pasted(r#""s3:GetObject""#, "/*"),
            ],
            names: vec!["list".into(), "read".into()],
            role_arn: Some("arn:aws:iam::444455556666:role/acme".into()),
            unread: vec!["the bucket policy: denied".into()],
        };
        let line = [
            "--bucket",
            "acme-data",
            "--role-name",
            "acme",
            "--access",
            "read",
        ];
        let (status, text) = run_with(&line, read()).await.unwrap();
        assert_eq!(status, 0, "{text}");
        assert!(
            text.contains("not read: the bucket policy: denied"),
            "{text}"
        );
    }
}
