//! A map that cannot grow without end: when it is full, the half with the smallest values goes.
//!
//! An outsider who fills it can push out only what matters least. It does not know what
//! its values mean, only that greater ones are to be kept.

use std::collections::HashMap;
use std::hash::Hash;

/// At most `capacity` entries.
#[derive(Debug)]
pub(super) struct Bounded<K, V> {
    entries: HashMap<K, V>,
    capacity: usize,
}

impl<K: Eq + Hash, V: Copy + Ord> Bounded<K, V> {
    pub(super) fn new(capacity: usize) -> Self {
        Self { entries: HashMap::new(), capacity }
    }

    pub(super) fn get(&self, key: &K) -> Option<V> {
        self.entries.get(key).copied()
    }

    pub(super) fn insert(&mut self, key: K, value: V) {
        if self.entries.len() >= self.capacity && !self.entries.contains_key(&key) {
            self.drop_smaller_half();
        }
        self.entries.insert(key, value);
    }

    pub(super) fn remove(&mut self, key: &K) {
        self.entries.remove(key);
    }

    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.entries.len()
    }

    /// Costs one pass over the map, once in `capacity / 2` insertions.
    fn drop_smaller_half(&mut self) {
        let mut values: Vec<V> = self.entries.values().copied().collect();
        let half = values.len() / 2;
        if values.is_empty() {
            return;
        }
        let (_, median, _) = values.select_nth_unstable(half);
        let median = *median;
        // Of several equal to the median none is worth more: all go, and there is room.
        self.entries.retain(|_, value| *value > median);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_stays_within_its_capacity_and_keeps_the_greatest() {
        let mut map = Bounded::new(100);
        map.insert(0, u32::MAX);
        for key in 1..10_000 {
            map.insert(key, key);
            assert!(map.len() <= 100);
        }
        assert_eq!(map.get(&0), Some(u32::MAX));
        assert_eq!(map.get(&9_999), Some(9_999));
        assert_eq!(map.get(&1), None);
    }

    #[test]
    fn equal_values_do_not_fill_it_for_ever() {
        let mut map = Bounded::new(10);
        for key in 0..1_000 {
            map.insert(key, 7);
            assert!(map.len() <= 10);
        }
    }

    #[test]
    fn what_is_there_already_pushes_nothing_out() {
        let mut map = Bounded::new(2);
        map.insert(1, 1);
        map.insert(2, 2);
        map.insert(1, 3);
        assert_eq!((map.get(&1), map.get(&2)), (Some(3), Some(2)));
        map.remove(&1);
        assert_eq!(map.get(&1), None);
    }
}
