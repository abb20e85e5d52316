//! What an event is about: the ids by which the record can be searched.

use crate::domain::event::Event;
use crate::domain::id::{CommandId, GrantId, UserId, VehicleId};
use crate::domain::policy::Basis;

/// The things an event is about; the record can be searched by each.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Subjects {
    /// The grant it is about.
    pub grant_id: Option<GrantId>,
    /// The car it is about.
    pub vehicle_id: Option<VehicleId>,
    /// The person it is about, beside the one who did it.
    pub user_id: Option<UserId>,
    /// The command it is about.
    pub command_id: Option<CommandId>,
}

impl Subjects {
    /// Of nothing in particular.
    pub const NONE: Self =
        Self { grant_id: None, vehicle_id: None, user_id: None, command_id: None };

    /// Of a grant for a car, and its grantee.
    #[must_use]
    pub const fn of_grant(grant_id: GrantId, vehicle_id: VehicleId, grantee_id: UserId) -> Self {
        Self::of_vehicle(vehicle_id, Some(grant_id), grantee_id)
    }

    /// Of a car, and a person who has to do with it, by a grant if they do not own it.
    #[must_use]
    pub const fn of_vehicle(
        vehicle_id: VehicleId,
        grant_id: Option<GrantId>,
        user_id: UserId,
    ) -> Self {
        Self { grant_id, vehicle_id: Some(vehicle_id), user_id: Some(user_id), command_id: None }
    }

    /// Of a person.
    #[must_use]
    pub const fn of_user(user_id: UserId) -> Self {
        Self { user_id: Some(user_id), ..Self::NONE }
    }

    const fn and_command(self, command_id: CommandId) -> Self {
        Self { command_id: Some(command_id), ..self }
    }
}

impl Event {
    /// What the event is about.
    #[must_use]
    pub const fn subjects(&self) -> Subjects {
        match self.subject_of_use() {
            Some(subjects) => subjects,
            None => self.subject_of_account(),
        }
    }

    /// The subjects of events about grants, commands and cars.
    const fn subject_of_use(&self) -> Option<Subjects> {
        Some(match *self {
            Self::VehicleConnected { vehicle_id, user_id, .. }
            | Self::VehiclePermissionsChanged { vehicle_id, user_id, .. }
            | Self::VehicleDescribed { vehicle_id, user_id, .. }
            | Self::VehicleSuspended { vehicle_id, user_id, .. }
            | Self::VehicleResumed { vehicle_id, user_id }
            | Self::VehicleTransfer { vehicle_id, user_id, .. }
            | Self::VehicleRemoved { vehicle_id, user_id } => {
                Subjects::of_vehicle(vehicle_id, None, user_id)
            }
            Self::GrantIssued { grant_id, vehicle_id, grantee_id, .. }
            | Self::GrantAmended { grant_id, vehicle_id, grantee_id, .. }
            | Self::ExtensionRequested { grant_id, vehicle_id, grantee_id, .. }
            | Self::ExtensionDecided { grant_id, vehicle_id, grantee_id, .. }
            | Self::GrantRevoked { grant_id, vehicle_id, grantee_id, .. }
            | Self::GrantRelinquished { grant_id, vehicle_id, grantee_id, .. }
            | Self::GrantVehicleImpaired { grant_id, vehicle_id, grantee_id, .. }
            | Self::GrantVehicleRestored { grant_id, vehicle_id, grantee_id, .. }
            | Self::GrantEnded { grant_id, vehicle_id, grantee_id, .. }
            | Self::GrantConfirmed { grant_id, vehicle_id, grantee_id }
            | Self::GrantTokenMinted { grant_id, vehicle_id, grantee_id, .. }
            | Self::GrantTokenEnded { grant_id, vehicle_id, grantee_id, .. } => {
                Subjects::of_grant(grant_id, vehicle_id, grantee_id)
            }
            Self::GrantDue { grant_id, vehicle_id, grantee_id, due, .. } => {
                let command_id = due.command_id();
                Subjects { command_id, ..Subjects::of_grant(grant_id, vehicle_id, grantee_id) }
            }
            Self::CommandAuthorized { command_id, vehicle_id, user_id, basis, .. } => {
                let grant_id = match basis {
                    Basis::Ownership => None,
                    Basis::Grant(grant_id) => Some(grant_id),
                };
                Subjects::of_vehicle(vehicle_id, grant_id, user_id).and_command(command_id)
            }
            Self::CommandRefused { command_id, vehicle_id, grant_id, user_id, .. }
            | Self::CommandChanged { command_id, vehicle_id, grant_id, user_id, .. } => {
                Subjects::of_vehicle(vehicle_id, grant_id, user_id).and_command(command_id)
            }
            Self::HoldPlaced { about, .. }
            | Self::HoldEnded { about, .. }
            | Self::EndBegun { about, .. } => about,
            Self::RefusalsCounted { vehicle_id, grant_id, user_id, .. }
            | Self::VehicleRead { vehicle_id, grant_id, user_id, .. }
            | Self::VehicleReadRefused { vehicle_id, grant_id, user_id, .. } => {
                Subjects::of_vehicle(vehicle_id, grant_id, user_id)
            }
            _ => return None,
        })
    }

    /// The subjects of events about accounts, sessions, API clients and connections.
    const fn subject_of_account(&self) -> Subjects {
        match *self {
            Self::UserCreated { user_id, .. }
            | Self::UserDisabled { user_id }
            | Self::UserDescribed { user_id, .. }
            | Self::UserEnabled { user_id }
            | Self::UserPasswordChanged { user_id }
            | Self::DeviceKeyRevoked { user_id, .. }
            | Self::UserPersonalDataErased { user_id }
            | Self::ClaimCreated { user_id, .. }
            | Self::ClaimRedeemed { user_id, .. }
            | Self::ClaimRefused { user_id, .. }
            | Self::UserMoved { user_id, .. }
            | Self::ApiClientAllowed { user_id, .. }
            | Self::ApiClientDisallowed { user_id, .. }
            | Self::SessionCreated { user_id, .. }
            | Self::SessionRefused { user_id, .. }
            | Self::SessionRefreshed { user_id, .. }
            | Self::SessionEnded { user_id, .. }
            | Self::ConnectionStarted { user_id, .. }
            | Self::ConnectionConsented { user_id, .. }
            | Self::ConnectionCodeRefused { user_id, .. }
            | Self::ConnectionCompleted { user_id, .. }
            | Self::ConnectionFailed { user_id, .. }
            | Self::ConnectionReauthenticationStarted { user_id, .. }
            | Self::ConnectionReauthenticated { user_id, .. }
            | Self::ConnectionEnded { user_id, .. }
            | Self::ConnectionLost { user_id, .. } => Subjects::of_user(user_id),
            _ => Subjects::NONE,
        }
    }
}
