//! From which origins scripts may read what the service answers. Administrators say it for their organization; what all
//! of them said is known in memory, because everybody may ask about it without credentials.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::time::Duration;

use tokio::sync::Mutex;

use super::{Base, Caller, Error};
use crate::domain::access::Operation;
use crate::domain::allowed_origin::AllowedOrigin;
use crate::domain::event::Event;
use crate::domain::id::OrganizationId;
use crate::storage::{Priority, StorageError, allowed_origins};

/// What was read is believed for so long, also if it could not be read. Another instance knows a change after this time.
const KNOWN_FOR: Duration = Duration::from_secs(5);

/// The origins that all organizations list, as they were read last.
#[derive(Debug, Default)]
pub struct KnownOrigins(Mutex<Known>);

#[derive(Debug, Default)]
struct Known {
    listed_by: HashMap<String, HashSet<OrganizationId>>,
    /// By the monotonic clock.
    until: Option<Duration>,
}

impl KnownOrigins {
    /// Whether the organization lists this origin, or any organization if none is given. However many ask, and about
    /// whatever origins, the database is read once in [`KNOWN_FOR`].
    pub async fn allow(
        &self,
        base: &Base,
        origin: &str,
        organization_id: Option<OrganizationId>,
    ) -> bool {
        let mut known = self.0.lock().await;
        if known.until.is_none_or(|until| base.clock.monotonic() >= until) {
            match read(base).await {
                Ok(listed_by) => known.listed_by = listed_by,
                Err(error) => tracing::warn!(%error, "the allowed origins could not be read"),
            }
            // From now on: however long the database took, those who waited for it do not ask it again.
            known.until = Some(base.clock.monotonic().saturating_add(KNOWN_FOR));
        }
        known.listed_by.get(origin).is_some_and(|listed_by| {
            organization_id.is_none_or(|organization_id| listed_by.contains(&organization_id))
        })
    }

    /// What was read is no longer so.
    async fn forget(&self) {
        self.0.lock().await.until = None;
    }
}

async fn read(base: &Base) -> Result<HashMap<String, HashSet<OrganizationId>>, StorageError> {
    let mut reader = base.store.read().await?;
    let mut listed_by: HashMap<String, HashSet<OrganizationId>> = HashMap::new();
    for listed in allowed_origins::all(&mut reader).await? {
        listed_by.entry(listed.origin.to_string()).or_default().insert(listed.organization_id);
    }
    Ok(listed_by)
}

/// The origins that the organization lists, in alphabetical order.
///
/// # Errors
/// [`super::Denial::AdminOnly`].
pub async fn list(base: &Base, caller: &Caller) -> Result<Vec<AllowedOrigin>, Error> {
    base.authorize_in_organization(caller, Operation::ListAllowedOrigins)?;
    let mut reader = base.store.read().await?;
    Ok(allowed_origins::list(&mut reader, caller.actor.organization_id).await?)
}

/// Lists these origins in place of all that were listed before.
///
/// # Errors
/// [`super::Denial::AdminOnly`].
pub async fn replace(
    base: &Base,
    known: &KnownOrigins,
    caller: &Caller,
    origins: &BTreeSet<AllowedOrigin>,
) -> Result<(), Error> {
    let operation = Operation::AllowOrigins;
    let replaced = base.transact(operation.as_str(), Priority::Ordinary, |work| {
        Box::pin(async move {
            base.authorize_in_organization(caller, operation)?;
            allowed_origins::replace(&mut work.tx, caller.actor.organization_id, origins).await?;
            work.record(caller, Event::AllowedOriginsReplaced { count: origins.len() })
        })
    });
    replaced.await?;
    known.forget().await;
    Ok(())
}
