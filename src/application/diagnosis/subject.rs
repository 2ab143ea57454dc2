//! What a diagnosis is about: one connection, and what is known of the service.

use crate::domain::cause::answers::Attempt;
use crate::domain::cause::caller::Caller;
use crate::domain::cause::signing_in::AskedRole;
use crate::domain::connection::service_identity::ServicePrincipal;
use crate::domain::connection::{Connection, Credentials};
use crate::domain::files::file_operation::{Target, target_of};
use crate::domain::origin::OriginPattern;
use crate::domain::policy_document::PolicyTemplates;

/// What a diagnosis is about.
pub(crate) struct Subject<'a> {
    pub policies: &'a PolicyTemplates,
    pub connection: &'a Connection,
    /// Whom the trust policy names, where it is known.
    pub principal: Option<ServicePrincipal>,
    /// Where the product's pages are served from.
    pub origins: &'a [OriginPattern],
}

impl Subject<'_> {
    pub fn caller(&self) -> Caller {
        Caller::of(self.connection)
    }

    pub fn bucket(&self) -> String {
        self.connection.bucket.to_string()
    }

    pub fn prefix(&self) -> String {
        self.connection.settings.prefix.to_string()
    }

    /// Whether the bucket is at an S3-compatible store.
    pub fn is_at_store(&self) -> bool {
        self.connection.endpoint().is_some()
    }

    /// Whether the bucket is the operator's own.
    pub fn is_built_in(&self) -> bool {
        self.connection.credentials == Credentials::Service
    }

    /// The endpoint's host, and its port where it has one.
    pub fn host(&self) -> String {
        match self.connection.endpoint() {
            Some(endpoint) => endpoint.authority(),
            None => "Amazon S3".to_owned(),
        }
    }

    pub fn attempt(&self) -> Attempt {
        match self.is_at_store() {
            true => Attempt::AskStore,
            false => Attempt::AskBucket,
        }
    }

    /// The role, for what is said of it. Empty texts where there is none.
    pub fn role(&self) -> AskedRole {
        let (arn, external_id) = match &self.connection.credentials {
            Credentials::Role {
                role_arn,
                external_id,
            } => (role_arn.to_string(), external_id.to_string()),
            Credentials::AccessKey { .. } | Credentials::Service => Default::default(),
        };
        AskedRole {
            arn,
            external_id,
            service_account: self
                .principal
                .as_ref()
                .map(|principal| principal.account().to_string()),
        }
    }

    /// The ARN that an action needs to be granted on, also one that the documents do not grant. `None`: an action
    /// that no operation needs, or one on a key that is not known.
    pub fn resource_for(&self, action: &str) -> Option<String> {
        let settings = &self.connection.settings;
        let of = |action: &str| {
            self.policies.resource_for(
                self.connection.partition(),
                &self.connection.bucket,
                &settings.prefix,
                action,
                settings.kms_key.as_ref(),
            )
        };
        // An action that the documents grant on the same resource leads to its ARN.
        of(action).or_else(|| match target_of(action)? {
            Target::Bucket => of("s3:ListBucket"),
            Target::Objects => of("s3:GetObject"),
            Target::Everything => Some("*".to_owned()),
            Target::Key => None,
        })
    }
}
