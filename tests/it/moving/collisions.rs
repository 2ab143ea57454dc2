//! What another workspace has stays its own.

use crate::it::keys::{key, with};
use crate::it::moving::kit::{delete, exported, import, is_there};
use crate::it::support::app::{OPERATOR, TestApp};
use crate::it::support::database::{TestDb, on_both_engines};
use serde_json::{Value, json};

on_both_engines!(
    the_product_s_id_of_another_workspace_is_not_taken,
    an_external_id_in_use_is_not_taken,
    an_id_in_use_is_not_taken,
    what_was_erased_does_not_come_back,
);

/// A workspace with a setup that was exported and deleted, and another one.
async fn scene(db: &TestDb) -> (TestApp, String, Value, String, String) {
    let app = TestApp::spawn_with(with(db, &key(), "")).await;
    let (gone, other) = (app.workspace().await, app.workspace().await);
    let path = format!("/v1/workspaces/{}", gone.id);
    let named = json!({"external_id": "tenant-1"});
    app.patch(&path, OPERATOR, &named).await.expect(200);
    let dialog = json!({});
    let setup = app.post("/v1/storage-setups", &gone.admin, &dialog);
    let setup = setup.await.expect(201);
    let file = exported(&app, &gone.id, "").await;
    (app, gone.id, setup, other.id, file)
}

async fn the_product_s_id_of_another_workspace_is_not_taken(db: TestDb) {
    let (app, gone, _, other, file) = scene(&db).await;
    delete(&app, &gone).await;
    let path = format!("/v1/workspaces/{other}");
    let named = json!({"external_id": "tenant-1"});
    app.patch(&path, OPERATOR, &named).await.expect(200);
    import(&app, file.clone(), "")
        .await
        .problem(409, "external_id_taken");
    assert!(!is_there(&app, &gone).await);
    let unnamed = json!({"external_id": null});
    app.patch(&path, OPERATOR, &unnamed).await.expect(200);
    import(&app, file, "").await.expect(201);
}

async fn an_external_id_in_use_is_not_taken(db: TestDb) {
    let (app, gone, setup, other, file) = scene(&db).await;
    // As in a database that was put together by hand: the same external ID, in another setup.
    let id = setup["id"].as_str().unwrap();
    let moved = id.replacen("set_0", "set_f", 1);
    assert_ne!(id, moved);
    db.tamper(&format!(
        "UPDATE setups SET workspace_id = '{other}', id = '{moved}' WHERE id = '{id}'"
    ))
    .await
    .unwrap();
    delete(&app, &gone).await;
    import(&app, file.clone(), "")
        .await
        .problem(409, "import_external_id_in_use");
    assert!(!is_there(&app, &gone).await);
    delete(&app, &other).await;
    import(&app, file, "").await.expect(201);
    let back = db.texts("SELECT external_id FROM setups", "external_id");
    assert_eq!(back.await, [setup["external_id"].as_str().unwrap()]);
}

async fn an_id_in_use_is_not_taken(db: TestDb) {
    let (app, gone, _, other, file) = scene(&db).await;
    db.tamper(&format!(
        "UPDATE api_tokens SET workspace_id = '{other}' WHERE workspace_id = '{gone}'"
    ))
    .await
    .unwrap();
    delete(&app, &gone).await;
    import(&app, file, "").await.problem(409, "import_conflict");
    assert!(!is_there(&app, &gone).await);
    let setups = db.texts("SELECT id FROM setups", "id").await;
    assert!(setups.is_empty(), "{setups:?}");
}

async fn what_was_erased_does_not_come_back(db: TestDb) {
    let (app, gone, _, _, file) = scene(&db).await;
    let path = format!("/v1/workspaces/{gone}?erase=true");
    app.delete(&path, OPERATOR).await.expect(200);
    import(&app, file, "")
        .await
        .problem(409, "workspace_erased");
    assert!(!is_there(&app, &gone).await);
}
