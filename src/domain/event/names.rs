//! The word of each event, as entries and lists have it.

use super::{EndpointChange, Event, GrantDue, HoldEnd, TransferStep};
use crate::domain::command::CommandStatus;

macro_rules! names {
    ($($event:ident $word:literal;)* [of several kinds] $($several:ident $kind:ident $name:expr;)*) => {
        impl Event {
            /// The event's word: noun and past participle.
            #[must_use]
            pub const fn name(&self) -> &'static str {
                match self {
                    $(Self::$event { .. } => $word,)*
                    $(Self::$several { $kind, .. } => $name(*$kind),)*
                }
            }
        }
    };
}

names! {
    OrganizationCreated "organization.created";
    RecordRollbackAccepted "record.rollback_accepted";
    RecordArchived "record.archived";
    UserCreated "user.created";
    UserDisabled "user.disabled";
    UserDescribed "user.described";
    UserEnabled "user.enabled";
    UserPasswordChanged "user.password_changed";
    ClaimCreated "claim.created";
    ClaimRedeemed "claim.redeemed";
    ClaimRefused "claim.refused";
    UserPersonalDataErased "user.personal_data_erased";
    SessionCreated "session.created";
    SessionRefused "session.refused";
    SessionRefreshed "session.refreshed";
    SessionEnded "session.ended";
    ApiClientCreated "api_client.created";
    ApiClientRevoked "api_client.revoked";
    ApiClientSecretRotated "api_client.secret_rotated";
    UserMoved "user.moved";
    ApiClientAllowed "api_client.allowed";
    ApiClientDisallowed "api_client.disallowed";
    ApiClientTokenIssued "api_client.token_issued";
    ApiClientRefused "api_client.refused";
    ReturnUrlsReplaced "return_urls.replaced";
    AllowedOriginsReplaced "allowed_origins.replaced";
    ConnectionStarted "connection.started";
    ConnectionConsented "connection.consented";
    ConnectionCodeRefused "connection.code_refused";
    ConnectionCompleted "connection.completed";
    ConnectionFailed "connection.failed";
    ConnectionRefreshed "connection.refreshed";
    ConnectionLost "connection.lost";
    VehicleConnected "vehicle.connected";
    GrantIssued "grant.issued";
    GrantAmended "grant.amended";
    ExtensionRequested "extension.requested";
    ExtensionDecided "extension.decided";
    GrantRevoked "grant.revoked";
    GrantRelinquished "grant.relinquished";
    GrantConfirmed "grant.confirmed";
    EndBegun "end.begun";
    EndCompleted "end.completed";
    HoldPlaced "hold.placed";
    GrantTokenMinted "grant.token_minted";
    GrantTokenEnded "grant.token_ended";
    DeviceKeyRevoked "device_key.revoked";
    CommandAuthorized "command.authorized";
    CommandRefused "command.refused";
    RefusalsCounted "refusals.counted";
    VehiclePermissionsChanged "vehicle.permissions_changed";
    VehicleDescribed "vehicle.described";
    VehicleSuspended "vehicle.suspended";
    VehicleResumed "vehicle.resumed";
    VehicleRemoved "vehicle.removed";
    GrantVehicleImpaired "grant.vehicle_impaired";
    GrantVehicleRestored "grant.vehicle_restored";
    GrantEnded "grant.ended";
    ConnectionReauthenticationStarted "connection.reauthentication_started";
    ConnectionReauthenticated "connection.reauthenticated";
    ConnectionEnded "connection.ended";
    VehicleRead "vehicle.read";
    VehicleReadRefused "vehicle.read_refused";
    [of several kinds]
    WebhookEndpointChanged change EndpointChange::event;
    GrantDue due GrantDue::event;
    HoldEnded how HoldEnd::event;
    CommandChanged status of_status;
    VehicleTransfer step TransferStep::event;
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
