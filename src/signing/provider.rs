//! What `jsonwebtoken` signs and verifies with: Ed25519 on `ring`, and nothing else.
//!
//! Any other algorithm is refused by construction, so no header can talk a verifier into HMAC,
//! RSA or none (RFC 8725 section 3.1).

use jsonwebtoken::crypto::{CryptoProvider, JwtSigner, JwtVerifier, KeyUtils};
use jsonwebtoken::errors::{Error, ErrorKind, new_error};
use jsonwebtoken::signature::{Error as SignatureError, Signer, Verifier};
use jsonwebtoken::{Algorithm, AlgorithmFamily, DecodingKey, EncodingKey};
use ring::signature::{ED25519, Ed25519KeyPair, VerificationAlgorithm as _};

static PROVIDER: CryptoProvider = CryptoProvider {
    signer_factory: signer,
    verifier_factory: verifier,
    // Nothing here reads or writes keys through `jsonwebtoken`; these answer instead of panicking.
    key_utils: KeyUtils {
        rsa_pub_components_from_private_key: |_| Err(unsupported()),
        rsa_pub_components_from_public_key: |_| Err(unsupported()),
        ec_pub_components_from_private_key: |_, _| Err(unsupported()),
        ed_pub_components_from_private_key: |_, _| Err(unsupported()),
        compute_digest: |_, _| Err(unsupported()),
    },
};

/// Makes this provider the one of the process. Doing so again changes nothing; a
/// [`Keyring`](crate::signing::Keyring) does it when it is made.
pub fn install() {
    // An error says that one is installed already, and no other is compiled in.
    let _already_installed = PROVIDER.install_default();
}

fn unsupported() -> Error {
    new_error(ErrorKind::UnsupportedAlgorithm)
}

fn signer(algorithm: &Algorithm, key: &EncodingKey) -> Result<Box<dyn JwtSigner>, Error> {
    if *algorithm != Algorithm::EdDSA || key.family() != AlgorithmFamily::Ed {
        return Err(new_error(ErrorKind::InvalidAlgorithm));
    }
    Ed25519KeyPair::from_pkcs8_maybe_unchecked(key.as_bytes())
        .map(|pair| Box::new(Ed25519Signer(pair)) as Box<dyn JwtSigner>)
        .map_err(|_| new_error(ErrorKind::InvalidEddsaKey))
}

fn verifier(algorithm: &Algorithm, key: &DecodingKey) -> Result<Box<dyn JwtVerifier>, Error> {
    if *algorithm != Algorithm::EdDSA || key.family() != AlgorithmFamily::Ed {
        return Err(new_error(ErrorKind::InvalidAlgorithm));
    }
    <[u8; 32]>::try_from(key.try_get_as_bytes()?)
        .map(|public| Box::new(Ed25519Verifier(public)) as Box<dyn JwtVerifier>)
        .map_err(|_| new_error(ErrorKind::InvalidEddsaKey))
}

struct Ed25519Signer(Ed25519KeyPair);

impl Signer<Vec<u8>> for Ed25519Signer {
    fn try_sign(&self, message: &[u8]) -> Result<Vec<u8>, SignatureError> {
        Ok(self.0.sign(message).as_ref().to_vec())
    }
}

impl JwtSigner for Ed25519Signer {
    fn algorithm(&self) -> Algorithm {
        Algorithm::EdDSA
    }
}

struct Ed25519Verifier([u8; 32]);

impl Verifier<Vec<u8>> for Ed25519Verifier {
    fn verify(&self, message: &[u8], signature: &Vec<u8>) -> Result<(), SignatureError> {
        ED25519
            .verify(self.0.as_slice().into(), message.into(), signature.as_slice().into())
            .map_err(|_| SignatureError::new())
    }
}

impl JwtVerifier for Ed25519Verifier {
    fn algorithm(&self) -> Algorithm {
        Algorithm::EdDSA
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_other_algorithm_is_refused() {
        install();
        install();
        let secret = EncodingKey::from_secret(&[7; 32]);
        let ed = EncodingKey::from_ed_der(&[7; 32]);
        for algorithm in [Algorithm::HS256, Algorithm::RS256, Algorithm::ES256] {
            assert!(signer(&algorithm, &secret).is_err());
            assert!(signer(&algorithm, &ed).is_err());
            assert!(verifier(&algorithm, &DecodingKey::from_ed_der(&[7; 32])).is_err());
        }
        assert!(signer(&Algorithm::EdDSA, &secret).is_err());
        assert!(verifier(&Algorithm::EdDSA, &DecodingKey::from_secret(&[7; 32])).is_err());
        assert!(verifier(&Algorithm::EdDSA, &DecodingKey::from_ed_der(&[7; 31])).is_err());
    }
}
