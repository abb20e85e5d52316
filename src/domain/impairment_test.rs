//! What reasons are stored as and shown as, and that nothing else is restored.

use super::*;

fn code(kind: &str, code: Option<&str>) -> Option<ProviderCode> {
    ProviderCode::new(kind, code)
}

/// One reason of each kind, with its stored form and its word.
fn consent_reasons() -> Vec<(ConnectionReason, &'static str, &'static str)> {
    let connector = |fault, code| ConnectionReason::Connector { fault, code };
    vec![
        (
            ConnectionReason::NotGiven(NotGiven::AccessDenied),
            "not_given:access_denied",
            "access_denied",
        ),
        (
            connector(Fault::ConsentLost, code("INVALID_GRANT", None)),
            "connector:consent_lost:INVALID_GRANT",
            "INVALID_GRANT",
        ),
        (connector(Fault::TimedOut, None), "connector:connector_timed_out", "connector_timed_out"),
        (
            ConnectionReason::Withdrawn(Withdrawal::Consent),
            "withdrawn:consent_withdrawn",
            "consent_withdrawn",
        ),
        (ConnectionReason::Ended(ConnectionEnd::Erased), "ended:erased", "erased"),
    ]
}

#[test]
fn a_reason_of_a_consent_is_stored_as_one_text_and_restored_as_it_was() {
    for (reason, stored, word) in consent_reasons() {
        assert_eq!((reason.stored().as_str(), reason.word()), (stored, word));
        assert_eq!(ConnectionReason::restore(stored), Ok(reason));
    }
    for text in [
        "",
        "access_denied",
        "not_given",
        "not_given:erased",
        "connector:",
        "connector:consent_lost:",
        "connector:consent_lost:a b",
        "withdrawn:disconnected",
        "ended:disconnected ",
    ] {
        assert!(ConnectionReason::restore(text).is_err(), "{text:?}");
    }
}

#[test]
fn what_a_browser_brings_is_one_of_the_clouds_words_or_unreadable() {
    for why in NotGiven::ALL {
        assert_eq!(NotGiven::of(why.as_str()), *why);
    }
    for text in ["", "ACCESS_DENIED", "kim_lives_in_bern", "<b>\r\n\0"] {
        assert_eq!(NotGiven::of(text), NotGiven::Unreadable, "{text:?}");
    }
}

#[test]
fn an_account_is_suspended_in_the_clouds_word_for_one_car_or_for_all() {
    const ACCOUNT: &str = "CONNECTED_SERVICES_ACCOUNT";
    for (told, word, is_of_one_car) in [
        (code(ACCOUNT, Some("SUBSCRIPTION")), "connected_services_account/subscription", true),
        (
            code(ACCOUNT, Some("VEHICLE_MISSING")),
            "connected_services_account/vehicle_missing",
            true,
        ),
        (
            code(ACCOUNT, Some("VIRTUAL_KEY_REQUIRED")),
            "connected_services_account/virtual_key_required",
            true,
        ),
        (code(ACCOUNT, Some("PERMISSION")), "connected_services_account/permission", false),
        (
            code(ACCOUNT, Some("NEW_SUBSCRIPTION")),
            "connected_services_account/new_subscription",
            false,
        ),
        (code(ACCOUNT, None), "connected_services_account", false),
        (code("VEHICLE_STATE", Some("SUBSCRIPTION")), "connected_services_account", false),
        (None, "connected_services_account", false),
    ] {
        let reason = Suspension::of(told.as_ref());
        assert_eq!((reason.word().as_ref(), reason.is_of_one_car()), (word, is_of_one_car));
        assert_eq!(Suspension::restore(word), Ok(reason));
    }
    for text in [
        "",
        "account",
        "subscription",
        "vehicle_state/subscription",
        "CONNECTED_SERVICES_ACCOUNT/SUBSCRIPTION",
        "connected_services_account/",
        "connected_services_account/a b",
    ] {
        assert_eq!(Suspension::restore(text), Err(UnknownWord::new(text)), "{text:?}");
    }
}
