//! Signatures of Standard Webhooks 1.0: HMAC-SHA256 over id, time and body, with a secret that only the endpoint has beside this
//! service. <https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md>

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ring::hmac;
use zeroize::Zeroizing;

use crate::entropy::{Entropy, NoEntropy};

const SECRET_PREFIX: &str = "whsec_";
const SECRET_BYTES: usize = 32;

/// The secret of one endpoint. Its `Debug` form does not show it.
pub struct WebhookSecret(Zeroizing<[u8; SECRET_BYTES]>);

impl WebhookSecret {
    /// A new secret.
    ///
    /// # Errors
    /// [`NoEntropy`] if the generator fails.
    pub fn generate(entropy: &dyn Entropy) -> Result<Self, NoEntropy> {
        let mut bytes = Zeroizing::new([0; SECRET_BYTES]);
        entropy.fill(bytes.as_mut())?;
        Ok(Self(bytes))
    }

    /// The secret with these bytes; `None` if they are not as many as one has.
    #[must_use]
    pub fn of_bytes(bytes: &[u8]) -> Option<Self> {
        Some(Self(Zeroizing::new(bytes.try_into().ok()?)))
    }

    /// The bytes, to be sealed.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        self.0.as_slice()
    }

    /// The text that the endpoint's owner is shown once.
    #[must_use]
    pub fn expose(&self) -> String {
        format!("{SECRET_PREFIX}{}", STANDARD.encode(self.0.as_slice()))
    }

    /// One signature, as it stands in `webhook-signature`.
    #[must_use]
    pub fn sign(&self, id: &str, unix_seconds: i64, body: &[u8]) -> String {
        let key = hmac::Key::new(hmac::HMAC_SHA256, self.0.as_slice());
        let mut context = hmac::Context::with_key(&key);
        context.update(format!("{id}.{unix_seconds}.").as_bytes());
        context.update(body);
        format!("v1,{}", STANDARD.encode(context.sign()))
    }
}

impl std::fmt::Debug for WebhookSecret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("WebhookSecret(redacted)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::entropy::SeededEntropy;

    #[test]
    fn a_secret_has_its_form_and_hides_itself() {
        let secret = WebhookSecret::generate(&SeededEntropy::from_seed(1)).unwrap();
        let text = secret.expose();
        assert_eq!((text.len(), &text[..6]), (6 + 44, "whsec_"));
        assert_eq!(format!("{secret:?}"), "WebhookSecret(redacted)");
        assert_eq!(WebhookSecret::of_bytes(secret.bytes()).unwrap().expose(), text);
        assert!(WebhookSecret::of_bytes(&[0; 31]).is_none());
    }

    /// Computed with Python's hmac and base64 modules.
    #[test]
    fn a_signature_is_that_of_the_specification() {
        let secret = WebhookSecret::of_bytes(&[7; 32]).unwrap();
        let signature = secret.sign("evt_1", 1_800_000_000, br#"{"test":true}"#);
        assert_eq!(signature, "v1,vxMKelCLXS043D0K/Vxbilj1YTCx8PXfuBdGh/wOUoc=");
    }
}
