//! A record that nobody lived through: as many entries as are asked for, as the service writes
//! them of grants that are issued, used, refused and revoked. Also for benchmarks and examples.

use std::collections::VecDeque;
use std::time::Duration;

use keylend::audit::checkpoint::{self, TreeHead};
use keylend::audit::entry::RecordedEntry;
use keylend::audit::note::{KeyKind, VerifierKey};
use keylend::domain::actor::{Actor, Principal};
use keylend::domain::amendment::Terms;
use keylend::domain::command::{CommandStatus, Evidence};
use keylend::domain::entitlement::Entitlement;
use keylend::domain::event::{AuditEntry, Event};
use keylend::domain::grant::{Grace, Validity};
use keylend::domain::id::{Id, OrganizationId};
use keylend::domain::instruction::Action;
use keylend::domain::policy::{Basis, Reason};
use keylend::domain::row_facts::RestsOn;
use keylend::domain::time::Timestamp;
use keylend::domain::user::Role;
use keylend::entropy::{Entropy, SeededEntropy};
use keylend::signing::Keyring;

/// The name of the record.
pub(crate) const ORIGIN: &str = "keys.example.org/log";

/// Whoever signs the record.
pub(crate) struct Signer(Keyring);

impl Signer {
    /// Another one for each seed.
    pub(crate) fn of(seed: u64) -> Self {
        Self(Keyring::generate(&SeededEntropy::from_seed(seed), beginning()).unwrap())
    }

    /// What verifies the checkpoints.
    pub(crate) fn key(&self) -> VerifierKey {
        let public = self.0.checkpoints().active().public();
        VerifierKey::new(ORIGIN, KeyKind::Log, public).unwrap()
    }

    /// The checkpoint over a tree.
    pub(crate) fn sign(&self, head: TreeHead) -> Vec<u8> {
        let text = checkpoint::text(ORIGIN, head).unwrap();
        let signed = self.0.checkpoints().active().sign(&text);
        let signature = self.key().signature(&signed, beginning()).unwrap();
        checkpoint::note(&text, &[signature]).unwrap()
    }
}

fn beginning() -> Timestamp {
    "2026-07-01T12:00:00Z".parse().unwrap()
}

/// The leaves of the record, without end.
pub(crate) struct Story {
    entropy: Box<dyn Entropy>,
    now: Timestamp,
    organization_id: OrganizationId,
    waiting: VecDeque<Event>,
}

impl Story {
    /// Another record for each seed.
    pub(crate) fn of(seed: u64) -> Self {
        let (entropy, now): (Box<dyn Entropy>, _) =
            (Box::new(SeededEntropy::from_seed(seed)), beginning());
        let organization_id = entropy.id(now).unwrap();
        Self { entropy, now, organization_id, waiting: VecDeque::new() }
    }

    fn id<K>(&self) -> Id<K> {
        self.entropy.id(self.now).unwrap()
    }

    /// The life of one grant, with six commands: 20 entries.
    fn lend(&mut self) {
        let (grant_id, vehicle_id, grantee_id) = (self.id(), self.id(), self.id());
        let validity = Validity::new(self.now, self.now.plus(Duration::from_secs(3600))).unwrap();
        let entitlements = [Entitlement::Unlock, Entitlement::Lock].into_iter().collect();
        let (grace, uses_max) = (Grace::default(), None);
        let terms = Terms { entitlements, validity, grace, uses_max, require_device_key: false };
        self.waiting.extend([
            Event::GrantIssued { grant_id, vehicle_id, grantee_id, terms, instead_of: None },
            Event::GrantTokenMinted {
                grant_id,
                vehicle_id,
                grantee_id,
                token_id: self.id(),
                device_key: None,
                expires_at: validity.not_after(),
            },
        ]);
        let rests_on = Some(RestsOn { grant: Some(1), ..RestsOn::default() });
        for action in [Action::Unlock, Action::Lock].into_iter().cycle().take(5) {
            let command_id = self.id();
            let changed = |status, evidence| Event::CommandChanged {
                command_id,
                vehicle_id,
                grant_id: Some(grant_id),
                user_id: grantee_id,
                action,
                status,
                evidence,
                causes: Vec::new(),
            };
            self.waiting.extend([
                Event::CommandAuthorized {
                    command_id,
                    vehicle_id,
                    user_id: grantee_id,
                    action,
                    basis: Basis::Grant(grant_id),
                    rests_on,
                },
                changed(CommandStatus::Acknowledged, Evidence::ProviderAck),
                changed(CommandStatus::Confirmed, Evidence::StateObserved),
            ]);
        }
        let refused = Event::CommandRefused {
            command_id: self.id(),
            vehicle_id,
            grant_id: Some(grant_id),
            user_id: grantee_id,
            action: Action::StartCharge,
            reasons: vec![Reason::EntitlementMissing],
            rests_on,
        };
        let (grant_revision, in_flight) = (2, 0);
        let revoked = Event::GrantRevoked {
            grant_id,
            vehicle_id,
            grantee_id,
            grant_revision,
            leave_lock: false,
            in_flight,
        };
        let read = Event::GrantVehicleRestored { grant_id, vehicle_id, grantee_id, grant_revision };
        self.waiting.extend([refused, read, revoked]);
    }
}

impl Iterator for Story {
    type Item = Vec<u8>;

    fn next(&mut self) -> Option<Vec<u8>> {
        if self.waiting.is_empty() {
            self.lend();
        }
        self.now = self.now.plus(Duration::from_millis(37));
        let principal = Principal::User { user_id: self.id(), role: Role::Member };
        let entry = AuditEntry {
            entry_id: self.id(),
            occurred_at: self.now,
            actor: Actor { organization_id: self.organization_id, principal },
            request_id: Some(format!("req-{:08x}", self.now.as_unix_micros() & 0xffff_ffff)),
            event: self.waiting.pop_front()?,
            facts: None,
            personal: None,
        };
        Some(RecordedEntry::of(&entry).leaf())
    }
}
