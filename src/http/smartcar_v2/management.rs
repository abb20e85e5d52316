//! `/v2.0/management/connections` with a grant token in the place of the application management
//! token: an app's connections are the one of its grant, and to end it is to give the grant back.

use std::sync::Arc;

use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use axum::response::Response;
use serde::Deserialize;

use super::answer::{Refusal, success};
use super::application;
use super::holder::{Holder, HolderAsManager};
use crate::domain::grant::Grant;
use crate::http::Gateway;
use crate::service::pace::Lane;
use crate::smartcar::v2::management::{ConnectionEntry, CursorPaging, ManagedConnections};

/// Which connections are asked for. The page needs no size: there is one.
#[derive(Debug, Default, Deserialize)]
pub(super) struct Filter {
    user_id: Option<String>,
    vehicle_id: Option<String>,
}

type FilterAsked = Result<Query<Filter>, QueryRejection>;

impl Filter {
    fn fits(&self, entry: &ConnectionEntry) -> bool {
        self.user_id.as_ref().is_none_or(|id| *id == entry.user_id)
            && self.vehicle_id.as_ref().is_none_or(|id| *id == entry.vehicle_id)
    }
}

fn entry(grant: &Grant) -> ConnectionEntry {
    ConnectionEntry {
        user_id: grant.grantee_id.as_uuid().hyphenated().to_string(),
        vehicle_id: grant.vehicle_id.as_uuid().hyphenated().to_string(),
        connected_at: Some(grant.issued_at.to_string()),
        mode: None,
    }
}

/// The filter and the one connection, if it fits.
async fn found(
    gateway: &Gateway,
    holder: &Holder,
    filter: FilterAsked,
    lane: Lane,
) -> Result<(Filter, Vec<ConnectionEntry>), Refusal> {
    let Query(filter) = filter.map_err(|_| {
        Refusal::of("VALIDATION", None).describing("The query has a parameter twice.")
    })?;
    let (grant, _) = holder.grant(gateway, lane).await?;
    let entries = Some(entry(&grant)).filter(|entry| filter.fits(entry));
    Ok((filter, entries.into_iter().collect()))
}

/// Smartcar's list of connections: the one of the grant.
#[utoipa::path(get, path = "/v2.0/management/connections",
    operation_id = "smartcar_v2.connections", tag = "smartcar_v2",
    security(("grant_token_as_management_token" = [])),
    params(("user_id" = Option<String>, Query, description = "Only those of this person."),
        ("vehicle_id" = Option<String>, Query, description = "Only those of this vehicle.")),
    responses((status = 200, description = "The connections.", body = Object),
        (status = "4XX", description = "An error in Smartcar's envelope.", body = Object),
        (status = "5XX", description = "An error in Smartcar's envelope.", body = Object)))]
pub(super) async fn connections(
    State(gateway): State<Arc<Gateway>>,
    HolderAsManager(holder): HolderAsManager,
    filter: FilterAsked,
) -> Result<Response, Refusal> {
    let found = found(&gateway, &holder, filter, Lane::Show).await;
    let (_, connections) = found.map_err(|refusal| refusal.named(&holder.request_id))?;
    let body = ManagedConnections { connections, paging: Some(CursorPaging { cursor: None }) };
    Ok(success(&holder.request_id, &body, None, None))
}

/// Smartcar's deletion of connections: the grantee relinquishes the grant, if it is asked for.
#[utoipa::path(delete, path = "/v2.0/management/connections",
    operation_id = "smartcar_v2.delete_connections", tag = "smartcar_v2",
    security(("grant_token_as_management_token" = [])),
    params(("user_id" = Option<String>, Query, description = "Those of this person."),
        ("vehicle_id" = Option<String>, Query, description = "Those of this vehicle.")),
    responses((status = 200, description = "The connections that ended.", body = Object),
        (status = "4XX", description = "An error in Smartcar's envelope.", body = Object),
        (status = "5XX", description = "An error in Smartcar's envelope.", body = Object)))]
pub(super) async fn delete_connections(
    State(gateway): State<Arc<Gateway>>,
    HolderAsManager(holder): HolderAsManager,
    filter: FilterAsked,
) -> Result<Response, Refusal> {
    let named = |refusal: Refusal| refusal.named(&holder.request_id);
    let (filter, mut connections) =
        found(&gateway, &holder, filter, Lane::End).await.map_err(named)?;
    if filter.user_id.is_none() && filter.vehicle_id.is_none() {
        let why = "`user_id` or `vehicle_id` must say which connections end.";
        return Err(named(Refusal::of("VALIDATION", None).describing(why)));
    }
    if !connections.is_empty() {
        application::give_back(&gateway, &holder).await.map_err(named)?;
    }
    for entry in &mut connections {
        entry.connected_at = None;
    }
    let body = ManagedConnections { connections, paging: None };
    Ok(success(&holder.request_id, &body, None, None))
}
