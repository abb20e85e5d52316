//! The life of a command, step by step.

use uuid::Uuid;

use super::CommandStatus::{
    Acknowledged, Cancelled, Confirmed, Contradicted, Expired, Failed, Sending, Unconfirmed,
    Unknown, Unresolved,
};
use super::*;
use crate::domain::id::Id;

impl Command {
    /// A command that was decided on at 1,800,000,000 seconds after 1970.
    pub(crate) fn example(status: CommandStatus) -> Self {
        let (id, at) = (Uuid::from_u128(1), Timestamp::from_unix_seconds(1_800_000_000).unwrap());
        Self {
            command_id: Id::from_uuid(id),
            organization_id: Id::from_uuid(id),
            vehicle_id: Id::from_uuid(id),
            grant_id: None,
            user_id: Id::from_uuid(id),
            instruction: Instruction::Unlock,
            status,
            evidence: Evidence::None,
            observed_at: None,
            causes: Vec::new(),
            user_message: None,
            retry_after_ms: None,
            created_at: at,
            send_by: at,
            abandon_at: at.plus(std::time::Duration::from_secs(20)),
            instance_id: Id::from_uuid(id),
            changed_at: at,
        }
    }
}

/// Every step there is.
const STEPS: [(CommandStatus, &[CommandStatus]); 3] = [
    (Sending, &[Acknowledged, Failed, Unknown, Cancelled, Expired]),
    (Acknowledged, &[Confirmed, Unconfirmed]),
    (Unknown, &[Confirmed, Contradicted, Unresolved]),
];

#[test]
fn a_command_takes_the_steps_of_the_diagram_and_no_others() {
    for &status in CommandStatus::ALL {
        let steps = STEPS.iter().find(|(from, _)| *from == status).map_or(&[][..], |(_, to)| to);
        for &next in CommandStatus::ALL {
            assert_eq!(status.may_become(next), steps.contains(&next), "{status} → {next}");
        }
        assert_eq!(status.is_terminal(), steps.is_empty(), "{status}");
    }
}

#[test]
fn only_what_waits_for_the_car_is_settled_by_an_observation_or_without_one() {
    for &status in CommandStatus::ALL {
        let settled = (status.settled_by_observation(true), status.settled_by_observation(false));
        let (seen, silence) = match status {
            Acknowledged => ((Some(Confirmed), None), Some(Unconfirmed)),
            Unknown => ((Some(Confirmed), Some(Contradicted)), Some(Unresolved)),
            _ => ((None, None), None),
        };
        assert_eq!((settled, status.settled_unobserved()), (seen, silence), "{status}");
    }
}

#[test]
fn the_steps_of_a_command_have_an_order_whatever_clock_notices_them() {
    let at = |micros: i64| Timestamp::from_unix_micros(1_800_000_000_000_000 + micros).unwrap();
    let instruction = Instruction::StartCharge;
    let command = Command { instruction, changed_at: at(10), ..Command::example(Sending) };
    for (now, step) in [(0, 11), (10, 11), (11, 11), (12, 12)] {
        assert_eq!(command.next_moment(at(now)), at(step), "{now}");
    }
    assert_eq!(command.action(), Action::StartCharge);
}

#[test]
fn a_command_says_why_the_policy_refused_it_and_no_other_cause() {
    let reasons = [Reason::VehicleMismatch];
    let mut command = Command::example(CommandStatus::Refused);
    command.causes = vec![Cause::Abandoned, Cause::Refused(reasons.to_vec())];
    assert_eq!(command.refusal(), Some(&reasons[..]));
    command.causes.truncate(1);
    assert_eq!(command.refusal(), None);
}
