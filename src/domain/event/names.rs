//! The word of each event, as entries and lists have it.

use super::Event;
use crate::domain::command::CommandStatus;

impl Event {
    /// The event's word: noun and past participle.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::OrganizationCreated => "organization.created",
            Self::RecordRollbackAccepted { .. } => "record.rollback_accepted",
            Self::RecordArchived { .. } => "record.archived",
            Self::UserCreated { .. } => "user.created",
            Self::UserDisabled { .. } => "user.disabled",
            Self::UserDescribed { .. } => "user.described",
            Self::UserEnabled { .. } => "user.enabled",
            Self::UserPasswordChanged { .. } => "user.password_changed",
            Self::ClaimCreated { .. } => "claim.created",
            Self::ClaimRedeemed { .. } => "claim.redeemed",
            Self::ClaimRefused { .. } => "claim.refused",
            Self::UserPersonalDataErased { .. } => "user.personal_data_erased",
            Self::SessionCreated { .. } => "session.created",
            Self::SessionRefused { .. } => "session.refused",
            Self::SessionRefreshed { .. } => "session.refreshed",
            Self::SessionEnded { .. } => "session.ended",
            Self::ApiClientCreated { .. } => "api_client.created",
            Self::ApiClientRevoked { .. } => "api_client.revoked",
            Self::ApiClientSecretRotated { .. } => "api_client.secret_rotated",
            Self::UserMoved { .. } => "user.moved",
            Self::ApiClientAllowed { .. } => "api_client.allowed",
            Self::ApiClientDisallowed { .. } => "api_client.disallowed",
            Self::ApiClientTokenIssued { .. } => "api_client.token_issued",
            Self::ApiClientRefused { .. } => "api_client.refused",
            Self::ReturnUrlsReplaced { .. } => "return_urls.replaced",
            Self::AllowedOriginsReplaced { .. } => "allowed_origins.replaced",
            Self::WebhookEndpointChanged { change, .. } => change.event(),
            Self::ConnectionStarted { .. } => "connection.started",
            Self::ConnectionConsented { .. } => "connection.consented",
            Self::ConnectionCodeRefused { .. } => "connection.code_refused",
            Self::ConnectionCompleted { .. } => "connection.completed",
            Self::ConnectionFailed { .. } => "connection.failed",
            Self::ConnectionRefreshed { .. } => "connection.refreshed",
            Self::ConnectionLost { .. } => "connection.lost",
            Self::VehicleConnected { .. } => "vehicle.connected",
            Self::GrantIssued { .. } => "grant.issued",
            Self::GrantAmended { .. } => "grant.amended",
            Self::ExtensionRequested { .. } => "extension.requested",
            Self::ExtensionDecided { .. } => "extension.decided",
            Self::GrantRevoked { .. } => "grant.revoked",
            Self::GrantRelinquished { .. } => "grant.relinquished",
            Self::GrantConfirmed { .. } => "grant.confirmed",
            Self::GrantDue { due, .. } => due.event(),
            Self::EndBegun { .. } => "end.begun",
            Self::EndCompleted { .. } => "end.completed",
            Self::HoldPlaced { .. } => "hold.placed",
            Self::HoldEnded { how, .. } => how.event(),
            Self::GrantTokenMinted { .. } => "grant.token_minted",
            Self::CommandAuthorized { .. } => "command.authorized",
            Self::CommandRefused { .. } => "command.refused",
            Self::RefusalsCounted { .. } => "refusals.counted",
            Self::CommandChanged { status, .. } => of_status(*status),
            Self::VehiclePermissionsChanged { .. } => "vehicle.permissions_changed",
            Self::VehicleDescribed { .. } => "vehicle.described",
            Self::VehicleSuspended { .. } => "vehicle.suspended",
            Self::VehicleResumed { .. } => "vehicle.resumed",
            Self::VehicleTransfer { step, .. } => step.event(),
            Self::VehicleRemoved { .. } => "vehicle.removed",
            Self::GrantVehicleImpaired { .. } => "grant.vehicle_impaired",
            Self::GrantVehicleRestored { .. } => "grant.vehicle_restored",
            Self::GrantEnded { .. } => "grant.ended",
            Self::ConnectionReauthenticationStarted { .. } => "connection.reauthentication_started",
            Self::ConnectionReauthenticated { .. } => "connection.reauthenticated",
            Self::ConnectionEnded { .. } => "connection.ended",
            Self::VehicleRead { .. } => "vehicle.read",
            Self::VehicleReadRefused { .. } => "vehicle.read_refused",
        }
    }
}

/// The word for a command that reached this status.
const fn of_status(status: CommandStatus) -> &'static str {
    match status {
        CommandStatus::Refused => "command.refused",
        CommandStatus::Sending => "command.authorized",
        CommandStatus::Acknowledged => "command.acknowledged",
        CommandStatus::Confirmed => "command.confirmed",
        CommandStatus::Unconfirmed => "command.unconfirmed",
        CommandStatus::Failed => "command.failed",
        CommandStatus::Unknown => "command.unknown",
        CommandStatus::Contradicted => "command.contradicted",
        CommandStatus::Unresolved => "command.unresolved",
        CommandStatus::Cancelled => "command.cancelled",
        CommandStatus::Expired => "command.expired",
    }
}
