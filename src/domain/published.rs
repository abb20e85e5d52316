//! Published events: which entries of the record are published to clients and webhook endpoints, and with which members.
//! They contain ids and words of this program and no personal data, so erasing a person needs no change to them.
//!
//! This one table converts the record, describes the API, and is printed in docs/events.md.

mod member;

pub use member::{Form, Member};

use Member as M;

macro_rules! event_types {
    ($($name:ident $word:literal $meaning:literal [$($member:ident)*];)*) => {
        words! {
            /// What happened. The words are those of the record.
            EventType { $(#[doc = $meaning] $name = $word,)* }
        }

        impl EventType {
            /// What it means, for developers.
            #[must_use]
            pub const fn meaning(self) -> &'static str {
                match self { $(Self::$name => $meaning,)* }
            }

            /// The members of its `data`, in addition to the actor. A member without a value is omitted.
            #[must_use]
            pub const fn members(self) -> &'static [Member] {
                match self { $(Self::$name => &[$(M::$member),*],)* }
            }
        }
    };
}

event_types! {
    // Grants.
    GrantIssued "grant.issued" "A grant was issued."
        [GrantId VehicleId UserId GrantRevision Entitlements NotBefore NotAfter GraceMinutes MaxUses RequireDeviceKey InsteadOf];
    GrantAmended "grant.amended" "A grant was changed."
        [GrantId VehicleId UserId GrantRevision Effect Entitlements NotBefore NotAfter GraceMinutes MaxUses RequireDeviceKey InFlight];
    GrantConfirmed "grant.confirmed" "The owner confirmed a grant that was waiting for it."
        [GrantId VehicleId UserId GrantRevision];
    GrantEnding "grant.ending" "A grant ends within 15 minutes."
        [GrantId VehicleId UserId GrantRevision NotAfter];
    GrantExpired "grant.expired" "The validity of a grant is over."
        [GrantId VehicleId UserId GrantRevision LockUntil];
    GrantLeftUnlocked "grant.left_unlocked" "A grant is over, and nobody has locked the car since it was unlocked with it."
        [GrantId VehicleId UserId CommandId GrantRevision LockUntil];
    GrantRevoked "grant.revoked" "The owner, support or an administrator ended a grant."
        [GrantId VehicleId UserId GrantRevision LeaveLock InFlight];
    GrantRelinquished "grant.relinquished" "The guest gave a grant back."
        [GrantId VehicleId UserId GrantRevision];
    GrantEnded "grant.ended" "A grant ended because its car, consent or scope ended."
        [GrantId VehicleId UserId GrantRevision EndReason EndId];
    GrantVehicleImpaired "grant.vehicle_impaired" "The car of a grant, or the owner's consent to it, is limited: the grant may allow less than it says."
        [GrantId VehicleId UserId GrantRevision Reason];
    GrantVehicleRestored "grant.vehicle_restored" "The car of a grant can be used again."
        [GrantId VehicleId UserId GrantRevision];
    GrantTokenEnded "grant.token_ended" "A token of a grant was ended before it expired; the grant goes on."
        [GrantId VehicleId UserId GrantRevision TokenId];
    ExtensionRequested "extension.requested" "A guest asked to use a grant for longer."
        [ExtensionRequestId GrantId VehicleId UserId NotAfter];
    ExtensionDecided "extension.decided" "The owner approved or declined an extension request."
        [ExtensionRequestId GrantId VehicleId UserId Decision];
    // What is over several grants.
    HoldPlaced "hold.placed" "What grants allow was paused."
        [HoldId Scope GrantId VehicleId UserId GrantRevision Rank Until AllowLock InFlight];
    HoldLifted "hold.lifted" "Somebody lifted a hold."
        [HoldId Scope GrantId VehicleId UserId GrantRevision Rank];
    HoldExpired "hold.expired" "A hold ran out."
        [HoldId Scope GrantId VehicleId UserId GrantRevision Rank];
    EndBegun "end.begun" "All grants within a scope have ended. A `grant.ended` follows for each of them."
        [EndId Scope VehicleId UserId EndReason];
    EndCompleted "end.completed" "The last `grant.ended` of this end was published."
        [EndId Scope Grants];
    // Commands that have come to their last status.
    CommandRefused "command.refused" "A command was refused; nothing was sent."
        [CommandId VehicleId GrantId UserId Action Reasons];
    CommandConfirmed "command.confirmed" "The car was seen as the command asked."
        [CommandId VehicleId GrantId UserId Action Evidence Reasons];
    CommandUnconfirmed "command.unconfirmed" "The vehicle cloud took the command; the car was not seen in time."
        [CommandId VehicleId GrantId UserId Action Evidence Reasons];
    CommandFailed "command.failed" "The command was provably not executed."
        [CommandId VehicleId GrantId UserId Action Evidence Reasons];
    CommandContradicted "command.contradicted" "No answer came, and the car was seen otherwise than the command asked."
        [CommandId VehicleId GrantId UserId Action Evidence Reasons];
    CommandUnresolved "command.unresolved" "No answer came, and the car was not seen in time: it may have happened."
        [CommandId VehicleId GrantId UserId Action Evidence Reasons];
    CommandCancelled "command.cancelled" "The command was withdrawn before it was sent."
        [CommandId VehicleId GrantId UserId Action Evidence Reasons];
    CommandExpired "command.expired" "The command was not sent in time; nothing happened."
        [CommandId VehicleId GrantId UserId Action Evidence Reasons];
    RefusalsCounted "refusals.counted" "Counts further refusals, beyond the first five a minute that are recorded one by one."
        [VehicleId GrantId UserId Commands Reads Since Until];
    // Consents and cars.
    ConnectionCompleted "connection.completed" "An owner connected cars."
        [ConnectionId UserId Vehicles];
    ConnectionFailed "connection.failed" "An owner came back from the vehicle cloud without a consent."
        [ConnectionId UserId Reason];
    ConnectionLost "connection.lost" "The vehicle cloud accepts an owner's consent no longer."
        [ConnectionId UserId Reason];
    ConnectionReauthenticated "connection.reauthenticated" "An owner mended their account with the car's maker."
        [ConnectionId UserId];
    ConnectionEnded "connection.ended" "An owner or an administrator ended a connection."
        [ConnectionId UserId Vehicles];
    VehicleConnected "vehicle.connected" "A car can be used."
        [VehicleId UserId ConnectionId];
    VehicleDescribed "vehicle.described" "What describes a car was changed."
        [VehicleId UserId Changed];
    VehiclePermissionsChanged "vehicle.permissions_changed" "The owner changed the permissions at the vehicle cloud."
        [VehicleId UserId Permissions];
    VehicleSuspended "vehicle.suspended" "A car cannot be used until somebody acts at its maker."
        [VehicleId UserId Reason];
    VehicleResumed "vehicle.resumed" "A suspended car can be used again."
        [VehicleId UserId];
    VehicleTransferOffered "vehicle.transfer_offered" "An owner lets another person take a car."
        [VehicleId UserId ToUserId Until];
    VehicleTransferWithdrawn "vehicle.transfer_withdrawn" "An owner withdrew the offer of a transfer."
        [VehicleId UserId];
    VehicleTransferred "vehicle.transferred" "A car has another owner."
        [VehicleId UserId ToUserId];
    VehicleRemoved "vehicle.removed" "A car was taken out of the service."
        [VehicleId UserId];
    // People and programs.
    UserCreated "user.created" "An account was made." [UserId Role];
    UserDescribed "user.described" "What describes an account was changed." [UserId Changed];
    UserDisabled "user.disabled" "An account was closed." [UserId];
    UserEnabled "user.enabled" "A closed account is open again." [UserId];
    UserPersonalDataErased "user.personal_data_erased" "The personal data of a person was erased. Delete your copy of it too." [UserId];
    DeviceKeyRevoked "device_key.revoked" "The key of a device was revoked: the tokens that were bound to it ended." [UserId DeviceKey];
    ClaimCreated "claim.created" "A link to an account was made." [ClaimId UserId Purpose ExpiresAt];
    ClaimRedeemed "claim.redeemed" "A person came to an account by a link." [ClaimId UserId Purpose];
    ClaimRefused "claim.refused" "A link to an account was not accepted." [ClaimId UserId Reason];
    SessionRefused "session.refused" "A sign-in to an account was refused." [UserId Reason];
    ApiClientCreated "api_client.created" "An API client got credentials." [ApiClientId Scopes];
    ApiClientRevoked "api_client.revoked" "An API client lost its credentials." [ApiClientId];
    ApiClientSecretRotated "api_client.secret_rotated" "An API client got a new secret." [ApiClientId PreviousUntil];
    ApiClientRefused "api_client.refused" "The secret of an API client was not accepted." [ApiClientId Reason];
    WebhookEndpointPaused "webhook_endpoint.paused" "Nothing is sent to a webhook endpoint until somebody resumes it."
        [WebhookEndpointId Reason];
}

#[cfg(test)]
#[path = "published_test.rs"]
mod tests;
