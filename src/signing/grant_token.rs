//! Grant tokens: what a grantee shows to prove that a grant was issued to them. The format is
//! described byte by byte in `docs/grant-token.md`; vectors are in `tests/vectors`.
//!
//! A grant token is proof and pointer, not permission: the grant's row decides about every use.
//! Knows no row.

mod known;

use std::borrow::Cow;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::domain::device_key::Thumbprint;
use crate::domain::entitlement::{Entitlement, Entitlements};
use crate::domain::id::{GrantId, OrganizationId, TokenId, UserId, VehicleId};
use crate::domain::time::Timestamp;
use crate::signing::error::{SigningError, TokenError};
use crate::signing::issuers::Issuers;
use crate::signing::keyring::Keyring;
use crate::signing::{jws, numeric_date};

/// The type of these tokens in their header (RFC 8725 section 3.11).
pub const TYP: &str = "grant+jwt";

pub use known::KnownTokens;

/// The claims of a grant token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GrantClaims {
    /// The grant (`grant_id`).
    pub grant_id: GrantId,
    /// The organization of the grant (`organization_id`).
    pub organization_id: OrganizationId,
    /// The car (`vehicle_id`).
    pub vehicle_id: VehicleId,
    /// The grantee, who may use the grant (`sub`).
    pub grantee_id: UserId,
    /// What it allowed when the token was minted (`entitlements`); at least one.
    pub entitlements: Entitlements,
    /// The revision of the grant when the token was minted (`grant_revision`); not negative.
    pub grant_revision: i64,
    /// The first moment at which the grant could be valid (`nbf`); rounded down to a whole second in the token.
    pub not_before: Timestamp,
    /// The first moment at which nothing can be done with the grant, however it is extended (`exp`); rounded up to a whole second in the
    /// token, so that a token never ends before its grant: the row decides exactly.
    pub not_after: Timestamp,
    /// Identifies the token (`jti`); UUIDv7.
    pub token_id: TokenId,
    /// When it was minted (`iat`); rounded down to a whole second in the token.
    pub issued_at: Timestamp,
    /// The key of the device to which the token is bound (`cnf.jkt`, RFC 9449 section 6.1); without one, anyone who has the
    /// token can use it.
    pub device_key: Option<Thumbprint>,
}

/// The claims on the wire, in the order in which they are written.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct WireGrant<'a> {
    iss: Cow<'a, str>,
    aud: Cow<'a, str>,
    sub: UserId,
    jti: TokenId,
    iat: i64,
    nbf: i64,
    exp: i64,
    grant_id: GrantId,
    organization_id: OrganizationId,
    vehicle_id: VehicleId,
    entitlements: Vec<Entitlement>,
    grant_revision: i64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    cnf: Option<Confirmation>,
}

/// What confirms who may show a token (RFC 7800 section 3.1).
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Confirmation {
    jkt: Thumbprint,
}

/// Claims that stood in a valid token. Only [`verify`] makes one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VerifiedGrantToken(Arc<GrantClaims>);

impl VerifiedGrantToken {
    /// What the token says, its times in whole seconds.
    #[must_use]
    pub fn claims(&self) -> &GrantClaims {
        &self.0
    }
}

/// Mints a token with the active grant key. The same key and claims give the same bytes.
///
/// `issuer` is the public base URL of this service; it is also the audience, because the service
/// verifies its own tokens.
///
/// # Errors
/// [`SigningError::BadClaims`] without entitlements, with a negative revision or an end that is
/// not after the start, [`SigningError::TimeOutOfRange`], [`SigningError::TooLong`] (an issuer of
/// thousands of characters), [`SigningError::Refused`].
pub fn mint(keyring: &Keyring, issuer: &str, claims: &GrantClaims) -> Result<String, SigningError> {
    if claims.entitlements.is_empty() {
        return Err(SigningError::BadClaims("no entitlement"));
    }
    if claims.grant_revision < 0 {
        return Err(SigningError::BadClaims("a negative revision"));
    }
    if claims.not_after <= claims.not_before {
        return Err(SigningError::BadClaims("the end is not after the start"));
    }
    let wire = WireGrant {
        iss: issuer.into(),
        aud: issuer.into(),
        sub: claims.grantee_id,
        jti: claims.token_id,
        iat: numeric_date::floor(claims.issued_at)?,
        nbf: numeric_date::floor(claims.not_before)?,
        exp: numeric_date::ceil(claims.not_after)?,
        grant_id: claims.grant_id,
        organization_id: claims.organization_id,
        vehicle_id: claims.vehicle_id,
        entitlements: claims.entitlements.iter().collect(),
        grant_revision: claims.grant_revision,
        cnf: claims.device_key.map(|jkt| Confirmation { jkt }),
    };
    jws::sign(keyring.grants().active(), TYP, &wire)
}

/// Verifies a token: form, header, key, signature, claims, and last the times, so that an
/// expired token of this service is distinguished from a forged one.
///
/// It is valid until before `exp`, without leeway, at the `now` that the caller's clock gave. `nbf` is not compared: no
/// token is there before its grant was issued, and whether the grant is valid yet is its row's to say. The checks
/// `jsonwebtoken` has for times are not used: they read the system's clock themselves, which no test could move,
/// and they grant a leeway.
///
/// # Errors
/// [`TokenError::Invalid`], [`TokenError::Expired`].
pub fn verify(
    keyring: &Keyring,
    issuers: &Issuers,
    token: &str,
    now: Timestamp,
) -> Result<VerifiedGrantToken, TokenError> {
    in_time(Arc::new(genuine(keyring, issuers, token)?), now)
}

/// What a token says that this service signed, whenever it is valid.
fn genuine(keyring: &Keyring, issuers: &Issuers, token: &str) -> Result<GrantClaims, TokenError> {
    let (wire, key): (WireGrant<'static>, _) = jws::verify(keyring.grants(), TYP, token)?;
    if !issuers.accept(&wire.iss) {
        return Err(TokenError::Invalid("iss is not this service"));
    }
    // A token is issued and verified by the same service.
    if wire.aud != wire.iss {
        return Err(TokenError::Invalid("aud is not this service"));
    }
    let claims = read(wire)?;
    if !key.may_have_signed(claims.issued_at) {
        return Err(TokenError::Invalid("its key was retired before"));
    }
    Ok(claims)
}

fn in_time(claims: Arc<GrantClaims>, now: Timestamp) -> Result<VerifiedGrantToken, TokenError> {
    if now >= claims.not_after {
        return Err(TokenError::Expired);
    }
    Ok(VerifiedGrantToken(claims))
}

fn read(wire: WireGrant<'_>) -> Result<GrantClaims, TokenError> {
    let issued_at = numeric_date::read(wire.iat)?;
    let not_before = numeric_date::read(wire.nbf)?;
    let not_after = numeric_date::read(wire.exp)?;
    if not_after <= not_before {
        return Err(TokenError::Invalid("exp is not after nbf"));
    }
    let stated = wire.entitlements.len();
    let entitlements: Entitlements = wire.entitlements.into_iter().collect();
    if stated == 0 || entitlements.iter().count() != stated {
        return Err(TokenError::Invalid("entitlements are empty or repeated"));
    }
    if wire.grant_revision < 0 {
        return Err(TokenError::Invalid("grant_revision is negative"));
    }
    Ok(GrantClaims {
        grant_id: wire.grant_id,
        organization_id: wire.organization_id,
        vehicle_id: wire.vehicle_id,
        grantee_id: wire.sub,
        entitlements,
        grant_revision: wire.grant_revision,
        not_before,
        not_after,
        token_id: wire.jti,
        issued_at,
        device_key: wire.cnf.map(|cnf| cnf.jkt),
    })
}
