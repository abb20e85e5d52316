//! Web apps on other origins: which answers browsers show to their scripts.

use reqwest::Method;
use serde_json::{Value, json};

use crate::support::{Actor, Reply, on_both};

const PATH: &str = "/v1/organization/allowed-origins";
const APP: &str = "https://app.example";
const OTHER: &str = "https://other.example:8443";

async fn list(admin: &Actor, origins: Value) -> Reply {
    admin.put(PATH, json!({ "allowed_origins": origins })).await
}

/// What a script at this origin gets.
async fn get(actor: &Actor, path: &str, origin: &str) -> Reply {
    let request = actor.request(Method::GET, path).header("origin", origin);
    Reply::read(request.send().await.unwrap()).await
}

/// What a browser asks before it lets a script send a request with a token.
async fn preflight(actor: &Actor, path: &str, origin: &str) -> Reply {
    let request = actor.request(Method::OPTIONS, path).header("origin", origin);
    let request = request.header("access-control-request-method", "POST");
    let request = request.header("access-control-request-headers", "authorization,if-match");
    let reply = Reply::read(request.send().await.unwrap()).await;
    assert_eq!(reply.headers.get("access-control-allow-credentials"), None);
    reply
}

/// Whose scripts may read the answer.
fn readers(reply: &Reply) -> Option<&str> {
    assert_eq!(reply.headers.get("access-control-allow-credentials"), None);
    reply.headers.get("access-control-allow-origin").map(|value| value.to_str().unwrap())
}

/// That an answer is for nobody's scripts, and that caches know that others might get another one.
#[track_caller]
fn assert_hidden(reply: &Reply) {
    let told = reply.headers.keys().filter(|name| name.as_str().starts_with("access-control-"));
    assert_eq!(told.count(), 0, "{:?}", reply.headers);
    assert_eq!(reply.headers["vary"], "Origin");
}

on_both! {
    async fn scripts_of_a_listed_origin_read_what_their_organization_is_answered(app) {
        let (admin, owner, nobody) = (app.admin().await, app.owner().await, Actor::nobody(app));
        assert_hidden(&get(&owner, "/v1/users/me", APP).await.expect(200));
        assert_hidden(&preflight(&nobody, "/v1/users/me", APP).await.expect(204));
        list(&admin, json!([APP])).await.expect(200);
        let asked = preflight(&nobody, "/v1/commands", APP).await.expect(204);
        assert_eq!((readers(&asked), asked.body.as_str()), (Some(APP), Some("")));
        assert_eq!(asked.headers["access-control-allow-methods"], "GET, POST, PUT, PATCH, DELETE");
        let headers = "Authorization, Content-Type, Idempotency-Key, If-Match, Keylend-Acting-For, Prefer, Last-Event-ID, DPoP";
        assert_eq!(asked.headers["access-control-allow-headers"], headers);
        assert_eq!(asked.headers["access-control-max-age"], "600");
        assert_eq!(asked.headers["vary"], "Origin");
        let read = get(&owner, "/v1/users/me", APP).await.expect(200);
        assert_eq!((readers(&read), &read.headers["vary"]), (Some(APP), &"Origin".parse().unwrap()));
        let exposed = "ETag, Link, Idempotency-Replayed, Retry-After, Location, X-Request-Id, DPoP-Nonce, WWW-Authenticate";
        assert_eq!(read.headers["access-control-expose-headers"], exposed);
        // An app can also read why it is refused.
        assert_eq!(readers(&get(&nobody, "/v1/users/me", APP).await.expect(401)), Some(APP));
        assert_eq!(readers(&get(&owner, "/v1/users", APP).await.expect(403)), Some(APP));
        assert_eq!(readers(&get(&owner, "/v1/nothing", APP).await.expect(404)), Some(APP));
        for origin in [OTHER, "null"] {
            assert_hidden(&get(&owner, "/v1/users/me", origin).await.expect(200));
            assert_hidden(&preflight(&nobody, "/v1/users/me", origin).await.expect(204));
        }
        assert_hidden(&owner.get("/v1/users/me").await.expect(200));
        list(&admin, json!([])).await.expect(200);
        assert_hidden(&get(&owner, "/v1/users/me", APP).await.expect(200));
        assert_hidden(&preflight(&nobody, "/v1/users/me", APP).await.expect(204));
    }

    async fn an_origin_of_another_organization_reads_nothing_of_this_one(app) {
        let (admin, owner, guest) = (app.admin().await, app.owner().await, app.guest().await);
        let (nobody, elsewhere) = (Actor::nobody(app), app.foreigner().await);
        let client = app.api_client(&["users:read"]).await;
        let holder = guest.holder_of(&owner.lend(app, &guest).await).await;
        list(&admin, json!([APP])).await.expect(200);
        list(&elsewhere, json!([OTHER])).await.expect(200);
        // Before anybody is known, any organization's list will do: there is nothing of theirs in these answers.
        for origin in [APP, OTHER] {
            assert_eq!(readers(&preflight(&nobody, "/v1/sessions", origin).await), Some(origin));
            let sign_in = nobody.request(Method::POST, "/v1/sessions").header("origin", origin);
            let sign_in = sign_in.json(&json!({ "email": "who@story.example", "password": "wrong" }));
            let refused = Reply::read(sign_in.send().await.unwrap()).await.expect(401);
            assert_eq!(readers(&refused), Some(origin));
        }
        let car = &owner.vehicles[0];
        for (actor, path) in [
            (&owner, "/v1/users/me".to_owned()),
            (&client, "/v1/users".to_owned()),
            (&holder, format!("/v1/vehicles/{car}/lock-status")),
            (&owner, "/v1/grants?limit=0".to_owned()),
        ] {
            let own = get(actor, &path, APP).await;
            assert_eq!((readers(&own), own.status < 500), (Some(APP), true), "{path}: {}", own.body);
            assert_hidden(&get(actor, &path, OTHER).await.expect(own.status));
        }
        assert_eq!(readers(&get(&elsewhere, "/v1/users/me", OTHER).await.expect(200)), Some(OTHER));
        assert_hidden(&get(&elsewhere, "/v1/users/me", APP).await.expect(200));
    }

    async fn what_anybody_may_read_is_shown_to_all_and_what_is_not_for_scripts_to_nobody(app) {
        let (admin, nobody) = (app.admin().await, Actor::nobody(app));
        list(&admin, json!([APP])).await.expect(200);
        for path in [
            "/.well-known/jwks.json",
            "/log/checkpoint",
            "/log/checkpoint/newest",
            "/log/tile/0/000",
            "/openapi.json",
            "/openapi.yaml",
            "/problems/not_found",
        ] {
            for reply in [nobody.get(path).await, get(&nobody, path, OTHER).await] {
                assert_eq!(readers(&reply), Some("*"), "{path}");
                assert!([200, 404].contains(&reply.status), "{path}: {}", reply.body);
            }
            assert_eq!(readers(&preflight(&nobody, path, OTHER).await.expect(204)), Some("*"), "{path}");
        }
        for path in [
            "/v2.0/vehicles",
            "/v3/vehicles",
            "/oauth/token",
            "/c",
            "/c/claim.js",
            "/metrics",
            "/healthz",
            "/readyz",
            "/docs/",
            "/log/tile/entries/000",
            "/v1/connections/callback",
            "/v1/smartcar/webhooks",
            "/nowhere",
        ] {
            let asked = preflight(&nobody, path, APP).await;
            assert!([404, 405].contains(&asked.status), "{path}: {}", asked.status);
            for reply in [asked, get(&nobody, path, APP).await] {
                assert_eq!((readers(&reply), reply.headers.get("vary")), (None, None), "{path}");
            }
        }
    }

    async fn administrators_say_which_origins_these_are(app) {
        let (admin, owner) = (app.admin().await, app.member("owner").await);
        list(&owner, json!([APP])).await.expect_problem(403, "admin_only");
        owner.get(PATH).await.expect_problem(403, "admin_only");
        let listed = list(&admin, json!([OTHER, APP, OTHER])).await.expect(200);
        assert_eq!(listed.body, json!({ "allowed_origins": [APP, OTHER] }));
        assert_eq!(admin.get(PATH).await.expect(200).body, listed.body);
        // All that is wrong is said at once, and nothing is changed.
        let wrong = json!(["https://ok.example", "http://app.example", "https://app.example/"]);
        let refused = list(&admin, wrong).await.expect_problem(422, "validation_failed");
        let pointers: Vec<_> = refused.body["errors"].as_array().unwrap().iter().map(|error| &error["pointer"]).collect();
        assert_eq!(pointers, ["/allowed_origins/1", "/allowed_origins/2"]);
        let many: Vec<String> = (0..21).map(|n| format!("https://app{n}.example")).collect();
        list(&admin, json!(many)).await.expect_problem(422, "validation_failed");
        assert_eq!(admin.get(PATH).await.expect(200).body, listed.body);
        list(&admin, json!(many[..20])).await.expect(200);
        assert_eq!(admin.get(PATH).await.expect(200).body["allowed_origins"].as_array().unwrap().len(), 20);
        let entries = admin.get("/v1/audit-entries?event=allowed_origins.replaced").await.expect(200);
        assert_eq!(entries.body["data"][0]["details"], json!({ "count": 20 }));
        assert_eq!(entries.list("event").len(), 2);
    }
}
