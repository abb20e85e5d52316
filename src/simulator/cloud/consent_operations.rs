//! What owners do with their consents: they give, narrow and withdraw them, and whoever asks hears
//! what stands. It ties consents to the running cloud; it knows no page and no request.

use std::sync::Arc;

use super::consents::{Connection, Consent, Terms, User};
use super::state::Cloud;
use crate::entropy::NoEntropy;
use crate::smartcar::webhook::EventError;

impl Cloud {
    /// The owner that an application calls by this name: somebody else for each name, and the
    /// cloud's first owner without one.
    pub(crate) fn user(&self, external_id: Option<&str>) -> Result<Arc<User>, NoEntropy> {
        let Some(external_id) = external_id.filter(|id| !id.is_empty()) else {
            return Ok(Arc::clone(&self.owner));
        };
        let mut users = self.users.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        if let Some(known) = users.get(external_id) {
            return Ok(Arc::clone(known));
        }
        let id = self.entropy.uuid(self.clock.now())?.to_string();
        let user = Arc::new(User { id, external_id: Some(external_id.to_owned()) });
        users.insert(external_id.to_owned(), Arc::clone(&user));
        Ok(user)
    }

    /// An owner gives the cars at these places.
    pub(crate) fn connect(
        &self,
        client_id: &str,
        user: &Arc<User>,
        places: &[usize],
        mode: &'static str,
        terms: &Terms,
    ) -> Result<Consent, NoEntropy> {
        let now = self.clock.now();
        let mut connections = Vec::with_capacity(places.len());
        for place in places {
            let id = self.entropy.uuid(now)?.to_string();
            let pair = (Arc::clone(user), client_id.to_owned());
            let new = Connection::new((id, now), pair, *place, mode, terms.clone());
            connections.push(self.consents.connect(new));
        }
        for place in places {
            self.state_changed(*place);
        }
        Ok(Consent::new(client_id.to_owned(), Arc::clone(user), connections))
    }

    /// What an owner has given of the car at this place, to whichever client; any owner's if none
    /// is named. Nothing if the permission was not given.
    pub(crate) fn given(
        &self,
        user_id: Option<&str>,
        place: usize,
        needed: Option<&'static str>,
    ) -> Option<Arc<Connection>> {
        let mut here = self.consents.at(place).into_iter();
        here.find(|one| user_id.is_none_or(|id| one.user.id == id) && one.gives(needed))
    }

    /// From now on nothing that this client was given by this owner is about the car.
    pub(crate) fn disconnect(&self, consent: &Consent, place: usize) {
        self.withdraw(|one| {
            one.place == place
                && one.client_id == consent.client_id
                && one.user.id == consent.user.id
        });
    }

    /// Ends all consents that fit, and tells which they were.
    pub(crate) fn withdraw(&self, fits: impl Fn(&Connection) -> bool) -> Vec<Arc<Connection>> {
        let ended = self.consents.withdraw(fits);
        for connection in &ended {
            self.consent_changed(connection, EventError::ERROR);
        }
        ended
    }

    /// What is given of the car at this place from now on, of the permissions of each consent and
    /// beyond them.
    pub(crate) fn permit(
        &self,
        place: usize,
        permissions: &[&'static str],
    ) -> Vec<Arc<Connection>> {
        let before = self.consents.at(place);
        let loses = before
            .iter()
            .filter_map(|one| one.terms())
            .any(|terms| terms.permissions.iter().any(|name| !permissions.contains(name)));
        let amended = self.consents.amend(place, |terms| terms.permissions = permissions.to_vec());
        for connection in &amended {
            let state = if loses { EventError::ERROR } else { EventError::RESOLVED };
            self.consent_changed(connection, state);
        }
        self.state_changed(place);
        amended
    }
}
