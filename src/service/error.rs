//! Why a use case was not carried out: what the client may know, apart from what the operator
//! reads in the log.

use std::time::Duration;

use crate::config::Allowance;
use crate::domain::access::{Denial, Sought};
use crate::domain::calendar::FreeWindow;
use crate::domain::claim::ClaimRefusal;
use crate::domain::policy::Reason;
use crate::domain::return_terms::Criterion;
use crate::entropy::NoEntropy;
use crate::storage::StorageError;

/// One thing that is wrong with a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Violation {
    /// Where, as a JSON pointer into the body (RFC 6901), or `?name` for a query parameter.
    pub pointer: String,
    /// A word for programs.
    pub code: &'static str,
    /// A sentence for developers.
    pub detail: String,
}

impl Violation {
    /// A violation of one field of the body.
    pub fn of(pointer: &str, code: &'static str, detail: impl ToString) -> Self {
        Self { pointer: pointer.to_owned(), code, detail: detail.to_string() }
    }
}

/// Why a use case was not carried out.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The request breaks rules.
    #[error("the request is not valid")]
    Invalid(Vec<Violation>),
    /// No, or no longer valid, credentials.
    #[error("the credentials are not valid")]
    Unauthenticated(CredentialFault),
    /// The actor may not do this, whatever the object.
    #[error("the actor may not do this")]
    Forbidden(Denial),
    /// What was looked for is not there, or the actor must not learn that it is.
    #[error("no {0} is visible to the actor")]
    NotFound(Sought),
    /// The policy said no. The refusal is in the record.
    #[error("the policy refused")]
    Refused(Vec<Reason>),
    /// The object is not in a state in which this can be done.
    #[error("{0:?}")]
    State(StateFault),
    /// It was changed since the caller saw it.
    #[error("the version is {version}")]
    VersionChanged {
        /// The version there is.
        version: i64,
    },
    /// Another grant opens the car at that time, which one person at a time may hold; it is free at these.
    #[error("the car is lent at that time")]
    WindowTaken(Vec<FreeWindow>),
    /// The car is not as it is to be given back: these are not met.
    #[error("the car is not as it is to be given back")]
    EndCriteriaUnmet(Vec<Criterion>),
    /// The idempotency key was used for another request.
    #[error("the idempotency key was used for another request")]
    KeyReused,
    /// Too many requests by this limit; try again after this time.
    #[error("too many requests")]
    Throttled(Limit, Duration),
    /// The vehicle cloud does not answer or does not work.
    #[error("the vehicle cloud did not do it")]
    Connector(#[from] Box<crate::connector::ConnectorError>),
    /// More work than this instance takes on; nothing was done.
    #[error("overloaded")]
    Overloaded,
    /// The decision could not be made durable; nothing was done.
    #[error("the decision could not be made durable")]
    NotDurable,
    /// It is not known whether the decision is durable. Nothing was sent; trying again with the
    /// same idempotency key tells what was decided.
    #[error("it is not known whether the decision is durable")]
    MaybeDurable,
    /// The clock is not trusted (P9); nothing was done.
    #[error("the clock disagrees")]
    ClockDisagrees,
    /// The database.
    #[error("storage")]
    Storage(#[from] StorageError),
    /// Something of ours is broken; nothing was done.
    #[error("internal: {0}")]
    Internal(String),
}

/// Which limit a request went over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Limit {
    /// On wrong credentials.
    Attempts,
    /// On what one person, or one program for a person, asks for.
    Caller(Allowance),
    /// On the uses of one grant by one person.
    Grant(Allowance),
    /// On what the vehicle cloud is asked about one car.
    Vehicle,
}

/// What is wrong with credentials.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CredentialFault {
    /// None were sent.
    Missing,
    /// They are not what this service issued, or were revoked.
    Invalid,
    /// They were valid once.
    Expired,
    /// Address and password do not match any open account.
    WrongPassword,
    /// The grant token is bound to a device, and nothing shows that it is this one.
    ProofMissing,
    /// The proof of the device is none for this request; the text is for developers.
    ProofInvalid(&'static str),
    /// The proof is none of the device to which the token is bound.
    ProofOfAnotherDevice,
    /// The proof has no nonce of this service, or an old one.
    NonceNeeded,
    /// The proof was used before.
    ProofSpent,
    /// Client id and secret do not match any API client (RFC 6749 `invalid_client`).
    WrongClient,
}

/// Why an object's state does not allow something.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StateFault {
    /// The grant has ended already.
    GrantEnded,
    /// As many holds of this rank stand over it as can.
    TooManyHolds,
    /// There is an account with this address.
    EmailTaken,
    /// The device was lost: no token can be bound to its key.
    DeviceKeyRevoked,
    /// The person has as many devices as they can.
    TooManyDeviceKeys,
    /// The organization has as many webhook endpoints as it can.
    TooManyWebhookEndpoints,
    /// Another of the organization has this name of its own.
    ExternalRefTaken,
    /// The grants for the car have less between them than one holder at a time asks for.
    GrantsOverlap,
    /// The request was decided, or has expired, or asks for what the grant has already.
    RequestEnded,
    /// The organization holds a car of the person.
    VehicleHeld,
    /// The account is closed.
    AccountDisabled,
    /// The API client was revoked or has expired.
    ApiClientEnded,
    /// What was known of the person was erased.
    AccountErased,
    /// Somebody else gave the account new credentials, and it waits for others.
    AccountRecovered,
    /// No other administrator could sign in.
    LastAdmin,
    /// The claim is not redeemed.
    Claim(ClaimRefusal),
    /// The connection at the vehicle cloud is not there.
    ConsentLost,
    /// The code is not the one that the consenting browser was given.
    CompletionCodeWrong,
    /// The request of the browser does not belong to a connection that is under way.
    ConsentNotPending,
    /// No checkpoint covers the entry yet.
    EntryNotSigned,
    /// The entries were moved into an archive.
    EntriesArchived,
}

impl From<NoEntropy> for Error {
    fn from(error: NoEntropy) -> Self {
        Self::Internal(error.to_string())
    }
}

impl Error {
    /// Whether the same work may bring another result when it is run again.
    pub(super) const fn is_worth_repeating(&self) -> bool {
        matches!(self, Self::Storage(error) if error.is_worth_repeating())
    }

    /// Whether what was asked for may be kept although it failed.
    pub(super) const fn is_maybe_durable(&self) -> bool {
        matches!(self, Self::MaybeDurable | Self::Storage(StorageError::CommitUnknown(_)))
    }

    /// Whether the database was away, so that nothing is kept.
    pub(super) const fn is_away(&self) -> bool {
        matches!(self, Self::Storage(error) if error.is_away())
    }

    /// What the operator reads: to them nothing is internal.
    #[must_use]
    pub fn for_operator(&self) -> String {
        match self {
            Self::Internal(why) => why.clone(),
            other => other.to_string(),
        }
    }

    /// Something of ours is broken.
    pub fn internal(error: impl std::fmt::Display) -> Self {
        Self::Internal(error.to_string())
    }

    /// One violation as an error.
    pub fn invalid(pointer: &str, code: &'static str, detail: impl ToString) -> Self {
        Self::Invalid(vec![Violation::of(pointer, code, detail)])
    }
}
