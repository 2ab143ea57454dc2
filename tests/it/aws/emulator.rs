//! The emulator does deny. Every other test that expects a refusal rests on these.

use crate::it::support::emulator::{
    Customer, Emulator, Vendor, credentials, random_name, s3_client, sdk_config, trust_policy,
};
use aws_sdk_s3::error::{ProvideErrorMetadata, SdkError};
use serde_json::{Value, json};
use uuid::Uuid;

const ORIGIN: &str = "https://app.example.com";

/// A permission policy for reading below `team/` alone.
fn read_team(bucket: &str) -> Value {
    json!({"Version": "2012-10-17", "Statement": [
        {"Effect": "Allow", "Action": "s3:ListBucket",
         "Resource": format!("arn:aws:s3:::{bucket}"),
         "Condition": {"StringLike": {"s3:prefix": "team/*"}}},
        {"Effect": "Allow", "Action": "s3:GetObject",
         "Resource": format!("arn:aws:s3:::{bucket}/team/*")},
    ]})
}

struct Scene {
    vendor: &'static Vendor,
    bucket: String,
    role_arn: String,
    external_id: String,
}

impl Scene {
    async fn set(customer: &Customer) -> Self {
        let vendor = Emulator::vendor().await;
        let bucket = customer.create_bucket().await;
        for key in ["team/a.txt", "team/b.txt", "team-b/c.txt"] {
            customer.put_object(&bucket, key, key).await;
        }
        let external_id = Uuid::new_v4().to_string();
        let role_arn = customer
            .put_role(
                &random_name("role"),
                &trust_policy(&vendor.account, Some(&external_id)),
                &read_team(&bucket),
            )
            .await;
        Self {
            vendor,
            bucket,
            role_arn,
            external_id,
        }
    }

    /// The error code of AssumeRole; none when the role was assumed.
    async fn assume_error(&self, external_id: Option<&str>) -> Option<String> {
        let answer = self
            .vendor
            .sts()
            .assume_role()
            .role_arn(&self.role_arn)
            .role_session_name("test")
            .set_external_id(external_id.map(str::to_owned))
            .send()
            .await;
        answer.err().map(|error| code(&error))
    }

    /// S3 as a session of the role.
    async fn session(&self, session_policy: Option<Value>) -> aws_sdk_s3::Client {
        let answer = self
            .vendor
            .sts()
            .assume_role()
            .role_arn(&self.role_arn)
            .role_session_name("test")
            .external_id(&self.external_id)
            .set_policy(session_policy.map(|policy| policy.to_string()))
            .send()
            .await
            .unwrap();
        let session = answer.credentials.unwrap();
        let credentials = credentials(
            &session.access_key_id,
            &session.secret_access_key,
            Some(&session.session_token),
        );
        s3_client(&sdk_config(credentials, "us-east-1"))
    }
}

/// The error's code as the service sent it; a test fails on any other error.
fn code<E: ProvideErrorMetadata + std::fmt::Debug, R: std::fmt::Debug>(
    error: &SdkError<E, R>,
) -> String {
    match error.as_service_error().and_then(|error| error.code()) {
        Some(code) => code.to_owned(),
        None => panic!("not an answer of the service: {error:?}"),
    }
}

#[tokio::test]
async fn a_role_is_assumed_with_its_own_external_id_only() {
    let scene = Scene::set(&Emulator::customer()).await;
    let denied = Some("AccessDenied".to_owned());
    assert_eq!(scene.assume_error(Some(&scene.external_id)).await, None);
    assert_eq!(scene.assume_error(None).await, denied);
    let wrong = Uuid::new_v4().to_string();
    assert_eq!(scene.assume_error(Some(&wrong)).await, denied);
}

#[tokio::test]
async fn a_role_that_trusts_another_account_is_refused() {
    let customer = Emulator::customer();
    let mut scene = Scene::set(&customer).await;
    scene.role_arn = customer
        .put_role(
            &random_name("role"),
            &trust_policy("222222222222", Some(&scene.external_id)),
            &read_team(&scene.bucket),
        )
        .await;
    assert_eq!(
        scene.assume_error(Some(&scene.external_id)).await,
        Some("AccessDenied".to_owned())
    );
}

#[tokio::test]
async fn a_prefix_condition_lets_its_own_prefix_through_only() {
    let scene = Scene::set(&Emulator::customer()).await;
    let s3 = scene.session(None).await;
    let list = async |prefix: &str| {
        s3.list_objects_v2()
            .bucket(&scene.bucket)
            .prefix(prefix)
            .send()
            .await
            .map(|page| page.key_count.unwrap_or_default())
            .map_err(|error| code(&error))
    };
    assert_eq!(list("team/").await, Ok(2));
    for outside in ["", "team", "team-b/"] {
        assert_eq!(
            list(outside).await,
            Err("AccessDenied".to_owned()),
            "{outside}"
        );
    }
}

#[tokio::test]
async fn a_session_policy_narrows_and_never_widens() {
    let scene = Scene::set(&Emulator::customer()).await;
    let policy = json!({"Version": "2012-10-17", "Statement": [
        {"Effect": "Allow", "Action": "s3:GetObject", "Resource": [
            format!("arn:aws:s3:::{}/team/a.txt", scene.bucket),
            format!("arn:aws:s3:::{}/team-b/*", scene.bucket),
        ]},
    ]});
    let (whole, narrowed) = (scene.session(None).await, scene.session(Some(policy)).await);
    let get = async |s3: &aws_sdk_s3::Client, key: &str| {
        let answer = s3.get_object().bucket(&scene.bucket).key(key).send().await;
        answer.map(|_| ()).map_err(|error| code(&error))
    };
    let denied = Err("AccessDenied".to_owned());
    assert_eq!(get(&whole, "team/a.txt").await, Ok(()));
    assert_eq!(get(&whole, "team/b.txt").await, Ok(()));
    assert_eq!(get(&whole, "team-b/c.txt").await, denied);
    assert_eq!(get(&narrowed, "team/a.txt").await, Ok(()));
    assert_eq!(get(&narrowed, "team/b.txt").await, denied);
    assert_eq!(get(&narrowed, "team-b/c.txt").await, denied);
}

#[tokio::test]
async fn a_wrong_secret_is_refused() {
    let scene = Scene::set(&Emulator::customer()).await;
    let secret = format!("{}x", scene.vendor.secret_access_key);
    let forged = credentials(&scene.vendor.access_key_id, &secret, None);
    let s3 = s3_client(&sdk_config(forged, "us-east-1"));
    let answer = s3
        .list_objects_v2()
        .bucket(&scene.vendor.bucket)
        .send()
        .await;
    assert_eq!(code(&answer.unwrap_err()), "SignatureDoesNotMatch");
}

#[tokio::test]
async fn the_vendor_calls_as_an_iam_user_and_not_as_root() {
    let vendor = Emulator::vendor().await;
    let caller = vendor.sts().get_caller_identity().send().await.unwrap();
    assert_eq!(caller.arn.as_deref(), Some(vendor.user_arn.as_str()));
    assert!(vendor.user_arn.contains(":user/"), "{}", vendor.user_arn);
}

#[tokio::test]
async fn the_vendors_user_may_use_its_own_bucket_and_no_customers() {
    let scene = Scene::set(&Emulator::customer()).await;
    let s3 = s3_client(&scene.vendor.sdk_config);
    let own = s3
        .list_objects_v2()
        .bucket(&scene.vendor.bucket)
        .send()
        .await;
    assert!(own.is_ok(), "{own:?}");
    let foreign = s3.list_objects_v2().bucket(&scene.bucket).send().await;
    assert_eq!(code(&foreign.unwrap_err()), "AccessDenied");
}

#[tokio::test]
async fn another_region_is_redirected_with_the_right_one_named() {
    let customer = Emulator::customer();
    let bucket = customer
        .create_bucket_in(&random_name("frankfurt"), "eu-central-1")
        .await;
    let there = customer.s3_in("eu-central-1");
    there.head_bucket().bucket(&bucket).send().await.unwrap();
    let answer = customer.s3().list_objects_v2().bucket(&bucket).send().await;
    let error = answer.unwrap_err();
    assert_eq!(code(&error), "PermanentRedirect");
    let region = error
        .raw_response()
        .and_then(|response| response.headers().get("x-amz-bucket-region"));
    assert_eq!(region, Some("eu-central-1"));
}

#[tokio::test]
async fn a_preflight_is_answered_by_the_buckets_cors_rules() {
    let customer = Emulator::customer();
    let bucket = customer.create_bucket().await;
    let preflight = async |origin: &str, method: &str| {
        reqwest::Client::new()
            .request(
                reqwest::Method::OPTIONS,
                format!("{}/{bucket}/any", Emulator::url()),
            )
            .header("Origin", origin)
            .header("Access-Control-Request-Method", method)
            .send()
            .await
            .unwrap()
            .status()
            .as_u16()
    };
    assert_eq!(preflight(ORIGIN, "GET").await, 403);
    customer.put_cors(&bucket, &[ORIGIN], &["GET"]).await;
    assert_eq!(preflight(ORIGIN, "GET").await, 200);
    assert_eq!(preflight(ORIGIN, "PUT").await, 403);
    assert_eq!(preflight("https://elsewhere.example", "GET").await, 403);
}
