//! A phone with a key pair of its own, which proves that requests come from it (RFC 9449).

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use reqwest::{Method, RequestBuilder};
use ring::digest::{SHA256, digest};
use ring::rand::{SecureRandom as _, SystemRandom};
use ring::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair as _};
use serde_json::{Value, json};

use super::{Actor, Reply};

/// Where clients reach the service of the stories, whatever address it listens at.
const PUBLIC_URL: &str = "http://keylend.test";

/// A phone.
#[derive(Debug)]
pub(crate) struct Device {
    key: EcdsaKeyPair,
    random: SystemRandom,
}

/// `ring` signs by P-256 with randomness of its own alone.
#[expect(clippy::disallowed_methods, reason = "no story depends on it")]
fn of_the_system() -> SystemRandom {
    SystemRandom::new()
}

/// The whole address of a path.
pub(crate) fn public(path: &str) -> String {
    format!("{PUBLIC_URL}{path}")
}

fn text(bytes: impl AsRef<[u8]>) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

impl Device {
    pub(crate) fn new() -> Self {
        let random = of_the_system();
        let algorithm = &ECDSA_P256_SHA256_FIXED_SIGNING;
        let pkcs8 = EcdsaKeyPair::generate_pkcs8(algorithm, &random).unwrap();
        Self { key: EcdsaKeyPair::from_pkcs8(algorithm, pkcs8.as_ref(), &random).unwrap(), random }
    }

    /// The header of its proofs.
    pub(crate) fn header(&self) -> Value {
        let (x, y) = self.key.public_key().as_ref()[1..].split_at(32);
        json!({ "typ": "dpop+jwt", "alg": "ES256",
            "jwk": { "kty": "EC", "crv": "P-256", "x": text(x), "y": text(y) } })
    }

    /// What it says of a request.
    pub(crate) fn claims(
        &self,
        method: &Method,
        url: &str,
        token: Option<&str>,
        nonce: &str,
    ) -> Value {
        let mut id = [0; 16];
        self.random.fill(&mut id).unwrap();
        json!({ "jti": text(id), "htm": method.as_str(), "htu": url, "iat": 1, "nonce": nonce,
            "ath": token.map(|token| text(digest(&SHA256, token.as_bytes()))) })
    }

    pub(crate) fn sign(&self, header: &Value, claims: &Value) -> String {
        let signed = format!("{}.{}", text(header.to_string()), text(claims.to_string()));
        let signature = self.key.sign(&self.random, signed.as_bytes()).unwrap();
        format!("{signed}.{}", text(signature))
    }

    /// A nonce of the service, which it gives to whoever sends a proof without one.
    pub(crate) async fn nonce(&self, actor: &Actor) -> String {
        let request = actor.request(Method::GET, "/healthz").header("dpop", "none");
        request.send().await.unwrap().headers()["dpop-nonce"].to_str().unwrap().to_owned()
    }

    /// The key of a grant, bound to this phone.
    pub(crate) async fn holder_of(&self, guest: &Actor, grant_id: &str) -> Held<'_> {
        let path = format!("/v1/grants/{grant_id}/token");
        let proof = self.proof(guest, &Method::POST, &path, None).await;
        let request = guest.request(Method::POST, &path).header("dpop", proof).json(&json!({}));
        let minted = Reply::read(request.send().await.unwrap()).await.expect(200);
        assert_eq!(minted.body["token_type"], "DPoP");
        Held {
            device: self,
            actor: guest.without_token(),
            token: minted.text("grant_token"),
            minted,
        }
    }

    /// A proof for a request.
    pub(crate) async fn proof(
        &self,
        actor: &Actor,
        method: &Method,
        path: &str,
        token: Option<&str>,
    ) -> String {
        let nonce = self.nonce(actor).await;
        self.sign(&self.header(), &self.claims(method, &public(path), token, &nonce))
    }
}

/// A key that is bound to a phone.
#[derive(Debug, Clone)]
pub(crate) struct Held<'d> {
    pub(crate) device: &'d Device,
    pub(crate) actor: Actor,
    pub(crate) token: String,
    pub(crate) minted: Reply,
}

impl Held<'_> {
    /// A request with a proof of this phone.
    pub(crate) async fn request(&self, method: Method, path: &str) -> RequestBuilder {
        let proof = self.device.proof(&self.actor, &method, path, Some(&self.token)).await;
        self.with_proof(method, path, &proof)
    }

    /// The same with another proof.
    pub(crate) fn with_proof(&self, method: Method, path: &str, proof: &str) -> RequestBuilder {
        let request = self.actor.request(method, path).header("dpop", proof);
        request.header("authorization", format!("DPoP {}", self.token))
    }

    pub(crate) async fn get(&self, path: &str) -> Reply {
        Reply::read(self.request(Method::GET, path).await.send().await.unwrap()).await
    }

    /// Asks the car to do something, with an idempotency key of the test's.
    pub(crate) async fn command_as(&self, key: &str, vehicle_id: &str, action: &str) -> Reply {
        let body = json!({ "vehicle_id": vehicle_id, "action": action });
        let request = self.request(Method::POST, "/v1/commands").await;
        Reply::read(request.header("idempotency-key", key).json(&body).send().await.unwrap()).await
    }
}
