//! The members of a published event's `data`.

use crate::domain::id::{Kind, kind};

/// The form of a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// An id with this prefix.
    Id(&'static str),
    /// A time (RFC 3339), in UTC.
    Time,
    /// One of the words that the schema of this name lists.
    Word(&'static str),
    /// A list of them.
    Words(&'static str),
    /// A word of the vehicle cloud's or of several lists.
    OpenWord,
    /// A list of them.
    OpenWords,
    /// A whole number.
    Count,
    /// Yes or no.
    Flag,
}

macro_rules! members {
    ($($name:ident $word:literal $form:expr, $meaning:literal;)*) => {
        words! {
            /// A member of an event's `data`.
            Member { $(#[doc = $meaning] $name = $word,)* }
        }

        impl Member {
            /// The form of its value.
            #[must_use]
            pub const fn form(self) -> Form {
                match self { $(Self::$name => $form,)* }
            }

            /// What it means, for developers.
            #[must_use]
            pub const fn meaning(self) -> &'static str {
                match self { $(Self::$name => $meaning,)* }
            }
        }
    };
}

const fn id<K: Kind>() -> Form {
    Form::Id(K::PREFIX)
}

members! {
    GrantId "grant_id" id::<kind::Grant>(), "The grant.";
    VehicleId "vehicle_id" id::<kind::Vehicle>(), "The car.";
    UserId "user_id" id::<kind::User>(), "For grants, extension requests and holds over a grant: the guest. For vehicles and connections: the owner. For commands: the person whose right was used. Otherwise the person whom the event is about.";
    ToUserId "to_user_id" id::<kind::User>(), "The new owner of the car.";
    CommandId "command_id" id::<kind::Command>(), "The command.";
    HoldId "hold_id" id::<kind::Hold>(), "The hold.";
    EndId "end_id" id::<kind::End>(), "The request that ended all grants within a scope (`POST /v1/ends`).";
    ExtensionRequestId "extension_request_id" id::<kind::ExtensionRequest>(), "The extension request.";
    ConnectionId "connection_id" id::<kind::Connection>(), "The connection.";
    ClaimId "claim_id" id::<kind::Claim>(), "The claim.";
    ApiClientId "api_client_id" id::<kind::ApiClient>(), "The API client.";
    WebhookEndpointId "webhook_endpoint_id" id::<kind::WebhookEndpoint>(), "The webhook endpoint.";
    TokenId "token_id" id::<kind::Token>(), "The grant token (`jti`).";
    DeviceKey "device_key" Form::Word("Thumbprint"), "The thumbprint of the device's public key (RFC 7638).";
    InsteadOf "instead_of" id::<kind::Grant>(), "The grant that this one replaces, if the booking moved to another car.";
    GrantRevision "grant_revision" Form::Count, "The revision of the grant. Of two events of one grant, the one with the greater revision is later.";
    Entitlements "entitlements" Form::Words("Entitlement"), "What the grant allows.";
    NotBefore "not_before" Form::Time, "The start of its validity.";
    NotAfter "not_after" Form::Time, "The end of its validity (exclusive). For an extension request: the requested end.";
    GraceMinutes "grace_minutes" Form::Count, "Minutes after `not_after` during which the grant still allows `lock`.";
    MaxUses "max_uses" Form::Count, "The maximum number of unlocks. Omitted if there is no limit.";
    RequireDeviceKey "require_device_key" Form::Flag, "Whether the grant can be used only with a token that is bound to a device.";
    LockUntil "lock_until" Form::Time, "The end of the time in which the grant still allows `lock` (exclusive).";
    Effect "effect" Form::Word("Effect"), "How the change affects what the grant allows: `none`, `narrowing`, `widening` or `mixed`.";
    InFlight "in_flight" Form::Count, "The number of commands that were authorized before and may still reach the car.";
    LeaveLock "leave_lock" Form::Flag, "Whether the grant still allows `lock` for a limited time.";
    EndReason "end_reason" Form::Word("EndReason"), "The reason why the grant or grants ended.";
    Decision "decision" Form::Word("ExtensionDecision"), "`approved` or `declined`.";
    Scope "scope" Form::Word("ScopeKind"), "What the hold or the end applies to: `grant`, `user`, `vehicle` or `organization`.";
    Rank "rank" Form::Word("Rank"), "Who placed the hold, which decides who can lift it: `guest`, `owner`, `support` or `admin`.";
    Since "since" Form::Time, "The start of the counted period.";
    Until "until" Form::Time, "The end of the hold, of the offered transfer or of the counted period (exclusive). Omitted if there is none.";
    AllowLock "allow_lock" Form::Flag, "Whether `lock` stays allowed under the hold.";
    Grants "grants" Form::Count, "The number of grants that ended.";
    Action "action" Form::Word("Action"), "The requested action, such as `unlock`.";
    Evidence "evidence" Form::Word("Evidence"), "What the status rests on: `none`, `provider_ack` or `state_observed`.";
    Reason "reason" Form::OpenWord, "The reason, as a word.";
    Reasons "reasons" Form::OpenWords, "The reasons, as words; the most important first.";
    Commands "commands" Form::Count, "The number of refused commands.";
    Reads "reads" Form::Count, "The number of refused reads.";
    Vehicles "vehicles" Form::Count, "The number of cars of the connection.";
    Permissions "permissions" Form::OpenWords, "The permissions that the owner gave at the vehicle cloud.";
    Changed "changed" Form::OpenWords, "The names of the changed members.";
    Role "role" Form::Word("Role"), "The role of the account: `admin`, `support`, `auditor` or `member`.";
    Purpose "purpose" Form::Word("ClaimPurpose"), "The purpose of the claim: `join` or `recover`.";
    ExpiresAt "expires_at" Form::Time, "The time from which the claim cannot be used.";
    Scopes "scopes" Form::Words("Scope"), "The scopes of the API client.";
    PreviousUntil "previous_until" Form::Time, "The time until which the previous secret is also accepted.";
    ActorKind "actor_kind" Form::Word("PrincipalKind"), "The kind of actor: `user`, `api_client` or `system`.";
    ActorId "actor_id" Form::Word("PrincipalId"), "The user or API client that acted. Omitted for `system`.";
}

impl Member {
    /// The members of every event, in addition to its own.
    pub const OF_EVERY_EVENT: &'static [Self] = &[Self::ActorKind, Self::ActorId];

    /// The name under which the record has it.
    #[must_use]
    pub const fn recorded_as(self) -> &'static str {
        match self {
            Self::ToUserId => "to",
            other => other.as_str(),
        }
    }
}
