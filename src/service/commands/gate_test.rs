//! Who finds room at the gate, and what goes into one batch.

use super::*;
use crate::domain::actor::Actor;
use crate::domain::command::{Command, CommandStatus};
use crate::domain::id::Id;
use crate::domain::instruction::Instruction;
use crate::service::Caller;

fn request(instruction: Instruction) -> CommandRequest {
    let id = uuid::Uuid::from_u128(1);
    CommandRequest {
        token: None,
        caller: Caller { actor: Actor::system(Id::from_uuid(id)), request_id: None },
        user_id: Id::from_uuid(id),
        vehicle_id: Id::from_uuid(id),
        grant_id: None,
        instruction,
        idempotency_key: "key".to_owned(),
        asked_hash: [0; 32],
    }
}

/// Whether there is room for it; no task runs.
fn is_let_in(gate: &Gate, instruction: Instruction) -> bool {
    let decided =
        futures_util::FutureExt::now_or_never(gate.submit(request(instruction), Duration::ZERO));
    !matches!(decided, Some(Err(Error::Overloaded)))
}

#[test]
fn a_lock_finds_room_when_everything_else_is_turned_away() {
    let (gate, _task) = Gate::new(2);
    let unlocks = (0..5).filter(|_| is_let_in(&gate, Instruction::Unlock)).count();
    assert_eq!(unlocks, 2);
    let locks = (0..1000).filter(|_| is_let_in(&gate, Instruction::Lock)).count();
    assert_eq!(locks, LOCKS_RESERVED);
}

fn pending(request: CommandRequest) -> Pending {
    Pending {
        request_hash: request.hash(),
        request,
        asked_at: Duration::ZERO,
        reply: oneshot::channel().0,
    }
}

#[test]
fn somebody_waits_from_the_request_on_until_a_batch_takes_it() {
    let (gate, mut task) = Gate::new(2);
    assert!(!gate.is_waited_for());
    assert!(is_let_in(&gate, Instruction::Unlock));
    assert!(gate.is_waited_for());
    let mut batch = Vec::new();
    fill(&mut batch, &mut task.queue);
    assert!(batch.len() == 1 && !gate.is_waited_for());
}

#[test]
fn a_batch_takes_no_more_than_its_size_and_leaves_the_rest_to_the_next() {
    let (sender, mut queue) = mpsc::channel(BATCH_MAX + 1);
    (0..=BATCH_MAX).for_each(|number| sender.try_send(number).unwrap());
    let mut batch = Vec::new();
    fill(&mut batch, &mut queue);
    assert_eq!(batch, (0..BATCH_MAX).collect::<Vec<_>>());
    assert_eq!(queue.try_recv(), Ok(BATCH_MAX));
}

#[tokio::test]
async fn a_batch_waits_as_long_as_it_grows_and_not_longer() {
    let (gate, mut task) = Gate::new(8);
    let (outcomes, mut outcomes_queue) = mpsc::channel(1);
    let arrives = || gate.queue.try_send(pending(request(Instruction::Unlock))).unwrap();
    let arriving = async {
        arrives();
        tokio::task::yield_now().await;
        arrives();
        let command = Command::example(CommandStatus::Acknowledged);
        let outcome = Outcome { from: CommandStatus::Sending, command, check_at: None };
        outcomes.try_send(outcome).unwrap();
        tokio::task::yield_now().await;
        arrives();
        tokio::task::yield_now().await;
        // A turn in which nothing arrives ends the batch.
        tokio::task::yield_now().await;
        arrives();
    };
    let requests = vec![pending(request(Instruction::Unlock))];
    let mut batch = Batch { requests, outcomes: Vec::new() };
    // Polls the two in this order.
    futures_util::future::join(task.gather(&mut batch, &mut outcomes_queue), arriving).await;
    assert_eq!((batch.requests.len(), batch.outcomes.len()), (4, 1));
    assert!(gate.is_waited_for());
}

#[test]
fn the_same_for_somebody_else_is_another_request() {
    let ours = request(Instruction::Unlock);
    let theirs =
        CommandRequest { user_id: Id::from_uuid(uuid::Uuid::from_u128(2)), ..ours.clone() };
    let other = CommandRequest { asked_hash: [1; 32], ..ours.clone() };
    assert_eq!(ours.hash(), ours.clone().hash());
    assert!(ours.hash() != theirs.hash() && ours.hash() != other.hash());
}
