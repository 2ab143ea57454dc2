//! What the documents are compared with: a connection as far as it is known, and what it needs.

use crate::domain::connection::access::Auth;
use crate::domain::connection::account::{AccountId, Partition};
use crate::domain::connection::bucket_name::BucketName;
use crate::domain::connection::bucket_prefix::BucketPrefix;
use crate::domain::connection::grants::Grants;
use crate::domain::connection::kms_key_arn::KmsKeyArn;
use crate::domain::connection::region::Region;
use crate::domain::connection::role_arn::RoleArn;
use crate::domain::connection::service_identity::ServicePrincipal;
use crate::domain::doctor::condition::Context;
use crate::domain::files::file_operation::{PERMISSIONS, Permission, Target};
use crate::domain::origin::OriginPattern;
use crate::domain::policy_document::{LifecycleFolders, escape};
use serde_json::{Value, json};

/// A connection, as far as it is known. What is not known is not compared.
#[derive(Debug, Clone)]
pub struct Expected {
    pub partition: Partition,
    pub bucket: Option<BucketName>,
    pub prefix: BucketPrefix,
    /// The check writes its own file into the first of them.
    pub lifecycle_folders: LifecycleFolders,
    pub grants: Grants,
    pub auth: Auth,
    pub role: Option<RoleArn>,
    pub kms_key: Option<KmsKeyArn>,
    pub region: Option<Region>,
    /// The account that owns the bucket, where it is not the role's.
    pub bucket_account: Option<AccountId>,
    /// Who assumes the role.
    pub principal: Option<ServicePrincipal>,
    pub external_id: Option<String>,
    /// Of other setups and storages of the same workspace.
    pub other_external_ids: Vec<String>,
    /// Empty: browsers do not use the bucket.
    pub origins: Vec<OriginPattern>,
    /// What Sallyport renders for the connection, for what is to be replaced as a whole.
    pub right: RightDocuments,
}

/// Documents as they should be. None where one does not apply, or cannot be rendered yet.
#[derive(Debug, Clone, Default)]
pub struct RightDocuments {
    pub trust_policy: Option<Value>,
    pub bucket_policy: Option<Value>,
    pub cors: Option<Value>,
}

/// An action that the connection needs, and the requests that stand for all that it makes with it.
#[derive(Debug, Clone)]
pub struct Need {
    pub permission: Permission,
    /// Whether the connection is of no use without it. ACLs, versions and the end of uploads in parts are features of
    /// their own.
    pub is_essential: bool,
    pub samples: Vec<Sample>,
}

#[derive(Debug, Clone)]
pub struct Sample {
    pub resource: String,
    pub context: Context,
}

impl Expected {
    /// Every action that the chosen access needs; none while the bucket is not known.
    pub fn needs(&self) -> Vec<Need> {
        let Some(bucket) = &self.bucket else {
            return Vec::new();
        };
        PERMISSIONS
            .iter()
            .filter(|row| row.in_documents(self.grants))
            .filter_map(|row| {
                let samples = match row.permission.on {
                    Target::Bucket => self.bucket_samples(bucket, row.below_prefix()),
                    Target::Objects => self.object_samples(bucket, self.prefix.as_str()),
                    Target::Key => vec![self.key_sample(self.kms_key.as_ref()?)],
                    Target::Everything => return None,
                };
                Some(Need {
                    permission: row.permission,
                    is_essential: is_essential(row.permission),
                    samples,
                })
            })
            .collect()
    }

    /// The ARN that a statement names for what an action needs; a pattern for objects.
    pub fn resource(&self, target: Target) -> Option<String> {
        let bucket = self.bucket.as_ref()?;
        let arn = format!("arn:{}:s3:::{bucket}", self.partition);
        match target {
            Target::Bucket => Some(arn),
            Target::Objects => Some(format!("{arn}/{}*", escape::for_iam(self.prefix.as_str()))),
            Target::Key => self.kms_key.as_ref().map(ToString::to_string),
            Target::Everything => Some("*".into()),
        }
    }

    /// A statement that allows these actions, all on the same kind of resource. It has no `Sid`: IAM refuses a
    /// policy that has one twice.
    pub fn statement(&self, actions: &[&str], target: Target) -> Option<Value> {
        let mut statement = json!({
            "Effect": "Allow",
            "Action": actions,
            "Resource": [self.resource(target)?],
        });
        let listing = actions
            .iter()
            .all(|action| action.starts_with("s3:ListBucket"));
        if listing && !self.prefix.is_whole_bucket() {
            let below = format!("{}*", escape::for_iam(self.prefix.as_str()));
            statement["Condition"] = json!({"StringLike": {"s3:prefix": [below]}});
        }
        Some(statement)
    }

    fn bucket_samples(&self, bucket: &BucketName, lists: bool) -> Vec<Sample> {
        let resource = format!("arn:{}:s3:::{bucket}", self.partition);
        let mut context = self.request();
        if !lists {
            return vec![Sample { resource, context }];
        }
        // What the service sends: the prefix always, the delimiter where it lists one folder.
        context.maybe("s3:delimiter", "/");
        let prefix = self.prefix.as_str();
        [
            prefix.to_owned(),
            format!("{prefix}photos/"),
            format!("{prefix}q7/Übung 1/"),
        ]
        .into_iter()
        .map(|listed| {
            let mut context = context.clone();
            context.set("s3:prefix", listed);
            let resource = resource.clone();
            Sample { resource, context }
        })
        .collect()
    }

    /// Files below a prefix: one beside it, one in a folder, one of the check's own, one with an odd name.
    pub fn object_samples(&self, bucket: &BucketName, prefix: &str) -> Vec<Sample> {
        let of_check = format!("{}sallyport-check-q7", self.lifecycle_folders.temp());
        [
            "q7.png",
            "photos/2024/q7 (1).csv",
            of_check.as_str(),
            "Übung/ß+&",
        ]
        .into_iter()
        .map(|key| Sample {
            resource: format!("arn:{}:s3:::{bucket}/{prefix}{key}", self.partition),
            context: self.request(),
        })
        .collect()
    }

    pub fn key_sample(&self, key: &KmsKeyArn) -> Sample {
        let mut context = self.request();
        let host = match self.partition {
            Partition::Aws | Partition::AwsUsGov => Some("amazonaws.com"),
            Partition::AwsCn => Some("amazonaws.com.cn"),
            Partition::AwsEusc => Some("amazonaws.eu"),
            Partition::AwsIso | Partition::AwsIsoB | Partition::AwsIsoE | Partition::AwsIsoF => {
                None
            }
        };
        let arn = key.to_string();
        if let (Some(host), Some(region)) = (host, arn.split(':').nth(3)) {
            context.set("kms:ViaService", format!("s3.{region}.{host}"));
        }
        if let Some(role) = &self.role {
            context.set("kms:CallerAccount", role.account().as_str());
        }
        context.absent("kms:GrantIsForAWSResource");
        let resource = arn;
        Sample { resource, context }
    }

    /// What is known of every request that the role's sessions make.
    fn request(&self) -> Context {
        let mut context = Context::default();
        for (key, value) in [
            ("aws:SecureTransport", "true"),
            ("aws:ViaAWSService", "false"),
            ("aws:PrincipalIsAWSService", "false"),
            ("s3:signatureversion", "AWS4-HMAC-SHA256"),
        ] {
            context.set(key, value);
        }
        context.either("s3:authType", &["REST-HEADER", "REST-QUERY-STRING"]);
        context.either("s3:TlsVersion", &["1.2", "1.3"]);
        context.maybe("aws:MultiFactorAuthPresent", "false");
        for key in [
            "aws:MultiFactorAuthAge",
            "aws:CalledVia",
            "aws:PrincipalServiceName",
            "aws:SourceArn",
            "aws:SourceAccount",
            "aws:SourceOrgID",
            "aws:FederatedProvider",
            "ec2:SourceInstanceArn",
            // Of listings only, where they are set to what is sent.
            "s3:prefix",
            "s3:delimiter",
            "s3:x-amz-acl",
            "s3:x-amz-grant-full-control",
            "s3:x-amz-grant-read",
            "s3:x-amz-grant-write",
            "s3:x-amz-server-side-encryption-customer-algorithm",
        ] {
            context.absent(key);
        }
        match &self.kms_key {
            Some(key) => {
                context.set("s3:x-amz-server-side-encryption", "aws:kms");
                let name = "s3:x-amz-server-side-encryption-aws-kms-key-id";
                context.set(name, key.to_string());
            }
            None => {
                context.absent("s3:x-amz-server-side-encryption");
                context.absent("s3:x-amz-server-side-encryption-aws-kms-key-id");
            }
        }
        if self.auth == Auth::Role {
            context.set("aws:PrincipalType", "AssumedRole");
            context.absent("aws:username");
        }
        if let Some(role) = &self.role {
            context.set("aws:PrincipalArn", role.as_str());
            context.set("aws:PrincipalAccount", role.account().as_str());
        }
        let owner = self.bucket_account.as_ref();
        if let Some(owner) = owner.or(self.role.as_ref().map(RoleArn::account)) {
            context.set("aws:ResourceAccount", owner.as_str());
            context.set("s3:ResourceAccount", owner.as_str());
        }
        if let Some(region) = &self.region {
            context.set("aws:RequestedRegion", region.to_string());
        }
        context
    }
}

fn is_essential(permission: Permission) -> bool {
    ![
        "s3:ListBucketVersions",
        "s3:GetObjectAcl",
        "s3:PutObjectAcl",
        "s3:DeleteObjectVersion",
        "s3:AbortMultipartUpload",
    ]
    .contains(&permission.action)
}
