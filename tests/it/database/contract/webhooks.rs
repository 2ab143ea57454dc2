//! Webhooks and their deliveries: who gets what, and that a worker's death loses nothing.

use crate::application::kept::store::{
    ClaimedDelivery, DeliveryClaim, SecretRotation, SettledAttempt, SetupStore, WebhookStore,
    WorkspaceStore,
};
use crate::database::Database;
use crate::domain::event::EventType;
use crate::domain::ids::{WebhookId, WorkspaceId};
use crate::domain::setup::Draft;
use crate::domain::webhook::{AttemptError, DeliveryStatus, LastAttempt, Webhook, WebhookUrl};
use crate::it::database::contract::samples::*;
use crate::it::support::database::{TestDb, on_both_engines};
use time::{Duration, OffsetDateTime};

on_both_engines!(
    webhooks_belong_to_their_owner,
    a_secret_that_is_rotated_becomes_the_previous_one,
    an_event_is_delivered_to_those_who_take_it,
    what_a_dead_worker_left_is_taken_after_its_lease,
    a_failed_delivery_comes_again_and_is_given_up,
    a_webhook_has_its_share_in_work_and_no_more,
    slow_webhooks_are_taken_apart,
);

fn webhook(workspace: Option<&WorkspaceId>) -> Webhook {
    Webhook {
        id: WebhookId::generate(),
        workspace: workspace.cloned(),
        url: WebhookUrl::parse("https://app.example.com/hooks").unwrap(),
        types: Vec::new(),
        description: Some(name("Produktion")),
        is_enabled: true,
        is_gone: false,
        failing_since: None,
        secret: vec![0, 255, 1],
        previous: None,
        created_at: now(),
    }
}

async fn make(db: &Database, webhook: &Webhook) {
    assert_eq!(db.create_webhook(webhook, 10, None).await, Ok(true));
}

/// Closes a setup of the workspace, which is one event.
async fn event(db: &Database, workspace: &WorkspaceId) {
    let made = setup(db, workspace, Draft::default()).await;
    assert_eq!(db.close_setup(workspace, &made.id).await, Ok(true));
}

/// A time at which everything that was written by now is due.
fn soon() -> OffsetDateTime {
    now() + Duration::seconds(1)
}

async fn claim_as(
    db: &Database,
    worker: &str,
    slow: bool,
    at: OffsetDateTime,
) -> Option<ClaimedDelivery> {
    let claim = DeliveryClaim {
        slow,
        most_of_webhook: 2,
        worker,
        now: at,
        lease_until: at + Duration::seconds(30),
    };
    db.claim_delivery(&claim).await.unwrap()
}

async fn claim(db: &Database, at: OffsetDateTime) -> Option<ClaimedDelivery> {
    claim_as(db, "w", false, at).await
}

fn settled(status: DeliveryStatus, at: OffsetDateTime) -> SettledAttempt {
    let is_success = status == DeliveryStatus::Succeeded;
    SettledAttempt {
        status,
        answered: Some(if is_success { 204 } else { 500 }),
        error: None,
        at,
        due: at + Duration::minutes(1),
        is_slow: false,
        is_gone: false,
    }
}

async fn webhooks_belong_to_their_owner(db: TestDb) {
    let db = db.database;
    let (mine, other) = (workspace(&db).await.id, workspace(&db).await.id);
    let (own, global) = (webhook(Some(&mine)), webhook(None));
    make(&db, &own).await;
    make(&db, &global).await;
    for (owner, seen, hidden) in [(Some(&mine), &own, &global), (None, &global, &own)] {
        assert_eq!(db.webhook(owner, &seen.id).await, Ok(Some(seen.clone())));
        assert_eq!(db.webhook(owner, &hidden.id).await, Ok(None));
        assert_eq!(
            db.list_webhooks(owner, &all()).await,
            Ok(vec![seen.clone()])
        );
        assert_eq!(db.delete_webhook(owner, &hidden.id).await, Ok(false));
    }
    assert_eq!(db.list_webhooks(Some(&other), &all()).await, Ok(vec![]));
    let stolen = Webhook {
        workspace: Some(other.clone()),
        ..own.clone()
    };
    assert_eq!(db.change_webhook(&stolen).await, Ok(false));
    let changed = Webhook {
        url: WebhookUrl::parse("https://b.example/").unwrap(),
        types: vec![EventType::StorageBroken, EventType::SetupClosed],
        description: None,
        is_enabled: false,
        ..own.clone()
    };
    assert_eq!(db.change_webhook(&changed).await, Ok(true));
    assert_eq!(db.webhook(Some(&mine), &own.id).await, Ok(Some(changed)));
    // An owner has only so many.
    let one_more = db.create_webhook(&webhook(Some(&mine)), 1, None).await;
    assert_eq!(one_more, Ok(false));
    let of_other = db.create_webhook(&webhook(Some(&other)), 1, None).await;
    assert_eq!(of_other, Ok(true));
    // They go with their workspace.
    assert_eq!(db.delete_workspace(&mine).await, Ok(true));
    assert_eq!(db.webhook(Some(&mine), &own.id).await, Ok(None));
    assert_eq!(db.delete_webhook(None, &global.id).await, Ok(true));
}

async fn a_secret_that_is_rotated_becomes_the_previous_one(db: TestDb) {
    let db = db.database;
    let mine = workspace(&db).await.id;
    let own = webhook(Some(&mine));
    make(&db, &own).await;
    let rotation = SecretRotation {
        secret: vec![7, 7],
        previous_until: now() + Duration::days(1),
    };
    let rotate = async |owner| {
        db.rotate_webhook_secret(owner, &own.id, &rotation, None)
            .await
    };
    assert_eq!(rotate(None).await, Ok(false));
    assert_eq!(rotate(Some(&mine)).await, Ok(true));
    let rotated = db.webhook(Some(&mine), &own.id).await.unwrap().unwrap();
    assert_eq!(rotated.secret, rotation.secret);
    let previous = rotated.previous.unwrap();
    assert_eq!(previous.sealed, own.secret);
    assert_eq!(previous.until, rotation.previous_until);
}

async fn an_event_is_delivered_to_those_who_take_it(db: TestDb) {
    let db = db.database;
    let (mine, other) = (workspace(&db).await.id, workspace(&db).await.id);
    let (own, global, of_other) = (webhook(Some(&mine)), webhook(None), webhook(Some(&other)));
    let of_type = Webhook {
        types: vec![EventType::SetupClosed],
        ..webhook(Some(&mine))
    };
    let of_other_type = Webhook {
        types: vec![EventType::StorageCreated],
        ..webhook(Some(&mine))
    };
    let disabled = Webhook {
        is_enabled: false,
        ..webhook(Some(&mine))
    };
    for made in [
        &own,
        &global,
        &of_other,
        &of_type,
        &of_other_type,
        &disabled,
    ] {
        make(&db, made).await;
    }
    event(&db, &mine).await;
    let mut reached = Vec::new();
    while let Some(claimed) = claim(&db, soon()).await {
        assert_eq!(claimed.event.workspace, mine);
        assert_eq!(
            (claimed.event.kind, claimed.attempts),
            (EventType::SetupClosed, 1)
        );
        let done = settled(DeliveryStatus::Succeeded, now());
        db.settle_delivery(&claimed, &done).await.unwrap();
        reached.push(claimed.webhook.id);
    }
    let mut expected = vec![own.id.clone(), global.id, of_type.id];
    reached.sort();
    expected.sort();
    assert_eq!(reached, expected);
    let deliveries = db.list_deliveries(&own.id, &all()).await.unwrap();
    assert_eq!(deliveries.len(), 1);
    assert_eq!(deliveries[0].status, DeliveryStatus::Succeeded);
    assert_eq!(deliveries[0].next_attempt_at, None);
    assert_eq!(db.count_deliveries().await, Ok(0));
}

/// As when a process is killed between the commit and the delivery, or in the middle of an attempt.
async fn what_a_dead_worker_left_is_taken_after_its_lease(db: TestDb) {
    let mine = workspace(&db.database).await.id;
    let own = webhook(Some(&mine));
    make(&db.database, &own).await;
    event(&db.database, &mine).await;
    // Another process finds what was committed.
    let other = Database::connect(&db.url).await.unwrap();
    let at = soon();
    let held = claim_as(&db.database, "dies", false, at).await.unwrap();
    assert_eq!(db.database.count_deliveries().await, Ok(1));
    assert!(claim_as(&other, "lives", false, at).await.is_none());
    let over = at + Duration::seconds(31);
    let again = claim_as(&other, "lives", false, over).await.unwrap();
    assert_eq!((&again.id, &again.event.id), (&held.id, &held.event.id));
    assert_eq!(again.attempts, 2);
    // What the first one says after its lease counts no more.
    let late = settled(DeliveryStatus::Failed, over);
    db.database.settle_delivery(&held, &late).await.unwrap();
    let list = async || db.database.list_deliveries(&own.id, &all()).await.unwrap();
    assert_eq!(list().await[0].status, DeliveryStatus::Pending);
    let done = settled(DeliveryStatus::Succeeded, over);
    other.settle_delivery(&again, &done).await.unwrap();
    assert_eq!(list().await[0].status, DeliveryStatus::Succeeded);
    other.close().await;
}

async fn a_failed_delivery_comes_again_and_is_given_up(db: TestDb) {
    let db = db.database;
    let mine = workspace(&db).await.id;
    let own = webhook(Some(&mine));
    make(&db, &own).await;
    event(&db, &mine).await;
    let at = soon();
    let first = claim(&db, at).await.unwrap();
    let failed = SettledAttempt {
        answered: None,
        error: Some(AttemptError::Timeout),
        ..settled(DeliveryStatus::Pending, at)
    };
    db.settle_delivery(&first, &failed).await.unwrap();
    assert!(
        claim(&db, failed.due - Duration::seconds(1))
            .await
            .is_none()
    );
    let stored = async || db.webhook(Some(&mine), &own.id).await.unwrap().unwrap();
    assert_eq!(stored().await.failing_since, Some(at));
    let again = claim(&db, failed.due).await.unwrap();
    assert_eq!((&again.event.id, again.attempts), (&first.event.id, 2));
    // The receiver is gone: the webhook is disabled, and nothing more is sent.
    let gone = SettledAttempt {
        answered: Some(410),
        is_gone: true,
        ..settled(DeliveryStatus::Failed, failed.due)
    };
    db.settle_delivery(&again, &gone).await.unwrap();
    let disabled = stored().await;
    assert!(!disabled.is_enabled && disabled.is_gone);
    assert_eq!(disabled.failing_since, Some(at));
    event(&db, &mine).await;
    let listed = db.list_deliveries(&own.id, &all()).await.unwrap();
    assert_eq!(listed.len(), 1);
    let delivery = &listed[0];
    assert_eq!(
        (delivery.status, delivery.attempts),
        (DeliveryStatus::Failed, 2)
    );
    let last = LastAttempt {
        at: failed.due,
        answered: Some(410),
        error: None,
    };
    assert_eq!(delivery.last, Some(last));
    // It is sent again where somebody asks for it, by the owner of the webhook alone.
    let later = failed.due + Duration::minutes(5);
    let other = WebhookId::generate();
    assert_eq!(db.redeliver(&other, &delivery.id, later).await, Ok(false));
    assert_eq!(db.redeliver(&own.id, &delivery.id, later).await, Ok(true));
    assert!(claim(&db, later).await.is_none());
    let enabled = Webhook {
        is_enabled: true,
        is_gone: false,
        ..disabled
    };
    assert_eq!(db.change_webhook(&enabled).await, Ok(true));
    let sent = claim(&db, later).await.unwrap();
    assert_eq!((&sent.event.id, sent.attempts), (&first.event.id, 1));
    let done = settled(DeliveryStatus::Succeeded, later);
    db.settle_delivery(&sent, &done).await.unwrap();
    assert_eq!(stored().await.failing_since, None);
}

async fn a_webhook_has_its_share_in_work_and_no_more(db: TestDb) {
    let db = db.database;
    let (busy, quiet) = (workspace(&db).await.id, workspace(&db).await.id);
    let (of_busy, of_quiet) = (webhook(Some(&busy)), webhook(Some(&quiet)));
    make(&db, &of_busy).await;
    make(&db, &of_quiet).await;
    for _ in 0..5 {
        event(&db, &busy).await;
    }
    event(&db, &quiet).await;
    let at = soon();
    let mut taken = Vec::new();
    while let Some(claimed) = claim(&db, at).await {
        taken.push(claimed.webhook.id);
    }
    // Two of the busy one, and the quiet one does not wait behind the rest.
    assert_eq!(taken, [of_busy.id.clone(), of_busy.id, of_quiet.id]);
}

async fn slow_webhooks_are_taken_apart(db: TestDb) {
    let db = db.database;
    let mine = workspace(&db).await.id;
    let own = webhook(Some(&mine));
    make(&db, &own).await;
    event(&db, &mine).await;
    event(&db, &mine).await;
    let at = soon();
    let first = claim_as(&db, "w", false, at).await.unwrap();
    assert!(claim_as(&db, "w", true, at).await.is_none());
    let slow = SettledAttempt {
        is_slow: true,
        ..settled(DeliveryStatus::Succeeded, at)
    };
    db.settle_delivery(&first, &slow).await.unwrap();
    assert!(claim_as(&db, "w", false, at).await.is_none());
    let second = claim_as(&db, "w", true, at).await.unwrap();
    let quick = settled(DeliveryStatus::Succeeded, at);
    db.settle_delivery(&second, &quick).await.unwrap();
    event(&db, &mine).await;
    assert!(claim_as(&db, "w", false, soon()).await.is_some());
}
