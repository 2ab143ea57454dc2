//! Each operation needs exactly the permissions that it says it needs: with them it works, and without
//! each of them the problem names the missing one.

use crate::domain::files::file_operation::{FileOperation, Permission, Target};
use crate::it::support::app::Answer;
use crate::it::support::emulator::Emulator;
use crate::it::support::scene::Scene;
use reqwest::Method;
use serde_json::{Value, json};

/// The storage, and a file in a bucket that keeps versions.
struct VersionedFile {
    place: Scene,
    version: String,
}

impl VersionedFile {
    async fn set() -> Self {
        let place = Scene::on(Emulator).prefix("team").connect().await;
        place.keep_versions().await;
        let stored = place.upload("/a", "content").await.expect(200);
        let version = stored["version_id"].as_str().unwrap().to_owned();
        Self { place, version }
    }

    fn resource(&self, permission: Permission) -> String {
        let bucket = format!("arn:aws:s3:::{}", self.place.storage.bucket);
        match permission.on {
            Target::Bucket => bucket,
            Target::Objects => format!("{bucket}/team/*"),
            Target::Everything => "*".to_owned(),
            Target::Key => unreachable!("no operation needs a key of its own"),
        }
    }

    /// The role may do exactly this.
    async fn permit(&self, permissions: &[Permission]) {
        let mut statements: Vec<Value> = permissions
            .iter()
            .map(|p| json!({"Effect": "Allow", "Action": p.action, "Resource": self.resource(*p)}))
            .collect();
        if statements.is_empty() {
            statements
                .push(json!({"Effect": "Allow", "Action": "s3:GetBucketTagging", "Resource": "*"}));
        }
        self.place.set_permissions(&statements).await;
    }

    async fn request(&self, method: Method, below: &str, body: Value) -> Answer {
        let path = self.place.path(below);
        let admin = &self.place.workspace.admin;
        self.place.app.send(method, &path, admin, &body).await
    }

    /// As an admin: what is missing is not told to members.
    async fn get(&self, below: &str) -> Answer {
        let path = self.place.path(below);
        self.place.app.get(&path, &self.place.workspace.admin).await
    }

    /// Puts back what the operation before has taken away, by the customer's own hand.
    async fn run(&self, operation: FileOperation) -> Answer {
        use FileOperation as Op;
        let none = json!({});
        match operation {
            Op::Browse => self.get("/files").await,
            Op::ReadMetadata => self.get("/files/metadata?key=/a").await,
            Op::ReadVersionMetadata => {
                let version = &self.version;
                self.get(&format!("/files/metadata?key=/a&version_id={version}"))
                    .await
            }
            Op::Read => self.get("/files/content?key=/a").await,
            Op::ReadVersion => {
                let version = &self.version;
                self.get(&format!("/files/content?key=/a&version_id={version}"))
                    .await
            }
            Op::ListVersions => self.get("/files/versions?key=/a").await,
            Op::Upload => self.place.upload("/new", "x").await,
            Op::Delete => self.place.delete("/files?key=/new").await,
            Op::DeleteVersion => self.place.delete("/files?key=/new&version_id=null").await,
            Op::Copy => {
                self.request(
                    Method::POST,
                    "/files/copy",
                    json!({"from": "/a", "to": "/b"}),
                )
                .await
            }
            Op::CopyVersion => {
                let restore = json!({"from": "/a", "from_version_id": self.version, "to": "/a"});
                self.request(Method::POST, "/files/copy", restore).await
            }
            Op::Move => {
                self.place.storage.put("/from", "x").await;
                self.request(
                    Method::POST,
                    "/files/move",
                    json!({"from": "/from", "to": "/b"}),
                )
                .await
            }
            Op::ReadAcl => self.get("/files/acl?key=/a").await,
            Op::WriteAcl => {
                let acl = json!({"acl": "bucket-owner-full-control"});
                self.request(Method::PUT, "/files/acl?key=/a", acl).await
            }
            Op::Location => self.get("/location").await,
            Op::ListBuckets => self.request(Method::GET, "/buckets", none).await,
            Op::AbortUpload => {
                let s3 = self.place.storage.customer.s3();
                let upload = s3.create_multipart_upload();
                upload
                    .bucket(&self.place.storage.bucket)
                    .key("team/x")
                    .send()
                    .await
                    .unwrap();
                unreachable!("see `giving_up_an_upload`")
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn each_operation_needs_what_it_says() {
    let scene = VersionedFile::set().await;
    for operation in FileOperation::ALL {
        if operation == FileOperation::AbortUpload {
            continue;
        }
        let needed = operation.permissions();
        scene.permit(needed).await;
        let answer = scene.run(operation).await;
        assert!(answer.status.is_success(), "{operation}: {answer:?}");
        for missing in needed {
            let others: Vec<_> = needed.iter().copied().filter(|p| p != missing).collect();
            scene.permit(&others).await;
            let problem = scene
                .run(operation)
                .await
                .problem(424, "storage_access_denied");
            let named = json!({"action": missing.action, "resource": scene.resource(*missing)});
            assert_eq!(
                problem["missing"],
                json!([named]),
                "{operation}: {problem:#}"
            );
            let remedy = problem["remedy"].as_str().unwrap();
            assert!(remedy.contains(missing.action), "{remedy}");
        }
    }
}

/// The rows of the documentation's table, with what is between backticks in each cell.
fn documented() -> Vec<(String, Vec<String>, String, String)> {
    let rows = include_str!("../../../docs/permissions.md").lines();
    let ticked = |cell: &str| -> Vec<String> {
        let parts = cell.split('`').skip(1).step_by(2);
        parts.map(str::to_owned).collect()
    };
    rows.filter_map(|row| {
        let [_, operation, _, actions, resource, documents, _] =
            row.split('|').map(str::trim).collect::<Vec<_>>()[..]
        else {
            return None;
        };
        let resource = ticked(resource).pop()?;
        let row = (
            operation.to_owned(),
            ticked(actions),
            resource,
            documents.to_owned(),
        );
        actions.starts_with('`').then_some(row)
    })
    .collect()
}

#[test]
fn the_documentation_has_every_operation_as_it_is() {
    use FileOperation as Op;
    let rows = documented();
    let granted = |policy: &str| -> Vec<String> {
        let policy: Value = serde_json::from_str(policy).unwrap();
        let statements = policy["Statement"].as_array().unwrap().iter();
        let actions = statements.flat_map(|s| s["Action"].as_array().unwrap());
        actions.map(|a| a.as_str().unwrap().to_owned()).collect()
    };
    let read = granted(include_str!(
        "../../../policies/permission_policy_read.json"
    ));
    let write = granted(include_str!(
        "../../../policies/permission_policy_read_write.json"
    ));
    let mut seen = std::collections::HashSet::new();
    for operation in FileOperation::ALL {
        let name = match operation {
            Op::Browse => "browse, list",
            Op::ReadMetadata => "read metadata",
            Op::Read => "read",
            Op::ListVersions => "list versions",
            Op::ReadVersion | Op::ReadVersionMetadata => "read a version, or its metadata",
            Op::Upload => "upload",
            Op::AbortUpload => "give up an upload in parts",
            Op::Delete => "delete",
            Op::DeleteVersion => "delete a version",
            Op::Copy => "copy",
            Op::CopyVersion => "copy a version",
            Op::Move => "move",
            Op::ReadAcl => "read an ACL",
            Op::WriteAcl => "change an ACL",
            Op::Location => "read the Region",
            Op::ListBuckets => "list the account's buckets",
        };
        let row = rows.iter().find(|row| row.0 == name);
        let (_, actions, resource, documents) = row.unwrap_or_else(|| panic!("no row {name}"));
        let needed = operation.permissions();
        let wanted: Vec<&str> = needed.iter().map(|p| p.action).collect();
        assert_eq!(actions, &wanted, "{name}");
        for permission in needed {
            let on = match permission.on {
                Target::Bucket => "BUCKET",
                Target::Objects => "OBJECTS",
                Target::Everything => "*",
                Target::Key => unreachable!("no operation needs a key of its own"),
            };
            assert_eq!(resource, on, "{name}");
        }
        let all_in = |policy: &[String]| wanted.iter().all(|a| policy.iter().any(|g| g == a));
        let by_access = match (all_in(&read), all_in(&write)) {
            (true, true) => "read",
            (true, false) => "read alone",
            (false, true) => "read and write",
            (false, false) => "no",
        };
        let chosen = operation.feature().map(|feature| feature.setting());
        let where_granted = match chosen {
            Some(setting) => format!("{by_access}, with `{setting}`"),
            None => by_access.to_owned(),
        };
        assert_eq!(documents, &where_granted, "{name}");
        seen.insert(name);
    }
    assert_eq!(seen.len(), rows.len());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_storage_for_reading_reads_more_where_that_is_chosen_and_granted() {
    let place = Scene::on(Emulator).reading("team").connect().await;
    place.storage.put("/a", "x").await;
    let paths = ["/files/versions?key=/a", "/files/acl?key=/a"];
    for path in paths {
        place.get(path).await.problem(409, "not_granted");
    }
    let chosen = json!({"object_versions": true, "object_acls": true});
    let own = format!("/v1/storages/{}", place.storage.id);
    let admin = &place.workspace.admin;
    place.app.patch(&own, admin, &chosen).await.expect(200);
    let pending = format!("{own}/check?pending=true");
    let checked = place.app.post(&pending, admin, &json!({})).await;
    assert_eq!(checked.expect(200)["outcome"], "passed_with_warnings");
    for path in paths {
        place.get(path).await.problem(424, "storage_access_denied");
    }
    let actions = [
        "s3:ListBucketVersions",
        "s3:GetObjectVersion",
        "s3:GetObjectAcl",
    ];
    place.allow(&actions, "*").await;
    let versions = place.get("/files/versions?key=/a").await.expect(200);
    assert_eq!(versions["versions"][0]["is_latest"], true);
    place.get("/files/acl?key=/a").await.expect(200);
}

#[tokio::test(flavor = "multi_thread")]
async fn giving_up_an_upload() {
    let scene = VersionedFile::set().await;
    let body = json!({"key": "/x"});
    let begun = scene
        .request(Method::POST, "/files/multipart", body)
        .await
        .expect(200);
    let abort = json!({"upload_id": begun["upload_id"]});
    let [needed] = FileOperation::AbortUpload.permissions() else {
        panic!("one permission");
    };
    scene.permit(&[]).await;
    let denied = scene
        .request(Method::POST, "/files/multipart/abort", abort.clone())
        .await;
    let problem = denied.problem(424, "storage_access_denied");
    let named = json!([{"action": needed.action, "resource": scene.resource(*needed)}]);
    assert_eq!(problem["missing"], named);
    scene.permit(&[*needed]).await;
    scene
        .request(Method::POST, "/files/multipart/abort", abort)
        .await
        .expect(204);
}

#[tokio::test(flavor = "multi_thread")]
async fn of_many_deletions_each_denial_is_told() {
    let scene = VersionedFile::set().await;
    let bucket = &scene.place.storage.bucket;
    scene.place.storage.put("/open/a", "x").await;
    scene.place.storage.put("/closed/b", "x").await;
    let statement = json!({"Effect": "Allow", "Action": "s3:DeleteObject",
        "Resource": format!("arn:aws:s3:::{bucket}/team/open/*")});
    scene.place.set_permissions(&[statement]).await;
    let keys = json!({"keys": ["/open/a", "/closed/b", "/open/absent"]});
    let answer = scene
        .request(Method::POST, "/files/delete", keys)
        .await
        .expect(200);
    assert_eq!(answer["deleted"], json!(["/open/a", "/open/absent"]));
    let errors = answer["errors"].as_array().unwrap();
    assert_eq!(errors.len(), 1);
    assert_eq!(
        (&errors[0]["key"], &errors[0]["code"]),
        (&json!("/closed/b"), &json!("storage_access_denied"))
    );
    assert_eq!(errors[0]["missing"][0]["action"], "s3:DeleteObject");
}
