//! Settings by the names and values that the pages give them, and where better ones are sent.

/// A setting's value: as it is, or in words.
pub struct SettingWords {
    pub text: String,
    pub is_code: bool,
}

/// Where a better value of a setting is sent to, from a report that is of the present settings.
#[derive(Clone)]
pub struct Apply {
    /// The address that takes the form.
    pub action: String,
    pub csrf: String,
    /// The step of the dialog to come back to.
    pub step: Option<&'static str>,
}

/// A setting as the pages call it. One without a name of its own here keeps that of the API.
pub fn label(field: &str) -> &str {
    match field {
        "bucket" => "Bucket",
        "prefix" => "Prefix",
        "access" => "Access",
        "region" => "Region",
        "role_arn" => "Role ARN",
        "permissions_boundary_arn" => "Permissions boundary",
        "kms_key_arn" => "KMS key ARN",
        "bucket_account_id" => "Bucket’s account",
        "requester_pays" => "Requests",
        "browser_access" => "Used by",
        "object_acls" => "Access control lists",
        "object_versions" => "Versions",
        "lifecycle" => "Lifecycle rules",
        "access_key_id" => "Access key ID",
        "secret_access_key" => "Secret access key",
        "endpoint" => "Endpoint",
        other => other,
    }
}

/// A value in words.
pub fn words(text: &str) -> SettingWords {
    SettingWords {
        text: text.to_owned(),
        is_code: false,
    }
}

/// A setting's value for people, where the API has `value`.
pub fn value(field: &str, value: Option<&str>) -> SettingWords {
    match (field, value) {
        ("prefix", None) => words("The whole bucket"),
        ("region", None) => words("As the check finds it"),
        ("endpoint", None) => words("Amazon S3"),
        (_, None) => words("None"),
        ("access", Some("read")) => words("Read"),
        ("access", Some("read_write")) => words("Read and write"),
        ("requester_pays", Some("true")) => words("Requester pays"),
        ("requester_pays", Some("false")) => words("The bucket’s owner pays"),
        ("browser_access", Some("true")) => words("Browsers and servers"),
        ("browser_access", Some("false")) => words("Servers only"),
        ("object_acls" | "object_versions", Some("true")) => words("Granted"),
        ("object_acls" | "object_versions", Some("false")) => words("Not granted"),
        ("lifecycle", Some("true")) => words("In the documents"),
        ("lifecycle", Some("false")) => words("Not in the documents"),
        (_, Some(text)) => SettingWords {
            text: text.to_owned(),
            is_code: true,
        },
    }
}
