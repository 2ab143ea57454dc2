use crate::application::kept::store::{
    AuditFilter, AuditStore, HeldToken, ProductKeyStore, ProjectStore, SetupStore, StorageStore,
    StoreError, WorkspaceStore,
};
use crate::domain::files::file_key::Folder;
use crate::domain::ids::{AuditId, KeyId, StorageId, StorageRef, TokenId, WorkspaceId};
use crate::domain::people::audit::{Actor, AuditEntry, AuditResult};
use crate::domain::people::product_key::ProductKey;
use crate::domain::people::reach::Bounds;
use crate::domain::people::scope::{Scope, Scopes};
use crate::domain::people::standing::Standing;
use crate::domain::people::workspace::{ApiToken, Role, Workspace};
use crate::it::database::contract::samples::*;
use crate::it::support::database::{TestDb, on_both_engines};
use std::collections::HashMap;

on_both_engines!(
    workspaces_come_back_in_order,
    deleting_a_workspace_takes_all_but_audit_and_external_ids,
    the_default_storage_belongs_to_the_workspace,
    tokens_are_found_by_hash_and_revoked_at_once,
    a_token_needs_a_workspace_and_a_hash_of_its_own,
    a_narrowed_token_keeps_its_bounds,
    a_product_key_is_found_by_its_hash_until_it_is_deleted,
);

async fn workspaces_come_back_in_order(db: TestDb) {
    let db = db.database;
    let mut made = Vec::new();
    for _ in 0..5 {
        made.push(workspace(&db).await);
    }
    made.sort_by(|a, b| a.id.cmp(&b.id));
    assert_eq!(db.workspace(&made[2].id).await, Ok(Some(made[2].clone())));
    assert_eq!(db.workspace(&WorkspaceId::generate()).await, Ok(None));
    assert_eq!(db.list_workspaces(&all()).await, Ok(made.clone()));
    let first = db.list_workspaces(&page(None, 2)).await.unwrap();
    assert_eq!(first, made[..2]);
    let rest = page(Some(first[1].id.as_str()), 1000);
    assert_eq!(db.list_workspaces(&rest).await.unwrap(), made[2..]);
    assert!(matches!(
        db.create_workspace(&made[0], None).await,
        Err(StoreError::Conflict(_))
    ));
}

async fn deleting_a_workspace_takes_all_but_audit_and_external_ids(db: TestDb) {
    let (tester, db) = (db.clone(), db.database);
    let (gone, kept) = (workspace(&db).await, workspace(&db).await);
    let storage = storage(&db, &gone.id).await;
    let open = setup(&db, &gone.id, role_draft()).await;
    let project = project(&db, &gone.id, Some(&storage.id)).await;
    assert_eq!(
        db.set_default_storage(&gone.id, &StorageRef::Own(storage.id.clone()))
            .await,
        Ok(true)
    );
    let token = token(&gone.id);
    db.create_token(&token, &[1; 32], None).await.unwrap();
    let entry = AuditEntry {
        id: AuditId::generate(),
        at: now(),
        workspace: Some(gone.id.clone()),
        actor: Actor::Operator,
        actor_name: None,
        on_behalf_of: None,
        action: "workspace.create".into(),
        target: None,
        result: AuditResult::Done,
        code: None,
        remote_addr: None,
        request_id: None,
        files: Vec::new(),
        file_count: 0,
        signed: None,
        state: None,
    };
    db.append_audit(&entry, None).await.unwrap();
    let neighbour = crate::it::database::contract::samples::storage(&db, &kept.id).await;

    assert_eq!(db.delete_workspace(&gone.id).await, Ok(true));
    assert_eq!(db.delete_workspace(&gone.id).await, Ok(false));
    assert_eq!(db.workspace(&gone.id).await, Ok(None));
    assert_eq!(db.storage(&gone.id, &storage.id).await, Ok(None));
    assert_eq!(db.setup(&gone.id, &open.id).await, Ok(None));
    assert_eq!(db.project(&gone.id, &project.id).await, Ok(None));
    assert_eq!(db.token_by_hash(&[1; 32]).await, Ok(None));
    for table in ["project_files", "api_tokens", "default_storages"] {
        let sql = format!("SELECT 'left' AS left_over FROM {table}");
        assert!(tester.texts(&sql, "left_over").await.is_empty(), "{table}");
    }
    let filter = AuditFilter {
        workspace: Some(gone.id.clone()),
        key: None,
        ..AuditFilter::default()
    };
    assert_eq!(db.list_audit(&filter, &all()).await, Ok(vec![entry]));
    assert_eq!(reload(&db, &neighbour).await.id, neighbour.id);

    // An external ID of the deleted workspace is never used again.
    let mut again = new_setup(&kept.id);
    again.external_id = open.external_id;
    assert!(matches!(
        db.create_setup(&again, None).await,
        Err(StoreError::Conflict(_))
    ));
    assert_eq!(db.setup(&kept.id, &again.id).await, Ok(None));
}

async fn the_default_storage_belongs_to_the_workspace(db: TestDb) {
    let db = db.database;
    let (mine, other) = (workspace(&db).await, workspace(&db).await);
    let storage = storage(&db, &mine.id).await;
    let default = |workspace: Workspace| {
        let db = db.clone();
        async move {
            let found = db.workspace(&workspace.id).await.unwrap().unwrap();
            found.default_storage
        }
    };
    assert_eq!(
        db.set_default_storage(&other.id, &StorageRef::Own(storage.id.clone()))
            .await,
        Ok(false)
    );
    assert_eq!(
        db.set_default_storage(&mine.id, &StorageRef::Own(StorageId::generate()))
            .await,
        Ok(false)
    );
    assert_eq!(
        db.set_default_storage(&WorkspaceId::generate(), &StorageRef::BuiltIn)
            .await,
        Ok(false)
    );
    assert_eq!(default(mine.clone()).await, StorageRef::BuiltIn);
    for _ in 0..2 {
        assert_eq!(
            db.set_default_storage(&mine.id, &StorageRef::Own(storage.id.clone()))
                .await,
            Ok(true)
        );
    }
    assert_eq!(
        default(mine.clone()).await,
        StorageRef::Own(storage.id.clone())
    );
    assert_eq!(default(other.clone()).await, StorageRef::BuiltIn);
    assert_eq!(
        db.list_workspaces(&page(None, 1)).await.unwrap()[0].default_storage,
        StorageRef::Own(storage.id)
    );
    assert_eq!(
        db.set_default_storage(&mine.id, &StorageRef::BuiltIn).await,
        Ok(true)
    );
    assert_eq!(default(mine).await, StorageRef::BuiltIn);
}

fn token(workspace: &WorkspaceId) -> ApiToken {
    ApiToken {
        id: TokenId::generate(),
        workspace: workspace.clone(),
        name: name("ci"),
        role: Role::Member,
        bounds: Bounds::default(),
        created_at: now(),
        expires_at: Some(now()),
        last_used_at: None,
    }
}

/// The token as it is found, of an active workspace without limits.
fn held(token: &ApiToken) -> HeldToken {
    HeldToken {
        token: token.clone(),
        standing: Standing::default(),
    }
}

async fn tokens_are_found_by_hash_and_revoked_at_once(db: TestDb) {
    let db = db.database;
    let (mine, other) = (workspace(&db).await, workspace(&db).await);
    let (first, mut second) = (token(&mine.id), token(&mine.id));
    second.expires_at = None;
    second.role = Role::Admin;
    db.create_token(&first, &[1; 32], None).await.unwrap();
    db.create_token(&second, &[2; 32], None).await.unwrap();
    assert_eq!(db.token_by_hash(&[1; 32]).await, Ok(Some(held(&first))));
    assert_eq!(db.token_by_hash(&[3; 32]).await, Ok(None));
    let several = db.tokens_by_hashes(&[[3; 32], [1; 32], [1; 32]]).await;
    assert_eq!(several, Ok(HashMap::from([([1; 32], held(&first))])));
    assert_eq!(
        db.list_tokens(&mine.id, &all()).await,
        Ok(vec![first.clone(), second.clone()])
    );
    assert_eq!(
        db.list_tokens(&mine.id, &page(Some(first.id.as_str()), 9))
            .await,
        Ok(vec![second])
    );
    assert_eq!(db.list_tokens(&other.id, &all()).await, Ok(vec![]));
    assert_eq!(db.revoke_token(&other.id, &first.id).await, Ok(false));
    assert_eq!(db.revoke_token(&mine.id, &first.id).await, Ok(true));
    assert_eq!(db.revoke_token(&mine.id, &first.id).await, Ok(false));
    assert_eq!(db.token_by_hash(&[1; 32]).await, Ok(None));
}

async fn a_token_needs_a_workspace_and_a_hash_of_its_own(db: TestDb) {
    let db = db.database;
    let mine = workspace(&db).await;
    db.create_token(&token(&mine.id), &[1; 32], None)
        .await
        .unwrap();
    for (workspace, hash) in [(mine.id, [1; 32]), (WorkspaceId::generate(), [2; 32])] {
        let made = db.create_token(&token(&workspace), &hash, None).await;
        assert!(matches!(made, Err(StoreError::Conflict(_))), "{made:?}");
    }
}

async fn a_narrowed_token_keeps_its_bounds(db: TestDb) {
    let db = db.database;
    let mine = workspace(&db).await;
    let folders = |paths: &[&str]| Some(paths.iter().map(|p| Folder::parse(p).unwrap()).collect());
    let narrowed = ApiToken {
        bounds: Bounds {
            storages: Some(vec![
                StorageRef::BuiltIn,
                StorageRef::Own(StorageId::generate()),
            ]),
            folders: folders(&["/", "/ä b/"]),
            write_folders: folders(&["/export/"]),
        },
        ..token(&mine.id)
    };
    let nowhere = ApiToken {
        bounds: Bounds {
            folders: Some(Vec::new()),
            ..Bounds::default()
        },
        ..token(&mine.id)
    };
    db.create_token(&narrowed, &[1; 32], None).await.unwrap();
    db.create_token(&nowhere, &[2; 32], None).await.unwrap();
    assert_eq!(db.token_by_hash(&[1; 32]).await, Ok(Some(held(&narrowed))));
    let both = db.tokens_by_hashes(&[[1; 32], [2; 32], [3; 32]]).await;
    let expected = [([1; 32], held(&narrowed)), ([2; 32], held(&nowhere))];
    assert_eq!(both, Ok(HashMap::from(expected)));
    let listed = db.list_tokens(&mine.id, &all()).await;
    assert_eq!(listed, Ok(vec![narrowed, nowhere]));
}

async fn a_product_key_is_found_by_its_hash_until_it_is_deleted(db: TestDb) {
    let db = db.database;
    let key = |scopes: &[Scope]| ProductKey {
        id: KeyId::generate(),
        name: name("web tier"),
        scopes: Scopes::new(scopes.iter().copied()).unwrap(),
        created_at: now(),
        expires_at: Some(now()),
        last_used_at: None,
    };
    let first = key(&Scope::ALL);
    let second = ProductKey {
        expires_at: None,
        ..key(&[Scope::FilesRead])
    };
    db.create_product_key(&first, &[1; 32], None).await.unwrap();
    db.create_product_key(&second, &[2; 32], None)
        .await
        .unwrap();
    let other = key(&[Scope::FilesRead]);
    let taken = db.create_product_key(&other, &[1; 32], None).await;
    assert!(matches!(taken, Err(StoreError::Conflict(_))));
    assert_eq!(db.product_key(&first.id).await, Ok(Some(first.clone())));
    assert_eq!(
        db.product_key_by_hash(&[2; 32]).await,
        Ok(Some(second.clone()))
    );
    let several = db.product_keys_by_hashes(&[[3; 32], [1; 32]]).await;
    assert_eq!(several, Ok(HashMap::from([([1; 32], first.clone())])));
    let listed = db.list_product_keys(&all()).await;
    assert_eq!(listed, Ok(vec![first.clone(), second.clone()]));
    let after_first = page(Some(first.id.as_str()), 9);
    let rest = db.list_product_keys(&after_first).await;
    assert_eq!(rest, Ok(vec![second]));
    assert_eq!(db.delete_product_key(&first.id).await, Ok(true));
    assert_eq!(db.delete_product_key(&first.id).await, Ok(false));
    assert_eq!(db.product_key_by_hash(&[1; 32]).await, Ok(None));
}
