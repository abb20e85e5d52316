//! The story: an owner lends a car, a guest uses it, an administrator ends the key. Every line
//! says what was done and what came back, and every step is checked.

use std::path::Path;
use std::time::Duration;

use reqwest::Method;
use serde_json::{Value, json};

use super::client::{Client, Reply};
use crate::cli::Failure;
use crate::clock::Clock;
use crate::domain::time::Timestamp;
use crate::entropy::Entropy;
use crate::signing::secret::{RandomSecret, SecretPrefix};

/// How long the short key of the story can be used.
const SHORT_KEY: Duration = Duration::from_secs(2);
/// The service has looked at the car long before.
const LOOK_TIME_MAX: Duration = Duration::from_secs(15);
const LOOK_INTERVAL: Duration = Duration::from_millis(100);

/// The people of the story; they share one password, made for this run.
#[derive(Debug)]
pub(super) struct Credentials {
    pub(super) admin_email: String,
    pub(super) owner_email: String,
    pub(super) guest_email: String,
    pub(super) password: String,
}

impl Credentials {
    pub(super) fn fresh(entropy: &dyn Entropy) -> Result<Self, Failure> {
        Ok(Self {
            admin_email: "ada@demo.example".to_owned(),
            owner_email: "olga@demo.example".to_owned(),
            guest_email: "gus@demo.example".to_owned(),
            password: RandomSecret::generate(SecretPrefix::State, entropy)?
                .expose()
                .replace(SecretPrefix::State.as_str(), "demo-"),
        })
    }
}

struct Story<'a> {
    service: Client,
    people: &'a Credentials,
    /// The service's own: a story must not depend on two clocks agreeing.
    clock: &'a dyn Clock,
    steps: u32,
}

impl Story<'_> {
    fn tell(&mut self, what: &str, came_back: impl std::fmt::Display) {
        self.steps += 1;
        println!("{:>2}. {what}\n      → {came_back}", self.steps);
    }

    /// Checks the status, or ends the story with what came back instead.
    fn expect(&self, what: &str, reply: Reply, status: u16) -> Result<Reply, Failure> {
        if reply.status == status {
            return Ok(reply);
        }
        Err(Failure::Story(format!(
            "{what}: expected {status}, got {} {}",
            reply.status, reply.body
        )))
    }

    async fn post(
        &mut self,
        path: &str,
        bearer: &str,
        body: &Value,
        status: u16,
    ) -> Result<Reply, Failure> {
        let key = format!("demo-{}-{path}", self.steps);
        let reply = self.service.post(path, Some(bearer), &key, body).await?;
        self.expect(path, reply, status)
    }

    async fn sign_in(&self, email: &str) -> Result<String, Failure> {
        let body = json!({ "email": email, "password": self.people.password });
        let reply = self.service.post("/v1/sessions", None, "sign-in", &body).await?;
        Ok(self.expect("/v1/sessions", reply, 201)?.text("access_token"))
    }

    async fn command(
        &mut self,
        bearer: &str,
        vehicle_id: &str,
        action: &str,
        status: u16,
    ) -> Result<Reply, Failure> {
        let body = json!({ "vehicle_id": vehicle_id, "action": action });
        self.post("/v1/commands", bearer, &body, status).await
    }
}

/// Runs the story and prints each step.
pub(super) async fn tell(
    public_url: &str,
    simulator_url: &str,
    people: &Credentials,
    clock: &dyn Clock,
) -> Result<(), Failure> {
    println!("Keylend at {public_url}, a simulated vehicle cloud at {simulator_url}\n");
    let mut story = Story { service: Client::new(public_url)?, people, clock, steps: 0 };
    let admin = story.sign_in(&people.admin_email).await?;
    story.tell("The administrator signs in", "201 an access token for ten minutes");
    let (_, owner) = invite(&mut story, &admin, &people.owner_email, "Olga Owner").await?;
    let (guest_id, guest) = invite(&mut story, &admin, &people.guest_email, "Gus Guest").await?;
    let vehicle_id = connect(&mut story, &owner).await?;
    let key = lend(&mut story, &owner, &guest, &vehicle_id, &guest_id).await?;
    use_key(&mut story, &vehicle_id, &key.grant_token).await?;
    let car = (vehicle_id.as_str(), guest_id.as_str());
    refuse_too_early(&mut story, &owner, &guest, car).await?;
    let lock_id = return_late(&mut story, &owner, &guest, car).await?;
    look_at_car(&mut story, &admin, &lock_id).await?;
    pause(&mut story, &owner, &vehicle_id, &key).await?;
    revoke(&mut story, &admin, &vehicle_id, &key).await?;
    read_record(&mut story, &admin, &vehicle_id, simulator_url).await?;
    println!("\n✓ all steps succeeded");
    Ok(())
}

/// Gives the id of the account and an access token of its person.
async fn invite(
    story: &mut Story<'_>,
    admin: &str,
    email: &str,
    name: &str,
) -> Result<(String, String), Failure> {
    let body = json!({ "email": email, "display_name": name });
    let made = story.post("/v1/users", admin, &body, 201).await?;
    let user_id = made.text("user_id");
    story.tell(
        &format!("The administrator makes an account for {name}, and gets a link for them"),
        format!("201 {user_id}"),
    );
    let claim_token = made.text("claim_token");
    let body = json!({ "claim_token": claim_token, "password": story.people.password });
    let reply = story.service.post("/v1/claims/redeem", None, "redeem", &body).await?;
    let reply = story.expect("/v1/claims/redeem", reply, 201)?;
    story.tell(
        &format!("{name} follows the link and chooses a password that nobody else knows"),
        format!("201 {}", reply.text("session_id")),
    );
    Ok((user_id, reply.text("access_token")))
}

async fn connect(story: &mut Story<'_>, owner: &str) -> Result<String, Failure> {
    let started = story.post("/v1/connections", owner, &json!({}), 201).await?;
    story.tell("The owner connects a car", format!("201 {}", started.text("connection_id")));
    let back = story.service.get(&started.text("authorize_url"), None).await?;
    let received = story.expect("the consent page", back, 200)?;
    story.tell(
        "The owner's browser passes the consent page and is given a code",
        format!("200 {}", received.text("connection_id")),
    );
    let path = format!("/v1/connections/{}/complete", received.text("connection_id"));
    let body = json!({ "completion_code": received.text("completion_code") });
    story.post(&path, owner, &body, 200).await?;
    let reply = story.service.get("/v1/vehicles", Some(owner)).await?;
    let reply = story.expect("/v1/vehicles", reply, 200)?;
    let cars = reply.body.get("data").and_then(Value::as_array).cloned().unwrap_or_default();
    let car = cars.first().ok_or_else(|| Failure::Story("no car was connected".to_owned()))?;
    let name = |member: &str| match car.get(member) {
        Some(Value::String(text)) => text.clone(),
        Some(other) => other.to_string(),
        None => String::new(),
    };
    let first = [name("make"), name("model"), name("year")].join(" ");
    story.tell(
        "The owner shows the code, so that nobody else's browser can bring them a car",
        format!("200 {} cars, the first is a {first}", cars.len()),
    );
    Ok(car.get("vehicle_id").and_then(Value::as_str).unwrap_or_default().to_owned())
}

struct Key {
    grant_id: String,
    grant_token: String,
}

async fn issue(
    story: &mut Story<'_>,
    owner: &str,
    (vehicle_id, guest_id): (&str, &str),
    not_before: Timestamp,
    not_after: Timestamp,
) -> Result<String, Failure> {
    let body = json!({
        "vehicle_id": vehicle_id,
        "grantee_id": guest_id,
        "entitlements": ["unlock", "lock"],
        "not_before": not_before,
        "not_after": not_after,
    });
    Ok(story.post("/v1/grants", owner, &body, 201).await?.text("grant_id"))
}

async fn lend(
    story: &mut Story<'_>,
    owner: &str,
    guest: &str,
    vehicle_id: &str,
    guest_id: &str,
) -> Result<Key, Failure> {
    let now = story.clock.now();
    let until = now.plus(Duration::from_secs(2 * 60 * 60));
    let grant_id = issue(story, owner, (vehicle_id, guest_id), now, until).await?;
    story.tell("The owner issues a key for two hours", format!("201 {grant_id}"));
    let reply = story.post(&format!("/v1/grants/{grant_id}/token"), guest, &json!({}), 200).await?;
    let grant_token = reply.text("grant_token");
    let shown: String = grant_token.chars().take(24).collect();
    story.tell("The guest's app fetches its digital key", format!("200 {shown}… (signed)"));
    Ok(Key { grant_id, grant_token })
}

async fn use_key(story: &mut Story<'_>, vehicle_id: &str, token: &str) -> Result<(), Failure> {
    for action in ["unlock", "lock"] {
        let reply = story.command(token, vehicle_id, action, 200).await?;
        let came_back = done(&reply)?;
        story.tell(&format!("The guest {action}s the car with the key alone"), came_back);
    }
    Ok(())
}

/// What came back of a command that was done.
fn done(reply: &Reply) -> Result<String, Failure> {
    let status = reply.text("status");
    if status != "acknowledged" && status != "confirmed" {
        return Err(Failure::Story(format!("it was not done: {}", reply.body)));
    }
    Ok(format!("200 {status} ({})", reply.text("evidence")))
}

/// The cloud's word is not the car's: the service looks at it a moment later.
async fn look_at_car(story: &mut Story<'_>, admin: &str, command_id: &str) -> Result<(), Failure> {
    let path = format!("/v1/commands/{command_id}");
    let deadline = story.clock.monotonic().saturating_add(LOOK_TIME_MAX);
    loop {
        let reply = story.service.get(&path, Some(admin)).await?;
        let reply = story.expect(&path, reply, 200)?;
        if reply.text("status") == "confirmed" {
            let came_back = format!("200 confirmed ({})", reply.text("evidence"));
            story.tell("The service has looked at the car since, and saw it locked", came_back);
            return Ok(());
        }
        if story.clock.monotonic() > deadline {
            return Err(Failure::Story(format!("nobody saw the car locked: {}", reply.body)));
        }
        tokio::time::sleep(LOOK_INTERVAL).await;
    }
}

fn refused(reply: &Reply, code: &str) -> Result<String, Failure> {
    if reply.text("code") == code {
        return Ok(format!("403 {code}"));
    }
    Err(Failure::Story(format!("expected {code}, got {}", reply.body)))
}

async fn refuse_too_early(
    story: &mut Story<'_>,
    owner: &str,
    guest: &str,
    (vehicle_id, guest_id): (&str, &str),
) -> Result<(), Failure> {
    let now = story.clock.now();
    let (start, end) = (now.plus(SHORT_KEY * 1800), now.plus(SHORT_KEY * 3600));
    let early = issue(story, owner, (vehicle_id, guest_id), start, end).await?;
    let body = json!({ "vehicle_id": vehicle_id, "action": "unlock", "grant_id": early });
    let reply = story.post("/v1/commands", guest, &body, 403).await?;
    let came_back = refused(&reply, "grant_not_yet_valid")?;
    story.tell("The guest tries a key whose time has not come", came_back);
    Ok(())
}

/// A key is extended, and the guest is late all the same. Gives the id of the command that locks the car.
async fn return_late(
    story: &mut Story<'_>,
    owner: &str,
    guest: &str,
    (vehicle_id, guest_id): (&str, &str),
) -> Result<String, Failure> {
    let now = story.clock.now();
    let key = issue(story, owner, (vehicle_id, guest_id), now, now.plus(SHORT_KEY)).await?;
    let (path, later) =
        (format!("/v1/grants/{key}"), json!({ "not_after": now.plus(SHORT_KEY * 2) }));
    let reply = story.service.change(Method::PATCH, &path, owner, &later).await?;
    let reply = story.expect(&path, reply, 200)?;
    story.tell(
        "The owner extends a key of two seconds to four",
        format!("200 {}", reply.text("effect")),
    );
    tokio::time::sleep(SHORT_KEY * 2).await;
    let body = json!({ "vehicle_id": vehicle_id, "action": "unlock", "grant_id": key });
    let reply = story.post("/v1/commands", guest, &body, 403).await?;
    let came_back = refused(&reply, "grant_expired")?;
    story.tell("The guest tries it when they are over", came_back);
    let body = json!({ "vehicle_id": vehicle_id, "action": "lock", "grant_id": key });
    let reply = story.post("/v1/commands", guest, &body, 200).await?;
    story.tell("The guest, who is late, can still lock the car with it", done(&reply)?);
    Ok(reply.text("command_id"))
}

/// A key is paused, and goes on.
async fn pause(
    story: &mut Story<'_>,
    owner: &str,
    vehicle_id: &str,
    key: &Key,
) -> Result<(), Failure> {
    let body = json!({ "scope": { "grant_id": key.grant_id }, "reason": "a phone was lost" });
    let hold_id = story.post("/v1/holds", owner, &body, 201).await?.text("hold_id");
    story.tell("The owner pauses the guest's key", format!("201 {hold_id}"));
    let reply = story.command(&key.grant_token, vehicle_id, "unlock", 403).await?;
    let came_back = refused(&reply, "grant_held")?;
    story.tell("The guest tries the paused key", came_back);
    let path = format!("/v1/holds/{hold_id}");
    let reply = story.service.change(Method::DELETE, &path, owner, &json!({})).await?;
    story.expect(&path, reply, 204)?;
    story.tell("The owner lifts the pause", "204");
    Ok(())
}

async fn revoke(
    story: &mut Story<'_>,
    admin: &str,
    vehicle_id: &str,
    key: &Key,
) -> Result<(), Failure> {
    let path = format!("/v1/grants/{}/revoke?wait=drain", key.grant_id);
    let reply =
        story.post(&path, admin, &json!({ "reason": "the demo is nearly over" }), 200).await?;
    let in_flight = reply.body.get("in_flight").and_then(Value::as_array).map_or(0, Vec::len);
    story.tell(
        "The administrator ends the key now and waits until nothing can still leave",
        format!("200 {}, commands in flight: {in_flight}", reply.text("status")),
    );
    let reply = story.command(&key.grant_token, vehicle_id, "unlock", 403).await?;
    let came_back = refused(&reply, "grant_revoked")?;
    story.tell("The guest tries again with the same key", came_back);
    Ok(())
}

async fn read_record(
    story: &mut Story<'_>,
    admin: &str,
    vehicle_id: &str,
    simulator_url: &str,
) -> Result<(), Failure> {
    let path = format!("/v1/audit-entries?vehicle_id={vehicle_id}&limit=100");
    let reply = story.service.get(&path, Some(admin)).await?;
    let reply = story.expect("/v1/audit-entries", reply, 200)?;
    let entries = reply.body.get("data").and_then(Value::as_array).cloned().unwrap_or_default();
    let count = |event: &str| {
        entries
            .iter()
            .filter(|entry| entry.get("event").and_then(Value::as_str) == Some(event))
            .count()
    };
    let (authorized, refusals) = (count("command.authorized"), count("command.refused"));
    let journal = story.service.get(&format!("{simulator_url}/_sim/journal"), None).await?;
    let executed = journal.body.get("count").and_then(Value::as_u64).unwrap_or(0);
    if authorized != 3 || refusals != 4 || executed != 3 {
        return Err(Failure::Story(format!(
            "the record has {authorized} authorized and {refusals} refused commands, the cars of {executed}"
        )));
    }
    story.tell(
        "The administrator reads the record of the car",
        format!(
            "200 {authorized} commands authorized, {refusals} refused; the cars executed {executed}"
        ),
    );
    Ok(())
}

/// Says where to go on by hand.
pub(super) fn print_farewell(
    public_url: &str,
    simulator_url: &str,
    people: &Credentials,
    folder: &Path,
) {
    println!("\nStill up. Try it by hand, end with Ctrl-C:");
    println!("  API       {public_url}/docs/");
    println!("  cars      {simulator_url}/_sim/vehicles");
    println!("  database  {}", folder.join("keylend.db").display());
    println!("  admin     {}", people.admin_email);
    println!("  owner     {}", people.owner_email);
    println!("  guest     {}", people.guest_email);
    println!("  password  {} (all three)", people.password);
}
