//! The Terraform configuration.

use crate::domain::Invalid;
use crate::domain::connection::access::Auth;
use crate::domain::policy_document::bucket_rules::{CorsRule, LifecycleRule};
use crate::domain::policy_document::documents::{POLICY_NAME, Parts, unwritable};
use crate::domain::policy_document::escape;
use crate::domain::policy_document::words;
use hcl::expr::{Conditional, Heredoc, TemplateExpr, Traversal, Variable};
use hcl::structure::BlockBuilder;
use hcl::{Block, Body, Expression, Identifier};
use serde_json::Value;

const ROLE_HEAD: &str = "\
# Makes the role that lets the product use the bucket. Run it in the account that owns the bucket.
# To take everything back, destroy it.
";

const USER_HEAD: &str = "\
# Makes the IAM user that lets the product use the bucket, and its policy. Run it in the account that owns the
# bucket. It makes no access key: the secret would stand in Terraform's state. Make the key afterwards, in the
# console (IAM > Users > the user > Security credentials > Create access key) or by the command
#   aws iam create-access-key --user-name USER
# with the output user_name. Delete the user's keys before you destroy this.
";

const RULES: &str = "\
#
# A bucket has one configuration for rules of each kind, and Terraform replaces it as a whole: the rules below
# are only for a bucket that has no such rules, which you confirm by a variable, and from then on Terraform owns
# them. Where the bucket has rules, answer false, and ADD these to them where they are managed, or by the AWS CLI
# script, which keeps the others. The provider must be in the bucket's Region.
";

/// For a bucket of another account, which has documents of its own.
const APART_HEAD: &str = "\
# Makes the role that lets the product use the bucket. Run it in the account that is to have the role. The
# bucket belongs to another account: its policy and its rules are set there, by that account's documents.
";

pub fn render(parts: &Parts<'_>) -> Result<String, Invalid> {
    let apart = parts.parameters.bucket_account_apart().is_some();
    let by_key = parts.parameters.auth == Auth::AccessKey;
    let cors = parts.cors.filter(|_| !apart);
    let lifecycle = parts.lifecycle.filter(|_| !apart);
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
        .add_block(match by_key {
            true => user(parts)?,
            false => role(parts)?,
        })
        .add_block(policy(parts, by_key)?);
    if let Some(rule) = cors {
        body = body.add_block(confirmation("CORS", "cors")?).add_block(
            bucket_resource("aws_s3_bucket_cors_configuration", bucket.as_str(), "cors")?
                .add_block(cors_rule(rule)?)
                .build(),
        );
    }
    if let Some(lifecycle) = lifecycle {
        let kind = "aws_s3_bucket_lifecycle_configuration";
        let mut block = bucket_resource(kind, bucket.as_str(), "lifecycle")?;
        for rule in &lifecycle.rules {
            block = block.add_block(lifecycle_rule(rule)?);
        }
        body = body
            .add_block(confirmation("lifecycle", "lifecycle")?)
            .add_block(block.build());
    }
    let (output, description, value) = match by_key {
        true => (
            "user_name",
            "Make an access key for this user.",
            attribute("aws_iam_user", "name")?,
        ),
        false => (
            "role_arn",
            "Enter this ARN where the product asks for the role.",
            attribute("aws_iam_role", "arn")?,
        ),
    };
    let output = Block::builder("output")
        .add_label(output)
        .add_attribute(("description", text(description)?))
        .add_attribute(("value", value))
        .build();
    let body = body.add_block(output).build();
    let hcl = hcl::format::to_string(&body).map_err(unwritable)?;
    let head = match (by_key, apart) {
        (true, _) => USER_HEAD,
        (false, true) => APART_HEAD,
        (false, false) => ROLE_HEAD,
    };
    let rules = match (cors, lifecycle) {
        (None, None) => "",
        _ => RULES,
    };
    let warning = words::lifecycle_comment(lifecycle);
    Ok(format!("{head}{rules}{warning}\n{}", formatted(&hcl)))
}

fn role(parts: &Parts<'_>) -> Result<Block, Invalid> {
    let block = resource("aws_iam_role")
        .add_attribute(("name", text(&parts.role.name)?))
        .add_attribute(("path", text(&parts.role.path)?))
        .add_attribute(("assume_role_policy", json(parts.trust_policy)?));
    bounded_and_tagged(parts, block)
}

fn user(parts: &Parts<'_>) -> Result<Block, Invalid> {
    let block = resource("aws_iam_user")
        .add_attribute(("name", text(&parts.user.name)?))
        .add_attribute(("path", text(&parts.user.path)?));
    bounded_and_tagged(parts, block)
}

fn bounded_and_tagged(parts: &Parts<'_>, mut block: BlockBuilder) -> Result<Block, Invalid> {
    if let Some(boundary) = &parts.parameters.permissions_boundary {
        block = block.add_attribute(("permissions_boundary", text(&boundary.to_string())?));
    }
    if let Some(setup) = parts.parameters.setup_tag() {
        let tags = hcl::value!({ "sallyport:setup" = setup });
        block = block.add_attribute(("tags", tags));
    }
    Ok(block.build())
}

fn policy(parts: &Parts<'_>, by_key: bool) -> Result<Block, Invalid> {
    let block = match by_key {
        true => resource("aws_iam_user_policy")
            .add_attribute(("name", text(POLICY_NAME)?))
            .add_attribute(("user", attribute("aws_iam_user", "name")?)),
        false => resource("aws_iam_role_policy")
            .add_attribute(("name", text(POLICY_NAME)?))
            .add_attribute(("role", attribute("aws_iam_role", "id")?)),
    };
    Ok(block
        .add_attribute(("policy", json(parts.permission_policy)?))
        .build())
}

/// Without a default, so Terraform asks before it sets anything that it would set as a whole.
fn confirmation(kind: &str, name: &str) -> Result<Block, Invalid> {
    let description = format!(
        "Whether the bucket has no {kind} rules. true adds the rules below; false leaves the bucket's rules alone."
    );
    Ok(Block::builder("variable")
        .add_label(format!("bucket_has_no_{name}_rules"))
        .add_attribute(("type", variable("bool")?))
        .add_attribute(("description", text(&description)?))
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
fn bucket_resource(kind: &str, bucket: &str, name: &str) -> Result<BlockBuilder, Invalid> {
    let wanted = Traversal::builder(variable("var")?)
        .attr(format!("bucket_has_no_{name}_rules"))
        .build();
    Ok(resource(kind)
        .add_attribute(("count", Conditional::new(wanted, 1, 0)))
        .add_attribute(("bucket", text(bucket)?)))
}

fn attribute(kind: &str, name: &str) -> Result<Traversal, Invalid> {
    Ok(Traversal::builder(variable(kind)?)
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
    let delimiter = Identifier::new(HEREDOC_END).map_err(unwritable)?;
    Ok(TemplateExpr::Heredoc(Heredoc::new(delimiter, text)).into())
}

/// An argument, with the lines of its heredoc.
struct Argument<'a> {
    name: &'a str,
    value: &'a str,
    heredoc: Vec<&'a str>,
}

/// As `terraform fmt` writes it: the equals signs of neighbouring arguments stand below each other. A list or an
/// object of several lines is nobody's neighbour; a heredoc is.
fn formatted(hcl: &str) -> String {
    let mut out = String::new();
    let mut neighbours: Vec<Argument<'_>> = Vec::new();
    let mut in_heredoc = false;
    for line in hcl.lines() {
        if in_heredoc {
            in_heredoc = line.trim() != HEREDOC_END;
            if let Some(last) = neighbours.last_mut() {
                last.heredoc.push(line);
            }
            continue;
        }
        match line.split_once(" = ") {
            Some((name, value)) if !value.ends_with(['{', '[']) => {
                in_heredoc = value.starts_with("<<");
                neighbours.push(Argument {
                    name,
                    value,
                    heredoc: Vec::new(),
                });
            }
            Some(_) | None => {
                aligned(&mut neighbours, &mut out);
                out.push_str(line);
                out.push('\n');
            }
        }
    }
    aligned(&mut neighbours, &mut out);
    out
}

fn aligned(neighbours: &mut Vec<Argument<'_>>, out: &mut String) {
    let widths = neighbours.iter().map(|one| one.name.chars().count());
    let width = widths.max().unwrap_or(0);
    for Argument {
        name,
        value,
        heredoc,
    } in neighbours.drain(..)
    {
        out.push_str(&format!("{name:<width$} = {value}\n"));
        for line in heredoc {
            out.push_str(line);
            out.push('\n');
        }
    }
}

const HEREDOC_END: &str = "JSON";

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
