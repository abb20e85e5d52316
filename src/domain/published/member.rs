//! What is told of events, member by member.

use crate::domain::id::{Kind, kind};

/// The form of a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// An id with this prefix.
    Id(&'static str),
    /// A time (RFC 3339), in UTC.
    Time,
    /// A word.
    Word,
    /// A list of words.
    Words,
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
    UserId "user_id" id::<kind::User>(), "The person: the guest of a grant, the owner of a car, whoever asked for a command.";
    ToUserId "to_user_id" id::<kind::User>(), "The person to whom the car goes.";
    CommandId "command_id" id::<kind::Command>(), "The command.";
    HoldId "hold_id" id::<kind::Hold>(), "The hold.";
    EndId "end_id" id::<kind::End>(), "The end of all grants within a scope.";
    ExtensionRequestId "extension_request_id" id::<kind::ExtensionRequest>(), "The extension request.";
    ConnectionId "connection_id" id::<kind::Connection>(), "The connection.";
    ClaimId "claim_id" id::<kind::Claim>(), "The claim.";
    ApiClientId "api_client_id" id::<kind::ApiClient>(), "The API client.";
    WebhookEndpointId "webhook_endpoint_id" id::<kind::WebhookEndpoint>(), "The webhook endpoint.";
    InsteadOf "instead_of" id::<kind::Grant>(), "The grant in whose place this one was issued, if its booking moved to another car.";
    GrantRevision "grant_revision" Form::Count, "The revision of the grant: of two events of one grant, the one with the greater revision is later.";
    Entitlements "entitlements" Form::Words, "What the grant allows.";
    NotBefore "not_before" Form::Time, "The first moment of its validity.";
    NotAfter "not_after" Form::Time, "The first moment after its validity; for an extension request, the one asked for.";
    GraceMinutes "grace_minutes" Form::Count, "For so many minutes after that, the car can still be locked with it.";
    MaxUses "max_uses" Form::Count, "It can be used to unlock so often; without limit if left out.";
    LockUntil "lock_until" Form::Time, "Until then the car can still be locked with it.";
    Effect "effect" Form::Word, "What the change does: `none`, `narrowing`, `widening` or `mixed`.";
    InFlight "in_flight" Form::Count, "So many commands were authorized before and may still be on their way.";
    LeaveLock "leave_lock" Form::Flag, "Whether the car can still be locked with it for a while.";
    EndReason "end_reason" Form::Word, "Why the grants ended.";
    Decision "decision" Form::Word, "`approved` or `declined`.";
    Scope "scope" Form::Word, "What it is over: `grant`, `user`, `vehicle` or `organization`.";
    Rank "rank" Form::Word, "The rank of whoever placed the hold: `guest`, `owner`, `support` or `admin`.";
    Since "since" Form::Time, "The beginning of the time that is counted.";
    Until "until" Form::Time, "The first moment in which it is over.";
    AllowLock "allow_lock" Form::Flag, "Whether cars can be locked all the same.";
    Grants "grants" Form::Count, "How many grants there are.";
    Action "action" Form::Word, "What the car was asked to do.";
    Evidence "evidence" Form::Word, "What the status rests on: `none`, `provider_ack` or `state_observed`.";
    Reason "reason" Form::Word, "Why.";
    Reasons "reasons" Form::Words, "Why, the most important first.";
    Commands "commands" Form::Count, "How many commands were refused.";
    Reads "reads" Form::Count, "How many reads were refused.";
    Vehicles "vehicles" Form::Count, "How many cars there are.";
    Permissions "permissions" Form::Words, "What the owner permits at the vehicle cloud.";
    Changed "changed" Form::Words, "The members that were changed.";
    Role "role" Form::Word, "The role of the account: `admin`, `support`, `auditor` or `member`.";
    Purpose "purpose" Form::Word, "What the claim is for.";
    ExpiresAt "expires_at" Form::Time, "The first moment in which it can no longer be used.";
    Scopes "scopes" Form::Words, "The scopes that it may use.";
    PreviousUntil "previous_until" Form::Time, "Until then the secret before works too.";
    ActorKind "actor_kind" Form::Word, "Who did it: `user`, `api_client` or `system`.";
    ActorId "actor_id" Form::Word, "The person or API client that did it; left out for the service itself.";
}

impl Member {
    /// What is told of every event beside its own members.
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
