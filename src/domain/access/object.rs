//! What an operation is about, as far as authorization asks: who is what to it.

use std::fmt;

use super::Relation;
use crate::domain::command::Command;
use crate::domain::connection::Connection;
use crate::domain::grant::Grant;
use crate::domain::id::{Id, Kind, UserId, VehicleId};
use crate::domain::vehicle::Vehicle;

/// What was looked for, for the sentence that says it is not there. The log names the id; the
/// client, who sent it, reads the noun alone, so that an object that is not visible and one that
/// does not exist look alike (P10).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sought {
    noun: &'static str,
    id: Option<String>,
}

impl Sought {
    /// The car or grant that a command or a reading names.
    pub const VEHICLE_OR_GRANT: Self = Self::the("vehicle or grant");

    /// Something of which there is one, or that is not named by an id.
    #[must_use]
    pub const fn the(noun: &'static str) -> Self {
        Self { noun, id: None }
    }

    /// The object with this id.
    #[must_use]
    pub fn of<K: Kind>(id: Id<K>) -> Self {
        Self { noun: K::NOUN, id: Some(id.to_string()) }
    }

    /// The kind of thing, as a word for people.
    #[must_use]
    pub const fn noun(&self) -> &'static str {
        self.noun
    }
}

impl fmt::Display for Sought {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.id {
            Some(id) => write!(f, "{} {id}", self.noun),
            None => f.write_str(self.noun),
        }
    }
}

/// The object of an operation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Object {
    is_missing: bool,
    owner: Option<UserId>,
    grantee: Option<UserId>,
    subjects: [Option<UserId>; 3],
    /// The car that it is or belongs to.
    vehicle: Option<VehicleId>,
}

impl Object {
    /// The organization itself: for what is made or listed in it.
    pub const ORGANIZATION: Self =
        Self { is_missing: false, owner: None, grantee: None, subjects: [None; 3], vehicle: None };

    /// An object that was looked for and is not there.
    pub const MISSING: Self = Self { is_missing: true, ..Self::ORGANIZATION };

    /// What was found, or [`Object::MISSING`].
    pub fn found<T>(object: Option<&T>, of: impl FnOnce(&T) -> Self) -> Self {
        object.map_or(Self::MISSING, of)
    }

    /// A person's account.
    #[must_use]
    pub const fn user(user_id: UserId) -> Self {
        Self { subjects: [Some(user_id), None, None], ..Self::ORGANIZATION }
    }

    /// A car.
    #[must_use]
    pub const fn vehicle(vehicle: &Vehicle) -> Self {
        Self { owner: Some(vehicle.owner_id), ..Self::ORGANIZATION }.about(vehicle.vehicle_id)
    }

    /// The same object, which belongs to this car.
    #[must_use]
    pub const fn about(self, vehicle_id: VehicleId) -> Self {
        Self { vehicle: Some(vehicle_id), ..self }
    }

    /// The same object, with the grantee of a grant for it that has not ended.
    #[must_use]
    pub const fn with_grantee(self, grantee: Option<UserId>) -> Self {
        Self { grantee, ..self }
    }

    /// A grant and its car.
    #[must_use]
    pub const fn grant(grant: &Grant, vehicle: &Vehicle) -> Self {
        Self::vehicle(vehicle).with_grantee(Some(grant.grantee_id))
    }

    /// A connection.
    #[must_use]
    pub const fn connection(connection: &Connection) -> Self {
        Self { owner: Some(connection.owner_id), ..Self::ORGANIZATION }
    }

    /// A command, and the owner of its car.
    #[must_use]
    pub const fn command(command: &Command, owner: Option<UserId>) -> Self {
        let subjects = [Some(command.user_id), None, None];
        Self { owner, subjects, ..Self::ORGANIZATION }.about(command.vehicle_id)
    }

    /// An entry of the record: whom it is about, and the owner of its car.
    #[must_use]
    pub const fn entry(subjects: [Option<UserId>; 3], owner: Option<UserId>) -> Self {
        Self { owner, subjects, ..Self::ORGANIZATION }
    }

    pub(super) const fn vehicle_id(&self) -> Option<VehicleId> {
        self.vehicle
    }

    pub(super) const fn was_found(&self) -> bool {
        !self.is_missing
    }

    /// The people who are this to the object.
    pub(super) fn people(&self, relation: Relation) -> impl Iterator<Item = UserId> + use<> {
        let people = match relation {
            Relation::Subject => self.subjects,
            Relation::Owner => [self.owner, None, None],
            Relation::Grantee => [self.grantee, None, None],
            Relation::Administrator | Relation::Support | Relation::Auditor | Relation::Member => {
                [None; 3]
            }
        };
        people.into_iter().flatten()
    }
}
