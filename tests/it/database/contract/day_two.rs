use crate::application::kept::store::{
    CheckStore, CheckTarget, Completion, Expired, IMPORT, JobStore, ProductKeyStore,
    RetentionStore, RoleWaitStore, SetupStore, SignInStore, StoreError, TryPace, UsageStore,
    WorkspaceStore,
};
use crate::database::Database;
use crate::domain::check::StepStatus;
use crate::domain::connection::role_arn::RoleArn;
use crate::domain::ids::{
    InstructionLinkId, KeyId, SessionId, SetupId, SignInLinkId, TokenId, WorkspaceId,
};
use crate::domain::people::audit::Actor;
use crate::domain::people::product_key::ProductKey;
use crate::domain::people::reach::Bounds;
use crate::domain::people::scope::{Scope, Scopes};
use crate::domain::people::sign_in::{
    Arrival, InstructionLink, LinkMaker, Session, SignInLink, WayBack,
};
use crate::domain::people::standing::{
    NewState, Standing, StandingChange, Suspension, SuspensionReason, WorkspaceLimits,
};
use crate::domain::people::usage::{DayUsage, UsageDay, Used};
use crate::domain::people::workspace::{ApiToken, Role, Workspace};
use crate::domain::setup::Draft;
use crate::it::database::contract::imports::import;
use crate::it::database::contract::samples::*;
use crate::it::support::database::{TestDb, on_both_engines};
use time::{Duration, OffsetDateTime};

on_both_engines!(
    what_a_token_has_made_ends_with_it,
    what_a_key_has_made_ends_with_it_in_every_workspace,
    nothing_is_made_with_a_secret_that_is_gone,
    every_session_of_a_workspace_ends,
    a_workspace_is_suspended_limited_and_active_again,
    the_work_of_a_suspended_workspace_rests,
    a_workspace_has_as_many_storages_as_it_may,
    uses_of_a_day_add_up,
    uses_of_tokens_and_keys_are_noted,
);

async fn token(db: &Database, workspace: &WorkspaceId, hash: u8) -> ApiToken {
    let token = ApiToken {
        id: TokenId::generate(),
        workspace: workspace.clone(),
        name: name("ci"),
        role: Role::Admin,
        bounds: Bounds::default(),
        created_at: now(),
        expires_at: None,
        last_used_at: None,
    };
    db.create_token(&token, &[hash; 32], None).await.unwrap();
    token
}

async fn key(db: &Database, hash: u8) -> ProductKey {
    let key = ProductKey {
        id: KeyId::generate(),
        name: name("web tier"),
        scopes: Scopes::new([Scope::LinksCreate]).unwrap(),
        created_at: now(),
        expires_at: None,
        last_used_at: None,
    };
    db.create_product_key(&key, &[hash; 32], None)
        .await
        .unwrap();
    key
}

fn new_link(workspace: &WorkspaceId, made_by: Option<LinkMaker>) -> SignInLink {
    SignInLink {
        id: SignInLinkId::generate(),
        workspace: workspace.clone(),
        role: Role::Admin,
        arrival: Arrival::Settings,
        way_back: WayBack::default(),
        subject: None,
        made_by,
        created_at: now(),
        expires_at: now() + Duration::hours(1),
    }
}

/// A link that was not used, with this byte in its hash.
async fn link(db: &Database, workspace: &WorkspaceId, made_by: &LinkMaker, hash: u8) -> SignInLink {
    let link = new_link(workspace, Some(made_by.clone()));
    db.create_sign_in_link(&link, &[hash; 32], None)
        .await
        .unwrap();
    link
}

fn session_of(link: &SignInLink) -> Session {
    Session {
        id: SessionId::generate(),
        workspace: link.workspace.clone(),
        role: link.role,
        way_back: link.way_back.clone(),
        subject: None,
        link: Some(link.id.clone()),
        made_by: link.made_by.clone(),
        created_at: now(),
        seen_at: now(),
        expires_at: now() + Duration::hours(1),
    }
}

/// A session of such a link, with the same byte in its hash.
async fn session(db: &Database, workspace: &WorkspaceId, made_by: &LinkMaker, hash: u8) -> Session {
    let link = link(db, workspace, made_by, hash).await;
    let session = session_of(&link);
    let begun = db
        .begin_session(&[hash; 32], &session, &[hash; 32])
        .await
        .unwrap();
    assert!(begun);
    session
}

async fn administrator_link(
    db: &Database,
    workspace: &WorkspaceId,
    made_by: Actor,
    hash: u8,
) -> Result<SetupId, StoreError> {
    let setup = setup(db, workspace, Draft::default()).await;
    let link = InstructionLink {
        id: InstructionLinkId::generate(),
        workspace: workspace.clone(),
        setup: setup.id.clone(),
        made_by: Some(made_by),
        created_at: now(),
        last_used_at: None,
        expires_at: now() + Duration::hours(1),
    };
    db.put_instruction_link(&link, &[hash; 32], None).await?;
    Ok(setup.id)
}

async fn what_a_token_has_made_ends_with_it(db: TestDb) {
    let db = db.database;
    let mine = workspace(&db).await.id;
    let (leaked, other) = (token(&db, &mine, 1).await, token(&db, &mine, 2).await);
    let by = |token: &ApiToken| LinkMaker::Token(token.id.clone());
    let unused = link(&db, &mine, &by(&leaked), 3).await;
    let begun = session(&db, &mine, &by(&leaked), 4).await;
    let kept_link = link(&db, &mine, &by(&other), 5).await;
    let kept = session(&db, &mine, &by(&other), 6).await;
    for (maker, hash) in [
        (Actor::Token(leaked.id.clone()), 7),
        // By way of the session that came of its link.
        (Actor::Session(begun.id.clone()), 8),
        (Actor::Token(other.id.clone()), 9),
    ] {
        administrator_link(&db, &mine, maker, hash).await.unwrap();
    }
    assert_eq!(
        db.sign_in_link_by_hash(&[3; 32]).await,
        Ok(Some(unused.clone()))
    );
    assert_eq!(db.session_by_hash(&[4; 32]).await, Ok(Some(begun)));

    assert_eq!(db.revoke_token(&mine, &leaked.id).await, Ok(true));
    assert_eq!(db.sign_in_link_by_hash(&[3; 32]).await, Ok(None));
    assert_eq!(db.session_by_hash(&[4; 32]).await, Ok(None));
    for hash in [7, 8] {
        let link = db.instruction_link_by_hash(&[hash; 32]).await;
        assert_eq!(link, Ok(None), "{hash}");
    }
    // A link that was read before is of no use any more.
    let late = db
        .begin_session(&[3; 32], &session_of(&unused), &[10; 32])
        .await;
    assert_eq!(late, Ok(false));
    let found = db.sign_in_link_by_hash(&[5; 32]).await;
    assert_eq!(found, Ok(Some(kept_link)));
    assert_eq!(db.list_sessions(&mine, &all()).await, Ok(vec![kept]));
    let link = db.instruction_link_by_hash(&[9; 32]).await;
    assert!(link.unwrap().is_some());
}

async fn what_a_key_has_made_ends_with_it_in_every_workspace(db: TestDb) {
    let db = db.database;
    let (mine, other) = (workspace(&db).await.id, workspace(&db).await.id);
    let (leaked, kept) = (key(&db, 1).await, key(&db, 2).await);
    let by = |key: &ProductKey| LinkMaker::Key(key.id.clone());
    link(&db, &mine, &by(&leaked), 3).await;
    session(&db, &other, &by(&leaked), 4).await;
    let actor = Actor::Key(leaked.id.clone());
    administrator_link(&db, &other, actor, 5).await.unwrap();
    let stays = session(&db, &other, &by(&kept), 6).await;

    assert_eq!(db.delete_product_key(&leaked.id).await, Ok(true));
    assert_eq!(db.sign_in_link_by_hash(&[3; 32]).await, Ok(None));
    assert_eq!(db.list_sessions(&mine, &all()).await, Ok(vec![]));
    assert_eq!(db.list_sessions(&other, &all()).await, Ok(vec![stays]));
    assert_eq!(db.instruction_link_by_hash(&[5; 32]).await, Ok(None));
}

async fn nothing_is_made_with_a_secret_that_is_gone(db: TestDb) {
    let db = db.database;
    let mine = workspace(&db).await.id;
    for maker in [
        LinkMaker::Token(TokenId::generate()),
        LinkMaker::Key(KeyId::generate()),
    ] {
        let link = new_link(&mine, Some(maker));
        let made = db.create_sign_in_link(&link, &[1; 32], None).await;
        assert!(matches!(made, Err(StoreError::Conflict(_))), "{made:?}");
    }
    for maker in [
        Actor::Token(TokenId::generate()),
        Actor::Session(SessionId::generate()),
    ] {
        let made = administrator_link(&db, &mine, maker, 2).await;
        assert!(matches!(made, Err(StoreError::Conflict(_))), "{made:?}");
    }
    // The operator's token has no row.
    let link = new_link(&mine, None);
    db.create_sign_in_link(&link, &[1; 32], None).await.unwrap();
    assert!(
        administrator_link(&db, &mine, Actor::Operator, 2)
            .await
            .is_ok()
    );
}

async fn every_session_of_a_workspace_ends(db: TestDb) {
    let db = db.database;
    let (mine, other) = (workspace(&db).await.id, workspace(&db).await.id);
    let maker = LinkMaker::Key(key(&db, 1).await.id);
    link(&db, &mine, &maker, 2).await;
    session(&db, &mine, &maker, 3).await;
    session(&db, &mine, &maker, 4).await;
    let kept_link = link(&db, &other, &maker, 5).await;
    let kept = session(&db, &other, &maker, 6).await;
    db.end_sessions(&mine).await.unwrap();
    assert_eq!(db.sign_in_link_by_hash(&[2; 32]).await, Ok(None));
    assert_eq!(db.list_sessions(&mine, &all()).await, Ok(vec![]));
    let found = db.sign_in_link_by_hash(&[5; 32]).await;
    assert_eq!(found, Ok(Some(kept_link)));
    assert_eq!(db.list_sessions(&other, &all()).await, Ok(vec![kept]));
}

fn suspension(since: OffsetDateTime, reason: Option<&str>) -> Suspension {
    Suspension {
        since,
        reason: reason.map(|reason| SuspensionReason::parse(reason).unwrap()),
    }
}

fn suspended(since: OffsetDateTime, reason: Option<&str>) -> StandingChange {
    StandingChange {
        state: Some(NewState::Suspend(suspension(since, reason))),
        ..StandingChange::default()
    }
}

async fn change(db: &Database, workspace: &Workspace, change: &StandingChange) -> Standing {
    assert_eq!(db.change_workspace(workspace, change).await, Ok(true));
    let found = db.workspace(&workspace.id).await.unwrap().unwrap();
    found.standing
}

async fn a_workspace_is_suspended_limited_and_active_again(db: TestDb) {
    let db = db.database;
    let (mine, other) = (workspace(&db).await, workspace(&db).await);
    let token = token(&db, &mine.id, 1).await;
    let begun = now();
    let reason = Some("leaked token ✓");
    let standing = change(&db, &mine, &suspended(begun, reason)).await;
    let expected = suspension(begun, reason);
    assert_eq!(standing.suspension, Some(expected.clone()));
    // Again: it is suspended since the first time, and keeps its reason unless there is another one.
    let later = begun + Duration::hours(1);
    let standing = change(&db, &mine, &suspended(later, None)).await;
    assert_eq!(standing.suspension, Some(expected));
    let standing = change(&db, &mine, &suspended(later, Some("other"))).await;
    assert_eq!(standing.suspension, Some(suspension(begun, Some("other"))));

    let limits = StandingChange {
        storages: Some(Some(0)),
        requests_per_minute: Some(Some(60)),
        transfers: Some(Some(1_000_000)),
        ..StandingChange::default()
    };
    let standing = change(&db, &mine, &limits).await;
    let all_three = WorkspaceLimits {
        storages: Some(0),
        requests_per_minute: Some(60),
        transfers: Some(1_000_000),
    };
    assert_eq!(standing.limits, all_three);
    assert!(standing.suspension.is_some(), "that stays");
    // Whoever finds the token learns it in the same statement.
    let held = db.token_by_hash(&[1; 32]).await.unwrap().unwrap();
    assert_eq!((held.token, held.standing.clone()), (token, standing));
    let several = db.tokens_by_hashes(&[[1; 32]]).await.unwrap();
    assert_eq!(several[&[1; 32]].standing, held.standing);

    let back = StandingChange {
        state: Some(NewState::Activate),
        requests_per_minute: Some(None),
        ..StandingChange::default()
    };
    let standing = change(&db, &mine, &back).await;
    assert_eq!(standing.suspension, None);
    let left = WorkspaceLimits {
        requests_per_minute: None,
        ..all_three
    };
    assert_eq!(standing.limits, left);
    assert_eq!(
        db.workspace(&other.id).await.unwrap().unwrap().standing,
        Standing::default()
    );
    assert_eq!(
        db.change_workspace(&new_workspace(), &back).await,
        Ok(false)
    );
}

async fn the_work_of_a_suspended_workspace_rests(db: TestDb) {
    let db = db.database;
    let mine = workspace(&db).await;
    import(&db, &mine.id).await;
    let waiting = setup(&db, &mine.id, role_draft()).await;
    let role = RoleArn::parse("arn:aws:iam::123456789012:role/acme").unwrap();
    let at = now() + Duration::seconds(9);
    db.wait_for_role(&mine.id, &waiting.id, &role, at, at)
        .await
        .unwrap();
    let until = at + Duration::hours(1);
    let claim = async || {
        db.claim_job(&any_job(IMPORT, "w", at, until))
            .await
            .unwrap()
    };
    let pace = TryPace {
        apart: Duration::seconds(1),
        most: 20,
        lease: Duration::seconds(60),
    };
    let under_way = claim().await.unwrap();
    assert_eq!(db.renew_job(&under_way, until).await, Ok(true));

    change(&db, &mine, &suspended(at, None)).await;
    assert_eq!(db.renew_job(&under_way, until).await, Ok(false));
    db.release_job(&under_way).await.unwrap();
    assert_eq!(claim().await, None);
    assert_eq!(db.count_due(IMPORT, false, at).await, Ok(0));
    assert_eq!(db.longest_due(IMPORT, false, at).await, Ok(None));
    assert_eq!(db.begin_role_tries(at, pace).await.unwrap(), []);

    let back = StandingChange {
        state: Some(NewState::Activate),
        ..StandingChange::default()
    };
    change(&db, &mine, &back).await;
    assert_eq!(db.count_due(IMPORT, false, at).await, Ok(1));
    let again = claim().await.unwrap();
    assert_eq!(again.subject, under_way.subject);
    let tries = db.begin_role_tries(at, pace).await.unwrap();
    assert_eq!(tries.len(), 1);
}

async fn a_workspace_has_as_many_storages_as_it_may(db: TestDb) {
    let db = db.database;
    let (mine, other) = (workspace(&db).await, workspace(&db).await);
    storage(&db, &mine.id).await;
    let most = |storages| StandingChange {
        storages: Some(storages),
        ..StandingChange::default()
    };
    change(&db, &mine, &most(Some(1))).await;
    let refused = setup(&db, &mine.id, role_draft()).await;
    let report = report(refused.id.as_str(), refused.revision, StepStatus::Passed);
    let target = CheckTarget::Setup(refused.id.clone());
    db.record_check(&mine.id, &target, &report).await.unwrap();
    let made = storage_of(&refused);
    let complete = async || {
        let (workspace, id) = (&refused.workspace, &refused.id);
        db.complete_setup(workspace, id, refused.revision, &report.id, &made, None)
            .await
    };
    assert_eq!(complete().await, Ok(Completion::TooMany(1)));
    // It is as it was, and another workspace adds its own.
    storage(&db, &other.id).await;
    change(&db, &mine, &most(Some(2))).await;
    assert_eq!(complete().await, Ok(Completion::Completed));
    // Those that are there stay.
    change(&db, &mine, &most(Some(0))).await;
    assert_eq!(reload(&db, &made).await.id, made.id);
}

fn used(requests: u64) -> Used {
    Used {
        requests,
        bytes_in: 2,
        bytes_out: 1 << 50,
        urls_signed: 4,
        checks: 5,
    }
}

async fn uses_of_a_day_add_up(db: TestDb) {
    let db = db.database;
    let (mine, other) = (workspace(&db).await.id, workspace(&db).await.id);
    let today = UsageDay::of(now());
    let yesterday = today.back(1);
    let on = |day, requests| DayUsage {
        day,
        used: used(requests),
    };
    let gone = WorkspaceId::generate();
    db.add_usage(&[]).await.unwrap();
    for _ in 0..2 {
        db.add_usage(&[
            (mine.clone(), on(today, 7)),
            (gone.clone(), on(today, 1)),
            (mine.clone(), on(yesterday, 1)),
            (other.clone(), on(today, 3)),
        ])
        .await
        .unwrap();
    }
    let twice = |day, requests| DayUsage {
        day,
        used: Used {
            requests,
            bytes_in: 4,
            bytes_out: 1 << 51,
            urls_signed: 8,
            checks: 10,
        },
    };
    let both = [twice(yesterday, 2), twice(today, 14)];
    assert_eq!(db.usage(&mine, yesterday, today).await.unwrap(), both);
    assert_eq!(db.usage(&mine, today, today).await.unwrap(), both[1..]);
    assert_eq!(db.usage(&gone, yesterday, today).await.unwrap(), []);
    // It goes with its time, and with its workspace.
    let removed = db.remove_expired(Expired::Usage, today.begin(), 10).await;
    assert_eq!(removed, Ok(1));
    assert_eq!(db.usage(&mine, yesterday, today).await.unwrap(), both[1..]);
    assert_eq!(db.delete_workspace(&mine).await, Ok(true));
    assert_eq!(db.usage(&mine, yesterday, today).await.unwrap(), []);
    assert_eq!(db.usage(&other, today, today).await.unwrap().len(), 1);
}

async fn uses_of_tokens_and_keys_are_noted(db: TestDb) {
    let db = db.database;
    let mine = workspace(&db).await.id;
    let (token, key) = (token(&db, &mine, 1).await, key(&db, 2).await);
    let at = now();
    let gone = TokenId::generate();
    let tokens = [token.id.clone(), gone];
    let note = async |at| {
        let keys = [key.id.clone()];
        db.note_uses(&tokens, &keys, at).await.unwrap();
        let tokens = db.list_tokens(&mine, &all()).await.unwrap();
        let key = db.product_key(&key.id).await.unwrap().unwrap();
        assert_eq!(tokens[0].last_used_at, key.last_used_at);
        key.last_used_at
    };
    assert_eq!(note(at).await, Some(at));
    assert_eq!(note(at - Duration::hours(1)).await, Some(at));
    let later = at + Duration::hours(1);
    assert_eq!(note(later).await, Some(later));
    db.note_uses(&[], &[], later).await.unwrap();
}
