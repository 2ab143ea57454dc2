//! The steps of a check, and what is kept of each answer.

use crate::domain::connection::{Connection, Credentials};
use serde::{Deserialize, Serialize};

/// Declares the steps once, in the order of the report: name in the code, name in the API, title, and
/// when it is made.
macro_rules! steps {
    ($($step:ident, $name:literal, $title:literal, $asked:ident;)*) => {
        /// The steps, in the order of the report.
        #[derive(
            Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize,
        )]
        pub enum StepName {
            $(#[serde(rename = $name)] $step,)*
        }

        impl StepName {
            pub const ALL: &'static [StepName] = &[$(Self::$step),*];

            /// As in the API and in stored reports: stable.
            pub fn as_str(self) -> &'static str {
                match self {
                    $(Self::$step => $name,)*
                }
            }

            /// What the step does, as a title for people.
            pub fn title(self) -> &'static str {
                match self {
                    $(Self::$step => $title,)*
                }
            }

            /// When the step is made.
            pub fn asked(self) -> Asked {
                match self {
                    $(Self::$step => Asked::$asked,)*
                }
            }
        }
    };
}

steps! {
    AssumeRole, "assume_role", "Assume the role with your external ID", ByRole;
    RefusesMissingExternalId, "refuses_missing_external_id", "Rejects requests without an external ID", ByRole;
    RefusesWrongExternalId, "refuses_wrong_external_id", "Rejects requests with another external ID", ByRole;
    GetBucketLocation, "get_bucket_location", "Find the bucket's Region", Always;
    BucketOwner, "bucket_owner", "The bucket belongs to the expected account", KnownOwner;
    ListBucket, "list_bucket", "List files below the prefix", Always;
    GetObject, "get_object", "Read access to files", Always;
    PutObject, "put_object", "Write a test file", ForWriting;
    DeleteObject, "delete_object", "Delete the test file", ForWriting;
    Cors, "cors", "CORS preflight from the product's pages", WithOrigins;
}

/// When a step is made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Asked {
    Always,
    /// When the connection is made by a role.
    ByRole,
    /// When it is known which account must own the bucket.
    KnownOwner,
    /// When the connection may write.
    ForWriting,
    /// When browsers use the customer's bucket from an origin of the service.
    WithOrigins,
}

impl Asked {
    /// Whether it is made by a connection that signs in this way, as far as that decides.
    pub fn is_for(self, has_role: bool) -> bool {
        match self {
            Self::ByRole => has_role,
            Self::Always | Self::KnownOwner | Self::ForWriting | Self::WithOrigins => true,
        }
    }

    /// Why a check of this connection skips the step; `None`: the step is made.
    pub fn skipped(self, connection: &Connection, has_origins: bool) -> Option<&'static str> {
        let (is_made, otherwise) = match self {
            Self::Always => return None,
            Self::ByRole => (
                matches!(connection.credentials, Credentials::Role { .. }),
                "The storage does not connect by a role.",
            ),
            Self::KnownOwner => (
                connection.expected_owner().is_some(),
                "Neither a role's ARN nor the bucket's account ID says which account must own the bucket.",
            ),
            Self::ForWriting => (
                connection.settings.access.writes(),
                "The access is read only.",
            ),
            Self::WithOrigins => match &connection.credentials {
                Credentials::Service => {
                    return Some(
                        "The bucket is the service's own, and its CORS rules are the operator's.",
                    );
                }
                Credentials::Role { .. } | Credentials::AccessKey { .. } => {
                    if !connection.settings.browser_access {
                        return Some(
                            "Browsers do not use this bucket directly, so it needs no CORS rules.",
                        );
                    }
                    (has_origins, "No origin is configured to be tried.")
                }
            },
        };
        (!is_made).then_some(otherwise)
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StepStatus {
    Passed,
    Failed,
    Warning,
    Skipped,
}

impl StepStatus {
    /// As in the API and in stored reports: stable.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Passed => "passed",
            Self::Failed => "failed",
            Self::Warning => "warning",
            Self::Skipped => "skipped",
        }
    }
}

/// AWS's answer to the call that decided a step.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AwsCall {
    pub operation: String,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub http_status: Option<u16>,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub error_code: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub request_id: Option<String>,
}
