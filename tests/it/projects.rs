//! Projects: named sets of files, by file key.

use crate::api_support::TestApp;
use crate::support::storage::ConnectedStorage;

#[tokio::test]
async fn connected_storage_lists() {
    let app = TestApp::spawn_on_emulator().await;
    let workspace = app.workspace().await;
    let storage = ConnectedStorage::connect(&app, &workspace, "team").await;
    storage.put("/a.png", "a").await;
    let listed = app.get(&storage.path("/files"), &workspace.member).await;
    assert_eq!(listed.expect(200)["files"][0]["key"], "/a.png");
}
