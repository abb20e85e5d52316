//! What is there at the beginning of a run, and what people do in it: drawn from the seed.

use std::time::Duration;

use uuid::Uuid;

use super::trace::Ended;
use super::world::World;
use crate::domain::actor::{Actor, Principal};
use crate::domain::connection::{ApiVersion, ConnectionStatus, Mode};
use crate::domain::entitlement::{Entitlement, Entitlements};
use crate::domain::id::{GrantId, Id, OrganizationId, UserId, VehicleId};
use crate::domain::instruction::{ChargeLimit, Instruction};
use crate::domain::key_scope::KeyScope;
use crate::domain::reading::Coordinates;
use crate::domain::user::Role;
use crate::service::Caller;
use crate::service::commands::CommandRequest;
use crate::service::ends::EndingOfScope;
use crate::service::grants::Changes;
use crate::service::holds::NewHold;
use crate::storage::db::Value;
use crate::storage::db::rehearsal::{RehearsalDb, RehearsalRow, Table};

const ORGANIZATION: u128 = 1;
const ADMIN: u128 = 9;
pub(super) const OWNER: u128 = 10;
/// What people write when they revoke a grant.
pub(super) const NOTE: &str = "It was lent by mistake.";
const GUESTS: [u128; 2] = [11, 12];
const CONNECTION: u128 = 20;
const CARS: [u128; 2] = [30, 31];
const GRANTS: u128 = 40;

/// What somebody does.
#[derive(Debug, Clone)]
pub(super) enum Act {
    /// Asks for a command, and asks again where it was not told what became of it.
    Command { request: CommandRequest, wait: Duration, patience: Option<Duration> },
    /// Ends a grant.
    End { grant_id: GrantId, caller: Caller, how: Ended, waits: bool },
    /// The owner changes a grant.
    Amend { grant_id: GrantId, caller: Caller, changes: Changes },
    /// The owner moves a booking to another car, and its guest asks for that one.
    Switch { grant_id: GrantId, vehicle_id: VehicleId, caller: Caller, then: CommandRequest },
    /// Somebody pauses keys, and takes it back after a while.
    Hold { caller: Caller, new: NewHold, lifted_after: Option<Duration> },
    /// Somebody ends all that was lent of a car, to a person or in the organization.
    EndAll { caller: Caller, ending: EndingOfScope },
    /// An administrator closes an account.
    Close { user_id: UserId, caller: Caller },
    /// A car sends news of its lock.
    News { vehicle_id: VehicleId },
    /// A process dies, and another begins after a while.
    Death { after: Duration },
    /// A process is not let run for so long: sometimes past what it holds a lease for.
    Stall { time: Duration },
    /// A process stops in order, and another begins at once.
    Restart,
    /// The database goes away for so long in the middle of a commit, which may be kept.
    Outage { time: Duration },
}

/// Who does what, when, and at which place.
#[derive(Debug, Clone)]
pub(super) struct Scene {
    pub(super) at: Duration,
    pub(super) place: usize,
    pub(super) act: Act,
}

fn id<K>(number: u128) -> Id<K> {
    Id::from_uuid(Uuid::from_u128(number))
}

fn put<const N: usize>(db: &RehearsalDb, table: Table, columns: [(&str, Value); N]) {
    let (names, values): (Vec<&str>, Vec<Value>) = columns.into_iter().unzip();
    db.put(table, RehearsalRow::insert(table, &names, &values));
}

fn caller(user: u128, role: Role) -> Caller {
    let organization_id: OrganizationId = id(ORGANIZATION);
    let principal = Principal::User { user_id: id(user), role };
    Caller { actor: Actor { organization_id, principal }, request_id: None }
}

/// The span of time in which everything begins: short ones make things meet.
fn span_ms(world: &World) -> usize {
    world.one_of(&[5, 50, 500, 5000, 20_000])
}

/// A grant of the run.
#[derive(Debug, Clone, Copy)]
struct Lent {
    grant: u128,
    grantee: u128,
    car: u128,
}

/// Puts people, cars and grants there, and draws what happens.
pub(super) fn write(world: &World, db: &RehearsalDb, places: usize) -> Vec<Scene> {
    let organization = || uuid(ORGANIZATION);
    people(db);
    put(
        db,
        Table::Connections,
        [
            ("connection_id", uuid(CONNECTION)),
            ("organization_id", organization()),
            ("owner_id", uuid(OWNER)),
            ("status", ConnectionStatus::Active.into()),
            ("mode", Mode::Live.into()),
            ("api_version", ApiVersion::V3.into()),
            ("provider_user_id", "owner".into()),
            ("token_revision", 1.into()),
            ("revision", 1.into()),
        ],
    );
    let permitted: Vec<&str> = Entitlement::ALL.iter().map(|e| e.permission()).collect();
    for car in CARS {
        put(
            db,
            Table::Vehicles,
            [
                ("vehicle_id", uuid(car)),
                ("organization_id", organization()),
                ("owner_id", uuid(OWNER)),
                ("connection_id", uuid(CONNECTION)),
                ("provider_vehicle_id", format!("car-{car}").into()),
                ("make", "TESLA".into()),
                ("model", "Model 3".into()),
                ("year", 2026.into()),
                ("permissions", permitted.join(" ").into()),
                ("connected_at", 0.into()),
                ("owner_recoveries", 0.into()),
                ("consents", 0.into()),
                ("revision", 1.into()),
                ("version", 1.into()),
                ("sharing", "shared".into()),
                ("buffer_minutes", 0.into()),
                ("probes", 0.into()),
            ],
        );
    }
    let span_ms = span_ms(world);
    let count = 1 + world.below(3);
    let lent: Vec<Lent> = (0..count).map(|n| lend(world, db, span_ms, n as u128)).collect();
    scenes(world, &lent, span_ms, places)
}

fn people(db: &RehearsalDb) {
    let organization =
        [("organization_id", uuid(ORGANIZATION)), ("name", "One".into()), ("revision", 1.into())];
    put(db, Table::Organizations, organization);
    for user in [OWNER, GUESTS[0], GUESTS[1]] {
        let columns = [
            ("user_id", uuid(user)),
            ("organization_id", uuid(ORGANIZATION)),
            ("email", format!("{user}@example.org").into()),
            ("display_name", "A Person".into()),
            ("role", Role::Member.into()),
            ("revision", 1.into()),
            ("created_by_kind", "system".into()),
            ("recoveries", 0.into()),
            ("created_at", 0.into()),
        ];
        put(db, Table::Users, columns);
    }
}

fn uuid(number: u128) -> Value {
    Value::Uuid(Some(Uuid::from_u128(number)))
}

fn lend(world: &World, db: &RehearsalDb, span_ms: usize, number: u128) -> Lent {
    const DAY: Duration = Duration::from_secs(24 * 60 * 60);
    let lent = Lent {
        grant: GRANTS + number,
        grantee: world.one_of(&GUESTS),
        // Mostly the same car, so that things meet.
        car: CARS[usize::from(world.below(4) == 0)],
    };
    let begins = if world.below(6) == 0 { world.up_to(span_ms) } else { Duration::ZERO };
    let lasts = if world.below(6) == 0 { world.up_to(span_ms) } else { DAY };
    let not_before = world.now().minus(Duration::from_secs(5)).plus(begins);
    let not_after = world.now().plus(begins).plus(Duration::from_millis(1)).plus(lasts);
    let uses_max = world.one_of(&[None, None, Some(1), Some(2), Some(3)]);
    let entitlements: Entitlements = Entitlement::ALL.iter().copied().collect();
    put(
        db,
        Table::Grants,
        [
            ("grant_id", uuid(lent.grant)),
            ("organization_id", uuid(ORGANIZATION)),
            ("vehicle_id", uuid(lent.car)),
            ("issuer_id", uuid(OWNER)),
            ("grantee_id", uuid(lent.grantee)),
            ("entitlements", (&entitlements).into()),
            ("not_before", not_before.into()),
            ("not_after", not_after.into()),
            ("grace_minutes", 1.into()),
            ("leave_lock", false.into()),
            ("statement", false.into()),
            ("require_device_key", false.into()),
            ("uses_max", uses_max.into()),
            ("uses", 0.into()),
            ("revision", 1.into()),
            ("version", 1.into()),
            ("issued_at", not_before.into()),
            ("external_ref", world.one_of(&[None, Some("a booking")]).into()),
            ("grantee_recoveries", 0.into()),
            ("vehicle_consents", 0.into()),
        ],
    );
    lent
}

fn scenes(world: &World, lent: &[Lent], span_ms: usize, places: usize) -> Vec<Scene> {
    let mut scenes = Vec::new();
    for number in 0..5 + world.below(12) {
        let anywhere =
            (Duration::from_millis(world.below(span_ms + 1) as u64), world.below(places));
        // Some come together, so that the gate has several things to do at once.
        let after = |last: &Scene| (last.at + world.up_to(400), last.place);
        let (at, place) = scenes.last().filter(|_| world.below(3) == 0).map_or(anywhere, after);
        let act = match world.below(if world.calm { 90 } else { 100 }) {
            0..61 => {
                let act = ask(world, lent, number);
                // The car says what it did, before or after anybody checks it.
                if let (Act::Command { request, .. }, 0) = (&act, world.below(3)) {
                    let (at, place) = (at + world.up_to(10_000), world.below(places));
                    let act = Act::News { vehicle_id: request.vehicle_id };
                    scenes.push(Scene { at, place, act });
                }
                // The same request elsewhere: impatient people and balancers. Or its key on another.
                while world.below(4) == 0 {
                    let (at, place) = (at + world.up_to(span_ms), world.below(places));
                    let reused = world.below(4) == 0;
                    let act = if reused { with_key_of(world, &act) } else { act.clone() };
                    scenes.push(Scene { at, place, act });
                }
                act
            }
            61..71 => end(world, lent),
            71..75 => amend(world, lent, span_ms),
            75..77 => switch(world, lent, number),
            77..82 => hold(world, lent, span_ms),
            82..84 => end_all(world, lent),
            84..85 => close(world),
            85..86 => Act::News { vehicle_id: id(world.one_of(lent).car) },
            86..90 if world.calm => Act::Restart,
            86..93 => Act::Death { after: world.up_to(3000) },
            93..96 => Act::Stall { time: world.up_to(world.one_of(&[1000, 20_000, 70_000])) },
            96..98 => Act::Outage { time: Duration::from_millis(500 + world.below(20_000) as u64) },
            _ => Act::Restart,
        };
        scenes.push(Scene { at, place, act });
    }
    scenes
}

fn end(world: &World, lent: &[Lent]) -> Act {
    let lent = world.one_of(lent);
    let how = match world.below(4) {
        0 => Ended::GivenBack,
        1 => Ended::LockLeft,
        _ => Ended::Revoked,
    };
    let caller = caller(if how == Ended::GivenBack { lent.grantee } else { OWNER }, Role::Member);
    Act::End { grant_id: id(lent.grant), caller, how, waits: world.below(2) == 0 }
}

/// What narrows a grant, and what may take a narrowing back.
fn amend(world: &World, lent: &[Lent], span_ms: usize) -> Act {
    let all = || Some(Entitlement::ALL.iter().copied().collect());
    let soon = world.now().plus(world.up_to(span_ms));
    let nothing = Changes::default();
    let changes = match world.below(8) {
        0..3 => {
            Changes { entitlements: Some([Entitlement::Lock].into_iter().collect()), ..nothing }
        }
        3 => Changes { uses_max: Some(Some(world.one_of(&[1, 2, 3]))), ..nothing },
        4 => Changes { not_after: Some(soon), ..nothing },
        5 => Changes { not_before: Some(soon), ..nothing },
        6 => Changes { entitlements: all(), ..nothing },
        _ if world.below(2) == 0 => {
            Changes { external_ref: Some(Some("another".to_owned())), ..nothing }
        }
        _ => Changes { uses_max: Some(None), entitlements: all(), ..nothing },
    };
    let caller = caller(OWNER, Role::Member);
    Act::Amend { grant_id: id(world.one_of(lent).grant), caller, changes }
}

/// A booking moves to the other car.
fn switch(world: &World, lent: &[Lent], number: usize) -> Act {
    let lent = world.one_of(lent);
    let car = if lent.car == CARS[0] { CARS[1] } else { CARS[0] };
    let (grant_id, vehicle_id, user_id) = (id(lent.grant), id(car), id(lent.grantee));
    let then = CommandRequest {
        token: None,
        caller: caller(lent.grantee, Role::Member),
        user_id,
        vehicle_id,
        grant_id: None,
        instruction: world.one_of(&[Instruction::Unlock, Instruction::Lock]),
        idempotency_key: format!("switched-{number}"),
        asked_hash: [1; 32],
    };
    Act::Switch { grant_id, vehicle_id, caller: caller(OWNER, Role::Member), then }
}

/// A pause of whatever is used, by somebody who may.
fn hold(world: &World, lent: &[Lent], span_ms: usize) -> Act {
    let lent = world.one_of(lent);
    let (user, role) = world.one_of(&[(OWNER, Role::Member), (ADMIN, Role::Admin)]);
    let (scope, user, role) = match world.below(8) {
        0..2 => (KeyScope::Vehicle(id(lent.car)), user, role),
        2..5 => (KeyScope::Grant(id(lent.grant)), user, role),
        5 => (KeyScope::User(id(lent.grantee)), lent.grantee, Role::Member),
        6 => (KeyScope::User(id(lent.grantee)), ADMIN, Role::Admin),
        _ => (KeyScope::Organization(id(ORGANIZATION)), ADMIN, Role::Admin),
    };
    let new = NewHold {
        scope,
        reason: NOTE.to_owned(),
        until: (world.below(3) == 0).then(|| world.now().plus(world.up_to(span_ms))),
        allow_lock: world.below(3) > 0,
    };
    let lifted_after = (world.below(3) > 0).then(|| world.up_to(span_ms));
    Act::Hold { caller: caller(user, role), new, lifted_after }
}

/// The end of all that is lent of a car, to a person or in the organization.
fn end_all(world: &World, lent: &[Lent]) -> Act {
    let lent = world.one_of(lent);
    let (scope, user, role) = match world.below(5) {
        0 | 1 => (KeyScope::Vehicle(id(lent.car)), OWNER, Role::Member),
        2 | 3 => (KeyScope::User(id(lent.grantee)), ADMIN, Role::Admin),
        _ => (KeyScope::Organization(id(ORGANIZATION)), ADMIN, Role::Admin),
    };
    let external_ref = (world.below(3) == 0).then(|| "a booking".to_owned());
    // The end itself forgets the reference once it is complete.
    let reason = external_ref.clone().unwrap_or_else(|| NOTE.to_owned());
    let ending = EndingOfScope { scope, issued_before: None, external_ref, reason };
    Act::EndAll { caller: caller(user, role), ending }
}

fn close(world: &World) -> Act {
    let user_id = id(world.one_of(&[GUESTS[0], GUESTS[1], OWNER]));
    Act::Close { user_id, caller: caller(ADMIN, Role::Admin) }
}

fn ask(world: &World, lent: &[Lent], number: usize) -> Act {
    let lent = world.one_of(lent);
    let (user, grant_id) =
        if world.below(8) == 0 { (OWNER, None) } else { (lent.grantee, Some(id(lent.grant))) };
    let (user_id, vehicle_id): (UserId, VehicleId) = (id(user), id(lent.car));
    let part = number as f64 / 100.0;
    let instruction = match world.below(10) {
        0..6 => Instruction::Unlock,
        6..8 => Instruction::Lock,
        8 => Instruction::SetChargeLimit(ChargeLimit::from_fraction(0.5 + part).unwrap()),
        _ => Instruction::SetDestination(Coordinates::new(part, part).unwrap()),
    };
    let idempotency_key = format!("request-{number}");
    let mut asked_hash = [0; 32];
    asked_hash[0] = u8::try_from(number).unwrap();
    let caller = caller(user, Role::Member);
    let request = CommandRequest {
        token: None,
        caller,
        user_id,
        vehicle_id,
        grant_id,
        instruction,
        idempotency_key,
        asked_hash,
    };
    let wait = Duration::from_millis(world.one_of(&[0, 100, 20_000]));
    let patience = (world.below(8) == 0).then(|| world.up_to(200));
    Act::Command { request, wait, patience }
}

/// Asks the same car or another one for something else under the same key, as a client with badly made keys does.
fn with_key_of(world: &World, act: &Act) -> Act {
    let mut act = act.clone();
    if let Act::Command { request, .. } = &mut act {
        request.vehicle_id = id(world.one_of(&CARS));
        request.instruction = match request.instruction {
            Instruction::Unlock => Instruction::Lock,
            _ => Instruction::Unlock,
        };
        request.asked_hash[1] = 1;
    }
    act
}
