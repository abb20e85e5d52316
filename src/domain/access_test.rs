//! The table, for every operation and every kind of caller: `docs/access.md` is what the code
//! answers, and what a reader has agreed to.

use std::fmt::Write as _;

use uuid::Uuid;

use super::*;
use crate::domain::actor::Scope;
use crate::domain::calendar::{Buffer, Sharing};
use crate::domain::command::{Command, CommandStatus};
use crate::domain::connection::{ApiVersion, Connection, ConnectionStatus, Mode, Permissions};
use crate::domain::grant::Grant;
use crate::domain::id::{ApiClientId, Id, OrganizationId};
use crate::domain::time::Timestamp;
use crate::domain::vehicle::Vehicle;

const PAGE: &str = include_str!("../../docs/access.md");
const BEGIN: &str = "<!-- written by src/domain/access_test.rs -->\n";

fn user(number: u128) -> UserId {
    UserId::from_uuid(Uuid::from_u128(number))
}

/// An object that has one of everybody.
fn object() -> Object {
    let (subject, owner, grantee) = (user(1), user(2), user(3));
    Object::entry([Some(subject), None, None], Some(owner)).with_grantee(Some(grantee))
}

fn person(user_id: UserId, role: Role) -> Actor {
    let organization_id = OrganizationId::from_uuid(Uuid::from_u128(9));
    Actor { organization_id, principal: Principal::User { user_id, role } }
}

fn client(scopes: &[Scope], acting_for: Option<UserId>) -> Actor {
    let api_client_id = ApiClientId::from_uuid(Uuid::from_u128(8));
    let principal =
        Principal::ApiClient { api_client_id, scopes: scopes.to_vec(), vehicles: None, acting_for };
    Actor { principal, ..person(user(4), Role::Member) }
}

/// Everybody who may ask, by the column's name.
fn callers() -> Vec<(&'static str, Actor)> {
    vec![
        ("administrator", person(user(5), Role::Admin)),
        ("support", person(user(6), Role::Support)),
        ("auditor", person(user(7), Role::Auditor)),
        ("subject", person(user(1), Role::Member)),
        ("owner", person(user(2), Role::Member)),
        ("grantee", person(user(3), Role::Member)),
        ("other member", person(user(4), Role::Member)),
        ("client alone", client(Scope::ALL, None)),
        ("client for the owner", client(Scope::ALL, Some(user(2)))),
        ("client for the grantee", client(Scope::ALL, Some(user(3)))),
        ("client for another", client(Scope::ALL, Some(user(4)))),
        ("client without scope", client(&[], Some(user(2)))),
    ]
}

fn cell(verdict: &Result<ActingAs, Denial>) -> &'static str {
    match verdict.as_ref().map(|acting_as| acting_as.person()) {
        Ok(None) => "yes",
        Ok(Some(person)) if person == user(2) => "as the owner",
        Ok(Some(person)) if person == user(3) => "as the grantee",
        Ok(Some(_)) => "as themself",
        Err(Denial::AdminOnly) => "`admin_only`",
        Err(Denial::PersonOnly) => "`person_only`",
        Err(Denial::ScopeMissing(_)) => "`scope_missing`",
        Err(Denial::ActingForNotAllowed) => unreachable!("that is asked before"),
        Err(Denial::VehiclesLimited) => unreachable!("these clients are limited to no cars"),
        Err(Denial::ActingForMissing) => "`acting_for_missing`",
        Err(Denial::NotTheOwner) => "`not_the_owner`",
        Err(Denial::NotTheGrantee) => "`not_the_grantee`",
        Err(Denial::HoldOfAnother) => unreachable!("that is asked afterwards"),
        Err(Denial::NotVisible) => "`not_found`",
    }
}

fn page() -> String {
    let callers = callers();
    let names: Vec<&str> = callers.iter().map(|(name, _)| *name).collect();
    let mut page = format!("| operation | scope | {} |\n|---|---|", names.join(" | "));
    page.push_str(&"---|".repeat(names.len()));
    page.push('\n');
    for rule in TABLE {
        let scopes: Vec<String> = rule.scopes.iter().map(|scope| format!("`{scope}`")).collect();
        let scopes = if scopes.is_empty() { "none".to_owned() } else { scopes.join(" or ") };
        let cells = callers.iter().map(|(_, actor)| cell(&may(actor, rule.operation, &object())));
        let cells: Vec<&str> = cells.collect();
        writeln!(page, "| `{}` | {scopes} | {} |", rule.operation, cells.join(" | ")).unwrap();
    }
    page
}

#[test]
fn the_page_shows_what_the_table_answers() {
    let (_, written) = PAGE.split_once(BEGIN).unwrap();
    assert_eq!(written, page(), "docs/access.md should end with:\n{}", page());
}

#[test]
fn every_operation_has_one_row() {
    for operation in Operation::ALL {
        assert_eq!(TABLE.iter().filter(|rule| rule.operation == *operation).count(), 1);
    }
    assert_eq!(TABLE.len(), Operation::ALL.len());
}

#[test]
fn what_is_not_there_looks_like_what_must_not_be_seen() {
    for (name, actor) in callers() {
        for operation in Operation::ALL {
            let missing = may(&actor, *operation, &Object::MISSING);
            // Somebody else's object: the caller is nothing to it.
            let strange = Object::entry([Some(user(9)), None, None], Some(user(9)))
                .with_grantee(Some(user(9)));
            let seen = may(&actor, *operation, &strange);
            assert!(missing.is_err(), "{name} may {operation} what is not there");
            if seen == Err(Denial::NotVisible) {
                assert_eq!(missing, seen, "{name} {operation}: an oracle");
            }
        }
    }
}

#[test]
fn a_client_never_gets_more_than_the_person_it_acts_for() {
    for number in 1..=4 {
        for operation in Operation::ALL {
            let themself = may(&person(user(number), Role::Member), *operation, &object());
            let client = may(&client(Scope::ALL, Some(user(number))), *operation, &object());
            assert!(client.is_err() || client == themself, "{operation} as {number}");
        }
    }
}

#[test]
fn each_scope_allows_what_lists_it_and_nothing_else() {
    for scope in Scope::ALL {
        for rule in TABLE {
            let verdict = may(&client(&[*scope], None), rule.operation, &object());
            let lacks = matches!(verdict, Err(Denial::ScopeMissing(_)));
            let needs = !rule.scopes.is_empty() && !rule.scopes.contains(scope);
            assert_eq!(lacks, needs, "{scope} for {}", rule.operation);
        }
    }
}

#[test]
fn an_administrator_is_one_only_when_signed_in() {
    let admin = person(user(5), Role::Admin);
    assert_eq!(may(&admin, Operation::DisableUser, &object()), Ok(ActingAs::Organization));
    let acting = client(Scope::ALL, Some(user(5)));
    assert_eq!(may(&acting, Operation::DisableUser, &object()), Err(Denial::AdminOnly));
    assert_eq!(may(&acting, Operation::RevokeGrant, &object()), Err(Denial::NotVisible));
}

#[test]
fn an_object_names_the_people_whom_it_concerns() {
    let (id, at) = (Uuid::from_u128(7), Timestamp::from_unix_seconds(1_800_000_000).unwrap());
    let command = Command { user_id: user(1), ..Command::example(CommandStatus::Acknowledged) };
    let grant = Grant { grantee_id: user(3), ..Grant::example() };
    let vehicle = Vehicle {
        vehicle_id: Id::from_uuid(id),
        organization_id: Id::from_uuid(id),
        owner_id: user(2),
        connection_id: Id::from_uuid(id),
        provider_vehicle_id: "car".to_owned(),
        make: "MAKE".to_owned(),
        model: "Model".to_owned(),
        year: 2026,
        permissions: Permissions::parse(""),
        suspended_reason: None,
        removed_at: None,
        connected_at: at,
        label: None,
        plate: None,
        colour: None,
        vin: None,
        metadata: None,
        external_ref: None,
        sharing: Sharing::Shared,
        buffer: Buffer::default(),
        version: 1,
    };
    let connection = Connection {
        connection_id: Id::from_uuid(id),
        organization_id: Id::from_uuid(id),
        owner_id: user(2),
        status: ConnectionStatus::Active,
        mode: Mode::Live,
        status_reason: None,
        return_url: None,
        api_version: ApiVersion::V3,
        provider_user_id: None,
        created_at: at,
    };
    let (subject, owner, grantee) = (Some(user(1)), Some(user(2)), Some(user(3)));
    for (object, concerned) in [
        (Object::ORGANIZATION, [None, None, None]),
        (Object::user(user(1)), [subject, None, None]),
        (Object::vehicle(&vehicle), [None, owner, None]),
        (Object::vehicle(&vehicle).with_grantee(grantee), [None, owner, grantee]),
        (Object::grant(&grant, &vehicle), [None, owner, grantee]),
        (Object::connection(&connection), [None, owner, None]),
        (Object::command(&command, None), [subject, None, None]),
        (Object::command(&command, owner), [subject, owner, None]),
        (Object::found(Some(&vehicle), Object::vehicle), [None, owner, None]),
    ] {
        let people = [Subject, Owner, Grantee].map(|relation| object.people(relation).next());
        assert_eq!((object.was_found(), people), (true, concerned));
    }
    assert_eq!(Object::found(None, Object::vehicle), Object::MISSING);
}

#[test]
fn the_log_reads_which_object_was_sought_and_a_client_the_noun_alone() {
    let sought = Sought::of(user(1));
    assert_eq!(sought.noun(), "user");
    assert_eq!(sought.to_string(), format!("user {}", user(1)));
    assert_eq!(Sought::VEHICLE_OR_GRANT.to_string(), "vehicle or grant");
}

#[test]
fn the_rights_that_count_are_those_of_the_person_for_whom_somebody_acts() {
    let (alone, acting) = (client(&[], None), client(&[], Some(user(2))));
    assert_eq!(person(user(1), Role::Member).user_id(), Some(user(1)));
    assert_eq!((alone.user_id(), acting.user_id()), (None, Some(user(2))));
    assert_eq!(alone.acting_for(user(2)), acting);
    let system = Actor::system(acting.organization_id);
    assert_eq!((system.user_id(), system.clone().acting_for(user(2))), (None, system));
}

#[test]
fn an_api_client_acts_for_those_whom_it_made_until_they_claim_and_for_those_who_allow_it() {
    let at = Timestamp::from_unix_seconds(1_800_000_000).unwrap();
    let [own, other] = [8, 7].map(|number| ApiClientId::from_uuid(Uuid::from_u128(number)));
    for (created_by, claimed_at, is_allowed, may) in [
        (PrincipalId::ApiClient(own), None, false, true),
        (PrincipalId::ApiClient(own), Some(at), false, false),
        (PrincipalId::ApiClient(own), Some(at), true, true),
        (PrincipalId::ApiClient(other), None, false, false),
        (PrincipalId::ApiClient(other), None, true, true),
        (PrincipalId::User(UserId::from_uuid(own.as_uuid())), None, false, false),
        (PrincipalId::System, Some(at), true, true),
    ] {
        let person = User { created_by, claimed_at, ..User::example() };
        let expected = if may { Ok(()) } else { Err(Denial::ActingForNotAllowed) };
        assert_eq!(may_act_for(own, &person, is_allowed), expected, "{created_by}");
    }
}

/// For every operation: a car that is the client's changes nothing, another is not there, and what is about no one car
/// is allowed only where it is about people.
#[test]
fn a_client_that_is_limited_to_cars_has_to_do_with_no_other() {
    let [its, other] = [1, 2].map(|number| VehicleId::from_uuid(Uuid::from_u128(number)));
    let limited = |mut actor: Actor| {
        if let Principal::ApiClient { vehicles, .. } = &mut actor.principal {
            *vehicles = Some(vec![its]);
        }
        actor
    };
    // Of events each is asked about by itself.
    let of_no_car = [Op::CreateUser, Op::CreateClaim, Op::ListUsers, Op::GetUser, Op::ListEvents];
    for (name, actor) in callers() {
        if !matches!(actor.principal, Principal::ApiClient { .. }) {
            continue;
        }
        for &operation in Operation::ALL {
            let free = may(&actor, operation, &object());
            let asked = |object: Object| may(&limited(actor.clone()), operation, &object);
            assert_eq!(asked(object().about(its)), free, "{name}, {operation}");
            if free.is_ok() {
                assert_eq!(
                    asked(object().about(other)),
                    Err(Denial::NotVisible),
                    "{name}, {operation}"
                );
                let about_none = asked(object());
                let expected = if of_no_car.contains(&operation) {
                    free
                } else {
                    Err(Denial::VehiclesLimited)
                };
                assert_eq!(about_none, expected, "{name}, {operation}");
            }
            assert!(asked(Object::MISSING).is_err(), "{name}, {operation}");
        }
    }
}
