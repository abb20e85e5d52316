//! `/v1/organization/return-urls`: where apps may have browsers back after a consent.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::domain::return_url::{RETURN_URLS_MAX, ReturnUrl};
use crate::http::Gateway;
use crate::http::extract::{ApiJson, SignedIn};
use crate::http::problem::Problem;
use crate::http::v1::each;
use crate::service::return_urls;

/// Where apps may have browsers back.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::http) struct ReturnUrlList {
    /// Addresses by https, or by http on localhost, without a query; they are compared as a whole.
    #[schema(max_items = 20, example = json!(["https://app.example/cars/connected"]))]
    return_urls: Vec<String>,
}

impl FromIterator<ReturnUrl> for ReturnUrlList {
    fn from_iter<I: IntoIterator<Item = ReturnUrl>>(urls: I) -> Self {
        Self { return_urls: urls.into_iter().map(|url| url.to_string()).collect() }
    }
}

/// List where apps may have browsers back after a consent.
#[utoipa::path(get, path = "/v1/organization/return-urls", operation_id = "return_urls.list", tag = "return_urls",
    security(("session" = [])),
    responses((status = 200, description = "The addresses, in alphabetical order.", body = ReturnUrlList)))]
pub(in crate::http) async fn list(
    State(gateway): State<Arc<Gateway>>,
    SignedIn(caller): SignedIn,
) -> Result<Json<ReturnUrlList>, Problem> {
    let urls = return_urls::list(&gateway.service.base, &caller).await?;
    Ok(Json(urls.into_iter().collect()))
}

/// Say where apps may have browsers back after a consent, in place of what was said before. These addresses receive
/// the codes that complete connections.
#[utoipa::path(put, path = "/v1/organization/return-urls", operation_id = "return_urls.replace", tag = "return_urls",
    security(("session" = [])), request_body = ReturnUrlList,
    responses((status = 200, description = "The addresses, in alphabetical order.", body = ReturnUrlList)))]
pub(in crate::http) async fn replace(
    State(gateway): State<Arc<Gateway>>,
    SignedIn(caller): SignedIn,
    body: ApiJson<ReturnUrlList>,
) -> Result<Json<ReturnUrlList>, Problem> {
    let urls = each("/return_urls", &body.value.return_urls, RETURN_URLS_MAX)?;
    return_urls::replace(&gateway.service.base, &caller, &urls).await?;
    Ok(Json(urls.into_iter().collect()))
}
