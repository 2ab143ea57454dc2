//! How many of something each of many has in progress.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// What is in progress, counted by whose it is. Clones share the counts.
pub struct Counts<K>(Arc<Mutex<HashMap<K, u32>>>);

/// One that is in progress.
#[must_use = "it counts until this is dropped"]
pub struct Counted<K: Eq + Hash> {
    of: Counts<K>,
    whose: K,
}

impl<K> Default for Counts<K> {
    fn default() -> Self {
        Self(Arc::default())
    }
}

impl<K> Clone for Counts<K> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<K: Clone + Eq + Hash> Counts<K> {
    /// Lets one more begin, until the guard is dropped. Whoever has `most` may not: the error is that limit. Without one,
    /// it is counted all the same.
    pub fn begin(&self, whose: &K, most: Option<u32>) -> Result<Counted<K>, u32> {
        let mut counts = self.lock();
        match (counts.get_mut(whose), most) {
            (Some(count), Some(most)) if *count >= most => return Err(most),
            (Some(count), _) => *count += 1,
            (None, Some(0)) => return Err(0),
            (None, _) => {
                counts.insert(whose.clone(), 1);
            }
        }
        Ok(Counted {
            of: self.clone(),
            whose: whose.clone(),
        })
    }
}

impl<K> Counts<K> {
    fn lock(&self) -> MutexGuard<'_, HashMap<K, u32>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether nothing is in progress, and so nothing remembered.
    #[cfg(test)]
    pub fn is_empty(&self) -> bool {
        self.lock().is_empty()
    }
}

impl<K: Eq + Hash> Drop for Counted<K> {
    fn drop(&mut self) {
        let mut counts = self.of.lock();
        if let Some(count) = counts.get_mut(&self.whose) {
            *count -= 1;
            if *count == 0 {
                counts.remove(&self.whose);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_has_so_many_at_most_and_nothing_is_remembered_of_those_who_have_none() {
        let all = Counts::default();
        let first = all.begin(&"a", Some(2)).ok().unwrap();
        let second = all.begin(&"a", None).ok().unwrap();
        assert_eq!(all.begin(&"a", Some(2)).err(), Some(2));
        let other = all.begin(&"b", Some(1)).ok().unwrap();
        assert_eq!(all.begin(&"c", Some(0)).err(), Some(0));
        drop(first);
        assert!(all.begin(&"a", Some(2)).is_ok());
        // A lower limit holds for those who come.
        assert_eq!(all.begin(&"a", Some(1)).err(), Some(1));
        drop((second, other));
        assert!(all.is_empty());
    }
}
