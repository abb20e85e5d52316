//! Who gave which car to whom: owners, and their consents for one car each. A consent can be
//! narrowed and withdrawn while tokens that rest on it still live; one that was withdrawn never
//! comes back, connecting again makes another. Connecting while one stands replaces it, also for
//! whoever only names the owner; tokens of the old one keep what it gave, until it is withdrawn
//! with the new one. It knows no token, no page and no request.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, PoisonError, RwLock};

use crate::domain::time::Timestamp;
use crate::smartcar::ErrorKind;

/// Consents kept for each car, also replaced ones that tokens rest on; the oldest go first.
const CONSENTS_MAX: usize = 10_000;

/// An owner.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct User {
    pub(crate) id: String,
    /// What the application calls the owner, if it said so.
    pub(crate) external_id: Option<String>,
}

/// The documented mode of this name; `live` if none is named.
pub(crate) fn mode(name: Option<&str>) -> Option<&'static str> {
    let name = name.filter(|name| !name.is_empty()).unwrap_or("live");
    ["live", "simulated", "test"].into_iter().find(|known| *known == name)
}

/// What an owner agreed to, as it stands.
#[derive(Debug, Clone)]
pub(crate) struct Terms {
    pub(crate) permissions: Vec<&'static str>,
    /// What every request about the car is answered with, if the owner's login asks for that.
    pub(crate) always: Option<ErrorKind>,
}

/// An owner's consent for one car and one client.
#[derive(Debug)]
pub(crate) struct Connection {
    pub(crate) id: String,
    pub(crate) user: Arc<User>,
    pub(crate) client_id: String,
    /// The place of the car in the fleet.
    pub(crate) place: usize,
    pub(crate) connected_at: Timestamp,
    /// `live`, `simulated` or `test`.
    pub(crate) mode: &'static str,
    /// `None` once it was withdrawn.
    terms: RwLock<Option<Terms>>,
}

impl Connection {
    /// What it gives; `None` if it was withdrawn.
    pub(crate) fn terms(&self) -> Option<Terms> {
        self.terms.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Whether it was not withdrawn.
    pub(super) fn is_live(&self) -> bool {
        self.terms.read().unwrap_or_else(PoisonError::into_inner).is_some()
    }

    /// Whether it gives this permission; nothing is always given.
    pub(crate) fn gives(&self, needed: Option<&'static str>) -> bool {
        let terms = self.terms.read().unwrap_or_else(PoisonError::into_inner);
        let gives = |terms: &Terms| needed.is_none_or(|name| terms.permissions.contains(&name));
        terms.as_ref().is_some_and(gives)
    }

    /// What every request about the car is answered with.
    pub(crate) fn always(&self) -> Option<ErrorKind> {
        let terms = self.terms.read().unwrap_or_else(PoisonError::into_inner);
        terms.as_ref()?.always
    }

    /// Between whom it is: the owner and the client.
    fn pair(&self) -> (&str, &str) {
        (&self.user.id, &self.client_id)
    }

    /// Changes what it gives, unless it was withdrawn.
    fn amend(&self, change: impl FnOnce(&mut Terms)) {
        let mut terms = self.terms.write().unwrap_or_else(PoisonError::into_inner);
        if let Some(terms) = terms.as_mut() {
            change(terms);
        }
    }

    fn withdraw(&self) {
        *self.terms.write().unwrap_or_else(PoisonError::into_inner) = None;
    }
}

/// What one decision of an owner was about: the consents that a code and its tokens rest on.
#[derive(Debug)]
pub(crate) struct Consent {
    pub(crate) client_id: String,
    pub(crate) user: Arc<User>,
    /// In the order of their places.
    connections: Vec<Arc<Connection>>,
}

impl Consent {
    pub(crate) fn new(
        client_id: String,
        user: Arc<User>,
        mut connections: Vec<Arc<Connection>>,
    ) -> Self {
        connections.sort_by_key(|connection| connection.place);
        Self { client_id, user, connections }
    }

    /// Places of the cars that it is still about, in order.
    pub(crate) fn connected(&self) -> Vec<usize> {
        let live = self.connections.iter().filter(|connection| connection.is_live());
        live.map(|connection| connection.place).collect()
    }

    /// The consent for the car at this place, unless it was withdrawn.
    pub(crate) fn connection(&self, place: usize) -> Option<&Arc<Connection>> {
        let found = self.connections.binary_search_by_key(&place, |one| one.place).ok()?;
        self.connections.get(found).filter(|connection| connection.is_live())
    }

    /// Whether nothing of it is left.
    pub(super) fn is_over(&self) -> bool {
        !self.connections.iter().any(|connection| connection.is_live())
    }
}

/// All consents, car by car.
#[derive(Debug, Default)]
pub(crate) struct Consents(RwLock<BTreeMap<usize, Vec<Arc<Connection>>>>);

impl Consents {
    /// Takes a new consent in. It takes over the id of the one that it replaces.
    pub(crate) fn connect(&self, mut new: Connection) -> Arc<Connection> {
        let mut all = self.0.write().unwrap_or_else(PoisonError::into_inner);
        let here = all.entry(new.place).or_default();
        if let Some(old) = here.iter().find(|old| old.pair() == new.pair()) {
            new.id.clone_from(&old.id);
        }
        if here.len() >= CONSENTS_MAX {
            here.remove(0).withdraw();
        }
        let new = Arc::new(new);
        here.push(Arc::clone(&new));
        new
    }

    /// The consents that stand for the car at this place; none that was replaced.
    pub(crate) fn at(&self, place: usize) -> Vec<Arc<Connection>> {
        let all = self.0.read().unwrap_or_else(PoisonError::into_inner);
        standing(all.get(&place).map(Vec::as_slice).unwrap_or_default())
    }

    /// All consents that fit, the oldest first.
    pub(crate) fn find(&self, fits: impl Fn(&Connection) -> bool) -> Vec<Arc<Connection>> {
        let all = self.0.read().unwrap_or_else(PoisonError::into_inner);
        let mut found: Vec<_> = all.values().flat_map(|here| standing(here)).collect();
        found.retain(|one| fits(one));
        drop(all);
        found.sort_by(|a, b| a.id.cmp(&b.id));
        found
    }

    /// Ends all consents that fit, and tells which of them stood.
    pub(crate) fn withdraw(&self, fits: impl Fn(&Connection) -> bool) -> Vec<Arc<Connection>> {
        let found = self.find(&fits);
        let mut all = self.0.write().unwrap_or_else(PoisonError::into_inner);
        for here in all.values_mut() {
            here.iter().filter(|one| fits(one)).for_each(|one| one.withdraw());
            here.retain(|one| one.is_live());
        }
        drop(all);
        found
    }

    /// Changes all consents for the car at this place, and tells which of them stood.
    pub(super) fn amend(&self, place: usize, change: impl Fn(&mut Terms)) -> Vec<Arc<Connection>> {
        let all = self.0.read().unwrap_or_else(PoisonError::into_inner);
        let here = all.get(&place).map(Vec::as_slice).unwrap_or_default();
        here.iter().for_each(|one| one.amend(&change));
        standing(here)
    }
}

/// Of the consents for one car those that nothing has replaced.
fn standing(here: &[Arc<Connection>]) -> Vec<Arc<Connection>> {
    let mut seen = BTreeSet::new();
    let latest = here.iter().rev().filter(|one| seen.insert(one.pair()));
    latest.cloned().collect()
}

impl Connection {
    /// A consent that was given just now. Its id is greater than those of all before it.
    pub(crate) fn new(
        (id, connected_at): (String, Timestamp),
        (user, client_id): (Arc<User>, String),
        place: usize,
        mode: &'static str,
        terms: Terms,
    ) -> Self {
        Self { id, user, client_id, place, connected_at, mode, terms: RwLock::new(Some(terms)) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn connection(id: &str, place: usize, permissions: &[&'static str]) -> Connection {
        let user = Arc::new(User { id: "u".to_owned(), external_id: None });
        let permissions = permissions.to_vec();
        let terms = Terms { permissions, always: None };
        let given = (id.to_owned(), Timestamp::MIN);
        Connection::new(given, (user, "app".to_owned()), place, "live", terms)
    }

    #[test]
    fn the_last_word_counts_and_what_was_withdrawn_does_not_come_back() {
        let consents = Consents::default();
        let first = consents.connect(connection("1", 3, &["read_vin"]));
        let second = consents.connect(connection("2", 3, &["read_fuel"]));
        assert_eq!(second.id, "1", "the consent is still the same");
        assert!(first.gives(Some("read_vin")) && !first.gives(Some("read_fuel")));
        let standing = consents.at(3);
        assert!(standing.len() == 1 && standing[0].gives(Some("read_fuel")));
        let consent = Consent::new("app".to_owned(), Arc::clone(&first.user), vec![first]);
        assert_eq!(consent.connected(), [3]);
        consents.amend(3, |terms| terms.permissions.clear());
        assert!(!second.gives(Some("read_fuel")) && second.gives(None));
        assert_eq!(consents.withdraw(|_| true).len(), 1);
        assert!(consent.is_over() && consents.at(3).is_empty());
        let again = consents.connect(connection("3", 3, &["read_fuel"]));
        assert!(again.id == "3" && again.gives(None) && !second.gives(None));
    }
}
