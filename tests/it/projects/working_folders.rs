//! A project of a folder leaves the product's own working folders out.

use crate::application::kept::idempotency::Keep;
use crate::application::projects::selection::Selection;
use crate::application::projects::{FileSource, NewProject};
use crate::domain::files::file_key::Folder;
use crate::domain::project::{OnMissing, Progress, Project, ProjectStatus, SkipReason};
use crate::it::projects::fake::{PREFIX, Rig};
use crate::it::projects::{Setting, strings};
use crate::it::support::database::{TestDb, on_both_engines};
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;

on_both_engines!(an_import_leaves_the_working_folders_out_and_counts_their_files);

fn left_out(project: &Value) -> (Value, Value) {
    (project["skipped_count"].clone(), project["skipped"].clone())
}

/// Tonight's project does not grow by the results of yesterday's.
#[tokio::test(flavor = "multi_thread")]
async fn a_folder_s_working_folders_are_left_out_unless_they_are_asked_for() {
    let setting = Setting::new().await;
    for key in [
        "/export/1.json",
        "/export/2026/2.json",
        "/temp/3.json",
        "/exported.json",
    ] {
        setting.storage.put(key, "{}").await;
    }
    let nothing = (json!(0), json!([]));
    let folder = async |body: Value| setting.create(body).await.expect(201);
    let of_working = |keys: Vec<String>| -> Vec<String> {
        let is_working = |key: &String| key.starts_with("/export/") || key.starts_with("/temp/");
        keys.into_iter().filter(is_working).collect()
    };
    let whole = folder(json!({"folder": "/"})).await;
    assert_eq!(
        left_out(&whole),
        (json!(3), json!([{"reason": "working_folder", "count": 3}]))
    );
    assert_eq!(whole["file_count"], 8);
    assert_eq!(whole["progress"], json!({"done": 11, "total": 11}));
    let keys = setting.keys(&whole).await;
    assert!(keys.contains(&"/exported.json".to_owned()), "{keys:?}");
    assert!(of_working(keys).is_empty());

    let all = folder(json!({"folder": "/", "include_working_folders": true})).await;
    assert_eq!(
        (left_out(&all), &all["file_count"]),
        (nothing.clone(), &json!(11))
    );
    // Only what the globs choose is left out.
    let some = json!({"folder": "/", "include": ["**/*.json"], "include_working_folders": false});
    let some = folder(some).await;
    assert_eq!(
        (&some["file_count"], &some["skipped_count"]),
        (&json!(2), &json!(3))
    );
    let none = folder(json!({"folder": "/", "include": ["cats/*"]})).await;
    assert_eq!(left_out(&none), nothing);
    // A working folder that is named is wanted.
    for (named, count) in [("/export", 2), ("/export/2026/", 1), ("/temp/", 1)] {
        let project = folder(json!({"folder": named})).await;
        assert_eq!(project["file_count"], count, "{named}");
        assert_eq!(left_out(&project), nothing, "{named}");
    }
    // So is a file that is named.
    let file = folder(json!({"files": [{"file_key": "/export/1.json"}]})).await;
    assert_eq!(setting.keys(&file).await, ["/export/1.json"]);
    setting.storage.put("/list.txt", "/temp/3.json\n").await;
    let manifest = folder(json!({"manifest_file_key": "/list.txt"})).await;
    assert_eq!(setting.keys(&manifest).await, ["/temp/3.json"]);

    let only = json!({"folder": "/", "include": ["temp/*"]});
    let refused = setting.create(only).await.problem(422, "no_files");
    let remedy = refused["remedy"].as_str().unwrap();
    assert!(remedy.contains("include_working_folders"), "{remedy}");
    let without = json!({"files": [{"file_key": "/top.json"}], "include_working_folders": true});
    let refused = setting.create(without).await;
    let refused = refused.refused_field("include_working_folders");
    assert_eq!(strings(&refused["errors"], "code"), ["only_with_folder"]);
}

/// The choice is the project's: whichever worker goes on with the import knows it.
async fn an_import_leaves_the_working_folders_out_and_counts_their_files(db: TestDb) {
    let rig = Rig::new(db, 10).await;
    // More than a request lists: the import goes on within `export/`.
    for n in 0..800 {
        for folder in ["data", "export", "zoo"] {
            rig.bucket
                .put(format!("{PREFIX}{folder}/{n:03}.png"), "body");
        }
    }
    let without = imported(&rig, false).await;
    assert_eq!(
        (without.status, without.file_count, without.skipped_count),
        (ProjectStatus::Ready, 1_600, 800)
    );
    let reasons = without.skipped.unwrap().reasons();
    assert_eq!(reasons, [(SkipReason::WorkingFolder, 800)]);
    let all = Progress {
        done: 2_400,
        total: Some(2_400),
    };
    assert_eq!(without.progress, all);
    let with = imported(&rig, true).await;
    assert_eq!((with.file_count, with.skipped_count), (2_400, 0));
}

/// The project of the whole storage, when its import has ended.
async fn imported(rig: &Rig, include_working_folders: bool) -> Project {
    let root = Selection::new(Folder::root(), vec![], vec![]).unwrap();
    let new = NewProject {
        include_working_folders,
        ..rig.new_project(FileSource::Folder(root), OnMissing::Fail)
    };
    let member = rig.member();
    let made = rig.projects.create(&member, new, Keep::nothing());
    let made = made.await.unwrap();
    assert_eq!(made.status, ProjectStatus::Importing);
    let never = CancellationToken::new();
    while rig.importer(20).round(&never).await.unwrap() {}
    rig.project(&made.id).await
}
