//! Secrets that programs keep: long random texts that are shown once and stored as digests. Being
//! random, they need no slow hash. Knows no owner and no lifetime.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use subtle::ConstantTimeEq as _;
use zeroize::{Zeroize as _, Zeroizing};

use crate::entropy::{Entropy, NoEntropy};
use crate::signing::digest::sha256;

const RANDOM_LENGTH: usize = 32;
const ENCODED_LENGTH: usize = 43;

/// What a secret is for; its first characters show it, to people and to scanners
/// for leaked secrets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SecretPrefix {
    /// The secret of an API client: `kl_live_`.
    ApiClient,
    /// What tells the browser that consented from others: `kl_browser_`.
    Browser,
    /// A claim: `kl_claim_`.
    Claim,
    /// A refresh token: `kl_refresh_`.
    Refresh,
    /// What the vehicle cloud shows when it verifies a webhook: `kl_webhook_`.
    Webhook,
    /// The `state` of one connect ceremony (RFC 6749 section 10.12): `kl_state_`.
    State,
}

impl SecretPrefix {
    /// The first characters.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::ApiClient => "kl_live_",
            Self::Browser => "kl_browser_",
            Self::Claim => "kl_claim_",
            Self::Refresh => "kl_refresh_",
            Self::Webhook => "kl_webhook_",
            Self::State => "kl_state_",
        }
    }

    /// Whether a text has the form of such a secret; if not, no digest of it needs to be
    /// looked for.
    #[must_use]
    pub fn fits(self, text: &str) -> bool {
        text.strip_prefix(self.as_str()).is_some_and(|rest| {
            rest.len() == ENCODED_LENGTH && URL_SAFE_NO_PAD.decode(rest).is_ok()
        })
    }
}

/// A new secret: its prefix and 43 characters of base64url over 32 random bytes. Its `Debug` form
/// does not show it.
pub struct RandomSecret(Zeroizing<String>);

impl RandomSecret {
    /// A new secret.
    ///
    /// # Errors
    /// [`NoEntropy`] if the generator fails.
    pub fn generate(prefix: SecretPrefix, entropy: &dyn Entropy) -> Result<Self, NoEntropy> {
        let mut random = Zeroizing::new([0; RANDOM_LENGTH]);
        entropy.fill(random.as_mut())?;
        let mut encoded = [0; ENCODED_LENGTH];
        let length = URL_SAFE_NO_PAD.encode_slice(random.as_slice(), &mut encoded).unwrap_or(0);
        let mut text = Zeroizing::new(String::with_capacity(64));
        text.push_str(prefix.as_str());
        text.extend(encoded.iter().take(length).copied().map(char::from));
        encoded.zeroize();
        Ok(Self(text))
    }

    /// The text, to be shown to its owner once.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// What is stored of it.
    #[must_use]
    pub fn hash(&self) -> [u8; 32] {
        hash_of(&self.0)
    }
}

impl fmt::Debug for RandomSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("RandomSecret(redacted)")
    }
}

/// What is stored of a secret: SHA-256 over the whole text with its prefix.
#[must_use]
pub fn hash_of(text: &str) -> [u8; 32] {
    sha256(text.as_bytes())
}

/// What is stored of a short secret that goes with a long one: without the long one nobody can try which it is.
#[must_use]
pub fn hash_of_pair(long: &str, short: &str) -> [u8; 32] {
    sha256(format!("{long} {short}").as_bytes())
}

/// A PIN of so many decimal digits, each as likely as the others.
///
/// # Errors
/// [`NoEntropy`] if the generator fails.
pub fn pin(length: usize, entropy: &dyn Entropy) -> Result<Zeroizing<String>, NoEntropy> {
    let mut digits = Zeroizing::new(String::with_capacity(length));
    while digits.len() < length {
        let mut byte = [0];
        entropy.fill(&mut byte)?;
        // 250 is the greatest multiple of ten in a byte.
        if let [random @ 0..250] = byte {
            digits.push(char::from(b'0' + random % 10));
        }
    }
    Ok(digits)
}

/// Whether two digests are equal, in a time that does not depend on where they differ.
#[must_use]
pub fn hashes_equal(one: &[u8; 32], other: &[u8; 32]) -> bool {
    one.as_slice().ct_eq(other.as_slice()).into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::entropy::SeededEntropy;

    #[test]
    fn a_pin_has_its_length_and_every_digit_is_as_likely() {
        let entropy = SeededEntropy::from_seed(1);
        let digits = pin(10_000, &entropy).unwrap();
        for digit in '0'..='9' {
            let count = digits.chars().filter(|found| *found == digit).count();
            assert!((900..1100).contains(&count), "{digit}: {count}");
        }
        assert_ne!(hash_of_pair("kl_claim_x", "123456"), hash_of_pair("kl_claim_x", "123457"));
        assert_ne!(hash_of_pair("kl_claim_x", "123456"), hash_of_pair("kl_claim_y", "123456"));
    }

    #[test]
    fn a_secret_has_its_form_and_hides_itself() {
        let entropy = SeededEntropy::from_seed(1);
        for prefix in [SecretPrefix::ApiClient, SecretPrefix::Refresh, SecretPrefix::State] {
            let secret = RandomSecret::generate(prefix, &entropy).unwrap();
            let other = RandomSecret::generate(prefix, &entropy).unwrap();
            assert!(prefix.fits(secret.expose()), "{}", secret.expose());
            assert_eq!(secret.expose().len(), prefix.as_str().len() + 43);
            assert_eq!(format!("{secret:?}"), "RandomSecret(redacted)");
            assert!(hashes_equal(&secret.hash(), &hash_of(secret.expose())));
            assert!(!hashes_equal(&secret.hash(), &other.hash()));
        }
        assert!(!SecretPrefix::State.fits("kl_state_"));
        assert!(!SecretPrefix::State.fits(&format!("kl_live_{}", "A".repeat(43))));
    }
}
