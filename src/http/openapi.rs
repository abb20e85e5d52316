//! The description of the interface (OpenAPI 3.1), made from the handlers, and the page that
//! shows it. Nothing is loaded from elsewhere.

use axum::Router;
use axum::extract::Request;
use axum::http::header;
use axum::middleware::{self, Next};
use axum::response::Response;
use axum::routing::get;
use bytes::Bytes;
use utoipa::openapi::path::{Operation, Parameter, ParameterBuilder, ParameterIn};
use utoipa::openapi::schema::{ObjectBuilder, Type};
use utoipa::openapi::security::{
    ClientCredentials, Flow, Http, HttpAuthScheme, HttpBuilder, OAuth2, Scopes, SecurityScheme,
};
use utoipa::openapi::{OpenApi as Document, Ref, RefOr};
use utoipa::{Modify, OpenApi};
use utoipa_swagger_ui::{Config, SwaggerUi};

use super::headers::CSP_DOCS;
use super::problem;
use crate::domain::actor::Scope;

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
        license(name = "Apache-2.0", identifier = "Apache-2.0"),
    ),
    servers((url = "/")),
    tags(
        (name = "sessions", description = "Signing in, for people and API clients."),
        (name = "users", description = "The people of the organization."),
        (name = "connections", description = "Owners' consents at the vehicle cloud."),
        (name = "vehicles", description = "Cars."),
        (name = "grants", description = "Rights to use a car for a time: the keys that are lent."),
        (name = "holds", description = "Pauses of what grants allow."),
        (name = "commands", description = "Requests to cars, and what became of them."),
        (name = "events", description = "What happened, as it happens."),
        (name = "webhooks", description = "Addresses that events are sent to."),
        (name = "audit", description = "The record."),
        (name = "smartcar", description = "Smartcar's API v2.0 with a grant token as the access token."),
        (name = "problems", description = "What can go wrong, kind by kind."),
        (name = "health", description = "How the service is doing."),
    ),
    components(
        schemas(problem::Document<'static>, problem::FieldError<'static>, crate::domain::fault::Resolution),
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

/// Whom an API client acts for, where API clients may ask.
fn acting_for() -> Parameter {
    let person =
        ObjectBuilder::new().schema_type(Type::String).examples(["usr_01k0a6v8w5e3tb3q6m1x9r7yzn"]);
    ParameterBuilder::new()
        .name("Keylend-Acting-For")
        .parameter_in(ParameterIn::Header)
        .description(Some(
            "For API clients alone: the user for whom the request is made. Without it they make accounts and read; \
             everything else answers `acting_for_missing`.",
        ))
        .schema(Some(person))
        .build()
}

fn is_for_api_clients(operation: &Operation) -> bool {
    let mut requirements = operation.security.iter().flatten();
    requirements.any(|requirement| {
        serde_json::to_value(requirement).is_ok_and(|schemes| schemes.get(API_CLIENT).is_some())
    })
}

/// The description with what is true of every operation: it may answer with a problem, and an API client says
/// for whom it asks. Handlers therefore list only the problems that need a word of their own.
#[must_use]
pub fn complete(mut api: Document) -> Document {
    for item in api.paths.paths.values_mut() {
        let operations =
            [&mut item.get, &mut item.put, &mut item.post, &mut item.delete, &mut item.patch];
        for operation in operations.into_iter().flatten() {
            if is_for_api_clients(operation) {
                operation.parameters.get_or_insert_default().push(RefOr::T(acting_for()));
            }
            let answers = &mut operation.responses.responses;
            // Operations that speak another protocol's errors have said so.
            if answers.contains_key("4XX") {
                continue;
            }
            for range in ["4XX", "5XX"] {
                let problem = Ref::from_response_name("ProblemAnswer").into();
                answers.entry(range.to_owned()).or_insert(problem);
            }
        }
    }
    api
}

/// The description as YAML, as it is checked in.
///
/// # Errors
/// A text for the operator if the description cannot be written.
pub fn yaml(api: &Document) -> Result<String, String> {
    api.to_yaml().map_err(|error| error.to_string())
}

/// The routes of the description and of the page that shows it.
pub(super) fn routes<S: Clone + Send + Sync + 'static>(api: &Document) -> Router<S> {
    let yaml = Bytes::from(yaml(api).unwrap_or_default());
    let json = Bytes::from(api.to_json().unwrap_or_default());
    let config = Config::new(["/openapi.json"]).validator_url("none").deep_linking(true);
    let docs: Router<S> = SwaggerUi::new("/docs").config(config).into();
    Router::new()
        .route("/openapi.yaml", served("application/yaml", yaml))
        .route("/openapi.json", served("application/json", json))
        .merge(docs.layer(middleware::from_fn(with_docs_policy)))
}

fn served<S: Clone + Send + Sync + 'static>(
    media_type: &'static str,
    text: Bytes,
) -> axum::routing::MethodRouter<S> {
    get(async move || ([(header::CONTENT_TYPE, media_type)], text))
}

async fn with_docs_policy(request: Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_SECURITY_POLICY, CSP_DOCS);
    response
}
