//! Sending an owner to the vehicle cloud.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::connector::{AuthorizeRequest, SingleVehicle};
use crate::domain::access::Operation;
use crate::domain::connection::{Connection, ConnectionStatus, Mode};
use crate::domain::entitlement::{Entitlement, Entitlements};
use crate::domain::event::Event;
use crate::domain::id::UserId;
use crate::domain::instruction::Action;
use crate::domain::return_url::ReturnUrl;
use crate::service::idempotency::{Answer, Idempotency};
use crate::service::{Caller, Denial, Error, Service, users};
use crate::signing::secret::{RandomSecret, SecretPrefix};
use crate::storage::{Priority, Tx, connections, return_urls};

const START: &str = "connections.start";

/// A connection that is under way.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Started {
    /// The connection.
    pub connection: Connection,
    /// Where to send the owner's browser.
    pub authorize_url: String,
}

/// What an owner is asked for on the consent page.
#[derive(Debug, Clone)]
pub struct Wanted {
    /// Which cars are offered.
    pub mode: Mode,
    /// Where the app wants the browser back.
    pub return_url: Option<ReturnUrl>,
    /// What the owner wants to be able to grant.
    pub entitlements: Entitlements,
    /// What of it the owner cannot leave out.
    pub required: Entitlements,
    /// Only cars of this maker.
    pub make: Option<String>,
    /// One car, and only this one if its VIN is given.
    pub single: Option<SingleVehicle>,
}

/// The permissions that let the entitlements be granted, and those by which this service sees what
/// became of a command. What a car is must always be known.
fn permissions(wanted: &Wanted) -> Vec<(&'static str, bool)> {
    let mut permissions = BTreeMap::from([(Entitlement::ReadAttributes.permission(), true)]);
    for entitlement in wanted.entitlements.iter().chain(wanted.required.iter()) {
        let required = wanted.required.contains(entitlement);
        *permissions.entry(entitlement.permission()).or_default() |= required;
        let seen_by = Action::ALL.iter().filter(|action| action.entitlement() == entitlement);
        for observable in seen_by.filter_map(|action| action.observable()) {
            permissions.entry(observable.entitlement().permission()).or_default();
        }
    }
    permissions.into_iter().collect()
}

/// Starts a connection for the caller, or for the person an API client acts for.
///
/// # Errors
/// [`Denial::ScopeMissing`], [`Denial::ActingForMissing`], [`Error::NotFound`] for a person whose
/// account is not open, [`Error::Invalid`] for an address that the organization does not list.
pub async fn start(
    service: &Service,
    caller: &Caller,
    idempotency: &Idempotency,
    wanted: Wanted,
) -> Result<Answer<Started>, Error> {
    let acting_as = service.base.authorize_in_organization(caller, Operation::StartConnection)?;
    let owner_id = acting_as.person().ok_or(Error::Forbidden(Denial::ActingForMissing))?;
    let wanted = &wanted;
    service
        .base
        .transact(START, Priority::Ordinary, |work| {
            Box::pin(async move {
                let tx = &mut work.tx;
                if let Some(answer) =
                    idempotency.find_or_take(&service.base, tx, caller, START).await?
                {
                    return Ok(answer);
                }
                users::find_open(tx, caller, owner_id).await?;
                require_listed(tx, caller, wanted.return_url.as_ref()).await?;
                let state = RandomSecret::generate(SecretPrefix::State, &*service.base.entropy)?;
                let connection = Connection {
                    connection_id: service.base.entropy.id(work.now)?,
                    organization_id: caller.actor.organization_id,
                    owner_id,
                    status: ConnectionStatus::Pending,
                    mode: wanted.mode,
                    status_reason: None,
                    return_url: wanted.return_url.clone(),
                    api_version: service.base.settings.api_versions.preferred(),
                    provider_user_id: None,
                    created_at: work.now,
                };
                connections::insert(tx, &connection, state.hash()).await?;
                let connection_id = connection.connection_id;
                let authorize_url = authorize_url(service, wanted, owner_id, &state);
                let started = Started { connection, authorize_url };
                idempotency.keep(&service.base, tx, caller, START, &started).await?;
                work.record(caller, Event::ConnectionStarted { connection_id, user_id: owner_id })?;
                Ok(Answer::fresh(started))
            })
        })
        .await
}

/// The address receives the code that completes the connection.
async fn require_listed(
    tx: &mut Tx,
    caller: &Caller,
    return_url: Option<&ReturnUrl>,
) -> Result<(), Error> {
    let Some(return_url) = return_url else { return Ok(()) };
    if return_urls::is_listed(tx, caller.actor.organization_id, return_url).await? {
        return Ok(());
    }
    let why = "is not listed for the organization: an administrator does that with \
        PUT /v1/organization/return-urls";
    Err(Error::invalid("/return_url", "not_listed", why))
}

fn authorize_url(
    service: &Service,
    wanted: &Wanted,
    owner_id: UserId,
    state: &RandomSecret,
) -> String {
    service.connector.authorize_url(&AuthorizeRequest {
        redirect_uri: service.base.settings.redirect_uri(),
        permissions: permissions(wanted),
        state: state.expose().to_owned(),
        mode: wanted.mode.as_str(),
        user: owner_id.to_string(),
        make: wanted.make.clone(),
        single: wanted.single.clone(),
    })
}
