//! Broken worlds: connections of which one thing or several are wrong, with the truth about each written down. The check
//! must name it, claim nothing else, and its patches must mend it.
//!
//! The emulator plays AWS where it shows the case; where it does not, an answer in AWS's wire format takes its place
//! (`wires`, `key`, `owner` of a [`World`]). What is true in a world is written from what AWS means by its answers, not
//! from what the check says.
//!
//! `SALLYPORT_WORLD=words` runs the worlds whose names have these words, and prints the reports of those that fail.

mod access_keys;
mod account;
mod aws;
mod bucket;
mod bucket_policies;
mod callers_side;
mod cors;
mod customer;
mod data;
mod judge;
mod kms;
mod kms_keys;
mod network;
mod permissions;
mod plain;
mod rules;
mod run;
mod sentences;
mod several;
pub mod shown;
mod stage;
mod table;
mod trust;
mod world;

use crate::it::worlds::world::World;
use std::collections::BTreeSet;

/// Every world, by the area that is broken.
pub fn all() -> Vec<(&'static str, Vec<World>)> {
    vec![
        ("trust", trust::worlds()),
        ("caller's side", callers_side::worlds()),
        ("bucket", bucket::worlds()),
        ("permissions", permissions::worlds()),
        ("bucket policies", bucket_policies::worlds()),
        ("KMS", kms_keys::worlds()),
        ("CORS", cors::worlds()),
        ("data", data::worlds()),
        ("network and endpoint", network::worlds()),
        ("access keys", access_keys::worlds()),
        ("several at once", several::worlds()),
    ]
}

/// The share of patches that must mend.
const MENDING: f64 = 0.95;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_world_is_named_exactly_and_its_patches_mend() {
    let outcomes = run::run_all().await;
    println!("{}", table::table(&outcomes));
    let only_some = std::env::var_os("SALLYPORT_WORLD").is_some();
    if !only_some && std::env::var_os("SALLYPORT_UPDATE_DOCS").is_some() {
        table::write_docs(&outcomes);
    }
    let missed = table::missed(&outcomes);
    assert!(missed.is_empty(), "{}", missed.join("\n"));
    let sums = table::sums(&outcomes);
    assert_eq!((sums.exact, sums.untrue), (sums.worlds, 0));
    assert_eq!(sums.in_vain, 0);
    let share = f64::from(sums.mended) / f64::from(sums.to_mend.max(1));
    assert!(share >= MENDING || sums.to_mend == 0, "{share}");
    if !only_some {
        table::compare_with_docs(&outcomes);
    }
}

#[test]
fn the_worlds_have_names_of_their_own() {
    let all = all();
    let worlds = || all.iter().flat_map(|(_, worlds)| worlds);
    let names: BTreeSet<&str> = worlds().map(|world| world.name).collect();
    assert_eq!(names.len(), worlds().count());
    assert!(names.len() >= 150, "{}", names.len());
}
