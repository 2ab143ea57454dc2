//! The columns of a connection: the same in the tables `setups`, `storages` and `pending_connections`.

use crate::application::kept::store::StoreResult;
use crate::database::engine::Value;
use crate::database::record::{Record, stored_prefix};
use crate::database::statement::Named;
use crate::domain::connection::access::{Access, Auth};
use crate::domain::connection::access_key::{AccessKeyId, SealedSecret};
use crate::domain::connection::account::AccountId;
use crate::domain::connection::endpoint::Endpoint;
use crate::domain::connection::kms_key_arn::KmsKeyArn;
use crate::domain::connection::permissions_boundary::BoundaryArn;
use crate::domain::connection::region::Region;
use crate::domain::connection::role_arn::RoleArn;
use crate::domain::connection::role_path::RolePath;
use crate::domain::connection::settings::BucketSettings;
use crate::domain::setup::{DraftAccessKey, DraftSignIn};

/// The columns with their values. Both types are taken apart whole, so the compiler names a field
/// that is forgotten here.
pub(super) fn write(settings: &BucketSettings, sign_in: &DraftSignIn) -> Named {
    let BucketSettings {
        prefix,
        access,
        region,
        kms_key,
        bucket_account,
        requester_pays,
        browser_access,
        object_acls,
        object_versions,
        lifecycle,
        permissions_boundary,
    } = settings;
    let DraftSignIn {
        by,
        role_arn,
        // Columns of setups alone.
        customer: _,
        role_path: _,
        access_key:
            DraftAccessKey {
                id,
                secret,
                endpoint,
            },
    } = sign_in;
    vec![
        ("prefix", prefix.as_str().into()),
        ("access", access.as_str().into()),
        ("region", text(region, Region::as_str)),
        ("kms_key_arn", text(kms_key, KmsKeyArn::as_str)),
        ("bucket_account_id", text(bucket_account, AccountId::as_str)),
        ("requester_pays", i64::from(*requester_pays).into()),
        ("browser_access", i64::from(*browser_access).into()),
        ("object_acls", object_acls.map(i64::from).into()),
        ("object_versions", object_versions.map(i64::from).into()),
        ("lifecycle", i64::from(*lifecycle).into()),
        (
            "permissions_boundary_arn",
            text(permissions_boundary, BoundaryArn::as_str),
        ),
        ("auth", by.as_str().into()),
        ("role_arn", text(role_arn, RoleArn::as_str)),
        ("access_key_id", text(id, AccessKeyId::as_str)),
        ("secret", secret.as_ref().map(|v| v.0.as_slice()).into()),
        ("endpoint", text(endpoint, Endpoint::as_str)),
    ]
}

fn text<T>(value: &Option<T>, as_str: impl Fn(&T) -> &str) -> Value {
    value.as_ref().map(as_str).into()
}

/// The names of the columns, for a SELECT.
pub(super) fn names() -> impl Iterator<Item = &'static str> {
    let columns = write(&BucketSettings::default(), &DraftSignIn::default());
    columns.into_iter().map(|(name, _)| name)
}

pub(super) fn settings(record: &Record) -> StoreResult<BucketSettings> {
    Ok(BucketSettings {
        prefix: record.parse("prefix", stored_prefix)?,
        access: record.parse("access", Access::parse)?,
        region: record.parse_opt("region", Region::parse)?,
        kms_key: record.parse_opt("kms_key_arn", KmsKeyArn::parse)?,
        bucket_account: record.parse_opt("bucket_account_id", AccountId::parse)?,
        requester_pays: record.int("requester_pays")? != 0,
        browser_access: record.int("browser_access")? != 0,
        object_acls: record.int_opt("object_acls")?.map(|value| value != 0),
        object_versions: record.int_opt("object_versions")?.map(|value| value != 0),
        lifecycle: record.int("lifecycle")? != 0,
        permissions_boundary: record.parse_opt("permissions_boundary_arn", BoundaryArn::parse)?,
    })
}

/// How a connection signs in. A setup's further columns are read by itself.
pub(super) fn sign_in(record: &Record) -> StoreResult<DraftSignIn> {
    Ok(DraftSignIn {
        by: record.parse("auth", Auth::parse)?,
        role_arn: record.parse_opt("role_arn", RoleArn::parse)?,
        customer: None,
        role_path: RolePath::default(),
        access_key: DraftAccessKey {
            id: record.parse_opt("access_key_id", AccessKeyId::parse)?,
            secret: record.bytes_opt("secret")?.map(SealedSecret),
            endpoint: record.parse_opt("endpoint", Endpoint::parse)?,
        },
    })
}
