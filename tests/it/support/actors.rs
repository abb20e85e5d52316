//! People and machines who use the service over HTTP, and what they get back.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use keylend::clock::Clock;
use reqwest::{Method, RequestBuilder, Response};
use serde_json::{Value, json};

use super::TestApp;
use super::people::PASSWORD;

/// What came back.
#[derive(Debug, Clone)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) headers: reqwest::header::HeaderMap,
    pub(crate) body: Value,
}

impl Reply {
    pub(crate) async fn read(response: Response) -> Self {
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        let text = response.text().await.unwrap();
        let body = serde_json::from_str(&text).unwrap_or(Value::String(text));
        Self { status, headers, body }
    }

    /// The same, or the end of the test.
    #[track_caller]
    pub(crate) fn expect(self, status: u16) -> Self {
        assert_eq!(self.status, status, "{}", self.body);
        self
    }

    /// A refusal with this status and code, as a problem document.
    #[track_caller]
    pub(crate) fn expect_problem(self, status: u16, code: &str) -> Self {
        assert_eq!((self.status, self.text("code").as_str()), (status, code), "{}", self.body);
        assert_eq!(self.headers["content-type"], "application/problem+json");
        assert_eq!(self.body["status"], status);
        self
    }

    /// What an answer says of a command: of one that did not happen, it is in the problem.
    pub(crate) fn command(mut self) -> Self {
        if self.body["command"].is_object() {
            self.body = self.body["command"].take();
        }
        self
    }

    /// A member of the body as text.
    #[track_caller]
    pub(crate) fn text(&self, member: &str) -> String {
        self.body[member].as_str().unwrap_or_default().to_owned()
    }

    /// A member of each row of a list.
    pub(crate) fn list(&self, member: &str) -> Vec<String> {
        let rows = self.body["data"].as_array().unwrap();
        rows.iter().map(|row| row[member].as_str().unwrap_or_default().to_owned()).collect()
    }
}

/// Somebody with credentials, or nobody.
#[derive(Debug, Clone)]
pub(crate) struct Actor {
    pub(crate) id: String,
    pub(crate) token: Option<String>,
    pub(crate) vehicles: Vec<String>,
    acting_for: Option<String>,
    http: reqwest::Client,
    base: String,
}

/// Every request of the tests has a key of its own.
fn fresh_key() -> String {
    static NEXT: AtomicU64 = AtomicU64::new(0);
    format!("key-{}", NEXT.fetch_add(1, Ordering::Relaxed))
}

impl Actor {
    pub(crate) fn nobody(app: &TestApp) -> Self {
        Self {
            id: String::new(),
            token: None,
            vehicles: Vec::new(),
            acting_for: None,
            http: app.http.clone(),
            base: app.url().to_owned(),
        }
    }

    /// Nobody yet, at a service that runs elsewhere.
    pub(crate) fn visiting(base: &str) -> Self {
        Self {
            id: String::new(),
            token: None,
            vehicles: Vec::new(),
            acting_for: None,
            http: super::app::http_client(),
            base: base.to_owned(),
        }
    }

    pub(crate) fn with_token(&self, token: impl Into<String>) -> Self {
        Self { token: Some(token.into()), ..self.clone() }
    }

    /// The same machine, acting for somebody.
    pub(crate) fn acting_for(&self, somebody: &Self) -> Self {
        Self { acting_for: Some(somebody.id.clone()), ..self.clone() }
    }

    /// The same person at another instance.
    pub(crate) fn at(&self, url: &str) -> Self {
        Self { base: url.to_owned(), ..self.clone() }
    }

    /// The same person without credentials.
    pub(crate) fn without_token(&self) -> Self {
        Self { token: None, ..self.clone() }
    }

    /// A request with this actor's credentials, to be completed by the test.
    pub(crate) fn request(&self, method: Method, path: &str) -> RequestBuilder {
        // A whole address leads elsewhere, such as back from the consent page.
        let url =
            if path.starts_with("http") { path.to_owned() } else { format!("{}{path}", self.base) };
        let mut request = self.http.request(method, url);
        if let Some(token) = &self.token {
            request = request.bearer_auth(token);
        }
        if let Some(user_id) = &self.acting_for {
            request = request.header("keylend-acting-for", user_id);
        }
        request
    }

    pub(crate) async fn get(&self, path: &str) -> Reply {
        Reply::read(self.request(Method::GET, path).send().await.unwrap()).await
    }

    pub(crate) async fn put(&self, path: &str, body: Value) -> Reply {
        Reply::read(self.request(Method::PUT, path).json(&body).send().await.unwrap()).await
    }

    /// Changes what is there in the version that an answer showed.
    pub(crate) async fn patch(&self, path: &str, seen: &Reply, changes: Value) -> Reply {
        let tag = seen.headers["etag"].clone();
        let request = self.request(Method::PATCH, path).header("if-match", tag).json(&changes);
        Reply::read(request.send().await.unwrap()).await
    }

    pub(crate) async fn delete(&self, path: &str) -> Reply {
        Reply::read(self.request(Method::DELETE, path).send().await.unwrap()).await
    }

    /// Posts with a fresh idempotency key.
    pub(crate) async fn post(&self, path: &str, body: Value) -> Reply {
        self.post_as(path, &fresh_key(), body).await
    }

    /// Posts with this idempotency key.
    pub(crate) async fn post_as(&self, path: &str, key: &str, body: Value) -> Reply {
        let request = self.request(Method::POST, path).header("idempotency-key", key).json(&body);
        Reply::read(request.send().await.unwrap()).await
    }

    /// Shows the code that the consenting browser was given.
    pub(crate) async fn complete(&self, received: &Reply) -> Reply {
        let path = format!("/v1/connections/{}/complete", received.text("connection_id"));
        let code = received.text("completion_code");
        self.post(&path, json!({ "completion_code": code })).await
    }

    /// Comes back from the consent page to this address, and shows the code that the browser is given.
    pub(crate) async fn come_back(&self, address: &str) -> Reply {
        let request = self.request(Method::GET, address).header("accept", "application/json");
        let received = Reply::read(request.send().await.unwrap()).await.expect(200);
        self.complete(&received).await.expect(200)
    }

    /// Lets an API client act for this person.
    pub(crate) async fn allow(&self, client: &Self) {
        let path = format!("/v1/users/me/allowed-clients/{}", client.id);
        self.put(&path, json!({})).await.expect(200);
    }

    /// Makes an account; its person claims it and is signed in.
    pub(crate) async fn invite(&self, email: &str) -> Self {
        let name = email.split('@').next().unwrap();
        let body = json!({ "email": email, "display_name": name });
        let made = self.post("/v1/users", body).await.expect(201);
        let mut person = self.redeem(&made.text("claim_token")).await;
        person.id = made.text("user_id");
        person
    }

    /// Somebody who follows a link to an account and chooses the password of all stories.
    pub(crate) async fn redeem(&self, claim_token: &str) -> Self {
        let visitor = Self { token: None, acting_for: None, vehicles: Vec::new(), ..self.clone() };
        let body = json!({ "claim_token": claim_token, "password": PASSWORD });
        let session = visitor.post("/v1/claims/redeem", body).await.expect(201);
        visitor.with_token(session.text("access_token"))
    }

    /// Asks a car to do something, by one's best right.
    pub(crate) async fn command(&self, vehicle_id: &str, action: &str) -> Reply {
        let body = json!({ "vehicle_id": vehicle_id, "action": action });
        self.post("/v1/commands", body).await
    }

    /// Lends the first car to somebody for two hours from now, for unlocking and locking.
    pub(crate) async fn lend(&self, app: &TestApp, guest: &Self) -> String {
        self.lend_with(app, guest, json!({})).await.expect(201).text("grant_id")
    }

    /// The same with other members of the body.
    pub(crate) async fn lend_with(&self, app: &TestApp, guest: &Self, changes: Value) -> Reply {
        let now = app.clock.now();
        let mut body = json!({
            "vehicle_id": self.vehicles[0],
            "grantee_id": guest.id,
            "entitlements": ["unlock", "lock", "read_attributes", "read_lock_status"],
            "not_before": now,
            "not_after": now.plus(Duration::from_secs(2 * 60 * 60)),
        });
        for (member, value) in changes.as_object().unwrap() {
            body[member] = value.clone();
        }
        self.post("/v1/grants", body).await
    }

    /// The holder of the signed form of a grant.
    pub(crate) async fn holder_of(&self, grant_id: &str) -> Self {
        let minted = self.post(&format!("/v1/grants/{grant_id}/token"), json!({})).await;
        self.with_token(minted.expect(200).text("grant_token"))
    }

    /// The events of the record, newest first, of one car.
    pub(crate) async fn events_of(&self, vehicle_id: &str) -> Vec<String> {
        let path = format!("/v1/audit-entries?limit=100&vehicle_id={vehicle_id}");
        self.get(&path).await.expect(200).list("event")
    }
}
