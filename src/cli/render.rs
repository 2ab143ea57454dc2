//! `sallyport render`

use crate::cli::connection::{ConnectionOptions, Output};
use crate::cli::ending::Failed;
use crate::cli::terminal::{json, table};
use crate::domain::ids::SetupId;
use crate::domain::policy_document::{DocumentName, Documents, LifecycleFolders};
use serde_json::json;
use std::io::Write;

/// Print a document of a setup, as the server hands it out for the same values.
///
/// Nothing is asked of AWS or of a server. Without DOCUMENT it lists the documents.
#[derive(Debug, Clone, clap::Args)]
#[command(after_help = "\
Examples:
  sallyport render
  sallyport render trust_policy --bucket acme-data --external-id 0b0b5d4c-6c5f-4f0e-9d1c-0d9f6d0c9a53 \\
      --service-principal arn:aws:iam::111122223333:root > trust.json
  sallyport render terraform --bucket acme-data --prefix team/ --access read --lifecycle false \\
      --external-id ... --service-principal ... --allowed-origins https://app.example.com > connect.tf

Exit status: 0 printed; 1 the document does not apply to these values; 2 wrong usage.")]
pub struct Arguments {
    /// The document's name, like permission_policy
    #[arg(value_name = "DOCUMENT", value_parser = document)]
    pub document: Option<DocumentName>,

    #[command(flatten)]
    pub connection: ConnectionOptions,

    /// The setup that the document is for
    #[arg(long, value_name = "ID", help_heading = "Connection", value_parser = crate::cli::connection::parse(SetupId::parse))]
    pub setup_id: Option<SetupId>,

    /// The two folders below the prefix that the lifecycle rules empty, where the server has others
    #[arg(long, value_name = "TEMP,EXPORT", help_heading = "Connection", env = "SALLYPORT_LIFECYCLE_FOLDERS", hide_env_values = true, default_value = "temp,export", value_parser = crate::cli::connection::parse(LifecycleFolders::parse))]
    pub lifecycle_folders: LifecycleFolders,

    /// How to print the list of documents; a document itself is printed as it is
    #[arg(long, value_enum, default_value_t = Output::Table)]
    pub output: Output,
}

fn document(text: &str) -> Result<DocumentName, String> {
    DocumentName::parse(&text.replace('-', "_")).map_err(|invalid| invalid.detail)
}

/// Prints the document, byte for byte as it is.
pub fn print(
    name: DocumentName,
    documents: &Documents,
    out: &mut impl Write,
) -> Result<(), Failed> {
    let text = documents
        .text(name)
        .map_err(|invalid| Failed::from(invalid.detail))?;
    let text = text.ok_or_else(|| {
        Failed::from(format!(
            "`{}` does not apply to these values. {}",
            name.as_str(),
            when(name)
        ))
    })?;
    out.write_all(text.as_bytes())?;
    Ok(out.flush()?)
}

/// Prints which documents there are.
pub fn list(output: Output, out: &mut impl Write) -> Result<(), Failed> {
    match output {
        Output::Json => {
            let documents: Vec<_> = DocumentName::ALL
                .iter()
                .map(|name| {
                    json!({
                        "name": name.as_str(),
                        "content_type": name.content_type(),
                        "description": what(*name),
                        "applies": when(*name),
                    })
                })
                .collect();
            writeln!(out, "{}", json(&json!({ "documents": documents })))?;
        }
        Output::Table => {
            let rows: Vec<Vec<String>> = DocumentName::ALL
                .iter()
                .map(|name| vec![name.as_str().to_owned(), what(*name).to_owned()])
                .collect();
            out.write_all(table(&rows, &[]).as_bytes())?;
        }
    }
    Ok(out.flush()?)
}

/// What a document is, for a list.
fn what(name: DocumentName) -> &'static str {
    match name {
        DocumentName::PermissionPolicy => "What the role may do (JSON)",
        DocumentName::TrustPolicy => "Who may assume the role, and with which external ID (JSON)",
        DocumentName::Cors => "Which pages may use the bucket in a browser (JSON)",
        DocumentName::Lifecycle => "What S3 deletes after 7 days (JSON)",
        DocumentName::BucketPolicy => "For the bucket's own policy (JSON)",
        DocumentName::Cli => "A script for the AWS CLI",
        DocumentName::Cloudformation => "A CloudFormation template",
        DocumentName::Terraform => "A Terraform file",
        DocumentName::KeyPolicy => "The statement for the KMS key's policy (JSON)",
        DocumentName::CliBucket => "A script for the account that owns the bucket",
        DocumentName::CloudformationBucket => {
            "A CloudFormation template for the account that owns the bucket"
        }
        DocumentName::CliKey => "A script for the account that owns the KMS key",
    }
}

/// When a document applies.
fn when(name: DocumentName) -> &'static str {
    match name {
        DocumentName::PermissionPolicy => "It always applies.",
        DocumentName::TrustPolicy => "It applies to a connection by a role.",
        DocumentName::Cors => {
            "It applies with --allowed-origins, unless --browser-access is false."
        }
        DocumentName::Lifecycle => {
            "It applies with --access read_write, unless --lifecycle is false."
        }
        DocumentName::BucketPolicy => "It applies once --role-arn is known.",
        DocumentName::Cli | DocumentName::Cloudformation | DocumentName::Terraform => {
            "It applies to a bucket at AWS."
        }
        DocumentName::KeyPolicy => "It applies with --kms-key-arn, once --role-arn is known.",
        DocumentName::CliBucket | DocumentName::CloudformationBucket => {
            "It applies where --bucket-account is another account than that of --role-arn."
        }
        DocumentName::CliKey => {
            "It applies where the account of --kms-key-arn is another one than that of --role-arn."
        }
    }
}
