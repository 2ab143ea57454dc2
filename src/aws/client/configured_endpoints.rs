//! The endpoints that the operator's own configuration names, as the SDK's clients resolve them.
//!
//! The SDK looks in this order (SDKs and Tools reference guide, "Service-specific endpoints"): the code's own
//! setting, `AWS_ENDPOINT_URL_<SERVICE>`, `AWS_ENDPOINT_URL`, `endpoint_url` in the profile's `services`
//! section, `endpoint_url` of the profile. `AWS_IGNORE_CONFIGURED_ENDPOINT_URLS` switches all but the first
//! off. The loaded configuration answers for all of it.

use aws_config::SdkConfig;
use aws_types::service_config::ServiceConfigKey;
use url::Url;

/// A service whose endpoint can be configured.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Service {
    S3,
    Sts,
    Iam,
}

impl Service {
    /// As the SDK's clients call themselves.
    fn id(self) -> &'static str {
        match self {
            Self::S3 => "S3",
            Self::Sts => "STS",
            Self::Iam => "IAM",
        }
    }

    fn variable(self) -> &'static str {
        match self {
            Self::S3 => "AWS_ENDPOINT_URL_S3",
            Self::Sts => "AWS_ENDPOINT_URL_STS",
            Self::Iam => "AWS_ENDPOINT_URL_IAM",
        }
    }
}

/// The endpoint that the SDK's client of this service calls. `None`: AWS's own.
pub fn configured_endpoint(config: &SdkConfig, service: Service) -> Option<String> {
    let of_all = || config.endpoint_url().map(str::to_owned);
    if config.get_origin("endpoint_url").is_client_config() {
        return of_all();
    }
    let key = ServiceConfigKey::builder()
        .service_id(service.id())
        .env("AWS_ENDPOINT_URL")
        .profile("endpoint_url")
        .build()
        .ok();
    config
        .service_config()
        .zip(key)
        .and_then(|(config, key)| config.load_config(key))
        .or_else(of_all)
}

/// Looks at every configured endpoint.
///
/// # Errors
/// One that is no URL. The SDK would say it at the first call only.
pub fn check_endpoints(config: &SdkConfig) -> Result<(), String> {
    for service in [Service::S3, Service::Sts, Service::Iam] {
        let Some(endpoint) = configured_endpoint(config, service) else {
            continue;
        };
        let usable = Url::parse(&endpoint)
            .is_ok_and(|url| matches!(url.scheme(), "http" | "https") && url.has_host());
        if !usable {
            // It may hold a password, so it is not repeated.
            return Err(format!(
                "{}, AWS_ENDPOINT_URL or `endpoint_url` of the AWS profile: the endpoint of {} is not an http or https URL. Example: {}=https://{}.example.com",
                service.variable(),
                service.id(),
                service.variable(),
                service.id().to_lowercase(),
            ));
        }
    }
    Ok(())
}
