//! Every page there is, with something on it: for whatever looks at all of them.

use crate::it::browser::world::World;
use crate::it::support::app::TestWorkspace;
use crate::it::support::browser::Page;
use crate::it::support::emulator::{Customer, Emulator, REGION, random_name};
use crate::settings::Options;
use serde_json::json;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Who {
    Nobody,
    Member,
    Admin,
    /// The admin of a workspace in which nothing has been done yet.
    Newcomer,
}

/// A page to look at.
pub struct Entry {
    /// Also the name of its picture.
    pub name: &'static str,
    pub path: String,
    pub who: Who,
    /// Whether it is one of the main pages, which the documentation shows.
    pub pictured: bool,
    /// What is done on the page before it is looked at: a script, and what is there afterwards.
    pub then: Option<(&'static str, &'static str)>,
}

/// Whether there are names and keys as long and as odd as they may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Extremes {
    With,
    Without,
}

/// A workspace in which something has been done.
pub struct Furnished {
    pub world: World,
    newcomer: TestWorkspace,
    pub entries: Vec<Entry>,
}

impl Furnished {
    /// With a bucket of a random name.
    pub async fn new() -> Self {
        let customer = Emulator::customer();
        let bucket = random_name("acme");
        customer.create_bucket_in(&bucket, REGION).await;
        Self::of(customer, bucket, Extremes::With, |_| {}).await
    }

    /// With the sample files in this bucket.
    pub async fn of(
        customer: Customer,
        bucket: String,
        extremes: Extremes,
        change: impl FnOnce(&mut Options),
    ) -> Self {
        let mut world = World::of(customer, bucket, change).await;
        world.put_samples().await;
        let storage = world.connect(&world.typed("Acme's data", "team")).await;
        // Another one, whose role somebody has withdrawn since.
        let broken = world.connect(&world.typed("Archive 2019", "archive")).await;
        world.withdraw_role(&broken).await;
        let path = format!("/v1/storages/{broken}/check");
        let admin = &world.workspace.admin;
        world.app.post(&path, admin, &json!({})).await.expect(200);
        // Its admin has another role for it, which does not let the service in yet.
        let storage_path = format!("/v1/storages/{broken}");
        let next = json!({
            "role_arn": "arn:aws:iam::444455556666:role/data/platform/acme-sallyport-2026",
            "access": "read",
        });
        world
            .app
            .patch(&storage_path, admin, &next)
            .await
            .expect(200);
        let path = format!("{storage_path}/check?pending=true");
        world.app.post(&path, admin, &json!({})).await.expect(200);
        let default = json!({"storage_id": storage});
        let path = "/v1/workspace/default-storage";
        world.app.put(path, admin, &default).await.expect(200);

        let ready = world
            .applied_setup(&world.typed("Texts", "team/texts"))
            .await;
        world.check_setup(&ready).await;
        let begun = world
            .open_setup(&world.typed("Labels", "team/labels"))
            .await;
        let refused = world.open_setup(&world.typed("By hand", "team")).await;
        world
            .patch_setup(&refused, &json!({"role_arn": world.unguarded_role().await}))
            .await;
        world.check_setup(&refused).await;
        let project = world
            .project(
                &storage,
                &[
                    "/images/rings.png",
                    "/images/chequers.png",
                    "/labels/rings.json",
                ],
            )
            .await;
        let made = Made {
            storage,
            broken,
            ready,
            begun,
            refused,
            project,
        };
        let mut entries = entries(&world, &made).await;
        if extremes == Extremes::With {
            entries.extend(extreme_entries(&mut world, &made).await);
        }
        let newcomer = world.app.workspace().await;
        Self {
            world,
            newcomer,
            entries,
        }
    }

    /// Loads a page as who it is for.
    pub async fn open(&self, page: &Page, entry: &Entry, last: &mut Option<Who>) {
        if *last != Some(entry.who) {
            page.delete_cookies().await;
            self.sign_in(page, entry.who, "").await;
            *last = Some(entry.who);
        }
        self.look(page, entry, "").await;
    }

    /// The same in a browser whose first workspace is another one, so that the address names the workspace. Gives
    /// what it begins with.
    pub async fn open_beside(
        &self,
        page: &Page,
        entry: &Entry,
        first: &TestWorkspace,
        last: &mut Option<(Who, String)>,
    ) -> String {
        let base = match last {
            Some((who, base)) if *who == entry.who => base.clone(),
            _ => {
                page.delete_cookies().await;
                page.goto(&self.world.link_of(first, "admin", "settings").await)
                    .await;
                page.at("/settings/storages").await;
                self.sign_in(page, entry.who, "/w/").await;
                let path = page.path().await;
                let base: Vec<&str> = path.splitn(4, '/').take(3).collect();
                base.join("/")
            }
        };
        *last = Some((entry.who, base.clone()));
        self.look(page, entry, &base).await;
        base
    }

    /// `start`: what the address begins with where it is not that of the first workspace.
    async fn sign_in(&self, page: &Page, who: Who, start: &str) {
        let (workspace, role, purpose, path) = match who {
            Who::Nobody => return,
            Who::Member => (&self.world.workspace, "member", "projects", "/projects"),
            Who::Admin => (
                &self.world.workspace,
                "admin",
                "settings",
                "/settings/storages",
            ),
            Who::Newcomer => (&self.newcomer, "admin", "settings", "/settings/storages"),
        };
        let link = self.world.link_of(workspace, role, purpose);
        page.goto(&link.await).await;
        page.at(if start.is_empty() { path } else { start }).await;
    }

    async fn look(&self, page: &Page, entry: &Entry, base: &str) {
        self.world
            .goto(page, &format!("{base}{}", entry.path))
            .await;
        if let Some((script, afterwards)) = entry.then {
            page.script(script, json!([])).await.unwrap();
            page.find(afterwards).await;
        }
    }
}

/// Pastes a policy with several faults into the doctor's page, and sends it.
const EXAMINE: &str = r#"
const policy = `{
  "Version": "2024-10-24",
  "Statement": [
    {
      "Effect": "Allow",
      "Action": ["s3:ListBucket", "s3:GetObjcet", "s3:ListAllMyBuckets"],
      "Resource": ["arn:aws:s3:::a-bucket-of-another-name-that-is-as-long-as-it-may-be-in-amazon", "arn:aws:s3:::other/*"]
    },
  ]
}`;
document.querySelector('#permission_policy').value = policy;
document.querySelector('#cors').value = '[{"AllowedMethods": ["GET"], "AllowedOrigins": ["https://app.example.com/"]}]';
document.querySelector('#permission_policy').form.requestSubmit();"#;

/// The IDs of what there is.
struct Made {
    storage: String,
    broken: String,
    /// A setup that has passed its check, one at its beginning, and one with a role that is refused.
    ready: String,
    begun: String,
    refused: String,
    project: String,
}

async fn entries(world: &World, made: &Made) -> Vec<Entry> {
    use Who::{Admin, Member, Newcomer, Nobody};
    let entry = |name, who, path: String| Entry {
        name,
        path,
        who,
        pictured: false,
        then: None,
    };
    let done = |name, who, path: String, script, afterwards| Entry {
        then: Some((script, afterwards)),
        ..entry(name, who, path)
    };
    let pictured = |name, who, path: String| Entry {
        pictured: true,
        ..entry(name, who, path)
    };
    let Made {
        storage,
        broken,
        ready,
        begun,
        refused,
        project,
    } = made;
    let step = |setup: &str, step: &str| format!("/settings/setups/{setup}?step={step}");
    let of_storage = |rest: &str| format!("/settings/storages/{storage}{rest}");
    let files = |rest: &str| format!("/storages/{storage}/{rest}");
    let empty = world.open_setup(&json!({})).await;
    let by_key = json!({"bucket": world.bucket, "prefix": "team", "auth": "access_key"});
    let by_key = world.open_setup(&by_key).await;
    // Nothing of these types happens, so nothing is sent.
    let hook = json!({
        "url": "https://203.0.114.1/hooks/of/the/product/with/a/path/that/is/quite/long/0123456789",
        "types": ["project.failed"], "description": "Production",
    });
    let admin = &world.workspace.admin;
    let hook = world
        .app
        .post("/v1/webhooks", admin, &hook)
        .await
        .expect(201);
    let webhook = hook["id"].as_str().unwrap();
    vec![
        entry("welcome", Nobody, "/".into()),
        entry("signed-out", Nobody, "/signed-out".into()),
        entry("sign-in-again", Nobody, "/projects".into()),
        entry("api", Nobody, "/docs".into()),
        entry("instructions", Nobody, world.instruction_link(begun).await),
        pictured("storages", Admin, "/settings/storages".into()),
        pictured("storage", Admin, of_storage("")),
        entry(
            "storage-broken",
            Admin,
            format!("/settings/storages/{broken}"),
        ),
        entry("storage-settings", Admin, of_storage("/settings")),
        entry(
            "storage-settings-waiting",
            Admin,
            format!("/settings/storages/{broken}/settings"),
        ),
        entry("storage-delete", Admin, of_storage("/delete")),
        entry("storage-checks", Admin, of_storage("/checks")),
        entry("setup-empty", Admin, step(&empty, "bucket")),
        pictured("setup-bucket", Admin, step(begun, "bucket")),
        pictured("setup-role", Admin, step(begun, "role")),
        entry("setup-cloudformation", Admin, step(begun, "role&way=cloudformation")),
        entry("setup-cli", Admin, step(begun, "role&way=cli")),
        entry("setup-terraform", Admin, step(begun, "role&way=terraform")),
        entry("setup-console", Admin, step(begun, "role&way=console")),
        entry("setup-administrator", Admin, step(begun, "role&way=administrator")),
        entry("key-question", Admin, step(&by_key, "role")),
        entry("key-cloudformation", Admin, step(&by_key, "role&way=cloudformation")),
        entry("key-cli", Admin, step(&by_key, "role&way=cli")),
        entry("key-terraform", Admin, step(&by_key, "role&way=terraform")),
        entry("key-console", Admin, step(&by_key, "role&way=console")),
        entry("key-administrator", Admin, step(&by_key, "role&way=administrator")),
        entry("key-instructions", Nobody, world.instruction_link(&by_key).await),
        entry("setup-unchecked", Admin, step(begun, "check")),
        pictured("setup-refused", Admin, step(refused, "check")),
        pictured("setup-check", Admin, step(ready, "check")),
        entry("setup-choose", Admin, format!("/settings/setups/{ready}/choose?bucket={}", world.bucket)),
        entry("doctor", Admin, format!("/settings/setups/{ready}/doctor")),
        done(
            "doctor-found",
            Admin,
            format!("/settings/storages/{storage}/doctor"),
            EXAMINE,
            "#found",
        ),
        entry(
            "setup-close",
            Admin,
            format!("/settings/setups/{begun}/close"),
        ),
        pictured("files", Admin, files("files?folder=%2Fimages%2F")),
        entry("files-odd", Admin, files("files?folder=%2Fodd+keys%2F")),
        entry("files-none", Admin, files("files?folder=%2Fnothing%2F")),
        entry("files-broken", Admin, format!("/storages/{broken}/files")),
        entry("file", Admin, files("file?key=%2Fimages%2Frings.png")),
        entry(
            "file-text",
            Admin,
            files("file?key=%2Flabels%2Fclasses.json"),
        ),
        entry(
            "file-versions",
            Admin,
            files("file?key=%2Fimages%2Frings.png&versions=yes"),
        ),
        entry(
            "file-restore",
            Admin,
            files("file/version/restore?key=%2Fimages%2Frings.png&version_id=null"),
        ),
        entry(
            "file-move",
            Admin,
            files("file/move?key=%2Fimages%2Frings.png"),
        ),
        entry(
            "project-delete",
            Admin,
            format!("/projects/{project}/delete"),
        ),
        entry("not-found", Admin, "/settings/nothing".into()),
        entry("tokens", Admin, "/settings/tokens".into()),
        entry("sessions", Admin, "/settings/sessions".into()),
        entry("webhooks", Admin, "/settings/webhooks".into()),
        entry("webhook", Admin, format!("/settings/webhooks/{webhook}")),
        entry("webhooks-none", Newcomer, "/settings/webhooks".into()),
        entry("audit-log", Admin, "/settings/audit-log".into()),
        entry(
            "audit-log-none",
            Admin,
            "/settings/audit-log?result=failed&from=2001-01-01&to=2001-01-02".into(),
        ),
        entry("forbidden", Member, "/settings/tokens".into()),
        entry("projects", Member, "/projects".into()),
        entry("project-new", Member, "/projects/new".into()),
        pictured("project", Member, format!("/projects/{project}")),
        entry("storages-member", Member, "/settings/storages".into()),
        entry("files-member", Member, files("files")),
        entry("storages-empty", Newcomer, "/settings/storages".into()),
        entry("projects-empty", Newcomer, "/projects".into()),
        entry("files-empty", Newcomer, "/storages/built-in/files".into()),
        entry("built-in", Newcomer, "/settings/storages/built-in".into()),
        done(
            "storages-menu",
            Admin,
            "/settings/storages".into(),
            "document.querySelector('tr:last-child details.menu').open = true;",
            "details.menu[open]",
        ),
        done(
            "setup-checking",
            Admin,
            step(ready, "check"),
            "window.fetch = () => new Promise(() => {}); document.querySelector('form[data-check] button').click();",
            "li[data-kind=busy]",
        ),
        done(
            "setup-close-dialog",
            Admin,
            step(begun, "role"),
            "document.querySelector('[data-dialog=close-setup]').click();",
            "dialog[open]",
        ),
        done(
            "setup-refused-field",
            Admin,
            step(&empty, "bucket"),
            "document.getElementById('bucket').value = 'Not A Bucket'; document.getElementById('setup-form').submit();",
            "#bucket[aria-invalid=true]",
        ),
        done(
            "setup-link",
            Admin,
            step(begun, "role&way=administrator"),
            "document.querySelector('#link-panel form').submit();",
            "#link-panel .notice",
        ),
        entry("setup-browser", Admin, format!("{}&browser=try", step(ready, "check"))),
        done(
            "storage-delete-dialog",
            Admin,
            format!("/settings/storages/{broken}"),
            "document.querySelector('[data-dialog=delete-storage]').click();",
            "dialog[open]",
        ),
        done(
            "files-ticked",
            Admin,
            files("files?folder=%2Fimages%2F"),
            "document.querySelector('input[name=key]').click();",
            "input[name=key]:checked",
        ),
        done(
            "files-delete",
            Admin,
            files("files?folder=%2Fimages%2F"),
            "document.querySelector('[data-all]').click(); document.querySelector('.chosen .danger').click();",
            "form[action$='/delete']",
        ),
        done(
            "files-move",
            Admin,
            files("files?folder=%2Fimages%2F"),
            "document.querySelector('[data-all]').click(); document.querySelector('[formaction$=\"/confirm-move\"]').click();",
            "form[action$='/files/move']",
        ),
        done(
            "files-move-refused",
            Admin,
            files("files?folder=%2Fimages%2F"),
            "document.querySelector('[data-all]').click();
             const button = document.querySelector('[formaction$=\"/confirm-move\"]');
             button.formAction = button.formAction.replace('confirm-move', 'move');
             const to = Object.assign(document.createElement('input'), {type: 'hidden', name: 'to', value: '/images/../labels/'});
             button.form.append(to);
             button.click();",
            "#to[aria-invalid=true]",
        ),
        // Into the folder that they are in: none of them is moved.
        done(
            "files-not-moved",
            Admin,
            files("files?folder=%2Fimages%2F"),
            "document.querySelector('[data-all]').click();
             const button = document.querySelector('[formaction$=\"/confirm-move\"]');
             button.formAction = button.formAction.replace('confirm-move', 'move');
             const to = Object.assign(document.createElement('input'), {type: 'hidden', name: 'to', value: '/images/'});
             button.form.append(to);
             button.click();",
            "ul.keys .error",
        ),
        done(
            "files-folder-refused",
            Admin,
            files("files?folder=%2Fimages%2F"),
            "document.getElementById('folder-name').value = 'a/b'; document.querySelector('.folder-form').submit();",
            "#folder-name[aria-invalid=true]",
        ),
        done(
            "signed-link",
            Member,
            files("file?key=%2Fimages%2Frings.png"),
            "document.querySelector('form.line').submit();",
            "#link",
        ),
        done(
            "project-missing",
            Member,
            format!("/projects/new?storage_id={storage}&key=%2Ftexts%2F01.txt"),
            "document.getElementById('name').value = 'Texts';
             document.getElementById('keys').value += '\\n/texts/Missing.txt\\n/texts/also missing.txt';
             document.querySelector('form.new-project').submit();",
            "[name=on_missing]",
        ),
    ]
}

/// Each element that a rendered Markdown file may have, with words and lines as long as they may be.
const MARKDOWN: &str = r#"# Labelling guide

Draw a box **around the whole object**, with its shadow *left out*. See [the rules](https://example.com/rules)
and `classes.json`.

## Classes

| Class | Meaning | Example |
|---|---|---:|
| ring | A closed shape with a hole | 12 |
| chequer | Two colours in turn, also averyveryverylongwordwithoutanyplacetobreakitatwhichgoesonandon | 3 |

1. Open the image.
2. Choose a class.
   - Use the keys `1` to `9`.
   - ~~Use the mouse.~~

> A box that is too large is better than one that is too small.

- [x] Images
- [ ] Texts

```json
{"class": "ring", "box": [10, 20, 30, 40], "note": "a line of code that is long enough to be wider than a telephone is"}
```

---

![A picture elsewhere](https://example.com/picture.png)

<script>alert("not run")</script>
"#;

/// Names and keys as long and as odd as they may be.
async fn extreme_entries(world: &mut World, made: &Made) -> Vec<Entry> {
    let entry = |name, path: String| Entry {
        name,
        path,
        who: Who::Admin,
        pictured: false,
        then: None,
    };
    let s3 = world.customer.s3();
    // Below `team/`, in all of 1,024 bytes, with no place to break it at.
    let long_key = format!("/{}", "k".repeat(1024 - "team/".len()));
    let put = |key: String| {
        let put = s3.put_object().bucket(&world.bucket).key(key);
        put.content_type("text/plain")
            .body(vec![b'x'; 3000].into())
            .send()
    };
    put(format!("team{long_key}")).await.unwrap();
    put("team/extremes/تقرير-2026 (نسخة).txt".into())
        .await
        .unwrap();
    put(format!("team/extremes/{}/a.txt", "folder-".repeat(60)))
        .await
        .unwrap();
    for n in 0..130 {
        put(format!("team/many/{n:05}.txt")).await.unwrap();
    }
    let guide = s3
        .put_object()
        .bucket(&world.bucket)
        .key("team/notes/guide.md");
    let guide = guide
        .content_type("text/markdown")
        .body(MARKDOWN.as_bytes().to_vec().into());
    guide.send().await.unwrap();
    let project = world
        .project(
            &made.storage,
            &[&long_key, "/extremes/تقرير-2026 (نسخة).txt"],
        )
        .await;

    let short = world.bucket.clone();
    let mut long = random_name("acme-");
    long.push_str(&"b".repeat(63 - long.len()));
    world.customer.create_bucket_in(&long, REGION).await;
    world.bucket.clone_from(&long);
    let name = "مخزن الشركة – الأرشيف الطويل جدًا";
    let storage = world.connect(&world.typed(name, &"deep/".repeat(40))).await;
    let setup = world
        .open_setup(&world.typed(name, &"deep/".repeat(40)))
        .await;
    let role = format!(
        "arn:aws:iam::123456789012:role/{}/{}",
        "p".repeat(500),
        "r".repeat(64)
    );
    world.patch_setup(&setup, &json!({"role_arn": role})).await;
    world.check_setup(&setup).await;
    world.bucket = short;
    let apart = world
        .open_setup(&world.typed("Three accounts", "team/"))
        .await;
    let three = json!({
        "role_arn": "arn:aws:iam::444455556666:role/acme", "bucket_account_id": "222222222222",
        "kms_key_arn": "arn:aws:kms:us-east-1:333333333333:key/1234abcd-12ab-34cd-56ef-1234567890ab",
    });
    world.patch_setup(&apart, &three).await;

    let step = |step: &str| format!("/settings/setups/{setup}?step={step}");
    let query = |pairs: &[(&str, &str)]| {
        let mut text = url::form_urlencoded::Serializer::new(String::new());
        text.extend_pairs(pairs).finish()
    };
    let files = |what: &str, pairs: &[(&str, &str)]| {
        format!("/storages/{}/{what}?{}", made.storage, query(pairs))
    };
    vec![
        entry("extreme-move", files("file/move", &[("key", &long_key)])),
        entry("extreme-storages", "/settings/storages".into()),
        entry("extreme-storage", format!("/settings/storages/{storage}")),
        entry("extreme-bucket", step("bucket")),
        entry("extreme-console", step("role&way=console")),
        entry("extreme-role", step("role")),
        entry("extreme-check", step("check")),
        entry("extreme-instructions", world.instruction_link(&setup).await),
        entry(
            "extreme-accounts-role",
            format!("/settings/setups/{apart}?step=role&way=cli"),
        ),
        entry(
            "extreme-accounts-instructions",
            world.instruction_link(&apart).await,
        ),
        entry("extreme-files", files("files", &[("folder", "/")])),
        entry(
            "extreme-folder",
            files("files", &[("folder", "/extremes/")]),
        ),
        entry(
            "extreme-many",
            files("files", &[("folder", "/many/"), ("order", "name")]),
        ),
        entry("extreme-file", files("file", &[("key", &long_key)])),
        entry("markdown", files("file", &[("key", "/notes/guide.md")])),
        entry(
            "version",
            files(
                "file/version",
                &[("key", "/images/rings.png"), ("version_id", "null")],
            ),
        ),
        entry("extreme-project", format!("/projects/{project}")),
    ]
}
