//! Tokens that a forger would try, at the doors where they would be used.

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use ring::hmac;
use ring::signature::{Ed25519KeyPair, KeyPair};
use serde_json::{Value, json};

use super::expect_refusal;
use crate::support::{Actor, Reply, TestApp, on_both};

/// A token taken apart, with the key that it was really signed with.
struct Taken {
    header: Value,
    claims: Value,
    key: Ed25519KeyPair,
}

fn encode(part: impl AsRef<[u8]>) -> String {
    URL_SAFE_NO_PAD.encode(part)
}

/// Takes a token apart. `set` names its kind of key in the key file: what no forger has.
fn take(app: &TestApp, token: &str, set: &str) -> Taken {
    let mut parts = token.split('.').map(|part| URL_SAFE_NO_PAD.decode(part).unwrap());
    let mut next = || serde_json::from_slice(&parts.next().unwrap()).unwrap();
    let (header, claims) = (next(), next());
    let file: Value = serde_json::from_slice(&std::fs::read(app.key_file()).unwrap()).unwrap();
    let seed = URL_SAFE_NO_PAD.decode(file[set][0]["key"].as_str().unwrap()).unwrap();
    Taken { header, claims, key: Ed25519KeyPair::from_seed_unchecked(&seed).unwrap() }
}

fn sign(header: &Value, claims: &Value, key: &Ed25519KeyPair) -> String {
    let message = format!("{}.{}", encode(header.to_string()), encode(claims.to_string()));
    let signature = key.sign(message.as_bytes());
    format!("{message}.{}", encode(signature))
}

fn with(object: &Value, member: &str, value: Value) -> Value {
    let mut changed = object.clone();
    changed[member] = value;
    changed
}

fn without(object: &Value, member: &str) -> Value {
    let mut changed = object.clone();
    changed.as_object_mut().unwrap().remove(member);
    changed
}

impl Taken {
    /// Headers that lie about how the token is signed, and who could have signed it.
    fn lying_headers(&self) -> Vec<(String, String)> {
        let foreign = Ed25519KeyPair::from_seed_unchecked(&[7; 32]).unwrap();
        let jwk = json!({ "kty": "OKP", "crv": "Ed25519", "x": encode(foreign.public_key()) });
        let mut forged = Vec::new();
        for alg in ["none", "None", "NONE", ""] {
            let header = with(&self.header, "alg", json!(alg));
            let message =
                format!("{}.{}", encode(header.to_string()), encode(self.claims.to_string()));
            forged.push((format!("alg {alg:?} unsigned"), format!("{message}.")));
            forged.push((format!("alg {alg:?} signed"), sign(&header, &self.claims, &self.key)));
        }
        let public = self.key.public_key().as_ref().to_vec();
        let header = with(&self.header, "alg", json!("HS256"));
        let message = format!("{}.{}", encode(header.to_string()), encode(self.claims.to_string()));
        for secret in
            [public.clone(), encode(&public).into_bytes(), STANDARD.encode(&public).into_bytes()]
        {
            let tag = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, &secret), message.as_bytes());
            forged.push((
                "HS256 with the public key".to_owned(),
                format!("{message}.{}", encode(tag)),
            ));
        }
        for (member, value) in [
            ("jwk", jwk.clone()),
            ("jku", json!("http://attacker.example/jwks.json")),
            ("x5u", json!("http://attacker.example/key.pem")),
            ("kid", json!("unknown")),
        ] {
            let header = with(&self.header, member, value);
            forged.push((format!("{member}, foreign key"), sign(&header, &self.claims, &foreign)));
        }
        for kid in [
            json!("unknown"),
            json!("../../keylend.keys"),
            json!(7),
            json!(""),
            json!("k".repeat(5000)),
        ] {
            let header = with(&self.header, "kid", kid.clone());
            forged.push((format!("kid {kid}"), sign(&header, &self.claims, &self.key)));
        }
        for typ in ["JWT", "grant", "xx+jwt", ""] {
            let header = with(&self.header, "typ", json!(typ));
            forged.push((format!("typ {typ}"), sign(&header, &self.claims, &self.key)));
        }
        for missing in ["typ", "kid", "alg"] {
            let header = without(&self.header, missing);
            forged.push((format!("no {missing}"), sign(&header, &self.claims, &self.key)));
        }
        let header = with(&self.header, "crit", json!(["b64"]));
        forged.push(("crit".to_owned(), sign(&header, &self.claims, &self.key)));
        forged.push(("foreign key".to_owned(), sign(&self.header, &self.claims, &foreign)));
        forged
    }

    /// Well signed claims that this service never writes.
    fn lying_claims(&self) -> Vec<(String, String)> {
        let mut forged = Vec::new();
        let exp = self.claims["exp"].clone();
        for (member, value) in [
            ("iss", json!("http://attacker.example")),
            ("iss", json!("http://keylend.test/")),
            ("aud", json!("http://attacker.example")),
            ("exp", json!(exp.to_string())),
            ("exp", json!(1)),
            ("exp", json!(-1)),
            ("exp", json!(true)),
            ("exp", Value::Null),
            ("iat", json!("now")),
            ("sub", json!("nobody")),
            ("sub", json!(7)),
            ("organization_id", json!("org_0")),
        ] {
            let claims = with(&self.claims, member, value.clone());
            forged.push((format!("{member} {value}"), sign(&self.header, &claims, &self.key)));
        }
        for missing in ["iss", "aud", "sub", "exp", "iat", "jti"] {
            let claims = without(&self.claims, missing);
            forged.push((format!("no {missing}"), sign(&self.header, &claims, &self.key)));
        }
        for body in [json!([]), json!("text"), Value::Null, json!({})] {
            forged.push((format!("claims {body}"), sign(&self.header, &body, &self.key)));
        }
        forged
    }
}

/// One bit changed, at places all over the token and at the ends of its parts.
fn altered(token: &str) -> Vec<(String, String)> {
    let ends = token.char_indices().filter(|(_, c)| *c == '.').map(|(at, _)| at - 1);
    let places = (0..token.len()).step_by(token.len() / 40).chain(ends).chain([token.len() - 1]);
    let mut found = Vec::new();
    for place in places {
        for bit in 0..7 {
            let mut bytes = token.as_bytes().to_vec();
            bytes[place] ^= 1 << bit;
            if bytes[place].is_ascii_graphic() {
                let text = String::from_utf8(bytes).unwrap();
                found.push((format!("bit {bit} of {place}"), text));
            }
        }
    }
    found
}

/// Texts that are no token at all.
fn misshapen(token: &str) -> Vec<(String, String)> {
    let mut parts = token.splitn(2, '.');
    let (header, rest) = (parts.next().unwrap(), parts.next().unwrap());
    [
        String::new(),
        ".".to_owned(),
        "..".to_owned(),
        "...".to_owned(),
        header.to_owned(),
        format!("{token}."),
        format!(".{token}"),
        format!("{token}.{token}"),
        format!("{token}="),
        format!("{header}=.{rest}"),
        format!("{header}.{header}.{header}"),
        format!("{token} {token}"),
        "e30.e30.e30".to_owned(),
        "x".repeat(12_000),
    ]
    .into_iter()
    .map(|text| (format!("{:.20}", text), text))
    .collect()
}

async fn expect_all_refused(forged: Vec<(String, String)>, door: impl AsyncFn(String) -> Reply) {
    for (what, token) in forged {
        let reply = door(token).await;
        expect_refusal(&reply, &what);
        assert_eq!(reply.status, 401, "{what}: {}", reply.body);
        let code = reply.text("code");
        assert!(["token_invalid", "token_expired"].contains(&code.as_str()), "{what}: {code}");
        assert!(reply.headers.contains_key("www-authenticate"), "{what}");
    }
}

on_both! {
    async fn no_forged_grant_token_moves_a_car(app) {
        let (owner, guest) = (app.owner().await, app.guest().await);
        let grant_id = owner.lend(app, &guest).await;
        let token = guest.holder_of(&grant_id).await.token.unwrap();
        let car = owner.vehicles[0].clone();
        let nobody = Actor::nobody(app);
        let door = async |token: String| nobody.with_token(token).command(&car, "unlock").await;
        let taken = take(app, &token, "grant_signing");
        // What only the service can do: this is how the forgeries below differ from the real one.
        assert_eq!(sign(&taken.header, &taken.claims, &taken.key).len(), token.len());

        let entries = "SELECT CAST(COUNT(*) AS BIGINT) FROM audit_entries";
        let before = app.count(entries).await;
        expect_all_refused(taken.lying_headers(), door).await;
        expect_all_refused(taken.lying_claims(), door).await;
        expect_all_refused(altered(&token), door).await;
        expect_all_refused(misshapen(&token), door).await;
        assert_eq!(app.count(entries).await, before);
        assert!(app.cloud.journal().await.is_empty());
        door(token).await.expect(200);
    }

    async fn no_forged_session_token_opens_an_account(app) {
        let guest = app.guest().await;
        let token = guest.token.clone().unwrap();
        let nobody = Actor::nobody(app);
        let door = async |token: String| nobody.with_token(token).get("/v1/users/me").await;
        let taken = take(app, &token, "session_signing");
        expect_all_refused(taken.lying_headers(), door).await;
        expect_all_refused(taken.lying_claims(), door).await;
        expect_all_refused(altered(&token), door).await;
        expect_all_refused(misshapen(&token), door).await;
        door(token).await.expect(200);
    }

    async fn a_key_signs_its_own_kind_of_token_alone(app) {
        let (owner, guest) = (app.owner().await, app.guest().await);
        let grant_id = owner.lend(app, &guest).await;
        let grant = guest.holder_of(&grant_id).await.token.unwrap();
        let session = guest.token.clone().unwrap();
        let (grant, session) =
            (take(app, &grant, "grant_signing"), take(app, &session, "session_signing"));
        let kid = |taken: &Taken| taken.header["kid"].clone();
        let crossed = [
            sign(&with(&grant.header, "kid", kid(&session)), &grant.claims, &session.key),
            sign(&with(&session.header, "kid", kid(&grant)), &session.claims, &grant.key),
            sign(&session.header, &grant.claims, &session.key),
            sign(&grant.header, &session.claims, &grant.key),
        ];
        for token in crossed {
            let forger = Actor::nobody(app).with_token(token);
            forger.get("/v1/users/me").await.expect_problem(401, "token_invalid");
            let refused = forger.command(&owner.vehicles[0], "unlock").await;
            refused.expect_problem(401, "token_invalid");
            let refused = forger.get("/v2.0/vehicles").await.expect(401);
            assert_eq!(refused.text("type"), "AUTHENTICATION");
        }
        assert!(app.cloud.journal().await.is_empty());
    }

    async fn credentials_are_read_from_one_bearer_header_alone(app) {
        let guest = app.guest().await;
        let token = guest.token.clone().unwrap();
        let url = format!("{}/v1/users/me", app.url());
        for value in [token.clone(), format!("Basic {token}"), format!("Bearer{token}"),
            "Bearer".to_owned(), "Bearer ".to_owned(), format!("Digest {token}")] {
            let reply = app.http.get(&url).header("authorization", &value).send().await.unwrap();
            let reply = Reply::read(reply).await;
            expect_refusal(&reply, &value);
            assert_eq!(reply.status, 401, "{value}");
        }
        let twice = app.http.get(&url).bearer_auth(&token).header("authorization", "Bearer other");
        let twice = Reply::read(twice.send().await.unwrap()).await;
        twice.expect_problem(401, "token_invalid");
        let query = app.http.get(&url).query(&[("access_token", &token)]).send().await.unwrap();
        Reply::read(query).await.expect_problem(401, "token_missing");
        let odd = reqwest::header::HeaderValue::from_bytes(b"Bearer \xff\xfe").unwrap();
        let reply = app.http.get(&url).header("authorization", odd).send().await.unwrap();
        Reply::read(reply).await.expect_problem(401, "token_invalid");
        let lower = app.http.get(&url).header("authorization", format!("bearer {token}"));
        assert_eq!(lower.send().await.unwrap().status(), 200);
    }
}
