//! `/log/…`: the record as a transparency log (C2SP tlog-tiles): its checkpoint and its tiles for
//! everybody, its entries for the operator's own reader.

use std::sync::Arc;

use axum::Router;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, HeaderName, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;

use super::Gateway;
use super::extract::bearer;
use super::problem::{Code, Problem};
use crate::audit::tile::TileSlice;
use crate::service::record;

/// A tile of a given width never changes.
const FOR_EVER: &str = "public, max-age=31536000, immutable";
const FRESH: &str = "no-cache";

/// The paths below `/log`. Only the checkpoint is described as an operation: OpenAPI has no
/// parameters that hold slashes, which the numbers of tiles do.
pub(super) fn tiles() -> Router<Arc<Gateway>> {
    Router::new()
        .route("/log/tile/entries/{*number}", get(entries))
        .route("/log/entries/{*number}", get(entries))
        .route("/log/tile/{level}/{*number}", get(tile))
}

/// The newest checkpoint of the record that enough of its witnesses have cosigned, or the newest of
/// all if it has no witnesses: how many entries it has, the hash over all of them, and the
/// signatures. Its tiles are at `/log/tile/…` (C2SP tlog-tiles).
#[utoipa::path(get, path = "/log/checkpoint", operation_id = "log.checkpoint", tag = "log", security(()),
    responses((status = 200, description = "The signed checkpoint (C2SP tlog-checkpoint).", content_type = "text/plain", body = String),
        (status = 404, response = super::openapi::ProblemAnswer)))]
pub(super) async fn checkpoint(State(gateway): State<Arc<Gateway>>) -> Result<Response, Problem> {
    let note = record::checkpoint(&gateway.service.record).await?;
    Ok((typed("text/plain; charset=utf-8", FRESH), note).into_response())
}

/// The newest checkpoint of the record, whoever has cosigned it: also while witnesses are away.
#[utoipa::path(get, path = "/log/checkpoint/newest", operation_id = "log.newest_checkpoint", tag = "log", security(()),
    responses((status = 200, description = "The signed checkpoint (C2SP tlog-checkpoint).", content_type = "text/plain", body = String),
        (status = 404, response = super::openapi::ProblemAnswer)))]
pub(super) async fn newest_checkpoint(
    State(gateway): State<Arc<Gateway>>,
) -> Result<Response, Problem> {
    let note = record::newest_checkpoint(&gateway.service.record).await?;
    Ok((typed("text/plain; charset=utf-8", FRESH), note).into_response())
}

async fn tile(
    State(gateway): State<Arc<Gateway>>,
    Path((level, number)): Path<(String, String)>,
) -> Result<Response, Problem> {
    let path = format!("{level}/{number}");
    let slice: TileSlice = path.parse().map_err(|_| Problem::of(Code::NotFound))?;
    let hashes = record::tile(&gateway.service.base, slice).await?;
    Ok((typed("application/octet-stream", FOR_EVER), hashes).into_response())
}

async fn entries(
    State(gateway): State<Arc<Gateway>>,
    headers: HeaderMap,
    Path(number): Path<String>,
) -> Result<Response, Problem> {
    let slice = TileSlice::parse(0, &number).map_err(|_| Problem::of(Code::NotFound))?;
    let entries = record::entries(&gateway.service.record, bearer(&headers)?, slice).await?;
    Ok((typed("application/octet-stream", "no-store"), entries).into_response())
}

fn typed(media_type: &'static str, caching: &'static str) -> [(HeaderName, &'static str); 2] {
    [(header::CONTENT_TYPE, media_type), (header::CACHE_CONTROL, caching)]
}
