//! Who may do what: one table, and the function that reads it. A use case finds the object,
//! asks [`may`], and goes on as the [`ActingAs`] that it gets. Whether a car may be opened or read
//! is not decided here but by [`super::policy`]; here only who may ask for it.
//!
//! [`docs/access.md`](../../../docs/access.md) shows the answer for every kind of caller. A test
//! writes that page from this table.

mod object;
mod operation;

pub use object::{Object, Sought};
pub use operation::Operation;

use crate::domain::actor::{Actor, Principal, Scope};
use crate::domain::id::{ApiClientId, UserId, VehicleId};
use crate::domain::principal::PrincipalId;
use crate::domain::user::{Role, User};

/// What a person is to an object.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Relation {
    /// An administrator of the organization, signed in.
    Administrator,
    /// Its support, signed in.
    Support,
    /// Its auditor, signed in.
    Auditor,
    /// The person whom the object is, or whom it is about.
    Subject,
    /// The owner of the car.
    Owner,
    /// The person to whom the grant was issued.
    Grantee,
    /// Anybody in the organization.
    Member,
}

/// What an API client with the scope may do that acts for nobody.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Alone {
    /// It must say for whom it acts.
    Nothing,
    /// It acts for the organization: it makes accounts, and reads.
    Organization,
}

struct Rule {
    operation: Operation,
    /// Who may.
    allowed: &'static [Relation],
    /// An API client needs one of these; without any, no API client may.
    scopes: &'static [Scope],
    alone: Alone,
    /// Who sees the object and is told why not; all others are told that it is not there.
    told: &'static [Relation],
    why: Denial,
}

/// Why a caller may not do something.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Denial {
    /// Only for administrators.
    AdminOnly,
    /// Only for the person themself, signed in.
    PersonOnly,
    /// The API client lacks this scope.
    ScopeMissing(Scope),
    /// An API client must say for whom it acts.
    ActingForMissing,
    /// The person has not allowed the API client to act for them.
    ActingForNotAllowed,
    /// Only for the owner of the car.
    NotTheOwner,
    /// Only for those of the rank at which the hold was placed; administrators also lift those of support.
    HoldOfAnother,
    /// Only for the person to whom the grant was issued.
    NotTheGrantee,
    /// The API client is limited to some cars, and this is not about one of them alone.
    VehiclesLimited,
    /// The object does not exist, or the caller must not learn that it does (P10).
    NotVisible,
}

/// In whose place an allowed operation is carried out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ActingAs {
    /// For the organization: somebody with an office, or an API client that acts for nobody.
    Organization,
    /// For this person, by their right: themself, or an API client that acts for them.
    Person(UserId),
}

impl ActingAs {
    /// The person by whose right it is done; `None` for the organization.
    #[must_use]
    pub const fn person(self) -> Option<UserId> {
        match self {
            Self::Organization => None,
            Self::Person(user_id) => Some(user_id),
        }
    }
}

use Operation as Op;
use Relation::{Administrator, Auditor, Grantee, Member, Owner, Subject, Support};
use Scope as S;

const NOBODY: &[Relation] = &[];

/// The table. An API client that acts for a person has that person's row, as a member, and needs the
/// scope besides.
#[rustfmt::skip]
const TABLE: &[Rule] = &[
    //   operation               may                                                 an API client needs                   and alone acts       told why not
    rule(Op::CreateUser,         &[Administrator],                                   &[S::UsersWrite],                     Alone::Organization, &[Member],                          Denial::AdminOnly),
    rule(Op::CreateOfficer,      &[Administrator],                                   &[],                                  Alone::Nothing,      &[Member],                          Denial::AdminOnly),
    rule(Op::CreateClaim,        &[Administrator],                                   &[S::UsersWrite],                     Alone::Organization, &[Member],                          Denial::AdminOnly),
    rule(Op::RecoverUser,        &[Administrator],                                   &[],                                  Alone::Nothing,      &[Member],                          Denial::AdminOnly),
    rule(Op::ListUsers,          &[Administrator, Support],                          &[S::UsersRead],                      Alone::Organization, &[Member],                          Denial::AdminOnly),
    rule(Op::GetUser,            &[Administrator, Support, Subject],                 &[S::UsersRead],                      Alone::Organization, &[Member],                          Denial::AdminOnly),
    rule(Op::NameUser,           &[Administrator],                                   &[S::UsersWrite],                     Alone::Organization, &[Member],                          Denial::AdminOnly),
    rule(Op::NameUserOfAnother,  &[Administrator],                                   &[],                                  Alone::Nothing,      &[Member],                          Denial::AdminOnly),
    rule(Op::DisableUser,        &[Administrator],                                   &[],                                  Alone::Nothing,      &[Member],                          Denial::AdminOnly),
    rule(Op::EnableUser,         &[Administrator],                                   &[],                                  Alone::Nothing,      &[Member],                          Denial::AdminOnly),
    rule(Op::EndSessionsOfUser,  &[Administrator],                                   &[],                                  Alone::Nothing,      &[Member],                          Denial::AdminOnly),
    rule(Op::ListDeviceKeys,     &[Administrator, Support, Subject],                 &[S::UsersRead],                      Alone::Organization, &[Member],                          Denial::AdminOnly),
    rule(Op::RevokeDeviceKey,    &[Administrator, Support, Subject],                 &[S::UsersWrite],                     Alone::Nothing,      &[Member],                          Denial::AdminOnly),
    rule(Op::ChangePassword,     &[Subject],                                         &[],                                  Alone::Nothing,      &[Member],                          Denial::PersonOnly),
    rule(Op::AllowClient,        &[Subject],                                         &[],                                  Alone::Nothing,      &[Member],                          Denial::PersonOnly),
    rule(Op::ListAllowedClients, &[Subject],                                         &[],                                  Alone::Nothing,      &[Member],                          Denial::PersonOnly),
    rule(Op::DisallowClient,     &[Subject],                                         &[],                                  Alone::Nothing,      &[Member],                          Denial::PersonOnly),
    rule(Op::ListSessions,       &[Subject],                                         &[],                                  Alone::Nothing,      &[Member],                          Denial::PersonOnly),
    rule(Op::EndSession,         &[Subject],                                         &[],                                  Alone::Nothing,      &[Member],                          Denial::PersonOnly),
    rule(Op::EraseUser,          &[Administrator, Subject],                          &[],                                  Alone::Nothing,      &[Member],                          Denial::AdminOnly),
    rule(Op::CreateApiClient,    &[Administrator],                                   &[],                                  Alone::Nothing,      &[Member],                          Denial::AdminOnly),
    rule(Op::ListApiClients,     &[Administrator, Support],                          &[],                                  Alone::Nothing,      &[Member],                          Denial::AdminOnly),
    rule(Op::RotateApiClient,    &[Administrator],                                   &[],                                  Alone::Nothing,      &[Member],                          Denial::AdminOnly),
    rule(Op::ReplaceApiClient,   &[Administrator],                                   &[],                                  Alone::Nothing,      &[Member],                          Denial::AdminOnly),
    rule(Op::RevokeApiClient,    &[Administrator],                                   &[],                                  Alone::Nothing,      &[Member],                          Denial::AdminOnly),
    rule(Op::ListReturnUrls,     &[Administrator, Support],                          &[],                                  Alone::Nothing,      &[Member],                          Denial::AdminOnly),
    rule(Op::ReplaceReturnUrls,  &[Administrator],                                   &[],                                  Alone::Nothing,      &[Member],                          Denial::AdminOnly),
    rule(Op::ListAllowedOrigins, &[Administrator, Support],                          &[],                                  Alone::Nothing,      &[Member],                          Denial::AdminOnly),
    rule(Op::AllowOrigins,       &[Administrator],                                   &[],                                  Alone::Nothing,      &[Member],                          Denial::AdminOnly),
    rule(Op::StartConnection,    &[Member],                                          &[S::ConnectionsWrite],               Alone::Nothing,      NOBODY,                             Denial::NotVisible),
    rule(Op::CompleteConnection, &[Owner],                                           &[S::ConnectionsWrite],               Alone::Nothing,      NOBODY,                             Denial::NotVisible),
    rule(Op::ListConnections,    &[Administrator, Support, Member],                  &[S::ConnectionsWrite],               Alone::Organization, NOBODY,                             Denial::NotVisible),
    rule(Op::GetConnection,      &[Administrator, Support, Owner],                   &[S::ConnectionsWrite],               Alone::Organization, NOBODY,                             Denial::NotVisible),
    rule(Op::Reauthenticate,     &[Administrator, Owner],                            &[S::ConnectionsWrite],               Alone::Nothing,      NOBODY,                             Denial::NotVisible),
    rule(Op::Disconnect,         &[Administrator, Owner],                            &[S::ConnectionsWrite],               Alone::Nothing,      NOBODY,                             Denial::NotVisible),
    rule(Op::ListVehicles,       &[Administrator, Support, Member],                  &[S::VehiclesRead],                   Alone::Organization, NOBODY,                             Denial::NotVisible),
    rule(Op::GetVehicle,         &[Administrator, Support, Owner, Grantee],          &[S::VehiclesRead],                   Alone::Organization, NOBODY,                             Denial::NotVisible),
    rule(Op::DescribeVehicle,    &[Administrator, Owner],                            &[S::VehiclesWrite],                  Alone::Organization, &[Support, Grantee],                Denial::NotTheOwner),
    rule(Op::NameVehicle,        &[Administrator],                                   &[S::VehiclesWrite],                  Alone::Organization, &[Support, Owner, Grantee],         Denial::AdminOnly),
    rule(Op::TransferVehicle,    &[Owner],                                           &[S::ConnectionsWrite],               Alone::Nothing,      &[Administrator, Support, Grantee], Denial::NotTheOwner),
    rule(Op::ReadVehicle,        &[Member],                                          &[S::VehiclesRead],                   Alone::Nothing,      NOBODY,                             Denial::NotVisible),
    rule(Op::SendCommand,        &[Member],                                          &[S::CommandsWrite],                  Alone::Nothing,      NOBODY,                             Denial::NotVisible),
    rule(Op::CheckAccess,        &[Member],                                          &[S::CommandsWrite],                  Alone::Nothing,      NOBODY,                             Denial::NotVisible),
    rule(Op::ListAccess,         &[Administrator, Support, Auditor, Owner],          &[S::GrantsRead],                     Alone::Organization, &[Grantee],                         Denial::NotTheOwner),
    rule(Op::GetCommand,         &[Administrator, Support, Subject, Owner],          &[S::CommandsRead, S::CommandsWrite], Alone::Organization, NOBODY,                             Denial::NotVisible),
    rule(Op::ListCommands,       &[Administrator, Support, Owner],                   &[S::CommandsRead, S::CommandsWrite], Alone::Organization, &[Grantee],                         Denial::NotTheOwner),
    rule(Op::IssueGrant,         &[Owner],                                           &[S::GrantsWrite],                    Alone::Nothing,      &[Administrator, Support, Grantee], Denial::NotTheOwner),
    rule(Op::ListGrants,         &[Administrator, Support, Member],                  &[S::GrantsRead],                     Alone::Organization, NOBODY,                             Denial::NotVisible),
    rule(Op::GetGrant,           &[Administrator, Support, Owner, Grantee],          &[S::GrantsRead],                     Alone::Organization, NOBODY,                             Denial::NotVisible),
    rule(Op::MintToken,          &[Grantee],                                         &[S::GrantsWrite],                    Alone::Nothing,      &[Administrator, Support, Owner],   Denial::NotTheGrantee),
    rule(Op::ListTokens,         &[Administrator, Support, Owner, Grantee],          &[S::GrantsRead],                     Alone::Organization, NOBODY,                             Denial::NotVisible),
    rule(Op::EndToken,           &[Administrator, Support, Owner, Grantee],          &[S::GrantsWrite],                    Alone::Nothing,      NOBODY,                             Denial::NotVisible),
    rule(Op::AmendGrant,         &[Owner],                                           &[S::GrantsWrite],                    Alone::Nothing,      &[Administrator, Support, Grantee], Denial::NotTheOwner),
    rule(Op::RequestExtension,   &[Grantee],                                         &[S::GrantsWrite],                    Alone::Nothing,      &[Administrator, Support, Owner],   Denial::NotTheGrantee),
    rule(Op::DecideExtension,    &[Owner],                                           &[S::GrantsWrite],                    Alone::Nothing,      &[Administrator, Support, Grantee], Denial::NotTheOwner),
    rule(Op::SwitchVehicle,      &[Owner],                                           &[S::GrantsWrite],                    Alone::Nothing,      &[Administrator, Support, Grantee], Denial::NotTheOwner),
    rule(Op::NarrowGrant,        &[Administrator, Support, Owner],                   &[S::GrantsWrite],                    Alone::Nothing,      &[Grantee],                         Denial::NotTheOwner),
    rule(Op::RevokeGrant,        &[Administrator, Support, Owner],                   &[S::GrantsWrite],                    Alone::Nothing,      &[Grantee],                         Denial::NotTheOwner),
    rule(Op::ConfirmGrant,       &[Owner],                                           &[S::GrantsWrite],                    Alone::Nothing,      &[Administrator, Support, Grantee], Denial::NotTheOwner),
    rule(Op::RelinquishGrant,    &[Grantee],                                         &[S::GrantsWrite],                    Alone::Nothing,      &[Administrator, Support, Owner],   Denial::NotTheGrantee),
    rule(Op::CheckEnd,           &[Administrator, Support, Owner, Grantee],          &[S::GrantsRead],                     Alone::Nothing,      NOBODY,                             Denial::NotVisible),
    rule(Op::GetStatement,       &[Administrator, Support, Owner, Grantee],          &[S::GrantsRead],                     Alone::Nothing,      NOBODY,                             Denial::NotVisible),
    rule(Op::HoldGrant,          &[Administrator, Support, Owner, Grantee],          &[S::GrantsWrite],                    Alone::Nothing,      NOBODY,                             Denial::NotVisible),
    rule(Op::HoldUser,           &[Administrator, Support, Subject],                 &[S::GrantsWrite],                    Alone::Nothing,      &[Member],                          Denial::AdminOnly),
    rule(Op::HoldVehicle,        &[Administrator, Support, Owner],                   &[S::GrantsWrite],                    Alone::Nothing,      &[Grantee],                         Denial::NotTheOwner),
    rule(Op::HoldOrganization,   &[Administrator, Support],                          &[],                                  Alone::Nothing,      &[Member],                          Denial::AdminOnly),
    rule(Op::EndGrantsOfUser,    &[Administrator, Support],                          &[],                                  Alone::Nothing,      &[Member],                          Denial::AdminOnly),
    rule(Op::EndGrantsOfVehicle, &[Administrator, Support, Owner],                   &[S::GrantsWrite],                    Alone::Nothing,      &[Grantee],                         Denial::NotTheOwner),
    rule(Op::EndGrantsOfOrganization, &[Administrator, Support],                     &[],                                  Alone::Nothing,      &[Member],                          Denial::AdminOnly),
    rule(Op::RemoveVehicle,      &[Administrator, Owner],                            &[S::ConnectionsWrite],               Alone::Nothing,      &[Support, Grantee],                Denial::NotTheOwner),
    rule(Op::ListHolds,          &[Administrator, Support, Member],                  &[S::GrantsRead],                     Alone::Organization, NOBODY,                             Denial::NotVisible),
    rule(Op::CreateWebhookEndpoint, &[Administrator],                                &[S::WebhooksWrite],                  Alone::Organization, &[Member],                          Denial::AdminOnly),
    rule(Op::ListWebhookEndpoints, &[Administrator, Support],                        &[S::WebhooksWrite],                  Alone::Organization, &[Member],                          Denial::AdminOnly),
    rule(Op::ChangeWebhookEndpoint, &[Administrator],                                &[S::WebhooksWrite],                  Alone::Organization, &[Member],                          Denial::AdminOnly),
    rule(Op::ListEvents,         &[Administrator, Support, Auditor, Member],         &[S::EventsRead],                     Alone::Organization, NOBODY,                             Denial::NotVisible),
    rule(Op::SeeEvent,           &[Administrator, Support, Auditor, Subject, Owner], &[S::EventsRead],                     Alone::Organization, NOBODY,                             Denial::NotVisible),
    rule(Op::ListAuditEntries,   &[Administrator, Support, Auditor, Subject, Owner], &[S::AuditRead],                      Alone::Organization, &[Member],                          Denial::AdminOnly),
    rule(Op::ProveAuditEntry,    &[Administrator, Support, Auditor, Subject, Owner], &[S::AuditRead],                      Alone::Organization, NOBODY,                             Denial::NotVisible),
];

const fn rule(
    operation: Operation,
    allowed: &'static [Relation],
    scopes: &'static [Scope],
    alone: Alone,
    told: &'static [Relation],
    why: Denial,
) -> Rule {
    Rule { operation, allowed, scopes, alone, told, why }
}

/// Whether an actor may do something with an object, and in whose place. An object that was not
/// found is refused like one that the actor must not see.
///
/// # Errors
/// [`Denial`], which says why not.
pub fn may(actor: &Actor, operation: Operation, object: &Object) -> Result<ActingAs, Denial> {
    let rule = TABLE.iter().find(|rule| rule.operation == operation);
    // Each operation has a row; without one nobody may.
    let Some(rule) = rule else { return Err(Denial::NotVisible) };
    match &actor.principal {
        Principal::System => Err(Denial::NotVisible),
        Principal::User { user_id, role } => rule.judge(*user_id, *role, object),
        Principal::ApiClient { scopes, vehicles, acting_for, .. } => {
            let Some(first) = rule.scopes.first() else { return Err(rule.why.clone()) };
            if !rule.scopes.iter().any(|scope| scopes.contains(scope)) {
                return Err(Denial::ScopeMissing(*first));
            }
            if let Some(vehicles) = vehicles {
                is_within(vehicles, operation, object)?;
            }
            match acting_for {
                Some(user_id) => rule.judge(*user_id, Role::Member, object),
                None => rule.judge_alone(object),
            }
        }
    }
}

/// Whether what an API client asks for is about the cars to which it is limited. Another car is not there for it, and what
/// shows or changes several at once is not for it.
fn is_within(vehicles: &[VehicleId], operation: Operation, object: &Object) -> Result<(), Denial> {
    let is_about_people =
        matches!(operation, Op::CreateUser | Op::CreateClaim | Op::ListUsers | Op::GetUser);
    // Each event is asked about by itself.
    let is_asked_in_parts = operation == Op::ListEvents;
    match object.vehicle_id() {
        Some(vehicle_id) if vehicles.contains(&vehicle_id) => Ok(()),
        Some(_) => Err(Denial::NotVisible),
        None if is_about_people || is_asked_in_parts || !object.was_found() => Ok(()),
        None => Err(Denial::VehiclesLimited),
    }
}

/// Whether an API client may act for a person of its organization: for those whom it made, who have only its
/// voice until they claim their account, and for those who have allowed it.
///
/// # Errors
/// [`Denial::ActingForNotAllowed`].
pub fn may_act_for(client: ApiClientId, person: &User, is_allowed: bool) -> Result<(), Denial> {
    let made_it = person.created_by == PrincipalId::ApiClient(client);
    let is_its_own = made_it && person.claimed_at.is_none();
    if is_its_own || is_allowed { Ok(()) } else { Err(Denial::ActingForNotAllowed) }
}

impl Rule {
    fn judge(&self, user_id: UserId, role: Role, object: &Object) -> Result<ActingAs, Denial> {
        let office = match role {
            Role::Admin => Some(Administrator),
            Role::Support => Some(Support),
            Role::Auditor => Some(Auditor),
            Role::Member => None,
        };
        let is = |relation: &Relation| match relation {
            Relation::Administrator | Relation::Support | Relation::Auditor => {
                office == Some(*relation)
            }
            Relation::Member => true,
            Relation::Subject | Relation::Owner | Relation::Grantee => {
                object.people(*relation).any(|person| person == user_id)
            }
        };
        let permitted = if office.is_some_and(|office| self.allowed.contains(&office)) {
            Some(ActingAs::Organization)
        } else {
            self.allowed.iter().any(is).then_some(ActingAs::Person(user_id))
        };
        // Who is refused whatever the object learns nothing by being told so of a missing one.
        let is_told = object.was_found() || self.told.contains(&Member);
        match permitted {
            Some(acting_as) if object.was_found() => Ok(acting_as),
            None if is_told && self.told.iter().any(is) => Err(self.why.clone()),
            Some(_) | None => Err(Denial::NotVisible),
        }
    }

    const fn judge_alone(&self, object: &Object) -> Result<ActingAs, Denial> {
        match self.alone {
            Alone::Nothing => Err(Denial::ActingForMissing),
            Alone::Organization if object.was_found() => Ok(ActingAs::Organization),
            Alone::Organization => Err(Denial::NotVisible),
        }
    }
}

#[cfg(test)]
#[path = "access_test.rs"]
mod tests;
