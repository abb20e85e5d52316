//! Accounts of people.

mod erase;

use secrecy::{ExposeSecret, SecretString};

use super::idempotency::{Answer, Idempotency};
use super::{Base, Caller, Error, Service, StateFault};
use crate::domain::access::{Object, Operation, Sought};
use crate::domain::event::Event;
use crate::domain::id::UserId;
use crate::domain::password;
use crate::domain::user::{DisplayName, Email, Role, User};
use crate::storage::{Executor, Page, Priority, StorageError, users};

pub use erase::{Erased, erase};

/// What an account is made from.
#[derive(Debug)]
pub struct NewUser {
    /// The address they sign in with.
    pub email: Email,
    /// The name that others see.
    pub display_name: DisplayName,
    /// What they may do.
    pub role: Role,
    /// Without one they cannot sign in; an API client may still act for them.
    pub password: Option<SecretString>,
}

const CREATE: &str = "users.create";

/// Makes an account.
///
/// # Errors
/// [`super::Denial`] for callers who may not, [`Error::Invalid`] for a password that breaks the rules,
/// [`StateFault::EmailTaken`].
pub async fn create(
    service: &Service,
    caller: &Caller,
    idempotency: &Idempotency,
    new: NewUser,
) -> Result<Answer<User>, Error> {
    // A program that could make administrators could give itself every right.
    let operation = match new.role {
        Role::Admin => Operation::CreateAdministrator,
        Role::Member => Operation::CreateUser,
    };
    service.base.authorize_in_organization(caller, operation)?;
    if let Some(secret) = &new.password {
        password::check(secret.expose_secret(), &new.email)
            .map_err(|refusal| Error::invalid("/password", "password_refused", refusal))?;
    }
    let mut reader = service.base.store.read().await?;
    if let Some(answer) = idempotency.find(&service.base, &mut reader, caller, CREATE).await? {
        return Ok(answer);
    }
    drop(reader);
    let hash = match &new.password {
        Some(secret) => Some(service.hash_password(secret).await?),
        None => None,
    };
    let now = service.base.clock.now();
    let user = &User {
        user_id: service.base.entropy.id(now)?,
        organization_id: caller.actor.organization_id,
        email: new.email,
        display_name: new.display_name,
        role: new.role,
        disabled_at: None,
        created_at: now,
    };
    let hash = hash.as_deref();
    let inserted = service
        .base
        .transact(CREATE, Priority::Ordinary, |work| {
            Box::pin(async move {
                let tx = &mut work.tx;
                if let Some(answer) = idempotency.find(&service.base, tx, caller, CREATE).await? {
                    return Ok(answer);
                }
                match users::insert(tx, user, hash).await {
                    Err(StorageError::Duplicate(_)) => {
                        return Err(Error::State(StateFault::EmailTaken));
                    }
                    other => other?,
                }
                idempotency.keep(&service.base, tx, caller, CREATE, user).await?;
                let created = Event::UserCreated { user_id: user.user_id, role: user.role };
                work.record(caller, created)?;
                Ok(Answer::fresh(user.clone()))
            })
        })
        .await;
    match inserted {
        Err(Error::State(StateFault::EmailTaken)) => {
            taken(&service.base, caller, idempotency).await
        }
        inserted => inserted,
    }
}

/// Who has the address: the same request, sent twice at the same time, or another account.
async fn taken(
    base: &Base,
    caller: &Caller,
    idempotency: &Idempotency,
) -> Result<Answer<User>, Error> {
    let mut reader = base.store.read().await?;
    let answer = idempotency.find(base, &mut reader, caller, CREATE).await?;
    answer.ok_or(Error::State(StateFault::EmailTaken))
}

/// The people of the organization, newest first.
///
/// # Errors
/// [`super::Denial`] for everybody but the organization.
pub async fn list(base: &Base, caller: &Caller, page: Page) -> Result<Vec<User>, Error> {
    base.authorize_in_organization(caller, Operation::ListUsers)?;
    let mut reader = base.store.read().await?;
    Ok(users::list(&mut reader, caller.actor.organization_id, page).await?)
}

/// One account: the person's own, or anyone's for the organization.
///
/// # Errors
/// [`super::Denial`], [`Error::NotFound`].
pub async fn get(base: &Base, caller: &Caller, user_id: UserId) -> Result<User, Error> {
    let mut reader = base.store.read().await?;
    find_for(base, &mut reader, caller, Operation::GetUser, user_id).await
}

/// Closes an account: its sessions, grants and cars stop working with it.
///
/// # Errors
/// [`super::Denial::AdminOnly`], [`Error::NotFound`].
pub async fn disable(base: &Base, caller: &Caller, user_id: UserId) -> Result<User, Error> {
    let operation = Operation::DisableUser;
    base.transact(operation.as_str(), Priority::Ordinary, |work| {
        Box::pin(async move {
            let mut user = find_for(base, &mut work.tx, caller, operation, user_id).await?;
            let organization_id = user.organization_id;
            if users::disable(&mut work.tx, organization_id, user_id, work.now).await? {
                user.disabled_at = Some(work.now);
                work.record(caller, Event::UserDisabled { user_id })?;
            }
            Ok(user)
        })
    })
    .await
}

/// An account of the caller's organization, if the caller may do this with it.
async fn find_for(
    base: &Base,
    on: &mut impl Executor,
    caller: &Caller,
    operation: Operation,
    user_id: UserId,
) -> Result<User, Error> {
    let found = users::find(on, caller.actor.organization_id, user_id).await?;
    let object = Object::found(found.as_ref(), |user| Object::user(user.user_id));
    let sought = Sought::of(user_id);
    base.authorize(caller, operation, &object, sought.clone())?;
    found.ok_or(Error::NotFound(sought))
}

/// A person of the organization whose account is open.
///
/// # Errors
/// [`Error::NotFound`].
pub(super) async fn find_open(
    on: &mut impl Executor,
    caller: &Caller,
    user_id: UserId,
) -> Result<User, Error> {
    let user = users::find(on, caller.actor.organization_id, user_id).await?;
    user.filter(|user| user.disabled_at.is_none()).ok_or(Error::NotFound(Sought::of(user_id)))
}
