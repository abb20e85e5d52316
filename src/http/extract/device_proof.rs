//! Proofs of devices in requests (DPoP, RFC 9449): the header `DPoP`, and the scheme of that name in `Authorization`. Every
//! answer to a request with a proof offers the nonce for the next one.

use std::sync::Arc;

use axum::extract::{FromRequestParts, Request, State};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderName, HeaderValue};
use axum::middleware::Next;
use axum::response::Response;

use super::presented::Presented;
use crate::http::Gateway;
use crate::http::problem::Problem;
use crate::service::shown_token::ShownToken;
use crate::service::{CredentialFault, Error};
use crate::signing::dpop::{self, Expected, Proof, ProofError};
use crate::signing::grant_token::VerifiedGrantToken;

/// The header with a proof.
const DPOP: HeaderName = HeaderName::from_static("dpop");
/// The header with the nonce for the next proof.
const DPOP_NONCE: HeaderName = HeaderName::from_static("dpop-nonce");

/// The proof that comes with a request whose credentials are something else: what is made there is bound to its key.
#[derive(Debug, Clone, Copy)]
pub struct OptionalProof(pub Option<Proof>);

impl FromRequestParts<Arc<Gateway>> for OptionalProof {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &Arc<Gateway>) -> Result<Self, Problem> {
        Ok(Self(proof(state, parts, None)?))
    }
}

/// A grant token as the request shows it: a bound one with a proof of its device, any other without.
///
/// # Errors
/// [`Error::Unauthenticated`].
pub(in crate::http) fn shown_token(
    gateway: &Gateway,
    parts: &Parts,
    presented: Presented<'_>,
    token: &VerifiedGrantToken,
) -> Result<ShownToken, Error> {
    let proof = match (presented, token.claims().device_key) {
        (Presented::Bearer(_), None) => None,
        (Presented::Bearer(_), Some(_)) => return Err(fault(CredentialFault::ProofMissing)),
        (Presented::Dpop(_), None) => return Err(fault(CredentialFault::Invalid)),
        (Presented::Dpop(text), Some(device_key)) => {
            let proof = proof(gateway, parts, Some(text))?;
            let proof = proof.ok_or(fault(CredentialFault::ProofMissing))?;
            if proof.thumbprint != device_key {
                return Err(fault(CredentialFault::ProofOfAnotherDevice));
            }
            Some(proof)
        }
    };
    ShownToken::new(&gateway.service.base, token.claims().token_id, proof)
}

/// The proof in a request, about this request and the token that it shows.
fn proof(gateway: &Gateway, parts: &Parts, token: Option<&str>) -> Result<Option<Proof>, Error> {
    let Some(text) = only(&parts.headers)? else { return Ok(None) };
    let base = &gateway.service.base;
    let url = format!("{}{}", base.settings.issuers.current(), parts.uri.path());
    let expected = Expected { method: parts.method.as_str(), url: &url, token };
    dpop::verify(text, expected, base.keys().nonces(), base.clock.now()).map(Some).map_err(
        |error| match error {
            ProofError::Invalid(why) => fault(CredentialFault::ProofInvalid(why)),
            ProofError::NonceNeeded => fault(CredentialFault::NonceNeeded),
        },
    )
}

/// The text of the one header that there may be (section 4.3, check 1).
fn only(headers: &HeaderMap) -> Result<Option<&str>, Error> {
    let invalid = |why| fault(CredentialFault::ProofInvalid(why));
    let mut values = headers.get_all(DPOP).iter();
    let Some(first) = values.next() else { return Ok(None) };
    if values.next().is_some() {
        return Err(invalid("there is more than one `DPoP` header"));
    }
    first.to_str().map(Some).map_err(|_| invalid("the proof is not three segments"))
}

const fn fault(fault: CredentialFault) -> Error {
    Error::Unauthenticated(fault)
}

/// Offers a nonce to those who send proofs (section 8.2).
pub(in crate::http) async fn offer_nonce(
    State(gateway): State<Arc<Gateway>>,
    request: Request,
    next: Next,
) -> Response {
    let sends_proofs = request.headers().contains_key(DPOP);
    let mut response = next.run(request).await;
    if sends_proofs {
        let base = &gateway.service.base;
        let nonce = base.keys().nonces().current(base.clock.now());
        if let Ok(nonce) = HeaderValue::try_from(nonce) {
            response.headers_mut().insert(DPOP_NONCE, nonce);
        }
    }
    response
}
