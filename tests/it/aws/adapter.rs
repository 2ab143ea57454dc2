//! The adapter alone, on a customer's bucket: with sizes that a test can afford, and connections that
//! break.

use crate::application::kept::vault::{MasterKey, Vault};
use crate::application::observe::Observer;
use crate::aws::client::clients::AwsClients;
use crate::aws::files::bucket::S3Bucket;
use crate::aws::sessions::RoleSessions;
use crate::domain::check::Outcome;
use crate::domain::connection::bucket_name::BucketName;
use crate::domain::connection::bucket_prefix::BucketPrefix;
use crate::domain::connection::endpoint::EndpointNetworks;
use crate::domain::connection::region::Region;
use crate::domain::connection::settings::BucketSettings;
use crate::domain::connection::{ConnectedBucket, Connection, Credentials, Owner};
use crate::domain::files::file_key::FileKey;
use crate::domain::files::object_key::ObjectKey;
use crate::domain::files::part_plan::{MIB, Sizes};
use crate::domain::ids::WorkspaceId;
use crate::domain::policy_document::PolicyTemplates;
use crate::it::support::scene::Scene;
use aws_config::SdkConfig;
use std::sync::Arc;

struct Nobody;

impl Observer for Nobody {
    fn assumed_role(&self, _: bool) {}

    fn checked_connection(&self, _: Outcome) {}

    fn quarantined(&self, _: bool) {}
}

/// The adapter with the credentials of these settings. Objects of more than 6 MiB are too large for one
/// call, and have parts of 5 MiB.
pub fn adapter(place: &Scene, sdk: &SdkConfig) -> (S3Bucket, ConnectedBucket) {
    let clients = AwsClients::new(sdk, Arc::new(EndpointNetworks::new(Vec::new()))).unwrap();
    let vault = Vault::new(&MasterKey::generate().unwrap().0).unwrap();
    let sessions = RoleSessions::new(
        Arc::new(clients),
        Arc::new(PolicyTemplates::load().unwrap()),
        Arc::new(vault),
        Arc::new(Nobody),
    );
    let sizes = Sizes {
        single: 6 * MIB,
        copy: 6 * MIB,
        part: 5 * MIB,
    };
    let bucket = ConnectedBucket {
        owner: Owner::BuiltIn(WorkspaceId::generate()),
        revision: 0,
        connection: Connection {
            bucket: BucketName::parse(&place.storage.bucket).unwrap(),
            settings: BucketSettings {
                prefix: BucketPrefix::parse(&place.storage.prefix).unwrap(),
                region: Some(Region::parse("us-east-1").unwrap()),
                ..BucketSettings::default()
            },
            credentials: Credentials::Service,
        },
    };
    (S3Bucket::with_sizes(Arc::new(sessions), sizes), bucket)
}

pub fn object_key(bucket: &ConnectedBucket, key: &str) -> ObjectKey {
    ObjectKey::within(
        &bucket.connection.settings.prefix,
        &FileKey::parse(key).unwrap(),
    )
    .unwrap()
}
