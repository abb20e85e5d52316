//! Webhook endpoints: addresses of an organization to which its events are sent. An endpoint is a cursor over the record; only what
//! it did not take is kept to be sent again.

mod change;
mod deliver;
mod deliveries;
mod round;

use serde::{Deserialize, Serialize};

use super::idempotency::{Answer, Idempotency};
use super::{Base, Caller, Error, Service, StateFault};
use crate::domain::access::{Object, Operation, Sought};
use crate::domain::event::{EndpointChange, Event};
use crate::domain::id::WebhookEndpointId;
use crate::domain::published::EventType;
use crate::domain::time::Timestamp;
use crate::domain::user::ShortText;
use crate::signing::sealed;
use crate::signing::standard_webhook::WebhookSecret;
use crate::storage::webhook_endpoints::{self, WebhookEndpoint};
use crate::storage::{Page, Priority, Tx, organization_entries};

pub use change::{OVERLAP_MAX, delete, pause, resume, rotate_secret};
pub use deliver::{DeliveryLanes, deliver};
pub use deliveries::{list_deliveries, redeliver, test};

const CREATE: &str = "webhook_endpoints.create";
/// So many endpoints an organization can have.
const ENDPOINTS_MAX: i64 = 20;

/// What an endpoint is made from.
#[derive(Debug)]
pub struct NewWebhookEndpoint {
    /// Where events are to be sent.
    pub url: String,
    /// What people call it.
    pub description: Option<ShortText>,
    /// Only events of these types; `None` for all.
    pub types: Option<Vec<EventType>>,
}

/// The secret of an endpoint, at the only time it is shown.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ShownSecret {
    /// The endpoint.
    pub webhook_endpoint_id: WebhookEndpointId,
    /// `whsec_…`
    pub secret: String,
}

/// Makes an endpoint. Events from now on are sent to it.
///
/// # Errors
/// [`super::Denial::AdminOnly`]; [`Error::Invalid`] for an address that nothing is sent to;
/// [`StateFault::TooManyWebhookEndpoints`].
pub async fn create(
    service: &Service,
    caller: &Caller,
    idempotency: &Idempotency,
    new: &NewWebhookEndpoint,
) -> Result<Answer<ShownSecret>, Error> {
    let base = &service.base;
    base.authorize_in_organization(caller, Operation::CreateWebhookEndpoint)?;
    // Whoever is sent events could read them.
    base.authorize_in_organization(caller, Operation::ListEvents)?;
    let url = service.endpoints.check(&new.url);
    let url = &url.map_err(|why| Error::invalid("/url", "not_allowed", why))?;
    let created = base.transact(CREATE, Priority::Ordinary, |work| {
        Box::pin(async move {
            if let Some(answer) =
                idempotency.find_or_take(base, &mut work.tx, caller, CREATE).await?
            {
                return Ok(answer);
            }
            let organization_id = caller.actor.organization_id;
            if webhook_endpoints::count(&mut work.tx, organization_id).await? >= ENDPOINTS_MAX {
                return Err(Error::State(StateFault::TooManyWebhookEndpoints));
            }
            let webhook_endpoint_id = base.entropy.id(work.now)?;
            let secret = WebhookSecret::generate(&*base.entropy)?;
            let endpoint = WebhookEndpoint {
                webhook_endpoint_id,
                organization_id,
                url: url.as_str().to_owned(),
                description: new.description.as_ref().map(|text| text.as_str().to_owned()),
                types: new.types.clone(),
                secret: seal(base, webhook_endpoint_id, &secret)?,
                previous_secret: None,
                next_position: organization_entries::end(&mut work.tx, organization_id).await?,
                paused: None,
                failures: 0,
                failing_since: None,
                leased_until: Timestamp::MIN,
                created_at: work.now,
            };
            webhook_endpoints::insert(&mut work.tx, &endpoint).await?;
            let shown = ShownSecret { webhook_endpoint_id, secret: secret.expose() };
            idempotency.keep(base, &mut work.tx, caller, CREATE, &shown).await?;
            let change = EndpointChange::Created;
            work.record(caller, Event::WebhookEndpointChanged { webhook_endpoint_id, change })?;
            Ok(Answer::fresh(shown))
        })
    });
    created.await
}

/// The endpoints of the organization, newest first.
///
/// # Errors
/// [`super::Denial`].
pub async fn list(base: &Base, caller: &Caller, page: Page) -> Result<Vec<WebhookEndpoint>, Error> {
    base.authorize_in_organization(caller, Operation::ListWebhookEndpoints)?;
    let mut reader = base.store.read().await?;
    Ok(webhook_endpoints::list(&mut reader, caller.actor.organization_id, page).await?)
}

/// One endpoint.
///
/// # Errors
/// [`super::Denial`]; [`Error::NotFound`].
pub async fn get(
    base: &Base,
    caller: &Caller,
    webhook_endpoint_id: WebhookEndpointId,
) -> Result<WebhookEndpoint, Error> {
    let mut reader = base.store.read().await?;
    let organization_id = caller.actor.organization_id;
    let found = webhook_endpoints::find(&mut reader, organization_id, webhook_endpoint_id).await?;
    permitted(base, caller, Operation::ListWebhookEndpoints, webhook_endpoint_id, found)
}

/// The endpoint, if the caller may do this with it; it is not there for others.
fn permitted(
    base: &Base,
    caller: &Caller,
    operation: Operation,
    webhook_endpoint_id: WebhookEndpointId,
    found: Option<WebhookEndpoint>,
) -> Result<WebhookEndpoint, Error> {
    let object = Object::found(found.as_ref(), |_| Object::ORGANIZATION);
    let sought = Sought::of(webhook_endpoint_id);
    base.authorize(caller, operation, &object, sought.clone())?;
    found.ok_or(Error::NotFound(sought))
}

/// As [`permitted`], for an endpoint that nobody else changes until the transaction ends.
async fn lock_for(
    base: &Base,
    tx: &mut Tx,
    caller: &Caller,
    webhook_endpoint_id: WebhookEndpointId,
) -> Result<WebhookEndpoint, Error> {
    let organization_id = caller.actor.organization_id;
    let found = webhook_endpoints::lock(tx, organization_id, webhook_endpoint_id).await?;
    permitted(base, caller, Operation::ChangeWebhookEndpoint, webhook_endpoint_id, found)
}

fn context(webhook_endpoint_id: WebhookEndpointId) -> Vec<u8> {
    format!("webhook_endpoints/{webhook_endpoint_id}/secret").into_bytes()
}

fn seal(
    base: &Base,
    webhook_endpoint_id: WebhookEndpointId,
    secret: &WebhookSecret,
) -> Result<Vec<u8>, Error> {
    let context = context(webhook_endpoint_id);
    sealed::seal(&base.keys(), &*base.entropy, &context, secret.bytes()).map_err(Error::internal)
}

/// The secrets that a message is signed with now, the newest first.
fn secrets(
    base: &Base,
    endpoint: &WebhookEndpoint,
    now: Timestamp,
) -> Result<Vec<WebhookSecret>, Error> {
    let context = context(endpoint.webhook_endpoint_id);
    let previous = endpoint.previous_secret.as_ref().filter(|(_, until)| now < *until);
    let sealed = [Some(&endpoint.secret), previous.map(|(secret, _)| secret)];
    let open = |sealed: &Vec<u8>| {
        let opened = sealed::open(&base.keys(), &context, sealed).map_err(Error::internal)?;
        let secret = WebhookSecret::of_bytes(&opened);
        secret.ok_or_else(|| Error::Internal("a webhook secret has another length".to_owned()))
    };
    sealed.into_iter().flatten().map(open).collect()
}
