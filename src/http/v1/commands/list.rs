//! `GET /v1/vehicles/{vehicle_id}/commands`: what was asked of a car.

use std::sync::Arc;

use axum::extract::State;
use serde::{Deserialize, Serialize};
use utoipa::IntoParams;

use super::CommandBody;
use crate::domain::command::CommandStatus;
use crate::domain::id::{GrantId, VehicleId};
use crate::domain::time::Timestamp;
use crate::http::Gateway;
use crate::http::extract::{ApiPath, List, PageParams, Paged, SignedIn};
use crate::http::problem::Problem;
use crate::service::commands;
use crate::storage::commands::CommandFilter as Filter;

/// Which commands.
#[derive(Debug, Clone, Copy, Deserialize, Serialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(in crate::http) struct CommandFilter {
    /// Only those that rested on this grant.
    grant_id: Option<GrantId>,
    /// Only those that came to this, such as `confirmed`.
    status: Option<CommandStatus>,
    /// Only those that were asked for at this time or later.
    from: Option<Timestamp>,
    /// Only those that were asked for before this time.
    until: Option<Timestamp>,
}

impl From<CommandFilter> for Filter {
    fn from(asked: CommandFilter) -> Self {
        let CommandFilter { grant_id, status, from, until } = asked;
        Self { grant_id, status, from, until }
    }
}

/// List what was asked of a car, newest first: for its owner and administrators.
#[utoipa::path(get, path = "/v1/vehicles/{vehicle_id}/commands", operation_id = "commands.list",
    tag = "commands", security(("session" = []), ("api_client" = ["commands:read"])),
    params(("vehicle_id" = VehicleId, Path, description = "The car."), PageParams, CommandFilter),
    responses((status = 200, description = "The commands.", body = List<CommandBody>)))]
pub(in crate::http) async fn list(
    State(gateway): State<Arc<Gateway>>,
    SignedIn(caller): SignedIn,
    ApiPath(vehicle_id): ApiPath<VehicleId>,
    paged: Paged<CommandFilter>,
) -> Result<List<CommandBody>, Problem> {
    let (base, filter) = (&gateway.service.base, paged.filter.into());
    let rows = commands::list_of_vehicle(base, &caller, vehicle_id, filter, paged.page).await?;
    Ok(paged.list(rows, |command| command.command_id.as_uuid(), CommandBody::from))
}
