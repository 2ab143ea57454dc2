//! What a scene's bucket holds, and what its role may do: asked and changed with the customer's own
//! credentials.

use crate::it::support::scene::connected::Scene;
use aws_sdk_s3::types::{BucketVersioningStatus, EncodingType, VersioningConfiguration};
use serde_json::{Value, json};
use std::time::Duration;

impl Scene {
    /// Puts an object at this path below the prefix. A leading slash belongs to the path.
    pub async fn put_at(&self, path: &str, body: impl Into<Vec<u8>>) {
        self.storage.put(&format!("/{path}"), body).await;
    }

    /// The bytes of an object, asked of the bucket itself; `None` where there is none.
    pub async fn object(&self, file_key: &str) -> Option<Vec<u8>> {
        let answer = self
            .storage
            .customer
            .s3()
            .get_object()
            .bucket(&self.storage.bucket)
            .key(self.storage.object_key(file_key))
            .send()
            .await;
        match answer {
            Ok(answer) => Some(answer.body.collect().await.unwrap().to_vec()),
            Err(error) => {
                assert!(error.into_service_error().is_no_such_key());
                None
            }
        }
    }

    /// The keys below the bucket's root, and how many uploads are open.
    pub async fn bucket(&self) -> (Vec<String>, usize) {
        let s3 = self.storage.customer.s3();
        let bucket = &self.storage.bucket;
        // Keys may hold characters that XML cannot.
        let list = s3
            .list_objects_v2()
            .bucket(bucket)
            .encoding_type(EncodingType::Url);
        let listed = list.send().await.unwrap();
        let decoded = |key: &str| {
            let spaced = key.replace('+', " ");
            let text = percent_encoding::percent_decode_str(&spaced).decode_utf8();
            text.unwrap().into_owned()
        };
        let keys = listed.contents().iter();
        let uploads = s3.list_multipart_uploads().bucket(bucket);
        let open = uploads.send().await.unwrap().uploads().len();
        (keys.map(|o| decoded(o.key().unwrap())).collect(), open)
    }

    /// Waits until nothing of an upload is left: no object and no open upload.
    pub async fn nothing_left(&self) {
        for _ in 0..100 {
            if self.bucket().await == (Vec::new(), 0) {
                return;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        panic!("left in the bucket: {:?}", self.bucket().await);
    }

    /// Gives the role exactly these statements besides nothing else.
    pub async fn set_permissions(&self, statements: &[Value]) {
        self.put_policy("access", statements).await;
    }

    /// Lets the role do more than the documents ask for.
    pub async fn allow(&self, actions: &[&str], resource: &str) {
        let statement = json!({"Effect": "Allow", "Action": actions, "Resource": resource});
        self.put_policy("more", &[statement]).await;
    }

    /// Lets the role give up uploads, which S3 lets whoever began one do by default.
    pub async fn allow_aborts(&self) {
        let objects = format!("arn:aws:s3:::{}/*", self.storage.bucket);
        self.allow(&["s3:AbortMultipartUpload"], &objects).await;
    }

    async fn put_policy(&self, name: &str, statements: &[Value]) {
        let (_, role) = self.storage.role_arn.rsplit_once('/').unwrap();
        let policy = json!({"Version": "2012-10-17", "Statement": statements});
        self.storage
            .customer
            .iam()
            .put_role_policy()
            .role_name(role)
            .policy_name(name)
            .policy_document(policy.to_string())
            .send()
            .await
            .unwrap();
    }

    pub async fn keep_versions(&self) {
        let configuration = VersioningConfiguration::builder()
            .status(BucketVersioningStatus::Enabled)
            .build();
        self.storage
            .customer
            .s3()
            .put_bucket_versioning()
            .bucket(&self.storage.bucket)
            .versioning_configuration(configuration)
            .send()
            .await
            .unwrap();
    }
}
