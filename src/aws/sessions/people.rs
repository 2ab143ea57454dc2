//! The people of the product's who have sessions of their own, where the operator wants the customer's CloudTrail to
//! name them.
//!
//! Each costs an AssumeRole call an hour, so a storage has them for so many people at the same time. Calls for
//! further ones are made in the storage's own session, under its name.

use crate::domain::connection::attributed::Attributed;
use crate::domain::connection::{ConnectedBucket, Credentials, Owner};
use moka::future::Cache;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// How many people of a storage have sessions of their own at the same time.
const MOST: usize = 100;
/// How long one who does nothing keeps the place: as long as a session lives.
const IDLE: Duration = Duration::from_secs(3_600);
/// So many storages are remembered.
const MOST_STORAGES: u64 = 10_000;

/// When each was last seen.
type Seen = Arc<Mutex<HashMap<Attributed, Instant>>>;

pub(crate) struct SessionPeople {
    is_on: bool,
    seen: Cache<Owner, Seen>,
}

impl SessionPeople {
    /// `is_on`: whether anybody has a session of their own.
    pub fn new(is_on: bool) -> Self {
        Self {
            is_on,
            seen: Cache::builder()
                .max_capacity(MOST_STORAGES)
                .time_to_idle(IDLE)
                .build(),
        }
    }

    /// The person whose session a call on this bucket is made with. `None`: it is the bucket's own.
    pub async fn of(&self, bucket: &ConnectedBucket) -> Option<Attributed> {
        let person = bucket.attributed.as_ref().filter(|_| self.is_on)?;
        match &bucket.connection.credentials {
            Credentials::Role { .. } => {}
            // There are no sessions, and no names.
            Credentials::AccessKey { .. } | Credentials::Service => return None,
        }
        let new = async { Seen::default() };
        let seen = self.seen.get_with_by_ref(&bucket.owner, new).await;
        has_place(&seen, person).then(|| person.clone())
    }
}

/// Whether the person has a place among those who have been seen lately, and keeps it.
fn has_place(seen: &Seen, person: &Attributed) -> bool {
    let mut seen = seen.lock().unwrap_or_else(PoisonError::into_inner);
    if !seen.contains_key(person) && seen.len() >= MOST {
        seen.retain(|_, last| last.elapsed() < IDLE);
        if seen.len() >= MOST {
            return false;
        }
    }
    seen.insert(person.clone(), Instant::now());
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn so_many_people_have_a_place_and_keep_it() {
        let seen = Seen::default();
        let person = |number: usize| Attributed::to(&format!("user-{number}"));
        let placed = (0..300).filter(|number| has_place(&seen, &person(*number)));
        assert_eq!(placed.count(), MOST);
        assert!(has_place(&seen, &person(0)) && has_place(&seen, &person(MOST - 1)));
        assert!(!has_place(&seen, &person(MOST)));
        // Who has gone leaves a place.
        seen.lock().unwrap().remove(&person(0));
        assert!(has_place(&seen, &person(MOST)));
    }
}
