//! What a script of the plain SDK prints in the same world: the code and the message of the first call that fails.

use crate::it::support::emulator::{Emulator, credentials, s3_client};
use crate::it::worlds::aws::Aws;
use crate::it::worlds::stage::Stage;
use aws_sdk_s3::error::{DisplayErrorContext, ProvideErrorMetadata, SdkError};
use aws_sdk_s3::primitives::ByteStream;

/// `None`: every call passed.
pub async fn plain_script(stage: &Stage<'_>, aws: &Aws) -> Option<String> {
    let vendor = aws.sdk_config(&Emulator::vendor().await.sdk_config);
    let own = match &stage.user {
        Some((_, id, secret)) => credentials(id, secret, None),
        None => {
            let asked = aws_sdk_sts::Client::new(&vendor)
                .assume_role()
                .role_arn(&stage.names.role_arn)
                .external_id(&stage.names.external_id)
                .role_session_name("plain")
                .send()
                .await;
            match asked {
                Ok(answer) => {
                    let made = answer.credentials.unwrap();
                    let token = Some(made.session_token.as_str());
                    credentials(&made.access_key_id, &made.secret_access_key, token)
                }
                Err(error) => return Some(printed(error)),
            }
        }
    };
    let settings = stage.world.settings.map(|make| make(&stage.names));
    let endpoint = settings.and_then(|settings| settings["endpoint"].as_str().map(str::to_owned));
    let sdk = vendor
        .into_builder()
        .endpoint_url(endpoint.unwrap_or_else(|| aws.url().to_owned()))
        .credentials_provider(aws_sdk_s3::config::SharedCredentialsProvider::new(own))
        .build();
    let s3 = s3_client(&sdk);
    let bucket = &stage.names.bucket;
    let prefix = stage.world.typed_prefix.unwrap_or(stage.world.prefix);
    let listed = s3
        .list_objects_v2()
        .bucket(bucket)
        .prefix(prefix)
        .send()
        .await;
    let key = match listed {
        Ok(page) => page.contents().first().and_then(|one| one.key.clone()),
        Err(error) => return Some(printed(error)),
    };
    if let Some(key) = key
        && let Err(error) = s3.get_object().bucket(bucket).key(key).send().await
    {
        return Some(printed(error));
    }
    if stage.world.access == "read" {
        return None;
    }
    let key = format!("{prefix}plain.txt");
    let body = ByteStream::from_static(b"plain");
    let put = s3.put_object().bucket(bucket).key(&key).body(body);
    if let Err(error) = put.send().await {
        return Some(printed(error));
    }
    let gone = s3.delete_object().bucket(bucket).key(&key).send().await;
    let printed = gone.err().map(printed);
    // The script's own file, however it ended.
    let root = stage.customer.s3_in(stage.region);
    let _ = root.delete_object().bucket(bucket).key(&key).send().await;
    printed
}

/// What most scripts print.
fn printed<E, R>(error: SdkError<E, R>) -> String
where
    E: ProvideErrorMetadata + std::error::Error + 'static,
    R: std::fmt::Debug + 'static,
{
    match (error.code(), error.message()) {
        (Some(code), message) => format!("{code}: {}", message.unwrap_or_default()),
        (None, _) => DisplayErrorContext(&error)
            .to_string()
            .chars()
            .take(200)
            .collect(),
    }
}

/// Whether what was printed names the cause: the code itself says it, or AWS's sentence gives the reason. A denial
/// without a reason, and a script that passes, name none.
pub fn names_cause(printed: Option<&str>) -> bool {
    let Some(text) = printed else {
        return false;
    };
    let (code, message) = text.split_once(": ").unwrap_or((text, ""));
    match code {
        "AccessDenied" => {
            message.contains("because no ")
                || message.contains("explicit deny")
                || message.contains("KMS")
        }
        "InvalidRequest" | "ValidationError" | "InvalidArgument" => false,
        _ => code.chars().all(|c| c.is_ascii_alphanumeric() || c == '.'),
    }
}
