//! Signing in with an address and a password.

use std::net::IpAddr;

use secrecy::{ExposeSecret, SecretString};

use super::{LIFETIME, Owner, Tokens, issue};
use crate::auth::throttle::{AccountKey, RetryAfter};
use crate::domain::event::{CredentialRefusal, Event};
use crate::domain::id::OrganizationId;
use crate::domain::user::Email;
use crate::service::{Base, CredentialFault, Error, PersonalContext, Service};
use crate::storage::users::Account;
use crate::storage::{Priority, StorageError, sessions, users};

/// What a person signs in with.
#[derive(Debug)]
pub struct SignIn {
    /// Their address.
    pub email: Email,
    /// Their password.
    pub password: SecretString,
    /// Their organization; needed only if several know the address.
    pub organization_id: Option<OrganizationId>,
    /// Where the request came from.
    pub address: IpAddr,
    /// The HTTP request.
    pub request_id: Option<String>,
}

/// Starts a session. Takes the same time and gives the same answer for known and unknown
/// addresses.
///
/// # Errors
/// [`CredentialFault::WrongPassword`], or [`Error::Throttled`] after too many failures.
pub async fn create(service: &Service, sign_in: SignIn) -> Result<Tokens, Error> {
    let account_key = AccountKey::of(&[sign_in.email.as_str()]);
    service
        .throttle
        .check(account_key, sign_in.address)
        .map_err(|RetryAfter(wait)| Error::Throttled(wait))?;
    let mut reader = service.base.store.read().await?;
    let account = users::find_account(&mut reader, &sign_in.email, sign_in.organization_id).await?;
    drop(reader);
    let stored = account.as_ref().and_then(|account| account.password_hash.clone());
    let verdict = service.verify_password(&sign_in.password, stored).await?;
    match account {
        Some(account) if verdict.matches && account.user.disabled_at.is_none() => {
            service.throttle.record_success(account_key, sign_in.address);
            if verdict.needs_rehash {
                rehash(service, &account, &sign_in.password).await?;
            }
            start(&service.base, &account, sign_in.address, sign_in.request_id).await
        }
        account => {
            service.throttle.record_failure(account_key, sign_in.address);
            if let Some(account) = account {
                let reason = refusal(&account, verdict.matches);
                let (from, request_id) = (sign_in.address, sign_in.request_id);
                record_refusal(&service.base, &account, reason, from, request_id).await?;
            }
            Err(Error::Unauthenticated(CredentialFault::WrongPassword))
        }
    }
}

const fn refusal(account: &Account, matches: bool) -> CredentialRefusal {
    match (&account.password_hash, matches) {
        (None, _) => CredentialRefusal::NoPassword,
        (Some(_), false) => CredentialRefusal::WrongPassword,
        (Some(_), true) => CredentialRefusal::AccountDisabled,
    }
}

const fn owner(account: &Account) -> Owner {
    Owner {
        organization_id: account.user.organization_id,
        user_id: account.user.user_id,
        role: account.user.role,
    }
}

async fn start(
    base: &Base,
    account: &Account,
    from: IpAddr,
    request_id: Option<String>,
) -> Result<Tokens, Error> {
    let owner = owner(account);
    let caller = &owner.caller(request_id);
    let started = base.transact("sessions.create", Priority::Ordinary, |work| {
        Box::pin(async move {
            let (tx, now) = (&mut work.tx, work.now);
            let session_id = base.entropy.id(now)?;
            let person = (owner.organization_id, owner.user_id);
            sessions::insert(tx, session_id, person, now, now.plus(LIFETIME)).await?;
            let tokens = issue(base, tx, session_id, owner, now).await?;
            let created = Event::SessionCreated { user_id: owner.user_id, session_id };
            work.record_with(caller, created, from_network(from))?;
            Ok(tokens)
        })
    });
    started.await
}

/// Where a request to sign in came from, as it is kept beside the record.
fn from_network(address: IpAddr) -> PersonalContext<'static> {
    PersonalContext { network_address: Some(address), ..PersonalContext::default() }
}

async fn record_refusal(
    base: &Base,
    account: &Account,
    reason: CredentialRefusal,
    from: IpAddr,
    request_id: Option<String>,
) -> Result<(), Error> {
    let caller = &owner(account).caller(request_id);
    let recorded = base.transact("sessions.refuse", Priority::Ordinary, |work| {
        Box::pin(async move {
            let refused = Event::SessionRefused { user_id: account.user.user_id, reason };
            work.record_with(caller, refused, from_network(from))
        })
    });
    recorded.await
}

/// Replaces a hash that was made with weaker parameters. Losing the race to another sign-in is
/// as good as winning it.
async fn rehash(
    service: &Service,
    account: &Account,
    password: &SecretString,
) -> Result<(), Error> {
    let Some(old) = &account.password_hash else { return Ok(()) };
    let new = &service.hash_password(&SecretString::from(password.expose_secret())).await?;
    let replaced = service.base.transact("sessions.rehash", Priority::Ordinary, |work| {
        Box::pin(async move {
            let user_id = account.user.user_id;
            match users::set_password_hash(&mut work.tx, user_id, old, new).await {
                Err(StorageError::LostRace) => Ok(()),
                other => Ok(other?),
            }
        })
    });
    replaced.await
}
