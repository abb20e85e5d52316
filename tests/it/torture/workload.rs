//! What people do all day: lend, use and take back keys, open and close cars, stay signed in, and
//! repeat what they got no answer to. Somebody of another organization tries the cars too, and
//! somebody keeps the checkpoints.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use keylend::audit::checkpoint;
use keylend::audit::note::VerifierKey;
use keylend::clock::{Clock, SystemClock};
use serde_json::{Value, json};
use tokio::task::JoinSet;

use super::dice::Dice;
use super::installation::PUBLIC_URL;
use super::office::Office;
use super::person::{Call, Person, World};
use super::scopes;
use crate::checker::history::Asked;
use crate::support::people::PASSWORD;
use crate::support::record::ORIGIN;

/// How many people borrow cars.
pub(crate) const GUESTS: usize = 5;
/// The owner keeps about so many keys lent to each of them.
pub(super) const KEYS_A_GUEST: usize = 3;
/// So many keys that were taken back are still tried.
const TAKEN_BACK_KEPT: usize = 12;

/// A key that was lent.
#[derive(Debug, Clone)]
pub(crate) struct Key {
    pub(crate) grant_id: String,
    pub(crate) vehicle_id: String,
    pub(crate) guest: usize,
}

/// The keys that people know of.
#[derive(Debug, Default)]
pub(crate) struct Keys {
    pub(super) lent: Vec<Key>,
    taken_back: Vec<Key>,
    /// The grant of the key that somebody has just put into a lock.
    just_used: Option<String>,
}

/// Who takes part.
pub(crate) struct Cast {
    pub(crate) owner: Person,
    pub(crate) guests: Vec<Person>,
    pub(crate) stranger: Person,
    pub(crate) vehicles: Vec<String>,
    pub(crate) keys: Arc<Mutex<Keys>>,
}

pub(super) fn lock(keys: &Mutex<Keys>) -> MutexGuard<'_, Keys> {
    keys.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Keys {
    /// A key of this guest: mostly one that should work.
    fn any_of(&mut self, guest: usize, dice: &mut Dice) -> Option<Key> {
        let kept = if dice.percent(85) { &self.lent } else { &self.taken_back };
        let own: Vec<&Key> = kept.iter().filter(|key| key.guest == guest).collect();
        let key = dice.one_of(&own).map(|key| (*key).clone())?;
        self.just_used = Some(key.grant_id.clone());
        Some(key)
    }

    /// All keys of a car are taken back; some are still tried.
    pub(super) fn forget_car(&mut self, vehicle_id: &str) {
        let of_car = self.lent.extract_if(.., |key| key.vehicle_id == vehicle_id);
        self.taken_back.extend(of_car);
        let too_many = self.taken_back.len().saturating_sub(TAKEN_BACK_KEPT);
        self.taken_back.drain(..too_many);
    }

    /// A key that is lent to somebody.
    pub(super) fn any(&self, dice: &mut Dice) -> Option<Key> {
        dice.one_of(&self.lent).cloned()
    }

    /// Often the one that is in use: only then is there anything to wait for.
    pub(super) fn take_back(&mut self, dice: &mut Dice) -> Option<Key> {
        if self.lent.is_empty() {
            return None;
        }
        let in_use = |key: &Key| self.just_used.as_ref() == Some(&key.grant_id);
        let in_use = self.lent.iter().position(in_use).filter(|_| dice.percent(50));
        let place = in_use.unwrap_or_else(|| dice.below(self.lent.len()));
        let key = self.lent.swap_remove(place);
        self.taken_back.push(key.clone());
        if self.taken_back.len() > TAKEN_BACK_KEPT {
            self.taken_back.remove(0);
        }
        Some(key)
    }
}

impl Cast {
    /// Makes the accounts and connects the cars, on a service that nobody hurts yet.
    pub(crate) async fn gather(world: &Arc<World>) -> Self {
        let admin = Person::arriving(world, "admin@story.example").await.unwrap();
        for name in std::iter::once("owner".to_owned()).chain((0..GUESTS).map(guest_name)) {
            let email = format!("{name}@story.example");
            let made =
                admin.prepare("/v1/users", json!({ "email": email, "display_name": name })).await;
            let body = json!({ "claim_token": made["claim_token"], "password": PASSWORD });
            admin.prepare("/v1/claims/redeem", body).await;
        }
        let owner = Person::arriving(world, "owner@story.example").await.unwrap();
        let started = owner.prepare("/v1/connections", json!({})).await;
        let received = consent(world, started["authorize_url"].as_str().unwrap()).await;
        let path =
            format!("/v1/connections/{}/complete", received["connection_id"].as_str().unwrap());
        owner.prepare(&path, json!({ "completion_code": received["completion_code"] })).await;
        let vehicles = owner.get("/v1/vehicles?limit=100").await.unwrap();
        let vehicles = vehicles["data"].as_array().unwrap().iter();
        let vehicles = vehicles.map(|car| car["vehicle_id"].as_str().unwrap().to_owned()).collect();
        let mut guests = Vec::new();
        for number in 0..GUESTS {
            let email = format!("{}@story.example", guest_name(number));
            guests.push(Person::arriving(world, &email).await.unwrap());
        }
        let stranger = Person::arriving(world, "admin@else.example").await.unwrap();
        Self { owner, guests, stranger, vehicles, keys: Arc::default() }
    }

    /// Lets everybody begin; they go home when the world says so.
    pub(crate) fn begin(self, dice: &mut Dice, keys: Vec<VerifierKey>) -> JoinSet<()> {
        let mut people = JoinSet::new();
        let Self { owner, guests, stranger, vehicles, keys: lent } = self;
        let world = Arc::clone(&owner.world);
        let guest_ids: Vec<String> = guests.iter().map(|guest| guest.id.clone()).collect();
        // Two apps of one owner: the keys are theirs together, their sessions are not.
        for _ in 0..2 {
            let office = Office {
                person: owner.clone(),
                vehicles: vehicles.clone(),
                guest_ids: guest_ids.clone(),
                keys: Arc::clone(&lent),
                dice: dice.for_somebody(),
            };
            people.spawn(office.lend_and_take_back());
        }
        for (number, person) in guests.into_iter().enumerate() {
            let (keys, dice) = (Arc::clone(&lent), dice.for_somebody());
            people.spawn(Borrower { person, number, keys, dice }.drive());
        }
        people.spawn(try_foreign_cars(stranger, vehicles, dice.for_somebody()));
        people.spawn(keep_checkpoints(world, keys));
        people
    }
}

fn guest_name(number: usize) -> String {
    format!("guest{number}")
}

/// Leads the owner's browser through the consent page and back.
async fn consent(world: &World, authorize_url: &str) -> Value {
    let http = crate::support::app::http_client();
    let page = http.get(authorize_url).send().await.unwrap();
    let back = page.headers()["location"].to_str().unwrap().replace(PUBLIC_URL, &world.base);
    let answer = http.get(back).header("accept", "application/json").send().await.unwrap();
    assert!(answer.status().is_success(), "{}", answer.status());
    answer.json().await.unwrap()
}

/// A command to be asked for.
pub(crate) fn command(world: &World, vehicle_id: &str, action: &str, key: Option<&Key>) -> Call {
    let grant_id = key.map(|key| key.grant_id.clone());
    let mut body = json!({ "vehicle_id": vehicle_id, "action": action });
    if let Some(grant_id) = &grant_id {
        body["grant_id"] = json!(grant_id);
    }
    Call {
        path: "/v1/commands".to_owned(),
        body,
        key: Some(world.name("command")),
        asked: Asked::Command {
            vehicle_id: vehicle_id.to_owned(),
            action: action.to_owned(),
            grant_id,
        },
        token: None,
        in_haste: false,
    }
}

/// Taking a key back.
pub(crate) fn revocation(grant_id: &str, drain: bool, leave_lock: bool) -> Call {
    let wait = if drain { "?wait=drain" } else { "" };
    Call {
        path: format!("/v1/grants/{grant_id}/revoke{wait}"),
        body: json!({ "leave_lock": leave_lock }),
        key: None,
        asked: Asked::Revoke { grant_id: grant_id.to_owned(), drain },
        token: None,
        in_haste: false,
    }
}

/// Lending a key for a day, to open and close a car, so many times if it is said.
pub(super) fn lending(
    world: &World,
    vehicle_id: &str,
    grantee_id: &str,
    uses_max: Option<i64>,
) -> Call {
    let entitlements = vec!["unlock".to_owned(), "lock".to_owned()];
    let begins = SystemClock::start().now();
    let ends = begins.plus(Duration::from_secs(24 * 60 * 60));
    let mut body = json!({
        "vehicle_id": vehicle_id, "grantee_id": grantee_id, "entitlements": entitlements,
        "not_before": begins, "not_after": ends,
    });
    if let Some(uses_max) = uses_max {
        body["max_uses"] = json!(uses_max);
    }
    let (vehicle_id, grantee_id) = (vehicle_id.to_owned(), grantee_id.to_owned());
    Call {
        path: "/v1/grants".to_owned(),
        body,
        key: Some(world.name("issue")),
        asked: Asked::Issue { vehicle_id, grantee_id, entitlements, uses_max },
        token: None,
        in_haste: false,
    }
}

/// Lends the guest a car without a limit; `None` if there was no answer.
pub(crate) async fn lend(owner: &mut Person, guest: &Person, vehicle_id: &str) -> Option<Key> {
    let world = Arc::clone(&owner.world);
    let answer = owner.insist(&lending(&world, vehicle_id, &guest.id, None), 4).await?;
    let grant_id = answer.text("grant_id")?.to_owned();
    Some(Key { grant_id, vehicle_id: vehicle_id.to_owned(), guest: 0 })
}

/// Somebody who borrows cars.
struct Borrower {
    person: Person,
    number: usize,
    keys: Arc<Mutex<Keys>>,
    dice: Dice,
}

impl Borrower {
    async fn drive(mut self) {
        let world = Arc::clone(&self.person.world);
        while world.is_open().await {
            let key = lock(&self.keys).any_of(self.number, &mut self.dice);
            if self.dice.percent(6) {
                self.person.refresh().await;
            } else if self.dice.percent(1) {
                let id = self.person.id.clone();
                scopes::pause(&mut self.person, &mut self.dice, "user_id", &id).await;
            } else if let Some(key) = key {
                self.use_key(&key).await;
            } else {
                tokio::task::yield_now().await;
            }
        }
    }

    async fn use_key(&mut self, key: &Key) {
        let world = Arc::clone(&self.person.world);
        let action = if self.dice.percent(65) { "unlock" } else { "lock" };
        let mut call = command(&world, &key.vehicle_id, action, Some(key));
        call.in_haste = self.dice.percent(15);
        if self.dice.percent(30) {
            call.token = self.person.holder_token(&key.grant_id).await;
        }
        if self.dice.percent(15) {
            // The same request from two impatient taps, at once.
            let mut other = self.person.clone();
            let (first, second) = tokio::join!(self.person.ask(&call), other.ask(&call));
            if first.is_some() && second.is_some() {
                return;
            }
        }
        let tries = 1 + self.dice.below(4);
        self.person.insist(&call, tries).await;
    }
}

/// Somebody of another organization, who has no business here.
async fn try_foreign_cars(mut person: Person, vehicles: Vec<String>, mut dice: Dice) {
    let world = Arc::clone(&person.world);
    while world.is_open().await {
        let Some(car) = dice.one_of(&vehicles) else { return };
        let call = command(&world, car, "unlock", None);
        person.ask(&call).await;
        // Idempotency in a while is enough.
        let next = world.log.answered() + 50;
        tokio::select! {
            () = world.stop.cancelled() => {}
            () = world.log.until_answered(next) => {}
        }
    }
}

/// Somebody who does not trust the service, and keeps what it has signed.
async fn keep_checkpoints(world: Arc<World>, keys: Vec<VerifierKey>) {
    while world.is_open().await {
        if let Some((200, note)) = world.get("/log/checkpoint").await {
            let checkpoint = checkpoint::open(&note, ORIGIN, &keys);
            let head = checkpoint.expect("what is published is signed").head;
            world.log.keep(head);
        }
        let next = world.log.answered() + 10;
        tokio::select! {
            () = world.stop.cancelled() => {}
            () = world.log.until_answered(next) => {}
        }
    }
}
