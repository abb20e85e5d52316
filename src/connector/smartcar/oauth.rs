//! How an owner's consent becomes tokens: the address of the consent page and the token endpoint.
//!
//! It knows the application's credentials. It does not store tokens and does not know whose
//! they are.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::header::AUTHORIZATION;
use http::{HeaderValue, Request, StatusCode};
use secrecy::{ExposeSecret, SecretString};
use url::Url;

use super::{InvalidSettings, classify, decode, sensitive};
use crate::connector::transport::{Answer, Transport, form};
use crate::connector::{AuthorizeRequest, ConnectorError, ReauthenticateRequest, TokenPair};
use crate::smartcar::permission::REQUIRED_PREFIX;
use crate::smartcar::v2::TokenAnswer;

/// The longest token kept; tokens travel in a header.
const TOKEN_BYTES_MAX: usize = 4096;
/// The longest life of an access token believed, in seconds.
const EXPIRES_IN_MAX: u64 = 366 * 24 * 60 * 60;
/// The longest id or secret of an application.
const CREDENTIAL_BYTES_MAX: usize = 512;

/// The application in the eyes of the token endpoint.
#[derive(Debug, Clone)]
pub(super) struct Oauth {
    client_id: String,
    /// `Basic …`, marked sensitive.
    credentials: HeaderValue,
    token_url: String,
    authorize_url: Url,
    reauthenticate_url: Url,
}

impl Oauth {
    pub(super) fn new(
        client_id: String,
        client_secret: &SecretString,
        auth_origin: &str,
        connect_origin: &str,
    ) -> Result<Self, InvalidSettings> {
        let secret = client_secret.expose_secret();
        let fit = |text: &str| {
            (1..=CREDENTIAL_BYTES_MAX).contains(&text.len())
                && text.bytes().all(|b| b.is_ascii_graphic())
        };
        // A colon in the id would end it early.
        if !fit(&client_id) || !fit(secret) || client_id.contains(':') {
            return Err(InvalidSettings::Credentials);
        }
        let page = |name: &str| {
            Url::parse(&format!("{connect_origin}/oauth/{name}"))
                .map_err(|_| InvalidSettings::Origin("connect_origin"))
        };
        let basic = format!("Basic {}", STANDARD.encode([&client_id, ":", secret].concat()));
        Ok(Self {
            credentials: sensitive(basic).ok_or(InvalidSettings::Credentials)?,
            token_url: format!("{auth_origin}/oauth/token"),
            authorize_url: page("authorize")?,
            reauthenticate_url: page("reauthenticate")?,
            client_id,
        })
    }

    /// Protocol page, section 1.1.
    pub(super) fn authorize_url(&self, request: &AuthorizeRequest) -> String {
        let mut url = self.authorize_url.clone();
        let scope: Vec<String> = request
            .permissions
            .iter()
            .map(|(name, required)| match required {
                true => format!("{REQUIRED_PREFIX}{name}"),
                false => (*name).to_owned(),
            })
            .collect();
        let mut query = url.query_pairs_mut();
        query
            .append_pair("response_type", "code")
            .append_pair("client_id", &self.client_id)
            .append_pair("redirect_uri", &request.redirect_uri)
            .append_pair("scope", &scope.join(" "))
            .append_pair("state", &request.state)
            .append_pair("mode", request.mode)
            .append_pair("approval_prompt", "auto")
            .append_pair("user", &request.user);
        if let Some(make) = &request.make {
            query.append_pair("make", make);
        }
        if let Some(single) = &request.single {
            query.append_pair("single_select", "true");
            if let Some(vin) = &single.vin {
                query.append_pair("single_select_vin", vin);
            }
        }
        drop(query);
        url.into()
    }

    /// Protocol page, section 1.1.
    pub(super) fn reauthenticate_url(&self, request: &ReauthenticateRequest) -> String {
        let mut url = self.reauthenticate_url.clone();
        url.query_pairs_mut()
            .append_pair("response_type", "vehicle_id")
            .append_pair("client_id", &self.client_id)
            .append_pair("vehicle_id", &request.provider_vehicle_id)
            .append_pair("redirect_uri", &request.redirect_uri)
            .append_pair("state", &request.state)
            .append_pair("user", &request.user);
        url.into()
    }

    /// Asks the token endpoint once (protocol page, section 1.3).
    pub(super) async fn token(
        &self,
        transport: &Transport,
        fields: &[(&str, &str)],
    ) -> Result<TokenPair, ConnectorError> {
        let request =
            Request::post(&self.token_url).header(AUTHORIZATION, self.credentials.clone());
        let answer = transport.exchange(form(request, fields)).await?;
        if answer.status != StatusCode::OK {
            return Err(classify::token_error(&answer));
        }
        token_pair(&answer)
    }
}

fn token_pair(answer: &Answer) -> Result<TokenPair, ConnectorError> {
    let body: TokenAnswer = decode(answer)?;
    let usable = |token: &str| {
        (1..=TOKEN_BYTES_MAX).contains(&token.len()) && token.bytes().all(|b| b.is_ascii_graphic())
    };
    if !body.token_type.eq_ignore_ascii_case("bearer") {
        return Err(classify::garbled(answer, "a token that is not a bearer token"));
    }
    if !usable(&body.access_token) || !usable(&body.refresh_token) {
        return Err(classify::garbled(answer, "a token that cannot be sent"));
    }
    if !(1..=EXPIRES_IN_MAX).contains(&body.expires_in) {
        return Err(classify::garbled(answer, "a token without a sensible life"));
    }
    Ok(TokenPair {
        access_token: body.access_token.into(),
        refresh_token: body.refresh_token.into(),
        expires_in: Duration::from_secs(body.expires_in),
    })
}
