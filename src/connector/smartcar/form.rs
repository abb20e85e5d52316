//! How the domain's values stand in JSON bodies, in both directions: the connector reads what it
//! is answered, the facade writes what it answers. What is read is within its bounds.

use serde_json::Value;

use super::bounds;
use crate::smartcar::v2::UnitSystem;

/// Why a body cannot be right.
pub(crate) type Why = &'static str;

/// One way to write a value. Numbers with a unit are in the given system where the body does not
/// name their unit.
pub(crate) trait Form {
    /// What is written in this form.
    type Of;

    /// The value in a body; `None` if the member is missing.
    ///
    /// # Errors
    /// Why it cannot be right.
    fn read(&self, wire: Option<&Value>, units: UnitSystem) -> Result<Self::Of, Why>;

    /// The value as it is written; `null` if it is not known.
    fn write(&self, value: &Self::Of, units: UnitSystem) -> Value;
}

/// The form of a struct: for each field the name of its member and the member's form. A field
/// that is forgotten does not compile.
macro_rules! object {
    ($content:ident { $($field:ident: $member:literal => $form:expr),* $(,)? }) => {{
        struct Object;

        impl $crate::connector::smartcar::form::Form for Object {
            type Of = $crate::domain::reading::$content;

            fn read(
                &self,
                wire: Option<&serde_json::Value>,
                units: $crate::smartcar::v2::UnitSystem,
            ) -> Result<Self::Of, $crate::connector::smartcar::form::Why> {
                let members = wire.and_then(serde_json::Value::as_object).ok_or("not an object")?;
                Ok(Self::Of { $($field: $form.read(members.get($member), units)?,)* })
            }

            fn write(
                &self,
                value: &Self::Of,
                units: $crate::smartcar::v2::UnitSystem,
            ) -> serde_json::Value {
                let members = [$(($member.to_owned(), $form.write(&value.$field, units)),)*];
                serde_json::Value::Object(members.into_iter().collect())
            }
        }

        Object
    }};
}
pub(super) use object;

/// A value that may be missing or `null`.
pub(super) struct Maybe<F>(pub(super) F);

impl<F: Form> Form for Maybe<F> {
    type Of = Option<F::Of>;

    fn read(&self, wire: Option<&Value>, units: UnitSystem) -> Result<Self::Of, Why> {
        let told = wire.filter(|told| !told.is_null());
        told.map(|told| self.0.read(Some(told), units)).transpose()
    }

    fn write(&self, value: &Self::Of, units: UnitSystem) -> Value {
        value.as_ref().map_or(Value::Null, |value| self.0.write(value, units))
    }
}

/// A list of bounded length.
pub(super) struct List<F>(pub(super) F);

impl<F: Form> Form for List<F> {
    type Of = Vec<F::Of>;

    fn read(&self, wire: Option<&Value>, units: UnitSystem) -> Result<Self::Of, Why> {
        let entries = wire.and_then(Value::as_array).ok_or("not a list")?;
        if entries.len() > bounds::ENTRIES_MAX {
            return Err("a list that is too long");
        }
        entries.iter().map(|entry| self.0.read(Some(entry), units)).collect()
    }

    fn write(&self, value: &Self::Of, units: UnitSystem) -> Value {
        value.iter().map(|entry| self.0.write(entry, units)).collect()
    }
}

/// A list that is empty if it is missing.
pub(super) struct ListIfAny<F>(pub(super) F);

impl<F: Form> Form for ListIfAny<F> {
    type Of = Vec<F::Of>;

    fn read(&self, wire: Option<&Value>, units: UnitSystem) -> Result<Self::Of, Why> {
        wire.map_or_else(|| Ok(Vec::new()), |wire| List(&self.0).read(Some(wire), units))
    }

    fn write(&self, value: &Self::Of, units: UnitSystem) -> Value {
        List(&self.0).write(value, units)
    }
}

impl<F: Form> Form for &F {
    type Of = F::Of;

    fn read(&self, wire: Option<&Value>, units: UnitSystem) -> Result<Self::Of, Why> {
        (*self).read(wire, units)
    }

    fn write(&self, value: &Self::Of, units: UnitSystem) -> Value {
        (*self).write(value, units)
    }
}
