//! AWS's own sentences (IAM user guide, "Troubleshoot access denied error messages").

use crate::it::support::aws::stub::{denied, sts_error};
use crate::it::support::aws::wire::Reply;
use crate::it::worlds::world::Names;

fn who(names: &Names) -> String {
    let role = names.role_arn.rsplit('/').next().unwrap_or_default();
    format!("arn:aws:sts::{}:assumed-role/{role}/session", names.account)
}

/// S3's denial of an action on the bucket or on a file, with this reason.
pub fn s3_denial(action: &str, reason: &str, names: &Names) -> Reply {
    let resource = match action.contains("Object") {
        true => format!("{}/{}a.txt", names.bucket_arn(), names.prefix),
        false => names.bucket_arn(),
    };
    let text = format!(
        "User: {} is not authorized to perform: {action} on resource: \"{resource}\" {reason}",
        who(names)
    );
    denied(&escaped(text.trim_end()))
}

pub fn no_allow(action: &str, kind: &str, names: &Names) -> Reply {
    s3_denial(
        action,
        &format!("because no {kind} allows the {action} action"),
        names,
    )
}

pub fn explicit(action: &str, kind: &str, names: &Names) -> Reply {
    let article = match kind.starts_with(['i', 'a']) {
        true => "an",
        false => "a",
    };
    s3_denial(
        action,
        &format!("with an explicit deny in {article} {kind}"),
        names,
    )
}

/// S3's answer to a call that KMS denied.
pub fn kms_denial(action: &str, reason: &str, names: &Names) -> Reply {
    // S3 names the key of a write, and the ciphertext of a read.
    let resource = match action {
        "kms:Decrypt" => "on the resource associated with this ciphertext".to_owned(),
        _ => format!("on resource: {}", names.key_arn),
    };
    denied(&escaped(&format!(
        "User: {} is not authorized to perform: {action} {resource} {reason}",
        who(names)
    )))
}

/// STS's denial of AssumeRole.
pub fn sts_denial(reason: &str, names: &Names) -> Reply {
    sts_denial_of("sts:AssumeRole", reason, names)
}

/// STS's denial of what goes with AssumeRole.
pub fn sts_denial_of(action: &str, reason: &str, names: &Names) -> Reply {
    let text = format!(
        "User: arn:aws:iam::{}:user/service is not authorized to perform: {action} on resource: {} {reason}",
        names.vendor, names.role_arn
    );
    sts_error(403, "AccessDenied", text.trim_end())
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;")
}
