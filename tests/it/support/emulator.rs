//! The AWS emulator: the vendor's account, and a customer's account of its own for each test.
//!
//! Nothing is ever reset, so tests run side by side: what keeps them apart is the account and the
//! random names. The emulator takes a 12-digit access key as that account's root.

use crate::it::support::server_url;
use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_sdk_iam::types::AccessKey;
use aws_sdk_s3::config::{Credentials, SharedCredentialsProvider};
use aws_sdk_s3::primitives::ByteStream;
use aws_sdk_s3::types::{
    BucketLocationConstraint, CorsConfiguration, CorsRule, CreateBucketConfiguration,
};
use serde_json::{Value, json};
use tokio::sync::OnceCell;
use uuid::Uuid;

pub const VENDOR_ACCOUNT: &str = "111111111111";
pub const REGION: &str = "us-east-1";

pub struct Emulator;

impl Emulator {
    pub fn url() -> String {
        server_url("SALLYPORT_TEST_AWS_URL")
    }

    /// An account that no other test has.
    pub fn customer() -> Customer {
        let account = loop {
            let account = format!("{:012}", Uuid::new_v4().as_u128() % 1_000_000_000_000);
            if account != VENDOR_ACCOUNT {
                break account;
            }
        };
        Customer {
            sdk_config: sdk_config(root_of(&account), REGION),
            account,
        }
    }

    /// The vendor's account with the user that the service runs as, made once for the test run's
    /// process.
    pub async fn vendor() -> &'static Vendor {
        static VENDOR: OnceCell<Vendor> = OnceCell::const_new();
        VENDOR.get_or_init(Vendor::create).await
    }
}

/// SDK settings for these credentials, in this Region.
pub fn sdk_config(credentials: Credentials, region: &str) -> SdkConfig {
    SdkConfig::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new(region.to_owned()))
        .endpoint_url(Emulator::url())
        .credentials_provider(SharedCredentialsProvider::new(credentials))
        .build()
}

/// An S3 client for these settings, with the path-style addresses that the emulator needs.
pub fn s3_client(sdk: &SdkConfig) -> aws_sdk_s3::Client {
    let config = aws_sdk_s3::config::Builder::from(sdk).force_path_style(true);
    aws_sdk_s3::Client::from_conf(config.build())
}

pub fn credentials(id: &str, secret: &str, token: Option<&str>) -> Credentials {
    Credentials::new(id, secret, token.map(str::to_owned), None, "test")
}

fn root_of(account: &str) -> Credentials {
    credentials(account, "test", None)
}

/// A name that no other test has: `KIND-` and 32 random hexadecimal digits.
pub fn random_name(kind: &str) -> String {
    format!("{kind}-{}", Uuid::new_v4().simple())
}

/// What the service runs as: an IAM user of the vendor's account, bound by its policy, as root is not.
pub struct Vendor {
    pub account: String,
    pub user_arn: String,
    pub access_key_id: String,
    pub secret_access_key: String,
    /// A bucket of the vendor's own, which the user may use: the built-in storage.
    pub bucket: String,
    /// The user's, in [`REGION`].
    pub sdk_config: SdkConfig,
}

impl Vendor {
    async fn create() -> Self {
        let root = sdk_config(root_of(VENDOR_ACCOUNT), REGION);
        let iam = aws_sdk_iam::Client::new(&root);
        let bucket = random_name("built-in");
        s3_client(&root)
            .create_bucket()
            .bucket(&bucket)
            .send()
            .await
            .unwrap();
        let policy = json!({"Version": "2012-10-17", "Statement": [
            {"Effect": "Allow", "Action": "sts:AssumeRole", "Resource": "arn:aws:iam::*:role/*"},
            {"Effect": "Allow",
             "Action": ["s3:ListBucket", "s3:ListBucketVersions", "s3:GetBucketLocation"],
             "Resource": format!("arn:aws:s3:::{bucket}")},
            {"Effect": "Allow",
             "Action": ["s3:GetObject", "s3:GetObjectVersion", "s3:GetObjectAcl", "s3:PutObject",
                        "s3:PutObjectAcl", "s3:DeleteObject", "s3:DeleteObjectVersion",
                        "s3:AbortMultipartUpload"],
             "Resource": format!("arn:aws:s3:::{bucket}/*")},
        ]});
        let (user_arn, key) = create_user(&iam, &random_name("service"), &policy).await;
        Self {
            account: VENDOR_ACCOUNT.to_owned(),
            user_arn,
            sdk_config: sdk_config(
                credentials(&key.access_key_id, &key.secret_access_key, None),
                REGION,
            ),
            access_key_id: key.access_key_id,
            secret_access_key: key.secret_access_key,
            bucket,
        }
    }

    pub fn sts(&self) -> aws_sdk_sts::Client {
        aws_sdk_sts::Client::new(&self.sdk_config)
    }
}

/// Makes an IAM user with one inline policy and an access key. Gives the user's ARN and the key.
async fn create_user(iam: &aws_sdk_iam::Client, name: &str, policy: &Value) -> (String, AccessKey) {
    let user = iam.create_user().user_name(name).send().await.unwrap();
    iam.put_user_policy()
        .user_name(name)
        .policy_name("access")
        .policy_document(policy.to_string())
        .send()
        .await
        .unwrap();
    let key = iam
        .create_access_key()
        .user_name(name)
        .send()
        .await
        .unwrap();
    (user.user.unwrap().arn, key.access_key.unwrap())
}

/// A customer's account, played with its root's credentials.
#[derive(Clone)]
pub struct Customer {
    pub account: String,
    pub sdk_config: SdkConfig,
}

impl Customer {
    pub fn iam(&self) -> aws_sdk_iam::Client {
        aws_sdk_iam::Client::new(&self.sdk_config)
    }

    /// A client for buckets in [`REGION`].
    pub fn s3(&self) -> aws_sdk_s3::Client {
        s3_client(&self.sdk_config)
    }

    /// A client for buckets in another Region: the emulator redirects, as AWS does, where the signing
    /// Region is not the bucket's.
    pub fn s3_in(&self, region: &str) -> aws_sdk_s3::Client {
        s3_client(&sdk_config(root_of(&self.account), region))
    }

    /// An empty bucket with a random name in [`REGION`].
    pub async fn create_bucket(&self) -> String {
        self.create_bucket_in(&random_name("bucket"), REGION).await
    }

    /// An empty bucket. Gives its name back.
    pub async fn create_bucket_in(&self, name: &str, region: &str) -> String {
        // us-east-1 has no location constraint (S3 API reference, CreateBucket).
        let configuration = (region != "us-east-1").then(|| {
            CreateBucketConfiguration::builder()
                .location_constraint(BucketLocationConstraint::from(region))
                .build()
        });
        self.s3_in(region)
            .create_bucket()
            .bucket(name)
            .set_create_bucket_configuration(configuration)
            .send()
            .await
            .unwrap();
        name.to_owned()
    }

    /// Puts an object into a bucket of [`REGION`].
    pub async fn put_object(&self, bucket: &str, key: &str, body: impl Into<Vec<u8>>) {
        self.s3()
            .put_object()
            .bucket(bucket)
            .key(key)
            .body(ByteStream::from(body.into()))
            .send()
            .await
            .unwrap();
    }

    /// Makes a role, or gives an existing one these policies. Gives its ARN.
    pub async fn put_role(
        &self,
        name: &str,
        trust_policy: &Value,
        permission_policy: &Value,
    ) -> String {
        let iam = self.iam();
        let made = iam
            .create_role()
            .role_name(name)
            .assume_role_policy_document(trust_policy.to_string())
            .send()
            .await;
        let arn = match made {
            Ok(made) => made.role.unwrap().arn,
            Err(error) => {
                let error = error.into_service_error();
                assert!(error.is_entity_already_exists_exception(), "{error:?}");
                iam.update_assume_role_policy()
                    .role_name(name)
                    .policy_document(trust_policy.to_string())
                    .send()
                    .await
                    .unwrap();
                format!("arn:aws:iam::{}:role/{name}", self.account)
            }
        };
        iam.put_role_policy()
            .role_name(name)
            .policy_name("access")
            .policy_document(permission_policy.to_string())
            .send()
            .await
            .unwrap();
        arn
    }

    /// Lets pages of these origins use the bucket, a bucket of [`REGION`], with these methods.
    pub async fn put_cors(&self, bucket: &str, origins: &[&str], methods: &[&str]) {
        let owned = |list: &[&str]| list.iter().map(|&item| item.to_owned()).collect();
        let rule = CorsRule::builder()
            .set_allowed_origins(Some(owned(origins)))
            .set_allowed_methods(Some(owned(methods)))
            .allowed_headers("*")
            .expose_headers("ETag")
            .build()
            .unwrap();
        let configuration = CorsConfiguration::builder()
            .cors_rules(rule)
            .build()
            .unwrap();
        self.s3()
            .put_bucket_cors()
            .bucket(bucket)
            .cors_configuration(configuration)
            .send()
            .await
            .unwrap();
    }
}

/// A trust policy as the console makes it: the account may assume the role, with the external ID where
/// one is given.
pub fn trust_policy(account: &str, external_id: Option<&str>) -> Value {
    let mut statement = json!({
        "Effect": "Allow",
        "Principal": {"AWS": format!("arn:aws:iam::{account}:root")},
        "Action": "sts:AssumeRole",
    });
    if let Some(id) = external_id {
        statement["Condition"] = json!({"StringEquals": {"sts:ExternalId": id}});
    }
    json!({"Version": "2012-10-17", "Statement": [statement]})
}
