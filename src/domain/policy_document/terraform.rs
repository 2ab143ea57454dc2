//! The Terraform configuration.

use crate::domain::Invalid;
use crate::domain::policy_document::bucket_rules::{CorsRule, LifecycleRule};
use crate::domain::policy_document::documents::{POLICY_NAME, Parts, unwritable};
use crate::domain::policy_document::escape;
use hcl::expr::{Conditional, Heredoc, TemplateExpr, Traversal, Variable};
use hcl::structure::BlockBuilder;
use hcl::{Block, Body, Expression, Identifier};
use serde_json::Value;

const HEAD: &str = "\
# Makes the role that lets the product use the bucket, and sets the bucket's CORS and lifecycle rules.
# Run it in the account that owns the bucket, with the provider in the bucket's Region.
# A bucket has one CORS and one lifecycle configuration, and Terraform replaces them as a whole. Where
# the bucket has rules already, answer replace_bucket_rules with false and add the rules below to them.

";

/// For a bucket that browsers do not use.
const LIFECYCLE_HEAD: &str = "\
# Makes the role that lets the product use the bucket, and sets the bucket's lifecycle rules.
# Run it in the account that owns the bucket, with the provider in the bucket's Region.
# A bucket has one lifecycle configuration, and Terraform replaces it as a whole. Where the bucket has
# rules already, answer replace_bucket_rules with false and add the rules below to them.

";

/// For one that is only read, too.
const ROLE_HEAD: &str = "\
# Makes the role that lets the product use the bucket. Run it in the account that owns the bucket.

";

/// For a bucket of another account, which has documents of its own.
const APART_HEAD: &str = "\
# Makes the role that lets the product use the bucket. Run it in the account that is to have the role. The
# bucket belongs to another account: its policy and its rules are set there, by that account's documents.

";

pub fn render(parts: &Parts<'_>) -> Result<String, Invalid> {
    let apart = parts.parameters.bucket_account_apart().is_some();
    let parts = &Parts {
        role: parts.role.clone(),
        cors: parts.cors.filter(|_| !apart),
        lifecycle: parts.lifecycle.filter(|_| !apart),
        ..*parts
    };
    let bucket = &parts.parameters.bucket;
    let mut body = Body::builder()
        .add_block(
            Block::builder("terraform")
                .add_block(
                    Block::builder("required_providers")
                        .add_attribute((
                            "aws",
                            hcl::value!({ source = "hashicorp/aws", version = ">= 4.9" }),
                        ))
                        .build(),
                )
                .build(),
        )
        .add_block(role(parts)?)
        .add_block(
            resource("aws_iam_role_policy")
                .add_attribute(("name", text(POLICY_NAME)?))
                .add_attribute(("role", role_attribute("id")?))
                .add_attribute(("policy", json(parts.permission_policy)?))
                .build(),
        );
    if parts.cors.is_some() || parts.lifecycle.is_some() {
        body = body.add_block(replace_variable(parts.cors.is_some())?);
    }
    if let Some(rule) = parts.cors {
        body = body.add_block(
            bucket_resource("aws_s3_bucket_cors_configuration", bucket.as_str())?
                .add_block(cors_rule(rule)?)
                .build(),
        );
    }
    if let Some(lifecycle) = parts.lifecycle {
        let mut block = bucket_resource("aws_s3_bucket_lifecycle_configuration", bucket.as_str())?;
        for rule in &lifecycle.rules {
            block = block.add_block(lifecycle_rule(rule)?);
        }
        body = body.add_block(block.build());
    }
    let body = body
        .add_block(
            Block::builder("output")
                .add_label("role_arn")
                .add_attribute((
                    "description",
                    text("Enter this ARN where the product asks for the role.")?,
                ))
                .add_attribute(("value", role_attribute("arn")?))
                .build(),
        )
        .build();
    let hcl = hcl::format::to_string(&body).map_err(unwritable)?;
    let head = match (parts.cors, parts.lifecycle) {
        _ if apart => APART_HEAD,
        (Some(_), _) => HEAD,
        (None, Some(_)) => LIFECYCLE_HEAD,
        (None, None) => ROLE_HEAD,
    };
    Ok(format!("{head}{hcl}"))
}

fn role(parts: &Parts<'_>) -> Result<Block, Invalid> {
    let mut role = resource("aws_iam_role")
        .add_attribute(("name", text(&parts.role.name)?))
        .add_attribute(("path", text(&parts.role.path)?));
    if let Some(boundary) = &parts.parameters.permissions_boundary {
        role = role.add_attribute(("permissions_boundary", text(&boundary.to_string())?));
    }
    Ok(role
        .add_attribute(("assume_role_policy", json(parts.trust_policy)?))
        .build())
}

/// Without a default, so Terraform asks before it replaces anything.
fn replace_variable(has_cors: bool) -> Result<Block, Invalid> {
    let description = match has_cors {
        true => "Whether to set the bucket's CORS and lifecycle rules, in place of those it has.",
        false => "Whether to set the bucket's lifecycle rules, in place of those it has.",
    };
    Ok(Block::builder("variable")
        .add_label("replace_bucket_rules")
        .add_attribute(("type", variable("bool")?))
        .add_attribute(("description", text(description)?))
        .build())
}

fn cors_rule(rule: &CorsRule<Vec<String>>) -> Result<Block, Invalid> {
    let id = rule.id.as_deref().unwrap_or_default();
    Ok(Block::builder("cors_rule")
        .add_attribute(("id", text(id)?))
        .add_attribute(("allowed_headers", list(&rule.allowed_headers)?))
        .add_attribute(("allowed_methods", list(&rule.allowed_methods)?))
        .add_attribute(("allowed_origins", list(&rule.allowed_origins)?))
        .add_attribute(("expose_headers", list(&rule.expose_headers)?))
        .add_attribute(("max_age_seconds", rule.max_age_seconds))
        .build())
}

fn lifecycle_rule(rule: &LifecycleRule<String>) -> Result<Block, Invalid> {
    let with = |name: &str, key: &str, value: Expression| {
        Block::builder(name).add_attribute((key, value)).build()
    };
    Ok(Block::builder("rule")
        .add_attribute(("id", text(&rule.id)?))
        .add_attribute(("status", text("Enabled")?))
        .add_block(with("filter", "prefix", text(&rule.filter.prefix)?))
        .add_block(with("expiration", "days", rule.expiration.days.into()))
        .add_block(with(
            "noncurrent_version_expiration",
            "noncurrent_days",
            rule.noncurrent_version_expiration.noncurrent_days.into(),
        ))
        .add_block(with(
            "abort_incomplete_multipart_upload",
            "days_after_initiation",
            rule.abort_incomplete_multipart_upload
                .days_after_initiation
                .into(),
        ))
        .build())
}

fn resource(kind: &str) -> BlockBuilder {
    Block::builder("resource")
        .add_label(kind)
        .add_label("sallyport")
}

/// A configuration of the bucket, made only if the variable says so.
fn bucket_resource(kind: &str, bucket: &str) -> Result<BlockBuilder, Invalid> {
    let wanted = Traversal::builder(variable("var")?)
        .attr("replace_bucket_rules")
        .build();
    Ok(resource(kind)
        .add_attribute(("count", Conditional::new(wanted, 1, 0)))
        .add_attribute(("bucket", text(bucket)?)))
}

fn role_attribute(name: &str) -> Result<Traversal, Invalid> {
    Ok(Traversal::builder(variable("aws_iam_role")?)
        .attr("sallyport")
        .attr(name)
        .build())
}

fn variable(name: &str) -> Result<Variable, Invalid> {
    Variable::new(name).map_err(unwritable)
}

fn list(values: &[String]) -> Result<Expression, Invalid> {
    values
        .iter()
        .map(|value| text(value))
        .collect::<Result<Vec<_>, _>>()
        .map(Expression::Array)
}

/// A string: HCL's escapes include those of JSON that can occur here.
fn text(value: &str) -> Result<Expression, Invalid> {
    let quoted = without_markers(&Value::from(value).to_string());
    // hcl-rs puts the quotes.
    let inner = quoted.get(1..quoted.len() - 1).unwrap_or_default();
    Ok(TemplateExpr::QuotedString(inner.to_owned()).into())
}

/// A policy as the text of its JSON. `jsonencode` would write a character beyond U+00FF as it is, and
/// IAM would refuse it.
fn json(policy: &Value) -> Result<Expression, Invalid> {
    let text = without_markers(&escape::json_file(policy).map_err(unwritable)?);
    let delimiter = Identifier::new("JSON").map_err(unwritable)?;
    Ok(TemplateExpr::Heredoc(Heredoc::new(delimiter, text)).into())
}

/// Writes the first character of `${` and `%{` as `\u0024` and `\u0025`, so HCL finds nothing to
/// interpolate. JSON and HCL's quoted strings both read that escape. HCL's own `$${` is ambiguous
/// after another `$`.
fn without_markers(json: &str) -> String {
    json.replace("${", "\\u0024{").replace("%{", "\\u0025{")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_left_to_interpolate() {
        assert_eq!(
            without_markers("\"$${a}%%{b}\""),
            r#""$\u0024{a}%\u0025{b}""#
        );
    }
}
