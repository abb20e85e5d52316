//! Everything a running simulator keeps: its cars, what the owner agreed to, codes and tokens. It
//! is all in memory and bounded; a restart forgets it. It does not know HTTP.

use std::collections::HashMap;
use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};
use std::time::Duration;

use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use uuid::Uuid;

use super::accounts::Accounts;
use super::applications::Applications;
use super::bounded::Bounded;
use super::car::{Car, Manners};
use super::connect::ConnectManners;
use super::consents::{Consent, Consents, User};
use super::courier::Seal;
use super::fleet::{self, Fleet};
use super::journal::Journal;
use super::options::Options;
use super::webhooks::{PostOffice, Webhooks};
use crate::clock::Clock;
use crate::domain::time::Timestamp;
use crate::entropy::{Entropy, NoEntropy};
use crate::simulator::faults::token_faults::TokenFaults;
use crate::smartcar::v2;

/// The application management token if none is chosen.
const MANAGEMENT_TOKEN: &str = "simulated-token-of-webhooks";
/// How long webhooks are given to listen, each time.
const RETRY_AFTER: [Duration; 3] =
    [Duration::from_secs(25), Duration::from_secs(50), Duration::from_secs(100)];
/// Codes, access tokens and refresh tokens kept, of each; the oldest go first.
const TOKENS_MAX: usize = 100_000;
/// Owners kept beside the first; the oldest go first.
const USERS_MAX: usize = 10_000;
const CODE_LIFETIME: Duration = Duration::from_secs(10 * 60);
const ACCESS_LIFETIME: Duration = Duration::from_secs(v2::ACCESS_TOKEN_LIFETIME_S);
const REFRESH_LIFETIME: Duration = Duration::from_secs(60 * 24 * 3600);

/// A code, with the address it must be redeemed with.
#[derive(Debug)]
pub(crate) struct Code {
    pub(crate) consent: Arc<Consent>,
    pub(crate) redirect_uri: String,
    pub(super) expires_at: Timestamp,
}

/// What a token stands for.
#[derive(Debug, Clone)]
pub(super) struct Token {
    pub(crate) consent: Arc<Consent>,
    pub(super) expires_at: Timestamp,
}

/// A running simulator.
pub(crate) struct Cloud {
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) entropy: Arc<dyn Entropy>,
    pub(crate) auto_approve: bool,
    /// The owner whom no application has a name for.
    pub(crate) owner: Arc<User>,
    pub(crate) users: Mutex<Bounded<Arc<User>>>,
    pub(crate) consents: Consents,
    pub(super) accounts: Accounts,
    pub(crate) connect_manners: ConnectManners,
    /// The application management token.
    pub(crate) management_token: String,
    pub(crate) webhooks: Webhooks,
    pub(crate) post_office: Arc<PostOffice>,
    pub(crate) journal: Journal,
    pub(crate) manners: Manners,
    pub(crate) tasks: TaskTracker,
    pub(super) applications: Applications,
    pub(crate) token_faults: TokenFaults,
    shutdown: CancellationToken,
    cars: Vec<Arc<Car>>,
    by_id: HashMap<Arc<str>, usize>,
    codes: Mutex<Bounded<Code>>,
    access: RwLock<Bounded<Token>>,
    refresh: Mutex<Bounded<Token>>,
}

impl Cloud {
    pub(crate) fn new(
        options: Options,
        clock: Arc<dyn Clock>,
        entropy: Arc<dyn Entropy>,
        shutdown: CancellationToken,
    ) -> io::Result<Self> {
        let now = clock.now();
        let owner = entropy.uuid(now).map_err(io::Error::other)?.to_string();
        let cars = (0..options.fleet.cars().len())
            .filter_map(|place| delivered(&options.fleet, place, entropy.as_ref(), now))
            .collect::<Result<Vec<_>, _>>()
            .map_err(io::Error::other)?;
        let by_id = cars.iter().enumerate();
        let tasks = TaskTracker::new();
        let management_token = options.management_token.as_deref().unwrap_or(MANAGEMENT_TOKEN);
        let management_token = management_token.to_owned();
        let post_office = PostOffice {
            clock: Arc::clone(&clock),
            entropy: Arc::clone(&entropy),
            seal: Seal::new(&management_token),
            retry_after: options.webhook_retries.unwrap_or_else(|| RETRY_AFTER.to_vec()),
            tasks: tasks.clone(),
            shutdown: shutdown.clone(),
        };
        Ok(Self {
            owner: Arc::new(User { id: owner, external_id: None }),
            users: Mutex::new(Bounded::new(USERS_MAX)),
            consents: Consents::default(),
            accounts: Accounts::default(),
            webhooks: Webhooks::default(),
            post_office: Arc::new(post_office),
            management_token,
            connect_manners: ConnectManners::new(options.connect),
            auto_approve: options.auto_approve,
            journal: Journal::open(options.journal.as_deref())?,
            manners: Manners { as_official: options.as_official },
            tasks,
            applications: Applications::default(),
            token_faults: TokenFaults::default(),
            by_id: by_id.map(|(n, car)| (Arc::clone(&car.id), n)).collect(),
            codes: Mutex::new(Bounded::new(TOKENS_MAX)),
            access: RwLock::new(Bounded::new(TOKENS_MAX)),
            refresh: Mutex::new(Bounded::new(TOKENS_MAX)),
            cars,
            clock,
            entropy,
            shutdown,
        })
    }

    /// All cars, in the order of the fleet.
    pub(crate) fn cars(&self) -> &[Arc<Car>] {
        &self.cars
    }

    /// The car with this id, and its place in the fleet.
    pub(crate) fn car(&self, id: &str) -> Option<(usize, &Arc<Car>)> {
        let place = *self.by_id.get(id)?;
        Some((place, self.cars.get(place)?))
    }

    /// Waits; `false` if the simulator was told to stop meanwhile.
    pub(crate) async fn pause(&self, millis: u64) -> bool {
        tokio::select! {
            () = tokio::time::sleep(Duration::from_millis(millis)) => true,
            () = self.shutdown.cancelled() => false,
        }
    }

    /// A code for what the owner agreed to.
    pub(crate) fn issue_code(
        &self,
        consent: Consent,
        redirect_uri: String,
    ) -> Result<String, NoEntropy> {
        let code = self.secret()?;
        let entry = Code {
            consent: Arc::new(consent),
            redirect_uri,
            expires_at: self.clock.now().plus(CODE_LIFETIME),
        };
        locked(&self.codes).insert(code.clone(), entry);
        Ok(code)
    }

    /// Takes a code out; whoever tries it uses it up.
    pub(crate) fn take_code(&self, code: &str) -> Option<Code> {
        let entry = locked(&self.codes).remove(code)?;
        (entry.expires_at > self.clock.now() && !entry.consent.is_over()).then_some(entry)
    }

    /// A new pair of tokens.
    pub(crate) fn issue_tokens(
        &self,
        consent: &Arc<Consent>,
    ) -> Result<v2::TokenAnswer, NoEntropy> {
        let (access_token, refresh_token) = (self.secret()?, self.secret()?);
        let now = self.clock.now();
        let token =
            |lifetime| Token { consent: Arc::clone(consent), expires_at: now.plus(lifetime) };
        let mut access = self.access.write().unwrap_or_else(PoisonError::into_inner);
        access.insert(access_token.clone(), token(ACCESS_LIFETIME));
        drop(access);
        locked(&self.refresh).insert(refresh_token.clone(), token(REFRESH_LIFETIME));
        Ok(v2::TokenAnswer {
            access_token,
            token_type: "Bearer".to_owned(),
            expires_in: v2::ACCESS_TOKEN_LIFETIME_S,
            refresh_token,
        })
    }

    /// Takes a refresh token out, if it is this client's; it can be used once, and not when
    /// everything it rests on was withdrawn.
    pub(crate) fn take_refresh(&self, token: &str, client_id: &str) -> Option<Arc<Consent>> {
        let mut refresh = locked(&self.refresh);
        refresh.get(token).filter(|token| token.consent.client_id == client_id)?;
        let entry = refresh.remove(token)?;
        drop(refresh);
        (entry.expires_at > self.clock.now() && !entry.consent.is_over()).then_some(entry.consent)
    }

    /// What an access token stands for, while it lives.
    pub(crate) fn consent_of(&self, token: &str) -> Option<Arc<Consent>> {
        let access = self.access.read().unwrap_or_else(PoisonError::into_inner);
        let entry = access.get(token)?.clone();
        drop(access);
        (entry.expires_at > self.clock.now()).then_some(entry.consent)
    }

    /// The owner takes everything back: no code and no token is worth anything any more.
    pub(crate) fn forget_consents(&self) {
        self.withdraw(|_| true);
        locked(&self.codes).clear();
        locked(&self.refresh).clear();
        let mut access = self.access.write().unwrap_or_else(PoisonError::into_inner);
        access.clear();
    }

    /// A new token of this application.
    pub(crate) fn issue_application_token(&self, client_id: &str) -> Result<String, NoEntropy> {
        let secret = self.secret()?;
        Ok(self.applications.admit(client_id, &secret, self.clock.now()))
    }

    /// Whose this token is, while it lives.
    pub(crate) fn application_of(&self, token: &str) -> Option<String> {
        self.applications.find(token, self.clock.now())
    }

    pub(crate) fn secret(&self) -> Result<String, NoEntropy> {
        let bytes = self.entropy.bytes::<16>()?;
        Ok(uuid::Builder::from_random_bytes(bytes).into_uuid().to_string())
    }

    /// A new name for a request.
    pub(crate) fn request_id(&self) -> Result<Uuid, NoEntropy> {
        self.entropy.uuid(self.clock.now())
    }
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A car of the fleet, with what was left open; `None` if there is none at this place.
fn delivered(
    fleet: &Fleet,
    place: usize,
    entropy: &dyn Entropy,
    now: Timestamp,
) -> Option<Result<Arc<Car>, NoEntropy>> {
    let car = fleet.cars().get(place)?;
    let id = match (&car.id, fleet.seed()) {
        (Some(id), _) => Ok(id.clone()),
        (None, Some(seed)) => Ok(fleet::seeded_id(seed, place)),
        (None, None) => entropy.uuid(now).map(|id| id.to_string()),
    };
    let (vin, state) = (car.vin.clone(), fleet.first_state(place, now));
    Some(id.map(|id| {
        Arc::new(Car {
            id: id.into(),
            make: car.make.to_uppercase(),
            model: car.model.clone(),
            year: car.year,
            vin: vin.unwrap_or_else(|| format!("0SCSIM{place:011}")),
            delivered_at: now,
            delivered_km: state.odometer_km,
            state: Mutex::new(state),
            faults: Mutex::default(),
        })
    }))
}
