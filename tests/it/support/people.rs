//! The people and API clients of a story: made by the administrator, signed in, with their cars.

use keylend::domain::actor::Scope;
use keylend::service::organizations::{self, FirstCredentials};
use secrecy::SecretString;
use serde_json::{Value, json};

use super::TestApp;
use super::actors::{Actor, Reply};

/// Everybody's password.
pub(crate) const PASSWORD: &str = "purple giraffes park sideways";
/// The organization's name in which stories play.
pub(crate) const ORGANIZATION: &str = "Story Drive";
/// Everything that a program may be allowed.
pub(crate) fn all_scopes() -> Vec<&'static str> {
    Scope::ALL.iter().map(|scope| scope.as_str()).collect()
}

/// Everything that can be granted.
pub(crate) const EVERYTHING: &[&str] = &[
    "unlock",
    "lock",
    "start_charge",
    "stop_charge",
    "set_charge_limit",
    "set_destination",
    "read_attributes",
    "read_vin",
    "read_location",
    "read_odometer",
    "read_battery",
    "read_charge",
    "read_fuel",
    "read_tires",
    "read_engine_oil",
    "read_lock_status",
    "read_diagnostics",
    "read_service_history",
];

impl TestApp {
    /// An administrator, as the operator makes them.
    pub(crate) async fn create_admin(&self, organization: &str, email: &str) -> Actor {
        organizations::create_admin(
            self.service(),
            organization,
            email.parse().unwrap(),
            "Ada Admin".parse().unwrap(),
            FirstCredentials::Password(SecretString::from(PASSWORD)),
        )
        .await
        .unwrap();
        self.sign_in(email).await
    }

    /// A person in a new session.
    pub(crate) async fn sign_in(&self, email: &str) -> Actor {
        let nobody = Actor::nobody(self);
        let body = json!({ "email": email, "password": PASSWORD });
        let reply = nobody.post("/v1/sessions", body).await.expect(201);
        let mut actor = nobody.with_token(reply.text("access_token"));
        actor.id = actor.get("/v1/users/me").await.expect(200).text("user_id");
        actor
    }

    /// The administrator of the story's organization.
    pub(crate) async fn admin(&self) -> Actor {
        self.sign_in("admin@story.example").await
    }

    /// A member with this name, made by the administrator, whose account they claimed.
    pub(crate) async fn member(&self, name: &str) -> Actor {
        self.admin().await.invite(&format!("{name}@story.example")).await
    }

    /// A person with this role, made by the administrator, whose account they claimed.
    pub(crate) async fn officer(&self, role: &str) -> Actor {
        let email = format!("{role}@story.example");
        let body = json!({ "email": email, "display_name": role, "role": role });
        let admin = self.admin().await;
        let made = admin.post("/v1/users", body).await.expect(201);
        admin.redeem(&made.text("claim_token")).await
    }

    /// An owner whose three cars are connected.
    pub(crate) async fn owner(&self) -> Actor {
        let mut owner = self.member("owner").await;
        self.connect(&mut owner).await;
        owner
    }

    /// An owner whose three cars are connected, and who permits everything that can be granted.
    pub(crate) async fn generous_owner(&self) -> Actor {
        let mut owner = self.member("owner").await;
        let everything = json!({ "entitlements": EVERYTHING });
        let started = owner.post("/v1/connections", everything).await.expect(201);
        self.consent(&owner, &started).await;
        owner.vehicles = owner.get("/v1/vehicles").await.expect(200).list("vehicle_id");
        owner
    }

    /// A guest.
    pub(crate) async fn guest(&self) -> Actor {
        self.member("guest").await
    }

    /// A member who has nothing to do with anything.
    pub(crate) async fn stranger(&self) -> Actor {
        self.member("stranger").await
    }

    /// The administrator of another organization.
    pub(crate) async fn foreigner(&self) -> Actor {
        self.create_admin("Elsewhere", "admin@elsewhere.example").await
    }

    /// An API client with these scopes, as itself.
    pub(crate) async fn api_client(&self, scopes: &[&str]) -> Actor {
        let body = json!({ "name": "Backend", "scopes": scopes });
        let made = self.admin().await.post("/v1/api-clients", body).await.expect(201);
        let form = [
            ("grant_type", "client_credentials".to_owned()),
            ("client_id", made.text("client_id")),
            ("client_secret", made.text("client_secret")),
        ];
        let answer = self.http.post(format!("{}/oauth/token", self.url())).form(&form);
        let answer: Value = answer.send().await.unwrap().json().await.unwrap();
        let mut actor = Actor::nobody(self).with_token(answer["access_token"].as_str().unwrap());
        actor.id = made.text("api_client_id");
        actor
    }

    /// Connects the cloud's cars, as the owner's browser would.
    pub(crate) async fn connect(&self, owner: &mut Actor) {
        let started = owner.post("/v1/connections", json!({})).await.expect(201);
        self.consent(owner, &started).await;
        let vehicles = owner.get("/v1/vehicles").await.expect(200);
        owner.vehicles = vehicles.list("vehicle_id");
    }

    /// Follows the owner's browser through the consent page, and has the owner show the code that it was given.
    pub(crate) async fn consent(&self, owner: &Actor, started: &Reply) -> Reply {
        let received = self.pass_consent(&started.text("authorize_url")).await.expect(200);
        owner.complete(&received).await.expect(200)
    }

    /// Follows a browser through the consent page and back to the service.
    pub(crate) async fn pass_consent(&self, authorize_url: &str) -> Reply {
        let consent = self.http.get(authorize_url).send().await.unwrap();
        let back = consent.headers()["location"].to_str().unwrap().to_owned();
        // The public address is a name only; the browser is led to the socket.
        let back = back.replace("http://keylend.test", self.url());
        let answer = self.http.get(back).header("accept", "application/json").send().await;
        Reply::read(answer.unwrap()).await
    }
}
