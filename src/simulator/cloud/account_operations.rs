//! What happens to owners' accounts with the makers of their cars: they stop working, and owners mend
//! them by logging in again. While one does not work, every request about the car is answered with
//! its error. It knows no page and no request.

use super::state::Cloud;
use crate::smartcar::ErrorKind;
use crate::smartcar::webhook::EventError;

/// The family of errors that logging in again mends.
const ACCOUNT: &str = "CONNECTED_SERVICES_ACCOUNT";

impl Cloud {
    /// What is wrong with the account of the car at this place.
    pub(crate) fn account_error(&self, place: usize) -> Option<ErrorKind> {
        self.accounts.error_at(place)
    }

    /// From now on this is wrong with it, or nothing is. The webhooks are told of a change.
    pub(crate) fn set_account_error(&self, place: usize, error: Option<ErrorKind>) {
        let before = self.accounts.replace(place, error);
        if before == error {
            return;
        }
        let resolved = before.map(|kind| (kind, EventError::RESOLVED));
        for (kind, state) in resolved.into_iter().chain(error.map(|kind| (kind, EventError::ERROR)))
        {
            self.account_changed(place, kind, state);
        }
    }

    /// The owner has logged in again: what that can mend is mended.
    pub(crate) fn reauthenticated(&self, place: usize) {
        let mends = |kind: ErrorKind| kind.error_type() == ACCOUNT;
        if self.account_error(place).is_some_and(mends) {
            self.set_account_error(place, None);
        }
        self.consents
            .amend(place, |terms| terms.always = terms.always.filter(|kind| !mends(*kind)));
    }
}
