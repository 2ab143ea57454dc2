//! Browsing: a folder at a time, in pages, and never beyond the prefix.

use crate::it::support::app::app_on;
use crate::it::support::aws::stub::AwsStub;
use crate::it::support::client::encoded;
use crate::it::support::emulator::Emulator;
use crate::it::support::scene::Scene;
use futures_util::{StreamExt, stream};
use serde_json::{Value, json};
use std::collections::BTreeSet;

#[tokio::test(flavor = "multi_thread")]
async fn a_neighbour_of_the_prefix_is_never_seen() {
    let place = Scene::on(Emulator).reading("team/").connect().await;
    let (customer, bucket) = (&place.storage.customer, &place.storage.bucket);
    for key in ["team", "team-b/x", "team/", "team/a", "tea", "teams", "x"] {
        customer.put_object(bucket, key, key).await;
    }
    assert_eq!(place.all("/", true, 1000).await.1, ["/a"]);
    let (folders, files) = place.all("/", false, 1000).await;
    assert_eq!(
        (folders.len(), files.as_slice()),
        (0, &["/a".to_owned()][..])
    );
    for key in [
        "-b/x",
        "/-b/x",
        "/team-b/x",
        "/x",
        "team-b/x",
        "/teams",
        "/team",
    ] {
        place.metadata(key).await.problem(404, "file_not_found");
        assert_eq!(place.content(key, &[]).await.status, 404, "{key}");
        // A URL is signed without asking S3; it reaches only what lies below the prefix.
        let url = place.signed(&json!({"key": key, "method": "GET"})).await;
        assert!(url.contains(&format!("/{bucket}/team/")), "{url}");
        let answer = crate::it::support::client::plain_client()
            .get(&url)
            .send()
            .await;
        assert_eq!(answer.unwrap().status(), 404, "{url}");
    }
    // The session itself is held to the prefix, whoever asks with it.
    let signed = place.signed(&json!({"key": "/a", "method": "GET"})).await;
    let other = signed.replace("/team/a?", "/team-b/x?");
    let answer = crate::it::support::client::plain_client()
        .get(&other)
        .send()
        .await;
    assert_eq!(answer.unwrap().status(), 403);
}

#[tokio::test(flavor = "multi_thread")]
async fn folders_and_their_markers() {
    let place = Scene::on(Emulator).reading("team/").connect().await;
    for path in ["", "a/", "a/x", "a/b/", "empty/", "z"] {
        place.put_at(path, "").await;
    }
    let root = place.list("", "").await.expect(200);
    assert_eq!(root["folder"], "/");
    let names: Vec<&Value> = root["folders"].as_array().unwrap().iter().collect();
    assert_eq!(
        names[0],
        &json!({"key": "/a/", "name": "a", "usable": true})
    );
    assert_eq!(names[1]["key"], "/empty/");
    assert_eq!(names.len(), 2);
    let files = root["files"].as_array().unwrap();
    assert_eq!((files.len(), &files[0]["name"]), (1, &json!("z")));
    assert!(files[0]["etag"].as_str().unwrap().starts_with('"'));
    assert!(files[0]["last_modified"].as_str().unwrap().ends_with('Z'));
    assert_eq!(
        (&files[0]["size"], &files[0]["storage_class"]),
        (&json!(0), &json!("STANDARD"))
    );
    assert!(root.get("next_page_token").is_none());

    // With and without its slashes, a folder is the same; its marker is not a file in it.
    for folder in ["/a/", "a", "/a", "a/"] {
        let page = place.list(folder, "").await.expect(200);
        assert_eq!(page["folder"], "/a/");
        assert_eq!(page["folders"][0]["key"], "/a/b/");
        assert_eq!(page["files"].as_array().unwrap().len(), 1, "{page:#}");
        assert_eq!(page["files"][0]["key"], "/a/x");
    }
    for folder in ["/empty/", "/nothing/here/"] {
        let page = place.list(folder, "").await.expect(200);
        assert_eq!((&page["folders"], &page["files"]), (&json!([]), &json!([])));
    }
    // Markers are objects: the whole listing has them, but for the prefix's own.
    let all = place.all("/", true, 1000).await.1;
    assert_eq!(all, ["/a/", "/a/b/", "/a/x", "/empty/", "/z"]);
    assert_eq!(
        place.all("/a", true, 1000).await.1,
        ["/a/", "/a/b/", "/a/x"]
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_that_ends_in_a_slash_is_a_file_when_it_has_bytes() {
    let place = Scene::on(Emulator).reading("team/").connect().await;
    place.put_at("a/", "twenty-one bytes here").await;
    place.put_at("a/x", "").await;
    let page = place.list("/a/", "").await.expect(200);
    assert_eq!(page["files"][0]["key"], "/a/", "{page:#}");
    assert_eq!(page["files"][0]["size"], 21);
    assert_eq!(page["files"][1]["key"], "/a/x");
}

#[tokio::test(flavor = "multi_thread")]
async fn pages_of_every_size_give_each_key_once() {
    let place = Scene::on(Emulator).reading("p/").connect().await;
    let files: Vec<String> = (0..9).map(|n| format!("f{n} +%")).collect();
    let folders: Vec<String> = (0..4).map(|n| format!("d{n}/")).collect();
    for file in &files {
        place.put_at(file, "").await;
    }
    for folder in &folders {
        place.put_at(folder, "").await;
        place.put_at(&format!("{folder}inside"), "").await;
    }
    let slashed =
        |names: &[String]| -> Vec<String> { names.iter().map(|n| format!("/{n}")).collect() };
    for size in (1..=15).chain([1000]) {
        let (found_folders, found) = place.all("/", false, size).await;
        assert_eq!(found, slashed(&files), "pages of {size}");
        assert_eq!(found_folders, slashed(&folders), "pages of {size}");
        let all = place.all("/", true, size).await.1;
        assert_eq!(
            all.len(),
            files.len() + 2 * folders.len(),
            "pages of {size}"
        );
        assert_eq!(all.iter().collect::<BTreeSet<_>>().len(), all.len());
        // The folder's marker may leave a page without files; the next one follows.
        assert_eq!(place.all("/d0/", false, size).await.1, ["/d0/inside"]);
    }
    for query in [
        "&page_size=0",
        "&page_size=1001",
        "&page_size=x",
        "&page_size=-1",
    ] {
        place.list("/", query).await.refused_field("page_size");
    }
    place
        .list("/", "&recursive=maybe")
        .await
        .refused_field("recursive");
    place.list("/", "&prefix=x").await.refused_field("prefix");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_folder_of_2500_objects() {
    let place = Scene::on(Emulator).reading("many/").connect().await;
    let wanted: Vec<String> = (0..2_500).map(|n| format!("big/{n:05}.txt")).collect();
    stream::iter(&wanted)
        .for_each_concurrent(16, |path| place.put_at(path, "x"))
        .await;
    let wanted: Vec<String> = wanted.iter().map(|path| format!("/{path}")).collect();
    for size in [1000, 999, 100] {
        assert!(
            place.all("/big/", false, size).await.1 == wanted,
            "pages of {size}"
        );
    }
    assert!(place.all("/", true, 1000).await.1 == wanted);
    let page = place.list("/big/", "").await.expect(200);
    assert_eq!(page["files"].as_array().unwrap().len(), 100);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_token_leads_on_in_its_own_list_only() {
    let place = Scene::on(Emulator).reading("team/").connect().await;
    for path in ["a/1", "a/2", "a/3", "b/1", "b/2", "b/3"] {
        place.put_at(path, "").await;
    }
    let first = place.list("/a/", "&page_size=1").await.expect(200);
    let token = format!(
        "&page_token={}",
        encoded(first["next_page_token"].as_str().unwrap())
    );
    // Another size and another spelling of the folder are the same list.
    let next = place
        .list("a", &format!("{token}&page_size=2"))
        .await
        .expect(200);
    assert_eq!(next["files"][0]["key"], "/a/2");

    let refused = |answer: crate::it::support::app::Answer| {
        let problem = answer.refused_field("page_token");
        assert_eq!(problem["errors"][0]["code"], "invalid_page_token");
    };
    refused(place.list("/b/", &token).await);
    refused(place.list("/", &token).await);
    refused(place.list("/a/", &format!("{token}&recursive=true")).await);
    refused(place.list("/a/", "&page_token=").await);
    refused(place.list("/a/", "&page_token=AAAA").await);
    refused(place.list("/a/", &format!("{token}x")).await);

    // Another storage of the workspace, with the same bucket and folder.
    let app = &place.app;
    let connect = async |workspace| {
        let builder = Scene::on(Emulator).access("read").prefix("team/");
        let builder = builder.bucket_of(&place.storage);
        builder.connect_in(app, workspace).await.id
    };
    let other = connect(&place.workspace).await;
    let path = format!("/v1/storages/{other}/files?folder=%2Fa%2F");
    let member = &place.workspace.member;
    assert_eq!(app.get(&path, member).await.status, 200);
    refused(app.get(&format!("{path}{token}"), member).await);

    // Another workspace, with a storage of the same bucket.
    let stranger = app.workspace().await;
    let theirs = connect(&stranger).await;
    let path = format!("/v1/storages/{theirs}/files?folder=%2Fa%2F{token}");
    refused(app.get(&path, &stranger.member).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn another_workspaces_storage_is_absent() {
    let place = Scene::on(Emulator).reading("team/").connect().await;
    place.put_at("a", "secret").await;
    let stranger = place.app.workspace().await;
    let storage = format!("/v1/storages/{}", place.storage.id);
    let absent = "/v1/storages/sto_00000000000000000000000000000000";
    for path in [
        "/files",
        "/files?recursive=true",
        "/files/metadata?key=a",
        "/files/content?key=a",
    ] {
        let theirs = place
            .app
            .get(&format!("{storage}{path}"), &stranger.admin)
            .await;
        let nobodys = place
            .app
            .get(&format!("{absent}{path}"), &stranger.admin)
            .await;
        let (theirs, nobodys) = (
            theirs.problem(404, "not_found"),
            nobodys.problem(404, "not_found"),
        );
        for field in ["title", "detail", "code", "remedy"] {
            assert_eq!(theirs[field], nobodys[field], "{path}");
        }
    }
    let body = json!({"key": "a", "method": "GET"});
    let sign = format!("{storage}/files/sign");
    place
        .app
        .post(&sign, &stranger.admin, &body)
        .await
        .problem(404, "not_found");
    // Without a token, and with the operator's, there are no files either.
    let list = format!("{storage}/files");
    assert_eq!(place.app.get(&list, "").await.status, 401);
    assert_eq!(
        place
            .app
            .get(&list, crate::it::support::app::OPERATOR)
            .await
            .status,
        403
    );
    assert_eq!(place.get("/files").await.status, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_built_in_storage_has_a_part_for_each_workspace() {
    let place = Scene::on(Emulator).reading("team/").connect().await;
    let vendor = Emulator::vendor().await;
    let s3 = crate::it::support::emulator::s3_client(&vendor.sdk_config);
    let other = place.app.workspace().await;
    for (workspace, name) in [(&place.workspace.id, "mine"), (&other.id, "theirs")] {
        let key = format!("workspaces/{workspace}/{name}");
        let put = s3.put_object().bucket(&vendor.bucket).key(key);
        put.send().await.unwrap();
    }
    let (app, member) = (&place.app, &place.workspace.member);
    let list = "/v1/storages/built-in/files?recursive=true";
    let listed = app.get(list, member).await.expect(200);
    let files = listed["files"].as_array().unwrap();
    assert_eq!((files.len(), &files[0]["key"]), (1, &json!("/mine")));
    let theirs = "/v1/storages/built-in/files/metadata?key=theirs";
    app.get(theirs, member).await.problem(404, "file_not_found");
}

#[tokio::test(flavor = "multi_thread")]
async fn one_session_serves_all_who_wait_for_it() {
    let stub = AwsStub::start().await;
    let scene = Scene::on(&stub).access("read").connect().await;
    stub.world().delay = std::time::Duration::from_millis(300);
    let before = stub.count("AssumeRole");
    let path = scene.path("/files/metadata?key=a.txt");
    let (app, workspace) = (&scene.app, &scene.workspace);
    let requests = (0..100).map(|_| app.get(&path, &workspace.member));
    for answer in futures_util::future::join_all(requests).await {
        assert_eq!(answer.status, 200);
    }
    assert_eq!(stub.count("AssumeRole"), before + 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn after_a_storage_is_deleted_aws_is_not_called_in_its_name() {
    let stub = AwsStub::start().await;
    let app = app_on(&stub.sdk_config()).await;
    let workspace = app.workspace().await;
    let (admin, member) = (&workspace.admin, &workspace.member);
    let calls = || stub.log().len();
    let connect = async || {
        let builder = Scene::on(&stub).access("read");
        builder.connect_in(&app, &workspace).await.path("")
    };
    let (gone, stays) = (connect().await, connect().await);
    let read = async |storage: &str, status: u16| {
        let path = format!("{storage}/files/metadata?key=a.txt");
        assert_eq!(app.get(&path, member).await.status, status);
    };
    // The role trusts the second storage's external ID only: the first one's is refused.
    read(&gone, 424).await;
    read(&stays, 200).await;
    let before = calls();
    read(&stays, 200).await;
    assert_eq!(calls(), before + 1, "the session is kept");

    app.delete(&gone, admin).await.expect(204);
    app.delete(&stays, admin).await.expect(204);
    let before = calls();
    for storage in [&gone, &stays] {
        read(storage, 404).await;
        assert_eq!(
            app.get(&format!("{storage}/files"), member).await.status,
            404
        );
        let body = json!({"key": "a.txt", "method": "GET"});
        let sign = app
            .post(&format!("{storage}/files/sign"), member, &body)
            .await;
        assert_eq!(sign.status, 404);
    }
    assert_eq!(calls(), before);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_deleted_storage_has_no_files() {
    let place = Scene::on(Emulator).reading("team/").connect().await;
    place.put_at("a", "x").await;
    assert_eq!(place.all("/", true, 10).await.1, ["/a"]);
    let path = format!("/v1/storages/{}", place.storage.id);
    let url = place.signed(&json!({"key": "a", "method": "GET"})).await;
    place
        .app
        .delete(&path, &place.workspace.admin)
        .await
        .expect(204);
    for below in ["/files", "/files/metadata?key=a", "/files/content?key=a"] {
        place
            .get(&format!("{path}{below}"))
            .await
            .problem(404, "not_found");
    }
    place
        .sign(&json!({"key": "a", "method": "GET"}))
        .await
        .problem(404, "not_found");
    // What was signed before lives on until its expiry: S3 alone decides about it.
    let answer = crate::it::support::client::plain_client()
        .get(&url)
        .send()
        .await;
    assert_eq!(answer.unwrap().status(), 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn changed_settings_are_used_for_files_after_a_check_only() {
    let place = Scene::on(Emulator).reading("team/").connect().await;
    place.put_at("a", "x").await;
    let path = format!("/v1/storages/{}", place.storage.id);
    let admin = &place.workspace.admin;
    let body = json!({"prefix": "other"});
    place.app.patch(&path, admin, &body).await.expect(200);
    // Until then everything goes on below the old prefix.
    let listed = place.list("/", "").await.expect(200);
    assert_eq!(listed["files"][0]["key"], "/a");
    place.metadata("a").await.expect(200);
    place
        .sign(&json!({"key": "a", "method": "GET"}))
        .await
        .expect(200);
    assert_eq!(place.content("a", &[]).await.status, 200);
    let check = format!("{path}/check?pending=true");
    place.app.post(&check, admin, &json!({})).await.expect(200);
    let stored = place.app.get(&path, admin).await.expect(200);
    let in_use = stored["prefix"].as_str().unwrap().to_owned();
    // The role's policy is for the old prefix, so the check failed.
    assert_eq!(in_use, "team/");
    place.metadata("a").await.expect(200);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_listing_is_filtered_by_glob_and_suffix() {
    let place = Scene::on(Emulator).reading("team/").connect().await;
    for path in ["a.png", "b.txt", "f/c.png", "f/g/d.png", "f/g/d.PNG"] {
        place.put_at(path, "x").await;
    }
    let keys = |folder: &'static str, query: &'static str| {
        let place = &place;
        async move {
            let page = place.list(folder, query).await.expect(200);
            let files = page["files"].as_array().unwrap().iter();
            let keys: Vec<_> = files
                .map(|f| f["key"].as_str().unwrap().to_owned())
                .collect();
            keys
        }
    };
    assert_eq!(keys("/", "&glob=*.png").await, ["/a.png"]);
    let all = keys("/", "&recursive=true&glob=**%2F*.png").await;
    assert_eq!(all, ["/a.png", "/f/c.png", "/f/g/d.png"]);
    assert_eq!(
        keys("/f/", "&recursive=true&glob=*.png").await,
        ["/f/c.png"]
    );
    let suffix = keys("/", "&recursive=true&suffix=d.png").await;
    assert_eq!(suffix, ["/f/g/d.png"]);
    assert_eq!(
        keys("/", "&recursive=true&glob=f%2F**&suffix=.PNG").await,
        ["/f/g/d.PNG"]
    );
    place.list("/", "&glob=a%7Bb").await.refused_field("glob");
    place.list("/", "&suffix=").await.refused_field("suffix");

    // A page that the filter empties still leads on.
    let page = place
        .list("/", "&recursive=true&page_size=1&suffix=.txt")
        .await;
    let page = page.expect(200);
    assert_eq!(page["files"].as_array().unwrap().len(), 0);
    assert!(page["next_page_token"].is_string());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_folder_is_searched_by_the_beginning_of_names() {
    let place = Scene::on(Emulator).reading("team/").connect().await;
    for path in [
        "scan-1.txt",
        "scan-2.txt",
        "scans/a",
        "other",
        "f/scan-3.txt",
        "a b+c",
    ] {
        place.put_at(path, "x").await;
    }
    let found = async |folder: &str, begins: &str| {
        let page = place.list(folder, &format!("&name_prefix={begins}")).await;
        let page = page.expect(200);
        let keys = |list: &str| -> Vec<String> {
            let list = page[list].as_array().unwrap().iter();
            list.map(|entry| entry["key"].as_str().unwrap().to_owned())
                .collect()
        };
        (keys("folders"), keys("files"))
    };
    let (folders, files) = found("/", "scan").await;
    assert_eq!(folders, ["/scans/"]);
    assert_eq!(files, ["/scan-1.txt", "/scan-2.txt"]);
    assert_eq!(found("/", "a%20b%2B").await.1, ["/a b+c"]);
    assert_eq!(found("/f/", "scan").await.1, ["/f/scan-3.txt"]);
    assert_eq!(found("/", "SCAN").await, (vec![], vec![]));
    assert_eq!(found("/", "").await.1.len(), 4);

    // A page leads on in the same search alone.
    let first = place.list("/", "&name_prefix=scan-&page_size=1").await;
    let first = first.expect(200);
    let token = encoded(first["next_page_token"].as_str().unwrap());
    let next = |begins: &str| format!("&name_prefix={begins}&page_size=1&page_token={token}");
    let second = place.list("/", &next("scan-")).await.expect(200);
    assert_eq!(second["files"][0]["key"], "/scan-2.txt");
    for other in ["scan", "other", ""] {
        place
            .list("/", &next(other))
            .await
            .refused_field("page_token");
    }
    for refused in ["scans%2Fa", &"n".repeat(1_100)] {
        place
            .list("/", &format!("&name_prefix={refused}"))
            .await
            .refused_field("name_prefix");
    }
    place
        .list("/", "&name_prefix=scan&recursive=true")
        .await
        .refused_field("name_prefix");
}

#[tokio::test]
async fn an_object_with_the_prefix_as_its_key_is_named_once_it_has_bytes() {
    let place = Scene::on(Emulator).prefix("team").connect().await;
    let (customer, bucket) = (&place.storage.customer, &place.storage.bucket);
    place.storage.put("/a.txt", "hello").await;
    for (body, named) in [
        ("", json!(null)),
        ("21 bytes, no file key", json!({"size": 21})),
    ] {
        customer.put_object(bucket, "team/", body).await;
        for query in ["/files", "/files?recursive=true"] {
            let page = place.get(query).await.expect(200);
            assert_eq!(page["prefix_object"], named, "{page:#}");
            assert_eq!(page["files"].as_array().unwrap().len(), 1, "{page:#}");
        }
    }
    let body = json!({"name": "P", "storage_id": place.storage.id, "folder": "/"});
    let project = place
        .app
        .post("/v1/projects", &place.workspace.admin, &body)
        .await
        .expect(201);
    assert_eq!(project["file_count"], 1);
    assert_eq!(project["skipped_count"], 1);
}
