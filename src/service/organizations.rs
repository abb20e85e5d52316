//! The first people of an organization: made by the operator on the command line, because nobody
//! is there yet who could sign in.

use secrecy::{ExposeSecret, SecretString};

use super::{Caller, Error, Service, StateFault, Violation};
use crate::domain::actor::Actor;
use crate::domain::event::Event;
use crate::domain::id::{OrganizationId, UserId};
use crate::domain::password;
use crate::domain::user::{DisplayName, Email, Role, User};
use crate::storage::{StorageError, organizations, users};

/// Makes an administrator, and their organization if there is none with this name.
///
/// # Errors
/// [`Error::Invalid`] for a password that breaks the rules, [`StateFault::EmailTaken`] if the
/// organization has an account with this address.
pub async fn create_admin(
    service: &Service,
    organization: &str,
    email: Email,
    display_name: DisplayName,
    secret: SecretString,
) -> Result<(OrganizationId, UserId), Error> {
    password::check(secret.expose_secret(), &email).map_err(|refusal| {
        Error::Invalid(vec![Violation::of("/password", "password_refused", refusal)])
    })?;
    let hash = service.hash_password(&secret).await?;
    let now = service.clock.now();
    let mut tx = service.store.begin().await?;
    let known = organizations::find_by_name(&mut tx, organization).await?;
    let organization_id = match known {
        Some(organization_id) => organization_id,
        None => service.entropy.id(now)?,
    };
    let caller = Caller { actor: Actor::system(organization_id), request_id: None };
    let mut events = Vec::new();
    if known.is_none() {
        organizations::insert(&mut tx, organization_id, organization, now).await?;
        events.push(Event::OrganizationCreated);
    }
    let user = User {
        user_id: service.entropy.id(now)?,
        organization_id,
        email,
        display_name,
        role: Role::Admin,
        disabled_at: None,
        created_at: now,
    };
    match users::insert(&mut tx, &user, Some(&hash)).await {
        Err(StorageError::Duplicate(_)) => return Err(Error::State(StateFault::EmailTaken)),
        other => other?,
    }
    events.push(Event::UserCreated { user_id: user.user_id, role: user.role });
    service.record(&mut tx, &caller, now, events).await?;
    tx.commit().await?;
    Ok((organization_id, user.user_id))
}
