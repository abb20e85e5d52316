//! People who use the service over HTTP while it is hurt, and write down what they asked for and
//! what they were told. A request whose answer does not come is not repeated by itself.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use reqwest::Method;
use serde_json::{Value, json};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use super::clients_log::ClientsLog;
use crate::checker::history::{Answer, Asked, Request};
use crate::support::people::PASSWORD;

/// A client gives up after this.
const PATIENCE: Duration = Duration::from_secs(20);

/// How soon somebody comes again who was turned away.
const PAUSE: Duration = Duration::from_millis(50);

/// Where all people of a run are.
pub(crate) struct World {
    /// Where the service is reached.
    pub(crate) base: String,
    pub(crate) log: ClientsLog,
    /// Whether it is worth asking at all.
    pub(crate) up: watch::Receiver<bool>,
    /// When it is time to go home.
    pub(crate) stop: CancellationToken,
    http: reqwest::Client,
    names: AtomicU64,
}

/// One request to be made.
pub(crate) struct Call {
    pub(crate) path: String,
    pub(crate) body: Value,
    pub(crate) key: Option<String>,
    pub(crate) asked: Asked,
    /// A token in place of the person's session.
    pub(crate) token: Option<String>,
    /// Whether to be told before the outcome is known.
    pub(crate) in_haste: bool,
}

/// Somebody with an account.
#[derive(Clone)]
pub(crate) struct Person {
    pub(crate) world: Arc<World>,
    pub(crate) email: String,
    pub(crate) id: String,
    pub(crate) organization_id: String,
    access_token: String,
    refresh_token: String,
}

impl World {
    /// People who keep their connections.
    pub(crate) fn new(base: String, up: watch::Receiver<bool>) -> Arc<Self> {
        Self::with(base, up, usize::MAX)
    }

    /// People who come with a new connection each time.
    pub(crate) fn balanced(base: String, up: watch::Receiver<bool>) -> Arc<Self> {
        Self::with(base, up, 0)
    }

    fn with(base: String, up: watch::Receiver<bool>, connections_kept: usize) -> Arc<Self> {
        #[expect(clippy::disallowed_methods, reason = "the tests play apps, not the service")]
        let builder = reqwest::Client::builder();
        let http = builder
            .no_proxy()
            .redirect(reqwest::redirect::Policy::none())
            .timeout(PATIENCE)
            .pool_max_idle_per_host(connections_kept)
            .build()
            .unwrap();
        let (log, stop, names) = (ClientsLog::start(), CancellationToken::new(), AtomicU64::new(0));
        Arc::new(Self { base, log, up, stop, http, names })
    }

    /// A name that nobody else has.
    pub(crate) fn name(&self, what: &str) -> String {
        format!("{what}-{}", self.names.fetch_add(1, Ordering::Relaxed))
    }

    /// Waits until it is worth asking; `false` if it is time to go home.
    pub(crate) async fn is_open(&self) -> bool {
        let mut up = self.up.clone();
        tokio::select! {
            biased;
            () = self.stop.cancelled() => false,
            open = up.wait_for(|up| *up) => open.is_ok(),
        }
    }

    /// Lets somebody wait who was turned away; nobody does so for longer than people are there.
    async fn pause(&self) {
        // Either way it is over.
        let _ = tokio::time::timeout(PAUSE, self.stop.cancelled()).await;
    }

    /// Gets something that is for everybody.
    pub(crate) async fn get(&self, path: &str) -> Option<(u16, Vec<u8>)> {
        let answer = self.http.get(format!("{}{path}", self.base)).send().await.ok()?;
        let status = answer.status().as_u16();
        Some((status, answer.bytes().await.ok()?.to_vec()))
    }

    /// Sends a request that is in the log, and returns the answer if a whole one came.
    async fn send(
        &self,
        organization_id: &str,
        token: Option<&str>,
        call: &Call,
    ) -> Option<Answer> {
        // The record keeps no other names of requests.
        let number = self.names.fetch_add(1, Ordering::Relaxed);
        let request_id = uuid::Uuid::from_u128(u128::from(number)).to_string();
        let is_change = matches!(call.asked, Asked::Amend { .. });
        let method = match call.asked {
            Asked::Amend { .. } => Method::PATCH,
            Asked::Lift { .. } => Method::DELETE,
            _ => Method::POST,
        };
        let mut request = self
            .http
            .request(method, format!("{}{}", self.base, call.path))
            .header("x-request-id", &request_id)
            .json(&call.body);
        if is_change {
            request = request.header("if-match", "*");
        }
        if let Some(key) = &call.key {
            request = request.header("idempotency-key", key);
        }
        if let Some(token) = token {
            request = request.bearer_auth(token);
        }
        if call.in_haste {
            request = request.header("prefer", "wait=0");
        }
        let place = self.log.begin(Request {
            request_id,
            begun_us: self.log.now_us(),
            organization_id: organization_id.to_owned(),
            key: call.key.clone(),
            asked: call.asked.clone(),
            answer: None,
        });
        let response = request.send().await.ok()?;
        let status = response.status().as_u16();
        let bytes = response.bytes().await.ok()?;
        let body = serde_json::from_slice(&bytes).unwrap_or(Value::Null);
        let answer = Answer { at_us: self.log.now_us(), status, body };
        self.log.end(place, answer.clone());
        Some(answer)
    }
}

impl Person {
    /// Somebody who has just come in; `None` if it was time to go home meanwhile.
    pub(crate) async fn arriving(world: &Arc<World>, email: &str) -> Option<Self> {
        let mut person = Self {
            world: Arc::clone(world),
            email: email.to_owned(),
            id: String::new(),
            organization_id: String::new(),
            access_token: String::new(),
            refresh_token: String::new(),
        };
        person.sign_in().await.then_some(())?;
        while person.id.is_empty() && world.is_open().await {
            let url = format!("{}/v1/users/me", world.base);
            let request = world.http.get(url).bearer_auth(&person.access_token).send().await;
            let Ok(answer) = request else { continue };
            if !answer.status().is_success() {
                world.pause().await;
                continue;
            }
            let Ok(me) = answer.json::<Value>().await else { continue };
            person.id = me["user_id"].as_str().unwrap_or_default().to_owned();
            person.organization_id = me["organization_id"].as_str().unwrap_or_default().to_owned();
        }
        (!person.id.is_empty()).then_some(person)
    }

    /// Begins a session, however often it takes; `false` if it is time to go home.
    async fn sign_in(&mut self) -> bool {
        while self.world.is_open().await {
            let call = Call {
                path: "/v1/sessions".to_owned(),
                body: json!({ "email": self.email, "password": PASSWORD }),
                key: None,
                asked: Asked::SignIn,
                token: None,
                in_haste: false,
            };
            match self.world.send(&self.organization_id, None, &call).await {
                Some(answer) if self.take_tokens(&answer) => return true,
                Some(_) => self.world.pause().await,
                None => {}
            }
        }
        false
    }

    fn take_tokens(&mut self, answer: &Answer) -> bool {
        let (Some(access), Some(refresh)) =
            (answer.text("access_token"), answer.text("refresh_token"))
        else {
            return false;
        };
        (self.access_token, self.refresh_token) = (access.to_owned(), refresh.to_owned());
        true
    }

    fn refreshing(&self) -> Call {
        Call {
            path: "/v1/sessions/refresh".to_owned(),
            body: json!({ "refresh_token": self.refresh_token }),
            key: None,
            asked: Asked::Refresh { token: self.refresh_token.clone() },
            token: None,
            in_haste: false,
        }
    }

    /// Goes on with the session; without an answer once more with the same token, and if that does
    /// not help with a new session.
    pub(crate) async fn refresh(&mut self) {
        for _ in 0..2 {
            let call = self.refreshing();
            match self.world.send(&self.organization_id, None, &call).await {
                Some(answer) if self.take_tokens(&answer) => return,
                Some(_) => break,
                None if self.world.is_open().await => {}
                None => return,
            }
        }
        self.sign_in().await;
    }

    /// Several at once with the one token: at most one of them may win.
    pub(crate) async fn refresh_in_parallel(&mut self, copies: usize) -> usize {
        let call = self.refreshing();
        let posts = (0..copies).map(|_| self.world.send(&self.organization_id, None, &call));
        let answers = futures_util::future::join_all(posts).await;
        let winners: Vec<_> =
            answers.into_iter().flatten().filter(|answer| answer.status == 201).collect();
        // The others have shown the token a second time, so the session is over.
        self.sign_in().await;
        winners.len()
    }

    /// Asks for something by one's session or another token; a session that is not taken any more
    /// is gone on with, and the request stays unanswered for whoever asked.
    pub(crate) async fn ask(&mut self, call: &Call) -> Option<Answer> {
        let token = call.token.as_ref().unwrap_or(&self.access_token);
        let answer = self.world.send(&self.organization_id, Some(token), call).await?;
        if answer.status == 401 && call.token.is_none() {
            self.refresh().await;
            return None;
        }
        Some(answer)
    }

    /// The same, until there is an answer that is no "try again later", or time to go home. To be
    /// turned away is no try: they come again as long as it takes, so that whatever was begun while
    /// the database was away is asked about when it is back.
    pub(crate) async fn insist(&mut self, call: &Call, tries: usize) -> Option<Answer> {
        let mut tries = tries;
        while tries > 0 && self.world.is_open().await {
            match self.ask(call).await {
                Some(answer) if answer.is_turning_away() => self.world.pause().await,
                Some(answer) if answer.is_success() || !matches!(answer.status, 409 | 500..) => {
                    return Some(answer);
                }
                _ => tries -= 1,
            }
        }
        None
    }

    /// Gets something with the session, outside the log.
    pub(crate) async fn get(&self, path: &str) -> Option<Value> {
        let url = format!("{}{path}", self.world.base);
        let answer = self.world.http.get(url).bearer_auth(&self.access_token).send().await.ok()?;
        answer.json().await.ok()
    }

    /// Posts something with the session, outside the log: what a run needs before it begins.
    pub(crate) async fn prepare(&self, path: &str, body: Value) -> Value {
        let url = format!("{}{path}", self.world.base);
        let request = self.world.http.post(url).bearer_auth(&self.access_token).json(&body);
        let request = request.header("idempotency-key", self.world.name("prepare"));
        let answer = request.send().await.unwrap();
        assert!(answer.status().is_success(), "{path}: {}", answer.text().await.unwrap());
        answer.json().await.unwrap()
    }

    /// The signed form of a grant, if there is one to be had.
    pub(crate) async fn holder_token(&self, grant_id: &str) -> Option<String> {
        let url = format!("{}/v1/grants/{grant_id}/token", self.world.base);
        let request = self.world.http.post(url).bearer_auth(&self.access_token);
        let minted: Value = request.send().await.ok()?.json().await.ok()?;
        minted["grant_token"].as_str().map(str::to_owned)
    }
}
