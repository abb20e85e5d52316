//! A server as somebody who is signed in sees it: requests with their credentials, which are
//! renewed when they have expired.

use std::time::Duration;

use reqwest::{Method, Response};
use serde_json::Value;

use super::answer::{self, Answer, NotAnswered};
use super::arguments::{CallArgs, View};
use super::asked::{Asked, body, text};
use super::keeper::{Hidden, Keeper, Login, Renewal};
use super::print;
use super::table::member;
use super::transport::{self, Http, RawAnswer};
use crate::cli::{Failure, Unmet};
use crate::clock::{Clock as _, SystemClock};
use crate::domain::id::kind;
use crate::domain::time::Timestamp;
use crate::entropy::{Entropy, OsEntropy};

/// An access token that has so little time left is renewed before it is used.
const RENEWED_BEFORE: Duration = Duration::from_secs(10);
/// What a session's access token is refused with when it has expired or was replaced.
const OVER: [&str; 2] = ["token_expired", "token_invalid"];

/// A server, and who is signed in there.
#[derive(Debug)]
pub(super) struct Api {
    http: Http,
    keeper: Keeper,
    login: Login,
    acting_for: Option<String>,
    view: View,
}

impl Api {
    /// The server at which the profile is signed in. Asks nothing of it yet.
    ///
    /// # Errors
    /// [`Unmet::SignedOut`] if the profile has no login.
    pub(super) fn open(args: &CallArgs) -> Result<Self, Failure> {
        let keeper = Keeper::of(&args.profile)?;
        let login = keeper.read()?;
        let http = Http::of(&login.server.parse()?)?;
        let acting_for = args.acting_for.map(|user_id| user_id.to_string());
        let acting_for = acting_for.or_else(|| match &login.renewal {
            Renewal::ApiClient { acting_for, .. } => acting_for.map(|id| id.to_string()),
            Renewal::Session { .. } => None,
        });
        Ok(Self { http, keeper, login, acting_for, view: args.output })
    }

    /// How answers are printed.
    pub(super) const fn view(&self) -> View {
        self.view
    }

    /// Who is signed in.
    pub(super) const fn login(&self) -> &Login {
        &self.login
    }

    /// For whom requests are made, if somebody is named.
    pub(super) fn acting_for(&self) -> Option<&str> {
        self.acting_for.as_deref()
    }

    /// Asks, and gives the answer. A POST gets an idempotency key, and what can be repeated is
    /// asked once more if the connection breaks.
    ///
    /// # Errors
    /// [`Failure::Unmet`] with what the server or the way to it says; with `-o json` the problem
    /// is printed too.
    pub(super) async fn call(&mut self, asked: Asked) -> Result<Answer, Failure> {
        let asked = self.prepared(asked)?;
        self.renew_if_due().await?;
        let mut answer = answer::read(self.exchange(&asked).await?, &asked.path);
        if answer.as_ref().is_err_and(|problem| OVER.contains(&problem.code())) {
            // Nothing was done, so it can be asked again.
            self.renew().await?;
            answer = answer::read(self.exchange(&asked).await?, &asked.path);
        }
        answer.map_err(|problem| self.failure(problem, asked.if_lost))
    }

    /// Asks for an answer without end, and gives it once it has begun.
    ///
    /// # Errors
    /// As [`Self::call`].
    pub(super) async fn open_stream(&mut self, asked: &Asked) -> Result<Response, Failure> {
        let asked = self.prepared(asked.clone())?;
        self.renew_if_due().await?;
        let mut renewed = false;
        loop {
            let bearer = &self.login.access_token.0;
            let opened = self.http.open(&asked, bearer).await;
            let response = opened.map_err(|none| none.into_failure(&self.http, &asked))?;
            if response.status() == reqwest::StatusCode::OK {
                return Ok(response);
            }
            let raw = transport::read_rest(response).await;
            let raw = raw.map_err(|none| none.into_failure(&self.http, &asked))?;
            match answer::read(raw, &asked.path) {
                Err(problem) if !renewed && OVER.contains(&problem.code()) => self.renew().await?,
                Err(problem) => return Err(self.failure(problem, asked.if_lost)),
                Ok(_) => {
                    let said = "the server sends no events; it is one of another version";
                    return Err(Failure::unmet(Unmet::Unreachable, said));
                }
            }
            renewed = true;
        }
    }

    fn prepared(&self, asked: Asked) -> Result<Asked, Failure> {
        let key = match asked.method {
            Method::POST => Some(idempotency_key()?),
            _ => None,
        };
        let acting_for = self.acting_for.as_ref();
        Ok(asked.header("idempotency-key", key).header("keylend-acting-for", acting_for))
    }

    async fn exchange(&self, asked: &Asked) -> Result<RawAnswer, Failure> {
        let bearer = Some(self.login.access_token.0.as_str());
        let mut raw = self.http.exchange(asked, bearer).await;
        let can_repeat = matches!(asked.method, Method::GET | Method::POST);
        if can_repeat && raw.as_ref().is_err_and(|none| none.is_broken) {
            raw = self.http.exchange(asked, bearer).await;
        }
        raw.map_err(|none| none.into_failure(&self.http, asked))
    }

    /// A problem as a failure, printed as the API gave it if that is asked for.
    fn failure(&self, problem: NotAnswered, if_lost: Unmet) -> Failure {
        if let (View::Json, NotAnswered::Problem { body, .. }) = (self.view, &problem) {
            // What cannot be printed is said in another way next.
            let _ = print::json(body);
        }
        problem.into_failure(if_lost)
    }

    async fn renew_if_due(&mut self) -> Result<(), Failure> {
        let now = SystemClock::start().now();
        if now.plus(RENEWED_BEFORE) >= self.login.expires_at { self.renew().await } else { Ok(()) }
    }

    /// Gets the next access token, or takes the one that another process got meanwhile: a refresh
    /// token that is used twice ends the session, so one process at a time uses it.
    async fn renew(&mut self) -> Result<(), Failure> {
        let keeper = self.keeper.clone();
        let held = keeper.hold().await?;
        let kept = keeper.read()?;
        if !kept.is_continued_from(&self.login) {
            // What is asked for is not for whoever signed in meanwhile, and their tokens are not
            // for this server.
            let said = format!("profile {} was signed in anew meanwhile", keeper.profile());
            return Err(Failure::unmet(Unmet::SignedOut, said));
        }
        if kept.access_token != self.login.access_token {
            self.login = kept;
            return Ok(());
        }
        self.login = renewed(&self.http, kept).await.map_err(|failure| match failure {
            Failure::Unmet { why: Unmet::SignedOut, notes, .. } => {
                let (profile, login) = (keeper.profile(), keeper.login_command());
                let said = format!("the login of profile {profile} is over; run `{login}`");
                Failure::Unmet { why: Unmet::SignedOut, said, notes }
            }
            other => other,
        })?;
        held.replace(&self.login)
    }
}

/// The login with its next access token.
async fn renewed(http: &Http, login: Login) -> Result<Login, Failure> {
    match &login.renewal {
        Renewal::Session { refresh_token, .. } => {
            let body = body([("refresh_token", text(&refresh_token.0))]);
            let asked = Asked::post("/v1/sessions/refresh", body);
            let answer = ask_once(http, &asked).await?;
            of_session(http, &answer)
        }
        Renewal::ApiClient { client_id, client_secret, .. } => {
            let answer = ask_once(http, &Asked::token(client_id, client_secret)).await?;
            of_access_token(http, &answer, login.renewal.clone())
        }
    }
}

/// Asks without credentials, once: what is asked for so can be had only once.
///
/// # Errors
/// [`Failure::Unmet`] with what the server or the way to it says.
pub(super) async fn ask_once(http: &Http, asked: &Asked) -> Result<Value, Failure> {
    let raw = http.exchange(asked, None).await.map_err(|none| none.into_failure(http, asked))?;
    let is_token_error = asked.path == "/oauth/token" && matches!(raw.status, 400 | 401);
    match answer::read(raw, &asked.path) {
        Ok(answer) => Ok(answer.body),
        // RFC 6749 section 5.2: no problem document.
        Err(_) if is_token_error => {
            let said = "the server does not accept these credentials of an API client";
            Err(Failure::unmet(Unmet::SignedOut, said))
        }
        Err(problem) => Err(problem.into_failure(asked.if_lost)),
    }
}

/// The login that an answer with a session's tokens makes.
///
/// # Errors
/// [`Failure`] if the answer is one of another version.
pub(super) fn of_session(http: &Http, answer: &Value) -> Result<Login, Failure> {
    let session_id = answer::required(answer, "session_id")?.to_owned();
    let refresh_token = Hidden(answer::required(answer, "refresh_token")?.to_owned());
    of_access_token(http, answer, Renewal::Session { session_id, refresh_token })
}

/// The login that an answer with an access token makes, if the next one is got in this way.
///
/// # Errors
/// [`Failure`] if the answer is one of another version.
pub(super) fn of_access_token(
    http: &Http,
    answer: &Value,
    renewal: Renewal,
) -> Result<Login, Failure> {
    let access_token = Hidden(answer::required(answer, "access_token")?.to_owned());
    let server = http.server().as_str().to_owned();
    Ok(Login { server, access_token, expires_at: expiry(answer), renewal })
}

/// When an access token expires; at once if the answer does not say.
fn expiry(answer: &Value) -> Timestamp {
    let seconds = member(answer, "expires_in").as_u64().unwrap_or(0);
    SystemClock::start().now().plus(Duration::from_secs(seconds))
}

fn idempotency_key() -> Result<String, Failure> {
    let entropy: &dyn Entropy = &OsEntropy::default();
    Ok(entropy.id::<kind::Token>(SystemClock::start().now())?.to_string())
}
