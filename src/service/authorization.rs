//! Asking the table of [`crate::domain::access`], and counting what it answers: who may do something may do
//! it so often.

use super::{Base, Caller, Error};
use crate::domain::access::{self, ActingAs, Denial, Object, Operation, Sought};
use crate::measures;

impl Base {
    /// Whether the caller may do something with an object, and in whose place. `sought` is what the
    /// caller named, for the answer that it is not there.
    ///
    /// # Errors
    /// [`Error::Forbidden`] with the reason; [`Error::NotFound`] for an object that is not there or
    /// that the caller must not see; [`Error::Throttled`] for a caller who asks too often.
    pub(in crate::service) fn authorize(
        &self,
        caller: &Caller,
        operation: Operation,
        object: &Object,
        sought: Sought,
    ) -> Result<ActingAs, Error> {
        let acting_as = self.permit(caller, operation, object, sought)?;
        self.pace.admit(&caller.acting_as(acting_as), operation)?;
        Ok(acting_as)
    }

    /// The same without counting it: where it is known only afterwards what it comes to.
    ///
    /// # Errors
    /// As [`Base::authorize`], but for [`Error::Throttled`].
    pub(in crate::service) fn permit(
        &self,
        caller: &Caller,
        operation: Operation,
        object: &Object,
        sought: Sought,
    ) -> Result<ActingAs, Error> {
        let verdict = access::may(&caller.actor, operation, object);
        let outcome = if verdict.is_ok() { "allowed" } else { "denied" };
        metrics::counter!(
            measures::AUTHORIZATIONS,
            "operation" => operation.as_str(),
            "outcome" => outcome,
        )
        .increment(1);
        verdict.map_err(|denial| match denial {
            Denial::NotVisible => Error::NotFound(sought),
            denial => Error::Forbidden(denial),
        })
    }

    /// The same for what is made or listed in the caller's organization.
    ///
    /// # Errors
    /// [`Error::Forbidden`] with the reason; [`Error::Throttled`] for a caller who asks too often.
    pub(in crate::service) fn authorize_in_organization(
        &self,
        caller: &Caller,
        operation: Operation,
    ) -> Result<ActingAs, Error> {
        let sought = Sought::of(caller.actor.organization_id);
        self.authorize(caller, operation, &Object::ORGANIZATION, sought)
    }
}

impl Caller {
    /// The caller as the record names them: an API client together with the person in whose place
    /// it acts.
    pub(in crate::service) fn acting_as(&self, acting_as: ActingAs) -> Self {
        match acting_as {
            ActingAs::Organization => self.clone(),
            ActingAs::Person(user_id) => self.acting_for(user_id),
        }
    }
}
