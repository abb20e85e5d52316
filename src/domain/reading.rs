//! What can be read from a car, in metric units and with the age of the knowledge. Shares of a
//! whole are from 0 to 1. A number that the maker does not report is `None`.
//!
//! These types are also the bodies of `/v1`: their fields are the members of its JSON, and their
//! comments are its description.

use serde::Serialize;
use utoipa::openapi::schema::{Discriminator, ObjectBuilder, OneOfBuilder, Type};
use utoipa::openapi::{Ref, RefOr, Schema};
use utoipa::{PartialSchema, ToSchema};

use crate::domain::entitlement::Entitlement;
use crate::domain::schema;
use crate::domain::time::Timestamp;

mod condition;
mod energy;

pub use condition::{
    ServiceDetail, ServiceHistory, ServiceRecord, ServiceTask, SystemCondition, SystemStatus,
    TroubleCode, TroubleCodes,
};
pub use energy::{
    AvailableCapacity, Battery, BatteryCapacity, Charge, ChargeState, Fuel, NominalCapacity,
    ObservedLimit,
};

/// One line for each reading: its type, its word, and the entitlement that it needs.
macro_rules! readings {
    ($(#[doc = $doc:literal] $reading:ident($content:ty) = $word:literal needs $entitlement:ident,)*) => {
        words! {
            /// One thing that can be read from a car.
            Observable { $(#[doc = $doc] $reading = $word,)* }
        }

        impl Observable {
            /// What a grant must allow for it.
            #[must_use]
            pub const fn entitlement(self) -> Entitlement {
                match self { $(Self::$reading => Entitlement::$entitlement,)* }
            }
        }

        /// What was read, and its name as `observable`. A number that the maker does not report
        /// is `null`.
        #[derive(Debug, Clone, PartialEq, Serialize)]
        #[serde(tag = "observable")]
        pub enum Observation {
            $(#[doc = $doc] #[serde(rename = $word)] $reading($content),)*
        }

        impl Reading {
            /// The schema of each kind of reading, with its name and its word.
            fn kinds() -> Vec<(&'static str, &'static str, RefOr<Schema>)> {
                vec![$((
                    concat!(stringify!($reading), "Reading"),
                    $word,
                    of_reading($doc, $word, <$content>::schema()),
                ),)*]
            }
        }

        impl ToSchema for Reading {
            fn schemas(schemas: &mut Vec<(String, RefOr<Schema>)>) {
                $(<$content as ToSchema>::schemas(schemas);)*
                schemas.push((Timestamp::name().into_owned(), Timestamp::schema()));
                let kinds = Self::kinds().into_iter();
                schemas.extend(kinds.map(|(name, _, kind)| (name.to_owned(), kind)));
            }
        }
    };
}

readings! {
    /// Make, model and year.
    Attributes(Attributes) = "attributes" needs ReadAttributes,
    /// The vehicle identification number.
    Vin(Vin) = "vin" needs ReadVin,
    /// Where it is.
    Location(Coordinates) = "location" needs ReadLocation,
    /// How far it was ever driven.
    Odometer(Odometer) = "odometer" needs ReadOdometer,
    /// The level and range of the battery.
    Battery(Battery) = "battery" needs ReadBattery,
    /// The capacity of the battery.
    BatteryCapacity(BatteryCapacity) = "battery_capacity" needs ReadBattery,
    /// The capacities that cars of its kind were sold with.
    NominalCapacity(NominalCapacity) = "nominal_capacity" needs ReadBattery,
    /// Whether it charges.
    Charge(Charge) = "charge" needs ReadCharge,
    /// The level at which charging ends.
    ChargeLimit(ObservedLimit) = "charge_limit" needs ReadCharge,
    /// What is in the tank.
    Fuel(Fuel) = "fuel" needs ReadFuel,
    /// The pressure of the tires.
    TirePressure(TirePressure) = "tire_pressure" needs ReadTires,
    /// The life of the engine oil.
    EngineOil(EngineOil) = "engine_oil" needs ReadEngineOil,
    /// Whether it is locked, and what is open.
    LockStatus(LockStatus) = "lock_status" needs ReadLockStatus,
    /// The systems that the car watches.
    SystemStatus(SystemStatus) = "system_status" needs ReadDiagnostics,
    /// Diagnostic trouble codes.
    TroubleCodes(TroubleCodes) = "trouble_codes" needs ReadDiagnostics,
    /// Visits to the workshop.
    ServiceHistory(ServiceHistory) = "service_history" needs ReadServiceHistory,
}

/// What was read, and how old it is.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Reading {
    /// What was read.
    #[serde(flatten)]
    pub observation: Observation,
    /// When the car reported it; `null` if its maker does not say.
    pub reported_at: Option<Timestamp>,
    /// When the vehicle cloud fetched it from the car's maker, or else when it was asked.
    pub fetched_at: Timestamp,
}

impl PartialSchema for Reading {
    fn schema() -> RefOr<Schema> {
        let place = |name: &str| format!("#/components/schemas/{name}");
        let kinds = Self::kinds();
        let words = kinds.iter().map(|(name, word, _)| (*word, place(name)));
        let by_word = Discriminator::with_mapping("observable", words);
        let any = kinds
            .iter()
            .fold(OneOfBuilder::new(), |any, (name, _, _)| any.item(Ref::from_schema_name(*name)));
        let meaning = "What was read, and how old it is.";
        any.discriminator(Some(by_word)).description(Some(meaning)).into()
    }
}

/// One kind of reading: the members of what was read, its word, and how old it is.
fn of_reading(meaning: &str, word: &str, content: RefOr<Schema>) -> RefOr<Schema> {
    let RefOr::T(Schema::Object(content)) = content else { return content };
    let time = || Ref::from_schema_name(Timestamp::name());
    let reported =
        OneOfBuilder::new().item(ObjectBuilder::new().schema_type(Type::Null)).item(time());
    let fetched = Ref::builder().ref_location_from_schema_name(Timestamp::name()).description(
        Some("When the vehicle cloud fetched it from the car's maker, or else when it was asked."),
    );
    ObjectBuilder::from(content)
        .description(Some(meaning.trim()))
        .property("observable", schema::text("What was read.").enum_values(Some([word])))
        .required("observable")
        .property(
            "reported_at",
            reported
                .description(Some("When the car reported it; `null` if its maker does not say.")),
        )
        .required("reported_at")
        .property("fetched_at", fetched)
        .required("fetched_at")
        .into()
}

/// What the cloud says a car is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct Attributes {
    /// The maker, upper case.
    pub make: String,
    /// The model's name.
    pub model: String,
    /// The model year.
    pub year: i32,
}

/// A vehicle identification number.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct Vin {
    /// Seventeen characters.
    pub vin: String,
}

/// A place on earth.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, ToSchema)]
pub struct Coordinates {
    /// Degrees, positive to the north.
    latitude: f64,
    /// Degrees, positive to the east.
    longitude: f64,
}

impl Coordinates {
    /// A place; `None` unless the latitude is from -90 to 90 and the longitude from -180 to 180.
    #[must_use]
    pub fn new(latitude: f64, longitude: f64) -> Option<Self> {
        let on_earth = (-90.0..=90.0).contains(&latitude) && (-180.0..=180.0).contains(&longitude);
        on_earth.then_some(Self { latitude, longitude })
    }

    /// Degrees, positive to the north.
    #[must_use]
    pub const fn latitude(self) -> f64 {
        self.latitude
    }

    /// Degrees, positive to the east.
    #[must_use]
    pub const fn longitude(self) -> f64 {
        self.longitude
    }
}

/// How far a car was ever driven.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, ToSchema)]
pub struct Odometer {
    /// Kilometers.
    pub distance_km: f64,
}

/// The pressure of the tires, in kilopascals.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, ToSchema)]
pub struct TirePressure {
    /// Front left.
    pub front_left_kpa: Option<f64>,
    /// Front right.
    pub front_right_kpa: Option<f64>,
    /// Back left.
    pub back_left_kpa: Option<f64>,
    /// Back right.
    pub back_right_kpa: Option<f64>,
}

/// The life of the engine oil.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, ToSchema)]
pub struct EngineOil {
    /// What is left of it, from 0 to 1.
    pub life_remaining: Option<f64>,
}

/// Whether a car is locked, and what of it is open. A maker that reports only the lock leaves the
/// lists empty.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, ToSchema)]
pub struct LockStatus {
    /// `true` if all doors are locked.
    pub is_locked: bool,
    /// Doors.
    pub doors: Vec<Opening>,
    /// Windows.
    pub windows: Vec<Opening>,
    /// Sunroof.
    pub sunroof: Vec<Opening>,
    /// Trunk and front trunk.
    pub storage: Vec<Opening>,
    /// Charging port.
    pub charging_port: Vec<Opening>,
}

/// One door, window or lid.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct Opening {
    /// Its place, such as `frontLeft`.
    pub place: String,
    /// `open`, `closed` or `unknown`.
    pub status: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_on_earth() {
        for (latitude, longitude) in [(-90.0, -180.0), (90.0, 180.0), (48.5, 11.25)] {
            let place = Coordinates::new(latitude, longitude).unwrap();
            assert_eq!((place.latitude(), place.longitude()), (latitude, longitude));
        }
        for (latitude, longitude) in [(90.1, 0.0), (-90.1, 0.0), (0.0, 180.1), (0.0, -180.1)] {
            assert_eq!(Coordinates::new(latitude, longitude), None);
        }
        assert_eq!(Coordinates::new(f64::NAN, 0.0), None);
        assert_eq!(Coordinates::new(0.0, f64::NAN), None);
    }
}
