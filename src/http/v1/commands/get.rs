//! `GET /v1/commands/{command_id}`: what became of a command.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;

use super::CommandBody;
use crate::domain::id::CommandId;
use crate::http::Gateway;
use crate::http::extract::{ApiPath, TokenCaller};
use crate::http::problem::Problem;
use crate::service::commands;

/// Show a command and what became of it.
#[utoipa::path(get, path = "/v1/commands/{command_id}", operation_id = "commands.get", tag = "commands",
    security(("session" = []), ("api_client" = ["commands:read"]), ("grant_token" = [])),
    params(("command_id" = CommandId, Path, description = "The command.")),
    responses((status = 200, description = "The command.", body = CommandBody)))]
pub(in crate::http) async fn get(
    State(gateway): State<Arc<Gateway>>,
    caller: TokenCaller,
    ApiPath(command_id): ApiPath<CommandId>,
) -> Result<Json<CommandBody>, Problem> {
    let (TokenCaller::SignedIn(caller) | TokenCaller::Holder(caller, ..)) = caller;
    let command = commands::get(&gateway.service.base, &caller, command_id).await?;
    Ok(Json(command.into()))
}
