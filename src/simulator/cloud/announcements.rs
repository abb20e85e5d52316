//! What the cloud tells the webhooks by itself: a car changed, an account stopped working, an
//! owner gave or took something. Whoever changes anything calls one of these; none of them waits.

use super::car::Car;
use super::consents::Connection;
use super::events::Subject;
use super::state::Cloud;
use crate::smartcar::ErrorKind;

impl Cloud {
    /// A car has changed, or may have. Whether there is anything to tell is found out here.
    pub(crate) fn changed(&self, car: &Car) {
        if let Some((place, _)) = self.car(&car.id) {
            self.state_changed(place);
        }
    }

    /// The car at this place has changed, or what is given of it.
    pub(crate) fn state_changed(&self, place: usize) {
        let webhooks = self.webhooks.all();
        if webhooks.is_empty() {
            return;
        }
        let Some(car) = self.cars().get(place) else { return };
        let now = self.clock.now();
        for connection in self.consents.at(place) {
            let subject = Subject { car, connection: &connection, now };
            webhooks.iter().for_each(|webhook| webhook.tell_state(subject));
        }
    }

    /// Something is wrong with the account of the car at this place, or no longer is.
    pub(super) fn account_changed(&self, place: usize, kind: ErrorKind, state: &str) {
        for connection in self.consents.at(place) {
            self.tell_error(&connection, kind, state);
        }
    }

    /// A consent gives less than before or nothing, or it gives more.
    pub(super) fn consent_changed(&self, connection: &Connection, state: &str) {
        if !connection.is_live() {
            let webhooks = self.webhooks.all();
            webhooks.iter().for_each(|one| one.forget(connection.place, &connection.user.id));
        }
        self.tell_error(connection, ErrorKind::Permission, state);
    }

    fn tell_error(&self, connection: &Connection, kind: ErrorKind, state: &str) {
        let Some(car) = self.cars().get(connection.place) else { return };
        let subject = Subject { car, connection, now: self.clock.now() };
        for webhook in self.webhooks.all() {
            webhook.tell_error(subject, kind, state);
        }
    }
}
