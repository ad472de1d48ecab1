//! A bounded memory of the past for the node.
//!
//! Left alone, the node keeps every transaction for ever, and copies all of them for each question about fees or about
//! an address's signatures. Here it keeps the newest ones, and a copy shares them.

use std::{
    collections::{HashMap, VecDeque},
    hash::Hash,
    sync::Arc,
};

use surfpool_core::storage::{Storage, StorageResult};

/// Keeps the last `capacity` entries by the time at which their keys were first stored.
#[derive(Clone)]
pub(crate) struct History<K, V> {
    capacity: usize,
    entries: HashMap<K, Arc<V>>,
    /// Keys, oldest first. A key that was taken stays until its turn comes.
    order: VecDeque<K>,
}

impl<K: Clone + Eq + Hash, V> History<K, V> {
    /// An empty history of at least one entry.
    pub(crate) fn new(capacity: usize) -> Self {
        Self { capacity: capacity.max(1), entries: HashMap::new(), order: VecDeque::new() }
    }

    fn insert(&mut self, key: K, value: V) {
        if self.entries.insert(key.clone(), Arc::new(value)).is_some() {
            return;
        }
        self.order.push_back(key);
        while self.order.len() > self.capacity {
            if let Some(oldest) = self.order.pop_front() {
                self.entries.remove(&oldest);
            }
        }
    }
}

impl<K, V> Storage<K, V> for History<K, V>
where
    K: Clone + Eq + Hash + Send + Sync + 'static,
    V: Clone + Send + Sync + 'static,
{
    fn store(&mut self, key: K, value: V) -> StorageResult<()> {
        self.insert(key, value);
        Ok(())
    }

    fn clear(&mut self) -> StorageResult<()> {
        self.entries.clear();
        self.order.clear();
        Ok(())
    }

    fn get(&self, key: &K) -> StorageResult<Option<V>> {
        Ok(self.entries.get(key).map(|value| V::clone(value)))
    }

    fn take(&mut self, key: &K) -> StorageResult<Option<V>> {
        Ok(self.entries.remove(key).map(Arc::unwrap_or_clone))
    }

    fn keys(&self) -> StorageResult<Vec<K>> {
        Ok(self.entries.keys().cloned().collect())
    }

    fn into_iter(&self) -> StorageResult<Box<dyn Iterator<Item = (K, V)> + '_>> {
        Ok(Box::new(self.entries.iter().map(|(key, value)| (key.clone(), V::clone(value)))))
    }

    fn contains_key(&self, key: &K) -> StorageResult<bool> {
        Ok(self.entries.contains_key(key))
    }

    fn count(&self) -> StorageResult<u64> {
        Ok(u64::try_from(self.entries.len()).expect("memory holds fewer than 2^64 entries"))
    }

    fn clone_box(&self) -> Box<dyn Storage<K, V>> {
        Box::new(self.clone())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_oldest_entries_are_forgotten() {
        let mut history = History::new(2);
        for key in 1..=3 {
            history.store(key, key * 10).unwrap();
        }
        assert_eq!(history.get(&1).unwrap(), None);
        assert_eq!((history.get(&2).unwrap(), history.get(&3).unwrap()), (Some(20), Some(30)));
        assert_eq!(history.count().unwrap(), 2);
    }

    #[test]
    fn storing_again_changes_a_value_but_not_its_age() {
        let mut history = History::new(2);
        history.store(1, "first").unwrap();
        history.store(2, "second").unwrap();
        history.store(1, "changed").unwrap();
        assert_eq!(history.get(&1).unwrap(), Some("changed"));
        history.store(3, "third").unwrap();
        assert!(!history.contains_key(&1).unwrap());
        assert!(history.contains_key(&2).unwrap());
    }

    #[test]
    fn a_copy_goes_its_own_way() {
        let mut history = History::new(2);
        history.store(1, 10).unwrap();
        let mut copy = history.clone_box();
        assert_eq!(copy.take(&1).unwrap(), Some(10));
        assert_eq!((copy.count().unwrap(), history.count().unwrap()), (0, 1));
    }
}
