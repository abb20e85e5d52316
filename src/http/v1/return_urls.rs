//! `/v1/organization/return-urls`: where apps may have browsers back after a consent.

use std::collections::BTreeSet;
use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::domain::return_url::{RETURN_URLS_MAX, ReturnUrl};
use crate::http::Gateway;
use crate::http::extract::{ApiJson, SignedIn};
use crate::http::problem::Problem;
use crate::service::{Error, Violation, return_urls};

/// Where apps may have browsers back.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::http) struct ReturnUrlList {
    /// Addresses by https, or by http on localhost, without a query; they are compared as a whole.
    #[schema(max_items = 20, example = json!(["https://app.example/cars/connected"]))]
    return_urls: Vec<String>,
}

impl ReturnUrlList {
    fn parsed(&self) -> Result<BTreeSet<ReturnUrl>, Error> {
        if self.return_urls.len() > RETURN_URLS_MAX {
            return Err(Error::invalid("/return_urls", "too_many", "must have at most 20 members"));
        }
        let (mut urls, mut violations) = (BTreeSet::new(), Vec::new());
        for (place, text) in self.return_urls.iter().enumerate() {
            match text.parse() {
                Ok(url) => drop(urls.insert(url)),
                Err(why) => {
                    violations.push(Violation::of(
                        &format!("/return_urls/{place}"),
                        "invalid",
                        why,
                    ));
                }
            }
        }
        if violations.is_empty() { Ok(urls) } else { Err(Error::Invalid(violations)) }
    }
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
    let urls = body.value.parsed()?;
    return_urls::replace(&gateway.service.base, &caller, &urls).await?;
    Ok(Json(urls.into_iter().collect()))
}
