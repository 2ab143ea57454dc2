//! ARNs and placeholders.

use crate::domain::connection::account::Partition;
use crate::domain::doctor::code::Code;
use crate::domain::doctor::expected::Expected;
use crate::domain::doctor::finding::{DocumentKind, Notes, Severity, Words};
use crate::domain::doctor::pattern::variables;
use crate::domain::doctor::policy::{Item, Policy};
use crate::domain::invalid::shown;
use crate::domain::policy_document::escape;

pub fn look(kind: DocumentKind, policy: &Policy, expected: &Expected, notes: &mut Notes) {
    for statement in &policy.statements {
        for item in statement.resources.iter().flat_map(|r| &r.items) {
            if notes.is_full() {
                return;
            }
            if !placeholder(item, expected, notes) {
                resource(kind, item, expected, notes);
            }
        }
        for principal in statement.principals.iter().flat_map(|p| &p.items) {
            if !placeholder(&principal.item, expected, notes) && principal.kind == "AWS" {
                of_principal(&principal.item, expected, notes);
            }
        }
        for item in statement.conditions.iter().flat_map(|c| &c.values) {
            placeholder(item, expected, notes);
        }
    }
}

/// What somebody was to fill in, and did not.
fn placeholder(item: &Item, expected: &Expected, notes: &mut Notes) -> bool {
    // The connection's own names are no placeholders, whatever they are like.
    let mut text = item.text.clone();
    let prefix = escape::for_iam(expected.prefix.as_str());
    let bucket = expected.bucket.as_ref().map(|bucket| bucket.as_str());
    for own in [Some(prefix.as_str()), bucket].into_iter().flatten() {
        if !own.is_empty() {
            text = text.replace(own, "");
        }
    }
    let text = text.as_str();
    let upper = text.to_ascii_uppercase();
    const WORDS: [&str; 9] = [
        "YOUR-",
        "YOUR_",
        "YOURBUCKET",
        "BUCKET-NAME",
        "BUCKET_NAME",
        "BUCKETNAME",
        "EXAMPLE-BUCKET-NAME",
        "ACCOUNT-ID",
        "ACCOUNT_ID",
    ];
    // Names of buckets are in lower case, so a word in capitals was never one.
    let by_word = WORDS
        .iter()
        .any(|word| upper.contains(word) && (text.contains(word) || word.starts_with("YOUR")));
    let by_sign = (text.contains('<') && text.contains('>'))
        || text.contains("{{")
        || (text.contains('{') && !text.contains("${"))
        || (text.contains('[') && text.contains(']') && text.starts_with("arn:"));
    let known = |name: &str| {
        let name = name.split(',').next().unwrap_or(name).trim();
        name.contains(':')
    };
    let odd = variables(text).into_iter().find(|name| !known(name));
    if !by_word && !by_sign && odd.is_none() {
        return false;
    }
    let words = Words::new(
        format!("`{}` looks like a placeholder", shown(&item.text)),
        match odd {
            Some(name) => format!(
                "`${{{}}}` is the placeholder of a shell or a template. IAM knows no variable of this name, so it matches nothing.",
                shown(name)
            ),
            None => "It was to be filled in, and matches nothing that exists.".to_owned(),
        },
        "Put your own value in its place.",
    );
    notes.add(Severity::Error, Code::PlaceholderLeft, &item.place, words);
    true
}

fn resource(kind: DocumentKind, item: &Item, expected: &Expected, notes: &mut Notes) {
    let text = item.text.as_str();
    if text == "*" {
        return;
    }
    let fields: Vec<&str> = text.splitn(6, ':').collect();
    let ["arn", partition, service, region, account, resource] = fields[..] else {
        let remedy = match (text.strip_prefix("s3://"), &expected.bucket) {
            (Some(rest), _) => format!("Write `arn:{}:s3:::{}`.", expected.partition, shown(rest)),
            (None, Some(bucket)) => format!(
                "Write `arn:{}:s3:::{bucket}` or the like.",
                expected.partition
            ),
            (None, None) => "Write an ARN, like `arn:aws:s3:::acme-data/*`.".to_owned(),
        };
        malformed(
            item,
            "A resource is an ARN with six fields, or `*`. AWS refuses another form.",
            &remedy,
            notes,
        );
        return;
    };
    is_partition(item, partition, expected, notes);
    let names_bucket = service == "s3" && !resource.contains("accesspoint/");
    if names_bucket && !(region.is_empty() && account.is_empty()) {
        if region != "*" && account != "*" {
            malformed(
                item,
                "The ARN of a bucket has neither a Region nor an account, so this matches no bucket.",
                &format!("Write `arn:{partition}:s3:::{resource}`."),
                notes,
            );
        }
        return;
    }
    if names_bucket {
        let bucket = resource.split('/').next().unwrap_or_default();
        if bucket.bytes().any(|b| b.is_ascii_uppercase()) && kind != DocumentKind::KeyPolicy {
            malformed(
                item,
                "Names of buckets are in lower case, and ARNs are compared with their letter case.",
                &format!(
                    "Write `arn:{partition}:s3:::{}`.",
                    resource.replacen(bucket, &bucket.to_lowercase(), 1)
                ),
                notes,
            );
        }
        if let Some((bucket, "")) = resource.split_once('/') {
            malformed(
                item,
                "With a slash at its end this is neither the bucket nor its objects, and matches nothing.",
                &format!(
                    "Write `arn:{partition}:s3:::{bucket}` for the bucket, or `arn:{partition}:s3:::{bucket}/*` for its objects."
                ),
                notes,
            );
        }
    }
    if service == "kms" && resource.starts_with("alias/") {
        malformed(
            item,
            "Use of a key is decided by the key's own ARN. A statement that names an alias allows nothing.",
            "Write the key's ARN, which ends with `key/` and its ID.",
            notes,
        );
    }
}

fn is_partition(item: &Item, partition: &str, expected: &Expected, notes: &mut Notes) {
    if partition.contains('*') || partition == expected.partition.as_str() {
        return;
    }
    let words = Words::new(
        format!("`{}` is of another partition", shown(&item.text)),
        match Partition::parse(partition) {
            Some(_) => format!(
                "The connection is in the partition `{}`. ARNs of other partitions match nothing in it.",
                expected.partition
            ),
            None => format!(
                "`{}` is no partition of AWS, so this matches nothing.",
                shown(partition)
            ),
        },
        format!("Begin the ARN with `arn:{}:`.", expected.partition),
    );
    notes.add(Severity::Error, Code::ArnPartition, &item.place, words);
}

fn malformed(item: &Item, why: &str, remedy: &str, notes: &mut Notes) {
    let title = format!("`{}` names nothing", shown(&item.text));
    let words = Words::new(title, why, remedy);
    notes.add(Severity::Error, Code::ArnMalformed, &item.place, words);
}

fn of_principal(item: &Item, expected: &Expected, notes: &mut Notes) {
    let text = item.text.as_str();
    let is_account = text.len() == 12 && text.bytes().all(|b| b.is_ascii_digit());
    let is_id = ["AROA", "AIDA"].iter().any(|start| text.starts_with(start));
    if text == "*" || is_account {
        return;
    }
    if is_id {
        let words = Words::new(
            format!("`{}` is the unique ID of a deleted identity", shown(text)),
            "AWS puts the ID in place of the ARN of a role or user that was deleted. One of the same name that was made again is another, and is not let in.",
            "Write the ARN again.",
        );
        notes.add(
            Severity::Warning,
            Code::PrincipalUnusable,
            &item.place,
            words,
        );
        return;
    }
    let digits = text.bytes().filter(u8::is_ascii_digit).count();
    let only_digits = text
        .bytes()
        .all(|b| b.is_ascii_digit() || b == b'-' || b == b' ');
    let fields: Vec<&str> = text.splitn(6, ':').collect();
    let remedy =
        "Write an account ID of 12 digits, or an ARN like `arn:aws:iam::111122223333:root`.";
    let ["arn", partition, service, region, account, resource] = fields[..] else {
        let why = match only_digits && digits > 0 {
            true => format!(
                "An account ID has exactly 12 digits, without hyphens; this one has {digits}."
            ),
            false => {
                "A principal is an account ID, an ARN or `*`. AWS refuses another form.".to_owned()
            }
        };
        malformed(item, &why, remedy, notes);
        return;
    };
    is_partition(item, partition, expected, notes);
    let digits = account.bytes().all(|b| b.is_ascii_digit()) && account.len() == 12;
    if !digits || !region.is_empty() || !["iam", "sts"].contains(&service) {
        malformed(
            item,
            "This is no ARN of an account, role or user: the account has 12 digits, and no field is left out.",
            remedy,
            notes,
        );
    } else if resource.contains(['*', '?']) {
        malformed(
            item,
            "A principal has no wildcard inside its ARN. AWS refuses it, or it matches nothing.",
            "Name the role, or the account with a condition `ArnLike` of `aws:PrincipalArn`.",
            notes,
        );
    } else if !["root"].contains(&resource)
        && !["role/", "user/", "assumed-role/", "federated-user/"]
            .iter()
            .any(|kind| resource.starts_with(kind))
    {
        malformed(
            item,
            "This ARN names neither an account, a role nor a user.",
            remedy,
            notes,
        );
    }
}
