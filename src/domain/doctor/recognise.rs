//! Which document a text is, where nobody said.

use crate::domain::doctor::finding::DocumentKind;
use crate::domain::doctor::json::{self, Node, Value};
use crate::domain::doctor::policy::each;

/// By its content alone. None where nothing tells.
pub fn kind_of_text(text: &str) -> Option<DocumentKind> {
    if text
        .trim_start_matches('\u{feff}')
        .trim_start()
        .starts_with('<')
    {
        return text
            .contains("CORSConfiguration")
            .then_some(DocumentKind::Cors);
    }
    kind_of(&json::read(text).root?)
}

pub fn kind_of(root: &Node) -> Option<DocumentKind> {
    let is_rule =
        |node: &Node| node.get("AllowedOrigins").is_some() || node.get("AllowedMethods").is_some();
    match &root.value {
        Value::List(items) if items.iter().any(is_rule) => return Some(DocumentKind::Cors),
        Value::Object(_) => {}
        Value::List(_) | Value::Null | Value::Bool(_) | Value::Number(_) | Value::Text(_) => {
            return None;
        }
    }
    if root.get("CORSRules").is_some() || is_rule(root) {
        return Some(DocumentKind::Cors);
    }
    let statements = each(root.get("Statement")?, "");
    let any = |name: &str| statements.iter().any(|(node, _)| node.get(name).is_some());
    let actions: Vec<String> = statements
        .iter()
        .flat_map(|(node, _)| node.get("Action").into_iter().chain(node.get("NotAction")))
        .flat_map(|node| each(node, ""))
        .filter_map(|(node, _)| Some(node.text()?.to_ascii_lowercase()))
        .collect();
    let all = |service: &str| {
        !actions.is_empty() && actions.iter().all(|action| action.starts_with(service))
    };
    let principals = any("Principal") || any("NotPrincipal");
    if all("sts:") && (principals || !any("Resource")) {
        return Some(DocumentKind::TrustPolicy);
    }
    match principals {
        false if any("Resource") || any("NotResource") => Some(DocumentKind::PermissionPolicy),
        false => None,
        true if all("kms:") => Some(DocumentKind::KeyPolicy),
        true if any("Resource") || any("NotResource") => Some(DocumentKind::BucketPolicy),
        true => None,
    }
}
