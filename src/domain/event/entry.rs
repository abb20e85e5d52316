//! One line of the record: what happened, when, and who did it.

use std::net::IpAddr;

use super::Event;
use crate::domain::actor::Actor;
use crate::domain::id::AuditEntryId;
use crate::domain::row_facts::RowFacts;
use crate::domain::time::Timestamp;

/// One line of the record.
#[derive(Debug, Clone)]
pub struct AuditEntry {
    /// Identifies the entry; UUIDv7. Entries made later have greater ids.
    pub entry_id: AuditEntryId,
    /// The time of the event, on the clock of the instance that records it.
    pub occurred_at: Timestamp,
    /// Who did it, and in which organization.
    pub actor: Actor,
    /// The HTTP request it belongs to.
    pub request_id: Option<String>,
    /// What happened.
    pub event: Event,
    /// What decisions read from now on of the row that it changed.
    pub facts: Option<RowFacts>,
    /// What is known of people beyond their ids.
    pub personal: Option<Personal>,
}

/// What an entry knows of a person beyond ids. It is kept beside the entry, which only commits to
/// it, so that it can be erased and the record stays what it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Personal {
    /// The address of the network that the request came from.
    pub network_address: Option<IpAddr>,
    /// Text that a person typed, such as the reason of a revocation.
    pub note: Option<String>,
    /// Random bytes without which nothing can be guessed from the commitment.
    pub salt: [u8; 16],
}
