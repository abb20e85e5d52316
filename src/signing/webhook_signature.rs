//! How the vehicle cloud and this service prove to each other that they know the secret of the
//! webhooks: HMAC-SHA256 in lower-case hexadecimal digits (protocol page, section 4).

use ring::hmac;

/// The signature of these bytes.
#[must_use]
pub fn sign(secret: &str, bytes: &[u8]) -> String {
    let tag = hmac::sign(&key(secret), bytes);
    tag.as_ref().iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Whether this is the signature of these bytes, compared in constant time.
#[must_use]
pub fn verify(secret: &str, bytes: &[u8], signature: &str) -> bool {
    tag(signature).is_some_and(|tag| hmac::verify(&key(secret), bytes, &tag).is_ok())
}

fn key(secret: &str) -> hmac::Key {
    hmac::Key::new(hmac::HMAC_SHA256, secret.as_bytes())
}

/// The bytes of a signature; `None` unless it is one in form.
fn tag(signature: &str) -> Option<[u8; 32]> {
    let digits = signature.as_bytes();
    let mut tag = [0; 32];
    if digits.len() != 2 * tag.len() {
        return None;
    }
    for (byte, pair) in tag.iter_mut().zip(digits.chunks_exact(2)) {
        let &[high, low] = pair else { return None };
        *byte = (digit(high)? << 4) | digit(low)?;
    }
    Some(tag)
}

const fn digit(digit: u8) -> Option<u8> {
    match digit {
        b'0'..=b'9' => Some(digit - b'0'),
        b'a'..=b'f' => Some(digit - b'a' + 10),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Protocol page, section 4.1.
    #[test]
    fn the_vector_of_the_official_sdks_is_met() {
        let expected = "5eb4bb7239aa0233501f0b31f3e28eda7c4913862f9b484f5e3b8f6157cdeb2e";
        assert_eq!(sign("amt-1", b"challenge-1"), expected);
        assert!(verify("amt-1", b"challenge-1", expected));
    }

    #[test]
    fn other_bytes_secrets_and_forms_are_refused() {
        let signature = sign("secret", b"body");
        assert!(!verify("other", b"body", &signature));
        assert!(!verify("secret", b"body ", &signature));
        let upper = signature.to_uppercase();
        for wrong in ["", "00", &signature[1..], &upper, &format!("{signature}00"), "é"] {
            assert!(!verify("secret", b"body", wrong), "{wrong}");
        }
    }
}
