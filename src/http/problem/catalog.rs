//! Every code that a problem can carry, with what clients and people are told about it. One
//! table; `GET /problems/{code}` shows a page for each line.

use axum::http::StatusCode;

use crate::domain::fault::Resolution;
use crate::domain::schema::of_words;

/// One line of the catalog.
#[derive(Debug, Clone, Copy)]
pub struct Entry {
    /// The word on the wire.
    pub code: &'static str,
    /// The status it has, unless the place that reports it knows better.
    pub status: StatusCode,
    /// What would help.
    pub resolution: Resolution,
    /// Whether the same request may work later.
    pub retryable: bool,
    /// What it means, for developers; the same for every occurrence.
    pub title: &'static str,
    /// What the person in front of the app may be shown.
    pub user_message: &'static str,
}

macro_rules! catalog {
    ($($name:ident $code:literal $status:ident $resolution:ident $retryable:ident
       $title:literal $user_message:literal;)*) => {
        /// The code of a problem. The variants are documented by their lines in the catalog.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub enum Code { $(#[doc = $title] $name,)* }

        impl utoipa::PartialSchema for Code {
            fn schema() -> utoipa::openapi::RefOr<utoipa::openapi::Schema> {
                let meanings = [$(($code, $title),)*];
                of_words("The kind of a problem; `/problems/{code}` is a page about each.", &meanings).into()
            }
        }

        impl utoipa::ToSchema for Code {
            fn name() -> std::borrow::Cow<'static, str> {
                "ProblemCode".into()
            }
        }

        impl Code {
            /// Every code, in the order of the catalog.
            pub const ALL: &'static [Self] = &[$(Self::$name,)*];

            /// Its line of the catalog.
            #[must_use]
            pub const fn entry(self) -> Entry {
                match self {
                    $(Self::$name => Entry {
                        code: $code,
                        status: StatusCode::$status,
                        resolution: Resolution::$resolution,
                        retryable: catalog!(@ $retryable),
                        title: $title,
                        user_message: $user_message,
                    },)*
                }
            }
        }
    };
    (@ again) => { true };
    (@ never) => { false };
}

catalog! {
    // The request itself.
    MalformedJson "malformed_json" BAD_REQUEST FixRequest never
        "The body is not well-formed JSON" "The app sent something that cannot be read.";
    ValidationFailed "validation_failed" UNPROCESSABLE_ENTITY FixRequest never
        "The request breaks rules" "Some of the entries are not valid.";
    UnsupportedMediaType "unsupported_media_type" UNSUPPORTED_MEDIA_TYPE FixRequest never
        "The body must be application/json" "The app sent something that cannot be read.";
    BodyTooLarge "body_too_large" PAYLOAD_TOO_LARGE FixRequest never
        "The body is too large" "The app sent more than is accepted.";
    BodyIncomplete "body_incomplete" BAD_REQUEST RetryLater again
        "The body did not arrive completely" "The connection was interrupted. Please try again.";
    BodyTooSlow "body_too_slow" REQUEST_TIMEOUT RetryLater again
        "The body took too long to arrive" "The connection is too slow. Please try again.";
    MethodNotAllowed "method_not_allowed" METHOD_NOT_ALLOWED FixRequest never
        "There is something here, but not for this method" "The app asked for something that does not exist.";
    IdempotencyKeyRequired "idempotency_key_required" BAD_REQUEST FixRequest never
        "The Idempotency-Key header is required here" "The app left something out.";
    IdempotencyKeyReused "idempotency_key_reused" UNPROCESSABLE_ENTITY FixRequest never
        "The idempotency key was used for another request" "The app sent two different requests as one.";
    PreconditionRequired "precondition_required" PRECONDITION_REQUIRED FixRequest never
        "The If-Match header is required here: the ETag of what is to be changed" "The app left something out.";
    PreconditionFailed "precondition_failed" PRECONDITION_FAILED FixRequest never
        "It was changed since it was read" "This was changed meanwhile. Please look at it again.";
    BadRequest "bad_request" BAD_REQUEST FixRequest never
        "The request cannot be understood" "The app sent something that cannot be read.";
    // Who asks.
    TokenMissing "token_missing" UNAUTHORIZED Authenticate never
        "Credentials are required" "Please sign in.";
    TokenInvalid "token_invalid" UNAUTHORIZED Reauthenticate never
        "The token was not issued by this service or was revoked" "Please sign in again.";
    TokenExpired "token_expired" UNAUTHORIZED Reauthenticate never
        "The token has expired" "Please sign in again.";
    DpopProofRequired "dpop_proof_required" UNAUTHORIZED FixRequest never
        "The token is bound to a device: send it as `Authorization: DPoP …` with a proof in the header `DPoP`"
        "The app could not show that this key belongs to this phone. Please try again, or update the app.";
    DpopProofInvalid "dpop_proof_invalid" UNAUTHORIZED FixRequest never
        "The proof in the header `DPoP` is not valid for this request, was used before, or was signed by another device"
        "The app could not show that this key belongs to this phone. Please try again, or update the app.";
    UseDpopNonce "use_dpop_nonce" UNAUTHORIZED FixRequest never
        "The proof in the header `DPoP` has no current nonce: sign a new proof with the nonce in the header `DPoP-Nonce` of this answer"
        "Please try again.";
    CredentialsInvalid "credentials_invalid" UNAUTHORIZED Authenticate never
        "The credentials do not match an open account" "The address or the password is not right.";
    AdminOnly "admin_only" FORBIDDEN ContactAdmin never
        "Only for administrators" "Only an administrator can do this.";
    PersonOnly "person_only" FORBIDDEN Authenticate never
        "Only for the person themself, signed in" "Only you yourself can do this, signed in.";
    VehiclesLimited "vehicles_limited" FORBIDDEN ContactAdmin never
        "The API client is limited to some vehicles; name one of them" "The app may not do this for all cars.";
    ScopeMissing "scope_missing" FORBIDDEN ContactAdmin never
        "The API client lacks the scope" "The app is not allowed to do this.";
    ActingForMissing "acting_for_missing" FORBIDDEN FixRequest never
        "An API client must say for whom it acts, in the header Keylend-Acting-For: usr_…" "The app left something out.";
    ActingForNotAllowed "acting_for_not_allowed" FORBIDDEN ContactOwner never
        "The person has not allowed this API client: they do so with PUT /v1/users/me/allowed-clients/{api_client_id}"
        "The app may not act for this person. They can allow it in their account.";
    NotTheOwner "not_the_owner" FORBIDDEN ContactOwner never
        "Only the owner of the vehicle may do this" "Only the owner of the car can do this.";
    HoldOfAnother "hold_of_another" FORBIDDEN ContactAdmin never
        "Another rank placed the hold. It is lifted by that rank; holds of support also by administrators" "Somebody else set this pause. Ask the owner of the car or support.";
    // What the policy says.
    NotFound "not_found" NOT_FOUND None never
        "There is no such thing, or not for you" "This does not exist or is not yours.";
    NotTheGrantee "not_the_grantee" FORBIDDEN ContactOwner never
        "The grant belongs to somebody else" "This key belongs to somebody else.";
    VehicleMismatch "vehicle_mismatch" FORBIDDEN FixRequest never
        "The grant is for another vehicle" "This key is for another car.";
    GrantRevoked "grant_revoked" FORBIDDEN ContactOwner never
        "The grant was revoked" "This key was taken back. Please ask the owner.";
    GrantRelinquished "grant_relinquished" FORBIDDEN ContactOwner never
        "The grantee gave the grant back" "You gave this key back.";
    GrantExpired "grant_expired" FORBIDDEN ContactOwner never
        "The grant's validity is over" "This key is no longer valid.";
    GrantNotYetValid "grant_not_yet_valid" FORBIDDEN RetryLater again
        "The grant's validity has not begun" "This key is not valid yet.";
    GrantHeld "grant_held" FORBIDDEN ContactAdmin again
        "A hold stands over the grant, the person, the vehicle or the organization: `held_by` of the grant says whose"
        "This is paused. If you did not pause it yourself, ask the owner of the car or support.";
    DeviceKeyRequired "device_key_required" FORBIDDEN FixRequest never
        "The grant can be used only with a token that is bound to a device: fetch one with a proof in the header `DPoP`"
        "This key works only in the app on your phone. Please open the car there.";
    GrantExhausted "grant_exhausted" FORBIDDEN ContactOwner never
        "The grant has no use left" "This key was used as often as it may be.";
    OutsideSchedule "outside_schedule" FORBIDDEN RetryLater again
        "The grant's schedule does not include this time" "This key is not valid at this time of day.";
    EntitlementMissing "entitlement_missing" FORBIDDEN ContactOwner never
        "The grant does not allow this" "This key does not allow that.";
    AccountDisabled "account_disabled" FORBIDDEN ContactAdmin never
        "An account that this rests on is closed" "An account is closed. Please ask an administrator.";
    AccountRecovered "account_recovered" FORBIDDEN ContactOwner never
        "Somebody else gave the account new credentials: the owner confirms the grant, or connects their own car again"
        "Somebody restored access to this account. The owner of the car must confirm the key, or connect their own car again.";
    ConsentReturned "consent_returned" FORBIDDEN ContactOwner never
        "The owner's consent was lost and came back, and the owner has not confirmed since that the grant stands"
        "The owner connected this car again. Ask them to confirm your key.";
    VehicleRemoved "vehicle_removed" FORBIDDEN ContactOwner never
        "The vehicle was taken out of the service" "This car is no longer available.";
    ConsentLost "consent_lost" FORBIDDEN ContactOwner never
        "The owner's consent at the vehicle cloud is gone" "The owner must connect the car again.";
    VehicleSuspended "vehicle_suspended" FORBIDDEN ContactOwner again
        "The car's maker refuses the owner's account at present" "The owner must look after the car's account with its maker.";
    PermissionMissing "permission_missing" FORBIDDEN ContactOwner never
        "The owner did not permit this at the vehicle cloud" "The owner must allow this for the car.";
    // The state of things.
    GrantEnded "grant_ended" CONFLICT None never
        "The grant has ended already" "This key has ended already.";
    TooManyHolds "too_many_holds" CONFLICT FixRequest never
        "Eight holds of this rank stand over it already; lift one first" "This is paused already.";
    DeviceKeyRevoked "device_key_revoked" CONFLICT FixRequest never
        "The device key was revoked and no token can be bound to it again: make a new key pair"
        "This phone was reported as lost. Please sign in again.";
    TooManyDeviceKeys "too_many_device_keys" CONFLICT FixRequest never
        "The person has 32 device keys: revoke one that is not used any more" "You use too many phones. Please remove one that you no longer use.";
    TooManyWebhookEndpoints "too_many_webhook_endpoints" CONFLICT FixRequest never
        "The organization has 20 webhook endpoints; delete one first" "There are too many of these already.";
    EmailTaken "email_taken" CONFLICT FixRequest never
        "There is an account with this address" "There is an account with this address already.";
    WindowTaken "window_taken" CONFLICT FixRequest never
        "Another grant opens the car at that time, and one person at a time may hold it: `free_windows` says when it is free" "The car is booked at that time.";
    EndCriteriaUnmet "end_criteria_unmet" CONFLICT FixRequest again
        "The car is not as its owner asked for it to be given back: the grant's `end-check` says what is not met" "The car is not yet as it is to be given back. Please see what is missing and try again, or ask the owner.";
    GrantsOverlap "grants_overlap" CONFLICT FixRequest never
        "Grants that open the car overlap, or have less between them than the buffer: change or end them first" "The car is lent to several people at the same time.";
    RequestEnded "request_ended" CONFLICT FixRequest never
        "The request was decided, or has expired, or asks for what the grant has already" "This request can no longer be answered. You can ask again while the booking lasts.";
    VehicleHeld "vehicle_held" CONFLICT ContactAdmin never
        "Support or an administrator holds a car of this person: they lift the hold, or an administrator erases the account" "One of your cars is held. Please ask support.";
    ExternalRefTaken "external_ref_taken" CONFLICT FixRequest never
        "Another one of the organization has this `external_ref`: take it from that one first" "This name is in use already.";
    ApiClientEnded "api_client_ended" CONFLICT FixRequest never
        "The API client was revoked or has expired" "This app's access has ended. An administrator can make a new one.";
    AccountErased "account_erased" CONFLICT None never
        "What was known of the person was erased; the account stays closed" "This account was erased.";
    LastAdmin "last_admin" CONFLICT FixRequest never
        "No other administrator of the organization could sign in" "Make another administrator first.";
    ClaimUnknown "claim_unknown" NOT_FOUND FixRequest never
        "No claim has this secret" "This link is not complete or not right. Please use the whole link that you were given.";
    ClaimRedeemed "claim_redeemed" CONFLICT Authenticate never
        "The claim was redeemed before" "This link was used already. If that was not you, tell an administrator.";
    ClaimReplaced "claim_replaced" CONFLICT ContactAdmin never
        "A newer claim for the account was made" "There is a newer link. Please use that one.";
    ClaimCancelled "claim_cancelled" CONFLICT ContactAdmin never
        "The PIN was wrong too many times" "The PIN was wrong too many times. Please ask for a new link.";
    ClaimExpired "claim_expired" CONFLICT ContactAdmin never
        "The claim's time is over" "This link is too old. Please ask for a new one.";
    PinMissing "pin_missing" FORBIDDEN FixRequest never
        "The claim needs a PIN" "Please enter the PIN that you were told.";
    PinWrong "pin_wrong" FORBIDDEN FixRequest never
        "The PIN is wrong" "This PIN is not right.";
    CompletionCodeWrong "completion_code_wrong" CONFLICT FixRequest never
        "The code is not the one that the consenting browser was given" "This code is not right. Please type the one on the page on which you came back.";
    ConsentNotPending "consent_not_pending" CONFLICT Reauthenticate never
        "No consent is under way for this browser" "Please start connecting the car again.";
    EntryNotSigned "entry_not_signed" CONFLICT RetryLater again
        "No checkpoint covers this entry of the record yet" "This is not ready yet. Please try again in a moment.";
    EntriesArchived "entries_archived" GONE None never
        "These entries were moved out of the database into the operator's archive" "This is no longer kept here.";
    // The car and its cloud.
    ConnectorUnavailable "connector_unavailable" SERVICE_UNAVAILABLE RetryLater again
        "The vehicle cloud does not answer or does not work" "The car's service cannot be reached. Please try again in a moment.";
    VehicleUnreachable "vehicle_unreachable" CONFLICT RetryLater again
        "The vehicle cannot do it in its present state" "The car cannot be reached right now.";
    VehicleNotCapable "vehicle_not_capable" CONFLICT None never
        "The vehicle does not support this" "This car cannot do that.";
    CommandNotSent "command_not_sent" SERVICE_UNAVAILABLE RetryLater never
        "The command was not sent in time; nothing happened" "Nothing was sent to the car. Please try again.";
    CommandContradicted "command_contradicted" CONFLICT None never
        "The car was seen in another state than was asked for" "The car did not look as you asked. Please look at it before you try again.";
    OutcomeUnknown "outcome_unknown" GATEWAY_TIMEOUT None never
        "It may have happened; no trustworthy answer came" "It is not known whether the car did it. Please look at the car.";
    // The service.
    RateLimited "rate_limited" TOO_MANY_REQUESTS RetryLater again
        "Too many requests" "Too many attempts. Please wait a moment.";
    Overloaded "overloaded" SERVICE_UNAVAILABLE RetryLater again
        "More work than this instance takes on; nothing was done" "The service is busy. Please try again in a moment.";
    RequestTimedOut "request_timed_out" GATEWAY_TIMEOUT RetryLater again
        "The request took too long; repeat it with the same idempotency key" "This took too long. Please try again.";
    StorageUnavailable "storage_unavailable" SERVICE_UNAVAILABLE RetryLater again
        "The database is not available; nothing was done" "The service is not available. Please try again in a moment.";
    CommitUnknown "commit_unknown" SERVICE_UNAVAILABLE RetryLater again
        "It is not known whether this was done; repeat it with the same idempotency key" "The service is not available. Please try again in a moment.";
    ClockDisagrees "clock_disagrees" SERVICE_UNAVAILABLE RetryLater again
        "This instance's clock cannot be trusted at present; nothing was done" "The service is not available. Please try again in a moment.";
    NotReady "not_ready" SERVICE_UNAVAILABLE RetryLater again
        "The service is not ready to take requests" "The service is not available. Please try again in a moment.";
    Internal "internal" INTERNAL_SERVER_ERROR ContactAdmin never
        "Something of ours is broken" "Something went wrong. Please tell the operator, with the request id.";
}

impl Code {
    /// The word on the wire.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        self.entry().code
    }

    /// The code with this word.
    #[must_use]
    pub fn of(word: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|code| code.as_str() == word)
    }
}
