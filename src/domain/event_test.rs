//! The table of events in `docs/record.md`: what the record says of each is what the code answers, and
//! what a reader has agreed to.

use std::fmt::Write as _;

use uuid::Uuid;

use super::*;
use crate::domain::amendment::{Effect, Terms};
use crate::domain::cause::Unseen;
use crate::domain::entitlement::Entitlement;
use crate::domain::extension::ExtensionDecision;
use crate::domain::fault::{AccountFault, Fault};
use crate::domain::grant::{Grace, Validity};
use crate::domain::id::{Id, Kind};
use crate::domain::impairment::{NotGiven, Withdrawal};
use crate::domain::published::{EventType, Member};
use crate::domain::webhook::PauseReason;

const PAGE: &str = include_str!("../../docs/record.md");
const BEGIN: &str = "<!-- written by src/domain/event_test.rs -->\n";

/// The same id for all objects of a kind.
fn id<K: Kind>() -> Id<K> {
    Id::from_uuid(Uuid::from_u128(1))
}

fn of_accounts() -> Vec<Event> {
    let (user_id, session_id, api_client_id, claim_id) = (id(), id(), id(), id());
    let (purpose, expires_at) =
        (ClaimPurpose::Recover, Timestamp::from_unix_seconds(3600).unwrap());
    vec![
        Event::OrganizationCreated,
        Event::RecordRollbackAccepted { signed: 9, found: 7 },
        Event::RecordArchived { first: 0, entries: 256 },
        Event::UserCreated { user_id, role: Role::Member },
        Event::UserDisabled { user_id },
        Event::UserDescribed { user_id, changed: vec!["external_ref"] },
        Event::UserEnabled { user_id },
        Event::UserPasswordChanged { user_id },
        Event::DeviceKeyRevoked {
            user_id,
            device_key: "0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I".parse().unwrap(),
        },
        Event::ClaimCreated { claim_id, user_id, purpose, has_pin: true, expires_at },
        Event::ClaimRedeemed { claim_id, user_id, purpose, restricted: true },
        Event::ClaimRefused { claim_id, user_id, reason: ClaimRefusal::PinWrong },
        Event::UserPersonalDataErased { user_id },
        Event::SessionCreated { user_id, session_id },
        Event::SessionRefused { user_id, reason: CredentialRefusal::WrongPassword },
        Event::SessionRefreshed { user_id, session_id },
        Event::SessionEnded { user_id, session_id, reason: SessionEnd::SignedOut },
        Event::ApiClientCreated { api_client_id, scopes: vec![Scope::AuditRead] },
        Event::ApiClientRevoked { api_client_id },
        Event::ApiClientSecretRotated { api_client_id, until: expires_at },
        Event::UserMoved { user_id, api_client_id, successor_id: id() },
        Event::ApiClientAllowed { api_client_id, user_id },
        Event::ApiClientDisallowed { api_client_id, user_id },
        Event::ApiClientTokenIssued { api_client_id, token_id: id() },
        Event::ApiClientRefused { api_client_id, reason: CredentialRefusal::WrongSecret },
    ]
}

fn of_webhook_endpoints() -> Vec<Event> {
    let until = Timestamp::from_unix_seconds(3600).unwrap();
    let changes = [
        EndpointChange::Created,
        EndpointChange::Paused { reason: PauseReason::Unreachable },
        EndpointChange::Resumed,
        EndpointChange::SecretRotated { until },
        EndpointChange::Redelivered,
        EndpointChange::Deleted,
    ];
    let changed = |change| Event::WebhookEndpointChanged { webhook_endpoint_id: id(), change };
    changes.map(changed).into()
}

fn of_consents_and_cars() -> Vec<Event> {
    let (connection_id, user_id, vehicle_id) = (id(), id(), id());
    let until = Timestamp::from_unix_seconds(86400).unwrap();
    let of_transfer = |step| Event::VehicleTransfer { vehicle_id, user_id, step };
    let lost = ConnectionReason::Connector { fault: Fault::ConsentLost, code: None };
    vec![
        Event::ReturnUrlsReplaced { count: 2 },
        Event::AllowedOriginsReplaced { count: 2 },
        Event::ConnectionStarted { connection_id, user_id },
        Event::ConnectionConsented { connection_id, user_id, vehicles: 2 },
        Event::ConnectionCodeRefused { connection_id, user_id },
        Event::ConnectionCompleted { connection_id, user_id, vehicles: 2 },
        Event::ConnectionFailed {
            connection_id,
            user_id,
            reason: ConnectionReason::NotGiven(NotGiven::AccessDenied),
        },
        Event::ConnectionRefreshed { connection_id },
        Event::ConnectionReauthenticationStarted { connection_id, user_id },
        Event::ConnectionReauthenticated { connection_id, user_id },
        Event::ConnectionEnded { connection_id, user_id, vehicles: 2 },
        Event::ConnectionLost { connection_id, user_id, reason: lost },
        Event::VehicleConnected { vehicle_id, user_id, connection_id },
        Event::VehiclePermissionsChanged {
            vehicle_id,
            user_id,
            permissions: Permissions::parse("control_security read_odometer"),
        },
        Event::VehicleDescribed { vehicle_id, user_id, changed: vec!["label", "plate"] },
        Event::VehicleSuspended {
            vehicle_id,
            user_id,
            reason: Suspension::Account(AccountFault::Subscription),
        },
        Event::VehicleResumed { vehicle_id, user_id },
        of_transfer(TransferStep::Offered { to: user_id, until }),
        of_transfer(TransferStep::Withdrawn),
        of_transfer(TransferStep::Taken { to: user_id }),
        Event::VehicleRemoved { vehicle_id, user_id },
    ]
}

fn of_grants() -> Vec<Event> {
    let (grant_id, vehicle_id, grantee_id, grant_revision) = (id(), id(), id(), 3);
    let [not_before, not_after] =
        [0, 3600].map(|seconds| Timestamp::from_unix_seconds(seconds).unwrap());
    let terms = Terms {
        entitlements: [Entitlement::Unlock].into_iter().collect(),
        validity: Validity::new(not_before, not_after).unwrap(),
        grace: Grace::default(),
        uses_max: Some(5),
        require_device_key: true,
    };
    let of_time = |due| Event::GrantDue { grant_id, vehicle_id, grantee_id, grant_revision, due };
    vec![
        Event::GrantIssued {
            grant_id,
            vehicle_id,
            grantee_id,
            terms: terms.clone(),
            instead_of: None,
        },
        Event::GrantAmended {
            grant_id,
            vehicle_id,
            grantee_id,
            grant_revision: 2,
            effect: Effect::Narrowing,
            terms,
            in_flight: 1,
        },
        Event::GrantTokenMinted {
            grant_id,
            vehicle_id,
            grantee_id,
            token_id: id(),
            device_key: "0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I".parse().ok(),
            expires_at: not_after,
        },
        Event::GrantTokenEnded { grant_id, vehicle_id, grantee_id, grant_revision, token_id: id() },
        Event::GrantVehicleImpaired {
            grant_id,
            vehicle_id,
            grantee_id,
            grant_revision,
            reason: Impairment::Connection(ConnectionReason::Withdrawn(Withdrawal::Permission)),
        },
        Event::GrantVehicleRestored { grant_id, vehicle_id, grantee_id, grant_revision },
        Event::GrantConfirmed { grant_id, vehicle_id, grantee_id },
        Event::GrantRevoked {
            grant_id,
            vehicle_id,
            grantee_id,
            grant_revision,
            leave_lock: false,
            in_flight: 1,
        },
        Event::ExtensionRequested {
            extension_request_id: id(),
            grant_id,
            vehicle_id,
            grantee_id,
            not_after,
        },
        Event::ExtensionDecided {
            extension_request_id: id(),
            grant_id,
            vehicle_id,
            grantee_id,
            decision: ExtensionDecision::Declined,
        },
        Event::GrantRelinquished {
            grant_id,
            vehicle_id,
            grantee_id,
            grant_revision,
            criteria: vec![(Criterion::Locked, Met::Yes), (Criterion::FuelMin, Met::Unknown)],
        },
        of_time(GrantDue::Ending { not_after }),
        of_time(GrantDue::Expired { lock_until: Some(not_after) }),
        of_time(GrantDue::LeftUnlocked { command_id: id(), lock_until: not_after }),
        Event::GrantEnded {
            grant_id,
            vehicle_id,
            grantee_id,
            grant_revision,
            end_reason: EndReason::VehicleRemoved,
            end_id: None,
        },
    ]
}

fn of_holds_and_ends() -> Vec<Event> {
    let (hold_id, grant_id, rank) = (id(), id(), Rank::Owner);
    let about = Subjects::of_grant(grant_id, id(), id());
    let until = Timestamp::from_unix_seconds(3600);
    let scope = KeyScope::Grant(grant_id);
    let fleet = KeyScope::Organization(id());
    let (nothing, admin) = (Subjects::NONE, Rank::Admin);
    let (car, of_car) = (KeyScope::Vehicle(id()), Subjects::of_vehicle(id(), None, id()));
    let (end_id, end_reason) = (id(), EndReason::Revoked);
    let placed = |scope, about, rank, until, allow_lock| Event::HoldPlaced {
        hold_id,
        scope,
        about,
        rank,
        until,
        allow_lock,
        in_flight: 1,
    };
    vec![
        placed(scope, about, rank, until, true),
        placed(fleet, nothing, admin, None, false),
        Event::HoldEnded { hold_id, scope, about, rank, how: HoldEnd::Lifted },
        Event::HoldEnded { hold_id, scope, about, rank, how: HoldEnd::Expired },
        Event::EndBegun { end_id, scope: car, about: of_car, end_reason },
        Event::GrantEnded {
            grant_id,
            vehicle_id: id(),
            grantee_id: id(),
            grant_revision: 3,
            end_reason,
            end_id: Some(end_id),
        },
        Event::EndCompleted { end_id, scope: car, grants: 1 },
    ]
}

fn of_commands_and_readings() -> Vec<Event> {
    let (command_id, vehicle_id, user_id, action) = (id(), id(), id(), Action::Unlock);
    let (grant_id, observable) = (Some(id()), Observable::Odometer);
    let reasons = || vec![Reason::GrantRevoked];
    let own =
        RestsOn { organization: 1, owner: 2, connection: 3, vehicle: 4, ..RestsOn::default() };
    let lent = Some(RestsOn { grant: Some(2), grantee: Some(1), uses: Some(0), ..own });
    let authorized = |basis, rests_on| Event::CommandAuthorized {
        command_id,
        vehicle_id,
        user_id,
        action,
        basis,
        rests_on,
    };
    let first = [
        authorized(Basis::Ownership, Some(own)),
        authorized(Basis::Grant(id()), lent),
        Event::CommandRefused {
            command_id,
            vehicle_id,
            grant_id,
            user_id,
            action,
            reasons: reasons(),
            rests_on: lent,
        },
    ];
    let later = CommandStatus::ALL.iter().copied().map(|status| Event::CommandChanged {
        command_id,
        vehicle_id,
        grant_id,
        user_id,
        action,
        status,
        evidence: Evidence::None,
        causes: vec![Cause::Unseen(Unseen::NotInTime)],
    });
    let later = later.filter(|event| first.iter().all(|other| other.name() != event.name()));
    let readings = [
        Event::VehicleRead { vehicle_id, grant_id, user_id, observable, rests_on: lent },
        Event::VehicleReadRefused {
            vehicle_id,
            grant_id,
            user_id,
            observable,
            reasons: reasons(),
            rests_on: lent,
        },
        Event::RefusalsCounted {
            vehicle_id,
            grant_id,
            user_id,
            commands: 35,
            reads: 1,
            since: Timestamp::from_unix_seconds(0).unwrap(),
            until: Timestamp::from_unix_seconds(59).unwrap(),
        },
    ];
    first.iter().cloned().chain(later).chain(readings).collect()
}

/// The columns in which the record names what the event is about.
fn about(event: &Event) -> String {
    let Subjects { grant_id, vehicle_id, user_id, command_id } = event.subjects();
    let columns = [
        (grant_id == Some(id()), "`grant_id`"),
        (vehicle_id == Some(id()), "`vehicle_id`"),
        (user_id == Some(id()), "`user_id`"),
        (command_id == Some(id()), "`command_id`"),
    ];
    let named: Vec<&str> =
        columns.into_iter().filter(|(is_named, _)| *is_named).map(|(_, name)| name).collect();
    named.join(", ")
}

fn all() -> Vec<Event> {
    let events = [
        of_accounts(),
        of_webhook_endpoints(),
        of_consents_and_cars(),
        of_grants(),
        of_holds_and_ends(),
        of_commands_and_readings(),
    ];
    events.concat()
}

fn page() -> String {
    let mut page = "| event | about | details, for example |\n|---|---|---|\n".to_owned();
    for event in all() {
        let details = serde_json::Value::Object(event.details());
        writeln!(page, "| `{}` | {} | `{details}` |", event.name(), about(&event)).unwrap();
    }
    page
}

#[test]
fn the_page_shows_what_the_record_says_of_each_event() {
    let (_, written) = PAGE.split_once(BEGIN).unwrap();
    assert_eq!(written, page(), "docs/record.md should end with:\n{}", page());
}

#[test]
fn every_word_for_an_event_is_on_the_page() {
    let words = concat!(
        include_str!("event/names.rs"),
        include_str!("event/due.rs"),
        include_str!("event/transfer.rs"),
        include_str!("event/webhook_endpoints.rs")
    );
    let words = words.split("=> \"").skip(1).filter_map(|rest| {
        let (word, _) = rest.split_once('"')?;
        Some(format!("| `{word}` |"))
    });
    let missing: Vec<String> = words.filter(|word| !page().contains(word)).collect();
    assert!(missing.is_empty(), "without an example in this file: {missing:?}");
}

/// What is told outside is what the record has: of each event that is told there is an example here, and it has every
/// member that is told of it. The revision of a grant may stand with what its row says from then on.
#[test]
fn every_event_that_is_told_outside_is_recorded_with_all_that_is_told() {
    let of_each = |word: &str| all().into_iter().filter(|event| event.name() == word).collect();
    for &told in EventType::ALL {
        let examples: Vec<Event> = of_each(told.as_str());
        assert!(!examples.is_empty(), "{told} is no event of the record");
        for &member in told.members() {
            let is_recorded = |event: &Event| {
                let Subjects { grant_id, vehicle_id, user_id, command_id } = event.subjects();
                match member {
                    Member::GrantId => grant_id.is_some(),
                    Member::VehicleId => vehicle_id.is_some(),
                    Member::UserId => user_id.is_some(),
                    Member::CommandId => command_id.is_some(),
                    Member::GrantRevision => true,
                    other => event.details().contains_key(other.recorded_as()),
                }
            };
            assert!(examples.iter().any(is_recorded), "{told} has no {member}");
        }
    }
}
