//! Sends what is due to webhooks, until it is taken or given up.
//!
//! A webhook has a few places of its own, and those that fail or take long share places that the others do not need. So
//! one that does not answer never keeps another one waiting.

use crate::application::clock::Clock;
use crate::application::error::Result;
use crate::application::events::courier::{Attempt, Courier};
use crate::application::kept::store::{ClaimedDelivery, DeliveryClaim, SettledAttempt, Store};
use crate::application::observe::Observer;
use crate::application::outage;
use crate::domain::webhook::DeliveryStatus;
use std::sync::Arc;
use std::time::Duration;
use time::OffsetDateTime;
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use uuid::Uuid;

/// How many deliveries one replica makes at the same time, to webhooks that answer.
const PLACES: usize = 32;
/// The same, to webhooks whose last attempt failed or took long.
const SLOW_PLACES: usize = 16;
/// How many one webhook has at the same time, on all replicas together.
const MOST_OF_WEBHOOK: u32 = 4;
/// The longest that an attempt may take.
pub const ATTEMPT_LIMIT: Duration = Duration::from_secs(15);
/// After this an attempt whose process died is made again. Longer than one may take.
const LEASE: Duration = Duration::from_secs(30);
/// An answer that took longer than this makes a webhook a slow one.
const SLOW: Duration = Duration::from_secs(3);
/// How often a replica asks what is due.
const INTERVAL: Duration = Duration::from_millis(500);
/// How long it waits when the database fails.
const PAUSE_AFTER_FAILURE: Duration = Duration::from_secs(2);

/// The pauses after the first failed attempt, the second, and so on: about a day together. Then a delivery is given
/// up.
const PAUSES: [Duration; 13] = [
    Duration::from_secs(1),
    Duration::from_secs(5),
    Duration::from_secs(30),
    Duration::from_secs(2 * 60),
    Duration::from_secs(5 * 60),
    Duration::from_secs(15 * 60),
    Duration::from_secs(30 * 60),
    Duration::from_secs(60 * 60),
    Duration::from_secs(2 * 60 * 60),
    Duration::from_secs(3 * 60 * 60),
    Duration::from_secs(4 * 60 * 60),
    Duration::from_secs(5 * 60 * 60),
    Duration::from_secs(8 * 60 * 60),
];

/// Makes deliveries. Several may run, in many processes.
pub struct Deliverer {
    pub store: Arc<dyn Store>,
    pub clock: Arc<dyn Clock>,
    pub courier: Courier,
    pub observer: Arc<dyn Observer>,
}

impl Deliverer {
    /// Works until `stop`, and ends the attempts that it has begun.
    pub async fn run(self: Arc<Self>, stop: CancellationToken) {
        let attempts = TaskTracker::new();
        tokio::join!(
            self.lane(false, PLACES, &attempts, &stop),
            self.lane(true, SLOW_PLACES, &attempts, &stop)
        );
        attempts.close();
        attempts.wait().await;
    }

    async fn lane(
        self: &Arc<Self>,
        slow: bool,
        places: usize,
        attempts: &TaskTracker,
        stop: &CancellationToken,
    ) {
        let places = Arc::new(Semaphore::new(places));
        loop {
            let place = tokio::select! {
                () = stop.cancelled() => return,
                place = places.clone().acquire_owned() => place,
            };
            let Ok(place) = place else {
                return;
            };
            let pause = match self.claim(slow).await {
                Ok(Some(claimed)) => {
                    let deliverer = self.clone();
                    attempts.spawn(async move {
                        deliverer.make(claimed).await;
                        drop(place);
                    });
                    continue;
                }
                Ok(None) => {
                    outage::worked();
                    INTERVAL
                }
                Err(error) => {
                    outage::failed(&error, "cannot ask what is to be sent to webhooks");
                    PAUSE_AFTER_FAILURE
                }
            };
            drop(place);
            tokio::select! {
                () = stop.cancelled() => return,
                () = tokio::time::sleep(pause) => {}
            }
        }
    }

    /// Takes a delivery that is due.
    pub async fn claim(&self, slow: bool) -> Result<Option<ClaimedDelivery>> {
        let worker = Uuid::now_v7().simple().to_string();
        let now = self.clock.now();
        let claim = DeliveryClaim {
            slow,
            most_of_webhook: MOST_OF_WEBHOOK,
            worker: &worker,
            now,
            lease_until: now + LEASE,
        };
        Ok(self.store.claim_delivery(&claim).await?)
    }

    /// Makes an attempt and stores what came of it. Where that cannot be stored, it is made again after its lease.
    pub async fn make(&self, claimed: ClaimedDelivery) {
        if let Err(error) = self.attempt(&claimed).await {
            tracing::warn!(
                webhook = %claimed.webhook.id,
                event = %claimed.event.id,
                code = error.code,
                cause = error.internal,
                "an event could not be sent"
            );
        }
    }

    async fn attempt(&self, claimed: &ClaimedDelivery) -> Result<()> {
        let attempt = self.courier.event(&claimed.webhook, &claimed.event).await?;
        let settled = settled(&attempt, claimed.attempts, self.clock.now());
        self.observer.sent_event(attempt.is_success(), attempt.took);
        if settled.status == DeliveryStatus::Failed {
            self.observer.gave_up_event();
            tracing::warn!(
                webhook = %claimed.webhook.id,
                event = %claimed.event.id,
                attempts = claimed.attempts,
                status = settled.answered,
                "a delivery to a webhook is given up"
            );
        }
        self.store.settle_delivery(claimed, &settled).await?;
        Ok(())
    }
}

/// What follows from an attempt, the how manieth it was.
fn settled(attempt: &Attempt, attempts: u32, now: OffsetDateTime) -> SettledAttempt {
    let pause = PAUSES.get((attempts as usize).saturating_sub(1));
    let status = match (attempt.is_success(), pause) {
        (true, _) => DeliveryStatus::Succeeded,
        (false, Some(_)) if !attempt.is_gone() => DeliveryStatus::Pending,
        (false, _) => DeliveryStatus::Failed,
    };
    SettledAttempt {
        status,
        answered: attempt.answered.ok(),
        error: attempt.answered.err(),
        at: now,
        due: now + pause.copied().unwrap_or_default(),
        is_slow: !attempt.is_success() || attempt.took > SLOW,
        is_gone: attempt.is_gone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::webhook::AttemptError;

    fn attempt(answered: std::result::Result<u16, AttemptError>) -> Attempt {
        Attempt {
            answered,
            took: Duration::from_millis(20),
        }
    }

    #[test]
    fn it_is_tried_for_a_day_with_growing_pauses() {
        assert!(PAUSES.is_sorted());
        let now = OffsetDateTime::UNIX_EPOCH;
        let failed = attempt(Err(AttemptError::ConnectionFailed));
        let first = settled(&failed, 1, now);
        assert_eq!(first.status, DeliveryStatus::Pending);
        // With the interval at which replicas ask, below two seconds.
        assert!(first.due + INTERVAL < now + Duration::from_secs(2));
        let all: Duration = PAUSES.iter().sum();
        let day = Duration::from_secs(24 * 60 * 60);
        assert!(all <= day && all > day * 9 / 10, "{all:?}");
        let last = settled(&failed, PAUSES.len() as u32 + 1, now);
        assert_eq!(last.status, DeliveryStatus::Failed);
    }

    #[test]
    fn a_receiver_that_is_gone_is_not_asked_again() {
        let settled = settled(&attempt(Ok(410)), 1, OffsetDateTime::UNIX_EPOCH);
        assert_eq!(settled.status, DeliveryStatus::Failed);
        assert!(settled.is_gone);
    }

    #[test]
    fn who_fails_or_takes_long_is_slow() {
        let now = OffsetDateTime::UNIX_EPOCH;
        assert!(!settled(&attempt(Ok(204)), 1, now).is_slow);
        assert!(settled(&attempt(Ok(500)), 1, now).is_slow);
        let late = Attempt {
            took: SLOW * 2,
            ..attempt(Ok(200))
        };
        let settled = settled(&late, 1, now);
        assert!(settled.is_slow && settled.status == DeliveryStatus::Succeeded);
    }
}
