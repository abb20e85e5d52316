//! Which answers browsers show to scripts of other origins (Fetch, section 3.2). What anybody may read is shown to all;
//! answers of `/v1` are shown to the origins that an organization lists; everything else is shown to nobody.
//!
//! No cookies exist, so credentials are never allowed: a script brings its own token, and this protects nothing from
//! who has one. It protects the people of an organization from pages that its administrators do not know.

use std::sync::{Arc, OnceLock};

use axum::extract::Request;
use axum::http::{Extensions, HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};
use axum::response::{IntoResponse, Response};

use crate::domain::id::OrganizationId;
use crate::service::Base;
use crate::service::allowed_origins::KnownOrigins;

/// What anybody may read: the keys, the record's public parts, and what describes the API.
const OPEN_ROUTES: [&str; 7] = [
    "/.well-known/jwks.json",
    "/log/checkpoint",
    "/log/checkpoint/newest",
    "/log/tile/{level}/{*number}",
    "/openapi.json",
    "/openapi.yaml",
    "/problems/{code}",
];
/// Below `/v1`, and not for scripts: where browsers come back from a consent, and what the vehicle cloud sends.
const CLOSED_ROUTES: [&str; 2] = ["/v1/connections/callback", "/v1/smartcar/webhooks"];

const EXPOSED: HeaderValue = HeaderValue::from_static(
    "ETag, Link, Idempotency-Replayed, Retry-After, Location, X-Request-Id, DPoP-Nonce, WWW-Authenticate",
);
const PREFLIGHT: [(HeaderName, HeaderValue); 3] = [
    (
        header::ACCESS_CONTROL_ALLOW_METHODS,
        HeaderValue::from_static("GET, POST, PUT, PATCH, DELETE"),
    ),
    (
        header::ACCESS_CONTROL_ALLOW_HEADERS,
        HeaderValue::from_static(
            "Authorization, Content-Type, Idempotency-Key, If-Match, Keylend-Acting-For, Prefer, \
             Last-Event-ID, DPoP",
        ),
    ),
    (header::ACCESS_CONTROL_MAX_AGE, HeaderValue::from_static("600")),
];

/// What decides which scripts may read an answer.
#[derive(Clone)]
pub struct Cors {
    /// What every use case works with.
    pub base: Base,
    /// The origins that organizations list.
    pub origins: Arc<KnownOrigins>,
}

/// Whose request it is, once that is known.
#[derive(Debug, Clone, Default)]
pub(super) struct CallersOrganization(Arc<OnceLock<OrganizationId>>);

/// Says that the request's credentials are good and of this organization.
pub(super) fn is_called_by(organization_id: OrganizationId, extensions: &Extensions) {
    if let Some(CallersOrganization(known)) = extensions.get() {
        // Credentials that are looked at again are the same ones.
        let _ = known.set(organization_id);
    }
}

/// Which scripts may read the answer to a request.
pub(super) enum Readers<'c> {
    /// None.
    Nobody,
    /// All.
    Everybody,
    /// Those of this origin, if there is one and it is listed.
    Listed(&'c Cors, Option<(HeaderValue, CallersOrganization)>),
}

impl<'c> Readers<'c> {
    /// Of a request to this route, or to none. It must be asked before the request is carried out.
    pub(super) fn of(
        cors: Option<&'c Arc<Cors>>,
        route: Option<&str>,
        request: &mut Request,
    ) -> Self {
        let Some(cors) = cors else { return Self::Nobody };
        let path = route.unwrap_or_else(|| request.uri().path());
        if OPEN_ROUTES.contains(&path) {
            return Self::Everybody;
        }
        if !path.starts_with("/v1/") || CLOSED_ROUTES.contains(&path) {
            return Self::Nobody;
        }
        let asked = only_origin(request.headers()).map(|origin| {
            let organization = CallersOrganization::default();
            request.extensions_mut().insert(organization.clone());
            (origin, organization)
        });
        Self::Listed(cors, asked)
    }

    /// The answer to a request that only asks whether another one may be sent.
    pub(super) fn preflight(&self, request: &Request) -> Option<Response> {
        let headers = request.headers();
        let is_preflight = request.method() == Method::OPTIONS
            && headers.contains_key(header::ORIGIN)
            && headers.contains_key(header::ACCESS_CONTROL_REQUEST_METHOD)
            && !matches!(self, Self::Nobody);
        is_preflight.then(|| StatusCode::NO_CONTENT.into_response())
    }

    /// Tells the browser who may read the answer.
    pub(super) async fn write_into(self, is_preflight: bool, headers: &mut HeaderMap) {
        let allowed = match self {
            Self::Nobody => return,
            Self::Everybody => Some(HeaderValue::from_static("*")),
            Self::Listed(cors, asked) => {
                headers.append(header::VARY, HeaderValue::from_static("Origin"));
                cors.listed(asked).await
            }
        };
        let Some(allowed) = allowed else { return };
        headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, allowed);
        if is_preflight {
            headers.extend(PREFLIGHT);
        } else {
            headers.insert(header::ACCESS_CONTROL_EXPOSE_HEADERS, EXPOSED);
        }
    }
}

impl Cors {
    /// The origin, if the caller's organization lists it. As long as nobody has shown good credentials (a preflight, a
    /// sign-in, a refusal of credentials), the organization is not known, and any organization's list will do.
    async fn listed(
        &self,
        asked: Option<(HeaderValue, CallersOrganization)>,
    ) -> Option<HeaderValue> {
        let (origin, CallersOrganization(organization)) = asked?;
        let text = origin.to_str().ok()?;
        let is_listed = self.origins.allow(&self.base, text, organization.get().copied()).await;
        is_listed.then_some(origin)
    }
}

/// The origin of the script that asks, if it is one.
fn only_origin(headers: &HeaderMap) -> Option<HeaderValue> {
    let mut origins = headers.get_all(header::ORIGIN).iter();
    let first = origins.next()?;
    origins.next().is_none().then(|| first.clone())
}
