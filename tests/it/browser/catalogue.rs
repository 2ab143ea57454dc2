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
        let setup = world.applied_setup(&world.typed("Archive", "archive")).await;
        let entries = entries(&world, &storage, &setup).await;
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

async fn entries(world: &World, storage: &str, setup: &str) -> Vec<Entry> {
    let entry = |name, who, pictured, path: String| Entry {
        name,
        path,
        who,
        pictured,
    };
    let _ = (storage, setup, json!({}));
    vec![
        entry("welcome", Who::Nobody, false, "/".into()),
        entry("signed-out", Who::Nobody, false, "/signed-out".into()),
        entry("api", Who::Nobody, false, "/docs".into()),
        entry("sign-in-again", Who::Nobody, false, "/projects".into()),
        entry("storages", Who::Admin, true, "/settings/storages".into()),
        entry("not-found", Who::Admin, false, "/settings/nothing".into()),
        entry("storages-member", Who::Member, false, "/settings/storages".into()),
    ]
}
