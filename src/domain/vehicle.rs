//! Cars and whose they are.

use std::str::FromStr;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::domain::calendar::{Buffer, Sharing};
use crate::domain::connection::Permissions;
use crate::domain::id::{ConnectionId, OrganizationId, UserId, VehicleId};
use crate::domain::impairment::Suspension;
use crate::domain::schema;
use crate::domain::time::Timestamp;
use crate::domain::user::InvalidText;

/// How long the person to whom an owner lets a car go has to connect it.
pub const TRANSFER_TIME: Duration = Duration::from_secs(24 * 60 * 60);

/// A car that an owner connected.
#[derive(Debug, Clone)]
pub struct Vehicle {
    /// Identifies the car; UUIDv7. The facade shows the UUID inside.
    pub vehicle_id: VehicleId,
    /// The organization it belongs to.
    pub organization_id: OrganizationId,
    /// The user whose account connected it.
    pub owner_id: UserId,
    /// The connection through which it is reached.
    pub connection_id: ConnectionId,
    /// The vehicle cloud's id of the car.
    pub provider_vehicle_id: String,
    /// The maker, upper case.
    pub make: String,
    /// The model's name.
    pub model: String,
    /// The model year.
    pub year: i64,
    /// What the owner permitted for it at the vehicle cloud.
    pub permissions: Permissions,
    /// Why it cannot be used at present; somebody has to act.
    pub suspended_reason: Option<Suspension>,
    /// Since when it cannot be used through this service any more.
    pub removed_at: Option<Timestamp>,
    /// The time at which it was connected, the last time.
    pub connected_at: Timestamp,
    /// What people call it.
    pub label: Option<String>,
    /// The text of its number plate.
    pub plate: Option<String>,
    /// Its colour, in the owner's words.
    pub colour: Option<String>,
    /// Its identification number.
    pub vin: Option<IdentificationNumber>,
    /// Data of the owner's or the organization's as JSON text.
    pub metadata: Option<String>,
    /// The organization's own name for it; no other car of the organization has it.
    pub external_ref: Option<String>,
    /// Whether several people may hold it at the same time.
    pub sharing: Sharing,
    /// How much time must be between two holders, if one at a time may hold it.
    pub buffer: Buffer,
    /// Rises with every change of what describes it.
    pub version: i64,
}

impl Vehicle {
    /// The car as those see it who neither own it nor act for the organization: enough to find it in the street.
    #[must_use]
    pub fn for_others(self) -> Self {
        Self { vin: None, metadata: None, external_ref: None, ..self }
    }
}

/// A vehicle identification number (ISO 3779): 17 letters and digits without I, O and Q, upper case. Its check digit is
/// not looked at, because not every maker has one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct IdentificationNumber(String);

described!(
    IdentificationNumber,
    schema::text("A vehicle identification number (ISO 3779).")
        .pattern(Some("^[A-HJ-NPR-Za-hj-npr-z0-9]{17}$"))
        .examples(["5YJSA1CN5DFP00101"])
);

impl IdentificationNumber {
    const LENGTH: usize = 17;

    /// The number.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for IdentificationNumber {
    type Err = InvalidText;

    fn from_str(text: &str) -> Result<Self, InvalidText> {
        let text = text.trim().to_ascii_uppercase();
        let is_one = |byte: u8| byte.is_ascii_alphanumeric() && !b"IOQ".contains(&byte);
        if text.len() != Self::LENGTH || !text.bytes().all(is_one) {
            return Err(InvalidText::because(
                "must have 17 letters and digits, without I, O and Q",
            ));
        }
        Ok(Self(text))
    }
}

impl TryFrom<String> for IdentificationNumber {
    type Error = InvalidText;

    fn try_from(text: String) -> Result<Self, InvalidText> {
        text.parse()
    }
}

impl From<IdentificationNumber> for String {
    fn from(vin: IdentificationNumber) -> Self {
        vin.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_car_that_was_let_go_can_be_taken_for_a_day() {
        assert_eq!(TRANSFER_TIME.as_secs(), 86_400);
    }

    #[test]
    fn an_identification_number_has_17_letters_and_digits() {
        let vin = |text: &str| {
            text.parse::<IdentificationNumber>().map(|vin| vin.as_str().to_owned()).ok()
        };
        assert_eq!(vin(" 5yjsa1cn5dfp00101 ").as_deref(), Some("5YJSA1CN5DFP00101"));
        for wrong in [
            "",
            "5YJSA1CN5DFP0010",
            "5YJSA1CN5DFP001011",
            "5YJSA1CN5DFP0010I",
            "5YJSA1CN5DFP0010é",
            "5YJSA1CN5 DFP0010",
        ] {
            assert_eq!(vin(wrong), None, "{wrong}");
        }
    }
}
