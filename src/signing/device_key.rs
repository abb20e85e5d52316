//! The public half of a device's key, as a JSON Web Key (RFC 7517) of the two kinds that browsers and phones make: P-256 and
//! Ed25519. Knows no proof.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::signature::{ECDSA_P256_SHA256_FIXED, ED25519, UnparsedPublicKey};
use serde::Deserialize;
use serde::de::IgnoredAny;

use super::digest::sha256;
use crate::domain::device_key::Thumbprint;

/// Begins an uncompressed point (SEC 1 section 2.3.3).
const UNCOMPRESSED: u8 = 4;

/// A key as it is sent. What is not public is no member, so a private key is refused; the members that say what the key is for
/// are allowed and change nothing.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct DeviceJwk {
    kty: String,
    crv: String,
    x: String,
    y: Option<String>,
    #[serde(rename = "alg")]
    _alg: Option<IgnoredAny>,
    #[serde(rename = "ext")]
    _ext: Option<IgnoredAny>,
    #[serde(rename = "key_ops")]
    _key_ops: Option<IgnoredAny>,
    #[serde(rename = "kid")]
    _kid: Option<IgnoredAny>,
    #[serde(rename = "use")]
    _use: Option<IgnoredAny>,
}

/// The public half of a device's key.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(try_from = "DeviceJwk")]
pub(super) enum DeviceKey {
    /// A point on P-256, its two coordinates.
    P256([u8; 32], [u8; 32]),
    /// An Ed25519 key.
    Ed25519([u8; 32]),
}

impl TryFrom<DeviceJwk> for DeviceKey {
    type Error = &'static str;

    fn try_from(jwk: DeviceJwk) -> Result<Self, &'static str> {
        match (jwk.kty.as_str(), jwk.crv.as_str(), &jwk.y) {
            ("EC", "P-256", Some(y)) => Ok(Self::P256(coordinate(&jwk.x)?, coordinate(y)?)),
            ("OKP", "Ed25519", None) => Ok(Self::Ed25519(coordinate(&jwk.x)?)),
            _ => Err("the key is neither P-256 nor Ed25519"),
        }
    }
}

fn coordinate(text: &str) -> Result<[u8; 32], &'static str> {
    const WRONG: &str = "a coordinate of the key is not 32 bytes in base64url";
    URL_SAFE_NO_PAD.decode(text).map_err(|_| WRONG)?.try_into().map_err(|_| WRONG)
}

impl DeviceKey {
    /// Whether this is the name of the algorithm with which the key signs (RFC 7518 section 3.4, RFC 8037 section 3.1,
    /// RFC 9864 section 2.2).
    pub(super) fn signs_with(&self, alg: &str) -> bool {
        match self {
            Self::P256(..) => alg == "ES256",
            Self::Ed25519(_) => alg == "EdDSA" || alg == "Ed25519",
        }
    }

    /// Whether the key made this signature of this message.
    pub(super) fn verifies(&self, message: &[u8], signature: &[u8]) -> bool {
        match self {
            Self::P256(x, y) => {
                let point = [&[UNCOMPRESSED][..], x, y].concat();
                UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, point).verify(message, signature)
            }
            Self::Ed25519(x) => UnparsedPublicKey::new(&ED25519, x).verify(message, signature),
        }
        .is_ok()
    }

    /// The name of the key: a digest of its required members in alphabetical order (RFC 7638 section 3).
    pub(super) fn thumbprint(&self) -> Option<Thumbprint> {
        let text = |bytes: &[u8; 32]| URL_SAFE_NO_PAD.encode(bytes);
        let members = match self {
            Self::P256(x, y) => {
                format!(r#"{{"crv":"P-256","kty":"EC","x":"{}","y":"{}"}}"#, text(x), text(y))
            }
            Self::Ed25519(x) => format!(r#"{{"crv":"Ed25519","kty":"OKP","x":"{}"}}"#, text(x)),
        };
        URL_SAFE_NO_PAD.encode(sha256(members.as_bytes())).parse().ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(json: &str) -> Result<DeviceKey, String> {
        serde_json::from_str(json).map_err(|error| error.to_string())
    }

    /// RFC 9449 section 6.1 and RFC 8037 appendix A.3.
    #[test]
    fn the_thumbprints_of_the_standards_are_met() {
        let p256 = r#"{"kty":"EC","x":"l8tFrhx-34tV3hRICRDY9zCkDlpBhF42UQUfWVAWBFs","y":"9VE4jf_Ok_o64zbTTlcuNJajHmt6v9TDVrU0CdvGRDA","crv":"P-256"}"#;
        let ed25519 =
            r#"{"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}"#;
        for (key, thumbprint) in [
            (p256, "0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I"),
            (ed25519, "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k"),
        ] {
            let named = read(key).unwrap().thumbprint().unwrap();
            assert_eq!(named.as_str(), thumbprint);
        }
    }

    #[test]
    fn what_is_no_public_key_of_the_two_kinds_is_refused() {
        let x = "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo";
        for (wrong, why) in [
            (
                format!(r#"{{"kty":"OKP","crv":"Ed25519","x":"{x}","d":"{x}"}}"#),
                "unknown field `d`",
            ),
            (format!(r#"{{"kty":"oct","k":"{x}"}}"#), "unknown field `k`"),
            (format!(r#"{{"kty":"OKP","crv":"X25519","x":"{x}"}}"#), "neither P-256 nor Ed25519"),
            (format!(r#"{{"kty":"EC","crv":"P-256","x":"{x}"}}"#), "neither P-256 nor Ed25519"),
            (
                format!(r#"{{"kty":"EC","crv":"P-384","x":"{x}","y":"{x}"}}"#),
                "neither P-256 nor Ed25519",
            ),
            (format!(r#"{{"kty":"OKP","crv":"Ed25519","x":"{}"}}"#, &x[1..]), "not 32 bytes"),
            (format!(r#"{{"kty":"OKP","crv":"Ed25519","x":"{x}AA"}}"#), "not 32 bytes"),
            (
                format!(r#"{{"kty":"OKP","crv":"Ed25519","x":"{x}","x":"{x}"}}"#),
                "duplicate field `x`",
            ),
        ] {
            let said = read(&wrong).unwrap_err();
            assert!(said.contains(why), "{wrong}: {said}");
        }
        let described = format!(
            r#"{{"kty":"OKP","crv":"Ed25519","x":"{x}","key_ops":["verify"],"ext":true,"alg":"EdDSA"}}"#
        );
        assert!(read(&described).is_ok());
    }
}
