//! Lengths of time that people set, in whole minutes up to a day.

/// A number is no such length.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("must be 0 to 1440 minutes")]
pub struct InvalidMinutes;

macro_rules! minutes_up_to_a_day {
    ($(#[doc = $doc:literal])* $(#[derive($derived:ident)])? $name:ident) => {
        $(#[doc = $doc])*
        $(#[derive($derived)])?
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, serde::Serialize, serde::Deserialize)]
        #[serde(try_from = "i64", into = "i64")]
        pub struct $name(u16);

        described!(
            $name,
            utoipa::openapi::ObjectBuilder::new()
                .schema_type(utoipa::openapi::Type::Integer)
                .description(Some(concat!($($doc,)*).trim()))
                .minimum(Some(0))
                .maximum(Some(24 * 60))
        );

        impl $name {
            /// The longest: a day.
            pub const MAX: Self = Self(24 * 60);

            /// In minutes.
            #[must_use]
            pub const fn minutes(self) -> u16 {
                self.0
            }

            /// The same as a time.
            #[must_use]
            pub const fn duration(self) -> std::time::Duration {
                std::time::Duration::from_secs(self.0 as u64 * 60)
            }
        }

        impl TryFrom<i64> for $name {
            type Error = $crate::domain::minutes::InvalidMinutes;

            fn try_from(minutes: i64) -> Result<Self, Self::Error> {
                let minutes = u16::try_from(minutes).ok().filter(|&minutes| minutes <= Self::MAX.0);
                minutes.map(Self).ok_or($crate::domain::minutes::InvalidMinutes)
            }
        }

        impl From<$name> for i64 {
            fn from(length: $name) -> Self {
                length.0.into()
            }
        }
    };
}
