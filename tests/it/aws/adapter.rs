//! The adapter alone, on a customer's bucket: with sizes that a test can afford, and connections that
//! break.

use crate::application::bucket::read::{BucketRead, BucketResult, ListFrom, ListPage, ListRequest};
use crate::application::kept::vault::{MasterKey, Vault};
use crate::application::observe::Observer;
use crate::aws::client::clients::AwsClients;
use crate::aws::client::egress::Egress;
use crate::aws::files::bucket::S3Bucket;
use crate::aws::sessions::{RoleSessions, SessionOpener, SessionPace};
use crate::domain::check::Outcome;
use crate::domain::connection::access::Access;
use crate::domain::connection::bucket_name::BucketName;
use crate::domain::connection::bucket_prefix::BucketPrefix;
use crate::domain::connection::endpoint::EndpointNetworks;
use crate::domain::connection::external_id::ExternalId;
use crate::domain::connection::region::Region;
use crate::domain::connection::role_arn::RoleArn;
use crate::domain::connection::settings::BucketSettings;
use crate::domain::connection::{ConnectedBucket, Connection, Credentials, Owner};
use crate::domain::files::file_key::{FileKey, Folder};
use crate::domain::files::object_key::{ObjectKey, ObjectKeyPrefix};
use crate::domain::files::part_plan::{MIB, Sizes};
use crate::domain::ids::{StorageId, WorkspaceId};
use crate::domain::policy_document::PolicyTemplates;
use crate::domain::storage::HealthChange;
use crate::it::support::aws::stub::AwsStub;
use crate::it::support::scene::Scene;
use aws_config::SdkConfig;
use std::sync::Arc;

pub struct Nobody;

impl Observer for Nobody {
    fn assumed_role(&self, _: bool) {}

    fn checked_connection(&self, _: Outcome) {}

    fn health_changed(&self, _: &HealthChange) {}
}

/// Vault and sessions on this AWS.
pub fn sessions_on(clients: AwsClients, pace: SessionPace) -> (Arc<Vault>, Arc<RoleSessions>) {
    let vault = Arc::new(Vault::new(&MasterKey::generate().unwrap().0).unwrap());
    let policies = Arc::new(PolicyTemplates::load().unwrap());
    let opener = SessionOpener::new(Arc::new(clients), policies, vault.clone());
    let sessions = RoleSessions::with_pace(opener, Arc::new(Nobody), pace);
    (vault, Arc::new(sessions))
}

/// The adapter on this AWS. Objects of more than 6 MiB are too large for one call, and have parts of 5 MiB.
pub fn files_on(sdk: &SdkConfig, pace: SessionPace) -> S3Bucket {
    let networks = Arc::new(EndpointNetworks::new(Vec::new()));
    let clients = AwsClients::new(sdk, networks, Egress::default(), Arc::new(Nobody)).unwrap();
    let sizes = Sizes {
        single: 6 * MIB,
        copy: 6 * MIB,
        part: 5 * MIB,
    };
    S3Bucket::with_sizes(sessions_on(clients, pace).1, sizes)
}

/// A bucket that is used with the service's own credentials.
pub fn own_bucket(name: &str, prefix: &str) -> ConnectedBucket {
    ConnectedBucket {
        owner: Owner::BuiltIn(WorkspaceId::generate()),
        revision: 0,
        connection: Connection {
            bucket: BucketName::parse(name).unwrap(),
            settings: BucketSettings {
                prefix: BucketPrefix::parse(prefix).unwrap(),
                region: Some(Region::parse("us-east-1").unwrap()),
                ..BucketSettings::default()
            },
            credentials: Credentials::Service,
        },
        attributed: None,
    }
}

/// A storage of this workspace on the stub's bucket and role. The stub has one role, which lets in the last
/// storage that was made so.
pub fn storage_on(stub: &AwsStub, workspace: &WorkspaceId) -> ConnectedBucket {
    let external_id = ExternalId::issue();
    stub.world().external_id = Some(external_id.to_string());
    let mut bucket = own_bucket(&stub.bucket, "");
    bucket.owner = Owner::Storage(workspace.clone(), StorageId::generate());
    bucket.connection.settings.access = Access::ReadWrite;
    bucket.connection.credentials = Credentials::Role {
        role_arn: RoleArn::parse(&stub.role_arn()).unwrap(),
        external_id,
    };
    bucket
}

/// The adapter on the bucket of a scene, with the service's own credentials.
pub fn adapter(place: &Scene, sdk: &SdkConfig) -> (S3Bucket, ConnectedBucket) {
    let storage = &place.storage;
    (
        files_on(sdk, SessionPace::default()),
        own_bucket(&storage.bucket, &storage.prefix),
    )
}

/// The whole bucket's first page.
pub async fn list(files: &S3Bucket, bucket: &ConnectedBucket) -> BucketResult<ListPage> {
    let folder = Folder::parse("/").unwrap();
    let request = ListRequest {
        prefix: ObjectKeyPrefix::within(&bucket.connection.settings.prefix, &folder).unwrap(),
        recursive: true,
        page_size: 10,
        from: ListFrom::Beginning,
    };
    files.list(bucket, request).await
}

pub fn object_key(bucket: &ConnectedBucket, key: &str) -> ObjectKey {
    ObjectKey::within(
        &bucket.connection.settings.prefix,
        &FileKey::parse(key).unwrap(),
    )
    .unwrap()
}
