//! The documents on a page: what was filled in is marked, and each leads to its page of the console.

use crate::application::error::{Error, Result};
use crate::domain::connection::account::{AccountId, Partition};
use crate::domain::policy_document::{DocumentName, DocumentParameters, Documents};

/// A document to read, copy and save.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DocumentView {
    pub name: &'static str,
    pub title: &'static str,
    /// The account that it is applied in. `None`: not known.
    pub account: Option<String>,
    pub file_name: String,
    /// Where it is saved from.
    pub download: String,
    pub parts: Vec<Part>,
}

impl DocumentView {
    pub fn lines(&self) -> usize {
        let breaks = |part: &Part| part.text.matches('\n').count();
        1 + self.parts.iter().map(breaks).sum::<usize>()
    }

    /// What its text is written in, for its colours.
    pub fn language(&self) -> &'static str {
        match self.file_name.rsplit_once('.') {
            Some((_, "json")) => "json",
            _ => "text",
        }
    }
}

/// A piece of a document's text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Part {
    pub text: String,
    /// Whether it was filled in for this customer.
    pub filled: bool,
}

/// A document; `None` for a bucket policy that there is not yet. `base` is the address that downloads
/// are below.
pub fn view(
    name: DocumentName,
    (documents, parameters): &(Documents, DocumentParameters),
    base: &str,
) -> Result<Option<DocumentView>> {
    let Some(text) = documents.text(name).map_err(Error::bug)? else {
        return Ok(None);
    };
    Ok(Some(DocumentView {
        name: name.as_str(),
        title: title(name),
        account: account_of(name, documents),
        file_name: name.file_name(&parameters.bucket),
        download: format!("{base}/{}", name.as_str()),
        parts: marked(&text, &filled_in(parameters)),
    }))
}

/// Several of them, in this order.
pub fn views(
    names: &[DocumentName],
    rendered: &(Documents, DocumentParameters),
    base: &str,
) -> Result<Vec<DocumentView>> {
    let mut views = Vec::with_capacity(names.len());
    for name in names {
        views.extend(view(*name, rendered, base)?);
    }
    Ok(views)
}

fn account_of(name: DocumentName, documents: &Documents) -> Option<String> {
    let accounts = documents.accounts.as_ref()?;
    let all = [
        Some(&accounts.role),
        Some(&accounts.bucket),
        accounts.key.as_ref(),
    ];
    let account = all
        .into_iter()
        .flatten()
        .find(|account| account.documents.contains(&name))?;
    account.id.as_ref().map(ToString::to_string)
}

/// Whose account is whose, as far as it is known.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AccountsView {
    pub role: Option<String>,
    /// Where it is named and not known to be the role's.
    pub bucket_apart: Option<String>,
    /// Where there is a key, and its account is not known to be the role's.
    pub key_apart: Option<String>,
}

impl AccountsView {
    pub fn of(parameters: &DocumentParameters) -> Self {
        let role = parameters.role_account();
        let apart = |account: Option<&AccountId>| {
            account
                .filter(|account| Some(*account) != role)
                .map(ToString::to_string)
        };
        Self {
            role: role.map(ToString::to_string),
            bucket_apart: apart(parameters.bucket_account.as_ref()),
            key_apart: apart(parameters.kms_key.as_ref().map(|key| key.account())),
        }
    }
}

fn title(name: DocumentName) -> &'static str {
    match name {
        DocumentName::PermissionPolicy => "Permission policy",
        DocumentName::TrustPolicy => "Trust policy",
        DocumentName::Cors => "CORS configuration",
        DocumentName::Lifecycle => "Lifecycle configuration",
        DocumentName::BucketPolicy => "Bucket policy",
        DocumentName::Cli => "AWS CLI script",
        DocumentName::Cloudformation => "CloudFormation template",
        DocumentName::Terraform => "Terraform configuration",
        DocumentName::KeyPolicy => "Statement for the KMS key’s policy",
        DocumentName::CliBucket => "AWS CLI script for the bucket’s account",
        DocumentName::CloudformationBucket => "CloudFormation template for the bucket’s account",
        DocumentName::CliKey => "AWS CLI script for the KMS key’s account",
    }
}

/// The values that are this customer's, as documents write them.
fn filled_in(parameters: &DocumentParameters) -> Vec<String> {
    let mut values = vec![
        parameters.external_id.to_string(),
        parameters.service_principal.arn().to_owned(),
        parameters.bucket.to_string(),
    ];
    if !parameters.prefix.is_whole_bucket() {
        values.push(parameters.prefix.to_string());
    }
    values.extend(parameters.kms_key.as_ref().map(ToString::to_string));
    values.extend(parameters.role_arn.as_ref().map(ToString::to_string));
    values.extend(parameters.allowed_origins.iter().map(ToString::to_string));
    // The longest first: a bucket's name may be a part of another value.
    values.sort_by_key(|value| std::cmp::Reverse(value.len()));
    values
}

/// Cuts a text where these values stand in it, each as a whole word.
fn marked(text: &str, values: &[String]) -> Vec<Part> {
    let mut parts: Vec<Part> = Vec::new();
    let mut plain = String::new();
    let mut at = 0;
    while let Some(next) = text[at..].chars().next() {
        let found = values
            .iter()
            .find(|value| !value.is_empty() && stands_at(text, at, value));
        match found {
            Some(value) => {
                if !plain.is_empty() {
                    parts.push(Part {
                        text: std::mem::take(&mut plain),
                        filled: false,
                    });
                }
                parts.push(Part {
                    text: value.clone(),
                    filled: true,
                });
                at += value.len();
            }
            None => {
                plain.push(next);
                at += next.len_utf8();
            }
        }
    }
    if !plain.is_empty() {
        parts.push(Part {
            text: plain,
            filled: false,
        });
    }
    parts
}

fn stands_at(text: &str, at: usize, value: &str) -> bool {
    let of_word = |c: char| c.is_alphanumeric() || matches!(c, '-' | '_' | '.');
    let ends_open = value.ends_with('/');
    text[at..].starts_with(value)
        && !text[..at].chars().next_back().is_some_and(of_word)
        && (ends_open || !text[at + value.len()..].starts_with(of_word))
}

/// Where a step is done in the AWS Management Console of the customer's partition. `None`: its address is
/// not published.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Console {
    pub create_policy: Option<String>,
    pub create_role: Option<String>,
    pub create_user: Option<String>,
    pub create_stack: Option<String>,
    pub bucket_permissions: Option<String>,
    pub bucket_management: Option<String>,
}

impl Console {
    pub fn of(partition: Partition, bucket: Option<&str>) -> Self {
        let page = |path: &str| {
            let host = partition.console_host()?;
            Some(format!("https://{host}/{path}"))
        };
        let bucket_page = |tab: &str| match bucket {
            Some(bucket) => page(&format!("s3/buckets/{bucket}?tab={tab}")),
            None => page("s3/buckets"),
        };
        Self {
            create_policy: page("iam/home#/policies/create"),
            create_role: page("iam/home#/roles/create"),
            create_user: page("iam/home#/users/create"),
            create_stack: page("cloudformation/home#/stacks/create"),
            bucket_permissions: bucket_page("permissions"),
            bucket_management: bucket_page("management"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_marked_as_whole_words() {
        let values = ["acme-data".to_owned(), "team/".to_owned()];
        let text = "arn:aws:s3:::acme-data/team/* acme-data-2 my-acme-data steam/ \"acme-data\"";
        let parts = marked(text, &values);
        let whole: String = parts.iter().map(|part| part.text.as_str()).collect();
        assert_eq!(whole, text);
        let filled: Vec<&str> = parts
            .iter()
            .filter(|part| part.filled)
            .map(|part| part.text.as_str())
            .collect();
        assert_eq!(filled, ["acme-data", "team/", "acme-data"]);
    }

    #[test]
    fn each_partition_has_its_own_console() {
        let china = Console::of(Partition::AwsCn, Some("acme-data"));
        assert_eq!(
            china.bucket_permissions.as_deref(),
            Some("https://console.amazonaws.cn/s3/buckets/acme-data?tab=permissions")
        );
        let create_role = Console::of(Partition::AwsUsGov, None).create_role;
        assert!(create_role.is_some_and(|url| url.contains("amazonaws-us-gov.com")));
        // No link is better than a wrong one.
        assert_eq!(Console::of(Partition::AwsIso, None).create_role, None);
    }
}
