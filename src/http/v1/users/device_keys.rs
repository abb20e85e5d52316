//! `/v1/users/{user_id}/device-keys`: the devices to which somebody's keys are bound, and what is done when one is lost.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use serde::Serialize;
use utoipa::ToSchema;

use crate::domain::device_key::Thumbprint;
use crate::domain::id::UserId;
use crate::domain::time::Timestamp;
use crate::http::Gateway;
use crate::http::extract::{ApiPath, SignedIn, SignedInAt};
use crate::http::problem::Problem;
use crate::service::device_keys;
use crate::storage::device_keys::DeviceKey;

/// The key of a device.
#[derive(Debug, Serialize, ToSchema)]
pub(in crate::http) struct DeviceKeyBody {
    /// Identifies the key: its JWK thumbprint (RFC 7638, SHA-256), base64url, 43 characters.
    device_key: Thumbprint,
    /// When a token was first bound to it.
    added_at: Timestamp,
}

/// The keys of a person's devices.
#[derive(Debug, Serialize, ToSchema)]
pub(in crate::http) struct DeviceKeyList {
    /// The keys that were not revoked, newest first.
    device_keys: Vec<DeviceKeyBody>,
}

impl From<DeviceKey> for DeviceKeyBody {
    fn from(key: DeviceKey) -> Self {
        Self { device_key: key.thumbprint, added_at: key.added_at }
    }
}

/// List the keys of a person's devices.
#[utoipa::path(get, path = "/v1/users/{user_id}/device-keys", operation_id = "device_keys.list", tag = "device_keys",
    security(("session" = []), ("api_client" = ["users:read"])),
    params(("user_id" = UserId, Path, description = "The person.")),
    responses((status = 200, description = "The keys.", body = DeviceKeyList)))]
pub(in crate::http) async fn list(
    State(gateway): State<Arc<Gateway>>,
    SignedIn(caller): SignedIn,
    ApiPath(user_id): ApiPath<UserId>,
) -> Result<Json<DeviceKeyList>, Problem> {
    let keys = device_keys::list(&gateway.service.base, &caller, user_id).await?;
    Ok(Json(DeviceKeyList { device_keys: keys.into_iter().map(DeviceKeyBody::from).collect() }))
}

/// Revoke the key of a lost device. Every grant token that is bound to it ends, and no token can be bound to it again. All sessions
/// of the person end too, except the session that sends this request.
#[utoipa::path(delete, path = "/v1/users/{user_id}/device-keys/{device_key}", operation_id = "device_keys.revoke",
    tag = "device_keys", security(("session" = []), ("api_client" = ["users:write"])),
    params(("user_id" = UserId, Path, description = "The person."),
        ("device_key" = Thumbprint, Path, description = "The key.")),
    responses((status = 204, description = "The key is revoked.")))]
pub(in crate::http) async fn revoke(
    State(gateway): State<Arc<Gateway>>,
    SignedInAt(caller, session_id): SignedInAt,
    ApiPath((user_id, device_key)): ApiPath<(UserId, Thumbprint)>,
) -> Result<StatusCode, Problem> {
    let base = &gateway.service.base;
    device_keys::revoke(base, &caller, user_id, device_key, session_id).await?;
    Ok(StatusCode::NO_CONTENT)
}
