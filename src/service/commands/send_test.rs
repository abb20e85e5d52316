//! What the one attempt means for its command.

use super::*;
use crate::domain::fault::ProviderCode;

fn now() -> Timestamp {
    Command::example(CommandStatus::Sending).created_at.plus(Duration::from_secs(1))
}

fn after(sent: &Sent) -> Outcome {
    outcome(&Command::example(CommandStatus::Sending), sent, now())
}

fn failed(happened: Happened) -> ConnectorError {
    ConnectorError { happened, ..ConnectorError::local(Fault::VehicleState, "asleep") }
}

#[test]
fn only_what_may_have_happened_is_looked_for_at_the_car() {
    for (sent, status, evidence) in [
        (Sent::Acknowledged, CommandStatus::Acknowledged, Evidence::ProviderAck),
        (Sent::Failed(failed(Happened::Maybe)), CommandStatus::Unknown, Evidence::None),
        (Sent::Failed(failed(Happened::NotSent)), CommandStatus::Failed, Evidence::None),
        (Sent::Failed(failed(Happened::Refused)), CommandStatus::Failed, Evidence::None),
        (Sent::TooLate, CommandStatus::Expired, Evidence::None),
        (Sent::NoToken(CONSENT_LOST), CommandStatus::Failed, Evidence::None),
    ] {
        let Outcome { from, command, check_at } = after(&sent);
        assert_eq!((from, command.status), (CommandStatus::Sending, status), "{sent:?}");
        assert_eq!((command.evidence, command.changed_at), (evidence, now()), "{sent:?}");
        let waits = matches!(status, CommandStatus::Acknowledged | CommandStatus::Unknown);
        assert_eq!(check_at, waits.then(|| now().plus(FIRST_CHECK)), "{sent:?}");
    }
}

#[test]
fn what_the_cloud_says_of_a_failure_goes_on_to_the_client() {
    let code = ProviderCode::new("VEHICLE_STATE", Some("ASLEEP"));
    let error = ConnectorError {
        provider_code: code.clone(),
        retry_after: Some(Duration::from_millis(1500)),
        user_message: Some("Wake it first.".to_owned()),
        ..failed(Happened::Refused)
    };
    let command = after(&Sent::Failed(error)).command;
    assert_eq!(command.causes, [Cause::Connector { fault: Fault::VehicleState, code }]);
    assert_eq!(command.user_message.as_deref(), Some("Wake it first."));
    assert_eq!(command.retry_after_ms, Some(1500));
    assert_eq!(after(&Sent::NoToken(CONSENT_LOST)).command.causes, [CONSENT_LOST]);
    assert_eq!(after(&Sent::TooLate).command.causes, [Cause::NotSent(NotSent::TooLate)]);
}

const EVERYTHING_THAT_MAY_HAVE_HAPPENED: [Happened; 3] =
    [Happened::NotSent, Happened::Refused, Happened::Maybe];

#[test]
fn an_answer_means_what_it_says_and_only_what_never_left_can_be_too_late() {
    let acknowledged = || Ok(Acknowledgement { provider_request_id: None });
    for is_late in [false, true] {
        assert!(matches!(Sent::of(acknowledged(), is_late), Sent::Acknowledged));
        for happened in EVERYTHING_THAT_MAY_HAVE_HAPPENED {
            match Sent::of(Err(failed(happened)), is_late) {
                Sent::TooLate => assert!(is_late && happened == Happened::NotSent),
                Sent::Failed(error) => {
                    assert!(!is_late || happened != Happened::NotSent);
                    assert_eq!(error.happened, happened);
                }
                sent => panic!("{sent:?}"),
            }
        }
    }
}

#[test]
fn only_a_token_that_the_cloud_refused_is_replaced_for_a_second_try() {
    for happened in EVERYTHING_THAT_MAY_HAVE_HAPPENED {
        for fault in [Fault::Authentication, Fault::Account] {
            let sent = Sent::Failed(ConnectorError { fault, ..failed(happened) });
            let expected = happened == Happened::Refused && fault == Fault::Authentication;
            assert_eq!(sent.refused_token().is_some(), expected, "{sent:?}");
        }
    }
    assert!(Sent::Acknowledged.refused_token().is_none());
}

#[test]
fn a_refused_account_is_heeded_first_and_a_missing_permission_afterwards() {
    for (fault, expected) in [
        (Fault::Account, Some(Heed::BeforeOutcome)),
        (Fault::Permission, Some(Heed::AfterOutcome)),
        (Fault::ConsentLost, Some(Heed::AfterOutcome)),
        (Fault::Authentication, None),
        (Fault::VehicleState, None),
    ] {
        let sent = Sent::Failed(ConnectorError { fault, ..failed(Happened::Refused) });
        let about_consent = sent.about_consent().map(|(error, heed)| (error.fault, heed));
        assert_eq!(about_consent, expected.map(|heed| (fault, heed)));
    }
    assert!(Sent::NoToken(CONSENT_LOST).about_consent().is_none());
}

#[test]
fn a_command_whose_token_was_not_got_is_known_not_to_have_left() {
    for happened in EVERYTHING_THAT_MAY_HAVE_HAPPENED {
        for fault in [Fault::TimedOut, Fault::Garbled, Fault::Upstream, Fault::Unavailable] {
            let error = ConnectorError { happened, ..ConnectorError::local(fault, "no token") };
            let command = after(&Sent::Failed(error.before_sending())).command;
            assert_eq!(command.status, CommandStatus::Failed, "{fault}");
            let cause = Cause::Connector { fault: Fault::Unavailable, code: None };
            assert_eq!(command.causes, [cause], "{fault}");
            let sentence = command.sentence().unwrap();
            assert!(sentence.ends_with("Please try again in a moment."), "{sentence}");
        }
    }
}
