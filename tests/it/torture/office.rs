//! The owner's apps: they lend keys, change and pause them, and take them back.

use std::sync::{Arc, Mutex};

use serde_json::json;

use super::dice::Dice;
use super::person::{Call, Person};
use super::scopes;
use super::workload::{GUESTS, KEYS_A_GUEST, Key, Keys, command, lending, lock, revocation};
use crate::checker::history::Asked;

/// The owner's apps.
pub(super) struct Office {
    pub(super) person: Person,
    pub(super) vehicles: Vec<String>,
    pub(super) guest_ids: Vec<String>,
    pub(super) keys: Arc<Mutex<Keys>>,
    pub(super) dice: Dice,
}

impl Office {
    pub(super) async fn lend_and_take_back(mut self) {
        // An app of its own has a session of its own.
        let world = Arc::clone(&self.person.world);
        let Some(person) = Person::arriving(&world, &self.person.email).await else { return };
        self.person = person;
        while world.is_open().await {
            let lent = lock(&self.keys).lent.len();
            let throw = self.dice.below(100);
            if lent < GUESTS * KEYS_A_GUEST || throw < 30 {
                self.lend().await;
            } else if throw < 60 {
                self.take_back().await;
            } else if throw < 70 {
                self.amend().await;
            } else if throw < 75 {
                self.pause().await;
            } else if throw < 78 {
                self.end_all().await;
            } else if throw < 92 {
                let action = if self.dice.percent(50) { "unlock" } else { "lock" };
                let Some(car) = self.dice.one_of(&self.vehicles).cloned() else { return };
                let call = command(&world, &car, action, None);
                self.person.insist(&call, 3).await;
            } else {
                self.person.refresh().await;
            }
        }
    }

    async fn lend(&mut self) {
        let guest = self.dice.below(self.guest_ids.len());
        let vehicle_id = self.vehicles[self.dice.below(self.vehicles.len())].clone();
        let uses_max = self.dice.percent(30).then(|| 1 + self.dice.below(4) as i64);
        let call = lending(&self.person.world, &vehicle_id, &self.guest_ids[guest], uses_max);
        let Some(answer) = self.person.insist(&call, 4).await else { return };
        let Some(grant_id) = answer.text("grant_id").map(str::to_owned) else { return };
        if self.dice.percent(10) {
            // A repetition of what was answered already.
            self.person.ask(&call).await;
        }
        lock(&self.keys).lent.push(Key { grant_id, vehicle_id, guest });
    }

    /// Changes a key that may be in use: to less, and sometimes back.
    async fn amend(&mut self) {
        let Some(key) = lock(&self.keys).any(&mut self.dice) else { return };
        let (mut entitlements, mut uses_max) = (None, None);
        match self.dice.below(5) {
            0 | 1 => entitlements = Some(vec!["lock".to_owned()]),
            2 => entitlements = Some(vec!["unlock".to_owned(), "lock".to_owned()]),
            3 => uses_max = Some(Some(1 + self.dice.below(6) as i64)),
            _ => uses_max = Some(None),
        }
        let call = amendment(&key.grant_id, entitlements, uses_max);
        self.person.insist(&call, 4).await;
    }

    /// Pauses a key that may be in use, or its car.
    async fn pause(&mut self) {
        let Some(key) = lock(&self.keys).any(&mut self.dice) else { return };
        let (scope, over) = if self.dice.percent(70) {
            ("grant_id", &key.grant_id)
        } else {
            ("vehicle_id", &key.vehicle_id)
        };
        scopes::pause(&mut self.person, &mut self.dice, scope, over).await;
    }

    /// Ends all keys of a car at once.
    async fn end_all(&mut self) {
        let Some(car) = self.dice.one_of(&self.vehicles).cloned() else { return };
        lock(&self.keys).forget_car(&car);
        let call = scopes::ending(&self.person.world, &car);
        self.person.insist(&call, 4).await;
    }

    async fn take_back(&mut self) {
        let Some(key) = lock(&self.keys).take_back(&mut self.dice) else { return };
        let call = revocation(&key.grant_id, self.dice.percent(40), self.dice.percent(30));
        self.person.insist(&call, 4).await;
    }
}

/// Changing a key.
fn amendment(
    grant_id: &str,
    entitlements: Option<Vec<String>>,
    uses_max: Option<Option<i64>>,
) -> Call {
    let mut body = json!({});
    if let Some(entitlements) = &entitlements {
        body["entitlements"] = json!(entitlements);
    }
    if let Some(uses_max) = uses_max {
        body["max_uses"] = json!(uses_max);
    }
    Call {
        path: format!("/v1/grants/{grant_id}"),
        body,
        key: None,
        asked: Asked::Amend { grant_id: grant_id.to_owned(), entitlements, uses_max },
        token: None,
        in_haste: false,
    }
}
