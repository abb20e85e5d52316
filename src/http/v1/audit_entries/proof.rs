//! `GET /v1/audit-entries/{entry_id}/proof`: a file that proves that an entry is in the record.

use std::sync::Arc;

use axum::extract::State;
use axum::http::header;
use axum::response::{IntoResponse, Response};

use crate::domain::id::AuditEntryId;
use crate::http::Gateway;
use crate::http::extract::{ApiPath, SignedIn};
use crate::http::problem::Problem;
use crate::service::record;

/// Get the proof that an entry is in the record, to keep or to show to others; `keylend audit
/// check-proof` checks it without asking anybody. For whoever did it or is told about in it, for
/// the owner of its car, and for administrators.
#[utoipa::path(get, path = "/v1/audit-entries/{entry_id}/proof", operation_id = "audit_entries.prove", tag = "audit_entries",
    security(("session" = []), ("api_client" = ["audit:read"])),
    params(("entry_id" = AuditEntryId, Path, description = "The entry.")),
    responses((status = 200, description = "The proof (C2SP tlog-proof), with the entry in its `extra` line.", content_type = "text/plain", body = String)))]
pub(in crate::http) async fn prove(
    State(gateway): State<Arc<Gateway>>,
    SignedIn(caller): SignedIn,
    ApiPath(entry_id): ApiPath<AuditEntryId>,
) -> Result<Response, Problem> {
    let proof = record::prove(&gateway.service.record, &caller, entry_id).await?;
    let media_type = [(header::CONTENT_TYPE, "text/plain; charset=utf-8")];
    Ok((media_type, proof.to_bytes()).into_response())
}
