//! `POST /v1/smartcar/webhooks`: what the vehicle cloud sends by itself.

use std::sync::Arc;

use axum::extract::{Query, State};
use axum::http::HeaderMap;
use axum::{Extension, Json};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::http::Gateway;
use crate::http::client_address::ClientAddress;
use crate::http::extract::WholeBody;
use crate::http::problem::Problem;
use crate::http::visitors;
use crate::service::webhooks::{self, Received};

/// Header with the signature of the body.
const SIGNATURE: &str = "sc-signature";

/// What the address says that was registered at the vehicle cloud.
#[derive(Debug, Deserialize)]
pub(in crate::http) struct ReceiveQuery {
    /// The secret by which a verification is known to be of the address that `keylend webhooks expect` printed.
    verification: Option<String>,
}

/// The answer to the vehicle cloud.
#[derive(Debug, Serialize, ToSchema)]
pub(in crate::http) struct SmartcarWebhookAnswer {
    /// The signature of the challenge, when the cloud verifies this service.
    #[serde(skip_serializing_if = "Option::is_none")]
    challenge: Option<String>,
}

/// Take in an event of the vehicle cloud, signed with the application management token.
#[utoipa::path(post, path = "/v1/smartcar/webhooks", operation_id = "smartcar.webhook",
    tag = "smartcar", security(()),
    params(("verification" = Option<String>, Query, max_length = 256, description = "What stands in the address that `keylend webhooks expect` prints; needed for a verification."),
        ("SC-Signature" = Option<String>, Header, pattern = "^[0-9A-Fa-f]{64}$", description = "HMAC-SHA256 of the body in hexadecimal digits; not needed for a verification.")),
    request_body(content = Object, description = "An event, as Smartcar documents it."),
    responses((status = 200, description = "It was taken in, now or before.", body = SmartcarWebhookAnswer)))]
pub(in crate::http) async fn receive(
    State(gateway): State<Arc<Gateway>>,
    Extension(client): Extension<ClientAddress>,
    Query(query): Query<ReceiveQuery>,
    headers: HeaderMap,
    WholeBody(body): WholeBody,
) -> Result<Json<SmartcarWebhookAnswer>, Problem> {
    let mut told = headers.get_all(SIGNATURE).iter();
    let first = told.next().and_then(|value| value.to_str().ok());
    // Two signatures are none.
    let signature = first.filter(|_| told.next().is_none());
    // Whoever does not know the secret is a visitor like any other.
    if !webhooks::is_signed(&gateway.service.base, &body, signature) {
        visitors::admit(&gateway.visits, client)?;
    }
    let challenge =
        match webhooks::receive(&gateway.service, &body, signature, query.verification.as_deref())
            .await?
        {
            Received::Verified(signature) => Some(signature),
            Received::Taken => None,
        };
    Ok(Json(SmartcarWebhookAnswer { challenge }))
}
