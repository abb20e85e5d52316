//! A page for each kind of problem: where the `type` of a problem leads.

use axum::response::Html;

use super::extract::ApiPath;
use super::problem::{Code, Problem};

/// What one kind of problem means.
#[utoipa::path(get, path = "/problems/{code}", operation_id = "problems.get", tag = "problems", security(()),
    params(("code" = String, Path, pattern = "^[a-z_]{1,64}$", description = "The `code` of a problem.")),
    responses(
        (status = 200, description = "The page.", content_type = "text/html", body = String),
        (status = 404, response = super::openapi::ProblemAnswer),
    ))]
pub(super) async fn show(ApiPath(word): ApiPath<String>) -> Result<Html<String>, Problem> {
    let entry = Code::of(&word).ok_or(Problem::of(Code::NotFound))?.entry();
    let resolution = serde_json::to_value(entry.resolution).unwrap_or_default();
    let resolution = resolution.as_str().unwrap_or_default();
    let retryable = if entry.retryable { "yes" } else { "no" };
    // Everything below comes from the catalog, which holds no markup.
    Ok(Html(format!(
        "<!doctype html>\n<html lang=\"en\">\n<meta charset=\"utf-8\">\n\
         <title>{code} - Keylend</title>\n<h1>{code}</h1>\n<p>{title}.</p>\n<dl>\n\
         <dt>Usual status</dt><dd>{status}</dd>\n\
         <dt>May the same request work later?</dt><dd>{retryable}</dd>\n\
         <dt>What would help</dt><dd>{resolution}</dd>\n\
         <dt>What people are told</dt><dd>{user_message}</dd>\n</dl>\n</html>\n",
        code = entry.code,
        title = entry.title,
        status = entry.status,
        user_message = entry.user_message,
    )))
}
