//! IDs of requests: UUIDs of version 7, made without a system call for each.

use std::cell::RefCell;
use std::time::{SystemTime, UNIX_EPOCH};
use uuid::{Builder, Uuid};

/// How many random bytes one ID takes.
const EACH: usize = 10;
/// How many IDs are made of the random bytes that are fetched at once.
const BATCH: usize = 64;

/// Random bytes that were fetched, and how many of them were used.
struct Random {
    bytes: [u8; EACH * BATCH],
    used: usize,
}

thread_local! {
    static RANDOM: RefCell<Random> = const {
        RefCell::new(Random {
            bytes: [0; EACH * BATCH],
            used: EACH * BATCH,
        })
    };
}

/// The next ID. It is unique, here and in every other replica: 74 of its bits come from the generator that keys
/// come from, and the others are the time in milliseconds (RFC 9562, section 5.7).
pub fn next() -> String {
    let id = match (milliseconds(), random()) {
        (Some(milliseconds), Some(random)) => {
            Builder::from_unix_timestamp_millis(milliseconds, &random).into_uuid()
        }
        // A clock before 1970, or a generator that fails.
        (_, None) | (None, _) => Uuid::now_v7(),
    };
    id.to_string()
}

fn milliseconds() -> Option<u64> {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).ok()?;
    u64::try_from(since.as_millis()).ok()
}

fn random() -> Option<[u8; EACH]> {
    RANDOM.with_borrow_mut(|random| {
        if random.used + EACH > random.bytes.len() {
            aws_lc_rs::rand::fill(&mut random.bytes).ok()?;
            random.used = 0;
        }
        let taken = random.bytes.get(random.used..random.used + EACH)?;
        let taken = taken.try_into().ok()?;
        random.used += EACH;
        Some(taken)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn ids_are_of_version_7_and_no_two_are_the_same() {
        let make = || -> Vec<String> { (0..5 * BATCH).map(|_| next()).collect() };
        let others = std::thread::spawn(make);
        let mut all: HashSet<String> = make().into_iter().collect();
        all.extend(others.join().unwrap());
        assert_eq!(all.len(), 10 * BATCH);
        for id in all {
            let id = Uuid::parse_str(&id).unwrap();
            assert_eq!(id.get_version_num(), 7, "{id}");
        }
    }

    #[test]
    fn ids_sort_by_their_time() {
        let first = next();
        let later = milliseconds().unwrap() + 2;
        while milliseconds().unwrap() < later {}
        assert!(next() > first);
    }
}
