//! Why a command stands where it stands. Causes stay typed from the policy and the vehicle cloud to the
//! last step: they are words in what clients and the record read ([`Cause::words`]), and one text each in
//! storage ([`Cause::stored`]), which alone is read back ([`Cause::restore`]).

use crate::domain::UnknownWord;
use crate::domain::fault::{Fault, ProviderCode, Resolution};
use crate::domain::policy::Reason;

/// Why a command stands where it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Cause {
    /// The policy said no, and why: never empty, most important first.
    Refused(Vec<Reason>),
    /// The call to the vehicle cloud brought no result.
    Connector {
        /// What went wrong.
        fault: Fault,
        /// The cloud's own type and code, where it gave one.
        code: Option<ProviderCode>,
    },
    /// It never left, for a reason of this service.
    NotSent(NotSent),
    /// Its sender was gone before it wrote what became of it.
    Abandoned,
    /// What became of it could not be seen at the car.
    Unseen(Unseen),
}

words! {
    written
    /// Why an authorized command never left, for a reason of this service.
    NotSent {
        /// The access token could not be read.
        AccessTokenUnavailable = "access_token_unavailable",
        /// Its time to leave was over.
        TooLate = "not_sent_in_time",
        /// It was not known in time whether its authorization is durable.
        CommitUnknown = "commit_unknown",
    }
}

words! {
    written
    /// Why it could not be seen at the car what became of a command.
    Unseen {
        /// A later command may have moved the car.
        Overtaken = "overtaken",
        /// The owner does not permit to read what the command changes.
        NotObservable = "not_observable",
        /// The car was not seen in the state asked for in time.
        NotInTime = "not_seen_in_time",
    }
}

const REFUSED: &str = "refused";
const CONNECTOR: &str = "connector";
const NOT_SENT: &str = "not_sent";
const ABANDONED: &str = "abandoned";
const UNSEEN: &str = "unseen";

impl Cause {
    /// What clients and the record read, most important first: words of this program, and the cloud's
    /// own code after that of its fault.
    #[must_use]
    pub fn words(&self) -> Vec<&str> {
        match self {
            Self::Refused(reasons) => reasons.iter().map(|reason| reason.as_str()).collect(),
            Self::Connector { fault, code } => {
                let code = code.as_ref().map(ProviderCode::as_str);
                std::iter::once(fault.reason()).chain(code).collect()
            }
            Self::NotSent(why) => vec![why.as_str()],
            Self::Abandoned => vec![ABANDONED],
            Self::Unseen(why) => vec![why.as_str()],
        }
    }

    /// Who must act, where something went wrong at the vehicle cloud.
    #[must_use]
    pub fn resolution(&self) -> Option<Resolution> {
        match self {
            Self::Connector { fault, code } => Some(fault.resolution(code.as_ref())),
            Self::Refused(_) | Self::NotSent(_) | Self::Abandoned | Self::Unseen(_) => None,
        }
    }

    /// The stored form: the kind and its words with a colon between them, and no space.
    #[must_use]
    pub fn stored(&self) -> String {
        match self {
            Self::Refused(_) => format!("{REFUSED}:{}", self.words().join(",")),
            Self::Connector { fault, code } => {
                format!("{CONNECTOR}:{}", fault.stored_with(code.as_ref()))
            }
            Self::NotSent(why) => format!("{NOT_SENT}:{why}"),
            Self::Abandoned => ABANDONED.to_owned(),
            Self::Unseen(why) => format!("{UNSEEN}:{why}"),
        }
    }

    /// The stored form back into a cause, for storage alone.
    ///
    /// # Errors
    /// [`UnknownWord`] for a text that [`Cause::stored`] does not give.
    pub fn restore(text: &str) -> Result<Self, UnknownWord> {
        let (kind, rest) = match text.split_once(':') {
            Some((kind, rest)) => (kind, Some(rest)),
            None => (text, None),
        };
        match (kind, rest) {
            (REFUSED, Some(reasons)) => {
                let reasons: Result<Vec<Reason>, _> =
                    reasons.split(',').map(Reason::restore).collect();
                Ok(Self::Refused(reasons?))
            }
            (CONNECTOR, Some(words)) => {
                let (fault, code) = Fault::restore_with(words)?;
                Ok(Self::Connector { fault, code })
            }
            (NOT_SENT, Some(why)) => NotSent::restore(why).map(Self::NotSent),
            (ABANDONED, None) => Ok(Self::Abandoned),
            (UNSEEN, Some(why)) => Unseen::restore(why).map(Self::Unseen),
            _ => Err(UnknownWord::new(text)),
        }
    }
}

#[cfg(test)]
#[path = "cause_test.rs"]
mod tests;
