//! Tokens whose signature was found genuine lately. An app shows the same token with each request,
//! and verifying its signature again takes longer than everything else that is done with it.
//!
//! What is remembered is that these very bytes were signed by one of these very keys, which cannot
//! become untrue. Everything else is looked at anew each time: the times here, the grant's row by
//! the gate. So nothing that a token allows is remembered.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::{GrantClaims, VerifiedGrantToken, genuine, in_time};
use crate::domain::time::Timestamp;
use crate::signing::digest::sha256;
use crate::signing::{Issuers, Keyring, TokenError};

/// So many tokens make a generation, and two generations are remembered: a few megabytes.
const GENERATION_MAX: usize = 4096;

/// The SHA-256 digest of a whole token.
type Digest = [u8; 32];

/// The tokens that are known to be genuine.
#[derive(Debug, Default)]
pub struct KnownTokens(Mutex<Generations>);

#[derive(Debug, Default)]
struct Generations {
    /// The keys under which they are.
    keyring: Option<Arc<Keyring>>,
    young: HashMap<Digest, Arc<GrantClaims>>,
    /// Those of these that are shown again become young again; the others are forgotten.
    old: HashMap<Digest, Arc<GrantClaims>>,
}

impl KnownTokens {
    /// As [`super::verify`]; the issuers must always be the same.
    ///
    /// # Errors
    /// [`TokenError::Invalid`], [`TokenError::Expired`].
    pub fn verify(
        &self,
        keyring: &Arc<Keyring>,
        issuers: &Issuers,
        token: &str,
        now: Timestamp,
    ) -> Result<VerifiedGrantToken, TokenError> {
        let digest = sha256(token.as_bytes());
        let known = self.lock().find(keyring, &digest);
        if let Some(claims) = known {
            return in_time(claims, now);
        }
        let claims = Arc::new(genuine(keyring, issuers, token)?);
        self.lock().remember(keyring, digest, &claims);
        in_time(claims, now)
    }

    fn lock(&self) -> MutexGuard<'_, Generations> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Generations {
    fn find(&mut self, keyring: &Arc<Keyring>, digest: &Digest) -> Option<Arc<GrantClaims>> {
        if !self.keyring.as_ref().is_some_and(|known| Arc::ptr_eq(known, keyring)) {
            return None;
        }
        if let Some(claims) = self.young.get(digest) {
            return Some(Arc::clone(claims));
        }
        let claims = self.old.remove(digest)?;
        self.remember(keyring, *digest, &claims);
        Some(claims)
    }

    fn remember(&mut self, keyring: &Arc<Keyring>, digest: Digest, claims: &Arc<GrantClaims>) {
        // Other keys may know other tokens: nothing found before counts.
        if !self.keyring.as_ref().is_some_and(|known| Arc::ptr_eq(known, keyring)) {
            *self = Self { keyring: Some(Arc::clone(keyring)), ..Self::default() };
        }
        if self.young.len() >= GENERATION_MAX {
            self.old = std::mem::take(&mut self.young);
        }
        self.young.insert(digest, Arc::clone(claims));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::entitlement::Entitlement;
    use crate::domain::id::Id;
    use crate::entropy::SeededEntropy;
    use crate::signing::grant_token::mint;
    use uuid::Uuid;

    const ISSUER: &str = "https://keys.example";
    const BEGINS: i64 = 1_800_000_000;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_unix_seconds(BEGINS + seconds).unwrap()
    }

    fn keyring(seed: u64) -> Arc<Keyring> {
        Arc::new(Keyring::generate(&SeededEntropy::from_seed(seed), at(0)).unwrap())
    }

    fn token(keyring: &Keyring, number: u128) -> String {
        let claims = GrantClaims {
            grant_id: Id::from_uuid(Uuid::from_u128(number)),
            organization_id: Id::from_uuid(Uuid::from_u128(1)),
            vehicle_id: Id::from_uuid(Uuid::from_u128(2)),
            grantee_id: Id::from_uuid(Uuid::from_u128(3)),
            entitlements: [Entitlement::Unlock].into_iter().collect(),
            grant_revision: 1,
            not_before: at(0),
            not_after: at(60),
            token_id: Id::from_uuid(Uuid::from_u128(4)),
            issued_at: at(0),
            device_key: None,
        };
        mint(keyring, ISSUER, &claims).unwrap()
    }

    #[test]
    fn a_known_token_is_as_valid_as_an_unknown_one_and_no_longer() {
        let (known, keys) = (KnownTokens::default(), keyring(1));
        let token = token(&keys, 7);
        let verify = |now| known.verify(&keys, &ISSUER.into(), &token, now);
        for second in [-1, 0, 1, 59] {
            let claims = verify(at(second)).unwrap();
            assert_eq!(
                claims,
                super::super::verify(&keys, &ISSUER.into(), &token, at(second)).unwrap()
            );
        }
        assert_eq!(verify(at(60)), Err(TokenError::Expired));
        assert!(verify(at(59)).is_ok(), "the clock went back");
    }

    #[test]
    fn a_token_that_is_no_longer_of_our_keys_is_not_known() {
        let (known, keys, others) = (KnownTokens::default(), keyring(1), keyring(2));
        let token = token(&keys, 7);
        known.verify(&keys, &ISSUER.into(), &token, at(1)).unwrap();
        let refused = known.verify(&others, &ISSUER.into(), &token, at(1));
        assert!(matches!(refused, Err(TokenError::Invalid(_))), "{refused:?}");
    }

    #[test]
    fn what_differs_in_one_character_is_not_known() {
        let (known, keys) = (KnownTokens::default(), keyring(1));
        let mut token = token(&keys, 7);
        known.verify(&keys, &ISSUER.into(), &token, at(1)).unwrap();
        let last = if token.pop() == Some('A') { 'Q' } else { 'A' };
        token.push(last);
        assert!(matches!(
            known.verify(&keys, &ISSUER.into(), &token, at(1)),
            Err(TokenError::Invalid(_))
        ));
    }

    #[test]
    fn as_many_as_a_generation_holds_are_all_known() {
        let keys = keyring(1);
        let claims = Arc::new(genuine(&keys, &ISSUER.into(), &token(&keys, 7)).unwrap());
        let mut generations = Generations::default();
        let name = |number: usize| sha256(&number.to_be_bytes());
        for number in 0..GENERATION_MAX {
            generations.remember(&keys, name(number), &claims);
        }
        for number in 0..GENERATION_MAX {
            assert!(generations.find(&keys, &name(number)).is_some(), "{number}");
        }
    }

    #[test]
    fn the_oldest_are_forgotten_and_those_in_use_are_not() {
        let keys = keyring(1);
        let claims = Arc::new(genuine(&keys, &ISSUER.into(), &token(&keys, 7)).unwrap());
        let mut generations = Generations::default();
        let name = |number: usize| sha256(&number.to_be_bytes());
        for number in 0..3 * GENERATION_MAX {
            generations.remember(&keys, name(number), &claims);
            assert!(generations.find(&keys, &name(0)).is_some(), "{number}");
        }
        assert!(generations.find(&keys, &name(1)).is_none());
        assert!(generations.young.len() <= GENERATION_MAX);
        assert!(generations.old.len() <= GENERATION_MAX);
    }
}
