//! Secrets that machines present: long enough that a plain hash protects them at rest, and
//! prefixed so that a scanner finds one that was left in a repository.

use std::fmt;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use zeroize::Zeroizing;

use super::digest::sha256;
use crate::entropy::{Entropy, NoEntropy};

/// API clients' secrets.
pub const CLIENT_PREFIX: &str = "kl_live_";
/// Refresh tokens of sessions.
pub const REFRESH_PREFIX: &str = "kl_refresh_";
/// What a browser must bring back from the vehicle cloud.
pub const STATE_PREFIX: &str = "kl_state_";

/// A prefix and 256 random bits in base64url.
pub struct MachineSecret(Zeroizing<String>);

impl MachineSecret {
    /// A new secret.
    ///
    /// # Errors
    /// [`NoEntropy`] if there is no randomness.
    pub fn generate(prefix: &str, entropy: &dyn Entropy) -> Result<Self, NoEntropy> {
        let random = Zeroizing::new(entropy.bytes::<32>()?);
        let encoded = Zeroizing::new(URL_SAFE_NO_PAD.encode(&*random));
        Ok(Self(Zeroizing::new(format!("{prefix}{}", *encoded))))
    }

    /// The text to show once.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// What is stored in its place.
    #[must_use]
    pub fn hash(&self) -> [u8; 32] {
        Self::hash_of(&self.0)
    }

    /// What would be stored in place of a text that somebody presents as a secret. A text of any
    /// length is hashed; callers bound it by bounding the request.
    #[must_use]
    pub fn hash_of(presented: &str) -> [u8; 32] {
        sha256(presented.as_bytes())
    }
}

impl fmt::Debug for MachineSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("MachineSecret(…)")
    }
}
