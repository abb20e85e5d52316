//! Which row of those that decisions rest on an event changes.

use crate::domain::event::{Event, HoldEnd};
use crate::domain::id::OrganizationId;
use crate::domain::row_facts::FactsRow;

impl Event {
    /// The row whose revision the event raises: what decisions read of it from then on is recorded with it.
    #[must_use]
    pub fn changes(&self, organization_id: OrganizationId) -> Option<FactsRow> {
        Some(match self {
            Self::OrganizationCreated => FactsRow::Organization(organization_id),
            Self::UserCreated { user_id, .. }
            | Self::UserDisabled { user_id }
            | Self::UserEnabled { user_id }
            | Self::ClaimRedeemed { user_id, restricted: true, .. } => FactsRow::User(*user_id),
            Self::ConnectionStarted { connection_id, .. }
            | Self::ConnectionConsented { connection_id, .. }
            | Self::ConnectionCompleted { connection_id, .. }
            | Self::ConnectionFailed { connection_id, .. }
            | Self::ConnectionLost { connection_id, .. }
            | Self::ConnectionEnded { connection_id, .. } => FactsRow::Connection(*connection_id),
            Self::VehicleConnected { vehicle_id, .. }
            | Self::VehiclePermissionsChanged { vehicle_id, .. }
            | Self::VehicleSuspended { vehicle_id, .. }
            | Self::VehicleResumed { vehicle_id, .. }
            | Self::VehicleRemoved { vehicle_id, .. } => FactsRow::Vehicle(*vehicle_id),
            Self::GrantIssued { grant_id, .. }
            | Self::GrantAmended { grant_id, .. }
            | Self::GrantRevoked { grant_id, .. }
            | Self::GrantRelinquished { grant_id, .. }
            | Self::GrantEnded { grant_id, .. }
            | Self::GrantConfirmed { grant_id, .. } => FactsRow::Grant(*grant_id),
            Self::EndBegun { scope, .. }
            | Self::EndCompleted { scope, .. }
            | Self::HoldPlaced { scope, .. }
            | Self::HoldEnded { scope, how: HoldEnd::Lifted, .. } => (*scope).into(),
            _ => return None,
        })
    }
}
