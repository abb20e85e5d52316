//! Handlers as they are meant to be written, small enough to be read as an example.

use axum::Json;
use axum::body::Body;
use axum::http::{Request, StatusCode};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::extract::{
    ApiJson, ApiPath, IdempotencyKey, List, OptionalJson, PageParams, Paged, Wait,
};
use super::openapi;
use super::problem::Problem;
use super::test_requests::{get, problem_of, send, status_and_code, text};
use crate::domain::id::GrantId;
use crate::service::Error;

#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct IssueBody {
    /// How often the car may be opened.
    uses: u8,
}

#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct RevokeBody {
    #[serde(default)]
    reason: Option<String>,
}

#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct Filter {
    /// Only keys with so many uses.
    uses: Option<u8>,
}

#[derive(Debug, Serialize, ToSchema)]
struct GrantView {
    #[schema(value_type = String, example = "grt_00000000000000000000000007")]
    grant_id: GrantId,
    uses: u8,
}

fn grant(number: u128, uses: u8) -> GrantView {
    let grant_id = GrantId::from_uuid(uuid::Uuid::from_u128(number));
    GrantView { grant_id, uses }
}

#[utoipa::path(post, path = "/v1/grants", operation_id = "issue_grant", tag = "grants",
    params(("Idempotency-Key" = IdempotencyKey, Header), Wait), request_body = IssueBody, security(("session" = [])),
    responses((status = 201, description = "The grant.", body = GrantView)))]
async fn issue(
    IdempotencyKey(key): IdempotencyKey,
    Wait(wait): Wait,
    ApiJson { value, hash }: ApiJson<IssueBody>,
) -> Result<(StatusCode, Json<GrantView>), Problem> {
    assert_eq!((key.as_str(), wait.as_secs(), hash.len()), ("k1", 3, 32));
    if value.uses == 0 {
        // What a use case answers: `service.issue(…).await?`
        Err(Error::invalid("/uses", "too_small", "must be at least 1"))?;
    }
    Ok((StatusCode::CREATED, Json(grant(7, value.uses))))
}

#[utoipa::path(get, path = "/v1/grants", operation_id = "list_grants", tag = "grants",
    params(PageParams, Filter),
    responses((status = 200, description = "The grants.", body = List<GrantView>)))]
async fn list(paged: Paged<Filter>) -> List<GrantView> {
    let uses = paged.filter.uses.unwrap_or(9);
    let rows = vec![(3, uses), (2, uses)];
    paged.list(rows, |row| uuid::Uuid::from_u128(row.0), |row| grant(row.0, row.1))
}

#[utoipa::path(post, path = "/v1/grants/{grant_id}/revoke", operation_id = "revoke_grant",
    tag = "grants", params(("grant_id" = String, Path, description = "The grant.")),
    request_body = Option<RevokeBody>,
    responses((status = 200, description = "The grant.", body = GrantView)))]
async fn revoke(
    ApiPath(grant_id): ApiPath<GrantId>,
    key: Option<IdempotencyKey>,
    body: OptionalJson<RevokeBody>,
) -> Result<Json<GrantView>, Problem> {
    assert_eq!((key, body.value.reason), (None, None));
    Ok(Json(GrantView { grant_id, uses: 1 }))
}

fn parts() -> (axum::Router, serde_json::Value) {
    let router = OpenApiRouter::with_openapi(openapi::base())
        .routes(routes!(issue, list))
        .routes(routes!(revoke));
    let (router, api) = router.split_for_parts();
    (router, serde_json::to_value(openapi::complete(api)).unwrap())
}

async fn issued(body: &'static str) -> axum::response::Response {
    let request = Request::post("/v1/grants")
        .header("content-type", "application/json")
        .header("idempotency-key", "\"k1\"")
        .header("prefer", "wait=3")
        .body(Body::from(body));
    send(parts().0, request.unwrap()).await
}

#[tokio::test]
async fn a_handler_sees_only_what_is_well_formed() {
    assert_eq!(issued(r#"{"uses":2}"#).await.status(), 201);
    let refused = problem_of(issued(r#"{"uses":0}"#).await).await;
    assert_eq!(refused["errors"][0]["pointer"], "/uses");
    let bare = Request::post("/v1/grants").body(Body::empty()).unwrap();
    let bare = status_and_code(send(parts().0, bare).await).await;
    assert_eq!(bare, (400, "idempotency_key_required".into()));
    let path = format!("/v1/grants/{}/revoke", grant(7, 1).grant_id);
    let request = Request::post(path).body(Body::empty()).unwrap();
    assert_eq!(send(parts().0, request).await.status(), 200);
}

#[tokio::test]
async fn a_list_is_a_page_with_a_link() {
    let page = get(parts().0, "/v1/grants?limit=1&uses=4").await;
    let link = page.headers()["link"].to_str().unwrap().to_owned();
    let page: serde_json::Value = serde_json::from_str(&text(page).await).unwrap();
    assert_eq!(page["data"][0]["uses"], 4);
    assert_eq!(page.as_object().unwrap().len(), 2, "{page}");
    let cursor = page["next_cursor"].as_str().unwrap();
    assert_eq!(link, format!("</v1/grants?uses=4&limit=1&cursor={cursor}>; rel=\"next\""));
}

#[test]
fn the_description_tells_what_the_extractors_take() {
    let (_, api) = parts();
    let parameters = |path: &str, method: &str| -> Vec<String> {
        let all = api["paths"][path][method]["parameters"].as_array();
        let told = |one: &serde_json::Value| {
            let word = |name: &str| one[name].as_str().unwrap_or_default().to_owned();
            let required = one["required"].as_bool().unwrap_or(false);
            format!("{} {} {required}", word("in"), word("name"))
        };
        all.unwrap().iter().map(told).collect()
    };
    let issue = parameters("/v1/grants", "post");
    assert_eq!(issue, ["header Idempotency-Key true", "header Prefer false"]);
    let list = parameters("/v1/grants", "get");
    let expected = ["query limit false", "query cursor false", "query uses false"];
    assert_eq!(list, expected);
    let page = &api["components"]["schemas"]["GrantViewList"]["properties"];
    assert_eq!(page.as_object().unwrap().len(), 2, "{page}");
}
