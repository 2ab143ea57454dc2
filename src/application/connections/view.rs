//! A connection as people and programs see it.

use crate::application::closed_sets;
use crate::application::error::{Error, Result};
use crate::domain::connection::Connection;
use crate::domain::connection::access::Access;
use crate::domain::connection::settings::BucketSettings;
use crate::domain::setup::{Draft, DraftSignIn};
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

/// The settings of a connection, in the form that the API answers with and the pages show. A secret is
/// never in it.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, ToSchema)]
#[schema(as = Connection)]
pub struct ConnectionView {
    /// Empty, or with a trailing slash.
    pub prefix: String,
    #[schema(value_type = closed_sets::Access)]
    pub access: &'static str,
    pub role_arn: Option<String>,
    pub region: Option<String>,
    pub kms_key_arn: Option<String>,
    /// The account that owns the bucket, where it was named.
    pub bucket_account_id: Option<String>,
    pub requester_pays: bool,
    /// Whether browsers use the bucket directly. If not, it needs no CORS rules.
    pub browser_access: bool,
    /// Whether the documents grant the ACLs of objects.
    pub object_acls: bool,
    /// Whether the documents grant the versions of objects.
    pub object_versions: bool,
    /// Whether the documents let S3 delete what is below `temp/` and `export/` after 7 days.
    pub lifecycle: bool,
    /// The managed policy that bounds the role that the documents make.
    pub permissions_boundary_arn: Option<String>,
    pub access_key_id: Option<String>,
    pub endpoint: Option<String>,
}

impl ConnectionView {
    fn new(settings: &BucketSettings, sign_in: &DraftSignIn) -> Self {
        // Taken apart whole, so the compiler names a field that is forgotten here.
        let BucketSettings {
            prefix,
            access,
            region,
            kms_key,
            bucket_account,
            requester_pays,
            browser_access,
            object_acls: _,
            object_versions: _,
            lifecycle: _,
            permissions_boundary,
        } = settings;
        let grants = settings.grants();
        let DraftSignIn {
            by: _,
            role_arn,
            // Of setups alone, whose view has them.
            customer: _,
            role_path: _,
            access_key,
        } = sign_in;
        Self {
            prefix: prefix.to_string(),
            access: access.as_str(),
            role_arn: role_arn.as_ref().map(ToString::to_string),
            region: region.map(|region| region.to_string()),
            kms_key_arn: kms_key.as_ref().map(ToString::to_string),
            bucket_account_id: bucket_account.as_ref().map(ToString::to_string),
            requester_pays: *requester_pays,
            browser_access: *browser_access,
            object_acls: grants.acls,
            object_versions: grants.versions,
            lifecycle: settings.has_lifecycle(),
            permissions_boundary_arn: permissions_boundary.as_ref().map(ToString::to_string),
            access_key_id: access_key.id.as_ref().map(|id| id.as_str().to_owned()),
            endpoint: access_key.endpoint.as_ref().map(ToString::to_string),
        }
    }

    /// The fields that differ, in their order, with their values here and in `next`. What follows from another
    /// access is not named beside it.
    pub fn differences(&self, next: &Self) -> Result<Vec<Difference>> {
        let fields = |view: &Self| match serde_json::to_value(view) {
            Ok(Value::Object(fields)) => Ok(fields),
            Ok(other) => Err(Error::bug(format!("a connection is shown as {other}"))),
            Err(error) => Err(Error::bug(error)),
        };
        let (before, after) = (fields(self)?, fields(next)?);
        Ok(before
            .iter()
            .filter_map(|(name, value)| {
                let new = after.get(name)?;
                let follows = self.follows_access(name) && next.follows_access(name);
                (value != new && !follows).then(|| Difference {
                    field: name.clone(),
                    before: shown(value),
                    after: shown(new),
                })
            })
            .collect())
    }

    /// Whether this field has the value that the access gives it.
    fn follows_access(&self, field: &str) -> bool {
        match field {
            "object_acls" => self.object_acls == self.writes(),
            "object_versions" => self.object_versions == self.writes(),
            "lifecycle" => self.lifecycle == self.writes(),
            _ => false,
        }
    }

    /// Whether files can be changed.
    pub fn writes(&self) -> bool {
        self.access == Access::ReadWrite.as_str()
    }
}

/// A field that a change sets to another value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Difference {
    /// As requests name it.
    pub field: String,
    /// `None`: it has no value, or one that is never shown.
    pub before: Option<String>,
    pub after: Option<String>,
}

fn shown(value: &Value) -> Option<String> {
    match value {
        Value::Null => None,
        Value::String(text) if text.is_empty() => None,
        Value::String(text) => Some(text.clone()),
        other => Some(other.to_string()),
    }
}

impl From<&Draft> for ConnectionView {
    fn from(draft: &Draft) -> Self {
        Self::new(&draft.settings, &draft.sign_in)
    }
}

impl From<&Connection> for ConnectionView {
    fn from(connection: &Connection) -> Self {
        let sign_in = DraftSignIn::of(&connection.credentials);
        Self::new(&connection.settings, &sign_in)
    }
}
