//! The service's keys: publishing them, and replacing them while keys for cars are in use.

use keylend::clock::Clock;
use keylend::entropy::SeededEntropy;
use keylend::signing::keyring_file::{self, Rotation};
use serde_json::Value;

use super::again;
use crate::support::{Actor, TestApp, on_both};

/// The kid in a token's header.
fn kid(token: &str) -> String {
    use base64::Engine;
    let header = token.split('.').next().unwrap();
    let header = base64::engine::general_purpose::URL_SAFE_NO_PAD.decode(header).unwrap();
    let header: Value = serde_json::from_slice(&header).unwrap();
    header["kid"].as_str().unwrap().to_owned()
}

/// The kids that are published.
async fn published(app: &TestApp) -> Vec<String> {
    let jwks = Actor::nobody(app).get("/.well-known/jwks.json").await.expect(200);
    let keys = jwks.body["keys"].as_array().unwrap().clone();
    for key in &keys {
        assert_eq!((&key["kty"], &key["crv"]), (&"OKP".into(), &"Ed25519".into()), "{key}");
        assert!(key.get("d").is_none(), "a private key is published");
        assert_eq!(key["x"].as_str().unwrap().len(), 43);
    }
    keys.iter().map(|key| key["kid"].as_str().unwrap().to_owned()).collect()
}

fn rotate(app: &TestApp, seed: u64) {
    let entropy = SeededEntropy::from_seed(seed);
    let keyring =
        keyring_file::rotate(app.key_file(), Rotation::Tokens, &entropy, app.clock.now()).unwrap();
    app.service().base.replace_keys(keyring);
}

on_both! {
    async fn the_public_keys_are_there_for_everybody(app) {
        let (owner, guest) = (app.owner().await, app.guest().await);
        let grant_id = owner.lend(app, &guest).await;
        let holder = guest.holder_of(&grant_id).await;
        let kids = published(app).await;
        assert!(kids.contains(&kid(&holder.token.unwrap())), "{kids:?}");
    }

    async fn replacing_the_keys_ends_no_session_and_no_grant(app) {
        let (owner, guest) = (app.owner().await, app.guest().await);
        let car = owner.vehicles[0].clone();
        let grant_id = owner.lend(app, &guest).await;
        let old_holder = guest.holder_of(&grant_id).await;
        let before = published(app).await;

        rotate(app, 101);
        old_holder.command(&car, "unlock").await.expect(200);
        guest.get("/v1/users/me").await.expect(200);
        let new_holder = guest.holder_of(&grant_id).await;
        let new_guest = app.sign_in("guest@story.example").await;
        new_holder.command(&car, "lock").await.expect(200);
        new_guest.get("/v1/users/me").await.expect(200);
        for (old, new) in [(&old_holder, &new_holder), (&guest, &new_guest)] {
            assert_ne!(kid(old.token.as_ref().unwrap()), kid(new.token.as_ref().unwrap()));
        }
        let after = published(app).await;
        assert!(before.iter().all(|kid| after.contains(kid)), "{before:?} {after:?}");
        assert!(after.contains(&kid(new_holder.token.as_ref().unwrap())));
        // What was sealed with the old keys is still read: the cloud's tokens are renewed.
        app.advance(std::time::Duration::from_secs(3 * 60 * 60));
        let owner = again(app, &owner, "owner").await;
        assert_eq!(owner.command(&car, "lock").await.expect(200).text("status"), "acknowledged");
    }

    async fn keys_that_are_not_ours_sign_nothing(app) {
        let (owner, guest) = (app.owner().await, app.guest().await);
        let grant_id = owner.lend(app, &guest).await;
        let holder = guest.holder_of(&grant_id).await;
        let entropy = SeededEntropy::from_seed(404);
        let path = app.folder().join("other.keys");
        let other = keyring_file::create(&path, &entropy, app.clock.now()).unwrap();
        app.service().base.replace_keys(other);
        let refused = holder.command(&owner.vehicles[0], "unlock").await;
        refused.expect_problem(401, "token_invalid");
        guest.get("/v1/users/me").await.expect_problem(401, "token_invalid");
        assert!(app.cloud.journal().await.is_empty());
    }
}
