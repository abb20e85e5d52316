//! Lists, a page at a time: `?limit=&cursor=` in, `{"data": […], "next_cursor": …}` and
//! `Link: rel="next"` out.

use axum::Json;
use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::http::{HeaderValue, Uri, header};
use axum::response::{IntoResponse, Response};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use url::form_urlencoded;
use uuid::Uuid;

use super::query;
use crate::domain::schema::text;
use crate::http::problem::Problem;
use crate::service::Violation;
use crate::storage::Page;

const LIMIT_DEFAULT: usize = 50;
const LIMIT_MAX: usize = 100;
/// The first byte of every cursor, so that another form can be told from this one.
const CURSOR_VERSION: u8 = 1;

/// For lists that cannot be filtered.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NoFilter {}

/// The parameters of every list, for its description.
#[derive(Debug, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "read by the description alone")]
pub struct PageParams {
    /// At most so many rows; 50 if it is not sent.
    #[param(minimum = 1, maximum = 100)]
    limit: Option<u32>,
    /// The `next_cursor` of the page before.
    #[param(value_type = Option<Cursor>)]
    cursor: Option<String>,
}

/// Where a page begins.
struct Cursor;

described!(Cursor, text("Where a page of a list begins.").pattern(Some("^[A-Za-z0-9_-]{23}$")));

/// Which part of a list is asked for, and the filter `F`, which should deny unknown fields.
#[derive(Debug, Clone)]
pub struct Paged<F = NoFilter> {
    /// What to ask the store for: one row more than the client wants, which tells whether there
    /// is another page.
    pub page: Page,
    /// The other parameters.
    pub filter: F,
    limit: usize,
    path: String,
    filter_query: String,
}

/// One page of a list.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct List<T> {
    /// The rows, newest first.
    data: Vec<T>,
    /// Send it as `cursor` to get the next page; `null` on the last one.
    #[schema(value_type = Option<Cursor>)]
    next_cursor: Option<String>,
    #[serde(skip)]
    #[schema(ignore)]
    next: Option<String>,
}

impl<F> Paged<F> {
    /// The answer made of the rows that the store gave for [`Paged::page`].
    pub fn list<R, T>(
        &self,
        mut rows: Vec<R>,
        id: impl Fn(&R) -> Uuid,
        show: impl FnMut(R) -> T,
    ) -> List<T> {
        let is_more = rows.len() > self.limit;
        rows.truncate(self.limit);
        let next_cursor = rows.last().filter(|_| is_more).map(|row| cursor(id(row)));
        let next = next_cursor.as_ref().map(|cursor| {
            let (path, limit, filter) = (&self.path, self.limit, &self.filter_query);
            let joint = if filter.is_empty() { "" } else { "&" };
            format!("{path}?{filter}{joint}limit={limit}&cursor={cursor}")
        });
        List { data: rows.into_iter().map(show).collect(), next_cursor, next }
    }
}

impl<T: Serialize> IntoResponse for List<T> {
    fn into_response(self) -> Response {
        let link = self
            .next
            .as_ref()
            .and_then(|next| HeaderValue::try_from(format!("<{next}>; rel=\"next\"")).ok());
        let mut response = Json(self).into_response();
        if let Some(link) = link {
            response.headers_mut().insert(header::LINK, link);
        }
        response
    }
}

impl<S: Send + Sync, F: DeserializeOwned + Send> FromRequestParts<S> for Paged<F> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, Problem> {
        Self::of(&parts.uri)
    }
}

impl<F: DeserializeOwned> Paged<F> {
    fn of(uri: &Uri) -> Result<Self, Problem> {
        let (mut limit, mut before) = (None, None);
        let mut filter = form_urlencoded::Serializer::new(String::new());
        for (name, value) in form_urlencoded::parse(uri.query().unwrap_or_default().as_bytes()) {
            match name.as_ref() {
                "limit" if limit.is_some() => return Err(twice("?limit")),
                "cursor" if before.is_some() => return Err(twice("?cursor")),
                "limit" => limit = Some(parse_limit(&value)?),
                "cursor" => before = Some(parse_cursor(&value)?),
                _ => {
                    filter.append_pair(&name, &value);
                }
            }
        }
        let filter_query = filter.finish();
        let limit = limit.unwrap_or(LIMIT_DEFAULT);
        Ok(Self {
            page: Page { before, limit: i64::try_from(limit + 1).unwrap_or(i64::MAX) },
            filter: query::decode_text(&filter_query)?,
            limit,
            path: uri.path().to_owned(),
            filter_query,
        })
    }
}

fn twice(pointer: &str) -> Problem {
    let violation = Violation::of(pointer, "duplicate_field", "must be given once");
    Problem::invalid(vec![violation])
}

fn parse_limit(text: &str) -> Result<usize, Problem> {
    let limit = text.parse().ok().filter(|n| (1..=LIMIT_MAX).contains(n));
    limit.ok_or_else(|| {
        let detail = format!("must be a number from 1 to {LIMIT_MAX}");
        Problem::invalid(vec![Violation::of("?limit", "invalid", detail)])
    })
}

fn parse_cursor(text: &str) -> Result<Uuid, Problem> {
    let bytes = URL_SAFE_NO_PAD.decode(text).unwrap_or_default();
    let id = match bytes.split_first() {
        Some((&CURSOR_VERSION, id)) => Uuid::from_slice(id).ok(),
        _ => None,
    };
    id.ok_or_else(|| {
        let detail = "must be a next_cursor of an earlier answer";
        Problem::invalid(vec![Violation::of("?cursor", "invalid", detail)])
    })
}

fn cursor(id: Uuid) -> String {
    let mut bytes = vec![CURSOR_VERSION];
    bytes.extend_from_slice(id.as_bytes());
    URL_SAFE_NO_PAD.encode(bytes)
}

#[cfg(test)]
#[path = "page_test.rs"]
mod tests;
