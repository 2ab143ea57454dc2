//! Which account each document is for. The role, the bucket and the KMS key may belong to three.

use crate::domain::connection::access::Auth;
use crate::domain::connection::account::AccountId;
use crate::domain::connection::role_arn::RoleArn;
use crate::domain::policy_document::document_name::DocumentName;
use crate::domain::policy_document::parameters::DocumentParameters;

/// The role that the documents make or change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DocumentRole {
    pub name: String,
    /// Begins and ends with a slash; `/` alone for a role without a path.
    pub path: String,
    /// None until the customer has entered it, or the account that it will be in.
    pub arn: Option<RoleArn>,
}

/// An account, and what is applied in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DocumentAccount {
    /// None while it is not known.
    pub id: Option<AccountId>,
    pub documents: Vec<DocumentName>,
}

/// The accounts of the role, the bucket and the key; they are often the same one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DocumentAccounts {
    pub role: DocumentAccount,
    pub bucket: DocumentAccount,
    /// None where there is no key.
    pub key: Option<DocumentAccount>,
}

impl DocumentParameters {
    /// The account that has, or gets, the role or the user.
    pub fn role_account(&self) -> Option<&AccountId> {
        match self.auth {
            Auth::Role => self.role_arn.as_ref().map(RoleArn::account),
            // A user reaches a bucket of its own account: the documents make it there.
            Auth::AccessKey => self.bucket_account.as_ref(),
        }
    }

    /// The account that owns the bucket: the one that was named, or else the role's.
    pub fn owner(&self) -> Option<&AccountId> {
        self.bucket_account.as_ref().or(self.role_account())
    }

    /// The bucket's account, where it is known not to be the role's.
    pub fn bucket_account_apart(&self) -> Option<&AccountId> {
        let (role, bucket) = (self.role_account()?, self.bucket_account.as_ref()?);
        (role != bucket).then_some(bucket)
    }

    /// The key's account, where it is known not to be the role's.
    pub fn key_account_apart(&self) -> Option<&AccountId> {
        let (role, key) = (self.role_account()?, self.kms_key.as_ref()?.account());
        (role != key).then_some(key)
    }

    /// Where each document is applied. A script that does everything is the role's.
    pub(super) fn accounts(&self) -> DocumentAccounts {
        let by_role = self.auth == Auth::Role;
        let mut bucket = vec![DocumentName::Cors, DocumentName::Lifecycle];
        if by_role {
            bucket.push(DocumentName::BucketPolicy);
        }
        if self.bucket_account_apart().is_some() && self.role_exists {
            bucket.extend([DocumentName::CliBucket, DocumentName::CloudformationBucket]);
        }
        let mut identity = vec![DocumentName::PermissionPolicy];
        if by_role {
            identity.push(DocumentName::TrustPolicy);
        }
        identity.extend([
            DocumentName::Cli,
            DocumentName::Cloudformation,
            DocumentName::Terraform,
        ]);
        DocumentAccounts {
            role: DocumentAccount {
                id: self.role_account().cloned(),
                documents: identity,
            },
            bucket: DocumentAccount {
                id: self.owner().cloned(),
                documents: bucket,
            },
            key: self.kms_key.as_ref().filter(|_| by_role).map(|key| {
                let mut documents = vec![DocumentName::KeyPolicy];
                if self.key_account_apart().is_some() && self.role_exists {
                    documents.push(DocumentName::CliKey);
                }
                DocumentAccount {
                    id: Some(key.account().clone()),
                    documents,
                }
            }),
        }
    }
}
