//! The first people of an organization: made by the operator on the command line, because nobody
//! is there yet who could sign in.

use secrecy::{ExposeSecret, SecretString};

use super::claims::{self, NewClaim};
use super::{Caller, Error, Service, StateFault, Violation};
use crate::domain::actor::Actor;
use crate::domain::event::Event;
use crate::domain::id::{OrganizationId, UserId};
use crate::domain::password;
use crate::domain::principal::PrincipalId;
use crate::domain::user::{Email, Role, ShortText, User};
use crate::storage::{Priority, StorageError, organizations, users};

/// How the first administrator comes to their account.
#[derive(Debug)]
pub enum FirstCredentials {
    /// By a password that the operator knows.
    Password(SecretString),
    /// By a link that works once.
    Claim,
}

/// An administrator whom the operator made.
#[derive(Debug)]
pub struct NewAdmin {
    /// Their organization.
    pub organization_id: OrganizationId,
    /// Their account.
    pub user_id: UserId,
    /// The link to it, if it has no password.
    pub claim: Option<NewClaim>,
}

/// Makes an administrator, and their organization if there is none with this name.
///
/// # Errors
/// [`Error::Invalid`] for a password that breaks the rules, [`StateFault::EmailTaken`] if the
/// organization has an account with this address.
pub async fn create_admin(
    service: &Service,
    organization: &str,
    email: Email,
    display_name: ShortText,
    credentials: FirstCredentials,
) -> Result<NewAdmin, Error> {
    let hash = match credentials {
        FirstCredentials::Password(secret) => Some(hashed(service, &email, &secret).await?),
        FirstCredentials::Claim => None,
    };
    let (email, display_name, hash) = (&email, &display_name, hash.as_deref());
    let created = service.base.transact("organizations.create_admin", Priority::Ordinary, |work| {
        Box::pin(async move {
            let (tx, now) = (&mut work.tx, work.now);
            let known = organizations::find_by_name(tx, organization).await?;
            let organization_id = match known {
                Some(organization_id) => organization_id,
                None => service.base.entropy.id(now)?,
            };
            let caller = Caller { actor: Actor::system(organization_id), request_id: None };
            let mut events = Vec::new();
            if known.is_none() {
                organizations::insert(tx, organization_id, organization, now).await?;
                events.push(Event::OrganizationCreated);
            }
            let user = User {
                user_id: service.base.entropy.id(now)?,
                organization_id,
                email: email.clone(),
                display_name: display_name.clone(),
                role: Role::Admin,
                created_by: PrincipalId::System,
                claimed_at: hash.map(|_| now),
                recovery: None,
                disabled_at: None,
                external_ref: None,
                created_at: now,
            };
            match users::insert(tx, &user, hash).await {
                Err(StorageError::Duplicate(_)) => {
                    return Err(Error::State(StateFault::EmailTaken));
                }
                other => other?,
            }
            events.push(Event::UserCreated { user_id: user.user_id, role: user.role });
            work.record_all(&caller, events)?;
            let claim = match hash {
                Some(_) => None,
                None => Some(claims::make(&service.base, work, &caller, &user, false).await?),
            };
            Ok(NewAdmin { organization_id, user_id: user.user_id, claim })
        })
    });
    created.await
}

async fn hashed(service: &Service, email: &Email, secret: &SecretString) -> Result<String, Error> {
    password::check(secret.expose_secret(), email).map_err(|refusal| {
        Error::Invalid(vec![Violation::of("/password", "password_refused", refusal)])
    })?;
    service.hash_password(secret).await
}
