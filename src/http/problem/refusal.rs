//! From a use case's error to a problem: the one place, without a default branch, so that a new
//! error cannot be forgotten.

use std::borrow::Cow;
use std::time::Duration;

use axum::http::{HeaderValue, StatusCode, header};

use super::{Code, Problem};
use crate::config::Allowance;
use crate::connector::ConnectorError;
use crate::domain::access::{Denial, Sought};
use crate::domain::claim::ClaimRefusal;
use crate::domain::fault::{Fault, ProviderCode};
use crate::domain::policy::Reason;
use crate::domain::return_terms::Criterion;
use crate::service::{CredentialFault, Error, Limit, StateFault};
use crate::storage::StorageError;

const OVERLOAD_WAIT: Duration = Duration::from_secs(1);

impl From<Error> for Problem {
    fn from(error: Error) -> Self {
        match error {
            Error::Invalid(violations) => Self::invalid(violations),
            Error::Unauthenticated(fault) => of_credentials(fault),
            Error::Forbidden(denial) => of_denial(&denial),
            Error::NotFound(sought) => not_found(&sought),
            Error::Refused(reasons) => of_refusal(reasons),
            Error::State(fault) => of_state(fault),
            Error::VersionChanged { version } => Self::of(Code::PreconditionFailed).detail(
                format!("The version is \"{version}\" by now: read it again, and decide anew."),
            ),
            Error::WindowTaken(free) => Self::of(Code::WindowTaken).free_windows(&free),
            Error::EndCriteriaUnmet(unmet) => end_criteria_unmet(&unmet),
            Error::KeyReused => Self::of(Code::IdempotencyKeyReused),
            Error::Throttled(limit, wait) => of_limit(limit).retry_after(wait),
            Error::Connector(error) => of_connector(*error),
            Error::Overloaded => Self::of(Code::Overloaded).retry_after(OVERLOAD_WAIT),
            Error::Storage(error) => of_storage(&error),
            Error::NotDurable => Self::of(Code::StorageUnavailable).retry_after(OVERLOAD_WAIT),
            Error::MaybeDurable => Self::of(Code::CommitUnknown).retry_after(OVERLOAD_WAIT),
            Error::ClockDisagrees => Self::of(Code::ClockDisagrees).retry_after(OVERLOAD_WAIT),
            Error::Internal(text) => {
                tracing::error!(error = text, "a use case failed");
                Self::of(Code::Internal)
            }
        }
    }
}

fn end_criteria_unmet(unmet: &[Criterion]) -> Problem {
    let unmet: Vec<&str> = unmet.iter().map(|criterion| criterion.as_str()).collect();
    let detail = format!("Not met: {}. The grant's `end-check` says more.", unmet.join(", "));
    Problem::of(Code::EndCriteriaUnmet).detail(detail)
}

fn of_limit(limit: Limit) -> Problem {
    let problem = Problem::of(Code::RateLimited);
    let paced = |what: &str, Allowance { burst, per_minute }| {
        format!(
            "{what} {burst} times at once and {per_minute} times a minute after that; locking a car and \
             ending a right are counted apart. Wait as long as `Retry-After` says."
        )
    };
    match limit {
        Limit::Attempts => problem,
        Limit::Caller(allowance) => {
            problem.detail(paced("One person, or one API client for a person, may ask for something", allowance))
        }
        Limit::Grant(allowance) => problem.detail(paced("One grant may be used", allowance)),
        Limit::Vehicle => problem.detail(
            "The car's maker lets only so much be asked of one car, and each grant has a part of that. \
             Nothing was sent. Wait as long as `Retry-After` says.",
        ),
    }
}

fn of_credentials(fault: CredentialFault) -> Problem {
    let problem = Problem::of(match fault {
        CredentialFault::Missing => Code::TokenMissing,
        CredentialFault::Invalid => Code::TokenInvalid,
        CredentialFault::Expired => Code::TokenExpired,
        CredentialFault::ProofMissing => Code::DpopProofRequired,
        CredentialFault::ProofInvalid(_)
        | CredentialFault::ProofSpent
        | CredentialFault::ProofOfAnotherDevice => Code::DpopProofInvalid,
        CredentialFault::NonceNeeded => Code::UseDpopNonce,
        CredentialFault::WrongPassword | CredentialFault::WrongClient => Code::CredentialsInvalid,
    });
    let problem = match fault {
        CredentialFault::ProofInvalid(why) => {
            problem.detail(format!("The proof is not accepted: {why}."))
        }
        CredentialFault::ProofSpent => {
            problem.detail("The proof was used before: sign a new one for each request.")
        }
        CredentialFault::ProofOfAnotherDevice => problem
            .detail("The proof is signed by another key than the one to which the token is bound."),
        _ => problem,
    };
    problem.header(header::WWW_AUTHENTICATE, HeaderValue::from_static(challenge(fault)))
}

/// How to come with better credentials (RFC 9110 section 11.6.1).
pub(in crate::http) const fn challenge(fault: CredentialFault) -> &'static str {
    // RFC 6750 section 3: no error word where no credentials were sent. RFC 9449 sections 7.1 and 9.
    match fault {
        CredentialFault::Missing | CredentialFault::WrongPassword => r#"Bearer realm="keylend""#,
        CredentialFault::Invalid | CredentialFault::Expired => {
            r#"Bearer realm="keylend", error="invalid_token""#
        }
        CredentialFault::WrongClient => r#"Basic realm="keylend""#,
        CredentialFault::ProofMissing | CredentialFault::ProofOfAnotherDevice => {
            r#"DPoP realm="keylend", error="invalid_token", algs="ES256 EdDSA""#
        }
        CredentialFault::ProofInvalid(_) | CredentialFault::ProofSpent => {
            r#"DPoP realm="keylend", error="invalid_dpop_proof", algs="ES256 EdDSA""#
        }
        CredentialFault::NonceNeeded => {
            r#"DPoP realm="keylend", error="use_dpop_nonce", algs="ES256 EdDSA""#
        }
    }
}

/// The same sentence for what does not exist and for what the caller must not see (P10).
fn not_found(sought: &Sought) -> Problem {
    Problem::of(Code::NotFound)
        .detail(format!("No {} with this id is visible to you.", sought.noun()))
}

fn of_denial(denial: &Denial) -> Problem {
    match denial {
        Denial::AdminOnly => Problem::of(Code::AdminOnly),
        Denial::PersonOnly => Problem::of(Code::PersonOnly),
        Denial::VehiclesLimited => Problem::of(Code::VehiclesLimited),
        Denial::ScopeMissing(scope) => {
            let problem = Problem::of(Code::ScopeMissing)
                .detail(format!("The API client lacks the scope `{scope}`."));
            let challenge =
                format!(r#"Bearer realm="keylend", error="insufficient_scope", scope="{scope}""#);
            match HeaderValue::try_from(challenge) {
                Ok(challenge) => problem.header(header::WWW_AUTHENTICATE, challenge),
                Err(_) => problem,
            }
        }
        Denial::ActingForMissing => Problem::of(Code::ActingForMissing),
        Denial::ActingForNotAllowed => Problem::of(Code::ActingForNotAllowed),
        Denial::NotTheOwner => Problem::of(Code::NotTheOwner),
        Denial::HoldOfAnother => Problem::of(Code::HoldOfAnother),
        Denial::NotTheGrantee => Problem::of(Code::NotTheGrantee),
        Denial::NotVisible => Problem::of(Code::NotFound),
    }
}

fn of_refusal(reasons: Vec<Reason>) -> Problem {
    let first = reasons.first().copied().unwrap_or(Reason::NotFound);
    let code = match first {
        // Who learns that there is nothing must not learn why (P10).
        Reason::NotFound => return not_found(&Sought::VEHICLE_OR_GRANT),
        Reason::NotTheGrantee => Code::NotTheGrantee,
        Reason::VehicleMismatch => Code::VehicleMismatch,
        Reason::GrantRevoked => Code::GrantRevoked,
        Reason::GrantRelinquished => Code::GrantRelinquished,
        Reason::GrantExpired => Code::GrantExpired,
        Reason::GrantHeld => Code::GrantHeld,
        Reason::GrantNotYetValid => Code::GrantNotYetValid,
        Reason::EntitlementMissing => Code::EntitlementMissing,
        Reason::DeviceKeyRequired => Code::DeviceKeyRequired,
        Reason::GrantExhausted => Code::GrantExhausted,
        Reason::AccountDisabled => Code::AccountDisabled,
        Reason::AccountRecovered => Code::AccountRecovered,
        Reason::ConsentReturned => Code::ConsentReturned,
        Reason::VehicleRemoved => Code::VehicleRemoved,
        Reason::ConsentLost => Code::ConsentLost,
        Reason::VehicleSuspended => Code::VehicleSuspended,
        Reason::PermissionMissing => Code::PermissionMissing,
    };
    let mut problem = Problem::of(code);
    problem.0.reasons = reasons;
    problem
}

fn of_state(fault: StateFault) -> Problem {
    let code = match fault {
        StateFault::GrantEnded => Code::GrantEnded,
        StateFault::TooManyHolds => Code::TooManyHolds,
        StateFault::DeviceKeyRevoked => Code::DeviceKeyRevoked,
        StateFault::TooManyDeviceKeys => Code::TooManyDeviceKeys,
        StateFault::TooManyWebhookEndpoints => Code::TooManyWebhookEndpoints,
        StateFault::EmailTaken => Code::EmailTaken,
        StateFault::ExternalRefTaken => Code::ExternalRefTaken,
        StateFault::GrantsOverlap => Code::GrantsOverlap,
        StateFault::RequestEnded => Code::RequestEnded,
        StateFault::VehicleHeld => Code::VehicleHeld,
        StateFault::AccountDisabled => Code::AccountDisabled,
        StateFault::ApiClientEnded => Code::ApiClientEnded,
        StateFault::AccountErased => Code::AccountErased,
        StateFault::AccountRecovered => Code::AccountRecovered,
        StateFault::LastAdmin => Code::LastAdmin,
        StateFault::Claim(refusal) => return of_claim(refusal),
        StateFault::ConsentLost => Code::ConsentLost,
        StateFault::CompletionCodeWrong => Code::CompletionCodeWrong,
        StateFault::ConsentNotPending => Code::ConsentNotPending,
        StateFault::EntryNotSigned => Code::EntryNotSigned,
        StateFault::EntriesArchived => return Problem::of(Code::EntriesArchived),
    };
    Problem::of(code).status(StatusCode::CONFLICT)
}

fn of_claim(refusal: ClaimRefusal) -> Problem {
    Problem::of(match refusal {
        ClaimRefusal::Unknown => Code::ClaimUnknown,
        ClaimRefusal::Redeemed => Code::ClaimRedeemed,
        ClaimRefusal::Replaced => Code::ClaimReplaced,
        ClaimRefusal::Cancelled => Code::ClaimCancelled,
        ClaimRefusal::Expired => Code::ClaimExpired,
        ClaimRefusal::AccountDisabled => return of_state(StateFault::AccountDisabled),
        ClaimRefusal::PinMissing => Code::PinMissing,
        ClaimRefusal::PinWrong => Code::PinWrong,
    })
}

fn of_connector(error: ConnectorError) -> Problem {
    tracing::warn!(%error, "the vehicle cloud did not do it");
    let mut problem = Problem::of_fault(error.fault, error.provider_code.as_ref());
    if let Some(message) = error.user_message {
        problem.0.user_message = Cow::Owned(message);
    }
    match error.retry_after {
        Some(wait) => problem.retry_after(wait),
        None => problem,
    }
}

impl Problem {
    /// What a call to the vehicle cloud came to, that did nothing.
    pub(in crate::http) fn of_fault(fault: Fault, code: Option<&ProviderCode>) -> Self {
        let (kind, status) = match fault {
            Fault::Unavailable => (Code::ConnectorUnavailable, StatusCode::SERVICE_UNAVAILABLE),
            Fault::RateLimited => (Code::RateLimited, StatusCode::TOO_MANY_REQUESTS),
            Fault::TimedOut => (Code::ConnectorUnavailable, StatusCode::GATEWAY_TIMEOUT),
            Fault::Garbled
            | Fault::Authentication
            | Fault::Upstream
            | Fault::Rejected
            | Fault::Billing => (Code::ConnectorUnavailable, StatusCode::BAD_GATEWAY),
            Fault::ConsentLost => (Code::ConsentLost, StatusCode::CONFLICT),
            Fault::Permission => (Code::PermissionMissing, StatusCode::CONFLICT),
            Fault::Account | Fault::VehicleState => {
                (Code::VehicleUnreachable, StatusCode::CONFLICT)
            }
            Fault::NotCapable => (Code::VehicleNotCapable, StatusCode::CONFLICT),
        };
        let mut problem = Self::of(kind).status(status);
        problem.0.resolution = fault.resolution(code);
        // Our own mistakes and our plan with the cloud do not mend themselves.
        if matches!(fault, Fault::Rejected | Fault::Billing | Fault::Authentication) {
            problem.0.retryable = false;
        }
        problem
    }
}

fn of_storage(error: &StorageError) -> Problem {
    match error {
        StorageError::Unavailable(source)
        | StorageError::Conflict(source)
        | StorageError::Duplicate(source) => {
            tracing::warn!(%error, %source, "the database did not do it");
            Problem::of(Code::StorageUnavailable).retry_after(OVERLOAD_WAIT)
        }
        StorageError::CommitUnknown(source) => {
            tracing::warn!(%error, %source, "the database may have done it");
            Problem::of(Code::CommitUnknown).retry_after(OVERLOAD_WAIT)
        }
        StorageError::Broken(source) => {
            tracing::error!(%error, %source, "the process is ending");
            Problem::of(Code::CommitUnknown).retry_after(OVERLOAD_WAIT)
        }
        StorageError::LostRace => {
            tracing::warn!(%error, "the database did not do it");
            Problem::of(Code::StorageUnavailable).retry_after(OVERLOAD_WAIT)
        }
        StorageError::Rejected(source) => {
            tracing::error!(%error, %source, "the database rejected a statement");
            Problem::of(Code::Internal)
        }
        StorageError::Corrupt { .. } => {
            tracing::error!(%error, "the database holds what cannot be");
            Problem::of(Code::Internal)
        }
    }
}
