//! The description of the interface (OpenAPI 3.1), made from the handlers, and the page that shows it.

mod operations;
mod page;
mod schemas;

use utoipa::openapi::OpenApi as Document;
use utoipa::openapi::security::{
    ClientCredentials, Flow, Http, HttpAuthScheme, HttpBuilder, OAuth2, Scopes, SecurityScheme,
};
use utoipa::{Modify, OpenApi};

pub(super) use page::routes;

use super::extract::IdempotencyKey;
use super::problem;
use super::v1::grants::WaitFor;
use crate::domain::actor::Scope;
use crate::domain::fault::Resolution;
use crate::domain::user::AccountStatus;

/// The security scheme of people.
pub const SESSION: &str = "session";
/// The security scheme of API clients.
pub const API_CLIENT: &str = "api_client";
/// The security scheme of guests' apps.
pub const GRANT_TOKEN: &str = "grant_token";
/// The same, where Smartcar wants an application management token.
pub const GRANT_TOKEN_AS_MANAGEMENT_TOKEN: &str = "grant_token_as_management_token";

/// What an answer with a problem looks like: `(status = 404, response = ProblemAnswer)`.
#[derive(Debug, utoipa::ToResponse)]
#[response(description = "Why it was not done.", content_type = "application/problem+json")]
pub struct ProblemAnswer<'a>(
    #[allow(dead_code, reason = "read by the description alone")] problem::Document<'a>,
);

#[derive(OpenApi)]
#[openapi(
    info(
        title = "Keylend",
        description = "Lends car keys: signed, time-bounded grants, honest commands, a complete record.",
        contact(name = "The developers of Keylend"),
        license(name = "Apache-2.0", identifier = "Apache-2.0"),
    ),
    servers((url = "/")),
    tags(
        (name = "sessions", description = "Signing in and out, for people."),
        (name = "oauth", description = "Access tokens for API clients (RFC 6749)."),
        (name = "users", description = "The people of the organization."),
        (name = "claims", description = "Links by which people come to their accounts."),
        (name = "device_keys", description = "The keys of people's devices, to which grant tokens are bound."),
        (name = "allowed_clients", description = "The API clients that may act for a person."),
        (name = "api_clients", description = "The programs of the organization."),
        (name = "connections", description = "Owners' consents at the vehicle cloud."),
        (name = "return_urls", description = "Where apps may have browsers back after a consent."),
        (name = "allowed_origins", description = "Origins of web apps that call the API from browsers."),
        (name = "vehicles", description = "Cars."),
        (name = "grants", description = "Rights to use a car for a time: the keys that are lent."),
        (name = "keys", description = "The public keys that grant tokens are verified with."),
        (name = "holds", description = "Pauses of what grants allow."),
        (name = "ends", description = "Ends of all grants within a scope."),
        (name = "access_checks", description = "Questions about what is allowed, without doing anything."),
        (name = "commands", description = "Requests to cars, and what became of them."),
        (name = "events", description = "What happened, as it happens."),
        (name = "webhook_endpoints", description = "Addresses that events are sent to."),
        (name = "audit_entries", description = "The record, and proofs of it."),
        (name = "log", description = "The record as a transparency log (C2SP tlog-tiles)."),
        (name = "smartcar", description = "What Smartcar tells the service."),
        (name = "smartcar_v2", description = "Smartcar's API v2.0 with a grant token as the access token."),
        (name = "smartcar_v3", description = "Smartcar's API v3 with a grant token as the access token."),
        (name = "problems", description = "What can go wrong, kind by kind."),
        (name = "health", description = "How the service is doing."),
    ),
    components(
        schemas(WaitFor, problem::Document<'static>, problem::FieldError<'static>, Resolution, AccountStatus, IdempotencyKey),
        responses(ProblemAnswer<'static>),
    ),
    modifiers(&Securities),
)]
struct Base;

/// The ways to show who one is.
struct Securities;

impl Modify for Securities {
    fn modify(&self, document: &mut Document) {
        let components = document.components.get_or_insert_default();
        let schemes = [
            (SESSION, bearer("at+jwt", "The access token of `POST /v1/sessions`.")),
            (API_CLIENT, client_credentials()),
            (
                GRANT_TOKEN,
                bearer("grant+jwt", "The signed form of one grant, held by its grantee's app."),
            ),
        ];
        let as_management_token = HttpBuilder::new()
            .scheme(HttpAuthScheme::Basic)
            .description(Some("The name `default`, and a grant token for the password."))
            .build();
        let schemes = schemes
            .into_iter()
            .chain([(GRANT_TOKEN_AS_MANAGEMENT_TOKEN, SecurityScheme::Http(as_management_token))]);
        for (name, scheme) in schemes {
            components.add_security_scheme(name, scheme);
        }
    }
}

fn bearer(format: &str, description: &str) -> SecurityScheme {
    let http: Http = HttpBuilder::new()
        .scheme(HttpAuthScheme::Bearer)
        .bearer_format(format)
        .description(Some(description))
        .build();
    SecurityScheme::Http(http)
}

fn client_credentials() -> SecurityScheme {
    let scopes = Scope::ALL.iter().map(|scope| (scope.as_str(), scope.as_str()));
    let flow = ClientCredentials::new("/oauth/token", Scopes::from_iter(scopes));
    let description = "For API clients of the organization (RFC 6749 section 4.4).";
    SecurityScheme::OAuth2(OAuth2::with_description([Flow::ClientCredentials(flow)], description))
}

/// The description without any operation.
#[must_use]
pub fn base() -> Document {
    Base::openapi()
}

/// The whole description: what handlers say of themselves, with what is true of every operation, and in the form that
/// makes good clients.
///
/// A description that cannot be read back stays as handlers gave it; the contract test would find it out.
#[must_use]
pub fn complete(given: Document) -> Document {
    let mut api = serde_json::to_value(&given).unwrap_or_default();
    operations::complete(&mut api);
    schemas::complete(&mut api);
    serde_json::from_value(api).unwrap_or_else(|error| {
        tracing::error!(%error, "the API's description is not complete");
        given
    })
}

/// The description as YAML, as it is checked in.
///
/// # Errors
/// A text for the operator if the description cannot be written.
pub fn yaml(api: &Document) -> Result<String, String> {
    api.to_yaml().map_err(|error| error.to_string())
}

#[cfg(test)]
#[path = "openapi_test.rs"]
mod tests;
