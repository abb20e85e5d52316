//! What is told follows the status.

use super::*;
use crate::domain::cause::NotSent;
use crate::domain::fault::Fault;

/// A command that was told to the person with the cloud's sentence when its call failed.
fn command(status: CommandStatus) -> Command {
    let mut command = Command::example(status);
    command.causes = vec![Cause::Connector { fault: Fault::TimedOut, code: None }];
    command.user_message = Some("Please try again in a moment.".to_owned());
    command.retry_after_ms = Some(7000);
    command
}

#[test]
fn only_what_failed_has_the_clouds_own_sentence_and_says_when_to_come_back() {
    for &status in CommandStatus::ALL {
        let command = command(status);
        let is_failed = status == CommandStatus::Failed;
        assert_eq!(command.sentence() == command.user_message.as_deref(), is_failed, "{status}");
        assert_eq!(command.retry_after_now_ms().is_some(), is_failed, "{status}");
        assert_eq!(command.resolution().is_some(), is_failed, "{status}");
    }
}

#[test]
fn nobody_is_asked_to_try_again_while_it_may_have_happened() {
    for &status in CommandStatus::ALL {
        let sentence = command(status).sentence().unwrap_or_default().to_owned();
        let asks_to = sentence.ends_with("Please try again.");
        let is_settled_undone = matches!(status, CommandStatus::Cancelled | CommandStatus::Expired);
        assert_eq!(asks_to, is_settled_undone, "{status}: {sentence}");
        if status.known() == Known::Open {
            assert!(
                sentence.contains("not try again") || sentence.contains("look at the car before"),
                "{status}: {sentence}"
            );
        }
    }
}

#[test]
fn what_was_settled_well_does_not_carry_the_reasons_of_before() {
    for &status in CommandStatus::ALL {
        let is_well = matches!(status, CommandStatus::Acknowledged | CommandStatus::Confirmed);
        assert_eq!(command(status).causes_now().is_empty(), is_well, "{status}");
        assert_eq!(status.known() == Known::Done && status.sentence().is_none(), is_well);
    }
}

#[test]
fn a_command_that_failed_always_has_a_sentence() {
    let mut failed = command(CommandStatus::Failed);
    failed.user_message = None;
    for (cause, expected) in [
        (Cause::Connector { fault: Fault::NotCapable, code: None }, "This car cannot do that."),
        (
            Cause::Connector { fault: Fault::Garbled, code: None },
            "The car did not do it. Please try again in a moment.",
        ),
        (
            Cause::NotSent(NotSent::AccessTokenUnavailable),
            "Nothing was sent to the car. Please try again.",
        ),
    ] {
        failed.causes = vec![cause];
        assert_eq!(failed.sentence(), Some(expected));
    }
}
