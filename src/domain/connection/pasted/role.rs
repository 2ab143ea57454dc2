//! What is pasted where a role's ARN is asked for.

use crate::domain::connection::account::{AccountId, Partition};
use crate::domain::connection::pasted::console;
use crate::domain::invalid::{Invalid, shown};
use url::Url;

/// The ARN of the role whose page in the console, or whose switch-role link, this is. `None`: it is no web
/// address, and is judged as an ARN. A page of the console does not name the account, unless the console shows
/// several sessions at once: then `known` does, the account that the setup is about.
///
/// The console's page does not show a role's path either. A role with a path is refused by AWS under the ARN
/// that comes out here, and its own ARN has to be pasted.
pub fn role_arn(text: &str, known: Option<&AccountId>) -> Option<Result<String, Invalid>> {
    let text = text.trim();
    let url = match Url::parse(text) {
        Ok(url) if matches!(url.scheme(), "http" | "https") => url,
        Ok(_) | Err(_) => return None,
    };
    Some(of_url(&url, known))
}

fn refused(detail: impl Into<String>) -> Invalid {
    Invalid::new("invalid_role_arn", detail)
}

fn of_url(url: &Url, known: Option<&AccountId>) -> Result<String, Invalid> {
    const COPY: &str = "Open the role in the IAM console and copy its ARN, like `arn:aws:iam::123456789012:role/name`.";
    let host = url.host_str().unwrap_or_default();
    let query = |wanted: &str| {
        let mut pairs = url.query_pairs();
        pairs.find_map(|(name, value)| (name == wanted).then(|| value.into_owned()))
    };
    let not_a_role = || refused(format!("This web address is not a role's. {COPY}"));
    if url.path().trim_end_matches('/') == "/switchrole" {
        let partition = switch_role_partition(host).ok_or_else(not_a_role)?;
        let (Some(name), Some(account)) = (query("roleName"), query("account")) else {
            return Err(not_a_role());
        };
        let account = AccountId::parse(&account).map_err(|_| {
            refused(format!(
                "This link names the account by its alias `{}`. {COPY}",
                shown(&account)
            ))
        })?;
        return Ok(arn(partition, &account, &name));
    }
    let partition = console::partition(host).ok_or_else(not_a_role)?;
    if !url.path().starts_with("/iam") {
        return Err(not_a_role());
    }
    // `…/iam/home#/roles/details/NAME?section=permissions`, and before that `…/iam/home#/roles/NAME`.
    let page = url.fragment().unwrap_or(url.path());
    let (_, below) = page.split_once("/roles/").ok_or_else(not_a_role)?;
    let below = below.strip_prefix("details/").unwrap_or(below);
    let name = below.split(['?', '/', '$', '#']).next().unwrap_or_default();
    let name = percent_encoding::percent_decode_str(name)
        .decode_utf8()
        .map_err(|_| not_a_role())?;
    if name.is_empty() {
        return Err(not_a_role());
    }
    let by_host = console::account(host);
    match by_host.as_ref().or(known) {
        Some(account) => Ok(arn(partition, account, &name)),
        None => Err(refused(format!(
            "This page of the console is about the role `{}` and does not say in which account. {COPY}",
            shown(&name)
        ))),
    }
}

fn switch_role_partition(host: &str) -> Option<Partition> {
    match host {
        "signin.aws.amazon.com" => Some(Partition::Aws),
        "signin.amazonaws.cn" => Some(Partition::AwsCn),
        "signin.amazonaws-us-gov.com" => Some(Partition::AwsUsGov),
        "signin.amazonaws-eusc.eu" => Some(Partition::AwsEusc),
        regional if regional.ends_with(".signin.aws.amazon.com") => Some(Partition::Aws),
        _ => None,
    }
}

fn arn(partition: Partition, account: &AccountId, name: &str) -> String {
    format!("arn:{partition}:iam::{account}:role/{name}")
}
