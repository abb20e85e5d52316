//! Accounts of people.

mod close;
mod erase;
mod name;
mod password;

use serde::{Deserialize, Serialize};

use super::claims::{self, NewClaim};
use super::idempotency::{Answer, Idempotency};
use super::{Base, Caller, Error, StateFault};
use crate::domain::access::{Object, Operation, Sought};
use crate::domain::event::Event;
use crate::domain::id::UserId;
use crate::domain::user::{Email, Role, ShortText, User};
use crate::storage::users::UserFilter;
use crate::storage::{Executor, Page, Priority, StorageError, users};

pub use close::{disable, enable, end_sessions};
pub use erase::{Erased, erase};
pub use name::name;
pub use password::{NewPassword, change_password};

/// What an account is made from.
#[derive(Debug)]
pub struct NewUser {
    /// The address they sign in with.
    pub email: Email,
    /// The name that others see.
    pub display_name: ShortText,
    /// What they may do.
    pub role: Role,
    /// Whether the claim shall need a PIN besides.
    pub with_pin: bool,
    /// The organization's own name for them.
    pub external_ref: Option<String>,
}

/// A new account, and how its person comes to it.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct NewAccount {
    /// The account.
    pub user: User,
    /// The claim; whoever redeems it has the account.
    pub claim: NewClaim,
}

const CREATE: &str = "users.create";

/// Makes an account without credentials, and a claim for it.
///
/// # Errors
/// [`super::Denial`] for callers who may not, [`StateFault::EmailTaken`], [`StateFault::ExternalRefTaken`].
pub async fn create(
    base: &Base,
    caller: &Caller,
    idempotency: &Idempotency,
    new: NewUser,
) -> Result<Answer<NewAccount>, Error> {
    // A program that could make administrators could give itself every right.
    let operation = match new.role {
        Role::Admin | Role::Support | Role::Auditor => Operation::CreateOfficer,
        Role::Member => Operation::CreateUser,
    };
    base.authorize_in_organization(caller, operation)?;
    let now = base.clock.now();
    let user = &User {
        user_id: base.entropy.id(now)?,
        organization_id: caller.actor.organization_id,
        email: new.email,
        display_name: new.display_name,
        role: new.role,
        created_by: caller.actor.principal_id(),
        claimed_at: None,
        recovery: None,
        disabled_at: None,
        external_ref: new.external_ref,
        created_at: now,
    };
    let with_pin = new.with_pin;
    let inserted = base.transact(CREATE, Priority::Ordinary, |work| {
        Box::pin(async move {
            if let Some(answer) =
                idempotency.find_or_take(base, &mut work.tx, caller, CREATE).await?
            {
                return Ok(answer);
            }
            match users::insert(&mut work.tx, user, None).await {
                Err(StorageError::Duplicate(_)) => {
                    return Err(Error::State(StateFault::EmailTaken));
                }
                other => other?,
            }
            work.record(caller, Event::UserCreated { user_id: user.user_id, role: user.role })?;
            let claim = claims::make(base, work, caller, user, with_pin).await?;
            let account = NewAccount { user: user.clone(), claim };
            idempotency.keep(base, &mut work.tx, caller, CREATE, &account).await?;
            Ok(Answer::fresh(account))
        })
    });
    let inserted = inserted.await.inspect(claims::count_created);
    match inserted {
        Err(Error::State(StateFault::EmailTaken)) => Err(taken(base, user).await?),
        inserted => inserted,
    }
}

/// Whether another account has the address, or the organization's own name.
async fn taken(base: &Base, new: &User) -> Result<Error, Error> {
    let mut reader = base.store.read().await?;
    let organization_id = Some(new.organization_id);
    let has_address = users::find_account(&mut reader, &new.email, organization_id).await?;
    let is_other_name = has_address.is_none() && new.external_ref.is_some();
    let fault = if is_other_name { StateFault::ExternalRefTaken } else { StateFault::EmailTaken };
    Ok(Error::State(fault))
}

/// The people of the organization, newest first.
///
/// # Errors
/// [`super::Denial`] for everybody but the organization.
pub async fn list(
    base: &Base,
    caller: &Caller,
    filter: &UserFilter,
    page: Page,
) -> Result<Vec<User>, Error> {
    base.authorize_in_organization(caller, Operation::ListUsers)?;
    let mut reader = base.store.read().await?;
    Ok(users::list(&mut reader, caller.actor.organization_id, filter, page).await?)
}

/// One account: the person's own, or anyone's for the organization.
///
/// # Errors
/// [`super::Denial`], [`Error::NotFound`].
pub async fn get(base: &Base, caller: &Caller, user_id: UserId) -> Result<User, Error> {
    let mut reader = base.store.read().await?;
    find_for(base, &mut reader, caller, Operation::GetUser, user_id).await
}

/// An account of the caller's organization, if the caller may do this with it.
pub(super) async fn find_for(
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
