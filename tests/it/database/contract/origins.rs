use crate::application::kept::store::{OriginStore, WorkspaceStore};
use crate::domain::ids::WorkspaceId;
use crate::domain::origin::{Origin, OriginPattern};
use crate::it::database::contract::samples::*;
use crate::it::support::database::{TestDb, on_both_engines};

on_both_engines!(
    origins_are_replaced_in_their_order,
    an_origin_is_found_whatever_workspace_allows_it,
    origins_go_with_their_workspace,
    replacing_at_once_leaves_one_of_the_lists,
);

fn origins(texts: &[&str]) -> Vec<OriginPattern> {
    let parsed = texts.iter().map(|text| OriginPattern::parse(text).unwrap());
    parsed.collect()
}

async fn origins_are_replaced_in_their_order(db: TestDb) {
    let db = db.database;
    let (mine, other) = (workspace(&db).await, workspace(&db).await);
    assert_eq!(db.workspace_origins(&mine.id).await, Ok(Vec::new()));
    for texts in [
        &["https://b.example.com", "https://*.a.example.com"][..],
        &["https://a.example.com"],
        &[],
    ] {
        let wanted = origins(texts);
        assert_eq!(db.set_workspace_origins(&mine.id, &wanted).await, Ok(true));
        assert_eq!(db.workspace_origins(&mine.id).await, Ok(wanted));
        assert_eq!(db.workspace_origins(&other.id).await, Ok(Vec::new()));
    }
    let nobody = WorkspaceId::generate();
    let some = origins(&["https://a.example.com"]);
    assert_eq!(db.set_workspace_origins(&nobody, &some).await, Ok(false));
    assert_eq!(db.workspace_origins(&nobody).await, Ok(Vec::new()));
}

async fn an_origin_is_found_whatever_workspace_allows_it(db: TestDb) {
    let db = db.database;
    let (mine, other) = (workspace(&db).await, workspace(&db).await);
    let (first, second) = (
        origins(&["https://a.example.com"]),
        origins(&["https://*.example.org"]),
    );
    db.set_workspace_origins(&mine.id, &first).await.unwrap();
    db.set_workspace_origins(&other.id, &second).await.unwrap();
    for (origin, allowed) in [
        ("https://a.example.com", true),
        ("https://x.y.example.org", true),
        ("https://example.org", false),
        ("https://b.example.com", false),
        ("http://a.example.com", false),
    ] {
        let texts = OriginPattern::texts_matching(&Origin::parse(origin).unwrap());
        assert_eq!(
            db.any_workspace_allows(&texts).await,
            Ok(allowed),
            "{origin}"
        );
    }
}

async fn origins_go_with_their_workspace(db: TestDb) {
    let db = db.database;
    let gone = workspace(&db).await;
    let some = origins(&["https://a.example.com"]);
    db.set_workspace_origins(&gone.id, &some).await.unwrap();
    assert_eq!(db.delete_workspace(&gone.id).await, Ok(true));
    let texts = ["https://a.example.com".to_owned()];
    assert_eq!(db.any_workspace_allows(&texts).await, Ok(false));
}

async fn replacing_at_once_leaves_one_of_the_lists(db: TestDb) {
    let db = db.database;
    let mine = workspace(&db).await;
    let lists = [
        origins(&["https://a.example.com", "https://b.example.com"]),
        origins(&["https://c.example.com"]),
    ];
    let mut requests = Vec::new();
    for list in lists.iter().cycle().take(8) {
        let (db, id, list) = (db.clone(), mine.id.clone(), list.clone());
        requests.push(tokio::spawn(async move {
            db.set_workspace_origins(&id, &list).await
        }));
    }
    for request in requests {
        assert_eq!(request.await.unwrap(), Ok(true));
    }
    let left = db.workspace_origins(&mine.id).await.unwrap();
    assert!(lists.contains(&left), "{left:?}");
}
