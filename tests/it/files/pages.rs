//! The pages of files, as a browser without JavaScript uses them.

use crate::it::storages::api::damage;
use crate::it::support::emulator::Emulator;
use crate::it::support::pages::{Visitor, redirect, with_query};
use crate::it::support::scene::{ConnectedStorage, Scene};

const ODD_KEYS: &[&str] = &[
    "/a b/c d.txt",
    "/1+1=2.txt",
    "/100%.txt",
    "/%2e%2e/x.txt",
    "/#1?x=y&z.txt",
    "/a//b.txt",
    "//leading.txt",
    "/שלום.txt",
    "/\u{202e}gnp.txt",
    "/<script>alert(1)</script>.txt",
];

fn folder(storage: &ConnectedStorage, folder: &str) -> String {
    with_query(
        &format!("/storages/{}/files", storage.id),
        &[("folder", folder)],
    )
}

fn file(storage: &ConnectedStorage, what: &str, key: &str) -> String {
    with_query(&format!("/storages/{}/{what}", storage.id), &[("key", key)])
}

#[tokio::test]
async fn odd_keys_are_listed_opened_and_downloaded() {
    let scene = Scene::on(Emulator).prefix("team").connect().await;
    let (app, workspace, storage) = scene.parts();
    let member = Visitor::sign_in(&app, &workspace.admin, "member").await;
    let empty = member.get(&folder(&storage, "/")).await;
    assert_eq!(empty.status, 200);
    assert!(empty.text.contains("nothing in this storage yet"));

    for key in ODD_KEYS {
        storage.put(key, format!("content of {key}")).await;
    }
    let root = member.get(&folder(&storage, "/")).await;
    assert_eq!(root.status, 200);
    assert!(!root.text.contains("<script>alert"));
    for key in ODD_KEYS {
        let below = key.strip_prefix('/').unwrap();
        let page = match below.rsplit_once('/') {
            None => root.text.clone(),
            Some((inner, _)) => {
                let page = member.get(&folder(&storage, &format!("/{inner}/"))).await;
                assert_eq!(page.status, 200, "{key}");
                page.text
            }
        };
        let address = file(&storage, "file", key);
        assert!(
            page.contains(&format!("href=\"{address}\"")),
            "{key}: {page}"
        );
        let about = member.get(&address).await;
        assert_eq!(about.status, 200, "{key}");
        // A type that nobody knows is not shown in place.
        assert_eq!(
            about.text.contains("content of"),
            !key.ends_with(".gnp"),
            "{key}: {}",
            about.text
        );
        assert!(!about.text.contains("<script>alert"));
        assert!(about.text.contains(&storage.bucket));

        let answer = member.get(&file(&storage, "file/download", key)).await;
        assert_eq!(answer.header("cache-control"), Some("no-store"));
        let content = reqwest::get(redirect(&answer)).await.unwrap();
        assert_eq!(content.status(), 200, "{key}");
        let disposition = content.headers()["content-disposition"].to_str().unwrap();
        assert!(disposition.starts_with("attachment"), "{disposition}");
        assert_eq!(content.text().await.unwrap(), format!("content of {key}"));
    }
    let dots = member.get(&file(&storage, "file", "/a/../b")).await;
    assert_eq!(dots.status, 422);
    let gone = member.get(&file(&storage, "file", "/gone.txt")).await;
    assert_eq!(gone.status, 404);
    assert!(gone.text.contains("There is no file with this key"));
}

#[tokio::test]
async fn large_folders_have_pages() {
    let scene = Scene::on(Emulator).connect().await;
    let (app, workspace, storage) = scene.parts();
    for number in 0..130 {
        storage.put(&format!("/many/{number:03}.txt"), "x").await;
    }
    let member = Visitor::sign_in(&app, &workspace.admin, "member").await;
    let first = member.get(&folder(&storage, "/many/")).await;
    assert!(first.text.contains(">000.txt<") && !first.text.contains(">120.txt<"));
    let (before, _) = first.text.split_once("\" rel=\"next\"").unwrap();
    let next = before
        .rsplit_once("href=\"")
        .unwrap()
        .1
        .replace("&#38;", "&");
    let second = member.get(&next).await;
    assert!(second.text.contains(">120.txt<") && second.text.contains("First page"));
    // A page's token leads nowhere else.
    let token = next.split_once("page=").unwrap().1;
    let elsewhere = format!("{}&page={token}", folder(&storage, "/other/"));
    assert_eq!(member.get(&elsewhere).await.status, 422);
}

#[tokio::test]
async fn pictures_come_from_the_bucket_and_nothing_else_does() {
    let scene = Scene::on(Emulator).connect().await;
    let (app, workspace, storage) = scene.parts();
    storage.put("/cat.png", vec![0x89, b'P', b'N', b'G']).await;
    storage.put("/evil.svg", "<svg onload=alert(1)>").await;
    storage.put("/long.txt", "ü".repeat(50_000)).await;
    let member = Visitor::sign_in(&app, &workspace.admin, "member").await;
    let page = member.get(&file(&storage, "file", "/cat.png")).await;
    let (_, rest) = page.text.split_once("<img src=\"").unwrap();
    let source = rest.split('"').next().unwrap().replace("&#38;", "&");
    assert_eq!(reqwest::get(&source).await.unwrap().status(), 200);
    let origin = url::Url::parse(&source)
        .unwrap()
        .origin()
        .ascii_serialization();
    let policy = page.header("content-security-policy").unwrap();
    assert!(
        policy.contains(&format!("img-src 'self' {origin};")),
        "{policy}"
    );
    assert!(policy.contains("script-src 'self';"));

    let page = member.get(&file(&storage, "file", "/evil.svg")).await;
    assert!(page.text.contains("&#60;svg onload") && !page.text.contains("<img"));
    let policy = page.header("content-security-policy").unwrap();
    assert!(policy.contains("img-src 'self';"), "{policy}");
    let page = member.get(&file(&storage, "file", "/long.txt")).await;
    assert!(page.text.contains("first 64 KiB"));
}

#[tokio::test]
async fn signed_links_tell_their_end() {
    let scene = Scene::on(Emulator).connect().await;
    let (app, workspace, storage) = scene.parts();
    storage.put("/a b.txt", "hello").await;
    let member = Visitor::sign_in(&app, &workspace.admin, "member").await;
    let path = file(&storage, "file/link", "/a b.txt");
    let answer = member.post(&path, &[("expires_in", "900")]).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    assert_eq!(answer.header("cache-control"), Some("no-store"));
    let (_, rest) = answer.text.split_once("id=\"link\">").unwrap();
    let link = rest.split('<').next().unwrap().replace("&#38;", "&");
    let content = reqwest::get(&link).await.unwrap();
    assert_eq!(content.text().await.unwrap(), "hello");
    assert!(answer.text.contains("until <strong><time datetime="));
    assert_eq!(
        member.post_bare(&path, &[]).await.status,
        403,
        "without the token"
    );
    let long = member.post(&path, &[("expires_in", "99999999")]).await;
    assert_eq!(long.status, 422);
}

#[tokio::test]
async fn admins_upload_and_delete() {
    let scene = Scene::on(Emulator).prefix("team").connect().await;
    let (app, workspace, storage) = scene.parts();
    let admin = Visitor::sign_in(&app, &workspace.admin, "admin").await;
    let upload = format!("/storages/{}/files/upload", storage.id);
    let page = admin.get(&folder(&storage, "/in box/")).await;
    assert!(page.text.contains("enctype=\"multipart/form-data\""));
    let csrf = admin.csrf().await;
    let fields = [("csrf", csrf.as_str()), ("folder", "/in box/")];
    let large = vec![7_u8; 6 << 20];
    let files: [(&str, &[u8]); 2] = [("ü+1 %.txt", b"one"), ("large.bin", &large)];
    let answer = admin.upload(&upload, &fields, &files).await;
    assert!(
        redirect(&answer).contains("done=files_uploaded"),
        "{answer:?}"
    );
    let page = admin.get(redirect(&answer)).await;
    assert!(page.text.contains("The files were uploaded."));
    assert!(page.text.contains(">ü+1 %.txt<") && page.text.contains("6.3 MB"));

    // Names are kept as they are, or refused.
    let below = [fields[0], ("folder", "/odd/")];
    let odd: [(&str, &[u8]); 2] = [("run\\2024.txt", b"x"), ("album/a.txt", b"y")];
    assert_eq!(admin.upload(&upload, &below, &odd).await.status, 303);
    let page = admin.get(&folder(&storage, "/odd/")).await;
    assert!(page.text.contains(">run\\2024.txt<") && page.text.contains(">album<"));
    let page = admin.get(&folder(&storage, "/odd/album/")).await;
    assert!(page.text.contains(">a.txt<"));
    let guess = admin
        .upload(&upload, &fields, &[("/etc/a.txt", b"x")])
        .await;
    assert_eq!(guess.status, 422, "{guess:?}");
    assert!(guess.text.contains("begins with a slash"));

    // A file that is there is replaced only when that was asked for.
    let again: [(&str, &[u8]); 1] = [("large.bin", b"two")];
    let refused = admin.upload(&upload, &fields, &again).await;
    assert_eq!(refused.status, 412, "{refused:?}");
    assert!(refused.text.contains("id=\"file-error\"") && refused.text.contains("tick “Replace”"));
    let replace = [fields[0], fields[1], ("replace", "yes"), ("size", "3")];
    assert_eq!(admin.upload(&upload, &replace, &again).await.status, 303);
    let page = admin.get(&folder(&storage, "/in box/")).await;
    assert!(!page.text.contains("6.3 MB"));

    // One that exists does not keep the others from it, and each has its result.
    let some: [(&str, &[u8]); 3] = [("one.txt", b"1"), ("large.bin", b"no"), ("two.txt", b"2")];
    let mixed = admin.upload(&upload, &fields, &some).await;
    assert_eq!(mixed.status, 412, "{mixed:?}");
    assert!(mixed.text.contains("2 of 3 files were uploaded."));
    assert_eq!(mixed.text.matches(">Uploaded<").count(), 2);
    let page = admin.get(&folder(&storage, "/in box/")).await;
    assert!(page.text.contains(">one.txt<") && page.text.contains(">two.txt<"));
    // The page's script sends them one by one, and reads no page.
    let script = [fields[0], fields[1], ("answer", "json")];
    let there = admin.upload(&upload, &script, &again).await;
    assert_eq!(there.status, 412);
    assert!(there.text.contains("\"exists\":true") && there.text.contains("\"stored\":0"));
    let new: [(&str, &[u8]); 1] = [("three.txt", b"3")];
    let stored = admin.upload(&upload, &script, &new).await;
    assert_eq!(stored.status, 200, "{stored:?}");
    assert!(stored.text.contains("\"stored\":1"));

    // Nothing without the token, or with it too late.
    for fields in [vec![("folder", "/")], vec![("csrf", "x"), ("folder", "/")]] {
        let answer = admin.upload(&upload, &fields, &[("no.txt", b"no")]).await;
        assert_eq!(answer.status, 403, "{answer:?}");
    }
    let none = admin.upload(&upload, &fields, &[("", b"")]).await;
    assert_eq!(none.status, 422);
    assert!(none.text.contains("Choose a file"));

    let keys = [("key", "/in box/ü+1 %.txt"), ("key", "/in box/large.bin")];
    let confirm = format!("/storages/{}/files/confirm-delete", storage.id);
    let page = admin.post(&confirm, &keys).await;
    assert_eq!(page.status, 200);
    assert!(page.text.contains("Delete 2 files?"));
    let listed = admin.get(&folder(&storage, "/in box/")).await;
    assert!(listed.text.contains("large.bin"), "asking deletes nothing");
    let delete = format!("/storages/{}/files/delete", storage.id);
    let answer = admin.post(&delete, &keys).await;
    assert!(redirect(&answer).contains("done=files_deleted"));
    let page = admin.get(redirect(&answer)).await;
    assert!(page.text.contains("The files were deleted."));
    assert!(!page.text.contains(">large.bin<") && page.text.contains(">three.txt<"));
    // One file's key travels in the address.
    storage.put("/x +%\u{202e}y", "1").await;
    let one = file(&storage, "files/delete", "/x +%\u{202e}y");
    let answer = admin.post(&one, &[]).await;
    assert!(redirect(&answer).contains("done=file_deleted"));
    let gone = file(&storage, "file", "/x +%\u{202e}y");
    assert_eq!(admin.get(&gone).await.status, 404);
}

#[tokio::test]
async fn names_are_searched_and_skipped_in_a_folder() {
    let scene = Scene::on(Emulator).prefix("team").connect().await;
    let (app, workspace, storage) = scene.parts();
    for key in [
        "/d/apple.png",
        "/d/scan-1.png",
        "/d/scan-2.csv",
        "/d/scans/x.png",
        "/e/scan.png",
    ] {
        storage.put(key, "1").await;
    }
    let member = Visitor::sign_in(&app, &workspace.admin, "member").await;
    let of = |query: &str| format!("{}&{query}", folder(&storage, "/d/"));
    let page = member.get(&of("find=scan")).await;
    assert_eq!(page.status, 200, "{page:?}");
    for name in [">scan-1.png<", ">scan-2.csv<", ">scans<"] {
        assert!(page.text.contains(name), "{name}");
    }
    assert!(!page.text.contains(">apple.png<") && !page.text.contains(">scan.png<"));
    // It begins at the name itself, which is there or not.
    for at in ["scan-2.csv", "scan-1.pnz"] {
        let page = member.get(&of(&format!("at={at}"))).await;
        assert!(page.text.contains(">scan-2.csv<"), "{at}: {page:?}");
        assert!(!page.text.contains(">scan-1.png<"), "{at}");
    }
    let page = member
        .get(&of("kind=pictures&size=&since=day&order=size"))
        .await;
    assert!(page.text.contains("2 of 3 files shown"), "{page:?}");
    assert!(!page.text.contains(">scan-2.csv<"));
    // Nothing leads out of the folder.
    for out in ["find=..%2Fe", "find=%2F", "at=..%2Fe%2Fscan"] {
        let page = member.get(&of(out)).await;
        assert!(!page.text.contains(">scan.png<"), "{out}");
    }
    assert_eq!(member.get(&of("find=a%2Fb")).await.status, 422);
}

#[tokio::test]
async fn files_are_moved_and_copied_and_folders_made() {
    let scene = Scene::on(Emulator).prefix("team").connect().await;
    let (app, workspace, storage) = scene.parts();
    storage.put("/a b.txt", "one").await;
    storage.put("/there.txt", "two").await;
    let admin = Visitor::sign_in(&app, &workspace.admin, "admin").await;
    let page = admin.get(&file(&storage, "file/move", "/a b.txt")).await;
    assert_eq!(page.status, 200, "{page:?}");
    assert!(page.text.contains("value=\"/a b.txt\""));

    let copy = file(&storage, "file/copy", "/a b.txt");
    let answer = admin.post(&copy, &[("to", "/new/ü.txt")]).await;
    assert!(redirect(&answer).contains("done=file_copied"), "{answer:?}");
    let page = admin.get(redirect(&answer)).await;
    assert!(page.text.contains("The file was copied.") && page.text.contains(">ü.txt<"));
    // What is there stays, and what was typed too.
    let refused = admin.post(&copy, &[("to", "/there.txt")]).await;
    assert_eq!(refused.status, 412, "{refused:?}");
    assert!(refused.text.contains("id=\"to-error\""));
    assert!(refused.text.contains("value=\"/there.txt\""));
    for bad in ["", "/a b.txt", "/x/../y"] {
        assert_eq!(admin.post(&copy, &[("to", bad)]).await.status, 422, "{bad}");
    }

    let moved = file(&storage, "file/move", "/a b.txt");
    let fields = [("to", "/there.txt"), ("replace", "yes")];
    let answer = admin.post(&moved, &fields).await;
    assert!(redirect(&answer).contains("done=file_moved"), "{answer:?}");
    let page = admin.get(&folder(&storage, "/")).await;
    assert!(!page.text.contains(">a b.txt<") && page.text.contains(">there.txt<"));
    assert_eq!(admin.post(&moved, &[("to", "/z")]).await.status, 404);

    let path = format!("/storages/{}/files/folder", storage.id);
    for _ in 0..2 {
        let made = [("folder", "/new/"), ("name", "2026 %")];
        let answer = admin.post(&path, &made).await;
        assert!(
            redirect(&answer).contains("done=folder_created"),
            "{answer:?}"
        );
        let page = admin.get(redirect(&answer)).await;
        assert!(page.text.contains("This folder is empty"), "{page:?}");
    }
    let page = admin.get(&folder(&storage, "/new/")).await;
    assert!(page.text.contains(">2026 %<"));
    for bad in ["", "a/b", ".."] {
        let answer = admin.post(&path, &[("folder", "/"), ("name", bad)]).await;
        assert_eq!(answer.status, 422, "{bad}");
        assert!(answer.text.contains("id=\"folder-name-error\""), "{bad}");
        assert!(
            answer
                .text
                .contains(&format!("name=\"name\" value=\"{bad}\""))
        );
    }
}

#[tokio::test]
async fn tables_are_shown_as_such_and_snippets_name_the_file() {
    let scene = Scene::on(Emulator).prefix("team").connect().await;
    let (app, workspace, storage) = scene.parts();
    storage.put("/a b.csv", "name,<b>x</b>\nrow 1,2\n").await;
    storage
        .put("/a.jsonl", "{\"size\": 1}\n{\"size\": 2}\n")
        .await;
    let member = Visitor::sign_in(&app, &workspace.admin, "member").await;
    let page = member.get(&file(&storage, "file", "/a b.csv")).await;
    assert_eq!(page.status, 200, "{page:?}");
    assert!(page.text.contains("<bdi>row 1</bdi></td>") && !page.text.contains("<b>x</b>"));
    let address = format!("/v1/storages/{}/files/content?key=%2Fa+b.csv", storage.id);
    assert_eq!(page.text.matches(&address).count(), 3, "{page:?}");
    // The address in the snippets is one that the API takes.
    let content = app.get(&address, &workspace.member).await;
    assert_eq!(content.status, 200, "{content:?}");
    let page = member.get(&file(&storage, "file", "/a.jsonl")).await;
    assert!(page.text.contains("<bdi>size</bdi></th>"));
}

#[tokio::test]
async fn json_is_laid_out_and_a_pdf_opened() {
    let scene = Scene::on(Emulator).prefix("team").connect().await;
    let (app, workspace, storage) = scene.parts();
    let content = "{\"a\":[1.50,\"<b>\"]}";
    storage.put("/a.json", content).await;
    storage.put("/a b.pdf", "%PDF-1.4").await;
    let member = Visitor::sign_in(&app, &workspace.admin, "member").await;
    let page = member.get(&file(&storage, "file", "/a.json")).await;
    assert_eq!(page.status, 200, "{page:?}");
    assert!(
        page.text
            .contains("    1.50,\n    &#34;&#60;b&#62;&#34;\n  ]")
    );
    assert!(page.text.contains("shown over several lines"));
    let page = member.get(&file(&storage, "file", "/a b.pdf")).await;
    let (before, _) = page
        .text
        .split_once("\" rel=\"noreferrer\">Open the PDF")
        .unwrap();
    let (_, link) = before.rsplit_once("href=\"").unwrap();
    let opened = reqwest::get(link.replace("&#38;", "&")).await.unwrap();
    assert_eq!(opened.status(), 200);
    assert_eq!(opened.headers()["content-type"], "application/pdf");
    let disposition = opened.headers()["content-disposition"].to_str().unwrap();
    assert!(disposition.starts_with("inline"), "{disposition}");
}

#[tokio::test]
async fn members_and_other_workspaces_are_refused() {
    let scene = Scene::on(Emulator).connect().await;
    let (app, workspace, storage) = scene.parts();
    let other = app.workspace().await;
    storage.put("/a.txt", "1").await;
    let member = Visitor::sign_in(&app, &workspace.admin, "member").await;
    let page = member.get(&folder(&storage, "/")).await;
    assert!(page.text.contains(">a.txt<"));
    assert!(!page.text.contains("Upload") && !page.text.contains("/files/confirm-"));
    let stranger = Visitor::sign_in(&app, &other.admin, "admin").await;
    for (visitor, status) in [(&member, 403), (&stranger, 404)] {
        for what in ["files/delete", "files/confirm-delete"] {
            let path = file(&storage, what, "/a.txt");
            assert_eq!(visitor.post(&path, &[]).await.status, status, "{what}");
        }
        for what in ["file/move", "file/copy"] {
            let path = file(&storage, what, "/a.txt");
            let answer = visitor.post(&path, &[("to", "/b.txt")]).await;
            assert_eq!(answer.status, status, "{what}");
        }
        let asked = visitor.get(&file(&storage, "file/move", "/a.txt")).await;
        assert_eq!(asked.status, status);
        let path = format!("/storages/{}/files/folder", storage.id);
        let made = visitor.post(&path, &[("folder", "/"), ("name", "x")]).await;
        assert_eq!(made.status, status);
        let csrf = visitor.csrf().await;
        let fields = [("csrf", csrf.as_str()), ("folder", "/")];
        let path = format!("/storages/{}/files/upload", storage.id);
        let answer = visitor.upload(&path, &fields, &[("b.txt", b"1")]).await;
        assert_eq!(answer.status, status, "{answer:?}");
    }
    for what in ["file", "file/download"] {
        let path = file(&storage, what, "/a.txt");
        assert_eq!(stranger.get(&path).await.status, 404);
    }
    assert_eq!(stranger.get(&folder(&storage, "/")).await.status, 404);
    assert_eq!(
        member.get(&file(&storage, "file", "/a.txt")).await.status,
        200
    );
    let anonymous = app.get(&folder(&storage, "/"), "").await;
    assert_eq!(anonymous.status, 401);
}

#[tokio::test]
async fn a_storage_that_cannot_be_read_says_so() {
    let scene = Scene::on(Emulator).prefix("team").connect().await;
    let (app, workspace, storage) = scene.parts();
    let admin = Visitor::sign_in(&app, &workspace.admin, "admin").await;
    // As a replica of an earlier release leaves a storage whose connection was changed.
    let earlier = format!(
        "UPDATE storages SET revision = revision + 1 WHERE id = '{}'",
        storage.id
    );
    damage(&app, &earlier).await;
    let page = admin.get(&folder(&storage, "/")).await;
    assert_eq!(page.status, 409);
    assert!(
        page.text
            .contains("have changed since its connection was checked")
    );
    let link = format!("href=\"/settings/storages/{}#connection\"", storage.id);
    assert!(page.text.contains(&link) && !page.text.contains("data-upload"));
}
