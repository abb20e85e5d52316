//! `DELETE /v2.0/vehicles/{id}/application`: an app that disconnects gives back its own grant. The
//! owner's consent and other people's grants stay as they are.

use std::sync::Arc;

use axum::extract::State;
use axum::response::Response;

use super::answer::{Refusal, success};
use super::holder::{Holder, HolderOfVehicle};
use crate::http::Gateway;
use crate::service::grants;
use crate::service::pace::Lane;
use crate::smartcar::v2::StatusAnswer;

/// Smartcar's disconnect: the grantee relinquishes the grant.
#[utoipa::path(delete, path = "/v2.0/vehicles/{id}/application", operation_id = "smartcar_v2.disconnect",
    tag = "smartcar_v2", security(("grant_token" = [])),
    params(("id" = String, Path, pattern = "^[0-9A-Fa-f-]{36}$", description = "The UUID inside the vehicle's id.")),
    responses((status = 200, description = "The grant has ended.", body = Object),
        (status = "4XX", description = "An error in Smartcar's envelope.", body = Object),
        (status = "5XX", description = "An error in Smartcar's envelope.", body = Object)))]
pub(super) async fn disconnect(
    State(gateway): State<Arc<Gateway>>,
    HolderOfVehicle(holder): HolderOfVehicle,
) -> Result<Response, Refusal> {
    let named = |refusal: Refusal| refusal.named(&holder.request_id);
    holder.grant(&gateway, Lane::End).await?;
    give_back(&gateway, &holder).await.map_err(named)?;
    Ok(success(&holder.request_id, &StatusAnswer::success(), None, None))
}

/// The holder's grant ends, and nothing else.
pub(super) async fn give_back(gateway: &Gateway, holder: &Holder) -> Result<(), Refusal> {
    let grant_id = holder.token.claims().grant_id;
    let wait = grants::AnswerWhen::Ended;
    grants::relinquish(&gateway.service, &holder.caller, grant_id, wait).await?;
    Ok(())
}
