//! The customer, who applies a report's patches exactly as they are given.

use crate::it::connections::scripts::run_as;
use crate::it::worlds::account::statements;
use crate::it::worlds::rules::{Kind, refusal};
use crate::it::worlds::stage::Stage;
use serde_json::{Value, json};

impl Stage<'_> {
    /// Applies one patch. The error is why AWS, or the service, does not take it.
    pub async fn apply(&self, patch: &Value) -> Result<(), String> {
        let text = |name: &str| patch[name].as_str().unwrap_or_default();
        let document = &patch["document"];
        match (text("target"), text("operation")) {
            ("role_permission_policy", operation) => {
                let kind = match self.user {
                    Some(_) => Kind::UserInline,
                    None => Kind::RoleInline,
                };
                let policy = changed(&self.account.permissions(), operation, document)?;
                refusal(kind, &policy)?;
                self.put_permissions(&policy).await;
            }
            ("trust_policy", "replace") => {
                refusal(Kind::Trust, document)?;
                self.put_trust(document).await;
            }
            ("bucket_policy", operation) => {
                let policy = changed(&self.account.bucket_policy(), operation, document)?;
                refusal(Kind::Bucket, &policy)?;
                self.put_bucket_policy(&policy).await;
            }
            ("key_policy", operation) => {
                let policy = changed(&self.account.key_policy(), operation, document)?;
                refusal(Kind::Key, &policy)?;
                self.account.set_key_policy(&policy);
            }
            ("cors", "replace") => self.put_cors(document).await,
            ("settings", "set") => {
                let answer = self.dialog.patch(document.clone()).await;
                if answer.status != 200 {
                    return Err(format!("the service refuses {document}: {}", answer.text));
                }
            }
            (target, operation) => return Err(format!("{operation} of {target}")),
        }
        Ok(())
    }

    /// Runs the patch's own commands by the AWS CLI, as the administrator of the customer's account.
    pub async fn run_cli(&self, patch: &Value) -> Result<(), String> {
        let Some(script) = patch["cli"].as_str() else {
            return match patch["target"].as_str() {
                Some("settings") => self.apply(patch).await,
                _ => Err("no commands".into()),
            };
        };
        let output = run_as(&self.customer, script, self.region).await;
        match output.status.success() {
            true => Ok(()),
            false => Err(String::from_utf8_lossy(&output.stderr).into_owned()),
        }
    }

    /// Breaks it again, after a patch mended it.
    pub async fn break_again(&self) {
        if self.user.is_none() {
            self.put_trust(&self.trust).await;
        }
        if self.permissions.is_null() {
            self.account.set_permissions(&Value::Null);
            let delete = self.customer.iam().delete_role_policy();
            let delete = delete.role_name(&self.role).policy_name("access");
            delete.send().await.unwrap();
        } else {
            self.put_permissions(&self.permissions).await;
        }
        let bucket = &self.names.bucket;
        let s3 = self.customer.s3_in(self.region);
        match self.world.bucket_policy {
            Some(make) => self.put_bucket_policy(&make(&self.names)).await,
            None => {
                self.account.set_bucket_policy(&Value::Null);
                let _ = s3.delete_bucket_policy().bucket(bucket).send().await;
            }
        }
        if let Some(make) = self.world.cors {
            match make(&self.names) {
                Value::Null => {
                    let _ = s3.delete_bucket_cors().bucket(bucket).send().await;
                }
                rules => self.put_cors(&rules).await,
            }
        }
        self.set_settings().await;
    }
}

/// A document after the patch.
fn changed(now: &Value, operation: &str, document: &Value) -> Result<Value, String> {
    match operation {
        "replace" => Ok(document.clone()),
        "add_statement" => {
            let mut policy = match now.is_null() {
                true => json!({"Version": "2012-10-17", "Statement": []}),
                false => now.clone(),
            };
            let mut all = statements(&policy);
            all.push(document.clone());
            policy["Statement"] = json!(all);
            Ok(policy)
        }
        other => Err(format!("no such operation: {other}")),
    }
}
