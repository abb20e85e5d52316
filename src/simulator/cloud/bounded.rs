//! A map that never outgrows its limit: when it is full, the oldest entry goes. Codes and tokens
//! are kept in it, so that a simulator that runs for weeks does not eat the machine.

use std::collections::{HashMap, VecDeque};

/// A map of at most `max` entries. Keys are made of random bytes and are never inserted twice.
#[derive(Debug)]
pub(crate) struct Bounded<V> {
    entries: HashMap<String, V>,
    order: VecDeque<String>,
    max: usize,
}

impl<V> Bounded<V> {
    pub(crate) fn new(max: usize) -> Self {
        Self { entries: HashMap::new(), order: VecDeque::new(), max }
    }

    pub(crate) fn insert(&mut self, key: String, value: V) {
        self.order.push_back(key.clone());
        self.entries.insert(key, value);
        while self.entries.len() > self.max {
            match self.order.pop_front() {
                Some(oldest) => self.entries.remove(&oldest),
                None => break,
            };
        }
        // Removed keys stay in the order until they would be half of it.
        if self.order.len() > self.max.saturating_mul(2) {
            self.order.retain(|key| self.entries.contains_key(key));
        }
    }

    pub(crate) fn get(&self, key: &str) -> Option<&V> {
        self.entries.get(key)
    }

    pub(crate) fn remove(&mut self, key: &str) -> Option<V> {
        self.entries.remove(key)
    }

    pub(crate) fn clear(&mut self) {
        self.entries.clear();
        self.order.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_oldest_entry_goes_and_removed_keys_leave_no_trail() {
        let mut map = Bounded::new(2);
        for n in 0..100 {
            map.insert(format!("kept {n}"), n);
            map.insert(format!("removed {n}"), n);
            map.remove(&format!("removed {n}"));
        }
        assert!(map.entries.len() <= 2 && map.order.len() <= 4);
        assert_eq!(map.get("kept 99"), Some(&99));
        assert_eq!(map.get("kept 0"), None);
    }
}
