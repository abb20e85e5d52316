//! Everything that is recorded: one enum, the single list.
//!
//! `grant_revision` tells on which side of a grant's end something happened: what was authorized
//! rested on a smaller revision than the one that its end made (P2).
//!
//! Events hold ids and words of this program, never names or addresses, so that a person can be
//! forgotten without touching the record.

mod changes;
mod details;
mod due;
mod entry;
mod names;
mod subjects;
mod transfer;
mod webhook_endpoints;

use crate::domain::actor::Scope;
use crate::domain::amendment::{Effect, Terms};
use crate::domain::cause::Cause;
use crate::domain::claim::{ClaimPurpose, ClaimRefusal};
use crate::domain::command::{CommandStatus, Evidence};
use crate::domain::connection::Permissions;
use crate::domain::device_key::Thumbprint;
use crate::domain::extension::ExtensionDecision;
use crate::domain::grant::EndReason;
use crate::domain::hold::Rank;
use crate::domain::id::{
    ApiClientId, ClaimId, CommandId, ConnectionId, EndId, ExtensionRequestId, GrantId, HoldId,
    SessionId, TokenId, UserId, VehicleId, WebhookEndpointId,
};
use crate::domain::impairment::{ConnectionReason, Impairment, Suspension};
use crate::domain::instruction::Action;
use crate::domain::key_scope::KeyScope;
use crate::domain::policy::{Basis, Reason};
use crate::domain::reading::Observable;
use crate::domain::return_terms::{Criterion, Met};
use crate::domain::row_facts::RestsOn;
use crate::domain::time::Timestamp;
use crate::domain::user::Role;

pub use due::{GrantDue, HoldEnd};
pub use entry::{AuditEntry, Personal};
pub use subjects::Subjects;
pub use transfer::TransferStep;
pub use webhook_endpoints::EndpointChange;

words! {
    /// Why a sign-in or a credential was refused.
    CredentialRefusal {
        /// The password does not match.
        WrongPassword = "wrong_password",
        /// The account is closed.
        AccountDisabled = "account_disabled",
        /// Too many failures lately.
        Throttled = "throttled",
        /// The account has no password.
        NoPassword = "no_password",
        /// The secret of the API client does not match.
        WrongSecret = "wrong_secret",
        /// The API client was revoked.
        Revoked = "revoked",
        /// The API client has expired.
        Expired = "expired",
    }
}

words! {
    /// Why a session ended.
    SessionEnd {
        /// The person signed out.
        SignedOut = "signed_out",
        /// A refresh token was used a second time: somebody copied it.
        RefreshReused = "refresh_reused",
        /// The person ended it from another session.
        EndedElsewhere = "ended_elsewhere",
        /// The person changed their password in another session.
        PasswordChanged = "password_changed",
        /// Somebody made a claim to recover the account.
        Recovered = "recovered",
        /// An administrator ended it.
        EndedByAdmin = "ended_by_admin",
        /// A device of the person is lost, and it may have been theirs.
        DeviceLost = "device_lost",
    }
}

/// What happened. Field names are the words of the design.
#[derive(Debug, Clone, PartialEq)]
#[expect(missing_docs, reason = "the fields are the ids of what each variant names")]
pub enum Event {
    /// An organization came to be.
    OrganizationCreated,
    /// The service was started on a database older than the last signed checkpoint, and somebody
    /// accepted that.
    RecordRollbackAccepted { signed: u64, found: u64 },
    /// So many entries of the record, from a position on and of whatever organization, were moved
    /// into an archive; some of them are this organization's.
    RecordArchived { first: u64, entries: u64 },
    /// An account was made.
    UserCreated { user_id: UserId, role: Role },
    /// An account was closed; its sessions and grants stop working with it.
    UserDisabled { user_id: UserId },
    /// What describes an account was changed: the members with these names.
    UserDescribed { user_id: UserId, changed: Vec<&'static str> },
    /// A closed account is open again.
    UserEnabled { user_id: UserId },
    /// A person changed their password.
    UserPasswordChanged { user_id: UserId },
    /// A link was made by which a person comes to an account.
    ClaimCreated {
        claim_id: ClaimId,
        user_id: UserId,
        purpose: ClaimPurpose,
        has_pin: bool,
        expires_at: Timestamp,
    },
    /// A person has credentials by a claim. `restricted` says that the account waits for others until then.
    ClaimRedeemed { claim_id: ClaimId, user_id: UserId, purpose: ClaimPurpose, restricted: bool },
    /// A claim was not redeemed.
    ClaimRefused { claim_id: ClaimId, user_id: UserId, reason: ClaimRefusal },
    /// What was known of a person beyond their id was erased.
    UserPersonalDataErased { user_id: UserId },
    /// A person signed in.
    SessionCreated { user_id: UserId, session_id: SessionId },
    /// A sign-in to a known account was refused.
    SessionRefused { user_id: UserId, reason: CredentialRefusal },
    /// A session went on with new tokens.
    SessionRefreshed { user_id: UserId, session_id: SessionId },
    /// A session is over.
    SessionEnded { user_id: UserId, session_id: SessionId, reason: SessionEnd },
    /// An API client got credentials.
    ApiClientCreated { api_client_id: ApiClientId, scopes: Vec<Scope> },
    /// An API client lost its credentials.
    ApiClientRevoked { api_client_id: ApiClientId },
    /// An API client got a new secret; the one before works until then.
    ApiClientSecretRotated { api_client_id: ApiClientId, until: Timestamp },
    /// Another API client acts for a person who has not claimed their account.
    UserMoved { user_id: UserId, api_client_id: ApiClientId, successor_id: ApiClientId },
    /// A person lets an API client act for them.
    ApiClientAllowed { api_client_id: ApiClientId, user_id: UserId },
    /// A person took that back.
    ApiClientDisallowed { api_client_id: ApiClientId, user_id: UserId },
    /// An API client got an access token.
    ApiClientTokenIssued { api_client_id: ApiClientId, token_id: TokenId },
    /// An API client's secret was not accepted.
    ApiClientRefused { api_client_id: ApiClientId, reason: CredentialRefusal },
    /// An administrator said where apps may have browsers back after a consent: so many addresses.
    ReturnUrlsReplaced { count: usize },
    /// An administrator said from which origins scripts may read answers: so many.
    AllowedOriginsReplaced { count: usize },
    /// Something happened to an address that events are sent to.
    WebhookEndpointChanged { webhook_endpoint_id: WebhookEndpointId, change: EndpointChange },
    /// An owner was sent to the vehicle cloud.
    ConnectionStarted { connection_id: ConnectionId, user_id: UserId },
    /// A browser came back with consent, and was given a code for the person who started the connection.
    ConnectionConsented { connection_id: ConnectionId, user_id: UserId, vehicles: usize },
    /// A code was shown that is not the one that the consenting browser was given.
    ConnectionCodeRefused { connection_id: ConnectionId, user_id: UserId },
    /// An owner showed that the browser that consented was theirs.
    ConnectionCompleted { connection_id: ConnectionId, user_id: UserId, vehicles: usize },
    /// An owner came back without, or the exchange failed.
    ConnectionFailed { connection_id: ConnectionId, user_id: UserId, reason: ConnectionReason },
    /// The cloud's tokens were renewed.
    ConnectionRefreshed { connection_id: ConnectionId },
    /// The cloud no longer accepts our tokens.
    ConnectionLost { connection_id: ConnectionId, user_id: UserId, reason: ConnectionReason },
    /// A car became usable, or belongs to this connection now.
    VehicleConnected { vehicle_id: VehicleId, user_id: UserId, connection_id: ConnectionId },
    /// What an owner permits for a car changed at the vehicle cloud.
    VehiclePermissionsChanged { vehicle_id: VehicleId, user_id: UserId, permissions: Permissions },
    /// What describes a car was changed: the members with these names.
    VehicleDescribed { vehicle_id: VehicleId, user_id: UserId, changed: Vec<&'static str> },
    /// A car cannot be used until somebody acts at its maker.
    VehicleSuspended { vehicle_id: VehicleId, user_id: UserId, reason: Suspension },
    /// A suspended car works again.
    VehicleResumed { vehicle_id: VehicleId, user_id: UserId },
    /// A car is on its way from its owner to another person.
    VehicleTransfer { vehicle_id: VehicleId, user_id: UserId, step: TransferStep },
    /// A car was taken out of the service.
    VehicleRemoved { vehicle_id: VehicleId, user_id: UserId },
    /// The car of a grant is suspended, or the owner's consent to it is narrowed or gone: the grant
    /// may allow less than it says, or nothing. One for each grant, so that its own history shows it.
    GrantVehicleImpaired {
        grant_id: GrantId,
        vehicle_id: VehicleId,
        grantee_id: UserId,
        grant_revision: i64,
        reason: Impairment,
    },
    /// The car of a grant is no longer suspended.
    GrantVehicleRestored {
        grant_id: GrantId,
        vehicle_id: VehicleId,
        grantee_id: UserId,
        grant_revision: i64,
    },
    /// A grant ended because of what happened to its car, or with all others of a scope.
    GrantEnded {
        grant_id: GrantId,
        vehicle_id: VehicleId,
        grantee_id: UserId,
        grant_revision: i64,
        end_reason: EndReason,
        end_id: Option<EndId>,
    },
    /// An owner was sent to the vehicle cloud to mend their account with the car's maker.
    ConnectionReauthenticationStarted { connection_id: ConnectionId, user_id: UserId },
    /// An owner came back from mending their account with the car's maker.
    ConnectionReauthenticated { connection_id: ConnectionId, user_id: UserId },
    /// An owner or an administrator ended a connection.
    ConnectionEnded { connection_id: ConnectionId, user_id: UserId, vehicles: usize },
    /// A grant was issued; in the place of another one if its booking has moved to another car.
    GrantIssued {
        grant_id: GrantId,
        vehicle_id: VehicleId,
        grantee_id: UserId,
        terms: Terms,
        instead_of: Option<GrantId>,
    },
    /// A grant says something else from now on. What narrows has `in_flight` commands that were authorized before.
    GrantAmended {
        grant_id: GrantId,
        vehicle_id: VehicleId,
        grantee_id: UserId,
        grant_revision: i64,
        effect: Effect,
        terms: Terms,
        in_flight: usize,
    },
    /// A guest asked to use a grant for longer.
    ExtensionRequested {
        extension_request_id: ExtensionRequestId,
        grant_id: GrantId,
        vehicle_id: VehicleId,
        grantee_id: UserId,
        not_after: Timestamp,
    },
    /// The owner decided about that; what it changed has an entry of its own.
    ExtensionDecided {
        extension_request_id: ExtensionRequestId,
        grant_id: GrantId,
        vehicle_id: VehicleId,
        grantee_id: UserId,
        decision: ExtensionDecision,
    },
    /// Owner or admin ended a grant.
    GrantRevoked {
        grant_id: GrantId,
        vehicle_id: VehicleId,
        grantee_id: UserId,
        grant_revision: i64,
        leave_lock: bool,
        in_flight: usize,
    },
    /// The grantee gave a grant back, and the car so, as far as the grant asks for something.
    GrantRelinquished {
        grant_id: GrantId,
        vehicle_id: VehicleId,
        grantee_id: UserId,
        grant_revision: i64,
        criteria: Vec<(Criterion, Met)>,
    },
    /// The clock brought something about.
    GrantDue {
        grant_id: GrantId,
        vehicle_id: VehicleId,
        grantee_id: UserId,
        grant_revision: i64,
        due: GrantDue,
    },
    /// The owner stood by a grant that waited for their word.
    GrantConfirmed { grant_id: GrantId, vehicle_id: VehicleId, grantee_id: UserId },
    /// All grants of a scope have ended, though not all may have it on their own rows.
    EndBegun { end_id: EndId, scope: KeyScope, about: Subjects, end_reason: EndReason },
    /// All grants of a scope have their end on their own rows: so many.
    EndCompleted { end_id: EndId, scope: KeyScope, grants: i64 },
    /// What grants allow was paused within a scope.
    HoldPlaced {
        hold_id: HoldId,
        scope: KeyScope,
        about: Subjects,
        rank: Rank,
        until: Option<Timestamp>,
        allow_lock: bool,
        in_flight: usize,
    },
    /// A hold stands no more.
    HoldEnded { hold_id: HoldId, scope: KeyScope, about: Subjects, rank: Rank, how: HoldEnd },
    /// A signed form of a grant was handed out.
    GrantTokenMinted {
        grant_id: GrantId,
        vehicle_id: VehicleId,
        grantee_id: UserId,
        token_id: TokenId,
        device_key: Option<Thumbprint>,
        expires_at: Timestamp,
    },
    /// A token of a grant was ended before it expired.
    GrantTokenEnded {
        grant_id: GrantId,
        vehicle_id: VehicleId,
        grantee_id: UserId,
        grant_revision: i64,
        token_id: TokenId,
    },
    /// The key of a person's device was revoked: what was bound to it ended.
    DeviceKeyRevoked { user_id: UserId, device_key: Thumbprint },
    /// A command may be sent.
    CommandAuthorized {
        command_id: CommandId,
        vehicle_id: VehicleId,
        user_id: UserId,
        action: Action,
        basis: Basis,
        rests_on: Option<RestsOn>,
    },
    /// A command may not be sent.
    CommandRefused {
        command_id: CommandId,
        vehicle_id: VehicleId,
        grant_id: Option<GrantId>,
        user_id: UserId,
        action: Action,
        reasons: Vec<Reason>,
        rests_on: Option<RestsOn>,
    },
    /// Commands and reads were refused, beyond those that have an entry of their own.
    RefusalsCounted {
        vehicle_id: VehicleId,
        grant_id: Option<GrantId>,
        user_id: UserId,
        commands: u64,
        reads: u64,
        since: Timestamp,
        until: Timestamp,
    },
    /// A command reached another status.
    CommandChanged {
        command_id: CommandId,
        vehicle_id: VehicleId,
        grant_id: Option<GrantId>,
        user_id: UserId,
        action: Action,
        status: CommandStatus,
        evidence: Evidence,
        causes: Vec<Cause>,
    },
    /// Something was read from a car.
    VehicleRead {
        vehicle_id: VehicleId,
        grant_id: Option<GrantId>,
        user_id: UserId,
        observable: Observable,
        rests_on: Option<RestsOn>,
    },
    /// Reading something from a car was refused.
    VehicleReadRefused {
        vehicle_id: VehicleId,
        grant_id: Option<GrantId>,
        user_id: UserId,
        observable: Observable,
        reasons: Vec<Reason>,
        rests_on: Option<RestsOn>,
    },
}

#[cfg(test)]
#[path = "event_test.rs"]
mod tests;
