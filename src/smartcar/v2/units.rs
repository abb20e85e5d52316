//! The two unit systems of API v2.0 (protocol page, section 2.1). Everything inside is metric;
//! imperial numbers exist only in an answer.

use super::reads::{Battery, Fuel, Odometer, ServiceRecord, TirePressure};

/// Kilometers in a mile, exactly.
const KM_PER_MILE: f64 = 1.609_344;
/// Liters in a US gallon, exactly.
const L_PER_GALLON: f64 = 3.785_411_784;
/// Kilopascals in a pound per square inch.
const KPA_PER_PSI: f64 = 6.894_757_293_168;

/// Which units the numbers of an answer have.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum UnitSystem {
    /// Kilometers, liters, kilopascals.
    #[default]
    Metric,
    /// Miles, US gallons, pounds per square inch.
    Imperial,
}

impl UnitSystem {
    /// The word in a header; `None` for one that is not known.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        match word {
            "metric" => Some(Self::Metric),
            "imperial" => Some(Self::Imperial),
            _ => None,
        }
    }

    /// The word in a header.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Metric => "metric",
            Self::Imperial => "imperial",
        }
    }

    const fn convert(self, metric: f64, metric_per_imperial: f64) -> f64 {
        match self {
            Self::Metric => metric,
            Self::Imperial => metric / metric_per_imperial,
        }
    }
}

/// An answer whose numbers depend on the unit system.
pub trait InUnits {
    /// This metric answer in the given system.
    #[must_use]
    fn in_units(self, units: UnitSystem) -> Self;
}

macro_rules! in_units {
    ($($answer:ident { $($field:ident: $per:ident),* };)*) => {
        $(impl InUnits for $answer {
            fn in_units(mut self, units: UnitSystem) -> Self {
                $(self.$field = self.$field.map(|number| units.convert(number, $per));)*
                self
            }
        })*
    };
}

in_units! {
    Battery { range: KM_PER_MILE };
    Fuel { amount_remaining: L_PER_GALLON, range: KM_PER_MILE };
    TirePressure {
        front_left: KPA_PER_PSI, front_right: KPA_PER_PSI, back_left: KPA_PER_PSI, back_right: KPA_PER_PSI
    };
    ServiceRecord { odometer_distance: KM_PER_MILE };
}

impl InUnits for Odometer {
    fn in_units(self, units: UnitSystem) -> Self {
        Self { distance: units.convert(self.distance, KM_PER_MILE) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn imperial_numbers_are_what_they_should_be() {
        let metric = Fuel {
            amount_remaining: Some(L_PER_GALLON * 10.0),
            percent_remaining: Some(0.5),
            range: None,
        };
        let imperial = metric.in_units(UnitSystem::Imperial);
        assert!((imperial.amount_remaining.unwrap() - 10.0).abs() < 1e-9);
        assert_eq!((imperial.percent_remaining, imperial.range), (Some(0.5), None));
        let miles = Odometer { distance: 1609.344 }.in_units(UnitSystem::Imperial);
        assert!((miles.distance - 1000.0).abs() < 1e-9);
        assert_eq!(metric.in_units(UnitSystem::Metric), metric);
    }

    #[test]
    fn words_are_read_as_they_are_written() {
        for units in [UnitSystem::Metric, UnitSystem::Imperial] {
            assert_eq!(UnitSystem::parse(units.as_str()), Some(units));
        }
        assert_eq!(UnitSystem::parse("Metric"), None);
    }
}
