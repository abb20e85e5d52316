//! The grant token: the signed form of a grant, specified in `docs/grant-token.md`. It proves
//! that this service issued the grant to its grantee, and points at the row that decides. It does
//! not prove that the grant has not been ended since.

use serde::{Deserialize, Serialize};

use super::jws::{self, SigningError, TokenError};
use super::keyring::Keyring;
use crate::domain::entitlement::{Entitlement, Entitlements};
use crate::domain::grant::Validity;
use crate::domain::id::{GrantId, OrganizationId, TokenId, UserId, VehicleId};
use crate::domain::time::Timestamp;

/// The `typ` of a grant token: it can never be taken for a token of another kind.
pub const TYPE: &str = "grant+jwt";

/// What a grant token says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GrantClaims {
    /// To whom the grant was issued (`sub`).
    pub grantee_id: UserId,
    /// The token's own name (`jti`).
    pub token_id: TokenId,
    /// When it was signed (`iat`, whole seconds).
    pub issued_at: Timestamp,
    /// The grant's validity (`nbf` rounded down, `exp` rounded up to whole seconds: the row is
    /// exact).
    pub validity: Validity,
    /// The grant.
    pub grant_id: GrantId,
    /// Its tenant.
    pub organization_id: OrganizationId,
    /// The car.
    pub vehicle_id: VehicleId,
    /// What it allowed when the token was signed.
    pub entitlements: Entitlements,
    /// The grant's revision when the token was signed.
    pub grant_revision: i64,
}

/// In the order in which they are written.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Wire {
    iss: String,
    aud: String,
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
}

/// What a verified grant token points at. Only [`verify`] makes one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VerifiedGrantToken {
    grantee_id: UserId,
    grant_id: GrantId,
    organization_id: OrganizationId,
    vehicle_id: VehicleId,
}

impl VerifiedGrantToken {
    /// To whom the grant was issued.
    #[must_use]
    pub const fn grantee_id(&self) -> UserId {
        self.grantee_id
    }

    /// The grant whose row decides.
    #[must_use]
    pub const fn grant_id(&self) -> GrantId {
        self.grant_id
    }

    /// Its tenant.
    #[must_use]
    pub const fn organization_id(&self) -> OrganizationId {
        self.organization_id
    }

    /// The car.
    #[must_use]
    pub const fn vehicle_id(&self) -> VehicleId {
        self.vehicle_id
    }
}

/// Whole seconds, rounded up.
fn seconds_up(time: Timestamp) -> i64 {
    let down = time.as_unix_seconds();
    let is_whole = Timestamp::from_unix_seconds(down) == Some(time);
    if is_whole { down } else { down + 1 }
}

/// Signs a grant. `issuer` is the service's public address.
///
/// # Errors
/// [`SigningError`] if the key cannot sign.
pub fn mint(keyring: &Keyring, issuer: &str, claims: &GrantClaims) -> Result<String, SigningError> {
    let wire = Wire {
        iss: issuer.to_owned(),
        aud: issuer.to_owned(),
        sub: claims.grantee_id,
        jti: claims.token_id,
        iat: claims.issued_at.as_unix_seconds(),
        nbf: claims.validity.not_before().as_unix_seconds(),
        exp: seconds_up(claims.validity.not_after()),
        grant_id: claims.grant_id,
        organization_id: claims.organization_id,
        vehicle_id: claims.vehicle_id,
        entitlements: claims.entitlements.iter().collect(),
        grant_revision: claims.grant_revision,
    };
    jws::sign(&keyring.grants, TYPE, &wire)
}

/// Checks a grant token at the time `now`. The service is issuer and audience alike: it verifies
/// what it signed. There is no leeway, since both ends read the same clock.
///
/// # Errors
/// [`TokenError`] says whether it is not ours, not any more, or not yet.
pub fn verify(
    keyring: &Keyring,
    issuer: &str,
    token: &str,
    now: Timestamp,
) -> Result<VerifiedGrantToken, TokenError> {
    let wire: Wire = jws::verify(&keyring.grants, TYPE, token)?;
    if wire.iss != issuer || wire.aud != issuer {
        return Err(TokenError::Invalid("issuer or audience"));
    }
    jws::time(wire.iat)?;
    jws::check_times(wire.nbf, wire.exp, now)?;
    Ok(VerifiedGrantToken {
        grantee_id: wire.sub,
        grant_id: wire.grant_id,
        organization_id: wire.organization_id,
        vehicle_id: wire.vehicle_id,
    })
}
