//! `GET /v1/audit-entries`: reading the record.

use std::sync::Arc;

use axum::extract::State;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::{IntoParams, ToSchema};

use crate::audit::entry::RecordedEntry;
use crate::domain::id::{GrantId, UserId, VehicleId};
use crate::domain::time::Timestamp;
use crate::http::Gateway;
use crate::http::extract::{List, PageParams, Paged, SignedIn};
use crate::http::problem::Problem;
use crate::http::v1::only_one;
use crate::service::{Error, audit_entries};
use crate::storage::audit_entries::{EntriesAbout, Subject};

const EVENT_LENGTH_MAX: usize = 64;

/// Which entries.
#[derive(Debug, Deserialize, Serialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(in crate::http) struct EntryFilter {
    /// Only those about this grant.
    #[param(value_type = Option<String>)]
    grant_id: Option<GrantId>,
    /// Only those about this car.
    #[param(value_type = Option<String>)]
    vehicle_id: Option<VehicleId>,
    /// Only those about or by this person.
    #[param(value_type = Option<String>)]
    user_id: Option<UserId>,
    /// Only this event, such as `command.refused`.
    #[param(max_length = 64)]
    event: Option<String>,
    /// Only at this time or later.
    #[param(value_type = Option<String>, format = DateTime)]
    from: Option<Timestamp>,
    /// Only before this time.
    #[param(value_type = Option<String>, format = DateTime)]
    until: Option<Timestamp>,
}

impl EntryFilter {
    fn check(&self) -> Result<EntriesAbout, Problem> {
        let subjects = [
            self.grant_id.map(Subject::Grant),
            self.vehicle_id.map(Subject::Vehicle),
            self.user_id.map(Subject::User),
        ];
        let subject = only_one(subjects)?;
        let is_event = |text: &String| {
            text.len() <= EVENT_LENGTH_MAX
                && text.bytes().all(|byte| byte.is_ascii_lowercase() || b"._".contains(&byte))
        };
        if !self.event.as_ref().is_none_or(is_event) {
            return Err(Error::invalid("?event", "invalid", "is not the word of an event").into());
        }
        let event = self.event.clone();
        Ok(EntriesAbout { subject, event, from: self.from, until: self.until })
    }
}

/// The actor of an entry.
#[derive(Debug, Serialize, ToSchema)]
pub(in crate::http) struct ActorBody {
    /// `user`, `api_client` or `system`.
    kind: String,
    /// The person or API client; `null` for the service itself.
    id: Option<String>,
    /// The person an API client acted for.
    acting_for: Option<String>,
}

/// One line of the record.
#[derive(Debug, Serialize, ToSchema)]
pub(in crate::http) struct EntryBody {
    /// Identifies the entry.
    #[schema(example = "evt_01k0a6v8w5e3tb3q6m1x9r7yzn")]
    entry_id: String,
    /// The time of the event.
    occurred_at: String,
    /// The event, such as `grant.issued`.
    #[schema(example = "command.authorized")]
    event: String,
    /// The user, API client or part of the service that acted.
    actor: ActorBody,
    /// The grant it is about.
    grant_id: Option<String>,
    /// The car it is about.
    vehicle_id: Option<String>,
    /// The person it is about.
    user_id: Option<String>,
    /// The command it is about.
    command_id: Option<String>,
    /// The HTTP request it belongs to.
    request_id: Option<String>,
    /// What else was recorded; it differs by event.
    #[schema(value_type = Object)]
    details: Value,
}

impl From<RecordedEntry> for EntryBody {
    fn from(entry: RecordedEntry) -> Self {
        let id = entry.actor_name();
        // Whatever is kept is shown, also if somebody made it something else than an object.
        let details = serde_json::from_str(&entry.details).unwrap_or_else(|_| entry.details.into());
        let acting_for = entry.acting_for.map(|id| id.to_string());
        Self {
            entry_id: entry.entry_id.to_string(),
            occurred_at: entry.occurred_at.to_string(),
            event: entry.event.into_owned(),
            actor: ActorBody { kind: entry.actor_kind.into_owned(), id, acting_for },
            grant_id: entry.grant_id.map(|id| id.to_string()),
            vehicle_id: entry.vehicle_id.map(|id| id.to_string()),
            user_id: entry.user_id.map(|id| id.to_string()),
            command_id: entry.command_id.map(|id| id.to_string()),
            request_id: entry.request_id,
            details,
        }
    }
}

/// Read the record, newest first: all of it for administrators, for owners that of their cars.
#[utoipa::path(get, path = "/v1/audit-entries", operation_id = "audit_entries.list", tag = "audit",
    security(("session" = []), ("api_client" = ["audit:read"])), params(PageParams, EntryFilter),
    responses((status = 200, description = "The entries.", body = List<EntryBody>)))]
pub(in crate::http) async fn list(
    State(gateway): State<Arc<Gateway>>,
    SignedIn(caller): SignedIn,
    paged: Paged<EntryFilter>,
) -> Result<List<EntryBody>, Problem> {
    let filter = paged.filter.check()?;
    let rows = audit_entries::list(&gateway.service.base, &caller, &filter, paged.page).await?;
    Ok(paged.list(rows, |entry| entry.entry_id.as_uuid(), EntryBody::from))
}
