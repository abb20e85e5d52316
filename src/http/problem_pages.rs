//! A page for each kind of problem: where the `type` of a problem leads.

use axum::response::IntoResponse;

use super::docs;
use super::extract::ApiPath;
use super::problem::{Code, Problem};

/// What one kind of problem means.
#[utoipa::path(get, path = "/problems/{code}", operation_id = "problems.get", tag = "problems", security(()),
    params(("code" = String, Path, pattern = "^[a-z_]{1,64}$", description = "The `code` of a problem.")),
    responses(
        (status = 200, description = "The page.", content_type = "text/html", body = String),
        (status = 404, response = super::openapi::ProblemAnswer),
    ))]
pub(super) async fn show(ApiPath(word): ApiPath<String>) -> Result<impl IntoResponse, Problem> {
    let code = Code::of(&word).ok_or(Problem::of(Code::NotFound))?;
    Ok(docs::problem_page(code.entry()))
}
