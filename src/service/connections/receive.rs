//! The owner's browser comes back from the vehicle cloud: with a code or the owner's id, or with a
//! reason why not. The state it brings was given to one request, is used once and expires.

use super::connection_owner;
use super::consent::{self, Consent};
use crate::config::ApiVersions;
use crate::connector::{Access, ConnectorError};
use crate::domain::connection::{
    ApiVersion, COMPLETION_CODE_LENGTH, COMPLETION_TIME, COMPLETION_TRIES_MAX, CONSENT_TIME,
    Connection,
};
use crate::domain::event::Event;
use crate::domain::fault::Fault;
use crate::domain::id::ConnectionId;
use crate::domain::impairment::{ConnectionReason, NotGiven};
use crate::domain::return_url::ReturnUrl;
use crate::domain::time::Timestamp;
use crate::domain::user::User;
use crate::service::{Base, Caller, Error, Service, StateFault};
use crate::signing::secret::{self, RandomSecret, SecretPrefix};
use crate::storage::consents::PendingConsent;
use crate::storage::{Executor, Priority, connections, consents, return_urls, users};

/// What the browser brought.
#[derive(Debug, Clone)]
pub struct Return {
    /// What was given out when the connection started.
    pub state: String,
    /// What proves the consent, or why there is none.
    pub result: Result<Proof, NotGiven>,
    /// The secret that a browser was given here with a code, if it has one.
    pub browser: Option<String>,
    /// The HTTP request.
    pub request_id: Option<String>,
}

/// What a browser brings of an owner who consented (protocol page, section 1.2).
#[derive(Debug, Clone)]
pub struct Proof {
    /// API v2.0: to be exchanged for tokens.
    pub code: Option<String>,
    /// API v3: the cloud's id of the owner. By itself it proves nothing: anybody can write it
    /// into an address.
    pub user_id: Option<String>,
}

/// What came of a browser's return.
#[derive(Debug)]
pub struct Arrived {
    /// The connection.
    pub connection_id: ConnectionId,
    /// Where the app wants the browser back, if the organization still lists that.
    pub return_url: Option<ReturnUrl>,
    /// The consent, or why there is none: [`StateFault::ConsentLost`] if the owner declined, [`Error::Connector`] if the
    /// cloud fails, [`StateFault::ConsentNotPending`] if the connection was ended or the account closed meanwhile.
    pub consented: Result<Consented, Error>,
}

/// A consent that was received, for the browser that brought it and nobody else.
#[derive(Debug)]
pub struct Consented {
    /// The connection.
    pub connection_id: ConnectionId,
    /// Whose account the cars would come to. The person at the browser may be somebody else, whom the
    /// owner of that account sent there.
    pub owner: User,
    /// What the person who started the connection must show.
    pub completion_code: String,
    /// After this it is worth nothing.
    pub expires_at: Timestamp,
    /// What the browser keeps to be told the same once more; `None` if it has that already.
    pub browser: Option<RandomSecret>,
}

/// Receives a consent: exchanges the code for tokens and asks which cars there are. Nobody has them before the person
/// who started the connection shows the code that this browser is given: the browser may be somebody else's. The same
/// browser with the same state is told the same again, as long as the code lives.
///
/// # Errors
/// [`StateFault::ConsentNotPending`] for a state that is foreign, used or too old.
pub async fn receive(service: &Service, returned: Return) -> Result<Arrived, Error> {
    let base = &service.base;
    let connection = match (take(base, &returned.state).await, &returned.browser) {
        (Err(Error::State(StateFault::ConsentNotPending)), Some(browser)) => {
            return told_again(base, &returned.state, browser).await;
        }
        (taken, _) => taken?,
    };
    let caller = connection_owner(&connection, returned.request_id);
    let (state, result) = (&returned.state, returned.result);
    let consented = consented(service, &caller, &connection, state, result).await;
    let Connection { connection_id, return_url, .. } = connection;
    Ok(Arrived { connection_id, return_url, consented })
}

/// What the browser was told before that has this secret.
async fn told_again(base: &Base, state: &str, browser: &str) -> Result<Arrived, Error> {
    let not_pending = Error::State(StateFault::ConsentNotPending);
    let mut reader = base.store.read().await?;
    let told_after = base.clock.now().minus(COMPLETION_TIME);
    let hash = secret::hash_of_pair(browser, state);
    let Some(shown) = consents::shown(&mut reader, hash, told_after).await? else {
        return Err(not_pending);
    };
    let connection = still_listed(&mut reader, shown.connection).await?;
    let Connection { connection_id, organization_id, owner_id, return_url, .. } = connection;
    let owner = users::find(&mut reader, organization_id, owner_id).await?.ok_or(not_pending)?;
    let completion_code = consent::unseal_code(base, connection_id, &shown.sealed_code)?;
    let expires_at = shown.consented_at.plus(COMPLETION_TIME);
    let consented = Consented { connection_id, owner, completion_code, expires_at, browser: None };
    Ok(Arrived { connection_id, return_url, consented: Ok(consented) })
}

/// The connection without the address of an app that is not listed any more.
async fn still_listed(
    on: &mut impl Executor,
    mut connection: Connection,
) -> Result<Connection, Error> {
    if let Some(url) = &connection.return_url
        && !return_urls::is_listed(on, connection.organization_id, url).await?
    {
        connection.return_url = None;
    }
    Ok(connection)
}

async fn consented(
    service: &Service,
    caller: &Caller,
    connection: &Connection,
    state: &str,
    result: Result<Proof, NotGiven>,
) -> Result<Consented, Error> {
    let proof = match result {
        Ok(proof) => proof,
        Err(why) => {
            fail(&service.base, caller, connection, ConnectionReason::NotGiven(why)).await?;
            return Err(Error::State(StateFault::ConsentLost));
        }
    };
    match fetch(service, connection, proof).await {
        Ok(consented) => keep(&service.base, caller, connection, state, &consented).await,
        Err(error) => {
            fail(&service.base, caller, connection, error.connection_reason()).await?;
            Err(Error::Connector(Box::new(error)))
        }
    }
}

/// Uses the state up, so that of any number of browsers exactly one goes on. The app that wants the browser back must
/// still be listed.
async fn take(base: &Base, state: &str) -> Result<Connection, Error> {
    let hash = secret::hash_of(state);
    let taken = base.transact("connections.take_state", Priority::Ordinary, |work| {
        Box::pin(async move {
            let created_after = work.now.minus(CONSENT_TIME);
            let taken = connections::take_by_state(&mut work.tx, hash, created_after).await?;
            let taken = taken.ok_or(Error::State(StateFault::ConsentNotPending))?;
            still_listed(&mut work.tx, taken).await
        })
    });
    taken.await
}

async fn fetch(
    service: &Service,
    connection: &Connection,
    proof: Proof,
) -> Result<Consent, ConnectorError> {
    match (service.base.settings.api_versions, proof) {
        (ApiVersions::V3First | ApiVersions::V3Only, Proof { user_id: Some(user_id), .. }) => {
            by_application(service, connection, user_id).await
        }
        (ApiVersions::V3First | ApiVersions::V2Only, Proof { code: Some(code), .. }) => {
            by_tokens(service, connection, &code).await
        }
        (_, _) => Err(nothing_to_use()),
    }
}

/// API v3: the cloud must list cars that were shared by this owner on a page that we sent this
/// owner to. Otherwise whoever knows the id of a stranger could take the stranger's cars.
async fn by_application(
    service: &Service,
    connection: &Connection,
    user_id: String,
) -> Result<Consent, ConnectorError> {
    let access = Access::Application { user_id: user_id.clone() };
    let user = connection.owner_id.to_string();
    let mode = connection.mode.as_str();
    let cars = service.connector.consented_vehicles(&access, &user, mode).await?;
    let (api_version, provider_user_id) = (ApiVersion::V3, Some(user_id));
    Ok(Consent { api_version, provider_user_id, pair: None, cars })
}

/// API v2.0: the code is the proof. The owner's id is kept, so that the connection can be used
/// through v3 once v2.0 is gone.
async fn by_tokens(
    service: &Service,
    connection: &Connection,
    code: &str,
) -> Result<Consent, ConnectorError> {
    let connector = &service.connector;
    let pair = connector.exchange_code(code, &service.base.settings.redirect_uri()).await?;
    let user_id = connector.user_id(&pair.access_token).await?;
    let access = Access::OwnerToken(pair.access_token.clone());
    let user = connection.owner_id.to_string();
    let cars = connector.consented_vehicles(&access, &user, connection.mode.as_str()).await?;
    let (api_version, provider_user_id) = (ApiVersion::V2, Some(user_id));
    Ok(Consent { api_version, provider_user_id, pair: Some(pair), cars })
}

fn nothing_to_use() -> ConnectorError {
    ConnectorError::local(
        Fault::Rejected,
        "the browser brought nothing that this version of the API can use",
    )
}

/// Keeps what the consent came to, for the person who started the connection and shows the code.
async fn keep(
    base: &Base,
    caller: &Caller,
    connection: &Connection,
    state: &str,
    consented: &Consent,
) -> Result<Consented, Error> {
    let (connection_id, user_id) = (connection.connection_id, connection.owner_id);
    let code = &secret::pin(COMPLETION_CODE_LENGTH, &*base.entropy)?;
    let sealed = &consented.seal(base, connection_id)?;
    let sealed_code = &consent::seal_code(base, connection_id, code)?;
    let received = base.transact("connections.receive", Priority::Ordinary, |work| {
        Box::pin(async move {
            let (tx, now) = (&mut work.tx, work.now);
            let owner = users::find(tx, connection.organization_id, user_id).await?;
            let owner = owner.filter(|owner| owner.disabled_at.is_none());
            let owner = owner.ok_or(Error::State(StateFault::ConsentNotPending))?;
            let browser = RandomSecret::generate(SecretPrefix::Browser, &*base.entropy)?;
            let kept = PendingConsent {
                sealed: sealed.clone(),
                completion_hash: secret::hash_of_pair(&connection_id.to_string(), code),
                tries: COMPLETION_TRIES_MAX,
                consented_at: now,
                sealed_code: sealed_code.clone(),
                browser_hash: secret::hash_of_pair(browser.expose(), state),
            };
            if !consents::keep(tx, connection_id, kept).await? {
                return Err(Error::State(StateFault::ConsentNotPending));
            }
            let vehicles = consented.cars.len();
            work.record(caller, Event::ConnectionConsented { connection_id, user_id, vehicles })?;
            let completion_code = code.as_str().to_owned();
            let expires_at = now.plus(COMPLETION_TIME);
            let browser = Some(browser);
            Ok(Consented { connection_id, owner, completion_code, expires_at, browser })
        })
    });
    received.await
}

async fn fail(
    base: &Base,
    caller: &Caller,
    connection: &Connection,
    reason: ConnectionReason,
) -> Result<(), Error> {
    let reason = &reason;
    let failed = base.transact("connections.fail", Priority::Ordinary, |work| {
        Box::pin(async move {
            let connection_id = connection.connection_id;
            if !connections::fail(&mut work.tx, connection_id, reason).await? {
                return Ok(());
            }
            let (user_id, reason) = (connection.owner_id, reason.clone());
            work.record(caller, Event::ConnectionFailed { connection_id, user_id, reason })
        })
    });
    failed.await
}
