//! `POST /v1/claims/redeem`: coming to an account by a link.

use std::sync::Arc;

use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::{Extension, Json};
use secrecy::SecretString;
use serde::Deserialize;
use utoipa::ToSchema;

use crate::http::Gateway;
use crate::http::client_address::ClientAddress;
use crate::http::extract::{ApiJson, bearer};
use crate::http::problem::{Code, Problem};
use crate::http::request_id::RequestId;
use crate::http::v1::sessions::SessionBody;
use crate::service::Violation;
use crate::service::claims::{self, Redemption};
use crate::service::credentials::{self, Credential};
use crate::service::sessions::Origin;

/// What a person comes to an account with.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::http) struct RedeemClaim {
    /// The secret of the link.
    #[schema(value_type = String, max_length = 256, example = "kl_claim_…")]
    claim_token: SecretString,
    /// At least 15 characters, chosen by the person.
    #[schema(value_type = Option<String>, format = Password, min_length = 15, max_length = 256)]
    password: Option<SecretString>,
    /// What they were told another way, if the link needs it.
    #[schema(value_type = Option<String>, max_length = 16, example = "123456")]
    pin: Option<SecretString>,
    /// Whether the app that made the account may go on acting for the person. No if not given.
    #[serde(default)]
    keep_client: bool,
}

/// Come to an account by a link: it works once, and signs the person in.
#[utoipa::path(post, path = "/v1/claims/redeem", operation_id = "claims.redeem", tag = "claims",
    security(()), request_body = RedeemClaim,
    responses((status = 201, description = "Signed in.", body = SessionBody)))]
pub(in crate::http) async fn redeem(
    State(gateway): State<Arc<Gateway>>,
    Extension(ClientAddress(address)): Extension<ClientAddress>,
    request_id: RequestId,
    headers: HeaderMap,
    body: ApiJson<RedeemClaim>,
) -> Result<(StatusCode, Json<SessionBody>), Problem> {
    refuse_programs(&gateway, &headers).await?;
    let Some(password) = body.value.password.clone() else {
        let violation = Violation::of("/password", "required", "is required for this claim");
        return Err(Problem::invalid(vec![violation]));
    };
    let RedeemClaim { claim_token, pin, keep_client: keeps_client, .. } = body.value;
    let request_id = Some(request_id.recorded().to_owned());
    let origin = Origin { address, request_id };
    let redemption = Redemption { claim_token, password, pin, keeps_client, origin };
    let tokens = claims::redeem(&gateway.service, &redemption).await?;
    Ok((StatusCode::CREATED, Json(tokens.into())))
}

/// A program that shows its credentials here has mistaken what a claim is for.
async fn refuse_programs(gateway: &Gateway, headers: &HeaderMap) -> Result<(), Problem> {
    let Ok(bearer) = bearer(headers) else { return Ok(()) };
    match credentials::check_access_token(&gateway.service.base, bearer).await {
        Ok(Credential::ApiClient(_)) => Err(Problem::of(Code::PersonOnly)),
        _ => Ok(()),
    }
}
