//! The files of `policies/`, loaded.

use crate::domain::Invalid;
use crate::domain::connection::Connection;
use crate::domain::connection::access::{Access, Auth};
use crate::domain::connection::account::{AccountId, Partition};
use crate::domain::connection::bucket_name::BucketName;
use crate::domain::connection::bucket_prefix::BucketPrefix;
use crate::domain::connection::external_id::ExternalId;
use crate::domain::connection::grants::Grants;
use crate::domain::connection::kms_key_arn::KmsKeyArn;
use crate::domain::connection::role_arn::RoleArn;
use crate::domain::connection::service_identity::ServicePrincipal;
use crate::domain::origin::OriginPattern;
use crate::domain::policy_document::access_policy::{AccessPolicy, ByAccess, Scope};
use crate::domain::policy_document::accounts::DocumentRole;
use crate::domain::policy_document::bucket_rules::{CorsRule, Lifecycle};
use crate::domain::policy_document::documents::{Documents, Parts, unwritable};
use crate::domain::policy_document::lifecycle_folders::LifecycleFolders;
use crate::domain::policy_document::parameters::{DocumentParameters, sid_prefix};
use crate::domain::policy_document::session_policies::SessionPolicies;
use crate::domain::policy_document::trust_policy::TrustPolicy;
use crate::domain::policy_document::{cli, cloudformation, terraform};
use serde::de::DeserializeOwned;
use serde_json::Value;

/// The typed model of `policies/`. Load it once and share it; rendering is pure.
#[derive(Debug, Clone)]
pub struct PolicyTemplates {
    permission_policy: ByAccess<AccessPolicy>,
    bucket_policy: ByAccess<AccessPolicy>,
    trust_policy: TrustPolicy,
    cors: ByAccess<[CorsRule; 1]>,
    lifecycle: Lifecycle,
    sessions: SessionPolicies,
}

macro_rules! file {
    ($name:literal) => {
        (
            $name,
            include_str!(concat!("../../../policies/", $name, ".json")),
        )
    };
}

impl PolicyTemplates {
    /// STS's limit for an inline session policy, in characters (STS API reference, AssumeRole, Policy).
    pub const MAX_SESSION_POLICY: usize = 2048;

    /// Parses the files that were built in. `invalid_policy_template` for one that is not of its model,
    /// which has an unknown placeholder, say.
    pub fn load() -> Result<Self, Invalid> {
        Ok(Self {
            permission_policy: ByAccess {
                read: access_policy(file!("permission_policy_read"), false)?,
                read_write: access_policy(file!("permission_policy_read_write"), false)?,
            },
            bucket_policy: ByAccess {
                read: access_policy(file!("bucket_policy_read"), true)?,
                read_write: access_policy(file!("bucket_policy_read_write"), true)?,
            },
            trust_policy: parse(file!("trust_policy"))?,
            cors: ByAccess {
                read: parse(file!("cors_read"))?,
                read_write: parse(file!("cors_read_write"))?,
            },
            lifecycle: parse(file!("lifecycle"))?,
            sessions: SessionPolicies::new(),
        })
    }

    /// Renders every document. `unwritable_document` if a format refused a value, which no valid
    /// parameters are known to cause.
    pub fn documents(&self, parameters: &DocumentParameters) -> Result<Documents, Invalid> {
        let scope = Scope {
            partition: parameters.partition,
            bucket: &parameters.bucket,
            prefix: &parameters.prefix,
            kms_key: parameters.kms_key.as_ref(),
            grants: parameters.grants,
        };
        let access = parameters.grants.access;
        let permission_policy = self.permission_policy.of(access).render(&scope, None);
        let trust_policy =
            self.trust_policy(&parameters.service_principal, &parameters.external_id)?;
        let by_key = parameters.auth == Auth::AccessKey;
        let sids = parameters.sid_prefix();
        let bucket_policy = parameters.principal_role().map(|role| {
            let policy = self.bucket_policy.of(access);
            policy.render_with_sids(&scope, Some(role), &sids)
        });
        let key_policy = parameters.principal_role().and_then(|role| {
            let policy = self.permission_policy.of(access);
            policy.key_policy(&scope, role, &sids)
        });
        let role = parameters.role_name();
        let [cors] = self.cors.of(access);
        let cors = cors.fill(&parameters.allowed_origins, Some(&parameters.external_id));
        let lifecycle = parameters.lifecycle.then(|| {
            let (prefix, folders) = (&parameters.prefix, &parameters.lifecycle_folders);
            self.lifecycle
                .fill(prefix, folders, Some(&parameters.external_id))
        });
        let parts = Parts {
            parameters,
            role: role.clone(),
            user: parameters.user_name(),
            permission_policy: &permission_policy,
            trust_policy: &trust_policy,
            bucket_policy: bucket_policy.as_ref(),
            key_policy: key_policy.as_ref(),
            cors: cors.as_ref(),
            lifecycle: lifecycle.as_ref(),
        };
        let scripts = match (by_key, parameters.at_store) {
            (true, true) => Scripts::default(),
            (true, false) => Scripts {
                cli: Some(cli::render_for_user(&parts)?),
                cloudformation: Some(cloudformation::render_for_user(&parts)?),
                terraform: Some(terraform::render(&parts)?),
                ..Scripts::default()
            },
            (false, _) => Scripts {
                cli: Some(cli::render(&parts)?),
                cloudformation: Some(cloudformation::render(&parts)?),
                terraform: Some(terraform::render(&parts)?),
                cli_bucket: cli::render_for_bucket(&parts)?,
                cloudformation_bucket: cloudformation::render_for_bucket(&parts)?,
                cli_key: cli::render_for_key(&parts)?,
            },
        };
        let user = parts.user.clone();
        Ok(Documents {
            cli: scripts.cli,
            cloudformation: scripts.cloudformation,
            cloudformation_quick_create_url: None,
            terraform: scripts.terraform,
            cli_bucket: scripts.cli_bucket,
            cloudformation_bucket: scripts.cloudformation_bucket,
            cli_key: scripts.cli_key,
            key_policy,
            role: (!by_key).then(|| DocumentRole {
                name: role.name,
                path: role.path,
                arn: parameters.role_arn.clone(),
            }),
            user: (by_key && !parameters.at_store).then_some(user),
            setup_tag: parameters.setup_tag().filter(|_| !parameters.at_store),
            permissions_boundary: parameters
                .permissions_boundary
                .clone()
                .filter(|_| !parameters.at_store),
            accounts: (!parameters.at_store).then(|| parameters.accounts()),
            cors: cors.map(cors_document).transpose()?,
            lifecycle: lifecycle.map(lifecycle_document).transpose()?,
            permission_policy,
            trust_policy: (!by_key).then_some(trust_policy),
            bucket_policy,
        })
    }

    /// What applies to the service's own bucket: the permission policy is for the service's identity, and
    /// there is no role.
    pub fn documents_without_role(
        &self,
        partition: Partition,
        connection: &Connection,
        origins: &[OriginPattern],
        folders: &LifecycleFolders,
    ) -> Result<Documents, Invalid> {
        let settings = &connection.settings;
        let scope = scope_of(partition, connection);
        let [cors] = self.cors.of(settings.access);
        let cors = cors.fill(settings.allowed_origins(origins), None);
        let lifecycle = settings
            .has_lifecycle()
            .then(|| self.lifecycle.fill(&settings.prefix, folders, None));
        Ok(Documents {
            permission_policy: self
                .permission_policy
                .of(settings.access)
                .render(&scope, None),
            cors: cors.map(cors_document).transpose()?,
            lifecycle: lifecycle.map(lifecycle_document).transpose()?,
            trust_policy: None,
            bucket_policy: None,
            cli: None,
            cloudformation: None,
            cloudformation_quick_create_url: None,
            terraform: None,
            key_policy: None,
            cli_bucket: None,
            cloudformation_bucket: None,
            cli_key: None,
            role: None,
            user: None,
            setup_tag: None,
            permissions_boundary: None,
            accounts: None,
        })
    }

    /// The trust policy alone.
    pub fn trust_policy(
        &self,
        principal: &ServicePrincipal,
        external_id: &ExternalId,
    ) -> Result<Value, Invalid> {
        serde_json::to_value(self.trust_policy.fill(principal, external_id)).map_err(unwritable)
    }

    /// The text of the policy that limits one session to bucket, prefix and access, as AssumeRole takes
    /// it: only U+0020 to U+00FF, at most [`PolicyTemplates::MAX_SESSION_POLICY`] characters.
    ///
    /// `prefix_too_long` if it would be longer: a prefix counts twice, and each of its characters that
    /// must be escaped counts four to twelve times. STS has a second limit, on the packed policy, that
    /// only it can check.
    pub fn session_policy(
        &self,
        partition: Partition,
        bucket: &BucketName,
        prefix: &BucketPrefix,
        grants: Grants,
        kms_key: Option<&KmsKeyArn>,
    ) -> Result<String, Invalid> {
        let scope = Scope {
            partition,
            bucket,
            prefix,
            kms_key,
            grants,
        };
        let text = self.sessions.files(&scope, None);
        let length = text.chars().count();
        if length > Self::MAX_SESSION_POLICY {
            return Err(Invalid::new(
                "prefix_too_long",
                format!(
                    "With this bucket prefix, the policy of a role session would have {length} characters; AWS takes {}. Use a shorter prefix; `*`, `?`, `$` and characters beyond Latin-1 count several times.",
                    Self::MAX_SESSION_POLICY
                ),
            ));
        }
        Ok(text)
    }

    /// The same for a connection, and limited to what `owner` owns. Unlike the header of the service's own
    /// calls, that holds for signed URLs too, whoever uses them. It is left out where the policy would become
    /// too long by it.
    pub fn files_session_policy(
        &self,
        partition: Partition,
        connection: &Connection,
        owner: Option<&AccountId>,
    ) -> Result<String, Invalid> {
        let (settings, scope) = (&connection.settings, scope_of(partition, connection));
        let owned = self.sessions.files(&scope, owner);
        if owned.chars().count() <= Self::MAX_SESSION_POLICY {
            return Ok(owned);
        }
        self.session_policy(
            partition,
            &connection.bucket,
            &settings.prefix,
            settings.grants(),
            settings.kms_key.as_ref(),
        )
    }

    /// The same for the operations whose permissions a customer may have granted besides the documents':
    /// versions, ACLs and tags of objects below the prefix, and aborting uploads.
    pub fn objects_session_policy(
        &self,
        partition: Partition,
        connection: &Connection,
        owner: Option<&AccountId>,
    ) -> String {
        let scope = scope_of(partition, connection);
        let owned = self.sessions.objects(&scope, owner);
        if owned.chars().count() <= Self::MAX_SESSION_POLICY {
            return owned;
        }
        self.sessions.objects(&scope, None)
    }

    /// The same for the names of the account's buckets. They are those of the role's account anyway.
    pub fn all_buckets_session_policy(&self) -> String {
        self.sessions.all_buckets()
    }

    /// The same for the names of the folders in the connection's bucket, prefix or not: what somebody chooses a
    /// prefix from.
    pub fn folders_session_policy(
        &self,
        partition: Partition,
        connection: &Connection,
        owner: Option<&AccountId>,
    ) -> String {
        self.sessions
            .folders(&scope_of(partition, connection), owner)
    }

    /// The statement to add to the permission policy when `action` (such as `s3:ListBucket`) is missing.
    /// None for an action that no document grants, and for a `kms:` action without a key.
    pub fn statement_for(
        &self,
        partition: Partition,
        bucket: &BucketName,
        prefix: &BucketPrefix,
        action: &str,
        kms_key: Option<&KmsKeyArn>,
    ) -> Option<Value> {
        let scope = Scope {
            partition,
            bucket,
            prefix,
            kms_key,
            grants: Grants::all(Access::ReadWrite),
        };
        self.permission_policy
            .read_write
            .statement_for(action, &scope)
    }

    /// The permission policy alone, as in [`Documents::permission_policy`].
    pub fn permission_policy(&self, partition: Partition, connection: &Connection) -> Value {
        let scope = scope_of(partition, connection);
        self.permission_policy
            .of(connection.settings.access)
            .render(&scope, None)
    }

    /// The bucket policy alone, as in [`Documents::bucket_policy`].
    pub fn bucket_policy(
        &self,
        partition: Partition,
        connection: &Connection,
        role: &RoleArn,
    ) -> Value {
        let scope = scope_of(partition, connection);
        self.bucket_policy
            .of(connection.settings.access)
            .render_with_sids(&scope, Some(role), &sids_of(connection))
    }

    /// The key policy alone, as in [`Documents::key_policy`], for a key that need not be that of the settings.
    pub fn key_policy(
        &self,
        partition: Partition,
        connection: &Connection,
        key: &KmsKeyArn,
        role: &RoleArn,
    ) -> Option<Value> {
        let scope = Scope {
            kms_key: Some(key),
            ..scope_of(partition, connection)
        };
        self.permission_policy
            .of(connection.settings.access)
            .key_policy(&scope, role, &sids_of(connection))
    }

    /// The ARN that `action` applies to, as the documents grant it. None as in
    /// [`PolicyTemplates::statement_for`].
    pub fn resource_for(
        &self,
        partition: Partition,
        bucket: &BucketName,
        prefix: &BucketPrefix,
        action: &str,
        kms_key: Option<&KmsKeyArn>,
    ) -> Option<String> {
        let scope = Scope {
            partition,
            bucket,
            prefix,
            kms_key,
            grants: Grants::all(Access::ReadWrite),
        };
        self.permission_policy
            .read_write
            .resource_for(action, &scope)
    }

    /// The CORS rules alone, as in [`Documents::cors`].
    pub fn cors(
        &self,
        access: Access,
        origins: &[OriginPattern],
        external_id: Option<&ExternalId>,
    ) -> Result<Value, Invalid> {
        let [rule] = self.cors.of(access);
        serde_json::to_value(Vec::from_iter(rule.fill(origins, external_id))).map_err(unwritable)
    }

    /// The methods that the CORS document allows, which a preflight must be granted.
    pub fn cors_methods(&self, access: Access) -> &[String] {
        let [rule] = self.cors.of(access);
        &rule.allowed_methods
    }
}

/// How the Sids begin in policies of others. Empty without an external ID.
fn sids_of(connection: &Connection) -> String {
    connection
        .credentials
        .external_id()
        .map(sid_prefix)
        .unwrap_or_default()
}

/// The documents that are run.
#[derive(Default)]
struct Scripts {
    cli: Option<String>,
    cloudformation: Option<String>,
    terraform: Option<String>,
    cli_bucket: Option<String>,
    cloudformation_bucket: Option<String>,
    cli_key: Option<String>,
}

fn scope_of(partition: Partition, connection: &Connection) -> Scope<'_> {
    Scope {
        partition,
        bucket: &connection.bucket,
        prefix: &connection.settings.prefix,
        kms_key: connection.settings.kms_key.as_ref(),
        grants: connection.settings.grants(),
    }
}

fn lifecycle_document(lifecycle: Lifecycle<String>) -> Result<Value, Invalid> {
    serde_json::to_value(lifecycle).map_err(unwritable)
}

fn cors_document(rule: CorsRule<Vec<String>>) -> Result<Value, Invalid> {
    serde_json::to_value([rule]).map_err(unwritable)
}

fn access_policy(file: (&str, &str), with_principal: bool) -> Result<AccessPolicy, Invalid> {
    let policy: AccessPolicy = parse(file)?;
    if policy.names_principals() == Some(with_principal) {
        return Ok(policy);
    }
    let rule = if with_principal {
        "every statement names the role as its principal"
    } else {
        "no statement names a principal"
    };
    Err(damaged(file.0, rule))
}

fn parse<T: DeserializeOwned>((name, text): (&str, &str)) -> Result<T, Invalid> {
    let mut json = serde_json::Deserializer::from_str(text);
    serde_path_to_error::deserialize(&mut json).map_err(|cause| damaged(name, &cause.to_string()))
}

fn damaged(name: &str, what: &str) -> Invalid {
    Invalid::new(
        "invalid_policy_template",
        format!("policies/{name}.json: {what}"),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::connection::Credentials;
    use crate::domain::connection::settings::BucketSettings;
    use crate::domain::files::file_operation::{PERMISSIONS, Target};
    use serde_json::json;

    /// Loads one of the files with a part replaced, and returns the refusal.
    fn refusal<T: DeserializeOwned>(
        (name, text): (&'static str, &str),
        part: &str,
        by: &str,
    ) -> String {
        assert!(text.contains(part), "{name} has no {part}");
        match parse::<T>((name, &text.replace(part, by))) {
            Ok(_) => panic!("{by} was accepted in {name}"),
            Err(invalid) => invalid.detail,
        }
    }

    #[test]
    fn the_files_load() {
        PolicyTemplates::load().unwrap();
    }

    #[test]
    fn a_placeholder_that_is_unknown_or_misplaced_stops_the_load() {
        let read = file!("permission_policy_read");
        for by in [
            "{bucket}",
            "{list_prefixes}",
            "{external_id}",
            "*",
            "{bucket_arn}/*",
        ] {
            let detail = refusal::<AccessPolicy>(read, "{bucket_arn}", by);
            assert!(detail.starts_with("policies/permission_policy_read.json: "));
            assert!(detail.contains("{bucket_arn}"), "{detail}");
        }
        refusal::<AccessPolicy>(read, "{list_prefixes}", "team/*");
        refusal::<AccessPolicy>(read, "Allow", "Deny");
        refusal::<AccessPolicy>(read, "2012-10-17", "2008-10-17");
        refusal::<AccessPolicy>(read, "\"Resource\"", "\"NotResource\"");
        refusal::<[CorsRule; 1]>(file!("cors_read"), "{allowed_origins}", "*");
        refusal::<Lifecycle>(file!("lifecycle"), "{temp_prefix}", "temp/");
    }

    #[test]
    fn a_trust_policy_without_a_strict_condition_stops_the_load() {
        let trust = file!("trust_policy");
        refusal::<TrustPolicy>(trust, "StringEquals", "StringLike");
        refusal::<TrustPolicy>(trust, "StringEquals", "StringEqualsIfExists");
        refusal::<TrustPolicy>(trust, "{external_id}", "*");
        refusal::<TrustPolicy>(trust, "{service_principal}", "*");
        refusal::<TrustPolicy>(trust, "\"Condition\"", "\"Comment\"");
    }

    #[test]
    fn principals_are_in_bucket_policies_only() {
        assert!(access_policy(file!("bucket_policy_read"), false).is_err());
        assert!(access_policy(file!("permission_policy_read"), true).is_err());
    }

    #[test]
    fn the_documents_grant_what_the_table_of_permissions_says() {
        let templates = PolicyTemplates::load().unwrap();
        for access in Access::ALL {
            let granted: Vec<(&str, Target)> = PERMISSIONS
                .iter()
                .filter(|row| row.in_documents(Grants::all(access)))
                .map(|row| (row.permission.action, row.permission.on))
                .collect();
            let policy = templates.permission_policy.of(access);
            assert!(policy.granted().eq(granted.iter().copied()), "{access:?}");
            // The key has a policy of its own.
            let on_bucket = granted.iter().filter(|(_, on)| *on != Target::Key);
            let policy = templates.bucket_policy.of(access);
            assert!(policy.granted().eq(on_bucket.copied()), "{access:?}");
        }
    }

    #[test]
    fn sessions_stay_below_the_prefix_and_within_the_access() {
        let policies = PolicyTemplates::load().unwrap();
        let connection = |access| Connection {
            bucket: BucketName::parse("acme").unwrap(),
            settings: BucketSettings {
                prefix: BucketPrefix::parse("team*").unwrap(),
                access,
                object_versions: Some(true),
                ..BucketSettings::default()
            },
            credentials: Credentials::Service,
        };
        let text = policies.objects_session_policy(Partition::Aws, &connection(Access::Read), None);
        let policy: Value = serde_json::from_str(&text).unwrap();
        assert_eq!(
            policy["Statement"][0]["Resource"],
            json!(["arn:aws:s3:::acme/team${*}/*"])
        );
        assert!(!text.contains("Put") && !text.contains("kms:"));
        // The usual session has what the documents grant on the bucket.
        assert!(!text.contains("s3:ListBucketVersions"));
        let usual = policies
            .files_session_policy(Partition::Aws, &connection(Access::Read), None)
            .unwrap();
        let usual: Value = serde_json::from_str(&usual).unwrap();
        let listing = &usual["Statement"][1];
        assert_eq!(
            listing["Action"],
            json!(["s3:ListBucket", "s3:ListBucketVersions"])
        );
        assert_eq!(
            listing["Condition"]["StringLike"]["s3:prefix"],
            json!(["team${*}/*"])
        );
        let text =
            policies.objects_session_policy(Partition::AwsCn, &connection(Access::ReadWrite), None);
        assert!(text.contains("arn:aws-cn:s3:::acme/") && text.contains("s3:AbortMultipartUpload"));
    }
}
