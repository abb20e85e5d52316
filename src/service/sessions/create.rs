//! Signing in with an address and a password.

use secrecy::{ExposeSecret, SecretString};

use super::{Origin, Owner, Tokens, start};
use crate::auth::throttle::{AccountKey, RetryAfter};
use crate::domain::event::{CredentialRefusal, Event};
use crate::domain::id::OrganizationId;
use crate::domain::user::Email;
use crate::measures;
use crate::service::{Base, CredentialFault, Error, Limit, Service};
use crate::storage::users::Account;
use crate::storage::{Priority, StorageError, users};

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
    pub origin: Origin,
}

/// Starts a session. Takes the same time and gives the same answer for known and unknown
/// addresses.
///
/// # Errors
/// [`CredentialFault::WrongPassword`], or [`Error::Throttled`] after too many failures.
pub async fn create(service: &Service, sign_in: SignIn) -> Result<Tokens, Error> {
    let mut reader = service.base.store.read().await?;
    let account = users::find_account(&mut reader, &sign_in.email, sign_in.organization_id).await?;
    drop(reader);
    let account_key = account_key(&sign_in, account.as_ref());
    service
        .throttle
        .check(account_key, sign_in.origin.address)
        .inspect_err(|_| count_refused("attempts"))
        .map_err(|RetryAfter(wait)| Error::Throttled(Limit::Attempts, wait))?;
    let stored = account.as_ref().and_then(|account| account.password_hash.clone());
    let verdict = service.verify_password(&sign_in.password, stored).await?;
    match account {
        Some(account) if verdict.matches && account.user.disabled_at.is_none() => {
            service.throttle.record_success(account_key, sign_in.origin.address);
            if verdict.needs_rehash {
                rehash(service, &account, &sign_in.password).await?;
            }
            let (base, from) = (&service.base, &sign_in.origin);
            base.transact("sessions.create", Priority::Ordinary, |work| {
                Box::pin(async { start(base, work, &account.user, from).await })
            })
            .await
        }
        account => {
            service.throttle.record_failure(account_key, sign_in.origin.address);
            count_refused("credentials");
            if let Some(account) = account {
                let reason = refusal(&account, verdict.matches);
                let (base, origin) = (service.base.clone(), sign_in.origin);
                // Whoever guesses must not see by the time whether there is something to record.
                service.tasks.spawn(async move {
                    if let Err(error) = record_refusal(&base, &account, reason, &origin).await {
                        tracing::error!(error = ?error, "a refused sign-in was not recorded");
                    }
                });
            }
            Err(Error::Unauthenticated(CredentialFault::WrongPassword))
        }
    }
}

/// Says no more than the answer does: who sees the measurements learns of nobody whether they have an account.
fn count_refused(reason: &'static str) {
    metrics::counter!(measures::SIGN_INS_REFUSED, "reason" => reason).increment(1);
}

/// What failures are counted by: the account once it is found, because its address may be somebody else's in another
/// organization, who would clear the count by signing in there.
fn account_key(sign_in: &SignIn, account: Option<&Account>) -> AccountKey {
    match account {
        Some(account) => AccountKey::of(&["account", &account.user.user_id.to_string()]),
        None => {
            let organization = sign_in.organization_id.map(|id| id.to_string());
            let organization = organization.unwrap_or_default();
            AccountKey::of(&["address", &organization, sign_in.email.as_str()])
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

async fn record_refusal(
    base: &Base,
    account: &Account,
    reason: CredentialRefusal,
    from: &Origin,
) -> Result<(), Error> {
    let caller = &Owner::of(&account.user).caller(from.request_id.clone());
    let recorded = base.transact("sessions.refuse", Priority::Ordinary, |work| {
        Box::pin(async move {
            let refused = Event::SessionRefused { user_id: account.user.user_id, reason };
            work.record_with(caller, refused, from.personal())
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
