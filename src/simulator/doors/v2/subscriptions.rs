//! API v2.0, which cars a webhook hears of. A new one hears of all cars that are shared; an
//! application can take single cars out, and put them back.

use axum::Json;
use axum::extract::{Path, State};
use axum::http::HeaderMap;

use crate::simulator::doors::answer::Failure;
use crate::simulator::doors::call::{self, Call, Shared};
use crate::simulator::doors::credentials::bearer;
use crate::smartcar::ErrorKind;
use crate::smartcar::v2::StatusAnswer;
use crate::smartcar::v2::management::SubscriptionAnswer;

/// `POST /vehicles/{id}/webhooks/{webhook_id}`, with the owner's token.
pub(super) async fn subscribe(
    State(cloud): Shared,
    Path((vehicle_id, webhook_id)): Path<(String, String)>,
    call: Call,
) -> Result<Json<SubscriptionAnswer>, Failure> {
    let consent = call::consent(&cloud, &call.headers)?;
    let (connection, _) = call::shared(&cloud, &consent, &vehicle_id, None)
        .ok_or_else(|| Failure::new(ErrorKind::Permission))?;
    let webhook = cloud.webhooks.find(&webhook_id).ok_or_else(unknown)?;
    webhook.subscribe(&vehicle_id, connection.place, true);
    cloud.state_changed(connection.place);
    Ok(Json(SubscriptionAnswer { vehicle_id, webhook_id }))
}

/// `DELETE /vehicles/{id}/webhooks/{webhook_id}`, with the application management token. One SDK
/// sends a body where none belongs.
pub(super) async fn unsubscribe(
    State(cloud): Shared,
    Path((vehicle_id, webhook_id)): Path<(String, String)>,
    headers: HeaderMap,
) -> Result<Json<StatusAnswer>, Failure> {
    if bearer(&headers) != Some(&cloud.management_token) {
        return Err(Failure::new(ErrorKind::Authentication));
    }
    let webhook = cloud.webhooks.find(&webhook_id).ok_or_else(unknown)?;
    let (place, _) = cloud.car(&vehicle_id).ok_or_else(unknown)?;
    webhook.subscribe(&vehicle_id, place, false);
    Ok(Json(StatusAnswer::success()))
}

fn unknown() -> Failure {
    Failure::new(ErrorKind::ResourceNotFoundPath)
}
