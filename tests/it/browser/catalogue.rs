//! Every page there is, with something on it: for whatever looks at all of them.

use super::world::World;
use crate::support::browser::Page;
use crate::support::emulator::{Customer, Emulator, REGION, random_name};
use serde_json::json;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Who {
    Nobody,
    Member,
    Admin,
}

/// A page to look at.
pub struct Entry {
    /// Also the name of its picture.
    pub name: &'static str,
    pub path: String,
    pub who: Who,
    /// Whether it is one of the main pages, which the documentation shows.
    pub pictured: bool,
}

/// A workspace in which something has been done.
pub struct Furnished {
    pub world: World,
    pub entries: Vec<Entry>,
}

impl Furnished {
    /// With a bucket of a random name.
    pub async fn new() -> Self {
        let customer = Emulator::customer();
        let bucket = random_name("acme");
        customer.create_bucket_in(&bucket, REGION).await;
        Self::of(customer, bucket).await
    }

    /// With the sample files in this bucket.
    pub async fn of(customer: Customer, bucket: String) -> Self {
        let world = World::of(customer, bucket, |_| {}).await;
        world.put_samples().await;
        let storage = world.connect(&world.typed("Acme's data", "team")).await;
        // Another one, whose role somebody has withdrawn since.
        let broken = world.connect(&world.typed("Archive 2019", "archive")).await;
        world.withdraw_role(&broken).await;
        let path = format!("/v1/storages/{broken}/check");
        let admin = &world.workspace.admin;
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
        let entries = entries(&world, &made).await;
        Self { world, entries }
    }

    /// Loads a page as who it is for.
    pub async fn open(&self, page: &Page, entry: &Entry, last: &mut Option<Who>) {
        if *last != Some(entry.who) {
            page.delete_cookies().await;
            match entry.who {
                Who::Nobody => {}
                Who::Member => self.world.sign_in_as_member(page).await,
                Who::Admin => self.world.sign_in(page).await,
            }
            *last = Some(entry.who);
        }
        self.world.goto(page, &entry.path).await;
    }
}

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
    use Who::{Admin, Member, Nobody};
    let entry = |name, who, path: String| Entry {
        name,
        path,
        who,
        pictured: false,
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
        entry("storage-delete", Admin, of_storage("/delete")),
        entry("storage-checks", Admin, of_storage("/checks")),
        entry("setup-empty", Admin, step(&empty, "bucket")),
        pictured("setup-bucket", Admin, step(begun, "bucket")),
        entry("setup-cors", Admin, step(begun, "cors")),
        entry("setup-policy", Admin, step(begun, "policy")),
        pictured("setup-role", Admin, step(begun, "role")),
        entry("setup-unchecked", Admin, step(begun, "check")),
        pictured("setup-refused", Admin, step(refused, "check")),
        pictured("setup-check", Admin, step(ready, "check")),
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
            "project-delete",
            Admin,
            format!("/projects/{project}/delete"),
        ),
        entry("not-found", Admin, "/settings/nothing".into()),
        entry("projects", Member, "/projects".into()),
        entry("project-new", Member, "/projects/new".into()),
        pictured("project", Member, format!("/projects/{project}")),
        entry("storages-member", Member, "/settings/storages".into()),
        entry("files-member", Member, files("files")),
    ]
}
