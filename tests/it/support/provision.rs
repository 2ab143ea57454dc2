//! The documents of a setup, applied by the product's own command.

use crate::application::connections::provision::{GivenDocuments, IamName, Provisioning};
use crate::aws::provision::provision;
use crate::domain::connection::bucket_name::BucketName;
use crate::it::support::emulator::{Customer, random_name};

/// The customer's administrator applies the documents. Gives the role's ARN.
pub async fn apply(customer: &Customer, bucket: &str, documents: &[u8]) -> String {
    let wanted = Provisioning::new(
        GivenDocuments::parse(documents).unwrap(),
        BucketName::parse(bucket).unwrap(),
        IamName::role(&random_name("r")).unwrap(),
        IamName::policy("sallyport").unwrap(),
    )
    .unwrap();
    let done = provision(&customer.sdk_config, &wanted).await.unwrap();
    done.role_arn.unwrap().to_string()
}
