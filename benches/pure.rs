//! What one decision, one token and verifying the record cost, without any I/O: `cargo bench --bench pure`.

#![allow(
    clippy::unwrap_used,
    missing_docs,
    reason = "a benchmark that cannot be set up should stop"
)]

use std::hint::black_box;
use std::time::Duration;

use criterion::{Criterion, criterion_group, criterion_main};
use keylend::audit::Hash;
use keylend::audit::entry::leaf_hash;
use keylend::audit::verify::Verifier;
use keylend::domain::connection::{ConnectionStatus, Permissions};
use keylend::domain::entitlement::Entitlement;
use keylend::domain::grant::{Description, Grace, Grant, Validity};
use keylend::domain::hold::StandingHolds;
use keylend::domain::id::Id;
use keylend::domain::policy::{Facts, GrantFacts, Request, VehicleFacts, VehicleRevisions, decide};
use keylend::domain::scope_end::PendingEnds;
use keylend::domain::time::Timestamp;
use keylend::entropy::SeededEntropy;
use keylend::signing::Keyring;
use keylend::signing::grant_token::{self, GrantClaims};
use uuid::Uuid;

#[path = "../tests/it/support/story.rs"]
#[allow(dead_code, reason = "the tests use more of it")]
mod story;

const ISSUER: &str = "https://keys.example";

fn now() -> Timestamp {
    Timestamp::from_unix_seconds(1_800_000_000).unwrap()
}

fn id<K>(n: u128) -> Id<K> {
    Id::from_uuid(Uuid::from_u128(n))
}

fn grant() -> Grant {
    let hour = Duration::from_secs(3600);
    Grant {
        grant_id: id(1),
        organization_id: id(2),
        vehicle_id: id(3),
        issuer_id: id(4),
        grantee_id: id(5),
        entitlements: [Entitlement::Unlock, Entitlement::Lock].into_iter().collect(),
        validity: Validity::new(now().minus(hour), now().plus(hour)).unwrap(),
        grace: Grace::default(),
        uses_max: Some(10),
        require_device_key: false,
        uses: 3,
        end: None,
        revision: 1,
        version: 1,
        description: Description::default(),
        issued_at: now(),
    }
}

fn decisions(criterion: &mut Criterion) {
    let vehicle = VehicleFacts {
        vehicle_id: id(3),
        owner_id: id(4),
        owner_disabled: false,
        owner_recovered: false,
        last_unlocked_by: None,
        consents: 0,
        holds: StandingHolds::Nothing,
        owner_holds: StandingHolds::Nothing,
        organization_holds: StandingHolds::Nothing,
        ends: PendingEnds::Nothing,
        organization_ends: PendingEnds::Nothing,
        removed: false,
        suspended: false,
        connection_status: ConnectionStatus::Active,
        permissions: Permissions::parse("control_security read_security"),
        revisions: VehicleRevisions::default(),
    };
    let claimed = GrantFacts {
        grant: grant(),
        holds: StandingHolds::Nothing,
        grantee_holds: StandingHolds::Nothing,
        grantee_ends: PendingEnds::Nothing,
        grantee_disabled: false,
        grantee_recovered: false,
        vehicle_consents: 0,
        grantee_revision: 1,
    };
    let request = Request {
        user_id: id(5),
        vehicle_id: id(3),
        entitlement: Entitlement::Unlock,
        spends_use: true,
        device_key: None,
    };
    criterion.bench_function("policy::decide", |bencher| {
        let facts = Facts { vehicle: &vehicle, grant: Some(&claimed) };
        bencher.iter(|| decide(black_box(facts), black_box(&request), now()));
    });
}

fn tokens(criterion: &mut Criterion) {
    let keyring = Keyring::generate(&SeededEntropy::from_seed(1), now()).unwrap();
    let grant = grant();
    let claims = GrantClaims {
        grantee_id: grant.grantee_id,
        token_id: id(6),
        issued_at: now(),
        not_before: grant.validity.not_before(),
        not_after: grant.validity.not_after(),
        grant_id: grant.grant_id,
        organization_id: grant.organization_id,
        vehicle_id: grant.vehicle_id,
        entitlements: grant.entitlements,
        grant_revision: grant.revision,
        device_key: None,
    };
    let token = grant_token::mint(&keyring, ISSUER, &claims).unwrap();
    criterion.bench_function("grant_token::verify", |bencher| {
        let issuers = ISSUER.into();
        bencher.iter(|| grant_token::verify(&keyring, &issuers, black_box(&token), now()).unwrap());
    });
    criterion.bench_function("grant_token::mint", |bencher| {
        bencher.iter(|| grant_token::mint(&keyring, ISSUER, black_box(&claims)).unwrap());
    });
}

/// Divide by a thousand for what one entry costs.
fn verification(criterion: &mut Criterion) {
    let leaves: Vec<Vec<u8>> = story::Story::of(1).take(1000).collect();
    let hashes: Vec<Hash> = leaves.iter().map(|leaf| leaf_hash(leaf)).collect();
    criterion.bench_function("verify::Verifier, 1,000 entries", |bencher| {
        bencher.iter(|| {
            let mut verifier = Verifier::new(Vec::new());
            for (leaf, hash) in leaves.iter().zip(&hashes) {
                verifier.push(black_box(leaf), Some(*hash)).unwrap();
            }
            verifier.finish().unwrap()
        });
    });
}

criterion_group!(benches, decisions, tokens, verification);
criterion_main!(benches);
