//! Bounds, the stored form, and what an observation says about an instruction.

use super::*;
use crate::domain::reading::{Charge, LockStatus, ObservedLimit};
use proptest::prelude::*;

fn locked(is_locked: bool) -> Observation {
    Observation::LockStatus(LockStatus { is_locked, ..LockStatus::default() })
}

fn charging(state: ChargeState) -> Observation {
    Observation::Charge(Charge { is_plugged_in: Some(true), state })
}

#[test]
fn a_charge_limit_is_a_whole_percentage_of_at_least_half() {
    for (fraction, percent) in [(0.5, 50), (0.8, 80), (0.57, 57), (1.0, 100)] {
        let limit = ChargeLimit::from_fraction(fraction).unwrap();
        assert_eq!((limit.percent(), limit.fraction()), (percent, fraction));
    }
    for wrong in [
        0.0,
        0.49,
        0.495,
        0.855,
        0.80001,
        0.79999,
        1.004,
        1.01,
        80.0,
        -0.8,
        f64::NAN,
        f64::INFINITY,
    ] {
        assert_eq!(ChargeLimit::from_fraction(wrong), Err(InvalidChargeLimit), "{wrong}");
    }
}

#[test]
fn an_observation_tells_whether_the_instruction_was_followed() {
    let limit = Instruction::SetChargeLimit(ChargeLimit(80));
    let seen_limit = |limit| Observation::ChargeLimit(ObservedLimit { limit });
    let table = [
        (Instruction::Lock, locked(true), Some(true)),
        (Instruction::Lock, locked(false), Some(false)),
        (Instruction::Unlock, locked(true), Some(false)),
        (Instruction::Unlock, charging(ChargeState::Charging), None),
        (Instruction::StartCharge, charging(ChargeState::Charging), Some(true)),
        (Instruction::StartCharge, charging(ChargeState::NotCharging), Some(false)),
        (Instruction::StartCharge, charging(ChargeState::FullyCharged), None),
        (Instruction::StopCharge, charging(ChargeState::FullyCharged), Some(true)),
        (Instruction::StopCharge, charging(ChargeState::Charging), Some(false)),
        (limit, seen_limit(0.8), Some(true)),
        (limit, seen_limit(0.804), Some(true)),
        (limit, seen_limit(0.796), Some(true)),
        (limit, seen_limit(0.806), Some(false)),
        (limit, seen_limit(0.794), Some(false)),
        (limit, seen_limit(0.9), Some(false)),
        (limit, locked(true), None),
    ];
    for (instruction, seen, agrees) in table {
        assert_eq!(instruction.agrees_with(&seen), agrees, "{instruction} {seen:?}");
    }
}

#[test]
fn each_action_says_what_it_needs_what_it_spends_and_how_it_shows() {
    for (instruction, entitlement, spends_use, observable) in [
        (Instruction::Lock, Entitlement::Lock, false, Some(Observable::LockStatus)),
        (Instruction::Unlock, Entitlement::Unlock, true, Some(Observable::LockStatus)),
        (Instruction::StartCharge, Entitlement::StartCharge, false, Some(Observable::Charge)),
        (Instruction::StopCharge, Entitlement::StopCharge, false, Some(Observable::Charge)),
        (
            Instruction::SetChargeLimit(ChargeLimit(80)),
            Entitlement::SetChargeLimit,
            false,
            Some(Observable::ChargeLimit),
        ),
        (
            Instruction::SetDestination(Coordinates::new(1.0, 2.0).unwrap()),
            Entitlement::SetDestination,
            false,
            None,
        ),
    ] {
        let action = instruction.action();
        let said = (action.entitlement(), action.spends_use(), action.observable());
        assert_eq!(said, (entitlement, spends_use, observable), "{action}");
        // A grant names what it allows by the words of the actions.
        assert_eq!(instruction.to_string(), entitlement.as_str());
    }
}

proptest! {
    #[test]
    fn the_stored_form_comes_back(percent in 50_u8..=100, latitude in -90.0..=90.0, longitude in -180.0..=180.0) {
        let place = Coordinates::new(latitude, longitude).unwrap();
        for instruction in [
            Instruction::Lock,
            Instruction::Unlock,
            Instruction::StartCharge,
            Instruction::StopCharge,
            Instruction::SetChargeLimit(ChargeLimit(percent)),
            Instruction::SetDestination(place),
        ] {
            let parameters = instruction.parameters();
            let restored = Instruction::restore(instruction.action(), parameters.as_deref());
            prop_assert_eq!(restored, Ok(instruction));
        }
    }
}

#[test]
fn parameters_that_do_not_belong_to_the_action_are_refused() {
    for (action, parameters) in [
        (Action::Lock, Some("80")),
        (Action::SetChargeLimit, None),
        (Action::SetChargeLimit, Some("49")),
        (Action::SetChargeLimit, Some("101")),
        (Action::SetChargeLimit, Some("80 1")),
        (Action::SetDestination, None),
        (Action::SetDestination, Some("1")),
        (Action::SetDestination, Some("1 2 3")),
        (Action::SetDestination, Some("91 0")),
        (Action::SetDestination, Some("NaN 0")),
    ] {
        assert!(Instruction::restore(action, parameters).is_err(), "{action} {parameters:?}");
    }
}
