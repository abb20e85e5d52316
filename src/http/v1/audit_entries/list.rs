//! `GET /v1/audit-entries`: reading the record.

use std::sync::Arc;

use axum::extract::State;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::{IntoParams, ToSchema};

use crate::audit::entry::RecordedEntry;
use crate::domain::id::{AuditEntryId, CommandId, GrantId, UserId, VehicleId};
use crate::domain::principal::{PrincipalId, PrincipalKind};
use crate::domain::time::Timestamp;
use crate::http::Gateway;
use crate::http::extract::{List, PageParams, Paged, SignedIn};
use crate::http::problem::Problem;
use crate::http::v1::{FreeMap, only_one};
use crate::service::{Error, audit_entries};
use crate::storage::audit_entries::{EntriesAbout, Subject};

const EVENT_LENGTH_MAX: usize = 64;

/// Which entries.
#[derive(Debug, Deserialize, Serialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(in crate::http) struct EntryFilter {
    /// Only those about this grant.
    grant_id: Option<GrantId>,
    /// Only those about this car.
    vehicle_id: Option<VehicleId>,
    /// Only those about or by this person.
    user_id: Option<UserId>,
    /// Only this event, such as `command.refused`.
    #[param(max_length = 64)]
    event: Option<String>,
    /// Only at this time or later.
    from: Option<Timestamp>,
    /// Only before this time.
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
    /// What kind it is.
    #[schema(value_type = PrincipalKind)]
    kind: String,
    /// The person or API client; `null` for the service itself.
    #[schema(value_type = Option<PrincipalId>)]
    id: Option<String>,
    /// The person an API client acted for.
    acting_for: Option<UserId>,
}

/// One line of the record.
#[derive(Debug, Serialize, ToSchema)]
pub(in crate::http) struct AuditEntryBody {
    /// Identifies the entry.
    #[schema(example = "evt_01k0a6v8w5e3tb3q6m1x9r7yzn")]
    entry_id: AuditEntryId,
    /// The time of the event.
    occurred_at: Timestamp,
    /// The event, such as `grant.issued`.
    #[schema(example = "command.authorized")]
    event: String,
    /// The user, API client or part of the service that acted.
    actor: ActorBody,
    /// The grant it is about.
    grant_id: Option<GrantId>,
    /// The car it is about.
    vehicle_id: Option<VehicleId>,
    /// The person it is about.
    user_id: Option<UserId>,
    /// The command it is about.
    command_id: Option<CommandId>,
    /// The HTTP request it belongs to.
    request_id: Option<String>,
    /// What else was recorded; it differs by event.
    #[schema(value_type = FreeMap)]
    details: Value,
}

impl From<RecordedEntry> for AuditEntryBody {
    fn from(entry: RecordedEntry) -> Self {
        let id = entry.actor_name();
        // Whatever is kept is shown, also if somebody made it something else than an object.
        let details = serde_json::from_str(&entry.details).unwrap_or_else(|_| entry.details.into());
        Self {
            entry_id: entry.entry_id,
            occurred_at: entry.occurred_at,
            event: entry.event.into_owned(),
            actor: ActorBody {
                kind: entry.actor_kind.into_owned(),
                id,
                acting_for: entry.acting_for,
            },
            grant_id: entry.grant_id,
            vehicle_id: entry.vehicle_id,
            user_id: entry.user_id,
            command_id: entry.command_id,
            request_id: entry.request_id,
            details,
        }
    }
}

/// Read the record, newest first: all of it for administrators, for owners that of their cars.
#[utoipa::path(get, path = "/v1/audit-entries", operation_id = "audit_entries.list", tag = "audit_entries",
    security(("session" = []), ("api_client" = ["audit:read"])), params(PageParams, EntryFilter),
    responses((status = 200, description = "The entries.", body = List<AuditEntryBody>)))]
pub(in crate::http) async fn list(
    State(gateway): State<Arc<Gateway>>,
    SignedIn(caller): SignedIn,
    paged: Paged<EntryFilter>,
) -> Result<List<AuditEntryBody>, Problem> {
    let filter = paged.filter.check()?;
    let rows = audit_entries::list(&gateway.service.base, &caller, &filter, paged.page).await?;
    Ok(paged.list(rows, |entry| entry.entry_id.as_uuid(), AuditEntryBody::from))
}
