//! From the change that removes a cause to the document, the commands and the place in the console.

use crate::application::diagnosis::subject::Subject;
use crate::domain::cause::fix::{Fix, Setting};
use crate::domain::check::patch::{Patch, PatchOperation, PatchTarget};
use crate::domain::connection::Credentials;
use crate::domain::connection::external_id::ExternalId;
use crate::domain::connection::kms_key_arn::KmsKeyArn;
use crate::domain::connection::role_arn::RoleArn;
use crate::domain::policy_document::{escape, sid_prefix};
use serde_json::{Map, Value, json};

impl Subject<'_> {
    /// What to apply. `None`: the documents have nothing for it.
    pub(super) fn patch(&self, fix: &Fix) -> Option<Patch> {
        match fix {
            Fix::AllowActions { actions, key } => {
                let statements = self.statements(actions, key.as_ref());
                let [statement] = <[Value; 1]>::try_from(statements).ok()?;
                Some(self.in_permission_policy(statement, actions))
            }
            Fix::UseKey { action, key } => {
                // Whoever writes a file reads it too, and AWS names one action at a time.
                let actions = match action.as_str() {
                    "kms:GenerateDataKey" => vec!["kms:Decrypt".to_owned(), action.clone()],
                    _ => vec![action.clone()],
                };
                let statements = self.statements(&actions, key.as_ref());
                let [statement] = <[Value; 1]>::try_from(statements).ok()?;
                Some(self.in_permission_policy(statement, &actions))
            }
            Fix::AllowOnProbes { action, folder } => {
                let objects = self.resource_for("s3:GetObject")?;
                let below = objects.strip_suffix('*').unwrap_or(&objects);
                let statement = json!({
                    "Effect": "Allow",
                    "Action": [action],
                    "Resource": [format!("{below}{folder}sallyport-check-*")],
                });
                Some(self.in_permission_policy(statement, std::slice::from_ref(action)))
            }
            Fix::PermissionPolicy => Some(self.permission_policy()),
            Fix::TrustPolicy => self.trust_policy(),
            Fix::BucketPolicy => self.bucket_policy(),
            Fix::KeyPolicy { key } => self.key_policy(key),
            Fix::Cors => self.cors(),
            Fix::Setting(setting) => Some(settings(setting)),
        }
    }

    /// The statements that allow these actions and nothing else: one for each of the documents' that has any of
    /// them. IAM refuses a policy with the same `Sid` twice, and the document's may be there already, so they have
    /// none.
    fn statements(&self, actions: &[String], key: Option<&KmsKeyArn>) -> Vec<Value> {
        let connection = self.connection;
        let key = key.or(connection.settings.kms_key.as_ref());
        let mut statements: Vec<Value> = Vec::new();
        for action in actions {
            let found = self.policies.statement_for(
                connection.partition(),
                &connection.bucket,
                &connection.settings.prefix,
                action,
                key,
            );
            // An action that the documents do not grant needs a statement of its own.
            let found = found.or_else(|| {
                let resource = self.resource_for(action)?;
                Some(json!({"Effect": "Allow", "Action": [], "Resource": [resource]}))
            });
            let Some(Value::Object(mut statement)) = found else {
                continue;
            };
            statement.shift_remove("Sid");
            statement.insert("Action".to_owned(), json!([action]));
            let alike = statements
                .iter_mut()
                .filter_map(Value::as_object_mut)
                .find(|other| is_alike(other, &statement));
            match alike.and_then(|other| other.get_mut("Action")?.as_array_mut()) {
                Some(list) => list.push(json!(action)),
                None => statements.push(Value::Object(statement)),
            }
        }
        statements
    }

    fn in_permission_policy(&self, statement: Value, actions: &[String]) -> Patch {
        let policy = json!({"Version": "2012-10-17", "Statement": [statement]});
        Patch {
            target: PatchTarget::RolePermissionPolicy,
            operation: PatchOperation::AddStatement,
            document: statement,
            cli: self.put_policy(&self.added_policy_name(actions), &policy),
            console: self.policies_page(),
        }
    }

    fn permission_policy(&self) -> Patch {
        let policy = self
            .policies
            .permission_policy(self.connection.partition(), self.connection);
        Patch {
            target: PatchTarget::RolePermissionPolicy,
            operation: PatchOperation::Replace,
            cli: self.put_policy("sallyport-bucket-access", &policy),
            document: policy,
            console: self.policies_page(),
        }
    }

    fn trust_policy(&self) -> Option<Patch> {
        let external_id = self.connection.credentials.external_id()?;
        let principal = self.principal.as_ref()?;
        let document = self.policies.trust_policy(principal, external_id).ok()?;
        let role = self.role();
        Some(Patch {
            target: PatchTarget::TrustPolicy,
            operation: PatchOperation::Replace,
            cli: Some(format!(
                "aws iam update-assume-role-policy --role-name {} --policy-document {}",
                escape::for_shell(role.name()),
                escape::for_shell(&document.to_string())
            )),
            document,
            console: Some(role.trust_page()),
        })
    }

    /// One statement of the bucket's policy for everything that the role needs. The role's own policy, which a
    /// call from another account needs too, limits it to the prefix.
    fn bucket_policy(&self) -> Option<Patch> {
        let Credentials::Role {
            role_arn,
            external_id,
        } = &self.connection.credentials
        else {
            return None;
        };
        let document =
            self.policies
                .bucket_policy(self.connection.partition(), self.connection, role_arn);
        let mut actions = Vec::new();
        let mut resources: Vec<Value> = Vec::new();
        for statement in document.get("Statement")?.as_array()? {
            actions.extend(statement.get("Action")?.as_array()?.iter().cloned());
            for resource in statement.get("Resource")?.as_array()? {
                if !resources.contains(resource) {
                    resources.push(resource.clone());
                }
            }
        }
        // Without a condition on `s3:prefix`: S3 refuses one beside actions that have no prefix.
        let statement = for_role(role_arn, external_id, json!(actions), json!(resources));
        let bucket = escape::for_shell(self.connection.bucket.as_str());
        Some(Patch {
            target: PatchTarget::BucketPolicy,
            operation: PatchOperation::AddStatement,
            cli: Some(format!(
                "policy=$(aws s3api get-bucket-policy --bucket {bucket} --query Policy --output text 2>/dev/null) || case $(aws s3api get-bucket-policy --bucket {bucket} 2>&1) in *NoSuchBucketPolicy*) policy='{{\"Version\":\"2012-10-17\",\"Statement\":[]}}' ;; *) echo 'The policy cannot be read.' >&2; false ;; esac && {} && aws s3api put-bucket-policy --bucket {bucket} --policy \"$policy\"",
                with_statement(&statement, external_id)
            )),
            document: statement,
            console: Some(format!(
                "S3 > {} > Permissions > Bucket policy, in the account of the bucket",
                self.connection.bucket
            )),
        })
    }

    fn key_policy(&self, key: &KmsKeyArn) -> Option<Patch> {
        let Credentials::Role {
            role_arn,
            external_id,
        } = &self.connection.credentials
        else {
            return None;
        };
        let document = self.policies.key_policy(
            self.connection.partition(),
            self.connection,
            key,
            role_arn,
        )?;
        let actions = document.pointer("/Statement/0/Action")?.clone();
        let statement = for_role(role_arn, external_id, actions, json!("*"));
        let id = escape::for_shell(key.as_str());
        Some(Patch {
            target: PatchTarget::KeyPolicy,
            operation: PatchOperation::AddStatement,
            cli: Some(format!(
                "policy=$(aws kms get-key-policy --key-id {id} --policy-name default --query Policy --output text) && {} && aws kms put-key-policy --key-id {id} --policy-name default --policy \"$policy\"",
                with_statement(&statement, external_id)
            )),
            document: statement,
            console: Some(
                "KMS > Customer managed keys > the key > Key policy, in the account of the key"
                    .to_owned(),
            ),
        })
    }

    fn cors(&self) -> Option<Patch> {
        let connection = self.connection;
        let document = self
            .policies
            .cors(
                connection.settings.access,
                self.origins,
                connection.credentials.external_id(),
            )
            .ok()?;
        let bucket = escape::for_shell(connection.bucket.as_str());
        let rules = literal(&document);
        let id = literal(document.pointer("/0/ID").unwrap_or(&Value::Null));
        // Ours go first: S3 takes the first rule that matches.
        let query = format!("{{CORSRules: [{rules}, CORSRules[?ID != {id}]][]}}");
        let query = escape::for_shell(&query);
        let alone = escape::for_shell(&json!({"CORSRules": document}).to_string());
        Some(Patch {
            target: PatchTarget::Cors,
            operation: PatchOperation::Replace,
            cli: Some(format!(
                "rules=$(aws s3api get-bucket-cors --bucket {bucket} --output json --query {query} 2>/dev/null) || case $(aws s3api get-bucket-cors --bucket {bucket} 2>&1) in *NoSuchCORSConfiguration*) rules={alone} ;; *) echo 'The CORS rules cannot be read.' >&2; false ;; esac && aws s3api put-bucket-cors --bucket {bucket} --cors-configuration \"$rules\"",
            )),
            document,
            console: Some(format!(
                "S3 > {} > Permissions > Cross-origin resource sharing (CORS). Keep the rules of others behind this one",
                connection.bucket
            )),
        })
    }

    /// The command that puts an inline policy of this name. It touches no other policy.
    fn put_policy(&self, name: &str, policy: &Value) -> Option<String> {
        let policy = escape::for_shell(&policy.to_string());
        match &self.connection.credentials {
            Credentials::Role { role_arn, .. } => Some(format!(
                "aws iam put-role-policy --role-name {} --policy-name {name} --policy-document {policy}",
                escape::for_shell(role_arn.name())
            )),
            Credentials::AccessKey { access_key_id, .. } if !self.is_at_store() => Some(format!(
                "aws iam put-user-policy --user-name \"$(aws iam get-access-key-last-used --access-key-id {} --query UserName --output text)\" --policy-name {name} --policy-document {policy}",
                escape::for_shell(access_key_id.as_str())
            )),
            Credentials::AccessKey { .. } | Credentials::Service => None,
        }
    }

    /// A name of its own for each set of actions, so that one patch does not replace another.
    fn added_policy_name(&self, actions: &[String]) -> String {
        let names: Vec<&str> = actions
            .iter()
            .map(|action| action.rsplit(':').next().unwrap_or(action))
            .collect();
        let external_id = self.connection.credentials.external_id();
        let end = external_id
            .map(|id| short(&id.to_string()))
            .unwrap_or_default();
        let name: String = format!("sallyport-{}", names.join("-"))
            .chars()
            .take(110)
            .collect();
        format!("{name}-{end}").trim_end_matches('-').to_owned()
    }

    fn policies_page(&self) -> Option<String> {
        Some(self.caller().policies_page())
    }
}

/// A statement of a policy beside the bucket or the key that lets the role in. Its `Sid` is that of the setup alone.
fn for_role(
    role_arn: &RoleArn,
    external_id: &ExternalId,
    actions: Value,
    resources: Value,
) -> Value {
    json!({
        "Sid": sid_prefix(external_id),
        "Effect": "Allow",
        "Principal": {"AWS": role_arn.to_string()},
        "Action": actions,
        "Resource": resources,
    })
}

/// For a shell: sets `$policy` to the policy in it with this statement, in place of those whose `Sid` begins with
/// the setup's. The AWS CLI merges them by a query, in which JSON stands between backticks. A backtick of the policy's
/// own is written as JSON's escape.
fn with_statement(statement: &Value, external_id: &ExternalId) -> String {
    let sid = literal(&json!(sid_prefix(external_id)));
    let rest = format!(
        "`] | [0].merge(@, {{Statement: [[Statement][] | [?!starts_with(Sid || {}, {sid})], {}][]}})",
        literal(&json!("")),
        literal(statement)
    );
    format!(
        "policy=$(printf '%s' \"$policy\" | sed 's/`/\\\\u0060/g') && policy=$(aws sts get-caller-identity --output json --query '[`'\"$policy\"{})",
        escape::for_shell(&rest)
    )
}

/// A JSON value in a query of the AWS CLI.
fn literal(value: &Value) -> String {
    let json = escape::beyond('\u{7e}', &value.to_string());
    format!("`{}`", json.replace('`', "\\u0060"))
}

/// The beginning of an external ID, which is unique, in letters and digits alone.
fn short(external_id: &str) -> String {
    external_id
        .chars()
        .filter(char::is_ascii_alphanumeric)
        .take(8)
        .collect()
}

/// Whether two statements differ in their actions alone.
fn is_alike(one: &Map<String, Value>, other: &Map<String, Value>) -> bool {
    let without = |statement: &Map<String, Value>| {
        let mut rest = statement.clone();
        rest.shift_remove("Action");
        rest
    };
    without(one) == without(other)
}

fn settings(setting: &Setting) -> Patch {
    let document = match setting {
        Setting::KmsKey(key) => json!({"kms_key_arn": key.as_str()}),
        Setting::Region(region) => json!({"region": region.to_string()}),
        Setting::RequesterPays => json!({"requester_pays": true}),
        Setting::Endpoint(endpoint) => json!({"endpoint": endpoint}),
    };
    Patch {
        target: PatchTarget::Settings,
        operation: PatchOperation::Set,
        document,
        cli: None,
        console: None,
    }
}
