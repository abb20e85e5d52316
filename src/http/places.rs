//! Places for connections: so many in all, and so many for one address, so that no one takes them all.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::auth::Network;
use crate::config::Networks;

/// Who is let in.
#[derive(Debug, Clone)]
pub struct Entrance {
    /// A connection beyond so many is closed unread, so that its client tries another instance at
    /// once rather than wait for a place.
    pub connections_max: usize,
    /// The same for the connections of one client, who never gets more than half of them all.
    pub connections_per_address_max: usize,
    /// Who may say for which client a request is. Their connections count in all alone.
    pub trusted_proxies: Networks,
}

/// All places. Clones are the same.
#[derive(Debug, Clone)]
pub(super) struct Places(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    most: usize,
    most_of_one: usize,
    trusted_proxies: Networks,
    taken: Mutex<Taken>,
}

/// The places that are taken: in all, and by those who are counted.
#[derive(Debug, Default)]
struct Taken {
    all: usize,
    by: HashMap<Network, usize>,
}

/// Why there is no place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum NoPlace {
    /// All are taken.
    Full,
    /// This address has as many as one may have.
    TooManyOfOne,
}

impl NoPlace {
    /// The reason as a word, for measurements.
    pub(super) const fn as_str(self) -> &'static str {
        match self {
            Self::Full => "full",
            Self::TooManyOfOne => "address",
        }
    }
}

impl Places {
    /// As many as the entrance has. One address never gets more than half of them.
    pub(super) fn of(entrance: &Entrance) -> Self {
        let most = entrance.connections_max;
        Self(Arc::new(Shared {
            most,
            most_of_one: entrance.connections_per_address_max.min(most.div_ceil(2)),
            trusted_proxies: entrance.trusted_proxies.clone(),
            taken: Mutex::default(),
        }))
    }

    /// A place for a connection from this address. Those of a trusted proxy are many clients', and
    /// are counted in all alone.
    ///
    /// # Errors
    /// [`NoPlace`].
    pub(super) fn take(&self, peer: IpAddr) -> Result<Place, NoPlace> {
        let Shared { most, most_of_one, ref trusted_proxies, .. } = *self.0;
        let is_proxy = trusted_proxies.contains(peer.to_canonical());
        let network = (!is_proxy).then(|| Network::from(peer));
        let mut taken = self.taken();
        if taken.all >= most {
            return Err(NoPlace::Full);
        }
        if let Some(network) = network {
            let of_one = taken.by.entry(network).or_default();
            if *of_one >= most_of_one {
                return Err(NoPlace::TooManyOfOne);
            }
            *of_one += 1;
        }
        taken.all += 1;
        drop(taken);
        Ok(Place { places: self.clone(), network })
    }

    fn taken(&self) -> MutexGuard<'_, Taken> {
        self.0.taken.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A place that is taken, until it is dropped.
#[derive(Debug)]
pub(super) struct Place {
    places: Places,
    network: Option<Network>,
}

impl Place {
    /// Whether most places are taken, so that who has nothing to ask should make room.
    pub(super) fn is_one_of_few(&self) -> bool {
        self.places.taken().all > self.places.0.most.div_ceil(2)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut taken = self.places.taken();
        taken.all = taken.all.saturating_sub(1);
        let Some(network) = self.network else { return };
        if let Some(of_one) = taken.by.get_mut(&network) {
            *of_one = of_one.saturating_sub(1);
            if *of_one == 0 {
                taken.by.remove(&network);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn places(connections_max: usize, connections_per_address_max: usize) -> Places {
        let trusted_proxies = vec!["10.0.0.1".parse().unwrap()].into();
        Places::of(&Entrance { connections_max, connections_per_address_max, trusted_proxies })
    }

    fn take(places: &Places, peer: &str) -> Result<Place, NoPlace> {
        places.take(peer.parse().unwrap())
    }

    #[test]
    fn one_address_has_its_number_and_others_have_theirs() {
        let places = places(100, 2);
        for network in [["192.0.2.1", "::ffff:192.0.2.1"], ["2001:db8::1", "2001:db8::2"]] {
            let taken = network.map(|peer| take(&places, peer).unwrap());
            assert_eq!(take(&places, network[0]).unwrap_err(), NoPlace::TooManyOfOne);
            drop(taken);
            take(&places, network[0]).unwrap();
        }
        assert!(places.taken().by.is_empty(), "it remembers those who left");
    }

    #[test]
    fn one_address_never_has_more_than_half() {
        let places = places(3, 100);
        let _first = [(); 2].map(|()| take(&places, "192.0.2.1").unwrap());
        assert_eq!(take(&places, "192.0.2.1").unwrap_err(), NoPlace::TooManyOfOne);
        let last = take(&places, "192.0.2.2").unwrap();
        assert_eq!(take(&places, "192.0.2.3").unwrap_err(), NoPlace::Full);
        assert!(last.is_one_of_few());
    }

    #[test]
    fn a_trusted_proxy_has_as_many_as_there_are() {
        let places = places(10, 1);
        let taken: Vec<_> = (0..10).map(|_| take(&places, "10.0.0.1").unwrap()).collect();
        assert_eq!(take(&places, "10.0.0.1").unwrap_err(), NoPlace::Full);
        drop(taken);
        assert!(!take(&places, "10.0.0.1").unwrap().is_one_of_few());
    }
}
