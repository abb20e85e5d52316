//! Accounts of people.

mod erase;

use secrecy::{ExposeSecret, SecretString};

use super::idempotency::{Answer, Idempotency};
use super::{Caller, Denial, Error, Service, StateFault};
use crate::domain::actor::Scope;
use crate::domain::event::Event;
use crate::domain::id::UserId;
use crate::domain::password;
use crate::domain::user::{DisplayName, Email, Role, User};
use crate::storage::{Page, StorageError, repeat, users};

pub use erase::{Erased, erase};

/// What an account is made from.
#[derive(Debug)]
pub struct NewUser {
    /// Where they will sign in from.
    pub email: Email,
    /// What others see.
    pub display_name: DisplayName,
    /// What they may do.
    pub role: Role,
    /// Without one they cannot sign in; an API client may still act for them.
    pub password: Option<SecretString>,
}

const CREATE: &str = "users.create";

fn may_create(caller: &Caller, role: Role) -> Result<(), Error> {
    if caller.actor.is_admin() {
        return Ok(());
    }
    if !caller.actor.is_api_client() {
        return Err(Error::Forbidden(Denial::AdminOnly));
    }
    if !caller.actor.has_scope(Scope::UsersWrite) {
        return Err(Error::Forbidden(Denial::ScopeMissing(Scope::UsersWrite.as_str())));
    }
    // A machine that could make administrators could give itself every right.
    if role == Role::Admin { Err(Error::Forbidden(Denial::AdminOnly)) } else { Ok(()) }
}

/// Makes an account.
///
/// # Errors
/// [`Denial`] for callers who may not, [`Error::Invalid`] for a password that breaks the rules,
/// [`StateFault::EmailTaken`].
pub async fn create(
    service: &Service,
    caller: &Caller,
    idempotency: &Idempotency,
    new: NewUser,
) -> Result<Answer<User>, Error> {
    may_create(caller, new.role)?;
    if let Some(secret) = &new.password {
        password::check(secret.expose_secret(), &new.email)
            .map_err(|refusal| Error::invalid("/password", "password_refused", refusal))?;
    }
    let mut reader = service.store.read().await?;
    if let Some(answer) = idempotency.find(service, &mut reader, caller, CREATE).await? {
        return Ok(answer);
    }
    drop(reader);
    let hash = match &new.password {
        Some(secret) => Some(service.hash_password(secret).await?),
        None => None,
    };
    let now = service.clock.now();
    let user = User {
        user_id: service.entropy.id(now)?,
        organization_id: caller.actor.organization_id,
        email: new.email,
        display_name: new.display_name,
        role: new.role,
        disabled_at: None,
        created_at: now,
    };
    repeat(|| insert(service, caller, idempotency, &user, hash.as_deref())).await
}

async fn insert(
    service: &Service,
    caller: &Caller,
    idempotency: &Idempotency,
    user: &User,
    hash: Option<&str>,
) -> Result<Answer<User>, Error> {
    let mut tx = service.store.begin().await?;
    if let Some(answer) = idempotency.find(service, &mut tx, caller, CREATE).await? {
        return Ok(answer);
    }
    match users::insert(&mut tx, user, hash).await {
        Err(StorageError::Duplicate(_)) => {
            drop(tx);
            return taken(service, caller, idempotency).await;
        }
        other => other?,
    }
    idempotency.keep(service, &mut tx, caller, CREATE, user).await?;
    let created = Event::UserCreated { user_id: user.user_id, role: user.role };
    service.record(&mut tx, caller, user.created_at, [created]).await?;
    tx.commit().await?;
    Ok(Answer::fresh(user.clone()))
}

/// Who has the address: the same request, sent twice at the same time, or another account.
async fn taken(
    service: &Service,
    caller: &Caller,
    idempotency: &Idempotency,
) -> Result<Answer<User>, Error> {
    let mut reader = service.store.read().await?;
    let answer = idempotency.find(service, &mut reader, caller, CREATE).await?;
    answer.ok_or(Error::State(StateFault::EmailTaken))
}

/// The people of the organization, newest first.
///
/// # Errors
/// [`Denial`] for callers who are neither an administrator nor a machine with the scope.
pub async fn list(service: &Service, caller: &Caller, page: Page) -> Result<Vec<User>, Error> {
    may_administer(caller, Scope::UsersRead)?;
    let mut reader = service.store.read().await?;
    Ok(users::list(&mut reader, caller.actor.organization_id, page).await?)
}

/// One account: the caller's own, or anyone's for an administrator or a machine with the scope.
///
/// # Errors
/// [`Error::NotFound`].
pub async fn get(service: &Service, caller: &Caller, user_id: UserId) -> Result<User, Error> {
    if caller.actor.user_id() != Some(user_id) {
        may_administer(caller, Scope::UsersRead)?;
    }
    let mut reader = service.store.read().await?;
    let user = users::find(&mut reader, caller.actor.organization_id, user_id).await?;
    user.ok_or(Error::NotFound)
}

/// Closes an account: its sessions, grants and cars stop working with it.
///
/// # Errors
/// [`Denial::AdminOnly`], [`Error::NotFound`].
pub async fn disable(service: &Service, caller: &Caller, user_id: UserId) -> Result<User, Error> {
    if !caller.actor.is_admin() {
        return Err(Error::Forbidden(Denial::AdminOnly));
    }
    repeat(|| async {
        let now = service.clock.now();
        let organization_id = caller.actor.organization_id;
        let mut tx = service.store.begin().await?;
        if users::disable(&mut tx, organization_id, user_id, now).await? {
            service.record(&mut tx, caller, now, [Event::UserDisabled { user_id }]).await?;
        }
        let user = users::find(&mut tx, organization_id, user_id).await?.ok_or(Error::NotFound)?;
        tx.commit().await?;
        Ok(user)
    })
    .await
}

/// Whether the caller is an administrator, or a machine with this scope.
///
/// # Errors
/// [`Denial`].
pub(super) fn may_administer(caller: &Caller, scope: Scope) -> Result<(), Error> {
    if caller.actor.is_admin() {
        return Ok(());
    }
    let ban = if caller.actor.is_api_client() {
        Denial::ScopeMissing(scope.as_str())
    } else {
        Denial::AdminOnly
    };
    if caller.actor.has_scope(scope) { Ok(()) } else { Err(Error::Forbidden(ban)) }
}

/// A person of the organization whose account is open.
///
/// # Errors
/// [`Error::NotFound`].
pub(super) async fn find_open(
    on: &mut impl crate::storage::Executor,
    caller: &Caller,
    user_id: UserId,
) -> Result<User, Error> {
    let user = users::find(on, caller.actor.organization_id, user_id).await?;
    user.filter(|user| user.disabled_at.is_none()).ok_or(Error::NotFound)
}
